"""OpenSignals text files: a real recording, and invented ones with what a header may hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.errors import InputError
from unaji.records import opensignals
from unaji.records.source import file_source

START_MS = 1_465_596_227_029  # 11 June 2016, 7:03:47.029 in Tokyo
BITALINO = {
    "sensor": ["ECG"], "device name": "20:16:02:26:60:88", "column": ["nSeq", "I1", "I2", "O1", "O2", "A2"],
    "time": "7:3:47.29", "date": "2016-6-11", "firmware version": "5.1", "device": "bitalino", "sampling rate": 100,
    "label": ["A2"], "resolution": [4, 1, 1, 1, 1, 10], "comments": "", "special": [{}],
}  # fmt: skip
HUB = {
    "sensor": ["ECG", "EDA"], "column": ["nSeq", "DI", "CH1", "CH2"], "time": "10:29:43.249", "date": "2018-7-5",
    "firmware version": 773, "device": "channeller", "sampling rate": 100, "label": ["CH1", "CH2"],
    "resolution": [16, 16], "convertedValues": 0,
}  # fmt: skip


def text(devices, rows, *, name="20:16:02:26:60:8"):
    header = json.dumps({f"{name}{k}": one for k, one in enumerate(devices)})
    lines = "".join("\t".join(str(cell) for cell in row) + "\t\n" for row in rows)
    return f"# OpenSignals Text File Format\n# {header}\n# EndOfHeader\n{lines}"


def bitalino(counts, sequence=None, **other):
    sequence = range(1, len(counts) + 1) if sequence is None else sequence
    rows = [(k % 16, 1, 1, 0, 0, n) for k, n in zip(sequence, counts, strict=True)]
    return source(text([{**BITALINO, **other}], rows), "rec.txt")


def joined(batches, quantity, column):
    return np.concatenate([b.rows[column].to_numpy() for b in batches if b.quantity == quantity])


def test_the_data_sheets_range_and_the_unpadded_wall_clock():
    batches, problems = brought(opensignals, bitalino([0, 512, 1023]))
    rows = table(batches, "ecg_mv")
    np.testing.assert_allclose(rows["value"], [-1.5, 0.0, 1.5 - 3.0 / 1024])  # the sheet: -1.5 to 1.5 mV
    assert (joined(batches, "ecg_mv", "time") - START_MS).tolist() == [0, 10, 20]
    assert rows["zone_min"].to_list() == [540] * 3
    assert not problems


def test_the_devices_address_goes_nowhere():
    batches, problems = brought(opensignals, source(text([BITALINO, HUB], [(0, 1, 1, 0, 0, 512, 0, 0, 9, 9)] * 20)))
    assert "20:16" not in repr([batch.device for batch in batches]) + repr(problems)
    assert {batch.device.name for batch in batches} == {"device 1", "device 2"}


def test_lost_packets_are_counted_and_the_time_after_them_is_right():
    batches, problems = brought(opensignals, bitalino([512] * 5, [14, 15, 19, 20, 40]))
    assert (joined(batches, "ecg_mv", "time") - START_MS).tolist() == [0, 10, 50, 60, 100]  # 19 lost look like 3
    assert [p.value for p in problems] == ["6"]


def test_the_hubs_two_sensors_by_their_own_laws():
    rows = [(k, 0, 32768, n) for k, n in enumerate([0, 65536 // 2] * 40)]
    batches, problems = brought(opensignals, source(text([HUB], rows)))
    assert set(joined(batches, "ecg_mv", "value")) == {0.0}
    skin = joined(batches, "scl_microsiemens", "value")  # 100 a second, averaged over 7
    assert skin.size == 80 // 7
    np.testing.assert_allclose(skin[:2], [12.5 * 3 / 7, 12.5 * 4 / 7])  # the sheet: 0 to 25 µS
    assert np.diff(joined(batches, "scl_microsiemens", "time")).tolist() == [70] * 10
    assert [p.value for p in problems] == ["7"]


def test_a_counter_of_unsaid_width_may_go_on_beyond_sixteen():
    jump = [*range(40), *range(50, 60)]
    batches, problems = brought(opensignals, source(text([HUB], [(k, 0, 32768, 9) for k in jump])))
    assert joined(batches, "ecg_mv", "time")[-1] - joined(batches, "ecg_mv", "time")[0] == 590
    assert [p.value for p in problems if "lost" in p.rule] == ["10"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sensor": ["RAW"]}, "not known what RAW of a bitalino"),
        ({"sensor": ["EDA"], "firmware version": "3.1"}, "resistance"),
        ({"device": "bioplux"}, "not known what ECG of a bioplux"),
        ({"convertedValues": 1}, "converted the values"),
        ({"resolution": [4, 1]}, "how many bits"),
        ({"label": ["A3"]}, "which column"),
    ],
)
def test_a_channel_whose_law_is_not_known_is_left_out_by_name(change, says):
    batches, problems = brought(opensignals, bitalino([1, 2, 3], **change))
    assert not batches
    assert [says in p.rule and p.lost for p in problems] == [True]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"date": ""}, "when it began"), ({"date": "2016-13-11"}, "when it began"), ({"time": None}, "when it began"),
        ({"sampling rate": 0}, "sampling rate"), ({"sampling rate": "fast"}, "sampling rate"),
        ({"column": None}, "before 2016"), ({"column": ["x"] * 80}, "80 columns"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_says_why(change, says):
    batches, problems = brought(opensignals, bitalino([1, 2], **change))
    assert not batches
    assert says in problems[-1].rule


def test_what_is_no_header_or_no_sample_is_refused_or_counted():
    for data in (b"# OpenSignals Text File Format\n", b"# OpenSignals Text File Format\n# [1]\n# EndOfHeader\n1\n"):
        assert count(brought(opensignals, source(data))[1]) == 1
    damaged = text([BITALINO], [(1, 1, 1, 0, 0, 512), (2, 1), ("x", 1, 1, 0, 0, 4096), (4, 1, 1, 0, 0, 512)])
    batches, problems = brought(opensignals, source(damaged))
    assert joined(batches, "ecg_mv", "value").tolist() == [0.0, 0.0]
    assert (joined(batches, "ecg_mv", "time") - START_MS).tolist() == [0, 30]
    assert count(problems) == 2


def test_without_a_zone_nothing_is_guessed():
    with pytest.raises(InputError, match="in which time zone"):
        brought(opensignals, bitalino([1, 2]), zone=None)


@given(st.lists(st.tuples(st.integers(0, 1023), st.integers(1, 15)), min_size=1, max_size=40))
def test_samples_and_losses_written_and_read_are_the_same(steps):
    place = np.cumsum([step for _, step in steps])
    batches, problems = brought(opensignals, bitalino([n for n, _ in steps], place))
    expected = (np.array([n for n, _ in steps]) / 1024 - 0.5) * 3.0
    np.testing.assert_allclose(joined(batches, "ecg_mv", "value"), expected)
    assert (joined(batches, "ecg_mv", "time") - START_MS).tolist() == (10 * (place - place[0])).tolist()
    assert sum(int(p.value) for p in problems) == place[-1] - place[0] - len(steps) + 1


def test_blocks_do_not_show(monkeypatch):
    file = bitalino([n % 1024 for n in range(500)], [*range(200), *range(203, 503)])
    whole, _ = brought(opensignals, file)
    monkeypatch.setattr(opensignals, "BLOCK_BYTES", 100)
    parts, _ = brought(opensignals, file)
    assert len(parts) > 20
    for column in ("time", "value"):
        np.testing.assert_array_equal(joined(parts, "ecg_mv", column), joined(whole, "ecg_mv", column))


def test_damaged_files_do_no_harm():
    rows = [(k % 16, 1, 1, 0, 0, k) for k in range(60)]
    hub = text([HUB, BITALINO], [(k, 0, 30000, 9, *row) for k, row in enumerate(rows)])
    withstands(opensignals, {"a.txt": text([BITALINO], rows).encode(), "b.txt": hub.encode()})


@pytest.mark.shared
def test_a_real_recording_arrives_whole(shared_data):
    file = shared_data / "rr-pyhrv-samples" / "opensignals_ecg.txt"
    batches, problems = brought(opensignals, file_source(file))
    counts = np.loadtxt(file)[:, 5]
    np.testing.assert_allclose(joined(batches, "ecg_mv", "value"), (counts / 1024 - 0.5) * 3.0)
    assert (np.diff(joined(batches, "ecg_mv", "time")) == 1).all()
    assert counts.size == 22_350
    assert not problems

"""EDF, EDF+ and BDF: files that another library wrote and reads, and invented ones for what it cannot write."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyedflib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_detect import claimants
from tests.records.vendors import brought, count, source, table, withstands
from unaji.errors import InputError
from unaji.records import edf
from unaji.records.source import file_source

START = datetime(2024, 5, 15, 8, 30, 1)
START_MS = 1_715_729_401_000  # in Tokyo


def signal(label, dimension, rate_hz, low=-5.0, high=5.0, digital=(-32768, 32767)):
    return {
        "label": label, "dimension": dimension, "sample_frequency": rate_hz, "physical_min": low,
        "physical_max": high, "digital_min": digital[0], "digital_max": digital[1], "transducer": "", "prefilter": "",
    }  # fmt: skip


def written(path, signals, samples, kind=pyedflib.FILETYPE_EDFPLUS):
    """Write a file with pyedflib, the oracle."""
    with pyedflib.EdfWriter(str(path), len(signals), file_type=kind) as writer:
        writer.setStartdatetime(START)
        writer.setSignalHeaders(signals)
        if kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS):
            writer.setPatientName("Hana_Suzuki")
            writer.setPatientCode("MCH-0234567")
        writer.writeSamples(samples)
    return path


def raw(channels, records, *, date=b"15.05.24", time=b"08.30.01", length=b"1", reserved=b"", n_said=None, wide=2):
    """Write a file by hand: channels of (label, dimension, low, high, digital low, digital high, samples a record)."""
    n = len(channels)
    head = (edf.EDF if wide == 2 else edf.BDF) + b"Hana".ljust(80) + b"X".ljust(80) + date.ljust(8) + time.ljust(8)
    said = len(records) if n_said is None else n_said
    head += b"%-8d" % (256 * (n + 1)) + reserved.ljust(44) + b"%-8d" % said + length.ljust(8) + b"%-4d" % n
    fields = [[str(one[k]).encode("latin-1") for one in channels] for k in range(7)]
    columns = [fields[0], [b""] * n, *fields[1:6], [b""] * n, fields[6], [b""] * n]
    head += b"".join(cell.ljust(width) for column, width in zip(columns, edf.WIDTHS, strict=True) for cell in column)
    return head + b"".join(records)


def record(*parts):
    return b"".join(part if isinstance(part, bytes) else np.asarray(part, dtype="<i2").tobytes() for part in parts)


def discontinuous(onsets, values, rate=4):
    """Give an ECG in micro- as millivolts, each record saying when it began."""
    channels = [("ECG II", "mV", -32, 32, -32000, 32000, rate), ("EDF Annotations", "", -1, 1, -32768, 32767, 10)]
    records = [
        record(value, (b"%s\x14\x14\x00" % onset).ljust(20, b"\0")) for onset, value in zip(onsets, values, strict=True)
    ]
    return raw(channels, records, reserved=b"EDF+D")


def joined(batches, quantity, column):
    return np.concatenate([b.rows[column].to_numpy() for b in batches if b.quantity == quantity])


@pytest.mark.parametrize(
    "kind",
    [pyedflib.FILETYPE_EDF, pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS],
)
def test_signals_are_as_another_library_reads_them(tmp_path, kind):
    rng = np.random.default_rng(1)
    digital = (-32768, 32767) if kind in (pyedflib.FILETYPE_EDF, pyedflib.FILETYPE_EDFPLUS) else (-8388608, 8388607)
    signals = [
        signal("ECG II", "uV", 256, -5000, 5000, digital), signal("SaO2 finger", "%", 1, 0, 100, digital),
        signal("Temp skin", "degC", 1, 20, 45, digital), signal("HR", "1/min", 1, 0, 250, digital),
        signal("Resp nasal", "", 32, -1, 1, digital), signal("EEG Fpz-Cz", "uV", 256, -500, 500, digital),
    ]  # fmt: skip
    n_s = 30
    samples = [
        rng.uniform(-4000, 4000, 256 * n_s), rng.uniform(90, 99, n_s), rng.uniform(30, 35, n_s),
        rng.uniform(60, 70, n_s), rng.uniform(-1, 1, 32 * n_s), rng.uniform(-400, 400, 256 * n_s),
    ]  # fmt: skip
    path = written(tmp_path / "night.edf", signals, samples, kind)
    batches, problems = brought(edf, file_source(path))
    assert claimants(file_source(path).head) == ["EDF"]
    with pyedflib.EdfReader(str(path)) as oracle:
        for k, (quantity, factor) in enumerate([("ecg_mv", 1e-3), ("spo2_pct", 1), ("skin_temp_c", 1), ("hr_bpm", 1)]):
            np.testing.assert_allclose(joined(batches, quantity, "value"), oracle.readSignal(k) * factor, atol=1e-12)
            since_ms = np.arange(samples[k].size) * 1000 / signals[k]["sample_frequency"]
            np.testing.assert_allclose(joined(batches, quantity, "time") - START_MS, since_ms, atol=0.5)
    assert [(p.value, p.lost) for p in problems] == [("Resp nasal", True), ("EEG Fpz-Cz", True)]
    assert "Hana" not in repr([batch.device for batch in batches]) + repr(problems)
    assert set(table(batches, "ecg_mv")["zone_min"]) == {540}


def test_micro_and_millivolts_are_never_crossed():
    for dimension, expected in (("uV", 0.001), ("µV", 0.001), ("mV", 1.0), ("V", None)):
        limits = (-1000, 1000) if dimension != "V" else (-1, 1)
        data = raw([("EKG1", dimension, *limits, -1000, 1000, 2)], [record([1, 1])])
        batches, _ = brought(edf, source(data))
        value = joined(batches, "ecg_mv", "value")
        assert value.tolist() == pytest.approx([expected or 1.0] * 2)
    for dimension in ("", "mv?", "%"):
        batches, problems = brought(edf, source(raw([("ECG", dimension, -1, 1, -9, 9, 2)], [record([1, 1])])))
        assert not batches
        assert ["dimension" in p.rule for p in problems] == [True]


def test_two_digits_of_a_year_are_of_the_last_century_from_85_on():
    batches, problems = brought(edf, source(raw([("ECG", "mV", -9, 9, -9, 9, 1)], [record([1])], date=b"15.05.98")))
    assert table(batches, "ecg_mv")["time"][0] == "1998-05-14 23:30:01"
    batches, problems = brought(edf, source(raw([("ECG", "mV", -9, 9, -9, 9, 1)], [record([1])], date=b"01.01.85")))
    assert not batches  # the day that anonymous files have
    assert "before 1990" in problems[0].rule


def test_a_discontinuous_recording_keeps_each_records_own_time():
    onsets = [b"+0", b"+1", b"+100.5", b"+101.5", b"+190"]
    batches, _ = brought(edf, source(discontinuous(onsets, np.arange(20).reshape(5, 4))))
    since = (joined(batches, "ecg_mv", "time") - START_MS) / 1000
    expected = np.array([0, 1, 100.5, 101.5, 190])[:, None] + np.arange(4) / 4
    np.testing.assert_allclose(since, expected.ravel())
    np.testing.assert_allclose(joined(batches, "ecg_mv", "value"), np.arange(20) / 1000)


def test_a_record_that_does_not_say_its_time_follows_the_one_before_and_is_counted():
    batches, problems = brought(edf, source(discontinuous([b"+7", b"x", b"+9"], np.ones((3, 4)))))
    assert ((joined(batches, "ecg_mv", "time") - START_MS) // 1000).tolist() == [7] * 4 + [8] * 4 + [9] * 4
    assert [p.value for p in problems if p.lost] == ["1"]


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_where_the_clock_was_set_back_no_row_lies_over_another_and_it_is_told(at_once, monkeypatch):
    monkeypatch.setattr(edf, "READ_BYTES", 28 * at_once)
    onsets = [b"+%d" % k for k in (0, 1, 2, 1, 2, 3, 4, 2)] + [b"+2.5", b"+5", b"+6"]
    batches, problems = brought(edf, source(discontinuous(onsets, np.arange(44).reshape(11, 4))))
    since = (joined(batches, "ecg_mv", "time") - START_MS) / 1000
    np.testing.assert_allclose(since, np.arange(28) / 4)
    kept = np.array([0, 1, 2, 5, 6, 9, 10])
    np.testing.assert_allclose(
        joined(batches, "ecg_mv", "value") * 1000, (4 * kept[:, None] + np.arange(4)).ravel()
    )  # fmt: skip
    assert [(p.count, p.lost) for p in problems if "set back" in p.rule] == [(4, True)]


def test_a_single_wrong_onset_costs_no_other_record():
    onsets = [b"+0", b"+1", b"+7202", b"+3", b"+4", b"+5"]
    batches, problems = brought(edf, source(discontinuous(onsets, np.arange(24).reshape(6, 4))))
    seconds = (joined(batches, "ecg_mv", "time") - START_MS) / 1000
    assert sorted(set(seconds.astype(int).tolist())) == [0, 1, 3, 4, 5, 7202]
    assert not [p for p in problems if p.lost]


def test_a_record_that_begins_between_two_milliseconds_of_the_one_before_is_no_step_back():
    batches, problems = brought(edf, source(discontinuous([b"+0", b"+0.9997", b"+2"], np.ones((3, 4)))))
    assert joined(batches, "ecg_mv", "time").size == 12
    assert not [p for p in problems if "set back" in p.rule]


def test_blocks_of_records_do_not_show(monkeypatch):
    onsets = [b"+%d" % k for k in (0, 1, 2, 10, 11, 30)]
    file = source(discontinuous(onsets, np.arange(24).reshape(6, 4)))
    whole, _ = brought(edf, file)
    monkeypatch.setattr(edf, "READ_BYTES", 60)
    parts, _ = brought(edf, file)
    for column in ("time", "value"):
        np.testing.assert_array_equal(joined(parts, "ecg_mv", column), joined(whole, "ecg_mv", column))


def test_fast_signals_of_slow_things_are_averaged_and_it_is_said():
    channels = [("EDA", "uS", 0, 100, 0, 1000, 64)]
    batches, problems = brought(edf, source(raw(channels, [record(np.repeat([10, 20], 32))] * 2)))
    assert joined(batches, "scl_microsiemens", "value")[:16].tolist() == [1.0] * 8 + [2.0] * 8
    assert (joined(batches, "scl_microsiemens", "time")[:2] - START_MS).tolist() == [23, 86]  # the middle of four
    assert ["averaged over 4" in p.rule for p in problems] == [True]


def test_what_is_outside_the_digital_range_was_not_recorded():
    batches, problems = brought(edf, source(raw([("ECG", "mV", -1, 1, -100, 100, 4)], [record([1, 101, -200, 2])])))
    assert joined(batches, "ecg_mv", "value").tolist() == pytest.approx([0.01, 0.02])
    assert [p.value for p in problems] == ["2"]


def test_of_two_leads_the_first_is_taken_and_the_other_named():
    channels = [("ECG I", "mV", -1, 1, -100, 100, 1), ("ECG II", "mV", -1, 1, -100, 100, 1)]
    batches, problems = brought(edf, source(raw(channels, [record([1], [2])])))
    assert joined(batches, "ecg_mv", "value").tolist() == pytest.approx([0.01])
    assert [p.value for p in problems] == ["ECG II"]


def test_a_sensor_that_is_off_does_not_spoil_the_mean_of_its_neighbours():
    beat = np.r_[np.full(256 * 5, 96), np.full(100, 0), np.full(256 * 5 - 100, 96)]
    records = [record(part) for part in beat.reshape(10, 256)]
    batches, problems = brought(edf, source(raw([("SaO2", "%", 0, 100, 0, 100, 256)], records)))
    assert set(joined(batches, "spo2_pct", "value")) == {96.0}
    assert [p.count for p in problems if "spo2_pct lies outside" in p.rule] == [100]


def test_a_header_padded_with_nul_is_read():
    data = raw([("ECG", "mV", -1, 1, -9, 9, 2)], [record([1, 1])])
    padded = data[:8] + data[8:512].replace(b" ", b"\0") + data[512:]
    batches, _ = brought(edf, source(padded))
    assert joined(batches, "ecg_mv", "value").size == 2


def test_records_beyond_what_the_header_promises_are_counted():
    channels, records = [("ECG", "mV", -1, 1, -9, 9, 2)], [record([1, 1])] * 5
    batches, problems = brought(edf, source(raw(channels, records, n_said=3)))
    assert joined(batches, "ecg_mv", "value").size == 6
    assert [p.count for p in problems if "promises 3 data records" in p.rule] == [2]
    assert joined(brought(edf, source(raw(channels, records, n_said=0)))[0], "ecg_mv", "value").size == 10


def test_two_recorders_are_two_devices_and_a_copy_without_the_name_is_the_same():
    one, copy, other = (
        brought(edf, source(data))[0][0].device
        for data in (
            raw([("ECG", "mV", -1, 1, -9, 9, 2)], [record([1, 1])]),
            raw([("ECG", "mV", -1, 1, -9, 9, 2)], [record([1, 1])]).replace(b"Hana", b"X   "),
            raw([("ECG", "mV", -1, 1, -9, 9, 4)], [record([1, 1, 1, 1])]),
        )
    )
    assert one == copy != other


def test_a_file_cut_short_or_of_unknown_length_gives_what_is_there():
    channels = [("ECG", "mV", -9, 9, -9, 9, 2)]
    records = [record([1, 2]), record([3, 4])]
    for data, lost in ((raw(channels, records)[:-1], 1), (raw(channels, records, n_said=-1), 0)):
        batches, problems = brought(edf, source(data))
        assert joined(batches, "ecg_mv", "value").size == 4 - 2 * lost
        assert count(problems) == lost
    lying = source(raw(channels, records, n_said=1000))
    lying.size = 1 << 20
    batches, problems = brought(edf, lying)
    assert joined(batches, "ecg_mv", "value").size == 4
    assert "ends before" in problems[-1].rule


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"date": b"99.99.99"}, "began on"), ({"date": b""}, "began on"), ({"length": b"0"}, "above 0"),
        ({"length": b"x"}, "above 0"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_says_why(change, says):
    batches, problems = brought(edf, source(raw([("ECG", "mV", -9, 9, -9, 9, 2)], [record([1, 2])], **change)))
    assert not batches
    assert says in problems[0].rule


def test_sizes_are_checked_before_anything_is_taken():
    good = ("ECG", "mV", -9, 9, -9, 9, 2)
    for channels in ([(*good[:6], 99_999_999)], [(*good[:6], "x")], [(*good[:6], -4)], [(*good[:6], 0)]):
        batches, problems = brought(edf, source(raw(channels, [record([1, 2])])))
        assert not batches
        assert count(problems) == 1
    short = raw([good] * 3, [])[:700]
    assert "promises 3 signals" in brought(edf, source(short))[1][0].rule


@pytest.mark.parametrize("data", [b"", b"0       ", b"0       " + b" " * 300, b"\xffBIOSEMI" + b"1" * 300])
def test_what_is_no_header_is_not_claimed(data):
    assert not edf.claims_file(data)


def test_without_a_zone_nothing_is_guessed():
    with pytest.raises(InputError, match="in which time zone"):
        brought(edf, source(discontinuous([b"+0"], [[1, 2, 3, 4]])), zone=None)


@given(st.lists(st.integers(-32768, 32767), min_size=8, max_size=8), st.integers(1, 30), st.integers(0, 9))
def test_samples_written_and_read_are_the_same(units, high, pause):
    channels = [("ECG", "mV", -high, high, -32768, 32767, 4), ("EDF Annotations", "", -1, 1, -9, 9, 10)]
    onsets = [b"+0", b"+%d" % (1 + pause)]
    parts = [record(units[4 * k : 4 * k + 4], (onset + b"\x14\x14").ljust(20, b"\0")) for k, onset in enumerate(onsets)]
    batches, _ = brought(edf, source(raw(channels, parts, reserved=b"EDF+D")))
    expected = (np.array(units) + 32768) * (2 * high / 65535) - high
    np.testing.assert_allclose(joined(batches, "ecg_mv", "value"), expected, atol=1e-9)
    assert joined(batches, "ecg_mv", "time")[4] - START_MS == 1000 * (1 + pause)


def test_damaged_files_do_no_harm(tmp_path):
    eda = [("EDA", "uS", 0, 100, 0, 1000, 64), ("BDF Annotations", "", -1, 1, -9, 9, 4)]
    wide = raw(eda, [b"\x01\x02\x03" * 68] * 3, reserved=b"BDF+D", wide=3)
    plain = written(tmp_path / "a.edf", [signal("ECG", "mV", 64)], [np.zeros(256)])
    withstands(
        edf,
        {
            "a.edf": plain.read_bytes(), "c.bdf": wide,
            "b.edf": discontinuous([b"+%d" % k for k in range(9)], np.zeros((9, 4))),
        },
    )  # fmt: skip

"""Holter recordings on their way to the store: a real one, invented ones, and the files of marks beside them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_ishne import holter
from tests.records.vendors import brought, count, source, table, withstands
from unaji.errors import InputError
from unaji.records import ishne
from unaji.records.ishne import read_signal
from unaji.records.source import file_source

TOKYO_START_MS = 1_715_729_401_000  # 15 May 2024, 08:30:01 in Tokyo


def marks(labels, since, *, rate_hz=200, first=0, date=(15, 5, 2024), variable=b""):
    """Write marks as the annotation standard has it: header, variable part, position of the first, then the marks."""
    header = bytearray(holter([], rate_hz=rate_hz, date=date)[:522])
    header[:8] = b"ANN  1.0"
    struct.pack_into("<i", header, 10, len(variable))
    rows = b"".join(struct.pack("<ccH", label.encode(), b"\0", n) for label, n in zip(labels, since, strict=True))
    return bytes(header) + variable + struct.pack("<I", first) + rows


def test_the_first_lead_becomes_a_series_at_the_recorders_rate_in_the_persons_zone():
    batches, problems = brought(ishne, source(holter([400, 1, -400, 2, -32768, 3, 200, 4])))
    rows = table(batches, "ecg_mv")
    assert rows["value"].to_list() == [1.0, -1.0, 0.5]
    assert [batch.rows["time"].to_list() for batch in batches] == [
        [TOKYO_START_MS, TOKYO_START_MS + 8, TOKYO_START_MS + 23]
    ]
    assert rows["zone_min"].to_list() == [540] * 3
    assert rows["role"].unique().to_list() == ["ecg"]
    assert [p.value for p in problems if "leads" in p.rule] == ["2"]
    assert [p.value for p in problems if "not recorded" in p.rule] == ["1"]
    assert not count(problems)


def test_no_name_leaves_the_header():
    data = bytearray(holter([400, 1]))
    data[28:32] = b"Hana"
    batches, problems = brought(ishne, source(bytes(data)))
    assert "Hana" not in repr(batches) + repr(problems) + repr([batch.device for batch in batches])


def test_a_recording_cut_short_gives_what_is_there_and_says_so():
    batches, problems = brought(ishne, source(holter([400, 1, -400, 2, 200, 3])[:-3]))
    assert table(batches, "ecg_mv")["value"].to_list() == [1.0, -1.0]
    assert [p.rule for p in problems if p.lost and "promises 3 samples and 2 a lead" in p.rule]


@pytest.mark.parametrize("unused", [-9, 0])
def test_a_count_of_samples_that_is_not_used_is_that_of_the_file(unused):
    batches, problems = brought(ishne, source(holter([400, 1, -400, 2, 200, 3], n_said=unused)))
    assert table(batches, "ecg_mv")["value"].to_list() == [1.0, -1.0, 0.5]
    assert not count(problems)


def test_an_archive_that_promises_more_than_it_holds_is_found_out():
    data = holter([400, 1, -400, 2], n_said=4000)
    lying = source(data)
    lying.size = 522 + 2 * 2 * 4000
    batches, problems = brought(ishne, lying)
    assert table(batches, "ecg_mv").height == 2
    assert any("ends before its last sample" in p.rule for p in problems)


def test_without_a_date_nothing_is_placed():
    for data in (holter([0, 0], date=(0, 0, 0)), marks("NN", [1, 2], date=(0, 0, 0))):
        batches, problems = brought(ishne, source(data))
        assert not batches
        assert count(problems) == 1


def test_without_a_zone_nothing_is_guessed():
    with pytest.raises(InputError, match="in which time zone"):
        brought(ishne, source(holter([0, 0])), zone=None)


def test_marks_become_intervals_between_beats_and_artefacts_part_them():
    data = marks("NNVXNNN", [10, 200, 150, 90, 100, 160, 170], first=1000, variable=b"notes")
    batches, problems = brought(ishne, source(data))
    (beats,) = batches
    assert (beats.kind, beats.device.origin, beats.device.corrected) == ("beats", "ecg", "unknown")
    assert beats.rows["value"].to_list() == [1000.0, 750.0, 800.0, 850.0]
    assert beats.rows["gap"].to_list() == [True, False, True, False]
    assert (beats.rows["time"] - TOKYO_START_MS).to_list() == [6050, 6800, 8550, 9400]
    assert [p.value for p in problems] == ["1"]


def test_a_pause_longer_than_a_mark_can_count_keeps_the_time():
    batches, _ = brought(ishne, source(marks("NN!N!NN", [0, 200, 65535, 65, 65535, 65, 200])))
    rows = batches[0].rows
    assert rows["value"].to_list() == [1000.0, 328_000.0, 328_000.0, 1000.0]
    assert (rows["time"] - TOKYO_START_MS).to_list() == [1000, 329_000, 657_000, 658_000]


def test_a_beat_marked_twice_is_counted_once():
    batches, problems = brought(ishne, source(marks("NNNN", [5, 200, 0, 200])))
    assert batches[0].rows["value"].to_list() == [1000.0, 1000.0]
    assert batches[0].rows["gap"].to_list() == [True, True]
    assert count(problems) == 1


@given(st.lists(st.integers(50, 400), min_size=2, max_size=60), st.sampled_from([180, 200, 1000]))
def test_intervals_written_and_read_are_the_same(since, rate_hz):
    batches, _ = brought(ishne, source(marks("N" * len(since), since, rate_hz=rate_hz)))
    np.testing.assert_allclose(batches[0].rows["value"], np.array(since[1:]) * 1000 / rate_hz)


@given(st.lists(st.integers(-32767, 32767), min_size=1, max_size=50))
def test_samples_written_and_read_are_the_same(units):
    batches, _ = brought(ishne, source(holter(units, n_leads=1, resolution=1000)))
    np.testing.assert_allclose(np.concatenate([b.rows["value"] for b in batches]), np.array(units) / 1000)


def test_damaged_files_do_no_harm():
    beats = marks("NNVXNN!N", [10, 200, 150, 90, 100, 160, 65535, 5])
    withstands(ishne, {"h.ecg": holter(list(range(-200, 200))), "h.ann": beats})


@pytest.mark.shared
def test_a_real_recording_arrives_whole(shared_data):
    file = shared_data / "ecg-holter-ishne" / "holter.ecg"
    batches, problems = brought(ishne, file_source(file))
    signal, header = read_signal(file)
    value = np.concatenate([batch.rows["value"] for batch in batches])
    time = np.concatenate([batch.rows["time"] for batch in batches])
    np.testing.assert_allclose(value, signal)
    np.testing.assert_allclose(time - time[0], np.arange(signal.size) * 1000 / header.sampling_rate_hz, atol=0.5)
    assert not count(problems)

"""Fragments of many files become one timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from unaji.records.merge import Fragment, merge, missing_beats, union
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Beats, Episode, Interval, Series

START = np.datetime64("2024-05-01T08:00", "ms")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def at(*milliseconds):
    return START + np.array(milliseconds, dtype="timedelta64[ms]")


def hours(a, b):
    return Interval(NOON + timedelta(hours=a), NOON + timedelta(hours=b))


def test_series_of_one_kind_are_joined_by_time_and_overlaps_count_once():
    log = ProblemLog()
    early, late = (
        Series("hr_bpm", at(0, 1000, 2000), [60, 61, 62]),
        Series("hr_bpm", at(1000, 2000, 3000), [61, 99, 63]),
    )
    other = Series("hr_bpm", at(0), [70], source="e4")
    merged = merge([Fragment(series=(late, other)), Fragment(series=(early,))], log)
    assert [(s.source, s.value.tolist()) for s in merged.series] == [("e4", [70]), ("folder", [60, 61, 99, 62, 63])]
    assert [str(p) for p in log.problems()] == [
        "series hr_bpm: found '1': values are in more than one file and were counted once"
    ]


def test_beats_of_two_recordings_have_a_gap_between_them():
    first = Beats(at(800, 1600), [800, 800], [True, False], "ecg", "no")
    second = Beats(at(2400, 3200), [800, 800], [False, False], "ecg", "device")
    (beats,) = merge([Fragment(beats=(second,)), Fragment(beats=(first,))], ProblemLog()).beats
    assert beats.gap.tolist() == [True, False, True, False]
    assert beats.corrected == "unknown"


def test_beats_of_an_electrocardiogram_are_preferred_and_the_loss_told():
    log = ProblemLog()
    ecg, ppg = Beats(at(800), [800], [True], "ecg"), Beats(at(700, 900), [700, 200], [True, False], "ppg")
    (beats,) = merge([Fragment(beats=(ppg,)), Fragment(beats=(ecg,))], log).beats
    assert beats.origin == "ecg"
    assert str(log.problems()[0]).startswith("beats: found '2': beats of other origins were left out")


def test_observed_time_of_several_files_is_their_union():
    assert union([hours(3, 4), hours(0, 1), hours(1, 2), hours(0, 0.5)]) == (hours(0, 2), hours(3, 4))
    fragments = [Fragment(observed=(hours(0, 2),)), Fragment(observed=(hours(1, 3),))]
    assert merge(fragments, ProblemLog()).observed == (hours(0, 3),)


def test_rows_in_two_files_count_once():
    log = ProblemLog()
    merged = merge(
        [Fragment(episodes=(Episode(NOON),)), Fragment(episodes=(Episode(NOON), Episode(NOON, note="x")))], log
    )
    assert len(merged.episodes) == 2
    assert "1" in str(log.problems()[0])


def test_a_pause_longer_than_the_interval_is_a_missing_beat():
    rri_ms = np.array([800.0, 800, 800, np.nan, 800])
    gap = missing_beats(at(0, 800, 2400, 3200, 4100), rri_ms)
    assert gap.tolist() == [True, False, True, False, False]

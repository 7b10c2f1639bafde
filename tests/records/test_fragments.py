"""Rows of devices become a timeline's series, beats, sleep and episodes, and a fragment becomes rows and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.folder import read_folder
from unaji.records.fragments import batches_of, fragment_of
from unaji.records.merge import Fragment, merge
from unaji.records.problems import ProblemLog
from unaji.records.store.writing import Origin, writing
from unaji.records.timeline import Beats, Episode, Exposure, Interval, Outcome, Rating, Series

MAY = datetime(2024, 5, 1, tzinfo=UTC)
MS = 1_714_521_600_000
MIN = 60_000
WATCH = Device("apple_health", "watch", name="a", site="wrist")
PHONE = Device("apple_health", "phone", name="b")
STRAP = Device("garmin_fit", "strap", origin="strap", corrected="no")
PULSE = Device("apple_health", "watch", name="a", origin="ppg", corrected="device")


def at(minutes: float) -> datetime:
    return MAY + timedelta(minutes=minutes)


def test_a_fragment_of_an_importer_comes_back_as_it_was():
    time = np.datetime64("2024-05-01T00:00", "ms") + np.arange(3) * np.timedelta64(1000, "ms")
    fragment = Fragment(
        series=(
            Series("scl_microsiemens", time, [0.4, 0.5, 0.6], site="wrist", source="e4"),
            Series("hr_bpm", time, [60, 61, 62], end=time + np.timedelta64(10_000, "ms"), site="wrist", source="e4"),
        ),
        beats=(Beats(time, [800, np.nan, 1000.0], [True, False, False], "ppg", "device"),),
        episodes=(Episode(at(1), at(9), 7.0), Episode(at(100), whole_day=True)),
        ratings=(Rating(at(2), "stress", 3.0),),
        exposures=(Exposure(at(3), "caffeine", amount=1.5), Exposure(at(4), "sun", at(5))),
        observed=(Interval(at(0), at(30)),),
    )
    again = fragment_of(batches_of(fragment, "Empatica E4"))
    for name in ("episodes", "ratings", "exposures", "observed"):
        assert getattr(again, name) == getattr(fragment, name)
    for ours, theirs in zip(again.series, fragment.series, strict=True):
        assert (ours.quantity, ours.site, ours.source) == (theirs.quantity, theirs.site, theirs.source)
        np.testing.assert_array_equal(ours.time, theirs.time)
        np.testing.assert_array_equal(ours.value, theirs.value)
    (beats,) = again.beats
    np.testing.assert_array_equal(beats.rri_ms, fragment.beats[0].rri_ms)
    np.testing.assert_array_equal(beats.gap, fragment.beats[0].gap)
    assert (beats.origin, beats.corrected) == ("ppg", "device")


def test_what_only_people_write_does_not_come_from_an_importer():
    with pytest.raises(ValueError, match="treatments and outcomes are written by people"):
        list(batches_of(Fragment(outcomes=(Outcome(MAY, "NRS", 3.0),)), "x"))


def test_steps_of_two_devices_are_one_series_and_never_added():
    phone = frame(time=[MS, MS + 60 * MIN], end=[MS + 20 * MIN, MS + 80 * MIN], value=[900.0, 70.0])
    watch = frame(time=[MS, MS + 10 * MIN], end=[MS + 10 * MIN, MS + 20 * MIN], value=[500.0, 480.0])
    (steps,) = fragment_of(
        [Batch(Kind.INTERVAL, "steps", PHONE, phone), Batch(Kind.INTERVAL, "steps", WATCH, watch)]
    ).series
    assert (steps.value.tolist(), steps.source, steps.site) == ([500.0, 480.0, 70.0], "apple_health", "wrist")


def test_two_places_are_two_series_and_so_are_two_barometers():
    indoor, outdoor = (Device("x", "logger", site=site) for site in ("indoor", "outdoor"))
    rows = frame(time=[MS], value=[21.0])
    pressures = [Device(f"jma:{n}", "station", site="outdoor") for n in (1, 2)]
    series = fragment_of(
        [Batch(Kind.SERIES, "air_temp_c", indoor, rows), Batch(Kind.SERIES, "air_temp_c", outdoor, rows)]
        + [Batch(Kind.SERIES, "station_pressure_hpa", one, frame(time=[MS], value=[1001.0])) for one in pressures]
    ).series
    assert [(s.quantity, s.site, s.source) for s in series] == [
        ("air_temp_c", "indoor", "x"), ("air_temp_c", "outdoor", "x"),
        ("station_pressure_hpa", "outdoor", "jma:1"), ("station_pressure_hpa", "outdoor", "jma:2"),
    ]  # fmt: skip


def test_two_stations_of_one_service_are_not_joined_to_one_barometer():
    tokyo, karuizawa = (Device("jma", "station", name=name, site="outdoor") for name in ("東京", "軽井沢"))
    low = frame(time=[MS + 60 * MIN], value=[905.0])
    fragment = fragment_of(
        [Batch(Kind.SERIES, "station_pressure_hpa", tokyo, frame(time=[MS], value=[1010.0])),
         Batch(Kind.SERIES, "station_pressure_hpa", karuizawa, low)]
    )  # fmt: skip
    assert [series.value.tolist() for series in merge([fragment], ProblemLog()).series] == [[1010.0], [905.0]]


def test_a_value_that_its_own_source_doubts_is_taken_only_where_there_is_no_other():
    model = frame(time=[MS, MS + 60 * MIN], value=[10.0, 11.0], low_quality=[True, False])
    other = frame(time=[MS, MS + 120 * MIN], value=[12.0, 13.0], low_quality=[False, True])
    station, grid = Device("isd", "station"), Device("open_meteo", "model")
    (series,) = fragment_of(
        [Batch(Kind.SERIES, "air_temp_c", station, model), Batch(Kind.SERIES, "air_temp_c", grid, other)]
    ).series
    assert series.value.tolist() == [12.0, 11.0, 13.0]


def test_beats_of_a_strap_take_the_place_of_the_pulses_and_a_change_is_a_gap():
    pulse = frame(time=MS + np.arange(1, 601) * 1000, value=1000.0, gap=False)
    strap = frame(time=MS + 240_000 + np.arange(1, 121) * 800, value=800.0, gap=False)
    (beats,) = fragment_of([Batch(Kind.BEATS, "rri_ms", PULSE, pulse), Batch(Kind.BEATS, "rri_ms", STRAP, strap)]).beats
    assert (beats.rri_ms == 800).sum() == 120
    changes = np.flatnonzero(np.diff(beats.rri_ms) != 0) + 1
    assert beats.gap[changes].all()
    assert beats.gap.sum() == 1 + changes.size == 3
    assert (beats.origin, beats.corrected) == ("ppg", "unknown")


def test_stages_become_one_sleep_and_time_in_bed_counts_only_without_them():
    stages = [("in_bed", 0, 500), ("light", 20, 60), ("awake", 60, 90), ("rem", 90, 200), ("deep", 300, 480)]
    watch = frame(
        time=[MS + a * MIN for _, a, _ in stages], end=[MS + b * MIN for _, _, b in stages],
        label=[label for label, _, _ in stages],
    )  # fmt: skip
    phone = frame(time=[MS + 1440 * MIN], end=[MS + 1900 * MIN], label="in_bed")
    sleep = fragment_of([Batch(Kind.SLEEP, "sleep", WATCH, watch), Batch(Kind.SLEEP, "sleep", PHONE, phone)]).exposures
    assert sleep == (
        Exposure(at(20), "sleep", at(200)), Exposure(at(300), "sleep", at(480)), Exposure(at(1440), "sleep", at(1900)),
    )  # fmt: skip


def test_training_is_exercise_and_a_complaint_keeps_its_name():
    made = fragment_of(
        [
            Batch(Kind.WORKOUT, "exercise", WATCH, frame(time=[MS], end=[MS + 30 * MIN], value=30.0, label="Running")),
            Batch(Kind.SYMPTOM, "headache", PHONE, frame(time=[MS], end=[MS], label="mild")),
            Batch(Kind.SYMPTOM, "neck_heat", PHONE, frame(time=[MS], value=6.0)),
        ]
    )
    assert made.exposures == (Exposure(at(0), "exercise", at(30), 30.0), Exposure(at(0), "headache", at(0)))
    assert made.episodes == (Episode(at(0), None, 6.0),)


def test_training_that_watch_and_phone_both_logged_is_done_once():
    watch = frame(time=[MS], end=[MS + 30 * MIN], value=30.0)
    phone = frame(time=[MS + 1 * MIN, MS + 600 * MIN], end=[MS + 29 * MIN, MS + 620 * MIN], value=[28.0, 20.0])
    made = fragment_of([Batch(Kind.WORKOUT, "exercise", PHONE, phone), Batch(Kind.WORKOUT, "exercise", WATCH, watch)])
    assert [(e.start, e.amount) for e in made.exposures] == [(at(0), 30.0), (at(600), 20.0)]


def test_a_quantity_that_unaji_does_not_know_stays_in_the_store(tmp_path):
    assert fragment_of([Batch(Kind.SERIES, "cycling_power_w", WATCH, frame(time=[MS], value=[200.0]))]).series == ()


def test_the_person_may_prefer_the_phone(tmp_path):
    (tmp_path / "person.toml").write_text(
        'timezone = "UTC"\n[prefer]\nhr_bpm = ["phone", "watch"]\nsteps = ["fairy"]\n'
    )
    with writing(tmp_path) as store, store.incoming() as incoming:
        for device, value in ((WATCH, 60.0), (PHONE, 70.0)):
            incoming.add(Batch(Kind.SERIES, "hr_bpm", device, frame(time=[MS], value=[value])))
        incoming.commit(Origin(0, 0, ("test",), "", ""))
    timeline = read_folder(tmp_path)
    assert timeline.of("hr_bpm").value.tolist() == [70.0]
    assert ["steps = ['fairy']" in problem.value for problem in timeline.problems] == [True]


@pytest.mark.parametrize(
    ("kind", "cups", "amounts"),
    [
        ("caffeine", (1.0, 1.0), [2]),  # two columns of a person's tables: coffee and tea
        ("caffeine", (None, 1.0), [2]),  # an amount left empty is one
        ("caffeine", (None, None), [2]),
        ("exercise", (20.0, 10.0), [30]),
        ("exercise", (None, 10.0), [None, 10]),  # an amount left empty is the minutes it lasted
        ("desk_work", (1.0, 1.0), [1]),  # a span, told twice
    ],
)
def test_doses_that_two_columns_of_a_person_have_for_one_time_are_added_up(kind, cups, amounts):
    columns = (Device("table", "manual", "coffee"), Device("table", "manual", "tea"))
    batches = [
        Batch(Kind.EXPOSURE, kind, who, frame(time=[MS], end=[MS + MIN], value=[n]))
        for who, n in zip(columns, cups, strict=True)
    ]
    assert [one.amount for one in fragment_of(batches).exposures] == amounts


def test_a_dose_that_two_devices_tell_is_one():
    batches = [Batch(Kind.EXPOSURE, "caffeine", who, frame(time=[MS], value=[1.0])) for who in (WATCH, PHONE)]
    assert [one.amount for one in fragment_of(batches).exposures] == [1]

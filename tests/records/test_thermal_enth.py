"""Votes on a watch, Fitbit minutes and an outdoor sensor."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.records.folder import read_folder
from unaji.records.timeline import Interval, utc_ms

VOTES = (
    '"time","fitbit.air-vel","fitbit.heartRate","fitbit.thermal"\n'
    '"2021-03-15T11:30:00.000+08:00","11","68","11"\n"2021-03-15T11:36:00.000+08:00","11","66","10"\n'
    '"2021-03-15T15:00:00.000+08:00","11","66","9"\n"2021-03-15T16:00:00.000+08:00","11","66",""\n'
)
FITBIT = (
    '"time","fitbit_api.HR","fitbit_api.Steps"\r\n"2021-03-15T08:00:00.000+08:00",,"0"\r\n'
    '"2021-03-15T08:09:00.000+08:00",,"0"\r\n"2021-03-15T08:10:03.000+08:00","70",\r\n'
    '"2021-03-15T08:11:00.000+08:00",,"12"\r\n"2021-03-15T09:00:00.000+08:00",,"5"\r\n'
)
PURPLEAIR = (
    '"time","purpleair.humidity","purpleair.pressure","purpleair.temperature"\n'
    '"2021-03-05T11:16:17.000+08:00","56","1006.72","27.22"\n"2021-03-05T11:16:17.399+08:00",,,\n'
    '"2021-03-05T11:17:15.000+08:00","56","0.0","27.25"\n"2021-03-05T11:18:15.000+08:00","56","1006.7","27.25"\n'
    '"2021-03-05T11:19:15.000+08:00","56","1006.7","-224"\n'
)


def test_prefer_cooler_is_an_episode_and_every_vote_opens_observed_time(read):
    timeline = read({"cozie.csv": VOTES})
    assert [e.start for e in timeline.episodes] == [datetime(2021, 3, 15, 3, 30, tzinfo=UTC)]
    assert [e.kind for e in timeline.exposures] == ["check_in", "check_in"]
    quarter = timedelta(minutes=15)
    assert timeline.observed == (
        Interval(
            datetime(2021, 3, 15, 3, 30, tzinfo=UTC) - quarter, datetime(2021, 3, 15, 3, 36, tzinfo=UTC) + quarter
        ),
        Interval(datetime(2021, 3, 15, 7, tzinfo=UTC) - quarter, datetime(2021, 3, 15, 7, tzinfo=UTC) + quarter),
    )
    assert str(timeline.problems[0]).startswith("cozie.csv, line 5: a vote must be 9 (warmer)")


def test_no_steps_count_only_while_the_watch_is_worn(read):
    timeline = read({"minutes.csv": FITBIT})
    assert timeline.of("hr_bpm").value.tolist() == [70.0]
    steps = timeline.of("steps")
    assert steps.value.tolist() == [0.0, 12.0, 5.0]
    assert set((steps.end - steps.time).astype(int)) == {60_000}
    assert timeline.problems == ()


def test_impossible_values_of_the_sensor_are_dropped_and_its_empty_rows_are_none(read):
    timeline = read({"sde4.csv": PURPLEAIR})
    assert timeline.of("station_pressure_hpa", "outdoor").value.tolist() == [1006.72, 1006.7, 1006.7]
    assert timeline.of("air_temp_c", "outdoor").value.tolist() == [27.22, 27.25, 27.25]
    assert len(timeline.of("rel_humidity_pct")) == 4
    assert sorted(p.value for p in timeline.problems) == ["-224.0", "0.0"]


@pytest.mark.shared
def test_real_votes_count_as_in_the_merged_file(shared_data):
    with (shared_data / "thermal-enth" / "expected_by_vote.csv").open() as file:
        expected = list(csv.DictReader(file))
    for person in sorted({row["user_id"] for row in expected}):
        timeline = read_folder(shared_data / "thermal-enth" / person, timezone="Asia/Singapore")
        count = {row["thermal"]: int(row["heartrate_count"]) for row in expected if row["user_id"] == person}
        assert len(timeline.episodes) == count["11.0"]
        assert len(timeline.exposures_of("check_in")) == count.get("9.0", 0) + count.get("10.0", 0)


@pytest.mark.shared
def test_real_skin_is_warmer_at_warm_votes_by_as_much_as_in_the_merged_file(shared_data):
    with (shared_data / "thermal-enth" / "expected_by_vote.csv").open() as file:
        expected = {(r["user_id"], r["thermal"]): float(r["skin_temp_mean"]) for r in csv.DictReader(file)}
    timeline = read_folder(shared_data / "thermal-enth" / "enth04", timezone="Asia/Singapore")
    skin = timeline.of("skin_temp_c", "wrist")

    def nearest(moments):
        at = np.array([utc_ms(m) for m in moments])
        i = np.clip(np.searchsorted(skin.time, at), 1, len(skin) - 1)
        earlier = at - skin.time[i - 1] < skin.time[i] - at
        return skin.value[i - earlier].mean()

    assert nearest([e.start for e in timeline.episodes]) == pytest.approx(expected["enth04", "11.0"], abs=0.15)
    check_ins = [e.start for e in timeline.exposures_of("check_in")]
    assert nearest(check_ins) == pytest.approx(expected["enth04", "10.0"], abs=0.15)


@pytest.mark.shared
def test_the_real_outdoor_sensor_fills_every_second_row(shared_data):
    lines = (shared_data / "thermal-enth" / "purpleair_outdoor.csv").read_text().splitlines()[1:]
    given = [float(line.rsplit(",", 2)[1].strip('"')) for line in lines if line.rsplit(",", 2)[1]]
    pressure = read_folder(shared_data / "thermal-enth", timezone="Asia/Singapore").of("station_pressure_hpa")
    assert len(pressure) == len(given)
    assert pressure.value.mean() == pytest.approx(np.mean(given))

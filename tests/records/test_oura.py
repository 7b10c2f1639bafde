"""Oura's API answers and older exports, made from the maker's documentation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.records import oura

NIGHT = {
    "id": "8f9a", "day": "2022-07-12", "bedtime_start": "2022-07-12T01:05:14-07:00",
    "bedtime_end": "2022-07-12T01:22:14-07:00", "average_breath": 12.625, "type": "long_sleep",
    "sleep_phase_5_min": "4213", "readiness": {"score": 80, "temperature_deviation": -0.06},
    "heart_rate": {"interval": 300.0, "items": [None, 50.0, 51.0], "timestamp": "2022-07-12T01:05:00.000-07:00"},
    "hrv": {"interval": 300.0, "items": [62, None, 75], "timestamp": "2022-07-12T01:05:00.000-07:00"},
}  # fmt: skip

# The example of a night in the documentation of the first API.
OLD_NIGHT = {
    "summary_date": "2017-11-05", "period_id": 0, "timezone": 120, "bedtime_start": "2017-11-06T02:13:19+02:00",
    "bedtime_end": "2017-11-06T08:12:19+02:00", "hr_lowest": 49, "rmssd": 54, "breath_average": 13,
    "temperature_delta": -0.06, "duration": 21540,
    "hypnogram_5min": "443432222211222333321112222222222111133333322221112233333333332232222334",
    "hr_5min": [0, 53, 51, 0, 50, 50, 49, 49, 50, 50, 51, 52, 52, 51, 53, 58, 60, 60, 59, 58, 58, 58, 58, 55, 55, 55,
                55, 56, 56, 55, 53, 53, 53, 53, 53, 53, 57, 58, 60, 60, 59, 57, 59, 58, 56, 56, 56, 56, 55, 55, 56, 56,
                57, 58, 55, 56, 57, 60, 58, 58, 59, 57, 54, 54, 53, 52, 52, 55, 53, 54, 56, 0],
    "rmssd_5min": [0, 0, 62, 0, 75, 52, 56, 56, 64, 57, 55, 78, 77, 83, 70, 35, 21, 25, 49, 44, 48, 48, 62, 69, 66, 64,
                   79, 59, 67, 66, 70, 63, 53, 57, 53, 57, 38, 26, 18, 24, 30, 35, 36, 46, 53, 59, 50, 50, 53, 53, 57,
                   52, 41, 37, 49, 47, 48, 35, 32, 34, 52, 57, 62, 57, 70, 81, 81, 65, 69, 72, 64, 0],
}  # fmt: skip


def test_a_night_with_its_offset_stages_and_five_minute_values():
    batches, problems = brought(oura, source({"data": [NIGHT], "next_token": None}))
    sleep = table(batches, "sleep")
    assert sleep.select("time", "end", "label", "zone_min", "vendor_id").row(0) == (
        "2022-07-12 08:05:14", "2022-07-12 08:22:14", "in_bed", -420, "8f9a"
    )  # fmt: skip
    assert sleep["label"].to_list()[1:] == ["awake", "light", "deep", "rem"]
    assert sleep["end"].to_list()[-1] == "2022-07-12 08:22:14"
    rate = table(batches, "hr_bpm")
    assert rate.select("time", "end", "value").rows() == [
        ("2022-07-12 08:10:00", "2022-07-12 08:15:00", 50.0), ("2022-07-12 08:15:00", "2022-07-12 08:20:00", 51.0)
    ]  # fmt: skip
    assert table(batches, "rmssd_ms")["value"].to_list() == [62.0, 75.0]
    assert table(batches, "resp_rate_bpm")["value"].to_list() == [12.625]
    deviation = table(batches, "skin_temp_dev_c")
    assert deviation.select("time", "value", "site").rows() == [("2022-07-12 08:05:14", -0.06, "finger")]
    assert [problem.lost for problem in problems] == [False, False]


def test_the_documented_night_of_the_older_form_has_its_own_summary():
    batches, _ = brought(oura, source({"sleep": [OLD_NIGHT]}))
    assert table(batches, "hr_bpm")["value"].min() == OLD_NIGHT["hr_lowest"]
    rmssd = table(batches, "rmssd_ms")["value"]
    assert round(rmssd.mean()) == OLD_NIGHT["rmssd"]
    assert len(rmssd) == 68
    assert table(batches, "resp_rate_bpm")["value"].to_list() == [13.0]
    stages = np.concatenate([b.rows.select("time", "end").to_numpy() for b in batches if b.quantity == "sleep"])
    assert (stages[1:, 1] - stages[1:, 0]).sum() == OLD_NIGHT["duration"] * 1000
    assert table(batches, "sleep")["zone_min"].to_list()[0] == 120


def test_heart_rates_and_daily_values_of_an_accounts_export():
    export = {
        "heartrate": [{"timestamp": "2024-05-01T10:00:00+00:00", "bpm": 61, "source": "awake"}],
        "daily_readiness": [{"day": "2024-05-02", "temperature_deviation": 0.21, "score": 80}],
        "daily_activity": [{"day": "2024-05-02", "steps": 8000, "active_calories": 350, "met": {}}],
        "daily_spo2": [{"day": "2024-05-02", "spo2_percentage": {"average": 96.1}}],
        "workout": [{"id": "w", "day": "2024-05-02", "activity": "cycling", "intensity": "easy",
                     "start_datetime": "2024-05-02T18:00:00+09:00", "end_datetime": "2024-05-02T18:30:00+09:00"}],
        "email": "hana@example.jp", "tag": [],
    }  # fmt: skip
    batches, problems = brought(oura, source(export))
    assert table(batches, "hr_bpm").select("time", "value").rows() == [("2024-05-01 10:00:00", 61.0)]
    for quantity, value in (("skin_temp_dev_c", 0.21), ("steps", 8000.0), ("active_kcal", 350.0), ("spo2_pct", 96.1)):
        row = table(batches, quantity).select("time", "end", "value").row(0)
        assert row == ("2024-05-01 15:00:00", "2024-05-02 15:00:00", value)
    assert table(batches, "exercise").select("value", "label", "zone_min").rows() == [(30.0, "cycling", 540)]
    assert not problems


def test_of_intervals_between_beats_only_the_valid_ones_are_kept_and_a_gap_stands_where_one_was():
    start = 1_714_557_600_000
    beats = [{"timestamp": start + 800 * i, "ibi": 800, "validity": int(i != 2)} for i in range(5)]
    batches, problems = brought(oura, source({"data": beats}))
    assert [batch.kind for batch in batches] == ["beats"]
    assert batches[0].device.origin == "ppg"
    rows = batches[0].rows
    assert (rows["time"] - start).to_list() == [0, 800, 2400, 3200]
    assert rows["gap"].to_list() == [True, False, True, False]
    assert count(problems) == 1


def test_an_odd_entry_does_not_take_the_others_with_it():
    batches, problems = brought(oura, source({"data": [NIGHT, {**NIGHT, "hrv": "none"}, {**NIGHT, "id": 3}]}))
    assert table(batches, "sleep").filter(table(batches, "sleep")["label"] == "in_bed")["vendor_id"].to_list() == [
        "8f9a", "3"
    ]  # fmt: skip
    assert count(tuple(p for p in problems if p.lost)) == 1


@given(st.lists(st.none() | st.integers(30, 120), min_size=1, max_size=40), st.sampled_from([60.0, 300.0]))
def test_values_written_and_read_are_the_same(values, interval):
    night = {**NIGHT, "heart_rate": {"interval": interval, "items": values, "timestamp": "2022-07-12T01:05:00Z"}}
    batches, _ = brought(oura, source([night]))
    found = [row for b in batches if b.quantity == "hr_bpm" for row in b.rows.select("time", "value").rows()]
    start = 1_657_587_900_000
    assert found == [(start + k * interval * 1000, v) for k, v in enumerate(values) if v is not None]


@pytest.mark.parametrize("head", [b'{"data": []}', b'{"sleep": [{"dateOfSleep": "2024-05-01"}]}', b'[{"bpm": 3}]'])
def test_what_is_not_ouras_is_left_to_others(head):
    assert not oura.claims_file(head)


def test_mutated_files_are_withstood():
    beats = [{"timestamp": 1_714_557_600_000 + 800 * i, "ibi": 800, "validity": 1} for i in range(5)]
    seeds = {
        "night.json": json.dumps({"data": [NIGHT]}).encode(),
        "old.json": json.dumps({"sleep": [OLD_NIGHT]}).encode(),
        "beats.json": json.dumps({"data": beats}).encode(),
        "days.json": json.dumps({"readiness": [{"day": "2024-05-02", "temperature_deviation": 0.21}]}).encode(),
    }
    withstands(oura, seeds, rounds=400)


@pytest.mark.parametrize("kind", ["deleted", "rest"])
def test_a_sleep_that_the_person_deleted_or_said_was_none_is_left_out(kind):
    batches, problems = brought(oura, source({"data": [NIGHT, {**NIGHT, "id": "0", "type": kind}]}))
    assert table(batches, "sleep")["label"].to_list().count("in_bed") == 1
    assert len(table(batches, "skin_temp_dev_c")) == 1
    assert count(problems) == 1 + 1 + 1  # the sleep, and a missing value in each of the two lists of the other


def test_the_deviation_of_a_night_is_told_once():
    day = {"id": "r", "day": "2022-07-12", "temperature_deviation": -0.06, "timestamp": "2022-07-12T00:00:00+00:00"}
    batches, _ = brought(oura, source({"sleep": [NIGHT], "readiness": [day]}))
    assert table(batches, "skin_temp_dev_c")["method"].to_list() == ["oura_daily"]

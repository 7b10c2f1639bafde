"""Fitbit's export and API: made files for every trap, and real ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.errors import InputError
from unaji.records import fitbit
from unaji.records.fitbit.nights import laid_over


def heart_rates(rows: list[tuple[str, object, object]]) -> bytes:
    """Write rows as the export does."""
    entries = (
        f'{{\n  "dateTime" : "{time}",\n  "value" : {{\n    "bpm" : {json.dumps(bpm)},\n'
        f'    "confidence" : {json.dumps(confidence)}\n  }}\n}}'
        for time, bpm, confidence in rows
    )
    return ("[" + ",".join(entries) + "]").encode()


# -- export: JSON ------------------------------------------------------------------------------------------------------


def test_heart_rates_are_utc_and_those_of_confidence_0_are_counted_out():
    data = heart_rates([("05/01/24 07:00:07", 60, 3), ("05/01/24 07:00:12", 61, 0), ("05/01/24 07:00:22", "62", "1")])
    batches, problems = brought(fitbit, source(data, "heart_rate-2024-05-01.json"))
    rows = table(batches, "hr_bpm")
    assert rows["time"].to_list() == ["2024-05-01 07:00:07", "2024-05-01 07:00:22"]
    assert rows["value"].to_list() == [60.0, 62.0]
    assert rows["zone_min"].to_list() == [None, None]
    assert count(problems) == 1


@given(st.lists(st.tuples(st.integers(0, 10**8), st.integers(30, 220), st.integers(1, 3)), min_size=1, max_size=50))
def test_heart_rates_written_and_read_are_the_same(rows):
    start = datetime(2020, 1, 1, tzinfo=UTC)
    data = heart_rates([((start + timedelta(seconds=s)).strftime("%m/%d/%y %H:%M:%S"), bpm, c) for s, bpm, c in rows])
    batches, problems = brought(fitbit, source(data))
    found = np.concatenate([batch.rows.select("time", "value").to_numpy() for batch in batches])
    assert found.tolist() == [[start.timestamp() * 1000 + s * 1000, bpm] for s, bpm, _ in rows]
    assert not problems


def test_steps_are_minutes_in_utc_and_the_files_name_says_that_they_are_steps():
    rows = [{"dateTime": "10/27/24 00:59:00", "value": "17"}, {"dateTime": "10/27/24 01:00:00", "value": "0"}]
    batches, problems = brought(fitbit, source(rows, "Global Export Data/steps-2024-10-27.json"), zone="Europe/Paris")
    steps = table(batches, "steps")
    assert steps["time"].to_list() == ["2024-10-27 00:59:00", "2024-10-27 01:00:00"]
    assert steps["end"].to_list() == ["2024-10-27 01:00:00", "2024-10-27 01:01:00"]
    assert steps["value"].to_list() == [17.0, 0.0]
    assert not problems
    for name in ("calories-2024-10-27.json", "distance-2024-10-27.json", "nameless.json"):
        batches, problems = brought(fitbit, source(rows, name))
        assert batches == []
        assert len(problems) == 1


def test_resting_heart_rate_is_of_the_local_day_and_the_empty_days_to_come_are_not_lost_data():
    real = {"dateTime": "03/30/25 00:00:00", "value": {"date": "03/30/25", "value": 59.42, "error": 6.8}}
    none = {"dateTime": "03/31/25 00:00:00", "value": {"date": None, "value": 0.0, "error": 0.0}}
    batches, problems = brought(fitbit, source([real, none]), zone="Europe/Paris")
    rows = table(batches, "hr_resting_bpm")
    assert rows.select("time", "end", "value").rows() == [("2025-03-29 23:00:00", "2025-03-30 22:00:00", 59.42)]
    assert [(problem.count, problem.lost) for problem in problems] == [(1, False)]


def test_a_night_across_a_clock_change_is_on_the_clock_of_its_beginning():
    night = {
        "logId": 1, "dateOfSleep": "2024-10-27", "startTime": "2024-10-26T23:00:00.000",
        "endTime": "2024-10-27T08:00:00.000", "type": "stages", "mainSleep": True,
        "levels": {"data": [
            {"dateTime": "2024-10-26T23:00:00.000", "level": "light", "seconds": 3600},
            {"dateTime": "2024-10-27T04:00:00.000", "level": "rem", "seconds": 1800},
        ]},
    }  # fmt: skip
    batches, problems = brought(fitbit, source([night]), zone="Europe/Paris")
    rows = table(batches, "sleep").select("time", "end", "label", "vendor_id").rows()
    assert rows == [
        ("2024-10-26 21:00:00", "2024-10-27 06:00:00", "in_bed", "1"),
        ("2024-10-26 21:00:00", "2024-10-26 22:00:00", "light", None),
        ("2024-10-27 02:00:00", "2024-10-27 02:30:00", "rem", None),
    ]
    assert not problems


def test_short_wakes_are_cut_out_of_the_stages_they_lie_over():
    level = {
        "data": [
            {"dateTime": "2024-05-01T00:00:00.000", "level": "light", "seconds": 600},
            {"dateTime": "2024-05-01T00:10:00.000", "level": "deep", "seconds": 600},
        ],
        "shortData": [{"dateTime": "2024-05-01T00:09:30.000", "level": "wake", "seconds": 60}],
    }
    night = {"logId": 1, "dateOfSleep": "2024-05-01", "startTime": "2024-05-01T00:00:00.000",
             "endTime": "2024-05-01T00:20:00.000", "levels": level}  # fmt: skip
    batches, _ = brought(fitbit, source([night]), zone="UTC")
    rows = table(batches, "sleep").filter(table(batches, "sleep")["label"] != "in_bed")
    assert rows.select("time", "end", "label").rows() == [
        ("2024-05-01 00:00:00", "2024-05-01 00:09:30", "light"),
        ("2024-05-01 00:09:30", "2024-05-01 00:10:00", "awake"),
        ("2024-05-01 00:10:00", "2024-05-01 00:10:30", "awake"),
        ("2024-05-01 00:10:30", "2024-05-01 00:20:00", "deep"),
    ]


@given(st.data())
def test_laid_over_rows_never_overlap_and_cover_what_was_covered(data):
    lengths = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=8))
    ends = np.cumsum(lengths)
    shorts = data.draw(st.lists(st.tuples(st.integers(0, int(ends[-1]) - 1), st.integers(1, 3)), max_size=3))
    shorts = [s for i, s in enumerate(sorted(shorts)) if all(s[0] >= a + b for a, b in sorted(shorts)[:i])]
    start = np.concatenate((ends - lengths, [s for s, _ in shorts])).astype("datetime64[ms]")
    end = np.concatenate((ends, [s + n for s, n in shorts])).astype("datetime64[ms]")
    label = np.array(["deep"] * len(lengths) + ["awake"] * len(shorts), dtype=object)
    short = np.array([False] * len(lengths) + [True] * len(shorts))
    time, until, kept = laid_over(np.zeros(start.size, dtype=int), start, end, label, short)
    moments = np.arange(int(end.max().astype(int))).astype("datetime64[ms]")
    covers = (time[:, None] <= moments) & (moments < until[:, None])
    assert (covers.sum(axis=0) == 1).all()
    is_short = np.zeros(moments.size, dtype=bool)
    for s, n in shorts:
        is_short[s : s + n] = True
    assert (kept[covers.argmax(axis=0)] == np.where(is_short, "awake", "deep")).all()


def test_unknown_stages_are_counted():
    level = {"data": [{"dateTime": "2024-05-01T00:00:00.000", "level": "dreaming", "seconds": 600}]}
    night = {"logId": 1, "dateOfSleep": "2024-05-01", "startTime": "2024-05-01T00:00:00.000",
             "endTime": "2024-05-01T00:20:00.000", "levels": level}  # fmt: skip
    batches, problems = brought(fitbit, source([night]))
    assert len(table(batches, "sleep")) == 1
    assert count(problems) == 1


@pytest.mark.parametrize(("weight", "bmi", "kg", "remarks"), [(150.0, 24.2, 68.04, 0), (68.0, 24.2, 68.0, 1)])
def test_the_body_mass_index_tells_the_unit_of_a_weight(weight, bmi, kg, remarks):
    row = {"logId": 1, "weight": weight, "bmi": bmi, "date": "05/01/24", "time": "07:00:00", "source": "API"}
    batches, problems = brought(fitbit, source([row]))
    rows = table(batches, "weight_kg")
    assert rows["value"].to_list() == [pytest.approx(kg, abs=0.005)]
    assert rows["time"].to_list() == ["2024-04-30 22:00:00"]
    assert len(problems) == remarks


def test_local_times_need_the_persons_zone():
    night = {"logId": 1, "dateOfSleep": "x", "startTime": "2024-05-01T00:00:00", "endTime": "2024-05-01T07:00:00"}
    with pytest.raises(InputError, match="in which time zone"):
        brought(fitbit, source([night]), zone=None)


# -- export: CSV -------------------------------------------------------------------------------------------------------


def test_variability_in_five_minutes_of_the_wall_clock():
    data = "timestamp,rmssd,coverage,low_frequency,high_frequency\n2024-07-21T01:00:00,29.2,0.97,100.5,200.5\n"
    batches, _ = brought(fitbit, source(data))
    rows = table(batches, "rmssd_ms")
    assert rows.select("time", "end", "value").rows() == [("2024-07-20 16:00:00", "2024-07-20 16:05:00", 29.2)]
    assert table(batches, "lf_ms2")["value"].to_list() == [100.5]
    assert table(batches, "hf_ms2")["value"].to_list() == [200.5]


def test_the_same_file_with_z_is_in_utc():
    data = "timestamp,rmssd,coverage,low_frequency,high_frequency\n2024-07-21T01:00:00Z,29.2,0.97,100.5,200.5\n"
    batches, _ = brought(fitbit, source(data))
    assert table(batches, "rmssd_ms")["time"].to_list() == ["2024-07-21 01:00:00"]


def test_a_nights_temperature_is_the_cases_and_of_low_quality():
    data = (
        "type,sleep_start,sleep_end,temperature_samples,nightly_temperature,baseline_relative_sample_sum\n"
        "SKIN,2024-05-01T23:00,2024-05-02T07:00,480,33.4,NaN\nCORE,2024-05-01T23:00,2024-05-02T07:00,1,37.0,NaN\n"
    )
    batches, problems = brought(fitbit, source(data))
    rows = table(batches, "skin_temp_c")
    assert rows.select("time", "end", "value", "site", "low_quality", "method").rows() == [
        ("2024-05-01 14:00:00", "2024-05-01 22:00:00", 33.4, "wrist", True, "fitbit_nightly")
    ]
    assert count(problems) == 1


def test_minute_temperatures_are_deviations():
    data = "recorded_time,temperature,sensor_type\n2024-05-01T10:00,-1.25,UNKNOWN\n"
    batches, _ = brought(fitbit, source(data))
    assert table(batches, "skin_temp_dev_c").select("time", "value").rows() == [("2024-05-01 01:00:00", -1.25)]


def test_a_saturation_of_50_is_no_value_and_other_columns_named_value_are_not_claimed():
    data = "timestamp,value\n2024-05-01T02:00:00Z,95.4\n2024-05-01T02:01:00Z,50.0\n2024-05-01T02:02:00Z,96.0\n"
    batches, problems = brought(fitbit, source(data, "Minute SpO2 - 2024-05-01.csv"))
    assert table(batches, "spo2_pct")["value"].to_list() == [95.4, 96.0]
    assert count(problems) == 1
    assert not fitbit.claims_file(b"timestamp,value\n2024-05-01T02:00:00Z,61\n2024-05-01T02:01:00Z,62\n")
    assert not fitbit.claims_file(b"timestamp,value\n")
    assert not fitbit.claims_file(b"timestamp,steps,glucose\n2024-05-01T02:00:00Z,1,2\n")


def test_phone_watch_and_mirror_stay_apart():
    data = (
        "timestamp,steps,data source\n2024-05-01T02:00:00.000Z,10,Fitbit Air\n2024-05-01T02:00:20.000Z,11,MobileTrack\n"
        "2024-05-01T02:00:40.000Z,12,Fit Health Connect\n2024-05-01T02:01:00.000Z,13,Fitbit Air\n"
    )
    batches, _ = brought(fitbit, source(data))
    assert sorted((batch.device.role, batch.rows["value"].to_list()) for batch in batches) == [
        ("merged", [12.0]), ("phone", [11.0]), ("watch", [10.0, 13.0])
    ]  # fmt: skip


def test_heart_rates_at_midnights_only_are_the_resting_ones():
    resting = "timestamp,beats per minute,data source\n2024-05-01T00:00:00Z,61.5,App\n2024-05-02T00:00:00Z,62.5,App\n"
    batches, _ = brought(fitbit, source(resting))
    rows = table(batches, "hr_resting_bpm")
    assert rows["time"].to_list() == ["2024-04-30 15:00:00", "2024-05-01 15:00:00"]
    second = "timestamp,beats per minute\n2024-10-27T00:00:04Z,65.0\n2024-10-27T00:00:09Z,62.0\n"
    batches, _ = brought(fitbit, source(second))
    assert table(batches, "hr_bpm")["value"].to_list() == [65.0, 62.0]


def test_a_sleep_score_belongs_to_the_persons_day_of_waking():
    data = (
        "sleep_log_entry_id,timestamp,overall_score,composition_score,revitalization_score,duration_score,"
        "deep_sleep_in_minutes,resting_heart_rate,restlessness\n2,2019-08-28T21:30:30Z,75,18,20,37,77,59,0.07\n"
    )
    batches, _ = brought(fitbit, source(data))
    rows = table(batches, "hr_resting_bpm")
    assert rows.select("time", "value").rows() == [("2019-08-28 15:00:00", 59.0)]


def test_nights_of_the_new_form_carry_their_offset():
    data = (
        "sleep_id,sleep_stage_id,sleep_stage_type,start_utc_offset,sleep_stage_start,end_utc_offset,sleep_stage_end\n"
        "1,11,DEEP,+05:30,2026-05-20T20:00:00Z,+05:30,2026-05-20T20:30:00Z\n"
    )
    batches, _ = brought(fitbit, source(data))
    rows = table(batches, "sleep").select("time", "end", "label", "zone_min", "vendor_id").rows()
    assert rows == [("2026-05-20 20:00:00", "2026-05-20 20:30:00", "deep", 330, "11")]


def test_trainings_of_the_new_form_carry_their_offset_and_typed_in_ones_are_told_apart():
    data = (
        "exercise_id,exercise_start,exercise_end,utc_offset,activity_name,log_type\n"
        "7,2026-05-20T10:00:00Z,2026-05-20T10:30:00Z,+05:30,Outdoor Walk,AUTO_DETECTED\n"
        "8,2026-05-20T11:00:00Z,2026-05-20T11:10:00Z,+05:30,Bike,MANUAL\n"
    )
    batches, problems = brought(fitbit, source(data))
    rows = table(batches, "exercise").select("time", "value", "label", "zone_min", "vendor_id", "role").rows()
    assert rows == [
        ("2026-05-20 10:00:00", 30.0, "Outdoor Walk", 330, "7", "watch"),
        ("2026-05-20 11:00:00", 10.0, "Bike", 330, "8", "manual"),
    ]
    assert not problems


def test_breathing_of_minus_one_is_no_value():
    data = (
        "timestamp,deep sleep stats - milli breaths per minute,full sleep stats - milli breaths per minute\n"
        "2024-05-01T22:00:00Z,-1.0,14.2\n2024-05-02T22:00:00Z,-1.0,-1.0\n"
    )
    batches, problems = brought(fitbit, source(data))
    assert table(batches, "resp_rate_bpm").select("time", "value").rows() == [("2024-05-01 15:00:00", 14.2)]
    assert count(problems) == 1


# -- API ---------------------------------------------------------------------------------------------------------------


def test_an_answer_of_a_day_is_in_the_accounts_wall_clock_with_the_second_pass_of_a_repeated_hour():
    answer = {
        "activities-heart": [{"dateTime": "2024-10-27", "value": {"restingHeartRate": 58}}],
        "activities-heart-intraday": {
            "dataset": [{"time": f"0{h}:30:00", "value": v} for h, v in ((1, 60), (2, 61), (2, 62), (3, 63))],
            "datasetInterval": 1, "datasetType": "minute",
        },
    }  # fmt: skip
    batches, _ = brought(fitbit, source(answer), zone="Europe/Paris")
    rows = table(batches, "hr_bpm")
    assert [time[11:16] for time in rows["time"]] == ["23:30", "00:30", "01:30", "02:30"]
    assert table(batches, "hr_resting_bpm").select("time", "end").rows() == [
        ("2024-10-26 22:00:00", "2024-10-27 23:00:00")
    ]


def test_minutes_without_one_day_are_refused():
    answer = {"activities-steps": [], "activities-steps-intraday": {"dataset": [{"time": "01:00:00", "value": 3}]}}
    batches, problems = brought(fitbit, source(answer))
    assert batches == []
    assert count(problems) == 1


def test_variability_breathing_and_temperature_of_nights():
    day = {"dateTime": "2024-05-02"}
    answers = (
        ({"hrv": [{**day, "value": {"dailyRmssd": 34.9, "deepRmssd": 31.5}}]}, "rmssd_ms", 34.9),
        ({"br": [{**day, "value": {"breathingRate": 17.8}}]}, "resp_rate_bpm", 17.8),
        ({"tempSkin": [{**day, "value": {"nightlyRelative": -0.4}, "logType": "auto"}]}, "skin_temp_dev_c", -0.4),
    )
    for answer, quantity, value in answers:
        batches, problems = brought(fitbit, source(answer))
        rows = table(batches, quantity)
        assert rows.select("time", "end", "value").rows() == [("2024-05-01 15:00:00", "2024-05-02 15:00:00", value)]
        assert not problems


def test_variability_and_saturation_of_minutes():
    minute = {"minute": "2024-05-02T01:00:00", "value": {"rmssd": 26.6, "coverage": 0.9, "hf": 126.5, "lf": 275.9}}
    batches, _ = brought(fitbit, source({"hrv": [{"minutes": [minute], "dateTime": "2024-05-02"}]}))
    assert table(batches, "rmssd_ms").select("time", "end", "value").rows() == [
        ("2024-05-01 16:00:00", "2024-05-01 16:05:00", 26.6)
    ]
    assert table(batches, "hf_ms2")["value"].to_list() == [126.5]
    answer = {"dateTime": "2024-05-02", "minutes": [{"value": 95.5, "minute": "2024-05-02T01:00:00"}]}
    for form in (answer, [answer]):
        batches, _ = brought(fitbit, source(form))
        assert table(batches, "spo2_pct").select("time", "value").rows() == [("2024-05-01 16:00:00", 95.5)]


# -- real files --------------------------------------------------------------------------------------------------------


def real(folder, name):
    return source((folder / name).read_bytes(), name)


@pytest.mark.shared
def test_the_real_export(shared_data):
    folder = shared_data / "fitbit-export"
    counts = {}
    for path in sorted(folder.glob("*.[jc]s*")):
        batches, problems = brought(fitbit, real(folder, path.name))
        counts[path.stem] = ({b.quantity: len(b) for b in batches}, count(problems))
    taken = {name: found for name, (found, _) in counts.items() if found}
    assert taken == {
        "exercise": {"exercise": len(json.loads((folder / "exercise.json").read_bytes()))},
        "resting_heart_rate": {"hr_resting_bpm": 2},
        "sleep": {"sleep": len(json.loads((folder / "sleep.json").read_bytes()))},
        "sleep_score": {"hr_resting_bpm": 2},
    }
    assert all(left_out == 0 for _, left_out in counts.values())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rows", "left_out"),
    [
        ("activities-date-empty-activities-list", {}, 0),
        ("activities-date-multiple-in-activities-list", {"exercise": 1}, 2),
        ("activities-date-single-in-activities-list", {"exercise": 1}, 0),
        ("activities-heart-1d-1m-intraday", {"hr_bpm": 5}, 0),
        ("activities-steps-1d-1m-intraday", {"steps": 3}, 0),
        ("activities-steps-timeseries", {"steps": 3}, 0),
        ("body-log-weight", {"weight_kg": 4}, 0),
        ("sleep-date-empty-sleep-list", {}, 0),
        ("sleep-date-range-empty-sleep-list", {}, 0),
    ],
)
def test_real_answers(shared_data, name, rows, left_out):
    file = real(shared_data / "vendor-api-json" / "fitbit", f"fitbit-{name}.json")
    batches, problems = brought(fitbit, file)
    assert {batch.quantity: len(batch) for batch in batches} == rows
    assert count(problems) == left_out


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sleep-date", "sleep-date-range"])
def test_real_nights_last_as_long_as_their_summary_says(shared_data, name):
    file = real(shared_data / "vendor-api-json" / "fitbit", f"fitbit-{name}.json")
    batches, problems = brought(fitbit, file)
    rows = [row for batch in batches for row in batch.rows.select("time", "end", "label").rows()]
    minutes = {stage: sum((end - time) / 60_000 for time, end, label in rows if label == stage)
               for stage in ("in_bed", "asleep", "awake")}  # fmt: skip
    nights = json.loads(file.load())["sleep"]
    assert minutes["in_bed"] == pytest.approx(sum(night["timeInBed"] for night in nights), abs=0.5 * len(nights))
    assert minutes["asleep"] == sum(night["minutesAsleep"] for night in nights)
    assert minutes["awake"] == sum(night["minutesAwake"] for night in nights)
    assert not problems


# -- malformed ---------------------------------------------------------------------------------------------------------


def test_mutated_files_are_withstood():
    level = {"data": [{"dateTime": "2024-05-01T00:00:00.000", "level": "light", "seconds": 600}],
             "shortData": [{"dateTime": "2024-05-01T00:05:00.000", "level": "wake", "seconds": 60}]}  # fmt: skip
    night = {"logId": 1, "dateOfSleep": "2024-05-01", "startTime": "2024-05-01T00:00:00.000",
             "endTime": "2024-05-01T00:20:00.000", "levels": level}  # fmt: skip
    seeds = {
        "heart_rate.json": heart_rates([(f"05/01/24 07:{i:02}:07", 60 + i, 2) for i in range(30)]),
        "steps.json": json.dumps([{"dateTime": "10/27/24 00:59:00", "value": "17"}] * 5).encode(),
        "rest.json": json.dumps([{"dateTime": "x", "value": {"date": "03/30/25", "value": 59.4, "error": 6}}]).encode(),
        "sleep.json": json.dumps([night, night]).encode(),
        "answer.json": json.dumps({"sleep": [night], "summary": {"totalMinutesAsleep": 3}}).encode(),
        "heart.json": json.dumps(
            {"activities-heart": [{"dateTime": "2024-10-27", "value": {"restingHeartRate": 58}}],
             "activities-heart-intraday": {"dataset": [{"time": "01:00:00", "value": 60}], "datasetInterval": 1,
                                           "datasetType": "minute"}}).encode(),
        "weight.json": json.dumps([{"logId": 1, "weight": 150, "bmi": 24, "date": "05/01/24"}]).encode(),
        "hrv.csv": b"timestamp,rmssd,coverage,low_frequency,high_frequency\n2024-07-21T01:00:00,29.2,0.97,100.5,2\n",
        "steps.csv": b"timestamp,steps,data source\n2024-05-01T02:00:00.000Z,10,Air\n2024-05-01T02:01:00Z,11,Mobile\n",
        "score.csv": b"sleep_log_entry_id,timestamp,resting_heart_rate\n2,2019-08-28T21:30:30Z,59\n",
        "temp.csv": b"type,sleep_start,sleep_end,nightly_temperature\nSKIN,2024-05-01T23:00,2024-05-02T07:00,33.4\n",
    }  # fmt: skip
    withstands(fitbit, seeds, rounds=600)


def test_weights_are_of_nothing_worn_and_a_training_typed_in_is_told_apart():
    text = "timestamp,weight grams,data source\n2024-05-01T08:00:00Z,72000,Fitbit Web\n"
    batches, _ = brought(fitbit, source(text, "weight.csv"))
    assert table(batches, "weight_kg").select("value", "role", "site").rows() == [(72.0, "", "")]
    run = {"logId": 1, "activityName": "Run", "startTime": "08:00", "startDate": "2024-05-01", "duration": 600_000,
           "hasStartTime": True}  # fmt: skip
    batches, _ = brought(fitbit, source({"activities": [{**run, "logType": "manual"}, {**run, "logId": 2}]}))
    assert sorted(table(batches, "exercise")["role"].to_list()) == ["", "manual"]

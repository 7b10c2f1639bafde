"""Withings' answers and export: made files for the traps, and real answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.records import withings

TOKYO_NOON = 1_714_532_400  # 2024-05-01 12:00 in Tokyo


def group(kind, value, unit=0, **more):
    return {"grpid": 1, "attrib": 0, "date": TOKYO_NOON, "category": 1,
            "measures": [{"type": kind, "value": value, "unit": unit}], **more}  # fmt: skip


def answer(**body):
    return {"status": 0, "body": body}


@pytest.mark.parametrize(
    ("kind", "value", "unit", "quantity", "found"),
    [
        (1, 74126, -3, "weight_kg", 74.126), (4, 193, -2, "height_cm", 193.0), (9, 68, 0, "diastolic_mmhg", 68.0),
        (10, 104, 0, "systolic_mmhg", 104.0), (11, 41, 0, "hr_bpm", 41.0), (71, 36712, -3, "body_temp_c", 36.712),
        (73, 3345, -2, "skin_temp_c", 33.45), (54, 97, 0, "spo2_pct", 97.0),
    ],
)  # fmt: skip
def test_measures_are_value_times_ten_to_the_unit(kind, value, unit, quantity, found):
    batches, problems = brought(withings, source(answer(measuregrps=[group(kind, value, unit)], timezone="Asia/Tokyo")))
    rows = table(batches, quantity).select("time", "value", "zone_min", "vendor_id").rows()
    assert rows == [("2024-05-01 03:00:00", pytest.approx(found), 540, f"1:{kind}")]
    assert not problems


def test_goals_are_no_measurements_and_typed_or_unsure_ones_are_told_apart():
    groups = [group(1, 70, category=2), group(1, 71, grpid=2, attrib=2), group(1, 72, grpid=3, attrib=1),
              group(1, 73, grpid=4)]  # fmt: skip
    batches, problems = brought(withings, source(answer(measuregrps=groups)))
    found = sorted(
        (batch.device.role, *row) for batch in batches for row in batch.rows.select("value", "low_quality").rows()
    )
    assert found == [("", 72.0, True), ("", 73.0, None), ("manual", 71.0, None)]
    assert [(problem.count, problem.lost) for problem in problems] == [(1, False)]


def test_the_same_group_twice_is_one_measurement():
    for attrib in (2, 8):
        batches, problems = brought(withings, source(answer(measuregrps=[group(1, 70, attrib=attrib), group(1, 70)])))
        assert [(batch.device.role, batch.rows["low_quality"].to_list()) for batch in batches] == [("", [None])]
        assert count(problems) == 1


def test_minutes_of_sleep_are_heart_rate_and_breathing_never_intervals_between_beats():
    stage = {"startdate": TOKYO_NOON, "enddate": TOKYO_NOON + 120, "state": 2, "model": "Aura Sensor V2",
             "hr": {str(TOKYO_NOON): 58, str(TOKYO_NOON + 60): 0},
             "rr": {str(TOKYO_NOON): 17}, "snoring": []}  # fmt: skip
    batches, problems = brought(withings, source(answer(series=[stage, {**stage, "state": 9, "hr": [], "rr": []}])))
    assert table(batches, "sleep").select("time", "end", "label").rows() == [
        ("2024-05-01 03:00:00", "2024-05-01 03:02:00", "deep")
    ]
    assert table(batches, "hr_bpm").select("time", "end", "value").rows() == [
        ("2024-05-01 03:00:00", "2024-05-01 03:01:00", 58.0)
    ]
    assert table(batches, "resp_rate_bpm")["value"].to_list() == [17.0]
    assert count(problems) == 2


def test_a_day_is_the_day_of_its_own_zone():
    day = {"date": "2024-03-10", "timezone": "America/Los_Angeles", "steps": 1000, "calories": 50}
    batches, _ = brought(withings, source(answer(activities=[day])))
    assert table(batches, "steps").select("time", "end", "value", "zone_min").rows() == [
        ("2024-03-10 08:00:00", "2024-03-11 07:00:00", 1000.0, -480)
    ]


@pytest.mark.parametrize("date", ["yesterday", "9999-12-31", "0001-01-01", ""])
def test_a_day_that_is_none_is_counted_out(date):
    day = {"date": date, "timezone": "America/Los_Angeles", "steps": 1000}
    batches, problems = brought(withings, source(answer(activities=[day])))
    assert batches == []
    assert count(problems) >= 1


def test_a_zone_that_is_not_known_is_remarked_on():
    day = {"date": "2024-05-01", "timezone": "Mars/Olympus", "steps": 1000}
    batches, problems = brought(withings, source(answer(activities=[day])))
    assert table(batches, "steps").select("time", "zone_min").rows() == [("2024-04-30 15:00:00", None)]
    assert "no time zone that is known" in str(problems[0])


def test_steps_over_no_known_time_are_counted_out():
    batches, problems = brought(withings, source(answer(series={str(TOKYO_NOON): {"steps": 21}})))
    assert batches == []
    assert count(problems) == 1


def test_a_stretch_that_has_only_a_duration_is_a_hole():
    series = {str(TOKYO_NOON): {"duration": 60, "steps": 21, "calories": 1}, str(TOKYO_NOON + 60): {"duration": 1440}}
    batches, problems = brought(withings, source(answer(series=series)))
    assert table(batches, "steps").select("time", "end", "value").rows() == [
        ("2024-05-01 03:00:00", "2024-05-01 03:01:00", 21.0)
    ]
    assert [(problem.count, problem.lost) for problem in problems] == [(1, False)]


def test_lists_in_quotes_of_the_export_become_a_value_each():
    data = 'start,duration,value\n2022-01-06T12:50:26+01:00,[60],[64]\n2022-01-06T13:00:00+01:00,"[60,30]","[72, 0]"\n'
    batches, problems = brought(withings, source(data, "raw_hr_hr.csv"))
    assert table(batches, "hr_bpm").select("time", "end", "value", "zone_min").rows() == [
        ("2022-01-06 11:50:26", "2022-01-06 11:51:26", 64.0, 60),
        ("2022-01-06 12:00:00", "2022-01-06 12:01:00", 72.0, 60),
    ]  # fmt: skip
    assert count(problems) == 1
    batches, _ = brought(withings, source(data.replace("72, 0", "1,2"), "raw_tracker_sleep-state.csv"))
    assert table(batches, "sleep")["label"].to_list() == ["light", "deep"]
    batches, problems = brought(withings, source(data, "raw_location_latitude.csv"))
    assert batches == []
    assert len(problems) == 1


@given(st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=5), min_size=1, max_size=8))
def test_steps_written_in_lists_and_read_are_the_same(lists):
    rows = [f'2022-01-06T{i:02}:00:00+00:00,"{[60] * len(v)}","{v}"' for i, v in enumerate(lists)]
    batches, _ = brought(withings, source("\n".join(["start,duration,value", *rows]), "raw_tracker_steps.csv"))
    found = table(batches, "steps")
    assert found["value"].to_list() == [float(v) for values in lists for v in values]
    expected = [f"2022-01-06 {i:02}:{k:02}:00" for i, values in enumerate(lists) for k in range(len(values))]
    assert found["time"].to_list() == expected


def test_tables_that_people_typed():
    weight = 'Date,"Weight (lb)","Fat mass (lb)",Comments\n"2024-05-01 12:00:00",150.0,,after lunch\n'
    batches, _ = brought(withings, source(weight))
    assert table(batches, "weight_kg").select("time", "value").rows() == [
        ("2024-05-01 03:00:00", pytest.approx(68.04, abs=0.005))
    ]
    pressure = 'Date,Heart rate,Systolic,Diastolic,Comments\n"2024-05-01 12:00:00",64,130,85,\n'
    batches, _ = brought(withings, source(pressure))
    assert {b.quantity: b.rows["value"].to_list() for b in batches} == {
        "systolic_mmhg": [130.0], "diastolic_mmhg": [85.0], "hr_bpm": [64.0]
    }  # fmt: skip
    sleep = 'from,to,"light (s)","deep (s)"\n2024-05-01T23:00:00+09:00,2024-05-02T06:00:00+09:00,1,2\n'
    batches, _ = brought(withings, source(sleep))
    assert table(batches, "sleep").select("time", "end", "label", "zone_min").rows() == [
        ("2024-05-01 14:00:00", "2024-05-01 21:00:00", "in_bed", 540)
    ]
    stones = 'Date,"Weight (st)","Fat mass (st)",Comments\n"2024-05-01 12:00:00",11.0,,\n'
    batches, problems = brought(withings, source(stones))
    assert batches == []
    assert count(problems) == 1


# -- real files --------------------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rows", "left_out"),
    [
        ("withings-api/activity", {"steps": 2, "active_kcal": 2}, 0),
        ("withings-api/measurement", {"weight_kg": 1}, 1),
        ("withings-api/measurement_positions", {"weight_kg": 2}, 54),
        ("withings-api/sleep", {"sleep": 613, "hr_bpm": 2872, "resp_rate_bpm": 2872}, 0),
        ("withings-api/sleep_summary", {"sleep": 300, "hr_bpm": 300, "resp_rate_bpm": 300}, 0),
        ("withings-api/workouts", {"exercise": 11}, 0),
        ("vendor-api-json/withings/withings-activity-measures", {"steps": 4, "active_kcal": 4}, 0),
        ("vendor-api-json/withings/withings-body-measures-only-goal", {}, 1),
        (
            "vendor-api-json/withings/withings-body-measures",
            {"weight_kg": 2, "height_cm": 1, "diastolic_mmhg": 1, "systolic_mmhg": 1, "hr_bpm": 3, "body_temp_c": 1},
            3,
        ),
        ("vendor-api-json/withings/withings-intraday-activity", {"steps": 4, "active_kcal": 4}, 2),
        ("vendor-api-json/withings/withings-sleep-measures", {"sleep": 3}, 0),
        ("vendor-api-json/withings/withings-sleep-summary", {"sleep": 2}, 0),
    ],
)
def test_real_answers(shared_data, name, rows, left_out):
    batches, problems = brought(withings, source((shared_data / f"{name}.json").read_bytes(), name))
    found: dict[str, int] = {}
    for batch in batches:
        found[batch.quantity] = found.get(batch.quantity, 0) + len(batch)
    assert found == rows
    assert count(problems) == left_out


def test_mutated_files_are_withstood():
    stage = {"startdate": TOKYO_NOON, "enddate": TOKYO_NOON + 120, "state": 2, "hr": {str(TOKYO_NOON): 58}, "rr": []}
    series = {str(TOKYO_NOON + 60 * i): {"duration": 60, "steps": 21} for i in range(5)}
    day = {"date": "2024-03-10", "timezone": "America/Los_Angeles", "steps": 1000, "calories": 50}
    seeds = {
        "measures.json": answer(measuregrps=[group(1, 70), group(71, 36712, -3)], timezone="Asia/Tokyo"),
        "sleep.json": answer(series=[stage, stage]),
        "moments.json": answer(series=series),
        "days.json": answer(activities=[day]),
    }
    files = {name: json.dumps(seed).encode() for name, seed in seeds.items()}
    files["raw_hr_hr.csv"] = (
        b'start,duration,value\n2022-01-06T12:50:26+01:00,[60],[64]\n2022-01-06T13:00:00Z,"[6,3]","[7,0]"\n'
    )
    files["raw_x_sleep-state.csv"] = files["raw_hr_hr.csv"]
    files["weight.csv"] = b'Date,"Weight (lb)","Fat mass (lb)",Comments\n"2024-05-01 12:00:00",150.0,,after lunch\n'
    withstands(withings, files, rounds=1500, seed=11)

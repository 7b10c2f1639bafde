"""Samsung Health's folder, made from its makers' type pages and readers of real exports."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.records import samsung_health

NOON = 1_714_564_800_000  # 2024-05-01 12:00 UTC


def export(name: str, columns: str, *rows: str, prefix: str = "") -> bytes:
    """Write a table as the app does: a comma ends each row, and the table's name stands before columns."""
    header = ",".join(prefix + column for column in columns.split(","))
    lines = [f"com.samsung.{name},6313004,{len(rows)}", header, *(row + "," for row in rows)]
    return ("\ufeff" + "\r\n".join([*lines, ""])).encode()


HEART = "start_time,end_time,time_offset,heart_rate,binning_data,deviceuuid,datauuid"
PREFIX = "com.samsung.health.heart_rate."


def test_a_spot_value_is_in_utc_with_the_wall_clock_beside_it():
    row = "2024-05-01 12:00:00.000,2024-05-01 12:00:00.000,UTC+0900,64.0,,watch-1,d1"
    data = export("shealth.tracker.heart_rate", HEART, row, row.replace("64.0", "-1"), prefix=PREFIX)
    batches, problems = brought(samsung_health, source(data))
    assert table(batches, "hr_bpm").select("time", "end", "value", "zone_min", "vendor_id", "name").rows() == [
        ("2024-05-01 12:00:00", None, 64.0, 540, "d1", "watch-1")
    ]
    assert count(problems) == 1


@pytest.mark.parametrize(
    ("offset", "minutes"), [("UTC+0900", 540), ("UTC-0330", -210), ("UTC+04:00", 240), ("UTC+4", 240), ("UTC+12", 720),
                            ("", None), ("XYZ", None)],
)  # fmt: skip
def test_offsets_are_written_in_several_ways(offset, minutes):
    data = export("health.weight", "start_time,time_offset,weight", f"2024-05-01 12:00:00.000,{offset},70.5")
    batches, _ = brought(samsung_health, source(data))
    assert table(batches, "weight_kg")["zone_min"].to_list() == [minutes]


def test_bins_are_read_instead_of_the_row_that_names_them_and_take_its_offset_and_device():
    row = "2024-05-01 12:00:00.000,2024-05-01 12:59:59.000,UTC+0900,61.0,a1.binning_data.json,watch-1,d1"
    data = export("shealth.tracker.heart_rate", HEART, row, prefix=PREFIX)
    bins = [{"start_time": NOON + 60_000 * i, "end_time": NOON + 60_000 * i + 59_000, "heart_rate": 60.0 + i,
             "heart_rate_min": 55.0, "heart_rate_max": 70.0} for i in range(3)]  # fmt: skip
    file = source(bins, "export/jsons/com.samsung.shealth.tracker.heart_rate/a/a1.binning_data.json")
    batches, problems = brought(samsung_health, source(data, "export/heart_rate.csv"), file)
    rows = table(batches, "hr_bpm")
    assert rows.select("value", "zone_min", "name").rows() == [
        (60.0, 540, "watch-1"), (61.0, 540, "watch-1"), (62.0, 540, "watch-1")
    ]  # fmt: skip
    assert rows.select("time", "end").row(0) == ("2024-05-01 12:00:00", "2024-05-01 12:00:59")
    assert not problems
    batches, problems = brought(samsung_health, source(data, "export/heart_rate.csv"))
    assert table(batches, "hr_bpm").select("end", "value").rows() == [("2024-05-01 12:59:59", 61.0)]
    assert "not among the files" in str(problems[0])


@pytest.mark.parametrize(
    ("name", "export"),
    [("samsunghealth_1/com.samsung.health.weight.1.csv", "samsunghealth_1"), ("weight.csv", ""),
     ("a/s_1/jsons/com.samsung.health.hrv/b/b1.json", "a/s_1"), ("jsons/com.samsung.health.hrv/b/b1.json", "")],
)  # fmt: skip
def test_bins_belong_to_the_export_above_their_folder(name, export):
    assert samsung_health.export_of(source(b"", name)) == export


def test_variability_stands_in_bins_only():
    row = "2024-05-01 12:00:00.000,2024-05-01 12:59:59.000,UTC+0900,b1.binning_data.json"
    data = export("health.hrv", "start_time,end_time,time_offset,binning_data", row)
    batches, problems = brought(samsung_health, source(data))
    assert batches == []
    assert count(problems) == 1
    bins = [{"start_time": NOON, "end_time": NOON + 300_000, "sdnn": 61.2, "rmssd": 44.5}]
    batches, problems = brought(samsung_health, source(data, "hrv.csv"), source(bins, "jsons/x/b1.binning_data.json"))
    assert {b.quantity: b.rows["value"].to_list() for b in batches} == {"rmssd_ms": [44.5], "sdnn_ms": [61.2]}
    assert not problems


def test_a_score_in_a_bin_is_stress_only_where_the_file_is_of_that_table():
    bins = [{"start_time": NOON, "end_time": NOON + 60_000, "score": 31}]
    stress = source(bins, "jsons/com.samsung.shealth.stress/1/1.binning_data.json")
    batches, _ = brought(samsung_health, stress)
    assert table(batches, "stress_score").select("value", "method").rows() == [(31.0, "samsung_stress")]
    movement = source(bins, "jsons/com.samsung.health.movement/1/1.binning_data.json")
    batches, problems = brought(samsung_health, movement)
    assert batches == []
    assert count(problems) == 1


@pytest.mark.parametrize("family", [40000, 0])
def test_stages_come_in_two_families_of_numbers(family):
    rows = [f"2024-05-01 1{i}:00:00.000,2024-05-01 1{i}:30:00.000,{family + i},UTC+0900" for i in (1, 2, 3, 4, 5)]
    batches, problems = brought(
        samsung_health, source(export("health.sleep_stage", "start_time,end_time,stage,time_offset", *rows))
    )
    assert table(batches, "sleep")["label"].to_list() == ["awake", "light", "deep", "rem"]
    assert count(problems) == 1


def test_other_tables():
    def only(name, columns, row):
        batches, problems = brought(samsung_health, source(export(name, columns, row)))
        assert not problems
        return {batch.quantity: batch.rows.select("value", "label").row(0) for batch in batches}

    span = "2024-05-01 12:00:00.000,2024-05-01 12:30:00.000"
    assert only("shealth.sleep", "start_time,end_time", span) == {"sleep": (None, "in_bed")}
    assert only("shealth.exercise", "start_time,end_time,exercise_type", f"{span},1002") == {
        "exercise": (30.0, "running")
    }
    assert only("health.skin_temperature", "start_time,end_time,temperature", f"{span},33.1") == {
        "skin_temp_c": (33.1, None)
    }
    reading = "2024-05-01 12:00:00.000,121,80,64"
    assert only("health.blood_pressure", "start_time,systolic,diastolic,pulse", reading) == {
        "systolic_mmhg": (121.0, None), "diastolic_mmhg": (80.0, None), "hr_bpm": (64.0, None)
    }  # fmt: skip
    assert only("shealth.tracker.pedometer_step_count", "start_time,end_time,count", f"{span},0") == {
        "steps": (0.0, None)
    }


def test_a_table_that_is_not_used_is_told():
    batches, problems = brought(samsung_health, source(export("shealth.vitality_score", "day_time,score", "1,2")))
    assert batches == []
    assert "vitality_score" in str(problems[0])


def test_heart_rates_faster_at_night_than_by_day_are_remarked_on():
    hours = np.arange(24 * 60) // 60

    def problems_of(zone_min):
        night = (hours + zone_min // 60) % 24 < 6
        bins = [
            {"start_time": NOON - 12 * 3_600_000 + 60_000 * i, "end_time": NOON - 12 * 3_600_000 + 60_000 * (i + 1),
             "heart_rate": 50.0 + 30.0 * (not asleep)} for i, asleep in enumerate(night)
        ]  # fmt: skip
        row = "2024-05-01 00:00:00.000,2024-05-01 12:59:59.000,UTC+0900,61.0,a1.binning_data.json,watch-1,d1"
        data = export("shealth.tracker.heart_rate", HEART, row, prefix=PREFIX)
        return brought(samsung_health, source(data), source(bins, "a1.binning_data.json"))[1]

    assert not problems_of(zone_min=540)
    assert "faster at night" in str(problems_of(zone_min=-180)[0])


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(30, 200)), min_size=1, max_size=30))
def test_bins_written_and_read_are_the_same(rows):
    bins = [{"start_time": NOON + ms, "end_time": NOON + ms + 60_000, "heart_rate": float(bpm)} for ms, bpm in rows]
    batches, problems = brought(samsung_health, source(bins))
    found = [row for batch in batches for row in batch.rows.select("time", "value").rows()]
    assert found == [(NOON + ms, bpm) for ms, bpm in rows]
    assert not problems


def test_mutated_files_are_withstood():
    bins = [{"start_time": NOON, "end_time": NOON + 60_000, "heart_rate": 60.0, "rmssd": 40}] * 3
    row = "2024-05-01 12:00:00.000,2024-05-01 12:30:00.000,UTC+0900,61.0,a1.binning_data.json,watch-1,d1"
    span = "2024-05-01 12:00:00.000,2024-05-01 12:30:00.000"
    seeds = {
        "bins.json": json.dumps(bins).encode(),
        "heart.csv": export("shealth.tracker.heart_rate", HEART, row, row, prefix=PREFIX),
        "stage.csv": export("health.sleep_stage", "start_time,end_time,stage,time_offset", f"{span},40002,UTC+0900"),
        "exercise.csv": export("shealth.exercise", "start_time,end_time,exercise_type", f"{span},1002"),
    }
    withstands(samsung_health, seeds, rounds=500)


def test_a_bin_tells_its_temperature_once():
    bins = [{"start_time": NOON, "end_time": NOON + 60_000, "temperature": 33.0, "mean": 34.0},
            {"start_time": NOON + 60_000, "end_time": NOON + 120_000, "mean": 33.5}]  # fmt: skip
    file = source(bins, "jsons/com.samsung.health.skin_temperature/1/1.binning_data.json")
    batches, _ = brought(samsung_health, file)
    assert table(batches, "skin_temp_c")["value"].to_list() == [33.0, 33.5]

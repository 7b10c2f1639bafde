"""Google Fit's streams: made ones in both forms, and real answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.vendors import brought, count, source, table, withstands
from unaji.records import google_fit

NOON = 1_714_564_800_000_000_000  # 2024-05-01 12:00 UTC
MINUTE = 60_000_000_000
MERGED = "derived:com.google.{0}:com.google.android.gms:merge_{0}"
RAW = "raw:com.google.{0}:com.example.app:Acme:Band 3:1f2e:{0}"


def point(kind, *values, start=NOON, length=MINUTE, origin="", takeout=False):
    cells = [{"intVal" if isinstance(value, int) else "fpVal": value} for value in values]
    stamps = {"startTimeNanos": start, "endTimeNanos": start + length}
    shown = stamps if takeout else {name: str(stamp) for name, stamp in stamps.items()}
    more = {"fitValue": [{"value": cell} for cell in cells]} if takeout else {"value": cells}
    return {**shown, **more, "dataTypeName": f"com.google.{kind}", "originDataSourceId": origin}


def answer(kind, *points, stream=MERGED):
    return {"minStartTimeNs": "0", "maxEndTimeNs": "1", "dataSourceId": stream.format(kind), "point": list(points)}


def takeout(kind, *points, stream=MERGED):
    return {"Data Source": stream.format(kind), "Data Points": list(points)}


@pytest.mark.parametrize("form", [answer, takeout])
def test_both_forms_say_the_same(form):
    points = [point("heart_rate.bpm", 61.0, origin=RAW.format("heart_rate.bpm"), takeout=form is takeout)]
    batches, problems = brought(google_fit, source(form("heart_rate.bpm", *points)))
    rows = table(batches, "hr_bpm").select("time", "end", "value", "role", "app", "name").rows()
    assert rows == [("2024-05-01 12:01:00", None, 61.0, "merged", "com.example.app", "Acme:Band 3:1f2e:heart_rate.bpm")]
    assert not problems


def test_steps_keep_their_interval_to_the_millisecond():
    points = [point("step_count.delta", 17, start=1_436_565_497_687_316_406)]
    batches, _ = brought(google_fit, source(answer("step_count.delta", *points)))
    assert batches[0].rows.select("time", "end", "value").rows() == [(1_436_565_497_687, 1_436_565_557_687, 17.0)]


@pytest.mark.parametrize("called", [MERGED, "derived:com.google.{0}:com.google.android.gms:merged"])
def test_of_raw_and_merged_streams_only_the_merged_one_is_read(called):
    point_ = point("weight", 72.1)
    merged, raw = (source(takeout("weight", point_, stream=stream), stream[:3]) for stream in (called, RAW))
    height = source(takeout("height", point("height", 1.72), stream=RAW), "height")
    batches, problems = brought(google_fit, raw, merged, height)
    assert {batch.quantity: len(batch) for batch in batches} == {"weight_kg": 1, "height_cm": 1}
    assert table(batches, "height_cm")["value"].to_list() == [172.0]
    assert [problem.file for problem in problems] == ["raw"]


def test_sleep_comes_as_segments_and_as_activities():
    points = [point("sleep.segment", n) for n in (1, 4, 5, 6, 7)]
    batches, problems = brought(google_fit, source(answer("sleep.segment", *points)))
    assert table(batches, "sleep")["label"].to_list() == ["awake", "light", "deep", "rem"]
    assert count(problems) == 1
    points = [point("activity.segment", n) for n in (72, 109, 110, 111, 112)]
    batches, _ = brought(google_fit, source(answer("activity.segment", *points)))
    assert table(batches, "sleep")["label"].to_list() == ["asleep", "light", "deep", "rem", "awake"]


def test_what_the_phone_guesses_is_no_training():
    phone = "derived:com.google.activity.segment:com.google.android.gms:Acme:Phone:1:recognized"
    points = [point("activity.segment", 8), point("activity.segment", 7, origin=phone), point("activity.segment", 3)]
    batches, problems = brought(google_fit, source(answer("activity.segment", *points)))
    assert table(batches, "exercise").select("value", "label").rows() == [(1.0, "running")]
    assert sum(problem.count for problem in problems) == 2
    assert not any(problem.lost for problem in problems)


def test_points_without_value_and_unknown_types_are_counted():
    points = [point("heart_rate.bpm"), point("heart_rate.bpm", 60.0), point("speed", 0.75)]
    batches, problems = brought(google_fit, source(answer("heart_rate.bpm", *points)))
    assert len(table(batches, "hr_bpm")) == 1
    assert count(problems) == 2


def test_blood_pressure_is_two_quantities():
    batches, _ = brought(google_fit, source(answer("blood_pressure", point("blood_pressure", 121.0, 79.0))))
    assert {b.quantity: b.rows["value"].to_list() for b in batches} == {
        "systolic_mmhg": [121.0], "diastolic_mmhg": [79.0]
    }  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 30_000)), min_size=1, max_size=40))
def test_steps_written_and_read_are_the_same(rows):
    points = [point("step_count.delta", n, start=NOON + ms * 1_000_000) for ms, n in rows]
    batches, _ = brought(google_fit, source(takeout("step_count.delta", *points)))
    found = [row for batch in batches for row in batch.rows.select("time", "value").rows()]
    assert found == [(NOON // 1_000_000 + ms, n) for ms, n in rows]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rows", "left_out"),
    [
        ("empty", {}, 0),
        ("merge-activity-segments-only-sleep", {"sleep": 1}, 0),
        ("merge-activity-segments-only-stationary-activity", {}, 1),
        ("merge-activity-segments", {"exercise": 3}, 0),
        ("merge-calories-expended", {}, 3),
        ("merge-heart-rate", {"hr_bpm": 2}, 0),
        ("merge-height", {"height_cm": 2}, 0),
        ("merge-location-samples", {}, 2),
        ("merge-speed", {}, 2),
        ("merge-step-deltas", {"steps": 4}, 0),
        ("merge-weight", {"weight_kg": 3}, 0),
    ],
)
def test_real_answers(shared_data, name, rows, left_out):
    path = shared_data / "vendor-api-json" / "googlefit" / f"googlefit-{name}.json"
    batches, problems = brought(google_fit, source(path.read_bytes(), path.name))
    points = len(json.loads(path.read_bytes()).get("point", []))
    found: dict[str, int] = {}
    for batch in batches:
        found[batch.quantity] = found.get(batch.quantity, 0) + len(batch)
    assert found == rows
    assert count(problems) == left_out
    assert sum(found.values()) + count(problems) == points


def test_mutated_files_are_withstood():
    seeds = {
        "heart.json": answer("heart_rate.bpm", *[point("heart_rate.bpm", 60.0 + i) for i in range(10)]),
        "sleep.json": takeout("sleep.segment", *[point("sleep.segment", i, takeout=True) for i in range(6)]),
        "activity.json": answer("activity.segment", point("activity.segment", 8), point("activity.segment", 72)),
    }
    withstands(google_fit, {name: json.dumps(seed).encode() for name, seed in seeds.items()}, rounds=400)

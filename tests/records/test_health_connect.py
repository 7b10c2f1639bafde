"""Health Connect's database, made with the columns that studies of real exports describe."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.vendors import NOW, brought, count, source, table, withstands
from unaji.records import cells, health_connect
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Zones

NOON = 1_714_564_800_000  # 2024-05-01 12:00 UTC
COMMON = "row_id INTEGER PRIMARY KEY, uuid BLOB, app_info_id INTEGER, recording_method INTEGER, dedupe_hash BLOB"
INSTANT = f"{COMMON}, time INTEGER, zone_offset INTEGER, local_date INTEGER"
INTERVAL = f"{COMMON}, start_time INTEGER, start_zone_offset INTEGER, end_time INTEGER, end_zone_offset INTEGER"
LOCAL = "local_date_time INTEGER AS (time + 1000 * zone_offset)"
APPS = (
    "CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, package_name TEXT, app_name TEXT)",
    "INSERT INTO application_info_table VALUES (1, 'com.fitbit.FitbitMobile', '花子の'), (2, 'jp.co.omron', 'b')",
)


def database(*statements: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    for statement in (*APPS, *statements):
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def instant(name: str, columns: str, *rows: str) -> tuple[str, ...]:
    """Make a table of values at noon in Tokyo."""
    made = f"CREATE TABLE {name} ({INSTANT}, {', '.join(f'{c} REAL' for c in columns.split(','))}, {LOCAL})"
    values = ", ".join(f"({i}, x'0{i}ff', 1, 0, NULL, {NOON}, 32400, 19844, {row})" for i, row in enumerate(rows, 1))
    named = f"row_id, uuid, app_info_id, recording_method, dedupe_hash, time, zone_offset, local_date, {columns}"
    return made, f"INSERT INTO {name} ({named}) VALUES {values}"


HEART = (
    f"CREATE TABLE heart_rate_record_table ({INTERVAL})",
    f"INSERT INTO heart_rate_record_table VALUES (1, x'01', 1, 0, NULL, {NOON}, 32400, {NOON + 60000}, 32400),"
    f" (2, x'02', 2, 3, NULL, {NOON}, NULL, {NOON + 60000}, NULL)",
    "CREATE TABLE heart_rate_record_series_table (parent_key INTEGER, beats_per_minute INTEGER, epoch_millis INTEGER)",
    f"INSERT INTO heart_rate_record_series_table VALUES (1, 61, {NOON}), (1, 62, {NOON + 5000}), (2, 70, {NOON}),"
    f" (1, 0, {NOON + 9000})",
)


@pytest.mark.parametrize(
    ("name", "column", "stored", "quantity", "value"),
    [
        ("weight_record_table", "weight", 64000, "weight_kg", 64.0),
        ("height_record_table", "height", 1.67, "height_cm", 167.0),
        ("body_temperature_record_table", "temperature", 36.6, "body_temp_c", 36.6),
        ("oxygen_saturation_record_table", "percentage", 97, "spo2_pct", 97.0),
        ("respiratory_rate_record_table", "rate", 14.6, "resp_rate_bpm", 14.6),
        ("resting_heart_rate_record_table", "beats_per_minute", 58, "hr_resting_bpm", 58.0),
        ("heart_rate_variability_rmssd_record_table", "heart_rate_variability_millis", 40.9, "rmssd_ms", 40.9),
    ],
)
def test_values_at_instants_with_their_units_offset_and_app(name, column, stored, quantity, value):
    batches, problems = brought(health_connect, source(database(*instant(name, column, str(stored)))))
    rows = table(batches, quantity).select("time", "value", "zone_min", "vendor_id", "app", "role").rows()
    assert rows == [("2024-05-01 12:00:00", pytest.approx(value), 540, "01ff", "com.fitbit.FitbitMobile", "merged")]
    assert not problems


def test_heart_rates_stand_in_a_child_table_and_take_offset_and_app_from_the_parent():
    batches, problems = brought(health_connect, source(database(*HEART)))
    rows = table(batches, "hr_bpm").select("time", "value", "zone_min", "app", "role").rows()
    assert rows == [
        ("2024-05-01 12:00:00", 61.0, 540, "com.fitbit.FitbitMobile", "merged"),
        ("2024-05-01 12:00:05", 62.0, 540, "com.fitbit.FitbitMobile", "merged"),
        ("2024-05-01 12:00:00", 70.0, None, "jp.co.omron", "manual"),
    ]
    assert count(problems) == 1


def test_energy_is_calories_and_steps_keep_their_interval():
    span = f"(1, x'01', 1, 0, NULL, {NOON}, 32400, {NOON + 60000}, 36000, "
    tables = (
        f"CREATE TABLE active_calories_burned_record_table ({INTERVAL}, energy REAL)",
        f"INSERT INTO active_calories_burned_record_table VALUES {span} 5250.0)",
        f"CREATE TABLE steps_record_table ({INTERVAL}, count INTEGER)",
        f"INSERT INTO steps_record_table VALUES {span} 14)",
    )
    batches, _ = brought(health_connect, source(database(*tables)))
    assert table(batches, "active_kcal")["value"].to_list() == [5.25]
    assert table(batches, "steps").select("time", "end", "value").rows() == [
        ("2024-05-01 12:00:00", "2024-05-01 12:01:00", 14.0)
    ]


@pytest.mark.parametrize("key", ["parent_key", "parent_id"])
def test_sleep_and_training(key):
    span = f"(1, x'01', 1, 0, NULL, {NOON}, 32400, {NOON + 3600000}, 32400, "
    stages = ", ".join(f"(1, {NOON + 60000 * i}, {NOON + 60000 * (i + 1)}, {i})" for i in range(9))
    tables = (
        f"CREATE TABLE sleep_session_record_table ({INTERVAL}, title TEXT)",
        f"INSERT INTO sleep_session_record_table VALUES {span} 'private')",
        f"CREATE TABLE sleep_stages_table ({key} INTEGER, stage_start_time INT, stage_end_time INT, stage_type INT)",
        f"INSERT INTO sleep_stages_table VALUES {stages}",
        f"CREATE TABLE exercise_session_record_table ({INTERVAL}, exercise_type INTEGER)",
        f"INSERT INTO exercise_session_record_table VALUES {span} 53)",
    )
    batches, problems = brought(health_connect, source(database(*tables)))
    assert table(batches, "sleep")["label"].to_list() == [
        "in_bed", "awake", "asleep", "awake", "light", "deep", "rem", "awake"
    ]  # fmt: skip
    assert table(batches, "exercise").select("value", "label").rows() == [(60.0, "exercise type 53")]
    assert count(problems) == 2


def test_tables_of_another_version_are_told_and_the_rest_is_read():
    tables = (
        *HEART,
        "CREATE TABLE weight_record_table (row_id INTEGER, mass REAL)",
        f"CREATE TABLE vo2_max_record_table ({INSTANT}, v REAL)",
        f"INSERT INTO vo2_max_record_table VALUES (1, NULL, 1, 0, NULL, {NOON}, 0, 0, 40)",
        f"CREATE TABLE SpeedRecordTable ({INTERVAL})",
        "CREATE VIEW steps_record_table AS SELECT 1 AS count",
    )
    batches, problems = brought(health_connect, source(database(*tables)))
    assert {batch.quantity for batch in batches} == {"hr_bpm"}
    told = [str(problem) for problem in problems]
    assert any("weight_record_table" in text and "no column time" in text for text in told)
    assert any("vo2_max_record_table" in text for text in told)
    assert not any("SpeedRecordTable" in text for text in told)


def test_a_database_in_wal_mode_is_read_with_a_remark():
    data = bytearray(database(*HEART))
    data[18:20] = b"\x02\x02"
    batches, problems = brought(health_connect, source(bytes(data)))
    assert len(table(batches, "hr_bpm")) == 3
    assert any("-wal" in str(problem) for problem in problems)


def test_other_databases_are_left_alone_and_too_large_ones_refused(monkeypatch):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE notes (text TEXT)")
    assert not health_connect.claims_file(connection.serialize())
    monkeypatch.setattr(cells, "LARGEST_FILE", 100)
    batches, problems = brought(health_connect, source(database(*HEART)))
    assert batches == []
    assert "larger than" in str(problems[0])


def test_a_schema_that_computes_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(health_connect, "BYTES_A_SECOND", 1e12)
    monkeypatch.setattr(health_connect, "monotonic", iter(range(0, 10**9, 2)).__next__)
    many = f"INSERT INTO heart_rate_record_series_table SELECT 1, 60, {NOON} + n FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000) SELECT n FROM c)"  # noqa: E501
    batches, problems = brought(health_connect, source(database(*HEART, many)))
    assert sum(map(len, batches)) < 100_000
    assert any("took longer than" in str(problem) for problem in problems)


def test_the_time_that_rows_take_elsewhere_does_not_count(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(health_connect, "monotonic", lambda: clock[0])
    many = f"INSERT INTO heart_rate_record_series_table SELECT 1, 60, {NOON} + n FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 50000) SELECT n FROM c)"  # noqa: E501
    log, kept = ProblemLog(), 0
    for batch in health_connect.read([source(database(*HEART, many))], Clock(Zones(("UTC",)), NOW), log):
        kept += len(batch)
        clock[0] += 1000.0  # a slow store
    assert kept > 50_000
    assert not any("took longer" in str(problem) for problem in log.problems())


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(30, 200)), min_size=1, max_size=40))
def test_heart_rates_written_and_read_are_the_same(beats):
    connection = sqlite3.connect(":memory:")
    for statement in (*APPS, *HEART[:3]):
        connection.execute(statement)
    cells = [(1, bpm, NOON + ms) for ms, bpm in beats]
    connection.executemany("INSERT INTO heart_rate_record_series_table VALUES (?, ?, ?)", cells)
    connection.commit()
    batches, problems = brought(health_connect, source(connection.serialize()))
    found = [row for batch in batches for row in batch.rows.select("time", "value").rows()]
    assert found == [(NOON + ms, bpm) for ms, bpm in beats]
    assert not problems


def test_mutated_databases_are_withstood():
    data = database(*HEART, *instant("weight_record_table", "weight", "64000", "65000"))
    withstands(health_connect, {"a.db": data, "b.db": data}, rounds=1000, seed=11)

"""Health Connect: the SQLite database that Android exports (``health_connect_export.db``).

Times are UTC milliseconds, offsets seconds; weight is in grams and energy in calories (not kilocalories). Heart rates
are rows of a child table. Which tables there are differs by version of Android, so nothing is assumed of them: only
known names are read, never views or triggers. The database is read in memory, without any right to write or to call
functions its schema names, and within a time limit.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import from_unix, numbers, whole_file
from unaji.records.clock import Clock
from unaji.records.door import NO_STAGE, Door
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray

BROKEN = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite's own message quotes broken text
MAGIC = b"SQLite format 3\0"
ROWS_A_BATCH = 50_000
BYTES_A_SECOND = 2 << 20  # what a database may take at most, and two seconds more
STEPS_BETWEEN_LOOKS = 10_000
WAL = b"\x02\x02"  # header bytes 18 and 19 of a database whose newest rows may lie in a file beside it
NO_WAL = b"\x01\x01"
TYPED_IN = 3  # recording_method
LONGEST_OFFSET_S = 18 * 3600
STAGES = {1: "awake", 2: "asleep", 3: "awake", 4: "light", 5: "deep", 6: "rem", 7: "awake"}

_KNOWN_NAMES = re.compile(
    rb"\b(application_info_table|heart_rate_record_table|steps_record_table|sleep_stages_table)\b"
)


@dataclass(frozen=True, slots=True)
class _Values:
    """A table of values at instants, or over intervals."""

    table: str
    column: str
    quantity: str
    factor: float = 1.0
    interval: bool = False


@dataclass(frozen=True, slots=True)
class _Children:
    """A table of values at instants whose app and offset stand in the row they belong to."""

    table: str
    column: str
    quantity: str
    parent: str


VALUES = (
    _Values("weight_record_table", "weight", "weight_kg", 0.001),
    _Values("height_record_table", "height", "height_cm", 100.0),
    _Values("body_temperature_record_table", "temperature", "body_temp_c"),
    _Values("basal_body_temperature_record_table", "temperature", "body_temp_c"),
    _Values("oxygen_saturation_record_table", "percentage", "spo2_pct"),
    _Values("respiratory_rate_record_table", "rate", "resp_rate_bpm"),
    _Values("resting_heart_rate_record_table", "beats_per_minute", "hr_resting_bpm"),
    _Values("heart_rate_variability_rmssd_record_table", "heart_rate_variability_millis", "rmssd_ms"),
    _Values("blood_pressure_record_table", "systolic", "systolic_mmhg"),
    _Values("blood_pressure_record_table", "diastolic", "diastolic_mmhg"),
    _Values("steps_record_table", "count", "steps", interval=True),
    _Values("active_calories_burned_record_table", "energy", "active_kcal", 0.001, interval=True),
)
CHILDREN = (
    _Children("heart_rate_record_series_table", "beats_per_minute", "hr_bpm", "heart_rate_record_table"),
    _Children("skin_temperature_delta_table", "delta", "skin_temp_dev_c", "skin_temperature_record_table"),
)
SESSIONS = "sleep_session_record_table"
SLEEP_STAGES = "sleep_stages_table"
TRAININGS = "exercise_session_record_table"
READ = {known.table for known in (*VALUES, *CHILDREN)} | {known.parent for known in CHILDREN}
READ |= {SESSIONS, SLEEP_STAGES, TRAININGS}


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as a database with tables of Health Connect."""
    return head.startswith(MAGIC) and _KNOWN_NAMES.search(head) is not None


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read each database."""
    for file in files:
        data = whole_file(file, log)
        if data is None:
            continue
        connection = sqlite3.connect(":memory:")
        try:
            yield from _read(connection, data, Door(file.name, clock, log))
        except BROKEN as error:
            log.reject(file.name, None, str(error), "the database is damaged; the rest was not read. Export it again")
        finally:
            connection.close()


def _read(connection: sqlite3.Connection, data: bytes, door: Door) -> Iterator[Batch]:
    _open_safely(connection, data, door)
    tables = _Tables(connection, door, _Budget(connection, 2 + len(data) / BYTES_A_SECOND))
    for known in VALUES:
        yield from _guarded(tables, known.table, _values(tables, known))
    for children in CHILDREN:
        yield from _guarded(tables, children.table, _children(tables, children))
    yield from _guarded(tables, SESSIONS, _sessions(tables))
    yield from _guarded(tables, SLEEP_STAGES, _stages(tables))
    yield from _guarded(tables, TRAININGS, _trainings(tables))
    tables.count_others()


def _open_safely(connection: sqlite3.Connection, data: bytes, door: Door) -> None:
    if data[18:20] == WAL:
        rule = "the database was copied while in use: its newest rows may stand in a file -wal beside it"
        door.log.remark(door.file, None, "WAL", rule)
        data = data[:18] + NO_WAL + data[20:]
    connection.deserialize(data)
    connection.text_factory = lambda text: text.decode(errors="replace")
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


class _Budget:
    """Time for reading a database; what its rows are then put to is not counted."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self.seconds, self._latest, self._paused = seconds, monotonic() + seconds, 0.0
        connection.set_progress_handler(lambda: monotonic() > self._latest, STEPS_BETWEEN_LOOKS)

    def pause(self) -> None:
        self._paused = monotonic()

    def resume(self) -> None:
        self._latest += monotonic() - self._paused


def _guarded(tables: _Tables, table: str, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Give a table's batches; where it is damaged, tell that and go on with the next one."""
    try:
        yield from batches
    except BROKEN as error:
        rule = "the table is damaged; what could not be read of it was left out"
        if "interrupted" in str(error):
            rule = f"reading the database took longer than {tables.budget.seconds:.0f} s; the rest was left out"
        tables.door.log.reject(tables.door.file, None, f"{table}: {error}", rule)


class _Tables:
    """The tables of a database, with the apps that wrote their rows."""

    def __init__(self, connection: sqlite3.Connection, door: Door, budget: _Budget) -> None:
        self.connection, self.door, self.budget = connection, door, budget
        listed = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        self.names = {str(name) for name, sql in listed if not str(sql).upper().startswith("CREATE VIRTUAL")}
        self.apps = dict(self._pairs("application_info_table", "row_id", "package_name"))

    def _pairs(self, table: str, *columns: str) -> list[Any]:
        if table not in self.names or not set(columns) <= self.columns(table):
            return []
        return self.connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()

    def columns(self, table: str) -> set[str]:
        return {str(row[1]) for row in self.connection.execute(f"PRAGMA table_xinfo({table})")}

    def rows(self, table: str, **columns: str) -> Iterator[Rows]:
        """Give columns of a known table under other names, some ten thousand rows at a time."""
        if table not in self.names:
            return
        there = self.columns(table)
        missing = [column for column in columns.values() if column not in there and column not in OPTIONAL]
        if missing:
            self.door.log.reject(
                self.door.file, None, table, f"the table has no column {', '.join(missing)}; it was not read"
            )
            return
        chosen = ", ".join(column if column in there else "NULL" for column in columns.values())
        yield from self.fetch(f"SELECT {chosen} FROM {table}", tuple(columns))

    def fetch(self, query: str, names: tuple[str, ...]) -> Iterator[Rows]:
        cursor = self.connection.execute(query)
        while rows := cursor.fetchmany(ROWS_A_BATCH):
            self.budget.pause()
            yield dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
            self.budget.resume()

    def device(self, app: float, *, typed_in: bool) -> Device:
        role = "manual" if typed_in else "merged"
        return Device("health_connect", role=role, app=str(self.apps.get(app) or ""))

    def count_others(self) -> None:
        """Remark on tables of records that unaji does not use and that hold something."""
        for name in sorted(self.names - READ):
            if re.fullmatch(r"\w+", name) and name.lower().replace("_", "").endswith("recordtable"):
                (count,) = self.connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()
                if count:
                    rule = "a table of records that unaji does not use"
                    self.door.log.reject(self.door.file, None, name, rule, count=int(count), lost=False)


Rows = dict[str, Any]  # columns of some rows, as lists or series
OF_PARENT = {"zone": "start_zone_offset", "app": "app_info_id", "method": "recording_method"}
OPTIONAL = {"zone_offset", "start_zone_offset", "uuid", "app_info_id", "recording_method", "exercise_type"}
WHO = {"id": "uuid", "app": "app_info_id", "method": "recording_method"}


def _parts(tables: _Tables, rows: Rows) -> Iterator[tuple[Device, NDArray[np.int64]]]:
    """Part rows by the app that wrote them, and by whether a person typed them in."""
    who = pl.DataFrame({"app": numbers(rows["app"]), "typed": numbers(rows["method"]) == TYPED_IN}).with_row_index()
    for part in who.partition_by("app", "typed", maintain_order=True):
        yield tables.device(part["app"][0], typed_in=part["typed"][0]), part["index"].to_numpy()


def _values(tables: _Tables, known: _Values) -> Iterator[Batch]:
    times = (
        {"time": "start_time", "end": "end_time", "zone": "start_zone_offset"}
        if known.interval
        else {"time": "time", "zone": "zone_offset"}
    )
    for rows in tables.rows(known.table, **times, **WHO, value=known.column):
        time, value = _instants(rows["time"]), numbers(rows["value"]) * known.factor
        end = _instants(rows["end"]) if known.interval else None
        zone_min, names = _zone_min(rows["zone"]), _names(rows["id"])
        for device, part in _parts(tables, rows):
            yield from tables.door.batch(
                known.quantity, device, time[part], value[part], end=None if end is None else end[part],
                zone_min=zone_min.gather(part), vendor_id=names.gather(part),
            )  # fmt: skip


def _children(tables: _Tables, known: _Children) -> Iterator[Batch]:
    for rows in _joined(tables, known.table, known.parent, time="epoch_millis", value=known.column):
        time, value, zone_min = _instants(rows["time"]), numbers(rows["value"]), _zone_min(rows["zone"])
        for device, part in _parts(tables, rows):
            yield from tables.door.batch(
                known.quantity, device, time[part], value[part], zone_min=zone_min.gather(part)
            )


def _joined(tables: _Tables, child: str, parent: str, **columns: str) -> Iterator[Rows]:
    """Give rows of a child table with the offset and app of the row they belong to."""
    if child not in tables.names:
        return
    there = tables.columns(child)
    key = next((name for name in ("parent_key", "parent_id") if name in there), "parent_key")
    parents = pl.concat([_parents(rows) for rows in tables.rows(parent, key="row_id", **OF_PARENT)] or [_parents(None)])
    for rows in tables.rows(child, key=key, **columns):
        keys = pl.DataFrame({"key": numbers(rows["key"])})
        yield rows | keys.join(parents, on="key", how="left", maintain_order="left").to_dict(as_series=True)


def _parents(rows: Rows | None) -> pl.DataFrame:
    names = ("key", *OF_PARENT)
    return pl.DataFrame({name: numbers(rows[name] if rows else []) for name in names}).unique("key", keep="first")


def _sessions(tables: _Tables) -> Iterator[Batch]:
    for rows in tables.rows(SESSIONS, time="start_time", end="end_time", zone="start_zone_offset", **WHO):
        time, end, zone_min, names = _spans(rows)
        for device, part in _parts(tables, rows):
            yield from tables.door.batch(
                "sleep", device, time[part], end=end[part], kind=Kind.SLEEP, label="in_bed",
                zone_min=zone_min.gather(part), vendor_id=names.gather(part),
            )  # fmt: skip


def _stages(tables: _Tables) -> Iterator[Batch]:
    columns = {"time": "stage_start_time", "end": "stage_end_time", "stage": "stage_type"}
    for rows in _joined(tables, SLEEP_STAGES, SESSIONS, **columns):
        time, end, zone_min = _instants(rows["time"]), _instants(rows["end"]), _zone_min(rows["zone"])
        label = pl.Series([STAGES.get(stage) for stage in rows["stage"]], dtype=pl.String)
        known = tables.door.left_out(label.is_null().to_numpy(), rows["stage"], NO_STAGE)
        for device, part in _parts(tables, rows):
            kept = part[known[part]]
            yield from tables.door.batch(
                "sleep", device, time[kept], end=end[kept], kind=Kind.SLEEP, label=label.gather(kept),
                zone_min=zone_min.gather(kept),
            )  # fmt: skip


def _trainings(tables: _Tables) -> Iterator[Batch]:
    columns = {"time": "start_time", "end": "end_time", "zone": "start_zone_offset", "kind": "exercise_type"}
    for rows in tables.rows(TRAININGS, **columns, **WHO):
        time, end, zone_min, names = _spans(rows)
        minutes: FloatArray = (end - time) / np.timedelta64(60_000, "ms")
        label = pl.Series([f"exercise type {kind}" for kind in rows["kind"]], dtype=pl.String)
        for device, part in _parts(tables, rows):
            yield from tables.door.batch(
                "exercise", device, time[part], minutes[part], end=end[part], kind=Kind.WORKOUT,
                label=label.gather(part), zone_min=zone_min.gather(part), vendor_id=names.gather(part),
            )  # fmt: skip


def _spans(rows: Rows) -> tuple[np.ndarray, np.ndarray, pl.Series, pl.Series]:
    return _instants(rows["time"]), _instants(rows["end"]), _zone_min(rows["zone"]), _names(rows["id"])


def _instants(cells: Sequence[Any]) -> np.ndarray:
    return from_unix(numbers(cells), per_second=1000)


def _zone_min(cells: Sequence[Any]) -> pl.Series:
    """Return offsets in minutes; null where the app that wrote the row gave none."""
    seconds = numbers(cells)
    known = np.abs(seconds) <= LONGEST_OFFSET_S
    return pl.Series(np.where(known, seconds / 60, np.nan)).fill_nan(None).cast(pl.Int16)


def _names(cells: Sequence[Any]) -> pl.Series:
    return pl.Series([cell.hex() if isinstance(cell, bytes) else None for cell in cells], dtype=pl.String)

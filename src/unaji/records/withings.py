"""Withings: answers of its API in JSON, and the CSV files of the account's export.

Times of the API are unix seconds and an IANA zone stands beside them; times of the export carry an offset or are the
account's wall clock. ``rr`` is the breathing rate, never an interval between beats. Goals (category 2) are no
measurements; entries typed in, or of a scale that was not sure who stood on it, are told apart.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import (
    KG_PER_LB,
    from_unix,
    numbers,
    offsets_min,
    vendor_ids,
    wall_times,
    whole_file,
    whole_table,
)
from unaji.records.clock import EARLIEST, Clock
from unaji.records.door import NO_STAGE, Door
from unaji.records.json_head import key_paths
from unaji.records.json_read import document, listed, mapped
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import FloatArray, TimeArray, Zones

CELL = float | str | None
T = TypeVar("T")
NOTHING = msgspec.Raw(b"null")

MEASURES: dict[int, tuple[str, float, str]] = {  # type: quantity, factor, site
    1: ("weight_kg", 1.0, ""),
    4: ("height_cm", 100.0, ""),
    9: ("diastolic_mmhg", 1.0, ""),
    10: ("systolic_mmhg", 1.0, ""),
    11: ("hr_bpm", 1.0, ""),
    12: ("body_temp_c", 1.0, ""),
    54: ("spo2_pct", 1.0, ""),
    71: ("body_temp_c", 1.0, ""),
    73: ("skin_temp_c", 1.0, "forehead"),  # of the thermometer that is passed over it
}
GOAL = 2
TYPED_IN = (2, 4)
WHOSE_IS_UNSURE = (1, 8)
STAGES = {0: "awake", 1: "light", 2: "deep", 3: "rem"}
STAGES_OF_MONITOR = {0: "awake", 1: "asleep"}
MATS = ("32", "63")  # model numbers of the mat under the mattress
ACTIVITIES = {1: "walk", 2: "run", 3: "hiking", 6: "bicycling", 7: "swimming"}
MINUTE = np.timedelta64(60, "s")
LATEST = np.datetime64("2200-01-01", "ms")  # beyond it the calendar of the time zones ends
NIGHTLY, DAILY = "withings_nightly", "withings_daily"

_BODY = ("measuregrps", "series", "activities")
_RAW_HEADER = re.compile(rb'(?:\xef\xbb\xbf)?"?start"?,"?duration"?,"?value"?\s*\n[^\n,]+,"?\[', re.IGNORECASE)


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as an answer or export of Withings'."""
    paths = key_paths(head)
    if paths:
        answer = "status" in paths and any(f"body.{part}" in paths for part in _BODY)
        return answer or "measuregrps[].grpid" in paths or {"[].grpid", "[].measures[].type"} <= paths
    return _RAW_HEADER.match(head) is not None or _table_reader(head) is not None


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read files of one export or answer each."""
    for file in files:
        door = Door(file.name, clock, log)
        head = file.head
        if key_paths(head):
            yield from _answer(file, door)
        elif _RAW_HEADER.match(head):
            yield from _raw_file(file, door)
        elif reader := _table_reader(head):
            table = whole_table(file, log)
            if table is not None:
                yield from reader(table, door)


# -- API ---------------------------------------------------------------------------------------------------------------


class _Body(msgspec.Struct):
    timezone: str | None = None
    measuregrps: msgspec.Raw = NOTHING
    series: msgspec.Raw = NOTHING
    activities: msgspec.Raw = NOTHING


class _Answer(_Body):
    body: _Body | None = None


def _answer(file: Source, door: Door) -> Iterator[Batch]:
    if file.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        whole = document(file, msgspec.Raw, door.log)
        body = None if whole is None else _Body(measuregrps=whole)
    else:
        answer = document(file, _Answer, door.log)
        body = answer and (answer.body or answer)
    if body is None:
        return
    yield from _measures(listed(body.measuregrps, _Group, file.name, door.log), body.timezone, door)
    yield from _activities(listed(body.activities, _Day, file.name, door.log), door)
    if bytes(body.series).startswith(b"{"):
        yield from _intraday(body.series, door)
    else:
        yield from _series(listed(body.series, _Entry, file.name, door.log), door)


class _Measure(msgspec.Struct, gc=False):
    type: int
    value: float
    unit: int = 0


class _Group(msgspec.Struct, gc=False):
    date: float
    grpid: int | str | None = None
    attrib: int = 0
    category: int = 1
    hash_deviceid: str | None = None
    measures: list[_Measure] = []


def _measures(groups: Sequence[_Group], timezone: str | None, door: Door) -> Iterator[Batch]:
    goals = sum(len(group.measures) for group in groups if group.category == GOAL)
    if goals:
        door.log.reject(door.file, None, "category 2", "goals, not measurements", count=goals, lost=False)
    pairs = [(group, measure) for group in groups if group.category != GOAL for measure in group.measures]
    unknown = [measure.type for _, measure in pairs if measure.type not in MEASURES]
    if unknown:
        types = ", ".join(map(str, sorted(set(unknown))))
        rule = "measures of types that unaji does not use"
        door.log.reject(door.file, None, types, rule, count=len(unknown), lost=False)
    pairs = _once([pair for pair in pairs if pair[1].type in MEASURES], door)
    for kind, (quantity, factor, site) in MEASURES.items():
        of_kind = [(group, measure) for group, measure in pairs if measure.type == kind]
        for device, rows in _by(of_kind, lambda pair: _scale(pair[0])):
            time = from_unix([group.date for group, _ in rows])
            names = [None if group.grpid is None else f"{group.grpid}:{kind}" for group, _ in rows]
            unsure = [group.attrib in WHOSE_IS_UNSURE or None for group, _ in rows]
            yield from door.batch(
                quantity, replace(device, site=site), time, [_scaled(measure) * factor for _, measure in rows],
                zone_min=_zone_min(time, timezone), vendor_id=vendor_ids(names),
                low_quality=pl.Series(unsure, dtype=pl.Boolean),
            )  # fmt: skip


def _once(pairs: Sequence[tuple[_Group, _Measure]], door: Door) -> list[tuple[_Group, _Measure]]:
    """Drop what stands twice: the same group comes again with another `attrib`, and that of a sure device wins."""
    sure_first = sorted(pairs, key=lambda pair: pair[0].attrib in (*TYPED_IN, *WHOSE_IS_UNSURE))
    first: dict[object, tuple[_Group, _Measure]] = {}
    for group, measure in sure_first:
        first.setdefault((group.grpid, group.date, measure.type, measure.value, measure.unit), (group, measure))
    if len(first) < len(pairs):
        rule = "the same measurement again"
        door.log.reject(door.file, None, "", rule, count=len(pairs) - len(first), lost=False)
    return list(first.values())


def _scaled(measure: _Measure) -> float:
    return measure.value * 10.0**measure.unit if abs(measure.unit) <= 12 else np.nan


def _scale(group: _Group) -> Device:
    role = "manual" if group.attrib in TYPED_IN else ""
    return Device("withings", role=role, name=group.hash_deviceid or "")


class _Day(msgspec.Struct, gc=False):
    date: str
    timezone: str | None = None
    steps: CELL = None
    calories: CELL = None
    hash_deviceid: str | None = None
    is_tracker: bool | None = None


def _activities(days: Sequence[_Day], door: Door) -> Iterator[Batch]:
    """Sums of local days; what another app counted and Withings only shows is told apart."""
    for (timezone, device), rows in _by(days, lambda day: (day.timezone, _tracker(day))):
        zones = _zones(timezone)
        if timezone and zones is None:
            rule = "no time zone that is known; the days were taken as the person's own"
            door.log.remark(door.file, None, timezone, rule)
        there = door if zones is None else Door(door.file, Clock(zones, door.clock.now), door.log)
        start, end = there.days(wall_times([f"{day.date} 00:00:00" for day in rows], "%Y-%m-%d %H:%M:%S"))
        zone_min = _zone_min(start, timezone)
        columns = (("steps", [day.steps for day in rows]), ("active_kcal", [day.calories for day in rows]))
        for quantity, cells in columns:
            yield from door.batch(quantity, device, start, numbers(cells), end=end, zone_min=zone_min)


def _tracker(day: _Day) -> Device:
    role = "merged" if day.is_tracker is False else "watch"
    return Device("withings", role=role, name=day.hash_deviceid or "", method=DAILY)


class _Data(msgspec.Struct, gc=False):
    hr_average: CELL = None
    rr_average: CELL = None


class _Entry(msgspec.Struct, gc=False):
    """A stage of sleep with its minutes, a night, or a training."""

    startdate: float
    enddate: float
    id: int | str | None = None
    state: float | None = None
    category: int | None = None
    timezone: str | None = None
    model: int | str | None = None
    hash_deviceid: str | None = None
    data: _Data | None = None
    hr: dict[str, CELL] | list[CELL] | None = None
    rr: dict[str, CELL] | list[CELL] | None = None
    rmssd: dict[str, CELL] | list[CELL] | None = None
    sdnn_1: dict[str, CELL] | list[CELL] | None = None


_MINUTES = (("hr_bpm", "hr"), ("resp_rate_bpm", "rr"), ("rmssd_ms", "rmssd"), ("sdnn_ms", "sdnn_1"))


def _series(entries: Sequence[_Entry], door: Door) -> Iterator[Batch]:
    for (kind, timezone, device), rows in _by(entries, lambda entry: (_what(entry), entry.timezone, _device(entry))):
        start = from_unix([entry.startdate for entry in rows])
        end = from_unix([entry.enddate for entry in rows])
        zone_min = _zone_min(start, timezone)
        names = vendor_ids(entry.id for entry in rows)
        if kind == "stage":
            states = numbers([entry.state for entry in rows])
            yield from _stages(door, device, start, states, end=end, zone_min=zone_min)
            for quantity, name in _MINUTES:
                yield from _minutes(quantity, device, [getattr(entry, name) for entry in rows], door)
        elif kind == "training":
            minutes: FloatArray = (end - start) / MINUTE
            label = pl.Series([ACTIVITIES.get(entry.category or 0, f"category {entry.category}") for entry in rows])
            yield from door.batch("exercise", device, start, minutes, end=end, kind=Kind.WORKOUT, label=label,
                                  zone_min=zone_min, vendor_id=names)  # fmt: skip
        else:
            yield from door.batch("sleep", device, start, end=end, kind=Kind.SLEEP, label="in_bed",
                                  zone_min=zone_min, vendor_id=names)  # fmt: skip
            yield from _means_of_nights(rows, replace(device, method=NIGHTLY), start, end, zone_min, door)


def _what(entry: _Entry) -> str:
    if entry.state is not None:
        return "stage"
    return "training" if entry.category is not None else "night"


def _device(entry: _Entry) -> Device:
    words = str(entry.model or "")
    mat = words in MATS or "aura" in words.lower() or "sleep" in words.lower()
    return Device("withings", role="" if mat else "watch", name=entry.hash_deviceid or "")


def _stages(
    door: Door, device: Device, start: TimeArray, states: FloatArray, names: dict[int, str] = STAGES,
    *, end: TimeArray, zone_min: pl.Series | None,
) -> Iterator[Batch]:  # fmt: skip
    codes = pl.Series(states).fill_nan(None).cast(pl.Int64, strict=False)
    label, known = door.labels(codes, names, NO_STAGE)
    mask = pl.Series(known)
    offsets = None if zone_min is None else zone_min.filter(mask)
    yield from door.batch("sleep", device, start[known], end=end[known], kind=Kind.SLEEP, label=label.filter(mask),
                          zone_min=offsets)  # fmt: skip


def _minutes(quantity: str, device: Device, maps: Iterable[object], door: Door) -> Iterator[Batch]:
    """Values of minutes, by the unix second at which each begins."""
    given = [cells for cells in maps if isinstance(cells, dict)]
    time = from_unix(numbers([stamp for cells in given for stamp in cells]))
    value = numbers([cell for cells in given for cell in cells.values()])
    seen = door.left_out(value == 0, value, f"{quantity}: minutes of value 0, in which nothing was measured")
    yield from door.batch(quantity, device, time[seen], value[seen], end=time[seen] + MINUTE)


def _means_of_nights(
    rows: Sequence[_Entry], device: Device, start: TimeArray, end: TimeArray, zone_min: pl.Series | None, door: Door
) -> Iterator[Batch]:
    for quantity, name in (("hr_bpm", "hr_average"), ("resp_rate_bpm", "rr_average")):
        value = numbers([getattr(entry.data, name, None) for entry in rows])
        given = ~np.isnan(value) & (value != 0)
        offsets = None if zone_min is None else zone_min.filter(pl.Series(given))
        yield from door.batch(quantity, device, start[given], value[given], end=end[given], zone_min=offsets)


class _Moment(msgspec.Struct, gc=False):
    duration: float | None = None
    steps: CELL = None
    calories: CELL = None
    heart_rate: CELL = None
    spo2_auto: CELL = None
    rmssd: CELL = None
    sdnn1: CELL = None


_AT_MOMENTS = (
    ("steps", "steps"), ("active_kcal", "calories"), ("hr_bpm", "heart_rate"), ("spo2_pct", "spo2_auto"),
    ("rmssd_ms", "rmssd"), ("sdnn_ms", "sdnn1"),
)  # fmt: skip


def _intraday(raw: msgspec.Raw, door: Door) -> Iterator[Batch]:
    """Values by the unix second at which each begins; an entry that has only a duration is a hole of that length."""
    stamps: list[str] = []
    moments: list[_Moment] = []
    for stamp, piece in mapped(raw, door.file, door.log).items():
        moments += listed(msgspec.Raw(b"[" + bytes(piece) + b"]"), _Moment, door.file, door.log)
        stamps += [stamp] * (len(moments) - len(stamps))
    columns = [numbers([getattr(moment, name) for moment in moments]) for _, name in _AT_MOMENTS]
    hole = np.all(np.isnan(columns), axis=0)
    if hole.any():
        door.log.reject(door.file, None, "duration", "stretches without a value", count=int(hole.sum()), lost=False)
    time = from_unix(numbers(stamps))
    end = time + _ms(numbers([moment.duration for moment in moments]))
    device = Device("withings", role="watch")
    for (quantity, _), value in zip(_AT_MOMENTS, columns, strict=True):
        given = ~np.isnan(value)
        summed = quantity in ("steps", "active_kcal")
        yield from door.batch(quantity, device, time[given], value[given], end=end[given] if summed else None)


# -- the account's export ----------------------------------------------------------------------------------------------


_RAW_KINDS: tuple[tuple[str, str, str], ...] = (  # how the name goes on after "raw_…_", quantity, role
    ("hr", "hr_bpm", "watch"),
    ("steps", "steps", "watch"),
    ("spo2", "spo2_pct", "watch"),
    ("respiratory-rate", "resp_rate_bpm", "watch"),
    ("sleep-state", "sleep", "watch"),
)


def _raw_file(file: Source, door: Door) -> Iterator[Batch]:
    """A stamp and two lists in a row: durations [s] and values. What the values are stands only in the file's name."""
    name = file.base_name.lower().removesuffix(".csv")
    kind = next((kind for kind in _RAW_KINDS if name.startswith("raw_") and name.endswith(f"_{kind[0]}")), None)
    if kind is None:
        door.log.remark(file.name, None, file.base_name, "a list of Withings' that was not read: unaji does not use it")
        return
    rows = _start_and_lists(file, door)
    if rows is None or not rows.height:
        return
    mat = "bed" in name or "sleep-monitor" in name
    device = Device("withings", role="" if mat else kind[2])
    frame = _exploded(rows, door)
    offset = offsets_min(frame["start"])
    time = door.clock.read(frame["start"], door.file, door.log).time + _ms(frame["before"].to_numpy())
    end = time + _ms(frame["duration"].to_numpy())
    value = frame["value"].to_numpy()
    if kind[1] == "sleep":
        names = STAGES_OF_MONITOR if "sleep-monitor" in name else STAGES
        yield from _stages(door, device, time, value, names, end=end, zone_min=offset)
    else:
        seen = door.left_out((value == 0) & (kind[1] != "steps"), value, f"{kind[1]} of 0: nothing was measured")
        yield from door.batch(
            kind[1], device, time[seen], value[seen], end=end[seen], zone_min=offset.filter(pl.Series(seen))
        )


def _start_and_lists(file: Source, door: Door) -> pl.DataFrame | None:
    data = whole_file(file, door.log)
    if data is None:
        return None
    try:
        frame = pl.read_csv(io.BytesIO(data), infer_schema=False, raise_if_empty=False)
        frame.columns = [name.strip().lower() for name in frame.columns]
    except pl.exceptions.PolarsError:  # rows of unequal length, which the careful reader explains
        table = csv_table(data, file.name, door.log)
        return None if table is None else _with_lists(table.frame, file, door)
    return _with_lists(frame, file, door)


def _with_lists(frame: pl.DataFrame, file: Source, door: Door) -> pl.DataFrame | None:
    if not {"start", "duration", "value"} <= set(frame.columns):
        rule = "the columns must be start, duration and value; the file was not read"
        door.log.reject(file.name, 1, ",".join(frame.columns), rule, count=max(frame.height, 1))
        return None
    return frame


def _exploded(frame: pl.DataFrame, door: Door) -> pl.DataFrame:
    """Return one row a value: start of its list, seconds in the list before it, its duration and value."""
    lists = [
        pl.col(name)
        .str.strip_chars(' "[]')
        .str.split(",")
        .list.eval(pl.element().str.strip_chars().cast(pl.Float64, strict=False))
        for name in ("duration", "value")
    ]
    frame = frame.select("start", *lists)
    same = (frame["duration"].list.len() == frame["value"].list.len()).fill_null(value=False)
    door.left_out(~same.to_numpy(), frame["start"], "the row has not as many durations as values")
    frame = frame.filter(same).with_row_index("row")
    frame = frame.explode("duration", "value").with_columns(
        pl.when(pl.col("duration").is_between(0, 1e6)).then(pl.col("duration")).otherwise(float("nan"))
    )
    before = pl.col("duration").cum_sum().over("row") - pl.col("duration")
    return frame.with_columns(before.alias("before"), pl.col("value").fill_null(float("nan")))


def _ms(seconds: FloatArray) -> np.ndarray:
    known = np.abs(seconds) < 1e9
    ms = np.full(seconds.shape, np.timedelta64("NaT", "ms"))
    ms[known] = np.round(seconds[known] * 1000).astype("timedelta64[ms]")
    return ms


TableReader = Callable[[Table, Door], Iterator[Batch]]


def _weights(table: Table, door: Door) -> Iterator[Batch]:
    factors = {"weight (kg)": 1.0, "weight (lb)": KG_PER_LB}
    columns = [name for name in table.frame.columns if name.startswith("weight (")]
    yield from _typed_table(table, door, {name: ("weight_kg", factors.get(name, 0.0)) for name in columns})


def _heights(table: Table, door: Door) -> Iterator[Batch]:
    yield from _typed_table(table, door, {"height (m)": ("height_cm", 100.0), "height (cm)": ("height_cm", 1.0)})


def _pressures(table: Table, door: Door) -> Iterator[Batch]:
    columns = {"systolic": "systolic_mmhg", "diastolic": "diastolic_mmhg", "heart rate": "hr_bpm"}
    yield from _typed_table(table, door, {name: (quantity, 1.0) for name, quantity in columns.items()})


def _typed_table(table: Table, door: Door, columns: dict[str, tuple[str, float]]) -> Iterator[Batch]:
    time = door.clock.read(table.cells("date"), door.file, door.log).time
    for column, (quantity, factor) in columns.items():
        if column not in table:
            continue
        given = ~table.empty(column)
        if factor == 0.0:
            door.left_out(given, table.cells(column), f"the unit of the column {column} is not known")
            continue
        value = table.numbers(column, door.log) * factor
        yield from door.batch(quantity, Device("withings"), time[given], value[given])


def _nights(table: Table, door: Door) -> Iterator[Batch]:
    time, end = (door.clock.read(table.cells(name), door.file, door.log).time for name in ("from", "to"))
    yield from door.batch("sleep", Device("withings"), time, end=end, kind=Kind.SLEEP, label="in_bed",
                          zone_min=offsets_min(table.cells("from")))  # fmt: skip


def _trainings(table: Table, door: Door) -> Iterator[Batch]:
    time, end = (door.clock.read(table.cells(name), door.file, door.log).time for name in ("from", "to"))
    minutes: FloatArray = (end - time) / MINUTE
    yield from door.batch("exercise", Device("withings", role="watch"), time, minutes, end=end, kind=Kind.WORKOUT,
                          label=pl.Series(table.text("activity type")),
                          zone_min=offsets_min(table.cells("from")))  # fmt: skip


_TABLES: tuple[tuple[frozenset[str], TableReader], ...] = (
    (frozenset({"date", "heart rate", "systolic", "diastolic", "comments"}), _pressures),
    (frozenset({"from", "to", "light (s)", "deep (s)"}), _nights),
    (frozenset({"from", "to", "from (manual)", "activity type"}), _trainings),
)


def _table_reader(head: bytes) -> TableReader | None:
    line = head.decode("utf-8-sig", errors="replace").partition("\n")[0]
    columns = {name.strip().strip('"').lower() for name in line.split(",")}
    if {"date", "comments"} <= columns:
        if any(name.startswith("weight (") for name in columns) and any(
            name.startswith("fat mass (") for name in columns
        ):
            return _weights
        if columns <= {"date", "comments", "height (m)", "height (cm)"}:
            return _heights
    return next((reader for needs, reader in _TABLES if needs <= columns), None)


# -- both --------------------------------------------------------------------------------------------------------------


def _zones(timezone: str | None) -> Zones | None:
    try:
        return Zones((timezone,)) if timezone else None
    except ValueError:
        return None


def _zone_min(time: TimeArray, timezone: str | None) -> pl.Series | None:
    """Return the offset of a named zone at instants [min]; null where there is none."""
    zones = _zones(timezone)
    if zones is None:
        return None
    known = ~np.isnat(time) & (time > EARLIEST) & (time < LATEST)
    offset = np.zeros(time.size, dtype=np.int64)
    offset[known] = zones.offset_min(time[known])
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(offset))).to_series()


def _by(rows: Iterable[T], key: Callable[[T], Any]) -> list[tuple[Any, list[T]]]:
    """Part rows by a key, in the order in which the keys are first seen."""
    parts: dict[Any, list[T]] = {}
    for row in rows:
        parts.setdefault(key(row), []).append(row)
    return list(parts.items())

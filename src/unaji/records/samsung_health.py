"""Samsung Health: the folder of "Download personal data": one CSV a table, and JSON files of bins that rows name.

The first line of a table says its name, the second its columns (often with the table's name before each), and rows end
with a comma too many. Times are UTC as text (`time_offset` beside them gives the wall clock); in bins they are UTC in
milliseconds. -1 is no value. Where a row names a file of bins that is among the files, the bins are read instead of the
row, which only repeats their mean; heart rate variability stands nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import from_unix, numbers, offsets_min, vendor_ids, wall_times, whole_file
from unaji.records.clock import Clock
from unaji.records.door import NO_STAGE, Door
from unaji.records.json_head import key_paths
from unaji.records.json_read import document, listed
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, csv_table
from unaji.records.timeline import BoolArray, FloatArray, TimeArray

CELL = float | str | None
ROWS_A_BATCH = 50_000
STAGES = {40001: "awake", 40002: "light", 40003: "deep", 40004: "rem", 1: "awake", 2: "light", 3: "deep", 4: "rem"}
TRAININGS = {1001: "walking", 1002: "running", 11007: "cycling", 13001: "hiking", 14001: "swimming"}
NIGHT_H, DAY_H = (1, 5), (13, 17)  # on the wall clock
NIGHT_ABOVE_DAY_BPM = 8.0
ENOUGH_HEART_RATES = 200

_FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?(com\.samsung\.s?health\.[\w.]+),\d+(?:,\d+)?,?[ \t]*\r?\n")
_HOURS_ONLY = r"^(?:UTC|GMT)([+-])(\d{1,2})$"
_BIN_VALUES = ("heart_rate", "rmssd", "sdnn", "spo2", "temperature", "mean", "score")


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as a table or a file of bins does."""
    paths = key_paths(head)
    if not paths:
        return _FIRST_LINE.match(head) is not None
    return {"[].start_time", "[].end_time"} <= paths and any(f"[].{value}" in paths for value in _BIN_VALUES)


def export_of(file: Source) -> str:
    """Return the folder of the export that a file belongs to; files of bins lie deep below its folder ``jsons``."""
    return re.split(r"(?:^|/)jsons(?:/|$)", file.folder)[0]


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the files of one export; tables and bins belong together, in whatever folders they lie."""
    tables: list[tuple[Source, str]] = []
    bins: dict[str, Source] = {}
    for file in files:
        if found := _FIRST_LINE.match(head := file.head):
            tables.append((file, found[1].decode()))
        elif head.lstrip().startswith(b"["):
            bins[file.base_name] = file
    named: dict[str, _Row] = {}
    for file, name in tables:
        yield from _read_table(file, name, bins, named, Door(file.name, clock, log))
    yield from _read_bins(bins, named, clock, log)


# -- tables ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """What the row that names a file of bins says of it."""

    table: str
    zone_min: int | None
    device: Device


def _read_table(
    file: Source, name: str, bins: Mapping[str, Source], named: dict[str, _Row], door: Door
) -> Iterator[Batch]:
    reader = _TABLES.get(name.rpartition(".")[2])
    if reader is None:
        door.log.remark(file.name, None, name, "a table of Samsung's that was not read: unaji does not use it")
        return
    table = _table(file, name, door)
    if table is None or not len(table):
        return
    binned = _named_bins(table, name, bins, named, door.log)
    yield from reader(table.where(~binned), door)


def _table(file: Source, name: str, door: Door) -> Table | None:
    """Return a table with short column names, without its first line and the commas too many."""
    data = whole_file(file, door.log)
    if data is None:
        return None
    body = data.partition(b"\n")[2]
    header, _, rest = body.partition(b"\n")
    header = header.rstrip(b"\r")
    if rest.partition(b"\n")[0].rstrip(b"\r").count(b",") > header.count(b","):
        header += b",_"
    table = csv_table(header + b"\n" + rest, file.name, door.log)
    if table is None:
        return None
    short: dict[str, str] = {}
    for column in table.frame.columns:  # a column with the table's name before it wins over one without
        plain = column.rpartition(".")[2]
        if plain not in short or "." in column:
            short[plain] = column
    frame = table.frame.select(pl.col(column).alias(plain) for plain, column in short.items())
    return Table(table.file, frame, table.lines + 1)


def _named_bins(
    table: Table, name: str, bins: Mapping[str, Source], named: dict[str, _Row], log: ProblemLog
) -> BoolArray:
    """Note which files of bins the rows name, and return the rows whose file is there."""
    column = next((column for column in ("binning_data", "binning") if column in table), None)
    if column is None:
        return np.zeros(len(table), dtype=bool)
    offsets, devices = _zone_min(table).to_list(), table.text("deviceuuid")
    there = [cell.rpartition("/")[2] for cell in table.text(column)]
    for cell, zone_min, device in zip(there, offsets, devices, strict=True):
        if cell in bins:
            named[cell] = _Row(name.rpartition(".")[2], zone_min, _device(device))
    absent = sum(cell not in bins for cell in there if cell)
    if absent:
        rule = (
            f"{absent:,} rows name files of bins (jsons/…) that are not among the files; their means were read instead"
        )
        log.remark(table.file, None, column, rule)
    return np.array([cell in bins for cell in there], dtype=bool)


def _device(uuid: str) -> Device:
    return Device("samsung_health", role="watch", site="wrist", name=uuid)


def _zone_min(table: Table) -> pl.Series:
    cells = pl.Series(table.text("time_offset"), dtype=pl.String)
    return offsets_min(cells.str.replace(_HOURS_ONLY, "${1}0${2}00").str.replace(r"([+-])0(\d\d)00$", "${1}${2}00"))


def _times(table: Table, column: str) -> TimeArray:
    """Return a column of UTC times, written as text or, in some exports, as milliseconds."""
    cells = pl.Series(table.text(column), dtype=pl.String)
    time = wall_times(cells, "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    ms = cells.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    return np.where(np.isnat(time), from_unix(ms, per_second=1000), time)


def _by_device(table: Table) -> Iterator[tuple[Device, Table]]:
    names = pl.Series(table.text("deviceuuid"), dtype=pl.String)
    for name in names.unique(maintain_order=True):
        yield _device(name), table.where((names == name).to_numpy())


TableReader = Callable[[Table, Door], Iterator[Batch]]


def _values(*columns: tuple[str, str], instant: bool = False, zero: bool = False, site: str = "wrist") -> TableReader:
    """Make the reader of a table of values: pairs of column and quantity; `zero` where 0 is a value."""

    def read_values(table: Table, door: Door) -> Iterator[Batch]:
        for device, rows in _by_device(table):
            time, end = _times(rows, "start_time"), _times(rows, "end_time")
            spot = np.isnat(end) | (end <= time) if not instant else np.ones(time.size, dtype=bool)
            for column, quantity in columns:
                value = rows.numbers(column, door.log)
                none = np.isnan(value) | (value == -1) | ((value == 0) & (not zero))
                door.left_out(none & ~rows.empty(column), value, f"{column}: -1 and 0 stand for no value")
                role = device.role if site else ""  # scales and cuffs are not worn
                where = Device(device.source, role, device.name, site=site, method=_METHODS.get(quantity, ""))
                for kept, ends in ((~none & spot, None), (~none & ~spot, end)):
                    mask = pl.Series(kept)
                    yield from door.batch(
                        quantity, where, time[kept], value[kept], end=None if ends is None else ends[kept],
                        zone_min=_zone_min(rows).filter(mask), vendor_id=_names(rows).filter(mask),
                    )  # fmt: skip

    return read_values


_METHODS = {"stress_score": "samsung_stress"}


def _names(table: Table) -> pl.Series:
    return vendor_ids(table.text("datauuid"))


def _nights(table: Table, door: Door) -> Iterator[Batch]:
    yield from door.batch(
        "sleep", _device(""), _times(table, "start_time"), end=_times(table, "end_time"), kind=Kind.SLEEP,
        label="in_bed", zone_min=_zone_min(table), vendor_id=_names(table),
    )  # fmt: skip


def _stages(table: Table, door: Door) -> Iterator[Batch]:
    codes = table.numbers("stage", door.log)
    label, known = door.labels(pl.Series(codes).fill_nan(None).cast(pl.Int64, strict=False), STAGES, NO_STAGE)
    mask, rows = pl.Series(known), table.where(known)
    yield from door.batch(
        "sleep", _device(""), _times(rows, "start_time"), end=_times(rows, "end_time"), kind=Kind.SLEEP,
        label=label.filter(mask), zone_min=_zone_min(rows), vendor_id=_names(rows),
    )  # fmt: skip


def _trainings(table: Table, door: Door) -> Iterator[Batch]:
    time, end = _times(table, "start_time"), _times(table, "end_time")
    minutes: FloatArray = (end - time) / np.timedelta64(60_000, "ms")
    codes = [int(code) if abs(code) < 1e6 else 0 for code in table.numbers("exercise_type", door.log)]
    label = pl.Series([TRAININGS.get(code, f"exercise type {code}") for code in codes], dtype=pl.String)
    yield from door.batch(
        "exercise", _device(""), time, minutes, end=end, kind=Kind.WORKOUT, label=label,
        zone_min=_zone_min(table), vendor_id=_names(table),
    )  # fmt: skip


def _only_in_bins(table: Table, door: Door) -> Iterator[Batch]:
    rule = "rows whose values stand in files of bins (jsons/…) that are not among the files; import the whole folder"
    if len(table):
        door.log.reject(door.file, None, "", rule, count=len(table))
    return iter(())


_TABLES: dict[str, TableReader] = {
    "heart_rate": _values(("heart_rate", "hr_bpm")),
    "stress": _values(("score", "stress_score")),
    "oxygen_saturation": _values(("spo2", "spo2_pct")),
    "skin_temperature": _values(("temperature", "skin_temp_c")),
    "respiratory_rate": _values(("average", "resp_rate_bpm")),
    "body_temperature": _values(("temperature", "body_temp_c"), instant=True, site=""),
    "weight": _values(("weight", "weight_kg"), ("height", "height_cm"), instant=True, site=""),
    "height": _values(("height", "height_cm"), instant=True, site=""),
    "blood_pressure": _values(("systolic", "systolic_mmhg"), ("diastolic", "diastolic_mmhg"), ("pulse", "hr_bpm"),
                              instant=True, site=""),
    "pedometer_step_count": _values(("count", "steps"), zero=True),
    "hrv": _only_in_bins,
    "sleep": _nights,
    "sleep_stage": _stages,
    "exercise": _trainings,
}  # fmt: skip


# -- bins --------------------------------------------------------------------------------------------------------------


class _Bin(msgspec.Struct, gc=False):
    start_time: float
    end_time: float | None = None
    heart_rate: CELL = None
    rmssd: CELL = None
    sdnn: CELL = None
    spo2: CELL = None
    temperature: CELL = None
    mean: CELL = None
    score: CELL = None


_OF_BINS = (
    ("heart_rate", "hr_bpm", ""),
    ("rmssd", "rmssd_ms", ""),
    ("sdnn", "sdnn_ms", ""),
    ("spo2", "spo2_pct", ""),
    ("temperature", "skin_temp_c", "skin_temperature"),
    ("mean", "skin_temp_c", "skin_temperature"),
    ("score", "stress_score", "stress"),
)
"""Key, quantity, and of which table the file must be where the key alone does not tell."""


@dataclass(slots=True)
class _Gathered:
    """Bins of one device on their way into one batch: files of bins hold an hour each."""

    bins: list[_Bin] = field(default_factory=list)
    zone_min: list[int | None] = field(default_factory=list)


def _read_bins(bins: Mapping[str, Source], named: Mapping[str, _Row], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    gathered: dict[tuple[str, Device], _Gathered] = {}
    for name, file in bins.items():
        row = named.get(name) or _Row(_table_of(file), None, _device(""))
        key = (row.table, row.device)
        into = gathered.setdefault(key, _Gathered())
        raw = document(file, msgspec.Raw, log)
        found = [] if raw is None else listed(raw, _Bin, file.name, log)
        into.bins += found
        into.zone_min += [row.zone_min] * len(found)
        if len(into.bins) >= ROWS_A_BATCH:
            del gathered[key]
            yield from _of_bins(into, *key, Door(f"jsons/{row.table}", clock, log))
    for (table, device), part in gathered.items():
        yield from _of_bins(part, table, device, Door(f"jsons/{table}", clock, log))


def _table_of(file: Source) -> str:
    """Return the table of a file of bins by the folder it lies in."""
    folder = next((part for part in file.folder.split("/") if part.startswith("com.samsung.")), "")
    return folder.rpartition(".")[2]


def _of_bins(part: _Gathered, table: str, device: Device, door: Door) -> Iterator[Batch]:
    time = from_unix([cell.start_time for cell in part.bins], per_second=1000)
    end = from_unix(numbers([cell.end_time for cell in part.bins]), per_second=1000)
    zone_min = pl.Series(part.zone_min, dtype=pl.Int16)
    columns = {
        key: numbers([getattr(cell, key) for cell in part.bins]) for key, _, only in _OF_BINS if only in ("", table)
    }
    if not part.bins:
        return
    if "mean" in columns:  # newer files name the bin's temperature; both at once are one reading
        columns["mean"] = np.where(np.isnan(columns["temperature"]), columns["mean"], np.nan)
    if all(np.isnan(value).all() for value in columns.values()):
        rule = "bins that hold nothing unaji uses, or do not say of which table they are"
        door.log.reject(door.file, None, table, rule, count=len(part.bins), lost=False)
        return
    for key, quantity, _ in _OF_BINS:
        value = columns.get(key, np.array([np.nan]))
        if np.isnan(value).all():
            continue
        none = (value == -1) | (value == 0)
        given = door.left_out(none, value, f"{key}: -1 and 0 stand for no value") & ~np.isnan(value)
        if quantity == "hr_bpm":
            _check_day_and_night(time[given], value[given], zone_min.filter(pl.Series(given)), door)
        where = Device(device.source, device.role, device.name, site=device.site, method=_METHODS.get(quantity, ""))
        ends = np.where(np.isnat(end), time, end)
        yield from door.batch(quantity, where, time[given], value[given], end=ends[given],
                              zone_min=zone_min.filter(pl.Series(given)))  # fmt: skip


def _check_day_and_night(time: TimeArray, bpm: FloatArray, zone_min: pl.Series, door: Door) -> None:
    """Remark where the heart beats faster at night than by day: some exports' times are said not to be UTC."""
    known = zone_min.is_not_null().to_numpy() & ~np.isnat(time)
    local = time[known] + zone_min.fill_null(0).to_numpy()[known].astype("timedelta64[m]")
    hour = local.astype("datetime64[h]").astype(np.int64) % 24
    night, day = (bpm[known][(hour >= low) & (hour < high)] for low, high in (NIGHT_H, DAY_H))
    if min(night.size, day.size) >= ENOUGH_HEART_RATES and np.median(night) > np.median(day) + NIGHT_ABOVE_DAY_BPM:
        rule = (
            "the heart beats faster at night than by day: are the times of this export in the wall clock, not in UTC?"
        )
        door.log.remark(door.file, None, f"{np.median(night):g} against {np.median(day):g}", rule)

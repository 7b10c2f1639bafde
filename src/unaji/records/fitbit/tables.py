"""The CSV files of Fitbit's account export, in folders by theme and in ``Physical Activity_GoogleData``.

A file is recognised by the names of its columns. Takeout gives many things twice, here and in JSON; both are read, and
what is twice is one when the timeline is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import offsets_min, vendor_ids, whole_table
from unaji.records.clock import NAT
from unaji.records.door import NO_STAGE, Door
from unaji.records.fitbit.nights import STAGES, WATCH
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import TimeArray

SPO2_SENTINEL = 50.0  # Fitbit writes it where it could not tell
FIVE_MIN_S = 300.0
NIGHTLY = "fitbit_nightly"
COMPANIONS = frozenset({"data source", "sensor_type"})


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file.

    Attributes
    ----------
    needs : frozenset of str
        Columns, in lower case, that tell this kind from all others.
    values : tuple of (column, quantity, factor)
        What is read.
    stamp : str
        Column of the times.
    lasts_s : float
        How long the interval lasts that begins at the stamp; 0 where the value is of that instant.
    daily : bool
        Whether the stamp stands for its whole local day.
    method : str
        How the value came about, where it is no plain reading.
    missing : float or None
        A number that stands for no value.
    alone : bool
        Whether a file with further columns is of somebody else, the columns' names being anybody's.
    """

    needs: frozenset[str]
    values: tuple[tuple[str, str, float], ...]
    stamp: str = "timestamp"
    lasts_s: float = 0.0
    daily: bool = False
    method: str = ""
    missing: float | None = None
    alone: bool = False

    def is_of(self, columns: set[str]) -> bool:
        """Say whether a file with these columns is of this kind."""
        return self.needs <= columns and not (self.alone and columns - self.needs - COMPANIONS)


def _layout(columns: str, *values: tuple[str, str, float], **options: object) -> Layout:
    return Layout(frozenset(columns.split(",")), values, **options)  # type: ignore[arg-type]


RMSSD = "root mean square of successive differences milliseconds"
BREATHS = "full sleep stats - milli breaths per minute"  # in spite of the name: breaths per minute

NOT_WORN = (
    _layout("timestamp,weight grams", ("weight grams", "weight_kg", 0.001)),
    _layout("timestamp,height millimeters", ("height millimeters", "height_cm", 0.1)),
)
"""What scales and people say; the same weights stand in the JSON, which does not say who wrote them."""
LAYOUTS = (
    _layout("timestamp,rmssd,coverage,low_frequency,high_frequency", ("rmssd", "rmssd_ms", 1),
            ("low_frequency", "lf_ms2", 1), ("high_frequency", "hf_ms2", 1), lasts_s=FIVE_MIN_S),
    _layout("timestamp,rmssd,nremhr,entropy", ("rmssd", "rmssd_ms", 1), daily=True, method=NIGHTLY),
    _layout("recorded_time,temperature", ("temperature", "skin_temp_dev_c", 1), stamp="recorded_time", lasts_s=60.0,
            alone=True),
    _layout("timestamp,average_value,lower_bound,upper_bound", ("average_value", "spo2_pct", 1), daily=True,
            method=NIGHTLY),
    _layout("timestamp,full_sleep_breathing_rate", ("full_sleep_breathing_rate", "resp_rate_bpm", 1), daily=True,
            method=NIGHTLY, missing=-1.0),
    _layout("timestamp,daily_respiratory_rate", ("daily_respiratory_rate", "resp_rate_bpm", 1), daily=True,
            method=NIGHTLY),
    _layout("sleep_log_entry_id,timestamp,resting_heart_rate", ("resting_heart_rate", "hr_resting_bpm", 1),
            daily=True, method="fitbit_sleep_score"),
    _layout("timestamp,steps", ("steps", "steps", 1), lasts_s=60.0, alone=True),
    _layout("timestamp,oxygen saturation percentage", ("oxygen saturation percentage", "spo2_pct", 1),
            missing=SPO2_SENTINEL),
    _layout(f"timestamp,{RMSSD}", (RMSSD, "rmssd_ms", 1), ("standard deviation milliseconds", "sdnn_ms", 1),
            lasts_s=FIVE_MIN_S),
    _layout("timestamp,average heart rate variability milliseconds",
            ("average heart rate variability milliseconds", "rmssd_ms", 1), daily=True, method=NIGHTLY),
    _layout("timestamp,temperature celsius", ("temperature celsius", "skin_temp_c", 1)),
    *NOT_WORN,
    _layout("timestamp,kilocalories", ("kilocalories", "active_kcal", 1), lasts_s=60.0, alone=True),
    _layout(f"timestamp,{BREATHS}", (BREATHS, "resp_rate_bpm", 1), daily=True, method=NIGHTLY, missing=-1.0),
    _layout("timestamp,breaths per minute", ("breaths per minute", "resp_rate_bpm", 1), daily=True, method=NIGHTLY),
)  # fmt: skip
HEART_RATE = _layout("timestamp,beats per minute", ("beats per minute", "hr_bpm", 1))
RESTING = _layout("timestamp,beats per minute", ("beats per minute", "hr_resting_bpm", 1), daily=True)
NIGHT_TEMPERATURE = _layout("type,sleep_start,sleep_end,nightly_temperature", stamp="sleep_start")
NIGHTS = _layout("sleep_id,sleep_type,sleep_start,sleep_end", stamp="sleep_start")
NIGHT_STAGES = _layout("sleep_id,sleep_stage_type,sleep_stage_start,sleep_stage_end", stamp="sleep_stage_start")
TRAININGS = _layout("exercise_start,exercise_end,activity_name", stamp="exercise_start")
MINUTE_SPO2 = _layout("timestamp,value", ("value", "spo2_pct", 1), missing=SPO2_SENTINEL)

_MINUTE_SPO2_ROW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?,(\d{2,3}(?:\.\d+)?)\s*")
LOWEST_MEDIAN_SPO2 = 88.0


def layout(head: bytes) -> Layout | None:
    """Return the layout of a CSV file that begins like this; None where it is none of Fitbit's."""
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    columns = {name.strip().strip('"').lower() for name in lines[0].split(",")} if lines else set()
    if columns == {"timestamp", "value"}:
        return MINUTE_SPO2 if _looks_like_spo2(lines[1:]) else None
    special = (HEART_RATE, NIGHT_TEMPERATURE, NIGHTS, NIGHT_STAGES, TRAININGS)
    return next((known for known in (*LAYOUTS, *special) if known.is_of(columns)), None)


def _looks_like_spo2(lines: list[str]) -> bool:
    """Say whether rows of the widely used columns timestamp and value can only be percentages of saturation."""
    rows = [_MINUTE_SPO2_ROW.fullmatch(line) for line in lines[:-1] or lines]  # the last one may be cut
    if not rows or not all(rows):
        return False
    value = np.array([float(row[1]) for row in rows if row])
    told = value[value != SPO2_SENTINEL]
    return told.size > 0 and bool((told <= 100).all()) and float(np.median(told)) >= LOWEST_MEDIAN_SPO2


def read(file: Source, door: Door) -> Iterator[Batch]:
    """Read one file."""
    known = layout(file.head)
    table = whole_table(file, door.log) if known else None
    if known is None or table is None:
        return
    if known is NIGHT_TEMPERATURE:
        yield from _night_temperature(table, door)
    elif known is NIGHTS or known is NIGHT_STAGES:
        yield from _nights(table, door)
    elif known is TRAININGS:
        yield from _trainings(table, door)
    else:
        if known is HEART_RATE and _is_resting(file, table):
            known = RESTING
        for device, rows in _by_device(table):
            who = Device("fitbit") if known in NOT_WORN else replace(device, method=known.method)
            yield from _plain(rows, known, who, door)


def _is_resting(file: Source, table: Table) -> bool:
    """Say whether a file is the one of resting heart rates, which has the columns of the one of all heart rates."""
    midnight = table.cells("timestamp").str.contains(r"T00:00:00(\.0+)?Z?$").all()
    return bool(midnight) or file.base_name.lower().startswith("daily_resting")


def _by_device(table: Table) -> Iterator[tuple[Device, Table]]:
    """Part rows by the column "data source"; phone and watch count the same steps side by side."""
    if "data source" not in table:
        yield WATCH, table
        return
    names = table.cells("data source").fill_null("")
    for name in names.unique(maintain_order=True):
        yield _device(name), table.where((names == name).to_numpy())


def _device(name: str) -> Device:
    word = name.lower()
    if "health connect" in word:
        return Device("fitbit", role="merged", name=name)
    if any(phone in word for phone in ("mobiletrack", "phone", " app")):
        return Device("fitbit", role="phone", name=name)
    return replace(WATCH, name=name)


def _plain(table: Table, known: Layout, device: Device, door: Door) -> Iterator[Batch]:
    cells = table.cells(known.stamp)
    end: TimeArray | None
    if known.daily:
        time, end = door.days(_dates(cells, door))
    else:
        time, end = door.clock.read(cells, door.file, door.log, equal_means_later=True).time, None
        if known.lasts_s:
            end = time + np.timedelta64(round(known.lasts_s * 1000), "ms")
    for column, quantity, factor in known.values:
        if column not in table:
            continue
        value = table.numbers(column, door.log) * factor
        rule = f"{column} {known.missing} stands for no value"
        kept = door.left_out(value == known.missing, value, rule) & ~table.empty(column)
        yield from door.batch(quantity, device, time[kept], value[kept], end=None if end is None else end[kept])


def _dates(cells: pl.Series, door: Door) -> TimeArray:
    """Return the local days that stamps of daily values speak of.

    A date, a midnight (also one that says Z) and a wall clock time name their day; another instant in UTC is the moment
    of waking and belongs to the person's day at that moment.
    """
    text = cells.fill_null("")
    named = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    days = np.array(named.to_numpy(), dtype="datetime64[ms]")
    instant = (text.str.contains(r"Z$") & ~text.str.contains(r"T00:00:00(\.0+)?Z$")).to_numpy()
    if instant.any() and door.clock.zones is not None:
        time = door.clock.read(cells.filter(pl.Series(instant)), door.file, door.log).time
        time = np.where(np.logical_or(*door.clock.impossible(time)), NAT, time)
        known = ~np.isnat(time)
        offset_min = door.clock.zones.offset_min(time[known])
        time[known] += offset_min.astype("timedelta64[m]")
        days[instant] = time
    return days.astype("datetime64[D]")


def _night_temperature(table: Table, door: Door) -> Iterator[Batch]:
    """Mean of a night at the wrist in the device's own degrees: the case warms it, so its quality is low."""
    kinds = pl.Series(table.text("type")).str.to_lowercase()
    skin = door.left_out(
        ~kinds.is_in(["skin", ""]).to_numpy(), kinds, "a night's temperature of another type than skin"
    )
    rows = table.where(skin)
    time, end = (
        door.clock.read(rows.cells(column), door.file, door.log).time for column in ("sleep_start", "sleep_end")
    )
    value = rows.numbers("nightly_temperature", door.log)
    given = ~rows.empty("nightly_temperature")
    device = replace(WATCH, method=NIGHTLY)
    yield from door.batch("skin_temp_c", device, time[given], value[given], end=end[given], low_quality=True)


def _nights(table: Table, door: Door) -> Iterator[Batch]:
    """Nights and stages in UTC with the offset beside them."""
    prefix = "sleep_stage" if "sleep_stage_start" in table else "sleep"
    time, end = (
        door.clock.read(table.cells(f"{prefix}_{which}"), door.file, door.log).time for which in ("start", "end")
    )
    zone_min = offsets_min(table.cells("start_utc_offset"))
    if prefix == "sleep":
        label = pl.repeat("in_bed", len(table), eager=True)
        names = table.cells("sleep_id")
    else:
        words = pl.Series(table.text("sleep_stage_type")).str.to_lowercase()
        names = table.cells("sleep_stage_id")
        label, known = door.labels(words, STAGES, NO_STAGE)
        time, end = time[known], end[known]
        zone_min, label, names = (cells.filter(pl.Series(known)) for cells in (zone_min, label, names))
    yield from door.batch(
        "sleep", WATCH, time, end=end, kind=Kind.SLEEP, label=label, zone_min=zone_min, vendor_id=names
    )


def _trainings(table: Table, door: Door) -> Iterator[Batch]:
    """Trainings in UTC with the offset beside them."""
    time, end = (
        door.clock.read(table.cells(f"exercise_{which}"), door.file, door.log).time for which in ("start", "end")
    )
    minutes = (end - time) / np.timedelta64(60_000, "ms")
    by_hand = pl.Series(table.text("log_type")).str.to_lowercase().str.contains("manual").to_numpy()
    zone_min, label = offsets_min(table.cells("utc_offset")), pl.Series(table.text("activity_name"))
    names = vendor_ids(table.text("exercise_id"))
    for rows, role in ((~by_hand, "watch"), (by_hand, "manual")):
        mask = pl.Series(rows)
        yield from door.batch(
            "exercise", replace(WATCH, role=role), time[rows], minutes[rows], end=end[rows], kind=Kind.WORKOUT,
            label=label.filter(mask), zone_min=zone_min.filter(mask), vendor_id=names.filter(mask),
        )  # fmt: skip

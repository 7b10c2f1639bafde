"""The JSON of Fitbit's account export (``Global Export Data``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import numbers, vendor_ids, wall_times
from unaji.records.door import Door
from unaji.records.fitbit.nights import WATCH, Night, Weighing, sleep, weights
from unaji.records.json_read import entries
from unaji.records.source import Source

Reader = Callable[[Source, Door], Iterator[Batch]]

STAMP = "%m/%d/%y %H:%M:%S"
DATE = "%m/%d/%y"
MINUTE = np.timedelta64(60, "s")
LISTS_NOT_TAKEN = {
    "calories": "they hold the energy spent at rest, which no field parts from the rest",
    "distance": "unaji has no use for it",
    "altitude": "unaji has no use for it",
}


def reader(paths: frozenset[str]) -> Reader | None:
    """Return what reads an export file with these keys; None where it is none."""
    return next((read for keys, read in _READERS if keys <= paths), None)


class _Beat(msgspec.Struct, gc=False, rename="camel"):
    bpm: float | str | None = None
    confidence: float | str | None = None


class _HeartRate(msgspec.Struct, gc=False, rename="camel"):
    date_time: str
    value: _Beat


def _heart_rate(file: Source, door: Door) -> Iterator[Batch]:
    """Heart rates every 1 to 15 s, UTC; confidence 0 (of 0 to 3) means that the sensor saw nothing usable."""
    for block in entries(file, _HeartRate, door.log):
        bpm = numbers([row.value.bpm for row in block])
        confidence = numbers([row.value.confidence for row in block])
        unsure = (confidence == 0) | (bpm == 0)
        seen = door.left_out(unsure, bpm, "heart rates that the watch itself does not trust (confidence 0) or of 0")
        time = wall_times([row.date_time for row in block], STAMP)
        yield from door.batch("hr_bpm", WATCH, time[seen], bpm[seen])


class _Resting(msgspec.Struct, gc=False, rename="camel"):
    date: str | None = None
    value: float | str | None = None


class _RestingDay(msgspec.Struct, gc=False, rename="camel"):
    value: _Resting


def _resting(file: Source, door: Door) -> Iterator[Batch]:
    """One a local day; the list runs on into the future with days without date and value."""
    for block in entries(file, _RestingDay, door.log):
        bpm = numbers([row.value.value for row in block])
        dates = wall_times([f"{row.value.date} 00:00:00" for row in block], STAMP)
        known = (bpm != 0) & ~np.isnat(dates)
        if not known.all():
            rule = "days without a resting heart rate"
            door.log.reject(door.file, None, "0", rule, count=int((~known).sum()), lost=False)
        start, end = door.days(dates[known])
        yield from door.batch("hr_resting_bpm", WATCH, start, bpm[known], end=end)


class _Plain(msgspec.Struct, gc=False, rename="camel"):
    date_time: str
    value: float | str | None = None


def _plain_list(file: Source, door: Door) -> Iterator[Batch]:
    """A list of times and numbers: what they are stands only in the file's name."""
    name = file.base_name.lower()
    if not name.startswith("steps"):
        reason = next((why for what, why in LISTS_NOT_TAKEN.items() if name.startswith(what)), "unaji does not use it")
        door.log.remark(file.name, None, file.base_name, f"a list of Fitbit's that was not read: {reason}")
        return
    for block in entries(file, _Plain, door.log):
        time = wall_times([row.date_time for row in block], STAMP)
        yield from door.batch("steps", WATCH, time, numbers([row.value for row in block]), end=time + MINUTE)


def _no_use(file: Source, door: Door) -> Iterator[Batch]:
    door.log.remark(file.name, None, file.base_name, "a list of Fitbit's that was not read: unaji does not use it")
    return iter(())


def _sleep(file: Source, door: Door) -> Iterator[Batch]:
    for block in entries(file, Night, door.log):
        yield from sleep(block, door)


def _weight(file: Source, door: Door) -> Iterator[Batch]:
    for block in entries(file, Weighing, door.log):
        yield from weights(block, door, pounds=True, date_format=DATE)


class _Exercise(msgspec.Struct, gc=False, rename="camel"):
    start_time: str
    duration: float | str | None = None
    activity_name: str = ""
    log_type: str = ""
    log_id: int | str | None = None


def _exercise(file: Source, door: Door) -> Iterator[Batch]:
    for block in entries(file, _Exercise, door.log):
        start = door.from_wall(wall_times([row.start_time for row in block], STAMP))
        minutes = numbers([row.duration for row in block]) / 60_000
        by_hand = np.array([row.log_type == "manual" for row in block])
        names = vendor_ids(row.log_id for row in block)
        labels = pl.Series([row.activity_name for row in block])
        yield from logged(door, WATCH, start, minutes, labels, names, by_hand)


def logged(
    door: Door,
    device: Device,
    start: np.ndarray,
    minutes: np.ndarray,
    label: pl.Series,
    vendor_id: pl.Series,
    by_hand: np.ndarray,
) -> Iterator[Batch]:
    """Give training, what was typed in by hand apart from what a device noticed."""
    for rows, who in ((~by_hand, device), (by_hand, Device("fitbit", role="manual"))):
        texts = (cells.filter(pl.Series(rows)) for cells in (label, vendor_id))
        yield from workouts(door, who, start[rows], minutes[rows], *texts)


def workouts(
    door: Door, device: Device, start: np.ndarray, minutes: np.ndarray, label: pl.Series, vendor_id: pl.Series
) -> Iterator[Batch]:
    """Give training of known length."""
    known = door.left_out(~((minutes > 0) & (minutes < 1e5)), minutes, "a training without length")
    start, minutes = start[known], minutes[known]
    end = start + np.round(minutes * 60_000).astype("timedelta64[ms]")
    yield from door.batch(
        "exercise", device, start, minutes, end=end, kind=Kind.WORKOUT,
        label=label.filter(pl.Series(known)), vendor_id=vendor_id.filter(pl.Series(known)),
    )  # fmt: skip


_READERS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({"[].dateTime", "[].value.bpm"}), _heart_rate),
    (frozenset({"[].dateTime", "[].value.error"}), _resting),
    (frozenset({"[].logId", "[].dateOfSleep"}), _sleep),
    (frozenset({"[].logId", "[].activityName"}), _exercise),
    (frozenset({"[].logId", "[].weight"}), _weight),
    (frozenset({"[].dateTime", "[].value.valuesInZones"}), _no_use),
    (frozenset({"[].dateTime", "[].value.demographicVO2Max"}), _no_use),
    (frozenset({"[].dateTime", "[].value"}), _plain_list),
)

"""Fitbit's sleep logs and weights, which the export and the API write in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import KG_PER_LB, numbers, vendor_ids, wall_times
from unaji.records.door import NO_STAGE, Door
from unaji.records.timeline import FloatArray, TimeArray

WATCH = Device("fitbit", role="watch", site="wrist")
ISO_WALL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
STAGES = {
    "wake": "awake", "light": "light", "deep": "deep", "rem": "rem",
    "awake": "awake", "asleep": "asleep",
    "restless": "awake",  # of logs without stages: Fitbit counts these minutes as awake (minutesAwake)
}  # fmt: skip
HEIGHTS_M = (1.2, 2.2)  # of people who weigh themselves on their own


class Level(msgspec.Struct, gc=False, rename="camel"):
    """One stage of a night."""

    date_time: str
    level: str
    seconds: float


class Levels(msgspec.Struct, gc=False, rename="camel"):
    """The stages of a night; `shortData` are wakes under three minutes that lie over them."""

    data: list[Level] = []
    short_data: list[Level] = []


class Night(msgspec.Struct, gc=False, rename="camel"):
    """One sleep log."""

    start_time: str
    end_time: str
    log_id: int | str | None = None
    levels: Levels | None = None


def sleep(nights: Sequence[Night], door: Door) -> Iterator[Batch]:
    """Give the time in bed and the stages of nights.

    All stamps of a night are on the clock of its beginning, also where the clock changes in it; so only the beginning
    is converted and the rest is counted from there.
    """
    start_wall = wall_times([night.start_time for night in nights], *ISO_WALL)
    start = door.from_wall(start_wall)
    end = start + (wall_times([night.end_time for night in nights], *ISO_WALL) - start_wall)
    names = vendor_ids(night.log_id for night in nights)
    yield from door.batch("sleep", WATCH, start, end=end, kind=Kind.SLEEP, label="in_bed", vendor_id=names)
    yield from _stages(nights, start - start_wall, door)


def _stages(nights: Sequence[Night], to_utc: NDArray[np.timedelta64], door: Door) -> Iterator[Batch]:
    night: list[int] = []
    stage: list[Level] = []
    short: list[bool] = []
    for i, log in enumerate(nights):
        for level in (*log.levels.data, *log.levels.short_data) if log.levels else ():
            night.append(i)
            stage.append(level)
        short += [False] * len(log.levels.data) + [True] * len(log.levels.short_data) if log.levels else []
    if not stage:
        return
    of_night = np.array(night)
    time = wall_times([level.date_time for level in stage], *ISO_WALL) + to_utc[of_night]
    seconds = numbers([level.seconds for level in stage])
    lasted = np.where((seconds > 0) & (seconds < 1e6), seconds, np.nan)
    good = ~np.isnat(time) & ~np.isnan(lasted)
    labels = pl.Series([level.level for level in stage]).replace_strict(STAGES, default=None, return_dtype=pl.String)
    good &= door.left_out(~good, [level.date_time for level in stage], "the stage has no time or no length")
    unknown = good & labels.is_null().to_numpy()
    good &= door.left_out(unknown, [level.level for level in stage], NO_STAGE)
    end = time + np.where(good, lasted * 1000, 0).astype("timedelta64[ms]")
    label, is_short = labels.to_numpy()[good], np.array(short)[good]
    time, end, label = laid_over(of_night[good], time[good], end[good], label, is_short)
    yield from door.batch("sleep", WATCH, time, end=end, kind=Kind.SLEEP, label=pl.Series(label, dtype=pl.String))


def laid_over(
    night: np.ndarray, time: TimeArray, end: TimeArray, label: np.ndarray, short: np.ndarray
) -> tuple[TimeArray, TimeArray, np.ndarray]:
    """Cut short wakes out of the stages they lie over, so that no two rows of a night overlap.

    Parameters
    ----------
    night : ndarray of int, shape (n,)
        Which night a row is of.
    short : ndarray of bool, shape (n,)
        Whether it lies over the others.
    """
    if not short.any():
        return time, end, label
    pieces = [_night_laid_over(*(column[night == i] for column in (time, end, label, short))) for i in np.unique(night)]
    starts, ends, labels = zip(*pieces, strict=True)
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(labels)


def _night_laid_over(
    time: TimeArray, end: TimeArray, label: np.ndarray, short: np.ndarray
) -> tuple[TimeArray, TimeArray, np.ndarray]:
    if not short.any():
        return time, end, label
    edges = np.unique(np.concatenate((time, end)))
    left, right = edges[:-1], edges[1:]
    below, above = (_row_at(left, time, end, rows) for rows in (~short, short))
    row = np.where(above >= 0, above, below)
    kept = row >= 0
    return left[kept], right[kept], label[row[kept]]


def _row_at(moment: TimeArray, time: TimeArray, end: TimeArray, among: np.ndarray) -> np.ndarray:
    """Return which of some rows covers each moment; -1 where none does."""
    rows = np.flatnonzero(among)
    rows = rows[np.argsort(time[rows], kind="stable")]
    if not rows.size:
        return np.full(moment.size, -1)
    last = rows[np.maximum(np.searchsorted(time[rows], moment, side="right") - 1, 0)]
    return np.where((time[last] <= moment) & (moment < end[last]), last, -1)


class Weighing(msgspec.Struct, gc=False, rename="camel"):
    """One weight."""

    date: str
    weight: float | str
    time: str = "00:00:00"
    bmi: float | str | None = None
    log_id: int | str | None = None


def weights(rows: Sequence[Weighing], door: Door, *, pounds: bool, date_format: str) -> Iterator[Batch]:
    """Give body weights; the unit is the account's, which no field tells.

    The export is said to be in pounds and the API's default is kilograms; where the body-mass index beside the weight
    makes the person impossibly small or tall in that unit and not in the other, the other is taken and remarked on.
    """
    stamps = [f"{row.date} {row.time}" for row in rows]
    time = door.from_wall(wall_times(stamps, f"{date_format} %H:%M:%S", f"{date_format} %H:%M"))
    weight = numbers([row.weight for row in rows])
    factor = _unit(weight, numbers([row.bmi for row in rows]), door, pounds=pounds)
    names = vendor_ids(row.log_id for row in rows)
    yield from door.batch("weight_kg", Device("fitbit"), time, weight * factor, vendor_id=names)


def _unit(weight: FloatArray, bmi: FloatArray, door: Door, *, pounds: bool) -> float:
    """Return kilograms in one unit of the weights."""
    usual, other = (KG_PER_LB, 1.0) if pounds else (1.0, KG_PER_LB)
    known = (weight > 0) & (bmi > 0)
    if known.any():
        height_m = float(np.sqrt(np.median(weight[known] / bmi[known])))
        low, high = HEIGHTS_M
        if not low <= height_m * usual**0.5 <= high and low <= height_m * other**0.5 <= high:
            unit = "kilograms" if pounds else "pounds"
            door.log.remark(
                door.file, None, f"{weight[known][0]:g}", f"the weights were read as {unit}: their BMI says so"
            )
            return other
    return usual

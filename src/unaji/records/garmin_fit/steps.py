"""Steps from the counters of ``monitoring``, which count from local midnight for walking and for running apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unaji.records.batch import Kind
from unaji.records.garmin_fit.messages import MONITORING, MONITORING_INFO, Reader, monitoring_stamps, unix_ms
from unaji.records.garmin_fit.protocol import TIMESTAMP, IntArray
from unaji.records.problems import ProblemLog
from unaji.records.rows import DAY_MS, Rows, some_files
from unaji.records.timeline import BoolArray, FloatArray

RUNNING, WALKING = 1, 6
AT_MIDNIGHT_MS = 60_000.0


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """Readings of the counters, shape (n,) each; `began_ms` is when the file of a reading began to count."""

    file: IntArray
    device: IntArray
    activity: FloatArray
    time_ms: FloatArray
    steps: FloatArray
    zone_min: FloatArray
    began_ms: FloatArray


def counts(reader: Reader, device_of_file: IntArray) -> Counts:
    """Return the readings of the files; the unit of a counter for these two activities is steps (half a cycle)."""
    table = reader.messages.table(MONITORING, TIMESTAMP, 3, 5, 9, 24, 26)
    steps = np.where(np.isnan(table.one(3)), table.one(9), table.one(3))
    activity = np.where(np.isnan(table.one(5)), table.one(24) % 32, table.one(5))
    keep = np.isin(activity, (RUNNING, WALKING)) & ~np.isnan(steps)
    table, steps, activity = table.where(keep), steps[keep], activity[keep]
    file = reader.file(table)
    return Counts(
        file, device_of_file[file], activity, unix_ms(monitoring_stamps(reader, table)), steps,
        reader.zone_min(table), _began_ms(reader, len(device_of_file))[file],
    )  # fmt: skip


def step_rows(readings: Sequence[Counts], names: Sequence[str], log: ProblemLog) -> Iterator[tuple[int, Rows]]:
    """Give the steps between one reading and the next of the same day, by device.

    The first reading of a day counts from midnight where its file began by then. Where the file began later, what was
    counted before belongs to an earlier file: that reading only says where counting stood.
    """
    all_of = _by_counter(readings)
    device, time_ms, steps = all_of.device, all_of.time_ms, all_of.steps
    shift_ms = np.nan_to_num(all_of.zone_min) * 60_000
    midnight = (np.ceil((time_ms + shift_ms) / DAY_MS) - 1) * DAY_MS - shift_ms  # 24:00 is a day's last reading
    follows = _no_change(device) & _no_change(all_of.activity) & _no_change(midnight)
    between = follows & (np.diff(steps, prepend=np.inf) >= 0)
    whole = ~follows & ~np.isnan(all_of.zone_min) & (all_of.began_ms <= midnight + AT_MIDNIGHT_MS)
    start = np.where(between, np.roll(time_ms, 1), midnight)
    value = np.where(between, np.diff(steps, prepend=0), steps)
    known = between | whole | np.isnan(time_ms)
    before = all_of.file[~known & (steps > 0)]
    if before.size:
        rule = "readings of steps count what was walked before their file begins; they only say where counting stood"
        log.remark(some_files(names, before), None, f"{before.size}", rule)
    keep = known & ~(between & (start == time_ms) & (value == 0))
    rows = Rows(Kind.INTERVAL, "steps", all_of.file, start, value, time_ms, all_of.zone_min).where(keep)
    for one in np.unique(device[keep]):
        yield int(one), rows.where(device[keep] == one)


def _by_counter(readings: Sequence[Counts]) -> Counts:
    """Put all readings together, those of one counter by time."""
    columns = {name: np.concatenate([getattr(part, name) for part in readings]) for name in Counts.__slots__}
    order = np.lexsort((columns["steps"], columns["time_ms"], columns["activity"], columns["device"]))
    return Counts(**{name: column[order] for name, column in columns.items()})


def _no_change(column: FloatArray | IntArray) -> BoolArray:
    """Say which rows equal the row before."""
    return np.append(False, column[1:] == column[:-1])


def _began_ms(reader: Reader, n_files: int) -> FloatArray:
    """Return when each file began to count; NaN where it does not say."""
    table = reader.messages.table(MONITORING_INFO, TIMESTAMP)
    began = np.full(n_files, np.nan)
    file = reader.file(table)
    began[file[::-1]] = reader.time_ms(table)[::-1]
    return began

"""Steps from the counters of ``monitoring``, which count from local midnight for walking and for running apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unaji.records.batch import Kind
from unaji.records.door import DAY_MS, Rows, some_files
from unaji.records.garmin_fit.messages import MONITORING, MONITORING_INFO, Reader, monitoring_stamps, unix_ms
from unaji.records.garmin_fit.protocol import TIMESTAMP, IntArray
from unaji.records.problems import ProblemLog
from unaji.records.timeline import FloatArray

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
    file, device, activity, time_ms, steps, zone_min, began_ms = (
        np.concatenate([getattr(part, name) for part in readings]) for name in Counts.__slots__
    )
    order = np.lexsort((steps, time_ms, activity, device))
    file, device, activity, time_ms = file[order], device[order], activity[order], time_ms[order]
    steps, zone_min, began_ms = steps[order], zone_min[order], began_ms[order]
    shift = np.nan_to_num(zone_min) * 60_000
    midnight = (np.ceil((time_ms + shift) / DAY_MS) - 1) * DAY_MS - shift  # at 24:00 a day's last reading is written
    same = np.ones(file.size, dtype=bool)
    same[0:1] = False
    same[1:] = (np.diff(device) == 0) & (np.diff(activity) == 0) & (np.diff(midnight) == 0) & (np.diff(steps) >= 0)
    new_day = np.ones(file.size, dtype=bool)
    new_day[1:] = (np.diff(device) != 0) | (np.diff(activity) != 0) | (np.diff(midnight) != 0)
    whole = new_day & ~np.isnan(zone_min) & (began_ms <= midnight + AT_MIDNIGHT_MS)
    start = np.where(same, np.insert(time_ms[:-1], 0, np.nan), midnight)
    value = np.where(same, np.diff(steps, prepend=0), steps)
    known = same | whole | np.isnan(time_ms)
    before = file[~known & (steps > 0)]
    if before.size:
        rule = "readings of steps count what was walked before their file begins; they only say where counting stood"
        log.remark(some_files(names, before), None, f"{before.size}", rule)
    keep = known & ~(same & (np.diff(time_ms, prepend=np.nan) == 0) & (value == 0))
    rows = Rows(Kind.INTERVAL, "steps", file, start, value, time_ms, zone_min).where(keep)
    for one in np.unique(device[keep]):
        yield int(one), rows.where(device[keep] == one)


def _began_ms(reader: Reader, n_files: int) -> FloatArray:
    """Return when each file began to count; NaN where it does not say."""
    table = reader.messages.table(MONITORING_INFO, TIMESTAMP)
    began = np.full(n_files, np.nan)
    file = reader.file(table)
    began[file[::-1]] = reader.time_ms(table)[::-1]
    return began

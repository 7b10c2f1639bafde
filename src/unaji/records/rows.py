"""Rows gathered from many small files, and their way through the door: what cannot be true is left out and counted.

The rules are those of `unaji.records.door`, where rows of one file enter; here each file of a lot is told its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.cells import from_unix
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]

DAY_MS = 86_400_000.0


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Rows of one quantity on their way to the store.

    Attributes
    ----------
    file : ndarray of int, shape (n,)
        Index of the file that each row is from.
    time_ms, end_ms : ndarray, shape (n,)
        Instants [ms since 1970, UTC], NaN where not known; `end_ms` is None for instants.
    value : ndarray, shape (n,)
        NaN where the source says that nothing was measured.
    zone_min : ndarray, shape (n,), or None
        Offset of the wall clock [min], NaN where not known.
    others : mapping of str to ndarray, shape (n,)
        Any other of `unaji.records.batch.COLUMNS`: label, gap, vendor_id, low_quality.
    method : str
        As in `unaji.records.batch.Device`, where rows of one quantity are made in several ways.
    """

    kind: Kind
    quantity: str
    file: IntArray
    time_ms: FloatArray
    value: FloatArray
    end_ms: FloatArray | None = None
    zone_min: FloatArray | None = None
    others: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    method: str = ""

    def __len__(self) -> int:
        return int(self.time_ms.size)

    def where(self, keep: BoolArray) -> Rows:
        """Return some of the rows."""
        if keep.all():
            return self
        return replace(
            self,
            file=self.file[keep],
            time_ms=self.time_ms[keep],
            value=self.value[keep],
            end_ms=None if self.end_ms is None else self.end_ms[keep],
            zone_min=None if self.zone_min is None else self.zone_min[keep],
            others={name: column[keep] for name, column in self.others.items()},
        )


def let_in(rows: Rows, names: Sequence[str], clock: Clock, log: ProblemLog) -> Rows:
    """Return the rows that can be; the others are counted.

    Parameters
    ----------
    names : sequence of str
        The names of the files that `Rows.file` counts.
    """
    keep = np.ones(len(rows), dtype=bool)
    for rule, wrong, shown in _checks(rows, clock):
        broken = wrong & keep
        if broken.any():
            _note(rows.file[broken], shown[broken], names, rule, log)
            keep &= ~wrong
    rows = rows.where(keep)
    missing = np.isnan(rows.value)
    if missing.any():
        rule = f"values of {rows.quantity} say that nothing was measured; they were left out"
        log.remark(some_files(names, rows.file[missing]), None, f"{int(missing.sum())}", rule)
        rows = rows.where(~missing)
    return rows


def some_files(names: Sequence[str], file: IntArray) -> str:
    """Say which files some rows are from: the first by name, the others by how many they are."""
    several = np.unique(file)
    first = names[int(several[0])]
    return first if several.size == 1 else f"{first} and {several.size - 1:,} more files"


def batches(rows: Rows, key: NDArray[Any], device_of: Callable[[Any], Device]) -> Iterator[Batch]:
    """Give the rows as batches, those of one key together.

    Parameters
    ----------
    key : ndarray, shape (n,)
        What tells the devices apart.
    device_of : callable
        Gives the device of a key.
    """
    for one in np.unique(key):
        yield batch(rows.where(key == one), device_of(one))


def batch(rows: Rows, device: Device) -> Batch:
    """Give rows of one device as a batch."""
    columns: dict[str, Any] = {name: pl.Series(name, column) for name, column in rows.others.items()}
    if rows.end_ms is not None:
        columns["end"] = np.round(rows.end_ms)
    if rows.zone_min is not None:
        columns["zone_min"] = rows.zone_min
    return Batch(rows.kind, rows.quantity, device, frame(time=np.round(rows.time_ms), value=rows.value, **columns))


def group(pieces: Sequence[Rows], key: Callable[[Rows], Hashable]) -> Iterator[Rows]:
    """Put pieces with the same key together."""
    groups: dict[Hashable, list[Rows]] = {}
    for piece in pieces:
        if len(piece):
            groups.setdefault(key(piece), []).append(piece)
    return (_joined(group) for group in groups.values())


def zone_of(local_s: FloatArray, utc_s: FloatArray) -> FloatArray:
    """Return the offset that a local and a UTC reading of one moment show [min], NaN where it can be none.

    Offsets in use are whole quarter hours within 14 h.
    """
    with np.errstate(invalid="ignore"):
        minutes = (local_s - utc_s) / 60
        return np.where((np.abs(minutes) <= 14 * 60) & (minutes % 15 == 0), minutes, np.nan)


def local_day(time_ms: FloatArray, zone_min: FloatArray, clock: Clock, file: str) -> tuple[FloatArray, FloatArray]:
    """Return start and end [ms] of the local days that hold some instants; 23 or 25 h when the clock is changed.

    Parameters
    ----------
    zone_min : ndarray, shape (n,)
        Offset that the source gives [min]; where it is NaN the person's zone counts, and a day cannot be told (NaN)
        when nobody has said that either.
    """
    start, end = np.full(time_ms.size, np.nan), np.full(time_ms.size, np.nan)
    known = np.isfinite(time_ms) & (np.abs(time_ms) < 1e14)
    stamp = np.where(known, time_ms, 0).astype("datetime64[ms]")
    person_min = np.full(time_ms.size, np.nan)
    if clock.zones is not None and known.any():
        person_min = clock.zones.offset_min(stamp).astype(np.float64)
    offset = np.where(np.isnan(zone_min), person_min, zone_min)
    known &= np.isfinite(offset)
    shift = np.where(known, offset, 0) * 60_000
    midnight = np.floor((np.where(known, time_ms, 0) + shift) / DAY_MS) * DAY_MS
    start[known], end[known] = (midnight - shift)[known], (midnight - shift)[known] + DAY_MS
    at_home = known & (offset == person_min)
    if at_home.any():
        days = pl.Series(midnight[at_home].astype("datetime64[ms]")).cast(pl.Date)
        start[at_home], end[at_home] = (
            clock.read(days, file, ProblemLog(), date_at_hour=hour).time.astype(np.float64) for hour in (0, 24)
        )
    return start, end


def _checks(rows: Rows, clock: Clock) -> Iterator[tuple[str, BoolArray, NDArray[Any]]]:
    """Give each rule with the rows that break it and what to show of them."""
    time = from_unix(rows.time_ms, per_second=1000)
    end = None if rows.end_ms is None else from_unix(rows.end_ms, per_second=1000)
    for rule, wrong in clock.broken(time, end):
        yield f"{rows.quantity}: {rule}", wrong, time
    known = None if rows.kind is Kind.BEATS else QUANTITIES.get(rows.quantity)
    if known is not None:
        yield known.rule, known.outside(rows.value), rows.value


def _note(file: IntArray, shown: NDArray[Any], names: Sequence[str], rule: str, log: ProblemLog) -> None:
    for k, first, count in zip(*np.unique(file, return_index=True, return_counts=True), strict=True):
        log.reject(names[k], None, shown[first], rule, count=int(count))


def _joined(pieces: Sequence[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    return replace(
        first,
        file=np.concatenate([piece.file for piece in pieces]),
        time_ms=np.concatenate([piece.time_ms for piece in pieces]),
        value=np.concatenate([piece.value for piece in pieces]),
        end_ms=None if first.end_ms is None else np.concatenate([_filled(piece.end_ms, piece) for piece in pieces]),
        zone_min=np.concatenate([_filled(piece.zone_min, piece) for piece in pieces]),
        others={name: np.concatenate([piece.others[name] for piece in pieces]) for name in first.others},
    )


def _filled(column: FloatArray | None, piece: Rows) -> FloatArray:
    return np.full(len(piece), np.nan) if column is None else column

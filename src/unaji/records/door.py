"""Columns of one vendor's file become batches: what cannot be true is left out and counted.

The exception are beats: an implausible interval stays, since judging it needs its neighbours and is the work of
`unaji.signals`. Where one lot of rows is gathered from many files, `unaji.records.rows` does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import NAT, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import BoolArray, FloatArray, TimeArray

DAY = np.timedelta64(1, "D")
NO_STAGE = "not a stage of sleep that unaji knows"
NO_VALUE = "the row has no value; it was left out"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the rows of one file enter.

    Attributes
    ----------
    file : str
        Name to show in problems.
    """

    file: str
    clock: Clock
    log: ProblemLog

    def batch(
        self,
        quantity: str,
        device: Device,
        time: TimeArray,
        value: ArrayLike | None = None,
        *,
        end: TimeArray | None = None,
        kind: Kind | None = None,
        **columns: Any,
    ) -> Iterator[Batch]:
        """Give rows as one batch, or none where nothing is left.

        Parameters
        ----------
        time, end : ndarray of datetime64[ms], shape (n,)
            UTC; NaT where it could not be read.
        value : array_like, shape (n,)
            NaN where there is none. Values outside the quantity's plausible range are left out, but for beats.
        kind : Kind, optional
            Default: a series, or intervals where `end` is given.
        **columns : ndarray or polars.Series, shape (n,), or a scalar
            Others of `unaji.records.batch.COLUMNS`.
        """
        keep = self._possible(time, end)
        given: dict[str, Any] = {"time": time, "end": end, **columns}
        if value is not None:
            given["value"] = np.asarray(value, dtype=float)
            keep &= self._plausible(quantity, given["value"], keep, beats=kind is Kind.BEATS)
        if not keep.any():
            return
        kept = given if keep.all() else {name: _filtered(column, keep) for name, column in given.items()}
        yield Batch(kind or (Kind.SERIES if end is None else Kind.INTERVAL), quantity, device, frame(**kept))

    def left_out(self, wrong: BoolArray, values: Any, rule: str) -> BoolArray:
        """Note the rows of a mask as one problem that shows the first of them, and return those that are left."""
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            self.log.reject(self.file, None, values[first], rule, count=int(wrong.sum()))
        return ~wrong

    def _possible(self, time: TimeArray, end: TimeArray | None) -> BoolArray:
        keep = np.ones(time.size, dtype=bool)
        for rule, wrong in self.clock.broken(time, end):
            keep &= self.left_out(wrong, time, rule)
        return keep

    def _plausible(self, quantity: str, value: FloatArray, among: BoolArray, *, beats: bool) -> BoolArray:
        keep = self.left_out(among & np.isnan(value), value, f"{quantity}: {NO_VALUE}")
        known = QUANTITIES.get(quantity)
        if known is None or beats:  # minutes of training have no range, and signals judges intervals between beats
            return keep
        return keep & self.left_out(among & known.outside(value), value, known.rule)

    def labels(self, codes: pl.Series, names: Mapping[Any, str], rule: str) -> tuple[pl.Series, BoolArray]:
        """Return the names of codes, null where there is none, and which have one; the others are noted."""
        label = codes.replace_strict(names, default=None, return_dtype=pl.String)
        return label, self.left_out(label.is_null().to_numpy(), codes, rule)

    def days(self, dates: NDArray[np.datetime64]) -> tuple[TimeArray, TimeArray]:
        """Return when local days begin and end: 23 to 25 hours apart."""
        start = np.full(dates.shape, NAT)
        end = start.copy()
        given = ~np.isnat(dates)
        if given.any():
            day = dates[given].astype("datetime64[D]")
            start[given] = self.clock.from_wall(day.astype("datetime64[ms]"), self.file, self.log)
            end[given] = self.clock.from_wall((day + DAY).astype("datetime64[ms]"), self.file, self.log)
        return start, end

    def from_wall(self, wall: TimeArray, *, equal_means_later: bool = False) -> TimeArray:
        """Return wall clock readings as instants; NaT stays NaT."""
        time = np.full(wall.shape, NAT)
        given = ~np.isnat(wall)
        if given.any():
            time[given] = self.clock.from_wall(wall[given], self.file, self.log, equal_means_later=equal_means_later)
        return time


def each_file(
    files: Sequence[Source], clock: Clock, log: ProblemLog, read_file: Callable[[Source, Door], Iterator[Batch]]
) -> Iterator[Batch]:
    """Read files one by one; where one breaks off, what came before is kept, the reason noted, and the next is read.

    Raises
    ------
    InputError
        A wall clock was found, and nobody has said in which time zone.
    """
    for file in files:
        try:
            yield from read_file(file, Door(file.name, clock, log))
        except InputError as error:
            if clock.zones is None:
                raise
            log.reject(file.name, None, "", str(error))


def _filtered(column: Any, keep: BoolArray) -> Any:
    if isinstance(column, pl.Series):
        return column.filter(pl.Series(keep))
    return column[keep] if isinstance(column, np.ndarray) else column

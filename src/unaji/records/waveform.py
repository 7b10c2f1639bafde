"""Evenly sampled signals on their way to the store, stretch by stretch as they come in constant memory, and back.

A stretch begins at an instant and goes on at the sampling rate; where the recorder paused, a new one begins. Stored are
at most `MOST_HZ` values a second, since a row's time is a whole millisecond and two rows of one time would be one; of
what changes in seconds (skin, breath, blood), at most `MOST_HZ_SLOW`. Faster signals are averaged over as few
neighbouring samples as that needs, and each mean stands at their middle.

What comes back are values at whole milliseconds, without those that were not recorded; `recordings_of` lays them on an
even grid again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil
from operator import itemgetter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device
from unaji.records.clock import EARLIEST, LATEST_AFTER_NOW, Clock
from unaji.records.door import Door
from unaji.records.preferred import Spacing
from unaji.records.timeline import FloatArray, Series, TimeArray, Wave, utc_ms

BLOCK = 1 << 17
"""Samples that are worth reading at a time."""

MOST_HZ, MOST_HZ_SLOW = 1000.0, 16.0
FAST = ("ecg_mv", "bvp")
"""Quantities whose shape within a second matters."""

PAUSE_MS = 10_000
"""A pause longer than this parts two recordings."""

LEAST_RECORDED = 0.25
"""Least share of a recording's samples that must be there."""


class Waveform:
    """One signal.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    zone_min : int, optional
        Offset of the wall clock that the source itself gives [min]; by default that of the person's zones.
    """

    def __init__(
        self, door: Door, quantity: str, device: Device, rate_hz: float, *, zone_min: int | None = None
    ) -> None:
        self._door, self._quantity, self._device, self._zone_min = door, quantity, device, zone_min
        self._every = max(1, ceil(rate_hz / (MOST_HZ if quantity in FAST else MOST_HZ_SLOW)))
        self._step_ms = 1000.0 / rate_hz
        self._next_ms = 0.0  # of the first sample that waits
        self._waiting: FloatArray = np.zeros(0)
        self._name, self._number, self._missing, self._outside = "", 0, 0, 0
        if self._every > 1:
            rule = f"samples of {quantity} were averaged over {self._every} neighbours: {rate_hz:g} a second are given"
            door.log.remark(door.file, None, self._every, rule)

    def begin(self, start_ms: float, name: str = "") -> None:
        """Say when the next sample is [ms since 1970 UTC]; what was too little for a last mean is forgotten.

        Parameters
        ----------
        name : str
            What the stretch is called, where its values may be stamped a little differently another time: by it and
            their number they are then known as the same.
        """
        self._next_ms, self._waiting = start_ms, np.zeros(0)
        self._name, self._number = name, 0

    def feed(self, samples: FloatArray) -> Iterator[Batch]:
        """Take the next samples in the quantity's unit, NaN where nothing was recorded."""
        every, step_ms = self._every, self._step_ms
        if every > 1:  # what cannot be must not spoil its neighbours' mean: a sensor that is off says 0
            outside = QUANTITIES[self._quantity].outside(samples)
            self._outside += int(outside.sum())
            samples = np.where(outside, np.nan, samples)
        ready = np.concatenate([self._waiting, samples]) if self._waiting.size else samples
        n = ready.size // every
        value = ready[: n * every].reshape(n, every).mean(axis=1) if every > 1 else ready
        middle_ms = self._next_ms + (np.arange(n) * every + (every - 1) / 2) * step_ms
        self._waiting, self._next_ms = ready[n * every :], self._next_ms + n * every * step_ms
        there = ~np.isnan(value)
        self._missing += int(n - there.sum())
        time = np.round(middle_ms[there]).astype(np.int64).astype("datetime64[ms]")
        if time.size:
            zone_min = offsets_min(self._door.clock, time) if self._zone_min is None else self._zone_min
            names = numbered(self._name, self._number + np.flatnonzero(there)) if self._name else None
            yield from self._door.batch(
                self._quantity, self._device, time, value[there], zone_min=zone_min, vendor_id=names
            )
        self._number += n

    def finish(self) -> None:
        """Say how much the recorder marked as not recorded, and how many samples could not be."""
        if self._outside:
            rule = QUANTITIES[self._quantity].rule
            self._door.log.reject(self._door.file, None, "", rule, count=self._outside)
        if self._missing:
            rule = f"values of {self._quantity} are marked as not recorded; they were left out"
            self._door.log.remark(self._door.file, None, self._missing, rule)


def numbered(name: str, numbers: NDArray[np.int64]) -> pl.Series:
    """Name the values of a stretch by their number in it, shape (n,)."""
    return name + "." + pl.Series(numbers).cast(pl.String)


def offsets_min(clock: Clock, time: TimeArray) -> NDArray[np.int64] | None:
    """Return the wall clock's offset from UTC where the person was [min]; None where nobody has said where that is."""
    if clock.zones is None:
        return None
    # Instants that cannot be are left out at the door; no calendar reaches some of them.
    return clock.zones.offset_min(np.clip(time, EARLIEST, utc_ms(clock.now + LATEST_AFTER_NOW)))


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """The even grid of a recording.

    Attributes
    ----------
    start : datetime64[ms]
        The instant of the first sample, UTC.
    rate_hz : float
    n_samples : int
    """

    start: np.datetime64
    rate_hz: float
    n_samples: int


Laid = tuple[Recording, Iterable[FloatArray]]
"""A recording, and its samples part by part: NaN where nothing was recorded."""


def recordings_of(signal: Series | Wave) -> Iterator[Laid]:
    """Lay a stored signal on an even grid again, recording by recording and part by part.

    A recording of which most is missing is left out, and so is one whose rate milliseconds cannot tell. The parts of
    each are there until the next is asked for.
    """
    grids = _grids(signal)
    for grid, laid in groupby(_laid(signal, grids), key=itemgetter(0)):
        yield grid.recording, (samples for _, samples in laid)


@dataclass(frozen=True, eq=False, slots=True)
class _Grid:
    """Where the samples of a recording are."""

    first_ms: int
    step_ms: float
    recording: Recording

    @classmethod
    def of(cls, spacing: Spacing, step_ms: float) -> _Grid | None:
        """Return the grid of a recording; None where there is none that it could be laid on."""
        if spacing.rows < 2 or not step_ms >= 1000.0 / MOST_HZ:
            return None
        n_samples = round((spacing.last_ms - spacing.first_ms) / step_ms) + 1
        if spacing.rows < LEAST_RECORDED * n_samples:
            return None
        start = np.datetime64(spacing.first_ms, "ms")
        return cls(spacing.first_ms, step_ms, Recording(start, 1000.0 / step_ms, n_samples))


_Part = tuple[int, NDArray[np.int64], FloatArray]
"""Number of a recording, and the times [ms] and values of some of its samples."""


def _parts(signal: Series | Wave) -> Iterator[_Part]:
    """Cut the pieces of a signal where a pause parts two recordings."""
    number, last_ms = -1, None
    for time, value in signal.pieces():
        time_ms = time.astype(np.int64)
        pauses = np.diff(time_ms, prepend=time_ms[0] if last_ms is None else last_ms) > PAUSE_MS
        pauses[0] |= last_ms is None
        cuts = np.unique([0, *np.flatnonzero(pauses), time_ms.size])
        for first, last in pairwise(cuts.tolist()):
            number += bool(pauses[first])
            yield number, time_ms[first:last], value[first:last]
        last_ms = int(time_ms[-1])


def _grids(signal: Series | Wave) -> list[_Grid | None]:
    """Return the grid of each recording: it takes a reading for the usual step, and one for the longest stretch."""
    spacings: list[Spacing] = []
    for number, time_ms, _ in _parts(signal):
        if number == len(spacings):
            spacings.append(Spacing())
        spacings[number].add(time_ms)
    longest = [_LongestStretch(1.5 * one.median_ms + 1.0) for one in spacings]
    for number, time_ms, _ in _parts(signal):
        longest[number].add(time_ms)
    return [_Grid.of(spacing, one.step_ms) for spacing, one in zip(spacings, longest, strict=True)]


class _LongestStretch:
    """The longest stretch in which no two samples are further apart than the limit: it tells the step.

    The times of samples were rounded to milliseconds, so that one step is not known from two neighbours.
    """

    def __init__(self, limit_ms: float) -> None:
        self._limit_ms = limit_ms
        self._rows, self._first_ms, self._last_ms = 0, 0, 0  # of the stretch that goes on
        self._longest = (0, 0, 0)

    def add(self, time_ms: NDArray[np.int64]) -> None:
        """Take the times of the next samples."""
        before_ms = self._last_ms if self._rows else time_ms[0]
        broken = np.flatnonzero(np.diff(time_ms, prepend=before_ms) > self._limit_ms)
        firsts, beyond = np.append(0, broken), np.append(broken, time_ms.size)
        rows, first_ms = beyond - firsts, time_ms[firsts]
        last_ms = np.where(rows > 0, time_ms[beyond - 1], before_ms)  # at once broken, the one before ends as it was
        if self._rows:
            rows[0], first_ms[0] = rows[0] + self._rows, self._first_ms
        most = int(np.argmax(rows))
        if rows[most] > self._longest[0]:
            self._longest = int(rows[most]), int(first_ms[most]), int(last_ms[most])
        self._rows, self._first_ms, self._last_ms = int(rows[-1]), int(first_ms[-1]), int(last_ms[-1])

    @property
    def step_ms(self) -> float:
        """How far two samples are apart."""
        rows, first_ms, last_ms = self._longest
        return (last_ms - first_ms) / max(rows - 1, 1)


def _laid(signal: Series | Wave, grids: Sequence[_Grid | None]) -> Iterator[tuple[_Grid, FloatArray]]:
    """Give the samples of the recordings that have a grid; the last of a part waits, for its place may be taken."""
    grid: _Grid | None = None
    at, waiting = 0, np.zeros(0)
    for number, time_ms, value in _parts(signal):
        if grids[number] is not grid:
            if grid is not None:
                yield grid, waiting
            grid, at, waiting = grids[number], 0, np.zeros(0)
        if grid is None:
            continue
        place = np.round((time_ms - grid.first_ms) / grid.step_ms).astype(np.int64) - at
        samples = np.full(int(place[-1]) + 1, np.nan)
        samples[: waiting.size] = waiting
        samples[place] = value
        yield grid, samples[:-1]
        at, waiting = at + int(place[-1]), samples[-1:]
    if grid is not None:
        yield grid, waiting

"""Evenly sampled signals on their way to the store, stretch by stretch as they come in constant memory, and back.

A stretch begins at an instant and goes on at the sampling rate; where the recorder paused, a new one begins. Stored are
at most `MOST_HZ` values a second, since a row's time is a whole millisecond and two rows of one time would be one; of
what changes in seconds (skin, breath, blood), at most `MOST_HZ_SLOW`. Faster signals are averaged over as few
neighbouring samples as that needs, and each mean stands at their middle.

What comes back is a series of values at whole milliseconds, without those that were not recorded; `recordings_of` lays
it on an even grid again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device
from unaji.records.clock import EARLIEST, LATEST_AFTER_NOW, Clock
from unaji.records.door import Door
from unaji.records.timeline import FloatArray, Series, TimeArray, utc_ms

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
    """An evenly sampled signal.

    Attributes
    ----------
    start : datetime64[ms]
        The instant of the first sample, UTC.
    samples : ndarray, shape (n,)
        NaN where nothing was recorded.
    """

    start: np.datetime64
    rate_hz: float
    samples: FloatArray


def recordings_of(series: Series) -> Iterator[Recording]:
    """Lay a stored signal on an even grid again, recording by recording.

    A recording of which most is missing is left out, and so is one whose rate milliseconds cannot tell.
    """
    time_ms = series.time.astype(np.int64)
    breaks = np.flatnonzero(np.diff(time_ms) > PAUSE_MS) + 1
    for first, last in zip(np.append(0, breaks), np.append(breaks, time_ms.size), strict=True):
        own_ms = time_ms[first:last]
        step_ms = _step_ms(own_ms) if own_ms.size > 1 else 0.0
        if not step_ms >= 1000.0 / MOST_HZ:
            continue
        place = np.round((own_ms - own_ms[0]) / step_ms).astype(np.int64)
        if place.size < LEAST_RECORDED * (place[-1] + 1):
            continue
        samples = np.full(int(place[-1]) + 1, np.nan)
        samples[place] = series.value[first:last]
        yield Recording(series.time[first], 1000.0 / step_ms, samples)


def _step_ms(time_ms: NDArray[np.int64]) -> float:
    """Return how far samples are apart whose times were rounded to milliseconds: by the longest unbroken stretch."""
    apart = np.diff(time_ms)
    broken = np.flatnonzero(apart > 1.5 * np.median(apart) + 1.0)
    edges = np.concatenate([[-1], broken, [apart.size]])
    longest = int(np.argmax(np.diff(edges)))
    first, last = int(edges[longest]) + 1, int(edges[longest + 1])
    return float(time_ms[last] - time_ms[first]) / max(last - first, 1)

"""Evenly sampled signals on their way to the store: stretch by stretch as they come, in constant memory.

A stretch begins at an instant and goes on at the sampling rate; where the recorder paused, a new one begins. Stored are
at most `MOST_HZ` values a second, since a row's time is a whole millisecond and two rows of one time would be one; of
what changes in seconds (skin, breath, blood), at most `MOST_HZ_SLOW`. Faster signals are averaged over as few
neighbouring samples as that needs, and each mean stands at their middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device
from unaji.records.clock import EARLIEST, LATEST_AFTER_NOW, Clock
from unaji.records.rows import Door
from unaji.records.timeline import FloatArray, TimeArray, utc_ms

BLOCK = 1 << 17
"""Samples that are worth reading at a time."""

MOST_HZ, MOST_HZ_SLOW = 1000.0, 16.0
FAST = ("ecg_mv", "bvp")
"""Quantities whose shape within a second matters."""


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
        self._name, self._number, self._missing = "", 0, 0
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
        """Say how much the recorder marked as not recorded."""
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

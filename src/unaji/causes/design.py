"""Exposures and episodes on the working grid: what the engine sees, with what was not observed masked out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, TimeArray

BIN_MIN = 5
"""Width of a bin of the working grid [min]."""


@dataclass(frozen=True, eq=False, slots=True)
class Trigger:
    """One candidate cause on the grid.

    Attributes
    ----------
    kind : {"level", "dose", "protector"}
        A protector is a level that may lower the risk of the whole day; it is no candidate for having set off episodes.
    value : ndarray, shape (n_bins,)
        Level in its own unit, or the amount taken in the bin; NaN where the signal was not observed.
    lag_min : (float, float)
        Plausible range of the mean lag [min].
    hold_min : float
        How long a level is carried forward before it is filled from the person's usual day [min].
    prior : float
        Probability of being a cause before the data.
    lag_weight : tuple of float or None
        What a cohort knows of its lag: a weight for each entry (drivers × mean lags, driver-major), in place of the
        window around the middle of `lag_min`.
    readings : ndarray, shape (n_bins,), or None
        The readings behind `value` where it holds each of them until the next; NaN in all other bins. What the level
        was between them is then worked out (`unaji.causes.levels`).
    may : tuple of {"avoid", "seek"}
        What a person could do about it on a day chosen by lot; empty for the weather and for feelings.
    """

    id: str
    kind: str
    value: FloatArray
    lag_min: tuple[float, float] = (5.0, 1440.0)
    hold_min: float = 30.0
    prior: float = 0.15
    lag_weight: tuple[float, ...] | None = None
    readings: FloatArray | None = None
    may: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """Bins of five minutes in UTC, labelled with the person's clock.

    Attributes
    ----------
    time : ndarray, shape (n_bins,)
        Start of each bin, UTC.
    local_hour : ndarray, shape (n_bins,)
        Local time of day at the bin's start [h].
    day : ndarray of int, shape (n_bins,)
        Index of the local day, 0 for the first.
    day_off : ndarray of bool, shape (n_bins,)
        True on Saturdays and Sundays, local.
    observed : ndarray of bool, shape (n_bins,)
        Would an episode have been logged?
    """

    time: TimeArray
    local_hour: FloatArray
    day: NDArray[np.int64]
    day_off: BoolArray
    observed: BoolArray

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return int(self.time.size)

    @property
    def n_days(self) -> int:
        """Number of local days."""
        return int(self.day[-1]) + 1 if self.day.size else 0

    @property
    def observed_days(self) -> float:
        """Observed time [days of 24 h]."""
        return float(self.observed.sum()) * BIN_MIN / 1440


@dataclass(frozen=True, slots=True)
class Onset:
    """One episode's onset as the engine takes it: an instant with a time error, or a whole local day.

    Attributes
    ----------
    intensity : float or None
        As rated, in any unit: only the order among the person's episodes counts.
    """

    time: datetime
    end: datetime | None = None
    sd_min: float = 12.0
    whole_day: bool = False
    intensity: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The sessions of one kind of treatment, UTC, also those before the grid starts."""

    kind: str
    sessions: tuple[datetime, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """All the engine needs of one person.

    Attributes
    ----------
    courses : tuple of Course
        What treatment there was, one kind each.
    missing : tuple of str
        Ids of claimed causes for which nothing was recorded.
    told_apart : tuple of str
        Ids of causes that were answered before the fit (fever) and on which it must give no verdict.
    cohort_persons : int
        How many persons the priors of the triggers were learnt from; 0 where they are the general ones.
    """

    grid: Grid
    triggers: tuple[Trigger, ...]
    onsets: tuple[Onset, ...]
    courses: tuple[Course, ...] = ()
    missing: tuple[str, ...] = ()
    told_apart: tuple[str, ...] = ()
    cohort_persons: int = 0


def courses_of(sessions: Iterable[tuple[str, datetime]]) -> tuple[Course, ...]:
    """Sort sessions (kind, time) into courses of one kind each, by name."""
    by_kind: dict[str, list[datetime]] = {}
    for kind, time in sessions:
        by_kind.setdefault(kind, []).append(time)
    return tuple(Course(kind, tuple(sorted(by_kind[kind]))) for kind in sorted(by_kind))

"""RR intervals as everything here works on them: with times, breaks, a class and a weight for each beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import Beats, BoolArray, FloatArray
from unaji.signals.rr import BeatKind, reject_artefacts

PACKET_MS = 50.0
"""Times that differ from the intervals by more than this are those of a packet of beats, not of beats [ms]."""

SHORTEST_MS, LONGEST_MS = 1e-3, 3.6e6
"""What is outside, a microsecond to an hour, was no interval between beats, whatever the unit or test pattern [ms]."""

PACKET_SHARE = 0.05
"""Share of such times from which the times are rebuilt from the intervals."""


@dataclass(frozen=True, eq=False, slots=True)
class Tachogram:
    """RR intervals in order of time.

    Attributes
    ----------
    end_s : ndarray, shape (n_beats,)
        When each interval ends, ascending [s since `origin`].
    rri_ms : ndarray, shape (n_beats,)
        Intervals as they were measured [ms]; NaN where nothing was.
    gap : ndarray of bool, shape (n_beats,)
        True where the beat before the interval is not the previous row's.
    kind : ndarray of int8, shape (n_beats,)
        `BeatKind` of each interval.
    weight : ndarray, shape (n_beats,)
        How far the interval is trusted, 0 to 1; 0 where it was rejected.
    origin : datetime64[ms] or None
        The instant of 0 s; None where no clock time is known.
    """

    end_s: FloatArray
    rri_ms: FloatArray
    gap: BoolArray
    kind: NDArray[np.int8]
    weight: FloatArray
    origin: np.datetime64 | None = None

    def __post_init__(self) -> None:
        shapes = {a.shape for a in (self.end_s, self.rri_ms, self.gap, self.kind, self.weight)}
        if len(shapes) != 1 or self.end_s.ndim != 1:
            raise ValueError(f"end_s, rri_ms, gap, kind and weight must be of one length, got shapes {shapes}")
        if (np.diff(self.end_s) < 0).any():
            raise ValueError("end_s must ascend")
        for array in (self.end_s, self.rri_ms, self.gap, self.kind, self.weight):
            array.setflags(write=False)

    def __len__(self) -> int:
        return int(self.end_s.size)

    @property
    def start_s(self) -> FloatArray:
        """When each interval starts [s]; the end where nothing was measured."""
        return self.end_s - np.nan_to_num(self.rri_ms) / 1000.0

    @property
    def nn_ms(self) -> FloatArray:
        """Intervals that may be used [ms]; NaN for the others."""
        return np.where(self.weight > 0.0, self.rri_ms, np.nan)

    @property
    def joined(self) -> BoolArray:
        """Whether each interval may be compared with the row before: both valid and no beat missing between."""
        valid = (self.weight > 0.0) & ~np.isnan(self.rri_ms)
        joined = valid & ~self.gap
        joined[1:] &= valid[:-1]
        joined[:1] = False
        return joined

    @property
    def corrected_fraction(self) -> float:
        """Share of the measured intervals that was rejected; NaN when none was measured."""
        measured = self.kind != BeatKind.MISSING
        return float(np.mean(self.weight[measured] <= 0.0)) if measured.any() else float("nan")

    def holes(self, shortest_s: float) -> tuple[FloatArray, FloatArray]:
        """Return begin and end of the stretches without an interval that may be used, of at least this length [s]."""
        used = ~np.isnan(self.nn_ms)
        begin, end = self.end_s[used][:-1], self.start_s[used][1:]
        long = end - begin >= shortest_s
        return begin[long], end[long]

    @classmethod
    def of_intervals(
        cls, rri_ms: FloatArray, *, gap: BoolArray | None = None, weight: FloatArray | None = None, correct: bool = True
    ) -> Tachogram:
        """Make one of intervals that follow each other, the first starting at 0 s.

        Parameters
        ----------
        rri_ms : ndarray, shape (n_beats,)
            RR intervals [ms]. What is not a number from `SHORTEST_MS` to `LONGEST_MS` counts as not measured and takes
            no time.
        gap : ndarray of bool, shape (n_beats,), optional
            True where beats are missing before the interval.
        weight : ndarray, shape (n_beats,), optional
            How far each interval is trusted, 0 to 1, as a detector's quality says.
        correct : bool
            False takes every measured interval as it is: no artefacts, no limits of range (for test patterns).
        """
        rri_ms = measured_ms(rri_ms)
        breaks = np.zeros(rri_ms.size, dtype=bool) if gap is None else np.array(gap, dtype=bool)
        if breaks.shape != rri_ms.shape:
            raise ValueError(f"gap {breaks.shape} and rri_ms {rri_ms.shape} differ in shape")
        breaks[1:] |= np.isnan(rri_ms[:-1])  # how long what was not measured took is not known
        end_s = np.cumsum(np.nan_to_num(rri_ms)) / 1000.0
        return cls(end_s, rri_ms, breaks, *_judged(rri_ms, breaks, weight, correct))

    @classmethod
    def of_times(
        cls,
        end_s: FloatArray,
        rri_ms: FloatArray,
        *,
        gap: BoolArray | None = None,
        weight: FloatArray | None = None,
        correct: bool = True,
    ) -> Tachogram:
        """Make one of intervals whose ends are known [s]; the other parameters are those of `of_intervals`."""
        rri_ms = measured_ms(rri_ms)
        breaks = np.zeros(rri_ms.size, dtype=bool) if gap is None else np.array(gap, dtype=bool)
        return cls(np.array(end_s, dtype=np.float64), rri_ms, breaks, *_judged(rri_ms, breaks, weight, correct))

    @classmethod
    def of_beats(cls, beats: Beats, *, weight: FloatArray | None = None, correct: bool = True) -> Tachogram:
        """Make one of a person's beats; 0 s is where the first interval starts.

        Where many times are those of packets (a chest strap sends several intervals with one stamp), they are rebuilt
        from the intervals between two gaps.
        """
        rri_ms, gap = measured_ms(beats.rri_ms), np.array(beats.gap)
        if not rri_ms.size:
            empty = np.zeros(0)
            return cls(empty, empty, gap, np.zeros(0, np.int8), empty.copy(), None)
        first_ms = np.timedelta64(round(float(np.nan_to_num(rri_ms[0]))), "ms")
        origin = beats.time[0] - first_ms
        end_s = _rebuilt((beats.time - origin).astype(np.float64) / 1000.0, rri_ms, gap)
        return cls(end_s, rri_ms, gap, *_judged(rri_ms, gap, weight, correct), origin)


def measured_ms(rri_ms: FloatArray) -> FloatArray:
    """Return a copy with NaN for what was no interval between beats."""
    values = np.array(rri_ms, dtype=np.float64)
    values[~((values >= SHORTEST_MS) & (values <= LONGEST_MS))] = np.nan
    return values


def _judged(
    rri_ms: FloatArray, gap: BoolArray, weight: FloatArray | None, correct: bool
) -> tuple[NDArray[np.int8], FloatArray]:
    """Return kind and weight of each interval."""
    kind = np.where(np.isnan(rri_ms), BeatKind.MISSING, BeatKind.NORMAL).astype(np.int8)
    if correct and rri_ms.size:
        kind = reject_artefacts(rri_ms, gap).kind
    given = np.ones(rri_ms.size) if weight is None else np.clip(np.nan_to_num(weight), 0.0, 1.0)
    return kind, np.where(kind == BeatKind.NORMAL, given, 0.0)


def _rebuilt(end_s: FloatArray, rri_ms: FloatArray, gap: BoolArray) -> FloatArray:
    """Return times that agree with the intervals: those given, unless too many do not agree."""
    follows = ~gap[1:] & ~np.isnan(rri_ms[1:])
    off_ms = np.abs(1000.0 * np.diff(end_s) - rri_ms[1:])[follows]
    if not off_ms.size or np.mean(off_ms > PACKET_MS) <= PACKET_SHARE:
        return end_s
    run = np.cumsum(gap)
    elapsed_s = np.cumsum(np.nan_to_num(rri_ms)) / 1000.0
    ahead_s = end_s - elapsed_s
    for number in np.unique(run):
        rows = run == number
        elapsed_s[rows] += np.median(ahead_s[rows])
    return np.maximum.accumulate(elapsed_s)

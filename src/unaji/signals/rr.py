"""Which intervals between heart beats are artefacts?

Three questions are asked of each interval: was it measured, can a heart do that at all, and does it stand out from its
neighbours more than this person's own variability allows. The last is the local-median rule of Lipponen and Tarvainen
with three changes:

* neighbours never lie across a gap;
* a gate in per cent of the interval keeps a calm stretch, where the spread of the neighbours is next to nothing, from
  losing ordinary beats;
* an interval must stand out from the ones just before and after it as well. The sinus node turns over several beats (a
  sigh, an arousal from sleep), an artefact is there and gone. On day-long records with a cardiologist's labels this
  halves the ordinary beats lost.

Nothing is replaced: a rejected interval is missing from then on.

References
----------
Lipponen JA, Tarvainen MP, "A robust algorithm for heart rate variability time series artefact correction using novel
beat classification", J Med Eng Technol, 2019;43:173-181. doi:10.1080/03091902.2019.1640306
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

RRI_LOW_MS, RRI_HIGH_MS = 300.0, 2000.0
"""Range of an interval between two beats of a person at rest or in motion: 200 to 30 beats a minute [ms]."""

MEDIAN_BEATS = 11
"""Width of the window of the local median (Lipponen and Tarvainen 2019)."""

SPREAD_BEATS = 91
"""Width of the window of the quartile deviation (Lipponen and Tarvainen 2019)."""

SPREAD_FACTOR = 5.2
"""Quartile deviations that hold 99.95 % of a normal distribution (Lipponen and Tarvainen 2019)."""

GATE = 0.10
"""Share of the local median that an interval may always deviate."""

CAP = 0.32
"""Share of the local median beyond which an interval is an artefact however noisy the stretch and its neighbours.

A beat missed or counted twice changes one interval by 50 % or more; without a cap a stretch in which every fourth beat
is wrong would raise its own limit above them, and two wrong intervals in a row would hide each other.
"""

MIN_NEIGHBOURS = 3
"""Fewest valid intervals, its own included, from which a local median is taken; below it only the range is judged."""


class BeatKind(IntEnum):
    """What an interval was found to be."""

    NORMAL = 0
    MISSING = 1  # rejected or not measured before
    OUT_OF_RANGE = 2
    SHORT = 3  # an early beat, or one counted twice
    LONG = 4  # a beat missed, or the pause after an early one


@dataclass(frozen=True, eq=False, slots=True)
class Artefacts:
    """The verdict on each interval.

    Attributes
    ----------
    keep : ndarray of bool, shape (n_beats,)
        True where the interval may be used.
    kind : ndarray of int8, shape (n_beats,)
        `BeatKind` of each interval.
    counts : dict of BeatKind to int
        How many of each kind; they sum to n_beats.
    """

    keep: BoolArray
    kind: NDArray[np.int8]
    counts: dict[BeatKind, int]

    @property
    def rejected_share(self) -> float:
        """Share of the measured intervals that was rejected; NaN when none was measured."""
        measured = self.keep.size - self.counts[BeatKind.MISSING]
        return 1.0 - self.counts[BeatKind.NORMAL] / measured if measured else float("nan")


def reject_artefacts(rri_ms: FloatArray, gap: BoolArray | None = None) -> Artefacts:
    r"""Tell artefacts from normal intervals.

    Parameters
    ----------
    rri_ms : ndarray, shape (n_beats,)
        RR intervals [ms]; NaN where nothing was measured.
    gap : ndarray of bool, shape (n_beats,), optional
        True where the beat before the interval is not the previous row's. Neighbours are not looked for across a gap,
        nor across an interval longer than `RRI_HIGH_MS`, which is a gap in all but name.

    Returns
    -------
    Artefacts

    Notes
    -----
    With m the median of the 11 intervals around (fewer at the ends of a run), d = rri − m, and QD half the distance
    between the quartiles of d over the 91 intervals around, an interval is an artefact when \|d\| > 0.32 m. Of those
    left, it is one when d and its differences from the interval before and the one after are all of one sign and all
    larger than max(5.2 QD, 0.10 m). See the module's references.
    """
    rri_ms = np.ascontiguousarray(rri_ms, dtype=np.float64)
    missing = np.isnan(rri_ms)
    in_range = (rri_ms >= RRI_LOW_MS) & (rri_ms <= RRI_HIGH_MS)
    run = _runs(rri_ms, np.zeros(rri_ms.size, dtype=bool) if gap is None else gap)
    judged = np.flatnonzero(in_range)
    deviation, median_ms, limit = _against_neighbours(rri_ms[judged], run[judged])

    stands_out = np.abs(deviation) > CAP * median_ms
    rest = np.flatnonzero(~stands_out)
    turn = _turn(rri_ms[judged][rest], run[judged][rest], np.sign(deviation[rest]))
    stands_out[rest] = np.minimum(np.abs(deviation[rest]), turn) > limit[rest]

    kind = np.full(rri_ms.size, BeatKind.OUT_OF_RANGE, dtype=np.int8)
    kind[missing] = BeatKind.MISSING
    kind[judged] = np.where(stands_out, np.where(deviation < 0, BeatKind.SHORT, BeatKind.LONG), BeatKind.NORMAL)
    counts = np.bincount(kind, minlength=len(BeatKind))
    return Artefacts(kind == BeatKind.NORMAL, kind, {which: int(counts[which]) for which in BeatKind})


def _runs(rri_ms: FloatArray, gap: BoolArray) -> NDArray[np.int64]:
    """Give each interval the number of its stretch without a gap."""
    too_long = rri_ms > RRI_HIGH_MS
    starts = gap | too_long
    starts[1:] |= too_long[:-1]
    return np.cumsum(starts)


def _against_neighbours(rri_ms: FloatArray, run: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the deviation from the local median, the median, and the limit of both tests of a turn [ms]."""
    first = np.searchsorted(run, run, side="left")
    last = np.searchsorted(run, run, side="right")
    median_ms = _rolling_quantile(rri_ms, first, last, MEDIAN_BEATS // 2, 0.5)
    deviation = rri_ms - median_ms
    q1 = _rolling_quantile(deviation, first, last, SPREAD_BEATS // 2, 0.25)
    q3 = _rolling_quantile(deviation, first, last, SPREAD_BEATS // 2, 0.75)
    limit = np.maximum(SPREAD_FACTOR * (q3 - q1) / 2.0, GATE * median_ms)
    deviation[last - first < MIN_NEIGHBOURS] = 0.0
    return deviation, median_ms, limit


def _turn(rri_ms: FloatArray, run: NDArray[np.int64], side: FloatArray) -> FloatArray:
    """Return how far each interval stands out, on its side of the median, from its nearer neighbour in size [ms]."""
    jump = np.where(np.diff(run) == 0, np.diff(rri_ms), np.nan)
    up, down = side * np.append(np.nan, jump), side * np.append(-jump, np.nan)
    nearer: FloatArray = np.nan_to_num(np.fmin(up, down))  # at the end of a run its one neighbour decides
    return nearer


@njit(cache=True)
def _rolling_quantile(
    x: FloatArray, first: NDArray[np.int64], last: NDArray[np.int64], half: int, q: float
) -> FloatArray:
    """Quantile of x over i − half … i + half, clipped to first[i] … last[i] − 1; linear between order statistics."""
    out = np.empty_like(x)
    window = np.empty(2 * half + 1)
    size = low = high = 0
    for i in range(x.size):
        want_low, want_high = max(first[i], i - half), min(last[i], i + half + 1)
        if want_low >= high:  # a new run
            size, low, high = 0, want_low, want_low
        while low < want_low:  # take the leftmost value out of the sorted window
            k = np.searchsorted(window[:size], x[low])
            for j in range(k, size - 1):
                window[j] = window[j + 1]
            size, low = size - 1, low + 1
        while high < want_high:  # put the next value in its place
            k = np.searchsorted(window[:size], x[high])
            for j in range(size, k, -1):
                window[j] = window[j - 1]
            window[k] = x[high]
            size, high = size + 1, high + 1
        position = q * (size - 1)
        below = int(position)
        above = min(below + 1, size - 1)
        out[i] = window[below] + (position - below) * (window[above] - window[below])
    return out

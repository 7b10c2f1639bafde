"""Which intervals between heart beats are artefacts, and of what kind?

Three questions are asked of each interval: was it measured, can a heart do that at all, and does it stand out from its
neighbours more than this person's own variability allows. The last is answered by two rules, either of which suffices:

* the decision tree of Lipponen and Tarvainen, which knows the patterns of an ectopic, a missed, an extra, a long and a
  short beat;
* their local median as a rule of its own: an interval far from the median of its neighbours, which stands out from the
  ones just before and after it as well. The sinus node turns over several beats (a sigh, an arousal from sleep), an
  artefact is there and gone.

Changed against the paper: neighbours never lie across a gap; a gate in per cent of the interval keeps a calm stretch,
where the spread of the neighbours is next to nothing, from losing ordinary beats; both parts of a beat counted twice
are named. Nothing is replaced here (`unaji.signals.correction` does that): a rejected interval is missing from then on.

References
----------
Lipponen JA, Tarvainen MP, "A robust algorithm for heart rate variability time series artefact correction using novel
beat classification", J Med Eng Technol, 2019;43:173-181. doi:10.1080/03091902.2019.1640306
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
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
"""Share of the local median that an interval may always deviate by the median's rule."""

TREE_GATE = 0.15
"""Share of the local median that an interval may always differ from its neighbour by the decision tree."""

CAP = 0.32
"""Share of the local median beyond which an interval is an artefact however noisy the stretch and its neighbours.

A beat missed or counted twice changes one interval by 50 % or more; without a cap a stretch in which every fourth beat
is wrong would raise its own limit above them, and two wrong intervals in a row would hide each other.
"""

REACH = MEDIAN_BEATS // 2
"""An interval's neighbour that is not beyond the cap is looked for among this many on either side."""

LOOK_AHEAD = SPREAD_BEATS // 2 + MEDIAN_BEATS // 2 + 4
"""No interval further on than this many changes the verdict on one: the width of the windows, and the tree's reach."""

MIN_NEIGHBOURS = 3
"""Fewest valid intervals, its own included, from which a local median is taken; below it only the range is judged."""


class BeatKind(IntEnum):
    """What an interval was found to be."""

    NORMAL = 0
    ECTOPIC = 1  # an early beat with its pause, or one of the two
    MISSED = 2  # twice as long: a beat was not seen
    EXTRA = 3  # two intervals that are one: something was taken for a beat
    LONG = 4
    SHORT = 5
    OUT_OF_RANGE = 6
    MISSING = 7  # rejected or not measured before


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
    larger than max(5.2 QD, 0.10 m), or when the tree names it. The tree works on dRR, the difference from the interval
    before over max(5.2 QD of differences, 0.15 m), and on mRR, d over 5.2 QD of d, negative d counted twice.
    See the module's references.
    """
    stream = ArtefactStream()
    kind = np.concatenate((stream.push(rri_ms, gap), stream.finish()))
    counts = np.bincount(kind, minlength=len(BeatKind))
    return Artefacts(kind == BeatKind.NORMAL, kind, {which: int(counts[which]) for which in BeatKind})


class ArtefactStream:
    """The same verdicts while the intervals come in, however they are cut into chunks.

    A verdict is given when `LOOK_AHEAD` more intervals between beats have come, or the stretch has ended at a gap. Only
    some hundred intervals are kept.

    Examples
    --------
    >>> stream = ArtefactStream()
    >>> first = stream.push(np.array([800.0, 810.0, 1600.0, 805.0]))
    >>> [BeatKind(kind).name for kind in (*first, *stream.finish())]
    ['NORMAL', 'NORMAL', 'MISSED', 'NORMAL']
    """

    def __init__(self) -> None:
        # Of the intervals that are judged by their neighbours: the last ones, and what the tree has named so far.
        self._rri_ms, self._run = np.zeros(0), np.zeros(0, np.int64)
        self._tree = np.zeros(0, np.int8)
        self._through_tree = self._decided = 0
        self._waiting_ms = np.zeros(0)  # every interval without a verdict, in order
        self._last_run, self._last_too_long = 0, False

    def push(self, rri_ms: FloatArray, gap: BoolArray | None = None) -> NDArray[np.int8]:
        """Take the next intervals and return the verdicts that can be given, in order, from where the last call ended.

        Parameters are those of `reject_artefacts`; the result is an ndarray of `BeatKind`.
        """
        rri_ms = np.ascontiguousarray(rri_ms, dtype=np.float64)
        run = self._runs(rri_ms, np.zeros(rri_ms.size, dtype=bool) if gap is None else gap)
        judged = _judged(rri_ms)
        self._rri_ms = np.concatenate((self._rri_ms, rri_ms[judged]))
        self._run = np.concatenate((self._run, run[judged]))
        self._tree = np.concatenate((self._tree, np.zeros(int(judged.sum()), np.int8)))
        self._waiting_ms = np.concatenate((self._waiting_ms, rri_ms))
        closed = int(np.searchsorted(self._run, self._last_run))
        return self._verdicts(closed)

    def finish(self) -> NDArray[np.int8]:
        """Say that no more will come, and return the verdicts that are left."""
        return self._verdicts(self._run.size)

    def _runs(self, rri_ms: FloatArray, gap: BoolArray) -> NDArray[np.int64]:
        """Give each interval the number of its stretch without a gap."""
        with np.errstate(invalid="ignore"):
            too_long = rri_ms > RRI_HIGH_MS
        starts = gap | too_long | np.append(self._last_too_long, too_long)[:-1]
        run = self._last_run + np.cumsum(starts)
        if run.size:
            self._last_run, self._last_too_long = int(run[-1]), bool(too_long[-1])
        return run

    def _verdicts(self, closed: int) -> NDArray[np.int8]:
        """Judge what can be judged, the first `closed` intervals lying in stretches that have ended."""
        through_tree, decided = (max(closed, self._rri_ms.size - LOOK_AHEAD + k) for k in (1, 0))
        given = np.zeros(0, np.int8)
        if decided > self._decided:
            kind = _kinds(self._rri_ms, self._run, self._tree, self._through_tree, through_tree)
            given = kind[self._decided : decided]
            dropped = max(0, decided - 2 * SPREAD_BEATS)
            self._rri_ms, self._run = self._rri_ms[dropped:], self._run[dropped:]
            self._tree = self._tree[dropped:]
            self._through_tree, self._decided = through_tree - dropped, decided - dropped
        return self._in_order(given)

    def _in_order(self, given: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put the verdicts among those on intervals that need no neighbours, up to the first that still waits."""
        judged = _judged(self._waiting_ms)
        before = np.cumsum(judged)
        ready = int(np.searchsorted(before, given.size, side="right"))
        rri_ms, judged = self._waiting_ms[:ready], judged[:ready]
        self._waiting_ms = self._waiting_ms[ready:]
        kind = np.full(ready, BeatKind.OUT_OF_RANGE, dtype=np.int8)
        kind[np.isnan(rri_ms)] = BeatKind.MISSING
        kind[judged] = given
        with np.errstate(invalid="ignore"):
            kind[(rri_ms < RRI_LOW_MS) & (kind != BeatKind.EXTRA)] = BeatKind.OUT_OF_RANGE
        return kind


def _judged(rri_ms: FloatArray) -> BoolArray:
    """Tell which intervals are judged by their neighbours: also those too short, which may be half of one."""
    with np.errstate(invalid="ignore"):
        return (rri_ms > 0.0) & (rri_ms <= RRI_HIGH_MS)


def _kinds(
    rri_ms: FloatArray, run: NDArray[np.int64], tree: NDArray[np.int8], begin: int, end: int
) -> NDArray[np.int8]:
    """Return what each interval is, after taking the rows begin … end − 1 through the tree (`tree` is filled in)."""
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    first, last = np.searchsorted(run, run, side="left"), np.searchsorted(run, run, side="right")
    median_ms = kernels.rolling_quantile(rri_ms, first, last, MEDIAN_BEATS // 2, 0.5)
    deviation_ms = np.where(last - first < MIN_NEIGHBOURS, 0.0, rri_ms - median_ms)
    quartile_deviation_ms = kernels.rolling_quartile_deviation(deviation_ms, first, last, SPREAD_BEATS // 2)

    difference_ms = np.append(0.0, np.where(np.diff(run) == 0, np.diff(rri_ms), 0.0))[: run.size]
    lopsided_ms = np.where(deviation_ms < 0.0, 2.0 * deviation_ms, deviation_ms)
    spread_of_differences = kernels.rolling_quartile_deviation(difference_ms, first, last, SPREAD_BEATS // 2)
    spread_of_lopsided = kernels.rolling_quartile_deviation(lopsided_ms, first, last, SPREAD_BEATS // 2)
    deviation_limit_ms = np.maximum(SPREAD_FACTOR * spread_of_lopsided, GATE * median_ms)
    jump_limit_ms = np.maximum(SPREAD_FACTOR * spread_of_differences, TREE_GATE * median_ms)
    kernels.decision_tree(
        rri_ms, run, difference_ms / jump_limit_ms, median_ms, lopsided_ms / deviation_limit_ms, deviation_limit_ms,
        tree, begin, end,
    )  # fmt: skip
    kind = tree.copy()

    limit_ms = np.maximum(SPREAD_FACTOR * quartile_deviation_ms, GATE * median_ms)
    alone = _stands_out(rri_ms, run, deviation_ms, limit_ms, median_ms) & (kind == BeatKind.NORMAL)
    twice = np.abs(rri_ms / 2.0 - median_ms) < deviation_limit_ms
    kind[alone] = np.where(deviation_ms < 0.0, BeatKind.SHORT, np.where(twice, BeatKind.MISSED, BeatKind.LONG))[alone]
    # The tree names one interval of an early beat; the other, before or after it, is of the same beat.
    ectopic = kind == BeatKind.ECTOPIC
    beside = np.append(ectopic[1:] & (np.diff(run) == 0), False) | np.append(False, ectopic[:-1] & (np.diff(run) == 0))
    kind[beside[: kind.size] & ((kind == BeatKind.SHORT) | (kind == BeatKind.LONG))] = BeatKind.ECTOPIC
    return kind


def _stands_out(
    rri_ms: FloatArray, run: NDArray[np.int64], deviation_ms: FloatArray, limit_ms: FloatArray, median_ms: FloatArray
) -> BoolArray:
    """Tell which intervals lie far from the local median, and from both neighbours that are not beyond the cap."""
    stands_out = np.abs(deviation_ms) > CAP * median_ms
    rest = np.flatnonzero(~stands_out)
    together = (np.diff(run[rest]) == 0) & (np.diff(rest) <= REACH)
    turn_ms = _turn(rri_ms[rest], together, np.sign(deviation_ms[rest]))
    stands_out[rest] = np.minimum(np.abs(deviation_ms[rest]), turn_ms) > limit_ms[rest]
    return stands_out


def _turn(rri_ms: FloatArray, together: BoolArray, side: FloatArray) -> FloatArray:
    """Return how far each interval stands out, on its side of the median, from its nearer neighbour in size [ms]."""
    jump = np.where(together, np.diff(rri_ms), np.nan)
    up, down = side * np.append(np.nan, jump)[: side.size], side * np.append(-jump, np.nan)[: side.size]
    nearer: FloatArray = np.nan_to_num(np.fmin(up, down))  # at the end of a run its one neighbour decides
    return nearer

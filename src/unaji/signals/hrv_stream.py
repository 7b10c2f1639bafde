"""Every index of every window while the beats come in: the numbers of `hrv_table`, in memory that does not grow.

A window is finished when the beats after it can no longer change it: the verdict on an interval looks
`unaji.signals.rr.LOOK_AHEAD` intervals ahead, and the spline of the spectrum forgets a beat within some forty. At rest
that is a minute and a half after the window's end.
"""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.indices import HrvTable, hrv_table, window_numbers
from unaji.signals.rr import LOOK_AHEAD, ArtefactStream, BeatKind
from unaji.signals.spectrum import LONGEST_BRIDGE_S, Method
from unaji.signals.tachogram import Tachogram, measured_ms

MARGIN_BEATS = 40
"""Beats kept before a window and waited for after it: a spline's bend halves at least from each knot to the next."""

MARGIN_S = 2.0 * LONGEST_BRIDGE_S
"""Time waited for at least, over which replaced beats may reach [s]."""

LONGEST_MARGIN_S = MARGIN_BEATS * LONGEST_BRIDGE_S
"""In this time there are `MARGIN_BEATS` beats, or a break that no spline crosses [s]."""


class HrvStream:
    """Indices of regular windows of a recording that is still going on.

    However the recording is cut into chunks, the windows given are those of ``hrv_table(tachogram,
    window_starts(tachogram, window_s, step_s), window_s)`` on the whole of it, ``tachogram`` being
    ``Tachogram.of_times`` (or ``of_intervals``) of all chunks together: the same classes of artefacts, and the same
    numbers to 1e-9 of their size. Times must agree with the intervals; those of packets do not, and are rebuilt by
    `Tachogram.of_beats` from the whole recording only.

    Parameters
    ----------
    window_s : float
        Length of a window [s].
    step_s : float, optional
        From the start of one window to that of the next [s]; `window_s` if not given.
    method, derive_respiration, nonlinear
        As in `hrv_table`.
    correct : bool
        As in `Tachogram.of_intervals`.

    Examples
    --------
    >>> stream = HrvStream(300.0)
    >>> beats = 850.0 + 40.0 * np.sin(np.arange(2000) / 9.0)
    >>> tables = [stream.push_intervals(chunk) for chunk in np.split(beats, 20)] + [stream.finish()]
    >>> [round(float(rmssd), 3) for table in tables for rmssd in table.columns["rmssd_ms"].value]
    [3.145, 3.135, 3.147, 3.14, 3.144, 3.137]
    """

    def __init__(
        self,
        window_s: float,
        *,
        step_s: float | None = None,
        method: Method = "welch",
        correct: bool = True,
        derive_respiration: bool = False,
        nonlinear: bool = True,
    ) -> None:
        step_s = window_s if step_s is None else step_s
        if not (window_s > 0.0 and step_s > 0.0):
            raise ValueError(f"window_s and step_s must be above 0, got {window_s} and {step_s}")
        self._window_s, self._step_s, self._method = window_s, step_s, method
        self._derive_respiration, self._nonlinear = derive_respiration, nonlinear
        self._artefacts = ArtefactStream() if correct else None
        self._new: list[_Rows] = []  # not yet looked at
        self._waiting, self._judged = _Rows.none(), _Rows.none()  # without and with a verdict
        self._kind = np.zeros(0, np.int8)
        self._origin_s: float | None = None
        self._next = self._beyond = 0  # number of the next window, and rows after its end
        self._last_s, self._elapsed_ms, self._break = -np.inf, 0.0, False
        self._nothing = self._table(np.zeros(0))

    def push(
        self, end_s: FloatArray, rri_ms: FloatArray, gap: BoolArray | None = None, weight: FloatArray | None = None
    ) -> HrvTable:
        """Take the next intervals and return the windows that they finish, often none.

        Parameters
        ----------
        end_s : ndarray, shape (n_beats,)
            When each interval ends, ascending, on one clock for the whole recording [s].
        rri_ms, gap, weight : ndarray, shape (n_beats,)
            As in `Tachogram.of_intervals`.
        """
        rows = _Rows.of(end_s, rri_ms, gap, weight)
        if not len(rows):
            return self._nothing
        if (np.diff(rows.end_s, prepend=self._last_s) < 0.0).any():
            raise ValueError("end_s must ascend, from one chunk to the next as well")
        if self._origin_s is None:
            self._origin_s = float(rows.end_s[0] - np.nan_to_num(rows.rri_ms[0]) / 1000.0)
        self._last_s = float(rows.end_s[-1])
        self._new.append(rows)
        self._beyond += int(np.sum(rows.end_s > self._end_s(self._next)))
        # Looking earlier could finish nothing; so a beat at a time costs no more than a chunk.
        enough = MARGIN_BEATS + (LOOK_AHEAD if self._artefacts is not None else 0)
        if self._beyond < enough and self._last_s < self._end_s(self._next) + LONGEST_MARGIN_S:
            return self._nothing
        return self._advance(last=False)

    def push_intervals(
        self, rri_ms: FloatArray, gap: BoolArray | None = None, weight: FloatArray | None = None
    ) -> HrvTable:
        """Take the next of intervals that follow each other, as `Tachogram.of_intervals` does."""
        rri_ms = measured_ms(rri_ms)
        missing = np.isnan(rri_ms)
        breaks = np.append(self._break, missing)[:-1] | (np.zeros(rri_ms.size, bool) if gap is None else gap)
        elapsed_ms = np.cumsum(np.append(self._elapsed_ms, np.nan_to_num(rri_ms)))
        if rri_ms.size:
            self._break, self._elapsed_ms = bool(missing[-1]), float(elapsed_ms[-1])
        return self.push(elapsed_ms[1:] / 1000.0, rri_ms, breaks, weight)

    def finish(self) -> HrvTable:
        """Say that no more will come, and return the windows that are left."""
        return self._advance(last=True)

    def _end_s(self, number: int) -> float:
        assert self._origin_s is not None
        return self._origin_s + self._step_s * number + self._window_s

    def _advance(self, *, last: bool) -> HrvTable:
        if self._origin_s is None:
            return self._nothing
        self._judge(last=last)
        horizon_s = np.inf if last else self._horizon_s()
        number = window_numbers(self._judged.end_s, self._origin_s, self._window_s, self._step_s)
        start_s = np.asarray(self._origin_s + self._step_s * number, dtype=np.float64)
        due = (number >= self._next) & (start_s + self._window_s < horizon_s)
        table = self._table(start_s[due]) if due.any() else self._nothing
        if not last:
            self._forget(int(number[due][-1]) + 1 if due.any() else self._next, horizon_s)
        return table

    def _judge(self, *, last: bool) -> None:
        """Move what can be judged from the waiting rows to the judged ones."""
        new = _Rows.joined(self._new)
        self._new = []
        if self._artefacts is None:
            kind = np.where(np.isnan(new.rri_ms), BeatKind.MISSING, BeatKind.NORMAL).astype(np.int8)
        else:
            kind = self._artefacts.push(new.rri_ms, new.gap)
            if last:
                kind = np.append(kind, self._artefacts.finish())
        waiting = _Rows.joined([self._waiting, new])
        self._judged = _Rows.joined([self._judged, waiting.part(0, kind.size)])
        self._kind = np.append(self._kind, kind)
        self._waiting = waiting.part(kind.size, len(waiting))

    def _horizon_s(self) -> float:
        """Return the time before which no window can change any more [s]."""
        end_s = self._judged.end_s
        if not end_s.size:
            return -np.inf
        good_s = end_s[self._good()]
        by_beats_s = min(good_s[-MARGIN_BEATS], end_s[-1] - MARGIN_S) if good_s.size >= MARGIN_BEATS else -np.inf
        return float(max(by_beats_s, end_s[-1] - LONGEST_MARGIN_S))

    def _good(self) -> BoolArray:
        good: BoolArray = (self._kind == BeatKind.NORMAL) & (self._judged.weight > 0.0)
        return good

    def _forget(self, after_given: int, horizon_s: float) -> None:
        """Drop the rows that no window to come needs; windows without a beat are passed over."""
        open_s = horizon_s - self._end_s(0)  # of windows that end before the horizon, none is open
        passed = open_s / self._step_s if np.isfinite(open_s) else 0.0
        self._next = max(after_given, int(np.floor(passed)))
        end_s, start_s = self._judged.end_s, self._end_s(self._next) - self._window_s
        good = np.flatnonzero(self._good() & (end_s < start_s))
        by_beats = int(good[-MARGIN_BEATS]) if good.size >= MARGIN_BEATS else 0
        first = min(by_beats, int(np.searchsorted(end_s, start_s - MARGIN_S)))
        first = max(first, int(np.searchsorted(end_s, start_s - LONGEST_MARGIN_S)))
        self._judged, self._kind = self._judged.part(first, len(self._judged)), self._kind[first:].copy()
        held_s = (self._judged.end_s, self._waiting.end_s)
        self._beyond = sum(int(np.sum(end_s > self._end_s(self._next))) for end_s in held_s)

    def _table(self, start_s: FloatArray) -> HrvTable:
        rows = self._judged
        weight = np.where(self._kind == BeatKind.NORMAL, rows.weight, 0.0)
        if not start_s.size:  # nothing to look at: only the columns
            rows, weight = _Rows.none(), np.zeros(0)
        return hrv_table(
            Tachogram(rows.end_s, rows.rri_ms, rows.gap, self._kind[: len(rows)], weight),
            start_s,
            self._window_s,
            method=self._method,
            derive_respiration=self._derive_respiration,
            nonlinear=self._nonlinear,
        )


class _Rows:
    """Intervals in order of time, as they were given."""

    def __init__(self, end_s: FloatArray, rri_ms: FloatArray, gap: BoolArray, weight: FloatArray) -> None:
        self.end_s, self.rri_ms, self.gap, self.weight = end_s, rri_ms, gap, weight

    def __len__(self) -> int:
        return int(self.end_s.size)

    @classmethod
    def none(cls) -> _Rows:
        return cls(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0))

    @classmethod
    def of(cls, end_s: FloatArray, rri_ms: FloatArray, gap: BoolArray | None, weight: FloatArray | None) -> _Rows:
        end_s, rri_ms = np.array(end_s, dtype=np.float64), measured_ms(rri_ms)
        breaks = np.zeros(rri_ms.size, dtype=bool) if gap is None else np.array(gap, dtype=bool)
        trust = np.ones(rri_ms.size) if weight is None else np.clip(np.nan_to_num(weight), 0.0, 1.0)
        if {end_s.shape, breaks.shape, trust.shape} != {rri_ms.shape} or rri_ms.ndim != 1:
            raise ValueError("end_s, rri_ms, gap and weight must be of one length")
        return cls(end_s, rri_ms, breaks, trust)

    @classmethod
    def joined(cls, parts: list[_Rows]) -> _Rows:
        parts = [cls.none(), *parts]
        columns = ([getattr(part, name) for part in parts] for name in ("end_s", "rri_ms", "gap", "weight"))
        return cls(*(np.concatenate(column) for column in columns))

    def part(self, low: int, high: int) -> _Rows:
        # Copies, so that what is dropped is not kept alive.
        rows = slice(low, high)
        return _Rows(self.end_s[rows].copy(), self.rri_ms[rows].copy(), self.gap[rows].copy(), self.weight[rows].copy())

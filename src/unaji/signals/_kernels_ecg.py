"""Compiled search for QRS complexes, for `unaji.signals.ecg`; imported on first use, since numba is slow to import.

Positions are counted from the first sample of the recording, so that it does not matter where one chunk ends.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]
State = NDArray[np.void]

MAX_WAITING = 64
"""Most candidates that wait for a decision: 6 s of them are at most 30."""

ENERGY = np.dtype(
    [("h1", "f8"), ("h2", "f8"), ("l1", "f8"), ("l2", "f8"), ("y1", "f8"), ("y2", "f8"), ("e1", "f8"), ("e2", "f8"),
     ("top", "f8"), ("top_at", "i8"), ("n", "i8")]
)  # fmt: skip
"""`energy_peaks`: filters, energy, the highest energy since the last candidate, samples seen."""

LEVELS = np.dtype(
    [("signal", "f8"), ("noise", "f8"), ("typical", "f8"), ("rr", "f8"), ("last_at", "i8"), ("last", "f8"),
     ("n_waiting", "i8"), ("waiting_at", "i8", MAX_WAITING), ("waiting", "f8", MAX_WAITING), ("learnt", "?")]
)  # fmt: skip
"""`decide`: levels of beats and of noise, usual interval, last beat, candidates not taken since."""

MAX_WINDOW = 16

LENGTH = np.dtype(
    [("begun", "f8"), ("n_begun", "i8"), ("total", "f8", 2), ("step", "f8", MAX_WINDOW), ("top", "f8"),
     ("top_at", "i8"), ("n", "i8")]
)  # fmt: skip
"""`length_peaks`: the total begun, the last totals and steps, the longest curve since the last candidate, totals seen.
"""

OLDEST_S = 8.0  # candidates older than this are not looked back at: their samples may be gone

TINY = 1e-18  # keeps the filters out of the denormal numbers on a flat line, where arithmetic is slow


@njit(cache=True)
def energy_peaks(
    x: FloatArray, high: FloatArray, low: FloatArray, smooth: float, apart: int, state: State, at: IntArray,
    peak: FloatArray,
) -> int:  # fmt: skip
    """Band-pass, slope, square, smooth, and note each maximum that stays the highest for `apart` samples.

    `high` and `low` are biquads b0, b1, b2, a1, a2 in transposed direct form II. Returns the number of maxima.
    """
    s = state[0]
    h1, h2, l1, l2, y1, y2, e1, e2 = s.h1, s.h2, s.l1, s.l2, s.y1, s.y2, s.e1, s.e2
    top, top_at, n = s.top, s.top_at, s.n
    hb0, hb1, hb2, ha1, ha2 = high[0], high[1], high[2], high[3], high[4]
    lb0, lb1, lb2, la1, la2 = low[0], low[1], low[2], low[3], low[4]
    found = 0
    for i in range(x.size):
        v = x[i] + TINY
        h = hb0 * v + h1
        h1 = hb1 * v - ha1 * h + h2
        h2 = hb2 * v - ha2 * h
        y = lb0 * h + l1
        l1 = lb1 * h - la1 * y + l2
        l2 = lb2 * h - la2 * y
        slope = y - y2
        y2, y1 = y1, y
        e1 += smooth * (slope * slope + TINY * TINY - e1)
        e2 += smooth * (e1 - e2)
        if e2 > top:
            top, top_at = e2, n
        elif n - top_at >= apart:
            at[found], peak[found] = top_at, top
            found += 1
            top, top_at = e2, n
        n += 1
    s.h1, s.h2, s.l1, s.l2, s.y1, s.y2, s.e1, s.e2 = h1, h2, l1, l2, y1, y2, e1, e2
    s.top, s.top_at, s.n = top, top_at, n
    return found


@njit(cache=True)
def decide(
    at: IntArray, peak: FloatArray, rate: float, learn: int, finishing: bool, plainly: bool, state: State,
    beat_at: IntArray,
) -> int:  # fmt: skip
    """Take the candidates that are beats, in order; returns how many. `rate` is the candidates' samples a second.

    `plainly` is by height alone, without looking back: each candidate is decided when it comes.
    """
    s = state[0]
    found = 0
    for i in range(at.size + 1):
        ended = i == at.size
        if ended and not finishing:
            break
        if not s.learnt:
            if not ended and at[i] < learn and s.n_waiting < MAX_WAITING - 1:
                _wait(state, at[i], peak[i])
                continue
            waited_at, waited = s.waiting_at[: s.n_waiting].copy(), s.waiting[: s.n_waiting].copy()
            _learn(state, waited_at, waited, rate, learn)
            for k in range(waited.size):
                found = _judge_as_told(plainly, waited_at[k], waited[k], rate, state, beat_at, found)
        if not ended:
            found = _judge_as_told(plainly, at[i], peak[i], rate, state, beat_at, found)
    return found


@njit(cache=True)
def _judge_as_told(
    plainly: bool, at: int, height: float, rate: float, state: State, beat_at: IntArray, found: int
) -> int:  # fmt: skip
    if plainly:
        return _judge_plainly(at, height, rate, state, beat_at, found)
    return _judge(at, height, rate, state, beat_at, found)


@njit(cache=True)
def _judge_plainly(at: int, height: float, rate: float, state: State, beat_at: IntArray, found: int) -> int:
    """Take the candidate when it is two fifths of the way from the level of noise to that of beats, or higher."""
    s = state[0]
    if height > 1e-15 and height >= s.noise + 0.4 * max(s.signal - s.noise, 0.0):
        beat_at[found] = at
        found += 1
        s.signal += 0.125 * (min(height, 2.0 * s.signal) - s.signal)
        s.last_at = at
    else:
        _hear(state, height)
        if at - s.last_at > 1.5 * rate:
            s.signal *= 0.9
    return found


@njit(cache=True)
def _learn(state: State, at: IntArray, energy: FloatArray, rate: float, learn: int) -> None:
    """Start the level of beats from the first seconds: the highest of each half, and of these the lower.

    A spike, as of the electrode being put on, is in one half.
    """
    s = state[0]
    s.n_waiting = 0
    s.learnt = True
    s.rr = 0.8 * rate
    s.last_at = -(1 << 60)
    early, late = 0.0, 0.0
    for k in range(at.size):
        if 2 * at[k] < learn:
            early = max(early, energy[k])
        else:
            late = max(late, energy[k])
    s.signal = min(early, late) if late > 0.0 else early
    s.typical = s.signal


@njit(cache=True)
def _judge(at: int, energy: float, rate: float, state: State, beat_at: IntArray, found: int) -> int:
    """Look back for a beat that was missed, then judge this candidate; returns the new number of beats found."""
    s = state[0]
    while at - s.last_at > 1.5 * s.rr:
        k = _missed(state, at, rate)
        if k < 0:
            break
        beat_at[found] = s.waiting_at[k]
        found += 1
        _take(state, s.waiting_at[k], s.waiting[k], rate)
    since = at - s.last_at
    threshold = _threshold(state)
    t_wave = since < 0.36 * rate and energy < 0.4 * s.last
    if energy >= threshold and not t_wave:
        beat_at[found] = at
        found += 1
        _take(state, at, energy, rate)
    else:
        if t_wave:
            _hear(state, energy)
        else:
            _wait(state, at, energy)
        if since > 1.5 * rate:  # nothing for so long: the level of beats may be stale
            s.signal *= 0.9
            s.typical *= 0.97
    return found


@njit(cache=True)
def _threshold(state: State) -> float:
    s = state[0]
    level: float = s.noise + 0.3 * max(s.signal - s.noise, 0.0)
    return max(level, _floor(state))


@njit(cache=True)
def _floor(state: State) -> float:
    """Return the energy below which nothing is a beat: 3 % of the usual height, and not the rounding of a flat line."""
    typical: float = state[0].typical
    return max(1e-3 * typical, 1e-30)


@njit(cache=True)
def _missed(state: State, now: int, rate: float) -> int:
    """Return the highest candidate since the last beat that may be one; −1 when there is none."""
    s = state[0]
    best = -1
    least = max(min(0.4 * _threshold(state), max(3.0 * s.noise, 0.01 * s.signal)), _floor(state))
    for k in range(s.n_waiting):
        in_time = s.waiting_at[k] - s.last_at > max(0.36 * rate, 0.4 * s.rr)
        if in_time and now - s.waiting_at[k] < OLDEST_S * rate and s.waiting[k] >= least:
            best, least = k, s.waiting[k]
    return best


@njit(cache=True)
def _take(state: State, at: int, energy: float, rate: float) -> None:
    s = state[0]
    since = at - s.last_at
    if 0.3 * rate < since < 2.0 * rate:
        s.rr += 0.15 * (min(max(since, 0.5 * s.rr), 1.5 * s.rr) - s.rr)
    s.signal += 0.125 * (min(energy, 3.0 * s.signal) - s.signal)
    s.typical += 0.02 * (min(energy, 3.0 * s.typical) - s.typical)
    s.last_at, s.last = at, energy
    kept = 0
    for k in range(s.n_waiting):
        if s.waiting_at[k] > at:
            s.waiting_at[kept], s.waiting[kept] = s.waiting_at[k], s.waiting[k]
            kept += 1
        elif s.waiting_at[k] < at:  # only now is it certain that this was no beat
            _hear(state, s.waiting[k])
    s.n_waiting = kept


@njit(cache=True)
def _hear(state: State, energy: float) -> None:
    """Let a candidate that was no beat tell the level of noise."""
    s = state[0]
    s.noise += 0.1 * (min(energy, s.signal) - s.noise)


@njit(cache=True)
def _wait(state: State, at: int, energy: float) -> None:
    """Keep a candidate for a later look back; the oldest half is forgotten when there are too many."""
    s = state[0]
    if s.n_waiting == MAX_WAITING:
        half = MAX_WAITING // 2
        for k in range(half):
            _hear(state, s.waiting[k])
            s.waiting_at[k], s.waiting[k] = s.waiting_at[k + half], s.waiting[k + half]
        s.n_waiting = half
    s.waiting_at[s.n_waiting], s.waiting[s.n_waiting] = at, energy
    s.n_waiting += 1


@njit(cache=True)
def length_peaks(
    x: FloatArray, block: int, window: int, apart: int, state: State, at: IntArray, peak: FloatArray
) -> int:  # fmt: skip
    """Follow the length of the curve of totals of `block` samples; note each maximum as `energy_peaks` does.

    The length is that of the ups and downs over `window` totals, Σ |total − total two before|. Positions are in totals.
    Each length is added up by itself, so that no spike leaves its rounding behind.
    """
    s = state[0]
    n_new = (s.n_begun + x.size) // block
    total, step = np.empty(n_new + 2), np.empty(n_new + MAX_WINDOW)
    total[:2], step[:MAX_WINDOW] = s.total, s.step
    _totals(x, block, state, total[2:])
    for i in range(n_new):
        step[i + MAX_WINDOW] = abs(total[i + 2] - total[i])
    length = step[MAX_WINDOW:].copy()
    for k in range(1, window):  # the short loop outside, so that the long one is done several at a time
        for i in range(n_new):
            length[i] += step[i + MAX_WINDOW - k]
    top, top_at, n, found = s.top, s.top_at, s.n, 0
    for i in range(n_new):
        if length[i] > top:
            top, top_at = length[i], n
        elif n - top_at >= apart:
            at[found], peak[found] = top_at, top
            found += 1
            top, top_at = length[i], n
        n += 1
    s.total[:], s.step[:] = total[n_new:], step[n_new:]
    s.top, s.top_at, s.n = top, top_at, n
    return found


@njit(cache=True)
def _totals(x: FloatArray, block: int, state: State, total: FloatArray) -> None:
    """Add up the samples by blocks, the first of which may have begun before x and the last not end in it."""
    s = state[0]
    begun, n_begun, first = s.begun, s.n_begun, 0
    for i in range(total.size):
        last = first + block - n_begun
        for k in range(first, last):
            begun += x[k]
        total[i] = begun
        begun, n_begun, first = 0.0, 0, last
    for k in range(first, x.size):
        begun += x[k]
    s.begun, s.n_begun = begun, n_begun + x.size - first


@njit(cache=True)
def share_agreed(first: FloatArray, second: FloatArray, memory: float, near: float, share: FloatArray) -> None:
    """Write for each of `first` the beats of both detectors as a share of the beats of either, `memory` back."""
    shared, known = _has_near(first, second, near), _has_near(second, first, near)
    first_from, second_from, second_to, n_shared, n_alone = 0, 0, 0, 0, 0
    for i in range(first.size):
        n_shared += shared[i]
        while first[first_from] <= first[i] - memory:
            n_shared -= shared[first_from]
            first_from += 1
        while second_to < second.size and second[second_to] <= first[i]:
            n_alone += not known[second_to]
            second_to += 1
        while second_from < second_to and second[second_from] <= first[i] - memory:
            n_alone -= not known[second_from]
            second_from += 1
        share[i] = n_shared / (i + 1 - first_from + n_alone)


@njit(cache=True)
def _has_near(time: FloatArray, other: FloatArray, near: float) -> BoolArray:
    """Tell which of these times have one of the others near."""
    has, k = np.zeros(time.size, dtype=np.bool_), 0
    for i in range(time.size):
        while k < other.size and other[k] < time[i] - near:
            k += 1
        has[i] = k < other.size and other[k] <= time[i] + near
    return has

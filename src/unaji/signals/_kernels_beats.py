"""Compiled loops that any beat detector needs: bridging of missing samples, and timing by the usual beat.

Imported on first use, since numba is slow to import. Nothing here depends on where one chunk of a recording ends.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray

IntArray = NDArray[np.int64]
State = NDArray[np.void]

HOLD = np.dtype([("level", "f8"), ("offset", "f8"), ("missing", "i8"), ("started", "?")])
"""`hold_missing`: last value given out, what is added to the samples, missing samples in a row."""


@njit(cache=True)
def hold_missing(
    x: FloatArray, state: State, longest_held: int, largest: float, breaks: IntArray, length: IntArray
) -> int:
    """Replace missing samples of x by the last one before; remove the jump across a long stretch of them.

    The level at the start is removed likewise. Returns how many stretches ended; `breaks` gets where in
    x, `length` how many samples were missing before it.
    """
    s = state[0]
    n_breaks = 0
    for i in range(x.size):
        if not abs(x[i]) <= largest:
            s.missing += 1
            x[i] = s.level
            continue
        if not s.started or s.missing > longest_held:
            s.offset = s.level - x[i]
            if s.started:
                breaks[n_breaks], length[n_breaks] = i, s.missing
                n_breaks += 1
            s.started = True
        s.missing = 0
        s.level = x[i] + s.offset
        x[i] = s.level
    return n_breaks


TEMPLATE = np.dtype(
    [("n", "i8"), ("shift", "f8"), ("up", "f8"), ("rivals", "i8"), ("last", "f8"), ("size", "f8"), ("rival_size", "f8")]
)
"""`refine`: beats in the template, its peak's place and direction, beats in the rival, the last beat's place, and the
usual size of the template's beats and of the rival's."""

ALIKE = 0.8
"""Correlation from which a beat is timed by the template and takes part in it."""

MEMBERS = 16
"""A template is the mean of so many beats, then an exponential one."""

RIVALS = 4
"""As many beats in a row as have made the template and these more, unlike it but like each other, take its place.

They do when the posture has changed. A burst of noise can have five in a row too, and once it was taken for the usual
beat everything like it had a high quality.
"""

SIZES = 1.5
"""A beat so many times larger or smaller than usual is still of full quality; breathing changes it by less."""


@njit(cache=True)
def refine(
    x: FloatArray, about: IntArray, search: int, half: int, lag: int, closest: float, origin: int, state: State,
    template: FloatArray, rival: FloatArray, centre: IntArray, fraction: FloatArray, quality: FloatArray,
    amplitude: FloatArray, baseline: FloatArray,
) -> int:  # fmt: skip
    """Time each beat on the raw samples; returns how many are left once doublets are dropped.

    Parameters
    ----------
    about : ndarray, shape (n,)
        Index into x near which the beat is.
    search, half, lag : int
        How far from there the peak may be, half the template's length, and over how long slopes are [samples].
    closest : float
        Beats closer together than this are one [samples].
    template, rival : ndarray, shape (2 · half + 1,)
        The usual beat, and the mean of the last beats unlike it; zero mean and unit norm, changed in place.
    origin : int
        Position of x[0] in the recording.
    centre, fraction, quality, amplitude, baseline : ndarray, shape (n,)
        Results; the beat is at x[centre] and a fraction of a sample after it.
    """
    s = state[0]
    reach = max(1, lag // 2)
    kept = 0
    for i in range(about.size):
        peak = _extremum(x, about[i] - search, about[i] + search, s.up)
        up = 1.0 if x[peak] >= _mean(x, peak - half, peak + half) else -1.0
        if s.n:
            at, product, size = _climb(x, peak, search, template)
        else:
            at, product, size = peak, np.nan, np.sqrt(_spread(x, peak - half, peak + half))
        alike = _correlation(product, size)
        fits = _fits(size, s.size)
        if s.n and alike >= ALIKE:
            part = _vertex(_product(x, at - 1, template), product, _product(x, at + 1, template)) + s.shift
        else:
            at, part = peak, _peak_between(x, peak, reach)
        if (origin + at) + part - s.last < closest:
            continue
        s.last = (origin + at) + part
        if s.n == 0 or alike >= ALIKE:
            s.rivals = 0
            s.up = s.up if s.n else up
            s.size = _usual(size, s.size, s.n)
            s.n = _blend(x, at + round(part), s.n, template)
            s.shift = _peak_of(template, s.up, reach)
        else:
            _, product, rival_size = _climb(x, peak, search, rival)
            before = s.rivals if _correlation(product, rival_size) >= ALIKE else 0
            s.rival_size = _usual(size, s.rival_size, min(before, MEMBERS))
            n_rivals = _blend(x, peak, min(before, MEMBERS), rival)
            s.rivals = before + 1 if n_rivals else 0
            if s.rivals >= s.n + RIVALS:
                template[:] = rival
                s.n, s.size, s.rivals, s.up, s.shift = n_rivals, s.rival_size, 0, up, _peak_of(rival, up, reach)
        level = (_mean(x, peak - half, peak - half // 2) + _mean(x, peak + half // 2, peak + half)) / 2.0
        centre[kept], fraction[kept] = at, part
        quality[kept] = max(alike, 0.0) * _distinct(x, peak, half, lag) * fits
        amplitude[kept], baseline[kept] = x[peak] - level, level
        kept += 1
    return kept


@njit(cache=True)
def _extremum(x: FloatArray, low: int, high: int, up: float) -> int:
    """Return where x is farthest from its mean in low … high, upwards or downwards, or either when `up` is 0."""
    mean = _mean(x, low, high)
    best, best_at = -np.inf, low
    for i in range(low, high + 1):
        value = abs(x[i] - mean) if up == 0.0 else up * (x[i] - mean)
        if value > best:
            best, best_at = value, i
    return best_at


@njit(cache=True)
def _climb(x: FloatArray, start: int, search: int, template: FloatArray) -> tuple[int, float, float]:
    """Move to the neighbour with the higher product with the template until there is none.

    Returns where that is, the product, and the size of x there; their quotient is the correlation.
    """
    at, value = start, _product(x, start, template)
    for step in (-1, 1):
        while 2 * abs(at + step - start) <= search:
            beside = _product(x, at + step, template)
            if beside <= value:
                break
            at, value = at + step, beside
    half = template.size // 2
    return at, value, np.sqrt(_spread(x, at - half, at + half))


@njit(cache=True)
def _correlation(product: float, size: float) -> float:
    """Divide, without going above 1 by rounding; NaN stays NaN."""
    if size == 0.0:
        return 0.0
    return 1.0 if product >= size else product / size


@njit(cache=True)
def _distinct(x: FloatArray, peak: int, half: int, lag: int) -> float:
    """Return how far the slopes at the beat stand out from those before it: 0 for hum and noise, towards 1."""
    inside = _slope_energy(x, peak - half // 2, peak + half // 2, lag)
    before = _slope_energy(x, peak - 2 * half, peak - half, lag)
    return max(1.0 - before / inside, 0.0) if inside > 0.0 else 0.0


@njit(cache=True, fastmath=True)
def _slope_energy(x: FloatArray, low: int, high: int, lag: int) -> float:
    total = 0.0
    for i in range(low, high + 1):
        total += (x[i] - x[i - lag]) ** 2
    return total


@njit(cache=True, fastmath=True)
def _product(x: FloatArray, at: int, template: FloatArray) -> float:
    total = 0.0
    first = at - template.size // 2
    for k in range(template.size):
        total += x[first + k] * template[k]
    return total


@njit(cache=True)
def _spread(x: FloatArray, low: int, high: int) -> float:
    """Return the sum of squares about the mean; 0 where it is no more than rounding."""
    mean = _mean(x, low, high)
    square = 0.0
    for i in range(low, high + 1):
        square += (x[i] - mean) ** 2
    return square if square > 1e-24 * mean * mean * (high - low + 1) else 0.0


@njit(cache=True, fastmath=True)
def _mean(x: FloatArray, low: int, high: int) -> float:
    total = 0.0
    for i in range(low, high + 1):
        total += x[i]
    return total / (high - low + 1)


@njit(cache=True)
def _vertex(left: float, middle: float, right: float) -> float:
    """Return where the parabola through three neighbouring samples has its vertex, −½ … ½ from the middle one."""
    bend = left - 2.0 * middle + right
    return min(max(0.5 * (left - right) / bend, -0.5), 0.5) if bend != 0.0 else 0.0


@njit(cache=True)
def _blend(x: FloatArray, at: int, n: int, template: FloatArray) -> int:
    """Take a beat into a template: a mean of the first sixteen, then an exponential one; return how many are in it."""
    half = template.size // 2
    mean, square = _mean(x, at - half, at + half), _spread(x, at - half, at + half)
    if square == 0.0:
        return n
    if n == 0:
        template[:] = 0.0
    n = min(n + 1, MEMBERS)
    scale, square = 1.0 / np.sqrt(square), 0.0
    for k in range(template.size):
        template[k] += ((x[at - half + k] - mean) * scale - template[k]) / n
        square += template[k] ** 2
    template /= np.sqrt(square)
    return n


@njit(cache=True)
def _usual(size: float, usual: float, n: int) -> float:
    """Take a beat's size into the usual one of n beats; one beat can at most double it."""
    if n == 0 or usual == 0.0:
        return size
    return usual + (min(size, 2.0 * usual) - usual) / min(n + 1, MEMBERS)


@njit(cache=True)
def _fits(size: float, usual: float) -> float:
    """Return 1 for a beat of about the usual size, and less the more it differs, up or down."""
    if size == 0.0 or usual == 0.0:
        return 0.0
    return min(SIZES * min(size / usual, usual / size), 1.0) ** 2


@njit(cache=True)
def _peak_of(template: FloatArray, up: float, reach: int) -> float:
    """Return how far the template's peak is from its middle [samples]; it is near the middle."""
    half = template.size // 2
    peak = half
    for k in range(half - reach, half + reach + 1):
        if up * template[k] > up * template[peak]:
            peak = k
    return peak - half + _peak_between(template, peak, reach)


@njit(cache=True)
def _peak_between(x: FloatArray, peak: int, reach: int) -> float:
    """Return where the peak is between the samples, from its highest sample and those `reach` before and after."""
    return reach * _vertex(x[peak - reach], x[peak], x[peak + reach])

"""Which nerve impulses made this skin conductance? Level, responses and their driver by non-negative deconvolution.

Skin conductance is taken for a slow level, plus responses of one shape that follow on bursts of sudomotor nerve
activity (the driver, never negative), plus noise (the model of Greco 2016 and of Benedek & Kaernbach 2010). The most
probable driver and level are found block by block, so a day or a month needs the memory of one block, and a recording
that comes in pieces gives the same numbers as one that comes whole. All weights are absolute [µS]: a calm night is
not blown up to the size of a stormy day, as happens where a recording is first divided by its standard deviation.

References
----------
Greco A et al., "cvxEDA: a convex optimization approach to electrodermal activity processing", IEEE Trans Biomed Eng,
2016;63:797-804. doi:10.1109/TBME.2015.2474131
Benedek M, Kaernbach C, "Decomposition of skin conductance data by means of nonnegative deconvolution",
Psychophysiology, 2010;47:647-658. doi:10.1111/j.1469-8986.2009.00972.x
Mehrotra S, "On the implementation of a primal-dual interior point method", SIAM J Optim, 1992;2:575-601.
doi:10.1137/0802028
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, TimeArray
from unaji.signals.eda import (
    LONGEST_GAP_S,
    MARGIN_S,
    SHORTEST_PHASIC_S,
    SLOWEST_PHASIC_S,
    usual_spacing_s,
    valid_eda,
)

DECAY_S, RISE_S = 2.0, 0.7
"""Time constants of a response: sweat leaving the ducts, and filling them (Greco 2016) [s]."""

WORKING_RATE_HZ = 4.0
"""Faster recordings are averaged down to about this rate: responses have nothing above 1 Hz [Hz]."""

SPARSITY_MICROSIEMENS_S = 0.015
"""Price of driver: how far a response must bring the curve nearer to the signal, summed over its course [µS·s].

It takes some 0.006 µS from each response, a third of the least that is counted as one (`LEAST_MICROSIEMENS`), and is
what decides between a flat level with responses on it and a level that sinks to nothing.
"""

LEVEL_CUTOFF_HZ = 0.02
"""Frequency at which half of a wave without responses passes into the level [Hz].

Between the slow changes of the level (minutes) and 0.045 Hz, where the spectrum of sympathetic stimulation begins
(Posada-Quintero 2016). Chosen with `SPARSITY_MICROSIEMENS_S` on simulated recordings of nine kinds, for the best mean
and next to the best worst correlation with the truth (`benchmarks/signals_eda.py --choose`), not on any person's.
"""

BLOCK_S, BLOCK_MARGIN_S = 1200.0, 120.0
"""Length of a block, and of what is read before and after it and thrown away [s]: level and responses forget sooner."""

TOLERANCE = 1e-6
"""Gap to the optimum at which the iteration stops, as a share of the price of driver."""

MAX_ROUNDS = 60
"""It takes 15 to 25."""

LEAST_MICROSIEMENS = 0.02
"""Least amplitude of a response that is counted as one [µS]; between the 0.01 and 0.05 µS in use."""

SEARCHED = 2.0
"""How much larger the error of an amplitude is because moment, neighbours and level are found from the same noise.

From simulated responses under fresh noise (``tests/signals/test_eda_driver.py``): 1.1 where it is small, 2.2 where it
is not."""

LEAST_ERRORS = 2.0
"""A response must also be that many standard errors high; noise alone then gives less than one in six minutes."""

IndexArray = NDArray[np.int64]

TOO_SLOW = "slower than a sample a second: responses last seconds and would be missed, so this is level only"


@dataclass(frozen=True, eq=False, slots=True)
class EdaParts:
    """Skin conductance taken apart.

    Attributes
    ----------
    time : ndarray, shape (n,)
        When, UTC.
    valid : ndarray of bool, shape (n,)
        False where the quality rules reject the sample (`unaji.signals.eda.valid_eda`).
    tonic_microsiemens, phasic_microsiemens : ndarray, shape (n,)
        Level and responses [µS]; what is missing to the signal is noise. NaN where invalid; responses also where
        `reason` says why.
    driver_microsiemens_s : ndarray, shape (n,)
        Sudomotor drive: the peak height of the responses begun in each second [µS/s]. Its integral over a minute is
        the sum of the amplitudes of that minute's responses.
    noise_microsiemens : ndarray, shape (n,)
        Standard deviation of the noise in the sample's block [µS].
    reason : str
        Why there are no responses, or not everywhere; empty otherwise.
    """

    time: TimeArray
    valid: BoolArray
    tonic_microsiemens: FloatArray
    phasic_microsiemens: FloatArray
    driver_microsiemens_s: FloatArray
    noise_microsiemens: FloatArray
    reason: str = ""


class Responses(NamedTuple):
    """Skin conductance responses.

    Attributes
    ----------
    time : ndarray of datetime64[ms], shape (m,)
        When each began: the centre of its driver.
    amplitude_microsiemens : ndarray, shape (m,)
        Height above the level, had it come alone [µS].
    error_microsiemens : ndarray, shape (m,)
        Standard error of the amplitude from the noise [µS]; that responses differ in shape is not in it.
    """

    time: TimeArray
    amplitude_microsiemens: FloatArray
    error_microsiemens: FloatArray


def deconvolve_eda(time: TimeArray, scl_microsiemens: FloatArray) -> EdaParts:
    """Take skin conductance apart into level, responses and driver.

    Parameters
    ----------
    time : ndarray, shape (n,)
        When, ascending; regular within unbroken pieces.
    scl_microsiemens : ndarray, shape (n,)
        Skin conductance as measured [µS].

    Returns
    -------
    EdaParts
        At the times given. A recording slower than 1 Hz has a level only, as have pieces shorter than 20 s.

    Notes
    -----
    In each block, with p the responses, t the level and A the inverse of the response (a difference equation with the
    poles exp(−Δ/2 s) and exp(−Δ/0.7 s), impulse-invariant), the driver is d = A p and

        ½ |y − p − t|² + α Σ d + ½ λ Σ (second difference of t)²   is least, with d ≥ 0.

    The matrix of this problem has nine diagonals, so each of the some 20 rounds of an interior point method costs a
    time proportional to the length (`unaji.signals._kernels_eda`).
    """
    if time.shape != scl_microsiemens.shape:
        raise ValueError(f"time {time.shape} and scl_microsiemens {scl_microsiemens.shape} differ in shape")
    if time.size == 0:
        return _joined([])
    spacing_s = usual_spacing_s(time)
    if spacing_s <= 0.0:
        return replace(_nothing(time, np.zeros(time.size, dtype=bool)), reason="most samples carry the same time")
    stream = EdaStream(spacing_s)
    return _joined([stream.push(time, scl_microsiemens), stream.finish()])


def responses(parts: EdaParts, *, least_microsiemens: float = LEAST_MICROSIEMENS) -> Responses:
    """List the responses: unbroken stretches of driver, cut where it dips, large enough to be told from noise.

    Parameters
    ----------
    parts : EdaParts
        As from `deconvolve_eda`.
    least_microsiemens : float
        Least amplitude [µS]; where the noise is large, `LEAST_ERRORS` standard errors of an amplitude instead.
    """
    driver = np.nan_to_num(parts.driver_microsiemens_s)
    if not (driver > 0.0).any():
        return Responses(parts.time[:0], np.zeros(0), np.zeros(0))
    spacing_s = usual_spacing_s(parts.time)
    amount = driver * spacing_s
    group = _stretches(amount, 0.05 * least_microsiemens)
    inside = group >= 0
    count = int(group.max(initial=-1)) + 1
    amplitude: FloatArray = np.bincount(group[inside], amount[inside], count).astype(np.float64)
    seconds = (parts.time - parts.time[0]).astype(np.float64) / 1000.0
    centre_s = np.bincount(group[inside], (amount * seconds)[inside], count) / np.maximum(amplitude, 1e-300)
    noise = np.bincount(group[inside], parts.noise_microsiemens[inside], count) / np.bincount(group[inside])
    error = SEARCHED * noise / _response_size(spacing_s)
    kept = amplitude >= np.maximum(least_microsiemens, LEAST_ERRORS * error)
    began = parts.time[0] + np.round(1000.0 * centre_s[kept]).astype("timedelta64[ms]")
    return Responses(began, amplitude[kept], error[kept])


class EdaStream:
    """Takes skin conductance apart as it comes in, in constant memory.

    Push samples in pieces of any length, and take what has been settled: at most `BLOCK_S` + 2 · `BLOCK_MARGIN_S`
    later. The results joined are those of `deconvolve_eda`, to the last digit, however the recording was cut.

    Parameters
    ----------
    spacing_s : float
        Time between samples [s].
    """

    def __init__(self, spacing_s: float) -> None:
        if not spacing_s > 0.0:
            raise ValueError(f"spacing_s must be above 0, got {spacing_s} s")
        self._spacing_s = spacing_s
        self._factor = max(1, round(1.0 / (spacing_s * WORKING_RATE_HZ)))
        self._core = self._factor * max(1, round(BLOCK_S / (spacing_s * self._factor)))
        self._margin = self._factor * max(2, round(BLOCK_MARGIN_S / (spacing_s * self._factor)))
        self._time: TimeArray = np.zeros(0, dtype="datetime64[ms]")
        self._value = np.zeros(0)
        self._next = 0  # first sample in memory that has not been given back
        self._piece = -1  # where in memory the piece of `_next` begins; −1 when a new one begins there

    def push(self, time: TimeArray, scl_microsiemens: FloatArray) -> EdaParts:
        """Take samples in; give back what is settled, which may be nothing."""
        self._time = np.concatenate((self._time, time.astype("datetime64[ms]")))
        self._value = np.concatenate((self._value, np.asarray(scl_microsiemens, dtype=float)))
        return self._advance(final=False)

    def finish(self) -> EdaParts:
        """Give back the rest; nothing can be pushed thereafter."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> EdaParts:
        if self._time.size == 0:
            return _joined([])
        time, value = self._time, self._value
        valid = valid_eda(time, value)
        linked = np.diff(time).astype(np.float64) <= 1000.0 * LONGEST_GAP_S * self._spacing_s
        # Whether a sample is valid is known once its margin has been seen.
        wait = np.timedelta64(round(1000.0 * MARGIN_S), "ms")
        settled = time.size if final else int(np.searchsorted(time, time[-1] - wait, side="left"))
        borders = _borders(valid, linked, settled)
        found: list[EdaParts] = []
        while self._next < settled:
            end, is_closed = _piece_end(borders, self._next, settled, final=final)
            if not valid[self._next]:
                found.append(_nothing(time[self._next : end], valid[self._next : end]))
                self._next, self._piece = end, -1
                continue
            if self._piece < 0:
                self._piece = self._next
            stop = self._next + self._core
            if end < stop + self._margin:
                if not is_closed:
                    break
                stop = end
            found.append(self._block(stop, min(end, stop + self._margin)))
            self._next = stop
            if stop == end and is_closed:
                self._piece = -1
        self._forget()
        return _joined(found)

    def _block(self, stop: int, reach: int) -> EdaParts:
        """Solve for a block with its margins, which end where the piece ends, and keep the block."""
        begin = self._next
        low = max(self._piece, begin - self._margin)
        solved = _solve(self._value[low:reach], self._spacing_s, self._factor)
        kept = slice(begin - low, stop - low)
        valid = np.ones(stop - begin, dtype=bool)
        return EdaParts(
            self._time[begin:stop],
            valid,
            solved.tonic[kept],
            solved.phasic[kept],
            solved.driver[kept],
            solved.noise[kept],
            solved.reason,
        )

    def _forget(self) -> None:
        """Drop what no later block and no later judgement reads."""
        drop = max(0, self._next - self._margin)
        self._time, self._value = self._time[drop:], self._value[drop:]
        self._next -= drop
        if self._piece >= 0:
            self._piece = max(0, self._piece - drop)


class _Solved(NamedTuple):
    tonic: FloatArray
    phasic: FloatArray
    driver: FloatArray
    noise: FloatArray
    reason: str


def _solve(value: FloatArray, spacing_s: float, factor: int) -> _Solved:
    """Take one stretch without gaps apart."""
    missing = np.full(value.size, np.nan)
    if spacing_s > SLOWEST_PHASIC_S:
        return _Solved(value, missing, missing, missing, TOO_SLOW)
    if value.size * spacing_s < SHORTEST_PHASIC_S:
        return _Solved(value, missing, missing, missing, f"pieces shorter than {SHORTEST_PHASIC_S:g} s are level only")
    from unaji.signals._kernels_eda import deconvolve  # noqa: PLC0415  (numba is slow to load)

    step_s = spacing_s * factor
    coarse = value[: value.size // factor * factor].reshape(-1, factor).mean(axis=1)
    peak = _peak(step_s)
    sparsity = SPARSITY_MICROSIEMENS_S / step_s * peak
    roughness = 1.0 / (2.0 * np.sin(np.pi * min(LEVEL_CUTOFF_HZ * step_s, 0.5))) ** 4
    phasic, tonic, driver, rounds = deconvolve(
        coarse, _poles(step_s), sparsity, roughness, TOLERANCE * sparsity, MAX_ROUNDS
    )
    if rounds > MAX_ROUNDS or not np.isfinite(driver).all():
        return _Solved(value, missing, missing, missing, "the deconvolution of a block did not converge")
    driver = driver * peak / step_s
    driver[:2] = 0.0  # what began before the first sample has no known beginning
    noise = np.full(value.size, _noise(coarse))
    n = value.size
    return _Solved(_finer(tonic, n, factor), _finer(phasic, n, factor), _held(driver, n, factor), noise, "")


def _poles(step_s: float) -> FloatArray:
    return np.exp(-step_s / np.array([DECAY_S, RISE_S]))


def _impulse_response(step_s: float) -> FloatArray:
    slow, fast = _poles(step_s)
    k = np.arange(1, round(20.0 * DECAY_S / step_s) + 1)
    response: FloatArray = (slow**k - fast**k) / (slow - fast)
    return response


def _peak(step_s: float) -> float:
    return float(_impulse_response(step_s).max())


def _response_size(spacing_s: float) -> float:
    """Root sum of squares of a response of height 1: how many times smaller its error is than a sample's."""
    factor = max(1, round(1.0 / (spacing_s * WORKING_RATE_HZ)))
    response = _impulse_response(spacing_s * factor)
    return float(np.sqrt(np.sum(response**2)) / response.max())


def _noise(value: FloatArray) -> float:
    """Estimate the standard deviation of white noise from third differences, which level and responses hardly touch."""
    return float(1.4826 * np.median(np.abs(np.diff(value, 3))) / np.sqrt(20.0))


def _finer(coarse: FloatArray, size: int, factor: int) -> FloatArray:
    """Draw straight lines between the averages' centres."""
    if factor == 1:
        return coarse
    centre = (np.arange(coarse.size) + 0.5) * factor - 0.5
    return np.interp(np.arange(size), centre, coarse)


def _held(coarse: FloatArray, size: int, factor: int) -> FloatArray:
    """Repeat each average over its samples; those left over at the end take the last one's."""
    return coarse[np.minimum(np.arange(size) // factor, coarse.size - 1)]


def _borders(valid: BoolArray, linked: BoolArray, settled: int) -> IndexArray:
    """Return where, among the settled samples, validity changes or a gap lies: the first sample thereafter."""
    changes = (valid[1:settled] != valid[: max(settled - 1, 0)]) | ~linked[: max(settled - 1, 0)]
    return np.flatnonzero(changes) + 1


def _piece_end(borders: IndexArray, begin: int, settled: int, *, final: bool) -> tuple[int, bool]:
    """Return where the piece that holds `begin` ends, and whether that end is known for good."""
    later = int(np.searchsorted(borders, begin, side="right"))
    if later < borders.size:
        return int(borders[later]), True
    return settled, final


def _stretches(amount: FloatArray, floor: float) -> IndexArray:
    """Number the stretches of driver from 0; −1 where there is next to none.

    A stretch is cut where the driver dips to less than half of either neighbour: there two bursts follow each other.
    """
    on = amount > floor
    dip = np.zeros(amount.size, dtype=bool)
    dip[1:-1] = (amount[1:-1] < 0.5 * amount[:-2]) & (amount[1:-1] <= 0.5 * amount[2:]) & on[:-2] & on[2:]
    begins = on & np.concatenate(([True], ~on[:-1] | dip[:-1]))
    number = np.cumsum(begins) - 1
    return np.where(on, number, -1)


def _nothing(time: TimeArray, valid: BoolArray) -> EdaParts:
    missing = np.full(time.size, np.nan)
    return EdaParts(time, valid, missing, missing, missing, missing)


def _joined(parts: list[EdaParts]) -> EdaParts:
    if not parts:
        return _nothing(np.zeros(0, dtype="datetime64[ms]"), np.zeros(0, dtype=bool))
    if len(parts) == 1:
        return parts[0]
    reasons = dict.fromkeys(part.reason for part in parts if part.reason)
    return EdaParts(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.valid for part in parts]),
        np.concatenate([part.tonic_microsiemens for part in parts]),
        np.concatenate([part.phasic_microsiemens for part in parts]),
        np.concatenate([part.driver_microsiemens_s for part in parts]),
        np.concatenate([part.noise_microsiemens for part in parts]),
        "; ".join(reasons),
    )

"""When did the pulse arrive, by a photoplethysmogram? Upstrokes finer than the sampling, each with a quality.

Pulses are found as maxima at many scales at once (MSPTDfast), which needs no threshold and bears a drifting level. Each
is then timed by its upstroke, the sharpest part of a pulse: where the slope fits the usual slope of this recording
best. A peak is broad, and an error of some milliseconds in each inflates RMSSD. Intervals of pulses are not intervals
of heart beats: the time the pulse travels changes too, so pulse rate variability is not heart rate variability, and it
is for rest and sleep. For either take pulses of quality 0.5 and more only (`DetectedBeats.to_beats`): with a phone's
camera against a chest strap that halves the error of RMSSD.

References
----------
Charlton PH et al., "The MSPTDfast photoplethysmography beat detection algorithm: design, benchmarking, and open-source
distribution", Physiol Meas, 2025;46:035002. doi:10.1088/1361-6579/adb89e
Bishop SM, Ercole A, "Multi-scale peak and trough detection optimised for periodic and quasi-periodic neuroscience
data", Acta Neurochir Suppl, 2018;126:189-195. doi:10.1007/978-3-319-65798-1_39
Orphanidou C et al., IEEE J Biomed Health Inform, 2015;19:832-838. doi:10.1109/JBHI.2014.2338351 (quality by template)
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unaji.records.timeline import FloatArray
from unaji.signals.detected import DetectedBeats, joined

LOWEST_RATE_HZ = 15.0
"""Slowest sampling from which pulses are told [Hz]."""

WORKING_RATE_HZ = 20.0
"""Rate at which pulses are looked for; they are timed on all samples (Charlton 2025) [Hz]."""

WINDOW_S, HOP_S = 6.0, 4.8
"""Windows of the search, and how far they move (Charlton 2025) [s]."""

LEVEL_S = 1.2
"""Length of the average, taken twice, that is subtracted before the search: breathing and drift are slower [s]."""

LOWEST_BPM = 30.0
"""Slowest pulse that is looked for (Charlton 2025) [1/min]."""

APART_S = 0.25
"""Pulses closer together than this are one [s]."""

UPSTROKE_S = 0.4
"""Longest time from foot to peak in which the upstroke is looked for [s]."""

TIMING_RATE_HZ = 50.0
"""Recordings slower than this are interpolated to twice this before timing [Hz]."""

SLOPE_S = 0.1
"""Length of the smoothing of the slope [s]."""

SEARCH_S, TEMPLATE_S = 0.1, 0.2
"""How far from the steepest point the best fit may be, and half the length of the template of the slope [s]."""

HELD_S = 0.2
"""Missing samples up to so long are bridged; longer ones are a gap [s]."""

LONGEST_INTERVAL_S = 3.0
"""Two pulses farther apart have others between them that were not seen: a gap [s]."""

LARGEST = 1e12
"""A sample or a time beyond this is taken as missing: nothing is measured in such units."""

LONGEST_PAUSE_S = 10.0
"""Of a longer pause between uneven samples only so much is worked through [s]."""

REACH = 3
"""Samples on either side that interpolation looks at."""

BLOCK = 1 << 15
"""Samples worked on at a time."""

IntArray = NDArray[np.int64]


def ppg_beats(ppg: ArrayLike, sampling_rate_hz: float, *, inverted: bool = False) -> DetectedBeats:
    """Find the pulses of a photoplethysmogram.

    Parameters
    ----------
    ppg : array_like, shape (n,)
        The signal in any unit, evenly sampled; NaN where it was not recorded.
    sampling_rate_hz : float
        Samples a second; there is no default.
    inverted : bool
        True where more blood makes the value smaller, as in the brightness a camera sees.

    Returns
    -------
    DetectedBeats
        Times are those of the steepest point of the upstroke; amplitudes are from foot to peak. Empty when there is
        nothing that looks like a pulse. In noise there may be pulses; their quality is low.

    Raises
    ------
    ValueError
        The rate is below `LOWEST_RATE_HZ` or not a number, or `ppg` has more than one dimension.
    """
    detector = PpgDetector(sampling_rate_hz, inverted=inverted)
    return joined([detector.feed(ppg), detector.finish()])


def ppg_beats_uneven(time_s: ArrayLike, ppg: ArrayLike, *, inverted: bool = False) -> DetectedBeats:
    """Find the pulses of a photoplethysmogram whose samples are not evenly spaced, as of a phone's camera.

    Parameters
    ----------
    time_s : array_like, shape (n,)
        When each sample was taken [s], ascending.
    ppg : array_like, shape (n,)
        The signal, as for `ppg_beats`.

    Returns
    -------
    DetectedBeats
        Times are on the clock of `time_s`. A pause of more than `HELD_S` between samples is a gap.
    """
    time, x = np.asarray(time_s, dtype=np.float64), np.asarray(ppg, dtype=np.float64)
    if time.shape != x.shape or x.ndim != 1:
        raise ValueError(f"time_s {time.shape} and ppg {x.shape} differ in shape")
    known = (np.abs(time) <= LARGEST) & (np.abs(x) <= LARGEST)
    time, x = time[known], x[known]
    if (np.diff(time) < 0.0).any():
        raise ValueError("time_s must ascend")
    left_out = np.cumsum(np.maximum(np.diff(time, prepend=time[:1]) - LONGEST_PAUSE_S, 0.0))
    t = time - time[:1] - left_out
    later = np.diff(t, prepend=-np.inf) > 0.0
    time, t, x = time[later], t[later], x[later]
    if t.size < 4 or t[-1] < WINDOW_S / 2.0:
        return joined([])
    rate_hz = 2.0 * TIMING_RATE_HZ
    even = np.arange(math.floor(t[-1] * rate_hz) + 1) / rate_hz
    values = _spline(t, x, even)
    before = np.searchsorted(t, even, side="right") - 1
    pause = np.append(np.diff(t), 0.0)[before] > HELD_S
    values[pause] = np.nan
    beats = ppg_beats(values, rate_hz, inverted=inverted)
    sample = np.searchsorted(t, beats.time_s, side="right") - 1
    return replace(beats, time_s=beats.time_s + (time - t)[sample])


class PpgDetector:
    """Finds pulses as the samples come, with a memory of seconds; chunks give the pulses of the whole.

    A pulse is given out six to twelve seconds after it happened: the windows of the search have to be full.

    Parameters
    ----------
    sampling_rate_hz : float
        Samples a second.
    inverted : bool
        True where more blood makes the value smaller.
    """

    def __init__(self, sampling_rate_hz: float, *, inverted: bool = False) -> None:
        from unaji.signals import _kernels_beats as kernels  # noqa: PLC0415  (compiled: slow to import)

        if not LOWEST_RATE_HZ <= sampling_rate_hz < math.inf:
            raise ValueError(f"sampling_rate_hz must be at least {LOWEST_RATE_HZ:g}, got {sampling_rate_hz}")
        self._kernels = kernels
        self._sign = -1.0 if inverted else 1.0
        self._given_hz = float(sampling_rate_hz)
        self._times = 1 if sampling_rate_hz >= TIMING_RATE_HZ else math.ceil(2.0 * TIMING_RATE_HZ / sampling_rate_hz)
        self._rate_hz = self._given_hz * self._times
        self._search, self._half = round(UPSTROKE_S / 2.0 * self._rate_hz), round(TEMPLATE_S * self._rate_hz)
        self._lag = max(1, round(SLOPE_S / 2.0 * self._rate_hz))
        self._template, self._rival = np.zeros((2, 2 * self._half + 1))
        self._timing, self._hold = np.zeros(1, dtype=kernels.TEMPLATE), np.zeros(1, dtype=kernels.HOLD)
        self._timing["last"], self._timing["up"] = -np.inf, 1.0
        self._find = _Finder(self._rate_hz)
        self._around = 2 * self._search + 3 * self._half + 2 * self._lag + 2
        self._samples = np.zeros(2 * REACH)  # as given, the last ones, for interpolation
        self._n_given = 0
        self._kept = np.zeros(self._around)  # interpolated
        self._first = -self._around
        self._breaks_s: list[float] = []
        self._lost_s: list[tuple[float, float]] = []
        self._last_s = -math.inf

    def feed(self, chunk: ArrayLike) -> DetectedBeats:
        """Take the next samples, any number of them, and return the pulses that are now certain."""
        samples = np.asarray(chunk)
        if samples.ndim != 1:
            raise ValueError(f"the samples must be one channel, shape (n,), got {samples.shape}")
        blocks = (samples[i : i + BLOCK] for i in range(0, samples.size, BLOCK))
        return joined([self._feed_block(self._sign * block) for block in blocks])

    def finish(self) -> DetectedBeats:
        """Return the pulses that were still waiting; the recording is over."""
        held = np.full(math.ceil((self._around / self._rate_hz) * self._given_hz) + REACH, np.nan)
        # What is held after the end lets the last pulses be timed; pulses are not looked for in it.
        self._keep(held)
        return self._timed(self._find.finish())

    def _keep(self, block: FloatArray) -> FloatArray:
        fine = self._interpolated(self._held(block))
        self._kept = np.concatenate((self._kept, fine))
        return fine

    def _feed_block(self, block: FloatArray) -> DetectedBeats:
        fine = self._keep(block)
        beats = self._timed(self._find.feed(fine))
        surplus = self._find.decided - self._around - self._first
        if surplus > 0:
            self._kept, self._first = self._kept[surplus:], self._first + surplus
        return beats

    def _held(self, block: FloatArray) -> FloatArray:
        """Bridge missing samples, and note where the recording was interrupted."""
        held, (breaks, length) = round(HELD_S * self._given_hz), np.empty((2, block.size), dtype=np.int64)
        n = self._kernels.hold_missing(block, self._hold, held, LARGEST, breaks, length)
        for at, missing in zip(breaks[:n] + self._n_given, length[:n], strict=True):
            self._breaks_s.append(at / self._given_hz)
            self._lost_s.append(((at - missing) / self._given_hz, at / self._given_hz))
        self._n_given += block.size
        return block

    def _interpolated(self, block: FloatArray) -> FloatArray:
        """Raise the rate of a slow recording; it comes out `REACH` samples later."""
        if self._times == 1:
            return block
        x = np.concatenate((self._samples, block))
        self._samples = x[-2 * REACH :]
        n = x.size - 2 * REACH
        fine = np.stack([_between(x, n, part / self._times) for part in range(self._times)], axis=1).reshape(-1)
        # Of the zeros before the recording the first samples given out here are made: they are left away.
        early = max(REACH - (self._n_given - block.size), 0)
        return fine[min(early, n) * self._times :]

    def _timed(self, peaks: IntArray) -> DetectedBeats:
        """Time the pulses with these peaks, positions in the interpolated signal, by their upstrokes."""
        if not peaks.size:
            return joined([])
        slope = np.zeros_like(self._kept)
        slope[self._lag : -self._lag] = self._kept[2 * self._lag :] - self._kept[: -2 * self._lag]
        about = peaks - self._search - self._first
        # The compiled loop does not look where it reads: what it needs around each pulse has to be there.
        before, after = self._search + 2 * self._half + self._lag, 2 * self._search + self._half
        assert ((about >= before) & (about < self._kept.size - after)).all()
        centre = np.empty(about.size, dtype=np.int64)
        fraction, quality, _, _ = columns = np.empty((4, about.size))
        n = self._kernels.refine(
            slope, about, self._search, self._half, self._lag, APART_S * self._rate_hz, self._first, self._timing,
            self._template, self._rival, centre, *columns,
        )  # fmt: skip
        time_s = ((centre[:n] + self._first) + fraction[:n]) / self._rate_hz
        foot, peak = _foot_and_peak(self._kept, centre[:n], self._search)
        return self._seen(DetectedBeats(time_s, quality[:n], peak - foot, (peak + foot) / 2.0, np.zeros(n, dtype=bool)))

    def _seen(self, beats: DetectedBeats) -> DetectedBeats:
        """Drop pulses that were made up where nothing was recorded, and mark the gaps."""
        lost = np.zeros(len(beats), dtype=bool)
        for start_s, end_s in self._lost_s:
            lost |= (beats.time_s >= start_s) & (beats.time_s < end_s)
        seen = beats.where(~lost)
        seen = seen.interrupted_at(np.array(self._breaks_s), LONGEST_INTERVAL_S, last_s=self._last_s)
        if len(seen):
            self._last_s = float(seen.time_s[-1])
            self._breaks_s = [at_s for at_s in self._breaks_s if at_s >= self._last_s]
            self._lost_s = [(start_s, end_s) for start_s, end_s in self._lost_s if end_s >= self._last_s]
        return seen


class _Finder:
    """Says where the peaks of pulses are, to a sample of the working rate."""

    def __init__(self, rate_hz: float) -> None:
        from unaji.signals import _kernels_ppg as kernels  # noqa: PLC0415

        self._kernels = kernels
        self._step = max(1, round(rate_hz / WORKING_RATE_HZ))
        working_hz = rate_hz / self._step
        self._size, self._hop = round(WINDOW_S * working_hz), round(HOP_S * working_hz)
        self._longest = round(0.5 * 60.0 / LOWEST_BPM * working_hz)
        self._half_level = round(LEVEL_S / 2.0 * working_hz)
        self._left_over = np.zeros(0)
        self._coarse = np.zeros(0)
        self._first = 0  # position of the first coarse sample kept
        self._next = 0  # where the next window starts
        self._pending = np.zeros(0, dtype=bool)  # peaks from there on, of windows before it

    @property
    def decided(self) -> int:
        """Before which sample all peaks have been given out."""
        return self._next * self._step

    def feed(self, x: FloatArray) -> IntArray:
        samples = np.concatenate((self._left_over, x))
        whole = samples.size // self._step * self._step
        self._left_over = samples[whole:]
        self._coarse = np.concatenate((self._coarse, samples[:whole].reshape(-1, self._step).mean(axis=1)))
        known = self._first + self._coarse.size - 2 * self._half_level - self._next
        n_windows = (known - self._size) // self._hop + 1
        if n_windows < 1:
            return np.zeros(0, dtype=np.int64)
        return self._peaks(self._size + (n_windows - 1) * self._hop, n_windows * self._hop)

    def finish(self) -> IntArray:
        rest = self._first + self._coarse.size - self._next
        return self._peaks(rest, rest, ending=True)

    def _peaks(self, n: int, n_decided: int, *, ending: bool = False) -> IntArray:
        """Look for peaks in the next n samples and give out those among the first `n_decided`."""
        level = self._kernels.average(self._kernels.average(self._coarse, self._half_level), self._half_level)
        start = self._next - self._first
        rest = (self._coarse - level)[start : start + n]
        is_peak = self._kernels.multiscale_peaks(rest, self._size, self._hop, self._longest, ending)
        is_peak[: self._pending.size] |= self._pending[:n]
        at = np.flatnonzero(is_peak[:n_decided]) + self._next
        self._pending = is_peak[n_decided:]
        self._next += n_decided
        surplus = max(self._next - 2 * self._half_level - self._first, 0)
        self._coarse, self._first = self._coarse[surplus:], self._first + surplus
        centre: IntArray = at * self._step + (self._step - 1) // 2
        return centre


def _spline(t: FloatArray, x: FloatArray, at: FloatArray) -> FloatArray:
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  (slow to import, and only uneven recordings need it)

    values: FloatArray = CubicSpline(t, x)(at)
    return values


def _between(x: FloatArray, n: int, part: float) -> FloatArray:
    """Return x a part of a sample after each of n samples, by the polynomial through `REACH` samples on either side."""
    places = range(1 - REACH, REACH + 1)
    value = np.zeros(n)
    for place in places:
        weight = math.prod((part - other) / (place - other) for other in places if other != place)
        value += weight * x[REACH - 1 + place : REACH - 1 + place + n]
    return value


def _foot_and_peak(x: FloatArray, middle: IntArray, reach: int) -> tuple[FloatArray, FloatArray]:
    """Return the lowest value before and the highest after each upstroke."""
    steps = np.arange(reach + 1)
    foot = x[np.clip(middle[:, None] - steps, 0, x.size - 1)].min(axis=1, initial=np.inf)
    peak = x[np.clip(middle[:, None] + steps, 0, x.size - 1)].max(axis=1, initial=-np.inf)
    return foot, peak

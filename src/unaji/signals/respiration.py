"""How fast did the person breathe, by what breathing does to the heart beat?

Breathing shortens and lengthens the intervals between beats, makes the beats larger and smaller, and moves the level
they stand on. In each window the spectra of these modulations are brought together, each weighted by how much of it
stands in one peak, and the rate is that of the peak that is left. Where no peak stands out there is no rate, and the
reason is given instead.

What to expect, measured in ``tests/signals/test_respiration.py`` and told in
``docs/explanation/beats-and-breathing.md``: from a clean electrocardiogram a rate in most minutes, right to a fraction
of a breath; from intervals alone fewer, and a wave that a machine put into them is not told from breathing. At the
wrist of people who are awake and busy it is not to be relied on: 19 of 1322 minutes gave a rate, and none while people
were told to breathe fast.

References
----------
Karlen W et al., "Multiparameter respiratory rate estimation from the photoplethysmogram", IEEE Trans Biomed Eng,
2013;60:1946-1953. doi:10.1109/TBME.2013.2246160 (three modulations, fused only where they agree)
Charlton PH et al., "Breathing rate estimation from the electrocardiogram and photoplethysmogram: a review", IEEE Rev
Biomed Eng, 2018;11:2-20. doi:10.1109/RBME.2017.2763681
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.detected import DetectedBeats
from unaji.signals.reasons import Reason

LOWEST_HZ, HIGHEST_HZ = 0.1, 0.5
"""Breathing that is looked for: 6 to 30 breaths a minute [Hz]."""

MAYER_HZ = 0.15
"""Below this intervals and pulses of a person at rest have waves of their own, from the control of vessels [Hz]."""

WINDOW_S = 60.0
"""Length of a window: ten of the slowest breaths would be 100 s, in which breathing seldom stays the same [s]."""

RESAMPLED_HZ = 4.0
"""Rate of the even series that stands for the beats' modulation [Hz]."""

MIN_COVERAGE = 0.8
"""Share of a window that unbroken beats must fill."""

MIN_PEAKEDNESS = {1: 0.6, 3: 0.54}
"""Share of the power that must stand in the peak, by how many modulations there are.

White noise in all of them reaches less in 99 windows of 100. In simulated breathing nine in ten of the rates told just
above it are within two breaths a minute of the truth, and nearly all from 0.75 on.
"""

MIN_PEAKEDNESS_SLOW = 0.75
"""The same for a rate below `MAYER_HZ`: only a wave that leaves little beside it."""

HALF_PEAK_HZ = 2.0 / WINDOW_S
"""Half the width of the peak of a steady wave after a Hann window of 60 s [Hz]."""

MIN_QUALITY = 0.5
"""Beats of lower quality do not take part."""

ROUNDING = 1e-12
"""What is left of a modulation is no wave where it is a smaller share of the modulation itself: nothing changed."""

LARGEST = 1e12
"""An interval, height or level beyond this is taken as missing: nothing is measured in such units."""

FFT_SIZE = 2048
BLOCK = 256  # windows worked on at a time: a few MB


@dataclass(frozen=True, eq=False, slots=True)
class Respiration:
    """Breathing rate by windows.

    Attributes
    ----------
    start_s : ndarray, shape (n_windows,)
        Start of each window, on the clock of the beats [s].
    breaths_per_min : ndarray, shape (n_windows,)
        Breathing rate [1/min]; NaN where it cannot be told.
    confidence : ndarray, shape (n_windows,)
        Share of the power that stands in the peak, 0 to 1; 0 where nothing could be computed.
    reason : ndarray of int8, shape (n_windows,)
        `Reason` why there is no rate; 0 where there is one.
    """

    start_s: FloatArray
    breaths_per_min: FloatArray
    confidence: FloatArray
    reason: NDArray[np.int8]

    def __len__(self) -> int:
        return int(self.start_s.size)


def respiration_from_intervals(
    time_s: FloatArray, rri_ms: FloatArray, start_s: FloatArray, *, window_s: float = WINDOW_S
) -> Respiration:
    """Tell the breathing rate from intervals between beats alone.

    Parameters
    ----------
    time_s : ndarray, shape (n_beats,)
        When each interval ends, ascending [s].
    rri_ms : ndarray, shape (n_beats,)
        Intervals [ms]; NaN where a beat was rejected or the record was interrupted.
    start_s : ndarray, shape (n_windows,)
        Start of each window [s].
    window_s : float
        Length of the windows [s].
    """
    return _by_windows(time_s, [rri_ms], start_s, window_s)


def respiration_from_beats(beats: DetectedBeats, start_s: FloatArray, *, window_s: float = WINDOW_S) -> Respiration:
    """Tell the breathing rate from intervals, heights and levels of beats found in a waveform.

    Parameters
    ----------
    beats : DetectedBeats
        From `unaji.signals.ecg.ecg_beats` or `unaji.signals.ppg.ppg_beats`.
    start_s, window_s
        As for `respiration_from_intervals`.
    """
    good = ~(beats.quality < MIN_QUALITY)
    both = good & np.append(False, good)[: len(beats)]
    intervals = np.where(both, beats.rri_ms, np.nan)
    heights, levels = (np.where(good, column, np.nan) for column in (beats.amplitude, beats.baseline))
    return _by_windows(beats.time_s, [intervals, heights, levels], start_s, window_s)


def _by_windows(time_s: FloatArray, columns: list[FloatArray], start_s: FloatArray, window_s: float) -> Respiration:
    if any(column.shape != time_s.shape for column in columns) or time_s.ndim != 1:
        raise ValueError("the times and the modulations of the beats differ in shape")
    if not window_s >= 20.0:
        raise ValueError(f"window_s must be at least 20, two of the slowest breaths, got {window_s}")
    starts = np.asarray(start_s, dtype=np.float64)
    columns = [np.where(np.abs(column) <= LARGEST, column, np.nan) for column in columns]
    rate, confidence = np.full(starts.size, np.nan), np.zeros(starts.size)
    reason = np.zeros(starts.size, np.int8)
    for first in range(0, starts.size, BLOCK):
        part = slice(first, first + BLOCK)
        rate[part], confidence[part], reason[part] = _of_block(time_s, columns, starts[part], window_s)
    return Respiration(starts, rate, confidence, reason)


def _of_block(
    time_s: FloatArray, columns: list[FloatArray], start_s: FloatArray, window_s: float
) -> tuple[FloatArray, FloatArray, NDArray[np.int8]]:
    frequency: FloatArray = np.linspace(0.0, RESAMPLED_HZ / 2.0, FFT_SIZE // 2 + 1)
    limit_hz, covered = _beats_allow(time_s, columns[0], start_s, window_s)
    looked_at = (frequency >= LOWEST_HZ) & (frequency <= np.minimum(HIGHEST_HZ, limit_hz)[:, None])
    fused = np.zeros(looked_at.shape)
    for column in columns:
        # Drift and the control of vessels fall off with frequency; times frequency, they do not outweigh breathing.
        power = _spectra(time_s, column, start_s, window_s) * looked_at * frequency
        total = power.sum(axis=1, keepdims=True)
        share = np.divide(power, total, out=np.zeros_like(power), where=total > 0.0)
        fused += share * _peakedness(share, frequency)[:, None] ** 2
    total = fused.sum(axis=1, keepdims=True)
    fused = np.divide(fused, total, out=np.zeros_like(fused), where=total > 0.0)
    confidence = np.where(covered, _peakedness(fused, frequency), 0.0)
    peak_hz = _peak_hz(fused, frequency)
    slow = (peak_hz < MAYER_HZ) & (confidence < MIN_PEAKEDNESS_SLOW)
    reason = np.select(
        [~covered, confidence < MIN_PEAKEDNESS[len(columns)], slow],
        [Reason.GAPS, Reason.NO_BREATHING_PEAK, Reason.BLOOD_PRESSURE],
        Reason.NONE,
    ).astype(np.int8)
    return np.where(reason == Reason.NONE, 60.0 * peak_hz, np.nan), confidence, reason


def _beats_allow(
    time_s: FloatArray, rri_ms: FloatArray, start_s: FloatArray, window_s: float
) -> tuple[FloatArray, BoolArray]:
    """Return the fastest wave the beats can show (half of their rate), and whether they fill the window."""
    known = np.isfinite(rri_ms) & np.isfinite(time_s)
    running_s = np.concatenate(([0.0], np.cumsum(np.where(known, rri_ms, 0.0)) / 1000.0))
    running_n = np.concatenate(([0], np.cumsum(known)))
    low, high = (np.searchsorted(time_s, edge) for edge in (start_s, start_s + window_s))
    filled_s, n = running_s[high] - running_s[low], running_n[high] - running_n[low]
    limit_hz = np.divide(0.5 * n, filled_s, out=np.zeros(start_s.size), where=filled_s > 0.0)
    return limit_hz, np.asarray(filled_s >= MIN_COVERAGE * window_s)


def _spectra(time_s: FloatArray, column: FloatArray, start_s: FloatArray, window_s: float) -> FloatArray:
    """Return the power of a modulation in each window: straight line removed, Hann."""
    n = round(window_s * RESAMPLED_HZ)
    offset = (np.arange(n) + 0.5) / RESAMPLED_HZ
    known = np.isfinite(column) & np.isfinite(time_s)
    if known.sum() < 2:
        return np.zeros((start_s.size, FFT_SIZE // 2 + 1))
    x = np.interp(start_s[:, None] + offset, time_s[known], column[known])
    rounding = ROUNDING * np.abs(x).max(axis=1)
    line = offset - offset.mean()
    x -= x.mean(axis=1, keepdims=True) + np.outer(x @ line / (line @ line), line)
    x[np.abs(x).max(axis=1) <= rounding] = 0.0
    power: FloatArray = np.abs(np.fft.rfft(x * np.hanning(n), FFT_SIZE, axis=1)) ** 2
    return power


def _peakedness(share: FloatArray, frequency: FloatArray) -> FloatArray:
    """Return how much of each spectrum, which adds up to 1, stands within `HALF_PEAK_HZ` of its highest point."""
    top = frequency[np.argmax(share, axis=1)]
    near = np.abs(frequency - top[:, None]) <= HALF_PEAK_HZ
    inside: FloatArray = (share * near).sum(axis=1)
    return inside


def _peak_hz(share: FloatArray, frequency: FloatArray) -> FloatArray:
    """Return the centre of mass of the peak of each spectrum."""
    top = frequency[np.argmax(share, axis=1)]
    near = share * (np.abs(frequency - top[:, None]) <= HALF_PEAK_HZ)
    total = near.sum(axis=1)
    centre: FloatArray = np.divide(near @ frequency, total, out=top.copy(), where=total > 0.0)
    return centre

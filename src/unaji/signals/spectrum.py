"""How much of the heart's variability lies in which band of frequencies, in ms²?

Two estimates of one quantity, the one-sided power spectral density of the RR intervals in ms²/Hz, whose integral over
all frequencies is their variance:

* Welch: a cubic spline through the intervals, each placed at its start, read at 4 Hz; segments of 300 s with a Hann
  taper, half overlapping, a line taken off each; what the spline itself takes from fast waves is given back. Nothing
  is interpolated over more than `LONGEST_BRIDGE_S`: what is missing has no weight.
* Lomb: the exact Lomb-Scargle periodogram of the beats themselves with the same segments and taper, no resampling.
  Power is not counted above half the mean rate of the beats, where a slow heart shows every wave a second time.

Power over LF and HF is no measure of "sympathovagal balance" and is not offered as one.

References
----------
Task Force of the ESC and NASPE, Circulation, 1996;93:1043-1065. doi:10.1161/01.CIR.93.5.1043
Laguna P, Moody GB, Mark RG, "Power spectral density of unevenly sampled data by least-square analysis", IEEE Trans
Biomed Eng, 1998;45:698-715. doi:10.1109/10.678605
Unser M, Aldroubi A, Eden M, "B-spline signal processing", IEEE Trans Signal Process, 1993;41:821-848.
ANSI/AAMI EC57:2012, A.4.3.3 (test patterns with known powers; an interval stands at its start).
Welch PD, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans Audio Electroacoust,
1967;15:70-73. doi:10.1109/TAU.1967.1161901
Priestley MB, Spectral Analysis and Time Series, Academic Press, 1981.
Billman GE, "The LF/HF ratio does not accurately measure cardiac sympatho-vagal balance", Front Physiol, 2013;4:26.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray
from unaji.signals.tachogram import Tachogram

VLF_HZ, LF_HZ, HF_HZ = (0.003, 0.04), (0.04, 0.15), (0.15, 0.40)
"""Bands of the Task Force, the lower edge included and the upper not [Hz]."""

MIN_BAND_S = {VLF_HZ: 300.0, LF_HZ: 120.0, HF_HZ: 60.0}
"""Shortest window in which a band's power is given: some two to ten of its longest waves [s] (Task Force 1996)."""

RESAMPLING_HZ = 4.0
"""Rate of the spline [Hz]; ten times the highest frequency of interest."""

SEGMENT_S = 300.0
"""Length of a segment [s]: the Task Force's short recording."""

LONGEST_BRIDGE_S = 5.0
"""Longest distance between two beats that the spline may cross [s]."""

MIN_COVERAGE = 0.8
"""Share of a segment that must be measured, weighted with the square of the taper."""

MAX_HZ = 0.6
"""Spectra are kept to this frequency [Hz]."""

COMPENSATE_TO = 0.4
"""What the spline takes away is given back up to this many waves a beat; nearer to 0.5 it would mostly be noise."""

HANN_BANDWIDTH = 35.0 / 18.0
"""What a Hann taper costs: the mean of its fourth power over the squared mean of its square."""

HALF_OVERLAP = 2.0 / 36.0
"""Twice the squared correlation of two Hann segments that overlap by half: 2 (1/6)² (Welch 1967)."""

CHUNK = 64
"""Segments worked on at a time, so that memory does not grow with the recording."""

Method = Literal["welch", "lomb"]

N_FFT = round(RESAMPLING_HZ * SEGMENT_S)
DF_HZ = 1.0 / SEGMENT_S
N_FREQ = round(MAX_HZ / DF_HZ) + 1


@dataclass(frozen=True, eq=False, slots=True)
class Spectrum:
    """Power spectral density of the RR intervals in each window.

    Attributes
    ----------
    frequency_hz : ndarray, shape (n_freq,)
        Ascending, regular.
    density : ndarray, shape (n_windows, n_freq)
        One-sided density [ms²/Hz]; NaN where too little of every segment was measured.
    coverage : ndarray, shape (n_windows,)
        Share of the window's segments that was measured, 0 to 1.
    n_segments : ndarray of int, shape (n_windows,)
        Segments behind each mean.
    nyquist_hz : ndarray, shape (n_windows,)
        Half the mean rate of the beats: above it no wave can be told from its mirror image.
    window_s : float
        Length of a window [s].
    method : {"welch", "lomb"}
    """

    frequency_hz: FloatArray
    density: FloatArray
    coverage: FloatArray
    n_segments: NDArray[np.int64]
    nyquist_hz: FloatArray
    window_s: float
    method: Method

    def power(self, low_hz: float | FloatArray, high_hz: float | FloatArray) -> FloatArray:
        """Integrate the density over low ≤ f < high [ms²], shape (n_windows,).

        Parameters
        ----------
        low_hz, high_hz : float or ndarray, shape (n_windows,)
            Edges of the band, one for all windows or one for each.
        """
        return self._integral(self.density, low_hz, high_hz)

    def power_error(self, low_hz: float | FloatArray, high_hz: float | FloatArray) -> FloatArray:
        """Return the standard error of `power` in another stretch of the same process [ms²], shape (n_windows,).

        Notes
        -----
        In a segment of T s under a Hann taper the power of a band scatters with the variance 35/18/T ∫S² (Priestley
        1981, 6.2), and S² is the square of the estimated density over 1 + v, v being the relative variance of one of
        its values: 1 for one segment, less for a mean over several that overlap by half. A narrow wave is uncertain
        although it is large, since it makes few independent observations.
        """
        n = np.maximum(self.n_segments, 1)
        relative = (1.0 + HALF_OVERLAP * (n - 1) / n) / n
        squares = self._integral(self.density**2, low_hz, high_hz)
        segment_s = min(self.window_s, SEGMENT_S)
        error: FloatArray = np.sqrt(HANN_BANDWIDTH / segment_s * relative / (1.0 + relative) * squares)
        return error

    def _integral(self, density: FloatArray, low_hz: float | FloatArray, high_hz: float | FloatArray) -> FloatArray:
        running = np.concatenate((np.zeros((len(density), 1)), np.cumsum(density, axis=1)), axis=1) * DF_HZ
        rows = np.arange(len(density))
        low, high = _bin(np.broadcast_to(low_hz, rows.shape)), _bin(np.broadcast_to(high_hz, rows.shape))
        result: FloatArray = running[rows, high] - running[rows, np.minimum(low, high)]
        return result


def spectrum(tachogram: Tachogram, start_s: FloatArray, window_s: float, *, method: Method = "welch") -> Spectrum:
    """Estimate the power spectral density in each of many windows.

    Parameters
    ----------
    tachogram : Tachogram
    start_s : ndarray, shape (n_windows,)
        Starts of the windows on the tachogram's clock [s]; windows may overlap.
    window_s : float
        Length of a window [s]. Windows from 450 s on are means over half-overlapping segments of 300 s; shorter ones
        are one segment of at most 300 s.
    method : {"welch", "lomb"}

    Returns
    -------
    Spectrum
        On a grid of 1/300 Hz whatever the length of the window.
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    start_s = np.asarray(start_s, dtype=np.float64)
    if not window_s > 0.0:
        raise ValueError(f"window_s must be above 0, got {window_s}")
    segment_s = min(window_s, SEGMENT_S)
    n_offsets = 1 + int((window_s - segment_s + 1e-6) / (SEGMENT_S / 2.0))
    knot_s, value_ms, weight = _knots(tachogram)
    window, segments_s = _segments(knot_s, start_s, segment_s, n_offsets)
    pieces = kernels.spline_pieces(knot_s, value_ms, LONGEST_BRIDGE_S)
    estimate = _Estimate(knot_s, value_ms, weight, pieces, np.append(0.0, np.cumsum(value_ms)), segment_s)
    n_segments = np.zeros(start_s.size, dtype=np.int64)
    coverage, rri_ms = np.zeros(start_s.size), np.zeros(start_s.size)
    density = np.zeros((start_s.size, N_FREQ))
    for begin in range(0, segments_s.size, CHUNK):
        into, at_s = window[begin : begin + CHUNK], segments_s[begin : begin + CHUNK]
        part, measured, mean_rri_ms = estimate.welch(at_s) if method == "welch" else estimate.lomb(at_s)
        # Segments come in order of their windows: add up each window's.
        first = np.flatnonzero(np.diff(into, prepend=-1))
        row, enough = into[first], (measured >= MIN_COVERAGE).astype(np.float64)
        coverage[row] += np.add.reduceat(measured, first) / n_offsets
        n_segments[row] += np.add.reduceat(enough, first).astype(np.int64)
        rri_ms[row] += np.add.reduceat(enough * mean_rri_ms, first)
        density[row] += np.add.reduceat(enough[:, None] * part, first, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        density, nyquist_hz = density / n_segments[:, None], 500.0 / (rri_ms / n_segments)
    return Spectrum(
        frequency_hz=DF_HZ * np.arange(N_FREQ, dtype=np.float64),
        density=density,
        coverage=coverage,
        n_segments=n_segments,
        nyquist_hz=nyquist_hz,
        window_s=window_s,
        method=method,
    )


def respiration_band(rate_hz: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the edges of a band that follows breathing: 0.65 to 1.35 times its rate [Hz].

    Slow breathing moves the respiratory wave below 0.15 Hz, out of the fixed band; this band goes with it. At 0.25 Hz
    it reaches from 0.16 to 0.34 Hz.
    """
    return 0.65 * rate_hz, 1.35 * rate_hz


def _knots(tachogram: Tachogram) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return start [s], value [ms] and weight of the valid intervals, at strictly ascending times."""
    nn_ms, start_s = tachogram.nn_ms, tachogram.start_s
    valid = ~np.isnan(nn_ms)
    start_s, nn_ms, weight = start_s[valid], nn_ms[valid], tachogram.weight[valid]
    ascending = np.diff(np.maximum.accumulate(start_s), prepend=-np.inf) > 1e-3 if start_s.size else valid[valid]
    return start_s[ascending], nn_ms[ascending], weight[ascending]


def _segments(
    knot_s: FloatArray, start_s: FloatArray, segment_s: float, n_offsets: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the window and the start [s] of every segment that holds beats; years of nothing cost nothing."""
    step_s = SEGMENT_S / 2.0
    if n_offsets == 1:
        held = np.flatnonzero(np.searchsorted(knot_s, start_s) < np.searchsorted(knot_s, start_s + segment_s))
        return held, start_s[held]
    windows, starts = [np.zeros(0, np.int64)], [np.zeros(0)]
    for w, begin_s in enumerate(start_s):
        low, high = np.searchsorted(knot_s, [begin_s, begin_s + (n_offsets - 1) * step_s + segment_s])
        last = ((knot_s[low:high] - begin_s) / step_s).astype(np.int64)
        held = np.union1d(last, last - 1)
        held = held[(held >= 0) & (held < n_offsets)]
        windows.append(np.full(held.size, w))
        starts.append(begin_s + step_s * held)
    return np.concatenate(windows), np.concatenate(starts)


@dataclass(frozen=True, eq=False, slots=True)
class _Estimate:
    """Both estimates of segments; each gives density, share measured, and mean interval [ms] of each segment."""

    knot_s: FloatArray
    value_ms: FloatArray
    weight: FloatArray
    pieces: FloatArray
    total_ms: FloatArray
    segment_s: float

    def welch(self, segments_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

        length = min(round(self.segment_s * RESAMPLING_HZ), N_FFT)
        if self.knot_s.size < 3 or length < 4:
            return np.zeros((segments_s.size, N_FREQ)), np.zeros(segments_s.size), np.zeros(segments_s.size)
        rows, measured = kernels.tapered_rows(self.knot_s, self.pieces, segments_s, 1.0 / RESAMPLING_HZ, length, N_FFT)
        transform = np.fft.rfft(rows)[:, :N_FREQ]
        whole = float(np.sum(np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 4))
        scale = 2.0 / (RESAMPLING_HZ * whole * np.maximum(measured, 1e-9))
        mean_rri_ms = self._mean_rri_ms(segments_s)
        density = scale[:, None] * (transform.real**2 + transform.imag**2) / _spline_passes(mean_rri_ms)
        return density, measured, mean_rri_ms

    def lomb(self, segments_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

        low, high = np.searchsorted(self.knot_s, segments_s), np.searchsorted(self.knot_s, segments_s + self.segment_s)
        mean_rri_ms = self._mean_rri_ms(segments_s)
        power = kernels.lomb_power(
            self.knot_s, self.value_ms, self.weight, low, high, segments_s, self.segment_s, DF_HZ, N_FREQ
        )
        density = 2.0e-3 * mean_rri_ms[:, None] * np.nan_to_num(power)  # PSD = 2 T/N · P; T/N is the mean interval
        density[DF_HZ * np.arange(N_FREQ) > 500.0 / np.maximum(mean_rri_ms, 1.0)[:, None]] = 0.0
        measured = np.clip((high - low) * mean_rri_ms / (1000.0 * self.segment_s), 0.0, 1.0)
        return density, np.where(high - low >= 4, measured, 0.0), mean_rri_ms

    def _mean_rri_ms(self, segments_s: FloatArray) -> FloatArray:
        """Return the mean interval of the beats in each segment [ms]; 0 where there is none."""
        low, high = np.searchsorted(self.knot_s, segments_s), np.searchsorted(self.knot_s, segments_s + self.segment_s)
        n = high - low
        total_ms = self.total_ms[high] - self.total_ms[low]
        mean: FloatArray = np.divide(total_ms, n, out=np.zeros(n.size), where=n > 0)
        return mean


def _spline_passes(mean_rri_ms: FloatArray) -> FloatArray:
    """Return the share of power that the cubic spline lets through at each frequency, for each segment.

    The spline through samples T apart is the sum of cardinal splines, whose transform is sinc⁴(fT) over the mean of
    the B-spline's samples, (2 + cos 2πfT)/3 (Unser, Aldroubi and Eden 1993). At 0.25 Hz and 75 beats a minute 1 % is
    lost, at 0.35 Hz and 55 beats a quarter.
    """
    ft = np.minimum(DF_HZ * np.arange(N_FREQ) * np.maximum(mean_rri_ms, 1.0)[:, None] / 1000.0, COMPENSATE_TO)
    angle = np.pi * np.maximum(ft, 1e-9)
    sine_squared = np.sin(angle) ** 2
    passes: FloatArray = (3.0 * sine_squared**2 / angle**4 / (3.0 - 2.0 * sine_squared)) ** 2  # cos 2x = 1 − 2 sin² x
    return passes


def _bin(frequency_hz: FloatArray) -> NDArray[np.int64]:
    """Return the first bin that is not below a frequency."""
    return np.clip(np.ceil(frequency_hz / DF_HZ - 1e-6), 0, N_FREQ).astype(np.int64)

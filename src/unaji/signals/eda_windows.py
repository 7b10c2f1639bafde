"""How strongly was the skin's sympathetic supply driven in each window of time?

Level, drive, responses and the spectral index of a window, each with the share of the window behind it. A single window
is a grid of one.

Skin conductance is the sweat glands' voice, and they cool the body too: in the warm the level follows skin and air
temperature. Nothing is taken out for that here, since a temperature effect cannot be told from a time-of-day effect in
one day; `unaji.signals.adjust` regresses on skin and air temperature together with time of day once a record has enough
days. The drive in responses a minute is less touched by warmth than the level, but not untouched.

References
----------
Posada-Quintero HF et al., "Power spectral density analysis of electrodermal activity for sympathetic function
assessment", Ann Biomed Eng, 2016;44:3124-3135. doi:10.1007/s10439-016-1606-6
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray, Series, TimeArray
from unaji.signals.eda import usual_spacing_s
from unaji.signals.eda_driver import EdaParts, IndexArray, deconvolve_eda, responses
from unaji.signals.grid import Gridded, mean_on_grid, step_of
from unaji.signals.value import Value

SYMPATHETIC_BAND_HZ = (0.045, 0.25)
"""Where sympathetic stimulation raises the spectrum of skin conductance (Posada-Quintero 2016) [Hz]."""

SPECTRUM_RATE_HZ = 2.0
SEGMENT_S = 64.0
"""128 samples at 2 Hz, tapered by Blackman's window, half overlapping (Posada-Quintero 2016) [s].

Departure from the paper: a straight line is taken out of each segment in place of their high-pass at 0.01 Hz, which
would carry what happened in one window into the next.
"""

NO_SEGMENT = "no unbroken 64 s in this window: the index asks for three cycles of its slowest wave"


@dataclass(frozen=True, eq=False, slots=True)
class EdaWindows:
    """Skin conductance by window; NaN where there is too little to say.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Start of each window, UTC.
    step_s : float
        Length of a window [s].
    tonic_microsiemens : ndarray, shape (n,)
        Mean level [µS].
    phasic_microsiemens : ndarray, shape (n,)
        Mean height of the responses above the level [µS].
    drive_microsiemens_min : ndarray, shape (n,)
        Sum of the amplitudes of the responses of a minute [µS/min]: the sudomotor drive.
    responses_per_min : ndarray, shape (n,)
        Responses counted, per minute measured.
    amplitude_microsiemens : ndarray, shape (n,)
        Mean amplitude of the responses counted [µS]; NaN where there was none.
    edasymp_microsiemens2 : ndarray, shape (n,)
        Power in `SYMPATHETIC_BAND_HZ` [µS²].
    edasymp_share : ndarray, shape (n,)
        The same as a share of all power but the mean's, 0 to 1 (EDASympn).
    tonic_quality, phasic_quality, edasymp_quality : ndarray, shape (n,)
        Share of the window that was measured and valid; for the spectrum, the share of its segments.
    reason : str
        Why responses are missing; empty when they are not.
    """

    time: TimeArray
    step_s: float
    tonic_microsiemens: FloatArray
    phasic_microsiemens: FloatArray
    drive_microsiemens_min: FloatArray
    responses_per_min: FloatArray
    amplitude_microsiemens: FloatArray
    edasymp_microsiemens2: FloatArray
    edasymp_share: FloatArray
    tonic_quality: FloatArray
    phasic_quality: FloatArray
    edasymp_quality: FloatArray
    reason: str = ""

    def values(self, window: int) -> EdaValues:
        """Give one window's numbers, each with its unit and quality or the reason why it is missing."""
        no_phasic = self.reason or "too little of this window was valid"
        of = self._value
        return EdaValues(
            tonic=of(window, self.tonic_microsiemens, "µS", self.tonic_quality, "too little of this window was valid"),
            phasic=of(window, self.phasic_microsiemens, "µS", self.phasic_quality, no_phasic),
            drive=of(window, self.drive_microsiemens_min, "µS/min", self.phasic_quality, no_phasic),
            responses=of(window, self.responses_per_min, "1/min", self.phasic_quality, no_phasic),
            edasymp=of(window, self.edasymp_microsiemens2, "µS²", self.edasymp_quality, NO_SEGMENT),
            edasymp_share=of(window, self.edasymp_share, "1", self.edasymp_quality, NO_SEGMENT),
        )

    def _value(self, window: int, column: FloatArray, unit: str, quality: FloatArray, otherwise: str) -> Value:
        measured_s = round(float(quality[window]) * self.step_s)
        return Value.of(float(column[window]), unit, measured_s, float(quality[window]), otherwise=otherwise)


class EdaValues(NamedTuple):
    """One window of `EdaWindows`; n counts the seconds behind each number."""

    tonic: Value
    phasic: Value
    drive: Value
    responses: Value
    edasymp: Value
    edasymp_share: Value


def eda_windows(series: Series, grid: TimeArray, step_s: float, *, parts: EdaParts | None = None) -> EdaWindows:
    """Describe skin conductance over the windows of a grid.

    Parameters
    ----------
    series : Series
        Skin conductance [µS], instants.
    grid : ndarray, shape (n,)
        Starts of the windows, as from `unaji.signals.grid.step_starts`.
    step_s : float
        Length of a window [s].
    parts : EdaParts, optional
        What `deconvolve_eda` made of the same series, where it is at hand.

    Returns
    -------
    EdaWindows
    """
    parts = parts or deconvolve_eda(series.time, series.value)
    has_phasic = np.isfinite(parts.phasic_microsiemens)
    tonic = _mean(series, parts.tonic_microsiemens, parts.valid, grid, step_s)
    phasic = _mean(series, parts.phasic_microsiemens, has_phasic, grid, step_s)
    drive = _mean(series, parts.driver_microsiemens_s, has_phasic, grid, step_s)
    count, amplitude = _counted(parts, grid, step_s)
    measured_min = np.where(np.isfinite(phasic.value), phasic.coverage * step_s / 60.0, np.nan)
    spectrum = _spectrum(series, parts.valid, grid, step_s)
    return EdaWindows(
        time=grid,
        step_s=step_s,
        tonic_microsiemens=tonic.value,
        phasic_microsiemens=phasic.value,
        drive_microsiemens_min=60.0 * drive.value,
        responses_per_min=count / measured_min,
        amplitude_microsiemens=np.where(np.isfinite(measured_min), amplitude, np.nan),
        edasymp_microsiemens2=spectrum.power,
        edasymp_share=spectrum.share,
        tonic_quality=tonic.coverage,
        phasic_quality=phasic.coverage,
        edasymp_quality=spectrum.quality,
        reason=parts.reason,
    )


def _mean(series: Series, values: FloatArray, valid: BoolArray, grid: TimeArray, step_s: float) -> Gridded:
    # A series holds finite values only, and those of conductance lie within 0 to 100 µS: what is set to zero here is
    # left out by `valid`, and a level a hair below zero at an edge is no reason to drop the sample.
    placed = replace(series, value=np.where(valid, np.clip(np.nan_to_num(values), 0.0, 100.0), 0.0))
    return mean_on_grid(placed, grid, step_s, valid=valid)


def _counted(parts: EdaParts, grid: TimeArray, step_s: float) -> tuple[FloatArray, FloatArray]:
    """Count the responses that begin in each window, and average their amplitudes."""
    found = responses(parts)
    step = step_of(found.time, grid, step_s)
    inside = step >= 0
    count = np.bincount(step[inside], minlength=grid.size).astype(np.float64)
    total = np.bincount(step[inside], found.amplitude_microsiemens[inside], minlength=grid.size)
    return count, np.divide(total, count, out=np.full(grid.size, np.nan), where=count > 0)


class _Spectrum(NamedTuple):
    power: FloatArray
    share: FloatArray
    quality: FloatArray


def _spectrum(series: Series, valid: BoolArray, grid: TimeArray, step_s: float) -> _Spectrum:
    """Average the segments' spectra over each window (Welch), leaving out segments with a gap or an invalid sample."""
    power, share, quality = np.full(grid.size, np.nan), np.full(grid.size, np.nan), np.zeros(grid.size)
    spacing_s = usual_spacing_s(series.time)
    if step_s < SEGMENT_S or spacing_s > 0.5 / SYMPATHETIC_BAND_HZ[1]:
        return _Spectrum(power, share, quality)
    factor = max(1, round(1.0 / (spacing_s * SPECTRUM_RATE_HZ)))
    length = round(SEGMENT_S / (spacing_s * factor)) * factor
    offsets_ms = np.arange(0.0, step_s - SEGMENT_S + 1e-6, SEGMENT_S / 2.0) * 1000.0
    begins = (grid[:, None] + np.round(offsets_ms).astype("timedelta64[ms]")).ravel()
    window = np.repeat(np.arange(grid.size), offsets_ms.size)
    first = np.searchsorted(series.time, begins)
    whole = _unbroken(series.time, valid, first, length, begins, spacing_s)
    in_band, overall = _band_power(series.value, first[whole], length, factor, spacing_s)
    count = np.bincount(window[whole], minlength=grid.size)
    some = count > 0
    power[some] = np.bincount(window[whole], in_band, minlength=grid.size)[some] / count[some]
    total = np.bincount(window[whole], overall, minlength=grid.size)
    varied = some & (total > 0.0)
    share[varied] = (power * count)[varied] / total[varied]
    return _Spectrum(power, share, count / offsets_ms.size)


def _unbroken(
    time: TimeArray, valid: BoolArray, first: IndexArray, length: int, begins: TimeArray, spacing_s: float
) -> BoolArray:
    """Tell which segments are complete: all samples there, all valid, beginning and ending when they should."""
    there = first + length <= time.size
    last = np.where(there, first + length - 1, 0)
    bad = np.concatenate(([0], np.cumsum(~valid)))
    slack = np.timedelta64(max(1, round(2000.0 * spacing_s)), "ms")
    expected = begins + np.timedelta64(round(1000.0 * (length - 1) * spacing_s), "ms")
    clean = bad[np.minimum(first + length, time.size)] == bad[np.minimum(first, time.size)]
    whole: BoolArray = there & clean & (np.abs(time[last] - expected) <= slack)
    return whole


def _band_power(
    value: FloatArray, first: IndexArray, length: int, factor: int, spacing_s: float
) -> tuple[FloatArray, FloatArray]:
    """Return each segment's power in the sympathetic band and over all frequencies but 0 [µS²]."""
    n = length // factor
    frequency = np.fft.rfftfreq(n, spacing_s * factor)
    taper = np.blackman(n + 1)[:n]  # periodic, as for a spectrum
    line = np.linspace(-1.0, 1.0, n)
    in_band = (frequency >= SYMPATHETIC_BAND_HZ[0]) & (frequency <= SYMPATHETIC_BAND_HZ[1])
    band, overall = np.zeros(first.size), np.zeros(first.size)
    batch = 4096  # segments at a time, so that a month needs no more memory than two days
    for begin in range(0, first.size, batch):
        rows = first[begin : begin + batch]
        x = value[rows[:, None] + np.arange(length)].reshape(rows.size, n, factor).mean(axis=2)
        x -= x.mean(axis=1, keepdims=True)
        x -= (x @ line / (line @ line))[:, None] * line
        power = 2.0 * np.abs(np.fft.rfft(x * taper, axis=1)) ** 2 / (n * (taper @ taper))
        band[begin : begin + batch] = power[:, in_band].sum(axis=1)
        overall[begin : begin + batch] = power[:, 1:].sum(axis=1)
    return band, overall

"""Every index of heart rate variability of every window: the value, its uncertainty, its quality, or why it is missing.

Variability is taken from valid pairs: nothing is invented for a rejected beat. The same is computed once more with
rejected beats replaced; where the two differ, the artefacts matter, and the difference enters the uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.correction import interpolate_artefacts
from unaji.signals.hrv import TimeDomain, time_domain
from unaji.signals.nonlinear import (
    MOST_INTERVALS,
    baevsky_si,
    csi_cvi,
    dfa_alpha1,
    poincare,
    sample_entropy,
    triangular_index,
)
from unaji.signals.rr import BeatKind
from unaji.signals.spectrum import (
    HF_HZ,
    LF_HZ,
    MIN_BAND_S,
    VLF_HZ,
    Method,
    Spectrum,
    respiration_band,
    spectrum,
)
from unaji.signals.tachogram import Tachogram
from unaji.signals.value import Value

IntArray = NDArray[np.int64]

UNITS = {
    "n": "1",
    "mean_rri_ms": "ms",
    "mean_hr_bpm": "1/min",
    "sdnn_ms": "ms",
    "rmssd_ms": "ms",
    "sdsd_ms": "ms",
    "pnn50": "1",
    "sd1_ms": "ms",
    "sd2_ms": "ms",
    "sampen": "1",
    "dfa_a1": "1",
    "vlf_ms2": "ms²",
    "lf_ms2": "ms²",
    "hf_ms2": "ms²",
    "baevsky_si": "%/s²",
    "corrected_fraction": "1",
    "triangular_index": "1",
    "csi": "1",
    "cvi": "1",
    "hf_resp_ms2": "ms²",
}
"""Unit of each index. `pnn50` and `corrected_fraction` are fractions from 0 to 1."""

MOST_ARTEFACTS = {
    "mean_rri_ms": 0.5,
    "mean_hr_bpm": 0.5,
    "sdnn_ms": 0.2,
    "rmssd_ms": 0.2,
    "sdsd_ms": 0.2,
    "pnn50": 0.2,
    "sd1_ms": 0.2,
    "sd2_ms": 0.2,
    "sampen": 0.1,
    "dfa_a1": 0.05,
    "vlf_ms2": 0.1,
    "lf_ms2": 0.1,
    "hf_ms2": 0.1,
    "hf_resp_ms2": 0.1,
    "baevsky_si": 0.1,
    "triangular_index": 0.2,
    "csi": 0.2,
    "cvi": 0.2,
}
"""Largest share of rejected intervals with which an index is given; its quality falls to 0 towards it.

Where one interval in five was found wrong, some that look right are wrong too; DFA bears a few per cent. A window of
pairs bears more than one that had to be interpolated.
"""

FEW_DIFFERENCES = 30
"""Below this many differences a value is given with a word of caution: half a minute of beats."""

LEAST = {"sampen": 100, "dfa_a1": 64, "triangular_index": 100, "baevsky_si": 30}
"""Fewest templates, or intervals, from which these are given; any other needs what its formula needs."""

MIN_COVERAGE = 0.5
"""Share of a window that valid intervals must fill for indices in which the slow waves of the whole window count."""

WHOLE_WINDOW = ("sdnn_ms", "sd2_ms", "csi", "cvi", "triangular_index")

BLOCKS = 8
"""Parts of a window whose spread gives the uncertainty of its means."""

REASONS = (
    "",
    "no valid interval between beats",
    "too few valid intervals in a row",
    "too many intervals were artefacts",
    "the window is too short for this band",
    "too much of the window was not measured",
    "it is not defined for these intervals: nothing varies, or nothing repeats",
    "from fewer than 30 differences: read with care",
    "the heart is slower than twice the band's upper edge: power counts only up to half its rate",
    "the heart is too slow for this band: half its rate lies below it",
    "no breathing rate was given",
    "the window is too long to compare every pair of patterns: use shorter windows",
)
"""Texts of the reason codes; 0 is none."""

OK, NOTHING, FEW, ARTEFACTS, SHORT, GAPS, UNDEFINED, CARE, SLOW, TOO_SLOW, NO_BREATH, TOO_LONG = range(len(REASONS))


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """One index in every window. Arrays of shape (n_windows,).

    Attributes
    ----------
    value : ndarray
        NaN where it is missing.
    n : ndarray of int
        Intervals, differences, templates or segments behind it.
    quality : ndarray
        0 to 1: what share of the window was measured, times how far the artefacts stay below the bearable share; 0
        where the value is missing.
    standard_error : ndarray
        Uncertainty of the value, where one was worked out: sampling in a window of this length, what the artefacts
        change, and the grid on which the intervals were measured; NaN elsewhere.
    reason : ndarray of int8
        Index into `REASONS`.
    """

    unit: str
    value: FloatArray
    n: IntArray
    quality: FloatArray
    standard_error: FloatArray
    reason: NDArray[np.int8]

    def at(self, k: int) -> Value:
        """Return the index in window k."""
        return Value.of(
            float(self.value[k]), self.unit, int(self.n[k]), float(self.quality[k]), reason=REASONS[self.reason[k]]
        )


@dataclass(frozen=True, eq=False, slots=True)
class HrvTable:
    """Indices of many windows.

    Attributes
    ----------
    start_s : ndarray, shape (n_windows,)
        Start of each window on the tachogram's clock [s].
    window_s : float
        Length of a window [s].
    columns : dict of str to Column
        The names of `UNITS`.
    rmssd_interpolated_ms, sdnn_interpolated_ms : ndarray, shape (n_windows,)
        The same with rejected beats replaced; NaN where not defined.
    spectrum : Spectrum or None
        What the band powers were taken from.
    """

    start_s: FloatArray
    window_s: float
    columns: dict[str, Column]
    rmssd_interpolated_ms: FloatArray
    sdnn_interpolated_ms: FloatArray
    spectrum: Spectrum

    def __len__(self) -> int:
        return int(self.start_s.size)

    def at(self, k: int) -> dict[str, Value]:
        """Return every index of window k."""
        return {name: column.at(k) for name, column in self.columns.items()}


def hrv(tachogram: Tachogram, *, method: Method = "welch", resp_rate_hz: float | None = None) -> dict[str, Value]:
    """Every index of a whole recording: a batch of one window that holds it all.

    Parameters
    ----------
    tachogram : Tachogram
    method : {"welch", "lomb"}
        How the spectrum is estimated; see `unaji.signals.spectrum`.
    resp_rate_hz : float, optional
        Rate of breathing [Hz], which places the band of ``hf_resp_ms2``.

    Returns
    -------
    dict of str to Value
        The names of `UNITS`.
    """
    start_s, window_s = whole(tachogram)
    rate = None if resp_rate_hz is None else np.array([resp_rate_hz])
    return hrv_table(tachogram, start_s, window_s, method=method, resp_rate_hz=rate).at(0)


def whole(tachogram: Tachogram) -> tuple[FloatArray, float]:
    """Return the one window that holds a whole recording: its start and its length [s]."""
    if not len(tachogram):
        return np.zeros(1), 1.0
    start_s = float(tachogram.start_s[0])
    return np.array([start_s]), max(float(tachogram.end_s[-1]) - start_s, 0.0) + 1e-6


def window_starts(tachogram: Tachogram, window_s: float, step_s: float | None = None) -> FloatArray:
    """Return the starts of the windows in which an interval ends, counted from the start of the recording [s].

    Parameters
    ----------
    tachogram : Tachogram
    window_s : float
        Length of a window [s].
    step_s : float, optional
        From the start of one window to that of the next [s]; `window_s` if not given.
    """
    origin_s, step_s = whole(tachogram)[0][0], window_s if step_s is None else step_s
    since_s = tachogram.end_s - 1e-6 - origin_s  # an interval that ends on an edge belongs to the window it fills
    last = np.unique((np.maximum(since_s, 0.0) / step_s).astype(np.int64))
    reach = int((window_s - 1e-9) / step_s)
    held = np.unique(np.maximum(last[:, None] - np.arange(reach + 1), 0))
    starts: FloatArray = origin_s + step_s * held
    return starts


def hrv_table(
    tachogram: Tachogram,
    start_s: FloatArray,
    window_s: float,
    *,
    method: Method = "welch",
    resp_rate_hz: FloatArray | None = None,
    nonlinear: bool = True,
) -> HrvTable:
    """Every index of every window.

    Parameters
    ----------
    tachogram : Tachogram
    start_s : ndarray, shape (n_windows,)
        Starts of the windows [s]; they may overlap. An interval belongs to the window that holds its end.
    window_s : float
        Length of a window [s].
    method : {"welch", "lomb"}
    resp_rate_hz : ndarray, shape (n_windows,), optional
        Rate of breathing in each window [Hz]; NaN where it is not known.
    nonlinear : bool
        False leaves out sample entropy, DFA, stress and triangular index.

    Returns
    -------
    HrvTable
    """
    start_s = np.asarray(start_s, dtype=np.float64)
    if not window_s > 0.0:
        raise ValueError(f"window_s must be above 0, got {window_s}")
    nn_ms, joined = tachogram.nn_ms, tachogram.joined
    low, high = (np.searchsorted(tachogram.end_s, edge).astype(np.int64) for edge in (start_s, start_s + window_s))
    time = time_domain(nn_ms, joined, low, high)
    filled_ms = np.where(time.n_beats > 0, time.n_beats * np.nan_to_num(time.mean_rri_ms), 0.0)
    judge = _Judge(
        measured=np.clip(filled_ms / (1000.0 * window_s), 0.0, 1.0),
        artefacts=_rejected_share(tachogram, low, high),
        nothing=time.n_beats == 0,
    )
    filled = interpolate_artefacts(tachogram) if judge.artefacts.any() else None
    with_filled = time if filled is None else _time_of(filled, start_s, window_s)
    power = spectrum(tachogram, start_s, window_s, method=method)
    columns = {
        **_count_columns(time, judge),
        **_time_columns(time, with_filled, judge, nn_ms, joined, low, high),
        **_poincare_columns(time, judge),
        **(_nonlinear_columns(time, judge, nn_ms, joined, low, high) if nonlinear else {}),
        **_band_columns(power, judge, resp_rate_hz),
    }
    return HrvTable(
        start_s=start_s,
        window_s=window_s,
        columns={name: columns[name] for name in UNITS if name in columns},
        rmssd_interpolated_ms=with_filled.rmssd_ms,
        sdnn_interpolated_ms=with_filled.sdnn_ms,
        spectrum=power,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Judge:
    """What every index of a window is judged by: how much was measured, and how much of that was wrong."""

    measured: FloatArray
    artefacts: FloatArray
    nothing: BoolArray

    def column(
        self,
        name: str,
        value: FloatArray,
        n: IntArray,
        *refusals: tuple[BoolArray, int],
        care: tuple[BoolArray, int] | None = None,
        standard_error: FloatArray | None = None,
    ) -> Column:
        """Give a value where nothing speaks against it; of several refusals the first is the reason."""
        most = MOST_ARTEFACTS[name]
        checks = [(self.nothing, NOTHING), *refusals, (self.artefacts > most, ARTEFACTS)]
        if name in WHOLE_WINDOW:
            checks.append((self.measured < MIN_COVERAGE, GAPS))
        checks.append((~np.isfinite(value), UNDEFINED))
        reason = np.select([bad for bad, _ in checks], [code for _, code in checks], OK).astype(np.int8)
        given = reason == OK
        if care is not None:
            reason[given & care[0]] = care[1]
        error = np.full(value.size, np.nan) if standard_error is None else standard_error
        return Column(
            unit=UNITS[name],
            value=np.where(given, value, np.nan),
            n=n,
            quality=np.where(given, self.measured * np.clip(1.0 - self.artefacts / most, 0.0, 1.0), 0.0),
            standard_error=np.where(given, error, np.nan),
            reason=reason,
        )


def _rejected_share(tachogram: Tachogram, low: IntArray, high: IntArray) -> FloatArray:
    """Return the share of each window's measured intervals that was rejected; 0 where none was measured."""
    measured = tachogram.kind != BeatKind.MISSING
    running = np.cumsum(np.stack((measured, measured & (tachogram.weight <= 0.0))), axis=1, dtype=np.int64)
    n_measured, n_rejected = (np.concatenate(([0], row))[high] - np.concatenate(([0], row))[low] for row in running)
    share: FloatArray = n_rejected / np.maximum(n_measured, 1)
    return share


def _time_of(filled: Tachogram, start_s: FloatArray, window_s: float) -> TimeDomain:
    low, high = (np.searchsorted(filled.end_s, edge).astype(np.int64) for edge in (start_s, start_s + window_s))
    return time_domain(filled.nn_ms, filled.joined, low, high)


def _count_columns(time: TimeDomain, judge: _Judge) -> dict[str, Column]:
    """Give the number of valid intervals and the share of rejected ones: they are always known."""
    n, nan = time.n_beats, np.full(time.n_beats.size, np.nan)
    ones, no_reason = np.ones(n.size), np.zeros(n.size, np.int8)
    return {
        "n": Column("1", n.astype(np.float64), n, ones, nan, no_reason),
        "corrected_fraction": Column("1", judge.artefacts, n, ones, nan, no_reason),
    }


def _time_columns(
    time: TimeDomain,
    filled: TimeDomain,
    judge: _Judge,
    nn_ms: FloatArray,
    joined: BoolArray,
    low: IntArray,
    high: IntArray,
) -> dict[str, Column]:
    n, pairs = time.n_beats, time.n_differences
    one, two = (n < 2, FEW), (pairs < 2, FEW)
    care = (pairs < FEW_DIFFERENCES, CARE)
    mean_error, sdnn_error, rmssd_error = _standard_errors(time, filled, nn_ms, joined, low, high)
    mean_ms, rate = time.mean_rri_ms, 60000.0 / time.mean_rri_ms
    return {
        "mean_rri_ms": judge.column("mean_rri_ms", mean_ms, n, standard_error=mean_error),
        "mean_hr_bpm": judge.column("mean_hr_bpm", rate, n, standard_error=rate * mean_error / mean_ms),
        "sdnn_ms": judge.column("sdnn_ms", time.sdnn_ms, n, one, care=care, standard_error=sdnn_error),
        "rmssd_ms": judge.column(
            "rmssd_ms", time.rmssd_ms, pairs, (pairs < 1, FEW), care=care, standard_error=rmssd_error
        ),
        "sdsd_ms": judge.column("sdsd_ms", time.sdsd_ms, pairs, two, care=care, standard_error=rmssd_error),
        "pnn50": judge.column("pnn50", time.pnn50, pairs, (pairs < 1, FEW), care=care),
    }


def _poincare_columns(time: TimeDomain, judge: _Judge) -> dict[str, Column]:
    pairs = time.n_differences
    two, care = (pairs < 2, FEW), (pairs < FEW_DIFFERENCES, CARE)
    sd1, sd2 = poincare(time.sdnn_ms, time.sdsd_ms)
    csi, cvi = csi_cvi(sd1, sd2)
    values = {"sd1_ms": sd1, "sd2_ms": sd2, "csi": csi, "cvi": cvi}
    return {name: judge.column(name, value, pairs, two, care=care) for name, value in values.items()}


def _nonlinear_columns(
    time: TimeDomain, judge: _Judge, nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray
) -> dict[str, Column]:
    n = time.n_beats
    entropy, templates = sample_entropy(nn_ms, joined, low, high, time.sdnn_ms)
    stress, triangle = baevsky_si(nn_ms, low, high, n), triangular_index(nn_ms, low, high, n)
    too_long = (high - low > MOST_INTERVALS, TOO_LONG)
    return {
        "sampen": judge.column("sampen", entropy, templates, too_long, (templates < LEAST["sampen"], FEW)),
        "dfa_a1": judge.column("dfa_a1", dfa_alpha1(nn_ms, joined, low, high), n, (n < LEAST["dfa_a1"], FEW)),
        "baevsky_si": judge.column("baevsky_si", stress, n, (n < LEAST["baevsky_si"], FEW)),
        "triangular_index": judge.column("triangular_index", triangle, n, (n < LEAST["triangular_index"], FEW)),
    }


def _band_columns(power: Spectrum, judge: _Judge, resp_rate_hz: FloatArray | None) -> dict[str, Column]:
    gaps = (power.n_segments == 0, GAPS)
    columns = {}
    for name, band in (("vlf_ms2", VLF_HZ), ("lf_ms2", LF_HZ), ("hf_ms2", HF_HZ)):
        too_short = (np.full(judge.nothing.size, power.window_s < MIN_BAND_S[band] - 0.01), SHORT)
        lomb = power.method == "lomb"
        blind = (lomb & (power.nyquist_hz <= band[0]), TOO_SLOW)
        half_seen = (lomb & (power.nyquist_hz < band[1]), SLOW)
        value = power.power(*band)
        error = value * _relative_error(power, band[0], band[1])
        columns[name] = judge.column(
            name, value, power.n_segments, too_short, gaps, blind, care=half_seen, standard_error=error
        )
    rate = np.full(judge.nothing.size, np.nan) if resp_rate_hz is None else np.asarray(resp_rate_hz, dtype=np.float64)
    low_hz, high_hz = respiration_band(rate)
    unknown = ~np.isfinite(rate)
    value = np.where(unknown, np.nan, power.power(np.nan_to_num(low_hz), np.nan_to_num(high_hz)))
    too_short = (np.full(judge.nothing.size, power.window_s < MIN_BAND_S[HF_HZ] - 0.01), SHORT)
    columns["hf_resp_ms2"] = judge.column(
        "hf_resp_ms2", value, power.n_segments, (unknown, NO_BREATH), too_short, gaps,
        standard_error=value * _relative_error(power, np.nan_to_num(low_hz), np.nan_to_num(high_hz)),
    )  # fmt: skip
    return columns


def _relative_error(power: Spectrum, low_hz: float | FloatArray, high_hz: float | FloatArray) -> FloatArray:
    """Return the relative standard error of a band's power in noise of smooth spectrum.

    A band of width B seen for T seconds has 2 B T degrees of freedom, of which a Hann taper leaves 18/35 in one
    segment (its fourth moment over its squared second); halves that overlap win most of the rest back.
    """
    seen_s = np.where(power.n_segments > 1, power.window_s * power.coverage, power.window_s * 18.0 / 35.0)
    width_hz = np.maximum(np.asarray(high_hz) - np.asarray(low_hz), 1e-9)
    error: FloatArray = 1.0 / np.sqrt(np.maximum(width_hz * seen_s, 0.5))
    return error


def _standard_errors(
    time: TimeDomain, filled: TimeDomain, nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the standard errors of mean RR, SDNN and RMSSD [ms].

    Sampling: the spread of `BLOCKS` parts of the window about the whole. Artefacts: half the difference between valid
    pairs and interpolation. Grid: intervals rounded to q add q²/12 to their variance, differences of beats on a grid
    of q add q²/2 to their mean square at most; the excess is taken as an uncertainty.
    """
    edge = low + ((high - low)[None, :] * np.arange(BLOCKS + 1)[:, None]) // BLOCKS
    parts = time_domain(nn_ms, joined, edge[:-1].ravel(), edge[1:].ravel())
    shape = (BLOCKS, low.size)
    about = parts.mean_rri_ms.reshape(shape) - time.mean_rri_ms
    squares = parts.sdnn_ms.reshape(shape) ** 2 + about**2
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _spread(about)
        sdnn = _spread(squares) / (2.0 * time.sdnn_ms)
        rmssd = _spread(parts.rmssd_ms.reshape(shape) ** 2) / (2.0 * time.rmssd_ms)
        grid_ms = _grid_of(nn_ms, joined)
        sdnn = np.sqrt(sdnn**2 + ((filled.sdnn_ms - time.sdnn_ms) / 2.0) ** 2 + (grid_ms**2 / 24.0 / time.sdnn_ms) ** 2)
        rmssd = np.sqrt(
            rmssd**2 + ((filled.rmssd_ms - time.rmssd_ms) / 2.0) ** 2 + (grid_ms**2 / 4.0 / time.rmssd_ms) ** 2
        )
    return mean, sdnn, rmssd


def _spread(parts: FloatArray) -> FloatArray:
    """Return the standard error of the mean of the parts, shape (n_windows,); NaN where a part is empty."""
    error: FloatArray = parts.std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    return error


def _grid_of(nn_ms: FloatArray, joined: BoolArray) -> float:
    """Return the grid on which intervals were measured: their smallest difference that is not 0 [ms]; 0 if none."""
    size = np.abs(np.diff(nn_ms, prepend=np.nan))[joined]
    size = size[size > 1e-6]
    return float(min(size.min(), 20.0)) if size.size else 0.0

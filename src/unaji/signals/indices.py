"""Every index of heart rate variability of every window: the value, its uncertainty, its quality, or why it is missing.

Variability is taken from valid pairs: nothing is invented for a rejected beat. The same is computed once more with
rejected beats replaced; where the two differ, the artefacts matter, and the difference enters the uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.breathing import Breathing, breathing_rate
from unaji.signals.correction import interpolate_artefacts
from unaji.signals.hrv import TimeDomain, time_domain
from unaji.signals.nonlinear import (
    BLOCKS,
    MOST_INTERVALS,
    baevsky_si,
    csi_cvi,
    dfa_alpha1,
    poincare,
    sample_entropy,
    triangular_index,
)
from unaji.signals.reasons import Reason
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
from unaji.signals.uncertainty import MomentErrors, moment_errors
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
    "respiration_hz": "Hz",
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
    "respiration_hz": 0.1,
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

LN10 = float(np.log(10.0))

FINEST_GRID_MS, COARSEST_GRID_MS = 1e-6, 20.0
"""Differences below the one are of rounding; a grid above the other is no recorder's [ms]."""


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
        How far the value would scatter were another window of the same state measured, with what the artefacts change
        and what the grid adds on which the intervals were measured; NaN for counts and where the value is missing.
    reason : ndarray of int8
        `Reason` why the value is missing or to be read with care; 0 is none.
    """

    unit: str
    value: FloatArray
    n: IntArray
    quality: FloatArray
    standard_error: FloatArray
    reason: NDArray[np.int8]

    def at(self, k: int) -> Value:
        """Return the index in window k; its reason in English (`Reason` has it in Japanese as well)."""
        error = float(self.standard_error[k])
        return replace(
            Value.of(
                float(self.value[k]), self.unit, int(self.n[k]), float(self.quality[k]),
                reason=Reason(int(self.reason[k])).en,
            ),
            standard_error=error if isfinite(error) else None,
        )  # fmt: skip


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


def hrv(
    tachogram: Tachogram,
    *,
    method: Method = "welch",
    resp_rate_hz: float | None = None,
    derive_respiration: bool = False,
) -> dict[str, Value]:
    """Every index of a whole recording: a batch of one window that holds it all.

    Parameters
    ----------
    tachogram : Tachogram
    method : {"welch", "lomb"}
        How the spectrum is estimated; see `unaji.signals.spectrum`.
    resp_rate_hz : float, optional
        Rate of breathing [Hz], which places the band of ``hf_resp_ms2``.
    derive_respiration : bool
        As in `hrv_table`.

    Returns
    -------
    dict of str to Value
        The names of `UNITS`.
    """
    start_s, window_s = whole(tachogram)
    rate = None if resp_rate_hz is None else np.array([resp_rate_hz])
    return hrv_table(
        tachogram, start_s, window_s, method=method, resp_rate_hz=rate, derive_respiration=derive_respiration
    ).at(0)


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
    starts: FloatArray = origin_s + step_s * window_numbers(tachogram.end_s, origin_s, window_s, step_s)
    return starts


def window_numbers(end_s: FloatArray, origin_s: float, window_s: float, step_s: float) -> IntArray:
    """Return the numbers, ascending, of the windows that start every `step_s` from `origin_s` and hold an end [s]."""
    since_s = end_s - 1e-6 - origin_s  # an interval that ends on an edge belongs to the window it fills
    last = np.unique((np.maximum(since_s, 0.0) / step_s).astype(np.int64))
    reach = int((window_s - 1e-9) / step_s)
    return np.unique(np.maximum(last[:, None] - np.arange(reach + 1), 0))


def hrv_table(
    tachogram: Tachogram,
    start_s: FloatArray,
    window_s: float,
    *,
    method: Method = "welch",
    resp_rate_hz: FloatArray | None = None,
    derive_respiration: bool = False,
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
    derive_respiration : bool
        True tells the rate from the intervals themselves where none is known and they can
        (`unaji.signals.breathing`).
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
    with_filled = time if filled is None else _time_of(filled, start_s, window_s, time, judge.artefacts > 0.0)
    power = spectrum(tachogram, start_s, window_s, method=method)
    breathing = _breathing(tachogram, start_s, window_s, resp_rate_hz, derive=derive_respiration)
    errors = _Errors(
        moment_errors(nn_ms, low, high, time.mean_rri_ms, time.n_beats), _grid_ms(nn_ms, joined, low, high)
    )
    columns = {
        **_count_columns(time, judge),
        **_mean_columns(time, judge, nn_ms, joined, low, high),
        **_moment_columns(time, with_filled, judge, errors),
        **(_nonlinear_columns(time, judge, nn_ms, joined, low, high) if nonlinear else {}),
        **_band_columns(power, judge, breathing),
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
        *refusals: tuple[BoolArray, Reason],
        care: tuple[tuple[BoolArray, Reason], ...] = (),
        standard_error: FloatArray | None = None,
    ) -> Column:
        """Give a value where nothing speaks against it; of several refusals the first is the reason."""
        most = MOST_ARTEFACTS[name]
        checks = [(self.nothing, Reason.NOTHING), *refusals, (self.artefacts > most, Reason.ARTEFACTS)]
        if name in WHOLE_WINDOW:
            checks.append((self.measured < MIN_COVERAGE, Reason.GAPS))
        checks.append((~np.isfinite(value), Reason.UNDEFINED))
        reason = np.select([bad for bad, _ in checks], [code for _, code in checks], Reason.NONE).astype(np.int8)
        given = reason == Reason.NONE
        for doubtful, word in reversed(care):  # of several words of caution the first is said
            reason[given & doubtful] = word
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


def _time_of(
    filled: Tachogram, start_s: FloatArray, window_s: float, time: TimeDomain, rejected: BoolArray
) -> TimeDomain:
    """Return the indices with rejected beats replaced, in windows in which any was; the others stay as they are."""
    low, high = (np.searchsorted(filled.end_s, edge).astype(np.int64) for edge in (start_s, start_s + window_s))
    found = time_domain(filled.nn_ms, filled.joined, low, high)
    names = [field.name for field in fields(TimeDomain)]
    return TimeDomain(**{name: np.where(rejected, getattr(found, name), getattr(time, name)) for name in names})


def _breathing(
    tachogram: Tachogram, start_s: FloatArray, window_s: float, given_hz: FloatArray | None, *, derive: bool
) -> Breathing:
    """Return the breathing rate that was given, else the one derived, else the reason why there is none."""
    given = np.full(start_s.size, np.nan) if given_hz is None else np.asarray(given_hz, dtype=np.float64)
    nan, none = np.full(start_s.size, np.nan), np.zeros(start_s.size, np.int64)
    derived = Breathing(nan, nan, none, np.full(start_s.size, Reason.NO_BREATH, np.int8))
    if derive:
        derived = breathing_rate(tachogram, start_s, window_s)
    known = np.isfinite(given)
    return Breathing(
        np.where(known, given, derived.rate_hz),
        np.where(known, np.nan, derived.standard_error_hz),
        np.where(known, 1, derived.n),
        np.where(known, Reason.NONE, derived.reason).astype(np.int8),
    )


def _count_columns(time: TimeDomain, judge: _Judge) -> dict[str, Column]:
    """Give the number of valid intervals and the share of rejected ones: they are always known."""
    n, nan = time.n_beats, np.full(time.n_beats.size, np.nan)
    ones, no_reason = np.ones(n.size), np.zeros(n.size, np.int8)
    return {
        "n": Column("1", n.astype(np.float64), n, ones, nan, no_reason),
        "corrected_fraction": Column("1", judge.artefacts, n, ones, nan, no_reason),
    }


def _mean_columns(
    time: TimeDomain, judge: _Judge, nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray
) -> dict[str, Column]:
    """Give the means and the share of large differences, with the spread of the window's parts for uncertainty."""
    n, pairs = time.n_beats, time.n_differences
    edge = low + ((high - low)[None, :] * np.arange(BLOCKS + 1)[:, None]) // BLOCKS
    parts = time_domain(nn_ms, joined, edge[:-1].ravel(), edge[1:].ravel())
    shape = (BLOCKS, low.size)
    mean_ms, rate = time.mean_rri_ms, 60000.0 / time.mean_rri_ms
    mean_error = _spread(parts.mean_rri_ms.reshape(shape))
    # No part with a large difference does not make the share certain: not below that of as many coins.
    coin = (np.nan_to_num(time.pnn50) * pairs + 1.0) / (pairs + 2.0)
    share_error = np.fmax(_spread(parts.pnn50.reshape(shape)), np.sqrt(coin * (1.0 - coin) / np.maximum(pairs, 1)))
    care = ((pairs < FEW_DIFFERENCES, Reason.CARE),)
    few = (pairs < 1, Reason.FEW)
    return {
        "mean_rri_ms": judge.column("mean_rri_ms", mean_ms, n, standard_error=mean_error),
        "mean_hr_bpm": judge.column("mean_hr_bpm", rate, n, standard_error=rate * mean_error / mean_ms),
        "pnn50": judge.column("pnn50", time.pnn50, pairs, few, care=care, standard_error=share_error),
    }


@dataclass(frozen=True, eq=False, slots=True)
class _Errors:
    """Standard errors of what follows from SDNN² and RMSSD²."""

    moments: MomentErrors
    grid_ms: FloatArray

    def of(self, value: FloatArray, filled: FloatArray, sdnn2: FloatArray, rmssd2: FloatArray) -> FloatArray:
        """Return the standard error of a value with these derivatives by SDNN² and RMSSD².

        Sampling; half of what the replacement of artefacts changes; and the grid: intervals rounded to q add q²/12 to
        their variance, differences of beats on a grid of q add q²/2 to their mean square at most, and the excess
        counts as an uncertainty.
        """
        grid = sdnn2 * self.grid_ms**2 / 12.0 + rmssd2 * self.grid_ms**2 / 2.0
        changed = np.nan_to_num((filled - value) / 2.0)
        error: FloatArray = np.sqrt(self.moments.of(sdnn2, rmssd2) ** 2 + changed**2 + grid**2)
        return error


def _moment_columns(time: TimeDomain, filled: TimeDomain, judge: _Judge, errors: _Errors) -> dict[str, Column]:
    """Give everything that follows from the second moments of the intervals and of their differences."""
    n, pairs = time.n_beats, time.n_differences
    nothing = np.zeros(n.size)
    (sd1, sd2), (sd1_filled, sd2_filled) = (poincare(x.sdnn_ms, x.sdsd_ms) for x in (time, filled))
    (csi, cvi), (csi_filled, cvi_filled) = csi_cvi(sd1, sd2), csi_cvi(sd1_filled, sd2_filled)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Half the logarithm of SD1² = RMSSD²/2 and of SD2² = 2 SDNN² − RMSSD²/2, by SDNN² and RMSSD².
        log_sd1, log_sd2 = 0.25 / sd1**2, (1.0 / sd2**2, -0.25 / sd2**2)
        found = {
            "sdnn_ms": (time.sdnn_ms, filled.sdnn_ms, 0.5 / time.sdnn_ms, nothing),
            "rmssd_ms": (time.rmssd_ms, filled.rmssd_ms, nothing, 0.5 / time.rmssd_ms),
            "sdsd_ms": (time.sdsd_ms, filled.sdsd_ms, nothing, 0.5 / time.sdsd_ms),
            "sd1_ms": (sd1, sd1_filled, nothing, sd1 * log_sd1),
            "sd2_ms": (sd2, sd2_filled, sd2 * log_sd2[0], sd2 * log_sd2[1]),
            "csi": (csi, csi_filled, csi * log_sd2[0], csi * (log_sd2[1] - log_sd1)),
            "cvi": (cvi, cvi_filled, log_sd2[0] / LN10, (log_sd2[1] + log_sd1) / LN10),
        }
        error = {name: errors.of(*of) for name, of in found.items()}
    count = {"sdnn_ms": n}
    few = {"sdnn_ms": (n < 2, Reason.FEW), "rmssd_ms": (pairs < 1, Reason.FEW)}
    care = ((pairs < FEW_DIFFERENCES, Reason.CARE),)
    return {
        name: judge.column(
            name, of[0], count.get(name, pairs), few.get(name, (pairs < 2, Reason.FEW)), care=care,
            standard_error=error[name],
        )
        for name, of in found.items()
    }  # fmt: skip


def _nonlinear_columns(
    time: TimeDomain, judge: _Judge, nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray
) -> dict[str, Column]:
    n = time.n_beats
    entropy, templates, entropy_error = sample_entropy(nn_ms, joined, low, high, time.sdnn_ms)
    of_beats = {
        "dfa_a1": dfa_alpha1(nn_ms, joined, low, high),
        "baevsky_si": baevsky_si(nn_ms, low, high, n),
        "triangular_index": triangular_index(nn_ms, low, high, n),
    }
    too_long = (high - low > MOST_INTERVALS, Reason.TOO_LONG)
    few = (templates < LEAST["sampen"], Reason.FEW)
    return {
        "sampen": judge.column("sampen", entropy, templates, too_long, few, standard_error=entropy_error),
        **{
            name: judge.column(name, value, n, (n < LEAST[name], Reason.FEW), standard_error=error)
            for name, (value, error) in of_beats.items()
        },
    }


def _band_columns(power: Spectrum, judge: _Judge, breathing: Breathing) -> dict[str, Column]:
    gaps = (power.n_segments == 0, Reason.GAPS)
    slow = (breathing.rate_hz <= HF_HZ[0], Reason.SLOW_BREATHING)
    columns = {}
    for name, band in (("vlf_ms2", VLF_HZ), ("lf_ms2", LF_HZ), ("hf_ms2", HF_HZ)):
        too_short = (np.full(judge.nothing.size, power.window_s < MIN_BAND_S[band] - 0.01), Reason.SHORT)
        lomb = power.method == "lomb"
        blind = (lomb & (power.nyquist_hz <= band[0]), Reason.TOO_SLOW)
        half_seen = (lomb & (power.nyquist_hz < band[1]), Reason.SLOW)
        columns[name] = judge.column(
            name, power.power(*band), power.n_segments, too_short, gaps, blind,
            care=(half_seen,) if band == VLF_HZ else (half_seen, slow), standard_error=power.power_error(*band),
        )  # fmt: skip
    # Why there is no rate is why there is no band either.
    unknown = [(breathing.reason == word, word) for word in map(Reason, np.unique(breathing.reason)) if word]
    columns["respiration_hz"] = judge.column(
        "respiration_hz", breathing.rate_hz, breathing.n, *unknown, care=(slow,),
        standard_error=breathing.standard_error_hz,
    )  # fmt: skip
    band_hz = tuple(np.nan_to_num(edge) for edge in respiration_band(breathing.rate_hz))
    too_short = (np.full(judge.nothing.size, power.window_s < MIN_BAND_S[HF_HZ] - 0.01), Reason.SHORT)
    columns["hf_resp_ms2"] = judge.column(
        "hf_resp_ms2", np.where(np.isfinite(breathing.rate_hz), power.power(*band_hz), np.nan), power.n_segments,
        *unknown, too_short, gaps, care=(slow,), standard_error=power.power_error(*band_hz),
    )  # fmt: skip
    return columns


def _spread(parts: FloatArray) -> FloatArray:
    """Return the standard error of the mean of the parts, shape (n_windows,); NaN where fewer than two are known."""
    known = np.isfinite(parts)
    n = known.sum(axis=0)
    mean = np.where(known, parts, 0.0).sum(axis=0) / np.maximum(n, 1)
    squares = np.where(known, (parts - mean) ** 2, 0.0).sum(axis=0)
    error: FloatArray = np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    return np.where(n > 1, error, np.nan)


def _grid_ms(nn_ms: FloatArray, joined: BoolArray, low: IntArray, high: IntArray) -> FloatArray:
    """Return the grid on which each window was measured: its smallest difference that is not 0 [ms]; 0 if none."""
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    step = kernels.smallest_step(nn_ms, joined, low, high, FINEST_GRID_MS)
    return np.where(np.isfinite(step), np.minimum(step, COARSEST_GRID_MS), 0.0)

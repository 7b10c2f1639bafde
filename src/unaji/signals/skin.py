"""Skin temperature: how does it go up and down over the day, and does the body let heat out?

The daily rhythm is a cosinor: midline, amplitude and time of the peak, each with an interval that knows that readings
minutes apart repeat each other. The gradient from hands and feet to the trunk says how far the vessels of the skin are
open: near zero when the body gives off heat, as before sleep, and some kelvin below it when they are closed.

References
----------
Cornelissen G, "Cosinor-based rhythmometry", Theor Biol Med Model, 2014;11:16. doi:10.1186/1742-4682-11-16
Nelson W et al., "Methods for cosinor-rhythmometry", Chronobiologia, 1979;6:305-323.
Kräuchi K et al., "Warm feet promote the rapid onset of sleep", Nature, 1999;401:36-37. doi:10.1038/43366
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unaji.records.timeline import FloatArray, Series, TimeArray, Timeline
from unaji.signals.activity import NAPE_SITES, skin_temp_on_grid
from unaji.signals.grid import Gridded
from unaji.signals.value import Value

DAY_H = (24.0, 12.0)
"""Waves of the daily rhythm: the day, and its first harmonic, which gives the evening its own shape [h]."""

LEAST_SPAN_H = 24.0
LEAST_HOURS_OF_DAY = 18
"""A rhythm needs a whole day, with readings in that many of its hours; a night alone fits any wave."""

LARGEST = 1e100
"""A reading or a time beyond this is taken as missing: its square could not be added up."""

DISTAL_SITES = ("finger", "hand", "foot", "toe", "wrist")
PROXIMAL_SITES = ("chest", "trunk", "abdomen", "thigh", "forehead", *NAPE_SITES)
"""Sites in order of preference. The nape counts as trunk; the wrist is the least distal of the distal."""


class Wave(NamedTuple):
    """One wave of a rhythm.

    Attributes
    ----------
    period_h : float
    amplitude : Value
        Half the way from trough to peak, with `amplitude_interval` (95 %) where it can be told from zero.
    acrophase_h : Value
        Time of the peak after the origin of the times given, 0 to the period [h].
    amplitude_interval, acrophase_interval_h : tuple of float, or None
        95 % intervals; that of the peak's time may run past 0 or the period. None when the amplitude cannot be told
        from zero.
    p_value : float
        Probability of so large a wave where there is none (zero-amplitude F test).
    """

    period_h: float
    amplitude: Value
    acrophase_h: Value
    amplitude_interval: tuple[float, float] | None
    acrophase_interval_h: tuple[float, float] | None
    p_value: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A rhythm fitted by cosines.

    Attributes
    ----------
    midline : Value
        Midline estimating statistic of rhythm (MESOR): the mean of the fitted curve.
    midline_interval : tuple of float, or None
        95 % interval.
    waves : tuple of Wave
        One for each period; empty when nothing could be fitted.
    peak_h, trough_h : Value
        When the fitted curve of all waves together is highest and lowest (orthophase, bathyphase), in the first period.
    range : Value
        From lowest to highest of the fitted curve.
    share_explained : Value
        Share of the variance that the rhythm explains, 0 to 1.
    independent : float
        How many independent readings the readings are worth.
    """

    midline: Value
    midline_interval: tuple[float, float] | None
    waves: tuple[Wave, ...]
    peak_h: Value
    trough_h: Value
    range: Value
    share_explained: Value
    independent: float


def cosinor(
    time_h: FloatArray, value: FloatArray, *, periods_h: tuple[float, ...] = (24.0,), unit: str = "1",
    correlated: bool = False,
) -> Rhythm:  # fmt: skip
    """Fit cosines of given periods by least squares.

    Parameters
    ----------
    time_h, value : ndarray, shape (n,)
        Readings at any times [h]; those that are not finite are left out.
    periods_h : tuple of float
        Periods [h], the fundamental first.
    unit : str
        Unit of the values.
    correlated : bool
        True for readings so close that neighbours repeat each other, in order and near evenly spaced: standard errors
        are then widened by √((1 + ρ)/(1 − ρ)) with ρ the residuals' correlation from one reading to the next.

    Returns
    -------
    Rhythm

    Notes
    -----
    value = M + Σ A cos(2π (t − acrophase)/period) is linear in M, A cos φ and A sin φ. Intervals of A and of the peak's
    time follow from their covariance to first order (Cornelissen 2014), p from the F test of both coefficients at once.
    """
    if time_h.shape != value.shape:
        raise ValueError(f"time_h {time_h.shape} and value {value.shape} differ in shape")
    there = (np.abs(time_h) <= LARGEST) & (np.abs(value) <= LARGEST)
    t, y = time_h[there], value[there]
    parameters = 1 + 2 * len(periods_h)
    if y.size <= parameters:
        return _no_rhythm(unit, y.size, f"{y.size} readings are too few for {parameters} unknowns")
    x = np.column_stack([np.ones(t.size), *(f(2 * np.pi * t / p) for p in periods_h for f in (np.cos, np.sin))])
    # The covariance below needs the square of the condition number to be within double precision.
    coefficients, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-7)
    if rank < parameters:
        return _no_rhythm(unit, y.size, "the readings' times do not tell the waves apart")
    residual = y - x @ coefficients
    total, left = float(np.sum((y - y.mean()) ** 2)), float(residual @ residual)
    if total <= 1e-20 * float(y @ y):
        return _no_rhythm(unit, y.size, "all readings are the same: there is no rhythm to time")
    independent = _independent(residual) if correlated else float(y.size)
    freedom = independent - parameters
    if freedom < 1.0:
        return _no_rhythm(unit, y.size, "readings repeat each other too much to fit a rhythm")
    covariance = np.linalg.inv(x.T @ x) * (left / (y.size - parameters)) * (y.size / independent)
    spread = _t_quantile(freedom)
    waves = tuple(
        _wave(p, coefficients[1 + 2 * k : 3 + 2 * k], covariance[1 + 2 * k : 3 + 2 * k, 1 + 2 * k : 3 + 2 * k], freedom,
              y.size, unit)
        for k, p in enumerate(periods_h)
    )  # fmt: skip
    half = spread * float(np.sqrt(covariance[0, 0]))
    midline = float(coefficients[0])
    high, low, swing = _extremes(coefficients, periods_h)
    return Rhythm(
        Value.of(midline, unit, y.size),
        (midline - half, midline + half),
        waves,
        Value.of(high, "h", y.size),
        Value.of(low, "h", y.size),
        Value.of(swing, unit, y.size),
        Value.of(1.0 - left / total, "1", y.size),
        independent,
    )


def skin_rhythm(skin: Gridded, local_h: FloatArray) -> Rhythm:
    """Fit the daily rhythm of skin temperature.

    Parameters
    ----------
    skin : Gridded
        Skin temperature on a regular grid [°C], as from `unaji.signals.activity.skin_temp_on_grid`; NaN where not worn.
    local_h : ndarray, shape (n,)
        Local time of each step, hours since some local midnight, counted on over the days [h].

    Returns
    -------
    Rhythm
        Waves of 24 and 12 hours; times are hours after local midnight.
    """
    there = np.isfinite(skin.value)
    n = int(there.sum())
    hours = np.unique(np.floor(local_h[there] % 24.0)).size
    span_h = float(np.ptp(local_h[there])) if n else 0.0
    if n < 2 or span_h + 2.0 * float(np.median(np.diff(local_h))) < LEAST_SPAN_H or hours < LEAST_HOURS_OF_DAY:
        reason = f"readings span {span_h:.1f} h and {hours} hours of the day; a daily rhythm needs a day, most of it"
        return _no_rhythm("°C", n, reason)
    return cosinor(local_h, skin.value, periods_h=DAY_H, unit="°C", correlated=True)


def gradient_on_grid(timeline: Timeline, grid: TimeArray, step_s: float) -> Gridded | None:
    """Return the distal less the proximal skin temperature [K] on a grid; None unless both were measured.

    Coverage is the smaller of the two. Kräuchi 1999 measured hands and feet against the trunk; with a wrist in the
    place of the hand the gradient is smaller, so compare within a person and a pair of sites only.
    """
    distal, proximal = _at_sites(timeline, DISTAL_SITES), _at_sites(timeline, PROXIMAL_SITES)
    if distal is None or proximal is None:
        return None
    far, near = (skin_temp_on_grid(series, grid, step_s) for series in (distal, proximal))
    return Gridded(far.value - near.value, np.minimum(far.coverage, near.coverage))


def _at_sites(timeline: Timeline, sites: tuple[str, ...]) -> Series | None:
    """Return the skin temperature at the first of these sites that has one."""
    named = {"finger": "finger_skin_temp_c", "nape": "neck_skin_temp_c", "neck": "neck_skin_temp_c"}
    for site in sites:
        series = (timeline.of(named[site]) if site in named else None) or timeline.of("skin_temp_c", site)
        if series is not None and series.site in {site, ""} | ({*NAPE_SITES} if site in NAPE_SITES else set()):
            return series
    return None


def _wave(period_h: float, coefficients: FloatArray, covariance: FloatArray, freedom: float, n: int, unit: str) -> Wave:
    """Turn the coefficients of a cosine and a sine into amplitude and time of the peak."""
    from scipy.special import fdtrc  # noqa: PLC0415  (slow to import)

    amplitude = float(np.hypot(*coefficients))
    f = float(coefficients @ np.linalg.solve(covariance, coefficients)) / 2.0 if amplitude > 0.0 else 0.0
    p_value = float(fdtrc(2.0, freedom, f))
    angle = float(np.arctan2(coefficients[1], coefficients[0]))
    hours = period_h / (2.0 * np.pi)
    peak_h = angle * hours % period_h
    if p_value >= 0.05 or amplitude == 0.0:
        unsure = f"its amplitude cannot be told from zero (p = {p_value:.2g})"
        height, peak = Value.of(amplitude, unit, n, reason=unsure), Value.of(peak_h, "h", n, reason=unsure)
        return Wave(period_h, height, peak, None, None, p_value)
    along, across = coefficients / amplitude, np.array([-coefficients[1], coefficients[0]]) / amplitude
    spread = _t_quantile(freedom)
    half = spread * float(np.sqrt(along @ covariance @ along))
    half_h = min(spread * float(np.sqrt(across @ covariance @ across)) / amplitude * hours, period_h / 2.0)
    return Wave(
        period_h,
        Value.of(amplitude, unit, n),
        Value.of(peak_h, "h", n),
        (max(0.0, amplitude - half), amplitude + half),
        (peak_h - half_h, peak_h + half_h),
        p_value,
    )


def _extremes(coefficients: FloatArray, periods_h: tuple[float, ...]) -> tuple[float, float, float]:
    """Return when the fitted curve is highest and lowest, to half a minute in a day, and by how much they differ."""
    t = np.linspace(0.0, periods_h[0], 2881)[:-1]
    curve = np.zeros(t.size)
    for k, period_h in enumerate(periods_h):
        angle = 2.0 * np.pi * t / period_h
        curve += coefficients[1 + 2 * k] * np.cos(angle) + coefficients[2 + 2 * k] * np.sin(angle)
    return float(t[curve.argmax()]), float(t[curve.argmin()]), float(np.ptp(curve))


def _independent(residual: FloatArray) -> float:
    """Return how many independent readings correlated ones are worth: n (1 − ρ)/(1 + ρ), at most n."""
    rho = float(residual[1:] @ residual[:-1] / max(float(residual @ residual), 1e-300))
    rho = min(max(rho, 0.0), 0.9999)
    return residual.size * (1.0 - rho) / (1.0 + rho)


def _t_quantile(freedom: float) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415  (slow to import)

    return float(stdtrit(freedom, 0.975))


def _no_rhythm(unit: str, n: int, reason: str) -> Rhythm:
    none, hours = Value.missing(unit, n, reason), Value.missing("h", n, reason)
    return Rhythm(none, None, (), hours, hours, none, Value.missing("1", n, reason), 0.0)

"""How active were the sympathetic and the vagal system in each minute, and how sure is that?

Two hidden curves of one person, each with mean 0 and standard deviation 1 over that person's record, are seen through
whatever was measured in a minute: heart rate (sympathetic up, vagal down), RMSSD (vagal up), level and drive of skin
conductance (sympathetic up) and, where asked for, the slope of skin temperature (sympathetic down). Movement, posture,
warmth, time of day and sleep enter as causes of the signals that are not what is looked for.

The model is linear and Gaussian, so its posterior is exact: a Kalman filter and fixed-interval smoother for the curves,
with the effects of the inputs integrated out (their uncertainty is in the intervals). Loadings and noise start from
population values and move towards the person's by a few rounds of expectation-maximisation. Nothing is learnt from
other people, and nothing from labels.

It does not tell emotion from everything else that moves these signals: talking, a meal, pain, illness.

References
----------
Durbin J, Koopman SJ, "Time Series Analysis by State Space Methods", 2nd ed., Oxford, 2012, ch. 4 and 6.4.
de Jong P, "The diffuse Kalman filter", Ann Stat, 1991;19:1073-1083. doi:10.1214/aos/1176348139
Shumway RH, Stoffer DS, "An approach to time series smoothing and forecasting using the EM algorithm", J Time Ser Anal,
1982;3:253-264. doi:10.1111/j.1467-9892.1982.tb00349.x
Lange KL et al., "Robust statistical modeling using the t distribution", J Am Stat Assoc, 1989;84:881-896.
Brown SBRE et al., Int J Psychophysiol, 2018;131:30 (the relation to movement fitted on the full record).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, TimeArray, Timeline
from unaji.signals.latent_fit import SETTLING_MIN, Curves, Fit
from unaji.signals.latent_inputs import (
    COLUMNS,
    EVERY_INPUT,
    Centre,
    Input,
    centre_of,
    columns_for,
    inputs_of,
    prior_sd_of,
)
from unaji.signals.minutes import STEP_S, Minutes, minutes_of
from unaji.signals.reasons import StateReason

__all__ = [
    "CHANNELS",
    "EVERY_INPUT",
    "STEP_S",
    "Calibration",
    "Channel",
    "Fitted",
    "Input",
    "LatentState",
    "Minutes",
    "latent_of_minutes",
    "latent_state",
    "minutes_of",
    "usual_person",
]

LONGEST_GAP_MIN = 30
"""Minutes from the nearest measurement after which nothing is said: three time constants of a reaction."""

FEWEST_MIN = 10
"""Fewest minutes of a signal with which it takes part."""

DRIVE_FLOOR = 0.05
"""Added to the drive before its logarithm: one smallest response a minute [µS/min]."""

NEGLIGIBLE = 1e-3
"""Standard deviation of an effect that is taken for none [spreads]."""

HR_RANGE_BPM = (25.0, 240.0)


class Channel(NamedTuple):
    """How a signal speaks of the curves, in units of its usual spread; zeros stay zero.

    The values are round assumptions in the direction that physiology gives, not estimates from any data set.
    """

    name: str
    spread: float
    sympathetic: float
    vagal: float
    drift: float
    noise_variance: float
    usual: float


CHANNELS = (
    Channel("hr", 0.12, 0.6, -0.5, 0.0, 0.3, float(np.log(70.0))),
    Channel("rmssd", 0.4, 0.0, 0.7, 0.0, 0.5, float(np.log(30.0))),
    Channel("tonic", 0.5, 0.5, 0.0, 0.8, 0.1, float(np.log(2.0))),
    Channel("drive", 1.0, 0.7, 0.0, 0.0, 0.5, 0.0),
    Channel("skin_slope", 0.05, -0.3, 0.0, 0.0, 0.9, 0.0),
)
"""Natural logarithms of heart rate, RMSSD, level and drive of skin conductance; skin temperature's slope [K/min].

`usual` is where a signal is expected while nothing is known of a person, give or take three spreads.
"""


class Fitted(NamedTuple):
    """A signal's loadings in this person, in units of `spread` (natural logarithm, or K/min)."""

    name: str
    spread: float
    sympathetic: float
    vagal: float
    drift: float
    noise_variance: float
    first: np.datetime64
    n_minutes: int
    centre: float


@dataclass(frozen=True, eq=False, slots=True)
class Calibration:
    """What is known of a person before the next minute: enough to go on from there (`unaji.signals.state_stream`).

    Attributes
    ----------
    signals : tuple of Fitted
        Signals with their centres, spreads, loadings and noise.
    inputs : Centre
        Where the inputs' zero is.
    effect, effect_cov : ndarray, shapes (k,) and (k, k)
        The effects of the inputs on the signals, in spreads: mean and covariance. Signal after signal, the columns of
        `unaji.signals.latent_inputs.columns_for`.
    """

    signals: tuple[Fitted, ...]
    inputs: Centre
    effect: FloatArray
    effect_cov: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class LatentState:
    """Hidden sympathetic and vagal activity by minute; NaN where nothing can be said. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of the minutes, or of the steps over which they are averaged, UTC.
    sympathetic, vagal : ndarray
        Posterior means, in the person's own standard deviations; 0 is this person's usual under these inputs.
    sympathetic_sd, vagal_sd : ndarray
        Posterior standard deviations; near 1 (the prior) where the signals say nothing.
    balance, balance_sd : ndarray
        (sympathetic − vagal) / √2: what heart rate itself speaks of, so surer than either where little else is there.
    additional_hr_bpm, additional_hr_sd_bpm : ndarray
        Heart rate above what the inputs explain in this person, and the standard deviation of what they explain. In
        less than a few days a stressful hour cannot be told from the time of day and is partly ascribed to it; leave
        `Input.TIME_OF_DAY` out to have what movement, posture, warmth and sleep explain only.
    rmssd_reduction_ms, rmssd_reduction_sd_ms : ndarray
        RMSSD below what the inputs explain (positive: lower than expected), and its standard deviation.
    sympathetic_quality, vagal_quality : ndarray
        Share of the prior's variance that the signals took away, 0 to 1.
    reason : ndarray of int8
        Values of `StateReason`, which has the words.
    fitted : tuple of Fitted
        The signals that took part.
    calibration : Calibration or None
        What a stream can go on with; None where no signal took part.
    """

    time: TimeArray
    sympathetic: FloatArray
    sympathetic_sd: FloatArray
    vagal: FloatArray
    vagal_sd: FloatArray
    balance: FloatArray
    balance_sd: FloatArray
    additional_hr_bpm: FloatArray
    additional_hr_sd_bpm: FloatArray
    rmssd_reduction_ms: FloatArray
    rmssd_reduction_sd_ms: FloatArray
    sympathetic_quality: FloatArray
    vagal_quality: FloatArray
    reason: NDArray[np.int8]
    fitted: tuple[Fitted, ...]
    calibration: Calibration | None


def latent_state(
    timeline: Timeline, *, adjust_for: frozenset[Input] = EVERY_INPUT, skin_slope: bool = False
) -> LatentState | None:
    """Estimate one person's sympathetic and vagal activity in each minute of a record.

    Parameters
    ----------
    timeline : Timeline
        Read are beats, ``hr_bpm`` and ``rmssd_ms``, ``scl_microsiemens``, skin temperature, ``activity_mg`` or
        ``steps``, ``trunk_angle_deg``, ``air_temp_c`` and exposures of kind "sleep".
    adjust_for : frozenset of Input
        Inputs to use of those that were recorded.
    skin_slope : bool
        Whether the slope of skin temperature is a signal too; it speaks of sympathetic activity at the fingers and the
        wrist only, and not where the air around them changes.

    Returns
    -------
    LatentState or None
        None when neither heart nor skin conductance was recorded.
    """
    minutes = minutes_of(timeline, skin_slope=skin_slope)
    return None if minutes is None else latent_of_minutes(minutes, adjust_for=adjust_for)


def latent_of_minutes(
    minutes: Minutes, *, adjust_for: frozenset[Input] = EVERY_INPUT, per_step: int = 1
) -> LatentState:
    """Estimate sympathetic and vagal activity from what was measured in each minute.

    Parameters
    ----------
    minutes : Minutes
        What was measured.
    adjust_for : frozenset of Input
        Inputs to use of those that were recorded.
    per_step : int
        How many minutes to average. The standard deviations are those of the averages: neighbouring minutes err
        together, and by how much is part of the posterior. The number of minutes must be a multiple of it.

    Notes
    -----
    In minute t, signal c in units of its spread, u the inputs, s and v the curves, d a drift of the signal's own:

        y_c = β_c·u + a_c s + b_c v + g_c d_c + ε_c,   ε_c ~ t with `TAIL_FREEDOM` degrees of freedom
        s = s_fast + s_slow, each x' = φ x + noise with φ = exp(−1 min/τ), Var(s) = 1; v and d likewise

    β has a normal prior about 0 (a ridge) and is integrated out. a, b, g and the noise are the maxima of their
    posterior, found by `ROUNDS` rounds of expectation-maximisation from the values in `CHANNELS`. In a record of more
    than a week that is done on `SAMPLED_DAYS` of its days, spread evenly; curves and effects are still those of the
    whole record, with one zero from its first minute to its last. The cost is linear in the minutes.
    """
    if per_step < 1 or minutes.time.size % per_step:
        raise ValueError(f"{minutes.time.size} minutes are not a multiple of per_step, {per_step}")
    signals = _signals(minutes)
    if not signals:
        return _silent(minutes, per_step)
    centre = centre_of(minutes)
    inputs = inputs_of(minutes, centre)
    columns = [_telling(inputs, columns_for(s.channel.name, adjust_for)) for s in signals]
    fit = Fit(
        y=np.stack([s.y for s in signals], axis=1),
        quality=np.stack([s.quality for s in signals], axis=1),
        inputs=inputs,
        columns=columns,
        loading=np.array([[s.channel.sympathetic, s.channel.vagal, s.channel.drift] for s in signals]),
        noise=np.array([s.channel.noise_variance for s in signals]),
    )
    fit.learn()
    return _described(minutes, signals, fit, fit.curves(fit.blocks(per_step), per_step=per_step), centre, per_step)


def _telling(inputs: FloatArray, columns: list[int]) -> list[int]:
    """Leave out the inputs that never change here: they say nothing that the level does not."""
    return [k for k in columns if k == 0 or np.ptp(inputs[:, k]) > 0.0]


def usual_person() -> Calibration:
    """Return what is assumed of a person of whom nothing is known: the values of `CHANNELS`, and wide priors."""
    usual = CHANNELS[:4]
    signals = tuple(
        Fitted(c.name, c.spread, c.sympathetic, c.vagal, c.drift, c.noise_variance, np.datetime64("NaT"), 0, c.usual)
        for c in usual
    )
    prior_sd = np.concatenate([prior_sd_of(columns_for(c.name)) for c in usual])
    return Calibration(signals, Centre(), np.zeros(prior_sd.size), np.diag(prior_sd**2))


class _Signal(NamedTuple):
    """A signal about its median, in units of its spread."""

    channel: Channel
    y: FloatArray
    centre: float
    spread: float
    quality: FloatArray


def _signals(minutes: Minutes) -> list[_Signal]:
    """Return the signals that take part: measured for `FEWEST_MIN` minutes, and not always the same."""
    measured = signals_of(minutes)
    made = (_signal(c, *measured[c.name]) for c in CHANNELS if c.name in measured)
    return [signal for signal in made if signal is not None]


def signals_of(minutes: Minutes) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the signals that were measured as they enter the model, by name, each with the quality of its minutes."""
    hr = minutes.hr_bpm
    if hr is not None:
        hr = np.where((hr >= HR_RANGE_BPM[0]) & (hr <= HR_RANGE_BPM[1]), hr, np.nan)
    drive = minutes.drive_microsiemens_min
    slope = minutes.skin_slope_k_min
    measured = (
        (_log(hr), minutes.hr_quality),
        (_log(minutes.rmssd_ms), minutes.rmssd_quality),
        (_log(minutes.tonic_microsiemens), minutes.tonic_quality),
        (_log(None if drive is None else np.maximum(drive, 0.0) + DRIVE_FLOOR), minutes.drive_quality),
        (None if slope is None else np.where(np.isfinite(slope), slope, np.nan), None),
    )
    return {
        channel.name: (y, np.ones(y.size) if quality is None else np.clip(np.nan_to_num(quality), 0.1, 1.0))
        for channel, (y, quality) in zip(CHANNELS, measured, strict=True)
        if y is not None
    }


def _signal(channel: Channel, y: FloatArray, quality: FloatArray) -> _Signal | None:
    known = np.isfinite(y)
    n = int(known.sum())
    if n < FEWEST_MIN or np.ptp(y[known]) < 1e-9:
        return None
    centre = float(np.median(y[known]))
    # Half the width of the middle two thirds: one standard deviation, whatever the tails do.
    own = float(np.diff(np.quantile(y[known], (0.1587, 0.8413)))[0]) / 2.0
    spread = float(np.sqrt((SETTLING_MIN * channel.spread**2 + n * own**2) / (SETTLING_MIN + n)))
    return _Signal(channel, np.where(known, (y - centre) / spread, np.nan), centre, spread, quality)


def _log(x: FloatArray | None) -> FloatArray | None:
    if x is None:
        return None
    known = np.isfinite(x) & (x > 0.0)
    return np.log(x, out=np.full(x.shape, np.nan), where=known)


def _silent(minutes: Minutes, per_step: int) -> LatentState:
    """Say of every minute that there is no signal."""
    time = minutes.time[::per_step]
    values: dict[str, Any] = {f.name: np.full(time.size, np.nan) for f in fields(LatentState)}
    values |= {name: np.zeros(time.size) for name in values if name.endswith("quality")}
    reason = np.full(time.size, StateReason.NO_SIGNAL, dtype=np.int8)
    return LatentState(**values | {"time": time, "reason": reason, "fitted": (), "calibration": None})


def _described(
    minutes: Minutes, signals: list[_Signal], fit: Fit, curves: Curves, centre: Centre, per_step: int
) -> LatentState:
    distance = _distance(np.asarray(fit.seen.any(axis=1))).reshape(-1, per_step).min(axis=1)
    said = distance <= LONGEST_GAP_MIN
    curve, cov = curves.mean, curves.cov
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    contrast_sd = np.sqrt((cov[:, 0, 0] + cov[:, 1, 1] - 2.0 * cov[:, 0, 1]) / 2.0)
    hr, rmssd = (_above(signals, fit, name, per_step) for name in ("hr", "rmssd"))
    fitted = tuple(_fitted(minutes, signal, fit, c) for c, signal in enumerate(signals))
    return LatentState(
        time=minutes.time[::per_step],
        sympathetic=np.where(said, curve[:, 0], np.nan),
        sympathetic_sd=np.where(said, sd[:, 0], np.nan),
        vagal=np.where(said, curve[:, 1], np.nan),
        vagal_sd=np.where(said, sd[:, 1], np.nan),
        balance=np.where(said, (curve[:, 0] - curve[:, 1]) / np.sqrt(2.0), np.nan),
        balance_sd=np.where(said, contrast_sd, np.nan),
        additional_hr_bpm=hr[0],
        additional_hr_sd_bpm=hr[1],
        rmssd_reduction_ms=-rmssd[0],
        rmssd_reduction_sd_ms=rmssd[1],
        sympathetic_quality=np.where(said, np.clip(1.0 - sd[:, 0] ** 2, 0.0, 1.0), 0.0),
        vagal_quality=np.where(said, np.clip(1.0 - sd[:, 1] ** 2, 0.0, 1.0), 0.0),
        reason=reasons(fit.loading, distance),
        fitted=fitted,
        calibration=_calibration(fitted, fit, centre),
    )


def reasons(loading: FloatArray, distance: FloatArray) -> NDArray[np.int8]:
    """Say why each minute says less than it could, from the loadings and the minutes to the nearest measurement."""
    reason = np.full(distance.size, StateReason.NONE, dtype=np.int8)
    if not loading[:, 0].any():
        reason[:] = StateReason.NO_SYMPATHETIC_SIGNAL
    if not loading[:, 1].any():
        reason[:] = StateReason.NO_VAGAL_SIGNAL
    reason[distance > 0] = StateReason.CARRIED
    reason[distance > LONGEST_GAP_MIN] = StateReason.GAP
    return reason


def _fitted(minutes: Minutes, signal: _Signal, fit: Fit, c: int) -> Fitted:
    sympathetic, vagal, drift = (float(loading) for loading in fit.loading[c])
    return Fitted(
        signal.channel.name,
        signal.spread,
        sympathetic,
        vagal,
        drift,
        float(fit.noise[c]),
        minutes.time[0],
        int(fit.seen[:, c].sum()),
        signal.centre,
    )


def _calibration(fitted: tuple[Fitted, ...], fit: Fit, centre: Centre) -> Calibration:
    """Put what was learnt in place of what is assumed of anybody; what was not met here stays assumed."""
    usual = usual_person()
    found = {signal.name: c for c, signal in enumerate(fitted)}
    names = [s.name for s in usual.signals] + [name for name in found if name == "skin_slope"]
    every = [columns_for(name) for name in names]
    begins = np.cumsum([0] + [len(columns) for columns in every])
    prior_sd = np.concatenate([prior_sd_of(columns) for columns in every])
    # An input that was never known here is part of the level, which was learnt without it.
    never_known = np.array([COLUMNS[k].name.endswith("unknown") and fit.inputs[:, k].all() for of in every for k in of])
    prior_sd[never_known] = NEGLIGIBLE
    effect, cov = np.zeros(prior_sd.size), np.diag(prior_sd**2)
    known = [
        (begins[names.index(signal.name)] + every[names.index(signal.name)].index(k))
        for signal, columns in zip(fitted, fit.columns, strict=True)
        for k in columns
    ]
    effect[known] = fit.effect
    cov[np.ix_(known, known)] = fit.effect_cov
    signals = tuple(
        fitted[found[name]] if name in found else next(s for s in usual.signals if s.name == name) for name in names
    )
    return Calibration(signals, centre, effect, cov)


def _above(signals: list[_Signal], fit: Fit, name: str, per_step: int) -> tuple[FloatArray, FloatArray]:
    """Return by how much a logarithmic signal stands above what is explained, in its own unit, and the latter's SD."""
    for c, signal in enumerate(signals):
        if signal.channel.name == name:
            explained, sd = fit.explained(c)
            expected = np.exp(signal.centre + signal.spread * explained)
            above = np.exp(signal.centre + signal.spread * signal.y) - expected
            doubt = np.where(fit.seen[:, c], signal.spread * sd * expected, np.nan)
            return _mean_of_known(above, per_step), _mean_of_known(doubt, per_step)  # what is explained errs as one
    nothing = np.full(fit.seen.shape[0] // per_step, np.nan)
    return nothing, nothing


def _mean_of_known(x: FloatArray, per_step: int) -> FloatArray:
    steps = x.reshape(-1, per_step)
    known = np.isfinite(steps)
    count = known.sum(axis=1)
    total = np.where(known, steps, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0)
    return mean


def _distance(measured: BoolArray) -> FloatArray:
    """Return how many minutes away the nearest measured minute is."""
    at = np.flatnonzero(measured)
    here = np.arange(measured.size)
    after = at[np.minimum(np.searchsorted(at, here), at.size - 1)]
    before = at[np.maximum(np.searchsorted(at, here, side="right") - 1, 0)]
    nearest: FloatArray = np.minimum(np.abs(after - here), np.abs(here - before)).astype(np.float64)
    return nearest

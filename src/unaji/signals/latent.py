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
from enum import Enum, IntEnum
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, Series, TimeArray, Timeline, utc_ms
from unaji.signals.activity import activity_on_grid, activity_series, skin_temp_on_grid, skin_temp_series
from unaji.signals.adjust import day_waves, lagged
from unaji.signals.eda_windows import eda_windows
from unaji.signals.grid import Gridded, mean_on_grid, step_starts
from unaji.signals.hrv import hrv_windows
from unaji.signals.rr import reject_artefacts

STEP_S = 60.0

FAST_MIN, SLOW_MIN = 10.0, 240.0
"""Time constants of the two parts of each curve: a reaction, and the course of the day [min]."""

FAST_SHARE = 0.6
"""Share of a curve's variance that is in its fast part."""

DRIFT_MIN = 120.0
"""Time constant of what a signal does by itself, as the level of dry electrodes [min]."""

LONGEST_GAP_MIN = 30
"""Minutes from the nearest measurement after which nothing is said: three time constants of a reaction."""

FEWEST_MIN = 10
"""Fewest minutes of a signal with which it takes part."""

SETTLING_MIN = 60.0
"""Minutes of data that weigh as much as the population's spread and noise."""

LOADING_SD = 0.2
"""Standard deviation of loadings between people."""

LEAST_LOADING = 0.1
"""A loading keeps its sign and at least this share of the population's: what else would tell the curves apart?"""

TAIL_FREEDOM = 6.0
"""Degrees of freedom of the noise: a minute far off loses weight (Lange 1989)."""

ROUNDS = 5
LEVEL_SD = 3.0
"""Prior standard deviation of a signal's level about its median, in units of its spread."""

MOVEMENT_LAGS = ((0,), (1, 2), (3, 4, 5), (6, 7, 8, 9, 10))
"""Minutes ago over which movement is averaged; each group has an effect of its own."""

MOVEMENT_UNIT, AIR_UNIT_K, SKIN_UNIT_K = 10.0, 10.0, 5.0
"""What counts as one unit of an input: the root of 100 mg (or of 100 steps a minute), 10 K of air, 5 K of skin."""

DRIVE_FLOOR = 0.05
"""Added to the drive before its logarithm: one smallest response a minute [µS/min]."""

BEATS_FIRST, PULSE_COVERAGE = 0.5, 0.5
"""Shares of a minute that beats must fill: for their rate to be preferred to a series, and for the RMSSD of a pulse."""

BLOCK_MIN = 7 * 24 * 60
"""Longest stretch that is fitted as one; a longer record is fitted week by week, each on its own."""

HR_RANGE_BPM = (25.0, 240.0)
AIR_SITES = ("near_body", "indoor", "outdoor")


class Input(Enum):
    """What the signals are adjusted for."""

    MOVEMENT = "movement"
    POSTURE = "posture"
    WARMTH = "warmth"
    TIME_OF_DAY = "time of day"
    SLEEP = "sleep"


EVERY_INPUT = frozenset(Input)


class Reason(IntEnum):
    """Why a minute says less than it could, or nothing."""

    NONE = 0
    CARRIED = 1
    NO_SYMPATHETIC_SIGNAL = 2
    NO_VAGAL_SIGNAL = 3
    GAP = 4
    NO_SIGNAL = 5


REASON_TEXT = {
    Reason.NONE: "",
    Reason.CARRIED: "nothing was measured in this minute: carried over from the minutes around it",
    Reason.NO_SYMPATHETIC_SIGNAL: "no signal here speaks of sympathetic activity: it is at its prior",
    Reason.NO_VAGAL_SIGNAL: "no signal here speaks of vagal activity: it is at its prior",
    Reason.GAP: f"more than {LONGEST_GAP_MIN} minutes from the nearest measurement",
    Reason.NO_SIGNAL: f"no signal was measured in at least {FEWEST_MIN} minutes, or it never changed",
}


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


CHANNELS = (
    Channel("hr", 0.12, 0.6, -0.5, 0.0, 0.3),
    Channel("rmssd", 0.4, 0.0, 0.7, 0.0, 0.5),
    Channel("tonic", 0.5, 0.5, 0.0, 0.8, 0.1),
    Channel("drive", 1.0, 0.7, 0.0, 0.0, 0.5),
    Channel("skin_slope", 0.05, -0.3, 0.0, 0.0, 0.9),
)
"""Natural logarithms of heart rate, RMSSD, level and drive of skin conductance; skin temperature's slope [K/min]."""


@dataclass(frozen=True, eq=False, slots=True)
class Minutes:
    """What was measured in each minute; NaN where it was not, None where it never was. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of consecutive minutes, UTC.
    local_hour : ndarray
        Local time of day [h].
    hr_bpm, rmssd_ms, tonic_microsiemens, drive_microsiemens_min, skin_slope_k_min : ndarray or None
        The signals. RMSSD is that of the minute itself: overlapping windows would count the same beats several times.
    hr_quality, rmssd_quality, tonic_quality, drive_quality : ndarray or None
        Share of the minute that was measured, 0 to 1; the noise grows as it falls.
    movement : ndarray or None
        Acceleration beyond gravity [mg], or steps a minute.
    posture_deg : ndarray or None
        Angle of the trunk above the horizontal [°].
    air_temp_c, skin_temp_c : ndarray or None
    asleep : ndarray or None
        1 asleep, 0 awake.
    """

    time: TimeArray
    local_hour: FloatArray
    hr_bpm: FloatArray | None = None
    rmssd_ms: FloatArray | None = None
    tonic_microsiemens: FloatArray | None = None
    drive_microsiemens_min: FloatArray | None = None
    skin_slope_k_min: FloatArray | None = None
    hr_quality: FloatArray | None = None
    rmssd_quality: FloatArray | None = None
    tonic_quality: FloatArray | None = None
    drive_quality: FloatArray | None = None
    movement: FloatArray | None = None
    posture_deg: FloatArray | None = None
    air_temp_c: FloatArray | None = None
    skin_temp_c: FloatArray | None = None
    asleep: FloatArray | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if values is not None and values.shape != self.time.shape:
                raise ValueError(f"{field.name} has the shape {values.shape}, time {self.time.shape}")


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


@dataclass(frozen=True, eq=False, slots=True)
class LatentState:
    """Hidden sympathetic and vagal activity by minute; NaN where nothing can be said. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of the minutes, UTC.
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
        Values of `Reason`; the words are in `REASON_TEXT`.
    fitted : tuple of Fitted
        The signals that took part (block by block in records of more than a week).
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


def latent_state(
    timeline: Timeline, *, adjust_for: frozenset[Input] = EVERY_INPUT, skin_slope: bool = False
) -> LatentState | None:
    """Estimate one person's sympathetic and vagal activity in each minute of a record.

    Parameters
    ----------
    timeline : Timeline
        Read are beats, ``hr_bpm`` and ``rmssd_ms``, ``scl_microsiemens``, skin temperature, ``activity_mg`` or
        ``steps``, ``air_temp_c`` and exposures of kind "sleep".
    adjust_for : frozenset of Input
        Inputs to use of those that were recorded.
    skin_slope : bool
        Whether the slope of skin temperature is a signal too; it speaks of sympathetic activity at the fingers and the
        wrist only, and not where the air around them changes.

    Returns
    -------
    LatentState or None
        None when neither heart nor skin conductance was recorded. Where the trunk's angle is known, put it into
        `minutes_of`'s result as ``posture_deg`` and call `latent_of_minutes`.
    """
    minutes = minutes_of(timeline, skin_slope=skin_slope)
    return None if minutes is None else latent_of_minutes(minutes, adjust_for=adjust_for)


def latent_of_minutes(minutes: Minutes, *, adjust_for: frozenset[Input] = EVERY_INPUT) -> LatentState:
    """Estimate sympathetic and vagal activity from what was measured in each minute.

    Notes
    -----
    In minute t, signal c in units of its spread, u the inputs, s and v the curves, d a drift of the signal's own:

        y_c = β_c·u + a_c s + b_c v + g_c d_c + ε_c,   ε_c ~ t with `TAIL_FREEDOM` degrees of freedom
        s = s_fast + s_slow, each x' = φ x + noise with φ = exp(−1 min/τ), Var(s) = 1; v and d likewise

    β has a normal prior about 0 (a ridge) and is integrated out. a, b, g and the noise are the maxima of their
    posterior, found by `ROUNDS` rounds of expectation-maximisation from the values in `CHANNELS`. The cost is linear in
    the minutes.
    """
    n = minutes.time.size
    if n and np.any(np.diff(minutes.time) != np.timedelta64(round(STEP_S * 1000), "ms")):
        raise ValueError("time must be consecutive minutes")
    blocks = [_part(minutes, k, min(k + BLOCK_MIN, n)) for k in range(0, max(n, 1), BLOCK_MIN)]
    return _joined([_latent_of_block(block, adjust_for) for block in blocks])


def minutes_of(timeline: Timeline, *, skin_slope: bool = False) -> Minutes | None:
    """Bring a timeline's signals and inputs to minutes; None when neither heart nor skin conductance was recorded."""
    conductance = timeline.of("scl_microsiemens")
    grid = _minutes_recorded(timeline, conductance)
    if grid is None:
        return None
    rate, rmssd = _heart(timeline, grid)
    eda = None if conductance is None else eda_windows(conductance, grid, STEP_S)
    skin = _means(skin_temp_series(timeline), grid, skin=True)
    air = timeline.of("air_temp_c", *AIR_SITES) or timeline.of("air_temp_c")
    moved = activity_series(timeline)
    return Minutes(
        time=grid,
        local_hour=(grid.astype(np.int64) / 3.6e6 + timeline.zones.offset_min(grid) / 60.0) % 24.0,
        hr_bpm=rate.value,
        hr_quality=rate.coverage,
        rmssd_ms=rmssd.value,
        rmssd_quality=rmssd.coverage,
        tonic_microsiemens=None if eda is None else eda.tonic_microsiemens,
        tonic_quality=None if eda is None else eda.tonic_quality,
        drive_microsiemens_min=None if eda is None else eda.drive_microsiemens_min,
        drive_quality=None if eda is None else eda.phasic_quality,
        skin_slope_k_min=skin - lagged(skin, 1) if skin_slope and skin is not None else None,
        movement=None if moved is None else activity_on_grid(moved, grid, STEP_S).value,
        air_temp_c=_means(air, grid),
        skin_temp_c=skin,
        asleep=_asleep(timeline, grid),
    )


def _minutes_recorded(timeline: Timeline, conductance: Series | None) -> TimeArray | None:
    recorded = [s for s in (conductance, timeline.of("hr_bpm"), timeline.of("rmssd_ms")) if s]
    moment = np.timedelta64(1, "ms")  # the end of an interval is not in it
    spans = [(s.time[0], s.time[-1] if s.end is None else max(s.time[-1], s.end.max() - moment)) for s in recorded]
    if timeline.beats:
        spans.append((timeline.beats.time[0], timeline.beats.time[-1]))
    return step_starts(min(a for a, _ in spans), max(b for _, b in spans), STEP_S) if spans else None


def _heart(timeline: Timeline, grid: TimeArray) -> tuple[Gridded, Gridded]:
    """Take rate and RMSSD from valid beats, the rate from a series where they fill too little of a minute."""
    nothing = Gridded(np.full(grid.size, np.nan), np.zeros(grid.size))
    rates, variability = timeline.of("hr_bpm"), timeline.of("rmssd_ms")
    rate = mean_on_grid(rates, grid, STEP_S) if rates else nothing
    beats = timeline.beats
    if not beats:
        return rate, mean_on_grid(variability, grid, STEP_S) if variability else nothing
    kept_ms = np.where(reject_artefacts(beats.rri_ms, beats.gap).keep, beats.rri_ms, np.nan)
    hrv = hrv_windows(beats.time, kept_ms, beats.gap, grid, STEP_S)
    from_beats = np.isfinite(hrv.hr_bpm) & ((hrv.coverage >= BEATS_FIRST) | np.isnan(rate.value))
    enough = hrv.coverage >= (PULSE_COVERAGE if beats.origin == "ppg" else 0.0)
    return (
        Gridded(np.where(from_beats, hrv.hr_bpm, rate.value), np.where(from_beats, hrv.coverage, rate.coverage)),
        Gridded(np.where(enough, hrv.rmssd_ms, np.nan), hrv.coverage),
    )


def _means(series: Series | None, grid: TimeArray, *, skin: bool = False) -> FloatArray | None:
    if series is None:
        return None
    return (skin_temp_on_grid if skin else mean_on_grid)(series, grid, STEP_S).value


def _asleep(timeline: Timeline, grid: TimeArray) -> FloatArray | None:
    """Tell 1 for minutes that start in a logged sleep; None when no sleep was logged."""
    asleep = np.zeros(grid.size)
    for sleep in timeline.exposures_of("sleep"):
        if sleep.end is not None:
            asleep[np.searchsorted(grid, utc_ms(sleep.start)) : np.searchsorted(grid, utc_ms(sleep.end))] = 1.0
    return asleep if asleep.any() else None


class _Signal(NamedTuple):
    """A signal about its median, in units of its spread."""

    channel: Channel
    y: FloatArray
    centre: float
    spread: float
    quality: FloatArray


def _latent_of_block(minutes: Minutes, adjust_for: frozenset[Input]) -> LatentState:
    signals = _signals(minutes)
    if not signals:
        return _silent(minutes)
    fit = _Fit(signals, [_design(minutes, s.channel, adjust_for) for s in signals])
    for _ in range(ROUNDS):
        fit.update()
    fit.smooth()
    return _described(minutes, signals, fit)


def _signals(minutes: Minutes) -> list[_Signal]:
    """Return the signals that take part: measured for `FEWEST_MIN` minutes, and not always the same."""
    hr = minutes.hr_bpm
    if hr is not None:
        hr = np.where((hr >= HR_RANGE_BPM[0]) & (hr <= HR_RANGE_BPM[1]), hr, np.nan)
    drive = minutes.drive_microsiemens_min
    measured = (
        (_log(hr), minutes.hr_quality),
        (_log(minutes.rmssd_ms), minutes.rmssd_quality),
        (_log(minutes.tonic_microsiemens), minutes.tonic_quality),
        (_log(None if drive is None else np.maximum(drive, 0.0) + DRIVE_FLOOR), minutes.drive_quality),
        (minutes.skin_slope_k_min, None),
    )
    made = (_signal(c, y, quality) for c, (y, quality) in zip(CHANNELS, measured, strict=True) if y is not None)
    return [signal for signal in made if signal is not None]


def _signal(channel: Channel, y: FloatArray, quality: FloatArray | None) -> _Signal | None:
    known = np.isfinite(y)
    n = int(known.sum())
    if n < FEWEST_MIN or np.ptp(y[known]) < 1e-9:
        return None
    centre = float(np.median(y[known]))
    # Half the width of the middle two thirds: one standard deviation, whatever the tails do.
    own = float(np.diff(np.quantile(y[known], (0.1587, 0.8413)))[0]) / 2.0
    spread = float(np.sqrt((SETTLING_MIN * channel.spread**2 + n * own**2) / (SETTLING_MIN + n)))
    share = np.ones(y.size) if quality is None else np.clip(np.nan_to_num(quality), 0.1, 1.0)
    return _Signal(channel, np.where(known, (y - centre) / spread, np.nan), centre, spread, share)


def _log(x: FloatArray | None) -> FloatArray | None:
    if x is None:
        return None
    known = np.isfinite(x) & (x > 0.0)
    return np.log(x, out=np.full(x.shape, np.nan), where=known)


class _Design(NamedTuple):
    """Inputs of one signal, shape (n, k), and the prior standard deviations of their effects, shape (k,)."""

    x: FloatArray
    prior_sd: FloatArray


def _design(minutes: Minutes, channel: Channel, adjust_for: frozenset[Input]) -> _Design:
    """Put together what may move a signal; inputs are in fixed units, so that short records say little about them."""
    columns: list[tuple[FloatArray, float]] = [(np.ones(minutes.time.size), LEVEL_SD)]
    if Input.MOVEMENT in adjust_for and minutes.movement is not None:
        columns += [(x, 1.0) for x in _moved(minutes.movement)]
    if Input.POSTURE in adjust_for and minutes.posture_deg is not None:
        columns += [(x, 1.0) for x in _filled(np.sin(np.radians(_finite(minutes.posture_deg))))]
    if Input.WARMTH in adjust_for and minutes.air_temp_c is not None:
        columns += [(x, 1.0) for x in _filled(_finite(minutes.air_temp_c) / AIR_UNIT_K)]
    if Input.WARMTH in adjust_for and minutes.skin_temp_c is not None and channel.name in ("tonic", "drive"):
        columns += [(x, 1.0) for x in _filled(_finite(minutes.skin_temp_c) / SKIN_UNIT_K)]
    if Input.TIME_OF_DAY in adjust_for:
        columns += [(x, 0.5) for x in day_waves(minutes.local_hour)]
    if Input.SLEEP in adjust_for and minutes.asleep is not None:
        columns += [(x, 1.0) for x in _filled(_finite(minutes.asleep))]
    return _Design(np.column_stack([x for x, _ in columns]), np.array([sd for _, sd in columns]))


def _moved(movement: FloatArray) -> list[FloatArray]:
    """Return movement now and up to 10 minutes ago: its root, as heart rate rises ever more slowly with it."""
    root = np.sqrt(np.maximum(_finite(movement), 0.0)) / MOVEMENT_UNIT
    groups = []
    for lags in MOVEMENT_LAGS:
        past = np.stack([lagged(root, lag) for lag in lags])
        known = np.isfinite(past)
        count = known.sum(axis=0)
        total = np.where(known, past, 0.0).sum(axis=0)
        groups.append(np.divide(total, count, out=np.full(root.size, np.nan), where=count > 0))
    filled = [_filled(group) for group in groups]
    return [columns[0] for columns in filled] + filled[0][1:]


def _filled(x: FloatArray) -> list[FloatArray]:
    """Return an input about its mean, 0 where unknown, and a column that tells the unknown, if there are any."""
    known = np.isfinite(x)
    if not known.any():
        return []
    centred = np.where(known, x - x[known].mean(), 0.0)
    return [centred] if known.all() else [centred, np.where(known, 0.0, 1.0)]


def _finite(x: FloatArray) -> FloatArray:
    return np.where(np.isfinite(x), x, np.nan)


class _Fit:
    """The model of one block with its current parameters, and what it makes of the data.

    The curves' state is (s fast, s slow, v fast, v slow, drift of the level of skin conductance); what the signals see
    of it is (s, v, drift).
    """

    SEEN_OF_STATE = np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    VARIANCE = np.array([FAST_SHARE, 1.0 - FAST_SHARE, FAST_SHARE, 1.0 - FAST_SHARE, 1.0])
    KEEP = np.exp(-1.0 / np.array([FAST_MIN, SLOW_MIN, FAST_MIN, SLOW_MIN, DRIFT_MIN]))

    def __init__(self, signals: list[_Signal], designs: list[_Design]) -> None:
        self.prior_loading = np.array([[s.channel.sympathetic, s.channel.vagal, s.channel.drift] for s in signals])
        self.prior_noise = np.array([s.channel.noise_variance for s in signals])
        self.loading, self.noise = self.prior_loading.copy(), self.prior_noise.copy()
        self.y = np.stack([s.y for s in signals], axis=1)
        self.seen: BoolArray = np.isfinite(self.y)
        self.quality = np.stack([s.quality for s in signals], axis=1)
        self.weight = np.ones_like(self.y)
        self.prior_sd = np.concatenate([design.prior_sd for design in designs])
        ends = np.cumsum([0] + [design.prior_sd.size for design in designs])
        self.of_signal = [slice(a, b) for a, b in pairwise(ends)]
        self.x = [design.x for design in designs]
        self.columns = np.zeros((*self.y.shape, 1 + self.prior_sd.size))
        self.columns[:, :, 0] = np.where(self.seen, self.y, 0.0)
        for c, (own, x) in enumerate(zip(self.of_signal, self.x, strict=True)):
            self.columns[:, c, 1:][:, own] = x
        self.effect = np.zeros(self.prior_sd.size)
        self.effect_cov = np.diag(self.prior_sd**2)
        self.curve, self.curve_cov = np.zeros((0, 3)), np.zeros((0, 3, 3))
        self._by_effect = np.zeros((0, 3, self.prior_sd.size))

    def smooth(self) -> None:
        """Find the posterior of curves and effects given the loadings and the noise."""
        from unaji.signals._kernels_latent import filter_forward, smooth_backward  # noqa: PLC0415  (numba is slow to load)

        load = self.loading @ self.SEEN_OF_STATE
        noise = self.noise / (self.quality * self.weight)
        means, covs, innovation, spread, gains = filter_forward(
            self.columns, self.seen, noise, load, self.KEEP, self.VARIANCE
        )
        scaled = (innovation / np.sqrt(spread)[:, :, None])[self.seen]
        moments = scaled.T @ scaled
        self.effect_cov = np.linalg.inv(moments[1:, 1:] + np.diag(self.prior_sd**-2.0))
        self.effect = self.effect_cov @ moments[1:, 0]
        smooth_backward(means, covs, innovation, spread, gains, self.seen, load, self.KEEP)
        view = np.matmul(self.SEEN_OF_STATE, means)
        given_effects = np.matmul(np.matmul(self.SEEN_OF_STATE, covs), self.SEEN_OF_STATE.T)
        by_effect = view[:, :, 1:]
        self.curve = view[:, :, 0] - by_effect @ self.effect
        self._by_effect = by_effect @ self.effect_cov
        self.curve_cov = given_effects + self._by_effect @ by_effect.transpose(0, 2, 1)

    def update(self) -> None:
        """Move loadings, noise and weights one round of expectation-maximisation towards the person's."""
        self.smooth()
        for c in range(self.noise.size):
            self._update_signal(c)

    def _update_signal(self, c: int) -> None:
        seen, own = self.seen[:, c], self.of_signal[c]
        x, quality = self.x[c][seen], self.quality[seen, c]
        left = self.y[seen, c] - x @ self.effect[own]
        curve = self.curve[seen]
        with_x = np.einsum("tk,tgk->tg", x, self._by_effect[seen][:, :, own])
        power = self.curve_cov[seen] + curve[:, :, None] * curve[:, None, :]
        cross = left[:, None] * curve + with_x
        spread_x = np.einsum("tk,tk->t", x @ self.effect_cov[own, own], x)

        old = self.loading[c]
        squared = left**2 + spread_x - 2.0 * cross @ old + np.einsum("g,tgh,h->t", old, power, old)
        weight = (TAIL_FREEDOM + 1.0) / (TAIL_FREEDOM + squared * quality / self.noise[c])
        self.weight[seen, c] = weight
        trust = weight * quality
        self.loading[c] = self._loading(c, np.tensordot(trust, power, axes=1), trust @ cross)
        new = self.loading[c]
        squared = left**2 + spread_x - 2.0 * cross @ new + np.einsum("g,tgh,h->t", new, power, new)
        self.noise[c] = (SETTLING_MIN * self.prior_noise[c] + trust @ squared) / (SETTLING_MIN + squared.size)

    def _loading(self, c: int, power: FloatArray, cross: FloatArray) -> FloatArray:
        """Regress a signal on the curves it speaks of, pulled towards the population and kept to its sign."""
        prior = self.prior_loading[c]
        on = np.flatnonzero(prior)
        pull = np.full(on.size, LOADING_SD**-2.0)
        precision = power[np.ix_(on, on)] / self.noise[c] + np.diag(pull)
        found = np.linalg.solve(precision, cross[on] / self.noise[c] + pull * prior[on])
        loading = np.zeros(3)
        loading[on] = np.sign(prior[on]) * np.maximum(np.sign(prior[on]) * found, LEAST_LOADING * np.abs(prior[on]))
        return loading

    def explained(self, c: int) -> tuple[FloatArray, FloatArray]:
        """Return what level and inputs explain of a signal, and its standard deviation."""
        x, own = self.x[c], self.of_signal[c]
        variance = np.einsum("tk,tk->t", x @ self.effect_cov[own, own], x)
        return x @ self.effect[own], np.sqrt(variance)


def _silent(minutes: Minutes) -> LatentState:
    """Say of every minute that there is no signal."""
    values: dict[str, Any] = {f.name: np.full(minutes.time.size, np.nan) for f in fields(LatentState)}
    values |= {name: np.zeros(minutes.time.size) for name in values if name.endswith("quality")}
    reason = np.full(minutes.time.size, Reason.NO_SIGNAL, dtype=np.int8)
    return LatentState(**values | {"time": minutes.time, "reason": reason, "fitted": ()})


def _described(minutes: Minutes, signals: list[_Signal], fit: _Fit) -> LatentState:
    distance = _distance(np.asarray(fit.seen.any(axis=1)))
    said = distance <= LONGEST_GAP_MIN
    curve, cov = fit.curve, fit.curve_cov
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    contrast_sd = np.sqrt((cov[:, 0, 0] + cov[:, 1, 1] - 2.0 * cov[:, 0, 1]) / 2.0)
    hr, rmssd = (_above(minutes, signals, fit, name) for name in ("hr", "rmssd"))
    return LatentState(
        time=minutes.time,
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
        reason=_reasons(fit, distance),
        fitted=tuple(_fitted(minutes, signal, fit, c) for c, signal in enumerate(signals)),
    )


def _reasons(fit: _Fit, distance: FloatArray) -> NDArray[np.int8]:
    reason = np.full(distance.size, Reason.NONE, dtype=np.int8)
    if not fit.loading[:, 0].any():
        reason[:] = Reason.NO_SYMPATHETIC_SIGNAL
    if not fit.loading[:, 1].any():
        reason[:] = Reason.NO_VAGAL_SIGNAL
    reason[distance > 0] = Reason.CARRIED
    reason[distance > LONGEST_GAP_MIN] = Reason.GAP
    return reason


def _fitted(minutes: Minutes, signal: _Signal, fit: _Fit, c: int) -> Fitted:
    sympathetic, vagal, drift = (float(loading) for loading in fit.loading[c])
    n_minutes = int(fit.seen[:, c].sum())
    name, noise = signal.channel.name, float(fit.noise[c])
    return Fitted(name, signal.spread, sympathetic, vagal, drift, noise, minutes.time[0], n_minutes)


def _above(minutes: Minutes, signals: list[_Signal], fit: _Fit, name: str) -> tuple[FloatArray, FloatArray]:
    """Return by how much a logarithmic signal stands above what is explained, in its own unit, and the latter's SD."""
    for c, signal in enumerate(signals):
        if signal.channel.name == name:
            explained, sd = fit.explained(c)
            expected = np.exp(signal.centre + signal.spread * explained)
            above = np.exp(signal.centre + signal.spread * signal.y) - expected
            return above, np.where(fit.seen[:, c], signal.spread * sd * expected, np.nan)
    nothing = np.full(minutes.time.size, np.nan)
    return nothing, nothing


def _distance(measured: BoolArray) -> FloatArray:
    """Return how many minutes away the nearest measured minute is."""
    at = np.flatnonzero(measured)
    here = np.arange(measured.size)
    after = at[np.minimum(np.searchsorted(at, here), at.size - 1)]
    before = at[np.maximum(np.searchsorted(at, here, side="right") - 1, 0)]
    nearest: FloatArray = np.minimum(np.abs(after - here), np.abs(here - before)).astype(np.float64)
    return nearest


def _part(minutes: Minutes, begin: int, end: int) -> Minutes:
    values: dict[str, Any] = {f.name: getattr(minutes, f.name) for f in fields(minutes)}
    cut: dict[str, Any] = {name: None if x is None else x[begin:end] for name, x in values.items()}
    return Minutes(**cut)


def _joined(blocks: list[LatentState]) -> LatentState:
    if len(blocks) == 1:
        return blocks[0]
    arrays: dict[str, Any] = {
        f.name: np.concatenate([getattr(block, f.name) for block in blocks])
        for f in fields(LatentState)
        if f.name != "fitted"
    }
    return LatentState(**arrays, fitted=tuple(fitted for block in blocks for fitted in block.fitted))

"""The stated truth of a simulated person: what causes the episodes, how fast, how much, and what treatment does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.special import gammainc, ndtr

from unaji.errors import UsageError
from unaji.people.outside import Driver, LagLaw, Outside, draw_driver, draw_lag, saturating, u_shaped
from unaji.people.triggers import BACKGROUND, CANDIDATES, FEVER
from unaji.people.world import BIN_MIN, BINS_PER_DAY, World, ou
from unaji.records.timeline import BoolArray, FloatArray

HINGES = (0.50, 0.70, 0.85)
FEWEST_DOSES = 6
LEAST_EXPOSED = 0.05
"""Share of waking time that a level has to be away from its lowest value to be usable as a cause."""
FEVER_EPISODES = 3.0
ROUNDING = 1e-11
"""What of a filtered signal is smaller than this, against its largest value, is rounding and not signal."""


@dataclass(frozen=True, slots=True)
class TrueCause:
    """One cause at work.

    Attributes
    ----------
    shown : bool
        False when it is hidden from whoever looks for causes.
    share : float
        Share of the expected primary episodes it sets off, treatment and bad days left out.
    lag_mean_min, lag_shape : float
        Mean [min] and shape of the Gamma-distributed lag.
    hinge : float or None
        Quantile of the waking level above which it acts; None for doses.
    rate_ratio : float or None
        Rate ratio at the 99 % quantile of its lagged exposure in the log-linear generator; None in the additive one.
    lag_law : LagLaw
        Other laws than the Gamma have no shape of their own.
    driver : Driver
        A saturating exposure acts above `hinge` too; a U-shaped one on both sides of its median.
    """

    id: str
    shown: bool
    share: float
    lag_mean_min: float
    lag_shape: float
    hinge: float | None
    rate_ratio: float | None
    lag_law: LagLaw = LagLaw.GAMMA
    driver: Driver = Driver.EXCESS


@dataclass(frozen=True, slots=True)
class TrueEcho:
    """Episodes set off by earlier ones: mean number of children, and their mean delay."""

    branching: float
    mean_delay_h: float


@dataclass(frozen=True, slots=True)
class TrueTreatment:
    """What the sessions do.

    Attributes
    ----------
    session_h : tuple of float
        Local hours since the first midnight of the recording.
    tau_d : float
        Days over which one session's effect falls to 1/e.
    full_dose_ratio : float
        Rate ratio at full dose; 1 when the treatment does nothing.
    triggers_only : bool
        True when only the causes' part is damped, not the background.
    after_worst_week : bool
        True when it was begun right after the worst week, so that getting better needs no treatment.
    mean_ratio : float
        Rate with over rate without, averaged over the days from the first session on.
    """

    session_h: tuple[float, ...]
    tau_d: float
    full_dose_ratio: float
    triggers_only: bool
    after_worst_week: bool
    mean_ratio: float


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that was decided about a person before the first episode was drawn.

    Attributes
    ----------
    generator : {"additive", "log_linear"}
    target_episodes : float
        Expected number of episodes before treatment, bad days, and what the diary loses.
    background_amplitude, background_peak_h : float
        Daily wave of the background: 1 + A cos(2π(h − h₀)/24), awake only.
    frailty_shape, drift_sd : float or None
        Bad days (Gamma with mean 1), and the slow drift of the log rate; None when there is none.
    expected : dict of str to float
        Expected primary episodes by source, everything included, before what the diary loses.
    rounding_min : int
        The person rounds onsets to this many minutes; 0 when they do not.
    omission_share : float
        Share of episodes never written down.
    """

    generator: str
    causes: tuple[TrueCause, ...]
    target_episodes: float
    background_amplitude: float
    background_peak_h: float
    echo: TrueEcho | None
    frailty_shape: float | None
    drift_sd: float | None
    treatment: TrueTreatment | None
    expected: dict[str, float]
    rounding_min: int
    omission_share: float

    @property
    def shown_causes(self) -> tuple[str, ...]:
        """Ids of the causes that can be found."""
        return tuple(cause.id for cause in self.causes if cause.shown)

    @property
    def hidden_cause(self) -> str | None:
        """Id of the cause that is not shown, if any."""
        return next((cause.id for cause in self.causes if not cause.shown), None)


@dataclass(frozen=True, eq=False, slots=True)
class Intensity:
    """Expected primary episodes of each source in each bin.

    Attributes
    ----------
    sources : tuple of str
        Cause ids, "background", and "fever" for a person who has one.
    rate : ndarray, shape (n_sources, n_bins)
        Per bin, treatment, drift and bad days included; 0 while asleep.
    echo_kept : ndarray, shape (n_bins,)
        Share of echoes that the treatment lets through; 0 while asleep.
    """

    sources: tuple[str, ...]
    rate: FloatArray
    echo_kept: FloatArray


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is stated of a person's truth; what is None is drawn. See `unaji.people.simulate.simulate_person`."""

    causes: Sequence[str] | None = None
    shares: Mapping[str, float] | None = None
    lags_min: Mapping[str, float] | None = None
    null: bool = False
    target_episodes: float | None = None
    generator: str | None = None
    treatment: bool | None = None
    full_dose_ratio: float | None = None
    treatment_start: float | None = None
    outside: Outside | None = None


def decide(rng: Generator, world: World, wishes: Wishes, fever_bins: slice | None) -> tuple[Truth, Intensity]:
    """Decide what causes one person's episodes, and the intensity that follows."""
    draw_causes, draw_rate, draw_days, draw_treatment, draw_diary, draw_outside = rng.spawn(6)
    if wishes.shares is not None and wishes.generator == "log_linear":
        raise ValueError("shares can only be stated for the additive generator")
    kind = wishes.generator or ("additive" if wishes.shares is not None or draw_rate.random() < 0.75 else "log_linear")
    target = wishes.target_episodes or float(np.exp(draw_rate.uniform(np.log(10), np.log(80))))
    amplitude, peak_h = draw_rate.uniform(0, 0.8), draw_rate.uniform(8, 22)
    echo = _draw_echo(draw_rate)

    awake = world.awake[world.period]
    chosen = [] if wishes.null else _choose(draw_causes, world, wishes.causes)
    drawn = [_draw_cause(draw_causes, name, (wishes.lags_min or {}).get(name)) for name in chosen]
    if wishes.outside is not None:
        drawn = [_moved_outside(draw_outside, cause, wishes.outside) for cause in drawn]
    background = _background(awake, amplitude, peak_h)
    parts, ratios = _parts(draw_causes, world, drawn, kind, background, wishes.shares)
    hidden = draw_causes.random() < 0.10 and len(drawn) >= 2 and wishes.causes is None

    frailty_shape, drift_sd, drift, multiplier = _days(draw_days, world.n_days)
    plan = _draw_treatment(draw_treatment, world.n_days, drift, wishes)
    primary = target * (1 - (echo.branching if echo else 0.0))
    rate, echo_kept, true_treatment = _treated(primary * parts * np.repeat(multiplier, BINS_PER_DAY), plan)

    sources = (*(cause.id for cause in drawn), BACKGROUND)
    if fever_bins is not None:
        sources = (*sources, FEVER)
        rate = np.vstack([rate, _fever_rate(awake, fever_bins)])
    truth = Truth(
        generator=kind,
        causes=_true_causes(drawn, parts, ratios, hide_first=hidden),
        target_episodes=target,
        background_amplitude=amplitude,
        background_peak_h=peak_h,
        echo=echo,
        frailty_shape=frailty_shape,
        drift_sd=drift_sd,
        treatment=true_treatment,
        expected=dict(zip(sources, rate.sum(axis=1).tolist(), strict=True)),
        rounding_min=int(draw_diary.choice([0, 0, 15, 30])),
        omission_share=draw_diary.uniform(0, 0.25),
    )
    return truth, Intensity(sources, rate, echo_kept * awake)


def lag_kernel(mean_min: float, shape: float) -> FloatArray:
    """Return the Gamma distribution of a lag as the share that falls in each bin; cut at 99.9 % and sums to 1."""
    return _binned(lambda lag_min: gammainc(shape, lag_min * shape / mean_min))


def lognormal_kernel(mean_min: float) -> FloatArray:
    """Return the same for a log-normal lag whose logarithm has a standard deviation of 1."""
    middle = np.log(mean_min) - 0.5
    return _binned(lambda lag_min: ndtr(np.log(np.maximum(lag_min, 1e-300)) - middle))


def uniform_kernel(mean_min: float) -> FloatArray:
    """Return the same for a lag between half its mean and one and a half times its mean, none likelier than another."""
    return _binned(lambda lag_min: np.clip(lag_min / mean_min - 0.5, 0.0, 1.0))


def _binned(distribution: Callable[[FloatArray], FloatArray]) -> FloatArray:
    bins = 64
    while True:
        share = np.diff(distribution(np.arange(bins + 1, dtype=np.float64) * BIN_MIN))
        if share.sum() >= 0.999:
            kernel: FloatArray = share[: int(np.searchsorted(np.cumsum(share), 0.999)) + 1]
            return np.asarray(kernel / kernel.sum(), dtype=float)
        bins *= 2


def causal_filter(signal: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolve with a causal kernel: bin i hears bins i, i − 1, …; the same length as `signal`."""
    size = signal.size + kernel.size - 1
    spectrum = np.fft.rfft(signal, size) * np.fft.rfft(kernel, size)
    filtered = np.fft.irfft(spectrum, size)[: signal.size]
    # Rounding of the transform must not make a rate negative, nor of nothing something: no random number is drawn for a
    # rate of 0, and processors round differently, so that the same seed would give different persons on two machines.
    return np.asarray(np.where(filtered > ROUNDING * np.abs(filtered).max(initial=0.0), filtered, 0.0), dtype=float)


def treatment_dose(session_h: Sequence[float], tau_d: float, n_bins: int) -> FloatArray:
    """Return the dose 1 − exp(−Σ exp(−Δt/τ)) over the sessions before each bin's middle."""
    hour = (np.arange(n_bins) + 0.5) * BIN_MIN / 60
    since = hour[:, None] - np.asarray(session_h)[None, :]
    left = np.where(since > 0, np.exp(-np.maximum(since, 0) / (24 * tau_d)), 0.0)
    return np.asarray(1 - np.exp(-left.sum(axis=1)), dtype=float)


@dataclass(frozen=True, slots=True)
class _Drawn:
    id: str
    mean_min: float
    shape: float
    hinge: float | None
    law: LagLaw = LagLaw.GAMMA
    driver: Driver = Driver.EXCESS

    @property
    def kernel(self) -> FloatArray:
        if self.law is LagLaw.GAMMA:
            return lag_kernel(self.mean_min, self.shape)
        return lognormal_kernel(self.mean_min) if self.law is LagLaw.LOGNORMAL else uniform_kernel(self.mean_min)


@dataclass(frozen=True, slots=True)
class _Plan:
    session_h: tuple[float, ...]
    tau_d: float
    full_dose_ratio: float
    triggers_only: bool
    after_worst_week: bool


def usable(world: World, trigger: str) -> bool:
    """Tell whether there is enough contrast in an exposure for it to cause anything."""
    exposure = world.exposure(trigger)[world.period]
    if CANDIDATES[trigger].kind == "dose":
        return bool((exposure > 0).sum() >= FEWEST_DOSES)
    awake = exposure[world.awake[world.period]]
    return bool((awake > awake.min() + 1e-9).mean() >= LEAST_EXPOSED)


def _choose(rng: Generator, world: World, causes: Sequence[str] | None) -> list[str]:
    if causes is None:
        ready = [trigger for trigger in CANDIDATES if usable(world, trigger)]
        count = int(rng.choice([1, 2, 3, 4], p=[0.30, 0.35, 0.20, 0.15]))
        return [ready[i] for i in rng.choice(len(ready), min(count, len(ready)), replace=False)]
    for name in causes:
        if name not in CANDIDATES:
            raise UsageError(f"{name!r} is not a candidate cause; choose from {', '.join(CANDIDATES)}")
        if not usable(world, name):
            raise UsageError(f"{name!r} hardly varies in this person's life, so it cannot be a cause; try another seed")
    if len(set(causes)) != len(causes):
        raise UsageError(f"a cause is named twice: {', '.join(causes)}")
    return list(causes)


def _draw_cause(rng: Generator, name: str, stated_lag_min: float | None) -> _Drawn:
    low, high = CANDIDATES[name].lag_min
    drawn_min = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    mean_min = drawn_min if stated_lag_min is None else stated_lag_min
    shape = rng.uniform(1, 4)
    quantile = float(rng.choice(HINGES))
    if CANDIDATES[name].kind == "dose":
        return _Drawn(name, mean_min, shape, None)
    return _Drawn(name, mean_min, shape, quantile)


def _moved_outside(rng: Generator, cause: _Drawn, outside: Outside) -> _Drawn:
    candidate = CANDIDATES[cause.id]
    law, mean_min = draw_lag(rng, cause.mean_min, candidate.lag_min)
    driver = draw_driver(rng, candidate.kind)
    if outside.lags:
        cause = replace(cause, law=law, mean_min=mean_min)
    return replace(cause, driver=driver) if outside.drivers else cause


def _feature(world: World, cause: _Drawn) -> FloatArray:
    """Return the lagged driver over the recording; the week before it is heard too."""
    driven = _driven(cause, world.exposure(cause.id), world.period, world.awake)
    return causal_filter(driven, cause.kernel)[world.period]


def _driven(cause: _Drawn, exposure: FloatArray, period: slice, awake: BoolArray) -> FloatArray:
    """Return what of an exposure acts, before its lag."""
    if cause.hinge is None:
        usual = float(np.median(exposure[exposure > 0]))
        return saturating(exposure, usual) if cause.driver is Driver.SATURATING else exposure
    waking = exposure[period][awake[period]]
    if cause.driver is Driver.U_SHAPED:
        return u_shaped(exposure, float(np.median(waking)), float(waking.std()))
    excess = np.maximum(exposure - np.quantile(waking, cause.hinge), 0.0)
    return saturating(excess, float(waking.std()) / 2) if cause.driver is Driver.SATURATING else excess


def _parts(
    rng: Generator,
    world: World,
    drawn: Sequence[_Drawn],
    kind: str,
    background: FloatArray,
    shares: Mapping[str, float] | None,
) -> tuple[FloatArray, list[float | None]]:
    """Return each source's part of the primary episodes in each bin, all summing to 1, and the causes' rate ratios."""
    awake = world.awake[world.period]
    features = np.array([_feature(world, cause) for cause in drawn]).reshape(len(drawn), awake.size)
    if kind == "additive":
        parts = _additive(rng, drawn, features * awake, background, shares)
        return parts, [None] * len(drawn)
    ratios = rng.uniform(3, 12, len(drawn))
    parts = _log_linear(ratios, features, background, awake)
    return parts / parts.sum(), ratios.tolist()


def _true_causes(
    drawn: Sequence[_Drawn], parts: FloatArray, ratios: Sequence[float | None], *, hide_first: bool
) -> tuple[TrueCause, ...]:
    return tuple(
        TrueCause(
            id=cause.id,
            shown=not (hide_first and k == 0),
            share=float(parts[k].sum()),
            lag_mean_min=cause.mean_min,
            lag_shape=cause.shape,
            hinge=cause.hinge,
            rate_ratio=ratios[k],
            lag_law=cause.law,
            driver=cause.driver,
        )
        for k, cause in enumerate(drawn)
    )


def _background(awake: BoolArray, amplitude: float, peak_h: float) -> FloatArray:
    hour = np.arange(awake.size) * BIN_MIN / 60
    wave = (1 + amplitude * np.cos(2 * np.pi * (hour - peak_h) / 24)) * awake
    return np.asarray(wave / wave.sum(), dtype=float)


def _additive(
    rng: Generator,
    drawn: Sequence[_Drawn],
    features: FloatArray,
    background: FloatArray,
    shares: Mapping[str, float] | None,
) -> FloatArray:
    """Return causes and background as parts of one, row by row; the last row is the background."""
    if not drawn:
        return background[None, :].copy()
    if shares is None:
        split = rng.uniform(0.35, 0.85) * rng.dirichlet(np.full(len(drawn), 2.0))
    else:
        split = np.array([shares[cause.id] for cause in drawn])
    if split.min() <= 0 or split.sum() >= 1:
        raise ValueError(f"the shares of the causes must be positive and leave some background, got {split.tolist()}")
    parts = split[:, None] * features / features.sum(axis=1, keepdims=True)
    return np.vstack([parts, (1 - split.sum()) * background])


def _log_linear(ratios: FloatArray, features: FloatArray, background: FloatArray, awake: BoolArray) -> FloatArray:
    """Return background × Π ratioᵏ, its excess over the background split by each cause's log contribution."""
    if not ratios.size:
        return background[None, :].copy()
    top = np.quantile(features[:, awake], 0.99, axis=1, keepdims=True)
    logs = np.log(ratios)[:, None] * np.minimum(features / np.maximum(top, 1e-300), 1.2)
    total = logs.sum(axis=0)
    excess = background * np.expm1(total)
    split = logs / np.maximum(total, 1e-300)
    return np.vstack([excess * split, background])


def _draw_echo(rng: Generator) -> TrueEcho | None:
    present = rng.random() < 0.40
    branching, delay_h = rng.uniform(0.1, 0.4), float(np.exp(rng.uniform(0, np.log(12))))
    return TrueEcho(branching, delay_h) if present else None


def _days(rng: Generator, n_days: int) -> tuple[float | None, float | None, FloatArray, FloatArray]:
    """Return frailty shape, drift sd, the drift's log per day, and the multiplier of the rate per day (mean 1)."""
    has_frailty, shape = rng.random() < 0.40, rng.uniform(2, 10)
    has_drift, sd = rng.random() < 0.50, rng.uniform(0.10, 0.35)
    frailty = rng.gamma(shape, 1 / shape, n_days) if has_frailty else np.ones(n_days)
    drift = sd * ou(rng, n_days, 21 * 1440, step_min=1440) if has_drift else np.zeros(n_days)
    level = np.exp(drift - (sd**2 / 2 if has_drift else 0.0))
    return (shape if has_frailty else None), (sd if has_drift else None), drift, frailty * level


def _draw_treatment(rng: Generator, n_days: int, drift: FloatArray, wishes: Wishes) -> _Plan | None:
    treated = rng.random() < 0.5 if wishes.treatment is None else wishes.treatment
    start = wishes.treatment_start
    gaps = rng.choice([3, 4, 7, 7], rng.integers(4, 11) - 1)
    start_day = int(rng.uniform(0.25, 0.50) * n_days)
    after_worst = bool(rng.random() < 0.30 and drift.any()) and start is None
    if after_worst:
        weeks = np.convolve(drift, np.full(7, 1 / 7), mode="valid")
        # Leave two weeks to see an effect in.
        start_day = int(np.argmax(weeks[: n_days - 14 - 7 + 1])) + 7
    if start is not None:
        start_day = round(start * n_days)
    days = start_day + np.concatenate([[0], np.cumsum(gaps)])
    hours = 24 * days + rng.uniform(10, 19, days.size)
    tau_d = rng.uniform(3, 14)
    ratio = 1.0 if rng.random() < 0.35 else rng.uniform(0.25, 0.85)
    triggers_only = bool(rng.random() < 0.30)
    if not treated:
        return None
    return _Plan(
        tuple(hours[days < n_days].tolist()),
        tau_d,
        ratio if wishes.full_dose_ratio is None else wishes.full_dose_ratio,
        triggers_only,
        after_worst,
    )


def _treated(rate: FloatArray, plan: _Plan | None) -> tuple[FloatArray, FloatArray, TrueTreatment | None]:
    """Return the rate under the plan, the share of echoes it lets through, and the plan with its mean effect.

    The last row of `rate` is the background.
    """
    untouched = np.ones(rate.shape[1])
    if plan is None:
        return rate, untouched, None
    kept = plan.full_dose_ratio ** treatment_dose(plan.session_h, plan.tau_d, rate.shape[1])
    damped = rate * kept
    if plan.triggers_only:
        damped[-1] = rate[-1]
    truth = TrueTreatment(
        session_h=plan.session_h,
        tau_d=plan.tau_d,
        full_dose_ratio=plan.full_dose_ratio,
        triggers_only=plan.triggers_only,
        after_worst_week=plan.after_worst_week,
        mean_ratio=_mean_ratio(rate.sum(axis=0), damped.sum(axis=0), plan.session_h[0]),
    )
    return damped, (untouched if plan.triggers_only else kept), truth


def _mean_ratio(without: FloatArray, with_treatment: FloatArray, first_session_h: float) -> float:
    first_day = int(first_session_h // 24)
    before = without.reshape(-1, BINS_PER_DAY).sum(axis=1)[first_day:]
    after = with_treatment.reshape(-1, BINS_PER_DAY).sum(axis=1)[first_day:]
    return float((after / before).mean())


def _fever_rate(awake: BoolArray, fever_bins: slice) -> FloatArray:
    feverish = np.zeros(awake.size)
    feverish[fever_bins] = awake[fever_bins]
    return np.asarray(FEVER_EPISODES * feverish / feverish.sum(), dtype=float)

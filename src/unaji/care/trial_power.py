"""Can a trial of this length tell? Its chances, by simulating people to whom it happens as assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unaji.care.trial import TrialPlan
from unaji.care.trial_effect import Better, TrialVerdict, mean_difference, rate_ratio, verdict_of
from unaji.records.timeline import FloatArray

PER_DAY = 0.7
"""Episodes a day taken where nothing is known of the person."""
SPREAD_SHAPE = 2.0
"""Shape of the gamma distribution of the days' own levels: good and bad days by a factor of about two."""
RATING_SD, RATING_AUTOCORRELATION = 1.5, 0.4
"""Spread of a daily 0–10 rating [points], and its correlation from one day to the next, where nothing is known."""
ASSUMED_REDUCTION, ASSUMED_POINTS = 0.5, 1.5
"""True effect that is looked for where none is named: a share of the episodes, or points of a rating."""
LOGGED_SHARE = 0.9
"""Share of the days on which what is needed is written down."""
N_SIMULATED = 400
ENOUGH = 0.8
"""A trial with at least this chance to tell is called long enough; below half of it, it can hardly tell."""
LARGEST_SEARCHED = 120


@dataclass(frozen=True, slots=True)
class Assumed:
    """What the simulated people are like.

    Attributes
    ----------
    per_day : float
        Episodes on a usual day.
    spread_shape : float
        Of the gamma distribution, mean 1, by which days are better or worse than others.
    rating_sd : float
        Standard deviation of a day's rating [points].
    autocorrelation : float
        Correlation of a day's rating with the next day's.
    """

    per_day: float = PER_DAY
    spread_shape: float = SPREAD_SHAPE
    rating_sd: float = RATING_SD
    autocorrelation: float = RATING_AUTOCORRELATION


@dataclass(frozen=True, slots=True)
class Power:
    """What to expect of a trial.

    Attributes
    ----------
    effect : float
        The true effect assumed: a share of the episodes avoided, or points of the rating.
    tells : float
        Share of the simulated trials that would say "helps" or "probably helps" if it were so.
    helps : float
        Share that would say "helps".
    misleads : float
        Share that would say either although nothing changes.
    blocks_needed : int or None
        Blocks at which `tells` would reach 0.8; None when not even 120 would do.
    """

    assumed: Assumed
    effect: float
    tells: float
    helps: float
    misleads: float
    blocks_needed: int | None


def power(plan: TrialPlan, effect: float, assumed: Assumed | None = None) -> Power:
    """Say how often a trial like this would find an effect of that size; the same for the same plan.

    Parameters
    ----------
    effect : float
        Share of the episodes avoided (0.5: half of them), or points by which the rating gets better.
    assumed : Assumed, optional
        Where nothing is known: 0.7 episodes a day; ratings with a standard deviation of 1.5 points.
    """
    assumed = assumed or Assumed()
    verdicts = _verdicts(plan, effect, assumed, plan.seed)
    nothing = _verdicts(plan, 0.0, assumed, None)
    tells = _share(verdicts, TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS)
    return Power(
        assumed=assumed,
        effect=effect,
        tells=tells,
        helps=_share(verdicts, TrialVerdict.HELPS),
        misleads=_share(nothing, TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS),
        blocks_needed=plan.blocks if tells >= ENOUGH else _blocks_needed(plan, effect, assumed),
    )


def _blocks_needed(plan: TrialPlan, effect: float, assumed: Assumed) -> int | None:
    """Lengthen the trial by half each time until it would tell."""
    blocks = plan.blocks
    while blocks < LARGEST_SEARCHED:
        blocks = min(LARGEST_SEARCHED, int(np.ceil(1.5 * blocks)))
        longer = _verdicts(replace(plan, blocks=blocks), effect, assumed, None)
        if _share(longer, TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS) >= ENOUGH:
            return blocks
    return None


def _share(verdicts: list[TrialVerdict], *wanted: TrialVerdict) -> float:
    return sum(verdict in wanted for verdict in verdicts) / len(verdicts)


def _verdicts(plan: TrialPlan, effect: float, assumed: Assumed, orders: int | None) -> list[TrialVerdict]:
    """Play the trial; `orders` is the seed of the test by the orders that could have been drawn.

    That test only parts "helps" from "probably helps": where either will do it is left out, since it takes most of the
    time.
    """
    rng = np.random.default_rng(plan.seed)
    one = _one_count if plan.counts else _one_rating
    return [one(plan, effect, assumed, rng, orders) for _ in range(N_SIMULATED)]


def _one_count(
    plan: TrialPlan, effect: float, assumed: Assumed, rng: np.random.Generator, orders: int | None
) -> TrialVerdict:
    shape = (2, plan.blocks, plan.period_days - plan.washout_days)
    logged = rng.random(shape) < LOGGED_SHARE
    level = assumed.per_day * rng.gamma(assumed.spread_shape, 1 / assumed.spread_shape, shape)
    days = logged.sum(axis=2).astype(float)
    mean = (level * logged).sum(axis=2) * np.array([[1 - effect], [1.0]])
    changed, usual = rng.poisson(mean).astype(float)
    return verdict_of(
        rate_ratio(
            changed, usual, *days, minimal=plan.minimal_important, better=plan.better, seed=orders
        )
    )  # fmt: skip


def _one_rating(
    plan: TrialPlan, effect: float, assumed: Assumed, rng: np.random.Generator, orders: int | None
) -> TrialVerdict:
    length = 2 * plan.blocks * plan.period_days
    rating = _autocorrelated(rng, length, assumed.rating_sd, assumed.autocorrelation)
    rating[rng.random(length) >= LOGGED_SHARE] = np.nan
    by_period = rating.reshape(plan.blocks, 2, plan.period_days)[:, :, plan.washout_days :]
    logged = np.isfinite(by_period)
    n = logged.sum(axis=2)
    means = np.where(n > 0, np.where(logged, by_period, 0.0).sum(axis=2) / np.maximum(n, 1), np.nan)
    first = rng.integers(0, 2, plan.blocks)
    rows = np.arange(plan.blocks)
    shift = effect if plan.better is Better.HIGHER else -effect
    changed, usual = means[rows, first] + shift, means[rows, 1 - first]
    return verdict_of(mean_difference(changed, usual, minimal=plan.minimal_important, better=plan.better, seed=orders))


def _autocorrelated(rng: np.random.Generator, length: int, sd: float, correlation: float) -> FloatArray:
    """Daily values with an exponential memory and a stationary spread (first-order autoregression)."""
    noise = rng.normal(0.0, sd * np.sqrt(1 - correlation**2), length)
    noise[0] = rng.normal(0.0, sd)
    for day in range(1, length):
        noise[day] += correlation * noise[day - 1]
    return noise

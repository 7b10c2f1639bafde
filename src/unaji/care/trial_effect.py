"""How large is the difference between the two conditions of a trial, and could chance alone have dealt it?

Every block of a trial holds one period of each condition in random order. All that is asked of the data is asked
within blocks, so that drift, seasons and good and bad weeks cancel as far as the two periods of a block share them; and
since the order was drawn anew in every block, what is left over of one block in the next (autocorrelation) does not
bias the spread of the blocks' differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri, stdtr, stdtrit

from unaji.records.timeline import FloatArray

LEVEL = 0.90
"""Of every interval of a trial."""
EXACT_UP_TO_BLOCKS = 15
"""Up to here all 2^blocks schedules are gone through; beyond, a sample of them."""
N_SAMPLED = 9999
FARTHEST_LOG_RATIO = 12.0
"""Ratios beyond e^±12 are no longer told from 0 and from infinity."""


class Better(StrEnum):
    """Which direction of the outcome is wanted."""

    LOWER = "lower"
    HIGHER = "higher"


class TrialVerdict(StrEnum):
    """What a trial lets one say."""

    HELPS = "helps"
    PROBABLY_HELPS = "probably_helps"
    CANNOT_TELL = "cannot_tell"
    NO_IMPORTANT_EFFECT = "probably_no_important_effect"
    HARMS = "harms"


@dataclass(frozen=True, slots=True)
class Effect:
    """The difference between the changed condition and the usual one.

    Attributes
    ----------
    estimate, low, high : float
        Ratio of rates (changed over usual) for counts, difference of means (changed minus usual) for ratings, with the
        ends of the 90 % interval; NaN with fewer than two blocks that can be compared.
    p_better : float
        Probability of any effect in the wanted direction.
    p_important : float
        Probability that it is at least the minimal important difference, in the wanted direction.
    p_negligible : float
        Probability that it is smaller than the minimal important difference, whichever way.
    dispersion : float
        Spread of the blocks over what a Poisson process would give; NaN for ratings.
    n_blocks : int
        Blocks that could be compared.
    randomisation_p : float
        Share of the possible schedules, two-sided, that would have shown a difference at least as large; NaN where the
        conditions were not dealt by chance (as treated).

    Notes
    -----
    The probabilities are those of the confidence distribution (a flat prior): nothing from other people is used.
    """

    estimate: float
    low: float
    high: float
    p_better: float
    p_important: float
    p_negligible: float
    dispersion: float
    n_blocks: int
    randomisation_p: float


# -- ratings -----------------------------------------------------------------------------------------------------------


def mean_difference(
    changed: FloatArray, usual: FloatArray, *, minimal: float, better: Better, seed: int | None
) -> Effect:
    """Difference of the means of a rating, from one pair of means a block.

    Parameters
    ----------
    changed, usual : ndarray, shape (n_blocks,)
        Mean of the rating in each block's period of that condition; NaN where nothing was logged.
    minimal : float
        Minimal important difference, in points, above 0.
    seed : int or None
        Of the sampled schedules; None where the conditions were not dealt by chance.

    Returns
    -------
    Effect
        The mean of the blocks' differences with Student's interval on n_blocks − 1 degrees of freedom.

    References
    ----------
    Student, "The probable error of a mean", Biometrika, 1908. doi:10.1093/biomet/6.1.1
    Senn, "Sample size considerations for n-of-1 trials", Stat Methods Med Res, 2019. doi:10.1177/0962280217726801
    """
    difference = (changed - usual)[np.isfinite(changed) & np.isfinite(usual)]
    n = difference.size
    if n < 2:
        return _nothing(n)
    estimate = float(difference.mean())
    error = float(difference.std(ddof=1)) / np.sqrt(n)

    def below(limit: float) -> float:
        if error == 0:
            return float(estimate < limit) if estimate != limit else 0.5
        return float(stdtr(n - 1, (limit - estimate) / error))

    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * error
    p_better, p_important, p_negligible = _probabilities(below, 0.0, -minimal, minimal, better)
    p = float("nan") if seed is None else randomisation_p(difference, seed)
    return Effect(
        estimate, estimate - reach, estimate + reach, p_better, p_important, p_negligible, float("nan"), n, p
    )  # fmt: skip


# -- counts ------------------------------------------------------------------------------------------------------------


def rate_ratio(
    changed: FloatArray,
    usual: FloatArray,
    changed_h: FloatArray,
    usual_h: FloatArray,
    *,
    minimal: float,
    better: Better,
    seed: int | None,
    level: float = LEVEL,
) -> Effect:
    """Ratio of two rates from one pair of counts a block, the blocks' own levels being conditioned out.

    Parameters
    ----------
    changed, usual : ndarray, shape (n_blocks,)
        Episodes in each block's period of that condition.
    changed_h, usual_h : ndarray, shape (n_blocks,)
        Observed time of the same [h]; blocks with none in either period are left out.
    minimal : float
        Minimal important reduction, as a share (0.3 is 30 % fewer), between 0 and 1.

    Returns
    -------
    Effect
        0 or infinity where all episodes fell into one condition; NaN where there was none.

    Notes
    -----
    Given the n_b episodes of a block, those of the changed period are binomial with logit p_b = θ + log(T_c/T_u), θ the
    log ratio. Conditionally on n_b the score is U(θ) = Σ (y_b − n_b p_b(θ)), its variance V(θ) = Σ n_b p_b (1 − p_b)
    times the dispersion φ = Σ (y_b − n_b p_b)² / (n_b p_b (1 − p_b)) / (n_blocks − 1) at the estimate, never below 1.
    The interval holds every θ with |U| ≤ q √(φ V); q is Student's where φ > 1 had to be estimated, else the normal's.
    With φ = 1 and equal times it is Wilson's interval of the share that fell into the changed periods.

    References
    ----------
    Wilson, "Probable inference", J Am Stat Assoc, 1927. doi:10.1080/01621459.1927.10502953
    McCullagh and Nelder, "Generalized Linear Models", 1989, 4.5 (dispersion) and 7.2 (conditioning).
    """
    both = (changed_h > 0) & (usual_h > 0)
    told = both & (changed + usual > 0)
    y, n = changed[told], (changed + usual)[told]
    offset = np.log(changed_h[told] / usual_h[told])
    if int(both.sum()) < 2 or n.size == 0:
        return _nothing(int(both.sum()))
    estimate, dispersion = _estimate(y, n, offset)
    degrees = n.size - 1

    def standing(theta: float) -> float:
        score, variance, _ = _score(theta, y, n, offset)
        return float(score / np.sqrt(max(dispersion, 1.0) * variance))

    def below(ratio: float) -> float:
        place = -standing(np.log(ratio))
        return float(stdtr(degrees, place) if dispersion > 1 else ndtr(place))

    reach = float(stdtrit(degrees, (1 + level) / 2) if dispersion > 1 else ndtri((1 + level) / 2))
    low, high = _where(standing, reach), _where(standing, -reach)
    probabilities = _probabilities(below, 1.0, 1 - minimal, 1 / (1 - minimal), better)
    p = float("nan") if seed is None else randomisation_p(_score(0.0, y, n, offset)[2], seed)
    return Effect(_ratio(estimate), _ratio(low), _ratio(high), *probabilities, dispersion, int(both.sum()), p)


def _score(theta: float, y: FloatArray, n: FloatArray, offset: FloatArray) -> tuple[float, float, FloatArray]:
    """Score of the log ratio, its binomial variance, and each block's part of the score."""
    p = expit(theta + offset)
    part = y - n * p
    return float(part.sum()), float((n * p * (1 - p)).sum()), part


def _estimate(y: FloatArray, n: FloatArray, offset: FloatArray) -> tuple[float, float]:
    """Log ratio at which the score is 0, and the dispersion there (1 where it cannot be estimated)."""
    if y.sum() in (0, n.sum()):
        return (-np.inf if y.sum() == 0 else np.inf), 1.0
    theta = _where(lambda value: _score(value, y, n, offset)[0], 0.0)
    p = expit(theta + offset)
    if n.size < 2:
        return theta, 1.0
    return theta, float(((y - n * p) ** 2 / (n * p * (1 - p))).sum() / (n.size - 1))


def _where(falling: Callable[[float], float], target: float) -> float:
    """Log ratio at which a falling function meets `target`; ±12 when it does so nowhere nearer."""
    low, high = -FARTHEST_LOG_RATIO, FARTHEST_LOG_RATIO
    if falling(low) <= target:
        return low
    if falling(high) >= target:
        return high
    return float(brentq(lambda value: falling(value) - target, low, high, xtol=1e-9))


def _ratio(log_ratio: float) -> float:
    if abs(log_ratio) > FARTHEST_LOG_RATIO - 0.01:
        return 0.0 if log_ratio < 0 else float("inf")
    return float(np.exp(log_ratio))


# -- chance ------------------------------------------------------------------------------------------------------------


def randomisation_p(difference: FloatArray, seed: int) -> float:
    """Share of the possible orders within blocks under which the summed difference would be at least as large.

    Parameters
    ----------
    difference : ndarray, shape (n_blocks,)
        What each block adds to the statistic; with the other order of its two periods it adds the same with the sign
        reversed, were there no effect.
    seed : int
        Of the sample that is drawn when there are more than 15 blocks.

    Returns
    -------
    float
        Two-sided p. All 2^n_blocks orders are gone through up to 15 blocks; beyond, 9,999 are drawn and the true one is
        counted among them.

    References
    ----------
    Fisher, "The Design of Experiments", 1935, § 21.
    Edgington and Onghena, "Randomization Tests", 4th ed., 2007.
    """
    n = difference.size
    signs = _all_signs(n) if n <= EXACT_UP_TO_BLOCKS else _some_signs(n, seed)
    sums = np.abs(signs @ difference)
    observed = abs(float(difference.sum()))
    return float((sums >= observed - 1e-9 * max(1.0, observed)).mean())


@cache
def _all_signs(n: int) -> FloatArray:
    orders = np.arange(2**n)[:, None] >> np.arange(n)
    return np.asarray(1.0 - 2.0 * (orders & 1))


@lru_cache(maxsize=16)  # of some megabytes each: a server must not keep those of every trial it ever read
def _some_signs(n: int, seed: int) -> FloatArray:
    drawn = np.random.default_rng(seed).choice([-1.0, 1.0], (N_SAMPLED, n))
    return np.concatenate([np.ones((1, n)), drawn])


# -- what it means -----------------------------------------------------------------------------------------------------


def verdict_of(effect: Effect) -> TrialVerdict:
    """Say in one word what an effect allows to say.

    *Helps* needs the whole 90 % interval on the good side, a randomisation p of at most 0.10, and better than even odds
    that the effect matters; *probably helps* a probability of 0.90 of any good effect; *harms* the whole interval on
    the bad side, whatever chance says; *probably no important effect* a probability of 0.90 that it is smaller than
    the minimal important difference either way.
    """
    if not np.isfinite(effect.p_better):
        return TrialVerdict.CANNOT_TELL
    if effect.p_negligible >= 0.90:
        return TrialVerdict.NO_IMPORTANT_EFFECT
    if effect.p_better >= 0.95 and effect.p_important >= 0.5 and effect.randomisation_p <= 0.10:
        return TrialVerdict.HELPS
    if effect.p_better >= 0.90:
        return TrialVerdict.PROBABLY_HELPS
    return TrialVerdict.HARMS if effect.p_better <= 0.05 else TrialVerdict.CANNOT_TELL


def _probabilities(
    below: Callable[[float], float], none: float, low: float, high: float, better: Better
) -> tuple[float, float, float]:
    """P(better), P(important), P(negligible) from the probability of lying below a limit."""
    negligible = max(0.0, below(high) - below(low))
    if better is Better.LOWER:
        return below(none), below(low), negligible
    return 1 - below(none), 1 - below(high), negligible


def _nothing(n_blocks: int) -> Effect:
    nan = float("nan")
    return Effect(nan, nan, nan, nan, nan, nan, nan, n_blocks, nan)

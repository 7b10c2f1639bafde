from __future__ import annotations

import numpy as np
import pytest

from unaji.care.trial_effect import Better, TrialVerdict, mean_difference, randomisation_p, rate_ratio, verdict_of

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
"""Cross- minus self-fertilised maize, eighths of an inch: Darwin 1876, as in Fisher 1935."""
SLEEP = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
"""Hours of sleep gained by the second drug over the first: Student 1908."""


def test_the_randomisation_test_of_darwins_maize_is_fishers():
    # Fisher, The Design of Experiments, § 21: 1,726 of the 32,768 arrangements go as far, 5.267 %.
    assert randomisation_p(DARWIN, seed=0) == pytest.approx(1726 / 32768)


def test_a_sampled_randomisation_test_comes_close_to_the_exact_one():
    many = np.concatenate([DARWIN, np.zeros(10)])  # blocks without a difference change nothing
    assert randomisation_p(many, seed=3) == pytest.approx(0.05267, abs=0.01)
    assert randomisation_p(many, seed=3) == randomisation_p(many, seed=3)


def test_the_mean_difference_of_students_sleep_data():
    # R's t.test on it: 1.58, 95 % interval 0.7001142 to 2.4598858, p 0.002833; to 90 % by t(9): 1.833113 / 2.262157.
    reach = (2.4598858 - 0.7001142) / 2 * 1.833113 / 2.262157
    effect = mean_difference(SLEEP + 3, np.full(10, 3.0), minimal=1.0, better=Better.HIGHER, seed=0)
    assert effect.estimate == pytest.approx(1.58)
    assert (effect.low, effect.high) == pytest.approx((1.58 - reach, 1.58 + reach), abs=1e-5)
    assert 1 - effect.p_better == pytest.approx(0.002833 / 2, abs=1e-6)
    assert effect.n_blocks == 10


@pytest.mark.parametrize(
    ("y", "n", "low", "high"),
    # Newcombe 1998, Table I, method 3 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E)
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_without_extra_spread_the_ratio_is_wilsons_interval(y, n, low, high):
    share = y / n
    # Many blocks with the very same share, so that the blocks spread less than chance would make them.
    changed, both = np.full(4, share * n / 4), np.full(4, n / 4)
    effect = rate_ratio(
        changed, both - changed, np.full(4, 100.0), np.full(4, 100.0),
        minimal=0.3, better=Better.LOWER, seed=None, level=0.95,
    )  # fmt: skip
    assert effect.estimate == pytest.approx(share / (1 - share))
    assert effect.low / (1 + effect.low) == pytest.approx(low, abs=6e-5)
    assert effect.high / (1 + effect.high) == pytest.approx(high, abs=6e-5)


def test_observed_time_counts_not_days():
    twice = rate_ratio(
        np.array([4.0, 6.0]), np.array([2.0, 3.0]), np.array([20.0, 20.0]), np.array([10.0, 10.0]),
        minimal=0.3, better=Better.LOWER, seed=0,
    )  # fmt: skip
    assert twice.estimate == pytest.approx(1.0)


def test_turning_the_conditions_around_turns_the_effect_around():
    a, b, h = np.array([3.0, 5, 2, 4, 6]), np.array([1.0, 2, 2, 1, 3]), np.full(5, 16.0)
    forth = rate_ratio(b, a, h, h, minimal=0.3, better=Better.LOWER, seed=0)
    back = rate_ratio(a, b, h, h, minimal=0.3, better=Better.HIGHER, seed=0)
    assert back.estimate == pytest.approx(1 / forth.estimate)
    assert back.low == pytest.approx(1 / forth.high)
    assert back.p_better == pytest.approx(forth.p_better)
    assert back.p_important == pytest.approx(forth.p_important)
    assert back.randomisation_p == forth.randomisation_p


def test_nothing_to_compare_gives_no_number_and_no_verdict():
    none = rate_ratio(
        np.zeros(4), np.zeros(4), np.full(4, 9.0), np.full(4, 9.0), minimal=0.3, better=Better.LOWER, seed=0
    )
    assert np.isnan(none.estimate)
    assert verdict_of(none) is TrialVerdict.CANNOT_TELL
    one = mean_difference(np.array([3.0, np.nan]), np.array([2.0, 2.0]), minimal=1, better=Better.LOWER, seed=0)
    assert np.isnan(one.low)
    assert one.n_blocks == 1


def test_all_episodes_on_one_side_leave_a_finite_upper_bound():
    effect = rate_ratio(
        np.zeros(6), np.full(6, 2.0), np.full(6, 9.0), np.full(6, 9.0), minimal=0.3, better=Better.LOWER, seed=0
    )
    assert effect.estimate == 0
    assert 0 < effect.high < 0.5
    assert verdict_of(effect) is TrialVerdict.HELPS


def test_three_blocks_can_never_say_more_than_probably():
    effect = mean_difference(np.array([1.0, 1.1, 0.9]), np.array([6.0, 6, 6]), minimal=1, better=Better.LOWER, seed=0)
    assert effect.randomisation_p == pytest.approx(2 / 8)
    assert verdict_of(effect) is TrialVerdict.PROBABLY_HELPS


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (-2.0, TrialVerdict.HELPS),
        (2.0, TrialVerdict.HARMS),
        (0.0, TrialVerdict.NO_IMPORTANT_EFFECT),
    ],
)
def test_the_verdict_follows_a_clear_effect(difference, verdict):
    noise = np.array([0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.1, -0.1])
    effect = mean_difference(5 + difference + noise, np.full(8, 5.0), minimal=1, better=Better.LOWER, seed=0)
    assert verdict_of(effect) is verdict


def drifting(rng: np.random.Generator, days: int, rho: float, sd: float) -> np.ndarray:
    noise = rng.normal(0, sd * np.sqrt(1 - rho**2), days)
    noise[0] = rng.normal(0, sd)
    for day in range(1, days):
        noise[day] += rho * noise[day - 1]
    return noise


def ratings_trial(rng: np.random.Generator, blocks: int, period: int, rho: float, effect: float):
    """Means of a drifting, autocorrelated rating over randomly ordered periods."""
    days = 2 * blocks * period
    level = 5 + drifting(rng, days, rho, 1.5) + np.linspace(0, -1, days)
    means = level.reshape(blocks, 2, period).mean(axis=2)
    first = rng.integers(0, 2, blocks).astype(bool)
    changed = np.where(first, means[:, 0], means[:, 1]) + effect
    return changed, np.where(first, means[:, 1], means[:, 0])


@pytest.mark.parametrize(("blocks", "period", "rho"), [(14, 1, 0.0), (14, 1, 0.7), (6, 7, 0.6), (4, 7, 0.8)])
def test_intervals_of_ratings_hold_under_autocorrelation_and_drift(blocks, period, rho):
    rng = np.random.default_rng(11)
    held = helps = leans = 0
    for _ in range(1000):
        changed, usual = ratings_trial(rng, blocks, period, rho, effect=0.0)
        effect = mean_difference(changed, usual, minimal=1.0, better=Better.LOWER, seed=0)
        held += effect.low <= 0 <= effect.high
        verdict = verdict_of(effect)
        helps += verdict is TrialVerdict.HELPS
        leans += verdict in (TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS)
    assert 0.87 <= held / 1000 <= 0.93
    assert helps / 1000 <= 0.05 + 0.015
    assert leans / 1000 <= 0.10 + 0.02


def test_the_randomisation_test_of_ratings_keeps_its_level():
    rng = np.random.default_rng(12)
    p = [
        mean_difference(*ratings_trial(rng, 8, 3, 0.7, 0.0), minimal=1.0, better=Better.LOWER, seed=0).randomisation_p
        for _ in range(1000)
    ]
    assert np.mean(np.array(p) <= 0.10) == pytest.approx(0.10, abs=0.025)


def counts_trial(rng: np.random.Generator, blocks: int, per_period: float, shape: float, ratio: float):
    mean = per_period * rng.gamma(shape, 1 / shape, (2, blocks)) * np.linspace(1.4, 0.6, blocks)
    return rng.poisson(mean[0] * ratio).astype(float), rng.poisson(mean[1]).astype(float)


@pytest.mark.parametrize(
    ("blocks", "per_period", "shape", "ratio"),
    [(14, 0.7, 1e6, 1.0), (14, 0.7, 2.0, 0.5), (6, 4.0, 3.0, 1.0), (6, 4.0, 3.0, 0.5), (10, 2.0, 2.0, 1.0)],
)
def test_intervals_of_ratios_hold_under_extra_spread(blocks, per_period, shape, ratio):
    rng = np.random.default_rng(13)
    n = 500
    held = helps = leans = 0
    for _ in range(n):
        changed, usual = counts_trial(rng, blocks, per_period, shape, ratio)
        hours = np.full(blocks, 16.0)
        effect = rate_ratio(changed, usual, hours, hours, minimal=0.3, better=Better.LOWER, seed=0)
        held += not effect.low > ratio and not effect.high < ratio  # no episode at all: NaN, nothing said
        verdict = verdict_of(effect)
        helps += verdict is TrialVerdict.HELPS
        leans += verdict in (TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS)
    assert 0.87 <= held / n <= 0.96
    if ratio == 1.0:
        assert helps / n <= 0.05 + 0.02
        assert leans / n <= 0.10 + 0.03

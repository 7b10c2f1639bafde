"""What would the coming weeks teach?"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.integrate import quad

from unaji.causes import foresight
from unaji.causes._kernels_foresight import draw_onsets, echo_tables, log_likelihoods
from unaji.causes.attribution import Attribution
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.engine import attribute
from unaji.causes.features import echo_on_grid
from unaji.causes.foresight import DAYS, Scenario, can_be_recorded, foresee
from unaji.causes.grid import make_grid
from unaji.records.timeline import Zones

START = datetime(2025, 3, 3, tzinfo=UTC)  # a Monday
ALTERNATE = np.arange(DAYS) % 2 == 0


def _design(weeks: int = 6, *, seed: int = 1, per_day: float = 0.6, share: float = 0.5) -> Design:
    """Two exposures, "coffee" setting off a part of the episodes an hour later, and "work", which does nothing."""
    rng = np.random.default_rng(seed)
    grid = make_grid(START, START + timedelta(weeks=weeks, minutes=-5), Zones())
    coffee, work = np.zeros(grid.n_bins), np.where((grid.local_hour >= 9) & (grid.local_hour < 17), 1.0, 0.0)
    work *= rng.random(grid.n_days)[grid.day] < 0.7
    onsets = []
    for day in range(grid.n_days):
        if rng.random() < 0.5:
            taken = START + timedelta(days=day, hours=float(rng.uniform(8, 18)))
            coffee[int((taken - START) / timedelta(minutes=5))] = 1.0
            if rng.random() < 2 * per_day * share:
                onsets.append(Onset(taken + timedelta(minutes=float(rng.gamma(2, 30)))))
        for _ in range(rng.poisson(per_day * (1 - share))):
            onsets.append(Onset(START + timedelta(days=day, hours=float(rng.uniform(0, 24)))))
    triggers = (
        Trigger("coffee", "dose", coffee, may=("avoid", "seek")),
        Trigger("work", "level", work, may=("avoid",)),
    )
    return Design(grid, triggers, tuple(o for o in onsets if o.time < START + timedelta(weeks=weeks)))


@pytest.fixture(scope="module")
def fitted() -> Attribution:
    return attribute(_design(), seed=3)


# -- the loops ---------------------------------------------------------------------------------------------------------


def test_the_likelihood_is_that_of_poisson_counts_with_a_gamma_multiplier_for_each_day() -> None:
    """One day: the integral over the multiplier u of Π λ u · exp(−u Λ) · Gamma(u; ν, ν), done by quadrature."""
    nu, rate, load = 1.7, np.array([0.02, 0.05, 0.01]), 2.3

    def under(u: float) -> float:
        gamma = nu**nu / math.gamma(nu) * u ** (nu - 1) * math.exp(-nu * u)
        return float(np.prod(rate * u)) * math.exp(-u * load) * gamma

    exact = math.log(quad(under, 0, 60)[0])
    one, none, zero = np.ones((1, 1)), np.zeros((1, 0)), np.zeros(1)
    told = log_likelihoods(
        one, rate[None, :], np.full((1, 1), load), none.astype(bool), none.astype(np.int64), none,
        np.zeros((0, 1, 3)), np.zeros((0, 1, 1)), zero, zero.astype(np.int64), np.zeros((3, 1)), np.zeros((1, 1, 1)),
        one, np.array([nu]), np.array([0, 3]), np.zeros(3, dtype=np.int64), np.array([0, 1, 2]),
    )  # fmt: skip
    assert told[0, 0] == pytest.approx(exact, rel=1e-6)


def test_a_trigger_and_the_echo_of_earlier_onsets_add_to_the_intensity() -> None:
    feature_at, feature_day = np.array([[[0.0, 0.0], [0.3, 0.1]]]), np.array([[[0.0], [0.9]]])
    echo_at, echo_day = np.array([[0.0], [0.2]]), np.array([[[0.5]]])
    told = log_likelihoods(
        np.array([[2.0]]), np.array([[0.01, 0.02]]), np.array([[1.0]]), np.array([[True]]), np.array([[1]]),
        np.array([[4.0]]), feature_at, feature_day, np.array([0.6]), np.array([0]), echo_at, echo_day,
        np.array([[0.8]]), np.array([1e8]), np.array([0, 2]), np.zeros(2, dtype=np.int64), np.array([0, 1]),
    )  # fmt: skip
    rate = 0.8 * np.array([2 * 0.01 + 4 * 0.3, 2 * 0.02 + 4 * 0.1 + 0.6 * 0.2])
    load = 0.8 * (2 * 1.0 + 4 * 0.9 + 0.6 * 0.5)
    assert told[0, 0] == pytest.approx(np.log(rate).sum() - load, abs=1e-5)  # ν → ∞: an ordinary Poisson process


def test_onsets_breed_as_a_branching_process_does() -> None:
    """Hawkes and Oakes (1974): with γ offspring an onset, the mean number is that of immigrants over 1 − γ."""
    n, bins, gamma = 4000, 3000, 0.4
    rate = np.full((n, bins), 1.5 / 2000)
    rate[:, 2000:] = 0.0  # so that nearly all offspring fall inside
    none = np.zeros(bins, dtype=np.int64)
    decay = np.full(n, math.exp(-5 / 90))
    rng = np.random.default_rng(0)
    row, at = draw_onsets(rng, rate, np.ones((n, 1)), none, np.ones(bins, dtype=bool), np.full(n, gamma), decay)
    mean, variance = row.size / n, 1.5 / (1 - gamma) ** 3
    assert abs(mean - 1.5 / (1 - gamma)) < 4 * math.sqrt(variance / n)
    assert (np.diff(row) >= 0).all()
    assert (np.diff(at)[np.diff(row) == 0] > 0).all()


def test_nothing_begins_in_unobserved_time() -> None:
    observed = np.arange(500) % 2 == 0
    rate = np.full((50, 500), 0.05)
    row, at = draw_onsets(
        np.random.default_rng(1), rate, np.ones((50, 1)), np.zeros(500, dtype=np.int64), observed, np.zeros(50),
        np.full(50, 0.9),
    )  # fmt: skip
    assert row.size > 100
    assert observed[at].all()


def test_the_echo_is_the_one_of_the_fit() -> None:
    grid = make_grid(START, START + timedelta(days=3, minutes=-5), Zones())
    at = np.array([100, 130, 131])
    onsets = tuple(Onset(START + timedelta(minutes=5 * int(b))) for b in at)
    tau = 90.0
    row = echo_on_grid(grid, onsets, tau)
    at_onsets, by_day = echo_tables(
        np.zeros(3, dtype=np.int64), at, 1, grid.day, grid.observed, np.array([5 / tau]), np.array([math.exp(-5 / tau)])
    )
    np.testing.assert_allclose(at_onsets[:, 0], row[at], rtol=1e-12)
    np.testing.assert_allclose(by_day[0, 0], np.bincount(grid.day, weights=row), rtol=1e-12)


def test_an_entropy_estimated_from_few_draws_is_right_in_the_mean() -> None:
    rng = np.random.default_rng(2)
    n, p = 60, 0.3
    exact = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    told = foresight._entropy(rng.binomial(n, p, 20_000) / n, float(n))
    assert told.mean() == pytest.approx(exact, abs=0.002)  # without the correction it is 0.012 too small


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_what_is_expected_to_be_believed_is_what_is_believed(fitted: Attribution) -> None:
    """The mean of the probabilities after the weeks is the probability before them, whatever is done."""
    assert fitted.posterior is not None
    n = fitted.posterior.tables.n_background
    before = fitted.posterior.z[:, n:-1].mean(axis=0)
    scenarios = [Scenario("go_on"), Scenario("avoid", "coffee", ALTERNATE), Scenario("seek", "coffee", ALTERNATE)]
    for told in foresee(fitted.posterior, scenarios, np.random.default_rng(4)):
        error = np.sqrt(told.p_after.var(axis=0) / len(told.p_after) + before * (1 - before) / told.effective / 2)
        assert (np.abs(told.p_after.mean(axis=0) - before) < 4 * error).all()


def test_weeks_teach_and_a_trial_teaches_more_where_there_was_no_contrast() -> None:
    """An exposure that is nearly always there says little by itself; on days without it, it does."""
    design = _design(weeks=8, share=0.0, per_day=1.2)
    always = np.where(np.random.default_rng(5).random(design.grid.n_days)[design.grid.day] < 0.97, 1.0, 0.0)
    design = Design(design.grid, (Trigger("scarf", "level", always, may=("avoid",)), design.triggers[1]), design.onsets)
    posterior = attribute(design, seed=1).posterior
    assert posterior is not None
    go_on, avoid = foresee(
        posterior, [Scenario("go_on"), Scenario("avoid", "scarf", ALTERNATE)], np.random.default_rng(6)
    )
    k = avoid.triggers.index("scarf")
    assert avoid.p_after[:, k].std() > 1.5 * go_on.p_after[:, k].std()
    assert avoid.fall.mean() > go_on.fall.mean()


def test_the_same_seed_gives_the_same_numbers(fitted: Attribution) -> None:
    assert fitted.posterior is not None
    one, other = (foresee(fitted.posterior, [Scenario("go_on")], np.random.default_rng(8))[0] for _ in range(2))
    np.testing.assert_array_equal(one.p_after, other.p_after)


def test_an_exposure_that_was_hardly_recorded_can_be_asked_about() -> None:
    design = _design()
    value = design.triggers[1].value.copy()
    value[design.grid.day >= 12] = np.nan
    design = Design(design.grid, (design.triggers[0], Trigger("work", "level", value)), design.onsets)
    attribution = attribute(design, seed=2)
    assert attribution.posterior is not None
    assert "work" not in attribution.posterior.tables.triggers
    assert can_be_recorded(design.triggers[1], design.grid)
    held = attribution.posterior.amplitude.copy()
    go_on, record = foresee(
        attribution.posterior, [Scenario("go_on"), Scenario("record", "work")], np.random.default_rng(9)
    )
    k = record.triggers.index("work")
    assert record.p_after[:, k].std() > 1.5 * go_on.p_after[:, k].std()
    assert record.fall.mean() > go_on.fall.mean()
    np.testing.assert_array_equal(attribution.posterior.amplitude, held)


def test_what_was_never_recorded_cannot_be_played() -> None:
    design = _design()
    nothing = Trigger("work", "level", np.full(design.grid.n_bins, np.nan))
    assert not can_be_recorded(nothing, design.grid)


def test_weeks_to_come_repeat_whole_weeks_and_keep_the_day_of_the_week() -> None:
    for weeks in (1, 3, 6):
        grid = _design(weeks=weeks).grid
        ahead = foresight._Weeks.after(grid)
        assert (grid.day_off[ahead.source[ahead.warm :]] == (np.arange(ahead.day.size) // 288 % 7 >= 5)).all()
        assert (np.bincount(ahead.day) == 288).all()

"""Persons outside the engine's dictionary: each property against the distribution it is said to have."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import lognorm, t, uniform

from unaji.people.observe import gaps, record
from unaji.people.outside import Driver, LagLaw, Outside, heavy_noise, pull, saturating, u_shaped
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.triggers import CANDIDATES
from unaji.people.truth import lognormal_kernel, uniform_kernel
from unaji.people.world import BINS_PER_DAY, live


@pytest.fixture(scope="module")
def outsiders() -> list[SimulatedPerson]:
    return [simulate_person(np.random.default_rng(seed), outside=Outside()) for seed in range(60)]


@pytest.mark.parametrize("mean_min", [20.0, 90.0, 700.0])
def test_the_other_lag_laws_are_scipys(mean_min: float):
    edges = np.arange(4000) * 5.0
    for kernel, law in (
        (lognormal_kernel(mean_min), lognorm(1.0, scale=mean_min * np.exp(-0.5))),
        (uniform_kernel(mean_min), uniform(0.5 * mean_min, mean_min)),
    ):
        assert kernel.sum() == pytest.approx(1)
        expected = np.diff(law.cdf(edges))[: kernel.size]
        assert_allclose(kernel, expected / expected.sum(), atol=1e-12)


def test_half_of_a_saturating_effect_is_at_its_half_dose_and_a_u_has_two_arms():
    assert_allclose(saturating(np.array([0.0, 2.0, 6.0, 1e9]), 2.0), [0, 0.5, 0.75, 1])
    assert_allclose(u_shaped(np.array([-3.0, -1, 0, 1, 3]), 0.0, 2.0), [2, 0, 0, 0, 2])


def test_heavy_noise_has_students_tails_and_the_quartiles_of_the_normal():
    noise = heavy_noise(np.random.default_rng(1), 200_000)
    assert np.quantile(np.abs(noise), 0.5) == pytest.approx(0.6745, abs=0.01)
    factor = 0.6745 / t(2).ppf(0.75)
    assert np.mean(np.abs(noise) > 4) == pytest.approx(2 * t(2).sf(4 / factor), rel=0.05)


def test_gaps_begin_where_the_level_is_high():
    rng = np.random.default_rng(2)
    level = np.sin(2 * np.pi * np.arange(60 * BINS_PER_DAY) / (20 * BINS_PER_DAY))
    off = gaps(rng, level.size, 0.2, pull(level))
    assert off.mean() == pytest.approx(0.2, abs=0.02)
    assert level[off].mean() > 0.3
    assert pull(np.ones(5)).tolist() == [1] * 5


def test_stress_goes_unrated_when_it_is_high():
    plain, kept = [], []
    for seed in range(30):
        world = live(np.random.default_rng(seed), 42)
        plain.append(record(np.random.default_rng(seed), world).stress_rating.mean())
        outside = Outside(lags=False, drivers=False, noise=False)
        kept.append(record(np.random.default_rng(seed), world, outside).stress_rating.mean())
    assert np.mean(kept) < np.mean(plain) - 0.2


def test_an_outsiders_causes_have_other_lags_and_drivers(outsiders: list[SimulatedPerson]):
    laws, drivers = [], []
    for person in outsiders:
        for cause in person.truth.causes:
            low, high = CANDIDATES[cause.id].lag_min
            laws.append(cause.lag_law)
            drivers.append(cause.driver)
            inside = low <= cause.lag_mean_min <= high
            assert inside == (cause.lag_law is not LagLaw.GAMMA)
            assert 1 / 3 * low <= cause.lag_mean_min <= 3 * high
            assert cause.driver is not Driver.EXCESS
            assert cause.driver is Driver.SATURATING or CANDIDATES[cause.id].kind == "level"
    assert all(0.2 < laws.count(law) / len(laws) < 0.47 for law in LagLaw)
    assert min(drivers.count(Driver.SATURATING), drivers.count(Driver.U_SHAPED)) > 0.2 * len(drivers)


def test_an_outsider_lives_the_same_life_with_the_same_causes(outsiders: list[SimulatedPerson]):
    for seed, person in enumerate(outsiders[:10]):
        usual = simulate_person(np.random.default_rng(seed))
        assert [c.id for c in usual.truth.causes] == [c.id for c in person.truth.causes]
        assert usual.truth.target_episodes == person.truth.target_episodes
        assert np.array_equal(usual.world.stress, person.world.stress)
        assert usual.parents != person.parents or not usual.truth.causes


def test_the_oracle_of_an_outsider_is_calibrated_too(outsiders: list[SimulatedPerson]):
    top = [
        (row.max(), person.oracle.sources[int(row.argmax())] == parent)
        for person in outsiders
        for row, parent in zip(person.oracle.at_true, person.parents, strict=True)
    ]
    said, was = np.array(top, dtype=float).T
    assert was.mean() == pytest.approx(said.mean(), abs=4 * np.sqrt((said * (1 - said)).sum()) / said.size)

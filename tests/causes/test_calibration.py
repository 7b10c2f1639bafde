"""Simulation-based calibration of the sampler; benchmarks/attribution/calibration.py draws a thousand data sets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2

from benchmarks.attribution.calibration import (
    Length,
    Setting,
    chi_squared,
    columns,
    draw_episodes,
    draw_truth,
    expecting_less,
    make_setting,
    rank,
    run,
)

SHORT = Length(burn_in=150, thin=10, draws=49)


@pytest.fixture(scope="module")
def setting() -> Setting:
    return make_setting()


@pytest.fixture(scope="module")
def people(setting: Setting) -> list:
    return run(100, 0, SHORT, setting=setting)


def test_true_parameters_rank_anywhere_among_the_draws(people: list):
    found = [chi_squared(ranks, SHORT.draws) for ranks in columns(people).values()]
    assert np.mean(found) < 1.5
    # A right sampler passes this for one quantity 999 times in 1,000.
    assert max(found) < chi2(9).isf(0.001 / len(found)) / 9


def test_what_is_at_work_explains_as_much_as_is_said_given_that_it_is(people: list):
    held = [one for _, by_name in people for name, one in by_name.items() if name.startswith("exposure ")]
    given = [one.given for one in held if one.given is not None]
    assert binom(len(given), 0.9).cdf(sum(given)) > 0.001
    assert binom(len(given), 0.9).sf(sum(given) - 1) > 0.001
    # The interval of all draws includes nothing: it holds for nearly all that is at no work, and for fewer of the rest.
    assert np.mean([one.whole for one in held if not one.at_work]) > np.mean([one.whole for one in held if one.at_work])


def test_a_sampler_that_believes_something_else_is_caught(setting: Setting):
    found = columns(run(60, 0, SHORT, setting=setting, believed=expecting_less(setting, 5.0)))
    assert chi_squared(found["constant amplitude"], SHORT.draws) > 4


def test_equal_draws_share_their_places_evenly():
    rng = np.random.default_rng(0)
    point_mass = np.zeros(49)
    ranks = np.array([rank(point_mass, 0.0, rng) for _ in range(5000)])
    assert chi_squared(ranks, 49) < 2
    assert {rank(point_mass, 1.0, rng), rank(point_mass, -1.0, rng)} == {49, 0}


def test_chi_squared_by_hand():
    # Twenty ranks, all in the first of ten bins: (20 − 2)²/2 + 9 · 2²/2 = 180, over nine.
    assert chi_squared(np.zeros(20, dtype=int), 49) == pytest.approx(20)
    assert chi_squared(np.arange(50), 49) == 0


def test_as_many_episodes_are_drawn_as_the_parameters_say(setting: Setting):
    rng = np.random.default_rng(1)
    expected, drawn = [], []
    while len(drawn) < 200:
        truth = draw_truth(setting, rng)
        if truth.z[-1]:
            continue  # echoes add to what is expected of the rest
        rows = setting.feature[np.arange(truth.z.size - 1), truth.entry[:-1]].reshape(truth.z.size - 1, 20, -1)
        mean = float(truth.weight @ (truth.amplitude[:-1] @ rows.sum(axis=2)))
        if 5 < mean < 100:
            expected.append(mean)
            drawn.append(draw_episodes(setting, truth, rng)[0].sum())
    assert np.sum(drawn) == pytest.approx(np.sum(expected), abs=4 * np.sqrt(np.sum(expected)))

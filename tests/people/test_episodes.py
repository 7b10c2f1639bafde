"""Episodes, the diary of them, and what someone who knows the truth would say of each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unaji.people.episodes import (
    LoggedEpisodes,
    TrueEpisodes,
    _first_of_each_cluster,
    error_density,
    happen,
    oracle,
    write_down,
)
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.triggers import BACKGROUND, ECHO
from unaji.people.truth import Intensity, TrueEcho

FLAT = Intensity((BACKGROUND,), np.full((1, 28 * 288), 0.02), np.ones(28 * 288))


def test_realised_counts_match_expected_counts_by_source(population: list[SimulatedPerson]):
    expected: Counter[str] = Counter()
    realised: Counter[str] = Counter()
    for person in population:
        for i, name in enumerate(person.intensity.sources):
            expected[name] += person.truth.expected[name]
            realised[name] += int((person.true.source == i).sum())
    for name, count in expected.items():
        assert abs(realised[name] - count) < 4 * np.sqrt(count), name


def test_each_episode_has_about_the_stated_number_of_echoes():
    echo = TrueEcho(branching=0.3, mean_delay_h=2.0)
    true = happen(np.random.default_rng(5), FLAT, echo)
    echoes = true.source == 1
    assert echoes.sum() == pytest.approx(0.3 * len(true), rel=0.2)
    assert (true.root == 0).all()
    assert (np.diff(true.hour) >= 0).all()


def test_no_echo_comes_while_asleep_or_where_the_treatment_stops_it(population: list[SimulatedPerson]):
    for person in population:
        echoes = person.true.source == len(person.intensity.sources)
        where = (person.true.hour[echoes] * 12).astype(int)
        assert (person.intensity.echo_kept[where] > 0).all()


def test_logged_onsets_lie_within_half_an_hour_and_a_rounding(population: list[SimulatedPerson]):
    for person in population:
        error_min = (person.logged.hour - person.true.hour[person.logged.of]) * 60
        step = max(person.truth.rounding_min, 1)
        assert (np.abs(error_min) <= 30 + step / 2 + 1e-6).all()
        minutes = person.logged.hour * 60
        assert_allclose(minutes, np.rint(minutes), atol=1e-6)
        inner = minutes < person.world.n_days * 1440 - 1
        assert_allclose(np.rint(minutes[inner]) % step, 0)


def test_the_error_is_the_cut_normal():
    true = happen(np.random.default_rng(7), FLAT, None)
    errors = []
    for seed in range(40):
        logged = write_down(np.random.default_rng(seed), true, np.ones(28, bool), 0, 0.0)
        errors.append((logged.hour - true.hour[logged.of]) * 60)
    error = np.concatenate(errors)
    assert error.std() == pytest.approx(11.5, abs=0.5)  # 12 cut at 2.5 standard deviations: 0.96 of it
    assert np.abs(error).max() <= 30.5


def test_the_density_of_the_error_matches_what_the_diary_does():
    for rounding in (0, 15, 30):
        rng = np.random.default_rng(rounding)
        apart = np.arange(0.37, 28 * 24 - 2, 1.31)
        true = TrueEpisodes(apart, np.zeros(apart.size, int), np.zeros(apart.size, int))
        offsets = []
        for _ in range(30):
            logged = write_down(rng, true, np.ones(28, bool), rounding, 0.0)
            offsets.append((true.hour[logged.of] - logged.hour) * 60)
        edges = np.arange(-45, 46, 5.0)
        found = np.histogram(np.concatenate(offsets), edges)[0]
        density = error_density((edges[1:] + edges[:-1]) / 2, rounding)
        assert_allclose(found / found.sum(), density / density.sum(), atol=0.012)


def test_episodes_logged_within_a_quarter_of_an_hour_are_one_with_the_earlier_onset():
    # 10 is within 15 of 0 and goes; 16 is not within 15 of 0, which was kept; 29 is within 15 of 16; 31 is not.
    assert _first_of_each_cluster(np.array([0.0, 10, 16, 29, 31])).tolist() == [True, False, True, False, True]
    close = TrueEpisodes(np.array([10.0, 10.05, 10.1, 14.0]), np.zeros(4, int), np.zeros(4, int))
    for seed in range(50):
        logged = write_down(np.random.default_rng(seed), close, np.ones(28, bool), 0, 0.0)
        assert (np.diff(logged.hour) >= 0.25 - 1e-9).all()
        assert logged.of[-1] == 3


def test_omissions_and_days_without_a_diary_lose_episodes():
    true = happen(np.random.default_rng(9), FLAT, None)
    none_lost = write_down(np.random.default_rng(1), true, np.ones(28, bool), 0, 0.0)
    some_lost = write_down(np.random.default_rng(1), true, np.ones(28, bool), 0, 0.25)
    assert some_lost.of.size == pytest.approx(0.75 * none_lost.of.size, rel=0.15)
    first_week = np.arange(28) < 7
    assert (true.hour[write_down(np.random.default_rng(1), true, first_week, 0, 0.0).of] < 7 * 24).all()


def test_oracle_rows_sum_to_one(population: list[SimulatedPerson]):
    for person in population:
        for table in (person.oracle.at_true, person.oracle.at_logged):
            assert table.shape == (len(person.onsets), len(person.oracle.sources))
            assert (table >= 0).all()
            assert_allclose(table.sum(axis=1), 1)


def test_the_oracle_is_calibrated(population: list[SimulatedPerson]):
    for name in ("at_true", "at_logged"):
        said, was = [], []
        for person in population:
            table = getattr(person.oracle, name)
            hit = np.array([[source == parent for source in person.oracle.sources] for parent in person.parents])
            said.append(table.ravel())
            was.append(hit.reshape(table.shape).ravel())
        p, y = np.concatenate(said), np.concatenate(was)
        # Bins of equal width; the standard error of each bin's share is its own yardstick.
        for low in np.arange(0, 1, 0.1):
            inside = (p >= low) & (p < low + 0.1)
            error = abs(y[inside].mean() - p[inside].mean())
            assert error < 4 * np.sqrt(np.mean(p[inside] * (1 - p[inside])) / inside.sum()) + 0.01, (name, low)


@pytest.mark.parametrize("generator", ["additive", "log_linear"])
def test_the_parent_is_drawn_as_often_as_the_oracle_of_the_true_onset_says(generator: str):
    """One life, its episodes drawn anew again and again: the stated probability of each source is its frequency."""
    person = simulate_person(np.random.default_rng(5), generator=generator, target_episodes=60)
    rng, said, was = np.random.default_rng(6), [], []
    for _ in range(60):
        true = happen(rng, person.intensity, person.truth.echo)
        known = oracle(person.intensity, person.truth.echo, true, LoggedEpisodes(true.hour, np.arange(len(true))), 0)
        said.append(known.at_true)
        was.append(np.eye(len(known.sources))[true.source])
    p, y = np.concatenate(said), np.concatenate(was)
    assert_allclose(p.sum(axis=1), 1)
    error = np.sqrt((p * (1 - p)).sum(axis=0))
    assert (np.abs(p.sum(axis=0) - y.sum(axis=0)) < 4 * error + 1e-9).all()
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        spread = np.sqrt((p[inside] * (1 - p[inside])).sum())
        assert abs(p[inside].sum() - y[inside].sum()) < 4 * spread + 1, low


def test_the_oracle_says_each_source_as_often_as_it_is_the_parent(population: list[SimulatedPerson]):
    said: Counter[str] = Counter()
    was: Counter[str] = Counter()
    for person in population:
        for source, total in zip(person.oracle.sources, person.oracle.at_logged.sum(axis=0), strict=True):
            said[source] += total
        was.update(person.parents)
    for source in said:
        assert abs(said[source] - was[source]) < 4 * np.sqrt(was[source]) + 5, source


def test_the_oracle_of_two_known_rates_is_their_ratio():
    rate = np.zeros((2, 28 * 288))
    rate[0], rate[1, 3000:] = 0.02, 0.06
    intensity = Intensity(("caffeine", BACKGROUND), rate, np.ones(28 * 288))
    hours = np.array([100.02, 300.02])
    true = TrueEpisodes(hours, np.zeros(2, int), np.zeros(2, int))
    result = oracle(intensity, None, true, LoggedEpisodes(hours, np.arange(2)), 0)
    assert result.sources == ("caffeine", BACKGROUND, ECHO)
    assert_allclose(result.at_true, [[1, 0, 0], [0.25, 0.75, 0]])
    assert_allclose(result.at_logged, result.at_true)


def test_the_oracle_of_an_echo_is_its_decaying_rate():
    echo = TrueEcho(branching=0.4, mean_delay_h=2.0)
    hours = np.array([50.01, 51.01])
    true = TrueEpisodes(hours, np.array([0, 1]), np.zeros(2, int))
    result = oracle(FLAT, echo, true, LoggedEpisodes(hours, np.arange(2)), 0)
    a_bin = 0.4 / 2 * np.exp(-1 / 2) / 12
    assert_allclose(result.at_true, [[1, 0], [0.02 / (0.02 + a_bin), a_bin / (0.02 + a_bin)]])

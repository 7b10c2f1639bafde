"""Pooling: the update by hand, what a cohort does for a weak person, interruption, and several processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes import engine
from unaji.causes.attribution import CauseResult, Estimate, SignalState, Verdict
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.features import build_tables
from unaji.causes.grid import make_grid, with_observed
from unaji.cohort.pool import PersonFit, learn, pool, with_priors
from unaji.cohort.workers import hire
from unaji.records.timeline import Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
NOTHING = Estimate(0.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def shorter_chains(monkeypatch):
    for name, sweeps in (("SWEEPS", 1000), ("BURN_IN", 500), ("RERUN_SWEEPS", 1000)):
        monkeypatch.setattr(engine, name, sweeps)


def person(seed: int, caused: int, others: int = 6, days: int = 28) -> Design:
    """`caused` episodes about an hour after a dose of tea, as many doses again without; coffee means nothing."""
    rng = np.random.default_rng(seed)
    whole = make_grid(START, START + timedelta(days=days - 0.1), Zones(("Asia/Tokyo",)))
    grid = with_observed(whole, (whole.local_hour >= 7) & (whole.local_hour < 23))
    awake = np.flatnonzero(grid.observed)
    drunk = rng.choice(awake[:-40], 2 * max(caused, 6), replace=False)
    tea, coffee = np.zeros(grid.n_bins), np.zeros(grid.n_bins)
    tea[drunk] = 1.0
    coffee[rng.choice(awake, 20, replace=False)] = 1.0
    bins = np.concatenate([drunk[:caused] + rng.integers(6, 18, caused), rng.choice(awake, others, replace=False)])
    onsets = tuple(Onset(START + timedelta(minutes=5 * int(b) + 2)) for b in np.unique(bins) if b < grid.n_bins)
    return Design(grid, (Trigger("tea", "dose", tea), Trigger("coffee", "dose", coffee)), onsets)


def found(name: str, p: float, entry_p: tuple[float, ...], **other) -> CauseResult:
    return CauseResult(
        name, SignalState.OK, Verdict.OPEN, p, 0.0, NOTHING, NOTHING, NOTHING, NOTHING, None, None, "any", 0.5, 0.0,
        0.0, entry_p=entry_p, **other,
    )  # fmt: skip


@pytest.fixture(scope="module")
def three():
    return {name: person(seed, 3) for seed, name in enumerate("abc")}


def fits(*p: float) -> dict[str, PersonFit]:
    return {
        name: PersonFit(name, 9, (found("tea", one, (one, 0.0, 0.0, 0.0, 0.0)),), 0)
        for name, one in zip("abc", p, strict=False)
    }


def test_the_prior_is_the_sum_of_probabilities_and_one_and_a_half_over_persons_and_ten(three):
    # (0.9 + 0.5 + 0.1 + 1.5) / (3 + 10) by hand
    prior = learn(three, fits(0.9, 0.5, 0.1))["tea"]
    assert prior.probability == pytest.approx(3.0 / 13)
    assert prior.persons == 3


def test_the_lag_prior_is_the_general_one_weighing_ten_and_what_was_found(three):
    prior = learn(three, fits(0.9, 0.5, 0.1))["tea"]
    # Window of a mean lag in 5 to 1440 min by hand: exp(−½ ln²(m / √(5·1440))).
    window = np.array([np.exp(-0.5 * np.log(m / np.sqrt(7200)) ** 2) for m in (15, 60, 180, 480, 1440)])
    expected = 10 * window / window.sum() + np.array([1.5, 0, 0, 0, 0])
    assert prior.lag_weight == pytest.approx(expected / 11.5)


def test_the_prior_stays_within_its_bounds():
    crowd = {str(n): person(0, 1) for n in range(60)}
    for p, bound in ((1.0, 0.8), (0.0, 0.01)):
        sure = {name: PersonFit(name, 9, (found("tea", p, (p, 0, 0, 0, 0)),), 0) for name in crowd}
        many = {f"{name}.{again}": fit for name, fit in sure.items() for again in range(3)}
        people = {name: crowd[name.split(".")[0]] for name in many}
        assert learn(people, many)["tea"].probability == bound


def test_who_could_not_be_fitted_or_was_told_apart_says_nothing(three):
    told = fits(0.9, 0.5, 0.1)
    told["b"] = PersonFit("b", 9, (found("tea", 0.5, (), alias_of=None),), 0)
    told["c"] = PersonFit("c", 9, (found("tea", 0.1, (0.1, 0, 0, 0, 0), told_apart=True),), 0)
    prior = learn(three, told)["tea"]
    assert (prior.persons, prior.probability) == (1, pytest.approx(2.4 / 11))


def test_the_engine_takes_the_priors_and_says_so(three):
    priors = learn(three, fits(0.9, 0.5, 0.1))
    design = with_priors(three, priors)["a"]
    tables = build_tables(design)
    c = tables.n_background + tables.triggers.index("tea")
    assert tables.prior == (priors["tea"].probability, 0.15)
    assert np.exp(tables.log_prior[c]) == pytest.approx(priors["tea"].lag_weight)
    assert engine.attribute(design).checks["cohort_persons"] == 3
    assert engine.attribute(three["a"]).checks["cohort_persons"] == 0


def test_wrong_lag_weights_are_refused(three):
    trigger = replace(three["a"].triggers[0], lag_weight=(0.5, 0.5))
    with pytest.raises(ValueError, match="tea: lag_weight must be 5 numbers above 0"):
        build_tables(replace(three["a"], triggers=(trigger,)))


def test_a_weak_person_learns_from_strong_ones():
    people = {f"strong{n}": person(n, 24) for n in range(5)} | {"weak": person(40, 2, others=8)}
    pooled = pool(people, seed=1, rounds=2)
    tea, coffee = ({p.id: p for p in pooled.priors}[name] for name in ("tea", "coffee"))
    assert tea.probability > 0.3
    assert coffee.probability < 0.15
    before, after = ({c.id: c.p_cause for c in fit[-1].causes}["tea"] for fit in (pooled.alone, pooled.together))
    assert after > before + 0.05
    assert (pooled.rounds, pooled.stopped) == (2, False)
    assert {fit.cohort_persons for fit in pooled.alone} == {0}
    assert {fit.cohort_persons for fit in pooled.together} == {6}


def test_entries_sum_to_the_probability(three):
    cause = engine.attribute(three["a"]).causes[0]
    assert sum(cause.entry_p) == pytest.approx(cause.p_cause)


@pytest.mark.parametrize(
    ("after", "rounds", "unfinished", "learnt_from"),
    [(2, 0, ("c",), [0, 0]), (3, 0, (), [0, 0, 0]), (4, 1, ("b", "c"), [3, 0, 0])],
)
def test_an_interruption_keeps_who_is_finished(three, after, rounds, unfinished, learnt_from):
    def stop(share: float) -> None:
        if round(share * 12) == after:
            raise KeyboardInterrupt

    pooled = pool(three, progress=stop)
    assert pooled.stopped
    assert (pooled.rounds, pooled.unfinished) == (rounds, unfinished)
    assert [fit.cohort_persons for fit in pooled.together] == learnt_from


def test_several_processes_give_the_same(three):
    with hire(2) as workers:
        assert pool(three, rounds=1, workers=workers) == pool(three, rounds=1)


def test_one_kind_of_trigger_for_all(three):
    odd = replace(three["b"], triggers=(replace(three["b"].triggers[0], kind="level"),))
    with pytest.raises(ValueError, match="b: tea is a level, in others a dose"):
        pool({"a": three["a"], "b": odd})

"""What is proposed for the coming four weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from unaji.care import next_observation
from unaji.care.next_observation import NextObservation, next_observations
from unaji.care.trial import NEVER_CHANGED, NEVER_SOUGHT, Strata, deal
from unaji.causes.attribution import Attribution
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.engine import attribute
from unaji.causes.grid import make_grid
from unaji.claims.graph import load_claims
from unaji.records.timeline import Zones

START = datetime(2025, 3, 3, tzinfo=UTC)


def _design(name: str, may: tuple[str, ...]) -> Design:
    """Four weeks, a thing that is there on most days, and episodes on those days only: it may be the cause."""
    rng = np.random.default_rng(11)
    grid = make_grid(START, START + timedelta(weeks=4, minutes=-5), Zones())
    there = rng.random(grid.n_days) < 0.85
    hours = rng.uniform(9, 20, grid.n_days)
    days = np.flatnonzero(there & (rng.random(grid.n_days) < 0.6))
    onsets = tuple(Onset(START + timedelta(days=int(d), hours=float(hours[d]))) for d in days)
    return Design(grid, (Trigger(name, "level", there[grid.day].astype(float), prior=0.5, may=may),), onsets)


@pytest.fixture(scope="module")
def scarf() -> tuple[Design, Attribution]:
    design = _design("scarf", ("avoid", "seek"))
    return design, attribute(design, seed=1)


def test_all_that_may_be_done_is_ranked_beside_going_on(scarf: tuple[Design, Attribution]) -> None:
    told = next_observations(*scarf, Zones(), seed=7)
    assert {(one.do, one.id) for one in told} == {("go_on", ""), ("avoid", "scarf"), ("seek", "scarf")}
    assert all(0 <= one.settles <= 1 for one in told if one.settles is not None)
    assert [one.bits for one in told] == sorted((one.bits for one in told), reverse=True)
    going_on = next(one for one in told if one.do == "go_on")
    assert (going_on.more_bits, going_on.days, going_on.worth_it) == (0.0, (), False)


def test_its_days_are_those_of_a_trial_with_the_same_seed(scarf: tuple[Design, Attribution]) -> None:
    avoid = next(one for one in next_observations(*scarf, Zones(), seed=7) if one.do == "avoid")
    periods = deal(date(2025, 3, 31), 1, 14, Strata.WEEKDAY_WEEKEND, 7)
    assert avoid.first_day == date(2025, 3, 31)
    assert avoid.days == tuple(sorted(p.first for p in periods if p.changed))
    assert len(avoid.days) == 14


def test_more_of_what_harms_is_never_proposed_and_a_medicine_is_left_alone() -> None:
    for name in (*NEVER_SOUGHT, *NEVER_CHANGED):
        design = _design(name, ("avoid", "seek"))
        told = next_observations(design, attribute(design, seed=1), Zones(), seed=7)
        assert {one.do for one in told} == (set() if name in NEVER_CHANGED else {"go_on", "avoid"})


def test_the_articles_claims_ask_for_nothing_that_harms() -> None:
    for cause in load_claims("neck_heat").causes:
        if "seek" in cause.experiment:
            assert not set(cause.exposure_kinds) & set(NEVER_SOUGHT)
        if cause.experiment:
            assert not set(cause.exposure_kinds) & set(NEVER_CHANGED)


def test_with_few_episodes_or_no_free_time_nothing_is_proposed(scarf: tuple[Design, Attribution]) -> None:
    design, attribution = scarf
    assert next_observations(design, replace(attribution, n_episodes=4), Zones(), seed=0) == ()
    full = replace(attribution, checks=attribution.checks | {"near_onset_share": 0.9})
    assert next_observations(design, full, Zones(), seed=0) == ()
    assert next_observations(design, replace(attribution, posterior=None), Zones(), seed=0) == ()


def test_only_what_surely_teaches_more_is_worth_the_trouble() -> None:
    one = NextObservation("avoid", "x", 0.5, 0.1, 0.2, 0.05, 0.4, 0.2, (), date(2025, 1, 1), 0)
    assert one.worth_it
    assert not replace(one, more_bits=0.2, more_bits_mcse=0.11).worth_it
    assert not replace(one, more_bits=next_observation.LEAST_BITS).worth_it

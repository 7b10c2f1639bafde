"""Expected weeks against the distributions they must have, and the band against people whose sessions do nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from benchmarks.attribution.weeks import Held, held, said
from unaji.care.weeks import DAYS, expected_weeks
from unaji.causes import engine
from unaji.causes.design import Design, Onset, Trigger, courses_of
from unaji.causes.engine import attribute
from unaji.causes.grid import make_grid, with_observed
from unaji.causes.posterior import Posterior
from unaji.records.timeline import Interval, Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)  # midnight in Tokyo
N_WEEKS = 6
PERIOD = Interval(START, START + timedelta(days=DAYS * N_WEEKS))
GAP_DAYS = range(2 * DAYS, 3 * DAYS)
"""The third week has no record."""
SESSION_DAY = 29
"""In the fifth week."""


def at(day: float) -> datetime:
    return START + timedelta(days=day)


@pytest.fixture(autouse=True, scope="module")
def shorter_chains():
    """A quarter of the sweeps: enough for what is asked here."""
    with pytest.MonkeyPatch.context() as patch:
        for name, sweeps in (("SWEEPS", 1000), ("BURN_IN", 500), ("RERUN_SWEEPS", 1000)):
            patch.setattr(engine, name, sweeps)
        yield


@pytest.fixture(scope="module")
def fitted() -> Posterior:
    """A person with sessions and a protector, fitted in a hurry: the tests put parameters of their own in."""
    whole = make_grid(at(-2), at(DAYS * N_WEEKS - 0.01), Zones(("Asia/Tokyo",)))
    day = whole.day - 2
    awake = (whole.local_hour >= 7) & (whole.local_hour < 23)
    grid = with_observed(whole, awake & (day >= 0) & ~np.isin(day, GAP_DAYS))
    onsets = tuple(Onset(at(d + 0.5)) for d in range(0, DAYS * N_WEEKS, 2) if d not in GAP_DAYS)
    calm = Trigger("calm", "protector", np.where(day % 2 == 0, 1.0, 0.0))
    courses = courses_of([("acupuncture", at(SESSION_DAY + 0.4)), ("massage", at(36.4))])
    found = attribute(Design(grid, (calm,), onsets, courses), seed=1).posterior
    assert found is not None
    assert [one.id for one in found.dampers] == ["acupuncture", "massage", "calm"]
    return found


def known(fitted: Posterior, *, mean_a_day: float, nu: float, delta: tuple[float, ...] = (0, 0, 0)) -> Posterior:
    """Put parameters in that are known for sure: a constant background, and so much of each damper."""
    n, components = 20_000, fitted.z.shape[1]
    z = np.zeros((n, components), dtype=bool)
    z[:, 0] = True
    recorded_days = DAYS * (N_WEEKS - 1)
    amplitude = np.where(z, mean_a_day * recorded_days, 0.0)
    return replace(
        fitted,
        z=z,
        entry=np.zeros((n, components), dtype=np.int64),
        amplitude=amplitude,
        delta=np.tile(np.array(delta, dtype=float), (n, 1)),
        tau=np.zeros((n, len(delta)), dtype=np.int64),
        nu=np.full(n, nu),
    )


def weeks(posterior: Posterior):
    return expected_weeks(posterior, PERIOD, np.random.default_rng(2))


def test_a_week_without_record_is_left_out_and_the_others_share_the_background(fitted):
    found = weeks(known(fitted, mean_a_day=0.8, nu=1e4))
    assert [one.number for one in found] == [1, 2, 4, 5, 6]
    assert [one.without.mean for one in found] == pytest.approx([0.8 * DAYS] * 5, rel=1e-6)
    assert [one.fitted for one in found] == pytest.approx([0.8 * DAYS] * 5, rel=1e-6)


def test_with_days_all_alike_the_band_is_poissons(fitted):
    for one in weeks(known(fitted, mean_a_day=0.8, nu=1e9)):
        assert (one.without.p5, one.without.p95) == tuple(poisson(5.6).ppf([0.05, 0.95]))


def test_with_good_and_bad_days_the_band_is_the_negative_binomials(fitted):
    """Seven days of Gamma(ν, ν) times the same mean: the week's count is negative binomial with size 7 ν."""
    nu, mean = 0.8, 2.0
    size = DAYS * nu
    low, high = nbinom(size, size / (size + DAYS * mean)).ppf([0.05, 0.95])
    assert (low, high) != tuple(poisson(DAYS * mean).ppf([0.05, 0.95]))
    for one in weeks(known(fitted, mean_a_day=mean, nu=nu)):
        assert (one.without.p5, one.without.p95) == (low, high)


def test_sessions_lower_the_fitted_line_alone_and_what_protects_lowers_both(fitted):
    delta = 0.7
    plain, treated, protected = (
        weeks(known(fitted, mean_a_day=0.8, nu=1e9, delta=one)) for one in ((0, 0, 0), (delta, 0, 0), (0, 0, delta))
    )
    assert [one.without for one in treated] == [one.without for one in plain]
    dose = fitted.dampers[0].dose[0][2 + 5 * DAYS : 2 + 6 * DAYS]
    assert treated[-1].fitted / plain[-1].fitted == pytest.approx(np.exp(-delta * dose).mean(), rel=1e-6)
    assert treated[0].fitted == plain[0].fitted
    for one, other in zip(protected, plain, strict=True):
        assert one.fitted == pytest.approx(one.without.mean)
        assert one.without.mean < 0.9 * other.without.mean


def test_a_week_is_treated_from_that_of_the_first_session_of_any_kind_on(fitted):
    assert [one.treated for one in weeks(known(fitted, mean_a_day=0.8, nu=1.0))] == [False, False, False, True, True]


def test_without_any_session_no_week_is_treated_and_both_are_the_same(fitted):
    bare = replace(
        known(fitted, mean_a_day=0.8, nu=1.0),
        design=replace(fitted.design, courses=()),
        dampers=fitted.dampers[2:],
        delta=np.zeros((20_000, 1)),
        tau=np.zeros((20_000, 1), dtype=np.int64),
    )
    for one in weeks(bare):
        assert not one.treated
        assert one.fitted == pytest.approx(one.without.mean)


def test_the_fitted_weeks_add_up_to_about_the_episodes(fitted):
    assert sum(one.fitted for one in weeks(fitted)) == pytest.approx(len(fitted.design.onsets), rel=0.2)


def test_nine_of_ten_later_weeks_lie_in_the_band_where_sessions_change_nothing():
    """A small part of benchmarks/attribution/weeks.py."""
    people = [held(seed) for seed in range(30_000, 30_004)]
    later = [one for person in people for one in person]
    inside = np.mean([one.low <= one.count <= one.high for one in later])
    assert len(later) >= 15
    assert inside >= 0.8
    assert np.mean([one.high - one.low for one in later]) < 12  # a band that holds everything would say nothing


def test_what_is_printed_counts_weeks_and_not_people():
    people = [[Held(3, 1, 5), Held(7, 1, 5)], [Held(0, 1, 5), Held(5, 1, 5)], []]
    assert said(people) == "3 persons, 4 weeks: inside 0.500 ± 0.000, below 0.250, above 0.250"

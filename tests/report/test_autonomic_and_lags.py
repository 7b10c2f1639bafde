"""The day of the autonomic signals, and when each factor's effect arrives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import gamma

from unaji.causes.features import KERNEL_SHAPE, MEAN_LAGS_MIN
from unaji.report.figures.autonomic import LEAST_DAYS, SLOTS, autonomic_figure, half_hours, pick_day
from unaji.report.figures.lags import EDGES_MIN, arrival, lags_figure, times_min
from unaji.report.figures.time_axis import Calendar
from unaji.report.story.factors import candidates
from unaji.report.words import catalogue

JA, EN = catalogue("ja"), catalogue("en")


@pytest.fixture
def rich(people):
    return people["rich"]()


@pytest.fixture
def factor(rich):
    return candidates(rich, JA).factors[0]


def with_entries(factor, *p):
    return replace(factor, result=replace(factor.result, entry_p=p))


def test_one_entry_is_the_gamma_lag_of_its_mean(factor):
    """Against scipy's distribution of shape 2 and mean 3 h, whatever drives it and however likely it is."""
    found = arrival(with_entries(factor, 0, 0, 0.1, 0, 0, 0, 0, 0.3, 0, 0))
    lag = gamma(KERNEL_SHAPE, scale=MEAN_LAGS_MIN[2] / KERNEL_SHAPE)
    assert found.shares == pytest.approx(np.diff(lag.cdf(np.array(EDGES_MIN))).tolist())
    expected = times_min() * lag.pdf(times_min())
    np.testing.assert_allclose(found.density, expected / expected.max(), rtol=1e-9)


def test_a_mixture_weighs_the_entries_by_their_probability(factor):
    early, late = (arrival(with_entries(factor, *p)) for p in ((1, 0, 0, 0, 0), (0, 0, 0, 0, 1)))
    both = arrival(with_entries(factor, 0.3, 0, 0, 0, 0.1))
    assert both.shares == pytest.approx((0.75 * np.array(early.shares) + 0.25 * np.array(late.shares)).tolist())
    assert sum(both.shares) == pytest.approx(1)


def test_nothing_is_drawn_of_what_was_not_fitted_or_not_named(factor, rich):
    assert arrival(with_entries(factor)) is None
    chosen = candidates(rich, JA)
    silent = replace(chosen, factors=tuple(with_entries(one) for one in chosen.factors))
    assert lags_figure(silent, JA) is None
    told = replace(chosen, factors=tuple(with_entries(one, 0, 0, 0.9, 0, 0) for one in chosen.factors))
    figure = lags_figure(told, JA)
    assert [row[0] for row in figure.table.rows] == [one.name for one in chosen.named]
    assert figure.phone.count('class="model"') == len(chosen.named) > 0
    assert chosen.named[0].lag in figure.aria


def state_of(findings, hr_bpm):
    """A state in which every channel but heart rate is missing."""
    state = findings.state
    missing = np.full(state.time.size, np.nan)
    return replace(findings, state=replace(state, hr_bpm=hr_bpm, rmssd_ms=missing, scl_microsiemens=missing))


def test_half_hours_are_means_on_the_persons_clock(rich):
    state = rich.state
    calendar = Calendar(rich)
    local = [rich.timeline.zones.local(t) for t in state.time.astype("datetime64[ms]").astype(object)]
    hour = np.array([one.hour + one.minute / 60 for one in local])
    found = half_hours(state_of(rich, np.floor(hour * 2)), calendar)
    assert set(found) == {"hr_bpm"}
    there = found["hr_bpm"]
    assert there.shape == (calendar.n_days, SLOTS)
    columns = np.broadcast_to(np.arange(SLOTS), there.shape)
    known = np.isfinite(there)
    np.testing.assert_array_equal(there[known], columns[known])


def test_the_day_has_an_episode_and_is_the_best_measured_of_those(rich):
    calendar = Calendar(rich)
    halves = half_hours(state_of(rich, np.full(rich.state.time.size, 60.0)), calendar)
    day = pick_day(rich, calendar, halves)
    days = {calendar.place(one.episode.start)[0] for one in rich.episodes if not one.fever}
    assert day in days
    bare = {name: np.where(np.arange(calendar.n_days)[:, None] == day, np.nan, one) for name, one in halves.items()}
    assert pick_day(rich, calendar, bare) in days - {day}
    assert pick_day(rich, calendar, {"hr_bpm": np.full((calendar.n_days, SLOTS), np.nan)}) is None


def test_a_day_above_all_others_is_said_to_leave_the_usual_band(rich):
    calendar = Calendar(rich)
    flat = state_of(rich, np.full(rich.state.time.size, 60.0))
    day = pick_day(flat, calendar, half_hours(flat, calendar))
    at = np.array([calendar.place(t)[0] for t in (rich.timeline.zones.local(t) for t in _moments(rich))])
    lifted = state_of(rich, np.where(at == day, 90.0, 60.0))
    assert calendar.n_days > LEAST_DAYS
    assert JA("measured.hr_bpm") in autonomic_figure(lifted, JA).aria
    assert autonomic_figure(flat, EN).aria.endswith(f"{EN('chart.autonomic_none')}.")
    assert autonomic_figure(replace(rich, state=None), JA) is None


def _moments(findings):
    from unaji.records.timeline import from_utc_ms

    return [from_utc_ms(t) for t in findings.state.time]

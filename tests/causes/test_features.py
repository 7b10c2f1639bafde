from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.causes.attribution import SignalState
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.features import (
    BUMP_CENTRES_H,
    ECHO_TAUS_MIN,
    MEAN_LAGS_MIN,
    build_tables,
    hold,
    known_level,
    lag_kernel,
    treatment_dose,
)
from unaji.causes.grid import bin_of, make_grid, with_observed
from unaji.records.timeline import Zones

ZONES = Zones(("Asia/Tokyo",))
START = datetime(2026, 3, 1, 15, tzinfo=UTC)
DAYS = 12


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.fixture(scope="module")
def grid():
    whole = make_grid(START, at(24 * DAYS - 1), ZONES)
    return with_observed(whole, (whole.local_hour >= 7) & (whole.local_hour < 23))


@pytest.fixture(scope="module")
def design(grid):
    rng = np.random.default_rng(4)
    level = np.repeat(rng.normal(size=grid.n_bins // 12), 12)
    dose = np.zeros(grid.n_bins)
    dose[rng.integers(0, grid.n_bins, 20)] = 1.5
    onsets = tuple(Onset(at(24 * d + 13.3)) for d in (1, 3, 3.1, 8))
    return Design(grid, (Trigger("a", "level", level, (30, 240)), Trigger("b", "dose", dose, (20, 180))), onsets)


@pytest.mark.parametrize("mean_min", MEAN_LAGS_MIN)
def test_kernels_sum_to_one_and_have_the_mean_they_are_named_for(mean_min):
    kernel = lag_kernel(mean_min)
    lag_min = np.arange(kernel.size) * 5
    assert kernel.sum() == pytest.approx(1)
    assert kernel @ lag_min == pytest.approx(mean_min, rel=1e-4)


def test_the_kernel_is_the_lag_seen_through_bins_by_counting():
    """A dose at a random instant, a Gamma lag, and the bins of both: brute force with a million draws."""
    rng = np.random.default_rng(0)
    dose_min = rng.uniform(0, 5, 1_000_000)
    bins = ((dose_min + rng.gamma(2.0, 7.5, dose_min.size)) // 5).astype(int)
    counted = np.bincount(bins, minlength=10)[:10] / dose_min.size
    assert lag_kernel(15.0)[:10] == pytest.approx(counted, abs=0.002)


def test_every_feature_sums_to_one_over_observed_time(design):
    tables = build_tables(design)
    sums = tables.day_x.sum(axis=0)[:-1]
    alive = tables.log_prior[:-1] > -np.inf
    assert sums[alive] == pytest.approx(np.ones(alive.sum()))
    assert np.exp(tables.log_prior).sum(axis=1) == pytest.approx(np.ones(len(sums) + 1))


def test_a_lagged_level_is_the_plain_convolution_of_its_hinge(design, grid):
    """Slow and obvious: hinge at the median, weights of the kernel, masked and normalised."""
    level = design.triggers[0].value
    seen = level[grid.observed]
    driver = np.maximum(0, (level - np.quantile(seen, 0.5)) / seen.std())
    slow = np.convolve(driver, lag_kernel(60.0))[: grid.n_bins] * grid.observed
    assert build_tables(design).features_of(0)[1] == pytest.approx(slow / slow.sum(), abs=1e-12)


def test_the_feature_at_an_onset_is_averaged_over_its_time_error(design, grid):
    tables = build_tables(design)
    phi = tables.features_of(0)[1]
    onset = design.onsets[0].time
    minutes = (grid.time - np.datetime64(onset.replace(tzinfo=None), "ms")).astype(float) / 60_000 + 2.5
    first = bin_of(grid, onset)
    near = np.zeros(grid.n_bins, dtype=bool)
    near[first - 6 : first + 7] = True
    weight = np.where(near & grid.observed, np.exp(-0.5 * (minutes / 12) ** 2), 0)
    assert tables.onset_e[0, tables.n_background, 1] == pytest.approx(phi @ weight / weight.sum())


def test_an_onset_known_by_its_date_is_spread_over_the_observed_bins_of_that_day(design, grid):
    dated = replace(design, onsets=(Onset(at(24 * 4), whole_day=True),))
    tables = build_tables(dated)
    of_day = (grid.day == 4) & grid.observed
    assert tables.onset_e[0, tables.n_background, 1] == pytest.approx(tables.features_of(0)[1][of_day].mean())


def test_background_bumps_peak_at_their_hours(design, grid):
    background = build_tables(design).background
    for bump, centre in zip(background[1:], BUMP_CENTRES_H, strict=True):
        top = grid.local_hour[np.argmax(bump)]
        assert abs(top - centre) <= 5 / 60 + 1e-9


def test_echo_counts_what_earlier_episodes_leave(design):
    tables = build_tables(design)
    hours = np.array([24 * d + 13.3 for d in (1, 3, 3.1, 8)])
    tau = ECHO_TAUS_MIN[1]
    expected = sum(5 / tau * np.exp(-(hours[2] - h) * 60 / tau) for h in hours[:2])
    assert tables.onset_e[2, -1, 1] == pytest.approx(expected)
    assert not tables.onset_e[0, -1].any()


def test_echo_on_the_grid_adds_up_to_one_episode_for_each(grid):
    """Observed around the clock, an episode's echo of unit amplitude is expected to set off one more."""
    always = with_observed(grid, np.ones(grid.n_bins, dtype=bool))
    tables = build_tables(Design(always, (), (Onset(at(24 * 2 + 12)),)))
    assert tables.day_x[:, -1].sum(axis=0) == pytest.approx(np.ones(3), rel=0.03)


def test_treatment_dose_of_one_session_is_one_minus_exp_of_its_decay(grid):
    dose = treatment_dose(grid, [at(-24)], 3.0)
    age_d = 1 + (np.flatnonzero((grid.day == 2) & grid.observed) * 5 + 2.5) / 1440
    assert dose[2] == pytest.approx((1 - np.exp(-np.exp(-age_d / 3))).mean())
    assert (np.diff(dose) < 0).all()


def test_halving_a_dose_halves_its_feature_and_halving_a_level_more_than_halves_its_extremes(design):
    tables = build_tables(design)
    c = tables.n_background
    assert tables.half[c + 1, :5] == pytest.approx(np.full(5, 0.5))
    any_exposure, extremes = tables.half[c, :5], tables.half[c, 5:10]
    assert (extremes < any_exposure).all()
    assert (any_exposure < 0.5).all()


def test_gaps_are_held_then_filled_from_the_usual_day(grid):
    value = np.where(grid.local_hour < 12, 1.0, 3.0)
    gap = slice(bin_of(grid, at(24 * 5 + 10)), bin_of(grid, at(24 * 5 + 20)))
    value[gap] = np.nan
    level, missing = known_level(Trigger("x", "level", value, hold_min=30), grid)
    assert missing.sum() == 120 - 6
    assert level.mean[gap][:6].tolist() == [1.0] * 6
    assert level.mean[gap][12 * 4] == 3.0  # 14:00 is 3 on the other days
    assert level.sd.tolist() == [0.0] * grid.n_bins  # the usual day says it to the digit here


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=1, max_size=40), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_holding_carries_the_last_value_over_at_most_its_reach(cells, reach):
    value = np.array([np.nan if c is None else c for c in cells])
    held = hold(value, reach)
    for i, got in enumerate(held):
        known = [j for j in range(max(0, i - reach), i + 1) if not np.isnan(value[j])]
        assert np.isnan(got) if not known else got == value[known[-1]]


def states(grid, **triggers: tuple[str, np.ndarray]) -> dict[str, SignalState]:
    design = Design(grid, tuple(Trigger(k, *v) for k, v in triggers.items()), (Onset(at(30)),))
    return build_tables(design).state


def test_what_cannot_be_compared_leaves_the_model(grid):
    steady = np.full(grid.n_bins, 4.0)
    sparse = np.zeros(grid.n_bins)
    sparse[[100, 500, 900]] = 1
    lost = np.where(grid.day < 5, grid.local_hour, np.nan)
    asleep_only = np.where(grid.observed, 2.0, grid.local_hour)
    found = states(grid, steady=("level", steady), sparse=("dose", sparse), lost=("level", lost),
                   nothing=("level", np.full(grid.n_bins, np.nan)), asleep=("level", asleep_only))  # fmt: skip
    assert found == {
        "steady": SignalState.NO_CONTRAST,
        "sparse": SignalState.NO_CONTRAST,
        "lost": SignalState.INSUFFICIENT,
        "nothing": SignalState.INSUFFICIENT,
        "asleep": SignalState.NO_CONTRAST,
    }


def test_exact_duplicates_become_one_component_with_both_names(design):
    twin = replace(design.triggers[0], id="twin")
    tables = build_tables(replace(design, triggers=(*design.triggers, twin)))
    assert tables.triggers == ("a", "b")
    assert tables.alias == {"twin": "a"}


def test_features_do_not_depend_on_the_unit_of_a_level(design):
    scaled = replace(design.triggers[0], value=32 + 1.8 * design.triggers[0].value)
    one, two = (build_tables(replace(design, triggers=(t,))) for t in (design.triggers[0], scaled))
    assert one.onset_e == pytest.approx(two.onset_e, rel=1e-9)

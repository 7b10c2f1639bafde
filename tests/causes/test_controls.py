"""Placebo exposures and time turned round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.signal import lfilter

from unaji.causes import controls
from unaji.causes.controls import habits, memory, placebos, run_controls
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.features import MEAN_LAGS_MIN, build_tables, with_more_triggers
from unaji.causes.grid import make_grid, with_observed
from unaji.records.timeline import Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
DAYS = 56


@pytest.fixture(scope="module")
def grid():
    whole = make_grid(START, START + timedelta(days=DAYS - 0.1), Zones(("Asia/Tokyo",)))
    return with_observed(whole, (whole.local_hour >= 7) & (whole.local_hour < 23))


def onsets_at(bins) -> tuple[Onset, ...]:
    return tuple(Onset(START + timedelta(minutes=5 * int(b) + 2)) for b in np.unique(bins))


@pytest.fixture(scope="module")
def relief(grid):
    """Something is taken an hour or so after most episodes: it follows from them."""
    rng = np.random.default_rng(3)
    bins = rng.choice(np.flatnonzero(grid.observed), 40, replace=False)
    amount = np.zeros(grid.n_bins)
    amount[np.minimum(bins[:30] + rng.integers(8, 18, 30), grid.n_bins - 1)] = 1.0
    level = rng.standard_normal(grid.n_bins)
    return Design(grid, (Trigger("relief", "dose", amount, (20, 120)), Trigger("x", "level", level)), onsets_at(bins))


def test_what_follows_from_episodes_is_found_when_time_is_turned_round(relief):
    found = run_controls(relief, build_tables(relief), [], np.random.default_rng(1))
    assert found.backwards["relief"] > 0.95
    assert found.backwards["x"] < 0.3


def test_backwards_an_exposure_acts_on_what_was_before_it(grid):
    value = np.zeros(grid.n_bins)
    value[12 * 24 * 20 + 12 * 12 :][:1] = 1.0
    value[12 * 24 * np.array([5, 9, 30]) + 150] = 1.0
    design = Design(grid, (Trigger("dose", "dose", value, (20, 120)),), onsets_at([100]))
    forwards, backwards = (build_tables(design, backwards=b).features_of(0) for b in (False, True))
    at = 12 * 24 * 20 + 12 * 12
    assert forwards[1, at - 40 : at].max() < 1e-15  # but for the rounding of the transform
    assert backwards[1, at + 1 : at + 41].max() < 1e-15
    # Turned round at the dose, the one is the other, but for the scale that observed time gives it.
    after, before = forwards[1, at : at + 40], backwards[1, at - 39 : at + 1][::-1]
    assert before / before.sum() == pytest.approx(after / after.sum(), rel=1e-6)
    assert forwards.shape[0] == len(MEAN_LAGS_MIN)


def test_placebos_move_as_the_persons_own_exposures_do(grid):
    rng = np.random.default_rng(5)
    keep = np.exp(-5 / 900)
    slow = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(grid.n_bins))
    coffee = ((grid.local_hour >= 8) & (grid.local_hour < 8.05)).astype(float)
    triggers = (Trigger("slow", "level", slow, (30, 240)), Trigger("coffee", "dose", coffee, (20, 180)))
    level, dose = placebos(grid, habits(Design(grid, triggers, ())), rng)
    assert memory(level.value) == pytest.approx(memory(slow), rel=0.6)
    assert set(grid.local_hour[dose.value > 0].astype(int)) == {8}
    assert dose.value.sum() == pytest.approx(coffee.sum(), rel=0.5)
    assert {level.lag_min, dose.lag_min} <= {(30, 240), (20, 180)}


def test_the_memory_of_a_level_is_where_its_autocorrelation_falls_to_a_fraction():
    rng = np.random.default_rng(2)
    keep = np.exp(-5 / 240)
    level = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(200_000))
    assert memory(level) == pytest.approx(240, rel=0.1)
    assert memory(np.ones(100)) == 5.0


def test_placebos_compete_and_leave_the_own_exposures_as_they_are(relief):
    tables = build_tables(relief)
    more = with_more_triggers(tables, relief, placebos(relief.grid, habits(relief), np.random.default_rng(4)))
    k = tables.n_background + len(tables.triggers)
    assert more.triggers == (*tables.triggers, *controls.PLACEBOS)
    n = tables.onset_e.shape[2]
    assert np.array_equal(more.onset_e[:, :k, :n], tables.onset_e[:, :k])
    assert np.array_equal(more.onset_e[:, -1, :n], tables.onset_e[:, -1])
    assert more.day_x[:, k].sum(axis=0) == pytest.approx(np.ones(more.day_x.shape[2]))


def test_a_placebo_hardly_ever_looks_like_a_cause(relief):
    best = [
        run_controls(relief, build_tables(relief), [], np.random.default_rng(seed)).placebo_best for seed in range(4)
    ]
    assert 0 < np.median(best) < 0.6


def test_the_controls_can_be_stopped(relief):
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_controls(relief, build_tables(relief), [], np.random.default_rng(1), stop)

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.features import build_tables
from unaji.causes.grid import make_grid, with_observed
from unaji.causes.shift import _log_bayes_factor, _move, day_shifts, shift_p_values
from unaji.records.timeline import Zones

START = datetime(2026, 3, 1, 15, tzinfo=UTC)


def design_of(days: int = 30) -> Design:
    grid = make_grid(START, START + timedelta(days=days - 0.1), Zones(("Asia/Tokyo",)))
    grid = with_observed(grid, (grid.local_hour >= 7) & (grid.local_hour < 23))
    rng = np.random.default_rng(5)
    spikes = np.zeros(grid.n_bins)
    hours = rng.uniform(8, 20, 12)
    chosen = rng.permutation(np.arange(2, days - 2))[:12]
    for d, h in zip(chosen, hours, strict=True):
        spikes[d * 288 + int(h * 12)] = 1.0
    onsets = tuple(Onset(START + timedelta(days=int(d), hours=h + 0.7)) for d, h in zip(chosen, hours, strict=True))
    idle = np.zeros(grid.n_bins)
    idle[rng.permutation(np.flatnonzero(grid.observed))[:12]] = 1.0
    return Design(grid, (Trigger("guilty", "dose", spikes, (20, 90)), Trigger("idle", "dose", idle, (20, 90))), onsets)


def test_shifts_run_from_two_days_to_all_but_two_and_are_at_most_120():
    assert day_shifts(8).tolist() == [2, 3, 4, 5, 6]
    assert day_shifts(3).size == 0
    assert day_shifts(400).size == 120
    assert day_shifts(400)[[0, -1]].tolist() == [2, 398]


def test_what_always_comes_before_has_the_smallest_p_value_there_is():
    design = design_of()
    tables = build_tables(design)
    background = np.zeros(tables.n_background)
    background[0] = len(design.onsets)
    p = shift_p_values(design, tables, background)
    assert p["guilty"] == pytest.approx(1 / (1 + day_shifts(30).size))
    assert p["idle"] > 0.05


def test_without_enough_days_there_is_no_p_value():
    design = design_of(30)
    short = make_grid(START, START + timedelta(days=2.5), Zones(("Asia/Tokyo",)))
    cut = Design(short, (Trigger("a", "level", short.local_hour),), design.onsets[:0])
    tables = build_tables(cut)
    assert np.isnan(shift_p_values(cut, tables, np.ones(tables.n_background))["a"])


def test_moving_by_days_keeps_the_local_time_when_the_clock_changes():
    zone = Zones(("Europe/Berlin",))
    grid = make_grid(datetime(2026, 3, 26, 12, tzinfo=UTC), datetime(2026, 4, 2, 12, tzinfo=UTC), zone)
    noon = np.flatnonzero((grid.day == 1) & (grid.local_hour == 12.0))
    moved = _move(grid, noon, 4)
    assert grid.local_hour[moved].tolist() == [12.0]
    assert grid.day[moved].tolist() == [5]


@pytest.mark.parametrize("face", ["compiled", "python"])
def test_the_bayes_factor_is_the_mean_over_entries_and_amplitudes(face):
    at_onset, rest = np.array([[0.2, 0.1, 0.0], [0.0, 0.3, 0.4]]), np.array([0.1, 0.2, 0.1])
    nodes, log_prior = np.array([0.5, 2.0]), np.log([0.25, 0.75])
    factor = [[np.prod(1 + a * at_onset[e] / rest) * np.exp(-a * 0.9) for a in nodes] for e in (0, 1)]
    expected = np.log(0.25 * np.mean(factor[0]) + 0.75 * np.mean(factor[1]))
    kernel = _log_bayes_factor if face == "compiled" else _log_bayes_factor.py_func
    assert kernel(at_onset, rest, np.full(2, 0.9), log_prior, nodes) == pytest.approx(expected)


def test_episodes_known_by_their_date_alone_can_pass_the_shift():
    """Doses on sixteen days, an episode of unknown hour on each of them and on no other day."""
    grid = make_grid(START, START + timedelta(days=59.9), Zones(("Asia/Tokyo",)))
    rng = np.random.default_rng(3)
    chosen = rng.permutation(np.arange(3, 56))[:16]
    spikes = np.zeros(grid.n_bins)
    spikes[chosen * 288 + 100] = 1.0
    onsets = tuple(Onset(START + timedelta(days=int(d)), whole_day=True) for d in chosen)
    design = Design(grid, (Trigger("dose", "dose", spikes, (60, 720)),), onsets)
    tables = build_tables(design)
    background = np.zeros(tables.n_background)
    background[0] = 16.0
    assert shift_p_values(design, tables, background)["dose"] < 0.05

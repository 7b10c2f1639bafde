"""The simulated life: the rules of the calendar, the processes and their known moments."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unaji.people.world import (
    BINS_PER_DAY,
    LEAD_DAYS,
    Doses,
    Spans,
    World,
    _recur,
    change,
    dose_array,
    live,
    ou,
    relax,
    since_waking,
    sleep_debt,
    span_mask,
)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [live(np.random.default_rng(seed), 70) for seed in range(60)]


def hours(world: World) -> np.ndarray:
    return np.arange(world.n_bins) / 12


def test_the_recursion_is_the_same_compiled_and_plain():
    innovation = np.random.default_rng(0).standard_normal(50)
    assert_allclose(_recur(innovation, 0.9), _recur.py_func(innovation, 0.9))


def test_ou_has_unit_variance_and_forgets_at_its_time_constant():
    x = ou(np.random.default_rng(1), 400_000, 240)
    assert x.mean() == pytest.approx(0, abs=0.05)
    assert x.std() == pytest.approx(1, abs=0.03)
    assert np.mean(x[48:] * x[:-48]) == pytest.approx(np.exp(-1), abs=0.03)


def test_ou_is_stationary_from_its_first_value():
    first = np.array([ou(np.random.default_rng(seed), 2, 600)[0] for seed in range(4000)])
    assert first.std() == pytest.approx(1, abs=0.05)


def test_relax_follows_a_step_exponentially():
    followed = relax(np.concatenate([[0.0], np.ones(24)]), 40)
    assert_allclose(followed, 1 - np.exp(-np.arange(25) * 5 / 40))


def test_change_is_the_move_over_the_given_time():
    level = np.array([0.0, 1, 3, 6, 10, 15, 21, 28])
    assert_allclose(change(level, 30), [0, 0, 0, 0, 0, 0, 21, 27])


def test_spans_cover_their_bins_and_doses_fall_into_theirs():
    assert span_mask(Spans(np.array([0.25]), np.array([0.5])), 8).tolist() == [False] * 3 + [True] * 3 + [False] * 2
    doses = Doses(np.array([-0.1, 0.1, 0.16, 0.5, 99.0]), np.array([9.0, 1, 2, 4, 9]))
    assert dose_array(doses, 8).tolist() == [0, 3, 0, 0, 0, 0, 4, 0]


def test_sleep_debt_leaks_and_is_never_negative():
    # 1.4 h short; 0.6 of that and 0.4 h more; then a long night clears it; then a night that was not recorded.
    debt = sleep_debt(np.array([6.0, 7.0, 9.0, np.nan, 6.4]))
    assert_allclose(debt, [1.4, 1.24, 0, np.nan, 1.0], atol=1e-12)


def test_a_value_of_a_day_holds_from_waking_to_waking():
    spread = since_waking(np.array([1.0, 2.0]), np.array([6.0, 31.0]), 2 * BINS_PER_DAY)
    assert spread[0] == 1
    assert spread[31 * 12 - 1] == 1
    assert spread[31 * 12] == 2
    assert spread[-1] == 2


def test_nobody_works_at_weekends_and_one_working_day_in_twenty_is_free(worlds: list[World]):
    weekday = np.arange(LEAD_DAYS + 70) % 7
    assert not any(world.workday[weekday >= 5].any() for world in worlds)
    share = np.mean([world.workday[weekday < 5].mean() for world in worlds])
    assert share == pytest.approx(0.95, abs=0.015)


def test_people_rise_and_go_to_bed_as_the_calendar_says(worlds: list[World]):
    midnight = 24 * np.arange(LEAD_DAYS + 70)
    weekday = np.arange(LEAD_DAYS + 70) % 7
    late = (weekday == 4) | (weekday == 5)
    wake = np.array([world.wake_h - midnight for world in worlds])
    bed = np.array([world.bed_h - midnight for world in worlds])
    work = np.array([world.workday for world in worlds])
    assert wake[work].mean() == pytest.approx(6.8, abs=0.03)
    assert wake[~work].mean() == pytest.approx(8.0, abs=0.05)
    assert wake[work].std() == pytest.approx(0.5, abs=0.03)
    assert bed[:, ~late].mean() == pytest.approx(23.0, abs=0.04)
    assert bed[:, late].mean() == pytest.approx(23.8, abs=0.06)
    assert bed[:, late].std() == pytest.approx(0.7, abs=0.05)


def test_asleep_nothing_is_done(worlds: list[World]):
    for world in worlds[:20]:
        asleep = ~world.awake
        assert not (world.sitting & asleep).any()
        assert not (world.outdoors & asleep & ~world.exercising).any()


def test_desk_work_is_in_working_hours_or_in_a_quarter_of_the_evenings(worlds: list[World]):
    for world in worlds[:20]:
        hour = hours(world) % 24
        evening = hour >= 19
        day_time = world.sitting & ~evening
        assert (hour[day_time] >= 9 - 0.05).all()
        assert (hour[day_time] < 17.5 + 0.05).all()
        assert not (day_time & (hour >= 12.05) & (hour < 12.95)).any()
        assert not (day_time & np.repeat(~world.workday, BINS_PER_DAY)).any()
    evenings = np.mean([(w.sitting & (hours(w) % 24 >= 19)).reshape(-1, BINS_PER_DAY).any(axis=1) for w in worlds])
    assert evenings == pytest.approx(0.25, abs=0.03)


def test_breaks_between_blocks_last_six_to_twenty_one_minutes(worlds: list[World]):
    desk = worlds[0].desk
    breaks = (desk.start[1:] - desk.end[:-1]) * 60
    within = breaks[breaks < 40]
    assert within.size > 100
    assert within.min() >= 6 - 1e-6
    assert within.max() <= 21 + 1e-6


def test_stress_is_higher_at_work_by_the_persons_own_step(worlds: list[World]):
    steps = []
    for world in worlds:
        hour = hours(world) % 24
        at_work = np.repeat(world.workday, BINS_PER_DAY) & (hour >= 9) & (hour < 18)
        assert 0.6 <= world.habits.work_stress <= 1.2
        steps.append(world.stress[at_work].mean() - world.stress[~at_work].mean() - world.habits.work_stress)
    assert np.mean(steps) == pytest.approx(0, abs=0.06)


def test_doses_are_taken_as_often_as_the_habits_say(worlds: list[World]):
    cups = [w.doses["caffeine"].amount.sum() / w.wake_h.size - w.habits.cups_a_day for w in worlds]
    sport = [w.doses["exercise"].hour.size / w.wake_h.size - w.habits.exercise_share for w in worlds]
    drinks = [
        w.doses["alcohol"].hour.size / w.wake_h.size - w.habits.drinking * (2 * 0.8 + 5 * 0.25) / 7 for w in worlds
    ]
    meals = [w.doses["hot_meal"].hour.size / w.wake_h.size / 2 - w.habits.hot_meal_share for w in worlds]
    assert np.mean(cups) == pytest.approx(0, abs=0.05)
    assert np.mean(sport) == pytest.approx(0, abs=0.03)
    assert np.mean(drinks) == pytest.approx(0, abs=0.03)
    assert np.mean(meals) == pytest.approx(0, abs=0.03)
    assert all(set(w.doses["alcohol"].amount) <= {1, 2, 3, 4} for w in worlds)
    assert all(((w.doses["exercise"].amount >= 30) & (w.doses["exercise"].amount <= 60)).all() for w in worlds)
    assert all((w.doses["alcohol"].hour % 24 >= 19).all() for w in worlds)


def test_weather_has_the_stated_spread_and_fronts_join_warmth_to_low_pressure(worlds: list[World]):
    assert np.mean([w.pressure_hpa.std() for w in worlds]) == pytest.approx(7, abs=0.7)
    assert all(4 <= w.habits.season_mean_c <= 22 for w in worlds)
    assert np.mean([w.outdoor_c.mean() - w.habits.season_mean_c for w in worlds]) == pytest.approx(0, abs=0.4)
    daily_t = [w.outdoor_c.reshape(-1, BINS_PER_DAY).mean(axis=1) for w in worlds]
    daily_p = [w.pressure_hpa.reshape(-1, BINS_PER_DAY).mean(axis=1) for w in worlds]
    assert np.mean([np.corrcoef(t, p)[0, 1] for t, p in zip(daily_t, daily_p, strict=True)]) < -0.2
    assert np.mean([np.corrcoef(w.outdoor_c, w.humidity)[0, 1] for w in worlds]) < -0.3
    assert all((w.humidity >= 0).all() and (w.humidity <= 100).all() for w in worlds)


def test_a_stated_season_is_kept():
    world = live(np.random.default_rng(3), 56, season_mean_c=10.0)
    assert world.outdoor_c.mean() == pytest.approx(10.0, abs=2.5)


def test_the_exposures_of_weather_are_worked_out_by_hand(worlds: list[World]):
    world = worlds[1]
    rng = np.random.default_rng(0)
    for i in rng.integers(100, world.n_bins, 50):
        fall = world.pressure_hpa[i - 72] - world.pressure_hpa[i]
        moved = world.experienced_c[i] - world.experienced_c[i - 6]
        assert world.exposure("pressure_drop")[i] == pytest.approx(max(fall, 0))
        assert world.exposure("temp_change")[i] == pytest.approx(abs(moved))
        assert world.exposure("ambient_heat")[i] == pytest.approx(max(world.experienced_c[i] - 22, 0))


def test_drinks_and_evening_stress_shorten_the_night():
    worlds = [live(np.random.default_rng(seed), 112) for seed in range(30)]
    rows = []
    for w in worlds:
        units = np.bincount((w.doses["alcohol"].hour // 24).astype(int), w.doses["alcohol"].amount, w.wake_h.size)
        in_bed = w.wake_h[1:] - w.bed_h[:-1]
        evening = w.stress.reshape(-1, BINS_PER_DAY)[:, 20 * 12 : 23 * 12].mean(axis=1)
        rows.append(np.column_stack([in_bed - w.sleep_h[1:], units[:-1], np.maximum(evening[:-1], 0)]))
    lost, units, stress = np.concatenate(rows).T
    design = np.column_stack([np.ones(lost.size), units, stress])
    assert_allclose(np.linalg.lstsq(design, lost)[0], [0.3, 0.25, 0.35], atol=0.05)


def test_arousal_rises_with_exercise_and_falls_asleep(worlds: list[World]):
    sport, sleep = [], []
    for world in worlds:
        calm = world.arousal[world.awake & ~world.exercising].mean()
        sport.append(world.arousal[world.exercising].mean() - calm)
        sleep.append(world.arousal[~world.awake].mean() - calm)
    # 1.6 in exercise less the time it takes to rise, before and after work; 0.8 less asleep, less stress and coffee.
    assert 0.8 < np.mean(sport) < 1.6
    assert -1.8 < np.mean(sleep) < -0.8


def test_the_period_leaves_out_the_week_before(worlds: list[World]):
    world = worlds[0]
    assert world.awake[world.period].size == 70 * BINS_PER_DAY

"""Trials of invented people, with the truth known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from unaji.care.trial import Change, TrialPlan, design_trial
from unaji.care.trial_analysis import TrialResult, analyse_trial
from unaji.care.trial_effect import TrialVerdict
from unaji.errors import InputError
from unaji.records.timeline import Episode, Exposure, Person, Rating, Series, Timeline, Treatment, Zones

ZONES = Zones(("Asia/Tokyo",))
MONDAY = date(2026, 4, 6)


def plan(**changes: object) -> TrialPlan:
    asked: dict[str, object] = {
        "question": "?", "change": Change.AVOID, "kind": "caffeine", "outcome": "episodes", "start": MONDAY,
        "timezone": "Asia/Tokyo", "registered_at": datetime(2026, 4, 1, tzinfo=UTC), "blocks": 14, "seed": 7,
    }  # fmt: skip
    return design_trial(**(asked | changes))  # type: ignore[arg-type]


def at(day: date, hour: float) -> datetime:
    return ZONES.to_utc(datetime.combine(day, time(0)) + timedelta(hours=hour))


def changed_days(trial: TrialPlan) -> dict[date, bool]:
    return {p.first + timedelta(days=k): p.changed for p in trial.periods for k in range(p.days)}


def diary(
    trial: TrialPlan,
    episodes: Callable[[date, bool], int],
    rating: Callable[[date, bool], float | None] = lambda *_: 5.0,
    exposed: Callable[[date, bool], bool] = lambda _, changed: not changed,
    quantity: str = "felt_heat",
    until: date | None = None,
) -> Timeline:
    """Write down episodes at noon and after, one rating and a check-in a day, and the exposure at nine."""
    days = {day: changed for day, changed in changed_days(trial).items() if until is None or day <= until}
    return Timeline(
        Person("p", "Asia/Tokyo"), ZONES,
        episodes=tuple(Episode(at(d, 12 + k)) for d, c in days.items() for k in range(episodes(d, c))),
        ratings=tuple(Rating(at(d, 20), quantity, v) for d, c in days.items() if (v := rating(d, c)) is not None),
        exposures=(
            *(Exposure(at(d, 21), "check_in") for d in days),
            *(Exposure(at(d, 9), trial.kind) for d, c in days.items() if exposed(d, c)),
        ),
    )  # fmt: skip


def test_what_was_planned_and_what_was_done_stand_side_by_side():
    trial = plan()
    result = analyse_trial(trial, diary(trial, lambda _, changed: 0 if changed else 1))
    assert [p.planned for p in result.periods] == list(trial.periods)
    assert [p.value for p in result.periods] == [0.0 if p.changed else 1.0 for p in trial.periods]
    assert {p.observed_h for p in result.periods} == {16.0}
    assert [p.present_days for p in result.periods] == [0 if p.changed else 1 for p in trial.periods]
    assert (result.adherence.changed, result.adherence.changed_present) == (14, 0)
    assert (result.adherence.usual, result.adherence.usual_present) == (14, 14)
    assert result.effect.estimate == 0
    assert result.verdict is TrialVerdict.HELPS
    assert result.finished
    assert result.warnings == ()


def test_the_ratio_of_hand_counted_episodes():
    trial = plan(blocks=2)
    result = analyse_trial(trial, diary(trial, lambda _, changed: 2 if changed else 3))
    assert result.effect.estimate == pytest.approx(4 / 6)
    assert "few_blocks" in result.warnings


def test_by_condition_dealt_and_by_what_was_done_differ_where_the_plan_was_not_followed():
    # Coffee on half of the days on which it was to be avoided; only coffee matters.
    trial = plan(outcome="felt_heat", blocks=20)
    rng = np.random.default_rng(5)
    days = changed_days(trial)
    drank = {d: (not c) or bool(rng.random() < 0.5) for d, c in days.items()}
    noise = {d: float(rng.normal(0, 0.5)) for d in days}
    timeline = diary(trial, lambda *_: 0, lambda d, _: 4 + 2 * drank[d] + noise[d], lambda d, _: drank[d])
    result = analyse_trial(trial, timeline)
    assert result.as_treated.estimate == pytest.approx(-2, abs=0.5)
    assert -1.6 < result.effect.estimate < -0.4
    assert result.as_treated.n_blocks < result.effect.n_blocks
    assert np.isnan(result.as_treated.randomisation_p)
    assert "poor_adherence" in result.warnings


def test_wash_out_days_are_left_out():
    trial = plan(
        change=Change.TREAT, kind="acupuncture", outcome="neck_stiffness", blocks=3, period_days=7, washout_days=3
    )
    first = {p.first for p in trial.periods}
    washed = {day + timedelta(days=k) for day in first for k in range(3)}
    timeline = diary(
        trial,
        lambda *_: 0,
        lambda d, c: 10.0 if d in washed else (3.0 if c else 5.0),
        lambda *_: False,
        "neck_stiffness",
    )
    result = analyse_trial(trial, timeline)
    assert result.effect.estimate == pytest.approx(-2)
    assert {p.compared_days for p in result.periods} == {4}


def test_a_session_anywhere_in_a_period_makes_it_a_treated_one():
    trial = plan(change=Change.TREAT, kind="acupuncture", outcome="neck_stiffness", blocks=3)
    timeline = diary(trial, lambda *_: 0, exposed=lambda *_: False, quantity="neck_stiffness")
    sessions = tuple(Treatment(at(p.first, 10), "acupuncture") for p in trial.periods if p.changed)
    other = (Treatment(at(trial.periods[0].first, 11), "massage"),)
    result = analyse_trial(
        trial, Timeline(timeline.person, ZONES, ratings=timeline.ratings, treatments=sessions + other)
    )
    assert (result.adherence.changed, result.adherence.changed_present) == (3, 3)
    assert (result.adherence.usual, result.adherence.usual_present) == (3, 0)
    assert result.as_treated.n_blocks == 3


def test_a_trial_that_still_runs_never_says_helps():
    trial = plan()
    timeline = diary(trial, lambda _, changed: 0 if changed else 2, until=MONDAY + timedelta(days=20))
    result = analyse_trial(trial, timeline)
    assert not result.finished
    assert result.verdict is TrialVerdict.PROBABLY_HELPS
    assert "unfinished" in result.warnings


def test_an_episode_of_a_fever_is_no_outcome():
    trial = plan(blocks=2)
    usual = next(p.first for p in trial.periods if not p.changed)
    hot = Series("body_temp_c", np.array([np.datetime64(at(usual, 12).replace(tzinfo=None), "ms")]), np.array([38.6]))
    timeline = diary(trial, lambda *_: 1)
    result = analyse_trial(
        trial, Timeline(timeline.person, ZONES, (hot,), episodes=timeline.episodes, exposures=timeline.exposures)
    )
    day = next(d for d in result.days if d.day == usual)
    assert day.episodes == 0
    assert day.observed_h < 16


def test_days_without_a_record_are_counted_not_guessed():
    trial = plan(outcome="felt_heat")
    lost = [p.first for p in trial.periods if p.changed][:5]
    result = analyse_trial(trial, diary(trial, lambda *_: 0, lambda d, _: None if d in lost else 5.0))
    assert result.effect.n_blocks == 9
    assert {"days_missing", "days_missing_unequally"} <= set(result.warnings)


def test_where_nothing_was_changed_the_two_conditions_have_no_contrast():
    trial = plan()
    result = analyse_trial(trial, diary(trial, lambda *_: 1, exposed=lambda *_: True))
    assert {"no_contrast", "poor_adherence"} <= set(result.warnings)


def test_the_intensity_is_compared_on_days_with_an_episode():
    trial = plan(outcome="intensity", blocks=4)
    days = changed_days(trial)
    episodes = tuple(Episode(at(d, 12), intensity=3.0 if c else 6.0) for d, c in days.items())
    result = analyse_trial(trial, Timeline(Person("p", "Asia/Tokyo"), ZONES, episodes=episodes))
    assert result.effect.estimate == pytest.approx(-3)


def test_records_of_another_time_are_refused():
    trial = plan()
    later = diary(plan(start=date(2027, 4, 5)), lambda *_: 1)
    with pytest.raises(InputError, match="hold no day of this trial, which runs from 2026-04-06"):
        analyse_trial(trial, later)


def simulated(seed: int, *, effect: float, outcome: str) -> TrialResult:
    """A trial of a person with bad spells (autocorrelated), a drift and forgotten days."""
    rng = np.random.default_rng(seed)
    trial = plan(outcome=outcome, blocks=14, seed=seed)
    days = changed_days(trial)
    spell = np.zeros(len(days))
    for k in range(1, len(days)):
        spell[k] = 0.6 * spell[k - 1] + rng.normal(0, 0.8)
    level = dict(zip(days, spell, strict=True))
    mean = {d: 0.9 * np.exp(0.5 * level[d] - 0.12) * ((1 - effect) if c else 1) for d, c in days.items()}
    count = {d: int(rng.poisson(m)) for d, m in mean.items()}
    value = {d: 5 + level[d] - effect * 2 * c + rng.normal(0, 0.5) for d, c in days.items()}
    forgotten = {d for d in days if rng.random() < 0.1}
    return analyse_trial(
        trial, diary(trial, lambda d, _: min(count[d], 11), lambda d, _: None if d in forgotten else value[d])
    )


@pytest.mark.parametrize(("outcome", "truth"), [("episodes", 1.0), ("felt_heat", 0.0)])
def test_null_trials_of_simulated_persons_hold_their_level(outcome, truth):
    results = [simulated(seed, effect=0.0, outcome=outcome) for seed in range(120)]
    held = np.mean([r.effect.low <= truth <= r.effect.high for r in results])
    said = [r.verdict for r in results]
    assert 0.83 <= held <= 0.98
    assert said.count(TrialVerdict.HELPS) / len(said) <= 0.05 + 0.03
    assert (said.count(TrialVerdict.HELPS) + said.count(TrialVerdict.PROBABLY_HELPS)) / len(said) <= 0.10 + 0.05


def test_a_strong_effect_on_simulated_persons_is_mostly_found():
    results = [simulated(seed, effect=0.7, outcome="felt_heat") for seed in range(40)]
    found = [r.verdict in (TrialVerdict.HELPS, TrialVerdict.PROBABLY_HELPS) for r in results]
    assert np.mean(found) >= 0.7


def test_of_a_trial_that_was_stopped_the_days_after_it_do_not_count():
    trial = plan(blocks=20)
    stopped = trial.first_day + timedelta(days=19)
    # Once it was stopped, the days that were to be changed were as bad as the others.
    timeline = diary(trial, lambda day, changed: 0 if changed and day <= stopped else 1)

    whole, cut = analyse_trial(trial, timeline), analyse_trial(trial, timeline, until=stopped)

    assert whole.effect.estimate == pytest.approx(0.5, abs=0.15)
    assert cut.effect.estimate == 0
    assert max(day.day for day in cut.days) == stopped
    assert not cut.finished
    assert cut.verdict is TrialVerdict.PROBABLY_HELPS, "it is not called sure before its planned end"
    assert "stopped" in cut.warnings
    assert "unfinished" not in cut.warnings
    assert {one.compared_days for one in cut.periods if one.planned.first > stopped} == {0}


def test_a_trial_that_was_stopped_on_its_first_days_says_so_and_nothing_more():
    trial = plan()
    result = analyse_trial(trial, diary(trial, lambda *_: 1), until=trial.first_day)
    assert result.verdict is TrialVerdict.CANNOT_TELL
    assert result.adherence.changed + result.adherence.usual == 1


def test_none_that_was_written_down_counts_as_a_day_without():
    trial = plan()
    days = changed_days(trial)
    timeline = diary(trial, lambda *_: 1, exposed=lambda *_: False)
    none = tuple(Exposure(at(d, 20), "caffeine", amount=0.0) for d, changed in days.items() if changed)
    some = tuple(Exposure(at(d, 9), "caffeine", amount=1.0) for d, changed in days.items() if not changed)
    result = analyse_trial(trial, Timeline(timeline.person, ZONES, episodes=timeline.episodes, exposures=none + some))
    assert (result.adherence.changed, result.adherence.changed_present) == (14, 0)
    assert (result.adherence.usual, result.adherence.usual_present) == (14, 14)

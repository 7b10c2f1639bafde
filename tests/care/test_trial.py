from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.care.trial import Change, Strata, TrialPlan, check_plan, deal, design_trial
from unaji.care.trial_effect import Better
from unaji.care.trial_file import plan_toml, read_plan, write_plan
from unaji.errors import InputError, OutputError, UsageError

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
MONDAY = date(2026, 4, 6)


def plan(**changes: object) -> TrialPlan:
    asked: dict[str, object] = {
        "question": "コーヒーをやめると、熱さは減るか", "change": Change.AVOID, "kind": "caffeine",
        "outcome": "episodes", "start": MONDAY, "timezone": "Asia/Tokyo", "registered_at": NOON,
        "blocks": 14, "seed": 7,
    }  # fmt: skip
    return design_trial(**(asked | changes))  # type: ignore[arg-type]


@given(st.integers(2, 60), st.integers(0, 6), st.integers(0, 2**32))
def test_every_block_has_one_day_of_each_condition_and_never_mixes_work_and_rest(blocks, weekday, seed):
    periods = deal(MONDAY + timedelta(days=weekday), 1, blocks, Strata.WEEKDAY_WEEKEND, seed)
    assert len(periods) == 2 * blocks
    assert [p.first for p in periods] == sorted({p.first for p in periods})
    for number in range(1, blocks + 1):
        pair = [p for p in periods if p.block == number]
        assert sorted(p.changed for p in pair) == [False, True]
        assert len({p.first.weekday() >= 5 for p in pair}) == 1


def test_two_weeks_hold_seven_blocks_of_days():
    periods = deal(MONDAY, 1, 7, Strata.WEEKDAY_WEEKEND, 0)
    assert periods[-1].last == MONDAY + timedelta(days=13)
    assert Counter(p.first.weekday() >= 5 for p in periods) == {False: 10, True: 4}


def test_longer_periods_follow_each_other_without_a_gap():
    periods = deal(MONDAY, 14, 3, Strata.NONE, 5)
    assert [p.days for p in periods] == [14] * 6
    assert [p.block for p in periods] == [1, 1, 2, 2, 3, 3]
    assert all(a.last + timedelta(days=1) == b.first for a, b in pairwise(periods))


def test_the_order_is_dealt_by_chance_and_kept_by_the_seed():
    first = Counter(deal(MONDAY, 2, 1 + 1, Strata.NONE, seed)[0].changed for seed in range(400))
    assert 160 <= first[True] <= 240
    assert plan() == plan()
    assert plan(seed=8).periods != plan().periods


@given(st.integers(2, 60), st.integers(0, 6), st.integers(0, 2**31), st.integers(1, 20), st.sampled_from(Change))
def test_every_plan_that_is_made_passes_the_check_of_plans_that_are_read(blocks, weekday, seed, days, change):
    start = MONDAY + timedelta(days=weekday)
    kind = "acupuncture" if change is Change.TREAT else "exercise"
    check_plan(plan(blocks=blocks, start=start, seed=seed, period_days=days, washout_days=0, change=change, kind=kind))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "no_such"}, "not an exposure"),
        ({"change": Change.SEEK, "kind": "alcohol"}, "more alcohol harms"),
        ({"change": Change.SEEK, "kind": "exercise"}, "marked as unsafe"),
        ({"outcome": "luck"}, "is not known"),
        ({"periods": ()}, "28 periods, got 0"),
        ({"periods": plan().periods[::-1]}, "does not follow"),
        ({"periods": plan(blocks=15).periods[:1] * 28}, "does not follow"),
        ({"period_days": 2}, "lasts 2 days"),
        ({"periods": plan(start=date(9998, 1, 5)).periods}, "years 1900 to 2200, got 2026-04-01 to 9998"),
        ({"registered_at": datetime(1, 1, 1, tzinfo=UTC)}, "years 1900 to 2200, got 0001-01-01"),
    ],
)
def test_a_plan_that_could_not_have_been_made_is_refused_though_its_fingerprint_is_right(change, words):
    with pytest.raises(UsageError, match=words):
        check_plan(replace(plan(), **change), ("exercise",))


def test_a_treatment_gets_weeks_with_a_wash_out_and_an_exposure_days():
    course = plan(change=Change.TREAT, kind="acupuncture", outcome="neck_stiffness", blocks=3)
    assert (course.period_days, course.washout_days, course.strata) == (14, 7, Strata.NONE)
    assert course.minimal_important == 1.0
    days = plan()
    assert (days.period_days, days.washout_days, days.strata) == (1, 0, Strata.WEEKDAY_WEEKEND)
    assert days.minimal_important == 0.3


def test_better_sleep_is_higher_and_less_of_everything_else_is_better():
    assert plan(outcome="sleep_quality").better is Better.HIGHER
    assert plan(outcome="felt_heat").better is Better.LOWER


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"change": Change.SEEK, "kind": "alcohol"}, "more alcohol harms"),
        ({"change": Change.SEEK, "kind": "hot_bath", "unsafe": ["hot_bath"]}, "marked as unsafe"),
        ({"change": Change.AVOID, "kind": "medication"}, "by a doctor only"),
        ({"change": Change.AVOID, "kind": "sleep"}, "going without sleep harms"),
        ({"change": Change.AVOID, "kind": "check_in"}, "not an exposure that can be changed"),
        ({"kind": "coffee"}, "known are desk_work"),
        ({"outcome": "mood"}, "outcome 'mood' is not known"),
        ({"minimal_important": 1.5}, "a share between 0 and 1"),
        ({"outcome": "felt_heat", "minimal_important": 11}, "between 0 and 10 points"),
        ({"period_days": 0}, "a period lasts 1 to 366 days, got 0"),
        ({"washout_days": 1}, "must be fewer than a period's"),
        ({"blocks": 1}, "2 to 200 blocks, got 1"),
        ({"change": Change.TREAT, "kind": " "}, "the treatment has no name"),
    ],
)
def test_a_plan_that_harms_or_does_not_fit_is_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        plan(**changes)


@pytest.mark.parametrize(
    "change",
    [{}, {"question": 'a "quoted" \\ one\n in two lines'}, {"change": Change.TREAT, "kind": "鍼", "blocks": 3}],
)
def test_a_plan_reads_back_as_it_was_written(tmp_path, change):
    written = plan(**change)
    write_plan(written, tmp_path / "plan.toml")
    assert read_plan(tmp_path / "plan.toml") == written


def test_a_registered_plan_is_never_replaced(tmp_path):
    write_plan(plan(), tmp_path / "plan.toml")
    with pytest.raises(OutputError, match="never replaced"):
        write_plan(plan(seed=8), tmp_path / "plan.toml")
    with pytest.raises(OutputError, match="is the folder there"):
        write_plan(plan(), tmp_path / "nowhere" / "plan.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('outcome = "episodes"', 'outcome = "intensity"'),
        ("minimal_important = 0.3", "minimal_important = 0.1"),
        ("seed = 7", "seed = 8"),
        ("registered_at = 2026-04-01T03:00:00+00:00", "registered_at = 2026-03-01T03:00:00+00:00"),
        ('condition = "usual"', 'condition = "avoid"'),
        ("first = 2026-04-06", "first = 2026-04-05"),
        ('fingerprint = "', 'fingerprint = "0'),
    ],
)
def test_a_plan_changed_after_registration_is_refused(tmp_path, old, new):
    text = plan_toml(plan())
    assert old in text
    (tmp_path / "plan.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match="changed after it was registered"):
        read_plan(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format = 1", "format = 2", "reads format 1"),
        ("seed = 7", 'seed = "seven"', "seed must be a int, found 'seven'"),
        ('change = "avoid"', 'change = "ban"', "change must be one of avoid, seek, treat, found 'ban'"),
        ("Asia/Tokyo", "Asia/Tokio", "is not a time zone"),
        ("T03:00:00+00:00", "T03:00:00", "has no offset"),
        ("2026-04-01T03:00:00+00:00", "0001-01-01T03:00:00+09:00", "is no moment of the calendar"),
        ('condition = "usual"', 'condition = "off"', "entry .: condition must be avoid or usual, found 'off'"),
        ("first = 2026-04-06", "first = 6", "entry 1: first must be a date"),
        ("{ block = 1, ", "{ ", "entry 1: must be a table with block"),
        ("blocks = 14", "blocks = ", "cannot be read as TOML"),
    ],
)
def test_a_file_that_is_no_plan_says_what_is_wrong(tmp_path, old, new, words):
    (tmp_path / "plan.toml").write_text(plan_toml(plan()).replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_plan(tmp_path / "plan.toml")


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="unaji trial design"):
        read_plan(tmp_path / "plan.toml")


def test_a_plan_settled_after_its_first_day_is_marked():
    assert not plan().registered_late
    assert plan(start=date(2026, 3, 31)).registered_late
    assert replace(plan(), registered_at=datetime(2026, 4, 6, 14, tzinfo=UTC)).registered_late is False
    assert replace(plan(), registered_at=datetime(2026, 4, 6, 16, tzinfo=UTC)).registered_late  # the 7th in Tokyo

"""The result of a trial as a screen tells it: the words of the terminal, and a picture that shows what was compared."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from unaji.care.trial import Change, TrialPlan, design_trial
from unaji.care.trial_analysis import TrialResult, analyse_trial
from unaji.claims.graph import load_claims
from unaji.records.timeline import Episode, Exposure, Person, Rating, Timeline, Zones
from unaji.report.figures.trial import pairs_of, trial_figure
from unaji.report.trial import factor_name
from unaji.report.trial_page import trial_told
from unaji.report.words import catalogue

ZONES = Zones(("Asia/Tokyo",))
MONDAY = date(2026, 4, 6)


def plan(**changes: object) -> TrialPlan:
    asked: dict[str, object] = {
        "question": "Does it help?", "change": Change.AVOID, "kind": "caffeine", "outcome": "felt_heat",
        "start": MONDAY, "timezone": "Asia/Tokyo", "registered_at": datetime(2026, 4, 1, tzinfo=UTC),
        "blocks": 14, "seed": 7,
    }  # fmt: skip
    return design_trial(**(asked | changes))  # type: ignore[arg-type]


def lived(trial: TrialPlan, skipped: tuple[int, ...] = ()) -> TrialResult:
    """On changed days about 2 points and no episode, on usual ones about 5 and one; skipped blocks have no record."""
    ratings, episodes, marks = [], [], []
    for period in trial.periods:
        for k in range(period.days):
            if period.block in skipped:
                continue
            noon = ZONES.to_utc(datetime(2026, 4, 6, 12)) + (period.first - MONDAY) + timedelta(days=k)
            value = (2.0 if period.changed else 5.0) + 0.2 * (period.block % 3)
            ratings.append(Rating(noon, "felt_heat", value))
            marks.append(Exposure(noon + timedelta(hours=8), "check_in"))
            if not period.changed:
                episodes.append(Episode(noon))
    timeline = Timeline(Person("p", "Asia/Tokyo"), ZONES, episodes=tuple(episodes), ratings=tuple(ratings),
                        exposures=tuple(marks))  # fmt: skip
    return analyse_trial(trial, timeline)


def marks_in(svg: str) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for x, y, look in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+" class="([\w-]+)"', svg):
        found.setdefault(look, []).append((float(x), float(y)))
    return {look: places[:-1] for look, places in found.items()}  # the last is the legend's


@pytest.mark.parametrize("outcome", ["felt_heat", "episodes"])
def test_a_pair_has_a_mark_for_each_condition_where_there_is_a_record(outcome):
    result = lived(plan(outcome=outcome), skipped=(3,))
    figure = trial_figure(result, "it helped", catalogue("ja"))

    for drawn in (str(figure.phone), str(figure.desktop)):
        found = marks_in(drawn)
        changed, usual = found["measured-dot"], found["empty"]
        assert len(changed) == len(usual) == 13
        assert min(y for _, y in changed) > max(y for _, y in usual), "more is higher up"
    assert len(figure.table.rows) == 14
    assert figure.table.rows[2][1].endswith(catalogue("ja")("trial.figure.no_record"))


def test_a_course_of_treatment_is_drawn_period_by_period_without_its_wash_out():
    result = lived(plan(change=Change.TREAT, kind="acupuncture", blocks=3))
    assert [one.usual - one.changed for one in pairs_of(result)] == pytest.approx([3.0] * 3)
    assert {one.changed_period.compared_days for one in pairs_of(result)} == {7}


@pytest.mark.parametrize("blocks", [14, 42, 120])
def test_marks_of_neighbouring_pairs_do_not_touch_and_stay_inside(blocks):
    figure = trial_figure(lived(plan(blocks=blocks)), "", catalogue("en"))
    for drawn, width in ((str(figure.phone), 330), (str(figure.desktop), 720)):
        radius = float(re.search(r'r="([\d.]+)" class="measured-dot"', drawn).group(1))
        found = marks_in(drawn)
        xs = sorted(x for x, _ in found["measured-dot"] + found["empty"])
        assert xs[-1] + radius <= width
        if blocks < 100:
            assert min(b - a for a, b in pairwise(xs)) >= 2 * radius - 0.7


def test_what_is_told_are_the_words_of_the_terminal(language):
    words = catalogue(language)
    name = factor_name(plan(), load_claims("neck_heat"), words)
    told = trial_told(lived(plan()), (), name, language)

    assert told.verdict == "helps"
    what = {"ja": "カフェインを避ける", "en": "avoiding caffeine"}[language]
    assert told.answer == words("trial.verdict.helps", what=what)
    assert told.remarks[-1] == words("trial.knew")
    assert "90%" in told.effect[0]
    assert told.answer in told.figure.phone
    assert len(told.rows) == 2


def test_every_warning_of_the_analysis_is_told_before_that_the_days_were_known():
    result = replace(lived(plan()), warnings=("days_missing", "few_blocks"))
    told = trial_told(result, (), "カフェイン", "ja")
    assert "記録のない日" in told.remarks[0]
    assert len(told.remarks) == 3

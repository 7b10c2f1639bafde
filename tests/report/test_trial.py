from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from unaji.care.trial import Change, Period, TrialPlan, design_trial
from unaji.care.trial_analysis import Adherence, TrialDay, TrialPeriod, TrialResult
from unaji.care.trial_effect import Effect, TrialVerdict
from unaji.care.trial_power import Assumed, Power
from unaji.claims.graph import load_claims
from unaji.report.json import write
from unaji.report.trial import plan_json, print_plan, print_result, result_json
from unaji.report.words import catalogue

CLAIMS = load_claims("neck_heat")
NAN, INF = float("nan"), float("inf")


def plan(**changes: object) -> TrialPlan:
    asked: dict[str, object] = {
        "question": "?", "change": Change.AVOID, "kind": "caffeine", "outcome": "episodes", "start": date(2026, 4, 6),
        "timezone": "Asia/Tokyo", "registered_at": datetime(2026, 4, 1, tzinfo=UTC), "blocks": 7, "seed": 7,
    }  # fmt: skip
    return design_trial(**(asked | changes))  # type: ignore[arg-type]


COURSE = plan(change=Change.TREAT, kind="acupuncture", outcome="neck_stiffness", blocks=3)


def effect(estimate: float, low: float, high: float, p: float = 0.02) -> Effect:
    return Effect(estimate, low, high, 0.97, 0.7, 0.1, 1.2, 7, p)


def result(trial: TrialPlan, found: Effect, **changes: object) -> TrialResult:
    days = tuple(TrialDay(p.first, p.block, p.changed, True, 16.0, 1, 4.0, not p.changed) for p in trial.periods)
    asked: dict[str, object] = {
        "plan": trial, "days": days, "effect": found, "as_treated": replace(found, randomisation_p=NAN),
        "periods": tuple(
            TrialPeriod(p, p.days - trial.washout_days, 112.0, 4.0, int(p.changed)) for p in trial.periods
        ),
        "adherence": Adherence(7, 1, 7, 6), "verdict": TrialVerdict.HELPS, "finished": True, "warnings": (),
    }  # fmt: skip
    return TrialResult(**(asked | changes))  # type: ignore[arg-type]


def shown(told: TrialResult, language: str, flags: tuple = ()) -> str:
    out = io.StringIO()
    print_result(told, flags, CLAIMS, Console(file=out, width=80, color_system=None), language)
    return out.getvalue()


def planned(trial: TrialPlan, language: str, tells: float = 0.3, needed: int | None = 40) -> str:
    out = io.StringIO()
    chances = Power(Assumed(), 0.5, tells, tells / 2, 0.08, needed)
    print_plan(trial, chances, CLAIMS, Console(file=out, width=80, color_system=None), language)
    return out.getvalue()


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    "trial", [plan(), COURSE, plan(outcome="intensity"), plan(change=Change.SEEK, kind="exercise")]
)
def test_no_line_is_wider_than_80_cells_and_it_is_no_diagnosis(trial, language):
    for text in (planned(trial, language), shown(result(trial, effect(0.5, 0.3, 0.8)), language)):
        assert [line for line in text.splitlines() if cell_len(line) > 80] == []
        assert re.sub(r"\s", "", catalogue(language)("not_a_diagnosis")) in re.sub(r"\s", "", text)


@pytest.mark.parametrize("verdict", list(TrialVerdict))
def test_every_verdict_has_its_words(verdict):
    words = catalogue("ja")
    told = shown(result(plan(), effect(0.5, 0.3, 0.8), verdict=verdict), "ja")
    assert words(f"trial.verdict.{verdict}", what="カフェインを避ける") in told


def test_the_size_is_said_with_its_interval_and_its_chances():
    told = flat(shown(result(plan(), effect(0.52, 0.31, 0.84)), "en"))
    assert "changed days had 0.5 times as many as usual ones (90% interval 0.3–0.8 times)" in told
    assert "Probability that it got better: 97%; by a difference that matters: 70%" in told
    assert told.count("from the order drawn alone: 2%") == 1  # chance did not deal what was really done
    points = flat(shown(result(COURSE, effect(-1.23, -2.0, 0.4)), "en"))
    assert "by \N{MINUS SIGN}1.2 points (90% interval \N{MINUS SIGN}2.0–+0.4)" in points
    assert "all came on changed days (90% interval from 1.4 times)" in flat(
        shown(result(plan(), effect(INF, 1.4, INF)), "en")
    )
    assert "too few pairs" in flat(shown(result(plan(), effect(NAN, NAN, NAN)), "en"))


def test_days_are_summed_up_and_longer_periods_listed():
    days = shown(result(plan(), effect(0.5, 0.3, 0.8)), "en")
    assert "Days with caffeine: 1 of 7 that were to be changed, 6 of 7 as usual" in days
    assert "7 episodes in 7 days" in days
    weeks = shown(result(COURSE, effect(-1, -2, 0)), "en")
    assert weeks.count("mean 4.0 over 7 days") == 6


def test_every_remark_is_said(language):
    codes = (
        "registered_late", "unfinished", "few_blocks", "poor_adherence", "no_contrast", "days_missing",
        "days_missing_unequally",
    )  # fmt: skip
    told = re.sub(r"\s", "", shown(result(plan(), effect(0.5, 0.3, 0.8), warnings=codes), language))
    for code in codes:
        assert re.sub(r"\s", "", catalogue(language)(f"trial.remark.{code}")) in told


def test_the_calendar_marks_the_changed_days():
    text = planned(plan(), "en")
    rows = [line for line in text.splitlines() if "week of" in line]
    marks = " ".join(rows).count(" x"), " ".join(rows).count(" .")
    assert marks == (7, 7)
    assert "week of 6 April" in rows[0]


def test_longer_periods_are_listed_with_their_wash_out():
    text = planned(COURSE, "en")
    assert "6 April – 19 April" in text
    assert "The first 7 days of every period are not compared" in flat(text)


@pytest.mark.parametrize(
    ("tells", "needed", "words"),
    [(0.3, 40, ("hardly tell", "With 40 pairs")), (0.6, None, ("Not even 120 pairs",)), (0.9, 7, ())],
)
def test_a_plan_says_when_it_cannot_tell(tells, needed, words):
    text = flat(planned(plan(), "en", tells, needed))
    for sign in ("hardly tell", "With 40 pairs", "Not even 120 pairs"):
        assert (sign in text) is (sign in words)


def test_a_plan_names_the_signs_that_come_first():
    text = flat(planned(plan(), "en"))
    assert "Stop whenever you feel unwell" in text
    assert "worst pain" in text or "worst" in text


def test_json_has_no_nan_and_the_same_names_everywhere():
    told = result_json(result(plan(), effect(INF, 1.4, INF)), (), "p", "en")
    text = write(told)
    assert told["effect"]["estimate"] is None
    assert told["periods"][0]["condition"] in ("avoid", "usual")
    assert "NaN" not in text
    assert plan_json(plan(), Power(Assumed(), 0.5, 0.3, 0.1, 0.05, None))["power"]["blocks_needed"] is None


def test_a_period_is_counted_with_both_its_ends():
    assert Period(1, date(2026, 4, 6), date(2026, 4, 19), True).days == 14

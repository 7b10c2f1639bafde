from __future__ import annotations

import io
import math
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from unaji.causes.attribution import SignalState
from unaji.causes.features import MEAN_LAGS_MIN
from unaji.report.figures.weeks import Week
from unaji.report.marks import DRAWN, interval_bar
from unaji.report.story.story import tell
from unaji.report.terminal import print_summary
from unaji.report.terminal_charts import hourly_counts, weekly_counts
from unaji.report.words import catalogue

GOLDEN = Path(__file__).parents[1] / "golden"


def summary(findings, language, width=80):
    out = io.StringIO()
    print_summary(findings, Console(file=out, width=width, color_system=None), language)
    return out.getvalue()


def test_summary_of_the_rich_person_is_the_stored_one(people, language):
    stored = (GOLDEN / f"rich.{language}.txt").read_text(encoding="utf-8")
    assert summary(people["rich"](), language) == stored


def test_no_line_is_wider_than_80_cells(findings, language):
    wide = [line for line in summary(findings, language).splitlines() if cell_len(line) > 80]
    assert wide == []


def test_the_doctor_comes_before_the_answer(findings, language):
    words = catalogue(language)
    text = summary(findings, language)
    assert text.index(words("section.doctor")) < text.index(f"\n{words('answer.label')}\n")


def test_a_fever_is_named_before_the_answer(people, language):
    words = catalogue(language)
    before = summary(people["fever"](), language).split(f"\n{words('answer.label')}\n")[0]
    assert words("flag.today") in before
    assert "38.6℃" in before


def test_a_simulated_person_is_labelled_in_the_first_line(people, language):
    label = catalogue(language)("simulated")
    assert label in summary(people["rich"](), language).splitlines()[0]
    assert label not in summary(people["null"](), language)


def test_it_says_that_it_is_no_diagnosis(findings, language):
    flat = re.sub(r"\s+", "", summary(findings, language))
    assert re.sub(r"\s+", "", catalogue(language)("not_a_diagnosis")) in flat


def test_finding_no_sign_is_never_called_safe(people):
    text = summary(people["rich"](), "ja")
    assert "今回の質問では見つかりませんでした" in text
    assert "「安全」という意味ではありません" in text


# -- pictures ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(people):
    """The rich person, with the delays of each factor around two hours."""
    findings = people["rich"]()
    causes = tuple(replace(one, entry_p=(0.0, 0.0, 0.1, 0.8, 0.1)) for one in findings.attribution.causes)
    return replace(findings, attribution=replace(findings.attribution, causes=causes))


@pytest.mark.parametrize("width", [60, 66, 80, 100, 120])
def test_every_bar_and_curve_stays_whole_in_every_width(drawn, language, width):
    text = summary(drawn, language, width)
    words = catalogue(language)
    assert max(map(cell_len, text.splitlines())) <= width
    factors = tell(drawn, words).candidates.factors
    bars = [interval_bar(one.tens, DRAWN, 2 if width >= 100 else 1) for one in factors if one.tens]
    rows = text.split(words("section.behind"))[1].split(words("terminal.lag_heading"))
    assert [run for run in re.findall("[⠒⠶⣿]+", rows[0]) if len(run) > 1] == bars
    curves = re.findall("[\u2800-\u28ff]{10,}", rows[1])
    cells = min(40, max(16, width - 56))
    assert [len(one) for one in curves] == [cells] * len([one for one in factors if one.lag]) == [cells] * 2


def test_a_delay_is_drawn_highest_at_its_mean(drawn):
    """On an axis of ratios t f(t) of a Gamma density is highest at its mean; with all weight on one kernel, there."""
    mean_min = MEAN_LAGS_MIN[3]
    factor = replace(drawn.attribution.causes[0], entry_p=(0.0, 0.0, 0.0, 1.0, 0.0))
    findings = replace(drawn, attribution=replace(drawn.attribution, causes=(factor, *drawn.attribution.causes[1:])))
    text = summary(findings, "ja", 120).split(catalogue("ja")("terminal.lag_heading"))[1]
    shape = re.findall("[\u2800-\u28ff]{10,}", text)[0]
    full = [i for i, sign in enumerate(shape) if sign == "⣿"]
    at = math.log(mean_min / 5) / math.log(2880 / 5) * len(shape) - 0.5
    assert full[0] <= at <= full[-1]
    assert len(full) < len(shape) / 2


def test_nothing_before_a_mark_has_a_width_that_terminals_disagree_on(drawn, language):
    """A sign of ambiguous width (–, —, ℃) before a mark would push it out of its column in some."""
    marks = set(DRAWN.signs) - {" ", "\N{BRAILLE PATTERN BLANK}"}
    before = [
        line[: max(i for i, sign in enumerate(line) if sign in marks)]
        for line in summary(drawn, language).splitlines()
        if marks & set(line)
    ]
    assert len(before) > 15
    assert [line for line in before if any(unicodedata.east_asian_width(sign) == "A" for sign in line)] == []


def test_what_is_not_recorded_is_listed_once_and_what_is_said_of_many_is_said_once(people, language):
    findings = people["rich"]()
    missing = replace(findings, design=replace(findings.design, missing=("sleep_debt",)))
    words = catalogue(language)
    name = next(one.name for one in tell(missing, words).candidates.factors if one.id == "sleep_debt")
    table = summary(missing, language).split(words("section.behind"))[1].split(words("section.not_behind"))[0]
    assert name not in table
    assert name in tell(missing, words).open.missing
    causes = tuple(
        replace(one, signal=SignalState.NO_CONTRAST) if one.id == "sleep_debt" else one
        for one in findings.attribution.causes
    )
    same = replace(findings, attribution=replace(findings.attribution, causes=causes))
    both = {line.text for line in tell(same, words).open.lines if line.factor.id in ("alcohol", "sleep_debt")}
    assert len(both) == 1
    assert re.sub(r"\s+", "", summary(same, language)).count(re.sub(r"\s+", "", both.pop())) == 1


def test_few_episodes_have_no_bars_but_are_counted(people, language):
    text = summary(people["four_episodes"](), language)
    assert "4" in text.split(catalogue(language)("section.when"))[1].splitlines()[1]
    assert not {DRAWN.inside, DRAWN.outside} & set(text)


def test_nobody_without_episodes_is_told_when_it_was_hot(people, language):
    assert catalogue(language)("section.when") not in summary(people["no_episodes"](), language)


def test_the_summary_stays_within_about_a_hundred_lines(findings, language):
    assert len(summary(findings, language).splitlines()) <= 115


def test_hours_are_those_of_the_persons_clock_and_of_no_fever(people):
    findings = people["fever"]()
    zone = ZoneInfo("Asia/Tokyo")
    known = [one.episode.start for one in findings.episodes if not one.fever]
    counts = hourly_counts(findings)
    assert counts == tuple(
        sum(start.astimezone(zone).hour == hour for start in known) if 7 <= hour < 23 else None for hour in range(24)
    )  # nights are on no record
    whole_days = replace(
        findings,
        episodes=tuple(replace(one, episode=replace(one.episode, whole_day=True)) for one in findings.episodes),
    )
    assert {n for n in hourly_counts(whole_days) if n is not None} == {0}
    assert catalogue("ja")("terminal.untimed", n=len(known)) in summary(whole_days, "ja")


def test_a_week_without_any_record_is_a_gap_and_weeks_are_joined_where_they_have_no_room():
    weeks = [
        Week(1, 3, 1.0, 1.0, 0.0, 3.0, False, 1.0),
        Week(2, 0, 1.0, 1.0, 0.0, 3.0, False, 1.0),
        Week(3, 0, 0.0, 0.0, 0.0, 3.0, False, 0.0),
        Week(4, 2, 1.0, 1.0, 0.0, 3.0, False, 0.0),
        Week(5, 1, 1.0, 1.0, 0.0, 3.0, False, 0.5),
    ]
    assert weekly_counts(weeks, 1) == (3, 0, None, 2, 1)
    assert weekly_counts(weeks, 2) == (3, 2, 1)


def test_years_of_weeks_fit_and_say_how_many_stand_together(people, language):
    findings = people["rich"].__wrapped__(days=7 * 130, n=60)
    text = summary(findings, language, 60)
    words = catalogue(language)
    assert words("terminal.weeks_of", weeks=3, range=".", n=60).split(".")[0].strip() in text
    assert max(map(cell_len, text.splitlines())) <= 60


def test_sessions_stand_under_their_weeks(people):
    """From day 41 on every fifth day: weeks 6 to 10 of 12."""
    lines = summary(people["rich"](), "ja").splitlines()
    (row,) = (line for line in lines if line.strip().startswith(DRAWN.session) and "施術" not in line)
    assert [i - 2 for i, sign in enumerate(row) if sign == DRAWN.session] == [5, 6, 7, 8, 9]


RATED = {
    "ja": ("首・肩のこり(0〜10)は、前の2週間の5.8から、終わりの2週間の3.9になりました", "意味のある変化とは言えません"),
    "en": ("stiffness of neck and shoulders, 0 to 10: 5.8 in the two weeks before, 3.9", "too small, or too uncertain"),
}


def test_ratings_stand_beside_a_treatment_with_what_would_have_come_anyway(people, language):
    told, unsure = RATED[language]
    (course,) = tell(people["rich"](), catalogue(language)).courses
    stiffness, pain = (s for s in course.sentences if "0〜10" in s or "0 to 10" in s)
    assert told in stiffness
    assert "−1.9" in stiffness
    assert "−2.6" in stiffness
    assert "−0.7" in stiffness
    assert unsure in pain
    assert "−0.7" not in pain  # too short a record to say what would have come anyway

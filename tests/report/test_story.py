from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from tests.report.synthetic import result, rich
from unaji.care.next_observation import NextObservation
from unaji.causes.attribution import Verdict
from unaji.claims.model import Urgency
from unaji.records.timeline import Problem, Series, utc_ms
from unaji.report.html import to_html
from unaji.report.story.answer import AnswerKind
from unaji.report.story.safety import fever_day_counts
from unaji.report.story.story import tell
from unaji.report.story.warmth import Warmth, warmth_of, way_of
from unaji.report.words import catalogue

JA, EN = catalogue("ja"), catalogue("en")


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("rich", AnswerKind.NAMED, "10回のうち約4回に、気圧の急な低下が関わっていたと見られます(ほぼ確か 97%)"),
        ("null", AnswerKind.NULL, "記録の中には、説明が見つかりませんでした"),
        ("undecided", AnswerKind.OPEN, "どれが関わっているかは、まだ言えません"),
        ("four_episodes", AnswerKind.FEW, "4回では、まだ言えません。"),
        ("pair", AnswerKind.PAIR, "緊張・ストレスかうつむいた机仕事の、どちらかが関わっていそうです(93%)"),
    ],
)
def test_the_answer_in_one_sentence(people, name, kind, sentence):
    story = tell(people[name](), JA)
    assert story.answer.kind is kind
    assert story.answer.full(JA) == sentence


def test_without_episodes_the_answer_is_the_bound_on_the_rate(people):
    # The upper 95 % bound after nothing in T is 3/T: 3 in 4 weeks is 0.75 a week.
    story = tell(people["no_episodes"](), JA)
    assert story.answer.kind is AnswerKind.NONE
    assert "週に0.8回まで" in story.answer.sentence


def test_a_likely_factor_is_said_with_a_hedge(people):
    findings = people["rich"]()
    likely = replace(findings, attribution=replace(findings.attribution, causes=findings.attribution.causes[1:]))
    assert tell(likely, JA).answer.sentence == "10回のうち約2回に、うつむいた机仕事が関わっていそうです"
    assert "probably" in tell(likely, EN).answer.sentence


def test_causes_stand_in_order_of_verdict_then_share(people):
    ids = [one.id for one in tell(people["rich"](), JA).candidates.factors]
    assert ids[:3] == ["pressure_drop", "desk_load", "caffeine"]
    assert set(ids[-2:]) == {"alcohol", "sleep_debt"}


def test_with_few_episodes_the_order_is_the_one_they_came_in(people):
    findings = people["four_episodes"]()
    assert [one.id for one in tell(findings, JA).candidates.factors] == [one.id for one in findings.attribution.causes]


def test_squares_of_the_rich_person_worked_by_hand(people):
    # 40 % pressure, 19 % desk, 10 % others, 3 % echo, 30 % background: 1.02 in all, so 3.92, 1.86, 0.98, 0.29, 2.94.
    squares = {one.kind: one.n for one in tell(people["rich"](), JA).squares}
    assert squares == {"weather": 4, "posture": 2, "other": 1, "background": 3}


def test_a_cause_with_a_low_grade_is_said_to_be_unproven_in_medicine(people):
    factor = tell(people["rich"](), JA).candidates.factors[0]
    assert any("医学でまだ確かめられていません" in note for note in factor.notes)


def test_unlikely_is_only_said_with_its_bound(people):
    for line in tell(people["rich"](), JA).not_behind.lines:
        assert "上限" in line.text


def test_what_was_not_recorded_is_named_once_and_offered_as_a_step(people):
    story = tell(people["no_episodes"](), JA)
    assert story.open.missing == "記録がないもの:お酒、睡眠不足"
    assert any("お酒、睡眠不足を記録しはじめる" in step.what for step in story.open.steps)


def test_how_much_more_to_log_is_a_range_rounded_outwards(people):
    story = tell(people["rich"](), JA)
    coffee = next(line for line in story.open.lines if line.factor.id == "caffeine")
    assert coffee.text == "あと14〜32回の記録(約3〜8週間)で、分かる見込みです。"


def test_a_range_that_reaches_beyond_a_year_is_not_said_as_a_promise(people):
    findings = people["rich"]()
    more = replace(findings.more_data[0], weeks_high=110.0, episodes_high=500.0)
    story = tell(replace(findings, more_data=(more,)), JA)
    coffee = next(line for line in story.open.lines if line.factor.id == "caffeine")
    assert coffee.text == "あと22回ほどの記録(約6週間)が目安ですが、1年以上かかることもあります。"


def test_a_bound_of_nothing_is_not_said_of_what_is_too_seldom_to_tell(people):
    seldom = result("caffeine", Verdict.CANNOT_TELL, 0.01, (0.0, 0.0, 0.0), 46)
    coffee = next(line for line in tell(rich(causes=(seldom,)), JA).open.lines if line.factor.id == "caffeine")
    assert "10回に0回" not in coffee.text
    assert coffee.text.startswith("記録が少なく、関わるとも、関わらないとも言えません。")


@pytest.mark.parametrize(
    ("pathway", "warmth", "way"),
    [
        ({"vascular": 0.7, "sensory": 0.2, "undetermined": 0.1}, Warmth.WARM, "vascular"),
        ({"vascular": 0.3, "muscle": 0.35, "sensory": 0.35}, Warmth.WARM, "muscle"),
        ({"sensory": 0.6, "vascular": 0.4}, Warmth.FELT, "sensory"),
        ({"undetermined": 1.0}, Warmth.UNMEASURED, "undetermined"),
        ({"undetermined": 0.6, "vascular": 0.4}, Warmth.UNMEASURED, "undetermined"),
        ({}, Warmth.UNMEASURED, "undetermined"),
    ],
)
def test_warm_felt_or_not_measured(people, pathway, warmth, way):
    one = replace(people["rich"]().episodes[0], pathway=pathway)
    assert warmth_of(one) is warmth
    assert way_of(one) == way


def test_fever_episodes_are_counted_apart(people):
    plain, sick = tell(people["rich"](), JA), tell(people["fever"](), JA)
    assert sick.warmths.counts == plain.warmths.counts
    assert sick.safety.fever_days == "発熱のあった1回(4月25日)は別に数え、ほかの説明には入れていません。"


def test_the_most_urgent_active_sign_speaks_first(people):
    story = tell(people["emergency"](), JA)
    assert story.safety.urgency is Urgency.EMERGENCY
    assert [sign.id for sign in story.safety.signs] == ["thunderclap", "fever"]
    assert tell(people["fever"](), JA).safety.urgency is Urgency.TODAY
    assert tell(people["old_fever"](), JA).safety.urgency is None


def test_fever_days_are_days_of_the_persons_own_clock(people):
    findings = people["null"]()
    # 15:00 UTC is midnight in Tokyo: one reading before it and one after it are two days.
    midnight = findings.observed.period.start + timedelta(days=5)
    times = np.array([utc_ms(midnight - timedelta(minutes=1)), utc_ms(midnight + timedelta(minutes=1))])
    series = Series("core_temp_c", times, np.array([37.9, 38.0]))
    assert fever_day_counts(replace(findings.timeline, series=(series,))) == (2, 1)


def test_treatment_shows_the_crude_change_beside_the_adjusted_one(people):
    course = tell(people["rich"](), JA).courses[0]
    assert course.adjusted == "−13%"
    assert course.adjusted_range == "−38%〜+20%(90%の幅)"
    assert "いちばん多い2週間" not in "".join(course.sentences)  # it rose: there is no fall to explain


def test_a_fall_after_the_worst_fortnight_is_marked(people):
    findings = people["rich"]()
    fell = replace(findings.treatments[0], before_after_ratio=0.8)
    course = tell(replace(findings, treatments=(fell,)), JA).courses[0]
    assert "いちばん多い2週間" in "".join(course.sentences)


@pytest.mark.parametrize(
    ("ratio", "crude", "sentence"),
    [
        ((0.6, 0.4, 0.9), 0.5, "鍼のあと回数が減り、ほかの理由では説明しにくい結果でした"),
        ((1.6, 1.2, 2.1), 1.5, "鍼のあと回数が増え、ほかの理由では説明しにくい結果でした"),
        ((0.9, 0.6, 1.3), 0.5, "回数は減りましたが、鍼の効果とはまだ言えません"),
        ((0.9, 0.6, 1.3), 1.5, "回数は減っておらず、鍼に効果があるとはまだ言えません"),
        ((0.9, 0.6, 1.3), float("nan"), "鍼に効果があるかは、まだ言えません"),
    ],
)
def test_an_effect_is_only_claimed_when_the_interval_is_clear_of_one(people, ratio, crude, sentence):
    findings = people["rich"]()
    effect = findings.treatments[0]
    estimate = replace(effect.ratio, mean=ratio[0], p5=ratio[1], p95=ratio[2])
    told = replace(findings, treatments=(replace(effect, ratio=estimate, before_after_ratio=crude),))
    assert tell(told, JA).treatment_heading == sentence


def test_a_warning_without_words_of_its_own_is_shown_as_it_is(people):
    story = tell(replace(people["rich"](), warnings=("nights_assumed:3", "something_new:1")), JA)
    assert "3夜" in story.method.remarks[0]
    assert story.method.remarks[1] == "something_new:1"


def test_what_was_left_out_is_said_in_the_language_of_the_report_as_far_as_it_can_be(people):
    findings = people["rich"]()
    late = Problem("episodes.csv", 12, "2031-01-01", "lies in the future: is the year right?")
    odd = Problem("x.csv", None, "", "the moon is in the way", rejected=False)
    findings = replace(findings, timeline=replace(findings.timeline, problems=(late, odd)))
    assert tell(findings, JA).method.problems == (
        (("episodes.csv 12行目 '2031-01-01': 未来の時刻の行です。年が正しいか、確かめてください。", "ja"), True),
        (("x.csv: the moon is in the way", "en"), False),
    )
    assert tell(findings, EN).method.problems[0] == ((str(late), "en"), True)
    page = to_html(findings, "ja")
    assert '<li><span lang="en">x.csv: the moon is in the way</span> (' in page
    assert "<li><span>episodes.csv 12行目" in page


def test_only_sources_that_are_spoken_of_are_listed(people):
    assert [one.id for one in tell(people["rich"](), JA).method.sources] == ["s1", "s2"]


@pytest.mark.parametrize(
    ("would_tell", "step"),
    [
        ({}, "うなじの皮膚の温度を測る"),
        ({"core": 0.4, "nape": 0.1}, "体温計で体温を測る"),
        ({"pressure_pain": 0.9, "finger": 0.3, "nape": 0.2}, "指先の皮膚の温度も測る"),
        ({"pulse": 0.2}, "1分間の脈を数える"),
    ],
)
def test_where_episodes_stay_undetermined_the_one_measurement_that_would_tell_most_is_proposed(
    people, would_tell, step
):
    """Never pressure pain, which has no column to be recorded in."""
    findings = people["rich"]()
    unknown = {"undetermined": 1.0}
    episodes = tuple(replace(e, pathway=unknown, measured={}, would_tell=would_tell) for e in findings.episodes)
    steps = tell(replace(findings, episodes=episodes), JA).open.steps
    assert sum(step in one.what for one in steps) == 1


AVOID = NextObservation("avoid", "caffeine", 0.7, 0.05, 0.3, 0.04, 0.42, 0.18, (), date(2026, 5, 1), 3)


def test_what_would_surely_teach_more_is_proposed_with_its_chance_and_only_one_thing_at_a_time(people):
    more = (AVOID, replace(AVOID, do="record", id="desk_load", bits=0.6))
    steps = tell(replace(people["rich"](), next_observation=more), JA).open.steps
    lots = [step for step in steps if "くじ" in step.what or "抜けなく" in step.what]
    assert [step.what for step in lots] == ["コーヒーを避ける日を、くじで決める"]
    assert "白黒つく見込みは42%、ただ記録を続けると18%" in lots[0].why


def test_what_would_hardly_teach_more_than_going_on_is_not_proposed(people):
    little = (replace(AVOID, more_bits=0.12, more_bits_mcse=0.08), replace(AVOID, do="go_on", id="", more_bits=0.0))
    steps = tell(replace(people["rich"](), next_observation=little), EN).open.steps
    assert not any("lots" in step.what for step in steps)

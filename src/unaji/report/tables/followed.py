"""Tables of care and of the record: what to do next, what sessions changed, weeks, signals, sources, checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from unaji.care.more_data import MoreData
from unaji.care.next_observation import NextObservation
from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.care.weeks import DAYS
from unaji.causes.attribution import Estimate
from unaji.claims.model import Cause, Source
from unaji.quantities import RATINGS
from unaji.records.timeline import Problem
from unaji.report.figures.time_axis import Calendar
from unaji.report.figures.weeks import Week, by_week
from unaji.report.figures.whole import Row, signal_rows
from unaji.report.json import number, to_json
from unaji.report.story.questions import Step
from unaji.report.story.treatment import treatment_name
from unaji.report.tables.explained import LIST
from unaji.report.tables.sheet import Field, Sheet, estimated, field, sheet
from unaji.report.told import EN, JA, Told

# -- what to do next ---------------------------------------------------------------------------------------------------


def next_steps(told: Told) -> Sheet:
    """Give what to log or try next, in the report's order and words."""
    fields: list[Field[tuple[Step, Step]]] = [
        field("what_ja", "", "すること(日本語)", "what to do, in Japanese", lambda one: one[0].what),
        field("what_en", "", "すること(英語)", "what to do, in English", lambda one: one[1].what),
        field("why_ja", "", "理由(日本語)", "why, in Japanese", lambda one: one[0].why),
        field("why_en", "", "理由(英語)", "why, in English", lambda one: one[1].why),
    ]
    steps = told.each(lambda story: story.open.steps)
    return sheet("next_steps", "次に記録すること・試すこと", "what to log or try next", fields, steps)


def more_data(told: Told) -> Sheet:
    """Give how much more each open question would need."""
    fields: list[Field[MoreData]] = [
        field("id", "", "要因のid", "id of the factor", lambda one: one.id),
        field("episodes_p20", "1", "あと何回(20%点)", "further episodes, 20 %", lambda one: number(one.episodes_low)),
        field("episodes_p50", "1", "あと何回(50%点)", "further episodes, 50 %", lambda one: number(one.episodes_mid)),
        field("episodes_p80", "1", "あと何回(80%点)", "further episodes, 80 %", lambda one: number(one.episodes_high)),
        field("weeks_p20", "wk", "あと何週(20%点)", "further weeks, 20 %", lambda one: number(one.weeks_low)),
        field("weeks_p50", "wk", "あと何週(50%点)", "further weeks, 50 %", lambda one: number(one.weeks_mid)),
        field("weeks_p80", "wk", "あと何週(80%点)", "further weeks, 80 %", lambda one: number(one.weeks_high)),
        field("settles", "", "1年のうちに決まるか", "settled within a year", lambda one: one.settles),
    ]
    rows = told.findings.more_data
    return sheet("more_data", "決まるまでに要る記録", "how much more each open question needs", fields, rows)


def next_observation(told: Told) -> Sheet:
    """Give the ways to spend the coming four weeks and what each would teach."""
    fields: list[Field[NextObservation]] = [
        field("do", "", "すること", "go_on, record, avoid, seek", lambda one: one.do),
        field("id", "", "要因のid", "id of the factor", lambda one: one.id),
        field("teaches_bit", "bit", "分かる量", "what it would teach", lambda one: number(one.bits)),
        field("teaches_mcse_bit", "bit", "その計算の誤差", "computing error", lambda one: number(one.bits_mcse)),
        field("more_bit", "bit", "今のままより多く分かる量", "more than going on", lambda one: number(one.more_bits)),
        field("more_mcse_bit", "bit", "その計算の誤差", "computing error", lambda one: number(one.more_bits_mcse)),
        field("worth_it", "", "する値打ちがあるか", "is it worth it", lambda one: one.worth_it),
        field("settles", "1", "決まる見込み", "chance that it settles", lambda one: number(one.settles)),
        field("settles_if_going_on", "1", "今のままで決まる見込み", "chance when going on", _settles_anyway),
        field("first_day", "", "最初の日", "first of the 28 days", lambda one: one.first_day),
        field("days", "", "くじで決めた日", "days dealt by lot", lambda one: LIST.join(map(date.isoformat, one.days))),
        field("seed", "", "くじの種", "seed of the lot", lambda one: one.seed),
    ]
    rows = told.findings.next_observation
    return sheet("next_observation", "これからの4週間", "the coming four weeks", fields, rows)


def _settles_anyway(one: NextObservation) -> float | None:
    return number(one.settles_if_going_on)


# -- what the sessions changed -----------------------------------------------------------------------------------------


def treatment_effects(told: Told) -> Sheet:
    """Give what the sessions of each kind changed: the crude comparison beside the adjusted one."""
    findings = told.findings
    fields: list[Field[TreatmentEffect]] = [
        field("kind", "", "施術", "kind of treatment", lambda one: one.kind),
        field("name_ja", "", "名前(日本語)", "name in Japanese", lambda one: treatment_name(findings, one.kind, JA)),
        field("name_en", "", "名前(英語)", "name in English", lambda one: treatment_name(findings, one.kind, EN)),
        field("sessions", "1", "回数", "sessions", lambda one: one.sessions),
        *estimated("ratio", "1", "条件をそろえた回数の比", "with over without, all else the same", _ratio),
        field("p_better", "1", "減らした見込み", "probability of fewer", lambda one: number(one.p_better)),
        field("p_worse", "1", "増やした見込み", "probability of more", lambda one: number(one.p_worse)),
        field("before_after_ratio", "1", "前後の比(そのまま)", "crude: rate after over before", _crude),
        field("episodes_before", "1", "前の回数", "episodes before", lambda one: one.episodes_before),
        field("before_d", "d", "前の日数", "days before", lambda one: one.days_before),
        field("episodes_after", "1", "後の回数", "episodes after", lambda one: one.episodes_after),
        field("after_d", "d", "後の日数", "days after", lambda one: one.days_after),
        field(
            "after_worst_fortnight",
            "",
            "最悪の2週間のあとか",
            "began at the worst",
            lambda one: one.after_worst_fortnight,
        ),
    ]
    return sheet("treatment_effects", "施術", "what the sessions changed", fields, findings.treatments)


def _ratio(one: TreatmentEffect) -> Estimate:
    return one.ratio


def _crude(one: TreatmentEffect) -> float | None:
    return number(one.before_after_ratio)


def rating_courses(told: Told) -> Sheet:
    """Give each rating before and after the sessions of each kind."""
    fields: list[Field[ItemCourse]] = [
        field("item", "", "点数の名前", "name of the rating", lambda one: one.item),
        field("item_ja", "", "点数(日本語)", "the same in Japanese", lambda one: RATINGS[one.item].ja),
        field("item_en", "", "点数(英語)", "the same in English", lambda one: RATINGS[one.item].en),
        field("kind", "", "施術", "kind of treatment", lambda one: one.kind),
        field("before_0_10", "1", "前の平均(0〜10)", "mean before, 0 to 10", lambda one: number(one.before)),
        field("before_d", "d", "前の日数", "days before", lambda one: one.days_before),
        field("after_0_10", "1", "後の平均(0〜10)", "mean after, 0 to 10", lambda one: number(one.after)),
        field("after_d", "d", "後の日数", "days after", lambda one: one.days_after),
        *estimated("change", "1", "差", "change", lambda one: Estimate(one.change, one.low, one.high)),
        field(
            "expected_anyway", "1", "何もしなくても見込まれた差", "to expect anyway", lambda one: number(one.regression)
        ),
        field("important", "", "1点以上よくなったか", "better by one point", lambda one: one.important),
        field("reliable", "", "誤差を超えたか(90%)", "beyond chance, 90 %", lambda one: one.reliable),
        field("responded", "", "3割以上よくなったか", "better by 30 %", lambda one: one.responded),
        field(
            "after_worst_fortnight",
            "",
            "最悪の2週間のあとか",
            "began at the worst",
            lambda one: one.after_worst_fortnight,
        ),
    ]
    return sheet("rating_courses", "施術の前後の点数", "ratings before and after", fields, told.findings.outcomes)


# -- the record --------------------------------------------------------------------------------------------------------


def weeks(told: Told) -> Sheet:
    """Give episodes a week beside what was to be expected without the sessions."""
    calendar = Calendar(told.findings)

    def first_day(one: Week) -> date:
        return calendar.first + timedelta(days=DAYS * (one.number - 1))

    fields: list[Field[Week]] = [
        field("week", "", "週の番号", "number of the week", lambda one: one.number),
        field("first_day", "", "週の最初の日", "its first day", first_day),
        field("episodes", "1", "回数(発熱の回を除く)", "episodes without those in a fever", lambda one: one.count),
        field(
            "fitted", "1", "計算した値(施術も入れて)", "as computed, treatment included", lambda one: number(one.fitted)
        ),
        field("expected", "1", "施術なしの見込み", "expected without treatment", lambda one: number(one.expected)),
        field(
            "expected_p5",
            "1",
            "施術なしの回数の90%の幅の下",
            "counts without it, 90 %: lower",
            lambda one: number(one.low),
        ),
        field(
            "expected_p95",
            "1",
            "施術なしの回数の90%の幅の上",
            "counts without it, 90 %: upper",
            lambda one: number(one.high),
        ),
        field("treated", "", "施術が働いている週か", "does treatment act in it", lambda one: one.treated),
        field(
            "recorded_share", "1", "記録のある日の割合", "share of its days on record", lambda one: number(one.recorded)
        ),
    ]
    return sheet("weeks", "週ごとの回数", "episodes a week", fields, by_week(told.findings, calendar))


def signals(told: Told) -> Sheet:
    """Give the lowest, mean and highest of what was measured, as means over whole hours."""
    fields: list[Field[tuple[Row, Row]]] = [
        field("name_ja", "", "名前(日本語)", "name in Japanese", lambda one: one[0].name),
        field("name_en", "", "名前(英語)", "name in English", lambda one: one[1].name),
        field("unit", "", "単位", "unit", lambda one: one[1].unit.replace("℃", "°C")),
        field("low", "", "最小", "lowest", lambda one: number(one[0].low)),
        field("mean", "", "平均", "mean", lambda one: number(one[0].average)),
        field("high", "", "最大", "highest", lambda one: number(one[0].high)),
    ]
    rows = list(zip(*(signal_rows(told.findings, words) for words in (JA, EN)), strict=True))
    return sheet("signals", "測ったもの", "what was measured", fields, rows)


def claims(told: Told) -> Sheet:
    """Give what the article claims of each factor."""
    fields: list[Field[Cause]] = [
        field("id", "", "要因のid", "id of the factor", lambda one: one.id),
        field("name_ja", "", "名前(日本語)", "name in Japanese", lambda one: one.name.ja),
        field("name_en", "", "名前(英語)", "name in English", lambda one: one.name.en),
        field("claim_ja", "", "言われていること(日本語)", "what is claimed, in Japanese", lambda one: one.claim.ja),
        field("claim_en", "", "言われていること(英語)", "what is claimed, in English", lambda one: one.claim.en),
        field("grade", "", "一般の人での裏づけ", "evidence in people at large, A to D", lambda one: one.grade.value),
        field("in_article", "", "記事にあるか", "is it in the article", lambda one: one.in_article),
        field("sources", "", "文献のid", "ids of the sources", lambda one: LIST.join(one.sources)),
    ]
    return sheet("claims", "言われていること", "what is claimed", fields, told.findings.claims.causes)


def sources(told: Told) -> Sheet:
    """Give the sources behind all that is claimed."""
    fields: list[Field[Source]] = [
        field("id", "", "文献のid", "id of the source", lambda one: one.id),
        field("citation", "", "文献", "citation", lambda one: one.citation),
        field("url", "", "所在", "address", lambda one: one.url),
        field("checked", "", "要旨か本文を読んで確かめたか", "abstract or text was read", lambda one: one.checked),
    ]
    return sheet("sources", "文献", "sources", fields, told.ja.method.sources)


def checks(told: Told) -> Sheet:
    """Give the engine's checks of itself, as the JSON has them."""
    fields: list[Field[tuple[str, float | str | None]]] = [
        field("name", "", "名前(JSONの checks と同じ)", "name, as in checks of the JSON", lambda one: one[0]),
        field("value", "", "値", "value", lambda one: one[1]),
    ]
    return sheet("checks", "計算の確かめ", "checks of the computing", fields, to_json(told.findings)["checks"].items())


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to keep in mind: its code, and the sentence in both languages."""

    code: str
    ja: str
    en: str


def warnings(told: Told) -> Sheet:
    """Give what to keep in mind."""
    said = told.each(lambda story: story.method.remarks)
    fields: list[Field[Remark]] = [
        field("code", "", "符号と数", "code with its numbers", lambda one: one.code),
        field("say_ja", "", "文(日本語)", "sentence in Japanese", lambda one: one.ja),
        field("say_en", "", "文(英語)", "sentence in English", lambda one: one.en),
    ]
    rows = [Remark(code, *pair) for code, pair in zip(told.findings.warnings, said, strict=True)]
    return sheet("warnings", "気をつけること", "what to keep in mind", fields, rows)


def problems(told: Told) -> Sheet:
    """Give what could not be read, or looked odd."""
    fields: list[Field[Problem]] = [
        field("file", "", "ファイル", "file", lambda one: one.file),
        field("line", "", "行", "line", lambda one: one.line),
        field("value", "", "見つかったもの", "what was found", lambda one: one.value),
        field("rule", "", "きまり", "rule", lambda one: one.rule),
        field("rejected", "", "除いたか", "left out", lambda one: one.rejected),
        field("count", "1", "件数", "how many", lambda one: one.count),
    ]
    return sheet(
        "problems", "読めなかった行など", "rows that could not be read", fields, told.findings.timeline.problems
    )

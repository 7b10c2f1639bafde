"""Tables of what was found: the summary, warning signs, episodes, factors, and the neck as computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

from unaji.body.played import Played
from unaji.body.state import OUTPUTS
from unaji.causes.attribution import CauseResult, Estimate, Pair, SignalState
from unaji.claims.model import Words
from unaji.findings import EpisodeFinding, RaisedFlag
from unaji.records.timeline import Zones
from unaji.report.figures.autonomic import CHANNELS, SLOTS, STEP_H, Channel, shown_day
from unaji.report.figures.days import levels_at_onset
from unaji.report.figures.examples import Example, Step, examples
from unaji.report.figures.lags import EDGES_MIN, arrivals
from unaji.report.figures.time_axis import Calendar
from unaji.report.json import number
from unaji.report.rounding import Tens
from unaji.report.story.factors import Either, Factor
from unaji.report.story.neck import TOLD, moments
from unaji.report.story.period import bounds
from unaji.report.story.safety import is_active
from unaji.report.story.warmth import warmth_of, way_of
from unaji.report.tables.sheet import Cell, Field, Sheet, estimated, field, sheet
from unaji.report.told import EN, JA, Told, assessed, in_both

LIST = ";"
"""Between several values in one cell."""


def summary(told: Told) -> Sheet:
    """Give what the report begins with, as one row."""
    findings = told.findings
    start, end = bounds(findings)
    days = (end - start) / timedelta(days=1)
    person, enough, attribution = findings.timeline.person, findings.enough, findings.attribution
    fields: list[Field[Told]] = [
        field("person", "", "本人のid", "id of the person", lambda _: person.id),
        field("simulated", "", "架空の人か", "is the person invented", lambda _: person.simulated),
        field("unaji", "", "unajiの版", "version of unaji", lambda _: findings.unaji),
        field("article", "", "記事のid", "article whose claims were tested", lambda _: findings.claims.id),
        field("seed", "", "乱数の種", "seed of the random numbers", lambda _: findings.seed),
        field("period_start", "", "期間の始まり", "start of the period", lambda _: start),
        field("period_end", "", "期間の終わり(含まない)", "end of the period, not included", lambda _: end),
        field("period_d", "d", "期間の日数", "days of the period", lambda _: number(days)),
        field("observed_d", "d", "記録のある日数", "days on record", lambda _: told.ja.period.observed_days),
        field("episodes", "1", "記録した回数", "episodes logged", lambda _: len(findings.episodes)),
        field("episodes_compared", "1", "くらべた回数", "episodes compared", lambda _: enough.episodes),
        field("compared_wk", "wk", "くらべた週数", "weeks compared", lambda _: number(enough.weeks)),
        field("enough", "", "記録の量", "amount of records: conclude, rank, more, none", lambda _: enough.verdict),
        field("enough_ja", "", "記録の量(日本語)", "the same in Japanese", lambda _: told.ja.enough),
        field("enough_en", "", "記録の量(英語)", "the same in English", lambda _: told.en.enough),
        field("answer_ja", "", "答え(日本語)", "answer in Japanese", lambda _: told.ja.answer.full(JA)),
        field("answer_en", "", "答え(英語)", "answer in English", lambda _: told.en.answer.full(EN)),
    ]
    for name, ja, en, share in (
        ("background_share", "説明のつかない回の割合", "share of episodes nothing explains", attribution.background),
        ("echo_share", "前の回の続きの割合", "share of episodes that followed from earlier ones", attribution.echo),
    ):
        fields += estimated(name, "1", ja, en, partial(_same, share))
    return sheet("summary", "まとめ(1行)", "summary, one row", fields, [told])


def _same(share: Estimate, _: Told) -> Estimate:
    return share


def red_flags(told: Told) -> Sheet:
    """Give the warning signs found in the records."""
    findings = told.findings
    signs = {ja.id: (ja, en) for ja, en in told.each(lambda story: story.safety.signs)}
    fields: list[Field[RaisedFlag]] = [
        field("id", "", "印のid", "id of the sign", lambda one: one.flag.id),
        field("urgency", "", "急ぎ方", "how soon: emergency, today, days", lambda one: one.flag.urgency.value),
        field("active", "", "報告の先頭に出るか", "in front of the report", lambda one: is_active(one, findings)),
        field("times", "1", "記録された回数", "how often on record", lambda one: len(one.times)),
        field("first", "", "最初の時刻", "first time", lambda one: min(one.times, default=None)),
        field("last", "", "最後の時刻", "last time", lambda one: max(one.times, default=None)),
        field("value", "", "最も高い値(体温は℃)", "highest value, °C for temperatures", lambda one: number(one.value)),
        field("sign_ja", "", "印(日本語)", "sign in Japanese", lambda one: signs[one.flag.id][0].name),
        field("sign_en", "", "印(英語)", "sign in English", lambda one: signs[one.flag.id][1].name),
        field("say_ja", "", "すること(日本語)", "what to do, in Japanese", lambda one: signs[one.flag.id][0].say),
        field("say_en", "", "すること(英語)", "what to do, in English", lambda one: signs[one.flag.id][1].say),
    ]
    return sheet("red_flags", "受診をすすめる印", "warning signs in the records", fields, findings.red_flags)


# -- episodes ----------------------------------------------------------------------------------------------------------


def episodes(told: Told) -> Sheet:
    """Give every episode: as it was logged, what may be behind it, the way it came, what was measured."""
    findings = told.findings
    zones = findings.timeline.zones

    def of(get: Callable[[EpisodeFinding], Cell]) -> Callable[[int], Cell]:
        return lambda i: get(findings.episodes[i])

    warmths = "warm, felt, around, unmeasured"
    said = "named, not_attributable, not_fitted, fever"
    fields: list[Field[int]] = [
        field(
            "start",
            "",
            "始まり(時刻が分からなければ日付)",
            "onset; its day where no time is known",
            of(partial(_onset, zones)),
        ),
        field("end", "", "終わり", "end", of(lambda one: one.episode.end)),
        field("intensity_0_10", "1", "強さ(0〜10)", "intensity, 0 to 10", of(lambda one: one.episode.intensity)),
        field("fever", "", "発熱のときか", "in a fever: not compared", of(lambda one: one.fever)),
        field("warmth", "", "温まっていたか", f"did it warm: {warmths}", of(lambda one: warmth_of(one).value)),
        field("way", "", "最もありそうな道筋", "likeliest way", of(lambda one: str(way_of(one)))),
        field("said", "", "言えること", f"what may be said: {said}", of(assessed)),
        field("said_ja", "", "言えること(日本語)", "the same in Japanese", lambda i: told.cards[i][0].verdict),
        field("said_en", "", "言えること(英語)", "the same in English", lambda i: told.cards[i][1].verdict),
        field("named", "", "挙げられる要因", "factors that may be named", of(lambda one: LIST.join(one.named))),
        *_entries(findings.episodes, lambda one: one.p, "p_{}", "1", lambda name: _of_source(name, told)),
        field("p_mcse", "1", "見込みの計算の誤差", "computing error of p", of(lambda one: number(one.p_mcse))),
        *_entries(findings.episodes, lambda one: one.pathway, "pathway_{}", "1", _of_way),
        *_entries(findings.episodes, lambda one: one.measured, "{}", None, lambda name: in_both(f"measured.{name}")),
        *_entries(findings.episodes, lambda one: one.would_tell, "would_tell_{}_bit", "bit", _of_measurement),
        field("note", "", "本人のメモ", "the person's note", of(lambda one: one.episode.note)),
    ]
    return sheet("episodes", "1回ずつ", "episode by episode", fields, range(len(findings.episodes)))


def _onset(zones: Zones, one: EpisodeFinding) -> datetime | date:
    return zones.local(one.episode.start).date() if one.episode.whole_day else one.episode.start


def _entries(
    found: tuple[EpisodeFinding, ...],
    of: Callable[[EpisodeFinding], Mapping[str, float]],
    column: str,
    unit: str | None,
    means: Callable[[str], Words],
) -> list[Field[int]]:
    """Return one field for every name that occurs in a mapping of any episode."""
    names = dict.fromkeys(name for one in found for name in of(one))
    return [_entry(name, found, of, column, unit, means(name)) for name in names]


def _entry(
    name: str,
    found: tuple[EpisodeFinding, ...],
    of: Callable[[EpisodeFinding], Mapping[str, float]],
    column: str,
    unit: str | None,
    means: Words,
) -> Field[int]:
    own = "K" if name.endswith("_k") else "°C" if name.endswith("_c") else ""
    return field(
        column.format(name), own if unit is None else unit, means.ja, means.en, lambda i: number(of(found[i]).get(name))
    )


def _of_source(name: str, told: Told) -> Words:
    names = in_both(f"source.{name}") if name in ("background", "echo") else told.findings.claims.cause(name).name
    return Words(f"この回の見込み: {names.ja}", f"probability for this episode: {names.en}")


def _of_way(name: str) -> Words:
    names = in_both(f"pathway.{name}")
    return Words(f"道筋の見込み: {names.ja}", f"probability of the way: {names.en}")


def _of_measurement(name: str) -> Words:
    return Words(f"測れば道筋について分かる量: {name}", f"what measuring it would tell of the way: {name}")


# -- factors -----------------------------------------------------------------------------------------------------------


def causes(told: Told) -> Sheet:
    """Give every factor, in the report's order: what is said of it and the numbers behind that."""

    def of(get: Callable[[CauseResult], Cell]) -> Callable[[tuple[Factor, Factor]], Cell]:
        return lambda pair: get(pair[0].result)

    def fitted(get: Callable[[CauseResult], Estimate | None]) -> Callable[[tuple[Factor, Factor]], Estimate | None]:
        """Of what took no part nothing is known, not that it explains nothing."""
        return lambda pair: get(pair[0].result) if pair[0].result.signal is SignalState.OK else None

    def tens(get: Callable[[Tens], int]) -> Callable[[tuple[Factor, Factor]], Cell]:
        return lambda pair: get(pair[0].tens) if pair[0].tens else None

    fields: list[Field[tuple[Factor, Factor]]] = [
        field("id", "", "要因のid", "id of the factor", lambda pair: pair[0].id),
        field("name_ja", "", "名前(日本語)", "name in Japanese", lambda pair: pair[0].name),
        field("name_en", "", "名前(英語)", "name in English", lambda pair: pair[1].name),
        field("said", "", "判断", "verdict, or why there is none", lambda pair: pair[0].said),
        field("said_ja", "", "判断(日本語)", "the same in Japanese", lambda pair: pair[0].pill),
        field("said_en", "", "判断(英語)", "the same in English", lambda pair: pair[1].pill),
        field(
            "p_cause", "1", "働いている見込み", "probability that it is at work", of(lambda one: number(one.p_cause))
        ),
        field("p_cause_mcse", "1", "その計算の誤差", "computing error of it", of(lambda one: number(one.p_cause_mcse))),
        field("of_ten", "1", "10回のうち約何回", "about how many of ten", tens(lambda ten: ten.count)),
        field("of_ten_low", "1", "その90%の幅の下", "lower end, 90 %", tens(lambda ten: ten.low)),
        field("of_ten_high", "1", "その90%の幅の上", "upper end, 90 %", tens(lambda ten: ten.high)),
        *estimated("share", "1", "全体に占める割合", "share of all episodes", fitted(lambda one: one.share)),
        *estimated(
            "share_if_cause", "1", "働いているとすれば占める割合", "share, if it is at work", fitted(_share_if_cause)
        ),
        *estimated("episodes", "1", "説明する回数", "episodes explained", fitted(lambda one: one.episodes_explained)),
        *estimated("avoidable", "1", "なければ減る回数", "fewer without it", fitted(lambda one: one.avoidable)),
        *estimated(
            "avoidable_half", "1", "半分なら減る回数", "fewer with half of it", fitted(lambda one: one.avoidable_half)
        ),
        *estimated("rate_ratio", "1", "起こりやすさの比", "how much likelier", fitted(lambda one: one.rate_ratio)),
        *estimated("lag_h", "h", "遅れ", "delay", fitted(lambda one: one.lag_h)),
        field("driver", "", "any いつも、extreme 強いときだけ", "any, or extreme only", of(lambda one: one.driver)),
        field("signal", "", "記録は足りたか", "ok, insufficient, no_contrast", of(lambda one: one.signal.value)),
        field(
            "filled_share", "1", "埋めた時間の割合", "share of time filled", of(lambda one: number(one.filled_share))
        ),
        field("exposed_share", "1", "多い時間の割合", "share of time above its mean", of(_exposed)),
        field("shift_p", "1", "日をずらした確かめ", "shifted-days check", of(lambda one: number(one.shift_p))),
        field(
            "p_backwards", "1", "逆向きの見込み", "p_cause backwards in time", of(lambda one: number(one.p_backwards))
        ),
        field("may_be_companion", "", "あとから来るものか", "may follow instead", of(lambda one: one.may_be_companion)),
        field("alias_of", "", "同じ動きをした要因", "moved exactly as this one", of(lambda one: one.alias_of)),
        field(
            "grade", "", "一般の人での裏づけ", "evidence in people at large, A to D", lambda pair: pair[0].grade.value
        ),
        field("in_article", "", "記事にあるか", "is it in the article", lambda pair: pair[0].cause.in_article),
    ]
    factors = told.each(lambda story: story.candidates.factors)
    return sheet("causes", "要因", "factors: what may be behind it", fields, factors)


def _share_if_cause(result: CauseResult) -> Estimate | None:
    return result.share_if_cause


def _exposed(result: CauseResult) -> Cell:
    return number(result.exposed_share)


def pairs(told: Told) -> Sheet:
    """Give the pairs of factors that cannot be told apart."""
    fields: list[Field[tuple[Pair, tuple[Either, Either]]]] = [
        field("a", "", "要因", "factor", lambda one: one[0].ids[0]),
        field("b", "", "要因", "factor", lambda one: one[0].ids[1]),
        field("p_either", "1", "どちらかが働く見込み", "one of them is at work", lambda one: number(one[0].p_either)),
        field("correlation", "1", "相関", "correlation", lambda one: number(one[0].correlation)),
        field("said_ja", "", "言えること(日本語)", "what is said, in Japanese", lambda one: one[1][0].sentence),
        field("said_en", "", "言えること(英語)", "what is said, in English", lambda one: one[1][1].sentence),
    ]
    said = told.each(lambda story: story.candidates.either)
    rows = list(zip(told.findings.attribution.pairs, said, strict=True))
    return sheet("pairs", "見分けられない2つの要因", "pairs that cannot be told apart", fields, rows)


def at_onset(told: Told) -> Sheet:
    """Give the strongest factor's level when each episode began; the picture of days shows the same."""
    findings, strongest = told.findings, told.ja.candidates.strongest
    zones = findings.timeline.zones
    trigger = next((one for one in findings.design.triggers if strongest and one.id == strongest.id), None)
    fields: list[Field[tuple[EpisodeFinding, float]]] = [
        field(
            "start",
            "",
            "始まり(時刻が分からなければ日付)",
            "onset; its day where no time is known",
            lambda one: _onset(zones, one[0]),
        ),
        field("cause", "", "最も有力な要因", "the strongest factor", lambda _: trigger.id if trigger else None),
        field("level", "", "その時間の強さ(要因の単位)", "its level in that hour", lambda one: number(one[1])),
    ]
    levels = levels_at_onset(findings, trigger) if trigger is not None and told.ja.ranked else ()
    rows = list(zip(findings.episodes, map(float, levels), strict=bool(len(levels))))
    return sheet("at_onset", "始まりのときの要因", "strongest factor when it began", fields, rows)


def skin_examples(told: Told) -> Sheet:
    """Give the nape around the onsets that are drawn, step by step, beside what was expected."""
    rows = [(one, step) for one in examples(told.findings) for step in one.steps]
    fields: list[Field[tuple[Example, Step]]] = [
        field("start", "", "熱かった時", "onset of the episode", lambda one: one[0].finding.episode.start),
        field("warmth", "", "温まったか", "warm, felt", lambda one: str(one[0].warmth)),
        field(
            "after_min",
            "min",
            "熱かった時からの分(5分のまん中)",
            "minutes after it",
            lambda one: number(one[1].after_min),
        ),
        field("measured_c", "°C", "測った温度", "measured", lambda one: number(one[1].measured_c)),
        field("expected_c", "°C", "予想", "expected", lambda one: number(one[1].expected_c)),
        field("expected_p5_c", "°C", "予想の90%の幅の下", "expected, 90 %: lower", lambda one: number(one[1].low_c)),
        field("expected_p95_c", "°C", "予想の90%の幅の上", "expected, 90 %: upper", lambda one: number(one[1].high_c)),
    ]
    return sheet("skin_examples", "測った温度と予想の例", "measured against expected, examples", fields, rows)


def lags(told: Told) -> Sheet:
    """Give how much of each named factor's effect arrives between which times."""
    shown = arrivals(told.ja.candidates) if told.ja.ranked else []
    rows = [
        (one.factor.id, *edges, share)
        for one in shown
        for edges, share in zip(pairwise(EDGES_MIN), one.shares, strict=True)
    ]
    fields: list[Field[tuple[str, float, float, float]]] = [
        field("cause", "", "要因のid", "id of the factor", lambda one: one[0]),
        field("from_min", "min", "これより後", "later than this", lambda one: one[1]),
        field(
            "to_min",
            "min",
            "これより前(空なら上限なし)",
            "sooner than this; empty: no limit",
            lambda one: number(one[2]),
        ),
        field("share", "1", "その間に届く割合", "share of its effect that arrives", lambda one: number(one[3])),
    ]
    return sheet("lags", "要因から熱さまでの時間", "how long after it heat comes", fields, rows)


def autonomic(told: Told) -> Sheet:
    """Give the one day that is drawn of the autonomic signals, half hour by half hour, beside what is usual."""
    calendar = Calendar(told.findings)
    day, channels = shown_day(told.findings, calendar) or (0, [])
    rows = [(one, i) for one in channels for i in range(SLOTS)]
    fields: list[Field[tuple[Channel, int]]] = [
        field("day", "", "日", "day", lambda _: calendar.first + timedelta(days=day)),
        field(
            "from_h",
            "h",
            "半時間の始まり(時計の時)",
            "start of the half hour, on the clock",
            lambda one: one[1] * STEP_H,
        ),
        field("quantity", "", "量", "quantity", lambda one: one[0].quantity),
        field("unit", "", "単位", "unit", lambda one: CHANNELS[one[0].quantity]),
        field("mean", "", "その日の平均", "mean of that day", lambda one: number(one[0].day[one[1]])),
        field("usual_p5", "", "ふだんの5%点", "usual, 5 %", lambda one: number(one[0].usual[0, one[1]])),
        field("usual_p50", "", "ふだんの中央", "usual, median", lambda one: number(one[0].usual[1, one[1]])),
        field("usual_p95", "", "ふだんの95%点", "usual, 95 %", lambda one: number(one[0].usual[2, one[1]])),
    ]
    return sheet("autonomic", "自律神経の1日", "one day of the autonomic signals", fields, rows)


def neck(told: Told) -> Sheet:
    """Give the person's neck as computed, before and at the peak of every scene: nothing of it was measured."""
    own = told.findings.neck
    scenes: Iterable[tuple[str, str, Played]] = [
        *(("way", str(way), played) for way, played in own.ways.items()),
        *(("cause", cause, played) for cause, played in own.causes.items()),
    ]
    rows = [(kind, name, output, *moments(played, output)) for kind, name, played in scenes for output in TOLD]
    fields: list[Field[tuple[str, str, str, float, float]]] = [
        field("scene", "", "way 道筋、cause 要因", "way, or cause", lambda one: one[0]),
        field("id", "", "道筋か要因のid", "id of the way or factor", lambda one: one[1]),
        field("quantity", "", "量", "quantity", lambda one: one[2]),
        field("unit", "", "単位", "unit", lambda one: OUTPUTS[one[2]].unit),
        field("name_ja", "", "名前(日本語)", "name in Japanese", lambda one: OUTPUTS[one[2]].ja),
        field("name_en", "", "名前(英語)", "name in English", lambda one: OUTPUTS[one[2]].en),
        field("before", "", "前の値", "value before", lambda one: number(one[3])),
        field("peak", "", "最大のときの値", "value at the peak", lambda one: number(one[4])),
        field("change", "", "差", "difference", lambda one: number(one[4] - one[3])),
    ]
    return sheet("neck", "計算した首(測った値ではない)", "the neck as computed, not measured", fields, rows)

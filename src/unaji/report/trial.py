"""A trial on one person: its plan and its result, as JSON and in a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unaji import __version__
from unaji.care.trial import EPISODES, INTENSITY, Change, TrialPlan
from unaji.care.trial_analysis import TrialDay, TrialPeriod, TrialResult
from unaji.care.trial_effect import Effect
from unaji.care.trial_power import ENOUGH, Power
from unaji.claims.model import Claims, Urgency
from unaji.findings import RaisedFlag
from unaji.quantities import EXPOSURES, RATINGS
from unaji.records.timeline import Zones
from unaji.report.json import Json, local_time, number
from unaji.report.words import Catalogue, catalogue, plain, signed

COLUMNS = ("period", "planned", "done", "value")
SHORT_PERIOD_D = 1
"""Periods this long are drawn as a calendar, one mark a day; longer ones as rows."""


# -- JSON --------------------------------------------------------------------------------------------------------------


def plan_json(plan: TrialPlan, chances: Power) -> Json:
    """Give a plan and its chances as one object."""
    return {"unaji": __version__, "plan": _plan(plan), "power": _power(chances)}


def result_json(result: TrialResult, flags: Sequence[RaisedFlag], person: str, language: str) -> Json:
    """Give a result as one object: plan, what was done, effect by lot and as treated, verdict."""
    adherence = result.adherence
    return {
        "unaji": __version__,
        "person": person,
        "plan": _plan(result.plan),
        "red_flags": [{"id": f.flag.id, "say": f.flag.say.in_(language)} for f in flags],
        "verdict": result.verdict.value,
        "finished": result.finished,
        "effect": _effect(result.plan, result.effect),
        "as_treated": _effect(result.plan, result.as_treated),
        "adherence": {
            "unit": "period" if result.plan.change is Change.TREAT else "day",
            "changed": adherence.changed,
            "changed_present": adherence.changed_present,
            "usual": adherence.usual,
            "usual_present": adherence.usual_present,
            "kept": number(adherence.kept(result.plan.change)),
        },
        "periods": [_period(result.plan, period) for period in result.periods],
        "warnings": list(result.warnings),
    }


def _plan(plan: TrialPlan) -> Json:
    return {
        "question": plan.question,
        "change": plan.change.value,
        "kind": plan.kind,
        "outcome": plan.outcome,
        "better": plan.better.value,
        "minimal_important": plan.minimal_important,
        "first_day": plan.first_day.isoformat(),
        "last_day": plan.last_day.isoformat(),
        "period_days": plan.period_days,
        "washout_days": plan.washout_days,
        "strata": plan.strata.value,
        "blocks": plan.blocks,
        "seed": plan.seed,
        "registered_at": local_time(plan.registered_at, Zones((plan.timezone,))),
        "fingerprint": plan.fingerprint,
        "periods": [
            {"block": p.block, "first": p.first.isoformat(), "last": p.last.isoformat(),
             "condition": plan.condition(p.changed)}
            for p in plan.periods
        ],
    }  # fmt: skip


def _power(chances: Power) -> Json:
    return {
        "effect": chances.effect,
        "tells": number(chances.tells),
        "helps": number(chances.helps),
        "misleads": number(chances.misleads),
        "blocks_needed": chances.blocks_needed,
        "assumed": {
            "episodes_per_day": chances.assumed.per_day,
            "spread_shape": chances.assumed.spread_shape,
            "rating_sd": chances.assumed.rating_sd,
            "autocorrelation": chances.assumed.autocorrelation,
        },
    }


def _effect(plan: TrialPlan, effect: Effect) -> Json:
    return {
        "measure": "rate_ratio" if plan.counts else "mean_difference",
        "estimate": number(effect.estimate),
        "p5": number(effect.low),
        "p95": number(effect.high),
        "p_better": number(effect.p_better),
        "p_important": number(effect.p_important),
        "p_negligible": number(effect.p_negligible),
        "randomisation_p": number(effect.randomisation_p),
        "dispersion": number(effect.dispersion),
        "blocks": effect.n_blocks,
    }


def _period(plan: TrialPlan, period: TrialPeriod) -> Json:
    planned = period.planned
    return {
        "block": planned.block,
        "first": planned.first.isoformat(),
        "last": planned.last.isoformat(),
        "condition": plan.condition(planned.changed),
        "compared_days": period.compared_days,
        "observed_h": number(period.observed_h),
        "value": number(period.value),
        "present_days": period.present_days,
    }


# -- the plan in a terminal --------------------------------------------------------------------------------------------


def print_plan(plan: TrialPlan, chances: Power, claims: Claims, console: Console, language: str = "ja") -> None:
    """Print what to do on which day, whether it can tell, and when to stop."""
    words = catalogue(language)
    _head(words("trial.plan_kind"), plan, console)
    name = factor_name(plan, claims, words)
    _say(console, words(f"trial.do.{plan.change}", name=name))
    _say(console, words("trial.look_at", outcome=outcome_name(plan, words)))
    _say(console, matters(plan, words))
    _say(
        console,
        words(
            "trial.length",
            start=words.date(noon(plan.first_day)),
            end=words.date(noon(plan.last_day)),
            blocks=plan.blocks,
            seed=plan.seed,
        ),
    )
    if plan.washout_days:
        _say(console, words("trial.washout", days=words.count("days", plan.washout_days)))
    _section(console, words("trial.schedule"))
    console.print(_calendar(plan, words) if plan.period_days == SHORT_PERIOD_D else _rows(plan, words))
    if plan.period_days == SHORT_PERIOD_D:
        _say(console, words("trial.legend"))
    _section(console, words("trial.chances"), *chances_lines(plan, chances, words))
    _section(console, words("section.doctor"), words("trial.stop"))
    for flag in claims.red_flags:
        if flag.urgency is not Urgency.DAYS:
            _say(console, words("trial.bullet", text=flag.question.in_(language)), indent=4)
    _say(console, words("trial.unsafe"))
    console.print()
    console.print(Text(words("not_a_diagnosis"), style="dim"))


def _calendar(plan: TrialPlan, words: Catalogue) -> Table:
    """One row a week, one mark a day."""
    marks = {p.first: "x" if p.changed else "." for p in plan.periods}
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("")
    for weekday in words("trial.weekdays").split():
        table.add_column(weekday, no_wrap=True)
    monday = plan.first_day - timedelta(days=plan.first_day.weekday())
    while monday <= plan.last_day:
        week = [marks.get(monday + timedelta(days=k), "") for k in range(7)]
        table.add_row("  " + words("trial.week_of", day=words.day(noon(monday))), *week)
        monday += timedelta(days=7)
    return table


def _rows(plan: TrialPlan, words: Catalogue) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
    for period in plan.periods:
        table.add_row("  " + dates_said(period.first, period.last, words), _condition(period.changed, words))
    return table


def chances_lines(plan: TrialPlan, chances: Power, words: Catalogue) -> list[str]:
    """Say how often such a trial would find what is assumed, and what a longer one would need."""
    p = words.percent(chances.tells)
    if plan.counts:
        percent = words.percent(chances.effect)
        lines = [words("trial.tells.episodes", percent=percent, p=p, n=f"{chances.assumed.per_day:g}")]
    else:
        lines = [words("trial.tells.points", n=f"{chances.effect:g}", p=p, sd=f"{chances.assumed.rating_sd:g}")]
    lines.append(words("trial.misleads", p=words.percent(chances.misleads)))
    if chances.tells < ENOUGH / 2:
        lines.append(words("trial.hardly"))
    if chances.tells < ENOUGH:
        needed = chances.blocks_needed
        lines.append(words("trial.never") if needed is None else words("trial.longer", blocks=needed))
    return lines


# -- the result in a terminal ------------------------------------------------------------------------------------------


def print_result(
    result: TrialResult,
    flags: Sequence[RaisedFlag],
    claims: Claims,
    console: Console,
    language: str = "ja",
    *,
    simulated: bool = False,
) -> None:
    """Print the answer, how sure it is, whether the plan was followed, and what to keep in mind; a doctor first."""
    words = catalogue(language)
    plan = result.plan
    _head(words("trial.result_kind"), plan, console, words("simulated") if simulated else "")
    if flags:
        signs = [words("trial.bullet", text=raised.flag.say.in_(language)) for raised in flags]
        _section(console, words("section.doctor"), words("trial.flags"), *signs)
    what = words(f"trial.what.{plan.change}", name=factor_name(plan, claims, words))
    verdict = Text(words(f"trial.verdict.{result.verdict}", what=what), style="bold")
    _section(console, words("trial.answer"), verdict, words("trial.look_at", outcome=outcome_name(plan, words)))
    _say(console, matters(plan, words))
    for key, effect in (("trial.effect", result.effect), ("trial.as_treated", result.as_treated)):
        console.print()
        _say(console, words(key))
        for line in effect_lines(plan, effect, words):
            _say(console, line, indent=4)
    _section(console, words("trial.followed"), present_line(result, factor_name(plan, claims, words), words))
    console.print(_table(result, words))
    for code in result.warnings:
        _say(console, words(f"trial.remark.{code}"))
    _say(console, words("trial.knew"))
    console.print()
    console.print(Text(words("not_a_diagnosis"), style="dim"))


def effect_lines(plan: TrialPlan, effect: Effect, words: Catalogue) -> list[str]:
    """Say how large the difference is, how sure, and on how many pairs it rests."""
    used = words("trial.blocks_used", n=effect.n_blocks, planned=plan.blocks)
    if math.isnan(effect.estimate):
        return [words("trial.nothing"), used]
    odds = words("trial.odds", better=words.percent(effect.p_better), important=words.percent(effect.p_important))
    lines = [_size(plan, effect, words), odds]
    if not math.isnan(effect.randomisation_p):
        lines.append(words("trial.chance", p=words.percent(effect.randomisation_p)))
    return [*lines, used]


def _size(plan: TrialPlan, effect: Effect, words: Catalogue) -> str:
    if not plan.counts:
        span = words("range", low=signed(effect.low, 1), high=signed(effect.high, 1))
        return words("trial.difference", n=signed(effect.estimate, 1), range=span)
    if math.isinf(effect.high):  # only where no episode fell into a usual period
        return words("trial.all_changed", low=words.times(effect.low))
    span = words("unit.times.other", n=words("range", low=f"{effect.low:.1f}", high=f"{effect.high:.1f}"))
    return words("trial.ratio", ratio=words.times(effect.estimate), range=span)


def present_line(result: TrialResult, name: str, words: Catalogue) -> str:
    """Say on how many days (in how many periods) it was there, of those to be changed and of the usual ones."""
    adherence, change = result.adherence, result.plan.change
    unit = "periods" if change is Change.TREAT else "days"
    return words(
        f"trial.present.{change}",
        name=name,
        unit=words(f"trial.unit.{unit}"),
        changed=adherence.changed,
        changed_present=adherence.changed_present,
        usual=adherence.usual,
        usual_present=adherence.usual_present,
    )


def _table(result: TrialResult, words: Catalogue) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in COLUMNS:
        table.add_column(words(f"trial.column.{name}"), overflow="fold")
    for row in planned_and_done(result, words):
        table.add_row(*row)
    return table


def planned_and_done(result: TrialResult, words: Catalogue) -> list[tuple[str, str, str, str]]:
    """Give every period as planned and as it went, by `COLUMNS`; single days are summed up by condition."""
    if result.plan.period_days > SHORT_PERIOD_D:
        return [
            (
                dates_said(one.planned.first, one.planned.last, words),
                _condition(one.planned.changed, words),
                words("trial.row.there", n=one.present_days),
                _value(result.plan, one.value, one.compared_days, words),
            )
            for one in result.periods
        ]
    rows = []
    for changed in (True, False):
        days = [day for day in result.days if day.changed is changed]
        compared = [day for day in days if day.compared]
        there = words("trial.row.there", n=sum(day.present for day in days))
        value = _value(result.plan, sum_or_mean(result.plan, compared), len(compared), words)
        rows.append((words.count("days", len(days)), _condition(changed, words), there, value))
    return rows


def sum_or_mean(plan: TrialPlan, days: Sequence[TrialDay]) -> float:
    """Return the episodes of days together, or the mean of their values; NaN without any."""
    if not days:
        return math.nan
    return float(sum(d.episodes for d in days)) if plan.counts else sum(d.value for d in days) / len(days)


def _value(plan: TrialPlan, value: float, days: int, words: Catalogue) -> str:
    if math.isnan(value):
        return words("unknown")
    told = words.count("days", days)
    if plan.counts:
        return words("trial.value.episodes", episodes=words.count("episodes", int(value)), days=told)
    return words("trial.value.mean", n=plain(value), days=told)


# -- names -------------------------------------------------------------------------------------------------------------


def factor_name(plan: TrialPlan, claims: Claims, words: Catalogue) -> str:
    """Return the name of the exposure, or the article's name of the treatment, else the word the person used."""
    return kind_name(plan.change, plan.kind, claims, words)


def kind_name(change: Change, kind: str, claims: Claims, words: Catalogue) -> str:
    """Return the name of an exposure, or the article's name of a treatment; else the kind itself."""
    if change is not Change.TREAT:
        known = EXPOSURES[kind]
        return known.ja if words.language == "ja" else known.en
    treatment = next((one for one in claims.treatments if kind in one.kinds), None)
    return kind if treatment is None else treatment.name.in_(words.language)


def outcome_name(plan: TrialPlan, words: Catalogue) -> str:
    """Return what is compared, in words."""
    if plan.outcome in (EPISODES, INTENSITY):
        return words(f"trial.outcome.{plan.outcome}")
    scale = RATINGS[plan.outcome]
    return words("trial.outcome.rating", name=scale.ja if words.language == "ja" else scale.en)


def matters(plan: TrialPlan, words: Catalogue) -> str:
    """Say from which size on a difference would matter."""
    if plan.counts:
        return words("trial.matters.episodes", percent=words.percent(plan.minimal_important))
    return words("trial.matters.points", n=f"{plan.minimal_important:g}")


def _condition(changed: bool, words: Catalogue) -> str:
    return words("trial.changed" if changed else "trial.usual")


def dates_said(first: date, last: date, words: Catalogue) -> str:
    """Say a stretch of days, both ends included."""
    if first == last:
        return words.day(noon(first))
    return words("date.period", start=words.day(noon(first)), end=words.day(noon(last)))


def noon(day: date) -> datetime:
    """Return a moment that is surely on a day."""
    return datetime.combine(day, time(12))


def _head(kind: str, plan: TrialPlan, console: Console, label: str = "") -> None:
    title = Text.assemble(("unaji", "bold"), "  ", kind)
    if label:
        title.append(f"  [{label}]", style="reverse")
    console.print(title)
    console.print(Text(plan.question, style="bold"))


def _section(console: Console, heading: str, *paragraphs: str | Text) -> None:
    console.print()
    console.print(Text(heading, style="bold underline"))
    for text in paragraphs:
        _say(console, text)


def _say(console: Console, text: str | Text, *, indent: int = 2) -> None:
    console.print(Padding(Text(text) if isinstance(text, str) else text, (0, 0, 0, indent), expand=False))

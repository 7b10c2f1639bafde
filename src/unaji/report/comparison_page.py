"""Two reports of one person as one HTML page: what changed, and whether that is more than chance. It loads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unaji import __version__
from unaji.causes.attribution import Estimate
from unaji.claims.graph import available_articles, load_claims
from unaji.claims.model import Claims
from unaji.report.comparison import (
    CauseChange,
    Comparison,
    Report,
    called,
    say_period,
    say_rate,
    say_why,
)
from unaji.report.figures.compared import Interval, Lane, Row, rate_picture, ratios_picture, shares_picture
from unaji.report.figures.svg import Figure, Table
from unaji.report.html import render_page
from unaji.report.rounding import tens
from unaji.report.story.factors import ORDER
from unaji.report.story.treatment import verdict
from unaji.report.words import Catalogue, catalogue, plain

UNSAID = ("cannot_tell", "told_apart", "too_early", "no_contrast", "insufficient", "missing")
"""What a factor is called where its share may not be drawn."""

GROUPS = ("beyond", "within", "learnt", "apart")


def to_html(found: Comparison, language: str = "ja") -> str:
    """Return the whole page as text; see `unaji.report.html.write_html` to keep it."""
    words = catalogue(language)
    claims = load_claims(found.new["article"]) if found.new["article"] in available_articles() else None
    treated = _treated(found, claims, words)
    return render_page("comparison.html", {
        "lang": language, "w": words, "version": __version__, "simulated": bool(found.new.get("simulated")),
        "title": _answer(found, words), "facts": _facts(found, words),
        "lead": words("compare.periods", old=say_period(found.old, words), new=say_period(found.new, words)),
        "shared": words("compare.shared", days=_days(found.shared_days, words)) if found.shared_days else "",
        "flags": _flags(found, claims, words),
        "rate": _rate_answer(found, words), "rate_more": say_rate(found, words) if found.rate else "",
        "rate_figure": _rate_figure(found, words),
        "causes": _causes_answer(found, words), "causes_figure": _causes_figure(found, claims, words),
        "moved": [_moved(one, words) for one in found.causes if one.told and _drawable(one)],
        "notes": _notes(found, words),
        "treatment": _treatment_answer(treated, words), "treated": treated,
        "treatment_figure": _treatment_figure(treated, words),
    })  # fmt: skip


def _answer(found: Comparison, words: Catalogue) -> str:
    rate = found.rate
    if rate is None:
        return words("compare.answer.none")
    if not rate.beyond_chance:
        return words("compare.answer.chance")
    return words("compare.answer.fewer" if rate.high < 1 else "compare.answer.more")


def _facts(found: Comparison, words: Catalogue) -> list[tuple[str, str]]:
    weekly = [words("unknown")] * 2
    if found.rate is not None:
        weekly = [words("compare.weekly", n=plain(mean)) for mean, _, _ in found.rate.weekly]
    shared = (words("compare.shared_fact"), _days(found.shared_days, words))
    before, after = _labels(found, words)
    return [(before, weekly[0]), (after, weekly[1]), shared]


def _labels(found: Comparison, words: Catalogue) -> tuple[str, str]:
    """Return what is counted before and after: two reports, or one and the days that the other adds."""
    after = words("compare.after")
    if found.rate is not None and found.shared_days:
        after = words("compare.new_days", days=_days(found.rate.after[1], words))
    return words("compare.before"), after


def _days(days: float, words: Catalogue) -> str:
    return words.count("days", round(days))


def _flags(found: Comparison, claims: Claims | None, words: Catalogue) -> list[str]:
    """Say the new warning signs in the page's language, where the article is one that we know; else that there are."""
    if not found.new_flags:
        return []
    known = {flag.id: flag.say.in_(words.language) for flag in claims.red_flags} if claims else {}
    return [words("compare.flags"), *(known[flag] for flag in found.new_flags if flag in known)]


# -- episodes a week ---------------------------------------------------------------------------------------------------


def _rate_answer(found: Comparison, words: Catalogue) -> str:
    if found.rate is None:
        return say_rate(found, words)
    (before, *_), (after, *_) = found.rate.weekly
    return words("compare.rate_short", before=plain(before), after=plain(after))


def _rate_figure(found: Comparison, words: Catalogue) -> Figure | None:
    rate = found.rate
    if rate is None:
        return None
    labels, weekly = _labels(found, words), rate.weekly
    told = [words("list.detail").join((label, words("compare.weekly", n=plain(mean))))
            for label, (mean, _, _) in zip(labels, weekly, strict=True)]  # fmt: skip
    aria = say_rate(found, words)
    ratio = (rate.ratio, rate.low, rate.high)
    rows = [
        (label, words("unit.bare", n=n), _days(days, words), plain(each[0]), _between(each, words))
        for label, (n, days), each in zip(labels, (rate.before, rate.after), weekly, strict=True)
    ]
    rows.append((words("compare.column.ratio"), "", "", _times(rate.ratio, words), _between(ratio, words)))
    head = ("compare.column.report", "column.count", "compare.column.days", "compare.column.weekly", "column.interval")
    table = Table(tuple(words(key) for key in head), tuple(rows))
    pictures = rate_picture(weekly, ratio, (told[0], told[1]), aria, words)
    return Figure("rate", words("compare.rate_figure"), words("compare.rate_caption"), aria, *pictures, table)


def _times(ratio: float, words: Catalogue) -> str:
    return words.times(ratio) if math.isfinite(ratio) else words("unknown")


def _between(interval: Interval, words: Catalogue) -> str:
    low, high = (plain(end) if math.isfinite(end) else "∞" for end in interval[1:])
    return words("range", low=low, high=high)


# -- factors -----------------------------------------------------------------------------------------------------------


def _causes_answer(found: Comparison, words: Catalogue) -> str:
    if not _any_ranks(found):
        return words("compare.causes.unranked")
    drawn = [one for one in found.causes if _drawable(one)]
    beyond = [one.name[words.language] for one in drawn if one.beyond_chance]
    reworded = [one.name[words.language] for one in drawn if one.reworded]
    if beyond:
        return words("compare.causes.beyond", names=words.some(beyond))
    if not reworded:
        return words("compare.same")
    if found.shared_days:
        return words("compare.causes.learnt", names=words.some(reworded))
    return words("compare.causes.within")


def _moved(one: CauseChange, words: Catalogue) -> dict[str, str]:
    before, after = called(one, words)
    looks = {f"{when}_look": "cannot_tell" if word in UNSAID else word
             for when, word in (("before", one.word_before), ("after", one.word_after))}  # fmt: skip
    return {"name": one.name[words.language], "before": before, "after": after, "why": say_why(one, words), **looks}


def _group(one: CauseChange, shared_days: float) -> str:
    if one.beyond_chance is None:
        return "learnt" if shared_days else "apart"
    return "beyond" if one.beyond_chance else "within"


def _causes_figure(found: Comparison, claims: Claims | None, words: Catalogue) -> Figure | None:
    if not _any_ranks(found):
        return None
    drawn = sorted((one for one in found.causes if _drawable(one)), key=_place)
    groups = [
        (words(f"compare.group.{group}"), [_row(one, claims, words) for one in members])
        for group in GROUPS
        if (members := [one for one in drawn if _group(one, found.shared_days) == group])
    ]
    if not groups:
        return None
    changes = words("list.space").join(
        words("compare.cause", name=one["name"], before=one["before"], after=one["after"], why=one["why"])
        for one in (_moved(one, words) for one in drawn if one.told)
    )
    aria = words("compare.causes_aria", answer=_causes_answer(found, words).rstrip("。."), changes=changes).strip()
    pictures = shares_picture(groups, aria, words)
    title, caption = words("compare.causes_figure"), words("compare.causes_caption")
    return Figure("causes", title, caption, aria, *pictures, _causes_table(drawn, words))


def _ranks(report: Report) -> bool:
    return report["enough"]["verdict"] in ("rank", "conclude")


def _any_ranks(found: Comparison) -> bool:
    return _ranks(found.old) or _ranks(found.new)


def _drawable(one: CauseChange) -> bool:
    """Whether at least one report gives a share that may be drawn."""
    return any(word not in UNSAID for word in (one.word_before, one.word_after))


def _place(one: CauseChange) -> tuple[int, float]:
    """Return the place in the earlier report's order: verdict group, then the larger share."""
    return ORDER.index(one.before["verdict"]), -((one.before["share"] or {}).get("mean") or 0.0)


def _row(one: CauseChange, claims: Claims | None, words: Catalogue) -> Row:
    families = {cause.id: cause.family.value for cause in claims.causes} if claims else {}
    before, after = called(one, words)
    return Row(
        one.name[words.language],
        f"f-{families.get(one.after['id'], 'plain')}",
        _lane(one.before, one.word_before, before),
        _lane(one.after, one.word_after, after),
    )


def _lane(cause: Report, word: str, told: str) -> Lane:
    share = _interval(cause["share"])
    if share is None or word in UNSAID:
        known = share is not None and word == "cannot_tell" and cause["signal"] == "ok"
        return Lane(told, None, 10 * share[2] if share and known else math.inf)
    return Lane(told, (10 * share[0], 10 * share[1], 10 * share[2]))


def _interval(estimate: Report | None) -> Interval | None:
    """Return a report's estimate; None where it has none, or one without an interval."""
    if estimate is None or any(estimate[key] is None for key in ("mean", "p5", "p95")):
        return None
    return float(estimate["mean"]), float(estimate["p5"]), float(estimate["p95"])


def _causes_table(drawn: Sequence[CauseChange], words: Catalogue) -> Table:
    verdict_, of_ten, interval = (words(f"column.{name}") for name in ("verdict", "of_ten", "interval"))
    head = [words("column.factor")]
    for lane in ("before", "after"):
        name = words(f"compare.lane.{lane}")
        head += [words("compare.column.of", lane=name, what=what) for what in (verdict_, of_ten, interval)]
    rows = []
    for one in drawn:
        before, after = called(one, words)
        cells = [one.name[words.language], before, *_counted(one.before, one.word_before, words)]
        cells += [after, *_counted(one.after, one.word_after, words)]
        rows.append((*cells, say_why(one, words) if one.told else words("unknown")))
    return Table((*head, words("compare.column.change")), tuple(rows))


def _counted(cause: Report, word: str, words: Catalogue) -> tuple[str, str]:
    share = None if word in UNSAID else _interval(cause["share"])
    count = tens(Estimate(*share)) if share else None
    if count is None:
        return words("unknown"), words("unknown")
    return words.short_of_ten(count), words.of_ten_range(count)


def _notes(found: Comparison, words: Catalogue) -> list[str]:
    if not _any_ranks(found):
        return [words("compare.unranked")]
    neither = [one.name[words.language] for one in found.causes if not _drawable(one)]
    return [words("compare.neither", names=words.join(neither))] if neither else []


# -- treatment ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Treated:
    """One kind of treatment that both reports judge."""

    name: str
    before: Interval
    after: Interval
    said_before: str
    said_after: str
    change: str  # "beyond", "within" or "learnt"; "same" where the same is said and no more can be told apart

    def line(self, words: Catalogue) -> str:
        """Put it into a sentence."""
        if self.change == "same":
            return words("compare.treatment_same_line", said=self.said_after)
        why = words(f"compare.{self.change}")
        return words("compare.treatment_line", before=self.said_before, after=self.said_after, why=why)


def _treated(found: Comparison, claims: Claims | None, words: Catalogue) -> list[Treated]:
    """Return what both reports say of a treatment; nothing where one of them is too short to rank."""
    if not (_ranks(found.old) and _ranks(found.new)):
        return []
    return list(_pairs(found, claims, words))


def _pairs(found: Comparison, claims: Claims | None, words: Catalogue) -> Iterator[Treated]:
    before = {one["kind"]: one for one in found.old["treatments"]}
    for new in found.new["treatments"]:
        old = before.get(new["kind"])
        if old is None:
            continue
        first, second = _interval(old["ratio"]), _interval(new["ratio"])
        if first is None or second is None:
            continue
        name = _treatment_name(new["kind"], claims, words)
        said_before, said_after = (
            words(f"treatment.{verdict(ratio[1], ratio[2], _number(one['before_after_ratio']))}", name=name)
            for one, ratio in ((old, first), (new, second))
        )
        change = "within" if said_before != said_after else "same"
        if not found.shared_days and (first[2] < second[1] or second[2] < first[1]):
            change = "beyond"
        if found.shared_days and change == "within":
            change = "learnt"
        yield Treated(name, first, second, said_before, said_after, change)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _treatment_name(kind: str, claims: Claims | None, words: Catalogue) -> str:
    claim = next((one for one in claims.treatments if kind in one.kinds), None) if claims else None
    return claim.name.in_(words.language) if claim else kind


def _treatment_answer(treated: Sequence[Treated], words: Catalogue) -> str:
    changes = {one.change for one in treated}
    found = next((one for one in ("beyond", "learnt", "within") if one in changes), "same")
    return words(f"compare.treatment_answer.{found}")


def _treatment_figure(treated: Sequence[Treated], words: Catalogue) -> Figure | None:
    if not treated:
        return None
    rows = [Row(one.name, "", Lane(one.said_before, one.before), Lane(one.said_after, one.after)) for one in treated]
    aria = words("list.space").join(one.line(words) for one in treated)
    head = [words("chart.treatment_row"), words("compare.lane.before"), words("column.interval"),
            words("compare.lane.after"), words("column.interval")]  # fmt: skip
    table = Table(
        tuple(head),
        tuple(
            (one.name, _times(one.before[0], words), _between(one.before, words), _times(one.after[0], words),
             _between(one.after, words))
            for one in treated
        ),
    )  # fmt: skip
    title, caption = words("compare.treatment_figure"), words("compare.treatment_caption")
    return Figure("treatments", title, caption, aria, *ratios_picture(rows, aria, words), table)

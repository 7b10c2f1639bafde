"""What there is of a person as one HTML page that loads nothing, readable on a phone."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup

from unaji import __version__
from unaji.records.inventory import Inventory, Name, Overlap, Stream
from unaji.records.reasons import Told, say_importers, say_rule
from unaji.records.timeline import from_utc_ms
from unaji.report.figures.coverage import coverage_figure
from unaji.report.html import render_page
from unaji.report.inventory.layout import GROUPS, Strip, days_a_cell, strips
from unaji.report.inventory.words import name_of, say, sentence, source_of
from unaji.report.words import catalogue

MOST_CELLS = 180
FAMILIES = {"body": "f-mind", "around": "f-weather", "diary": "f-posture"}
MOST_GAPS = 8
MOST_REASONS = 10


def to_html(inventory: Inventory, language: str = "ja") -> str:
    """Return the whole page as text; see `unaji.report.html.write_html` to keep it."""
    w = partial(say, language=language)
    days = days_a_cell(inventory, MOST_CELLS)
    groups = {group: strips(inventory, group, days) for group in GROUPS}
    most = max((strip for group in groups.values() for strip in group), key=lambda one: one.stream.days)
    gaps = gaps_of(inventory, language)
    overlaps = [overlap_of(one, language) for one in inventory.overlaps]
    rejected = rejections_of(inventory, language)
    lost = sum(count for _, _, reasons in rejected for _, count in reasons)
    return render_page("inventory.html", {
        "lang": language, "w": w, "version": __version__, "simulated": inventory.person.simulated,
        "lead": lead(inventory, language), "facts": _facts(inventory, language),
        "cover_heading": w("cover_heading", name=name_of(most.stream.name.quantity, language)),
        "cover_note": w("cover_note", bin=w("one_day") if days == 1 else w("days_bin", n=days)),
        "groups": [
            (w(group), _figure(inventory, found, days, group, language), _table(inventory, found, language))
            for group, found in groups.items() if found
        ],
        "doubts": [sentence(one, language) for one in inventory.suspicions],
        "doubts_heading": w("doubts_some", n=len(inventory.suspicions)) if inventory.suspicions else w("doubts_none"),
        "gaps": gaps[:MOST_GAPS],
        "gaps_heading": w("gaps_some", days=gaps[0][2]) if gaps else w("gaps_none"),
        "overlaps": overlaps,
        "overlaps_heading": w("overlaps_some") if overlaps else w("overlaps_none"),
        "rejected": [(title, rows, shortened(reasons, MOST_REASONS, language)) for title, rows, reasons in rejected],
        "rejected_heading": w("rejected_some", n=f"{lost:,}") if lost else w("rejected_none"),
    })  # fmt: skip


def lead(inventory: Inventory, language: str) -> str:
    """Say from when to when there are how many kinds of records."""
    kinds = len({(one.name.kind, one.name.quantity) for one in inventory.streams})
    first, last = inventory.dates[0], inventory.dates[-1]
    return say("lead", language, first=first, last=last, days=f"{inventory.dates.size:,}", streams=kinds)


def length_of(stream: Stream, inventory: Inventory, language: str) -> str:
    """Say on how many of all days there is something: "56 of 58 days"."""
    return say("of_days", language, n=f"{stream.days:,}", days=f"{inventory.dates.size:,}")


def full_name(name: Name, language: str) -> str:
    """Say what and whence: "heart rate · Garmin Connect watch (3)"; of the person's own tables only what."""
    if name.source == "folder" and not name.role:
        return name_of(name.quantity, language)
    return f"{name_of(name.quantity, language)} · {source_of(name, language)}"


def _facts(inventory: Inventory, language: str) -> list[tuple[str, str]]:
    episodes = sum(one.rows for one in inventory.streams if one.name.quantity == "neck_heat")
    there = np.sum([one.rows_a_day for one in inventory.streams], axis=0) > 0
    return [
        (say("fact_episodes", language), f"{episodes:,}"),
        (say("fact_days", language), f"{int(there.sum()):,}"),
        (say("fact_doubts", language), f"{len(inventory.suspicions):,}"),
    ]


def _figure(inventory: Inventory, found: list[Strip], days: int, group: str, language: str) -> Markup:
    words = catalogue(language)
    told = [(full_name(one.stream.name, language), length_of(one.stream, inventory, language), one) for one in found]
    spoken = "; ".join(say("aria", language, name=name, days=length) for name, length, _ in told)
    months = [words(f"month.{number}") for number in range(1, 13)]
    return Markup("").join(coverage_figure(told, inventory.dates, days, FAMILIES[group], months, spoken))


def _table(inventory: Inventory, found: list[Strip], language: str) -> dict[str, Any]:
    w = partial(say, language=language)
    head = [w(key) for key in ("quantity", "source", "rows", "days", "period", "values")]
    rows = []
    for one in (strip.stream for strip in found):
        first, last = (inventory.zones.local(moment).date() for moment in (one.first, one.last))
        values = " · ".join(f"{value:.4g}".replace("-", "−") for value in one.spread) if one.spread else ""
        rows.append([name_of(one.name.quantity, language), source_of(one.name, language), f"{one.rows:,}",
                     f"{one.days:,}", f"{first} – {last}", values])  # fmt: skip
    return {"head": head, "rows": rows}


def gaps_of(inventory: Inventory, language: str) -> list[tuple[str, str, int]]:
    """Return name, sentence and days of the longest silence of each stream that has one, the longest first."""
    gaps = []
    for stream in inventory.streams:
        for start, end in stream.gaps[:1]:
            days = round((end - start).total_seconds() / 86_400)
            first, last = (inventory.zones.local(moment).date() for moment in (start, end))
            gaps.append((full_name(stream.name, language), say("gap", language, from_=first, to=last, days=days), days))
    return sorted(gaps, key=lambda gap: -gap[2])


def overlap_of(one: Overlap, language: str) -> tuple[str, str]:
    hours = one.minutes / 60
    time = say("hours", language, n=f"{hours:,.0f}") if hours >= 2 else say("minutes", language, n=round(one.minutes))
    taken, other = (source_of(name, language) for name in (one.taken, one.other))
    return name_of(one.taken.quantity, language), say("overlap", language, taken=taken, other=other, time=time)


_Reasons = list[tuple[Told, int]]


def shortened(reasons: _Reasons, most: int, language: str) -> _Reasons:
    """Return the reasons that were met most often, and how many rows the others left out."""
    others = reasons[most:]
    if not others:
        return reasons
    more = Told(say("more_reasons", language, n=len(others)), language)
    return [*reasons[:most], (more, sum(count for _, count in others))]


def rejections_of(inventory: Inventory, language: str) -> list[tuple[str, str, _Reasons]]:
    """Return each import and the person's own files: what it is, what it brought, and what was left out and why."""
    told = []
    for batch in inventory.imports:
        when = inventory.zones.local(from_utc_ms(np.datetime64(batch.imported_ms, "ms"))).date()
        title = say("import", language, n=batch.id, when=when, importers=say_importers(batch.importers, language))
        rows = say("new_rows", language, n=f"{sum(batch.rows.values()):,}")
        told.append((title, rows, [(say_rule(one.reason, language), one.count) for one in batch.rejected]))
    by_rule: Counter[Told] = Counter()
    for one in inventory.problems:
        if one.rejected:
            why = say_rule(one.rule, language)
            by_rule[Told(f"{one.file}: {why.text}", why.language)] += one.count
    own = by_rule.most_common()
    if own:
        told.append((say("own_files", language), "", own))
    return told

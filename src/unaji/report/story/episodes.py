"""A card an episode: when, how strong, what may have set it off, which way the heat came about, what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unaji.findings import EpisodeFinding, Findings
from unaji.quantities import QUANTITIES
from unaji.report.story.factors import Candidates
from unaji.report.story.safety import temperature
from unaji.report.story.warmth import Warmth, warmth_of, way_of
from unaji.report.words import Catalogue, signed

SHOWN_SOURCES = 4


@dataclass(frozen=True, slots=True)
class Source:
    """One possible source of an episode, for the card's list and bar."""

    kind: str  # a family, "other", "echo" or "background"
    name: str
    p: str
    share: float
    second: bool = False  # a likelier one of its family stands before it


@dataclass(frozen=True, slots=True)
class Card:
    """One episode in words; `index` counts from the first."""

    index: int
    when: str
    month: str
    intensity: str
    lasted: str
    warmth: Warmth
    way: str
    way_text: str
    verdict: str
    sources: tuple[Source, ...]
    measured: tuple[tuple[str, str], ...]
    note: str
    fever: bool


def cards(findings: Findings, chosen: Candidates, words: Catalogue) -> tuple[Card, ...]:
    """Return all cards, the latest first."""
    looks = {one.id: (str(one.family), one.name) for one in chosen.factors}
    apart = frozenset(one.id for one in chosen.factors if one.result.told_apart)
    told = [_card(i, one, findings, looks, apart, words) for i, one in enumerate(findings.episodes)]
    return tuple(reversed(told))


def by_month(told: tuple[Card, ...]) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    """Group cards by month, in their order."""
    months = dict.fromkeys(card.month for card in told)
    return tuple((month, tuple(card for card in told if card.month == month)) for month in months)


def _card(
    index: int,
    one: EpisodeFinding,
    findings: Findings,
    looks: dict[str, tuple[str, str]],
    apart: frozenset[str],
    words: Catalogue,
) -> Card:
    episode = one.episode
    local = findings.timeline.zones.local(episode.start)
    way = way_of(one)
    minutes = (episode.end - episode.start).total_seconds() / 60 if episode.end else 0
    return Card(
        index=index,
        when=words("date.whole_day", day=words.day(local)) if episode.whole_day else words.moment(local),
        month=words("date.month", year=local.year, month=words(f"month.{local.month}")),
        intensity=words("episode.no_intensity")
        if episode.intensity is None
        else words("episode.intensity", n=f"{episode.intensity:g}"),
        lasted=words("episode.lasted", length=_length(minutes, words)) if minutes else "",
        warmth=warmth_of(one),
        way=way,
        way_text=_way(one, way, words),
        verdict=_verdict(one, looks, words),
        sources=_sources(one, looks, apart, words),
        measured=tuple(_measured(name, value, words) for name, value in one.measured.items()),
        note=episode.note,
        fever=one.fever,
    )


def _length(minutes: float, words: Catalogue) -> str:
    if minutes < 120:
        return words.count("minutes", round(minutes))
    return words.count("hours", round(minutes / 60))


def _way(one: EpisodeFinding, way: str, words: Catalogue) -> str:
    warmth = words(f"warm.dot.{warmth_of(one)}")
    if warmth_of(one) is Warmth.UNMEASURED:
        return warmth
    return words("episode.pathway", warmth=warmth, name=words(f"pathway.{way}"), p=words.percent(one.pathway[way]))


def _verdict(one: EpisodeFinding, looks: dict[str, tuple[str, str]], words: Catalogue) -> str:
    if one.fever:
        return words("episode.fever")
    if not one.p:
        return words("episode.not_fitted")
    names = [looks[cause][1] for cause in one.named]
    together = words.percent(sum(one.p[cause] for cause in one.named))
    if len(names) == 2:
        return words("episode.named_two", a=names[0], b=names[1], p=together)
    return words("episode.named_one", name=names[0], p=together) if names else words("episode.not_attributable")


def _sources(
    one: EpisodeFinding, looks: dict[str, tuple[str, str]], apart: frozenset[str], words: Catalogue
) -> tuple[Source, ...]:
    """Return the likeliest sources and the rest; causes that were answered before the fit (fever) are in the rest."""
    shown = sorted((key for key in one.p if key not in apart), key=lambda key: -one.p[key])[:SHOWN_SOURCES]
    told: list[Source] = []
    for key in shown:
        source = _source(key, one.p[key], looks, words)
        told.append(replace(source, second=any(source.kind == before.kind for before in told)))
    rest = sum(p for key, p in one.p.items() if key not in shown)
    if rest > 0:
        told.append(Source("other", words("source.other"), words.percent(rest), rest))
    return tuple(told)


def _source(key: str, p: float, looks: dict[str, tuple[str, str]], words: Catalogue) -> Source:
    if key in looks:
        return Source(looks[key][0], looks[key][1], words.percent(p), p)
    return Source(key, words(f"source.{key}"), words.percent(p), p)


def _measured(name: str, value: float, words: Catalogue) -> tuple[str, str]:
    label = words(f"measured.{name}") if f"measured.{name}" in words else name
    if name.endswith("_k"):
        change = f"{value:.1f}" if name.endswith("_sd_k") else signed(value, 1)
        return label, f"{change}℃"
    if name.endswith("_c"):
        return label, temperature(value)
    unit = QUANTITIES[name].unit if name in QUANTITIES else ""
    return label, f"{signed(value, 1) if not unit else f'{value:.1f}'} {unit}".strip()

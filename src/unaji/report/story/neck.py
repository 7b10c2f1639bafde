"""What happens in your neck? The leading way and cause in the person's own body: computed, never measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from unaji.body.counterfactual import Quantity
from unaji.body.played import Played
from unaji.body.state import OUTPUTS
from unaji.causes.own_neck import OwnNeck
from unaji.claims.model import Link, Pathway
from unaji.findings import Findings
from unaji.report.figures.neck_course import COURSE
from unaji.report.figures.svg import Table
from unaji.report.neck_scene import links_of
from unaji.report.story.factors import Candidates
from unaji.report.story.warmth import UNDETERMINED, way_of
from unaji.report.words import Catalogue, plain, signed

MOST_WAYS = 2
"""Ways that lead equally; where more do, none does."""
LONG_S = 7_200.0
TOLD = tuple(dict.fromkeys((*COURSE[:2], "superficial_muscle_temp_c", "deep_muscle_temp_c", *COURSE[2:])))
"""Outputs of the simulated neck that a scene's table gives."""


@dataclass(frozen=True, slots=True)
class NeckScene:
    """One scene in the person's neck: a way or a cause.

    Attributes
    ----------
    lead : str
        Why it is shown.
    heading : str
        What the skin of the nape does in it.
    sentences : tuple of str
        What is felt, and what the picture cannot explain.
    when, event : str
        The moment of the picture, and what happens.
    links : tuple of Link
        Used links of cause and effect, the worst proven last.
    """

    id: str
    lead: str
    heading: str
    sentences: tuple[str, ...]
    when: str
    event: str
    links: tuple[Link, ...]
    table: Table
    played: Played

    @property
    def weakest(self) -> str:
        """Grade of the weakest link, "" where there is none."""
        return self.links[-1].grade.value if self.links else ""


@dataclass(frozen=True, slots=True)
class NeckStory:
    """The section: its heading, the scenes, and whether a way leads or all five stand side by side."""

    heading: str
    paragraph: str
    computed: str
    scenes: tuple[NeckScene, ...]
    way_known: bool


def neck_story(findings: Findings, chosen: Candidates, words: Catalogue) -> NeckStory:
    """Tell the ways that lead in the person's episodes, and the strongest of the named causes."""
    counts = Counter(way_of(one) for one in findings.episodes if not one.fever)
    undetermined = counts.pop(UNDETERMINED, 0)
    leading = leading_ways(counts)
    computed = words("neck.computed", body=body_words(findings.neck, words))
    causes = _causes(findings, chosen, words)
    if not leading:
        told = bool(counts or undetermined)
        heading = words("neck.unknown_heading" if told else "neck.nothing_heading")
        return NeckStory(heading, words("neck.unknown") if told else "", computed, causes, way_known=False)
    lead = words("neck.lead", lead=words("neck.lead_all", episodes=words.count("episodes", sum(counts.values()))))
    ways = tuple(_way(way, lead if not i else "", findings, words) for i, way in enumerate(leading))
    return NeckStory(ways[0].heading, "", computed, (*ways, *causes), way_known=True)


def leading_ways(counts: Counter[str]) -> tuple[Pathway, ...]:
    """Return the most frequent way, or the two that are equally frequent; none where three or more are."""
    most = max(counts.values(), default=0)
    first = tuple(way for way in Pathway if most and counts[way] == most)
    return first if len(first) <= MOST_WAYS else ()


def body_words(neck: OwnNeck, words: Catalogue) -> str:
    """Say for which body it was computed, and what of it is not on record."""
    known, person = neck.known, neck.person
    items = words("list.detail").join(
        (
            words("neck.body.height", n=plain(100 * float(person.height_m[0]), 0)),
            words("neck.body.weight", n=plain(float(person.weight_kg[0]), 0)),
            words("neck.body.age", n=plain(float(person.age_y[0]), 0)),
            words("neck.body.female" if person.female[0] else "neck.body.male"),
        )
    )
    recorded = {"height": known.height_m, "weight": known.weight_kg, "age": known.age_y, "sex": known.female}
    assumed = [words(f"neck.assumed.{name}") for name, value in recorded.items() if value is None]
    return words("neck.body.assumed", items=items, assumed=words.join(assumed)) if assumed else items


def _way(way: Pathway, lead: str, findings: Findings, words: Catalogue) -> NeckScene:
    played = findings.neck.ways[way]
    heading = words("neck.way", way=words(f"pathway.{way}"), result=_result(played, words))
    return _scene(str(way), lead, heading, (_felt(played, words),), played, findings, words)


def _causes(findings: Findings, chosen: Candidates, words: Catalogue) -> tuple[NeckScene, ...]:
    """Tell the first of the named causes that has a scene."""
    for factor in chosen.named:
        played = findings.neck.causes.get(factor.id)
        if played is not None:
            heading = words("neck.cause", name=factor.name, result=_result(played, words))
            warms = played.is_felt or _change(played) > 0
            told = (_felt(played, words), *(() if warms else (words("neck.no_warming", name=factor.name),)))
            return (_scene(factor.id, words("neck.cause_lead"), heading, told, played, findings, words),)
    return ()


def _scene(
    name: str, lead: str, heading: str, told: tuple[str, ...], played: Played, findings: Findings, words: Catalogue
) -> NeckScene:
    return NeckScene(
        id=name,
        lead=lead,
        heading=heading,
        sentences=told,
        when=_when(played, words),
        event=words.join(list(dict.fromkeys(event.name.in_(words.language) for event in played.scenario.events))),
        links=tuple(links_of(played, findings.claims)),
        table=_table(played, words),
        played=played,
    )


def _change(played: Played) -> float:
    """Return the change of the nape's skin [K] as the two numbers that are told give it."""
    before, peak = moments(played, "nape_skin_temp_c")
    return round(round(peak, 1) - round(before, 1), 1)


def moments(played: Played, name: str) -> tuple[float, float]:
    """Return an output of the simulated neck before the event and at the peak, in its unit."""
    return tuple(float(played.state[name][0, step]) for step in (played.before, played.peak))  # type: ignore[return-value]


def _result(played: Played, words: Catalogue) -> str:
    before, peak = (plain(value) for value in moments(played, "nape_skin_temp_c"))
    change = _change(played)
    key: Literal["stays", "warms", "cools"] = "stays" if not change else "warms" if change > 0 else "cools"
    return words(f"neck.{key}", before=before, peak=peak)


def _felt(played: Played, words: Catalogue) -> str:
    if not played.is_felt:
        return words("neck.unfelt")
    return words("neck.felt", felt=plain(float(played.attribution.totals[Quantity.FELT_PEAK][0])))


def _when(played: Played, words: Catalogue) -> str:
    since_s = float(played.state.time_s[played.peak]) - played.scenario.events[0].start_s
    if since_s < LONG_S:
        return words("neck.when_minutes", n=round(since_s / 60))
    return words("neck.when_hours", n=plain(since_s / 3_600))


def _table(played: Played, words: Catalogue) -> Table:
    """Give the numbers behind both pictures."""
    return Table(
        tuple(words(f"neck.{one}") for one in ("quantity", "before", "peak", "change")),
        tuple(_row(name, played, words) for name in TOLD),
    )


def _row(name: str, played: Played, words: Catalogue) -> tuple[str, ...]:
    output, (before, peak) = OUTPUTS[name], moments(played, name)
    label = output.ja if words.language == "ja" else output.en
    unit = f" [{output.unit}]" if output.unit != "1" else ""
    change = round(peak, 1) - round(before, 1)
    return f"{label}{unit}", plain(before), plain(peak), signed(change, 1)

"""Was the nape really warm, or was heat felt without warming? Felt heat is not measured heat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from unaji.claims.model import Pathway
from unaji.findings import EpisodeFinding, Findings
from unaji.report.words import Catalogue

UNDETERMINED = "undetermined"
WARMING = (Pathway.VASCULAR, Pathway.HEAT_LOAD, Pathway.MUSCLE, Pathway.CORE)
"""Ways in which skin or what lies under it really warms, in the order they are told."""


CLEARLY = 0.6
USUAL_BAND_SD = 1.645
MEASURED = ("neck_skin_rise_k", "core_temp_c")
"""Without one of these nobody can say that the nape warmed, however warm the surroundings were."""


class Warmth(StrEnum):
    """What one episode's dot looks like: filled, ring, square, hatched."""

    WARM = "warm"
    FELT = "felt"
    AROUND = "around"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Warmths:
    """Section 2: counts, and what they mean."""

    heading: str
    counts: dict[Warmth, int]
    paragraphs: tuple[str, ...]
    not_imagined: str


def warmth_of(finding: EpisodeFinding) -> Warmth:
    """Return whether the nape really warmed: the likelier of warming and sensing, unless mostly undetermined.

    "Warm" is only said when the rise leaves the usual band or the probability is 0.6 at least.

    Where neither the nape nor the body temperature was measured, warm surroundings are told as what they are.
    """
    warm = sum(finding.pathway.get(way, 0.0) for way in WARMING)
    felt = finding.pathway.get(Pathway.SENSORY, 0.0)
    if finding.pathway.get(UNDETERMINED, 0.0) >= 0.5 or warm + felt == 0:
        return Warmth.UNMEASURED
    if not any(name in finding.measured for name in MEASURED):
        around = max(WARMING, key=lambda way: finding.pathway.get(way, 0.0)) is Pathway.HEAT_LOAD and warm >= felt
        return Warmth.AROUND if around else Warmth.UNMEASURED
    if warm < felt:
        return Warmth.FELT
    return Warmth.WARM if warm >= CLEARLY or _beyond_usual(finding) else Warmth.UNMEASURED


def _beyond_usual(finding: EpisodeFinding) -> bool:
    """Whether the nape rose out of the band in which nine of ten quiet readings lie."""
    rise, sd = finding.measured.get("neck_skin_rise_k"), finding.measured.get("neck_skin_rise_sd_k")
    return rise is not None and sd is not None and rise > USUAL_BAND_SD * sd


def way_of(finding: EpisodeFinding) -> str:
    """Return the likeliest way the heat came about within what `warmth_of` says."""
    warmth = warmth_of(finding)
    if warmth is Warmth.UNMEASURED:
        return UNDETERMINED
    if warmth is Warmth.FELT:
        return Pathway.SENSORY
    if warmth is Warmth.AROUND:
        return Pathway.HEAT_LOAD
    return max(WARMING, key=lambda way: finding.pathway.get(way, 0.0))


def warmths(findings: Findings, words: Catalogue) -> Warmths:
    """Count the episodes with fever left out: they are told in section 1."""
    plain = [one for one in findings.episodes if not one.fever]
    counts = {warmth: sum(warmth_of(one) is warmth for one in plain) for warmth in Warmth}
    felt = counts[Warmth.FELT]
    return Warmths(
        heading=_heading(counts, words),
        counts=counts,
        paragraphs=_paragraphs(plain, counts, words),
        not_imagined=words("warm.not_imagined") + words("list.space") + words("warm.nerves") if felt else "",
    )


def _heading(counts: dict[Warmth, int], words: Catalogue) -> str:
    measured = counts[Warmth.WARM] + counts[Warmth.FELT]
    if not sum(counts.values()):
        return words("warm.no_episodes")
    if not measured and counts[Warmth.AROUND]:
        every = words.count("episodes", sum(counts.values()))
        return words("warm.only_around", every=every, around=_bare(counts[Warmth.AROUND], words))
    if not measured:
        return words("warm.nothing")
    return words("warm.measured", measured=words.count("episodes", measured), warm=_bare(counts[Warmth.WARM], words))


def _paragraphs(plain: list[EpisodeFinding], counts: dict[Warmth, int], words: Catalogue) -> tuple[str, ...]:
    texts = []
    if counts[Warmth.WARM]:
        ways = Counter(way_of(one) for one in plain if warmth_of(one) is Warmth.WARM)
        told = [
            words("warm.way", name=words(f"pathway.{way}"), episodes=_bare(ways[way], words))
            for way in WARMING
            if ways[way]
        ]
        texts.append(words("warm.ways", warm=_bare(counts[Warmth.WARM], words), ways=words.join(told)))
    if counts[Warmth.AROUND]:
        texts.append(words("warm.around", around=words.count("episodes", counts[Warmth.AROUND])))
    if counts[Warmth.UNMEASURED] and len(plain) > counts[Warmth.UNMEASURED]:
        texts.append(words("warm.unmeasured", unmeasured=words.count("episodes", counts[Warmth.UNMEASURED])))
    if counts[Warmth.FELT]:
        texts.append(words("warm.felt", felt=words.count("episodes", counts[Warmth.FELT])))
    return tuple(texts)


def _bare(n: int, words: Catalogue) -> str:
    """Give a count without repeating the noun where a language does not: "17回", "17"."""
    return words("unit.bare", n=n)

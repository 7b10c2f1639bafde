"""What is said and drawn of a "what if": four numbers with their ranges, what they mean, how sure, and the neck.

A page puts the parts where it likes, and its script may ask for them again as JSON; nothing is left to be computed or
rounded there. Temperatures, ratios and felt heat have one decimal; a range is rounded outwards.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from unaji.body.counterfactual import LEAST_FELT
from unaji.body.hypotheses import NOTICED
from unaji.body.spread import Spread
from unaji.body.what_if import MOMENT_S, SLIDERS, WhatIf, WhatIfResult, links_of_slider
from unaji.claims.graph import load_claims
from unaji.claims.model import Claims, Grade
from unaji.report.figures._neck_words import Language
from unaji.report.figures.cross_section import NeckSection, cross_section, section_of
from unaji.report.spreads import is_nothing, is_the_same, outwards, say_change, say_range
from unaji.report.words import Catalogue, catalogue, plain

SECTION_PX = 330
"""Width of the drawings: the inside of a card on a phone 360 px wide."""
ABOUT_THE_SAME = 0.6
"""From which share of the strongest way on the second is named beside it: other persons may turn such two round."""
WEAK = (Grade.C, Grade.D)
STRENGTHS = ((0.0, "none"), (3.0, "weak"), (6.0, "middle"), (10.0, "strong"))
"""Up to which value stress and anger are called how."""


@dataclass(frozen=True, slots=True)
class NumberTold:
    """One of the four numbers: `id` is flow, skin, core or felt; `range` that of nine in ten persons."""

    id: str
    name: str
    value: str
    range: str


@dataclass(frozen=True, slots=True)
class LinkTold:
    """One link of cause and effect and its grade, A to D."""

    claim: str
    grade: str


@dataclass(frozen=True, slots=True)
class SliderTold:
    """What is said of one slider.

    Attributes
    ----------
    id : str
        As the field of `WhatIf`.
    value : str
        Where it stands, in words; also for the ear.
    changed : bool
        Whether it is away from its usual place.
    grade : str
        That of the weakest link it rests on.
    weak : bool
        Whether that is C or D, which has to be seen.
    aloud : str
        The grade in words.
    note : str
        What is, or is not, known.
    links : tuple of LinkTold
        The worst proven last.
    """

    id: str
    name: str
    value: str
    changed: bool
    grade: str
    weak: bool
    aloud: str
    note: str
    links: tuple[LinkTold, ...]


@dataclass(frozen=True, slots=True)
class WhatIfTold:
    """Everything that a page says of a "what if" in one language.

    Attributes
    ----------
    tag : str
        That it is computed.
    numbers : tuple of NumberTold
        Flow, skin, core, felt heat.
    skin, core, felt : str
        What becomes of each, in a sentence.
    way : str
        From where the felt heat comes; "" where hardly anybody feels any.
    fever : str
        What a fever means here; "" without one.
    moment, ranges : str
        When it is read and what is usual; of what the ranges are.
    computed : str
        That nothing was measured.
    aria : str
        The whole in short, for a live region.
    warning : tuple of str
        What comes before any computation, where the asked fever is a sign of danger; else empty.
    section, section_usual : str
        The neck at the moment and usually, as SVG with the scale of temperature alone below; their ids differ. `pair`
        draws both with every key.
    """

    language: str
    tag: str
    numbers: tuple[NumberTold, ...]
    skin: str
    core: str
    felt: str
    way: str
    fever: str
    moment: str
    ranges: str
    computed: str
    aria: str
    warning: tuple[str, ...]
    sliders: tuple[SliderTold, ...]
    section: str
    section_usual: str

    def json(self) -> str:
        """Return it as one JSON object, without the usual neck: whatever is asked, that one stays as it is."""
        return json.dumps(
            {name: one for name, one in asdict(self).items() if name != "section_usual"}, ensure_ascii=False
        )


def told(result: WhatIfResult, language: str, claims: Claims | None = None) -> WhatIfTold:
    """Say and draw the answer.

    Parameters
    ----------
    result : WhatIfResult
    language : {"ja", "en"}
    claims : Claims, optional
        The article whose links, grades and warning signs count; that of the hot nape when not given.
    """
    words, claims = catalogue(language), _article() if claims is None else claims
    numbers = _numbers(result, words)
    skin, core = (_moves(name, change, words) for name, change in _changes(result).items())
    felt = _felt(result.felt_heat, words)
    section, usual = _sections(result, "en" if language == "en" else "ja")
    return WhatIfTold(
        language=language,
        tag=words("neck.tag"),
        numbers=numbers,
        skin=skin,
        core=core,
        felt=felt,
        way=_way(result, words),
        fever=words("what_if.fever") if result.asked.fever_k > 0 else "",
        moment=words("what_if.moment", n=round(MOMENT_S / 60), room=_celsius(SLIDERS["room_temp_c"].usual, words)),
        ranges=words("what_if.ranges", n=result.n_persons),
        computed=words("what_if.computed"),
        aria=words("list.space").join((words("what_if.aria", **{one.id: one.value for one in numbers}), skin, felt)),
        warning=_warning(result.asked, claims, words),
        sliders=tuple(_slider(name, result.asked, claims, words) for name in SLIDERS),
        section=section,
        section_usual=usual,
    )


@cache
def _article() -> Claims:
    return load_claims("neck_heat")


# -- numbers -----------------------------------------------------------------------------------------------------------


def _changes(result: WhatIfResult) -> dict[str, Spread]:
    return {"skin": result.nape_change_k, "core": result.core_change_k}


def _numbers(result: WhatIfResult, words: Catalogue) -> tuple[NumberTold, ...]:
    flow, felt = result.flow_ratio, result.felt_heat
    found = {
        "flow": (words("what_if.times", n=plain(flow.median)), "" if is_the_same(flow) else say_range(flow, words)),
        "skin": (_celsius(result.nape_skin_c.median, words, 1), say_change(result.nape_change_k, words)),
        "core": (_celsius(result.core_c.median, words, 1), say_change(result.core_change_k, words)),
        "felt": (plain(felt.median), "" if is_nothing(felt) else say_range(felt, words)),
    }
    return tuple(
        NumberTold(name, words(f"what_if.number.{name}"), value, told_range or words("what_if.no_change"))
        for name, (value, told_range) in found.items()
    )


def _celsius(temp_c: float, words: Catalogue, digits: int | None = None) -> str:
    """Say a temperature, with no more digits than it has where their number is not given."""
    return words("what_if.celsius", n=f"{temp_c:g}" if digits is None else plain(temp_c, digits))


# -- sentences ---------------------------------------------------------------------------------------------------------


def _moves(name: str, change: Spread, words: Catalogue) -> str:
    """Say which way a temperature goes, and by how much in nine of ten persons."""
    if is_nothing(change):
        return words(f"what_if.{name}.stays")
    low, high = outwards(change)
    most = {end: words("what_if.kelvin", n=plain(abs(value))) for end, value in (("low", low), ("high", high))}
    if low < 0 < high:
        return words(f"what_if.{name}.either", low=most["low"], high=most["high"])
    verb = "up" if high > 0 else "down"
    least, far = sorted((abs(low), abs(high)))
    if not least:
        return words(f"what_if.{name}.{verb}_to", n=words("what_if.kelvin", n=plain(far)))
    by = plain(far) if least == far else words("range", low=plain(least), high=plain(far))
    return words(f"what_if.{name}.{verb}", n=words("what_if.kelvin", n=by))


def _felt(felt: Spread, words: Catalogue) -> str:
    if felt.high < LEAST_FELT:
        return words("what_if.felt.none")
    if felt.median < NOTICED:
        return words("what_if.felt.few", most=plain(outwards(felt)[1]))
    return words("what_if.felt.most", n=plain(felt.median))


def _way(result: WhatIfResult, words: Catalogue) -> str:
    if result.felt_heat.high < LEAST_FELT or not result.leading:
        return ""
    first, *others = result.leading
    beside = [way for way in others[:1] if result.felt_by_way[way] > ABOUT_THE_SAME * result.felt_by_way[first]]
    name = {way: words(f"pathway.{way}") for way in (first, *beside)}
    if beside:
        return words("what_if.way_two", way=name[first], other=name[beside[0]])
    return words("what_if.way_first", way=name[first])


def _warning(asked: WhatIf, claims: Claims, words: Catalogue) -> tuple[str, ...]:
    """Return what the asked body temperature would call for, were it measured."""
    for flag in claims.red_flags:
        limit = flag.threshold
        if limit and "body_temp_c" in limit.quantities and asked.body_temp_c >= limit.at_least:
            lead = words("what_if.warning", n=_celsius(limit.at_least, words, 1))
            return lead, flag.say.in_(words.language)
    return ()


# -- sliders -----------------------------------------------------------------------------------------------------------


def _slider(name: str, asked: WhatIf, claims: Claims, words: Catalogue) -> SliderTold:
    links = links_of_slider(name, claims)
    weakest = links[-1].grade
    return SliderTold(
        id=name,
        name=words(f"what_if.slider.{name}"),
        value=_value(name, asked, words),
        changed=name in asked.changed,
        grade=str(weakest),
        weak=weakest in WEAK,
        aloud=words("grade.aloud", grade=weakest, text=words(f"grade.{weakest}")),
        note=words(f"what_if.note.{name}"),
        links=tuple(LinkTold(link.claim.in_(words.language), str(link.grade)) for link in links),
    )


def _value(name: str, asked: WhatIf, words: Catalogue) -> str:
    """Say where a slider stands."""
    value = getattr(asked, name)
    if name == "stress":
        strength = next(word for limit, word in STRENGTHS if value <= limit)
        return words(f"what_if.strength.{strength}", n=f"{value:g}")
    if name == "flexion_deg":
        return words("what_if.bent", n=f"{value:g}") if value else words("what_if.upright")
    if name == "covered":
        return words("what_if.covered" if value else "what_if.bare")
    return _celsius(value, words)


# -- the picture -------------------------------------------------------------------------------------------------------


def _sections(result: WhatIfResult, language: Language) -> tuple[str, str]:
    """Draw the neck at the moment and usually."""
    now, usual = _states(result)
    # Where nothing is changed both pictures are the same, and one page must not hold an id twice.
    return _drawn(now, language), re.sub(r"neck-(?=[0-9a-f]{10}-)", "usual-neck-", _drawn(usual, language))


def _states(result: WhatIfResult) -> tuple[NeckSection, NeckSection]:
    """Return the neck of medians at the moment, and usually."""
    return (
        section_of(result.state, step=1, air_temp_c=result.asked.room_temp_c, collar=result.asked.covered),
        section_of(result.state, step=0, air_temp_c=WhatIf().room_temp_c, collar=WhatIf().covered),
    )


@lru_cache(maxsize=64)  # the usual neck comes with every answer
def _drawn(section: NeckSection, language: Language) -> str:
    return cross_section(section, language=language, width_px=SECTION_PX, with_keys=False)


def pair(result: WhatIfResult, language: Language, width_px: float = SECTION_PX) -> str:
    """Draw the neck usually and at the moment, with every key and each label's change, as SVG; for a closed row."""
    now, usual = _states(result)
    return cross_section(now, before=usual, language=language, width_px=width_px)

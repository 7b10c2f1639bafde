"""What happens in your neck when …? One scenario as one HTML page, Japanese first, English below, loading nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup

from unaji import __version__
from unaji.body.counterfactual import DRIVERS, LEAST_FELT, Quantity
from unaji.body.played import Leaning, Played
from unaji.body.scenario import Event
from unaji.claims.graph import load_claims
from unaji.claims.model import Claims, RedFlag
from unaji.report.figures._neck_shares import SharedOut, neck_shares
from unaji.report.figures._neck_words import Language
from unaji.report.html import render_page
from unaji.report.neck_scene import LONG_S, draw_course, draw_section, links_of
from unaji.report.scenario_words import say, separation_sentence
from unaji.report.words import plain, signed

LANGUAGES: tuple[Language, ...] = ("ja", "en")
PHONE, DESKTOP = 330, 720
LEAST_WARMING_K = 0.05
MOST_LEANINGS = 4


def to_html(played: Played) -> str:
    """Return the whole page as text; see `unaji.report.html.write_html` to keep it."""
    claims = load_claims("neck_heat")
    parts = [_part(played, claims, language) for language in LANGUAGES]
    return render_page("scenario.html", {"parts": parts, "version": __version__})


# -- pictures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture drawn for both widths; the style sheet shows one."""

    phone: Markup
    desktop: Markup


def draw_shares(played: Played, language: Language, width_px: float) -> str:
    """Draw the shares of felt heat, warming of the nape and rise of the core, as SVG text."""
    main = _main(played)
    panels = [(Quantity.FELT_SUM, "sum_panel")] if main is Quantity.FELT_SUM else []
    panels += [(Quantity.FELT_PEAK, "felt_panel")] if played.is_felt else []
    panels += [(Quantity.NAPE, "nape_panel"), (Quantity.CORE, "core_panel")]

    def shared_out(quantity: Quantity, name: str) -> SharedOut:
        is_felt = quantity in (Quantity.FELT_PEAK, Quantity.FELT_SUM)
        digits = 1 if is_felt and played.attribution.totals[quantity][0] >= 1 else 2
        return SharedOut(say(name, "ja"), say(name, "en"), _shares(played, quantity), digits, is_felt)

    return neck_shares(
        [shared_out(quantity, name) for quantity, name in panels],
        language=language,
        width_px=width_px,
    )


def _main(played: Played) -> Quantity:
    """Return what is told first: felt heat at its highest, or over the whole of a long time, or else the skin."""
    if not played.is_felt:
        return Quantity.NAPE
    return Quantity.FELT_SUM if played.scenario.duration_s >= LONG_S else Quantity.FELT_PEAK


def _shares(played: Played, quantity: Quantity) -> dict[str, float]:
    return {str(way): float(played.attribution.shares[quantity][k, 0]) for k, way in enumerate(DRIVERS)}


def _picture(draw: Callable[[Played, Language, float], str], played: Played, language: Language) -> Picture:
    def one(width: int, name: str) -> Markup:
        return Markup(draw(played, language, width).replace('class="figure neck"', f'class="figure neck {name}"', 1))

    return Picture(one(PHONE, "phone"), one(DESKTOP, "desktop"))


# -- words -------------------------------------------------------------------------------------------------------------


def _part(played: Played, claims: Claims, language: Language) -> dict[str, Any]:
    """Return what the page says in one language."""
    w = partial(say, language=language)
    found, title = played.attribution, played.scenario.title.in_(language)
    nape, core = (float(found.whole[name][0]) for name in ("nape_skin_temp_c", "core_temp_c"))
    felt = float(found.totals[Quantity.FELT_PEAK][0])
    return {
        "lang": language,
        "w": w,
        "title": w("title", title=title),
        "heading": title,
        "lead": played.scenario.shows.in_(language),
        "facts": [
            (w("felt_fact"), w("of_ten", n=plain(felt))),
            (w("nape_fact"), w("kelvin", n=signed(nape, 1))),
            (w("core_fact"), w("kelvin", n=signed(core, 1))),
        ],
        "warning": _warning(played, claims),
        "warning_lead": w("warning_lead", n=plain(float(np.nanmax(played.state["core_temp_c"][0])))),
        "inside": _inside(played, language),
        "inside_note": w("inside_note", moment=_moment(played, language)),
        "section": _picture(draw_section, played, language),
        "course_heading": w("course", when=_when(played, language), felt=plain(felt))
        if played.is_felt
        else w("course_unfelt"),
        "course": _picture(draw_course, played, language),
        "course_note": w("course_note" if played.is_felt else "course_note_unfelt"),
        "shares_question": w("section_shares_cool" if nape < 0 and not played.is_felt else "section_shares"),
        "shares_heading": shares_sentence(played, language),
        "shares": _picture(draw_shares, played, language),
        "table": _table(played, language),
        "signs": [(w(name), w(str(sign))) for name, sign in found.signs().items()],
        "separation": apart_sentence(played, language),
        "links": [{"claim": one.claim.in_(language), "grade": str(one.grade)} for one in links_of(played, claims)],
        "hangs_heading": w("hangs_felt" if played.is_felt else "hangs_nape"),
        "leanings": [_leaning(one, played, language) for one in _told_leanings(played)],
        "never_measured": w("never_measured") if _is_moved(played) else "",
        "sources": played.scenario.sources,
    }


def _is_moved(played: Played) -> bool:
    return any({"stress", "emotion"} & set(event.values) for event in played.scenario.events)


def _warning(played: Played, claims: Claims) -> RedFlag | None:
    """Return the sign of danger that the computed core temperature would raise."""
    core_c = float(np.nanmax(played.state["core_temp_c"][0]))
    raised = [
        flag
        for flag in claims.red_flags
        if flag.threshold and "core_temp_c" in flag.threshold.quantities and core_c >= flag.threshold.at_least
    ]
    return raised[0] if raised else None


def _inside(played: Played, language: Language) -> str:
    before, peak = (plain(float(played.state["nape_skin_temp_c"][0, step])) for step in (played.before, played.peak))
    return say("inside_same" if before == peak else "inside", language, before=before, peak=peak)


def _when(played: Played, language: Language) -> str:
    """Say how long after the first event the moment that counts is."""
    events: tuple[Event, ...] = played.scenario.events
    since_s = float(played.state.time_s[played.peak]) - (events[0].start_s if events else 0.0)
    if since_s < 2 * 3_600:
        return say("after_minutes", language, n=round(since_s / 60))
    if since_s < 3 * 86_400:
        return say("after_hours", language, n=plain(since_s / 3_600))
    return say("after_days", language, n=round(since_s / 86_400))


def _moment(played: Played, language: Language) -> str:
    return say("moment_felt" if played.is_felt else "moment_nape", language, when=_when(played, language))


def shares_sentence(played: Played, language: Language) -> str:
    """Say which way carries most, or which two carry about the same."""
    share = _shares(played, _main(played))
    ranked = sorted(share, key=lambda way: -abs(share[way]))
    first, second = (abs(share[way]) for way in ranked[:2])
    if first < (LEAST_FELT if played.is_felt else LEAST_WARMING_K):
        return say("shares_none", language)
    way, other = (say(one, language) for one in ranked[:2])
    if second > 0.75 * first:
        return say("shares_two", language, way=way, other=other)
    return say("shares_first", language, way=way)


def apart_sentence(played: Played, language: Language) -> str:
    """Say what tells the two leading ways apart; empty where the whole time counts, as other ways may lead in it."""
    return separation_sentence(played.attribution, language) if _main(played) is Quantity.FELT_PEAK else ""


def _table(played: Played, language: Language) -> dict[str, Any]:
    columns = ((Quantity.FELT_PEAK, "felt_panel"), (Quantity.FELT_SUM, "sum_panel"), (Quantity.NAPE, "nape_panel"),
               (Quantity.CORE, "core_panel"))  # fmt: skip
    shares = [_shares(played, quantity) for quantity, _ in columns]
    totals = [float(played.attribution.totals[quantity][0]) for quantity, _ in columns]
    rows = [[say(way, language), *(signed(share[way], 2) for share in shares)] for way in map(str, DRIVERS)]
    rows.append([say("total", language), *(signed(total, 2) for total in totals)])
    return {"head": [say("way", language), *(say(name, language) for _, name in columns)], "rows": rows}


def _told_leanings(played: Played) -> Iterator[Leaning]:
    least = LEAST_FELT if played.is_felt else LEAST_WARMING_K
    return (one for one in played.hangs_on[:MOST_LEANINGS] if one.spread >= least)


def _leaning(one: Leaning, played: Played, language: Language) -> dict[str, str]:
    def result(value: float) -> str:
        if played.is_felt:
            return say("of_ten", language, n=plain(value))
        return say("kelvin", language, n=signed(value, 2))

    def number(value: float) -> str:
        unit = "" if one.parameter.unit == "1" else f" {one.parameter.unit}"
        return f"{value:g}{unit}".replace("-", "−")

    parameter = one.parameter
    return {
        "name": parameter.words.in_(language),
        "mark": say(f"mark_{parameter.mark}", language),
        "text": say("lean", language, low=number(parameter.low), high=number(parameter.high),
                    value=number(played.scenario.persons[:1].trait(parameter.name, parameter.value)[0]),
                    at_low=result(one.at_low), at_high=result(one.at_high)),
    }  # fmt: skip

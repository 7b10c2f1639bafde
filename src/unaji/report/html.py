"""The findings as one HTML file: no network, works from a file, on a phone and on paper."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from unaji.causes.attribution import CauseResult, SignalState
from unaji.findings import Findings
from unaji.report.figures._neck_words import Language
from unaji.report.figures.autonomic import autonomic_figure
from unaji.report.figures.causes import causes_figure, ten_dots
from unaji.report.figures.days import days_figure
from unaji.report.figures.examples import examples_figure
from unaji.report.figures.lags import lags_figure
from unaji.report.figures.neck_ways import neck_ways_figure
from unaji.report.figures.one_episode import one_episode_figure
from unaji.report.figures.rises import rises_figure
from unaji.report.figures.svg import PHONE, Figure
from unaji.report.figures.weeks import weeks_figure
from unaji.report.figures.whole import whole_figure
from unaji.report.live.script import as_data, script
from unaji.report.live.told import to_script
from unaji.report.neck_scene import draw_course, draw_section
from unaji.report.readings import with_readings
from unaji.report.story.episodes import by_month, cards
from unaji.report.story.factors import Factor
from unaji.report.story.neck import NeckScene
from unaji.report.story.story import Story, tell
from unaji.report.story.warmth import Warmth
from unaji.report.words import Catalogue, catalogue
from unaji.report.written import PAGE, put_bytes

OPEN_CARDS = 3
"""Episodes shown unfolded, the latest first."""

SECTIONS = ("doctor", "warm", "behind", "neck", "not_behind", "open", "treatment", "how")

_NUMBER_WITH_UNIT = re.compile(
    r"[+−]?\d[\d.,:]*(?:[〜–][+−]?\d[\d.,]*)?"
    r"(?:週間|時間|[年月日回分倍件番時夜]|%|℃| ?(?:episodes?|weeks?|days?|hours?|minutes?|times)\b)"
)


def to_html(findings: Findings, language: str = "ja") -> str:
    """Return the whole page as text."""
    words = catalogue(language)
    story = tell(findings, words)
    told = cards(findings, story.candidates, words)
    live = to_script(findings, story, words)
    page: dict[str, Any] = {
        "lang": language,
        "w": words,
        "live": live,
        "told_json": as_data(live) if live else "",
        "script": Markup(script()) if live else "",
        "script_hash": _hash(script()),
        "story": story,
        "findings": findings,
        "sections": SECTIONS,
        "figures": drawn_figures(findings, story, words),
        "neck_pictures": _neck_pictures(story, words),
        "cards": told[:OPEN_CARDS] if story.ranked else (),
        "folded": by_month(told[OPEN_CARDS:] if story.ranked else told),
        "n_folded": len(told[OPEN_CARDS:] if story.ranked else told),
        "warmth_dots": _warmth_dots(story),
        "ten_dots": partial(ten_dots, words=words),
        "table": full_table(findings, story, words),
        "checks": sorted(findings.attribution.checks.items()),
        "claims": _claims(findings, words),
    }
    return render_page("report.html", page)


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template of a page that carries our own style sheet and lets no other style in."""
    css = _css()
    page = _environment().get_template(template).render({**values, "css": Markup(css), "style_hash": _hash(css)})
    return with_readings(page) if values.get("lang") == "ja" else page


def _hash(text: str) -> str:
    """Return the hash by which a policy names an element's text."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write_html(path: Path, text: str) -> None:
    """Write the page beside its place and move it there, so that no half-written file is ever seen.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    put_bytes(path, text.encode("utf-8"), PAGE)


def unbroken(text: str) -> Markup:
    """Escape a text and keep every number together with its unit."""
    parts, done = [], 0
    for match in _NUMBER_WITH_UNIT.finditer(text):
        parts += [escape(text[done : match.start()]), Markup('<span class="n">{}</span>').format(match.group())]
        done = match.end()
    return Markup("").join([*parts, escape(text[done:])])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unaji.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["u"] = unbroken
    return environment


@cache
def _css() -> str:
    return files("unaji.report").joinpath("styles", "report.css").read_text(encoding="utf-8")


def drawn_figures(findings: Findings, story: Story, words: Catalogue) -> dict[str, Figure]:
    """Draw what there is something to draw of; what needs a ranking waits until there is one."""
    ranked: dict[str, Callable[[], Figure | None]] = {
        "causes": lambda: causes_figure(story.candidates, story.answer.sentence, words),
        "days": lambda: _days(findings, story, words),
        "one": lambda: one_episode_figure(findings, story.candidates, words),
        "lags": lambda: lags_figure(story.candidates, words),
    }
    always: dict[str, Callable[[], Figure | None]] = {
        "rises": lambda: rises_figure(findings, words),
        "examples": lambda: examples_figure(findings, words),
        "ways": lambda: neck_ways_figure(findings.neck, words),
        "autonomic": lambda: autonomic_figure(findings, words),
        "whole": lambda: whole_figure(findings, story.candidates, words),
    }
    wanted = always | (ranked if story.ranked else {})
    if story.courses:
        wanted["weeks"] = lambda: weeks_figure(findings, words)
    drawn = {name: make() for name, make in wanted.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _neck_pictures(story: Story, words: Catalogue) -> list[tuple[NeckScene, Markup, Markup]]:
    """Draw section and course of each scene at one width, which stand below or beside each other."""
    language: Language = "ja" if words.language == "ja" else "en"
    return [
        (scene, Markup(draw_section(scene.played, language, PHONE)), Markup(draw_course(scene.played, language, PHONE)))
        for scene in story.neck.scenes
    ]


def _days(findings: Findings, story: Story, words: Catalogue) -> Figure | None:
    factor = story.candidates.strongest
    return None if factor is None else days_figure(findings, factor, words)


def _warmth_dots(story: Story) -> list[Warmth]:
    return [warmth for warmth in Warmth for _ in range(story.warmths.counts[warmth])]


def full_table(findings: Findings, story: Story, words: Catalogue) -> dict[str, Any]:
    """Return head and rows of the table of all causes, for those who want every number."""
    columns = ("factor", "verdict", "p", "error", "episodes", "interval", "if_cause")
    checks = ("avoidable", "avoidable_half", "shift_p", "filled", "grade")
    return {
        "head": [words(f"column.{name}") for name in (*columns, *checks)],
        "rows": [_row(one, words) for one in story.candidates.factors],
    }


def _row(factor: Factor, words: Catalogue) -> list[str]:
    result = factor.result

    fitted = result.signal is SignalState.OK  # of what took no part nothing is known, not that it explains nothing

    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if fitted and math.isfinite(value) else words("unknown")

    explained = result.episodes_explained
    interval = words("range", low=number(explained.p5, 1), high=number(explained.p95, 1))
    return [
        factor.name,
        factor.word,
        words.percent(result.p_cause),
        number(result.p_cause_mcse, 3),
        number(explained.mean, 1),
        interval if fitted and math.isfinite(explained.p5) else words("unknown"),
        _share_if_cause(result, words),
        number(result.avoidable.mean, 1),
        number(result.avoidable_half.mean, 1),
        number(result.shift_p, 2),
        words.percent(result.filled_share),
        factor.grade.value,
    ]


def _share_if_cause(result: CauseResult, words: Catalogue) -> str:
    share = result.share_if_cause
    if share is None:
        return words("unknown")
    return words("range", low=words.percent(share.p5), high=words.percent(share.p95))


def _claims(findings: Findings, words: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "name": cause.name.in_(words.language),
            "claim": cause.claim.in_(words.language),
            "grade": cause.grade.value,
            "from": words("how.in_article" if cause.in_article else "how.not_in_article"),
        }
        for cause in findings.claims.causes
    ]


def policy_hashes() -> tuple[str, str]:
    """Return the hashes by which a server's policy lets in the page's style sheet and its script."""
    return _hash(_css()), _hash(script())

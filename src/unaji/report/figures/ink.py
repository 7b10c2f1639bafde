"""Figures for paper: a picture that carries its own style, in ink only, for a typesetter that knows no page around it.

The rules are those of the report's style sheet, read from it, so that screen and paper cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup

FAMILIES = ("weather", "mind", "posture", "intake", "body", "around")
"""Colour families of causes; each picture element of a family has the class ``f-…``."""

FONT = "BIZ UDPGothic"
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_VARIABLE = re.compile(r"var\(--([a-z0-9-]+)(?:,([^()]*))?\)")


def on_paper(svg: Markup, font: str = FONT) -> str:
    """Return one of the report's figures as a picture of its own, in the colours of print."""
    inside = f'<style>svg{{font-family:"{font}"}}{_rules()}</style><defs>{_patterns()}</defs>'
    head, rest = str(svg).split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{inside}{rest}'


@cache
def _patterns() -> str:
    return files("unaji.report").joinpath("templates", "patterns.svg").read_text(encoding="utf-8")


@cache
def _rules() -> str:
    """Write the rules of pictures without variables: one copy for each family where a rule takes its colour."""
    css = files("unaji.report").joinpath("styles", "report.css").read_text(encoding="utf-8")
    light, paper = css.partition("@media (prefers-color-scheme")[0], css.partition("@media print{")[2]
    colours = dict(re.findall(r"--([a-z0-9-]+):([^;}]+)", light)) | dict(re.findall(r"--([a-z0-9-]+):([^;}]+)", paper))
    pictures = css.partition("/* pictures */")[2].partition("/* the neck")[0]
    patterned = "".join(f"{a}{{{b}}}" for a, b in _RULE.findall(paper) if ".layer" in a and "url(#" in b)
    written = []
    for selector, body in _RULE.findall(pictures + patterned):
        for names, colour in _of_families(selector, body, colours):
            written.append(f"{names}{{{_resolved(body, colours | {'c': colour})}}}")
    return "\n".join(written)


def _resolved(body: str, colours: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return colours.get(found[1]) or found[2] or "none"

    return _VARIABLE.sub(value, body)


def _of_families(selector: str, body: str, colours: dict[str, str]) -> list[tuple[str, str]]:
    parts = [part.strip() for part in selector.split(",")]
    if "var(--c" not in body:
        return [(",".join(parts), "none")]
    return [(",".join(f"{part}.f-{family}" for part in parts), colours[family]) for family in FAMILIES]

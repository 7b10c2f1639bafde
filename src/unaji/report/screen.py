"""What a terminal can show: the design's colours on whatever ground it has, its marks, its language.

Colour is only ever added to a mark that says the same without it; text keeps the terminal's own colour.
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from unaji.claims.model import Family
from unaji.report.marks import DRAWN, PLAIN, Marks
from unaji.report.words import catalogue

HEAT = "heat"
"""Episodes and felt heat, nothing else."""
INK = {
    HEAT: "#C8442A",
    Family.WEATHER: "#5A7CCB",
    Family.MIND: "#8262C2",
    Family.POSTURE: "#2A928C",
    Family.INTAKE: "#BD7F00",
    Family.BODY: "#926A54",
    Family.AROUND: "#A6516E",
}
"""Colours of heat and of families. Nobody can ask a terminal for its ground, so each shows on black and on white
(contrast 3 and more, WCAG 2.2, 1.4.11): the page's light colour where that does, else the colour halfway to its dark
one."""
INK_OF_SIXTEEN = {
    HEAT: "red",
    Family.WEATHER: "bright_blue",
    Family.MIND: "magenta",
    Family.POSTURE: "cyan",
    Family.INTAKE: "yellow",
    Family.BODY: "bright_black",
    Family.AROUND: "bright_magenta",
}
"""The same where a terminal has sixteen colours of its own choice: the nearest ones would give heat that of intake."""
ACT_NOW = Style(color="#FFFFFF", bgcolor="#9B1321", bold=True)
"""Signs that need a doctor now: the page's `alert-fill`, which brings its own ground."""

NEAREST = {
    "–": "-",
    "—": "-",
    "−": "-",
    "〜": "~",
    "×": "x",
    "→": ">",
    "℃": "C",
    "≥": ">",
    "≤": "<",
    "“": '"',
    "”": '"',
}
"""What stands for a sign that an encoding has not, one cell wide; code page 932 of Japanese Windows lacks the first
two."""
AS_NEAR_AS_CAN_BE = "unaji.nearest"


def console_on(stream: IO[str] | None = None, *, color: bool = True) -> Console:
    """Return a console that never fails over a sign its encoding has not.

    Colour and all other escape codes are left out where ``NO_COLOR`` is set (https://no-color.org) or `color` is False,
    and, as rich does, where the stream is no terminal or a dumb one.
    """
    stream = stream or sys.stdout
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=AS_NEAR_AS_CAN_BE)
    if os.environ.get("NO_COLOR") or not color:
        return Console(file=stream, color_system=None)
    return Console(file=stream)


def marks_of(console: Console) -> Marks:
    """Return the drawn marks, or the plain ones where the console's encoding has them not."""
    return DRAWN if _can_say(DRAWN.signs, console.encoding) else PLAIN


def language_on(console: Console, language: str) -> str:
    """Return the language, or English where the console's encoding has no Japanese: question marks tell nobody."""
    return language if _can_say(catalogue(language)("section.doctor"), console.encoding) else "en"


def inks_of(console: Console) -> Theme:
    """Return the colours for this console, under the names that `ink` gives; see `rich.console.Console.use_theme`."""
    chosen = INK_OF_SIXTEEN if console.color_system in ("standard", "windows") else INK
    return Theme({ink(name): Style(color=colour, dim=False) for name, colour in chosen.items()})


def ink(name: str) -> str:
    """Return the style of heat or of a family."""
    return f"unaji.{name}"


def painted(drawn: str, quiet: str, name: str) -> Text:
    """Return marks in the colour of heat or of a family, those that stand for nothing (`quiet`) dim and without it."""
    text = Text(drawn, style="dim")
    for place, sign in enumerate(drawn):
        if sign not in quiet:
            text.stylize(ink(name), place, place + 1)
    return text


def _can_say(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Put the nearest sign for one that an encoding has not, else as many question marks as it has cells."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    return NEAREST.get(sign) or "?" * max(1, cell_len(sign)), error.start + 1


codecs.register_error(AS_NEAR_AS_CAN_BE, _nearest)

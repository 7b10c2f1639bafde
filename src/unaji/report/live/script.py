"""The script: the charting library and what the page does with it, one piece whose hash the policy lets in."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

LIBRARY = "uPlot-1.6.32.iife.min.js"
"""As published; its licence, MIT, lies beside it."""


@cache
def script() -> str:
    """Return library and page script."""
    folder = files("unaji.report.live")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in (LIBRARY, "report.js"))


def as_data(told: dict[str, Any]) -> Markup:
    """Write what the script is told so that no text in it, whatever it holds, can end the element it stands in."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)

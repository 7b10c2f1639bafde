"""What there is of a person in a terminal of 80 columns: doubts first, then a strip of days for each stream."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from unaji.records.inventory import Inventory
from unaji.report.figures.coverage import shade
from unaji.report.inventory.layout import GROUPS, Strip, days_a_cell, strips
from unaji.report.inventory.page import full_name, gaps_of, lead, length_of, overlap_of, rejections_of, shortened
from unaji.report.inventory.words import say, sentence

MOST_CELLS = 60
MOST_REASONS = 5
SHADES = " .:+#"
"""For nothing, up to a quarter, a half and three quarters, and more; plain ASCII, one cell wide in every terminal."""


def print_inventory(inventory: Inventory, console: Console, language: str = "ja") -> None:
    """Print all of it."""
    title = Text.assemble(("unaji", "bold"), "  ", say("title", language))
    if inventory.person.simulated:
        title.append(f"  [{say('simulated', language)}]", style="reverse")
    console.print(title)
    console.print(Text(lead(inventory, language), style="dim"))
    _doubts(inventory, console, language)
    _strips(inventory, console, language)
    gaps = [f"{name}: {text}" for name, text, _ in gaps_of(inventory, language)[:MOST_REASONS]]
    _section(console, say("gaps_question", language), *(gaps or [say("gaps_none", language)]))
    shared = [f"{name}: {text}" for name, text in (overlap_of(one, language) for one in inventory.overlaps)]
    _section(console, say("overlaps_question", language), *(shared or [say("overlaps_none", language)]))
    _rejected(inventory, console, language)


def strip_text(strip: Strip) -> str:
    """Draw a strip in letters, one for each cell."""
    return "".join(SHADES[shade(filled)] for filled in strip.filled)


def _doubts(inventory: Inventory, console: Console, language: str) -> None:
    doubts = [Text(f"! {sentence(one, language)}") for one in inventory.suspicions]
    note = [say("doubts_note", language)] if doubts else [say("doubts_none", language)]
    _section(console, say("doubts_question", language), *doubts, *note)


def _strips(inventory: Inventory, console: Console, language: str) -> None:
    days = days_a_cell(inventory, MOST_CELLS)
    a_cell = say("one_day", language) if days == 1 else say("days_bin", language, n=days)
    _section(console, say("cover_question", language))
    console.print(Text(say("legend", language, bin=a_cell), style="dim"))
    cells = int(np.ceil(inventory.dates.size / days))
    for group in GROUPS:
        for number, strip in enumerate(strips(inventory, group, days)):
            if not number:
                console.print(Text(f"  {say(group, language)}", style="bold"))
            name, length = full_name(strip.stream.name, language), length_of(strip.stream, inventory, language)
            console.print(Text(f"  {name}: {length}"))
            console.print(Text(f"  |{strip_text(strip):{cells}}|"))


def _rejected(inventory: Inventory, console: Console, language: str) -> None:
    lines = []
    for title, rows, reasons in rejections_of(inventory, language):
        lines.append(f"{title} {rows}".rstrip())
        lines += [f"  {count:,}: {reason.text}" for reason, count in shortened(reasons, MOST_REASONS, language)]
    _section(console, say("rejected_question", language), *(lines or [say("no_imports", language)]))


def _section(console: Console, heading: str, *lines: str | Text) -> None:
    console.print()
    console.print(Text(heading, style="bold underline"))
    for line in lines:
        indent = 2 + (len(line) - len(line.lstrip()) if isinstance(line, str) else 0)
        text = Text(line.strip()) if isinstance(line, str) else line
        console.print(Padding(text, (0, 0, 0, indent), expand=False))

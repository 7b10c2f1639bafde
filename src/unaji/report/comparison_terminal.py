"""Two reports compared, in a terminal of 60 to 120 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unaji.report.comparison import Comparison, RateChange, factor_sentences, rate_sentences, weekly_counts
from unaji.report.marks import Marks, axis, columns, ratio_bar
from unaji.report.screen import ACT_NOW, inks_of, language_on, marks_of
from unaji.report.terminal_charts import heights, in_heat, numbers
from unaji.report.words import Catalogue, catalogue, plain

RATIO_CELLS = 25
FURTHEST = 8
RATIO_TICKS = ((1 / 8, "1/8"), (1 / 2, "1/2"), (1, "1"), (2, "2"), (4, "4"))


def print_comparison(found: Comparison, console: Console, language: str = "ja") -> None:
    """Print what changed: the rate with its pictures, then the factors.

    It is in English, and says so, where the console's encoding has no Japanese.
    """
    words, marks = catalogue(language_on(console, language)), marks_of(console)
    if words.language != language:
        console.print(Text(words("terminal.no_japanese", encoding=console.encoding)))
    console.print(Text.assemble(("unaji", "bold"), "  ", words("terminal.compare_title")))
    urgent = any(one["id"] in found.new_flags and one["act"] == "now" for one in found.new["red_flags"])
    for sentence in rate_sentences(found, words):
        console.print(Text(sentence, style=ACT_NOW if urgent and sentence == words("compare.flags") else ""))
    with console.use_theme(inks_of(console)):
        _weeks(found, console, words, marks)
    if found.rate is not None and math.isfinite(found.rate.ratio) and found.rate.ratio > 0:
        _ratio(found.rate, console, words, marks)
    console.print()
    for sentence in factor_sentences(found, words):
        console.print(Text(sentence))


def _weeks(found: Comparison, console: Console, words: Catalogue, marks: Marks) -> None:
    """Print both reports' weeks from one scale, so that their heights can be compared."""
    old, new = weekly_counts(found.old), weekly_counts(found.new)
    if not old or not new:
        return
    room = console.width // 2
    each = -(-max(len(old), len(new)) // room)
    groups = [[sum(one[i : i + each]) for i in range(0, len(one) - each + 1, each)] for one in (old, new)]
    console.print()
    console.print(Text(words("terminal.compare_weeks" if each == 1 else "terminal.compare_groups", weeks=each)))
    rows = _of_one_scale(groups, marks)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(no_wrap=True)
    for key, counts, drawn in zip(("old", "new"), groups, rows, strict=True):
        label, told = words(f"terminal.compare_{key}"), words("terminal.compare_row", **numbers(counts, words))
        for row in drawn[:-1]:
            grid.add_row("", row, "")
        grid.add_row(label, drawn[-1], told)
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))
    _dim(heights([n for one in groups for n in one], words, marks), console)


def _of_one_scale(groups: Sequence[Sequence[int]], marks: Marks) -> list[tuple[Text, ...]]:
    together = in_heat(columns([n for one in groups for n in one], marks), marks)
    first = len(groups[0])
    return [tuple(row[:first] for row in together), tuple(row[first:] for row in together)]


def _ratio(rate: RateChange, console: Console, words: Catalogue, marks: Marks) -> None:
    ticks = [(0.5 + 0.5 * math.log(at) / math.log(FURTHEST), label) for at, label in RATIO_TICKS]
    told = words(
        "terminal.compare_ratio_told",
        ratio=plain(rate.ratio),
        range=words("range", low=plain(rate.low), high=plain(rate.high)),
    )
    bar = ratio_bar(rate.ratio, rate.low, rate.high, marks, RATIO_CELLS, FURTHEST)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(no_wrap=True)
    grid.add_row("", Text(axis(ticks, RATIO_CELLS), style="dim"), "")
    grid.add_row(words("terminal.compare_ratio"), bar, told)
    console.print()
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))
    _dim(words("terminal.compare_scale", one=marks.one, inside=marks.inside, mean=marks.mean), console)


def _dim(text: str, console: Console) -> None:
    console.print(Padding(Text(text, style="dim"), (0, 0, 0, 2), expand=False))

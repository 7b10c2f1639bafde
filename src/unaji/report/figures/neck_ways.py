"""Which ways are there, and what would each do inside this neck? Small multiples: nothing happening, then five ways."""

from __future__ import annotations

import math

from markupsafe import Markup

from unaji.body.counterfactual import DRIVERS
from unaji.body.played import Played
from unaji.causes.own_neck import OwnNeck
from unaji.report.figures import _neck_geometry as shape
from unaji.report.figures._neck_drawing import INK, INK2, Frame, hatch, section
from unaji.report.figures._neck_labels import ROW, write
from unaji.report.figures._neck_legend import scales
from unaji.report.figures._neck_words import Language, say
from unaji.report.figures.cross_section import NeckSection
from unaji.report.figures.svg import Figure, Table, draw, el, wrap
from unaji.report.neck_scene import sections_of
from unaji.report.words import Catalogue, plain, signed

COLUMNS_PHONE, COLUMNS_DESKTOP, WIDE = 2, 3, 640.0
MOST_NECK = 170.0
ABOVE_MM = 24.0
"""Room above the nape for the arrows of heat."""

Cell = tuple[str, NeckSection]


def neck_ways_figure(neck: OwnNeck, words: Catalogue) -> Figure:
    """Draw the person's neck in quiet and at the peak under each way, on one scale of temperature."""
    language: Language = "ja" if words.language == "ja" else "en"
    played = [neck.ways[way] for way in DRIVERS]
    quiet = sections_of(played[0])[0]
    cells = [(words("neck.quiet"), quiet)]
    cells += [(say(way, language), sections_of(one)[1]) for way, one in zip(DRIVERS, played, strict=True)]
    phone, desktop = draw(lambda width: _paint(width, cells, language, words), _aria(cells, words))
    return Figure("ways", words("neck.ways"), words("neck.ways_caption"), _aria(cells, words), phone, desktop,
                  _table(played, words))  # fmt: skip


def _paint(width: float, cells: list[Cell], language: Language, words: Catalogue) -> tuple[float, list[Markup]]:
    wide = width >= WIDE
    columns = COLUMNS_DESKTOP if wide else COLUMNS_PHONE
    column = width / columns
    scale = min(column - 16, MOST_NECK) / (2 * shape.HALF_WIDTH_MM)
    pattern = f"ways-hatch-{width:g}"
    y, parts = 0.0, [el("defs", hatch(pattern))]
    for first in range(0, len(cells), columns):
        ends = [y]
        for k, (name, state) in enumerate(cells[first : first + columns]):
            end, made = _cell(k * column, y, column, scale, name, state, pattern, words)
            parts += made
            ends.append(end)
        y = max(ends) + 10
    y, keys = scales(y, width, [state for _, state in cells], language, scale, pattern, wide=wide)
    return round(y), [*parts, *keys]


def _cell(
    x: float, y: float, width: float, scale: float, name: str, state: NeckSection, pattern: str, words: Catalogue
) -> tuple[float, list[Markup]]:
    """Draw one neck with its name above it and what it shows below it."""
    middle, rows = x + width / 2, wrap(name, width - 10, 14)
    parts = [
        write(middle, y + 15 + 18 * i, row, "label", INK, "middle", bold=True, size=14) for i, row in enumerate(rows)
    ]
    top = y + 36 + 6  # two lines of name, so that the necks of a row stand level
    frame = Frame(middle, top + (ABOVE_MM - shape.TOP_MM) * scale, scale, -1, pattern)
    foot = frame.y + shape.BOTTOM_MM * scale
    told = _told(state, words)
    parts += section(state, frame)
    parts += [write(middle, foot + 18 + ROW * i, row, "neck-value", INK2, "middle") for i, row in enumerate(told)]
    return foot + 18 + ROW * len(told), parts


def _told(state: NeckSection, words: Catalogue) -> list[str]:
    felt = 0.0 if math.isnan(state.felt_heat) else state.felt_heat
    return [words("neck.nape", n=plain(state.temp_c("nape_skin"))), words("neck.heat", n=plain(felt))]


def _aria(cells: list[Cell], words: Catalogue) -> str:
    told = [f"{name}: {', '.join(_told(state, words))}" for name, state in cells]
    return "; ".join(told).translate(str.maketrans("", "", "●◆■▲○"))


def _table(played: list[Played], words: Catalogue) -> Table:
    names = ("nape_skin_temp_c", "core_temp_c", "nape_skin_flow_ml_100g_min", "felt_heat")
    rows = []
    for way, one in zip(DRIVERS, played, strict=True):
        changes = [float(one.state[name][0, one.peak] - one.state[name][0, one.before]) for name in names]
        rows.append((words(f"pathway.{way}"), *(signed(change, 1) for change in changes)))
    heads = tuple(words(f"neck.column.{name}") for name in names)
    return Table((words("neck.column.way"), *heads), tuple(rows))

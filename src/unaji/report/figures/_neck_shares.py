"""Who carried the heat? Bars of the five ways, one panel a quantity: right of the line what adds, left what takes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from unaji.report.figures._neck_drawing import HEAT, INK, INK2, INK3, LINE, SURFACE
from unaji.report.figures._neck_labels import FONTS, ROW, SIZE, write
from unaji.report.figures._neck_words import Language, lines, say, spoken
from unaji.report.figures.neck_course import LEAST_WIDTH, PARTS, WIDE
from unaji.report.figures.svg import el, standing_alone, text_width, wrap
from unaji.report.words import MINUS, signed

BAR, GAP = 15.0, 9.0
PLAIN = "#5A6B78"
NAME_WIDTH = 172.0
LEAST_SPAN_K, LEAST_SPAN_FELT = 0.2, 1.0
"""Shares are drawn against at least this much, so that nothing is blown up into something."""


@dataclass(frozen=True, slots=True)
class SharedOut:
    """One quantity and the share of each of `PARTS` in it.

    Attributes
    ----------
    ja, en : str
        What it is, with its unit.
    digits : int
        Decimals told.
    is_felt : bool
        Whether it is felt heat, which has a colour of its own.
    """

    ja: str
    en: str
    shares: Mapping[str, float]
    digits: int = 1
    is_felt: bool = False

    def __post_init__(self) -> None:
        if set(self.shares) != set(PARTS):
            raise ValueError(f"shares are needed of {', '.join(PARTS)}, got {', '.join(self.shares)}")

    @property
    def total(self) -> float:
        """Sum of the shares."""
        return sum(self.shares.values())


def neck_shares(quantities: Sequence[SharedOut], *, language: Language = "ja", width_px: float = 360) -> str:
    """Draw the shares as SVG text, one panel a quantity; ways are named by mark and word, never by colour.

    Parameters
    ----------
    quantities : sequence of SharedOut
        From the top; each panel has a scale of its own, since their units differ.
    language : {"ja", "en", "both"}
    width_px : float
        At least 320 [px].
    """
    if width_px < LEAST_WIDTH:
        raise ValueError(f"width_px must be at least {LEAST_WIDTH:g}, got {width_px:g}")
    y, parts = 0.0, []
    for quantity in quantities:
        y, made = _panel(y, quantity, language, float(width_px))
        parts += made
    identity = hashlib.sha256("".join(parts).encode()).hexdigest()[:10]
    height = float(round(y))
    return str(
        standing_alone(
            el("rect", width=width_px, height=height, fill=SURFACE, class_="blank"),
            *parts,
            width=width_px,
            height=height,
            name=f"shares-{identity}",
            title=say("title_shares", language),
            description=_description(quantities, language),
            font_family=FONTS,
            lang=spoken(language),
        )
    )


def _panel(y: float, quantity: SharedOut, language: Language, width: float) -> tuple[float, list[Markup]]:
    total = signed(quantity.total, quantity.digits)
    head = f"{_named(quantity, language)} {total}"
    rows = wrap(head, width - 8, 14)
    parts = [write(0, y + 16 + 18 * i, row, "label", INK, bold=True, size=14) for i, row in enumerate(rows)]
    y += 18 * len(rows) + 10
    names = {name: lines(name, language, NAME_WIDTH if width >= WIDE else width - 8, SIZE) for name in PARTS}
    beside = width >= WIDE
    left = NAME_WIDTH + 12 if beside else 0.0
    room = width - left - 8
    told = {name: signed(value, quantity.digits) for name, value in quantity.shares.items()}
    number = max(text_width(one, SIZE) for one in told.values()) + 8
    low, high = min(0.0, *quantity.shares.values()), max(0.0, *quantity.shares.values())
    per_unit = (room - 2 * number) / max(high - low, LEAST_SPAN_FELT if quantity.is_felt else LEAST_SPAN_K)
    zero = left + number - low * per_unit
    for name in PARTS:
        words = names[name]
        parts += [write(0, y + 12 + ROW * i, row, "small-label", INK, bold=True) for i, row in enumerate(words)]
        y += 0.0 if beside else ROW * len(words) + 2
        parts += _bar(y, zero, quantity.shares[name] * per_unit, told[name], is_felt=quantity.is_felt)
        parts.append(el("path", d=f"M{zero:.1f} {y - 3:.1f}v{BAR + 6:.1f}", stroke=INK3, class_="tick"))
        y += max(BAR, ROW * len(words) if beside else 0.0) + GAP
    parts.append(el("path", d=f"M0 {y:.1f}H{width:.1f}", stroke=LINE, class_="hair"))
    return y + 12, parts


def _bar(y: float, zero: float, length: float, told: str, *, is_felt: bool) -> list[Markup]:
    left, colour = zero + min(length, 0.0), HEAT if is_felt else PLAIN
    adds = length >= 0 or not told.startswith(MINUS)  # what rounds to nothing stands where nothing stands
    look = ("share" if adds else "share-less") + (" of-felt" if is_felt else "")
    bar = el("rect", x=left, y=y, width=abs(length), height=BAR, fill=colour if adds else SURFACE, stroke=colour,
             stroke_width=1.2, stroke_dasharray=None if adds else "3 2", class_=look)  # fmt: skip
    at, anchor = (zero + max(length, 0.0) + 5, "start") if adds else (left - 5, "end")
    return [*([bar] if abs(length) >= 0.5 else []), write(at, y + 12, told, "neck-value", INK2, anchor)]


def _named(quantity: SharedOut, language: Language) -> str:
    return {"ja": quantity.ja, "en": quantity.en, "both": f"{quantity.ja} / {quantity.en}"}[language]


def _description(quantities: Sequence[SharedOut], language: Language) -> str:
    tongue = spoken(language)
    told = [
        f"{_named(one, language)} {signed(one.total, one.digits)}: "
        + ", ".join(f"{say(name, tongue)} {signed(one.shares[name], one.digits)}" for name in PARTS)
        for one in quantities
    ]
    return "; ".join(told).translate(str.maketrans("", "", "●◆■▲○"))

"""What happens inside the neck? Its cross-section at the nape, coloured by temperature, with the blood flow as dots.

Five pathways lead to a hot nape, and each has a mark of its own, told by shape and never by colour alone: ● dots of
flow in the skin, ◆ load of the muscle, ■ heat going out to the air or coming in, ▲ blood from the core, ○ signals of
the nerve with the ring of the felt heat.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from unaji.report.figures import _neck_geometry as shape
from unaji.report.figures._neck_drawing import INK, INK3, SURFACE, Frame, hatch, section
from unaji.report.figures._neck_labels import FONTS, SIZE, Label, least_height, place_labels, write
from unaji.report.figures._neck_legend import PATHWAYS, note, pathways, readings, scales, temperature_scale
from unaji.report.figures._neck_state import TISSUES, NeckSection, section_of
from unaji.report.figures._neck_words import (
    LANGUAGES,
    Language,
    celsius,
    celsius_change,
    degrees,
    fit,
    joint,
    kelvin,
    lines,
    number,
    say,
    spoken,
)
from unaji.report.figures.svg import Point, el, standing_alone, wrap

__all__ = ["NeckSection", "cross_section", "section_of", "wordless_section"]

LEAST_WIDTH, WIDE = 320.0, 640.0
"""Below the first the labels do not fit; from the second on there are labels at both sides, and a pair side by side."""
WIDEST_SINGLE, WIDEST_OF_PAIR = 440.0, 360.0
ANATOMY_COLUMN, LABEL_COLUMN = 134.0, 150.0
TOP_MARGIN_MM = 26.0
"""Room above the nape for collar and arrows."""
MARGIN_MM = 3.0
"""Room at the other sides of a neck that stands alone, for its lines."""

_STARTS: dict[str, Point] = {
    "nape_skin": shape.rim().spot(43.8, 1.7),
    "nape_fat": shape.rim().spot(49, 5.6),
    "superficial_muscle": shape.rim().spot(53.5, 8.2),
    "deep_muscle": (29.2, -17.5),
    "deep_neck": (38.0, 3.0),
    "vein": (34.4, 21.4),
    "artery": (26.6, 26.6),
    "other_neck_skin": (33.5, 43.4),
}
"""Where the leader of each tissue starts, on the right half [mm]."""
_ANATOMY: dict[str, Point] = {
    "ligament": (0.0, -39.0),
    "semispinalis": (-11.0, -33.6),
    "multifidus": (-17.6, -14.6),
    "levator": (-42.0, -23.0),
    "cord": (-4.6, -9.0),
    "vertebra": (-9.0, 6.0),
    "scalenes": (-35.0, 4.0),
    "sternocleidomastoid": (-48.5, 14.0),
    "sympathetic": (-17.2, 21.6),
    "gullet": (-5.4, 25.6),
    "trachea": (-6.0, 34.0),
}
"""The same on the left half, for what has no temperature of its own."""


def cross_section(
    now: NeckSection,
    *,
    before: NeckSection | None = None,
    language: Language = "ja",
    width_px: float = 360,
    with_keys: bool = True,
) -> str:
    """Draw the neck as SVG text, in one state or before and during.

    Parameters
    ----------
    now : NeckSection
        The state to draw.
    before : NeckSection, optional
        Where given, it is drawn too, and every label tells the difference of temperature and the ratio of flow.
    language : {"ja", "en", "both"}
        "both" writes Japanese and English below each other.
    width_px : float
        Width of the picture, at least 320 [px]; from 640 on a pair stands side by side, and one state names its
        anatomy too.
    with_keys : bool
        Whether the key of flow, the five pathways and the note on the picture stand below it; else only the scale of
        temperature does, for a page that says these itself.

    Returns
    -------
    str
        One ``<svg>`` element with title and description, needing nothing from outside; the same input gives the same
        bytes.

    Raises
    ------
    ValueError
        For an unknown language or too small a width.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    if width_px < LEAST_WIDTH:
        raise ValueError(f"width_px must be at least {LEAST_WIDTH:g} for the labels to fit, got {width_px:g}")
    shown = (now, before, language, float(width_px), *(() if with_keys else ("without keys",)))
    mark = hashlib.sha256(repr(shown).encode()).hexdigest()[:10]
    return str(_Plate(now, before, language, float(width_px), f"neck-{mark}", with_keys).svg())


def wordless_section(state: NeckSection, *, language: Language = "ja", width_px: float = 360) -> str:
    """Draw the neck alone, without a word or a key, for a place in which they would be too small to be read.

    Parameters
    ----------
    language : {"ja", "en", "both"}
        Of its title and description, which are not seen.
    width_px : float
        Width of the neck.

    Returns
    -------
    str
        One ``<svg>`` element, needing nothing from outside.
    """
    scale = width_px / (2 * shape.HALF_WIDTH_MM + 2 * MARGIN_MM)
    height = float(round((TOP_MARGIN_MM - shape.TOP_MM + shape.BOTTOM_MM + MARGIN_MM) * scale))
    name = f"neck-{hashlib.sha256(repr((state, language, width_px)).encode()).hexdigest()[:10]}"
    frame = Frame(width_px / 2, (TOP_MARGIN_MM - shape.TOP_MM) * scale, scale, -1, f"{name}-hatch")
    return str(
        standing_alone(
            *section(state, frame),
            width=float(width_px),
            height=height,
            name=name,
            title=say("title", language),
            description=say("plate", language),
            pattern=hatch(f"{name}-hatch"),
            lang=spoken(language),
        )
    )


@dataclass(frozen=True, slots=True)
class _Plate:
    """One picture on its way: what to draw, in which language, how wide, the prefix of its ids, with keys or not."""

    now: NeckSection
    before: NeckSection | None
    language: Language
    width: float
    name: str
    with_keys: bool

    def svg(self) -> Markup:
        pattern = f"{self.name}-hatch"
        y, necks = self._pictures()
        y, keys = self._keys(y, pattern)
        height = float(round(y))
        return standing_alone(
            el("rect", width=self.width, height=height, fill=SURFACE, class_="blank"),
            *necks,
            *keys,
            width=self.width,
            height=height,
            name=self.name,
            title=say("title" if self.before is None else "title_pair", self.language),
            description=self._description(),
            pattern=hatch(pattern),
            font_family=FONTS,
            lang=spoken(self.language),
        )

    def _keys(self, y: float, pattern: str) -> tuple[float, list[Markup]]:
        """Draw what stands below the picture."""
        wide, states = self.width >= WIDE, self._states()
        if not self.with_keys:
            return temperature_scale(y, self.width - 8, states, self.language, pattern)
        y, keys = scales(y, self.width, states, self.language, self._scale(), pattern, wide=wide)
        y, ways = pathways(y, self.width, states, self.language, wide=wide)
        y, words = note(y, self.width, self.language)
        return y, [*keys, *ways, *words]

    def _states(self) -> list[NeckSection]:
        return [self.now] if self.before is None else [self.before, self.now]

    def _description(self) -> str:
        tongue = spoken(self.language)
        told = [f"{say(key, self.language)} {', '.join(self._values(key, math.inf))}" for key in TISSUES]
        told += [f"{say(key, self.language)} {', '.join(readings(key, self._states(), tongue))}" for key in PATHWAYS]
        return f"{'; '.join(told)}. {say('plate', self.language)}".translate(str.maketrans("", "", "●◆■▲○"))

    # Where the pictures stand, and how large

    def _pictures(self) -> tuple[float, list[Markup]]:
        if self.before is None:
            return self._single()
        return self._side_by_side(self.before) if self.width >= WIDE else self._stacked(self.before)

    def _column(self) -> float:
        """Return the width of the tissues' labels."""
        if self.width < WIDE:
            return max(122.0, 0.34 * self.width)
        if self.before is None:
            return LABEL_COLUMN
        return 186.0 if self.language != "both" else 200.0

    def _neck_width(self) -> float:
        if self.width < WIDE:
            return self.width - self._column() - 28
        if self.before is None:
            return min(WIDEST_SINGLE, self.width - ANATOMY_COLUMN - LABEL_COLUMN - 40)
        return min(WIDEST_OF_PAIR, (self.width - self._column() - 44) / 2)

    def _scale(self) -> float:
        return self._neck_width() / (2 * shape.HALF_WIDTH_MM)

    def _frame(self, left: float, top: float, nerve_side: int = -1) -> Frame:
        scale = self._scale()
        x, y = left + shape.HALF_WIDTH_MM * scale, top + (TOP_MARGIN_MM - shape.TOP_MM) * scale
        return Frame(x, y, scale, nerve_side, f"{self.name}-hatch")

    def _lowered(self, top: float, labels: list[Label]) -> float:
        """Return how far the picture moves down to stand at the middle of labels that need more height than it."""
        tall = (TOP_MARGIN_MM - shape.TOP_MM + shape.BOTTOM_MM) * self._scale()
        return max(0.0, least_height(labels) - (tall + top)) / 2

    def _foot(self) -> float:
        """Return the room of the words below a neck."""
        return 40.0 if self.language == "both" else 26.0

    def _single(self) -> tuple[float, list[Markup]]:
        wide = self.width >= WIDE
        spare = self.width - ANATOMY_COLUMN - LABEL_COLUMN - 40 - self._neck_width()
        left = ANATOMY_COLUMN + 14 + spare / 2 if wide else 4.0
        y, parts, frame = self._with_labels(self.now, left, 0, lambda key: self._values(key, self._column()))
        if wide:
            names = [
                Label(tuple(lines(key, self.language, ANATOMY_COLUMN, SIZE)), 0, (frame.at(point),))
                for key, point in _ANATOMY.items()
            ]
            end, made = place_labels(names, 70, _bottom(frame) - 6, left - 16, "end")
            y, parts = max(y, end + 8), [*parts, *made]
        return y, parts

    def _stacked(self, before: NeckSection) -> tuple[float, list[Markup]]:
        tongue = spoken(self.language)
        middle, upper, _ = self._with_labels(before, 4, 22, lambda key: [celsius(before.temp_c(key), tongue)])
        end, lower, _ = self._with_labels(self.now, 4, middle + 28, lambda key: self._values(key, self._column()))
        heads = [
            write(0, 14, say("before", self.language), "label", INK, bold=True, size=14),
            write(0, middle + 20, say("now", self.language), "label", INK, bold=True, size=14),
        ]
        return end, [*upper, *lower, *heads]

    def _with_labels(
        self, state: NeckSection, left: float, top: float, values: Callable[[str], list[str]]
    ) -> tuple[float, list[Markup], Frame]:
        """Draw one neck with its labels at the right."""
        shift = self._lowered(36, [self._label(key, values(key), ()) for key in TISSUES])
        frame = self._frame(left, top + 36 + shift)
        labels = [self._label(key, values(key), (frame.at(_STARTS[key]),)) for key in TISSUES]
        x = frame.x + shape.HALF_WIDTH_MM * frame.scale + 22
        end, made = place_labels(labels, top + (40 if not shift else 10), _bottom(frame), x, "start")
        return max(_bottom(frame) + self._foot(), end + 8), [*self._neck(state, frame), *made], frame

    def _side_by_side(self, before: NeckSection) -> tuple[float, list[Markup]]:
        middle, half = self.width / 2, self._column() / 2 + 20
        values = {key: self._values(key, self._column() - 16) for key in TISSUES}
        top = 62 + self._lowered(62, [self._label(key, values[key], ()) for key in TISSUES])
        left = self._frame(middle - half - self._neck_width(), top)
        right = self._frame(middle + half, top, nerve_side=1)
        starts = {key: (left.at((x, y)), right.at((-x, y))) for key, (x, y) in _STARTS.items()}
        labels = [self._label(key, values[key], starts[key]) for key in TISSUES]
        end, made = place_labels(labels, 30, _bottom(left), middle, "middle")
        heads = [
            write(frame.x, 16, say(key, self.language), "label", INK, "middle", bold=True, size=15)
            for key, frame in (("before", left), ("now", right))
        ]
        parts = [*self._neck(before, left), *self._neck(self.now, right), *made, *heads]
        return max(_bottom(left) + self._foot(), end + 8), parts

    def _neck(self, state: NeckSection, frame: Frame) -> list[Markup]:
        top, foot = frame.y + (shape.TOP_MM - TOP_MARGIN_MM) * frame.scale, _bottom(frame) + 15
        aside = 0.42 * shape.HALF_WIDTH_MM * frame.scale
        tongue = spoken(self.language)
        known = not math.isnan(state.air_temp_c)
        air = degrees(number(state.air_temp_c, tongue), tongue) if known else say("unknown_key", tongue)
        back, name = (" ".join(lines(key, self.language, math.inf, SIZE)) for key in ("back", "air"))
        sides = [
            write(frame.x + shift, foot + 14 * i, row, "axis", INK3, "middle")
            for key, shift in (("left", -aside), ("front", 0.0), ("right", aside))
            for i, row in enumerate(lines(key, self.language, math.inf, SIZE))
        ]
        return [
            *section(state, frame),
            write(frame.x, top - 18, back, "axis", INK3, "middle"),
            write(frame.x, top - 2, f"■ {name} {air}", "small-label", INK, "middle", bold=True),
            *sides,
        ]

    # What the labels say

    def _label(self, key: str, values: list[str], starts: tuple[Point, ...]) -> Label:
        name = lines(key, self.language, self._column(), SIZE)
        return Label((*name, *values), len(name), starts)

    def _values(self, key: str, width: float) -> list[str]:
        """Say a tissue's temperature and flow, and what has changed."""
        tongue = spoken(self.language)
        temp, flow = self.now.temp_c(key), self.now.flow(key)
        if self.before is None:
            flows = [] if flow is None else [say("flow", tongue, value=number(flow, tongue))]
            return fit([celsius(temp, tongue), *flows], width, SIZE, joint(tongue))
        was, was_flow = self.before.temp_c(key), self.before.flow(key)
        # The difference is that of the numbers as written, so that a reader who subtracts finds it.
        changes = [] if math.isnan(temp - was) else [kelvin(round(temp, 1) - round(was, 1), tongue)]
        if flow is not None and was_flow is not None:
            changes.append(say("flow", tongue, value=_times(was_flow, flow, tongue)))
        return [*wrap(celsius_change(was, temp, tongue), width, SIZE), *fit(changes, width, SIZE, joint(tongue))]


def _times(was: float, now: float, language: Language) -> str:
    if math.isnan(was) or math.isnan(now) or was == 0:
        return say("unknown_key", language)
    return say("times", language, value=f"{now / was:.1f}")


def _bottom(frame: Frame) -> float:
    return frame.y + shape.BOTTOM_MM * frame.scale

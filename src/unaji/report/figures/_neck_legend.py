"""What stands below a picture of the neck: the scales, the five pathways with their marks, and what the picture is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from unaji.report.figures._neck_colours import HIGHEST_C, LOWEST_C, TICKS_C, clamped, temperature_colour
from unaji.report.figures._neck_drawing import INK, INK3, LINE, MOST_FLOW, flow_dot, flow_radius
from unaji.report.figures._neck_labels import ROW, SIZE, write
from unaji.report.figures._neck_state import TISSUES, NeckSection
from unaji.report.figures._neck_words import Language, degrees, joint, lines, number, say, spoken
from unaji.report.figures.svg import el, text_width, wrap

PATHWAYS = ("vascular", "heat_load", "core", "muscle", "sensory")
KEY_FLOWS = (3.0, 10.0, 30.0, MOST_FLOW)
N_STEPS = 65
"""Steps of the colour scale, a tenth of a degree each."""

Block = tuple[float, list[Markup]]
"""Where a block ends [px], and its elements."""


def scales(
    y: float, width: float, states: Sequence[NeckSection], language: Language, scale: float, hatch: str, *, wide: bool
) -> Block:
    """Draw the scale of temperature and that of flow, beside each other where there is room."""
    across = width * 0.44 if wide else min(width - 8, 340.0)
    end, parts = temperature_scale(y, across, states, language, hatch)
    if wide:
        right, made = _flow_key(across + 40, y, width - across - 40, language, scale)
    else:
        right, made = _flow_key(4, end, width - 8, language, scale)
    return max(end, right), parts + made


def temperature_scale(y: float, across: float, states: Sequence[NeckSection], language: Language, hatch: str) -> Block:
    """Draw the scale of temperature, and what its marks at the labels mean where they occur."""
    parts = [write(4, y + 14, say("scale", language), "axis", INK3), *_ramp(4, y + 21, across)]
    end, made = _beyond(y + 63, across + 4, states, language, hatch)
    return end, parts + made


def _ramp(x: float, y: float, width: float) -> list[Markup]:
    span, step = HIGHEST_C - LOWEST_C, width / N_STEPS
    parts = [
        el(
            "rect", x=x + i * step, y=y, width=step + 0.3, height=11,
            fill=temperature_colour(LOWEST_C + span * (i + 0.5) / N_STEPS),
        )
        for i in range(N_STEPS)
    ]  # fmt: skip
    for tick in TICKS_C:
        at = x + width * (tick - LOWEST_C) / span
        parts.append(el("path", d=f"M{at:.1f} {y + 11:.1f}v4", stroke=INK3, class_="tick"))
        parts.append(write(at, y + 27, str(tick), "axis", INK3, "start" if tick == TICKS_C[0] else "middle"))
    return parts


def _beyond(y: float, width: float, states: Sequence[NeckSection], language: Language, hatch: str) -> Block:
    """Explain the marks that occur in the labels: off the scale at either end, and not known."""
    temps = [state.temp_c(key) for state in states for key in TISSUES]
    occurring = [key for key, side in (("below_scale", -1), ("above_scale", 1)) if side in map(clamped, temps)]
    occurring += ["unknown_key"] if any(map(math.isnan, temps)) else []
    x, parts = 4.0, []
    for key in occurring:
        words, swatch = say(key, language), 21.0 if key == "unknown_key" else 0.0
        room = swatch + text_width(words, SIZE)
        if x > 4 and x + room > width:
            x, y = 4.0, y + ROW
        if swatch:
            parts.append(el("rect", x=x, y=y - 10, width=16, height=11, fill=f"url(#{hatch})"))
        parts.append(write(x + swatch, y, words, "axis", INK3))
        x += room + 14
    return (y + 10 if parts else y - 6), parts


def _flow_key(x: float, y: float, width: float, language: Language, scale: float) -> Block:
    rows = lines("flow_scale", language, width, SIZE)
    parts = [write(x, y + 14 + ROW * i, row, "axis", INK3) for i, row in enumerate(rows)]
    largest = flow_radius(MOST_FLOW, scale)
    middle, at = y + 20 + ROW * (len(rows) - 1) + largest, x + 2
    for flow in KEY_FLOWS:
        radius = flow_radius(flow, scale)
        parts += [
            flow_dot((at + radius, middle), flow, scale),
            write(at + 2 * radius + 5, middle + 4, f"{flow:g}", "axis", INK3),
        ]
        at += 2 * radius + 5 + text_width(f"{flow:g}", SIZE) + 14
    return middle + largest + 10, parts


def pathways(y: float, width: float, states: Sequence[NeckSection], language: Language, *, wide: bool) -> Block:
    """Tell the five pathways: the mark of each, what it shows now, and before where there is a before."""
    each = (width - 8) / len(PATHWAYS) if wide else width - 8
    parts, ends = [], [y]
    for i, key in enumerate(PATHWAYS):
        x, top = (4 + i * each, y + 4) if wide else (4.0, ends[-1] + 4)
        end, made = _pathway(key, x, top, each - (12 if wide else 0), states, language, wide=wide)
        parts += made
        ends.append(end)
    return max(ends) + 2, parts


def _pathway(
    key: str, x: float, y: float, width: float, states: Sequence[NeckSection], language: Language, *, wide: bool
) -> Block:
    names, told = lines(key, language, width, SIZE), readings(key, states, language)
    parts = [el("path", d=f"M{x:.1f} {y:.1f}h{width:.1f}", stroke=LINE, class_="hair")]
    one_line = joint(language).join(told)
    beside = not wide and text_width(names[0], SIZE) + text_width(one_line, SIZE) + 14 < width
    if beside:
        parts.append(write(x + width, y + 17, one_line, "neck-value", INK, "end"))
    rows = [(name, "small-label", INK) for name in names]
    rows += [] if beside else [(row, "neck-value", INK) for reading in told for row in wrap(reading, width, SIZE)]
    rows += [(mark, "axis", INK3) for mark in lines(f"{key}_mark", language, width, SIZE)]
    for i, (words, look, colour) in enumerate(rows):
        parts.append(write(x, y + 17 + ROW * i, words, look, colour, bold=look == "small-label"))
    return y + 9 + ROW * len(rows), parts


def readings(key: str, states: Sequence[NeckSection], language: Language) -> list[str]:
    """Say what a pathway shows; with two states, from the first to the second."""
    tongue = spoken(language)

    def course(name: str, digits: int) -> str:
        told = [number(float(getattr(state, name)), tongue, digits) for state in states]
        return told[0] if len(set(told)) == 1 else " → ".join(told)

    if key == "vascular":
        return [say("flow_unit", tongue, value=course("nape_skin_flow", 1))]
    if key == "heat_load":
        return [degrees(course("air_temp_c", 1), tongue), _covers(states, tongue)]
    if key == "core":
        return [degrees(course("artery_c", 1), tongue)]
    if key == "muscle":
        return [f"{course('muscle_load_percent_mvc', 0)}%"]
    felt = say("felt", tongue, value=course("felt_heat", 0))
    return [felt, say("nerve", tongue, value=course("nerve_activity", 1))]


def _covers(states: Sequence[NeckSection], language: Language) -> str:
    told = [say("collar" if state.collar else "no_collar", language) for state in states]
    return told[0] if len(set(told)) == 1 else " → ".join(told)


def note(y: float, width: float, language: Language) -> Block:
    """Say what the picture is, from where it is seen, and what it does not show."""
    rows = lines("plate", language, width - 8, SIZE)
    return y + 20 + ROW * len(rows), [write(4, y + 18 + ROW * i, row, "axis", INK3) for i, row in enumerate(rows)]

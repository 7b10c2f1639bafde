"""The neck itself, without a word: tissues coloured by temperature, dots for flow, marks of the five pathways.

Colours stand in attributes, so that the picture is whole by itself under any content policy; the classes let the
report's style sheet replace those that must follow a dark page or print. Inside the neck nothing follows the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from markupsafe import Markup

from unaji.report.figures import _neck_geometry as shape
from unaji.report.figures._neck_colours import temperature_colour
from unaji.report.figures._neck_state import NeckSection
from unaji.report.figures.svg import Point, el

INK, INK2, INK3, SURFACE, LINE, HEAT = "#1B2630", "#46545E", "#5F6B74", "#FFFFFF", "#DDD8CE", "#C8442A"
EDGE, BONE, CARTILAGE, AIR, NERVE_FILL = "#33211F", "#F5F0E7", "#D5DEE2", "#F7FAFB", "#FFE27A"

MOST_FLOW = 100.0
"""Flow of the largest dot [mL/100 g/min]; more gets a cross."""
MOST_DIFFERENCE_K = 20.0
MOST_LOAD_PERCENT = 40.0
PULSES = 7

SKIN_SPOTS_MM = (0, *(side * along for along in (8.5, 17.5, 25, 32.5, 40) for side in (1, -1)))
SUPERFICIAL_SPOTS_MM = (9, 24, 45, -9, -24, -45)
ARROWS_MM = (-44, -33, -22, 0, 10, 20, 29)
"""Negative on the side of the nerve; the other side leaves room for leaders."""
LOAD_MM = 35


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a section stands on the page: its middle [px], its scale [px/mm], and on which side its nerve is drawn."""

    x: float
    y: float
    scale: float
    nerve_side: int
    hatch: str

    def at(self, point: Point) -> Point:
        """Return the place of a point given in millimetres."""
        return self.x + self.scale * point[0], self.y + self.scale * point[1]


def hatch(name: str) -> Markup:
    """Define the pattern of what is not known."""
    ground = el("rect", width=6, height=6, fill="#E4E2DE")
    stroke = el("path", d="M0 0V6", stroke="#7A838A", stroke_width=2.4)
    size: dict[str, str | float] = {"width": 6, "height": 6}
    return el("pattern", ground, stroke, id=name, patternUnits="userSpaceOnUse", patternTransform="rotate(45)", **size)


def flow_radius(flow: float, scale: float) -> float:
    """Return the radius of a dot [px] whose area follows flow [mL/100 g/min]."""
    return 0.42 * scale * math.sqrt(min(flow, MOST_FLOW))


def section(state: NeckSection, frame: Frame) -> list[Markup]:
    """Draw the neck, from the inside of the outline outwards to the marks on top."""
    return [
        *_collar(state, frame),
        *_layers(state, frame),
        *_inner(state, frame),
        *_bone(state, frame),
        *_front(state, frame),
        *_load(state, frame),
        *_flows(state, frame),
        *_arrows(state, frame),
        *_nerve(state, frame),
    ]


def fill_of(temp_c: float, frame_hatch: str) -> str:
    """Return the fill of a temperature, hatched where it is not known."""
    return f"url(#{frame_hatch})" if math.isnan(temp_c) else temperature_colour(temp_c)


def _layers(state: NeckSection, frame: Frame) -> list[Markup]:
    edge = shape.rim()
    length = float(edge.along[-1])
    skin, fat = edge.depth_of("skin"), edge.depth_of("fat")
    trapezius, splenius = edge.depth_of("trapezius"), edge.depth_of("splenius")
    whole = shape.outline()
    parts = [_area(whole, state.temp_c("deep_neck"), frame)]
    parts.append(_area(shape.deep_compartment(), state.temp_c("deep_muscle"), frame, fascia=True))
    parts.append(_area(shape.band(trapezius, splenius, 0, 64), state.temp_c("superficial_muscle"), frame, fascia=True))
    parts.append(_area(shape.band(fat, trapezius, 0, 64), state.temp_c("superficial_muscle"), frame, fascia=True))
    parts.append(_area(shape.band(skin, fat, 0, 64), state.temp_c("nape_fat"), frame, fascia=True))
    other = shape.band(0.0, skin, shape.NAPE_MM, length)
    for side in (1, -1):
        parts.append(_area([(side * x, y) for x, y in other], state.temp_c("other_neck_skin"), frame, fascia=True))
    parts.append(_area(shape.band(0.0, skin, 0, shape.NAPE_MM), state.temp_c("nape_skin"), frame, fascia=True))
    parts.append(_polyline(whole, frame, closed=True, fill="none", stroke=EDGE, stroke_width=1.4, class_="neck-line"))
    return parts


def _inner(state: NeckSection, frame: Frame) -> list[Markup]:
    parts = []
    for name, half in shape.ONE_SIDE.items():
        temp = state.temp_c("deep_muscle" if name in shape.DEEP_MUSCLES else "deep_neck")
        for side in (1, -1):
            outline = [(side * x, y) for x, y in half]
            parts.append(
                el("path", d=_smooth(outline, frame), fill=fill_of(temp, frame.hatch), stroke=SURFACE,
                   stroke_width=0.45 * frame.scale, stroke_opacity=0.6)
            )  # fmt: skip
    ligament = [(-0.7, -42.4), (0.7, -42.4), (0.5, -30), (-0.5, -30)]
    parts.append(_polyline(ligament, frame, closed=True, fill=BONE, stroke="none"))
    return parts


def _bone(state: NeckSection, frame: Frame) -> list[Markup]:
    wall: dict[str, str | float] = {"stroke": EDGE, "stroke_width": 1}
    parts = [
        el("path", d=_smooth(shape.mirrored(shape.VERTEBRA), frame), fill=BONE, **wall),
        el("path", d=_smooth(shape.mirrored(shape.CANAL), frame), fill=AIR, **wall),
        _ellipse(shape.CORD, frame, fill=NERVE_FILL, stroke=EDGE, stroke_width=1),
        el("path", d=_smooth(shape.mirrored(shape.GREY_MATTER), frame), fill="#C9A94F", stroke="none"),
    ]
    for side in (1, -1):
        parts.append(_ellipse(_side(shape.FORAMEN, side), frame, fill=AIR, **wall))
        artery = fill_of(state.temp_c("artery"), frame.hatch)
        parts.append(_ellipse(_side(shape.VERTEBRAL_ARTERY, side), frame, fill=artery, stroke=EDGE, stroke_width=1.6))
    return parts


def _front(state: NeckSection, frame: Frame) -> list[Markup]:
    flesh = fill_of(state.temp_c("deep_neck"), frame.hatch)
    wall: dict[str, str | float] = {"stroke": EDGE, "stroke_width": 1}
    parts = [
        _ellipse(shape.GULLET, frame, fill=flesh, stroke=SURFACE, stroke_width=1.2),
        _ellipse(shape.GULLET_LUMEN, frame, fill=AIR, stroke="none"),
        _ellipse(shape.TRACHEA, frame, fill=CARTILAGE, **wall),
        _ellipse(shape.TRACHEA_LUMEN, frame, fill=AIR, **wall),
    ]
    for side in (1, -1):
        artery, vein = (fill_of(state.temp_c(name), frame.hatch) for name in ("artery", "vein"))
        parts += [
            _ellipse(_side(shape.JUGULAR, side), frame, fill=vein, stroke=SURFACE, stroke_width=3),
            _ellipse(_side(shape.JUGULAR, side), frame, fill=vein, **wall),
            _ellipse(_side(shape.CAROTID, side), frame, fill=artery, stroke=SURFACE, stroke_width=4.6),
            _ellipse(_side(shape.CAROTID, side), frame, fill=artery, stroke=EDGE, stroke_width=2.2),
            _core_mark(side, frame),
            _ellipse((side * shape.VAGUS[0], shape.VAGUS[1], 0.9, 0.9), frame, fill=NERVE_FILL, **wall),
            _ellipse(
                (side * shape.SYMPATHETIC_TRUNK[0], shape.SYMPATHETIC_TRUNK[1], 1.5, 1.1),
                frame, fill=NERVE_FILL, **wall,
            ),
        ]  # fmt: skip
    return parts


def _core_mark(side: int, frame: Frame) -> Markup:
    x, y = frame.at((side * shape.CAROTID[0], shape.CAROTID[1]))
    size = 1.9 * frame.scale
    points = [(x, y - size), (x + 0.87 * size, y + 0.5 * size), (x - 0.87 * size, y + 0.5 * size)]
    return _plain(points, closed=True, fill=SURFACE, stroke="none", class_="core")


def _flows(state: NeckSection, frame: Frame) -> list[Markup]:
    edge = shape.rim()
    nerve_end = frame.nerve_side * shape.NERVE[-1][0]
    skin = [edge.spot(along, shape.SKIN_MM) for along in SKIN_SPOTS_MM if abs(along - nerve_end) > 4]
    superficial = [
        edge.spot(along, edge.middle_depth("splenius", "fat", along) + (1.4 if abs(along) == 24 else -1.4))
        for along in SUPERFICIAL_SPOTS_MM
    ]
    deep = [(side * x, y) for x, y in shape.DEEP_FLOW_SPOTS for side in (1, -1)]
    places = {"nape_skin": skin, "superficial_muscle": superficial, "deep_muscle": deep}
    flows = {
        "nape_skin": state.nape_skin_flow,
        "superficial_muscle": state.superficial_muscle_flow,
        "deep_muscle": state.deep_muscle_flow,
    }
    return [flow_dot(frame.at(spot), flows[name], frame.scale) for name, spots in places.items() for spot in spots]


def flow_dot(place: Point, flow: float, scale: float) -> Markup:
    """Draw a vessel: its area is the flow; a dashed ring where that is not known, a cross where it is off scale."""
    x, y = place
    if math.isnan(flow):
        return el("circle", cx=x, cy=y, r=1.5 * scale, fill="none", stroke=SURFACE, stroke_width=1.4,
                  stroke_dasharray="2 2")  # fmt: skip
    radius = flow_radius(flow, scale)
    parts = [el("circle", cx=x, cy=y, r=f"{radius:.2f}", fill=INK, stroke=SURFACE, stroke_width=1)]
    if flow > MOST_FLOW:
        arm = radius * 0.5
        parts.append(el("path", d=f"M{x - arm:.1f} {y:.1f}H{x + arm:.1f}M{x:.1f} {y - arm:.1f}V{y + arm:.1f}",
                        stroke=SURFACE, stroke_width=1.6))  # fmt: skip
    return el("g", *parts, class_="flow")


def _load(state: NeckSection, frame: Frame) -> list[Markup]:
    load = state.muscle_load_percent_mvc
    if math.isnan(load) or load <= 0:
        return []
    edge = shape.rim()
    size = frame.scale * (1.4 + 3.4 * math.sqrt(min(load, MOST_LOAD_PERCENT) / MOST_LOAD_PERCENT))
    marks = []
    for along in (LOAD_MM, -LOAD_MM):
        x, y = frame.at(edge.spot(along, edge.middle_depth("splenius", "fat", along)))
        points = [(x, y - size), (x + size, y), (x, y + size), (x - size, y)]
        marks.append(_plain(points, closed=True, fill=SURFACE, stroke=INK, stroke_width=1.2, class_="load"))
    return marks


def _collar(state: NeckSection, frame: Frame) -> list[Markup]:
    if not state.collar:
        return []
    edge = shape.rim()
    outline = shape.band(-1.4, edge.along * 0 - 6.6, 0, 54)
    parts = [_polyline(outline, frame, closed=True, fill="#B8C2CA", stroke=INK3, stroke_width=1, class_="collar")]
    for along in range(-52, 53, 4):
        a, b = (frame.at(edge.spot(along + shift, depth)) for shift, depth in ((-1.2, -1.8), (1.2, -6.2)))
        parts.append(_plain([a, b], closed=False, fill="none", stroke=INK3, stroke_width=0.9))
    return parts


def _arrows(state: NeckSection, frame: Frame) -> list[Markup]:
    difference = state.temp_c("nape_skin") - state.air_temp_c
    if math.isnan(difference) or abs(difference) < 0.05:
        return []
    edge = shape.rim()
    long = 4.0 + 11 * min(abs(difference), MOST_DIFFERENCE_K) / MOST_DIFFERENCE_K
    start = 8.0 if state.collar else 1.8
    parts = []
    for along in ARROWS_MM:
        place = along * -frame.nerve_side
        near, far = frame.at(edge.spot(place, -start)), frame.at(edge.spot(place, -start - long))
        tail, tip = (near, far) if difference > 0 else (far, near)
        parts += arrow(tail, tip, dashed=state.collar, beyond=abs(difference) > MOST_DIFFERENCE_K)
    return parts


def arrow(tail: Point, tip: Point, *, dashed: bool = False, beyond: bool = False) -> list[Markup]:
    """Draw an arrow, its head doubled where the difference is beyond the scale."""
    length = math.hypot(tip[0] - tail[0], tip[1] - tail[1])
    ux, uy = (tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length
    shaft = _plain([tail, tip], closed=False, fill="none", stroke=INK, stroke_width=1.5, class_="neck-line arrow",
                   stroke_dasharray="2.5 2.5" if dashed else None)  # fmt: skip
    heads = []
    for back in (0, 4) if beyond else (0,):
        x, y = tip[0] - back * ux, tip[1] - back * uy
        wings = [(x - 5 * ux + 3.4 * k * uy, y - 5 * uy - 3.4 * k * ux) for k in (1, -1)]
        heads.append(_plain([wings[0], (x, y), wings[1]], closed=False, fill="none", stroke=INK, stroke_width=1.5,
                            class_="neck-line"))  # fmt: skip
    return [shaft, *heads]


def _nerve(state: NeckSection, frame: Frame) -> list[Markup]:
    way = [(frame.nerve_side * x, y) for x, y in shape.NERVE]
    d = _smooth(way, frame, closed=False)
    width = 1.5 * frame.scale
    common: dict[str, str | float] = {"fill": "none", "stroke_linecap": "round", "stroke_linejoin": "round"}
    parts = [
        el("path", d=d, stroke=EDGE, stroke_width=width + 2, **common),
        el("path", d=d, stroke=NERVE_FILL, stroke_width=width, **common),
    ]
    ganglion = (frame.nerve_side * shape.NERVE[2][0], shape.NERVE[2][1], 2.6, 1.7)
    parts.append(_ellipse(ganglion, frame, fill=NERVE_FILL, stroke=EDGE, stroke_width=1))
    if math.isfinite(state.nerve_activity):
        n = round(PULSES * state.nerve_activity)
        shares = [0.3 + 0.6 * (i + 0.5) / n for i in range(n)]
        for spot in shape.along_curve(way, shares):
            x, y = frame.at(spot)
            parts.append(el("circle", cx=x, cy=y, r=1.25 * frame.scale, fill=SURFACE, stroke=EDGE, stroke_width=1.2,
                            class_="pulse"))  # fmt: skip
    if math.isfinite(state.felt_heat) and state.felt_heat > 0:
        x, y = frame.at(way[-1])
        ring: dict[str, str | float] = {"cx": x, "cy": y, "r": frame.scale * (1.6 + 0.42 * state.felt_heat)}
        parts.append(el("circle", fill="none", stroke=SURFACE, stroke_width=5, **ring))
        parts.append(el("circle", fill="none", stroke=HEAT, stroke_width=2.6, class_="felt", **ring))
    return parts


def _side(ellipse: tuple[float, float, float, float], side: int) -> tuple[float, float, float, float]:
    return side * ellipse[0], *ellipse[1:]


def _area(points: Sequence[Point], temp_c: float, frame: Frame, *, fascia: bool = False) -> Markup:
    seam: dict[str, str | float] = {"stroke": SURFACE, "stroke_width": 0.8, "stroke_opacity": 0.7} if fascia else {}
    return _polyline(points, frame, closed=True, fill=fill_of(temp_c, frame.hatch), **seam)


def _ellipse(ellipse: tuple[float, float, float, float], frame: Frame, **look: str | float) -> Markup:
    x, y = frame.at(ellipse[:2])
    return el("ellipse", cx=x, cy=y, rx=ellipse[2] * frame.scale, ry=ellipse[3] * frame.scale, **look)


def _polyline(points: Sequence[Point], frame: Frame, *, closed: bool, **look: str | float | None) -> Markup:
    return _plain(_outline(tuple(frame.at(point) for point in points)), closed=closed, **look)


@lru_cache(maxsize=512)  # temperatures and flows change from picture to picture, outlines do not
def _outline(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple(thinned(points))


def thinned(points: Sequence[Point], tolerance_px: float = 0.1) -> list[Point]:
    """Leave out points that lie nearly on the line between their neighbours; the eye sees no difference.

    The farthest point from a chord is kept where it is off by more than the tolerance, and so on for both halves
    (Douglas & Peucker 1973, doi:10.3138/FM57-6770-U75U-7727).
    """
    line = np.array(points)
    kept, waiting = {0, len(points) - 1}, [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        between, chord = line[first + 1 : last] - line[first], line[last] - line[first]
        length = math.hypot(*chord)
        if not len(between):
            continue
        # A closed line's ends may meet: then the distance from that point counts.
        off = np.hypot(*between.T) if not length else np.abs(between @ (-chord[1], chord[0])) / length
        farthest = int(off.argmax())
        if off[farthest] > tolerance_px:
            middle = first + 1 + farthest
            kept.add(middle)
            waiting += [(first, middle), (middle, last)]
    return [points[k] for k in sorted(kept)]


def _plain(points: Sequence[Point], *, closed: bool, **look: str | float | None) -> Markup:
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")
    return el("path", d=d, **look)


def _smooth(points: Sequence[Point], frame: Frame, *, closed: bool = True) -> str:
    """Return path data in tenths of a pixel, each piece relative to where the one before ends, which is short."""
    at_x, at_y = (round(10 * value) for value in frame.at(points[0]))
    pieces = [f"M{at_x / 10:g} {at_y / 10:g}"]
    for piece in shape.curve(points, closed=closed):
        spots = [(round(10 * x), round(10 * y)) for x, y in map(frame.at, piece)]
        pieces.append("c" + " ".join(f"{(x - at_x) / 10:g} {(y - at_y) / 10:g}" for x, y in spots))
        at_x, at_y = spots[-1]
    return "".join(pieces) + ("Z" if closed else "")

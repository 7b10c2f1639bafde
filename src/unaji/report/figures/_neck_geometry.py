"""Where does each tissue lie in a cross-section of the neck? Outlines in millimetres, drawn for this project.

The level is about C5–C6: the larynx ends, trachea and gullet begin. x runs to the right of the picture, y down, the
back of the neck is on top; the zero point is the middle of the vertebral canal's front wall. Only one half is stated,
the other is its mirror image. Proportions follow any atlas; skin and fat are thicker than in life, so that they can be
seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from unaji.records.timeline import FloatArray
from unaji.report.figures.svg import Point

TOP_MM, BOTTOM_MM, HALF_WIDTH_MM = -55.0, 54.0, 58.4
SKIN_MM = 3.4
NAPE_MM = 56.0
"""Along the outline from the midline at the back: so far reaches the nape, 31 % of the neck's skin as in the model."""

_OUTLINE = (
    *((0, -54), (7, -54.4), (16, -53.8), (30, -49.2), (44, -37), (54, -19), (58, 2)),
    *((55.5, 20), (47.5, 34), (34, 45), (18, 52), (8, 53.8), (0, 54)),
)
_DEPTH_KNOTS_MM = (0, 8, 30, 42, 54, 64, 180)
_THICKNESS_MM = {
    "fat": (6.0, 6.4, 6.2, 5.2, 3.2, 0.0, 0.0),
    "trapezius": (3.0, 4.4, 5.0, 4.2, 2.4, 0.0, 0.0),
    "splenius": (0.6, 4.6, 6.0, 4.8, 1.0, 0.0, 0.0),
}

_DEEP_FLOOR: tuple[Point, ...] = ((35.4, -21), (32.6, -12), (26, -6), (14, -3), (0, -3))

ONE_SIDE: dict[str, tuple[Point, ...]] = {
    "semispinalis_capitis": ((3, -36), (10, -37.5), (19, -34), (24.5, -28), (19, -26), (8, -28.5), (3, -31.5)),
    "semispinalis_cervicis": ((6, -27), (14, -25), (22, -22.5), (22, -18), (13, -18.5), (6, -22.5)),
    "multifidus": ((7.5, -20.8), (13, -17.2), (20, -16), (21.5, -12.8), (16, -13.2), (9, -17.6)),
    "longissimus": ((27, -28.5), (31.5, -26), (33, -19), (29.5, -14), (25.5, -17), (25, -23)),
    "levator": ((36.5, -24), (42, -27.5), (47, -20), (47, -9), (41, -5), (37, -10.5)),
    "scalene_middle": ((31, -1), (37, -4), (42, 2), (40, 9.5), (34, 9.5), (31, 4.5)),
    "scalene_anterior": ((23.5, 11.5), (28, 9.5), (31.5, 12.5), (28.5, 16.4), (23.5, 15.4)),
    "sternocleidomastoid": (
        *((48.5, -7), (52.8, -3), (52.6, 9), (48.5, 22), (41, 32), (32.5, 38.5), (29.5, 36.5)),
        *((36.5, 29), (42.5, 20), (46, 8)),
    ),
    "longus_colli": ((2.5, 20), (8, 19.2), (13, 16.6), (15, 19.2), (10, 22.2), (3, 22.2)),
    "thyroid": ((11.5, 27.5), (15.5, 26.5), (19, 30), (18.5, 36.5), (14.5, 40), (11.6, 36)),
    "strap": ((3, 47.2), (12, 46), (22, 41.2), (23.4, 43.8), (13, 48.8), (3, 50)),
}
DEEP_MUSCLES = ("semispinalis_capitis", "semispinalis_cervicis", "multifidus", "longissimus")
OTHER_MUSCLES = tuple(name for name in ONE_SIDE if name not in DEEP_MUSCLES)

VERTEBRA: tuple[Point, ...] = (
    *((0, -30.2), (2.2, -33), (4.8, -33.8), (5.6, -31.4), (3.6, -28.2), (3.2, -24), (7, -19.4), (13, -14.6)),
    *((18.5, -12.4), (23, -9.4), (23.4, -5.2), (26, -3), (29, -1.6), (29.4, 1.4), (26.4, 3.4), (25, 5.6)),
    *((26, 8.4), (23.6, 10.2), (20, 8.4), (16, 7.4), (14.8, 11.5), (12.4, 16), (6.5, 18), (0, 18.2)),
)
CANAL: tuple[Point, ...] = ((0, -20.4), (4.4, -17.4), (10.6, -10.6), (11.6, -6.2), (7.5, -2.8), (0, -2.2))
GREY_MATTER: tuple[Point, ...] = (
    *((0, -10), (1.6, -10.4), (3.6, -12), (4, -11), (2.8, -9), (4, -7), (2.6, -6.2), (0, -8)),
)
CORD, FORAMEN, VERTEBRAL_ARTERY = (0.0, -9.0, 7.4, 4.7), (20.2, 1.6, 3.3, 3.0), (20.2, 1.6, 2.2, 2.2)
CAROTID, JUGULAR = (24.0, 25.0, 3.9, 3.9), (33.2, 21.6, 5.4, 4.1)
TRACHEA, TRACHEA_LUMEN, GULLET, GULLET_LUMEN = (
    (0.0, 36.4, 10.2, 8.8),
    (0.0, 36.2, 7.8, 6.4),
    (0.0, 25.0, 7.6, 2.7),
    (0.0, 25.0, 4.6, 0.7),
)
"""Ellipses: middle x, y and half axes."""
SYMPATHETIC_TRUNK, VAGUS = (17.2, 21.6), (28.6, 27.6)

NERVE: tuple[Point, ...] = (
    *((8, -8.4), (13, -5.4), (19, -5.2), (25.4, -8), (28.4, -13.5), (24.2, -21), (23.4, -28)),
    *((20, -36), (15.4, -43), (13.4, -48), (13.2, -52.6)),
)
"""From the cord round the joint to the skin of the nape: the way of a dorsal branch."""

DEEP_FLOW_SPOTS: tuple[Point, ...] = (
    *((7.6, -33.4), (15.6, -31.2), (20.4, -28.6), (11.6, -22.6), (18.8, -20.4), (14.2, -18.6), (29.4, -21)),
)
"""One side; the spots of the other layers lie along their bands."""


@dataclass(frozen=True, slots=True)
class Rim:
    """The outline and the layers below it, by distance along the outline from the midline at the back.

    Attributes
    ----------
    along : ndarray, shape (n,)
        Distance along the outline of one side [mm].
    point, inward : ndarray, shape (n, 2)
        Place on the outline and the direction into the neck.
    """

    along: FloatArray
    point: FloatArray
    inward: FloatArray

    def depth_of(self, layer: str) -> FloatArray:
        """Return how deep the lower border of a layer lies [mm], shape (n,)."""
        depth = np.full(self.along.size, SKIN_MM)
        if layer == "skin":
            return depth
        for name, thickness in _THICKNESS_MM.items():
            depth = depth + np.interp(self.along, _DEPTH_KNOTS_MM, thickness)
            if name == layer:
                return depth
        raise KeyError(layer)

    def at_depth(self, depth_mm: FloatArray | float) -> FloatArray:
        """Return the points of one side at a depth below the outline, shape (n, 2)."""
        inside: FloatArray = self.point + self.inward * np.broadcast_to(depth_mm, self.along.shape)[:, None]
        inside[:, 0] = np.maximum(inside[:, 0], 0.0)
        return inside

    def spot(self, along_mm: float, depth_mm: float) -> Point:
        """Return the point at a distance along the outline (negative: the other side) and a depth."""
        line = self.at_depth(depth_mm)
        x, y = (float(np.interp(abs(along_mm), self.along, line[:, k])) for k in (0, 1))
        return (x if along_mm >= 0 else -x), y

    def direction(self, along_mm: float) -> Point:
        """Return the direction out of the neck at a distance along the outline."""
        x, y = (-float(np.interp(abs(along_mm), self.along, self.inward[:, k])) for k in (0, 1))
        return (x if along_mm >= 0 else -x), y

    def middle_depth(self, layer: str, above: str, along_mm: float) -> float:
        """Return the depth halfway between the lower borders of two layers."""
        both = (self.depth_of(layer) + self.depth_of(above)) / 2
        return float(np.interp(abs(along_mm), self.along, both))


@cache
def rim() -> Rim:
    """Return the outline of one side, sampled densely."""
    points = _sampled(_OUTLINE)
    step = np.diff(points, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    tangent = np.gradient(points, along, axis=0)
    inward = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    inward /= np.hypot(inward[:, 0], inward[:, 1])[:, None]
    inward[[0, -1]] = [[0.0, 1.0], [0.0, -1.0]]
    return Rim(along, points, inward)


def band(upper_mm: FloatArray | float, lower_mm: FloatArray, start_mm: float, end_mm: float) -> list[Point]:
    """Return the closed outline of a layer between two depths, on both sides of the midline where it starts at 0."""
    edge = rim()
    within = edge.along[(edge.along > start_mm) & (edge.along < end_mm)]
    at = np.concatenate([[start_mm], within, [end_mm]])
    upper, lower = (
        np.stack([np.interp(at, edge.along, line[:, k]) for k in (0, 1)], axis=1)
        for line in (edge.at_depth(upper_mm), edge.at_depth(lower_mm))
    )
    if start_mm > 0:
        return _points(np.concatenate([upper, lower[::-1]]))
    mirror = np.array([-1.0, 1.0])
    return _points(np.concatenate([upper[::-1] * mirror, upper, lower[::-1], lower * mirror]))


def outline() -> list[Point]:
    """Return the whole outline of the neck."""
    one = rim().point
    return _points(np.concatenate([one[::-1] * [-1.0, 1.0], one]))


def deep_compartment() -> list[Point]:
    """Return the space of the deep nape muscles: below the splenius, behind the vertebra, both sides."""
    edge = rim()
    roof = _points(edge.at_depth(edge.depth_of("splenius"))[edge.along <= 46])
    floor = _sampled_open([roof[-1], *_DEEP_FLOOR])
    half = np.array([*roof, *floor])
    return _points(np.concatenate([half[::-1] * [-1.0, 1.0], half]))


def mirrored(half: Sequence[Point]) -> list[Point]:
    """Return a closed outline from its right half, which runs from the midline at the back to that at the front."""
    return [*half, *((-x, y) for x, y in reversed(half) if x)]


def curve(points: Sequence[Point], *, closed: bool) -> list[tuple[Point, Point, Point]]:
    """Return the cubic pieces of a smooth curve through points (Catmull-Rom): two handles and the end of each."""
    n = len(points)
    pieces = []
    for i in range(n if closed else n - 1):
        before, start, end, after = (
            points[k % n] if closed else points[min(max(k, 0), n - 1)] for k in (i - 1, i, i + 1, i + 2)
        )
        first = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        second = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        pieces.append((first, second, end))
    return pieces


def along_curve(points: Sequence[Point], shares: Sequence[float]) -> list[Point]:
    """Return points at shares of a polyline's length."""
    line = np.array(points, dtype=float)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.array(shares) * length[-1]
    return _points(np.stack([np.interp(at, length, line[:, k]) for k in (0, 1)], axis=1))


def _bezier(start: Point, piece: tuple[Point, Point, Point], n: int) -> list[Point]:
    """Sample one cubic piece, without its end."""
    t = np.linspace(0, 1, n, endpoint=False)[:, None]
    a, b, c, d = (np.array(p, dtype=float) for p in (start, *piece))
    return _points((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)


def _sampled(half: Sequence[Point]) -> FloatArray:
    """Sample one side of the outline; the mirror image's neighbours make it run level through the midline."""
    whole = [(-half[1][0], half[1][1]), *half, (-half[-2][0], half[-2][1])]
    pieces = zip(half[:-1], curve(whole, closed=False)[1:-1], strict=True)
    return np.array([point for start, piece in pieces for point in _bezier(start, piece, 14)] + [half[-1]])


def _sampled_open(points: Sequence[Point]) -> list[Point]:
    pieces = zip(points[:-1], curve(points, closed=False), strict=True)
    return [point for start, piece in pieces for point in _bezier(start, piece, 8)] + [points[-1]]


def _points(array: FloatArray) -> list[Point]:
    return [(float(x), float(y)) for x, y in array]

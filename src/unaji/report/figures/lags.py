"""How long after it does heat come? For each factor behind the episodes, when its effect arrives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup
from scipy.special import gamma, gammainc

from unaji.causes.features import KERNEL_SHAPE, MEAN_LAGS_MIN
from unaji.records.timeline import FloatArray
from unaji.report.figures.svg import Figure, Point, Table, draw, line, path, rect, text, wrap
from unaji.report.story.factors import Candidates, Factor
from unaji.report.words import Catalogue

FIRST_MIN, LAST_MIN = 5.0, 2880.0
"""Ends of the axis, which is one of ratios: an hour is as far from 15 minutes as four hours are from one."""
TICKS_MIN = (15.0, 60.0, 180.0, 480.0, 1440.0)
EDGES_MIN = (0.0, 60.0, 180.0, 480.0, 1440.0, math.inf)
"""Rows of the table: shares of the effect that arrive between these times."""
MOST = 4
POINTS = 120


@dataclass(frozen=True, eq=False, slots=True)
class Arrival:
    """When the effect of one factor arrives.

    Attributes
    ----------
    density : ndarray, shape (POINTS,)
        Per ratio of time, at `times_min`, over its largest value.
    shares : tuple of float
        Of the effect, between the `EDGES_MIN`; they sum to 1.
    """

    factor: Factor
    density: FloatArray
    shares: tuple[float, ...]


def times_min() -> FloatArray:
    """Return the points of the axis [min], shape (POINTS,)."""
    return np.geomspace(FIRST_MIN, LAST_MIN, POINTS)


def arrival(factor: Factor) -> Arrival | None:
    """Mix the engine's lag kernels by their posterior probability; None where nothing was fitted.

    Notes
    -----
    Each entry of the engine has a Gamma lag of shape `KERNEL_SHAPE` (``f(t) = t^(k-1) e^(-t/s) / (Γ(k) s^k)``, its
    distribution the regularised incomplete gamma function) with one of five means (`MEAN_LAGS_MIN`, attribution of
    lagged exposures); on an axis of ratios the density is ``t f(t)``.
    """
    entries = np.asarray(factor.result.entry_p, dtype=float)
    if not entries.size or entries.sum() <= 0:
        return None
    weight = entries.reshape(-1, len(MEAN_LAGS_MIN)).sum(axis=0)
    weight /= weight.sum()
    scale = np.array(MEAN_LAGS_MIN) / KERNEL_SHAPE
    ratio = times_min()[:, None] / scale
    density = (ratio**KERNEL_SHAPE * np.exp(-ratio) / gamma(KERNEL_SHAPE)) @ weight
    by_then = [float(gammainc(KERNEL_SHAPE, edge / scale) @ weight) for edge in EDGES_MIN]
    return Arrival(factor, density / density.max(), tuple(np.diff(by_then).tolist()))


def arrivals(chosen: Candidates) -> list[Arrival]:
    """Return when the effect of each factor arrives that may be named, alone or as one of two; the first `MOST`."""
    pairs = [one for pair in chosen.either for one in (pair.a, pair.b)]
    named = list({one.id: one for one in (*chosen.named, *pairs)}.values())
    return [one for factor in named if (one := arrival(factor)) is not None][:MOST]


def lags_figure(chosen: Candidates, words: Catalogue) -> Figure | None:
    """Draw it; None when no factor is named."""
    shown = arrivals(chosen)
    if not shown:
        return None
    told = [words("chart.lags_one", name=one.factor.name, lag=one.factor.lag) for one in shown if one.factor.lag]
    aria = words("chart.lags_aria", told=words.join(told))

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, shown, words)

    phone, desktop = draw(paint, aria)
    table = _table(shown, words)
    return Figure("lags", words("chart.lags"), words("chart.lags_caption"), aria, phone, desktop, table)


def _paint(width: float, arrivals: list[Arrival], words: Catalogue) -> tuple[float, list[Markup]]:
    narrow = width < 500
    x0, x1, room = (8.0, width - 14, 58.0) if narrow else (214.0, width - 20, 64.0)
    steps = times_min()

    def place(minutes: float) -> float:
        return x0 + (x1 - x0) * math.log(minutes / FIRST_MIN) / math.log(LAST_MIN / FIRST_MIN)

    x = [place(one) for one in steps]
    parts: list[Markup] = []
    y = 8.0
    for one in arrivals:
        lines = wrap(one.factor.name, 300 if narrow else 200, 14)
        if narrow:
            parts += [text(0, y + 14 + 18 * i, row, "label") for i, row in enumerate(lines)]
            y += 18 * len(lines) + 4
        base = y + room - 12
        if not narrow:
            parts += [text(0, base - 18 * (len(lines) - 1 - i), row, "label") for i, row in enumerate(lines)]
        curve: list[Point] = [(at, base - (room - 16) * float(d)) for at, d in zip(x, one.density, strict=True)]
        family = f"f-{one.factor.family}"
        parts += [
            *(line(place(tick), y, place(tick), base) for tick in TICKS_MIN),
            path([(x[0], base), *curve, (x[-1], base)], f"interval {family}", closed=True),
            path(curve, "model"),
            line(x0, base, x1, base, "tick"),
        ]
        lag = one.factor.result.lag_h
        if lag is not None:
            low, high = (place(min(LAST_MIN, max(FIRST_MIN, 60 * h))) for h in (lag.p5, lag.p95))
            parts.append(rect(low, base + 3, max(4.0, high - low), 4, f"mean {family}", 2))
        y = base + 16
    labels = [words.lag(tick / 60) for tick in TICKS_MIN]
    parts += [text(place(tick), y + 8, label, anchor="middle") for tick, label in zip(TICKS_MIN, labels, strict=True)]
    return y + 16, parts


def _table(arrivals: list[Arrival], words: Catalogue) -> Table:
    def between(low: float, high: float) -> str:
        if low == 0:
            return words("chart.lags_within", lag=words.lag(high / 60))
        if math.isinf(high):
            return words("chart.lags_later", lag=words.lag(low / 60))
        return words("range", low=words.lag(low / 60), high=words.lag(high / 60))

    head = (words("column.factor"), *(between(a, b) for a, b in pairwise(EDGES_MIN)))
    return Table(head, tuple((one.factor.name, *(words.percent(share) for share in one.shares)) for one in arrivals))

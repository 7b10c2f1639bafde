"""Figure c: one episode, from twelve hours before to one hour after; how likely heat was, and what made it so."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from unaji.causes.design import BIN_MIN
from unaji.findings import EpisodeFinding, Findings
from unaji.records.timeline import BoolArray, FloatArray, utc_ms
from unaji.report.figures.svg import Figure, Point, Table, dot, draw, grid_step, line, nice_top, path, rect, text, wrap
from unaji.report.story.factors import Candidates
from unaji.report.words import Catalogue

BEFORE_H, AFTER_H = 12, 1
SHOWN, LEAST_P = 3, 0.05
"""At most so many causes, of at least this probability, are drawn by themselves; the others are one layer."""


class Layer:
    """One coloured part of the stack, with its label."""

    def __init__(self, kind: str, name: str, p: float, height: FloatArray) -> None:
        self.kind, self.name, self.p, self.height = kind, name, p, height


def pick(findings: Findings) -> EpisodeFinding | None:
    """Choose the episode with the clearest single cause that can be seen; None when none was fitted within the record.

    Seen is what of the twelve hours before it was observed: the probability is weighed by that share.
    """
    grid = findings.design.grid
    causes = [
        one
        for one in findings.episodes
        if one.p and not one.fever and not one.episode.whole_day and _bins(findings, one).start >= 0
    ]
    if not causes or grid.n_bins == 0 or findings.attribution.intensity.size == 0:
        return None
    return max(causes, key=lambda one: _clearest(one) * _seen(findings, one))


def _clearest(one: EpisodeFinding) -> float:
    return max((p for key, p in one.p.items() if key not in ("background", "echo")), default=0.0)


def _seen(findings: Findings, one: EpisodeFinding) -> float:
    bins = _bins(findings, one)
    return float(findings.design.grid.observed[bins.start : bins.start + BEFORE_H * 60 // BIN_MIN].mean())


def one_episode_figure(findings: Findings, chosen: Candidates, words: Catalogue) -> Figure | None:
    """Draw it; None when no episode can be drawn."""
    finding = pick(findings)
    if finding is None:
        return None
    layers, observed = stack(findings, finding, chosen, words)
    moment = words.moment(findings.timeline.zones.local(finding.episode.start))
    told = words.join([f"{one.name} {words.percent(one.p)}" for one in reversed(layers)])
    aria = words("chart.one_aria", moment=moment, sources=told)

    def paint(width: float) -> tuple[float, list[Markup]]:
        return _paint(width, findings, finding, layers, observed, words)

    phone, desktop = draw(paint, aria)
    title = words("chart.one", moment=moment)
    return Figure("one", title, words("chart.one_caption"), aria, phone, desktop, _table(layers, words))


def stack(
    findings: Findings, finding: EpisodeFinding, chosen: Candidates, words: Catalogue
) -> tuple[list[Layer], BoolArray]:
    """Return the layers, bottom first, in multiples of the usual intensity, and which bins were observed."""
    grid, sources = findings.design.grid, findings.attribution.episodes.sources
    intensity = np.asarray(findings.attribution.intensity, dtype=np.float64)
    bins = _bins(findings, finding)
    usual = intensity[sources.index("background")][grid.observed].mean()
    part = {name: intensity[i, bins] / usual for i, name in enumerate(sources)}
    causes = [name for name in sources if name not in ("background", "echo")]
    by_p = sorted((name for name in causes if finding.p[name] >= LEAST_P), key=lambda name: finding.p[name])
    shown = by_p[-SHOWN:]
    small = [name for name in (*causes, "echo") if name not in shown]
    looks = {one.id: one for one in chosen.factors}
    layers = [Layer("background", words("chart.usual"), finding.p["background"], part["background"])]
    rest = Layer("other", words("chart.small"), sum(finding.p[name] for name in small), sum(part[n] for n in small))
    layers.append(rest)
    layers += [Layer(f"f-{looks[name].family}", looks[name].name, finding.p[name], part[name]) for name in shown]
    # While an episode lasts no other can start: there the engine expects nothing, and there is nothing to draw.
    return layers, grid.observed[bins] & (intensity[:, bins].sum(axis=0) > 0)


def _bins(findings: Findings, finding: EpisodeFinding) -> slice:
    grid = findings.design.grid
    onset = int(np.searchsorted(grid.time, utc_ms(finding.episode.start), "right")) - 1
    start = onset - BEFORE_H * 60 // BIN_MIN
    stop = onset + AFTER_H * 60 // BIN_MIN
    return slice(start, stop) if stop <= grid.n_bins else slice(-1, 0)


def _paint(
    width: float,
    findings: Findings,
    finding: EpisodeFinding,
    layers: list[Layer],
    observed: BoolArray,
    words: Catalogue,
) -> tuple[float, list[Markup]]:
    narrow = width < 500
    x0, x1, y0, y1 = 34.0, width - (104 if narrow else 170), 44.0, 208.0 if narrow else 248.0
    n = layers[0].height.size
    total = np.sum([one.height for one in layers], axis=0)
    top = nice_top(float(np.nanmax(total)), 2)
    x = x0 + (x1 - x0) * (np.arange(n) + 0.5) / n
    parts = []
    for value in range(0, top + 1, grid_step(top)):
        y = y1 - (y1 - y0) * value / top
        label = words("unit.times_short", n=value) if value == top else str(value)
        parts += [line(x0, y, x1, y), text(x0 - 5, y + 4, label, anchor="end")]
    below = np.zeros(n)
    for one in layers:
        above = below + one.height
        parts += _areas(x, below, above, observed, (y0, y1, top), f"layer {one.kind}")
        below = above
    parts += [
        path(_points(x[a:b], y1 - (y1 - y0) * total[a:b] / top), "model") for a, b in stretches(observed) if b - a > 1
    ]
    parts += _gaps(x, observed, y0, y1, (x1 - x0) / n)
    onset = x0 + (x1 - x0) * BEFORE_H / (BEFORE_H + AFTER_H)
    parts += [line(onset, 22, onset, y1, "onset"), dot(onset, 22, 6, "heat")]
    intensity = finding.episode.intensity
    label = words("chart.heat_plain") if intensity is None else words("chart.heat", n=f"{intensity:g}")
    parts.append(text(onset - 11, 27, label, "label", "end"))
    for hours in (12, 6, 3):
        at = x0 + (x1 - x0) * (BEFORE_H - hours) / (BEFORE_H + AFTER_H)
        shown = words("chart.before", n=f"\N{MINUS SIGN}{hours}") if hours == 12 else f"\N{MINUS SIGN}{hours}"
        parts.append(text(at, y1 + 18, shown, anchor="start" if hours == 12 else "middle"))
    parts.append(text(onset, y1 + 18, f"{findings.timeline.zones.local(finding.episode.start):%H:%M}", anchor="middle"))
    end, labels = _labels(x1 + 8, width, y0, layers, words)
    return max(y1 + 30, end), parts + labels


def _areas(
    x: FloatArray, below: FloatArray, above: FloatArray, observed: BoolArray, scale: tuple[float, float, int], look: str
) -> list[Markup]:
    y0, y1, top = scale

    def height(values: FloatArray) -> FloatArray:
        return y1 - (y1 - y0) * values / top

    areas = []
    for start, end in stretches(observed):
        upper = _points(x[start:end], height(above[start:end]))
        lower = _points(x[start:end], height(below[start:end]))
        areas.append(path([*upper, *reversed(lower)], look, closed=True))
    return areas


def _points(x: FloatArray, y: FloatArray) -> list[Point]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _gaps(x: FloatArray, observed: BoolArray, y0: float, y1: float, step: float) -> list[Markup]:
    return [
        rect(x[start] - step / 2, y0, (end - start) * step, y1 - y0, "hatched") for start, end in stretches(~observed)
    ]


def stretches(flags: BoolArray) -> list[tuple[int, int]]:
    """Return where flags are set, as (start, end) of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _labels(x: float, width: float, y: float, layers: list[Layer], words: Catalogue) -> tuple[float, list[Markup]]:
    """Label the layers at the right edge in their order, one below the other: they may be too thin to stand beside."""
    parts = []
    for one in reversed(layers):
        parts.append(rect(x, y - 1, 10, 10, f"layer {one.kind}", 2))
        lines = [*wrap(one.name, width - x - 16, 12), words.percent(one.p)]
        looks = ["small-label"] * (len(lines) - 1) + ["axis"]
        parts += [text(x + 16, y + 8 + 14 * i, row, looks[i]) for i, row in enumerate(lines)]
        y += 14 * len(lines) + 12
    return y, parts


def _table(layers: list[Layer], words: Catalogue) -> Table:
    rows = tuple((one.name, words.percent(one.p)) for one in reversed(layers))
    return Table((words("column.factor"), words("column.sources")), rows)

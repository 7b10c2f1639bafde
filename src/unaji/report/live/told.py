"""What the page's script is told: the curves of the causes, the episodes on them, and the exposures by day and hour."""

from __future__ import annotations

import base64
import math
from itertools import pairwise
from typing import Any

import numpy as np

from unaji.causes.design import BIN_MIN
from unaji.findings import EpisodeFinding, Findings
from unaji.records.timeline import BoolArray, FloatArray, from_utc_ms, utc_ms
from unaji.report.figures.days import days_words, hours, levels_at_onset, tints, to_digits
from unaji.report.figures.one_episode import LEAST_P, pick, stretches
from unaji.report.figures.time_axis import Calendar
from unaji.report.story.factors import Factor
from unaji.report.story.story import Story
from unaji.report.words import Catalogue

BINS = 3
"""Bins of the engine's grid in one sample: a quarter of an hour, 52 samples from 12 hours before to one after."""
MOST_SAMPLES = 20_000
"""Of a record longer than 29 weeks each sample is half an hour or more, so that the page stays small."""
MOST_LAYERS = 8
"""Causes drawn by themselves; more cannot be told apart by colour, and each adds 11 kB a 12 weeks."""
DRAWS = 400
FAINT = ("", "99", "59")
"""How a second and a third cause of one family look: the last digits of the colour, 60 and 35 %."""


def to_script(findings: Findings, story: Story, words: Catalogue) -> dict[str, Any] | None:
    """Return all of it, as JSON can hold it; None where nothing was fitted or no cause may be ranked yet.

    Every number that is read out as a number is in it as the findings have it. The curves are for the eye: each is
    rounded to 255 steps, fine ones near zero, which is at most 0.4 % of its highest value.
    """
    first = pick(findings) if story.ranked else None
    if first is None:
        return None
    causes = _layers(findings, story)
    shown = [index for index, one in enumerate(findings.episodes) if _on_chart(one, findings)]
    return {
        "language": words.language,
        **_curves(findings, causes, words),
        "episodes": [_episode(index, findings, causes, words) for index in shown],
        "first": next(place for place, index in enumerate(shown) if findings.episodes[index] is first),
        "sessions": [_seconds(utc_ms(one.time)) for one in findings.timeline.treatments],
        "exposures": _exposures(findings, story, words),
        "words": _words(findings, words),
    }


def _layers(findings: Findings, story: Story) -> list[Factor]:
    """Return the causes worth a layer of their own, the one that explains most last, which is on top."""
    fitted = [one for one in findings.episodes if one.p]
    total = {
        one.id: sum(episode.p.get(one.id, 0.0) for episode in fitted)
        for one in story.candidates.factors
        if not one.result.told_apart and any(episode.p.get(one.id, 0.0) >= LEAST_P for episode in fitted)
    }
    chosen = sorted(total, key=lambda name: -total[name])[:MOST_LAYERS]
    by_id = {one.id: one for one in story.candidates.factors}
    return [by_id[name] for name in reversed(chosen)]


def _curves(findings: Findings, causes: list[Factor], words: Catalogue) -> dict[str, Any]:
    grid, sources = findings.design.grid, findings.attribution.episodes.sources
    intensity = np.asarray(findings.attribution.intensity, dtype=np.float64)
    bins = BINS * math.ceil(grid.n_bins / BINS / MOST_SAMPLES)
    # While an episode lasts no other can start: there the engine expects nothing, and there is nothing to draw.
    observed = grid.observed & (intensity.sum(axis=0) > 0)
    usual = intensity[sources.index("background")][grid.observed].mean()
    own = [sources.index(one.id) for one in causes]
    background = sources.index("background")
    rest = [i for i in range(len(sources)) if i not in own and i != background]
    names = [("background", words("chart.usual")), ("other", words("chart.small"))]
    names += [(one.id, one.name) for one in causes]
    heights = [intensity[background], intensity[rest].sum(axis=0), *intensity[own]]
    curves = [
        _curve(name, label, _sampled(height / usual, observed, bins))
        for (name, label), height in zip(names, heights, strict=True)
    ]
    for curve, one, look in zip(curves[2:], causes, _looks(causes), strict=True):
        explained = one.result.episodes_explained
        curve |= {"family": str(one.family), "faint": look, "mean": explained.mean}
        curve |= {"low": explained.p5, "high": explained.p95, "draws": _draws(findings, one.id)}
    return {
        "start": _seconds(grid.time[0]),
        "step": bins * BIN_MIN * 60,
        "offsets": _offsets(findings),
        "samples": math.ceil(grid.n_bins / bins),
        "gaps": stretches(~np.logical_or.reduceat(observed, np.arange(0, grid.n_bins, bins))),
        "layers": curves,
    }


def _curve(name: str, label: str, sampled: FloatArray) -> dict[str, Any]:
    top = float(sampled.max(initial=0.0))
    steps = np.round(255 * np.sqrt(sampled / top)) if top > 0 else np.zeros(sampled.size)
    packed = base64.b64encode(steps.astype(np.uint8).tobytes()).decode()
    return {"id": name, "name": label, "top": round(top, 4), "steps": packed}


def _sampled(values: FloatArray, observed: BoolArray, bins: int) -> FloatArray:
    """Average each sample over its observed bins; zero where there are none."""
    starts = np.arange(0, values.size, bins)
    n = np.add.reduceat(observed.astype(float), starts)
    total = np.add.reduceat(np.where(observed, values, 0.0), starts)
    return np.divide(total, n, out=np.zeros(starts.size), where=n > 0)


def _looks(causes: list[Factor]) -> list[str]:
    """Return how faint each is drawn, as the last two digits of its colour: of one family the strongest is full."""
    seen: dict[str, int] = {}
    looks = []
    for one in reversed(causes):
        rank = seen.get(str(one.family), 0)
        seen[str(one.family)] = rank + 1
        looks.append(FAINT[min(rank, len(FAINT) - 1)])
    return looks[::-1]


def _draws(findings: Findings, name: str) -> list[float]:
    """Return some of the draws of how many episodes a cause set off, evenly spread, for intervals of sums."""
    draws = findings.attribution.cause_draws[:, [one.id for one in findings.attribution.causes].index(name)]
    kept = np.linspace(0, draws.size - 1, min(DRAWS, draws.size)).round().astype(int)
    return [round(float(one), 1) for one in draws[kept]]


def _offsets(findings: Findings) -> list[tuple[int, int]]:
    """Return from when on the person's clock was how many seconds ahead of UTC."""
    grid, zones = findings.design.grid, findings.timeline.zones
    hourly = np.arange(0, grid.n_bins, 60 // BIN_MIN)
    moments = [from_utc_ms(grid.time[i]) for i in hourly]
    ahead = [int((zones.local(one).utcoffset() or one - one).total_seconds()) for one in moments]
    changes = [i for i, (a, b) in enumerate(pairwise(ahead), start=1) if a != b]
    return [(_seconds(grid.time[hourly[i]]), ahead[i]) for i in (0, *changes)]


def _on_chart(one: EpisodeFinding, findings: Findings) -> bool:
    grid = findings.design.grid
    at = utc_ms(one.episode.start)
    return not one.episode.whole_day and bool(grid.time[0] <= at <= grid.time[-1])


def _episode(index: int, findings: Findings, causes: list[Factor], words: Catalogue) -> dict[str, Any]:
    one = findings.episodes[index]
    intensity = one.episode.intensity
    return {
        "index": index,
        "time": _seconds(utc_ms(one.episode.start)),
        "title": words("chart.one", moment=words.moment(findings.timeline.zones.local(one.episode.start))),
        "label": words("chart.heat_plain") if intensity is None else words("chart.heat", n=f"{intensity:g}"),
        "p": [round(one.p.get(cause.id, 0.0), 4) for cause in causes],
        "fitted": bool(one.p),
    }


def _seconds(moment: np.datetime64) -> int:
    return int(moment.astype("datetime64[s]").astype(np.int64))


def _exposures(findings: Findings, story: Story, words: Catalogue) -> list[dict[str, Any]]:
    """Return what the figure of days and hours can show: each exposure that was recorded, in the page's order."""
    calendar = Calendar(findings)
    triggers = {one.id: one for one in findings.design.triggers}
    told = []
    for factor in story.candidates.factors:
        trigger = triggers.get(factor.id)
        if trigger is None:
            continue
        hourly, recorded = hours(findings, trigger, calendar)
        if not recorded.any():
            continue
        title, caption, aria = days_words(findings, factor, calendar, words)
        at_onset = levels_at_onset(findings, trigger)
        told.append(
            {
                "id": factor.id,
                "name": factor.name,
                "family": str(factor.family),
                "title": title,
                "caption": caption,
                "aria": aria,
                "levels": "".join(to_digits(tints(hourly, trigger.kind), recorded)),
                "at_onset": [f"{one:.2f}" if math.isfinite(one) else words("unknown") for one in at_onset],
            }
        )
    return told


def _words(findings: Findings, words: Catalogue) -> dict[str, Any]:
    n = sum(bool(one.p) for one in findings.episodes)
    return {
        "counts": [words("unit.bare", n=k) for k in range(n + 1)],
        "about": words("of_ten.short", n="{n}"),
        "under_one": words("of_ten.short_under_one"),
        "range": words("unit.bare", n=words("range", low="{low}", high="{high}")),
        "sum": words("live.sum", total=words.count("episodes", n), about="{about}", range="{range}"),
        "sum_none": words("live.sum_none"),
        "times": words("unit.times_short", n="{n}"),
        "whole": words("live.whole_title"),
        "whole_caption": words("live.whole_caption"),
        "view": words("live.view", title="{title}", **{"from": "{from}", "to": "{to}"}),
    }

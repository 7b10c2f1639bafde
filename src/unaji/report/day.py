"""One day from top to bottom: when it was hot, beside the weather, the heart and the bent head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from markupsafe import Markup

from unaji.records.timeline import FloatArray, Series, Timeline, utc_ms
from unaji.report.figures.svg import el, line, path, rect, root, text
from unaji.report.words import Catalogue, catalogue

BIN_MIN = 10
FALL_MIN = 180
"""Over how long the fall of the pressure is told: three hours, as in weather reports of "pressure tendency"."""
BENT_DEG = 20.0
"""From which forward flexion of the head a bin counts as bent."""
FALL_STEPS_HPA = (0.5, 1.0, 2.0, 3.0)
"""Falls in three hours from which the four tints begin."""
PRESSURES = ("station_pressure_hpa", "sea_level_pressure_hpa")
LEAST_SPAN_HPA, LEAST_SPAN_K = 10.0, 10.0
"""So much the columns of pressure and temperature show at least: a quiet day is to look quiet."""
WIDTH, TOP, HOUR_PX = 330.0, 52.0, 21.0


@dataclass(frozen=True, slots=True)
class DayStrip:
    """What was measured on one local day, in bins of ten minutes from its first instant; None where nothing was.

    Attributes
    ----------
    fall_hpa : tuple
        How far the pressure fell over the three hours before; 0 where it rose.
    bent : tuple
        Whether the head was bent.
    air_temp_c : tuple
        Air temperature outdoors [°C]; () in a strip that was kept before it was told.
    pressure_hpa : tuple
        Air pressure, at the place where that is known, else at sea level [hPa]; () likewise.
    """

    start: str
    fall_hpa: tuple[float | None, ...]
    hr_bpm: tuple[float | None, ...]
    bent: tuple[bool | None, ...]
    air_temp_c: tuple[float | None, ...] = ()
    pressure_hpa: tuple[float | None, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def day_strip(timeline: Timeline, start: datetime, end: datetime) -> DayStrip:
    """Take one day out of a timeline.

    Parameters
    ----------
    start, end : datetime
        First instant of the local day and of the next (aware); a day of 23 or 25 hours has as many bins.
    """
    # One bin more than the day has: the hour that begins with the next day ends this one's line.
    bin_length = np.timedelta64(BIN_MIN, "m")
    edges = np.arange(utc_ms(start - timedelta(minutes=FALL_MIN)), utc_ms(end) + bin_length + 1, bin_length)
    before = FALL_MIN // BIN_MIN
    day = slice(before, -1)
    pressure = next((found for name in PRESSURES if (found := timeline.of(name)) is not None), None)
    hpa = _filled(_means(pressure, edges))
    fall = np.maximum(hpa[:-before] - hpa[before:], 0.0)[:-1]
    bent = _means(timeline.of("head_flexion_deg"), edges)[day]
    return DayStrip(
        start=start.isoformat(),
        fall_hpa=tuple(_rounded(fall, 2)),
        hr_bpm=tuple(_rounded(_means(timeline.of("hr_bpm"), edges)[day], 1)),
        bent=tuple(None if np.isnan(one) else bool(one >= BENT_DEG) for one in bent),
        air_temp_c=tuple(_rounded(_filled(_means(timeline.of("air_temp_c", "outdoor"), edges))[day], 1)),
        pressure_hpa=tuple(_rounded(hpa[day], 1)),
    )


def _means(series: Series | None, edges: np.ndarray) -> FloatArray:
    """Return the mean of each bin; NaN where nothing lies in it."""
    n = len(edges) - 1
    if series is None or not len(series):
        return np.full(n, np.nan)
    place = np.searchsorted(edges, series.time, side="right") - 1
    inside = (place >= 0) & (place < n)
    count = np.bincount(place[inside], minlength=n)
    total = np.bincount(place[inside], weights=series.value[inside], minlength=n)
    mean: FloatArray = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return mean


def _filled(hourly: FloatArray) -> FloatArray:
    """Draw a straight line between the values of neighbouring hours; a longer gap stays one."""
    known = np.flatnonzero(np.isfinite(hourly))
    filled = hourly.copy()
    for a, b in pairwise(known):
        if 1 < b - a <= 60 // BIN_MIN:
            filled[a : b + 1] = np.interp(np.arange(a, b + 1), [a, b], [hourly[a], hourly[b]])
    return filled


def _rounded(values: FloatArray, digits: int) -> list[float | None]:
    return [None if np.isnan(one) else round(float(one), digits) for one in values]


# -- drawing -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hot:
    """One episode, by minutes from the beginning of the day."""

    minute: float
    intensity: int | None


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """The picture, what it shows for the ear, what the columns are."""

    svg: Markup
    caption: str


def draw_day(
    strip: DayStrip | None,
    hot: Sequence[Hot],
    desk: Sequence[tuple[float, float]],
    language: str,
    *,
    minutes: int = 1440,
    now_min: float | None = None,
) -> DrawnDay:
    """Draw a day; what was not measured is left empty, and so is the time to come.

    Parameters
    ----------
    hot : sequence of Hot
        Episodes.
    desk : sequence of (float, float)
        Desk work and smartphone as they were written down, minutes from the beginning of the day.
    minutes : int
        How long the day is.
    now_min : float, optional
        Where "now" is; None for a day that is over.
    """
    words = catalogue(language)
    scale = HOUR_PX / 60.0
    height = TOP + minutes * scale + 14
    x0, fall_x, hpa_x, air_x, heart_x, bent_x, hot_x = 44.0, 46.0, 62.0, 127.0, 190.0, 254.0, 306.0
    marks: list[Markup] = []
    for hour in range(0, minutes // 60 + 1, 3):
        y = TOP + hour * 60 * scale
        marks += [line(x0, y, WIDTH - 4, y), text(x0 - 6, y + 4, words("day.hour", n=hour), "axis", "end")]
    columns = ((fall_x + 30, "pressure"), (air_x + 22, "air"), (heart_x + 26, "heart"), (bent_x + 12, "bent"))
    for x, name in columns:
        parts = words(f"day.{name}").split("|")
        marks += [text(x, 18 + 14 * i, part, "small-label", "middle") for i, part in enumerate(parts)]
    marks.append(text(hot_x, 18, words("day.hot"), "small-label", "middle"))
    if strip is not None:
        heart = [one for one in strip.hr_bpm if one is not None]
        label = words.texts["day.range"]
        marks += _fall(strip, fall_x, 12.0, scale)
        marks += _line(strip.pressure_hpa, _ends(strip.pressure_hpa, LEAST_SPAN_HPA), hpa_x, 48.0, scale, label)
        marks += _line(strip.air_temp_c, _ends(strip.air_temp_c, LEAST_SPAN_K), air_x, 44.0, scale, label)
        marks += _line(strip.hr_bpm, (min([40.0, *heart]), max([120.0, *heart])), heart_x, 54.0, scale, label)
        marks += [
            rect(bent_x, TOP + first * BIN_MIN * scale, 12, n * BIN_MIN * scale, "f-posture layer-plain")
            for bent, first, n in _runs([int(bool(one)) for one in strip.bent])
            if bent
        ]
    marks += [
        rect(bent_x + 14, TOP + a * scale, 8, max((b - a) * scale, 2), "f-posture layer-plain second", 2)
        for a, b in desk
    ]
    if now_min is not None:
        y = TOP + now_min * scale
        marks.append(rect(x0, y, WIDTH - 4 - x0, height - y, "blank"))
        marks += [line(x0, y, WIDTH - 4, y, "start"), text(WIDTH - 4, y + 16, words("day.now"), "axis", "end")]
    for one in hot:
        y = TOP + one.minute * scale
        marks += [line(x0, y, hot_x - 11, y, "onset"), el("circle", cx=hot_x, cy=y, r=11, class_="heat")]
        if one.intensity is not None:
            marks.append(text(hot_x, y + 4.5, str(one.intensity), "on-heat", "middle"))
    between = "" if language == "ja" else " "
    weather = [] if strip is None else _weather(strip, words)
    told = between.join([words("day.aria", episodes=words.count("episodes", len(hot))), *weather])
    svg = root(*marks, width=WIDTH, height=height, class_="figure day", aria_label=told)
    return DrawnDay(svg, between.join([*weather, words("day.caption")]))


def _weather(strip: DayStrip, words: Catalogue) -> list[str]:
    """Say between which values temperature and pressure were; nothing of what was not measured."""
    told = []
    for key, values, digits in (("air_said", strip.air_temp_c, 1), ("hpa_said", strip.pressure_hpa, 0)):
        known = [one for one in values if one is not None]
        if known:
            low, high = (f"{one:.{digits}f}".replace("-", "−") for one in (min(known), max(known)))
            told.append(words(f"day.{key}", low=low, high=high))
    return told


def _fall(strip: DayStrip, x: float, width: float, scale: float) -> list[Markup]:
    steps = [0 if fall is None else sum(fall >= one for one in FALL_STEPS_HPA) for fall in strip.fall_hpa]
    return [
        rect(x, TOP + first * BIN_MIN * scale, width, n * BIN_MIN * scale, f"f-weather tint{step}")
        for step, first, n in _runs(steps)
        if step
    ]


def _runs(steps: Sequence[int]) -> list[tuple[int, int, int]]:
    """Give what stays the same for some bins as one: value, first bin, number of bins."""
    runs: list[tuple[int, int, int]] = []
    for step, members in groupby(enumerate(steps), key=lambda one: one[1]):
        places = [place for place, _ in members]
        runs.append((step, places[0], len(places)))
    return runs


def _ends(values: Sequence[float | None], least: float) -> tuple[float, float]:
    """Return whole numbers between which the values lie, at least so far apart."""
    known = [one for one in values if one is not None]
    if not known:
        return 0.0, least
    low, high = np.floor(min(known)), np.ceil(max(known))
    more = max(least - (high - low), 0.0)
    low -= np.floor(more / 2)
    return float(low), float(max(high, low + least))


def _line(
    values: Sequence[float | None], ends: tuple[float, float], x: float, width: float, scale: float, label: str
) -> list[Markup]:
    """Draw a measured value from top to bottom, between ends that are written above it."""
    if all(one is None for one in values):
        return []
    low, high = ends
    said = label.format(low=_whole(low), high=_whole(high))
    marks = [text(x + width / 2, 46, said, "axis", "middle")]
    run: list[tuple[float, float]] = []
    for i, one in enumerate((*values, None)):
        if one is not None:
            run.append((x + (one - low) / (high - low) * width, TOP + (i + 0.5) * BIN_MIN * scale))
        elif run:  # a gap is a gap: the line ends here
            marks.append(path(run, "measured"))
            run = []
    return marks


def _whole(number: float) -> str:
    return f"{number:.0f}".replace("-", "−")

"""How does a neck change over time? One quantity below the other on one time axis, with what happened shaded."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from unaji.body.state import OUTPUTS
from unaji.records.timeline import BoolArray, FloatArray
from unaji.report.figures._neck_drawing import HEAT, INK, INK2, INK3, LINE, SURFACE, hatch, thinned
from unaji.report.figures._neck_labels import FONTS, ROW, SIZE, write
from unaji.report.figures._neck_words import LANGUAGES, Language, say, spoken
from unaji.report.figures.svg import Point, el, standing_alone, text_width, wrap
from unaji.report.words import plain, signed

COURSE = (
    *("nape_skin_temp_c", "core_temp_c", "finger_skin_temp_c", "nape_skin_flow_ml_100g_min"),
    *("superficial_muscle_flow_ml_100g_min", "hr_bpm", "felt_heat"),
)
"""The rows of "what happens in your neck when …", from the top."""
PARTS = ("vascular", "heat_load", "core", "muscle", "sensory")
"""Ways to felt heat, the first at the bottom of the stack."""
LEAST_WIDTH, WIDE = 320.0, 640.0
NAME_COLUMN = 168.0
TALL = 70.0
FROM_ZERO = ("mL/100 g/min", "0–10", "L/min")
"""Units whose axis starts at nothing; felt heat ends at 10 too."""
MOST_FELT = 10.0
LEAST_TAKEN = 0.05
"""Of 10: what is taken away by less is not named."""
TINTS = (0.85, 0.62, 0.42, 0.26, 0.12)
TIME_UNITS = (
    (3 * 60.0, 1.0, "minutes", (1, 2, 5, 10, 15, 30, 60)),
    (3 * 1440.0, 60.0, "hours", (1, 2, 3, 6, 12, 24)),
    (math.inf, 1440.0, "days", (1, 2, 5, 7, 14, 28, 56, 112, 365)),
)
"""Up to how long, minutes in the unit, its name, and the steps its axis may have."""

Block = tuple[float, list[Markup]]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in which something happened [min], named in Japanese and English."""

    start_min: float
    end_min: float
    ja: str
    en: str

    def __post_init__(self) -> None:
        if not self.start_min <= self.end_min:
            raise ValueError(f"a band must not end before it starts, got {self.start_min:g} to {self.end_min:g} min")


def neck_course(
    time_min: FloatArray,
    values: Mapping[str, FloatArray],
    bands: Sequence[Band] = (),
    *,
    felt_parts: Mapping[str, FloatArray] | None = None,
    language: Language = "ja",
    width_px: float = 360,
) -> str:
    """Draw courses over time as SVG text, one panel a quantity.

    Parameters
    ----------
    time_min : ndarray, shape (n,)
        Rising [min].
    values : mapping of str to ndarray, shape (n,)
        Quantities by their name in `unaji.body.state.OUTPUTS`, drawn in the order given; NaN is a gap.
    bands : sequence of Band
        What happened: named on top, one row a name, and shaded through all panels; what lies outside the time drawn
        is left out.
    felt_parts : mapping of str to ndarray, shape (n,), optional
        How much of the felt heat each of `PARTS` carries; stacked in the panel of ``felt_heat``. What parts below 0
        take away is hatched, from the line of what is felt up to what the others would make it.
    language : {"ja", "en", "both"}
    width_px : float
        At least 320 [px]; from 640 on the names stand beside the panels.

    Returns
    -------
    str
        One ``<svg>`` element with title and description, needing nothing from outside; the same input gives the same
        bytes.

    Raises
    ------
    ValueError
        For an unknown name, arrays of different length, times that do not rise, too small a width.
    """
    time, rows = _checked(time_min, values)
    parts = {} if felt_parts is None else _checked_parts(time, felt_parts)
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    if width_px < LEAST_WIDTH:
        raise ValueError(f"width_px must be at least {LEAST_WIDTH:g}, got {width_px:g}")
    shown = tuple(band for band in bands if band.end_min >= time[0] and band.start_min <= time[-1])
    return str(_Course(time, rows, shown, parts, language, float(width_px)).svg())


def _checked(time_min: FloatArray, values: Mapping[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
    time = np.asarray(time_min, dtype=np.float64)
    if time.ndim != 1 or time.size < 2 or not (np.diff(time) > 0).all():
        raise ValueError("time_min must be a rising series of at least two times")
    if not values:
        raise ValueError("there is nothing to draw: values is empty")
    for name in values:
        if name not in OUTPUTS:
            near = difflib.get_close_matches(name, OUTPUTS, n=1)
            raise ValueError(f"no output is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return time, {name: _series(time, name, value) for name, value in values.items()}


def _checked_parts(time: FloatArray, parts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ValueError(f"parts of the felt heat are {', '.join(PARTS)}, not {unknown[0]!r}")
    return {name: _series(time, name, parts[name]) for name in PARTS if name in parts}


def _series(time: FloatArray, name: str, value: FloatArray) -> FloatArray:
    series = np.asarray(value, dtype=np.float64)
    if series.shape != time.shape:
        raise ValueError(f"{name} has shape {series.shape}, time_min {time.shape}")
    if np.isinf(series).any():
        raise ValueError(f"{name} holds an infinite value")
    return series


@dataclass(frozen=True, eq=False, slots=True)
class _Course:
    """One figure on its way."""

    time: FloatArray
    rows: dict[str, FloatArray]
    bands: tuple[Band, ...]
    parts: dict[str, FloatArray]
    language: Language
    width: float

    def svg(self) -> Markup:
        y, names = self._strip(4.0)
        top, panels = y, []
        for name, value in self.rows.items():
            y, made = self._panel(y, name, value)
            panels += made
        shades = [self._shade(band, top, y - 10) for band in self.bands]
        y, axis = self._time_axis(y - 10)
        y, gaps = self._gap_key(y)
        parts = [*shades, *names, *panels, *axis, *gaps]
        identity = hashlib.sha256("".join(parts).encode()).hexdigest()[:10]
        name, height = f"course-{identity}", float(round(y))
        return standing_alone(
            el("rect", width=self.width, height=height, fill=SURFACE, class_="blank"),
            *(Markup(str(part).replace(_HATCH, f"{name}-hatch")) for part in parts),
            width=self.width,
            height=height,
            name=name,
            title=say("title_course", self.language),
            description=self._description(),
            pattern=hatch(f"{name}-hatch"),
            font_family=FONTS,
            lang=spoken(self.language),
        )

    @property
    def _wide(self) -> bool:
        return self.width >= WIDE

    def _ends(self) -> tuple[float, float]:
        return (NAME_COLUMN + 44 if self._wide else 44.0), self.width - 14

    def _x(self, time_min: float) -> float:
        x0, x1 = self._ends()
        share = (time_min - self.time[0]) / (self.time[-1] - self.time[0])
        return float(x0 + (x1 - x0) * min(max(share, 0.0), 1.0))

    def _both(self, ja: str, en: str) -> list[str]:
        return {"ja": [ja], "en": [en], "both": [ja, en]}[self.language]

    # What happened

    def _strip(self, y: float) -> Block:
        """Name the bands, one row for each name: beside its bars where there is room, else above them."""
        parts = []
        for ja, en in dict.fromkeys((band.ja, band.en) for band in self.bands):
            mine = [band for band in self.bands if (band.ja, band.en) == (ja, en)]
            words = " / ".join(self._both(ja, en))
            place = self._beside(mine, text_width(words, SIZE))
            rows = [words] if place else wrap(words, self.width - 8, SIZE)
            x, anchor = place or (0.0, "start")
            parts += [write(x, y + 12 + ROW * i, row, "axis", INK2, anchor) for i, row in enumerate(rows)]
            y += 0.0 if place else ROW * len(rows)
            parts += [self._bar(band, y + 4) for band in mine]
            y += ROW + 3 if place else 16
        return y + 6, parts

    def _beside(self, bands: Sequence[Band], width: float) -> tuple[float, str] | None:
        """Return where a name finds room: right of its last bar or left of its first; None where it does not."""
        first, last = self._x(min(b.start_min for b in bands)), self._x(max(b.end_min for b in bands))
        if last + 8 + width <= self.width:
            return last + 8, "start"
        return (first - 6, "end") if first - 6 - width >= 0 else None

    def _bar(self, band: Band, y: float) -> Markup:
        left, right = self._x(band.start_min), self._x(band.end_min)
        look: dict[str, str | float] = {"fill": "#5A6B78", "rx": 2, "class_": "course-bar"}
        return el("rect", x=left, y=y, width=max(2.0, right - left), height=8, **look)

    def _shade(self, band: Band, top: float, bottom: float) -> Markup:
        left, right = self._x(band.start_min), self._x(band.end_min)
        return el("rect", x=left, y=top, width=max(1.0, right - left), height=bottom - top, fill="#C9D3DC",
                  fill_opacity=0.45, class_="band")  # fmt: skip

    # One quantity

    def _panel(self, y: float, name: str, value: FloatArray) -> Block:
        base, parts = self._heading(y, name, value)
        low, high, step = _axis(name, value)
        x0, x1 = self._ends()

        def height(number: float) -> float:
            return base + TALL * (high - number) / (high - low)

        for i in range(round((high - low) / step) + 1 if np.isfinite(value).any() else 0):
            tick = low + i * step
            digits = max(0, -math.floor(math.log10(step) + 1e-9))
            parts += [
                el("path", d=f"M{x0:.1f} {height(tick):.1f}H{x1:.1f}", stroke=LINE, class_="hair"),
                write(x0 - 6, height(tick) + 4, plain(tick, digits), "axis", INK3, "end"),
            ]
        if name == "felt_heat":
            parts += self._stack(height)
        heat = name.startswith("felt_heat")
        for piece in _pieces(value):
            points = self._points(piece, value, height)
            look: dict[str, str | float] = {"stroke": HEAT if heat else INK, "class_": "onset" if heat else "model"}
            parts.append(el("path", d=_d(points), fill="none", stroke_width=1.8, stroke_linejoin="round", **look))
        parts += [
            el("rect", x=left, y=base, width=right - left, height=TALL, fill=f"url(#{_HATCH})", class_="gap")
            for left, right in self._gaps(value)
        ]
        end, made = self._parts_key(base + TALL + 6) if name == "felt_heat" and self.parts else (base + TALL, [])
        return end + 18, [*parts, *made]

    def _heading(self, y: float, name: str, value: FloatArray) -> Block:
        """Write name, unit and the largest change: above the panel, or beside it where it is wide."""
        output = OUTPUTS[name]
        change = _change_words(name, value, spoken(self.language))
        unit = _unit(name, spoken(self.language))
        if self._wide:
            rows = [row for words in self._both(output.ja, output.en) for row in wrap(words, NAME_COLUMN - 6, SIZE)]
            parts = [write(0, y + 12 + ROW * i, row, "small-label", INK, bold=True) for i, row in enumerate(rows)]
            below = y + 12 + ROW * len(rows)
            parts += [write(0, below, unit, "axis", INK3), write(0, below + ROW, change, "neck-value", INK2)]
            return y + 6, parts
        words = [f"{row} [{unit}]" if unit else row for row in self._both(output.ja, output.en)]
        parts = [write(0, y + 12 + ROW * i, row, "small-label", INK, bold=True) for i, row in enumerate(words)]
        if text_width(words[-1], SIZE) + text_width(change, SIZE) + 14 > self.width:
            words.append("")
        below = y + 12 + ROW * (len(words) - 1)
        return below + 12, [*parts, write(self.width - 14, below, change, "neck-value", INK2, "end")]

    def _points(self, piece: slice, value: FloatArray, height: Callable[[float], float]) -> list[Point]:
        time, shown = _thinned(self.time[piece], value[piece], round(self.width / 2))
        return thinned([(self._x(t), height(v)) for t, v in zip(time.tolist(), shown.tolist(), strict=True)])

    def _gaps(self, value: FloatArray) -> list[tuple[float, float]]:
        """Return the stretches without a value [px], from the last value before to the first after."""
        found = []
        for start, stop in _runs(np.isnan(value)):
            left = self.time[max(start - 1, 0)]
            right = self.time[min(stop, value.size - 1)]
            found.append((self._x(float(left)), self._x(float(right))))
        return found

    def _stack(self, height: Callable[[float], float]) -> list[Markup]:
        below = np.zeros(self.time.size)
        drawn = []
        for tint, value in zip(TINTS, self.parts.values(), strict=False):
            above = np.minimum(below + np.maximum(value, 0.0), MOST_FELT)
            look = {"fill": HEAT, "fill_opacity": f"{tint:.2f}", "class_": "felt-part"}
            drawn += self._area(below, above, height, look)
            below = above
        if self._takers():
            taken = sum((np.minimum(value, 0.0) for value in self.parts.values()), np.zeros(self.time.size))
            drawn += self._area(below + taken, below, height, {"fill": f"url(#{_HATCH})", "class_": "felt-away"})
        return drawn

    def _area(
        self, lower: FloatArray, upper: FloatArray, height: Callable[[float], float], look: dict[str, str]
    ) -> list[Markup]:
        """Fill between two courses wherever they part."""
        parts = np.nan_to_num(upper - lower) > 0
        parts[1:] |= parts[:-1].copy()
        parts[:-1] |= parts[1:].copy()
        pieces = [slice(start, stop) for start, stop in _runs(parts & np.isfinite(upper))]
        return [
            el("path", d=_d([*self._points(piece, upper, height), *reversed(self._points(piece, lower, height))]) + "Z",
               stroke=SURFACE, stroke_width=0.6, **look)
            for piece in pieces
        ]  # fmt: skip

    def _takers(self) -> list[str]:
        """Name the parts that take away from the felt heat at some time, by more than a line's width."""
        return [name for name, value in self.parts.items() if np.any(value < -LEAST_TAKEN)]

    def _parts_key(self, y: float) -> Block:
        """Name the parts below their panel, the top of the stack first, then what is taken away."""
        x0, x1 = self._ends()
        x, parts = x0, []
        entries: list[tuple[str, dict[str, str]]] = [
            (say(name, self.language), {"fill": HEAT, "fill_opacity": f"{tint:.2f}", "stroke": HEAT,
                                        "stroke_width": "0.8", "class_": "felt-part"})
            for name, tint in reversed(list(zip(self.parts, TINTS, strict=False)))
        ]  # fmt: skip
        entries += [
            (say("taken", self.language, names=say(name, self.language)), {"fill": f"url(#{_HATCH})"})
            for name in self._takers()
        ]
        for words, look in entries:
            rows = wrap(words, x1 - x0 - 4, SIZE)
            room = 16 + max(text_width(row, SIZE) for row in rows) + 12
            if x > x0 and x + room > x1 + 14:
                x, y = x0, y + ROW
            parts.append(el("rect", x=x, y=y + 2, width=11, height=11, **look))
            parts += [write(x + 16, y + 12 + ROW * i, row, "axis", INK2) for i, row in enumerate(rows)]
            x, y = x + room, y + ROW * (len(rows) - 1)
        return y + ROW, parts

    # Below the panels

    def _time_axis(self, y: float) -> Block:
        length = float(self.time[-1] - self.time[0])
        per_unit, name, steps = next(one[1:] for one in TIME_UNITS if length <= one[0])
        most = 10 if self._wide else 6
        step = next((s for s in steps if length / per_unit / s <= most), steps[-1])
        first = math.ceil(self.time[0] / per_unit / step) * step
        unit = say(name, spoken(self.language))
        parts = []
        for tick in np.arange(first, self.time[-1] / per_unit + 1e-9, step):
            x = self._x(float(tick) * per_unit)
            parts.append(el("path", d=f"M{x:.1f} {y:.1f}v5", stroke=INK3, class_="tick"))
            parts.append(write(x, y + 18, plain(float(tick), 0), "axis", INK3, "middle"))
        parts.append(write(0, y + 18, unit, "axis", INK3))
        return y + 26, parts

    def _gap_key(self, y: float) -> Block:
        if not any(np.isnan(value).any() for value in self.rows.values()):
            return y, []
        swatch = el("rect", x=0, y=y + 2, width=16, height=11, fill=f"url(#{_HATCH})")
        return y + 20, [swatch, write(22, y + 12, say("unknown_key", self.language), "axis", INK3)]

    def _description(self) -> str:
        tongue = spoken(self.language)
        told = [
            f"{' / '.join(self._both(OUTPUTS[name].ja, OUTPUTS[name].en))} {_change_words(name, value, tongue)}"
            + (f" ({say('gap', tongue)})" if np.isnan(value).any() else "")
            for name, value in self.rows.items()
        ]
        happened = [" / ".join(self._both(band.ja, band.en)) for band in self.bands]
        return "; ".join([*told, *dict.fromkeys(happened)])


_HATCH = "HATCH-OF-THIS-FIGURE"
"""Stands for the pattern's id until the figure's content, and with it the id, is known."""


def _axis(name: str, value: FloatArray) -> tuple[float, float, float]:
    """Return both ends of an axis and the distance of its lines, four at most between the ends."""
    output = OUTPUTS[name]
    if output.unit == "0–10":
        return 0.0, 10.0, 5.0
    known = value[np.isfinite(value)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, output.least_span)
    middle, half = (low + high) / 2, max(high - low, output.least_span) / 2
    low, high = (0.0, max(high, output.least_span)) if output.unit in FROM_ZERO else (middle - half, middle + half)
    step = _nice_step((high - low) / 3)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 × 10ⁿ that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _unit(name: str, language: Language) -> str:
    unit = OUTPUTS[name].unit
    if language == "en":
        return {"1": "", "1/min": "beats/min"}.get(unit, unit)
    return {"1": "", "1/min": "回/分", "°C": "℃", "mL/100 g/min": "mL/100 g/分", "0–10": "0〜10"}.get(unit, unit)


def _change_words(name: str, value: FloatArray, language: Language) -> str:
    """Say the largest departure from the first known value: "34.1 → 35.0(+0.9)"."""
    known = value[np.isfinite(value)]
    if not known.size:
        return say("unknown_key", language)
    digits = 0 if OUTPUTS[name].unit == "1/min" else 1
    start, far = float(known[0]), float(known[np.argmax(np.abs(known - known[0]))])
    change = round(far, digits) - round(start, digits)
    if not round(change, digits):
        return f"{plain(start, digits)} {say('no_change', language)}"
    shown = f"{plain(start, digits)} → {plain(far, digits)}"
    return f"{shown} ({signed(change, digits)})" if language == "en" else f"{shown}({signed(change, digits)})"


def _thinned(time: FloatArray, value: FloatArray, n_columns: int) -> tuple[FloatArray, FloatArray]:
    """Keep the lowest and highest of each column of time where there are many values, so that no peak is lost."""
    if time.size <= 2 * n_columns:
        return time, value
    edges = np.linspace(0, time.size, n_columns + 1).astype(int)
    kept = {0, time.size - 1}
    for start, stop in pairwise(edges.tolist()):
        kept |= {start + int(np.argmin(value[start:stop])), start + int(np.argmax(value[start:stop]))}
    chosen = np.array(sorted(kept))
    return time[chosen], value[chosen]


def _pieces(value: FloatArray) -> list[slice]:
    return [slice(start, stop) for start, stop in _runs(np.isfinite(value))]


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _d(points: Sequence[Point]) -> str:
    """Return path data; a single point becomes a dot's width of line."""
    many = points if len(points) > 1 else [points[0], (points[0][0] + 1, points[0][1])]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in many)

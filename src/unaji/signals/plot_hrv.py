"""Pictures of beats: tachogram with its artefacts, Poincaré plot, spectrum, and the day. Nothing is computed here.

Titles are in Japanese and English; where no font with Japanese letters is installed they are in English alone. The
colours are those of Okabe and Ito, which the colour-blind can tell apart, and no meaning hangs on colour only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from unaji.records.timeline import FloatArray
from unaji.signals.indices import HrvTable
from unaji.signals.rr import BeatKind
from unaji.signals.spectrum import HF_HZ, LF_HZ, VLF_HZ, Spectrum
from unaji.signals.tachogram import Tachogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREEN, PURPLE, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#666666"
"""Colours of Okabe M and Ito K, "Color Universal Design", 2008."""

MARKERS = {
    BeatKind.ECTOPIC: ("D", VERMILION, "早い拍 ectopic"),
    BeatKind.MISSED: ("^", ORANGE, "見落とし missed"),
    BeatKind.EXTRA: ("v", PURPLE, "数えすぎ extra"),
    BeatKind.LONG: ("+", GREEN, "長い long"),
    BeatKind.SHORT: ("x", "black", "短い short"),
    BeatKind.OUT_OF_RANGE: ("s", GREY, "範囲外 out of range"),
}
"""Shape, colour and name of each kind of artefact: told apart without colour as well."""

JAPANESE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo",
    "BIZ UDPGothic", "MS Gothic", "Source Han Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic",
)  # fmt: skip
"""Fonts with Japanese letters, the first that is installed being used."""

SHORTEST_HOLE_S = 120.0
"""Shorter stretches without beats are not marked in the picture of a day [s]."""

NARROW_HZ = 0.05
"""The name of a narrower band starts at its edge, since it would not fit about its middle [Hz]."""

NORMAL_95 = 1.96
"""Standard errors on either side that hold 95 % of a normal distribution."""

TICKS_H = ((3.0, 0.5), (8.0, 1.0), (16.0, 2.0), (30.0, 3.0), (80.0, 12.0))
"""Up to how many hours the ticks stand how many hours apart; beyond, a day."""


def plot_tachogram(tachogram: Tachogram, *, ax: Axes | None = None) -> Axes:
    """Draw the intervals over time, broken where beats are missing, with every artefact marked by its kind."""
    ax = _axes(ax)
    minutes, nn_ms = tachogram.end_s / 60.0, tachogram.nn_ms
    ax.plot(minutes, np.where(tachogram.gap, np.nan, nn_ms), color=BLUE, linewidth=0.8)
    for kind, (marker, colour, name) in MARKERS.items():
        rows = tachogram.kind == kind
        if rows.any():
            label = f"{_words(*name.split(' ', 1))} ({rows.sum()})"
            ax.scatter(minutes[rows], tachogram.rri_ms[rows], marker=marker, color=colour, s=18, label=label)
    if ax.get_legend_handles_labels()[1]:
        # Above the axes, so that it covers no beat.
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, prop=_font(size="small"))
    if np.isfinite(nn_ms).any():  # an hour without beats must not flatten the rest
        low, high = np.nanmin(nn_ms), np.nanmax(nn_ms)
        ax.set_ylim(low - 0.5 * (high - low) - 20.0, high + 0.5 * (high - low) + 20.0)
    _label(ax, ("時間", "Time [min]"), ("拍の間隔", "RR interval [ms]"))
    return ax


def plot_poincare(tachogram: Tachogram, *, ax: Axes | None = None) -> Axes:
    """Draw each valid interval over the one before it."""
    ax = _axes(ax)
    later = np.flatnonzero(tachogram.joined)
    faint = float(np.clip(400.0 / max(later.size, 1), 0.03, 0.4))  # a day of points shows where they crowd
    ax.scatter(tachogram.rri_ms[later - 1], tachogram.rri_ms[later], s=4, alpha=faint, color=BLUE, linewidths=0)
    if later.size:
        both = np.concatenate((tachogram.rri_ms[later - 1], tachogram.rri_ms[later]))
        ax.plot([both.min(), both.max()], [both.min(), both.max()], color="gray", linewidth=0.6)
    ax.set_aspect("equal", adjustable="datalim")
    _label(ax, ("拍の間隔", "RR interval [ms]"), ("次の間隔", "next RR interval [ms]"))
    return ax


def plot_spectrum(spectrum: Spectrum, *, window: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the power spectral density of one window with its bands."""
    ax = _axes(ax)
    for name, (low_hz, high_hz), shade in (("VLF", VLF_HZ, "0.85"), ("LF", LF_HZ, "0.75"), ("HF", HF_HZ, "0.9")):
        ax.axvspan(low_hz, high_hz, color=shade, linewidth=0)
        narrow = high_hz - low_hz < NARROW_HZ
        at = (low_hz if narrow else (low_hz + high_hz) / 2.0, 0.99)
        ax.annotate(
            name, at, xycoords=("data", "axes fraction"), ha="left" if narrow else "center", va="top", fontsize="small"
        )
    ax.plot(spectrum.frequency_hz, spectrum.density[window], color=BLUE, linewidth=1.0)
    if np.isnan(spectrum.density[window]).all():
        words = _words("測れた部分が足りません", "too little was measured", between="\n")
        ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", fontproperties=_font("small"))
        ax.set_yticks([])
    else:
        top = float(np.nanmax(spectrum.density[window]))
        ax.set_ylim(0.0, 1.12 * top if top > 0.0 else 1.0)  # the names stand above the line
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-3, 4))
    ax.set_xlim(0.0, 0.5)
    ax.set_xticks((0.0, 0.2, 0.4))  # a number below the right edge would be cut off
    _label(ax, ("周波数", "Frequency [Hz]"), ("パワー密度", "Power density [ms²/Hz]"))
    return ax


def plot_day(
    tachogram: Tachogram,
    table: HrvTable,
    *,
    start: datetime | None = None,
    nights_s: Sequence[tuple[float, float]] = (),
    axes: Sequence[Axes] | None = None,
) -> tuple[Axes, Axes, Axes]:
    """Draw heart rate, RMSSD and the share of artefacts through the day, with what is missing.

    Parameters
    ----------
    tachogram : Tachogram
    table : HrvTable
        Of windows that follow each other, say of five minutes, from `unaji.signals.indices.hrv_table`.
    start : datetime, optional
        What the person's clock shows at 0 s; without it hours are counted from there.
    nights_s : sequence of (begin, end), optional
        Nights on the tachogram's clock [s], which are shaded.
    axes : three Axes, optional
        From top to bottom; new ones if not given.

    Returns
    -------
    tuple of Axes
        The bands are of 95 %: 1.96 standard errors on either side.
    """
    top, middle, bottom = _stacked() if axes is None else axes
    middle_h, row = _grid(table)
    for ax, name, colour, title in (
        (top, "mean_hr_bpm", VERMILION, ("心拍数", "Heart rate [1/min]")),
        (middle, "rmssd_ms", BLUE, ("心拍のゆらぎ", "RMSSD [ms]")),
    ):
        _draw_band(ax, middle_h, table.columns[name].value[row], table.columns[name].standard_error[row], colour)
        _label(ax, None, title)
    artefacts = 100.0 * np.nan_to_num(table.columns["corrected_fraction"].value[row])
    bottom.bar(middle_h, artefacts, width=table.window_s / 3600.0, color=GREY)
    bottom.set_ylim(0.0, max(5.0, 1.1 * float(np.max(artefacts, initial=0.0))))
    _label(bottom, None, ("誤り", "Artefacts\n[%]"))
    for ax in (top, middle, bottom):
        _shade(ax, tachogram, nights_s)
        ax.grid(axis="both", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelbottom=ax is bottom)
    handles, labels = top.get_legend_handles_labels()
    top.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(labels), frameon=False,
        borderaxespad=0.0, prop=_font(size="small"),
    )  # fmt: skip
    _clock(bottom, tachogram, start)
    return top, middle, bottom


def _stacked() -> tuple[Axes, Axes, Axes]:
    from matplotlib.figure import Figure  # noqa: PLC0415  (an extra, and slow to load)

    top, middle, bottom = Figure(figsize=(7.2, 8.0), layout="constrained").subplots(
        3, sharex=True, height_ratios=(3, 3, 1.3)
    )
    return top, middle, bottom


def _grid(table: HrvTable) -> tuple[FloatArray, Any]:
    """Return the middle of every window from the first to the last [h], and its row in the table (−1: none is)."""
    if not len(table):
        return np.zeros(0), np.zeros(0, np.int64)
    number = np.rint((table.start_s - table.start_s[0]) / table.window_s).astype(np.int64)
    middle_h = (table.start_s[0] + table.window_s * (np.arange(number[-1] + 1) + 0.5)) / 3600.0
    middle_h[~np.isin(np.arange(middle_h.size), number)] = np.nan  # breaks the lines
    return middle_h, np.searchsorted(number, np.arange(middle_h.size))


def _draw_band(ax: Axes, middle_h: FloatArray, value: FloatArray, error: FloatArray, colour: str) -> None:
    value = np.where(np.isnan(middle_h), np.nan, value)
    low, high = value - NORMAL_95 * error, value + NORMAL_95 * error
    ax.fill_between(middle_h, low, high, color=colour, alpha=0.25, linewidth=0, label=_words("95%の幅", "95 % band"))
    ax.plot(middle_h, value, color=colour, linewidth=1.4)
    alone = ~np.isnan(value) & np.isnan(np.append(np.nan, value[:-1])) & np.isnan(np.append(value[1:], np.nan))
    ax.plot(middle_h[alone], value[alone], ".", color=colour, markersize=3)
    if np.isfinite(high).any():  # a few uncertain windows must not flatten the day
        least, most = float(np.nanpercentile(low, 1)), float(np.nanpercentile(high, 99))
        margin = 0.08 * (most - least) + 1.0
        ax.set_ylim(max(0.0, least - margin), most + margin)


def _shade(ax: Axes, tachogram: Tachogram, nights_s: Sequence[tuple[float, float]]) -> None:
    """Mark nights by a plain shade and what was not measured by hatching."""
    for k, (begin_s, end_s) in enumerate(nights_s):
        label = _words("夜", "night") if k == 0 else None
        ax.axvspan(begin_s / 3600.0, end_s / 3600.0, color="#E8E8F4", linewidth=0, zorder=0, label=label)
    for k, (begin_s, end_s) in enumerate(zip(*tachogram.holes(SHORTEST_HOLE_S), strict=True)):
        label = _words("測れていない", "not measured") if k == 0 else None
        ax.axvspan(
            begin_s / 3600.0, end_s / 3600.0, facecolor="0.95", edgecolor="0.75", hatch="////", linewidth=0, zorder=0,
            label=label,
        )  # fmt: skip


def _clock(ax: Axes, tachogram: Tachogram, start: datetime | None) -> None:
    """Put the person's hours on the axis, with the date at midnight; hours from the start where no clock is known."""
    first_h = float(tachogram.start_s[0]) / 3600.0 if len(tachogram) else 0.0
    last_h = max(float(tachogram.end_s[-1]) / 3600.0 if len(tachogram) else 0.0, first_h + 1e-3)
    ax.set_xlim(first_h, last_h)
    step_h = next(
        (step for up_to, step in TICKS_H if last_h - first_h <= up_to), 24.0 * np.ceil((last_h - first_h) / 288)
    )
    midnight_h = 0.0 if start is None else -(start - _midnight(start)).total_seconds() / 3600.0
    ticks_h = midnight_h + step_h * np.arange(
        np.ceil((first_h - midnight_h) / step_h), np.floor((last_h - midnight_h) / step_h) + 1
    )
    if start is None:
        ax.set_xticks(ticks_h, [f"{tick:g}" for tick in ticks_h])
        _label(ax, ("始まりからの時間", "Time since start [h]"), None)
        return
    times = [_midnight(start) + timedelta(hours=float(tick - midnight_h)) for tick in ticks_h]
    ax.set_xticks(ticks_h, [_tick(time, first=k == 0) for k, time in enumerate(times)])
    _label(ax, ("時刻", "Time of day [h:min]"), None)


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _tick(time: datetime, *, first: bool) -> str:
    """Say the hour, with the date below it at the first tick and at midnight."""
    return f"{time:%H:%M}\n{time.month}/{time.day}" if first or time.hour == 0 else f"{time:%H:%M}"


def _label(ax: Axes, x: tuple[str, str] | None, y: tuple[str, str] | None) -> None:
    """Name the axes in both languages."""
    if x is not None:
        ax.set_xlabel(_words(*x), fontproperties=_font())
    if y is not None:
        ax.set_ylabel(_words(*y), fontproperties=_font())


def _words(ja: str, en: str, between: str = " ") -> str:
    """Put both languages side by side; English alone where no Japanese letters can be drawn."""
    return f"{ja}{between}{en}" if japanese_font() is not None else en


@cache
def japanese_font() -> str | None:
    """Return the name of an installed font with Japanese letters; None where there is none."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415  (an extra, and slow to load)

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in JAPANESE_FONTS if name in installed), None)


def _font(size: str = "medium") -> Any:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415  (an extra, and slow to load)

    font = japanese_font()
    return FontProperties(family=["sans-serif"] if font is None else [font, "sans-serif"], size=size)


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415  (an extra, and slow to load)

    return Figure(layout="constrained").add_subplot()

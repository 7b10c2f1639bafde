"""Pictures of a simulated neck: outputs over time, one below the other, with what happened shaded. Nothing is computed.

Colours are those of the report: ink for what the model says, vermilion for felt heat and nothing else, grey bands for
what happened. A phone shows the whole width; type is 9 points or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unaji.body.state import MAIN, OUTPUTS, NeckState, Output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, INK2, HEAT, BAND, LINE, EVENT = "#1B2630", "#46545E", "#C8442A", "#E9EEF2", "#DDD8CE", "#5A6B78"
JAPANESE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Hiragino Kaku Gothic ProN", "BIZ UDPGothic", "Yu Gothic",
    "Meiryo", "IPAexGothic", "IPAGothic", "TakaoPGothic", "Source Han Sans JP",
)  # fmt: skip
WIDTH_IN, PANEL_IN, ROW_IN = 4.6, 1.3, 0.46
DENSE_S = 3 * 86_400.0
"""Beyond this length days stand close together and lines are drawn thinner."""

UNITS = ((3 * 3_600.0, 60.0, "分", "min"), (3 * 86_400.0, 3_600.0, "時間", "h"), (np.inf, 86_400.0, "日", "days"))


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in which something happened; a moment where start and end are the same."""

    start_s: float
    end_s: float
    ja: str
    en: str


def japanese_font() -> str | None:
    """Return the name of an installed font with Japanese characters, or None."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415  (an extra, and slow to load)

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in JAPANESE_FONTS if name in installed), None)


def plot_output(
    state: NeckState, name: str, *, ax: Axes | None = None, person: int = 0, bands: Sequence[Band] = ()
) -> Axes:
    """Draw one output of one person over time, with unit; `bands` are shaded."""
    from matplotlib import rc_context  # noqa: PLC0415  (an extra, and slow to load)

    with rc_context(_style()):
        ax = _axes(ax)
        scale, unit = _time_unit(state)
        shown, values = OUTPUTS[name], state[name][person]
        heat = name.startswith("felt_heat")
        for band in bands:
            _shade(ax, band, scale)
        ax.plot(state.time_s / scale, values, color=HEAT if heat else INK, zorder=3,
                linewidth=1.6 if state.time_s[-1] <= DENSE_S else 0.7)  # fmt: skip
        ax.set_ylim(*_limits(values, shown))
        ax.set_ylabel("" if shown.unit == "1" else f"[{shown.unit}]")
        ax.set_title(_words(shown.ja, shown.en), loc="left", color=INK)
        ax.set_xlabel(unit)
    return ax


def plot_course(
    state: NeckState,
    names: Sequence[str] = MAIN,
    *,
    person: int = 0,
    bands: Sequence[Band] = (),
    title: tuple[str, str] | None = None,
) -> Figure:
    """Draw several outputs of one person below each other on one time axis.

    Parameters
    ----------
    names : sequence of str
        Outputs from top to bottom.
    bands : sequence of Band
        What happened: named in a strip on top, one row for each name, and shaded through all panels.
    title : (str, str), optional
        In Japanese and English.
    """
    from matplotlib import rc_context  # noqa: PLC0415  (an extra, and slow to load)
    from matplotlib.figure import Figure  # noqa: PLC0415

    happened = list(dict.fromkeys((band.ja, band.en) for band in bands))
    heights = ([ROW_IN * len(happened)] if happened else []) + [PANEL_IN] * len(names)
    with rc_context(_style()):
        figure = Figure(figsize=(WIDTH_IN, sum(heights) + 0.9), layout="constrained")
        every = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        if happened:
            _strip(every[0], happened, bands, state)
        for ax, name in zip(every[-len(names) :], names, strict=True):
            plot_output(state, name, ax=ax, person=person, bands=bands)
            ax.label_outer()
        figure.align_ylabels()
        every[-1].set_xlim(0.0, state.time_s[-1] / _time_unit(state)[0])
        if title is not None:
            figure.suptitle(_words(*title, break_line=True), x=0.01, ha="left", color=INK, fontsize=11, weight="bold")
    return figure


def _strip(ax: Axes, happened: Sequence[tuple[str, str]], bands: Sequence[Band], state: NeckState) -> None:
    """Draw what happened: a row a name, its name above its bars."""
    scale, _ = _time_unit(state)
    for row, name in enumerate(happened):
        for band in bands:
            if (band.ja, band.en) == name:
                ax.plot([band.start_s / scale, band.end_s / scale], [row, row], color=EVENT, linewidth=5,
                        solid_capstyle="butt", marker="|" if band.start_s == band.end_s else "", markersize=9,
                        markeredgewidth=2.5)  # fmt: skip
        ax.annotate(_words(*name), (0.0, row - 0.2), xycoords=("axes fraction", "data"), color=INK2, va="bottom")
    ax.set_ylim(len(happened) - 0.6, -1.0)
    ax.set_axis_off()


def _shade(ax: Axes, band: Band, scale: float) -> None:
    if band.end_s > band.start_s:
        ax.axvspan(band.start_s / scale, band.end_s / scale, color=BAND, linewidth=0, zorder=0)
    else:
        ax.axvline(band.start_s / scale, color=EVENT, linewidth=1.0, linestyle=(0, (3, 2)), zorder=0)


def _limits(values: np.ndarray[tuple[int], np.dtype[np.float64]], shown: Output) -> tuple[float, float]:
    """Span what there is and at least what matters, so that a flat line looks flat; 0 to 10 for what is rated."""
    if shown.unit == "0–10":
        return -0.3, 10.3
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, shown.least_span
    middle, span = (finite.max() + finite.min()) / 2, max(1.15 * (finite.max() - finite.min()), shown.least_span)
    return float(middle - span / 2), float(middle + span / 2)


def _time_unit(state: NeckState) -> tuple[float, str]:
    scale, ja, en = next((s, ja, en) for up_to_s, s, ja, en in UNITS if state.time_s[-1] <= up_to_s)
    return scale, f"[{en}]" if japanese_font() is None else f"はじめから [{ja} · {en}]"


def _words(ja: str, en: str, *, break_line: bool = False) -> str:
    return en if japanese_font() is None else f"{ja}{chr(10) if break_line else ' · '}{en}"


def _style() -> Any:
    font = japanese_font()
    return {
        "font.family": [font, "sans-serif"] if font else ["sans-serif"],
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9,
        "axes.edgecolor": INK2,
        "axes.labelcolor": INK2,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "xtick.color": INK2,
        "ytick.color": INK2,
        "axes.axisbelow": True,
    }


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415  (an extra, and slow to load)

    return Figure(figsize=(WIDTH_IN, 2.2), layout="constrained").add_subplot()

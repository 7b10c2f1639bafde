"""How much the person moved, and how warm the skin was, in each step of the grid."""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import Series, TimeArray, Timeline
from unaji.signals.grid import Gridded, mean_on_grid

WORN_LOW_C, WORN_HIGH_C = 25.0, 42.0
"""Skin temperature of a sensor that is worn: from a cold wrist outdoors to a nape in hot water [°C].

Laid aside in a warm room a sensor can read the same; what is outside is surely not skin, or not yet in balance with it.
"""

NAPE_SITES = ("nape", "neck")


def activity_series(timeline: Timeline) -> Series | None:
    """Return the record of movement: acceleration beyond gravity, else steps; None when there is neither."""
    return timeline.of("activity_mg") or timeline.of("steps")


def activity_unit(series: Series | None) -> str:
    """Return the unit of `activity_on_grid`: "mg" or "steps/min"."""
    return "steps/min" if series is not None and series.quantity == "steps" else "mg"


def activity_on_grid(series: Series, grid: TimeArray, step_s: float) -> Gridded:
    """Average movement over the steps of a grid: [mg] for acceleration, steps a minute for steps.

    Step counters that write nothing while nobody walks leave NaN there: whether the counter was carried is not known.
    """
    return mean_on_grid(series, grid, step_s)


def skin_temp_series(timeline: Timeline) -> Series | None:
    """Return the skin temperature to use: nape first, else wrist, else any other site but a finger.

    One series for the whole record: places differ by several kelvin, so a switch would look like a change.
    """
    return (
        timeline.of("neck_skin_temp_c")
        or timeline.of("skin_temp_c", *NAPE_SITES)
        or timeline.of("skin_temp_c", "wrist")
        or timeline.of("skin_temp_c")
    )


def skin_temp_on_grid(series: Series, grid: TimeArray, step_s: float) -> Gridded:
    """Average skin temperature [°C] over the steps of a grid.

    Readings outside `WORN_LOW_C` to `WORN_HIGH_C` do not count: they lower the coverage, which is the quality.
    """
    worn = (series.value >= WORN_LOW_C) & (series.value <= WORN_HIGH_C)
    return mean_on_grid(series, grid, step_s, valid=np.asarray(worn))

"""How much the person moved, and how warm the skin was, in each step of the grid."""

from __future__ import annotations

from unaji.records.timeline import Series, TimeArray, Timeline
from unaji.signals.grid import Gridded, mean_on_grid
from unaji.signals.wear import worn

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

    Readings of a sensor that was not on the skin (`unaji.signals.wear.worn`) do not count: they lower the coverage,
    which is the quality.
    """
    return mean_on_grid(series, grid, step_s, valid=worn(series.time, series.value))

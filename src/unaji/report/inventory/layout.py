"""Which streams stand together, in which order, and how a strip of days is filled: the same for page and terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unaji.records.batch import Kind
from unaji.records.inventory import Inventory, Stream
from unaji.records.timeline import FloatArray

AROUND = (
    "air_temp_c", "rel_humidity_pct", "dew_point_c", "station_pressure_hpa", "sea_level_pressure_hpa", "wind_m_s",
    "solar_w_m2", "precip_mm", "sunshine_min", "sound_db",
)  # fmt: skip
MEASURED = (Kind.SERIES, Kind.INTERVAL, Kind.BEATS, Kind.SLEEP, Kind.WORKOUT)
GROUPS = ("body", "around", "diary")


@dataclass(frozen=True, eq=False, slots=True)
class Strip:
    """One stream, and how full each cell of it is.

    Attributes
    ----------
    filled : ndarray, shape (n_cells,)
        0 to 1: the share of the time that is covered, or of the days that have a row.
    """

    stream: Stream
    filled: FloatArray


def group_of(stream: Stream) -> str:
    """Return which of `GROUPS` a stream belongs to."""
    if stream.name.kind not in MEASURED:
        return "diary"
    return "around" if stream.name.quantity in AROUND else "body"


def days_a_cell(inventory: Inventory, most_cells: int) -> int:
    """Return how many days share a cell, so that there are not more cells than can be seen."""
    return max(1, math.ceil(inventory.dates.size / most_cells))


def strips(inventory: Inventory, group: str, days: int) -> list[Strip]:
    """Return the strips of a group, those with the most days first."""
    streams = [stream for stream in inventory.streams if group_of(stream) == group]
    starts = np.arange(0, inventory.dates.size, days)
    in_cell = np.add.reduceat(np.ones(inventory.dates.size), starts)
    made = []
    for stream in sorted(streams, key=lambda one: (-one.days, -one.rows, one.name.quantity, one.name.number)):
        if stream.covered_min is None:
            a_day = (stream.rows_a_day > 0).astype(float)
        else:
            a_day = stream.covered_min / inventory.day_min
        made.append(Strip(stream, np.clip(np.add.reduceat(a_day, starts) / in_cell, 0, 1)))
    return made

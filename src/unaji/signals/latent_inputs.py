"""What moves the signals of heart and skin without being what is looked for: movement, posture, warmth, hour, sleep.

The inputs stand in fixed units and in a fixed order, so that what was learnt of their effects in one record can be
taken to the next.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np

from unaji.records.timeline import FloatArray
from unaji.signals.adjust import day_waves, lagged
from unaji.signals.minutes import Minutes

MOVEMENT_LAGS = ((0,), (1, 2), (3, 4, 5), (6, 7, 8, 9, 10))
"""Minutes ago over which movement is averaged; each group has an effect of its own."""

LONGEST_LAG_MIN = 10

MOVEMENT_UNIT, AIR_UNIT_K, SKIN_UNIT_K = 10.0, 10.0, 5.0
"""What counts as one unit of an input: the root of 100 mg (or of 100 steps a minute), 10 K of air, 5 K of skin."""

LEVEL_SD = 3.0
"""Prior standard deviation of a signal's level about its usual, in units of its spread."""


class Input(Enum):
    """What the signals are adjusted for."""

    MOVEMENT = "movement"
    POSTURE = "posture"
    WARMTH = "warmth"
    TIME_OF_DAY = "time of day"
    SLEEP = "sleep"


EVERY_INPUT = frozenset(Input)


class Column(NamedTuple):
    """One column of the inputs, with the prior standard deviation of its effect; the level belongs to no input."""

    name: str
    belongs_to: Input | None
    prior_sd: float


COLUMNS = (
    Column("level", None, LEVEL_SD),
    *(Column(f"moved {lags[0]} to {lags[-1]} min ago", Input.MOVEMENT, 1.0) for lags in MOVEMENT_LAGS),
    Column("movement unknown", Input.MOVEMENT, 1.0),
    Column("posture", Input.POSTURE, 1.0),
    Column("posture unknown", Input.POSTURE, 1.0),
    Column("air", Input.WARMTH, 1.0),
    Column("air unknown", Input.WARMTH, 1.0),
    Column("skin", Input.WARMTH, 1.0),
    Column("skin unknown", Input.WARMTH, 1.0),
    *(Column(f"day wave {k}", Input.TIME_OF_DAY, 0.5) for k in range(4)),
    Column("asleep", Input.SLEEP, 1.0),
    Column("sleep unknown", Input.SLEEP, 1.0),
)
"""Where an input is unknown it stands at its centre, and a column of its own says so."""

OF_SKIN_CONDUCTANCE_ONLY = ("skin", "skin unknown")


class Centre(NamedTuple):
    """Where the inputs stand where they are unknown, in their units; the default is a usual person's.

    Attributes
    ----------
    movement : tuple of float
        By group of `MOVEMENT_LAGS`.
    posture, air, skin, asleep : float
        Sine of the trunk's angle, air and skin temperature, and share of time asleep.
    """

    movement: tuple[float, ...] = (0.3,) * len(MOVEMENT_LAGS)
    posture: float = 0.5
    air: float = 22.0 / AIR_UNIT_K
    skin: float = 33.0 / SKIN_UNIT_K
    asleep: float = 0.0


def columns_for(channel: str, adjust_for: frozenset[Input] = EVERY_INPUT) -> list[int]:
    """Return which of `COLUMNS` may move a signal."""
    conducts = channel in ("tonic", "drive")
    return [
        k
        for k, column in enumerate(COLUMNS)
        if (column.belongs_to is None or column.belongs_to in adjust_for)
        and (conducts or column.name not in OF_SKIN_CONDUCTANCE_ONLY)
    ]


def prior_sd_of(columns: list[int]) -> FloatArray:
    """Return the prior standard deviations of these columns' effects."""
    return np.array([COLUMNS[k].prior_sd for k in columns])


def centre_of(minutes: Minutes) -> Centre:
    """Return the means of the inputs where they are known; a usual person's where they never are."""
    usual = Centre()
    groups = _moved(minutes.movement, minutes.time.size)
    return Centre(
        tuple(_mean(x, otherwise) for x, otherwise in zip(groups, usual.movement, strict=True)),
        *(_mean(x, otherwise) for x, otherwise in zip(_others(minutes), usual[1:], strict=True)),
    )


def inputs_of(minutes: Minutes, centre: Centre) -> FloatArray:
    """Return the inputs of each minute, shape (n, len(COLUMNS)), about their centre."""
    n = minutes.time.size
    moved = _moved(minutes.movement, n)
    columns = [np.ones(n)]
    columns += [_filled(x, at) for x, at in zip(moved, centre.movement, strict=True)]
    columns.append(_unknown(moved[0]))
    others = [(_filled(x, at), _unknown(x)) for x, at in zip(_others(minutes), centre[1:], strict=True)]
    for pair in others[:-1]:
        columns += pair
    columns += [*day_waves(minutes.local_hour), *others[-1]]
    return np.column_stack(columns)


def _others(minutes: Minutes) -> list[FloatArray]:
    n = minutes.time.size
    return [
        np.sin(np.radians(_finite(minutes.posture_deg, n))),
        _finite(minutes.air_temp_c, n) / AIR_UNIT_K,
        _finite(minutes.skin_temp_c, n) / SKIN_UNIT_K,
        _finite(minutes.asleep, n),
    ]


def _moved(movement: FloatArray | None, n: int) -> list[FloatArray]:
    """Return movement now and up to 10 minutes ago: its root, as heart rate rises ever more slowly with it."""
    root = np.sqrt(np.maximum(_finite(movement, n), 0.0)) / MOVEMENT_UNIT
    groups = []
    for lags in MOVEMENT_LAGS:
        total, count = np.zeros(n), np.zeros(n)
        for lag in lags:
            past = lagged(root, lag)
            known = np.isfinite(past)
            total += np.where(known, past, 0.0)
            count += known
        groups.append(np.divide(total, count, out=np.full(n, np.nan), where=count > 0))
    return groups


def _finite(x: FloatArray | None, n: int) -> FloatArray:
    return np.full(n, np.nan) if x is None else np.where(np.isfinite(x), x, np.nan)


def _mean(x: FloatArray, otherwise: float) -> float:
    known = np.isfinite(x)
    return float(x[known].mean()) if known.any() else otherwise


def _filled(x: FloatArray, centre: float) -> FloatArray:
    return np.where(np.isfinite(x), x - centre, 0.0)


def _unknown(x: FloatArray) -> FloatArray:
    return np.where(np.isfinite(x), 0.0, 1.0)

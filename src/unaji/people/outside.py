"""What of a simulated life lies outside the engine's dictionary: lags, drivers, sensor noise, missing values.

The engine knows Gamma lags inside a plausible range, exposures that act in proportion to their excess, and gaps that
do not depend on what is measured. How it does where none of that holds is asked with persons drawn from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from scipy.special import ndtri

from unaji.records.timeline import FloatArray

HEAVY_DF = 2.0
"""Degrees of freedom of the Student distribution of heavy-tailed noise: its variance is infinite."""
T2_QUARTILE = 0.816497
"""Upper quartile of Student's distribution with two degrees of freedom, √(2/3)."""
OUT_OF_RANGE = (1.5, 3.0)
"""Factor by which a mean lag lies above the plausible range, or below it."""


class LagLaw(StrEnum):
    """How the lag from exposure to episode is distributed."""

    GAMMA = "gamma"
    LOGNORMAL = "lognormal"  # log standard deviation 1
    UNIFORM = "uniform"  # nothing before half the mean, nothing after one and a half


class Driver(StrEnum):
    """How an exposure acts before its lag."""

    EXCESS = "excess"  # in proportion to what exceeds a quantile; doses in proportion to their amount
    SATURATING = "saturating"  # x / (x + s): half of the effect at half a standard deviation, or at the usual dose
    U_SHAPED = "u_shaped"  # low values act as well as high ones


@dataclass(frozen=True, slots=True)
class Outside:
    """Which of a person's properties lie outside the dictionary."""

    lags: bool = True
    drivers: bool = True
    noise: bool = True
    missing: bool = True


def draw_lag(rng: Generator, mean_min: float, lag_min: tuple[float, float]) -> tuple[LagLaw, float]:
    """Draw a law of the lag and its mean [min]: log-normal, uniform, or Gamma beyond the plausible range."""
    kind = rng.integers(3)
    if kind < 2:
        return (LagLaw.LOGNORMAL, LagLaw.UNIFORM)[kind], mean_min
    factor = rng.uniform(*OUT_OF_RANGE)
    return LagLaw.GAMMA, lag_min[1] * factor if rng.random() < 0.5 else lag_min[0] / factor


def draw_driver(rng: Generator, kind: str) -> Driver:
    """Draw how an exposure acts; a dose cannot be too small, so it saturates."""
    u_shaped = rng.random() < 0.5
    return Driver.U_SHAPED if u_shaped and kind == "level" else Driver.SATURATING


def saturating(amount: FloatArray, half: float) -> FloatArray:
    """Return x / (x + half): ½ at `half`, never above 1."""
    return np.asarray(amount / (amount + half), dtype=float)


def u_shaped(level: FloatArray, middle: float, sd: float) -> FloatArray:
    """Return how far a level lies from `middle`, beyond half a standard deviation, to either side."""
    return np.asarray(np.maximum(np.abs(level - middle) - sd / 2, 0.0), dtype=float)


def heavy_noise(rng: Generator, size: int) -> FloatArray:
    """Draw noise with Student's two degrees of freedom, scaled to the quartiles of the standard normal."""
    return np.asarray(rng.standard_t(HEAVY_DF, size) * ndtri(0.75) / T2_QUARTILE, dtype=float)


def pull(level: FloatArray) -> FloatArray:
    """Return how much likelier than at its mean a gap is to begin at each value: e per standard deviation."""
    sd = level.std()
    return np.asarray(np.exp((level - level.mean()) / sd) if sd > 0 else np.ones(level.size), dtype=float)

"""A number over many persons: its middle, and between which values nine in ten of them lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.records.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over the persons: median, 5th and 95th percentile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, value: FloatArray) -> Spread:
        """Take it of one value a person."""
        low, median, high = (float(one) for one in np.percentile(value, (5.0, 50.0, 95.0)))
        return cls(median, low, high)

"""One number, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """A result with its unit, what it was made from, how far it can be trusted, or the reason why it is missing.

    Attributes
    ----------
    value : float or None
        The number, always finite; None where it cannot be given.
    unit : str
        Unit of `value` ("ms", "ms²", "1/min"; "1" for pure numbers).
    n : int
        How many observations it was made from (intervals, differences, samples: what the quantity counts).
    quality : float or None
        0 (worthless) to 1 (nothing wrong was seen); None where nobody judged it.
    reason : str
        Why there is no value, or why one should be read with care; empty otherwise.
    standard_error : float or None
        Uncertainty of `value` in the same unit; None where there is no value or none was worked out.
    """

    value: float | None
    unit: str
    n: int
    quality: float | None = None
    reason: str = ""
    standard_error: float | None = None

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a value must be finite or None with a reason, got {self.value}")
        if self.value is None and not self.reason:
            raise ValueError("a missing value needs a reason")
        if self.quality is not None and not 0.0 <= self.quality <= 1.0:
            raise ValueError(f"quality must be between 0 and 1, got {self.quality}")
        if self.standard_error is not None and not 0.0 <= self.standard_error < math.inf:
            raise ValueError(f"standard_error must be finite and not below 0, or None, got {self.standard_error}")

    @classmethod
    def missing(cls, unit: str, n: int, reason: str) -> Value:
        """Give a result that could not be computed."""
        return cls(None, unit, n, 0.0, reason)

    @classmethod
    def of(
        cls, value: float, unit: str, n: int, quality: float | None = None, *, reason: str = "", otherwise: str = ""
    ) -> Value:
        """Give a number as a result; one that is not finite becomes a missing result for the reason `otherwise`."""
        if math.isfinite(value):
            return cls(float(value), unit, int(n), quality, reason)
        return cls.missing(unit, int(n), otherwise or reason or "it is not defined for these data")

    def __float__(self) -> float:
        """Give the number; NaN where there is none."""
        return float("nan") if self.value is None else self.value

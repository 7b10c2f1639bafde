"""How precisely may a number be said? Counts in tens, whole percents, lags in quarters of an hour; no language here.

The rules are those of the report's design: a number is never shown finer than the records allow, and an interval is
always rounded outwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unaji.causes.attribution import Estimate

NOISE_DIGITS = 6
"""Digits kept before rounding outwards, so that 10 × 0.7 = 7.000000000000001 is not taken for more than 7."""


def half_up(value: float) -> int:
    """Round to the nearest whole number, halves upwards (Python's `round` sends 2.5 to 2)."""
    return math.floor(value + 0.5)


@dataclass(frozen=True, slots=True)
class Tens:
    """A share said as "of ten episodes".

    Attributes
    ----------
    count : int
        Nearest whole number; 0 is said as "fewer than one".
    low, high : int
        Ends of the 90 % interval, rounded outwards, 0 to 10.
    """

    count: int
    low: int
    high: int


def tens(share: Estimate) -> Tens | None:
    """Give a share as so many of ten; None where the share is not known (NaN)."""
    if not all(math.isfinite(value) for value in (share.mean, share.p5, share.p95)):
        return None
    low = math.floor(round(10 * share.p5, NOISE_DIGITS))
    high = math.ceil(round(10 * share.p95, NOISE_DIGITS))
    return Tens(min(10, half_up(10 * share.mean)), min(10, max(0, low)), min(10, max(0, high)))


def percent_up(share: float) -> int:
    """Give an upper bound in whole percent, rounded upwards, 0 to 100."""
    return min(100, max(0, math.ceil(round(100 * share, NOISE_DIGITS))))


def change_percent(ratio: float) -> int:
    """Give a ratio as a change in whole percent: 0.53 is −47."""
    return half_up(100 * (ratio - 1))


def lag_minutes(lag_h: float) -> int:
    """Round a lag to 15 minutes below two hours (never to nothing), to whole hours from there on [min]."""
    if lag_h < 2:
        return max(15, 15 * half_up(lag_h * 4))
    return 60 * half_up(lag_h)


def largest_remainder(shares: Sequence[float], total: int = 10) -> tuple[int, ...]:
    """Deal `total` squares out in proportion to `shares`, the sum always being `total`.

    Hamilton's method: whole parts first, then one each to the largest remainders, earlier ones first on a tie.

    Raises
    ------
    ValueError
        When a share is negative or not finite, or when all are 0.
    """
    whole = math.fsum(shares)
    if any(not math.isfinite(share) or share < 0 for share in shares) or whole <= 0:
        raise ValueError(f"shares must be finite, at least 0 and not all 0, got {list(shares)}")
    quotas = [round(total * share / whole, NOISE_DIGITS) for share in shares]
    squares = [math.floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda i: (squares[i] - quotas[i], i))
    for i in by_remainder[: total - sum(squares)]:
        squares[i] += 1
    return tuple(squares)

"""How a number over many people is said: its middle with one decimal, its range rounded outwards, none as none."""

from __future__ import annotations

import math

from unaji.body.spread import Spread
from unaji.report.rounding import NOISE_DIGITS
from unaji.report.words import Catalogue, plain, signed

LEAST_CHANGE = 0.05
"""What rounds to nothing is nothing: of a temperature [K], of a ratio from 1, of felt heat."""


def is_nothing(change: Spread) -> bool:
    """Say whether a change is none for nine in ten."""
    return max(abs(change.low), abs(change.high)) < LEAST_CHANGE


def is_the_same(ratio: Spread) -> bool:
    """Say whether a ratio is that of nothing changed."""
    return is_nothing(Spread(ratio.median - 1, ratio.low - 1, ratio.high - 1))


def outwards(spread: Spread) -> tuple[float, float]:
    """Round a range to tenths, outwards, but for an end that rounds to nothing."""

    def end(value: float, towards: int) -> float:
        if abs(value) < LEAST_CHANGE:
            return 0.0
        tenths = round(10 * value, NOISE_DIGITS)
        return (math.ceil(tenths) if towards > 0 else math.floor(tenths)) / 10

    return end(spread.low, -1), end(spread.high, 1)


def say_range(spread: Spread, words: Catalogue) -> str:
    """Say a range: "1.2〜2.9", or one number where both ends are the same."""
    low, high = map(plain, outwards(spread))
    return low if low == high else words("range", low=low, high=high)


def say_change(change: Spread, words: Catalogue) -> str:
    """Say the range of a change of temperature: "+0.9〜+1.8℃"; "" where there is none."""
    if is_nothing(change):
        return ""
    low, high = (signed(end, 1) for end in outwards(change))
    return words("what_if.kelvin", n=low if low == high else words("range", low=low, high=high))

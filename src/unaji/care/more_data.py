"""How much more has to be logged before a question can be settled?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MoreData:
    """How many more episodes, and weeks at this person's rate, a cause would need.

    Attributes
    ----------
    episodes_low, episodes_mid, episodes_high : float
        20, 50 and 80 % points of the further episodes needed.
    weeks_low, weeks_mid, weeks_high : float
        The same in weeks.
    settles : bool
        False when the median is over a year: more logging alone will not settle this.
    """

    id: str
    episodes_low: float
    episodes_mid: float
    episodes_high: float
    weeks_low: float
    weeks_mid: float
    weeks_high: float
    settles: bool

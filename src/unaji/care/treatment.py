"""Did the treatment help? The adjusted effect beside the crude one."""

from __future__ import annotations

from dataclasses import dataclass

from unaji.causes.attribution import Estimate


@dataclass(frozen=True, slots=True)
class TreatmentEffect:
    """What the sessions changed, the exposures being the same.

    Attributes
    ----------
    ratio : Estimate
        Episodes with the sessions over episodes without them; below 1 is better.
    p_better, p_worse : float
        Probability that they helped, and that they harmed.
    before_after_ratio : float
        Crude rate after the first session over the rate before it; NaN when there is no time before it.
    sessions : int
        Sessions inside the period.
    after_worst_fortnight : bool
        True when the first session fell within or right after the worst two weeks: part of any improvement is then
        regression to the mean.
    """

    kind: str
    ratio: Estimate
    p_better: float
    p_worse: float
    before_after_ratio: float
    sessions: int
    after_worst_fortnight: bool

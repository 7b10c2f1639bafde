"""What may be said of a cause, in one word."""

from __future__ import annotations

from unaji.causes.attribution import FEW_EPISODES, CauseResult, SignalState, Verdict

P_CAUSE, P_LIKELY, P_OPEN = 0.9, 0.7, 0.1
MAX_SHIFT_P = 0.05
UNLIKELY_BOUND = 0.15
""" "Unlikely" is only ever said when the 95 % bound of the share is below this: people act on it."""
FEWEST_BY_CHANCE = 2.0
"""Of so seldom an exposure that fewer episodes than this would fall to it by chance, not even a doubled risk shows."""
SATURATED = 0.8
"""From this share of observed time close to an onset there is hardly any time without episode to compare with."""
DAYS_FOR_CAUSE, DAYS_FOR_LIKELY = 4, 3


def verdict_of(
    result: CauseResult, *, n_episodes: int, distinct_days: int, near_onset: float = 0.0, placebo_best: float = 0.0
) -> Verdict:
    """Return the verdict word for one cause.

    Parameters
    ----------
    result : CauseResult
        Its own verdict is not read.
    near_onset : float
        Share of observed time within a quarter of an hour of an onset; from 0.8 on nothing can be compared.
    placebo_best : float
        What the best of the placebo exposures reached: a named cause that does not stand above it drops one word.
    n_episodes, distinct_days : int
        Fitted episodes, and local days with at least one of them: with fewer than five episodes nothing is said beyond
        "open"; "cause" needs four days and "likely" three, since a single bad day proves nothing.
    """
    if result.signal is not SignalState.OK or n_episodes == 0 or near_onset >= SATURATED:
        return Verdict.CANNOT_TELL
    if result.p_cause < P_OPEN:
        seldom = n_episodes * result.exposed_share < FEWEST_BY_CHANCE
        bounded = n_episodes >= FEW_EPISODES and result.share.p95 < UNLIKELY_BOUND and not seldom
        return Verdict.UNLIKELY if bounded else Verdict.CANNOT_TELL
    if n_episodes < FEW_EPISODES or result.p_cause < P_LIKELY or distinct_days < DAYS_FOR_LIKELY:
        return Verdict.OPEN
    sure = result.p_cause >= P_CAUSE and result.shift_p <= MAX_SHIFT_P and distinct_days >= DAYS_FOR_CAUSE
    if placebo_best >= result.p_cause:
        return Verdict.LIKELY if sure else Verdict.OPEN
    return Verdict.CAUSE if sure else Verdict.LIKELY

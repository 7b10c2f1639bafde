"""How much more has to be logged before a question can be settled?

What decides is contrast, not only the count. If a cause is "on" for a fraction q of observed time and sets off a share
s of the episodes, each episode carries about KL(Bernoulli(q + s(1 − q)) ‖ Bernoulli(q)) nats. From a prior of 0.15 to
a probability of 0.9 takes ln(0.9/0.1) − ln(0.15/0.85) = 3.9 nats, and the search over lags costs about 2 more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.causes.attribution import Attribution, CauseResult, SignalState, Verdict
from unaji.causes.design import Design
from unaji.causes.sampler import TRIGGER_SHAPE, TRIGGER_SHARE
from unaji.causes.verdicts import SATURATED
from unaji.records.timeline import FloatArray

NATS_TO_SETTLE = 3.9 + 2.0
P_TO_TRUST_POSTERIOR = 0.3
"""Below this the share is drawn from the prior: the posterior then is mostly the point mass at nothing."""
N_DRAWS = 400


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


def more_data(design: Design, attribution: Attribution, *, seed: int) -> tuple[MoreData, ...]:
    """Say how much more to log for every cause that is not settled yet.

    Empty without episodes, and where hardly any time is free of them: more of the same would not help.
    """
    weeks = design.grid.observed.any() and design.grid.n_days * _observed_share(design) / 7
    saturated = float(attribution.checks.get("near_onset_share") or 0) >= SATURATED
    if not attribution.fitted or not weeks or saturated:
        return ()
    rng = np.random.default_rng(seed)
    per_week = attribution.n_episodes / weeks
    return tuple(
        _needed(cause, attribution.cause_draws[:, k], attribution.n_episodes, per_week, rng)
        for k, cause in enumerate(attribution.causes)
        if cause.signal is SignalState.OK
        and cause.verdict in (Verdict.OPEN, Verdict.CANNOT_TELL)
        and not cause.told_apart
    )


def nats_per_episode(exposed: FloatArray, share: FloatArray) -> FloatArray:
    """Information an episode carries about a cause that is on for `exposed` of the time and causes `share` of them.

    Examples
    --------
    >>> round(float(NATS_TO_SETTLE / nats_per_episode(np.array(0.10), np.array(0.35))))
    18
    """
    p = exposed + share * (1 - exposed)
    return np.asarray(p * np.log(p / exposed) + (1 - p) * np.log((1 - p) / (1 - exposed)))


def _observed_share(design: Design) -> float:
    """Share of local days of which anything was observed."""
    return float(np.unique(design.grid.day[design.grid.observed]).size / design.grid.n_days)


def _needed(cause: CauseResult, explained: FloatArray, n: int, per_week: float, rng: np.random.Generator) -> MoreData:
    at_work = explained[explained > 0]
    if cause.p_cause >= P_TO_TRUST_POSTERIOR and at_work.size:
        share = rng.choice(at_work, N_DRAWS) / n
    else:
        share = rng.gamma(TRIGGER_SHAPE, TRIGGER_SHARE / TRIGGER_SHAPE, N_DRAWS)
    exposed = np.clip(cause.exposed_share, 0.01, 0.95)
    per_episode = nats_per_episode(np.full(N_DRAWS, exposed), np.clip(share, 0.01, 0.95))
    low, mid, high = np.quantile(np.maximum(0.0, NATS_TO_SETTLE / per_episode - n), [0.2, 0.5, 0.8])
    return MoreData(
        cause.id, float(low), float(mid), float(high),
        float(low / per_week), float(mid / per_week), float(high / per_week),
        settles=bool(mid / per_week <= 52),
    )  # fmt: skip

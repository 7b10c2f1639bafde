"""What the engine found for one person: the result types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray

if TYPE_CHECKING:
    from unaji.causes.posterior import Posterior

FEW_EPISODES = 5
"""With fewer, no cause is said beyond "open" and none is named for an episode."""


LEAST_BACKWARDS = 0.9
"""From this probability an exposure turned round in time is mentioned. Exposures that last for days explain what was
before them almost as well as what comes after: below it, most that would be flagged are true causes (simulated)."""


class Verdict(StrEnum):
    """What may be said of a cause; the rules are in `unaji.causes.verdicts`."""

    CAUSE = "cause"
    LIKELY = "likely"
    OPEN = "open"
    UNLIKELY = "unlikely"
    CANNOT_TELL = "cannot_tell"


class SignalState(StrEnum):
    """Whether an exposure could take part in the fit."""

    OK = "ok"
    INSUFFICIENT = "insufficient"  # more than half of the observed time had to be filled, or nothing was recorded
    NO_CONTRAST = "no_contrast"  # constant over observed time, or fewer than four doses


@dataclass(frozen=True, slots=True)
class Estimate:
    """A posterior summarised: mean and the ends of the 90 % interval."""

    mean: float
    p5: float
    p95: float


@dataclass(frozen=True, slots=True)
class CauseResult:
    """One candidate cause.

    Attributes
    ----------
    p_cause : float
        Posterior probability that it is a cause for this person at all; NaN when it could not be fitted.
    p_cause_mcse : float
        Monte-Carlo standard error of `p_cause`.
    episodes_explained, share : Estimate
        Episodes it set off, and that over all fitted episodes; zero where it is no cause.
    avoidable, avoidable_half : Estimate
        Episodes that would not have happened without it, and with half of it, echoes included.
    rate_ratio : Estimate or None
        Rate at the person's 95 % quantile of exposure over the background rate; None while p_cause < 0.5.
    lag_h : Estimate or None
        Mean lag [h], given that it is a cause.
    driver : {"any", "extreme"}
        Whether any exposure counts or only the extremes (above the 80 % quantile).
    p_backwards : float
        What `p_cause` would be if exposures acted on the episodes before them; NaN when it was not fitted.
    filled_share : float
        Share of observed time in which the signal was missing and filled.
    alias_of : str or None
        Id of the identical exposure it was merged with, if any.
    told_apart : bool
        True when it was answered before the fit (fever), which then gives no verdict on it.
    exposed_share : float
        Share of observed time in which the lagged exposure stands above its mean; NaN when it was not fitted.
    share_if_cause : Estimate or None
        Its share of the fitted episodes, given that it is a cause: to be read beside `p_cause`. The interval of `share`
        is nothing at all from p_cause < 0.05 downwards, which is right of most such exposures and wrong of the few
        causes among them. None when it was not fitted, or is at work in too few draws to say.
    entry_p : tuple of float
        Posterior probability that it is a cause by each entry (drivers × mean lags, driver-major); sums to `p_cause`.
        Empty when it was not fitted.
    """

    id: str
    signal: SignalState
    verdict: Verdict
    p_cause: float
    p_cause_mcse: float
    episodes_explained: Estimate
    share: Estimate
    avoidable: Estimate
    avoidable_half: Estimate
    rate_ratio: Estimate | None
    lag_h: Estimate | None
    driver: str
    shift_p: float
    p_backwards: float
    filled_share: float
    alias_of: str | None = None
    told_apart: bool = False
    exposed_share: float = float("nan")
    entry_p: tuple[float, ...] = ()
    share_if_cause: Estimate | None = None

    @property
    def may_be_companion(self) -> bool:
        """Does it explain the episodes before it better than those after it? Then it may follow from them."""
        return self.p_backwards > max(self.p_cause, LEAST_BACKWARDS)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two causes that cannot be told apart but one of which is at work."""

    ids: tuple[str, str]
    p_either: float
    correlation: float


@dataclass(frozen=True, eq=False, slots=True)
class EpisodeSources:
    """For each fitted episode, the probability of each source.

    Attributes
    ----------
    onset : tuple of datetime
        Logged onsets that were fitted, UTC, ascending.
    sources : tuple of str
        Column names: cause ids, then "background", "echo".
    p : ndarray, shape (n_episodes, n_sources)
        Rows sum to 1.
    mcse : ndarray, shape (n_episodes, n_sources)
        Monte-Carlo standard errors of `p`.
    """

    onset: tuple[datetime, ...]
    sources: tuple[str, ...]
    p: FloatArray
    mcse: FloatArray

    def named(self, i: int) -> tuple[str, ...]:
        """Return the causes that may be named for episode i: one at ≥ 0.6, two at ≥ 0.8 together, else none.

        Nothing is named of fewer than five episodes.
        """
        if len(self.onset) < FEW_EPISODES:
            return ()  # with so few, the probabilities are mostly the prior's
        row = self.p[i]
        order = [j for j in np.argsort(-row, kind="stable") if self.sources[j] not in ("background", "echo")]
        if order and row[order[0]] >= 0.6:
            return (self.sources[order[0]],)
        if len(order) > 1 and row[order[0]] + row[order[1]] >= 0.8:
            return (self.sources[order[0]], self.sources[order[1]])
        return ()


@dataclass(frozen=True, eq=False, slots=True)
class TreatmentDraws:
    """Posterior draws of the log rate reduction at full dose and of the half-life class, for `care` to summarise.

    Attributes
    ----------
    delta : ndarray, shape (n_draws,)
        Log reduction at full dose; negative is worse.
    tau_index : ndarray of int, shape (n_draws,)
        Index into `tau_d` [days].
    dose : ndarray, shape (len(tau_d), n_days)
        Mean treatment dose of each observed day.
    """

    kind: str
    delta: FloatArray
    tau_index: NDArray[np.int64]
    tau_d: tuple[float, ...]
    dose: FloatArray


@dataclass(frozen=True, slots=True)
class ProtectorResult:
    """What an exposure did that may protect.

    Attributes
    ----------
    ratio : Estimate or None
        Episodes on days with much of it over those on days with little, all else the same; below 1 it protects. None
        where it was not fitted.
    p_protects, p_harms : float
        Probability that it lowers the rate, and that it raises it; the rest is that it does nothing.
    """

    id: str
    signal: SignalState
    ratio: Estimate | None = None
    p_protects: float = float("nan")
    p_harms: float = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """What the engine found.

    Attributes
    ----------
    fitted : bool
        False when there was no episode to fit.
    rate_upper_per_week : float or None
        Upper 95 % bound of the rate when no episode was logged.
    background, echo : Estimate
        Their shares of the fitted episodes.
    merged : int
        Episodes logged within 15 minutes of an earlier one and counted with it.
    chain_gap : float
        Largest difference of p_cause between the two chains.
    checks : dict
        Numbers of the false-alarm controls, ready for JSON.
    cause_draws : ndarray, shape (n_draws, n_causes)
        Posterior draws of the episodes explained, in the order of `causes`; no rows when nothing was fitted.
    intensity : ndarray, shape (n_sources, n_bins)
        Posterior mean intensity of each source of `episodes.sources` on the grid, without the multipliers of bad days
        and treatment [episodes per bin].
    posterior : Posterior or None
        Draws of all parameters, to ask what else there is to learn; None when nothing was fitted.
    """

    fitted: bool
    n_episodes: int
    causes: tuple[CauseResult, ...]
    background: Estimate
    echo: Estimate
    pairs: tuple[Pair, ...]
    episodes: EpisodeSources
    treatments: tuple[TreatmentDraws, ...]
    protectors: tuple[ProtectorResult, ...]
    rate_upper_per_week: float | None
    merged: int
    chain_gap: float
    sweeps: int
    checks: dict[str, float | int | str | None]
    cause_draws: FloatArray
    intensity: NDArray[np.float32]
    posterior: Posterior | None = None

"""What do many people tell about each cause, and what follows for every one of them? Empirical Bayes over persons.

Each person is fitted on their own with the general priors. Then the probability of each cause before the data, and the
prior of its lag, are taken from what was found in all of them, and everyone is fitted again, three times:

    π_k ← (Σ_persons P(k is a cause) + 10 · π_k⁰) / (n_k + 10), kept within 0.01 and 0.8
    p_k(ℓ) ∝ 10 · p_k⁰(ℓ) + Σ_persons P(k is a cause, with entry ℓ)

π_k⁰ and p_k⁰ are the general priors, which so count as ten persons; n_k is in how many persons k could be fitted. A
person adds to the lag only as far as k is a cause there: the lag of what is none says nothing (these are the expected
counts of the EM algorithm, Dempster et al., 1977, doi:10.1111/j.2517-6161.1977.tb01600.x).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from unaji.causes.attribution import CauseResult
from unaji.causes.design import Design, Trigger
from unaji.causes.engine import Progress, attribute
from unaji.causes.features import log_lag_prior
from unaji.cohort.workers import Workers
from unaji.records.timeline import FloatArray

GENERAL_PERSONS = 10.0
"""How many persons the general priors count for."""
LEAST_PRIOR, MOST_PRIOR = 0.01, 0.8
ROUNDS = 3


IN_THIS_PROCESS = Workers(None)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CohortPrior:
    """What a cohort knows of one cause.

    Attributes
    ----------
    persons : int
        In how many it could be fitted.
    probability : float
        Of being a cause in a person, before that person's own records.
    lag_weight : tuple of float
        Prior of each entry (drivers × mean lags, driver-major); sums to 1.
    """

    id: str
    persons: int
    probability: float
    lag_weight: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PersonFit:
    """What was found in one person.

    Attributes
    ----------
    cohort_persons : int
        How many persons the priors were learnt from; 0 for the general ones.
    """

    id: str
    episodes: int
    causes: tuple[CauseResult, ...]
    cohort_persons: int


@dataclass(frozen=True, slots=True)
class Pooled:
    """A cohort, before and after its persons were told of each other.

    Attributes
    ----------
    priors : tuple of CohortPrior
        Learnt from the latest fits, by id.
    alone, together : tuple of PersonFit
        The same persons in the same order, with general priors and with the cohort's.
    rounds : int
        Rounds of pooling of which at least one person was fitted.
    stopped : bool
        True when the work was stopped before its end.
    unfinished : tuple of str
        Persons who were not fitted in the last round when the work was stopped: those fitted in an earlier round stand
        in `together` as they were then, the others nowhere.
    """

    priors: tuple[CohortPrior, ...]
    alone: tuple[PersonFit, ...]
    together: tuple[PersonFit, ...]
    rounds: int
    stopped: bool = False
    unfinished: tuple[str, ...] = ()


def pool(
    people: Mapping[str, Design],
    *,
    seed: int = 0,
    rounds: int = ROUNDS,
    workers: Workers = IN_THIS_PROCESS,
    progress: Progress | None = None,
) -> Pooled:
    """Fit every person alone, then with what all of them tell.

    Parameters
    ----------
    people : mapping of str to Design
        Persons by id.
    seed : int
        Every fit of every person takes it, so that what changes from round to round is not chance.
    workers : Workers
        The result does not depend on how many there are.
    progress : callable, optional
        Called with the share done; it may raise KeyboardInterrupt to stop.

    Returns
    -------
    Pooled
        What was finished, when a KeyboardInterrupt came before the end.

    Raises
    ------
    ValueError
        If a trigger is a level in one person and a dose in another.
    """
    _check_kinds(people)
    done, every = 0, len(people) * (rounds + 1)
    alone: dict[str, PersonFit] = {}
    latest: dict[str, PersonFit] = {}
    for turn in range(rounds + 1):
        designs = with_priors(people, learn(people, latest)) if turn else people
        fitted: dict[str, PersonFit] = {}
        stopped = False
        try:
            for name, fit in workers.each(partial(_fit, seed=seed), designs):
                fitted[name] = fit
                done += 1
                if progress is not None:
                    progress(done / every)
        except KeyboardInterrupt:
            stopped = True
            logger.info("stopped in round %d after %d of %d persons", turn, len(fitted), len(people))
        alone = alone or fitted
        latest = latest | fitted
        if stopped:
            return _pooled(people, alone, latest, turn if fitted else max(turn - 1, 0), stopped_after=fitted)
    return _pooled(people, alone, latest, rounds)


def _pooled(
    people: Mapping[str, Design],
    alone: Mapping[str, PersonFit],
    latest: Mapping[str, PersonFit],
    rounds: int,
    stopped_after: Mapping[str, PersonFit] | None = None,
) -> Pooled:
    priors = learn(people, latest)
    known = [person for person in people if person in alone]
    return Pooled(
        tuple(priors[k] for k in sorted(priors)),
        tuple(alone[person] for person in known),
        tuple(latest[person] for person in known),
        rounds,
        stopped_after is not None,
        tuple(person for person in people if stopped_after is not None and person not in stopped_after),
    )


def learn(people: Mapping[str, Design], fits: Mapping[str, PersonFit]) -> dict[str, CohortPrior]:
    """Learn the priors of each cause from the persons fitted so far.

    A person in whom it could not be fitted, or was answered before the fit, says nothing; one in whom another,
    identical exposure stood for it speaks for that one.
    """
    found: dict[str, list[tuple[Trigger, CauseResult]]] = {}
    for person in (one for one in people if one in fits):  # not in the order in which they were done: sums would differ
        fit = fits[person]
        triggers = {trigger.id: trigger for trigger in people[person].triggers}
        for cause in fit.causes:
            if cause.entry_p and cause.alias_of is None and not cause.told_apart:
                found.setdefault(cause.id, []).append((triggers[cause.id], cause))
    return {name: _learn(name, pairs) for name, pairs in found.items()}


def _learn(name: str, pairs: list[tuple[Trigger, CauseResult]]) -> CohortPrior:
    n = len(pairs)
    before = np.mean([trigger.prior for trigger, _ in pairs])
    general = np.mean([_general_lag(trigger, len(cause.entry_p)) for trigger, cause in pairs], axis=0)
    probability = (sum(cause.p_cause for _, cause in pairs) + GENERAL_PERSONS * before) / (n + GENERAL_PERSONS)
    lag = GENERAL_PERSONS * general + np.sum([cause.entry_p for _, cause in pairs], axis=0)
    lag = lag / lag.sum()
    return CohortPrior(
        name, n, float(np.clip(probability, LEAST_PRIOR, MOST_PRIOR)), tuple(float(weight) for weight in lag)
    )


def _general_lag(trigger: Trigger, n_entries: int) -> FloatArray:
    weight = np.exp(log_lag_prior(trigger.lag_min, n_entries))
    return np.asarray(weight / weight.sum())


def with_priors(people: Mapping[str, Design], priors: Mapping[str, CohortPrior]) -> dict[str, Design]:
    """Give every person's triggers the cohort's priors, where it has some."""
    return {name: _with_priors(design, priors, len(people)) for name, design in people.items()}


def _with_priors(design: Design, priors: Mapping[str, CohortPrior], persons: int) -> Design:
    triggers = tuple(
        replace(trigger, prior=priors[trigger.id].probability, lag_weight=priors[trigger.id].lag_weight)
        if trigger.id in priors
        else trigger
        for trigger in design.triggers
    )
    return replace(design, triggers=triggers, cohort_persons=persons)


def _check_kinds(people: Mapping[str, Design]) -> None:
    kinds: dict[str, str] = {}
    for person, design in people.items():
        for trigger in design.triggers:
            if kinds.setdefault(trigger.id, trigger.kind) != trigger.kind:
                raise ValueError(f"{person}: {trigger.id} is a {trigger.kind}, in others a {kinds[trigger.id]}")


def _fit(person: str, design: Design, *, seed: int) -> PersonFit:
    result = attribute(design, seed=seed)
    return PersonFit(person, result.n_episodes, result.causes, design.cohort_persons)

"""What the engine's answers are worth, one number a function: of many examined persons, or of probabilities and facts.

Probabilities of episodes are judged on persons with causes whose episodes were drawn from the additive generator: only
there is the parent of an episode more than a convention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from benchmarks.attribution.persons import Course, Examined

BINS = 10
NAMED = 0.6
NULL_FLAGGED = 0.10
NO_EFFECT = 0.999
GOOD_EFFECT = 0.75

Persons = Sequence[Examined]
nan = float("nan")


# --- of probabilities and facts ------------------------------------------------------------------------------------


def auroc(score: np.ndarray, true: np.ndarray) -> float:
    """Area under the receiver operating characteristic, by mid-ranks; NaN when one kind is missing."""
    n1, n0 = int(true.sum()), int((~true).sum())
    return nan if not n1 or not n0 else float((rankdata(score)[true].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def average_precision(score: np.ndarray, true: np.ndarray) -> float:
    """Mean precision at each true one, Σ (R_i − R_{i−1}) P_i; equal scores enter together. NaN when none is true."""
    if not true.any():
        return nan
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(true[order])
    last = np.r_[np.diff(score[order]) != 0, True]
    precision, recall = hits[last] / (np.flatnonzero(last) + 1), hits[last] / true.sum()
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def calibration_error(said: np.ndarray, was: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Expected calibration error: the gap between said and was over ten bins of equal width, weighted by their mass."""
    if not said.size:
        return nan
    share = np.full(said.size, 1 / said.size) if weight is None else weight / weight.sum()
    inside = np.minimum((said * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(inside, share * (said - was), BINS)).sum())


def holds(interval: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Tell which intervals (mean, low, high) hold the truth."""
    return (interval[:, 1] - 1e-9 <= true) & (true <= interval[:, 2] + 1e-9)


# --- is it a cause? ------------------------------------------------------------------------------------------------


def some(found: Persons) -> list[Examined]:
    """Persons with causes."""
    return [f for f in found if not f.null]


def none(found: Persons) -> list[Examined]:
    """Persons without any."""
    return [f for f in found if f.null]


def findable(found: Persons) -> list[Examined]:
    """Persons of whom at least one cause is shown, and something that is none."""
    return [f for f in found if f.cause.any() and not f.cause.all()]


def person_auroc(found: Persons, score: Callable[[Examined], np.ndarray] = lambda f: f.rank) -> float:
    """Mean over persons."""
    return _mean([auroc(score(f), f.cause) for f in findable(found)])


def person_precision(found: Persons) -> float:
    """Mean average precision over persons."""
    return _mean([average_precision(f.rank, f.cause) for f in findable(found)])


def top_is_cause(found: Persons) -> float:
    """Share of persons whose top-ranked exposure is a cause."""
    return _mean([f.cause[np.argmax(f.rank)] for f in findable(found)])


def pair_auroc(found: Persons) -> float:
    """Over all pairs of person and exposure, both cohorts."""
    return auroc(_all(found, "rank"), _all(found, "cause"))


def _weighted(found: Persons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return P(cause) where fitted, whether it is one, and weights: 0.8 for persons with causes, 0.2 for others."""
    said, was, weight = [], [], []
    for group, share in ((some(found), 0.8), (none(found), 0.2)):
        p, true = _all(group, "p"), _all(group, "cause")
        fitted = np.isfinite(p)
        said.append(p[fitted])
        was.append(true[fitted])
        weight.append(np.full(fitted.sum(), share / max(fitted.sum(), 1)))
    return np.concatenate(said), np.concatenate(was), np.concatenate(weight)


def cause_calibration(found: Persons) -> float:
    """Expected calibration error of P(cause), persons with causes weighted 0.8 and those without 0.2."""
    return calibration_error(*_weighted(found))


def said_was(least: float) -> Callable[[Persons], float]:
    """Share of causes among the exposures given at least `least`, weighted as above."""

    def share(found: Persons) -> float:
        said, was, weight = _weighted(found)
        sure = said >= least
        return float((was * weight)[sure].sum() / weight[sure].sum()) if sure.any() else nan

    return share


def null_flagged(above: float) -> Callable[[Persons], float]:
    """Share of persons without causes with any P(cause) above."""
    return lambda found: _mean([f.rank.max(initial=0.0) > above for f in none(found)])


def false_share(above: float) -> Callable[[Persons], float]:
    """Share of non-causes among the exposures of persons with causes with P(cause) above."""
    return lambda found: _mean(~_all(some(found), "cause")[_all(some(found), "rank") > above])


def causes_found(above: float) -> Callable[[Persons], float]:
    """Share of the true causes with P(cause) above."""
    return lambda found: _mean(_all(found, "rank")[_all(found, "cause")] > above)


def trigger_found(name: str, above: float) -> Callable[[Persons], float]:
    """Share of the persons it is a cause of with P(cause) above."""
    return lambda found: _mean(
        [f.rank[f.ids.index(name)] > above for f in found if name in f.ids and f.cause[f.ids.index(name)]]
    )


def persons_found(above: float) -> Callable[[Persons], float]:
    """Share of the persons with a shown cause of whom at least one is found."""
    return lambda found: _mean([(f.rank[f.cause] > above).any() for f in findable(found)])


def not_fitted(found: Persons) -> float:
    """Share of true causes whose signal was too poor to be fitted."""
    return _mean(np.isnan(_all(found, "p")[_all(found, "cause")]))


def unlikely_bound(found: Persons) -> float:
    """Share of "unlikely" exposures whose 95 % bound holds the episodes they set off."""
    unlikely = _all(found, "unlikely")
    return _mean((_all(found, "realised") <= _all(found, "explained")[:, 2] + 1e-9)[unlikely])


def unlikely_was(found: Persons) -> float:
    """Share of "unlikely" exposures that were causes."""
    return _mean(_all(found, "cause")[_all(found, "unlikely")])


def found_at_flagged(score: Callable[[Examined], np.ndarray]) -> Callable[[Persons], float]:
    """Share of true causes above the score that one in ten persons without causes reaches."""

    def share(found: Persons) -> float:
        best = [score(f).max() for f in none(found)]
        if not best:
            return nan
        above = np.quantile(best, 1 - NULL_FLAGGED)
        return _mean(np.concatenate([score(f)[f.cause] for f in some(found)]) > above)

    return share


# --- how many episodes ---------------------------------------------------------------------------------------------


def contribution_coverage(found: Persons, *, causes_only: bool, share: bool = False) -> float:
    """Share of 90 % intervals of the episodes explained (or their share) that hold the realised count."""
    held, kept = [], []
    for f in found:
        truth = f.realised / max(f.n, 1) if share else f.realised
        held.append(holds(f.share if share else f.explained, truth))
        kept.append(f.cause if causes_only else np.isfinite(f.p))
    return _mean(np.concatenate(held)[np.concatenate(kept)])


def coverage_if_cause(found: Persons) -> float:
    """Share of true causes whose share of the episodes lies in the 90 % interval given that they are causes."""
    rows = [(f.share_if_cause, f.realised / max(f.n, 1), f.cause) for f in some(found)]
    return _mean(_join([holds(said, true)[cause & np.isfinite(said[:, 0])] for said, true, cause in rows]))


def mean_share(found: Persons, *, true: bool) -> float:
    """Mean share of the episodes that a true cause set off, or is said to have set off."""
    rows = [f.realised / max(f.n, 1) if true else f.share[:, 0] for f in some(found)]
    return _mean(np.concatenate(rows)[_all(some(found), "cause")])


def share_slope(found: Persons) -> float:
    """Slope of the said on the true share of the episodes, true causes only."""
    cause = _all(some(found), "cause")
    true = np.concatenate([f.realised / max(f.n, 1) for f in some(found)])[cause]
    said = np.concatenate([f.share[:, 0] for f in some(found)])[cause]
    return float(np.polyfit(true, said, 1)[0]) if np.ptp(true) > 0 else nan


# --- what set off this episode? ------------------------------------------------------------------------------------


def additive(found: Persons) -> list[Examined]:
    """Persons with causes whose episodes have true parents."""
    return [f for f in some(found) if f.generator == "additive" and f.n]


def log_linear(found: Persons) -> list[Examined]:
    """The others with causes."""
    return [f for f in some(found) if f.generator == "log_linear" and f.n]


def top_source(table: str, group: Callable[[Persons], list[Examined]] = additive) -> Callable[[Persons], float]:
    """Share of episodes whose likeliest source is the true one."""
    return lambda found: _episode_mean([getattr(f, table).argmax(axis=1) == f.parent for f in group(found)])


def always_background(found: Persons) -> float:
    """Share of episodes that the background set off."""
    return _episode_mean([f.parent == f.cause.size for f in additive(found)])


def right_trigger(table: str) -> Callable[[Persons], float]:
    """Share of episodes set off by a shown exposure in which that one is the likeliest exposure."""

    def share(found: Persons) -> float:
        rows = []
        for f in additive(found):
            k = f.cause.size
            triggered = f.parent < k
            rows.append(getattr(f, table)[triggered, :k].argmax(axis=1) == f.parent[triggered])
        return _episode_mean(rows)

    return share


def _top_trigger(found: Persons) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of the likeliest exposure of each episode, and whether it was the source."""
    group = additive(found)
    said = [f.p_source[:, : f.cause.size].max(axis=1) for f in group]
    was = [f.p_source[:, : f.cause.size].argmax(axis=1) == f.parent for f in group]
    return _join(said), _join(was)


def named_right(found: Persons) -> float:
    """Share of the episodes with an exposure at 0.6 or more in which it was the source."""
    said, was = _top_trigger(found)
    return _mean(was[said >= NAMED])


def named_share(found: Persons) -> float:
    """Share of episodes with an exposure at 0.6 or more."""
    return _mean(_top_trigger(found)[0] >= NAMED)


def _entries(found: Persons) -> tuple[np.ndarray, np.ndarray]:
    group = additive(found)
    return _join([f.p_source.ravel() for f in group]), _join([_facts(f).ravel() for f in group])


def source_calibration(found: Persons) -> float:
    """Expected calibration error of all P(k → i)."""
    return calibration_error(*_entries(found))


def top_calibration(found: Persons) -> float:
    """Expected calibration error of each episode's largest P(k → i)."""
    group = additive(found)
    said = _join([f.p_source.max(axis=1) for f in group])
    return calibration_error(said, _join([f.p_source.argmax(axis=1) == f.parent for f in group]))


def brier(found: Persons) -> float:
    """Mean squared error of all P(k → i)."""
    said, was = _entries(found)
    return _mean((said - was) ** 2)


def top_said(kind: str, *, was: bool) -> Callable[[Persons], float]:
    """Where the likeliest source is an exposure (or none): its mean probability, or how often it was the source."""

    def share(found: Persons) -> float:
        rows = []
        for f in additive(found):
            top = f.p_source.argmax(axis=1)
            chosen = (top < f.cause.size) == (kind == "trigger")
            rows.append((top == f.parent)[chosen] if was else f.p_source.max(axis=1)[chosen])
        return _episode_mean(rows)

    return share


# --- treatment and chains ------------------------------------------------------------------------------------------


def courses(found: Persons, fits: Callable[[Course], bool] = lambda c: True) -> list[Course]:
    """Courses of both cohorts."""
    return [f.course for f in found if f.course is not None and fits(f.course)]


def treatment_error(found: Persons) -> float:
    """Root mean square error of the log ratio."""
    return float(np.sqrt(_mean([np.log(c.mean / c.truth) ** 2 for c in courses(found)])))


def crude_error(found: Persons) -> float:
    """The same for before / after, of the courses with episodes on both sides."""
    return float(np.sqrt(_mean([np.log(c.before_after / c.truth) ** 2 for c in courses(found) if c.before_after > 0])))


def treatment_coverage(found: Persons) -> float:
    """Share of 90 % intervals that hold the true ratio."""
    return _mean([c.p5 - 1e-9 <= c.truth <= c.p95 + 1e-9 for c in courses(found)])


def treatment_width(found: Persons) -> float:
    """Mean width of the 90 % interval of the ratio."""
    return _mean([c.p95 - c.p5 for c in courses(found)])


def works_falsely(found: Persons) -> float:
    """Share of courses without effect whose 90 % interval lies below 1."""
    return _mean([c.p95 < 1 for c in courses(found, lambda c: c.truth > NO_EFFECT)])


def works_rightly(found: Persons) -> float:
    """The same of courses with a ratio below 0.75."""
    return _mean([c.p95 < 1 for c in courses(found, lambda c: c.truth < GOOD_EFFECT)])


def chain_gap(statistic: Callable[[list[float]], float]) -> Callable[[Persons], float]:
    """Median or largest difference of any P(cause) between two chains."""
    return lambda found: float(statistic([f.chain_gap for f in found if f.n]))


def _facts(f: Examined) -> np.ndarray:
    return np.eye(f.p_source.shape[1])[f.parent]


def _all(found: Persons, name: str) -> np.ndarray:
    rows = [getattr(f, name) for f in found]
    return np.concatenate(rows) if rows else np.zeros(0, dtype=bool if name in ("cause", "unlikely") else float)


def _join(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if rows else np.zeros(0)


def _episode_mean(rows: list[np.ndarray]) -> float:
    return _mean(_join(rows))


def _mean(values: np.ndarray | list) -> float:
    kept = np.asarray(values, dtype=float)
    return float(kept.mean()) if kept.size else nan

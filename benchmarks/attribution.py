"""What does the engine find on simulated persons with a known truth? The figures of docs/explanation/engine.md.

python benchmarks/attribution.py [--persons 150] [--null 80] [--seed 20000]

Persons without causes take the seeds from 10,000 above. Other methods on the same persons are not in yet.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.stats import rankdata

from unaji.care.treatment import treatment_effects
from unaji.causes.attribution import Verdict
from unaji.causes.design import BIN_MIN, Design, Onset, Trigger, courses_of
from unaji.causes.engine import attribute
from unaji.causes.grid import make_grid, with_observed
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.records.timeline import Zones

NULL_SEEDS = 10_000


@dataclass(frozen=True)
class Found:
    """One person: arrays over the fitted exposures, top sources of episodes, and the log errors of the treatment."""

    null: bool
    p: np.ndarray
    true: np.ndarray
    explained_holds: np.ndarray
    bound_holds: np.ndarray
    unlikely: np.ndarray
    top_right: list[bool]
    treatment: tuple[float, float, bool] | None


def design_of(person: SimulatedPerson) -> Design:
    """Give the engine what the person's diary and sensors recorded."""
    span = timedelta(minutes=BIN_MIN * (len(person.observed) - 1))
    grid = make_grid(person.grid_start, person.grid_start + span, Zones((person.timezone,)))
    triggers = tuple(Trigger(k, s.kind, s.value, s.lag_min, s.hold_min) for k, s in person.signals.items())
    onsets = tuple(Onset(t) for t in person.onsets)
    return Design(
        with_observed(grid, person.observed), triggers, onsets, courses_of(("acupuncture", s) for s in person.sessions)
    )


def examine(task: tuple[int, bool]) -> Found:
    """Fit one person and hold the result against the truth."""
    seed, null = task
    person = simulate_person(np.random.default_rng(seed), null=null)
    design = design_of(person)
    result = attribute(design, seed=seed)
    causes = [c for c in result.causes if np.isfinite(c.p_cause)]
    realised = np.array([person.parents.count(c.id) for c in causes])
    low, high = (np.array([getattr(c.episodes_explained, end) for c in causes]) for end in ("p5", "p95"))
    return Found(
        null,
        np.array([c.p_cause for c in causes]),
        np.array([c.id in person.truth.shown_causes for c in causes], dtype=bool),
        (low - 1e-9 <= realised) & (realised <= high + 1e-9),
        realised <= high + 1e-9,
        np.array([c.verdict is Verdict.UNLIKELY for c in causes], dtype=bool),
        _top_right(person, result),
        _treatment(person, design, result),
    )


def _top_right(person: SimulatedPerson, result) -> list[bool]:
    """Whether the likeliest source of each episode is its parent; a cause that was not shown counts as background."""
    shown = {*person.signals, "echo"}
    at = {onset: i for i, onset in enumerate(result.episodes.onset)}
    pairs = [(at[t], parent) for t, parent in zip(person.onsets, person.parents, strict=True) if t in at]
    named = result.episodes.sources
    return [
        named[int(np.argmax(result.episodes.p[i]))] == (parent if parent in shown else "background")
        for i, parent in pairs
    ]


def _treatment(person: SimulatedPerson, design: Design, result) -> tuple[float, float, bool] | None:
    effects = treatment_effects(design, result)
    if not effects or person.truth.treatment is None:
        return None
    ratio, truth = effects[0].ratio, person.truth.treatment.mean_ratio
    crude = np.log(effects[0].before_after_ratio / truth) if effects[0].before_after_ratio > 0 else float("nan")
    return np.log(ratio.mean / truth), crude, ratio.p5 - 1e-9 <= truth <= ratio.p95 + 1e-9


def auroc(p: np.ndarray, true: np.ndarray) -> float:
    """Area under the receiver operating characteristic, by ranks; NaN when one kind is missing."""
    n1, n0 = int(true.sum()), int((~true).sum())
    return float("nan") if not n1 or not n0 else float((rankdata(p)[true].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def calibration_error(found: list[Found]) -> float:
    """Mean gap between said and was over ten bins, persons with causes weighted 0.8 and without 0.2."""
    error, groups = 0.0, [([f for f in found if f.null is null], w) for null, w in ((False, 0.8), (True, 0.2))]
    columns = [(np.concatenate([f.p for f in g]), np.concatenate([f.true for f in g]), w) for g, w in groups if g]
    for k in range(10):
        gap = 0.0
        for p, true, weight in columns:
            inside = np.minimum((p * 10).astype(int), 9) == k
            gap += weight * (p[inside].sum() - true[inside].sum()) / p.size
        error += abs(gap)
    return error


def report(found: list[Found]) -> None:
    """Print the table."""
    some, none = [f for f in found if not f.null], [f for f in found if f.null]
    p, true = (np.concatenate([getattr(f, name) for f in some]) for name in ("p", "true"))
    every_p, every_true = (np.concatenate([getattr(f, name) for f in found]) for name in ("p", "true"))
    holds, bound, unlikely = (
        np.concatenate([getattr(f, name) for f in found]) for name in ("explained_holds", "bound_holds", "unlikely")
    )
    top = [f.true[np.argmax(f.p)] for f in some if f.true.any() and not f.true.all()]
    treated = np.array([f.treatment for f in found if f.treatment is not None], dtype=float)
    best = [f.p.max(initial=0.0) for f in none]
    rows = [
        ("AUROC of P(cause) within a person, mean", np.nanmean([auroc(f.p, f.true) for f in some])),
        ("AUROC over all pairs of person and exposure", auroc(every_p, every_true)),
        ("top-ranked exposure is a true cause", np.mean(top)),
        ("true causes with P > 0.5", np.mean(p[true] > 0.5)),
        ("true causes with P > 0.8", np.mean(p[true] > 0.8)),
        ("false among P > 0.8", 1 - np.mean(true[p > 0.8])),
        ("false among P > 0.9", 1 - np.mean(true[p > 0.9])),
        ("persons without causes with any P > 0.8", np.mean(np.array(best) > 0.8)),
        ("persons without causes with any P > 0.9", np.mean(np.array(best) > 0.9)),
        ("calibration error of P(cause)", calibration_error(found)),
        ("90 % intervals that hold, true causes", np.mean(holds[every_true])),
        ("90 % intervals that hold, all exposures", np.mean(holds)),
        ("said unlikely: its 95 % bound holds", np.mean(bound[unlikely])),
        ("said unlikely: was a cause", np.mean(every_true[unlikely])),
        ("top source of an episode is right", np.mean([x for f in some for x in f.top_right])),
        (f"treatment ({len(treated)} courses): log error, root mean square", np.sqrt(np.mean(treated[:, 0] ** 2))),
        ("treatment: 90 % intervals that hold", np.mean(treated[:, 2])),
        ("crude before/after: log error, root mean square", np.sqrt(np.nanmean(treated[:, 1] ** 2))),
    ]
    for name, value in rows:
        print(f"{name:58s} {value:6.3f}")


def main() -> None:
    """Examine the persons on all processors and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=150)
    parser.add_argument("--null", type=int, default=80)
    parser.add_argument("--seed", type=int, default=20_000)
    given = parser.parse_args()
    tasks = [(given.seed + k, False) for k in range(given.persons)]
    tasks += [(given.seed + NULL_SEEDS + k, True) for k in range(given.null)]
    with ProcessPoolExecutor() as pool:
        report(list(pool.map(examine, tasks, chunksize=4)))


if __name__ == "__main__":
    main()

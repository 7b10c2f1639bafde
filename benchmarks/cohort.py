"""What does pooling do to a cohort with common causes, and to those in it without any? docs/explanation/cohorts.md.

python benchmarks/cohort.py [--persons 45] [--null 10] [--seed 40000] [--sweeps 4000] [--workers 2]

Each person has one to three causes, all of them among four; persons without causes take the seeds from 10,000 above.
"""

from __future__ import annotations

import argparse

import numpy as np
from attribution import NULL_SEEDS, auroc, design_of

from unaji.causes import engine
from unaji.cohort.pool import PersonFit, pool
from unaji.cohort.workers import hire
from unaji.errors import UsageError
from unaji.people.simulate import SimulatedPerson, simulate_person

COMMON = ("pressure_drop", "desk_load", "stress", "exercise")
EPISODES = (8, 40)


def with_common_causes(seed: int) -> SimulatedPerson:
    """Draw a person whose causes are among the common ones; what has no contrast in that life is drawn again."""
    rng = np.random.default_rng(seed)
    while True:
        chosen = rng.choice(COMMON, rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]), replace=False)
        try:
            return simulate_person(rng.spawn(1)[0], causes=list(chosen), target_episodes=rng.uniform(*EPISODES))
        except UsageError:
            continue


def figures(fits: dict[str, PersonFit], people: dict[str, SimulatedPerson]) -> dict[str, float]:
    """Hold P(cause) of every person and exposure against the truth."""
    p, true, null = [], [], []
    for name, person in people.items():
        for cause in fits[name].causes:
            if np.isfinite(cause.p_cause):
                p.append(cause.p_cause)
                true.append(cause.id in person.truth.shown_causes)
                null.append(name.startswith("null"))
    p, true, null = np.array(p), np.array(true), np.array(null)
    some = ~null
    cells = np.minimum((p * 10).astype(int), 9)
    gaps = [abs(p[some & (cells == k)].sum() - true[some & (cells == k)].sum()) for k in range(10)]
    best = [max((c.p_cause for c in f.causes if np.isfinite(c.p_cause)), default=0.0) for n, f in fits.items()
            if n.startswith("null")]  # fmt: skip
    return {
        "AUROC over all pairs, persons with causes": auroc(p[some], true[some]),
        "AUROC over all pairs, all persons": auroc(p, true),
        "true causes with P > 0.5": float(np.mean(p[true] > 0.5)),
        "false among P > 0.5": float(np.mean(~true[p > 0.5])) if (p > 0.5).any() else float("nan"),
        "calibration error, persons with causes": float(sum(gaps) / some.sum()),
        "null persons with any P > 0.5": float(np.mean(np.array(best) > 0.5)),
        "null persons with any P > 0.8": float(np.mean(np.array(best) > 0.8)),
    }


def main() -> None:
    """Pool the cohort, with and without persons without causes in it, and print both columns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=45)
    parser.add_argument("--null", type=int, default=10)
    parser.add_argument("--seed", type=int, default=40_000)
    parser.add_argument("--sweeps", type=int, default=engine.SWEEPS)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    engine.SWEEPS = given.sweeps
    engine.BURN_IN = min(engine.BURN_IN, given.sweeps // 3)
    people = {f"p{k}": with_common_causes(given.seed + k) for k in range(given.persons)}
    people |= {
        f"null{k}": simulate_person(np.random.default_rng(given.seed + NULL_SEEDS + k), null=True)
        for k in range(given.null)
    }
    with hire(given.workers) as workers:
        designs = {name: design_of(person) for name, person in people.items()}
        pooled = pool(designs, workers=workers)
    print(f"persons {given.persons}, without causes {given.null}, episodes {sum(f.episodes for f in pooled.alone)}")
    columns = [figures({f.id: f for f in fits}, people) for fits in (pooled.alone, pooled.together)]
    for name, alone in columns[0].items():
        print(f"{name:45s} {alone:6.3f} {columns[1][name]:6.3f}")
    for prior in pooled.priors:
        print(f"{prior.id:15s} {prior.persons:3d} {prior.probability:.2f}")


if __name__ == "__main__":
    main()

"""How long does the engine take, beside methods that do comparable work on the same person? One core, one run.

    pip install '.[bench]'
    python benchmarks/attribution_speed.py [--repeats 3]

Two simulated persons: 12 weeks, 12 exposures and 40 logged episodes; 52 weeks, 12 exposures and 200. CPU seconds
of the fastest repeat after a first one that compiles and loads: the engine's features, features with two chains of
4,000 sweeps, and all that the engine does; and cross-validated L1 logistic regression and boosted trees with SHAP.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

from benchmarks.attribution.baselines import METHODS, prepare  # noqa: E402
from benchmarks.attribution.persons import design_of  # noqa: E402
from unaji.causes.design import Design  # noqa: E402
from unaji.causes.engine import CHAINS, SWEEPS, attribute  # noqa: E402
from unaji.causes.features import build_tables, treatment_dose  # noqa: E402
from unaji.causes.marks import episode_marks  # noqa: E402
from unaji.causes.sampler import TREATMENT_TAUS_D, Chain, Damper, make_model  # noqa: E402
from unaji.people.simulate import simulate_person  # noqa: E402

PERSONS = ((12, 40, 2.0), (52, 200, 5.0))
"""Weeks, logged episodes, and the seconds that features and chains may take."""
PEERS = ("L1 logistic", "boosted trees with SHAP")


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print("| person | what | CPU s | times the engine | need |\n|---|---|---|---|---|")
    for weeks, episodes, need in PERSONS:
        design = person(weeks, episodes)
        features = fastest(lambda d=design: build_tables(d), repeats)
        fit = fastest(lambda d=design: fitted(d), repeats)
        engine = fastest(lambda d=design: attribute(d, seed=1), repeats)
        label = f"{weeks} weeks × {len(design.triggers)} exposures × {len(design.onsets)} episodes"
        print(f"| {label} | features | {features:.2f} | {features / engine:.2f} | |")
        met = "yes" if fit <= need else "**no**"
        what = f"features and {CHAINS} × {SWEEPS:,} sweeps"
        print(f"| | {what} | {fit:.2f} | {fit / engine:.2f} | ≤ {need:g}: {met} |")
        print(f"| | all of the engine: with day shifts, placebos, time turned round | {engine:.2f} | 1 | |")
        for name in PEERS:
            peer = fastest(lambda d=design, n=name: METHODS[n](prepare(d)), repeats)
            print(f"| | {name} | {peer:.2f} | {peer / engine:.2f} | |", flush=True)


def fitted(design: Design) -> None:
    """Compute the features and run the chains, as the engine does first of all."""
    grid = design.grid
    dampers = [
        Damper(course.kind, np.stack([treatment_dose(grid, course.sessions, tau) for tau in TREATMENT_TAUS_D]))
        for course in design.courses
    ]
    model = make_model(build_tables(design), dampers, episode_marks(design.onsets))
    for chain in range(CHAINS):
        Chain(model, np.random.default_rng(chain)).run(SWEEPS)


def person(weeks: int, episodes: int) -> Design:
    """Return the first simulated person with exactly so many logged episodes."""
    for seed in range(1000):
        drawn = simulate_person(
            np.random.default_rng(seed), weeks=weeks, target_episodes=1.25 * episodes, candidates=12, treatment=True
        )
        if len(drawn.onsets) == episodes:
            return design_of(drawn)
    raise ValueError(f"no seed below 1,000 gives {episodes} episodes in {weeks} weeks")


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of the fastest of some repeats, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return min(seconds)


if __name__ == "__main__":
    main()

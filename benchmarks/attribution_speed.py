"""How long does the engine take, beside methods that do comparable work on the same person? One core, one run.

    pip install '.[bench]'
    python benchmarks/attribution_speed.py [--repeats 3]

Two simulated persons: 12 weeks, 12 exposures and 40 logged episodes; 52 weeks, 12 exposures and 200. CPU seconds
of the fastest repeat after a first one that compiles and loads: the engine's features, its two chains of 4,000 sweeps
with all that is reported of them, and cross-validated L1 logistic regression and boosted trees with SHAP values.
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
from unaji.causes.engine import attribute  # noqa: E402
from unaji.causes.features import build_tables  # noqa: E402
from unaji.people.simulate import simulate_person  # noqa: E402

PERSONS = ((12, 40, 3.0), (52, 200, 8.0))
"""Weeks, logged episodes, and the seconds that features and chains may take."""
PEERS = ("L1 logistic", "boosted trees with SHAP")


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print("| person | what | CPU s | times the engine | need |\n|---|---|---|---|---|")
    for weeks, episodes, need in PERSONS:
        design, sweeps = person(weeks, episodes), []
        features = fastest(lambda d=design: build_tables(d), repeats)
        engine = fastest(lambda d=design, s=sweeps: s.append(attribute(d, seed=1).sweeps), repeats)
        label = f"{weeks} weeks × {len(design.triggers)} exposures × {len(design.onsets)} episodes"
        print(f"| {label} | features | {features:.2f} | {features / engine:.2f} | |")
        met = "yes" if engine <= need else "**no**"
        what = f"engine, all: features + 2 × {sweeps[-1]:,} sweeps + report"
        print(f"| | {what} | {engine:.2f} | 1 | ≤ {need:g}: {met} |")
        for name in PEERS:
            peer = fastest(lambda d=design, n=name: METHODS[n](prepare(d)), repeats)
            print(f"| | {name} | {peer:.2f} | {peer / engine:.2f} | |", flush=True)


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

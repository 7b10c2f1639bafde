"""Do nine of ten later weeks bring a count inside the band of what was expected without treatment?

    python -m benchmarks.attribution.weeks [--persons 40] [--seed 30000] [--workers 2] [--misspecified]

The persons are simulated with a course of sessions that changes nothing, so that the weeks from the first session on
are weeks without treatment. Printed: the share of those weeks whose count lies inside the band, and how many lay below
and above. The ends of the band are whole numbers, so that somewhat more than nine of ten should lie inside. Run it from
the project's folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks.attribution.persons import design_of
from unaji.care.weeks import DAYS, expected_weeks
from unaji.causes.engine import attribute
from unaji.people.outside import Outside
from unaji.people.simulate import simulate_person
from unaji.records.timeline import Interval, from_utc_ms


@dataclass(frozen=True)
class Held:
    """One week from the first session on: what was counted, and the band."""

    count: int
    low: float
    high: float


def held(seed: int, *, misspecified: bool = False) -> list[Held]:
    """Return the later weeks of one person whose sessions change nothing."""
    outside = Outside() if misspecified else None
    person = simulate_person(np.random.default_rng(seed), treatment=True, full_dose_ratio=1.0, outside=outside)
    design = design_of(person)
    if not design.onsets:
        return []
    posterior = attribute(design, seed=seed).posterior
    assert posterior is not None
    period = Interval(from_utc_ms(design.grid.time[0]), person.moment(24.0 * design.grid.n_days))
    week = [(time - person.grid_start).days // DAYS for time in person.onsets]
    counts = np.bincount(week, minlength=design.grid.n_days // DAYS + 1)
    return [
        Held(int(counts[one.number - 1]), one.without.p5, one.without.p95)
        for one in expected_weeks(posterior, period, np.random.default_rng(seed))
        if one.treated
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print how often the band holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution.weeks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--persons", type=int, default=40)
    parser.add_argument("--seed", type=int, default=30_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--misspecified", action="store_true")
    given = parser.parse_args(arguments)
    seeds = range(given.seed, given.seed + given.persons)
    with ProcessPoolExecutor(given.workers) as pool:
        people = list(pool.map(held, seeds)) if not given.misspecified else list(pool.map(_outside, seeds))
    print(said(people))
    return 0


def _outside(seed: int) -> list[Held]:
    return held(seed, misspecified=True)


def said(people: list[list[Held]]) -> str:
    """Return the figures as one line; the standard error is over persons, whose weeks are alike."""
    weeks = [one for person in people for one in person]
    inside = np.array([one.low <= one.count <= one.high for one in weeks])
    shares = np.array([np.sum([w.low <= w.count <= w.high for w in person]) for person in people if person])
    sizes = np.array([len(person) for person in people if person])
    error = np.sqrt(np.sum((shares - inside.mean() * sizes) ** 2)) / sizes.sum()
    below = np.mean([one.count < one.low for one in weeks])
    above = np.mean([one.count > one.high for one in weeks])
    return (
        f"{len(people)} persons, {len(weeks)} weeks: inside {inside.mean():.3f} ± {error:.3f}, "
        f"below {below:.3f}, above {above:.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())

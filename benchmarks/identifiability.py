"""Which pathway brought the heat: is it found again in simulated people (validation row V17)?

    python benchmarks/identifiability.py            # 200 people a pathway; writes docs/explanation/identifiability.json
    python benchmarks/identifiability.py --people 50 --no-write

People are drawn from the ranges of the parameters with other seeds than the hypotheses that judge them, simulated with
the full model, and measured with noise. Every pathway is equally frequent here, so the prior is even, and chance is
one in five.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from unaji.body.context import WINDOWS_MIN, Context
from unaji.body.hypotheses import IN_WINDOWS, N_DRAWS, Hypotheses, Predicted, Sensor
from unaji.body.hypothesis_drivers import (
    PATHWAYS,
    KnownBody,
    any_moment,
    draw_driver,
    draw_persons,
)
from unaji.body.pathways import Measured, Reading, judge
from unaji.claims.model import Pathway
from unaji.records.timeline import FloatArray

RESULT = Path(__file__).parents[1] / "docs" / "explanation" / "identifiability.json"

FOUR = (Sensor.NAPE, Sensor.CORE, Sensor.FINGER, Sensor.PRESSURE_PAIN)


class Sensors(NamedTuple):
    """What is measured, whether the air is recorded, and whether daily life adds its scatter to the sensors' noise."""

    sensors: tuple[Sensor, ...]
    air: bool = False
    daily_life: bool = True


SETS = {
    "nape + core + finger + pressure pain": Sensors(FOUR, daily_life=False),
    "the four in daily life": Sensors(FOUR),
    "the four and pulse in daily life": Sensors((*FOUR, Sensor.PULSE)),
    "the four, pulse and air in daily life": Sensors((*FOUR, Sensor.PULSE), air=True),
    "nape + core + finger": Sensors(FOUR[:3]),
    "nape + core": Sensors(FOUR[:2]),
    "nape alone": Sensors(FOUR[:1]),
    "wrist + air": Sensors((Sensor.WRIST,), air=True),
    "felt heat alone": Sensors(()),
}

NOISE_SD = {
    Sensor.NAPE: 0.2, Sensor.WRIST: 0.5, Sensor.FINGER: 0.3, Sensor.PULSE: 2.0, Sensor.CONDUCTANCE: 0.1,
    Sensor.CORE: 0.1, Sensor.PRESSURE_PAIN: 0.15,
}  # fmt: skip
"""Of a single reading: K, 1/min, logarithms."""
SCATTER_SD = {
    Sensor.NAPE: 0.15, Sensor.WRIST: 0.6, Sensor.FINGER: 0.5, Sensor.PULSE: 4.0, Sensor.CONDUCTANCE: 0.3,
    Sensor.CORE: 0.12, Sensor.PRESSURE_PAIN: 0.05,
}  # fmt: skip
"""What air, activity and time of day leave unexplained at quiet times, besides the sensor's noise."""
TOGETHER = 0.6
"""Correlation of that scatter between the windows."""
READINGS = tuple((high - low) // 5 for low, high in WINDOWS_MIN)
"""A patch is read every five minutes; a thermometer and a pressure gauge once."""
EVEN = dict.fromkeys(Pathway, 1.0 / len(PATHWAYS))
PEOPLE_A_BATCH, CONTEXTS_A_BATCH, BATCHES = 32, 24, 8
BINS = 10


@dataclass(frozen=True, eq=False, slots=True)
class Person:
    """One simulated person in one episode: the truth, and what sensors without noise would show."""

    pathway: int
    context: Context
    windows: dict[Sensor, FloatArray]
    core_k: float
    pressure_pain: float


def population(rng: Generator, n_each: int, *, air_recorded: bool) -> list[Person]:
    """Draw people by whether their driver is felt, the same number of each pathway."""
    batches = list(_batches(rng, air_recorded=air_recorded))
    people = []
    for k in range(len(PATHWAYS)):
        # Within a pathway the chance of being noticed is proportional to weight · exp(log_felt).
        chance = np.concatenate([p.weight[k] * np.exp(p.log_felt[k]) / p.weight.shape[1] for _, p in batches])
        where = np.concatenate([np.full(p.weight.shape[1], b) for b, (_, p) in enumerate(batches)])
        draw = np.concatenate([np.arange(p.weight.shape[1]) for _, p in batches])
        for i in rng.choice(chance.size, n_each, p=chance / chance.sum()):
            context, predicted = batches[where[i]]
            people.append(_person(k, context, predicted, int(draw[i])))
    return people


def _batches(rng: Generator, *, air_recorded: bool) -> Iterator[tuple[Context, Predicted]]:
    for _ in range(BATCHES):
        drawn = Hypotheses.of(KnownBody(), rng, n_draws=PEOPLE_A_BATCH)
        if air_recorded:
            contexts = any_moment(draw_driver(rng, draw_persons(KnownBody(), rng, CONTEXTS_A_BATCH)))
            yield from zip(contexts, drawn.around(contexts), strict=True)
        else:
            yield Context(), drawn.any_moment


def _person(k: int, context: Context, predicted: Predicted, i: int) -> Person:
    windows = {sensor: value[k, i] for sensor, value in predicted.windows.items()}
    return Person(k, context, windows, float(predicted.core_near_k[k, i]), float(predicted.pressure_pain[k, i]))


def measure(person: Person, chosen: Sensors, rng: Generator) -> Measured:
    """Read a person's sensors, with noise and the scatter of daily life."""
    readings = {}
    for sensor in chosen.sensors:
        truth = _truth(person, sensor)
        n, sd = truth.size, SCATTER_SD[sensor] * chosen.daily_life
        averaged = np.array(READINGS) if n > 1 else np.ones(1)
        scatter = sd**2 * (TOGETHER + (1 - TOGETHER) * np.eye(n)) + np.diag(NOISE_SD[sensor] ** 2 / averaged)
        readings[sensor] = Reading(truth + rng.multivariate_normal(np.zeros(n), scatter), scatter)
    return Measured(readings, core_is_near=True)


def _truth(person: Person, sensor: Sensor) -> FloatArray:
    if sensor in IN_WINDOWS:
        return person.windows[sensor]
    return np.array([person.core_k if sensor is Sensor.CORE else person.pressure_pain])


def posteriors(people: list[Person], chosen: Sensors, rng: Generator, *, n_draws: int) -> FloatArray:
    """Return the posterior of every person, shape (n_people, n_pathways); nothing of a body is known."""
    judging = Hypotheses.of(KnownBody(), rng.spawn(1)[0], n_draws=n_draws)
    predicted = judging.around([person.context for person in people])
    rows = [
        list(judge(measure(person, chosen, rng), p, EVEN).posterior.values())
        for person, p in zip(people, predicted, strict=True)
    ]
    return np.array(rows)


def calibration_error(p: FloatArray, truth: FloatArray) -> float:
    """Return the expected calibration error of the leading pathway's probability, ten bins."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def classwise_error(p: FloatArray, truth: FloatArray) -> float:
    """Return the calibration error over all pathways' probabilities, not only the leading one's."""
    hit = np.eye(p.shape[1])[truth].ravel()
    flat = p.ravel()
    bins = np.minimum((flat * BINS).astype(int), BINS - 1)
    return float(sum(abs(flat[bins == b].mean() - hit[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)))


def run(n_each: int, seed: int, *, n_draws: int = N_DRAWS, names: tuple[str, ...] = tuple(SETS)) -> dict[str, Any]:
    """Return accuracy, calibration and the table of confusion for each set of sensors."""
    result: dict[str, Any] = {"people_a_pathway": n_each, "seed": seed, "draws": n_draws, "chance": 0.2}
    drawn = {air: population(np.random.default_rng([seed, air]), n_each, air_recorded=air)
             for air in sorted({SETS[name].air for name in names})}  # fmt: skip
    for k, name in enumerate(names):
        people = drawn[SETS[name].air]
        truth = np.array([person.pathway for person in people])
        p = posteriors(people, SETS[name], np.random.default_rng([seed, 100 + k]), n_draws=n_draws)
        confusion = np.zeros((len(PATHWAYS), len(PATHWAYS)), dtype=int)
        np.add.at(confusion, (truth, p.argmax(axis=1)), 1)
        tied = np.isclose(p.max(axis=1), 1 / len(PATHWAYS))
        result[name] = {
            "right": float(np.where(tied, 1 / len(PATHWAYS), p.argmax(axis=1) == truth).mean()),
            "ece": calibration_error(p, truth) if not tied.all() else 0.0,
            "ece_all_pathways": classwise_error(p, truth),
            "mean_p_of_truth": float(p[np.arange(len(truth)), truth].mean()),
            "confusion": confusion.tolist(),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--draws", type=int, default=N_DRAWS)
    parser.add_argument("--no-write", action="store_true")
    asked = parser.parse_args()
    start = time.process_time()
    result = {"pathways": [str(way) for way in PATHWAYS]} | run(asked.people, asked.seed, n_draws=asked.draws)
    for name in SETS:
        one = result[name]
        print(
            f"{name:40s} right {one['right']:.3f}  ECE {one['ece']:.3f}  (all pathways {one['ece_all_pathways']:.3f})"
        )
        for way, row in zip(PATHWAYS, one["confusion"], strict=True):
            print(f"    {way:10s}", *(f"{n:4d}" for n in row))
    print(f"{time.process_time() - start:.0f} s of CPU")
    if not asked.no_write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

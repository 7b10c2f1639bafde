"""What does each way to a hot nape do to one particular body? One driver a way, in a comfortable room, played through.

The drivers are those with which episodes are judged (`unaji.body.hypothesis_drivers`), at one strength each: strong
enough to be noticed, which is why they stand in a person's diary. What they are remains an assumption [A].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.persons import (
    AGE_BANDS_Y,
    HEIGHT_QUARTILES_CM,
    RANGES,
    WEIGHT_QUARTILES_KG,
    Persons,
)
from unaji.body.scenario import Event, Scenario
from unaji.body.scenario_file import find_scenario
from unaji.claims.model import Pathway, Words
from unaji.claims.parameters import default_parameters

USUAL_AGE_Y = 45.0
"""Age of who did not tell it [A]. Who did not tell the sex is computed as the model's standard body, a man."""
DRAWN_EVENLY = ("flush_gain", "flush_nape")
"""Traits nobody has measured; the middle of their range stands for the person, as every value of it is as likely."""
BEGINS_S = 20 * 60.0


@dataclass(frozen=True, slots=True)
class TypicalDriver:
    """What happens under one way: for how long, in a course of which length, and which inputs go where."""

    name: Words
    lasts_min: float
    course_min: float
    values: dict[str, float]


DRIVERS: dict[Pathway, TypicalDriver] = {
    Pathway.VASCULAR: TypicalDriver(
        Words("ほてり(感情による紅潮)", "a flush of emotion"), 13, 70, {"emotion": 1.0, "stress": 0.3}
    ),
    Pathway.SENSORY: TypicalDriver(
        Words("神経が過敏に働く", "nerves fire by themselves"), 30, 90, {"nerve_compression": 0.65}
    ),
    Pathway.MUSCLE: TypicalDriver(
        Words("うつむいて腕を使う", "head bent, arms at work"),
        60,
        150,
        {"arm_load": 0.03, "flexion_deg": 10.0, "forward_m": 0.04},
    ),
    Pathway.HEAT_LOAD: TypicalDriver(Words("30.5℃の部屋", "a room of 30.5 °C"), 60, 150, {"air_temp_c": 30.5}),
    Pathway.CORE: TypicalDriver(
        Words("発熱(5時間、設定が1.75℃上がる)", "a fever of five hours (set point +1.75 K)"),
        300,
        480,
        {"pyrogen_k": 1.75},
    ),
}
"""Durations and strengths are middles of the ranges drawn there; a flush is at its full strength, as a weaker one is
hardly felt, and the room is two standard deviations above comfort. The fever ends within the course, as most of its
heat is felt when it breaks."""


def typical_person(known: KnownBody) -> Persons:
    """Return one person with the body that is known, and for the rest the median of age band and sex.

    Notes
    -----
    Body fat is 1.20 BMI + 0.23 age − 10.8 male − 5.4, without its scatter of 4.1 % (Deurenberg et al. 1991).
    """
    age = USUAL_AGE_Y if known.age_y is None else known.age_y
    female = bool(known.female)
    band = int(np.clip(np.searchsorted(AGE_BANDS_Y, age, side="right") - 1, 0, len(AGE_BANDS_Y) - 2))
    height = HEIGHT_QUARTILES_CM[female][band][1] / 100 if known.height_m is None else known.height_m
    weight = WEIGHT_QUARTILES_KG[female][band][1] if known.weight_kg is None else known.weight_kg
    body = {"height_m": height, "weight_kg": weight, "age_y": age}
    body = {name: float(np.clip(value, *RANGES[name][:2])) for name, value in body.items()}
    fat = 1.20 * body["weight_kg"] / body["height_m"] ** 2 + 0.23 * body["age_y"] - 10.8 * (not female) - 5.4
    ranges = {name: default_parameters()[name] for name in DRAWN_EVENLY}
    return Persons.one(
        **body,
        fat_percent=float(np.clip(fat, *RANGES["fat_percent"][:2])),
        female=female,
        **{name: (one.low + one.high) / 2 for name, one in ranges.items()},
    )


def typical_scenario(way: Pathway, person: Persons) -> Scenario:
    """Return what happens to a person under one way: twenty quiet minutes, then its driver."""
    driver = DRIVERS[way]
    end_s = min(BEGINS_S + 60 * driver.lasts_min, 60 * driver.course_min)
    return replace(
        find_scenario("nothing"),
        id=str(way),
        title=driver.name,
        duration_s=60 * driver.course_min,
        step_s=60.0,
        fine_step_s=10.0,
        baseline_s=BEGINS_S,
        persons=person,
        events=(Event(driver.name, BEGINS_S, end_s, 0.0, driver.values),),
    )


def own_scenario(name: str, person: Persons, only: str) -> Scenario:
    """Return a scenario that comes along, with another person in it and only the events that set one input.

    Raises
    ------
    ValueError
        If none of its events does.
    """
    scenario = find_scenario(name)
    events = tuple(event for event in scenario.events if only in event.values)
    if not events:
        raise ValueError(f"no event of {name!r} sets {only!r}")
    return replace(scenario, persons=person, events=events)

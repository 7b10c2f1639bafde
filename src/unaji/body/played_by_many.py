"""A scenario that happens to many different people: its middle course for a picture, and how far people differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unaji.body.counterfactual import LEAST_FELT, baseline_step
from unaji.body.forcing import Forcing
from unaji.body.persons import Persons
from unaji.body.played import input_at
from unaji.body.scenario import Scenario
from unaji.body.simulate import simulate
from unaji.body.spread import Spread
from unaji.body.state import NeckState
from unaji.body.what_if import WATCHED
from unaji.records.timeline import FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class PlayedByMany:
    """What a scenario did to many persons, each of whom met it alone.

    Attributes
    ----------
    forcing : Forcing
    courses : NeckState
        Of every person, shape (n_persons, n_times).
    state : NeckState
        A neck of medians, each output at each time by itself, of one "person".
    before, peak : int
        Steps of both: the last before anything happens, and that of the highest felt heat, or of the largest change of
        the nape's skin where most feel hardly any; of the medians, and the same for everybody.
    """

    scenario: Scenario
    forcing: Forcing
    courses: NeckState
    state: NeckState
    before: int
    peak: int

    def input_at(self, name: str, step: int) -> float:
        """Return an input at a step of `state`."""
        return input_at(self.forcing, self.state, name, step)

    def at_peak(self, name: str) -> Spread:
        """Return an output at the moment that counts."""
        return Spread.of(self.courses[name][:, self.peak])

    def change(self, name: str) -> Spread:
        """Return by how much an output has changed by then, each person against themselves."""
        return Spread.of(self.courses[name][:, self.peak] - self.courses[name][:, self.before])

    def ratio(self, name: str) -> Spread:
        """Return how many times its own earlier value an output has by then."""
        return Spread.of(self.courses[name][:, self.peak] / self.courses[name][:, self.before])

    def highest(self, name: str) -> Spread:
        """Return the highest value of an output on the whole way, each person's own."""
        return Spread.of(self.courses[name].max(axis=1))


def play_by_many(scenario: Scenario, persons: Persons, outputs: Sequence[str] = WATCHED) -> PlayedByMany:
    """Play a scenario through with these persons in place of its own.

    Parameters
    ----------
    scenario : Scenario
    persons : Persons
    outputs : sequence of str
        What is kept of them; felt heat and the temperature of the nape's skin have to be among it.
    """
    forcing = scenario.forcing()
    same = np.zeros(len(persons), dtype=np.int64)
    courses = simulate(persons, forcing.persons(same), dt_s=scenario.fine_step_s, outputs=outputs)
    state = NeckState(courses.time_s, {name: np.median(courses[name], axis=0)[None, :] for name in outputs})
    before = baseline_step(state.time_s, scenario.baseline_s)
    peak = before + _peak(state["felt_heat"][0, before:], state["nape_skin_temp_c"][0, before:])
    return PlayedByMany(scenario, forcing, courses, state, before, peak)


def _peak(felt: FloatArray, nape_c: FloatArray) -> int:
    """Return the step that counts, by the rule of `unaji.body.played.play`."""
    if felt.max() - felt[0] >= LEAST_FELT:
        return int(felt.argmax())
    return int(np.abs(nape_c - nape_c[0]).argmax())

"""A scenario played through: its course, its two moments worth a picture, who carried the heat, what it hangs on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unaji.body.anatomy import BODY_PARAMETERS
from unaji.body.counterfactual import LEAST_FELT, Attribution, Quantity, attribute_episode, baseline_step
from unaji.body.drives import PARAMETER_NAMES
from unaji.body.forcing import Forcing
from unaji.body.persons import Persons
from unaji.body.scenario import Scenario
from unaji.body.simulate import simulate
from unaji.body.state import OUTPUTS, NeckState
from unaji.claims.parameters import Mark, Parameter, Parameters, default_parameters
from unaji.records.timeline import FloatArray

UNCERTAIN = (Mark.ASSUMPTION, Mark.RECALLED)
SPREAD_LANES = 2


@dataclass(frozen=True, slots=True)
class Leaning:
    """How far a result hangs on one uncertain parameter: the result at both ends of the parameter's range."""

    parameter: Parameter
    at_low: float
    at_high: float

    @property
    def spread(self) -> float:
        """Distance of the two results."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, eq=False, slots=True)
class Played:
    """What a scenario did to its person, the first one where there are several.

    Attributes
    ----------
    forcing : Forcing
    state : NeckState
        Every output.
    before, peak : int
        Steps of `state`: the last before anything happens, and that of the highest felt heat, or of the largest
        change of the nape's skin where hardly any heat is felt.
    hangs_on : tuple of Leaning
        Uncertain parameters, the one that matters most first: by felt heat at its highest where heat is felt, else by
        the largest change of the nape's skin [K]. Empty where it was not asked for.
    """

    scenario: Scenario
    forcing: Forcing
    state: NeckState
    attribution: Attribution
    before: int
    peak: int
    hangs_on: tuple[Leaning, ...]

    @property
    def is_felt(self) -> bool:
        """Whether heat is felt worth speaking of."""
        return is_felt(self.attribution)

    def input_at(self, name: str, step: int) -> float:
        """Return an input at a step of `state`."""
        return input_at(self.forcing, self.state, name, step)


def input_at(forcing: Forcing, state: NeckState, name: str, step: int) -> float:
    """Return an input that all persons share at a step of a state."""
    k = int(np.searchsorted(forcing.end_s, state.time_s[step] - 1e-6))
    return float(forcing[name][..., k].flat[0])


def play(scenario: Scenario, parameters: Parameters | None = None, *, with_leanings: bool = True) -> Played:
    """Play a scenario through; what it hangs on takes most of the time and may be left out."""
    parameters = default_parameters() if parameters is None else parameters
    persons, forcing = scenario.persons[:1], scenario.forcing()
    dt_s, baseline_s = scenario.fine_step_s, scenario.baseline_s
    state = simulate(persons, forcing, dt_s=dt_s, outputs=tuple(OUTPUTS), parameters=parameters)
    attribution = attribute_episode(persons, forcing, baseline_s=baseline_s, dt_s=dt_s, parameters=parameters)
    peak_s = attribution.when_s[Quantity.FELT_PEAK if is_felt(attribution) else Quantity.NAPE][0]
    before = baseline_step(state.time_s, baseline_s)
    peak = int(np.searchsorted(state.time_s, peak_s))
    leanings = _leanings(persons, forcing, baseline_s, parameters, felt=is_felt(attribution)) if with_leanings else ()
    return Played(scenario, forcing, state, attribution, before, peak, leanings)


def is_felt(attribution: Attribution, person: int = 0) -> bool:
    """Whether heat is felt worth speaking of."""
    return bool(attribution.totals[Quantity.FELT_PEAK][person] >= LEAST_FELT)


def _leanings(
    person: Persons, forcing: Forcing, baseline_s: float, parameters: Parameters, *, felt: bool
) -> tuple[Leaning, ...]:
    """Move each uncertain parameter to both ends of its range, one at a time, all in one batch.

    The few parameters of thermoregulation that a whole batch shares stay as they are.
    """
    names = [name for name in (*PARAMETER_NAMES, *BODY_PARAMETERS) if parameters[name].mark in UNCERTAIN]
    n = SPREAD_LANES * len(names)
    own = {name: np.full(n, value[0]) for name, value in person.traits.items()}
    for k, name in enumerate(names):
        lane = own.setdefault(name, np.full(n, np.nan))
        lane[SPREAD_LANES * k : SPREAD_LANES * (k + 1)] = parameters[name].low, parameters[name].high
    same = np.zeros(n, dtype=np.int64)
    crowd = replace(person[same], traits=own)
    name = "felt_heat" if felt else "nape_skin_temp_c"
    state = simulate(crowd, forcing.persons(same), outputs=(name,), parameters=parameters)
    result = _result(state[name], state.time_s, baseline_s, felt=felt).reshape(-1, SPREAD_LANES)
    found = [Leaning(parameters[one], low, high) for one, (low, high) in zip(names, result.tolist(), strict=True)]
    return tuple(sorted(found, key=lambda one: -one.spread))


def _result(course: FloatArray, time_s: FloatArray, baseline_s: float, *, felt: bool) -> FloatArray:
    start = baseline_step(time_s, baseline_s)
    if felt:
        return np.asarray(course[:, start:].max(axis=1))
    change = course[:, start:] - course[:, start, None]
    return np.take_along_axis(change, np.abs(change).argmax(axis=1)[:, None], axis=1)[:, 0]

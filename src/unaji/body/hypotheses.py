"""What would have been measured, had the heat come this way? Each pathway as a hypothesis, simulated.

A pathway is a driver of unknown strength on top of what was recorded around the episode, acting on a person of whom
only some parameters are known. Both are drawn many times, simulated from three hours before the onset to forty minutes
after it, and compared with the same person without the driver. Draws in which the driver brings no heat that can be
felt count little: that heat was felt is all an episode says by itself.

Figures marked [R] were read in a source, those marked [A] are assumptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from unaji.body.context import END_MIN, FINE_MIN, N_STEPS, STEP_S, WINDOWS_MIN, Context, within
from unaji.body.hypothesis_drivers import (
    PATHWAYS,
    Channels,
    Driver,
    IntArray,
    KnownBody,
    Lanes,
    any_moment,
    draw_driver,
    draw_persons,
    driven,
    forcing_over,
    recorded,
)
from unaji.body.persons import Persons
from unaji.body.simulate import Simulation
from unaji.claims.model import Pathway
from unaji.claims.parameters import default_parameters
from unaji.records.timeline import FloatArray

N_DRAWS = 64
N_REFERENCE = 8 * N_DRAWS
"""Moments of which nothing is recorded: how often each driver brings heat that can be felt is taken from them."""
MOST_CONTEXTS = 40
"""Episodes simulated in one batch; more at once would only take more memory."""

NOTICED, NOTICED_SPREAD = 0.5, 0.2
"""Felt heat (0 to 10) that a driver must add to be written down, and how sharp that limit is [A]."""
TOO_WARM, TOO_WARM_SPREAD = 2.4, 0.5
"""The same for the warmth a person is in all over: half are dissatisfied 4.5 K above comfort (predicted mean vote 1.5,
ISO 7730:2005 [R]), where the model's nape is 1.6 K warmer and 2.4 is felt."""
TENDER_SHARE = 0.5
"""A neck that is loaded day after day is half as sensitised as one whose nerves alone make the heat [A]."""
TENDER_K = 0.3
"""Warming of the skin at which tender endings answer fully [A]."""
UNEXPLAINED = 0.004
"""Share of episodes logged whatever the model says is felt."""


class Sensor(StrEnum):
    """What can be measured; in windows around the onset, but for the last two."""

    NAPE = "nape"  # skin [K]
    WRIST = "wrist"  # skin [K]
    FINGER = "finger"  # skin [K]
    PULSE = "pulse"  # [1/min]
    CONDUCTANCE = "conductance"  # logarithm of skin conductance
    CORE = "core"  # body temperature [K]
    PRESSURE_PAIN = "pressure_pain"  # logarithm of the pressure-pain threshold


IN_WINDOWS = (Sensor.NAPE, Sensor.WRIST, Sensor.FINGER, Sensor.PULSE, Sensor.CONDUCTANCE)


@dataclass(frozen=True, eq=False, slots=True)
class Predicted:
    """What each pathway predicts around one episode, as differences from the same person without its driver.

    Attributes
    ----------
    windows : mapping of Sensor to ndarray, shape (n_pathways, n_draws, n_windows)
        In the order of `Pathway` and of `WINDOWS_MIN`.
    core_near_k, core_far_k : ndarray, shape (n_pathways, n_draws)
        Core at the episode, and the highest that a thermometer may find within half a day.
    pressure_pain : ndarray, shape (n_pathways, n_draws)
        Logarithm of the pressure-pain threshold over the person's usual one.
    weight : ndarray, shape (n_pathways, n_draws)
        How well each draw explains that heat was felt; each row sums to 1.
    log_felt : ndarray, shape (n_pathways,)
        Logarithm of how often the driver is felt under what was recorded, over how often at any moment.
    """

    windows: Mapping[Sensor, FloatArray]
    core_near_k: FloatArray
    core_far_k: FloatArray
    pressure_pain: FloatArray
    weight: FloatArray
    log_felt: FloatArray


# -- running it --------------------------------------------------------------------------------------------------------

_OUTPUTS = (
    "nape_skin_temp_c", "mean_skin_temp_c", "finger_skin_temp_c", "core_temp_c", "hr_bpm", "eda_proxy",
    "pressure_pain_threshold_kpa",
)  # fmt: skip
_Courses = dict[str, FloatArray]
_EARLY = slice(0, int(np.searchsorted(END_MIN, FINE_MIN, side="right")))
_LATE = slice(_EARLY.stop, N_STEPS)


SUDDEN = (Pathway.VASCULAR, Pathway.SENSORY)
"""Their drivers begin within twenty minutes before the onset; the others' may take hours."""


class _Runs(NamedTuple):
    """Courses without any driver, and under each pathway, each output of shape (n_lanes, N_STEPS)."""

    base: _Courses
    driven: dict[Pathway, _Courses]


def _run(lanes: Lanes) -> _Runs:
    """Simulate every hypothesis from the same settled persons; what begins late shares its past with the base."""
    base = recorded(lanes)
    settled = Simulation(lanes.persons, forcing_over(base, slice(0, 1)))
    at_onset = settled.copy()
    early = _courses(at_onset, base, _EARLY)

    def sudden(channels: Channels) -> _Courses:
        late = _courses(at_onset.copy(), channels, _LATE)
        return {name: np.concatenate((early[name], late[name]), axis=1) for name in _OUTPUTS}

    def slow(channels: Channels) -> _Courses:
        return _courses(settled.copy(), channels, slice(0, N_STEPS))

    courses = {way: (sudden if way in SUDDEN else slow)(channels) for way, channels in driven(lanes, base).items()}
    return _Runs(sudden(base), courses)


def _undriven(lanes: Lanes) -> _Courses:
    """Return the courses under what was recorded alone."""
    channels = recorded(lanes)
    return _courses(Simulation(lanes.persons, forcing_over(channels, slice(0, 1))), channels, slice(0, N_STEPS))


def _courses(simulation: Simulation, channels: Channels, steps: slice) -> _Courses:
    return dict(simulation.run(forcing_over(channels, steps), dt_s=60.0, outputs=_OUTPUTS).values)


class _Comfort(NamedTuple):
    """Nape and mean skin of a person in comfort, shape (n_persons, 1)."""

    nape_c: FloatArray
    mean_c: FloatArray


def _comfort(persons: Persons, driver: Driver) -> _Comfort:
    """Return the skin of persons who sit in the middle of the range of comfort."""
    lanes = Lanes(persons, driver, (Context(),), (0,) * len(persons))
    channels = recorded(lanes)
    simulation = Simulation(persons, forcing_over(channels, slice(0, 1)))
    found = _courses(simulation, channels, slice(0, 1))
    return _Comfort(found["nape_skin_temp_c"], found["mean_skin_temp_c"])


# -- what is felt ------------------------------------------------------------------------------------------------------

_AROUND_ONSET = within(FINE_MIN, 15)
LASTS_STEPS = 5
"""Heat is written down when it lasts for minutes; these steps are of a minute each."""
_HOURS_BEFORE = END_MIN <= -60


def _felt_warmth(course: _Courses, base: _Courses, comfort: _Comfort, persons: Persons) -> FloatArray:
    """Return the heat felt for five minutes around the onset by the nape's temperature and speed, shape (n_lanes,).

    The equations of `unaji.body.sensation` with one change: skin counts as warm against a comfortable room, or against
    the hours before where these were cooler. Against the neutral skin of an unclothed person, which the set points are,
    nobody would feel warm in a room below 30 °C.
    """
    nape, mean = course["nape_skin_temp_c"], course["mean_skin_temp_c"]
    before = (
        base[name][:, _HOURS_BEFORE].mean(axis=1, keepdims=True) for name in ("nape_skin_temp_c", "mean_skin_temp_c")
    )
    nape_k = nape - np.minimum(comfort.nape_c, next(before))
    mean_k = mean - np.minimum(comfort.mean_c, next(before))
    warm, cool, whole, speed, threshold = (
        _trait(persons, name)[:, None]
        for name in ("warm_gain", "cool_gain", "mean_gain", "dynamic_warm", "warm_threshold")
    )
    z = warm * np.maximum(nape_k, 0.0) + cool * np.minimum(nape_k, 0.0) + whole * (nape_k - mean_k)
    warming_k_s = np.maximum(np.diff(nape, axis=1, prepend=nape[:, :1]) / STEP_S, 0.0)
    feeling = 8.0 / (1.0 + np.exp(-np.clip(z, -50.0, 50.0))) - 4.0 + speed * warming_k_s
    felt = np.maximum(feeling - 2.0 * warm * threshold, 0.0)[:, _AROUND_ONSET]
    lasting = np.lib.stride_tricks.sliding_window_view(felt, LASTS_STEPS, axis=1).mean(axis=2)
    return np.asarray(lasting.max(axis=1))


def _felt_without_warmth(warmth: FloatArray, driver: Driver, persons: Persons) -> FloatArray:
    """Return what sensitised and ectopic nerves add: h_Q Q + h_P P z_att + warmth · g_s (P + Z)/2."""
    amplified = warmth * _amplified(driver, persons)
    ectopic = _trait(persons, "felt_ectopic") * _trait(persons, "ectopic_gain") * driver.ectopic
    tender = _trait(persons, "felt_peripheral") * _trait(persons, "attention") * driver.peripheral
    return np.asarray(amplified + ectopic + tender)


def _felt_when_tender(warmth: FloatArray, course: _Courses, base: _Courses, lanes: Lanes) -> FloatArray:
    """Return what tender nerve endings make of a warming too small to be felt by others: h_P P z_att."""
    warming_k = (course["nape_skin_temp_c"] - base["nape_skin_temp_c"])[:, _AROUND_ONSET].max(axis=1)
    answered = np.clip(warming_k / TENDER_K, 0.0, 1.0)
    tender = _trait(lanes.persons, "felt_peripheral") * _trait(lanes.persons, "attention") * lanes.driver.peripheral
    return np.asarray(warmth * _amplified(lanes.driver, lanes.persons) + answered * tender)


def _amplified(driver: Driver, persons: Persons) -> FloatArray:
    """Return g_s (P + Z)/2."""
    return np.asarray(_trait(persons, "felt_sensitised") * (driver.peripheral + driver.central) / 2.0)


def _trait(persons: Persons, name: str) -> FloatArray:
    return persons.trait(name, default_parameters()[name].value)


def _noticed(runs: _Runs, comfort: _Comfort, lanes: Lanes) -> FloatArray:
    """Return how likely each draw's driver makes somebody log heat, times its importance, shape (n_pathways, n_lanes).

    A driver is asked for what it adds; heat load for all that is felt, since it is what the person is in.
    """
    base = _felt_warmth(runs.base, runs.base, comfort, lanes.persons)
    added = []
    for pathway, course in runs.driven.items():
        felt = _felt_warmth(course, runs.base, comfort, lanes.persons)
        if pathway is Pathway.SENSORY:
            felt = felt + _felt_without_warmth(felt, lanes.driver, lanes.persons)
        elif pathway is Pathway.MUSCLE:
            felt = felt + TENDER_SHARE * _felt_when_tender(felt, course, runs.base, lanes)
        if pathway is Pathway.HEAT_LOAD:
            added.append((felt - TOO_WARM) / TOO_WARM_SPREAD)
        else:
            added.append((felt - base - NOTICED) / NOTICED_SPREAD)
    excess = np.stack(added)
    noticed = UNEXPLAINED + (1.0 - UNEXPLAINED) / (1.0 + np.exp(-np.clip(excess, -50.0, 50.0)))
    noticed[list(runs.driven).index(Pathway.HEAT_LOAD)] *= lanes.driver.importance
    return np.asarray(noticed)


# -- what is measured --------------------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """Differences from the base, all of shape (n_pathways, n_lanes, …)."""

    windows: dict[Sensor, FloatArray]
    core_near_k: FloatArray
    core_far_k: FloatArray
    pressure_pain: FloatArray


FEVER_REACHED = 0.95
"""Share of the set point's rise that the core reaches: +1.8 to +2.05 K for 2 K in JOS-3 [R]."""
LASTING_SHARE = 0.3
"""Share of central sensitisation that is not in the person's usual pressure-pain threshold already [A]."""

_IN_WINDOW = np.stack([np.where(within(*window), STEP_S, 0.0) for window in WINDOWS_MIN])
_SHARE = _IN_WINDOW / _IN_WINDOW.sum(axis=1, keepdims=True)


def _seen(runs: _Runs, lanes: Lanes, *, usual: _Courses | None = None) -> _Seen:
    """Return what sensors would show against the same moment without the driver, and of heat load against `usual`."""
    bases = [usual if usual and way is Pathway.HEAT_LOAD else runs.base for way in runs.driven]
    courses, d = tuple(runs.driven.values()), lanes.driver
    differ = {name: np.stack([c[name] - b[name] for c, b in zip(courses, bases, strict=True)]) for name in _OUTPUTS}
    nerve = _log_ratio("eda_proxy", courses, bases)
    hand, core = differ["finger_skin_temp_c"], differ["core_temp_c"]
    share = d.hand_in_wrist[:, None]
    sensors = {
        Sensor.NAPE: differ["nape_skin_temp_c"],
        Sensor.WRIST: share * hand + (1.0 - share) * differ["mean_skin_temp_c"],
        Sensor.FINGER: hand,
        Sensor.PULSE: differ["hr_bpm"],
        Sensor.CONDUCTANCE: d.conductance_power[:, None] * nerve,
    }
    near = core @ _SHARE[2:].mean(axis=0)
    far = core.max(axis=2)
    order = list(runs.driven)
    far[order.index(Pathway.CORE)] = FEVER_REACHED * d.pyrogen
    pain = _log_ratio("pressure_pain_threshold_kpa", courses, bases)[..., -1]
    sensitised = _sensitised_threshold(d, lanes.persons)
    pain[order.index(Pathway.SENSORY)] = sensitised
    pain[order.index(Pathway.MUSCLE)] += TENDER_SHARE * sensitised
    return _Seen({name: value @ _SHARE.T for name, value in sensors.items()}, near, far, pain)


def _log_ratio(name: str, courses: Sequence[_Courses], bases: Sequence[_Courses]) -> FloatArray:
    return np.stack([np.log(c[name] / b[name]) for c, b in zip(courses, bases, strict=True)])


def _sensitised_threshold(driver: Driver, persons: Persons) -> FloatArray:
    """Return the logarithm of the threshold over the usual one: ln((1 − k_P P − k_Z Z)/(1 − k_Z (1 − s) Z))."""
    peripheral = _trait(persons, "ppt_peripheral") * driver.peripheral
    central = _trait(persons, "ppt_central") * driver.central
    return np.asarray(np.log((1.0 - peripheral - central) / (1.0 - (1.0 - LASTING_SHARE) * central)))


# -- front door --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class Hypotheses:
    """The pathways as hypotheses about one person: draw once, then ask for each episode.

    Attributes
    ----------
    any_moment : Predicted
        Under nothing recorded.
    """

    _persons: Persons
    _driver: Driver
    _comfort: _Comfort
    _noticed: FloatArray
    any_moment: Predicted

    @classmethod
    def of(cls, body: KnownBody, rng: Generator, *, n_draws: int = N_DRAWS) -> Hypotheses:
        """Draw persons and drivers, and simulate moments of which nothing is recorded."""
        persons = draw_persons(body, rng, n_draws)
        repeats = N_REFERENCE // N_DRAWS
        everybody = persons[np.tile(np.arange(n_draws), repeats)]
        driver = draw_driver(rng, everybody)
        # The same persons dress and wear their sensors in the same way.
        comfort = _comfort(everybody, driver)
        lanes = Lanes(everybody, driver, any_moment(driver), tuple(range(len(everybody))))
        runs = _run(lanes)
        noticed = _noticed(runs, comfort, lanes)
        # Of moments of which nothing is recorded, the usual is all a measurement can be compared with.
        seen = _seen(
            runs, lanes, usual=_undriven(lanes._replace(contexts=(Context(),), context_of=(0,) * len(everybody)))
        )
        reference = _predicted(seen, noticed, np.zeros(len(noticed)))
        return cls(persons, _rows(driver, n_draws), _Comfort(*(c[:n_draws] for c in comfort)), noticed, reference)

    def around(self, contexts: Sequence[Context]) -> tuple[Predicted, ...]:
        """Return what each pathway predicts in each context; where nothing was recorded, that of any moment."""
        asked = [k for k, context in enumerate(contexts) if context.says_something]
        found: list[Predicted] = [self.any_moment] * len(contexts)
        for first in range(0, len(asked), MOST_CONTEXTS):
            part = asked[first : first + MOST_CONTEXTS]
            for k, predicted in zip(part, self._batch([contexts[k] for k in part]), strict=True):
                found[k] = predicted
        return tuple(found)

    def _batch(self, contexts: list[Context]) -> Iterator[Predicted]:
        n, times = len(self._persons), len(contexts)
        again = np.tile(np.arange(n), times)
        of = tuple(int(k) for k in np.repeat(np.arange(times), n))
        lanes = Lanes(self._persons[again], _rows(self._driver, again), tuple(contexts), of)
        comfort = _Comfort(*(c[again] for c in self._comfort))
        runs = _run(lanes)
        noticed, seen = _noticed(runs, comfort, lanes), _seen(runs, lanes)
        for k, context in enumerate(contexts):
            rows = slice(k * n, (k + 1) * n)
            own = _Seen({s: v[:, rows] for s, v in seen.windows.items()}, *(v[:, rows] for v in seen[1:]))
            yield _predicted(own, noticed[:, rows], self._log_felt(context, noticed[:, rows]))

    def _log_felt(self, context: Context, noticed: FloatArray) -> FloatArray:
        """Compare with any moment: by the same draws, but where what was recorded is what drives, by all of them."""
        same = np.log(noticed.mean(axis=1) / self._noticed[:, : noticed.shape[1]].mean(axis=1))
        all_of_them = np.log(noticed.mean(axis=1) / self._noticed.mean(axis=1))
        order = list(PATHWAYS)
        heat, muscle = order.index(Pathway.HEAT_LOAD), order.index(Pathway.MUSCLE)
        same[heat] = all_of_them[heat] if context.knows_heat else 0.0
        same[muscle] = all_of_them[muscle] if context.knows_load else 0.0
        return np.asarray(same)


def _rows(driver: Driver, rows: int | IntArray) -> Driver:
    chosen = slice(0, rows) if isinstance(rows, int) else rows
    return Driver(*(value[chosen] for value in driver))


def _predicted(seen: _Seen, noticed: FloatArray, log_felt: FloatArray) -> Predicted:
    return Predicted(*seen, noticed / noticed.sum(axis=1, keepdims=True), log_felt)

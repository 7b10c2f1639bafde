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
from unaji.body.quasi import Columns, nets
from unaji.body.sensation import felt_amplified, felt_tender
from unaji.body.simulate import Simulation
from unaji.claims.model import Pathway
from unaji.claims.parameters import default_parameters
from unaji.records.timeline import FloatArray

N_NETS = 4
"""Independent sets of draws: how far they differ tells the Monte-Carlo error."""
N_DRAWS, N_MOST = 64, 512
"""Draws an episode is simulated with at first, and where these leave its pathway uncertain. All `N_MOST` are drawn at
once and simulated in moments of which nothing is recorded: from these follows how often each driver brings heat that
can be felt."""
N_DIMENSIONS, N_DRIVER_DIMENSIONS = 256, 64
"""At least as many numbers as make a person and a driver, and a driver alone."""
MOST_LANES = 2560
"""Simulated in one batch; more at once would only take more memory."""
SETTLING_S, SETTLING_STEP_S = 43_200.0, 600.0
"""How long whoever is asked has been resting before. What half a day leaves unsettled is the same with and without the
driver."""

NOTICED, NOTICED_SPREAD = 0.5, 0.2
"""Felt heat (0 to 10) that a driver must add to be written down, and how sharp that limit is [A]."""
TOO_WARM_K, TOO_WARM_SPREAD_K = 0.92, 0.19
"""How far the skin of the neck's front and sides is above comfort when half of people are too warm all over, and how
sharp that limit is: 26, 51 and 77 % are dissatisfied 3, 4.5 and 6 K above comfort (predicted mean vote 1, 1.5 and 2,
ISO 7730:2005 [R]), where the model has that skin 0.66, 0.92 and 1.15 K warmer, ± 0.12 K between people. It is bare as
the nape is, and no collar warms it."""
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
    noticed : ndarray, shape (n_pathways, n_draws)
        How likely each draw's driver makes somebody log heat, times how much the draw counts.
    log_felt : ndarray, shape (n_pathways,)
        Logarithm of how often the driver is felt under what was recorded, over how often at any moment.
    log_felt_without : ndarray, shape (N_NETS, n_pathways)
        The same without the draws of one net, of which each holds every `N_NETS`-th draw.
    """

    windows: Mapping[Sensor, FloatArray]
    core_near_k: FloatArray
    core_far_k: FloatArray
    pressure_pain: FloatArray
    noticed: FloatArray
    log_felt: FloatArray
    log_felt_without: FloatArray

    @property
    def weight(self) -> FloatArray:
        """How well each draw explains that heat was felt, shape (n_pathways, n_draws); each row sums to 1."""
        return np.asarray(self.noticed / self.noticed.sum(axis=1, keepdims=True))


def without_net(n_draws: int) -> list[IntArray]:
    """Return for each net the draws of the others."""
    return [np.flatnonzero(np.arange(n_draws) % N_NETS != net) for net in range(N_NETS)]


# -- running it --------------------------------------------------------------------------------------------------------

_OUTPUTS = (
    "nape_skin_temp_c", "mean_skin_temp_c", "finger_skin_temp_c", "core_temp_c", "hr_bpm", "eda_proxy",
    "pressure_pain_threshold_kpa", "felt_heat_thermal", "neck_skin_temp_c",
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
    settled = _settled(lanes.persons, base)
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
    return _courses(_settled(lanes.persons, channels), channels, slice(0, N_STEPS))


def _settled(persons: Persons, channels: Channels) -> Simulation:
    start = forcing_over(channels, slice(0, 1))
    return Simulation(persons, start, settling_s=SETTLING_S, settling_step_s=SETTLING_STEP_S)


def _courses(simulation: Simulation, channels: Channels, steps: slice) -> _Courses:
    return dict(simulation.run(forcing_over(channels, steps), dt_s=60.0, outputs=_OUTPUTS).values)


def _comfort_c(persons: Persons, driver: Driver) -> FloatArray:
    """Return the neck's skin, front and sides, in the middle of the range of comfort, shape (n_persons,)."""
    lanes = Lanes(persons, driver, (Context(),), (0,) * len(persons))
    channels = recorded(lanes)
    return _courses(_settled(persons, channels), channels, slice(0, 1))["neck_skin_temp_c"][:, 0]


# -- what is felt ------------------------------------------------------------------------------------------------------

_AROUND_ONSET = within(FINE_MIN, 15)
LASTS_STEPS = 5
"""Heat is written down when it lasts for minutes; these steps are of a minute each."""


def _felt_warmth(course: _Courses) -> FloatArray:
    """Return the heat that the simulator says is felt by temperature for five minutes near the onset, (n_lanes,)."""
    felt = course["felt_heat_thermal"][:, _AROUND_ONSET]
    lasting = np.lib.stride_tricks.sliding_window_view(felt, LASTS_STEPS, axis=1).mean(axis=2)
    return np.asarray(lasting.max(axis=1))


def _felt_without_warmth(warmth: FloatArray, driver: Driver, persons: Persons) -> FloatArray:
    """Return what sensitised and ectopic nerves add to this warmth."""
    ectopic = _trait(persons, "felt_ectopic") * _trait(persons, "ectopic_gain") * driver.ectopic
    return np.asarray(_amplified(warmth, driver, persons) + ectopic + _tender(driver, persons))


def _felt_when_tender(warmth: FloatArray, course: _Courses, base: _Courses, lanes: Lanes) -> FloatArray:
    """Return what tender nerve endings make of a warming too small to be felt by others."""
    warming_k = (course["nape_skin_temp_c"] - base["nape_skin_temp_c"])[:, _AROUND_ONSET].max(axis=1)
    answered = np.clip(warming_k / TENDER_K, 0.0, 1.0)
    driver, persons = lanes.driver, lanes.persons
    return np.asarray(_amplified(warmth, driver, persons) + answered * _tender(driver, persons))


def _amplified(warmth: FloatArray, driver: Driver, persons: Persons) -> FloatArray:
    return felt_amplified(warmth, _trait(persons, "felt_sensitised"), driver.peripheral, driver.central)


def _tender(driver: Driver, persons: Persons) -> FloatArray:
    return felt_tender(driver.peripheral, _trait(persons, "felt_peripheral"), _trait(persons, "attention"))


def _trait(persons: Persons, name: str) -> FloatArray:
    return persons.trait(name, default_parameters()[name].value)


def _noticed(runs: _Runs, comfort_c: FloatArray, lanes: Lanes) -> FloatArray:
    """Return how likely each draw's driver makes somebody log heat, times its importance, shape (n_pathways, n_lanes).

    A driver is asked for what it adds; heat load for all that is felt, since it is what the person is in, and for being
    too warm all over: skin gets used to a warm room, the person does not.
    """
    base = _felt_warmth(runs.base)
    added = []
    for pathway, course in runs.driven.items():
        felt = _felt_warmth(course)
        if pathway is Pathway.SENSORY:
            felt = felt + _felt_without_warmth(felt, lanes.driver, lanes.persons)
        elif pathway is Pathway.MUSCLE:
            felt = felt + TENDER_SHARE * _felt_when_tender(felt, course, runs.base, lanes)
        if pathway is Pathway.HEAT_LOAD:
            added.append(np.maximum((felt - NOTICED) / NOTICED_SPREAD, _too_warm(course, comfort_c)))
        else:
            added.append((felt - base - NOTICED) / NOTICED_SPREAD)
    excess = np.stack(added)
    noticed = UNEXPLAINED + (1.0 - UNEXPLAINED) / (1.0 + np.exp(-np.clip(excess, -50.0, 50.0)))
    noticed[list(runs.driven).index(Pathway.HEAT_LOAD)] *= lanes.driver.importance
    return np.asarray(noticed)


def _too_warm(course: _Courses, comfort_c: FloatArray) -> FloatArray:
    """Return how far skin is beyond the limit of warmth all over around the onset, in units of that limit's spread."""
    neck_c = course["neck_skin_temp_c"][:, _AROUND_ONSET].mean(axis=1)
    return np.asarray((neck_c - comfort_c - TOO_WARM_K) / TOO_WARM_SPREAD_K)


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
    _comfort_c: FloatArray
    _noticed: FloatArray
    any_moment: Predicted

    @classmethod
    def of(cls, body: KnownBody, rng: Generator, *, n_draws: int = N_MOST) -> Hypotheses:
        """Draw persons and drivers, and simulate moments of which nothing is recorded; `N_NETS` · 2^k draws."""
        uniform = nets(rng, N_NETS, n_draws // N_NETS, N_DIMENSIONS)
        # The first dimensions are the most even ones, and drivers differ in more than persons do.
        persons = draw_persons(body, Columns(uniform[N_DRIVER_DIMENSIONS:]), n_draws)
        driver = draw_driver(Columns(uniform[:N_DRIVER_DIMENSIONS]), persons)
        # The same persons dress and wear their sensors in the same way.
        comfort_c = _comfort_c(persons, driver)
        lanes = Lanes(persons, driver, any_moment(driver), tuple(range(n_draws)))
        runs = _run(lanes)
        noticed = _noticed(runs, comfort_c, lanes)
        # Of moments of which nothing is recorded, the usual is all a measurement can be compared with.
        usual = _undriven(lanes._replace(contexts=(Context(),), context_of=(0,) * n_draws))
        nothing = np.zeros(len(PATHWAYS))
        reference = Predicted(*_seen(runs, lanes, usual=usual), noticed, nothing, np.tile(nothing, (N_NETS, 1)))
        return cls(persons, driver, comfort_c, noticed, reference)

    def around(
        self, contexts: Sequence[Context], n_draws: int = N_DRAWS, begun: Sequence[Predicted] = ()
    ) -> tuple[Predicted, ...]:
        """Return what each pathway predicts in each context; where nothing was recorded, that of any moment.

        Parameters
        ----------
        contexts : sequence of Context
        n_draws : int, optional
            So many of the draws are simulated, from the first on; `N_NETS` · 2^k of them.
        begun : sequence of Predicted, optional
            What the first of these draws have predicted already in these contexts, the same number in each.
        """
        asked = [k for k, context in enumerate(contexts) if context.says_something]
        found: list[Predicted] = [self.any_moment] * len(contexts)
        first_draw = begun[asked[0]].noticed.shape[1] if begun and asked else 0
        at_once = max(MOST_LANES // (n_draws - first_draw), 1)
        for first in range(0, len(asked), at_once):
            part = asked[first : first + at_once]
            new = self._batch([contexts[k] for k in part], np.arange(first_draw, n_draws))
            for k, further in zip(part, new, strict=True):
                found[k] = self._predicted(contexts[k], *(_joined(begun[k], *further) if first_draw else further))
        return tuple(found)

    def _batch(self, contexts: list[Context], draws: IntArray) -> Iterator[tuple[_Seen, FloatArray]]:
        """Simulate some of the draws in each context: what is seen, and how likely each is noticed."""
        times, n = len(contexts), draws.size
        again = np.tile(draws, times)
        of = tuple(int(k) for k in np.repeat(np.arange(times), n))
        lanes = Lanes(self._persons[again], _rows(self._driver, again), tuple(contexts), of)
        runs = _run(lanes)
        noticed, seen = _noticed(runs, self._comfort_c[again], lanes), _seen(runs, lanes)
        for k in range(times):
            rows = slice(k * n, (k + 1) * n)
            windows = {sensor: value[:, rows] for sensor, value in seen.windows.items()}
            yield _Seen(windows, *(value[:, rows] for value in seen[1:])), noticed[:, rows]

    def _predicted(self, context: Context, seen: _Seen, noticed: FloatArray) -> Predicted:
        usual = self._noticed
        without = [
            _log_felt(context, noticed[:, few], usual[:, all_])
            for few, all_ in zip(without_net(noticed.shape[1]), without_net(usual.shape[1]), strict=True)
        ]
        return Predicted(*seen, noticed, _log_felt(context, noticed, usual), np.stack(without))


def _joined(begun: Predicted, seen: _Seen, noticed: FloatArray) -> tuple[_Seen, FloatArray]:
    """Put what further draws show behind what the first ones have shown."""

    def both(first: FloatArray, then: FloatArray) -> FloatArray:
        return np.concatenate((first, then), axis=1)

    together = _Seen(
        {sensor: both(begun.windows[sensor], value) for sensor, value in seen.windows.items()},
        both(begun.core_near_k, seen.core_near_k),
        both(begun.core_far_k, seen.core_far_k),
        both(begun.pressure_pain, seen.pressure_pain),
    )
    return together, both(begun.noticed, noticed)


def _log_felt(context: Context, noticed: FloatArray, at_any_moment: FloatArray) -> FloatArray:
    """Compare with any moment: by the same draws, but where what was recorded is what drives, by all of them."""
    same = np.log(noticed.mean(axis=1) / at_any_moment[:, : noticed.shape[1]].mean(axis=1))
    all_of_them = np.log(noticed.mean(axis=1) / at_any_moment.mean(axis=1))
    order = list(PATHWAYS)
    heat, muscle = order.index(Pathway.HEAT_LOAD), order.index(Pathway.MUSCLE)
    same[heat] = all_of_them[heat] if context.knows_heat else 0.0
    same[muscle] = all_of_them[muscle] if context.knows_load else 0.0
    return np.asarray(same)


def _rows(driver: Driver, rows: IntArray) -> Driver:
    return Driver(*(value[rows] for value in driver))

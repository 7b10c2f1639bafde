"""Which of the five ways carried the heat? The episode is run again without each of them, in every combination.

Five drivers act on the neck: vessels, surroundings and work, core, muscle, senses. Each is left in or replaced by its
reference, which makes 32 courses of one person; they run as one batch. What a driver adds, averaged over all orders in
which the five could have joined, is its Shapley share (see `unaji.body.shapley`).

What a driver consists of:

- vascular: flush, noradrenaline at the skin's vessels, hot flash, the needle's axon reflex, inflammation's dilation,
  and the part of sweating that follows arousal. Their gains are set to 0.
- heat load: air, radiation, humidity, wind, air pressure, clothing, collar, sun, work and posture of the body. They
  stay as in the first step, in which the person has been resting.
- core: fever, the clock, stress hyperthermia. No pyrogen, the clock stands, no such heat.
- muscle: load by head, arms and tension, and what adrenaline, nerves and a deep needle do to the muscle's flow.
- sensory: sensitisation, attention, ectopic activity, and the loss of feeling over a compressed nerve.

Stress itself is none of them: it acts through vessels, muscle and senses, and moves the heart in all 32 courses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np

from unaji.body.channels import CHANNELS
from unaji.body.drives import Param, parameter_rows
from unaji.body.forcing import Forcing
from unaji.body.persons import Persons
from unaji.body.shapley import coalitions, shapley_shares
from unaji.body.state import NeckState
from unaji.claims.model import Pathway
from unaji.claims.parameters import Parameters, default_parameters
from unaji.records.timeline import BoolArray, FloatArray

DRIVERS = (Pathway.VASCULAR, Pathway.HEAT_LOAD, Pathway.CORE, Pathway.MUSCLE, Pathway.SENSORY)
"""In the order of all arrays below: driver k is in coalition r if bit k of r is set."""
N_COALITIONS = 2 ** len(DRIVERS)

GAINS: Mapping[Pathway, tuple[Param, ...]] = MappingProxyType(
    {
        Pathway.VASCULAR: (
            Param.FLUSH_GAIN, Param.CONSTRICTION_ACRAL, Param.CONSTRICTION_NON_ACRAL, Param.CONSTRICTION_NECK,
            Param.SWEAT_SHARE, Param.FLASH_DILATION, Param.FLASH_SHUNT, Param.FLASH_SET_POINT, Param.FLASH_SWEAT,
            Param.FLASH_HEART, Param.NEEDLE_DILATION, Param.INFLAMMATION_DILATION,
        ),
        Pathway.CORE: (Param.STRESS_HEAT,),
        Pathway.MUSCLE: (
            Param.HEAD_MASS_SHARE, Param.STRESS_ACTIVITY, Param.ADRENALINE_FLOW, Param.MUSCLE_ALPHA,
            Param.NEEDLE_MUSCLE_FLOW,
        ),
        Pathway.SENSORY: (Param.SENSITISATION_RATE, Param.ECTOPIC_GAIN, Param.ATTENTION, Param.COMPRESSION_LOSS),
    }
)  # fmt: skip
"""Parameters that are 0 without a driver."""

HELD: Mapping[Pathway, tuple[str, ...]] = MappingProxyType(
    {
        Pathway.HEAT_LOAD: (
            "air_temp_c", "radiant_temp_c", "humidity_percent", "air_speed_m_s", "neck_air_temp_c", "nape_sun_w_m2",
            "collar_m2k_w", "par", "posture", *(name for name in CHANNELS if name.startswith("clothing_clo_")),
        ),
        Pathway.CORE: ("hour",),
    }
)  # fmt: skip
"""Inputs that stay as in the first step without a driver."""

ABSENT: Mapping[Pathway, tuple[str, ...]] = MappingProxyType(
    {Pathway.CORE: ("pyrogen_k",), Pathway.MUSCLE: ("arm_load",)}
)
"""Inputs that are at their default without a driver."""

PRESSURE_REMAINDER = 1e-4
"""Share of the pressure's excursions that a weather-sensitive person meets without the heat load; see `_pressed`."""

OBSERVED = (
    *("nape_skin_temp_c", "finger_skin_temp_c", "core_temp_c", "hr_bpm"),
    *("pressure_pain_threshold_kpa", "emg_percent_mvc"),
)
"""What of a course can be measured."""

CHEAP = ("nape_skin_temp_c", "finger_skin_temp_c", "hr_bpm", "core_temp_c", "pressure_pain_threshold_kpa")
"""Measurements for everyday life, the simplest first."""

SENSOR_NOISE: Mapping[str, float] = MappingProxyType(
    {
        "nape_skin_temp_c": 0.2,
        "finger_skin_temp_c": 0.3,
        "core_temp_c": 0.1,
        "hr_bpm": 2.0,
        "emg_percent_mvc": 1.0,  # an assumption; the others are those of the identifiability test
    }
)
"""Standard deviation of a sensor, in the unit of the output."""
PPT_NOISE_SHARE = 0.15
"""That of the pressure-pain threshold, as a share of its value."""
LEAST_FELT = 0.05
"""Shares of the felt heat below this, of 10, are nothing to tell apart."""
SEPARATED = 2.0
"""From how many of its standard deviations on a sensor tells two ways apart in one reading."""


class Quantity(StrEnum):
    """What is shared out."""

    FELT_PEAK = "felt_heat_peak"  # felt heat at its highest, 0 to 10
    FELT_SUM = "felt_heat_hours"  # felt heat summed over time, rating × h
    NAPE = "nape_warming_k"  # nape skin at its largest change
    CORE = "core_rise_k"  # core at its largest change


class Sign(StrEnum):
    """Which way a sensor would see an observable go."""

    UP = "up"
    DOWN = "down"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Separation:
    """The measurement that best tells the two leading ways apart, at the moment of the highest felt heat.

    Attributes
    ----------
    first, second : Pathway
        The ways with the largest shares of the felt heat.
    measurement : str
        Name of an output.
    change_first, change_second : float
        What it would read above its value before, if of the two only this way acted; the other three act as they do.
    sensor_sds : float
        Difference of the two, in standard deviations of the sensor.
    """

    first: Pathway
    second: Pathway
    measurement: str
    change_first: float
    change_second: float
    sensor_sds: float

    @property
    def is_enough(self) -> bool:
        """Whether one reading tells the two apart."""
        return self.sensor_sds >= SEPARATED


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """How an episode is shared between the five drivers, for each person.

    Attributes
    ----------
    time_s : ndarray, shape (n_times,)
    felt : ndarray, shape (5, n_persons, n_times)
        Shares of the felt heat over time, in the order of `DRIVERS`.
    shares : mapping of Quantity to ndarray, shape (5, n_persons)
        Their sum is the total; a share may be negative.
    totals, rests : mapping of Quantity to ndarray, shape (n_persons,)
        What the drivers do together, and what there is without any of them.
    when_s : mapping of Quantity to ndarray, shape (n_persons,)
        At which moment of the whole episode the quantity is read; NaN for the sum over time.
    before, whole : mapping of str to ndarray, shape (n_persons,)
        For each of `OBSERVED`: its value before, and its largest change in the whole episode.
    alone : mapping of str to ndarray, shape (5, n_persons)
        The largest difference that one driver alone makes to a course without any.
    without_at_peak : mapping of str to ndarray, shape (5, n_persons)
        Its change at the highest felt heat if all drivers but one acted.
    """

    time_s: FloatArray
    felt: FloatArray
    shares: Mapping[Quantity, FloatArray]
    totals: Mapping[Quantity, FloatArray]
    rests: Mapping[Quantity, FloatArray]
    when_s: Mapping[Quantity, FloatArray]
    before: Mapping[str, FloatArray]
    whole: Mapping[str, FloatArray]
    alone: Mapping[str, FloatArray]
    without_at_peak: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    def noise(self, name: str, person: int = 0) -> float:
        """Return the standard deviation of one reading of an observable."""
        if name == "pressure_pain_threshold_kpa":
            return PPT_NOISE_SHARE * float(self.before[name][person])
        return SENSOR_NOISE[name]

    def signs(self, person: int = 0) -> dict[str, Sign]:
        """Return which way each observable goes in the whole episode, as far as its sensor would see it."""
        return {name: self._sign(name, float(self.whole[name][person]), person) for name in OBSERVED}

    def signs_alone(self, driver: Pathway, person: int = 0) -> dict[str, Sign]:
        """Return which way one driver alone moves each observable, against a course without any."""
        k = DRIVERS.index(driver)
        return {name: self._sign(name, float(self.alone[name][k, person]), person) for name in OBSERVED}

    def _sign(self, name: str, change: float, person: int) -> Sign:
        if abs(change) < self.noise(name, person):
            return Sign.NO
        return Sign.UP if change > 0 else Sign.DOWN

    def leading(self, person: int = 0) -> tuple[Pathway, ...]:
        """Return the drivers with a share in the highest felt heat that counts, the largest first, by size."""
        share = self.shares[Quantity.FELT_PEAK][:, person]
        order = np.argsort(-np.abs(share), kind="stable")
        return tuple(DRIVERS[k] for k in order if abs(share[k]) >= LEAST_FELT)

    def separation(self, person: int = 0) -> Separation | None:
        """Return the cheap measurement that best tells the two leading ways apart; None where there are not two."""
        ways = self.leading(person)
        if len(ways) < 2:
            return None
        first, second = ways[:2]

        def told(name: str) -> Separation:
            a, b = (float(self.without_at_peak[name][DRIVERS.index(other), person]) for other in (second, first))
            return Separation(first, second, name, a, b, abs(a - b) / self.noise(name, person))

        return max(map(told, CHEAP), key=lambda one: one.sensor_sds)  # the simplest where they are equal


def attribute_episode(
    persons: Persons,
    forcing: Forcing,
    *,
    baseline_s: float = 0.0,
    dt_s: float = 60.0,
    parameters: Parameters | None = None,
) -> Attribution:
    """Share out what happened to the neck of each person between the five drivers.

    Parameters
    ----------
    persons : Persons
        As for `unaji.body.simulate.simulate`; 32 times as many are simulated, in one batch.
    forcing : Forcing
        Its first step is the reference of the surroundings, and the room in which the persons have rested.
    baseline_s : float
        Until when nothing happens; changes count from there.
    dt_s : float
        Interval of the courses, which take about 2 kB a person and interval while this runs.
    parameters : Parameters, optional
        The defaults when not given.

    Notes
    -----
    Each driver's references (see `GAINS`, `HELD`, `ABSENT`) leave a driver that does not occur in the forcing exactly
    without effect, so that its shares are exactly 0. Falling air pressure reaches a weather-sensitive person through
    arousal, which is no driver, and everybody through the cooling of the skin, which belongs to the heat load.
    """
    return Coalitions(persons, forcing, parameters).attribute(forcing, baseline_s=baseline_s, dt_s=dt_s)


class Coalitions:
    """Persons settled in a room, 32 times each, ready for episodes that begin in it; settling takes most of the time.

    Parameters
    ----------
    persons : Persons
    start : Forcing
        Its first step is the room in which they have been resting for a day.
    parameters : Parameters, optional
        The defaults when not given.
    """

    def __init__(self, persons: Persons, start: Forcing, parameters: Parameters | None = None) -> None:
        from unaji.body.simulate import Simulation  # noqa: PLC0415  numba loads slowly

        parameters = default_parameters() if parameters is None else parameters
        start.check_persons(len(persons))
        self._copies = np.repeat(np.arange(len(persons)), N_COALITIONS)
        self._member = np.tile(coalitions(len(DRIVERS)), (len(persons), 1))
        everyone = persons[self._copies]
        rows = parameter_rows(parameters, everyone)
        self._sensitive = rows[Param.PRESSURE_GAIN] > 0
        _switch_off(rows, self._member)
        self._settled = Simulation(everyone, self._inputs(_first_step(start)), parameters, rows=rows)

    def attribute(self, forcing: Forcing, *, baseline_s: float = 0.0, dt_s: float = 60.0) -> Attribution:
        """Share out one episode, whose first step is the room of `start`; see `attribute_episode`."""
        state = self._settled.copy().run(self._inputs(forcing), dt_s=dt_s, outputs=("felt_heat", *OBSERVED))
        return _shared_out(state, baseline_s)

    def _inputs(self, forcing: Forcing) -> Forcing:
        return _counterfactual_inputs(forcing.persons(self._copies), self._member, self._sensitive)


def _first_step(forcing: Forcing) -> Forcing:
    return Forcing(forcing.dt_s[:1], {k: v[..., :1] if v.ndim else v for k, v in forcing.values.items()})


# -- the 32 courses ----------------------------------------------------------------------------------------------------


def _counterfactual_inputs(forcing: Forcing, member: BoolArray, sensitive: BoolArray) -> Forcing:
    """Replace the inputs of the drivers that a coalition lacks; inputs that are at their reference stay shared."""
    replaced = {}
    for k, driver in enumerate(DRIVERS):
        for name in (*HELD.get(driver, ()), *ABSENT.get(driver, ())):
            if name in forcing.values:
                own = np.atleast_1d(forcing[name])
                reference = own[..., :1] if name in HELD.get(driver, ()) else np.array([CHANNELS[name].default])
                if not _same(own, reference):
                    replaced[name] = np.where(member[:, k, None], own, reference)
    pressure = forcing["pressure_hpa"]
    if not _same(pressure, pressure[..., :1]):
        replaced["pressure_hpa"] = _pressed(pressure, member[:, DRIVERS.index(Pathway.HEAT_LOAD)], sensitive)
    return forcing.with_values(**replaced)


def _same(own: FloatArray, reference: FloatArray) -> bool:
    return bool(np.all((own == reference) | (np.isnan(own) & np.isnan(reference))))


def _pressed(pressure_hpa: FloatArray, with_heat_load: BoolArray, sensitive: BoolArray) -> FloatArray:
    """Take the pressure's effect on the skin away and leave that on the nerves.

    Excursions shrink to a ten-thousandth, and `_switch_off` makes the nerves ten thousand times as keen: the arousal
    (p_gain · (−dp/dt − threshold)₊) stays what it was. Who does not feel the weather meets no excursion at all.
    """
    start = pressure_hpa[..., :1]
    scale = np.where(with_heat_load, 1.0, np.where(sensitive, PRESSURE_REMAINDER, 0.0))[:, None]
    return np.where(scale == 1.0, pressure_hpa, start + scale * (pressure_hpa - start))


def _switch_off(rows: FloatArray, member: BoolArray) -> None:
    """Write the gains of the drivers that a coalition lacks as 0."""
    for k, driver in enumerate(DRIVERS):
        for gain in GAINS.get(driver, ()):
            rows[gain, ~member[:, k]] = 0.0
    keen = ~member[:, DRIVERS.index(Pathway.HEAT_LOAD)]  # see `_pressed`; steady pressure has no effect either way
    rows[Param.PRESSURE_GAIN, keen] /= PRESSURE_REMAINDER
    rows[Param.PRESSURE_THRESHOLD, keen] *= PRESSURE_REMAINDER


# -- sharing out -------------------------------------------------------------------------------------------------------


def _shared_out(state: NeckState, baseline_s: float) -> Attribution:
    n_times = state.time_s.size
    course = {  # (32, n_persons, n_times)
        name: np.moveaxis(state[name].reshape(-1, N_COALITIONS, n_times), 1, 0) for name in ("felt_heat", *OBSERVED)
    }
    start = baseline_step(state.time_s, baseline_s)
    change = {name: course[name] - course[name][..., start, None] for name in OBSERVED}
    felt, hours = course["felt_heat"], np.diff(state.time_s, prepend=0.0) / 3600.0
    peak = start + felt[-1, :, start:].argmax(axis=-1)
    largest = {name: start + np.abs(change[name][-1, :, start:]).argmax(axis=-1) for name in OBSERVED}
    nape, core = largest["nape_skin_temp_c"], largest["core_temp_c"]
    value = {
        Quantity.FELT_PEAK: _at(felt, peak),
        Quantity.FELT_SUM: felt @ hours,
        Quantity.NAPE: _at(change["nape_skin_temp_c"], nape),
        Quantity.CORE: _at(change["core_temp_c"], core),
    }
    single = 1 << np.arange(len(DRIVERS))
    return Attribution(
        time_s=state.time_s,
        felt=shapley_shares(felt),
        shares={what: shapley_shares(one) for what, one in value.items()},
        totals={what: one[-1] - one[0] for what, one in value.items()},
        rests={what: one[0] for what, one in value.items()},
        when_s={
            Quantity.FELT_PEAK: state.time_s[peak],
            Quantity.FELT_SUM: np.full(peak.size, np.nan),
            Quantity.NAPE: state.time_s[nape],
            Quantity.CORE: state.time_s[core],
        },
        before={name: course[name][-1, :, start] for name in OBSERVED},
        whole={name: _at(change[name][-1:], largest[name])[0] for name in OBSERVED},
        alone={name: _farthest((change[name][single] - change[name][0])[..., start:]) for name in OBSERVED},
        without_at_peak={name: _at(change[name][N_COALITIONS - 1 - single], peak) for name in OBSERVED},
    )


def baseline_step(time_s: FloatArray, baseline_s: float) -> int:
    """Return the last step of the baseline; the first one where the baseline reaches to the end."""
    step = max(int(np.searchsorted(time_s, baseline_s, side="right")) - 1, 0)
    return step if step < time_s.size - 1 else 0


def _at(course: FloatArray, moment: np.ndarray[Any, np.dtype[np.intp]]) -> FloatArray:
    """Read each person's course at that person's moment, shape (n_courses, n_persons)."""
    return np.take_along_axis(course, moment[None, :, None], axis=-1)[..., 0]


def _farthest(change: FloatArray) -> FloatArray:
    return np.take_along_axis(change, np.abs(change).argmax(axis=-1)[..., None], axis=-1)[..., 0]


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(one) for key, one in value.items()})
    array = np.array(value, dtype=float)
    array.setflags(write=False)
    return array

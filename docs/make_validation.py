"""Hold the simulator against people and write the table: docs/explanation/validation.md.

python docs/make_validation.py [folder of the shared data]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from unaji.body.counterfactual import DRIVERS, Quantity, attribute_episode
from unaji.body.drives import Param, parameter_rows
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.persons import Persons
from unaji.body.scenario import Scenario
from unaji.body.scenario_file import find_scenario
from unaji.body.simulate import Simulation, simulate
from unaji.body.state import OUTPUTS, NeckState
from unaji.claims.model import Pathway
from unaji.claims.parameters import default_parameters
from unaji.records.timeline import BoolArray, FloatArray

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "validation.md"
IDENTIFIABILITY = ROOT / "docs" / "explanation" / "identifiability.json"
"""Written by benchmarks/identifiability.py: the share of simulated people in whom the right pathway is told."""
SHARED_DATA = ROOT.parent / "shared" / "data"

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0
INF = np.inf
BASES = {
    "read": "read in the source",
    "recalled": "recalled, never gates",
    "design": "a bound of the design",
    "JOS-3": "JOS-3 0.5.0",
    "shown": "shown, no target",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is asked of the model.

    Attributes
    ----------
    low, high : float
        What is accepted, ends included; infinite where a side is open.
    basis : str
        One of `BASES`.
    measured : str
        Rows of the table of human measurements.
    measure : callable
        Returns the model's value.
    fitted : bool
        Whether a gain was set to meet it: it then shows that the numbers fit together, and predicts nothing.
    change : bool
        Whether the value is a change, which is shown with its sign.
    """

    id: str
    scenario: str
    what: str
    target: str
    low: float
    high: float
    unit: str
    digits: int
    basis: str
    measured: str
    measure: Callable[[], float]
    fitted: bool = False
    change: bool = True

    @property
    def gates(self) -> bool:
        """Whether a release needs it."""
        return self.basis not in ("recalled", "shown")

    def meets(self, value: float) -> bool:
        """Whether the value is accepted."""
        return self.low <= value <= self.high


# -- runs --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """One simulated person, with the scenario's first event at `start_s`."""

    state: NeckState
    start_s: float

    def during(self, begin_s: float, end_s: float) -> BoolArray:
        """Tell the times within a span after the event's start, its beginning left out."""
        after_s = self.state.time_s - self.start_s
        return np.asarray((after_s > begin_s + 1e-6) & (after_s <= end_s + 1e-6))

    def at(self, name: str, after_s: float) -> float:
        """Return an output some time after the event's start; it must be one of the times that were kept."""
        k = int(np.argmin(np.abs(self.state.time_s - self.start_s - after_s)))
        if abs(self.state.time_s[k] - self.start_s - after_s) > 1e-3:
            raise ValueError(f"no state was kept {after_s:g} s after the start")
        return float(self.state[name][0, k])

    def rise(self, name: str) -> FloatArray:
        """Return by how much an output exceeds its value at the event's start, at all times."""
        return np.asarray(self.state[name][0] - self.at(name, 0.0))

    def gain_percent(self, name: str) -> FloatArray:
        """Return the same as a share of that value [%]."""
        return 100 * self.rise(name) / self.at(name, 0.0)

    def rise_at(self, name: str, after_s: float) -> float:
        """Return by how much an output has risen some time after the event's start."""
        return self.at(name, after_s) - self.at(name, 0.0)

    def extreme(self, name: str, begin_s: float = 0.0, end_s: float = INF) -> float:
        """Return the change farthest from 0 within a span after the event's start."""
        changes = self.rise(name)[self.during(begin_s, end_s)]
        return float(changes[np.abs(changes).argmax()])


def run_of(scenario: Scenario, *, every_s: float = 2.0) -> Run:
    """Run a scenario; what happens begins with its first event."""
    state = simulate(scenario.persons, scenario.forcing(), dt_s=every_s, outputs=tuple(OUTPUTS))
    return Run(state, scenario.events[0].start_s if scenario.events else 0.0)


@cache
def shipped(name: str, fine_step_s: float | None = None) -> Run:
    """Run a scenario that comes along."""
    scenario = find_scenario(name)
    return run_of(scenario if fine_step_s is None else replace(scenario, fine_step_s=fine_step_s))


@cache
def stress_in_a_room_of(air_temp_c: float) -> Run:
    """Run the social stress in another room."""
    scenario = find_scenario("social_stress")
    return run_of(replace(scenario, room={**scenario.room, "air_temp_c": air_temp_c}))


@cache
def desk(*, muscles_work: bool) -> Run:
    """Run the desk day, with or without the load on the neck."""
    scenario = find_scenario("desk_day")
    load = ("flexion_deg", "forward_m", "arm_load")
    resting = [
        replace(event, values={name: value for name, value in event.values.items() if name not in load})
        for event in scenario.events
    ]
    return run_of(scenario if muscles_work else replace(scenario, events=tuple(resting)))


@cache
def rhythm() -> Run:
    """Run three days on which nothing happens and keep the last, from midnight."""
    room = find_scenario("nothing").room
    forcing = Forcing.of(3 * DAY_S, dict(room), start_hour=0.0)
    return Run(simulate(Persons.standard(), forcing, outputs=("core_temp_c",)), 2 * DAY_S)


@cache
def falling_pressure() -> tuple[NeckState, NeckState]:
    """Run a day of steady pressure and one on which it falls by 20 hPa."""
    room = dict(find_scenario("cold_front").room)
    fall = Course(np.array([0.0, DAY_S]), np.array([1015.0, 995.0]))
    steady, falling = (Forcing.of(DAY_S, room | {"pressure_hpa": p}) for p in (1015.0, fall))
    return tuple(simulate(Persons.standard(), f, outputs=tuple(OUTPUTS)) for f in (steady, falling))  # type: ignore[return-value]


def by_falling_pressure(*names: str) -> float:
    """Return the largest difference that the fall of pressure makes."""
    steady, falling = falling_pressure()
    return max(float(np.abs(falling[name] - steady[name]).max()) for name in names)


WORK_S = (8 * HOUR_S, 18 * HOUR_S)
"""Working hours of somebody on the way to myalgia; stress goes on until 22."""


@cache
def myalgia() -> Run:
    """Run sixty days of load and stress in a ready sensitiser whose muscle is poorly perfused.

    Both traits are at the edge of their range; times are counted from the last evening, an hour and a half after work.
    """
    days, evening_s = 60, 19.5 * HOUR_S

    def daily(start_s: float, end_s: float, value: float) -> Course:
        edges = (np.arange(days)[:, None] * DAY_S + np.array([start_s, end_s])).ravel()
        return Course.steps(np.append(0.0, edges), np.append(0.0, np.tile([value, 0.0], days)))

    load = {"flexion_deg": 25.0, "forward_m": 0.03, "arm_load": 0.03}
    courses: dict[str, float | Course | Pulses] = {name: daily(*WORK_S, value) for name, value in load.items()}
    courses["stress"] = daily(WORK_S[0], 22 * HOUR_S, 0.6)
    courses = {**find_scenario("desk_day").room, **courses}
    forcing = Forcing.of(days * DAY_S, courses, dt_s=600.0, fine_dt_s=60.0, start_hour=0.0)
    prone = Persons.one(flow_factor=0.7, sensitisation_rate=3.0)
    names = ("lactate_mmol_l", "pressure_pain_threshold_kpa")
    return Run(simulate(prone, forcing, dt_s=600.0, outputs=names), (days - 1) * DAY_S + evening_s)


def halved_muscle_flow_k() -> float:
    """Return by how much the nape's skin warms where the flow of the muscles under it is half, after a day."""
    persons = Persons.standard()
    rows = parameter_rows(default_parameters(), persons)
    poor = rows.copy()
    poor[Param.FLOW_FACTOR] *= 0.5
    forcing = Forcing.of(DAY_S, dict(find_scenario("desk_day").room), dt_s=300.0, fine_dt_s=300.0)
    usual, halved = (
        Simulation(persons, forcing, rows=r).run(forcing, dt_s=DAY_S, outputs=("nape_skin_temp_c",))
        for r in (rows, poor)
    )
    return float((halved["nape_skin_temp_c"] - usual["nape_skin_temp_c"])[0, -1])


def back_to_base_s() -> float:
    """Return how long muscle flow stays more than a tenth above its base after the arms are lowered."""
    run, load_s = shipped("trapezius_task", 1.0), 258.0
    low = (run.gain_percent(MUSCLE) < 10) & (run.state.time_s > run.start_s + load_s)
    return float(run.state.time_s[low][0]) - run.start_s - load_s


def fingers_before_core_k() -> float:
    """Return by how much the fingers have cooled in a fever when the core has risen by 0.2 K."""
    run = shipped("fever")
    risen = int(np.argmax(run.rise("core_temp_c") > 0.2))
    return float(run.rise("finger_skin_temp_c")[risen])


def of_the_day(pick: Callable[[FloatArray, FloatArray], float]) -> float:
    """Return something of the daily course of core temperature; `pick` is given hours and temperatures."""
    run = rhythm()
    last = run.during(0.0, DAY_S)
    return pick((run.state.time_s[last] - run.start_s) / HOUR_S, run.state["core_temp_c"][0, last])


def by_the_load(name: str) -> float:
    """Return the most by which the work of the neck's muscles raises an output on a desk day."""
    working, resting = (desk(muscles_work=w).state[name][0] for w in (True, False))
    return float((working - resting).max())


def stress_on_load_percent(name: str) -> float:
    """Return the change of an output by five minutes of stress on a static load [%]."""
    run, begun_s, ended_s = shipped("stress_under_load"), 600.0, 900.0
    return 100 * (run.at(name, ended_s) / run.at(name, begun_s) - 1)


def work_percent(after_s: float) -> float:
    """Return lactate some time after half an hour of repetitive work, above that before it [%]."""
    run, begun_s, ended_s = shipped("trapezius_task", 1.0), 4200.0, 6000.0
    return 100 * (run.at("lactate_mmol_l", ended_s + after_s) / run.at("lactate_mmol_l", begun_s) - 1)


def share_percent(name: str, driver: str) -> float:
    """Return a driver's share of the highest felt heat of a scenario [%]."""
    scenario = find_scenario(name)
    found = attribute_episode(scenario.persons, scenario.forcing(), baseline_s=scenario.baseline_s)
    peak = Quantity.FELT_PEAK
    return 100 * float(found.shares[peak][DRIVERS.index(Pathway(driver)), 0] / found.totals[peak][0])


def jos3_k(shared_data: Path) -> float:
    """Return how far the neck and the core are from JOS-3's in its steady rooms, every departure from it off."""
    import polars as pl  # noqa: PLC0415  (slow to load, and needed here only)

    from unaji.body import heat  # noqa: PLC0415
    from unaji.body.anatomy import COMPAT  # noqa: PLC0415
    from unaji.body.channels import OUTFITS_CLO  # noqa: PLC0415

    table = pl.read_csv(shared_data / "jos3_reference" / "steady_state.csv")
    clo = np.where((table["clothing"] == "light").to_numpy(), np.array(OUTFITS_CLO["light"])[:, None], 0.0)
    columns = {"air_temp_c": "ta_C", "humidity_percent": "rh_pct", "air_speed_m_s": "va_m_s", "par": "par"}
    rooms = {name: table[theirs].to_numpy() for name, theirs in columns.items()}
    inputs = heat.conditions(table.height, clothing_clo=clo, **rooms)
    got, _ = heat.steady_table(heat.heat_model(Persons.of(table.height), COMPAT), inputs)
    pairs = {"neck_skin_c": "Tsk_neck", "neck_core_c": "Tcr_neck", "pelvis_core_c": "Tcr_pelvis"}
    return max(float(np.abs(got[ours] - table[theirs].to_numpy()).max()) for ours, theirs in pairs.items())


# -- what is asked -----------------------------------------------------------------------------------------------------

NAPE, NECK, FINGER, CORE = "nape_skin_temp_c", "neck_skin_temp_c", "finger_skin_temp_c", "core_temp_c"
CHEST, NAPE_FLOW, MUSCLE = "chest_skin_temp_c", "nape_skin_flow_ml_100g_min", "superficial_muscle_flow_ml_100g_min"
NERVES = ("arousal", "plasma_noradrenaline_nmol_l", "eda_proxy", "rmssd_ms", "pain", "felt_heat")
MIN = MINUTE_S

# fmt: off
ROWS = (
    Row("V2", "mental_arithmetic", "skin sympathetic activity at 10 s", "+184 %, ± 25 %", 138, 230, "%", 0, "read",
        "H01", lambda: 100 * shipped("mental_arithmetic").rise_at("eda_proxy", 10.0), fitted=True),
    Row("V2", "mental_arithmetic", "the same, mean of 3 min", "+90 to +130 %, ± 25 %", 67.5, 162.5, "%", 0, "read",
        "H02", lambda: 100 * float(_mean("mental_arithmetic", "eda_proxy", 0, 180)), fitted=True),
    Row("V2", "mental_arithmetic", "skin flow away from the hands (nape), largest change", "unchanged, ± 10 %", -10, 10,
        "%", 1, "read", "H03",
        lambda: shipped("mental_arithmetic").extreme(NAPE_FLOW, 0, 180)
        / shipped("mental_arithmetic").at(NAPE_FLOW, 0) * 100),
    Row("V2", "mental_arithmetic", "heart rate, third minute", "+14 per min, ± 4", 10, 18, "1/min", 1, "read", "H61",
        lambda: _mean("mental_arithmetic", "hr_bpm", 120, 180), fitted=True),
    Row("V3", "sudden_anger", "plasma noradrenaline after 4 min", "+83 %, ± 25", 58, 108, "%", 0, "read", "H04",
        lambda: _gain("sudden_anger", "plasma_noradrenaline_nmol_l", 240), fitted=True),
    Row("V4", "social_stress", "finger, lowest", "falls by > 1 K", -INF, -1.0, "K", 2, "read", "H21",
        lambda: shipped("social_stress").extreme(FINGER), fitted=True),
    Row("V4", "social_stress", "upper chest, largest change", "below 0.2 K", -0.2, 0.2, "K", 2, "read", "H20",
        lambda: shipped("social_stress").extreme(CHEST)),
    Row("V4", "social_stress", "core, highest until 40 min after it", "does not rise: ≤ +0.05 K", -INF, 0.05, "K", 3,
        "read", "H19", lambda: float(shipped("social_stress").rise(CORE).max())),
    Row("V4", "social_stress", "the same in a room of 24 °C", "", -INF, 0.05, "K", 3, "shown", "",
        lambda: float(stress_in_a_room_of(24.0).rise(CORE).max())),
    Row("V4", "social_stress", "nape, largest change", "never measured", -INF, INF, "K", 2, "shown", "",
        lambda: shipped("social_stress").extreme(NAPE)),
    Row("V5", "blush", "neck front, highest", "+0.3 to +1 K", 0.3, 1.0, "K", 2, "read", "H17, H22, H25",
        lambda: shipped("blush").extreme(NECK), fitted=True),
    Row("V5", "blush", "finger, highest", "unchanged or down", -INF, 0.02, "K", 2, "read", "H21",
        lambda: float(shipped("blush").rise(FINGER).max())),
    Row("V5", "blush", "core, largest change", "below 0.02 K", -0.02, 0.02, "K", 3, "design", "",
        lambda: shipped("blush").extreme(CORE)),
    Row("V5", "blush", "nape, highest", "never measured", -INF, INF, "K", 2, "shown", "",
        lambda: shipped("blush").extreme(NAPE)),
    Row("V6", "trapezius_task", "muscle flow at the end of 4.3 min with raised arms", "+175 %, ± 30 %", 122.5, 227.5,
        "%", 0, "read", "H29", lambda: _gain("trapezius_task", MUSCLE, 258, 1.0), fitted=True),
    Row("V6", "trapezius_task", "time until it is back within a tenth of its base", "77 s, ± 30 %", 54, 100, "s", 0,
        "read", "H30", back_to_base_s, fitted=True, change=False),
    Row("V7", "stress_under_load", "muscle flow by stress on a static load", "+30 %, ± 40 %", 18, 42, "%", 0, "read",
        "H31", lambda: stress_on_load_percent(MUSCLE), fitted=True),
    Row("V7", "stress_under_load", "EMG", "+20 %, ± 40 %", 12, 28, "%", 0, "read", "H33",
        lambda: stress_on_load_percent("emg_percent_mvc"), fitted=True),
    Row("V7", "stress_under_load", "skin flow (nape)", "falls", -INF, -0.01, "%", 1, "read", "H32",
        lambda: stress_on_load_percent(NAPE_FLOW)),
    Row("V8", "trapezius_task", "lactate after 30 min of repetitive work", "+26 %, ± 50 %", 13, 39, "%", 0, "read",
        "H41", lambda: work_percent(0.0), fitted=True),
    Row("V8", "trapezius_task", "an hour later", "still raised", 1, INF, "%", 0, "read", "H41",
        lambda: work_percent(HOUR_S), fitted=True),
    Row("V9", "desk_day", "EMG, mean of the work", "below 4 %", 0.0, 4.0, "%", 1, "read", "H35",
        lambda: float(desk(muscles_work=True).state["emg_percent_mvc"][0][_at_work()].mean()), fitted=True,
        change=False),
    Row("V9", "desk_day", "EMG, highest: flow is stopped above 20 %", "never stopped", 0.0, 20.0, "%", 1, "read", "H34",
        lambda: float(desk(muscles_work=True).state["emg_percent_mvc"].max()), change=False),
    Row("V9", "desk_day", "nape, by the work of its muscles", "below +0.6 K", 0.0, 0.6, "K", 2, "design", "",
        lambda: by_the_load(NAPE)),
    Row("V10", "60 days of load", "pressure-pain threshold, evening", "143 kPa, ± 20 %", 114.4, 171.6, "kPa", 0, "read",
        "H40", lambda: myalgia().at("pressure_pain_threshold_kpa", 0.0), fitted=True, change=False),
    Row("V10", "60 days of load", "lactate, evening", "4.4 mmol/L, ± 20 %", 3.52, 5.28, "mmol/L", 2, "read", "H37",
        lambda: myalgia().at("lactate_mmol_l", 0.0), fitted=True, change=False),
    Row("V10", "60 days of load", "lactate the next morning", "", -INF, INF, "mmol/L", 2, "shown", "",
        lambda: myalgia().at("lactate_mmol_l", -11.5 * HOUR_S), change=False),
    Row("V11", "fever", "core at 4 h", "+1.8 to +2.05 K", 1.8, 2.05, "K", 2, "JOS-3", "",
        lambda: shipped("fever").rise_at(CORE, 4 * HOUR_S)),
    Row("V11", "fever", "neck at 4 h", "+1.2 to +1.6 K", 1.2, 1.6, "K", 2, "JOS-3", "",
        lambda: shipped("fever").rise_at(NECK, 4 * HOUR_S)),
    Row("V11", "fever", "finger when the core is up by 0.2 K", "has fallen", -INF, -0.1, "K", 2, "JOS-3", "",
        fingers_before_core_k),
    Row("V12", "hot_flash", "finger, highest", "rises sharply", 0.5, INF, "K", 2, "read", "H25",
        lambda: float(shipped("hot_flash").rise(FINGER).max())),
    Row("V12", "hot_flash", "neck front, highest", "+0.5 to +0.7 K, ± 50 %", 0.25, 1.05, "K", 2, "read", "H25",
        lambda: shipped("hot_flash").extreme(NECK), fitted=True),
    Row("V12", "hot_flash", "core, 15 min after its start", "falls", -INF, -0.01, "K", 3, "read", "H25",
        lambda: shipped("hot_flash").rise_at(CORE, 900.0)),
    Row("V12", "hot_flash", "heart rate, highest", "+13 %, ± 50 %", 6.5, 19.5, "%", 0, "read", "H26",
        lambda: float(shipped("hot_flash").gain_percent("hr_bpm").max()), fitted=True),
    Row("V13", "nothing", "half range of core temperature", "0.35 K, ± 0.1", 0.25, 0.45, "K", 2, "recalled", "H56",
        lambda: of_the_day(lambda _, core: float(np.ptp(core)) / 2), fitted=True, change=False),
    Row("V13", "nothing", "hour of the lowest", "4.5 h, ± 1", 3.5, 5.5, "h", 1, "recalled", "H56",
        lambda: of_the_day(lambda hour, core: float(hour[core.argmin()])), fitted=True, change=False),
    Row("V13", "nothing", "hour of the highest", "17 to 19 h", 16.0, 20.0, "h", 1, "recalled", "H56",
        lambda: of_the_day(lambda hour, core: float(hour[core.argmax()])), change=False),
    Row("V14", "scarf", "nape after 2 h", "+1 to +2 K", 1.0, 2.0, "K", 2, "design", "",
        lambda: shipped("scarf").rise_at(NAPE, 2 * HOUR_S)),
    Row("V14", "scarf", "core, largest change", "below 0.02 K", -0.02, 0.02, "K", 3, "design",
        "", lambda: shipped("scarf").extreme(CORE)),
    Row("V14", "scarf", "nape's flow at 2 h: follows the warmth, does not make it", "below double", 0, 100, "%", 0,
        "design", "", lambda: _gain("scarf", NAPE_FLOW, 2 * HOUR_S)),
    Row("V14", "scarf", "share of the highest felt heat that is the surroundings'", "environment, not vessels", 50, 150,
        "%", 0, "design", "", lambda: share_percent("scarf", "heat_load"), change=False),
    Row("V14", "blush", "share of the highest felt heat that is the vessels'", "vessels, not environment", 50, 150,
        "%", 0, "design", "", lambda: share_percent("blush", "vascular"), change=False),
    Row("V15", "20 hPa in 24 h", "nerves, hormones, pain and felt heat", "no change", 0.0, 0.0, "", 3, "read", "H48",
        lambda: by_falling_pressure(*NERVES), change=False),
    Row("V15", "20 hPa in 24 h", "nape: thinner air carries less heat away", "below 0.02 K", 0.0, 0.02, "K", 3,
        "design", "", lambda: by_falling_pressure(NAPE), change=False),
    Row("V16", "halved muscle flow", "nape", "not warmer", -0.2, 0.0, "K", 3, "design", "", halved_muscle_flow_k),
)
# fmt: on


def _gain(name: str, output: str, after_s: float, fine_step_s: float | None = None) -> float:
    run = shipped(name, fine_step_s)
    return 100 * run.rise_at(output, after_s) / run.at(output, 0.0)


def _mean(name: str, output: str, begin_s: float, end_s: float) -> float:
    run = shipped(name)
    return float(run.rise(output)[run.during(begin_s, end_s)].mean())


def _at_work() -> BoolArray:
    hours = (desk(muscles_work=True).state.time_s - 0.5 * HOUR_S) / HOUR_S
    return np.asarray(((hours > 0) & (hours <= 3)) | ((hours > 4) & (hours <= 9)))


FELT = (
    "nothing", "mental_arithmetic", "social_stress", "blush", "sudden_anger", "hot_flash", "scarf", "hot_room", "fever",
    "needling", "stress_under_load", "desk_day",
)  # fmt: skip
"""Scenarios whose felt heat is shown."""


def felt_heat(name: str) -> tuple[float, float, float]:
    """Return the highest felt heat of a scenario, when it is reached [min after the event's start] and its end's."""
    run = shipped(name)
    felt = run.state["felt_heat"][0]
    highest = int(felt.argmax())
    return float(felt[highest]), (float(run.state.time_s[highest]) - run.start_s) / MINUTE_S, float(felt[-1])


# -- the page ----------------------------------------------------------------------------------------------------------

HEAD = """# The simulated neck held against people

<!-- Written by docs/make_validation.py; change the script, not this page. -->

Every line is computed by the whole simulator, as `unaji simulate` runs it: nerves, muscle, heat balance and senses
together. The ids in the column "measured" are those of the table of human measurements that the model was designed
with; a target without one is a bound that a layered column of tissue or JOS-3 gives.

A line marked *fit* was met by setting a gain: it shows that one set of numbers fits all these studies at once, and is
no prediction. The others follow from those numbers. Lines that rest on a recalled value, and those that are only
shown, never gate a release.

| id | scenario | what | measured or asked | accepted | basis | model | met |
|---|---|---|---|---|---|---|---|
"""

MIDDLE = """
## What is felt at the nape

Felt heat from 0 to 10 in the scenarios that come along. Nobody has measured it beside the temperatures of the nape,
so there is no target but the first line: where nothing happens, no heat is felt.

| scenario | highest | minutes after its first event | at the end |
|---|---|---|---|
"""

TAIL = """
## How to read it

- **V4** and **V5** never measured the nape; what the model says there hangs on two assumptions, the nape's share of a
  flush and its constriction gain, whose sign is unknown.
- **V4**: healthy people's core does not rise in social stress. The simulated core rises a little, since cold hands
  and feet keep heat in; how much depends on the room, which the study's abstract does not tell. In a warmer room it
  rises by more than asked.
- **V6** and **V7** are run in a room of 26 °C: in light clothing at 24 °C JOS-3 has a small woman shiver a little,
  which raises the flow of the resting neck by two fifths and so makes every rise a smaller share of it.
- **V8** and **V10** rest on assumptions: the repetitive work takes 8 % of the strongest contraction; the myalgia is
  that of sixty days of ten-hour load with stress, in a person whose muscle flow is 0.7 of usual and who sensitises
  three times as readily, both at the edge of their ranges, an hour and a half after work. By the next morning the
  simulated lactate is that of rest, while patients were measured at rest: a lasting rise is not in this model.
- **V13**: the core follows its set point with the body's own inertia. With one sine for the set point either the
  lowest or the highest hour can be met exactly; its hour stands between the two.
- **V14** and **V17**: one temperature does not tell a scarf from a flush, the pattern of all that can be measured
  may.
- **V15**: thinner air carries less heat away, for everybody and whatever the nerves do.
- **Felt heat** is that of the nape alone. A blush is felt in the face; how little of it reaches the nape is the
  assumption named above. A fever is not felt as heat while it rises, and is when it breaks.
"""


def first_row(shared_data: Path) -> Row:
    """Return V1, which needs JOS-3's own output."""
    what, target = "neck and core, largest difference", "JOS-3's own output"
    measure = partial(jos3_k, shared_data)
    return Row("V1", "193 steady rooms", what, target, 0.0, 6e-4, "K", 4, "JOS-3", "", measure, change=False)


def page(shared_data: Path) -> str:
    """Return the page."""
    lines = [line(row, row.measure()) for row in (first_row(shared_data), *ROWS)]
    felt = [felt_line(name, felt_heat(name)) for name in FELT]
    return HEAD + "\n".join([*lines, *identifiability()]) + "\n" + MIDDLE + "\n".join(felt) + "\n" + TAIL


def felt_line(name: str, felt: tuple[float, float, float]) -> str:
    """Return a scenario's line of felt heat."""
    most, when_min, end = felt
    return f"| {name} | {most:.1f} | {f'{when_min:.0f}' if most >= 0.05 else '—'} | {end:.1f} |"


def line(row: Row, value: float) -> str:
    """Return a row's line."""
    fit = " (fit)" if row.fitted else ""
    met = "—" if row.basis == "shown" else "yes" if row.meets(value) else "**no**"
    basis = f"{row.basis} {row.measured}".strip()
    shown = f"{value:{'+' if row.change else ''}.{row.digits}f} {row.unit}".strip()
    cells = (row.id, row.scenario, row.what, row.target or "—", _range(row), basis, shown + fit, met)
    return f"| {' | '.join(cells)} |"


def _range(row: Row) -> str:
    if row.basis == "shown":
        return "—"
    if np.isinf(row.low):
        return f"≤ {row.high:g}"
    return f"≥ {row.low:g}" if np.isinf(row.high) else f"{row.low:g} to {row.high:g}"


def identifiability() -> list[str]:
    """Return the lines of V17: which pathway it was, told from what can be measured."""
    asked = (
        (
            "nape + core + finger + pressure pain",
            "pathway told from nape, core, finger, pain threshold",
            "≥ 85 %",
            85.0,
        ),
        ("felt heat alone", "from felt heat alone", "near chance (20 %)", 0.0),
    )
    scenario = "200 simulated people a pathway"
    if not IDENTIFIABILITY.exists():
        _, what, target, low = asked[0]
        return [f"| V17 | {scenario} | {what} | {target} | {low:g} to 100 | design | not computed yet | — |"]
    found = json.loads(IDENTIFIABILITY.read_text(encoding="utf-8"))
    lines = []
    for key, what, target, low in asked:
        value = 100 * float(found[key]["right"])
        high = 100.0 if low else 30.0
        row = Row("V17", scenario, what, target, low, high, "%", 0, "design", "", lambda: 0.0, change=False)
        lines.append(line(row, value))
    return lines


def main() -> None:
    """Write the page."""
    shared_data = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED_DATA
    if not shared_data.is_dir():
        raise SystemExit(f"{shared_data}: the folder of JOS-3's own output is not there; give it as the argument")
    PAGE.write_text(page(shared_data), encoding="utf-8")


if __name__ == "__main__":
    main()

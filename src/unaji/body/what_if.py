"""If this were so, what would become of the nape? Simulated persons meet it; a quarter of an hour later one looks.

Everybody has been resting in a comfortable room. Then, all at once, the room, the head, the mind and the collar are as
asked, and stay so; a fever has been there for six hours, long enough to stand. The state is read fifteen minutes
after the change, `MOMENT_S`, whatever was asked: one moment keeps the answers of a slider in order, so that a warmer
room never seems cooler because it was read at another time. Anger, a warm room and a scarf are felt most within 11
minutes, a bent head after 23, and adaptation takes most of it away within the hour; at fifteen minutes the mean felt
heat of each of them is 0.7 to 0.96 of its highest within half an hour, and no other moment raises the least of these
by more than 0.03.

Persons are drawn as those by whom an episode is judged (`unaji.body.hypothesis_drivers.draw_persons`); a number is the
median over them, its range goes from the 5th to the 95th percentile. Felt heat is the model's own, 0 to 10, in which
warmth below its threshold counts for nothing; nothing is scaled for a screen.

The steps leave, against steps of 2.5 s and, for a fever, 60 s, at most 18 mK at the nape's skin, 3 mK in the core
without and 16 mK with a fever, 0.05 of felt heat and 4 % of the skin's flow: each slider at its ends and all of them
together, the person who errs most of 256. A way's share of the felt heat is within 0.014. Other 256 persons would move
a median of the skin's change by 0.06 K or less (standard deviation) and one of felt heat by 0.08. A core
left to it answers in 46 ms, with a fever in 80 (medians of `benchmarks/what_if.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from unaji.body.channels import outfit
from unaji.body.counterfactual import DRIVERS, LEAST_FELT, Coalitions
from unaji.body.expected import RESTING_MET
from unaji.body.forcing import Forcing
from unaji.body.hypothesis_drivers import COMFORT_C, PAR_PER_MET, KnownBody, draw_persons
from unaji.body.links import graded, links_of_inputs
from unaji.body.persons import Persons
from unaji.body.scenario_values import CLO_M2K_W
from unaji.body.spread import Spread
from unaji.body.state import NeckState
from unaji.claims.model import Claims, Link, Pathway
from unaji.records.timeline import FloatArray

if TYPE_CHECKING:
    from unaji.body.simulate import Simulation

N_PERSONS, N_SHARED = 256, 48
"""Persons simulated, and the first of them among whose ways felt heat is shared out (32 courses each)."""

MOMENT_S, STEP_S = 900.0, 10.0
"""When the state is read after the change, and the steps until then."""
SHARED_STEP_S = 30.0
"""Steps of the courses among which felt heat is shared out."""
FEVER_S, FEVER_STEP_S = 6 * 3600.0, 600.0
"""How long a fever has lasted by the change, and the steps of that time; core has then come 98 % of its way."""

USUAL_BODY_C = 36.8
"""Core of these persons at rest, median (5 to 95 %: 36.5 to 37.3); a fever is what is asked for above it."""
COLLAR_M2K_W = 0.6 * CLO_M2K_W
"""A scarf or long hair over the nape [A]; as in the scenario of a scarf."""
PILOT_K, MOST_PYROGEN_K = 2.0, 3.0
"""Pyrogen from whose answer each person's dose follows, and the most the model is made for."""

USUAL_ROOM: Mapping[str, float] = MappingProxyType({"par": PAR_PER_MET * RESTING_MET, **outfit("light")})
"""Sitting at rest in office clothing; the clock stands still."""


@dataclass(frozen=True, slots=True)
class Slider:
    """One thing that can be asked.

    Attributes
    ----------
    low, high : float
        Ends of what may be asked, both included.
    usual : float
        Where nothing is changed.
    step : float
        Distance of two values worth telling apart.
    inputs : tuple of str
        Channels of the simulator that it sets.
    """

    unit: str
    low: float
    high: float
    usual: float
    step: float
    inputs: tuple[str, ...]


SLIDERS: Mapping[str, Slider] = MappingProxyType(
    {
        "stress": Slider("0–10", 0.0, 10.0, 0.0, 1.0, ("stress", "emotion")),
        "room_temp_c": Slider("°C", 10.0, 40.0, COMFORT_C, 0.5, ("air_temp_c",)),
        "flexion_deg": Slider("°", 0.0, 60.0, 0.0, 5.0, ("flexion_deg",)),
        "body_temp_c": Slider("°C", USUAL_BODY_C, 39.5, USUAL_BODY_C, 0.1, ("pyrogen_k",)),
        "covered": Slider("", 0.0, 1.0, 0.0, 1.0, ("collar_m2k_w",)),
    }
)
"""By the fields of `WhatIf`, in the order of the screen. Body temperature does not go below the usual one: the model
has no way to a body that is cold as a whole."""

LASTING_LINKS = ("temperature_hot_nape", "metabolites")
"""Links of these inputs that speak of what lasts for hours; a quarter of an hour makes no use of them."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is asked: what differs from resting in a comfortable room.

    Attributes
    ----------
    stress : float
        Stress and anger together, 0 (none) to 10 (as strong as can be): both inputs of the model go to a tenth of it.
    room_temp_c : float
        Air, and the surfaces around [°C], 10 to 40.
    flexion_deg : float
        Forward flexion of the head [°], 0 to 60.
    body_temp_c : float
        Body temperature of a fever that stands [°C], 36.8 (no fever) to 39.5.
    covered : bool
        Whether a scarf or hair lies over the nape.

    Raises
    ------
    ValueError
        Naming everything that is out of range.
    """

    stress: float = SLIDERS["stress"].usual
    room_temp_c: float = SLIDERS["room_temp_c"].usual
    flexion_deg: float = SLIDERS["flexion_deg"].usual
    body_temp_c: float = SLIDERS["body_temp_c"].usual
    covered: bool = False

    def __post_init__(self) -> None:
        wrong = [told for field in fields(self) if (told := _out_of_range(field.name, getattr(self, field.name)))]
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the sliders that are not at their usual place, in the order of the screen."""
        return tuple(name for name, slider in SLIDERS.items() if float(getattr(self, name)) != slider.usual)

    @property
    def fever_k(self) -> float:
        """How far the body is above its usual temperature [K]."""
        return self.body_temp_c - USUAL_BODY_C


def _out_of_range(name: str, value: float) -> str:
    """Say what is wrong with a value; "" where nothing is."""
    if name == "covered":
        return "" if isinstance(value, bool) else f"covered must be True or False, got {value!r}"
    slider = SLIDERS[name]
    if slider.low <= value <= slider.high:
        return ""
    unit = "" if name == "stress" else slider.unit if slider.unit == "°" else f" {slider.unit}"
    return f"{name} must be within {slider.low:g} to {slider.high:g}{unit}, got {value:g}{unit}"


# -- the answer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class WhatIfResult:
    """What became of the nape, a quarter of an hour after the change.

    Attributes
    ----------
    n_persons : int
        Over how many simulated persons each `Spread` is.
    flow_ratio : Spread
        Blood flow of the nape's skin over the same person's usual one.
    muscle_flow_ratio : Spread
        The same of the superficial muscle under it.
    nape_skin_c, core_c : Spread
        Temperatures [°C].
    nape_change_k, core_change_k : Spread
        Their differences from the same person's usual ones [K].
    felt_heat : Spread
        0 (none) to 10; usually there is none.
    felt_by_way : mapping of Pathway to float
        What each way carries of the felt heat, mean over the persons among whom it was shared out; their sum is the
        mean felt heat of these.
    state : NeckState
        A neck of medians, each output by itself, of one "person": usually (step 0), and at the moment (step 1).
    """

    asked: WhatIf
    n_persons: int
    flow_ratio: Spread
    muscle_flow_ratio: Spread
    nape_skin_c: Spread
    nape_change_k: Spread
    core_c: Spread
    core_change_k: Spread
    felt_heat: Spread
    felt_by_way: Mapping[Pathway, float]
    state: NeckState

    @property
    def leading(self) -> tuple[Pathway, ...]:
        """Ways that carry felt heat worth speaking of, the strongest first."""
        ways = sorted(self.felt_by_way, key=lambda way: -self.felt_by_way[way])
        return tuple(way for way in ways if self.felt_by_way[way] >= LEAST_FELT)


def what_if(asked: WhatIf, crowd: Crowd | None = None) -> WhatIfResult:
    """Answer what would become of the nape.

    Parameters
    ----------
    asked : WhatIf
    crowd : Crowd, optional
        The persons who meet it; `usual_crowd()` when not given. The same crowd and question give the same answer.
    """
    crowd = usual_crowd() if crowd is None else crowd
    usual, now = crowd.usual, crowd.after(asked)
    change = {name: Spread.of(now[name] - usual[name]) for name in ("nape_skin_temp_c", "core_temp_c")}
    ratio = {name: Spread.of(now[name] / usual[name]) for name in (_FLOW, _MUSCLE_FLOW)}
    medians = {name: np.median([usual[name], now[name]], axis=1)[None, :] for name in WATCHED}
    return WhatIfResult(
        asked=asked,
        n_persons=len(crowd.persons),
        flow_ratio=ratio[_FLOW],
        muscle_flow_ratio=ratio[_MUSCLE_FLOW],
        nape_skin_c=Spread.of(now["nape_skin_temp_c"]),
        nape_change_k=change["nape_skin_temp_c"],
        core_c=Spread.of(now["core_temp_c"]),
        core_change_k=change["core_temp_c"],
        felt_heat=Spread.of(now["felt_heat"]),
        felt_by_way=MappingProxyType(crowd.felt_by_way(asked)),
        state=NeckState(np.array([0.0, MOMENT_S]), medians),
    )


def links_of_slider(name: str, claims: Claims) -> tuple[Link, ...]:
    """Return the graded links that one slider's answer rests on, the worst proven last."""
    used = links_of_inputs(SLIDERS[name].inputs)
    return graded((link for link in used if link not in LASTING_LINKS), claims)


# -- who meets it ------------------------------------------------------------------------------------------------------

_FLOW, _MUSCLE_FLOW = "nape_skin_flow_ml_100g_min", "superficial_muscle_flow_ml_100g_min"
WATCHED = (
    "felt_heat", "pain", "core_temp_c", "nape_skin_temp_c", "nape_fat_temp_c", "superficial_muscle_temp_c",
    "deep_muscle_temp_c", "deep_neck_temp_c", "neck_skin_temp_c", "neck_artery_temp_c", "neck_vein_temp_c",
    _FLOW, _MUSCLE_FLOW, "deep_muscle_flow_ml_100g_min", "emg_percent_mvc",
)  # fmt: skip
"""Outputs that are read at the moment: the four numbers, and what a picture of the neck needs."""


class Crowd:
    """Persons who have been resting in the usual room for a day, ready for any question.

    Settling takes far longer than a question, and is done once. Nothing that is asked changes a crowd, so that threads
    may share one.

    Parameters
    ----------
    persons : Persons
    n_shared : int
        The first so many are those among whose ways felt heat is shared out.

    Attributes
    ----------
    usual : mapping of str to ndarray, shape (n_persons,)
        Each of `WATCHED` at the moment when nothing is changed.
    """

    def __init__(self, persons: Persons, n_shared: int = N_SHARED) -> None:
        from unaji.body.simulate import Simulation  # noqa: PLC0415  numba loads slowly

        self.persons = persons
        room = Forcing(np.array([STEP_S]), _inputs(WhatIf(), 1, 0))
        self._settled = Simulation(persons, room)
        self._coalitions = Coalitions(persons[:n_shared], room)
        self._n_shared = min(n_shared, len(persons))
        self._core_per_pyrogen = self._fever_answer(self._settled)
        self.usual: Mapping[str, FloatArray] = MappingProxyType(self.after(WhatIf()))

    def after(self, asked: WhatIf) -> dict[str, FloatArray]:
        """Return each of `WATCHED` at the moment, shape (n_persons,)."""
        forcing = self._forcing(asked, len(self.persons), STEP_S)
        state = self._settled.copy().run(forcing, dt_s=forcing.end_s[-1], outputs=WATCHED)
        return {name: state[name][:, -1] for name in WATCHED}

    def felt_by_way(self, asked: WhatIf) -> dict[Pathway, float]:
        """Return what each way carries of the felt heat at the moment, mean over the first persons."""
        forcing = self._forcing(asked, self._n_shared, SHARED_STEP_S)
        found = self._coalitions.attribute(forcing, dt_s=forcing.end_s[-1])
        return {way: float(found.felt[k, :, -1].mean()) for k, way in enumerate(DRIVERS)}

    def _forcing(self, asked: WhatIf, n: int, step_s: float) -> Forcing:
        """Return what happens to the first n persons: rest, with the fever if there is one, then all that is asked."""
        ill = asked.fever_k > 0
        before = np.full(round(FEVER_S / FEVER_STEP_S), FEVER_STEP_S) if ill else np.array([step_s])
        after = np.full(round(MOMENT_S / step_s), step_s)
        values = _inputs(asked, before.size, after.size)
        if ill:
            dose = np.minimum(asked.fever_k / self._core_per_pyrogen[:n], MOST_PYROGEN_K)
            values["pyrogen_k"] = np.repeat(dose[:, None], before.size + after.size, axis=1)
        return Forcing(np.concatenate((before, after)), values)

    def _fever_answer(self, simulation: Simulation) -> FloatArray:
        """Return by how much each person's core rises for a kelvin of pyrogen, once the fever stands.

        Some 0.95, by body. The dose is divided by it, so that everybody's core rises by what was asked, within 0.1 K.
        """
        steps_s = np.full(round(FEVER_S / FEVER_STEP_S), FEVER_STEP_S)
        rest = Forcing(steps_s, _inputs(WhatIf(), steps_s.size, 0))
        quiet, ill = (
            simulation.copy().run(one, dt_s=FEVER_S, outputs=_CORE)["core_temp_c"][:, -1]
            for one in (rest, rest.with_values(pyrogen_k=PILOT_K))
        )
        return np.asarray((ill - quiet) / PILOT_K)


_CORE = ("core_temp_c",)


def _inputs(asked: WhatIf, n_before: int, n_after: int) -> dict[str, FloatArray]:
    """Return all inputs but the fever's, as in the usual room for some steps and then as asked."""
    usual, now = _asked_inputs(WhatIf()), _asked_inputs(asked)
    courses = {name: np.repeat((usual[name], now[name]), (n_before, n_after)) for name in usual}
    return {name: np.asarray(value) for name, value in USUAL_ROOM.items()} | courses


def _asked_inputs(asked: WhatIf) -> dict[str, float]:
    return {
        "stress": asked.stress / 10.0,
        "emotion": asked.stress / 10.0,
        "air_temp_c": asked.room_temp_c,
        "flexion_deg": asked.flexion_deg,
        "collar_m2k_w": COLLAR_M2K_W * asked.covered,
    }


@lru_cache(maxsize=32)
def usual_crowd(body: KnownBody = KnownBody(), *, seed: int = 0, n_persons: int = N_PERSONS) -> Crowd:  # noqa: B008
    """Return a crowd that agrees with what is known of a body, settled; the last 32 that were asked for are kept.

    Parameters
    ----------
    body : KnownBody, optional
        What is not known of it is drawn from a population.
    seed : int
        The same seed draws the same persons.
    """
    return Crowd(draw_persons(body, np.random.default_rng(seed), n_persons))

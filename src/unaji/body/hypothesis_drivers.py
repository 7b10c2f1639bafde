"""Who might this person be, and what drives each pathway? Draws of all that is not recorded, and the forcing they make.

What the drivers are is an assumption of this page [A]; no study has measured them at the nape. Figures marked [R] were
read in a source. `unaji.body.hypotheses` simulates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unaji.body.channels import OUTFITS_CLO
from unaji.body.context import END_MIN, FIRST_MIN, N_STEPS, STEP_S, Context, LoggedHeat
from unaji.body.expected import NEAR_BODY_SKIN_C, RESTING_MET
from unaji.body.forcing import Forcing
from unaji.body.layout import SEGMENTS
from unaji.body.persons import RANGES, Persons, sample_persons
from unaji.claims.model import Pathway
from unaji.claims.parameters import default_parameters
from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]

COMFORT_C = 24.5
"""Middle of the range of comfort in summer clothing at 1.2 met (ISO 7730:2005) [R]."""
PAR_PER_MET = 1.25
"""1 met is 58.2 W/m², some 1.25 times the basal rate; JOS-3 has the same ratio for a sitting person [R]."""
HOUR_OF_DAY = 12.0
"""The clock stands still: a person's own usual day is taken out of what was measured, and felt by nobody."""


PATHWAYS = (Pathway.VASCULAR, Pathway.SENSORY, Pathway.MUSCLE, Pathway.HEAT_LOAD, Pathway.CORE)
"""In the order of all arrays here."""


@dataclass(frozen=True, slots=True)
class KnownBody:
    """What is known of the person's body; None is drawn from a population."""

    height_m: float | None = None
    weight_kg: float | None = None
    age_y: float | None = None
    female: bool | None = None


class Driver(NamedTuple):
    """One draw a lane of everything that is not recorded, shape (n_lanes,); times are minutes from the onset."""

    clothing: FloatArray  # times what people wear in such air
    near_body_skin: FloatArray  # share of skin in what a sensor near the body reads
    hand_in_wrist: FloatArray  # the wrist lies between hand and the skin at large
    conductance_power: FloatArray  # skin conductance follows the nerve's activity to this power
    flash: FloatArray  # 1: a hot flash, 0: a flush of emotion
    emotion: FloatArray
    stress: FloatArray
    stressed_anyway: FloatArray  # stress that goes along with another pathway
    lead: FloatArray  # from the start of a sudden driver to the logged onset
    lasts: FloatArray
    peripheral: FloatArray  # sensitisation
    central: FloatArray
    ectopic: FloatArray
    load: FloatArray
    load_if_logged: FloatArray
    flexion: FloatArray
    flexion_if_logged: FloatArray
    forward: FloatArray
    load_start: FloatArray
    pyrogen: FloatArray
    fever_start: FloatArray
    air_offset: FloatArray
    air_error: FloatArray
    air_start: FloatArray
    exertion: FloatArray
    unseen_exertion: FloatArray
    exertion_start: FloatArray
    exertion_lasts: FloatArray
    collar: FloatArray
    sun: FloatArray
    overdressed: FloatArray
    local_start: FloatArray
    logged_strength: FloatArray  # 0 to 1, within the range of each kind of logged heat
    importance: (
        FloatArray  # how much a draw of heat load counts, whose rare causes are drawn more often than they happen
    )


def draw_persons(body: KnownBody, rng: Generator, n: int) -> Persons:
    """Draw persons who agree with what is known of one; fat follows height, weight, age and sex as in a population."""
    drawn = sample_persons(n, rng)
    known = {
        name: np.full(n, np.clip(value, *RANGES[name][:2]))
        for name, value in (("height_m", body.height_m), ("weight_kg", body.weight_kg), ("age_y", body.age_y))
        if value is not None
    }
    height, weight, age = (known.get(name, getattr(drawn, name)) for name in ("height_m", "weight_kg", "age_y"))
    female = drawn.female if body.female is None else np.full(n, body.female)
    # The formula of Deurenberg et al. 1991, of which `sample_persons` has drawn the scatter too.
    fat = drawn.fat_percent + 1.20 * (weight / height**2 - drawn.weight_kg / drawn.height_m**2)
    fat += 0.23 * (age - drawn.age_y) + 10.8 * (female.astype(float) - drawn.female)
    fat = np.clip(fat, *RANGES["fat_percent"][:2])
    # Nobody has measured how far a flush reaches the nape, and who asks is no random person: the whole range counts.
    flush = {
        name: rng.uniform(default_parameters()[name].low, default_parameters()[name].high, n)
        for name in ("flush_gain", "flush_nape")
    }
    chosen = replace(drawn, height_m=height, weight_kg=weight, age_y=age, female=female, fat_percent=fat)
    return chosen.with_traits(**flush)


OFTENER = 4.0
"""So much oftener than they happen are the rare causes of heat load drawn; else a handful of draws would decide."""


def draw_driver(rng: Generator, persons: Persons) -> Driver:
    """Draw what is not recorded, once a person: how people dress, and how strong each pathway's driver is [A]."""
    n = len(persons)

    def even(low: float, high: float) -> FloatArray:
        return rng.uniform(low, high, n)

    def sometimes(chance: float, value: FloatArray) -> FloatArray:
        return np.where(rng.random(n) < chance, value, 0.0)

    importance = np.ones(n)

    def rarely(chance: float, value: FloatArray) -> FloatArray:
        """Draw a rare event more often than it happens, and let each draw count for so much less."""
        drawn = min(OFTENER * chance, 0.5)
        happens = rng.random(n) < drawn
        importance[:] *= np.where(happens, chance / drawn, (1.0 - chance) / (1.0 - drawn))
        return np.where(happens, value, 0.0)

    climacteric = persons.female & (persons.age_y >= 40) & (persons.age_y <= 62)
    return Driver(
        clothing=np.exp(rng.normal(0.0, 0.25, n)),
        near_body_skin=even(0.2, 0.4),
        hand_in_wrist=even(0.3, 0.7),
        conductance_power=even(0.1, 0.5),
        flash=(rng.random(n) < np.where(climacteric, 0.5, 0.05)).astype(float),
        emotion=even(0.3, 1.0),
        stress=even(0.0, 0.6),
        stressed_anyway=sometimes(0.4, even(0.1, 0.6)),
        lead=even(1.0, 15.0),
        lasts=np.exp(even(np.log(3.0), np.log(60.0))),
        peripheral=even(0.1, 0.8),
        central=even(0.0, 0.6),
        ectopic=sometimes(0.4, even(0.3, 1.0)),
        load=_contraction(rng, n) * np.where(rng.random(n) < 0.5, 1.0, 0.25),
        load_if_logged=_contraction(rng, n),
        flexion=even(0.0, 20.0),
        flexion_if_logged=even(15.0, 45.0),
        forward=even(0.0, 0.08),
        load_start=-np.exp(even(np.log(10.0), np.log(180.0))),
        pyrogen=even(0.5, 3.0),
        fever_start=even(-180.0, -40.0),
        air_offset=rng.normal(0.0, 3.0, n),
        air_error=rng.normal(0.0, 0.7, n),
        air_start=np.where(rng.random(n) < 0.5, float(FIRST_MIN), even(-120.0, -5.0)),
        exertion=sometimes(0.10, even(1.0, 4.0)),
        unseen_exertion=rarely(0.03, even(1.0, 4.0)),
        exertion_start=even(-40.0, -5.0),
        exertion_lasts=even(10.0, 40.0),
        collar=rarely(0.03, even(0.05, 0.25)),
        sun=rarely(0.02, even(100.0, 500.0)),
        overdressed=1.0 + rarely(0.05, even(0.4, 1.2)),
        local_start=even(-90.0, -5.0),
        logged_strength=rng.random(n),
        importance=importance,
    )


def _contraction(rng: Generator, n: int) -> FloatArray:
    """Draw a static load of the neck as a share of its strength: mostly 1 to 8 %, as EMG finds at work."""
    return np.asarray(np.minimum(np.exp(rng.normal(np.log(0.03), 0.6, n)), 0.15))


# -- the forcing under each hypothesis ---------------------------------------------------------------------------------


class Lanes(NamedTuple):
    """A batch: one lane a draw and context, so that everything has n_lanes rows."""

    persons: Persons
    driver: Driver
    contexts: tuple[Context, ...]
    context_of: tuple[int, ...]


Channels = dict[str, FloatArray]


def any_moment(driver: Driver) -> tuple[Context, ...]:
    """Return the air and the activity that each draw would be in at some moment of daily life, as if recorded."""
    air = COMFORT_C + _during(driver.air_start) * driver.air_offset[:, None]
    working = _during(driver.exertion_start, driver.exertion_lasts) * driver.exertion[:, None]
    met = RESTING_MET + working / PAR_PER_MET
    return tuple(Context(air_temp_c=a, met=m) for a, m in zip(air, met, strict=True))


def _during(start_min: FloatArray, lasts_min: FloatArray | float = np.inf) -> BoolArray:
    """Tell the steps that lie mostly within a span, shape (n_lanes, N_STEPS)."""
    middle = END_MIN - STEP_S / 120.0
    return np.asarray((middle >= start_min[:, None]) & (middle < (start_min + lasts_min)[:, None]))


def recorded(lanes: Lanes) -> Channels:
    """Return what was recorded, the middle of comfort and rest where it was not, and clothes to go with that air."""
    of, driver = list(lanes.context_of), lanes.driver
    air = np.stack([c.air_temp_c for c in lanes.contexts])[of]
    near = np.array([c.near_body for c in lanes.contexts])[of]
    share = np.where(near, driver.near_body_skin, 0.0)[:, None]
    air = np.nan_to_num((air - share * NEAR_BODY_SKIN_C) / (1.0 - share), nan=COMFORT_C)
    met = np.nan_to_num(np.stack([c.met for c in lanes.contexts])[of], nan=RESTING_MET)
    usual_air = air[:, END_MIN <= -60].mean(axis=1)
    return {
        "air_temp_c": np.clip(air, -30.0, 50.0),
        "par": np.clip(PAR_PER_MET * met, 0.8, 15.0),
        "air_speed_m_s": np.clip(0.1 + 0.3 * (met - RESTING_MET), 0.1, 2.0),
        "clothing": _worn(usual_air, driver)[:, None] * np.ones(N_STEPS),
    }


def _worn(air_c: FloatArray, driver: Driver) -> FloatArray:
    """Return clothing in light office outfits: a tenth more for each kelvin below comfort, less above it."""
    return np.asarray(np.clip(1.0 + 0.1 * (COMFORT_C - air_c), 0.4, 3.0) * driver.clothing)


def forcing_over(channels: Channels, steps: slice) -> Forcing:
    """Turn channels into a forcing over some steps; `clothing` becomes that of every dressed segment."""
    values = {name: value[:, steps] for name, value in channels.items() if name != "clothing"}
    clothing = channels["clothing"][:, steps]
    outfit = zip(SEGMENTS, OUTFITS_CLO["light"], strict=True)
    values |= {f"clothing_clo_{s}": np.clip(clo * clothing, 0.0, 6.0) for s, clo in outfit if clo}
    return Forcing(STEP_S[steps], values | {"hour": np.asarray(HOUR_OF_DAY)})


def _vascular(lanes: Lanes, base: Channels) -> Channels:
    """Emotion that flushes, with the stress that goes along; or a hot flash."""
    d = lanes.driver
    sudden = _during(-d.lead, d.lasts)
    flushed, flashed = (sudden * (d.flash == k)[:, None] for k in (0, 1))
    aroused = _during(-d.lead, d.lasts + 5.0) * (d.stress * (d.flash == 0))[:, None]
    return base | {"emotion": flushed * d.emotion[:, None], "hot_flash": flashed * 1.0, "stress": aroused}


def _sensory(lanes: Lanes, base: Channels) -> Channels:
    """Nothing that warms; only the stress that may go along. What is felt is computed by `_felt_without_warmth`."""
    d = lanes.driver
    return base | {"stress": _during(-d.lead, d.lasts) * d.stressed_anyway[:, None]}


def _muscle(lanes: Lanes, base: Channels) -> Channels:
    """Neck load: as logged where it was, else one that nobody wrote down."""
    d = lanes.driver
    logged = np.array([bool(c.load_min) for c in lanes.contexts])[list(lanes.context_of)]
    flexion = np.array([c.flexion_deg for c in lanes.contexts])[list(lanes.context_of)]
    flexion = np.where(
        np.isfinite(flexion), np.clip(flexion, 0.0, 90.0), np.where(logged, d.flexion_if_logged, d.flexion)
    )
    spans = np.stack([_any_span(c.load_min) for c in lanes.contexts])[list(lanes.context_of)]
    loaded = np.where(logged[:, None], spans, _during(d.load_start))
    load = np.where(logged, d.load_if_logged, d.load)
    return base | {
        "arm_load": loaded * load[:, None],
        "flexion_deg": loaded * flexion[:, None],
        "forward_m": loaded * d.forward[:, None],
        "stress": _during(-d.lead, d.lasts) * d.stressed_anyway[:, None],
    }


def _any_span(spans: Sequence[tuple[float, float]]) -> BoolArray:
    within = np.zeros(N_STEPS, dtype=np.bool_)
    for start, end in spans:
        within |= _during(np.array([start]), end - start)[0]
    return within


def _core(lanes: Lanes, base: Channels) -> Channels:
    """A fever that began in the hours before."""
    d = lanes.driver
    return base | {"pyrogen_k": _during(d.fever_start) * d.pyrogen[:, None]}


def _heat_load(lanes: Lanes, base: Channels) -> Channels:
    """What may warm a person at any moment, as far as it was not recorded, and the heat that was logged."""
    d, of = lanes.driver, list(lanes.context_of)
    knows_air, moves = (np.array([getattr(c, k) for c in lanes.contexts])[of] for k in ("knows_air", "knows_activity"))
    air = base["air_temp_c"] + np.where(
        knows_air[:, None], d.air_error[:, None], _during(d.air_start) * d.air_offset[:, None]
    )
    exertion = np.where(moves, d.unseen_exertion, d.exertion)[:, None] * _during(d.exertion_start, d.exertion_lasts)
    local = _during(d.local_start)
    channels = base | {
        "air_temp_c": np.clip(air, -30.0, 50.0),
        "par": base["par"] + exertion,
        "collar_m2k_w": local * d.collar[:, None],
        "nape_sun_w_m2": local * d.sun[:, None],
        "humidity_percent": np.full_like(air, 50.0),
        "hot_flash": np.zeros_like(air),
        "clothing": base["clothing"] * d.overdressed[:, None],
    }
    for k, context in enumerate(lanes.contexts):
        rows = np.flatnonzero(np.array(of) == k)
        for heat in context.heat:
            _add_logged(channels, heat, rows, d.logged_strength[rows])
    return channels


LOGGED_RANGES = {
    "hot_bath": (39.0, 41.5),  # °C of water, taken as air of that temperature in which nothing evaporates
    "hot_meal": (0.5, 1.0),  # of a hot flash: eating hot or spicy food flushes and makes the face sweat
    "exercise": (3.0, 7.0),  # PAR
    "warm_clothing": (0.05, 0.25),  # m²K/W of a collar or scarf
    "sun": (150.0, 600.0),  # W/m² absorbed by the nape
}
"""How strong logged heat may be, by kind [A]."""
MEAL_PAR = 0.8
"""Half a litre 25 K above the body brings some 50 kJ in 15 min."""


def _add_logged(channels: Channels, heat: LoggedHeat, rows: IntArray, strength: FloatArray) -> None:
    low, high = LOGGED_RANGES[heat.kind]
    steps = _any_span(((heat.start_min, heat.end_min),))
    where, value = np.ix_(rows, steps), (low + strength * (high - low))[:, None]
    if heat.kind == "hot_bath":
        channels["air_temp_c"][where] = value
        channels["humidity_percent"][where] = 98.0
        channels["clothing"][where] = 0.0
    elif heat.kind == "warm_clothing":
        channels["collar_m2k_w"][where] = np.maximum(channels["collar_m2k_w"][where], value)
    elif heat.kind == "sun":
        channels["nape_sun_w_m2"][where] = np.maximum(channels["nape_sun_w_m2"][where], value)
    elif heat.kind == "exercise":
        channels["par"][where] = np.maximum(channels["par"][where], value)
    else:
        channels["hot_flash"][where] = np.maximum(channels["hot_flash"][where], value)
        channels["par"][where] += MEAL_PAR


def driven(lanes: Lanes, base: Channels) -> dict[Pathway, Channels]:
    """Return the channels under each pathway, in the order of `PATHWAYS`."""
    under = {
        Pathway.VASCULAR: _vascular,
        Pathway.SENSORY: _sensory,
        Pathway.MUSCLE: _muscle,
        Pathway.HEAT_LOAD: _heat_load,
        Pathway.CORE: _core,
    }
    return {pathway: under[pathway](lanes, base) for pathway in PATHWAYS}

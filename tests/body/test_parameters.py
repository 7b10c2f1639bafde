"""Each number of the heat balance and of its limits, when changed, moves what it stands for, and the right way."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.anatomy import BODY_PARAMETERS
from unaji.body.channels import outfit
from unaji.body.forcing import Course, Forcing
from unaji.body.heat import LAW_PARAMETERS
from unaji.body.persons import Persons, sample_persons
from unaji.body.simulate import simulate
from unaji.claims.parameters import Part, Spread, default_parameters

OFFICE = {"air_temp_c": 24.0, **outfit("light")}
NEUTRAL = {"air_temp_c": 28.8}


def after(minutes, room=OFFICE, **changes):
    """Return a forcing that changes at the second minute, and runs for so many after it."""
    courses = {name: Course.steps([0.0, 120.0], [before, then]) for name, (before, then) in changes.items()}
    return Forcing.of(120.0 + 60.0 * minutes, room | courses, dt_s=10.0, fine_dt_s=10.0)


# Steady rooms, in which everybody has been for a day; and minutes after a change, from the office.
OFFICE_DAY = Forcing.constant(600.0, **OFFICE)
COOL = Forcing.constant(600.0, air_temp_c=27.0)
COLD = Forcing.constant(600.0, air_temp_c=8.0)
HOT = Forcing.constant(600.0, air_temp_c=38.0)
WORK_IN_HEAT = after(60, air_temp_c=(24.0, 40.0), par=(1.25, 5.0))
LIFTED_ARMS = after(5, arm_load=(0.0, 0.1))
INTO_HEAT = after(3, NEUTRAL, air_temp_c=(28.8, 42.0))
INTO_COLD = after(0.5, air_temp_c=(24.0, 5.0))
SUN = after(15, nape_sun_w_m2=(0.0, 400.0))
STRESS = after(3, stress=(0.0, 1.0))

SKIN, FLOW = "nape_skin_temp_c", "nape_skin_flow_ml_100g_min"
SUPERFICIAL, DEEP, FAT = "superficial_muscle_temp_c", "deep_muscle_temp_c", "nape_fat_temp_c"

MOVES = {
    # What makes more heat, brings more blood or conducts better warms; what stores heat or insulates does not.
    "nape_deep_muscle_mass_kg": (LIFTED_ARMS, DEEP, +1),
    "nape_superficial_muscle_mass_kg": (LIFTED_ARMS, SUPERFICIAL, +1),
    "nape_fat_mass_kg": (OFFICE_DAY, FAT, +1),
    "deep_neck_mass_kg": (COLD, DEEP, -1),
    "nape_skin_area_m2": (OFFICE_DAY, SKIN, -1),
    "nape_deep_muscle_j_k": (LIFTED_ARMS, DEEP, -1),
    "nape_superficial_muscle_j_k": (LIFTED_ARMS, SUPERFICIAL, -1),
    "nape_fat_j_k": (INTO_HEAT, FAT, -1),
    "nape_skin_j_k": (OFFICE_DAY, SKIN, +1),
    "nape_deep_muscle_mm": (OFFICE_DAY, SKIN, -1),
    "nape_superficial_muscle_mm": (OFFICE_DAY, SKIN, -1),
    "nape_fat_mm": (OFFICE_DAY, SKIN, -1),
    "nape_skin_mm": (OFFICE_DAY, SKIN, -1),
    "k_muscle_w_m_k": (OFFICE_DAY, SKIN, +1),
    "k_fat_w_m_k": (OFFICE_DAY, SKIN, +1),
    "k_skin_w_m_k": (OFFICE_DAY, SKIN, +1),
    "nape_muscle_flow_ml_100g_min": (OFFICE_DAY, SUPERFICIAL, +1),
    "nape_fat_flow_ml_100g_min": (OFFICE_DAY, FAT, +1),
    "nape_skin_flow_ml_100g_min": (OFFICE_DAY, SKIN, +1),
    "nape_muscle_heat_w_kg": (OFFICE_DAY, SUPERFICIAL, +1),
    "nape_fat_heat_w_kg": (OFFICE_DAY, FAT, +1),
    "superficial_shivering": (COLD, SUPERFICIAL, +1),
    "other_neck_skin_conductance_w_k": (OFFICE_DAY, "neck_skin_temp_c", +1),
    "dilation_scale": (HOT, FLOW, +1),
    "constriction_scale": (COOL, "finger_skin_flow_ml_100g_min", -1),
    "skin_flow_least": (COLD, FLOW, +1),
    "skin_flow_most": (WORK_IN_HEAT, FLOW, +1),
    "dilation_lag_s": (INTO_HEAT, FLOW, -1),
    "constriction_lag_s": (INTO_COLD, "finger_skin_flow_ml_100g_min", +1),
    "local_warming_lag_s": (SUN, FLOW, -1),
    "local_warming_gain": (SUN, FLOW, +1),
    "local_warming_onset_c": (SUN, FLOW, -1),
    "local_warming_span_k": (SUN, FLOW, -1),
    "rmssd_vagal": (STRESS, "rmssd_ms", -1),
}


def last(forcing, output, parameters=None, **traits):
    return simulate(Persons.one(**traits), forcing, outputs=(output,), parameters=parameters)[output][0, -1]


def test_every_parameter_of_the_heat_balance_is_read_by_bodies_or_by_their_law():
    heat = default_parameters().names(Part.HEAT)
    assert sorted(heat) == sorted((*BODY_PARAMETERS, *LAW_PARAMETERS))
    assert set(heat) <= set(MOVES)


@pytest.mark.parametrize("name", MOVES)
def test_a_parameter_moves_what_it_stands_for_the_right_way(name):
    forcing, output, sign = MOVES[name]
    known = default_parameters()
    low, high = (last(forcing, output, known.with_values(**{name: x})) for x in (known[name].low, known[name].high))
    assert sign * (high - low) > 1e-3


@pytest.mark.parametrize("name", [name for name in MOVES if name not in LAW_PARAMETERS])
def test_a_person_who_has_a_value_is_as_everybody_where_all_have_it(name):
    forcing, output, _ = MOVES[name]
    high = default_parameters()[name].high
    assert last(forcing, output, **{name: high}) == last(
        forcing, output, default_parameters().with_values(**{name: high})
    )


def test_withdrawn_tone_lets_skin_flow_grow_until_a_limit():
    """In a neutral room nothing else constricts: with half of the tone gone at most, flow doubles at most."""
    stress = after(3, NEUTRAL, stress=(0.0, 1.0))
    reacts = {"constriction_neck": -0.3, "alpha_gain": 2.0, "reactivity": 2.5}
    low, usual, high = (last(stress, FLOW, **reacts, tone_loss_most=x) for x in (0.3, 0.5, 0.7))
    rest = last(Forcing.constant(600.0, **NEUTRAL), FLOW, **reacts)
    assert low < usual < high
    assert low / rest == pytest.approx(1 / 0.7, rel=0.1)
    assert usual / rest == pytest.approx(1 / 0.5, rel=0.1)


def test_the_napes_skin_has_the_flow_that_it_is_given_and_takes_none_from_the_front():
    """In the neutral room, for the standard body: 20 mL/(100 g min) stay 20."""
    neutral = Forcing.constant(600.0, **NEUTRAL)
    outputs = (FLOW, "neck_skin_temp_c")
    usual, rich = (
        simulate(p, neutral, outputs=outputs) for p in (Persons.one(), Persons.one(nape_skin_flow_ml_100g_min=20.0))
    )
    assert rich[FLOW][0, -1] / usual[FLOW][0, -1] == pytest.approx(20 / 8.84755, rel=0.01)
    assert rich["neck_skin_temp_c"][0, -1] == pytest.approx(usual["neck_skin_temp_c"][0, -1], abs=0.01)


def test_people_drawn_differ_in_the_flow_of_their_skin_and_in_what_regulates_it():
    persons = sample_persons(200, np.random.default_rng(2))
    for name in ("nape_skin_flow_ml_100g_min", "dilation_scale", "constriction_scale", "alpha_gain", "nape_fat_mm"):
        known = default_parameters()[name]
        assert known.spread is Spread.LOG_NORMAL
        assert np.median(persons.trait(name, np.nan)) == pytest.approx(known.value, rel=0.15)
        assert persons.trait(name, np.nan).std() > 0.1 * known.value
    state = simulate(persons, OFFICE_DAY, outputs=(SKIN,))
    same = persons.with_traits(nape_skin_flow_ml_100g_min=8.84755)
    assert state[SKIN][:, -1].std() > simulate(same, OFFICE_DAY, outputs=(SKIN,))[SKIN][:, -1].std()

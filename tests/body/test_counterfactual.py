"""Shares of the five drivers: each driver's switch, sums, and an independent count by hand-made coalitions."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.counterfactual import (
    DRIVERS,
    OBSERVED,
    PPT_NOISE_SHARE,
    Coalitions,
    Quantity,
    Sign,
    attribute_episode,
)
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.persons import Persons
from unaji.body.scenario_file import find_scenario, shipped_scenarios
from unaji.body.simulate import simulate
from unaji.body.state import change
from unaji.claims.model import Pathway

ROOM = {"air_temp_c": 26.0, "humidity_percent": 50.0}
START_S, LENGTH_S = 600.0, 5_400.0


def after_start(before: float, after: float) -> Course:
    return Course.steps([0.0, START_S], [before, after])


def forcing(start_hour=None, **inputs) -> Forcing:
    return Forcing.of(LENGTH_S, ROOM | inputs, start_hour=start_hour)


def shares(inputs: Forcing, persons: Persons | None = None):
    return attribute_episode(Persons.standard() if persons is None else persons, inputs, baseline_s=START_S)


NUMB = Persons.one(attention=0.0, felt_sensitised=0.0)
"""What the muscle leaves behind sensitises; in this person that is not felt."""
ONLY = {
    "hot flash": (Pathway.VASCULAR, {"hot_flash": after_start(0, 1)}, None),
    "air": (Pathway.HEAT_LOAD, {"air_temp_c": after_start(26, 36)}, None),
    "cold": (Pathway.HEAT_LOAD, {"air_temp_c": after_start(26, 16)}, None),
    "radiation": (Pathway.HEAT_LOAD, {"radiant_temp_c": after_start(26, 45)}, None),
    "humidity": (Pathway.HEAT_LOAD, {"humidity_percent": after_start(50, 95), "air_temp_c": 33.0}, None),
    "wind": (Pathway.HEAT_LOAD, {"air_speed_m_s": after_start(0.1, 2)}, None),
    "pressure": (Pathway.HEAT_LOAD, {"pressure_hpa": after_start(1013, 700)}, None),
    "air at the neck": (Pathway.HEAT_LOAD, {"neck_air_temp_c": after_start(26, 40)}, None),
    "sun": (Pathway.HEAT_LOAD, {"nape_sun_w_m2": after_start(0, 300)}, None),
    "collar": (Pathway.HEAT_LOAD, {"collar_m2k_w": after_start(0, 0.2)}, None),
    "work": (Pathway.HEAT_LOAD, {"par": after_start(1.25, 4)}, None),
    "lying down": (Pathway.HEAT_LOAD, {"posture": after_start(1, 2)}, None),
    "coat": (Pathway.HEAT_LOAD, {"clothing_clo_chest": after_start(0, 3)}, None),
    "fever": (Pathway.CORE, {"pyrogen_k": after_start(0, 1.5)}, None),
    "clock": (Pathway.CORE, {"start_hour": 6.0}, None),
    "arms": (Pathway.MUSCLE, {"arm_load": after_start(0, 0.1)}, NUMB),
    "bent head": (Pathway.MUSCLE, {"flexion_deg": after_start(0, 30), "forward_m": after_start(0, 0.05)}, NUMB),
    "compressed nerve": (Pathway.SENSORY, {"nerve_compression": after_start(0, 0.8)}, None),
}


@pytest.mark.parametrize(("driver", "inputs", "person"), ONLY.values(), ids=ONLY)
def test_a_driver_that_acts_alone_carries_everything(driver, inputs, person):
    found = shares(forcing(**inputs), person)
    k = DRIVERS.index(driver)
    others = [j for j in range(len(DRIVERS)) if j != k]
    for quantity in Quantity:
        np.testing.assert_array_less(np.abs(found.shares[quantity][others]), 1e-12)
        np.testing.assert_allclose(found.shares[quantity][k], found.totals[quantity], atol=1e-12, rtol=0)
    assert max(abs(found.totals[quantity][0]) for quantity in Quantity) > 1e-3
    assert not np.any(np.abs(found.felt[others]) > 1e-12)


def test_the_drivers_are_the_five_pathways():
    assert set(DRIVERS) == set(Pathway)
    assert len(DRIVERS) == 5


def test_stress_acts_through_vessels_muscle_and_senses_but_is_neither_room_nor_core():
    found = shares(forcing(stress=after_start(0, 1)))
    for quantity in Quantity:
        assert found.shares[quantity][[1, 2], 0] == pytest.approx([0, 0], abs=1e-12)
    vessels, _, _, muscle, _ = found.shares[Quantity.NAPE][:, 0]
    # Constriction cools the nape, but warmth that the hands keep back makes up for it; the muscle below warms it.
    assert abs(vessels) < 0.1 * muscle
    assert found.signs()["finger_skin_temp_c"] is Sign.DOWN


def test_emotion_flushes_through_the_vessels():
    found = shares(forcing(emotion=after_start(0, 1)), Persons.one(flush_gain=4.0, flush_nape=1.0))
    assert found.shares[Quantity.NAPE][0, 0] > 0.5
    assert found.signs_alone(Pathway.VASCULAR)["nape_skin_temp_c"] is Sign.UP
    assert set(found.signs_alone(Pathway.HEAT_LOAD).values()) == {Sign.NO}


def test_stress_hyperthermia_belongs_to_the_core():
    found = shares(forcing(stress=after_start(0, 1)), Persons.one(stress_heat=1.0))
    calm = shares(forcing(stress=after_start(0, 1)))
    core = DRIVERS.index(Pathway.CORE)
    assert found.shares[Quantity.CORE][core, 0] > 0.1
    assert calm.shares[Quantity.CORE][core, 0] == 0


def test_a_needle_opens_the_skin_by_its_axon_reflex():
    found = shares(forcing(needle=Pulses(np.array([START_S]), np.array([2.0]))))
    vessels, room, core, muscle, _ = found.shares[Quantity.NAPE][:, 0]
    assert vessels > 0.05
    assert muscle != 0
    assert room == core == 0


def test_inflammation_reaches_the_skin_through_the_vessels():
    """A hypothesis that is off by default: inflammation needs the muscle's algesics and the vessels' dilation."""
    person = Persons.one(inflammation_gain=1.0, inflammation_threshold=0.3, attention=0.0, felt_sensitised=0.0)
    long = Forcing.of(8 * 3600.0, ROOM | {"arm_load": after_start(0, 0.15)})
    vessels = attribute_episode(person, long, baseline_s=START_S).shares[Quantity.NAPE][0, 0]
    assert vessels > 0.01
    assert shares(forcing(arm_load=after_start(0, 0.15)), NUMB).shares[Quantity.NAPE][0, 0] == 0


def test_falling_pressure_reaches_the_nerves_of_a_sensitive_person_without_the_heat_load():
    """What a fall of pressure does through arousal is kept when its cooling of the skin is taken away."""
    fall = forcing(pressure_hpa=Course(np.array([0.0, START_S, LENGTH_S]), np.array([1013.0, 1013.0, 1003.0])))
    keen = Persons.one(pressure_gain=1.0)
    found = shares(fall, keen)
    finger = simulate(keen, fall, outputs=("finger_skin_temp_c",))
    whole = change(finger, "finger_skin_temp_c", baseline_s=START_S).most
    assert whole < -0.5
    vessels = found.alone["finger_skin_temp_c"][DRIVERS.index(Pathway.VASCULAR), 0]
    assert vessels == pytest.approx(whole, rel=0.02)
    assert found.shares[Quantity.NAPE][[0, 3], 0].all()
    dull = shares(fall)
    assert [dull.shares[q][k, 0] for q in Quantity for k in (0, 2, 3, 4)] == [0.0] * 16


def test_shares_are_those_counted_from_four_simulations_by_hand():
    """Two drivers: each gets the mean of what it adds to nothing and to the other (Shapley 1953 for two players)."""
    flash, warm = {"hot_flash": after_start(0, 1)}, {"air_temp_c": after_start(26, 34)}
    found = shares(forcing(**flash, **warm))

    def course(**inputs):
        state = simulate(Persons.standard(), forcing(**inputs), outputs=("nape_skin_temp_c", "felt_heat"))
        return state["nape_skin_temp_c"][0] - state["nape_skin_temp_c"][0, 9], state["felt_heat"][0]

    both, by_flash, by_air, none = course(**flash, **warm), course(**flash), course(**warm), course()
    moment = int(np.abs(both[0][9:]).argmax()) + 9
    assert found.when_s[Quantity.NAPE][0] == 60.0 * (moment + 1)
    nape = [one[0][moment] for one in (both, by_flash, by_air, none)]
    expected = [(nape[1] - nape[3] + nape[0] - nape[2]) / 2, (nape[2] - nape[3] + nape[0] - nape[1]) / 2]
    assert found.shares[Quantity.NAPE][:2, 0] == pytest.approx(expected, abs=1e-10)
    total = [one[1].sum() / 60 for one in (both, by_flash, by_air, none)]
    expected = [(total[1] - total[3] + total[0] - total[2]) / 2, (total[2] - total[3] + total[0] - total[1]) / 2]
    assert found.shares[Quantity.FELT_SUM][:2, 0] == pytest.approx(expected, abs=1e-9)
    assert found.shares[Quantity.FELT_PEAK].sum() == pytest.approx(both[1].max() - none[1].max(), abs=1e-10)


@pytest.mark.parametrize("name", shipped_scenarios())
def test_the_shares_of_every_scenario_sum_to_what_happened(name):
    asked = find_scenario(name)
    inputs = asked.forcing()
    found = attribute_episode(asked.persons, inputs, baseline_s=asked.baseline_s, dt_s=asked.step_s)
    for quantity in Quantity:
        np.testing.assert_allclose(found.shares[quantity].sum(axis=0), found.totals[quantity], atol=1e-12, rtol=1e-12)
    state = simulate(asked.persons, inputs, dt_s=asked.step_s, outputs=("felt_heat", *OBSERVED))
    np.testing.assert_allclose(found.felt.sum(axis=0), state["felt_heat"], atol=1e-9)
    told = change(state, "nape_skin_temp_c", baseline_s=asked.baseline_s)
    assert found.totals[Quantity.NAPE][0] + found.rests[Quantity.NAPE][0] == pytest.approx(told.most, abs=1e-9)
    assert abs(found.rests[Quantity.NAPE][0]) < 0.01  # without any driver nothing happens
    assert abs(found.rests[Quantity.FELT_PEAK][0]) < 1e-9


def test_persons_do_not_change_each_others_shares():
    persons = Persons.join([Persons.standard(), Persons.one(age_y=60, flush_gain=3), Persons.one(female=True)])
    air = Course(np.array([0.0, START_S, LENGTH_S]), np.array([[26.0, 26, 30], [26, 26, 34], [24, 24, 24]]))
    inputs = forcing(air_temp_c=air, emotion=after_start(0, 1), arm_load=after_start(0, 0.1))
    together = shares(inputs, persons)
    for row in range(3):
        own = shares(inputs.persons([row]), persons[row])
        for quantity in Quantity:
            np.testing.assert_allclose(
                own.shares[quantity][:, 0], together.shares[quantity][:, row], atol=1e-10, rtol=0
            )
        assert own.separation() is None or own.separation().measurement == together.separation(row).measurement


def test_the_best_measurement_is_the_one_with_the_largest_difference_for_its_noise():
    inputs = forcing(air_temp_c=after_start(26, 34), nerve_compression=after_start(0, 0.5))
    found = shares(inputs)
    best = found.separation()
    assert {best.first, best.second} == {Pathway.HEAT_LOAD, Pathway.SENSORY}
    state = simulate(Persons.standard(), forcing(air_temp_c=after_start(26, 34)), outputs=OBSERVED)
    peak = int(found.when_s[Quantity.FELT_PEAK][0] / 60) - 1
    noise = {"nape_skin_temp_c": 0.2, "finger_skin_temp_c": 0.3, "core_temp_c": 0.1, "hr_bpm": 2.0,
             "pressure_pain_threshold_kpa": PPT_NOISE_SHARE * 269}  # fmt: skip
    apart = {name: abs(state[name][0, peak] - state[name][0, 9]) / sd for name, sd in noise.items()}
    assert best.measurement == max(apart, key=apart.get)
    assert best.sensor_sds == pytest.approx(apart[best.measurement], rel=0.02)
    assert best.is_enough


def test_one_way_alone_needs_nothing_to_tell_it_apart():
    assert shares(forcing(air_temp_c=after_start(26, 36))).separation() is None
    assert shares(forcing()).leading() == ()


def test_persons_who_settled_once_may_meet_one_episode_after_another():
    warm, bent = forcing(air_temp_c=after_start(26, 34)), forcing(flexion_deg=after_start(0, 30))
    settled = Coalitions(Persons.standard(), forcing())
    for inputs in (warm, bent, warm):
        found, alone = settled.attribute(inputs, baseline_s=START_S), shares(inputs)
        for quantity in Quantity:
            np.testing.assert_array_equal(found.shares[quantity], alone.shares[quantity])


def test_a_forcing_for_other_persons_is_refused():
    two = forcing(stress=np.zeros((2, forcing().n_steps)).max()).with_values(stress=np.zeros((2, forcing().n_steps)))
    with pytest.raises(ValueError, match="made for 2 persons"):
        attribute_episode(Persons.standard(), two)

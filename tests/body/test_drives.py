"""Nerves, hormones, heart and set point against measurements in people, exact solutions and what must always hold."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.body import drives
from unaji.body.drives import (
    LAGS,
    N_FACTORS,
    N_PARAMS,
    N_PAST,
    PARAMETER_NAMES,
    DriveState,
    Factor,
    Param,
    Thermal,
    neutral_thermal,
    parameter_rows,
    run_drives,
)
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.heat import neutral_coupling
from unaji.body.layout import N_SKIN, NAPE, NECK, SEGMENTS, Coupling
from unaji.body.persons import Persons
from unaji.body.sensation import SensationState
from unaji.claims.parameters import Part, default_parameters

HAND, CHEST, FOREARM = (SEGMENTS.index(name) for name in ("left_hand", "chest", "left_arm"))


def course(duration_s, inputs, persons=None, dt_s=10.0, **options):
    forcing = Forcing.of(duration_s, inputs, dt_s=dt_s, fine_dt_s=min(dt_s, 10.0))
    return run_drives(forcing, persons, **options)


def between(start_s, end_s, value=1.0):
    return Course.steps([0.0, start_s, end_s], [0.0, value, 0.0])


def at(run, channel, time_s):
    return run[channel][np.searchsorted(run.end_s, time_s)]


def rise(run, channel, before_s, after_s):
    return at(run, channel, after_s)[0] / at(run, channel, before_s)[0] - 1


def flow_factor(run, patch):
    """Skin flow against rest with temperatures held: (1 + dilation)/(1 + constriction)."""
    dilation, constriction = (run.coupling[:, row + patch, 0] for row in (Coupling.DILATION, Coupling.CONSTRICTION))
    return (1 + dilation) / (1 + constriction)


# -- the parameters ----------------------------------------------------------------------------------------------------


def test_rows_are_the_parameters_of_the_file_in_its_order():
    assert default_parameters().names(Part.DRIVES, Part.MUSCLE, Part.SENSATION) == PARAMETER_NAMES
    assert [p.value for p in Param] == list(range(N_PARAMS))
    assert Param(len(PARAMETER_NAMES)) is Param.AGE_Y


def test_a_trait_stands_in_for_the_default_in_the_units_of_the_file():
    rows = parameter_rows(default_parameters(), Persons.one(tonic_lag=30.0, weight_kg=60.0, female=True))
    assert rows[Param.TONIC_LAG, 0] == 1800.0
    assert rows[Param.WEIGHT_KG, 0] == 60.0
    assert rows[Param.FEMALE, 0] == 1.0


BUSY = {"pressure_gain": 0.5, "stress_heat": 0.5, "inflammation_gain": 0.5, "inflammation_threshold": 0.3}
TENDER = {
    "sensitisation_rate": 3.0,
    "peripheral_gain": 0.3,
    "peripheral_half": 0.5,
    "ppt_rest": 150.0,
    "ppt_peripheral": 0.6,
    "ppt_floor": 80.0,
}


def everything_at_once():
    """Return two hours in which every part of the model is at work."""
    inputs = {
        "stress": between(300, 3600, 0.4),
        "emotion": between(600, 1200, 0.5),
        "asleep": between(5400, 6300),
        "pressure_hpa": Course(np.array([0.0, 7200.0]), np.array([1013.0, 1011.0])),
        "flexion_deg": 45.0,
        "arm_load": between(600, 4000, 0.3),
        "pyrogen_k": 1.0,
        "hot_flash": between(2000, 2200),
        "needle": Pulses([3000.0], [2.0]),
        "nerve_compression": 0.5,
        "hour": 9.0,
    }
    return Forcing.of(7200.0, inputs, dt_s=60.0)


def warming(forcing, persons):
    told = np.repeat(neutral_thermal(persons)[None], forcing.n_steps, axis=0)
    told[:, Thermal.METABOLIC_W] = 300.0
    told[:, Thermal.MEAN_SKIN_C] += 0.3
    wave = np.sin(forcing.end_s / 500.0)[:, None]
    told[:, Thermal.NAPE_SKIN_C] += 1.0 + wave
    told[:, Thermal.CORE_C] += 0.2 * wave
    told[forcing.end_s > 6600, Thermal.NAPE_SKIN_C] -= 8.0  # colder than what skin can adapt to
    return told


def test_every_parameter_of_this_part_changes_the_course():
    dilating = {"constriction_neck": -0.3, "alpha_gain": 2.0, "reactivity": 2.5}  # beyond the limit of that
    base = Persons.one(age_y=50.0, female=True, **BUSY | TENDER | dilating)
    others = []
    for name in PARAMETER_NAMES:
        parameter = default_parameters()[name]
        value = base.trait(name, parameter.value)[0]
        others.append(base.with_traits(**{name: parameter.low if value == parameter.high else parameter.high}))
    persons = Persons.join([base, *others])
    forcing = everything_at_once()
    run = run_drives(forcing, persons, thermal=warming(forcing, persons))
    everything = np.concatenate([run.states, run.coupling, run.sensation], axis=1)
    changed = (everything != everything[..., :1]).any(axis=(0, 1))[1:]
    assert [name for name, seen in zip(PARAMETER_NAMES, changed, strict=True) if not seen] == []


# -- exact lags --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 600.0])
def test_every_decay_is_that_of_its_own_time_constant(dt_s):
    from unaji.body._kernels_drives import fill_factors
    from unaji.body._lanes import WIDTH

    rows = np.repeat(parameter_rows(default_parameters(), Persons.standard()), WIDTH, axis=1)
    factors = np.empty((N_FACTORS, WIDTH))
    fill_factors(rows, np.full(1 + N_PAST, dt_s), factors)
    for factor, lag in zip(Factor, LAGS, strict=False):
        assert lag.name.startswith(factor.name)
        assert factors[factor] == pytest.approx(np.exp(-dt_s / rows[lag]), rel=1e-12)
    assert factors[Factor.PLASMA] == pytest.approx(0.5 ** (dt_s / (2.2 * 60)), rel=1e-12)
    arrived = factors[Factor.RELEASE :, 0].prod()
    assert arrived == pytest.approx(np.exp(-dt_s / 4.0), rel=1e-12)  # the parts of a step make up the whole


@pytest.mark.parametrize("dt_s", [1.0, 7.0, 60.0, 600.0])
def test_lags_follow_the_analytic_solution_whatever_the_step(dt_s):
    run = course(3600.0 if dt_s > 10 else 700.0, {"stress": 0.8, "pyrogen_k": 2.0, "emotion": 0.0}, dt_s=dt_s)
    t = run.end_s
    assert run[DriveState.AROUSAL][:, 0] == pytest.approx(0.8 * (1 - np.exp(-t / 10)), abs=1e-12)
    assert run[DriveState.TONIC][:, 0] == pytest.approx(0.8 * (1 - np.exp(-t / 1200)), abs=1e-12)
    assert run[DriveState.FEVER_K][:, 0] == pytest.approx(2.0 * (1 - np.exp(-t / 2700)), abs=1e-12)


def test_arousal_falls_with_its_own_time_constant():
    run = course(700.0, {"stress": between(0.0, 100.0)}, dt_s=10.0)
    after = run.end_s > 100
    gone = run.end_s[after] - 100
    assert run[DriveState.AROUSAL][after, 0] == pytest.approx((1 - np.exp(-10)) * np.exp(-gone / 120), abs=1e-12)


@pytest.mark.parametrize("dt_s", [1.0, 1.5, 3.0, 3.6, 10.0])
@pytest.mark.parametrize("delay_s", [3.0, 3.6, 4.5])
def test_noradrenaline_arrives_after_its_delay(dt_s, delay_s):
    persons = Persons.one(junction_delay=delay_s, arousal_rise=5.0)
    run = course(60.0, {"stress": 1.0}, persons, dt_s=dt_s)
    t, tau = run.end_s, 4.0
    x = 0.7 * run[DriveState.AROUSAL][:, 0] + 0.3 * run[DriveState.TONIC][:, 0]
    # Brute force: x is held over each step; integrate its delayed copy on a grid of a millisecond.
    fine = np.arange(0.0005, t[-1], 0.001)
    step = np.searchsorted(t, np.maximum(fine - delay_s, 0.0))
    arriving = np.where(fine > delay_s, x[step], 0.0)
    for k in (0, t.size // 2, t.size - 1):
        past = fine < t[k]
        expected = np.sum(arriving[past] * np.exp(-(t[k] - fine[past]) / tau)) * 0.001 / tau
        assert run[DriveState.RELEASE][k, 0] == pytest.approx(expected, abs=2e-4)


def test_the_delay_holds_when_the_step_changes():
    forcing = Forcing(np.array([60.0, 2.0, 1.0, 1.0, 1.0, 1.0, 10.0, 1.0, 30.0]), {"stress": np.float64(1.0)})
    run = run_drives(forcing, Persons.one(arousal_rise=5.0))
    x = np.append(0.7 * run[DriveState.AROUSAL][:, 0] + 0.3 * run[DriveState.TONIC][:, 0], 0.0)
    fine = np.arange(0.0005, run.end_s[-1], 0.001)
    arriving = np.where(fine > 3.6, x[np.searchsorted(run.end_s, np.maximum(fine - 3.6, 0.0))], 0.0)
    for k, end in enumerate(run.end_s):
        past = fine < end
        expected = np.sum(arriving[past] * np.exp(-(end - fine[past]) / 4.0)) * 0.001 / 4.0
        assert run[DriveState.RELEASE][k, 0] == pytest.approx(expected, abs=2e-4)


def test_steps_shorter_or_longer_than_the_model_can_take_are_refused():
    for dt_s in (0.5, 900.0):
        with pytest.raises(ValueError, match="1 to 600 s"):
            run_drives(Forcing(np.full(3, dt_s), {}))


def test_halving_the_step_changes_little_once_the_first_minutes_have_passed():
    inputs = {"stress": 0.6, "flexion_deg": 20.0, "pyrogen_k": 1.0, "emotion": 0.3}
    coarse, fine = (
        run_drives(Forcing.of(7200.0, inputs, dt_s=dt_s, fine_dt_s=dt_s, start_hour=8.0)) for dt_s in (60.0, 30.0)
    )
    later = coarse.end_s > 300
    for channel, most in (
        (DriveState.HEART_RATE_BPM, 0.05),
        (DriveState.FLOW_SUPERFICIAL, 0.01),
        (DriveState.LACTATE_MMOL_L, 0.01),
        (DriveState.PLASMA_NA_NMOL_L, 0.02),
        (SensationState.PPT_KPA, 0.2),
        (Coupling.SET_POINT_SHIFT_K, 1e-9),
    ):
        assert np.abs(coarse[channel][later] - fine[channel][1::2][later]).max() <= most, channel


# -- measured in people ------------------------------------------------------------------------------------------------


def test_v2_mental_arithmetic_excites_skin_nerves_at_once_and_for_minutes():
    run = course(400.0, {"stress": between(60.0, 240.0)}, Persons.one(age_y=26.0), dt_s=5.0)
    task = (run.end_s > 60) & (run.end_s <= 240)
    assert at(run, DriveState.SKIN_NERVE, 70.0)[0] - 1 == pytest.approx(1.84, rel=0.25)
    assert 0.9 * 0.75 <= run[DriveState.SKIN_NERVE][task, 0].mean() - 1 <= 1.3 * 1.25
    assert flow_factor(run, FOREARM)[task] == pytest.approx(1.0, abs=0.10)
    assert flow_factor(run, HAND)[task].min() < 0.65


def test_v3_a_stress_interview_of_four_minutes_raises_plasma_noradrenaline():
    run = course(600.0, {"stress": between(60.0, 300.0)}, Persons.one(age_y=29.0))
    assert rise(run, DriveState.PLASMA_NA_NMOL_L, 60.0, 300.0) == pytest.approx(0.83, abs=0.25)
    assert at(run, DriveState.PLASMA_NA_NMOL_L, 60.0)[0] == pytest.approx(10.3 / 4.8)


def test_plasma_noradrenaline_follows_its_release_with_the_half_life():
    persons = Persons.one(arousal_rise=5.0, na_half_life=2.0)
    run = course(600.0, {"stress": 1.0}, persons, dt_s=1.0)
    x = 0.7 * run[DriveState.AROUSAL][:, 0] + 0.3 * run[DriveState.TONIC][:, 0]
    plasma, expected = 10.3 / 4.8, []
    for one in x:
        goal = 10.3 / 4.8 * (1 + 1.55 * one)
        plasma = goal + (plasma - goal) * 0.5 ** (1 / 120)
        expected.append(plasma)
    assert run[DriveState.PLASMA_NA_NMOL_L][:, 0] == pytest.approx(np.array(expected), rel=1e-10)


@pytest.mark.parametrize(("age_y", "beats"), [(27.0, 14.0), (62.0, 7.0)])
def test_mental_arithmetic_speeds_the_heart_less_in_the_old(age_y, beats):
    run = course(400.0, {"stress": between(60.0, 240.0)}, Persons.one(age_y=age_y))
    third_minute = (run.end_s > 180) & (run.end_s <= 240)
    rate = run[DriveState.HEART_RATE_BPM][:, 0]
    assert rate[third_minute].mean() - rate[0] == pytest.approx(beats, abs=2.0)


def test_heart_rate_times_stroke_volume_is_the_cardiac_output_at_rest():
    run = course(60.0, {})
    thermal = neutral_thermal(Persons.standard())
    output = run[DriveState.HEART_RATE_BPM] * run[DriveState.STROKE_VOLUME_ML] / 1000
    assert output == pytest.approx(np.full((6, 1), thermal[Thermal.CARDIAC_OUTPUT_L_MIN, 0]))
    assert 55 < run[DriveState.HEART_RATE_BPM][0, 0] < 80


@pytest.mark.parametrize(
    ("oxygen_l_min", "skin_c", "expected_ml"),
    [(0.4, 36.0, 85.0), (0.5, 33.0, 85.0), (2.0, 33.0, 130.0), (3.0, 33.0, 130.0), (1.25, 32.0, 107.5),
     (2.0, 36.0, 115.0), (2.0, 40.0, 105.0), (1.25, 35.0, 102.5)],
)  # fmt: skip
def test_stroke_volume_with_the_constants_of_scenario(oxygen_l_min, skin_c, expected_ml):
    constants = (np.array(value) for value in (1.87, 85.0, 45.0, 5.0))
    volume = drives.stroke_volume.py_func(np.array(oxygen_l_min * 341), np.array(skin_c), *constants)
    assert volume == pytest.approx(expected_ml)


def test_v15_a_passing_front_does_nothing_to_the_default_person_and_something_to_a_sensitive_one():
    fall = Course(np.array([0.0, 86_400.0]), np.array([1013.0, 993.0]))
    calm, front = (course(86_400.0, {"pressure_hpa": p}, dt_s=60.0) for p in (1013.0, fall))
    keep = [s for s in DriveState if not s.name.startswith("PRESSURE")]
    assert np.array_equal(calm.states[:, keep], front.states[:, keep])
    assert np.array_equal(calm.coupling, front.coupling)
    assert np.array_equal(calm.sensation, front.sensation)
    sensitive = course(86_400.0, {"pressure_hpa": fall}, Persons.one(pressure_gain=1.0), dt_s=60.0)
    assert sensitive[DriveState.AROUSAL][-1, 0] == pytest.approx(20 / 24 - 0.5, abs=0.01)


def test_v13_the_set_point_is_lowest_at_four_and_without_a_clock_it_stays():
    forcing = Forcing.of(86_400.0, {}, dt_s=60.0, start_hour=0.0)
    shift = run_drives(forcing)[Coupling.SET_POINT_SHIFT_K][:, 0]
    hours = forcing["hour"]
    assert np.ptp(shift) / 2 == pytest.approx(0.35, abs=0.001)
    assert hours[shift.argmin()] == pytest.approx(4.0, abs=0.02)
    assert shift == pytest.approx(-0.35 * np.cos(2 * np.pi * (hours - 4.0) / 24), abs=1e-12)
    assert not run_drives(Forcing(np.full(3, 60.0), {}))[Coupling.SET_POINT_SHIFT_K].any()


def test_fever_listens_to_antipyretics_and_stress_hyperthermia_does_not():
    drug = between(7200.0, 14_400.0)
    fever = [course(14_400.0, {"pyrogen_k": 2.0, "antipyretic": a}, dt_s=60.0) for a in (0.0, drug)]
    assert fever[0][Coupling.SET_POINT_SHIFT_K][-1, 0] == pytest.approx(2 * (1 - np.exp(-14_400 / 2700)), abs=1e-6)
    assert fever[1][Coupling.SET_POINT_SHIFT_K][-1, 0] < 0.2
    patient = Persons.one(stress_heat=1.0)
    stress = [course(14_400.0, {"stress": 1.0, "antipyretic": a}, patient, dt_s=10.0) for a in (0.0, drug)]
    assert np.array_equal(stress[0].coupling, stress[1].coupling)
    assert stress[0][Coupling.EXTRA_HEAT_W][-1, 0] == pytest.approx(150.0, rel=0.01)
    healthy = course(3600.0, {"stress": 1.0}, dt_s=60.0)
    assert not healthy[Coupling.EXTRA_HEAT_W].any()


def test_a_hot_flash_opens_fingers_and_neck_lowers_the_set_point_and_speeds_the_heart_by_13_percent():
    run = course(900.0, {"hot_flash": between(60.0, 240.0)}, Persons.one(age_y=52.0, female=True))
    assert rise(run, DriveState.HEART_RATE_BPM, 60.0, 240.0) == pytest.approx(0.13, abs=0.005)
    assert at(run, Coupling.SHUNT_OPENING_FACTOR, 240.0)[0] > 1.9
    assert at(run, Coupling.SET_POINT_SHIFT_K, 240.0)[0] == pytest.approx(-0.3, abs=0.01)
    assert flow_factor(run, NECK).max() > 1.8
    assert abs(run[DriveState.FLASH][-1, 0]) < 0.01


# -- what must always hold ---------------------------------------------------------------------------------------------


def test_a_neutral_person_tells_the_heat_balance_nothing_and_stays_so():
    run = course(86_400.0, {}, dt_s=600.0)
    expected = np.repeat(neutral_coupling(1)[None], run.end_s.size, axis=0)
    assert run.coupling == pytest.approx(expected, abs=1e-12)
    drift = run.states - run.states[0]
    assert np.abs(drift).max() < 1e-12
    assert not run[SensationState.FELT_HEAT].any()
    assert not run[SensationState.PAIN].any()


def test_stress_constricts_and_only_emotion_flushes_face_neck_and_chest():
    calm, tense = (course(600.0, {"stress": s}) for s in (0.0, 1.0))
    for patch in range(N_SKIN):
        assert flow_factor(tense, patch)[-1] < flow_factor(calm, patch)[-1]
    blush = course(600.0, {"emotion": 1.0}, Persons.one(constriction_neck=0.0, constriction_non_acral=0.0))
    flushed = {patch for patch in range(N_SKIN) if flow_factor(blush, patch)[-1] > 1}
    assert flushed == {SEGMENTS.index("head"), NECK, CHEST, NAPE}
    assert flow_factor(blush, NECK)[-1] > flow_factor(blush, NAPE)[-1]
    assert flow_factor(blush, HAND)[-1] < 1


def test_a_flush_comes_in_seconds_and_goes_in_minutes():
    run = course(1200.0, {"emotion": between(100.0, 220.0)}, Persons.one(flush_gain=1.0))
    assert at(run, DriveState.FLUSH, 120.0)[0] == pytest.approx(1 - np.exp(-1), abs=1e-9)
    assert at(run, DriveState.FLUSH, 400.0)[0] == pytest.approx((1 - np.exp(-6)) * np.exp(-1), abs=1e-9)


def test_more_outflow_never_means_more_skin_flow():
    persons = Persons.join([Persons.one(reactivity=r) for r in (0.4, 0.7, 1.0, 1.6, 2.5)])
    run = course(600.0, {"stress": 1.0}, persons)
    for patch in range(N_SKIN):
        assert (np.diff(run.coupling[-1, Coupling.CONSTRICTION + patch]) > 0).all()


def test_a_region_from_which_tone_is_withdrawn_dilates_as_the_young_forearm_did():
    run = course(400.0, {"stress": between(60.0, 240.0)}, Persons.one(age_y=27.0, constriction_non_acral=-0.3))
    assert flow_factor(run, FOREARM).max() - 1 == pytest.approx(0.31, abs=0.15)


def test_only_a_deep_needle_acts_locally_and_only_for_minutes():
    shallow, deep = (course(3600.0, {"needle": Pulses([600.0], [kind])}, dt_s=60.0) for kind in (1.0, 2.0))
    assert shallow.coupling == pytest.approx(course(3600.0, {"needle": Pulses([600.0], [0.0])}, dt_s=60.0).coupling)
    assert flow_factor(deep, NAPE).max() == pytest.approx(2.0)
    assert flow_factor(deep, NECK).max() == 1.0
    minutes = (deep.end_s - 600.0) / 60
    assert flow_factor(deep, NAPE)[np.searchsorted(minutes, 5.0)] < 1.2
    assert deep[Coupling.MUSCLE_FLOW_SUPERFICIAL][np.searchsorted(minutes, 10.0), 0] > 1.1
    assert deep[Coupling.MUSCLE_FLOW_SUPERFICIAL][-1, 0] < 1.05


INPUTS = st.fixed_dictionaries(
    {
        "stress": st.floats(0, 1),
        "emotion": st.floats(0, 1),
        "asleep": st.sampled_from([0.0, 1.0]),
        "pressure_hpa": st.floats(500, 1090),
        "flexion_deg": st.floats(-60, 90),
        "forward_m": st.floats(-0.05, 0.15),
        "arm_load": st.floats(0, 1),
        "pyrogen_k": st.floats(0, 3),
        "hot_flash": st.floats(0, 1),
        "needle": st.sampled_from([0.0, 1.0, 2.0]),
        "nerve_compression": st.floats(0, 1),
        "hour": st.floats(0, 24) | st.just(np.nan),
    }
)
POSITIVE = (
    DriveState.PLASMA_NA_NMOL_L, DriveState.ADRENALINE, DriveState.FLOW_DEEP, DriveState.FLOW_SUPERFICIAL,
    DriveState.LACTATE_MMOL_L, DriveState.SKIN_NERVE, DriveState.VAGAL, DriveState.RMSSD_MS,
    DriveState.STROKE_VOLUME_ML, SensationState.PPT_KPA, Coupling.MUSCLE_FLOW_DEEP, Coupling.MUSCLE_FLOW_SUPERFICIAL,
    Coupling.SWEAT_FACTOR, Coupling.SHUNT_OPENING_FACTOR,
)  # fmt: skip
WITHIN_1 = (
    DriveState.AROUSAL, DriveState.ONSET, DriveState.TONIC, DriveState.STRESS_DAY, DriveState.LOAD, DriveState.FLASH,
    DriveState.NEEDLE_SKIN, DriveState.NEEDLE_MUSCLE, DriveState.OXYGENATION, DriveState.ACTIVITY_DEEP,
    DriveState.ACTIVITY_SUPERFICIAL, DriveState.DEBT_DEEP, DriveState.DEBT_SUPERFICIAL,
    SensationState.PERIPHERAL, SensationState.CENTRAL,
)  # fmt: skip


@given(st.lists(st.tuples(st.floats(1, 600), INPUTS), min_size=2, max_size=12), st.integers(0, 10_000))
def test_everything_stays_in_its_range_for_anybody_in_any_step(steps, seed):
    values = {name: np.array([inputs[name] for _, inputs in steps]) for name in steps[0][1]}
    drawn = default_parameters().sample(np.random.default_rng(seed), 3)
    traits = {name: drawn[name] for name in PARAMETER_NAMES if name in drawn}
    persons = Persons.join([Persons.one(age_y=a, female=a > 40) for a in (20.0, 50.0, 90.0)]).with_traits(**traits)
    run = run_drives(Forcing(np.array([dt for dt, _ in steps]), values), persons)
    assert np.isfinite(run.states).all()
    assert np.isfinite(run.coupling).all()
    assert np.isfinite(run.sensation).all()
    for channel in POSITIVE:
        assert (run[channel] > 0).all(), channel
    for channel in WITHIN_1:
        assert ((run[channel] >= 0) & (run[channel] <= 1)).all(), channel
    for channel in (SensationState.PAIN, SensationState.FELT_HEAT):
        assert ((run[channel] >= 0) & (run[channel] <= 10 + 1e-12)).all(), channel
    assert (run[DriveState.HEART_RATE_BPM] >= 40).all()
    assert (run[DriveState.HEART_RATE_BPM] <= 220 - persons.age_y).all()
    assert (run.coupling[:, Coupling.DILATION :] > -1).all()


def test_persons_do_not_see_each_other():
    drawn = default_parameters().sample(np.random.default_rng(4), 19)
    traits = {name: value for name, value in drawn.items() if name in PARAMETER_NAMES}
    persons = Persons.join([Persons.one(age_y=20.0 + 3 * k) for k in range(19)]).with_traits(**traits)
    forcing = everything_at_once()
    whole = run_drives(forcing, persons)
    order = np.random.default_rng(5).permutation(19)
    shuffled = run_drives(forcing, persons[order])
    alone = run_drives(forcing, persons[11])
    for name in ("states", "coupling", "sensation"):
        assert np.array_equal(getattr(whole, name)[..., order], getattr(shuffled, name))
        assert np.array_equal(getattr(whole, name)[..., 11:12], getattr(alone, name))


def test_inputs_of_each_person_reach_that_person():
    stress = np.repeat(np.linspace(0, 1, 11)[:, None], 60, axis=1)
    forcing = Forcing(np.full(60, 10.0), {"stress": stress})
    persons = Persons.join([Persons.standard()] * 11)
    together = run_drives(forcing, persons)
    for k in (0, 7, 8, 10):
        alone = run_drives(Forcing(np.full(60, 10.0), {"stress": stress[k]}))
        assert np.array_equal(together.states[..., k], alone.states[..., 0])


PLAIN_PYTHON = """
import sys
import numpy as np
from unaji.body.drives import run_drives
from unaji.body.forcing import Forcing
inputs = {"stress": 0.6, "emotion": 0.4, "flexion_deg": 40.0, "arm_load": 0.3, "needle": 2.0, "nerve_compression": 0.5}
steps = np.array([60.0, 600.0, 1.0, 1.0, 2.0, 300.0])
run = run_drives(Forcing(steps, {name: np.float64(value) for name, value in inputs.items()}))
np.savez(sys.argv[1], states=run.states, coupling=run.coupling, sensation=run.sensation)
"""


def test_the_compiled_loops_do_what_the_same_functions_do_in_plain_python(tmp_path):
    for name, off in (("compiled", "0"), ("plain", "1")):
        command = [sys.executable, "-c", PLAIN_PYTHON, str(tmp_path / f"{name}.npz")]
        subprocess.run(command, check=True, env=os.environ | {"NUMBA_DISABLE_JIT": off})
    compiled, plain = (np.load(tmp_path / f"{name}.npz") for name in ("compiled", "plain"))
    for key in ("states", "coupling", "sensation"):
        assert compiled[key] == pytest.approx(plain[key], rel=1e-10, abs=1e-12)


def test_the_first_step_writes_every_channel():
    run = run_drives(Forcing(np.full(2, 60.0), {}), Persons.standard())
    assert np.isfinite(run.states).all()
    assert np.isfinite(run.coupling).all()
    assert np.isfinite(run.sensation).all()

"""What is felt: warmth, pressure pain, sensitised and ectopic heat, and that none of it flows back into the body."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.body import sensation
from unaji.body.drives import DriveState, Thermal, neutral_thermal, run_drives
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.layout import Coupling
from unaji.body.persons import Persons
from unaji.body.sensation import SensationState
from unaji.claims.parameters import Part, default_parameters

PARTS = (
    SensationState.FELT_THERMAL,
    SensationState.FELT_AMPLIFIED,
    SensationState.FELT_ECTOPIC,
    SensationState.FELT_PERIPHERAL,
)
LABOUR = {"arm_load": 0.12, "stress": 0.5, "nerve_compression": 0.4}


def course(duration_s, inputs, persons=None, dt_s=60.0, **warmer):
    """Run with some temperatures away from neutral, each by a number or one a step."""
    forcing = Forcing.of(duration_s, inputs, dt_s=dt_s, fine_dt_s=min(dt_s, 10.0))
    persons = Persons.standard() if persons is None else persons
    told = np.repeat(neutral_thermal(persons)[None], forcing.n_steps, axis=0)
    for name, by in warmer.items():
        told[:, Thermal[name]] += np.reshape(by, (-1, 1)) if np.ndim(by) else by
    return run_drives(forcing, persons, thermal=told)


def static(nape_k, mean_k, *, warm=True):
    """Return the published form at skin temperatures above those that feel neutral."""
    z = 0.15 * (nape_k - mean_k) + (1.25 if warm else 0.40) * nape_k
    return 4 * (2 / (1 + np.exp(-z)) - 1)


# -- warmth ------------------------------------------------------------------------------------------------------------


SET_C = {"nape": 35.1, "mean": 34.5}


def adapted(whose, below_k, time_s):
    """Return the closed form of adaptation to skin that is suddenly cooler than its set point and stays so."""
    most_k = SET_C[whose] - 30.0
    return min(max(below_k, 0.0), most_k) * (1 - np.exp(-time_s / 1200.0))


@pytest.mark.parametrize("nape_k", [-8.0, -3.0, -0.5, 0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("mean_k", [-6.0, -1.0, 0.0, 1.0])
def test_the_feeling_is_the_published_form_above_what_the_skin_has_adapted_to(nape_k, mean_k):
    run = course(7200.0, {}, NAPE_SKIN_C=nape_k, MEAN_SKIN_C=mean_k)
    t = run.end_s
    expected = static(nape_k + adapted("nape", -nape_k, t), mean_k + adapted("mean", -mean_k, t), warm=nape_k > 0)
    assert run[SensationState.THERMAL_FEELING][:, 0] == pytest.approx(expected, abs=1e-11)


def test_skin_a_little_cooler_than_its_set_point_comes_to_feel_neutral_and_warms_as_from_there():
    cool = np.full(240, -2.2)  # the nape in a room of 24 °C
    cool[180:] += 0.5  # a flush after three hours
    run = course(4 * 3600.0, {}, NAPE_SKIN_C=cool, MEAN_SKIN_C=-0.7)
    feeling, heat = run[SensationState.THERMAL_FEELING][:, 0], run[SensationState.FELT_HEAT][:, 0]
    assert feeling[0] < -1.5
    assert feeling[179] == pytest.approx(0.0, abs=1e-3)
    assert not heat[:180].any()
    assert heat[180] > 1.0
    assert heat[-1] < 0.1 * heat[180]  # an hour later one is used to it


def test_heat_beyond_the_set_point_goes_on_being_felt_for_days():
    run = course(3 * 86_400.0, {}, dt_s=600.0, NAPE_SKIN_C=1.0, MEAN_SKIN_C=1.0)
    assert not run[SensationState.NAPE_ADAPTED_K].any()
    assert (run[SensationState.FELT_THERMAL] > 1.5).all()


def test_cold_below_the_floor_goes_on_being_felt():
    run = course(86_400.0, {}, dt_s=600.0, NAPE_SKIN_C=-8.0, MEAN_SKIN_C=-1.0)
    assert run[SensationState.NAPE_ADAPTED_K][-1, 0] == pytest.approx(5.1)
    assert run[SensationState.THERMAL_FEELING][-1, 0] < -2.0


def test_a_fever_that_breaks_is_felt_as_heat_while_the_skin_is_below_its_usual_set_point():
    drug = Course.steps([0.0, 6 * 3600.0], [0.0, 1.0])
    run = course(8 * 3600.0, {"pyrogen_k": 2.0, "antipyretic": drug}, NAPE_SKIN_C=-0.6, MEAN_SKIN_C=-0.4)
    before, after = run.end_s <= 6 * 3600.0, run.end_s > 6 * 3600.0
    assert not run[SensationState.FELT_HEAT][before].any()
    assert run[SensationState.FELT_HEAT][after].max() > 0.5
    assert run[SensationState.FELT_HEAT][-1, 0] < 0.1


def test_the_feeling_stays_within_very_cold_and_very_hot():
    for nape_k, limit in ((-30.0, -4.0), (15.0, 4.0)):
        run = course(600.0, {}, NAPE_SKIN_C=nape_k)
        assert run[SensationState.THERMAL_FEELING][-1, 0] == pytest.approx(limit, abs=1e-3)


def test_warming_is_felt_more_while_it_goes_on():
    ramp = np.minimum(np.arange(1, 61) * 60.0, 1200.0) * (1.0 / 1200.0)  # 1 K in 20 min
    run = course(3600.0, {}, NAPE_SKIN_C=ramp, MEAN_SKIN_C=ramp)
    feeling = run[SensationState.THERMAL_FEELING][:, 0]
    assert feeling[18] - static(ramp[18], ramp[18]) == pytest.approx(217 / 1200, abs=1e-9)
    assert feeling[-1] == pytest.approx(static(1.0, 1.0), abs=1e-11)


def test_a_change_below_the_warm_threshold_is_not_felt_as_heat():
    below, above = (course(3600.0, {}, NAPE_SKIN_C=k, MEAN_SKIN_C=k) for k in (0.14, 0.3))
    assert not below[SensationState.FELT_HEAT].any()
    assert above[SensationState.FELT_HEAT][-1, 0] > 0.1


def test_fever_feels_cold_until_the_skin_has_followed():
    run = course(3600.0, {"pyrogen_k": 1.5})
    assert (run[SensationState.THERMAL_FEELING][1:] < 0).all()
    assert not run[SensationState.FELT_HEAT].any()
    followed = course(4 * 3600.0, {"pyrogen_k": 1.5}, NAPE_SKIN_C=2.5, MEAN_SKIN_C=2.5)
    assert followed[SensationState.FELT_HEAT][-1, 0] > 1


@given(st.floats(0.3, 3.0), st.floats(0.05, 1.0))
def test_felt_heat_rises_with_the_nape_and_falls_with_nerve_compression_of_the_same_warmth(nape_k, more_k):
    cool, warm = (course(300.0, {}, NAPE_SKIN_C=k) for k in (nape_k, nape_k + more_k))
    dull = course(300.0, {"nerve_compression": 0.8}, NAPE_SKIN_C=nape_k)
    assert warm[SensationState.FELT_THERMAL][-1, 0] > cool[SensationState.FELT_THERMAL][-1, 0]
    assert dull[SensationState.THERMAL_FEELING][-1, 0] < cool[SensationState.THERMAL_FEELING][-1, 0]


# -- sensitised and ectopic --------------------------------------------------------------------------------------------


def test_a_compressed_root_burns_without_warmth_and_a_stiff_neck_alone_does_not():
    root = course(4 * 3600.0, {"nerve_compression": 1.0})
    hours = root.end_s / 3600
    ectopic = 1 - np.exp(-hours * 2)
    assert root[SensationState.ECTOPIC][:, 0] == pytest.approx(ectopic, abs=1e-12)
    assert root[SensationState.FELT_ECTOPIC][-1, 0] == pytest.approx(4 * (1 + 0.4**4) ** -0.25, rel=1e-3)
    assert root[SensationState.FELT_HEAT][-1, 0] == root[SensationState.FELT_ECTOPIC][-1, 0]
    stiff = course(4 * 3600.0, {"arm_load": 0.02})
    assert not stiff[SensationState.FELT_ECTOPIC].any()


def test_sensitisation_follows_its_closed_form_at_steady_algesics():
    """With k_g/τ_g fast against the rest, P relaxes to q/(q + 1/τ) at that rate."""
    run = course(48 * 3600.0, {"arm_load": 0.05}, dt_s=60.0)
    algesics = run[DriveState.ALGESICS][:, 0]
    settled = run.end_s > 24 * 3600
    assert np.ptp(algesics[settled]) < 1e-4 * algesics[-1]
    q = 0.1 * algesics[-1] / (algesics[-1] + 1)
    rate = q + 1 / 12
    hours = run.end_s[settled] / 3600
    start = run[SensationState.PERIPHERAL][settled, 0][0]
    expected = q / rate + (start - q / rate) * np.exp(-rate * (hours - hours[0]))
    assert run[SensationState.PERIPHERAL][settled, 0] == pytest.approx(expected, rel=1e-5)


def test_pressure_pain_threshold_worked_by_hand():
    values = (np.array(v) for v in (0.8, 0.4, 269.0, 0.45, 0.25, 60.0))
    assert sensation.pressure_pain_threshold.py_func(*values) == pytest.approx(145.26)
    values = (np.array(v) for v in (1.0, 1.0, 100.0, 0.6, 0.4, 60.0))
    assert sensation.pressure_pain_threshold.py_func(*values) == 60.0


def test_pain_is_half_of_the_most_at_its_half_and_central_sensitisation_amplifies_it():
    half, amplification = np.array(2.5), np.array(2.0)
    assert sensation.pain.py_func(np.array(2.5), np.array(0.0), half, amplification) == 5.0
    assert sensation.pain.py_func(np.array(1.25), np.array(0.5), half, amplification) == 5.0


def test_parts_sum_to_the_felt_heat_which_saturates():
    for warm_k in (0.0, 0.5, 2.0, 6.0):
        run = course(6 * 3600.0, LABOUR, NAPE_SKIN_C=warm_k)
        felt = run[SensationState.FELT_HEAT]
        assert sum(run[part] for part in PARTS) == pytest.approx(felt, rel=1e-12, abs=1e-12)
        assert (felt < 10).all()
    strong = Persons.one(felt_ectopic=8.0, felt_peripheral=8.0, attention=1.0, ectopic_gain=2.0)
    most = course(6 * 3600.0, LABOUR | {"nerve_compression": 1.0}, strong, NAPE_SKIN_C=6.0)
    assert 9 < most[SensationState.FELT_HEAT][-1, 0] < 10


def test_sensitisation_amplifies_warmth():
    run = course(8 * 3600.0, {"arm_load": 0.12}, NAPE_SKIN_C=1.0)
    p, z = (run[s][-1, 0] for s in (SensationState.PERIPHERAL, SensationState.CENTRAL))
    amplified = run[SensationState.FELT_AMPLIFIED][-1, 0] / run[SensationState.FELT_THERMAL][-1, 0]
    assert amplified == pytest.approx((p + z) / 2)
    assert p > 0.1


# -- treatment ---------------------------------------------------------------------------------------------------------


def chronic(days, needle):
    inputs = {"arm_load": 0.06, "stress": 0.5} | ({} if needle is None else {"needle": needle})
    forcing = Forcing.of(days * 86_400.0, inputs, dt_s=600.0, fine_dt_s=60.0, fine_for_s=60.0, start_hour=8.0)
    return run_drives(forcing, Persons.one(sensitisation_rate=3.0))


def test_a_course_of_needling_lowers_central_sensitisation_by_its_effect():
    central = np.array(0.5)
    numbers = [np.array(v) for v in (0.53, 0.3, 0.4, 6.0)]
    deep, sham, none = (
        sensation.needled.py_func(central, np.array(d), np.array(t), *numbers) for d, t in ((1, 1), (0, 1), (0, 0))
    )
    assert none == 0.5
    assert sham == pytest.approx(0.5 * (1 - 0.3 * 0.4 / 6))
    assert deep == pytest.approx(0.5 * (1 - 0.83 * 0.4 / 6))
    assert (deep / none) ** 6 == pytest.approx(1 - 0.83 * 0.4, abs=0.05)  # a whole course: the effects times the spread


def test_deep_needles_help_more_than_sham_and_both_fade():
    start_s, days = 30 * 86_400.0, 90
    sessions = start_s + np.arange(6) * 3.5 * 86_400
    no, sham, deep = (
        chronic(days, needle) for needle in (None, Pulses(sessions, np.ones(6)), Pulses(sessions, np.full(6, 2.0)))
    )

    def central(run, day):
        return float(run[SensationState.CENTRAL][np.searchsorted(run.end_s, day * 86_400.0), 0])

    assert central(deep, 50) < central(sham, 50) < central(no, 50)
    gained = [central(no, day) - central(deep, day) for day in (50, 89)]
    assert 0 < gained[1] < 0.6 * gained[0]


# -- nothing flows back ------------------------------------------------------------------------------------------------


def test_the_senses_change_nothing_in_the_body_bit_by_bit():
    persons = Persons.one()
    changed = {}
    for name in default_parameters().names(Part.SENSATION):
        parameter = default_parameters()[name]
        changed[name] = parameter.low if parameter.value == parameter.high else parameter.high
    inputs = LABOUR | {"needle": Pulses([1800.0], [2.0]), "hot_flash": 0.3, "emotion": 0.4}
    plain, altered = (course(7200.0, inputs, p, NAPE_SKIN_C=1.0) for p in (persons, persons.with_traits(**changed)))
    assert np.array_equal(plain.states, altered.states)
    assert np.array_equal(plain.coupling, altered.coupling)
    assert not np.array_equal(plain.sensation, altered.sensation)


def test_the_kernel_of_the_drives_is_not_even_shown_the_senses():
    from unaji.body._kernels_drives import drives_step

    assert "senses" not in inspect.signature(drives_step.py_func).parameters


def test_the_step_of_the_senses_writes_the_senses_only():
    from unaji.body import _kernels_drives as kernels
    from unaji.body._lanes import WIDTH
    from unaji.body.drives import N_FACTORS, N_PAST, N_THERMAL, parameter_rows
    from unaji.body.layout import N_COUPLINGS, N_INPUTS

    rng = np.random.default_rng(1)
    inputs = rng.uniform(0, 1, (N_INPUTS, WIDTH))
    rows = parameter_rows(default_parameters(), Persons.standard())
    parameters = np.ascontiguousarray(np.repeat(rows, WIDTH, axis=1))
    factors, thermal = np.empty((N_FACTORS, WIDTH)), rng.uniform(30, 37, (N_THERMAL, WIDTH))
    kernels.fill_factors(parameters, np.full(1 + N_PAST, 60.0), factors)
    states, coupling = np.zeros((len(DriveState), WIDTH)), np.zeros((N_COUPLINGS, WIDTH))
    kernels.start_drives(inputs, parameters, states, np.zeros((N_PAST, WIDTH)))
    senses = np.zeros((len(SensationState), WIDTH))
    read = (inputs, parameters, factors, thermal, states, coupling)
    before = [array.copy() for array in read]
    kernels.sensation_step(*read, senses, 60.0)
    assert all(np.array_equal(old, new) for old, new in zip(before, read, strict=True))
    assert senses[SensationState.FELT_HEAT].any()


def test_without_stress_fever_and_load_nothing_is_felt_all_day_at_neutrality():
    run = course(86_400.0, {}, dt_s=600.0)
    for channel in (*PARTS, SensationState.FELT_HEAT, SensationState.PAIN, SensationState.THERMAL_FEELING):
        assert np.abs(run[channel]).max() < 1e-12, channel
    assert run[Coupling.SET_POINT_SHIFT_K] == pytest.approx(np.zeros((144, 1)), abs=1e-12)
    assert (run[SensationState.PPT_KPA] == 269.0).all()


def test_the_daily_swing_of_the_set_point_is_not_felt_where_the_skin_follows_most_of_it():
    steps = np.full(144, 600.0)
    hours = np.cumsum(steps) / 3600
    shift = -0.35 * np.cos(2 * np.pi * (hours - 4.0) / 24)
    told = np.repeat(neutral_thermal(Persons.standard())[None], 144, axis=0)
    told[:, [Thermal.NAPE_SKIN_C, Thermal.MEAN_SKIN_C]] += 0.7 * shift[:, None, None]
    run = run_drives(Forcing(steps, {"hour": hours % 24}), thermal=told)
    assert not run[SensationState.FELT_HEAT].any()


def test_a_course_of_inputs_reaches_the_senses():
    run = course(3600.0, {"nerve_compression": Course.steps([0.0, 1800.0], [0.0, 1.0])})
    before = run.end_s <= 1800
    assert not run[SensationState.ECTOPIC][before].any()
    assert run[SensationState.ECTOPIC][-1, 0] > 0.5

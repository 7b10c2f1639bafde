from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from unaji.body.context import N_STEPS, Context
from unaji.body.hypotheses import Hypotheses, Predicted, Sensor
from unaji.body.hypothesis_drivers import PATHWAYS, KnownBody
from unaji.body.pathways import (
    MISFIT_SD,
    PRIOR,
    TAIL_FREEDOM,
    UNDETERMINED,
    Measured,
    Reading,
    _information,
    _log_t,
    judge,
)

QUIET = {Sensor.NAPE: 0.2, Sensor.FINGER: 0.5, Sensor.PULSE: 5.0, Sensor.WRIST: 0.6}


@pytest.fixture(scope="module")
def hypotheses():
    return Hypotheses.of(KnownBody(1.62, 56.0, 40.0, female=True), np.random.default_rng(5))


@pytest.fixture(scope="module")
def cool_room(hypotheses):
    return hypotheses.around([Context(air_temp_c=np.full(N_STEPS, 22.0), met=np.full(N_STEPS, 1.2))])[0]


def course(sensor: Sensor, *value: float) -> Reading:
    sd = QUIET[sensor]
    return Reading(np.array(value), sd**2 * (0.5 + 0.5 * np.eye(5)))


def once(value: float, sd: float = 0.2) -> Reading:
    return Reading(np.array([value]), np.array([[sd**2]]))


def lead(predicted: Predicted, readings, **more) -> tuple[str, float]:
    p = judge(Measured(readings, **more), predicted).probabilities
    top = max(p, key=lambda k: p[k])
    return top, p[top]


FLAT = course(Sensor.NAPE, 0.0, 0.05, -0.05, 0.0, 0.05)


def test_nothing_measured_is_undetermined_and_nothing_else(hypotheses):
    found = judge(Measured(), hypotheses.any_moment)
    assert found.posterior == pytest.approx(dict(PRIOR))
    assert found.probabilities == pytest.approx({**{str(k): 0.0 for k in PATHWAYS}, UNDETERMINED: 1.0})


def test_a_sudden_rise_of_the_nape_in_a_cool_room_is_vascular(cool_room):
    readings = {Sensor.NAPE: course(Sensor.NAPE, 0.0, 0.05, 0.7, 1.3, 0.9), Sensor.CORE: once(0.0)}
    top, p = lead(cool_room, readings)
    assert top == "vascular"
    assert p > 0.6


def test_felt_heat_without_any_warming_is_sensory_when_the_room_is_cool(cool_room):
    top, p = lead(cool_room, {Sensor.NAPE: FLAT, Sensor.CORE: once(0.0)})
    assert top == "sensory"
    assert p > 0.5


def test_a_hot_room_is_heat_load_where_nothing_else_was_measured(hypotheses):
    (hot,) = hypotheses.around([Context(air_temp_c=np.full(N_STEPS, 32.0))])
    p = judge(Measured(), hot).probabilities
    assert p["heat_load"] > 0.35
    assert p["heat_load"] > 10 * max(p[str(way)] for way in PATHWAYS if way != "heat_load")


def test_fever_is_core_whatever_else(hypotheses):
    assert lead(hypotheses.any_moment, {Sensor.CORE: once(2.1, 0.35)})[0] == "core"
    (hot,) = hypotheses.around([Context(air_temp_c=np.full(N_STEPS, 30.0))])
    readings = {Sensor.CORE: once(2.4), Sensor.NAPE: course(Sensor.NAPE, 1.2, 1.3, 1.4, 1.4, 1.5)}
    assert lead(hot, readings, core_is_near=True) == ("core", pytest.approx(1.0, abs=0.05))


def test_a_normal_thermometer_alone_settles_nothing_but_fever(hypotheses):
    p = judge(Measured({Sensor.CORE: once(0.0, 0.35)}), hypotheses.any_moment).probabilities
    assert p["core"] == 0
    assert p[UNDETERMINED] > 0.8


def test_cold_fingers_before_the_onset_tell_a_fever_from_a_loaded_muscle(hypotheses):
    warm = course(Sensor.NAPE, 0.9, 1.0, 1.1, 1.1, 1.2)
    cold = {Sensor.NAPE: warm, Sensor.FINGER: course(Sensor.FINGER, -2.0, -1.9, -1.8, -1.7, -1.3)}
    usual = {Sensor.NAPE: warm, Sensor.FINGER: course(Sensor.FINGER, 0.0, 0.0, 0.0, 0.0, 0.0)}
    with_cold, without = (judge(Measured(r), hypotheses.any_moment).posterior for r in (cold, usual))
    core, muscle = PATHWAYS[4], PATHWAYS[2]
    assert with_cold[core] > with_cold[muscle]
    assert without[core] < without[muscle]


def test_what_fits_no_pathway_speaks_for_none(hypotheses):
    absurd = Measured({Sensor.NAPE: course(Sensor.NAPE, -6.0, 7.0, -8.0, 9.0, -7.0)})
    found = judge(absurd, hypotheses.any_moment)
    assert found.probabilities[UNDETERMINED] > 0.95


def test_a_noisy_sensor_says_less_than_a_good_one(cool_room):
    value = np.array([0.0, 0.05, 0.7, 1.3, 0.9])
    good, poor = (
        judge(Measured({Sensor.NAPE: Reading(value, sd**2 * np.eye(5))}), cool_room).probabilities for sd in (0.1, 1.5)
    )
    assert good[UNDETERMINED] < poor[UNDETERMINED]


@given(
    st.lists(st.one_of(st.floats(-8, 8), st.just(float("nan"))), min_size=5, max_size=5),
    st.floats(0.05, 2),
    st.floats(-2, 4),
)
def test_probabilities_sum_to_one_and_none_is_negative(hypotheses, value, sd, core):
    readings = {Sensor.NAPE: Reading(np.array(value), sd**2 * np.eye(5)), Sensor.CORE: once(core)}
    found = judge(Measured(readings), hypotheses.any_moment)
    assert sum(found.posterior.values()) == pytest.approx(1)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert min(found.probabilities.values()) >= 0


def test_windows_without_a_reading_are_left_out(cool_room):
    half = np.array([np.nan, np.nan, 0.7, 1.3, 0.9])
    covariance = QUIET[Sensor.NAPE] ** 2 * (0.5 + 0.5 * np.eye(5))
    with_gap = judge(Measured({Sensor.NAPE: Reading(half, covariance)}), cool_room).posterior
    nothing = judge(Measured({Sensor.NAPE: Reading(np.full(5, np.nan), covariance)}), cool_room).posterior
    assert with_gap[PATHWAYS[0]] > 0.3
    assert nothing == judge(Measured(), cool_room).posterior


def test_the_density_is_scipy_s_multivariate_t_up_to_one_constant():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 3))
    covariance = root @ root.T + np.eye(3)
    x = rng.normal(size=(7, 3)) * 2
    peer = multivariate_t(shape=covariance * (TAIL_FREEDOM - 2) / TAIL_FREEDOM, df=TAIL_FREEDOM).logpdf(x)
    ours = _log_t(x, covariance)
    assert ours - ours[0] == pytest.approx(peer - peer[0], abs=1e-12)


# -- the next measurement ------------------------------------------------------------------------------------------


def five_points(*at: float) -> np.ndarray:
    """Draws of five pathways that all stand at one value each."""
    return np.repeat(np.array(at)[:, None, None], 4, axis=1)


EVEN_DRAWS = np.full((5, 4), 0.25)


def test_a_reading_that_separates_five_ways_tells_log2_5_bits_and_one_that_does_not_tells_none():
    p = np.full(5, 0.2)
    assert _information(five_points(-40, -20, 0, 20, 40), EVEN_DRAWS, p, 0.5) == pytest.approx(np.log2(5), abs=0.01)
    assert _information(five_points(1, 1, 1, 1, 1), EVEN_DRAWS, p, 0.5) == pytest.approx(0, abs=1e-9)


def test_information_of_two_normals_agrees_with_monte_carlo():
    """Two pathways one standard deviation apart, the others impossible."""
    p = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    found = _information(five_points(0, 1, 0, 0, 0), EVEN_DRAWS, p, 1.0)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400_000)
    y = truth + rng.normal(size=truth.size)
    likelihood = np.exp(-0.5 * (y - np.array([[0.0], [1.0]])) ** 2)
    posterior = likelihood / likelihood.sum(axis=0)
    entropy = -(posterior * np.log2(posterior)).sum(axis=0).mean()
    assert found == pytest.approx(1.0 - entropy, abs=0.005)


def test_with_felt_heat_alone_the_nape_is_what_to_measure_and_what_was_measured_is_not_proposed(cool_room):
    first = judge(Measured(), cool_room).next_measurement
    assert first[0].sensor is Sensor.NAPE
    assert first[0].bits > 0.3
    later = judge(Measured({Sensor.NAPE: FLAT}), cool_room).next_measurement
    assert Sensor.NAPE not in [one.sensor for one in later]
    assert sum(one.bits for one in later) < sum(one.bits for one in first)


def test_a_warm_nape_that_may_be_fever_asks_for_a_thermometer(hypotheses):
    warm = Measured({Sensor.NAPE: course(Sensor.NAPE, 1.0, 1.1, 1.1, 1.1, 1.2)})
    found = judge(warm, hypotheses.any_moment, dict.fromkeys(PATHWAYS, 0.2))
    assert found.next_measurement[0].sensor in (Sensor.CORE, Sensor.FINGER)


# -- identifiability (V17), a smaller version of benchmarks/identifiability.py ----------------------------------------


@pytest.fixture(scope="module")
def identifiability():
    file = Path(__file__).parents[2] / "benchmarks" / "identifiability.py"
    spec = importlib.util.spec_from_file_location("identifiability", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["identifiability"] = module
    spec.loader.exec_module(module)
    return module


def test_simulated_people_s_pathways_are_found_again_as_far_as_sensors_allow(identifiability):
    names = ("nape + core + finger + pressure pain", "wrist + air", "felt heat alone")
    found = identifiability.run(40, 3, n_draws=32, names=names)  # half as many draws as elsewhere: quicker
    four, wrist, felt = (found[name] for name in names)
    assert four["right"] > 0.78  # 200 people a pathway give more; see docs/explanation/identifiability.md
    assert four["ece"] < 0.10
    assert 0.25 < wrist["right"] < 0.6
    assert wrist["ece"] < 0.12
    assert felt["right"] == pytest.approx(0.2)


def test_misfit_is_named_for_every_sensor():
    assert set(MISFIT_SD) == set(Sensor)

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
    AIM_MCSE,
    MISFIT_SD,
    PRIOR,
    TAIL_FREEDOM,
    UNDETERMINED,
    Judgement,
    Measured,
    Reading,
    _draws_needed,
    _information,
    _jackknife_error,
    _log_t,
    _steadied,
    judge,
    judge_all,
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
    ours = _log_t(x, np.tile(covariance, (7, 1, 1)))
    assert ours - ours[0] == pytest.approx(peer - peer[0], abs=1e-12)


def test_correlations_are_shrunk_as_few_draws_leave_them_uncertain_and_variances_are_kept():
    """Schäfer & Strimmer 2005, table 1, target D: r* = (1 − λ) r, s* = s; here with λ = d/(d + n)."""
    covariance = np.array([[4.0, 3.0], [3.0, 9.0]])
    assert _steadied(covariance, 6.0) == pytest.approx(np.array([[4.0, 2.25], [2.25, 9.0]]))
    assert _steadied(covariance, 1e9) == pytest.approx(covariance, rel=1e-6)


# -- how far the draws may err ------------------------------------------------------------------------------------


def test_the_jackknife_of_means_is_the_usual_standard_error_of_a_mean():
    """Efron & Tibshirani 1993, eq. 11.5 and the remark after it."""
    groups = np.array([[1.0, 10.0], [3.0, 10.0], [4.0, 10.0], [8.0, 10.0]])
    without = np.stack([np.delete(groups, k, axis=0).mean(axis=0) for k in range(4)])
    assert _jackknife_error(without) == pytest.approx([groups[:, 0].std(ddof=1) / 2.0, 0.0], abs=1e-12)


def test_standard_errors_are_as_large_as_the_differences_between_seeds():
    readings = {Sensor.NAPE: course(Sensor.NAPE, 0.1, 0.2, 0.4, 0.6, 0.6), Sensor.CORE: once(0.0)}
    found = []
    for seed in range(12):
        any_moment = Hypotheses.of(KnownBody(), np.random.default_rng(seed), n_draws=32).any_moment
        found.append(judge(Measured(readings), any_moment))
    p = np.array([list(one.probabilities.values()) for one in found])
    told = np.sqrt(np.mean([np.square(list(one.mcse.values())) for one in found], axis=0))
    spread = p.std(axis=0, ddof=1)
    assert spread.max() > 0.02
    assert np.linalg.norm(told) == pytest.approx(np.linalg.norm(spread), rel=0.5)


def test_more_draws_are_given_as_errors_fall_with_their_root():
    errors = np.array([0.0, 1.0, 1.01, 1.41, 1.42, 2.0, 2.01, 9.0]) * AIM_MCSE
    assert [_draws_needed(error) for error in errors] == [64, 64, 128, 128, 256, 256, 512, 512]


def test_an_episode_that_few_draws_leave_uncertain_gets_more_and_one_without_a_context_keeps_its_own(hypotheses):
    context = Context(air_temp_c=np.full(N_STEPS, 24.0), met=np.full(N_STEPS, 1.2))
    unclear = Measured({Sensor.NAPE: course(Sensor.NAPE, 0.5, 0.5, 0.6, 0.9, 0.8)})
    few = judge(unclear, hypotheses.around([context])[0])
    n_draws = _draws_needed(max(few.mcse.values()))
    assert n_draws > 64
    all_of_them = judge_all(hypotheses, [Context(), context], [Measured(), unclear])
    more = judge(unclear, hypotheses.around([context], n_draws)[0])
    assert all_of_them[1].probabilities == pytest.approx(more.probabilities, abs=1e-9)
    assert all_of_them[1].mcse == pytest.approx(more.mcse, abs=1e-9)
    assert abs(all_of_them[1].posterior[PATHWAYS[3]] - few.posterior[PATHWAYS[3]]) > 1e-6
    assert max(all_of_them[0].mcse.values()) == 0.0
    assert all_of_them[0].probabilities[UNDETERMINED] == pytest.approx(1.0)


def test_a_lead_within_two_standard_errors_is_not_told():
    posterior = dict(zip(PATHWAYS, (0.1, 0.45, 0.05, 0.35, 0.05), strict=True))
    assert Judgement(posterior, {}, 0.049, ()).told
    assert not Judgement(posterior, {}, 0.051, ()).told


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

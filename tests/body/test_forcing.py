"""Inputs over time: the grid of steps, courses laid on it, and what the compiled loops are handed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.body.channels import CHANNELS, OUTFITS_CLO, channel, outfit
from unaji.body.forcing import Course, Forcing, Pulses, time_grid
from unaji.body.layout import N_INPUTS, SEGMENTS, Input


def test_every_input_of_the_kernels_has_a_channel_in_its_place():
    assert sorted(known.index for known in CHANNELS.values()) == list(range(N_INPUTS))
    for place in Input:
        if place is not Input.CLOTHING_CLO:
            assert CHANNELS[place.name.lower()].index == place
    assert [CHANNELS[f"clothing_clo_{s}"].index - Input.CLOTHING_CLO for s in SEGMENTS] == list(range(len(SEGMENTS)))


def test_every_default_is_possible():
    for known in CHANNELS.values():
        assert math.isnan(known.default) or known.low <= known.default <= known.high


def test_an_unknown_input_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="'air_tmp_c'; did you mean 'air_temp_c'"):
        channel("air_tmp_c")


# -- the grid ----------------------------------------------------------------------------------------------------------

edges = st.lists(st.floats(1, 7000), max_size=6)


@given(edges, st.sampled_from([30.0, 60.0, 300.0]), st.sampled_from([5.0, 10.0]), st.sampled_from([None, 300.0, 600.0]))
def test_a_grid_fills_the_time_ends_steps_at_edges_and_is_fine_after_them(edges_s, dt_s, fine_s, quiet_s):
    steps = time_grid(7200, dt_s=dt_s, edges_s=edges_s, fine_dt_s=fine_s, fine_for_s=120, quiet_dt_s=quiet_s,
                      quiet_after_s=1800)  # fmt: skip
    ends = np.cumsum(steps)
    assert ends[-1] == pytest.approx(7200)
    assert steps.min() > 0
    assert steps.max() <= max(dt_s, quiet_s or 0) + 1e-9
    for edge in edges_s:
        assert np.abs(np.append(0.0, ends) - edge).min() < 1e-6
        starts = ends - steps
        near = (starts >= edge - 1e-6) & (starts < edge + 120 - 1e-6)
        assert steps[near].max() <= fine_s + 1e-6
    if quiet_s is None:
        regular = np.arange(dt_s, 7200 + 1, dt_s)
        assert all(np.abs(ends - one).min() < 1e-6 for one in regular)


def test_steps_are_coarse_only_long_after_the_last_edge_and_before_the_next():
    steps = time_grid(36_000, edges_s=[18_000], quiet_dt_s=300, quiet_after_s=7200)
    starts = np.cumsum(steps) - steps
    coarse = starts[steps > 60 + 1e-9]
    assert coarse.size == (18_000 - 7200) / 300 + (36_000 - 18_000 - 7200) / 300
    assert coarse[coarse < 18_000].min() == 7200
    assert coarse[coarse > 18_000].min() == 25_200


def test_without_edges_a_day_has_1440_steps():
    assert time_grid(86_400).tolist() == [60.0] * 1440


@pytest.mark.parametrize("wrong", [{"dt_s": 0.0}, {"dt_s": 7300.0}, {"fine_dt_s": 90.0}, {"quiet_dt_s": 30.0}])
def test_impossible_steps_are_refused(wrong):
    with pytest.raises(ValueError, match="dt_s must be"):
        time_grid(7200, **wrong)


# -- courses -----------------------------------------------------------------------------------------------------------


def test_a_course_is_straight_between_knots_and_held_outside():
    course = Course([10.0, 20.0], [1.0, 3.0])
    assert course.at(np.array([0.0, 10.0, 12.5, 20.0, 99.0])).tolist() == [1.0, 1.0, 1.5, 3.0, 3.0]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8, unique=True), st.data())
def test_a_course_without_jumps_agrees_with_interpolation(times, data):
    times = sorted(times)
    values = data.draw(st.lists(st.floats(-5, 5), min_size=len(times), max_size=len(times)))
    at = np.linspace(-10, 110, 61)
    assert Course(times, values).at(at) == pytest.approx(np.interp(at, times, values), abs=1e-9)


def test_at_a_jump_a_step_that_ends_there_still_has_the_value_before():
    course = Course.steps([0.0, 600.0], [25.0, 35.0])
    assert course.at(np.array([0.0, 540.0, 600.0, 600.5, 9999.0])).tolist() == [25.0, 25.0, 25.0, 35.0, 35.0]
    assert course.jumps_s().tolist() == [600.0]


def test_a_course_may_be_each_persons_own():
    course = Course.steps([0.0, 60.0], [[1.0, 2.0], [3.0, 3.0]])
    assert course.at(np.array([60.0, 120.0])).tolist() == [[1.0, 2.0], [3.0, 3.0]]
    assert course.jumps_s().tolist() == [60.0]


def test_nan_beside_a_knot_does_not_spill_over():
    course = Course([0.0, 60.0, 60.0, 120.0, 120.0], [np.nan, np.nan, 15.0, 15.0, np.nan])
    found = course.at(np.array([30.0, 60.0, 90.0, 120.0, 150.0]))
    assert np.isnan(found).tolist() == [True, True, False, False, True]
    assert found[2:4].tolist() == [15.0, 15.0]


@pytest.mark.parametrize(("times", "values"), [([1.0, 0.0], [1, 1]), ([0.0, 1.0], [1.0]), ([], []), ([np.nan], [1.0])])
def test_a_broken_course_is_refused(times, values):
    with pytest.raises(ValueError, match="course"):
        Course(times, values)


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_what_is_not_said_is_the_neutral_room_and_surfaces_are_as_the_air():
    forcing = Forcing.constant(600, air_temp_c=21.0)
    assert forcing["humidity_percent"].tolist() == [50.0] * 10
    assert forcing["radiant_temp_c"].tolist() == [21.0] * 10
    assert np.isnan(forcing["hour"]).all()
    assert np.isnan(forcing["neck_air_temp_c"]).all()
    assert Forcing.constant(600)["air_temp_c"][0] == 28.8


def test_steps_of_an_input_and_the_clock_are_laid_on_the_grid():
    forcing = Forcing.of(3600, {"air_temp_c": Course.steps([0, 600], [25.0, 35.0])}, start_hour=23.5)
    before = forcing.end_s <= 600 + 1e-9
    assert set(forcing["air_temp_c"][before]) == {25.0}
    assert set(forcing["air_temp_c"][~before]) == {35.0}
    assert forcing.dt_s[~before][0] == 10.0
    assert forcing["hour"][-1] == pytest.approx(0.5)


@given(st.lists(st.integers(0, 3500), min_size=1, max_size=4, unique=True))
def test_a_pulse_fills_exactly_the_step_that_begins_with_it(times):
    forcing = Forcing.of(3600, {"needle": Pulses(times, [2.0] * len(times))})
    starts = forcing.end_s - forcing.dt_s
    assert starts[forcing["needle"] == 2.0] == pytest.approx(sorted(times), abs=1e-6)
    assert set(forcing["needle"]) <= {0.0, 2.0}


def test_a_pulse_after_the_end_is_refused():
    with pytest.raises(ValueError, match="needle: a pulse lies outside the 600 s"):
        Forcing.of(600, {"needle": Pulses([600], [1])})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"air_temp_c": 240.0}, "air_temp_c must be within -30 to 60 °C, got 240 °C"),
        ({"air_temp_c": float("nan")}, "air_temp_c must be within"),
        ({"stress": -0.1}, "stress must be within 0 to 1"),
        ({"posture": 1.5}, "posture must be whole numbers within"),
        ({"neck_air_temp_c": 99.0}, "neck_air_temp_c must be within"),
        ({"strss": 0.5}, "did you mean 'stress'"),
    ],
)
def test_impossible_values_are_refused_with_the_range(values, said):
    with pytest.raises(ValueError, match=said):
        Forcing.constant(600, **values)


def test_a_wrong_value_is_told_with_its_person_and_step():
    stress = np.zeros((3, 10))
    stress[2, 4] = 7.0
    with pytest.raises(ValueError, match="got 7, step 4, person 2"):
        Forcing(np.full(10, 60.0), {"stress": stress})


def test_inputs_of_different_numbers_of_persons_are_refused():
    with pytest.raises(ValueError, match="different numbers of persons"):
        Forcing(np.full(2, 60.0), {"stress": np.zeros((3, 2)), "emotion": np.zeros((4, 2))})
    with pytest.raises(ValueError, match="made for 3 persons, but there are 4"):
        Forcing(np.full(2, 60.0), {"stress": np.zeros((3, 2))}).check_persons(4)


def read_back(packed, place, person):
    row = packed.where[place]
    return packed.shared[row] if row >= 0 else packed.own[-row - 1, :, person]


def test_packed_arrays_hold_every_input_of_every_person():
    rng = np.random.default_rng(0)
    own = {"stress": rng.random((4, 30)), "air_temp_c": 20 + rng.random((4, 30))}
    forcing = Forcing(np.full(30, 60.0), own | outfit("light") | {"humidity_percent": 40 + rng.random(30)})
    packed = forcing.packed()
    assert packed.own.shape == (2, 30, 4)
    for name, known in CHANNELS.items():
        for person in range(4):
            expected = forcing[name] if forcing[name].ndim == 1 else forcing[name][person]
            assert np.array_equal(read_back(packed, known.index, person), expected, equal_nan=True), name
    assert packed.where[Input.RADIANT_TEMP_C] == packed.where[Input.AIR_TEMP_C]


def test_a_thousand_persons_in_one_room_take_no_more_memory_than_one():
    forcing = Forcing.constant(86_400, air_temp_c=24.0).with_values(stress=np.zeros((1000, 1440)))
    packed = forcing.packed()
    assert packed.own.nbytes == 1000 * 1440 * 8  # the one input that differs
    assert packed.shared.nbytes < 40 * 1440 * 8
    assert Forcing.constant(86_400).packed().own.size == 0


def test_some_of_the_persons_keep_their_own_inputs():
    forcing = Forcing(np.full(2, 60.0), {"stress": np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]])})
    assert forcing.persons([2, 0])["stress"][:, 0].tolist() == [0.3, 0.1]
    assert forcing.persons(slice(1, 2)).n_persons == 1
    assert forcing.with_values(stress=0.0).n_persons is None


def test_a_light_outfit_is_that_of_the_reference_tables():
    worn = (0, 0, 1.14, 0.84, 1.04, 0.84, 0.42, 0, 0.84, 0.42, 0, 0.58, 0.62, 0.82, 0.58, 0.62, 0.82)
    assert OUTFITS_CLO["light"] == worn

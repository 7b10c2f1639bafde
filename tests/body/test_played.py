"""A scenario played through: its two moments, what lies inside the neck then, and what the result hangs on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unaji.body.played import UNCERTAIN, play
from unaji.body.scenario_file import find_scenario
from unaji.body.simulate import simulate
from unaji.body.state import change


@pytest.fixture(scope="module")
def hot_room():
    return play(find_scenario("hot_room"))


@pytest.fixture(scope="module")
def cold_front():
    return play(find_scenario("cold_front"))


def test_before_is_the_end_of_the_baseline_and_the_peak_that_of_felt_heat(hot_room):
    state, asked = hot_room.state, hot_room.scenario
    assert hot_room.is_felt
    assert state.time_s[hot_room.before] == asked.baseline_s
    assert state["felt_heat"][0, hot_room.peak] == state["felt_heat"][0].max()


def test_where_no_heat_is_felt_the_napes_largest_change_counts(cold_front):
    assert not cold_front.is_felt
    told = change(cold_front.state, "nape_skin_temp_c", baseline_s=cold_front.scenario.baseline_s)
    assert cold_front.state.time_s[cold_front.peak] == told.farthest_s


def test_the_inner_neck_lies_between_its_neighbours(hot_room):
    fat = hot_room.state["nape_fat_temp_c"][0]
    for step in (hot_room.before, hot_room.peak):
        at = {name: float(hot_room.state[name][0, step]) for name in hot_room.state.values}
        assert at["nape_skin_temp_c"] < at["nape_fat_temp_c"] < at["superficial_muscle_temp_c"]
        assert at["deep_muscle_temp_c"] < at["neck_artery_temp_c"] + 0.2
        assert abs(at["neck_artery_temp_c"] - at["neck_vein_temp_c"]) < 0.5
        assert abs(at["deep_neck_temp_c"] - at["neck_artery_temp_c"]) < 0.5
    assert fat[hot_room.peak] > fat[hot_room.before] + 0.3


def test_inputs_are_those_of_the_step(hot_room):
    assert hot_room.input_at("air_temp_c", hot_room.before) == 24.0
    assert hot_room.input_at("air_temp_c", hot_room.peak) == pytest.approx(34.0, abs=3)
    assert np.isnan(hot_room.input_at("neck_air_temp_c", hot_room.peak))


def test_leanings_are_results_of_the_whole_model_at_the_ends_of_a_range(hot_room):
    asked = hot_room.scenario
    spreads = [one.spread for one in hot_room.hangs_on]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] > 0.1
    assert {one.parameter.mark for one in hot_room.hangs_on} <= set(UNCERTAIN)
    for one in hot_room.hangs_on[:2]:
        for value, told in ((one.parameter.low, one.at_low), (one.parameter.high, one.at_high)):
            person = replace(asked.persons, traits={**asked.persons.traits, one.parameter.name: np.array([value])})
            felt = simulate(person, asked.forcing(), outputs=("felt_heat",))["felt_heat"]
            assert told == pytest.approx(felt.max(), abs=1e-9)


def test_a_persons_own_traits_are_kept_in_all_lanes():
    asked = find_scenario("hot_flash")
    assert asked.persons.traits or asked.persons.female.any()
    found = play(asked)
    flash = next(one for one in found.hangs_on if one.parameter.name == "flash_dilation")
    person = replace(asked.persons, traits={**asked.persons.traits, "flash_dilation": np.array([flash.parameter.high])})
    felt = simulate(person, asked.forcing(), outputs=("felt_heat",))["felt_heat"]
    assert flash.at_high == pytest.approx(felt.max(), abs=1e-9)

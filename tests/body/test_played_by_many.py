"""A scenario that happens to many people: its middle, its moment, and how far people differ."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.hypothesis_drivers import KnownBody, draw_persons
from unaji.body.played import play
from unaji.body.played_by_many import play_by_many
from unaji.body.scenario_file import find_scenario


@pytest.fixture(scope="module")
def people():
    return draw_persons(KnownBody(), np.random.default_rng(3), 24)


@pytest.fixture(scope="module")
def anger(people):
    return play_by_many(find_scenario("sudden_anger"), people)


def test_of_one_person_it_is_what_that_person_alone_meets():
    scenario = find_scenario("hot_room")
    alone = play(scenario, with_leanings=False)

    many = play_by_many(scenario, scenario.persons[:1])

    assert many.before == alone.before
    assert many.state["nape_skin_temp_c"] == pytest.approx(alone.state["nape_skin_temp_c"])
    assert abs(many.state.time_s[many.peak] - alone.state.time_s[alone.peak]) <= scenario.fine_step_s
    assert many.input_at("air_temp_c", many.peak) == alone.input_at("air_temp_c", many.peak) == 34.0
    spread = many.change("nape_skin_temp_c")
    assert spread.low == spread.median == spread.high


def test_the_middle_lies_between_people_who_differ(anger):
    for name in ("nape_skin_temp_c", "core_temp_c"):
        course, middle = anger.courses[name], anger.state[name][0]
        assert ((course.min(axis=0) <= middle) & (middle <= course.max(axis=0))).all()
    spread = anger.change("nape_skin_temp_c")
    assert spread.low < spread.median < spread.high


def test_each_is_compared_with_themselves(anger):
    flow = anger.courses["nape_skin_flow_ml_100g_min"]
    own = flow[:, anger.peak] / flow[:, anger.before]

    assert anger.ratio("nape_skin_flow_ml_100g_min").high == pytest.approx(np.percentile(own, 95))
    assert anger.highest("core_temp_c").high == pytest.approx(np.percentile(anger.courses["core_temp_c"].max(1), 95))


def test_where_nothing_is_felt_the_skins_largest_change_counts_also_downwards(people):
    cold = play_by_many(find_scenario("cold_front"), people[:6], outputs=("felt_heat", "nape_skin_temp_c"))

    assert cold.at_peak("felt_heat").high == 0.0
    assert cold.state["nape_skin_temp_c"][0, cold.peak] == cold.state["nape_skin_temp_c"].min()


def test_the_same_people_give_the_same_numbers(anger, people):
    again = play_by_many(find_scenario("sudden_anger"), people)

    assert again.change("felt_heat") == anger.change("felt_heat")
    assert again.peak == anger.peak

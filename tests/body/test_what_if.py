"""What would become of the nape: signs and bounds of physiology, exactness at rest, answers one can rely on."""

from __future__ import annotations

from itertools import product
from math import isfinite

import numpy as np
import pytest

from unaji.body import what_if as module
from unaji.body.counterfactual import LEAST_FELT
from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.spread import Spread
from unaji.body.what_if import (
    LASTING_LINKS,
    SLIDERS,
    WATCHED,
    Crowd,
    WhatIf,
    links_of_slider,
    usual_crowd,
    what_if,
)
from unaji.claims.graph import load_claims
from unaji.claims.model import Grade, Pathway
from unaji.claims.parameters import default_parameters

SPREADS = (
    *("flow_ratio", "muscle_flow_ratio", "nape_skin_c", "nape_change_k", "core_c", "core_change_k", "felt_heat"),
)
CLAIMS = load_claims("neck_heat")


@pytest.fixture(scope="module")
def crowd():
    return usual_crowd(n_persons=64)


@pytest.fixture(scope="module")
def few(crowd):
    return Crowd(crowd.persons[:8])


def spreads(result) -> dict[str, Spread]:
    return {name: getattr(result, name) for name in SPREADS}


def medians(crowd, name, asked) -> list[float]:
    return [getattr(what_if(one, crowd), name).median for one in asked]


# -- physiology --------------------------------------------------------------------------------------------------------


def test_where_nothing_is_changed_nothing_changes_at_all(crowd):
    rest = what_if(WhatIf(), crowd)
    assert rest.flow_ratio == rest.muscle_flow_ratio == Spread(1.0, 1.0, 1.0)
    assert rest.nape_change_k == rest.core_change_k == rest.felt_heat == Spread(0.0, 0.0, 0.0)
    assert set(rest.felt_by_way.values()) == {0.0}
    assert (rest.leading, rest.asked.changed) == ((), ())


def test_people_at_rest_are_neither_feverish_nor_cold(crowd):
    rest = what_if(WhatIf(), crowd)
    assert rest.core_c.median == pytest.approx(SLIDERS["body_temp_c"].usual, abs=0.1)
    assert 36.0 < rest.core_c.low < rest.core_c.high < 37.6
    assert 31.0 < rest.nape_skin_c.low < rest.nape_skin_c.high < 35.0


def test_the_warmer_the_room_the_warmer_the_skin_and_the_more_heat_is_felt(crowd):
    rooms = [WhatIf(room_temp_c=air_c) for air_c in (10, 18, 24.5, 25, 28, 32, 36, 40)]
    for name in ("nape_skin_c", "flow_ratio"):
        found = medians(crowd, name, rooms)
        assert found == sorted(set(found))
    felt = medians(crowd, "felt_heat", rooms)
    assert felt == sorted(felt)
    assert felt[:3] == [0.0, 0.0, 0.0]
    assert felt[-1] > 1.0


def test_a_warm_room_is_heat_load_and_nothing_else(crowd):
    found = what_if(WhatIf(room_temp_c=32), crowd)
    assert found.leading == (Pathway.HEAT_LOAD,)
    assert [share for way, share in found.felt_by_way.items() if way is not Pathway.HEAT_LOAD] == [0.0] * 4


@pytest.mark.parametrize("body_temp_c", [37.5, 38.0, 39.0, 39.5])
def test_a_fever_raises_the_core_by_what_was_asked_in_everybody(crowd, body_temp_c):
    asked = WhatIf(body_temp_c=body_temp_c)
    change = what_if(asked, crowd).core_change_k
    assert change.median == pytest.approx(body_temp_c - 36.8, abs=0.03)
    everybody = crowd.after(asked)["core_temp_c"] - crowd.usual["core_temp_c"]
    assert np.abs(everybody - (body_temp_c - 36.8)).max() < 0.1


def test_a_standing_fever_warms_the_skin_by_less_than_the_core_and_is_not_felt_as_heat(crowd):
    # Physiology, section 8: +1 K of set point gives some +0.7 K at the neck's skin, and vessels narrow (fingers first).
    found = what_if(WhatIf(body_temp_c=38.8), crowd)
    assert 0.5 * found.core_change_k.median < found.nape_change_k.median < found.core_change_k.median
    assert found.flow_ratio.median < 1.0
    assert found.felt_heat.high < LEAST_FELT


def test_a_scarf_warms_the_skin_by_one_to_two_kelvin_and_leaves_the_core_alone(crowd):
    found = what_if(WhatIf(covered=True), crowd)
    assert 0.9 <= found.nape_change_k.median <= 2.0  # the bounds of a stationary column of layers
    assert max(abs(found.core_change_k.low), abs(found.core_change_k.high)) <= 0.02
    assert found.leading == (Pathway.HEAT_LOAD,)


@pytest.mark.parametrize("stress", [2, 5, 10])
def test_stress_and_anger_do_not_raise_the_core(crowd, stress):
    # Social stress test: core not up by more than 0.05 K (target V4).
    assert what_if(WhatIf(stress=stress), crowd).core_change_k.high <= 0.06
    assert what_if(WhatIf(stress=stress), crowd).core_change_k.median <= 0.05


def test_the_more_anger_the_more_flow_in_skin_and_muscle(crowd):
    asked = [WhatIf(stress=stress) for stress in range(0, 11, 2)]
    skin, warming = medians(crowd, "flow_ratio", asked), medians(crowd, "nape_change_k", asked)
    assert skin == sorted(set(skin))
    assert warming == sorted(set(warming))
    assert medians(crowd, "muscle_flow_ratio", asked)[-1] > 1.2
    assert what_if(asked[-1], crowd).leading[0] is Pathway.VASCULAR


def test_anger_differs_more_between_persons_than_a_room_does(crowd):
    anger, room = (what_if(one, crowd).nape_change_k for one in (WhatIf(stress=10), WhatIf(room_temp_c=28)))
    assert (anger.high - anger.low) / anger.median > 3 * (room.high - room.low) / room.median


def test_a_bent_head_brings_blood_to_the_muscle_and_warms_the_skin_a_little(crowd):
    found = what_if(WhatIf(flexion_deg=30), crowd)
    assert found.muscle_flow_ratio.low > 1.0
    assert found.muscle_flow_ratio.median > 1.2
    assert 0.0 < found.nape_change_k.low < found.nape_change_k.median < 0.6  # target V9
    assert found.flow_ratio.median < 1.1
    assert abs(found.core_change_k.median) <= 0.02
    assert found.leading == (Pathway.MUSCLE,)


def test_what_is_felt_never_changes_a_temperature_or_a_flow(few):
    known = default_parameters()
    most = {name: known[name].high for name in ("warm_gain", "felt_peripheral", "felt_sensitised", "attention")}
    keen = Crowd(few.persons.with_traits(**most, warm_threshold=known["warm_threshold"].low))
    asked = WhatIf(stress=9, room_temp_c=33, flexion_deg=40, covered=True)
    own, other = what_if(asked, few), what_if(asked, keen)
    assert own.felt_heat.median < other.felt_heat.median
    for name in WATCHED:
        if name != "felt_heat":
            np.testing.assert_array_equal(own.state[name], other.state[name])


# -- reliance ----------------------------------------------------------------------------------------------------------


def test_every_combination_of_extremes_is_finite_and_in_order(few):
    ends = [(slider.low, slider.high) for slider in SLIDERS.values()]
    for *values, covered in product(*ends):
        found = what_if(WhatIf(*values, covered=bool(covered)), few)
        for name, spread in spreads(found).items():
            assert all(map(isfinite, (spread.low, spread.median, spread.high))), name
            assert spread.low <= spread.median <= spread.high, name
        assert 0.0 <= found.felt_heat.low <= found.felt_heat.high <= 10.0
        assert found.flow_ratio.low > 0.0
        assert all(map(isfinite, found.felt_by_way.values()))


def test_the_shares_of_the_ways_sum_to_the_felt_heat(few):
    for asked in (WhatIf(stress=8, room_temp_c=31, flexion_deg=30), WhatIf(10, 38, 60, 39.0, True)):
        found = what_if(asked, few)
        mean = few.after(asked)["felt_heat"].mean()
        assert mean > 0.5
        assert sum(found.felt_by_way.values()) == pytest.approx(mean, abs=0.03)  # their steps are longer


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(few):
    asked = WhatIf(stress=7, covered=True)
    one, again = (Crowd(usual_crowd(seed=3, n_persons=8).persons) for _ in range(2))
    assert spreads(what_if(asked, one)) == spreads(what_if(asked, again))
    assert what_if(asked, one).felt_by_way == what_if(asked, again).felt_by_way
    assert spreads(what_if(asked, one)) != spreads(what_if(asked, few))


def test_an_answer_does_not_depend_on_what_was_asked_before(few):
    first = what_if(WhatIf(stress=6), few)
    what_if(WhatIf(10, 40, 60, 39.5, True), few)
    again = what_if(WhatIf(stress=6), few)
    assert spreads(first) == spreads(again)
    assert first.felt_by_way == again.felt_by_way


def test_a_persons_answer_does_not_depend_on_the_others(crowd, few):
    asked = WhatIf(5, 30, 20, 38.0, True)
    alone, among = few.after(asked), crowd.after(asked)
    for name in WATCHED:
        np.testing.assert_allclose(alone[name], among[name][:8], rtol=1e-9)


def test_half_the_step_changes_hardly_anything(few, monkeypatch):
    asked = WhatIf(10, 36, 30, 38.5, True)
    usual = few.after(asked)
    monkeypatch.setattr(module, "STEP_S", module.STEP_S / 2)
    fine = few.after(asked)
    assert np.abs(usual["nape_skin_temp_c"] - fine["nape_skin_temp_c"]).max() < 0.01
    assert np.abs(usual["core_temp_c"] - fine["core_temp_c"]).max() < 0.005
    assert 0.0 < np.abs(usual["felt_heat"] - fine["felt_heat"]).max() < 0.03


def test_nine_in_ten_persons_lie_in_a_range(crowd):
    assert Spread.of(np.arange(101.0)) == Spread(median=50.0, low=5.0, high=95.0)
    asked = WhatIf(stress=7)
    change = crowd.after(asked)["nape_skin_temp_c"] - crowd.usual["nape_skin_temp_c"]
    told = what_if(asked, crowd).nape_change_k
    assert np.mean((change >= told.low) & (change <= told.high)) == pytest.approx(
        0.9, abs=2 / 64
    )  # ends lie between persons


@pytest.mark.parametrize(
    "asked", [WhatIf(stress=5), WhatIf(stress=10), WhatIf(room_temp_c=30), WhatIf(covered=True), WhatIf(flexion_deg=30)]
)
def test_the_moment_is_one_at_which_each_slider_is_felt(crowd, asked, monkeypatch):
    felt = []
    for minute in (5, 10, 15, 20, 25, 30):
        monkeypatch.setattr(module, "MOMENT_S", 60.0 * minute)
        felt.append(crowd.after(asked)["felt_heat"].mean())
    assert felt[2] >= 0.7 * max(felt) > 0.05


def test_the_state_holds_the_medians_before_and_after(few):
    asked = WhatIf(room_temp_c=33)
    found = what_if(asked, few)
    assert found.state["nape_skin_temp_c"].tolist() == [
        [np.median(few.usual["nape_skin_temp_c"]), found.nape_skin_c.median]
    ]
    assert found.state["felt_heat"][0, 1] == found.felt_heat.median
    assert found.n_persons == 8


def test_what_is_known_of_a_body_is_kept_and_a_crowd_is_settled_once():
    body = KnownBody(height_m=1.55, age_y=60.0, female=True)
    crowd = usual_crowd(body, n_persons=8)
    persons = crowd.persons
    assert (set(persons.height_m), set(persons.age_y), set(persons.female)) == ({1.55}, {60.0}, {True})
    assert usual_crowd(body, n_persons=8) is crowd


# -- what may be asked -------------------------------------------------------------------------------------------------


def test_sliders_are_the_fields_of_the_question_and_stand_where_nothing_is_changed():
    assert list(SLIDERS) == list(WhatIf.__dataclass_fields__)
    assert all(getattr(WhatIf(), name) == slider.usual for name, slider in SLIDERS.items())
    assert WhatIf(stress=3, covered=True).changed == ("stress", "covered")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"stress": 11}, "stress must be within 0 to 10, got 11"),
        ({"room_temp_c": 55.0}, "room_temp_c must be within 10 to 40 °C, got 55 °C"),
        ({"flexion_deg": -5}, "flexion_deg must be within 0 to 60°, got -5°"),
        ({"body_temp_c": 35.0}, "body_temp_c must be within 36.8 to 39.5 °C, got 35 °C"),
        ({"body_temp_c": float("nan")}, "body_temp_c must be within 36.8 to 39.5 °C, got nan °C"),
        ({"covered": 0.5}, "covered must be True or False, got 0.5"),
    ],
)
def test_what_is_out_of_range_is_named_with_its_range(asked, told):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the whole message is compared
        WhatIf(**asked)
    assert str(caught.value) == told


def test_everything_that_is_out_of_range_is_told_at_once():
    with pytest.raises(ValueError, match=r"stress must be .*; flexion_deg must be .*got 90°"):
        WhatIf(stress=-1, flexion_deg=90)


@pytest.mark.parametrize(
    ("slider", "weakest"),
    [("stress", "D"), ("room_temp_c", "A"), ("flexion_deg", "C"), ("body_temp_c", "A"), ("covered", "A")],
)
def test_each_slider_knows_the_weakest_link_it_rests_on(slider, weakest):
    links = links_of_slider(slider, CLAIMS)
    assert links[-1].grade == Grade(weakest)
    assert not {link.id for link in links} & set(LASTING_LINKS)

"""The person's own body in each way: what is known is kept, the rest is the table's median, and the ways differ."""

from __future__ import annotations

import pytest

from unaji.body.counterfactual import DRIVERS as ORDER
from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.played import play
from unaji.body.typical import DRIVERS, own_scenario, typical_person, typical_scenario
from unaji.claims.model import Pathway

WOMAN = KnownBody(height_m=1.62, weight_kg=56.0, age_y=41.0, female=True)


@pytest.fixture(scope="module")
def played():
    person = typical_person(WOMAN)
    return {way: play(typical_scenario(way, person), with_leanings=False) for way in DRIVERS}


def test_what_is_known_of_the_body_is_kept_and_fat_follows_deurenberg_1991():
    person = typical_person(WOMAN)
    assert (person.height_m[0], person.weight_kg[0], person.age_y[0], person.female[0]) == (1.62, 56.0, 41.0, True)
    assert person.fat_percent[0] == pytest.approx(1.20 * 21.338 + 0.23 * 41 - 5.4, abs=0.01)


def test_a_body_of_which_nothing_is_known_is_the_median_man_of_30_to_49_in_the_national_survey():
    person = typical_person(KnownBody())
    assert (person.height_m[0], person.weight_kg[0], person.female[0]) == (pytest.approx(1.718), 70.0, False)


def test_a_child_or_a_giant_is_taken_to_the_end_of_what_the_model_is_made_for():
    person = typical_person(KnownBody(height_m=2.6, weight_kg=20.0, age_y=9.0))
    assert (person.height_m[0], person.weight_kg[0], person.age_y[0]) == (2.3, 25.0, 15.0)


@pytest.mark.parametrize("way", list(Pathway))
def test_each_way_is_the_one_that_carries_the_heat_of_its_own_scene(played, way):
    found = played[way].attribution
    share = dict(zip(map(str, ORDER), found.shares["felt_heat_peak"][:, 0], strict=True))
    assert max(share, key=share.get) == way
    assert played[way].is_felt


def test_nerves_alone_make_heat_without_warming_and_a_hot_room_warms(played):
    assert abs(played[Pathway.SENSORY].attribution.whole["nape_skin_temp_c"][0]) < 0.05
    assert played[Pathway.HEAT_LOAD].attribution.whole["nape_skin_temp_c"][0] > 1.0


def test_a_scene_keeps_only_what_stands_for_the_cause():
    pressure = own_scenario("cold_front", typical_person(WOMAN), "pressure_hpa")
    assert [event.name.en for event in pressure.events] == ["the pressure falls"]
    with pytest.raises(ValueError, match=r"'blush'.*'pyrogen_k'"):
        own_scenario("blush", typical_person(WOMAN), "pyrogen_k")

"""Who is simulated: checks, joining, and a population whose quartiles are the published ones."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.persons import HEIGHT_QUARTILES_CM, WEIGHT_QUARTILES_KG, Persons, sample_persons
from unaji.claims.parameters import Spread, default_parameters
from unaji.errors import InputError


def test_the_standard_body_is_that_of_the_reference_model():
    body = Persons.standard()
    assert len(body) == 1
    found = (body.height_m[0], body.weight_kg[0], body.fat_percent[0], body.age_y[0], body.cardiac_index_l_min_m2[0])
    assert found == (1.72, 74.43, 15.0, 20.0, 2.59)
    assert not body.female[0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"height_m": 172.0}, "height_m must be within 1.2 to 2.3 m, got 172"),
        ({"weight_kg": float("nan")}, "weight_kg must be within 25 to 250 kg, got nan"),
        ({"age_y": 3.0}, "age_y must be within 15 to 105 years, got 3"),
        ({"flush_gain": float("inf")}, "flush_gain must be within"),
        ({"flush_gain": -1.0}, "flush_gain must be within 0 to 4, got -1"),
    ],
)
def test_an_impossible_person_is_refused_with_the_value_and_the_range(wrong, said):
    with pytest.raises(ValueError, match=said):
        Persons.one(**wrong)


def test_a_trait_that_no_parameter_has_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="'flush_gian'; did you mean 'flush_gain'"):
        Persons.one(flush_gian=1.0)


def test_columns_of_different_length_are_refused():
    two = np.array([1.7, 1.8])
    with pytest.raises(ValueError, match=r"weight_kg \(1,\) and height_m \(2,\) differ in shape"):
        Persons(two, np.array([70.0]), two * 10, two * 20, two > 1.75, two)


def test_a_person_cannot_be_changed_behind_the_back():
    height = np.array([1.7])
    body = Persons(height, [60.0], [20.0], [30.0], [True], [2.6])
    height[0] = 9.9
    assert body.height_m[0] == 1.7
    with pytest.raises(ValueError, match="read-only"):
        body.height_m[0] = 2.0


def test_joined_batches_keep_their_order_and_fill_missing_traits_with_the_default():
    both = Persons.join([Persons.one(flush_gain=2.0), Persons.one(height_m=1.58, female=True)])
    assert both.height_m.tolist() == [1.72, 1.58]
    assert both.trait("flush_gain", 1.0).tolist() == [2.0, 1.0]
    assert both.trait("unheard_of", 0.5).tolist() == [0.5, 0.5]
    assert both[1].female.tolist() == [True]
    assert both[[1, 0]].height_m.tolist() == [1.58, 1.72]
    assert both[np.array([False, True])].trait("flush_gain", 1.0).tolist() == [1.0]
    assert both.with_traits(flush_gain=3.0).trait("flush_gain", 1.0).tolist() == [3.0, 3.0]


def test_joining_nothing_is_refused():
    with pytest.raises(ValueError, match="no batch"):
        Persons.join([])


def test_a_population_has_the_published_quartiles_of_height_and_weight():
    people = sample_persons(60_000, np.random.default_rng(3))
    for female in (False, True):
        for band, (low, high) in enumerate([(20, 30), (30, 50), (50, 65), (65, 75), (75, 90)]):
            rows = (people.female == female) & (people.age_y >= low) & (people.age_y < high)
            height_cm = np.percentile(100 * people.height_m[rows], [25, 50, 75])
            weight_kg = np.percentile(people.weight_kg[rows], [25, 50, 75])
            assert height_cm == pytest.approx(HEIGHT_QUARTILES_CM[female][band], abs=0.5)
            assert weight_kg == pytest.approx(WEIGHT_QUARTILES_KG[female][band], abs=0.9)


def test_body_fat_follows_the_formula_of_deurenberg_with_its_scatter():
    people = sample_persons(40_000, np.random.default_rng(5))
    bmi = people.weight_kg / people.height_m**2
    expected = 1.20 * bmi + 0.23 * people.age_y - 10.8 * ~people.female - 5.4
    inside = (people.fat_percent > 3) & (people.fat_percent < 65)
    rest = (people.fat_percent - expected)[inside]
    assert rest.mean() == pytest.approx(0.0, abs=0.1)
    assert rest.std() == pytest.approx(4.1, abs=0.1)
    assert 20 < np.median(bmi) < 24  # the survey's own median


def test_the_same_seed_gives_the_same_persons():
    one, other = (sample_persons(20, np.random.default_rng(1)) for _ in range(2))
    assert one.weight_kg.tolist() == other.weight_kg.tolist()
    assert one.traits["flush_gain"].tolist() == other.traits["flush_gain"].tolist()


def test_traits_are_drawn_from_the_models_parameters_within_their_ranges():
    people = sample_persons(2_000, np.random.default_rng(9))
    known = default_parameters()
    assert people.traits
    for name, value in people.traits.items():
        assert value.min() >= known[name].low
        assert value.max() <= known[name].high
        assert known[name].spread is not Spread.FIXED
        assert np.unique(value).size > 1_000

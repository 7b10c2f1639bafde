"""Bodies: numbers of nodes, sums over the neck, scaling and corrections."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pytest import approx  # noqa: PT013

from unaji.body.anatomy import (
    COMPAT,
    FULL,
    anatomy_of,
    basal_metabolism_w,
    structure_of,
    surface_area_m2,
)
from unaji.body.layout import NAPE, NECK, SEGMENTS
from unaji.body.persons import Persons

NECK_LAYERS = ("core", "deep_muscle", "superficial_muscle", "nape_fat")
VARIED = Persons.of(
    6,
    height_m=np.array([1.72, 1.5, 1.95, 1.6, 1.8, 1.65]),
    weight_kg=np.array([74.43, 42, 130, 55, 90, 66]),
    fat_percent=np.array([15, 30, 10, 27.5, 20, 22]),
    age_y=np.array([20.0, 85, 45, 30, 60, 65]),
    female=np.array([False, True, False, True, True, False]),
)
DETAILED = dataclasses.replace(COMPAT, detailed_neck=True)


def test_there_are_85_nodes_and_89_with_the_neck_in_detail():
    assert len(structure_of(False).nodes) == 85
    assert len(structure_of(True).nodes) == 89
    assert len(set(structure_of(True).nodes)) == 89


def test_the_layers_of_the_neck_add_up_to_the_neck_of_jos3_in_everyone():
    plain, detailed = anatomy_of(VARIED, COMPAT), anatomy_of(VARIED, DETAILED)
    s, d = plain.structure, detailed.structure
    for layer, parts in (("core", NECK_LAYERS), ("skin", ("skin", "nape_skin"))):
        names = [f"neck_{part}" for part in parts]
        capacity = detailed.capacity_j_k[[d.node(n) for n in names]].sum(axis=0)
        np.testing.assert_allclose(capacity, plain.capacity_j_k[s.node(f"neck_{layer}")], rtol=1e-14)
        for rows in ("flow_l_h", "heat_w", "shivering_gain", "brown_fat_gain", "work_share"):
            whole = getattr(plain, rows)[s.tissue(f"neck_{layer}")]
            split = getattr(detailed, rows)[[d.tissue(n) for n in names]]
            rounded = (layer, rows) == ("skin", "flow_l_h")  # the nape's is a parameter, stated to six digits
            np.testing.assert_allclose(split.sum(axis=0), whole, rtol=1e-8 if rounded else 1e-13)
            assert np.all(split >= 0)
    for rows in ("area_m2", "receptors", "sweat_gain"):
        split = getattr(detailed, rows)[[NECK, NAPE]].sum(axis=0)
        np.testing.assert_allclose(split, getattr(plain, rows)[NECK], rtol=1e-14)
    np.testing.assert_allclose(detailed.basal_w, plain.basal_w, rtol=1e-14)


def test_the_standard_neck_is_that_of_the_design():
    a = anatomy_of(Persons.standard(), DETAILED)
    s = a.structure
    assert a.capacity_j_k[[s.node(f"neck_{x}") for x in NECK_LAYERS], 0] == approx([932.4, 680, 340, 78])
    assert a.capacity_j_k[[s.node("neck_nape_skin"), s.node("neck_skin")], 0] == approx([65, 143.8])
    heat_w = a.heat_w[:, 0]
    assert heat_w[s.tissue("neck_deep_muscle")] == approx(0.7 * 0.189)
    assert sum(heat_w[s.tissue(f"neck_{x}")] for x in NECK_LAYERS) == approx(0.285, abs=5e-4)
    assert a.flow_l_h[:, 0].sum() == approx(290.56, rel=0.003)  # 2.59 L/min/m² on 1.87 m²


def test_a_thicker_layer_of_fat_conducts_less():
    thin, thick = (anatomy_of(Persons.one(nape_fat_mm=mm)) for mm in (2.0, 12.0))
    s = thin.structure
    e = s.edges.index((s.node("neck_nape_fat"), s.node("neck_nape_skin")))
    assert thick.conductance_w_k[e, 0] == approx(0.009 / (0.006 / 0.21 + 0.001 / 0.37), rel=0.01)
    assert thick.conductance_w_k[e, 0] < thin.conductance_w_k[e, 0]
    fat = s.node("neck_nape_fat")
    assert thick.capacity_j_k[fat, 0] == approx(6 * thin.capacity_j_k[fat, 0])


def test_surface_and_basal_rate_are_those_of_the_papers():
    woman = Persons.one(height_m=1.60, weight_kg=55.0, age_y=30.0, female=True)
    assert surface_area_m2(woman)[0] == approx(1.566, abs=0.01)  # DuBois' nomogram: 1.56 m²
    # 447.593 + 9.247 · 55 + 3.098 · 160 − 4.330 · 30 kcal a day
    assert basal_metabolism_w(woman)[0] == approx(1321.96 * 0.048, abs=0.01)
    excess_w = basal_metabolism_w(woman, revised=False)[0] - basal_metabolism_w(woman)[0]
    assert excess_w == approx(13.06, abs=0.01)


def test_age_lowers_flow_sweat_dilation_and_shivering():
    young, old = (anatomy_of(Persons.one(age_y=age), COMPAT) for age in (25.0, 80.0))
    for rows in ("flow_l_h", "sweat_gain", "dilation_gain", "shivering_gain"):
        assert np.all(getattr(old, rows) <= getattr(young, rows))
        assert getattr(old, rows).sum() < getattr(young, rows).sum()


def test_people_in_their_fifties_have_brown_fat_only_when_corrected():
    fifty = Persons.one(age_y=55.0)
    limit = {name: anatomy_of(fifty, on).brown_fat_limit_w[0] for name, on in (("jos3", COMPAT), ("full", FULL))}
    assert limit["jos3"] == approx(2.43 + 5.62)
    assert limit["full"] > limit["jos3"]


def test_every_segment_has_the_skin_and_core_of_its_name():
    structure = structure_of(True)
    for name in SEGMENTS:
        assert f"{name}_skin" in structure.nodes
        assert f"{name}_core" in structure.nodes
    assert structure.nodes[structure.tissues[structure.patches[NAPE][1]][0]] == "neck_nape_skin"


def test_what_cannot_be_a_body_is_refused():
    with pytest.raises(ValueError, match="weight_kg must be within 25 to 250 kg"):
        Persons.one(weight_kg=-1.0)
    with pytest.raises(ValueError, match="more than JOS-3's neck has"):
        anatomy_of(
            Persons.one(
                nape_fat_j_k=230.0, nape_fat_mm=12.0, nape_deep_muscle_j_k=900.0, nape_superficial_muscle_j_k=540.0
            )
        )

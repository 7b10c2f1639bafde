from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.body.pathways import (
    PRIOR,
    UNDETERMINED,
    Measured,
    heat_excess_k,
    met_from_activity,
    pathway_probabilities,
    skin_above_expected,
)

maybe = st.one_of(st.none(), st.floats(-6, 6))


def top(measured: Measured) -> str:
    p = pathway_probabilities(measured)
    return max(p, key=lambda k: p[k])


@given(maybe, st.floats(0.05, 2), maybe, st.one_of(st.none(), st.floats(35, 41)), st.booleans(), st.booleans())
def test_probabilities_sum_to_one_and_none_is_negative(rise, sd, excess, core, heat, load):
    p = pathway_probabilities(Measured(rise, sd, core, excess, heat, load))
    assert sum(p.values()) == pytest.approx(1)
    assert min(p.values()) >= 0


def test_nothing_measured_is_undetermined_and_nothing_else():
    assert pathway_probabilities(Measured()) == pytest.approx({**{str(k): 0.0 for k in PRIOR}, UNDETERMINED: 1.0})


def test_a_warm_nape_in_a_cool_room_is_vascular():
    p = pathway_probabilities(Measured(nape_rise_k=1.2, nape_rise_sd_k=0.2, heat_excess_k=-3.0, core_temp_c=36.7))
    assert p["vascular"] > 0.7


def test_felt_heat_without_any_warming_is_sensory_when_the_room_is_cool():
    assert top(Measured(nape_rise_k=-0.05, nape_rise_sd_k=0.15, heat_excess_k=-3.5, core_temp_c=36.7)) == "sensory"


def test_a_hot_room_with_the_skin_as_expected_is_heat_load():
    assert top(Measured(nape_rise_k=0.0, nape_rise_sd_k=0.3, heat_excess_k=4.0)) == "heat_load"
    assert top(Measured(heat_excess_k=4.0)) == "heat_load"


def test_fever_is_core_whatever_else():
    assert pathway_probabilities(Measured(core_temp_c=38.8))["core"] > 0.9
    assert top(Measured(nape_rise_k=1.0, nape_rise_sd_k=0.3, core_temp_c=39.0, heat_excess_k=2.0)) == "core"


def test_a_normal_thermometer_alone_settles_nothing_but_fever():
    p = pathway_probabilities(Measured(core_temp_c=36.7))
    assert p["core"] < 0.001
    assert p[UNDETERMINED] > 0.9


def test_a_noisy_sensor_says_less_than_a_good_one():
    good = pathway_probabilities(Measured(nape_rise_k=1.2, nape_rise_sd_k=0.1))
    noisy = pathway_probabilities(Measured(nape_rise_k=1.2, nape_rise_sd_k=1.5))
    assert good[UNDETERMINED] < noisy[UNDETERMINED]


def test_comfort_ends_at_26_degrees_at_rest_and_earlier_when_active():
    excess = heat_excess_k(np.array([26.0, 26.0, 30.0]), np.array([1.2, 2.2, np.nan]), near_body=False)
    assert excess == pytest.approx([0, 4, 4])
    assert heat_excess_k(np.array([28.4]), np.array([1.2]), near_body=True) == pytest.approx([0])


def test_walking_a_hundred_steps_a_minute_is_three_met():
    assert met_from_activity(np.array([0.0, 100.0])) == pytest.approx([1.2, 3.0])


def test_skin_above_expected_finds_a_flush_that_air_does_not_explain():
    rng = np.random.default_rng(0)
    n = 288 * 14
    hour = np.arange(n) % 288 / 12
    air = 22 + 3 * np.sin(2 * np.pi * np.arange(n) / 700) + rng.normal(size=n) * 0.2
    skin = 33 + 0.3 * (air - 22) + 0.2 * np.cos(2 * np.pi * hour / 24) + rng.normal(size=n) * 0.2
    skin[2000:2006] += 1.0
    reference = np.ones(n, dtype=bool)
    reference[1990:2020] = False
    rise, sd = skin_above_expected(skin, air, np.full(n, np.nan), hour, reference)
    assert rise[2000:2006].mean() == pytest.approx(1.0, abs=0.25)
    assert sd == pytest.approx(0.2, rel=0.15)
    assert abs(rise[reference].mean()) < 0.02


def test_less_than_a_day_of_quiet_skin_teaches_nothing():
    n = 200
    rise, sd = skin_above_expected(
        np.full(n, 33.0), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.ones(n, dtype=bool)
    )
    assert np.isnan(rise).all()
    assert np.isnan(sd)

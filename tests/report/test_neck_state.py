from __future__ import annotations

import math

import numpy as np

from unaji.body.state import OUTPUTS, NeckState
from unaji.report.figures.cross_section import cross_section, section_of

STATE = NeckState(
    np.array([60.0, 120.0]),
    {name: np.array([[1.0, 2.0], [3.0, 4.0]]) + k for k, name in enumerate(OUTPUTS) if name != "felt_heat"}
    | {"felt_heat": np.array([[0.0, 1.0], [5.0, 2.0]]), "pain": np.array([[0.0, 3.0], [1.0, 2.0]])},
)


def test_a_section_is_the_state_of_one_person_at_one_step():
    found = section_of(STATE, 1, 0, air_temp_c=24.0, collar=True)
    assert found.nape_skin_c == STATE["nape_skin_temp_c"][1, 0]
    assert found.deep_muscle_flow == STATE["deep_muscle_flow_ml_100g_min"][1, 0]
    assert found.muscle_load_percent_mvc == STATE["emg_percent_mvc"][1, 0]
    assert (found.felt_heat, found.nerve_activity) == (5.0, 0.5)
    assert (found.air_temp_c, found.collar) == (24.0, True)
    assert found.artery_c == STATE["neck_artery_temp_c"][1, 0]
    assert section_of(STATE).nerve_activity == 0.3  # the pain of the first person's last step


def test_what_was_not_computed_is_not_known_and_can_be_drawn():
    found = section_of(NeckState(STATE.time_s, {"nape_skin_temp_c": STATE["nape_skin_temp_c"] + 30}))
    assert found.nape_skin_c == 32.0
    assert math.isnan(found.felt_heat)
    assert math.isnan(found.nerve_activity)
    assert "不明" in cross_section(found)

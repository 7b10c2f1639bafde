from __future__ import annotations

import numpy as np
import pytest

from unaji.body.context import END_MIN, N_STEPS, STEP_S, Context, filled, within


def test_the_steps_end_where_the_next_begins_and_cover_three_hours_and_forty_minutes():
    assert STEP_S.sum() == 220 * 60
    assert np.cumsum(STEP_S) / 60 - 180 == pytest.approx(END_MIN)


def test_gaps_take_the_value_before_and_the_first_ones_the_value_after():
    value = np.full(N_STEPS, np.nan)
    value[[3, 40, 60]] = [20.0, 22.0, 25.0]
    found = filled(value)
    assert found[0] == found[39] == 20.0
    assert found[59] == 22.0
    assert found[-1] == 25.0


def test_air_last_read_an_hour_before_the_onset_is_not_known():
    value = np.where(END_MIN <= -60, 20.0, np.nan)
    assert np.isnan(filled(value)).all()


def test_a_context_with_holes_is_refused():
    with pytest.raises(ValueError, match="met needs"):
        Context(met=np.where(within(-30, 0), 1.2, np.nan))


def test_nothing_recorded_says_nothing():
    assert not Context().says_something
    assert Context(air_temp_c=np.full(N_STEPS, 22.0)).knows_heat
    assert Context(load_min=((-60.0, 0.0),)).knows_load

from __future__ import annotations

import numpy as np
import pytest

from unaji.body.context import END_MIN, N_STEPS, Context, LoggedHeat
from unaji.body.hypotheses import Hypotheses, Sensor
from unaji.body.hypothesis_drivers import LOGGED_RANGES, PATHWAYS, KnownBody, draw_persons
from unaji.claims.model import Pathway

V, S, M, E, C = (PATHWAYS.index(way) for way in (Pathway.VASCULAR, Pathway.SENSORY, Pathway.MUSCLE, Pathway.HEAT_LOAD, Pathway.CORE))  # fmt: skip  # noqa: E501
BODY = KnownBody(height_m=1.62, weight_kg=56.0, age_y=40.0, female=True)


@pytest.fixture(scope="module")
def hypotheses():
    return Hypotheses.of(BODY, np.random.default_rng(5))


def mean_of(predicted, sensor, k, window):
    return float(predicted.weight[k] @ predicted.windows[sensor][k][:, window])


def air(celsius) -> Context:
    return Context(air_temp_c=np.broadcast_to(celsius, (N_STEPS,)))


def test_each_way_shows_the_signs_of_the_physiology(hypotheses):
    """The table at the head of docs/explanation/body.md: what really warms, what moves first."""
    any_moment = hypotheses.any_moment
    assert mean_of(any_moment, Sensor.NAPE, V, 3) > 0.3
    assert abs(mean_of(any_moment, Sensor.NAPE, S, 3)) < 0.05
    assert mean_of(any_moment, Sensor.NAPE, M, 4) > 0.2
    assert mean_of(any_moment, Sensor.NAPE, C, 3) > 0.5
    assert mean_of(any_moment, Sensor.FINGER, C, 0) < -1.0  # in a fever the fingers are cold first
    assert mean_of(any_moment, Sensor.PULSE, V, 3) > 3.0
    core = (any_moment.weight * any_moment.core_near_k).sum(axis=1)
    assert core[C] > 0.8
    assert np.abs(core[[V, S, M]]).max() < 0.15
    pain = (any_moment.weight * any_moment.pressure_pain).sum(axis=1)
    assert pain[S] < pain[M] < pain[V] + 1e-9


def test_a_flush_is_sudden_and_a_loaded_muscle_is_warm_before(hypotheses):
    any_moment = hypotheses.any_moment
    assert mean_of(any_moment, Sensor.NAPE, V, 0) == pytest.approx(0, abs=1e-9)
    assert mean_of(any_moment, Sensor.NAPE, M, 0) > 0.1


def test_warm_rooms_speak_for_heat_load_the_more_the_warmer(hypotheses):
    log_felt = [p.log_felt for p in hypotheses.around([air(t) for t in (22.0, 26.0, 29.0, 32.0)])]
    heat = [row[E] for row in log_felt]
    assert heat == sorted(heat)
    assert heat[0] < -0.05
    assert heat[-1] > 1.0
    assert log_felt[-1][V] < 0  # where the skin is as warm as the blood, a flush adds little


def test_coming_from_the_cold_into_a_warm_room_is_felt_more_than_sitting_in_it(hypotheses):
    steady, sudden = hypotheses.around([air(26.5), air(np.where(END_MIN < -20, 15.0, 26.5))])
    assert sudden.log_felt[E] > steady.log_felt[E]


@pytest.mark.parametrize("kind", LOGGED_RANGES)
def test_logged_heat_speaks_for_heat_load_and_for_nothing_else(hypotheses, kind):
    context = Context(heat=(LoggedHeat(kind, -40.0, 0.0),))
    (predicted,) = hypotheses.around([context])
    assert predicted.log_felt[E] > 0.15
    assert np.delete(predicted.log_felt, E) == pytest.approx(0, abs=0.25)


def test_a_scarf_warms_the_nape_under_heat_load_alone(hypotheses):
    context = Context(heat=(LoggedHeat("warm_clothing", -60.0, 40.0),))
    (predicted,) = hypotheses.around([context])
    assert 0.5 < mean_of(predicted, Sensor.NAPE, E, 4) < 3.0
    assert abs(mean_of(predicted, Sensor.FINGER, E, 4)) < 1.0


def test_logged_desk_work_speaks_for_the_muscle(hypotheses):
    (predicted,) = hypotheses.around([Context(load_min=((-150.0, 0.0),))])
    assert predicted.log_felt[M] > 0.05
    assert np.delete(predicted.log_felt, [M, E]) == pytest.approx(0, abs=0.25)


def test_nothing_recorded_is_any_moment(hypotheses):
    (predicted,) = hypotheses.around([Context()])
    assert predicted is hypotheses.any_moment
    assert np.array_equal(predicted.log_felt, np.zeros(5))


def test_an_episode_s_prediction_does_not_depend_on_its_companions(hypotheses):
    cool, warm = air(20.0), air(29.0)
    alone = hypotheses.around([warm])[0]
    together = hypotheses.around([cool, Context(), warm])[2]
    for sensor, value in alone.windows.items():
        assert together.windows[sensor] == pytest.approx(value, abs=1e-9)
    assert together.weight == pytest.approx(alone.weight, abs=1e-12)


def test_the_same_seed_draws_the_same():
    one, two = (Hypotheses.of(BODY, np.random.default_rng(3), n_draws=8).any_moment for _ in range(2))
    assert all(np.array_equal(one.windows[sensor], two.windows[sensor]) for sensor in one.windows)
    assert np.array_equal(one.weight, two.weight)


def test_what_is_known_of_the_body_is_kept_and_the_rest_drawn():
    persons = draw_persons(BODY, np.random.default_rng(0), 50)
    assert np.all(persons.height_m == 1.62)
    assert np.all(persons.weight_kg == 56.0)
    assert np.all(persons.female)
    assert persons.fat_percent.std() > 2
    # Deurenberg et al. 1991 for a woman of 40 with a body mass index of 21.3: 29.4 %, ± 4.1 between people.
    assert persons.fat_percent.mean() == pytest.approx(29.4, abs=2)
    unknown = draw_persons(KnownBody(), np.random.default_rng(0), 50)
    assert unknown.height_m.std() > 0.04


def test_a_body_beyond_the_model_s_range_is_taken_at_its_edge():
    assert np.all(draw_persons(KnownBody(height_m=2.6), np.random.default_rng(0), 4).height_m == 2.3)

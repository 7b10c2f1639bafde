"""`simulate` and `Simulation`: any batch, any pieces, several futures of one past, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.persons import Persons, sample_persons
from unaji.body.scenario_file import find_scenario
from unaji.body.simulate import Simulation, simulate
from unaji.body.state import MAIN, OUTPUTS
from unaji.errors import InputError, UsageError

ALL = tuple(OUTPUTS)


def busy(hours=2.0, *, dt_s=60.0):
    """Return a course in which every part of the model is at work."""
    end_s = hours * 3600.0
    inputs = {
        "air_temp_c": Course(np.array([0.0, end_s]), np.array([22.0, 30.0])),
        "stress": Course.steps([0.0, 600.0, 2400.0], [0.0, 0.8, 0.0]),
        "emotion": Course.steps([0.0, 1200.0, 1500.0], [0.0, 0.7, 0.0]),
        "flexion_deg": 30.0,
        "arm_load": Course.steps([0.0, 900.0, 1800.0], [0.0, 0.3, 0.0]),
        "pyrogen_k": Course.steps([0.0, 1800.0], [0.0, 1.0]),
        "hot_flash": Course.steps([0.0, 3000.0, 3180.0], [0.0, 1.0, 0.0]),
        "needle": Pulses(np.array([3600.0]), np.array([2.0])),
        "nerve_compression": Course.steps([0.0, 4000.0], [0.0, 0.5]),
    }
    return Forcing.of(end_s, inputs, dt_s=dt_s, start_hour=9.0)


def parts_of(forcing, *after_steps):
    """Cut a forcing after some of its steps."""
    edges = (0, *after_steps, forcing.n_steps)
    return [
        Forcing(forcing.dt_s[a:b], {name: v if v.ndim == 0 else v[..., a:b] for name, v in forcing.values.items()})
        for a, b in pairwise(edges)
    ]


def crowd(n, seed=3):
    """Return different people; what is one for a whole batch is at its default."""
    return sample_persons(n, np.random.default_rng(seed))


# -- persons do not see each other -------------------------------------------------------------------------------------


def test_results_do_not_depend_on_the_size_or_the_order_of_the_batch():
    persons, forcing = crowd(19), busy()
    whole = simulate(persons, forcing, outputs=ALL)
    order = np.random.default_rng(5).permutation(19)
    shuffled = simulate(persons[order], forcing, outputs=ALL)
    for name in ALL:
        np.testing.assert_allclose(shuffled[name], whole[name][order], rtol=1e-12, atol=1e-12, err_msg=name)
    for k in (0, 7, 18):
        alone = simulate(persons[k], forcing, outputs=ALL)
        for name in ALL:
            np.testing.assert_allclose(alone[name][0], whole[name][k], rtol=1e-12, atol=1e-12, err_msg=name)


def test_each_person_gets_the_inputs_of_that_person():
    forcing = Forcing.constant(1800.0, air_temp_c=24.0)
    stress = np.repeat(np.linspace(0.0, 1.0, 11)[:, None], forcing.n_steps, axis=1)
    together = simulate(Persons.join([Persons.standard()] * 11), forcing.with_values(stress=stress))
    for k in (0, 7, 8, 10):
        alone = simulate(Persons.standard(), forcing.with_values(stress=stress[k]))
        expected = alone["nape_skin_temp_c"][0]
        np.testing.assert_allclose(together["nape_skin_temp_c"][k], expected, rtol=1e-12, atol=1e-12)
    assert (np.diff(together["finger_skin_temp_c"][:, -1]) < 0).all()


def test_the_same_run_twice_is_the_same_to_the_last_bit():
    first, second = (simulate(crowd(3), busy(), outputs=ALL) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in ALL)


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_steps", [(1,), (100,), (37, 38, 150)])
def test_a_run_in_pieces_is_the_whole_run(after_steps):
    persons, forcing = crowd(3), busy()
    whole = simulate(persons, forcing, dt_s=1.0, outputs=ALL)
    one = Simulation(persons, forcing)
    pieces = [one.run(part, dt_s=1.0, outputs=ALL) for part in parts_of(forcing, *after_steps)]
    assert one.time_s == pytest.approx(7200.0)
    assert np.concatenate([p.time_s for p in pieces]) == pytest.approx(whole.time_s)
    for name in ALL:
        joined = np.concatenate([p[name] for p in pieces], axis=1)
        np.testing.assert_allclose(joined, whole[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_a_copy_has_the_same_past_and_a_future_of_its_own():
    persons, forcing = Persons.standard(), busy()
    calm = Forcing.constant(3600.0, air_temp_c=30.0)
    one = Simulation(persons, forcing)
    one.run(forcing)
    other = one.copy()
    stressed = one.run(calm.with_values(stress=1.0), outputs=ALL)
    relaxed = other.run(calm, outputs=ALL)
    expected = Simulation(persons, forcing)
    expected.run(forcing)
    assert stressed["finger_skin_temp_c"][0, -1] < relaxed["finger_skin_temp_c"][0, -1] - 0.3
    again = expected.run(calm, outputs=ALL)
    assert all(np.array_equal(relaxed[name], again[name]) for name in ALL)
    assert np.array_equal(relaxed.time_s, again.time_s)
    assert one.time_s == other.time_s == pytest.approx(3 * 3600.0)


def test_outputs_are_kept_at_multiples_of_the_interval_and_at_the_end():
    forcing = Forcing.of(1000.0, {"stress": Course.steps([0.0, 95.0], [0.0, 1.0])}, dt_s=60.0)
    every = simulate(Persons.standard(), forcing, dt_s=1.0)
    whole_seconds = np.isclose(forcing.end_s, np.round(forcing.end_s), rtol=0, atol=1e-6)
    assert not whole_seconds.all()
    assert every.time_s == pytest.approx(forcing.end_s[whole_seconds])
    minutes = simulate(Persons.standard(), forcing, dt_s=300.0)
    assert minutes.time_s.tolist() == pytest.approx([300.0, 600.0, 900.0, 1000.0])
    for k, time_s in enumerate(minutes.time_s):
        place = int(np.argmin(np.abs(every.time_s - time_s)))
        assert minutes["nape_skin_temp_c"][0, k] == every["nape_skin_temp_c"][0, place]


def test_people_begin_rested_in_the_first_room_whatever_happens_first():
    room = {"air_temp_c": 24.0}
    calm = simulate(Persons.standard(), Forcing.constant(600.0, **room), dt_s=60.0)
    drift = np.ptp(calm["nape_skin_temp_c"])
    assert drift < 1e-3
    at_once = simulate(Persons.standard(), Forcing.constant(600.0, stress=1.0, emotion=1.0, arm_load=0.3, **room))
    assert at_once["nape_skin_temp_c"][0, 0] == pytest.approx(calm["nape_skin_temp_c"][0, 0], abs=0.2)
    assert at_once["hr_bpm"][0, -1] > calm["hr_bpm"][0, -1] + 5


def test_progress_ends_with_the_whole():
    seen = []
    simulate(crowd(17), Forcing.constant(600.0), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_outputs_are_those_asked_for_and_main_without_asking():
    forcing = Forcing.constant(300.0)
    assert tuple(simulate(Persons.standard(), forcing).values) == MAIN
    one = simulate(Persons.standard(), forcing, outputs=("pain", "hr_bpm", "pain"))
    assert tuple(one.values) == ("pain", "hr_bpm")
    assert all(v.shape == (1, 5) for v in one.values.values())


def test_a_trait_goes_before_the_parameters():
    from unaji.claims.parameters import default_parameters

    forcing = find_scenario("blush").forcing()
    strong = default_parameters().with_values(flush_gain=4.0)
    by_parameters = simulate(Persons.standard(), forcing, parameters=strong)
    by_trait = simulate(Persons.one(flush_gain=4.0), forcing)
    own = simulate(Persons.one(flush_gain=2.0), forcing, parameters=strong)
    usual = simulate(Persons.standard(), forcing)
    assert np.array_equal(by_parameters["nape_skin_temp_c"], by_trait["nape_skin_temp_c"])
    assert np.array_equal(own["nape_skin_temp_c"], usual["nape_skin_temp_c"])


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dt_s", "found"), [([60.0, 0.5], "0.5 s"), ([60.0, 900.0], "900 s")])
def test_steps_too_short_or_too_long_are_refused(dt_s, found):
    with pytest.raises(ValueError, match=f"must be 1 to 600 s long, got one of {found}"):
        simulate(Persons.standard(), Forcing(np.array(dt_s), {}))


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="dt_s must be above 0"):
        simulate(Persons.standard(), Forcing.constant(600.0), dt_s=0.0)


def test_an_unknown_output_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="no output is called 'nape_skin_c'; did you mean 'nape_skin_temp_c'"):
        simulate(Persons.standard(), Forcing.constant(600.0), outputs=("nape_skin_c",))


def test_no_output_at_all_is_refused():
    with pytest.raises(UsageError, match="name at least one output, such as felt_heat"):
        simulate(Persons.standard(), Forcing.constant(600.0), outputs=())


def test_an_unknown_trait_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no parameter is called 'flush_gian'; did you mean 'flush_gain'"):
        Persons.one(flush_gian=1.0)


def test_a_trait_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="flush_gain must be within 0 to 4, got 9"):
        Persons.one(flush_gain=9.0)


def test_a_forcing_for_other_persons_is_refused():
    forcing = Forcing(np.full(3, 60.0), {"stress": np.zeros((2, 3))})
    with pytest.raises(ValueError, match="made for 2 persons, but there are 3"):
        simulate(Persons.join([Persons.standard()] * 3), forcing)


def test_a_parameter_of_regulation_cannot_differ_within_a_batch():
    persons = Persons.join([Persons.one(dilation_lag_s=30.0), Persons.one(dilation_lag_s=120.0)])
    with pytest.raises(ValueError, match="dilation_lag_s must be the same for all persons of a batch, got 2"):
        simulate(persons, Forcing.constant(600.0))

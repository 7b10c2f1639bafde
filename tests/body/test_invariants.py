"""What must hold in the whole simulator, whoever is simulated and whatever happens: energy, signs, bounds and ranges.

Conservation of blood is tested in `test_heat`, independence of the batch in `test_simulate`, the reference model in
`test_jos3_reference`, and the sums of attributions in `test_shapley`.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.body import simulate as simulator
from unaji.body.channels import CHANNELS, WHOLE_NUMBERS, outfit
from unaji.body.drives import DriveState
from unaji.body.forcing import Course, Forcing, Pulses
from unaji.body.heat import PATCHES, REPORTED
from unaji.body.layout import NAPE, NECK, SEGMENTS
from unaji.body.persons import Persons, sample_persons
from unaji.body.sensation import SensationState
from unaji.body.simulate import Simulation, simulate
from unaji.body.state import OUTPUTS
from unaji.claims.parameters import Part, default_parameters

TEMPERATURES = tuple(name for name in OUTPUTS if name.endswith("_temp_c"))
OFFICE = {"air_temp_c": 24.0, **outfit("light")}
HEAD, CHEST, HAND = (SEGMENTS.index(name) for name in ("head", "chest", "left_hand"))
few = settings(max_examples=12)


def seen(simulation, forcing, source, rows):
    """Run a copy and return rows that no output shows, at every step: shape (n_rows, n_persons, n_steps)."""
    names, found = tuple(OUTPUTS), []
    for first in range(0, len(rows), len(names)):
        some = rows[first : first + len(names)]
        one = simulation.copy()
        one._rows_of = {name: (simulator._Row(source, row),) for name, row in zip(names, some, strict=False)}
        state = one.run(forcing, dt_s=1.0, outputs=names[: len(some)])
        assert state.time_s.size == forcing.n_steps, "steps must be whole seconds"
        found += [state[name] for name in names[: len(some)]]
    return np.array(found)


def heat_rows(simulation, forcing, *names):
    return seen(simulation, forcing, simulator._HEAT, [REPORTED.index(name) for name in names])


def skin_flows(simulation, forcing):
    """Return the flow of all 18 patches of skin, shape (18, n_persons, n_steps)."""
    patches = simulation._model.anatomy.structure.patches
    return seen(simulation, forcing, simulator._FLOW, [tissue for _, tissue in patches])


def crowd(n, seed):
    return sample_persons(n, np.random.default_rng(seed))


def copies(n, **traits):
    return Persons.join([Persons.one(**traits)] * n)


def each_their_own(n_steps, dt_s, shared, **own):
    """Return a forcing in which some inputs are one value for each person."""
    values = {name: np.repeat(np.asarray(v, dtype=float)[:, None], n_steps, axis=1) for name, v in own.items()}
    return Forcing(np.full(n_steps, dt_s), {name: np.float64(v) for name, v in shared.items()} | values)


# -- energy (1) --------------------------------------------------------------------------------------------------------

EVERYTHING = {
    "stress": (0, 1), "emotion": (0, 1), "arm_load": (0, 0.8), "flexion_deg": (0, 60), "pyrogen_k": (0, 3),
    "hot_flash": (0, 1), "nerve_compression": (0, 1), "nape_sun_w_m2": (0, 600), "collar_m2k_w": (0, 0.3),
    "air_temp_c": (5, 40), "radiant_temp_c": (5, 45), "humidity_percent": (5, 95), "air_speed_m_s": (0, 3),
    "par": (1, 6), "hour": (0, 24), "pressure_hpa": (700, 1050),
}  # fmt: skip


def anything(n_steps, n_persons, seed, ranges=EVERYTHING):
    """Return inputs that jump at every step, each person's own."""
    rng = np.random.default_rng(seed)
    values = {name: rng.uniform(low, high, (n_persons, n_steps)) for name, (low, high) in ranges.items()}
    for name, most in (("posture", 2), ("asleep", 1), ("antipyretic", 1), ("needle", 2)):
        values[name] = rng.integers(0, most + 1, (n_persons, n_steps)).astype(float)
    return Forcing(rng.integers(1, 601, n_steps).astype(float), values)


@few
@given(st.integers(0, 10_000))
def test_energy_closes_in_every_step_with_all_couplings_at_work(seed):
    persons = crowd(9, seed).with_traits(stress_heat=0.7, inflammation_gain=0.5)
    forcing = anything(25, 9, seed)
    one = Simulation(persons, forcing)
    capacity = one._model.anatomy.capacity_j_k
    temp = seen(one, forcing, simulator._TEMP, range(len(capacity)))
    metabolic, sun, dry, evaporative, respiratory = heat_rows(
        one, forcing, "metabolic_w", "sun_w", "dry_w", "evaporative_w", "respiratory_w"
    )
    stored_w = (capacity[..., None] * np.diff(temp, axis=-1)).sum(axis=0) / forcing.dt_s[1:]
    gained_w = (metabolic + sun - dry - evaporative - respiratory)[:, 1:]
    scale_w = (np.abs(metabolic) + np.abs(dry) + np.abs(evaporative) + np.abs(respiratory))[:, 1:]
    assert np.max(np.abs(stored_w - gained_w) / scale_w) < 1e-9


# -- nothing that is felt flows back (3) -------------------------------------------------------------------------------


@few
@given(st.integers(0, 10_000))
def test_senses_change_no_temperature_flow_or_heartbeat_by_a_bit(seed):
    rng = np.random.default_rng(seed)
    names = default_parameters().names(Part.SENSATION)
    felt = {n: rng.uniform(default_parameters()[n].low, default_parameters()[n].high, 8) for n in names}
    persons = copies(8, age_y=40.0)
    forcing = anything(12, 1, seed).persons([0] * 8)
    plain, altered = (Simulation(who, forcing) for who in (persons, persons.with_traits(**felt)))
    n_nodes, n_tissues = (len(x) for x in (plain._model.anatomy.capacity_j_k, plain._model.anatomy.flow_l_h))
    for source, n_rows in (
        (simulator._TEMP, n_nodes), (simulator._FLOW, n_tissues), (simulator._HEAT, len(REPORTED)),
        (simulator._DRIVES, len(DriveState)),
    ):  # fmt: skip
        assert np.array_equal(*(seen(one, forcing, source, range(n_rows)) for one in (plain, altered)))
    senses = (seen(one, forcing, simulator._SENSES, range(len(SensationState))) for one in (plain, altered))
    assert not np.array_equal(*senses)


# -- ranges (4) --------------------------------------------------------------------------------------------------------

WITHIN = {
    "arousal": (0, 1), "stress_load": (0, 1), "emg_percent_mvc": (0, 100), "tissue_oxygenation": (0, 1),
    "pain": (0, 10), "felt_heat": (0, 10), "felt_heat_thermal": (0, 10), "eda_proxy": (0.99, 20),
    "pressure_pain_threshold_kpa": (30, 450), "lactate_mmol_l": (1.9, 500), "plasma_noradrenaline_nmol_l": (0.5, 60),
    "hr_bpm": (40, 205), "rmssd_ms": (0.01, 300), "cardiac_output_l_min": (0.5, 60),
}  # fmt: skip
POSITIVE = tuple(name for name in OUTPUTS if "flow" in name)
ROUNDING = 1e-12


@few
@given(st.integers(0, 10_000))
def test_everything_stays_in_its_range_whatever_happens_to_whomever(seed):
    forcing, persons = anything(30, 9, seed), crowd(9, seed)
    state = simulate(persons, forcing, dt_s=1.0, outputs=tuple(OUTPUTS))
    for name in OUTPUTS:
        assert np.isfinite(state[name]).all(), name
    for name, (low, high) in WITHIN.items():
        assert low - ROUNDING <= state[name].min(), name
        assert state[name].max() <= high + ROUNDING, name
    assert (state["hr_bpm"] <= 220 - persons.age_y[:, None]).all()
    for name in POSITIVE:
        assert state[name].min() > 0, name


THE_WHOLE_OF_IT = {
    name: (known.low, known.high) for name, known in CHANNELS.items() if name not in (*WHOLE_NUMBERS, "hour")
}
"""Gales at −30 °C that turn into 60 °C: nothing a person lives through, but all that may be asked."""


@few
@given(st.integers(0, 10_000))
def test_nothing_runs_away_however_wildly_the_inputs_jump(seed):
    forcing, persons = anything(60, 9, seed, THE_WHOLE_OF_IT), crowd(9, seed)
    state = simulate(persons, forcing, dt_s=1.0, outputs=tuple(OUTPUTS))
    for name, values in state.values.items():
        assert np.isfinite(values).all(), name
    for name in ("nape_skin_temp_c", "core_temp_c", "mean_skin_temp_c", "finger_skin_temp_c"):
        assert -60 < state[name].min() < state[name].max() < 130, name


def test_wettedness_is_a_share_and_sensitisation_too():
    forcing = anything(60, 9, 1)
    one = Simulation(crowd(9, 1), forcing)
    first = len(REPORTED) + 2 * len(PATCHES)
    wet = seen(one, forcing, simulator._HEAT, [REPORTED.index("wettedness"), *range(first, first + len(PATCHES))])
    shares = seen(one, forcing, simulator._SENSES, [SensationState.PERIPHERAL, SensationState.CENTRAL])
    for share in (wet, shares):
        assert share.min() >= 0
        assert share.max() <= 1
    assert wet.max() > 0.9  # some are drenched


# -- rest (5, 13) ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "room", [{}, OFFICE, {"air_temp_c": 20.0, **outfit("light")}], ids=["neutral", "office", "cool"]
)
def test_nothing_drifts_where_nothing_happens(room):
    state = simulate(crowd(8, 2), Forcing.constant(6 * 3600.0, **room), dt_s=3600.0, outputs=tuple(OUTPUTS))
    for name in TEMPERATURES:
        assert np.abs(np.diff(state[name], axis=1)).max() < 1e-3, name
    for name in ("felt_heat", "pain", "arousal", "emg_percent_mvc", "stress_load"):
        assert not state[name].any(), name


def test_no_heat_to_speak_of_is_felt_over_a_quiet_day_and_night():
    """By anybody; those who notice every hundredth of a kelvin just feel the set point move."""
    day = Forcing.of(86_400.0, dict(OFFICE), dt_s=300.0, fine_dt_s=300.0, start_hour=0.0)
    persons = crowd(24, 4)
    felt = simulate(persons, day, dt_s=300.0, outputs=("felt_heat",))["felt_heat"].max(axis=1)
    assert not felt[persons.trait("warm_threshold", 0.0) > 0.05].any()
    assert felt.max() < 0.05


# -- signs (6, 8) ------------------------------------------------------------------------------------------------------

LADDER = np.linspace(0.0, 1.0, 8)
WARMER = {
    "air_temp_c": 14.0 + 16.0 * LADDER,
    "radiant_temp_c": 14.0 + 16.0 * LADDER,
    "collar_m2k_w": 0.2 * LADDER,
    "nape_sun_w_m2": 300.0 * LADDER,
    "neck_air_temp_c": 14.0 + 16.0 * LADDER,
    "air_speed_m_s": 3.0 - 2.7 * LADDER,
}


@pytest.mark.parametrize("name", WARMER)
@pytest.mark.parametrize("air_temp_c", [18.0, 24.0])
def test_the_nape_is_warmer_the_more_warms_it(name, air_temp_c):
    forcing = each_their_own(3, 60.0, {**OFFICE, "air_temp_c": air_temp_c}, **{name: WARMER[name]})
    nape = simulate(copies(8), forcing)["nape_skin_temp_c"][:, -1]  # steady: they have been there for a day
    assert (np.diff(nape) > 0).all()


def test_the_nape_is_warmer_the_warmer_the_core():
    forcing = each_their_own(360, 60.0, OFFICE, pyrogen_k=3.0 * LADDER)
    state = simulate(copies(8), forcing)
    assert (np.diff(state["core_temp_c"][:, -1]) > 0).all()
    assert (np.diff(state["nape_skin_temp_c"][:, -1]) > 0).all()


@pytest.mark.parametrize("air_temp_c", [18.0, 24.0, 28.0])
def test_the_nape_is_warmer_the_more_blood_it_gets_while_that_is_warmer(air_temp_c):
    persons = copies(8, constriction_neck=0.0).with_traits(flush_nape=LADDER)
    forcing = each_their_own(60, 10.0, {**OFFICE, "air_temp_c": air_temp_c}, emotion=np.ones(8))
    state = simulate(persons, forcing)
    assert (np.diff(state["nape_skin_flow_ml_100g_min"][:, -1]) > 0).all()
    assert (np.diff(state["nape_skin_temp_c"][:, -1]) > 0).all()


def test_more_noradrenaline_at_the_vessels_means_less_flow_and_cooler_skin_everywhere():
    """Muscle heat is left out, which warms the nape by another way."""
    traits = {"constriction_neck": 0.3, "constriction_non_acral": 0.3, "stress_activity": 0.0, "adrenaline_flow": 0.1}
    forcing = each_their_own(30, 10.0, OFFICE, stress=LADDER)
    one = Simulation(copies(8, **traits), Forcing.constant(300.0, **OFFICE))
    structure = one._model.anatomy.structure
    flow = skin_flows(one, forcing)[..., -1]
    nodes = [structure.tissues[tissue][0] for _, tissue in structure.patches]
    temp = seen(one, forcing, simulator._TEMP, nodes)[..., -1]
    assert (np.diff(flow, axis=1) < 0).all()
    assert (np.diff(temp, axis=1) < 0).all()


def test_emotion_brings_blood_to_face_neck_and_chest_only():
    forcing = each_their_own(30, 10.0, OFFICE, emotion=LADDER)
    one = Simulation(copies(8), Forcing.constant(300.0, **OFFICE))
    more = (np.diff(skin_flows(one, forcing)[..., -1], axis=1) > 0).all(axis=1)
    assert set(np.flatnonzero(more)) == {HEAD, NECK, CHEST, NAPE}


def test_muscle_flow_falls_only_above_the_level_at_which_contraction_stops_it():
    load = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6])
    state = simulate(copies(8), each_their_own(18, 10.0, OFFICE, arm_load=load), outputs=tuple(OUTPUTS))
    flow = state["superficial_muscle_flow_ml_100g_min"][:, -1]
    assert (np.diff(flow[:5]) > 0).all()
    assert flow[-1] < flow[4]


# -- bounds (7) --------------------------------------------------------------------------------------------------------

ON_THE_NECK = {
    "scarf": ({"collar_m2k_w": 0.2}, 0.02),
    "needle": ({"needle": Pulses(np.array([0.0]), np.array([2.0]))}, 0.02),
    # These bring two or three watts into or out of the body, for four hours: the next test says where they go.
    "sun": ({"nape_sun_w_m2": 300.0}, 0.03),
    "cold air": ({"neck_air_temp_c": 14.0}, 0.03),
    "warm air": ({"neck_air_temp_c": 34.0}, 0.03),
}


@pytest.mark.parametrize("what", ON_THE_NECK)
def test_what_is_done_to_the_neck_alone_hardly_moves_the_core(what):
    done, most_k = ON_THE_NECK[what]
    usual = Simulation(Persons.standard(), Forcing.constant(60.0, **OFFICE))
    treated = usual.copy()
    names = ("core_temp_c", "nape_skin_temp_c")
    base = usual.run(Forcing.of(4 * 3600.0, dict(OFFICE)), dt_s=600.0, outputs=names)
    state = treated.run(Forcing.of(4 * 3600.0, OFFICE | done), dt_s=600.0, outputs=names)
    assert np.abs(state["core_temp_c"] - base["core_temp_c"]).max() <= most_k
    assert np.abs(state["nape_skin_temp_c"] - base["nape_skin_temp_c"]).max() > 0.01


@pytest.mark.parametrize("what", ["sun", "cold air", "warm air"])
def test_heat_that_reaches_the_neck_alone_is_found_again_in_the_body_and_in_what_it_loses(what):
    """The core moves by 22 to 28 mK since 11 to 12 kJ stay: 43 to 50 mK of a body of 248 kJ/K, more than it moves."""
    usual = Simulation(Persons.standard(), Forcing.constant(60.0, **OFFICE))
    capacity = usual._model.anatomy.capacity_j_k
    temp, gained_w = [], []
    for courses in (dict(OFFICE), OFFICE | ON_THE_NECK[what][0]):
        forcing = Forcing.constant(4 * 3600.0, dt_s=60.0, **courses)
        temp.append(seen(usual, forcing, simulator._TEMP, range(len(capacity)))[..., -1])
        metabolic, sun, *lost = heat_rows(
            usual, forcing, "metabolic_w", "sun_w", "dry_w", "evaporative_w", "respiratory_w"
        )
        gained_w.append(metabolic + sun - sum(lost))
    stored_j = float((capacity * (temp[1] - temp[0])).sum())
    assert stored_j == pytest.approx(60.0 * float((gained_w[1] - gained_w[0]).sum()), rel=1e-6)
    assert 10e3 < abs(stored_j) < 13e3
    pelvis = usual._model.anatomy.structure.node("pelvis_core")
    moved_k = float((temp[1] - temp[0])[pelvis, 0])
    assert 0.020 < abs(moved_k) < abs(stored_j) / float(capacity.sum())
    assert moved_k * stored_j > 0


def test_a_flush_of_the_neck_alone_does_not_move_the_core():
    persons = Persons.join(
        [Persons.one(flush_gain=4.0, flush_nape=1.0, flush_head=0.3, flush_chest=0.0, emotion_weight=0.2)] * 2
    )
    forcing = each_their_own(120, 30.0, OFFICE, emotion=[0.0, 1.0])
    core = simulate(persons, forcing)["core_temp_c"]
    assert np.abs(core[1] - core[0]).max() <= 0.02


@few
@given(st.integers(0, 10_000))
def test_the_nape_is_never_warmer_than_blood_muscle_and_surroundings(seed):
    ranges = {k: v for k, v in EVERYTHING.items() if k != "nape_sun_w_m2"}
    forcing = anything(40, 8, seed, ranges=ranges)
    one = Simulation(crowd(8, seed), forcing)
    structure = one._model.anatomy.structure
    names = ("neck_nape_skin", "neck_artery", "neck_superficial_muscle", "neck_deep_muscle", "neck_core")
    nape, *sources = seen(one, forcing, simulator._TEMP, [structure.node(name) for name in names])
    around = np.maximum(forcing["air_temp_c"], forcing["radiant_temp_c"])
    # Skin that was warmed in an earlier step may still be cooling.
    most = np.maximum.accumulate(np.maximum(np.max(sources, axis=0), around), axis=-1)
    assert (nape <= most + 1e-9).all()


# -- the length of the step (10) ---------------------------------------------------------------------------------------

GENTLE = {
    "a room 3 K warmer": {"air_temp_c": Course.steps([0.0, 1800.0], [24.0, 27.0])},
    "fever": {"pyrogen_k": Course.steps([0.0, 1800.0], [0.0, 2.0])},
    "stress": {"stress": Course.steps([0.0, 1800.0, 3600.0], [0.0, 1.0, 0.0])},
    "scarf": {"collar_m2k_w": Course.steps([0.0, 1800.0, 5400.0], [0.0, 0.1, 0.0])},
    "load": {"arm_load": Course.steps([0.0, 1800.0, 3600.0], [0.0, 0.1, 0.0])},
    "blush": {"emotion": Course.steps([0.0, 1800.0, 1920.0], [0.0, 1.0, 0.0])},
}


def by_halving(courses, dt_s, fine_dt_s, *, from_s=0.0):
    """Return the largest difference that half the step makes, some time and more after each edge, by output [K]."""
    forcings = (Forcing.of(7200.0, OFFICE | courses, dt_s=d, fine_dt_s=f) for d, f in
                ((dt_s, fine_dt_s), (dt_s / 2, fine_dt_s / 2)))  # fmt: skip
    whole, half = (simulate(Persons.standard(), f, dt_s=60.0, outputs=TEMPERATURES) for f in forcings)
    since = whole.time_s[:, None] - np.concatenate([course.jumps_s() for course in courses.values()])
    later = ~((since > 0) & (since <= from_s)).any(axis=1)
    return {name: float(np.abs(whole[name] - half[name])[:, later].max()) for name in TEMPERATURES}


@pytest.mark.parametrize("what", GENTLE)
def test_half_the_step_on_the_usual_grid_changes_at_most_10_mk(what):
    """60 s, and 10 s for ten minutes after an edge; the fingers of a fever are within 15 mK as their shunts close."""
    worst = by_halving(GENTLE[what], 60.0, 10.0)
    fingers = worst.pop("finger_skin_temp_c")
    assert max(worst.values()) <= 0.010
    assert fingers <= (0.015 if what == "fever" else 0.010)


@pytest.mark.parametrize("what", GENTLE)
def test_half_of_60_s_throughout_changes_at_most_25_mk_after_five_minutes(what):
    worst = max(by_halving(GENTLE[what], 60.0, 60.0, from_s=300.0).values())
    assert worst <= 0.025


def test_the_error_of_the_step_is_of_first_order_even_where_nothing_regulates():
    """A scarf changes a resistance and hardly any flow: what halving the step then moves is backward Euler's own."""
    moved = [by_halving(GENTLE["scarf"], d, d, from_s=300.0)["nape_skin_temp_c"] for d in (60.0, 30.0, 15.0)]
    assert moved[0] == pytest.approx(0.020, abs=0.002)
    assert moved[0] / moved[1] == pytest.approx(2.0, rel=0.15)
    assert moved[1] / moved[2] == pytest.approx(2.0, rel=0.15)


def test_after_a_jump_of_10_k_the_step_matters_more_and_fine_steps_mend_it():
    """Skin flow is that of the step's start, and then runs through its whole range within a few steps."""
    jump = {"air_temp_c": Course.steps([0.0, 1800.0], [24.0, 34.0])}
    assert 0.020 < max(by_halving(jump, 60.0, 60.0, from_s=300.0).values()) < 0.1
    usual = by_halving(jump, 60.0, 10.0, from_s=300.0)
    assert usual["nape_skin_temp_c"] <= 0.010
    assert max(usual.values()) <= 0.030  # the chest


# -- fever and stress (14) ---------------------------------------------------------------------------------------------


def test_an_antipyretic_ends_a_fever_and_not_the_warmth_of_stress():
    drug = Course.steps([0.0, 3 * 3600.0], [0.0, 1.0])
    ill = {"pyrogen_k": 1.5}
    tense = {"stress": 1.0}
    core = {}
    for what, cause, person in (("fever", ill, {}), ("stress", tense, {"stress_heat": 1.0})):
        for treated in (False, True):
            courses = OFFICE | cause | {"antipyretic": drug if treated else 0.0}
            forcing = Forcing.of(6 * 3600.0, courses, edges_s=drug.jumps_s())
            state = simulate(Persons.one(**person), forcing, outputs=("core_temp_c",))
            core[what, treated] = state["core_temp_c"][0] - state["core_temp_c"][0, 0]
    assert core["fever", False][-1] > 1.2
    assert core["fever", True][-1] < 0.3
    assert core["stress", False][-1] > 0.3
    assert np.array_equal(core["stress", True], core["stress", False])

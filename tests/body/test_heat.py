"""The heat balance: one step against a dense solver, energy, flow, sameness in any batch, and bounds of the nape."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from pytest import approx  # noqa: PT013

from unaji.body import _kernels_heat as kernels
from unaji.body import _lanes, heat
from unaji.body.anatomy import AREA_M2, ARTERY_FROM, COMPAT, FEET, FULL, HANDS
from unaji.body.layout import NAPE, Coupling, Input
from unaji.body.persons import Persons

LIGHT = np.array([0, 0, 1.14, 0.84, 1.04, 0.84, 0.42, 0, 0.84, 0.42, 0, 0.58, 0.62, 0.82, 0.58, 0.62, 0.82])
AIR_C = np.array([18.0, 20, 22, 24, 26, 28])


def varied_people(n, seed=0):
    rng = np.random.default_rng(seed)
    return Persons.of(
        n,
        height_m=rng.uniform(1.5, 1.95, n),
        weight_kg=rng.uniform(45, 110, n),
        fat_percent=rng.uniform(8, 35, n),
        age_y=rng.integers(18, 85, n).astype(float),
        female=rng.random(n) < 0.5,
        cardiac_index_l_min_m2=rng.uniform(2.2, 3.0, n),
    )


def varied_conditions(n, seed=0, *, nape=True):
    rng = np.random.default_rng(seed)
    air = rng.uniform(5, 42, n)
    return heat.conditions(
        n,
        air_temp_c=air,
        radiant_temp_c=air + rng.uniform(-5, 8, n),
        neck_air_temp_c=np.where(rng.random(n) < 0.5, np.nan, rng.uniform(5, 42, n)),
        humidity_percent=rng.uniform(5, 98, n),
        air_speed_m_s=rng.choice([0.0, 0.1, 0.19, 0.2, 2.0], n),
        pressure_hpa=rng.uniform(700, 1040, n),
        par=rng.uniform(0.9, 6, n),
        posture=rng.integers(0, 3, n),
        nape_sun_w_m2=rng.uniform(0, 300, n) * nape,
        collar_m2k_w=rng.uniform(0, 0.3, n) * nape,
        clothing_clo=rng.uniform(0, 1.5, (17, n)),
    )


def varied_coupling(n, seed=0):
    rng = np.random.default_rng(seed)
    coupling = heat.neutral_coupling(n)
    coupling[Coupling.SET_POINT_SHIFT_K] = rng.uniform(-0.4, 2, n)
    coupling[Coupling.MUSCLE_HEAT_DEEP_W_KG] = rng.uniform(0, 19.3, n)
    coupling[Coupling.MUSCLE_FLOW_SUPERFICIAL] = rng.uniform(0.3, 6, n)
    coupling[Coupling.SHUNT_OPENING_FACTOR] = rng.uniform(0.2, 1, n)
    coupling[Coupling.EXTRA_HEAT_W] = rng.uniform(0, 30, n)
    coupling[Coupling.SWEAT_FACTOR] = rng.uniform(0.5, 2, n)
    coupling[Coupling.DILATION :] = rng.uniform(0, 3, (36, n))
    return coupling


@njit
def of_each(rows, out, what):
    for i in range(rows.shape[0]):
        x = _lanes.load(rows, i)
        if what == 0:
            _lanes.store(out, i, _lanes.exp2(x))
        elif what == 1:
            _lanes.store(out, i, _lanes.log2(x))
        elif what == 2:
            _lanes.store(out, i, _lanes.power(x, 0.345))
        else:
            _lanes.store(out, i, kernels.vapour_pressure_kpa(x))


@pytest.mark.parametrize(
    ("what", "low", "high", "exact"),
    [
        (0, -60, 60, np.exp2),
        (1, 1e-12, 1e3, np.log2),
        (2, 1e-9, 90, lambda x: x**0.345),
        (3, -60, 80, lambda x: np.exp(16.6536 - 4030.183 / (x + 235))),
    ],
    ids=["exp2", "log2", "power", "vapour pressure"],
)
def test_functions_of_lanes_are_right_to_1e_12(what, low, high, exact):
    x = np.random.default_rng(1).uniform(low, high, (2000, _lanes.WIDTH))
    got = np.empty_like(x)
    of_each(x, got, what)
    np.testing.assert_allclose(got, exact(x), rtol=1e-12, atol=1e-12 if what == 1 else 0)


def test_nothing_to_the_power_is_nothing():
    x, got = np.zeros((1, _lanes.WIDTH)), np.ones((1, _lanes.WIDTH))
    of_each(x, got, 2)
    assert np.all(got < 1e-100)


def dense_step(model, p, before_c, values, dt_s):
    """One person's step with everything written out in a full matrix, from flows and heat that the step reports."""
    a, s = model.anatomy, model.anatomy.structure
    n = len(s.nodes)
    flow = np.zeros((n, n))  # from column into row, L/h

    def run(upstream, downstream, l_h):
        flow[downstream, upstream] += l_h

    through, back = np.zeros(17), np.zeros(17)
    for node, segment in s.tissues:
        l_h = values[f"{s.nodes[node]}_l_h"]
        run(s.artery[segment], node, l_h)
        run(node, s.vein[segment], l_h)
        k = segment
        while k >= 0:
            through[k] += l_h
            back[k] += l_h
            k = ARTERY_FROM[k]
    for segment in (*HANDS, *FEET):
        l_h = values["shunt_hand_l_h" if segment in HANDS else "shunt_foot_l_h"]
        run(s.artery[segment], s.superficial_vein[segment], l_h)
        k = segment
        while k >= 0:
            through[k] += l_h
            if k >= 5:
                run(s.superficial_vein[k], s.superficial_drain(k), l_h)
            else:
                back[k] += l_h
            k = ARTERY_FROM[k]
    for k, feeder in enumerate(ARTERY_FROM):
        run(0 if feeder < 0 else s.artery[feeder], s.artery[k], through[k])
        run(s.vein[k], 0 if feeder < 0 else s.vein[feeder], back[k])
    np.testing.assert_allclose(flow.sum(axis=0), flow.sum(axis=1), rtol=1e-12)  # what flows in flows out, everywhere
    cardiac = sum(through[k] for k, feeder in enumerate(ARTERY_FROM) if feeder < 0)
    assert values["cardiac_output_l_h"] == approx(cardiac, rel=1e-12)

    exchange = 1.067 * flow
    for e, (i, j) in enumerate(s.edges):
        exchange[i, j] += a.conductance_w_k[e, p]
        exchange[j, i] += a.conductance_w_k[e, p]
    matrix = np.diag(a.capacity_j_k[:, p] / dt_s + exchange.sum(axis=1)) - exchange
    return matrix, a.capacity_j_k[:, p] / dt_s * before_c


@pytest.mark.parametrize("on", [COMPAT, FULL], ids=["compat", "full"])
def test_a_step_is_what_a_dense_solver_makes_of_it_and_blood_is_conserved(on):
    n = 11
    model = heat.heat_model(varied_people(n), on)
    inputs = varied_conditions(n, nape=on.detailed_neck)
    if on is COMPAT:
        inputs[Input.HUMIDITY_PERCENT] *= 0.2
    names = tuple(model.outputs)
    start = heat.run_heat(model, inputs, n_steps=20).end
    run = heat.run_heat(model, inputs, n_steps=1, outputs=names, start=start)
    structure = model.anatomy.structure
    for p in range(n):
        values = dict(zip(names, run.values[:, 0, p], strict=True))
        matrix, right = dense_step(model, p, start.temp_c[:, p], values, 60.0)
        basal_and_active = tissue_heat_w(model, p, start.temp_c[:, p], inputs[:, p], values)
        for t, (node, _) in enumerate(structure.tissues):
            right[node] += basal_and_active[t]
        right[structure.node("chest_core")] -= values["respiratory_w"]
        skin_c = run.end.temp_c[:, p]
        for k, (_, t) in enumerate(structure.patches):
            node, patch = structure.tissues[t][0], heat.PATCHES[k]
            right[node] -= values[f"{patch}_evaporative_w"]
            dry_w_k, operative_c = surroundings(model, p, k, start.temp_c[:, p], inputs[:, p])
            matrix[node, node] += dry_w_k
            right[node] += dry_w_k * operative_c
            assert values[f"{patch}_dry_w"] == approx(dry_w_k * (start.temp_c[node, p] - operative_c), rel=1e-9)
        if on.detailed_neck:
            right[structure.node("neck_nape_skin")] += values["sun_w"]
        np.testing.assert_allclose(skin_c, np.linalg.solve(matrix, right), rtol=0, atol=1e-9)


def tissue_heat_w(model, p, temp_c, inputs, values):
    """Basal heat, work, shivering and brown fat of every tissue, written out again."""
    a, s = model.anatomy, model.anatomy.structure
    nodes = [s.tissues[t][0] for _, t in s.patches]
    error = temp_c[nodes] - model.neutral_c[nodes, p]
    cold = -(np.minimum(error, 0) * a.receptors[:, p]).sum()
    head = temp_c[s.node("head_core")] - model.neutral_c[s.node("head_core"), p]
    shiver = max(24.36 * cold * -head, 0)
    brown = min(2.8 * cold, a.brown_fat_limit_w[p])
    at_rest = min(inputs[Input.PAR], 1.0) if model.law.proportional_rest else 1.0
    work = (inputs[Input.PAR] - at_rest) * a.basal_w[p]
    total = (
        a.heat_w[:, p] * at_rest
        + a.work_share[:, p] * work
        + a.shivering_gain[:, p] * shiver
        + a.brown_fat_gain[:, p] * brown
    )
    assert values["metabolic_w"] == approx(total.sum(), rel=1e-10)
    return total


def surroundings(model, p, k, temp_c, inputs):
    """Dry conductance to the air and operative temperature of a patch, written out again."""
    a, s = model.anatomy, model.anatomy.structure
    nodes = [s.tissues[t][0] for _, t in s.patches]
    posture, speed = int(inputs[Input.POSTURE]), inputs[Input.AIR_SPEED_M_S]
    segment = s.patches[k][0]
    air = np.full(17, inputs[Input.AIR_TEMP_C])
    radiant = np.full(17, inputs[Input.RADIANT_TEMP_C])
    if not np.isnan(inputs[Input.NECK_AIR_TEMP_C]):
        air[1] = radiant[1] = inputs[Input.NECK_AIR_TEMP_C]
    still = kernels._NATURAL[posture]
    if posture == 2:
        still = still * np.abs(air - temp_c[nodes[:17]]) ** kernels._NATURAL_POWER
    hc = still if speed < 0.2 else kernels._FORCED * speed**kernels._FORCED_POWER
    hc = hc * max(3, 8.600001 * speed**0.53) / np.average(hc, weights=AREA_M2)
    hr = kernels._RADIATION[posture, segment]
    clo = inputs[Input.CLOTHING_CLO + segment]
    factor = 1 + 0.2 * clo if clo < 0.5 else 1.05 + 0.1 * clo
    thin = (inputs[Input.PRESSURE_HPA] / 1013.3) ** 0.55
    resistance = 1 / (hc[segment] * thin + hr) / factor + 0.155 * clo
    if k == NAPE:
        resistance += inputs[Input.COLLAR_M2K_W]
    operative = (hc[segment] * air[segment] + hr * radiant[segment]) / (hc[segment] + hr)
    return a.area_m2[k, p] / resistance, operative


def test_energy_closes_in_every_step_of_every_person():
    n, steps = 13, 200
    model = heat.heat_model(varied_people(n, 3), FULL)
    phases = np.stack([varied_conditions(n, seed) for seed in range(4)])
    coupling = np.stack([varied_coupling(n, seed) for seed in range(4)])
    nodes = [f"{name}_c" for name in model.anatomy.structure.nodes]
    told = ("metabolic_w", "sun_w", "dry_w", "evaporative_w", "respiratory_w")
    dt_s = np.random.default_rng(0).choice([5.0, 10, 60, 300, 600], steps)
    run = heat.run_heat(
        model, phases, phase_of_step=np.repeat(np.arange(4), 50), dt_s=dt_s, coupling=coupling, outputs=[*nodes, *told]
    )
    temp = np.concatenate([model.neutral_c[:, None], run.values[: len(nodes)]], axis=1)
    stored_j = np.einsum("ip,itp->tp", model.anatomy.capacity_j_k, np.diff(temp, axis=1))
    metabolic, sun, dry, evaporative, respiratory = run.values[len(nodes) :]
    net_w = metabolic + sun - dry - evaporative - respiratory
    scale_w = sum(np.abs(x) for x in (metabolic, sun, dry, evaporative, respiratory))
    assert np.max(np.abs(stored_j / dt_s[:, None] - net_w) / scale_w) < 1e-9


def test_everything_stays_in_its_range_whatever_happens():
    n = 16
    model = heat.heat_model(varied_people(n, 5), FULL)
    phases = np.stack([varied_conditions(n, seed) for seed in range(10, 20)])
    coupling = np.stack([varied_coupling(n, seed) for seed in range(10)])
    wettedness = [f"{patch}_wettedness" for patch in heat.PATCHES]
    flows = [name for name, (source, _) in model.outputs.items() if source == 1]
    run = heat.run_heat(
        model,
        phases,
        phase_of_step=np.repeat(np.arange(10), 12),
        dt_s=600.0,
        coupling=coupling,
        outputs=[*wettedness, *flows],
    )
    wet = run.values[:18]
    assert wet.min() >= 0
    assert wet.max() <= 1
    assert run.values[18:].min() > 0


def test_a_person_is_the_same_in_any_batch_and_any_place():
    n = 19
    body = varied_people(n, 7)
    inputs, coupling = varied_conditions(n, 7), varied_coupling(n, 7)
    out = ("neck_nape_skin_c", "pelvis_core_c", "left_hand_skin_c", "cardiac_output_l_h")

    def picked(who):
        model = heat.heat_model(body[who], FULL)
        run = heat.run_heat(model, inputs[:, who], n_steps=90, coupling=coupling[:, who], outputs=out)
        return run.values

    whole = picked(np.arange(n))
    order = np.random.default_rng(0).permutation(n)
    np.testing.assert_allclose(picked(order), whole[..., order], rtol=1e-14, atol=1e-12)
    for p in (0, 8, 18):
        np.testing.assert_allclose(picked(np.array([p]))[..., 0], whole[..., p], rtol=1e-14, atol=1e-12)


PLAIN_PYTHON = """
import sys
import numpy as np
from unaji.body import _lanes
_lanes.WIDTH = 3
from unaji.body import heat
from unaji.body.anatomy import FULL
sys.path.insert(0, sys.argv[1])
from test_heat import varied_conditions, varied_coupling, varied_people
model = heat.heat_model(varied_people(5), FULL)
inputs, coupling = varied_conditions(5), varied_coupling(5)
run = heat.run_heat(model, inputs, n_steps=3, coupling=coupling, outputs=tuple(model.outputs))
np.save(sys.argv[2], run.values)
"""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_plain_python_with_blocks_of_three_gives_the_same_numbers(tmp_path):
    saved = tmp_path / "plain.npy"
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PYTHON, here, str(saved)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    model = heat.heat_model(varied_people(5), FULL)
    run = heat.run_heat(
        model, varied_conditions(5), n_steps=3, coupling=varied_coupling(5), outputs=tuple(model.outputs)
    )
    np.testing.assert_allclose(np.load(saved), run.values, rtol=1e-11, atol=1e-11)


def test_nothing_drifts_from_the_neutral_state():
    n = 9
    body = varied_people(n, 11)
    model = heat.heat_model(body, FULL)
    inputs = heat.conditions(n, air_temp_c=heat.preferred_temp_c(body, FULL), posture=0.0)
    end = heat.run_heat(model, inputs, n_steps=600).end
    assert np.abs(end.temp_c - model.neutral_c).max() < 1e-3
    assert np.abs(end.regulation).max() < 1e-3


def test_at_neutrality_flow_is_basal_and_skin_is_moist_by_diffusion_only():
    n = 5
    model = heat.heat_model(varied_people(n, 2), FULL)
    wettedness = [f"{patch}_wettedness" for patch in heat.PATCHES]
    structure = model.anatomy.structure
    flows = [f"{structure.nodes[structure.tissues[t][0]]}_l_h" for _, t in structure.patches]
    basal = model.anatomy.flow_l_h[[t for _, t in structure.patches]]
    coupling = heat.neutral_coupling(n)
    neutral = heat.run_heat(model, heat.conditions(n), n_steps=1, outputs=[*wettedness, *flows]).values[:, 0]
    np.testing.assert_allclose(neutral[:18], 0.06, rtol=1e-9)
    np.testing.assert_allclose(neutral[18:], basal, rtol=1e-9)
    for row, factor in ((Coupling.DILATION, 2.0), (Coupling.CONSTRICTION, 0.5)):
        changed = coupling.copy()
        changed[row : row + 18] = 1.0
        run = heat.run_heat(model, heat.conditions(n), n_steps=1, coupling=changed, outputs=flows)
        np.testing.assert_allclose(run.values[:, 0], factor * basal, rtol=1e-9)


def test_skin_flow_keeps_within_its_limits():
    model = heat.heat_model(Persons.standard(), FULL)
    structure = model.anatomy.structure
    flows = [f"{structure.nodes[structure.tissues[t][0]]}_l_h" for _, t in structure.patches]
    basal = model.anatomy.flow_l_h[[t for _, t in structure.patches]]
    for row, limit in ((Coupling.DILATION, 16.0), (Coupling.CONSTRICTION, 0.2)):
        coupling = heat.neutral_coupling(1)
        coupling[row : row + 18] = 100.0
        run = heat.run_heat(model, heat.conditions(1), n_steps=1, coupling=coupling, outputs=flows)
        np.testing.assert_allclose(run.values[:, 0], limit * basal, rtol=1e-12)


def test_in_sleep_heat_falls_in_proportion_and_flow_does_not():
    out = ("metabolic_w", "left_leg_core_l_h", "cardiac_output_l_h")
    model = heat.heat_model(Persons.of(3), FULL)
    inputs = heat.conditions(3, par=np.array([0.9, 1.0, 1.1]))
    metabolic, leg, _ = heat.run_heat(model, inputs, n_steps=1, outputs=out).values[:, 0]
    # The shares of work add up to 1.0002, as in JOS-3.
    np.testing.assert_allclose(metabolic / model.anatomy.basal_w, [0.9, 1.0, 1.1], rtol=1e-4)
    assert leg[0] == leg[1] < leg[2]


def nape_run(inputs=None, hours=12, outputs=("neck_nape_skin_c",), **coupled):
    """Return the nape (and more) at the end, at six air temperatures, when couplings of the nape are set."""
    n = AIR_C.size
    model = heat.heat_model(Persons.of(n), FULL)
    base = heat.conditions(n, air_temp_c=AIR_C, clothing_clo=LIGHT)
    for name, value in (inputs or {}).items():
        base[Input[name]] = value
    coupling = heat.neutral_coupling(n)
    for name, value in coupled.items():
        offset = NAPE if name in ("DILATION", "CONSTRICTION") else 0
        coupling[Coupling[name] + offset] = value
    run = heat.run_heat(model, base, n_steps=hours * 60, coupling=coupling, outputs=outputs, every=hours * 60)
    return run.values[:, 0]


# What a stationary column of these layers gives (±50 %, physiology design § 2.1).
BOUNDS = [
    ({"CONSTRICTION": 1.0}, -0.8, -0.25),
    ({"DILATION": 1.0}, 0.45, 1.0),
    ({"DILATION": 7.0}, 1.2, 2.6),
    (
        {
            "MUSCLE_HEAT_DEEP_W_KG": 5.0,
            "MUSCLE_HEAT_SUPERFICIAL_W_KG": 5.0,
            "MUSCLE_FLOW_DEEP": 1.86,
            "MUSCLE_FLOW_SUPERFICIAL": 1.86,
        },
        0.40,
        0.65,
    ),
    ({"MUSCLE_FLOW_DEEP": 0.5, "MUSCLE_FLOW_SUPERFICIAL": 0.5}, -0.2, -0.05),
    ({"SET_POINT_SHIFT_K": 1.0}, 0.8, 0.8),
    ({"inputs": {"COLLAR_M2K_W": 0.08}}, 0.9, 2.0),
]


@pytest.mark.parametrize(("change", "low", "high"), BOUNDS)
def test_the_nape_answers_as_a_column_of_its_layers_does(change, low, high):
    rise_k = nape_run(**change)[0] - nape_run()[0]
    margin = 1.5 if low > 0 else 1 / 1.5
    assert rise_k.min() >= low / margin
    assert rise_k.max() <= high * margin


@pytest.mark.parametrize(
    "change", [{"CONSTRICTION": 1.0}, {"DILATION": 1.0}, {"DILATION": 7.0}, {"MUSCLE_FLOW_DEEP": 0.5}]
)
def test_flow_at_the_nape_does_not_move_the_core(change):
    out = ("pelvis_core_c", "head_core_c", "central_blood_c")
    moved_k = nape_run(outputs=out, **change) - nape_run(outputs=out)
    assert np.abs(moved_k).max() < 0.015


def test_the_nape_rises_with_what_warms_it_and_falls_with_wind():
    still = nape_run()[0]
    assert np.all(np.diff(still) > 0)
    for change in ({"RADIANT_TEMP_C": AIR_C + 5}, {"COLLAR_M2K_W": 0.1}, {"NAPE_SUN_W_M2": 200.0}):
        assert np.all(nape_run(change)[0] > still)
    assert np.all(nape_run({"AIR_SPEED_M_S": 1.0})[0] < still)
    more = [nape_run(DILATION=x)[0] for x in (0.5, 1.0, 2.0)]
    assert np.all(np.diff(more, axis=0) > 0)


def test_a_flush_cannot_warm_the_nape_beyond_its_sources():
    out = ("neck_nape_skin_c", "neck_artery_c", "neck_superficial_muscle_c")
    skin, artery, muscle = nape_run(outputs=out, DILATION=50.0)
    assert np.all(skin <= np.maximum.reduce([artery, muscle, AIR_C]))


@pytest.mark.parametrize(
    ("on", "node", "patch", "low_s", "high_s"),
    [
        (COMPAT, "neck_skin", 1, (85.0, 250.0), (140.0, 430.0)),  # 110 and 330 s were measured with JOS-3
        (FULL, "neck_nape_skin", NAPE, (55.0, 165.0), (220.0, 1500.0)),  # fat and muscle behind it follow more slowly
    ],
    ids=["neck of JOS-3", "nape"],
)
def test_skin_follows_a_step_of_flow_within_minutes(on, node, patch, low_s, high_s):
    model = heat.heat_model(Persons.standard(), on)
    inputs = heat.conditions(1, air_temp_c=24.0, clothing_clo=LIGHT)
    settled = heat.run_heat(model, inputs, n_steps=1440).end
    coupling = heat.neutral_coupling(1)
    coupling[Coupling.DILATION + patch] = 3.0
    run = heat.run_heat(model, inputs, dt_s=5.0, n_steps=720, coupling=coupling, outputs=(f"{node}_c",), start=settled)
    rise = run[f"{node}_c"][:, 0] - settled.temp_c[model.anatomy.structure.node(node), 0]
    share = rise / rise[-1]
    taken_s = [5.0 * (1 + np.argmax(share >= reached)) for reached in (0.63, 0.95)]
    assert np.all(np.array(low_s) <= taken_s)
    assert np.all(np.array(high_s) >= taken_s)


def test_halving_the_step_changes_little_after_an_edge():
    """With the step of 10 s in the ten minutes after an edge that a run is meant to have, from the sixth minute on.

    Edges of ± 5 K; larger ones cross the onset of sweat, where steps of 60 s miss up to 25 mK, in JOS-3 too.
    """
    n = AIR_C.size
    model = heat.heat_model(Persons.of(n), FULL)
    settled = heat.run_heat(model, heat.conditions(n, air_temp_c=26.0), n_steps=600).end
    out = ("neck_nape_skin_c", "neck_skin_c", "pelvis_core_c", "chest_skin_c", "left_hand_skin_c")

    def from_the_sixth_minute(halved):
        after, state, parts = heat.conditions(n, air_temp_c=AIR_C + 3), settled, []
        for dt_s, minutes in ((10.0, 10), (60.0, 110)):
            steps_a_minute = round(60 / dt_s) * halved
            run = heat.run_heat(
                model,
                after,
                dt_s=dt_s / halved,
                n_steps=minutes * steps_a_minute,
                outputs=out,
                every=steps_a_minute,
                start=state,
            )
            parts.append(run.values)
            state = run.end
        return np.concatenate(parts, axis=1)[:, 5:]

    difference_k = np.abs(from_the_sixth_minute(1) - from_the_sixth_minute(2))
    assert difference_k[:3].max() < 0.010  # neck and core
    assert difference_k.max() < 0.030  # chest and hand, for ten minutes after the steps have become long again


def test_vapour_condenses_on_skin_cooler_than_the_dew_point():
    model = heat.heat_model(Persons.of(2), FULL)
    inputs = heat.conditions(2, air_temp_c=40.0, humidity_percent=np.array([90.0, 20.0]))
    run = heat.run_heat(model, inputs, n_steps=1, outputs=("evaporative_w", "wettedness"))
    assert run["evaporative_w"][0, 0] < 0
    assert run["wettedness"][0, 0] == 0
    assert run["evaporative_w"][0, 1] > 0
    assert 0 < run["wettedness"][0, 1] <= 1


def test_sun_and_collar_act_on_the_nape_alone():
    model = heat.heat_model(Persons.standard(), FULL)
    plain = heat.run_heat(model, heat.conditions(1, air_temp_c=22.0), n_steps=1, dt_s=1.0).end.temp_c[:, 0]
    for change in ({"collar_m2k_w": 0.2}, {"nape_sun_w_m2": 300.0}):
        inputs = heat.conditions(1, air_temp_c=22.0, **change)
        moved_k = np.abs(heat.run_heat(model, inputs, n_steps=1, dt_s=1.0).end.temp_c[:, 0] - plain)
        nape = model.anatomy.structure.node("neck_nape_skin")
        assert moved_k[nape] > 0.005
        assert np.delete(moved_k, nape).max() < 0.02 * moved_k[nape]
    nude = heat.heat_model(Persons.standard(), COMPAT)
    with pytest.raises(ValueError, match="only the detailed neck has"):
        heat.run_heat(nude, heat.conditions(1, collar_m2k_w=0.1), n_steps=1)


def test_drives_follow_with_their_lags():
    model = heat.heat_model(Persons.standard(), FULL)
    warm = heat.HeatState(model.neutral_c + 1.0, heat.neutral_state(model).regulation)
    first = heat.run_heat(model, heat.conditions(1), n_steps=1, dt_s=1e-3, start=warm).end.regulation[0, 0]
    at_once = 100.5 + 6.4 * model.anatomy.receptors.sum()
    assert first == approx(at_once * (1 - np.exp(-1e-3 / 60)), rel=1e-6)


def test_fever_moves_core_and_skin_by_what_jos3_shows():
    n = 1
    model = heat.heat_model(Persons.of(n), FULL)
    inputs = heat.conditions(n, air_temp_c=24.0, clothing_clo=LIGHT)
    settled = heat.run_heat(model, inputs, n_steps=1440).end
    coupling = heat.neutral_coupling(n)
    coupling[Coupling.SET_POINT_SHIFT_K] = 2.0
    end = heat.run_heat(model, inputs, n_steps=240, coupling=coupling, start=settled).end
    rise = dict(zip(model.anatomy.structure.nodes, (end.temp_c - settled.temp_c)[:, 0], strict=True))
    assert rise["pelvis_core"] == approx(2.0, abs=0.2)
    assert rise["neck_skin"] == approx(1.4, abs=0.3)


def test_skin_warmed_by_itself_dilates_slowly():
    model = heat.heat_model(Persons.of(2), FULL)
    inputs = heat.conditions(2, air_temp_c=26.0, neck_air_temp_c=np.array([26.0, 48.0]))
    run = heat.run_heat(model, inputs, n_steps=120)
    warmth = run.end.regulation[kernels.LOCAL_WARMTH :]
    assert warmth[NAPE, 1] > 0.1
    assert np.all(warmth[:, 0] == 0)


def test_misuse_is_refused_with_the_rule():
    model = heat.heat_model(Persons.of(2), FULL)
    good = heat.conditions(2)
    with pytest.raises(ValueError, match="must say how many steps"):
        heat.run_heat(model, good)
    with pytest.raises(ValueError, match="must have shape"):
        heat.run_heat(model, heat.conditions(3), n_steps=1)
    with pytest.raises(ValueError, match="no such output"):
        heat.run_heat(model, good, n_steps=1, outputs=("nape",))
    with pytest.raises(ValueError, match="finite"):
        heat.run_heat(model, heat.conditions(2, par=np.nan), n_steps=1)
    with pytest.raises(ValueError, match="numbers from 0 to 0"):
        heat.run_heat(model, good, phase_of_step=np.array([0, 1]))
    with pytest.raises(ValueError, match="positive"):
        heat.run_heat(model, good, n_steps=1, dt_s=0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("air_temp_c", 31.0), ("humidity_percent", 80.0), ("neck_air_temp_c", 20.0), ("air_speed_m_s", 1.0),
     ("pressure_hpa", 800.0), ("collar_m2k_w", 0.2), ("posture", 2.0), ("par", 3.0), ("nape_sun_w_m2", 200.0)],
)  # fmt: skip
def test_a_change_of_any_input_acts_as_if_the_person_had_just_come_in(name, value):
    model = heat.heat_model(varied_people(9), FULL)
    before = heat.conditions(9, air_temp_c=25.0, air_speed_m_s=0.3)
    after = before.copy()
    after[Input[name.upper()], 4] = value  # of one person in the first block
    out = ("neck_nape_skin_c", "neck_skin_c", "pelvis_core_c")
    phases = np.stack([before, after])
    at_once = heat.run_heat(model, phases, phase_of_step=np.repeat([0, 1], 30), outputs=out)
    entered = heat.run_heat(model, before, n_steps=30).end
    anew = heat.run_heat(model, after, n_steps=30, outputs=out, start=entered)
    np.testing.assert_array_equal(at_once.values[:, 30:], anew.values)
    unchanged = heat.run_heat(model, before, n_steps=60, outputs=out).values
    assert np.abs(at_once.values[:, -1, 4] - unchanged[:, -1, 4]).max() > 1e-4
    np.testing.assert_array_equal(np.delete(at_once.values, 4, axis=2), np.delete(unchanged, 4, axis=2))

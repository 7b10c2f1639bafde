"""Compiled kernels of the heat balance: one step of a block of persons, and runs of many steps.

Arrays have shape (n, WIDTH), persons last; a value named without index below is one number for each person of the block
(see `_lanes`). Imported on first use: numba takes most of a second to load.

Equations are those of JOS-3 (Takahashi et al. 2021, doi:10.1016/j.enbuild.2020.110575) but for what `Law` says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from unaji.body import layout
from unaji.body._lanes import (
    WIDTH,
    at,
    compiled,
    exp2,
    if_positive,
    inlined,
    lanes,
    larger,
    load,
    log2,
    or_else,
    power,
    smaller,
    store,
)
from unaji.body.anatomy import AREA_M2, BACK, CHEST, FEET, HANDS, HEAD, PELVIS
from unaji.body.elimination import IntArray, Plan
from unaji.records.timeline import FloatArray

N_SEGMENTS, N_SKIN, NECK, NAPE = layout.N_SEGMENTS, layout.N_SKIN, layout.NECK, layout.NAPE

# Members of an enum are no numbers to numba.
_AIR = int(layout.Input.AIR_TEMP_C)
_RADIANT = int(layout.Input.RADIANT_TEMP_C)
_HUMIDITY = int(layout.Input.HUMIDITY_PERCENT)
_AIR_SPEED = int(layout.Input.AIR_SPEED_M_S)
_PRESSURE = int(layout.Input.PRESSURE_HPA)
_NECK_AIR = int(layout.Input.NECK_AIR_TEMP_C)
_SUN = int(layout.Input.NAPE_SUN_W_M2)
_COLLAR = int(layout.Input.COLLAR_M2K_W)
_PAR = int(layout.Input.PAR)
_POSTURE = int(layout.Input.POSTURE)
_CLOTHING = int(layout.Input.CLOTHING_CLO)

_SET_POINT_SHIFT = int(layout.Coupling.SET_POINT_SHIFT_K)
_MUSCLE_HEAT = int(layout.Coupling.MUSCLE_HEAT_DEEP_W_KG)
_MUSCLE_FLOW = int(layout.Coupling.MUSCLE_FLOW_DEEP)
_SHUNT_FACTOR = int(layout.Coupling.SHUNT_OPENING_FACTOR)
_EXTRA_HEAT = int(layout.Coupling.EXTRA_HEAT_W)
_SWEAT_FACTOR = int(layout.Coupling.SWEAT_FACTOR)
_DILATION = int(layout.Coupling.DILATION)
_CONSTRICTION = int(layout.Coupling.CONSTRICTION)
NEUTRAL_MUSCLE_HEAT_W_KG = layout.NEUTRAL_MUSCLE_HEAT_W_KG

# Rows of what a step reports.
METABOLIC_W, SHIVERING_W, EVAPORATIVE_W, DRY_W, RESPIRATORY_W, SUN_W = 0, 1, 2, 3, 4, 5
CARDIAC_OUTPUT_L_H, SKIN_FLOW_L_H, WETTEDNESS, SHUNT_HAND_L_H, SHUNT_FOOT_L_H = 6, 7, 8, 9, 10
PATCH_EVAPORATIVE_W = 11
PATCH_DRY_W = PATCH_EVAPORATIVE_W + N_SKIN
PATCH_WETTEDNESS = PATCH_DRY_W + N_SKIN
N_HEAT = PATCH_WETTEDNESS + N_SKIN

# Rows of the state of regulation.
LAGGED_DILATION, LAGGED_CONSTRICTION, LOCAL_WARMTH = 0, 1, 2
N_REGULATION = LOCAL_WARMTH + N_SKIN

# Rows of what surrounds the skin, each by patch.
DRY_W_K, WET_W_KPA, OPERATIVE_C, VAPOUR_KPA, CONVECTION_W_M2K = 0, N_SKIN, 2 * N_SKIN, 3 * N_SKIN, 4 * N_SKIN
N_SURROUNDINGS = 5 * N_SKIN

BLOOD_WH_L_K = 1.067
PERFUSION_W_H_L = 1.163
"""Heat of work or shivering that calls for one litre an hour."""

BASE_WETTEDNESS = 0.06
SKIN_FLOW_LIMITS = (0.2, 16.0)

STANDARD_PRESSURE_HPA = 1013.3
LEWIS_K_KPA = 16.5
VAPOUR_EFFICIENCY = 0.45
CLO_M2K_W = 0.155

STILL_M_S = 0.2
"""Below it convection is natural."""


def _limbs(trunk: tuple[float, ...], arm: tuple[float, ...], leg: tuple[float, ...]) -> FloatArray:
    return np.array([*trunk, *arm, *arm, *leg, *leg])


# Ichihara et al. 1997 (doi:10.3130/aija.62.45_5), Kurazumi et al. 2008 (doi:10.20718/jjpa.13.1_17) lying.
_NATURAL = np.array(
    [
        _limbs((4.48, 4.48, 2.97, 2.91, 2.85), (3.61, 3.55, 3.67), (2.80, 2.04, 2.04)),
        _limbs((4.75, 4.75, 3.12, 2.48, 1.84), (3.76, 3.62, 2.06), (2.98, 2.98, 2.62)),
        _limbs((1.105, 1.105, 1.211, 1.211, 1.211), (0.913, 2.081, 2.178), (0.945, 0.385, 0.200)),
    ]
)
"""Convection in still air [W/m²K], standing and sitting; lying, the factor of a power of the temperature difference."""
_NATURAL_POWER = _limbs((0.345, 0.345, 0.046, 0.046, 0.046), (0.373, 0.850, 0.297), (0.447, 0.580, 0.966))
_FORCED = _limbs((15.0, 15.0, 11.0, 17.0, 13.0), (17.0, 17.0, 20.0), (14.0, 15.8, 15.1))
_FORCED_POWER = _limbs((0.62, 0.62, 0.67, 0.49, 0.60), (0.59, 0.61, 0.60), (0.61, 0.74, 0.62))
_AREA_SHARE = AREA_M2 / AREA_M2.sum()
_RADIATION = np.array(
    [
        _limbs((4.89, 4.89, 4.32, 4.09, 4.32), (4.55, 4.43, 4.21), (4.77, 5.34, 6.14)),
        _limbs((4.96, 4.96, 3.99, 4.64, 4.21), (4.96, 4.21, 4.74), (4.10, 4.74, 6.36)),
        _limbs((5.475, 5.475, 3.463, 3.463, 3.463), (4.249, 4.835, 4.119), (4.440, 5.547, 6.085)),
    ]
)
_RADIATION *= 4.7 / (_RADIATION @ _AREA_SHARE)[:, None]
_SHUNT_CORE_WEIGHT = np.array([10.2975, 9.3935, 13.834]) / (10.2975 + 9.3935 + 13.834)
"""Chest, back and pelvis in the core temperature that opens the shunts."""


class Frame(NamedTuple):
    """Which node is where, the same for all persons; "place" is an index into the stored entries of the matrix.

    `*_into` and `*_from` are nodes; -1 where a segment has no such thing.
    """

    plan: Plan
    tissue_node: IntArray
    tissue_segment: IntArray
    from_artery: IntArray  # place, by tissue
    to_vein: IntArray
    patch_tissue: IntArray
    patch_segment: IntArray
    edge_a: IntArray  # places of both directions, by edge
    edge_b: IntArray
    core: IntArray  # node, by segment
    artery: IntArray
    vein: IntArray
    superficial_vein: IntArray
    feeder: IntArray  # segment, by segment; -1 is the central blood
    artery_in: IntArray  # place, by segment
    vein_out: IntArray
    superficial_out: IntArray
    shunt_in: IntArray
    outwards: IntArray  # segments, each after all that it feeds
    nape_muscle: IntArray  # two tissues, or none


class Body(NamedTuple):
    """What the persons of a block, or of all blocks, are; see `anatomy.Anatomy`."""

    capacity: FloatArray
    conductance: FloatArray
    conductance_sum: FloatArray
    flow: FloatArray
    heat: FloatArray
    work_share: FloatArray
    shivering_gain: FloatArray
    brown_fat_gain: FloatArray
    area: FloatArray
    receptors: FloatArray
    sweat_gain: FloatArray
    dilation_gain: FloatArray
    constriction_gain: FloatArray
    set_point: FloatArray  # by node
    muscle_mass: FloatArray
    one: FloatArray  # single numbers, see below


BASAL_W, OPEN_HAND_L_H, OPEN_FOOT_L_H, BROWN_FAT_LIMIT_W, AREA_SUM_M2 = 0, 1, 2, 3, 4
N_ONE = 5


class Law(NamedTuple):
    """How the body is regulated, where that is not as in JOS-3.

    Lags are e-folding times; 0 follows at once. Skin above `local_warming_onset_c` takes up local warmth, all of it
    after `local_warming_span_k` more.
    """

    clamped_evaporation: bool
    limited_skin_flow: bool
    proportional_rest: bool
    dilation_lag_s: float
    constriction_lag_s: float
    local_warming_lag_s: float
    local_warming_gain: float
    local_warming_onset_c: float
    local_warming_span_k: float


class Work(NamedTuple):
    """Room to compute in."""

    entry: FloatArray  # of the matrix, and after them its right-hand side
    right: FloatArray  # the same right-hand side, by node
    error: FloatArray  # of skin temperature, by patch
    artery_flow: FloatArray  # by segment
    vein_flow: FloatArray


@njit(cache=True)
def room(frame: Frame, n_entries: int) -> Work:
    """Return the arrays that a step computes in."""
    entry = lanes(n_entries + frame.plan.pivots.size)
    return Work(
        entry,
        entry[n_entries:],
        lanes(N_SKIN),
        lanes(N_SEGMENTS),
        lanes(N_SEGMENTS),
    )


@njit(cache=True)
def block_of(body: Body, b: int) -> Body:
    """Return one block of bodies."""
    return Body(
        body.capacity[b],
        body.conductance[b],
        body.conductance_sum[b],
        body.flow[b],
        body.heat[b],
        body.work_share[b],
        body.shivering_gain[b],
        body.brown_fat_gain[b],
        body.area[b],
        body.receptors[b],
        body.sweat_gain[b],
        body.dilation_gain[b],
        body.constriction_gain[b],
        body.set_point[b],
        body.muscle_mass[b],
        body.one[b],
    )


@inlined
def vapour_pressure_kpa(temp_c: FloatArray) -> FloatArray:
    """Saturation over water by Antoine's equation, as JOS-3 has it, for temperatures above −230 °C."""
    return exp2((16.6536 - 4030.183 / (temp_c + 235.0)) * (1.0 / math.log(2.0)))


@inlined
def kept_share(lag_s: float, dt_s: float) -> float:
    """Return how much of a first-order lag's distance is left after a step; 0 without lag."""
    return math.exp(-dt_s / lag_s) if lag_s > 0 else 0.0


@compiled
def lies_in_still_air(inputs: FloatArray) -> bool:
    """Whether someone's convection depends on skin temperature, so that the surroundings must be renewed each step."""
    for lane in range(WIDTH):  # noqa: SIM110  numba knows no any() of a generator
        if inputs[_POSTURE, lane] > 1.5 and inputs[_AIR_SPEED, lane] < STILL_M_S:
            return True
    return False


@compiled
def update_surroundings(temp: FloatArray, inputs: FloatArray, body: Body, frame: Frame, out: FloatArray) -> None:
    """Write conductance to the air, dry and wet, operative temperature and vapour pressure for each patch of skin."""
    posture = load(inputs, _POSTURE)
    humidity = load(inputs, _HUMIDITY) * 0.01
    ratio = log2(load(inputs, _PRESSURE) * (1.0 / STANDARD_PRESSURE_HPA))
    dry_thin, wet_thin = exp2(ratio * 0.55), exp2(ratio * -0.45)
    air, radiant, air_neck = load(inputs, _AIR), load(inputs, _RADIANT), load(inputs, _NECK_AIR)
    whole_pressure = vapour_pressure_kpa(air) * humidity
    level = _convection(temp, inputs, frame, out)
    for k in range(frame.patch_segment.size):
        s = frame.patch_segment[k]
        local_air, local_radiant, pressure = air, radiant, whole_pressure
        if s == NECK:
            local_air, local_radiant = or_else(air_neck, air), or_else(air_neck, radiant)
            pressure = vapour_pressure_kpa(local_air) * humidity
        hc = load(out, CONVECTION_W_M2K + s) * level
        hr = _by_posture(posture, _RADIATION, s)
        store(out, OPERATIVE_C + k, (hc * local_air + hr * local_radiant) / (hc + hr))
        store(out, VAPOUR_KPA + k, pressure)
        clo = load(inputs, _CLOTHING + s)
        area_factor = if_positive(0.5 - clo, clo * 0.2 + 1.0, clo * 0.1 + 1.05)
        cover = clo * CLO_M2K_W
        if k == NAPE:
            cover = cover + load(inputs, _COLLAR)
        dry = 1.0 / ((hc * dry_thin + hr) * area_factor) + cover
        wet = 1.0 / (hc * wet_thin * area_factor * LEWIS_K_KPA) + cover * (1.0 / (LEWIS_K_KPA * VAPOUR_EFFICIENCY))
        area = load(body.area, k)
        store(out, DRY_W_K + k, area / dry)
        store(out, WET_W_KPA + k, area / wet)


@inlined
def _by_posture(posture: FloatArray, table: FloatArray, s: int) -> FloatArray:
    """Choose between standing (0), sitting (1) and lying (2)."""
    upright = if_positive(0.5 - posture, table[0, s], table[1, s])
    return if_positive(posture - 1.5, table[2, s], upright)


@compiled
def _convection(temp: FloatArray, inputs: FloatArray, frame: Frame, out: FloatArray) -> FloatArray:
    """Write each segment's convection coefficient and return by what to multiply them for the body's mean to be right.

    The mean is that of Gagge's two-node model, 8.6 v^0.53 and at least 3 W/m²K.
    """
    posture = load(inputs, _POSTURE)
    air, air_neck = load(inputs, _AIR), load(inputs, _NECK_AIR)
    air_speed = larger(load(inputs, _AIR_SPEED), 1e-300)
    log_speed = log2(air_speed)
    lying = lies_in_still_air(inputs)
    mean = log_speed * 0.0
    for s in range(N_SEGMENTS):
        still = _by_posture(posture, _NATURAL, s)
        if lying:
            local_air = or_else(air_neck, air) if s == NECK else air
            gap = local_air - load(temp, frame.tissue_node[frame.patch_tissue[s]])
            still = if_positive(posture - 1.5, still * power(larger(gap, 0.0 - gap), _NATURAL_POWER[s]), still)
        moved = exp2(log_speed * _FORCED_POWER[s]) * _FORCED[s]
        hc = if_positive(STILL_M_S - air_speed, still, moved)
        store(out, CONVECTION_W_M2K + s, hc)
        mean = mean + hc * _AREA_SHARE[s]
    return larger(exp2(log_speed * 0.53) * 8.600001, 3.0) / mean


@inlined
def _copy_rows(source: FloatArray, target: FloatArray) -> None:
    for i in range(source.shape[0]):
        store(target, i, load(source, i))


@compiled
def heat_step(
    temp: FloatArray,
    regulation: FloatArray,
    body: Body,
    surroundings: FloatArray,
    inputs: FloatArray,
    coupling: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    frame: Frame,
    work: Work,
    law: Law,
    dt_s: float,
) -> None:
    """Advance the temperatures of a block by one step: backward Euler, its coefficients frozen at the step's start.

    Parameters
    ----------
    temp : ndarray, shape (n_nodes, WIDTH)
        [°C], overwritten.
    regulation : ndarray, shape (N_REGULATION, WIDTH)
        Lagged dilation and constriction and local warmth, overwritten.
    body : Body
        One block.
    surroundings : ndarray, shape (N_SURROUNDINGS, WIDTH)
        From `update_surroundings`, to be called when an input has changed and wherever `lies_in_still_air`.
    inputs : ndarray, shape (N_INPUTS, WIDTH)
    coupling : ndarray, shape (N_COUPLINGS, WIDTH)
    flows : ndarray, shape (n_tissues, WIDTH)
        Written: blood flow during the step [L/h].
    heat : ndarray, shape (N_HEAT, WIDTH)
        Written: what the step reports; DRY_W is the loss that closes the balance, at the step's end, PATCH_DRY_W that
        at its start.
    """
    warm, cold, mean_error = _skin_errors(temp, body, coupling, frame, work)
    shift = load(coupling, _SET_POINT_SHIFT)
    head = _core_error(temp, body, frame, HEAD) - shift
    _metabolism(body, inputs, coupling, flows, heat, frame, work, law, head, cold)
    _skin(temp, regulation, body, surroundings, coupling, flows, heat, frame, work, law, dt_s, head, warm - cold)
    _shunts(temp, body, coupling, flows, heat, frame, mean_error, shift)
    _gains_at_nodes(inputs, surroundings, body, heat, frame, work)
    _assemble(temp, body, surroundings, flows, heat, frame, work, dt_s)
    solve(work.entry, frame.plan)
    _copy_rows(work.right, temp)
    loss = head * 0.0
    for k in range(frame.patch_tissue.size):
        node = frame.tissue_node[frame.patch_tissue[k]]
        loss = loss + load(surroundings, DRY_W_K + k) * (load(temp, node) - load(surroundings, OPERATIVE_C + k))
    store(heat, DRY_W, loss)


@inlined
def _core_error(temp: FloatArray, body: Body, frame: Frame, s: int) -> FloatArray:
    return load(temp, frame.core[s]) - load(body.set_point, frame.core[s])


@inlined
def _skin_errors(
    temp: FloatArray, body: Body, coupling: FloatArray, frame: Frame, work: Work
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Write each patch's error; return the warm and the cold signal and the mean error by area."""
    shift = load(coupling, _SET_POINT_SHIFT)
    warm, cold, total = shift * 0.0, shift * 0.0, shift * 0.0
    for k in range(frame.patch_tissue.size):
        node = frame.tissue_node[frame.patch_tissue[k]]
        error = load(temp, node) - load(body.set_point, node) - shift
        store(work.error, k, error)
        receptors = load(body.receptors, k)
        warm = warm + larger(error, 0.0) * receptors
        cold = cold - smaller(error, 0.0) * receptors
        total = total + error * load(body.area, k)
    return warm, cold, total / load(body.one, AREA_SUM_M2)


@inlined
def _metabolism(
    body: Body,
    inputs: FloatArray,
    coupling: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    frame: Frame,
    work: Work,
    law: Law,
    head: FloatArray,
    cold: FloatArray,
) -> None:
    """Write flow and heat of every tissue; of the skin, the basal ones."""
    par = load(inputs, _PAR)
    at_rest = smaller(par, 1.0) if law.proportional_rest else par * 0.0 + 1.0
    at_work = (par - at_rest) * load(body.one, BASAL_W)
    shiver = larger(cold * head * -24.36, 0.0)
    brown_fat = smaller(cold * 2.8, load(body.one, BROWN_FAT_LIMIT_W))
    total, shivering = head * 0.0, head * 0.0
    for i in range(frame.plan.pivots.size):
        store(work.right, i, 0.0)
    for t in range(frame.tissue_node.size):
        shivered = load(body.shivering_gain, t) * shiver
        active = load(body.work_share, t) * at_work + shivered
        produced = load(body.heat, t) * at_rest + active + load(body.brown_fat_gain, t) * brown_fat
        store(flows, t, load(body.flow, t) + active * (1.0 / PERFUSION_W_H_L))
        store(work.right, frame.tissue_node[t], produced)
        shivering = shivering + shivered
        total = total + produced
    for m in range(frame.nape_muscle.size):
        t = frame.nape_muscle[m]
        extra = (load(coupling, _MUSCLE_HEAT + m) - NEUTRAL_MUSCLE_HEAT_W_KG) * load(body.muscle_mass, m)
        store(work.right, frame.tissue_node[t], load(work.right, frame.tissue_node[t]) + extra)
        store(flows, t, load(flows, t) + load(body.flow, t) * (load(coupling, _MUSCLE_FLOW + m) - 1.0))
        total = total + extra
    chest, stress = frame.core[CHEST], load(coupling, _EXTRA_HEAT)
    store(work.right, chest, load(work.right, chest) + stress)
    store(heat, METABOLIC_W, total + stress)
    store(heat, SHIVERING_W, shivering)


@inlined
def _skin(
    temp: FloatArray,
    regulation: FloatArray,
    body: Body,
    surroundings: FloatArray,
    coupling: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    frame: Frame,
    work: Work,
    law: Law,
    dt_s: float,
    head: FloatArray,
    signal: FloatArray,
) -> None:
    """Write flow and evaporation of each patch, and move the state of regulation on."""
    kept = kept_share(law.dilation_lag_s, dt_s)
    dilate = larger(head * 100.5 + signal * 6.4, 0.0)
    dilate = dilate + (load(regulation, LAGGED_DILATION) - dilate) * kept
    store(regulation, LAGGED_DILATION, dilate)
    kept = kept_share(law.constriction_lag_s, dt_s)
    constrict = larger((head + signal) * -10.8, 0.0)
    constrict = constrict + (load(regulation, LAGGED_CONSTRICTION) - constrict) * kept
    store(regulation, LAGGED_CONSTRICTION, constrict)
    sweat = larger(head * 371.2 + signal * 33.64, 0.0) * load(coupling, _SWEAT_FACTOR)
    local_kept = kept_share(law.local_warming_lag_s, dt_s)
    evaporative, wet_area, total_flow = head * 0.0, head * 0.0, head * 0.0
    for k in range(frame.patch_tissue.size):
        t = frame.patch_tissue[k]
        skin = load(temp, frame.tissue_node[t])
        # 2 to the thirtieth of the error; its third and fifth powers are what sweat and flow ask for.
        local = exp2(smaller(larger(load(work.error, k), -1000.0), 1000.0) * (1.0 / 30.0))
        local_3 = local * local * local
        evaporative = evaporative + _evaporate(
            k, skin, load(body.sweat_gain, k) * sweat * local_3, body, surroundings, heat, law.clamped_evaporation
        )
        wet_area = wet_area + load(heat, PATCH_WETTEDNESS + k) * load(body.area, k)
        rise = load(body.dilation_gain, k) * dilate + load(coupling, _DILATION + k) + 1.0
        if law.local_warming_gain > 0:
            warmth = larger(smaller((skin - law.local_warming_onset_c) * (1.0 / law.local_warming_span_k), 1.0), 0.0)
            warmth = warmth + (load(regulation, LOCAL_WARMTH + k) - warmth) * local_kept
            store(regulation, LOCAL_WARMTH + k, warmth)
            rise = rise + warmth * law.local_warming_gain
        fall = load(body.constriction_gain, k) * constrict + load(coupling, _CONSTRICTION + k) + 1.0
        multiple = rise / fall * (local_3 * local * local)
        if law.limited_skin_flow:
            multiple = smaller(larger(multiple, SKIN_FLOW_LIMITS[0]), SKIN_FLOW_LIMITS[1])
        flow = multiple * load(body.flow, t)
        store(flows, t, flow)
        total_flow = total_flow + flow
    store(heat, EVAPORATIVE_W, evaporative)
    store(heat, WETTEDNESS, wet_area / load(body.one, AREA_SUM_M2))
    store(heat, SKIN_FLOW_L_H, total_flow)


@inlined
def _evaporate(
    k: int,
    skin: FloatArray,
    sweat: FloatArray,
    body: Body,
    surroundings: FloatArray,
    heat: FloatArray,
    clamped: bool,
) -> FloatArray:
    """Write and return a patch's heat loss by sweat and diffusion, and its wettedness."""
    most = (vapour_pressure_kpa(skin) - load(surroundings, VAPOUR_KPA + k)) * load(surroundings, WET_W_KPA + k)
    if clamped:
        lost = if_positive(most, smaller(most * BASE_WETTEDNESS + sweat, most), most)
        wettedness = if_positive(most, lost / most, 0.0)
    else:
        wettedness = smaller(sweat / most * (1.0 - BASE_WETTEDNESS) + BASE_WETTEDNESS, 1.0)
        lost = wettedness * most
    dry = (skin - load(surroundings, OPERATIVE_C + k)) * load(surroundings, DRY_W_K + k)
    store(heat, PATCH_EVAPORATIVE_W + k, lost)
    store(heat, PATCH_WETTEDNESS + k, wettedness)
    store(heat, PATCH_DRY_W + k, dry)
    return lost


@inlined
def _shunts(
    temp: FloatArray,
    body: Body,
    coupling: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    frame: Frame,
    mean_error: FloatArray,
    shift: FloatArray,
) -> None:
    """Write the flow through the shunts of one hand and of one foot (Takemori 1995, as JOS-3 has it)."""
    core = 0.0 - shift
    for m, s in enumerate((CHEST, BACK, PELVIS)):
        core = core + _core_error(temp, body, frame, s) * _SHUNT_CORE_WEIGHT[m]
    factor = load(coupling, _SHUNT_FACTOR)
    hand = (mean_error + 0.43) * 0.265 + (core + 0.1905) * 0.953 + 0.9126
    foot = (mean_error - 0.997) * 0.265 + (core + 0.0095) * 0.953 + 0.9126
    hand = larger(smaller(hand, 1.0), 0.0) * factor * load(body.one, OPEN_HAND_L_H)
    foot = larger(smaller(foot, 1.0), 0.0) * factor * load(body.one, OPEN_FOOT_L_H)
    store(heat, SHUNT_HAND_L_H, hand)
    store(heat, SHUNT_FOOT_L_H, foot)
    store(heat, SKIN_FLOW_L_H, load(heat, SKIN_FLOW_L_H) + (hand + foot) * 2.0)


@inlined
def _gains_at_nodes(
    inputs: FloatArray, surroundings: FloatArray, body: Body, heat: FloatArray, frame: Frame, work: Work
) -> None:
    """Put respiration, evaporation and sun where they act."""
    metabolic = load(heat, METABOLIC_W)
    breath = (34.0 - load(inputs, _AIR)) * 0.0014 + (5.87 - load(surroundings, VAPOUR_KPA + HEAD)) * 0.0173
    respired = metabolic * breath
    store(heat, RESPIRATORY_W, respired)
    for k in range(frame.patch_tissue.size):
        node = frame.tissue_node[frame.patch_tissue[k]]
        store(work.right, node, load(work.right, node) - load(heat, PATCH_EVAPORATIVE_W + k))
    sun = respired * 0.0
    if frame.patch_tissue.size > NAPE:
        node = frame.tissue_node[frame.patch_tissue[NAPE]]
        sun = load(inputs, _SUN) * load(body.area, NAPE)
        store(work.right, node, load(work.right, node) + sun)
    store(heat, SUN_W, sun)
    chest = frame.core[CHEST]
    store(work.right, chest, load(work.right, chest) - respired)


@inlined
def _assemble(
    temp: FloatArray,
    body: Body,
    surroundings: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    frame: Frame,
    work: Work,
    dt_s: float,
) -> None:
    """Write the matrix of the step and complete its right-hand side; work.right holds the heat set free in tissues."""
    entry, right = work.entry, work.right
    for i in range(entry.shape[0] - right.shape[0]):
        store(entry, i, 0.0)
    per_s = 1.0 / dt_s
    for i in range(frame.plan.pivots.size):
        store(entry, i, load(body.capacity, i) * per_s + load(body.conductance_sum, i))
    for e in range(frame.edge_a.size):
        conductance = 0.0 - load(body.conductance, e)
        store(entry, frame.edge_a[e], conductance)
        store(entry, frame.edge_b[e], conductance)
    for s in range(N_SEGMENTS):
        store(work.artery_flow, s, 0.0)
    for t in range(frame.tissue_node.size):
        s, node = frame.tissue_segment[t], frame.tissue_node[t]
        blood = load(flows, t) * BLOOD_WH_L_K
        store(work.artery_flow, s, load(work.artery_flow, s) + blood)
        store(entry, node, load(entry, node) + blood)
        store(entry, frame.from_artery[t], load(entry, frame.from_artery[t]) - blood)
        store(entry, frame.to_vein[t], load(entry, frame.to_vein[t]) - blood)
    _circulate(entry, heat, frame, work)
    for k in range(frame.patch_tissue.size):
        node = frame.tissue_node[frame.patch_tissue[k]]
        dry = load(surroundings, DRY_W_K + k)
        store(entry, node, load(entry, node) + dry)
        store(right, node, load(right, node) + dry * load(surroundings, OPERATIVE_C + k))
    for i in range(frame.plan.pivots.size):
        store(right, i, load(right, i) + load(body.capacity, i) * per_s * load(temp, i))


@inlined
def _circulate(entry: FloatArray, heat: FloatArray, frame: Frame, work: Work) -> None:
    """Add the blood that runs through arteries and veins; flows here are heat capacity rates [W/K]."""
    hand = load(heat, SHUNT_HAND_L_H) * BLOOD_WH_L_K
    foot = load(heat, SHUNT_FOOT_L_H) * BLOOD_WH_L_K
    total = hand * 0.0
    for s in range(N_SEGMENTS):
        store(work.vein_flow, s, load(work.artery_flow, s))
    for s in HANDS:
        store(work.artery_flow, s, load(work.artery_flow, s) + hand)
    for s in FEET:
        store(work.artery_flow, s, load(work.artery_flow, s) + foot)
    store(work.vein_flow, PELVIS, load(work.vein_flow, PELVIS) + foot * 2.0)
    for n in range(N_SEGMENTS):
        s = frame.outwards[n]
        feeder = frame.feeder[s]
        out, back = load(work.artery_flow, s), load(work.vein_flow, s)
        if feeder >= 0:
            store(work.artery_flow, feeder, load(work.artery_flow, feeder) + out)
            store(work.vein_flow, feeder, load(work.vein_flow, feeder) + back)
        else:
            total = total + out
        store(entry, frame.artery[s], load(entry, frame.artery[s]) + out)
        store(entry, frame.vein[s], load(entry, frame.vein[s]) + back)
        store(entry, frame.artery_in[s], load(entry, frame.artery_in[s]) - out)
        store(entry, frame.vein_out[s], load(entry, frame.vein_out[s]) - back)
        if frame.superficial_vein[s] >= 0:
            shunt = hand if s <= HANDS[1] else foot
            node = frame.superficial_vein[s]
            store(entry, node, load(entry, node) + shunt)
            store(entry, frame.superficial_out[s], load(entry, frame.superficial_out[s]) - shunt)
            if frame.shunt_in[s] >= 0:
                store(entry, frame.shunt_in[s], load(entry, frame.shunt_in[s]) - shunt)
    store(entry, 0, load(entry, 0) + total)
    store(heat, CARDIAC_OUTPUT_L_H, total * (1.0 / BLOOD_WH_L_K))


@inlined
def solve(x: FloatArray, plan: Plan) -> None:
    """Solve in the planned order; `x` holds the entries and then the right-hand side, which becomes the solution."""
    for level in range(plan.pivots_start.size - 1):
        for p in range(plan.pivots_start[level], plan.pivots_start[level + 1]):
            pivot = at(plan.pivots, p)
            store(x, pivot, 1.0 / load(x, pivot))
        for k in range(plan.scale_start[level], plan.scale_start[level + 1]):
            scaled = at(plan.scaled, k)
            store(x, scaled, load(x, scaled) * load(x, at(plan.scaled_by, k)))
        for k in range(plan.subtract_start[level], plan.subtract_start[level + 1]):
            t = at(plan.target, k)
            store(x, t, load(x, t) - load(x, at(plan.left, k)) * load(x, at(plan.right, k)))
    for k in range(plan.back_target.size):
        t = at(plan.back_target, k)
        store(x, t, load(x, t) - load(x, at(plan.back_left, k)) * load(x, at(plan.back_right, k)))


@njit(cache=True, nogil=True)
def run_blocks(
    temp: FloatArray,
    regulation: FloatArray,
    body: Body,
    inputs: FloatArray,
    coupling: FloatArray,
    phase_of_step: IntArray,
    dt_s: FloatArray,
    kept_from: IntArray,
    kept_row: IntArray,
    every: int,
    kept: FloatArray,
    frame: Frame,
    n_entries: int,
    law: Law,
) -> None:
    """Run all blocks through all steps; write chosen rows after every so many steps.

    Parameters
    ----------
    temp, regulation : ndarray, shape (n_blocks, n, WIDTH)
        Start, overwritten with the end.
    inputs, coupling : ndarray, shape (n_phases, n_blocks, n, WIDTH)
    phase_of_step, dt_s : ndarray, shape (n_steps,)
    kept_from, kept_row : ndarray, shape (n_outputs,)
        Source (0 temperatures, 1 flows, 2 what the step reports) and row of each output.
    kept : ndarray, shape (n_blocks, n_steps // every, n_outputs, WIDTH)
        Written.
    """
    work = room(frame, n_entries)
    surroundings = lanes(N_SURROUNDINGS)
    flows = lanes(frame.tissue_node.size)
    heat = lanes(N_HEAT)
    for b in range(temp.shape[0]):
        block = block_of(body, b)
        before = -1
        for n in range(dt_s.size):
            phase = phase_of_step[n]
            now = inputs[phase, b]
            if phase != before or lies_in_still_air(now):
                update_surroundings(temp[b], now, block, frame, surroundings)
            before = phase
            heat_step(
                temp[b],
                regulation[b],
                block,
                surroundings,
                now,
                coupling[phase, b],
                flows,
                heat,
                frame,
                work,
                law,
                dt_s[n],
            )
            if (n + 1) % every == 0:
                keep(temp[b], flows, heat, kept_from, kept_row, kept[b, (n + 1) // every - 1])


@compiled
def keep(
    temp: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    kept_from: IntArray,
    kept_row: IntArray,
    kept: FloatArray,
) -> None:
    """Copy the chosen rows."""
    for o in range(kept_from.size):
        if kept_from[o] == 0:
            store(kept, o, load(temp, kept_row[o]))
        elif kept_from[o] == 1:
            store(kept, o, load(flows, kept_row[o]))
        else:
            store(kept, o, load(heat, kept_row[o]))


@njit(cache=True, nogil=True)
def settle_passively(
    temp: FloatArray,
    body: Body,
    inputs: FloatArray,
    coupling: FloatArray,
    dt_s: float,
    rounds: int,
    frame: Frame,
    n_entries: int,
    law: Law,
) -> None:
    """Let bodies drift without regulation, every temperature its own set point; where they end are their set points.

    `temp` has shape (n_blocks, n_nodes, WIDTH), `inputs` and `coupling` (n_blocks, n, WIDTH); `temp` and the set points
    of `body` are overwritten.
    """
    work = room(frame, n_entries)
    surroundings = lanes(N_SURROUNDINGS)
    flows = lanes(frame.tissue_node.size)
    heat = lanes(N_HEAT)
    for b in range(temp.shape[0]):
        block = block_of(body, b)
        for _ in range(rounds):
            regulation = lanes(N_REGULATION)
            _copy_rows(temp[b], block.set_point)
            update_surroundings(temp[b], inputs[b], block, frame, surroundings)
            heat_step(
                temp[b], regulation, block, surroundings, inputs[b], coupling[b], flows, heat, frame, work, law, dt_s
            )
        _copy_rows(temp[b], block.set_point)

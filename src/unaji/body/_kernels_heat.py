"""Compiled kernels of the heat balance: one step of a block of persons, and runs of many steps.

Arrays have shape (n, WIDTH), persons last; a value named without index below is one number for each person of the block
(see `_lanes`). Imported on first use: numba takes most of a second to load.

Equations are those of JOS-3 (Takahashi et al. 2021, doi:10.1016/j.enbuild.2020.110575) but for what `Law` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from unaji.body import layout
from unaji.body._lanes import (
    WIDTH,
    compiled,
    differ,
    entry,
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
    unrolled,
)
from unaji.body.anatomy import (
    AREA_M2,
    ARTERY_FROM,
    BACK,
    CHEST,
    FEET,
    HANDS,
    HEAD,
    PELVIS,
    Structure,
    structure_of,
)
from unaji.body.elimination import IntArray, Matrix, elimination_order, solve
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

# Rows of what a step reports.
METABOLIC_W, SHIVERING_W, EVAPORATIVE_W, DRY_W, RESPIRATORY_W, SUN_W = 0, 1, 2, 3, 4, 5
CARDIAC_OUTPUT_L_H, SKIN_FLOW_L_H, WETTEDNESS, SHUNT_HAND_L_H, SHUNT_FOOT_L_H = 6, 7, 8, 9, 10
PATCH_EVAPORATIVE_W = 11
PATCH_DRY_W = PATCH_EVAPORATIVE_W + N_SKIN
PATCH_WETTEDNESS = PATCH_DRY_W + N_SKIN
PATCH_EVAPORATIVE_W_K = PATCH_WETTEDNESS + N_SKIN
N_HEAT = PATCH_EVAPORATIVE_W_K + N_SKIN

# Rows of the state of regulation.
LAGGED_DILATION, LAGGED_CONSTRICTION, LOCAL_WARMTH = 0, 1, 2
N_REGULATION = LOCAL_WARMTH + N_SKIN

# Rows of what surrounds the skin, each by patch.
DRY_W_K, WET_W_KPA, RADIANT_SHARE, OPERATIVE_C, VAPOUR_KPA = 0, N_SKIN, 2 * N_SKIN, 3 * N_SKIN, 4 * N_SKIN
CONVECTION_W_M2K = 5 * N_SKIN
N_SURROUNDINGS = CONVECTION_W_M2K + N_SEGMENTS

BLOOD_WH_L_K = 1.067
PERFUSION_W_H_L = 1.163
"""Heat of work or shivering that calls for one litre an hour."""

BASE_WETTEDNESS = 0.06
SWEAT_PER_K = math.log(2.0) / 10.0
"""Relative growth of sweating with local skin temperature: it doubles in 10 K."""
ANTOINE_K, ANTOINE_SHIFT_K = 4030.183, 235.0

STANDARD_PRESSURE_HPA = 1013.3
LEWIS_K_KPA = 16.5
VAPOUR_EFFICIENCY = 0.45
CLO_M2K_W = 0.155

STILL_M_S = 0.2
"""Below it convection is natural."""

UNCHANGED, AIR, EVERYTHING = 0, 1, 2
"""What has changed around the skin: nothing, temperature or humidity of the air, or also how heat gets there."""

CHANGED_BY = np.full(layout.N_INPUTS, UNCHANGED)
"""The same, by input."""
CHANGED_BY[[_AIR, _RADIANT, _HUMIDITY, _NECK_AIR]] = AIR
CHANGED_BY[[_AIR_SPEED, _PRESSURE, _COLLAR, _POSTURE, *range(_CLOTHING, layout.N_INPUTS)]] = EVERYTHING


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
    """Which node is where, the same for all persons."""

    tissue_node: IntArray
    patch_tissue: IntArray
    patch_segment: IntArray
    core: IntArray  # node, by segment
    chest: int  # the tissue that is the chest's core
    nape_muscle: IntArray  # two tissues, or none


class Body(NamedTuple):
    """What the persons of a block, or of all blocks, are; see `anatomy.Anatomy`."""

    capacity: FloatArray
    conductance: FloatArray
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


BASAL_W, OPEN_HAND_L_H, OPEN_FOOT_L_H, BROWN_FAT_LIMIT_W, AREA_SUM_M2, SKIN_FLOW_LEAST, SKIN_FLOW_MOST = range(7)


class Law(NamedTuple):
    """How the body is regulated, where that is not as in JOS-3.

    Lags are e-folding times; 0 follows at once. Skin above `local_warming_onset_c` takes up local warmth, all of it
    after `local_warming_span_k` more.
    """

    clamped_evaporation: bool
    proportional_rest: bool
    dilation_lag_s: float
    constriction_lag_s: float
    local_warming_lag_s: float
    local_warming_gain: float
    local_warming_onset_c: float
    local_warming_span_k: float


class Work(NamedTuple):
    """Room to compute in, for one block; see `heat_step`."""

    surroundings: FloatArray
    flows: FloatArray
    heat: FloatArray
    gain: FloatArray  # heat set free, by tissue [W]
    error: FloatArray  # of skin temperature, by patch [K]


def work_for(frame: Frame) -> Work:
    """Return the arrays that the steps of a block compute in."""
    n_tissues = frame.tissue_node.size
    return Work(*map(lanes, (N_SURROUNDINGS, n_tissues, N_HEAT, n_tissues, N_SKIN)))


@inlined
def vapour_pressure_kpa(temp_c: FloatArray) -> FloatArray:
    """Saturation over water by Antoine's equation, as JOS-3 has it, for temperatures above −230 °C."""
    return exp2((16.6536 - ANTOINE_K / (temp_c + ANTOINE_SHIFT_K)) * (1.0 / math.log(2.0)))


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
def update_surroundings(
    temp: FloatArray, inputs: FloatArray, body: Body, frame: Frame, changed: int, out: FloatArray
) -> None:
    """Renew what surrounds each patch of skin, as far as `changed` (`UNCHANGED`, `AIR` or `EVERYTHING`) asks for."""
    lying = lies_in_still_air(inputs)
    if changed == EVERYTHING or lying:
        _update_conductances(temp, inputs, body, frame, lying, out)
    if changed != UNCHANGED or lying:
        _update_air(inputs, frame, out)


@inlined
def _update_air(inputs: FloatArray, frame: Frame, out: FloatArray) -> None:
    """Write operative temperature and vapour pressure for each patch."""
    humidity = load(inputs, _HUMIDITY) * 0.01
    air, radiant, air_neck = load(inputs, _AIR), load(inputs, _RADIANT), load(inputs, _NECK_AIR)
    neck_air, neck_radiant = or_else(air_neck, air), or_else(air_neck, radiant)
    pressure, neck_pressure = vapour_pressure_kpa(air) * humidity, vapour_pressure_kpa(neck_air) * humidity
    for k in range(frame.patch_segment.size):
        share = load(out, RADIANT_SHARE + k)
        if frame.patch_segment[k] == NECK:
            store(out, OPERATIVE_C + k, neck_air + (neck_radiant - neck_air) * share)
            store(out, VAPOUR_KPA + k, neck_pressure)
        else:
            store(out, OPERATIVE_C + k, air + (radiant - air) * share)
            store(out, VAPOUR_KPA + k, pressure)


@inlined
def _update_conductances(
    temp: FloatArray, inputs: FloatArray, body: Body, frame: Frame, lying: bool, out: FloatArray
) -> None:
    """Write conductance to the air, dry and wet, and the share of radiation in the dry one, for each patch."""
    posture = load(inputs, _POSTURE)
    ratio = log2(load(inputs, _PRESSURE) * (1.0 / STANDARD_PRESSURE_HPA))
    dry_thin, wet_thin = exp2(ratio * 0.55), exp2(ratio * -0.45)
    level = _convection(temp, inputs, frame, lying, out)
    for k in range(frame.patch_segment.size):
        s = frame.patch_segment[k]
        hc = load(out, CONVECTION_W_M2K + s) * level
        hr = _by_posture(posture, _RADIATION, s)
        store(out, RADIANT_SHARE + k, hr / (hc + hr))
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


@inlined
def _convection(temp: FloatArray, inputs: FloatArray, frame: Frame, lying: bool, out: FloatArray) -> FloatArray:
    """Write each segment's convection coefficient and return by what to multiply them for the body's mean to be right.

    The mean is that of Gagge's two-node model, 8.6 v^0.53 and at least 3 W/m²K.
    """
    posture = load(inputs, _POSTURE)
    air, air_neck = load(inputs, _AIR), load(inputs, _NECK_AIR)
    air_speed = larger(load(inputs, _AIR_SPEED), 1e-300)
    log_speed = log2(air_speed)
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
    inputs: FloatArray,
    coupling: FloatArray,
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
    inputs : ndarray, shape (N_INPUTS, WIDTH)
    coupling : ndarray, shape (N_COUPLINGS, WIDTH)
    work : Work
        `surroundings` are from `update_surroundings`, to be called before every step. Written: `flows`, blood flow
        during the step [L/h]; `heat`, what the step reports; DRY_W and EVAPORATIVE_W are the losses that close the
        balance, at the step's end, PATCH_DRY_W and PATCH_WETTEDNESS are those at its start.
    """
    surroundings, flows, heat = work.surroundings, work.flows, work.heat
    warm, cold, mean_error = _skin_errors(temp, body, coupling, frame, work)
    shift = load(coupling, _SET_POINT_SHIFT)
    head = _core_error(temp, body, frame, HEAD) - shift
    _metabolism(body, inputs, coupling, flows, heat, frame, work, law, head, cold)
    _skin(temp, regulation, body, surroundings, coupling, flows, heat, frame, work, law, dt_s, head, warm - cold)
    _shunts(temp, body, coupling, flows, heat, frame, mean_error, shift)
    _other_gains(inputs, surroundings, body, heat, frame, work)
    arguments = (temp, body.capacity, body.conductance, surroundings, flows, heat, work.gain, 1.0 / dt_s)
    if frame.nape_muscle.size > 0:
        _balance_with_nape(arguments)
    else:
        _balance_without(arguments)
    loss, evaporative = head * 0.0, head * 0.0
    for k in range(frame.patch_tissue.size):
        node = frame.tissue_node[frame.patch_tissue[k]]
        skin = load(temp, node)
        loss = loss + load(surroundings, DRY_W_K + k) * (skin - load(surroundings, OPERATIVE_C + k))
        before = load(work.error, k) + load(body.set_point, node) + shift
        lost = load(heat, PATCH_EVAPORATIVE_W + k) + load(heat, PATCH_EVAPORATIVE_W_K + k) * (skin - before)
        store(heat, PATCH_EVAPORATIVE_W + k, lost)
        evaporative = evaporative + lost
    store(heat, DRY_W, loss)
    store(heat, EVAPORATIVE_W, evaporative)


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
    for t in range(frame.tissue_node.size):
        shivered = load(body.shivering_gain, t) * shiver
        active = load(body.work_share, t) * at_work + shivered
        produced = load(body.heat, t) * at_rest + active + load(body.brown_fat_gain, t) * brown_fat
        store(flows, t, load(body.flow, t) + active * (1.0 / PERFUSION_W_H_L))
        store(work.gain, t, produced)
        shivering = shivering + shivered
        total = total + produced
    for m in range(frame.nape_muscle.size):
        t = frame.nape_muscle[m]
        extra = load(coupling, _MUSCLE_HEAT + m) * load(body.muscle_mass, m)
        store(work.gain, t, load(work.gain, t) + extra)
        store(flows, t, load(flows, t) + load(body.flow, t) * (load(coupling, _MUSCLE_FLOW + m) - 1.0))
        total = total + extra
    stress = load(coupling, _EXTRA_HEAT)
    store(work.gain, frame.chest, load(work.gain, frame.chest) + stress)
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
    least, most = load(body.one, SKIN_FLOW_LEAST), load(body.one, SKIN_FLOW_MOST)
    wet_area, total_flow = head * 0.0, head * 0.0
    for k in range(frame.patch_tissue.size):
        t = frame.patch_tissue[k]
        skin = load(temp, frame.tissue_node[t])
        # 2 to the thirtieth of the error; its third and fifth powers are what sweat and flow ask for.
        local = exp2(smaller(larger(load(work.error, k), -1000.0), 1000.0) * (1.0 / 30.0))
        local_3 = local * local * local
        sweated = load(body.sweat_gain, k) * sweat * local_3
        _evaporate(k, skin, sweated, body, surroundings, heat, law.clamped_evaporation)
        wet_area = wet_area + load(heat, PATCH_WETTEDNESS + k) * load(body.area, k)
        rise = load(body.dilation_gain, k) * dilate + load(coupling, _DILATION + k) + 1.0
        if law.local_warming_gain > 0:
            warmth = larger(smaller((skin - law.local_warming_onset_c) * (1.0 / law.local_warming_span_k), 1.0), 0.0)
            warmth = warmth + (load(regulation, LOCAL_WARMTH + k) - warmth) * local_kept
            store(regulation, LOCAL_WARMTH + k, warmth)
            rise = rise + warmth * law.local_warming_gain
        fall = load(body.constriction_gain, k) * constrict + load(coupling, _CONSTRICTION + k) + 1.0
        multiple = smaller(larger(rise / fall * (local_3 * local * local), least), most)
        flow = multiple * load(body.flow, t)
        store(flows, t, flow)
        total_flow = total_flow + flow
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
) -> None:
    """Write a patch's heat loss by sweat and diffusion, how it grows with skin temperature, and wettedness.

    With that slope evaporation is taken at the step's end, as dry loss is: wet skin in a gale would swing otherwise. In
    JOS-3 it is that of the step's start.
    """
    pressure, wet = vapour_pressure_kpa(skin), load(surroundings, WET_W_KPA + k)
    most = (pressure - load(surroundings, VAPOUR_KPA + k)) * wet
    if clamped:
        wanted = most * BASE_WETTEDNESS + sweat
        lost = if_positive(most, smaller(wanted, most), most)
        wettedness = if_positive(most, lost / most, 0.0)
        kelvin = skin + ANTOINE_SHIFT_K
        steepest = pressure * wet * ANTOINE_K / (kelvin * kelvin)
        slope = if_positive(most - lost, steepest * BASE_WETTEDNESS + sweat * SWEAT_PER_K, steepest)
    else:
        wettedness = smaller(sweat / most * (1.0 - BASE_WETTEDNESS) + BASE_WETTEDNESS, 1.0)
        lost, slope = wettedness * most, wettedness * 0.0
    dry = (skin - load(surroundings, OPERATIVE_C + k)) * load(surroundings, DRY_W_K + k)
    store(heat, PATCH_EVAPORATIVE_W + k, lost)
    store(heat, PATCH_EVAPORATIVE_W_K + k, slope)
    store(heat, PATCH_WETTEDNESS + k, wettedness)
    store(heat, PATCH_DRY_W + k, dry)


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
def _other_gains(
    inputs: FloatArray, surroundings: FloatArray, body: Body, heat: FloatArray, frame: Frame, work: Work
) -> None:
    """Put respiration, evaporation and sun where they act."""
    metabolic = load(heat, METABOLIC_W)
    breath = (34.0 - load(inputs, _AIR)) * 0.0014 + (5.87 - load(surroundings, VAPOUR_KPA + HEAD)) * 0.0173
    respired = metabolic * breath
    store(heat, RESPIRATORY_W, respired)
    for k in range(frame.patch_tissue.size):
        t = frame.patch_tissue[k]
        store(work.gain, t, load(work.gain, t) - load(heat, PATCH_EVAPORATIVE_W + k))
    sun = respired * 0.0
    if frame.patch_tissue.size > NAPE:
        t = frame.patch_tissue[NAPE]
        sun = load(inputs, _SUN) * load(body.area, NAPE)
        store(work.gain, t, load(work.gain, t) + sun)
    store(heat, SUN_W, sun)
    store(work.gain, frame.chest, load(work.gain, frame.chest) - respired)


class _Exchanges:
    """The matrix of the balance while it is put together: what each node gets from others, and its diagonal [W/K]."""

    def __init__(self, diagonal: list[Any]) -> None:
        self.diagonal = diagonal
        self.others: Matrix = {}

    def carry(self, rate: Any, source: int, target: int) -> None:
        """Let heat flow into a node from a warmer one, in proportion to the difference."""
        self.diagonal[target] = self.diagonal[target] + rate
        place = (target, source)
        self.others[place] = self.others[place] - rate if place in self.others else -rate

    def matrix(self) -> Matrix:
        return {(i, i): value for i, value in enumerate(self.diagonal)} | self.others


def _balance(structure: Structure) -> Callable[[tuple[Any, ...]], None]:
    """Return the end of a step for bodies of this structure: temperatures from heat, conductances and flows.

    Its arguments are temp (overwritten), capacity, conductance, surroundings, flows, heat (where cardiac output is
    written), gain and 1/dt.
    """

    @unrolled
    def balance(
        temp: Any, capacity: Any, conductance: Any, surroundings: Any, flows: Any, heat: Any, gain: Any, per_s: Any
    ) -> None:
        n = len(structure.nodes)
        held = [capacity[i] * per_s for i in range(n)]
        right = [held[i] * temp[i] for i in range(n)]
        exchanges = _Exchanges(held)
        for e, (a, b) in enumerate(structure.edges):
            rate = conductance[e]
            exchanges.carry(rate, a, b)
            exchanges.carry(rate, b, a)
        total = _circulate(structure, exchanges, flows, heat)
        heat[CARDIAC_OUTPUT_L_H] = total * (1.0 / BLOOD_WH_L_K)
        for t, (node, _) in enumerate(structure.tissues):
            right[node] = right[node] + gain[t]
        for k, (_, t) in enumerate(structure.patches):
            node, dry, wet = structure.tissues[t][0], surroundings[DRY_W_K + k], heat[PATCH_EVAPORATIVE_W_K + k]
            exchanges.diagonal[node] = exchanges.diagonal[node] + dry + wet
            right[node] = right[node] + dry * surroundings[OPERATIVE_C + k] + wet * temp[node]
        solution = solve(exchanges.matrix(), right, elimination_order(n, exchanges.others))
        for i in range(n):
            temp[i] = solution[i]

    return balance


def _circulate(structure: Structure, exchanges: _Exchanges, flows: Any, heat: Any) -> Any:
    """Let blood carry heat; return what leaves the heart. Rates are heat capacity over time [W/K]."""
    artery, vein, superficial = structure.artery, structure.vein, structure.superficial_vein
    hand, foot = heat[SHUNT_HAND_L_H] * BLOOD_WH_L_K, heat[SHUNT_FOOT_L_H] * BLOOD_WH_L_K
    through: dict[int, Any] = {}
    for t, (node, s) in enumerate(structure.tissues):
        blood = flows[t] * BLOOD_WH_L_K
        exchanges.carry(blood, artery[s], node)
        exchanges.carry(blood, node, vein[s])
        through[s] = through[s] + blood if s in through else blood
    back = dict(through)
    for acral, shunt in ((HANDS, hand), (FEET, foot)):
        for s in acral:
            through[s] = through[s] + shunt
            exchanges.carry(shunt, artery[s], superficial[s])
    back[PELVIS] = back[PELVIS] + foot * 2.0
    central = []
    # Feeders have lower numbers than what they feed, but for the neck, which feeds the head.
    for s in (0, *range(N_SEGMENTS - 1, 0, -1)):
        feeder = ARTERY_FROM[s]
        if feeder >= 0:
            through[feeder] = through[feeder] + through[s]
            back[feeder] = back[feeder] + back[s]
        else:
            central.append(through[s])
        exchanges.carry(through[s], 0 if feeder < 0 else artery[feeder], artery[s])
        exchanges.carry(back[s], vein[s], 0 if feeder < 0 else vein[feeder])
        if superficial[s] >= 0:
            exchanges.carry(hand if s <= HANDS[1] else foot, superficial[s], structure.superficial_drain(s))
    return sum(central[1:], start=central[0])


_balance_with_nape, _balance_without = _balance(structure_of(detailed_neck=True)), _balance(structure_of(False))


@entry
def run_heat_block(
    temp: FloatArray,
    regulation: FloatArray,
    body: Body,
    inputs: FloatArray,
    coupling: FloatArray,
    phase_of_step: IntArray,
    dt_s: FloatArray,
    drifting: bool,
    kept_from: IntArray,
    kept_row: IntArray,
    every: int,
    kept: FloatArray,
    frame: Frame,
    work: Work,
    law: Law,
) -> None:
    """Run a block through all steps; write chosen rows after every so many steps.

    Parameters
    ----------
    temp, regulation : ndarray, shape (n, WIDTH)
        Overwritten.
    body : Body
        One block.
    inputs, coupling : ndarray, shape (n_phases, n, WIDTH)
        `coupling` may have a single phase for all.
    phase_of_step : ndarray of int, shape (n_steps,)
    dt_s : ndarray, shape (n_steps,)
    drifting : bool
        Whether to run without regulation: every temperature is its own set point, overwritten in `body`. Where bodies
        end is their neutral state.
    kept_from, kept_row : ndarray, shape (n_outputs,)
        Source (0 temperatures, 1 flows, 2 what the step reports) and row of each output.
    kept : ndarray, shape (n_steps // every, n_outputs, WIDTH)
        Written.
    """
    for n in range(dt_s.size):
        phase, before = phase_of_step[n], phase_of_step[max(n - 1, 0)]
        now, changed = inputs[phase], EVERYTHING if n == 0 else UNCHANGED
        if phase != before:
            changed = _changed(now, inputs[before])
        if drifting:
            regulation[:] = 0.0
            _copy_rows(temp, body.set_point)
        update_surroundings(temp, now, body, frame, changed, work.surroundings)
        heat_step(temp, regulation, body, now, coupling[min(phase, coupling.shape[0] - 1)], frame, work, law, dt_s[n])
        if (n + 1) % every == 0:
            keep(temp, work.flows, work.heat, kept_from, kept_row, kept[(n + 1) // every - 1])
    if drifting:
        _copy_rows(temp, body.set_point)


@compiled
def _changed(inputs: FloatArray, before: FloatArray) -> int:
    """Tell what has changed around the skin of anybody."""
    most = UNCHANGED
    for k in range(inputs.shape[0]):
        if CHANGED_BY[k] > most and differ(load(inputs, k), load(before, k)):
            most = CHANGED_BY[k]
    return most


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

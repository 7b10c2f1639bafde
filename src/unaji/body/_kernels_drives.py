"""Loops of `unaji.body.drives`: one step of nerves, heart and muscle, one of the senses, for a block of eight persons.

All arrays are of shape (n_channels, WIDTH), with the channels of the enums in `layout`, `drives` and `sensation`. Lags
are solved exactly with the inputs at the step's end, so nothing overshoots in steps of any length.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unaji.body._lanes import WIDTH, exp2, larger, load, smaller, store
from unaji.body.drives import (
    LAGS,
    N_FACTORS,
    N_PAST,
    DriveState,
    Factor,
    Param,
    Thermal,
    arousal_target,
    barometric_drive,
    circadian_shift,
    constriction,
    decay_over,
    heart_rate,
    heart_reactivity,
    lag,
    outflow,
    plasma_noradrenaline_target,
    rmssd,
    skin_nerve,
    stroke_volume,
    two_way_lag,
    vagal_tone,
)
from unaji.body.forcing import IntArray
from unaji.body.layout import N_INPUTS, N_SKIN, NAPE, NECK, SEGMENTS, Coupling, Input
from unaji.body.muscle import (
    active_share,
    activity,
    flow_modulation,
    gravity_moment,
    lactate_production,
    muscle_flow_target,
    occlusion,
    oxygen_demand,
    oxygenation_target,
)
from unaji.body.sensation import (
    LOG2_E,
    SensationState,
    adaptable_k,
    dynamic_feeling,
    felt_share,
    felt_warmth,
    needled,
    pain,
    pressure_pain_threshold,
    saturation,
    sensitised,
    static_feeling,
)
from unaji.records.timeline import FloatArray

_HEAD, _CHEST = SEGMENTS.index("head"), SEGMENTS.index("chest")
_LAGS = tuple(int(p) for p in LAGS)
_ACRAL = tuple(k for k, name in enumerate(SEGMENTS) if name.endswith(("hand", "foot")))
_FACE_AND_NECK = (_HEAD, NECK, NAPE)
_ELSEWHERE = tuple(k for k in range(N_SKIN) if k not in (*_ACRAL, *_FACE_AND_NECK))


@njit(cache=True)
def fill_factors(parameters: FloatArray, recent_dt_s: FloatArray, factors: FloatArray) -> None:
    """Compute the decays over a step of recent_dt_s[0]; the rest are the lengths of the steps before it."""
    dt_s = recent_dt_s[0]
    for row, lag_row in enumerate(_LAGS):
        store(factors, row, decay_over(dt_s, load(parameters, lag_row)))
    store(factors, Factor.PLASMA, exp2(larger(-dt_s / load(parameters, Param.NA_HALF_LIFE), -1000.0)))
    # The outflow of a step reaches the vessels after the delay; how long of it arrives during this step?
    delay, lag_s = load(parameters, Param.JUNCTION_DELAY), load(parameters, Param.JUNCTION_LAG)
    store(factors, Factor.RELEASE, decay_over(larger(dt_s - delay, 0.0), lag_s))
    since_s = 0.0
    for j in range(1, N_PAST + 1):
        arrives_until = smaller(delay - since_s, dt_s)
        since_s += recent_dt_s[j]
        # What is older than the last remembered step counts as that step.
        arrives_from = larger(delay - since_s, 0.0) * (0.0 if j == N_PAST else 1.0)
        store(factors, Factor.RELEASE + j, decay_over(larger(arrives_until - arrives_from, 0.0), lag_s))


@njit(cache=True)
def start_drives(inputs: FloatArray, parameters: FloatArray, states: FloatArray, past: FloatArray) -> None:
    """Set a rested person: no arousal, no load, muscle at rest, steady air pressure."""
    states[:] = 0.0
    past[:] = 0.0
    store(states, DriveState.PRESSURE_HPA, load(inputs, Input.PRESSURE_HPA))
    resting = load(parameters, Param.NA_RELEASE) / load(parameters, Param.NA_CLEARANCE)
    store(states, DriveState.PLASMA_NA_NMOL_L, resting)
    for row in (DriveState.ADRENALINE, DriveState.FLOW_DEEP, DriveState.FLOW_SUPERFICIAL):
        states[row] = 1.0
    demand = oxygen_demand(
        load(states, DriveState.AROUSAL), load(parameters, Param.OXYGEN_USE), load(parameters, Param.OXYGEN_WORK)
    )
    supply = load(parameters, Param.FLOW_FACTOR)
    store(states, DriveState.OXYGENATION, oxygenation_target(supply, demand, load(parameters, Param.OXYGEN_ARTERIAL)))
    store(states, DriveState.LACTATE_MMOL_L, load(parameters, Param.LACTATE_REST))


@njit(cache=True)
def start_senses(thermal: FloatArray, senses: FloatArray) -> None:
    """Set a person without sensitisation, who comes from neutrality and whose skin and core are not just changing."""
    senses[:] = 0.0
    store(senses, SensationState.NAPE_SKIN_C, load(thermal, Thermal.NAPE_SKIN_C))
    store(senses, SensationState.CORE_C, load(thermal, Thermal.CORE_C))


@njit(cache=True)
def drives_step(
    inputs: FloatArray,
    parameters: FloatArray,
    factors: FloatArray,
    thermal: FloatArray,
    past: FloatArray,
    states: FloatArray,
    coupling: FloatArray,
    dt_s: float,
) -> None:
    """Advance nerves, heart and muscle by a step and write what they tell the heat balance.

    Parameters
    ----------
    inputs : ndarray, shape (N_INPUTS, WIDTH)
        At the step's end.
    factors : ndarray, shape (N_FACTORS, WIDTH)
        From `fill_factors` for this step.
    thermal : ndarray, shape (N_THERMAL, WIDTH)
        As of the last heat step.
    past : ndarray, shape (N_PAST, WIDTH)
        Outflow of the last steps, newest first.
    states, coupling : ndarray
        Updated in place.
    """
    _arouse(inputs, parameters, factors, states, dt_s)
    _release(parameters, factors, past, states)
    _beat(inputs, parameters, thermal, states)
    _shift(inputs, parameters, factors, states, coupling)
    _load_muscle(inputs, parameters, states)
    _perfuse(parameters, factors, states)
    _metabolise(parameters, factors, states, dt_s)
    _couple(parameters, states, coupling)


@njit(cache=True)
def _arouse(inputs: FloatArray, parameters: FloatArray, factors: FloatArray, states: FloatArray, dt_s: float) -> None:
    stress = load(inputs, Input.STRESS)
    pressure = load(inputs, Input.PRESSURE_HPA)
    fall = (load(states, DriveState.PRESSURE_HPA) - pressure) * (3600.0 / dt_s)
    fall = lag(load(states, DriveState.PRESSURE_FALL_HPA_H), fall, load(factors, Factor.PRESSURE))
    barometric = barometric_drive(
        fall, load(parameters, Param.PRESSURE_GAIN), load(parameters, Param.PRESSURE_THRESHOLD)
    )
    target = arousal_target(stress, load(inputs, Input.EMOTION), barometric, load(parameters, Param.EMOTION_WEIGHT))
    arousal = two_way_lag(
        load(states, DriveState.AROUSAL), target, load(factors, Factor.AROUSAL_RISE), load(factors, Factor.AROUSAL_FALL)
    )
    day = lag(load(states, DriveState.STRESS_DAY), stress, load(factors, Factor.DAY))
    store(states, DriveState.PRESSURE_HPA, pressure)
    store(states, DriveState.PRESSURE_FALL_HPA_H, fall)
    store(states, DriveState.AROUSAL, arousal)
    store(states, DriveState.ONSET, lag(load(states, DriveState.ONSET), arousal, load(factors, Factor.ONSET)))
    store(states, DriveState.TONIC, lag(load(states, DriveState.TONIC), stress, load(factors, Factor.TONIC)))
    store(states, DriveState.STRESS_DAY, day)
    store(states, DriveState.LOAD, lag(load(states, DriveState.LOAD), day, load(factors, Factor.LOAD)))


@njit(cache=True)
def _release(parameters: FloatArray, factors: FloatArray, past: FloatArray, states: FloatArray) -> None:
    """Let nerves fire and noradrenaline and adrenaline follow."""
    arousal, reactivity = load(states, DriveState.AROUSAL), load(parameters, Param.REACTIVITY)
    x = outflow(arousal, load(states, DriveState.TONIC), load(parameters, Param.ACUTE_SHARE), reactivity)
    release = load(states, DriveState.RELEASE)
    for j in range(N_PAST - 1, -1, -1):
        release = lag(release, load(past, j), load(factors, Factor.RELEASE + 1 + j))
    store(states, DriveState.RELEASE, lag(release, x, load(factors, Factor.RELEASE)))
    for j in range(N_PAST - 1, 0, -1):
        store(past, j, load(past, j - 1))
    store(past, 0, x)
    plasma = plasma_noradrenaline_target(
        x, load(parameters, Param.NA_RELEASE), load(parameters, Param.NA_CLEARANCE), load(parameters, Param.NA_GAIN)
    )
    plasma = lag(load(states, DriveState.PLASMA_NA_NMOL_L), plasma, load(factors, Factor.PLASMA))
    store(states, DriveState.PLASMA_NA_NMOL_L, plasma)
    adrenaline = 1.0 + load(parameters, Param.ADRENALINE_GAIN) * reactivity * arousal
    adrenaline = lag(load(states, DriveState.ADRENALINE), adrenaline, load(factors, Factor.ADRENALINE))
    store(states, DriveState.ADRENALINE, adrenaline)
    nerve = skin_nerve(
        arousal,
        load(states, DriveState.ONSET),
        reactivity,
        load(parameters, Param.SUDOMOTOR_GAIN),
        load(parameters, Param.SUDOMOTOR_ONSET),
    )
    store(states, DriveState.SKIN_NERVE, nerve)


@njit(cache=True)
def _beat(inputs: FloatArray, parameters: FloatArray, thermal: FloatArray, states: FloatArray) -> None:
    age = load(parameters, Param.AGE_Y)
    reactivity = heart_reactivity(age, load(parameters, Param.HEART_AGE_LOSS), load(parameters, Param.REACTIVITY))
    arousal = load(states, DriveState.AROUSAL)
    tonic = load(parameters, Param.HEART_TONIC_SHARE) * load(states, DriveState.TONIC)
    nerve = 1.0 + load(parameters, Param.HEART_NERVE_GAIN) * reactivity * (arousal + tonic)
    vagal = vagal_tone(
        arousal * reactivity,
        load(states, DriveState.LOAD),
        load(inputs, Input.ASLEEP),
        load(parameters, Param.VAGAL_WITHDRAWAL),
        load(parameters, Param.LOAD_VAGAL),
        load(parameters, Param.SLEEP_VAGAL),
    )
    volume = stroke_volume(
        load(thermal, Thermal.METABOLIC_W),
        load(thermal, Thermal.MEAN_SKIN_C),
        load(parameters, Param.SURFACE_M2),
        load(parameters, Param.STROKE_VOLUME_REST),
        load(parameters, Param.STROKE_VOLUME_WORK),
        load(parameters, Param.STROKE_VOLUME_HEAT),
    )
    rate = heart_rate(
        load(thermal, Thermal.CARDIAC_OUTPUT_L_MIN),
        volume,
        nerve,
        vagal,
        load(parameters, Param.HEART_NERVE_WEIGHT),
        load(parameters, Param.HEART_VAGAL_WEIGHT),
        load(parameters, Param.FLASH_HEART) * load(states, DriveState.FLASH),
        age,
    )
    variability = rmssd(
        nerve,
        vagal,
        age,
        load(parameters, Param.RMSSD_REST),
        load(parameters, Param.RMSSD_AGE),
        load(parameters, Param.RMSSD_NERVE),
        load(parameters, Param.RMSSD_VAGAL),
    )
    store(states, DriveState.VAGAL, vagal)
    store(states, DriveState.STROKE_VOLUME_ML, volume)
    store(states, DriveState.HEART_RATE_BPM, rate)
    store(states, DriveState.RMSSD_MS, variability)


@njit(cache=True)
def _shift(
    inputs: FloatArray, parameters: FloatArray, factors: FloatArray, states: FloatArray, coupling: FloatArray
) -> None:
    """Advance flush, fever, hot flash and needle, and shift the set point."""
    flush = load(inputs, Input.EMOTION) * load(parameters, Param.FLUSH_GAIN)
    rise, fall = load(factors, Factor.FLUSH_RISE), load(factors, Factor.FLUSH_FALL)
    store(states, DriveState.FLUSH, two_way_lag(load(states, DriveState.FLUSH), flush, rise, fall))
    pyrogen = load(inputs, Input.PYROGEN_K) * (1.0 - load(inputs, Input.ANTIPYRETIC))
    fever = lag(load(states, DriveState.FEVER_K), pyrogen, load(factors, Factor.FEVER))
    store(states, DriveState.FEVER_K, fever)
    rise, fall = load(factors, Factor.FLASH_RISE), load(factors, Factor.FLASH_FALL)
    flash = two_way_lag(load(states, DriveState.FLASH), load(inputs, Input.HOT_FLASH), rise, fall)
    store(states, DriveState.FLASH, flash)
    # A needle acts at once and whatever the length of the step in which it is inserted; only a deep one acts here.
    deep = smaller(larger(load(inputs, Input.NEEDLE) - 1.0, 0.0), 1.0)
    skin = load(states, DriveState.NEEDLE_SKIN) * load(factors, Factor.NEEDLE_SKIN)
    store(states, DriveState.NEEDLE_SKIN, larger(skin, deep))
    muscle = load(states, DriveState.NEEDLE_MUSCLE) * load(factors, Factor.NEEDLE_MUSCLE)
    store(states, DriveState.NEEDLE_MUSCLE, larger(muscle, deep))
    daily = circadian_shift(
        load(inputs, Input.HOUR),
        load(parameters, Param.CIRCADIAN_HALF_RANGE),
        load(parameters, Param.CIRCADIAN_NADIR),
    )
    shift = fever + daily - load(parameters, Param.FLASH_SET_POINT) * flash
    store(coupling, Coupling.SET_POINT_SHIFT_K, shift)


@njit(cache=True)
def _load_muscle(inputs: FloatArray, parameters: FloatArray, states: FloatArray) -> None:
    flexion = load(inputs, Input.FLEXION_DEG)
    moment = gravity_moment(
        flexion,
        load(inputs, Input.FORWARD_M),
        load(parameters, Param.HEAD_MASS_SHARE) * load(parameters, Param.WEIGHT_KG),
        load(parameters, Param.HEAD_HEIGHT),
    )
    carried = active_share(
        flexion,
        load(parameters, Param.PASSIVE_BASE),
        load(parameters, Param.PASSIVE_START),
        load(parameters, Param.PASSIVE_END),
        load(parameters, Param.PASSIVE_FLEXED),
    )
    weaker = load(parameters, Param.FEMALE) * (1.0 - load(parameters, Param.NECK_STRENGTH_WOMEN))
    # Asleep, the pillow carries the head.
    awake = 1.0 - load(inputs, Input.ASLEEP)
    posture = awake * moment * carried / (load(parameters, Param.NECK_STRENGTH) * (1.0 - weaker))
    other = load(inputs, Input.ARM_LOAD) + load(parameters, Param.STRESS_ACTIVITY) * load(states, DriveState.AROUSAL)
    store(states, DriveState.ACTIVITY_SUPERFICIAL, activity(posture, other))
    store(states, DriveState.ACTIVITY_DEEP, activity(posture, other * load(parameters, Param.DEEP_SHARE)))


@njit(cache=True)
def _perfuse(parameters: FloatArray, factors: FloatArray, states: FloatArray) -> None:
    nerve = 1.0 + load(parameters, Param.MUSCLE_NERVE_GAIN) * load(parameters, Param.REACTIVITY) * load(
        states, DriveState.AROUSAL
    )
    modulation = flow_modulation(
        load(states, DriveState.ADRENALINE),
        nerve,
        load(states, DriveState.NEEDLE_MUSCLE),
        load(parameters, Param.ADRENALINE_FLOW),
        load(parameters, Param.MUSCLE_ALPHA),
        load(parameters, Param.NEEDLE_MUSCLE_FLOW),
    )
    for k in range(2):
        active = load(states, DriveState.ACTIVITY_DEEP + k)
        stopped = occlusion(
            active,
            load(parameters, Param.OCCLUSION_START),
            load(parameters, Param.OCCLUSION_END),
            load(parameters, Param.OCCLUSION_MOST),
        )
        debt = lag(load(states, DriveState.DEBT_DEEP + k), stopped, load(factors, Factor.HYPERAEMIA))
        target = muscle_flow_target(
            active,
            stopped,
            debt,
            modulation,
            load(parameters, Param.FLOW_GAIN),
            load(parameters, Param.FLOW_POWER),
            load(parameters, Param.HYPERAEMIA_GAIN),
        )
        rise, fall = load(factors, Factor.FLOW_RISE), load(factors, Factor.FLOW_FALL)
        store(states, DriveState.DEBT_DEEP + k, debt)
        store(states, DriveState.FLOW_DEEP + k, two_way_lag(load(states, DriveState.FLOW_DEEP + k), target, rise, fall))


@njit(cache=True)
def _metabolise(parameters: FloatArray, factors: FloatArray, states: FloatArray, dt_s: float) -> None:
    """Advance oxygenation, lactate, algesics and inflammation of the superficial muscle."""
    active = load(states, DriveState.ACTIVITY_SUPERFICIAL)
    flow = load(parameters, Param.FLOW_FACTOR) * load(states, DriveState.FLOW_SUPERFICIAL)
    demand = oxygen_demand(active, load(parameters, Param.OXYGEN_USE), load(parameters, Param.OXYGEN_WORK))
    oxygen = lag(
        load(states, DriveState.OXYGENATION),
        oxygenation_target(flow, demand, load(parameters, Param.OXYGEN_ARTERIAL)),
        exp2(larger((flow + demand) / load(parameters, Param.OXYGEN_LAG) * (-LOG2_E * dt_s), -1000.0)),
    )
    made = lactate_production(
        active,
        oxygen,
        load(parameters, Param.LACTATE_GAIN),
        load(parameters, Param.LACTATE_OXYGEN),
        load(parameters, Param.OXYGEN_REFERENCE),
    )
    rate = load(parameters, Param.LACTATE_DECAY) + load(parameters, Param.LACTATE_WASHOUT) * flow
    rest = load(parameters, Param.LACTATE_REST)
    lactate = lag(load(states, DriveState.LACTATE_MMOL_L), rest + made / rate, exp2(rate * (-LOG2_E * dt_s)))
    # Pools with a constant lag: dG/dt = in − G/τ tends to in·τ.
    algesics = load(parameters, Param.ALGESIC_GAIN) * larger(lactate - rest, 0.0)
    algesics = lag(
        load(states, DriveState.ALGESICS),
        algesics * load(parameters, Param.ALGESIC_LAG),
        load(factors, Factor.ALGESIC),
    )
    inflamed = load(parameters, Param.INFLAMMATION_GAIN) * larger(
        algesics - load(parameters, Param.INFLAMMATION_THRESHOLD), 0.0
    )
    inflammation = lag(
        load(states, DriveState.INFLAMMATION),
        inflamed * load(parameters, Param.INFLAMMATION_LAG),
        load(factors, Factor.INFLAMMATION),
    )
    store(states, DriveState.OXYGENATION, oxygen)
    store(states, DriveState.LACTATE_MMOL_L, lactate)
    store(states, DriveState.ALGESICS, algesics)
    store(states, DriveState.INFLAMMATION, inflammation)


@njit(cache=True)
def _couple(parameters: FloatArray, states: FloatArray, coupling: FloatArray) -> None:
    """Write everything that the heat balance hears but the set point."""
    factor, heat = load(parameters, Param.FLOW_FACTOR), load(parameters, Param.HEAT_GAIN)
    for k in range(2):
        store(coupling, Coupling.MUSCLE_HEAT_DEEP_W_KG + k, heat * load(states, DriveState.ACTIVITY_DEEP + k))
        store(coupling, Coupling.MUSCLE_FLOW_DEEP + k, factor * load(states, DriveState.FLOW_DEEP + k))
    release, alpha = load(states, DriveState.RELEASE), load(parameters, Param.ALPHA_GAIN)
    most = load(parameters, Param.TONE_LOSS_MOST)
    hyperthermia = load(parameters, Param.STRESS_HEAT)
    extra = hyperthermia * load(parameters, Param.STRESS_HEAT_CONSTRICTION)
    acral = constriction(release, load(parameters, Param.CONSTRICTION_ACRAL) + extra, alpha, most)
    neck = constriction(release, load(parameters, Param.CONSTRICTION_NECK), alpha, most)
    body = constriction(release, load(parameters, Param.CONSTRICTION_NON_ACRAL), alpha, most)
    for patch in _ACRAL:
        store(coupling, Coupling.CONSTRICTION + patch, acral)
        store(coupling, Coupling.DILATION + patch, 0.0)
    for patch in _ELSEWHERE:
        store(coupling, Coupling.CONSTRICTION + patch, body)
        store(coupling, Coupling.DILATION + patch, 0.0)
    for patch in _FACE_AND_NECK:
        store(coupling, Coupling.CONSTRICTION + patch, neck)
    store(coupling, Coupling.EXTRA_HEAT_W, hyperthermia * load(parameters, Param.STRESS_HEAT_POWER) * release)
    flash, flush = load(states, DriveState.FLASH), load(states, DriveState.FLUSH)
    opening = (1.0 + load(parameters, Param.FLASH_SHUNT) * flash) / (1.0 + acral)
    store(coupling, Coupling.SHUNT_OPENING_FACTOR, opening)
    sweat = 1.0 + load(parameters, Param.SWEAT_SHARE) * (load(states, DriveState.SKIN_NERVE) - 1.0)
    store(coupling, Coupling.SWEAT_FACTOR, sweat + load(parameters, Param.FLASH_SWEAT) * flash)
    hot = load(parameters, Param.FLASH_DILATION) * flash
    needle = load(parameters, Param.NEEDLE_DILATION) * load(states, DriveState.NEEDLE_SKIN)
    inflamed = load(parameters, Param.INFLAMMATION_DILATION) * load(states, DriveState.INFLAMMATION)
    nape = load(parameters, Param.FLUSH_NAPE) * flush + hot + needle + inflamed
    store(coupling, Coupling.DILATION + _HEAD, load(parameters, Param.FLUSH_HEAD) * flush + hot)
    store(coupling, Coupling.DILATION + _CHEST, load(parameters, Param.FLUSH_CHEST) * flush + hot)
    store(coupling, Coupling.DILATION + NECK, flush + hot)
    store(coupling, Coupling.DILATION + NAPE, nape)


@njit(cache=True)
def sensation_step(
    inputs: FloatArray,
    parameters: FloatArray,
    factors: FloatArray,
    thermal: FloatArray,
    states: FloatArray,
    coupling: FloatArray,
    senses: FloatArray,
    dt_s: float,
) -> None:
    """Advance the senses by a step; of all arrays only `senses` is written.

    `thermal` is that of this step's end; the other arguments are as in `drives_step`.
    """
    _sensitise(inputs, parameters, factors, states, senses, dt_s)
    warmth = _warmth(inputs, parameters, factors, thermal, coupling, senses, dt_s)
    peripheral, central = load(senses, SensationState.PERIPHERAL), load(senses, SensationState.CENTRAL)
    amplified = warmth * load(parameters, Param.FELT_SENSITISED) * (peripheral + central) * 0.5
    ectopic = load(parameters, Param.FELT_ECTOPIC) * load(senses, SensationState.ECTOPIC)
    tender = load(parameters, Param.FELT_PERIPHERAL) * load(parameters, Param.ATTENTION) * peripheral
    total = warmth + amplified + ectopic + tender
    share = felt_share(total)
    store(senses, SensationState.FELT_HEAT, total * share)
    store(senses, SensationState.FELT_THERMAL, warmth * share)
    store(senses, SensationState.FELT_AMPLIFIED, amplified * share)
    store(senses, SensationState.FELT_ECTOPIC, ectopic * share)
    store(senses, SensationState.FELT_PERIPHERAL, tender * share)


@njit(cache=True)
def _sensitise(
    inputs: FloatArray,
    parameters: FloatArray,
    factors: FloatArray,
    states: FloatArray,
    senses: FloatArray,
    dt_s: float,
) -> None:
    algesics, rate = load(states, DriveState.ALGESICS), load(parameters, Param.SENSITISATION_RATE)
    half, amplification = load(parameters, Param.PAIN_HALF), load(parameters, Param.PAIN_CENTRAL)
    drive = (
        rate * load(parameters, Param.PERIPHERAL_GAIN) * saturation(algesics, load(parameters, Param.PERIPHERAL_HALF))
    )
    peripheral = sensitised(
        load(senses, SensationState.PERIPHERAL), drive, load(parameters, Param.PERIPHERAL_LAG), dt_s
    )
    central = load(senses, SensationState.CENTRAL)
    hurt = pain(algesics, central, half, amplification) * 0.1
    burden = hurt + load(parameters, Param.CENTRAL_LOAD) * load(states, DriveState.LOAD)
    drive = rate * load(parameters, Param.CENTRAL_GAIN) * burden
    central = sensitised(central, drive, load(parameters, Param.CENTRAL_LAG), dt_s)
    needle = load(inputs, Input.NEEDLE)
    central = needled(
        central,
        smaller(larger(needle - 1.0, 0.0), 1.0),
        smaller(needle, 1.0),
        load(parameters, Param.ACUPUNCTURE_EFFECT),
        load(parameters, Param.ACUPUNCTURE_CONTEXT),
        load(parameters, Param.PAIN_SPREAD),
        load(parameters, Param.ACUPUNCTURE_COURSE),
    )
    ectopic = load(inputs, Input.NERVE_COMPRESSION) * load(parameters, Param.ECTOPIC_GAIN)
    ectopic = lag(load(senses, SensationState.ECTOPIC), ectopic, load(factors, Factor.ECTOPIC))
    threshold = pressure_pain_threshold(
        peripheral,
        central,
        load(parameters, Param.PPT_REST),
        load(parameters, Param.PPT_PERIPHERAL),
        load(parameters, Param.PPT_CENTRAL),
        load(parameters, Param.PPT_FLOOR),
    )
    store(senses, SensationState.PERIPHERAL, peripheral)
    store(senses, SensationState.CENTRAL, central)
    store(senses, SensationState.ECTOPIC, ectopic)
    store(senses, SensationState.PPT_KPA, threshold)
    store(senses, SensationState.PAIN, pain(algesics, central, half, amplification))


@njit(cache=True)
def _warmth(
    inputs: FloatArray,
    parameters: FloatArray,
    factors: FloatArray,
    thermal: FloatArray,
    coupling: FloatArray,
    senses: FloatArray,
    dt_s: float,
) -> FloatArray:
    """Update adaptation and feeling and return the heat in it. Set points move with fever, clock and hot flash."""
    shift = load(coupling, Coupling.SET_POINT_SHIFT_K)
    nape, core = load(thermal, Thermal.NAPE_SKIN_C), load(thermal, Thermal.CORE_C)
    mean = load(thermal, Thermal.MEAN_SKIN_C)
    nape_set, mean_set = load(thermal, Thermal.NAPE_SET_C) + shift, load(thermal, Thermal.MEAN_SET_C) + shift
    floor, kept = load(parameters, Param.ADAPTATION_FLOOR), load(factors, Factor.ADAPTATION)
    nape_adapted = lag(load(senses, SensationState.NAPE_ADAPTED_K), adaptable_k(nape, nape_set, floor), kept)
    mean_adapted = lag(load(senses, SensationState.MEAN_ADAPTED_K), adaptable_k(mean, mean_set, floor), kept)
    store(senses, SensationState.NAPE_ADAPTED_K, nape_adapted)
    store(senses, SensationState.MEAN_ADAPTED_K, mean_adapted)
    dulled = 1.0 - load(parameters, Param.COMPRESSION_LOSS) * load(inputs, Input.NERVE_COMPRESSION)
    warm = load(parameters, Param.WARM_GAIN)
    feeling = static_feeling(
        nape - nape_set + nape_adapted,
        mean - mean_set + mean_adapted,
        warm * dulled,
        load(parameters, Param.COOL_GAIN) * dulled,
        load(parameters, Param.MEAN_GAIN),
    )
    feeling = feeling + dynamic_feeling(
        (nape - load(senses, SensationState.NAPE_SKIN_C)) / dt_s,
        (core - load(senses, SensationState.CORE_C)) / dt_s,
        load(parameters, Param.DYNAMIC_WARM),
        load(parameters, Param.DYNAMIC_COOL),
        load(parameters, Param.DYNAMIC_CORE),
    )
    store(senses, SensationState.NAPE_SKIN_C, nape)
    store(senses, SensationState.CORE_C, core)
    store(senses, SensationState.THERMAL_FEELING, feeling)
    return felt_warmth(feeling, warm, load(parameters, Param.WARM_THRESHOLD))


@njit(cache=True)
def run_block(
    dt_s: FloatArray,
    shared: FloatArray,
    where: IntArray,
    own: FloatArray,
    parameters: FloatArray,
    thermal: FloatArray,
    out_states: FloatArray,
    out_coupling: FloatArray,
    out_senses: FloatArray,
) -> None:
    """Run a block through all steps at given temperatures; see `unaji.body.forcing.Packed` for the inputs."""
    inputs = np.empty((N_INPUTS, WIDTH))
    factors = np.empty((N_FACTORS, WIDTH))
    past = np.zeros((N_PAST, WIDTH))
    recent = np.full(1 + N_PAST, dt_s[0])
    factors_of = np.zeros(1 + N_PAST)
    states, coupling, senses = out_states[0].copy(), out_coupling[0].copy(), out_senses[0].copy()
    for t in range(dt_s.size):
        for k in range(N_INPUTS):
            if where[k] >= 0:
                inputs[k] = shared[where[k], t]
            else:
                inputs[k] = own[-where[k] - 1, t]
        if t == 0:
            start_drives(inputs, parameters, states, past)
            start_senses(thermal[0], senses)
        else:
            for j in range(N_PAST, 0, -1):
                recent[j] = recent[j - 1]
            recent[0] = dt_s[t]
        if np.any(factors_of != recent):
            fill_factors(parameters, recent, factors)
            factors_of[:] = recent
        drives_step(inputs, parameters, factors, thermal[max(t - 1, 0)], past, states, coupling, dt_s[t])
        sensation_step(inputs, parameters, factors, thermal[t], states, coupling, senses, dt_s[t])
        out_states[t], out_coupling[t], out_senses[t] = states, coupling, senses

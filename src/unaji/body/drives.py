"""How do stress, emotion, weather, fever and the clock reach vessels, heart and set point?

First the names of what this part of the model keeps (`Param`, `DriveState`, `Factor`) and hears of the heat balance
(`Thermal`), then its equations, one small function each, then `run_drives`, which runs this part alone at given
temperatures. The loops are in `unaji.body._kernels_drives`.

The functions compute with `Lanes`, eight persons at once (see `unaji.body._lanes`), and are plain NumPy through
``.py_func``. Arousal and its outflows are 0 to 1 or relative to rest; a decay is the share of a deviation that is left
after the step, exp(−dt/τ).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import pi

import numpy as np
from numba import njit

from unaji.body._lanes import WIDTH, exp2, larger, log2, or_else, smaller
from unaji.body.forcing import Forcing
from unaji.body.layout import N_COUPLINGS, Coupling
from unaji.body.persons import Persons
from unaji.body.sensation import LOG2_E, N_SENSATION_STATES, SensationState
from unaji.claims.parameters import UNITS, Parameters, default_parameters
from unaji.records.timeline import FloatArray

N_PAST = 5
"""Past steps that the delay between nerve and vessel remembers: enough for 4.5 s in steps of 0.9 s or more."""

MIN_STEP_S, MAX_STEP_S = 1.0, 600.0


class Param(IntEnum):
    """Rows of the parameters: as in ``parameters.toml``, then the person's own figures. Times are in seconds."""

    # drives
    AROUSAL_RISE = 0
    AROUSAL_FALL = 1
    TONIC_LAG = 2
    DAY_LAG = 3
    LOAD_LAG = 4
    EMOTION_WEIGHT = 5
    ACUTE_SHARE = 6
    REACTIVITY = 7
    CONSTRICTION_ACRAL = 8
    CONSTRICTION_NON_ACRAL = 9
    CONSTRICTION_NECK = 10
    ALPHA_GAIN = 11
    TONE_LOSS_MOST = 12
    JUNCTION_DELAY = 13
    JUNCTION_LAG = 14
    MUSCLE_NERVE_GAIN = 15
    HEART_NERVE_GAIN = 16
    HEART_TONIC_SHARE = 17
    VAGAL_WITHDRAWAL = 18
    LOAD_VAGAL = 19
    SLEEP_VAGAL = 20
    SUDOMOTOR_GAIN = 21
    SUDOMOTOR_ONSET = 22
    ONSET_FADE = 23
    SWEAT_SHARE = 24
    NA_CLEARANCE = 25
    NA_RELEASE = 26
    NA_HALF_LIFE = 27
    NA_GAIN = 28
    ADRENALINE_GAIN = 29
    ADRENALINE_LAG = 30
    STROKE_VOLUME_REST = 31
    STROKE_VOLUME_WORK = 32
    STROKE_VOLUME_HEAT = 33
    HEART_NERVE_WEIGHT = 34
    HEART_VAGAL_WEIGHT = 35
    HEART_AGE_LOSS = 36
    RMSSD_REST = 37
    RMSSD_AGE = 38
    RMSSD_NERVE = 39
    RMSSD_VAGAL = 40
    FLUSH_GAIN = 41
    FLUSH_NAPE = 42
    FLUSH_HEAD = 43
    FLUSH_CHEST = 44
    FLUSH_RISE = 45
    FLUSH_FALL = 46
    PRESSURE_GAIN = 47
    PRESSURE_LAG = 48
    PRESSURE_THRESHOLD = 49
    FEVER_LAG = 50
    CIRCADIAN_HALF_RANGE = 51
    CIRCADIAN_NADIR = 52
    STRESS_HEAT = 53
    STRESS_HEAT_POWER = 54
    STRESS_HEAT_CONSTRICTION = 55
    FLASH_RISE = 56
    FLASH_FALL = 57
    FLASH_DILATION = 58
    FLASH_SHUNT = 59
    FLASH_SET_POINT = 60
    FLASH_SWEAT = 61
    FLASH_HEART = 62
    NEEDLE_DILATION = 63
    NEEDLE_SKIN_FADE = 64
    NEEDLE_MUSCLE_FLOW = 65
    NEEDLE_MUSCLE_FADE = 66
    # muscle
    HEAD_MASS_SHARE = 67
    HEAD_HEIGHT = 68
    NECK_STRENGTH = 69
    NECK_STRENGTH_WOMEN = 70
    PASSIVE_BASE = 71
    PASSIVE_START = 72
    PASSIVE_END = 73
    PASSIVE_FLEXED = 74
    STRESS_ACTIVITY = 75
    DEEP_SHARE = 76
    FLOW_FACTOR = 77
    FLOW_GAIN = 78
    FLOW_POWER = 79
    ADRENALINE_FLOW = 80
    MUSCLE_ALPHA = 81
    FLOW_RISE = 82
    FLOW_FALL = 83
    OCCLUSION_START = 84
    OCCLUSION_END = 85
    OCCLUSION_MOST = 86
    HYPERAEMIA_GAIN = 87
    HYPERAEMIA_LAG = 88
    HEAT_GAIN = 89
    OXYGEN_ARTERIAL = 90
    OXYGEN_USE = 91
    OXYGEN_WORK = 92
    OXYGEN_LAG = 93
    OXYGEN_REFERENCE = 94
    LACTATE_REST = 95
    LACTATE_GAIN = 96
    LACTATE_OXYGEN = 97
    LACTATE_DECAY = 98
    LACTATE_WASHOUT = 99
    ALGESIC_GAIN = 100
    ALGESIC_LAG = 101
    INFLAMMATION_GAIN = 102
    INFLAMMATION_THRESHOLD = 103
    INFLAMMATION_LAG = 104
    INFLAMMATION_DILATION = 105
    # sensation
    WARM_GAIN = 106
    COOL_GAIN = 107
    MEAN_GAIN = 108
    DYNAMIC_WARM = 109
    DYNAMIC_COOL = 110
    DYNAMIC_CORE = 111
    WARM_THRESHOLD = 112
    ADAPTATION_LAG = 113
    ADAPTATION_FLOOR = 114
    SENSITISATION_RATE = 115
    PERIPHERAL_GAIN = 116
    PERIPHERAL_HALF = 117
    PERIPHERAL_LAG = 118
    CENTRAL_GAIN = 119
    CENTRAL_LOAD = 120
    CENTRAL_LAG = 121
    ECTOPIC_GAIN = 122
    ECTOPIC_LAG = 123
    COMPRESSION_LOSS = 124
    PPT_REST = 125
    PPT_PERIPHERAL = 126
    PPT_CENTRAL = 127
    PPT_FLOOR = 128
    PAIN_HALF = 129
    PAIN_CENTRAL = 130
    FELT_SENSITISED = 131
    FELT_ECTOPIC = 132
    FELT_PERIPHERAL = 133
    ATTENTION = 134
    ACUPUNCTURE_EFFECT = 135
    ACUPUNCTURE_CONTEXT = 136
    ACUPUNCTURE_COURSE = 137
    PAIN_SPREAD = 138
    # the person
    AGE_Y = 139
    WEIGHT_KG = 140
    SURFACE_M2 = 141
    FEMALE = 142


N_PARAMS = len(Param)
PARAMETER_NAMES = tuple(p.name.lower() for p in Param if p < Param.AGE_Y)
"""Parameters that this part of the model reads, in the order of `Param`."""


class DriveState(IntEnum):
    """What nerves, hormones, heart and muscle are doing; nothing of what is felt is among it."""

    AROUSAL = 0
    ONSET = 1  # arousal as of half a minute ago, against which an onset stands out
    TONIC = 2
    STRESS_DAY = 3  # mean of stress over about a day
    LOAD = 4
    PRESSURE_HPA = 5  # of the last step
    PRESSURE_FALL_HPA_H = 6  # filtered
    RELEASE = 7  # noradrenaline at the vessels above rest, before each region's gain
    PLASMA_NA_NMOL_L = 8
    ADRENALINE = 9  # relative to rest
    FLUSH = 10
    FEVER_K = 11
    FLASH = 12
    NEEDLE_SKIN = 13
    NEEDLE_MUSCLE = 14
    FLOW_DEEP = 15  # relative to rest
    FLOW_SUPERFICIAL = 16
    DEBT_DEEP = 17  # of flow, after contractions that stopped it
    DEBT_SUPERFICIAL = 18
    OXYGENATION = 19  # the rest of the muscle's states belong to the superficial one
    LACTATE_MMOL_L = 20
    ALGESICS = 21
    INFLAMMATION = 22
    # Computed afresh in every step, kept to be read.
    SKIN_NERVE = 23  # sudomotor outflow relative to rest, which also stands for skin conductance
    VAGAL = 24  # relative to rest
    HEART_RATE_BPM = 25
    RMSSD_MS = 26
    STROKE_VOLUME_ML = 27
    ACTIVITY_DEEP = 28  # share of the strongest contraction
    ACTIVITY_SUPERFICIAL = 29  # what an EMG would show


N_DRIVE_STATES = len(DriveState)


class Thermal(IntEnum):
    """What the heat balance tells: after its last step to the drives, after this step to the senses."""

    CARDIAC_OUTPUT_L_MIN = 0
    METABOLIC_W = 1
    NAPE_SKIN_C = 2
    MEAN_SKIN_C = 3
    CORE_C = 4
    NAPE_SET_C = 5  # the set points of the neutral person, without `Coupling.SET_POINT_SHIFT_K`
    MEAN_SET_C = 6


N_THERMAL = len(Thermal)

LAGS = (
    Param.AROUSAL_RISE, Param.AROUSAL_FALL, Param.TONIC_LAG, Param.DAY_LAG, Param.LOAD_LAG, Param.ONSET_FADE,
    Param.ADRENALINE_LAG, Param.FLUSH_RISE, Param.FLUSH_FALL, Param.PRESSURE_LAG, Param.FEVER_LAG, Param.FLASH_RISE,
    Param.FLASH_FALL, Param.NEEDLE_SKIN_FADE, Param.NEEDLE_MUSCLE_FADE, Param.FLOW_RISE, Param.FLOW_FALL,
    Param.HYPERAEMIA_LAG, Param.ALGESIC_LAG, Param.INFLAMMATION_LAG, Param.ECTOPIC_LAG, Param.ADAPTATION_LAG,
)  # fmt: skip
"""Time constants in the order of the first rows of `Factor`."""


class Factor(IntEnum):
    """Decays over a step, computed once for each length of step: the first ones for `LAGS`."""

    AROUSAL_RISE = 0
    AROUSAL_FALL = 1
    TONIC = 2
    DAY = 3
    LOAD = 4
    ONSET = 5
    ADRENALINE = 6
    FLUSH_RISE = 7
    FLUSH_FALL = 8
    PRESSURE = 9
    FEVER = 10
    FLASH_RISE = 11
    FLASH_FALL = 12
    NEEDLE_SKIN = 13
    NEEDLE_MUSCLE = 14
    FLOW_RISE = 15
    FLOW_FALL = 16
    HYPERAEMIA = 17
    ALGESIC = 18
    INFLAMMATION = 19
    ECTOPIC = 20
    ADAPTATION = 21
    PLASMA = 22
    RELEASE = 23  # the first of 1 + N_PAST: while the outflow of this step, of the last, ... arrives


N_FACTORS = Factor.RELEASE + 1 + N_PAST


# -- lags --------------------------------------------------------------------------------------------------------------


@njit(cache=True)
def lag(value: FloatArray, target: FloatArray, decay: FloatArray) -> FloatArray:
    """Relax towards a target held over the step: the exact solution of dx/dt = (target − x)/τ."""
    return target + (value - target) * decay


@njit(cache=True)
def two_way_lag(value: FloatArray, target: FloatArray, rise_decay: FloatArray, fall_decay: FloatArray) -> FloatArray:
    """Relax towards a target held over the step, with one time constant upwards and another downwards, exactly."""
    gap = target - value
    return value + larger(gap, 0.0) * (1.0 - rise_decay) + smaller(gap, 0.0) * (1.0 - fall_decay)


@njit(cache=True)
def decay_over(duration_s: FloatArray, lag_s: FloatArray) -> FloatArray:
    """Return exp(−duration/lag)."""
    decay: FloatArray = exp2(larger((duration_s / lag_s) * -LOG2_E, -1000.0))
    return decay


# -- arousal and its outflows ------------------------------------------------------------------------------------------


@njit(cache=True)
def barometric_drive(fall_hpa_h: FloatArray, gain: FloatArray, threshold: FloatArray) -> FloatArray:
    """Return arousal by falling air pressure, 0 to 1: gain · (−dp/dt − threshold), with the slope filtered.

    The gain is 0 by default: people did not react to 20 and 40 hPa in 8 min (Funakubo et al. 2021), and weather is a
    hundred times slower.
    """
    return smaller(gain * larger(fall_hpa_h - threshold, 0.0), 1.0)


@njit(cache=True)
def arousal_target(
    stress: FloatArray, emotion: FloatArray, barometric: FloatArray, emotion_weight: FloatArray
) -> FloatArray:
    """Return what arousal tends to: stress + k_e · emotion + barometric drive, at most 1."""
    return smaller(stress + emotion_weight * emotion + barometric, 1.0)


@njit(cache=True)
def outflow(arousal: FloatArray, tonic: FloatArray, acute_share: FloatArray, reactivity: FloatArray) -> FloatArray:
    """Return the vasoconstrictor outflow above rest, x = ρ (k a + (1 − k) b), before each region's gain."""
    return reactivity * (acute_share * arousal + (1.0 - acute_share) * tonic)


@njit(cache=True)
def skin_nerve(
    arousal: FloatArray, onset: FloatArray, reactivity: FloatArray, gain: FloatArray, onset_gain: FloatArray
) -> FloatArray:
    """Return the activity of a skin nerve relative to rest: S = 1 + ρ (g_e a + g_on (a − a_30s)₊).

    The second term is an addition to a plain 1 + g a, which cannot give +184 % in the first 10 s of mental arithmetic
    and +87 % over 3 min (Muller, Sauder & Ray 2013, doi:10.1002/phy2.2): a nerve answers a change most.
    """
    return 1.0 + reactivity * (gain * arousal + onset_gain * larger(arousal - onset, 0.0))


@njit(cache=True)
def constriction(release: FloatArray, gain: FloatArray, alpha: FloatArray, loss_most: FloatArray) -> FloatArray:
    """Return what noradrenaline adds to 1 + γ S in the denominator of skin flow: α (N − 1) = α g x.

    Not cut off at 0: a negative gain is a region from which resting tone is withdrawn, as the forearm may be
    (conductance +31 % in mental arithmetic, Heffernan et al. 2013). Never below −`loss_most`: with 0.5, flow at most
    doubles.
    """
    return larger(alpha * gain * release, 0.0 - loss_most)


@njit(cache=True)
def plasma_noradrenaline_target(
    outflow_above_rest: FloatArray, release: FloatArray, clearance: FloatArray, gain: FloatArray
) -> FloatArray:
    """Return what plasma noradrenaline tends to [nmol/L]: (R0/CL) (1 + g x), with a half-life of V ln 2/CL.

    Release and clearance: infusion study of noradrenaline in relation to age (read in its abstract). The pool is a
    marker: no vessel listens to it.
    """
    return release / clearance * (1.0 + gain * outflow_above_rest)


# -- set point ---------------------------------------------------------------------------------------------------------


_ROUND = 1.5 * 2.0**52
"""Adding and subtracting it rounds to the nearest whole number."""


@njit(cache=True)
def sine(x: FloatArray) -> FloatArray:
    """Return the sine of |x| ≤ π/2 to 1e-13, by its series."""
    x2 = x * x
    series = x2 * (1 / 355687428096000.0) - 1 / 1307674368000.0
    series = series * x2 + 1 / 6227020800.0
    series = series * x2 - 1 / 39916800.0
    series = series * x2 + 1 / 362880.0
    series = series * x2 - 1 / 5040.0
    series = series * x2 + 1 / 120.0
    series = series * x2 - 1 / 6.0
    return x + x * x2 * series


@njit(cache=True)
def circadian_shift(hour: FloatArray, half_range_k: FloatArray, nadir_hour: FloatArray) -> FloatArray:
    """Return the day's shift of the set point [K]: −A cos(2π (h − h_nadir)/24); 0 where there is no clock (NaN).

    Core temperature follows with the body's own inertia, and is lowest an hour and a half after its set point.
    """
    turns = (hour - nadir_hour) * (1.0 / 24.0)
    nearest = (turns + _ROUND) - _ROUND
    s = sine((turns - nearest) * pi)
    shift: FloatArray = or_else(half_range_k * (2.0 * s * s - 1.0), 0.0)
    return shift


# -- heart -------------------------------------------------------------------------------------------------------------


@njit(cache=True)
def stroke_volume(
    metabolic_w: FloatArray,
    mean_skin_c: FloatArray,
    surface_m2: FloatArray,
    rest_ml: FloatArray,
    work_ml: FloatArray,
    heat_ml_k: FloatArray,
) -> FloatArray:
    """Return the stroke volume [mL] of a body of this surface, at this metabolism and skin temperature.

    SV = A/1.87 (SV_r + f (SV_w − SV_h · (T_sk − 33))), where the skin counts from 33 to 38 °C and f rises from 0 at an
    oxygen uptake of 0.5 L/min (or 341 W each L/min) to 1 at 2 L/min. SCENARIO has 85 mL at rest, +45 mL at work and
    5 mL/K (Kraning & Gonzalez 1997, J Therm Biol 22:331-342, as it is programmed in public versions of it; the paper
    itself was not at hand); it scales rest with body surface and a cardiac index, hence A/1.87.
    """
    work = smaller(larger((metabolic_w * (1 / 341.0) - 0.5) * (1 / 1.5), 0.0), 1.0)
    heat = smaller(larger(mean_skin_c - 33.0, 0.0), 5.0)
    return surface_m2 * (1 / 1.87) * (rest_ml + work * (work_ml - heat_ml_k * heat))


@njit(cache=True)
def heart_reactivity(age_y: FloatArray, loss_per_year: FloatArray, reactivity: FloatArray) -> FloatArray:
    """Return how strongly the heart reacts: half as much at 62 as at 27 years (Heffernan et al. 2013)."""
    return reactivity * smaller(larger(1.0 - loss_per_year * (age_y - 27.0), 0.1), 1.2)


@njit(cache=True)
def vagal_tone(
    arousal: FloatArray,
    load: FloatArray,
    asleep: FloatArray,
    withdrawal: FloatArray,
    load_loss: FloatArray,
    sleep_gain: FloatArray,
) -> FloatArray:
    """Return vagal tone relative to rest: (1 − g_v a)(1 − k_L L) + sleep, never below 0.05."""
    return larger((1.0 - withdrawal * arousal) * (1.0 - load_loss * load) + sleep_gain * asleep, 0.05)


@njit(cache=True)
def heart_rate(
    cardiac_output_l_min: FloatArray,
    stroke_volume_ml: FloatArray,
    nerve: FloatArray,
    vagal: FloatArray,
    nerve_weight: FloatArray,
    vagal_weight: FloatArray,
    flash: FloatArray,
    age_y: FloatArray,
) -> FloatArray:
    """Return the heart rate [beats/min]: CO/SV (1 + k_S (S_h − 1) − k_V (V − 1)) and the hot flash, 40 to 220 − age.

    `flash` is the share by which a hot flash raises it.
    """
    demand = cardiac_output_l_min * 1000.0 / stroke_volume_ml
    drive = 1.0 + nerve_weight * (nerve - 1.0) - vagal_weight * (vagal - 1.0)
    return smaller(larger(demand * drive * (1.0 + flash), 40.0), 220.0 - age_y)


@njit(cache=True)
def rmssd(
    nerve: FloatArray,
    vagal: FloatArray,
    age_y: FloatArray,
    rest_ms: FloatArray,
    loss_per_year: FloatArray,
    nerve_loss: FloatArray,
    vagal_power: FloatArray,
) -> FloatArray:
    """Return RMSSD [ms]: R0 exp(−k_R (age − 30) − k_h (S_h − 1)) V^n."""
    exponent = loss_per_year * (30.0 - age_y) - nerve_loss * (nerve - 1.0)
    share: FloatArray = exp2(exponent * LOG2_E + vagal_power * log2(vagal))
    return rest_ms * share


# -- this part of the model alone --------------------------------------------------------------------------------------

NEUTRAL_C = {
    Thermal.NAPE_SKIN_C: 35.1,
    Thermal.MEAN_SKIN_C: 34.5,
    Thermal.CORE_C: 36.8,
    Thermal.NAPE_SET_C: 35.1,
    Thermal.MEAN_SET_C: 34.5,
}
"""Temperatures at which `run_drives` holds the body: those of a neutral, sitting person in JOS-3 [°C]."""

RESTING_W_M2 = 47.0
"""Metabolism of an awake person at rest per body surface, basal figure of JOS-3's standard body [W/m²]."""


@dataclass(frozen=True, eq=False, slots=True)
class DriveCourse:
    """The course of nerves, muscle and sensation.

    Attributes
    ----------
    end_s : ndarray, shape (n_steps,)
        End of each step since the start.
    states : ndarray, shape (n_steps, N_DRIVE_STATES, n_persons)
    coupling : ndarray, shape (n_steps, N_COUPLINGS, n_persons)
    sensation : ndarray, shape (n_steps, N_SENSATION_STATES, n_persons)
    """

    end_s: FloatArray
    states: FloatArray
    coupling: FloatArray
    sensation: FloatArray

    def __getitem__(self, channel: DriveState | SensationState | Coupling) -> FloatArray:
        """Return the course of one channel, shape (n_steps, n_persons)."""
        if isinstance(channel, DriveState):
            return np.asarray(self.states[:, channel])
        if isinstance(channel, SensationState):
            return np.asarray(self.sensation[:, channel])
        return np.asarray(self.coupling[:, channel])


def surface_m2(persons: Persons) -> FloatArray:
    """Return body surface by Du Bois & Du Bois 1916 [m²], shape (n_persons,)."""
    return np.asarray(0.202 * persons.weight_kg**0.425 * persons.height_m**0.725)


def parameter_rows(parameters: Parameters, persons: Persons) -> FloatArray:
    """Return the parameters of every person in the units of the model, shape (N_PARAMS, n_persons).

    A person's trait of a parameter's name stands in its place, in the unit of ``parameters.toml``.
    """
    rows = np.empty((N_PARAMS, len(persons)))
    for k, name in enumerate(PARAMETER_NAMES):
        parameter = parameters[name]
        rows[k] = persons.trait(name, parameter.value) * UNITS[parameter.unit]
    rows[Param.AGE_Y] = persons.age_y
    rows[Param.WEIGHT_KG] = persons.weight_kg
    rows[Param.SURFACE_M2] = surface_m2(persons)
    rows[Param.FEMALE] = persons.female
    return rows


def neutral_thermal(persons: Persons) -> FloatArray:
    """Return what the heat balance would tell of neutral persons at rest, shape (N_THERMAL, n_persons)."""
    surface = surface_m2(persons)
    thermal = np.empty((N_THERMAL, len(persons)))
    thermal[Thermal.CARDIAC_OUTPUT_L_MIN] = persons.cardiac_index_l_min_m2 * surface
    thermal[Thermal.METABOLIC_W] = RESTING_W_M2 * surface
    for channel, value in NEUTRAL_C.items():
        thermal[channel] = value
    return thermal


def run_drives(
    forcing: Forcing,
    persons: Persons | None = None,
    parameters: Parameters | None = None,
    *,
    thermal: FloatArray | None = None,
) -> DriveCourse:
    """Run nerves, heart, muscle and sensation alone, at temperatures that are given.

    Parameters
    ----------
    forcing : Forcing
        Inputs and steps; each step within `MIN_STEP_S` and `MAX_STEP_S`.
    persons : Persons, optional
        The standard body when not given.
    parameters : Parameters, optional
        The defaults when not given.
    thermal : ndarray, shape (N_THERMAL, n_persons) or (n_steps, N_THERMAL, n_persons), optional
        What the heat balance would tell, held or step by step; `neutral_thermal` when not given.
    """
    from unaji.body._kernels_drives import run_block  # noqa: PLC0415  (compiled on first use)

    persons = Persons.standard() if persons is None else persons
    forcing.check_persons(len(persons))
    if forcing.dt_s.min() < MIN_STEP_S or forcing.dt_s.max() > MAX_STEP_S:
        raise ValueError(f"each step must be {MIN_STEP_S:g} to {MAX_STEP_S:g} s long")
    rows = parameter_rows(default_parameters() if parameters is None else parameters, persons)
    told = neutral_thermal(persons) if thermal is None else thermal
    told = np.broadcast_to(told, (forcing.n_steps, N_THERMAL, len(persons)))
    packed, n = forcing.packed(), len(persons)
    wholes = [np.empty((forcing.n_steps, k, n)) for k in (N_DRIVE_STATES, N_COUPLINGS, N_SENSATION_STATES)]
    for first in range(0, n, WIDTH):
        block = np.minimum(np.arange(first, first + WIDTH), n - 1)  # the last person fills up the last block
        parts = [np.empty((forcing.n_steps, whole.shape[1], WIDTH)) for whole in wholes]
        own = packed.own[..., block] if packed.own.size else np.empty((0, forcing.n_steps, WIDTH))
        lanes = (np.ascontiguousarray(channels) for channels in (own, rows[:, block], told[..., block]))
        run_block(packed.dt_s, packed.shared, packed.where, *lanes, *parts)
        for whole, part in zip(wholes, parts, strict=True):
            whole[..., first : first + WIDTH] = part[..., : n - first]
    return DriveCourse(forcing.end_s, *wholes)

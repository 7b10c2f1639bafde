"""What does the person feel: warmth, pressure pain, pain, and heat that no thermometer shows?

The senses listen to temperatures and to the muscle's algesics and speak to nobody: nothing here reaches a flow, a
temperature or the heart. The equations, one small function each, over eight persons at once (see `unaji.body._lanes`);
the loop that uses them is in `unaji.body._kernels_drives`. Felt heat and pain are 0 to 10.
"""

from __future__ import annotations

from enum import IntEnum
from math import log

from numba import njit

from unaji.body._lanes import exp2, larger, power, smaller
from unaji.records.timeline import FloatArray

LOG2_E = 1.0 / log(2.0)


class SensationState(IntEnum):
    """What is felt, and what decides how it is felt."""

    PERIPHERAL = 0  # sensitisation, 0 to 1
    CENTRAL = 1
    ECTOPIC = 2
    NAPE_SKIN_C = 3  # of the last step, for the speed of warming
    CORE_C = 4
    # Computed afresh in every step, kept to be read.
    PPT_KPA = 5  # pressure-pain threshold
    PAIN = 6
    THERMAL_FEELING = 7  # −4 very cold to 4 very hot, and beyond while the skin warms
    FELT_HEAT = 8  # the sum of the next four
    FELT_THERMAL = 9  # by skin and core temperature
    FELT_AMPLIFIED = 10  # added to it by sensitisation
    FELT_ECTOPIC = 11
    FELT_PERIPHERAL = 12  # by sensitised endings and attention, without warmth
    NAPE_ADAPTED_K = 13  # how far below its set point the nape's skin has come to feel neutral
    MEAN_ADAPTED_K = 14


N_SENSATION_STATES = len(SensationState)


@njit(cache=True)
def adaptable_k(skin_c: FloatArray, set_c: FloatArray, floor_c: FloatArray) -> FloatArray:
    """Return by how much less than its set point skin can come to feel neutral [K]: (set − max(skin, floor))₊.

    Skin that stays between about 30 and 36 °C ends up feeling neither warm nor cool (Kenshalo & Scott 1966, Science
    151:1095, recalled). What is then felt as warm begins a few tenths of a kelvin above the skin's own temperature:
    over 17 parts of the body the two correlate with r = 0.97 (Kwon et al. 2023, J Therm Biol 115:103611). Never below
    0: heat beyond the set point goes on being felt.
    """
    return larger(set_c - larger(skin_c, floor_c), 0.0)


@njit(cache=True)
def static_feeling(
    nape_error_k: FloatArray, mean_error_k: FloatArray, warm: FloatArray, cool: FloatArray, whole: FloatArray
) -> FloatArray:
    """Return the nape's feeling at steady temperatures, −4 to 4.

    4 (2/(1 + exp(−C1 dT − K1 (dT − dM))) − 1), where dT and dM are nape and mean skin above what they are adapted to
    (in the source, above their set points) and C1 differs between warm and cool (Zhang et al. 2010,
    doi:10.1016/j.buildenv.2009.06.018; coefficients recalled).
    """
    z = warm * larger(nape_error_k, 0.0) + cool * smaller(nape_error_k, 0.0) + whole * (nape_error_k - mean_error_k)
    coldness: FloatArray = exp2(smaller(larger(z * -LOG2_E, -100.0), 100.0))
    return 8.0 / (1.0 + coldness) - 4.0


@njit(cache=True)
def dynamic_feeling(
    nape_k_s: FloatArray, core_k_s: FloatArray, warming: FloatArray, cooling: FloatArray, core: FloatArray
) -> FloatArray:
    """Return what the speed of warming adds: C2 dT_nape/dt + C3 dT_core/dt (same source)."""
    return warming * larger(nape_k_s, 0.0) + cooling * smaller(nape_k_s, 0.0) + core * core_k_s


@njit(cache=True)
def felt_warmth(feeling: FloatArray, warm: FloatArray, threshold_k: FloatArray) -> FloatArray:
    """Return the part of the feeling that is heat: what exceeds a warmth of `threshold_k`, which goes unnoticed.

    The slope of the static feeling at neutrality is 2 C1, so the threshold stands at 2 C1 θ. Without it the daily
    course of the set point alone would be felt.
    """
    return larger(feeling - 2.0 * warm * threshold_k, 0.0)


@njit(cache=True)
def sensitised(value: FloatArray, drive_1_s: FloatArray, lag_s: FloatArray, dt_s: float) -> FloatArray:
    """Return a sensitisation after a step: the exact solution of dP/dt = q (1 − P) − P/τ with q held; 0 to 1."""
    rate = drive_1_s + 1.0 / lag_s
    target = drive_1_s / rate
    decay: FloatArray = exp2(larger(rate * (-LOG2_E * dt_s), -1000.0))
    return target + (value - target) * decay


@njit(cache=True)
def saturation(value: FloatArray, half: FloatArray) -> FloatArray:
    """Return x/(x + half), 0 to 1."""
    return value / (value + half)


@njit(cache=True)
def pain(algesics: FloatArray, central: FloatArray, half: FloatArray, amplification: FloatArray) -> FloatArray:
    """Return pain, 0 to 10: 10 y²/(y² + K²) with y = Ga (1 + k Z)."""
    y = algesics * (1.0 + amplification * central)
    return 10.0 * y * y / (y * y + half * half)


@njit(cache=True)
def pressure_pain_threshold(
    peripheral: FloatArray,
    central: FloatArray,
    rest_kpa: FloatArray,
    peripheral_loss: FloatArray,
    central_loss: FloatArray,
    floor_kpa: FloatArray,
) -> FloatArray:
    """Return the pressure-pain threshold [kPa]: PPT0 (1 − k_P P − k_Z Z), never below a floor.

    Healthy trapezius 269 kPa, myalgia 143 kPa (Rosendal et al. 2004, Pain 112:324).
    """
    return larger(rest_kpa * (1.0 - peripheral_loss * peripheral - central_loss * central), floor_kpa)


@njit(cache=True)
def felt_share(total: FloatArray) -> FloatArray:
    """Return the share of a total heat that is felt, so that 0 to 10 is never left: (1 + (y/10)⁴)^(−1/4).

    Nearly 1 up to 5, so that parts of a moderate heat keep their size.
    """
    tenth = total * 0.1
    square = tenth * tenth
    share: FloatArray = power(1.0 + square * square, -0.25)
    return share


@njit(cache=True)
def needled(
    central: FloatArray,
    deep: FloatArray,
    treated: FloatArray,
    effect: FloatArray,
    context: FloatArray,
    spread: FloatArray,
    course: FloatArray,
) -> FloatArray:
    """Return central sensitisation after a needling session.

    A course of n sessions lowers it by its standardised effect times the coefficient of variation of pain; the effect
    against sham (0.53, Fu, Li & Wu 2009) needs a deep needle, that of being treated any needle.
    """
    return central * (1.0 - (deep * effect + treated * context) * spread / course)

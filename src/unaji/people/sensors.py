"""What a simulated person's sensors would have written: heart, skin, steps, posture, air.

Every function returns arrays per bin of the recording, or samples inside it; nothing here knows of files or clocks.
Sizes come from people where they have been measured, and are assumptions where they have not; each says which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from unaji.people.world import BIN_MIN, BINS_PER_HOUR, ou, relax
from unaji.records.timeline import BoolArray, FloatArray

NAPE_AT_22_C = 33.2
"""Skin of the neck in light clothing in still air of 22 °C [°C] (JOS-3 0.5.0)."""
NAPE_PER_K_AIR = 0.26
"""How far it follows the air [K/K] (JOS-3 0.5.0: 30.1 °C at 10 °C, 35.2 °C at 30 °C)."""
NAPE_IN_EXERCISE_K = 1.2
"""Warming of the neck skin in brisk exercise [K] (JOS-3 0.5.0, four times the basal rate at 24 °C)."""
NAPE_PER_K_CORE = 0.7
"""Warming of the neck skin per kelvin of fever [K/K] (JOS-3 0.5.0, raised set points)."""
NAPE_AFTER_HOT_MEAL_K = 0.4
"""Warming after a hot meal, gone in about half an hour [K] (assumed)."""
HIGHEST_SKIN_C = 36.6
"""Blood flow cannot make skin warmer than the blood that reaches it [°C]."""
VASCULAR_K = (0.4, 2.0)
MUSCLE_K = (0.1, 0.6)
"""Range of the rise of an episode by these ways [K]; by the sensory way it is nought."""
NAPE_NOISE_K = 0.2

RMSSD_AT_REST_MS = 42.0
"""RMSSD at 30 years of age at rest [ms]."""
SNIPPET_MIN = 5
SHORTEST_RRI_MS = 260.0
"""What the strap does not report as a beat [ms]."""


@dataclass(frozen=True, eq=False, slots=True)
class Warming:
    """One episode's way, onset and end, in local hours since the first midnight of the recording."""

    pathway: str
    start_h: float
    end_h: float


@dataclass(frozen=True, eq=False, slots=True)
class Snippet:
    """A few minutes of heart beats: end of each interval [s from the snippet's start], interval [ms], gap before it."""

    time_s: FloatArray
    rri_ms: FloatArray
    gap: BoolArray


def heart_rate(
    rng: Generator, arousal: FloatArray, exercising: BoolArray, walking: BoolArray, awake: BoolArray, core_k: FloatArray
) -> FloatArray:
    """Return the mean heart rate of each bin [1/min]; it rises by 9 /min per kelvin of fever."""
    at_rest = np.clip(rng.normal(62, 4), 50, 75)
    return np.asarray(
        at_rest
        + 6 * arousal
        + 42 * relax(exercising.astype(float), 4)
        + 12 * relax((walking & ~exercising).astype(float), 4)
        + 5 * awake
        + 9 * core_k
        + 2 * rng.standard_normal(arousal.size),
        dtype=float,
    ).clip(40, 185)


def step_counts(
    rng: Generator, walking: BoolArray, exercising: BoolArray, sitting: BoolArray, awake: BoolArray
) -> FloatArray:
    """Return the steps in each bin."""
    rate = np.where(sitting, 3.0, 45.0) * awake * (rng.random(awake.size) < 0.6)
    rate = np.where(walking, 480.0, rate)
    rate = np.where(exercising, 720.0, rate)
    return rng.poisson(rate * rng.gamma(8, 1 / 8, awake.size)).astype(float)


def core_rise(awake: BoolArray, fever_bins: slice | None, peak_k: float) -> FloatArray:
    """Return how far the core stands above its usual course: 0 without fever, else a slow climb and fall [K]."""
    ill = np.zeros(awake.size)
    if fever_bins is not None:
        ill[fever_bins] = peak_k
    return relax(ill, 120)


def usual_core(n_bins: int) -> FloatArray:
    """Return the core temperature over a healthy day: half range 0.35 K, lowest at 04:30 [°C]."""
    hour = np.arange(n_bins) / BINS_PER_HOUR
    return np.asarray(36.75 - 0.35 * np.cos(2 * np.pi * (hour - 4.5) / 24), dtype=float)


def nape_rise(rng: Generator, warmings: list[Warming], n_bins: int) -> FloatArray:
    """Return how far the skin of the nape rises by the episodes' own ways, beyond air, exercise and core [K].

    A vascular flush starts with the episode and is there within minutes; warming by muscle builds up over the half
    hour before; the sensory way warms nothing, and heat load and fever are already in air, exercise and core.
    """
    flush, muscle = np.zeros(n_bins), np.zeros(n_bins)
    for warming in warmings:
        size = {"vascular": rng.uniform(*VASCULAR_K), "muscle": rng.uniform(*MUSCLE_K)}.get(warming.pathway, 0.0)
        start, end = int(warming.start_h * BINS_PER_HOUR), int(np.ceil(warming.end_h * BINS_PER_HOUR))
        if warming.pathway == "vascular":
            flush[start:end] = np.maximum(flush[start:end], size)
        elif warming.pathway == "muscle":
            begin = max(start - BINS_PER_HOUR // 2, 0)
            muscle[begin:end] = np.maximum(muscle[begin:end], size)
    return relax(flush, 2) + relax(muscle, 10)


def nape_skin(
    rng: Generator,
    near_c: FloatArray,
    exercising: BoolArray,
    hot_meals: FloatArray,
    core_k: FloatArray,
    rise_k: FloatArray,
) -> FloatArray:
    """Return the nape's skin temperature as a patch sensor reads it [°C].

    Parameters
    ----------
    near_c : ndarray
        Air where the person is [°C].
    hot_meals : ndarray
        Hot meals eaten in each bin.
    core_k : ndarray
        Core above its usual course [K].
    rise_k : ndarray
        What the episodes add [K]; see `nape_rise`.
    """
    own_level = rng.normal(0, 0.3)
    by_air = NAPE_AT_22_C + NAPE_PER_K_AIR * (relax(near_c, 8) - 22.0)
    by_exercise = NAPE_IN_EXERCISE_K * relax(exercising.astype(float), 10)
    by_meals = NAPE_AFTER_HOT_MEAL_K * 30 / BIN_MIN * relax(hot_meals, 30)
    by_day = 0.7 * (usual_core(near_c.size) - 36.75)
    quiet = own_level + by_air + by_exercise + by_meals + by_day + NAPE_PER_K_CORE * core_k
    limit = np.maximum(HIGHEST_SKIN_C + core_k, quiet)
    return np.asarray(np.minimum(quiet + rise_k, limit) + NAPE_NOISE_K * rng.standard_normal(near_c.size), dtype=float)


def skin_conductance(rng: Generator, arousal: FloatArray, near_c: FloatArray, per_bin: int) -> FloatArray:
    """Return samples of skin conductance, `per_bin` in each bin [µS].

    A tonic level that follows arousal and sweating in the heat, with what is left at that instant of the quick
    responses: they last seconds, so samples a minute apart catch each only by chance.
    """
    own_level = np.exp(rng.normal(np.log(3.0), 0.3))
    # Contact, gel and skin change over hours.
    contact = np.exp(0.2 * ou(rng, arousal.size, 360))
    tonic = own_level * contact * np.exp(0.30 * relax(arousal, 8) + 0.07 * np.maximum(relax(near_c, 15) - 25, 0))
    level = np.interp(np.arange(arousal.size * per_bin) / per_bin, np.arange(arousal.size), tonic)
    a_minute = np.repeat(np.clip(2 * np.exp(0.5 * arousal), 0.2, 12), per_bin)
    seconds = 8.0
    under_way = rng.poisson(a_minute * seconds / 60)
    size = rng.exponential(0.15, level.size) * np.exp(-rng.uniform(0, seconds, level.size) / 3)
    noise = 0.01 * rng.standard_normal(level.size)
    return np.asarray(np.maximum(level + under_way * size + noise, 0.05), dtype=float)


def head_flexion(rng: Generator, sitting: BoolArray) -> FloatArray:
    """Return the mean forward flexion of the head in each bin [°]: bent at a desk, near upright elsewhere."""
    at_desk = rng.normal(33, 4)
    level = np.where(sitting, at_desk, 9.0)
    return np.asarray(level + 6 * rng.standard_normal(sitting.size), dtype=float).clip(-30, 80)


def beats(rng: Generator, hr_bpm: float, arousal: float) -> Snippet:
    """Draw five minutes of RR intervals with the RMSSD that goes with the arousal, and a few artefacts.

    Breathing (0.25 Hz), the slow wave of blood pressure (0.1 Hz) and beat-to-beat noise make up the variability.
    RMSSD falls by 30 % per standard deviation of arousal (assumed). One beat in 200 is missed, one in 300 is an extra
    one, and in a quarter of the snippets some seconds are lost.
    """
    mean_ms = 60000 / hr_bpm
    n = int(SNIPPET_MIN * 60000 / mean_ms)
    second = np.arange(n) * mean_ms / 1000
    breath, wave = rng.uniform(0, 2 * np.pi, 2)
    shape = (
        np.sin(2 * np.pi * rng.uniform(0.20, 0.30) * second + breath)
        + 0.8 * np.sin(2 * np.pi * 0.1 * second + wave)
        + 0.4 * rng.standard_normal(n)
    )
    target_ms = RMSSD_AT_REST_MS * np.exp(-0.30 * arousal) * np.exp(0.12 * rng.standard_normal())
    shape *= min(float(target_ms), 0.15 * mean_ms) / np.sqrt(np.mean(np.diff(shape) ** 2))
    drift = 0.01 * mean_ms * np.cumsum(rng.standard_normal(n)) / np.sqrt(n)
    clean = np.clip(np.rint(mean_ms + shape + drift), 300, 2000)
    rri_ms = _with_artefacts(rng, clean)
    time_s = np.cumsum(rri_ms) / 1000
    gap = np.zeros(rri_ms.size, dtype=bool)
    gap[0] = True
    if rng.random() < 0.25:
        first = int(rng.integers(20, rri_ms.size - 60))
        lost = slice(first, first + int(rng.integers(5, 30)))
        gap[lost.stop] = True
        kept = np.ones(rri_ms.size, dtype=bool)
        kept[lost] = False
        time_s, rri_ms, gap = time_s[kept], rri_ms[kept], gap[kept]
    return Snippet(time_s, rri_ms, gap)


def _with_artefacts(rng: Generator, rri_ms: FloatArray) -> FloatArray:
    """Join two intervals where a beat was missed; split one where an extra beat was seen."""
    out: list[float] = []
    i = 0
    while i < rri_ms.size:
        chance = rng.random()
        if chance < 1 / 200 and i + 1 < rri_ms.size:
            out.append(rri_ms[i] + rri_ms[i + 1])
            i += 1
        elif chance < 1 / 200 + 1 / 300 and rri_ms[i] > 2.5 * SHORTEST_RRI_MS:
            early = np.rint(rri_ms[i] * rng.uniform(0.4, 0.6))
            out += [float(early), float(rri_ms[i] - early)]
        else:
            out.append(rri_ms[i])
        i += 1
    return np.array(out)

"""What of a simulated life is recorded: ratings, worn sensors, remembered doses, used diary days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from unaji.people.outside import Outside, heavy_noise, pull
from unaji.people.triggers import CANDIDATES
from unaji.people.world import (
    BINS_PER_DAY,
    BINS_PER_HOUR,
    LEAD_DAYS,
    Doses,
    World,
    dose_array,
    ou,
    since_waking,
    sleep_debt,
)
from unaji.records.timeline import BoolArray, FloatArray

INSIDE = Outside(lags=False, drivers=False, noise=False, missing=False)
RATING_HOLD_MIN = 360.0
SENSOR_HOLD_MIN = 30.0


@dataclass(frozen=True, eq=False, slots=True)
class Signal:
    """A candidate's exposure as recorded.

    Attributes
    ----------
    kind : {"level", "dose"}
    value : ndarray, shape (n_bins,)
        Level, or amount in the bin of its intake; NaN where it was not observed. A rating stands in its bin only.
    lag_min : (float, float)
        Plausible range of the mean lag [min].
    hold_min : float
        How long a value may be carried forward [min].
    """

    kind: str
    value: FloatArray
    lag_min: tuple[float, float]
    hold_min: float


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """What was recorded over the period (without the week before it).

    Attributes
    ----------
    used : ndarray of bool, shape (n_days,)
        Days on which the diary looks used.
    logging : ndarray of bool, shape (n_days,)
        Days on which episodes were really logged: `used` less the days that only look used.
    rating_hour, stress_rating : ndarray, shape (n_ratings,)
        Local hours since the world's first midnight, and the rating 0 to 10.
    worn, desk_worn, thermometer_on : ndarray of bool, shape (n_bins,)
        Wearable, posture sensor and personal air thermometer in use.
    arousal, desk_load, temp_factor : ndarray, shape (n_bins,)
        Sensor readings before non-wear is cut out; `temp_factor` multiplies both temperature exposures.
    sleep_h : ndarray, shape (n_days,)
        Recorded sleep of the night before; NaN for a missing night [h].
    doses : dict of str to Doses
        As remembered: some forgotten, times off by up to ten minutes.
    """

    used: BoolArray
    logging: BoolArray
    rating_hour: FloatArray
    stress_rating: FloatArray
    worn: BoolArray
    desk_worn: BoolArray
    thermometer_on: BoolArray
    arousal: FloatArray
    desk_load: FloatArray
    temp_factor: FloatArray
    sleep_h: FloatArray
    doses: dict[str, Doses]


def record(rng: Generator, world: World, outside: Outside = INSIDE) -> Recording:
    """Draw what the person's sensors and diary catch of their life.

    With `outside.noise` the noise is heavy-tailed. With `outside.missing` sensors come off when their reading is high,
    and stress keeps a person from rating it and from the diary of the day.
    """
    n = world.n_bins - world.period.start
    arousal, desk_load, experienced_c = (
        level[world.period] for level in (world.arousal, world.desk_load, world.experienced_c)
    )
    used, logging = _diary_days(rng, world, outside)
    rating_hour, stress_rating = _ratings(rng, world, used, outside)
    night = world.sleep_h[LEAD_DAYS:] + 0.3 * _noise(rng, world.n_days, outside)

    def off(low: float, high: float, level: FloatArray) -> BoolArray:
        return gaps(rng, n, rng.uniform(low, high), pull(level) if outside.missing else None)

    return Recording(
        used=used,
        logging=logging,
        rating_hour=rating_hour,
        stress_rating=stress_rating,
        worn=~off(0.05, 0.20, arousal),
        desk_worn=~off(0.05, 0.20, desk_load),
        thermometer_on=~off(0.03, 0.15, experienced_c),
        arousal=arousal + 0.3 * arousal.std() * _noise(rng, n, outside),
        desk_load=desk_load + 0.3 * desk_load.std() * _noise(rng, n, outside),
        temp_factor=np.exp(0.2 * ou(rng, n, 120)),
        sleep_h=np.where(rng.random(world.n_days) < 0.05, np.nan, night),
        doses={name: _remembered(rng, doses, used) for name, doses in world.doses.items()},
    )


def signal(world: World, recording: Recording, trigger: str) -> Signal:
    """Return one candidate's exposure on the grid as recorded."""
    candidate = CANDIDATES[trigger]
    hold = RATING_HOLD_MIN if trigger in ("stress", "sleep_debt") else SENSOR_HOLD_MIN
    return Signal(candidate.kind, _recorded(world, recording, trigger), candidate.lag_min, hold)


def gaps(rng: Generator, n_bins: int, share: float, weight: FloatArray | None = None) -> BoolArray:
    """Draw blocks of one to eight hours that cover about `share` of the bins; `weight` says where they begin."""
    off = np.zeros(n_bins, dtype=bool)
    likely = None if weight is None else np.cumsum(weight) / weight.sum()
    while off.sum() < share * n_bins:
        start = rng.integers(n_bins) if likely is None else np.searchsorted(likely, rng.random())
        off[start : start + rng.integers(BINS_PER_HOUR, 8 * BINS_PER_HOUR + 1)] = True
    return off


def _recorded(world: World, recording: Recording, trigger: str) -> FloatArray:
    period = world.period
    n = world.n_bins - period.start
    if trigger == "arousal":
        return np.where(recording.worn, recording.arousal, np.nan)
    if trigger == "desk_load":
        return np.where(recording.desk_worn, recording.desk_load, np.nan)
    if trigger in ("temp_change", "ambient_heat"):
        return np.where(recording.thermometer_on, world.exposure(trigger)[period] * recording.temp_factor, np.nan)
    if trigger == "stress":
        rated = np.full(n, np.nan)
        rated[_bin(recording.rating_hour)] = recording.stress_rating
        return rated
    if trigger == "sleep_debt":
        return since_waking(sleep_debt(recording.sleep_h), world.wake_h[LEAD_DAYS:] - 24 * LEAD_DAYS, n)
    if trigger in recording.doses:
        amounts = dose_array(_shifted(recording.doses[trigger]), n)
        return np.where(np.repeat(recording.used, BINS_PER_DAY), amounts, np.nan)
    return world.exposure(trigger)[period].copy()


def _diary_days(rng: Generator, world: World, outside: Outside) -> tuple[BoolArray, BoolArray]:
    n_days = world.n_days
    lost = np.zeros(n_days, dtype=bool)
    weight = None
    if outside.missing:
        weight = pull(world.stress[world.period].reshape(n_days, BINS_PER_DAY).mean(axis=1))
        weight /= weight.sum()
    if rng.random() < 0.30:
        lost[rng.choice(n_days, round(rng.uniform(0.02, 0.10) * n_days), replace=False, p=weight)] = True
    looks_used = rng.random(n_days) < 0.30
    return ~lost | looks_used, ~lost


def _ratings(rng: Generator, world: World, used: BoolArray, outside: Outside) -> tuple[FloatArray, FloatArray]:
    """Draw the moments of three to six prompts a day, some unanswered, and the stress rated at each."""
    compliance = rng.uniform(0.60, 0.95)
    a_day = rng.integers(3, 7)
    first, last = world.wake_h[LEAD_DAYS:] + 0.3, world.bed_h[LEAD_DAYS:] - 0.3
    last = np.minimum(last, 24.0 * (LEAD_DAYS + np.arange(world.n_days)) + 23.9)
    slots = (np.arange(a_day) + rng.uniform(0.1, 0.9, (world.n_days, a_day))) / a_day
    hours = first[:, None] + slots * (last - first)[:, None]
    stress = world.stress[(hours * BINS_PER_HOUR).astype(np.int64)]
    willing = compliance * np.exp(-0.5 * np.maximum(stress, 0)) if outside.missing else compliance
    answered = (rng.random(hours.shape) < willing) & used[:, None]
    felt = stress[answered] + 0.35 * _noise(rng, int(answered.sum()), outside)
    return hours[answered], np.clip(np.rint(3 + 1.8 * felt), 0, 10)


def _noise(rng: Generator, size: int, outside: Outside) -> FloatArray:
    return heavy_noise(rng, size) if outside.noise else rng.standard_normal(size)


def _remembered(rng: Generator, doses: Doses, used: BoolArray) -> Doses:
    hour = doses.hour + rng.uniform(-1, 1, doses.hour.size) / 6
    day = (hour // 24).astype(np.int64) - LEAD_DAYS
    inside = (day >= 0) & (day < used.size)
    kept = inside & (rng.random(hour.size) >= 0.10) & used[np.clip(day, 0, used.size - 1)]
    order = np.argsort(hour[kept], kind="stable")
    return Doses(hour[kept][order], doses.amount[kept][order])


def _shifted(doses: Doses) -> Doses:
    return Doses(doses.hour - 24 * LEAD_DAYS, doses.amount)


def _bin(hour: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return ((hour - 24 * LEAD_DAYS) * BINS_PER_HOUR).astype(np.int64)

"""How a simulated person lives: calendar, stress, desk, sport, drinks, sleep and weather on a five-minute grid.

Everything is in local time and nothing here knows of episodes. The world begins a week before the recording so that
slow effects have a past; `World.period` cuts the recording out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator

from unaji.records.timeline import BoolArray, FloatArray

BINS_PER_HOUR = 12
BINS_PER_DAY = 24 * BINS_PER_HOUR
BIN_MIN = 5
LEAD_DAYS = 7
COMFORT_C = 22.0
"""Experienced air above this counts as ambient heat [°C]."""
FULL_SLEEP_H = 7.4
"""Nights shorter than this build up debt [h]."""


@dataclass(frozen=True, eq=False, slots=True)
class Doses:
    """Things taken or done at a moment; `hour` is local hours since the world's first midnight, ascending."""

    hour: FloatArray
    amount: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Spans:
    """Stretches of time, in local hours since the world's first midnight, ascending."""

    start: FloatArray
    end: FloatArray


@dataclass(frozen=True, slots=True)
class Habits:
    """What stays the same for one person over the whole recording."""

    work_stress: float
    exercise_share: float
    cups_a_day: float
    drinking: float
    hot_meal_share: float
    season_mean_c: float
    season_drift_c: float
    daily_amplitude_c: float


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """One person's life; arrays per bin have shape (n_bins,), arrays per day (LEAD_DAYS + n_days,).

    Attributes
    ----------
    workday, wake_h, bed_h, sleep_h : ndarray, per day
        Local hours since the world's first midnight; `sleep_h` is the length of the night that ended on the day [h].
    awake, outdoors, sitting, exercising : ndarray of bool, per bin
    stress, arousal, desk_load, sleep_debt : ndarray, per bin
        Latent levels, about one standard deviation wide; `sleep_debt` in hours.
    outdoor_c, indoor_c, experienced_c : ndarray, per bin
        Air temperature outdoors, indoors, and where the person is [°C].
    pressure_hpa, humidity : ndarray, per bin
        Station pressure [hPa] and outdoor relative humidity [%].
    doses : dict of str to Doses
        Exercise [min], caffeine [cups], alcohol [drinks], hot meals [1].
    desk : Spans
        Blocks of sitting at a desk.
    """

    n_days: int
    habits: Habits
    workday: BoolArray
    wake_h: FloatArray
    bed_h: FloatArray
    sleep_h: FloatArray
    awake: BoolArray
    outdoors: BoolArray
    sitting: BoolArray
    exercising: BoolArray
    stress: FloatArray
    arousal: FloatArray
    desk_load: FloatArray
    sleep_debt: FloatArray
    outdoor_c: FloatArray
    indoor_c: FloatArray
    experienced_c: FloatArray
    pressure_hpa: FloatArray
    humidity: FloatArray
    doses: dict[str, Doses]
    desk: Spans

    @property
    def n_bins(self) -> int:
        """Bins including the week before the recording."""
        return int(self.awake.size)

    @property
    def period(self) -> slice:
        """The bins of the recording."""
        return slice(LEAD_DAYS * BINS_PER_DAY, self.n_bins)

    def exposure(self, trigger: str) -> FloatArray:
        """Return a candidate's true exposure per bin: a level, or the amount taken in each bin."""
        if trigger in self.doses:
            return dose_array(self.doses[trigger], self.n_bins)
        if trigger == "temp_change":
            return np.abs(change(self.experienced_c, 30))
        if trigger == "pressure_drop":
            return np.maximum(-change(self.pressure_hpa, 360), 0.0)
        if trigger == "ambient_heat":
            return np.maximum(self.experienced_c - COMFORT_C, 0.0)
        level: FloatArray = getattr(self, trigger)
        return level


def live(rng: Generator, n_days: int, *, season_mean_c: float | None = None) -> World:
    """Draw one person's life.

    Parameters
    ----------
    rng : Generator
    n_days : int
        Length of the recording; day 0 is a Monday.
    season_mean_c : float or None
        Mean outdoor air temperature in the middle of the recording [°C]; drawn from 4 to 22 when None.

    Returns
    -------
    World
    """
    total_days = LEAD_DAYS + n_days
    n = total_days * BINS_PER_DAY
    hour = np.arange(n) / BINS_PER_HOUR
    habits = _draw_habits(rng, season_mean_c)

    workday, wake_h, bed_h = _calendar(rng, total_days)
    awake = span_mask(Spans(wake_h, bed_h), n)
    at_work = np.repeat(workday, BINS_PER_DAY) & (hour % 24 >= 9) & (hour % 24 < 18)
    stress = (
        0.7 * ou(rng, n, 4 * 60)
        + 0.6 * np.repeat(_ar1_days(rng, total_days), BINS_PER_DAY)
        + habits.work_stress * at_work
    )

    desk = _desk_blocks(rng, workday, bed_h)
    sitting = span_mask(desk, n)
    desk_load = relax(sitting.astype(float), 40) * np.maximum(1 + 0.2 * stress, 0)

    exercise = _exercise(rng, habits, wake_h)
    exercise_spans = Spans(exercise.hour, exercise.hour + exercise.amount / 60)
    exercising = span_mask(exercise_spans, n)
    doses = {
        "exercise": exercise,
        "caffeine": _caffeine(rng, habits, wake_h),
        "alcohol": _alcohol(rng, habits, total_days),
        "hot_meal": _hot_meals(rng, habits, total_days),
    }

    outdoor_c, pressure_hpa, humidity = _weather(rng, habits, hour)
    indoor_c = _indoors(rng, habits, hour)
    outdoors = span_mask(_walks(rng, workday), n) & awake | exercising
    experienced_c = relax(np.where(outdoors, outdoor_c, indoor_c), 3)

    sleep_h = _nights(rng, wake_h, bed_h, stress, doses["alcohol"])
    return World(
        n_days=n_days,
        habits=habits,
        workday=workday,
        wake_h=wake_h,
        bed_h=bed_h,
        sleep_h=sleep_h,
        awake=awake,
        outdoors=outdoors,
        sitting=sitting,
        exercising=exercising,
        stress=stress,
        arousal=_arousal(rng, hour, stress, exercising, doses["caffeine"], experienced_c, awake),
        desk_load=desk_load,
        sleep_debt=since_waking(sleep_debt(sleep_h), wake_h, n),
        outdoor_c=outdoor_c,
        indoor_c=indoor_c,
        experienced_c=experienced_c,
        pressure_hpa=pressure_hpa,
        humidity=humidity,
        doses=doses,
        desk=desk,
    )


def ou(rng: Generator, n: int, time_constant_min: float, step_min: float = BIN_MIN) -> FloatArray:
    """Draw a stationary Ornstein–Uhlenbeck process of mean 0 and standard deviation 1, exact at each step."""
    keep = np.exp(-step_min / time_constant_min)
    innovation = rng.standard_normal(n) * np.sqrt(1 - keep**2)
    if n:
        innovation[0] /= np.sqrt(1 - keep**2)
    return _recur(innovation, float(keep))


def relax(target: FloatArray, time_constant_min: float) -> FloatArray:
    """Follow `target` with a first-order lag, starting at its first value."""
    keep = float(np.exp(-BIN_MIN / time_constant_min))
    pushed = (1 - keep) * target
    pushed[0] = target[0]
    return _recur(pushed, keep)


def change(level: FloatArray, over_min: int) -> FloatArray:
    """Return how far a level moved over the last `over_min`; 0 where its past is not known."""
    k = over_min // BIN_MIN
    moved = np.zeros_like(level)
    moved[k:] = level[k:] - level[:-k]
    return moved


def span_mask(spans: Spans, n_bins: int) -> BoolArray:
    """Return which bins lie in any of the spans; ends are rounded to bins."""
    edges = np.zeros(n_bins + 1, dtype=np.int64)
    np.add.at(edges, np.clip(to_bin(spans.start), 0, n_bins), 1)
    np.add.at(edges, np.clip(to_bin(spans.end), 0, n_bins), -1)
    covered: BoolArray = np.cumsum(edges[:-1]) > 0
    return covered


def dose_array(doses: Doses, n_bins: int) -> FloatArray:
    """Return the amount taken in each bin; what lies outside the grid is left out."""
    where = np.floor(doses.hour * BINS_PER_HOUR + 1e-9).astype(np.int64)
    inside = (where >= 0) & (where < n_bins)
    return np.bincount(where[inside], weights=doses.amount[inside], minlength=n_bins).astype(float)


def to_bin(hour: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the nearest bin edge of each local hour."""
    return np.rint(hour * BINS_PER_HOUR).astype(np.int64)


def sleep_debt(sleep_h: FloatArray) -> FloatArray:
    """Return the leaky sum of what nights fall short of a full one, never below 0 [h], per day.

    A missing night (NaN) adds nothing, and the debt of its day is not known (NaN).
    """
    debt = np.empty_like(sleep_h)
    owed = 0.0
    for day, slept in enumerate(sleep_h):
        owed = max(0.0, 0.6 * owed + (0.0 if np.isnan(slept) else FULL_SLEEP_H - slept))
        debt[day] = np.nan if np.isnan(slept) else owed
    return debt


def since_waking(per_day: FloatArray, wake_h: FloatArray, n_bins: int) -> FloatArray:
    """Spread a value per day over the bins from that day's waking to the next; before the first waking, the first."""
    day = np.searchsorted(to_bin(wake_h), np.arange(n_bins), side="right") - 1
    return per_day[np.maximum(day, 0)]


def _draw_habits(rng: Generator, season_mean_c: float | None) -> Habits:
    drawn_mean_c = rng.uniform(4, 22)
    return Habits(
        work_stress=rng.uniform(0.6, 1.2),
        exercise_share=rng.uniform(0.2, 0.6),
        cups_a_day=rng.uniform(0.8, 3.0),
        drinking=rng.uniform(0.1, 1.0),
        hot_meal_share=rng.uniform(0.1, 0.6),
        season_mean_c=drawn_mean_c if season_mean_c is None else season_mean_c,
        season_drift_c=rng.uniform(-4, 4),
        daily_amplitude_c=rng.uniform(2.5, 6.5),
    )


def _calendar(rng: Generator, total_days: int) -> tuple[BoolArray, FloatArray, FloatArray]:
    day = np.arange(total_days)
    weekday = day % 7
    workday = (weekday < 5) & (rng.random(total_days) >= 0.05)
    wake = np.where(workday, 6.8, 8.0) + np.clip(0.5 * rng.standard_normal(total_days), -1.2, 1.2)
    bed = np.where((weekday == 4) | (weekday == 5), 23.8, 23.0)
    bed = bed + np.clip(0.7 * rng.standard_normal(total_days), -1.8, 1.8)
    midnight = 24.0 * day
    return workday, np.asarray(midnight + wake), np.asarray(midnight + bed)


def _ar1_days(rng: Generator, total_days: int) -> FloatArray:
    return ou(rng, total_days, 2 * 1440, step_min=1440)


def _desk_blocks(rng: Generator, workday: BoolArray, bed_h: FloatArray) -> Spans:
    blocks: list[tuple[float, float]] = []
    for day, working in enumerate(workday):
        windows = [(9.0, 12.0), (13.0, 17.5)] if working else []
        if rng.random() < 0.25:
            begin = rng.uniform(19.5, 20.5)
            windows.append((begin, min(begin + rng.uniform(0.6, 1.5), bed_h[day] - 24 * day - 0.3)))
        for begin, end in windows:
            at = begin
            while end - at > 0.2:
                stop = min(at + rng.uniform(0.6, 1.5), end)
                blocks.append((24 * day + at, 24 * day + stop))
                at = stop + rng.uniform(0.1, 0.35)
    table = np.array(blocks).reshape(-1, 2)
    return Spans(table[:, 0], table[:, 1])


def _exercise(rng: Generator, habits: Habits, wake_h: FloatArray) -> Doses:
    days = np.flatnonzero(rng.random(wake_h.size) < habits.exercise_share)
    morning = rng.random(days.size) < 0.5
    start = np.where(morning, wake_h[days] + 0.4, 24 * days + 18.5 + 0.2 * rng.standard_normal(days.size))
    return Doses(start, np.round(rng.uniform(30, 60, days.size)))


def _caffeine(rng: Generator, habits: Habits, wake_h: FloatArray) -> Doses:
    midnight = 24.0 * np.arange(wake_h.size)
    usual = np.stack([wake_h + 0.6, midnight + 10.4, midnight + 13.4, midnight + 15.5], axis=1)
    taken = rng.random(usual.shape) < habits.cups_a_day / 4
    # Nobody drinks coffee asleep: a late waking moves the cups after it.
    when = np.maximum(usual + 0.25 * rng.standard_normal(usual.shape), wake_h[:, None] + 0.1)
    hours = np.sort(when[taken])
    return Doses(hours, np.ones(hours.size))


def _alcohol(rng: Generator, habits: Habits, total_days: int) -> Doses:
    weekday = np.arange(total_days) % 7
    chance = habits.drinking * np.where((weekday == 4) | (weekday == 5), 0.8, 0.25)
    days = np.flatnonzero(rng.random(total_days) < chance)
    units = rng.integers(1, 5, days.size).astype(float)
    return Doses(24 * days + 19 + rng.uniform(0, 1.5, days.size), units)


def _hot_meals(rng: Generator, habits: Habits, total_days: int) -> Doses:
    midnight = 24.0 * np.arange(total_days)
    usual = np.stack([midnight + 12.25, midnight + 19.25], axis=1)
    taken = rng.random(usual.shape) < habits.hot_meal_share
    hours = (usual + np.array([0.25, 0.4]) * rng.standard_normal(usual.shape))[taken]
    return Doses(np.sort(hours), np.ones(hours.size))


def _walks(rng: Generator, workday: BoolArray) -> Spans:
    """Return commutes and lunch walks on working days, one walk on most days off."""
    walks: list[tuple[float, float]] = []
    for day, working in enumerate(workday):
        starts_and_hours: list[tuple[float, float]] = []
        if working:
            starts_and_hours = [
                (rng.uniform(8.2, 8.4), rng.uniform(0.3, 0.6)),
                (rng.uniform(18, 18.3), rng.uniform(0.3, 0.6)),
            ]
            if rng.random() < 0.4:
                starts_and_hours.append((12.2, rng.uniform(0.15, 0.4)))
        elif rng.random() < 0.8:
            starts_and_hours = [(rng.uniform(10, 16), rng.uniform(0.5, 2.0))]
        walks += [(24 * day + start, 24 * day + start + hours) for start, hours in starts_and_hours]
    table = np.array(walks)
    return Spans(table[:, 0], table[:, 1])


def _weather(rng: Generator, habits: Habits, hour: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return outdoor air temperature, pressure and humidity; low pressure comes with warm air (shared fronts)."""
    n = hour.size
    pressure = ou(rng, n, 2.2 * 1440)
    front = -0.5 * pressure + np.sqrt(0.75) * ou(rng, n, 3 * 1440)
    season = habits.season_mean_c + habits.season_drift_c * (hour / hour[-1] - 0.5)
    anomaly = 2.5 * front + habits.daily_amplitude_c * np.cos(2 * np.pi * (hour - 14.5) / 24)
    humidity = np.clip(62 + 11 * ou(rng, n, 1.5 * 1440) - 1.5 * anomaly, 12, 100)
    return season + anomaly, 1013 + 7 * pressure, humidity


def _indoors(rng: Generator, habits: Habits, hour: FloatArray) -> FloatArray:
    """Return indoor air: heated in winter, a little warmer with the season and in the afternoon [°C]."""
    seasonal = 20.5 + 0.2 * (habits.season_mean_c - 4)
    return seasonal + 0.8 * np.cos(2 * np.pi * (hour - 16) / 24) + 0.9 * ou(rng, hour.size, 1440)


def _nights(rng: Generator, wake_h: FloatArray, bed_h: FloatArray, stress: FloatArray, alcohol: Doses) -> FloatArray:
    """Return the sleep of the night before each day's waking; drinks and stress in the evening shorten it [h]."""
    in_bed = wake_h - np.concatenate([[wake_h[0] - 7.8], bed_h[:-1]])
    units = np.bincount((alcohol.hour // 24).astype(np.int64), weights=alcohol.amount, minlength=wake_h.size)
    evening = stress.reshape(wake_h.size, BINS_PER_DAY)[:, 20 * BINS_PER_HOUR : 23 * BINS_PER_HOUR].mean(axis=1)
    burden = 0.25 * units + 0.35 * np.maximum(evening, 0)
    burden_before = np.concatenate([[0.0], burden[:-1]])
    slept = in_bed - 0.3 - burden_before + 0.4 * rng.standard_normal(wake_h.size)
    return np.asarray(np.maximum(slept, 1.0), dtype=float)


def _arousal(
    rng: Generator,
    hour: FloatArray,
    stress: FloatArray,
    exercising: BoolArray,
    caffeine: Doses,
    experienced_c: FloatArray,
    awake: BoolArray,
) -> FloatArray:
    cups = dose_array(caffeine, hour.size)
    # Absorbed over half an hour, gone over five hours: the unit response peaks near 0.6.
    caffeine_response = 60 * relax(relax(cups, 30), 300)
    arousal: FloatArray = (
        0.6 * ou(rng, hour.size, 25)
        + 0.45 * stress
        + 1.6 * relax(exercising.astype(float), 10)
        + 0.5 * caffeine_response
        + 0.05 * np.maximum(experienced_c - COMFORT_C, 0)
        + 0.3 * np.cos(2 * np.pi * (hour - 15) / 24)
        - 0.8 * ~awake
    )
    return arousal


@njit(cache=True)
def _recur(innovation: FloatArray, keep: float) -> FloatArray:
    """Return x with x[i] = keep · x[i−1] + innovation[i]."""
    out = np.empty_like(innovation)
    value = 0.0
    for i in range(innovation.size):
        value = keep * value + innovation[i]
        out[i] = value
    return out

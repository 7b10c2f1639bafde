"""What was recorded around each episode: what happened to the body there, and what was measured of it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

import numpy as np

from unaji.body.context import END_MIN, FIRST_MIN, N_STEPS, WINDOWS_MIN, Context, LoggedHeat, filled
from unaji.body.expected import (
    expected_value,
    heat_excess_k,
    met_from_activity,
    quiet_covariance,
    window_means,
)
from unaji.body.hypotheses import Sensor
from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.pathways import Measured, Reading
from unaji.causes.design import BIN_MIN, Grid
from unaji.causes.features import hold
from unaji.causes.grid import BIN, bin_of, mask_of
from unaji.causes.observed import BODY_TEMPERATURES, FEVER_REACH, in_fever
from unaji.records.timeline import (
    BoolArray,
    Episode,
    Exposure,
    FloatArray,
    Interval,
    Series,
    TimeArray,
    Timeline,
    utc_ms,
)
from unaji.signals.activity import activity_on_grid, activity_series
from unaji.signals.grid import mean_on_grid
from unaji.signals.wear import worn

BIN_S = BIN_MIN * 60.0
AIR_SITES = ("near_body", "indoor", "")
"""Air around the person, best first. Air outdoors says little of a person who may be indoors."""
AIR_HOLD_MIN = 60
QUIET_BEFORE, QUIET_AFTER = timedelta(hours=1), timedelta(hours=3)
"""What is measured this close to an episode takes no part in learning what is usual."""
LOOK_BEFORE, LOOK_AFTER = timedelta(minutes=10), timedelta(minutes=30)
"""For the card: a flush is at 63 % after two minutes and is gone after some ten."""
ECHO = timedelta(minutes=90)
"""An episode so soon after another finds the skin as that one left it [A]."""
CORE_REACH = FEVER_REACH
HOUR = timedelta(hours=1)
HEAT_KINDS = ("hot_bath", "hot_meal", "exercise", "warm_clothing", "sun")
HEAT_LASTS_MIN = {"hot_bath": 15.0, "hot_meal": 20.0, "exercise": 30.0, "warm_clothing": 120.0, "sun": 60.0}
"""How long logged heat is taken to last where neither an end nor minutes were written down [A]."""
LOAD_KINDS = ("desk_work", "phone")
LOAD_LASTS_MIN = 60.0
STIFF = 6.0
STIFF_SPAN_MIN = (-120.0, 0.0)
"""A stiff neck counts as neck load in the two hours before [A]."""

SKIN = (Sensor.NAPE, Sensor.WRIST, Sensor.FINGER)
WINDOWS_BINS = tuple((low // BIN_MIN, high // BIN_MIN) for low, high in WINDOWS_MIN)
USUAL_BODY_C, USUAL_BODY_SD_K = 36.6, 0.35
"""Body temperature and its scatter between and within people, until the person's own is known (Obermeyer et al. 2017,
35 488 patients: mean 36.6 °C) [R; the scatter A]."""
MIN_BODY_READINGS = 5
USUAL_THRESHOLD_KPA, USUAL_THRESHOLD_LOG_SD = 269.0, 0.3
"""Pressure-pain threshold over the trapezius of healthy people (Rosendal et al. 2004) and its scatter [R; M]."""
PRESSURE_PAIN_QUANTITY = "pressure_pain_threshold_kpa"
MIN_THRESHOLD_READINGS = 3
COURSE_MIN = 60
"""The course of the skin is kept for so long on either side of an onset [min]."""


@dataclass(frozen=True, slots=True)
class SkinCourse:
    """The skin temperature at the nape around one onset, and what was expected there.

    Attributes
    ----------
    after_min : tuple of float
        Middle of each step of five minutes, from the onset [min]; the steps lie within an hour of it.
    measured_c : tuple of float
        Mean of each step [°C]; NaN where nothing was measured.
    expected_c : tuple of float
        What air, activity and time of day lead one to expect [°C].
    sd_k : float
        Spread of what is measured in a step around what is expected, at quiet times [K].
    """

    after_min: tuple[float, ...]
    measured_c: tuple[float, ...]
    expected_c: tuple[float, ...]
    sd_k: float


@dataclass(frozen=True, slots=True)
class Nearby:
    """What was recorded around one episode.

    Attributes
    ----------
    context : Context
        What happened to the body.
    measured : Measured
        What was measured of it, against what is usual.
    shown : dict of str to float
        What a card shows, by name with unit: ``neck_skin_rise_k``, ``neck_skin_rise_sd_k``, ``wrist_skin_rise_k``,
        ``air_temp_c``, ``heat_excess_k``, ``core_temp_c``.
    fever : bool
    skin : SkinCourse or None
        Behind ``neck_skin_rise_k``; None where that is not known.
    """

    context: Context
    measured: Measured
    shown: dict[str, float]
    fever: bool
    skin: SkinCourse | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Usual:
    """A sensor above what air, activity and time of day explain.

    Attributes
    ----------
    difference : ndarray, shape (n_bins,)
        NaN where not measured.
    expected : ndarray, shape (n_bins,)
        Also where nothing was measured; NaN where too little is known.
    sd : float
        Its spread at quiet times.
    covariance : ndarray, shape (n_windows, n_windows), or None
        How its means over the windows around a moment scatter at quiet times; None when too little is known.
    """

    difference: FloatArray
    expected: FloatArray
    sd: float
    covariance: FloatArray | None


@dataclass(frozen=True, eq=False, slots=True)
class Around:
    """Signals on the grid that episodes are looked up in.

    Attributes
    ----------
    sensors : dict of Sensor to Usual
        Those that were recorded.
    air_temp_c, met, heat_excess_k, flexion_deg : ndarray, shape (n_bins,)
        NaN where not measured.
    near_body : bool
        Where the air was measured.
    """

    sensors: dict[Sensor, Usual]
    air_temp_c: FloatArray
    near_body: bool
    met: FloatArray
    heat_excess_k: FloatArray
    flexion_deg: FloatArray


def around(timeline: Timeline, grid: Grid) -> Around:
    """Compute the signals that episodes are looked up in, once for all episodes."""
    air, near_body = _air(timeline, grid)
    met = _met(timeline, grid)
    near = mask_of(grid, [Interval(e.start - QUIET_BEFORE, e.start + QUIET_AFTER) for e in timeline.episodes])
    # What is usual is learnt when an episode would have been logged: awake, and with the watch not on its charger.
    quiet = grid.observed & ~near
    series = {
        Sensor.NAPE: timeline.of("neck_skin_temp_c"),
        Sensor.WRIST: timeline.of("skin_temp_c", "wrist"),
        Sensor.FINGER: timeline.of("finger_skin_temp_c"),
        Sensor.PULSE: timeline.of("hr_bpm"),
        Sensor.CONDUCTANCE: timeline.of("scl_microsiemens"),
    }
    return Around(
        {sensor: _usual(sensor, one, air, met, grid, quiet) for sensor, one in series.items() if one is not None},
        air,
        near_body,
        met,
        heat_excess_k(air, met, near_body=near_body),
        _on_grid(timeline.of("head_flexion_deg"), grid),
    )


def known_body(timeline: Timeline) -> KnownBody:
    """Return what the records say of the person's body; age as of the first episode."""
    person = timeline.person
    year = timeline.episodes[0].start.year if timeline.episodes else None
    return KnownBody(
        height_m=None if person.height_cm is None else person.height_cm / 100.0,
        weight_kg=person.weight_kg,
        age_y=None if person.birth_year is None or year is None else float(year - person.birth_year),
        female={"female": True, "male": False}.get(person.sex or ""),
    )


def nearby(episode: Episode, around: Around, timeline: Timeline, grid: Grid, fever: tuple[Interval, ...]) -> Nearby:
    """Look one episode up.

    Of an episode known by its date alone nothing but the body temperature of that day can be said.
    """
    core = _core(timeline, episode)
    feverish = in_fever(episode.start, episode.whole_day, fever)
    readings = {} if core is None else {Sensor.CORE: _core_reading(core, timeline, episode)}
    shown = {} if core is None else {"core_temp_c": core.value_c}
    near = core is not None and core.near
    if episode.whole_day:
        return Nearby(Context(), Measured(readings, near), shown, feverish)
    at = bin_of(grid, episode.start)
    echo = any(timedelta(0) < episode.start - other.start < ECHO for other in timeline.episodes)
    for sensor, usual in around.sensors.items():
        reading = _reading(usual, at, only_after=echo)
        if reading is not None:
            readings[sensor] = reading
    threshold = _threshold_reading(timeline, episode)
    if threshold is not None:
        readings[Sensor.PRESSURE_PAIN] = threshold
    card = _shown(episode, around, grid) | shown
    return Nearby(
        _context(episode, around, timeline, at),
        Measured(readings, near),
        card,
        feverish,
        _skin_course(around.sensors[Sensor.NAPE], episode, grid, at) if "neck_skin_rise_k" in card else None,
    )


# -- what happened to the body -----------------------------------------------------------------------------------------


def _context(episode: Episode, around: Around, timeline: Timeline, at: int) -> Context:
    # A step's values are those of the bin in which it ends.
    bins = at + np.ceil(END_MIN / BIN_MIN).astype(int) - 1
    hour_before = slice(max(0, at - 12), max(0, at))
    flexion = around.flexion_deg[hour_before]
    return Context(
        air_temp_c=filled(_taken(around.air_temp_c, bins)),
        near_body=around.near_body,
        met=_active(filled(_taken(around.met, bins)), _taken(around.met, bins)),
        flexion_deg=float(np.nanmedian(flexion)) if np.isfinite(flexion).any() else float("nan"),
        heat=tuple(_logged_heat(timeline, episode.start)),
        load_min=tuple(_logged_load(timeline, episode.start)),
    )


def _taken(value: FloatArray, bins: FloatArray) -> FloatArray:
    inside = (bins >= 0) & (bins < value.size)
    taken = np.full(N_STEPS, np.nan)
    taken[inside] = value[bins[inside]]
    return taken


def _active(filled_met: FloatArray, met: FloatArray) -> FloatArray:
    """Count as rest what a step counter did not write between two walks; all NaN where nothing was written."""
    if np.isnan(filled_met).any():
        return filled_met
    return np.where(np.isfinite(met), met, met_from_activity(np.zeros_like(met)))


def _logged_heat(timeline: Timeline, onset: datetime) -> list[LoggedHeat]:
    found = []
    for kind in HEAT_KINDS:
        for exposure in _had(timeline, kind):
            start = _minutes(exposure.start, onset)
            minutes = exposure.amount if kind in ("hot_bath", "exercise") and exposure.amount else HEAT_LASTS_MIN[kind]
            end = _minutes(exposure.end, onset) if exposure.end else start + minutes
            # Heat that ended over an hour before is gone from the skin.
            if start <= 0 and end >= -60 and start >= FIRST_MIN - 24 * 60:
                found.append(LoggedHeat(kind, start, end))
    return found


def _logged_load(timeline: Timeline, onset: datetime) -> list[tuple[float, float]]:
    spans = []
    for kind in LOAD_KINDS:
        for exposure in _had(timeline, kind):
            start = _minutes(exposure.start, onset)
            end = _minutes(exposure.end, onset) if exposure.end else start + LOAD_LASTS_MIN
            if start <= 0 and end >= -60:
                spans.append((start, end))
    stiff = any(
        r.value >= STIFF and onset - 3 * HOUR <= r.time <= onset + HOUR for r in timeline.ratings_of("neck_stiffness")
    )
    return [*spans, STIFF_SPAN_MIN] if stiff else spans


def _had(timeline: Timeline, kind: str) -> list[Exposure]:
    return [exposure for exposure in timeline.exposures_of(kind) if not exposure.none]


def _minutes(moment: datetime, onset: datetime) -> float:
    return (moment - onset).total_seconds() / 60.0


# -- what was measured of it -------------------------------------------------------------------------------------------


def _reading(usual: Usual, at: int, *, only_after: bool) -> Reading | None:
    """Return a sensor's means over the windows; None where nothing was measured or the usual is not known.

    Shortly after another episode the time before the onset shows that one's heat, and counts as not measured.
    """
    value = window_means(usual.difference, WINDOWS_BINS, [at])[0]
    if only_after:
        value[[last <= 0 for _, last in WINDOWS_BINS]] = np.nan
    if usual.covariance is None or not np.isfinite(value).any():
        return None
    return Reading(value, usual.covariance)


@dataclass(frozen=True, slots=True)
class _CoreReading:
    """A body temperature, and whether it was taken within the hour."""

    value_c: float
    near: bool


def _core(timeline: Timeline, episode: Episode) -> _CoreReading | None:
    """Return the highest body temperature within half a day of the episode (of its day, where only that is known)."""
    around = (timedelta(0), timedelta(hours=24)) if episode.whole_day else (-CORE_REACH, CORE_REACH)
    time, value = _readings(timeline, BODY_TEMPERATURES)
    low, high = (utc_ms(episode.start + reach) for reach in around)
    inside = np.flatnonzero((time >= low) & (time <= high))
    if not inside.size:
        return None
    top = inside[np.argmax(value[inside])]
    close = np.abs(time[top] - utc_ms(episode.start)) <= np.timedelta64(HOUR)
    return _CoreReading(float(value[top]), bool(close) and not episode.whole_day)


def _core_reading(core: _CoreReading, timeline: Timeline, episode: Episode) -> Reading:
    """Compare with the person's other readings, well away from the episode."""
    time, value = _readings(timeline, BODY_TEMPERATURES)
    away = np.abs(time - utc_ms(episode.start)) > np.timedelta64(2 * CORE_REACH)
    usual, variance = _own_usual(value[away], MIN_BODY_READINGS, USUAL_BODY_C, USUAL_BODY_SD_K)
    return Reading(np.array([core.value_c - usual]), np.array([[variance]]))


def _threshold_reading(timeline: Timeline, episode: Episode) -> Reading | None:
    """Return the pressure-pain threshold within the hour against the person's others, as logarithms."""
    time, value = _readings(timeline, (PRESSURE_PAIN_QUANTITY,))
    distance = np.abs(time - utc_ms(episode.start))
    if not time.size or distance.min() > np.timedelta64(HOUR):
        return None
    away = np.log(value[distance > np.timedelta64(QUIET_AFTER)])
    usual, variance = _own_usual(away, MIN_THRESHOLD_READINGS, log(USUAL_THRESHOLD_KPA), USUAL_THRESHOLD_LOG_SD)
    return Reading(np.array([log(value[distance.argmin()]) - usual]), np.array([[variance]]))


def _readings(timeline: Timeline, quantities: tuple[str, ...]) -> tuple[TimeArray, FloatArray]:
    series = [one for one in timeline.series if one.quantity in quantities]
    if not series:
        return np.empty(0, dtype="datetime64[ms]"), np.empty(0)
    return np.concatenate([one.time for one in series]), np.concatenate([one.value for one in series])


def _own_usual(value: FloatArray, least: int, usual: float, sd: float) -> tuple[float, float]:
    """Return median and variance of the person's own readings; those of people at large until there are enough."""
    if value.size < least:
        return usual, sd**2
    own = float(np.median(value))
    spread = 1.4826 * float(np.median(np.abs(value - own)))
    # A handful of readings knows its own spread poorly: people at large count as `least` readings more.
    pooled = (value.size * spread**2 + least * sd**2) / (value.size + least)
    return own, pooled * (1.0 + 1.0 / value.size)


# -- on the grid -------------------------------------------------------------------------------------------------------


def _on_grid(series: Series | None, grid: Grid) -> FloatArray:
    return np.full(grid.n_bins, np.nan) if series is None else mean_on_grid(series, grid.time, BIN_S).value


def _air(timeline: Timeline, grid: Grid) -> tuple[FloatArray, bool]:
    for site in AIR_SITES:
        series = timeline.of("air_temp_c", site)
        if series is not None and len(series):
            value = mean_on_grid(series, grid.time, BIN_S).value
            return hold(value, AIR_HOLD_MIN // BIN_MIN), site == "near_body"
    return np.full(grid.n_bins, np.nan), False


def _met(timeline: Timeline, grid: Grid) -> FloatArray:
    series = activity_series(timeline)
    if series is None:
        return np.full(grid.n_bins, np.nan)
    return met_from_activity(activity_on_grid(series, grid.time, BIN_S).value)


def _usual(sensor: Sensor, series: Series, air: FloatArray, met: FloatArray, grid: Grid, quiet: BoolArray) -> Usual:
    # A watch on its charger reads the room: three kelvin below skin, and very steadily.
    on_skin = worn(series.time, series.value) if sensor in SKIN else None
    value = mean_on_grid(series, grid.time, BIN_S, valid=on_skin).value
    if sensor is Sensor.CONDUCTANCE:
        value = np.log(np.where(value > 0, value, np.nan))
    expected, sd = expected_value(value, air, met, grid.local_hour, quiet)
    difference = value - expected
    return Usual(difference, expected, sd, quiet_covariance(difference, WINDOWS_BINS, quiet))


# -- for the card ------------------------------------------------------------------------------------------------------


def _shown(episode: Episode, around: Around, grid: Grid) -> dict[str, float]:
    window = slice(*(max(0, bin_of(grid, episode.start + d)) for d in (-LOOK_BEFORE, LOOK_AFTER)))
    before = slice(*(max(0, bin_of(grid, episode.start + d)) for d in (-LOOK_AFTER, LOOK_BEFORE)))
    nape, wrist = (around.sensors.get(sensor) for sensor in (Sensor.NAPE, Sensor.WRIST))
    rise = None if nape is None else _mean(nape.difference[window])
    found = {
        "neck_skin_rise_k": rise,
        "neck_skin_rise_sd_k": None if rise is None or nape is None else nape.sd,
        "wrist_skin_rise_k": None if wrist is None else _mean(wrist.difference[window]),
        "air_temp_c": _mean(around.air_temp_c[before]),
        "heat_excess_k": _mean(around.heat_excess_k[before]),
    }
    return {name: value for name, value in found.items() if value is not None}


def _skin_course(nape: Usual, episode: Episode, grid: Grid, at: int) -> SkinCourse:
    reach = COURSE_MIN // BIN_MIN
    steps = slice(max(0, at - reach), min(grid.n_bins, at + reach + 1))
    middle = grid.time[steps] + BIN // 2
    after_min = (middle - utc_ms(episode.start)).astype(float) / 60_000
    near = np.abs(after_min) <= COURSE_MIN
    expected_c = nape.expected[steps][near]
    return SkinCourse(
        tuple(after_min[near].tolist()),
        tuple((expected_c + nape.difference[steps][near]).tolist()),
        tuple(expected_c.tolist()),
        nape.sd,
    )


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None

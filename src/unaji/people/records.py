"""A simulated person's records as a timeline: what a phone, a wearable, a patch on the nape and a diary would hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unaji.people import sensors
from unaji.people.observe import gaps
from unaji.people.simulate import SimulatedPerson
from unaji.people.world import BIN_MIN, BINS_PER_DAY, BINS_PER_HOUR, LEAD_DAYS, relax
from unaji.records.timeline import (
    Beats,
    BoolArray,
    Episode,
    Exposure,
    FloatArray,
    Person,
    Rating,
    Series,
    TimeArray,
    Timeline,
    Treatment,
    Zones,
    utc_ms,
)

FEVER_PEAK_K = (1.7, 2.2)
"""How far a fever lifts the core [K]."""
EDA_PER_BIN = 5
SNIPPETS_A_DAY = 3
BASE_POINTS = ("GB20", "BL10", "GB21", "GV14")
FURTHER_POINTS = ("BL11", "GB12", "GV16", "SI14", "SI15", "TE15", "LI4", "TE5", "SI3", "LI11", "LR3")
SOURCE = "simulated"


def to_timeline(person: SimulatedPerson, rng: Generator, *, person_id: str = "simulated") -> Timeline:
    """Turn a simulated person into the raw quantities that could have been recorded of them.

    Parameters
    ----------
    person : SimulatedPerson
    rng : Generator
        For what the person itself does not settle: sensor noise, wear, the small print of the diary.
    person_id : str

    Returns
    -------
    Timeline
        Its person has ``simulated=True``. Everything typed by hand is absent on days without a diary; all episodes are
        the person's logged ones.
    """
    draw_body, draw_wear, draw_beats, draw_diary = rng.spawn(4)
    body = _live_body(draw_body, person)
    return Timeline(
        person=Person(
            id=person_id,
            timezone=person.timezone,
            birth_year=1985,
            sex="female",
            height_cm=162,
            weight_kg=56,
            simulated=True,
        ),
        zones=Zones((person.timezone,)),
        series=_series(draw_wear, person, body),
        beats=_beats(draw_beats, person, body),
        episodes=_episodes(draw_diary, person, body),
        ratings=_ratings(draw_diary, person),
        exposures=_exposures(draw_diary, person),
        treatments=_treatments(draw_diary, person),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Body:
    """True course of the body over the recording; arrays per bin, ends of the true episodes in local hours."""

    hr_bpm: FloatArray
    steps: FloatArray
    core_c: FloatArray
    nape_c: FloatArray
    end_h: FloatArray


def _live_body(rng: Generator, person: SimulatedPerson) -> _Body:
    world, now = person.world, person.world.period
    awake, exercising = world.awake[now], world.exercising[now]
    walking = world.outdoors[now]
    end_h = person.true.hour + np.exp(rng.normal(np.log(0.7), 0.5, len(person.true)))
    core_k = sensors.core_rise(awake, _fever_bins(person), rng.uniform(*FEVER_PEAK_K))
    warmings = [
        sensors.Warming(pathway, start, end)
        for pathway, start, end in zip(person.true_pathways, person.true.hour, end_h, strict=True)
    ]
    return _Body(
        hr_bpm=sensors.heart_rate(rng, world.arousal[now], exercising, walking, awake, core_k),
        steps=sensors.step_counts(rng, walking, exercising, world.sitting[now], awake),
        core_c=sensors.usual_core(awake.size) + core_k,
        nape_c=sensors.nape_skin(
            rng,
            world.experienced_c[now],
            exercising,
            world.exposure("hot_meal")[now],
            core_k,
            sensors.nape_rise(rng, warmings, awake.size),
        ),
        end_h=end_h,
    )


# -- measured ----------------------------------------------------------------------------------------------------------


def _series(rng: Generator, person: SimulatedPerson, body: _Body) -> tuple[Series, ...]:
    world, now, recording = person.world, person.world.period, person.recording
    awake = world.awake[now]
    near_c = world.experienced_c[now]
    n = awake.size
    patch_on = awake & ~gaps(rng, n, rng.uniform(0.10, 0.20))
    electrodes_on = awake & recording.worn & ~world.exercising[now]
    posture_on = recording.desk_worn & (world.sitting[now] | _office_hours(person))
    hourly = np.arange(n) % BINS_PER_HOUR == 0
    bins = np.arange(n)

    def per_bin(quantity: str, value: FloatArray, keep: BoolArray, digits: int, site: str, *, mean: bool) -> Series:
        return _at_bins(person, quantity, np.flatnonzero(keep), np.round(value[keep], digits), site, mean=mean)

    conductance = sensors.skin_conductance(rng, world.arousal[now], near_c, EDA_PER_BIN)
    return (
        per_bin("hr_bpm", body.hr_bpm, recording.worn, 0, "wrist", mean=True),
        per_bin("steps", body.steps, recording.worn, 0, "wrist", mean=True),
        _samples(person, "scl_microsiemens", np.round(conductance, 2), electrodes_on, EDA_PER_BIN, "wrist"),
        per_bin("neck_skin_temp_c", body.nape_c, patch_on, 2, "nape", mean=False),
        per_bin("head_flexion_deg", sensors.head_flexion(rng, world.sitting[now]), posture_on, 0, "head", mean=False),
        per_bin(
            "air_temp_c",
            near_c + 0.15 * rng.standard_normal(n),
            recording.thermometer_on & awake & (bins % 2 == 0),
            1,
            "near_body",
            mean=False,
        ),
        per_bin("air_temp_c", world.outdoor_c[now], hourly, 1, "outdoor", mean=False),
        per_bin("station_pressure_hpa", world.pressure_hpa[now], hourly, 1, "outdoor", mean=False),
        per_bin("rel_humidity_pct", world.humidity[now], hourly, 0, "outdoor", mean=False),
        _thermometer(rng, person, body),
    )


def _thermometer(rng: Generator, person: SimulatedPerson, body: _Body) -> Series:
    """Return the readings of a clinical thermometer: most mornings, and every few hours in a fever."""
    wake_h = person.world.wake_h[LEAD_DAYS:] - 24 * LEAD_DAYS
    morning = wake_h[(rng.random(wake_h.size) < 0.8) & person.recording.used] + 0.2
    fever = _fever_bins(person)
    ill_h = np.empty(0) if fever is None else np.arange(fever.start, fever.stop, 3 * BINS_PER_HOUR) / BINS_PER_HOUR + 1
    hours = np.sort(np.concatenate([morning, ill_h]))
    bins = (hours * BINS_PER_HOUR).astype(np.int64)
    awake = person.world.awake[person.world.period][bins]
    measured = body.core_c[bins[awake]] - 0.1 + 0.12 * rng.standard_normal(int(awake.sum()))
    return _at_bins(person, "body_temp_c", bins[awake], np.round(measured, 1), "", mean=False)


def _office_hours(person: SimulatedPerson) -> BoolArray:
    hour = np.arange(person.observed.size) / BINS_PER_HOUR % 24
    return np.repeat(person.world.workday[LEAD_DAYS:], BINS_PER_DAY) & (hour >= 8.5) & (hour < 18.5)


def _at_bins(
    person: SimulatedPerson, quantity: str, bins: NDArray[np.int64], value: FloatArray, site: str, *, mean: bool
) -> Series:
    time = _bin_time(person, bins)
    end = time + np.timedelta64(BIN_MIN, "m") if mean else None
    return Series(quantity, time, value, end, site, SOURCE)


def _samples(
    person: SimulatedPerson, quantity: str, value: FloatArray, worn: BoolArray, per_bin: int, site: str
) -> Series:
    keep = np.flatnonzero(np.repeat(worn, per_bin))
    time = utc_ms(person.grid_start) + keep * np.timedelta64(BIN_MIN * 60_000 // per_bin, "ms")
    return Series(quantity, time, value[keep], None, site, SOURCE)


def _bin_time(person: SimulatedPerson, bins: NDArray[np.int64]) -> TimeArray:
    return np.asarray(utc_ms(person.grid_start) + bins * np.timedelta64(BIN_MIN * 60_000, "ms"))


def _beats(rng: Generator, person: SimulatedPerson, body: _Body) -> Beats:
    """Return five-minute snippets from a chest strap, a few a day at random waking moments of rest."""
    world, now = person.world, person.world.period
    calm = world.awake[now] & ~world.exercising[now] & ~world.outdoors[now] & person.recording.worn
    times, intervals, breaks = [], [], []
    for day in range(world.n_days):
        ready = np.flatnonzero(calm[day * BINS_PER_DAY : (day + 1) * BINS_PER_DAY]) + day * BINS_PER_DAY
        if ready.size < SNIPPETS_A_DAY * 3:
            continue
        # One snippet in each third of the waking time, never in neighbouring bins.
        for third in np.array_split(ready, SNIPPETS_A_DAY):
            where = int(rng.choice(third[:-1]))
            snippet = sensors.beats(rng, body.hr_bpm[where], world.arousal[now][where])
            start = _bin_time(person, np.array([where]))[0]
            times.append(start + np.rint(snippet.time_s * 1000).astype("timedelta64[ms]"))
            intervals.append(snippet.rri_ms)
            breaks.append(snippet.gap)
    return Beats(np.concatenate(times), np.concatenate(intervals), np.concatenate(breaks), "strap", "no")


# -- written down ------------------------------------------------------------------------------------------------------


def _episodes(rng: Generator, person: SimulatedPerson, body: _Body) -> tuple[Episode, ...]:
    """Return the logged onsets, with how strong each was and, for six in ten, when it ended."""
    usual = rng.uniform(4, 6)
    episodes = []
    for onset, true_index, pathway in zip(person.onsets, person.logged.of, person.pathways, strict=True):
        strength = usual + (0.8 if pathway in ("vascular", "core") else 0.0) + 1.5 * rng.standard_normal()
        end = person.moment(_to_minutes(body.end_h[true_index] + rng.normal(0, 0.1)))
        timed = rng.random() < 0.6 and (end - onset).total_seconds() >= 600
        episodes.append(Episode(onset, end if timed else None, float(np.clip(np.rint(strength), 1, 10))))
    return tuple(episodes)


def _ratings(rng: Generator, person: SimulatedPerson) -> tuple[Rating, ...]:
    """Return the answers to each prompt: stress always, stiffness and fatigue mostly, anger and anxiety at times."""
    world, recording = person.world, person.recording
    stiff = relax(world.desk_load, 120)
    day_seen = -1
    ratings: list[Rating] = []
    for hour, stress in zip(recording.rating_hour, recording.stress_rating, strict=True):
        where, day = int(hour * BINS_PER_HOUR), int(hour // 24)
        time = person.moment(_to_minutes(hour - 24 * LEAD_DAYS))
        ratings.append(Rating(time, "stress", float(stress)))
        awake_h = hour - world.wake_h[day]
        felt = {
            "neck_stiffness": (0.8, 2.0 + 4.0 * stiff[where]),
            "fatigue": (0.8, 1.5 + 0.9 * world.sleep_debt[where] + 0.2 * awake_h),
            "anxiety": (0.2, 2.0 + 1.2 * world.stress[where]),
            "anger": (0.2, 1.0 + 1.2 * world.stress[where]),
            "sleep_quality": (0.9 if day != day_seen else 0.0, 9.0 - 1.5 * max(7.5 - world.sleep_h[day], 0)),
        }
        for name, (chance, level) in felt.items():
            if rng.random() < chance:
                ratings.append(Rating(time, name, _rated(rng, level)))
        day_seen = day
    return tuple(ratings)


def _rated(rng: Generator, level: float) -> float:
    return float(np.clip(np.rint(level + 0.8 * rng.standard_normal()), 0, 10))


def _exposures(rng: Generator, person: SimulatedPerson) -> tuple[Exposure, ...]:
    exposures = [
        Exposure(person.moment(hour), kind, amount=float(amount))
        for kind in ("caffeine", "alcohol", "hot_meal")
        for hour, amount in _moments(person, kind)
    ]
    exposures += [
        Exposure(person.moment(hour), "exercise", person.moment(hour + amount / 60), float(amount))
        for hour, amount in _moments(person, "exercise")
    ]
    exposures += _desk_work(rng, person) + _phone(rng, person) + _sleep(person) + _check_ins(rng, person)
    return tuple(exposures)


def _moments(person: SimulatedPerson, kind: str) -> list[tuple[float, float]]:
    doses = person.recording.doses[kind]
    return [(_to_minutes(h - 24 * LEAD_DAYS), float(a)) for h, a in zip(doses.hour, doses.amount, strict=True)]


def _desk_work(rng: Generator, person: SimulatedPerson) -> list[Exposure]:
    """Return most blocks of desk work, begun and ended to the nearest five minutes."""
    used, desk = person.recording.used, person.world.desk
    spans = []
    for start, end in zip(desk.start - 24 * LEAD_DAYS, desk.end - 24 * LEAD_DAYS, strict=True):
        if start >= 0 and used[int(start // 24)] and rng.random() < 0.93:
            spans.append(
                Exposure(person.moment(_to_minutes(start, 5)), "desk_work", person.moment(_to_minutes(end, 5)))
            )
    return spans


def _phone(rng: Generator, person: SimulatedPerson) -> list[Exposure]:
    """Return stretches of smartphone use on two evenings in three; they cause nothing in this person."""
    spans = []
    for day in np.flatnonzero(person.recording.used & (rng.random(person.world.n_days) < 0.65)):
        start = _to_minutes(24 * float(day) + rng.uniform(19.5, 21.5), 5)
        spans.append(Exposure(person.moment(start), "phone", person.moment(start + rng.integers(4, 13) / 12)))
    return spans


def _sleep(person: SimulatedPerson) -> list[Exposure]:
    """Return each recorded night as one span that ends on waking."""
    wake_h = person.world.wake_h[LEAD_DAYS:] - 24 * LEAD_DAYS
    slept = person.recording.sleep_h
    return [
        Exposure(person.moment(_to_minutes(wake - hours)), "sleep", person.moment(_to_minutes(wake)))
        for wake, hours in zip(wake_h, slept, strict=True)
        if np.isfinite(hours)
    ]


def _check_ins(rng: Generator, person: SimulatedPerson) -> list[Exposure]:
    """Return 'nothing happened' on nine in ten of the used days without an episode in the diary."""
    marked = {int((onset - person.grid_start).total_seconds() // 86400) for onset in person.onsets}
    bed_h = np.minimum(person.world.bed_h[LEAD_DAYS:] - 24 * LEAD_DAYS, 24 * (np.arange(person.world.n_days) + 1) - 0.2)
    quiet = [day for day in np.flatnonzero(person.recording.used) if int(day) not in marked]
    return [
        Exposure(person.moment(_to_minutes(bed_h[day] - rng.uniform(0.2, 1.0))), "check_in")
        for day in quiet
        if rng.random() < 0.9
    ]


def _treatments(rng: Generator, person: SimulatedPerson) -> tuple[Treatment, ...]:
    """Return the sessions: needles at the nape each time, at one to three further points as the day asks."""
    return tuple(
        Treatment(
            session,
            "acupuncture",
            (*BASE_POINTS, *(str(p) for p in rng.choice(FURTHER_POINTS, rng.integers(1, 4), replace=False))),
        )
        for session in person.sessions
    )


def _fever_bins(person: SimulatedPerson) -> slice | None:
    if person.fever is None:
        return None
    start, end = (_hour_of(person, moment) for moment in person.fever)
    return slice(int(start * BINS_PER_HOUR), int(end * BINS_PER_HOUR))


def _hour_of(person: SimulatedPerson, moment: datetime) -> float:
    return (moment - person.grid_start).total_seconds() / 3600


def _to_minutes(hour: float, step: int = 1) -> float:
    """Round a local hour to whole minutes, as people write times."""
    return float(step * np.rint(hour * 60 / step) / 60)

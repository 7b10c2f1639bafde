"""The raw quantities of a simulated person: plausible, consistent with the truth, and lost where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.people import sensors
from unaji.people.records import to_timeline
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.people.world import LEAD_DAYS, relax
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.timeline import Timeline


@pytest.fixture(scope="module")
def person() -> SimulatedPerson:
    return simulate_person(
        np.random.default_rng(3),
        weeks=8,
        causes=["desk_load", "alcohol"],
        target_episodes=60,
        fever=True,
        treatment=True,
    )


@pytest.fixture(scope="module")
def timeline(person: SimulatedPerson) -> Timeline:
    return to_timeline(person, np.random.default_rng(4))


def test_the_person_is_labelled_as_simulated(timeline: Timeline):
    assert timeline.person.simulated


def test_the_diary_holds_exactly_the_logged_episodes_and_sessions(person: SimulatedPerson, timeline: Timeline):
    assert tuple(e.start for e in timeline.episodes) == person.onsets
    assert tuple(t.time for t in timeline.treatments) == person.sessions
    assert all(1 <= e.intensity <= 10 for e in timeline.episodes)
    assert all(e.end is None or e.end > e.start for e in timeline.episodes)
    assert 0 < sum(e.end is None for e in timeline.episodes) < len(timeline.episodes)


def test_every_value_is_in_the_vocabulary_and_in_its_plausible_range(timeline: Timeline):
    for series in timeline.series:
        quantity = QUANTITIES[series.quantity]
        assert (series.value >= quantity.low).all(), series.quantity
        assert (series.value <= quantity.high).all(), series.quantity
    assert {r.quantity for r in timeline.ratings} <= set(RATINGS)
    assert all(0 <= r.value <= 10 for r in timeline.ratings)
    assert {e.kind for e in timeline.exposures} <= set(EXPOSURES)
    beats = timeline.beats
    assert beats.rri_ms.min() >= QUANTITIES["rri_ms"].low
    assert beats.rri_ms.max() <= QUANTITIES["rri_ms"].high


def test_every_kind_of_record_is_there(timeline: Timeline):
    kinds = {e.kind for e in timeline.exposures}
    assert {"desk_work", "phone", "exercise", "caffeine", "alcohol", "hot_meal", "sleep", "check_in"} <= kinds
    assert {s.quantity for s in timeline.series} >= {
        "hr_bpm",
        "steps",
        "scl_microsiemens",
        "neck_skin_temp_c",
        "head_flexion_deg",
        "air_temp_c",
        "station_pressure_hpa",
        "rel_humidity_pct",
        "body_temp_c",
    }
    assert {s.site for s in timeline.series if s.quantity == "air_temp_c"} == {"near_body", "outdoor"}


def test_nothing_typed_is_left_of_days_without_a_diary():
    for seed in range(60):
        person = simulate_person(np.random.default_rng(seed), weeks=8)
        idle = np.flatnonzero(~person.recording.used)
        if idle.size:
            break
    timeline = to_timeline(person, np.random.default_rng(seed))
    typed = [e.start for e in timeline.exposures if e.kind != "sleep"] + [r.time for r in timeline.ratings]
    days = {int((moment - person.grid_start).total_seconds() // 86400) for moment in typed}
    assert not days & set(idle.tolist())


def test_check_ins_stand_on_days_without_an_episode(person: SimulatedPerson, timeline: Timeline):
    def day(moment):
        return int((moment - person.grid_start).total_seconds() // 86400)

    marked = {day(e.start) for e in timeline.exposures_of("check_in")}
    assert marked
    assert not marked & {day(e.start) for e in timeline.episodes}


def test_the_beats_add_up_between_gaps(timeline: Timeline):
    beats = timeline.beats
    apart_ms = np.diff(beats.time) / np.timedelta64(1, "ms")
    joined = ~beats.gap[1:]
    assert joined.sum() > 10_000
    assert (apart_ms[joined] == beats.rri_ms[1:][joined]).all()
    assert (apart_ms[~joined] > beats.rri_ms[1:][~joined]).all()
    assert beats.gap[0]


def test_rmssd_has_its_size_at_rest_and_falls_with_arousal():
    def clean_rmssd(arousal: float) -> float:
        found = []
        for seed in range(40):
            snippet = sensors.beats(np.random.default_rng(seed), 70, arousal)
            difference = np.diff(snippet.rri_ms)[~snippet.gap[1:]]
            # Artefacts are rare and huge: the middle of the distribution is the heart's own.
            found.append(1.4826 * np.median(np.abs(difference)))
        return float(np.mean(found))

    at_rest, aroused = clean_rmssd(0.0), clean_rmssd(2.0)
    assert at_rest == pytest.approx(42, rel=0.15)
    assert aroused / at_rest == pytest.approx(np.exp(-0.6), rel=0.1)


def test_artefacts_keep_the_length_of_the_recording():
    rri = np.full(5000, 800.0)
    marred = sensors._with_artefacts(np.random.default_rng(0), rri)
    assert marred.sum() == rri.sum()
    assert 0 < (marred > 1500).sum() < 60
    assert 0 < (marred < 600).sum() < 80


def test_a_fever_is_measured_and_a_healthy_person_has_none():
    for seed in range(15):
        ill = simulate_person(np.random.default_rng(seed), weeks=4, fever=True)
        series = to_timeline(ill, np.random.default_rng(seed)).of("body_temp_c")
        hot = series.time[series.value >= 38.0]
        start, end = (np.datetime64(moment.replace(tzinfo=None), "ms") for moment in ill.fever)
        assert hot.size
        assert hot.min() >= start
        assert hot.max() <= end + np.timedelta64(6, "h")
        well = simulate_person(np.random.default_rng(seed), weeks=4)
        assert to_timeline(well, np.random.default_rng(seed)).of("body_temp_c").value.max() < 37.6


def rise_at_the_nape(pathway: str) -> float:
    """Return by how much one episode of an hour lifts the measured nape, mean over many of them [K]."""
    n, calm = 288, np.zeros(288)
    lifted = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rise = sensors.nape_rise(rng, [sensors.Warming(pathway, 12.0, 13.0)], n)
        nape = sensors.nape_skin(rng, np.full(n, 22.0), calm.astype(bool), calm, calm, rise)
        before, during = nape[10 * 12 : 11 * 12].mean(), nape[12 * 12 + 3 : 13 * 12].mean()
        lifted.append(during - before)
    return float(np.mean(lifted))


def test_each_pathway_moves_the_nape_as_it_should():
    # The sensory way warms nothing: what is left of it is the course of the day from eleven to half past twelve.
    by_day_alone = rise_at_the_nape("sensory")
    assert by_day_alone == pytest.approx(0.12, abs=0.05)
    assert rise_at_the_nape("vascular") - by_day_alone == pytest.approx(1.2, abs=0.2)
    assert rise_at_the_nape("muscle") - by_day_alone == pytest.approx(0.35, abs=0.1)
    assert rise_at_the_nape("core") == rise_at_the_nape("heat_load") == by_day_alone


def test_sensory_and_core_episodes_add_nothing_of_their_own():
    for pathway in ("sensory", "core", "heat_load"):
        rise = sensors.nape_rise(np.random.default_rng(0), [sensors.Warming(pathway, 12.0, 13.0)], 288)
        assert not rise.any()


def test_the_nape_follows_air_core_and_exercise_by_the_stated_amounts():
    n = 288
    none = np.zeros(n)

    def settled(near=22.0, exercising=False, core=0.0) -> float:
        nape = sensors.nape_skin(
            np.random.default_rng(1), np.full(n, near), np.full(n, exercising), none, none + core, none
        )
        return float(nape.mean())

    usual = settled()
    assert usual == pytest.approx(33.2, abs=1.0)
    assert settled(near=28.0) - usual == pytest.approx(6 * 0.26, abs=0.01)
    assert settled(core=1.0) - usual == pytest.approx(0.7, abs=0.01)
    assert settled(exercising=True) - usual == pytest.approx(1.2, abs=0.01)


def test_no_flush_makes_skin_warmer_than_blood():
    n = 288
    warm = sensors.nape_skin(
        np.random.default_rng(0), np.full(n, 32.0), np.zeros(n, bool), np.zeros(n), np.zeros(n), np.full(n, 5.0)
    )
    assert warm.mean() == pytest.approx(sensors.HIGHEST_SKIN_C, abs=0.05)


def test_a_fever_warms_the_nape_less_than_the_core_and_speeds_the_heart():
    n = 3 * 288
    awake = np.ones(n, bool)
    core = sensors.core_rise(awake, slice(288, 2 * 288), 2.0)
    assert core[:288].max() == 0
    assert core[2 * 288 - 1] == pytest.approx(2.0, abs=0.01)
    none = np.zeros(n, bool)
    with_fever = sensors.heart_rate(np.random.default_rng(0), np.zeros(n), none, none, awake, core)
    without = sensors.heart_rate(np.random.default_rng(0), np.zeros(n), none, none, awake, 0 * core)
    assert (with_fever - without)[2 * 288 - 1] == pytest.approx(18, abs=0.2)


def test_heart_sweat_and_posture_tell_of_the_life_behind_them(person: SimulatedPerson, timeline: Timeline):
    world, now = person.world, person.world.period
    start = np.datetime64(person.grid_start.replace(tzinfo=None), "ms")

    def at(series, level):
        return level[((series.time - start) / np.timedelta64(5, "m")).astype(int)]

    hr, eda = timeline.of("hr_bpm"), timeline.of("scl_microsiemens")
    assert np.corrcoef(hr.value, at(hr, world.arousal[now]))[0, 1] > 0.6
    assert np.corrcoef(eda.value, at(eda, relax(world.arousal[now], 8)))[0, 1] > 0.5
    flexion = timeline.of("head_flexion_deg")
    sitting = at(flexion, world.sitting[now])
    assert flexion.value[sitting].mean() > flexion.value[~sitting].mean() + 15
    pressure = timeline.of("station_pressure_hpa")
    assert np.abs(pressure.value - at(pressure, world.pressure_hpa[now])).max() <= 0.051


def test_sensors_on_the_skin_are_off_in_bed(person: SimulatedPerson, timeline: Timeline):
    awake = person.world.awake[person.world.period]
    start = np.datetime64(person.grid_start.replace(tzinfo=None), "ms")
    for name in ("neck_skin_temp_c", "scl_microsiemens"):
        series = timeline.of(name)
        assert awake[((series.time - start) // np.timedelta64(5, "m")).astype(int)].all()


def test_recorded_nights_end_on_waking(person: SimulatedPerson, timeline: Timeline):
    nights = timeline.exposures_of("sleep")
    slept = person.recording.sleep_h[np.isfinite(person.recording.sleep_h)]
    assert [(n.end - n.start).total_seconds() / 3600 for n in nights] == pytest.approx(slept, abs=0.02)
    wakings = person.world.wake_h[LEAD_DAYS:] - 24 * LEAD_DAYS
    hours = [(n.end - person.grid_start).total_seconds() / 3600 for n in nights]
    assert all(np.abs(wakings - hour).min() < 0.01 for hour in hours)


def test_the_same_seed_gives_the_same_records(person: SimulatedPerson, timeline: Timeline):
    again = to_timeline(person, np.random.default_rng(4))
    assert again.exposures == timeline.exposures
    assert again.ratings == timeline.ratings
    for one, other in zip(again.series, timeline.series, strict=True):
        assert np.array_equal(one.value, other.value)
        assert np.array_equal(one.time, other.time)

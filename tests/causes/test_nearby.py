from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.body.context import END_MIN, WINDOWS_MIN
from unaji.body.hypotheses import Sensor
from unaji.body.hypothesis_drivers import KnownBody
from unaji.causes.nearby import around, known_body, nearby
from unaji.causes.observed import fever_intervals, observed_time
from unaji.records.timeline import Episode, Exposure, Person, Rating, Series, Timeline, Zones, utc_ms

MIDNIGHT = datetime(2026, 3, 1, 15, tzinfo=UTC)
DAYS = 6


def at(day: float, hour: float = 0.0) -> datetime:
    return MIDNIGHT + timedelta(days=day, hours=hour)


def every_5_min(quantity: str, values, site: str) -> Series:
    time = utc_ms(MIDNIGHT) + np.arange(288 * DAYS) * np.timedelta64(300_000, "ms")
    return Series(quantity, time, np.broadcast_to(values, time.shape), site=site)


def timeline(**parts) -> Timeline:
    check_ins = tuple(Exposure(at(d, 21), "check_in") for d in range(DAYS))
    return Timeline(
        Person("p"), Zones(("Asia/Tokyo",)), **{**parts, "exposures": (*parts.get("exposures", ()), *check_ins)}
    )


def look(whole: Timeline, episode: Episode):
    grid = observed_time(whole).grid
    return nearby(episode, around(whole, grid), whole, grid, fever_intervals(whole))


@pytest.fixture(scope="module")
def nape():
    """33 °C with noise of 0.2 K, and half an hour 1 K warmer from 14:00 of the fourth day on."""
    skin = 33 + np.random.default_rng(1).normal(size=288 * DAYS) * 0.2
    skin[288 * 3 + 14 * 12 : 288 * 3 + 14 * 12 + 8] += 1.0
    return every_5_min("neck_skin_temp_c", skin, "nape")


def test_a_flush_near_the_onset_is_seen_with_its_spread(nape):
    episode = Episode(at(3, 14.05))
    found = look(timeline(series=(nape,), episodes=(episode,)), episode)
    assert found.shown["neck_skin_rise_k"] == pytest.approx(0.8, abs=0.25)
    assert found.shown["neck_skin_rise_sd_k"] == pytest.approx(0.2, rel=0.2)
    reading = found.measured.readings[Sensor.NAPE]
    assert reading.value[:2] == pytest.approx([0, 0], abs=0.25)
    assert reading.value[3:] == pytest.approx([1, 0.9], abs=0.25)
    # White noise of 0.2 K, averaged over the eight bins of the first window and the two of the second.
    assert np.sqrt(np.diag(reading.scatter))[:2] == pytest.approx([0.2 / np.sqrt(8), 0.2 / np.sqrt(2)], rel=0.25)
    assert not found.fever


def test_a_quiet_hour_shows_no_rise(nape):
    episode = Episode(at(2, 10))
    assert abs(look(timeline(series=(nape,), episodes=(episode,)), episode).shown["neck_skin_rise_k"]) < 0.25


def test_soon_after_another_episode_the_time_before_counts_as_not_measured(nape):
    first, second = Episode(at(2, 10)), Episode(at(2, 10.6))
    found = look(timeline(series=(nape,), episodes=(first, second)), second)
    assert np.isnan(found.measured.readings[Sensor.NAPE].value).tolist() == [last <= 0 for _, last in WINDOWS_MIN]


def test_what_is_usual_is_learnt_awake_and_not_from_the_charger():
    """By night the sensor lies in a cold room: a whole night of 20 °C must not become the usual skin."""
    hour = np.arange(288 * DAYS) / 12 % 24
    skin = np.where((hour < 6) | (hour > 23), 26.0, 33.0) + np.random.default_rng(1).normal(size=hour.size) * 0.1
    episode = Episode(at(3, 14))
    whole = timeline(series=(every_5_min("neck_skin_temp_c", skin, "nape"),), episodes=(episode,))
    assert look(whole, episode).shown["neck_skin_rise_k"] == pytest.approx(0, abs=0.2)


def test_nothing_measured_shows_nothing():
    episode = Episode(at(1, 10))
    found = look(timeline(episodes=(episode,)), episode)
    assert found.shown == {}
    assert found.measured.readings == {}
    assert not found.context.says_something


def test_air_outdoors_says_nothing_of_a_person_who_may_be_indoors():
    episode = Episode(at(1, 10))
    hot = every_5_min("air_temp_c", 35.0, "outdoor")
    assert not look(timeline(series=(hot,), episodes=(episode,)), episode).context.knows_air


def test_air_near_the_body_and_steps_make_the_excess_of_heat_and_the_forcing():
    episode = Episode(at(1, 10))
    warm = every_5_min("air_temp_c", 30.0, "near_body")
    at_rest = look(timeline(series=(warm,), episodes=(episode,)), episode)
    assert at_rest.shown["heat_excess_k"] == pytest.approx(30.0 - (0.7 * 26 + 0.3 * 34))
    assert at_rest.context.near_body
    assert np.all(at_rest.context.air_temp_c == 30.0)
    time = utc_ms(at(1, 9)) + np.arange(120) * np.timedelta64(60_000, "ms")
    steps = Series("steps", time, np.full(120, 100.0), end=time + np.timedelta64(60_000, "ms"))
    walking = look(timeline(series=(warm, steps), episodes=(episode,)), episode)
    assert walking.shown["heat_excess_k"] - at_rest.shown["heat_excess_k"] == pytest.approx(4 * 1.8)
    assert walking.context.met == pytest.approx(np.where(END_MIN > -60, 3.0, 1.2))


def test_the_forcing_is_that_of_its_moment():
    """Air that rises by a degree an hour: each step has the air of its own bin."""
    episode = Episode(at(2, 12))
    rising = every_5_min("air_temp_c", 10 + np.arange(288 * DAYS) / 12 % 24, "indoor")
    air = look(timeline(series=(rising,), episodes=(episode,)), episode).context.air_temp_c
    assert air == pytest.approx(10 + 12 + END_MIN / 60, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "hours_before", "amount", "span"),
    [
        ("hot_bath", 0.5, 20.0, (-30, -10)),
        ("hot_bath", 0.5, None, (-30, -15)),
        ("exercise", 1.5, 45.0, (-90, -45)),
        ("hot_bath", 2, 20.0, None),
        ("hot_bath", 0.5, 0.0, None),  # written down as none
        ("sun", 0.5, None, (-30, 30)),
    ],
)
def test_heat_logged_in_the_hour_before_is_part_of_the_forcing(kind, hours_before, amount, span):
    episode = Episode(at(1, 10))
    logged = Exposure(at(1, 10 - hours_before), kind, amount=amount)
    heat = look(timeline(exposures=(logged,), episodes=(episode,)), episode).context.heat
    assert [(h.kind, h.start_min, h.end_min) for h in heat] == ([(kind, *span)] if span else [])


def test_sitting_until_the_onset_and_a_stiff_neck_count_as_load():
    episode = Episode(at(1, 10))
    desk = timeline(exposures=(Exposure(at(1, 8), "desk_work", end=at(1, 9.5)),), episodes=(episode,))
    none = timeline(exposures=(Exposure(at(1, 9), "desk_work", amount=0.0),), episodes=(episode,))
    stiff = timeline(ratings=(Rating(at(1, 9), "neck_stiffness", 7),), episodes=(episode,))
    loose = timeline(ratings=(Rating(at(1, 9), "neck_stiffness", 5),), episodes=(episode,))
    assert [look(t, episode).context.load_min for t in (desk, stiff, loose, none)] == [
        ((-120, -30),),
        ((-120, 0),),
        (),
        (),
    ]


def test_a_bent_head_is_the_median_of_the_hour_before():
    episode = Episode(at(1, 10))
    bent = every_5_min("head_flexion_deg", 30.0, "head")
    found = look(timeline(series=(bent,), episodes=(episode,)), episode).context
    assert found.flexion_deg == 30.0
    assert found.knows_load


def body_temps(*readings: tuple[float, float]) -> Series:
    return Series("body_temp_c", [utc_ms(at(day)) for day, _ in readings], [value for _, value in readings])


def test_a_body_temperature_is_compared_with_the_person_s_others():
    mornings = [(d + 0.3, 36.2) for d in (0, 1, 4, 5, 5.1)]
    episode = Episode(at(2.8))
    found = look(timeline(series=(body_temps(*sorted([*mornings, (2.79, 36.9)])),), episodes=(episode,)), episode)
    reading = found.measured.readings[Sensor.CORE]
    assert reading.value == pytest.approx([0.7])
    assert found.measured.core_is_near
    assert 0.2 < np.sqrt(reading.scatter[0, 0]) < 0.35


def test_a_lone_body_temperature_is_compared_with_people_at_large_and_is_less_sure():
    episode = Episode(at(2.8))
    found = look(timeline(series=(body_temps((2.6, 37.2)),), episodes=(episode,)), episode)
    reading = found.measured.readings[Sensor.CORE]
    assert reading.value == pytest.approx([0.6])
    assert reading.scatter == pytest.approx(np.array([[0.35**2]]))
    assert not found.measured.core_is_near


def test_the_person_s_file_gives_the_known_body():
    who = Person("p", birth_year=1986, sex="female", height_cm=160.0, weight_kg=55.0)
    whole = Timeline(who, Zones(("Asia/Tokyo",)), episodes=(Episode(at(1)),))
    assert known_body(whole) == KnownBody(1.6, 55.0, 40.0, female=True)
    assert known_body(timeline()) == KnownBody()


def fevered(value: float) -> Series:
    return Series("body_temp_c", [utc_ms(at(2, 8))], [value])


@pytest.mark.parametrize(("hour", "fever"), [(2, True), (19, True), (21, False)])
def test_half_a_day_around_fever_is_fever_and_one_rule_decides_it(hour, fever):
    episode = Episode(at(2, hour))
    found = look(timeline(series=(fevered(38.6),), episodes=(episode,)), episode)
    assert found.fever is fever
    assert ("core_temp_c" in found.shown) is fever


def test_a_date_alone_is_fever_when_its_noon_is():
    same, next_day = Episode(at(2), whole_day=True), Episode(at(3), whole_day=True)
    whole = timeline(series=(fevered(38.6),), episodes=(same, next_day))
    assert [look(whole, e).fever for e in (same, next_day)] == [True, False]
    assert look(whole, same).shown == {"core_temp_c": 38.6}


def test_a_warm_reading_below_38_is_shown_and_no_fever():
    episode = Episode(at(2, 9))
    found = look(timeline(series=(fevered(37.6),), episodes=(episode,)), episode)
    assert (found.fever, found.shown["core_temp_c"]) == (False, 37.6)


def test_the_course_of_the_skin_is_what_the_rise_is_the_mean_of(nape):
    """From ten minutes before to half an hour after, the steps on the course have the mean difference on the card."""
    episode = Episode(at(3, 14.05))  # three minutes into a step
    found = look(timeline(series=(nape,), episodes=(episode,)), episode)
    skin = found.skin
    after = np.array(skin.after_min)
    assert after == pytest.approx(np.arange(-55.5, 60, 5))  # 13:05 to 13:10 is 55.5 minutes before 14:03
    rise = np.array(skin.measured_c) - np.array(skin.expected_c)
    in_window = (after > -11) & (after < 27)  # the steps that begin from 13:50 to 14:25
    assert rise[in_window].mean() == pytest.approx(found.shown["neck_skin_rise_k"])
    assert np.array(skin.expected_c) == pytest.approx(33, abs=0.1)
    assert skin.sd_k == found.shown["neck_skin_rise_sd_k"]

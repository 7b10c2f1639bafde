from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes.nearby import around, nearby
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
    assert found.for_pathway.nape_rise_k == pytest.approx(0.8, abs=0.25)
    assert found.shown["neck_skin_rise_sd_k"] == pytest.approx(0.2, rel=0.2)
    assert not found.fever


def test_a_quiet_hour_shows_no_rise(nape):
    episode = Episode(at(2, 10))
    assert abs(look(timeline(series=(nape,), episodes=(episode,)), episode).for_pathway.nape_rise_k) < 0.25


def test_nothing_measured_shows_nothing():
    episode = Episode(at(1, 10))
    found = look(timeline(episodes=(episode,)), episode)
    assert found.shown == {}
    assert found.for_pathway.heat_excess_k is None
    assert not found.for_pathway.logged_heat


def test_air_outdoors_says_nothing_of_a_person_who_may_be_indoors():
    episode = Episode(at(1, 10))
    hot = every_5_min("air_temp_c", 35.0, "outdoor")
    assert look(timeline(series=(hot,), episodes=(episode,)), episode).for_pathway.heat_excess_k is None


def test_air_near_the_body_and_steps_make_the_excess_of_heat():
    episode = Episode(at(1, 10))
    warm = every_5_min("air_temp_c", 30.0, "near_body")
    at_rest = look(timeline(series=(warm,), episodes=(episode,)), episode)
    assert at_rest.shown["heat_excess_k"] == pytest.approx(30.0 - (0.7 * 26 + 0.3 * 34))
    time = utc_ms(at(1, 9)) + np.arange(120) * np.timedelta64(60_000, "ms")
    steps = Series("steps", time, np.full(120, 100.0), end=time + np.timedelta64(60_000, "ms"))
    walking = look(timeline(series=(warm, steps), episodes=(episode,)), episode)
    assert walking.shown["heat_excess_k"] - at_rest.shown["heat_excess_k"] == pytest.approx(4 * 1.8)


@pytest.mark.parametrize(
    ("kind", "hours_before", "seen"), [("hot_bath", 0.5, True), ("hot_bath", 2, False), ("sun", 0.5, True)]
)
def test_heat_logged_in_the_hour_before_counts(kind, hours_before, seen):
    episode = Episode(at(1, 10))
    bath = Exposure(at(1, 10 - hours_before), kind)
    assert look(timeline(exposures=(bath,), episodes=(episode,)), episode).for_pathway.logged_heat is seen


def test_sitting_until_the_onset_and_a_stiff_neck_count_as_load():
    episode = Episode(at(1, 10))
    desk = timeline(exposures=(Exposure(at(1, 8), "desk_work", end=at(1, 9.5)),), episodes=(episode,))
    stiff = timeline(ratings=(Rating(at(1, 9), "neck_stiffness", 7),), episodes=(episode,))
    loose = timeline(ratings=(Rating(at(1, 9), "neck_stiffness", 5),), episodes=(episode,))
    assert [look(t, episode).for_pathway.logged_load for t in (desk, stiff, loose)] == [True, True, False]


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

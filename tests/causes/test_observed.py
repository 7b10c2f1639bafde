from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes.grid import bin_of
from unaji.causes.observed import observed_time
from unaji.records.timeline import (
    Episode,
    Exposure,
    Interval,
    Person,
    Rating,
    Series,
    Timeline,
    Treatment,
    Zones,
    utc_ms,
)

TOKYO = Zones(("Asia/Tokyo",))
MIDNIGHT = datetime(2026, 3, 1, 15, tzinfo=UTC)


def at(day: float, hour: float = 0.0) -> datetime:
    return MIDNIGHT + timedelta(days=day, hours=hour)


def timeline(**parts) -> Timeline:
    return Timeline(Person("p", timezone="Asia/Tokyo"), TOKYO, **parts)


def hours_observed(found, day: int) -> float:
    grid = found.grid
    first = int(grid.day[bin_of(grid, at(day, 1))])
    return float(grid.observed[grid.day == first].sum()) / 12


def test_a_day_without_any_entry_is_unobserved_not_empty():
    ratings = tuple(Rating(at(d, 12), "stress", 3.0) for d in (0, 1, 3))
    found = observed_time(timeline(ratings=ratings))
    assert [hours_observed(found, d) for d in range(4)] == [16, 16, 0, 16]
    assert not found.every_day_assumed


def test_a_check_in_shows_that_nothing_happened():
    check_in = (Exposure(at(0, 21), "check_in"), Exposure(at(2, 21), "check_in"))
    found = observed_time(timeline(exposures=check_in))
    assert [hours_observed(found, d) for d in range(3)] == [16, 0, 16]


def test_when_only_episodes_are_logged_every_day_between_counts_and_that_is_said():
    found = observed_time(timeline(episodes=(Episode(at(0, 10)), Episode(at(4, 10)))))
    assert [hours_observed(found, d) for d in range(5)] == [16] * 5
    assert found.every_day_assumed


def test_recorded_sleep_is_unobserved_and_nights_without_record_are_assumed():
    sleep = Exposure(at(0, 23.5), "sleep", end=at(1, 5.5))
    check_ins = tuple(Exposure(at(d, 20), "check_in") for d in range(3))
    found = observed_time(timeline(exposures=(sleep, *check_ins)))
    grid = found.grid
    assert grid.observed[bin_of(grid, at(1, 6))]
    assert not grid.observed[bin_of(grid, at(1, 5))]
    assert not grid.observed[bin_of(grid, at(2, 6))]
    assert found.nights_assumed == 3  # into day 0, into day 2, and out of it


def test_a_sleep_record_alone_does_not_make_a_diary_day():
    sleep = tuple(Exposure(at(d - 1, 23), "sleep", end=at(d, 7)) for d in range(1, 4))
    found = observed_time(timeline(exposures=(*sleep, Exposure(at(1, 9), "caffeine"))))
    assert hours_observed(found, 1) == 16
    assert hours_observed(found, 0) == 0


def test_stated_observed_time_is_taken_as_it_is():
    found = observed_time(timeline(episodes=(Episode(at(0, 3)),), observed=(Interval(at(0, 2.75), at(0, 3.25)),)))
    assert found.grid.observed.sum() == 6


def test_fever_and_half_a_day_around_it_are_left_out():
    temperature = Series("body_temp_c", [utc_ms(at(1, 12))], [38.0])
    check_ins = tuple(Exposure(at(d, 20), "check_in") for d in range(3))
    found = observed_time(timeline(series=(temperature,), exposures=check_ins))
    assert [hours_observed(found, d) for d in range(3)] == [16, 0, 16]
    assert len(found.fever) == 1


def test_a_warm_but_not_feverish_reading_leaves_nothing_out():
    temperature = Series("body_temp_c", [utc_ms(at(1, 12))], [37.9])
    found = observed_time(timeline(series=(temperature,), exposures=(Exposure(at(1, 20), "check_in"),)))
    assert found.fever == ()


def test_the_grid_reaches_back_before_the_diary_only_where_something_was_recorded():
    weather = Series("air_temp_c", [utc_ms(at(-30))], [5.0])
    with_past = observed_time(timeline(series=(weather,), exposures=(Exposure(at(0, 20), "check_in"),)))
    without = observed_time(timeline(exposures=(Exposure(at(0, 20), "check_in"),)))
    assert with_past.grid.n_days == 3
    assert without.grid.n_days == 1
    assert not with_past.grid.observed[with_past.grid.day < 2].any()


def test_without_a_diary_the_period_is_that_of_the_measurements():
    weather = Series("air_temp_c", [utc_ms(at(0, 5)), utc_ms(at(2, 5))], [5.0, 6.0])
    found = observed_time(timeline(series=(weather,)))
    assert found.period == Interval(at(0), at(3))


def test_nothing_recorded_gives_nothing():
    assert observed_time(timeline()) is None


def test_a_session_long_before_the_diary_does_not_make_its_days_observed():
    treatments = (Treatment(at(-90, 10), "acupuncture"), Treatment(at(30), "acupuncture"))
    found = observed_time(timeline(treatments=treatments, episodes=(Episode(at(0, 9)), Episode(at(4, 9)))))
    assert (found.period.end - found.period.start).days == 5
    assert found.grid.observed.sum() == 5 * 16 * 12


def test_a_stated_interval_is_the_period_to_its_end():
    found = observed_time(timeline(observed=(Interval(at(0), at(30)),)))
    assert found.grid.observed.sum() == 30 * 288


@pytest.mark.parametrize("names", [("Europe/London", "Asia/Tokyo"), ("America/Los_Angeles", "Asia/Tokyo")])
def test_a_flight_east_may_take_a_night_away(names):
    """At 19:00 UTC the wall clock jumps past 07:00 of the next day before 23:00 of the old one has come."""
    flight = datetime(2026, 3, 4, 19, tzinfo=UTC)
    check_ins = tuple(Exposure(flight + timedelta(days=d, hours=3), "check_in") for d in range(-3, 4))
    found = observed_time(Timeline(Person("p"), Zones(names, (flight,)), exposures=check_ins))
    assert found.grid.observed.any()
    assert (np.diff(found.grid.day) >= 0).all()

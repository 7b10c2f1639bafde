from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes.exposures import _Person, design_of, exposure
from unaji.causes.grid import bin_of
from unaji.causes.observed import observed_time
from unaji.claims.graph import load_claims
from unaji.claims.model import Reading, Signal, Transform
from unaji.quantities import EXPOSURES
from unaji.records.timeline import Episode, Exposure, Person, Rating, Series, Timeline, Zones

MIDNIGHT = datetime(2026, 3, 1, 15, tzinfo=UTC)
ZONES = Zones(("Asia/Tokyo",))


def at(day: float, hour: float = 0.0) -> datetime:
    return MIDNIGHT + timedelta(days=day, hours=hour)


def hourly(quantity: str, values: list[float], **kwargs) -> Series:
    time = np.datetime64(MIDNIGHT.replace(tzinfo=None), "ms") + np.arange(len(values)) * np.timedelta64(3_600_000, "ms")
    return Series(quantity, time, values, **kwargs)


def person_of(**parts) -> _Person:
    check_ins = tuple(Exposure(at(d, 20), "check_in") for d in range(4))
    timeline = Timeline(Person("p"), ZONES, **{**parts, "exposures": (*parts.get("exposures", ()), *check_ins)})
    return _Person(timeline, None, observed_time(timeline).grid, EXPOSURES)


def value_at(values: np.ndarray, person: _Person, day: float, hour: float) -> float:
    return float(values[bin_of(person.grid, at(day, hour))])


def test_a_fall_is_counted_over_its_time_and_a_rise_is_none():
    pressure = [1010.0] * 12 + [1010.0 - k for k in range(12)] + [999.0] * 72
    person = person_of(series=(hourly("station_pressure_hpa", pressure),))
    signal = Signal(Reading.QUANTITY, ("station_pressure_hpa",), Transform.FALL, over_min=360, hold_min=90)
    fall = exposure(signal, "level", person)
    assert value_at(fall, person, 0, 18) == pytest.approx(6)
    assert value_at(fall, person, 0, 12) == 0
    assert np.isnan(value_at(fall, person, 0, 5))  # six hours before there was no barometer
    rise = exposure(
        Signal(Reading.QUANTITY, ("station_pressure_hpa",), Transform.RISE, 360, hold_min=90), "level", person
    )
    assert value_at(rise, person, 0, 18) == 0


def test_no_change_is_taken_from_one_barometer_to_another():
    low, high = (
        hourly("station_pressure_hpa", [1000.0] * 24, source="jma:1"),
        hourly("station_pressure_hpa", [1009.0] * 48),
    )
    moved = Series("station_pressure_hpa", high.time[24:], high.value[24:], source="jma:2")
    person = person_of(series=(low, moved))
    signal = Signal(Reading.QUANTITY, ("station_pressure_hpa",), Transform.CHANGE, over_min=360, hold_min=60)
    change = exposure(signal, "level", person)
    assert np.nanmax(change) == 0
    assert np.isnan(value_at(change, person, 1, 2))
    assert value_at(change, person, 1, 8) == 0


def test_a_daily_mean_says_nothing_of_a_fall_within_hours():
    days = np.datetime64(MIDNIGHT.replace(tzinfo=None), "ms") + np.arange(4) * np.timedelta64(86_400_000, "ms")
    daily = Series("station_pressure_hpa", days, [1010, 1000, 990, 980], end=days + np.timedelta64(86_400_000, "ms"))
    person = person_of(series=(daily,))
    fall = Signal(Reading.QUANTITY, ("station_pressure_hpa",), Transform.FALL, over_min=360, hold_min=180)
    assert np.isnan(exposure(fall, "level", person)).all()
    level = exposure(Signal(Reading.QUANTITY, ("station_pressure_hpa",)), "level", person)
    assert value_at(level, person, 2, 13) == 990


def test_the_best_site_that_was_measured_is_taken():
    outdoor, near = (
        hourly("air_temp_c", [5.0] * 96, site="outdoor"),
        hourly("air_temp_c", [24.0] * 96, site="near_body"),
    )
    signal = Signal(Reading.QUANTITY, ("air_temp_c",), hold_min=60, sites=("near_body", "indoor", "", "outdoor"))
    both, cold = person_of(series=(outdoor, near)), person_of(series=(outdoor,))
    assert value_at(exposure(signal, "level", both), both, 1, 3) == 24
    assert value_at(exposure(signal, "level", cold), cold, 1, 3) == 5


def test_the_strongest_of_several_feelings_counts_and_is_held():
    person = person_of(ratings=(Rating(at(0, 10), "anger", 7.0), Rating(at(0, 10), "fear", 2.0)))
    value = exposure(Signal(Reading.RATING, ("anger", "fear"), hold_min=360), "level", person)
    assert value_at(value, person, 0, 15.9) == 7
    assert np.isnan(value_at(value, person, 0, 16.2))
    assert np.isnan(value_at(value, person, 0, 9))


def test_sitting_builds_up_and_wears_off():
    person = person_of(exposures=(Exposure(at(0, 9), "desk_work", end=at(0, 11)),))
    signal = Signal(Reading.EXPOSURE, ("desk_work",), Transform.BUILD_UP, over_min=40)
    load = exposure(signal, "level", person)
    assert value_at(load, person, 0, 9 + 40 / 60 - 1 / 60) == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert value_at(load, person, 0, 11 + 40 / 60 - 1 / 60) == pytest.approx((1 - np.exp(-3)) * np.exp(-1), abs=0.03)


def test_doses_stand_in_the_bin_of_their_intake_and_empty_amounts_mean_one_or_the_minutes_it_lasted():
    person = person_of(
        exposures=(
            Exposure(at(0, 8), "caffeine"),
            Exposure(at(0, 8.02), "caffeine", amount=2.0),
            Exposure(at(1, 18), "exercise", end=at(1, 18.75)),
        )
    )
    coffee = exposure(Signal(Reading.EXPOSURE, ("caffeine",)), "dose", person)
    sport = exposure(Signal(Reading.EXPOSURE, ("exercise",)), "dose", person)
    assert value_at(coffee, person, 0, 8) == 3
    assert value_at(coffee, person, 0, 9) == 0
    assert value_at(sport, person, 1, 18) == 45


def test_what_was_never_logged_is_missing_not_absent():
    person = person_of()
    assert np.isnan(exposure(Signal(Reading.EXPOSURE, ("alcohol",)), "dose", person)).all()
    assert np.isnan(exposure(Signal(Reading.EXPOSURE, ("phone",)), "level", person)).all()


def test_sleep_debt_adds_up_the_hours_below_need_and_forgets_some_each_day():
    nights = tuple(
        Exposure(at(d - 1, 24 - h / 2), "sleep", end=at(d, h / 2)) for d, h in ((1, 5.4), (2, 7.4), (3, 9.4))
    )
    person = person_of(exposures=nights)
    debt = exposure(Signal(Reading.EXPOSURE, ("sleep",), Transform.DEBT, above=7.4, hold_min=1440), "level", person)
    assert value_at(debt, person, 1, 12) == pytest.approx(2.0)
    assert value_at(debt, person, 2, 12) == pytest.approx(1.2)
    assert value_at(debt, person, 3, 12) == 0
    assert np.isnan(value_at(debt, person, 0, 12))


def test_chronic_stress_forgets_over_weeks():
    ratings = tuple(Rating(at(d, 12), "stress", 8.0 if d < 2 else 2.0) for d in range(4))
    person = person_of(ratings=ratings)
    signal = Signal(Reading.RATING, ("stress",), Transform.LEAKY_MEAN, over_min=14 * 1440, hold_min=1440)
    mean = exposure(signal, "level", person)
    assert value_at(mean, person, 1, 13) == pytest.approx(8)
    weights = np.exp(-np.arange(4 * 288 - 144)[::-1] * 5 / (14 * 1440))
    levels = np.where(np.arange(weights.size) < 576, 8.0, 2.0)
    assert mean[-1] == pytest.approx(weights @ levels / weights.sum(), rel=1e-6)


def test_every_claimed_cause_is_on_the_design_and_what_is_missing_is_named():
    timeline = Timeline(
        Person("p"),
        ZONES,
        episodes=(Episode(at(1, 10)),),
        ratings=tuple(Rating(at(d, 9), "stress", 3) for d in range(3)),
    )
    claims = load_claims("neck_heat")
    design = design_of(timeline, claims, None, observed_time(timeline))
    assert [t.id for t in design.triggers] == [c.id for c in claims.causes]
    assert "pressure_drop" in design.missing
    assert "stress" not in design.missing
    assert {t.id: t.lag_min for t in design.triggers}["stress"] == claims.cause("stress").lag_min


def test_an_episode_within_fever_takes_no_part():
    stamp = np.datetime64(at(1, 12).replace(tzinfo=None), "ms")
    timeline = Timeline(
        Person("p"), ZONES, series=(Series("core_temp_c", [stamp], [38.6]),),
        episodes=(Episode(at(1, 15)), Episode(at(3, 10))), exposures=(Exposure(at(2, 20), "check_in"),),
    )  # fmt: skip
    design = design_of(timeline, load_claims("neck_heat"), None, observed_time(timeline))
    assert [o.time for o in design.onsets] == [at(3, 10)]


def test_more_of_what_a_person_marked_as_unsafe_is_not_to_be_asked_for():
    for unsafe, may in (((), ("avoid", "seek")), (("exercise",), ("avoid",))):
        timeline = Timeline(Person("p", unsafe=unsafe), ZONES, episodes=(Episode(at(1)),))
        design = design_of(timeline, load_claims("neck_heat"), None, observed_time(timeline))
        assert {t.id: t.may for t in design.triggers}["exercise"] == may

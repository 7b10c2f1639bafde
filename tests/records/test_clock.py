"""Wall clocks and offsets become the right instants, also where the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.records.clock import Clock, iso_local
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Zones, from_utc_ms, utc_ms

NOW = datetime(2025, 6, 1, tzinfo=UTC)
NEW_YORK = Clock(Zones(("America/New_York",)), NOW)


def read(cells, clock=NEW_YORK, **options):
    log = ProblemLog()
    time = clock.read(pl.Series(cells, dtype=pl.String), "f.csv", log, **options).time
    return [None if np.isnat(t) else from_utc_ms(t).isoformat() for t in time], [str(p) for p in log.problems()]


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T08:05:00-04:00", "2024-05-01T12:05:00Z", "2024-05-01T12:05Z", "2024-05-01T21:05:00.000+0900",
        "2024-05-01 08:05:00", "2024-05-01 08:05", "2024-05-01T08:05", "2024/5/1 8:05", " 2024-05-01  08:05:00 ",
        "2024-05-01 21:05:00 +09:00", "2024-05-01T12:05:00.0004Z",
    ],
)  # fmt: skip
def test_one_moment_in_many_spellings(text):
    assert read([text]) == (["2024-05-01T12:05:00+00:00"], [])


@pytest.mark.parametrize("text", ["", "yesterday", "2024-02-30T08:00", "8:05", "2024-05-01T25:00", "1714550700"])
def test_what_is_no_time_is_not_guessed(text):
    assert read([text]) == ([None], [])


def test_the_hour_that_occurs_twice_is_the_first_unless_the_order_shows_the_second():
    times, (remark,) = read(["2024-11-03T00:30", "2024-11-03T01:00", "2024-11-03T01:30", "2024-11-03T01:00",
                             "2024-11-03T01:30", "2024-11-03T02:00"])  # fmt: skip
    assert [t[11:16] for t in times] == ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00"]
    assert remark.startswith("f.csv: found '4': times lie in the hour that occurs twice")
    assert "2 taken as the first, 2 as the second by their order" in remark


def test_an_hourly_sensor_shows_the_second_pass_by_repeating_itself():
    hourly = ["2024-11-03T00:00", "2024-11-03T01:00", "2024-11-03T01:00", "2024-11-03T02:00"]
    assert [t[11:13] for t in read(hourly, equal_means_later=True)[0]] == ["04", "05", "06", "07"]
    assert [t[11:13] for t in read(hourly)[0]] == ["04", "05", "05", "07"]  # two things noted at one time


@pytest.mark.parametrize("sensor", [False, True])
def test_a_file_with_its_newest_rows_first_says_the_same_as_in_order(sensor):
    night = np.arange("2024-11-03T04:30", "2024-11-03T07:30", 20, dtype="datetime64[m]")  # UTC
    walls = [str(t - np.timedelta64(4 if t < np.datetime64("2024-11-03T06:00") else 5, "h")) for t in night]
    for cells, expected in ((walls, night), (walls[::-1], night[::-1])):
        times, (remark,) = read(cells, equal_means_later=sensor)
        assert [t[:16] for t in times] == [str(t) for t in expected]
        assert "3 taken as the first, 3 as the second by their order" in remark


def test_an_hourly_sensor_with_its_newest_rows_first_shows_the_second_pass_too():
    hourly = ["2024-11-03T02:00", "2024-11-03T01:00", "2024-11-03T01:00", "2024-11-03T00:00"]
    assert [t[11:13] for t in read(hourly, equal_means_later=True)[0]] == ["07", "06", "05", "04"]


def test_one_step_back_is_no_file_with_its_newest_rows_first():
    assert [t[11:16] for t in read(["2024-11-03T01:50", "2024-11-03T01:20"])[0]] == ["05:50", "06:20"]


def test_rows_in_no_order_are_not_taken_for_the_second_pass():
    assert read(["2024-12-01T08:00", "2024-11-03T01:30"])[0][1] == "2024-11-03T05:30:00+00:00"


def test_the_hour_skipped_in_spring_is_moved_forward_and_told():
    times, (remark,) = read(["2024-03-10T01:59", "2024-03-10T02:30", "2024-03-10T03:00"])
    assert [t[11:16] for t in times] == ["06:59", "07:30", "07:00"]
    assert remark == (
        "f.csv: found '1': times lie in the hour skipped when summer time begins; they were moved forward"
    )


def test_a_date_is_a_whole_local_day_of_23_hours_in_spring():
    (start,), _ = read(["2024-03-10"])
    (end,), _ = read(["2024-03-10"], date_at_hour=24)
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(hours=23)


wall_clocks = st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1)) | st.tuples(
    st.sampled_from(
        [datetime(2024, 3, 10, 2), datetime(2024, 11, 3, 1), datetime(2024, 10, 6, 2), datetime(2024, 4, 7, 2)]
    ),
    st.integers(-200, 200),
).map(lambda t: t[0] + timedelta(minutes=t[1]))


@given(
    wall_clocks,
    st.sampled_from([("Australia/Lord_Howe", "Asia/Tokyo"), ("Asia/Tokyo", "America/New_York")]),
    wall_clocks,
)
def test_travel_is_read_as_the_timeline_reads_it(wall, names, moved):
    zones = Zones(names, (moved.replace(tzinfo=UTC),))
    (got,) = Clock(zones, NOW).from_wall(np.array([wall], "datetime64[ms]"), "f", ProblemLog())
    assert got == utc_ms(zones.to_utc(from_utc_ms(np.datetime64(wall, "ms")).replace(tzinfo=None)))


@given(
    st.lists(wall_clocks, min_size=1, max_size=8).map(sorted),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe"]),
)
def test_times_in_order_are_each_read_as_the_timeline_reads_one(walls, name):
    column = np.array(walls, "datetime64[ms]")
    got = Clock(Zones((name,)), NOW).from_wall(column, "f", ProblemLog())
    assert [from_utc_ms(t) for t in got] == [Zones((name,)).to_utc(wall.item()) for wall in column]


def test_after_a_flight_the_new_clock_holds():
    zones = Zones(("Asia/Tokyo", "America/New_York"), (datetime(2024, 5, 1, 12, tzinfo=UTC),))
    times, problems = read(["2024-05-01T20:00", "2024-05-01T09:00", "2024-05-02T09:00"], Clock(zones, NOW))
    assert times == ["2024-05-02T00:00:00+00:00", "2024-05-01T13:00:00+00:00", "2024-05-02T13:00:00+00:00"]
    assert problems == []


def test_writing_uses_the_clock_of_the_place():
    zones = Zones(("Asia/Tokyo", "America/New_York"), (datetime(2024, 5, 1, 12, tzinfo=UTC),))
    assert iso_local(datetime(2024, 5, 1, 11, tzinfo=UTC), zones) == "2024-05-01T20:00:00+09:00"
    assert iso_local(datetime(2024, 5, 1, 13, 0, 0, 5000, tzinfo=UTC), zones) == "2024-05-01T09:00:00.005-04:00"


def test_parquet_timestamps_without_zone_are_wall_clock():
    cells = pl.Series([datetime(2024, 5, 1, 8, 5)], dtype=pl.Datetime("us"))
    assert from_utc_ms(NEW_YORK.read(cells, "f", ProblemLog()).time[0]) == datetime(2024, 5, 1, 12, 5, tzinfo=UTC)
    aware = cells.dt.replace_time_zone("Asia/Tokyo")
    assert from_utc_ms(NEW_YORK.read(aware, "f", ProblemLog()).time[0]) == datetime(2024, 4, 30, 23, 5, tzinfo=UTC)


def test_every_minute_of_a_year_against_the_standard_library():
    zone = ZoneInfo("Europe/Berlin")
    walls = np.arange("2024-01-01", "2025-01-01", 17, dtype="datetime64[m]").astype("datetime64[ms]")
    walls = walls[[wall.item().replace(tzinfo=zone).utcoffset() == wall.item().replace(tzinfo=zone, fold=1).utcoffset()
                   for wall in walls]]  # fmt: skip
    got = Clock(Zones(("Europe/Berlin",)), NOW).from_wall(walls, "f", ProblemLog())
    expected = [utc_ms(wall.item().replace(tzinfo=zone)) for wall in walls]
    assert (got == np.array(expected)).all()

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from unaji.causes.design import Onset
from unaji.causes.grid import bin_of, bins_of_day, make_grid, mask_of, merge_onsets, open_for_onsets, with_observed
from unaji.records.timeline import Interval, Zones

TOKYO = Zones(("Asia/Tokyo",))
START = datetime(2026, 3, 1, 15, tzinfo=UTC)  # midnight of 2 March, a Monday, in Tokyo


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_bins_begin_at_local_midnight_and_fill_whole_days():
    grid = make_grid(at(9.2), at(40), TOKYO)
    assert grid.n_bins == 2 * 288
    assert grid.time[0] == np.datetime64("2026-03-01T15:00", "ms")
    assert list(np.unique(grid.day)) == [0, 1]
    assert grid.local_hour[1] == pytest.approx(5 / 60)
    assert not grid.day_off.any()


def test_saturday_and_sunday_are_days_off():
    grid = make_grid(START, at(24 * 6.5), TOKYO)
    assert [bool(grid.day_off[grid.day == d].all()) for d in range(7)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_a_day_on_which_the_clock_changes_has_23_or_25_hours(month, day, hours):
    zone = Zones(("Europe/Berlin",))
    noon = datetime(2026, month, day, 11, tzinfo=UTC)
    grid = make_grid(noon - timedelta(days=1), noon + timedelta(days=1), zone)
    assert [(grid.day == d).sum() / 12 for d in range(3)] == [24, hours, 24]
    assert grid.local_hour[grid.day == 1][-1] == pytest.approx(23 + 55 / 60)


def test_flying_west_repeats_an_hour_of_the_day_but_never_the_day_before():
    zones = Zones(("Asia/Tokyo", "Europe/London"), (at(30),))
    grid = make_grid(START, at(70), zones)
    assert (np.diff(grid.day) >= 0).all()
    assert grid.local_hour[bin_of(grid, at(31))] == pytest.approx(22)  # 07:00 in Tokyo is 22:00 in London


def test_a_grid_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before its start"):
        make_grid(START, at(-1), TOKYO)


def test_intervals_mark_the_bins_whose_middle_they_hold():
    grid = make_grid(START, at(3), TOKYO)
    mask = mask_of(grid, [Interval(at(1), at(2)), Interval(at(1.5), at(2.5))])
    assert mask.sum() == 18
    assert mask[12]
    assert not mask[30]


def test_onsets_within_a_quarter_of_an_hour_are_one_episode():
    kept, merged = merge_onsets([Onset(at(5.2)), Onset(at(5)), Onset(at(6))])
    assert [o.time for o in kept] == [at(5), at(6)]
    assert merged == 1


def test_a_night_episode_opens_the_time_around_it():
    grid = make_grid(START, at(20), TOKYO)
    asleep = with_observed(grid, grid.local_hour >= 7)
    opened, outside = open_for_onsets(asleep, [Onset(at(3)), Onset(at(10))])
    assert outside == 1
    assert opened.observed.sum() - asleep.observed.sum() == 13
    assert opened.observed[bin_of(grid, at(3))]


def test_while_an_episode_lasts_no_new_one_is_expected():
    grid = make_grid(START, at(20), TOKYO)
    closed, outside = open_for_onsets(grid, [Onset(at(10), end=at(12))])
    assert outside == 0
    assert closed.observed[bin_of(grid, at(10.4))]  # within half an hour the onset itself may still lie
    assert not closed.observed[bin_of(grid, at(11))]
    assert closed.observed[bin_of(grid, at(12.2))]


def test_an_episode_known_by_its_date_opens_an_unobserved_day_as_a_whole():
    grid = make_grid(START, at(40), TOKYO)
    dark = with_observed(grid, grid.day == 0)
    opened, outside = open_for_onsets(dark, [Onset(at(24), whole_day=True)])
    assert outside == 1
    assert opened.observed.all()


def test_the_bins_of_a_day_are_those_labelled_so_also_where_the_clock_changes():
    grid = make_grid(datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC), Zones(("Europe/London",)))
    for at_bin in range(0, grid.n_bins, 100):
        assert np.array_equal(
            np.arange(grid.n_bins)[bins_of_day(grid, at_bin)], np.flatnonzero(grid.day == grid.day[at_bin])
        )
    assert {len(range(*bins_of_day(grid, b).indices(grid.n_bins))) for b in range(grid.n_bins)} == {288, 276}


def test_a_record_that_ends_on_the_day_of_a_flight_west_keeps_that_day():
    """Tokyo to London at 14:00: the local day lasts 33 hours."""
    flight = datetime(2026, 3, 4, 5, tzinfo=UTC)
    zones = Zones(("Asia/Tokyo", "Europe/London"), (flight,))
    for start in (flight - timedelta(days=3), flight - timedelta(hours=1)):
        grid = make_grid(start, flight + timedelta(hours=15), zones)
        assert 0 <= bin_of(grid, flight + timedelta(hours=15)) < grid.n_bins


@pytest.mark.parametrize(
    ("zone", "year", "month", "day"), [("America/Santiago", 2024, 9, 8), ("Africa/Cairo", 2024, 4, 26)]
)
def test_labels_are_those_of_the_clock_where_it_changes_at_midnight(zone, year, month, day):
    start = datetime(year, month, day, 12, tzinfo=UTC)
    zones = Zones((zone,))
    grid = make_grid(start, start + timedelta(days=3), zones)
    for b in (0, 100, 700):
        local = zones.local(grid.time[b].astype(datetime).replace(tzinfo=UTC))
        assert grid.local_hour[b] == pytest.approx(local.hour + local.minute / 60)


def test_the_end_of_an_episode_does_not_bias_where_its_onset_may_lie():
    grid = make_grid(START, at(20), TOKYO)
    long, unknown = (open_for_onsets(grid, [Onset(at(10), end=end)])[0] for end in (at(13), None))
    near = slice(bin_of(grid, at(9.5)), bin_of(grid, at(10.5)))
    assert (long.observed[near] == unknown.observed[near]).all()
    assert not long.observed[bin_of(grid, at(12))]

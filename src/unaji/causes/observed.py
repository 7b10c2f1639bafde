"""When would an episode have been logged? Worked out from sleep, diary days and check-ins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from unaji.causes.design import Grid
from unaji.causes.grid import make_grid, mask_of, with_observed
from unaji.records.merge import union
from unaji.records.timeline import BoolArray, Interval, Timeline

WAKE, BED = time(7), time(23)
"""Assumed where a night has no sleep record."""
SHORTEST_NIGHT = timedelta(hours=2)
BODY_TEMPERATURES = ("core_temp_c", "body_temp_c")
FEVER_C = 38.0
"""Body temperature from which an episode is fever's and no other cause is asked [°C]."""
FEVER_REACH = timedelta(hours=12)
PRE_ROLL = timedelta(days=2)
"""Exposures before the diary begins still act in it; no episode is expected there."""
AUTOMATIC = ("sleep", "event_mark")
"""Kinds of exposure a device may write by itself: they do not show that the diary was in use."""


@dataclass(frozen=True, eq=False, slots=True)
class ObservedTime:
    """The working grid with its mask, and what had to be assumed for it.

    Attributes
    ----------
    period : Interval or None
        First and last local day of the diary; None when nothing was recorded at all.
    nights_assumed : int
        Nights without sleep record, taken as 23:00 to 07:00.
    every_day_assumed : bool
        True when only episodes were logged, no ratings, exposures or check-ins: every day in between is then taken as
        observed.
    fever : tuple of Interval
        Time around body temperatures of 38 °C and more, left out of the fit.
    """

    grid: Grid
    period: Interval
    nights_assumed: int
    every_day_assumed: bool
    fever: tuple[Interval, ...]


def observed_time(timeline: Timeline) -> ObservedTime | None:
    """Work out when an episode would have been logged; None when nothing was recorded at all."""
    period = diary_period(timeline)
    if period is None:
        return None
    span = timeline.span
    start = period.start - PRE_ROLL if span is not None and span.start < period.start else period.start
    grid = make_grid(start, period.end - timedelta(minutes=1), timeline.zones)
    fever = fever_intervals(timeline)
    assumed, every_day = 0, False
    if timeline.observed is not None:
        observed = mask_of(grid, timeline.observed)
    else:
        asleep, guessed = _nights(timeline, period)
        days, every_day = _diary_days(timeline, period)
        observed = mask_of(grid, days) & ~mask_of(grid, [*asleep, *guessed])
        assumed = len(guessed)
    observed &= ~mask_of(grid, fever)
    return ObservedTime(with_observed(grid, observed), period, assumed, every_day, fever)


def diary_period(timeline: Timeline) -> Interval | None:
    """From the first to the last local day on which a person (or, without any diary, a device) recorded something.

    It begins and ends at local midnights.
    """
    stated = [moment for i in timeline.observed or () for moment in (i.start, i.end - timedelta(minutes=1))]
    moments = [*_diary_moments(timeline), *stated]
    if not moments:
        span = timeline.span
        moments = [] if span is None else [span.start, span.end]
    if not moments:
        return None
    first, last = timeline.zones.local(min(moments)).date(), timeline.zones.local(max(moments)).date()
    return Interval(_wall(timeline, first, time(0)), _wall(timeline, last + timedelta(days=1), time(0)))


def fever_intervals(timeline: Timeline) -> tuple[Interval, ...]:
    """Half a day around body temperatures of 38.0 °C or more, joined where they touch."""
    found = []
    for series in timeline.series:
        if series.quantity in BODY_TEMPERATURES:
            for stamp in series.time[series.value >= FEVER_C]:
                at = stamp.astype(datetime).replace(tzinfo=UTC)
                found.append(Interval(at - FEVER_REACH, at + FEVER_REACH))
    return union(found)


def in_fever(episode_start: datetime, whole_day: bool, fever: tuple[Interval, ...]) -> bool:
    """Whether an episode belongs to a fever; of a date alone, whether its noon does."""
    at = episode_start + timedelta(hours=12) if whole_day else episode_start
    return any(interval.start <= at < interval.end for interval in fever)


def diary_mask(timeline: Timeline, grid: Grid) -> BoolArray:
    """Mark the bins of local days on which the diary was in use, awake or asleep."""
    period = diary_period(timeline)
    return mask_of(grid, () if period is None else _diary_days(timeline, period)[0])


def _diary_moments(timeline: Timeline) -> Iterator[datetime]:
    yield from (episode.start for episode in timeline.episodes)
    yield from _beyond_episodes(timeline)


def _beyond_episodes(timeline: Timeline) -> Iterator[datetime]:
    """What a person writes besides episodes: signs of a diary in use."""
    yield from (rating.time for rating in timeline.ratings)
    yield from (e.start for e in timeline.exposures if e.kind not in AUTOMATIC)
    yield from (outcome.time for outcome in timeline.outcomes)


def _diary_days(timeline: Timeline, period: Interval) -> tuple[list[Interval], bool]:
    """Local days with an entry; every day of the period when nothing but episodes was ever logged.

    Without any entry at all no day is observed: a wearable alone says nothing about heat that was not written down.
    """
    if next(_beyond_episodes(timeline), None) is None:
        whole = [Interval(period.start, period.end)]
        return (whole, True) if timeline.episodes else ([], False)
    days = {timeline.zones.local(moment).date() for moment in _diary_moments(timeline)}
    begun = [(_wall(timeline, day, time(0)), _wall(timeline, day + timedelta(days=1), time(0))) for day in sorted(days)]
    return [Interval(start, end) for start, end in begun if start < end], False


def _nights(timeline: Timeline, period: Interval) -> tuple[list[Interval], list[Interval]]:
    """Recorded sleep, and the nights without a record."""
    sleep = [Interval(e.start, e.end) for e in timeline.exposures_of("sleep") if e.end is not None and e.end > e.start]
    known = {timeline.zones.local(s.end).date() for s in sleep if s.end - s.start >= SHORTEST_NIGHT}
    day = timeline.zones.local(period.start).date()
    last = timeline.zones.local(period.end).date()
    guessed = []
    while day <= last:
        bed, wake = _wall(timeline, day - timedelta(days=1), BED), _wall(timeline, day, WAKE)
        if day not in known and bed < wake:  # flying east may take a whole night away
            guessed.append(Interval(bed, wake))
        day += timedelta(days=1)
    return sleep, guessed


def _wall(timeline: Timeline, day: date, clock: time) -> datetime:
    return timeline.zones.to_utc(datetime.combine(day, clock))

"""The person's wall clock: where a day begins, and how a moment is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from unaji.records.timeline import Zones
from unaji.web.casebook.actions.diary import CHECK_IN
from unaji.web.casebook.models import Exposure, Person, Rating
from unaji.web.words import words

STILL_YESTERDAY = time(4, 0)
"""Before this hour the day that is told is the one that has just ended."""
EVENING_FROM = time(18, 0)
"""From this hour on the day can be told."""


def local(person: Person, moment: datetime) -> datetime:
    """Return a moment on the person's wall clock."""
    return moment.astimezone(ZoneInfo(person.timezone))


def local_today(person: Person) -> date:
    """Return the date where the person is."""
    return local(person, timezone.now()).date()


def day_bounds(person: Person, day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a local day and of the next, UTC."""
    zones = Zones((person.timezone,))
    return zones.to_utc(datetime.combine(day, time())), zones.to_utc(datetime.combine(day + timedelta(days=1), time()))


def from_wall(person: Person, wall: datetime) -> datetime:
    """Return the instant of a reading of the person's wall clock."""
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    return Zones((person.timezone,)).to_utc(wall)


@dataclass(frozen=True, slots=True)
class Evening:
    """The day that is told, and the moment it is told at."""

    day: date
    at: datetime
    first: datetime
    last: datetime

    def moment(self, person: Person, hour: time) -> datetime:
        """Return an hour of the day; never one that is still to come."""
        return min(from_wall(person, datetime.combine(self.day, hour)), self.at)


def evening_of(person: Person, now: datetime) -> Evening:
    """Say which day is told: today, or after midnight the one that has just ended."""
    here = local(person, now)
    day = here.date() - timedelta(days=here.time() < STILL_YESTERDAY)
    first, last = day_bounds(person, day)
    return Evening(day, min(now, last - timedelta(minutes=1)), first, last)


def is_untold(person: Person, now: datetime) -> bool:
    """Say whether it is evening, and the person has told nothing of how the day was since it began."""
    begins = from_wall(person, datetime.combine(evening_of(person, now).day, EVENING_FROM))
    if now < begins:
        return False
    nothing = Exposure.objects.filter(person=person, kind=CHECK_IN, start__gte=begins)
    return not (Rating.objects.filter(person=person, time__gte=begins).kept().exists() or nothing.kept().exists())


def clock_time(person: Person, moment: datetime) -> str:
    """Say a time of the day: 14:32."""
    return f"{local(person, moment):%H:%M}"


def say_day(day: date) -> str:
    """Say a day with its weekday: 4月27日 月曜日, Monday 27 April."""
    say = words()
    return say(
        "date.with_weekday",
        month=say(f"date.month.{day.month}"),
        day=day.day,
        weekday=say(f"date.weekday.{day.weekday()}"),
    )


def say_period(person: Person, first: datetime, last: datetime) -> str:
    """Say from which day to which, on the person's wall clock: 2026年4月1日〜2026年4月27日."""
    start, end = local(person, first), local(person, last)
    return words()(
        "data.period", first_year=start.year, first=say_day_short(start.date()), last_year=end.year,
        last=say_day_short(end.date()),
    )  # fmt: skip


def say_day_short(day: date) -> str:
    """Say a day: 4月27日, 27 April."""
    say = words()
    return say("date.day", month=say(f"date.month.{day.month}"), day=day.day)

"""Calendars (iCalendar, RFC 5545): when there was a meeting, and nothing else of it.

Only times, repetition and status are read: lines with titles, texts, places and people are dropped before anything
parses them, but for whether the calendar's owner declined. All-day entries are no meetings; cancelled, free and
declined ones did not take place for this person. Repeating entries are expanded on the wall clock of their zone, so
that a weekly meeting stays at nine when the clocks are changed, and only up to now.

References
----------
B. Desruisseaux (ed.), "Internet Calendaring and Scheduling Core Object Specification (iCalendar)", RFC 5545,
2009. doi:10.17487/RFC5545
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import EARLIEST, Clock
from unaji.records.door import Door
from unaji.records.problems import ProblemLog
from unaji.records.recurrence import Rule, days_of, rule_of
from unaji.records.source import Source
from unaji.records.timeline import TimeArray, from_utc_ms

QUANTITY = "meeting"
LARGEST_BYTES = 64 << 20
LONGEST_ENTRY = 1 << 16  # characters of the lines that are read
MOST_INSTANCES = 10_000
"""Of all entries of one file, the latest."""

MOST_ENTRIES, MOST_EXPANDED = 50_000, 200_000
"""Of a calendar that is to be read at all."""

Properties = Any
"""What an entry says, by name; each property is of a class of its own."""

OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_READ = re.compile(
    r"(BEGIN|END|UID|DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID|STATUS|TRANSP|SEQUENCE|"
    r"X-MICROSOFT-CDO-BUSYSTATUS|X-MICROSOFT-CDO-ALLDAYEVENT)[;:]",
    re.IGNORECASE,
)
_PARTSTAT = re.compile(r"""ATTENDEE(?:[^":]|"[^"]*")*?;PARTSTAT="?(\w[\w-]*)""", re.IGNORECASE)
_FAR = timedelta(days=36_500)


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as a calendar does."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper() == b"BEGIN:VCALENDAR"


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read calendars; an entry that several of them hold counts once.

    Raises
    ------
    InputError
        A time is wall clock, and nobody has said in which zone.
    """
    seen: set[str] = set()
    for file in files:
        meetings = _Calendar(file.name, clock, log).meetings(_text(file))
        rows = [one for one in meetings if one.identity not in seen]
        seen |= {one.identity for one in rows}
        if rows:
            start, end = (_column(getattr(one, name) for one in rows) for name in ("start", "end"))
            ids = pl.Series([one.identity for one in rows], dtype=pl.String)
            door = Door(file.name, clock, log)
            yield from door.batch(QUANTITY, Device("icalendar"), start, end=end, kind=Kind.EXPOSURE, vendor_id=ids)


class _LeftOutError(Exception):
    """Says why an entry is left out."""


@dataclass(frozen=True, slots=True)
class _Meeting:
    start: datetime
    end: datetime
    identity: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One VEVENT.

    Attributes
    ----------
    start : datetime
        On the wall clock of `zone`, without zone.
    zone : tzinfo or None
        None for a floating time: the person's own clock.
    original : datetime or None
        Of a changed instance, when it would have been; UTC.
    and_later : bool
        Whether the change holds for all instances from then on.
    absent : str
        Why it was no meeting for this person; "" where it was.
    """

    uid: str
    start: datetime
    length: timedelta
    zone: tzinfo | None
    rule: Rule | None = None
    until: datetime | None = None
    more: tuple[tuple[datetime, timedelta | None], ...] = ()
    without: frozenset[datetime | date] = frozenset()
    original: datetime | None = None
    and_later: bool = False
    sequence: int = 0
    absent: str = ""


@dataclass(slots=True)
class _Group:
    """The entries of one UID: what repeats, and its changed instances by when they would have been."""

    masters: list[_Entry] = field(default_factory=list)
    changed: dict[datetime, _Entry] = field(default_factory=dict)


class _Calendar:
    """Reads one file."""

    def __init__(self, file: str, clock: Clock, log: ProblemLog) -> None:
        self.file, self.clock, self.log = file, clock, log
        self.earliest: datetime = EARLIEST.astype("datetime64[s]").item()
        self.to_come = self.expanded = 0

    def meetings(self, text: str) -> list[_Meeting]:
        """Return what took place, in order of time; the latest where there is too much."""
        blocks = _Blocks(text)
        if blocks.zones:
            self._parsed(
                "Calendar", f"BEGIN:VCALENDAR\r\n{blocks.zones}END:VCALENDAR\r\n", "a zone that is described in it"
            )
        if len(blocks.events) > MOST_ENTRIES:
            raise InputError(f"{self.file}: has more than {MOST_ENTRIES:,} entries; it was not read")
        groups: dict[str, _Group] = {}
        for number, block in enumerate(blocks.events, start=1):
            entry = self._entry(block, number, declined=blocks.declined[number - 1])
            if entry is not None:
                _put(groups.setdefault(entry.uid, _Group()), entry)
        found = sorted(
            {one.identity: one for group in groups.values() for one in self._of_group(group)}.values(),
            key=lambda one: one.start,
        )
        if self.to_come:
            self.log.remark(self.file, None, self.to_come, "entries are still to come; they were not read")
        if len(found) > MOST_INSTANCES:
            rule = (
                f"a calendar with more than {MOST_INSTANCES:,} meetings is read from its end; the older were left out"
            )
            self.log.reject(self.file, None, "", rule, count=len(found) - MOST_INSTANCES)
        return found[-MOST_INSTANCES:]

    # -- one entry -----------------------------------------------------------------------------------------------------

    def _parsed(self, kind: Literal["Calendar", "Event"], text: str, what: str) -> Any:
        import icalendar  # noqa: PLC0415  (most imports read no calendar)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of zone names that had to be guessed, which is what is wanted
                return getattr(icalendar, kind).from_ical(text)
        except Exception as error:
            self.log.reject(self.file, None, type(error).__name__, f"{what} cannot be read; it was left out")
            return None

    def _entry(self, block: str, number: int, *, declined: bool) -> _Entry | None:
        what = f"entry {number}"
        if len(block) > LONGEST_ENTRY:
            self.log.reject(self.file, None, what, "the entry is too long; it was left out")
            return None
        event = self._parsed("Event", block, what)
        if event is None:
            return None
        try:
            return self._made(event, declined=declined)
        except _LeftOutError as reason:
            self.log.reject(self.file, None, what, str(reason))
        except (OverflowError, ValueError, TypeError, AttributeError, KeyError, IndexError):
            self.log.reject(self.file, None, what, "the times of the entry cannot be read; it was left out")
        return None

    def _made(self, event: Properties, *, declined: bool) -> _Entry | None:
        first = event["DTSTART"].dt
        if not isinstance(first, datetime) or _word(event, "X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE":
            self._skip("entries last whole days, which is no meeting; they were not read")
            return None
        zone = first.tzinfo
        if zone is None and "TZID" in event["DTSTART"].params:
            self.log.remark(
                self.file, None, "", "times in a zone that is not known were taken as the person's own clock"
            )
        start = first.replace(tzinfo=None)
        original = event.get("RECURRENCE-ID")
        entry = _Entry(
            str(event.get("UID", "")) or f"{start.isoformat()}", start, _length(event, first), zone,
            *_rule(event, start, zone), tuple(_more(event, zone)), frozenset(_days(event, "EXDATE", zone)),
            None if original is None else self._instant(original.dt, zone, start),
            original is not None and original.params.get("RANGE", "").upper() == "THISANDFUTURE",
            sequence=_whole(event.get("SEQUENCE", 0)), absent=_absent(event, declined=declined),
        )  # fmt: skip
        if entry.absent and entry.original is None:
            self._skip(entry.absent)
            return None
        if entry.length <= timedelta(0) and not entry.absent:
            self._skip("entries have no length; they were not read")
            return None
        return entry

    def _skip(self, rule: str) -> None:
        self.log.reject(self.file, None, "", rule, lost=False)

    # -- repetition ----------------------------------------------------------------------------------------------------

    def _of_group(self, group: _Group) -> Iterator[_Meeting]:
        taken: set[datetime] = set()
        for master in group.masters:
            for start, length, which in self._instances(master):
                instant = self._utc(start, master.zone)
                changed = group.changed.get(instant)
                later = _from_then_on(group, instant)
                if changed is not None:
                    taken.add(instant)
                    yield from self._one(changed, changed.start, changed.length, which)
                elif later is not None and later.original is not None:
                    shift = later.start - self._local(later.original, later.zone)
                    yield from self._one(later, self._local(instant, later.zone) + shift, later.length, which)
                else:
                    yield from self._one(master, start, length, which)
        for original, changed in group.changed.items():
            if original not in taken:  # its series is not in the file, or no longer has this day
                which = _which(self._local(original, changed.zone), Counter())
                yield from self._one(changed, changed.start, changed.length, which)

    def _one(self, entry: _Entry, start: datetime, length: timedelta, which: str) -> Iterator[_Meeting]:
        """Give a meeting under a name that stays when its time of day is edited: UID and, in a series, the day."""
        if entry.absent:
            self._skip(entry.absent)
            return
        began = self._utc(start, entry.zone)
        if began > self.clock.now:
            self.to_come += 1
            return
        name = f"{entry.uid}\0{which}"
        yield _Meeting(began, began + length, hashlib.blake2b(name.encode(), digest_size=16).hexdigest())

    def _instances(self, entry: _Entry) -> Iterator[tuple[datetime, timedelta, str]]:
        """Give wall clock starts, lengths and names, without those taken out, which count for the others' names."""
        starts: dict[datetime, timedelta] = {entry.start: entry.length}
        if entry.rule is not None:
            starts |= dict.fromkeys(self._repeated(entry, entry.rule), entry.length)
        for start, length in entry.more:
            starts[start] = length or entry.length
        without = {day for day in entry.without if not isinstance(day, datetime)}
        alone, on_day = entry.rule is None and not entry.more, Counter[date]()
        for start, length in sorted(starts.items()):
            which = "" if alone else _which(start, on_day)
            if start not in entry.without and start.date() not in without:
                yield start, length, which

    def _repeated(self, entry: _Entry, rule: Rule) -> list[datetime]:
        if entry.start < self.earliest:
            reason = "repeating entries that began before 1990 are read for their first day only"
            self.log.reject(self.file, None, "", reason)
            return []
        last = self.clock.now.replace(tzinfo=None) + timedelta(days=2)
        until = last if entry.until is None else min(last, entry.until)
        days = days_of(rule, entry.start.date(), until.date())
        starts = (datetime.combine(day, entry.start.time()) for day in days)
        found = [start for start in starts if start <= until]
        self.expanded += len(found)
        if self.expanded > MOST_EXPANDED:
            raise InputError(f"{self.file}: its entries repeat more than {MOST_EXPANDED:,} times; it was not read")
        return found

    def _utc(self, wall: datetime, zone: tzinfo | None) -> datetime:
        if zone is not None:
            return wall.replace(tzinfo=zone).astimezone(UTC)
        instant: np.datetime64 = self.clock.from_wall(
            np.array([wall], dtype="datetime64[ms]"), self.file, ProblemLog()
        )[0]  # fmt: skip
        return from_utc_ms(instant)

    def _local(self, instant: datetime, zone: tzinfo | None) -> datetime:
        """Return an instant on a zone's wall clock, or on the person's."""
        if zone is None and self.clock.zones is not None:
            return self.clock.zones.local(instant).replace(tzinfo=None)
        return instant.astimezone(zone).replace(tzinfo=None)

    def _instant(self, moment: datetime | date, zone: tzinfo | None, like: datetime) -> datetime:
        if isinstance(moment, datetime):
            return self._utc(moment.replace(tzinfo=None), moment.tzinfo)
        return self._utc(datetime.combine(moment, like.time()), zone)


def _which(start: datetime, on_day: Counter[date]) -> str:
    """Name an instance of a series by its day on the wall clock and, of several on one day, its number."""
    on_day[start.date()] += 1
    number = on_day[start.date()]
    return start.date().isoformat() + (f" {number}" if number > 1 else "")


def _put(group: _Group, entry: _Entry) -> None:
    """Add an entry; of two of the same identity the one with the higher sequence number, or the later one, holds."""
    if entry.original is not None:
        before = group.changed.get(entry.original)
        if before is None or before.sequence <= entry.sequence:
            group.changed[entry.original] = entry
    elif not group.masters or group.masters[0].sequence <= entry.sequence:
        group.masters[:] = [entry]


def _from_then_on(group: _Group, start: datetime) -> _Entry | None:
    """Return the change that holds for an instance and those after it; None where there is none."""
    changes = [one for original, one in group.changed.items() if one.and_later and original <= start]
    return max(changes, key=lambda one: str(one.original), default=None)


def _length(event: Properties, first: datetime) -> timedelta:
    if "DTEND" in event:
        last = event["DTEND"].dt
        if not isinstance(last, datetime):
            last = datetime.combine(last, time(), first.tzinfo)
        if (last.tzinfo is None) == (first.tzinfo is None):
            return _bounded(last.astimezone(UTC) - first.astimezone(UTC) if first.tzinfo else last - first)
        raise _LeftOutError("the entry's start and end are not in zones alike; it was left out")
    return _bounded(event["DURATION"].dt) if "DURATION" in event else timedelta(0)


def _bounded(length: timedelta) -> timedelta:
    if not isinstance(length, timedelta) or abs(length) > _FAR:
        raise _LeftOutError("the entry's length cannot be; it was left out")
    return length


def _rule(event: Properties, start: datetime, zone: tzinfo | None) -> tuple[Rule | None, datetime | None]:
    """Return the rule of repetition, and its end on the wall clock, as its start is."""
    given = event.get("RRULE")
    if given is None:
        return None, None
    if isinstance(given, list):
        raise _LeftOutError("the entry repeats by several rules, which is not read; it was left out")
    parts = {str(name).upper(): list(value) for name, value in given.items()}
    for name, own in (("BYHOUR", start.hour), ("BYMINUTE", start.minute), ("BYSECOND", start.second)):
        if [str(one) for one in parts.get(name, ())] == [str(own)]:
            del parts[name]  # says what the start says
    if str(parts.get("FREQ", [""])[0]).upper() in OFTEN:
        raise _LeftOutError("the entry repeats more than daily, which is no meeting; it was left out")
    try:
        rule = rule_of(parts)
    except (ValueError, IndexError) as error:
        raise _LeftOutError("the entry's rule of repetition cannot be read; it was left out") from error
    last = parts.get("UNTIL", [None])[0]
    if last is None:
        return rule, None
    return rule, _wall(last, zone, last) if isinstance(last, datetime) else datetime.combine(last, time(23, 59, 59))


def _wall(moment: datetime | date, zone: tzinfo | None, like: datetime) -> datetime:
    """Return a moment on a zone's wall clock; a date alone at the time of day of another."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, like.time())
    if moment.tzinfo is None or zone is None:
        return moment.replace(tzinfo=None)
    return moment.astimezone(zone).replace(tzinfo=None)


def _dates(event: Properties, name: str) -> Iterator[Any]:
    lists = event.get(name, [])
    for some in lists if isinstance(lists, list) else [lists]:
        for one in some.dts:
            yield one.dt


def _days(event: Properties, name: str, zone: tzinfo | None) -> Iterator[datetime | date]:
    for moment in _dates(event, name):
        if isinstance(moment, datetime):
            yield _wall(moment, zone, moment)
        elif isinstance(moment, date):
            yield moment


def _more(event: Properties, zone: tzinfo | None) -> Iterator[tuple[datetime, timedelta | None]]:
    """Give further starts, with their own length where they are periods."""
    like = event["DTSTART"].dt
    for moment in _dates(event, "RDATE"):
        if isinstance(moment, tuple):
            start, end = moment
            yield _wall(start, zone, like), _bounded(end if isinstance(end, timedelta) else end - start)
        else:
            yield _wall(moment, zone, like), None


def _absent(event: Properties, *, declined: bool) -> str:
    if _word(event, "STATUS") == "CANCELLED":
        return "entries were cancelled; they were not read"
    if _word(event, "TRANSP") == "TRANSPARENT" or _word(event, "X-MICROSOFT-CDO-BUSYSTATUS") == "FREE":
        return "entries leave the time free; they were not read"
    return "entries were declined; they were not read" if declined else ""


def _word(event: Properties, name: str) -> str:
    return str(event.get(name, "")).strip().upper()


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


# -- lines -------------------------------------------------------------------------------------------------------------


class _Blocks:
    """The lines of a file that are read, those of each entry together.

    Attributes
    ----------
    zones : str
        All zones that are described in it.
    events : list of str
    declined : list of bool
        Of each entry, whether the owner declined; of an invitation to one person, whether that one did.
    """

    def __init__(self, text: str) -> None:
        self.events: list[str] = []
        self.declined: list[bool] = []
        zones: list[str] = []
        inside: list[str] = []
        lines: list[str] = []
        answers: Mapping[str, str] = {}
        owner = ""
        for line in _unfolded(text):
            upper = line[:20].upper()
            if upper.startswith("X-WR-CALNAME"):
                owner = line.partition(":")[2].strip().lower()
            if upper.startswith("BEGIN:"):
                inside.append(upper[6:].strip())
                if inside[-1] in ("VEVENT", "VTIMEZONE"):
                    lines, answers = [], {}
            if "VTIMEZONE" in inside or (inside and inside[-1] == "VEVENT" and _READ.match(line)):
                lines.append(line)
            elif inside and inside[-1] == "VEVENT" and upper.startswith("ATTENDEE") and (said := _PARTSTAT.match(line)):
                answers = {**answers, line.rpartition(":")[2].strip().lower(): said[1].upper()}
            if upper.startswith("END:") and inside:
                ended = inside.pop()
                if ended == "VTIMEZONE":
                    zones += [*lines, ""]
                elif ended == "VEVENT":
                    self.events.append("\r\n".join([*lines, ""]))
                    only = next(iter(answers.values())) if len(answers) == 1 else ""
                    self.declined.append(answers.get(owner, only) == "DECLINED")
        self.zones = "\r\n".join(zones)


def _unfolded(text: str) -> Iterator[str]:
    """Give logical lines: one that begins with a blank continues the one before (RFC 5545, 3.1)."""
    held: list[str] = []
    for line in re.split(r"\r?\n", text):  # and at no other sign: titles may hold U+2028, NEL or a vertical tab
        if line[:1] in (" ", "\t"):
            held.append(line[1:])
        else:
            if held:
                yield "".join(held)
            held = [line]
    yield "".join(held)


def _text(file: Source) -> str:
    with file.open() as stream:
        data = stream.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{file.name}: is larger than {LARGEST_BYTES >> 20} MB, which no calendar is")
    return data.decode("utf-8-sig", errors="replace")


def _column(moments: Iterator[datetime]) -> TimeArray:
    return np.array([moment.replace(tzinfo=None) for moment in moments], dtype="datetime64[ms]")

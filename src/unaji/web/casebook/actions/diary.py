"""Write into the diary, change and take back.

Every entry carries the number that the device which wrote it gave it. What arrives a second time (a double tap, a
queue that was sent twice) is the same entry, and one that was taken back does not return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from unaji.web.casebook.actions.people import ask_anew
from unaji.web.casebook.audit import record
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Episode, Exposure, Person, Rating, Treatment, User
from unaji.web.casebook.models.diary import Entry

Row = TypeVar("Row", bound=Entry)

CHECK_IN = "check_in"
CLOCK_SKEW = timedelta(minutes=10)
"""How far a device's clock may be ahead."""


class NotPossibleError(ValueError):
    """An entry that cannot be: a time in the future, an end before the beginning. The message is a key of the words."""


def log_episode(
    person: Person,
    *,
    by: User,
    start: datetime | None = None,
    client_id: UUID | None = None,
    end: datetime | None = None,
    intensity: int | None = None,
    bother: int | None = None,
    place: str = "",
    note: str = "",
    unusual: bool = False,
    ratings: Mapping[str, float] | None = None,
    source: str = "app",
) -> Episode:
    """Write down that the nape is, or was, hot.

    Parameters
    ----------
    start, end : datetime, optional
        Aware. The start is now where it is not said.
    client_id : UUID, optional
        The device's number of the entry; one that is known already gives the entry that is there, unchanged.
    ratings : mapping, optional
        Feelings at the same moment, 0 to 10, by quantity.

    Raises
    ------
    NotPossibleError
        The start lies in the future, or the end before the start.
    """
    now = timezone.now()
    start = start or now
    _check_times(start, end, now)
    common = {"person": person, "client_id": client_id or uuid7(), "recorded_at": now, "source": source}
    episode = Episode(**common, start=start, end=end, intensity=intensity, bother=bother, place=place, unusual=unusual)
    episode.note = note
    with transaction.atomic():
        kept, is_new = _once(episode, by)
        if is_new and ratings:
            _rate(person, start, ratings, by, source)
        return kept


def detail_episode(
    episode: Episode, *, by: User, ratings: Mapping[str, float] | None = None, **said: object
) -> Episode:
    """Say more of an episode: intensity, bother, place, note, unusual, start, end; ratings replace those before.

    Raises
    ------
    NotPossibleError
        As `log_episode`.
    """
    with transaction.atomic():
        locked = Episode.objects.select_for_update().get(pk=episode.pk)
        for field, value in said.items():
            setattr(locked, field, value)
        _check_times(locked.start, locked.end, timezone.now())
        locked.save()
        if ratings:
            for rating in Rating.objects.filter(person=locked.person, time=locked.start, quantity__in=ratings).kept():
                withdraw(rating, by=by)
            _rate(locked.person, locked.start, ratings, by, locked.source)
        ask_anew(locked.person)
        record("change", locked, by=by, person=locked.person_id)
        return locked


def end_episode(episode: Episode, *, by: User, at: datetime | None = None) -> Episode:
    """Write down that it stopped."""
    return detail_episode(episode, by=by, end=at or timezone.now())


def rate(
    person: Person, *, by: User, quantity: str, value: float, time: datetime | None = None,
    client_id: UUID | None = None, source: str = "app",
) -> Rating:  # fmt: skip
    """Write down a feeling, 0 to 10."""
    now = timezone.now()
    _check_times(time or now, None, now)
    rating = Rating(person=person, client_id=client_id or uuid7(), recorded_at=now, source=source, time=time or now,
                    quantity=quantity, value=value)  # fmt: skip
    with transaction.atomic():
        return _once(rating, by)[0]


def expose(
    person: Person, *, by: User, kind: str, start: datetime, end: datetime | None = None, amount: float | None = None,
    client_id: UUID | None = None, source: str = "app",
) -> Exposure:  # fmt: skip
    """Write down something done, taken or met."""
    now = timezone.now()
    _check_times(start, end, now)
    exposure = Exposure(person=person, client_id=client_id or uuid7(), recorded_at=now, source=source, kind=kind,
                        start=start, end=end, amount=amount)  # fmt: skip
    with transaction.atomic():
        return _once(exposure, by)[0]


def log_nothing(
    person: Person, *, by: User, at: datetime | None = None, client_id: UUID | None = None, source: str = "app"
) -> Exposure:
    """Write down that nothing happened, so that a day without episodes is known to be one."""
    return expose(person, by=by, kind=CHECK_IN, start=at or timezone.now(), client_id=client_id, source=source)


def log_treatment(
    person: Person, *, by: User, kind: str, time: datetime, note: str = "", client_id: UUID | None = None,
    source: str = "app",
) -> Treatment:  # fmt: skip
    """Write down a treatment session."""
    now = timezone.now()
    _check_times(time, None, now)
    treatment = Treatment(person=person, client_id=client_id or uuid7(), recorded_at=now, source=source, kind=kind,
                          time=time)  # fmt: skip
    treatment.note = note
    with transaction.atomic():
        return _once(treatment, by)[0]


def withdraw(entry: Entry, *, by: User) -> None:
    """Take an entry back; one that was taken back stays so."""
    with transaction.atomic():
        rows = type(entry)._default_manager.filter(pk=entry.pk, withdrawn_at__isnull=True)
        if rows.update(withdrawn_at=timezone.now()):
            ask_anew(entry.person)
            record("withdraw", entry, by=by, person=entry.person_id)


def _once(entry: Row, by: User) -> tuple[Row, bool]:
    """Store an entry unless its number is known; return what is stored, and whether it is new."""
    known = type(entry)._default_manager.filter(person=entry.person, client_id=entry.client_id)
    held = known.first()
    if held is None:
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
        except IntegrityError:  # another request was faster
            held = known.first()
            if held is None:
                raise
    if held is not None:
        return held, False
    ask_anew(entry.person)
    record("create", entry, by=by, person=entry.person_id)
    return entry, True


def _rate(person: Person, time: datetime, ratings: Mapping[str, float], by: User, source: str) -> None:
    for quantity, value in ratings.items():
        rate(person, by=by, quantity=quantity, value=value, time=time, source=source)


def _check_times(start: datetime, end: datetime | None, now: datetime) -> None:
    if start > now + CLOCK_SKEW or (end is not None and end > now + CLOCK_SKEW):
        raise NotPossibleError("error.in_the_future")
    if end is not None and end < start:
        raise NotPossibleError("error.ends_before_start")


def entries_of(person: Person, first: datetime, last: datetime) -> Sequence[Entry]:
    """Return what was written of a stretch of time [first, last), in order of time."""
    found: list[tuple[datetime, Entry]] = []
    for episode in Episode.objects.filter(person=person, start__gte=first, start__lt=last).kept():
        found.append((episode.start, episode))
    for exposure in Exposure.objects.filter(person=person, start__gte=first, start__lt=last).kept():
        found.append((exposure.start, exposure))
    for rating in Rating.objects.filter(person=person, time__gte=first, time__lt=last).kept():
        found.append((rating.time, rating))
    for treatment in Treatment.objects.filter(person=person, time__gte=first, time__lt=last).kept():
        found.append((treatment.time, treatment))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

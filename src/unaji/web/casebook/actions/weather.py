"""The weather of a person's days: fetched where they agreed to it, taken out again, looked after once a day.

Nothing of it lies outside the person's sealed folder. A cache of answers that all people share would be smaller, but
would say which places people here live at to whoever reads the disk, would outlive an erased person, and would grow
for ever; and how quickly an answer comes would tell one person whether somebody lives where they say they do. Instead
the folder itself is what is kept: a month that lies in it whole is not asked for again.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from unaji.errors import InputError
from unaji.records.clock import Clock
from unaji.records.detect import read_recognised, sources
from unaji.records.merge import merge
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Zones, from_utc_ms
from unaji.records.weather.client import Client, FetchError, Patience
from unaji.records.weather.fetch import BEFORE, CREDIT, FOLDER, Period, days_recorded, fetch_weather
from unaji.records.weather.services import Place
from unaji.web.casebook.actions.consents import consented, give_consent, withdraw_consent
from unaji.web.casebook.actions.explanations import keep_days
from unaji.web.casebook.actions.people import ask_anew, describe_person
from unaji.web.casebook.audit import record
from unaji.web.casebook.files import opened
from unaji.web.casebook.jobs import CannotError, Progress, ask, cancel_all, does, hold, see_wanted
from unaji.web.casebook.keys import person_key
from unaji.web.casebook.models import (
    Consent,
    Episode,
    Exposure,
    Job,
    Person,
    Rating,
    SeriesFile,
    Treatment,
    User,
)
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.results import JobKind, JobQuerySet, JobState
from unaji.web.casebook.timeline import person_of, read_timeline
from unaji.web.casebook.turns import SharedTurns

PROVIDER = "open-meteo"
THANKS = CREDIT[PROVIDER]
"""What the licence asks to be said wherever the weather is shown."""
TURNS = "weather"
"""Folder of `UNAJI_HOME` that says when the service was last asked, whoever's sake it was for."""
SERIES_KIND = "weather"
"""Kind of the rows of `SeriesFile` that are of the weather, and not of the store."""
PATIENCE = Patience(tries=3, whole_s=30.0, longest_retry_after_s=20.0)
"""Shorter than at the command line: one worker does the jobs of all people, and a day later it is tried again."""
MOST_MONTHS = 24
"""How many months one job asks for, the newest first: one worker does the jobs of all people."""
LOOK_EVERY_S = 0.5
EVERY = timedelta(days=1)
WROTE_WITHIN = timedelta(days=14)
"""For whom the weather is fetched by itself: who has not written for longer is not spoken of to anybody."""
KINDS = (JobKind.WEATHER, JobKind.NO_WEATHER)


def place_of(person: Person) -> Place | None:
    """Return a person's place, to 0.1°; None where they have said none."""
    known = person_of(person)
    if known.latitude is None or known.longitude is None:
        return None
    with suppress(InputError):
        return Place(known.latitude, known.longitude)
    return None


def weather_between(person: Person, first: datetime, last: datetime) -> bool:
    """Say whether there is fetched weather of a stretch of time."""
    there = SeriesFile.objects.filter(person=person, kind=SERIES_KIND)
    return there.filter(first_at__lt=last, last_at__gte=first).exists()


def ask_weather(person: Person, *, by: User | None, agree_in: str = "") -> Job:
    """Ask for the weather of a person's days.

    Parameters
    ----------
    agree_in : str
        In which language the person has just agreed to it, "" where they did before.
    """
    with transaction.atomic():
        if agree_in and by is not None:
            give_consent(person, Purpose.WEATHER, language=agree_in, by=by)
        return ask(person, JobKind.WEATHER, by=by)


def stop_weather(person: Person, *, by: User) -> None:
    """Withdraw the agreement: nobody is asked from now on. What is there stays."""
    held = Consent.objects.filter(person=person, purpose=Purpose.WEATHER).in_force().first()
    if held is not None:
        withdraw_consent(held, by=by)


def remove_weather(person: Person, *, by: User) -> Job:
    """Ask for the weather to be taken out; it is not fetched again by itself, until the person asks for it."""
    with transaction.atomic():
        cancel_all(Job.objects.filter(person=person, kind=JobKind.WEATHER).unfinished(), by=by)
        return ask(person, JobKind.NO_WEATHER, by=by)


def say_about(person: Person, *, by: User, **said: object) -> None:
    """Change what a person says of themselves; where that moves them, the weather of the new place is asked for."""
    before = place_of(person)
    with transaction.atomic():
        describe_person(person, by=by, **said)
        if place_of(person) not in (before, None) and is_wanted(person):
            ask_weather(person, by=by)


def is_wanted(person: Person) -> bool:
    """Say whether the weather is to be fetched without being asked for: agreed to, and not taken out again."""
    if not settings.WEATHER or person.simulated or not consented(person, Purpose.WEATHER):
        return False
    return not was_taken_out(person)


def was_taken_out(person: Person) -> bool:
    """Say whether the person has had the weather taken out, and has not asked for it since."""
    latest = _decisions().filter(person=person).order_by("-made_at").first()
    return latest is not None and latest.kind == JobKind.NO_WEATHER


def _decisions() -> JobQuerySet:
    """Give the jobs that say what people want; a removal that was stopped says nothing."""
    stopped = Q(kind=JobKind.NO_WEATHER, state=JobState.CANCELLED)
    return Job.objects.filter(kind__in=KINDS).exclude(stopped)


def ask_weather_due(now: datetime | None = None) -> int:
    """Ask once a day for the weather of those who agreed, have a place and wrote lately; return for how many."""
    if not settings.WEATHER:
        return 0
    now = now or timezone.now()
    agreed = Consent.objects.filter(purpose=Purpose.WEATHER).in_force().to_newest().values("person")
    lately = Job.objects.filter(kind=JobKind.WEATHER, made_at__gt=now - EVERY).values("person")
    # What was written counts, not who is signed in: a phone stays signed in for weeks in which nobody looks at it.
    wrote = Q()
    for model in (Episode, Exposure, Rating, Treatment):
        entries = model._default_manager.filter(person=OuterRef("pk"), recorded_at__gte=now - WROTE_WITHIN)
        wrote |= Q(Exists(entries))
    latest = _decisions().filter(person=OuterRef("pk")).order_by("-made_at").values("kind")[:1]
    due = (
        Person.objects.filter(wrote, pk__in=agreed, simulated=False)
        .exclude(pk__in=lately)
        .exclude(place_sealed=b"")
        .annotate(latest=Subquery(latest))
        .filter(Q(latest__isnull=True) | Q(latest=JobKind.WEATHER))
    )
    for person in due:
        ask_weather(person, by=None)
    return len(due)


# -- what the worker does ----------------------------------------------------------------------------------------------


@does(JobKind.WEATHER)
def fetch(job: Job, progress: Progress) -> None:
    """Fetch the weather of the person's days into their folder, the newest months first.

    What one job does not come to, the next one does. Where the service fails in the midst, the months that had come
    are kept, so that they are not asked for again; where nothing came, nothing is changed.
    """
    person = job.person
    place = _asked_of(person)
    # Before every request, and all the while until the next one, the worker looks whether it may still ask.
    client = Client(patience=PATIENCE, turns=SharedTurns(settings.HOME / TURNS), sleep=lambda s: _wait(job, s))

    def before_each(share: float) -> None:
        see_wanted(job)
        _asked_of(person)
        progress(0.9 * share)

    trouble = None
    with opened(person.pk, write=True) as folder:
        days = _days(person, folder, client.now())
        before = _contents(folder)
        stem = _stem(person, place)
        there = _stamps(folder, stem)
        _leave_former_places(folder, stem)
        try:
            fetch_weather(
                folder, client, PROVIDER, place=place, period=days, stem=stem, keep_whole=True, most=MOST_MONTHS,
                progress=before_each,
            )  # fmt: skip
        except FetchError as error:
            if _stamps(folder, stem) == there:
                raise CannotError("weather_unreachable" if error.passing else "weather_refused") from None
            trouble = CannotError("weather_in_part")
        after = _contents(folder)
        # A try before this one may have got as far as the folder, and no further.
        is_new = after != before or job.tries > 1
        _asked_of(person)
        hold(job)  # what follows is kept
        if is_new:
            keep_days(person, read_timeline(person, folder))
    if is_new:
        _note(job, after)
    if trouble is not None:
        raise trouble


@does(JobKind.NO_WEATHER)
def remove(job: Job, progress: Progress) -> None:
    """Take the weather out of the person's folder."""
    person = job.person
    with opened(person.pk, write=True) as folder:
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        hold(job)  # what follows is kept
        keep_days(person, read_timeline(person, folder))
    if job.tries > 1 or SeriesFile.objects.filter(person=person, kind=SERIES_KIND).exists():
        _note(job, {})


def _asked_of(person: Person) -> Place:
    """Return the place whose weather may be asked for now.

    Raises
    ------
    CannotError
        Nobody may be asked: the person has not agreed, or no more; they have no place; the operator does not want it.
    """
    if not settings.WEATHER:
        raise CannotError("weather_off")
    if not consented(person, Purpose.WEATHER):
        raise CannotError("weather_not_agreed")
    place = place_of(person)
    if place is None:
        raise CannotError("weather_no_place")
    return place


def _days(person: Person, folder: Path, now: datetime) -> Period:
    """Return the days whose weather is of use: from a little before the first record until yesterday."""
    days = days_recorded(read_timeline(person, folder))
    if days is None:
        raise CannotError("weather_no_days")
    return Period(days.first - BEFORE, now.date() - timedelta(days=1))


def _wait(job: Job, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        see_wanted(job)
        _asked_of(job.person)
        left_s = until - time.monotonic()
        if left_s <= 0:
            return
        time.sleep(min(left_s, LOOK_EVERY_S))


def _stem(person: Person, place: Place) -> str:
    """Return how the names of a place's files begin: another for each place and person, and nobody learns which.

    The names of sealed files can be read on the disk and in every copy, and the place is sealed.
    """
    said = f"{place.latitude:.1f} {place.longitude:.1f}".encode()
    keyed = hashlib.blake2b(said, key=person_key(person.pk), person=b"unaji weather", digest_size=8)
    return f"{keyed.hexdigest()}_"


def _stamps(folder: Path, stem: str) -> dict[str, int]:
    """Say when each file of a place was written, so that it is seen whether one came."""
    return {file.name: file.stat().st_mtime_ns for file in (folder / FOLDER).glob(f"{stem}*")}


def _leave_former_places(folder: Path, stem: str) -> None:
    """Remove the weather of other places.

    Of two places that have a value for the same hour, `unaji.records.preferred` takes the one with more rows: the
    former place would keep the word for as long as it has more. The person has one place; all days get its weather.
    """
    for file in (folder / FOLDER).glob("*"):
        if not file.name.startswith(stem):
            file.unlink()


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is of one quantity of the weather; `digest` tells one content from another."""

    rows: int
    first: datetime
    last: datetime
    digest: str


def _contents(folder: Path) -> dict[str, Held]:
    """Say what weather a folder holds, by quantity."""
    place = folder / FOLDER
    if not place.is_dir():
        return {}
    log = ProblemLog()
    clock = Clock(Zones(("UTC",)), timezone.now())
    series = merge(read_recognised(list(sources(place, log)), clock, log), log).series
    held = {}
    for quantity in sorted({one.quantity for one in series}):
        parts = [one for one in series if one.quantity == quantity]
        digest = hashlib.sha256()
        for one in parts:
            digest.update(np.ascontiguousarray(one.time).tobytes() + np.ascontiguousarray(one.value).tobytes())
        times = np.concatenate([one.time for one in parts])
        held[quantity] = Held(times.size, from_utc_ms(times.min()), from_utc_ms(times.max()), digest.hexdigest())
    return held


def _note(job: Job, held: dict[str, Held]) -> None:
    """Write down what there is, and that results do not know of it yet."""
    person = job.person
    with transaction.atomic():
        SeriesFile.objects.filter(person=person, kind=SERIES_KIND).delete()
        SeriesFile.objects.bulk_create(
            SeriesFile(person=person, kind=SERIES_KIND, quantity=quantity, rows=one.rows, first_at=one.first,
                       last_at=one.last)
            for quantity, one in held.items()
        )  # fmt: skip
        ask_anew(person)
        record(job.kind, job, by=None, person=person.pk)

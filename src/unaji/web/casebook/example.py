"""The invented person that visitors may look at: their diary in the database, their series in a sealed folder."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from django.db import transaction
from django.utils import timezone

from unaji.claims.model import Cause, Family, Reading
from unaji.claims.questionnaire import CauseAnswer, IntakeAnswers, Often, asked_causes
from unaji.people.write import write_example
from unaji.records.folder import contents_of, put_files, read_folder
from unaji.records.timeline import Beats, Series, TimeArray, Timeline, from_utc_ms
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.actions.restoring import rows_of
from unaji.web.casebook.actions.screens import answer_intake, answer_screen
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.files import opened
from unaji.web.casebook.models import (
    Intake,
    Person,
    RedFlagScreen,
    SeriesFile,
    User,
)

ADDRESS = "example@unaji.invalid"
SEED = 1


def example_user() -> User | None:
    """Return the account of the invented person; None where there is none."""
    return User.objects.filter(email=ADDRESS).first()


def is_example(user: User) -> bool:
    """Say whether an account is the invented person's, which visitors share."""
    return user.email == ADDRESS


def load_example() -> Person:
    """Make the invented person, whose records end yesterday; one that is there stays as it is."""
    held = Person.objects.filter(user__email=ADDRESS).first()
    if held is not None:
        answer_beginning(held)
        return held
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "person"
        write_example(folder, SEED)
        timeline = _ending(read_folder(folder), timezone.now().date() - timedelta(days=1))
        with transaction.atomic():
            user = example_user() or User.objects.create_user(ADDRESS)
            person = open_casebook(
                by=user, timezone_name=timeline.person.timezone, purposes=("care", "wearable_import"), language="ja",
                simulated=True,
            )  # fmt: skip
            person.sex = timeline.person.sex or ""
            person.height_cm, person.weight_kg = timeline.person.height_cm, timeline.person.weight_kg
            person.birth_date = "" if timeline.person.birth_year is None else f"{timeline.person.birth_year}-01-01"
            person.save()
            put_diary(person, timeline)
        put_series(person, timeline)
    answer_beginning(person)
    return person


def answer_beginning(person: Person) -> None:
    """Answer the warning signs (none found) and the questionnaire for an invented person, once.

    The answers follow from the claims alone: of the causes that the article names the person notices what they rate or
    do themselves, in each family one often and the rest sometimes, and denies what it leaves out.
    """
    claims = claims_in_use()
    if not RedFlagScreen.objects.filter(person=person).exists():
        signs = {flag.id: False for flag in claims.red_flags}
        answer_screen(person, by=person.user, answers=signs, claims=claims, why="intake")
    if not Intake.objects.filter(person=person).exists():
        seen: dict[Family, CauseAnswer] = {}
        answers = {cause.id: _noticed(cause, seen) for cause in asked_causes(claims)}
        given = {one: answer for one, answer in answers.items() if answer.often is not Often.UNKNOWN}
        said = IntakeAnswers(causes=given, companions=tuple(claims.companions)[:2])
        answer_intake(person, by=person.user, answers=said, claims=claims, language="ja")


def _noticed(cause: Cause, seen: dict[Family, CauseAnswer]) -> CauseAnswer:
    if not cause.in_article:
        return CauseAnswer(Often.NO)
    if all(signal.reading is Reading.QUANTITY for signal in cause.signals):
        return CauseAnswer()
    if cause.family in seen:
        return CauseAnswer(Often.SOMETIMES)
    seen[cause.family] = CauseAnswer(Often.OFTEN)
    return seen[cause.family]


def put_diary(person: Person, timeline: Timeline) -> None:
    """Write a timeline's diary into a person's casebook, as written down when it happened."""
    now = timezone.now()
    for model, _, rows in rows_of(person, timeline, "example", lambda moment: min(moment, now)):
        model._default_manager.bulk_create(rows)


def put_series(person: Person, timeline: Timeline) -> None:
    """Put a timeline's series and beats into a person's sealed folder."""
    measured = replace(timeline, episodes=(), ratings=(), exposures=(), treatments=(), outcomes=())
    with opened(person.pk, write=True) as folder:
        put_files(contents_of(measured), folder, ())
    for quantity in sorted({one.quantity for one in measured.series}):
        times = np.concatenate([one.time for one in measured.series if one.quantity == quantity])
        _list_series(person, "table", quantity, times)
    if measured.beats is not None and len(measured.beats):
        _list_series(person, "table", "rri_ms", measured.beats.time)


def _list_series(person: Person, kind: str, quantity: str, times: TimeArray) -> None:
    """Say in the database how much there is of a quantity, and from when to when."""
    if times.size:
        SeriesFile.objects.create(
            person=person, kind=kind, quantity=quantity, rows=times.size,
            first_at=from_utc_ms(times.min()), last_at=from_utc_ms(times.max()),
        )  # fmt: skip


def _ending(timeline: Timeline, day: date) -> Timeline:
    """Move a timeline by whole weeks, so that its last week is the one before `day`."""
    span = timeline.span
    assert span is not None
    by = timedelta(days=(day - span.end.date()).days // 7 * 7)
    step = np.timedelta64(by.days, "D")
    return replace(
        timeline,
        series=tuple(
            Series(s.quantity, s.time + step, s.value, None if s.end is None else s.end + step, s.site, s.source)
            for s in timeline.series
        ),
        beats=None if (b := timeline.beats) is None else Beats(b.time + step, b.rri_ms, b.gap, b.origin, b.corrected),
        episodes=tuple(replace(e, start=e.start + by, end=e.end and e.end + by) for e in timeline.episodes),
        exposures=tuple(replace(e, start=e.start + by, end=e.end and e.end + by) for e in timeline.exposures),
        ratings=tuple(replace(r, time=r.time + by) for r in timeline.ratings),
        treatments=tuple(replace(t, time=t.time + by) for t in timeline.treatments),
        outcomes=tuple(replace(o, time=o.time + by) for o in timeline.outcomes),
        observed=None if timeline.observed is None else tuple(
            replace(i, start=i.start + by, end=i.end + by) for i in timeline.observed
        ),
    )  # fmt: skip

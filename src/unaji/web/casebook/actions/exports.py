"""Hand a person everything that is theirs, in one file; or erase it, with a receipt."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.utils import timezone

from unaji.records.folder import write_folder
from unaji.web.casebook.actions.explanations import BUNDLE, FINDINGS, latest_of, page_of
from unaji.web.casebook.actions.restoring import ENDS, TRIALS
from unaji.web.casebook.actions.trials import result_of
from unaji.web.casebook.actions.weather import SERIES_KIND, THANKS
from unaji.web.casebook.audit import record
from unaji.web.casebook.files import (
    Unsealing,
    export,
    opened,
    people_with_files,
    put_export,
    remove_all,
    remove_export,
    scratch_folder,
)
from unaji.web.casebook.jobs import Progress, ask, does, hold, subject_of
from unaji.web.casebook.keys import destroy_person_key
from unaji.web.casebook.models import (
    ApiToken,
    AuditEvent,
    Consent,
    Episode,
    ErasureRequest,
    Explanation,
    ExportJob,
    Exposure,
    ImportBatch,
    Intake,
    Job,
    Person,
    PushSubscription,
    Rating,
    RedFlagScreen,
    Reminder,
    SeriesFile,
    Treatment,
    Trial,
    User,
)
from unaji.web.casebook.models.diary import Entry
from unaji.web.casebook.models.own import OwnQuerySet
from unaji.web.casebook.models.results import JobKind
from unaji.web.casebook.sealed import SealedField
from unaji.web.casebook.timeline import read_timeline

KEPT_FOR = timedelta(days=7)
DIARY: tuple[type[Entry], ...] = (Episode, Rating, Exposure, Treatment)
RECORDS = "records"
"""Folder inside the export that `unaji explain` reads."""


def ask_export(person: Person, *, by: User) -> ExportJob:
    """Ask for everything in one file; a wish that is not fulfilled yet is the one that is meant."""
    with transaction.atomic():
        open_wish = ExportJob.objects.filter(person=person, done_at__isnull=True).first()
        if open_wish is not None:
            if not Job.objects.filter(subject=open_wish.pk).unfinished().exists():  # it was stopped, or failed
                ask(person, JobKind.EXPORT, by=by, subject=open_wish.pk)
            return open_wish
        wish = ExportJob.objects.create(person=person, asked_at=timezone.now())
        record("export", wish, by=by, person=person.pk)
        ask(person, JobKind.EXPORT, by=by, subject=wish.pk)
        return wish


def fetch_export(wish: ExportJob, *, by: User) -> Unsealing | None:
    """Open the file to be handed over part by part; None where it is not made yet or its time is over."""
    if wish.until is None or wish.until < timezone.now():
        return None
    content = export(wish.person_id, _name(wish.pk))
    if content is not None:
        with transaction.atomic():
            ExportJob.objects.filter(pk=wish.pk).update(fetched_at=timezone.now())
            record("fetch", wish, by=by, person=wish.person_id)
    return content


def remove_expired() -> int:
    """Remove exports whose time is over; return how many."""
    return _remove(ExportJob.objects.filter(until__lt=timezone.now()))


def _remove(wishes: OwnQuerySet[ExportJob]) -> int:
    for wish in wishes:
        remove_export(wish.person_id, _name(wish.pk))
    return wishes.update(until=None)


@does(JobKind.EXPORT)
def pack(job: Job, progress: Progress) -> None:
    """Write everything into one zip."""
    wish = ExportJob.objects.select_related("person").get(pk=subject_of(job))
    if wish.done_at is not None:
        return
    person = wish.person
    with scratch_folder() as place:
        with opened(person.pk) as folder:
            write_folder(read_timeline(person, folder), place / RECORDS)
        progress(0.5)
        with put_export(person.pk, _name(wish.pk)) as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                _put_records(archive, place / RECORDS, progress)
                for name, content in _beside_records(person):
                    archive.writestr(f"unaji/{name}", content)
            hold(job)
    now = timezone.now()
    ExportJob.objects.filter(pk=wish.pk).update(done_at=now, until=now + KEPT_FOR)
    _remove(ExportJob.objects.filter(person=person, until__isnull=False).exclude(pk=wish.pk))  # one is enough to keep


def _put_records(archive: zipfile.ZipFile, folder: Path, progress: Progress) -> None:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    whole, packed = sum(file.stat().st_size for file in files), 0
    for file in files:
        name = f"unaji/{RECORDS}/{file.relative_to(folder).as_posix()}"
        # A Parquet file is packed already: trying hard takes minutes of a large one, and gains nothing.
        archive.write(file, name, compresslevel=1 if file.suffix == ".parquet" else None)
        packed += file.stat().st_size
        progress(0.5 + 0.5 * packed / max(whole, 1))


def _beside_records(person: Person) -> Iterator[tuple[str, bytes | str]]:
    latest = latest_of(person)
    if latest is not None:
        for name, called in (
            (FINDINGS, "explanation.json"),
            (BUNDLE, "fhir-bundle.json"),
            ("report.pdf.ja", "report.ja.pdf"),
            ("report.pdf.en", "report.en.pdf"),
            ("report.html.ja", "report.ja.html"),
            ("report.html.en", "report.en.html"),
        ):
            if (content := page_of(latest, name)) is not None:
                yield called, content
    diary = {
        str(model._meta.model_name): [_row(one) for one in model._default_manager.filter(person=person)]
        for model in DIARY
    }
    yield "diary.json", json.dumps(diary, ensure_ascii=False, indent=1)
    trials = list(Trial.objects.filter(person=person).order_by("registered_at"))
    for trial in trials:
        yield f"{TRIALS}/{trial.pk}.toml", trial.plan_text
        if (found := result_of(trial)) is not None:
            yield f"{TRIALS}/{trial.pk}.json", found
    yield (
        f"{TRIALS}/{ENDS}",
        _table(
            ("id", "registered_at", "ended_at", "ended_why"),
            ((t.pk, t.registered_at.isoformat(), _iso(t.ended_at), t.ended_why) for t in trials),
        ),
    )
    yield (
        "consents.csv",
        _table(
            ("purpose", "version", "language", "given_by", "given_at", "withdrawn_at", "text"),
            (
                (
                    c.purpose,
                    c.text.version,
                    c.text.language,
                    c.given_by,
                    c.given_at.isoformat(),
                    _iso(c.withdrawn_at),
                    c.text.body,
                )
                for c in Consent.objects.filter(person=person).select_related("text").order_by("given_at")
            ),
        ),
    )
    yield (
        "who-looked.csv",
        _table(
            ("at", "role", "action", "object", "id"),
            (
                (e.at.isoformat(), e.role, e.action, e.object_type, e.object_id)
                for e in AuditEvent.objects.filter(person_number=person.pk).order_by("pk")
            ),
        ),
    )
    yield (
        "about-me.json",
        json.dumps(
            {
                "display_name": person.display_name,
                "name": person.name,
                "kana": person.kana,
                "birth_date": person.birth_date,
                "contact": person.contact,
                "timezone": person.timezone,
                "sex": person.sex,
                "height_cm": person.height_cm,
                "weight_kg": person.weight_kg,
                "place": person.place,
                "weather": _weather_credit(person),
                "address": person.user.email,
                "files": [
                    {"name": b.file_name, "state": b.state, "rows": b.rows, "at": b.made_at.isoformat()}
                    for b in ImportBatch.objects.filter(person=person)
                ],
                "reminders": [
                    {"local_time": str(r.local_time), "by_mail": r.by_mail, "by_push": r.by_push}
                    for r in Reminder.objects.filter(person=person)
                ],
                "opened_at": person.opened_at.isoformat(),
                "screens": [
                    {"at": s.at.isoformat(), "level": s.level, "rules": s.rules, "answers": s.answers}
                    for s in RedFlagScreen.objects.filter(person=person)
                ],
                "intakes": [
                    {"at": i.at.isoformat(), "article": i.article, "answers": i.answers}
                    for i in Intake.objects.filter(person=person)
                ],
                "unsafe": list(person.unsafe),
                "trials": [
                    {"id": str(t.pk), "question": t.question, "outcome": t.outcome, "made_at": t.made_at.isoformat()}
                    for t in Trial.objects.filter(person=person)
                ],
            },
            ensure_ascii=False,
            indent=1,
        ),
    )


def _weather_credit(person: Person) -> str:
    """Return whose weather lies among the series, as its licence asks; "" where there is none."""
    return THANKS if SeriesFile.objects.filter(person=person, kind=SERIES_KIND).exists() else ""


def _row(entry: Entry) -> dict[str, object]:
    """Give every column of an entry, also of one that was taken back."""
    told: dict[str, object] = {}
    for field in entry._meta.local_fields:
        if field.name == "person" or isinstance(field, SealedField):
            continue
        value = getattr(entry, field.attname)
        told[field.name] = value if isinstance(value, (int, float, bool, str, type(None))) else str(value)
    if isinstance(entry, (Episode, Treatment)):
        told["note"] = entry.note
    return told


def _table(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _iso(moment: object) -> str:
    return moment.isoformat() if hasattr(moment, "isoformat") else ""


def _name(wish: UUID) -> str:
    return f"{wish}.zip"


# -- erase -------------------------------------------------------------------------------------------------------------

ERASED: tuple[type[models.Model], ...] = (
    Episode, Rating, Exposure, Treatment, Intake, RedFlagScreen, ImportBatch, SeriesFile, Explanation, Trial, ExportJob,
    Job, Reminder, PushSubscription, ApiToken, Consent,
)  # fmt: skip
"""Everything that belongs to a person; a test compares it with the models."""


def erase_person(person: Person, *, by: User | None) -> ErasureRequest:
    """Erase a person: rows and account, then files and key. The audit keeps numbers, not content.

    Once the key is destroyed, what older backups still hold of the person cannot be read any more.

    Returns
    -------
    ErasureRequest
        The receipt: what is gone and what is kept.
    """
    number = person.pk
    with transaction.atomic():
        gone = {model._meta.model_name or "": model._default_manager.filter(person=person).count() for model in ERASED}
        receipt = ErasureRequest.objects.create(person_number=number, asked_at=timezone.now())
        record("erase", receipt, by=by, person=number)
        for model in ERASED:
            model._default_manager.filter(person=person).delete()
        user = person.user
        # Sessions on other devices too: allauth writes into them by which address somebody entered.
        keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
        Session.objects.filter(session_key__in=list(keys)).delete()
        person.delete()
        user.delete()
        receipt.receipt = {"gone": gone, "kept": {"audit": AuditEvent.objects.filter(person_number=number).count()}}
        receipt.save()
    finish_erasures()
    receipt.refresh_from_db()
    return receipt


def finish_erasures() -> int:
    """Remove files and keys of those whose rows are gone, also where a stop came in between; return how many.

    A worker that was keeping something at that moment may have put a file there afterwards: it goes as well.
    """
    unfinished = list(ErasureRequest.objects.filter(done_at__isnull=True))
    for late in ErasureRequest.objects.filter(done_at__isnull=False, person_number__in=people_with_files()):
        remove_all(late.person_number)
    for receipt in unfinished:
        destroy_person_key(receipt.person_number)
        files = remove_all(receipt.person_number)
        receipt.receipt = {**receipt.receipt, "gone": {**receipt.receipt["gone"], "files": files, "key": 1}}
        receipt.done_at = timezone.now()
        receipt.save()
    return len(unfinished)

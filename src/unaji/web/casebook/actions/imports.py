"""Bring files of devices: kept sealed, looked into, stored when the person wants it, taken back when not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

import unaji
from unaji.records.batch import Kind
from unaji.records.importing import Imported, import_files, undo_import
from unaji.records.person import person_toml
from unaji.records.store.reading import Store
from unaji.web.casebook.actions.consents import consented
from unaji.web.casebook.actions.explanations import keep_days
from unaji.web.casebook.actions.people import ask_anew
from unaji.web.casebook.actions.restoring import (
    Brought,
    PutBack,
    counted,
    exported,
    is_export,
    put_entries,
    put_tables,
    put_trials,
    put_unsafe,
    take_back,
    trials_in,
)
from unaji.web.casebook.audit import record
from unaji.web.casebook.files import abandoned_uploads, opened, put_upload, remove_upload, scratch_folder, upload
from unaji.web.casebook.jobs import CannotError, Progress, ask, cancel, does, hold, subject_of
from unaji.web.casebook.models import ImportBatch, Job, Person, SeriesFile, User
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.imported import MOVES, ImportState
from unaji.web.casebook.models.results import JobKind
from unaji.web.casebook.timeline import person_of, read_timeline

MOST_TOLD = 20
ANSWER_WITHIN = timedelta(days=30)
SWEEP_AFTER_S = 6 * 3600.0
A_DAY = 3
"""How many times what may wait at a time a person may bring within a day."""
WAITING = (ImportState.UPLOADED, ImportState.UNDERSTOOD, ImportState.WANTED)
UNFINISHED = (*WAITING, ImportState.STORED)


class KnownFileError(ValueError):
    """The same file was brought before; `batch` is what became of it."""

    def __init__(self, batch: ImportBatch) -> None:
        super().__init__(str(batch.pk))
        self.batch = batch


class TooMuchError(ValueError):
    """More of this person's would wait, or would have come within a day, than there is room for."""


def room_left(person: Person) -> int:
    """Return how many bytes a person may bring now."""
    brought = ImportBatch.objects.filter(person=person)
    waiting = brought.filter(state__in=WAITING)
    today = brought.filter(made_at__gt=timezone.now() - timedelta(days=1))

    def size(of: Any) -> int:
        return of.aggregate(sum=Sum("size_bytes"))["sum"] or 0

    return max(0, min(settings.UPLOAD_BYTES - size(waiting), A_DAY * settings.UPLOAD_BYTES - size(today)))


def keep_upload(person: Person, number: UUID, parts: Iterator[bytes]) -> None:
    """Seal what arrives, part by part, so that no plain file ever lies on the disk."""
    put_upload(person.pk, str(number), parts)


def bring(person: Person, *, by: User, number: UUID, name: str, size_bytes: int, sha256: str) -> ImportBatch:
    """Note a file that has arrived and was sealed under `number`, and ask a worker to look into it.

    Raises
    ------
    KnownFileError
        It was brought before; what has just arrived is removed.
    TooMuchError
        There is no room for it; it is removed.
    """
    batch = ImportBatch(pk=number, person=person, size_bytes=size_bytes, sha256=sha256)
    batch.file_name = name
    try:
        with transaction.atomic():
            # What arrives together is counted one by one.
            Person.objects.select_for_update(no_key=True).get(pk=person.pk)
            known = ImportBatch.objects.filter(person=person, sha256=sha256, state__in=UNFINISHED)
            if size_bytes > room_left(person) and not known.exists():
                raise TooMuchError(str(number))
            batch.save(force_insert=True)
            record("create", batch, by=by, person=person.pk)
            ask(person, JobKind.LOOK, by=by, subject=batch.pk)
    except TooMuchError:
        remove_upload(person.pk, str(number))
        raise
    except IntegrityError:
        remove_upload(person.pk, str(number))
        raise KnownFileError(ImportBatch.objects.get(person=person, sha256=sha256, state__in=UNFINISHED)) from None
    return batch


def want(batch: ImportBatch, *, by: User) -> None:
    """Let what was understood be stored."""
    with transaction.atomic():
        if batch.state != ImportState.WANTED:  # else it was wanted before, and the job was stopped or failed
            move(batch, ImportState.WANTED, by=by)
        ask(batch.person, JobKind.STORE, by=by, subject=batch.pk)


def drop(batch: ImportBatch, *, by: User) -> None:
    """Do without a file that was not stored, or take a stored one back."""
    with transaction.atomic():
        if batch.state == ImportState.STORED:
            ask(batch.person, JobKind.UNDO, by=by, subject=batch.pk)
            return
        move(batch, ImportState.UNDONE, by=by)
        for job in Job.objects.filter(subject=batch.pk).unfinished():
            cancel(job, by=by)
        transaction.on_commit(lambda: remove_upload(batch.person_id, str(batch.pk)))


def move(batch: ImportBatch, to: ImportState, *, by: User | None) -> None:
    """Move an import from one state to another, as `MOVES` allows.

    Raises
    ------
    ValueError
        It is not in a state from which it may go there.
    """
    held = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if to not in MOVES[ImportState(held.state)]:
        raise ValueError(f"an import that is {held.state} cannot become {to}")
    batch.state = to
    batch.save()
    record(to, batch, by=by, person=batch.person_id)


def is_stuck(batch: ImportBatch) -> bool:
    """Say whether nobody works on a file that is to be looked into or stored."""
    waits = batch.state in (ImportState.UPLOADED, ImportState.WANTED)
    return waits and not Job.objects.filter(subject=batch.pk).unfinished().exists()


def sweep_uploads() -> int:
    """Remove uploaded files that nobody waits for: of a connection that broke, of a question nobody answered."""
    long_ago = timezone.now() - ANSWER_WITHIN
    for batch in ImportBatch.objects.filter(state__in=WAITING, changed_at__lt=long_ago):
        if batch.state == ImportState.UNDERSTOOD or is_stuck(batch):
            with transaction.atomic():
                move(batch, ImportState.UNDONE, by=None)
    swept = 0
    for person in Person.objects.all():
        waiting = ImportBatch.objects.filter(person=person, state__in=WAITING).values_list("pk", flat=True)
        for file in abandoned_uploads(person.pk, set(map(str, waiting)), older_than_s=SWEEP_AFTER_S):
            file.unlink(missing_ok=True)
            swept += 1
    return swept


# -- what the worker does ----------------------------------------------------------------------------------------------


@does(JobKind.LOOK)
def look(job: Job, progress: Progress) -> None:
    """Read a file into an empty folder, and tell what is in it; nothing of the person's is touched."""
    batch = ImportBatch.objects.select_related("person").get(pk=subject_of(job))
    if batch.state != ImportState.UPLOADED:
        return
    with scratch_folder() as empty, _plain(batch) as file:
        if is_export(file):
            with exported(file) as timeline:
                found = counted(timeline, file, trials_in(file))
        else:
            folder = empty / "person"
            folder.mkdir()
            found = _imported(batch, file, folder, progress)
    hold(job)
    with transaction.atomic():
        _tell(batch, found)
        move(batch, ImportState.REFUSED if found.refused else ImportState.UNDERSTOOD, by=None)
    if found.refused:
        remove_upload(batch.person_id, str(batch.pk))


@does(JobKind.STORE)
def store(job: Job, progress: Progress) -> None:
    """Read a file into the person's folder, then remove it."""
    batch = ImportBatch.objects.select_related("person").get(pk=subject_of(job))
    if batch.state != ImportState.WANTED:
        return
    if not consented(batch.person, Purpose.WEARABLE_IMPORT):
        raise CannotError("no_consent")
    export, tables, trials = None, tuple[str, ...](), tuple[Brought, ...]()
    with _plain(batch) as file, opened(batch.person_id, write=True) as folder:
        if is_export(file):
            with exported(file) as export:
                trials = trials_in(file)
                found, tables = counted(export, file, trials), put_tables(export, folder)
        else:
            found = _imported(batch, file, folder, progress)
        contents = _contents(folder)
        # A try before this one may have got as far as the folder: then the store knows the file already.
        before = Store.open(folder).manifest.batch_of(batch.sha256)
        if not found.refused:
            keep_days(batch.person, read_timeline(batch.person, folder))
        if not consented(batch.person, Purpose.WEARABLE_IMPORT):  # a large file takes minutes, and minds change
            raise CannotError("no_consent")
        hold(job)  # what follows is kept
    with transaction.atomic():  # the diary with the state: a stop before leaves neither
        ask_anew(batch.person)
        added = None if export is None else PutBack(put_entries(batch.person, export), tables)
        if added is not None and export is not None:
            put_trials(batch.person, trials, added.stamp)
            put_unsafe(batch.person, export)
        _tell(batch, found, added)
        batch.store_batch = found.batch
        if found.batch is None and before is not None:
            batch.store_batch, batch.rows = before.id, sum(before.rows.values())
        move(batch, ImportState.REFUSED if found.refused else ImportState.STORED, by=None)
        _note_series(batch.person, contents)
    remove_upload(batch.person_id, str(batch.pk))


@does(JobKind.UNDO)
def undo(job: Job, progress: Progress) -> None:
    """Take a stored import back."""
    batch = ImportBatch.objects.select_related("person").get(pk=subject_of(job))
    if batch.state != ImportState.STORED:
        return
    told = json.loads(batch.told_text or "{}")
    with opened(batch.person_id, write=True) as folder:
        known = {one.id for one in Store.open(folder).batches}  # not, where a try before this one got as far
        if batch.store_batch is not None and batch.store_batch in known:
            undo_import(batch.store_batch, folder)
        contents = _contents(folder)
        hold(job)  # what follows is kept
        if told.get("stamp") is not None:
            added = PutBack(datetime.fromisoformat(told["stamp"]), tuple(told["tables"]))
            take_back(batch.person, added, folder)
    with transaction.atomic():
        ask_anew(batch.person)
        move(batch, ImportState.UNDONE, by=None)
        _note_series(batch.person, contents)


def _plain(batch: ImportBatch) -> Any:
    name = Path(batch.file_name).name
    return upload(batch.person_id, str(batch.pk), name if name.strip(". ") else "file")


def _imported(batch: ImportBatch, file: Path, folder: Path, progress: Progress) -> Imported:
    (folder / "person.toml").write_text(person_toml(person_of(batch.person)), encoding="utf-8")
    read, size = 0.0, max(batch.size_bytes, 1)

    def on_read(count: float) -> None:
        nonlocal read
        read += count
        progress(0.95 * min(read / size, 1.0))

    return import_files([file], folder, on_read=on_read)[0]


def _tell(batch: ImportBatch, found: Imported, added: PutBack | None = None) -> None:
    batch.importer = ", ".join(found.importers)[:120]
    batch.version = unaji.__version__
    batch.rows = sum(found.rows.values())
    batch.first_at, batch.last_at = found.first, found.last
    batch.told_text = json.dumps(
        {
            "rows": found.rows,
            "refused": found.refused,
            # Of an export of ours: by what to take it back.
            "stamp": None if added is None else added.stamp.isoformat(),
            "tables": () if added is None else added.tables,
            "left_out": [{"rule": one.rule, "count": one.count} for one in found.rejected[:MOST_TOLD]],
            # One that speaks of more rows only says again what was said of the first of them.
            "remarks": list(dict.fromkeys(one.rule for one in found.problems if not one.rejected and one.count == 1))[
                :MOST_TOLD
            ],
        },
        ensure_ascii=False,
    )


def _contents(folder: Path) -> list[tuple[str, str, int, datetime, datetime]]:
    """Say what a folder's store holds: kind, quantity, rows, first and last moment."""
    store = Store.open(folder)
    told = []
    for kind, quantity in store.contents:
        rows = store.read(kind, quantity, columns=("time",))
        if rows.height:
            first, last = rows.select(pl.col("time").min().alias("a"), pl.col("time").max().alias("b")).row(0)
            told.append((kind.value, quantity, rows.height, _moment(first), _moment(last)))
    return told


def _note_series(person: Person, contents: list[tuple[str, str, int, datetime, datetime]]) -> None:
    SeriesFile.objects.filter(
        person=person, kind__in=[kind.value for kind in Kind]
    ).delete()  # not the tables beside it
    SeriesFile.objects.bulk_create(
        SeriesFile(person=person, kind=kind, quantity=quantity, rows=rows, first_at=first, last_at=last)
        for kind, quantity, rows, first, last in contents
    )


def _moment(stamp: datetime | int) -> datetime:
    return datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, int) else stamp.replace(tzinfo=UTC)

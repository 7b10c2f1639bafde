"""Read what unaji itself has handed out: somebody's export, brought back here or brought here from elsewhere."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.utils import timezone

from unaji.errors import InputError
from unaji.records.folder import contents_of, own_files, put_files, read_folder
from unaji.records.importing import Imported
from unaji.records.timeline import Timeline
from unaji.web.casebook.files import scratch_folder
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.jobs import CannotError
from unaji.web.casebook.models import Episode, Exposure, Person, Rating, Treatment
from unaji.web.casebook.models.diary import Entry

RECORDS = "unaji/records/"
"""Folder inside the export that holds the records in the folder format."""
LARGEST_BYTES = 4 << 30
SOURCE = "import"

Row = TypeVar("Row", bound=Entry)


def is_export(file: Path) -> bool:
    """Say whether a file is one that `actions.exports` has packed."""
    try:
        with zipfile.ZipFile(file) as archive:
            return f"{RECORDS}person.toml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


@contextmanager
def exported(file: Path) -> Iterator[Timeline]:
    """Unpack the records of an export and read them.

    Raises
    ------
    InputError
        There is nothing in it that can be used.
    """
    with scratch_folder() as place, zipfile.ZipFile(file) as archive:
        folder, left = place / "records", LARGEST_BYTES
        for info in archive.infolist():
            name = info.filename.removeprefix(RECORDS)
            inside = (folder / name).resolve()
            if info.is_dir() or name == info.filename or not inside.is_relative_to(folder.resolve()):
                continue
            left -= info.file_size
            if left < 0:
                raise InputError(f"the export holds more than {LARGEST_BYTES:,} bytes of records")
            inside.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as packed, inside.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        yield read_folder(folder)


def counted(timeline: Timeline, file: Path) -> Imported:
    """Tell what is in an export, as of any other file."""
    rows: Counter[str] = Counter()
    for series in timeline.series:
        rows[series.quantity] += len(series)
    if timeline.beats is not None:
        rows["rri_ms"] += len(timeline.beats)
    for name in ("episodes", "ratings", "exposures", "treatments"):
        rows[name] = len(getattr(timeline, name))
    span = timeline.span
    return Imported(
        str(file), ("unaji",), rows={name: n for name, n in sorted(rows.items()) if n},
        first=None if span is None else span.start, last=None if span is None else span.end,
        problems=timeline.problems,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PutBack:
    """By what an export that was read can be found again: the moment of its diary, the names of its tables."""

    stamp: datetime
    tables: tuple[str, ...]


def put_back(person: Person, timeline: Timeline, folder: Path) -> PutBack:
    """Add a timeline to a person's diary and open folder.

    What stands in the diary already is not doubled, and what the person once took back by hand does not return.

    Raises
    ------
    CannotError
        The folder holds the tables of another export, which would be replaced: that one has to be taken back first.
    """
    stamp = timezone.now()
    measured = replace(timeline, episodes=(), ratings=(), exposures=(), treatments=(), outcomes=())
    contents = {name: content for name, content in contents_of(measured).items() if name != "person.toml"}
    if contents and any(file.name != "person.toml" for file in own_files(folder)):
        raise CannotError("another_export")
    if contents:
        put_files(contents, folder, ())

    def common() -> dict[str, object]:
        return {"person": person, "client_id": uuid7(), "recorded_at": stamp, "source": SOURCE}

    episodes = []
    for e in timeline.episodes:
        strength = None if e.intensity is None else round(e.intensity)
        row = Episode(**common(), start=e.start, end=e.end, intensity=strength)
        row.note = e.note
        episodes.append(row)
    treatments = []
    for t in timeline.treatments:
        told = Treatment(**common(), time=t.time, kind=t.kind)
        told.note = t.note
        treatments.append(told)
    _add(person, Episode, episodes, ("start", "end", "intensity"))
    _add(person, Treatment, treatments, ("time", "kind"))
    ratings = [Rating(**common(), time=r.time, quantity=r.quantity, value=r.value) for r in timeline.ratings]
    _add(person, Rating, ratings, ("time", "quantity", "value"))
    exposures = [
        Exposure(**common(), start=e.start, end=e.end, kind=e.kind, amount=e.amount) for e in timeline.exposures
    ]
    _add(person, Exposure, exposures, ("start", "end", "kind", "amount"))
    return PutBack(stamp, tuple(contents))


def take_back(person: Person, added: PutBack, folder: Path) -> None:
    """Take back what `put_back` added to the diary and to the open folder."""
    for name in added.tables:
        (folder / name).unlink(missing_ok=True)
    for model in (Episode, Rating, Exposure, Treatment):
        rows = model._default_manager.filter(person=person, source=SOURCE, recorded_at=added.stamp)
        rows.update(withdrawn_at=timezone.now())


def _add(person: Person, model: type[Row], rows: list[Row], told: tuple[str, ...]) -> None:
    """Store the rows that are not there; times count to the millisecond, as an export writes them."""
    there = model._default_manager.filter(person=person).exclude(source=SOURCE, withdrawn_at__isnull=False)
    known = {_content(values) for values in there.values_list(*told)}
    fresh = [row for row in rows if _content(tuple(getattr(row, name) for name in told)) not in known]
    model._default_manager.bulk_create(fresh, batch_size=500)


def _content(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(int(one.timestamp() * 1000) if isinstance(one, datetime) else one for one in values)

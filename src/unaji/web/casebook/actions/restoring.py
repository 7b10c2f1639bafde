"""Read what unaji itself has handed out: somebody's export, brought back here or brought here from elsewhere."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from django.utils import timezone

from unaji.records.folder import contents_of, put_files, read_folder
from unaji.records.importing import Imported
from unaji.records.timeline import Timeline
from unaji.web.casebook.files import scratch
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
    with TemporaryDirectory(dir=scratch()) as place, zipfile.ZipFile(file) as archive:
        folder, left = Path(place) / "records", LARGEST_BYTES
        for info in archive.infolist():
            name = info.filename.removeprefix(RECORDS)
            inside = (folder / name).resolve()
            if info.is_dir() or name == info.filename or not inside.is_relative_to(folder.resolve()):
                continue
            left -= info.file_size
            if left < 0:
                break
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
    """Add a timeline to a person's diary and open folder; what is there already is not doubled."""
    stamp = timezone.now()
    measured = replace(timeline, episodes=(), ratings=(), exposures=(), treatments=(), outcomes=())
    contents = {name: content for name, content in contents_of(measured).items() if name != "person.toml"}
    if contents:
        put_files(contents, folder, ())

    def common(*said: object) -> dict[str, object]:
        number: UUID = uuid5(NAMESPACE_OID, repr(said))
        return {"person": person, "client_id": number, "recorded_at": stamp, "source": SOURCE}

    episodes = []
    for e in timeline.episodes:
        row = Episode(
            **common("episode", e.start, e.end, e.intensity, e.note), start=e.start, end=e.end,
            intensity=None if e.intensity is None else round(e.intensity),
        )  # fmt: skip
        row.note = e.note
        episodes.append(row)
    treatments = []
    for t in timeline.treatments:
        told = Treatment(**common("treatment", t.time, t.kind, t.note), time=t.time, kind=t.kind)
        told.note = t.note
        treatments.append(told)
    _add(person, Episode, episodes)
    _add(person, Treatment, treatments)
    _add(person, Rating, (
        Rating(**common("rating", r.time, r.quantity, r.value), time=r.time, quantity=r.quantity, value=r.value)
        for r in timeline.ratings
    ))  # fmt: skip
    _add(person, Exposure, (
        Exposure(**common("exposure", e.start, e.end, e.kind, e.amount), start=e.start, end=e.end, kind=e.kind,
                 amount=e.amount)
        for e in timeline.exposures
    ))  # fmt: skip
    return PutBack(stamp, tuple(contents))


def take_back(person: Person, added: PutBack, folder: Path) -> None:
    """Take back what `put_back` added to the diary and to the open folder."""
    for name in added.tables:
        (folder / name).unlink(missing_ok=True)
    for model in (Episode, Rating, Exposure, Treatment):
        rows = model._default_manager.filter(person=person, source=SOURCE, recorded_at=added.stamp)
        rows.update(withdrawn_at=timezone.now())


def _add(person: Person, model: type[Row], rows: Iterable[Row]) -> None:
    """Store rows whose number is not known; one that was taken back returns, since it is asked for again."""
    fresh = {row.client_id: row for row in rows}
    manager = model._default_manager
    manager.filter(person=person, client_id__in=fresh, source=SOURCE).update(withdrawn_at=None)
    manager.bulk_create(fresh.values(), ignore_conflicts=True, batch_size=500)

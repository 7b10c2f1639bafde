"""What a store holds at one moment: its files, the imports they came from, and whose rows they are.

A manifest is never changed: a new one with the next number takes its place when the file ``CURRENT`` names it. What no
manifest names does not exist.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from unaji.errors import InputError
from unaji.records.batch import Device
from unaji.records.store import disk

SCHEMA = 1
CURRENT = "CURRENT"
HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """Who wrote rows, as in `unaji.records.batch.Device`, its own name only as a salted hash."""

    id: int
    source: str
    role: str
    name_hash: str
    app: str
    site: str
    method: str
    origin: str
    corrected: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why rows of an import were left out, and how many; what stood in them is not kept."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One import of one file.

    Attributes
    ----------
    imported_ms, exported_ms : int
        When it was imported, and when its maker's export was made, as far as that is known; the moment of the import
        otherwise. Of two exports that contradict each other, the later one holds. [ms since 1970 UTC]
    sha256 : str
        Of the file's content.
    read_by : str
        With which version of unaji and in which time zones its wall clocks were read.
    rows : dict
        New rows it brought, by quantity.
    rejected : tuple of Rejection
        What could not be used of it.
    instead_of : int or None
        The import of the same file, read otherwise, whose place it took.
    """

    id: int
    imported_ms: int
    exported_ms: int
    importers: tuple[str, ...]
    sha256: str
    read_by: str
    rows: dict[str, int]
    rejected: tuple[Rejection, ...] = ()
    instead_of: int | None = None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file: rows of one quantity from one batch, in order of time.

    Attributes
    ----------
    batch : int or None
        The batch that brought it; None once that was undone and the rows are here only for other batches' sake.
    also : tuple of int
        Other batches that hold all its rows too. Those that hold a part of them have a `Mark`.
    first_ms, last_ms, last_end_ms : int
        Earliest and latest `time`, latest `time` or `end`. [ms since 1970 UTC]
    """

    path: str
    kind: str
    quantity: str
    batch: int | None
    rows: int
    first_ms: int
    last_ms: int
    last_end_ms: int
    also: tuple[int, ...] = ()

    @property
    def owners(self) -> tuple[int, ...]:
        """Batches that hold all its rows."""
        return self.also if self.batch is None else (self.batch, *self.also)


@dataclass(frozen=True, slots=True)
class Mark:
    """Rows of a file of which a batch says something: it holds them too, or brought what takes their place.

    Attributes
    ----------
    rows : str
        The file that lists them, by their number in the marked file from 0.
    """

    file: str
    batch: int
    says: Literal["seen", "superseded"]
    rows: str


@dataclass(frozen=True, slots=True)
class Former:
    """What a store held before its last import took the place of another; the attributes as in `Manifest`."""

    batches: tuple[BatchEntry, ...]
    files: tuple[FileEntry, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a store holds.

    Attributes
    ----------
    former : Former or None
        What undoing the last import brings back, where that took the place of an earlier one. It is kept until
        anything else changes: rows that came in later would be there twice.
    salt : str
        What device names are hashed with; made once for each person.
    next_batch : int
        A number is never given twice, also when its batch was undone.
    """

    salt: str
    schema: int = SCHEMA
    number: int = 0
    next_batch: int = 1
    sources: tuple[SourceEntry, ...] = ()
    batches: tuple[BatchEntry, ...] = ()
    files: tuple[FileEntry, ...] = ()
    marks: tuple[Mark, ...] = ()
    former: Former | None = None

    def batch_of(self, sha256: str) -> BatchEntry | None:
        """Return the batch that a file's content came in with."""
        return next((batch for batch in self.batches if batch.sha256 == sha256), None)

    def undone(self, batch: int) -> Manifest:
        """Return what holds when a batch is undone: if it was the last and took another's place, that is back."""
        former = self.former
        if former is None or self.batches[-1].id != batch:
            return self.without(batch)
        return replace(self, batches=former.batches, files=former.files, marks=former.marks, former=None)

    def without(self, batch: int) -> Manifest:
        """Return what is left without a batch: rows others hold too stay, and what it superseded is back."""
        marks = [mark for mark in self.marks if mark.batch != batch]
        seen = {mark.file for mark in marks if mark.says == "seen"}
        files = tuple(
            replace(
                file,
                batch=None if file.batch == batch else file.batch,
                also=tuple(other for other in file.also if other != batch),
            )
            for file in self.files
        )
        files = tuple(file for file in files if file.owners or file.path in seen)
        kept = {file.path for file in files}
        return replace(
            self,
            batches=tuple(entry for entry in self.batches if entry.id != batch),
            files=files,
            marks=tuple(mark for mark in marks if mark.file in kept),
            former=None,
        )

    def paths(self) -> set[str]:
        """Return all files that the manifest names."""
        named: list[Manifest | Former] = [self] if self.former is None else [self, self.former]
        return {file.path for one in named for file in one.files} | {mark.rows for one in named for mark in one.marks}

    def entry_of(self, device: Device, source_id: int) -> SourceEntry:
        """Return a device as it is written down."""
        hashed = hashlib.sha256(f"{self.salt}:{device.name}".encode()).hexdigest()[:HASH_DIGITS] if device.name else ""
        return SourceEntry(
            source_id, device.source, device.role, hashed, device.app, device.site, device.method, device.origin,
            device.corrected,
        )  # fmt: skip


def current(path: Path) -> Manifest:
    """Return the manifest that holds now; an empty one where nothing has been stored yet.

    Raises
    ------
    InputError
        The store is damaged, or was written by a later version of unaji.
    """
    named = path / CURRENT
    try:
        name = named.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return Manifest(salt=secrets.token_hex(16))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{named}: cannot be read ({error}); restore the folder store/ from a copy") from error
    file = path / "manifest" / name
    try:
        data = file.read_bytes()
        if (schema := msgspec.json.decode(data, type=_Schema).schema) > SCHEMA:
            raise InputError(
                f"{file}: was written by a later unaji (form {schema}, this one knows {SCHEMA}); update it"
            )
        return msgspec.json.decode(data, type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{file}: cannot be read ({error}); restore the folder store/ from a copy") from error


@dataclass(frozen=True, slots=True)
class _Schema:
    schema: int


def commit(manifest: Manifest, path: Path) -> Manifest:
    """Let a manifest hold from now on; returns it with its number. Before the last rename, the former one holds."""
    numbered = replace(manifest, number=manifest.number + 1)
    folder = path / "manifest"
    disk.make_folder(folder)
    file = folder / f"{numbered.number:06d}.json"
    disk.write_text(msgspec.json.encode(numbered), file)
    disk.sync_folder(folder)
    disk.write_text(f"{file.name}\n".encode(), path / f"{CURRENT}.new")
    disk.replace(path / f"{CURRENT}.new", path / CURRENT)
    disk.sync_folder(path)
    return numbered

"""Add to a store: a batch appears whole or not at all, and rows that are there already are not written again."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from unaji.errors import InputError, OutputError
from unaji.records.batch import Batch, Device, Kind
from unaji.records.store import disk
from unaji.records.store.joining import FILE, KEY, ROW, Joined, edited, first_of_each, join
from unaji.records.store.live import NEVER, RowNumbers, Said, numbered_rows, numbers_frame, said_of
from unaji.records.store.lock import only_writer
from unaji.records.store.manifest import (
    CURRENT,
    BatchEntry,
    FileEntry,
    Former,
    Manifest,
    Mark,
    Rejection,
    commit,
    current,
)
from unaji.records.store.reading import FOLDER, STORED, Store
from unaji.records.store.spool import Group, Spool, sorted_by_time

SLACK_MS = 48 * 3_600_000
"""How far the time of a row with a name of its own may have been moved by its maker and still be found [ms]."""

ANYWHERE_MS = 1 << 62
"""Of what people themselves move about, such as meetings, there are few enough to look through all of them [ms]."""

_QUANTITY = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch comes from; the attributes as in `BatchEntry`."""

    imported_ms: int
    exported_ms: int
    importers: tuple[str, ...]
    sha256: str
    read_by: str
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the rows of an import.

    Attributes
    ----------
    batch : int
        The number to undo it by.
    new, known : dict of str to int
        Rows by quantity: stored now, and not stored since the store or this import had them already.
    first_ms, last_ms : int or None
        Earliest and latest time of all its rows, new and known. [ms since 1970 UTC]
    sources : tuple of int
        Who wrote them.
    """

    batch: int
    new: dict[str, int]
    known: dict[str, int]
    first_ms: int | None
    last_ms: int | None
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking an import back has done.

    Attributes
    ----------
    rows : dict of str to int
        Rows it had brought, by quantity.
    restored : int or None
        The import whose place it had taken, and which holds again.
    gone : int or None
        The import whose place it had taken, where that cannot be brought back.
    """

    rows: dict[str, int]
    restored: int | None = None
    gone: int | None = None


@contextmanager
def writing(person: Path) -> Iterator[Writer]:
    """Open a person's store for writing, alone; the folder is made where it is missing.

    What an import that was killed has left behind is swept away first.

    Raises
    ------
    OutputError
        Another process is writing, or the folder cannot be written to.
    """
    path = person / FOLDER
    try:
        disk.make_folder(path)
        with only_writer(path / "lock"):
            writer = Writer(path)
            writer.sweep()
            yield writer
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); nothing of this file was stored"
        ) from error


class Writer:
    """A store that this process alone may change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = current(path)

    def sweep(self) -> None:
        """Remove what no manifest names, but for what the manifest before names: a reader may still hold that."""
        shutil.rmtree(self.path / "tmp", ignore_errors=True)
        (self.path / f"{CURRENT}.new").unlink(missing_ok=True)
        before = self.manifest.number - 1
        keep = {f"manifest/{number:06d}.json" for number in (before, self.manifest.number)}
        keep |= self.manifest.paths() | _named_by(self.path, before)
        for folder in ("manifest", "marks", *Kind):
            for file in sorted((self.path / folder).rglob("*.*")):
                if file.is_file() and file.relative_to(self.path).as_posix() not in keep:
                    disk.remove(file)

    def undo(self, batch: int) -> Undone:
        """Take back an import; what it took the place of returns if nothing was imported or taken back since.

        Raises
        ------
        InputError
            There is no such batch.
        """
        entry = next((entry for entry in self.manifest.batches if entry.id == batch), None)
        if entry is None:
            there = ", ".join(str(entry.id) for entry in self.manifest.batches) or "none"
            raise InputError(f"{self.path.parent}: there is no import {batch} to undo; there are: {there}")
        self.manifest = commit(self.manifest.undone(batch), self.path)
        if any(one.id == entry.instead_of for one in self.manifest.batches):
            return Undone(entry.rows, restored=entry.instead_of)
        return Undone(entry.rows, gone=entry.instead_of)

    @contextmanager
    def incoming(self, *, instead_of: int | None = None) -> Iterator[Incoming]:
        """Begin an import; without `Incoming.commit` nothing of it is left.

        Parameters
        ----------
        instead_of : int, optional
            A batch that is undone in the same step.
        """
        base = self.manifest if instead_of is None else self.manifest.without(instead_of)
        scratch = self.path / "tmp" / f"{base.next_batch:06d}"
        disk.make_folder(scratch)
        try:
            yield Incoming(self, base, scratch, instead_of)
        finally:
            shutil.rmtree(self.path / "tmp", ignore_errors=True)


class Incoming:
    """One import in progress."""

    def __init__(self, writer: Writer, base: Manifest, scratch: Path, instead_of: int | None) -> None:
        self._writer, self._base, self._scratch, self._instead_of = writer, base, scratch, instead_of
        self._spool = Spool(scratch)
        self._sources = list(base.sources)
        self._ids: dict[Device, int] = {}

    def add(self, batch: Batch) -> None:
        """Take in the rows of a batch; only `commit` makes them part of the store.

        Raises
        ------
        ValueError
            The quantity's name cannot be that of a folder.
        """
        if not _QUANTITY.fullmatch(batch.quantity):
            raise ValueError(f"{batch.quantity!r} is no name of a quantity: small letters, digits and _")
        self._spool.add(batch, self._source_id(batch.device))

    def commit(self, origin: Origin) -> Kept:
        """Make the rows part of the store, all at once.

        Raises
        ------
        OutputError
            They cannot be written; the store is as it was.
        """
        number = self._base.next_batch
        written = _Written(Store.of(self._writer.path, self._base), self._scratch, number, origin)
        for group in self._spool.groups():
            for piece in self._spool.pieces(group):
                written.add(group, piece)
            written.end_group()
        written.move_into_place()
        batch = BatchEntry(
            number, origin.imported_ms, origin.exported_ms, origin.importers, origin.sha256, origin.read_by,
            dict(written.new), origin.rejected, self._instead_of,
        )  # fmt: skip
        there = self._writer.manifest
        self._writer.manifest = commit(
            replace(
                self._base,
                next_batch=number + 1,
                sources=tuple(self._sources),
                batches=(*self._base.batches, batch),
                files=(*(written.changed.get(file.path, file) for file in self._base.files), *written.files),
                marks=(*self._base.marks, *written.marks),
                former=None if self._instead_of is None else Former(there.batches, there.files, there.marks),
            ),
            self._writer.path,
        )
        sources = tuple(self._ids.values())
        return Kept(number, dict(written.new), dict(written.known), written.first_ms, written.last_ms, sources)

    def _source_id(self, device: Device) -> int:
        if device not in self._ids:
            as_written = self._base.entry_of(device, 0)
            known = next((entry.id for entry in self._sources if replace(entry, id=0) == as_written), None)
            if known is None:
                known = len(self._sources) + 1
                self._sources.append(replace(as_written, id=known))
            self._ids[device] = known
        return self._ids[device]


class _Written:
    """What an import has written so far, beside its place, and what it says of rows that were there before."""

    def __init__(self, store: Store, scratch: Path, batch: int, origin: Origin) -> None:
        self.files: list[FileEntry] = []
        self.marks: list[Mark] = []
        self.changed: dict[str, FileEntry] = {}
        self.new: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self._store, self._scratch, self._batch, self._origin = store, scratch, batch, origin
        self._by_path = {file.path: file for file in store.manifest.files}
        self._rank = sum(entry.exported_ms <= origin.exported_ms for entry in store.batches)
        self._of_rank = {rank: batch for batch, rank in store.rank.items()}
        self._places: list[tuple[Path, Path]] = []
        self._seen: defaultdict[str, list[RowNumbers]] = defaultdict(list)
        self._superseded: defaultdict[tuple[str, int], list[RowNumbers]] = defaultdict(list)

    def add(self, group: Group, piece: pl.DataFrame) -> None:
        """Write what is new in a piece, in order of time, and note what is not."""
        quantity = group[1]
        self._note_times(piece["time"])
        passed = piece["time"][0] - SLACK_MS  # pieces come in order of time: of what ended before, nothing more is seen
        self._settle_seen([path for path in self._seen if self._by_path[path].last_ms < passed])
        rows = first_of_each(piece)
        files = self._files_near(group, rows)
        joined = join(rows, self._held(files, _searched(group, rows))) if files else None
        new = rows if joined is None else joined.new
        self.new[quantity] += new.height
        self.known[quantity] += piece.height - new.height
        path = self._write(group, new) if new.height else ""
        if joined is not None:
            for i, file in enumerate(files):
                of_file = pl.col(FILE) == i
                self._note_seen(file, joined.seen.filter(of_file))
            self._supersede(joined, path, files)

    def end_group(self) -> None:
        """Settle what was noted of the files of one quantity."""
        self._settle_seen(list(self._seen))
        for (path, by), numbers in self._superseded.items():
            self._mark(path, by, "superseded", np.concatenate(numbers))
        self._superseded.clear()

    def _settle_seen(self, paths: Sequence[str]) -> None:
        for path in paths:
            seen = np.concatenate(self._seen.pop(path))
            held = self._by_path[path]
            if seen.size == held.rows:
                self.changed[path] = replace(held, also=(*held.also, self._batch))
            else:
                self._mark(path, self._batch, "seen", seen)

    def move_into_place(self) -> None:
        """Give all files their names in the store, where nothing refers to them yet."""
        folders = sorted({target.parent for _, target in self._places})
        for folder in folders:
            disk.make_folder(folder)
        for source, target in self._places:
            disk.replace(source, target)
        for folder in folders:
            disk.sync_folder(folder)

    def _note_times(self, time: pl.Series) -> None:
        self.first_ms = time[0] if self.first_ms is None else min(self.first_ms, time[0])
        self.last_ms = time[-1] if self.last_ms is None else max(self.last_ms, time[-1])

    def _files_near(self, group: Group, rows: pl.DataFrame) -> Sequence[FileEntry]:
        first, last = _searched(group, rows)
        files = self._store.files(Kind(group[0]), group[1])
        return [file for file in files if file.first_ms <= last and file.last_ms >= first]

    def _held(self, files: Sequence[FileEntry], between: tuple[int, int]) -> pl.DataFrame:
        """Return the rows held in some files, also superseded ones; not those whose every import was undone."""
        where = pl.col("time").is_between(*between)
        frames = []
        for i, file in enumerate(files):
            found = numbered_rows(self._store.path, file, where, KEY, ROW)
            if not file.owners:
                found = found.filter(pl.Series(self._said(file).held[found[ROW].to_numpy()] != NEVER))
            frames.append(found.with_columns(pl.lit(i, dtype=pl.UInt32).alias(FILE)))
        return sorted_by_time(pl.concat(frames))

    def _said(self, file: FileEntry, *, before: int | None = None) -> Said:
        return said_of(self._store.path, file, self._store.marks(file), self._store.rank, before=before)

    def _note_seen(self, file: FileEntry, seen: pl.DataFrame) -> None:
        if seen.height:
            self._seen[file.path].append(seen[ROW].to_numpy())

    def _supersede(self, joined: Joined, path: str, files: Sequence[FileEntry]) -> None:
        """Note which held rows say something else than this import does; of the two, the later export holds.

        What this import says anew are its new rows, and held ones that an earlier export had taken back.
        """
        if not joined.others.height:
            return
        numbered = joined.new.select(*KEY).with_row_index(ROW)
        speaking = pl.concat([numbered.select(*KEY), self._revived(joined.seen, files)])
        if not speaking.height:
            return
        against = edited(joined.others, speaking)
        for (i,), held in against.group_by(FILE):
            file = files[int(str(i))]
            said = self._said(file).held[held[ROW].to_numpy()]
            earlier = pl.Series(said < self._rank)
            self._note_superseded(file.path, self._batch, held.filter(earlier))
            for rank in np.unique(said[said >= self._rank]):
                later = held.filter(pl.Series(said == rank))
                self._note_superseded(path, self._of_rank[int(rank)], edited(numbered, later))

    def _revived(self, seen: pl.DataFrame, files: Sequence[FileEntry]) -> pl.DataFrame:
        """Return, of the held rows that this import has too, those that were superseded at the time of its export."""
        found = [pl.DataFrame(schema={name: STORED[name] for name in KEY})]
        for (i,), rows in seen.group_by(FILE):
            file = files[int(str(i))]
            if any(mark.says == "superseded" for mark in self._store.marks(file)):
                said = self._said(file, before=self._rank)
                back = rows.filter(pl.Series((said.superseded > said.held)[rows[ROW].to_numpy()]))
                found.append(back.select(*KEY))
        return pl.concat(found)

    def _note_superseded(self, path: str, by: int, rows: pl.DataFrame) -> None:
        if rows.height:
            self._superseded[path, by].append(rows[ROW].to_numpy())

    def _write(self, group: Group, rows: pl.DataFrame) -> str:
        kind, quantity = group
        month = np.datetime64(rows["time"][0], "ms").astype("datetime64[M]")
        path = f"{kind}/{quantity}/{month}/{self._batch:06d}-{len(self.files)}.parquet"
        last_end_ms = rows.select(pl.max_horizontal(pl.col("time").max(), pl.col("end").max())).item()
        self._place(rows.select(STORED.keys()), path)
        self.files.append(
            FileEntry(path, kind, quantity, self._batch, rows.height, rows["time"][0], rows["time"][-1], last_end_ms)
        )
        return path

    def _mark(self, file: str, by: int, says: Literal["seen", "superseded"], numbers: RowNumbers) -> None:
        path = f"marks/{self._batch:06d}/{len(self.marks)}.parquet"
        self._place(numbers_frame(numbers), path)
        self.marks.append(Mark(file, by, says, path))

    def _place(self, frame: pl.DataFrame, path: str) -> None:
        source = self._scratch / f"out-{len(self._places)}.parquet"
        disk.write_frame(frame, source)
        self._places.append((source, self._store.path / path))


def _searched(group: Group, rows: pl.DataFrame) -> tuple[int, int]:
    """Return first and last time between which held rows may be the same as these [ms]."""
    if rows["vendor_id"].null_count() == rows.height:
        slack = 0
    else:
        slack = ANYWHERE_MS if group[0] == Kind.EXPOSURE else SLACK_MS
    return rows["time"][0] - slack, rows["time"][-1] + slack


def _named_by(path: Path, number: int) -> set[str]:
    """Return the files that an earlier manifest names; none where that manifest is gone."""
    try:
        return msgspec.json.decode((path / f"manifest/{number:06d}.json").read_bytes(), type=Manifest).paths()
    except (OSError, msgspec.MsgspecError):
        return set()

"""Bring vendors' exports into a person's folder: each file whole or not at all, no row lost and none twice."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from unaji import __version__
from unaji.errors import InputError
from unaji.records import thermometer
from unaji.records.archive import ZIP_MAGIC
from unaji.records.batch import USER, Batch
from unaji.records.clock import (
    EARLIEST,
    ENDS_EARLY,
    LATEST_AFTER_NOW,
    NO_TIME,
    TOO_EARLY,
    TOO_LATE,
    Clock,
    now_utc,
)
from unaji.records.detect import IMPORTERS, Importer, Recording, importer_of, read_batches, recordings, sources
from unaji.records.folder import is_store, own_files, whose_folder
from unaji.records.mapping.finding import find_map, keep_map
from unaji.records.mapping.model import TableMap
from unaji.records.mapping.reading import reader_of
from unaji.records.mapping.sheets import is_workbook
from unaji.records.mapping.written import text_of
from unaji.records.person import person_toml
from unaji.records.problems import ProblemLog
from unaji.records.shifted import suspected_shifts
from unaji.records.source import OnRead, Source, file_source
from unaji.records.store import disk
from unaji.records.store.manifest import CURRENT, BatchEntry, Rejection
from unaji.records.store.reading import FOLDER, Store
from unaji.records.store.writing import Incoming, Origin, Undone, Writer, writing
from unaji.records.timeline import Problem, Zones, from_utc_ms, utc_ms

MANY_REJECTED = 0.2
"""Share of rows left out from which the person is asked before anything is stored."""

FILES_WITH_A_DATE = 4
"""An export that says when it was made does so in one of its first files; Takeout's thousands do not."""

SHARED_QUANTITIES = ("weight_kg", "systolic_mmhg")
"""What devices measure that people share: whoever has a diastolic pressure has a systolic one too."""

Ask = Callable[[str], bool]
_QUOTED = re.compile(r"'[^']*'")
_EXPORT_DATE = re.compile(rb'<ExportDate value="(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})"')


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file.

    Attributes
    ----------
    file : str
        As it was given.
    importers : tuple of str
        Names of the sources it was recognised as.
    batch : int or None
        The number to undo it by; None when nothing was stored.
    rows : dict of str to int
        Rows stored, by quantity.
    first, last : datetime or None
        Earliest and latest time of the rows in the file, UTC.
    rejected : tuple of Problem
        For each reason that rows were left out for: the first of them, with the count of all.
    problems : tuple of Problem
        Everything found wrong or remarkable.
    refused : str
        Why nothing of it could be used; "" where something could.
    """

    file: str
    importers: tuple[str, ...] = ()
    batch: int | None = None
    rows: dict[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    rejected: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    refused: str = ""


def import_files(
    files: Sequence[Path],
    into: Path,
    *,
    timezone: str | None = None,
    now: datetime | None = None,
    on_read: OnRead | None = None,
    ask: Ask | None = None,
    table_map: TableMap | None = None,
) -> tuple[Imported, ...]:
    """Read exports and add what they hold to the store in a person's folder.

    Each file is one import, which can be undone. Rows that the store has already are not stored again; a file whose
    content was imported before brings nothing, unless unaji or the person's zones have changed since: then what it
    brings now takes the place of what it brought.

    Parameters
    ----------
    files : sequence of Path
        Files, zip archives or folders, recognised by their content.
    into : Path
        The person's folder; made when it is not there, with a ``person.toml`` that says the zone.
    timezone : str, optional
        IANA name of the person's zone, where the folder's ``person.toml`` does not say it.
    now : datetime, optional
        The present moment (aware). Default: the machine's clock.
    on_read : callable, optional
        Told of bytes as they are read.
    ask : callable, optional
        Asked, with a sentence, before a file is stored of which more than a fifth of the rows were left out.
    table_map : TableMap, optional
        How to read the files, which then are tables. Without it a file that nobody recognises, or that is recognised
        as a thermometer's by usual names of columns only, is read by the mapping for a table with its columns, where
        one lies beside it or was used for this person before.

    Returns
    -------
    tuple of Imported
        One for each file, also for those that nothing could be used of.

    Raises
    ------
    InputError
        Nobody says the person's time zone, or the store is damaged. Nothing was changed.
    OutputError
        The folder could not be written. What earlier files brought is there, of this one nothing.
    """
    person, clock = whose_folder(into, timezone, now or now_utc(), ProblemLog())
    if clock.zones is None:
        raise InputError(f"{into}: nobody has said in which time zone this person lives; pass --timezone Asia/Tokyo")
    was_there, alone = into.is_dir(), False
    try:
        with writing(into) as store:
            alone = True
            place = _Place(into, store, person_toml(person), clock)
            return tuple(_import(file, place, on_read, ask, table_map) for file in files)
    finally:
        if alone:  # else what looks empty is another import's
            _leave_nothing_empty(into, was_there=was_there)


def undo_import(batch: int, into: Path) -> Undone:
    """Take an import back: its rows go, what they had replaced returns, what other imports hold too stays.

    Where the import was a second reading of a file, with a changed mapping, say, the first reading returns, unless
    something else was imported or taken back in between.

    Raises
    ------
    InputError
        There is no such import.
    """
    if not (into / FOLDER / CURRENT).is_file():
        raise InputError(f"{into}: nothing was imported here, so there is nothing to undo")
    with writing(into) as store:
        return store.undo(batch)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where imports go: the person's folder, its store, what ``person.toml`` says if it is missing, and the clock."""

    folder: Path
    store: Writer
    person: str
    clock: Clock

    def say_whose(self, log: ProblemLog) -> None:
        """Write ``person.toml`` where it is missing; where it is there it is the person's own, and never changed."""
        file = self.folder / "person.toml"
        if not file.exists():
            new = self.store.path / "person.toml.new"
            disk.write_text(self.person.encode(), new)
            disk.replace(new, file)
        elif self.clock.zones and whose_folder(self.folder, None, self.clock.now, ProblemLog())[1].zones is None:
            zone = self.clock.zones.names[0]
            log.remark("person.toml", None, "", f'says no time zone; add the line timezone = "{zone}" to it')


def _leave_nothing_empty(into: Path, *, was_there: bool) -> None:
    """Take away a store that nothing was put into, and the folder made for it."""
    store = into / FOLDER
    if not store.is_dir() or (store / CURRENT).exists():
        return
    (store / "lock").unlink(missing_ok=True)
    for folder in (store / "tmp", store, *([] if was_there else [into])):
        with suppress(OSError):  # not there, or it holds something
            folder.rmdir()


def _import(file: Path, place: _Place, on_read: OnRead | None, ask: Ask | None, table_map: TableMap | None) -> Imported:
    log = ProblemLog()
    if not file.exists():
        return Imported(str(file), refused="there is no such file or folder")
    try:
        table_map = table_map or _map_of(file, place.folder, log)
    except OSError as error:
        return _unreadable(file, error, log)
    if table_map is None and _is_workbook(file):
        return _nothing(file, (), log, "a workbook is read with --map, which asks what its columns are")
    if table_map is None:
        found, read_by = recordings(_foreign(file, log, on_read), log), _read_by(place.clock)
    elif not file.is_file():
        return Imported(str(file), refused="a mapping is for one file; name the tables in the folder")
    else:
        importer = Importer("table", lambda _: False, reader_of(table_map))
        found = [(importer, [file_source(file, on_read=on_read)])]
        read_by = f"{_read_by(place.clock)} {hashlib.sha256(text_of(table_map).encode()).hexdigest()}"
    names = tuple(dict.fromkeys(importer.name for importer, _ in found))
    if not found:
        known = ", ".join(importer.name for importer in IMPORTERS)
        reason = f"nothing in it could be used; unaji reads {known}, and any table with --map"
        return _nothing(file, names, log, reason)
    try:
        sha256 = _sha256(file)
    except OSError as error:
        return _unreadable(file, error, log)
    before = place.store.manifest.batch_of(sha256)
    if before is not None and before.read_by == read_by:
        rule = (
            f"the same file was imported before (import {before.id}); it brings nothing new. If it was read wrongly, "
            f"because of its name, say, first take that back with --undo {before.id}"
        )
        log.reject(str(file), None, "", rule, count=sum(before.rows.values()), lost=False)
        return Imported(str(file), names, rejected=tuple(log.rejected()), problems=log.problems())
    with place.store.incoming(instead_of=None if before is None else before.id) as incoming:
        try:
            rows = _take_in(found, incoming, place.clock, log)
        except InputError as error:
            return _nothing(file, names, log, str(error))
        if not rows:
            return _nothing(file, names, log, "no row of it could be used")
        if reason := _stopped_by(ask, file, rows, log):
            return _nothing(file, names, log, reason)
        place.say_whose(log)
        kept = incoming.commit(_origin(found, names, sha256, place.clock, read_by, before, log))
    if table_map is not None:
        keep_map(table_map, place.folder, log)
    for quantity, count in kept.known.items():
        if count:
            rule = "rows are in the store already, or more than once in what was read; they are counted once"
            log.reject(str(file), None, quantity, rule, count=count, lost=False)
    store = Store.of(place.store.path, place.store.manifest)
    for suspicion in suspected_shifts(store, kept.sources):
        log.remark(str(file), None, "", suspicion)
    if _is_anothers(store, kept.sources):
        rule = (
            f"同じ機器の別の利用者の値がすでにあります。自分の値でなければ --undo {kept.batch} で取り消してください / "
            "values of another user of the same device are there already; if these are not yours, take them back with "
            f"--undo {kept.batch}; if those are not, take back the import that brought them"
        )
        log.remark(str(file), None, "", rule, lost=True)
    return Imported(
        str(file), names, kept.batch, {quantity: n for quantity, n in sorted(kept.new.items()) if n},
        _moment(kept.first_ms), _moment(kept.last_ms), tuple(log.rejected()), log.problems(),
    )  # fmt: skip


def _is_anothers(store: Store, brought: Sequence[int]) -> bool:
    """Say whether rows of some sources and others in the store are of two users of one device."""
    users = {k: one for k, one in store.sources.items() if one.app.startswith(USER)}
    if not users.keys() & set(brought):
        return False
    held: set[int] = set()
    for kind, quantity in store.contents:
        if quantity in SHARED_QUANTITIES:
            held |= set(store.read(kind, quantity)["source_id"].unique())
    return any(
        replace(users[k], id=other.id, app=other.app) == other and users[k].app != other.app
        for k in users.keys() & set(brought)
        for number, other in users.items()
        if number in held
    )


def _take_in(found: Sequence[Recording], incoming: Incoming, clock: Clock, log: ProblemLog) -> int:
    """Read recordings, batch by batch; return how many rows there were."""
    rows = 0
    for recording in found:
        for batch in read_batches(recording, clock, log):
            sound = _sound(batch, clock, recording[1][0].name, log)
            incoming.add(sound)
            rows += len(sound)
    return rows


def _stopped_by(ask: Ask | None, file: Path, rows: int, log: ProblemLog) -> str:
    """Ask where much was left out; return why nothing is to be stored, "" where it is."""
    rejected = sum(problem.count for problem in log.rejected() if problem.lost)
    if ask is None or rejected <= MANY_REJECTED * (rows + rejected):
        return ""
    go_on = ask(f"{file}: {rejected:,} of {rows + rejected:,} rows cannot be used. Store the others?")
    return "" if go_on else "too many of its rows could not be used, so none was stored"


def _origin(
    found: Sequence[Recording],
    names: tuple[str, ...],
    sha256: str,
    clock: Clock,
    read_by: str,
    before: BatchEntry | None,
    log: ProblemLog,
) -> Origin:
    """Say where rows come from; a file read anew is as old as it was, and its words count no more than before."""
    now_ms = _ms(clock.now)
    said = [_exported_ms(source) for _, files in found for source in files[:FILES_WITH_A_DATE]]
    exported_ms = max(filter(None, said), default=now_ms if before is None else before.exported_ms)
    rejected: Counter[str] = Counter()
    for problem in log.rejected():
        if problem.lost:
            rejected[_masked(problem)] += problem.count
    reasons = tuple(Rejection(reason, count) for reason, count in rejected.most_common())
    return Origin(now_ms, exported_ms, names, sha256, read_by, reasons)


def _masked(problem: Problem) -> str:
    """Return why rows were left out without the file's name or what stood in it, which may be a person's."""
    return _QUOTED.sub("'…'", problem.rule.replace(problem.file, "…").replace(Path(problem.file).name, "…"))


def _map_of(file: Path, person: Path, log: ProblemLog) -> TableMap | None:
    """Find the mapping of a table that no importer knows, or only by usual names, as a thermometer's is."""
    if not file.is_file():
        return None
    head = file_source(file).head
    if head.startswith(ZIP_MAGIC) and not is_workbook(head):
        return None
    importer = importer_of(head)
    return find_map(file, person, log) if importer is None or importer.read is thermometer.read else None


def _is_workbook(file: Path) -> bool:
    return file.is_file() and is_workbook(file_source(file).head)


def _unreadable(file: Path, error: OSError, log: ProblemLog) -> Imported:
    return _nothing(file, (), log, f"it cannot be read ({error.strerror or error}); check that it may be opened")


def _nothing(file: Path, names: tuple[str, ...], log: ProblemLog, reason: str) -> Imported:
    problems = log.problems()
    why = f"{reason} ({'; '.join(map(str, problems[:3]))})" if problems else reason
    return Imported(str(file), names, rejected=tuple(log.rejected()), problems=problems, refused=why)


def _foreign(path: Path, log: ProblemLog, on_read: OnRead | None) -> Iterator[Source]:
    """Give the files at a path, without those that already are in the folder format or in a store."""
    own = own_files(path) if path.is_dir() else []
    if own:
        names = ", ".join(file.relative_to(path).as_posix() for file in own)
        rule = (
            f"this already is a person's folder ({names}); these files need no import: unaji explain reads them where "
            "they are"
        )
        log.remark(str(path), None, "", rule)
    already = {f"{path.name}/{file.relative_to(path).as_posix()}" for file in own}
    stored = f"{path.name}/{FOLDER}/" if is_store(path / FOLDER) else "\0"
    for source in sources(path, log, on_read=on_read):
        if source.name not in already and not source.name.startswith(stored):
            yield source


def _sound(batch: Batch, clock: Clock, file: str, log: ProblemLog) -> Batch:
    """Leave out rows whose times cannot be, whatever importer let them pass."""
    latest = _ms(clock.now + LATEST_AFTER_NOW)
    earliest = int(EARLIEST.astype(np.int64))
    time, end = pl.col("time"), pl.col("end")
    rows = batch.rows
    for wrong, rule in (
        (time.is_null(), NO_TIME),
        (time < earliest, TOO_EARLY),
        (time > latest, TOO_LATE),
        (end < time, ENDS_EARLY),
    ):
        bad = rows.select(wrong.fill_null(value=False)).to_series()
        if bad.any():
            log.reject(file, None, batch.quantity, rule, count=int(bad.sum()))
            rows = rows.filter(~bad)
    return batch if rows is batch.rows else Batch(batch.kind, batch.quantity, batch.device, rows)


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()
    for inside in sorted(f for f in path.rglob("*") if f.is_file() and not f.name.startswith(".")):
        whole.update(f"{inside.relative_to(path).as_posix()}\0{_sha256(inside)}\n".encode())
    return whole.hexdigest()


READING = 2
"""Counts changes of what importers make of the same file between two versions: then a file that is given again is read
anew, and what it brings now takes the place of what it brought."""


def _read_by(clock: Clock) -> str:
    zones = clock.zones or Zones()
    return " ".join([f"{__version__}+{READING}", zones.names[0], *(f"{start.isoformat()} {name}" for start, name in zip(
        zones.starts, zones.names[1:], strict=True))])  # fmt: skip


def _exported_ms(source: Source) -> int | None:
    """Return when an export was made, where its first lines say so."""
    found = _EXPORT_DATE.search(source.head)
    with suppress(ValueError):
        return _ms(datetime.strptime(found[1].decode(), "%Y-%m-%d %H:%M:%S %z")) if found else None
    return None


def _ms(moment: datetime) -> int:
    return int(utc_ms(moment).astype(np.int64))


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else from_utc_ms(np.datetime64(ms, "ms"))

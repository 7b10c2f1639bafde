"""Hand a person everything that is theirs, in the folder format; or erase it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from unaji.errors import InputError, OutputError
from unaji.records.barometer import NEEDED
from unaji.records.batch import Kind
from unaji.records.clock import now_utc
from unaji.records.folder import (
    IGNORED,
    PREVIOUS,
    Content,
    contents_of,
    frame_file,
    is_store,
    own_files,
    own_tables,
    put_files,
    stored,
    timeline_of,
    vendors_files,
    whose_folder,
)
from unaji.records.fragments import Table, by_device
from unaji.records.mapping.finding import KEPT
from unaji.records.mapping.written import ENDING
from unaji.records.measured import beats_frame
from unaji.records.merge import Fragment, merge
from unaji.records.problems import ProblemLog
from unaji.records.store.lock import only_writer
from unaji.records.store.reading import FOLDER, Store
from unaji.records.timeline import Beats, Timeline, Zones

LEFT_OVER = ".unaji-*"
"""Folders in which a write that was cut off may have left something."""


# -- export ------------------------------------------------------------------------------------------------------------


def export_folder(person: Path, to: Path, *, timezone: str | None = None, now: datetime | None = None) -> Timeline:
    """Write all that is known of a person as a folder of plain tables.

    What several devices measured is written for each of them, not only the best one's; of beats, those of each kind of
    device. Rows that a later export has replaced, or whose import was undone, are not. What the tables have no place
    for is remarked on: stages of sleep, of which the spans are written, and values that their own source doubts.

    Parameters
    ----------
    person : Path
        The person's folder.
    to : Path
        A folder that is not there yet.
    timezone, now
        As in `unaji.records.folder.read_folder`.

    Returns
    -------
    Timeline
        What was written; of the beats in it, those of the best origin.

    Raises
    ------
    InputError
        There is something at `to` already, or the person's folder cannot be read.
    OutputError
        It could not be written; nothing of it is left.
    """
    if to.exists():
        raise InputError(f"{to}: is there already; name a folder that is not")
    if not person.is_dir():
        raise InputError(f"{person}: is not a folder; unaji reads a folder that holds one person's records")
    log = ProblemLog()
    who, clock = whose_folder(person, timezone, now or now_utc(), log)
    fragments = [
        *own_tables(person, clock, log),
        *(replace(fragment, series=(), beats=(), waves=()) for fragment in stored(person, log)),
        *_devices(person, log),
        *vendors_files(person, clock, log),
    ]
    timeline = timeline_of(who, clock.zones or Zones((who.timezone,)), merge(fragments, log), log)
    put_files(dict(_contents(timeline, [beats for fragment in fragments for beats in fragment.beats])), to, ())
    return timeline


def _devices(person: Path, log: ProblemLog) -> Iterator[Fragment]:
    store = Store.open(person)
    together = [one for one in store.contents if one[1] in NEEDED]
    for contents in (together, *([one] for one in store.contents if one[1] not in NEEDED)):
        tables: list[Table] = []
        for kind, quantity in contents:
            rows = store.read(kind, quantity)
            tables.append((kind, quantity, rows))
            if kind is Kind.SLEEP:
                rule = "the tables have no place for stages of sleep; the spans asleep were written"
                log.remark("store", None, rows.height, rule)
            if doubted := int(rows["low_quality"].sum()):
                rule = (
                    f"values of {quantity} are doubted by their own source and were written only where it had no others"
                )
                log.remark("store", None, doubted, rule)
        yield from by_device(tables, store.sources)


def _contents(timeline: Timeline, every: Iterable[Beats]) -> Iterator[tuple[str, Content]]:
    """Give the files of a timeline, with the beats of all origins in their one file."""
    yield from contents_of(replace(timeline, beats=None)).items()
    groups: dict[tuple[str, str], list[Beats]] = {}
    for beats in every:
        if len(beats):
            groups.setdefault((beats.origin, beats.corrected), []).append(beats)
    frames = [beats_frame(merge([Fragment(beats=tuple(group))], ProblemLog()).beats[0]) for group in groups.values()]
    if frames:
        yield frame_file("beats", pl.concat(frames, how="diagonal"), timeline.zones)


# -- erase -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and what still lies in the folder.

    Attributes
    ----------
    files : int
        How many files are gone.
    left : tuple of Path
        Files that unaji did not write and did not touch, such as exports the person put there.
    """

    files: int
    left: tuple[Path, ...]


def what_erasing_takes(person: Path) -> list[Path]:
    """List what `erase` would remove: the tables, the store, and what was put away or left behind by unaji.

    Raises
    ------
    InputError
        It is not a person's folder.
    """
    if not person.is_dir() or not (own_files(person) or is_store(person / FOLDER)):
        raise InputError(f"{person}: is not a person's folder, so nothing was erased")
    folders = [person / FOLDER] if is_store(person / FOLDER) else []
    folders += [person / PREVIOUS, *sorted(person.glob(LEFT_OVER))]
    inside = [file for folder in folders if folder.is_dir() for file in folder.rglob("*") if not file.is_dir()]
    # The lock goes last: while it is there, what is left of a store is known as one, and erasing can be done again.
    own = [*own_files(person), *(person / name for name in IGNORED if (person / name).is_file())]
    own += (person / KEPT).glob(f"*{ENDING}")
    return sorted({*own, *inside}, key=lambda file: (file.name == "lock", file))


def erase(person: Path) -> Erased:
    """Remove a person's records from their folder, and the folder too where nothing else is in it.

    Raises
    ------
    InputError
        It is not a person's folder.
    OutputError
        Something could not be removed, or an import is running.
    """
    files = what_erasing_takes(person)
    lock = person / FOLDER / "lock"
    with only_writer(lock) if is_store(person / FOLDER) else nullcontext():  # while nobody writes
        failed = [reason for file in files if file != lock and (reason := _removed(file))]
    if not failed and (reason := _removed(lock)):
        failed = [reason]
    if failed:
        more = f"; and {len(failed) - 1} more files" if len(failed) > 1 else ""
        raise OutputError(f"{failed[0]}{more}. Whatever could be removed is gone; make these removable and erase again")
    for folder in [person / FOLDER, person / PREVIOUS, person / "series", person / KEPT, *person.glob(LEFT_OVER)]:
        if folder.is_dir() and not any(inside.is_file() for inside in folder.rglob("*")):
            shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # something else is in it
        person.rmdir()
    left = sorted(file for file in person.rglob("*") if not file.is_dir()) if person.is_dir() else []
    return Erased(len(files), tuple(left))


def _removed(file: Path) -> str:
    """Remove a file; return why it is still there, "" where it is not."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        return f"{file}: could not be removed ({error.strerror or error})"
    return f"{file}: is there again" if file.exists() else ""

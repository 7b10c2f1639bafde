"""Mappings that were written once are found again: beside a file, or among those kept in the person's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unaji.errors import InputError, OutputError
from unaji.records.mapping.model import TableMap
from unaji.records.mapping.sheets import has_header, is_workbook, sheet_of, table_of_bytes
from unaji.records.mapping.written import ENDING, plain_name, read_map, write_map
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source

KEPT = "maps"
"""Folder, in a person's, of the mappings by which something was imported."""

MOST = 200
"""A folder with more mappings than that is not searched."""


def beside(file: Path) -> Path:
    """Return where the mapping of a file is written."""
    return file.with_name(file.stem + ENDING)


def is_map(file: Source) -> bool:
    """Say whether a file is a mapping, by its name and its beginning."""
    return file.base_name.endswith(ENDING) and b"[table]" in file.head


def find_map(file: Path, person: Path, log: ProblemLog) -> TableMap | None:
    """Return the first mapping for a table of this header, or None; broken ones are remarked on.

    A table without a header looks like any other of as many columns, so that only the mapping beside it that bears its
    name is taken for it, and any mapping for its header goes first.
    """
    source = file_source(file)
    found = list(_readable(file, person, log))
    named = [table_map for _, table_map in found if table_map.shape.header_line]
    bare = [table_map for place, table_map in found if not table_map.shape.header_line and place == beside(file)]
    return next((table_map for table_map in (*named, *bare) if has_shape(source, table_map)), None)


def _readable(file: Path, person: Path, log: ProblemLog) -> Iterator[tuple[Path, TableMap]]:
    for place in _candidates(file, person):
        try:
            yield place, read_map(place)
        except InputError as error:
            log.remark(place.name, None, "", f"the mapping was not used: {error}")


def has_shape(file: Source, table_map: TableMap) -> bool:
    """Say whether a file has the columns that a mapping was written for, in any order."""
    shape = table_map.shape
    wanted = {plain_name(name) for name in shape.header}
    try:
        if is_workbook(file.head):
            rows = sheet_of(file, shape, ProblemLog())
            if not shape.header_line:
                return bool(rows) and len(rows[0]) == len(shape.header)
            return has_header(rows, shape)
        table = table_of_bytes(_whole_lines(file.head, shape.encoding), shape, file.name, ProblemLog())
    except InputError:
        return False
    return table is not None and set(table.frame.columns) - {""} == wanted


def keep_map(table_map: TableMap, person: Path, log: ProblemLog) -> None:
    """Keep a mapping in the person's folder, in place of one for the same columns; one without names finds no file."""
    if not table_map.shape.header_line:
        return
    folder = person / KEPT
    stem = Path(table_map.file).name.removesuffix(ENDING).removesuffix(".toml")
    taken = {}
    for place in _maps_in(folder):
        try:
            taken[place] = read_map(place).shape.header
        except InputError:
            taken[place] = ()
    same = [place for place, header in taken.items() if set(header) == set(table_map.shape.header)]
    free = (folder / f"{stem}{f'-{n}' if n > 1 else ''}{ENDING}" for n in range(1, MOST))
    try:
        write_map(table_map, same[0] if same else next(place for place in free if place not in taken))
    except (OutputError, StopIteration) as error:
        log.remark(str(folder), None, "", f"the mapping could not be kept for the next time ({error})")


def _candidates(file: Path, person: Path) -> Iterator[Path]:
    own = beside(file)
    if own.is_file():
        yield own
    yield from (place for place in _maps_in(file.parent) if place != own)
    yield from _maps_in(person / KEPT)


def _maps_in(folder: Path) -> list[Path]:
    found = sorted(folder.glob(f"*{ENDING}")) if folder.is_dir() else []
    return found if len(found) <= MOST else []


def _whole_lines(head: bytes, encoding: str) -> bytes:
    """Leave out the last line where the head of a file may have cut it."""
    if len(head) < HEAD_BYTES or encoding == "utf-16":
        return head[: len(head) // 2 * 2] if encoding == "utf-16" else head
    return head[: head.rfind(b"\n") + 1]

"""Read the table that a mapping speaks of: text of any usual kind, or a sheet of a workbook as values only.

A workbook's formulas are never run and its links never followed: of each cell the value that was stored is taken.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from unaji.errors import InputError
from unaji.records.archive import ZIP_MAGIC, members
from unaji.records.cells import whole_file
from unaji.records.mapping.model import Shape
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table, table_of_text

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
"""What workbooks of before 2007 (XLS) begin with."""

LARGEST_WORKBOOK = 64 << 20  # bytes
LARGEST_UNPACKED = 1 << 30  # bytes
MOST_CELLS = 20_000_000
"""A sheet is laid out in memory from its first to its last cell, whatever lies between."""

MOST_COLUMNS, LONGEST_LINE = 4096, 1 << 20
BLOCK = 1 << 20
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,8})"')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,10})"')
_REPEATED = re.compile(rb'number-(columns|rows)-repeated="(\d+)"[^>]*(?:value-type|string-value)')
_MOST_REPEATED = 10_000


def is_workbook(head: bytes) -> bool:
    """Say whether a file begins as XLSX, ODS or XLS do; the first two are archives with parts of certain names."""
    parts = (b"[Content_Types].xml", b"xl/w", b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet")
    return head.startswith(OLE_MAGIC) or (head.startswith(ZIP_MAGIC) and any(part in head for part in parts))


def read_sheet(file: Source, shape: Shape, log: ProblemLog) -> Table | None:
    """Read the table of a mapping; None, with the reason noted, where there is none.

    Raises
    ------
    InputError
        The workbook cannot be read, or is too large.
    """
    if is_workbook(file.head):
        return table_of_rows(sheet_of(file, shape, log), shape.header_line, file.name, log)
    data = whole_file(file, log)
    return None if data is None else table_of_bytes(data, shape, file.name, log)


def table_of_bytes(data: bytes, shape: Shape, file: str, log: ProblemLog) -> Table | None:
    """Read text in the way that a mapping says; None, with the reason noted, where there is no table."""
    text = decoded_as(data, shape.encoding)
    if text is None:
        rule = f"the text is not {shape.encoding}, as the mapping says (table.encoding)"
        log.reject(file, None, "", rule)
        return None
    lines_before, text = _from_header(text, shape.header_line)
    header = text.partition("\n")[0]
    if len(header) > LONGEST_LINE or header.count(shape.delimiter) >= MOST_COLUMNS:
        log.reject(file, 1, "", f"no table has lines of more than 1 MB or more than {MOST_COLUMNS:,} columns")
        return None
    if not shape.header_line:
        names = shape.delimiter.join(map(str, range(1, header.count(shape.delimiter) + 2)))
        lines_before, text = -1, f"{names}\n{text}"
    table = table_of_text(text, shape.delimiter, file, log)
    if table is None or not len(table):
        log.reject(file, None, "", "there is no table where the mapping says (table.header_line, table.delimiter)")
        return None
    return Table(file, table.frame, table.lines + lines_before)


def decoded_as(data: bytes, encoding: str) -> str | None:
    """Return text in an encoding, a mark at its beginning left out; None where it is another."""
    if encoding == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le"
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        return None
    return text.replace("\0", "")


def _from_header(text: str, header_line: int) -> tuple[int, str]:
    """Leave out the lines before the header; return how many they are, and the rest."""
    at = 0
    for n in range(max(header_line - 1, 0)):
        following = text.find("\n", at) + 1
        if not following:
            return n, ""
        at = following
    return max(header_line - 1, 0), text[at:]


# -- workbooks ---------------------------------------------------------------------------------------------------------


def sheet_of(file: Source, shape: Shape, log: ProblemLog) -> list[list[Any]]:
    """Return the cells of the sheet that a mapping speaks of.

    Next month's workbook often names its sheet otherwise: where there is no sheet of that name, or the first has other
    columns and no name was said, the first sheet with the mapping's header is read, and that is remarked on.

    Raises
    ------
    InputError
        The workbook cannot be read, or has neither such a sheet nor one with that header.
    """
    names = sheet_names(file)
    if shape.sheet in names or not names:
        return workbook_rows(file, shape.sheet)
    for name in names if shape.header_line else ():
        rows = workbook_rows(file, name)
        if has_header(rows, shape):
            if shape.sheet or name != names[0]:
                log.remark(
                    file.name, None, name, "the mapping's sheet is not there; this one with its columns was read"
                )
            return rows
    return workbook_rows(file, shape.sheet)


def has_header(rows: Sequence[Sequence[Any]], shape: Shape) -> bool:
    """Say whether the names of a mapping's columns, in any order, stand in its line."""
    cells = rows[shape.header_line - 1] if len(rows) >= shape.header_line else []
    return {plain_cell(cell).strip().lower() for cell in cells} - {""} == {n.strip().lower() for n in shape.header}


def workbook_rows(file: Source, sheet: str) -> list[list[Any]]:
    """Return the cells of a sheet as stored: text, numbers, dates and times of day.

    Raises
    ------
    InputError
        The file is damaged, encrypted, too large, or has no such sheet.
    """
    with _opened(file) as book:
        names = book.sheet_names
        if not names or (sheet and sheet not in names):
            raise InputError(f"{file.name}: has no sheet {sheet!r}; there are {', '.join(names)}")
        found = book.get_sheet_by_name(sheet or names[0])
        if found.total_height * found.total_width > MOST_CELLS:
            raise InputError(f"{file.name}: the sheet has more than {MOST_CELLS:,} cells; save it as CSV")
        return found.to_python(skip_empty_area=False)


def sheet_names(file: Source) -> list[str]:
    """Name the sheets of a workbook.

    Raises
    ------
    InputError
        It cannot be read.
    """
    with _opened(file) as book:
        return book.sheet_names


@contextmanager
def _opened(file: Source) -> Iterator[CalamineWorkbook]:
    data = _workbook_bytes(file)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            yield book
    except (CalamineError, ValueError, OSError) as error:
        raise InputError(f"{file.name}: the workbook cannot be read ({error}); save it as CSV") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the reader's own defect, which is no `Exception`
            raise
        raise InputError(f"{file.name}: the workbook is damaged; save it as CSV") from error


def _workbook_bytes(file: Source) -> bytes:
    with file.open() as stream:
        data = stream.read(LARGEST_WORKBOOK + 1)
    if len(data) > LARGEST_WORKBOOK:
        raise InputError(f"{file.name}: is larger than {LARGEST_WORKBOOK >> 20} MB; save the sheet as CSV")
    if data.startswith(ZIP_MAGIC):
        _check_members(data, file.name)
    return data


def _check_members(data: bytes, name: str) -> None:
    """Unpack all parts of a workbook once, block by block, by the rules for archives, before it is read as a whole."""
    log, left = ProblemLog(), LARGEST_UNPACKED
    for part in members(io.BytesIO(data), name, len(data), log, lambda _: None):
        cells = _Extent()
        with part.open() as stream:
            while block := stream.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise InputError(f"{name}: unpacks to more than {LARGEST_UNPACKED >> 30} GB; save the sheet as CSV")
                cells.see(block)
        if cells.area() > MOST_CELLS:
            raise InputError(f"{name}: the sheet is larger than {MOST_CELLS:,} cells; save it as CSV")
    if refused := log.rejected():
        raise InputError(str(refused[0]))


class _Extent:
    """How far the cells of a sheet reach, by their addresses."""

    def __init__(self) -> None:
        self._columns = self._rows = self._repeated = 0
        self._rest = b""

    def see(self, block: bytes) -> None:
        text = self._rest + block
        for letters, row in _CELL.findall(text):
            self._columns = max(self._columns, _column_number(letters))
            self._rows = max(self._rows, int(row))
        self._rows = max([self._rows, *(int(row) for row in _ROW.findall(text))])
        self._repeated = max([self._repeated, *(int(times) for _, times in _REPEATED.findall(text))])
        self._rest = text[-256:]

    def area(self) -> int:
        return max(self._columns, 1) * self._rows if self._repeated <= _MOST_REPEATED else MOST_CELLS + 1


def _column_number(letters: bytes) -> int:
    """Return which column "A", "Z", "AA" is, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def table_of_rows(rows: Sequence[Sequence[Any]], header_line: int, file: str, log: ProblemLog) -> Table | None:
    """Return a sheet's cells as a table of text; None, with the reason noted, where it holds none."""
    body = rows[header_line:]
    if not body:
        log.reject(file, None, "", "there is no table where the mapping says (table.header_line)")
        return None
    width = max(map(len, rows[max(header_line - 1, 0) :]))
    header = [plain_cell(cell) for cell in rows[header_line - 1]] if header_line else [str(k + 1) for k in range(width)]
    names = [name.strip().lower() for name in header]
    first = {name: k for k, name in reversed(list(enumerate(names))) if name}
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        log.reject(file, header_line, name, "the column is named twice; the first one was read")
    columns = {
        name: [plain_cell(row[k]) if k < len(row) else "" for row in body] for name, k in first.items()
    }  # fmt: skip
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    table = Table(file, frame, np.arange(len(body), dtype=np.int64) + header_line + 1)
    filled = np.array([any(plain_cell(cell) for cell in row) for row in body], dtype=bool)
    return table.where(filled)


def plain_cell(cell: Any) -> str:
    """Write a cell's value as text: dates and times in ISO 8601, whole numbers without a decimal point."""
    match cell:
        case None | "":
            return ""
        case datetime():
            return cell.isoformat(sep=" ", timespec="seconds" if not cell.microsecond else "milliseconds")
        case date():
            return cell.isoformat()
        case time():
            return cell.isoformat(timespec="seconds")
        case timedelta():
            seconds = round(cell.total_seconds())
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        case bool():
            return "1" if cell else "0"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case _:
            return str(cell)

"""Read one CSV or Parquet file as a table that still knows its line numbers."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.problems import ProblemLog
from unaji.records.timeline import BoolArray, FloatArray

MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "--")
FIRST_ROW = 2  # the header is line 1


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Rows of one file.

    Attributes
    ----------
    file : str
        Name to show in problems.
    frame : polars.DataFrame
        Text cells for CSV, typed cells for Parquet; column names in lower case.
    lines : ndarray of int, shape (n,)
        Line of each row in the file, the header being line 1.
    """

    file: str
    frame: pl.DataFrame
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return self.frame.height

    def __contains__(self, column: str) -> bool:
        return column in self.frame.columns

    def where(self, keep: BoolArray) -> Table:
        """Return the rows of a mask."""
        return self if keep.all() else Table(self.file, self.frame.filter(pl.Series(keep)), self.lines[keep])

    def cells(self, column: str) -> pl.Series:
        """Return a column as it is; empty text where the file has no such column."""
        return self.frame[column] if column in self else pl.Series(column, [""] * len(self), dtype=pl.String)

    def plain_cells(self, column: str) -> pl.Series:
        """Return a column to be parsed as times or numbers: full-width digits and signs as plain ones."""
        return half_width(self.cells(column))

    def verbatim(self, column: str) -> list[str]:
        """Return a column as text, blanks kept, empty cells as ""."""
        cells = self.cells(column)
        return (cells if cells.dtype == pl.String else cells.cast(pl.String)).fill_null("").to_list()

    def text(self, column: str) -> list[str]:
        """Return a column as text without blanks around it."""
        return [cell.strip() for cell in self.verbatim(column)]

    def empty(self, column: str) -> BoolArray:
        """Say which cells hold nothing, or a word for nothing."""
        cells = self.plain_cells(column)
        if cells.dtype.is_float():
            return (cells.is_null() | cells.is_nan()).fill_null(value=True).to_numpy()
        if cells.dtype != pl.String:
            return cells.is_null().to_numpy()
        return cells.str.strip_chars().str.to_lowercase().fill_null("").is_in(list(MISSING)).to_numpy()

    def numbers(self, column: str, log: ProblemLog) -> FloatArray:
        """Return a column as numbers, NaN where a cell is empty or no number; the latter is noted."""
        cells = self.plain_cells(column)
        if cells.dtype == pl.String:
            text = cells.str.strip_chars().fill_null("")
            values = text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
            self._note_words(column, text, values, log)
            return np.array(values)
        try:
            return np.array(cells.cast(pl.Float64).fill_null(np.nan).to_numpy())
        except pl.exceptions.PolarsError:
            rule = f"the column {column} does not hold numbers; it was left out"
            log.reject(self.file, None, str(cells.dtype), rule, count=max(len(self), 1))
            return np.full(len(self), np.nan)

    def _note_words(self, column: str, text: pl.Series, values: FloatArray, log: ProblemLog) -> None:
        unread = np.flatnonzero(np.isnan(values))
        if unread.size:
            words = text.gather(unread)
            bad = (~words.str.to_lowercase().is_in(list(MISSING))).to_numpy()
            log.rows(self.file, self.lines[unread[bad]], words.filter(pl.Series(bad)), f"{column} must be a number")


def half_width(cells: pl.Series) -> pl.Series:
    """Write full-width digits, colons and the like, as Japanese input methods give them, as plain ones (NFKC)."""
    if cells.dtype != pl.String or not (cells.str.len_bytes() > cells.str.len_chars()).any():
        return cells
    return cells.str.normalize("NFKC")


def read_table(path: Path, file: str, log: ProblemLog) -> Table | None:
    """Read a CSV or Parquet file; None, with the reason noted, when it cannot be read as a whole."""
    try:
        data = path.read_bytes()
    except OSError as error:
        log.reject(file, None, error.strerror or "", "the file cannot be read; check that it exists and may be opened")
        return None
    return _parquet(data, file, log) if path.suffix == ".parquet" else csv_table(data, file, log)


def csv_table(data: bytes, file: str, log: ProblemLog) -> Table | None:
    """Read the bytes of a CSV file with a header; None, with the reason noted, when there is no table in it."""
    text = decoded(data, file, log)
    if text is None:
        return None
    header = text.lstrip("\r\n").partition("\n")[0]
    return table_of_text(text, max(",;\t", key=header.count), file, log)


def table_of_text(text: str, separator: str, file: str, log: ProblemLog) -> Table | None:
    """Read the text of a CSV file with a header; None, with the reason noted, when there is no table in it."""
    if not text.strip():
        log.reject(file, None, "", "the file is empty; its first line must name the columns")
        return None
    plain = '"' not in text and "\r" not in text.replace("\r\n", "\n") and text[0] not in "\r\n"
    return (_plain_csv(text, separator, file) if plain else None) or _quoted_csv(text, separator, file, log)


def decoded(data: bytes, file: str, log: ProblemLog) -> str | None:
    """Decode text as UTF-8 or, as Japanese Excel writes it, Shift_JIS; None, with the reason noted, when neither."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        log.reject(file, None, "", "the text is UTF-16 ('Unicode text'); save the file as 'CSV UTF-8' and try again")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        log.reject(
            file, None, "", "the text is neither UTF-8 nor Shift_JIS; save the file as 'CSV UTF-8' and try again"
        )
        return None
    log.remark(file, None, "", "the text is in Shift_JIS (cp932) and was read as such; UTF-8 is safer")
    return text


def _plain_csv(text: str, separator: str, file: str) -> Table | None:
    """Read text without quotes fast; None when rows differ in length, which the careful reader then explains."""
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()), separator=separator, quote_char=None, infer_schema=False, raise_if_empty=False
        )
    except pl.exceptions.PolarsError:
        return None
    names = [name.strip().lower() for name in text.partition("\n")[0].split(separator)]
    if len(set(names)) != len(names) or len(names) != frame.width:
        return None
    frame.columns = names
    return _without_blank_rows(Table(file, frame, np.arange(frame.height) + FIRST_ROW))


def _quoted_csv(text: str, separator: str, file: str, log: ProblemLog) -> Table | None:
    """Read any CSV, keeping the line each row begins on although quoted text may hold line breaks."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = [name.strip().lower() for name in next((row for row in reader if any(row)), [])]
        line = reader.line_num
        for row in reader:
            first_line, line = line + 1, reader.line_num
            if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
                rule = "the row has more cells than the header; put text that holds a comma in double quotes"
                log.reject(file, first_line, separator.join(row), rule)
                continue
            rows.append((row + [""] * len(header))[: len(header)])
            lines.append(first_line)
    except csv.Error as error:
        log.reject(file, reader.line_num, str(error), "the file cannot be read as CSV from here on")
    columns = {name: [row[i] for row in rows] for i, name in reversed(list(enumerate(header)))}
    for name in {name for name in header if header.count(name) > 1}:
        log.reject(file, 1, name, "the column is named twice; the first one was read")
    frame = pl.DataFrame({name: columns[name] for name in dict.fromkeys(header)})
    frame = frame.with_columns(pl.all().cast(pl.String))
    return _without_blank_rows(Table(file, frame, np.array(lines, dtype=np.int64)))


def _parquet(data: bytes, file: str, log: ProblemLog) -> Table | None:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
        frame.columns = [name.strip().lower() for name in frame.columns]
    except (pl.exceptions.PolarsError, OSError):
        log.reject(file, None, "", "the file is not a readable Parquet file; write it again")
        return None
    return Table(file, frame, np.arange(frame.height) + FIRST_ROW)


def _without_blank_rows(table: Table) -> Table:
    if not table.frame.width:
        return table
    blank = table.frame.select(pl.all_horizontal(pl.all().is_null() | (pl.all() == ""))).to_series()
    return table.where(~blank.fill_null(value=True).to_numpy())

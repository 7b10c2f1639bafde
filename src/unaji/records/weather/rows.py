"""From columns of a weather file to batches: what is missing, impossible or implausible is left out and counted."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import TOO_LATE, Clock
from unaji.records.measured import plausible
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table
from unaji.records.timeline import BoolArray, FloatArray, TimeArray, utc_ms

FORECAST = "lies in the future: a forecast is no record of the weather"
GZIP_MAGIC = b"\x1f\x8b"
LARGEST_BYTES = 256 << 20
"""No year of a station and no answer of a service comes near it; a file beyond it is not what it says."""

IntArray = NDArray[np.int64]


def batch(
    quantity: str,
    time: TimeArray,
    value: FloatArray,
    *,
    device: Device,
    file: str,
    log: ProblemLog,
    end: TimeArray | None = None,
    lines: IntArray | None = None,
    zone_min: int | None = None,
    low_quality: BoolArray | None = None,
) -> Iterator[Batch]:
    """Give the rows of one quantity that have a plausible value, or nothing where there are none.

    Parameters
    ----------
    time : ndarray, shape (n,)
        UTC; the start of the interval where `end` is given.
    value : ndarray, shape (n,)
        In the quantity's unit; NaN where nothing was measured, which is not noted here.
    lines : ndarray of int, shape (n,), optional
        Line of each row, for problems; its number counted from 1 by default.
    zone_min : int, optional
        Offset of the station's clock from UTC, where the source says it [min].
    low_quality : ndarray of bool, shape (n,), optional
        Which values the source itself marks as doubtful.
    """
    keep = plausible(quantity, value, np.arange(value.size) + 1 if lines is None else lines, file, log)
    if keep.any():
        rows = frame(
            time=time[keep],
            end=None if end is None else end[keep],
            zone_min=zone_min,
            value=value[keep],
            low_quality=None if low_quality is None else low_quality[keep],
        )
        yield Batch(Kind.SERIES if end is None else Kind.INTERVAL, quantity, device, rows)


def possible(
    time: TimeArray, file: str, clock: Clock, log: ProblemLog, *, lines: IntArray, forecasts: bool = False
) -> BoolArray:
    """Say which rows have a time that was read and can be; the others are noted.

    Parameters
    ----------
    forecasts : bool
        Whether the source also gives weather that has not been yet; it is left out.
    """
    good = np.ones(time.size, dtype=bool)
    broken = list(clock.broken(time))
    if forecasts:
        broken = [(FORECAST, time > utc_ms(clock.now)), *(one for one in broken if one[0] != TOO_LATE)]
    for rule, wrong in broken:
        log.rows(file, lines[wrong], ["" if np.isnat(t) else str(t) for t in time[wrong]], rule)
        good &= ~wrong
    return good


def note_unread(names: list[str], file: str, log: ProblemLog) -> None:
    """Tell which columns unaji has no use for; they are no loss."""
    if names:
        log.remark(file, None, len(names), f"columns that unaji does not use were left out: {', '.join(sorted(names))}")


def note_missing(count: int, what: str, file: str, log: ProblemLog) -> None:
    """Tell how often a source said itself that a value is missing."""
    if count:
        log.remark(file, None, count, f"{what}: the source says that the value is missing")


def csv_rows(data: bytes, file: str, log: ProblemLog, *, names: tuple[str, ...] = (), first_line: int = 1) -> Table:
    """Read a CSV file with all cells as text, at the speed of polars; lines that cannot be told apart are noted.

    Parameters
    ----------
    names : tuple of str
        Names of the columns, where the file has no header.
    first_line : int
        Line of the file on which `data` begins.

    Returns
    -------
    Table
        Empty where no table could be read, which is noted.
    """
    try:
        rows = pl.read_csv(
            io.BytesIO(data),
            has_header=not names,
            new_columns=list(names) or None,
            infer_schema=False,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
            raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        log.reject(file, first_line, reason, "the file cannot be read as CSV; download it again")
        return Table(file, pl.DataFrame(), np.empty(0, dtype=np.int64))
    header = 0 if names else 1
    swallowed = data.count(b"\n") + (not data.endswith(b"\n")) - header - rows.height
    if swallowed > 1:  # an empty last line is none
        rule = "lines could not be told apart (a quotation mark is not closed, or lines are empty)"
        log.reject(file, None, swallowed, rule, count=swallowed)
    return Table(file, rows, np.arange(rows.height) + first_line + header)


def unzipped(data: bytes, file: str, log: ProblemLog) -> bytes:
    """Unpack gzip, or return what is no gzip as it is; a damaged or monstrous file gives what could be had, noted.

    A gzip file may have several parts, one after the other (RFC 1952, section 2.2); zeros behind the last fill it up.
    """
    plain = bytearray()
    position = 0
    while data.startswith(GZIP_MAGIC, position):
        unpacker, whole = zlib.decompressobj(wbits=31), len(plain)
        while not unpacker.eof and position < len(data):
            piece = data[position : position + _PIECE_BYTES]
            try:
                plain += unpacker.decompress(piece)
            except zlib.error as error:
                log.reject(file, None, str(error), "the gzip file is damaged; download it again")
                return bytes(plain[:whole])
            if len(plain) > LARGEST_BYTES:
                log.reject(file, None, "", f"the file unpacks to more than {LARGEST_BYTES >> 20} MB; it was not read")
                return b""
            position += len(piece) - len(unpacker.unused_data)
        if not unpacker.eof:
            log.reject(file, None, "", "the gzip file ends early; what was before that was read. Download it again")
            return bytes(plain[: plain.rfind(b"\n") + 1])
    if not position:
        return data
    if behind := data[position:].strip(b"\0"):
        rule = "the gzip file has bytes after its end that are no gzip; they were left out"
        log.reject(file, None, f"{len(behind)} bytes", rule)
    return bytes(plain)


_PIECE_BYTES = 16_384
"""Bytes unpacked at a time: at most a thousandfold comes of them."""


def unzipped_head(head: bytes) -> bytes:
    """Unpack as much of the beginning of a gzip file as its first bytes give; other bytes are returned as they are."""
    if not head.startswith(GZIP_MAGIC):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 65_536)
    except zlib.error:
        return b""

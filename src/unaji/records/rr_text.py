"""Text files of RR intervals: one a line, with or without a header, in milliseconds or seconds, or times of beats."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.records.problems import ProblemLog
from unaji.records.timeline import FloatArray

COLUMN_NAMES = ("rri_ms", "rri", "rr", "rr_ms", "rr_interval", "rr_intervals", "rr-interval [ms]", "nn", "nni", "ibi")
"""Names of the column of intervals, where the first line names columns."""

SECONDS_BELOW = 10.0
"""A median interval below this can only be seconds."""

SHORTEST_RRI_MS, LONGEST_RRI_MS = 200.0, 4000.0
"""Between 300 and 15 beats a minute, where intervals of people and of test patterns lie [ms]."""

MOST_WORDS = 0.2
"""Share of lines without a number above which the file is not one of intervals."""

STRETCH = 3.0
"""Longest over shortest up to which numbers that only grow can still be intervals, of a heart that slows down."""

MOST_NOT_POSITIVE = 0.05
"""Share of numbers at or below zero above which they are a waveform or something else, and no intervals."""

_SEPARATOR = re.compile(r"\s*[,;\t]\s*|\s+")
_HOW = "write one RR interval in milliseconds a line"


def claims_rr_text(head: bytes) -> bool:
    """Say whether a file begins as one of intervals does: a first or second line that ends in a number."""
    lines = head.decode("utf-8", errors="replace").strip().splitlines()[:2]
    return any(_numbers(_SEPARATOR.split(line.strip())[-1:]) for line in lines)


def read_rr_text(path: Path, log: ProblemLog) -> FloatArray:
    """Read the intervals of a text file.

    Parameters
    ----------
    path : Path
    log : ProblemLog
        Takes what was left out, and every decision about units.

    Returns
    -------
    ndarray, shape (n,)
        RR intervals [ms] in the file's order; NaN for a line without a number, since a beat is missing there.

    Raises
    ------
    InputError
        The file cannot be read or does not hold intervals.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it exists and may be opened") from None
    return intervals_of_text(text, path, log)


def intervals_of_text(text: str, path: Path | str, log: ProblemLog) -> FloatArray:
    """Read the intervals of a text; the same as `read_rr_text`, where the file is not one on this machine.

    Parameters
    ----------
    path : Path or str
        What to call the text in errors and problems.
    """
    name = PurePosixPath(path).name
    lines = text.splitlines()
    plain = _one_number_a_line(lines)
    values = _column(lines, path, log) if plain is None else plain
    measured = values[np.isfinite(values)]
    if not measured.size:
        raise InputError(f"{path}: holds no number; {_HOW}")
    negative = np.flatnonzero(values <= 0.0)
    if negative.size > MOST_NOT_POSITIVE * measured.size:
        found = f"{negative.size:,} of {measured.size:,} numbers are not above 0, the first is {values[negative[0]]:g}"
        raise InputError(f"{path}: {found}; intervals are positive, so this may be a waveform; {_HOW}")
    if measured.size >= 10 and (np.diff(measured) > 0).all() and not _may_slow_down(measured):
        log.remark(name, None, "", "the numbers only grow: they were read as times of beats, not as intervals")
        values = np.diff(values)
        measured = values[np.isfinite(values)]
    middle = float(np.quantile(measured, 0.5, method="lower"))
    if middle < SECONDS_BELOW:
        log.remark(name, None, f"{middle:g}", "the median is too small for milliseconds: read as seconds")
        return values * 1000.0
    if not SHORTEST_RRI_MS <= middle <= LONGEST_RRI_MS:
        rule = "the median is no interval of a heart in milliseconds; is it a heart rate, or another unit?"
        log.remark(name, None, f"{middle:g}", f"{rule} Nothing was converted")
    return values


def _one_number_a_line(lines: list[str]) -> FloatArray | None:
    """Read the usual file at once: one number a line, maybe under a name; None where it is anything else."""
    text = pl.Series(lines, dtype=pl.String)
    text = text.filter(~text.str.starts_with("#")).str.strip_chars()
    text = text.filter(text != "")
    if len(text) and text[0].strip("\"' ").lower() in COLUMN_NAMES:
        text = text[1:]
    values = text.cast(pl.Float64, strict=False)
    return np.array(values.to_numpy()) if len(values) and values.is_finite().fill_null(value=False).all() else None


def _column(lines: list[str], path: Path | str, log: ProblemLog) -> FloatArray:
    """Return the numbers of the column of intervals; NaN for other lines, empty ones left out."""
    numbered = [(k, line.strip()) for k, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise InputError(f"{path}: is empty; {_HOW}")
    rows = [(k, _SEPARATOR.split(line)) for k, line in numbered]
    names = [cell.strip("\"' ").lower() for cell in re.split(r"[,;\t]", numbered[0][1])]
    named = next((names.index(name) for name in COLUMN_NAMES if name in names), None)
    if named is not None:
        return _cells([(k, row[named : named + 1]) for k, row in rows[1:]], path, log)
    headed = not _numbers(rows[0][1])
    if headed:
        rows = rows[1:]
    widths = {len(row) for _, row in rows}
    if widths == {2} and _ascends([row[0] for _, row in rows]):
        return _cells([(k, row[1:]) for k, row in rows], path, log)
    if min(widths, default=1) > 1 and (len(rows) > 2 or (headed and len(names) > 1)):
        which = f"the file has several columns and none is named; name one of them {COLUMN_NAMES[0]}, or {_HOW}"
        raise InputError(f"{path}, line {rows[0][0]}: {which}")
    return _cells([(k, [cell]) for k, row in rows for cell in row if cell], path, log)


def _cells(rows: list[tuple[int, list[str]]], path: Path | str, log: ProblemLog) -> FloatArray:
    values = np.array([_number(cells[0]) if cells else np.nan for _, cells in rows])
    words = np.flatnonzero(np.isnan(values))
    if not len(rows) or words.size > MOST_WORDS * len(rows):
        found = " ".join(rows[words[0]][1])[:40] if len(rows) else ""
        line = rows[words[0]][0] if len(rows) else 1
        raise InputError(f"{path}, line {line}: found {found!r}, not a number; {_HOW}")
    for k in words[:5]:
        log.reject(
            PurePosixPath(path).name, rows[k][0], " ".join(rows[k][1])[:40], "not a number: taken as a missing beat"
        )
    return values


def _number(cell: str) -> float:
    try:
        return float(cell.strip("\"' "))
    except ValueError:
        return float("nan")


def _numbers(cells: list[str]) -> bool:
    return bool(cells) and all(np.isfinite(_number(cell)) for cell in cells if cell)


def _may_slow_down(ascending: FloatArray) -> bool:
    """Say whether numbers that only grow are as large as intervals are in milliseconds, and not far apart.

    Times of beats in seconds would have to begin after minutes, and those in milliseconds to end within seconds.
    """
    shortest, longest = ascending[0], ascending[-1]
    return bool(shortest >= SHORTEST_RRI_MS and longest <= min(LONGEST_RRI_MS, STRETCH * shortest))


def _ascends(cells: list[str]) -> bool:
    values = np.array([_number(cell) for cell in cells])
    return bool(np.isfinite(values).all() and (np.diff(values) > 0).all())

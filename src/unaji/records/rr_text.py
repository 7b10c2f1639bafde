"""Text files of RR intervals: one a line, with or without a header, in milliseconds or seconds, or times of beats."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from unaji.errors import InputError
from unaji.records.problems import ProblemLog
from unaji.records.timeline import FloatArray

COLUMN_NAMES = ("rri_ms", "rri", "rr", "rr_ms", "rr_interval", "rr_intervals", "rr-interval [ms]", "nn", "nni", "ibi")
"""Names of the column of intervals, where the first line names columns."""

SECONDS_BELOW = 10.0
"""A median interval below this can only be seconds."""

MOST_WORDS = 0.2
"""Share of lines without a number above which the file is not one of intervals."""

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
    values = _column(text.splitlines(), path, log)
    measured = values[np.isfinite(values)]
    if not measured.size:
        raise InputError(f"{path}: holds no number; {_HOW}")
    if measured.size >= 10 and (np.diff(measured) > 0).all():
        log.remark(path.name, None, "", "the numbers only grow: they were read as times of beats, not as intervals")
        values = np.diff(values)
        measured = values[np.isfinite(values)]
    if np.median(measured) < SECONDS_BELOW:
        log.remark(
            path.name, None, f"{np.median(measured):g}", "the median is too small for milliseconds: read as seconds"
        )
        values = values * 1000.0
    return values


def _column(lines: list[str], path: Path, log: ProblemLog) -> FloatArray:
    """Return the numbers of the column of intervals; NaN for other lines, empty ones left out."""
    numbered = [(k, line.strip()) for k, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise InputError(f"{path}: is empty; {_HOW}")
    rows = [(k, _SEPARATOR.split(line)) for k, line in numbered]
    names = [cell.strip("\"' ").lower() for cell in re.split(r"[,;\t]", numbered[0][1])]
    named = next((names.index(name) for name in COLUMN_NAMES if name in names), None)
    if named is not None:
        return _cells([(k, row[named : named + 1]) for k, row in rows[1:]], path, log)
    if not _numbers(rows[0][1]):
        rows = rows[1:]
    widths = {len(row) for _, row in rows}
    if widths == {2} and _ascends([row[0] for _, row in rows]):
        return _cells([(k, row[1:]) for k, row in rows], path, log)
    if len(rows) > 2 and min(widths, default=1) > 1:
        which = f"the file has several columns and none is named; name one of them {COLUMN_NAMES[0]}, or {_HOW}"
        raise InputError(f"{path}, line {rows[0][0]}: {which}")
    return _cells([(k, [cell]) for k, row in rows for cell in row if cell], path, log)


def _cells(rows: list[tuple[int, list[str]]], path: Path, log: ProblemLog) -> FloatArray:
    values = np.array([_number(cells[0]) if cells else np.nan for _, cells in rows])
    words = np.flatnonzero(np.isnan(values))
    if not len(rows) or words.size > MOST_WORDS * len(rows):
        found = " ".join(rows[words[0]][1])[:40] if len(rows) else ""
        line = rows[words[0]][0] if len(rows) else 1
        raise InputError(f"{path}, line {line}: found {found!r}, not a number; {_HOW}")
    for k in words[:5]:
        log.reject(path.name, rows[k][0], " ".join(rows[k][1])[:40], "not a number: taken as a missing beat")
    return values


def _number(cell: str) -> float:
    try:
        return float(cell.strip("\"' "))
    except ValueError:
        return float("nan")


def _numbers(cells: list[str]) -> bool:
    return bool(cells) and all(np.isfinite(_number(cell)) for cell in cells if cell)


def _ascends(cells: list[str]) -> bool:
    values = np.array([_number(cell) for cell in cells])
    return bool(np.isfinite(values).all() and (np.diff(values) > 0).all())

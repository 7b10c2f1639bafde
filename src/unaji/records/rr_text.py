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

MOSTLY = 0.99
"""Share of steps that do not go back from which numbers are times of beats: of those, lines are repeated or swapped."""

FEWEST_TIMES = 10

FEWEST_LEFT_OUT = 10.0
"""Intervals that numbers must be expected to hold, and do not, before they are doubted: by chance once in 20,000."""

_SEPARATOR = re.compile(r"\s*[,;\t]\s*|\s+")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
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
    if _are_times(measured):
        values = _between(values, name, log)
        measured = values[np.isfinite(values)]
    elif _climbs(measured):
        back = np.flatnonzero(np.diff(measured) < 0)
        found = (
            f"{measured[back[0] + 1]:g} follows {measured[back[0]]:g}" if back.size else f"{measured[0]:g} comes first"
        )
        rule = "the numbers climb from the beginning to the end as times do, yet not in order"
        raise InputError(f"{path}: {rule} ({found}); sort the times of beats, or {_HOW}")
    middle = float(np.quantile(measured, 0.5, method="lower"))
    if middle < SECONDS_BELOW:
        log.remark(name, None, f"{middle:g}", "the median is too small for milliseconds: read as seconds")
        with np.errstate(over="ignore"):  # of a number that no interval has, which the median does not see
            return values * 1000.0
    if not SHORTEST_RRI_MS <= middle <= LONGEST_RRI_MS:
        rule = "the median is no interval of a heart in milliseconds; is it a heart rate, or another unit?"
        log.remark(name, None, f"{middle:g}", f"{rule} Nothing was converted")
    elif _may_be_1024ths(measured):
        rule = (
            "of 128 whole numbers these leave out three, as milliseconds do that a strap sent as 1/1024 s; read as "
            "milliseconds they are then 2.4 % too long. Nothing was converted; where it is so, divide by 1.024"
        )
        log.remark(name, None, f"{middle:g}", rule)
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
    """Return the numbers of the column of intervals; NaN for other lines, empty ones left out.

    One separator holds for the whole file: that of the line which names the column, else of the first line of numbers.
    """
    numbered = [(k, line.strip()) for k, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise InputError(f"{path}: is empty; {_HOW}")
    mark = _separator(numbered[0][1])
    names = [cell.strip("\"' ").lower() for cell in (numbered[0][1].split(mark) if mark else [numbered[0][1]])]
    named = next((names.index(name) for name in COLUMN_NAMES if name in names), None)
    if named is not None and len(names) > 1:
        return _cells([(k, _cell(line, mark, named, len(names))) for k, line in numbered[1:]], path, log)
    headed = named is not None or not _numbers(_split(numbered[0][1], mark))
    if headed:
        numbered = numbered[1:]
    if _is_decimal_comma([line for _, line in numbered]):
        log.remark(PurePosixPath(path).name, numbered[0][0], numbered[0][1], "the comma was read as the decimal mark")
        return _cells([(k, [line.replace(",", ".")]) for k, line in numbered], path, log)
    mark = _separator(numbered[0][1]) if numbered else None
    rows = [(k, _split(line, mark)) for k, line in numbered]
    widths = {len(row) for _, row in rows}
    if widths == {2} and _ascends([row[0] for _, row in rows]):
        return _cells([(k, row[1:]) for k, row in rows], path, log)
    if min(widths, default=1) > 1 and (len(rows) > 2 or (headed and len(names) > 1)):
        which = f"the file has several columns and none is named; name one of them {COLUMN_NAMES[0]}, or {_HOW}"
        raise InputError(f"{path}, line {rows[0][0]}: {which}")
    return _cells([(k, [cell]) for k, row in rows for cell in row if cell], path, log)


def _separator(line: str) -> str | None:
    """Return what parts the cells of a line; None for blanks. A comma beside another mark is the decimal one."""
    return next((mark for mark in (";", "\t", ",") if mark in line), None)


def _split(line: str, mark: str | None) -> list[str]:
    """Return the cells of a line, their numbers with a decimal point where a comma does not part them."""
    cells = [cell.strip() for cell in line.split(mark)]
    return [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]


def _cell(line: str, mark: str | None, column: int, width: int) -> list[str]:
    """Return the cell of a named column; the whole line where it has more cells than names, and none can be told."""
    cells = _split(line, mark)
    return [line] if any(cells[width:]) else cells[column : column + 1]


def _is_decimal_comma(lines: list[str]) -> bool:
    """Say whether every line is one number with a decimal comma, and not two columns that a comma parts.

    So it is where the numbers can be intervals or times in seconds, and the whole parts are no running number or time:
    these grow from line to line. Where they grow, a fraction that begins with 0 shows that it is no column.
    """
    if not lines or not all(_DECIMAL_COMMA.fullmatch(line) for line in lines):
        return False
    whole, fraction = zip(*(line.split(",") for line in lines), strict=True)
    if _ascends(list(whole)):
        return any(cell.startswith("0") and len(cell) > 1 for cell in fraction)
    values = np.array([_number(line.replace(",", ".")) for line in lines])
    middle = float(np.median(np.diff(values) if _are_times(values) else values))
    return SHORTEST_RRI_MS <= (middle * 1000.0 if middle < SECONDS_BELOW else middle) <= LONGEST_RRI_MS


def _cells(rows: list[tuple[int, list[str]]], path: Path | str, log: ProblemLog) -> FloatArray:
    values = np.array([_number(cells[0]) if cells else np.nan for _, cells in rows])
    words = np.flatnonzero(~np.isfinite(values))
    values[words] = np.nan
    if not len(rows) or words.size > MOST_WORDS * len(rows):
        found = " ".join(rows[words[0]][1])[:40] if len(rows) else ""
        line = rows[words[0]][0] if len(rows) else 1
        raise InputError(f"{path}, line {line}: found {found!r}, not a number; {_HOW}")
    rule = "not a number: taken as a missing beat"
    log.rows(PurePosixPath(path).name, [rows[k][0] for k in words], [" ".join(rows[k][1])[:40] for k in words], rule)
    return values


def _number(cell: str) -> float:
    try:
        return float(cell.strip("\"' "))
    except ValueError:
        return float("nan")


def _numbers(cells: list[str]) -> bool:
    return bool(cells) and all(np.isfinite(_number(cell)) for cell in cells if cell)


def _are_times(measured: FloatArray) -> bool:
    """Say whether numbers grow from line to line as times do, but for a line repeated or swapped here and there."""
    step = np.diff(measured)
    grow = measured.size >= FEWEST_TIMES and np.median(step) > 0 and np.mean(step >= 0) >= MOSTLY
    return bool(grow) and not _may_slow_down(measured)


def _between(time: FloatArray, name: str, log: ProblemLog) -> FloatArray:
    """Return the intervals between times of beats; NaN around a step back, nothing for a line that repeats another."""
    rule = "the numbers only grow: they were read as times of beats, not as intervals"
    step = np.diff(time)
    repeated, back = step == 0, np.flatnonzero(step < 0)
    if repeated.any():
        said = "the line repeats the time before it; it was left out"
        log.reject(name, None, f"{time[np.argmax(repeated)]:g}", said, count=int(repeated.sum()), lost=False)
    if back.size:
        rule = "nearly all numbers grow: they were read as times of beats, not as intervals"
        said = "the time is before that of the line above; the intervals around it were taken as missing"
        log.reject(name, None, f"{time[back[0] + 1]:g}", said, count=int(back.size))
        around = (back[:, np.newaxis] + np.arange(-1, 2)).ravel()
        step[around[(around >= 0) & (around < step.size)]] = np.nan
    log.remark(name, None, "", rule)
    kept: FloatArray = step[~repeated]
    return kept


def _climbs(measured: FloatArray) -> bool:
    """Say whether numbers rise from each tenth of the file to the next, further than a heart slows down."""
    if measured.size < FEWEST_TIMES:
        return False
    tenths = np.array([np.median(part) for part in np.array_split(measured, 10)])
    far = tenths[-1] / STRETCH > tenths[0] or tenths[0] > LONGEST_RRI_MS
    return bool(far and (np.diff(tenths) > 0).all())


def _may_slow_down(growing: FloatArray) -> bool:
    """Say whether numbers that grow are as large as intervals are in milliseconds or seconds, and not far apart.

    Times of beats in seconds would have to begin after minutes, and those in milliseconds to end within seconds; where
    seconds can be intervals, ten times of beats would have to lie within three of them.
    """
    shortest, longest = growing.min(), growing.max()
    to_ms = 1000.0 if longest < SECONDS_BELOW else 1.0
    possible = shortest * to_ms >= SHORTEST_RRI_MS and longest * to_ms <= LONGEST_RRI_MS
    return bool(possible and longest / STRETCH <= shortest)


def _may_be_1024ths(measured: FloatArray) -> bool:
    """Say whether whole numbers are counts of 1/1024 s, made of whole milliseconds by a strap that measures in these.

    The Bluetooth Heart Rate Service sends intervals in 1/1024 s. 125 whole milliseconds become 125 of 128 counts, so
    that three are never sent, wherever rounding puts them; true milliseconds fill those as they fill the numbers on
    either side. Counts of a strap that measures in 1/1024 s itself leave none out and cannot be told.

    References
    ----------
    Bluetooth SIG, "Heart Rate Service 1.0", 2011, section 3.1: RR-Interval, resolution of 1/1024 second.
    """
    near = measured[(measured >= SHORTEST_RRI_MS) & (measured <= LONGEST_RRI_MS)]
    if (measured != np.rint(measured)).any():
        return False
    seen = np.bincount(near.astype(np.int64), minlength=int(LONGEST_RRI_MS) + 1)
    whole_ms = np.arange(LONGEST_RRI_MS, dtype=np.int64)
    for rounding in (0, 500, 999):  # down, to the nearest, up
        sent = (1024 * whole_ms + rounding) // 1000
        never = np.setdiff1d(np.arange(SHORTEST_RRI_MS, LONGEST_RRI_MS, dtype=np.int64), sent)
        before, after = seen[never - 1], seen[never + 1]
        # A coarser grid, as of 128 samples a second, leaves out most numbers: only those between two that occur tell.
        expected = np.where((before > 0) & (after > 0), (before + after) / 2, 0.0).sum()
        if expected >= FEWEST_LEFT_OUT and not seen[never].any():
            return True
    return False


def _ascends(cells: list[str]) -> bool:
    values = np.array([_number(cell) for cell in cells])
    return bool(np.isfinite(values).all() and (np.diff(values) > 0).all())

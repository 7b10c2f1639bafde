"""The columns sensors fill: series of quantities and the intervals between heart beats."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import polars as pl

from unaji.quantities import QUANTITIES, Quantity
from unaji.records.clock import (
    ENDS_EARLY,
    HOUR,
    HOW_TO_WRITE_TIMES,
    LONGEST_H,
    NAT,
    NO_TIME,
    TOO_LONG,
    Clock,
)
from unaji.records.merge import BEST_ORIGIN_FIRST, NO_GAP_UNDER_MS, Fragment, distinct, missing_beats
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table
from unaji.records.timeline import Beats, BoolArray, FloatArray, Series, TimeArray, Timeline

MANY_ROWS = 5_000  # beyond it a file is Parquet
ALL_WRONG = 0.5  # share of values outside the range from which the unit is taken to be wrong
CORRECTED = ("no", "device", "unknown")
SERIES_COLUMNS = ("time", "end", "site", "source")
BEATS_COLUMNS = ("time", "rri_ms", "gap", "origin", "corrected")
UNKNOWN_QUANTITY = "unaji does not know this quantity; the column was left out. GLOSSARY.md lists the names it knows"
GAP_WORDS = {"1": True, "true": True, "0": False, "false": False, "": False}


# -- checks shared with the importers ----------------------------------------------------------------------------------


def plausible(
    quantity: str, value: FloatArray, lines: Sequence[int] | np.ndarray, file: str, log: ProblemLog
) -> BoolArray:
    """Say which values are finite and inside the quantity's plausible range; the others are noted.

    Where most values lie outside, or the median is higher than it can be, the unit of the whole column is wrong: none
    is kept, and one problem says so.
    NaN stands for an empty cell and is not noted.
    """
    known = QUANTITIES[quantity]
    given = ~np.isnan(value)
    outside = known.outside(value)
    if outside.sum() > ALL_WRONG * given.sum():
        _note_wrong_unit(known, value[outside], int(given.sum()), file, log)
        return np.zeros(value.size, dtype=bool)
    if given.any() and (median := float(np.median(value[given]))) > known.highest_median:
        _note_high_median(known, median, int(given.sum()), file, log)
        return np.zeros(value.size, dtype=bool)
    log.rows(file, np.asarray(lines)[outside], value[outside], known.rule)
    return given & ~outside


def checked_series(
    quantity: str,
    time: TimeArray,
    value: FloatArray,
    *,
    file: str,
    log: ProblemLog,
    end: TimeArray | None = None,
    lines: np.ndarray | None = None,
    site: str = "",
    source: str = "folder",
) -> tuple[Series, ...]:
    """Make the series of one quantity from columns as they stand in a file.

    Rows without value or with an implausible one are left out; rows are sorted by time and exact repeats counted
    once, both noted. Rows with an end and rows without become two series.

    Returns
    -------
    tuple of Series
        Empty when nothing is left.
    """
    lines = np.arange(time.size) + 1 if lines is None else lines
    if time.size and np.isnan(value).all():
        log.remark(file, None, quantity, "the column has no value")
        return ()
    keep = plausible(quantity, value, lines, file, log)
    end = np.full(time.size, NAT) if end is None else end
    time, value, end = time[keep], value[keep], end[keep]
    order = np.argsort(time, kind="stable")
    time, value, end = time[order], value[order], end[order]
    if time.size and not (np.diff(time) > np.timedelta64(0, "ms")).all():
        first = distinct(time, end, value)
        _note_repeats(file, quantity, int((~first).sum()), log)
        time, value, end = time[first], value[first], end[first]
    pieces = ((np.isnat(end), False), (~np.isnat(end), True))
    return tuple(
        Series(quantity, time[rows], value[rows], end[rows] if with_end else None, site, source)
        for rows, with_end in pieces
        if rows.any()
    )


def possible_times(time: TimeArray, table: Table, column: str, clock: Clock, log: ProblemLog) -> BoolArray:
    """Say which rows have a time that was read and can be; the others are noted with the cell of `column`."""
    good = np.ones(time.size, dtype=bool)
    for rule, wrong in clock.broken(time):
        note_rows(table, wrong, column, HOW_TO_WRITE_TIMES if rule == NO_TIME else rule, log)
        good &= ~wrong
    return good


def note_rows(
    table: Table, wrong: BoolArray, column: str, rule: str, log: ProblemLog, *, rejected: bool = True
) -> None:
    """Note the rows of a mask, with their cells in one column."""
    if wrong.any():
        rows = table.where(wrong)
        log.rows(table.file, rows.lines, rows.text(column), rule, rejected=rejected)


def _note_wrong_unit(known: Quantity, outside: FloatArray, given: int, file: str, log: ProblemLog) -> None:
    rule = (
        f"{outside.size:,} of {given:,} values of {known.name} lie outside {known.bounds}. Is the column in another "
        "unit? The whole column was left out"
    )
    log.reject(file, None, f"{outside[0]:g}", rule, count=given)


def _note_high_median(known: Quantity, median: float, given: int, file: str, log: ProblemLog) -> None:
    rule = (
        f"half of the {given:,} values of {known.name} are this or more, and no record's median is above "
        f"{known.highest_median:g} {known.unit}; {known.hint}. The whole column was left out"
    )
    log.reject(file, None, f"{median:g}", rule, count=given)


def _note_repeats(file: str, what: str, repeats: int, log: ProblemLog) -> None:
    if repeats:
        rule = f"rows of {what} repeat an earlier one exactly and were counted once"
        log.reject(file, None, repeats, rule, count=repeats, lost=False)


# -- series ------------------------------------------------------------------------------------------------------------


def read_series(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``time``, optional ``end``, ``site``, ``source``, and any columns named in `unaji.quantities`."""
    if "time" not in table:
        rule = "the first line must name a column time and at least one quantity; the file was left out"
        log.reject(table.file, 1, ",".join(table.frame.columns), rule, count=max(len(table), 1))
        return Fragment()
    quantities = _quantities(table, log)
    one_sensor = "site" not in table and "source" not in table
    rows = _timed(table, clock, log, equal_means_later=one_sensor)
    series: list[Series] = []
    for group in _groups(rows):
        _note_going_back(group, log)
        for quantity in quantities:
            series += checked_series(
                quantity, group.time, group.table.numbers(quantity, log), end=group.end, lines=group.table.lines,
                site=group.site, source=group.source, file=table.file, log=log,
            )  # fmt: skip
    return Fragment(series=tuple(series))


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Rows whose time could be read, of one site and source once grouped; `end` is NaT where there is none."""

    table: Table
    time: TimeArray
    end: TimeArray
    site: str = ""
    source: str = "folder"

    def where(self, keep: np.ndarray) -> _Rows:
        if keep.all():
            return self
        return _Rows(self.table.where(keep), self.time[keep], self.end[keep], self.site, self.source)


def _quantities(table: Table, log: ProblemLog) -> list[str]:
    names = [name for name in table.frame.columns if name not in SERIES_COLUMNS]
    for name in (name for name in names if name not in QUANTITIES):
        given = int((~table.empty(name)).sum())
        log.reject(table.file, 1, name, f"{_advice(name)}{UNKNOWN_QUANTITY}", count=max(given, 1), lost=given > 0)
    known = [name for name in names if name in QUANTITIES]
    if not known:
        log.reject(table.file, 1, ",".join(table.frame.columns), "the file has no column of a quantity unaji knows")
    return known


def _advice(name: str) -> str:
    """Name the quantities whose name or English meaning is nearest."""
    spellings = {q.en.replace(" ", "_"): q.name for q in QUANTITIES.values()} | {name: name for name in QUANTITIES}
    near = difflib.get_close_matches(name.replace(" ", "_"), spellings, n=3)
    return f"did you mean {' or '.join(dict.fromkeys(spellings[spelling] for spelling in near))}? " if near else ""


def _timed(table: Table, clock: Clock, log: ProblemLog, *, equal_means_later: bool) -> _Rows:
    """Keep the rows whose times can be; a date alone is the whole of that day where no end is given."""
    read = clock.read(table.cells("time"), table.file, log, equal_means_later=equal_means_later)
    end = clock.read(table.cells("end"), table.file, log, date_at_hour=24).time if "end" in table else _none(table)
    if read.date_only.any():
        midnight = clock.read(table.cells("time"), table.file, ProblemLog(), date_at_hour=24).time
        end = np.where(read.date_only & np.isnat(end) & table.empty("end"), midnight, end)
    ok = possible_times(read.time, table, "time", clock, log)
    for wrong, rule in (
        (np.isnat(end) & ~table.empty("end"), f"the end {HOW_TO_WRITE_TIMES}"),
        (end < read.time, ENDS_EARLY),
        (end - read.time > LONGEST_H * HOUR, TOO_LONG),
    ):
        note_rows(table, wrong & ok, "end", rule, log)
        ok &= ~wrong
    return _Rows(table, read.time, end).where(ok)


def _none(table: Table) -> TimeArray:
    return np.full(len(table), NAT)


def _groups(rows: _Rows) -> Iterator[_Rows]:
    """Part the rows by site and source."""
    if "site" not in rows.table and "source" not in rows.table:
        yield rows
        return
    sites, sources = np.array(rows.table.text("site")), np.array(rows.table.text("source"))
    for site, source in sorted(set(zip(sites.tolist(), sources.tolist(), strict=True))):
        group = rows.where((sites == site) & (sources == source))
        yield _Rows(group.table, group.time, group.end, site, source or "folder")


def _note_going_back(rows: _Rows, log: ProblemLog) -> None:
    back = np.flatnonzero(np.diff(rows.time) < np.timedelta64(0, "ms"))
    if back.size:
        line = int(rows.table.lines[back[0] + 1])
        rule = "times here and after go back (first one: this line); the rows were sorted by time"
        log.remark(rows.table.file, line, f"{back.size}", rule)


# -- beats -------------------------------------------------------------------------------------------------------------


def read_beats(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``time``, ``rri_ms``, optional ``gap``, ``origin``, ``corrected``.

    An empty interval is a rejected beat and stays as NaN. An implausible one is remarked on and kept, since judging
    beats needs their neighbours and is the work of `unaji.signals`; but where most are implausible the unit is wrong
    and none is kept. Without the column ``gap``, a beat is missing wherever the pause exceeds the interval.
    """
    if not {"time", "rri_ms"} <= set(table.frame.columns):
        rule = "the first line must name the columns time and rri_ms; the file was left out"
        log.reject(table.file, 1, ",".join(table.frame.columns), rule, count=max(len(table), 1))
        return Fragment()
    for name in table.frame.columns:
        if name not in BEATS_COLUMNS:
            known = ", ".join(BEATS_COLUMNS)
            rule = f"the column is not known and was not read; known are {known}"
            log.remark(table.file, 1, name, rule, lost=not table.empty(name).all())
    rows = _timed(table, clock, log, equal_means_later=True)
    origin, corrected = np.array(rows.table.text("origin")), np.array(rows.table.text("corrected"))
    beats: list[Beats] = []
    for key in sorted(set(zip(origin.tolist(), corrected.tolist(), strict=True))):
        group = rows.where((origin == key[0]) & (corrected == key[1]))
        beats += _beats(group, _word(key[0], BEST_ORIGIN_FIRST, "", "origin", table, log),
                        _word(key[1], CORRECTED, "unknown", "corrected", table, log), log)  # fmt: skip
    return Fragment(beats=tuple(beats))


def _beats(rows: _Rows, origin: str, corrected: str, log: ProblemLog) -> list[Beats]:
    file = rows.table.file
    _note_going_back(rows, log)
    rri_ms = rows.table.numbers("rri_ms", log)
    keep = (np.isnan(rri_ms) & rows.table.empty("rri_ms")) | (np.isfinite(rri_ms) & (rri_ms > 0))
    not_positive = ~keep & ~np.isnan(rri_ms)
    log.rows(file, rows.table.lines[not_positive], rri_ms[not_positive], "rri_ms must be more than 0")
    rows, rri_ms = rows.where(keep), rri_ms[keep]
    if np.isnan(rri_ms).all():
        log.remark(file, None, "rri_ms", "the column has no value")
        return []
    if not _right_unit(rri_ms, rows, log):
        return []
    order = np.argsort(rows.time, kind="stable")
    in_order = bool((np.diff(order) == 1).all())
    time, rri_ms = rows.time[order], rri_ms[order]
    gap = missing_beats(time, rri_ms, tolerance_ms=_tolerance_ms(time))
    if "gap" in rows.table:
        gap = _gaps(rows, log)[order] | (gap & (not in_order))
    first = distinct(time, rri_ms)
    _note_repeats(file, "beats", int((~first).sum()), log)
    return [Beats(time[first], rri_ms[first], gap[first], origin, corrected)]


def _right_unit(rri_ms: FloatArray, rows: _Rows, log: ProblemLog) -> bool:
    known = QUANTITIES["rri_ms"]
    given = ~np.isnan(rri_ms)
    outside = given & ~((rri_ms >= known.low) & (rri_ms <= known.high))
    if outside.sum() > ALL_WRONG * given.sum():
        _note_wrong_unit(known, rri_ms[outside], int(given.sum()), rows.table.file, log)
        return False
    rule = f"{known.rule}. The interval was kept; the signals will judge it beside its neighbours"
    log.rows(rows.table.file, rows.table.lines[outside], rri_ms[outside], rule, rejected=False, lost=False)
    return True


def _tolerance_ms(time: TimeArray) -> float:
    """Stamps of whole seconds may be a second off [ms]."""
    whole_seconds = not (time.astype(np.int64) % 1000).any()
    return NO_GAP_UNDER_MS + (1000.0 if whole_seconds else 0.0)


def _gaps(rows: _Rows, log: ProblemLog) -> BoolArray:
    cells = rows.table.cells("gap")
    if cells.dtype == pl.Boolean:
        return cells.fill_null(value=False).to_numpy().copy()
    words = [word.lower() for word in rows.table.text("gap")]
    strange = np.array([word not in GAP_WORDS for word in words], dtype=bool)
    rule = "gap must be 1 or 0; 1 was assumed, so that no difference is taken across it"
    log.rows(rows.table.file, rows.table.lines[strange], np.array(words, dtype=object)[strange], rule, rejected=False)
    return np.array([GAP_WORDS.get(word, True) for word in words], dtype=bool)


def _word(word: str, allowed: Sequence[str], otherwise: str, column: str, table: Table, log: ProblemLog) -> str:
    plain = word.lower()
    if plain and plain not in allowed:
        names = ", ".join(name for name in allowed if name)
        log.remark(table.file, None, word, f"{column} is none of {names}; it was read as not known", lost=True)
    return plain if plain and plain in allowed else otherwise


# -- writing -----------------------------------------------------------------------------------------------------------


def series_frame(series: Series) -> pl.DataFrame:
    """Return a series as the columns of its file, times as UTC timestamps."""
    columns: dict[str, object] = {"time": _timestamps(series.time)}
    if series.end is not None:
        columns["end"] = _timestamps(series.end)
    for name, value, default in (("site", series.site, ""), ("source", series.source, "folder")):
        if value != default:
            columns[name] = [value] * len(series)
    return pl.DataFrame({**columns, series.quantity: series.value})


def beats_frame(beats: Beats) -> pl.DataFrame:
    """Return beats as the columns of their file; a rejected beat has an empty interval."""
    columns: dict[str, object] = {
        "time": _timestamps(beats.time),
        "rri_ms": pl.Series(beats.rri_ms).fill_nan(None),
        "gap": beats.gap,
    }
    if beats.origin:
        columns["origin"] = [beats.origin] * len(beats)
    if beats.corrected != "unknown":
        columns["corrected"] = [beats.corrected] * len(beats)
    return pl.DataFrame(columns)


def series_file_names(timeline: Timeline) -> list[str]:
    """Return a file name without ending for each series: quantity, site, source, and a number where these repeat."""
    names: list[str] = []
    for series in timeline.series:
        source = "" if series.source == "folder" else series.source
        parts = [series.quantity, *(part for part in (series.site, source) if part)]
        name = "-".join(re.sub(r"[^\w.+]+", "_", part) for part in parts)
        numbered = (f"{name}-{n}" if n > 1 else name for n in count(1))
        taken = {other.lower() for other in names}  # some file systems do not tell A from a
        names.append(next(candidate for candidate in numbered if candidate.lower() not in taken))
    return names


def _timestamps(time: TimeArray) -> pl.Series:
    return pl.Series(time).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")

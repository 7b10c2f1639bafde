"""Rows of a table become batches, as a mapping says; every row that is left out is counted with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.quantities import EXPOSURES
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import ENDS_EARLY, HOUR, LONGEST_H, TOO_LONG, Clock
from unaji.records.door import DAY
from unaji.records.fragments import NECK_HEAT, TABLE, WHOLE_DAY
from unaji.records.mapping.model import Column, TableMap, What, When
from unaji.records.mapping.sheets import read_sheet
from unaji.records.mapping.times import HALF_DAY, IS_CLOCK, date_part, later, moments, plain_times, with_clock
from unaji.records.mapping.units import converted, minutes, unit_named, units_of
from unaji.records.mapping.written import plain_name
from unaji.records.measured import note_rows, plausible, possible_times
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import MISSING, Table, half_width
from unaji.records.timeline import BoolArray, FloatArray, TimeArray, Zones

MOST = 1e6
"""No amount of anything taken or done is larger."""

_NUMBER = r"^([+\-−]?\s?[\d.,]+(?:[eE][+-]?\d+)?)\s*(.*)$"
_GROUPED = {".": r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$", ",": r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$"}
"""Numbers with their thousands parted, by the sign that stands before the decimals."""

_LENGTH_WITH_COLON = r"^(?:(?:1899-12-3[01]|1904-01-0[12])[ T])?(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$"
"""Hours, minutes and seconds; a workbook may store them as the first day of its calendar."""

_LENGTH_IN_WORDS = (
    r"^(?:([\d.,]+)\s*(?:hours?|hrs?|h|時間)(半)?)?\s*"
    r"(?:([\d.,]+)\s*(?:minutes?|mins?|m|分間?))?\s*"
    r"(?:([\d.,]+)\s*(?:seconds?|secs?|s|秒))?$"
)

_COUNTS = (
    "杯", "回", "本", "個", "錠", "粒", "カプセル", "缶", "瓶", "皿", "包", "服", "枚", "滴",
    "cup", "cups", "drink", "drinks",
    "glass", "glasses", "bottle", "bottles", "can", "cans", "time", "times", "x", "tablet", "tablets", "pill", "pills",
    "capsule", "capsules", "drop", "drops", "dose", "doses", "unit", "units",
)  # fmt: skip
_MEASURES = ("mg", "g", "μg", "ml", "cl", "dl", "l", "cc", "oz", "合")
"""What may stand behind the amount of something taken or done, in small letters."""

NO_WORDS = ("なし", "無し", "無", "無い", "ない", "いいえ", "×", "✕", "✗", "no", "n", "none", "false", "0")
"""Cells that say that there was nothing, where words count."""

_OF_A_SCALE = ("", "点", "/10", "/5")


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Rows whose time could be read; `end` is NaT where a row is an instant."""

    table: Table
    time: TimeArray
    end: TimeArray
    date_only: BoolArray
    clock: Clock

    def where(self, keep: BoolArray) -> _Rows:
        if keep.all():
            return self
        return _Rows(self.table.where(keep), self.time[keep], self.end[keep], self.date_only[keep], self.clock)


def read_mapped(table_map: TableMap, files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read files by a mapping.

    Raises
    ------
    InputError
        A file lacks a column that the mapping names, or a wall clock's zone is not known.
    """
    for file in files:
        table = read_sheet(file, table_map.shape, log)
        if table is not None:
            yield from batches_of_table(table, table_map, clock, log)


def batches_of_table(table: Table, table_map: TableMap, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Give what a table holds, a batch for each column that the mapping names.

    Raises
    ------
    InputError
        The table lacks a column that the mapping names, or a wall clock's zone is not known.
    """
    _check_columns(table, table_map)
    table = table.where(_chosen(table, table_map.only))
    if table_map.when.zone:
        clock = replace(clock, zones=Zones((table_map.when.zone,)))
    rows = _timed(table, table_map, clock, log)
    for column in table_map.columns:
        mine = rows.where(_chosen(rows.table, column.only))
        mine = mine.where(~_missing(mine.table, column, table_map))
        if len(mine.table):
            yield from _READ[column.what](mine, column, table_map, log)


def columns_needed(table_map: TableMap) -> set[str]:
    """Name all columns that a mapping speaks of."""
    when = table_map.when
    named = {when.column, when.clock_column, when.end_column, when.length_column, *table_map.only}
    for column in table_map.columns:
        named |= {column.name, column.unit_column, column.label_column, *column.only}
    return named - {""}


def _check_columns(table: Table, table_map: TableMap) -> None:
    lacking = sorted(name for name in columns_needed(table_map) if plain_name(name) not in table)
    if lacking:
        raise InputError(
            f"{table.file}: has no column {', '.join(lacking)}, which the mapping {table_map.file} names; it has "
            f"{', '.join(table.frame.columns)}"
        )


def _text(table: Table, name: str) -> pl.Series:
    return half_width(table.cells(plain_name(name)).cast(pl.String)).fill_null("").str.strip_chars()


def _chosen(table: Table, only: Mapping[str, Sequence[str]]) -> BoolArray:
    """Say which rows hold one of some texts in each of some columns; others are not meant, so nothing is lost."""
    keep = np.ones(len(table), dtype=bool)
    for name, texts in only.items():
        keep &= _is_one_of(_text(table, name), texts)
    return keep


def _is_one_of(cells: pl.Series, texts: Sequence[str]) -> BoolArray:
    wanted = half_width(pl.Series(texts, dtype=pl.String)).str.strip_chars().str.to_lowercase()
    return np.array(cells.str.to_lowercase().is_in(wanted.implode()).to_numpy())


def _missing(table: Table, column: Column, table_map: TableMap) -> BoolArray:
    cells = _text(table, column.name)
    return _is_one_of(cells, [*MISSING, *table_map.missing, *column.missing])


# -- time --------------------------------------------------------------------------------------------------------------


def _timed(table: Table, table_map: TableMap, clock: Clock, log: ProblemLog) -> _Rows:
    """Keep the rows whose times can be."""
    when = table_map.when
    dates = table.cells(plain_name(when.column))
    cells = with_clock(dates, table.cells(plain_name(when.clock_column))) if when.clock_column else dates
    stamp = moments(cells, when.format, clock, table.file, log)
    ok = possible_times(stamp.time, table, plain_name(when.column), clock, log)
    rows = _Rows(table, stamp.time, np.full(len(table), np.datetime64("NaT", "ms")), stamp.date_only, clock).where(ok)
    return _with_ends(rows, when, table_map, log)


def _with_ends(rows: _Rows, when: When, table_map: TableMap, log: ProblemLog) -> _Rows:
    """Give rows their ends; those whose end cannot be are left out."""
    table = rows.table
    shown = when.end_column or when.length_column
    if when.end_column:
        end = _ends(rows, when, log)
        nothing = _text(table, when.end_column) == ""
        wrong = np.isnat(end) & ~nothing.to_numpy()
    else:
        length = np.full(len(table), when.length_min)
        if when.length_column:
            length = lengths_min(_text(table, when.length_column), table_map.shape.decimal, when.length_unit)
        wrong = np.isnan(length) | (np.abs(length) > MOST)
        end = rows.time + _as_span(np.where(wrong, 0, length))
        if not (when.length_column or when.length_min):
            end[:] = np.datetime64("NaT", "ms")
    ok = np.ones(len(table), dtype=bool)
    for bad, rule in (
        (wrong, "the end or length of the row cannot be read"),
        (end < rows.time, ENDS_EARLY),
        (end - rows.time > LONGEST_H * HOUR, TOO_LONG),
    ):
        note_rows(table, bad & ok, plain_name(shown), rule, log)
        ok &= ~bad
    rows = replace(rows, end=end).where(ok)
    if when.stamp_is_end:
        return replace(rows, time=rows.time - (rows.end - rows.time), end=rows.time)
    return rows


def _ends(rows: _Rows, when: When, log: ProblemLog) -> TimeArray:
    """Read ends; a time of day alone is that of the row's day, or of the next where it would lie before the start."""
    table = rows.table
    cells = plain_times(table.cells(plain_name(when.end_column)))
    clock_only = cells.str.contains(IS_CLOCK)
    whole = with_clock(date_part(table.cells(plain_name(when.column))), cells)
    full = moments(
        pl.select(pl.when(clock_only).then(whole).otherwise(cells)).to_series(),
        when.end_format or when.format, rows.clock, table.file, log,
    )  # fmt: skip
    end = full.time
    until_midnight = full.date_only
    if until_midnight.any():
        end = np.where(until_midnight, later(end, DAY, rows.clock, table.file), end)
    over_midnight = clock_only.to_numpy() & (end < rows.time)
    if over_midnight.any():
        end = np.where(over_midnight, later(end, DAY, rows.clock, table.file), end)
    return end


def _as_span(length_min: FloatArray) -> NDArray[np.timedelta64]:
    return np.round(length_min * 60_000).astype(np.int64).astype("timedelta64[ms]")


# -- columns -----------------------------------------------------------------------------------------------------------


def cell_numbers(cells: pl.Series, decimal: str) -> tuple[FloatArray, pl.Series]:
    """Return cells as numbers, NaN where they are none, and what stands behind each number ("℃", "杯").

    Plain numbers are read as they are, and only the others looked at closely.
    """
    behind = pl.Series([""], dtype=pl.String).new_from_index(0, len(cells))
    value = np.full(len(cells), np.nan)
    if decimal == ".":
        value = np.array(cells.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy())
        value[~np.isfinite(value)] = np.nan
    left = np.flatnonzero(np.isnan(value))
    if left.size:
        value[left], words = _written_numbers(cells.gather(left), decimal)
        behind = behind.scatter(left, words)
    return value, behind


def lengths_min(cells: pl.Series, decimal: str, unit: str) -> FloatArray:
    """Return how long something lasted [min]; NaN where a cell is no length.

    Parameters
    ----------
    cells : polars.Series of text, shape (n,)
        Plain numbers, hours and minutes with a colon ("1:30", also "1:30:00"), or in words ("1h15m", "1時間30分").
    unit : str
        Of plain numbers, one of `unaji.records.mapping.units.DURATIONS`.
    """
    value, behind = cell_numbers(cells, decimal)
    with_colon, in_words = _with_colon_min(cells), spoken_min(cells, decimal)
    worded = np.where(np.isnan(with_colon), in_words, with_colon)
    return np.where((behind == "").to_numpy() & ~np.isnan(value), minutes(value, unit), worded)


def _with_colon_min(cells: pl.Series) -> FloatArray:
    parts = cells.str.extract_groups(_LENGTH_WITH_COLON).struct
    hours, minute, second = (parts.field(str(k)).cast(pl.Float64).to_numpy() for k in (1, 2, 3))
    return np.array(hours * 60 + minute + np.nan_to_num(second) / 60)


def spoken_min(cells: pl.Series, decimal: str) -> FloatArray:
    """Return lengths in hours, minutes and seconds as words [min]; NaN where a cell is none."""
    parts = cells.str.to_lowercase().str.extract_groups(_LENGTH_IN_WORDS).struct
    half = parts.field("2").is_not_null().to_numpy() * 30.0
    total, given = half, half > 0
    for group, unit in (("1", "h"), ("3", "min"), ("4", "s")):
        said = parts.field(group).is_not_null().to_numpy()
        value, _ = cell_numbers(parts.field(group).fill_null("0"), decimal)
        total, given = total + minutes(value, unit), given | said
    return np.where(given, total, np.nan)


def _written_numbers(cells: pl.Series, decimal: str) -> tuple[FloatArray, pl.Series]:
    parts = cells.str.extract_groups(_NUMBER).struct
    text = parts.field("1").str.replace_all(r"\s", "").str.replace("−", "-", literal=True)
    other = "," if decimal == "." else "."
    grouped = text.str.contains(_GROUPED[decimal])
    plain = ~text.str.contains(other, literal=True)
    text = pl.select(
        pl.when(grouped).then(text.str.replace_all(other, "", literal=True)).when(plain).then(text)
    ).to_series()
    value = text.str.replace(decimal, ".", literal=True).cast(pl.Float64, strict=False)
    return value.fill_null(np.nan).to_numpy(), parts.field("2").fill_null("").str.strip_chars()


def _quantity(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> Iterator[Batch]:
    value = _in_our_unit(rows, column, table_map, log)
    keep = plausible(column.into, value, rows.table.lines, rows.table.file, log)
    rows, value = rows.where(keep), value[keep]
    whole_day = rows.date_only & np.isnat(rows.end)
    if whole_day.any():
        rows = replace(rows, end=np.where(whole_day, later(rows.time, DAY, rows.clock, rows.table.file), rows.end))
    device = _device(column, table_map, column.site)
    for kind, some in ((Kind.SERIES, np.isnat(rows.end)), (Kind.INTERVAL, ~np.isnat(rows.end))):
        if some.any():
            end = rows.end[some] if kind is Kind.INTERVAL else None
            yield Batch(kind, column.into, device, frame(time=rows.time[some], end=end, value=value[some]))


def _in_our_unit(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> FloatArray:
    """Convert by the unit that stands in the cell, else in the row's unit column, else in the mapping."""
    table, known = rows.table, units_of(column.into)
    cells = _text(table, column.name)
    value, behind = cell_numbers(cells, table_map.shape.decimal)
    note_rows(table, np.isnan(value), plain_name(column.name), f"{column.into} must be a number", log)
    said = _text(table, column.unit_column) if column.unit_column else pl.Series([""] * len(table), dtype=pl.String)
    said = pl.select(pl.when(behind == "").then(said).otherwise(behind)).to_series()
    spelt = said.unique().to_list()
    units = [(column.unit or known[0]) if text == "" else unit_named(text, known) for text in spelt]
    unit = said.replace_strict(spelt, units, return_dtype=pl.String)
    strange = unit.is_null().to_numpy() & ~np.isnan(value)
    shown = pl.select(pl.when(behind == "").then(cells + " " + said).otherwise(cells)).to_series()
    rule = f"the unit is none of {column.into}; known are {', '.join(known)}"  # kept with the import: no cell's text
    log.rows(table.file, table.lines[strange], shown.filter(pl.Series(strange)), rule)
    out = np.full(value.size, np.nan)
    for one in unit.drop_nulls().unique().to_list():
        these = (unit == one).fill_null(value=False).to_numpy()
        out[these] = converted(column.into, value[these], one)
    return out


def _rating(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> Iterator[Batch]:
    value, keep = _on_scale(rows, column, table_map, log)
    rows, value = rows.where(keep), value[keep]
    time = _noon(rows)
    if time.size:
        yield Batch(Kind.RATING, column.into, _device(column, table_map), frame(time=time, value=value))


def _on_scale(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> tuple[FloatArray, BoolArray]:
    """Return values on the scale of 0 to 10, and which of them are."""
    table, name = rows.table, plain_name(column.name)
    value, behind = cell_numbers(_text(table, column.name), table_map.shape.decimal)
    number = ~np.isnan(value) & behind.is_in(_OF_A_SCALE).to_numpy()
    note_rows(table, ~number, name, f"{column.into} must be a number on the scale", log)
    low, high = column.scale or (0.0, 10.0)
    value = (value - low) / (high - low) * 10
    inside = (value >= 0) & (value <= 10)
    note_rows(table, number & ~inside, name, f"lies outside the scale of {low:g} to {high:g}", log)
    return value, number & inside


def _exposure(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> Iterator[Batch]:
    if column.equals:
        _note_other_words(rows, column, table_map, log)
        rows = rows.where(_is_one_of(_text(rows.table, column.name), column.equals))
        amount = np.full(len(rows.table), np.nan)
    else:
        amount = _amounts(_text(rows.table, column.name), column.into, table_map.shape.decimal)
        good = (amount >= 0) & (amount <= MOST)
        rule = f"{column.into} must be an amount of 0 or more in {_amounts_known(column.into)}"
        note_rows(rows.table, ~good, plain_name(column.name), rule, log)
        some = good & (amount > 0)
        rows, amount = rows.where(some), amount[some]
    yield from _exposures(rows, column.into, amount, _device(column, table_map))


def _amounts(cells: pl.Series, kind: str, decimal: str) -> FloatArray:
    """Return amounts, NaN where a cell is none: what stands behind the number must be a count or a measure.

    Cups and milligrams in one column are no one amount: of a column with counts only these are read, of one with
    measures those in its first.
    """
    value, behind = cell_numbers(cells, decimal)
    plain = behind == ""
    if _unit_of_amount(kind) == "min":
        return np.where(plain.to_numpy(), value, spoken_min(cells, decimal))
    said = behind.str.to_lowercase()
    measured = said.filter(said.is_in(_MEASURES))
    counted = said.is_in(_COUNTS)
    good = plain | (counted if counted.any() or not len(measured) else said == measured[0])
    return np.where(good.to_numpy(), value, np.nan)


def _amounts_known(kind: str) -> str:
    if _unit_of_amount(kind) == "min":
        return "minutes (15, 15分, 1 h); for words say which count (equals)"
    return "one unit (2, 2杯, 1 cup, 350 ml); for words say which count (equals)"


def _unit_of_amount(kind: str) -> str:
    return EXPOSURES[kind].unit if kind in EXPOSURES else "1"


def _exposures(rows: _Rows, kind: str, amount: FloatArray, device: Device) -> Iterator[Batch]:
    if not len(rows.table):
        return
    whole_day = rows.date_only & np.isnat(rows.end)
    end = rows.end
    if whole_day.any():
        end = np.where(whole_day, later(rows.time, DAY, rows.clock, rows.table.file), end)
    yield Batch(Kind.EXPOSURE, kind, device, frame(time=rows.time, end=end, value=amount))


def _symptom(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> Iterator[Batch]:
    """Give complaints; where the nape was not hot, that is an entry too: nothing happened then."""
    if column.equals:
        _note_other_words(rows, column, table_map, log)
        cells = _text(rows.table, column.name)
        there = _is_one_of(cells, column.equals)
        value, keep = np.full(len(rows.table), np.nan), there | _is_one_of(cells, NO_WORDS)
    else:
        value, keep = _on_scale(rows, column, table_map, log)
        there = keep & (value > 0)
    none = rows.where(keep & ~there)
    rows, value = rows.where(there), value[there]
    if column.into == NECK_HEAT and len(none.table):
        quiet = replace(none, time=_noon(none), end=np.full(none.time.size, np.datetime64("NaT", "ms")))
        quiet = replace(quiet, date_only=np.zeros(none.time.size, dtype=bool))
        yield from _exposures(quiet, "check_in", np.full(none.time.size, np.nan), _device(column, table_map))
    if len(rows.table):
        words = [WHOLE_DAY if day else None for day in rows.date_only & np.isnat(rows.end)]
        if column.label_column and column.into != NECK_HEAT:
            words = [word or None for word in _text(rows.table, column.label_column).to_list()]
        columns = frame(time=rows.time, end=rows.end, value=value, label=pl.Series(words, dtype=pl.String))
        yield Batch(Kind.SYMPTOM, column.into, _device(column, table_map), columns)


def _note_other_words(rows: _Rows, column: Column, table_map: TableMap, log: ProblemLog) -> None:
    """Note words that neither count nor say no, once, and not those that the mapping speaks of elsewhere."""
    name = plain_name(column.name)
    same = [one for one in table_map.columns if plain_name(one.name) == name]
    if column is not next(one for one in same if one.equals and one.only == column.only):
        return
    known = [word for one in same for word in one.equals]
    for only in (table_map.only, *(one.only for one in table_map.columns)):
        known += [word for other, words in only.items() if plain_name(other) == name for word in words]
    rule = f"the cell is none of the words that count as {column.into} (equals) and no word for none"
    note_rows(rows.table, other_words(_text(rows.table, column.name), known), name, rule, log)


def other_words(cells: pl.Series, counting: Sequence[str]) -> BoolArray:
    """Say which cells hold none of the words that count, and no word for no."""
    return ~_is_one_of(cells, [*counting, *NO_WORDS])


def _device(column: Column, table_map: TableMap, site: str = "") -> Device:
    """Name who wrote a column: by the table, that is its `device_name` or else its header, and the column.

    Rows of one device at one time are versions of each other to the store, so a table that comes again must have the
    same name and any other table or column another.
    """
    table = table_map.device_name or sorted(map(plain_name, table_map.shape.header))
    return Device(TABLE, table_map.device, json.dumps([table, plain_name(column.name)]), site=site)


def _noon(rows: _Rows) -> TimeArray:
    """Return times, a date alone being its noon."""
    if not rows.date_only.any():
        return rows.time
    return np.where(rows.date_only, later(rows.time, HALF_DAY, rows.clock, rows.table.file), rows.time)


_Reader = Callable[[_Rows, Column, TableMap, ProblemLog], Iterator[Batch]]
_READ: Mapping[What, _Reader] = {
    What.QUANTITY: _quantity, What.RATING: _rating, What.EXPOSURE: _exposure, What.SYMPTOM: _symptom,
}  # fmt: skip


def reader_of(table_map: TableMap) -> Callable[[Sequence[Source], Clock, ProblemLog], Iterator[Batch]]:
    """Return what reads files by a mapping, as importers do."""
    return partial(read_mapped, table_map)

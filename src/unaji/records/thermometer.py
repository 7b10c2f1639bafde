"""Files of body thermometers and their apps: date, time and one temperature a line, whatever else stands beside.

Where on the body it was measured is not known, so this is body temperature and never core temperature. Whether dates
are day/month or month/day is decided by the whole file, in which one day above 12 contradicts the other order; where
nothing decides, the file is refused with advice rather than read by a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.records.batch import Batch
from unaji.records.clock import Clock
from unaji.records.mapping.guessing import plain_header, propose_when, shape_of
from unaji.records.mapping.model import Column, TableMap, What
from unaji.records.mapping.reading import batches_of_table, cell_numbers
from unaji.records.mapping.units import unit_named, units_of
from unaji.records.mapping.written import plain_name
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.tables import Table, half_width
from unaji.records.timeline import FloatArray

QUANTITY = "body_temp_c"
CELSIUS, FAHRENHEIT = (30.0, 45.0), (86.0, 113.0)
"""Ranges by which a reading without unit is told; nobody's temperature is in both."""

MEDIAN_C, SPREAD_C = (34.5, 40.0), 5.0
"""Of a body's readings; a room's or a town's vary more, or lie elsewhere."""

TIME = {
    "date",
    "time",
    "datetime",
    "date/time",
    "date time",
    "timestamp",
    "日付",
    "時刻",
    "日時",
    "測定日時",
    "測定日",
    "年月日",
}
TEMPERATURE = {"temp", "temperature", "body temp", "body temperature", "体温", "検温"}
UNIT = {"unit", "units", "単位"}
WHO = {"name", "user", "profile", "member", "person", "名前", "氏名", "ユーザー"}
BESIDE = {
    "site",
    "location",
    "method",
    "部位",
    "測定部位",
    "note",
    "notes",
    "comment",
    "memo",
    "メモ",
    "備考",
    "symptoms",
    "id",
    "no",
}
_UNIT_CELL = "\x00unit"


def claims_file(head: bytes) -> bool:
    """Say whether the header has times and one temperature and nothing strange, and the values are a body's."""
    text = _text(head)
    lines = [] if text is None else text.split("\n")[: -1 if len(head) >= HEAD_BYTES else None]
    if not lines:
        return False
    separator = max(",;\t", key=lines[0].count)
    names = [_plain(cell) for cell in lines[0].split(separator)]
    if not _has_our_columns(names):
        return False
    column = next(k for k, name in enumerate(names) if name in TEMPERATURE)
    cells = [line.rstrip("\r").split(separator) for line in lines[1:] if line.strip()]
    return _of_a_body([row[column] for row in cells if len(row) == len(names)], separator)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read readings of one person's body temperature.

    Raises
    ------
    InputError
        Its times are wall clock, and nobody has said in which zone.
    """
    for file in files:
        yield from _read_file(file, clock, log)


def _read_file(file: Source, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    try:
        shape, table = shape_of(file)
        names = {_plain(name): name for name in shape.header}
        if not _has_our_columns(list(names)):
            raise InputError(f"{file.name}: has no longer the columns of a thermometer")
        who = next((names[name] for name in names if name in WHO), "")
        if who and len(set(table.text(plain_name(who)))) > 1:
            raise InputError(f"{file.name}: holds readings of several people; {_WITH_MAP} whose these are (only)")
        when, _, doubts = propose_when(table, shape, clock)
        if doubts:
            raise InputError(f"{file.name}: {doubts[0][1]}; {_WITH_MAP} how its times are written (time.format)")
    except InputError as error:
        log.reject(file.name, None, "", str(error).removeprefix(f"{file.name}: "))
        return
    temperature = next(names[name] for name in names if name in TEMPERATURE)
    unit_column = next((names[name] for name in names if name in UNIT), "")
    table = _with_units(table, temperature, unit_column, shape.decimal)
    column = Column(temperature, What.QUANTITY, QUANTITY, unit_column=_UNIT_CELL)
    for batch in batches_of_table(table, TableMap(file.name, shape, when, (column,), device=""), clock, log):
        yield replace(batch, device=replace(batch.device, source="thermometer"))


_WITH_MAP = "import it by itself with --map and say"


def _with_units(table: Table, temperature: str, unit_column: str, decimal: str) -> Table:
    """Add the unit of each row: that it declares, that of the header, or that in whose range it lies."""
    cells = half_width(table.cells(plain_name(temperature))).fill_null("").str.strip_chars()
    value, _ = cell_numbers(cells, decimal)
    in_header = unit_named(temperature.partition("(")[2].rstrip(") "), units_of(QUANTITY)) or ""
    declared = pl.Series(table.text(plain_name(unit_column)) if unit_column else [""] * len(table), dtype=pl.String)
    by_range = pl.Series(np.where(_within(value, FAHRENHEIT), "F", "C"), dtype=pl.String)
    fallback = pl.Series([in_header] * len(table), dtype=pl.String) if in_header else by_range
    unit = pl.select(pl.when(declared == "").then(fallback).otherwise(declared)).to_series()
    return Table(table.file, table.frame.with_columns(unit.alias(_UNIT_CELL)), table.lines)


def _has_our_columns(names: Sequence[str]) -> bool:
    known = TIME | TEMPERATURE | UNIT | WHO | BESIDE
    one = sum(name in TEMPERATURE for name in names) == 1
    return one and any(name in TIME for name in names) and all(name in known for name in names if name)


def _of_a_body(cells: Sequence[str], separator: str) -> bool:
    decimal = "," if separator != "," and any("," in cell for cell in cells) else "."
    value, _ = cell_numbers(pl.Series([cell.strip().strip('"') for cell in cells], dtype=pl.String), decimal)
    value = np.where(_within(value, FAHRENHEIT), (value - 32) / 1.8, value)
    value = value[_within(value, CELSIUS)]
    if not value.size or value.size < 0.8 * sum(cell.strip() not in ("", "-") for cell in cells):
        return False
    low, median, high = np.percentile(value, (10, 50, 90))
    return bool(MEDIAN_C[0] <= median <= MEDIAN_C[1] and high - low <= SPREAD_C)


def _within(value: FloatArray, limits: tuple[float, float]) -> np.ndarray:
    return (value >= limits[0]) & (value <= limits[1])


def _plain(name: str) -> str:
    return plain_header(name.strip().strip('"'))


def _text(head: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return head.decode(encoding, errors="strict" if len(head) < HEAD_BYTES else "ignore")
        except UnicodeDecodeError:
            continue
    return None

"""One table: columns that say what they mean, rows of plain values, and how both become text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from unaji.causes.attribution import Estimate
from unaji.claims.model import Words
from unaji.records.clock import iso_local
from unaji.records.folder import csv_text
from unaji.records.timeline import Zones
from unaji.report.json import number

T = TypeVar("T")
Cell = str | float | bool | datetime | date | None

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins with one of these is run by spreadsheets, the full-width ones by those set to Japanese (OWASP,
"CSV Injection")."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    unit : str
        "1" for probabilities, shares and ratios, "" for text, times and yes-or-no.
    """

    name: str
    unit: str
    meaning: Words


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """One table; None stands for what is not known and becomes an empty cell."""

    name: str
    about: Words
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: {len(self.columns)} columns and a row of {len(row)} cells")

    def csv(self, zones: Zones) -> str:
        """Return the text of the file, times on the person's clock."""
        return csv_text([one.name for one in self.columns], [[cell(one, zones) for one in row] for row in self.rows])


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A column and how it is filled."""

    column: Column
    of: Callable[[T], Cell]


def field(name: str, unit: str, ja: str, en: str, of: Callable[[T], Cell]) -> Field[T]:
    """Return one field."""
    return Field(Column(name, unit, Words(ja, en)), of)


def estimated(name: str, unit: str, ja: str, en: str, of: Callable[[T], Estimate | None]) -> list[Field[T]]:
    """Return three fields: the mean and the ends of the 90 % interval, rounded as everywhere.

    The unit stands at the end of the name: ``lag_h`` becomes ``lag_mean_h``, ``lag_p5_h`` and ``lag_p95_h``.
    """
    stem, end = (name.removesuffix(f"_{unit}"), f"_{unit}") if name.endswith(f"_{unit}") else (name, "")
    parts = (
        ("mean", "平均", "mean"),
        ("p5", "90%の幅の下", "lower end, 90 %"),
        ("p95", "90%の幅の上", "upper end, 90 %"),
    )
    return [
        field(f"{stem}_{part}{end}", unit, f"{ja}({said_ja})", f"{en} ({said_en})", _part_of(of, part))
        for part, said_ja, said_en in parts
    ]


def _part_of(of: Callable[[T], Estimate | None], part: str) -> Callable[[T], Cell]:
    def value(one: T) -> Cell:
        estimate = of(one)
        return None if estimate is None else number(getattr(estimate, part))

    return value


def sheet(name: str, ja: str, en: str, fields: Sequence[Field[T]], items: Iterable[T]) -> Sheet:
    """Fill a table, one row an item."""
    rows = tuple(tuple(one.of(item) for one in fields) for item in items)
    return Sheet(name, Words(ja, en), tuple(one.column for one in fields), rows)


def cell(value: Cell, zones: Zones) -> str:
    """Write one value: times in ISO 8601 with offset, yes and no as 1 and 0, text so that it is never run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return iso_local(value, zones)
    if isinstance(value, date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else repr(value)


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text

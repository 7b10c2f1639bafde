"""What a mapping says: how a table is written, where its time stands, and what each of its columns is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ISO, UNIX_S, UNIX_MS, EXCEL_1900, EXCEL_1904 = "iso", "unix_s", "unix_ms", "excel", "excel1904"
NAMED_FORMATS = (ISO, UNIX_S, UNIX_MS, EXCEL_1900, EXCEL_1904)
"""Ways to write times that are no pattern of ``%Y`` and the like."""

ENCODINGS = ("utf-8", "cp932", "utf-16", "latin-1")
DELIMITERS = (",", ";", "\t", "|")


class What(StrEnum):
    """What a column holds."""

    QUANTITY = "quantity"
    RATING = "rating"
    EXPOSURE = "exposure"
    SYMPTOM = "symptom"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a table is written.

    Attributes
    ----------
    header : tuple of str
        Names of all columns, by which a file of the same shape is known.
    header_line : int
        Line of the header, counted from 1; 0 where there is none and columns are called "1", "2", ...
    encoding, delimiter, decimal : str
        Of text. `decimal` is "." or ",".
    sheet : str
        Of a workbook; "" for its first sheet.
    """

    header: tuple[str, ...]
    header_line: int = 1
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """Where and how the time of a row is written.

    Attributes
    ----------
    column : str
        The time, or only the date where `clock_column` holds the time of day.
    format, end_format : str
        One of `NAMED_FORMATS`, or a pattern such as ``%d/%m/%Y %H:%M``.
    zone : str
        IANA name of the zone of its wall clock; "" for the person's.
    end_column : str
        When the row's interval ends; "" for none.
    length_column, length_unit : str
        How long it lasts, and in which unit of `unaji.records.mapping.units.DURATIONS`.
    length_min : float
        How long each row's interval lasts [min]; 0 where rows are instants.
    stamp_is_end : bool
        Whether the time is that of the interval's end.
    """

    column: str
    clock_column: str = ""
    format: str = ISO
    zone: str = ""
    end_column: str = ""
    end_format: str = ""
    length_column: str = ""
    length_unit: str = "min"
    length_min: float = 0.0
    stamp_is_end: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """What one column is.

    Attributes
    ----------
    name : str
        As in the header.
    what : What
    into : str
        Name of the quantity, rating, exposure or symptom.
    unit : str
        One of `unaji.records.mapping.units.units_of`, for quantities; "" for unaji's own.
    unit_column : str
        Where each row says its unit itself; "" where none does.
    site : str
        Where a quantity was measured: "wrist", "indoor".
    scale : tuple of float or None
        Lowest and highest that the table's scale goes, which become 0 and 10; ratings, and intensities of symptoms.
    equals : tuple of str
        An exposure or symptom counts where the cell is one of these; empty where it counts unless it is 0 or empty.
    label_column : str
        A word for a symptom's strength, kept with it.
    only : mapping of str to tuple of str
        Rows in which other columns hold one of these texts; empty for all rows.
    missing : tuple of str
        Cells that say that nothing was measured, besides empty ones.
    """

    name: str
    what: What
    into: str
    unit: str = ""
    unit_column: str = ""
    site: str = ""
    scale: tuple[float, float] | None = None
    equals: tuple[str, ...] = ()
    label_column: str = ""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableMap:
    """A whole mapping.

    Attributes
    ----------
    file : str
        Where it is written, to name in errors.
    device : str
        Role of what measured, one of `unaji.records.batch.ROLES`; "manual" where a person wrote.
    missing, only
        As in `Column`, for all columns.
    device_name : str
        What tells this table from others of the same header; "" where its header does.
    """

    file: str
    shape: Shape
    when: When
    columns: tuple[Column, ...]
    device: str = "manual"
    missing: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    device_name: str = ""

"""Mappings as TOML files: every key is checked when one is read, and what is written reads back the same."""

from __future__ import annotations

import difflib
import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from unaji.errors import InputError, OutputError
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.batch import ROLES
from unaji.records.mapping.model import (
    DELIMITERS,
    ENCODINGS,
    ISO,
    NAMED_FORMATS,
    Column,
    Shape,
    TableMap,
    What,
    When,
)
from unaji.records.mapping.units import DURATIONS, unit_named, units_of
from unaji.records.person import check_zone

ENDING = ".map.toml"
LARGEST_BYTES = 1 << 20
LARGEST_MINUTES = 36 * 60
LARGEST_SCALE = 1_000_000
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KNOWN: Mapping[What, Iterable[str]] = {
    What.QUANTITY: QUANTITIES, What.RATING: RATINGS, What.EXPOSURE: EXPOSURES, What.SYMPTOM: ("neck_heat",),
}  # fmt: skip
_TABLE = (
    "header",
    "header_line",
    "encoding",
    "delimiter",
    "decimal",
    "sheet",
    "device",
    "device_name",
    "missing",
    "only",
)
_TIME = ("column", "clock", "format", "zone", "end", "end_format", "length", "length_unit", "length_min", "stamp")
_COLUMN = ("name", *What, "unit", "unit_column", "site", "scale", "equals", "label", "only", "missing")
_GOES_WITH = {  # key: of which kinds of column it says something
    "unit": (What.QUANTITY,), "unit_column": (What.QUANTITY,), "site": (What.QUANTITY,),
    "scale": (What.RATING, What.SYMPTOM), "equals": (What.EXPOSURE, What.SYMPTOM), "label": (What.SYMPTOM,),
}  # fmt: skip


# -- reading -----------------------------------------------------------------------------------------------------------


def read_map(path: Path) -> TableMap:
    """Read a mapping.

    Raises
    ------
    InputError
        It is not there or breaks a rule: names file, key, value and what is allowed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the mapping cannot be read ({error.strerror or error})") from error
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path}: is larger than 1 MB, which no mapping is")
    try:
        return map_of_text(data.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not written in UTF-8") from error


def map_of_text(text: str, file: str) -> TableMap:
    """Read a mapping's text; `file` is what to call it in errors.

    Raises
    ------
    InputError
        It breaks a rule.
    """
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a whole number of more than 4300 digits
        raise InputError(f"{file}: is not TOML ({error})") from error
    whole = _Keys(raw, file, "")
    whole.only_known(("table", "time", "column"))
    table, time = whole.inside("table", _TABLE), whole.inside("time", _TIME)
    header = tuple(table.texts("header", least=1))
    names = _Names(header)
    columns = raw.get("column")
    if not isinstance(columns, list) or not columns:
        raise whole.wrong("column", columns, "a table [[column]] for each column that is to be read, one at least")
    return TableMap(
        file,
        _shape(table, header),
        _when(time, names),
        tuple(_column(_Keys(one, file, f"column {n}."), names) for n, one in enumerate(columns, start=1)),
        table.word("device", ROLES, "manual"),
        tuple(table.texts("missing")),
        _only(table, names),
        table.text("device_name", ""),
    )


class _Names:
    """The columns that a table has."""

    def __init__(self, header: Sequence[str]) -> None:
        self.header = header
        self._spelt = {plain_name(name): name for name in header}

    def find(self, keys: _Keys, key: str, default: str | None = None) -> str:
        given = keys.text(key, default)
        if given == "" and default == "":
            return ""
        if plain_name(given) not in self._spelt:
            near = difflib.get_close_matches(plain_name(given), self._spelt, n=1)
            hint = f" (did you mean {self._spelt[near[0]]!r}?)" if near else ""
            raise keys.wrong(key, given, f"a column of table.header{hint}: {', '.join(self.header)}")
        return self._spelt[plain_name(given)]


def plain_name(name: str) -> str:
    """Return a column's name as it is compared: `unaji.records.tables` writes names in lower case, without blanks."""
    return name.strip().lower()


class _Keys:
    """One table of the TOML file; what is wrong is told with file, key, value and what is allowed."""

    def __init__(self, raw: Any, file: str, path: str) -> None:
        self.file, self.path = file, path
        if not isinstance(raw, dict):
            raise InputError(f"{file}: {path.rstrip('.')} is {raw!r}; it must be a table of keys")
        self.raw: dict[str, Any] = raw

    def wrong(self, key: str, value: object, allowed: str) -> InputError:
        found = "is missing" if value is None else f"is {value!r}"
        return InputError(f"{self.file}: {self.path}{key} {found}; it must be {allowed}")

    def only_known(self, known: Sequence[str]) -> None:
        for key in self.raw:
            if key not in known:
                raise InputError(f"{self.file}: {self.path}{key} is no key of a mapping; here are {', '.join(known)}")

    def inside(self, key: str, known: Sequence[str]) -> _Keys:
        if key not in self.raw:
            raise self.wrong(key, None, f"a table [{key}]")
        keys = _Keys(self.raw[key], self.file, f"{self.path}{key}.")
        keys.only_known(known)
        return keys

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, "text in quotes")
        return value

    def texts(self, key: str, least: int = 0) -> list[str]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or len(value) < least or not all(isinstance(one, str) for one in value):
            raise self.wrong(key, self.raw.get(key), 'a list of texts such as ["a", "b"]')
        return value

    def word(self, key: str, allowed: Iterable[str], default: str) -> str:
        value = self.raw.get(key, default)
        words = tuple(allowed)
        if value not in words or not isinstance(value, str):
            raise self.wrong(key, value, f"one of {', '.join(json.dumps(word) for word in words if word)}")
        return value

    def number(self, key: str, low: float, high: float, default: float) -> float:
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(key, value, f"a number from {low:g} to {high:g}")
        return float(value)


def _shape(keys: _Keys, header: tuple[str, ...]) -> Shape:
    line = keys.number("header_line", 0, 1000, 1)
    if not line.is_integer():
        raise keys.wrong("header_line", line, "a whole number from 0 to 1000")
    return Shape(
        header, int(line), keys.word("encoding", ENCODINGS, "utf-8"), keys.word("delimiter", DELIMITERS, ","),
        keys.word("decimal", (".", ","), "."), keys.text("sheet", ""),
    )  # fmt: skip


def _when(keys: _Keys, names: _Names) -> When:
    zone = keys.text("zone", "")
    end, length = names.find(keys, "end", ""), names.find(keys, "length", "")
    length_min = keys.number("length_min", 0, LARGEST_MINUTES, 0)
    if sum(map(bool, (end, length, length_min))) > 1:
        raise keys.wrong("end", end or length, "the only one of end, length and length_min that is there")
    stamp = keys.word("stamp", ("start", "end"), "start")
    if stamp == "end" and not (length or length_min):
        raise keys.wrong("stamp", stamp, '"start" unless length or length_min says how long before it a row begins')
    return When(
        names.find(keys, "column"), names.find(keys, "clock", ""), _format(keys, "format", ISO),
        check_zone(zone, f"{keys.file}: {keys.path}zone") if zone else "", end, _format(keys, "end_format", ""),
        length, keys.word("length_unit", DURATIONS, "min"), length_min, stamp == "end",
    )  # fmt: skip


def _format(keys: _Keys, key: str, default: str) -> str:
    """Check a pattern by trying it; what polars itself refuses would otherwise stop a whole file."""
    pattern = keys.text(key, default)
    if pattern in NAMED_FORMATS or pattern == default:
        return pattern
    allowed = f"{', '.join(NAMED_FORMATS)}, or a pattern with %Y, %m and %d such as %d/%m/%Y %H:%M"
    if not re.search("%[YyDFcxs]", pattern):
        raise keys.wrong(key, pattern, allowed)
    try:
        pl.Series(["2024"]).str.to_datetime(pattern, time_unit="ms", strict=False)
    except pl.exceptions.PolarsError as error:
        raise keys.wrong(key, pattern, allowed) from error
    return pattern


def _column(keys: _Keys, names: _Names) -> Column:
    keys.only_known(_COLUMN)
    kinds = [what for what in What if what in keys.raw]
    if len(kinds) != 1:
        raise keys.wrong("name", keys.raw.get("name"), "followed by exactly one of " + ", ".join(What))
    what = kinds[0]
    for key, kinds_with in _GOES_WITH.items():
        if key in keys.raw and what not in kinds_with:
            raise keys.wrong(key, keys.raw[key], f"left out: it goes with {' or '.join(kinds_with)}, not with {what}")
    into = _known_name(keys, what)
    return Column(
        names.find(keys, "name"), what, into, _unit(keys, into) if what is What.QUANTITY else "",
        names.find(keys, "unit_column", ""), keys.text("site", ""), _scale(keys), tuple(keys.texts("equals")),
        names.find(keys, "label", ""), _only(keys, names), tuple(keys.texts("missing")),
    )  # fmt: skip


def _known_name(keys: _Keys, what: What) -> str:
    name = keys.text(what)
    known = tuple(_KNOWN[what])
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    closed = what in (What.QUANTITY, What.RATING)
    if name in known or (not closed and not near and _NAME.fullmatch(name)):
        return name  # an article's claims may name other exposures and complaints
    hint = f" (did you mean {near[0]}?)" if near else ""
    allowed = ", ".join(known)
    if closed:
        raise keys.wrong(what, name, f"one of {allowed}{hint}")
    raise keys.wrong(what, name, f"one of {allowed}, or another name in small letters{hint}")


def _unit(keys: _Keys, quantity: str) -> str:
    given = keys.text("unit", "")
    unit = unit_named(given, units_of(quantity)) if given else ""
    if unit is None:
        raise keys.wrong("unit", given, f"a unit of {quantity}: {', '.join(units_of(quantity))}")
    return unit


def _scale(keys: _Keys) -> tuple[float, float] | None:
    value = keys.raw.get("scale")
    if value is None:
        return None
    numbers = isinstance(value, list) and all(map(_is_on_a_scale, value))
    if not numbers or len(value) != 2 or value[0] == value[1]:
        allowed = "two different numbers of at most a million, what means none and what means most, such as [1, 5]"
        raise keys.wrong("scale", value, allowed)
    return float(value[0]), float(value[1])


def _is_on_a_scale(value: object) -> bool:
    """Say whether a value is a number, and neither true or false nor infinite nor none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST_SCALE <= value <= LARGEST_SCALE


def _only(keys: _Keys, names: _Names) -> dict[str, tuple[str, ...]]:
    raw = keys.raw.get("only", {})
    allowed = 'a table of columns and the text or texts in them, such as { kind = "coffee" }'
    if not isinstance(raw, dict):
        raise keys.wrong("only", raw, allowed)
    inside = _Keys(raw, keys.file, f"{keys.path}only.")
    only: dict[str, tuple[str, ...]] = {}
    for column, value in raw.items():
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
            raise inside.wrong(column, value, allowed)
        only[names.find(_Keys({column: column}, keys.file, inside.path), column)] = tuple(texts)
    return only


# -- writing -----------------------------------------------------------------------------------------------------------


def text_of(table_map: TableMap) -> str:
    """Write a mapping as TOML; keys that say what holds without them are left out.

    A mapping of no columns, which nothing can be read by, gets all columns as comments to fill in.
    """
    shape, when = table_map.shape, table_map.when
    parts = [
        "# How unaji reads this table; each key is explained in docs/reference/mapping.md\n",
        "[table]",
        *_lines(
            header=list(shape.header), header_line=(shape.header_line, 1), encoding=(shape.encoding, "utf-8"),
            delimiter=(shape.delimiter, ","), decimal=(shape.decimal, "."), sheet=(shape.sheet, ""),
            device=(table_map.device, "manual"),
            device_name=(table_map.device_name, ""), missing=(list(table_map.missing), []), only=(table_map.only, {}),
        ),
        "\n[time]",
        *_lines(
            column=when.column, clock=(when.clock_column, ""), format=(when.format, ISO), zone=(when.zone, ""),
            end=(when.end_column, ""), end_format=(when.end_format, ""), length=(when.length_column, ""),
            length_unit=(when.length_unit, "min"), length_min=(when.length_min, 0.0),
            stamp=("end" if when.stamp_is_end else "start", "start"),
        ),
    ]  # fmt: skip
    for column in table_map.columns:
        parts.append("\n[[column]]")
        parts += _lines(
            name=column.name, **{column.what: column.into}, unit=(column.unit, ""),
            unit_column=(column.unit_column, ""), site=(column.site, ""),
            scale=(None if column.scale is None else list(column.scale), None), equals=(list(column.equals), []),
            label=(column.label_column, ""), only=(column.only, {}), missing=(list(column.missing), []),
        )  # fmt: skip
    return "\n".join(parts if table_map.columns else [*parts, *_to_fill_in(table_map)]) + "\n"


def _to_fill_in(table_map: TableMap) -> Iterator[str]:
    yield "\n# どの列が何の値か、見出しからは分かりませんでした。"
    yield "# 読む列の # を外し、... を名前(GLOSSARY.md)に替えてください"
    yield "# What the columns hold could not be told from their names."
    yield "# Take away the # of those that are to be read, and put names (GLOSSARY.md) in place of ..."
    when = table_map.when
    taken = (when.column, when.clock_column, when.end_column, when.length_column)
    for name in table_map.shape.header:
        if name not in taken:
            yield f'\n# [[column]]\n# name = {_toml(name)}\n# quantity = "..."  # / rating, exposure, symptom'


def write_map(table_map: TableMap, path: Path) -> None:
    """Write a mapping: at once or not at all, in place of one that was there.

    Raises
    ------
    OutputError
        It could not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".map-", delete=False) as new:
            new.write(text_of(table_map))
        _or_remove(Path(new.name), lambda made: made.replace(path))
    except OSError as error:
        raise OutputError(f"{path}: the mapping cannot be written ({error.strerror or error})") from error


def _or_remove(made: Path, use: Callable[[Path], object]) -> None:
    try:
        use(made)
    except OSError:
        made.unlink(missing_ok=True)
        raise


def _lines(**keys: Any) -> list[str]:
    """Write keys; a pair is a value and that which holds where the key is left out."""
    lines = []
    for key, given in keys.items():
        value, default = given if isinstance(given, tuple) else (given, None)
        if value != default:
            lines.append(f"{key} = {_toml(value)}")
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, str):  # TOML's basic strings escape as JSON does, and DEL besides
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(list(one))}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return repr(value)

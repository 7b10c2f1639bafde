"""A TOML table that knows its file and key path, so that every mistake in it is named exactly."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar

from unaji.claims.model import Words
from unaji.errors import ClaimsError

Choice = TypeVar("Choice", bound=StrEnum)

LANGUAGES = {"ja": "Japanese", "en": "English"}
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def read_table(file: Path) -> Table:
    """Parse a TOML file into its outermost table.

    Raises
    ------
    ClaimsError
        When the file is not there, is not UTF-8 or is not TOML; also when a table is written twice.
    """
    try:
        return Table(file, tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        raise ClaimsError(
            f"{file}: the file is missing; an article is a folder with model.toml, ja.md and en.md; to be published it "
            "needs an article.toml in it and a people.toml beside the folder"
        ) from None
    except UnicodeDecodeError as error:
        raise ClaimsError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ClaimsError(f"{file}: not valid TOML: {error}") from None


class Table:
    """One table of a model file. Each key is asked for once; `finish` refuses the keys nobody asked for."""

    def __init__(self, file: Path, values: Mapping[str, object], key: str = "") -> None:
        self.file = file
        self.key = key
        self._values = values
        self._asked: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def fail(self, reason: str, name: str = "") -> NoReturn:
        """Raise `ClaimsError` for this table, or for the key `name` in it."""
        raise ClaimsError(f"{self.file}: {self._path(name) or 'the whole file'}: {reason}")

    def finish(self) -> None:
        """Refuse keys that were never asked for."""
        for name in self._values:
            if name not in self._asked:
                self.fail(f"unknown key; known here: {', '.join(self._asked)}", name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._get(name, default)
        if not isinstance(value, str):
            self.fail(f"must be a text, got {value!r}", name)
        if not value.strip() and default is None:
            self.fail("must not be empty", name)
        return value.strip()

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            self.fail(f"must be true or false, got {value!r}", name)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number."""
        return self._as_number(self._get(name, default), name)

    def positive(self, name: str, default: float | None = None) -> float:
        """Return a number above zero."""
        value = self.number(name, default)
        if value <= 0:
            self.fail(f"must be above 0, got {value:g}", name)
        return value

    def span(self, name: str, low: float, high: float) -> tuple[float, float]:
        """Return an ascending pair of numbers within [low, high]."""
        values = self._get(name, None)
        if not isinstance(values, list) or len(values) != 2:
            self.fail(f"must be a pair [from, to], got {values!r}", name)
        first, last = (self._as_number(value, name) for value in values)
        if first >= last:
            self.fail(f"must ascend, got [{first:g}, {last:g}]", name)
        if first < low or last > high:
            self.fail(f"must lie within {low:g} to {high:g}, got [{first:g}, {last:g}]", name)
        return first, last

    def day(self, name: str) -> date:
        """Return a day, written without quotes as 2026-11-29."""
        value = self._get(name, None)
        if not isinstance(value, date) or isinstance(value, datetime):
            self.fail(f"must be a day such as 2026-11-29, without quotes, got {value!r}", name)
        return value

    def choice(self, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        """Return a member of a closed set, written as its value."""
        value = self._get(name, default)
        if value not in list(choices):
            self.fail(f"{value!r} is not known; choose one of {', '.join(choices)}", name)
        return choices(str(value))

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of different texts; an empty one only where that is the default."""
        values = self._get(name, None if default is None else list(default))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self.fail(f"must be a list of texts, got {values!r}", name)
        if not values and default is None:
            self.fail("must name at least one", name)
        if len(set(values)) < len(values):
            self.fail(f"names one twice: {', '.join(values)}", name)
        return tuple(values)

    def references(
        self, name: str, known: Collection[str], what: str, default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """Return a list of texts, each of which must be in `known`."""
        names = self.texts(name, default)
        for one in names:
            if one not in known:
                self.fail(f"{one!r} is not {what}", name)
        return names

    def words(self, name: str) -> Words:
        """Return a text in both languages, written as a table with ``ja`` and ``en``."""
        return self.table(name).as_words()

    def as_words(self) -> Words:
        """Return this table itself as a text in both languages."""
        words = Words(self._translation("ja"), self._translation("en"))
        self.finish()
        return words

    def table(self, name: str) -> Table:
        """Return the table under a key."""
        return self._as_table(self._get(name, None), name)

    def tables(self, name: str, default: Mapping[str, object] | None = None) -> dict[str, Table]:
        """Return a table of tables, by id; at least one where there is no default."""
        outer = self._as_table(self._get(name, default), name)
        if not outer._values and default is None:
            self.fail("must hold at least one", name)
        for one in outer._values:
            if not _ID.fullmatch(one):
                outer.fail("an id is made of ASCII letters, digits and underscores and starts with a letter", one)
        return {one: outer._as_table(value, one) for one, value in outer._values.items()}

    def array(self, name: str) -> list[Table]:
        """Return an array of tables with at least one."""
        values = self._get(name, None)
        if not isinstance(values, list) or not values:
            self.fail("must be a list of at least one table", name)
        return [self._as_table(value, f"{name}[{i}]") for i, value in enumerate(values)]

    def _get(self, name: str, default: object) -> object:
        self._asked.append(name)
        if name in self._values:
            return self._values[name]
        if default is None:
            self.fail("missing key", name)
        return default

    def _path(self, name: str = "") -> str:
        return ".".join(part for part in (self.key, name) if part)

    def _as_table(self, value: object, name: str) -> Table:
        if not isinstance(value, Mapping):
            self.fail(f"must be a table, got {value!r}", name)
        return Table(self.file, value, self._path(name))

    def _as_number(self, value: object, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(f"must be a number, got {value!r}", name)
        return float(value)

    def _translation(self, language: str) -> str:
        if language not in self:
            self.fail("the translation is missing", language)
        text = self.text(language)
        if bool(JAPANESE.search(text)) != (language == "ja"):
            self.fail(f"does not look like {LANGUAGES[language]}: {text!r}", language)
        return text

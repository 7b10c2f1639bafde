"""Which numbers does the simulated neck rest on? Each with its range, unit, source and certainty, from one file.

The file is ``parameters.toml``; its head says what each key means. The body model asks for values in its own units
(seconds, fractions; see `UNITS`), people read and change them in the units of the file.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unaji.claims.model import Words
from unaji.errors import InputError

FloatArray = NDArray[np.float64]
Choice = TypeVar("Choice", bound=StrEnum)

FILE = Path(__file__).with_name("parameters.toml")

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0

_AS_THEY_ARE = (
    *(
        "1",
        "1/y",
        "o'clock",
        "s/K",
        "K",
        "1/K",
        "W/K",
        "W",
        "°C",
        "°",
        "m",
        "N m",
        "mL",
        "mL/K",
        "ms",
        "kPa",
        "kg",
        "mm",
    ),
    *("mmol/L", "L/min", "nmol/min", "hPa/h", "h/hPa", "m²", "J/K", "W/kg", "W/(m K)", "mL/(100 g min)"),
)
UNITS: Mapping[str, float] = MappingProxyType(
    {
        "s": 1.0,
        "min": _MINUTE_S,
        "h": _HOUR_S,
        "d": _DAY_S,
        "1/h": 1 / _HOUR_S,
        "1/d": 1 / _DAY_S,
        "mmol/(L h)": 1 / _HOUR_S,
        "L/(mmol h)": 1 / _HOUR_S,
    }
    | dict.fromkeys(_AS_THEY_ARE, 1.0)
)
"""Units a parameter may have, and what one of them is in the unit that the model computes in: times become seconds."""


class Part(StrEnum):
    """Which part of the model reads a parameter."""

    HEAT = "heat"
    DRIVES = "drives"
    MUSCLE = "muscle"
    SENSATION = "sensation"


class Mark(StrEnum):
    """How certain a value is."""

    READ = "read"  # in the text of the source
    RECALLED = "recalled"  # to be checked
    ASSUMPTION = "assumption"  # of this model
    JOS3 = "jos3"  # taken from JOS-3 0.5.0


class Spread(StrEnum):
    """How people differ in a parameter."""

    LOG_NORMAL = "log-normal"
    UNIFORM = "uniform"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the model.

    Attributes
    ----------
    value, low, high : float
        In `unit`; low ≤ value ≤ high.
    measured : tuple of str
        Rows of the table of human measurements that the value rests on.
    source : str
        What the value rests on, or what it was set to meet.
    """

    name: str
    part: Part
    symbol: str
    words: Words
    value: float
    low: float
    high: float
    unit: str
    mark: Mark
    spread: Spread
    measured: tuple[str, ...]
    source: str

    @property
    def in_model_units(self) -> float:
        """The value in the unit that the model computes in."""
        return self.value * UNITS[self.unit]

    def with_value(self, value: float) -> Parameter:
        """Return this parameter with another value; InputError where that lies outside the range."""
        if not self.low <= value <= self.high:
            unit = "" if self.unit == "1" else f" {self.unit}"
            raise InputError(f"parameter {self.name}: {value:g}{unit} is outside {self.low:g} to {self.high:g}{unit}")
        return replace(self, value=float(value))

    def draw(self, rng: Generator, n: int) -> FloatArray:
        """Draw this parameter for n people, in `unit`, always within the range.

        Notes
        -----
        Log-normal: median at the value, with the farther end of the range (as a ratio) two standard deviations of the
        logarithm away, cut off at the range. Uniform: over the range. Fixed: the value. One number is drawn from `rng`
        for each person whatever the spread, so that the other parameters do not change when a spread does.
        """
        from scipy.special import ndtr, ndtri  # noqa: PLC0415  (slow to load, and needed here only)

        share = rng.random(n)
        if self.spread is Spread.FIXED:
            return np.full(n, self.value)
        if self.spread is Spread.UNIFORM:
            return np.asarray(self.low + share * (self.high - self.low))
        below = math.log(self.low / self.value) if self.low > 0 else -math.inf
        above = math.log(self.high / self.value)
        sd = max(above, -below if self.low > 0 else 0.0) / 2.0
        lowest, highest = ndtr(below / sd), ndtr(above / sd)
        z = ndtri(lowest + share * (highest - lowest))
        return np.asarray(np.clip(self.value * np.exp(sd * z), self.low, self.high))


@dataclass(frozen=True, slots=True)
class Parameters:
    """All parameters of the model, by name."""

    by_name: Mapping[str, Parameter]

    def __getitem__(self, name: str) -> Parameter:
        """Return a parameter; InputError with the nearest name where there is none."""
        if name not in self.by_name:
            near = difflib.get_close_matches(name, self.by_name, n=1)
            raise InputError(f"no parameter is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return self.by_name[name]

    def names(self, *parts: Part) -> tuple[str, ...]:
        """Return the names of some parts (all when none is given), in the order of the file."""
        return tuple(name for name, p in self.by_name.items() if not parts or p.part in parts)

    def with_values(self, **values: float) -> Parameters:
        """Return these parameters with some values changed, given in the units of the file.

        Raises
        ------
        InputError
            Where a name is unknown or a value lies outside its range.
        """
        changed = {name: self[name].with_value(value) for name, value in values.items()}
        return Parameters(MappingProxyType({**self.by_name, **changed}))

    def in_model_units(self, names: tuple[str, ...]) -> FloatArray:
        """Return the values of some parameters in the units that the model computes in, shape (n_names,)."""
        return np.array([self[name].in_model_units for name in names])

    def sample(self, rng: Generator, n: int) -> dict[str, FloatArray]:
        """Draw all parameters that differ between people, for n people.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            In the units of the file (see `Parameter.draw`); hypotheses and dimensions that are fixed are left out.
        """
        drawn = {name: p.draw(rng, n) for name, p in self.by_name.items()}
        return {name: value for name, value in drawn.items() if self[name].spread is not Spread.FIXED}


@cache
def default_parameters() -> Parameters:
    """Return the parameters that come with unaji."""
    return read_parameters(FILE)


def read_parameters(file: Path) -> Parameters:
    """Read and check a file of parameters.

    Raises
    ------
    InputError
        Naming the file, the key, what was found and what is allowed.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file}: the file of parameters is missing") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not valid TOML: {error}") from None
    found: dict[str, Parameter] = {}
    for part, table in tables.items():
        if part not in list(Part):
            _fail(file, part, f"is no part of the model; known: {', '.join(Part)}")
        for name, keys in _Keys(file, part, table).tables().items():
            if name in found:
                _fail(file, f"{part}.{name}", f"stands under {found[name].part} too")
            found[name] = _parameter(name, Part(part), keys)
    return Parameters(MappingProxyType(found))


def _fail(file: Path, key: str, reason: str) -> NoReturn:
    raise InputError(f"{file}: {key}: {reason}")


@dataclass(frozen=True, slots=True)
class _Keys:
    """One table of the file, which knows its place so that every mistake in it is named."""

    file: Path
    place: str
    values: object

    def tables(self) -> dict[str, _Keys]:
        return {name: _Keys(self.file, f"{self.place}.{name}", value) for name, value in self.mapping().items()}

    def mapping(self) -> Mapping[str, object]:
        if not isinstance(self.values, Mapping):
            _fail(self.file, self.place, f"must be a table, got {self.values!r}")
        return self.values

    def fail(self, name: str, reason: str) -> NoReturn:
        _fail(self.file, f"{self.place}.{name}", reason)

    def get(self, name: str) -> object:
        if name not in self.mapping():
            self.fail(name, "missing key")
        return self.mapping()[name]

    def text(self, name: str) -> str:
        value = self.get(name)
        if not isinstance(value, str) or not value.strip():
            self.fail(name, f"must be a text that is not empty, got {value!r}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.mapping().get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fail(name, f"must be a list of texts, got {value!r}")
        return tuple(value)

    def number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(name, f"must be a number, got {value!r}")
        return float(value)

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        value = self.text(name)
        if value not in list(choices):
            self.fail(name, f"{value!r} is not known; choose one of {', '.join(choices)}")
        return choices(value)

    def finish(self, known: tuple[str, ...]) -> None:
        for name in self.mapping():
            if name not in known:
                self.fail(name, f"unknown key; known here: {', '.join(known)}")


_KEYS = ("symbol", "name", "value", "range", "unit", "mark", "spread", "measured", "source")


def _parameter(name: str, part: Part, keys: _Keys) -> Parameter:
    keys.finish(_KEYS)
    words = keys.tables().get("name", _Keys(keys.file, f"{keys.place}.name", None))
    words.finish(("en", "ja"))
    low, high = _range(keys)
    value = keys.number("value", keys.get("value"))
    unit = keys.text("unit")
    if unit not in UNITS:
        keys.fail("unit", f"{unit!r} is not known; known: {', '.join(UNITS)}")
    if not low <= value <= high:
        keys.fail("value", f"{value:g} {unit} is outside its range, {low:g} to {high:g} {unit}")
    spread = keys.choice("spread", Spread)
    if spread is Spread.LOG_NORMAL and (low < 0 or value <= 0 or high == value):
        keys.fail("spread", f"log-normal needs 0 <= low, 0 < value < high; got {low:g}, {value:g}, {high:g}")
    return Parameter(
        name=name,
        part=part,
        symbol=keys.text("symbol"),
        words=Words(ja=words.text("ja"), en=words.text("en")),
        value=value,
        low=low,
        high=high,
        unit=unit,
        mark=keys.choice("mark", Mark),
        spread=spread,
        measured=keys.texts("measured"),
        source=keys.text("source"),
    )


def _range(keys: _Keys) -> tuple[float, float]:
    values = keys.get("range")
    if not isinstance(values, list) or len(values) != 2:
        keys.fail("range", f"must be a pair [low, high], got {values!r}")
    low, high = (keys.number("range", value) for value in values)
    if low >= high:
        keys.fail("range", f"must ascend, got [{low:g}, {high:g}]")
    return low, high

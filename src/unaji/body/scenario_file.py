"""Scenario files (TOML): read, checked, and the ones that come along with unaji.

A file has the tables ``title`` and ``shows`` (each with ``ja`` and ``en``), ``time`` (``duration``, ``baseline``,
optional ``step``, ``fine_step``, ``starts_at``), ``room``, optional ``person``, optional ``sources``, and a list of
``events``: ``name``, ``from``, optional ``to``, ``ramp``, ``every`` with ``times``, and what they ``set``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, TypeVar

from unaji.body.persons import RANGES, Persons
from unaji.body.scenario import PULSED, Event, Scenario
from unaji.body.scenario_values import (
    NAMES,
    clock_hour,
    length_of,
    number_with_unit,
    seconds,
    unknown,
    values_of,
)
from unaji.claims.model import Words
from unaji.claims.parameters import default_parameters
from unaji.errors import InputError

SHIPPED = Path(__file__).with_name("scenarios")
LONGEST_S, LONGEST_STEP_S, SHORTEST_STEP_S = 366 * 86_400.0, 600.0, 1.0
MANY_EVENTS = 10_000

Read = TypeVar("Read")

BODY_UNITS: Mapping[str, tuple[str, Mapping[str, tuple[float, float]]]] = {
    "height": ("height_m", {"m": (1, 0), "cm": (0.01, 0)}),
    "weight": ("weight_kg", {"kg": (1, 0)}),
    "fat": ("fat_percent", {"%": (1, 0)}),
    "age": ("age_y", {"y": (1, 0), "years": (1, 0)}),
    "cardiac_index": ("cardiac_index_l_min_m2", {"L/min/m²": (1, 0), "L/min/m2": (1, 0)}),
}


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come along."""
    return tuple(sorted(file.stem for file in SHIPPED.glob("*.toml")))


def find_scenario(name: str) -> Scenario:
    """Read a scenario by the path of its file or by the name of one that comes along.

    Raises
    ------
    InputError
        There is no such file or name, or the file breaks a rule: says where, what was found and what is allowed.
    """
    if name in shipped_scenarios() and not Path(name).is_file():
        return read_scenario(SHIPPED / f"{name}.toml")
    if not Path(name).suffix and not Path(name).exists():
        raise InputError(unknown("scenario", name, shipped_scenarios()) + "; or give the path of a TOML file")
    return read_scenario(Path(name))


def read_scenario(file: Path) -> Scenario:
    """Read a scenario file; InputError names file, key and reason of the first rule that is broken."""
    whole = _Table(file, _parsed(file))
    title, shows = whole.words("title"), whole.words("shows")
    time = whole.table("time")
    duration_s = time.read("duration", _between(SHORTEST_STEP_S, LONGEST_S))
    step_s = time.read("step", _between(SHORTEST_STEP_S, min(LONGEST_STEP_S, duration_s)), f"{min(60.0, duration_s)} s")
    baseline_s = time.read("baseline", _between(0, duration_s))
    room = whole.table("room")
    events = whole.table_list("events")
    scenario = Scenario(
        id=file.stem,
        title=title,
        shows=shows,
        duration_s=duration_s,
        step_s=step_s,
        fine_step_s=time.read("fine_step", _between(SHORTEST_STEP_S, step_s), f"{min(10.0, step_s)} s"),
        baseline_s=baseline_s,
        start_hour=time.read("starts_at", clock_hour) if time.has("starts_at") else None,
        persons=_person(whole.table("person")) if whole.has("person") else Persons.standard(),
        room=_settings(room),
        events=_in_order([event for table in events for event in _events(table, duration_s, baseline_s)], whole),
        sources=whole.read("sources", _texts, []),
    )
    for table in (time, whole):
        table.finish()
    _fits(whole, scenario)
    return scenario


def _parsed(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        names = ", ".join(shipped_scenarios())
        raise InputError(f"{file}: cannot be read ({error.strerror}); scenarios that come along: {names}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # besides broken TOML: digits or brackets without end
        raise InputError(f"{file}: not valid TOML: {error}") from None


class _Table:
    """A table of the file that knows its place, and which of its keys somebody asked for."""

    def __init__(self, file: Path, values: Mapping[str, object], key: str = "") -> None:
        self.file, self.values, self.key = file, values, key
        self._asked: list[str] = []

    def fail(self, reason: str, name: str = "") -> NoReturn:
        place = ".".join(part for part in (self.key, name) if part)
        raise InputError(": ".join(part for part in (str(self.file), place, reason) if part))

    def finish(self) -> None:
        for name in self.values:
            if name not in self._asked:
                self.fail(unknown("key", name, tuple(dict.fromkeys(self._asked))), name)

    def has(self, name: str) -> bool:
        self._asked.append(name)
        return name in self.values

    def get(self, name: str, default: object = None) -> object:
        self._asked.append(name)
        if name not in self.values and default is None:
            self.fail(self._missing(name), name)
        return self.values.get(name, default)

    def _missing(self, name: str) -> str:
        strange = [key for key in self.values if key not in self._asked]
        near = unknown("key", strange[0], [name]) if strange else ""
        return f"missing; {near}" if near.endswith("?") else "missing"

    def read(self, name: str, reader: Callable[[object], Read], default: object = None) -> Read:
        value = self.get(name, default)
        try:
            return reader(value)
        except ValueError as error:
            self.fail(str(error), name)

    def table(self, name: str) -> _Table:
        value = self.get(name)
        if not isinstance(value, Mapping):
            self.fail(f"must be a table, got {value!r}", name)
        return _Table(self.file, value, f"{self.key}.{name}" if self.key else name)

    def table_list(self, name: str) -> list[_Table]:
        values = self.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
            self.fail(f"must be a list of tables, each under [[{name}]]", name)
        return [_Table(self.file, value, f"{name}[{k + 1}]") for k, value in enumerate(values)]

    def words(self, name: str) -> Words:
        table = self.table(name)
        words = Words(table.read("ja", _text), table.read("en", _text))
        table.finish()
        return words


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text, got {value!r}")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of texts, got {value!r}")
    return tuple(map(_text, value))


def _between(low_s: float, high_s: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        length_s = seconds(value)
        if not low_s <= length_s <= high_s:
            raise ValueError(f"{value!r} lies outside {length_of(low_s)} to {length_of(high_s)}")
        return length_s

    return read


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= MANY_EVENTS:
        raise ValueError(f"must be a whole number of 2 to {MANY_EVENTS}, got {value!r}")
    return value


def _settings(table: _Table) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in table.values:
        if name not in NAMES:
            table.fail(unknown("input", name, NAMES), name)
        found |= table.read(name, partial(values_of, name))
    if table.key == "room" and PULSED in found:
        table.fail("a needle is an event, not part of the room", PULSED)
    return found


def _events(table: _Table, duration_s: float, baseline_s: float) -> list[Event]:
    """Read one event; those that it repeats into are written out."""
    name = table.words("name")
    values = _settings(table.table("set"))
    if not values:
        table.fail("sets nothing", "set")
    momentary = set(values) == {PULSED}
    start_s = table.read("from", _between(0, duration_s))
    ramp_s = table.read("ramp", seconds, "0 s")
    end_s = table.read("to", seconds) if table.has("to") else (start_s if momentary else duration_s)
    event = Event(name, start_s, end_s, ramp_s, values)
    every_s, times = _repeats(table)
    table.finish()
    if PULSED in values and (ramp_s > 0 or (momentary and end_s > start_s)):
        table.fail("a needle goes in at one moment: leave out 'to' and 'ramp'", "set.needle")
    _check_event(table, event, duration_s, baseline_s, momentary=momentary)
    last_s = end_s + (times - 1) * every_s
    if last_s > duration_s:
        table.fail(
            f"the last of {times} times would end at {length_of(last_s)}, after the end ({length_of(duration_s)})",
            "times",
        )
    shifts = [k * every_s for k in range(times)]
    return [Event(name, start_s + shift, end_s + shift, ramp_s, values) for shift in shifts]


def _repeats(table: _Table) -> tuple[float, int]:
    """Read how often an event comes back, and how many times in all."""
    if table.has("every") != table.has("times"):
        table.fail("'every' and 'times' go together: how far apart, and how many times in all")
    return (table.read("every", seconds), table.read("times", _count)) if table.has("every") else (0.0, 1)


def _check_event(table: _Table, event: Event, duration_s: float, baseline_s: float, *, momentary: bool) -> None:
    start_s, end_s = event.start_s, event.end_s
    if start_s < baseline_s:
        table.fail(
            f"begins {length_of(start_s)} after the start, within the steady baseline of {length_of(baseline_s)}",
            "from",
        )
    if end_s > duration_s:
        table.fail(f"{length_of(end_s)} is after the end of the scenario ({length_of(duration_s)})", "to")
    if start_s == duration_s or (end_s <= start_s and not momentary):
        table.fail(f"ends at {length_of(end_s)}, but begins at {length_of(start_s)}", "to")
    if end_s - start_s < event.ramp_s:
        table.fail(f"takes {length_of(event.ramp_s)}, but the event lasts only {length_of(end_s - start_s)}", "ramp")


def _in_order(events: list[Event], whole: _Table) -> tuple[Event, ...]:
    """Sort the events by time; two of them must not move one input at once."""
    ordered = sorted(events, key=lambda event: (event.start_s, event.end_s))
    for name in dict.fromkeys(name for event in ordered for name in event.values):
        for one, other in pairwise(event for event in ordered if name in event.values):
            if other.start_s < one.over_s or (name == PULSED and other.start_s == one.start_s):
                first = f"{one.name.en!r} ({length_of(one.start_s)} to {length_of(one.over_s)} with its ramp back)"
                second = f"{other.name.en!r} (from {length_of(other.start_s)})"
                whole.fail(f"{first} and {second} overlap, and both set {name}", "events")
    return tuple(ordered)


def _person(table: _Table) -> Persons:
    body: dict[str, float] = {}
    for name, (column, units) in BODY_UNITS.items():
        if table.has(name):
            body[column] = table.read(name, partial(_body_figure, column=column, units=units))
    female = table.read("sex", _female, "male")
    traits = table.table("traits") if table.has("traits") else _Table(table.file, {})
    own = {name: traits.read(name, _trait_reader(name)) for name in traits.values}
    table.finish()
    return Persons.one(female=female, **body).with_traits(**own)


def _body_figure(value: object, column: str, units: Mapping[str, tuple[float, float]]) -> float:
    number = number_with_unit(value, units)
    low, high, unit = RANGES[column]
    if not low <= number <= high:
        raise ValueError(f"{value!r} is not possible: it lies within {low:g} to {high:g} {unit}")
    return number


def _trait_reader(name: str) -> Callable[[object], float]:
    """Read a parameter's value, bare or with the unit that the file of parameters gives it."""

    def read(value: object) -> float:
        if name not in default_parameters().by_name:
            raise ValueError(unknown("parameter", name, default_parameters().by_name))
        known = default_parameters()[name]
        number = number_with_unit(value, {"": (1, 0), known.unit: (1, 0)})
        if not known.low <= number <= known.high:
            unit = "" if known.unit == "1" else f" {known.unit}"
            raise ValueError(f"{value!r} is not possible: {known.words.en}, {known.low:g} to {known.high:g}{unit}")
        return number

    return read


def _female(value: object) -> bool:
    if value not in ("male", "female"):
        raise ValueError(f"must be 'male' or 'female', got {value!r}")
    return value == "female"


def _fits(whole: _Table, scenario: Scenario) -> None:
    """Let the forcing's own checks speak about the file."""
    try:
        scenario.forcing()
    except ValueError as error:
        whole.fail(str(error))

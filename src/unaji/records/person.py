"""Who the folder is of: ``person.toml`` and the travel list ``zones.csv``."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.batch import ROLES
from unaji.records.clock import HOW_TO_WRITE_TIMES, Clock, iso_local
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table
from unaji.records.timeline import Person, Zones, from_utc_ms

NUMBERS = {  # key: lowest, highest
    "birth_year": (1900, 2100),
    "height_cm": (40, 250),
    "weight_kg": (2, 400),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
KEYS = ("id", "timezone", "sex", "simulated", "unsafe", "prefer", *NUMBERS)


def read_person(path: Path, folder_name: str, log: ProblemLog) -> tuple[Person, bool]:
    """Read ``person.toml``; without it the folder's name is the id.

    Returns
    -------
    (Person, bool)
        The person, and whether the file says the time zone.

    Raises
    ------
    InputError
        The file is no TOML or its time zone does not exist: a guess would shift every time.
    """
    if not path.is_file():
        return Person(folder_name), False
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f'{path}: cannot be read as TOML ({error}); write lines such as id = "hana"') from error
    for key in sorted(set(said) - set(KEYS)):
        log.remark(path.name, None, key, f"the key is not known and was not read; known are {', '.join(KEYS)}")
    zone = said.get("timezone")
    if zone is not None:
        check_zone(zone, str(path))
    return Person(
        id=str(said.get("id", folder_name)),
        timezone=str(zone) if zone is not None else "UTC",
        sex=None if said.get("sex") is None else str(said["sex"]),
        simulated=said.get("simulated") is True,
        unsafe=_unsafe(said.get("unsafe", []), path),
        birth_year=_whole(_number(said, "birth_year", path.name, log)),
        height_cm=_number(said, "height_cm", path.name, log),
        weight_kg=_number(said, "weight_kg", path.name, log),
        latitude=_rounded(_number(said, "latitude", path.name, log)),
        longitude=_rounded(_number(said, "longitude", path.name, log)),
    ), zone is not None


def _unsafe(said: object, path: Path) -> tuple[str, ...]:
    """Return what the person must not have more of; a list that cannot be read is no permission."""
    if not isinstance(said, list) or not all(isinstance(kind, str) for kind in said):
        raise InputError(f'{path}: unsafe must be a list of exposures such as ["exercise", "hot_meal"], found {said!r}')
    return tuple(said)


def read_preferences(path: Path, log: ProblemLog) -> dict[str, tuple[str, ...]]:
    """Read, from ``[prefer]`` in ``person.toml``, which kinds of devices are better than which for a quantity."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("prefer", {}) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        return {}  # `read_person` says so
    preferences: dict[str, tuple[str, ...]] = {}
    for quantity, roles in said.items() if isinstance(said, dict) else [("prefer", said)]:
        if quantity not in (*QUANTITIES, "sleep", "exercise", "prefer"):
            rule = "is no quantity that unaji knows, so its order of devices says nothing; write hr_bpm or such"
            log.reject(path.name, None, f"prefer.{quantity}", rule)
        elif isinstance(roles, list) and all(role in ROLES for role in roles):
            preferences[quantity] = tuple(roles)
        else:
            rule = (
                f'must be a list such as ["strap", "watch"], of {", ".join(filter(None, ROLES))}; it was not followed'
            )
            log.reject(path.name, None, f"{quantity} = {roles}", rule)
    return preferences


def _rounded(degrees: float | None) -> float | None:
    """Keep a place to 0.1°: enough for the weather, too coarse for an address."""
    return None if degrees is None else round(degrees, 1)


def check_zone(name: object, where: str) -> str:
    """Return the name of a time zone, or say that there is none of that name."""
    if not _exists(str(name)):
        raise InputError(f"{where}: {name!r} is not a time zone; write an IANA name such as Asia/Tokyo")
    return str(name)


def read_zones(table: Table, home: str, now: datetime, log: ProblemLog) -> Zones:
    """Read the travel list ``from,zone``: from when another zone holds.

    A time without offset is on the clock of the zone that begins; a row without time is the zone of the beginning.
    """
    if not {"from", "zone"} <= set(table.frame.columns):
        rule = "the first line must name the columns from and zone; the file was left out"
        log.reject(table.file, 1, ",".join(table.frame.columns), rule)
        return Zones((home,))
    first = home
    stays: list[tuple[datetime, str]] = []
    starts, empty = table.cells("from"), table.empty("from")
    for i, name in enumerate(table.text("zone")):
        line = int(table.lines[i])
        if not _exists(name):
            log.reject(table.file, line, name, "is not a time zone; write an IANA name such as Asia/Tokyo")
            continue
        if empty[i]:
            first = name
            continue
        start = Clock(Zones((name,)), now).read(starts.slice(i, 1), table.file, log).time[0]
        if np.isnat(start):
            log.reject(table.file, line, starts[i], HOW_TO_WRITE_TIMES)
        else:
            stays.append((from_utc_ms(start), name))
    stays.sort(key=lambda stay: stay[0])
    return Zones((first, *(name for _, name in stays)), tuple(start for start, _ in stays))


def person_toml(person: Person) -> str:
    """Write a person as TOML; only what is known."""
    said: dict[str, object] = {"id": person.id, "timezone": person.timezone, "sex": person.sex}
    said |= {key: getattr(person, key) for key in NUMBERS}
    lines = [f"{key} = {_toml(value)}" for key, value in said.items() if value is not None]
    if person.unsafe:
        lines.append(f"unsafe = [{', '.join(map(_toml, person.unsafe))}]")
    return "\n".join([*lines, *(["simulated = true"] if person.simulated else []), ""])


def zones_sheet(person: Person, zones: Zones) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and rows of the travel list; no rows when the person stayed in their own zone."""
    rows = [[iso_local(start, zones), name] for start, name in zip(zones.starts, zones.names[1:], strict=True)]
    return ("from", "zone"), ([] if zones.names[0] == person.timezone else [["", zones.names[0]]]) + rows


def _exists(zone_name: str) -> bool:
    try:
        ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _number(said: dict[str, object], key: str, file: str, log: ProblemLog) -> float | None:
    value = said.get(key)
    if value is None:
        return None
    low, high = NUMBERS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        log.reject(file, None, f"{key} = {value}", f"{key} must be a number from {low} to {high}; it was left out")
        return None
    return float(value)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _toml(value: object) -> str:
    """Write a text or a number; JSON's escapes are TOML's too, but for the delete character."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)

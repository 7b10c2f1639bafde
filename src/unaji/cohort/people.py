"""Read the folders of many persons, each to the engine's design; what cannot be used is told, not fatal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from unaji.causes.design import Design
from unaji.claims.model import Claims
from unaji.cohort.workers import Workers
from unaji.errors import InputError
from unaji.explain import design_for
from unaji.records.folder import read_folder


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A folder that could not be used, and why."""

    folder: str
    why: str


@dataclass(frozen=True, eq=False, slots=True)
class Cohort:
    """Designs by person id, in the order of the folders, and what was left out."""

    people: dict[str, Design]
    left_out: tuple[LeftOut, ...]


def read_people(folders: Sequence[Path], claims: Claims, workers: Workers, *, timezone: str | None = None) -> Cohort:
    """Read every folder.

    Raises
    ------
    InputError
        If two folders are of the same person, or none can be used.
    """
    read = dict(workers.each(partial(_read, claims=claims, timezone=timezone), {str(path): path for path in folders}))
    people: dict[str, Design] = {}
    at: dict[str, str] = {}
    left_out = []
    for folder in dict.fromkeys(map(str, folders)):
        one = read[folder]
        if isinstance(one, LeftOut):
            left_out.append(one)
            continue
        person, design = one
        if person in at:
            raise InputError(f"{folder}: person.toml has the id {person!r}, which {at[person]} has too")
        at[person], people[person] = folder, design
    if not people:
        raise InputError("no folder can be used: " + "; ".join(one.why for one in left_out))
    return Cohort(people, tuple(left_out))


def _read(folder: str, path: Path, *, claims: Claims, timezone: str | None) -> tuple[str, Design] | LeftOut:
    try:
        timeline = read_folder(path, timezone=timezone)
        return timeline.person.id, design_for(timeline, claims)
    except InputError as error:
        return LeftOut(folder, str(error))

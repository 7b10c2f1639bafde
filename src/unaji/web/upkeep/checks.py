"""Is everything as it should be? One line for each thing that can be amiss, and what to do about it."""

from __future__ import annotations

import json
import random
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from stat import S_IMODE
from typing import Any

from django.conf import settings
from django.core import checks as django_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from unaji.report.typefaces import GOTHIC, first_of
from unaji.web.casebook import beats
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.files import check_file, scratch, sealed_files
from unaji.web.casebook.keys import KeyGoneError, SealError, master_ring, person_key
from unaji.web.casebook.models import AuditEvent, Episode, Person
from unaji.web.upkeep.backup import DATA, MANIFEST, dated

SAMPLE = 20
"""So many sealed files, and as many notes, are opened to see that they can be."""
LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_IN_MEMORY_BYTES = 256 << 20
OLDEST_BACKUP = timedelta(days=2)


class State(StrEnum):
    """How a thing is."""

    RIGHT = "right"
    WRONG = "wrong"
    APART = "apart"  # does not apply here


@dataclass(frozen=True, slots=True)
class Line:
    """What was found of one thing.

    Attributes
    ----------
    id : str
        Names the texts ``check.<id>.right``, ``.wrong``, ``.apart`` and ``check.<id>.do``.
    said : dict
        What fills their places.
    """

    id: str
    state: State
    said: dict[str, Any]


Finding = tuple[State, dict[str, Any]]


def look(*, backups: Path | None = None, sample: int = SAMPLE) -> Iterator[Line]:
    """Look at everything, one thing after another; one that cannot be looked at is wrong, and the next follows.

    Parameters
    ----------
    backups : Path, optional
        Folder of the copies, to see that there is a fresh one and no key beside it.
    sample : int
        How many sealed files and notes to open.
    """
    things: dict[str, Callable[[], Finding]] = {
        "settings": _settings,
        "address": _address,
        "mail": _mail,
        "home": _home,
        "database": _database,
        "migrations": _migrations,
        "keys": _keys,
        "people_keys": _people_keys,
        "sealed": lambda: _sealed(sample),
        "audit": _audit,
        "audit_of_then": lambda: _audit_of_then(backups),
        "space": _space,
        "static": _static,
        "typefaces": _typefaces,
        "clock": lambda: _alive(beats.CLOCK),
        "worker": lambda: _alive(beats.WORKER),
        "backup": lambda: _backup(backups),
    }
    for name, thing in things.items():
        try:
            state, said = thing()
        except Exception as error:  # what stops one look must not hide what the others find
            state, said = State.WRONG, {"what": type(error).__name__}
        yield Line(name, state, said)


def _of(what: str) -> Finding:
    return (State.WRONG, {"what": what}) if what else (State.RIGHT, {})


# -- how it is set up --------------------------------------------------------------------------------------------------


def _settings() -> Finding:
    """Ask Django itself: ``check --deploy``, or only ``check`` where there is no https, of which the former speaks."""
    deploy = settings.ORIGIN.startswith("https://")
    found = django_checks.run_checks(include_deployment_checks=deploy)
    serious = [one for one in found if one.level >= django_checks.WARNING and not one.is_silenced()]
    return _of(", ".join(f"{one.id}: {one.msg}" for one in serious))


def _address() -> Finding:
    origin = settings.ORIGIN
    if origin.startswith("https://"):
        return (State.WRONG, {"what": "UNAJI_EXAMPLE=1"}) if settings.EXAMPLE else (State.RIGHT, {"origin": origin})
    return State.APART, {"origin": origin}


def _mail() -> Finding:
    sends = "smtp" in settings.EMAIL_BACKEND
    if sends and settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        return State.WRONG, {"what": "UNAJI_MAIL_FROM"}
    if sends:
        return State.RIGHT, {"server": settings.EMAIL_HOST}
    return _of("UNAJI_MAIL_URL") if settings.ORIGIN.startswith("https://") else (State.APART, {})


def _home() -> Finding:
    home: Path = settings.HOME
    return _of("" if _is_private(home) else f"{home} ({_mode(home)})")


def _database() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA quick_check")
            if (said := cursor.fetchone()[0]) != "ok":
                return _of(str(said))
    return State.RIGHT, {"vendor": connection.vendor}


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _of(", ".join(str(migration) for migration, _ in waiting[:5]))


# -- keys and what is sealed with them ---------------------------------------------------------------------------------


def _keys() -> Finding:
    folder: Path = settings.HOME / "keys"
    for needed in ("secret", "master"):
        if not (folder / needed).is_file():
            return _of(str(folder / needed))
    open_to_others = [file for file in [folder, *folder.rglob("*")] if not _is_private(file)]
    if open_to_others:
        return _of(f"{open_to_others[0]} ({_mode(open_to_others[0])})")
    return State.RIGHT, {"n": len(master_ring())}


def _people_keys() -> Finding:
    people = list(Person.objects.values_list("pk", flat=True))
    without = 0
    for person in people:
        try:
            person_key(person)
        except (
            KeyGoneError,
            SealError,
            KeyError,
            ValueError,
        ):  # gone, damaged, or wrapped by a master key that is gone
            without += 1
    return (State.WRONG, {"what": str(without)}) if without else (State.RIGHT, {"n": len(people)})


def _sealed(sample: int) -> Finding:
    """Open some of what is sealed; whose key is gone is told by the line before."""
    opened = 0
    for person, file in _some_files(sample):
        try:
            check_file(person, file)
        except KeyGoneError:
            continue
        except (SealError, OSError):
            return _of(str(file.relative_to(settings.HOME)))
        opened += 1
    for episode in Episode.objects.exclude(note_sealed=b"").order_by("?")[:sample]:
        try:
            _ = episode.note
        except KeyGoneError:
            continue
        except SealError:
            return _of(f"episode {episode.pk}")
        opened += 1
    return State.RIGHT, {"n": opened}


def _some_files(sample: int) -> list[tuple[Any, Path]]:
    files = [(one, file) for one in Person.objects.values_list("pk", flat=True) for file in sealed_files(one)]
    return random.sample(files, min(sample, len(files)))


def _audit() -> Finding:
    line = broken_at()
    return (State.RIGHT, {}) if line is None else (State.WRONG, {"what": str(line)})


# -- what it runs on ---------------------------------------------------------------------------------------------------


def _space() -> Finding:
    home: Path = settings.HOME
    free, in_memory = shutil.disk_usage(home).free, shutil.disk_usage(scratch()).free
    for place, bytes_free, least in (
        (home, free, LEAST_FREE_BYTES),
        (scratch(), in_memory, LEAST_FREE_IN_MEMORY_BYTES),
    ):
        if bytes_free < least:
            return _of(f"{place} ({bytes_free >> 20} MiB)")
    return State.RIGHT, {"gib": f"{free / (1 << 30):.1f}"}


def _static() -> Finding:
    root = Path(settings.STATIC_ROOT)
    manifest = root / "staticfiles.json"
    if not manifest.is_file():
        return _of(str(manifest))
    names = json.loads(manifest.read_text(encoding="utf-8"))["paths"].values()
    missing = [name for name in names if not (root / name).is_file()]
    return _of(missing[0]) if missing else (State.RIGHT, {"n": len(names)})


def _typefaces() -> Finding:
    """See that a person's PDF, and the picture by which a page is shared, can be set in Japanese."""
    found = first_of(GOTHIC["ja"])
    return _of("none") if found is None else (State.RIGHT, {"name": found})


def _alive(name: str) -> Finding:
    last = beats.heard(name)
    if last is None or beats.is_silent(name):
        return _of("–" if last is None else last.isoformat(timespec="seconds"))
    return State.RIGHT, {"seconds": round((timezone.now() - last).total_seconds())}


def _backup(folder: Path | None) -> Finding:
    if folder is None:
        return State.APART, {}
    keys: Path = settings.HOME / "keys"
    if keys.resolve().is_relative_to(folder.resolve()):
        return _of(str(keys))
    for file in folder.rglob("*"):
        if file.name.startswith("unaji-keys-") or (file.name == "master" and file.parent.name == "keys"):
            return _of(str(file))
    copies = dated(folder, DATA)
    if not copies:
        return _of("–")
    made_at = list(copies.values())[-1]
    if made_at < timezone.now() - OLDEST_BACKUP:
        return _of(made_at.isoformat(timespec="seconds"))
    return State.RIGHT, {"at": made_at.isoformat(timespec="seconds")}


def _audit_of_then(folder: Path | None) -> Finding:
    """See that the chain still holds the head that the newest copy noted: a chain written anew does not."""
    readable = [one for one in dated(folder, DATA) if one.suffix == ".tar"] if folder is not None else []
    if not readable:
        return State.APART, {}
    with tarfile.open(readable[-1]) as archive:
        manifest = archive.extractfile(MANIFEST)
        assert manifest is not None
        head = json.load(manifest)["chain"]
    stands = not head or AuditEvent.objects.filter(chain=head).exists()
    return _of("" if stands else readable[-1].name)


def _is_private(file: Path) -> bool:
    return not S_IMODE(file.stat().st_mode) & 0o077


def _mode(file: Path) -> str:
    return f"{S_IMODE(file.stat().st_mode):04o}"

"""Bring a copy back into an empty home, and see that it is what was kept.

What was erased since the copy was made stays erased: the copy still has the person's rows, but the key that would open
what is sealed is gone, and a person whose key is gone though the copy of the keys is younger than they are is removed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from unaji.errors import InputError, OutputError, UnajiError
from unaji.web.upkeep.backup import (
    AGE,
    DATABASES,
    LEFT_EMPTY,
    MANIFEST,
    Hashing,
    Manifest,
    postgres_environment,
    postgres_program,
)

PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it.

    Attributes
    ----------
    people : int
        How many there are now.
    erased : tuple of UUID
        Who was erased after the copy was made, and is erased again.
    unopened : tuple of UUID
        Whose records cannot be opened, for want of a key.
    opened : str
        What was opened to see that it can be: "note", "file", or "" where nothing is sealed or no key is there.
    wrong : tuple of str
        What differs from what was kept; nothing, when all is well.
    """

    manifest: Manifest
    people: int
    erased: tuple[UUID, ...] = ()
    unopened: tuple[UUID, ...] = ()
    opened: str = ""
    wrong: tuple[str, ...] = field(default=())


def unpack(archive: Path, home: Path, *, keys: Path | None = None, identity: Path | None = None) -> Manifest:
    """Unpack archives into an empty home; nothing is there when something in them is not what it should be.

    Parameters
    ----------
    archive : Path
        Data, as `backup.back_up` left it.
    home : Path
        Where to; not there yet, or empty.
    keys : Path, optional
        The copy of the keys.
    identity : Path, optional
        Private key of `age`, for archives that are encrypted.

    Raises
    ------
    InputError
        The home is not empty, an archive is damaged or of another kind, or the private key is missing.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InputError(f"{home}: is not empty; name a new folder, so that nothing is overwritten")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{home.name}-", dir=home.parent) as place:
        fresh = Path(place) / "home"
        fresh.mkdir(mode=0o700)
        said = _manifest(archive, _extract(archive, fresh, identity))
        if keys is not None:
            found = _extract(keys, fresh, identity)
            if not any(name.startswith("keys/") for name in found.get("sha256", {})):
                raise InputError(f"{keys}: holds no keys")
            _note_age(fresh, str(found["made_at"]))
        if home.exists():
            home.rmdir()
        fresh.rename(home)
    if said.database == "sqlite":
        (home / DATABASES["sqlite"]).rename(home / "unaji.sqlite3")
    return said


def _manifest(archive: Path, found: dict[str, Any]) -> Manifest:
    try:
        return Manifest(**found)
    except TypeError:
        raise InputError(f"{archive}: is no copy of the data; is it the one of the keys?") from None


KEYS_AGE = ".keys-made-at"


def _note_age(home: Path, made_at: str) -> None:
    (home / KEYS_AGE).write_text(made_at, encoding="ascii")


def _extract(archive: Path, into: Path, identity: Path | None) -> dict[str, Any]:
    """Write an archive's files and compare each with its hash; return the manifest."""
    hashes: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with _decrypted(archive, identity) as source, tarfile.open(fileobj=source, mode="r|") as entries:
            for entry in entries:
                content = entries.extractfile(entry)
                if content is None or not _is_inside(entry.name):
                    raise InputError(f"{archive}: {entry.name}: is not a file of ours")
                if entry.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    hashes[entry.name] = _write(into / entry.name, content)
    except (tarfile.TarError, EOFError, json.JSONDecodeError, OSError) as error:
        raise InputError(f"{archive}: cannot be read ({type(error).__name__}: {error})") from None
    if manifest is None or not isinstance(manifest.get("sha256"), dict):
        raise InputError(f"{archive}: is cut short, or no archive of unaji web backup: it has no {MANIFEST}")
    said: dict[str, str] = manifest["sha256"]
    for name in sorted(said.keys() | hashes.keys()):
        if hashes.get(name) != said.get(name):
            raise InputError(f"{archive}: {name}: is missing or was changed since the copy was made")
    return manifest


def _is_inside(name: str) -> bool:
    parts = Path(name).parts
    return not Path(name).is_absolute() and ".." not in parts and bool(parts)


def _write(target: Path, content: IO[bytes]) -> str:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    reader = Hashing(content)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while part := reader.read(PART_BYTES):
            out.write(part)
        out.flush()
        os.fsync(out.fileno())
    return reader.sha256


@contextmanager
def _decrypted(archive: Path, identity: Path | None) -> Iterator[IO[bytes]]:
    if not archive.name.endswith(AGE):
        with archive.open("rb") as source:
            yield source
        return
    if identity is None:
        raise InputError(f"{archive}: is encrypted; name the private key with --identity")
    if shutil.which("age") is None:
        raise InputError("age is not installed, so nothing can be decrypted: apt install age")
    command = ["age", "--decrypt", "--identity", str(identity), str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as age:
        assert age.stdout is not None
        assert age.stderr is not None
        try:
            yield age.stdout
            age.stdout.read()
        except (UnajiError, tarfile.TarError, OSError):
            if age.wait():
                raise InputError(
                    f"{archive}: age: {age.stderr.read().decode(errors='replace').strip()[-300:]}"
                ) from None
            raise
        if age.wait():
            raise InputError(f"{archive}: age: {age.stderr.read().decode(errors='replace').strip()[-300:]}")


# -- the database, once Django knows the new home ----------------------------------------------------------------------


def load_database(home: Path, manifest: Manifest) -> None:
    """Put a dump into PostgreSQL's empty database; for SQLite, which is one file, there is nothing left to do.

    Raises
    ------
    InputError
        The copy is of the other kind of database, or the database is not empty.
    OutputError
        PostgreSQL refused it; the database is as it was before.
    """
    from django.db import connection  # noqa: PLC0415  # known once the home is there

    if manifest.database != connection.vendor:
        asked = (
            "set UNAJI_DATABASE_URL to an empty database"
            if manifest.database == "postgresql"
            else "unset UNAJI_DATABASE_URL"
        )
        raise InputError(f"the copy is of {manifest.database}, and this is {connection.vendor}: {asked}")
    if connection.vendor == "sqlite":
        return
    if connection.introspection.table_names():
        raise InputError("the database of UNAJI_DATABASE_URL is not empty; make a new one: createdb")
    dump = home / DATABASES["postgresql"]
    command = [
        postgres_program("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        f"--dbname={connection.settings_dict['NAME']}", str(dump),
    ]  # fmt: skip
    done = subprocess.run(command, env=postgres_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise OutputError(f"pg_restore: {done.stderr.strip()[-500:]}")
    dump.unlink()


def verify(home: Path, manifest: Manifest) -> Restored:
    """Compare what is there with what was kept, erase again who was erased since, and open something sealed."""
    from django.core.management import call_command  # noqa: PLC0415

    from unaji.web.casebook.audit import broken_at  # noqa: PLC0415
    from unaji.web.casebook.keys import has_key  # noqa: PLC0415
    from unaji.web.casebook.models import AuditHead, Beat, Person  # noqa: PLC0415

    counts = _counts()
    # Only now may the tables become those of this version: the copy may be of an earlier one.
    call_command("migrate", verbosity=0, interactive=False)
    wrong = [
        f"{table}: {there} rows, {manifest.counts.get(table, 0)} were kept"
        for table, there in counts.items()
        if there != manifest.counts.get(table, 0)
    ]
    wrong += [f"{table}: is missing" for table in sorted(manifest.counts.keys() - counts.keys())]
    head = AuditHead.objects.first()
    if (head.chain if head else "") != manifest.chain:
        wrong.append("the head of the audit's chain is another")
    if (line := broken_at()) is not None:
        wrong.append(f"the audit's chain breaks at line {line}")
    Beat.objects.all().delete()  # signs of life of the processes of then
    erased = _erase_again(home)
    people = list(Person.objects.order_by("pk"))
    return Restored(
        manifest=manifest,
        people=len(people),
        erased=erased,
        unopened=tuple(one.pk for one in people if not has_key(one.pk)),
        opened=_open_something(),
        wrong=tuple(wrong),
    )


def _counts() -> dict[str, int]:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(set(connection.introspection.table_names()) - set(LEFT_EMPTY)):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = int(cursor.fetchone()[0])
    return counts


def _erase_again(home: Path) -> tuple[UUID, ...]:
    """Erase who has no key though the copy of the keys was made after their casebook was opened."""
    from unaji.web.casebook.actions.exports import erase_person  # noqa: PLC0415
    from unaji.web.casebook.keys import has_key  # noqa: PLC0415
    from unaji.web.casebook.models import Person  # noqa: PLC0415

    age = home / KEYS_AGE
    if not age.exists():
        return ()
    made_at = datetime.fromisoformat(age.read_text(encoding="ascii"))
    gone = [one for one in Person.objects.filter(opened_at__lt=made_at) if not has_key(one.pk)]
    numbers = tuple(one.pk for one in gone)
    for one in gone:
        erase_person(one, by=None)
    age.unlink()
    return numbers


def _open_something() -> str:
    """Open one note, or else one file, of anybody whose key is there; say which."""
    from unaji.web.casebook.files import check_file, sealed_files  # noqa: PLC0415
    from unaji.web.casebook.keys import has_key  # noqa: PLC0415
    from unaji.web.casebook.models import Episode, Person  # noqa: PLC0415

    for episode in Episode.objects.exclude(note_sealed=b"").iterator():
        if has_key(episode.person_id):
            _ = episode.note
            return "note"
    for person in Person.objects.iterator():
        for file in sealed_files(person.pk) if has_key(person.pk) else ():
            check_file(person.pk, file)
            return "file"
    return ""


def point_to(home: Path) -> None:
    """Let Django know the new home; only once in a process, before anything of the app is loaded."""
    if "django.conf" in sys.modules:
        from django.conf import settings  # noqa: PLC0415

        if settings.configured and home != settings.HOME:
            raise RuntimeError("the app already runs on another home")
    os.environ["UNAJI_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "unaji.web.settings"
    import django  # noqa: PLC0415

    django.setup()

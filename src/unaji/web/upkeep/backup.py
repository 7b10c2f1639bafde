"""Keep a copy: the database and people's sealed files in one archive, the keys in another that lies elsewhere.

An archive is a tar file that is written under another name and renamed when it is whole. Its last member,
``manifest.json``, says what must be in it. Nobody who holds only the first archive can read what is sealed in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction

import unaji
from unaji.errors import InputError, OutputError, UsageError

DATA, KEYS = "unaji-data-", "unaji-keys-"
STAMP = "%Y%m%dT%H%M%S.%fZ"
TAR, AGE = ".tar", ".tar.age"
MANIFEST = "manifest.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
LEFT_EMPTY = ("django_session", "usersessions_usersession", "casebook_cache")
"""Tables of which no row goes into a copy: whoever finds it could pass for somebody who is signed in."""
KEYS_KEPT = timedelta(days=7)
"""How long copies of keys are kept where old copies are removed: so long an erased person's key can be brought back."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive.

    Attributes
    ----------
    database : str
        "sqlite" or "postgresql".
    counts : dict
        Rows by table.
    sha256 : dict
        By the name of each file.
    chain : str
        Head of the audit's chain.
    """

    unaji: str
    made_at: str
    database: str
    counts: dict[str, int]
    sha256: dict[str, str]
    chain: str

    def as_bytes(self) -> bytes:
        """Return it as it stands in the archive."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup left: the archives, how many people's files are in it, which old archives were removed."""

    data: Path
    keys: Path | None
    manifest: Manifest
    size_bytes: int
    removed: tuple[Path, ...]


# -- make --------------------------------------------------------------------------------------------------------------


def back_up(
    into: Path, *, now: datetime, keys_into: Path | None = None, recipient: str = "",
    keep: tuple[int, int, int] | None = None,
) -> Made:  # fmt: skip
    """Keep a copy, while the app runs.

    Parameters
    ----------
    into : Path
        Folder of the archives; made where it is not there.
    now : datetime
        When this is; names the archive.
    keys_into : Path, optional
        Folder for a copy of the keys, on another disk or machine than `into`.
    recipient : str
        Public key to which `age` encrypts both archives; empty for none.
    keep : tuple of int, optional
        How many daily, weekly and monthly archives stay; older ones are removed. All stay where it is not said.

    Raises
    ------
    UsageError
        Data and keys would lie in one folder, or the archives inside what they are a copy of.
    InputError
        `age` or `pg_dump` is not installed.
    OutputError
        The copy could not be made; nothing is left half-written.
    """
    check_folders(into, keys_into)
    if recipient and shutil.which("age") is None:
        raise InputError("age is not installed, so nothing can be encrypted to a recipient: apt install age")
    stamp, ending = now.astimezone(UTC).strftime(STAMP), AGE if recipient else TAR
    home: Path = settings.HOME
    # The files are linked, not copied: that needs the same disk.
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=home) as place:
        snapshot = Path(place)
        database = DATABASES[connection.vendor]
        counts, chain = _copy_database(snapshot / database)
        # The rows come first: a file is there before the row that speaks of it.
        _link_people(home / "people", snapshot / "people")
        data = into / f"{DATA}{stamp}{ending}"
        with _archive(data, recipient) as archive:
            hashes = {name: _add(archive, snapshot / name, name) for name in _names(snapshot)}
            manifest = Manifest(
                unaji.__version__, now.astimezone(UTC).isoformat(), connection.vendor, counts, hashes, chain
            )
            _add_bytes(archive, MANIFEST, manifest.as_bytes())
    keys = None
    if keys_into is not None:
        keys = keys_into / f"{KEYS}{stamp}{ending}"
        _copy_keys(home, keys, recipient, now)
    removed = tuple(_remove_old(into, keys_into, keep, now)) if keep is not None else ()
    return Made(data, keys, manifest, data.stat().st_size, removed)


def check_folders(into: Path, keys_into: Path | None) -> None:
    """See that data and keys part ways.

    Raises
    ------
    UsageError
        They do not.
    """
    home: Path = settings.HOME
    for folder in (into, keys_into):
        if folder is not None and _within(folder, home):
            raise UsageError(
                f"{folder}: lies in the folder that is to be copied ({home}); choose another disk or machine"
            )
    if keys_into is not None and (_within(keys_into, into) or _within(into, keys_into)):
        raise UsageError(
            f"{keys_into}: keys and data in one folder would be read by whoever finds it; keep the keys elsewhere"
        )


def _within(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())


# -- the database ------------------------------------------------------------------------------------------------------


def _copy_database(target: Path) -> tuple[dict[str, int], str]:
    return _copy_sqlite(target) if connection.vendor == "sqlite" else _dump_postgres(target)


def _copy_sqlite(target: Path) -> tuple[dict[str, int], str]:
    connection.ensure_connection()
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        connection.connection.backup(copy)
        there = _tables()
        for table in LEFT_EMPTY:
            if table in there:
                copy.execute(f'DELETE FROM "{table}"')
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("PRAGMA temp_store=MEMORY")  # no rows in a file elsewhere, on another disk
        copy.execute("VACUUM")  # what was deleted would otherwise still lie in the file
        if (said := copy.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise OutputError(f"the copy of the database is damaged: {said}")
        return _counted(lambda sql: copy.execute(sql).fetchone(), there)


def _dump_postgres(target: Path) -> tuple[dict[str, int], str]:
    program = postgres_program("pg_dump")
    # The dump and our counting look at the same moment of the database.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        command = [
            program,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={target}",
        ]
        command += [f"--exclude-table-data={table}" for table in LEFT_EMPTY]
        done = subprocess.run(command, env=postgres_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise OutputError(f"pg_dump: {done.stderr.strip()[-500:]}")

        def ask(sql: str) -> Any:
            cursor.execute(sql)
            return cursor.fetchone()

        return _counted(ask, _tables())


def _tables() -> list[str]:
    return sorted(connection.introspection.table_names())


def _counted(ask: Any, tables: Iterable[str]) -> tuple[dict[str, int], str]:
    counts = {one: int(ask(f'SELECT count(*) FROM "{one}"')[0]) for one in tables if one not in LEFT_EMPTY}
    head = ask("SELECT chain FROM casebook_audithead")
    return counts, head[0] if head else ""


def postgres_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs: the newest, since an old one refuses a new server.

    Raises
    ------
    InputError
        It is not installed.
    """
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    newest = max(found, key=lambda file: float(file.parts[-3]), default=None)
    program = str(newest) if newest is not None else shutil.which(name)
    if program is None:
        raise InputError(f"{name} is not installed: apt install postgresql-client")
    return program


def postgres_environment() -> dict[str, str]:
    """Return the environment by which PostgreSQL's programs find our database; a password is in no command line."""
    said = connection.settings_dict
    given = {"PGHOST": said["HOST"], "PGPORT": said["PORT"], "PGUSER": said["USER"], "PGPASSWORD": said["PASSWORD"]}
    return {**os.environ, **{name: value for name, value in given.items() if value}, "PGDATABASE": str(said["NAME"])}


# -- files -------------------------------------------------------------------------------------------------------------


def _link_people(source: Path, target: Path) -> None:
    """Take hold of every person's files as they are at one moment.

    A sealed file is never changed, only replaced by another of the same name: a link to it is as good as a copy.
    """
    for person in sorted(source.iterdir()) if source.is_dir() else []:
        for _ in range(TRIES):
            before = _seen(person)
            for name in before:
                _link(person / name, target / person.name / name)
            if _seen(person) == before:
                break
            shutil.rmtree(target / person.name, ignore_errors=True)
        else:
            raise OutputError(f"the files of person {person.name} changed all the time; try again later")


def _seen(person: Path) -> dict[str, tuple[int, int]]:
    seen: dict[str, tuple[int, int]] = {}
    for folder, _, names in os.walk(person):
        for name in names:
            file = Path(folder) / name
            with suppress(FileNotFoundError):  # removed a moment ago
                if not name.startswith("."):  # on its way to its name
                    said = file.stat()
                    seen[file.relative_to(person).as_posix()] = (said.st_ino, said.st_mtime_ns)
    return seen


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:  # removed a moment ago: the second look finds that it differs
        return
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


# -- keys --------------------------------------------------------------------------------------------------------------


def _copy_keys(home: Path, target: Path, recipient: str, now: datetime) -> None:
    with _archive(target, recipient) as archive:
        hashes = {}
        for name in _names(home / "keys"):
            if not Path(name).name.startswith("."):  # on its way to its name
                hashes[f"keys/{name}"] = _add(archive, home / "keys" / name, f"keys/{name}")
        said = {"unaji": unaji.__version__, "made_at": now.astimezone(UTC).isoformat(), "sha256": hashes}
        _add_bytes(archive, MANIFEST, json.dumps(said, indent=1).encode())


# -- archives ----------------------------------------------------------------------------------------------------------


@contextmanager
def _archive(target: Path, recipient: str) -> Iterator[tarfile.TarFile]:
    """Give an archive to write into; it gets its name when it is whole and on the disk."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = target.with_name(f".{target.name}.part")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            with _encrypted(out, recipient) as inside, tarfile.open(fileobj=inside, mode="w|") as archive:
                yield archive
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: {error.strerror or error}") from None
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _encrypted(out: IO[bytes], recipient: str) -> Iterator[IO[bytes]]:
    if not recipient:
        yield out
        return
    command = ["age", "--encrypt", "--recipient", recipient]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE) as age:
        assert age.stdin is not None
        assert age.stderr is not None
        failed = False
        try:
            yield age.stdin
            age.stdin.close()
        except BrokenPipeError:  # age says why
            failed = True
        said = age.stderr.read().decode(errors="replace").strip()
        if age.wait() or failed:
            raise OutputError(f"age: {said[-300:]}")


def _add(archive: tarfile.TarFile, file: Path, name: str) -> str:
    """Put a file into an archive; return its SHA-256."""
    entry = archive.gettarinfo(file, name)
    entry.type, entry.linkname = tarfile.REGTYPE, ""  # linked files are files like any other here
    entry.size, entry.mode, entry.mtime = file.stat().st_size, 0o600, int(entry.mtime)
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    with file.open("rb") as source:
        reader = Hashing(source)
        archive.addfile(entry, reader)
    return reader.sha256


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


class Hashing(io.RawIOBase):
    """A reader that hashes what is read through it."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source, self._hash = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        part = self._source.read(size)
        self._hash.update(part)
        return part

    @property
    def sha256(self) -> str:
        """Hash of what was read so far."""
        return self._hash.hexdigest()


# -- which to keep -----------------------------------------------------------------------------------------------------


def _remove_old(into: Path, keys_into: Path | None, keep: tuple[int, int, int], now: datetime) -> Iterator[Path]:
    archives = dated(into, DATA)
    for file in sorted(set(archives) - kept(archives, keep)):
        file.unlink()
        yield file
    copies = dated(keys_into, KEYS) if keys_into is not None else {}
    for file, made_at in copies.items():
        if made_at < now - KEYS_KEPT and made_at < max(copies.values()):
            file.unlink()
            yield file


def dated(folder: Path, prefix: str) -> dict[Path, datetime]:
    """Return the archives in a folder, and when each was made, oldest first."""
    found: dict[Path, datetime] = {}
    for file in folder.glob(f"{prefix}*") if folder.is_dir() else ():
        stamp = file.name.removeprefix(prefix).removesuffix(".age").removesuffix(TAR)
        try:
            found[file] = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        except ValueError:  # something else of a similar name
            continue
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def kept(archives: dict[Path, datetime], keep: tuple[int, int, int]) -> set[Path]:
    """Choose the archives that stay: of the latest days, weeks and months the newest each, and always the newest.

    Parameters
    ----------
    archives : dict
        When each was made.
    keep : tuple of int
        How many days, ISO weeks and months.
    """
    stay: set[Path] = set()
    newest_first = sorted(archives, key=lambda file: archives[file], reverse=True)
    stay.update(newest_first[:1])
    for number, period in zip(keep, ("%Y-%j", "%G-%V", "%Y-%m"), strict=True):
        of_period: dict[str, Path] = {}
        for file in newest_first:
            of_period.setdefault(archives[file].strftime(period), file)
        stay.update(list(of_period.values())[:number])
    return stay

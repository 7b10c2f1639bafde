"""A person's folder: what was imported, sealed file by file with the person's key; opened only while it is worked on.

On the disk of the server lies ``people/<id>/files/<name>.sealed`` for each file of the person's folder, for each
document made for them (a report, say) ``people/<id>/documents/<name>.sealed``, and likewise in ``uploads`` and
``exports`` what is on its way in and out. `opened` unseals the folder into scratch space, gives the library a plain
folder to read or to import into, and seals what is new.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self
from uuid import UUID

from django.conf import settings

from unaji.web.casebook.keys import HEAD_BYTES, TAG_BYTES, Key, SealError, person_key, seal, unseal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SEALED = ".sealed"
MEMORY = Path("/dev/shm")
"""Where plain files lie in memory and never on a disk; ``scratch`` in `UNAJI_HOME` where there is no such place."""
PART_BYTES, SIZE_BYTES = 8 << 20, 4


@contextmanager
def opened(person: UUID, *, write: bool = False) -> Iterator[Path]:
    """Unseal a person's folder for as long as it is needed.

    Parameters
    ----------
    write : bool
        Whether to keep what was changed; nothing is kept when the block fails. Whoever writes sees to it that nobody
        else does at the same time (see `unaji.web.casebook.jobs`).

    Yields
    ------
    Path
        A plain folder in the folder format, gone afterwards.

    Raises
    ------
    KeyGoneError
        The person's key was destroyed.
    """
    key, home = person_key(person), _home(person) / "files"
    with scratch_folder() as place:
        folder = place / str(person)
        folder.mkdir()
        before: dict[str, tuple[int, int]] = {}
        for file in _sealed_files(home):
            name = file.relative_to(home).as_posix().removesuffix(SEALED)
            plain = folder / name
            plain.parent.mkdir(parents=True, exist_ok=True)
            _unseal_file(key, file, plain, _place(person, name))
            before[name] = _stamp(plain)
        yield folder
        if write:
            _keep(key, person, folder, home, before)


def _keep(key: Key, person: UUID, folder: Path, home: Path, before: dict[str, tuple[int, int]]) -> None:
    """Seal what is new or changed, then remove what is gone.

    A store changes no file but ``CURRENT``, which names the manifest that holds: it is put in its place after all
    others, so that a stop in between leaves the former state.
    """
    now = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    changed = [name for name, file in now.items() if before.get(name) != _stamp(file)]
    for name in sorted(changed, key=lambda one: (Path(one).name == "CURRENT", one)):
        _seal_file(key, now[name], home / f"{name}{SEALED}", _place(person, name))
    for name in before.keys() - now.keys():
        (home / f"{name}{SEALED}").unlink(missing_ok=True)


def put_document(person: UUID, name: str, content: bytes) -> None:
    """Keep a document made for a person, sealed; it takes the place of one of the same name."""
    target = _home(person) / "documents" / f"{name}{SEALED}"
    _write(target, seal(person_key(person), content, _place(person, f"documents/{name}")))


def document(person: UUID, name: str) -> bytes | None:
    """Return a document made for a person; None where there is none of that name."""
    file = _home(person) / "documents" / f"{name}{SEALED}"
    try:
        return unseal(person_key(person), file.read_bytes(), _place(person, f"documents/{name}"))
    except FileNotFoundError:
        return None


def remove_document(person: UUID, name: str) -> None:
    """Remove a document; nothing happens where there is none."""
    (_home(person) / "documents" / f"{name}{SEALED}").unlink(missing_ok=True)


def put_upload(person: UUID, name: str, parts: Iterator[bytes]) -> None:
    """Keep an uploaded file, sealed part by part, until a worker has read it."""
    _write_parts(person_key(person), _home(person) / "uploads" / f"{name}{SEALED}", parts, _place(person, f"up/{name}"))


@contextmanager
def upload(person: UUID, name: str, called: str) -> Iterator[Path]:
    """Unseal an uploaded file, under the name it was called, for as long as it is read."""
    with scratch_folder() as place:
        plain = place / called
        file = _home(person) / "uploads" / f"{name}{SEALED}"
        _unseal_file(person_key(person), file, plain, _place(person, f"up/{name}"))
        yield plain


def remove_upload(person: UUID, name: str) -> None:
    """Remove an uploaded file; nothing happens where there is none."""
    (_home(person) / "uploads" / f"{name}{SEALED}").unlink(missing_ok=True)


def abandoned_uploads(person: UUID, wanted: set[str], *, older_than_s: float) -> list[Path]:
    """List uploaded files, also half-written ones, that nobody waits for."""
    folder, now = _home(person) / "uploads", time.time()
    return [
        file
        for file in (folder.iterdir() if folder.is_dir() else ())
        if now - file.stat().st_mtime > older_than_s and file.name.removesuffix(SEALED) not in wanted
    ]


@contextmanager
def put_export(person: UUID, name: str) -> Iterator[Sealing]:
    """Give a file to write an export into, from its beginning to its end; it is sealed as it is written.

    It is there when the block has ended well, and nothing of it when the block fails.
    """
    target, what = _home(person) / "exports" / f"{name}{SEALED}", _place(person, f"out/{name}")
    with _sealed_whole(person_key(person), target, what) as out:
        yield out


def export(person: UUID, name: str) -> Unsealing | None:
    """Open an export to be handed over part by part; None where there is none of that name."""
    file = _home(person) / "exports" / f"{name}{SEALED}"
    try:
        return Unsealing(person_key(person), file, _place(person, f"out/{name}"))
    except FileNotFoundError:
        return None


def remove_export(person: UUID, name: str) -> None:
    """Remove an export; nothing happens where there is none."""
    (_home(person) / "exports" / f"{name}{SEALED}").unlink(missing_ok=True)


def remove_all(person: UUID) -> int:
    """Remove everything a person has here; return how many files that was."""
    home = _home(person)
    count = sum(file.is_file() for file in home.rglob("*")) if home.is_dir() else 0
    shutil.rmtree(home, ignore_errors=True)
    return count


def people_with_files() -> list[UUID]:
    """Return whose files lie here."""
    home: Path = settings.HOME
    numbers = []
    for one in (home / "people").iterdir() if (home / "people").is_dir() else ():
        with suppress(ValueError):  # a folder of the disk's own, where it is one for itself
            numbers.append(UUID(one.name))
    return numbers


def sealed_files(person: UUID) -> list[Path]:
    """Return every sealed file that a person has here: folder, documents, uploads."""
    return _sealed_files(_home(person))


def check_file(person: UUID, file: Path) -> None:
    """Open one of a person's sealed files, and keep nothing of it.

    Raises
    ------
    KeyGoneError
        The person's key was destroyed.
    SealError
        The file was damaged, or belongs elsewhere.
    """
    room, _, name = file.relative_to(_home(person)).as_posix().removesuffix(SEALED).partition("/")
    key = person_key(person)
    if room == "documents":
        unseal(key, file.read_bytes(), _place(person, f"documents/{name}"))
    else:
        within = {"uploads": f"up/{name}", "exports": f"out/{name}"}.get(room, name)
        _unseal_file(key, file, Path(os.devnull), _place(person, within))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder for plain files; should this process be killed, `sweep_scratch` of another one removes it."""
    with tempfile.TemporaryDirectory(prefix=f"unaji-{os.getpid()}-", dir=scratch()) as place:
        yield Path(place)


def sweep_scratch() -> int:
    """Remove plain files that a process which no longer runs has left; return how many folders that was."""
    swept = 0
    for folder in scratch().glob("unaji-*"):
        number = folder.name.split("-")[1]
        if number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def sweep_dead(person: UUID) -> None:
    """Remove what processes that no longer run have left: plain files, and half-written ones of a person."""
    sweep_scratch()
    for file in _home(person).rglob(".*"):
        number = file.name.rpartition(".")[2]
        if number.isdecimal() and not _runs(int(number)):
            file.unlink(missing_ok=True)


# -- one file ----------------------------------------------------------------------------------------------------------
# A large file is sealed in parts of 8 MiB: length (4 bytes), then the sealed part, each of which says its place and
# whether it is the last, so that none can be left out, doubled or exchanged.


def _seal_file(key: Key, plain: Path, sealed: Path, what: str) -> None:
    with plain.open("rb") as source:
        _write_parts(key, sealed, iter(lambda: source.read(PART_BYTES), b""), what)


def _write_parts(key: Key, sealed: Path, parts: Iterator[bytes], what: str) -> None:
    with _sealed_whole(key, sealed, what) as out:
        for part in parts:
            out.write(part)


@contextmanager
def _sealed_whole(key: Key, sealed: Path, what: str) -> Iterator[Sealing]:
    """Give what seals a file as it is written; the file has its name when it is whole and on the disk."""
    with _whole(sealed) as plain:
        out = Sealing(key, plain, what)
        yield out
        out.end()


class Sealing(io.RawIOBase):
    """Seals what is written into it, part by part."""

    def __init__(self, key: Key, out: BinaryIO, what: str) -> None:
        super().__init__()
        self._key, self._out, self._what = key, out, what
        self._held, self._number = bytearray(), 1

    def writable(self) -> bool:
        """Say that it is for writing."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Take what is written; whenever it is enough for a part, seal one."""
        self._held += data
        while len(self._held) > PART_BYTES:  # what is held at the end is the last part, and not empty if any is not
            part = bytes(self._held[:PART_BYTES])
            del self._held[:PART_BYTES]
            self._put(part, f"{self._what}#{self._number}")
            self._number += 1
        return memoryview(data).nbytes

    def end(self) -> None:
        """Seal the last part."""
        self._put(bytes(self._held), f"{self._what}#{self._number}.")

    def _put(self, part: bytes, what: str) -> None:
        sealed = seal(self._key, part, what)
        self._out.write(len(sealed).to_bytes(SIZE_BYTES) + sealed)


class Unsealing:
    """What stands in a file sealed in parts, one part after the other; closed when it is read to its end.

    Attributes
    ----------
    size : int
        How many bytes all parts have, as the file says; a file that was damaged raises when its part is reached.
    """

    def __init__(self, key: Key, sealed: Path, what: str) -> None:
        self._key, self._what, self._number = key, what, 0
        self._file = sealed.open("rb")
        self.size = self._sizes()

    def _sizes(self) -> int:
        total, here, end = 0, 0, os.fstat(self._file.fileno()).st_size
        while here < end:
            self._file.seek(here)
            sealed = int.from_bytes(self._file.read(SIZE_BYTES))
            total += max(0, sealed - HEAD_BYTES - TAG_BYTES)
            here += SIZE_BYTES + sealed
        self._file.seek(0)
        return total

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """Unseal the next part.

        Raises
        ------
        SealError
            It was damaged, or the file was cut short.
        """
        head = b"" if self._file.closed else self._file.read(SIZE_BYTES)
        if not head:
            if not self._number:
                raise SealError(f"{self._what}: the file is empty")
            self.close()
            raise StopIteration
        part = self._file.read(int.from_bytes(head))
        self._number += 1
        last = not self._file.peek(1)
        return unseal(self._key, part, f"{self._what}#{self._number}{'.' if last else ''}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unseal_file(key: Key, sealed: Path, plain: Path, what: str) -> None:
    with closing(Unsealing(key, sealed, what)) as parts, plain.open("wb") as out:
        for part in parts:
            out.write(part)


def _write(target: Path, content: bytes) -> None:
    with _whole(target) as out:
        out.write(content)


@contextmanager
def _whole(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write; it has its name when it is whole and on the disk, and is gone when the block fails."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


# -- places ------------------------------------------------------------------------------------------------------------


def _sealed_files(home: Path) -> list[Path]:
    return sorted(file for file in home.rglob(f"*{SEALED}") if not file.name.startswith(".")) if home.is_dir() else []


def _stamp(file: Path) -> tuple[int, int]:
    said = file.stat()
    return said.st_mtime_ns, said.st_size


def _place(person: UUID, name: str) -> str:
    return f"file:{person}:{name}"


def _home(person: UUID) -> Path:
    home: Path = settings.HOME
    return home / "people" / str(person)


def scratch() -> Path:
    """Return where plain files may lie for as long as they are worked on."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        return MEMORY
    home: Path = settings.HOME
    folder = home / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

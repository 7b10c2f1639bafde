"""Keys of people's data: each person has one, wrapped by the operator's master key; losing it is erasure.

Both lie in the folder ``keys`` and never in the database, so that a copy of the database alone can be read by nobody,
and so that destroying a person's key makes unreadable also what older backups hold.

A sealed value is ``version (1 byte) | number of the key (2 bytes) | nonce (12 bytes) | ciphertext and tag``, by
AES-256-GCM (NIST SP 800-38D) with, as additional data, what it is of; so a value that is moved to another row, field or
person cannot be opened.
"""

from __future__ import annotations

import base64
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import NewType
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from unaji.errors import InputError
from unaji.web.configuration import write_private

Key = NewType("Key", bytes)

VERSION = b"\x01"
NONCE_BYTES, HEAD_BYTES, TAG_BYTES = 12, 15, 16


class KeyGoneError(LookupError):
    """A person's key was destroyed, or is not on this machine: what was sealed with it cannot be read."""


class SealError(ValueError):
    """A sealed value was damaged, moved to another place, or sealed with another key."""


def seal(key: Key, plain: bytes, what: str, number: int = 1) -> bytes:
    """Encrypt a value.

    Parameters
    ----------
    what : str
        What the value is of, such as ``casebook.Episode.note:<id>``; the same must be said to open it.
    number : int
        Which key of its ring this is.
    """
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + number.to_bytes(2) + nonce + AESGCM(key).encrypt(nonce, plain, what.encode())


def unseal(key: Key, sealed: bytes, what: str) -> bytes:
    """Decrypt a value.

    Raises
    ------
    SealError
        It was not sealed with this key for this place, or was changed since.
    """
    if sealed[:1] != VERSION or len(sealed) < HEAD_BYTES:
        raise SealError(f"{what}: not a sealed value of version 1")
    try:
        return AESGCM(key).decrypt(sealed[3:HEAD_BYTES], sealed[HEAD_BYTES:], what.encode())
    except InvalidTag:
        raise SealError(f"{what}: cannot be opened with this key") from None


def number_of(sealed: bytes) -> int:
    """Say with which key of its ring a value was sealed."""
    return int.from_bytes(sealed[1:3])


# -- master keys -------------------------------------------------------------------------------------------------------


def master_ring() -> dict[int, Key]:
    """Return the operator's keys by number; the first is made when there is none.

    Raises
    ------
    InputError
        The file is damaged.
    """
    file = _folder() / "master"
    if not file.exists():
        if (_folder() / "people").exists():
            raise InputError(
                f"{file}: the master key is missing, but people's keys are there; restore it from its backup"
            )
        write_private(file, f"1 {base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return _ring(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _ring(file: Path, changed_ns: int) -> dict[int, Key]:
    ring: dict[int, Key] = {}
    for line, text in enumerate(file.read_text(encoding="ascii").splitlines(), start=1):
        try:
            number, encoded = text.split()
            key = base64.b64decode(encoded, validate=True)
            assert len(key) == 32
            ring[int(number)] = Key(key)
        except (ValueError, AssertionError):
            raise InputError(f"{file}, line {line}: not 'number key' with 32 bytes in base64") from None
    if not ring:
        raise InputError(f"{file}: holds no key; restore it from its backup")
    return ring


# -- people's keys -----------------------------------------------------------------------------------------------------


def make_person_key(person: UUID) -> None:
    """Make a person's key; one that is there stays."""
    ring = master_ring()
    number = max(ring)
    wrapped = seal(ring[number], secrets.token_bytes(32), _wrap(person), number)
    write_private(_file(person), base64.b64encode(wrapped).decode())


def person_key(person: UUID) -> Key:
    """Return a person's key.

    Raises
    ------
    KeyGoneError
        It was destroyed.
    """
    file = _file(person)
    try:
        return _unwrapped(person, file.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise KeyGoneError(f"the key of person {person} is gone") from None


@lru_cache(maxsize=256)
def _unwrapped(person: UUID, text: str) -> Key:
    wrapped = base64.b64decode(text)
    return Key(unseal(master_ring()[number_of(wrapped)], wrapped, _wrap(person)))


def has_key(person: UUID) -> bool:
    """Say whether a person's key is on this machine."""
    return _file(person).exists()


def destroy_person_key(person: UUID) -> None:
    """Destroy a person's key: overwritten, then removed. Nothing sealed with it can ever be read again."""
    file = _file(person)
    _unwrapped.cache_clear()
    if not file.exists():
        return
    size = file.stat().st_size
    with file.open("r+b") as out:
        out.write(os.urandom(size))
        out.flush()
        os.fsync(out.fileno())
    file.unlink()


def _wrap(person: UUID) -> str:
    return f"key:{person}"


def _file(person: UUID) -> Path:
    return _folder() / "people" / str(person)


def _folder() -> Path:
    home: Path = settings.HOME
    return home / "keys"

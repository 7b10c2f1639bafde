"""A file from somewhere, in a folder or an archive, as the importers see it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 65_536
BUFFER_BYTES = 1 << 18

OnRead = Callable[[float], None]
"""Called with how many more bytes were read, those of archives as they are packed."""


class Source:
    """One file.

    Parameters
    ----------
    name : str
        Where it is, with slashes, for problems and as the last hint.
    head : bytes or callable
        Its first 64 kB, or what reads them: an archive may hold twenty thousand files, whose beginnings are not kept.
    open : callable
        Opens it for reading from its beginning, also again and again; the caller closes it. A file in an archive is
        unpacked as it is read, never as a whole, and reading more than an honest file holds raises `InputError`.
    size : int
        How many bytes it says it holds; of a file in an archive that may be a lie.
    """

    __slots__ = ("_head", "name", "open", "size")

    def __init__(self, name: str, head: bytes | Callable[[], bytes], open: Callable[[], BinaryIO], size: int) -> None:
        self.name, self._head, self.open, self.size = name, head, open, size

    @property
    def head(self) -> bytes:
        """Its first 64 kB."""
        return self._head if isinstance(self._head, bytes) else self._head()

    @property
    def folder(self) -> str:
        """What stands before the last slash."""
        return self.name.rpartition("/")[0]

    @property
    def base_name(self) -> str:
        """What stands after the last slash."""
        return self.name.rpartition("/")[2]

    def load(self) -> bytes:
        """Return all its bytes."""
        with self.open() as file:
            return file.read()


def file_source(path: Path, name: str = "", on_read: OnRead | None = None) -> Source:
    """Return a plain file as a source.

    Raises
    ------
    OSError
        It is not there or may not be read.
    """

    def read_head() -> bytes:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)

    def open_counted() -> BinaryIO:
        return counted(path.open("rb", buffering=0), on_read) if on_read else path.open("rb")

    read_head()  # fails now rather than later
    return Source(name or path.name, read_head, open_counted, path.stat().st_size)


def counted(raw: io.RawIOBase | BinaryIO, on_read: OnRead, share: float = 1.0) -> BinaryIO:
    """Return an open file that tells how much of it is read, each byte counting as `share` of one."""
    return io.BufferedReader(_Counted(raw, on_read, share), BUFFER_BYTES)


class _Counted(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase | BinaryIO, on_read: OnRead, share: float) -> None:
        self._raw, self._on_read, self._share = raw, on_read, share

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._raw.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        n: int = self._raw.readinto(buffer) or 0  # type: ignore[union-attr]
        self._on_read(n * self._share)
        return n

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

"""A file from somewhere, in a folder or an archive, as the importers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes
    ----------
    name : str
        Where it is, with slashes, for problems and as the last hint.
    head : bytes
        Its first 64 kB.
    open : callable
        Opens it for reading from its beginning, also again and again; the caller closes it. A file in an archive is
        unpacked as it is read, never as a whole, and reading more than an honest file holds raises `InputError`.
    size : int
        How many bytes it says it holds; of a file in an archive that may be a lie.
    """

    name: str
    head: bytes
    open: Callable[[], BinaryIO]
    size: int

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


def file_source(path: Path, name: str = "") -> Source:
    """Return a plain file as a source.

    Raises
    ------
    OSError
        It is not there or may not be read.
    """
    with path.open("rb") as file:
        return Source(name or path.name, file.read(HEAD_BYTES), lambda: path.open("rb"), path.stat().st_size)

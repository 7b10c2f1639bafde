"""A file from somewhere, in a folder or an archive, as the importers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    load : callable
        Returns all its bytes.
    """

    name: str
    head: bytes
    load: Callable[[], bytes]

    @property
    def folder(self) -> str:
        """What stands before the last slash."""
        return self.name.rpartition("/")[0]

    @property
    def base_name(self) -> str:
        """What stands after the last slash."""
        return self.name.rpartition("/")[2]

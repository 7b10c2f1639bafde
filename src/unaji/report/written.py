"""Reports are written beside their place and moved there, so that no half-written file is ever seen.

Whether they can be is asked before the minute it takes to compute them.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from unaji.errors import OutputError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    what : str
        What it is, for the errors.
    endings : tuple of str
        What its name may end in, so that no record is ever overwritten by it.
    """

    what: str
    endings: tuple[str, ...]


PAGE = Kind("report", (".html", ".htm"))
PAPER = Kind("report", (".pdf",))
BUNDLE = Kind("bundle", (".json",))


def check_place(path: Path, kind: Kind) -> None:
    """Refuse a place where such a file could not be written, without leaving anything there.

    Raises
    ------
    OutputError
        The name ends otherwise, something else than a file has it, or its folder is not there or takes no file.
    """
    _check_name(path, kind)
    _check_folder(path, path.parent, kind.what)


def check_folder(folder: Path, what: str) -> None:
    """Refuse a folder to be made where none could be made.

    Raises
    ------
    OutputError
        The nearest folder above it that is there takes no file.
    """
    above = next((one for one in folder.absolute().parents if one.exists()), folder.parent)
    _check_folder(folder, above, what)


def put_bytes(path: Path, content: bytes, kind: Kind) -> None:
    """Write a report, or what else it is.

    Raises
    ------
    OutputError
        The name ends otherwise, something else than a file has it, or it cannot be written.
    """
    _check_name(path, kind)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, kind.what, error) from error


def _check_name(path: Path, kind: Kind) -> None:
    what = kind.what
    if path.suffix.lower() not in kind.endings:
        ending = " or ".join(kind.endings)
        raise OutputError(f"{path}: a {what}'s name must end in {ending}, so that no record is ever overwritten by it")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is not a file that a {what} could replace")


def _check_folder(path: Path, folder: Path, what: str) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):  # asking for permission tells less than making a file
            pass
    except OSError as error:
        raise _refused(path, what, error) from error


def _refused(path: Path, what: str, error: OSError) -> OutputError:
    return OutputError(f"{path}: the {what} could not be written ({error.strerror}); is the folder there?")

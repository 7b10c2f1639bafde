"""Reports are written beside their place and moved there, so that no half-written file is ever seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from unaji.errors import OutputError


def put_bytes(path: Path, content: bytes, endings: Sequence[str], what: str = "report") -> None:
    """Write a report, or what else `what` names.

    Parameters
    ----------
    endings : sequence of str
        What its name may end in, so that no record is ever overwritten by it.
    what : str
        What is written, for the errors.

    Raises
    ------
    OutputError
        The name ends otherwise, or it cannot be written.
    """
    check_place(path, endings, what)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: the {what} could not be written ({error.strerror}); is the folder there?"
        ) from error


def check_place(path: Path, endings: Sequence[str], what: str = "report") -> None:
    """Refuse a place where `put_bytes` would not write, before the work is done.

    Raises
    ------
    OutputError
        The name ends otherwise, or something is there that is no file.
    """
    if path.suffix.lower() not in endings:
        ending = " or ".join(endings)
        raise OutputError(f"{path}: a {what}'s name must end in {ending}, so that no record is ever overwritten by it")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is not a file that a {what} could replace")

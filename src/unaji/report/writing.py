"""Put one file in its place, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from unaji.errors import OutputError


def put_text(path: Path, text: str, *, endings: tuple[str, ...], what: str) -> None:
    """Write a text beside its place and move it there, so that no half-written file is ever seen.

    Parameters
    ----------
    path : Path
    text : str
        Written as UTF-8 with plain line feeds.
    endings : tuple of str
        What the name must end in, lower case.
    what : str
        What is written, for the errors: "report", "bundle".

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if path.suffix.lower() not in endings:
        raise OutputError(
            f"{path}: a {what}'s name must end in {endings[0]}, so that no record is ever overwritten by it"
        )
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is not a file that a {what} could replace")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            draft.write_text(text, encoding="utf-8", newline="\n")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path}: the {what} could not be written ({error.strerror}); is the folder there?"
        ) from error

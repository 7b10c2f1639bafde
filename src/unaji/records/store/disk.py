"""The system calls that change a store, each announced before it is made, so that a test can stop between any two."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

ROW_GROUP = 65_536
"""Rows that Parquet keeps together, with their lowest and highest time: half a day of beats."""


def _nothing(call: str) -> None:
    """Do nothing."""


before: Callable[[str], None] = _nothing
"""Called with a few words before each system call; does nothing outside the tests."""


def make_folder(path: Path) -> None:
    """Make a folder and those above it, and have their entries on the disk."""
    if path.is_dir():
        return
    make_folder(path.parent)
    before(f"make {path.name}")
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write rows as Parquet and have them on the disk."""
    before(f"write {path.name}")
    try:
        frame.write_parquet(path, compression="zstd", compression_level=1, statistics=True, row_group_size=ROW_GROUP)
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error
    before(f"sync {path.name}")
    _sync(path)


def write_text(text: bytes, path: Path) -> None:
    """Write text and have it on the disk."""
    before(f"write {path.name}")
    path.write_bytes(text)
    before(f"sync {path.name}")
    _sync(path)


def replace(old: Path, new: Path) -> None:
    """Give a file another name, in place of any file of that name: at once or not at all."""
    before(f"rename to {new.name}")
    old.replace(new)


def sync_folder(path: Path) -> None:
    """Have a folder's entries on the disk; where the system has no such call, renaming is durable by itself."""
    if os.name != "nt":
        before(f"sync folder {path.name}")
        _sync(path)


def remove(path: Path) -> None:
    """Take a file away."""
    before(f"remove {path.name}")
    path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # Windows syncs only what may be written
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""One writer at a time: a lock that the system drops by itself when its holder dies, so that none is ever stale."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from unaji.errors import OutputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs.

    The file says who holds it (process and time), for people; what holds is the system's own lock on it. The file
    stays behind and means nothing then.

    Raises
    ------
    OutputError
        Another process is writing.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(handle):
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() if hasattr(os, "pread") else ""
            raise OutputError(
                f"{path.parent}: another import is writing here ({holder or 'unknown'}); wait for its end"
            )
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} since {datetime.now(UTC).isoformat(timespec='seconds')}\n".encode())
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)  # which unlocks it


def _taken(handle: int) -> bool:
    """Try to lock an open file; False when somebody else holds it."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # as the two systems say that somebody else holds it
        return False
    return True

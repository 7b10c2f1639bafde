"""The processes of a running app, to be killed by tests and by the benchmark of the load."""

from __future__ import annotations

from pathlib import Path

FOUND = Path("/proc/self/stat").exists()
"""Whether this machine tells which process started which."""


def children(number: int) -> dict[int, str]:
    """Return the processes that a process started, with their command lines."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            if parent == number:
                found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):  # it ended a moment ago
            continue
    return found


def servers(served: int) -> list[int]:
    """Return the web server's own processes, below that of `unaji serve`."""
    return [number for number, said in children(served).items() if "granian" in said]


def web_workers(served: int) -> list[int]:
    """Return the processes that answer."""
    return [
        number for one in servers(served) for number, said in children(one).items() if "resource_tracker" not in said
    ]


def job_worker(served: int) -> int | None:
    """Return the process that does the jobs; None where it has fallen and is not started anew yet."""
    return next((number for number, said in children(served).items() if "db_worker" in said), None)

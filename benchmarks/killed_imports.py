"""Kill imports at random moments: is the store then as it was or as it should be, and is it whole when done again?

python -m benchmarks.killed_imports [TIMES]

A person's store holds one import; a second one, which overlaps it, corrects some of its rows and brings months of
others, is killed with SIGKILL. One process imports everything needed and forks a child for each attempt before any
thread is started, so that an attempt takes as long as the import itself.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from unaji.records.store.reading import Store

ATTEMPTS = 200
TIMED = 4
FORKING = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from unaji.records.importing import import_files

for line in sys.stdin:
    file, into = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        done = import_files([Path(file)], Path(into), timezone="UTC", now=datetime(2025, 6, 1, tzinfo=UTC))
        os._exit(3 if any(one.refused for one in done) else 0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

Rows = dict[tuple[str, str], list[tuple[object, ...]]]


def sessions(months: int, samples: int, *, corrected: bool = False) -> bytes:
    """Return an archive of made-up E4 sessions, one a month; in the corrected one every tenth value is another."""
    with tempfile.TemporaryFile() as data:
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for month in range(months):
                start_s = datetime(2024, month % 12 + 1, 3, tzinfo=UTC).timestamp()
                values = (
                    0.4 + (i * 7 + month) % 97 / 100 + (0.005 if corrected and i % 10 == 5 else 0.0)
                    for i in range(samples)
                )
                text = "".join(f"{value:.3f}\n" for value in values)
                archive.writestr(f"{month:02d}/EDA.csv", f"{start_s:.1f}\n4.0\n0.0\n{text}")
                archive.writestr(f"{month:02d}/IBI.csv", f"{start_s:.1f}, IBI\n1.0,0.75\n1.75,0.75\n2.5,0.75\n")
        data.seek(0)
        return data.read()


def rows(person: Path) -> Rows:
    """Return everything that a store holds."""
    store = Store.open(person)
    return {
        (kind, quantity): sorted(store.read(kind, quantity).select("time", "value").rows())
        for kind, quantity in store.contents
    }


class Forker:
    """Imports in children of its own, which can be killed."""

    def __init__(self) -> None:
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, file: Path, into: Path, *, kill_after_s: float | None = None) -> int:
        """Import a file, perhaps killing it; returns the exit code, negative where a signal ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{file}\t{into}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with suppress(ProcessLookupError):  # it was faster
                os.kill(child, signal.SIGKILL)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def kill_at_random(folder: Path, attempts: int, seed: int, *, months: int = 5, samples: int = 4000) -> Counter[str]:
    """Kill imports and count what was found afterwards.

    Returns
    -------
    Counter
        ``old``, ``new`` and ``broken`` after the kill; ``whole`` and ``not whole`` after doing it again; ``ended``
        where the import was faster than the kill.
    """
    first, second = folder / "first.zip", folder / "second.zip"
    first.write_bytes(sessions(2, samples // 2))
    second.write_bytes(sessions(months, samples, corrected=True))
    forker, rng, found = Forker(), random.Random(seed), Counter[str]()
    try:
        begun, done = folder / "begun", folder / "done"
        assert forker.run(first, begun) == 0
        old = rows(begun)
        takes_s = float("inf")
        for _ in range(TIMED):  # the first one reads the disk, and what else runs makes others slow
            shutil.rmtree(done, ignore_errors=True)
            shutil.copytree(begun, done)
            began = time.monotonic()
            assert forker.run(second, done) == 0
            takes_s = min(takes_s, time.monotonic() - began)
        new = rows(done)
        assert old != new
        for attempt in range(attempts):
            person = folder / str(attempt)
            shutil.copytree(begun, person)
            code = forker.run(second, person, kill_after_s=rng.uniform(0.0, 1.05 * takes_s))
            found["ended" if code == 0 else "killed"] += 1
            after = rows(person)
            found["new" if after == new else "old" if after == old else "broken"] += 1
            assert forker.run(second, person) == 0
            found["whole" if rows(person) == new else "not whole"] += 1
            shutil.rmtree(person)
    finally:
        forker.close()
    return found


def main() -> None:
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else ATTEMPTS
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = kill_at_random(Path(folder), attempts, seed=1)
        print(f"{attempts} imports in {time.monotonic() - began:.0f} s: {dict(found)}")


if __name__ == "__main__":
    main()

"""Importing an Empatica E4 session into a person's store, beside what it takes to read its files into memory.

python benchmarks/importers_e4.py [HOURS]

A session of 30 hours (80 MB) is made. In turn, five times: `unaji import` as a whole, with hash, row identity, Parquet
and fsync; polars reading the same CSV files without doing anything with them. Rates are in MB of the session
with BVP, which all but the hash leave out. The median of the rounds is told, by processor time and by the wall.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from unaji.records.importing import import_files

START_S = 1_646_305_200.0
ROUNDS = 5


def write_session(folder: Path, hours: float) -> None:
    """Write the files of a session as the maker's site gives them."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    seconds = int(hours * 3600)
    still = 64 * np.array([0.2, 0.3, 0.9])
    _write(folder / "ACC.csv", 32, np.round(still + rng.normal(0, 3, (seconds * 32, 3))), "%d")
    _write(folder / "BVP.csv", 64, rng.normal(0, 30, (seconds * 64, 1)), "%.2f")
    _write(folder / "EDA.csv", 4, np.abs(rng.normal(2, 0.2, (seconds * 4, 1))), "%.6f")
    _write(folder / "TEMP.csv", 4, rng.normal(33, 0.2, (seconds * 4, 1)), "%.2f")
    _write(folder / "HR.csv", 1, rng.normal(70, 5, (seconds, 1)), "%.2f")
    ends_s = np.cumsum(rng.integers(45, 60, seconds) / 64)
    ends_s = ends_s[ends_s < seconds]
    with (folder / "IBI.csv").open("w") as file:
        file.write(f"{START_S:.6f}, IBI\n")
        np.savetxt(file, np.column_stack([ends_s, np.diff(ends_s, prepend=0)]), fmt="%.6f", delimiter=",")


def _write(path: Path, rate_hz: float, values: np.ndarray, form: str) -> None:
    with path.open("w") as file:
        for number in (START_S, rate_hz):
            file.write(", ".join([f"{number:.6f}"] * values.shape[1]) + "\n")
        np.savetxt(file, values, fmt=form, delimiter=",")


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return processor time and time by the wall [s]."""
    cpu_s, wall_s = time.process_time(), time.monotonic()
    run()
    return time.process_time() - cpu_s, time.monotonic() - wall_s


def main() -> None:
    """Make a session, run everything in turn and print a table."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as scratch:
        session = Path(scratch) / "session"
        write_session(session, hours)
        read = [path for path in sorted(session.iterdir()) if path.name != "BVP.csv"]
        megabytes = sum(path.stat().st_size for path in session.iterdir()) / 1e6
        runs: dict[str, Callable[[int], object]] = {
            "unaji import, into the store": lambda k: import_files([session], Path(scratch) / f"p{k}", timezone="UTC"),
            "polars, reading the files": lambda _: [pl.read_csv(path, has_header=False, skip_rows=2) for path in read],
        }
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for k in range(-1, ROUNDS):  # the first round is for caches
            for name, run in runs.items():
                one = timed(lambda run=run, k=k: run(k))  # type: ignore[misc]
                if k >= 0:
                    took[name].append(one)
    print(f"{'':32}{'MB/s (CPU)':>12}{'MB/s (wall)':>13}")
    for name, times in took.items():
        cpu, wall = (median(megabytes / one[i] for one in times) for i in (0, 1))
        print(f"{name:32}{cpu:12.0f}{wall:13.0f}")


if __name__ == "__main__":
    main()

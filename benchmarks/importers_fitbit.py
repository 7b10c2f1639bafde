"""How fast is a Fitbit export read, and in how much memory? Beside other readers, in turns, in processor seconds.

python benchmarks/importers_fitbit.py [--rows 700000]

Each reader runs in an interpreter of its own on the same made file, as Fitbit writes it: heart rates every 5 to 15 s,
confidence 0 now and then. All of them end with a column of UTC instants and one of heart rates without those of
confidence 0; only unaji also counts what it leaves out, and checks times and ranges.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

RUNS = 3
READERS = ("unaji", "json + strptime", "json + polars", "ijson + polars")


def make(path: Path, rows: int, seed: int = 1) -> None:
    """Write an export of some 0.1 kB a row."""
    rng = random.Random(seed)
    moment = datetime(2024, 1, 1)
    with path.open("w") as file:
        for i in range(rows):
            moment += timedelta(seconds=rng.choice((5, 5, 5, 10, 15)))
            entry = (
                f'{{\n  "dateTime" : "{moment:%m/%d/%y %H:%M:%S}",\n  "value" : {{\n    "bpm" : {rng.randint(50, 150)},'
                f'\n    "confidence" : {rng.randint(0, 3)}\n  }}\n}}'
            )
            file.write(f"{',' if i else '['}{entry}")
        file.write("]")


def with_unaji(path: Path) -> int:
    from unaji.records import fitbit
    from unaji.records.clock import Clock
    from unaji.records.problems import ProblemLog
    from unaji.records.source import file_source

    clock = Clock(None, datetime(2026, 1, 1, tzinfo=UTC))
    return sum(len(batch) for batch in fitbit.read([file_source(path)], clock, ProblemLog()))


def with_strptime(path: Path) -> int:
    rows = [
        (datetime.strptime(row["dateTime"], "%m/%d/%y %H:%M:%S").replace(tzinfo=UTC), row["value"]["bpm"])
        for row in json.loads(path.read_bytes())
        if row["value"]["confidence"] > 0
    ]
    return len(rows)


def with_polars(path: Path) -> int:
    return _frame(json.loads(path.read_bytes()))


def with_ijson(path: Path) -> int:
    import ijson

    with path.open("rb") as file:
        return _frame(list(ijson.items(file, "item", use_float=True)))


def _frame(rows: list) -> int:
    import polars as pl

    sure = [row for row in rows if row["value"]["confidence"] > 0]
    frame = pl.DataFrame({"time": [row["dateTime"] for row in sure], "bpm": [row["value"]["bpm"] for row in sure]})
    return frame.with_columns(pl.col("time").str.to_datetime("%m/%d/%y %H:%M:%S")).height


def run_one(reader: str, path: Path) -> None:
    """Read a file some times in this interpreter and print the least processor time and the most memory."""
    read = dict(zip(READERS, (with_unaji, with_strptime, with_polars, with_ijson), strict=True))[reader]
    least = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        rows = read(path)
        least = min(least, time.process_time() - began)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "cpu_s": least, "peak_mb": peak_mb}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=700_000)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_one(options.run[0], Path(options.run[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heart_rate-2024-01-01.json"
        make(path, options.rows)
        size_mb = path.stat().st_size / 1e6
        print(f"{options.rows:,} rows, {size_mb:.1f} MB; least of {RUNS} runs")
        ours = 0.0
        for reader in READERS:
            command = [sys.executable, __file__, "--run", reader, str(path)]
            found = subprocess.run(command, capture_output=True, text=True, check=False)
            if found.returncode:
                print(f"{reader:16} failed: {found.stderr.strip().splitlines()[-1]}")
                continue
            result = json.loads(found.stdout)
            ours = ours or result["cpu_s"]
            print(
                f"{reader:16} {size_mb / result['cpu_s']:6.1f} MB/s (CPU), peak {result['peak_mb']:6.0f} MB, "
                f"{result['rows']:,} rows kept, unaji {result['cpu_s'] / ours:.1f} x as fast"
            )


if __name__ == "__main__":
    main()

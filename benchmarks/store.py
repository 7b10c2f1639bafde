"""How fast rows go into a person's store and come out again, and how much memory that takes.

python -m benchmarks.store beats [ROWS]     a year of beats (default 36 million), then windows of five minutes of them
python -m benchmarks.store phone [ROWS]     eight years of a phone's forty quantities (default 4 million), and again
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unaji.quantities import QUANTITIES
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.store.reading import Store
from unaji.records.store.writing import Origin, writing

YEAR_MS = 365 * 86_400_000
BEGIN_MS = 1_704_067_200_000  # 2024-01-01T00:00Z
WINDOW_MS = 5 * 60_000


def beats(rows: int, piece: int = 100_000) -> Iterator[Batch]:
    """A year of intervals as a strap gives them."""
    rng = np.random.default_rng(0)
    strap = Device("garmin_fit", role="strap", name="strap", origin="strap")
    at = BEGIN_MS
    for begun in range(0, rows, piece):
        rri_ms = np.round(rng.normal(YEAR_MS / rows, 40, min(piece, rows - begun)))
        time_ms = at + np.cumsum(rri_ms).astype(np.int64)
        at = int(time_ms[-1])
        yield Batch(Kind.BEATS, "rri_ms", strap, frame(time=time_ms, value=rri_ms, gap=False))


def phone(rows: int, piece: int = 5_000) -> Iterator[Batch]:
    """Quantities one after another, as a phone's export has them, each from two devices, in small batches."""
    rng = np.random.default_rng(0)
    devices = [Device("apple_health", role=role, name=role, site="wrist") for role in ("watch", "phone")]
    share = 0.6 ** np.arange(len(QUANTITIES))
    for quantity, n in zip(QUANTITIES.values(), np.ceil(rows * share / share.sum()).astype(int), strict=True):
        time_ms = np.sort(rng.integers(BEGIN_MS - 8 * YEAR_MS, BEGIN_MS, n)) // 1000 * 1000
        value = np.round(rng.uniform(max(quantity.low, -1e3), min(quantity.high, 1e3), n), 1)
        for i in range(0, n, piece):
            rows_ = frame(time=time_ms[i : i + piece], value=value[i : i + piece], zone_min=540)
            yield Batch(Kind.SERIES, quantity.name, devices[(i // piece) % 2], rows_)


def put(person: Path, batches: Iterator[Batch], exported: int) -> None:
    began, spent, making = time.monotonic(), time.process_time(), 0.0
    with writing(person) as store, store.incoming() as incoming:
        before = time.process_time()
        for batch in batches:
            making += time.process_time() - before
            incoming.add(batch)
            before = time.process_time()
        kept = incoming.commit(Origin(exported, exported, ("benchmark",), str(exported), ""))
    n = sum(kept.new.values()) + sum(kept.known.values())
    cpu_s = time.process_time() - spent - making
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{n:,} rows, {sum(kept.new.values()):,} of them new: {n / cpu_s / 1e6:.2f} million rows/s of CPU "
        f"({cpu_s:.1f} s, wall {time.monotonic() - began:.1f} s), peak {peak:.0f} MB"
    )


def windows(person: Path, n: int = 200) -> None:
    store = Store.open(person)
    rng = np.random.default_rng(1)
    took_ms = []
    for start in rng.integers(BEGIN_MS, BEGIN_MS + YEAR_MS - WINDOW_MS, n).tolist():
        began = time.perf_counter()
        store.read(Kind.BEATS, "rri_ms", start, start + WINDOW_MS)
        took_ms.append(1000 * (time.perf_counter() - began))
    print(f"a window of 5 min: median {np.median(took_ms):.1f} ms, 95 % {np.quantile(took_ms, 0.95):.1f} ms")


def main() -> None:
    what = sys.argv[1]
    rows = int(float(sys.argv[2])) if len(sys.argv) > 2 else {"beats": 36_000_000, "phone": 4_000_000}[what]
    with tempfile.TemporaryDirectory() as folder:
        person = Path(folder)
        make = {"beats": beats, "phone": phone}[what]
        put(person, make(rows), 1)
        put(person, make(rows), 2)
        if what == "beats":
            windows(person)
        files = [file for file in person.rglob("*") if file.is_file()]
        print(f"{sum(file.stat().st_size for file in files) / 1e6:.0f} MB in {len(files):,} files")


if __name__ == "__main__":
    main()

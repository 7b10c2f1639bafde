"""How long and how large is a whole person? Figures beside the limits they have to keep.

python benchmarks/whole_person.py

Each run is a process of its own, so that start-up, reading, fitting and writing count and memory is that of the run.
The first run compiles into an empty cache; the others find it filled.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
LIMIT_S, LIMIT_FIRST_S, LIMIT_MIB = 10.0, 60.0, 600.0

ENGINE = """
import json, sys, time
import numpy as np
from datetime import UTC, datetime, timedelta
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.engine import attribute
from unaji.causes.features import build_tables
from unaji.causes.grid import make_grid
from unaji.records.timeline import Zones
def design(weeks, n, k):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    grid = make_grid(start, start + timedelta(weeks=weeks, hours=-1), Zones())
    rng = np.random.default_rng(0)
    levels = rng.standard_normal((k, grid.n_bins // 12 + 1)).repeat(12, axis=1)[:, : grid.n_bins]
    onsets = tuple(Onset(start + timedelta(minutes=5 * int(b))) for b in np.sort(rng.choice(grid.n_bins, n)))
    return Design(grid, tuple(Trigger(f"t{i}", "level", x) for i, x in enumerate(levels)), onsets)
attribute(design(4, 5, 2))
found = {}
for weeks, n in ((12, 40), (52, 200)):
    d = design(weeks, n, 12)
    t = time.process_time(); build_tables(d); features = time.process_time() - t
    t = time.process_time(); attribute(d); whole = time.process_time() - t
    found[f"{weeks} weeks, {n} episodes, 12 triggers"] = (features, whole)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Run:
    """Wall clock and peak memory of one process."""

    wall_s: float
    peak_mib: float


def explain(cache: str) -> Run:
    """Explain the example person in a process of its own."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-m", "unaji.cli", "explain", str(ROOT / "examples" / "person"), "--json"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("unaji explain failed; run it by hand to see why")
    return Run(time.perf_counter() - begun, usage.ru_maxrss / 1024)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as cache:
        first = explain(cache)
        runs = [explain(cache) for _ in range(RUNS)]
    wall = statistics.median(r.wall_s for r in runs)
    peak = max(r.peak_mib for r in runs)
    print("unaji explain, example person (8 weeks, 23 claimed causes, 39 episodes)")
    print(f"  first run, compiling: {first.wall_s:5.1f} s  = {first.wall_s / LIMIT_FIRST_S:.2f} of the limit")
    print(f"  later runs, median:   {wall:5.1f} s  = {wall / LIMIT_S:.2f} of the limit ({RUNS} runs)")
    print(f"  peak memory:          {peak:5.0f} MiB = {peak / LIMIT_MIB:.2f} of the limit")
    found = json.loads(
        subprocess.run([sys.executable, "-c", ENGINE], capture_output=True, text=True, check=True).stdout
    )
    print("the engine alone, processor time: features once, and the whole fit (two chains of 4,000 sweeps, shifts)")
    for name, (features, whole) in found.items():
        print(f"  {name}: {features:.2f} s, {whole:.2f} s")


if __name__ == "__main__":
    main()

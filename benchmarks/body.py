"""How fast is the simulator of the body? Beside JOS-3, in turns, in one run, in processor seconds.

python benchmarks/body.py [--peer PYTHON]

PYTHON is an interpreter whose environment has jos3 0.5.0; without it unaji runs alone. A person-step is one step of
60 s of one person. Rounds of ours and of the peer alternate, and the best of each counts. Compiling is timed in a fresh
process with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from unaji.body import heat
from unaji.body.anatomy import COMPAT, FULL, Corrections, physique

ROUNDS = 5
PERSONS = 256
MINUTES = 1440

PEER = """
import sys, time
import jos3
model = jos3.JOS3()
model.posture, model.To = "sitting", 24
model.simulate(50, output=False)
for line in sys.stdin:
    begun = time.process_time()
    model.simulate(int(line), output=False)
    print(time.process_time() - begun, flush=True)
"""

COMPILING = """
import time
begun = time.process_time()
import numpy as np
from unaji.body import heat
from unaji.body.anatomy import physique
heat.run_heat(heat.heat_model(physique()), heat.conditions(1), n_steps=1, outputs=("neck_nape_skin_c",))
print(time.process_time() - begun)
"""


def cpu_s(work: Callable[[], object]) -> float:
    """Return the processor seconds of one run."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def heat_job(on: Corrections, n: int, *, posture: float = 1.0, varying: bool = False) -> Callable[[], object]:
    """Return a day of n persons at 24 °C; `varying` gives each minute surroundings of its own."""
    model = heat.heat_model(physique(n), on)
    inputs = heat.conditions(n, air_temp_c=24.0, posture=posture)
    if not varying:
        return lambda: heat.run_heat(model, inputs, n_steps=MINUTES, outputs=("neck_skin_c",), every=10)
    air_c = 24 + 4 * np.sin(np.arange(MINUTES) / 100)
    phases = np.stack([heat.conditions(n, air_temp_c=air) for air in air_c])
    phase = np.arange(MINUTES)
    return lambda: heat.run_heat(model, phases, phase_of_step=phase, outputs=("neck_skin_c",), every=10)


class Peer:
    """A process with JOS-3 in it that runs steps when asked."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread()
        )

    def steps_per_s(self, steps: int = 600) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return steps / float(self.process.stdout.readline())


def one_thread() -> dict[str, str]:
    """The environment with linear algebra on one thread, so that processor seconds are those of one core."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def compile_s() -> tuple[float, float]:
    """Processor seconds until a first step, with an empty and with a filled cache of compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        environment = one_thread() | {"NUMBA_CACHE_DIR": folder}
        runs = [
            subprocess.run(
                [sys.executable, "-c", COMPILING], env=environment, capture_output=True, text=True, check=True
            )
            for _ in range(2)
        ]
    return float(runs[0].stdout), float(runs[1].stdout)


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peer", help="an interpreter whose environment has jos3 0.5.0")
    python = options.parse_args().peer
    jobs = {
        "heat, as JOS-3 (85 nodes)": heat_job(COMPAT, PERSONS),
        "heat, full (89 nodes)": heat_job(FULL, PERSONS),
        "heat, full, lying in still air": heat_job(FULL, PERSONS, posture=2.0),
        "heat, full, surroundings new each step": heat_job(FULL, PERSONS, varying=True),
    }
    peer = Peer(python) if python else None
    ours: dict[str, list[float]] = {name: [] for name in jobs}
    theirs: list[float] = []
    for work in jobs.values():
        work()
    for _ in range(ROUNDS):
        if peer:
            theirs.append(peer.steps_per_s())
        for name, work in jobs.items():
            ours[name].append(PERSONS * MINUTES / cpu_s(work))
    print(f"person-steps per processor second; best (median) of {ROUNDS} rounds in turns")
    if theirs:
        print(f"  {'JOS-3 0.5.0':42s}{max(theirs):12,.0f} ({statistics.median(theirs):,.0f})")
    for name, rates in ours.items():
        times = ""
        if theirs:
            times = (
                f"{max(rates) / max(theirs):8,.0f} × ({statistics.median(rates) / statistics.median(theirs):,.0f} ×)"
            )
        print(f"  {name:42s}{max(rates):12,.0f} ({statistics.median(rates):,.0f}){times}")
    for name, varying in (("steady surroundings", False), ("new each minute", True)):
        alone = heat_job(FULL, 1, varying=varying)
        alone()
        print(f"one person, 24 h at 60 s, {name}: {1000 * min(cpu_s(alone) for _ in range(ROUNDS)):.1f} ms (limit 20)")
    cold, warm = compile_s()
    print(f"first step in a new process: {cold:.1f} s compiling (limit 15), {warm:.1f} s from the cache")


if __name__ == "__main__":
    main()

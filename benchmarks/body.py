"""How fast is the simulator of the body, and what does it need? Beside JOS-3, in turns, in one run.

python benchmarks/body.py [--peer PYTHON] [--rounds N]

PYTHON is an interpreter whose environment has jos3 0.5.0 and pythermalcomfort; without it unaji runs alone. Times are
processor seconds on one core. A person-step is one step of 60 s of one person; the peers do nothing but step in
surroundings that never change, their fastest, and keep nothing. In each round every candidate runs once; a ratio is
taken within its round.
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
from unaji.body.anatomy import COMPAT, FULL, Corrections
from unaji.body.forcing import Forcing
from unaji.body.persons import Persons, sample_persons
from unaji.body.simulate import Simulation, simulate

PERSONS, MINUTES = 256, 1440
OUTPUTS = ("nape_skin_temp_c", "core_temp_c", "finger_skin_temp_c", "hr_bpm", "felt_heat")
PEERS = {
    "jos3": "import jos3\nmodel = jos3.JOS3()\nmodel.posture, model.To = 'sitting', 24",
    "pythermalcomfort": (
        "from pythermalcomfort.models import JOS3\nmodel = JOS3()\nmodel.posture, model.to = 'sitting', 24"
    ),
}
PEER = """
import sys, time
{made}
model.simulate(50, output=False)
print("ready", flush=True)
for line in sys.stdin:
    begun = time.process_time()
    model.simulate(int(line), output=False)
    print(time.process_time() - begun, flush=True)
"""

FIRST = """
import time
begun = time.process_time()
from unaji.body.forcing import Forcing
from unaji.body.persons import Persons
from unaji.body.simulate import simulate
simulate(Persons.standard(), Forcing.constant(3600.0, air_temp_c=24.0))
print(time.process_time() - begun)
"""

MEMORY = """
import resource
import sys
import numpy as np
from unaji.body.forcing import Forcing
from unaji.body.persons import sample_persons
from unaji.body.simulate import Simulation, simulate
n, days, outputs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
persons = sample_persons(n, np.random.default_rng(0))
day = Forcing.constant(86_400.0, air_temp_c=24.0)
if days == 1:
    simulate(persons, day, outputs=outputs)
else:
    simulation = Simulation(persons, day)
    for _ in range(days):
        simulation.run(day, outputs=outputs)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def cpu_s(work: Callable[[], object]) -> float:
    """Return the processor seconds of one run."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


# -- what is run -------------------------------------------------------------------------------------------------------


def heat_job(on: Corrections, *, posture: float = 1.0, varying: bool = False) -> Callable[[], object]:
    """Return a day of the heat balance alone; `varying` gives each minute air of its own."""
    model = heat.heat_model(Persons.of(PERSONS), on)
    inputs = heat.conditions(PERSONS, air_temp_c=24.0, posture=posture)
    if not varying:
        return lambda: heat.run_heat(model, inputs, n_steps=MINUTES, outputs=("neck_skin_c",), every=10)
    air_c = 24 + 4 * np.sin(np.arange(MINUTES) / 100)
    phases = np.stack([heat.conditions(PERSONS, air_temp_c=air) for air in air_c])
    phase = np.arange(MINUTES)
    return lambda: heat.run_heat(model, phases, phase_of_step=phase, outputs=("neck_skin_c",), every=10)


def days() -> dict[str, Forcing]:
    """Return days that differ in what changes from minute to minute."""
    minute, rng = np.arange(MINUTES), np.random.default_rng(0)
    air = {"air_temp_c": 24 + 4 * np.sin(minute / 100)}
    weather = {
        "humidity_percent": 50 + 10 * np.sin(minute / 70),
        "air_speed_m_s": 0.3 + 0.1 * np.sin(minute / 30),
        "pressure_hpa": 1000 + 5 * np.sin(minute / 200),
    }
    doing = {
        "par": 1.5 + 0.3 * np.sin(minute / 10),
        "stress": 0.5 + 0.4 * np.sin(minute / 50),
        "flexion_deg": 20 + 15 * np.sin(minute / 15),
    }
    own = {name: value * rng.uniform(0.9, 1.1, (PERSONS, 1)) for name, value in (air | weather | doing).items()}
    own["pressure_hpa"] = weather["pressure_hpa"] + rng.uniform(-5, 5, (PERSONS, 1))
    cases = {
        "nothing": {},
        "air temperature": air,
        "weather": air | weather,
        "activity, stress and posture": doing,
        "all of these": air | weather | doing,
        "all, each person's own": own,
    }
    steps_s = np.full(MINUTES, 60.0)
    return {name: Forcing(steps_s, values) for name, values in cases.items()}


def full_job(day: Forcing, persons: Persons) -> Callable[[], object]:
    """Return a day of the whole simulator with five outputs a minute, for persons who are settled already."""
    simulation = Simulation(persons, day)
    return lambda: simulation.run(day, outputs=OUTPUTS)


class Peer:
    """A process with another implementation of JOS-3 in it that runs steps when asked."""

    def __init__(self, python: str, made: str) -> None:
        self.process = subprocess.Popen(
            [python, "-c", PEER.format(made=made)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=one_thread(),
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            sys.exit(f"{python} cannot run {made.split()[1]}; is it installed there?")

    def steps_per_s(self, steps: int) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return steps / float(self.process.stdout.readline())


def one_thread() -> dict[str, str]:
    """The environment with linear algebra on one thread, so that processor seconds are those of one core."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def told_by_new_process(code: str, *arguments: str, **environment: str) -> float:
    """Run a program in a process of its own and return the number that it prints."""
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=one_thread() | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


# -- what is printed ---------------------------------------------------------------------------------------------------


def beside_peers(python: str | None, rounds: int) -> None:
    """Print rates and ratios, with their spread over the rounds."""
    persons = sample_persons(PERSONS, np.random.default_rng(0))
    jobs = {
        "heat balance as JOS-3 (85 nodes)": heat_job(COMPAT),
        "heat balance, full (89 nodes)": heat_job(FULL),
        "heat balance, lying in still air": heat_job(FULL, posture=2.0),
        "heat balance, new air each step": heat_job(FULL, varying=True),
    } | {f"whole simulator, new: {name}": full_job(day, persons) for name, day in days().items()}
    peers = {name: Peer(python, made) for name, made in PEERS.items()} if python else {}
    rates: dict[str, list[float]] = {name: [] for name in (*peers, *jobs)}
    for work in jobs.values():
        work()
    for _ in range(rounds):
        for name, peer in peers.items():
            rates[name].append(peer.steps_per_s(300))
        for name, work in jobs.items():
            rates[name].append(PERSONS * MINUTES / cpu_s(work))
    print(f"person-steps per processor second: median of {rounds} rounds in turns; ratios: lowest, median, highest")
    for name, found in rates.items():
        line = f"  {name:52s}{statistics.median(found):12,.0f}"
        for peer_name in peers if name in jobs else ():
            ratios = [ours / theirs for ours, theirs in zip(found, rates[peer_name], strict=True)]
            spread = " ".join(f"{x:,.0f}" for x in (min(ratios), statistics.median(ratios), max(ratios)))
            line += f"   {spread} x {peer_name}"
        print(line)


def growth(rounds: int) -> None:
    """Print what the whole of `simulate` costs, set-up and settling included, with persons and with steps."""
    print(f"the whole of simulate(), set-up and settling included; best of {rounds}")
    day = Forcing.constant(86_400.0, air_temp_c=24.0)
    for n in (1, 8, 64, 512, 2000):
        told(f"{n:5d} persons, 24 h at 60 s", n, day, rounds)
    for hours in (1, 24, 168):
        told(f"   64 persons, {hours} h at 60 s", 64, Forcing.constant(hours * 3600.0, air_temp_c=24.0), rounds)
    for name, changing in days().items():
        if changing.n_persons is None:
            told(f"one person, 24 h (limit 20 ms), new: {name}", 1, changing, rounds)


def told(name: str, n: int, forcing: Forcing, rounds: int) -> None:
    """Print the cost of one call of `simulate`."""
    persons = sample_persons(n, np.random.default_rng(0))

    def work() -> object:
        return simulate(persons, forcing, outputs=OUTPUTS)

    work()
    spent_s = min(cpu_s(work) for _ in range(rounds))
    print(f"  {name:68s}{1000 * spent_s:9.1f} ms {n * forcing.n_steps / spent_s:12,.0f} person-steps/s")


def once() -> None:
    """Print what is paid once: compiling, loading, memory.

    A new process inherits the highest memory of the one that starts it, so this comes before anything large.
    """
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = (told_by_new_process(FIRST, NUMBA_CACHE_DIR=folder) for _ in range(2))
    print("import and first simulate() in a new process")
    print(f"  {cold:.1f} s with an empty cache (limit 15), {warm:.2f} s after")
    day = told_by_new_process(MEMORY, "1000", "1", *OUTPUTS)
    weeks = told_by_new_process(MEMORY, "100", "28", *OUTPUTS)
    alone = told_by_new_process(MEMORY, "1", "1", *OUTPUTS)
    print("memory at most, five outputs a minute")
    print(f"  1000 persons, 24 h {day:.0f} MB (limit 400); one person {alone:.0f} MB")
    print(f"  100 persons, 4 weeks in pieces of a day, each forgotten {weeks:.0f} MB")


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peer", help="an interpreter whose environment has jos3 0.5.0 and pythermalcomfort")
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    once()
    beside_peers(chosen.peer, chosen.rounds)
    growth(chosen.rounds)


if __name__ == "__main__":
    main()

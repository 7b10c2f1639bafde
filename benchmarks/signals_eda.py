"""How near the truth, how quick and how large is the analysis of a day of skin conductance, skin temperature, movement?

python benchmarks/signals_eda.py [--peer PYTHON]

PYTHON is an interpreter with neurokit2 and cvxopt (an environment of its own); with it, cvxEDA takes the same simulated
conductance apart, divided by its standard deviation, as its manual asks, and as it is. Times are CPU seconds of one
process, after compiling; memory is what the process grows by. `--choose` prints the table from which the price of
driver and the level's border were chosen.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from unaji.records.timeline import FloatArray, Series, TimeArray
from unaji.signals import eda_driver
from unaji.signals.eda_driver import deconvolve_eda
from unaji.signals.eda_windows import eda_windows
from unaji.signals.grid import Gridded, step_starts
from unaji.signals.movement import movement
from unaji.signals.skin import skin_rhythm
from unaji.signals.wear import worn

START = np.datetime64("2024-03-01", "ms")
RATE_HZ = 4.0
LIMIT_R, LIMIT_S, LIMIT_MIB, LIMIT_MOVEMENT_S = 0.92, 2.0, 100.0, 0.5

CONDITIONS = {
    "as the model says": {},
    "many responses": {"per_min": 15.0},
    "few": {"per_min": 1.0},
    "small": {"amplitude": 0.05},
    "large": {"amplitude": 1.0},
    "noisy": {"noise": 0.03},
    "wandering level": {"drift": 0.4},
    "slower responses": {"decay_s": 3.5, "rise_s": 1.0},
    "quicker responses": {"decay_s": 1.5, "rise_s": 0.4},
}

PEER = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import neurokit2, numpy as np
for file in sys.argv[1:]:
    data = np.load(file)
    value, truth = data["value"], data["phasic"]
    row = {}
    for name, x in (("standardised", (value - value.mean()) / value.std()), ("as it is", value)):
        begun = time.process_time()
        found = neurokit2.eda_phasic(x, 4, method="cvxeda")["EDA_Phasic"]
        row[name] = (float(np.corrcoef(found, truth)[0, 1]), time.process_time() - begun)
    row["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(row), flush=True)
"""


def simulate(
    seed: int, hours: float, *, per_min: float = 4.0, amplitude: float = 0.3, noise: float = 0.01, drift: float = 0.1,
    decay_s: float = 2.0, rise_s: float = 0.7,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Make conductance and the responses in it: Bateman curves in bursts, on a level that wanders over minutes [µS]."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(3600 * hours * RATE_HZ)) / RATE_HZ
    minutes = np.arange(0.0, t[-1] + 120.0, 60.0)
    slow = np.cumsum(rng.standard_normal(minutes.size)) * drift
    slow -= np.linspace(slow[0], slow[-1], slow.size)  # a day ends where it began
    slow += 2.0 * np.cos(2.0 * np.pi * minutes / 86400.0)
    hann = np.hanning(241) / np.hanning(241).sum()
    level = np.convolve(np.pad(np.interp(t, minutes, slow - slow.min() + 1.0), 120, "edge"), hann, "valid")
    busy = np.exp(np.convolve(rng.standard_normal(minutes.size + 20), np.ones(21) / np.sqrt(21.0), "valid"))
    busy = np.interp(t, minutes, busy)
    begins = t[rng.random(t.size) < per_min / 60.0 / RATE_HZ * busy / busy.mean()]
    begins = begins + rng.uniform(0.0, 1.0 / RATE_HZ, begins.size)
    top_s = np.log(decay_s / rise_s) * decay_s * rise_s / (decay_s - rise_s)
    peak = np.exp(-top_s / decay_s) - np.exp(-top_s / rise_s)
    phasic = np.zeros(t.size)
    for begin in begins:
        rows = slice(int(np.ceil(begin * RATE_HZ)), int(begin * RATE_HZ) + 120)
        since = t[rows] - begin
        phasic[rows] += (
            amplitude * rng.lognormal(-0.245, 0.7) * (np.exp(-since / decay_s) - np.exp(-since / rise_s)) / peak
        )
    return level + phasic + noise * rng.standard_normal(t.size), phasic


def times(n: int, rate_hz: float = RATE_HZ) -> TimeArray:
    """Make the times of n samples."""
    return START + np.round(np.arange(n) / rate_hz * 1000).astype("timedelta64[ms]")


def correlation(value: FloatArray, phasic: FloatArray) -> tuple[float, float]:
    """Return how well our responses follow the true ones, and the CPU time."""
    begun = time.process_time()
    found = deconvolve_eda(times(value.size), value).phasic_microsiemens
    spent = time.process_time() - begun
    there = np.isfinite(found)
    return float(np.corrcoef(found[there], phasic[there])[0, 1]), spent


def peer_rows(python: str, recordings: list[tuple[FloatArray, FloatArray]]) -> list[dict]:
    """Let cvxEDA take the same recordings apart."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{k}.npz" for k in range(len(recordings))]
        for file, (value, phasic) in zip(files, recordings, strict=True):
            np.savez(file, value=value, phasic=phasic)
        done = subprocess.run([python, "-c", PEER, *map(str, files)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def report(name: str, ours: tuple[float, float], peer: dict | None) -> None:
    """Print one recording's row."""
    line = f"  {name:20s} r {ours[0]:.4f} in {ours[1]:5.2f} s"
    for kind in ("standardised", "as it is") if peer else ():
        line += f" | cvxEDA {kind}: r {peer[kind][0]:.4f} in {peer[kind][1]:5.2f} s"
    print(line + (f" | {peer['mib']:.0f} MiB" if peer else ""))


def a_day(python: str | None) -> None:
    """Measure 24 h at 4 Hz: correlation, time, memory; and the same pushed through minute by minute."""
    value, phasic = simulate(1, 24.0)
    deconvolve_eda(times(4000), value[:4000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours = correlation(value, phasic)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"conductance, 24 h at 4 Hz (limits: r {LIMIT_R}, {LIMIT_S} s, {LIMIT_MIB} MiB); grown by {grown:.0f} MiB")
    report("24 h", ours, peer_rows(python, [(value, phasic)])[0] if python else None)
    begun = time.process_time()
    stream, time_of = eda_driver.EdaStream(1.0 / RATE_HZ), times(value.size)
    for k in range(0, value.size, 240):
        stream.push(time_of[k : k + 240], value[k : k + 240])
    stream.finish()
    print(f"  the same minute by minute as it comes in: {time.process_time() - begun:.2f} s")
    series = Series("scl_microsiemens", times(value.size), value)
    begun = time.process_time()
    found = eda_windows(series, step_starts(series.time[0], series.time[-1], 300.0), 300.0)
    count = 5.0 * np.nansum(found.responses_per_min)
    print(f"  with indices of 288 windows: {time.process_time() - begun:.2f} s; {count:.0f} responses")


def conditions(python: str | None, seed: int = 100) -> None:
    """Measure an hour under each condition, with seeds that chose nothing."""
    recordings = [simulate(seed + k, 1.0, **how) for k, how in enumerate(CONDITIONS.values())]
    peers = peer_rows(python, recordings) if python else [None] * len(recordings)
    print("conductance, an hour each")
    for name, recording, peer in zip(CONDITIONS, recordings, peers, strict=True):
        report(name, correlation(*recording), peer)


def choose() -> None:
    """Print the correlation over the two weights, the worst condition and the mean of all, with seeds of its own."""
    recordings = [simulate(k, 1.0, **how) for k, how in enumerate(CONDITIONS.values())]
    print("price of driver [µS s], level border [Hz]: worst and mean correlation over the conditions")
    for price in (0.001, 0.0025, 0.005, 0.0075, 0.015, 0.03):
        for border in (0.01, 0.015, 0.02, 0.03):
            eda_driver.SPARSITY_MICROSIEMENS_S, eda_driver.LEVEL_CUTOFF_HZ = price, border
            r = [correlation(*recording)[0] for recording in recordings]
            print(f"  {price:.4f} {border:.3f}: {min(r):.4f} {np.mean(r):.4f}")


def others() -> None:
    """Measure a day of movement at 32 Hz and of skin temperature at 4 Hz."""
    rng = np.random.default_rng(0)
    t = np.arange(86400 * 32) / 32.0
    axes = 0.05 * rng.standard_normal((t.size, 3))
    axes[:, 2] += 1.0
    busy = t % 3600 < 900
    axes[busy, 2] += 0.3 * np.sin(2 * np.pi * 1.8 * t[busy]) * (1.0 + 0.2 * np.sin(np.pi * 1.8 * t[busy]))
    movement(START, axes[:64000], 32.0)
    begun = time.process_time()
    found = movement(START, axes, 32.0)
    print(f"movement, 24 h at 32 Hz: {time.process_time() - begun:.2f} s (limit {LIMIT_MOVEMENT_S} s), "
          f"{np.nansum(found.steps):.0f} steps of {busy.mean() * 86400 * 1.8:.0f}")  # fmt: skip
    skin = 33.0 + np.cos(2 * np.pi * np.arange(86400 * 4) / 345600) + 0.05 * rng.standard_normal(86400 * 4)
    begun = time.process_time()
    worn(times(skin.size), skin)
    print(f"worn or not, 24 h at 4 Hz: {time.process_time() - begun:.3f} s")
    t_h = np.arange(0.0, 24 * 60, 1 / 12)
    series = 33.0 + np.cos(2 * np.pi * t_h / 24) + rng.standard_normal(t_h.size)
    begun = time.process_time()
    skin_rhythm(Gridded(series, np.ones(t_h.size)), t_h)
    print(f"daily rhythm, 60 days of 5 min: {time.process_time() - begun:.3f} s")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter that has neurokit2 and cvxopt")
    parser.add_argument("--choose", action="store_true", help="print how the weights were chosen")
    arguments = parser.parse_args()
    if arguments.choose:
        choose()
        sys.exit()
    a_day(arguments.peer)
    conditions(arguments.peer)
    others()


if __name__ == "__main__":
    main()

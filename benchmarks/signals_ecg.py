"""Beats from 24 h of ECG (250 Hz) and pulse wave (64 Hz): time, memory and accuracy, beside other programs.

    python benchmarks/signals_ecg.py [--hours 24] [--peers /path/to/python]

Each program runs in a process of its own, in turn, on the same invented recording with known beats: CPU seconds of the
second call (the first, on two minutes, loads and compiles), memory it took beyond the signal (Linux only), sensitivity
and positive predictive value within 150 ms, spread of the timing error, error of RMSSD. `--peers` names an interpreter
of an environment with sleepecg, wfdb and neurokit2; what is not installed there is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ECG_HZ, PPG_HZ = 250, 64
WAVES_ECG = ((-0.18, 0.12, 0.025), (-0.028, -0.12, 0.009), (0.0, 1.0, 0.011), (0.03, -0.22, 0.010), (0.27, 0.25, 0.05))
WAVES_PPG = ((0.2, 1.0, 0.1), (0.5, 0.4, 0.12))
TOLERANCE_S = 0.15

OURS = {
    "unaji, ECG": "from unaji.signals.ecg import ecg_beats\nfind = lambda x: ecg_beats(x, 250.0).time_s",
    "unaji, PPG": "from unaji.signals.ppg import ppg_beats\nfind = lambda x: ppg_beats(x, 64.0).time_s",
}
PEERS = {
    "sleepecg, ECG": "import sleepecg\nfind = lambda x: sleepecg.detect_heartbeats(x, 250) / 250.0",
    "neurokit2, ECG": (
        "import neurokit2 as nk\nfind = lambda x: nk.ecg_peaks(nk.ecg_clean(x, 250), 250)[1]['ECG_R_Peaks'] / 250.0"
    ),
    "wfdb xqrs, ECG": "from wfdb import processing\n"
    "find = lambda x: processing.xqrs_detect(x, 250, verbose=False) / 250.0",
    "neurokit2 charlton, PPG": (
        "import neurokit2 as nk\n"
        "find = lambda x: nk.ppg_findpeaks(nk.ppg_clean(x, 64), 64, method='charlton')['PPG_Peaks'] / 64.0"
    ),
}
CHILD = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
{find}
def memory_mb(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))
x = np.load(sys.argv[1])
find(x[: int(sys.argv[3])])
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # forget the highest memory so far
before = memory_mb("VmRSS")
begun = time.process_time()
found = find(x)
cpu = time.process_time() - begun
np.save(sys.argv[2], np.asarray(found, dtype=float))
print(json.dumps([cpu, memory_mb("VmHWM") - before]))
"""


def main() -> None:
    """Run what is asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--peers", help="interpreter of an environment with the other programs")
    options = parser.parse_args()
    beat_s = invented_beats(options.hours)
    programs = [(name, sys.executable, code) for name, code in OURS.items()]
    if options.peers:
        programs += [(name, options.peers, code) for name, code in PEERS.items()]
    with tempfile.TemporaryDirectory() as folder:
        signals = {"ECG": (ECG_HZ, WAVES_ECG, 0.02), "PPG": (PPG_HZ, WAVES_PPG, 0.01)}
        for kind, (rate_hz, waves, noise) in signals.items():
            np.save(Path(folder, f"{kind}.npy"), waveform(beat_s, options.hours, rate_hz, waves, noise))
        print(f"{'':26}{'CPU s':>8}{'MB':>7}{'Se %':>9}{'PPV %':>9}{'jitter ms':>11}{'RMSSD error %':>15}")
        for name, python, code in programs:
            kind = name[-3:]
            told = run(python, code, Path(folder, f"{kind}.npy"), 120 * signals[kind][0])
            print(f"{name:26}{told if isinstance(told, str) else row(*told, beat_s)}", flush=True)


def run(python: str, code: str, signal: Path, warm_up: int) -> tuple[float, float, FloatArray] | str:
    """Let one program find the beats; return CPU seconds, memory [MB] and times, or why it did not."""
    result = signal.with_name("found.npy")
    child = [python, "-c", CHILD.format(find=code), str(signal), str(result), str(warm_up)]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"  did not run: {(done.stderr.strip().splitlines() or ['killed'])[-1][:90]}"
    cpu, grown = json.loads(done.stdout.strip().splitlines()[-1])
    return cpu, grown, np.load(result)


def row(cpu: float, grown: float, found_s: FloatArray, beat_s: FloatArray) -> str:
    """Compare with the true beats; a program's constant delay is no error."""
    delay = np.median([found_s[np.argmin(np.abs(found_s - beat))] - beat for beat in beat_s[:200]])
    error = found_s - delay
    after = np.searchsorted(beat_s, error).clip(1, beat_s.size - 1)
    nearest = np.where(error - beat_s[after - 1] < beat_s[after] - error, after - 1, after)
    close = np.abs(error - beat_s[nearest]) <= TOLERANCE_S
    hits = np.unique(nearest[close]).size
    jitter_ms = 1000.0 * np.std(error[close] - beat_s[nearest[close]])
    off = 100.0 * (rmssd(found_s) / rmssd(beat_s) - 1.0)
    return (
        f"{cpu:8.3f}{grown:7.0f}{100 * hits / beat_s.size:9.3f}{100 * hits / found_s.size:9.3f}"
        f"{jitter_ms:11.3f}{off:15.3f}"
    )


def rmssd(beat_s: FloatArray) -> float:
    """Root mean square of successive differences of the intervals [s]."""
    return float(np.sqrt(np.mean(np.diff(beat_s, 2) ** 2)))


def invented_beats(hours: float) -> FloatArray:
    """Return beat times [s] with breathing, a 0.1 Hz wave, a day's rhythm and noise."""
    rng = np.random.default_rng(1)
    n = int(hours * 3600.0 / 0.8)
    t = 0.84 * np.arange(n)
    rri = 0.84 + 0.03 * np.sin(2 * np.pi * 0.1 * t) + 0.02 * np.sin(2 * np.pi * 0.25 * t)
    rri += 0.06 * np.sin(2 * np.pi * t / 86_400) + 0.01 * rng.standard_normal(n)
    beat_s: FloatArray = 1.0 + np.cumsum(rri)
    return beat_s[beat_s < hours * 3600.0 - 2.0]


def waveform(
    beat_s: FloatArray, hours: float, rate_hz: int, waves: tuple[tuple[float, float, float], ...], noise: float
) -> FloatArray:
    """Draw each beat as a sum of bells (place, height, width), with a wandering level and white noise."""
    n = int(hours * 3600 * rate_hz)
    x = noise * np.random.default_rng(2).standard_normal(n)
    x += 0.2 * np.sin(2 * np.pi * 0.25 / rate_hz * np.arange(n))
    nearest = np.round(beat_s * rate_hz).astype(np.int64)
    for step in range(-int(0.4 * rate_hz), int(0.9 * rate_hz)):
        at = nearest + step
        inside = (at >= 0) & (at < n)
        since = at[inside] / rate_hz - beat_s[inside]
        np.add.at(x, at[inside], sum(h * np.exp(-0.5 * ((since - place) / w) ** 2) for place, h, w in waves))
    return x


if __name__ == "__main__":
    main()

"""How fast and how right are the signals? Beside peers, in turns, in one run, in processor seconds.

python benchmarks/signals.py [--peers PYTHON]

PYTHON is an interpreter in an environment of its own that has the peers (neurokit2, sleepecg, systole, hrv-analysis,
antropy, astropy); without it unaji runs alone. Peers that fail are said to have failed. Parts on other signals are in
modules beside this one named signals_*.py, each with a function main().
"""

from __future__ import annotations

import argparse
import importlib
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unaji.signals.correction import interpolate_artefacts
from unaji.signals.hrv import rmssd
from unaji.signals.indices import hrv_table
from unaji.signals.nonlinear import dfa_alpha1, sample_entropy
from unaji.signals.spectrum import spectrum
from unaji.signals.tachogram import Tachogram

HERE = Path(__file__).resolve().parent
N_BEATS = 103_083
DAY_S = 86_400.0
RUNS = 5


def day_of_beats(seed: int = 1) -> np.ndarray:
    """Invent 24 h of intervals [ms]: 1/f noise, the swing of the day, a drifting 0.1 Hz wave, breathing, jitter."""
    rng = np.random.default_rng(seed)
    frequency = np.fft.rfftfreq(N_BEATS)
    noise = np.zeros(frequency.size, dtype=complex)
    noise[1:] = np.exp(2j * np.pi * rng.random(frequency.size - 1)) / np.sqrt(frequency[1:])
    slow = np.fft.irfft(noise, N_BEATS)
    beat = np.arange(N_BEATS)
    day = 60 * np.sin(2 * np.pi * beat / N_BEATS)
    wave = 15 * np.sin(2 * np.pi * 0.084 * beat + np.cumsum(0.02 * rng.standard_normal(N_BEATS)))
    breath = 20 * np.sin(2 * np.pi * 0.21 * beat + np.cumsum(0.1 * rng.standard_normal(N_BEATS)))
    return 838 + 45 * slow / slow.std() + day + wave + breath + 6 * rng.standard_normal(N_BEATS)


def corrupted(rri_ms: np.ndarray, share: float = 0.0085, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Put in missed, double and early beats; return the intervals and which are not as they were (1.4 %)."""
    rng = np.random.default_rng(seed)
    out: list[float] = []
    wrong: list[bool] = []
    k = 0
    while k < rri_ms.size - 1:
        what, this, following = rng.random(), rri_ms[k], rri_ms[k + 1]
        early, split = rng.uniform(0.2, 0.4) * this, rng.uniform(0.25, 0.75)
        if what > share:
            new, step, bad = [this], 1, False
        elif what < share / 3:
            new, step, bad = [this + following], 2, True
        elif what < 2 * share / 3:
            new, step, bad = [split * this, (1 - split) * this], 1, True
        else:
            new, step, bad = [this - early, following + early], 2, True
        out += new
        wrong += [bad] * len(new)
        k += step
    return np.array(out), np.array(wrong)


def cpu_s(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the least processor time of several runs after one to warm up [s]."""
    work()
    least = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least


def extra_mib(work: Callable[[], object]) -> float:
    """Return the most memory that arrays of one run took beyond what was there [MiB]."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def rr_jobs(rri_ms: np.ndarray, bad_ms: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return unaji's jobs on a day of beats, by name."""
    day = Tachogram.of_intervals(rri_ms, correct=False)
    starts_s = 60.0 * np.arange(1440)
    low, high, sd = np.array([0]), np.array([rri_ms.size]), np.array([rri_ms.std(ddof=1)])
    whole = np.zeros(1), float(day.end_s[-1])
    return {
        "1440 windows, time + frequency (Welch)": lambda: hrv_table(day, starts_s, 300.0, nonlinear=False),
        "1440 windows, time + frequency (exact Lomb)": lambda: hrv_table(
            day, starts_s, 300.0, method="lomb", nonlinear=False
        ),
        "1440 windows, every index": lambda: hrv_table(day, starts_s, 300.0),
        "artefacts: classes and corrected beats": lambda: interpolate_artefacts(Tachogram.of_intervals(bad_ms)),
        "sample entropy, exact": lambda: sample_entropy(day.nn_ms, day.joined, low, high, sd),
        "DFA 4 to 16": lambda: dfa_alpha1(day.nn_ms, day.joined, low, high),
        "Welch spectrum": lambda: spectrum(day, *whole),
        "exact Lomb spectrum": lambda: spectrum(day, *whole, method="lomb"),
    }


REACH_S = {
    "1440 windows, time + frequency (Welch)": 0.1,
    "artefacts: classes and corrected beats": 0.1,
    "sample entropy, exact": 1.0,
    "DFA 4 to 16": 0.010,
    "Welch spectrum": 0.025,
    "exact Lomb spectrum": 0.1,
}

PEERS = r"""
import json, pickle, sys, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid  # systole still asks for the old name
try:
    import nolds
except Exception:
    import types
    sys.modules["nolds"] = types.ModuleType("nolds")  # hrv-analysis imports it, for entropy only
rri, bad = pickle.load(open(sys.argv[1], "rb"))
end = np.cumsum(rri) / 1000
def windows():
    return [(np.searchsorted(end, s), np.searchsorted(end, s + 300)) for s in 60.0 * np.arange(1440)]
def rmssd(x): return float(np.sqrt(np.mean(np.diff(x) ** 2)))
def sleepecg_windows():
    import sleepecg
    record = sleepecg.SleepRecord(heartbeat_times=np.concatenate(([0.0], end)), sleep_stage_duration=60)
    return sleepecg.extract_features([record], lookback=240, lookforward=60,
                                     feature_selection=["hrv-time", "hrv-frequency"])
def neurokit_windows():
    import neurokit2 as nk
    for low, high in windows()[::10]:
        peaks = nk.intervals_to_peaks(rri[low:high], sampling_rate=1000)
        nk.hrv_time(peaks, sampling_rate=1000)
        nk.hrv_frequency(peaks, sampling_rate=1000, normalize=False)
def hrvanalysis_windows():
    from hrvanalysis import get_frequency_domain_features, get_time_domain_features
    for low, high in windows()[::10]:
        get_time_domain_features(list(rri[low:high]))
        get_frequency_domain_features(list(rri[low:high]))
def neurokit_artefacts():
    import neurokit2 as nk
    peaks = nk.intervals_to_peaks(bad, sampling_rate=1000)
    info, fixed = nk.signal_fixpeaks(peaks, sampling_rate=1000, iterative=True, method="kubios")
    return rmssd(np.diff(fixed))
def systole_artefacts():
    from systole.correction import correct_rr
    return rmssd(np.asarray(correct_rr(bad, verbose=False)[0]))
def antropy_entropy():
    import antropy
    return float(antropy.sample_entropy(rri, order=2))
def antropy_dfa():
    import antropy
    return float(antropy.detrended_fluctuation(rri))
def systole_welch():
    from systole.hrv import frequency_domain
    frequency_domain(rri, input_type="rr_ms")
def astropy_lomb():
    from astropy.timeseries import LombScargle
    LombScargle(end, rri - rri.mean()).power(np.arange(1, 34560) / 86400, method="fast", assume_regular_frequency=True)
JOBS = [
    ("1440 windows, time + frequency (Welch)", "sleepecg", sleepecg_windows, 1),
    ("1440 windows, time + frequency (Welch)", "neurokit2 (every 10th window, times 10)", neurokit_windows, 10),
    ("1440 windows, time + frequency (Welch)", "hrv-analysis (every 10th window, times 10)", hrvanalysis_windows, 10),
    ("artefacts: classes and corrected beats", "neurokit2", neurokit_artefacts, 1),
    ("artefacts: classes and corrected beats", "systole", systole_artefacts, 1),
    ("sample entropy, exact", "antropy", antropy_entropy, 1),
    ("DFA 4 to 16", "antropy (its own scales)", antropy_dfa, 1),
    ("Welch spectrum", "systole", systole_welch, 1),
    ("exact Lomb spectrum", "astropy (one fast transform)", astropy_lomb, 1),
]
for job, peer, work, factor in JOBS:
    try:
        if peer.split()[0] != "neurokit2":
            work()
        t = time.process_time(); out = work(); t = (time.process_time() - t) * factor
        print(json.dumps([job, peer, t, out if isinstance(out, float) else None]), flush=True)
    except Exception as error:
        print(json.dumps([job, peer, None, f"{type(error).__name__}: {error}"[:90]]), flush=True)
"""


def rr(peers: str | None) -> None:
    """Print the figures for RR intervals."""
    clean_ms = day_of_beats()
    bad_ms, wrong = corrupted(clean_ms)
    jobs = rr_jobs(clean_ms, bad_ms)
    ours = {name: cpu_s(work) for name, work in jobs.items()}
    print(f"24 h of RR intervals, {clean_ms.size:,} beats; processor seconds, least of {RUNS}")
    for name, seconds in ours.items():
        reach = f"   {seconds / REACH_S[name]:5.2f} of the limit of {REACH_S[name]:g} s" if name in REACH_S else ""
        print(f"  {name:46s}{seconds:8.4f} s{extra_mib(jobs[name]):7.1f} MiB{reach}")
    made = Tachogram.of_intervals(bad_ms)
    truth = rmssd(clean_ms)
    print(f"RMSSD with {wrong.mean():.1%} of the intervals corrupted: clean {truth:.3f}, raw {rmssd(bad_ms):.3f} ms")
    for how, value in (
        ("valid pairs", rmssd(made.nn_ms)),
        ("interpolated", rmssd(interpolate_artefacts(made).rri_ms)),
    ):
        print(f"  unaji, {how:14s}{value:8.3f} ms  {100 * (value / truth - 1):+.2f} %")
    if peers:
        _peers(peers, (clean_ms, bad_ms), ours, truth)


def _peers(python: str, data: object, ours: dict[str, float], truth: float) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pkl") as file:
        pickle.dump(data, file)
        file.flush()
        done = subprocess.run([python, "-c", PEERS, file.name], capture_output=True, text=True, check=False)
    print("peers in turn in the same run, processor seconds, and how many times ours")
    for line in done.stdout.splitlines():
        if not line.startswith('["'):
            continue
        job, peer, seconds, out = json.loads(line)
        if seconds is None:
            print(f"  {job:46s}{peer}: failed ({out})")
            continue
        error = f"   RMSSD {out:.3f} ms, {100 * (out / truth - 1):+.2f} %" if job.startswith("artefacts") else ""
        print(f"  {job:46s}{peer:44s}{seconds:9.3f} s{seconds / ours[job]:9.0f} ×{error}")
    if done.returncode:
        print(f"  the peers stopped: {done.stderr[-300:]}")


def main() -> None:
    """Print every part's figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peers", help="an interpreter whose environment has the peers")
    peers = options.parse_args().peers
    rr(peers)
    for part in sorted(HERE.glob("signals_*.py")):
        sys.path.insert(0, str(HERE))
        importlib.import_module(part.stem).main()
    print(f"most memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

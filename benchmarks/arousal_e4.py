"""What are heart rate and the rise of skin conductance worth against labels of stress and rest?

python benchmarks/arousal_e4.py FOLDER

FOLDER holds e4-stress-predict: twelve sessions of an Empatica E4 (Iqbal et al., Sensors, 2022;22:8135). Prints the
weights that `unaji.signals.arousal` ships, and how well they do in people left out of the learning. All figures are per
minute whose middle lies in a labelled phase. "Bracketed" compares the interview and hyperventilation only with the
rests just before and after them, which a mere clock cannot tell apart.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from unaji.records.folder import read_folder
from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals import arousal
from unaji.signals.adjust import lagged, unexplained
from unaji.signals.eda_windows import eda_windows
from unaji.signals.latent import latent_of_minutes
from unaji.signals.latent_inputs import Input
from unaji.signals.minutes import Minutes, minutes_of
from unaji.signals.ppg import ppg_beats

TASKS = ("stroop", "interview", "hyperventilation")
RESTS = ("relax_1", "relax_2", "relax_3", "baseline_after")
BRACKETS = {"interview": ("relax_1", "relax_2"), "hyperventilation": ("relax_2", "relax_3")}
N_BOOTSTRAP, N_SHIFTS, SEED = 2000, 200, 20220207

Columns = FloatArray  # one row a signal, one column a minute


@dataclass(frozen=True, eq=False)
class Session:
    """One person's minutes, the phase of each ("" between phases), and what the pulse wave says of them."""

    name: str
    minutes: Minutes
    phase: NDArray[np.str_]
    pulse: dict[str, FloatArray]
    edasymp: FloatArray

    def is_in(self, phases: Iterable[str]) -> BoolArray:
        return np.isin(self.phase, list(phases))


class Score(NamedTuple):
    pooled: float
    mean: float
    by_person: FloatArray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    sessions = read_sessions(parser.parse_args().folder)
    signals = [np.stack(arousal.signals_of_minutes(s.minutes)) for s in sessions]
    print_weights(sessions, signals)
    left_out = leave_one_out(sessions, signals)
    print_figures(sessions, signals, left_out)
    print_checks(sessions, signals, left_out)
    print_candidates(sessions)
    print_choice(sessions)
    print_latent(sessions)


# ---- reading


def read_sessions(folder: Path) -> list[Session]:
    phases: dict[str, list[tuple[str, np.datetime64, np.datetime64]]] = {}
    with (folder / "time_logs.csv").open() as lines:
        for row in csv.DictReader(lines):
            start, end = (np.datetime64(row[key].removesuffix("Z"), "ms") for key in ("start_utc", "end_utc"))
            phases.setdefault(row["subject"], []).append((row["phase"], start, end))
    return [read_session(folder / subject, phases[subject]) for subject in sorted(phases)]


def read_session(folder: Path, phases: list[tuple[str, np.datetime64, np.datetime64]]) -> Session:
    timeline = read_folder(folder, timezone="Europe/Dublin")
    minutes = minutes_of(timeline)
    conductance = timeline.of("scl_microsiemens")
    assert minutes is not None
    assert conductance is not None
    middle = minutes.time + np.timedelta64(30, "s")
    phase = np.full(middle.size, "", dtype="U20")
    for name, start, end in phases:
        if name in TASKS + RESTS:
            phase[(middle >= start) & (middle < end)] = name
    three = eda_windows(conductance, minutes.time - np.timedelta64(60, "s"), 180.0)
    return Session(folder.name, minutes, phase, pulse_by_minute(folder, minutes), np.log(three.edasymp_microsiemens2))


def pulse_by_minute(folder: Path, minutes: Minutes) -> dict[str, FloatArray]:
    """Heart rate, amplitude and its scatter from the 64 Hz pulse wave, over beats that look like pulses."""
    numbers = np.loadtxt(folder / "BVP.csv")
    beats = ppg_beats(numbers[2:], numbers[1])
    start_s = minutes.time.astype("datetime64[ms]").astype(np.int64) / 1000.0 - numbers[0]
    good = beats.quality >= 0.8
    pair = good & np.append(False, good[:-1]) & np.isfinite(beats.rri_ms)
    # For the rate every pair counts, the better ones more; for the amplitude only good beats.
    rate = np.where(np.isfinite(beats.rri_ms) & (beats.rri_ms > 350.0) & (beats.rri_ms < 1500.0), beats.rri_ms, np.nan)
    amplitude = np.log(np.where(good & (beats.amplitude > 0.0), beats.amplitude, np.nan))
    change = np.where(pair, np.abs(np.diff(beats.rri_ms, prepend=np.nan)), np.nan)
    inside = [(beats.time_s >= s) & (beats.time_s < s + 60.0) for s in start_s]

    def each(values: FloatArray, how: Callable[[FloatArray], float]) -> FloatArray:
        known = [values[i & np.isfinite(values)] for i in inside]
        return np.array([how(v) if v.size >= 10 else np.nan for v in known])

    return {
        "rate": -each(np.log(rate), lambda v: float(np.median(v))),
        "amplitude": each(amplitude, lambda v: float(np.median(v))),
        "variability": each(np.log(change + 2.0), lambda v: float(np.median(v))),
    }


# ---- learning and judging


def from_the_past(z: Columns) -> Columns:
    """The same signals, given when their last minute is over; the person's usual is still that of the whole record."""
    heart_rate, conductance_rise = z
    smoothing = len(arousal.SMOOTHING) // 2
    return np.stack((lagged(heart_rate, smoothing), lagged(conductance_rise, smoothing + arousal.RISE_REACH_MIN)))


def learn_weights(sessions: Sequence[Session], signals: Sequence[Columns]) -> list[arousal.Learnt]:
    tasks = np.concatenate([z[:, s.is_in(TASKS)] for s, z in zip(sessions, signals, strict=True)], axis=1)
    rests = np.concatenate([z[:, s.is_in(RESTS)] for s, z in zip(sessions, signals, strict=True)], axis=1)
    return [arousal.learn(task, rest) for task, rest in zip(tasks, rests, strict=True)]


def leave_one_out(sessions: Sequence[Session], signals: Sequence[Columns]) -> list[FloatArray]:
    """Judge each person by what the others taught."""
    found = []
    for k, z in enumerate(signals):
        learnt = learn_weights([*sessions[:k], *sessions[k + 1 :]], [*signals[:k], *signals[k + 1 :]])
        found.append(arousal.log_likelihood_ratio(z, learnt))
    return found


def area(task: FloatArray, rest: FloatArray) -> float:
    """Chance that a minute of a task ranks above one of rest (Mann and Whitney)."""
    if not task.size or not rest.size:
        return float("nan")
    ranks = rankdata(np.concatenate((task, rest)))[: task.size]
    return float((ranks.sum() - task.size * (task.size + 1) / 2.0) / (task.size * rest.size))


def score(
    sessions: Sequence[Session], index: Sequence[FloatArray], tasks: Iterable[str] = TASKS, rests: Iterable[str] = RESTS
) -> Score:
    task = [x[s.is_in(tasks) & np.isfinite(x)] for s, x in zip(sessions, index, strict=True)]
    rest = [x[s.is_in(rests) & np.isfinite(x)] for s, x in zip(sessions, index, strict=True)]
    each = np.array([area(t, r) for t, r in zip(task, rest, strict=True)])
    return Score(area(np.concatenate(task), np.concatenate(rest)), float(np.nanmean(each)), each)


def bracketed(sessions: Sequence[Session], index: Sequence[FloatArray]) -> float:
    """Mean over people of comparisons with the neighbouring rests, each pair of minutes counting once."""
    each = []
    for s, x in zip(sessions, index, strict=True):
        won, pairs = 0.0, 0
        for task, rests in BRACKETS.items():
            t, r = x[s.is_in((task,)) & np.isfinite(x)], x[s.is_in(rests) & np.isfinite(x)]
            if t.size and r.size:
                won, pairs = won + area(t, r) * t.size * r.size, pairs + t.size * r.size
        each.append(won / pairs if pairs else np.nan)
    return float(np.nanmean(each))


def interval(sessions: Sequence[Session], index: Sequence[FloatArray]) -> FloatArray:
    """95 % intervals of pooled, mean and bracketed AUROC over people drawn anew: low and high, by three."""
    rng = np.random.default_rng(SEED)
    found = []
    for drawn in rng.integers(0, len(sessions), (N_BOOTSTRAP, len(sessions))):
        people, theirs = [sessions[i] for i in drawn], [index[i] for i in drawn]
        found.append((*score(people, theirs)[:2], bracketed(people, theirs)))
    ends: FloatArray = np.quantile(np.array(found), (0.025, 0.975), axis=0)
    return ends


# ---- printing


def line(name: str, sessions: Sequence[Session], index: Sequence[FloatArray]) -> str:
    whole = score(sessions, index)
    phases = "  ".join(f"{score(sessions, index, (p,)).pooled:.2f}" for p in TASKS)
    calm = score(sessions, index, TASKS[:2]).pooled
    return f"{name:44s} {whole.pooled:.3f}  {whole.mean:.3f}   {calm:.3f}   {bracketed(sessions, index):.3f}   {phases}"


HEAD = f"{'':44s} pooled mean   no hyp. bracketed stroop interview hyperventilation"


def print_weights(sessions: Sequence[Session], signals: Sequence[Columns]) -> None:
    print("Weights from all people:")
    for name, learnt in zip(arousal.Weights._fields, learn_weights(sessions, signals), strict=True):
        print(f"  {name}=Learnt(rest={learnt.rest:.2f}, task={learnt.task:.2f}, variance={learnt.variance:.2f})")
    print(f"  correlation of the two within tasks and within rest: {correlation_within(sessions, signals):.2f}")


def correlation_within(sessions: Sequence[Session], signals: Sequence[Columns]) -> float:
    about = []
    for phases in (TASKS, RESTS):
        z = np.concatenate([z[:, s.is_in(phases)] for s, z in zip(sessions, signals, strict=True)], axis=1)
        about.append(z[:, np.isfinite(z).all(axis=0)])
    return float(np.corrcoef(np.concatenate([z - z.mean(axis=1, keepdims=True) for z in about], axis=1))[0, 1])


def print_figures(sessions: Sequence[Session], signals: Sequence[Columns], left_out: Sequence[FloatArray]) -> None:
    n_task, n_rest = (sum(int(s.is_in(p).sum()) for s in sessions) for p in (TASKS, RESTS))
    print(f"\nAUROC per minute, each person left out of the learning ({n_task} minutes of tasks, {n_rest} of rest)")
    print(HEAD)
    print(line("shipped: heart rate and rise, less movement", sessions, left_out))
    low, high = interval(sessions, left_out)
    spans = (
        f"{name} {a:.3f} to {b:.3f}" for name, a, b in zip(("pooled", "mean", "bracketed"), low, high, strict=True)
    )
    print("  95 % over people: " + ", ".join(spans))
    each = zip(sessions, score(sessions, left_out).by_person, strict=True)
    print("  " + "  ".join(f"{s.name} {x:.2f}" for s, x in each))
    for k, name in enumerate(arousal.Weights._fields):
        print(line(f"{name} only", sessions, leave_one_out(sessions, [z[[k]] for z in signals])))
    print(line("both with equal weights, nothing learnt", sessions, [z.sum(axis=0) for z in signals]))
    print(line("from past minutes only", sessions, leave_one_out(sessions, [from_the_past(z) for z in signals])))
    for name, adjust_for in (
        ("no adjustment at all", frozenset[Input]()),
        ("less warmth only", frozenset({Input.WARMTH})),
        ("less movement and warmth", frozenset({Input.MOVEMENT, Input.WARMTH})),
        ("less everything", frozenset(Input)),
    ):
        other = [np.stack(arousal.signals_of_minutes(s.minutes, adjust_for=adjust_for)) for s in sessions]
        print(line(name, sessions, leave_one_out(sessions, other)))


def print_checks(sessions: Sequence[Session], signals: Sequence[Columns], left_out: Sequence[FloatArray]) -> None:
    print(f"\nWhat must not do it\n{HEAD}")
    moved = [standardised(np.sqrt(given(s.minutes.movement))[None]) for s in sessions]
    print(line("movement alone, learnt", sessions, leave_one_out(sessions, moved)))
    clock = [-np.arange(float(s.phase.size))[None] for s in sessions]
    print(
        line(
            "minutes since the start alone, learnt", sessions, leave_one_out(sessions, [standardised(x) for x in clock])
        )
    )
    shifted = [shifted_score(sessions, signals, np.random.default_rng((SEED, k))) for k in range(N_SHIFTS)]
    print(f"labels shifted around within each person, {N_SHIFTS} times: mean {np.mean(shifted):.3f}, "
          f"highest {np.max(shifted):.3f}")  # fmt: skip
    print_calibration(sessions, left_out)


def shifted_score(sessions: Sequence[Session], signals: Sequence[Columns], rng: np.random.Generator) -> float:
    """Learn and judge anew with each person's labels turned around the labelled minutes by a random number."""
    turned, kept = [], []
    for s, z in zip(sessions, signals, strict=True):
        at = np.flatnonzero(s.phase != "")
        turned.append(replace(s, phase=np.roll(s.phase[at], rng.integers(at.size))))
        kept.append(z[:, at])
    return score(turned, leave_one_out(turned, kept)).pooled


def print_calibration(sessions: Sequence[Session], left_out: Sequence[FloatArray]) -> None:
    """Compare the chance given with what happened, tasks and rests weighted alike."""
    x = np.concatenate([i[s.is_in(TASKS + RESTS)] for s, i in zip(sessions, left_out, strict=True)])
    task = np.concatenate([s.is_in(TASKS)[s.is_in(TASKS + RESTS)] for s in sessions])
    x, task = x[np.isfinite(x)], task[np.isfinite(x)]
    weight = np.where(task, 0.5 / task.mean(), 0.5 / (1.0 - task.mean()))
    fit = minimize(lambda p: weight @ np.logaddexp(0.0, np.where(task, -1.0, 1.0) * (p[0] + p[1] * x)), (0.0, 1.0))
    print(f"calibration: log odds = {fit.x[0]:.2f} + {fit.x[1]:.2f} index (right is 0 and 1)")
    chance = 1.0 / (1.0 + np.exp(-x))
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        inside = (chance >= low) & (chance < high)
        share = np.average(task[inside], weights=weight[inside])
        said = chance[inside].mean()
        print(f"  chance {low:.1f} to {high:.1f}: said {said:.2f}, was {share:.2f} ({inside.sum()} minutes)")


def given(values: FloatArray | None) -> FloatArray:
    """Return what every session of this set has."""
    assert values is not None
    return values


def standardised(x: Columns) -> Columns:
    return np.stack([np.clip(unexplained(row, []), -arousal.LARGEST_SD, arousal.LARGEST_SD) for row in x])


def smoothed(x: Columns) -> Columns:
    return np.stack([arousal._smoothed(row) for row in standardised(x)])


def candidates(s: Session) -> dict[str, FloatArray]:
    """What was looked at, raw, up where physiology says that stress is up."""
    m = s.minutes
    level, heart = np.log(given(m.tonic_microsiemens)), np.log(given(m.hr_bpm))
    skin_c, drive = given(m.skin_temp_c), given(m.drive_microsiemens_min)
    return {
        "heart rate": heart,
        "heart rate, from the pulse wave": s.pulse["rate"],
        "change of heart rate": arousal.rise(heart),
        "scatter of intervals (down)": -s.pulse["variability"],
        "pulse amplitude (down)": -s.pulse["amplitude"],
        "fall of pulse amplitude": -arousal.rise(s.pulse["amplitude"]),
        "level of skin conductance": level,
        "rise of skin conductance": arousal.rise(level),
        "drive of skin conductance": np.log(np.maximum(drive, 0.0) + 0.05),
        "EDASymp over three minutes": s.edasymp,
        "skin temperature (down)": -skin_c,
        "fall of skin temperature": -arousal.rise(skin_c),
    }


def print_candidates(sessions: Sequence[Session]) -> None:
    print(f"\nSignals one by one, standardised within the person, not smoothed, not adjusted, nothing learnt\n{HEAD}")
    found = [candidates(s) for s in sessions]
    for name in found[0]:
        print(line(name, sessions, [standardised(f[name][None])[0] for f in found]))
    print(f"\nAdded to heart rate and rise (not adjusted, smoothed), each person left out of the learning\n{HEAD}")
    pair = ("heart rate", "rise of skin conductance")
    for name in ("", *(name for name in found[0] if name not in pair)):
        columns = [smoothed(np.stack([f[n] for n in (*pair, name) if n])) for f in found]
        print(line(f"and {name}" if name else "the two alone", sessions, leave_one_out(sessions, columns)))

    print_two_heart_rates(sessions, found)


def print_two_heart_rates(sessions: Sequence[Session], found: Sequence[dict[str, FloatArray]]) -> None:
    """What would the pulse wave's own heart rate, averaged with that of the device, add to the two signals?"""
    names = ("heart rate", "rise of skin conductance", "heart rate, from the pulse wave")
    columns = [smoothed(np.stack([f[n] for n in names])) for f in found]
    without = leave_one_out(sessions, [z[:2] for z in columns])
    averaged = [np.stack((np.where(np.isfinite(z[2]), (z[0] + z[2]) / 2.0, z[0]), z[1])) for z in columns]
    index = leave_one_out(sessions, averaged)
    print(line("the two, both heart rates averaged", sessions, index))
    rng, more = np.random.default_rng(SEED), []
    for drawn in rng.integers(0, len(sessions), (N_BOOTSTRAP, len(sessions))):
        people = [sessions[i] for i in drawn]
        pair = [score(people, [x[i] for i in drawn]).pooled for x in (index, without)]
        more.append(pair[0] - pair[1])
    low, high = np.quantile(more, (0.025, 0.975))
    print(f"  more than the two alone by, 95 % over people: {low:.3f} to {high:.3f}")


def print_choice(sessions: Sequence[Session]) -> None:
    """Choose signals, reach and smoothing anew without each person, by the AUROC within the others."""
    tables = {}
    for reach, smooth, names in product((1, 2, 3), (False, True), ((0,), (1,), (0, 1), (0, 1, 2))):
        columns = []
        for s in sessions:
            found = candidates(s)
            level = np.log(given(s.minutes.tonic_microsiemens))
            rows = (found["heart rate"], arousal.rise(level, reach), found["drive of skin conductance"])
            columns.append((smoothed if smooth else standardised)(np.stack([rows[n] for n in names])))
        tables[reach, smooth, names] = columns
    index, chosen = [], []
    for k in range(len(sessions)):
        others = [*sessions[:k], *sessions[k + 1 :]]
        inner = {key: [*t[:k], *t[k + 1 :]] for key, t in tables.items()}
        best = max(inner, key=lambda key: score(others, leave_one_out(others, inner[key])).pooled)
        index.append(arousal.log_likelihood_ratio(tables[best][k], learn_weights(others, inner[best])))
        chosen.append(best)
    print(f"\nSignals (0 heart rate, 1 rise, 2 drive), reach and smoothing chosen without the person\n{HEAD}")
    print(line(f"chosen among {len(tables)}", sessions, index))
    print("  " + "; ".join(f"{s.name} {c}" for s, c in zip(sessions, chosen, strict=True)))


def print_latent(sessions: Sequence[Session]) -> None:
    print(f"\nThe hidden curves, which learn from nobody\n{HEAD}")
    states = [latent_of_minutes(s.minutes) for s in sessions]
    for name in ("sympathetic", "balance", "additional_hr_bpm"):
        print(line(name, sessions, [getattr(state, name) for state in states]))


if __name__ == "__main__":
    main()

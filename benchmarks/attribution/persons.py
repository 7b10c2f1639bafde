"""Simulate persons, let the engine and the other methods look at their records, hold the answers to the truth."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

import unaji
from unaji.care.treatment import treatment_effects
from unaji.causes.attribution import Attribution, Estimate, Verdict
from unaji.causes.design import BIN_MIN, Design, Onset, Trigger, courses_of
from unaji.causes.engine import attribute
from unaji.causes.grid import make_grid, with_observed
from unaji.people.outside import Outside
from unaji.people.simulate import SimulatedPerson, simulate_person
from unaji.records.timeline import Zones

NULL_SEEDS = 10_000
"""Persons without causes take the seeds from here above those with causes."""


@dataclass(frozen=True)
class Task:
    """Which person, and who looks at the records."""

    seed: int
    null: bool
    misspecified: bool = False
    baselines: bool = True


@dataclass(frozen=True, eq=False)
class Course:
    """One course of treatment: the ratio with / without that was true, what was said of it, and the crude one."""

    truth: float
    mean: float
    p5: float
    p95: float
    before_after: float


@dataclass(frozen=True, eq=False)
class Examined:
    """One person. Arrays run over the k exposures shown, the n episodes fitted, and the k + 2 sources.

    Attributes
    ----------
    cause : ndarray of bool, shape (k,)
        Is it a cause?
    p : ndarray, shape (k,)
        P(cause); NaN where the signal could not be fitted.
    explained, share, share_if_cause : ndarray, shape (k, 3)
        Mean and ends of the 90 % interval; NaN where nothing was said.
    realised : ndarray, shape (k,)
        Logged episodes that it really set off.
    unlikely : ndarray of bool, shape (k,)
        Was "unlikely" said of it?
    p_source, oracle_true, oracle_logged : ndarray, shape (n, k + 2)
        Of each episode: exposures in their order, background, echo. A cause that is not shown counts as background.
    parent : ndarray of int, shape (n,)
        Column of the true source.
    scores : dict of str to ndarray, shape (k,)
        What each other method gives each exposure; the higher, the more of a cause.
    failed : dict of str to int
        Exposures that a method could not score; they stand at no evidence.
    seconds : dict of str to float
    """

    seed: int
    null: bool
    generator: str
    ids: tuple[str, ...]
    cause: np.ndarray
    p: np.ndarray
    explained: np.ndarray
    share: np.ndarray
    share_if_cause: np.ndarray
    realised: np.ndarray
    unlikely: np.ndarray
    p_source: np.ndarray
    oracle_true: np.ndarray
    oracle_logged: np.ndarray
    parent: np.ndarray
    course: Course | None
    chain_gap: float
    sweeps: int
    scores: dict[str, np.ndarray]
    failed: dict[str, int]
    seconds: dict[str, float]

    @property
    def n(self) -> int:
        """Number of episodes."""
        return int(self.parent.size)

    @property
    def rank(self) -> np.ndarray:
        """P(cause), 0 where it could not be fitted: a cause that is not looked at is not found."""
        return np.nan_to_num(self.p)


def tasks(persons: int, null: int, seed: int, *, misspecified: bool, baselines: bool) -> list[Task]:
    """Return the persons of both cohorts."""
    some = [Task(seed + k, False, misspecified, baselines) for k in range(persons)]
    return some + [Task(seed + NULL_SEEDS + k, True, misspecified, baselines) for k in range(null)]


def draw(task: Task) -> SimulatedPerson:
    """Simulate the person of a task."""
    outside = Outside() if task.misspecified else None
    return simulate_person(np.random.default_rng(task.seed), null=task.null, outside=outside)


def design_of(person: SimulatedPerson) -> Design:
    """Return what the person's diary and sensors recorded, as the engine takes it."""
    span = timedelta(minutes=BIN_MIN * (len(person.observed) - 1))
    grid = make_grid(person.grid_start, person.grid_start + span, Zones((person.timezone,)))
    triggers = tuple(Trigger(k, s.kind, s.value, s.lag_min, s.hold_min) for k, s in person.signals.items())
    onsets = tuple(Onset(t) for t in person.onsets)
    courses = courses_of(("acupuncture", session) for session in person.sessions)
    return Design(with_observed(grid, person.observed), triggers, onsets, courses)


def examine(task: Task) -> Examined:
    """Let everyone look at one person's records and hold the engine's answer against the truth."""
    person = draw(task)
    design = design_of(person)
    began = time.perf_counter()
    result = attribute(design, seed=task.seed)
    seconds = {"engine": time.perf_counter() - began}
    scores, failed = {}, {}
    if task.baselines:
        from benchmarks.attribution.baselines import METHODS, prepare

        records = prepare(design)
        for name, method in METHODS.items():
            began = time.perf_counter()
            score = method(records)
            seconds[name] = time.perf_counter() - began
            failed[name] = int(np.isnan(score).sum())
            scores[name] = np.nan_to_num(score)
    return _held_to_truth(task, person, design, result, scores, failed, seconds)


def examine_all(todo: list[Task], workers: int, keep: Path | None) -> Iterator[Examined]:
    """Examine persons on several processors, in any order; what `keep` holds from the same sources is read."""
    store = None if keep is None else _Store(keep)
    kept = {} if store is None else {task: found for task in todo if (found := store.load(task)) is not None}
    yield from kept.values()
    for task, found in _examined([task for task in todo if task not in kept], workers):
        if store is not None:
            store.save(task, found)
        yield found


def _examined(todo: list[Task], workers: int) -> Iterator[tuple[Task, Examined]]:
    if workers == 1:
        yield from ((task, examine(task)) for task in todo)
        return
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(examine, task): task for task in todo}
        for future in as_completed(running):
            yield running[future], future.result()


class _Store:
    """Persons already examined, one file each, under the fingerprint of the sources that examined them."""

    def __init__(self, folder: Path) -> None:
        here, library = Path(__file__).parent, Path(unaji.__file__).parent
        files = [
            *here.glob("*.py"),
            *(f for room in ("causes", "people", "care") for f in (library / room).glob("*.py")),
        ]
        self._folder = folder / _fingerprint(files)
        self._folder.mkdir(parents=True, exist_ok=True)

    def load(self, task: Task) -> Examined | None:
        file = self._file(task)
        return pickle.loads(file.read_bytes()) if file.exists() else None

    def save(self, task: Task, found: Examined) -> None:
        part = self._file(task).with_suffix(".part")
        part.write_bytes(pickle.dumps(found))
        part.rename(self._file(task))

    def _file(self, task: Task) -> Path:
        kind = f"{'null' if task.null else 'some'}{'-outside' if task.misspecified else ''}"
        return self._folder / f"{kind}{'' if task.baselines else '-alone'}-{task.seed}.pickle"


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.name not in ("table.py", "metrics.py", "__main__.py"):  # they only read what was kept
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _held_to_truth(
    task: Task,
    person: SimulatedPerson,
    design: Design,
    result: Attribution,
    scores: dict[str, np.ndarray],
    failed: dict[str, int],
    seconds: dict[str, float],
) -> Examined:
    causes = result.causes
    ids = tuple(c.id for c in causes)
    at = {onset: i for i, onset in enumerate(person.onsets)}
    rows = np.array([at[onset] for onset in result.episodes.onset], dtype=np.int64)
    sources = (*ids, "background", "echo")
    parents = [p if p in sources else "background" for p in person.parents]
    return Examined(
        seed=task.seed,
        null=task.null,
        generator=person.truth.generator,
        ids=ids,
        cause=np.array([c.id in person.truth.shown_causes for c in causes], dtype=bool),
        p=np.array([c.p_cause for c in causes]),
        explained=_rows([c.episodes_explained for c in causes]),
        share=_rows([c.share for c in causes]),
        share_if_cause=_rows([c.share_if_cause for c in causes]),
        realised=np.array([person.parents.count(name) for name in ids]),
        unlikely=np.array([c.verdict is Verdict.UNLIKELY for c in causes], dtype=bool),
        p_source=_columns(result.episodes.p, result.episodes.sources, sources),
        oracle_true=_columns(person.oracle.at_true, person.oracle.sources, sources)[rows],
        oracle_logged=_columns(person.oracle.at_logged, person.oracle.sources, sources)[rows],
        parent=np.array([sources.index(parents[i]) for i in rows], dtype=np.int64),
        course=_course(person, design, result),
        chain_gap=result.chain_gap,
        sweeps=result.sweeps,
        scores=scores,
        failed=failed,
        seconds=seconds,
    )


def _rows(estimates: list[Estimate | None]) -> np.ndarray:
    nothing = Estimate(np.nan, np.nan, np.nan)
    return np.array([[e.mean, e.p5, e.p95] for e in (one or nothing for one in estimates)])


def _columns(table: np.ndarray, have: tuple[str, ...], want: tuple[str, ...]) -> np.ndarray:
    """Bring a table's columns into the order of `want`; what is not wanted by name goes to the background."""
    out = np.zeros((table.shape[0], len(want)))
    for j, name in enumerate(have):
        out[:, want.index(name if name in want else "background")] += table[:, j]
    return out


def _course(person: SimulatedPerson, design: Design, result: Attribution) -> Course | None:
    effects = treatment_effects(design, result)
    if not effects or person.truth.treatment is None:
        return None
    said = effects[0].ratio
    return Course(person.truth.treatment.mean_ratio, said.mean, said.p5, said.p95, effects[0].before_after_ratio)

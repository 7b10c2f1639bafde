"""The collapsed sampler: which components are at work, with which lag and amplitude, parents integrated out.

State: inclusion z, entry ℓ and amplitude a of every component, day multipliers u, their shape ν, effect δ and time
constant τ of every damper (a kind of treatment, a protecting exposure), and for each source how its episodes' marks
are distributed. One sweep does (a) inclusion, entry and amplitude of each selectable component in turn, (b) two swaps
of an included trigger against an excluded one, (c) parents, conjugate amplitudes and marks, (d) each damper with u
integrated out, (e) ν and u. Steps (a) and (b) draw from a table of entries × amplitude cells and correct the
discretisation with a Metropolis step, so they are exact for any number of cells. z is never drawn given the parents:
a component that owns one episode could then never leave.

The loops are in `unaji.causes._kernels_sampler`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from unaji.causes._kernels_sampler import ECHO_SHAPE, N_CELLS, Model, Record, State, sweeps
from unaji.causes.features import Tables
from unaji.records.timeline import FloatArray

NU_GRID = np.array([0.8, 1.5, 3.0, 6.0, 12.0, 30.0, 1e4])
DELTA_GRID = np.concatenate([[0.0], np.linspace(-0.6, 2.2, 29)])
TREATMENT_TAUS_D = (3.0, 6.0, 12.0)
ECHO_PRIOR = 0.35
TRIGGER_SHAPE, BACKGROUND_SHAPE, BUMP_SHAPE = 1.5, 1.5, 0.5
TRIGGER_SHARE, BACKGROUND_SHARE, BUMP_SHARE, ECHO_MEAN = 0.25, 0.4, 0.08, 0.2
"""Prior means of the amplitudes, as shares of max(N, 3) episodes; for the echo, episodes per episode."""
MARK_WEIGHT = 8.0
"""Before any episode is known, each source's marks are spread as all episodes' are, as if it had this many [A]."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Priors:
    """Priors of the components, in the order of the tables.

    Attributes
    ----------
    shape, rate : ndarray, shape (n_components,)
        Gamma priors of the amplitudes.
    inclusion : ndarray, shape (n_components,)
        Prior probability of being at work; 1 for the background shapes, which are always in.
    nodes : ndarray, shape (n_components, N_CELLS)
        Medians of the equal-probability cells of each amplitude prior.
    log_delta : ndarray, shape (30,)
        Log prior of `DELTA_GRID`: a point mass at 0 and a normal on the rest.
    """

    shape: FloatArray
    rate: FloatArray
    inclusion: FloatArray
    nodes: FloatArray
    log_delta: FloatArray


class Damper(NamedTuple):
    """What lowers (or raises) the rate of a whole day: a kind of treatment, or an exposure that may protect.

    Attributes
    ----------
    id : str
    dose : ndarray, shape (n_taus, n_days)
        Dose of each day, 0 to 1, for each time constant that is considered.
    """

    id: str
    dose: FloatArray


def make_priors(tables: Tables) -> Priors:
    """Set the priors for a person's tables."""
    n = max(len(tables.onset_day), 3)
    b, k = tables.n_background, len(tables.triggers)
    bumps = b - 1
    shape = np.array([BACKGROUND_SHAPE] + [BUMP_SHAPE] * bumps + [TRIGGER_SHAPE] * k + [ECHO_SHAPE])
    mean = np.array([BACKGROUND_SHARE * n] + [BUMP_SHARE * n] * bumps + [TRIGGER_SHARE * n] * k + [ECHO_MEAN])
    inclusion = np.array([1.0] * b + list(tables.prior) + [ECHO_PRIOR])
    middle = (np.arange(N_CELLS) + 0.5) / N_CELLS
    nodes = gammaincinv(shape[:, None], middle[None, :]) * (mean / shape)[:, None]
    log_slab = -0.5 * ((DELTA_GRID[1:] - 0.45) / 0.6) ** 2  # the normal density, up to what the next line divides by
    log_delta = np.concatenate([[np.log(0.4)], np.log(0.6) + log_slab - np.logaddexp.reduce(log_slab)])
    return Priors(shape, shape / mean, inclusion, nodes, log_delta)


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """Kept draws of one or more chains.

    Attributes
    ----------
    z : ndarray of bool, shape (n_draws, n_components)
    entry : ndarray of int, shape (n_draws, n_components)
    amplitude : ndarray, shape (n_draws, n_components)
        0 where z is False.
    explained : ndarray, shape (n_draws, n_components)
        Expected number of episodes from each component: amplitude × the feature's sum under the day multipliers.
    delta : ndarray, shape (n_draws, n_dampers)
        Log reduction of the rate at full dose.
    tau : ndarray of int, shape (n_draws, n_dampers)
        Index of each damper's time constant.
    nu : ndarray, shape (n_draws,)
        Shape of the day multipliers.
    parents : ndarray, shape (n_blocks, n_onsets, n_components)
        Mean probability of each component having set off each episode, block by block of the chains.
    at_work : ndarray, shape (n_blocks, n_components)
        Mean probability of each selectable component being at work, given all else, block by block: the same in the
        mean as that of `z` but for what the amplitude cells leave out, and far less noisy.
    acceptance : float
        Share of accepted corrections in steps (a) and (b).
    chain : ndarray of int, shape (n_draws,)
    """

    z: NDArray[np.bool_]
    entry: IntArray
    amplitude: FloatArray
    explained: FloatArray
    delta: FloatArray
    tau: IntArray
    nu: FloatArray
    parents: FloatArray
    at_work: FloatArray
    acceptance: float
    chain: IntArray


class Chain:
    """One chain: advance it in blocks, so that long runs can show progress and be interrupted."""

    def __init__(self, model: Model, rng: np.random.Generator) -> None:
        """Start from the background alone."""
        self._rng = rng
        self._model = model
        components, entries, n = model.onset_e.shape
        z = np.zeros(components, dtype=np.bool_)
        z[: model.n_background] = True
        dampers, sources = model.n_taus.size, components - model.n_background + 1
        self._state = State(
            z=z,
            entry=np.argmax(model.log_prior, axis=1).astype(np.int64),
            a=np.where(z, model.shape / model.rate, 0.0),
            u=np.ones(model.per_day.size),
            nu=np.array([model.nu.size - 1], dtype=np.int64),
            effect=np.zeros(dampers, dtype=np.int64),
            tau=np.zeros(dampers, dtype=np.int64),
            damped=np.ones(model.per_day.size),
            x=np.zeros(components * entries),
            fit=np.ones((components, n)),
            shares=np.repeat(model.mark_share[:, None, :], sources, axis=1),
            per_rest=np.zeros(n),
            accepted=np.zeros(2),
        )

    def run(self, n_sweeps: int) -> Record:
        """Advance by `n_sweeps` and return their draws; the parents' probabilities are summed over them."""
        components, _, n = self._model.onset_e.shape
        dampers = self._model.n_taus.size
        record = Record(
            z=np.zeros((n_sweeps, components), dtype=np.bool_),
            entry=np.zeros((n_sweeps, components), dtype=np.int64),
            amplitude=np.zeros((n_sweeps, components)),
            explained=np.zeros((n_sweeps, components)),
            effect=np.zeros((n_sweeps, dampers), dtype=np.int64),
            tau=np.zeros((n_sweeps, dampers), dtype=np.int64),
            nu=np.zeros(n_sweeps, dtype=np.int64),
            parents=np.zeros((n, components)),
            at_work=np.zeros(components),
        )
        sweeps(self._rng, self._model, self._state, record)
        return record

    @property
    def acceptance(self) -> float:
        """Share of accepted corrections in steps (a) and (b) so far."""
        return float(self._state.accepted[0] / max(self._state.accepted[1], 1))


def make_model(tables: Tables, dampers: Sequence[Damper] = (), marks: IntArray | None = None) -> Model:
    """Put tables, priors, dampers and marks together for the kernels.

    Parameters
    ----------
    tables : Tables
    dampers : sequence of Damper
    marks : ndarray of int, shape (n_marks, n_onsets), optional
        Class of each episode's marks (how strong, how long), −1 where not known.
    """
    priors = make_priors(tables)
    n_days = tables.day_x.shape[0]
    per_day = np.bincount(tables.onset_day, minlength=n_days).astype(float)
    dose, n_taus = _doses(dampers, n_days)
    marks = np.zeros((0, len(tables.onset_day)), dtype=np.int64) if marks is None else marks
    with np.errstate(divide="ignore"):
        log_odds = np.log(priors.inclusion) - np.log1p(-priors.inclusion)
    return Model(
        onset_e=np.ascontiguousarray(tables.onset_e.transpose(1, 2, 0)),
        day_x=np.ascontiguousarray(tables.day_x.reshape(n_days, -1)),
        log_prior=tables.log_prior,
        per_day=per_day,
        n_background=tables.n_background,
        shape=priors.shape,
        rate=priors.rate,
        log_odds=log_odds,
        nodes=priors.nodes,
        nu=NU_GRID,
        log_gamma_terms=np.array([sum(math.lgamma(nu + n) - math.lgamma(nu) for n in per_day) for nu in NU_GRID]),
        delta=DELTA_GRID,
        log_delta=priors.log_delta,
        kept=np.exp(-DELTA_GRID * dose[..., None]),
        n_taus=n_taus,
        first_day=np.array([_first_day(one) for one in dose], dtype=np.int64),
        on_episodes=dose @ per_day,
        mark=marks,
        mark_share=_shares(marks),
        mark_weight=MARK_WEIGHT,
    )


def _doses(dampers: Sequence[Damper], n_days: int) -> tuple[FloatArray, IntArray]:
    """Return all doses in one array, shape (n_dampers, most taus, n_days), and how many time constants each has."""
    n_taus = np.array([damper.dose.shape[0] for damper in dampers], dtype=np.int64)
    dose = np.zeros((len(dampers), int(n_taus.max(initial=1)), n_days))
    for m, damper in enumerate(dampers):
        dose[m, : n_taus[m]] = damper.dose
    return dose, n_taus


def _first_day(dose: FloatArray) -> int:
    days = np.flatnonzero(dose.any(axis=0))
    return int(days[0]) if days.size else dose.shape[1]


def _shares(marks: IntArray) -> FloatArray:
    """Share of each class among all episodes whose class is known, shape (n_marks, n_classes)."""
    classes = int(marks.max(initial=0)) + 1
    count = (
        np.stack([np.bincount(row[row >= 0], minlength=classes) for row in marks]) if marks.size else np.ones((0, 1))
    )
    return np.asarray(count / np.maximum(count.sum(axis=1, keepdims=True), 1))


def combine(records: list[Record], chain: list[int], acceptance: float) -> Draws:
    """Put the kept blocks of several chains together."""
    return Draws(
        z=np.concatenate([r.z for r in records]),
        entry=np.concatenate([r.entry for r in records]),
        amplitude=np.concatenate([r.amplitude for r in records]),
        explained=np.concatenate([r.explained for r in records]),
        delta=DELTA_GRID[np.concatenate([r.effect for r in records])],
        tau=np.concatenate([r.tau for r in records]),
        nu=NU_GRID[np.concatenate([r.nu for r in records])],
        parents=np.stack([r.parents / r.z.shape[0] for r in records]),
        at_work=np.stack([r.at_work / r.z.shape[0] for r in records]),
        acceptance=acceptance,
        chain=np.repeat(chain, [r.z.shape[0] for r in records]),
    )

"""The collapsed sampler: which components are at work, with which lag and amplitude, parents integrated out.

State: inclusion z, entry ℓ and amplitude a of every component, day multipliers u, their shape ν, treatment effect δ
with time constant τ. One sweep does (a) inclusion, entry and amplitude of each selectable component in turn, (b) two
swaps of an included trigger against an excluded one, (c) parents and conjugate amplitudes, (d) treatment with u
integrated out, (e) ν and u. Steps (a) and (b) draw from a table of entries × amplitude cells and correct the
discretisation with a Metropolis step, so they are exact for any number of cells. z is never drawn given the parents:
a component that owns one episode could then never leave.

The kernels below hold loops and nothing else; `unaji.causes.engine` prepares their arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.stats import gamma as gamma_distribution
from scipy.stats import norm

from unaji.causes.features import Tables
from unaji.records.timeline import FloatArray

N_CELLS = 16
"""Equal-probability cells of the amplitude prior."""
SWAPS = 2
NU_GRID = np.array([0.8, 1.5, 3.0, 6.0, 12.0, 30.0, 1e4])
DELTA_GRID = np.concatenate([[0.0], np.linspace(-0.6, 2.2, 29)])
TREATMENT_TAUS_D = (3.0, 6.0, 12.0)
OVERFLOW_GUARD = 1e100
ECHO_PRIOR = 0.35
TRIGGER_SHAPE, BACKGROUND_SHAPE, BUMP_SHAPE, ECHO_SHAPE = 1.5, 1.5, 0.5, 2.0
TRIGGER_SHARE, BACKGROUND_SHARE, BUMP_SHARE, ECHO_MEAN = 0.25, 0.4, 0.08, 0.2
"""Prior means of the amplitudes, as shares of max(N, 3) episodes; for the echo, episodes per episode."""

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


def make_priors(tables: Tables) -> Priors:
    """Set the priors for a person's tables."""
    n = max(len(tables.onset_day), 3)
    b, k = tables.n_background, len(tables.triggers)
    bumps = b - 1
    shape = np.array([BACKGROUND_SHAPE] + [BUMP_SHAPE] * bumps + [TRIGGER_SHAPE] * k + [ECHO_SHAPE])
    mean = np.array([BACKGROUND_SHARE * n] + [BUMP_SHARE * n] * bumps + [TRIGGER_SHARE * n] * k + [ECHO_MEAN])
    inclusion = np.array([1.0] * b + list(tables.prior) + [ECHO_PRIOR])
    middle = (np.arange(N_CELLS) + 0.5) / N_CELLS
    nodes = gamma_distribution.ppf(middle[None, :], a=shape[:, None], scale=(mean / shape)[:, None])
    step = DELTA_GRID[2] - DELTA_GRID[1]
    log_slab = norm.logpdf(DELTA_GRID[1:], 0.45, 0.6) + np.log(step)
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
    delta, tau : ndarray, shape (n_draws,)
        Treatment effect and index of its time constant.
    nu : ndarray, shape (n_draws,)
        Shape of the day multipliers.
    parents : ndarray, shape (n_blocks, n_onsets, n_components)
        Mean probability of each component having set off each episode, block by block of the chains.
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
    acceptance: float
    chain: IntArray


class Model(NamedTuple):
    """All that stays fixed during a run, for the kernels; shapes as in `Tables` and `Priors`."""

    onset_e: FloatArray
    day_x: FloatArray
    log_prior: FloatArray
    per_day: FloatArray  # (n_days,) episodes of each day
    doses: FloatArray  # (n_taus, n_days) treatment dose
    has_treatment: bool
    n_background: int
    shape: FloatArray
    rate: FloatArray
    inclusion: FloatArray
    nodes: FloatArray
    log_delta: FloatArray
    log_gamma_terms: FloatArray  # (n_nu,) Σ_d [log Γ(ν + N_d) − log Γ(ν)]


class State(NamedTuple):
    """Where a chain stands; the kernels change its arrays in place."""

    z: NDArray[np.bool_]
    entry: IntArray
    a: FloatArray
    u: FloatArray  # (n_days,)
    scalars: FloatArray  # δ, index of τ, index of ν
    x: FloatArray  # (n_components, n_entries) Σ_d w_d X_d
    rest: FloatArray  # (n_onsets,) intensity at the onsets without the component under work
    accepted: FloatArray  # corrections accepted, and tried


class Record(NamedTuple):
    """What a block of sweeps leaves behind."""

    z: NDArray[np.bool_]
    entry: IntArray
    amplitude: FloatArray
    explained: FloatArray
    scalars: FloatArray
    parents: FloatArray


class Chain:
    """One chain: advance it in blocks, so that long runs can show progress and be interrupted."""

    def __init__(self, tables: Tables, doses: FloatArray | None, rng: np.random.Generator) -> None:
        """Start from the background alone; `doses` has shape (3, n_days), None without treatment."""
        self._rng = rng
        self._model = make_model(tables, doses)
        n, n_components, n_entries = tables.onset_e.shape
        z = np.zeros(n_components, dtype=np.bool_)
        z[: tables.n_background] = True
        self._state = State(
            z=z,
            entry=np.argmax(tables.log_prior, axis=1).astype(np.int64),
            a=np.where(z, self._model.shape / self._model.rate, 0.0),
            u=np.ones(tables.day_x.shape[0]),
            scalars=np.array([0.0, 0.0, NU_GRID.size - 1.0]),
            x=np.zeros((n_components, n_entries)),
            rest=np.zeros(n),
            accepted=np.zeros(2),
        )

    def run(self, sweeps: int) -> Record:
        """Advance by `sweeps` and return their draws; the parents' probabilities are summed over them."""
        n, components, _ = self._model.onset_e.shape
        record = Record(
            z=np.zeros((sweeps, components), dtype=np.bool_),
            entry=np.zeros((sweeps, components), dtype=np.int64),
            amplitude=np.zeros((sweeps, components)),
            explained=np.zeros((sweeps, components)),
            scalars=np.zeros((sweeps, 3)),
            parents=np.zeros((n, components)),
        )
        _sweeps(self._rng, self._model, self._state, record)
        return record

    @property
    def acceptance(self) -> float:
        """Share of accepted corrections in steps (a) and (b) so far."""
        return float(self._state.accepted[0] / max(self._state.accepted[1], 1))


def make_model(tables: Tables, doses: FloatArray | None) -> Model:
    """Put tables, priors and treatment doses together for the kernels."""
    priors = make_priors(tables)
    n_days = tables.day_x.shape[0]
    per_day = np.bincount(tables.onset_day, minlength=n_days).astype(float)
    return Model(
        onset_e=tables.onset_e,
        day_x=tables.day_x,
        log_prior=tables.log_prior,
        per_day=per_day,
        doses=np.zeros((len(TREATMENT_TAUS_D), n_days)) if doses is None else doses,
        has_treatment=doses is not None,
        n_background=tables.n_background,
        shape=priors.shape,
        rate=priors.rate,
        inclusion=priors.inclusion,
        nodes=priors.nodes,
        log_delta=priors.log_delta,
        log_gamma_terms=np.array([sum(math.lgamma(nu + n) - math.lgamma(nu) for n in per_day) for nu in NU_GRID]),
    )


def combine(records: list[Record], chain: list[int], acceptance: float) -> Draws:
    """Put the kept blocks of several chains together."""
    scalars = np.concatenate([r.scalars for r in records])
    return Draws(
        z=np.concatenate([r.z for r in records]),
        entry=np.concatenate([r.entry for r in records]),
        amplitude=np.concatenate([r.amplitude for r in records]),
        explained=np.concatenate([r.explained for r in records]),
        delta=scalars[:, 0],
        tau=scalars[:, 1].astype(np.int64),
        nu=NU_GRID[scalars[:, 2].astype(np.int64)],
        parents=np.stack([r.parents / r.z.shape[0] for r in records]),
        acceptance=acceptance,
        chain=np.repeat(chain, [r.z.shape[0] for r in records]),
    )


# --- kernels -------------------------------------------------------------------------------------------------------


@njit(cache=True)
def _sweeps(rng: np.random.Generator, model: Model, state: State, record: Record) -> None:
    entries, cells = model.log_prior.shape[1], model.nodes.shape[1]
    table_j, table_k = np.zeros((entries, cells)), np.zeros((entries, cells))
    load = np.zeros(model.per_day.size)
    for s in range(record.z.shape[0]):
        _weigh_exposure(model, state)
        for c in range(model.n_background, state.z.size):
            _set_rest(model, state, c, -1)
            _fill_table(model, state, c, table_j)
            _update_component(rng, model, state, c, table_j)
        for _ in range(SWAPS):
            _swap(rng, model, state, table_j, table_k)
        counts = _parents(rng, model, state, record.parents)
        for c in range(state.z.size):
            if state.z[c]:
                rate = model.rate[c] + state.x[c, state.entry[c]]
                state.a[c] = rng.standard_gamma(model.shape[c] + counts[c]) / rate
        _daily_load(model, state, load)
        if model.has_treatment:
            _treatment(rng, model, state, load)
        _day_multipliers(rng, model, state, load)
        _write(model, state, record, s)


@njit(cache=True)
def _day_weight(model: Model, state: State, d: int) -> float:
    """w_d = u_d · exp(−δ D_d)."""
    return float(state.u[d] * math.exp(-state.scalars[0] * model.doses[int(state.scalars[1]), d]))


@njit(cache=True)
def _weigh_exposure(model: Model, state: State) -> None:
    state.x[:] = 0.0
    for d in range(model.day_x.shape[0]):
        w = _day_weight(model, state, d)
        for c in range(model.day_x.shape[1]):
            for e in range(model.day_x.shape[2]):
                state.x[c, e] += w * model.day_x[d, c, e]


@njit(cache=True)
def _set_rest(model: Model, state: State, without: int, without_too: int) -> None:
    """Intensity at each onset from all components but one or two."""
    state.rest[:] = 0.0
    for c in range(state.z.size):
        if state.z[c] and c not in (without, without_too):
            for i in range(state.rest.size):
                state.rest[i] += state.a[c] * model.onset_e[i, c, state.entry[c]]


@njit(cache=True)
def _log_factor(model: Model, state: State, c: int, e: int, amplitude: float) -> float:
    """Log likelihood ratio of the component at this entry and amplitude against its absence.

    Factors are multiplied and logged once per overflow guard: a log per term would cost five times as much.
    """
    log_sum, product = -amplitude * state.x[c, e], 1.0
    for i in range(state.rest.size):
        product *= 1.0 + amplitude * model.onset_e[i, c, e] / state.rest[i]
        if product > OVERFLOW_GUARD:
            log_sum += math.log(product)
            product = 1.0
    return float(log_sum + math.log(product))


@njit(cache=True)
def _fill_table(model: Model, state: State, c: int, table: FloatArray) -> None:
    """Log weight of each entry × amplitude cell, given that the component is at work."""
    cells = model.nodes.shape[1]
    ratio = np.empty(state.rest.size)
    for e in range(table.shape[0]):
        if model.log_prior[c, e] == -np.inf:
            table[e] = -np.inf
            continue
        for i in range(ratio.size):
            ratio[i] = model.onset_e[i, c, e] / state.rest[i]
        for q in range(cells):
            amplitude = model.nodes[c, q]
            log_sum, product = model.log_prior[c, e] - math.log(cells) - amplitude * state.x[c, e], 1.0
            for i in range(ratio.size):
                product *= 1.0 + amplitude * ratio[i]
                if product > OVERFLOW_GUARD:
                    log_sum += math.log(product)
                    product = 1.0
            table[e, q] = log_sum + math.log(product)


@njit(cache=True)
def _update_component(rng: np.random.Generator, model: Model, state: State, c: int, table: FloatArray) -> None:
    """Step (a): draw (z, ℓ, cell), then the amplitude inside the cell, and correct."""
    top = max(0.0, table.max() + _log_odds(model, c))
    off = math.exp(-top)
    left = rng.random() * (off + _mass(table, _log_odds(model, c) - top)) - off
    z_new, e_new, a_new, log_new = left >= 0, 0, 0.0, 0.0
    if z_new:
        e_new, q_new = _pick(table, _log_odds(model, c) - top, left)
        a_new = _amplitude_in_cell(rng, model, c, q_new)
        log_new = _correction(model, state, c, e_new, q_new, a_new)
    log_old = _current_correction(model, state, c) if state.z[c] else 0.0
    state.accepted[1] += 1
    if math.log(1.0 - rng.random()) < log_new - log_old:
        state.accepted[0] += 1
        state.z[c] = z_new
        if z_new:
            state.entry[c], state.a[c] = e_new, a_new


@njit(cache=True)
def _swap(rng: np.random.Generator, model: Model, state: State, table_j: FloatArray, table_k: FloatArray) -> None:
    """Step (b): let an included and an excluded trigger compete for the one place."""
    first, n_triggers = model.n_background, state.z.size - model.n_background - 1
    n_in = state.z[first : first + n_triggers].sum()
    if n_in in (0, n_triggers):
        return
    j = _nth(state.z, first, rng.integers(0, n_in), True)
    k = _nth(state.z, first, rng.integers(0, n_triggers - n_in), False)
    _set_rest(model, state, j, k)
    _fill_table(model, state, j, table_j)
    _fill_table(model, state, k, table_k)
    top = max(table_j.max() + _log_odds(model, j), table_k.max() + _log_odds(model, k))
    mass_j = _mass(table_j, _log_odds(model, j) - top)
    left = rng.random() * (mass_j + _mass(table_k, _log_odds(model, k) - top)) - mass_j
    if left < 0:
        c = j
        e, q = _pick(table_j, _log_odds(model, j) - top, left + mass_j)
    else:
        c = k
        e, q = _pick(table_k, _log_odds(model, k) - top, left)
    a_new = _amplitude_in_cell(rng, model, c, q)
    log_ratio = _correction(model, state, c, e, q, a_new) - _current_correction(model, state, j)
    state.accepted[1] += 1
    if math.log(1.0 - rng.random()) < log_ratio:
        state.accepted[0] += 1
        state.z[j] = False
        state.z[c], state.entry[c], state.a[c] = True, e, a_new


@njit(cache=True)
def _nth(z: NDArray[np.bool_], first: int, n: int, included: bool) -> int:
    """Index of the n-th trigger that is (not) included."""
    c, seen = first, -1
    while True:
        if z[c] == included:
            seen += 1
            if seen == n:
                return c
        c += 1


@njit(cache=True)
def _log_odds(model: Model, c: int) -> float:
    return math.log(model.inclusion[c]) - math.log(1.0 - model.inclusion[c])


@njit(cache=True)
def _mass(table: FloatArray, log_scale: float) -> float:
    total = 0.0
    for e in range(table.shape[0]):
        for q in range(table.shape[1]):
            total += math.exp(table[e, q] + log_scale)
    return total


@njit(cache=True)
def _pick(table: FloatArray, log_scale: float, left: float) -> tuple[int, int]:
    """Walk the table until `left` is used up; rounding at the end falls back on the last cell with any weight."""
    last_e, last_q = 0, 0
    for e in range(table.shape[0]):
        for q in range(table.shape[1]):
            weight = math.exp(table[e, q] + log_scale)
            if weight > 0:
                last_e, last_q = e, q
                left -= weight
                if left < 0:
                    return e, q
    return last_e, last_q


@njit(cache=True)
def _correction(model: Model, state: State, c: int, e: int, q: int, amplitude: float) -> float:
    """Log of f(amplitude) / f(node of its cell): what the cell's node left out."""
    return _log_factor(model, state, c, e, amplitude) - _log_factor(model, state, c, e, model.nodes[c, q])


@njit(cache=True)
def _current_correction(model: Model, state: State, c: int) -> float:
    cells = model.nodes.shape[1]
    q = min(cells - 1, int(cells * _gamma_cdf(state.a[c] * model.rate[c], model.shape[c])))
    return _correction(model, state, c, state.entry[c], q, state.a[c])


@njit(cache=True)
def _gamma_cdf(value: float, shape: float) -> float:
    """Distribution function of a unit-scale gamma; closed forms for the two shapes of selectable components."""
    if shape == ECHO_SHAPE:
        return 1.0 - (1.0 + value) * math.exp(-value)
    return math.erf(math.sqrt(value)) - 2.0 * math.sqrt(value / math.pi) * math.exp(-value)


@njit(cache=True)
def _amplitude_in_cell(rng: np.random.Generator, model: Model, c: int, q: int) -> float:
    """Draw from the amplitude prior inside one of its equal-probability cells, by inversion."""
    target = (q + rng.random()) / model.nodes.shape[1]
    low, high = 0.0, 60.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _gamma_cdf(middle, model.shape[c]) < target:
            low = middle
        else:
            high = middle
    return float(0.5 * (low + high) / model.rate[c])


@njit(cache=True)
def _parents(rng: np.random.Generator, model: Model, state: State, parents: FloatArray) -> FloatArray:
    """Step (c): draw a parent for each episode, count children, and add up the parents' probabilities."""
    counts, weights = np.zeros(state.z.size), np.zeros(state.z.size)
    for i in range(model.onset_e.shape[0]):
        for c in range(weights.size):
            weights[c] = state.a[c] * model.onset_e[i, c, state.entry[c]] if state.z[c] else 0.0
        total = weights.sum()
        left, parent = rng.random() * total, 0
        for c in range(weights.size):
            parents[i, c] += weights[c] / total
            if left >= 0 and weights[c] > 0:
                parent = c
                left -= weights[c]
        counts[parent] += 1
    return counts


@njit(cache=True)
def _daily_load(model: Model, state: State, load: FloatArray) -> None:
    """Λ_d: expected episodes of each day before its multiplier."""
    load[:] = 0.0
    for d in range(load.size):
        for c in range(state.z.size):
            if state.z[c]:
                load[d] += state.a[c] * model.day_x[d, c, state.entry[c]]


@njit(cache=True)
def _treatment(rng: np.random.Generator, model: Model, state: State, load: FloatArray) -> None:
    """Step (d): draw δ and its time constant with the day multipliers integrated out."""
    log_w = _treatment_table(model, load, NU_GRID[int(state.scalars[2])])
    weight = np.exp(log_w - log_w.max())
    left = rng.random() * weight.sum()
    for t in range(weight.shape[0]):
        for g in range(weight.shape[1]):
            if weight[t, g] > 0 and left >= 0:
                state.scalars[0], state.scalars[1] = DELTA_GRID[g], t
            left -= weight[t, g]


@njit(cache=True)
def _treatment_table(model: Model, load: FloatArray, nu: float) -> FloatArray:
    """Log weight of each τ × δ."""
    log_w = np.empty((model.doses.shape[0], model.log_delta.size))
    for t in range(log_w.shape[0]):
        for g in range(log_w.shape[1]):
            log_w[t, g] = model.log_delta[g]
            for d in range(load.size):
                effect = DELTA_GRID[g] * model.doses[t, d]
                log_w[t, g] -= effect * model.per_day[d]
                log_w[t, g] -= (nu + model.per_day[d]) * math.log(nu + load[d] * math.exp(-effect))
    return log_w


@njit(cache=True)
def _day_multipliers(rng: np.random.Generator, model: Model, state: State, load: FloatArray) -> None:
    """Step (e): draw ν with u integrated out, then u."""
    treated = np.empty(load.size)
    for d in range(load.size):
        treated[d] = load[d] * math.exp(-state.scalars[0] * model.doses[int(state.scalars[1]), d])
    log_w = _nu_table(model, treated)
    weight = np.exp(log_w - log_w.max())
    left = rng.random() * weight.sum()
    for g in range(weight.size):
        if weight[g] > 0 and left >= 0:
            state.scalars[2] = g
        left -= weight[g]
    nu = NU_GRID[int(state.scalars[2])]
    for d in range(load.size):
        state.u[d] = rng.standard_gamma(nu + model.per_day[d]) / (nu + treated[d])


@njit(cache=True)
def _nu_table(model: Model, treated: FloatArray) -> FloatArray:
    """Log weight of each ν, u integrated out."""
    log_w = model.log_gamma_terms.copy()
    for g in range(log_w.size):
        nu = NU_GRID[g]
        for d in range(treated.size):
            log_w[g] += nu * math.log(nu) - (nu + model.per_day[d]) * math.log(nu + treated[d])
    return log_w


@njit(cache=True)
def _write(model: Model, state: State, record: Record, s: int) -> None:
    record.z[s], record.entry[s], record.scalars[s] = state.z, state.entry, state.scalars
    _weigh_exposure(model, state)
    for c in range(state.z.size):
        record.amplitude[s, c] = state.a[c] if state.z[c] else 0.0
        record.explained[s, c] = record.amplitude[s, c] * state.x[c, state.entry[c]]

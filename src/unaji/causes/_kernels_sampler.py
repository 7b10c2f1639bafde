"""The loops of the collapsed sampler; `unaji.causes.sampler` says what they do and prepares their arrays.

They hold loops and nothing else, and use what is known of their numbers: products are logged once in a while instead of
term by term, and run over the amplitude cells innermost, so that a processor takes several at a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

N_CELLS = 16
"""Equal-probability cells of the amplitude prior."""
SWAPS = 2
ECHO_SHAPE = 2.0
OVERFLOW_GUARD = 1e100
LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453
ROUND = 1.5 * 2.0**52
"""Adding and subtracting it rounds to the nearest whole number."""
ROUND_BITS = int(np.array([ROUND]).view(np.int64)[0])


class Model(NamedTuple):
    """All that stays fixed during a run."""

    onset_e: FloatArray  # (n_components, n_entries, n_onsets) features at the onsets
    day_x: FloatArray  # (n_days, n_components · n_entries) features summed over days
    log_prior: FloatArray  # (n_components, n_entries)
    per_day: FloatArray  # (n_days,) episodes of each day
    n_background: int
    shape: FloatArray  # (n_components,) gamma priors of the amplitudes
    rate: FloatArray
    log_odds: FloatArray  # (n_components,) of being at work
    nodes: FloatArray  # (n_components, N_CELLS)
    nu: FloatArray  # (n_nu,) grid of the shape of the day multipliers
    log_gamma_terms: FloatArray  # (n_nu,) Σ_d [log Γ(ν + N_d) − log Γ(ν)]
    delta: FloatArray  # (n_delta,) grid of the dampers' effects, the first 0
    log_delta: FloatArray  # (n_delta,) their log prior
    kept: FloatArray  # (n_dampers, n_taus, n_days, n_delta) exp(−δ D_d(τ))
    n_taus: IntArray  # (n_dampers,) how many time constants each has
    first_day: IntArray  # (n_dampers,) before which its dose is 0
    on_episodes: FloatArray  # (n_dampers, n_taus) Σ_d D_d(τ) N_d
    mark: IntArray  # (n_marks, n_onsets) class of each episode's mark; −1 where not known
    mark_share: FloatArray  # (n_marks, n_classes) how common each class is
    mark_weight: float  # episodes that the prior of a source's own shares counts for


class State(NamedTuple):
    """Where a chain stands; the kernels change its arrays in place."""

    z: BoolArray  # (n_components,)
    entry: IntArray  # (n_components,)
    a: FloatArray  # (n_components,)
    u: FloatArray  # (n_days,)
    nu: IntArray  # (1,) index
    effect: IntArray  # (n_dampers,) index of δ
    tau: IntArray  # (n_dampers,) index of τ
    damped: FloatArray  # (n_days,) product of the dampers
    x: FloatArray  # (n_components · n_entries,) Σ_d w_d X_d
    fit: FloatArray  # (n_components, n_onsets) how well a component goes with an episode's marks
    shares: FloatArray  # (n_marks, n_sources, n_classes) of each source's own episodes
    per_rest: FloatArray  # (n_onsets,) 1 / intensity at the onsets without the component under work
    accepted: FloatArray  # corrections accepted, and tried


class Record(NamedTuple):
    """What a block of sweeps leaves behind."""

    z: BoolArray
    entry: IntArray
    amplitude: FloatArray
    explained: FloatArray
    effect: IntArray  # (n_sweeps, n_dampers)
    tau: IntArray
    nu: IntArray  # (n_sweeps,)
    parents: FloatArray  # (n_onsets, n_components), summed over the sweeps
    at_work: FloatArray  # (n_components,) probability of being at work given all else, summed over the sweeps


class Table(NamedTuple):
    """Weights of a component's entries × amplitude cells, and room to compute them in."""

    weight: FloatArray  # (n_entries, n_cells) relative to exp(shift) times the weight of not being at work
    exponent: FloatArray  # (n_entries · n_cells,)
    bits: IntArray  # (n_entries · n_cells,)
    scratch: FloatArray  # (n_entries · n_cells,)
    ratio: FloatArray  # (n_onsets,)
    shift: FloatArray  # (1,) log


@njit(cache=True)
def sweeps(rng: np.random.Generator, model: Model, state: State, record: Record) -> None:
    """Advance the chain by as many sweeps as the record has room for."""
    table_j, table_k = _new_table(model), _new_table(model)
    load, weight = np.zeros(model.per_day.size), np.zeros(model.per_day.size)
    parent = np.zeros(state.per_rest.size, dtype=np.int64)
    weigh_exposure(model, state, weight)
    for s in range(record.z.shape[0]):
        for c in range(model.n_background, state.z.size):
            set_rest(model, state, c, -1)
            fill_table(model, state, c, table_j)
            record.at_work[c] += _update_component(rng, model, state, c, table_j)
        for _ in range(SWAPS):
            _swap(rng, model, state, table_j, table_k)
        _parents(rng, model, state, record.parents, parent)
        _amplitudes(rng, model, state, parent)
        _mark_shares(rng, model, state, parent)
        _daily_load(model, state, load)
        for m in range(state.effect.size):
            _damper(rng, model, state, load, m)
        _day_multipliers(rng, model, state, load)
        weigh_exposure(model, state, weight)
        _write(model, state, record, s)


@njit(cache=True)
def _new_table(model: Model) -> Table:
    entries, cells = model.log_prior.shape[1], model.nodes.shape[1]
    return Table(
        np.zeros((entries, cells)),
        np.zeros(entries * cells),
        np.zeros(entries * cells, dtype=np.int64),
        np.zeros(entries * cells),
        np.zeros(model.onset_e.shape[2]),
        np.zeros(1),
    )


@njit(cache=True)
def weigh_exposure(model: Model, state: State, weight: FloatArray) -> None:
    """Sum each feature over the days, each with its multiplier w_d = u_d · Π exp(−δ D_d)."""
    state.x[:] = 0.0
    for d in range(weight.size):
        weight[d] = state.u[d] * state.damped[d]
        for k in range(state.x.size):
            state.x[k] += weight[d] * model.day_x[d, k]


@njit(cache=True)
def set_rest(model: Model, state: State, without: int, without_too: int) -> None:
    """Reciprocal of the intensity at each onset from all components but one or two, marks included."""
    rest = state.per_rest
    rest[:] = 0.0
    for c in range(state.z.size):
        if state.z[c] and c not in (without, without_too):
            a, e = state.a[c], state.entry[c]
            for i in range(rest.size):
                rest[i] += a * state.fit[c, i] * model.onset_e[c, e, i]
    for i in range(rest.size):
        rest[i] = 1.0 / rest[i]


@njit(cache=True)
def log_factor(model: Model, state: State, c: int, e: int, amplitude: float) -> float:
    """Log likelihood ratio of the component at this entry and amplitude against its absence."""
    log_sum, product = -amplitude * state.x[c * model.log_prior.shape[1] + e], 1.0
    for i in range(state.per_rest.size):
        product *= 1.0 + amplitude * model.onset_e[c, e, i] * state.fit[c, i] * state.per_rest[i]
        if product > OVERFLOW_GUARD:
            log_sum += math.log(product)
            product = 1.0
    return float(log_sum + math.log(product))


@njit(cache=True)
def fill_table(model: Model, state: State, c: int, table: Table) -> None:
    """Weigh each entry × amplitude cell, given that the component is at work: p(ℓ)/Q · f(a, ℓ) / exp(shift)."""
    entries, cells = table.weight.shape
    node, last, overflowed = model.nodes[c], cells - 1, False
    for e in range(entries):
        product, exponent = table.weight[e], table.exponent[e * cells : (e + 1) * cells]
        if model.log_prior[c, e] == -np.inf:
            product[:], exponent[:] = 0.0, 0.0
            continue
        x, base = state.x[c * entries + e], model.log_prior[c, e] - math.log(cells)
        product[:] = 1.0
        for q in range(cells):
            exponent[q] = base - node[q] * x
        for i in range(table.ratio.size):
            table.ratio[i] = model.onset_e[c, e, i] * state.fit[c, i] * state.per_rest[i]
        for i in range(table.ratio.size):
            ratio = table.ratio[i]
            for q in range(cells):
                product[q] *= 1.0 + node[q] * ratio
            if product[last] > OVERFLOW_GUARD:  # the largest node has the largest product
                overflowed = True
                for q in range(cells):
                    exponent[q] += math.log(product[q])
                product[:] = 1.0
    table.shift[0] = 0.0
    if overflowed:
        _shift_to_top(table)
    _exponentials(table.exponent, table.bits, table.scratch)
    for e in range(entries):
        for q in range(cells):
            table.weight[e, q] *= table.scratch[e * cells + q]


@njit(cache=True)
def _shift_to_top(table: Table) -> None:
    """Make the largest weight 1: with so many episodes the weights would not fit into a number."""
    top, cells = -np.inf, table.weight.shape[1]
    for k in range(table.exponent.size):
        product = table.weight[k // cells, k % cells]
        if product > 0.0:
            top = max(top, table.exponent[k] + math.log(product))
    table.shift[0] = top
    table.exponent[:] -= top


@njit(cache=True)
def _exponentials(x: FloatArray, bits: IntArray, out: FloatArray) -> None:
    """Write eˣ to 1e-14 relative, in plain arithmetic that a processor does for several numbers at a time.

    2 to the whole part, made of its bits, times the series of e^f of the rest f. Below −690 it counts as −690.
    """
    powers = bits.view(np.float64)
    for k in range(x.size):
        powers[k] = max(x[k], -690.0) * LOG2_E + ROUND
        f = max(x[k], -690.0) - (powers[k] - ROUND) * LN_2
        series = f * (1 / 6227020800.0) + 1 / 479001600.0
        series = series * f + 1 / 39916800.0
        series = series * f + 1 / 3628800.0
        series = series * f + 1 / 362880.0
        series = series * f + 1 / 40320.0
        series = series * f + 1 / 5040.0
        series = series * f + 1 / 720.0
        series = series * f + 1 / 120.0
        series = series * f + 1 / 24.0
        series = series * f + 1 / 6.0
        series = series * f + 0.5
        out[k] = (series * f + 1.0) * f + 1.0
    for k in range(x.size):
        bits[k] = (bits[k] - ROUND_BITS + 1023) << 52
    for k in range(x.size):
        out[k] *= powers[k]


@njit(cache=True)
def _update_component(rng: np.random.Generator, model: Model, state: State, c: int, table: Table) -> float:
    """Step (a): draw (z, ℓ, cell), then the amplitude inside the cell, and correct; return the probability of z = 1."""
    off, on = math.exp(-table.shift[0] - model.log_odds[c]), table.weight.sum()
    left = rng.random() * (off + on) - off
    z_new, e_new, a_new, log_new = left >= 0, 0, 0.0, 0.0
    if z_new:
        e_new, q_new = _pick(table.weight, left)
        a_new = amplitude_in_cell(rng, model, c, q_new)
        log_new = _correction(model, state, c, e_new, q_new, a_new)
    log_old = _current_correction(model, state, c) if state.z[c] else 0.0
    state.accepted[1] += 1
    if math.log(1.0 - rng.random()) < log_new - log_old:
        state.accepted[0] += 1
        state.z[c] = z_new
        if z_new:
            state.entry[c], state.a[c] = e_new, a_new
    return float(on / (off + on))


@njit(cache=True)
def _swap(rng: np.random.Generator, model: Model, state: State, table_j: Table, table_k: Table) -> None:
    """Step (b): let an included and an excluded trigger compete for the one place."""
    first, n_triggers = model.n_background, state.z.size - model.n_background - 1
    n_in = state.z[first : first + n_triggers].sum()
    if n_in in (0, n_triggers):
        return
    j = _nth(state.z, first, rng.integers(0, n_in), True)
    k = _nth(state.z, first, rng.integers(0, n_triggers - n_in), False)
    set_rest(model, state, j, k)
    fill_table(model, state, j, table_j)
    fill_table(model, state, k, table_k)
    scale_j, scale_k = table_j.shift[0] + model.log_odds[j], table_k.shift[0] + model.log_odds[k]
    mass_j = table_j.weight.sum() * math.exp(scale_j - max(scale_j, scale_k))
    mass_k = table_k.weight.sum() * math.exp(scale_k - max(scale_j, scale_k))
    left = rng.random() * (mass_j + mass_k) - mass_j
    if left < 0:
        c = j
        e, q = _pick(table_j.weight, (left + mass_j) / math.exp(scale_j - max(scale_j, scale_k)))
    else:
        c = k
        e, q = _pick(table_k.weight, left / math.exp(scale_k - max(scale_j, scale_k)))
    a_new = amplitude_in_cell(rng, model, c, q)
    log_ratio = _correction(model, state, c, e, q, a_new) - _current_correction(model, state, j)
    state.accepted[1] += 1
    if math.log(1.0 - rng.random()) < log_ratio:
        state.accepted[0] += 1
        state.z[j] = False
        state.z[c], state.entry[c], state.a[c] = True, e, a_new


@njit(cache=True)
def _nth(z: BoolArray, first: int, n: int, included: bool) -> int:
    """Index of the n-th trigger that is (not) included."""
    c, seen = first, -1
    while True:
        if z[c] == included:
            seen += 1
            if seen == n:
                return c
        c += 1


@njit(cache=True)
def _pick(weight: FloatArray, left: float) -> tuple[int, int]:
    """Walk the table until `left` is used up; rounding at the end falls back on the last cell with any weight."""
    last_e, last_q = 0, 0
    for e in range(weight.shape[0]):
        for q in range(weight.shape[1]):
            if weight[e, q] > 0:
                last_e, last_q = e, q
                left -= weight[e, q]
                if left < 0:
                    return e, q
    return last_e, last_q


@njit(cache=True)
def _correction(model: Model, state: State, c: int, e: int, q: int, amplitude: float) -> float:
    """Log of f(amplitude) / f(node of its cell): what the cell's node left out."""
    return log_factor(model, state, c, e, amplitude) - log_factor(model, state, c, e, model.nodes[c, q])


@njit(cache=True)
def _current_correction(model: Model, state: State, c: int) -> float:
    cells = model.nodes.shape[1]
    q = min(cells - 1, int(cells * gamma_cdf(state.a[c] * model.rate[c], model.shape[c])))
    return _correction(model, state, c, state.entry[c], q, state.a[c])


@njit(cache=True)
def gamma_cdf(value: float, shape: float) -> float:
    """Distribution function of a unit-scale gamma; closed forms for the two shapes of selectable components."""
    if shape == ECHO_SHAPE:
        return 1.0 - (1.0 + value) * math.exp(-value)
    return math.erf(math.sqrt(value)) - 2.0 * math.sqrt(value / math.pi) * math.exp(-value)


@njit(cache=True)
def amplitude_in_cell(rng: np.random.Generator, model: Model, c: int, q: int) -> float:
    """Draw from the amplitude prior inside one of its equal-probability cells, by inversion."""
    target = (q + rng.random()) / model.nodes.shape[1]
    low, high = 0.0, 60.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if gamma_cdf(middle, model.shape[c]) < target:
            low = middle
        else:
            high = middle
    return float(0.5 * (low + high) / model.rate[c])


@njit(cache=True)
def _parents(rng: np.random.Generator, model: Model, state: State, parents: FloatArray, parent: IntArray) -> None:
    """Step (c): draw a parent for each episode, and add up the parents' probabilities."""
    weights = np.zeros(state.z.size)
    for i in range(parent.size):
        total = 0.0
        for c in range(weights.size):
            if state.z[c]:
                weights[c] = state.a[c] * state.fit[c, i] * model.onset_e[c, state.entry[c], i]
                total += weights[c]
        left, parent[i] = rng.random() * total, 0
        for c in range(weights.size):
            if state.z[c] and weights[c] > 0:
                parents[i, c] += weights[c] / total
                if left >= 0:
                    parent[i] = c
                    left -= weights[c]


@njit(cache=True)
def _amplitudes(rng: np.random.Generator, model: Model, state: State, parent: IntArray) -> None:
    """Draw each amplitude given the episodes it has set off."""
    counts, entries = np.zeros(state.z.size), model.log_prior.shape[1]
    for c in parent:
        counts[c] += 1
    for c in range(state.z.size):
        if state.z[c]:
            rate = model.rate[c] + state.x[c * entries + state.entry[c]]
            state.a[c] = rng.standard_gamma(model.shape[c] + counts[c]) / rate


@njit(cache=True)
def _mark_shares(rng: np.random.Generator, model: Model, state: State, parent: IntArray) -> None:
    """Draw how common each class of a mark is among each source's episodes, given the parents, and what follows."""
    if model.mark.shape[0] == 0:
        return
    state.fit[:] = 1.0
    for m in range(model.mark.shape[0]):
        n_sources, n_classes = state.shares.shape[1], state.shares.shape[2]
        count = np.zeros((n_sources, n_classes))
        for i in range(parent.size):
            if model.mark[m, i] >= 0:
                count[max(0, parent[i] - model.n_background + 1), model.mark[m, i]] += 1
        for s in range(n_sources):
            total = 0.0
            for k in range(n_classes):
                drawn = rng.standard_gamma(model.mark_weight * model.mark_share[m, k] + count[s, k])
                state.shares[m, s, k] = drawn
                total += drawn
            state.shares[m, s] /= total
        for c in range(state.z.size):
            s = max(0, c - model.n_background + 1)
            for i in range(parent.size):
                k = model.mark[m, i]
                if k >= 0:
                    state.fit[c, i] *= max(state.shares[m, s, k], 1e-12) / model.mark_share[m, k]


@njit(cache=True)
def _daily_load(model: Model, state: State, load: FloatArray) -> None:
    """Λ_d: expected episodes of each day before its multipliers."""
    load[:] = 0.0
    entries = model.log_prior.shape[1]
    for c in range(state.z.size):
        if state.z[c]:
            a, k = state.a[c], c * entries + state.entry[c]
            for d in range(load.size):
                load[d] += a * model.day_x[d, k]


@njit(cache=True)
def _damper(rng: np.random.Generator, model: Model, state: State, load: FloatArray, m: int) -> None:
    """Step (d): draw a damper's δ and time constant with the day multipliers integrated out."""
    others = state.damped / model.kept[m, state.tau[m], :, state.effect[m]]
    log_w = damper_table(model, load * others, m, model.nu[state.nu[0]])
    weight = np.exp(log_w - log_w.max())
    left, done = rng.random() * weight.sum(), False
    for t in range(weight.shape[0]):
        for g in range(weight.shape[1]):
            if weight[t, g] > 0 and not done:
                state.effect[m], state.tau[m] = g, t
            left -= weight[t, g]
            done = done or left < 0
    state.damped[:] = others * model.kept[m, state.tau[m], :, state.effect[m]]


@njit(cache=True)
def damper_table(model: Model, load: FloatArray, m: int, nu: float) -> FloatArray:
    """Log weight of each τ × δ, up to a constant; `load` has the other dampers in it."""
    n_delta, most_harmful = model.log_delta.size, int(np.argmin(model.delta))
    log_w = np.empty((model.n_taus[m], n_delta))
    days, events = np.empty(n_delta), np.empty(n_delta)
    for t in range(log_w.shape[0]):
        log_days, log_events = np.zeros(n_delta), np.zeros(n_delta)
        days[:], events[:] = 1.0, 1.0
        for d in range(model.first_day[m], load.size):
            per_nu, kept = load[d] / nu, model.kept[m, t, d]
            for g in range(n_delta):
                days[g] *= 1.0 + per_nu * kept[g]
            for _ in range(int(model.per_day[d])):
                for g in range(n_delta):
                    events[g] *= 1.0 + per_nu * kept[g]
            _log_if_large(days, log_days, most_harmful)
            _log_if_large(events, log_events, most_harmful)
        for g in range(n_delta):
            log_w[t, g] = model.log_delta[g] - model.delta[g] * model.on_episodes[m, t]
            log_w[t, g] -= nu * (log_days[g] + math.log(days[g])) + log_events[g] + math.log(events[g])
    return log_w


@njit(cache=True)
def _log_if_large(product: FloatArray, log_sum: FloatArray, largest: int) -> None:
    """Move the products into the sums of logs before the largest of them overflows."""
    if product[largest] > OVERFLOW_GUARD:
        for g in range(product.size):
            log_sum[g] += math.log(product[g])
            product[g] = 1.0


@njit(cache=True)
def _day_multipliers(rng: np.random.Generator, model: Model, state: State, load: FloatArray) -> None:
    """Step (e): draw ν with u integrated out, then u."""
    treated = load * state.damped
    log_w = nu_table(model, treated)
    weight = np.exp(log_w - log_w.max())
    left, done = rng.random() * weight.sum(), False
    for g in range(weight.size):
        if weight[g] > 0 and not done:
            state.nu[0] = g
        left -= weight[g]
        done = done or left < 0
    nu = model.nu[state.nu[0]]
    for d in range(treated.size):
        state.u[d] = rng.standard_gamma(nu + model.per_day[d]) / (nu + treated[d])


@njit(cache=True)
def nu_table(model: Model, treated: FloatArray) -> FloatArray:
    """Log weight of each ν, u integrated out."""
    n_nu, smallest = model.nu.size, int(np.argmin(model.nu))
    days, events = np.ones(n_nu), np.ones(n_nu)
    log_days, log_events = np.zeros(n_nu), np.zeros(n_nu)
    for d in range(treated.size):
        for g in range(n_nu):
            days[g] *= 1.0 + treated[d] / model.nu[g]
        for _ in range(int(model.per_day[d])):
            for g in range(n_nu):
                events[g] *= 1.0 + treated[d] / model.nu[g]
        _log_if_large(days, log_days, smallest)
        _log_if_large(events, log_events, smallest)
    log_w, episodes = model.log_gamma_terms.copy(), model.per_day.sum()
    for g in range(n_nu):
        log_w[g] -= model.nu[g] * (log_days[g] + math.log(days[g])) + log_events[g] + math.log(events[g])
        log_w[g] -= episodes * math.log(model.nu[g])
    return log_w


@njit(cache=True)
def _write(model: Model, state: State, record: Record, s: int) -> None:
    record.z[s], record.entry[s] = state.z, state.entry
    record.effect[s], record.tau[s], record.nu[s] = state.effect, state.tau, state.nu[0]
    entries = model.log_prior.shape[1]
    for c in range(state.z.size):
        record.amplitude[s, c] = state.a[c] if state.z[c] else 0.0
        record.explained[s, c] = record.amplitude[s, c] * state.x[c * entries + state.entry[c]]

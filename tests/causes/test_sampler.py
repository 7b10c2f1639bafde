"""The sampler against brute-force quadrature on a person with three episodes in four days."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import gamma

from unaji.causes import _kernels_sampler as kernels
from unaji.causes import sampler
from unaji.causes.attribution import SignalState
from unaji.causes.features import Tables
from unaji.causes.sampler import DELTA_GRID, NU_GRID, TREATMENT_TAUS_D, Chain, Damper, make_model, make_priors

N_NODES = 36
ONSET_DAY = np.array([0, 2, 2])
DOSES = np.array([[0.0, 0.2, 0.7, 0.9], [0.0, 0.3, 0.8, 0.95], [0.0, 0.4, 0.85, 0.97]])
NEEDLES = Damper("needles", DOSES)
WALKS = Damper("walks", np.array([[0.9, 0.1, 0.6, 0.0]]))


def toy_tables(*, triggers: int = 2, echo: bool = False) -> Tables:
    """One background shape, triggers with two entries each, and an echo (without effect unless asked for)."""
    n = 1 + triggers + 1
    onset_e = np.zeros((3, n, 3))
    day_x = np.zeros((4, n, 3))
    log_prior = np.full((n, 3), -np.inf)
    onset_e[:, 0, 0], day_x[:, 0, 0], log_prior[0, 0] = 0.010, 0.25, 0.0
    at_onsets = {1: [[0.030, 0.002, 0.040], [0.010, 0.015, 0.012]], 2: [[0.025, 0.020, 0.001], [0.001, 0.002, 0.050]]}
    by_day = {1: [[0.5, 0.1, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25]], 2: [[0.2, 0.5, 0.2, 0.1], [0.1, 0.1, 0.6, 0.2]]}
    for c in range(1, 1 + triggers):
        onset_e[:, c, :2], day_x[:, c, :2] = np.array(at_onsets[c]).T, np.array(by_day[c]).T
        log_prior[c, :2] = np.log([0.3, 0.7])
    log_prior[-1] = -np.log(3)
    if echo:
        onset_e[:, -1] = [[0.0, 0.0, 0.0], [0.001, 0.004, 0.003], [0.05, 0.02, 0.008]]
        day_x[:, -1] = [[0.3, 0.3, 0.2], [0.3, 0.2, 0.2], [0.8, 0.6, 0.4], [0.4, 0.5, 0.3]]
    return Tables(
        onset_e=onset_e, day_x=day_x, log_prior=log_prior, q95=np.zeros((n, 3)), half=np.zeros((n, 3)),
        exposed=np.zeros((triggers, 3)), onset_day=ONSET_DAY, triggers=tuple(f"t{k}" for k in range(triggers)),
        prior=(0.3, 0.4)[:triggers], state=dict.fromkeys(("t0", "t1")[:triggers], SignalState.OK), filled={}, alias={},
        background=np.zeros((1, 0)), _lagged=None,  # type: ignore[arg-type]
    )  # fmt: skip


def log_marginal(rate_at_onsets: np.ndarray, load: np.ndarray, nu: float) -> np.ndarray:
    """Log likelihood with the day multipliers integrated out; leading axes are amplitudes.

    Written from the model alone: each day's count is negative binomial, each onset's share of its day is R / Λ.
    """
    per_day = np.bincount(ONSET_DAY, minlength=4)
    days = nu * np.log(nu) + gammaln(nu + per_day) - gammaln(nu) - (nu + per_day) * np.log(nu + load)
    return np.log(rate_at_onsets).sum(axis=-1) + days.sum(axis=-1)


def amplitude_nodes(shape: float, rate: float) -> np.ndarray:
    """Equal-probability nodes of an amplitude prior, each the mean of its cell."""
    edges = gamma.ppf(np.linspace(0, 1, N_NODES + 1), a=shape, scale=1 / rate)
    mass = np.diff(gamma.cdf(edges, a=shape + 1, scale=1 / rate))
    return mass * N_NODES * shape / rate


@pytest.fixture(scope="module")
def two_triggers():
    tables = toy_tables()
    chain = Chain(make_model(tables), np.random.default_rng(7))
    chain.run(1000)
    return tables, chain.run(60_000), chain.acceptance


def quadrature(tables: Tables) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
    """Log weight of each (entry of t0 or −1, entry of t1 or −1), and mean amplitudes, over nodes of the priors."""
    priors = make_priors(tables)
    nodes = [amplitude_nodes(priors.shape[c], priors.rate[c]) for c in range(3)]
    result = {}
    for e0, e1 in product((-1, 0, 1), repeat=2):
        grids = [nodes[0], nodes[1] if e0 >= 0 else np.zeros(1), nodes[2] if e1 >= 0 else np.zeros(1)]
        a = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1)
        at, x = tables.onset_e, tables.day_x
        rate = a @ np.stack([at[:, 0, 0], at[:, 1, max(e0, 0)], at[:, 2, max(e1, 0)]])
        load = a @ np.stack([x[:, 0, 0], x[:, 1, max(e0, 0)], x[:, 2, max(e1, 0)]])
        log_l = np.stack([log_marginal(rate, load, nu) for nu in NU_GRID]) - np.log(NU_GRID.size)
        log_p = -sum(np.log(g.size) for g in grids)
        for trigger, e in ((1, e0), (2, e1)):
            pi = priors.inclusion[trigger]
            log_p += np.log(1 - pi) if e < 0 else np.log(pi) + tables.log_prior[trigger, e]
        weight = np.exp(log_l - log_l.max())
        mean = (weight[..., None] * a).sum(axis=(0, 1, 2, 3)) / weight.sum()
        result[e0, e1] = (float(log_p + logsumexp(log_l)), mean)
    return result


def test_inclusion_and_lag_agree_with_quadrature(two_triggers):
    tables, record, _ = two_triggers
    exact = quadrature(tables)
    total = logsumexp([w for w, _ in exact.values()])
    state = np.where(record.z[:, 1:3], record.entry[:, 1:3], -1)
    for (e0, e1), (log_w, _) in exact.items():
        share = ((state[:, 0] == e0) & (state[:, 1] == e1)).mean()
        assert share == pytest.approx(np.exp(log_w - total), abs=0.012), (e0, e1)


def test_amplitudes_agree_with_quadrature(two_triggers):
    tables, record, _ = two_triggers
    exact = quadrature(tables)
    total = logsumexp([w for w, _ in exact.values()])
    mean = sum(np.exp(w - total) * m for w, m in exact.values())
    assert record.amplitude[:, :3].mean(axis=0) == pytest.approx(mean, rel=0.04)


def test_almost_every_correction_is_accepted(two_triggers):
    assert two_triggers[2] > 0.9


def test_a_component_without_effect_keeps_its_prior(two_triggers):
    _, record, _ = two_triggers
    assert record.z[:, 3].mean() == pytest.approx(sampler.ECHO_PRIOR, abs=0.015)


def test_parents_are_a_distribution_for_every_episode(two_triggers):
    _, record, _ = two_triggers
    assert record.parents.sum(axis=1) / record.z.shape[0] == pytest.approx(np.ones(3))


def test_echo_agrees_with_quadrature():
    tables = toy_tables(triggers=0, echo=True)
    chain = Chain(make_model(tables), np.random.default_rng(3))
    chain.run(500)
    record = chain.run(60_000)
    priors = make_priors(tables)
    beta, g = amplitude_nodes(priors.shape[0], priors.rate[0]), amplitude_nodes(priors.shape[1], priors.rate[1])
    log_w = []
    for e in (-1, 0, 1, 2):
        a = np.stack(np.meshgrid(beta, g if e >= 0 else [0.0], indexing="ij"), axis=-1)
        rate = a @ np.stack([tables.onset_e[:, 0, 0], tables.onset_e[:, 1, e]])
        load = a @ np.stack([tables.day_x[:, 0, 0], tables.day_x[:, 1, e]])
        log_l = np.stack([log_marginal(rate, load, nu) for nu in NU_GRID]) - np.log(a.shape[0] * a.shape[1])
        pi = sampler.ECHO_PRIOR
        log_w.append(logsumexp(log_l) + (np.log(1 - pi) if e < 0 else np.log(pi / 3)))
    exact = np.exp(np.array(log_w) - logsumexp(log_w))
    state = np.where(record.z[:, 1], record.entry[:, 1], -1)
    assert [(state == e).mean() for e in (-1, 0, 1, 2)] == pytest.approx(exact, abs=0.012)


def test_treatment_and_bad_days_agree_with_quadrature():
    tables = toy_tables(triggers=0)
    chain = Chain(make_model(tables, [NEEDLES]), np.random.default_rng(11))
    chain.run(500)
    record = chain.run(80_000)
    priors = make_priors(tables)
    beta = amplitude_nodes(priors.shape[0], priors.rate[0])
    log_w = np.empty((len(TREATMENT_TAUS_D), DELTA_GRID.size, NU_GRID.size))
    for t, g, v in np.ndindex(log_w.shape):
        kept = np.exp(-DELTA_GRID[g] * DOSES[t])
        rate = beta[:, None] * tables.onset_e[:, 0, 0] * kept[ONSET_DAY]
        load = beta[:, None] * tables.day_x[:, 0, 0] * kept
        log_w[t, g, v] = priors.log_delta[g] + logsumexp(log_marginal(rate, load, NU_GRID[v]))
    exact = np.exp(log_w - logsumexp(log_w))
    delta, tau, nu = DELTA_GRID[record.effect[:, 0]], record.tau[:, 0], record.nu
    assert delta.mean() == pytest.approx((exact.sum(axis=(0, 2)) * DELTA_GRID).sum(), abs=0.02)
    assert (delta == 0).mean() == pytest.approx(exact[:, 0].sum(), abs=0.015)
    assert [(tau == t).mean() for t in range(3)] == pytest.approx(exact.sum(axis=(1, 2)), abs=0.012)
    assert [(nu == v).mean() for v in range(NU_GRID.size)] == pytest.approx(exact.sum(axis=(0, 1)), abs=0.012)


def state_of(chain: Chain) -> tuple[kernels.Model, kernels.State]:
    return chain._model, chain._state


def test_two_dampers_agree_with_quadrature():
    """A kind of treatment and a protecting exposure are told apart by the days on which each was there."""
    tables = toy_tables(triggers=0)
    chain = Chain(make_model(tables, [NEEDLES, WALKS]), np.random.default_rng(12))
    chain.run(500)
    record = chain.run(80_000)
    priors = make_priors(tables)
    beta = amplitude_nodes(priors.shape[0], priors.rate[0])
    log_w = np.empty((len(TREATMENT_TAUS_D), DELTA_GRID.size, DELTA_GRID.size))
    for t, g, h in np.ndindex(log_w.shape):
        kept = np.exp(-DELTA_GRID[g] * DOSES[t] - DELTA_GRID[h] * WALKS.dose[0])
        rate = beta[:, None] * tables.onset_e[:, 0, 0] * kept[ONSET_DAY]
        load = beta[:, None] * tables.day_x[:, 0, 0] * kept
        by_nu = [logsumexp(log_marginal(rate, load, nu)) for nu in NU_GRID]
        log_w[t, g, h] = priors.log_delta[g] + priors.log_delta[h] + logsumexp(by_nu)
    exact = np.exp(log_w - logsumexp(log_w))
    needles, walks = DELTA_GRID[record.effect].T
    assert needles.mean() == pytest.approx((exact.sum(axis=(0, 2)) * DELTA_GRID).sum(), abs=0.025)
    assert walks.mean() == pytest.approx((exact.sum(axis=(0, 1)) * DELTA_GRID).sum(), abs=0.025)
    assert (walks == 0).mean() == pytest.approx(exact[:, :, 0].sum(), abs=0.015)
    assert np.cov(needles, walks)[0, 1] == pytest.approx(_covariance(exact.sum(axis=0)), abs=0.02)


def _covariance(joint: np.ndarray) -> float:
    mean_g, mean_h = joint.sum(axis=1) @ DELTA_GRID, joint.sum(axis=0) @ DELTA_GRID
    return float(DELTA_GRID @ joint @ DELTA_GRID - mean_g * mean_h)


def test_marks_agree_with_quadrature():
    """One trigger, three episodes of which the last was strong: sources' shares integrated out by brute force."""
    tables = toy_tables(triggers=1)
    marks = np.array([[0, 0, 1]])
    model = make_model(tables, marks=marks)
    chain = Chain(model, np.random.default_rng(21))
    chain.run(1000)
    record = chain.run(120_000)
    priors, strong = make_priors(tables), model.mark_weight / 3
    nodes = [amplitude_nodes(priors.shape[c], priors.rate[c]) for c in range(2)]
    log_w = {-1: np.log(1 - priors.inclusion[1])}
    for e in (0, 1):
        log_w[e] = np.log(priors.inclusion[1]) + tables.log_prior[1, e]
    for e in log_w:
        total = []
        # Without the trigger all three are of the background; with it, each subset of them may be its own.
        for own in product((False, True), repeat=3) if e >= 0 else [(False,) * 3]:
            a = np.stack(np.meshgrid(nodes[0], nodes[1] if e >= 0 else [0.0], indexing="ij"), axis=-1)
            at = np.stack([tables.onset_e[:, 0, 0], tables.onset_e[:, 1, max(e, 0)]])
            rate = np.stack([a[..., int(mine)] * at[int(mine), i] for i, mine in enumerate(own)], axis=-1)
            load = a @ np.stack([tables.day_x[:, 0, 0], tables.day_x[:, 1, max(e, 0)]])
            by_nu = np.stack([log_marginal(np.maximum(rate, 1e-300), load, nu) for nu in NU_GRID])
            mine = np.array(own)
            total.append(logsumexp(by_nu) - np.log(a.shape[0] * a.shape[1]) + _polya(marks[0], mine, strong, model))
        log_w[e] += logsumexp(total)
    exact = np.exp(np.array(list(log_w.values())) - logsumexp(list(log_w.values())))
    state = np.where(record.z[:, 1], record.entry[:, 1], -1)
    assert [(state == e).mean() for e in log_w] == pytest.approx(exact, abs=0.012)


def _polya(mark: np.ndarray, mine: np.ndarray, strong: float, model: kernels.Model) -> float:
    """Log probability of the marks, each source's shares integrated out, over that under the overall shares."""
    prior = model.mark_weight * model.mark_share[0]
    assert prior[1] == pytest.approx(strong)
    log_p = -np.log(model.mark_share[0][mark]).sum()
    for group in (mark[mine], mark[~mine]):
        count = np.bincount(group, minlength=2)
        log_p += (gammaln(prior + count) - gammaln(prior)).sum()
        log_p += gammaln(prior.sum()) - gammaln(prior.sum() + count.sum())
    return float(log_p)


@pytest.mark.parametrize("face", ["compiled", "python"])
def test_the_table_of_a_component_is_its_posterior_on_the_nodes(face):
    """Both faces of the kernel against the formula term by term."""
    tables = toy_tables()
    model, state = state_of(Chain(make_model(tables), np.random.default_rng(1)))
    kernels.weigh_exposure(model, state, np.zeros(4))
    kernels.set_rest(model, state, 1, -1)
    table = kernels._new_table(model)
    fill = kernels.fill_table if face == "compiled" else kernels.fill_table.py_func
    fill(model, state, 1, table)
    rest = model.shape[0] / model.rate[0] * 0.010
    for e in (0, 1):
        a = model.nodes[1]
        expected = tables.log_prior[1, e] - np.log(kernels.N_CELLS) - a * tables.day_x[:, 1, e].sum()
        expected += np.log1p(a[:, None] * tables.onset_e[:, 1, e] / rest).sum(axis=1)
        assert np.log(table.weight[e]) + table.shift[0] == pytest.approx(expected)
    assert (table.weight[2] == 0).all()


def test_tables_and_factors_survive_many_episodes_without_overflow():
    """A product of 5,000 large factors must equal the sum of their logs."""
    model = make_model(toy_tables())._replace(onset_e=np.full((4, 3, 5000), 1e3))
    _, state = state_of(Chain(make_model(toy_tables()), np.random.default_rng(1)))
    state = state._replace(per_rest=np.full(5000, 1e3), fit=np.ones((4, 5000)))
    expected = 5000 * np.log1p(2.0 * 1e6) - 2.0 * state.x[3]
    assert kernels.log_factor(model, state, 1, 0, 2.0) == pytest.approx(expected)
    table = kernels._new_table(model)
    kernels.fill_table(model, state, 1, table)
    expected = 5000 * np.log1p(model.nodes[1, -1] * 1e6) + tables_base(model)
    assert np.log(table.weight[1, -1]) + table.shift[0] == pytest.approx(expected)


def tables_base(model: kernels.Model) -> float:
    return float(model.log_prior[1, 1] - np.log(kernels.N_CELLS))


def test_exponentials_are_numpys():
    x = np.concatenate([np.linspace(-700, 5, 4001), [-690.0, 0.0, 1e-9, -1e4]])
    out, bits = np.empty(x.size), np.empty(x.size, dtype=np.int64)
    kernels._exponentials(x, bits, out)
    assert out == pytest.approx(np.exp(np.maximum(x, -690.0)), rel=3e-14)


@pytest.mark.parametrize("shape", [sampler.TRIGGER_SHAPE, kernels.ECHO_SHAPE])
def test_the_closed_form_of_the_gamma_distribution_is_scipys(shape):
    values = np.array([0.01, 0.3, 1.0, 4.0, 20.0])
    assert [kernels.gamma_cdf(v, shape) for v in values] == pytest.approx(gamma.cdf(values, a=shape))


def test_amplitudes_stay_inside_their_cell():
    model = make_model(toy_tables())
    rng = np.random.default_rng(5)
    draws = np.array([kernels.amplitude_in_cell(rng, model, 1, 3) for _ in range(300)])
    low, high = gamma.ppf([3 / kernels.N_CELLS, 4 / kernels.N_CELLS], a=model.shape[1], scale=1 / model.rate[1])
    assert low <= draws.min() < draws.max() <= high


def test_the_same_seed_gives_the_same_draws_whatever_the_block_length():
    one = Chain(make_model(toy_tables(), [NEEDLES]), np.random.default_rng(2)).run(60)
    chain = Chain(make_model(toy_tables(), [NEEDLES]), np.random.default_rng(2))
    two = [chain.run(20) for _ in range(3)]
    assert np.array_equal(one.amplitude, np.concatenate([r.amplitude for r in two]))

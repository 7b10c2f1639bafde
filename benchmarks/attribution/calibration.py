"""Simulation-based calibration: does the sampler find parameters drawn from its own priors as often as it says?

    python -m benchmarks.attribution.calibration [--people 1000] [--seed 0] [--workers 2]

Parameters are drawn from the engine's priors, episodes from its model with them on fixed tables, and the sampler is run
on the episodes. If it is right, the rank of each true parameter among the posterior's draws is uniform (Talts et al.,
"Validating Bayesian inference algorithms with simulation-based calibration", 2018, arXiv:1804.06788). Printed: χ²
of the ranks in ten bins over its nine degrees of freedom, and how often 90 % intervals of contributions hold: of all
components, and of those that truly are at work, of which it need not be 90 in 100 however right the sampler, since the
chance of being at no work is in the interval. Given that they are at work, 90 in 100 is what a right sampler reaches.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from unaji.causes.attribution import SignalState
from unaji.causes.features import Tables
from unaji.causes.sampler import DELTA_GRID, NU_GRID, TREATMENT_TAUS_D, Chain, Damper, Priors, make_model, make_priors

N_DAYS, BINS_A_DAY = 20, 48
BIN_MIN = 1440 / BINS_A_DAY
N_TRIGGERS, N_ENTRIES, N_BACKGROUND = 3, 4, 3
ECHO_TAUS_MIN = (90.0, 300.0, 900.0)
PRIOR_EPISODES = 14
"""The priors of amplitudes are scaled by the number of episodes; here by this one, for every data set."""
FEWEST, MOST = 1, 300
"""Data sets with fewer or more episodes are drawn again: conditions on data leave the posterior as it is."""
N_BINS = 10


@dataclass(frozen=True)
class Length:
    """How long a chain runs: sweeps left out, sweeps between kept draws, kept draws."""

    burn_in: int = 300
    thin: int = 20
    draws: int = 99


@dataclass(frozen=True, eq=False)
class Setting:
    """What stays fixed: features (components, entries, bins; sum 1 a row), log prior of entries, treatment doses."""

    feature: np.ndarray
    log_prior: np.ndarray
    doses: np.ndarray
    priors: Priors


@dataclass(frozen=True, eq=False)
class Truth:
    """One draw from the priors; arrays over components, `weight` over days."""

    z: np.ndarray
    entry: np.ndarray
    amplitude: np.ndarray
    nu: float
    delta: float
    tau: int
    weight: np.ndarray


class Held(NamedTuple):
    """Does the 90 % interval of all draws hold the truth; is its place among the draws at work within 5 and 95 %?"""

    at_work: bool
    whole: bool
    given: bool | None


# --- the engine behind a door: all that is called of its sampler ----------------------------------------------------


def prior_of(feature: np.ndarray, log_prior: np.ndarray) -> Priors:
    """Return the engine's priors for a person of `PRIOR_EPISODES` episodes."""
    empty = np.zeros((PRIOR_EPISODES, *log_prior.shape))
    days = np.zeros(PRIOR_EPISODES, dtype=np.int64)
    return make_priors(_tables(empty, np.zeros((N_DAYS, *log_prior.shape)), log_prior, days))


def sample(setting: Setting, tables: Tables, rng: np.random.Generator, length: Length) -> dict[str, np.ndarray]:
    """Run the engine's sampler and return its kept draws."""
    p = setting.priors
    with np.errstate(divide="ignore"):
        log_odds = np.log(p.inclusion) - np.log1p(-p.inclusion)
    model = make_model(tables, [Damper("treatment", setting.doses)])
    chain = Chain(model._replace(shape=p.shape, rate=p.rate, log_odds=log_odds, nodes=p.nodes), rng)
    chain.run(length.burn_in)
    record = chain.run(length.thin * length.draws)
    kept = slice(length.thin - 1, None, length.thin)
    return quantities(
        record.z[kept], record.entry[kept], record.amplitude[kept], record.explained[kept],
        NU_GRID[record.nu[kept]], DELTA_GRID[record.effect[kept, 0]], record.tau[kept, 0],
    )  # fmt: skip


def _tables(onset_e: np.ndarray, day_x: np.ndarray, log_prior: np.ndarray, onset_day: np.ndarray) -> Tables:
    names = tuple(f"t{k}" for k in range(N_TRIGGERS))
    nothing = np.zeros(log_prior.shape)
    return Tables(
        onset_e=onset_e, day_x=day_x, log_prior=log_prior, q95=nothing, half=nothing,
        exposed=np.zeros((N_TRIGGERS, log_prior.shape[1])), onset_day=onset_day, triggers=names, prior=(0.15, 0.3, 0.3),
        state=dict.fromkeys(names, SignalState.OK), filled=dict.fromkeys(names, 0.0), alias={},
        background=np.zeros((N_BACKGROUND, 0)), _lagged=None,  # type: ignore[arg-type]
    )  # fmt: skip


# --- the model, written down once more ------------------------------------------------------------------------------


def make_setting(seed: int = 1) -> Setting:
    """Draw exposures that rise and fall over hours, two of them alike, and lay a course of treatment in the middle."""
    rng = np.random.default_rng(seed)
    n = N_DAYS * BINS_A_DAY
    hour = np.arange(n) % BINS_A_DAY * 24 / BINS_A_DAY
    components = N_BACKGROUND + N_TRIGGERS + 1
    feature = np.zeros((components, N_ENTRIES, n))
    log_prior = np.full((components, N_ENTRIES), -np.inf)
    feature[0, 0] = 1.0
    for c, centre in ((1, 10.0), (2, 19.0)):
        feature[c, 0] = np.maximum(np.cos(np.pi * (hour - centre) / 8), 0.0)
    log_prior[:N_BACKGROUND, 0] = 0.0
    common = _wave(rng, n)
    for k in range(N_TRIGGERS):
        level = _wave(rng, n) if k == 0 else 0.8 * common + 0.6 * _wave(rng, n)
        for e in range(N_ENTRIES):
            quantile, hours = (0.5, 0.8)[e // 2], (1, 4)[e % 2]
            driver = np.maximum(level - np.quantile(level, quantile), 0.0)
            kernel = np.exp(-np.arange(8 * hours * 2) / (2 * hours))
            feature[N_BACKGROUND + k, e] = np.convolve(driver, kernel)[:n]
        log_prior[N_BACKGROUND + k] = np.log([0.4, 0.3, 0.2, 0.1])
    feature[:-1] /= np.maximum(feature[:-1].sum(axis=2, keepdims=True), 1e-300)
    log_prior[-1, : len(ECHO_TAUS_MIN)] = -np.log(len(ECHO_TAUS_MIN))
    day = np.arange(N_DAYS) - N_DAYS // 3
    doses = np.stack([np.where(day > 0, 1 - np.exp(-day / tau), 0.0) for tau in TREATMENT_TAUS_D])
    return Setting(feature, log_prior, doses, prior_of(feature, log_prior))


def _wave(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a level that wanders over six hours."""
    keep = np.exp(-BIN_MIN / 360)
    return np.asarray(lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(n)))


def draw_truth(setting: Setting, rng: np.random.Generator) -> Truth:
    """Draw every parameter from its prior."""
    p = setting.priors
    z = rng.random(p.shape.size) < p.inclusion
    entry = np.array([rng.choice(N_ENTRIES, p=np.exp(row)) for row in setting.log_prior])
    amplitude = z * rng.gamma(p.shape, 1 / p.rate)
    nu = float(rng.choice(NU_GRID))
    delta = float(rng.choice(DELTA_GRID, p=np.exp(p.log_delta)))
    tau = int(rng.integers(len(TREATMENT_TAUS_D)))
    weight = rng.gamma(nu, 1 / nu, N_DAYS) * np.exp(-delta * setting.doses[tau])
    return Truth(z, entry, amplitude, nu, delta, tau, weight)


def draw_episodes(setting: Setting, truth: Truth, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Draw the episodes of each bin in order of time; each excites the bins after it.

    Returns
    -------
    (ndarray, ndarray) or None
        Episodes of each bin, and the echo features (entries, bins) that they leave; None when there are too many.
    """
    n = N_DAYS * BINS_A_DAY
    weight = np.repeat(truth.weight, BINS_A_DAY)
    rows = setting.feature[np.arange(truth.z.size - 1), truth.entry[:-1]]
    base = weight * (truth.amplitude[:-1] @ rows)
    keep = np.exp(-BIN_MIN / np.array(ECHO_TAUS_MIN))
    kick = BIN_MIN / np.array(ECHO_TAUS_MIN)
    echo, count = np.zeros((N_ENTRIES, n)), np.zeros(n, dtype=np.int64)
    now, gamma, own = np.zeros(keep.size), truth.amplitude[-1], truth.entry[-1]
    for t in range(n):
        echo[: keep.size, t] = now
        count[t] = rng.poisson(base[t] + weight[t] * gamma * now[own] if gamma else base[t])
        now = keep * (now + kick * count[t])
        if count[t] > MOST:
            return None
    return (count, echo) if FEWEST <= count.sum() <= MOST else None


def tables_of(setting: Setting, count: np.ndarray, echo: np.ndarray) -> Tables:
    """Return the sampler's tables of drawn episodes."""
    feature = np.concatenate([setting.feature[:-1], echo[None]])
    onset = np.repeat(np.arange(count.size), count)
    day_x = feature.reshape(*feature.shape[:2], N_DAYS, BINS_A_DAY).sum(axis=3).transpose(2, 0, 1)
    return _tables(
        np.ascontiguousarray(feature[:, :, onset].transpose(2, 0, 1)), np.ascontiguousarray(day_x), setting.log_prior,
        onset // BINS_A_DAY,
    )  # fmt: skip


def quantities(
    z: np.ndarray, entry: np.ndarray, amplitude: np.ndarray, explained: np.ndarray,
    nu: np.ndarray, delta: np.ndarray, tau: np.ndarray,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return what is ranked, one array of draws each; the entry of what is not at work is −1."""
    found = {"nu": nu, "delta": delta, "tau": tau, "background explained": explained[:, :N_BACKGROUND].sum(axis=1)}
    found["exposures explained"] = explained[:, N_BACKGROUND:-1].sum(axis=1)
    found["constant amplitude"], found["bump amplitude"] = amplitude[:, 0], amplitude[:, 1]
    for c in range(N_BACKGROUND, z.shape[1]):
        name = f"exposure {c - N_BACKGROUND}" if c < z.shape[1] - 1 else "echo"
        found |= {
            f"{name} at work": z[:, c],
            f"{name} entry": np.where(z[:, c], entry[:, c], -1),
            f"{name} amplitude": amplitude[:, c],
            f"{name} explained": explained[:, c],
        }
    return {name: np.asarray(value, dtype=float) for name, value in found.items()}


def rank(draws: np.ndarray, truth: float, rng: np.random.Generator) -> int:
    """Count the draws below the truth; among equal ones the truth takes any place."""
    # The sums of two ways to the same number differ by rounding: such draws are equal.
    slack = 1e-9 * max(abs(truth), 1e-9)
    below, equal = int((draws < truth - slack).sum()), int((np.abs(draws - truth) <= slack).sum())
    return below + int(rng.integers(equal + 1))


def one(seed: int, setting: Setting, believed: Setting, length: Length) -> tuple[dict[str, int], dict[str, Held]]:
    """Draw one data set and return the rank of every quantity, and whether 90 % intervals of contributions hold."""
    rng = np.random.default_rng([seed, 7])
    drawn = None
    while drawn is None:
        truth = draw_truth(setting, rng)
        drawn = draw_episodes(setting, truth, rng)
    tables = tables_of(setting, *drawn)
    draws = sample(believed, tables, rng, length)
    x = np.einsum("d,dce->ce", truth.weight, tables.day_x)
    explained = truth.amplitude * x[np.arange(truth.z.size), truth.entry]
    rows = (truth.z, truth.entry, truth.amplitude, explained)
    true = quantities(*(v[None] for v in rows), *(np.array([v]) for v in (truth.nu, truth.delta, truth.tau)))
    ranks = {name: rank(values, float(true[name][0]), rng) for name, values in draws.items()}
    held = {}
    for name, values in draws.items():
        if name.endswith("explained"):
            work = name.removesuffix("explained") + "at work"
            always = np.ones(values.size)
            on, at_work = draws.get(work, always) > 0, bool(true.get(work, always)[0])
            given = within(values[on], true[name][0], rng) if at_work and on.any() else None
            held[name] = Held(at_work, holds(values, true[name][0]), given)
    return ranks, held


def holds(draws: np.ndarray, truth: float) -> bool:
    """Tell whether the 90 % interval of the draws holds the truth."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return bool(low - 1e-9 <= truth <= high + 1e-9)


def within(draws: np.ndarray, truth: float, rng: np.random.Generator) -> bool:
    """Tell whether the truth takes a place among the draws from 5 to 95 %: 90 in 100 do, however few the draws."""
    return bool(0.05 <= (rank(draws, truth, rng) + rng.random()) / (draws.size + 1) <= 0.95)


def run(
    people: int,
    seed: int,
    length: Length,
    workers: int = 1,
    setting: Setting | None = None,
    believed: Setting | None = None,
) -> list:
    """Draw data sets and return ranks and coverage of each; several processes tell how far they are."""
    drawn_from = setting or make_setting()
    work = partial(one, setting=drawn_from, believed=believed or drawn_from, length=length)
    seeds = range(seed, seed + people)
    if workers == 1:
        return [work(s) for s in seeds]
    found = []
    with ProcessPoolExecutor(workers) as pool:
        for result in pool.map(work, seeds, chunksize=10):
            found.append(result)
            print(f"\r{len(found)} of {people} data sets", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def chi_squared(ranks: np.ndarray, draws: int) -> float:
    """Return χ² of the ranks in ten equal bins over its degrees of freedom; `draws` + 1 must be a multiple of ten."""
    count = np.bincount(np.asarray(ranks) * N_BINS // (draws + 1), minlength=N_BINS)
    expected = len(ranks) / N_BINS
    return float(((count - expected) ** 2 / expected).sum() / (N_BINS - 1))


def columns(found: list) -> dict[str, np.ndarray]:
    """Return the ranks of each quantity over all data sets."""
    return {name: np.array([ranks[name] for ranks, _ in found]) for name in found[0][0]}


def expecting_less(setting: Setting, factor: float) -> Setting:
    """Return a setting whose sampler expects smaller amplitudes by `factor` than are drawn, to see x."""
    p = setting.priors
    return replace(setting, priors=replace(p, rate=p.rate * factor, nodes=p.nodes / factor))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution.calibration", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    length = Length()
    found = run(given.people, given.seed, length, given.workers)
    ranks = columns(found)
    print(f"| {given.people} data sets | χ²/df | 90 % interval holds | … if at work | given that it is |")
    print("|---|---|---|---|---|")
    for name, values in ranks.items():
        held = [h[name] for _, h in found if name in h]
        print(f"| {name} | {chi_squared(values, length.draws):.2f} | {' | '.join(coverage(held))} |")
    print(f"| all, together | {chi_squared(np.concatenate(list(ranks.values())), length.draws):.2f} | | | |")
    mean = np.mean([chi_squared(v, length.draws) for v in ranks.values()])
    print(f"| all, mean (a right sampler: 1) | {mean:.2f} | | | |")


def coverage(held: list[Held]) -> tuple[str, str, str]:
    """Return how often intervals hold: of all, of what is at work, and of this given that it is."""
    asked = (
        [h.whole for h in held],
        [h.whole for h in held if h.at_work],
        [h.given for h in held if h.given is not None],
    )
    whole, at_work, given = (f"{np.mean(one):.3f}" if one else "" for one in asked)
    return whole, at_work, given


if __name__ == "__main__":
    main()

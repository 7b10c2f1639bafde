"""Which causes explain the episodes, and how sure is that? The one inference engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from unaji.causes._kernels_sampler import Model
from unaji.causes.attribution import (
    FEW_EPISODES,
    Attribution,
    CauseResult,
    EpisodeSources,
    Estimate,
    Pair,
    ProtectorResult,
    SignalState,
    TreatmentDraws,
    Verdict,
)
from unaji.causes.controls import Controls, run_controls
from unaji.causes.design import Design, Trigger
from unaji.causes.features import (
    ECHO_TAUS_MIN,
    MEAN_LAGS_MIN,
    Tables,
    build_tables,
    echo_on_grid,
    protection,
    treatment_dose,
)
from unaji.causes.grid import MERGE_MIN, bin_of, bins_of_day, mask_of, merge_onsets, open_for_onsets
from unaji.causes.marks import episode_marks
from unaji.causes.posterior import thinned
from unaji.causes.sampler import TREATMENT_TAUS_D, Chain, Damper, Draws, combine, make_model
from unaji.causes.shift import shift_p_values
from unaji.causes.verdicts import P_OPEN, verdict_of
from unaji.records.timeline import FloatArray, Interval

SWEEPS, BURN_IN, CHAINS = 4000, 1000, 2
RERUN_SWEEPS = 12_000
MAX_CHAIN_GAP = 0.10
"""Chains that differ by more than this in any p_cause are run again, longer."""
BLOCK = 500
FIT_SHARE = 0.7
"""Share of the work that is the fit itself; the rest is its controls."""
PAIR_P = 0.8
LEAST_RIVALRY = -0.2
"""Two causes compete for the same episodes only where one is in when the other is out at least this much (correlation
of inclusion); nearer to 0 the larger of the two probabilities says all there is [A]."""
UNEXPLAINED = 0.4
"""From this share of unexplained episodes, with no candidate above "open", nothing that is tracked explains them."""
FEWEST_DRAWS = 100
"""Of a cause that is at work in fewer of the draws, nothing is said of how much it does if it is one [A]."""
NOTHING = Estimate(0.0, 0.0, 0.0)
OTHER_SOURCES = ("background", "echo")

Progress = Callable[[float], None]
"""Called with the share of the work done, 0 to 1; it may raise to stop."""


@dataclass(frozen=True, eq=False, slots=True)
class _Fit:
    design: Design
    tables: Tables
    draws: Draws
    chain_gap: float
    sweeps: int
    dampers: tuple[Damper, ...]
    protectors: dict[str, SignalState]
    controls: Controls


def attribute(design: Design, *, seed: int = 0, progress: Progress | None = None) -> Attribution:
    """Fit the causes of one person's episodes.

    Parameters
    ----------
    design : Design
        Exposures, episodes and sessions on the working grid.
    seed : int
        Same design and seed give the same result, bit for bit.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    Attribution
        With no episode, every verdict is "cannot tell" and the upper 95 % bound of the rate is given.

    Notes
    -----
    The model, its priors and its sampler are told in ``docs/explanation/engine.md``.
    """
    on_grid = [o for o in design.onsets if 0 <= bin_of(design.grid, o.time) < design.grid.n_bins]
    onsets, merged = merge_onsets(on_grid)
    grid, outside = open_for_onsets(design.grid, onsets)
    checks: dict[str, float | int | str | None] = {
        "onsets_merged": merged,
        "onsets_in_unobserved_time": outside,
        "onsets_off_the_grid": len(design.onsets) - len(on_grid),
        "cohort_persons": design.cohort_persons,
    }
    design = replace(design, grid=grid, onsets=onsets)
    tables = build_tables(design)
    if not onsets:
        return _nothing_to_fit(design, tables, checks)
    fit = _run(design, tables, seed, progress or (lambda _: None))
    return _summary(fit, merged, checks)


def _run(design: Design, tables: Tables, seed: int, progress: Progress) -> _Fit:
    dampers, protectors = _dampers(design)
    model = make_model(tables, dampers, episode_marks(design.onsets))
    draws = _chains(model, seed, SWEEPS, lambda share: progress(FIT_SHARE * share))
    gap, sweeps = _chain_gap(draws, tables), SWEEPS
    if gap > MAX_CHAIN_GAP:
        draws, sweeps = _chains(model, seed + 1, RERUN_SWEEPS, lambda share: progress(FIT_SHARE * share)), RERUN_SWEEPS
        gap = _chain_gap(draws, tables)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(CHAINS,)))
    controls = run_controls(design, tables, dampers, rng, lambda share: progress(FIT_SHARE + (1 - FIT_SHARE) * share))
    return _Fit(design, tables, draws, gap, sweeps, tuple(dampers), protectors, controls)


def _dampers(design: Design) -> tuple[list[Damper], dict[str, SignalState]]:
    """Return the kinds of treatment, then what may protect and has contrast; and the state of each protector."""
    grid = design.grid
    dampers = [
        Damper(course.kind, np.stack([treatment_dose(grid, course.sessions, tau) for tau in TREATMENT_TAUS_D]))
        for course in design.courses
    ]
    states = {}
    for trigger in design.triggers:
        if trigger.kind == "protector":
            states[trigger.id], dose = protection(trigger, grid)
            if states[trigger.id] is SignalState.OK:
                dampers.append(Damper(trigger.id, dose[None, :]))
    return dampers, states


def _chains(model: Model, seed: int, sweeps: int, progress: Progress) -> Draws:
    kept, owner, acceptance = [], [], []
    for chain, child in enumerate(np.random.SeedSequence(seed).spawn(CHAINS)):
        sampler = Chain(model, np.random.Generator(np.random.PCG64(child)))
        for done in range(0, sweeps, BLOCK):
            record = sampler.run(BLOCK)
            if done >= BURN_IN:
                kept.append(record)
                owner.append(chain)
            progress((chain * sweeps + done + BLOCK) / (CHAINS * sweeps))
        acceptance.append(sampler.acceptance)
    return combine(kept, owner, float(np.mean(acceptance)))


def _chain_gap(draws: Draws, tables: Tables) -> float:
    """Largest difference between the chains in the probability of any trigger."""
    triggers = slice(tables.n_background, tables.n_background + len(tables.triggers))
    means = [half[:, triggers].mean(axis=0) for half in np.split(draws.at_work, CHAINS)]
    return float(np.max(np.abs(means[0] - means[1]), initial=0.0))


def _summary(fit: _Fit, merged: int, checks: dict[str, float | int | str | None]) -> Attribution:
    design, tables, draws = fit.design, fit.tables, fit.draws
    n = len(design.onsets)
    background_rate = _background_per_bin(fit)
    shift_p = shift_p_values(design, tables, _background_amplitudes(fit))
    causes, columns = [], []
    for trigger in candidates(design):
        standing = tables.alias.get(trigger.id, trigger.id)
        if standing in tables.triggers:
            result, explained = _cause_result(fit, trigger.id, standing, background_rate, shift_p[standing])
        else:
            result, explained = _unfitted(trigger.id, tables), np.zeros(draws.z.shape[0])
        causes.append(result)
        columns.append(explained)
    background = draws.explained[:, : tables.n_background].sum(axis=1)
    sources = _episode_sources(fit)
    fitted = [c.p_cause for c in causes if c.signal is SignalState.OK]
    nothing_found = n >= FEW_EPISODES and bool(fitted) and max(fitted) < P_OPEN
    checks |= {
        "acceptance": draws.acceptance,
        "chain_gap": fit.chain_gap,
        "sweeps": fit.sweeps,
        "distinct_days": int(np.unique(tables.onset_day).size),
        "day_shape_nu": float(np.median(draws.nu)),
        "placebo_best": fit.controls.placebo_best,
        "near_onset_share": near_onset_share(design),
        "prior_dominated": int(n < FEW_EPISODES),
        "nothing_tracked_explains": int(nothing_found and sources.p[:, -2].mean() > UNEXPLAINED),
    }
    return Attribution(
        fitted=True,
        n_episodes=n,
        causes=tuple(causes),
        background=_share(background, n),
        echo=_share(draws.explained[:, -1], n),
        pairs=_pairs(fit),
        episodes=sources,
        treatments=_treatment_draws(fit),
        protectors=tuple(_protector(fit, name, state) for name, state in fit.protectors.items()),
        rate_upper_per_week=None,
        merged=merged,
        chain_gap=fit.chain_gap,
        sweeps=fit.sweeps,
        checks=checks,
        cause_draws=np.stack(columns, axis=1) if columns else np.zeros((draws.z.shape[0], 0)),
        intensity=_intensity(fit),
        posterior=thinned(design, tables, fit.dampers, draws),
    )


def _cause_result(
    fit: _Fit, name: str, standing: str, background_rate: FloatArray, shift_p: float
) -> tuple[CauseResult, FloatArray]:
    tables, draws, n = fit.tables, fit.draws, len(fit.design.onsets)
    k = tables.triggers.index(standing)
    c = tables.n_background + k
    on, entry, explained = draws.z[:, c], draws.entry[:, c], draws.explained[:, c]
    p = float(draws.at_work[:, c].mean())
    echoes = 1 / (1 - np.minimum(draws.amplitude[:, -1], 0.9))  # echoes go with their parents: 1 + γ + γ² + …
    saved = explained * echoes
    lags_h = np.array(MEAN_LAGS_MIN)[entry % len(MEAN_LAGS_MIN)] / 60
    ratio = 1 + draws.amplitude[:, c] * tables.q95[c, entry] / background_rate
    share = _share(explained, n)
    extreme = on & (entry >= len(MEAN_LAGS_MIN))
    result = CauseResult(
        id=name,
        signal=tables.state[name],
        verdict=Verdict.OPEN,
        p_cause=p,
        p_cause_mcse=_error_of_blocks(draws.at_work[:, c]),
        episodes_explained=_estimate(explained),
        share=share,
        avoidable=_estimate(np.minimum(saved, n)),
        avoidable_half=_estimate(np.minimum(saved * (1 - tables.half[c, entry]), n)),
        rate_ratio=_estimate(ratio[on]) if p >= 0.5 else None,
        lag_h=_estimate(lags_h[on]) if on.any() else None,
        driver="extreme" if extreme.sum() * 2 > on.sum() else "any",
        shift_p=shift_p,
        p_backwards=fit.controls.backwards.get(standing, float("nan")),
        filled_share=tables.filled[name],
        alias_of=tables.alias.get(name),
        exposed_share=float(np.exp(tables.log_prior[c]) @ np.nan_to_num(_padded(tables.exposed[k], tables))),
        entry_p=_entry_p(p, entry[on], tables.n_entries(k)),
        share_if_cause=_share(explained[on], n) if on.sum() >= FEWEST_DRAWS else None,
    )
    days = int(np.unique(tables.onset_day).size)
    if name in fit.design.told_apart:
        return replace(result, verdict=Verdict.CANNOT_TELL, told_apart=True), explained
    verdict = verdict_of(
        result,
        n_episodes=n,
        distinct_days=days,
        near_onset=near_onset_share(fit.design),
        placebo_best=fit.controls.placebo_best,
    )
    return replace(result, verdict=verdict), explained


def _entry_p(p: float, entry: NDArray[np.int64], n_entries: int) -> tuple[float, ...]:
    """Share p among the entries as often as each was drawn; nothing is known of them where none was."""
    drawn = np.bincount(entry, minlength=n_entries)
    return tuple(float(x) for x in p * drawn / max(int(drawn.sum()), 1))


def near_onset_share(design: Design) -> float:
    """Share of observed time within a quarter of an hour of an onset, or on its day where only the date is known."""
    grid, reach = design.grid, timedelta(minutes=MERGE_MIN)
    near = mask_of(grid, [Interval(o.time - reach, o.time + reach) for o in design.onsets if not o.whole_day])
    for onset in design.onsets:
        if onset.whole_day and 0 <= (at := bin_of(grid, onset.time)) < grid.n_bins:
            near[bins_of_day(grid, at)] = True
    return float(near[grid.observed].mean()) if grid.observed.any() else 0.0


def _padded(row: FloatArray, tables: Tables) -> FloatArray:
    return np.pad(row, (0, tables.log_prior.shape[1] - row.size), constant_values=np.nan)


def _unfitted(name: str, tables: Tables) -> CauseResult:
    nan = float("nan")
    return CauseResult(
        id=name, signal=tables.state[name], verdict=Verdict.CANNOT_TELL, p_cause=nan, p_cause_mcse=nan,
        episodes_explained=NOTHING, share=NOTHING, avoidable=NOTHING, avoidable_half=NOTHING, rate_ratio=None,
        lag_h=None, driver="any", shift_p=nan, p_backwards=nan, filled_share=tables.filled[name],
    )  # fmt: skip


def _nothing_to_fit(design: Design, tables: Tables, checks: dict[str, float | int | str | None]) -> Attribution:
    """No episode: only an upper bound of the rate can be given (3 / T, the "rule of three")."""
    weeks = design.grid.observed_days / 7
    protectors = [t for t in design.triggers if t.kind == "protector"]
    return Attribution(
        fitted=False,
        n_episodes=0,
        causes=tuple(_unfitted(t.id, tables) for t in candidates(design)),
        background=NOTHING,
        echo=NOTHING,
        pairs=(),
        episodes=_no_episodes(design),
        treatments=(),
        protectors=tuple(ProtectorResult(t.id, protection(t, design.grid)[0]) for t in protectors),
        rate_upper_per_week=3 / weeks if weeks > 0 else None,
        merged=0,
        chain_gap=0.0,
        sweeps=0,
        checks=checks,
        cause_draws=np.zeros((0, len(candidates(design)))),
        intensity=np.zeros((len(candidates(design)) + 2, design.grid.n_bins), dtype=np.float32),
    )


def candidates(design: Design) -> tuple[Trigger, ...]:
    """Return the triggers that may have set off episodes; the others may only protect."""
    return tuple(t for t in design.triggers if t.kind != "protector")


def _no_episodes(design: Design) -> EpisodeSources:
    names = (*(t.id for t in candidates(design)), *OTHER_SOURCES)
    nothing = np.zeros((0, len(names)))
    return EpisodeSources((), names, nothing, nothing)


def _episode_sources(fit: _Fit) -> EpisodeSources:
    tables, blocks = fit.tables, fit.draws.parents
    columns = []
    for trigger in candidates(fit.design):
        k = tables.triggers.index(trigger.id) if trigger.id in tables.triggers else None
        columns.append(np.zeros(blocks.shape[:2]) if k is None else blocks[..., tables.n_background + k])
    columns += [blocks[..., : tables.n_background].sum(axis=-1), blocks[..., -1]]
    by_block = np.stack(columns, axis=-1)
    names = (*(t.id for t in candidates(fit.design)), *OTHER_SOURCES)
    mcse = by_block.std(axis=0, ddof=1) / np.sqrt(len(by_block))
    return EpisodeSources(tuple(o.time for o in fit.design.onsets), names, by_block.mean(axis=0), mcse)


def _intensity(fit: _Fit) -> NDArray[np.float32]:
    """Posterior mean intensity of each source on the grid, before the day multipliers [episodes per bin]."""
    tables, draws, grid = fit.tables, fit.draws, fit.design.grid
    rows = []
    for trigger in candidates(fit.design):
        row = np.zeros(grid.n_bins)
        if trigger.id in tables.triggers:
            k = tables.triggers.index(trigger.id)
            c = tables.n_background + k
            features = tables.features_of(k)
            weight = np.bincount(draws.entry[:, c], weights=draws.amplitude[:, c], minlength=features.shape[0])
            row = weight / draws.z.shape[0] @ features
        rows.append(row)
    rows.append(_background_amplitudes(fit) @ tables.background)
    rows.append(_echo_intensity(fit))
    return np.asarray(rows, dtype=np.float32)


def _echo_intensity(fit: _Fit) -> FloatArray:
    draws, weights = fit.draws, np.zeros(len(ECHO_TAUS_MIN))
    np.add.at(weights, draws.entry[:, -1], draws.amplitude[:, -1] / draws.z.shape[0])
    rows = [echo_on_grid(fit.design.grid, fit.design.onsets, tau) for tau in ECHO_TAUS_MIN]
    return np.asarray(weights @ np.stack(rows))


def _pairs(fit: _Fit) -> tuple[Pair, ...]:
    """Pairs of which one is at work though neither can be named: "one of these two", never two halves."""
    tables, z = fit.tables, fit.draws.z
    p = z.mean(axis=0)
    found = []
    for j in range(len(tables.triggers)):
        for k in range(j + 1, len(tables.triggers)):
            cj, ck = tables.n_background + j, tables.n_background + k
            either = float((z[:, cj] | z[:, ck]).mean())
            if either >= PAIR_P and max(p[cj], p[ck]) < PAIR_P and min(p[cj], p[ck]) > 0.05:
                correlation = float(np.corrcoef(z[:, cj], z[:, ck])[0, 1])
                if correlation <= LEAST_RIVALRY:
                    found.append(Pair((tables.triggers[j], tables.triggers[k]), either, correlation))
    return tuple(found)


def _treatment_draws(fit: _Fit) -> tuple[TreatmentDraws, ...]:
    return tuple(
        TreatmentDraws(course.kind, fit.draws.delta[:, m], fit.draws.tau[:, m], TREATMENT_TAUS_D, fit.dampers[m].dose)
        for m, course in enumerate(fit.design.courses)
    )


def _protector(fit: _Fit, name: str, state: SignalState) -> ProtectorResult:
    if state is not SignalState.OK:
        return ProtectorResult(name, state)
    m = len(fit.design.courses) + [d.id for d in fit.dampers[len(fit.design.courses) :]].index(name)
    delta = fit.draws.delta[:, m]
    return ProtectorResult(name, state, _estimate(np.exp(-delta)), float((delta > 0).mean()), float((delta < 0).mean()))


def _background_amplitudes(fit: _Fit) -> FloatArray:
    return np.asarray(fit.draws.amplitude[:, : fit.tables.n_background].mean(axis=0))


def _background_per_bin(fit: _Fit) -> FloatArray:
    """Mean background rate per observed bin in each draw."""
    total = fit.draws.amplitude[:, : fit.tables.n_background].sum(axis=1)
    return np.asarray(total / fit.design.grid.observed.sum())


def _estimate(values: FloatArray) -> Estimate:
    p5, p95 = np.quantile(values, [0.05, 0.95])
    return Estimate(float(values.mean()), float(p5), float(p95))


def _share(explained: FloatArray, n: int) -> Estimate:
    """Share of the episodes; an expected number above all of them counts as all of them."""
    return _estimate(np.minimum(explained / n, 1.0))


def _error_of_blocks(means: FloatArray) -> float:
    """Monte-Carlo standard error of a mean, from the means of blocks of sweeps long enough to be nearly independent."""
    return float(np.std(means, ddof=1) / np.sqrt(len(means)))

"""Is what the coming weeks would teach foretold rightly? Foretold by re-weighing, against fitting them anew.

Futures are drawn as `unaji.causes.foresight` draws them; each is then put behind the record and everything is fitted
again, which is what re-weighing saves. Run it as ``python -m benchmarks.next_observation [FUTURES]``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from unaji.care.next_observation import _days_by_lot
from unaji.causes import foresight
from unaji.causes.design import Design, Onset, Trigger
from unaji.causes.engine import SWEEPS, _chains, attribute
from unaji.causes.features import build_tables
from unaji.causes.foresight import DAYS, Scenario, foresee
from unaji.causes.grid import BIN, make_grid
from unaji.causes.posterior import Posterior
from unaji.causes.sampler import make_model
from unaji.records.timeline import Zones, from_utc_ms

START = datetime(2025, 3, 3, tzinfo=UTC)


def person(seed: int, weeks: int = 4) -> Design:
    """Somebody with a coffee now and then, work on most days and a scarf nearly always; one of the three is a cause."""
    rng = np.random.default_rng(seed)
    grid = make_grid(START, START + timedelta(weeks=weeks, minutes=-5), Zones())
    day, hour = grid.day, grid.local_hour
    scarf = (rng.random(grid.n_days) < 0.85)[day].astype(float)
    work = ((hour >= 9) & (hour < 17) & (rng.random(grid.n_days) < 0.6)[day]).astype(float)
    coffee = (rng.random(grid.n_bins) < 0.8 / 288).astype(float)
    cause = (scarf, work, np.convolve(coffee, np.ones(24))[: grid.n_bins])[seed % 3]
    rate = 0.35 / 288 + 0.45 * grid.n_days * cause / cause.sum()
    onsets = tuple(Onset(from_utc_ms(grid.time[t])) for t in np.flatnonzero(rng.random(grid.n_bins) < rate))
    triggers = (
        Trigger("scarf", "level", scarf, may=("avoid",)),
        Trigger("work", "level", work, may=("avoid",)),
        Trigger("coffee", "dose", coffee, may=("avoid",)),
    )
    return Design(grid, triggers, onsets)


def entropy(p: np.ndarray) -> float:
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)).sum())


def p_of(design: Design) -> np.ndarray:
    """Fit a design, without the controls that `attribute` adds."""
    tables = build_tables(design)
    draws = _chains(make_model(tables), 0, SWEEPS, lambda _: None)
    p = dict(zip(tables.triggers, draws.at_work.mean(axis=0)[tables.n_background : -1], strict=True))
    return np.array([p.get(trigger.id, trigger.prior) for trigger in design.triggers])


def lived(posterior: Posterior, scenario: Scenario, row: np.ndarray, at: np.ndarray, r: int) -> Design:
    """Put one drawn course of the weeks behind the record."""
    design, weeks = posterior.design, foresight._Weeks.after(posterior.design.grid)
    grid = make_grid(START, from_utc_ms(design.grid.time[-1]) + timedelta(days=DAYS), Zones())
    source = weeks.source[weeks.warm :]
    triggers = []
    for trigger in design.triggers:
        coming = trigger.value[source].copy()
        if trigger.id == scenario.trigger and scenario.days is not None:
            coming[scenario.days[weeks.day]] = 0.0
        triggers.append(replace(trigger, value=np.concatenate([trigger.value, coming])))
    first = design.grid.time[-1] + BIN
    new = tuple(Onset(from_utc_ms(first + b * BIN)) for b in at[row == r])
    return replace(design, grid=grid, triggers=tuple(triggers), onsets=(*design.onsets, *new))


def courses(posterior: Posterior, scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Draw courses of the coming weeks: row and bin of each onset."""
    rng = np.random.default_rng(2)
    weeks = foresight._Weeks.after(posterior.design.grid)
    people = foresight._Members.of(posterior, [], rng)
    view = foresight._View.of(posterior, people, weeks, recorded=True)
    truth, _ = foresight._features(scenario, posterior.design.grid, weeks, view, view, rng)
    givers = people.where(foresight._givers(people, 0))
    return view.logging.logged(*foresight._futures(givers, view.background, truth, weeks, rng), weeks, rng)


def main(futures: int) -> None:
    print(f"bits: foretold ± standard error, fitted anew over {futures} futures ± standard error")
    for seed in range(6):
        design = person(seed)
        posterior = attribute(design, seed=0).posterior
        assert posterior is not None
        now = p_of(posterior.design)
        lot = _days_by_lot((START + timedelta(days=design.grid.n_days)).date(), 0)
        scenarios = [Scenario("go_on"), *(Scenario("avoid", t.id, lot) for t in design.triggers)]
        print(f"person {seed}, {len(design.onsets)} episodes, p_cause {np.round(now, 2)}")
        for scenario, told in zip(scenarios, foresee(posterior, scenarios, np.random.default_rng(1)), strict=True):
            row, at = courses(posterior, scenario)
            every = np.linspace(0, foresight.DRAWS_A_CHAIN - 1, futures).astype(int)
            after = [entropy(p_of(lived(posterior, scenario, row, at, r))) for r in every]
            fall = entropy(now) - np.array(after)
            one, other = np.split(told.fall, 2)
            error = max(told.fall.std() / np.sqrt(told.fall.size), abs(one.mean() - other.mean()) / 2)
            print(
                f"  {scenario.do:6s} {scenario.trigger:7s} {told.fall.mean():6.3f} ± {error:.3f}   "
                f"{fall.mean():6.3f} ± {fall.std(ddof=1) / np.sqrt(futures):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

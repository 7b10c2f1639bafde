"""Would the engine have found a cause where there is none? Two controls, run for every person.

*Placebo exposures*: invented levels that move as the person's own do, and invented doses taken at the hours the person
takes theirs, compete with the real exposures. What the best of them reaches is what chance alone reaches here.

*Time turned round*: every exposure acts on the episodes before it. No cause does; an exposure that explains earlier
episodes better than later ones is a consequence of them, or a companion of what is behind them.

Both use shorter chains than the fit itself: they ask whether a probability is large, not for its second digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unaji.causes.design import BIN_MIN, Design, Grid, Trigger
from unaji.causes.fading import fading_sum
from unaji.causes.features import Tables, build_tables, known_level, with_more_triggers
from unaji.causes.marks import episode_marks
from unaji.causes.sampler import Chain, Damper, make_model
from unaji.records.timeline import FloatArray

PLACEBO_DRAWS = 5
SWEEPS, BURN_IN = 600, 150
LONGEST_MEMORY_MIN = 7 * 1440.0
USUAL_MEMORY_MIN, USUAL_DOSES_A_DAY, USUAL_LAG_MIN = 240.0, 1.0, (5.0, 1440.0)
"""Of a placebo where the person has no level, or no dose, to take after [A]."""
PLACEBOS = ("placebo_level", "placebo_dose")


@dataclass(frozen=True, slots=True)
class Controls:
    """What the controls found.

    Attributes
    ----------
    placebo_best : float
        Largest probability of being a cause that any placebo exposure reached.
    backwards : dict of str to float
        Of each fitted exposure, the probability of being a "cause" of what happened before it.
    """

    placebo_best: float
    backwards: dict[str, float]


def run_controls(
    design: Design,
    tables: Tables,
    dampers: Sequence[Damper],
    rng: np.random.Generator,
    progress: Callable[[float], None] = lambda _: None,
) -> Controls:
    """Run both controls; `progress` is called with the share done and may raise to stop."""
    best, like = 0.0, habits(design)
    for draw in range(PLACEBO_DRAWS):
        p = _p_causes(design, with_more_triggers(tables, design, placebos(design.grid, like, rng)), dampers, rng)
        best = max([best, *(p[name] for name in PLACEBOS if name in p)])
        progress((draw + 1) / (PLACEBO_DRAWS + 1))
    backwards = _p_causes(design, build_tables(design, backwards=True), dampers, rng) if tables.triggers else {}
    progress(1.0)
    return Controls(best, backwards)


class Habits(NamedTuple):
    """What a person's own exposures are like, for placebos to take after.

    Attributes
    ----------
    memory_min : float
        How slowly the slowest of the levels forgets.
    doses_a_bin : ndarray, shape (24,)
        How often the commonest dose came in a bin of each local hour.
    lags_min : tuple of (float, float)
        Plausible ranges of the mean lag.
    """

    memory_min: float
    doses_a_bin: FloatArray
    lags_min: tuple[tuple[float, float], ...]


def habits(design: Design) -> Habits:
    """Look at a person's own exposures."""
    grid = design.grid
    levels = [known_level(t, grid)[0].mean for t in design.triggers if t.kind == "level"]
    memory_min = max((memory(level) for level in levels if np.isfinite(level).all()), default=USUAL_MEMORY_MIN)
    taken = [np.nan_to_num(t.value) > 0 for t in design.triggers if t.kind == "dose"]
    commonest = max(taken, key=lambda one: one.sum(), default=np.zeros(grid.n_bins, dtype=bool))
    hour = grid.local_hour.astype(np.int64)
    doses_a_bin = np.bincount(hour[commonest], minlength=24) / np.maximum(np.bincount(hour, minlength=24), 1)
    if not commonest.any():
        doses_a_bin = np.full(24, USUAL_DOSES_A_DAY * BIN_MIN / 1440)
    return Habits(memory_min, doses_a_bin, tuple(t.lag_min for t in design.triggers) or (USUAL_LAG_MIN,))


def placebos(grid: Grid, like: Habits, rng: np.random.Generator) -> tuple[Trigger, Trigger]:
    """Invent one level and one kind of dose that have nothing to do with the episodes.

    The level forgets as slowly as the slowest of the person's own; the doses come as often, and at the hours, as the
    commonest of the person's own. Both may act at any lag that one of the person's own may.
    """
    level = _forgetting(rng, grid.n_bins, like.memory_min)
    doses = (rng.random(grid.n_bins) < like.doses_a_bin[grid.local_hour.astype(np.int64)]).astype(float)
    lags = [like.lags_min[rng.integers(len(like.lags_min))] for _ in PLACEBOS]
    return Trigger(PLACEBOS[0], "level", level, lags[0]), Trigger(PLACEBOS[1], "dose", doses, lags[1])


def memory(level: FloatArray) -> float:
    """Return the lag at which a level's autocorrelation falls below 1/e [min], at most a week."""
    centred = level - level.mean()
    reach = int(min(LONGEST_MEMORY_MIN // BIN_MIN, level.size - 1))
    spectrum = np.fft.rfft(centred, 2 * level.size)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2)[: reach + 1]
    below = np.flatnonzero(covariance < covariance[0] / np.e) if covariance[0] > 0 else np.array([1])
    return float((below[0] if below.size else reach) * BIN_MIN)


def _forgetting(rng: np.random.Generator, n: int, memory_min: float) -> FloatArray:
    """Draw an Ornstein-Uhlenbeck process of variance 1."""
    keep = np.exp(-BIN_MIN / memory_min)
    noise = rng.standard_normal(n) * np.sqrt(1 - keep**2)
    noise[0] /= np.sqrt(1 - keep**2)
    return fading_sum(noise, keep)


def _p_causes(design: Design, tables: Tables, dampers: Sequence[Damper], rng: np.random.Generator) -> dict[str, float]:
    """Fit shortly and return the probability of being a cause of each trigger that took part."""
    chain = Chain(make_model(tables, dampers, episode_marks(design.onsets)), rng)
    chain.run(BURN_IN)
    at_work = chain.run(SWEEPS).at_work[tables.n_background : -1] / SWEEPS
    return dict(zip(tables.triggers, map(float, at_work), strict=True))

"""The autonomic state on a regular grid, each number with its quality.

The sympathetic index asks one question of every signal that speaks of the sympathetic system: how far does it stand
above what movement, time of day and sleep explain in this person? Four signals can answer: heart rate (up), the
logarithm of RMSSD (down: the vagal brake is released), and level and responses of skin conductance (up). Their answers
are added and the sum is brought to a standard deviation near 1 whichever of them there are (`unaji.signals.index`).

It does not tell emotion from everything else that moves these signals (talking, a meal, heat, illness), and no share of
spectral power such as LF/HF takes part in it.

Beside the index stand the hidden sympathetic and vagal curves of `unaji.signals.latent`, averaged over the same steps.
They answer a wider question: they say how sure they are, carry over short gaps, and tell the two systems apart. The
index is not replaced by them: on these steps it rises under stress in 11 of the 12 people of
``tests/signals/test_state_on_e4.py``, as the balance of the curves does, and the sympathetic curve in 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray, TimeArray, Timeline
from unaji.signals.activity import (
    activity_on_grid,
    activity_series,
    activity_unit,
    skin_temp_on_grid,
    skin_temp_series,
)
from unaji.signals.adjust import day_waves, lagged, unexplained
from unaji.signals.eda import eda_on_grid
from unaji.signals.grid import Gridded
from unaji.signals.index import combine
from unaji.signals.latent import LatentState, latent_of_minutes
from unaji.signals.minutes import STEP_S as MINUTE_S
from unaji.signals.minutes import minutes_on
from unaji.signals.reasons import StateReason
from unaji.signals.sources import (
    air_series,
    asleep_on_grid,
    gridded,
    heart_on_grid,
    local_hours,
    nothing,
    steps_recorded,
    valid_intervals_ms,
)

STEP_S = 300.0
"""Length of a step [s]: the Task Force's short recording, and the working grid of `causes`."""

MOVEMENT_LAGS_S = (0.0, 300.0, 600.0)
"""Movement acts on the heart at once and for some ten minutes after [s]."""

MIN_DAYS = 3
"""Local days on which a signal must have been measured before time of day and warmth are taken out of it."""


def _not_given() -> FloatArray:
    return np.zeros(0)


LATENT = (
    "sympathetic",
    "sympathetic_sd",
    "vagal",
    "vagal_sd",
    "balance",
    "balance_sd",
    "additional_hr_bpm",
    "rmssd_reduction_ms",
)


@dataclass(frozen=True, eq=False, slots=True)
class AutonomicState:
    """Signals on a regular grid; NaN where there is too little to say.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Start of each step, UTC.
    step_s : float
        Length of a step [s].
    hr_bpm, rmssd_ms, sdnn_ms : ndarray, shape (n,)
        Heart rate and heart rate variability from valid beats (heart rate also from a heart-rate series).
    scl_microsiemens, scr_microsiemens : ndarray, shape (n,)
        Tonic skin conductance, and mean size of the phasic part.
    skin_temp_c : ndarray, shape (n,)
        Skin temperature: nape where measured, else wrist.
    activity : ndarray, shape (n,)
        Movement: acceleration beyond gravity [mg], else steps a minute.
    sympathetic_index : ndarray, shape (n,)
        How far the sympathetic signals stand above what movement and time of day explain, in this person's standard
        deviations.
    quality : dict of str to ndarray, shape (n,)
        For each of the names above, the share of the step that was measured and valid, 0 to 1; for
        ``sympathetic_index`` the share of channels behind it.
    channels : tuple of str
        Signals that fed the index ("hr", "rmssd", "scl", "scr").
    activity_unit : str
        "mg" or "steps/min".
    sympathetic, vagal : ndarray, shape (n,)
        Hidden activity on average over the step, in this person's standard deviations (`unaji.signals.latent`).
    sympathetic_sd, vagal_sd : ndarray, shape (n,)
        Standard deviation of that average, with what neighbouring minutes have in common; near 1 where no signal speaks
        of it.
    balance, balance_sd : ndarray, shape (n,)
        (sympathetic − vagal) / √2 likewise: what heart rate itself speaks of, so surer than either with little else.
    additional_hr_bpm, rmssd_reduction_ms : ndarray, shape (n,)
        Heart rate above, and RMSSD below what movement, warmth, time of day and sleep explain, on average over the
        minutes measured.
    latent_reason : ndarray of int8, shape (n,)
        Why the hidden curves say less than they could, as values of `unaji.signals.reasons.StateReason`.

    From `sympathetic` on they need not be given: they are then NaN, with `StateReason.NO_SIGNAL`.
    """

    time: TimeArray
    step_s: float
    hr_bpm: FloatArray
    rmssd_ms: FloatArray
    sdnn_ms: FloatArray
    scl_microsiemens: FloatArray
    scr_microsiemens: FloatArray
    skin_temp_c: FloatArray
    activity: FloatArray
    sympathetic_index: FloatArray
    quality: dict[str, FloatArray]
    channels: tuple[str, ...]
    activity_unit: str = "mg"
    sympathetic: FloatArray = field(default_factory=_not_given)
    sympathetic_sd: FloatArray = field(default_factory=_not_given)
    vagal: FloatArray = field(default_factory=_not_given)
    vagal_sd: FloatArray = field(default_factory=_not_given)
    balance: FloatArray = field(default_factory=_not_given)
    balance_sd: FloatArray = field(default_factory=_not_given)
    additional_hr_bpm: FloatArray = field(default_factory=_not_given)
    rmssd_reduction_ms: FloatArray = field(default_factory=_not_given)
    latent_reason: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))

    def __post_init__(self) -> None:
        n = self.time.size
        for name in LATENT:
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.full(n, np.nan))
        if self.latent_reason.size == 0:
            object.__setattr__(self, "latent_reason", np.full(n, StateReason.NO_SIGNAL, dtype=np.int8))


def autonomic_state(timeline: Timeline, *, step_s: float = STEP_S) -> AutonomicState | None:
    """Put everything measured of heart, sweat glands, skin and movement on one grid, with a sympathetic index.

    Parameters
    ----------
    timeline : Timeline
        Read are: beats, ``hr_bpm``, ``rmssd_ms`` and ``sdnn_ms`` (these two only without beats), ``scl_microsiemens``,
        skin temperatures, ``activity_mg`` or ``steps``, ``air_temp_c``, and exposures of kind "sleep".
    step_s : float
        Length of a step [s]: whole minutes, since the hidden curves are averages of minutes.

    Returns
    -------
    AutonomicState or None
        None when neither heart nor skin conductance nor skin temperature was recorded.

    Notes
    -----
    Each channel is regressed, over the whole record, on movement now, 5 and 10 minutes ago (its square root, since
    heart rate rises ever more slowly with movement), on being asleep, and, from `MIN_DAYS` days on, on time of day;
    skin conductance then also on skin and air temperature, which it follows in the warm. See `unaji.signals.adjust`.
    """
    if step_s < MINUTE_S or step_s % MINUTE_S:
        raise ValueError(f"step_s must be whole minutes, got {step_s} s")
    grid = _grid(timeline, step_s)
    if grid is None:
        return None
    valid_ms = valid_intervals_ms(timeline.beats) if timeline.beats else None
    heart = heart_on_grid(timeline, grid, step_s, valid_ms=valid_ms)
    scl, scr = _eda(timeline, grid, step_s)
    skin = gridded(skin_temp_series(timeline), grid, step_s, skin_temp_on_grid)
    moved_series = activity_series(timeline)
    moved = gridded(moved_series, grid, step_s, activity_on_grid)

    explained_by = _covariates(timeline, grid, step_s, moved, skin)
    z = {
        "hr": explained_by.leave(heart.hr.value),
        "rmssd": -explained_by.leave(_log(heart.rmssd.value)),
        "scl": explained_by.leave(_log(scl.value), warmth=True),
        "scr": explained_by.leave(np.sqrt(scr.value), warmth=True),
    }
    channels = tuple(name for name, values in z.items() if np.isfinite(values).any())
    n_speaking = np.zeros(grid.size) + sum(np.isfinite(z[name]) for name in channels)
    return AutonomicState(
        time=grid,
        step_s=step_s,
        hr_bpm=heart.hr.value,
        rmssd_ms=heart.rmssd.value,
        sdnn_ms=heart.sdnn.value,
        scl_microsiemens=scl.value,
        scr_microsiemens=scr.value,
        skin_temp_c=skin.value,
        activity=moved.value,
        sympathetic_index=combine([z[name] for name in channels], grid.size),
        quality={
            "hr_bpm": heart.hr.coverage,
            "rmssd_ms": heart.rmssd.coverage,
            "sdnn_ms": heart.sdnn.coverage,
            "scl_microsiemens": scl.coverage,
            "scr_microsiemens": scr.coverage,
            "skin_temp_c": skin.coverage,
            "activity": moved.coverage,
            "sympathetic_index": n_speaking / max(len(channels), 1),
        },
        channels=channels,
        activity_unit=activity_unit(moved_series),
        **_latent(timeline, grid, step_s, valid_ms),
    )


def _latent(timeline: Timeline, grid: TimeArray, step_s: float, valid_ms: FloatArray | None) -> dict[str, Any]:
    """Average the hidden curves over the steps."""
    per_step = round(step_s / MINUTE_S)
    every_ms = round(MINUTE_S * 1000.0) * np.arange(grid.size * per_step)
    minutes = minutes_on(grid[0] + every_ms.astype("timedelta64[ms]"), timeline, valid_ms=valid_ms)
    found: LatentState = latent_of_minutes(minutes, per_step=per_step)
    return {name: getattr(found, name) for name in LATENT} | {"latent_reason": found.reason}


@dataclass(frozen=True, eq=False, slots=True)
class _Covariates:
    """What a channel is adjusted for; the groups after the first need enough days."""

    movement_and_sleep: list[FloatArray]
    time_of_day: list[FloatArray]
    warmth: list[FloatArray]
    day: NDArray[np.int64]

    def leave(self, channel: FloatArray, *, warmth: bool = False) -> FloatArray:
        """Return what these leave unexplained of a channel, in the person's standard deviations."""
        covariates = list(self.movement_and_sleep)
        if np.unique(self.day[np.isfinite(channel)]).size >= MIN_DAYS:
            covariates += self.time_of_day + (self.warmth if warmth else [])
        return unexplained(channel, covariates)


def _covariates(timeline: Timeline, grid: TimeArray, step_s: float, moved: Gridded, skin: Gridded) -> _Covariates:
    local_h = local_hours(timeline, grid)
    moved_root = np.sqrt(np.maximum(moved.value, 0.0))  # sums of many steps leave −1e−17 behind
    lags = sorted({round(lag_s / step_s) for lag_s in MOVEMENT_LAGS_S})
    return _Covariates(
        movement_and_sleep=[*(lagged(moved_root, lag) for lag in lags), asleep_on_grid(timeline, grid)],
        time_of_day=day_waves(local_h % 24.0),
        warmth=[skin.value, gridded(air_series(timeline), grid, step_s).value],
        day=np.floor(local_h / 24.0).astype(np.int64),
    )


def _grid(timeline: Timeline, step_s: float) -> TimeArray | None:
    """Return the steps that hold all that was recorded of heart, skin conductance and skin temperature."""
    names = ("hr_bpm", "rmssd_ms", "sdnn_ms", "scl_microsiemens")
    return steps_recorded(timeline, step_s, *(timeline.of(name) for name in names), skin_temp_series(timeline))


def _eda(timeline: Timeline, grid: TimeArray, step_s: float) -> tuple[Gridded, Gridded]:
    series = timeline.of("scl_microsiemens")
    return eda_on_grid(series, grid, step_s) if series else (nothing(grid), nothing(grid))


def _log(x: FloatArray) -> FloatArray:
    return np.log(x, out=np.full(x.shape, np.nan), where=x > 0.0)

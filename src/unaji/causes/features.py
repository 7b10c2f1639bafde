"""From exposures on the grid to the two tables the sampler works on.

`docs/explanation/engine.md` tells the model in full. Every component c of the intensity (background shapes, triggers,
echo) comes with a dictionary of entries ℓ (driver × lag kernel, or echo time). The sampler only sees

* ``E[i, c, ℓ]``: the feature at the onset of episode i, smoothed over the onset's time error, and
* ``X[d, c, ℓ]``: the sum of the feature over the bins of local day d,

so its cost depends on episodes, triggers and days, never on bins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import gammainc

from unaji.causes.attribution import SignalState
from unaji.causes.design import BIN_MIN, Design, Grid, Onset, Trigger
from unaji.causes.fading import fading_sum
from unaji.causes.grid import ONSET_WINDOW_MIN, bin_of, bins_of_day
from unaji.causes.levels import Level, between_readings, is_sparse
from unaji.records.timeline import BoolArray, FloatArray, utc_ms

MEAN_LAGS_MIN = (15.0, 60.0, 180.0, 480.0, 1440.0)
KERNEL_SHAPE = 2.0
HINGES = (0.5, 0.8)
"""Quantiles of a level above which it counts: "more is worse" and "only extremes matter"."""
BUMP_CENTRES_H = (8.0, 11.5, 15.0, 18.5, 22.0)
BUMP_HALF_WIDTH_H = 3.5
ECHO_TAUS_MIN = (90.0, 300.0, 900.0)
MAX_FILLED = 0.5
"""A trigger whose signal had to be filled for more than this share of observed time leaves the model."""
READING_LASTS_MIN = 360.0
"""How long after a reading a level that is read now and then counts as known."""
MIN_DOSES = 4
KERNEL_REACH = 8
"""Kernels are cut at this many mean lags (a share of 2·10⁻⁶ of the mass is beyond)."""


@dataclass(frozen=True, eq=False, slots=True)
class Tables:
    """What the sampler sees. Components: background shapes, then fitted triggers, then echo.

    Attributes
    ----------
    onset_e : ndarray, shape (n_onsets, n_components, n_entries)
        Features at the onsets.
    day_x : ndarray, shape (n_days, n_components, n_entries)
        Features summed over local days.
    log_prior : ndarray, shape (n_components, n_entries)
        Log prior of each entry; −inf where a component has no such entry.
    q95 : ndarray, shape (n_components, n_entries)
        A strong exposure (triggers only): the 95 % quantile of the feature over observed time.
    half : ndarray, shape (n_components, n_entries)
        What is left of the feature's sum when the exposure is halved.
    onset_day : ndarray of int, shape (n_onsets,)
    triggers : tuple of str
        Ids of the triggers that are in the model, in the order of their components.
    state : dict
        `SignalState` of every trigger of the design.
    filled : dict
        Share of observed time that had to be filled, for every trigger of the design.
    alias : dict
        Trigger id → id of the identical trigger that stands for it.
    background : ndarray, shape (n_background, n_bins)
        Background shapes on the grid.
    """

    onset_e: FloatArray
    day_x: FloatArray
    log_prior: FloatArray
    q95: FloatArray
    half: FloatArray
    exposed: FloatArray
    onset_day: NDArray[np.int64]
    triggers: tuple[str, ...]
    prior: tuple[float, ...]
    state: dict[str, SignalState]
    filled: dict[str, float]
    alias: dict[str, str]
    background: FloatArray
    _lagged: _LaggedFeatures

    @property
    def n_background(self) -> int:
        """Number of background shapes."""
        return int(self.background.shape[0])

    def n_entries(self, k: int) -> int:
        """Return how many entries (drivers × mean lags) fitted trigger k has."""
        return len(MEAN_LAGS_MIN) * int(self._lagged.drivers[k].shape[0])

    def features_of(self, k: int) -> FloatArray:
        """Return the features of fitted trigger k on the grid, shape (n_entries, n_bins); each row sums to 1.

        They are computed anew at each call: kept for all triggers they would fill the memory on a year of records.
        """
        return self._lagged.of(k)


def lag_kernel(mean_min: float, shape: float = KERNEL_SHAPE) -> FloatArray:
    """Gamma density of the lag on the grid, causal, summing to 1.

    Entry i is the probability that what began at a random instant of one bin acts i bins later: the second difference
    of ∫F, F being the distribution of the lag. So a mean of 15 minutes is as exact as one of a day.
    """
    edges = np.arange(-1.0, KERNEL_REACH * mean_min / BIN_MIN + 1) * BIN_MIN
    t, scale = np.maximum(edges, 0.0), mean_min / shape
    integral = t * gammainc(shape, t / scale) - mean_min * gammainc(shape + 1, t / scale)
    mass = np.diff(integral, n=2)
    return np.asarray(mass / mass.sum())


def known_level(trigger: Trigger, grid: Grid) -> tuple[Level, BoolArray]:
    """Say what is known of a level in each bin: for the exposure only, nothing is learnt of episodes from it.

    A level that was read now and then is followed between its readings (`unaji.causes.levels`), a level that was
    followed is held a while where it is missing.

    Returns
    -------
    (Level, ndarray of bool)
        And where it was neither measured nor held; of one that is read now and then, where the last reading lies more
        than `READING_LASTS_MIN` back.
    """
    readings = trigger.value if trigger.readings is None else trigger.readings
    if is_sparse(readings):
        reach = max(trigger.hold_min, READING_LASTS_MIN)
        return between_readings(readings, grid), np.isnan(hold(readings, int(reach // BIN_MIN)))
    return usual_where_missing(hold(trigger.value, int(trigger.hold_min // BIN_MIN)), grid)


def drivers_of(trigger: Trigger, grid: Grid) -> tuple[FloatArray, BoolArray]:
    """Return what drives a trigger's features, shape (n_drivers, n_bins), and where nothing was measured or held."""
    if trigger.kind == "dose":
        level, missing = usual_where_missing(trigger.value, grid)
        return _dose_driver(level.mean)[0], missing
    level, missing = known_level(trigger, grid)
    return _level_drivers(level, grid)[0], missing


def usual_where_missing(value: FloatArray, grid: Grid) -> tuple[Level, BoolArray]:
    """Put the person's usual level at that hour, on such a day, where a level is missing, with its spread."""
    missing = np.isnan(value)
    if not missing.any() or missing.all():
        return Level(value, np.zeros(value.size)), missing
    cell = grid.local_hour.astype(np.int64) + 24 * grid.day_off
    hour = grid.local_hour.astype(np.int64)
    usual = _group_mean(value, cell, 48)[cell]
    usual = np.where(np.isnan(usual), _group_mean(value, hour, 24)[hour], usual)
    usual = np.where(np.isnan(usual), np.nanmean(value), usual)
    return Level(np.where(missing, usual, value), np.where(missing, np.nanstd(value - usual), 0.0)), missing


def build_tables(design: Design, *, backwards: bool = False) -> Tables:
    """Compute the sampler's tables from a design.

    Parameters
    ----------
    design : Design
    backwards : bool
        Let every exposure act backwards in time, on the episodes before it: as a control, since no cause does.
    """
    grid = design.grid
    observed = grid.observed.astype(float)
    windows = _onset_windows(grid, design.onsets)
    background = _background(grid)
    state, filled, alias, drivers = _drivers(design)
    fitted = [t for t in design.triggers if t.id in drivers]

    entries = max([len(ECHO_TAUS_MIN), *(len(MEAN_LAGS_MIN) * drivers[t.id][0].shape[0] for t in fitted)])
    n_components = len(background) + len(fitted) + 1
    tables = {
        "onset_e": np.zeros((len(design.onsets), n_components, entries)),
        "day_x": np.zeros((grid.n_days, n_components, entries)),
        "log_prior": np.full((n_components, entries), -np.inf),
        "q95": np.zeros((n_components, entries)),
        "half": np.zeros((n_components, entries)),
    }
    exposed = np.full((len(fitted), entries), np.nan)
    for c, shape in enumerate(background):
        tables["onset_e"][:, c, 0] = windows.smooth(shape)
        tables["day_x"][:, c, 0] = _by_day(shape, grid)
        tables["log_prior"][c, 0] = 0.0

    kernels = Kernels(grid.n_bins, backwards=backwards)
    lagged = _LaggedFeatures(kernels, tuple(drivers[t.id][0] for t in fitted), observed)
    for k, trigger in enumerate(fitted):
        c = len(background) + k
        phi = lagged.of(k)
        n, alive = phi.shape[0], np.asarray(phi.any(axis=1))
        tables["onset_e"][:, c, :n] = windows.smooth(phi).T
        tables["day_x"][:, c, :n] = _by_day(phi, grid).T
        tables["q95"][c, :n] = _strong(phi[:, grid.observed])
        tables["half"][c, :n] = _left_when_halved(kernels, *drivers[trigger.id], observed)
        tables["log_prior"][c, :n] = _log_prior_of_lags(trigger, n, alive)
        exposed[k, :n] = (phi[:, grid.observed] > phi[:, grid.observed].mean(axis=1, keepdims=True)).mean(axis=1)

    for j, tau in enumerate(ECHO_TAUS_MIN):
        tables["onset_e"][:, -1, j] = _echo_at_onsets(design.onsets, tau)
        tables["day_x"][:, -1, j] = _by_day(echo_on_grid(grid, design.onsets, tau), grid)
        tables["log_prior"][-1, j] = -np.log(len(ECHO_TAUS_MIN))
    return Tables(
        **tables,
        exposed=exposed,
        onset_day=np.array([grid.day[b] for b in windows.onset_bin], dtype=np.int64),
        triggers=tuple(t.id for t in fitted),
        prior=tuple(t.prior for t in fitted),
        state=state,
        filled=filled,
        alias=alias,
        background=background,
        _lagged=lagged,
    )


def with_more_triggers(tables: Tables, design: Design, more: tuple[Trigger, ...]) -> Tables:
    """Return the tables with further triggers after the others; one that has no contrast is left out."""
    extra = build_tables(replace(design, triggers=more))
    new = slice(extra.n_background, -1)

    def joined(own: FloatArray, others: FloatArray, axis: int) -> FloatArray:
        width = max(own.shape[-1], others.shape[-1])
        fill = -np.inf if own is tables.log_prior else 0.0
        own, others = (_widened(one, width, fill) for one in (own, others))
        before, last = np.split(own, [own.shape[axis] - 1], axis=axis)
        return np.concatenate([before, np.take(others, range(*new.indices(others.shape[axis])), axis=axis), last], axis)

    return replace(
        tables,
        onset_e=joined(tables.onset_e, extra.onset_e, 1),
        day_x=joined(tables.day_x, extra.day_x, 1),
        log_prior=joined(tables.log_prior, extra.log_prior, 0),
        triggers=(*tables.triggers, *extra.triggers),
        prior=(*tables.prior, *extra.prior),
    )


def _widened(table: FloatArray, width: int, fill: float) -> FloatArray:
    """Make room for more entries."""
    room = [(0, 0)] * (table.ndim - 1) + [(0, width - table.shape[-1])]
    return np.pad(table, room, constant_values=fill)


def treatment_dose(grid: Grid, sessions: Iterable[datetime], tau_d: float) -> FloatArray:
    """Mean treatment dose of each local day over its observed bins, 0 to 1, shape (n_days,).

    The dose at t is 1 − exp(−Σ exp(−(t − s)/τ)) over the sessions s before t, also those before the grid starts.
    """
    age_d = np.zeros(grid.n_bins)
    middle = grid.time + np.timedelta64(BIN_MIN * 30_000, "ms")
    for session in sessions:
        days = (middle - utc_ms(session)).astype(float) / 86_400_000
        age_d += np.where(days > 0, np.exp(-np.maximum(days, 0) / tau_d), 0.0)
    return _mean_of_day(1 - np.exp(-age_d), grid)


def protection(trigger: Trigger, grid: Grid) -> tuple[SignalState, FloatArray]:
    """Mean of each local day of what may protect, 0 at its low end (5 % quantile) and 1 at its high end (95 %).

    Returns
    -------
    (SignalState, ndarray of shape (n_days,))
    """
    level, missing = known_level(trigger, grid)
    state = _signal_state(trigger, level.mean, float(missing[grid.observed].mean()), grid)
    if state is not SignalState.OK:
        return state, np.zeros(grid.n_days)
    low, high = np.quantile(level.mean[grid.observed], (0.05, 0.95))
    if low == high:
        low, high = level.mean[grid.observed].min(), level.mean[grid.observed].max()
    return state, _mean_of_day(np.clip((level.mean - low) / (high - low), 0.0, 1.0), grid)


def _mean_of_day(value: FloatArray, grid: Grid) -> FloatArray:
    """Mean over the observed bins of each local day; 0 on a day without any."""
    count = np.bincount(grid.day, weights=grid.observed.astype(float), minlength=grid.n_days)
    total = np.bincount(grid.day, weights=value * grid.observed, minlength=grid.n_days)
    return np.asarray(np.divide(total, count, out=np.zeros(grid.n_days), where=count > 0))


@dataclass(frozen=True, eq=False, slots=True)
class _OnsetWindows:
    """Bins around each onset and the normalised density of its time error over them."""

    onset_bin: NDArray[np.int64]
    bins: tuple[NDArray[np.int64], ...]
    weights: tuple[FloatArray, ...]

    def smooth(self, feature: FloatArray) -> FloatArray:
        """Return the feature at each onset averaged over the time error, shape (…, n_onsets)."""
        columns = [feature[..., b] @ w for b, w in zip(self.bins, self.weights, strict=True)]
        return np.stack(columns, axis=-1) if columns else np.zeros((*feature.shape[:-1], 0))


def _onset_windows(grid: Grid, onsets: tuple[Onset, ...]) -> _OnsetWindows:
    onset_bin = np.array([bin_of(grid, onset.time) for onset in onsets], dtype=np.int64)
    bins, weights = [], []
    for onset, at in zip(onsets, onset_bin, strict=True):
        window, density = onset_density(grid, onset, int(at))
        bins.append(window)
        weights.append(density)
    return _OnsetWindows(onset_bin, tuple(bins), tuple(weights))


def onset_density(grid: Grid, onset: Onset, at: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the observed bins an onset may lie in and the probability of each.

    The density is normal with the stated standard deviation, cut at ±30 minutes; uniform over the observed bins of the
    day where only the date is known.
    """
    if onset.whole_day:
        day = bins_of_day(grid, at)
        window = day.start + np.flatnonzero(grid.observed[day])
        return window, np.full(window.size, 1.0 / window.size)
    reach = ONSET_WINDOW_MIN // BIN_MIN
    window = np.arange(max(0, at - reach), min(grid.n_bins, at + reach + 1))
    window = window[grid.observed[window]]
    middle_min = (grid.time[window] - utc_ms(onset.time)).astype(float) / 60_000 + BIN_MIN / 2
    # A standard deviation below half a bin is not resolved by the grid: all the weight goes to the onset's own bin.
    weight = np.exp(-0.5 * (middle_min / max(onset.sd_min, 1e-9)) ** 2) if onset.sd_min >= BIN_MIN / 2 else window == at
    return window, weight / weight.sum()


class Kernels:
    """The lag kernels, transformed once for a grid."""

    def __init__(self, n_bins: int, *, backwards: bool) -> None:
        kernels = [lag_kernel(mean)[:n_bins] for mean in MEAN_LAGS_MIN]
        self._n = n_bins
        self._length = fft.next_fast_len(n_bins + max(k.size for k in kernels), real=True)
        forwards = np.stack([fft.rfft(k, self._length) for k in kernels])
        self._spectra = np.conj(forwards) if backwards else forwards

    def convolve(self, drivers: FloatArray) -> FloatArray:
        """Return drivers × kernels as rows (driver-major), shape (n_drivers · n_kernels, n_bins)."""
        spectra = fft.rfft(drivers, self._length, axis=1)
        rows = [fft.irfft(s[None, :] * self._spectra, self._length, axis=1)[:, : self._n] for s in spectra]
        return np.asarray(
            np.maximum(np.concatenate(rows), 0.0)
        )  # rounding leaves −1e−17 where the kernel has not begun

    def heard(self, observed: FloatArray) -> FloatArray:
        """Return how much of what happens in each bin is heard in observed time, shape (n_kernels, n_bins)."""
        spectra = np.conj(self._spectra) * fft.rfft(observed, self._length)
        return np.asarray(fft.irfft(spectra, self._length, axis=1)[:, : self._n])


@dataclass(frozen=True, eq=False, slots=True)
class _LaggedFeatures:
    """Drivers of the fitted triggers, and how they become features."""

    kernels: Kernels
    drivers: tuple[FloatArray, ...]
    observed: FloatArray

    def of(self, k: int) -> FloatArray:
        lagged = self.kernels.convolve(self.drivers[k]) * self.observed
        total = lagged.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(lagged, total, out=np.zeros_like(lagged), where=total > 0))


def _strong(observed: FloatArray) -> FloatArray:
    """A strong exposure: the 95 % quantile over observed time, or for what is rarer its mean while above average."""
    mean = observed.mean(axis=1, keepdims=True)
    above = observed > mean
    while_on = (observed * above).sum(axis=1) / np.maximum(above.sum(axis=1), 1)
    quantile = np.quantile(observed, 0.95, axis=1)
    return np.where(quantile > mean[:, 0], quantile, while_on)


def _left_when_halved(kernels: Kernels, full: FloatArray, halved: FloatArray, observed: FloatArray) -> FloatArray:
    """Share of each feature's sum that is left when the exposure is halved (0 where there was none)."""
    heard = kernels.heard(observed)
    before, after = ((drivers @ heard.T).ravel() for drivers in (full, halved))
    return np.asarray(np.divide(after, before, out=np.zeros_like(before), where=before > 0))


def _drivers(
    design: Design,
) -> tuple[dict[str, SignalState], dict[str, float], dict[str, str], dict[str, tuple[FloatArray, FloatArray]]]:
    """Drivers (full and with the exposure halved) of every trigger that can take part."""
    grid = design.grid
    state: dict[str, SignalState] = {}
    filled: dict[str, float] = {}
    alias: dict[str, str] = {}
    drivers: dict[str, tuple[FloatArray, FloatArray]] = {}
    kept: dict[str, tuple[Trigger, FloatArray]] = {}
    for trigger in design.triggers:
        if trigger.kind == "protector":
            continue
        if trigger.kind == "dose":
            level, missing = usual_where_missing(trigger.value, grid)
        else:
            level, missing = known_level(trigger, grid)
        filled[trigger.id] = float(missing[grid.observed].mean()) if grid.observed.any() else 1.0
        state[trigger.id] = _signal_state(trigger, level.mean, filled[trigger.id], grid)
        if state[trigger.id] is not SignalState.OK:
            continue
        twin = next((other for other in kept if _same(trigger, level.mean, *kept[other])), None)
        if twin is not None:
            alias[trigger.id] = twin
            continue
        full, halved = _dose_driver(level.mean) if trigger.kind == "dose" else _level_drivers(level, grid)
        if not full[:, : np.flatnonzero(grid.observed)[-1] + 1].any():
            state[trigger.id] = SignalState.NO_CONTRAST
            continue
        kept[trigger.id] = (trigger, level.mean)
        drivers[trigger.id] = (full, halved)
    return state, filled, alias, drivers


def _same(trigger: Trigger, signal: FloatArray, other: Trigger, other_signal: FloatArray) -> bool:
    alike = (trigger.kind, trigger.lag_min) == (other.kind, other.lag_min)
    return alike and np.array_equal(signal, other_signal)


def _signal_state(trigger: Trigger, signal: FloatArray, filled: float, grid: Grid) -> SignalState:
    if np.isnan(signal).all() or filled > MAX_FILLED:
        return SignalState.INSUFFICIENT
    if trigger.kind == "dose" and int((np.nan_to_num(trigger.value) > 0).sum()) < MIN_DOSES:
        return SignalState.NO_CONTRAST
    observed = signal[grid.observed]
    if trigger.kind != "dose" and float(np.ptp(observed)) <= 1e-9 * max(1.0, float(np.abs(observed).max())):
        return SignalState.NO_CONTRAST
    return SignalState.OK


def _dose_driver(amount: FloatArray) -> tuple[FloatArray, FloatArray]:
    full = np.maximum(amount, 0.0)[None, :]
    return full, full / 2


def _level_drivers(level: Level, grid: Grid) -> tuple[FloatArray, FloatArray]:
    """Expected hinges at the person's quantiles; halving takes the level half way down to its low end (5 % quantile).

    Where the median already is the maximum (a scarf worn on most days) nothing lies above it: the first hinge then is
    the minimum, since being without it is the contrast there is.
    """
    low, *hinges = level.quantiles((0.05, *HINGES), grid.observed)
    observed = level.mean[grid.observed]
    sd = np.sqrt(observed.var() + (level.sd[grid.observed] ** 2).mean())
    if hinges[0] >= observed.max():
        hinges[0] = observed.min()
    full = np.stack([level.expected_above(hinge) for hinge in hinges])
    # Half way down to `low`, a level stands above a hinge h ≥ low by (x − (2h − low))/2 where x is above 2h − low.
    halved = np.stack([level.expected_above(2 * hinge - min(low, hinge)) / 2 for hinge in hinges])
    return full / sd, halved / sd


def _log_prior_of_lags(trigger: Trigger, n_entries: int, alive: NDArray[np.bool_]) -> FloatArray:
    """Log prior of the entries that have a feature: a cohort's weights where the trigger comes with some."""
    log_p = log_lag_prior(trigger.lag_min, n_entries)
    if trigger.lag_weight is not None:
        if len(trigger.lag_weight) != n_entries or min(trigger.lag_weight) <= 0:
            raise ValueError(f"{trigger.id}: lag_weight must be {n_entries} numbers above 0, got {trigger.lag_weight}")
        log_p = np.log(trigger.lag_weight)
    log_p = np.where(alive, log_p, -np.inf)
    return np.asarray(log_p - np.logaddexp.reduce(log_p))


def log_lag_prior(lag_min: tuple[float, float], n_entries: int) -> FloatArray:
    """Log weights: a log-normal window around the middle of the plausible lags, equal over drivers; not normalised."""
    middle = np.sqrt(lag_min[0] * lag_min[1])
    return np.tile(-0.5 * np.log(np.array(MEAN_LAGS_MIN) / middle) ** 2, n_entries // len(MEAN_LAGS_MIN))


def _background(grid: Grid) -> FloatArray:
    """Background shapes over observed time: constant and five raised cosines of the local hour; rows sum to 1."""
    rows = [np.ones(grid.n_bins)]
    for centre in BUMP_CENTRES_H:
        distance = np.abs((grid.local_hour - centre + 12) % 24 - 12)
        inside = distance < BUMP_HALF_WIDTH_H
        rows.append(np.where(inside, 0.5 * (1 + np.cos(np.pi * distance / BUMP_HALF_WIDTH_H)), 0.0))
    shapes = np.stack(rows) * grid.observed
    shapes = shapes[shapes.sum(axis=1) > 0]
    return np.asarray(shapes / shapes.sum(axis=1, keepdims=True))


def _echo_at_onsets(onsets: tuple[Onset, ...], tau_min: float) -> FloatArray:
    minutes = np.array([utc_ms(o.time).astype(np.int64) for o in onsets], dtype=float) / 60_000
    gap = minutes[:, None] - minutes[None, :]
    timed = np.array([not o.whole_day for o in onsets], dtype=bool)  # a date alone does not say what came first
    earlier = (gap > 0) & timed[:, None] & timed[None, :]
    pull = np.where(earlier, BIN_MIN / tau_min * np.exp(-np.maximum(gap, 0) / tau_min), 0.0)
    return np.asarray(pull.sum(axis=1))


def echo_on_grid(grid: Grid, onsets: tuple[Onset, ...], tau_min: float) -> FloatArray:
    """Decaying excitation after every onset, at the middle of each bin, over observed time."""
    begun = np.zeros(grid.n_bins + 1)
    for onset in onsets:
        if not onset.whole_day:
            begun[1 + bin_of(grid, onset.time)] += BIN_MIN / tau_min
    decay = np.exp(-BIN_MIN / tau_min)
    return fading_sum(decay * begun[:-1], decay) * grid.observed


def _by_day(feature: FloatArray, grid: Grid) -> FloatArray:
    rows = np.atleast_2d(feature)
    days = np.stack([np.bincount(grid.day, weights=row, minlength=grid.n_days).astype(float) for row in rows])
    return days[0] if feature.ndim == 1 else days


def hold(value: FloatArray, reach: int) -> FloatArray:
    """Carry each observed value forward over at most `reach` bins."""
    known = np.flatnonzero(~np.isnan(value))
    if known.size == 0:
        return value.copy()
    position = np.searchsorted(known, np.arange(value.size), side="right") - 1
    last = known[np.maximum(position, 0)]
    fresh = (position >= 0) & (np.arange(value.size) - last <= reach)
    return np.where(fresh, value[last], np.nan)


def _group_mean(value: FloatArray, group: NDArray[np.int64], n_groups: int) -> FloatArray:
    known = ~np.isnan(value)
    count = np.bincount(group[known], minlength=n_groups)
    total = np.bincount(group[known], weights=value[known], minlength=n_groups)
    return np.asarray(np.divide(total, count, out=np.full(n_groups, np.nan), where=count > 0))

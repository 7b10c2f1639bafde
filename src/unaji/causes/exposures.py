"""From a person's timeline and an article's claims to the exposures the engine tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from unaji.causes.design import BIN_MIN, Design, Grid, Onset, Trigger, courses_of
from unaji.causes.fading import fading_sum
from unaji.causes.features import MAX_FILLED, hold
from unaji.causes.grid import bin_of, mask_of
from unaji.causes.observed import BODY_TEMPERATURES, ObservedTime, diary_mask, in_fever
from unaji.claims.model import Cause, Claims, Reading, Signal, Transform
from unaji.quantities import EXPOSURES, ExposureKind
from unaji.records.timeline import FloatArray, Interval, Series, Timeline
from unaji.signals.grid import LONGEST_INTERVAL_S, mean_on_grid
from unaji.signals.state import AutonomicState

BIN_S = BIN_MIN * 60.0
SLEEP_DEBT_KEPT = 0.6
"""Share of the sleep debt that is carried to the next day."""


@dataclass(frozen=True, eq=False, slots=True)
class _Person:
    """What every signal is computed from."""

    timeline: Timeline
    state: AutonomicState | None
    grid: Grid
    kinds: dict[str, ExposureKind]


def design_of(timeline: Timeline, claims: Claims, state: AutonomicState | None, observed: ObservedTime) -> Design:
    """Put the claimed causes, the episodes and the treatment sessions on the working grid.

    Episodes within fever are left out: there the body temperature is the answer. A cause for which nothing was
    recorded is kept as a trigger without any value, so that it is reported as such.
    """
    person = _Person(timeline, state, observed.grid, EXPOSURES | claims.exposures)
    triggers = tuple(_trigger(cause, person) for cause in claims.causes)
    onsets = tuple(o for o in _onsets(timeline) if not in_fever(o.time, o.whole_day, observed.fever))
    return Design(
        grid=observed.grid,
        triggers=triggers,
        onsets=onsets,
        courses=courses_of((t.kind, t.time) for t in timeline.treatments),
        missing=tuple(t.id for t in triggers if np.isnan(t.value).all()),
        told_apart=tuple(c.id for c in claims.causes if observed.fever and _reads_body_temperature(c)),
    )


def _reads_body_temperature(cause: Cause) -> bool:
    """Fever was told by the thermometer and left out of the fit; what is left says nothing for or against it."""
    return any(set(signal.names) & set(BODY_TEMPERATURES) for signal in cause.signals)


def _onsets(timeline: Timeline) -> Iterable[Onset]:
    for episode in timeline.episodes:
        yield Onset(episode.start, episode.end, whole_day=episode.whole_day, intensity=episode.intensity)


def _trigger(cause: Cause, person: _Person) -> Trigger:
    """Compute a cause's exposure from the first of its signals that is there most of the time, else the fullest."""
    best, most, chosen = _nothing(person), 0.0, None
    for signal in cause.signals:
        value = exposure(signal, cause.kind, person)
        known = float(np.isfinite(value[person.grid.observed]).mean()) if person.grid.observed.any() else 0.0
        if known > most:
            best, most, chosen = value, known, signal
        if known >= 1 - MAX_FILLED:
            break
    readings = None
    if chosen is not None and chosen.reading is Reading.RATING and chosen.transform is Transform.VALUE:
        readings = exposure(replace(chosen, hold_min=0.0), cause.kind, person)
    unsafe = set(cause.exposure_kinds) & set(person.timeline.person.unsafe)
    return Trigger(
        cause.id,
        cause.kind,
        best,
        cause.lag_min,
        hold_min=0.0,  # held before the transform already
        readings=readings,
        may=tuple(do for do in cause.experiment if do != "seek" or not unsafe),
    )


def exposure(signal: Signal, kind: str, person: _Person) -> FloatArray:
    """Compute one signal on the grid, shape (n_bins,); NaN where it was not observed."""
    if kind == "dose":
        return _maximum(_doses(name, person) for name in signal.names)
    if signal.transform is Transform.DEBT:
        return _sleep_debt(person, signal.above)
    pieces = [piece for name in signal.names for piece in _READ[signal.reading](name, signal, person)]
    return _maximum([_TRANSFORM[signal.transform](piece, signal) for piece in pieces] or [_nothing(person)])


# --- reading: vocabulary name → levels on the grid -----------------------------------------------------------------


def _quantity(name: str, signal: Signal, person: _Person) -> list[FloatArray]:
    """One level per series: a change is never taken from one barometer to another."""
    series = [s for s in person.timeline.series if s.quantity == name]
    sites = [site for site in signal.sites if any(s.site == site for s in series)]
    chosen = [s for s in series if not signal.sites or (sites and s.site == sites[0])]
    return [_on_grid(s, signal, person.grid) for s in chosen]


def _on_grid(series: Series, signal: Signal, grid: Grid) -> FloatArray:
    value = mean_on_grid(series, grid.time, BIN_S).value
    if series.end is not None and signal.transform in (Transform.VALUE, Transform.EXCESS, Transform.LEAKY_MEAN):
        long = (series.end - series.time).astype(float) > LONGEST_INTERVAL_S * 1000
        for start, end, mean in zip(series.time[long], series.end[long], series.value[long], strict=True):
            first, last = np.searchsorted(grid.time, [start, end])
            value[first:last] = mean
    return hold(value, int(signal.hold_min // BIN_MIN))


def _rating(name: str, signal: Signal, person: _Person) -> list[FloatArray]:
    level = _nothing(person)
    for rating in person.timeline.ratings_of(name):
        at = bin_of(person.grid, rating.time)
        if 0 <= at < level.size:
            level[at] = rating.value
    return [hold(level, int(signal.hold_min // BIN_MIN))]


def _span(name: str, signal: Signal, person: _Person) -> list[FloatArray]:
    """1 (or the amount) while it lasts, 0 in the rest of the days on which the diary was in use."""
    exposures = person.timeline.exposures_of(name)
    if not exposures:
        return []
    level = np.where(diary_mask(person.timeline, person.grid), 0.0, np.nan)
    for e in exposures:
        if e.end is not None and e.end > e.start:
            level[mask_of(person.grid, [Interval(e.start, e.end)])] = 1.0 if e.amount is None else e.amount
    return [level]


def _derived(name: str, signal: Signal, person: _Person) -> list[FloatArray]:
    if person.state is None:
        return []
    value = _resampled(getattr(person.state, name), person.state, person.grid)
    return [hold(value, int(signal.hold_min // BIN_MIN))]


def _resampled(values: FloatArray, state: AutonomicState, grid: Grid) -> FloatArray:
    known = np.isfinite(values)
    index = ((state.time[known] - grid.time[0]).astype(float) / (BIN_S * 1000)).astype(np.int64)
    inside = (index >= 0) & (index < grid.n_bins)
    total = np.bincount(index[inside], weights=values[known][inside], minlength=grid.n_bins)
    count = np.bincount(index[inside], minlength=grid.n_bins)
    return np.asarray(np.divide(total, count, out=np.full(grid.n_bins, np.nan), where=count > 0))


_READ: dict[Reading, Callable[[str, Signal, _Person], list[FloatArray]]] = {
    Reading.QUANTITY: _quantity,
    Reading.RATING: _rating,
    Reading.EXPOSURE: _span,
    Reading.DERIVED: _derived,
}


# --- transforms: level → exposure ----------------------------------------------------------------------------------


def _change(level: FloatArray, signal: Signal) -> FloatArray:
    """How far the level moved since `over_min` ago; NaN where either end was not observed."""
    steps = max(1, round(signal.over_min / BIN_MIN))
    before = np.concatenate([np.full(min(steps, level.size), np.nan), level[:-steps]])
    return np.asarray(level - before)


def _leaky_mean(level: FloatArray, signal: Signal) -> FloatArray:
    """Running mean that forgets exponentially; what was not observed has no weight, and no mean while it lasts."""
    keep = float(np.exp(-BIN_MIN / signal.over_min))
    weight = fading_sum(np.isfinite(level).astype(float), keep)
    total = fading_sum(np.nan_to_num(level), keep)
    return np.asarray(np.divide(total, weight, out=np.full(level.size, np.nan), where=np.isfinite(level)))


def _build_up(level: FloatArray, signal: Signal) -> FloatArray:
    """Rise towards the level while it lasts and fall back after it, with one time constant."""
    keep = float(np.exp(-BIN_MIN / signal.over_min))
    load = fading_sum((1 - keep) * np.nan_to_num(level), keep)
    return np.where(np.isfinite(level), load, np.nan)


_TRANSFORM: dict[Transform, Callable[[FloatArray, Signal], FloatArray]] = {
    Transform.VALUE: lambda level, _: level,
    Transform.EXCESS: lambda level, signal: np.maximum(level - signal.above, 0.0),
    Transform.FALL: lambda level, signal: np.maximum(-_change(level, signal), 0.0),
    Transform.RISE: lambda level, signal: np.maximum(_change(level, signal), 0.0),
    Transform.CHANGE: lambda level, signal: np.abs(_change(level, signal)),
    Transform.LEAKY_MEAN: _leaky_mean,
    Transform.BUILD_UP: _build_up,
}


def _doses(name: str, person: _Person) -> FloatArray:
    """Amount taken in each bin; 0 on diary days without any, NaN on days without diary."""
    exposures = person.timeline.exposures_of(name)
    if not exposures:
        return _nothing(person)
    amounts = np.where(diary_mask(person.timeline, person.grid), 0.0, np.nan)
    in_minutes = name in person.kinds and person.kinds[name].unit == "min"
    for e in exposures:
        at = bin_of(person.grid, e.start)
        if 0 <= at < amounts.size:
            lasted_min = (e.end - e.start).total_seconds() / 60 if e.end is not None and in_minutes else 1.0
            amounts[at] = np.nan_to_num(amounts[at]) + (e.amount if e.amount is not None else lasted_min)
    return amounts


def _sleep_debt(person: _Person, needed_h: float) -> FloatArray:
    """Leaky sum of the hours of sleep missed each night, as a level of the day that follows; NaN after a lost night."""
    grid = person.grid
    hours = np.full(grid.n_days + 1, np.nan)
    for e in person.timeline.exposures_of("sleep"):
        at = bin_of(grid, e.end) if e.end is not None else -1
        if e.end is not None and 0 <= at < grid.n_bins and e.end > e.start:
            day = int(grid.day[at])
            hours[day] = np.nan_to_num(hours[day]) + (e.end - e.start).total_seconds() / 3600
    if np.isnan(hours).all():
        return _nothing(person)
    usual, debt, carried = float(np.nanmean(hours)), np.full(hours.size, np.nan), 0.0
    for day, slept in enumerate(hours):
        carried = max(0.0, SLEEP_DEBT_KEPT * carried + needed_h - (usual if np.isnan(slept) else slept))
        debt[day] = np.nan if np.isnan(slept) else carried
    return np.asarray(debt[grid.day])


def _maximum(levels: Iterable[FloatArray]) -> FloatArray:
    """Take the larger one where both were observed, the observed one where only one was."""
    stack = list(levels)
    result = stack[0]
    for other in stack[1:]:
        result = np.fmax(result, other)
    return result


def _nothing(person: _Person) -> FloatArray:
    return np.full(person.grid.n_bins, np.nan)

"""Many files, one timeline: what was read from each is put together here, duplicates counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from unaji.records.problems import ProblemLog
from unaji.records.timeline import (
    Beats,
    BoolArray,
    Episode,
    Exposure,
    Interval,
    Outcome,
    Rating,
    Series,
    TimeArray,
    Treatment,
    Wave,
)

BEST_ORIGIN_FIRST = ("ecg", "strap", "ppg", "app", "")
NO_GAP_UNDER_MS = 250.0
"""A pause shorter than the shortest plausible interval hides no beat [ms]."""

Row = TypeVar("Row", Episode, Exposure, Rating, Treatment, Outcome)


@dataclass(frozen=True, eq=False, slots=True)
class Fragment:
    """What one file, or one recording of several files, says: a timeline without its person."""

    series: tuple[Series, ...] = ()
    beats: tuple[Beats, ...] = ()
    episodes: tuple[Episode, ...] = ()
    ratings: tuple[Rating, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    observed: tuple[Interval, ...] = ()
    waves: tuple[Wave, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything is in it."""
        return any((self.series, self.beats, self.episodes, self.ratings, self.exposures, self.treatments,
                    self.outcomes, self.observed, self.waves))  # fmt: skip


def merge(fragments: Sequence[Fragment], log: ProblemLog) -> Fragment:
    """Put fragments together.

    Series of the same quantity, site and source become one, sorted by time; rows that repeat another exactly are
    counted once and noted. A waveform stays on the disk unless another file has a part of it too. Of beats from several
    origins only the best is kept (ECG, strap, pulse, app), since intervals of two devices must not be interleaved.
    """
    observed = [interval for fragment in fragments for interval in fragment.observed]
    several = sum(bool(fragment.observed) for fragment in fragments) > 1
    series, waves = _waves_apart(fragments)
    return Fragment(
        series=_merged_series(series, log),
        beats=_merged_beats([b for fragment in fragments for b in fragment.beats], log),
        episodes=_once((row for fragment in fragments for row in fragment.episodes), "episodes", log),
        ratings=_once((row for fragment in fragments for row in fragment.ratings), "ratings", log),
        exposures=_once((row for fragment in fragments for row in fragment.exposures), "exposures", log),
        treatments=_once((row for fragment in fragments for row in fragment.treatments), "treatments", log),
        outcomes=_once((row for fragment in fragments for row in fragment.outcomes), "outcomes", log),
        observed=union(observed) if several else tuple(observed),
        waves=waves,
    )


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Join intervals that overlap or touch, in order of time."""
    joined: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: i.start):
        if joined and interval.start <= joined[-1].end:
            joined[-1] = replace(joined[-1], end=max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return tuple(joined)


def missing_beats(time: TimeArray, rri_ms: np.ndarray, *, tolerance_ms: float = NO_GAP_UNDER_MS) -> BoolArray:
    """Say before which intervals beats are missing: where the pause since the last row is longer than the interval.

    Parameters
    ----------
    time : ndarray, shape (n_beats,)
        When each interval ends, ascending.
    rri_ms : ndarray, shape (n_beats,)
        Intervals [ms].
    tolerance_ms : float
        How much longer the pause may be [ms].

    Returns
    -------
    ndarray of bool, shape (n_beats,)
        True for the first row and wherever a beat is missing.
    """
    gap = np.ones(time.size, dtype=bool)
    pause_ms = np.diff(time) / np.timedelta64(1, "ms")
    gap[1:] = ~(pause_ms <= rri_ms[1:] + tolerance_ms) & ~np.isnan(rri_ms[1:])
    return gap


def distinct(*columns: np.ndarray) -> BoolArray:
    """Say which rows are the first of their kind; NaN equals NaN."""
    keys = np.rec.fromarrays([np.ascontiguousarray(column).view(np.int64) for column in columns])
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _once(rows: Iterable[Row], what: str, log: ProblemLog) -> tuple[Row, ...]:
    every = list(rows)
    kept = tuple(dict.fromkeys(every))
    if len(kept) < len(every):
        repeats = len(every) - len(kept)
        log.reject(what, None, repeats, "rows repeat another exactly and were counted once", count=repeats, lost=False)
    return kept


def _waves_apart(fragments: Sequence[Fragment]) -> tuple[list[Series], tuple[Wave, ...]]:
    """Return all series, among them the waveforms that are in several files, and the other waveforms."""
    alone: dict[tuple[str, str, str], Wave] = {}
    several: list[Series | Wave] = []
    instants = {_name(s) for fragment in fragments for s in fragment.series if s.end is None}
    names = Counter(_name(wave) for fragment in fragments for wave in fragment.waves)
    for fragment in fragments:
        several += fragment.series
        for wave in fragment.waves:
            if names[_name(wave)] > 1 or _name(wave) in instants:
                several.append(wave)
            else:
                alone[_name(wave)] = wave
    series = [one.series() if isinstance(one, Wave) else one for one in several]
    return series, tuple(alone[name] for name in sorted(alone))


def _name(one: Series | Wave) -> tuple[str, str, str]:
    return one.quantity, one.site, one.source


def _merged_series(series: Sequence[Series], log: ProblemLog) -> tuple[Series, ...]:
    groups: dict[tuple[str, str, str, bool], list[Series]] = {}
    for one in series:
        if len(one):
            groups.setdefault((one.quantity, one.site, one.source, one.end is not None), []).append(one)
    return tuple(_joined_series(groups[key], log) for key in sorted(groups))


def _joined_series(parts: Sequence[Series], log: ProblemLog) -> Series:
    first = parts[0]
    if len(parts) == 1:
        return first
    time, value = np.concatenate([p.time for p in parts]), np.concatenate([p.value for p in parts])
    end = None if first.end is None else np.concatenate([p.end for p in parts if p.end is not None])
    keep = distinct(time, value) if end is None else distinct(time, end, value)
    if not keep.all():
        rule = "values are in more than one file and were counted once"
        repeats = int((~keep).sum())
        log.reject(f"series {first.quantity}", None, repeats, rule, count=repeats, lost=False)
    order = np.flatnonzero(keep)[np.argsort(time[keep], kind="stable")]
    return replace(first, time=time[order], value=value[order], end=None if end is None else end[order])


def _merged_beats(beats: Sequence[Beats], log: ProblemLog) -> tuple[Beats, ...]:
    present = [b for b in beats if len(b)]
    if not present:
        return ()
    best = min((b.origin for b in present), key=BEST_ORIGIN_FIRST.index)
    chosen = [b for b in present if b.origin == best]
    left_out = sum(len(b) for b in present) - sum(len(b) for b in chosen)
    if left_out:
        rule = f"beats of other origins were left out, since those of origin {best or 'not named'!r} are the more exact"
        log.reject("beats", None, left_out, rule, count=left_out, lost=False)
    return (_joined_beats(chosen, log),)


def _joined_beats(parts: Sequence[Beats], log: ProblemLog) -> Beats:
    if len(parts) == 1:
        return parts[0]
    time, rri_ms = np.concatenate([p.time for p in parts]), np.concatenate([p.rri_ms for p in parts])
    gap = np.concatenate([p.gap for p in parts])
    keep = distinct(time, rri_ms)
    if not keep.all():
        repeats = int((~keep).sum())
        rule = "beats are in more than one file and were counted once"
        log.reject("beats", None, repeats, rule, count=repeats, lost=False)
    order = np.flatnonzero(keep)[np.argsort(time[keep], kind="stable")]
    part = np.repeat(np.arange(len(parts)), [len(p) for p in parts])[order]
    changes = np.concatenate([[True], np.diff(part) != 0])  # the row before is of another recording
    corrected = {p.corrected for p in parts}
    return Beats(
        time[order], rri_ms[order], gap[order] | changes, parts[0].origin,
        corrected.pop() if len(corrected) == 1 else "unknown",
    )  # fmt: skip

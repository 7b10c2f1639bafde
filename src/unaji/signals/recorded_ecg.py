"""Beats of the electrocardiograms in a person's records: found here, and put where no better beats were recorded.

A stored electrocardiogram is a series of values at whole milliseconds, without those that were not recorded. Here it is
laid on an even grid again, recording by recording, and given to the detector; what the detector doubts becomes a
rejected beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unaji.records.merge import BEST_ORIGIN_FIRST
from unaji.records.preferred import preferred
from unaji.records.timeline import Beats, Series, Timeline, from_utc_ms
from unaji.signals.detected import DetectedBeats
from unaji.signals.ecg import LOWEST_RATE_HZ, ecg_beats

PAUSE_MS = 10_000
"""A pause longer than this parts two recordings."""

SHORTEST_S = 10.0
"""A recording shorter than this is not looked at: the detector has to learn what this heart's beats look like."""

FASTEST_HZ = 1_000.0
"""More values a second than milliseconds cannot be told apart."""

LEAST_RECORDED = 0.25
"""Least share of a recording's samples that must be there."""

MIN_QUALITY = 0.5
"""Least quality of both beats of an interval: at 12 dB of noise and more, what is left is right (see `ecg`'s tests)."""

IntArray = NDArray[np.int64]


def with_ecg_beats(timeline: Timeline) -> Timeline:
    """Return the timeline with the beats of its electrocardiograms beside those it has.

    Where others were recorded at the same time, beats that somebody marked in an electrocardiogram come first, then
    those found here, then those of a strap or a wrist. Without an electrocardiogram it is returned as it is.
    """
    found = [beats for series in timeline.series if series.quantity == "ecg_mv" for beats in beats_of(series)]
    if not found:
        return timeline
    own = timeline.beats
    ranked = sorted([*found, *([] if own is None else [own])], key=lambda beats: BEST_ORIGIN_FIRST.index(beats.origin))
    if own is not None and own.origin == "ecg":
        ranked = [own, *found]
    return replace(timeline, beats=_together(ranked))


def beats_of(series: Series) -> Iterator[Beats]:
    """Find the beats of each recording in a stored electrocardiogram.

    Parameters
    ----------
    series : Series
        Of quantity ``ecg_mv``. Recordings that are slower than the detector's `LOWEST_RATE_HZ`, shorter than
        `SHORTEST_S` or mostly missing give none.
    """
    time_ms = series.time.astype(np.int64)
    breaks = np.flatnonzero(np.diff(time_ms) > PAUSE_MS) + 1
    for first, last in zip(np.append(0, breaks), np.append(breaks, time_ms.size), strict=True):
        own_ms, value = time_ms[first:last], series.value[first:last]
        if not own_ms.size or own_ms[-1] - own_ms[0] < 1000 * SHORTEST_S:
            continue
        step_ms = _step_ms(own_ms)
        if not LOWEST_RATE_HZ <= 1000.0 / step_ms <= FASTEST_HZ:
            continue
        place = np.round((own_ms - own_ms[0]) / step_ms).astype(np.int64)
        if place.size < LEAST_RECORDED * (place[-1] + 1):
            continue
        even = np.full(int(place[-1]) + 1, np.nan)
        even[place] = value
        yield _trusted(ecg_beats(even, 1000.0 / step_ms), own_ms[0])


def _step_ms(time_ms: IntArray) -> float:
    """Return how far samples are apart whose times were rounded to milliseconds: by the longest unbroken stretch."""
    apart = np.diff(time_ms)
    broken = np.flatnonzero(apart > 1.5 * np.median(apart) + 1.0)
    edges = np.concatenate([[-1], broken, [apart.size]])
    longest = int(np.argmax(np.diff(edges)))
    first, last = int(edges[longest]) + 1, int(edges[longest + 1])
    step_ms = float(time_ms[last] - time_ms[first]) / max(last - first, 1)
    return step_ms if step_ms > 0 else float("inf")


def _trusted(found: DetectedBeats, start_ms: np.int64) -> Beats:
    return found.to_beats(from_utc_ms(np.datetime64(int(start_ms), "ms")), "ecg", min_quality=MIN_QUALITY)


def _together(ranked: list[Beats]) -> Beats | None:
    """Put beats together, at each time those of the first that has any; where the source changes, one is missing."""
    ranked = [beats for beats in ranked if len(beats)]
    if not ranked:
        return None
    if len(ranked) == 1:
        return ranked[0]
    time = np.concatenate([beats.time for beats in ranked])
    rri_ms = np.concatenate([beats.rri_ms for beats in ranked])
    gap = np.concatenate([beats.gap for beats in ranked])
    source = np.repeat(np.arange(len(ranked)), [len(beats) for beats in ranked])
    end_ms = time.astype(np.int64)
    start_ms = end_ms - np.nan_to_num(np.round(rri_ms)).astype(np.int64)
    names = {k: str(k) for k in range(len(ranked))}
    keep = np.flatnonzero(preferred(start_ms, end_ms, source, names, list(names.values())))
    order = keep[np.argsort(end_ms[keep], kind="stable")]
    changes = np.append(True, np.diff(source[order]) != 0)
    taken = [ranked[k] for k in np.unique(source[order])]
    origin = max((beats.origin for beats in taken), key=BEST_ORIGIN_FIRST.index)
    corrected = {beats.corrected for beats in taken}
    return Beats(
        time[order], rri_ms[order], gap[order] | changes, origin, corrected.pop() if len(corrected) == 1 else "unknown"
    )

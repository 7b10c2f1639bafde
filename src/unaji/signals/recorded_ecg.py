"""Beats of the electrocardiograms in a person's records: found here, and put where no better beats were recorded.

Each recording is laid on its even grid again and given to the detector; what that doubts becomes a rejected beat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

import numpy as np

from unaji.records.merge import BEST_ORIGIN_FIRST
from unaji.records.preferred import preferred
from unaji.records.timeline import Beats, Series, Timeline, Wave, from_utc_ms
from unaji.records.waveform import recordings_of
from unaji.signals.detected import joined
from unaji.signals.ecg import LOWEST_RATE_HZ, EcgDetector

SHORTEST_S = 10.0
"""A recording shorter than this is not looked at: the detector has to learn what this heart's beats look like."""

MIN_QUALITY = 0.5
"""Least quality of both beats of an interval: at 12 dB of noise and more, what is left is right (see `ecg`'s tests)."""


def with_ecg_beats(timeline: Timeline, *, min_quality: float = MIN_QUALITY) -> Timeline:
    """Return the timeline with the beats of its electrocardiograms beside those it has.

    Where others were recorded at the same time, beats that somebody marked in an electrocardiogram come first, then
    those found here, then those of a strap or a wrist. Without an electrocardiogram it is returned as it is.

    Parameters
    ----------
    min_quality : float
        Least quality, 0 to 1, of both beats of an interval found here; otherwise the interval is NaN.
    """
    ecgs = sorted(timeline.all_of("ecg_mv"), key=attrgetter("site", "source"))
    found = [beats for ecg in ecgs for beats in beats_of(ecg, min_quality=min_quality)]
    if not found:
        return timeline
    own = timeline.beats
    ranked = sorted([*found, *([] if own is None else [own])], key=lambda beats: BEST_ORIGIN_FIRST.index(beats.origin))
    if own is not None and own.origin == "ecg":
        ranked = [own, *found]
    return replace(timeline, beats=_together(ranked))


def beats_of(ecg: Series | Wave, *, min_quality: float = MIN_QUALITY) -> Iterator[Beats]:
    """Find the beats of each recording in a stored electrocardiogram.

    Parameters
    ----------
    ecg : Series or Wave
        Of quantity ``ecg_mv``. Recordings that are slower than the detector's `LOWEST_RATE_HZ`, shorter than
        `SHORTEST_S` or mostly missing give none.
    min_quality : float
        As in `with_ecg_beats`.
    """
    for recording, samples in recordings_of(ecg):
        rate_hz = recording.rate_hz
        if rate_hz >= LOWEST_RATE_HZ and recording.n_samples >= SHORTEST_S * rate_hz:
            detector = EcgDetector(rate_hz)
            found = joined([*(detector.feed(part) for part in samples), detector.finish()])
            yield found.to_beats(from_utc_ms(recording.start), "ecg", min_quality=min_quality)


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

"""Heart beats that stand with a record of SDNN: about a minute of them, chosen by the watch when the wearer is quiet.

A beat's time is a wall clock without date or offset, in the zone and the language of the phone on the day of the
export; one real file's are an hour off. Within a quarter of an hour, of which all zones are made, it is exact.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from unaji.records.apple_health.elements import QUARTER_MS
from unaji.records.apple_health.rows import IntArray, Rows
from unaji.records.timeline import BoolArray, FloatArray

EARLY_MS = 2000  # before its start, at most, a record's first beat stands
MISSED_BEAT = 1.5  # times the interval that belongs to the rate: a beat is missing in between

ELSEWHERE = "records whose beats do not lie in them, whatever the zone; the beats were left out, SDNN was kept"
STRAY = "beats that do not lie in their record or whose time cannot be read; they were left out"
MISSED = "places where a beat is missing between two; no interval was made of them"


class Intervals(NamedTuple):
    """Intervals between beats.

    Attributes
    ----------
    row : ndarray, shape (n,)
        The row they belong to.
    time : ndarray of int64, shape (n,)
        The beat that ends the interval, ms since 1970 UTC.
    rri_ms : ndarray, shape (n,)
        The interval, to 10 ms.
    gap : ndarray of bool, shape (n,)
        Whether the interval before is not known.
    """

    row: IntArray
    time: IntArray
    rri_ms: FloatArray
    gap: BoolArray


def intervals(rows: Rows, keep: BoolArray, tally: Counter[str]) -> Intervals:
    """Return the intervals between the beats of the rows to keep; what is left out is counted by its rule.

    An interval is the difference of two times, not 60/rate, which is rounded to whole beats a minute. Where the
    difference and the rate of the beat that ends it disagree by half or more, a beat was missed: there is no interval,
    and the next one has a gap before it.
    """
    mine = keep[rows.beat_row]
    row, bpm, clock = rows.beat_row[mine].astype(np.int64), rows.beat_bpm[mine], rows.beat_ms[mine]
    start, end = rows.start[row], rows.end[row]
    since_ms = (clock - start + EARLY_MS) % QUARTER_MS - EARLY_MS
    fits = (clock >= 0) & (since_ms <= end - start)
    first = np.diff(row, prepend=-1) != 0
    elsewhere = np.isin(row, row[first & ~fits]) | (end - start >= QUARTER_MS - EARLY_MS)
    tally[ELSEWHERE] += np.unique(row[elsewhere]).size
    tally[STRAY] += int((~fits & ~elsewhere).sum())
    use = fits & ~elsewhere
    row, bpm, time = row[use], bpm[use], (start + since_ms)[use]
    rri_ms = np.diff(time, prepend=0).astype(np.float64)
    follows = np.diff(row, prepend=-1) == 0
    with np.errstate(divide="ignore"):
        expected_ms = 60_000 / bpm
    sound = follows & (rri_ms < MISSED_BEAT * expected_ms) & (rri_ms > expected_ms / MISSED_BEAT)
    tally[MISSED] += int((follows & ~sound).sum())
    known_before = np.concatenate(([False], sound[:-1]))
    return Intervals(row[sound], time[sound], rri_ms[sound], ~known_before[sound])

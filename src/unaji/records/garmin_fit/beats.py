"""When each heart beat was: intervals without times (``hrv``) and beat times in ticks of a strap (``hr``)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from unaji.records.batch import Kind
from unaji.records.garmin_fit.messages import EVENT, FIRST_DATE_S, HR, HRV, RECORD, Reader, unix_ms
from unaji.records.garmin_fit.protocol import TIMESTAMP, IntArray, Table
from unaji.records.rows import Rows
from unaji.records.timeline import BoolArray, FloatArray

RRI_PER_S = 1000  # intervals are written in ms
LARGEST_DRIFT_S = 2.0
LONGEST_OVERLAP_S = 60.0  # a clock set back by more is no overlap of two runs of beats

TICKS_PER_S = 1024
TICK_TURN = 1 << 32
LONGEST_INTERVAL_TICKS = 4 * TICKS_PER_S  # twelve bits hold no longer difference
MISSED_BEAT_S = 2.0
MISSED_BEAT_SHARE = 0.25

TIMER, STARTED = 0, 0


# -- intervals without times -------------------------------------------------------------------------------------------


def interval_rows(reader: Reader) -> Iterator[Rows]:
    """Give the intervals of ``hrv`` with the times at which they ended.

    A message holds up to five intervals and no time. The last of them is taken to end when the ``record`` or ``event``
    before it was written; from there on intervals are added up, as long as each message lies within 2 s of the times
    written before and after it. Where it does not, and after each pause, the sum begins anew and a gap is marked.
    """
    table = _with_intervals(reader.messages.table(HRV, 0))
    if not len(table):
        return
    early, late, resumed = _surroundings(reader, table)
    timed = ~np.isnan(early)
    _note_untimed(reader, table.where(~timed))
    table, early, late, resumed = table.where(timed), early[timed], late[timed], resumed[timed]
    if not len(table):
        return
    rri_s = table.columns[0] / RRI_PER_S
    given = rri_s > 0
    total_s = np.cumsum(np.where(given, rri_s, 0).sum(axis=1))
    base_s, run = _anchored(total_s, early, late, _new_run(table, resumed))
    per_message = given.sum(axis=1)
    message = np.repeat(np.arange(len(table)), per_message)
    gap = np.zeros(message.size, dtype=bool)
    gap[(np.cumsum(per_message) - per_message)[run]] = True
    time_s, gap = _in_order(np.cumsum(rri_s[given]) + base_s[message], gap, table.part[message])
    yield Rows(
        Kind.BEATS, "rri_ms", reader.file(table)[message], unix_ms(time_s), table.columns[0][given],
        zone_min=reader.zone_min(table)[message], others={"gap": gap},
    )  # fmt: skip


def _with_intervals(table: Table) -> Table:
    """Return the messages that hold an interval; zero and all ones are padding."""
    holds: BoolArray = np.any(np.greater(table.columns[0], 0), axis=1)
    return table.where(holds)


def _surroundings(reader: Reader, table: Table) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return the times [s, FIT] written before and after each message, and how often the timer was started before it.

    Only its own part counts. Where nothing was written before, the time after counts for both; where nothing was
    written after, it is infinite.
    """
    messages = reader.messages
    marks = [messages.table(number, TIMESTAMP, 0, 1) for number in (RECORD, EVENT)]
    position = np.concatenate([mark.position for mark in marks])
    stamp = np.concatenate([messages.stamps(mark) for mark in marks])
    order = np.argsort(position)
    order = order[stamp[order] >= FIRST_DATE_S]
    position, stamp = position[order], stamp[order]
    after = np.searchsorted(position, table.position)
    early, late = np.full(len(table), np.nan), np.full(len(table), np.nan)
    for into, at in ((early, after - 1), (late, after)):
        inside = (at >= 0) & (at < position.size)
        inside[inside] = messages.part_of(position[at[inside]]) == table.part[inside]
        into[inside] = stamp[at[inside]]
    event = marks[1]
    starts = event.position[(event.one(0) == TIMER) & (event.one(1) == STARTED)]
    resumed = np.searchsorted(starts, table.position)
    return np.where(np.isnan(early), late, early), np.where(np.isnan(late), np.inf, late), resumed


def _note_untimed(reader: Reader, table: Table) -> None:
    rule = "intervals between beats came without any time in their file"
    file, beats = reader.file(table), (table.columns[0] > 0).sum(axis=1)
    for k in np.unique(file):
        reader.log.reject(reader.names[k], None, "rri_ms", rule, count=int(beats[file == k].sum()))


def _new_run(table: Table, resumed: IntArray) -> BoolArray:
    """Say which messages begin a part of the file or follow a pause."""
    begins = np.ones(len(table), dtype=bool)
    begins[1:] = (np.diff(table.part) != 0) | (np.diff(resumed) != 0)
    return begins


def _anchored(
    total_s: FloatArray, early: FloatArray, late: FloatArray, forced: BoolArray
) -> tuple[FloatArray, IntArray]:
    """Return what to add to the running sum at each message [s], and the messages that begin a run.

    Parameters
    ----------
    total_s : ndarray, shape (n,)
        Sum of all intervals up to the end of each message.
    early, late : ndarray, shape (n,)
        Times written before and after each message.
    forced : ndarray of bool, shape (n,)
        Messages with which a run must begin.
    """
    base = np.empty(total_s.size)
    borders = np.append(np.flatnonzero(forced), total_s.size)
    runs = []
    start = 0
    while start < total_s.size:
        runs.append(start)
        offset = early[start] - total_s[start]
        border = int(borders[np.searchsorted(borders, start, side="right")])
        stop = _first_drift(total_s, offset, early, late, start + 1, border)
        base[start:stop] = offset
        start = stop
    return base, np.array(runs, dtype=np.int64)


def _first_drift(
    total_s: FloatArray, offset: float, early: FloatArray, late: FloatArray, start: int, border: int
) -> int:
    """Return the first message from `start` on that lies too far from its surroundings; `border` if there is none."""
    width = 64
    while start < border:
        part = slice(start, min(start + width, border))
        time = total_s[part] + offset
        away = np.flatnonzero((time < early[part] - LARGEST_DRIFT_S) | (time > late[part] + LARGEST_DRIFT_S))
        if away.size:
            return start + int(away[0])
        start, width = part.stop, width * 2
    return border


def _in_order(time_s: FloatArray, gap: BoolArray, part: IntArray) -> tuple[FloatArray, BoolArray]:
    """Hold back the beats of a run that would lie before the end of the run before it in the same part."""
    time_s, gap = time_s.copy(), gap.copy()
    starts = np.append(np.flatnonzero(gap), gap.size)
    for start, stop in pairwise(starts[1:]):
        before = time_s[start - 1]
        if part[start] == part[start - 1] and 0 < before - time_s[start] <= LONGEST_OVERLAP_S:
            held = time_s[start:stop] < before
            time_s[start:stop][held] = before
            gap[start:stop] |= held
    return time_s, gap


# -- beat times of a strap ---------------------------------------------------------------------------------------------


def strap_rows(reader: Reader) -> Iterator[Rows]:
    """Give the beats and heart rates of ``hr``: what a strap remembered while its radio did not reach the watch.

    Beat times are counts of 1/1024 s. Some are whole and come with a time of the clock; the others are their low twelve
    bits, two in three bytes, and count on from the beat before. A count equal to that before is padding. A difference
    longer than 2 s, or more than a quarter off the heart rate beside it, is no single interval: a gap is marked.
    """
    table = reader.messages.table(HR, TIMESTAMP, 0, 1, 6, 9, 10)
    if not len(table):
        return
    file = reader.file(table)
    for k in np.unique(file):
        yield from _strap_of_file(reader, table.where(file == k), int(k))


def _strap_of_file(reader: Reader, table: Table, file: int) -> Iterator[Rows]:
    message, count, whole, bpm = _counts(table)
    if not count.size:
        return
    ticks, known = _whole_ticks(count, whole)
    stamp_s = _clock_of(reader, table, message, ticks, whole)
    known &= ~np.isnan(stamp_s)
    if not known.all():
        rule = "beats came without a time to count from"
        reader.log.reject(reader.names[file], None, "rri_ms", rule, count=int((~known).sum()))
    step = np.where(known[1:] & known[:-1], np.diff(ticks), np.nan)
    step = np.where(step < -(TICK_TURN // 2), step + TICK_TURN, step)
    real = known & np.insert(step != 0, 0, True)
    message, ticks, stamp_s, bpm = message[real], ticks[real], stamp_s[real], bpm[real]
    if not ticks.size:
        return
    time_ms, zone_min = unix_ms(stamp_s), reader.zone_min(table)[message]
    files = np.full(ticks.size, file)
    yield Rows(Kind.SERIES, "hr_bpm", files, time_ms, np.where(bpm > 0, bpm, np.nan), zone_min=zone_min)
    step = np.diff(ticks) % TICK_TURN
    rri_s = np.insert(step / TICKS_PER_S, 0, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(rri_s / (60 / bpm) - 1) > MISSED_BEAT_SHARE
    interval = np.insert(step <= LONGEST_INTERVAL_TICKS, 0, False)
    gap = off | (rri_s > MISSED_BEAT_S)
    gap[1:] |= ~interval[:-1]
    yield Rows(
        Kind.BEATS, "rri_ms", files, time_ms, rri_s * 1000, zone_min=zone_min, others={"gap": gap}
    ).where(interval)  # fmt: skip


def _counts(table: Table) -> tuple[IntArray, IntArray, BoolArray, FloatArray]:
    """Return all counts in order: their message, the count, whether it is whole, and the heart rate beside it."""
    whole, packed = table.columns[9], _twelve_bits(table.columns[10])
    both = np.concatenate([whole, packed], axis=1)
    is_whole = np.broadcast_to(np.arange(both.shape[1]) < whole.shape[1], both.shape)
    given = ~np.isnan(both)
    message = np.broadcast_to(np.arange(len(table))[:, None], both.shape)[given]
    rank = (np.cumsum(given, axis=1) - 1)[given]
    bpm = table.columns[6]
    beside = np.where(rank < bpm.shape[1], bpm[message, np.minimum(rank, bpm.shape[1] - 1)], np.nan)
    return message, both[given].astype(np.int64), is_whole[given], beside


def _twelve_bits(packed: FloatArray) -> FloatArray:
    """Unpack two numbers from every three bytes: shape (n, 3k) to (n, 2k)."""
    triples = packed[:, : packed.shape[1] // 3 * 3].reshape(len(packed), -1, 3)
    low = triples[..., 0] + 256 * (triples[..., 1] % 16)
    high = np.floor(triples[..., 1] / 16) + 16 * triples[..., 2]
    return np.stack([low, high], axis=2).reshape(len(packed), -1)


def _whole_ticks(count: IntArray, whole: BoolArray) -> tuple[IntArray, BoolArray]:
    """Count on from the newest whole count; say which have one before them."""
    step = np.diff(count, prepend=0) % 4096
    step[whole] = 0
    total = np.cumsum(step)
    last = np.maximum.accumulate(np.where(whole, np.arange(count.size), -1))
    known = last >= 0
    at = np.maximum(last, 0)
    return np.where(known, (count[at] + total - total[at]) % TICK_TURN, 0), known


def _clock_of(reader: Reader, table: Table, message: IntArray, ticks: IntArray, whole: BoolArray) -> FloatArray:
    """Return when each beat was [s, FIT], counted from the newest message that gives a time with a whole count."""
    fraction_s = np.where(np.isnan(table.one(0)), table.one(1) / 256, table.one(0) / 32_768)
    stamp_s = reader.messages.stamps(table) + np.nan_to_num(fraction_s)
    begins = whole & np.append(True, message[1:] != message[:-1]) & ~np.isnan(stamp_s[message])
    last = np.maximum.accumulate(np.where(begins, np.arange(message.size), -1))
    at = np.maximum(last, 0)
    since = ((ticks - ticks[at] + TICK_TURN // 2) % TICK_TURN - TICK_TURN // 2) / TICKS_PER_S
    return np.where(last >= 0, stamp_s[message][at] + since, np.nan)

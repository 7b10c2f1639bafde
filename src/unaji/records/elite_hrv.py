"""Text files of RR intervals whose name says when they began, as Elite HRV writes them: one interval a line.

The name is ``2024-05-01 08-30-00.txt``: the wall clock at the start. A file that was given another name has lost its
time; it is refused with advice, since the time at which a file was copied says nothing about a heart. The recorder may
have filtered the intervals already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from unaji.errors import InputError
from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import MINUTE, Clock
from unaji.records.problems import ProblemLog
from unaji.records.rows import Rows, batch, let_in
from unaji.records.rr_text import COLUMN_NAMES, intervals_of_text
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.timeline import BoolArray, FloatArray

SHORTEST_MS, LONGEST_MS = 150.0, 6000.0  # of the lines by which a file is recognised, not of those that are kept
LINES_LOOKED_AT = 20
LONGEST_PAUSE_MS = 86_400_000.0  # a day, which a recorder that was put down may write as one interval
LARGEST_BYTES = 64 << 20  # years of beats

_NUMBER = re.compile(rb"\d{1,4}([.,]\d{1,6})?$")
_STARTED = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)[ T_](\d\d)[-_.:](\d\d)[-_.:](\d\d)(?!\d)")


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as one interval a line does, in milliseconds or seconds, with or without a header."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(head) >= HEAD_BYTES:
        lines.pop()
    lines = [line.strip() for line in lines if line.strip()][: LINES_LOOKED_AT + 1]
    if lines and lines[0].strip(b'"').decode("ascii", errors="replace").lower() in COLUMN_NAMES:
        lines.pop(0)
    lines = lines[:LINES_LOOKED_AT]
    if len(lines) < 3 or not all(_NUMBER.match(line) for line in lines):
        return False
    values = np.array([float(line.replace(b",", b".")) for line in lines])
    in_ms = values * (1000.0 if np.median(values) < SHORTEST_MS / 10 else 1.0)
    return bool(np.mean((in_ms >= SHORTEST_MS) & (in_ms <= LONGEST_MS)) >= 0.8)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the recordings that say when they began.

    Raises
    ------
    InputError
        The start is a wall clock, and nobody has said in which time zone.
    """
    for k, file in enumerate(files):
        start = started(file.base_name)
        if start is None:
            rule = (
                "the file does not say when its beats were, so they cannot be placed; give it the name it had, or one "
                "such as 2024-05-01 08-30-00.txt with the local time at which it began"
            )
            log.reject(file.name, None, "", rule)
            continue
        try:
            rri_ms = _possible(intervals_of_text(_text(file), file.name, log), file.name, log)
        except InputError as error:
            log.reject(file.name, None, "", str(error))
            continue
        rows = let_in(running_rows(k, start, rri_ms, clock, file.name, log), [f.name for f in files], clock, log)
        if len(rows):
            yield batch(rows, Device("elite_hrv", origin="app", corrected="unknown"))


def _possible(rri_ms: FloatArray, file: str, log: ProblemLog) -> FloatArray:
    """Return NaN for intervals by which a clock cannot go on, since every later beat counts from them."""
    wrong = ~(np.isnan(rri_ms) | ((rri_ms > 0) & (rri_ms <= LONGEST_PAUSE_MS)))
    if wrong.any():
        rule = "an interval must be above 0 ms and no longer than a day; it was taken as a missing beat"
        log.reject(file, None, f"{rri_ms[np.argmax(wrong)]:g}", rule, count=int(wrong.sum()))
    return np.where(wrong, np.nan, rri_ms)


def started(name: str) -> np.datetime64 | None:
    """Return the wall clock at which a recording began, by its name; None where that does not say."""
    match = _STARTED.search(name)
    if match is None:
        return None
    year, month, day, hour, minute, second = match.groups()
    try:
        return np.datetime64(f"{year}-{month}-{day}T{hour}:{minute}:{second}", "ms")
    except ValueError:
        return None


LONGEST_BEAT_MS = 3000.0
"""A longer interval is a pause in the recording: no heart measured at home beats less than 20 times a minute."""


def running_rows(k: int, start: np.datetime64, rri_ms: FloatArray, clock: Clock, file: str, log: ProblemLog) -> Rows:
    """Place intervals that follow each other: each ends when all up to it have passed since the start.

    A missing interval passed too, though nobody knows how long it was: the clock goes on by what stands on either side
    of it, and the file's problems say so.

    Parameters
    ----------
    start : datetime64
        Wall clock at the start.
    rri_ms : ndarray, shape (n,)
        Intervals [ms]; NaN where one is missing, after which a gap is marked.
    """
    wall = np.array([start], dtype="datetime64[ms]")
    begun = clock.from_wall(wall, file, log)
    zone_min = float((wall - begun)[0] / MINUTE)
    known = ~np.isnan(rri_ms)
    time_ms = begun.astype(np.float64)[0] + np.cumsum(_passed_ms(rri_ms, known, file, log))
    gap = np.append(True, ~known[:-1]) if rri_ms.size else np.empty(0, dtype=bool)
    rows = Rows(
        Kind.BEATS, "rri_ms", np.full(rri_ms.size, k), time_ms, rri_ms, zone_min=np.full(rri_ms.size, zone_min),
        others={"gap": gap},
    )  # fmt: skip
    return rows.where(known)


def _passed_ms(rri_ms: FloatArray, known: BoolArray, file: str, log: ProblemLog) -> FloatArray:
    """Return how much time each interval took [ms], those that are missing by their neighbours."""
    if known.all() or not known.any():
        return rri_ms
    last = int(np.flatnonzero(known)[-1])
    if missing := int((~known[:last]).sum()):
        rule = "missing intervals were taken to last as long as those around them; beats after them may be a little off"
        log.remark(file, None, missing, rule)
    place = np.arange(rri_ms.size)
    beside = known & (rri_ms <= LONGEST_BEAT_MS)  # a pause of an hour tells nothing of the beat before it
    if not beside.any():
        return np.where(known, rri_ms, 0.0)
    passed: FloatArray = np.where(known, rri_ms, np.interp(place, place[beside], rri_ms[beside]))
    return passed


def _text(file: Source) -> str:
    with file.open() as opened:
        data = opened.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise InputError(f"the file is larger than {LARGEST_BYTES >> 20} MB, which no recording of intervals is")
    return data.decode("utf-8-sig", errors="replace")

"""ActivityWatch exports: when somebody sat at the computer, and when they had the phone in hand; never at what.

A bucket is what one watcher on one device wrote: a list of events with a time, a length and data. At the computer is
when a window was open *and* the keyboard or mouse was in use (``afkstatus`` ``not-afk``): a window stays open over
lunch. A host that was given another name leaves its old buckets behind, and a synchronised one doubles them; so
buckets are united, not added up. The phone's watcher writes only while the screen is on. Titles, addresses and names of
apps are not even parsed.

References
----------
"Buckets and Events", documentation of ActivityWatch, https://docs.activitywatch.net/en/latest/buckets-and-events.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import LONGEST_H, Clock
from unaji.records.door import Door
from unaji.records.json_head import key_paths
from unaji.records.json_read import document, listed, mapped
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import TimeArray

IntArray = NDArray[np.int64]
Spans = tuple[IntArray, IntArray]
"""Starts and ends [ms since 1970, UTC], shape (n,) each; in order and apart where they were united."""

DESK, PHONE, SCREEN = "desk_work", "phone", "screen_min"
LONGEST_S = LONGEST_H * 3600.0
JOINED_MS = 5_000
"""A watcher looks every second or so; what is no further apart was one sitting."""


class _Export(msgspec.Struct):
    buckets: msgspec.Raw = msgspec.Raw(b"{}")


class _Bucket(msgspec.Struct):
    type: str = ""
    client: str = ""
    events: msgspec.Raw = msgspec.Raw(b"[]")


class _Status(msgspec.Struct):
    status: str = ""


class _Event(msgspec.Struct):
    timestamp: str
    duration: float = 0.0
    data: _Status = msgspec.field(default_factory=_Status)


@dataclass(slots=True)
class _Found:
    """The spans of all buckets, before they are united."""

    windows: list[Spans] = field(default_factory=list)
    active: list[Spans] = field(default_factory=list)
    phone: list[Spans] = field(default_factory=list)


def claims_file(head: bytes) -> bool:
    """Say whether a JSON text holds buckets with events."""
    paths = key_paths(head)
    inside = [path.rpartition(".")[2] for path in paths if path.startswith("buckets.")]
    return "buckets" in paths and ("events" in inside or {"client", "type"} <= set(inside))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read exports, all of one person together."""
    found = _Found()
    for file in files:
        _read_file(file, found, clock, log)
    windows, active, phone = (united(spans) for spans in (found.windows, found.active, found.phone))
    if windows[0].size and not active[0].size:
        rule = "nothing says when keyboard and mouse were in use, so windows left open count as time at the desk"
        log.remark(files[0].name, None, "", rule)
    desk = overlap(windows, active) if active[0].size else windows
    door = Door(files[0].name, clock, log)
    yield from _exposure(door, DESK, desk, "")
    yield from _exposure(door, PHONE, phone, "phone")
    minutes = (phone[1] - phone[0]) / 60_000
    yield from door.batch(
        SCREEN, Device("activitywatch", "phone"), _times(phone[0]), minutes, end=_times(phone[1]), vendor_id=_ids(phone)
    )  # fmt: skip


def united(spans: Sequence[Spans], joined_ms: int = JOINED_MS) -> Spans:
    """Return the time that any of some spans cover, as spans that lie apart.

    Parameters
    ----------
    joined_ms : int
        Pauses up to this are no pauses [ms].
    """
    if not spans:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    start, end = (np.concatenate([one[k] for one in spans]) for k in (0, 1))
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end[order])
    first = np.append(True, start[1:] > reached[:-1] + joined_ms) if start.size else np.empty(0, dtype=bool)
    return start[first], reached[np.append(first[1:], True)] if start.size else reached


def overlap(one: Spans, other: Spans) -> Spans:
    """Return the time that both of two sets of spans cover, of which those of each lie apart."""
    edges = np.concatenate([*one, *other])
    steps = np.repeat([1, -1, 1, -1], [one[0].size, one[1].size, other[0].size, other[1].size])
    order = np.lexsort((steps, edges))  # at one moment, ends before beginnings
    edges, depth = edges[order], np.cumsum(steps[order])
    both = np.flatnonzero(depth[:-1] == 2) if edges.size else np.empty(0, dtype=np.int64)
    return edges[both], edges[both + 1]


def _exposure(door: Door, kind: str, spans: Spans, role: str) -> Iterator[Batch]:
    yield from door.batch(
        kind, Device("activitywatch", role), _times(spans[0]), end=_times(spans[1]), kind=Kind.EXPOSURE,
        vendor_id=_ids(spans),
    )  # fmt: skip


def _ids(spans: Spans) -> pl.Series:
    """Name a span by its beginning: where it went on after an export, a later one has it longer."""
    return pl.Series(spans[0]).cast(pl.String)


def _times(ms: IntArray) -> TimeArray:
    return ms.astype("datetime64[ms]")


def _read_file(file: Source, found: _Found, clock: Clock, log: ProblemLog) -> None:
    export = document(file, _Export, log)
    if export is None:
        return
    for raw in mapped(export.buckets, file.name, log).values():
        try:
            bucket = msgspec.json.decode(raw, type=_Bucket)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.reject(file.name, None, type(error).__name__, "a bucket is not of the expected form; it was left out")
            continue
        _read_bucket(bucket, file.name, found, clock, log)


def _read_bucket(bucket: _Bucket, file: str, found: _Found, clock: Clock, log: ProblemLog) -> None:
    if bucket.client.startswith("aw-watcher-android") and bucket.type == "currentwindow":
        found.phone.append(_spans(listed(bucket.events, _Event, file, log), file, clock, log))
    elif bucket.type == "currentwindow":
        found.windows.append(_spans(listed(bucket.events, _Event, file, log), file, clock, log))
    elif bucket.type == "afkstatus":
        events = listed(bucket.events, _Event, file, log)
        found.active.append(_spans([e for e in events if e.data.status == "not-afk"], file, clock, log))
    else:
        log.remark(file, None, bucket.type, "buckets of this type say nothing of screens and were not read")


def _spans(events: Sequence[_Event], file: str, clock: Clock, log: ProblemLog) -> Spans:
    """Return the spans of events that can be; those without length say nothing, and are counted."""
    door = Door(file, clock, log)
    stamps = pl.Series([event.timestamp for event in events], dtype=pl.String)
    length_s = np.array([event.duration for event in events], dtype=float)
    time = clock.read(stamps, file, log).time
    early, late = clock.impossible(time)
    keep = door.left_out(np.isnat(time), stamps, "is not a time; the event was left out")
    keep &= door.left_out(keep & (early | late), stamps, "lies before 1990 or in the future; the event was left out")
    possible = (length_s >= 0) & (length_s <= LONGEST_S)
    keep &= door.left_out(keep & ~possible, length_s, "no event lasts so many seconds; it was left out")
    empty = keep & (length_s == 0)
    if empty.any():
        log.reject(file, None, "", "events have no length and say nothing", count=int(empty.sum()), lost=False)
    keep &= ~empty
    start: IntArray = time[keep].astype(np.int64)
    return start, start + np.round(length_s[keep] * 1000).astype(np.int64)

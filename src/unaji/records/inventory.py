"""What there is of a person: how much of each day each device covers, where it is silent, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.batch import Kind
from unaji.records.clock import now_utc
from unaji.records.folder import nothing_usable, own_tables, vendors_files, whose_folder
from unaji.records.merge import Fragment
from unaji.records.person import read_preferences
from unaji.records.preferred import HYSTERESIS_MS, LONGEST_PAUSE_MS, ORDER, PLACE_MATTERS, Stretches, stretches
from unaji.records.problems import ProblemLog
from unaji.records.store.manifest import BatchEntry
from unaji.records.store.reading import Store
from unaji.records.suspicions import Measured, Suspicion, suspicions
from unaji.records.timeline import FloatArray, Person, Problem, TimeArray, Zones, from_utc_ms, utc_ms

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WHOLE_DAY_MS = 20 * 60 * MINUTE_MS
"""An interval as long as that speaks of a day, and not of each of its minutes [ms]."""

RAREST_MS = 3 * 60 * MINUTE_MS
"""Instants that follow each other more rarely are told now and then; hourly weather speaks of its whole hour [ms]."""

SHORTEST_GAP_MS = DAY_MS
MOST_GAPS = 5
FEWEST_SHARED_MS = 60 * MINUTE_MS
"""Two devices that share less time than this only meet when one is taken off and the other put on [ms]."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Name:
    """Whose rows, and of what.

    Attributes
    ----------
    kind : str
        A word of `unaji.records.batch.Kind`, or "treatment", "outcome", "observed".
    number : int
        Of the source in the store; 0 for rows of the person's own tables and files.
    """

    kind: str
    quantity: str
    source: str
    role: str = ""
    site: str = ""
    method: str = ""
    number: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Stream:
    """All rows of one quantity from one source.

    Attributes
    ----------
    rows, doubted : int
        How many there are, and how many of them their own source doubts.
    first, last : datetime
        Earliest and latest instant, UTC.
    spread : tuple of float or None
        5th, 50th and 95th percentile of the values; None where there are none.
    rows_a_day : ndarray of int, shape (n_days,)
        Rows that begin on each day of the inventory.
    covered_min : ndarray, shape (n_days,), or None
        Minutes of each day that are covered; None for what is told now and then (a weight, a score, a diary), of which
        the days count.
    gaps : tuple of (datetime, datetime)
        The longest silences of a day or more between the first and the last row, the longest first.
    """

    name: Name
    rows: int
    first: datetime
    last: datetime
    spread: tuple[float, float, float] | None
    doubted: int
    rows_a_day: IntArray
    covered_min: FloatArray | None
    gaps: tuple[tuple[datetime, datetime], ...]

    @property
    def days(self) -> int:
        """Days with at least one row, or a minute covered."""
        there = self.rows_a_day > 0
        return int((there if self.covered_min is None else there | (self.covered_min > 0)).sum())


@dataclass(frozen=True, slots=True)
class Overlap:
    """Time that two sources of one quantity share; where both speak, the first one is taken."""

    taken: Name
    other: Name
    minutes: float


@dataclass(frozen=True, eq=False, slots=True)
class Inventory:
    """What there is of a person.

    Attributes
    ----------
    dates : ndarray of datetime64[D], shape (n_days,)
        The person's calendar days from the first row to the last.
    day_min : ndarray, shape (n_days,)
        Length of each: 1440, or an hour more or less where the clock was changed. [min]
    streams : tuple of Stream
        By quantity, the source with the most rows first.
    imports : tuple of BatchEntry
        With what could not be used of each.
    problems : tuple of Problem
        Of the person's own tables and files, which are read anew each time.
    """

    person: Person
    zones: Zones
    dates: NDArray[np.datetime64]
    day_min: FloatArray
    streams: tuple[Stream, ...]
    overlaps: tuple[Overlap, ...]
    suspicions: tuple[Suspicion, ...]
    imports: tuple[BatchEntry, ...]
    problems: tuple[Problem, ...]


def take_stock(path: Path, *, timezone: str | None = None, now: datetime | None = None) -> Inventory:
    """Look through all that is known of a person, before any choice between devices is made.

    Parameters
    ----------
    path : Path
        The person's folder.
    timezone, now
        As in `unaji.records.folder.read_folder`.

    Raises
    ------
    InputError
        The folder holds nothing that can be used, ``person.toml`` is broken, or a wall clock's zone is not known.
    """
    if not path.is_dir():
        raise InputError(f"{path}: is not a folder; unaji reads a folder that holds one person's records")
    log = ProblemLog()
    person, clock = whose_folder(path, timezone, now or now_utc(), log)
    zones = clock.zones or Zones((person.timezone,))
    store = Store.open(path)
    fragments = [*own_tables(path, clock, log), *vendors_files(path, clock, log)]
    found = [*_of_store(store), *_of_fragments(fragments)]
    if not found:
        raise InputError(nothing_usable(path, log))
    found.sort(key=lambda one: (one.name.kind, one.name.quantity, -one.start_ms.size, one.name.number))
    edges = _midnights(zones, min(int(one.start_ms[0]) for one in found), max(int(one.end_ms.max()) for one in found))
    orders = read_preferences(path / "person.toml", ProblemLog())
    return Inventory(
        person, zones,
        _dates(edges, zones), np.diff(edges) / MINUTE_MS,
        tuple(_stream(one, edges) for one in found),
        tuple(_overlaps(found, orders)),
        tuple(suspicions([one.measured(zones) for one in found if one.value is not None])),
        store.batches,
        log.problems(),
    )  # fmt: skip


# -- rows, whoever keeps them ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Rows of one stream by time; instants end when they begin."""

    name: Name
    start_ms: IntArray
    end_ms: IntArray
    value: FloatArray | None
    doubted: int = 0

    @property
    def stretches(self) -> Stretches | None:
        """When the source speaks; None for what is told now and then."""
        if self.name.kind not in (Kind.SERIES, Kind.INTERVAL, Kind.BEATS, Kind.SLEEP):
            return None
        length = self.end_ms - self.start_ms
        if length.any():
            return None if np.median(length) >= WHOLE_DAY_MS else stretches(self.start_ms, self.end_ms)
        usual_ms = int(np.median(np.diff(self.start_ms))) if self.start_ms.size > 2 else DAY_MS
        if usual_ms > RAREST_MS:
            return None
        if usual_ms > LONGEST_PAUSE_MS:
            return stretches(self.start_ms, self.start_ms + usual_ms)
        start, end = stretches(self.start_ms, self.end_ms)
        return start, end - HYSTERESIS_MS + usual_ms  # each value speaks of one usual step

    def measured(self, zones: Zones) -> Measured:
        """Return what is needed to doubt the values."""
        assert self.value is not None
        beats = self.name.kind == Kind.BEATS
        stamp = (self.end_ms if beats else self.start_ms).astype("datetime64[ms]")
        label = f"{self.name.source}:{self.name.number}" if self.name.number else self.name.source
        return Measured(self.name.quantity, label, self.name.role, self.name.site, stamp, self.value, zones)


def _of_store(store: Store) -> Iterator[_Rows]:
    for kind, quantity in store.contents:
        rows = store.read(kind, quantity)
        for number, source in store.sources.items():
            own = rows.filter(pl.col("source_id") == number)
            if own.height:
                name = Name(kind.value, quantity, source.source, source.role, source.site, source.method, number)
                yield _of_frame(name, own)


def _of_frame(name: Name, rows: pl.DataFrame) -> _Rows:
    stamp = rows["time"].to_numpy()
    value = rows["value"].fill_null(np.nan).to_numpy() if rows["value"].null_count() < rows.height else None
    if name.kind == Kind.BEATS and value is not None:
        start = stamp - np.round(np.nan_to_num(value)).astype(np.int64)
        return _sorted(_Rows(name, start, stamp, value, int(rows["low_quality"].sum())))
    end = rows["end"].fill_null(rows["time"]).to_numpy()
    return _sorted(_Rows(name, stamp, end, value, int(rows["low_quality"].sum())))


def _of_fragments(fragments: Sequence[Fragment]) -> Iterator[_Rows]:
    parts: dict[Name, list[_Rows]] = {}
    for one in (one for fragment in fragments for one in _of_fragment(fragment)):
        parts.setdefault(one.name, []).append(one)
    for name, pieces in parts.items():
        start, end = (np.concatenate([getattr(piece, side) for piece in pieces]) for side in ("start_ms", "end_ms"))
        unsaid = all(piece.value is None for piece in pieces)
        values = [np.full(piece.start_ms.size, np.nan) if piece.value is None else piece.value for piece in pieces]
        yield _sorted(_Rows(name, start, end, None if unsaid else np.concatenate(values)))


def _of_fragment(fragment: Fragment) -> Iterator[_Rows]:
    for series in fragment.series:
        kind = (Kind.SERIES if series.end is None else Kind.INTERVAL).value
        name = Name(kind, series.quantity, series.source, site=series.site)
        stamp = _ms(series.time)
        yield _Rows(name, stamp, stamp if series.end is None else _ms(series.end), series.value)
    for beats in fragment.beats:
        stamp = _ms(beats.time)
        start = stamp - np.round(beats.rri_ms).astype(np.int64)
        yield _Rows(Name(Kind.BEATS.value, "rri_ms", "folder", role=beats.origin), start, stamp, beats.rri_ms)
    for kind, quantity, begun, ended, amount in _told(fragment):
        moments = np.array([_instant(begun), _instant(begun if ended is None else ended)])
        number = None if amount is None else np.array([amount], dtype=float)
        yield _Rows(Name(kind, quantity, "folder"), moments[:1], moments[1:], number)


_Told = tuple[str, str, datetime, datetime | None, float | None]


def _told(fragment: Fragment) -> Iterator[_Told]:
    for episode in fragment.episodes:
        yield Kind.SYMPTOM.value, "neck_heat", episode.start, episode.end, episode.intensity
    for rating in fragment.ratings:
        yield Kind.RATING.value, rating.quantity, rating.time, None, rating.value
    for exposure in fragment.exposures:
        yield Kind.EXPOSURE.value, exposure.kind, exposure.start, exposure.end, exposure.amount
    for treatment in fragment.treatments:
        yield "treatment", treatment.kind, treatment.time, None, None
    for outcome in fragment.outcomes:
        yield "outcome", outcome.instrument, outcome.time, None, outcome.value
    for interval in fragment.observed:
        yield "observed", "observed", interval.start, interval.end, None


def _sorted(rows: _Rows) -> _Rows:
    order = np.argsort(rows.start_ms, kind="stable")
    value = None if rows.value is None else rows.value[order]
    return _Rows(rows.name, rows.start_ms[order], rows.end_ms[order], value, rows.doubted)


def _ms(time: TimeArray) -> IntArray:
    return time.astype("datetime64[ms]").astype(np.int64)


def _instant(moment: datetime) -> int:
    return int(utc_ms(moment).astype(np.int64))


def _moment(ms: int | np.int64) -> datetime:
    return from_utc_ms(np.datetime64(int(ms), "ms"))


# -- days --------------------------------------------------------------------------------------------------------------


def _midnights(zones: Zones, first_ms: int, last_ms: int) -> IntArray:
    """Return the local midnights around a time, one more than there are days [ms]."""
    wall = datetime.combine(zones.local(_moment(first_ms)).date(), time())
    edges: list[int] = []
    while not edges or edges[-1] <= last_ms:
        edges.append(_instant(zones.to_utc(wall)))
        wall += timedelta(days=1)
    return np.array(edges, dtype=np.int64)


def _dates(edges: IntArray, zones: Zones) -> NDArray[np.datetime64]:
    first = zones.local(_moment(edges[0])).date()
    return np.datetime64(first, "D") + np.arange(edges.size - 1)


def _stream(rows: _Rows, edges: IntArray) -> Stream:
    spoken = rows.stretches
    there = None if rows.value is None else rows.value[~np.isnan(rows.value)]
    spread = None
    if there is not None and there.size:
        low, median, high = np.percentile(there, (5, 50, 95))
        spread = float(low), float(median), float(high)
    return Stream(
        rows.name, rows.start_ms.size,
        _moment(rows.start_ms[0]), _moment(rows.end_ms.max()),
        spread,
        rows.doubted,
        np.histogram(rows.start_ms, edges)[0].astype(np.int64),
        None if spoken is None else np.diff(_spoken_until(spoken, edges)) / MINUTE_MS,
        () if spoken is None else tuple(_gaps(spoken)),
    )  # fmt: skip


def _spoken_until(spoken: Stretches, moments: IntArray) -> IntArray:
    """Return how much of the time before each moment is covered [ms]."""
    start, end = spoken
    before = np.append(0, np.cumsum(end - start))
    begun = np.searchsorted(start, moments, side="right")
    beyond = np.maximum(np.append(0, end)[begun] - moments, 0)
    total: IntArray = before[begun] - beyond
    return total


def _gaps(spoken: Stretches) -> Iterator[tuple[datetime, datetime]]:
    start, end = spoken[0][1:], spoken[1][:-1]
    silent = start - end
    for k in np.argsort(-silent, kind="stable")[:MOST_GAPS]:
        if silent[k] >= SHORTEST_GAP_MS:
            yield _moment(end[k]), _moment(start[k])


# -- overlaps ----------------------------------------------------------------------------------------------------------


def _overlaps(found: Sequence[_Rows], orders: dict[str, tuple[str, ...]]) -> Iterator[Overlap]:
    """Give the pairs of sources that speak of one quantity at the same time, and which of the two is taken."""
    spoken = [(rows, stretch) for rows in found if (stretch := rows.stretches) is not None]
    for (one, of_one), (other, of_other) in combinations(spoken, 2):
        a, b = one.name, other.name
        if a.quantity != b.quantity or (a.quantity in PLACE_MATTERS and a.site != b.site):
            continue
        shared = _shared_ms(of_one, of_other)
        if shared >= FEWEST_SHARED_MS:
            order = orders.get(a.quantity, ORDER)
            place = [order.index(name.role) if name.role in order else len(order) for name in (a, b)]
            first, second = (a, b) if (place[0], -one.start_ms.size) <= (place[1], -other.start_ms.size) else (b, a)
            yield Overlap(first, second, shared / MINUTE_MS)


def _shared_ms(one: Stretches, other: Stretches) -> int:
    """Return how long two sources speak at the same time [ms]."""
    moments = np.unique(np.concatenate([*one, *other]))
    both = [np.diff(_spoken_until(spoken, moments)) > 0 for spoken in (one, other)]
    return int(np.diff(moments)[both[0] & both[1]].sum())

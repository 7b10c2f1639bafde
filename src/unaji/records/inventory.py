"""What there is of a person: how much of each day each device covers, where it is silent, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
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
from unaji.records.preferred import HYSTERESIS_MS, LONGEST_PAUSE_MS, ORDER, PLACE_MATTERS, Stretches, Voice, stretches
from unaji.records.problems import ProblemLog
from unaji.records.store.manifest import BatchEntry
from unaji.records.store.reading import Store
from unaji.records.suspicions import Measured, Suspicion, suspicions
from unaji.records.timeline import (
    FloatArray,
    Person,
    Piece,
    Problem,
    Series,
    TimeArray,
    Wave,
    Zones,
    from_utc_ms,
    utc_ms,
)
from unaji.records.waves import COLUMNS, is_wave

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

SPREAD_PCT = (5, 50, 95)
MOST_LEVELS, FAINT_BITS = 1 << 18, 38
"""Levels of a waveform that are told apart, and how many bits of 52 are left out where there are more."""

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
    found.sort(key=lambda one: (one.name.kind, one.name.quantity, -one.n_rows, one.name.number))
    edges = _midnights(zones, min(one.first_ms for one in found), max(one.last_ms for one in found))
    orders = read_preferences(path / "person.toml", ProblemLog())
    return Inventory(
        person, zones,
        _dates(edges, zones), np.diff(edges) / MINUTE_MS,
        tuple(_stream(one, edges) for one in found),
        tuple(_overlaps(found, orders)),
        tuple(suspicions([one.measured(zones) for one in found if isinstance(one, _Rows) and one.value is not None])),
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
    def n_rows(self) -> int:
        return self.start_ms.size

    @property
    def first_ms(self) -> int:
        return int(self.start_ms[0])

    @property
    def last_ms(self) -> int:
        return int(self.end_ms.max())

    @property
    def spread(self) -> tuple[float, float, float] | None:
        there = None if self.value is None else self.value[~np.isnan(self.value)]
        if there is None or not there.size:
            return None
        low, median, high = np.percentile(there, SPREAD_PCT).tolist()
        return low, median, high

    def rows_between(self, edges: IntArray) -> IntArray:
        """Return how many rows begin from each edge to the next."""
        return np.histogram(self.start_ms, edges)[0].astype(np.int64)

    @property
    def stretches(self) -> Stretches | None:
        """When the source speaks; None for what is told now and then."""
        if self.name.kind not in (Kind.SERIES, Kind.INTERVAL, Kind.BEATS, Kind.SLEEP):
            return None
        length = self.end_ms - self.start_ms
        if length.any():
            return None if np.median(length) >= WHOLE_DAY_MS else stretches(self.start_ms, self.end_ms)
        usual_ms = int(np.median(np.diff(self.start_ms))) if self.start_ms.size > 2 else DAY_MS
        return _of_instants(usual_ms, self.start_ms, self.start_ms, lambda: stretches(self.start_ms, self.end_ms))

    def measured(self, zones: Zones) -> Measured:
        """Return what is needed to doubt the values."""
        assert self.value is not None
        beats = self.name.kind == Kind.BEATS
        stamp = (self.end_ms if beats else self.start_ms).astype("datetime64[ms]")
        label = f"{self.name.source}:{self.name.number}" if self.name.number else self.name.source
        return Measured(self.name.quantity, label, self.name.role, self.name.site, stamp, self.value, zones)


def _of_instants(
    usual_ms: int, first_ms: IntArray, last_ms: IntArray, often: Callable[[], Stretches]
) -> Stretches | None:
    """Say when a source speaks by its instants, or by the first and last of each run of them."""
    if usual_ms > RAREST_MS:
        return None
    if usual_ms > LONGEST_PAUSE_MS:
        return stretches(first_ms, last_ms + usual_ms)
    start, end = often()
    return start, end - HYSTERESIS_MS + usual_ms  # each value speaks of one usual step


@dataclass(frozen=True, eq=False, slots=True)
class _WaveRows:
    """What the rows of a waveform come to, as `_Rows` says it of rows in memory."""

    name: Name
    voice: Voice
    levels: _Levels
    a_minute: Counter[int]
    doubted: int = 0

    @classmethod
    def of(cls, name: Name, pieces: Iterable[Piece], doubted: int = 0) -> _WaveRows:
        """Look through a waveform, whose values are NaN where there is none."""
        voice, levels, a_minute = Voice(), _Levels(), Counter[int]()
        for stamp, value in pieces:
            time_ms = _ms(stamp)
            voice.add(time_ms)
            levels.add(value)
            minutes, counts = np.unique(time_ms // MINUTE_MS, return_counts=True)
            a_minute.update(dict(zip(minutes.tolist(), counts.tolist(), strict=True)))
        return cls(name, voice, levels, a_minute, doubted)

    @property
    def n_rows(self) -> int:
        return self.voice.spacing.rows

    @property
    def first_ms(self) -> int:
        return self.voice.spacing.first_ms

    @property
    def last_ms(self) -> int:
        return self.voice.spacing.last_ms

    @property
    def spread(self) -> tuple[float, float, float] | None:
        return self.levels.spread

    def rows_between(self, edges: IntArray) -> IntArray:
        minutes = np.array(list(self.a_minute), dtype=np.int64) * MINUTE_MS  # local midnights lie between two minutes
        rows: IntArray = np.histogram(minutes, edges, weights=list(self.a_minute.values()))[0].astype(np.int64)
        return rows

    @property
    def stretches(self) -> Stretches | None:
        usual_ms = int(self.voice.spacing.median_ms) if self.n_rows > 2 else DAY_MS
        return _of_instants(usual_ms, *self.voice.runs, lambda: self.voice.stretches)


class _Levels:
    """How often each value occurs: a recorder has at most some tens of thousands of levels.

    Values that were computed have more; from `MOST_LEVELS` on their last digits are left out, to a part in 2^14.
    """

    def __init__(self) -> None:
        self._values, self._counts = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._mask = np.int64(-1)

    def add(self, value: FloatArray) -> None:
        """Take more values, NaN where there is none."""
        values, counts = np.unique(value[~np.isnan(value)], return_counts=True)
        self._take(np.concatenate([self._values, values]), np.concatenate([self._counts, counts]))
        if self._values.size > MOST_LEVELS:
            self._mask = ~np.int64((1 << FAINT_BITS) - 1)
            self._take(self._values, self._counts)

    def _take(self, values: FloatArray, counts: IntArray) -> None:
        rough = (np.ascontiguousarray(values).view(np.int64) & self._mask).view(np.float64)
        self._values, place = np.unique(rough, return_inverse=True)
        self._counts = np.bincount(place, weights=counts, minlength=self._values.size).astype(np.int64)

    @property
    def spread(self) -> tuple[float, float, float] | None:
        """The percentiles `SPREAD_PCT`, as `numpy.percentile` has them of all values."""
        if not self._values.size:
            return None
        low, median, high = (self._percentile(pct / 100.0) for pct in SPREAD_PCT)
        return low, median, high

    def _percentile(self, share: float) -> float:
        up_to = np.cumsum(self._counts)
        place = (up_to[-1] - 1) * share
        neighbours = self._values[np.searchsorted(up_to, [np.floor(place), np.ceil(place)], side="right")]
        return float(np.quantile(neighbours, place - np.floor(place)))


def _of_store(store: Store) -> Iterator[_Rows | _WaveRows]:
    for kind, quantity in store.contents:
        if is_wave(kind, quantity):
            yield from _waves_of_store(store, kind, quantity)
            continue
        rows = store.read(kind, quantity)
        for number, source in store.sources.items():
            own = rows.filter(pl.col("source_id") == number)
            if own.height:
                name = Name(kind.value, quantity, source.source, source.role, source.site, source.method, number)
                yield _of_frame(name, own)


def _waves_of_store(store: Store, kind: Kind, quantity: str) -> Iterator[_WaveRows]:
    """Look through the waveforms of a quantity, one source after the other."""
    pieces = partial(store.pieces, kind, quantity, COLUMNS)
    rows: Counter[int] = Counter()
    doubted: Counter[int] = Counter()
    for piece in pieces():
        counts = piece.group_by("source_id").agg(pl.len(), pl.col("low_quality").sum())
        for number, n, n_doubted in counts.iter_rows():
            rows[number] += n
            doubted[number] += n_doubted
    for number in sorted(rows):
        source = store.sources[number]
        name = Name(kind.value, quantity, source.source, source.role, source.site, source.method, number)
        yield _WaveRows.of(name, _of_source(pieces(), number), doubted[number])


def _of_source(pieces: Iterable[pl.DataFrame], number: int) -> Iterator[Piece]:
    for piece in pieces:
        own = piece.filter(pl.col("source_id") == number)
        if own.height:
            yield own["time"].to_numpy().astype("datetime64[ms]"), own["value"].fill_null(np.nan).to_numpy()


def _of_frame(name: Name, rows: pl.DataFrame) -> _Rows:
    stamp = rows["time"].to_numpy()
    value = rows["value"].fill_null(np.nan).to_numpy() if rows["value"].null_count() < rows.height else None
    if name.kind == Kind.BEATS and value is not None:
        start = stamp - np.round(np.nan_to_num(value)).astype(np.int64)
        return _sorted(_Rows(name, start, stamp, value, int(rows["low_quality"].sum())))
    end = rows["end"].fill_null(rows["time"]).to_numpy()
    return _sorted(_Rows(name, stamp, end, value, int(rows["low_quality"].sum())))


def _of_fragments(fragments: Sequence[Fragment]) -> Iterator[_Rows | _WaveRows]:
    parts: dict[Name, list[_Rows]] = {}
    for one in (one for fragment in fragments for one in _of_fragment(fragment)):
        parts.setdefault(one.name, []).append(one)
    waves: dict[Name, list[Wave]] = {}
    for wave in (wave for fragment in fragments for wave in fragment.waves):
        waves.setdefault(Name(Kind.SERIES.value, wave.quantity, wave.source, site=wave.site), []).append(wave)
    for name, alike in waves.items():
        if len(alike) == 1 and name not in parts:
            yield _WaveRows.of(name, alike[0].pieces())
        else:  # parts of one waveform in several files
            parts.setdefault(name, []).extend(_of_series(name, wave.series()) for wave in alike)
    for name, pieces in parts.items():
        start, end = (np.concatenate([getattr(piece, side) for piece in pieces]) for side in ("start_ms", "end_ms"))
        unsaid = all(piece.value is None for piece in pieces)
        values = [np.full(piece.start_ms.size, np.nan) if piece.value is None else piece.value for piece in pieces]
        yield _sorted(_Rows(name, start, end, None if unsaid else np.concatenate(values)))


def _of_fragment(fragment: Fragment) -> Iterator[_Rows]:
    for series in fragment.series:
        kind = (Kind.SERIES if series.end is None else Kind.INTERVAL).value
        yield _of_series(Name(kind, series.quantity, series.source, site=series.site), series)
    for beats in fragment.beats:
        stamp = _ms(beats.time)
        start = stamp - np.round(beats.rri_ms).astype(np.int64)
        yield _Rows(Name(Kind.BEATS.value, "rri_ms", "folder", role=beats.origin), start, stamp, beats.rri_ms)
    for kind, quantity, begun, ended, amount in _told(fragment):
        moments = np.array([_instant(begun), _instant(begun if ended is None else ended)])
        number = None if amount is None else np.array([amount], dtype=float)
        yield _Rows(Name(kind, quantity, "folder"), moments[:1], moments[1:], number)


def _of_series(name: Name, series: Series) -> _Rows:
    stamp = _ms(series.time)
    return _Rows(name, stamp, stamp if series.end is None else _ms(series.end), series.value)


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


def _stream(rows: _Rows | _WaveRows, edges: IntArray) -> Stream:
    spoken = rows.stretches
    return Stream(
        rows.name, rows.n_rows,
        _moment(rows.first_ms), _moment(rows.last_ms),
        rows.spread,
        rows.doubted,
        rows.rows_between(edges),
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


def _overlaps(found: Sequence[_Rows | _WaveRows], orders: dict[str, tuple[str, ...]]) -> Iterator[Overlap]:
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
            first, second = (a, b) if (place[0], -one.n_rows) <= (place[1], -other.n_rows) else (b, a)
            yield Overlap(first, second, shared / MINUTE_MS)


def _shared_ms(one: Stretches, other: Stretches) -> int:
    """Return how long two sources speak at the same time [ms]."""
    moments = np.unique(np.concatenate([*one, *other]))
    both = [np.diff(_spoken_until(spoken, moments)) > 0 for spoken in (one, other)]
    return int(np.diff(moments)[both[0] & both[1]].sum())

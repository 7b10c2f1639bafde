"""Everything known of one person over a period, as facts: no interpretation, no gaps filled.

Times are UTC with millisecond resolution: arrays are ``datetime64[ms]``, single instants are aware `datetime`
objects in UTC. The person's clock appears only at the edges, through `Zones`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

TimeArray = NDArray[np.datetime64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Piece = tuple[TimeArray, FloatArray]
"""Times and values of a part of a signal, each of shape (n,)."""

PIECE_ROWS = 1 << 17


def utc_ms(moment: datetime) -> np.datetime64:
    """Give an aware datetime as ``datetime64[ms]`` in UTC (sub-millisecond digits are cut off)."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "ms")


def from_utc_ms(moment: np.datetime64) -> datetime:
    """Give a ``datetime64`` in UTC as an aware datetime."""
    stamp: datetime = moment.astype("datetime64[ms]").astype(datetime)
    return stamp.replace(tzinfo=UTC)


def _frozen_copy(values: object, dtype: str) -> NDArray[np.generic]:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True)
class Person:
    """Who the records are of. Nothing here names the person.

    Attributes
    ----------
    simulated : bool
        True for an invented person; shown wherever the person's results are shown.
    unsafe : tuple of str
        Exposures this person must not have more of: more of them is never proposed.
    """

    id: str
    timezone: str = "UTC"
    birth_year: int | None = None
    sex: str | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    simulated: bool = False
    unsafe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Zones:
    """Which wall clock the person lived by, and from when.

    Attributes
    ----------
    names : tuple of str
        IANA names; ``names[0]`` holds from the beginning.
    starts : tuple of datetime
        UTC instants from which ``names[1:]`` hold, ascending; one fewer than `names`.
    """

    names: tuple[str, ...] = ("UTC",)
    starts: tuple[datetime, ...] = ()

    def __post_init__(self) -> None:
        if len(self.names) != len(self.starts) + 1:
            raise ValueError(f"{len(self.names)} zones need {len(self.names) - 1} starts, got {len(self.starts)}")
        if list(self.starts) != sorted(self.starts):
            raise ValueError("the starts of the zones must ascend")
        for name in self.names:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"{name!r} is not an IANA time zone such as Asia/Tokyo") from error

    def at(self, moment: datetime) -> ZoneInfo:
        """Return the zone the person lived by at an instant."""
        return ZoneInfo(self.names[sum(start <= moment for start in self.starts)])

    def local(self, moment: datetime) -> datetime:
        """Return an instant on the person's wall clock."""
        return moment.astimezone(self.at(moment))

    def to_utc(self, wall: datetime) -> datetime:
        """Return the instant of a wall clock reading without offset.

        The hour that occurs twice in autumn is taken as the first; the hour that does not exist in spring is moved
        forward. With travel, the zone in force is the last one whose own start, on its own clock, is not later.
        """
        moment = wall.replace(tzinfo=ZoneInfo(self.names[0]), fold=0).astimezone(UTC)
        for name, start in zip(self.names[1:], self.starts, strict=True):
            candidate = wall.replace(tzinfo=ZoneInfo(name), fold=0).astimezone(UTC)
            if candidate >= start:
                moment = candidate
        return moment

    def offset_min(self, time: TimeArray) -> NDArray[np.int64]:
        """Return the wall clock's offset from UTC [min] at each instant, shape of `time`."""
        stamps = np.asarray(time, dtype="datetime64[ms]")
        hours, inverse = np.unique(stamps.astype("datetime64[h]"), return_inverse=True)
        # Look each hour up at both ends and go to single instants only where the offset changes inside it.
        first = np.array([self._offset(from_utc_ms(h)) for h in hours], dtype=np.int64)
        last = np.array(
            [self._offset(from_utc_ms(h) + timedelta(minutes=59, seconds=59)) for h in hours], dtype=np.int64
        )
        offsets = first[inverse].reshape(stamps.shape)
        for index in np.flatnonzero((first != last)[inverse]):
            offsets.flat[index] = self._offset(from_utc_ms(stamps.flat[index]))
        return offsets

    def _offset(self, moment: datetime) -> int:
        offset = self.local(moment).utcoffset()
        assert offset is not None
        return int(offset.total_seconds() // 60)


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """One quantity over time from one place and source.

    Attributes
    ----------
    quantity : str
        A name of `unaji.quantities.QUANTITIES`.
    time : ndarray, shape (n,)
        When, UTC, ascending; the start of the interval where `end` is given.
    value : ndarray, shape (n,)
        Finite values in the quantity's unit; what was not measured has no row.
    end : ndarray, shape (n,), or None
        End of the interval each value is a mean or a sum of; None for instants.
    site : str
        Where on the body or in the world ("wrist", "nape", "outdoor", "near_body"); "" when not said.
    source : str
        What wrote it ("e4", "jma", "ibutton", "folder"), never a device's or a person's name.
    """

    quantity: str
    time: TimeArray
    value: FloatArray
    end: TimeArray | None = None
    site: str = ""
    source: str = "folder"

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", _frozen_copy(self.time, "datetime64[ms]"))
        object.__setattr__(self, "value", _frozen_copy(self.value, "float64"))
        if self.end is not None:
            object.__setattr__(self, "end", _frozen_copy(self.end, "datetime64[ms]"))
        shapes = {self.time.shape, self.value.shape, self.time.shape if self.end is None else self.end.shape}
        if len(shapes) != 1 or self.time.ndim != 1:
            raise ValueError(f"{self.quantity}: time {self.time.shape} and value {self.value.shape} differ in shape")
        if not np.isfinite(self.value).all():
            raise ValueError(f"{self.quantity}: a value is not finite; leave the row out instead")
        if (np.diff(self.time) < np.timedelta64(0, "ms")).any():
            raise ValueError(f"{self.quantity}: time must ascend")

    def __len__(self) -> int:
        return int(self.time.size)

    def pieces(self) -> Iterator[Piece]:
        """Give it part by part, as a `Wave` does."""
        for first in range(0, len(self), PIECE_ROWS):
            part = slice(first, first + PIECE_ROWS)
            yield self.time[part], self.value[part]


@dataclass(frozen=True, eq=False, slots=True)
class Wave:
    """A waveform as it was recorded, left on the disk: a day of an electrocardiogram has twenty million values.

    Attributes
    ----------
    quantity, site, source : str
        As of a `Series`.
    first, last : datetime64[ms]
        When its first and its last value are, UTC.
    pieces : callable
        Reads it anew, part by part in order of time.
    """

    quantity: str
    site: str
    source: str
    first: np.datetime64
    last: np.datetime64
    pieces: Callable[[], Iterator[Piece]]

    def series(self) -> Series:
        """Read it whole."""
        parts = list(self.pieces())
        time, value = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        return Series(self.quantity, time, value, site=self.site, source=self.source)


@dataclass(frozen=True, eq=False, slots=True)
class Beats:
    """Intervals between heart beats, as the device gave them.

    Attributes
    ----------
    time : ndarray, shape (n_beats,)
        When each interval ends, UTC, ascending.
    rri_ms : ndarray, shape (n_beats,)
        RR interval [ms]; NaN where the beat was rejected.
    gap : ndarray of bool, shape (n_beats,)
        True where the beat before this interval is not the previous row's: no difference is taken across it.
    origin : str
        "ecg", "strap", "ppg" or "app"; "" when not known.
    corrected : str
        Whether the device filtered it: "no", "device" or "unknown".
    """

    time: TimeArray
    rri_ms: FloatArray
    gap: BoolArray
    origin: str = ""
    corrected: str = "unknown"

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", _frozen_copy(self.time, "datetime64[ms]"))
        object.__setattr__(self, "rri_ms", _frozen_copy(self.rri_ms, "float64"))
        object.__setattr__(self, "gap", _frozen_copy(self.gap, "bool"))
        if not self.time.shape == self.rri_ms.shape == self.gap.shape:
            raise ValueError(
                f"time {self.time.shape}, rri_ms {self.rri_ms.shape} and gap {self.gap.shape} differ in shape"
            )
        if (np.diff(self.time) < np.timedelta64(0, "ms")).any():
            raise ValueError("the beats' time must ascend")

    def __len__(self) -> int:
        return int(self.time.size)


@dataclass(frozen=True, slots=True)
class Episode:
    """One time the symptom was felt.

    Attributes
    ----------
    start : datetime
        Onset, UTC. For a date without time: the first instant of that local day, with `whole_day` set.
    end : datetime or None
        When it stopped, if known.
    intensity : float or None
        0 to 10.
    whole_day : bool
        True when only the date of the onset is known.
    """

    start: datetime
    end: datetime | None = None
    intensity: float | None = None
    note: str = ""
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """One feeling, rated 0 to 10 at a moment; `quantity` is a name of `unaji.quantities.RATINGS`."""

    time: datetime
    quantity: str
    value: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """Something done, taken or met; `kind` is in `unaji.quantities.EXPOSURES` or named by an article's claims."""

    start: datetime
    kind: str
    end: datetime | None = None
    amount: float | None = None

    @property
    def none(self) -> bool:
        """Whether it says that there was none: an amount of 0, written down so that it is known."""
        return self.amount == 0


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment session; `points` are WHO codes of acupuncture points."""

    time: datetime
    kind: str
    points: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One score of an outcome questionnaire."""

    time: datetime
    instrument: str
    value: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open stretch of time [start, end), UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(
                f"the interval ends at {self.end.isoformat()}, not after its start {self.start.isoformat()}"
            )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found wrong while reading, and what became of it.

    Attributes
    ----------
    file : str
        Name of the file inside the person's folder.
    line : int or None
        Line in the file, the header being line 1; None when it is about the whole file.
    value : str
        What was found.
    rule : str
        Which rule it breaks, and what to do.
    rejected : bool
        True when the row was left out; False for a remark about a row that was kept.
    count : int
        How many rows (values, where it is about one column) it speaks of.
    lost : bool
        Whether something that stands in the file could not be read, so that writing the file anew would lose it;
        False for repeats and for beats of a lesser origin, which are left out on purpose.
    """

    file: str
    line: int | None
    value: str
    rule: str
    rejected: bool = True
    count: int = 1
    lost: bool = True

    def __str__(self) -> str:
        """Say it as a sentence for the terminal."""
        name = "".join(sign if sign.isprintable() else "?" for sign in self.file)  # no colours of a terminal
        where = name if self.line is None else f"{name}, line {self.line}"
        found = f" found {self.value!r}:" if self.value else ""
        return f"{where}:{found} {self.rule}"


@dataclass(frozen=True, eq=False, slots=True)
class Timeline:
    """Everything known of one person over a period.

    Attributes
    ----------
    waves : tuple of Wave
        What is too long to be held in memory, and is looked at part by part.
    observed : tuple of Interval, or None
        When an episode would have been logged, if that is known outright; None when it has to be worked out from
        sleep, diary days and check-ins.
    problems : tuple of Problem
        What was rejected or remarked on while reading.
    """

    person: Person
    zones: Zones = field(default_factory=Zones)
    series: tuple[Series, ...] = ()
    beats: Beats | None = None
    episodes: tuple[Episode, ...] = ()
    ratings: tuple[Rating, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    observed: tuple[Interval, ...] | None = None
    problems: tuple[Problem, ...] = ()
    waves: tuple[Wave, ...] = ()

    def __post_init__(self) -> None:
        for name, key in (
            ("episodes", _start),
            ("ratings", _time),
            ("exposures", _start),
            ("treatments", _time),
            ("outcomes", _time),
        ):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=key)))

    def of(self, quantity: str, *sites: str) -> Series | None:
        """Return the first series of a quantity, sites being tried in the order given; any site when none is given."""
        candidates = [s for s in self.series if s.quantity == quantity]
        for site in sites:
            for series in candidates:
                if series.site == site:
                    return series
        return candidates[0] if candidates and not sites else None

    def all_of(self, quantity: str) -> tuple[Series | Wave, ...]:
        """Return all series and waveforms of a quantity."""
        return (
            *(series for series in self.series if series.quantity == quantity),
            *(wave for wave in self.waves if wave.quantity == quantity),
        )

    def exposures_of(self, kind: str) -> tuple[Exposure, ...]:
        """Return the exposures of one kind, in order of time."""
        return tuple(e for e in self.exposures if e.kind == kind)

    def ratings_of(self, quantity: str) -> tuple[Rating, ...]:
        """Return the ratings of one feeling, in order of time."""
        return tuple(r for r in self.ratings if r.quantity == quantity)

    @property
    def span(self) -> Interval | None:
        """First and last instant of anything known; None when nothing is."""
        moments = sorted(self._moments())
        if not moments:
            return None
        return Interval(moments[0], max(moments[-1], moments[0] + timedelta(minutes=5)))

    def with_problems(self, problems: Iterable[Problem]) -> Timeline:
        """Return this timeline with more problems noted."""
        return replace(self, problems=self.problems + tuple(problems))

    def _moments(self) -> Iterator[datetime]:
        for series in self.series:
            if len(series):
                yield from_utc_ms(series.time[0])
                yield from_utc_ms(series.time[-1] if series.end is None else series.end.max())
        for wave in self.waves:
            yield from_utc_ms(wave.first)
            yield from_utc_ms(wave.last)
        if self.beats is not None and len(self.beats):
            yield from_utc_ms(self.beats.time[0])
            yield from_utc_ms(self.beats.time[-1])
        for start, end in [(e.start, e.end) for e in self.episodes] + [(e.start, e.end) for e in self.exposures]:
            yield start
            if end is not None:
                yield end
        yield from (rating.time for rating in self.ratings)
        yield from (treatment.time for treatment in self.treatments)
        yield from (outcome.time for outcome in self.outcomes)


def _start(row: Episode | Exposure) -> datetime:
    return row.start


def _time(row: Rating | Treatment | Outcome) -> datetime:
    return row.time

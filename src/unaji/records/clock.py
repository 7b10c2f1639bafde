"""Which instant does a time in a file mean? Text and wall clocks become UTC here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.problems import ProblemLog
from unaji.records.tables import half_width
from unaji.records.timeline import BoolArray, TimeArray, Zones, utc_ms

EARLIEST = np.datetime64("1990-01-01", "ms")
LATEST_AFTER_NOW = timedelta(hours=48)
LONGEST_H = 36
NO_TIME = "the row has no time that can be read"
NO_END = "has no end that can be read"
TOO_EARLY = "lies before 1990: was the clock of the device set?"
TOO_LATE = "lies in the future: is the year right?"
ENDS_EARLY = "the end lies before the start"
TOO_LONG = f"lasts more than {LONGEST_H} h: is the date of the end right?"
MINUTE = np.timedelta64(60_000, "ms")
HOUR = np.timedelta64(3_600_000, "ms")
NAT = np.datetime64("NaT", "ms")
HOW_TO_WRITE_TIMES = "is not a time; write it like 2024-05-01T08:30 or 2024-05-01 08:30:00"

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Instants:
    """A column of times.

    Attributes
    ----------
    time : ndarray, shape (n,)
        UTC; NaT where the cell is empty or cannot be read.
    date_only : ndarray of bool, shape (n,)
        True where only a date was given.
    """

    time: TimeArray
    date_only: BoolArray


@dataclass(frozen=True, slots=True)
class Clock:
    """The person's clock while files are being read.

    Attributes
    ----------
    zones : Zones or None
        None when nobody has said where the person lives; a wall clock then cannot be read.
    now : datetime
        The moment of reading: what lies more than 48 h after it is impossible.
    """

    zones: Zones | None
    now: datetime

    def read(
        self, cells: pl.Series, file: str, log: ProblemLog, *, date_at_hour: int = 0, equal_means_later: bool = False
    ) -> Instants:
        """Read a column of times.

        Parameters
        ----------
        cells : polars.Series, shape (n,)
            Text in ISO 8601 (with or without offset, also with blanks and slashes), dates, or timestamps.
        date_at_hour : int
            Which hour of the day a date without time stands for; 24 for the end of that day.
        equal_means_later : bool
            In the hour that occurs twice, whether a wall clock equal to the row before is the second pass (true of
            one sensor's rows, not of things people type).

        Raises
        ------
        InputError
            A wall clock without offset was found and the person's zone is not known.
        """
        stamps = _stamps(cells, file, log)
        time = stamps.utc.copy()
        given = np.isnat(time)
        wall = given & ~np.isnat(stamps.wall)
        dated = given & ~np.isnat(stamps.date)
        if wall.any():
            time[wall] = self.from_wall(stamps.wall[wall], file, log, equal_means_later=equal_means_later)
        if dated.any():
            time[dated] = self._to_utc(stamps.date[dated] + date_at_hour * HOUR, file)[0]
        return Instants(time, dated)

    def from_wall(self, wall: TimeArray, file: str, log: ProblemLog, *, equal_means_later: bool = False) -> TimeArray:
        """Give wall clock readings, in the order of the file, as instants; doubtful hours are remarked on.

        The hour that occurs twice in autumn is taken as the first unless the rows' order, which may also be that of
        the newest first, shows the second; the hour that does not exist in spring is moved forward.
        """
        time, later, doubtful = self._to_utc(wall, file)
        repeated = np.flatnonzero(doubtful & (later > time))
        second = 0
        step = -1 if repeated.size and _newest_first(wall) else 1
        for i in repeated[::step]:
            before = time[i - step] if 0 <= i - step < time.size else NAT
            goes_back = before >= time[i] if equal_means_later else before > time[i]
            if goes_back and before <= later[i]:
                time[i] = later[i]
                second += 1
        if repeated.size:
            log.remark(
                file,
                None,
                repeated.size,
                f"times lie in the hour that occurs twice when summer time ends; {repeated.size - second} taken as the "
                f"first, {second} as the second by their order. Write the offset (+09:00) to be exact",
            )
        moved = int((doubtful & (later < time)).sum())
        if moved:
            log.remark(
                file, None, moved, "times lie in the hour skipped when summer time begins; they were moved forward"
            )
        return time

    def impossible(self, time: TimeArray) -> tuple[BoolArray, BoolArray]:
        """Say which instants lie before 1990 and which more than 48 h in the future."""
        return time < EARLIEST, time > utc_ms(self.now + LATEST_AFTER_NOW)

    def broken(self, time: TimeArray, end: TimeArray | None = None) -> Iterator[tuple[str, BoolArray]]:
        """Give each rule that times break with the rows that break it; a row stands under the first only.

        Parameters
        ----------
        time, end : ndarray of datetime64[ms], shape (n,)
            UTC; NaT where it could not be read.
        """
        early, late = self.impossible(time)
        rules = [(NO_TIME, np.isnat(time)), (TOO_EARLY, early), (TOO_LATE, late)]
        if end is not None:
            too_late = self.impossible(end)[1]
            too_long = end - time > LONGEST_H * HOUR
            rules += [(NO_END, np.isnat(end)), (ENDS_EARLY, end < time), (TOO_LATE, too_late), (TOO_LONG, too_long)]
        left = np.ones(time.size, dtype=bool)
        for rule, wrong in rules:
            if (wrong & left).any():
                yield rule, wrong & left
            left &= ~wrong

    def _to_utc(self, wall: TimeArray, file: str) -> tuple[TimeArray, TimeArray, BoolArray]:
        """Return both readings of a wall clock and where they differ; zones in force as in `Zones.to_utc`."""
        if self.zones is None:
            raise InputError(
                f"{file}: its times are wall clock without offset, and nobody has said in which time zone: write "
                'person.toml with a line such as timezone = "Asia/Tokyo" into the folder, or pass --timezone Asia/Tokyo'
            )
        first, later = (wall - fold_min * MINUTE for fold_min in _offsets(wall, self.zones.names[0]))
        for name, start in zip(self.zones.names[1:], self.zones.starts, strict=True):
            candidate, candidate_later = (wall - fold_min * MINUTE for fold_min in _offsets(wall, name))
            holds = candidate >= utc_ms(start)
            first, later = np.where(holds, candidate, first), np.where(holds, candidate_later, later)
        return first, later, first != later


@dataclass(frozen=True, eq=False, slots=True)
class _Stamps:
    """A column of times before any zone: each row is in one of the three, or in none (NaT)."""

    utc: TimeArray
    wall: TimeArray
    date: TimeArray


def _stamps(cells: pl.Series, file: str, log: ProblemLog) -> _Stamps:
    none = np.full(len(cells), NAT)
    if isinstance(cells.dtype, pl.Datetime):
        time = _as_ms(cells.dt.convert_time_zone("UTC") if cells.dtype.time_zone else cells)
        return _Stamps(time, none, none) if cells.dtype.time_zone else _Stamps(none, time, none)
    if cells.dtype == pl.Date:
        return _Stamps(none, none, _as_ms(cells.cast(pl.Datetime("ms"))))
    if cells.dtype != pl.String:
        return _Stamps(none, none, none)
    return _stamps_of_text(cells, file, log)


def _stamps_of_text(cells: pl.Series, file: str, log: ProblemLog) -> _Stamps:
    """Try the usual format on the whole column and the rarer ones only on what is left."""
    text = half_width(cells).str.strip_chars()
    # The first format says less than the second and is parsed four times as fast.
    utc = _first_of(text, "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.f%#z")
    wall, date = np.full(len(text), NAT), np.full(len(text), NAT)
    left = np.flatnonzero(np.isnat(utc) & text.is_not_null().to_numpy())
    if left.size:
        wall[left] = _first_of(text.gather(left), "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
        left = left[np.isnat(wall[left])]
    if left.size:
        rest = text.gather(left).str.replace_all("/", "-", literal=True).str.replace(r"^(\S+)\s+(\d)", "${1}T$2")
        utc[left] = _first_of(rest, "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f %#z")
        wall[left] = _first_of(rest, "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
        date[left] = _first_of(rest, "%Y-%m-%d")
    _note_offset(text, utc, log)
    return _Stamps(utc, wall, date)


def _first_of(text: pl.Series, *formats: str) -> TimeArray:
    time = np.full(len(text), NAT)
    for format_ in formats:
        left = np.isnat(time)
        if left.any():
            time[left] = _parse(text.filter(pl.Series(left)), format_)
    return time


def _parse(text: pl.Series, format_: str) -> TimeArray:
    return _as_ms(text.str.to_datetime(format_, time_unit="ms", strict=False))


def _as_ms(cells: pl.Series) -> TimeArray:
    return np.array(cells.dt.cast_time_unit("ms").dt.replace_time_zone(None).to_numpy(), dtype="datetime64[ms]")


def _note_offset(text: pl.Series, utc: TimeArray, log: ProblemLog) -> None:
    """Remember the offset of the first and last stamp that carries one; Z is no sign of where somebody lives."""
    carried = np.flatnonzero(~np.isnat(utc))
    for i in {int(carried[0]), int(carried[-1])} if carried.size else ():
        match = text.gather([i]).str.extract_groups(r"([+-])(\d\d):?(\d\d)$")[0]
        if match and match["1"]:
            minutes = int(match["2"]) * 60 + int(match["3"])
            log.offsets_min[minutes if match["1"] == "+" else -minutes] += 1


def _offsets(wall: TimeArray, zone_name: str) -> tuple[IntArray, IntArray]:
    """Return the zone's offset from UTC [min] at each wall clock reading, on the first and on the second pass.

    They differ only where the wall clock is doubtful: first > second in an hour that occurs twice, first < second in
    one that does not exist. Days without a clock change are looked up once.
    """
    zone = ZoneInfo(zone_name)
    days, inverse = np.unique(wall.astype("datetime64[D]"), return_inverse=True)
    of_day = np.array([_offset_of_day(day.item(), zone) for day in days], dtype=np.int64)
    first = of_day[inverse]
    second = first.copy()
    for i in np.flatnonzero(first == _CHANGES):
        moment = wall[i].item()
        first[i], second[i] = (_offset(moment, zone, fold) for fold in (0, 1))
    return first, second


_CHANGES = np.iinfo(np.int64).max


def _offset_of_day(day: object, zone: ZoneInfo) -> int:
    """Return a whole local day's offset, or a mark when the clock changes in it; 0 for no day of the calendar."""
    if not isinstance(day, date) or not MINYEAR < day.year < MAXYEAR:
        return 0
    midnight = datetime(day.year, day.month, day.day)
    offsets = {_offset(midnight + timedelta(days=d), zone, fold) for d in (0, 1) for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else _CHANGES


def _offset(wall: datetime, zone: ZoneInfo, fold: int) -> int:
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() // 60)


def _newest_first(wall: TimeArray) -> bool:
    """Say whether readings descend; a single step back is what the end of summer time makes of ascending ones."""
    steps = np.diff(wall)
    back = int((steps < np.timedelta64(0, "ms")).sum())
    return back > max(1, int((steps > np.timedelta64(0, "ms")).sum()))


def now_utc() -> datetime:
    """Return the present moment; the one place that asks the machine's clock."""
    return datetime.now(UTC)


def iso_local(moment: datetime, zones: Zones) -> str:
    """Write an instant on the person's wall clock with its offset, milliseconds only where there are any."""
    local = zones.local(moment)
    return local.isoformat(timespec="milliseconds" if local.microsecond >= 1000 else "seconds")

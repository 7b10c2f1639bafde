"""What the messages of FIT files say, as rows: which field is which quantity, in which unit, over which time.

Numbers of messages and fields are those of the profile in Garmin's FIT SDK. A watch's own ``temperature`` in ``record``
is that of its case and is never read: it is neither the air's nor the skin's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from unaji.records.batch import Kind
from unaji.records.clock import Clock
from unaji.records.garmin_fit.protocol import TIMESTAMP, Messages, Table
from unaji.records.problems import ProblemLog
from unaji.records.rows import Rows, local_day, zone_of
from unaji.records.timeline import FloatArray

EPOCH_S = 631_065_600  # 1989-12-31T00:00:00Z, where FIT's time begins [s since 1970]
FIRST_DATE_S = 0x10000000  # smaller times count from when the device was switched on

FILE_ID, SESSION, RECORD, EVENT, DEVICE_INFO, WEIGHT_SCALE, ACTIVITY = 0, 18, 20, 21, 23, 30, 34
BLOOD_PRESSURE, MONITORING, HRV, MONITORING_INFO, HR, RESTING, STRESS = 51, 55, 78, 103, 132, 211, 227
SPO2, SLEEP_LEVEL, RESPIRATION, HRV_SUMMARY, HRV_VALUE, SKIN_TEMP = 269, 275, 297, 370, 371, 398

READ = {
    FILE_ID, SESSION, RECORD, EVENT, DEVICE_INFO, WEIGHT_SCALE, ACTIVITY, BLOOD_PRESSURE, MONITORING, HRV,
    MONITORING_INFO, HR, RESTING, STRESS, SPO2, SLEEP_LEVEL, RESPIRATION, HRV_SUMMARY, HRV_VALUE, SKIN_TEMP,
}  # fmt: skip
"""The kinds of messages that are read; the others are counted."""

HRV_VALUE_MS = 300_000.0  # an RMSSD value stands for the five minutes before its stamp
LONGEST_STAGE_MS = 6 * 3_600_000.0
CALCULATING = 65_534  # a scale that has no weight yet
NIGHT_MEAN = "garmin_last_night_average"
STAGES = {1: "awake", 2: "light", 3: "deep", 4: "rem"}

SPORTS = dict(enumerate((
    "generic", "running", "cycling", "transition", "fitness_equipment", "swimming", "basketball", "soccer", "tennis",
    "american_football", "training", "walking", "cross_country_skiing", "alpine_skiing", "snowboarding", "rowing",
    "mountaineering", "hiking", "multisport", "paddling", "flying", "e_biking", "motorcycling", "boating", "driving",
    "golf", "hang_gliding", "horseback_riding", "hunting", "fishing", "inline_skating", "rock_climbing", "sailing",
    "ice_skating", "sky_diving", "snowshoeing", "snowmobiling", "stand_up_paddleboarding", "surfing", "wakeboarding",
    "water_skiing", "kayaking", "rafting", "windsurfing", "kitesurfing", "tactical", "jumpmaster", "boxing",
    "floor_climbing", "baseball",
))) | {53: "diving", 62: "hiit", 64: "racket", 67: "meditation", 83: "dance", 84: "jump_rope"}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Reader:
    """Messages of some files, and what is needed to read any of them."""

    messages: Messages
    clock: Clock
    names: tuple[str, ...]
    log: ProblemLog

    def file(self, table: Table) -> np.ndarray:
        """Return the file of each message."""
        return self.messages.part_file[table.part]

    def time_ms(self, table: Table) -> FloatArray:
        """Return when each message was written [ms since 1970], NaN where it does not say."""
        return unix_ms(self.messages.stamps(table))

    def zone_min(self, table: Table) -> FloatArray:
        """Return the wall clock's offset at each message [min]: the last one told before it in its file, or the first.

        ``monitoring_info`` and ``activity`` give one moment in local time and in UTC.
        """
        told = [
            self.messages.table(number, TIMESTAMP, field) for number, field in ((MONITORING_INFO, 0), (ACTIVITY, 5))
        ]
        position = np.concatenate([t.position for t in told])
        offset = np.concatenate(
            [zone_of(t.columns[f][:, 0], t.one(TIMESTAMP)) for t, f in zip(told, (0, 5), strict=True)]
        )
        order = np.argsort(position)[np.isfinite(offset[np.argsort(position)])]
        position, offset = position[order], offset[order]
        zone = np.full(len(table), np.nan)
        if not position.size or not len(table):
            return zone
        file_of = self.messages.part_file[self.messages.part_of(position)]
        file = self.file(table)
        after = np.searchsorted(position, table.position)
        for at in (after, after - 1):  # the first told after it in the file, unless one was told before
            inside = (at >= 0) & (at < position.size)
            inside[inside] = file_of[at[inside]] == file[inside]
            zone[inside] = offset[at[inside]]
        return zone

    def points(self, quantity: str, table: Table, value: FloatArray, *, stamp_s: FloatArray | None = None) -> Rows:
        """Give values at instants."""
        time_ms = self.time_ms(table) if stamp_s is None else unix_ms(stamp_s)
        return Rows(Kind.SERIES, quantity, self.file(table), time_ms, value, zone_min=self.zone_min(table))

    def intervals(self, quantity: str, table: Table, value: FloatArray, start: FloatArray, end: FloatArray) -> Rows:
        """Give values over intervals."""
        return Rows(Kind.INTERVAL, quantity, self.file(table), start, value, end, self.zone_min(table))

    def days(self, quantity: str, table: Table, value: FloatArray) -> Rows:
        """Give values that each stand for a whole local day."""
        start, end = local_day(self.time_ms(table), self.zone_min(table), self.clock, self.names[0])
        return self.intervals(quantity, table, value, start, end)


def unix_ms(stamp_s: FloatArray) -> FloatArray:
    """Turn FIT's seconds into milliseconds since 1970.

    A time since power-on is no date: it stays within the first years after 1970, and is turned back at the door as
    that of a clock that was not set.
    """
    return np.where(stamp_s >= FIRST_DATE_S, stamp_s + EPOCH_S, stamp_s) * 1000.0


def simple_rows(reader: Reader) -> Iterator[Rows]:
    """Give the rows of all messages that can be read one kind at a time; without steps, beats and `shared_rows`."""
    present = {number for number, _ in reader.messages.counts()}
    for number, read in _READERS.items():
        if number in present:
            yield from read(reader)


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """What something measured that several people may use.

    Attributes
    ----------
    number : int
        The kind of message, which is the kind of device.
    user : ndarray, shape (n,)
        Number of the person each time, NaN where the file does not say.
    """

    number: int
    rows: Rows
    user: FloatArray


def shared_rows(reader: Reader) -> Iterator[Shared]:
    """Give weights and blood pressures; whose they are is known only when all files have been seen."""
    present = {number for number, _ in reader.messages.counts()}
    if WEIGHT_SCALE in present:
        table = reader.messages.table(WEIGHT_SCALE, TIMESTAMP, 0, 12)
        weight_kg = np.where(table.one(0) == CALCULATING, np.nan, table.one(0)) / 100
        yield Shared(WEIGHT_SCALE, reader.points("weight_kg", table, weight_kg), _user(table.one(12)))
    if BLOOD_PRESSURE in present:
        table = reader.messages.table(BLOOD_PRESSURE, TIMESTAMP, 0, 1, 6, 9)
        heart = table.where(table.one(6) > 0)
        for quantity, some, value in (
            ("systolic_mmhg", table, table.one(0)),
            ("diastolic_mmhg", table, table.one(1)),
            ("hr_bpm", heart, heart.one(6)),
        ):
            yield Shared(BLOOD_PRESSURE, reader.points(quantity, some, value), _user(some.one(9)))


def _user(message_index: FloatArray) -> FloatArray:
    """Return the number in an index of messages, whose upper four bits are flags."""
    return np.where(np.isnan(message_index), np.nan, np.nan_to_num(message_index).astype(np.int64) & 0x0FFF)


def _records(reader: Reader) -> Iterator[Rows]:
    table = reader.messages.table(RECORD, TIMESTAMP, 3, having=3)
    yield reader.points("hr_bpm", table, _positive(table.one(3)))
    table = reader.messages.table(RECORD, TIMESTAMP, 99, 108, 139)
    yield from _where_given(reader, "resp_rate_bpm", table, _first(table.one(108) / 100, table.one(99)))
    yield from _where_given(reader, "core_temp_c", table, _positive(table.one(139)) / 100)


def _sessions(reader: Reader) -> Iterator[Rows]:
    table = reader.messages.table(SESSION, TIMESTAMP, 2, 5, 7, 8)
    start = unix_ms(table.one(2))
    minutes = table.one(8) / 60_000
    sport = np.array([_sport(number) for number in table.one(5)], dtype=object)
    yield Rows(
        Kind.WORKOUT, "exercise", reader.file(table), start, _first(minutes, table.one(7) / 60_000),
        start + table.one(7), reader.zone_min(table), {"label": sport},
    )  # fmt: skip


def _sport(number: float) -> str:
    return "" if np.isnan(number) else SPORTS.get(int(number), f"sport {number:.0f}")


def _monitored_heart_rate(reader: Reader) -> Iterator[Rows]:
    """Give the heart rate of each minute; most of its times are written as their low sixteen bits."""
    table = reader.messages.table(MONITORING, TIMESTAMP, 26, 27, having=27)
    yield reader.points("hr_bpm", table, _positive(table.one(27)), stamp_s=monitoring_stamps(reader, table))


def monitoring_stamps(reader: Reader, table: Table) -> FloatArray:
    """Return the times of ``monitoring`` [s, FIT], those written as ``timestamp_16`` made whole.

    The sixteen bits count on from the newest complete time of any message before, in FIT's own seconds.
    """
    last = reader.messages.last_full(table.position)
    stamp = reader.messages.stamps(table)
    return np.where(np.isnan(stamp), last + (table.one(26) - last % 65_536) % 65_536, stamp)


def _resting(reader: Reader) -> Iterator[Rows]:
    table = reader.messages.table(RESTING, TIMESTAMP, 1)
    yield reader.days("hr_resting_bpm", table, _positive(table.one(1)))


def _stress(reader: Reader) -> Iterator[Rows]:
    """Give the maker's stress score; below zero it says why there is none (not worn, moving).

    Some watches write one a minute, others one in three, and the file does not say which: they stay instants.
    """
    table = reader.messages.table(STRESS, 0, 1)
    score = np.where(table.one(0) < 0, np.nan, table.one(0))
    yield reader.points("stress_score", table, score, stamp_s=table.one(1))


def _oxygen(reader: Reader) -> Iterator[Rows]:
    table = reader.messages.table(SPO2, TIMESTAMP, 0, 2)
    off_wrist = table.one(2) == 0
    yield reader.points("spo2_pct", table, np.where(off_wrist, np.nan, _positive(table.one(0))))


def _breathing(reader: Reader) -> Iterator[Rows]:
    """Give the breathing rate; below zero it says that none was found."""
    table = reader.messages.table(RESPIRATION, TIMESTAMP, 0)
    yield reader.points("resp_rate_bpm", table, np.where(table.one(0) < 0, np.nan, table.one(0) / 100))


def _night_variability(reader: Reader) -> Iterator[Rows]:
    """Give RMSSD of five minutes each, in 1/128 ms."""
    table = reader.messages.table(HRV_VALUE, TIMESTAMP, 0)
    end = reader.time_ms(table)
    yield reader.intervals("rmssd_ms", table, _positive(table.one(0)) / 128, end - HRV_VALUE_MS, end)


def _night_mean_variability(reader: Reader) -> Iterator[Rows]:
    """Give the mean RMSSD of the night before, by the day on which it was written."""
    table = reader.messages.table(HRV_SUMMARY, TIMESTAMP, 1)
    yield replace(reader.days("rmssd_ms", table, _positive(table.one(1)) / 128), method=NIGHT_MEAN)


def _sleep(reader: Reader) -> Iterator[Rows]:
    """Give stages that last until the next one is told; the last of a night has no end and is left out."""
    table = reader.messages.table(SLEEP_LEVEL, TIMESTAMP, 0, having=0)
    start = reader.time_ms(table)
    end = np.append(start[1:], np.nan)
    end[np.append(table.part[1:] != table.part[:-1], True) | (end - start > LONGEST_STAGE_MS)] = np.nan
    label = np.array([STAGES.get(level, "") for level in table.one(0)], dtype=object)
    minutes = np.where(label == "", np.nan, (end - start) / 60_000)
    yield Rows(
        Kind.SLEEP, "sleep", reader.file(table), start, minutes, end, reader.zone_min(table), {"label": label}
    )  # fmt: skip


def _skin_temperature(reader: Reader) -> Iterator[Rows]:
    table = reader.messages.table(SKIN_TEMP, TIMESTAMP, 1, 4)
    yield reader.days("skin_temp_dev_c", table, table.one(1))
    yield reader.days("skin_temp_c", table, table.one(4))


def _where_given(reader: Reader, quantity: str, table: Table, value: FloatArray) -> Iterator[Rows]:
    """Give the values of a field that most devices do not write, without counting its absence."""
    given = ~np.isnan(value)
    if given.any():
        yield reader.points(quantity, table.where(given), value[given])


def _positive(value: FloatArray) -> FloatArray:
    """Take zero as what it is in these fields: nothing measured."""
    return np.where(value > 0, value, np.nan)


def _first(value: FloatArray, otherwise: FloatArray) -> FloatArray:
    return np.where(np.isnan(value), otherwise, value)


_READERS: dict[int, Callable[[Reader], Iterator[Rows]]] = {
    RECORD: _records,
    SESSION: _sessions,
    MONITORING: _monitored_heart_rate,
    RESTING: _resting,
    STRESS: _stress,
    SPO2: _oxygen,
    RESPIRATION: _breathing,
    HRV_VALUE: _night_variability,
    HRV_SUMMARY: _night_mean_variability,
    SLEEP_LEVEL: _sleep,
    SKIN_TEMP: _skin_temperature,
}

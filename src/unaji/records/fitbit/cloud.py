"""Answers of Fitbit's Web API, as saved by a script or app: one JSON object, times in the account's wall clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device
from unaji.records.cells import numbers, vendor_ids, wall_times
from unaji.records.door import Door
from unaji.records.fitbit.export import Reader, logged
from unaji.records.fitbit.nights import ISO_WALL, WATCH, Night, Weighing, sleep, weights
from unaji.records.json_read import UNREADABLE, document
from unaji.records.source import Source
from unaji.records.timeline import TimeArray

CELL = float | str | None
T = TypeVar("T")
WALL = "%Y-%m-%d %H:%M:%S"
NIGHTLY = "fitbit_nightly"
SECONDS = {"second": 1, "minute": 60}
FIVE_MIN = np.timedelta64(300, "s")


def reader(paths: frozenset[str]) -> Reader | None:
    """Return what reads an answer with these keys; None where it is none of Fitbit's."""
    if paths == {"sleep"}:  # a range without a night
        return _sleep
    return next((read for keys, read in _READERS if keys <= paths), None)


class _Day(msgspec.Struct, gc=False, rename="camel"):
    date_time: str
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Sample(msgspec.Struct, gc=False, rename="camel"):
    time: str
    value: CELL = None


class _Intraday(msgspec.Struct, gc=False, rename="camel"):
    dataset: list[_Sample] = []
    dataset_interval: float = 1
    dataset_type: str = "minute"


class _Hearts(msgspec.Struct, rename={"days": "activities-heart", "intraday": "activities-heart-intraday"}):
    days: list[_Day] = []
    intraday: _Intraday | None = None


class _Steps(msgspec.Struct, rename={"days": "activities-steps", "intraday": "activities-steps-intraday"}):
    days: list[_Day] = []
    intraday: _Intraday | None = None


class _Resting(msgspec.Struct, gc=False, rename="camel"):
    resting_heart_rate: CELL = None


def _heart(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Hearts, door.log)
    if answer is None:
        return
    yield from _intraday(answer.days, answer.intraday, "hr_bpm", door)
    bpm = numbers([_value(day, _Resting).resting_heart_rate for day in answer.days])
    given = ~np.isnan(bpm)
    start, end = door.days(_dates(answer.days)[given])
    yield from door.batch("hr_resting_bpm", WATCH, start, bpm[given], end=end)


def _steps(file: Source, door: Door) -> Iterator[Batch]:
    """Steps a minute where they are there, else a day: a day's sum beside its minutes would count them twice."""
    answer = document(file, _Steps, door.log)
    if answer is None:
        return
    if answer.intraday is not None and answer.intraday.dataset:
        yield from _intraday(answer.days, answer.intraday, "steps", door)
        return
    start, end = door.days(_dates(answer.days))
    value = numbers([_cell(day) for day in answer.days])
    yield from door.batch("steps", WATCH, start, value, end=end)


def _intraday(days: list[_Day], intraday: _Intraday | None, quantity: str, door: Door) -> Iterator[Batch]:
    if intraday is None or not intraday.dataset:
        return
    if len(days) != 1:
        rule = "the day of these times is not known: the answer speaks of more than one day, or of none"
        door.log.reject(door.file, None, f"{len(days)} days", rule, count=len(intraday.dataset))
        return
    length_s = SECONDS.get(intraday.dataset_type, 60) * intraday.dataset_interval
    if not 0 < length_s <= 86_400:
        door.log.reject(door.file, None, f"{length_s:g} s", "no length of an interval", count=len(intraday.dataset))
        return
    stamps = [f"{days[0].date_time} {sample.time}" for sample in intraday.dataset]
    time = door.from_wall(wall_times(stamps, WALL), equal_means_later=True)
    value = numbers([sample.value for sample in intraday.dataset])
    end = time + np.timedelta64(round(length_s * 1000), "ms") if length_s > 1 else None
    yield from door.batch(quantity, WATCH, time, value, end=end)


class _Nights(msgspec.Struct):
    sleep: list[Night] = []


def _sleep(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Nights, door.log)
    if answer is not None and answer.sleep:
        yield from sleep(answer.sleep, door)


class _Weights(msgspec.Struct):
    weight: list[Weighing] = []


def _weight(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Weights, door.log)
    if answer is not None and answer.weight:
        yield from weights(answer.weight, door, pounds=False, date_format="%Y-%m-%d")


class _Activity(msgspec.Struct, gc=False, rename="camel"):
    start_time: str = ""
    start_date: str = ""
    has_start_time: bool = True
    duration: CELL = None
    name: str = ""
    activity_name: str = ""
    log_type: str = ""
    log_id: int | str | None = None


class _Activities(msgspec.Struct):
    activities: list[_Activity] = []


def _activities(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Activities, door.log)
    rows = answer.activities if answer else []
    timed = [row for row in rows if row.has_start_time]
    if len(timed) < len(rows):
        door.log.reject(door.file, None, "", "a training whose start nobody gave", count=len(rows) - len(timed))
    if not timed:
        return
    stamps = pl.Series([f"{row.start_date}T{row.start_time}" if row.start_date else row.start_time for row in timed])
    start = door.clock.read(stamps, door.file, door.log).time
    minutes = numbers([row.duration for row in timed]) / 60_000
    labels = pl.Series([row.activity_name or row.name for row in timed])
    names = vendor_ids(row.log_id for row in timed)
    by_hand = np.array([row.log_type == "manual" for row in timed])
    yield from logged(door, Device("fitbit"), start, minutes, labels, names, by_hand)


class _HrvValue(msgspec.Struct, gc=False, rename="camel"):
    rmssd: CELL = None
    lf: CELL = None
    hf: CELL = None
    daily_rmssd: CELL = None


class _Minute(msgspec.Struct, gc=False, rename="camel"):
    minute: str
    value: msgspec.Raw = msgspec.Raw(b"null")


class _MinutesOfDay(msgspec.Struct, gc=False, rename="camel"):
    date_time: str
    minutes: list[_Minute] = []
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Hrv(msgspec.Struct):
    hrv: list[_MinutesOfDay] = []


def _hrv(file: Source, door: Door) -> Iterator[Batch]:
    """RMSSD of five minutes in sleep, or one of a night, dated by the day on which it ended."""
    answer = document(file, _Hrv, door.log)
    if answer is None:
        return
    minutes = [minute for day in answer.hrv for minute in day.minutes]
    time = door.from_wall(wall_times([minute.minute for minute in minutes], *ISO_WALL))
    values = [_value(minute, _HrvValue) for minute in minutes]
    for quantity, cells in (
        ("rmssd_ms", [value.rmssd for value in values]),
        ("lf_ms2", [value.lf for value in values]),
        ("hf_ms2", [value.hf for value in values]),
    ):
        yield from door.batch(quantity, WATCH, time, numbers(cells), end=time + FIVE_MIN)
    nights = [day for day in answer.hrv if not day.minutes]
    nightly = [_value(day, _HrvValue).daily_rmssd for day in nights]
    yield from _nightly(_dates(nights), numbers(nightly), "rmssd_ms", door)


class _Nightly(msgspec.Struct, gc=False, rename="camel"):
    breathing_rate: CELL = None
    nightly_relative: CELL = None


class _Breathing(msgspec.Struct):
    br: list[_Day] = []


def _breathing(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Breathing, door.log)
    if answer is not None:
        value = numbers([_value(day, _Nightly).breathing_rate for day in answer.br])
        yield from _nightly(_dates(answer.br), value, "resp_rate_bpm", door)


class _Temperature(msgspec.Struct, rename="camel"):
    temp_skin: list[_Day] = []


def _temperature(file: Source, door: Door) -> Iterator[Batch]:
    answer = document(file, _Temperature, door.log)
    if answer is not None:
        value = numbers([_value(day, _Nightly).nightly_relative for day in answer.temp_skin])
        yield from _nightly(_dates(answer.temp_skin), value, "skin_temp_dev_c", door)


def _nightly(dates: np.ndarray, value: np.ndarray, quantity: str, door: Door) -> Iterator[Batch]:
    start, end = door.days(dates)
    yield from door.batch(quantity, replace(WATCH, method=NIGHTLY), start, value, end=end)


def _spo2(file: Source, door: Door) -> Iterator[Batch]:
    """Saturation each minute of sleep; the API answers with one day or with a list of days."""
    one = file.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    days = _one_day(file, door) if one else document(file, list[_MinutesOfDay], door.log) or []
    minutes = [minute for day in days for minute in day.minutes]
    time = door.from_wall(wall_times([minute.minute for minute in minutes], *ISO_WALL))
    yield from door.batch("spo2_pct", WATCH, time, numbers([_cell(minute) for minute in minutes]))


def _one_day(file: Source, door: Door) -> list[_MinutesOfDay]:
    day = document(file, _MinutesOfDay, door.log)
    return [] if day is None else [day]


def _value(row: _Day | _Minute | _MinutesOfDay, kind: type[T]) -> T:
    """Return a row's value; empty where it has not this form, since one key holds numbers, text and objects."""
    try:
        return msgspec.json.decode(row.value, type=kind)
    except UNREADABLE:
        return kind()


def _cell(row: _Day | _Minute) -> float | str | None:
    try:
        return msgspec.json.decode(row.value, type=float | str | None)
    except UNREADABLE:
        return None


def _dates(days: list[_Day] | list[_MinutesOfDay]) -> TimeArray:
    return wall_times([f"{day.date_time} 00:00:00" for day in days], WALL)


_READERS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({"activities-heart"}), _heart),
    (frozenset({"activities-steps"}), _steps),
    (frozenset({"sleep", "sleep[].dateOfSleep"}), _sleep),
    (frozenset({"sleep", "summary.totalMinutesAsleep"}), _sleep),
    (frozenset({"weight", "weight[].logId", "weight[].bmi"}), _weight),
    (frozenset({"activities", "summary.caloriesBMR"}), _activities),
    (frozenset({"activities", "activities[].logId"}), _activities),
    (frozenset({"hrv", "hrv[].value.dailyRmssd"}), _hrv),
    (frozenset({"hrv", "hrv[].minutes[].value.rmssd"}), _hrv),
    (frozenset({"br", "br[].value.breathingRate"}), _breathing),
    (frozenset({"tempSkin", "tempSkin[].value.nightlyRelative"}), _temperature),
    (frozenset({"dateTime", "minutes[].minute"}), _spo2),
    (frozenset({"[].dateTime", "[].minutes[].minute"}), _spo2),
)

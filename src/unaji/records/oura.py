"""Oura: answers of its API (version 2) and the account's export (older names), in JSON.

A file is one object whose keys hold lists (``data``, or ``sleep``, ``heartrate``, ``daily_readiness`` …), or such a
list itself. What an entry is, its own keys say. Several sleeps a day are normal; ``day`` is that of waking.

Values in five-minute lists are means of the interval that begins at their place; null, in older files 0, is no value.
Temperatures are deviations from the person's own baseline, at the finger. Scores are not taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import from_unix, numbers, offsets_min, vendor_ids, wall_times
from unaji.records.clock import Clock
from unaji.records.door import NO_STAGE, Door
from unaji.records.json_head import key_paths
from unaji.records.json_read import document, listed
from unaji.records.merge import missing_beats
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray, TimeArray

RING = Device("oura", role="ring", site="finger")
CELL = float | str | None
FIVE_MIN_S = 300.0
MOST_INTERVAL_S = 3600.0
NO_SLEEP = ("deleted", "rest")  # types of sleeps: removed by the person, and said to have been none
STAGES = {"1": "deep", "2": "light", "3": "rem", "4": "awake"}
VALID = (1, 1.0, True, "1", "true", "valid")
BEAT_TOLERANCE_MS = 20.0

_NIGHT_KEYS = ("sleep_phase_5_min", "hypnogram_5min", "hr_5min", "average_breath", "breath_average", "hrv")
_TOLD_BY = (  # keys that an entry must have together
    *(("bedtime_start", key) for key in _NIGHT_KEYS),
    ("temperature_deviation", "day"),
    ("temperature_deviation", "summary_date"),
    ("bpm", "source", "timestamp"),
    ("ibi", "validity", "timestamp"),
    ("day", "spo2_percentage"),
    ("day", "start_datetime", "activity"),
    ("day", "equivalent_walking_distance"),
)


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as an answer or export of Oura's."""
    paths = key_paths(head)
    places = {path.rpartition(".")[0] for path in paths if path.count(".") == 1 or path.startswith("[].")}
    return any(all(f"{place}.{key}" in paths for key in keys) for place in places if place.endswith("[]")
               for keys in _TOLD_BY)  # fmt: skip


class _Samples(msgspec.Struct, gc=False):
    interval: float
    items: list[CELL]
    timestamp: str = ""


class _Percentage(msgspec.Struct, gc=False):
    average: CELL = None


class _Readiness(msgspec.Struct, gc=False):
    temperature_deviation: CELL = None


class _Entry(msgspec.Struct):
    """Any entry of any list; what is not there is None."""

    id: str | int | None = None
    type: str | None = None
    day: str | None = None
    summary_date: str | None = None
    timestamp: str | float | None = None
    bedtime_start: str | None = None
    bedtime_end: str | None = None
    heart_rate: _Samples | None = None
    hrv: _Samples | None = None
    hr_5min: list[CELL] | None = None
    rmssd_5min: list[CELL] | None = None
    sleep_phase_5_min: str | None = None
    hypnogram_5min: str | None = None
    average_breath: CELL = None
    breath_average: CELL = None
    temperature_delta: CELL = None
    temperature_deviation: CELL = None
    readiness: _Readiness | None = None
    bpm: CELL = None
    ibi: CELL = None
    validity: CELL | bool = None
    spo2_percentage: _Percentage | None = None
    start_datetime: str | None = None
    end_datetime: str | None = None
    activity: str | None = None
    steps: CELL = None
    active_calories: CELL = None


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read files of one export or answer each."""
    for file in files:
        door = Door(file.name, clock, log)
        lists = list(_lists(file, log))
        told_by_day = {e.day for found in lists for e in found if not e.bedtime_start and e.temperature_deviation}
        for found in lists:
            yield from _nights(_slept([entry for entry in found if entry.bedtime_start], door), told_by_day, door)
            yield from _days([entry for entry in found if not entry.bedtime_start], door)
            yield from _heart_rates([entry for entry in found if entry.bpm is not None], door)
            yield from _intervals([entry for entry in found if entry.ibi is not None], door)
            yield from _workouts([entry for entry in found if entry.start_datetime and entry.activity], door)


def _lists(file: Source, log: ProblemLog) -> Iterator[list[_Entry]]:
    if file.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        whole = document(file, msgspec.Raw, log)
        parts = [] if whole is None else [whole]
    else:
        parts = list((document(file, dict[str, msgspec.Raw], log) or {}).values())
    for part in parts:
        if bytes(part).startswith(b"["):
            yield listed(part, _Entry, file.name, log)


# -- nights ------------------------------------------------------------------------------------------------------------


def _slept(nights: Sequence[_Entry], door: Door) -> list[_Entry]:
    """Leave out what the person deleted, or said was no sleep."""
    slept = [night for night in nights if night.type not in NO_SLEEP]
    if len(slept) < len(nights):
        rule = "sleeps that the person deleted or said were none"
        door.log.reject(door.file, None, ", ".join(NO_SLEEP), rule, count=len(nights) - len(slept), lost=False)
    return slept


def _nights(nights: Sequence[_Entry], told_by_day: Collection[str | None], door: Door) -> Iterator[Batch]:
    """Give nights; the deviation of temperature only where no day's summary tells it once more."""
    if not nights:
        return
    cells = pl.Series([night.bedtime_start for night in nights], dtype=pl.String)
    zone_min = offsets_min(cells)
    start, end = _instants(cells, door), _instants([night.bedtime_end for night in nights], door)
    names = vendor_ids(night.id for night in nights)
    yield from door.batch("sleep", RING, start, end=end, kind=Kind.SLEEP, label="in_bed", zone_min=zone_min,
                          vendor_id=names)  # fmt: skip
    yield from _stages(nights, start, end, door)
    yield from _lists_of_values("hr_bpm", nights, "heart_rate", "hr_5min", start, door)
    yield from _lists_of_values("rmssd_ms", nights, "hrv", "rmssd_5min", start, door)
    breaths = _first_given([night.average_breath for night in nights], [night.breath_average for night in nights])
    warmer = _first_given(
        [night.temperature_delta for night in nights],
        [
            night.readiness.temperature_deviation if night.readiness and night.day not in told_by_day else None
            for night in nights
        ],
    )
    for quantity, value in (("resp_rate_bpm", breaths), ("skin_temp_dev_c", warmer)):
        given = ~np.isnan(value) & ((value != 0) | (quantity != "resp_rate_bpm"))
        device = replace(RING, method="oura_nightly")
        yield from door.batch(quantity, device, start[given], value[given], end=end[given])


def _stages(nights: Sequence[_Entry], start: TimeArray, end: TimeArray, door: Door) -> Iterator[Batch]:
    """A digit for each five minutes from the beginning of the night; the last ones stop at its end."""
    digits = [night.sleep_phase_5_min or night.hypnogram_5min or "" for night in nights]
    time, _ = _spread(start, [len(text) for text in digits], [FIVE_MIN_S] * len(digits))
    until = np.repeat(end, [len(text) for text in digits])
    if not time.size:
        return
    text = pl.Series(list("".join(digits)), dtype=pl.String)
    label, known = door.labels(text, STAGES, NO_STAGE)
    known &= door.left_out(time >= until, text, "stages after the end of the night")
    stop = np.fmin(time + np.timedelta64(300, "s"), until)
    yield from door.batch("sleep", RING, time[known], end=stop[known], kind=Kind.SLEEP,
                          label=label.filter(pl.Series(known)))  # fmt: skip


def _lists_of_values(
    quantity: str, nights: Sequence[_Entry], new: str, old: str, start: TimeArray, door: Door
) -> Iterator[Batch]:
    """Give a night's list of values, whose beginning and spacing newer files write beside it."""
    samples: list[_Samples | None] = [getattr(night, new) for night in nights]
    items = [
        sample.items if sample else getattr(night, old) or [] for night, sample in zip(nights, samples, strict=True)
    ]
    given = [sample.timestamp if sample else "" for sample in samples]
    begin = np.where([bool(stamp) for stamp in given], _instants(given, door), start)
    every_s = [sample.interval if sample else FIVE_MIN_S for sample in samples]
    time, length = _spread(begin, [len(values) for values in items], every_s)
    value = numbers([cell for values in items for cell in values])
    none = np.isnan(value) | (value == 0)
    if none.any():
        door.log.reject(door.file, None, "null", f"{quantity}: moments without a value", count=int(none.sum()),
                        lost=False)  # fmt: skip
    yield from door.batch(quantity, RING, time[~none], value[~none], end=(time + length)[~none])


def _spread(begin: TimeArray, counts: Sequence[int], every_s: Sequence[float]) -> tuple[TimeArray, np.ndarray]:
    """Return when each value of lists begins and how long it lasts; not a time where the spacing cannot be."""
    if not sum(counts):
        return np.array([], dtype="datetime64[ms]"), np.array([], dtype="timedelta64[ms]")
    place = np.concatenate([np.arange(n) for n in counts])
    step = np.repeat([s if 0 < s <= MOST_INTERVAL_S else np.nan for s in every_s], counts) * 1000
    known = ~np.isnan(step)
    length = np.full(step.size, np.timedelta64("NaT", "ms"))
    length[known] = np.round(step[known]).astype("timedelta64[ms]")
    return np.repeat(begin, counts) + place * length, length


# -- days and single values --------------------------------------------------------------------------------------------


def _days(entries: Sequence[_Entry], door: Door) -> Iterator[Batch]:
    columns: tuple[tuple[str, list[CELL]], ...] = (
        ("skin_temp_dev_c", [entry.temperature_deviation for entry in entries]),
        ("spo2_pct", [entry.spo2_percentage.average if entry.spo2_percentage else None for entry in entries]),
        ("steps", [entry.steps for entry in entries]),
        ("active_kcal", [entry.active_calories for entry in entries]),
    )
    dates = [f"{entry.day or entry.summary_date} 00:00:00" for entry in entries]
    for quantity, cells in columns:
        value = numbers(cells)
        given = ~np.isnan(value) & ((value != 0) | (quantity != "spo2_pct"))
        if given.any():
            days = wall_times(pl.Series(dates).filter(pl.Series(given)), "%Y-%m-%d %H:%M:%S")
            start, end = door.days(days)
            yield from door.batch(quantity, replace(RING, method="oura_daily"), start, value[given], end=end)


def _heart_rates(entries: Sequence[_Entry], door: Door) -> Iterator[Batch]:
    if entries:
        time = _stamps(entries, door)
        yield from door.batch("hr_bpm", RING, time, numbers([entry.bpm for entry in entries]))


def _intervals(entries: Sequence[_Entry], door: Door) -> Iterator[Batch]:
    if not entries:
        return
    rri_ms = numbers([entry.ibi for entry in entries])
    bad = np.array([entry.validity not in VALID for entry in entries]) | ~(rri_ms > 0)
    good = door.left_out(bad, rri_ms, "intervals between beats that the ring itself does not trust")
    time, rri_ms = _stamps(entries, door)[good], rri_ms[good]
    order = np.argsort(time, kind="stable")
    time, rri_ms = time[order], rri_ms[order]
    gap = missing_beats(time, rri_ms, tolerance_ms=BEAT_TOLERANCE_MS)
    device = replace(RING, origin="ppg", corrected="unknown")
    yield from door.batch("rri_ms", device, time, rri_ms, kind=Kind.BEATS, gap=gap)


def _workouts(entries: Sequence[_Entry], door: Door) -> Iterator[Batch]:
    if not entries:
        return
    cells = pl.Series([entry.start_datetime for entry in entries], dtype=pl.String)
    start, end = _instants(cells, door), _instants([entry.end_datetime for entry in entries], door)
    minutes: FloatArray = (end - start) / np.timedelta64(60_000, "ms")
    yield from door.batch(
        "exercise", RING, start, minutes, end=end, kind=Kind.WORKOUT, zone_min=offsets_min(cells),
        label=pl.Series([entry.activity for entry in entries], dtype=pl.String),
        vendor_id=vendor_ids(entry.id for entry in entries),
    )  # fmt: skip


def _stamps(entries: Sequence[_Entry], door: Door) -> TimeArray:
    """Return stamps that are text, or milliseconds since 1970."""
    text = [entry.timestamp if isinstance(entry.timestamp, str) else None for entry in entries]
    ms = [entry.timestamp if isinstance(entry.timestamp, float) else None for entry in entries]
    return np.where(np.isnan(numbers(ms)), _instants(text, door), from_unix(numbers(ms), per_second=1000))


def _instants(cells: Sequence[str | None] | pl.Series, door: Door) -> TimeArray:
    return door.clock.read(pl.Series(cells, dtype=pl.String), door.file, door.log).time


def _first_given(first: Sequence[CELL], second: Sequence[CELL]) -> FloatArray:
    value = numbers(first)
    return np.where(np.isnan(value), numbers(second), value)

"""Polar: recordings of older watches (``.hrm``), the account's export (JSON), and the sensor logger's pulse intervals.

What is kept: intervals between beats, heart rate and trainings. In the export, times are wall clocks: trainings say
their offset from UTC, the others do not. Positions and names are never read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct

from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import MINUTE, NAT, Clock
from unaji.records.elite_hrv import running_rows
from unaji.records.json_read import documents
from unaji.records.merge import missing_beats
from unaji.records.problems import ProblemLog
from unaji.records.rows import Rows, batch, let_in
from unaji.records.source import Source
from unaji.records.timeline import BoolArray, FloatArray, TimeArray

RR_MODE = "238"
LONGEST_SAMPLING_S = 600
LARGEST_BYTES = 512 << 20
STAMP_TOLERANCE_MS = 1000.0  # stamps of the export may be cut to whole seconds

_PARAMS = re.compile(rb"^\xef?\xbb?\xbf?\[Params\]\s")
_JSON = re.compile(rb"^\xef?\xbb?\xbf?\s*[\[{]")
_LOGGER = re.compile(rb"^\xef?\xbb?\xbf?[^\n]*\bPP[I-][^\n]*blocker", re.IGNORECASE)


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as one of Polar's does."""
    return bool(_PARAMS.match(head)) or _is_export(head) or bool(_LOGGER.match(head))


def _is_export(head: bytes) -> bool:
    if not _JSON.match(head):
        return False
    training = b'"exercises"' in head and (b'"timezoneOffset"' in head or b'"timeZoneOffset"' in head)
    return training or b'"devicePpiSamplesList"' in head or b'"secondsFromDayStart"' in head


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read files of any of these kinds.

    Raises
    ------
    InputError
        Times are wall clocks, and nobody has said in which time zone.
    """
    names = [file.name for file in files]
    for k, file in enumerate(files):
        with file.open() as opened:
            data = opened.read(LARGEST_BYTES + 1).removeprefix(b"\xef\xbb\xbf")
        if len(data) > LARGEST_BYTES:
            log.reject(file.name, None, "", f"the file is larger than {LARGEST_BYTES >> 20} MB and was not read")
            continue
        if _PARAMS.match(data):
            found = _hrm(k, data, clock, file.name, log)
        elif _is_export(data):
            found = _export(k, data, clock, file.name, log)
        else:
            found = _logger(k, data, clock, file.name, log)
        for rows, device in found:
            kept = let_in(rows, names, clock, log)
            if len(kept):
                yield batch(kept, device)


_Found = Iterator[tuple[Rows, Device]]


def _device(*, role: str, name: str = "", origin: str = "") -> Device:
    return Device("polar", role=role, name=name, site="wrist" if role == "watch" else "", origin=origin)


# -- older watches -----------------------------------------------------------------------------------------------------


def _hrm(k: int, data: bytes, clock: Clock, file: str, log: ProblemLog) -> _Found:
    """Read a recording: intervals in milliseconds where ``Interval`` is 238, else heart rates every so many seconds."""
    sections = _sections(data.decode("latin-1"))
    settings = dict(line.split("=", 1) for _, line in sections.get("Params", []) if "=" in line)
    start = _start(settings)
    if start is None:
        rule = "[Params] must say when the recording began: Date=YYYYMMDD and StartTime=HH:MM:SS.t"
        log.reject(file, 1, f"{settings.get('Date', '')} {settings.get('StartTime', '')}".strip(), rule)
        return
    lines = np.array([line for line, _ in sections.get("HRData", [])], dtype=np.int64)
    value = _first_column([text for _, text in sections.get("HRData", [])])
    words = np.isnan(value)
    log.rows(file, lines[words], [sections["HRData"][i][1] for i in np.flatnonzero(words)], "is not a number")
    interval = settings.get("Interval", "").strip()
    if interval == RR_MODE:
        yield (
            running_rows(k, start, np.where(value > 0, value, np.nan), clock, file, log),
            _device(role="strap", origin="strap"),
        )
    elif interval.isdigit() and 0 < int(interval) <= LONGEST_SAMPLING_S and interval != "204":
        wall = np.array([start], dtype="datetime64[ms]")
        begun = clock.from_wall(wall, file, log)
        time_ms = begun.astype(np.float64)[0] + 1000.0 * int(interval) * np.arange(value.size)
        zone_min = np.full(value.size, float((wall - begun)[0] / MINUTE))
        positive = np.where(value > 0, value, np.nan)
        yield (
            Rows(Kind.SERIES, "hr_bpm", np.full(value.size, k), time_ms, positive, zone_min=zone_min),
            _device(role="strap"),
        )
    else:
        rule = f"Interval must be {RR_MODE} (intervals between beats) or 1 to {LONGEST_SAMPLING_S} seconds"
        log.reject(file, None, interval, rule, count=max(value.size, 1))


def _sections(text: str) -> dict[str, list[tuple[int, str]]]:
    """Return the numbered lines of each section, without empty ones."""
    sections: dict[str, list[tuple[int, str]]] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
        elif content:
            sections.setdefault(section, []).append((number, content))
    return sections


def _start(settings: dict[str, str]) -> np.datetime64 | None:
    date = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", settings.get("Date", "").strip())
    time = re.fullmatch(r"(\d\d?):(\d\d):(\d\d(?:\.\d{1,3})?)", settings.get("StartTime", "").strip())
    if date is None or time is None:
        return None
    try:
        return np.datetime64(f"{'-'.join(date.groups())}T{time[1]:>02}:{time[2]}:{time[3]}", "ms")
    except ValueError:
        return None


def _first_column(lines: list[str]) -> FloatArray:
    """Return the first number of each line; speed, cadence and height may stand beside it."""
    first = pl.Series([re.split(r"[\t; ]", line, maxsplit=1)[0] for line in lines], dtype=pl.String)
    return np.array(first.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(), dtype=np.float64)


# -- the account's export ----------------------------------------------------------------------------------------------
# ruff: noqa: N815 - the maker's names


class _Pulse(Struct):
    sampleDateTime: str | None = None
    pulseLength: float | None = None


class _PulseDevice(Struct):
    deviceId: str | None = None
    ppiSamples: list[_Pulse] | None = None


class _HeartOfDay(Struct):
    heartRate: float | None = None
    secondsFromDayStart: float | None = None


class _DeviceDay(Struct):
    deviceId: str | None = None
    date: str | None = None
    samples: list[_HeartOfDay] | None = None


class _HeartAt(Struct):
    dateTime: str | None = None
    value: float | None = None


class _Samples(Struct):
    heartRate: list[_HeartAt] | None = None
    rr: list[Any] | None = None


class _Exercise(Struct):
    startTime: str | None = None
    stopTime: str | None = None
    timezoneOffset: float | None = None
    sport: str | None = None
    samples: _Samples | None = None


class _Document(Struct):
    devicePpiSamplesList: list[_PulseDevice] | None = None
    deviceDays: list[_DeviceDay] | None = None
    timeZoneOffset: float | None = None
    exercises: list[_Exercise] | None = None


def _export(k: int, data: bytes, clock: Clock, file: str, log: ProblemLog) -> _Found:
    """Read a document, or a list of them one at a time, so that a month of pulses is never objects all at once."""
    for document in documents(data, _Document, file, log):
        yield from _of_document(k, document, clock, file, log)


def _of_document(k: int, document: _Document, clock: Clock, file: str, log: ProblemLog) -> _Found:
    for device in document.devicePpiSamplesList or ():
        yield from _pulses(k, device, clock, file, log)
    for day in document.deviceDays or ():
        yield from _heart_of_day(k, day, clock, file, log)
    for exercise in document.exercises or ():
        yield from _training(k, exercise, document.timeZoneOffset, clock, file, log)


def _pulses(k: int, device: _PulseDevice, clock: Clock, file: str, log: ProblemLog) -> _Found:
    samples = device.ppiSamples or []
    stamps = pl.Series([one.sampleDateTime for one in samples], dtype=pl.String)
    rri_ms = np.array([one.pulseLength for one in samples], dtype=np.float64)
    rows = _pulse_rows(k, stamps, rri_ms, clock, file, log)
    if rows is not None:
        yield rows, _device(role="watch", name=device.deviceId or "", origin="ppg")


def _pulse_rows(k: int, stamps: pl.Series, rri_ms: FloatArray, clock: Clock, file: str, log: ProblemLog) -> Rows | None:
    """Place pulse intervals by the stamps they came with.

    Where each has a stamp of its own, that is when it ended. Where several share one, the stamp is that of the packet
    in which they were sent: the last of them ended then, the others as much earlier as their sum says, and a gap is
    marked before each packet, since what passed between two is not known.
    """
    if not rri_ms.size:
        return None
    time = clock.read(stamps, file, log).time
    time_ms = np.where(np.isnat(time), np.nan, time.astype(np.int64))
    starts = np.append(True, (stamps != stamps.shift(1)).fill_null(value=True).to_numpy()[1:])
    if starts.mean() > 0.5:
        gap = missing_beats(time, rri_ms, tolerance_ms=STAMP_TOLERANCE_MS)
    else:
        gap = starts
        time_ms = _within_packets(time_ms, np.nan_to_num(rri_ms), starts)
    gap = gap | np.append(True, ~(rri_ms[:-1] > 0))  # an interval that is none is left out: a beat is missing there
    zone_min = (_wall(stamps) - time) / MINUTE
    offset = np.where((np.abs(zone_min) <= 14 * 60) & (zone_min % 15 == 0), zone_min, np.nan)
    return Rows(
        Kind.BEATS, "rri_ms", np.full(rri_ms.size, k), time_ms, np.where(rri_ms > 0, rri_ms, np.nan), zone_min=offset,
        others={"gap": gap},
    )  # fmt: skip


def _within_packets(time_ms: FloatArray, rri_ms: FloatArray, starts: BoolArray) -> FloatArray:
    total: FloatArray = np.cumsum(rri_ms)
    last = np.append(np.flatnonzero(starts)[1:], starts.size) - 1
    of_packet = np.cumsum(starts) - 1
    until_last: FloatArray = total[last][of_packet] - total
    return time_ms - until_last


def _wall(stamps: pl.Series) -> TimeArray:
    """Return what the wall clock showed, by the text of the stamps."""
    read = stamps.str.slice(0, 19).str.replace("T", " ", literal=True).str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="ms", strict=False
    )  # fmt: skip
    wall = np.array(read.to_numpy(), dtype="datetime64[ms]")
    fraction_ms = stamps.str.extract(r"\.(\d{1,3})").str.pad_end(3, "0").cast(pl.Int64, strict=False).fill_null(0)
    return np.asarray(wall + fraction_ms.to_numpy().astype("timedelta64[ms]"), dtype="datetime64[ms]")


def _heart_of_day(k: int, day: _DeviceDay, clock: Clock, file: str, log: ProblemLog) -> _Found:
    """Give the heart rates of a day, told by the seconds since its midnight on the wall clock."""
    samples = day.samples or []
    if not samples:
        return
    midnight = _instant(day.date)
    since_s = np.array([one.secondsFromDayStart for one in samples], dtype=np.float64)
    value = np.array([one.heartRate for one in samples], dtype=np.float64)
    can_be = (since_s >= 0) & (since_s < 90_000) & (not np.isnat(midnight))
    wall = midnight + np.where(can_be, since_s * 1000, 0).astype("timedelta64[ms]")
    time = np.full(value.size, NAT)
    if can_be.any():
        time[can_be] = clock.from_wall(wall[can_be], file, log)
    time_ms = np.where(np.isnat(time), np.nan, time.astype(np.int64))
    zone_min = np.where(np.isnat(time), np.nan, (wall - time) / MINUTE)
    rows = Rows(Kind.SERIES, "hr_bpm", np.full(value.size, k), time_ms, _positive(value), zone_min=zone_min)
    yield rows, _device(role="watch", name=day.deviceId or "")


def _training(
    k: int, exercise: _Exercise, offset_min: float | None, clock: Clock, file: str, log: ProblemLog
) -> _Found:
    """Give a training and the heart rates in it; its times are wall clocks beside which the offset stands."""
    offset = exercise.timezoneOffset if exercise.timezoneOffset is not None else offset_min
    samples = exercise.samples or _Samples()
    if samples.rr:
        rule = "intervals between beats in a training are in a form that unaji does not know; they were left out"
        log.reject(file, None, "", rule, count=len(samples.rr))
    hearts = samples.heartRate or []
    texts = [exercise.startTime, exercise.stopTime, *(one.dateTime for one in hearts)]
    time_ms, zone_min = _with_offset(pl.Series(texts, dtype=pl.String), offset, clock, file, log)
    start, end = time_ms[:1], time_ms[1:2]
    yield (
        Rows(
            Kind.WORKOUT, "exercise", np.array([k]), start, (end - start) / 60_000, end, zone_min[:1],
            {"label": np.array([(exercise.sport or "").lower()], dtype=object)},
        ),
        _device(role="watch"),
    )  # fmt: skip
    value = _positive(np.array([one.value for one in hearts], dtype=np.float64))
    yield (
        Rows(Kind.SERIES, "hr_bpm", np.full(value.size, k), time_ms[2:], value, zone_min=zone_min[2:]),
        Device("polar", role="watch"),
    )


def _with_offset(
    stamps: pl.Series, offset_min: float | None, clock: Clock, file: str, log: ProblemLog
) -> tuple[FloatArray, FloatArray]:
    """Return instants [ms] and offsets [min] of wall clocks, by the offset told or else by the person's zone."""
    wall = _wall(stamps)
    known = ~np.isnat(wall)
    time: TimeArray = np.full(wall.size, NAT)
    if offset_min is not None and abs(offset_min) <= 14 * 60:
        time = wall - np.timedelta64(round(offset_min), "m")
    elif known.any():
        time[known] = clock.from_wall(wall[known], file, log)
    time_ms = np.where(np.isnat(time), np.nan, time.astype(np.int64))
    return time_ms, np.where(np.isnat(time), np.nan, (wall - time) / MINUTE)


def _instant(text: str | None) -> np.datetime64:
    try:
        return np.datetime64(text[:10], "ms") if text and re.match(r"\d{4}-\d\d-\d\d", text) else NAT
    except ValueError:
        return NAT


def _positive(value: FloatArray) -> FloatArray:
    return np.where(value > 0, value, np.nan)


# -- the sensor logger -------------------------------------------------------------------------------------------------


def _logger(k: int, data: bytes, clock: Clock, file: str, log: ProblemLog) -> _Found:
    """Read a table of pulse intervals; those of which the sensor says that movement blocked it are left out."""
    try:
        table = pl.read_csv(
            io.BytesIO(data), separator=_separator(data), infer_schema=False, quote_char=None,
            truncate_ragged_lines=True, encoding="utf8-lossy",
        )  # fmt: skip
    except pl.exceptions.PolarsError as error:
        log.reject(file, None, "", f"the table cannot be read ({error})")
        return
    time, interval = (
        _column(table, *words) for words in (("timestamp", "time"), ("ppi", "pp-interval", "pp interval"))
    )
    blocker = _column(table, "blocker")
    if time is None or interval is None or blocker is None:
        rule = "pulse intervals need a column of times, one of PP intervals and one that says which are blocked"
        log.reject(file, 1, ", ".join(table.columns), rule, count=max(table.height, 1))
        return
    blocked = (table[blocker].str.strip_chars().cast(pl.Float64, strict=False) == 1).fill_null(value=False).to_numpy()
    if blocked.any():
        rule = "intervals were marked by the sensor as blocked by movement"
        log.reject(file, None, "", rule, count=int(blocked.sum()))
    rri_ms = np.array(
        table[interval].str.strip_chars().cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(), dtype=np.float64
    )
    rows = _pulse_rows(k, table[time].str.strip_chars(), rri_ms, clock, file, log)
    if rows is not None:
        gap = rows.others["gap"] | np.append(True, blocked[:-1])
        yield Rows(
            rows.kind, rows.quantity, rows.file, rows.time_ms, rows.value, zone_min=rows.zone_min, others={"gap": gap}
        ).where(~blocked), _device(role="watch", origin="ppg")  # fmt: skip


def _separator(data: bytes) -> str:
    first = data.partition(b"\n")[0]
    return max((";", ",", "\t"), key=lambda mark: first.count(mark.encode()))


def _column(table: pl.DataFrame, *words: str) -> str | None:
    """Return the first column whose name holds one of some words."""
    return next((name for word in words for name in table.columns if word in name.lower()), None)

"""Google Fit: answers of its API, and ``All Data`` of Google Takeout, in JSON.

A file is one stream of points in UTC nanoseconds. The stream that Google merged (``derived:…:merge_…``) repeats the raw
ones: where it is among the files, only it is read, and each point still says from where it came. Energy is not taken
(it holds the part spent at rest); places are never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import polars as pl

from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import from_unix, numbers
from unaji.records.clock import Clock
from unaji.records.door import NO_STAGE, Door
from unaji.records.json_head import key_paths
from unaji.records.json_read import entries
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray, TimeArray

CELL = float | str | None
NANOS = 1_000_000_000
POINT_KEYS = ("point", "Data Points")  # of the API, of Takeout
STAGES_AS_ACTIVITIES = {72: "asleep", 109: "light", 110: "deep", 111: "rem", 112: "awake"}
STAGES = {1: "awake", 2: "asleep", 3: "awake", 4: "light", 5: "deep", 6: "rem"}
NO_TRAINING = (0, 3, 4, 5, 108)  # in a vehicle, still, unknown, tilting, other
ACTIVITIES = {1: "biking", 2: "on foot", 7: "walking", 8: "running", 9: "aerobics", 80: "strength training",
              82: "swimming", 100: "yoga"}  # fmt: skip
THE_PHONES_OWN_GUESS = ":com.google.android.gms:"

_STREAM = re.compile(rb'"(?:dataSourceId|Data Source)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as an answer of the API or a stream of Takeout's."""
    paths = key_paths(head)
    answer = "dataSourceId" in paths and bool({"minStartTimeNs", "point[].dataTypeName"} & paths)
    return answer or {"Data Source", "Data Points"} <= paths or "Data Points[].dataTypeName" in paths


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the streams of one folder."""
    streams = [_stream(file) for file in files]
    merged = {_type(stream) for stream in streams if _is_merged(stream)}
    for file, stream in zip(files, streams, strict=True):
        if _type(stream) in merged and not _is_merged(stream):
            rule = "a stream that the merged one among the files repeats; it was not read"
            log.remark(file.name, None, _type(stream), rule)
        elif key := next((key for key in POINT_KEYS if key in key_paths(file.head)), None):
            yield from _points(file, key, Door(file.name, clock, log), merged=_is_merged(stream))


def _stream(file: Source) -> str:
    found = _STREAM.search(file.head)
    return found[1].decode(errors="replace") if found else ""


def _type(stream: str) -> str:
    return stream.split(":")[1] if stream.count(":") > 1 else stream


def _is_merged(stream: str) -> bool:
    return stream.startswith("derived:") and (":merge_" in stream or stream.endswith(":merged"))


class _Value(msgspec.Struct, gc=False, rename="camel"):
    int_val: CELL = None
    fp_val: CELL = None


class _TakeoutValue(msgspec.Struct, gc=False):
    value: _Value


class _Point(msgspec.Struct, gc=False, rename="camel"):
    data_type_name: str
    end_time_nanos: CELL = None
    start_time_nanos: CELL = None
    origin_data_source_id: str = ""
    value: list[_Value] = []
    fit_value: list[_TakeoutValue] = []


def _points(file: Source, key: str, door: Door, *, merged: bool) -> Iterator[Batch]:
    for block in entries(file, _Point, door.log, key=key):
        table = pl.DataFrame(
            {
                "type": [point.data_type_name for point in block],
                "origin": [point.origin_data_source_id for point in block],
                "start": from_unix(numbers([point.start_time_nanos for point in block]), NANOS),
                "end": from_unix(numbers([point.end_time_nanos for point in block]), NANOS),
                "first": numbers([_number(point, 0) for point in block]),
                "second": numbers([_number(point, 1) for point in block]),
            }
        )
        for rows in table.partition_by("type", "origin", maintain_order=True):
            kind, origin = rows["type"][0], rows["origin"][0]
            if kind in _READERS:
                yield from _READERS[kind](rows, origin, _device(origin, merged=merged), door)
            else:
                rule = "points of a type that unaji does not use"
                door.log.reject(door.file, None, kind, rule, count=rows.height, lost=False)


def _number(point: _Point, i: int) -> CELL:
    """Return one of the numbers of a point, wherever its file writes them."""
    if i < len(point.value):
        cell = point.value[i]
    elif i < len(point.fit_value):
        cell = point.fit_value[i].value
    else:
        return None
    return cell.fp_val if cell.int_val is None else cell.int_val


def _device(origin: str, *, merged: bool) -> Device:
    """Return what a source's id tells: kind:type:package:maker:model:device:stream."""
    parts = origin.split(":")
    role = "manual" if "user_input" in origin else "merged" if merged else ""
    return Device("google_fit", role=role, app=parts[2] if len(parts) > 2 else "", name=":".join(parts[3:]))


Reader = Callable[[pl.DataFrame, str, Device, Door], Iterator[Batch]]


def _sample(quantity: str, factor: float = 1.0, column: str = "first") -> Reader:
    """Make the reader of a type that is measured at instants: these are the points' ends, whatever their starts."""

    def read_sample(rows: pl.DataFrame, origin: str, device: Device, door: Door) -> Iterator[Batch]:
        yield from door.batch(quantity, device, _times(rows, "end"), _numbers(rows, column) * factor)

    return read_sample


def _sum(quantity: str) -> Reader:
    def read_sum(rows: pl.DataFrame, origin: str, device: Device, door: Door) -> Iterator[Batch]:
        end = _times(rows, "end")
        yield from door.batch(quantity, device, _times(rows, "start"), _numbers(rows, "first"), end=end)

    return read_sum


def _pressure(rows: pl.DataFrame, origin: str, device: Device, door: Door) -> Iterator[Batch]:
    yield from _sample("systolic_mmhg")(rows, origin, device, door)
    yield from _sample("diastolic_mmhg", column="second")(rows, origin, device, door)


def _sleep(stages: dict[int, str]) -> Reader:
    def read_sleep(rows: pl.DataFrame, origin: str, device: Device, door: Door) -> Iterator[Batch]:
        labels = rows["first"].cast(pl.Int64, strict=False).replace_strict(stages, default=None, return_dtype=pl.String)
        known = labels.is_not_null()
        door.left_out(~known.to_numpy(), rows["first"], NO_STAGE)
        kept = rows.filter(known)
        yield from door.batch("sleep", device, _times(kept, "start"), end=_times(kept, "end"), kind=Kind.SLEEP,
                              label=labels.filter(known))  # fmt: skip

    return read_sleep


def _activities(rows: pl.DataFrame, origin: str, device: Device, door: Door) -> Iterator[Batch]:
    """Sleep, and what an app or the person recorded as training; what the phone guessed from movement is none."""
    codes = rows["first"].fill_nan(None).cast(pl.Int64, strict=False)
    asleep = codes.is_in(list(STAGES_AS_ACTIVITIES)).fill_null(value=False)
    if asleep.any():
        yield from _sleep(STAGES_AS_ACTIVITIES)(rows.filter(asleep), origin, device, door)
    trained = ~asleep & codes.is_not_null() & ~codes.is_in(NO_TRAINING).fill_null(value=True)
    if THE_PHONES_OWN_GUESS in origin:
        trained = trained & False
    rest = int((~asleep & ~trained).sum())
    if rest:
        rule = "activities that are neither sleep nor a training that somebody recorded"
        door.log.reject(door.file, None, device.app, rule, count=rest, lost=False)
    kept = rows.filter(trained)
    start, end = _times(kept, "start"), _times(kept, "end")
    minutes: FloatArray = (end - start) / np.timedelta64(60_000, "ms")
    label = pl.Series([ACTIVITIES.get(code, f"activity {code}") for code in codes.filter(trained)], dtype=pl.String)
    yield from door.batch("exercise", device, start, minutes, end=end, kind=Kind.WORKOUT, label=label)


def _times(rows: pl.DataFrame, column: str) -> TimeArray:
    return np.array(rows[column].to_numpy(), dtype="datetime64[ms]")


def _numbers(rows: pl.DataFrame, column: str) -> FloatArray:
    return np.array(rows[column].to_numpy(), dtype=float)


_READERS: dict[str, Reader] = {
    "com.google.heart_rate.bpm": _sample("hr_bpm"),
    "com.google.weight": _sample("weight_kg"),
    "com.google.height": _sample("height_cm", 100.0),
    "com.google.body.temperature": _sample("body_temp_c"),
    "com.google.oxygen_saturation": _sample("spo2_pct"),
    "com.google.blood_pressure": _pressure,
    "com.google.step_count.delta": _sum("steps"),
    "com.google.sleep.segment": _sleep(STAGES),
    "com.google.activity.segment": _activities,
}

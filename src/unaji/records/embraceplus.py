"""Empatica EmbracePlus raw data: Avro files of about a quarter of an hour, each one record of all sensors.

The files of a folder are one recording. Each sensor's stretch says when it began (µs) and its nominal rate; the true
one is measured, since the next stretch begins where this one ends. The instants of the pulse wave's peaks (ns) are one
series across files; where there is none for more than two seconds, beats are missing.

Kept are skin conductance, skin temperature at the wrist, movement as the mean of ``| |a| - 1 g |`` over each 10 s,
steps, intervals between peaks, and button presses. As of the E4, the pulse wave itself is not stored: nothing in unaji
reads it, and its peaks are. The participant's and the study's names are not read; the serial number only tells two
wristbands apart.

References
----------
Empatica, "Raw data in the Empatica Cloud" and "How to access Avro files with Python", support.empatica.com: fields and
units; counts of the accelerometer by ``imuParams``: physical and digital limits before version 6.5, then a factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.avro_file import MAGIC, records_of
from unaji.records.batch import Batch, Device, Kind
from unaji.records.cells import FURTHEST_MS, from_unix
from unaji.records.clock import Clock
from unaji.records.door import Door
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray
from unaji.records.waveform import Waveform, numbered, offsets_min

SIGNALS = {"eda": "scl_microsiemens", "temperature": "skin_temp_c"}
NOT_KEPT = ("bvp", "gyroscope")
OTHERS = ("accelerometer", "steps", "systolicPeaks", "tags")
ACTIVITY_WINDOW_S = 10.0
PAUSE_NS = 2_000_000_000
"""Peaks farther apart have others between them that were not seen."""

LONGEST_DRIFT_S = 2.0
"""Where the next file begins farther than this from where this one should end, that is a pause and not a clock [s]."""

FASTEST_HZ = 10_000.0
QUARTER_HOUR_S, MOST_ZONE_S = 900, 14 * 3600

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One sensor in one file: when it begins [ms since 1970 UTC], how many samples, and how many a second it says."""

    start_ms: float
    n: int
    rate_hz: float

    def measured_hz(self, following: _Stretch | None) -> float:
        """Return the rate at which it ends where the next one begins; what it says where there is a pause."""
        span_s = 0.0 if following is None else (following.start_ms - self.start_ms) / 1000.0
        follows = span_s > 0 and abs(span_s - self.n / self.rate_hz) <= LONGEST_DRIFT_S
        return self.n / span_s if follows else self.rate_hz


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a file holds, before its values are looked at."""

    file: Source
    serial: str
    stretches: Mapping[str, _Stretch]

    @property
    def key(self) -> tuple[str, tuple[tuple[str, float, int], ...]]:
        """What two copies of one file share."""
        return self.serial, tuple((name, one.start_ms, one.n) for name, one in sorted(self.stretches.items()))


class _Peak(NamedTuple):
    """The last peak of the files so far [ns since 1970], and whether an interval that is known ends at it."""

    time_ns: int
    ends_interval: bool


_NO_PEAK = _Peak(0, False)


def claims_file(head: bytes) -> bool:
    """Say whether a file is Avro with a schema of Empatica's."""
    return head.startswith(MAGIC) and (b"empatica" in head or (b'"rawData"' in head and b'"systolicPeaks"' in head))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the files of one recording, which are opened twice: for their times, and for their values."""
    for pieces in _wristbands(files, log):
        last = _NO_PEAK
        for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
            try:
                record = _record(piece.file)
                door = Door(piece.file.name, clock, log)
                yield from _series(record, piece, following, door)
                last, beats = _beats(record, piece.serial, last, door)
                yield from beats
            except InputError as error:  # it could be read a moment ago
                log.reject(piece.file.name, None, "", str(error))


def _wristbands(files: Sequence[Source], log: ProblemLog) -> list[list[_Piece]]:
    """Return the pieces of each wristband in order of time, each once."""
    found: dict[str, dict[Any, _Piece]] = {}
    for file in files:
        try:
            piece = _piece(_record(file, log), file, log)
        except InputError as error:
            log.reject(file.name, None, "", str(error))
            continue
        own = found.setdefault(piece.serial, {})
        if piece.key in own and piece.stretches:
            rule = f"the file holds what {own[piece.key].file.name} holds; it was counted once"
            log.reject(file.name, None, "", rule, lost=False)
        else:
            own[piece.key] = piece
    return [sorted(own.values(), key=_begins) for own in found.values()]


def _begins(piece: _Piece) -> float:
    return min((one.start_ms for one in piece.stretches.values()), default=0.0)


def _record(file: Source, log: ProblemLog | None = None) -> Tree:
    """Return the one record of a file; where there are more, they are noted."""
    with file.open() as opened:
        records = records_of(opened, file.name)
        first = next(records, None)
        if first is None:
            raise InputError(f"{file.name}: the file holds no record; it was perhaps being written")
        others = sum(1 for _ in records) if log else 0
    if log and others:
        rule = "records beside the first were left out; the wristband writes one a file"
        log.reject(file.name, None, others, rule, count=others)
    return first


def _piece(record: Tree, file: Source, log: ProblemLog) -> _Piece:
    raw = _part(record, "rawData")
    if not raw:
        raise InputError(f"{file.name}: the record holds no rawData; is it one of EmbracePlus?")
    for name in sorted(raw.keys() - {*SIGNALS, *OTHERS, *NOT_KEPT}):
        log.remark(file.name, None, name, "a sensor was left out: unaji does not know it", lost=True)
    stretches: dict[str, _Stretch] = {}
    for name in (*SIGNALS, "accelerometer", "steps"):
        part = _part(raw, name)
        n, rate_hz = (
            _values(part, "x" if name == "accelerometer" else "values").size,
            _number(part, "samplingFrequency"),
        )
        start_ms = _number(part, "timestampStart") / 1000.0
        if n and 0 < rate_hz < FASTEST_HZ and 0 < start_ms < FURTHEST_MS:
            stretches[name] = _Stretch(start_ms, n, rate_hz)
        elif n:  # a sensor that was off says a rate of 0 and has no values
            log.reject(file.name, None, name, "a sensor's values have no rate or no start, and so no times", count=n)
    return _Piece(file, str(record.get("deviceSn", "")), stretches)


def _series(record: Tree, piece: _Piece, following: _Piece | None, door: Door) -> Iterator[Batch]:
    """Give what is measured evenly, and button presses."""
    raw, zone_min = _part(record, "rawData"), _zone_min(record)
    device = Device("embraceplus", "watch", name=piece.serial, site="wrist")
    for name, stretch in piece.stretches.items():
        rate_hz = stretch.measured_hz(following.stretches.get(name) if following else None)
        if name in SIGNALS:
            wave = Waveform(door, SIGNALS[name], device, rate_hz, zone_min=zone_min)
            wave.begin(stretch.start_ms, f"{stretch.start_ms:.3f}")
            yield from wave.feed(_values(_part(raw, name), "values"))
            continue
        if name == "accelerometer":
            quantity, (value, per_window) = "activity_mg", _movement_mg(_part(raw, name), rate_hz, door)
        else:
            quantity, value, per_window = "steps", _values(_part(raw, name), "values"), 1
        edges = np.minimum(np.arange(value.size + 1) * per_window, stretch.n)
        edges_ms = from_unix(stretch.start_ms + edges * (1000.0 / rate_hz), 1000)
        yield from door.batch(
            quantity, device, edges_ms[:-1], value, end=edges_ms[1:],
            zone_min=offsets_min(door.clock, edges_ms[:-1]) if zone_min is None else zone_min,
            vendor_id=numbered(f"{stretch.start_ms:.3f}", np.arange(value.size)),
        )  # fmt: skip
    presses = from_unix(_values(_part(raw, "tags"), "tagsTimeMicros"), 1_000_000)
    yield from door.batch("event_mark", device, presses, end=presses, kind=Kind.EXPOSURE, zone_min=zone_min)


def _movement_mg(part: Tree, rate_hz: float, door: Door) -> tuple[FloatArray, int]:
    """Return the mean movement of each window [mg], the last one perhaps shorter, and the samples of a window."""
    per_window = max(1, round(ACTIVITY_WINDOW_S * rate_hz))
    axes = [_values(part, axis) for axis in "xyz"]
    per_count = _g_per_count(_part(part, "imuParams"))
    if len({axis.size for axis in axes}) != 1 or not np.isfinite(per_count):
        rule = "counts of the accelerometer cannot be told in g: axes differ in length, or its factor is not said"
        door.log.reject(door.file, None, "accelerometer", rule, count=max(axis.size for axis in axes))
        return np.zeros(0), per_window
    with np.errstate(over="ignore", invalid="ignore"):  # what is no acceleration is left out at the door
        size_g = per_count * np.sqrt(axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2)
        first = np.arange(0, size_g.size, per_window)
        length = np.diff(np.append(first, size_g.size))
        mean: FloatArray = np.add.reduceat(1000.0 * np.abs(size_g - 1.0), first) / length
    return mean, per_window


def _g_per_count(params: Tree) -> float:
    if "conversionFactor" in params:
        return _number(params, "conversionFactor")
    high, low = (_number(params, f"physical{end}") for end in ("Max", "Min"))
    last, first = (_number(params, f"digital{end}") for end in ("Max", "Min"))
    return (high - low) / (last - first) if last > first else float("nan")


def _beats(record: Tree, serial: str, last: _Peak, door: Door) -> tuple[_Peak, Iterator[Batch]]:
    """Give the intervals that end at this file's peaks, and its last peak."""
    told = _values(_part(_part(record, "rawData"), "systolicPeaks"), "peaksTimeNanos", np.int64)
    possible = (told > 0) & (told < np.iinfo(np.int64).max // 2)
    door.left_out(~possible, told, "a peak of the pulse wave has no time")
    peaks = np.unique(told[possible])
    peaks = peaks[peaks > last.time_ns]
    repeats = int(possible.sum()) - peaks.size
    if repeats:
        rule = "peaks are told twice; they were counted once"
        door.log.reject(door.file, None, repeats, rule, count=repeats, lost=False)
    if not peaks.size:
        return last, iter(())
    interval_ns = np.diff(peaks, prepend=last.time_ns)
    known = interval_ns <= PAUSE_NS  # never that of the first peak of a recording
    gap = np.append(not last.ends_interval, ~known[:-1])
    time, zone_min = (peaks // 1_000_000).astype("datetime64[ms]")[known], _zone_min(record)
    device = Device("embraceplus", "watch", name=serial, site="wrist", origin="ppg", corrected="unknown")
    return _Peak(int(peaks[-1]), bool(known[-1])), door.batch(
        "rri_ms", device, time, interval_ns[known] / 1e6, kind=Kind.BEATS, gap=gap[known],
        zone_min=offsets_min(door.clock, time) if zone_min is None else zone_min,
    )  # fmt: skip


def _zone_min(record: Tree) -> int | None:
    """Return the wristband's offset from UTC [min]; None where it says none that can be."""
    zone_s = record.get("timezone")
    if not isinstance(zone_s, int) or zone_s % QUARTER_HOUR_S or abs(zone_s) > MOST_ZONE_S:
        return None
    return zone_s // 60


def _part(tree: Tree, name: str) -> Tree:
    part = tree.get(name)
    return part if isinstance(part, dict) else {}


def _number(tree: Tree, name: str) -> float:
    value = tree.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")


def _values(tree: Tree, name: str, kind: type[np.generic] = np.float64) -> NDArray[Any]:
    values = tree.get(name)
    try:
        return np.array(values if isinstance(values, list) else [], dtype=kind)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0, dtype=kind)

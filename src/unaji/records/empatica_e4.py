"""Empatica E4 sessions: a folder or zip of EDA, TEMP, HR, IBI, ACC, BVP and tags, as the maker's site gives them.

Each sensor file begins with its UTC start (unix seconds) and its rate (Hz). Files of one session differ in length and
``tags.csv`` is often empty; both are normal. Which sensor a file is of stands only in its name.

What is kept: skin conductance (without the first sample, which is 0 and no signal), skin temperature at the wrist,
heart rate (each value the mean of the 10 s that end at its stamp), the intervals between beats, movement as the
mean of ``| |a| - 1 g |`` over each full 10 s, and button presses. The pulse wave (BVP) is not stored in the timeline:
nothing in unaji reads it, and the intervals taken from it are in IBI.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.clock import Clock
from unaji.records.measured import checked_series
from unaji.records.merge import Fragment, missing_beats
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import Beats, Exposure, FloatArray, TimeArray, from_utc_ms

LEFT_OUT = ("BVP",)
COMPANIONS = ("tags.csv", "info.txt")  # in a session's folder these need no remark, also when empty
ACC_COUNTS_PER_G = 64.0
ACTIVITY_WINDOW_S = 10
HEART_RATE_MEAN_S = 10
LONGEST_SESSION_S = 48 * 3600.0
IBI_TOLERANCE_MS = 1000 / 64 + 1  # one sample of the pulse wave, and rounding to a millisecond
FIRST_LINE = 3  # of the values: a start and a rate come before

_UNIX = rb"\d{10}(\.\d+)?"
_SENSOR = re.compile(rb"%s(, ?%s, ?%s)?\r?\n\d{1,4}(\.\d+)?(, ?\d{1,4}(\.\d+)?){0,2}\r?(\n|$)" % (_UNIX, _UNIX, _UNIX))
_IBI = re.compile(rb"%s, ?IBI\r?(\n|$)" % _UNIX)
_TAGS = re.compile(rb"(%s\r?\n)*%s(\r?\n)*$" % (_UNIX, _UNIX))


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as E4's do: a start and a rate, a start and "IBI", or unix times only."""
    return any(form.match(head) for form in (_SENSOR, _IBI, _TAGS))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read the files of one session."""
    return _together([_read_file(file, clock, log) for file in files])


def _read_file(file: Source, clock: Clock, log: ProblemLog) -> Fragment:
    sensor = next((s for s in (*READERS, *LEFT_OUT) if file.base_name.upper().startswith(s)), None)
    if sensor is None:
        names = ", ".join(f"{name}.csv" for name in (*READERS, *LEFT_OUT))
        log.reject(file.name, None, "", f"an E4 file whose name does not say the sensor; call it one of {names}")
        return Fragment()
    if sensor in LEFT_OUT or not file.head.strip():
        return Fragment()
    start_s = float(re.split(rb"[,\r\n]", file.head, maxsplit=1)[0])
    early, late = clock.impossible(np.array([round(start_s * 1000)], dtype="datetime64[ms]"))
    if early[0] or late[0]:
        log.reject(file.name, 1, f"{start_s:g}", "the session begins before 1990 or in the future: was its clock set?")
        return Fragment()
    return READERS[sensor](file, file.load(), start_s, log)


def _together(parts: Sequence[Fragment]) -> Fragment:
    return Fragment(
        series=tuple(series for part in parts for series in part.series),
        beats=tuple(beats for part in parts for beats in part.beats),
        exposures=tuple(exposure for part in parts for exposure in part.exposures),
    )


def _samples(
    data: bytes, log: ProblemLog, file: str, usual: type[pl.DataType] = pl.Float64
) -> tuple[FloatArray, float]:
    """Return values (one row a sample, one column an axis) and rate [Hz] of a sensor file."""
    _, rates, samples = _lines(data, 2)
    try:
        rate_hz = float(rates.partition(b",")[0])
    except ValueError:
        rate_hz = 0.0
    if not rate_hz > 0:
        log.reject(file, 2, "", "the second line must be the sampling rate in Hz; the file was left out")
        return np.empty((0, 1)), 1.0
    return _numbers(samples, usual), rate_hz


def _lines(data: bytes, n: int) -> tuple[bytes, ...]:
    """Return the first lines, and what follows them without copying each byte twice."""
    ends = [-1]
    for _ in range(n):
        end = data.find(b"\n", ends[-1] + 1)
        ends.append(len(data) if end < 0 else end)
    return (*(data[before + 1 : end] for before, end in pairwise(ends)), data[ends[-1] + 1 :])


def _numbers(text: bytes, usual: type[pl.DataType] = pl.Float64) -> FloatArray:
    """Return lines of numbers, NaN where a cell is none; `usual` is what nearly all cells can be read as at once."""
    if not text.strip():
        return np.empty((0, 1))
    names = [f"column_{k}" for k in range(text.partition(b"\n")[0].count(b",") + 1)]
    how: dict[str, Any] = {"has_header": False, "quote_char": None, "truncate_ragged_lines": True}
    try:
        frame = pl.read_csv(io.BytesIO(text), schema=dict.fromkeys(names, usual), **how)
    except pl.exceptions.PolarsError:  # a blank before a number, or something that is none
        cells = pl.read_csv(io.BytesIO(text), schema=dict.fromkeys(names, pl.String), encoding="utf8-lossy", **how)
        frame = cells.select(pl.all().str.strip_chars().cast(pl.Float64, strict=False))
    return np.array(frame.to_numpy(), dtype=np.float64)  # a null is NaN then


def _times(start_s: float, samples: NDArray[np.int64], rate_hz: float) -> TimeArray:
    """Return when samples were taken, by their number."""
    return _at(start_s, np.round(samples * 1000 / rate_hz))


def _at(start_s: float, since_start_ms: FloatArray) -> TimeArray:
    return np.datetime64(round(start_s * 1000), "ms") + since_start_ms.astype("timedelta64[ms]")


def _read_one(
    quantity: str, *, skip: int = 0, mean_of_s: int = 0
) -> Callable[[Source, bytes, float, ProblemLog], Fragment]:
    """Make the reader of a one-column file; `mean_of_s` where a value is the mean of the seconds before its stamp."""

    def read_one(file: Source, data: bytes, start_s: float, log: ProblemLog) -> Fragment:
        values, rate_hz = _samples(data, log, file.name)
        stamp = _times(start_s, np.arange(len(values)), rate_hz)
        lines = np.arange(stamp.size) + FIRST_LINE
        stamp, value, lines = stamp[skip:], values[skip:, 0], lines[skip:]
        start, end = (stamp - np.timedelta64(mean_of_s, "s"), stamp) if mean_of_s else (stamp, None)
        series = checked_series(
            quantity, start, value, end=end, lines=lines, site="wrist", source="e4", file=file.name, log=log
        )
        return Fragment(series=series)

    return read_one


def _read_acceleration(file: Source, data: bytes, start_s: float, log: ProblemLog) -> Fragment:
    counts, rate_hz = _samples(data, log, file.name, pl.Int16)
    per_window = round(ACTIVITY_WINDOW_S * rate_hz)
    windows = len(counts) // per_window
    if not windows:
        return Fragment()
    size_g = np.sqrt(np.einsum("ij,ij->i", counts, counts)) / ACC_COUNTS_PER_G
    movement_mg = 1000 * np.abs(size_g[: windows * per_window] - 1).reshape(windows, per_window)
    start = _times(start_s, np.arange(windows) * per_window, rate_hz)
    length = np.timedelta64(round(1000 * per_window / rate_hz), "ms")
    series = checked_series(
        "activity_mg", start, movement_mg.mean(axis=1), end=start + length, site="wrist", source="e4",
        file=file.name, log=log,
    )  # fmt: skip
    return Fragment(series=series)


def _read_intervals(file: Source, data: bytes, start_s: float, log: ProblemLog) -> Fragment:
    """Each row: seconds from the start to the beat that ends the interval, and the interval in seconds."""
    rows = _numbers(_lines(data, 1)[-1])
    if rows.shape[1] < 2:
        return Fragment()
    good = np.isfinite(rows[:, :2]).all(axis=1) & (rows[:, 1] > 0)
    log.rows(file.name, np.flatnonzero(~good) + 2, rows[~good, 1], "an interval must be a number of seconds above 0")
    time, rri_ms = _at(start_s, np.round(rows[good, 0] * 1000)), rows[good, 1] * 1000
    if not time.size:
        return Fragment()
    order = np.argsort(time, kind="stable")
    time, rri_ms = time[order], rri_ms[order]
    gap = missing_beats(time, rri_ms, tolerance_ms=IBI_TOLERANCE_MS)
    return Fragment(beats=(Beats(time, rri_ms, gap, origin="ppg", corrected="device"),))


def _read_tags(file: Source, data: bytes, start_s: float, log: ProblemLog) -> Fragment:
    pressed_s = _numbers(data.strip())[:, 0]
    near = np.abs(pressed_s - start_s) <= LONGEST_SESSION_S
    rule = "a button press must be a time within two days of the session; it was left out"
    log.rows(file.name, np.flatnonzero(~near) + 1, pressed_s[~near], rule)
    stamps = np.round(pressed_s[near] * 1000).astype("datetime64[ms]")
    return Fragment(exposures=tuple(Exposure(from_utc_ms(t), "event_mark") for t in stamps))


READERS: dict[str, Callable[[Source, bytes, float, ProblemLog], Fragment]] = {
    "EDA": _read_one("scl_microsiemens", skip=1),
    "TEMP": _read_one("skin_temp_c"),
    "HR": _read_one("hr_bpm", mean_of_s=HEART_RATE_MEAN_S),
    "IBI": _read_intervals,
    "ACC": _read_acceleration,
    "TAGS": _read_tags,
}

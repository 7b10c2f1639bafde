"""Garmin Connect's JSON: days and nights of a watch as the web service answers, and as the account's export holds them.

What is kept: heart rate, RMSSD of the night, stress score, body battery, breathing rate, oxygen saturation, sleep
stages, skin temperature against the usual, steps, active energy, resting heart rate and weight.

Only the times called GMT are believed. Those called *local* are the wall clock written as if it were UTC, once as a
number, once as text with a false Z: the difference of the two is the offset, where it is one that is in use. The local
times of ``dailyStress`` have been seen an hour off and are not used at all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec import Raw, Struct
from numpy.typing import NDArray

from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import Clock
from unaji.records.json_read import UNREADABLE, documents
from unaji.records.problems import ProblemLog
from unaji.records.rows import DAY_MS, IntArray, Rows, batch, group, let_in, local_day, some_files, zone_of
from unaji.records.source import HEAD_BYTES, Source
from unaji.records.timeline import FloatArray

STRESS_MS = 180_000.0  # a stress value stands for the three minutes from its stamp on
HRV_MS = 300_000.0  # an RMSSD value stands for the five minutes before its stamp
GRAMS_PER_KG = 1000.0
STAGES = {0.0: "deep", 1.0: "light", 2.0: "rem", 3.0: "awake"}
NIGHT_MEAN = "garmin_last_night_average"
DAY_METHODS = {
    "steps": "garmin_day_total", "active_kcal": "garmin_day_total", "stress_score": "garmin_stress_day_mean",
}  # fmt: skip
"""What is also told minute by minute is another source where it stands for the day: the two are never added."""

TOGETHER_BYTES = 8 << 20
LARGEST_BYTES = 512 << 20

_KEYS = (
    "hrvReadings", "hrvSummary", "hrvSummaries", "heartRateValues", "stressValuesArray", "bodyBatteryValuesArray",
    "respirationValuesArray", "dailySleepDTO", "dateWeightList", "dailyWeightSummaries", "wellnessStartTimeGmt",
    "sleepStartTimestampGMT", "calendarDate", "primaryActivityLevel",
)  # fmt: skip
_CLAIM = re.compile(rb'^\xef?\xbb?\xbf?\s*[\[{].*"(%s)"\s*:' % b"|".join(key.encode() for key in _KEYS), re.DOTALL)


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as JSON with the names that only Garmin Connect uses."""
    return bool(_CLAIM.match(head))


# -- what the answers hold, as far as it is read, by the maker's names -------------------------------------------------
# ruff: noqa: N815

_Stamp = float | str | None
_Number = float | None


class _Reading(Struct):
    hrvValue: _Number = None
    readingTimeGMT: _Stamp = None
    readingTimeLocal: _Stamp = None


class _Summary(Struct):
    calendarDate: str | None = None
    lastNightAvg: _Number = None


class _Sleep(Struct):
    sleepStartTimestampGMT: _Stamp = None
    sleepEndTimestampGMT: _Stamp = None
    sleepStartTimestampLocal: _Stamp = None
    calendarDate: str | None = None


class _Level(Struct):
    startGMT: _Stamp = None
    endGMT: _Stamp = None
    activityLevel: _Number = None


class _Valued(Struct):
    startGMT: _Stamp = None
    value: _Number = None


class _Breath(Struct):
    startTimeGMT: _Stamp = None
    respirationValue: _Number = None


class _Oxygen(Struct):
    epochTimestamp: _Stamp = None
    spo2Reading: _Number = None


class _Weight(Struct):
    samplePk: int | None = None
    date: _Stamp = None
    timestampGMT: _Stamp = None
    weight: _Number = None
    sourceType: str | None = None


class _WeightDay(Struct):
    allWeightMetrics: list[_Weight] | None = None
    latestWeight: _Weight | None = None


class _Means(Struct):
    overallStressLevel: _Number = None


class _Answer(Struct):
    calendarDate: Any = None
    startTimestampGMT: _Stamp = None
    endTimestampGMT: _Stamp = None
    startTimestampLocal: _Stamp = None
    hrvSummary: _Summary | None = None
    hrvSummaries: list[_Summary] | None = None
    hrvReadings: list[_Reading] | None = None
    heartRateValues: Raw = Raw()
    stressValuesArray: Raw = Raw()
    bodyBatteryValuesArray: Raw = Raw()
    respirationValuesArray: Raw = Raw()
    dailySleepDTO: _Sleep | None = None
    sleepLevels: list[_Level] | None = None
    sleepHeartRate: list[_Valued] | None = None
    sleepStress: list[_Valued] | None = None
    sleepBodyBattery: list[_Valued] | None = None
    hrvData: list[_Valued] | None = None
    wellnessEpochRespirationDataDTOList: list[_Breath] | None = None
    wellnessEpochSPO2DataDTOList: list[_Oxygen] | None = None
    avgSkinTempDeviationC: _Number = None
    restingHeartRate: _Number = None
    totalSteps: _Number = None
    activeKilocalories: _Number = None
    averageStressLevel: _Number = None
    wellnessStartTimeGmt: _Stamp = None
    wellnessEndTimeGmt: _Stamp = None
    wellnessStartTimeLocal: _Stamp = None
    values: _Means | None = None
    dateWeightList: list[_Weight] | None = None
    dailyWeightSummaries: list[_WeightDay] | None = None
    startGMT: _Stamp = None
    endGMT: _Stamp = None
    steps: _Number = None
    sleepStartTimestampGMT: _Stamp = None
    sleepEndTimestampGMT: _Stamp = None
    sleepStartTimestampLocal: _Stamp = None


_ANSWERS = msgspec.json.Decoder(_Answer | list[_Answer])
_KNOWN = [name for name in _Answer.__struct_fields__ if name not in ("calendarDate", "startTimestampGMT",
          "endTimestampGMT", "startTimestampLocal", "values", "startGMT", "endGMT")]  # fmt: skip


# -- reading -----------------------------------------------------------------------------------------------------------


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the answers, many small files together.

    Raises
    ------
    InputError
        A value stands for a whole day, no time in UTC is told beside it, and nobody has said where the person lives.
    """
    names = [file.name for file in files]
    lots = _Lots()
    size = 0
    for index, file in enumerate(files):
        data = file.head if len(file.head) < HEAD_BYTES else _load(file, log)
        for answer in _answers(data, file.name, log):
            _take(answer, index, lots)
        size += len(data)
        if size >= TOGETHER_BYTES:
            yield from lots.batches(names, clock, log)
            lots, size = _Lots(days=lots.days, nights=lots.nights, dated_days=lots.dated_days), 0
    yield from lots.batches(names, clock, log)
    yield from lots.day_batches(names, clock, log)


def _load(file: Source, log: ProblemLog) -> bytes:
    with file.open() as opened:
        data = opened.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        log.reject(file.name, None, "", f"the file is larger than {LARGEST_BYTES >> 20} MB and was not read")
        return b""
    return data


def _answers(data: bytes, name: str, log: ProblemLog) -> list[_Answer]:
    if not data:
        return []
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        decoded = _ANSWERS.decode(data)
    except UNREADABLE:
        decoded = [*documents(data, _Answer, name, log)]
    answers = decoded if isinstance(decoded, list) else [decoded]
    strange = [answer for answer in answers if not _says_something(answer)]
    if strange:
        rule = "answers hold nothing that unaji reads (scores, weekly sums, other things); they were left out"
        log.remark(name, None, f"{len(strange)}", rule)
    return answers


_EMPTY = _Answer()


def _says_something(answer: _Answer) -> bool:
    if answer.values is not None and answer.values.overallStressLevel is not None:
        return True
    return any(getattr(answer, name) is not getattr(_EMPTY, name) for name in _KNOWN)


@dataclass(eq=False, slots=True)
class _Lot:
    """Rows of one kind, still as they stood in the files: lists of cells, one list an answer."""

    file: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    cells: dict[str, list[tuple[int, list[Any]]]] = field(default_factory=dict)

    def add(self, file: int, **columns: list[Any]) -> None:
        """Take rows: `time` and `value`, and some of `end`, `local` (that is, of `time`), `label`, `vendor_id`."""
        for name, cells in columns.items():
            self.cells.setdefault(name, []).append((len(self.file), cells))
        self.file.append(file)
        self.size.append(len(columns["time"]))

    def index(self) -> IntArray:
        """Return the file of each row."""
        return np.repeat(np.array(self.file, dtype=np.int64), self.size)

    def column(self, name: str) -> list[Any]:
        """Return the cells of all rows; None where an answer does not have the column."""
        given = dict(self.cells.get(name, ()))
        return list(chain.from_iterable(given.get(k, repeat(None, n)) for k, n in enumerate(self.size)))

    def numbers(self, name: str) -> FloatArray:
        """Return a column of numbers, NaN where there is none."""
        return np.array(self.column(name), dtype=np.float64)

    def ms(self, name: str) -> FloatArray:
        """Return a column of stamps [ms since 1970]."""
        return _ms(self.column(name))

    def zone_min(self) -> FloatArray | None:
        """Return the offsets that the local readings show [min]."""
        return zone_of(self.ms("local") / 1000, self.ms("time") / 1000) if "local" in self.cells else None


@dataclass(frozen=True, eq=False, slots=True)
class _Pairs:
    """A list of stamps and values as it stood, and when its day began (also on the wall clock) and ended."""

    file: int
    raw: bytes
    day: tuple[_Stamp, _Stamp, _Stamp]


@dataclass(eq=False, slots=True)
class _Lots:
    """Rows gathered from some files, by what they are."""

    points: dict[str, _Lot] = field(default_factory=dict)
    pairs: dict[str, list[_Pairs]] = field(default_factory=dict)
    spans: dict[str, _Lot] = field(default_factory=dict)
    nights: dict[str, _Lot] = field(default_factory=dict)
    dates: dict[str, _Lot] = field(default_factory=dict)
    days: dict[str, _Lot] = field(default_factory=dict)
    dated_days: dict[str, _Lot] = field(default_factory=dict)
    sleep: _Lot = field(default_factory=_Lot)
    weights: dict[str, _Lot] = field(default_factory=dict)

    def batches(self, names: Sequence[str], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
        """Give what was gathered but for values of whole days; of rows that several answers repeat, one."""
        for rows in self._rows(clock, names):
            kept = let_in(rows, names, clock, log)
            if len(kept):
                one = batch(kept, _device(rows))
                repeats = one.rows["time"].n_unique() < len(one)
                yield replace(one, rows=one.rows.unique(maintain_order=True)) if repeats else one

    def day_batches(self, names: Sequence[str], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
        """Give values of whole days, which may be told several times, the first while the day was not over."""
        told = [(_spans(quantity, lot), lot) for quantity, lot in self.days.items()]
        told += [(_days(quantity, lot, clock, names), lot) for quantity, lot in self.nights.items()]
        told += [(_dates(quantity, lot, clock, names), lot) for quantity, lot in self.dated_days.items()]
        pieces = [
            replace(
                rows,
                others={"vendor_id": _cells(lot.column("vendor_id"))},
                method=DAY_METHODS.get(rows.quantity, ""),
            )
            for rows, lot in told
        ]
        for rows in group(pieces, lambda rows: rows.quantity):
            kept = _one_a_day(let_in(rows, names, clock, log), names, log)
            if len(kept):
                yield batch(kept, _device(kept))

    def _rows(self, clock: Clock, names: Sequence[str]) -> Iterator[Rows]:
        for quantity, found in self.pairs.items():
            yield _of_pairs(quantity, found)
        for quantity, lot in self.points.items():
            yield _placed(quantity, lot)
        for quantity, lot in self.spans.items():
            yield _spans(quantity, lot)
        for quantity, lot in self.dates.items():
            yield _dates(quantity, lot, clock, names)
        if self.sleep.file:
            yield _stages(self.sleep)
        for role, lot in self.weights.items():
            others = {"vendor_id": _cells(lot.column("vendor_id"))}
            yield Rows(Kind.SERIES, "weight_kg", lot.index(), lot.ms("time"), lot.numbers("value") / GRAMS_PER_KG,
                       zone_min=lot.zone_min(), others=others, method=role)  # fmt: skip


def _device(rows: Rows) -> Device:
    if rows.quantity == "weight_kg":
        return Device("garmin_connect", role=rows.method)
    scores = {"stress_score": "garmin_stress", "body_battery": "garmin_body_battery"}
    method = rows.method or scores.get(rows.quantity, "")
    return Device("garmin_connect", role="watch", site="wrist", method=method)


# -- taking an answer apart --------------------------------------------------------------------------------------------


def _take(answer: _Answer, k: int, lots: _Lots) -> None:
    _take_pairs(answer, k, lots)
    _take_night(answer, k, lots)
    _take_day(answer, k, lots)
    _take_weights(answer, k, lots)


def _take_pairs(answer: _Answer, k: int, lots: _Lots) -> None:
    day = (answer.startTimestampGMT, answer.startTimestampLocal, answer.endTimestampGMT)
    for quantity, raw in (
        ("hr_bpm", answer.heartRateValues),
        ("stress_score", answer.stressValuesArray),
        ("resp_rate_bpm", answer.respirationValuesArray),
        ("body_battery", answer.bodyBatteryValuesArray),
    ):
        if len(raw) > 4:  # more than [] or null
            lots.pairs.setdefault(quantity, []).append(_Pairs(k, bytes(raw), day))


def _take_night(answer: _Answer, k: int, lots: _Lots) -> None:
    night = answer.dailySleepDTO
    if night is None and answer.sleepStartTimestampGMT is not None and answer.hrvReadings is None:
        night = _Sleep(answer.sleepStartTimestampGMT, answer.sleepEndTimestampGMT, answer.sleepStartTimestampLocal)
    levels = answer.sleepLevels or ()
    if levels:
        lots.sleep.add(
            k, time=[level.startGMT for level in levels], end=[level.endGMT for level in levels],
            label=[_stage(level.activityLevel) for level in levels],
        )  # fmt: skip
    if night is not None and night.sleepStartTimestampGMT is not None:
        span: dict[str, list[Any]] = {
            "time": [night.sleepStartTimestampGMT], "end": [night.sleepEndTimestampGMT],
            "local": [night.sleepStartTimestampLocal],
        }  # fmt: skip
        if not levels:
            lots.sleep.add(k, label=["asleep"], **span)
        if answer.avgSkinTempDeviationC is not None:
            lots.spans.setdefault("skin_temp_dev_c", _Lot()).add(k, value=[answer.avgSkinTempDeviationC], **span)
        if answer.restingHeartRate is not None:
            name = _day_name(night.calendarDate or answer.calendarDate)
            lots.nights.setdefault("hr_resting_bpm", _Lot()).add(
                k, value=[answer.restingHeartRate], vendor_id=[name], **span
            )
    elif night is not None and answer.restingHeartRate is not None:  # a day without sleep
        lots.dated_days.setdefault("hr_resting_bpm", _Lot()).add(
            k, time=[night.calendarDate], value=[answer.restingHeartRate], vendor_id=[_day_name(night.calendarDate)]
        )  # fmt: skip
    readings = answer.hrvReadings or ()
    if readings:
        lots.points.setdefault("rmssd_ms", _Lot()).add(
            k, time=[one.readingTimeGMT for one in readings], local=[one.readingTimeLocal for one in readings],
            value=[one.hrvValue for one in readings],
        )  # fmt: skip
    for summary in (answer.hrvSummary, *(answer.hrvSummaries or ())):
        if summary is not None and summary.lastNightAvg is not None:
            lots.dates.setdefault("rmssd_ms", _Lot()).add(
                k, time=[summary.calendarDate], value=[summary.lastNightAvg]
            )  # fmt: skip
    _take_epochs(answer, k, lots)


def _stage(level: _Number) -> str:
    return "" if level is None else STAGES.get(level, "")


def _take_epochs(answer: _Answer, k: int, lots: _Lots) -> None:
    for quantity, valued in (
        ("hr_bpm", answer.sleepHeartRate),
        ("stress_score", answer.sleepStress),
        ("body_battery", answer.sleepBodyBattery),
        ("rmssd_ms", answer.hrvData),
    ):
        if valued:
            lots.points.setdefault(quantity, _Lot()).add(
                k, time=[one.startGMT for one in valued], value=[one.value for one in valued]
            )
    breaths = answer.wellnessEpochRespirationDataDTOList
    if breaths:
        lots.points.setdefault("resp_rate_bpm", _Lot()).add(
            k, time=[one.startTimeGMT for one in breaths], value=[one.respirationValue for one in breaths]
        )
    oxygen = answer.wellnessEpochSPO2DataDTOList
    if oxygen:
        lots.points.setdefault("spo2_pct", _Lot()).add(
            k, time=[one.epochTimestamp for one in oxygen], value=[one.spo2Reading for one in oxygen]
        )


def _take_day(answer: _Answer, k: int, lots: _Lots) -> None:
    if answer.steps is not None and answer.startGMT is not None:
        lots.spans.setdefault("steps", _Lot()).add(
            k, time=[answer.startGMT], end=[answer.endGMT], value=[answer.steps]
        )  # fmt: skip
    mean = answer.averageStressLevel if answer.values is None else answer.values.overallStressLevel
    resting = None if answer.dailySleepDTO is not None else answer.restingHeartRate
    start, end = answer.wellnessStartTimeGmt, answer.wellnessEndTimeGmt
    local = answer.wellnessStartTimeLocal
    if start is None and len(answer.heartRateValues):
        start, end, local = answer.startTimestampGMT, answer.endTimestampGMT, answer.startTimestampLocal
    for quantity, value in (
        ("steps", answer.totalSteps),
        ("active_kcal", answer.activeKilocalories),
        ("stress_score", mean),
        ("hr_resting_bpm", resting),
    ):
        if value is None:
            continue
        name = _day_name(answer.calendarDate)
        if start is not None:
            lots.days.setdefault(quantity, _Lot()).add(
                k, time=[start], value=[value], end=[end], local=[local], vendor_id=[name]
            )
        else:
            lots.dated_days.setdefault(quantity, _Lot()).add(
                k, time=[answer.calendarDate], value=[value], vendor_id=[name]
            )


def _day_name(calendar_date: object) -> str | None:
    """Return a name by which the store knows that a later answer speaks of the same day."""
    found = re.match(r"\d{4}-\d\d-\d\d", calendar_date) if isinstance(calendar_date, str) else None
    return None if found is None else f"day:{found[0]}"


def _take_weights(answer: _Answer, k: int, lots: _Lots) -> None:
    weights = [*(answer.dateWeightList or ())]
    for day in answer.dailyWeightSummaries or ():
        weights += day.allWeightMetrics or [day.latestWeight or _Weight()]
    for weight in weights:
        role = "manual" if weight.sourceType == "MANUAL" else ""
        vendor_id = None if weight.samplePk is None else str(weight.samplePk)
        lots.weights.setdefault(role, _Lot()).add(
            k, time=[weight.timestampGMT], value=[weight.weight], local=[weight.date], vendor_id=[vendor_id]
        )


# -- rows from what was gathered ---------------------------------------------------------------------------------------


def _of_pairs(quantity: str, found: list[_Pairs]) -> Rows:
    """Give the rows of lists; those of a day of 24 h have its offset from UTC, but not stress, whose day is wrong."""
    table, size = _tables([pairs.raw for pairs in found])
    start, local, end = (_ms([pairs.day[part] for pairs in found]) for part in range(3))
    steady = (end - start == DAY_MS) & (quantity not in ("stress_score", "body_battery"))
    zone_min = np.repeat(np.where(steady, zone_of(local / 1000, start / 1000), np.nan), size)
    return _timed(quantity, np.repeat([pairs.file for pairs in found], size), table[:, 0], table[:, 1], zone_min)


_BLANK = b" \t\r\n"
_PLAIN = b'0123456789+-.,[]"_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'


def _tables(lists: Sequence[bytes]) -> tuple[FloatArray, list[int]]:
    """Read lists such as ``[[1700000000000,61],[1700000120000,null]]``.

    Rows may tell in a word between the numbers what goes on; the first two numbers count. Lists that are written as
    they should be are read as one table, which takes half the time of reading JSON; the others one by one.

    Returns
    -------
    table : ndarray, shape (n, 2)
        Stamps and values, those of all lists in their order; NaN for what is no number.
    size : list of int
        How many rows each list has.
    """
    lines = [_lines(raw) for raw in lists]
    kinds = {line[1] for line in lines if line is not None}
    if len(kinds) == 1 and None not in lines:
        text = [line[0] for line in lines if line is not None]
        try:
            return _of_lines(text, kinds.pop()), [rows.count(b"\n") + 1 for rows in text]
        except pl.exceptions.PolarsError:
            pass
    tables = [_of_json(raw) for raw in lists]
    return np.concatenate(tables), [len(table) for table in tables]


def _lines(raw: bytes) -> tuple[bytes, str] | None:
    """Return the rows as lines, and which cells are numbers and words; None where a list is not written plainly."""
    text = raw.translate(None, _BLANK)
    if text.translate(None, _PLAIN) or not (text.startswith(b"[[") and text.endswith(b"]]")):
        return None
    text = text[2:-2].replace(b"],[", b"\n")
    cells = text.partition(b"\n")[0].split(b",")
    kinds = "".join("w" if cell.startswith(b'"') else "n" for cell in cells)
    whole = text.count(b",") == (len(cells) - 1) * (text.count(b"\n") + 1)
    return (text, kinds) if whole and b"[" not in text and b"]" not in text and kinds.count("n") >= 2 else None


def _of_lines(text: Sequence[bytes], kinds: str) -> FloatArray:
    schema = {f"column_{k}": pl.Float64() if kind == "n" else pl.String() for k, kind in enumerate(kinds, 1)}
    first_two = [k for k, kind in enumerate(kinds) if kind == "n"][:2]
    read = pl.read_csv(b"\n".join(text), has_header=False, schema=schema, columns=first_two, null_values="null")
    return np.array(read.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _of_json(raw: bytes) -> FloatArray:
    rows = msgspec.json.decode(raw)
    rows = [row if isinstance(row, list) else [] for row in rows] if isinstance(rows, list) else []
    table = np.full((len(rows), 2), np.nan)
    for k, row in enumerate(rows):
        numbers = [_number(cell) for cell in row if not isinstance(cell, str)][:2]
        table[k, : len(numbers)] = numbers
    return table


def _number(cell: object) -> float:
    try:
        return float(cell) if isinstance(cell, int | float) else np.nan
    except OverflowError:
        return np.nan


def _placed(quantity: str, lot: _Lot) -> Rows:
    return _timed(quantity, lot.index(), lot.ms("time"), lot.numbers("value"), lot.zone_min())


def _timed(
    quantity: str, file: IntArray, time_ms: FloatArray, value: FloatArray, zone_min: FloatArray | None = None
) -> Rows:
    """Give values at stamps; of stress and RMSSD it is known which minutes a stamp stands for."""
    value = np.where((value < 0) | ((value == 0) & (quantity not in ("stress_score", "body_battery"))), np.nan, value)
    if quantity == "stress_score":
        return Rows(Kind.INTERVAL, quantity, file, time_ms, value, time_ms + STRESS_MS, zone_min)
    if quantity == "rmssd_ms":
        return Rows(Kind.INTERVAL, quantity, file, time_ms - HRV_MS, value, time_ms, zone_min)
    return Rows(Kind.SERIES, quantity, file, time_ms, value, zone_min=zone_min)


def _spans(quantity: str, lot: _Lot) -> Rows:
    value = _measured(quantity, lot.numbers("value"))
    return Rows(Kind.INTERVAL, quantity, lot.index(), lot.ms("time"), value, lot.ms("end"), lot.zone_min())


def _days(quantity: str, lot: _Lot, clock: Clock, names: Sequence[str]) -> Rows:
    """Give values of the local days on which nights ended."""
    zone_min = lot.zone_min()
    assert zone_min is not None
    start, end = local_day(lot.ms("end"), zone_min, clock, names[lot.file[0]])
    return Rows(Kind.INTERVAL, quantity, lot.index(), start, lot.numbers("value"), end, zone_min)


def _dates(quantity: str, lot: _Lot, clock: Clock, names: Sequence[str]) -> Rows:
    """Give values of which only the local date is told."""
    text = [cell if isinstance(cell, str) else None for cell in lot.column("time")]
    days = pl.Series(text, dtype=pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    read = (clock.read(days, names[lot.file[0]], ProblemLog(), date_at_hour=hour).time for hour in (0, 24))
    start, end = (np.where(np.isnat(time), np.nan, time.astype(np.int64)) for time in read)
    value = _measured(quantity, lot.numbers("value"))
    method = NIGHT_MEAN if quantity == "rmssd_ms" else ""
    return Rows(Kind.INTERVAL, quantity, lot.index(), start, value, end, method=method)


def _one_a_day(rows: Rows, names: Sequence[str], log: ProblemLog) -> Rows:
    """Of the answers about one day keep the one that reaches furthest into it, the last read of several."""
    assert rows.end_ms is not None
    day = rows.others["vendor_id"]
    best = {day[k] or k: k for k in np.argsort(rows.end_ms, kind="stable")}  # the last one of a day stays
    taken = np.array([best[name or k] for k, name in enumerate(day)], dtype=np.int64)
    other = (rows.end_ms != rows.end_ms[taken]) | (rows.value != rows.value[taken])  # a repeat needs no word
    if other.any():
        rule = f"{rows.quantity}: another answer tells of the same day, to its end or as far; that one was taken"
        earlier = int(other.sum())
        log.reject(some_files(names, rows.file[other]), None, earlier, rule, count=earlier, lost=False)
    return rows.where(taken == np.arange(len(rows)))


def _cells(column: list[Any]) -> NDArray[Any]:
    return np.array(column, dtype=object)


def _stages(lot: _Lot) -> Rows:
    start, end = lot.ms("time"), lot.ms("end")
    label = np.array(lot.column("label"), dtype=object)
    minutes = np.where(label == "", np.nan, (end - start) / 60_000)
    return Rows(Kind.SLEEP, "sleep", lot.index(), start, minutes, end, lot.zone_min(), {"label": label})


def _measured(quantity: str, value: FloatArray) -> FloatArray:
    """Leave out the codes below zero that say why there is no score."""
    return np.where(value < 0, np.nan, value) if quantity == "stress_score" else value


def _ms(stamps: Sequence[Any]) -> FloatArray:
    """Read stamps, in numbers or text, as milliseconds since 1970; NaN where they are neither."""
    try:
        return np.array(stamps, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        if min(map(len, stamps)) < len("2023-07-20T05:29:48"):
            raise ValueError
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what numpy reads with a warning is read below
            time = np.array(stamps, dtype="datetime64[ms]")
        return np.where(np.isnat(time), np.nan, time.astype(np.int64))
    except (TypeError, ValueError, Warning):
        pass
    text = pl.Series([stamp if isinstance(stamp, str) else None for stamp in stamps], dtype=pl.String)
    read = text.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", strict=False)
    of_text = read.dt.epoch("ms").cast(pl.Float64).fill_null(float("nan")).to_numpy()
    numbers = np.array([_number(stamp) for stamp in stamps], dtype=np.float64)
    return np.where(np.isnan(numbers), of_text, numbers)

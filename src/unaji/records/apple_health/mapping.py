"""Apple's records in unaji's names and units: rows as they stand in the export become batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Words
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES
from unaji.records.apple_health.beats import intervals
from unaji.records.apple_health.rows import IntArray, Rows, Text
from unaji.records.apple_health.vocabulary import (
    ABSENT,
    CATEGORY,
    HOT_FLASHES,
    MEASURED,
    MINUTES,
    MOTION,
    PRESSURE_UNITS,
    QUANTITY,
    STAGES,
    STRENGTHS,
    SYMPTOMS,
    WORKOUT,
    Measured,
)
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.timeline import BoolArray, FloatArray, TimeArray, Zones

SOURCE = "apple_health"
MOST_NAMES = 1000  # of types that are told one by one
MOST_TAKEN = 100.0  # cups or drinks in one record
BY_HAND = "1"  # HKWasUserEntered
NOT_THERE = "records say that a symptom was not there; that is no episode"
NO_ZONE = "records name a time zone (HKTimeZone) that is none; their wall clock is not known"
NO_PRESSURE = "readings of the watch's barometer could not be used: no number, unit not known, or not plausible"

_ROLES = (  # words in what the export says of the device, or else in the source's name
    ("watch", ("model:watch", "name:apple watch"), ("watch", "ウォッチ")),
    ("phone", ("model:iphone", "name:iphone", "model:ipad", "model:ipod"), ("iphone", "ipad", "ipod")),
    ("strap", ("polar h", "tickr", "hrm-", "chest strap"), ()),
    ("ring", ("oura",), ("oura",)),
)


class Mapping:
    """Turns the rows of one export into batches; counts what it leaves out and tells it at the end.

    Attributes
    ----------
    tally : Counter
        What is told once with its number, by its rule.
    unread : Counter
        Records of types that unaji has no quantity for, by type.
    """

    def __init__(self, file: str, clock: Clock, log: ProblemLog) -> None:
        self._file, self._clock, self._log = file, clock, log
        self.tally: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()

    def batches(self, rows: Rows) -> Iterator[Batch]:
        """Give the batches of some rows, those of one type and device together."""
        for offset in set(rows.offset[[0, -1]].tolist()):
            self._log.offsets_min[offset] += 1
        zone_min = self._zone_min(rows)
        types = rows.ids[Text.TYPE]
        by_type = np.argsort(types, kind="stable")
        for at in np.split(by_type, np.flatnonzero(np.diff(types[by_type])) + 1):
            name = rows.strings[types[at[0]]]
            reader = self._reader(name)
            if reader is not None:
                yield from reader(self._possible(_Chosen(rows, at, zone_min)))
            else:
                self.unread[name if name in self.unread or len(self.unread) < MOST_NAMES else "…"] += at.size

    def tell(self) -> None:
        """Note what was counted."""
        for rule, count in self.tally.items():
            if count:
                self._log.remark(self._file, None, f"{count:,}", rule)
        for name, count in self.unread.most_common():
            rule = f"{count:,} records of this type were left out: unaji has no use for them"
            self._log.remark(self._file, None, name, rule)

    def _reader(self, name: str) -> Callable[[_Chosen], Iterator[Batch]] | None:
        """Return what reads records of a type; None for a type that is not read."""
        if name.startswith(WORKOUT):
            return lambda rows: self._workouts(name.removeprefix(WORKOUT), rows)
        known = MEASURED.get(name.removeprefix(QUANTITY)) if name.startswith(QUANTITY) else None
        if known is not None:
            return lambda rows: self._measured(known, rows)
        category = name.removeprefix(CATEGORY) if name.startswith(CATEGORY) else ""
        if category == "SleepAnalysis":
            return self._sleep
        if category == HOT_FLASHES or category in SYMPTOMS:
            return lambda rows: self._symptom(category, rows)
        return None

    # -- times ---------------------------------------------------------------------------------------------------------

    def _possible(self, rows: _Chosen) -> _Chosen:
        """Return the rows whose times can be; the others are noted."""
        good = np.full(len(rows), True)
        for rule, wrong in self._clock.broken(_as_times(rows.start), _as_times(rows.end)):
            bad = rows.where(wrong)
            self._reject(bad, _as_times(bad.start).astype(str), rule)
            good &= ~wrong
        return rows.where(good)

    def _zone_min(self, rows: Rows) -> pl.Series | None:
        """Return the offset of the person's wall clock where a record names its zone; None where none does.

        The offset written with a time is no such thing: it is often that of the phone on the day of the export.
        """
        named = rows.ids[Text.ZONE]
        if not (named >= 0).any():
            return None
        offset = np.full(len(rows), np.nan)
        early, late = self._clock.impossible(_as_times(rows.start))  # beyond them the zones' calendar may end
        for number in np.unique(named[named >= 0]).tolist():
            mask = (named == number) & ~(early | late)
            try:
                zones = Zones((rows.strings[number],))
            except ValueError:
                self.tally[NO_ZONE] += int(mask.sum())
                continue
            offset[mask] = zones.offset_min(_as_times(rows.start[mask]))
        return pl.Series(offset, nan_to_null=True)

    # -- types ---------------------------------------------------------------------------------------------------------

    def _measured(self, known: Measured, rows: _Chosen) -> Iterator[Batch]:
        rows, value = self._in_our_unit(known, *self._numbers(rows))
        quantity = QUANTITIES.get(known.name)
        outside = quantity.outside(value) if quantity else ~((value >= 0) & (value <= MOST_TAKEN))
        rule = quantity.rule if quantity else f"{known.name} lies outside 0 to {MOST_TAKEN:g}"
        self._reject(rows.where(outside), value[outside], rule)
        rows, value = rows.where(~outside), value[~outside]
        instant = rows.start == rows.end
        kinds = [(known.kind, instant | True)] if known.kind else [(Kind.SERIES, instant), (Kind.INTERVAL, ~instant)]
        for kind, mask in kinds:
            for device, group in rows.where(mask).by_device(on_wrist=known.on_wrist, method=known.method):
                label = _motion(group) if known.name == "hr_bpm" else None
                yield group.batch(kind, known.name, device, value=value[group.among(rows)], label=label)
        yield from self._pressure(rows)
        yield from self._beats(rows)

    def _numbers(self, rows: _Chosen) -> tuple[_Chosen, FloatArray]:
        value = rows.rows.value[rows.at]
        none = np.isnan(value)
        self._reject(rows.where(none), rows.where(none).texts(Text.VALUE), "the value must be a number")
        return rows.where(~none), value[~none]

    def _in_our_unit(self, known: Measured, rows: _Chosen, value: FloatArray) -> tuple[_Chosen, FloatArray]:
        converted = np.full(value.size, np.nan)
        units = rows.ids(Text.UNIT)
        for number in np.unique(units).tolist():
            of_unit = units == number
            unit = rows.rows.strings[number] if number >= 0 else ""
            if unit in known.units:
                factor, summand = known.units[unit]
                converted[of_unit] = factor * value[of_unit] + summand
            else:
                rule = f"the unit of {known.name} must be one of {', '.join(known.units)}"
                self._reject(rows.where(of_unit), [unit] * int(of_unit.sum()), rule)
        if known.name == "spo2_pct":  # some apps write per cent where Apple writes the fraction
            converted = np.where((value > 1) & ~np.isnan(converted), value, converted)
        good = ~np.isnan(converted)
        return rows.where(good), converted[good]

    def _pressure(self, rows: _Chosen) -> Iterator[Batch]:
        """Give the barometer's readings that stand with records of blood oxygen: the pressure where the wearer is."""
        rows = rows.where(rows.ids(Text.PRESSURE) >= 0)
        if not len(rows):
            return
        numbers, inverse = np.unique(rows.ids(Text.PRESSURE), return_inverse=True)
        hpa = np.array([_hectopascals(rows.rows.strings[number]) for number in numbers.tolist()])[inverse]
        known = QUANTITIES["station_pressure_hpa"]
        good = (hpa >= known.low) & (hpa <= known.high)
        self.tally[NO_PRESSURE] += int((~good).sum())
        rows, hpa = rows.where(good), hpa[good]
        for device, group in rows.by_device(on_wrist=True, method="barometer"):
            yield group.batch(Kind.SERIES, known.name, device, value=hpa[group.among(rows)])

    def _beats(self, rows: _Chosen) -> Iterator[Batch]:
        if not rows.rows.beat_row.size:
            return
        keep = np.full(len(rows.rows), False)
        keep[rows.at] = True
        found = intervals(rows.rows, keep, self.tally)
        for device, group in rows.by_device(on_wrist=True, origin="ppg", corrected="device"):
            mine = np.isin(found.row, group.at)
            if mine.any():
                columns = frame(time=found.time[mine], value=found.rri_ms[mine], gap=found.gap[mine])
                yield Batch(Kind.BEATS, "rri_ms", device, columns)

    def _sleep(self, rows: _Chosen) -> Iterator[Batch]:
        rows, stage = self._words(rows, "HKCategoryValueSleepAnalysis", STAGES, "the value must be a stage of sleep")
        for device, group in rows.by_device(on_wrist=True):
            yield group.batch(Kind.SLEEP, "sleep", device, label=stage.gather(group.among(rows)))

    def _symptom(self, category: str, rows: _Chosen) -> Iterator[Batch]:
        rule = "the value must say how strong the symptom was"
        rows, strength = self._words(rows, "HKCategoryValue", STRENGTHS, rule)
        there = (strength != ABSENT).to_numpy()
        self.tally[NOT_THERE] += int((~there).sum())
        rows, strength = rows.where(there), strength.filter(pl.Series(there))
        is_flush = category == HOT_FLASHES
        kind, name = (Kind.EXPOSURE, "hot_flush") if is_flush else (Kind.SYMPTOM, SYMPTOMS[category])
        for device, group in rows.by_device():
            yield group.batch(kind, name, device, label=strength.gather(group.among(rows)))

    def _workouts(self, activity: str, rows: _Chosen) -> Iterator[Batch]:
        """Give workouts; how long they lasted is without their pauses, where the export says it."""
        whole = (rows.end - rows.start) / 60_000
        factors = np.array([*(MINUTES.get(text, np.nan) for text in rows.rows.strings), np.nan])  # the last for no unit
        said = rows.rows.value[rows.at] * factors[rows.ids(Text.UNIT)]
        minutes = np.where((said >= 0) & (said <= whole + 1), said, whole)
        for device, group in rows.by_device(on_wrist=True):
            yield group.batch(Kind.WORKOUT, "exercise", device, value=minutes[group.among(rows)], label=activity)

    def _words(self, rows: _Chosen, prefix: str, words: Words[str, str], rule: str) -> tuple[_Chosen, pl.Series]:
        """Return the rows whose value is a known word and our words for them; the others are noted."""
        ours = pl.Series([*(words.get(text.removeprefix(prefix)) for text in rows.rows.strings), None], dtype=pl.String)
        number = rows.ids(Text.VALUE)
        label = ours.gather(np.where(number >= 0, number, len(ours) - 1))
        known = label.is_not_null().to_numpy()
        self._reject(rows.where(~known), rows.where(~known).texts(Text.VALUE), rule)
        return rows.where(known), label.drop_nulls()

    def _reject(self, rows: _Chosen, values: Any, rule: str) -> None:
        if len(rows):
            self._log.rows(self._file, rows.rows.line[rows.at], values, rule)


@dataclass(frozen=True, eq=False, slots=True)
class _Chosen:
    """Some of the rows, `at` being their numbers, ascending."""

    rows: Rows
    at: IntArray
    zone_min: pl.Series | None

    def __len__(self) -> int:
        return int(self.at.size)

    @property
    def start(self) -> IntArray:
        return self.rows.start[self.at]

    @property
    def end(self) -> IntArray:
        return self.rows.end[self.at]

    def ids(self, which: Text) -> NDArray[np.int32]:
        ids: NDArray[np.int32] = self.rows.ids[which, self.at]
        return ids

    def texts(self, which: Text) -> list[str]:
        return [self.rows.text(which, row) for row in self.at.tolist()]

    def where(self, mask: BoolArray) -> _Chosen:
        return _Chosen(self.rows, self.at[mask], self.zone_min)

    def among(self, others: _Chosen) -> IntArray:
        """Return where these rows stand among others that hold them all."""
        return np.searchsorted(others.at, self.at)

    def by_device(
        self, *, on_wrist: bool = False, method: str = "", origin: str = "", corrected: str = "unknown"
    ) -> Iterator[tuple[Device, _Chosen]]:
        """Part the rows by who wrote them."""
        if not len(self):
            return
        key = np.zeros(len(self), dtype=np.int64)
        for which in (Text.SOURCE, Text.DEVICE, Text.ENTERED):
            key = key * (len(self.rows.strings) + 1) + self.ids(which) + 1
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        groups: dict[Device, list[int]] = {}
        for group, row in enumerate(self.at[first].tolist()):
            name = self.rows.text(Text.SOURCE, row)
            role = _role(name, self.rows.text(Text.DEVICE, row), self.rows.text(Text.ENTERED, row))
            site = "wrist" if on_wrist and role == "watch" else ""
            device = Device(SOURCE, role, name, site=site, method=method, origin=origin, corrected=corrected)
            groups.setdefault(device, []).append(group)
        for device, numbers in groups.items():
            yield device, (self.where(np.isin(inverse, numbers)) if len(groups) > 1 else self)

    def batch(
        self, kind: Kind, name: str, device: Device, *, value: FloatArray | None = None,
        label: pl.Series | str | None = None,
    ) -> Batch:  # fmt: skip
        end: IntArray | FloatArray | None = self.end
        if kind is Kind.SERIES:
            end = None
        elif kind in {Kind.EXPOSURE, Kind.SYMPTOM}:  # logged with a tap, it has no end
            end = np.where(self.end > self.start, self.end, np.nan)
        zone_min = None if self.zone_min is None else self.zone_min.gather(self.at)
        return Batch(kind, name, device, frame(time=self.start, end=end, zone_min=zone_min, value=value, label=label))


def _as_times(ms: IntArray) -> TimeArray:
    return ms.astype("datetime64[ms]")


def _motion(rows: _Chosen) -> pl.Series | None:
    """Return whether the wearer moved when the heart rate was taken; None where no record says it."""
    number = rows.ids(Text.MOTION)
    if not (number >= 0).any():
        return None
    words = pl.Series([*(MOTION.get(text) for text in rows.rows.strings), None], dtype=pl.String)
    return words.gather(np.where(number >= 0, number, len(words) - 1))


def _role(name: str, device: str, entered: str) -> str:
    if entered == BY_HAND:
        return "manual"
    said = device.lower()
    for role, of_device, _ in _ROLES:
        if any(word in said for word in of_device):
            return role
    for role, _, of_name in _ROLES:
        if any(word in name.lower() for word in of_name):
            return role
    return ""


def _hectopascals(text: str) -> float:
    """Return a pressure like "100.719 kPa" in hPa; NaN for what is none."""
    number, _, unit = text.partition(" ")
    try:
        return float(number) * PRESSURE_UNITS.get(unit, np.nan)
    except ValueError:
        return np.nan

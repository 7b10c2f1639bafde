"""What looks wrong in rows that each could be true: units, clocks, one recording twice. Told, and never mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.quantities import QUANTITIES
from unaji.records.mapping.units import CONVERSIONS
from unaji.records.preferred import PLACE_MATTERS
from unaji.records.shifted import COMPARED_DAYS, MINUTE_MS, shift_between
from unaji.records.timeline import FloatArray, TimeArray, Zones

TELLING = ("°C", "kg", "cm", "hPa", "mmHg", "kPa", "%", "ms")
"""Units whose mistakes can be told from values. Wind, differences of temperature, and sums over some time may well
differ by as much as two units do."""

TOLERANCE = 0.05
"""How close to a factor a ratio of medians must be; the factors lie further from 1 and from each other."""

FEWEST_ROWS = 20
FEWEST_DAYS = 3
SAME_WITHIN_MS = 2000
FEWEST_SAME = 20
SAME_AT_LEAST = 0.8
"""Cohen's kappa from which two sources are one recording: dry hours and whole numbers agree often by chance."""

RATE_MAY_DIFFER = 0.2
PRESSURE_MAY_DIFFER_HPA = 3.0
SLEEP_H = 5
DAYTIME_H = (10.0, 20.0)
FEWEST_HOURLY_DAYS = 7
DEEPER_BY = 0.08
"""Share by which the heart rate of its quietest hours must lie below that of the day for them to be a night."""


class Doubt(StrEnum):
    """What is doubted; the report has a sentence for each."""

    UNIT_BETWEEN = "unit_between"  # two sources differ as two units do
    UNIT_CHANGED = "unit_changed"  # one source does, from one month to the next
    BEATS_AND_RATE = "beats_and_rate"  # intervals between beats do not fit the heart rate
    PRESSURES = "pressures"  # pressure at the station is higher than reduced to the sea
    CLOCK = "clock"  # two sources agree only when one is shifted
    NIGHT_BY_DAY = "night_by_day"  # the heart is quietest in the daytime
    SAME_TWICE = "same_twice"  # one recording, by two roads
    BEATS_OVERLAP = "beats_overlap"  # intervals longer than the time since the beat before


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that looks wrong.

    Attributes
    ----------
    quantity : str
        What it is about.
    sources : tuple of str
        Whose rows, the doubted ones first.
    values : mapping of str to str or float
        What the sentence names: a unit, a month, a number.
    """

    doubt: Doubt
    quantity: str
    sources: tuple[str, ...]
    values: Mapping[str, str | float]


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Values of one quantity from one source, in order of time.

    Attributes
    ----------
    time : ndarray of datetime64[ms], shape (n,)
        UTC; of beats, when the interval ends.
    """

    quantity: str
    source: str
    role: str
    site: str
    time: TimeArray
    value: FloatArray
    zones: Zones

    @property
    def frame(self) -> pl.DataFrame:
        """Columns ``time``, ``day`` and ``month`` (on the wall clock), ``value``; rows without value are left out."""
        wall = self.time + self.zones.offset_min(self.time) * np.timedelta64(60_000, "ms")
        frame = pl.DataFrame({"time": self.time, "wall": wall, "value": self.value})
        days = pl.col("wall").dt.date().alias("day"), pl.col("wall").dt.strftime("%Y-%m").alias("month")
        return frame.filter(pl.col("value").is_finite()).with_columns(days)


def suspicions(measured: Sequence[Measured]) -> Iterator[Suspicion]:
    """Look for what is wrong across rows; each doubt is a question to the person, and nothing is changed.

    Parameters
    ----------
    measured : sequence of Measured
        All that has values.
    """
    frames = [one.frame for one in measured]
    pairs = list(combinations(zip(measured, frames, strict=True), 2))
    for one, frame in zip(measured, frames, strict=True):
        yield from _unit_changed(one, frame)
        if one.quantity == "rri_ms":
            yield from _beats_overlap(one)
        if one.quantity == "hr_bpm":
            yield from _night_by_day(one, frame)
    for (one, of_one), (other, of_other) in pairs:
        if one.quantity == other.quantity and (one.quantity not in PLACE_MATTERS or one.site == other.site):
            twice = list(_same_twice(one, of_one, other, of_other))
            yield from twice or _unit_between(one, of_one, other, of_other)
        if {one.quantity, other.quantity} == {"hr_bpm", "rri_ms"}:
            beats, rate = (of_one, of_other) if one.quantity == "rri_ms" else (of_other, of_one)
            yield from _beats_and_rate(one, other, beats, rate)
        if {one.quantity, other.quantity} == {"station_pressure_hpa", "sea_level_pressure_hpa"}:
            station, sea = (of_one, of_other) if one.quantity == "station_pressure_hpa" else (of_other, of_one)
            yield from _pressures(one, other, station, sea)
    yield from _clocks(measured)


# -- units -------------------------------------------------------------------------------------------------------------


def other_unit(unit: str, ours: float, theirs: float) -> str | None:
    """Return in which unit a value must have been written for it to mean the other; None where neither fits.

    Examples
    --------
    >>> other_unit("kg", 61.2, 134.9)
    'lb'
    """
    for name, (factor, summand) in CONVERSIONS[unit].items() if unit in TELLING else ():
        written = (ours - summand) / factor
        if written and abs(theirs / written - 1) < TOLERANCE and abs(theirs - ours) > TOLERANCE * abs(ours):
            return name
    return None


def _unit_between(one: Measured, of_one: pl.DataFrame, other: Measured, of_other: pl.DataFrame) -> Iterator[Suspicion]:
    days = _daily_medians(of_one).join(_daily_medians(of_other), on="day", suffix="_other")
    if days.height < FEWEST_DAYS:
        return
    first, second = _median(days["value"]), _median(days["value_other"])
    unit = QUANTITIES[one.quantity].unit
    for a, b, ours, theirs in ((one, other, first, second), (other, one, second, first)):
        if name := other_unit(unit, ours, theirs):
            yield Suspicion(
                Doubt.UNIT_BETWEEN, one.quantity, (b.source, a.source),
                {"unit": name, "value": theirs, "usual": ours, "own": unit},
            )  # fmt: skip
            return


def _unit_changed(one: Measured, frame: pl.DataFrame) -> Iterator[Suspicion]:
    known = QUANTITIES.get(one.quantity)
    if known is None or known.unit not in TELLING:
        return
    months = frame.group_by("month").agg(pl.len(), pl.col("value").median()).sort("month")
    months = months.filter(pl.col("len") >= FEWEST_ROWS)
    for before, after in pairwise(months.iter_rows(named=True)):
        if _month_number(after["month"]) != _month_number(before["month"]) + 1:  # a winter and the next summer
            continue
        name = other_unit(known.unit, before["value"], after["value"])
        back = other_unit(known.unit, after["value"], before["value"])
        if name or back:
            values = {"unit": name or back or "", "month": after["month"], "value": after["value"],
                      "usual": before["value"], "own": known.unit}  # fmt: skip
            yield Suspicion(Doubt.UNIT_CHANGED, one.quantity, (one.source,), values)


def _month_number(month: str) -> int:
    return 12 * int(month[:4]) + int(month[5:])


def _beats_and_rate(one: Measured, other: Measured, beats: pl.DataFrame, rate: pl.DataFrame) -> Iterator[Suspicion]:
    """Compare 60,000 over the interval with the heart rate of the same hours: a night is not a day."""
    hour = pl.col("time").dt.truncate("1h").alias("hour")
    medians = [frame.group_by(hour).agg(pl.col("value").median(), pl.len()) for frame in (beats, rate)]
    hours = medians[0].filter(pl.col("len") >= FEWEST_ROWS).join(medians[1], on="hour", suffix="_rate")
    if hours.height < FEWEST_DAYS:
        return
    implied, told = 60_000 / _median(hours["value"]), _median(hours["value_rate"])
    if abs(implied / told - 1) > RATE_MAY_DIFFER:
        sources = (one.source, other.source) if one.quantity == "rri_ms" else (other.source, one.source)
        yield Suspicion(Doubt.BEATS_AND_RATE, "rri_ms", sources, {"implied": implied, "told": told})


def _pressures(one: Measured, other: Measured, station: pl.DataFrame, sea: pl.DataFrame) -> Iterator[Suspicion]:
    """Doubt a station pressure higher than the one reduced to the sea: so it is only where land lies below it."""
    days = _daily_medians(station).join(_daily_medians(sea), on="day", suffix="_sea")
    if days.height < FEWEST_DAYS:
        return
    at_station, at_sea = _median(days["value"]), _median(days["value_sea"])
    if at_station - at_sea > PRESSURE_MAY_DIFFER_HPA:
        sources = (one.source, other.source) if one.quantity == "station_pressure_hpa" else (other.source, one.source)
        values = {"station": at_station, "sea": at_sea}
        yield Suspicion(Doubt.PRESSURES, "station_pressure_hpa", sources, values)


def _daily_medians(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("day").agg(pl.col("value").median())


def _median(column: pl.Series) -> float:
    median = column.median()
    assert isinstance(median, float | int)
    return float(median)


# -- clocks ------------------------------------------------------------------------------------------------------------


def _clocks(measured: Sequence[Measured]) -> Iterator[Suspicion]:
    hearts = [one for one in measured if one.quantity in ("hr_bpm", "rri_ms")]
    last = max((int(one.time[-1].astype(np.int64)) for one in hearts), default=0)
    rates: dict[str, pl.DataFrame] = {}
    for one in hearts:
        recent = one.time.astype(np.int64) > last - COMPARED_DAYS * 24 * 60 * MINUTE_MS
        value = one.value[recent]
        minutes = pl.DataFrame({
            "minute": one.time[recent].astype(np.int64) // MINUTE_MS,
            "rate": 60_000 / value if one.quantity == "rri_ms" else value,
        })  # fmt: skip
        means = minutes.filter(pl.col("rate").is_finite()).group_by("minute").mean()
        if means.height and (one.source not in rates or means.height > rates[one.source].height):
            rates[one.source] = means
    for first, second in combinations(rates, 2):
        shift = shift_between(rates[first], rates[second])
        if shift is not None:
            yield Suspicion(Doubt.CLOCK, "hr_bpm", (second, first), {"minutes": abs(shift), "late": float(shift > 0)})


def _night_by_day(one: Measured, frame: pl.DataFrame) -> Iterator[Suspicion]:
    """Ask where the five quietest hours of the heart lie in the daytime: a wrong zone, or sleep by day."""
    hourly = frame.group_by(pl.col("wall").dt.hour().alias("hour")).agg(
        pl.col("value").median(), pl.col("day").n_unique().alias("days")
    )
    by_hour = np.full(24, np.nan)
    by_hour[hourly["hour"].to_numpy()] = hourly["value"].to_numpy()
    if hourly.height < 24 or hourly["days"].min() < FEWEST_HOURLY_DAYS:  # type: ignore[operator]
        return
    window = np.array([by_hour[np.arange(start, start + SLEEP_H) % 24].mean() for start in range(24)])
    start = int(np.argmin(window))
    middle = (start + SLEEP_H / 2) % 24
    if DAYTIME_H[0] <= middle <= DAYTIME_H[1] and window[start] < (1 - DEEPER_BY) * float(by_hour.mean()):
        yield Suspicion(Doubt.NIGHT_BY_DAY, one.quantity, (one.source,), {"hour": float(middle)})


# -- the same twice ----------------------------------------------------------------------------------------------------


def _same_twice(one: Measured, of_one: pl.DataFrame, other: Measured, of_other: pl.DataFrame) -> Iterator[Suspicion]:
    """Tell one recording that came by two roads: the same value at the same instant, again and again."""
    fewer, more = (of_one, of_other) if of_one.height <= of_other.height else (of_other, of_one)
    if fewer.height < FEWEST_SAME or fewer["value"].n_unique() < 3:
        return
    nearest = fewer.sort("time").join_asof(
        more.select("time", pl.col("value").alias("other")).sort("time"), on="time", strategy="nearest",
        tolerance=f"{SAME_WITHIN_MS}ms",
    )  # fmt: skip
    same = int((nearest["value"] == nearest["other"]).sum())
    by_chance = _agreement_by_chance(fewer["value"], more["value"])
    if same >= FEWEST_SAME and same / fewer.height > by_chance + SAME_AT_LEAST * (1 - by_chance):
        names = (one.source, other.source) if fewer is of_one else (other.source, one.source)
        yield Suspicion(Doubt.SAME_TWICE, one.quantity, names, {"rows": float(same), "share": same / fewer.height})


def _agreement_by_chance(one: pl.Series, other: pl.Series) -> float:
    """Return how often two sources that know nothing of each other say the same.

    The expected agreement of Cohen's kappa (Educational and Psychological Measurement 20, 1960, 37-46).
    """
    shares = [
        column.value_counts().select("value", share=pl.col("count") / column.len())
        for column in (one.alias("value"), other.alias("value"))
    ]
    both = shares[0].join(shares[1], on="value", suffix="_other")
    return float((both["share"] * both["share_other"]).sum())


def _beats_overlap(one: Measured) -> Iterator[Suspicion]:
    """Count beats that ended before the interval they end could have passed, beyond the second that clocks round to."""
    passed_ms: NDArray[np.float64] = np.diff(one.time).astype(np.float64)
    too_long = one.value[1:] > passed_ms + 1000
    if (share := float(too_long.mean()) if too_long.size else 0.0) > 0.01:
        values = {"rows": float(too_long.sum()), "share": share}
        yield Suspicion(Doubt.BEATS_OVERLAP, one.quantity, (one.source,), values)

"""Weather downloaded from the Japan Meteorological Agency's form (過去の気象データ・ダウンロード), daily or hourly.

Shift_JIS. Above the values stand the stations, the elements and one or two lines of sub-items and marks; they are found
by their content. Every element repeats for its value, its sub-items (時分, 風向), 現象なし情報, 品質情報 and 均質番号.

- Quality 8 (normal) and 5 (at least 80 % of the data) are kept, the rest is counted and left out.
- Times are Japanese standard time. A day is 0 to 24 h; hourly rain and sunshine are those of the hour before the
  stamp, wind is the mean of the ten minutes before it, the others are readings at the stamp.
- Where 均質番号 (homogeneity number) of any element rises, or the barometer's height seems to change, a new pressure
  segment begins, told by the series' source ("jma:1", "jma:2"), so that no change of pressure is taken across it.

Source line for reports: 出典：気象庁ホームページ.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from unaji.records.clock import MINUTE, Clock
from unaji.records.measured import checked_series, possible_times
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import FloatArray, Series, TimeArray, Zones

DOWNLOADED_AT = "ダウンロードした時刻"
QUALITY, HOMOGENEITY = "品質情報", "均質番号"
MARKS = (QUALITY, HOMOGENEITY, "現象なし情報")
KEPT_QUALITY = ("8", "5")
MEANING = {
    "4": "incomplete", "2": "doubtful", "1": "missing", "0": "not observed", "": "no quality mark",
}  # fmt: skip
JST = Zones(("Asia/Tokyo",))


@dataclass(frozen=True, slots=True)
class Element:
    """What becomes of one element; `before_min` is the length of the interval that ends at an hourly stamp [min]."""

    quantity: str
    factor: float = 1.0
    before_min: int = 0


DAILY = {
    "平均気温(℃)": Element("air_temp_c"),
    "平均湿度(％)": Element("rel_humidity_pct"),
    "平均現地気圧(hPa)": Element("station_pressure_hpa"),
    "平均海面気圧(hPa)": Element("sea_level_pressure_hpa"),
    "平均風速(m/s)": Element("wind_m_s"),
    "降水量の合計(mm)": Element("precip_mm"),
    "日照時間(時間)": Element("sunshine_min", 60),
}
HOURLY = {
    "気温(℃)": Element("air_temp_c"),
    "相対湿度(％)": Element("rel_humidity_pct"),
    "露点温度(℃)": Element("dew_point_c"),
    "現地気圧(hPa)": Element("station_pressure_hpa"),
    "海面気圧(hPa)": Element("sea_level_pressure_hpa"),
    "風速(m/s)": Element("wind_m_s", before_min=10),
    "降水量(mm)": Element("precip_mm", before_min=60),
    "日照時間(時間)": Element("sunshine_min", 60, before_min=60),
}
PRESSURES = ("station_pressure_hpa", "sea_level_pressure_hpa")

DRY_AIR_J_PER_KG_K = 287.05
GRAVITY_M_S2 = 9.80665
USUAL_AIR_C = 15.0
ROWS_BESIDE_STEP = 5
SMALLEST_STEP_M = 4.0  # pressures rounded to 0.1 hPa leave the height uncertain by about 1 m
SMALLEST_STEP_SHARE = 0.03  # and the neglected moisture by about 1 %


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """One column of a download: which station's element it is of, and which mark of it ("" for the value)."""

    station: str
    element: str
    sub_item: str
    mark: str
    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Download:
    """One downloaded file, taken apart."""

    file: str
    stamps: tuple[str, ...]
    lines: np.ndarray
    hourly: bool
    columns: tuple[Column, ...]

    def cells(self, station: str, element: str, mark: str) -> tuple[str, ...] | None:
        """Return the cells of an element itself (not of a sub-item) or of one of its marks."""
        wanted = (station, element, "", mark)
        return next((c.cells for c in self.columns if (c.station, c.element, c.sub_item, c.mark) == wanted), None)

    def quality_counts(self) -> Counter[str]:
        """Count every quality mark in the file, also those of elements that are not read."""
        return Counter(cell for column in self.columns if column.mark == QUALITY for cell in column.cells)


def claims_file(head: bytes) -> bool:
    """Say whether the first line tells when the form was downloaded."""
    first_line = head.partition(b"\n")[0]
    return any(DOWNLOADED_AT.encode(encoding) in first_line for encoding in ("cp932", "utf-8"))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read downloads of one station; several files may follow each other in time."""
    downloads = [d for file in files if (d := parse(file.load(), file.name, log)) is not None]
    if not downloads:
        return Fragment()
    station = _station(downloads, log)
    jst = replace(clock, zones=JST)
    weather = [series for d in downloads for series in _values(d, station, jst, log)]
    breaks = np.array(sorted({t for d in downloads for t in _renumbered(d, station, jst)}), dtype="datetime64[ms]")
    return Fragment(series=tuple(_segmented(weather, breaks)))


def parse(data: bytes, file: str, log: ProblemLog) -> Download | None:
    """Take a download apart; None, with the reason noted, when it has no line of elements or no rows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp932", errors="replace")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    top = next((i for i, row in enumerate(rows) if row and row[0].startswith("年月日")), None)
    first = next((i for i, row in enumerate(rows) if top is not None and i > top and row and row[0].strip()), None)
    if top is None or first is None:
        log.reject(file, None, "", "a JMA download without a line 年月日 and rows below it; download it again")
        return None
    stations, elements = rows[top - 1], rows[top]
    sub_items, marks = (
        next((row for row in rows[top + 1 : first] if has_marks == bool(set(row) & set(MARKS))), [])
        for has_marks in (False, True)
    )
    numbered = [(i + 1, row) for i, row in enumerate(rows) if i >= first and row and row[0].strip()]
    cells = [tuple(_cell(row, j) for _, row in numbered) for j in range(len(rows[top]))]
    columns = [
        Column(_cell(stations, j), _cell(elements, j), _cell(sub_items, j), _cell(marks, j), cells[j])
        for j in range(1, len(rows[top]))
    ]
    return Download(
        file=file,
        stamps=tuple(row[0].strip() for _, row in numbered),
        lines=np.array([line for line, _ in numbered]),
        hourly=rows[top][0].strip() != "年月日",
        columns=tuple(columns if marks else _first_of_each(columns)),
    )


def _cell(row: Sequence[str], j: int) -> str:
    return row[j].strip() if j < len(row) else ""


def _first_of_each(columns: Sequence[Column]) -> list[Column]:
    """Without a line of marks only the first column of each element is known to be its value."""
    return list({(c.station, c.element, c.sub_item): c for c in reversed(columns)}.values())[::-1]


def _station(downloads: Sequence[Download], log: ProblemLog) -> str:
    stations = list(dict.fromkeys(c.station for d in downloads for c in d.columns))
    if len(stations) > 1:
        rule = f"several stations; {stations[0]} was read. To use another, download that one alone"
        log.reject(downloads[0].file, None, ", ".join(stations), rule)
    return stations[0]


def _values(download: Download, station: str, jst: Clock, log: ProblemLog) -> Iterator[Series]:
    """Give the series of every known element of one file."""
    stamps = Table(download.file, pl.DataFrame({"time": download.stamps}, schema={"time": pl.String}), download.lines)
    start = jst.read(stamps.cells("time"), download.file, log).time
    end = None if download.hourly else jst.read(stamps.cells("time"), download.file, log, date_at_hour=24).time
    ok = possible_times(start, stamps, "time", jst, log)
    known = HOURLY if download.hourly else DAILY
    for element in [e for e in dict.fromkeys(c.element for c in download.columns) if e in known]:
        value = _kept_values(download, station, element, log)
        if value is None:
            continue
        what = known[element]
        from_, until = start - what.before_min * MINUTE, start if what.before_min else end
        yield from checked_series(
            what.quantity, from_[ok], what.factor * value[ok], end=None if until is None else until[ok],
            lines=download.lines[ok], site="outdoor", source="jma", file=download.file, log=log,
        )  # fmt: skip


def _kept_values(download: Download, station: str, element: str, log: ProblemLog) -> FloatArray | None:
    """Return an element's values, NaN where the quality is too low; what was left out is counted."""
    cells = download.cells(station, element, "")
    if cells is None:
        return None
    table = Table(download.file, pl.DataFrame({element: cells}, schema={element: pl.String}), download.lines)
    quality = download.cells(station, element, QUALITY)
    if quality is None:
        return table.numbers(element, log)
    good = np.isin(np.array(quality), KEPT_QUALITY)
    for mark, n in sorted(Counter(np.array(quality)[~good].tolist()).items()):
        meaning = MEANING.get(mark, "a mark that is not known")
        rule = f"{element}: values of quality {mark or 'empty'} ({meaning}) were left out"
        log.reject(download.file, None, n, rule, count=int(n))
    value = np.full(len(cells), np.nan)
    value[good] = table.where(good).numbers(element, log)
    return value


def _renumbered(download: Download, station: str, jst: Clock) -> Iterator[np.datetime64]:
    """Give the instants at which the homogeneity number of any element changes; each file counts from 1 anew."""
    start = jst.read(pl.Series(download.stamps, dtype=pl.String), download.file, ProblemLog()).time
    for column in download.columns:
        if column.station == station and column.mark == HOMOGENEITY:
            numbered = np.flatnonzero([cell != "" for cell in column.cells])
            numbers = np.array(column.cells)[numbered]
            yield from start[numbered[1:][numbers[1:] != numbers[:-1]]]


def _segmented(weather: Sequence[Series], breaks: TimeArray) -> Iterator[Series]:
    """Part the pressures at the breaks given and at steps of the barometer's height."""
    breaks = np.unique(np.concatenate([breaks, height_steps(weather)]))
    for series in weather:
        if series.quantity not in PRESSURES:
            yield series
            continue
        segment = np.searchsorted(breaks, series.time, side="right") + 1
        for number in np.unique(segment):
            rows = segment == number
            end = None if series.end is None else series.end[rows]
            yield replace(series, time=series.time[rows], value=series.value[rows], end=end, source=f"jma:{number}")


def height_steps(weather: Sequence[Series]) -> TimeArray:
    """Find when the barometer was moved up or down.

    Notes
    -----
    The height follows from station and sea-level pressure by ``z = (R T / g) ln(p_sea / p_station)``, with the air
    temperature for T (15 °C where it is missing). A step is a change from one row to the next, larger than 4 m and
    3 % of the height, that the medians of the five rows before and after confirm. Tokyo's station moved so on
    2014-12-02 without a new homogeneity number for its station pressure.
    """
    station, sea = (_row_by_time(weather, quantity) for quantity in PRESSURES)
    air = _row_by_time(weather, "air_temp_c")
    time = sorted(station.keys() & sea.keys())
    if len(time) < 2 * ROWS_BESIDE_STEP:
        return np.array([], dtype="datetime64[ms]")
    kelvin = 273.15 + np.array([air.get(t, USUAL_AIR_C) for t in time])
    ratio = np.array([sea[t] / station[t] for t in time])
    height_m = DRY_AIR_J_PER_KG_K * kelvin / GRAVITY_M_S2 * np.log(ratio)
    beside = np.lib.stride_tricks.sliding_window_view(height_m, ROWS_BESIDE_STEP)
    median = np.median(beside, axis=1)
    before, after = median[:-ROWS_BESIDE_STEP], median[ROWS_BESIDE_STEP:]
    step = np.diff(height_m)[ROWS_BESIDE_STEP - 1 : -(ROWS_BESIDE_STEP - 1)]
    smallest = np.maximum(SMALLEST_STEP_M, SMALLEST_STEP_SHARE * np.abs(before))
    moved = (np.abs(step) > smallest) & (np.abs(after - before) > smallest)
    return np.array(time, dtype="datetime64[ms]")[np.flatnonzero(moved) + ROWS_BESIDE_STEP]


def _row_by_time(weather: Sequence[Series], quantity: str) -> dict[np.datetime64, float]:
    return {t: v for s in weather if s.quantity == quantity for t, v in zip(s.time, s.value, strict=True)}

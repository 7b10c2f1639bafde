"""Weather downloaded from the Japan Meteorological Agency's form (過去の気象データ・ダウンロード), daily or hourly.

Shift_JIS. Above the values stand the stations, the elements and one or two lines of sub-items and marks; they are found
by their content. Every element repeats for its value, its sub-items (時分, 風向), 現象なし情報, 品質情報 and 均質番号.

- Quality 8 (normal) and 5 (at least 80 % of the data) are kept. 4 (incomplete) is kept as of low quality, but not of
  sums, of which it is only a bound. The rest is counted and left out.
- Times are Japanese standard time. A day is 0 to 24 h; midnight is 0:00 of the next day. Hourly rain, sunshine and
  radiation are those of the hour before the stamp, wind is the mean of the ten minutes before it, the others are
  readings at the stamp. Year, month, day and hour may stand in columns of their own.
- Where 均質番号 (homogeneity number) of any element changes, the barometer may be another one: the moment is kept as a
  row `unaji.records.barometer.MOVED`, and the pressure is parted there when it is read.

Source line for reports: 出典：気象庁ホームページ.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import polars as pl

from unaji.records.barometer import BAROMETERS, MOVED
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.clock import MINUTE, Clock
from unaji.records.measured import possible_times
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import Table
from unaji.records.timeline import BoolArray, FloatArray, TimeArray
from unaji.records.weather.jma_cells import DAILY, HOURLY, JST_MIN, Element, element_name, read_values
from unaji.records.weather.rows import batch

SOURCE = "jma"
DOWNLOADED_AT = "ダウンロードした時刻"
QUALITY, HOMOGENEITY = "品質情報", "均質番号"
MARKS = (QUALITY, HOMOGENEITY, "現象なし情報")
TIME_HEADINGS = ("年月日", "年月日時", "年月", "年", "月", "日", "時")
PERIOD_HEADINGS = ("集計開始", "集計終了")
KEPT_QUALITY = ("8", "5")
INCOMPLETE = "4"
MEANING = {
    "4": "incomplete", "2": "doubtful", "1": "missing", "0": "not observed", "": "no quality mark",
}  # fmt: skip
DAY = np.timedelta64(86_400_000, "ms")


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
    """One downloaded file, taken apart.

    Attributes
    ----------
    wall : ndarray, shape (n_rows,)
        Japanese wall clock of each row, NaT where it cannot be read; a day is its first instant.
    """

    file: str
    stamps: tuple[str, ...]
    wall: TimeArray
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


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """One element of one file as it was kept: NaN where there is no value, `low` where it is incomplete."""

    quantity: str
    time: TimeArray
    end: TimeArray | None
    value: FloatArray
    low: BoolArray
    lines: np.ndarray


def claims_file(head: bytes) -> bool:
    """Say whether the first line tells when the form was downloaded."""
    first_line = head.partition(b"\n")[0]
    return any(DOWNLOADED_AT.encode(encoding) in first_line for encoding in ("cp932", "utf-8"))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the downloads of one station, which may follow each other; incomplete values are kept and marked."""
    downloads = [d for file in files if (d := parse(file.load(), file.name, log)) is not None]
    if not downloads:
        return
    station = _station(downloads, log)
    device = Device(SOURCE, role="station", name=station, site="outdoor")
    for download in downloads:
        given: set[str] = set()
        for reading in _readings(download, station, clock, log):
            given.add(reading.quantity)
            yield from batch(
                reading.quantity, reading.time, reading.value, end=reading.end, low_quality=reading.low,
                device=device, lines=reading.lines, zone_min=JST_MIN, file=download.file, log=log,
            )  # fmt: skip
        moved = _renumbered(download, station, clock)
        if moved.size and not given.isdisjoint(BAROMETERS):
            yield Batch(Kind.EXPOSURE, MOVED, device, frame(time=moved, zone_min=JST_MIN))


def parse(data: bytes, file: str, log: ProblemLog) -> Download | None:
    """Take a download apart; None, with the reason noted, when it has no line of elements or no rows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp932", errors="replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        log.reject(file, None, str(error), "the file cannot be read as CSV; download it again")
        return None
    top = next((i for i, row in enumerate(rows) if i and row and row[0].strip() in TIME_HEADINGS), None)
    first = next((i for i, row in enumerate(rows) if top is not None and i > top and row and row[0].strip()), None)
    if top is None or first is None:
        log.reject(file, None, "", "a JMA download without a line 年月日 and rows below it; download it again")
        return None
    stations, elements = rows[top - 1], rows[top]
    n_time = next((j for j, cell in enumerate(elements) if cell.strip() not in TIME_HEADINGS), len(elements))
    headings = [cell.strip() for cell in elements[:n_time]]
    numbered = [(i + 1, row) for i, row in enumerate(rows) if i >= first and row and row[0].strip()]
    if set(stations) & set(PERIOD_HEADINGS) or headings in (["年月"], ["年", "月"], ["年"]):
        rule = "the table sums up days or months, which says nothing of hours; download 時別値 (or 日別値) instead"
        log.reject(file, None, ", ".join(headings), rule, count=len(numbered))
        return None
    sub_items, marks = (
        next((row for row in rows[top + 1 : first] if has_marks == bool(set(row) & set(MARKS))), [])
        for has_marks in (False, True)
    )
    cells = [tuple(map(str.strip, column)) for column in zip_longest(*(row for _, row in numbered), fillvalue="")]
    cells += [("",) * len(numbered)] * (len(elements) - len(cells))
    columns = [
        Column(_cell(stations, j), _cell(elements, j), _cell(sub_items, j), _cell(marks, j), cells[j])
        for j in range(n_time, len(elements))
    ]
    stamps = tuple(_stamp(headings, row) for row in zip(*cells[:n_time], strict=True))
    return Download(
        file=file,
        stamps=stamps,
        wall=_wall(stamps),
        lines=np.array([line for line, _ in numbered]),
        hourly=headings[-1] in ("年月日時", "時"),
        columns=tuple(columns if marks else _first_of_each(columns)),
    )


def _cell(row: Sequence[str], j: int) -> str:
    return row[j].strip() if j < len(row) else ""


def _stamp(headings: Sequence[str], cells: Sequence[str]) -> str:
    """Write the time of a row in one piece, where year, month, day and hour stand apart."""
    if len(headings) == 1:
        return cells[0]
    parts = dict(zip(headings, cells, strict=True))
    if "年" not in parts:
        return " ".join(cells)
    date = f"{parts['年']}/{parts.get('月', '')}/{parts.get('日', '')}"
    return f"{date} {parts['時']}:00:00" if "時" in parts else date


def _wall(stamps: Sequence[str]) -> TimeArray:
    """Read dates (with the day of the week, if asked for) and hours, 24:00 being the next midnight; else NaT."""
    text = pl.Series(list(stamps), dtype=pl.String).str.normalize("NFKC")
    parts = text.str.extract_groups(
        r"^(\d{4}[/-]\d{1,2}[/-]\d{1,2})(?:\([^()]\))?(?:[ T]+(\d{1,2}):(\d{2})(?::00)?)?$"
    ).struct
    date = parts.field("1").str.replace_all("/", "-").str.to_datetime("%Y-%m-%d", time_unit="ms", strict=False)
    hour, minute = (parts.field(name).cast(pl.Int64, strict=False).fill_null(0).to_numpy() for name in ("2", "3"))
    time = np.array(date.to_numpy(), dtype="datetime64[ms]") + (60 * hour + minute) * MINUTE
    return np.where(60 * hour + minute <= 1440, time, np.datetime64("NaT", "ms"))


def _first_of_each(columns: Sequence[Column]) -> list[Column]:
    """Without a line of marks only the first column of each element is known to be its value."""
    return list({(c.station, c.element, c.sub_item): c for c in reversed(columns)}.values())[::-1]


def _station(downloads: Sequence[Download], log: ProblemLog) -> str:
    """Return the first station; what stands of others, or of another of its name, is counted and left out."""
    first = downloads[0].columns[0].station if downloads[0].columns else ""
    others: Counter[str] = Counter()
    for download in downloads:
        known: set[tuple[str, str, str]] = set()
        for column in download.columns:
            key = (column.element, column.sub_item, column.mark)
            if column.station != first or key in known:
                others[column.station] += sum(cell != "" for cell in column.cells) if column.mark == "" else 0
            elif column.sub_item == "":
                known.add(key)
    if others:
        names = ", ".join(dict.fromkeys([first, *others]))
        rule = f"several stations; {first} was read. To use another, download that one alone"
        log.reject(downloads[0].file, None, names, rule, count=max(others.total(), 1))
    return first


def _readings(download: Download, station: str, clock: Clock, log: ProblemLog) -> Iterator[Reading]:
    """Give every known element of one file; elements that are not used are told."""
    stamps = Table(download.file, pl.DataFrame({"time": download.stamps}, schema={"time": pl.String}), download.lines)
    time = _utc(download.wall)
    ok = possible_times(time, stamps, "time", clock, log)
    time, lines = time[ok], download.lines[ok]
    known = HOURLY if download.hourly else DAILY
    mine = dict.fromkeys(c.element for c in download.columns if c.station == station)
    unused = [name for name in mine if element_name(name) not in known]
    if unused:
        rule = f"elements that unaji does not use were left out: {', '.join(unused)}"
        log.remark(download.file, None, len(unused), rule)
    for name in (name for name in mine if name not in unused):
        element = known[element_name(name)]
        kept = _kept_values(download, station, name, element, ok, log)
        if kept is None:
            continue
        before = element.before_min * MINUTE
        start, end = (time - before, time if element.before_min else None) if download.hourly else (time, time + DAY)
        yield Reading(element.quantity, start, end, element.factor * kept[0], kept[1], lines)


def _kept_values(
    download: Download, station: str, name: str, element: Element, ok: BoolArray, log: ProblemLog
) -> tuple[FloatArray, BoolArray] | None:
    """Return an element's values, NaN where the quality is too low, and which are incomplete; the rest is counted."""
    cells = download.cells(station, name, "")
    if cells is None:
        return None
    read_cells = np.array(cells, dtype=object)[ok]
    values = read_values(read_cells.tolist(), none_is_zero=element.quantity == "precip_mm")
    quality = download.cells(station, name, QUALITY)
    if quality is None:
        left_out = np.select([values.missing, values.hidden], ["1", "2"], "8")
        marks = np.where(values.incomplete & (left_out == "8"), INCOMPLETE, left_out)
    else:
        marks = np.array(quality)[ok]
    keeps = np.isin(marks, KEPT_QUALITY if element.total else (*KEPT_QUALITY, INCOMPLETE))
    counted = ~keeps & ~((marks == "") & (read_cells == ""))
    for mark, n in sorted(Counter(marks[counted].tolist()).items()):
        meaning = MEANING.get(mark, "a mark that is not known")
        shown = mark if mark in MEANING else f"{mark[:1]}…" if mark[1:] else mark  # of a broken file it may be anything
        rule = f"{name}: values of quality {shown or 'empty'} ({meaning}) were left out"
        log.reject(download.file, None, n, rule, count=int(n))
    strange = keeps & values.strange
    log.rows(download.file, download.lines[ok][strange], read_cells[strange], f"{name} must be a number")
    return np.where(keeps, values.value, np.nan), keeps & ((marks == INCOMPLETE) | values.incomplete)


def _utc(wall: TimeArray) -> TimeArray:
    utc: TimeArray = wall - JST_MIN * MINUTE
    return utc


def _renumbered(download: Download, station: str, clock: Clock) -> TimeArray:
    """Return the instants at which the homogeneity number of any element changes; each file counts from 1 anew."""
    start = _utc(download.wall)
    early, late = clock.impossible(start)
    possible = ~(np.isnat(start) | early | late)
    moments = [np.array([], dtype="datetime64[ms]")]
    for column in download.columns:
        if column.station == station and column.mark == HOMOGENEITY:
            numbered = np.flatnonzero([cell != "" for cell in column.cells] & possible)
            numbers = np.array(column.cells)[numbered]
            moments.append(start[numbered[1:][numbers[1:] != numbers[:-1]]])
    return np.unique(np.concatenate(moments))

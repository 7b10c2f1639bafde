"""Tables of the Japan Meteorological Agency's search pages (過去の気象データ検索): the page itself, or a scraper's CSV.

- A page says station and date in its heading. A CSV has them in its file's name alone (``…2020_1_4.csv`` a day by
  hours, ``…2020_1.csv`` a month by days); without a date there the file is refused, since none is invented.
- Hours run from 1 to 24, 24 being the next midnight, in Japanese standard time. Rain, sunshine and radiation are of the
  hour before, wind of the ten minutes before.
- Signs beside the values are those of `unaji.records.weather.jma_cells`. An empty cell says nothing: rain that did not
  fall and rain that was not measured look alike where the sign ``--`` was lost, so it is no zero.
- Sites of the rain gauge network (アメダス) have no barometer: no pressure is read, and the report says what to do.

Source line for reports: 出典：気象庁ホームページ.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np

from unaji.records.batch import Batch, Device
from unaji.records.clock import HOUR, MINUTE, Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import BoolArray, FloatArray, TimeArray
from unaji.records.weather.jma_cells import (
    DAILY,
    HOURLY,
    JST_MIN,
    Element,
    Values,
    element_name,
    read_values,
)
from unaji.records.weather.rows import IntArray, batch, possible

SOURCE = "jma"
DAY = 24 * HOUR
PAGE_TABLE = b'class="data2_s"'
DATE_OF_NAME = re.compile(r"(?<!\d)(\d{4})[_-](\d{1,2})(?:[_-](\d{1,2}))?(?!\d)")
DATE_OF_PAGE = re.compile(r"(\S*?)\s*(\d{4})年\s*(\d{1,2})月(?:\s*(\d{1,2})日)?")
PRESSURES = {"station_pressure_hpa", "sea_level_pressure_hpa"}
NO_BAROMETER = (
    "この観測所に気圧計はありません。最寄りの気象台などの気圧を別に取り込んでください / this site has no barometer, so "
    "falling pressure cannot be examined with it; import a table of the nearest observatory (気象台) too"
)


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """A table as it stands: names of columns, cells, and of which day or month it is.

    Attributes
    ----------
    date : numpy.datetime64 or None
        First instant of the day or month on the Japanese wall clock; None where nothing says it.
    hourly : bool
        Hours of a day, else days of a month.
    """

    file: str
    station: str
    date: np.datetime64 | None
    hourly: bool
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: IntArray


def claims_file(head: bytes) -> bool:
    """Say whether a file is a page with a table of past weather, or begins like a scraper's copy of one."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"<":
        return PAGE_TABLE in text and "気象庁".encode() in text
    first_line = text.partition(b"\n")[0].decode("utf-8", errors="replace")
    names = {element_name(name) for name in first_line.split(",")[1:]}
    return first_line.startswith(",") and "気温" in first_line and len(names & {*HOURLY, *DAILY}) >= 2


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read tables of one or several stations, each by itself."""
    for file in files:
        data = file.load().removeprefix(b"\xef\xbb\xbf")
        text = data.decode("utf-8", errors="replace")
        grid = _page(text, file, log) if text.lstrip()[:1] == "<" else _copy(text, file, log)
        if grid is not None:
            yield from _batches(grid, clock, log)


def _batches(grid: Grid, clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    known = HOURLY if grid.hourly else DAILY
    time = _times(grid)
    if grid.date is None:
        kind = "名前_2020_1_4.csv" if grid.hourly else "名前_2020_1.csv"
        rule = f"neither the table nor its file's name says of which date it is; rename the file like {kind}"
        log.reject(grid.file, None, "", rule, count=len(grid.rows))
        return
    ok = possible(time, grid.file, clock, log, lines=grid.lines)
    device = Device(SOURCE, role="station", name=grid.station, site="outdoor")
    given: set[str] = set()
    unused: list[str] = []
    for j, name in enumerate(grid.names[1:], 1):
        element = known.get(name)
        if element is None or element.quantity in given:
            unused.append(name)
            continue
        given.add(element.quantity)
        cells = np.array([row[j] if j < len(row) else "" for row in grid.rows], dtype=object)[ok]
        values = read_values(cells.tolist(), none_is_zero=element.quantity == "precip_mm")
        value, low = _kept(values, element, name, grid.file, log)
        log.rows(grid.file, grid.lines[ok][values.strange], cells[values.strange], f"{name} must be a number")
        before = element.before_min * MINUTE
        stamp = time[ok]
        start, end = (stamp - before, stamp if element.before_min else None) if grid.hourly else (stamp, stamp + DAY)
        yield from batch(
            element.quantity, start, element.factor * value, end=end, device=device, lines=grid.lines[ok],
            zone_min=JST_MIN, low_quality=low, file=grid.file, log=log,
        )  # fmt: skip
    if unused:
        log.remark(grid.file, None, len(unused), f"elements that unaji does not use were left out: {', '.join(unused)}")
    if PRESSURES.isdisjoint(given):
        log.remark(grid.file, None, grid.station, NO_BAROMETER)


def _times(grid: Grid) -> TimeArray:
    """Return the instants of the rows in UTC: stamps of hours, first instants of days; NaT where there is none."""
    start = np.datetime64("NaT", "ms") if grid.date is None else grid.date.astype("datetime64[ms]")
    last = 24 if grid.hourly else 31
    numbers = [re.match(r"0*(\d{1,2})(?:[時日]|:00)?$", row[0].strip()) if row else None for row in grid.rows]
    number = np.array([int(m[1]) if m and 1 <= int(m[1]) <= last else -1 for m in numbers], dtype=np.int64)
    step = HOUR if grid.hourly else DAY
    wall = start + (number if grid.hourly else number - 1) * step
    wall[number < 0] = np.datetime64("NaT", "ms")
    if not grid.hourly:  # the 31st of a shorter month is no day
        wall[wall.astype("datetime64[M]") != start.astype("datetime64[M]")] = np.datetime64("NaT", "ms")
    utc: TimeArray = wall - JST_MIN * MINUTE
    return utc


def _kept(values: Values, element: Element, name: str, file: str, log: ProblemLog) -> tuple[FloatArray, BoolArray]:
    """Leave out what the signs say is not to be trusted; incomplete means and readings are kept as of low quality."""
    bound = values.incomplete & element.total & ~np.isnan(values.value)
    for wrong, meaning in (
        (values.missing, "missing (× or ///)"),
        (values.hidden, "doubtful (#)"),
        (bound, "incomplete (]), of which a sum is only a bound"),
    ):
        if wrong.any():
            log.reject(
                file, None, int(wrong.sum()), f"{name}: values marked {meaning} were left out", count=wrong.sum()
            )
    return np.where(bound | values.hidden, np.nan, values.value), values.incomplete


def _copy(text: str, file: Source, log: ProblemLog) -> Grid | None:
    """Take a scraper's CSV apart; its date is in the file's name."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except csv.Error as error:
        log.reject(file.name, None, str(error), "the file cannot be read as CSV; save the table again")
        return None
    if not rows:
        log.reject(file.name, None, "", "the file is empty")
        return None
    names = tuple(element_name(name) for name in rows[0])
    hourly = len(set(names) & HOURLY.keys()) >= len(set(names) & DAILY.keys())
    match = DATE_OF_NAME.search(file.base_name)
    date = _date(match[1], match[2], match[3]) if match and bool(match[3]) == hourly else None
    station = file.base_name[: match.start()] if match else ""
    body = tuple(tuple(row) for row in rows[1:])
    return Grid(file.name, station.strip("_- "), date, hourly, names, body, np.arange(len(body)) + 2)


def _date(year: str, month: str, day: str | None) -> np.datetime64 | None:
    try:
        return np.datetime64(f"{year}-{int(month):02d}-{int(day or 1):02d}")
    except ValueError:
        return None


# -- pages -------------------------------------------------------------------------------------------------------------


def _page(text: str, file: Source, log: ProblemLog) -> Grid | None:
    """Take a saved page apart; the heading above the table says station and date."""
    parser = _Page()
    parser.feed(text)
    parser.close()
    head, body = _expanded(parser.rows)
    match = DATE_OF_PAGE.search(unicodedata.normalize("NFKC", parser.heading))
    if not head or not body or not match:
        log.reject(
            file.name, None, parser.heading, "the page has no table of hours or days under a heading with a date"
        )
        return None
    names = tuple("/".join(dict.fromkeys(element_name(cell) for cell in column if cell)) for column in head)
    hourly = names[0] == "時"
    if not hourly and names[0] != "日":
        rule = "the table is neither by hours nor by days; save the page 1時間ごとの値 or 日ごとの値"
        log.reject(file.name, None, names[0], rule, count=len(body))
        return None
    date = _date(match[2], match[3], match[4]) if bool(match[4]) == hourly else None
    return Grid(file.name, match[1], date, hourly, names, tuple(body), np.arange(len(body)) + 1)


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    heading: bool
    rows: int
    columns: int


class _Page(HTMLParser):
    """Collects the rows of the table of weather and the heading before it."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self.rows: list[list[_Cell]] = []
        self._in_table = self._in_heading = False
        self._cell: tuple[str, int, int] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "table":
            self._in_table = self._in_table or "data2_s" in (known.get("class") or "").split()
        elif tag == "h3" and not self.rows:
            self._in_heading = True
        elif self._in_table and tag == "tr":
            self._close_cell()
            self.rows.append([])
        elif self._in_table and tag in ("td", "th") and self.rows:
            self._close_cell()
            self._cell = (tag, _span(known.get("rowspan")), _span(known.get("colspan")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "h3":
            self._in_heading = False
        elif tag == "table":
            self._close_cell()
            self._in_table = False
        elif tag in ("td", "th", "tr"):
            self._close_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._text.append(data)
        elif self._in_heading:
            self.heading += data

    def _close_cell(self) -> None:
        if self._cell is not None and self.rows:
            tag, rows, columns = self._cell
            self.rows[-1].append(_Cell("".join(self._text).strip(), tag == "th", rows, columns))
        self._cell, self._text = None, []


def _span(text: str | None) -> int:
    return min(int(text), 50) if text and text.isascii() and text.isdecimal() else 1


def _expanded(rows: Sequence[Sequence[_Cell]]) -> tuple[list[list[str]], list[tuple[str, ...]]]:
    """Give the texts of the heading by column, spans filled in, and the rows below it."""
    n_head = next((i for i, row in enumerate(rows) if row and not all(cell.heading for cell in row)), len(rows))
    columns: dict[int, list[str]] = {}
    taken: set[tuple[int, int]] = set()
    for i, row in enumerate(rows[:n_head]):
        j = 0
        for cell in row:
            while (i, j) in taken:
                j += 1
            for column in range(j, j + cell.columns):
                columns.setdefault(column, []).append(cell.text)
                taken |= {(i + k, column) for k in range(cell.rows)}
            j += cell.columns
    head = [columns[j] for j in sorted(columns)]
    return head, [tuple(cell.text for cell in row) for row in rows[n_head:] if row]

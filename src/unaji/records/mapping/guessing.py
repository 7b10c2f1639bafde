"""What may the columns of a table be? A proposal from the words of the header, the units and the range of the values.

It is only ever proposed: nothing is imported by a guess that no person has looked at.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.cells import whole_file
from unaji.records.clock import Clock
from unaji.records.fragments import NECK_HEAT
from unaji.records.mapping.model import (
    DELIMITERS,
    EXCEL_1900,
    ISO,
    UNIX_MS,
    UNIX_S,
    Column,
    Shape,
    TableMap,
    What,
    When,
)
from unaji.records.mapping.reading import cell_numbers, other_words
from unaji.records.mapping.sheets import (
    decoded_as,
    is_workbook,
    plain_cell,
    sheet_names,
    table_of_bytes,
    table_of_rows,
    workbook_rows,
)
from unaji.records.mapping.times import (
    IS_CLOCK,
    clock_part,
    date_part,
    fitting_patterns,
    is_ambiguous,
    moments,
    plain_times,
    with_clock,
)
from unaji.records.mapping.units import DURATIONS, converted, unit_named, units_of
from unaji.records.mapping.written import plain_name
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.tables import MISSING, Table, half_width
from unaji.records.timeline import Zones

LOOKED_AT = 40  # lines, to find the header
NAMED_WORDS = 5  # of a column, in a doubt
CODES = ("-1", "-99", "-999", "-9999", "999", "9999", "99999", "×", "///", "--", "欠測", "未測定", "なし")
"""Cells that often say that nothing was measured."""

_TIME_WORDS = (
    "日時", "時間", "時刻", "年月日", "日付", "測定日", "記録日", "timestamp", "datetime", "time", "date",
    "day", "開始", "start",
)  # fmt: skip
_DATE_WORDS = ("年月日", "日付", "date", "day", "測定日", "記録日")
_CLOCK_WORDS = ("時刻", "時間", "time", "clock")
_CLOCK_NAMES = (
    "時刻", "時間", "測定時刻", "測定時間", "記録時刻", "記録時間", "time", "clock", "time of day", "clock time",
)  # fmt: skip
"""Names of columns that can be nothing but the time of day of a date beside them."""

_BARE_CLOCK = r"^([01]?\d|2[0-3])[0-5]\d$"
"""Hours and minutes without a sign between them; such numbers are clock times only where the header says so."""

_END_WORDS = ("終了", "終わり", "end", "stop", "until", "まで")
_START_WORDS = ("開始", "就寝", "入眠", "start", "begin", "from", "onset", "bedtime", "bed time")
_RISING_WORDS = ("起床", "wake")
_LENGTH_WORDS = ("所要", "継続", "長さ", "duration", "length", "分間")
_UNIT_WORDS = ("単位", "unit", "units")
_WORDS: Mapping[tuple[What, str], str] = {  # what a header says; the first that fits holds
    (What.QUANTITY, "neck_skin_temp_c"): r"(うなじ|首|頸部|nape|neck).*(温|temp)",
    (What.QUANTITY, "finger_skin_temp_c"): r"(指|finger).*(温|temp)",
    (What.QUANTITY, "core_temp_c"): r"深部体温|core.?(body.?)?temp",
    (What.QUANTITY, "skin_temp_c"): r"皮膚.*温|体表|skin.?temp",
    (What.QUANTITY, "dew_point_c"): r"露点|dew",
    (What.QUANTITY, "air_temp_c"): r"気温|室温|外気|air.?temp|ambient|^room\b(?!.*hum)|indoor.?temp|outdoor.?temp",
    (What.QUANTITY, "body_temp_c"): r"体温|検温|body.?temp|体溫|^temp(erature)?\b|温度",
    (What.QUANTITY, "sea_level_pressure_hpa"): r"海面.*気圧|sea.?level|slp|msl",
    (What.QUANTITY, "systolic_mmhg"): r"最高血圧|収縮期|血圧.*上|上の?血圧|systolic|\bsys\b",
    (What.QUANTITY, "diastolic_mmhg"): r"最低血圧|拡張期|血圧.*下|下の?血圧|diastolic|\bdia\b",
    (What.QUANTITY, "station_pressure_hpa"): r"気圧|^(?!.*(blood|\bbp\b|systolic|diastolic|血圧|pain)).*pressure|baro",
    (What.QUANTITY, "rel_humidity_pct"): r"湿度|humid|\brh\b",
    (What.QUANTITY, "hr_resting_bpm"): r"安静.*(心拍|脈)|rest\w*.?(hr|heart|pulse)",
    (What.QUANTITY, "rmssd_ms"): r"rmssd",
    (What.QUANTITY, "sdnn_ms"): r"sdnn",
    (What.QUANTITY, "rri_ms"): r"\brri?\b|\bibi\b|心拍間隔",
    (What.QUANTITY, "hr_bpm"): r"心拍|脈拍|heart.?rate|pulse|\bhr\b|\bbpm\b",
    (What.QUANTITY, "resp_rate_bpm"): r"呼吸|resp|breath",
    (What.QUANTITY, "spo2_pct"): r"酸素|spo2|oxygen",
    (What.QUANTITY, "steps"): r"歩数|\bsteps?\b",
    (What.QUANTITY, "active_kcal"): r"カロリー|消費|calor|kcal",
    (What.QUANTITY, "weight_kg"): r"体重|weight",
    (What.QUANTITY, "height_cm"): r"身長|height",
    (What.QUANTITY, "precip_mm"): r"降水|雨量|precip|rain",
    (What.QUANTITY, "sunshine_min"): r"日照|sunshine",
    (What.QUANTITY, "solar_w_m2"): r"日射|solar|radiation",
    (What.QUANTITY, "wind_m_s"): r"風速|wind",
    (What.QUANTITY, "sound_db"): r"騒音|音量|noise|sound",
    (What.QUANTITY, "screen_min"): r"画面|スクリーン|screen",
    (What.QUANTITY, "scl_microsiemens"): r"皮膚電気|\beda\b|\bscl\b|\bgsr\b|conductance",
    (What.RATING, "neck_stiffness"): r"こり|凝り|stiff",
    (What.RATING, "neck_pain"): r"(首|頸|neck).*(痛|pain)",
    (What.RATING, "sleep_quality"): r"(眠り|睡眠).*質|sleep.?quality",
    (What.SYMPTOM, NECK_HEAT): r"うなじ|首.*熱|熱さ|熱感|neck.?heat|hot.?neck|heat.*(nape|neck)",
    (What.EXPOSURE, "hot_flush"): r"ほてり|ホットフラッシュ|hot.?flu?a?sh",
    (What.RATING, "stress"): r"ストレス|緊張|stress|tension",
    (What.RATING, "anger"): r"怒り|イライラ|いらいら|anger|irritab",
    (What.RATING, "anxiety"): r"不安|anxi",
    (What.RATING, "fear"): r"恐れ|恐怖|fear",
    (What.RATING, "fatigue"): r"疲れ|疲労|だるさ|fatigue|tired",
    (What.EXPOSURE, "caffeine"): r"カフェイン|コーヒー|珈琲|紅茶|caffeine|coffee|\btea\b",
    (What.EXPOSURE, "alcohol"): r"酒|アルコール|飲酒|ビール|alcohol|drinks?\b|beer|wine",
    (What.EXPOSURE, "hot_bath"): r"風呂|入浴|bath",
    (What.EXPOSURE, "exercise"): r"運動|exercise|workout|training",
    (What.EXPOSURE, "medication"): r"服薬|薬|medic|\bpill",
    (What.EXPOSURE, "desk_work"): r"机仕事|デスクワーク|desk",
    (What.EXPOSURE, "phone"): r"スマホ|スマートフォン|phone",
    (What.EXPOSURE, "sleep"): r"睡眠|sleep",
    (What.EXPOSURE, "meeting"): r"会議|meeting",
    (What.EXPOSURE, "hot_meal"): r"辛い|hot.?meal|spicy",
}  # fmt: skip
_YES = ("はい", "あり", "有", "有り", "○", "◯", "〇", "yes", "y", "true", "x", "✓")


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposal.

    Attributes
    ----------
    table_map : TableMap
    table : Table
        The rows, as the proposal reads them.
    patterns : tuple of str
        Ways to read the times that fit all of them, the proposed one first.
    doubts : tuple of (str, str)
        What a person should check, in Japanese and in English.
    """

    table_map: TableMap
    table: Table
    patterns: tuple[str, ...]
    doubts: tuple[tuple[str, str], ...]


def guess(file: Source, clock: Clock, map_file: str) -> Guess:
    """Propose a mapping for a file.

    Parameters
    ----------
    map_file : str
        What the mapping will be called.

    Raises
    ------
    InputError
        The file holds no table, or none with times that can be read.
    """
    shape, table = shape_of(file)
    when, patterns, doubts = propose_when(table, shape, clock)
    taken = {when.column, when.clock_column, when.end_column, when.length_column}
    columns = tuple(_columns(table, shape, taken))
    doubts += [_scale_doubt(column) for column in columns if _has_scale(column) and _said_scale(column.name) is None]
    if not columns:
        doubts.append((
            "どの列が何の値か、見出しからは分かりませんでした。案では列がすべて # で外してあります",
            "what the columns hold could not be told from their names; the proposal has them all as comments (#)",
        ))  # fmt: skip
    doubts += _doubts_of_words(table, columns)
    return Guess(TableMap(map_file, shape, when, columns), table, patterns, tuple(doubts))


def _doubts_of_words(table: Table, columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    """Name the words that are read neither as yes nor as no, for each column where words count."""
    for column in columns:
        if column.equals:
            cells = half_width(_filled(table, column.name)).str.strip_chars()
            words = cells.filter(pl.Series(other_words(cells, column.equals))).unique(maintain_order=True)
            shown = ", ".join(words.head(NAMED_WORDS)) + (", …" if len(words) > NAMED_WORDS else "")
            if shown:
                yield (
                    f"「{column.name}」には {shown} もあり、有無が決まらないので除きます(数えるなら equals に足す)",
                    f'"{column.name}" also has the words {shown}: they are left out, being no yes and no no, unless '
                    "they are added to equals",
                )


# -- shape -------------------------------------------------------------------------------------------------------------


def shape_of(file: Source) -> tuple[Shape, Table]:
    """Return how a table is written, and the table.

    Raises
    ------
    InputError
        There is none.
    """
    if is_workbook(file.head):
        return _workbook_shape(file)
    data = whole_file(file, log := ProblemLog())
    if data is None:
        raise InputError(str(log.problems()[0]))
    encoding, text = _encoding(data, file.name)
    lines = text.split("\n", LOOKED_AT)[:LOOKED_AT]
    delimiter, header_line = _delimiter_and_header(lines)
    shape = Shape((), header_line, encoding, delimiter)
    table = table_of_bytes(data, shape, file.name, log)
    if table is None:
        raise InputError(f"{file.name}: there is no table in it ({'; '.join(map(str, log.problems()[:2]))})")
    header = _written_header(lines, shape) if header_line else tuple(table.frame.columns)
    return replace(shape, header=header, decimal=_decimal(table, delimiter)), table


def _written_header(lines: Sequence[str], shape: Shape) -> tuple[str, ...]:
    """Return the header as written, capitals and all."""
    _, names = next(_rows(lines[shape.header_line - 1 :], shape.delimiter), (0, []))
    return tuple(dict.fromkeys(name for name in names if name))


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give the line, from 1, in which each row begins, and its cells, of which quoted ones may hold line breaks."""
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=delimiter)
    first = 1
    with suppress(csv.Error):  # the reader of the whole file says what is wrong
        for row in reader:
            yield first, [cell.strip() for cell in row]
            first = reader.line_num + 1


def _workbook_shape(file: Source) -> tuple[Shape, Table]:
    sheets = sheet_names(file)
    for sheet in sheets:
        rows = workbook_rows(file, sheet)
        cells = [[plain_cell(cell) for cell in row] for row in rows[:LOOKED_AT]]
        line = _header_row(cells)
        table = table_of_rows(rows, line, file.name, ProblemLog()) if rows else None
        if table is not None and len(table) and table.frame.width > 1:
            header = tuple(name for name in cells[line - 1] if name) if line else tuple(table.frame.columns)
            return Shape(header, line, sheet="" if sheet == sheets[0] else sheet), table
    raise InputError(f"{file.name}: no sheet of the workbook holds a table")


def _encoding(data: bytes, file: str) -> tuple[str, str]:
    """Return the first encoding that fits the whole file; text without a byte above 127 is UTF-8."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    looks_utf16 = marked or data[1:200:2].count(0) > len(data[1:200:2]) / 2
    for encoding in ("utf-16",) if looks_utf16 else ("utf-8", "cp932", "latin-1"):
        text = decoded_as(data, encoding)
        if text is not None and text.strip():
            if encoding == "latin-1" and any(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in text[:65_536]):
                break
            return encoding, text
    raise InputError(f"{file}: is no text and no workbook; save the table as CSV UTF-8")


def _delimiter_and_header(lines: Sequence[str]) -> tuple[str, int]:
    """Return the delimiter by which most lines have one width, and the line in which that begins."""
    best = (0, ",", 1)
    for delimiter in DELIMITERS:
        numbered = list(_rows(lines, delimiter))
        rows = [row for _, row in numbered]
        widths = [len(row) for row in rows]
        wide = [width for width in widths if width > 1]
        if wide:
            width = max(set(wide), key=lambda one: (wide.count(one), one))
            score = sum(one == width for one in widths) * min(width, 50)
            if delimiter == "," and _decimal_commas(lines):
                score = 0
            if score > best[0]:
                header_row = _header_row(rows)
                best = (score, delimiter, numbered[header_row - 1][0] if header_row else 0)
    return best[1], best[2]


def _decimal_commas(lines: Sequence[str]) -> bool:
    """Say whether commas stand inside numbers of fields parted by something else."""
    return any(other in line for line in lines[:1] for other in ";\t") and any(
        re.search(r"(^|[;\t])\s*\d+,\d+\s*($|[;\t])", line) for line in lines[1:]
    )


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """Return in which row, from 1, the names stand: the first full one; 0 where that is the first and has numbers."""
    full = max((sum(cell != "" for cell in row) for row in rows), default=0)
    for n, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell != ""]
        if len(filled) < max(1, full * 0.6):
            continue
        return n if not any(re.match(r"^[+-]?\d", cell) for cell in filled) else 0 if n == 1 else n
    return 1


def _decimal(table: Table, delimiter: str) -> str:
    """Return the decimal sign: a comma where cells are numbers with one and no column has points."""
    if delimiter == ",":
        return "."
    cells = [cell for name in table.frame.columns for cell in table.text(name)[:500]]
    commas = sum(re.fullmatch(r"[+-]?\d+,\d+", cell) is not None for cell in cells)
    points = sum(re.fullmatch(r"[+-]?\d+\.\d+", cell) is not None for cell in cells)
    return "," if commas > points else "."


# -- time --------------------------------------------------------------------------------------------------------------


def propose_when(table: Table, shape: Shape, clock: Clock) -> tuple[When, tuple[str, ...], list[tuple[str, str]]]:
    """Propose where the time stands; return also all patterns that fit it and what a person should check.

    Raises
    ------
    InputError
        No column can be read as times.
    """
    clock = clock if clock.zones else replace(clock, zones=Zones(("UTC",)))  # forms do not depend on the zone
    names = shape.header
    candidates = sorted(names, key=lambda name: not _says(name, _TIME_WORDS))
    for name in candidates:
        clock_name = _clock_beside(table, names, name)
        if clock_name and _says(name, _DATE_WORDS) and not _is_clock(table, name):
            patterns = _patterns_of_two(table, name, clock_name, clock)
            if patterns:
                return _finished(When(name, clock_name, patterns[0]), patterns, table, names, clock)
        patterns = _patterns(table.cells(plain_name(name)), clock, unnamed=not _says(name, _TIME_WORDS))
        if patterns:
            return _finished(When(name, "", patterns[0]), patterns, table, names, clock)
    raise InputError(
        f"{table.file}: no column of it can be read as times in one way; columns are {', '.join(names)}. Write the "
        "mapping by hand (docs/reference/mapping.md)"
    )


def _clock_beside(table: Table, names: Sequence[str], day_name: str) -> str:
    """Return the column of times of day that a word for a beginning names, else one that a word for them does."""
    others = [n for n in names if n != day_name and not _says(n, _END_WORDS)]
    named = (n for words in (_START_WORDS, _CLOCK_WORDS) for n in others if _says(n, words))
    return next((n for n in named if _is_clock(table, n)), "")


def _patterns_of_two(table: Table, day_name: str, clock_name: str, clock: Clock) -> tuple[str, ...]:
    """Return the patterns that fit the rows with a time of day, and whose dates fit the rows without one."""
    days, clocks = table.cells(plain_name(day_name)), table.cells(plain_name(clock_name))
    dated = pl.Series(~table.empty(plain_name(day_name)))
    timed = clock_part(clocks).str.len_chars() > 0
    found = _patterns(with_clock(days, clocks).filter(dated & timed), clock)
    rest = days.filter(dated & ~timed)
    return tuple(form for form in found if not np.isnat(moments(rest, form, clock, "", ProblemLog()).time).any())


def _finished(
    when: When, patterns: tuple[str, ...], table: Table, names: Sequence[str], clock: Clock
) -> tuple[When, tuple[str, ...], list[tuple[str, str]]]:
    cells = table.cells(plain_name(when.column))
    doubts = []
    if len(patterns) > 1 and is_ambiguous(patterns, _stamp_cells(table, when)):
        first = next((cell for cell in plain_times(cells).to_list() if cell), "")
        doubts.append((
            f"日付が{patterns[0]}か{patterns[1]}か、ファイルからは決まりません(例: {first})",
            f"nothing in the file decides whether dates are {patterns[0]} or {patterns[1]} (such as {first})",
        ))  # fmt: skip
    others = [n for n in names if n not in (when.column, when.clock_column)]
    ends = [n for n in others if _says(n, _END_WORDS) or (_says(n, _RISING_WORDS) and _is_clock(table, n))]
    end = ends[0] if ends else ""
    length = "" if end else next((n for n in names if _says(n, _LENGTH_WORDS) and _mostly_numbers(table, n)), "")
    if end:
        when = replace(when, end_column=end, end_format=_end_format(table, when, end, clock))
    elif length:
        unit = unit_named(_unit_text(length), DURATIONS) or "min"
        when = replace(when, length_column=length, length_unit=unit)
    return when, patterns, doubts + _unused_clock(table, when, names, clock)


def _unused_clock(table: Table, when: When, names: Sequence[str], clock: Clock) -> list[tuple[str, str]]:
    """Doubt times that are dates alone although a column beside them is named for the time of day."""
    taken = (when.column, when.clock_column, when.end_column, when.length_column)
    beside = _clock_beside(table, names, when.column)
    named = [n for n in names if plain_header(n) in _CLOCK_NAMES and len(_filled(table, n))]
    unused = [n for n in (beside, *named) if n and n not in taken]
    stamps = moments(table.cells(plain_name(when.column)), when.format, clock, "", ProblemLog())
    if when.clock_column or not unused or not stamps.date_only.any():
        return []
    return [(
        f"「{unused[0]}」の時刻が読めないため、日付だけになります",
        f"times of day in {unused[0]!r} cannot be read in one way, so that only dates are left",
    )]  # fmt: skip


def _end_format(table: Table, when: When, end: str, clock: Clock) -> str:
    """Return the pattern of the ends, "" where it is that of the times; a time of day alone is read with their date."""
    cells = table.cells(plain_name(end))
    if _is_clock(table, end):
        cells = with_clock(date_part(table.cells(plain_name(when.column))), cells)
    fitting = _patterns(cells.filter(pl.Series(~table.empty(plain_name(end)))), clock)
    same_days = [pattern for pattern in fitting if pattern[:5] == when.format[:5]]
    return "" if not fitting or when.format in fitting else (same_days or list(fitting))[0]


def _stamp_cells(table: Table, when: When) -> pl.Series:
    cells = table.cells(plain_name(when.column))
    return with_clock(cells, table.cells(plain_name(when.clock_column))) if when.clock_column else cells


def _patterns(cells: pl.Series, clock: Clock, *, unnamed: bool = False) -> tuple[str, ...]:
    """Return ways to read a column of times, the best first; numbers only where the header says that they are times."""
    text = plain_times(cells)
    text = text.filter(text.str.len_chars() > 0)
    if not len(text):
        return ()
    read = moments(text, ISO, clock, "", ProblemLog())
    if _all_possible(read.time, clock):
        return (ISO,)
    if text.str.contains(r"^\d+(\.\d+)?$").all() and not text.str.contains(r"^(19|20)\d{6}$").all():
        return () if unnamed else tuple(
            form for form in (UNIX_S, UNIX_MS, EXCEL_1900)
            if _all_possible(moments(text, form, clock, "", ProblemLog()).time, clock)
        )  # fmt: skip
    found = tuple(fitting_patterns(text, clock))
    return tuple(f for f in found if not (unnamed and f == "%Y%m%d"))


def _all_possible(time: np.ndarray, clock: Clock) -> bool:
    early, late = clock.impossible(time)
    return bool(time.size) and not (np.isnat(time) | early | late).any()


def _filled(table: Table, name: str) -> pl.Series:
    cells = table.cells(plain_name(name))
    return cells.filter(pl.Series(~table.empty(plain_name(name))))


def _is_clock(table: Table, name: str) -> bool:
    cells = clock_part(_filled(table, name))
    bare = plain_header(name) in _CLOCK_NAMES and bool(cells.str.contains(_BARE_CLOCK).all())
    return bool(len(cells)) and (bare or bool(cells.str.contains(IS_CLOCK).all()))


# -- columns -----------------------------------------------------------------------------------------------------------


def _columns(table: Table, shape: Shape, taken: set[str]) -> Iterator[Column]:
    unit_column = next((n for n in shape.header if plain_header(n) in _UNIT_WORDS), "")
    for name in shape.header:
        if name in taken or name == unit_column or plain_name(name) not in table:
            continue
        if not len(_filled(table, name)):
            continue
        proposed = _proposed(table, shape, name, unit_column)
        if proposed is not None:
            yield proposed


def _proposed(table: Table, shape: Shape, name: str, unit_column: str) -> Column | None:
    """Propose what one column is by its name; None where its name says nothing."""
    exact = _named_as_ours(name)
    fits = [exact] if exact else [names for names, words in _WORDS.items() if re.search(words, _searched(name, names))]
    for what, into in fits:
        if what is What.RATING and into == "stress" and _highest(table, shape, name) > 10:
            what, into = What.QUANTITY, "stress_score"  # noqa: PLW2901 - a maker's score of 0 to 100
        by_row = unit_column if what is What.QUANTITY else ""
        column = with_details(table, shape, Column(name, what, into, unit_column=by_row))
        if column is not None:
            return column
    return None


def _searched(name: str, names: tuple[What, str]) -> str:
    """Return the part of a header that says what it is; which blood pressure it is often stands in brackets."""
    if names[1] in ("systolic_mmhg", "diastolic_mmhg"):
        return plain_header(re.sub(r"[(\[)\]（［）］]", " ", name))
    return plain_header(name)


def with_details(table: Table, shape: Shape, column: Column) -> Column | None:
    """Complete what a column is with its unit or scale, by its header and values; None where the values do not fit.

    Parameters
    ----------
    column : Column
        With `name`, `what` and `into`.
    """
    cells = _filled(table, column.name)
    cells = cells.filter(~cells.str.strip_chars().is_in(CODES))
    value, _ = cell_numbers(cells, shape.decimal)
    share = float((~np.isnan(value)).mean()) if value.size else 0.0
    if column.what is What.QUANTITY:
        if share < 0.5:
            return None
        unit = _unit(column, value[~np.isnan(value)])
        if unit is None and column.unit_column:  # no one unit fits all rows, nor need it
            return column
        return None if unit is None else replace(column, unit=unit, missing=_codes(table, column, unit, shape))
    if column.what in (What.EXPOSURE, What.SYMPTOM) and share < 0.5:
        words = dict.fromkeys(cell.strip() for cell in cells.to_list())
        yes = tuple(word for word in words if unicodedata.normalize("NFKC", word).lower() in _YES)
        return replace(column, equals=yes) if yes else None
    if column.what in (What.RATING, What.SYMPTOM):
        if share < 0.5:
            return None
        return replace(column, scale=_scale(column.name, value[~np.isnan(value)]))
    return column


def plain_header(name: str) -> str:
    """Return a header without units, underscores and capitals."""
    text = unicodedata.normalize("NFKC", name).lower()
    return re.sub(r"\s+", " ", re.sub(r"[_\-.]", " ", re.sub(r"[(\[（［].*?[)\]）］]", " ", text))).strip()


def _named_as_ours(name: str) -> tuple[What, str] | None:
    plain = plain_name(name)
    for what, names in ((What.QUANTITY, QUANTITIES), (What.RATING, RATINGS), (What.EXPOSURE, EXPOSURES)):
        if plain in names:
            return what, plain
    return (What.SYMPTOM, NECK_HEAT) if plain == NECK_HEAT else None


def _says(name: str, words: Sequence[str]) -> bool:
    plain = plain_header(name)
    return any(word in plain if not word.isascii() else re.search(rf"\b{word}", plain) for word in words)


def _unit_text(name: str) -> str:
    """Return the unit in a header: "体温(℃)", "Weight [lb]", "temp_f"."""
    inside = re.search(r"[(\[（［]([^)\]）］]+)[)\]）］]", name)
    return inside[1] if inside else (re.split(r"[_\s]", name.strip())[-1])


def _unit(column: Column, value: np.ndarray) -> str | None:
    """Return the unit that the header says, or the first in whose range most values lie; None where there is none."""
    known = units_of(column.into)
    said = unit_named(_unit_text(column.name), known)
    low, high = QUANTITIES[column.into].low, QUANTITIES[column.into].high
    for unit in (said,) if said else known:
        ours = converted(column.into, value, unit)
        if value.size and np.mean((ours >= low) & (ours <= high)) > 0.5:
            return unit
    return None


def _codes(table: Table, column: Column, unit: str, shape: Shape) -> tuple[str, ...]:
    """Return cells that can be no value and are known to stand for none."""
    cells = _filled(table, column.name).str.strip_chars()
    cells = cells.filter(cells.is_in(CODES))
    value, _ = cell_numbers(cells, shape.decimal)
    ours = converted(column.into, value, unit)
    known = QUANTITIES[column.into]
    outside = ~((ours >= known.low) & (ours <= known.high))
    found = dict.fromkeys(cells.filter(pl.Series(outside)).to_list())
    return tuple(cell for cell in found if cell.lower() not in MISSING)


def _scale(name: str, value: np.ndarray) -> tuple[float, float] | None:
    """Return the scale that the header says, else ours of 0 to 10 (None) or, where that is too short, 0 to 100.

    The highest value seen says nothing of how far the scale goes: who never felt worst never wrote its end.
    """
    scale = _said_scale(name) or ((0.0, 10.0) if value.max(initial=0.0) <= 10 else (0.0, 100.0))
    return None if scale == (0.0, 10.0) else scale


def _said_scale(name: str) -> tuple[float, float] | None:
    """Return the scale in a header: "ストレス(1〜5)", "pain 0-3", "stress (/5)"; None where it says none."""
    text = unicodedata.normalize("NFKC", name)
    two = re.search(r"(?<![\d.])(\d{1,3})\s*(?:-|–|—|~|〜|to|から)\s*(\d{1,3})(?![\d.])", text)
    if two and int(two[1]) != int(two[2]):
        return float(two[1]), float(two[2])
    out_of = re.search(r"/\s?(5|10|100)(?!\d)", text)
    return (0.0, float(out_of[1])) if out_of else None


def _has_scale(column: Column) -> bool:
    return column.what is What.RATING or (column.what is What.SYMPTOM and not column.equals)


def _scale_doubt(column: Column) -> tuple[str, str]:
    low, high = column.scale or (0.0, 10.0)
    return (
        f"「{column.name}」の目盛りは{low:g}から{high:g}とみなしました。見出しからは決まりません",
        f"the scale of {column.name!r} was taken as {low:g} to {high:g}; its name does not say it",
    )


def _mostly_numbers(table: Table, name: str) -> bool:
    value, _ = cell_numbers(_filled(table, name), ".")
    return bool(value.size) and bool(np.mean(~np.isnan(value)) > 0.8)


def _highest(table: Table, shape: Shape, name: str) -> float:
    value, _ = cell_numbers(_filled(table, name), shape.decimal)
    return float(np.nanmax(value, initial=0.0))

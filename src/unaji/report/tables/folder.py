"""Write the tables into a new folder, with a page that says what every column means."""

from __future__ import annotations

from pathlib import Path

from unaji.errors import InputError
from unaji.findings import Findings
from unaji.records.folder import put_files
from unaji.report.story.safety import safety
from unaji.report.tables import explained, followed
from unaji.report.tables.sheet import Field, Sheet, field, sheet
from unaji.report.told import EN, JA, Told

SHEETS = (
    explained.summary,
    explained.red_flags,
    explained.episodes,
    explained.causes,
    explained.pairs,
    explained.at_onset,
    explained.skin_examples,
    explained.lags,
    explained.autonomic,
    explained.neck,
    followed.next_steps,
    followed.more_data,
    followed.next_observation,
    followed.treatment_effects,
    followed.rating_courses,
    followed.weeks,
    followed.signals,
    followed.claims,
    followed.sources,
    followed.checks,
    followed.warnings,
    followed.problems,
)
"""In the report's order."""


UTF8_SIGN = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Byte order mark before each table: without it Excel takes UTF-8 for the code page of its country (Shift_JIS)."""


def sheets(findings: Findings) -> tuple[Sheet, ...]:
    """Return every table that stands behind the report; one that has nothing to tell has no rows."""
    told = Told.of(findings)
    return tuple(make(told) for make in SHEETS)


def check_is_new(folder: Path) -> None:
    """Refuse a folder that is there already, as `unaji export` does: nothing is ever mixed or overwritten.

    Raises
    ------
    InputError
        There is something of that name.
    """
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{folder}: is there already; name a folder that is not")


def write_tables(folder: Path, findings: Findings) -> None:
    """Write all tables, ``columns.csv`` and ``README.txt``: the whole folder or nothing.

    Raises
    ------
    InputError
        There is something of that name.
    OutputError
        It could not be written; nothing of it is left.
    """
    check_is_new(folder)
    zones, tables = findings.timeline.zones, sheets(findings)
    contents = {f"{one.name}.csv": f"{UTF8_SIGN}{one.csv(zones)}" for one in (*tables, columns(tables))}
    put_files({"README.txt": readme(findings, tables), **contents}, folder, ())


def columns(tables: tuple[Sheet, ...]) -> Sheet:
    """Return the table of all columns: unit and meaning in both languages."""
    rows = [(table, column) for table in tables for column in table.columns]
    fields = [
        _of("file", "ファイル", "file", [f"{table.name}.csv" for table, _ in rows]),
        _of("column", "列", "column", [column.name for _, column in rows]),
        _of("unit", "単位", "unit", [column.unit for _, column in rows]),
        _of("meaning_ja", "意味", "meaning in Japanese", [column.meaning.ja for _, column in rows]),
        _of("meaning_en", "意味(英語)", "meaning in English", [column.meaning.en for _, column in rows]),
    ]
    return sheet("columns", "列の意味", "what every column means", fields, range(len(rows)))


def _of(name: str, ja: str, en: str, cells: list[str]) -> Field[int]:
    return field(name, "", ja, en, lambda i: cells[i])


RULES_JA = (
    "どの表も UTF-8(先頭に BOM つき)の CSV で、Excel でそのまま開けます。列の意味と単位は columns.csv にあります。",
    "時刻は ISO 8601(UTCとの差つき)、はい・いいえは 1・0、分からないものは空です。計算した値は小数4けたまでです。",
    "単位 1 は、見込み・割合・比・回数・点数です。p5 と p95 は90%の幅の両端です。",
    "数式として動きうる文字(=、+、-、@、タブ、改行など)で始まる文の前には ' を付けました。",
)
RULES_EN = (
    "Every table is CSV in UTF-8 with a byte order mark, so that Excel opens it as it is."
    " What a column means, and its unit, stands in columns.csv.",
    "Times are ISO 8601 with offset, yes and no are 1 and 0, unknown is empty. Computed values have four decimals.",
    "Unit 1 is a probability, share, ratio, count or score. p5 and p95 are the ends of the 90 % interval.",
    "Text that begins with a sign a spreadsheet may run (=, +, -, @, a tab, a line break) has a ' before it.",
)


def readme(findings: Findings, tables: tuple[Sheet, ...]) -> str:
    """Return the page beside the tables, Japanese first; a warning sign comes before everything else."""
    lines: list[str] = []
    for words, rules in ((JA, RULES_JA), (EN, RULES_EN)):
        told = safety(findings, words)
        lines += [words("simulated")] if findings.timeline.person.simulated else []
        lines += [told.heading, words("not_a_diagnosis"), "", *rules, ""]
        lines += [f"{one.name}.csv  {one.about.in_(words.language)}" for one in tables]
        lines += ["", ""]
    return "\n".join(lines).rstrip() + "\n"

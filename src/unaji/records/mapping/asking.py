"""The dialogue that turns a proposal into a mapping: column by column, with the proposal as the answer at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from unaji.errors import InputError
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.batch import Batch
from unaji.records.clock import Clock, iso_local
from unaji.records.fragments import NECK_HEAT
from unaji.records.mapping.guessing import Guess, with_details
from unaji.records.mapping.model import Column, TableMap, What, When
from unaji.records.mapping.reading import batches_of_table
from unaji.records.mapping.units import units_of
from unaji.records.mapping.written import map_of_text, plain_name, text_of
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table
from unaji.records.timeline import Zones, from_utc_ms

Ask = Callable[[str, str], str]
"""Asks a question that has an answer at hand, and returns the answer."""

Say = Callable[[str], None]

LEAVE = "-"
SHOWN_ROWS, SHOWN_CELLS = 3, 3


def ask_for_map(guess: Guess, lang: str, ask: Ask, say: Say) -> TableMap:
    """Ask about the time and then about each column; an answer that cannot be is explained and asked for again.

    Parameters
    ----------
    lang : {"ja", "en"}
    ask : callable
        Asked for text, with a default.
    say : callable
        Told what to show.

    Raises
    ------
    InputError
        No column is to be read.
    """
    talk = _Talk(lang, ask, say)
    table_map = guess.table_map
    shape = table_map.shape
    kind = shape.sheet or f"{shape.encoding}, {shape.delimiter!r}"
    talk.say(f"{len(guess.table):,} 行、{kind}", f"{len(guess.table):,} rows, {kind}")
    for ja, en in guess.doubts:
        talk.say(f"確認: {ja}", f"check: {en}")
    when = _ask_when(guess, talk)
    asked_about = {when.column, when.clock_column, when.end_column, when.length_column}
    proposed = {column.name: column for column in table_map.columns}
    columns: list[Column] = []
    for name in shape.header:
        if name in asked_about or plain_name(name) not in guess.table:
            continue
        column = _ask_column(name, proposed.get(name), replace(table_map, when=when), guess.table, talk)
        if column is not None:
            columns.append(column)
    if not columns:
        raise InputError(f"{table_map.file}: no column is to be read, so there is nothing to import")
    return replace(table_map, when=when, columns=tuple(columns))


def preview(table_map: TableMap, table: Table, clock: Clock, lang: str) -> Iterator[str]:
    """Give the first three rows of each column as they would be stored, and what would be left out."""
    log = ProblemLog()
    zones = Zones((table_map.when.zone,)) if table_map.when.zone else clock.zones or Zones()
    clock = replace(clock, zones=zones)
    for batch in batches_of_table(table, table_map, clock, log):
        yield f"{batch.quantity}: {len(batch):,} {'行' if lang == 'ja' else 'rows'}"
        yield from (f"  {line}" for line in islice(_lines(batch, zones), SHOWN_ROWS))
    left_out = sum(problem.count for problem in log.rejected())
    if left_out:
        yield f"使えない行: {left_out:,}" if lang == "ja" else f"left out: {left_out:,}"
        yield from (f"  {problem}" for problem in log.rejected())


def _lines(batch: Batch, zones: Zones) -> Iterator[str]:
    unit = QUANTITIES[batch.quantity].unit if batch.quantity in QUANTITIES else ""
    for time, end, value, label in batch.rows.select("time", "end", "value", "label").iter_rows():
        span = _local(time, zones) + (f" – {_local(end, zones)}" if end is not None else "")
        amount = "" if value is None else f"  {value:.6g} {'' if unit == '1' else unit}".rstrip()
        yield f"{span}{amount}{f'  {label}' if label else ''}"


def _local(ms: int, zones: Zones) -> str:
    return iso_local(from_utc_ms(np.datetime64(ms, "ms")), zones)


class _Talk:
    """Says and asks in one of two languages."""

    def __init__(self, lang: str, ask: Ask, say: Say) -> None:
        self.lang, self._ask, self._say = lang, ask, say

    def say(self, ja: str, en: str) -> None:
        self._say(ja if self.lang == "ja" else en)

    def ask(self, ja: str, en: str, default: str) -> str:
        return self._ask(ja if self.lang == "ja" else en, default or LEAVE).strip()

    def optional(self, ja: str, en: str, default: str) -> str:
        answer = self.ask(ja, en, default)
        return "" if answer == LEAVE else answer


def _ask_when(guess: Guess, talk: _Talk) -> When:
    when = guess.table_map.when
    names = ", ".join(guess.table_map.shape.header)
    while True:
        column = talk.ask(
            f"時刻(または日付)の列({names})", f"column of the time, or of the date ({names})", when.column
        )
        clock = talk.optional(
            "時刻だけの列(なければ -)", "column of the time of day alone (- for none)", when.clock_column
        )
        choices = " / ".join(guess.patterns)
        pattern = talk.ask(f"書き方({choices})", f"how it is written ({choices})", when.format)
        zone = talk.optional("時間帯(本人のものなら -)", "time zone (- for the person's own)", when.zone)
        end = talk.optional("終わりの列(なければ -)", "column of the end (- for none)", when.end_column)
        when = replace(
            when, column=column, clock_column=clock, format=pattern, zone=zone, end_column=end,
            length_column="" if end else when.length_column,
        )  # fmt: skip
        example = Column(guess.table_map.shape.header[-1], What.SYMPTOM, NECK_HEAT)
        if _holds(replace(guess.table_map, when=when, columns=(example,)), talk):
            return when


def _ask_column(
    name: str, proposed: Column | None, table_map: TableMap, table: Table, talk: _Talk
) -> Column | None:  # fmt: skip
    cells = [cell for cell in table.text(plain_name(name)) if cell][:SHOWN_CELLS]
    like = ", ".join(cells)
    while True:
        into = talk.optional(
            f"「{name}」({like})は何ですか(使わないなら -)", f'what is "{name}" ({like})? (- to leave it)',
            proposed.into if proposed else "",
        )  # fmt: skip
        if not into:
            return None
        found = _named(into)
        if found is None:
            talk.say(
                f"{into} という量はありません。GLOSSARY.md に名前の一覧があります",
                f"{into} is no name that unaji knows; GLOSSARY.md lists them",
            )
            continue
        column = _detailed(Column(name, *found), proposed, table_map, table)
        if found[0] is What.QUANTITY:
            known = ", ".join(units_of(found[1]))
            unit = talk.ask(f"  単位({known})", f"  unit ({known})", column.unit or units_of(found[1])[0])
            column = replace(column, unit=unit)
        elif found[0] is What.RATING or (found[0] is What.SYMPTOM and not column.equals):
            low, high = column.scale or (0.0, 10.0)
            scale = talk.ask("  目盛り(最小-最大)", "  scale (lowest-highest)", f"{low:g}-{high:g}")
            column = replace(column, scale=_scale_of(scale))
        elif column.equals or not _mostly_numbers(cells):
            words = talk.optional(
                "  数える言葉(コンマで区切る)", "  words that count (parted by commas)", ",".join(column.equals)
            )
            column = replace(column, equals=tuple(word.strip() for word in words.split(",") if word.strip()))
        if _holds(replace(table_map, columns=(column,)), talk):
            return map_of_text(text_of(replace(table_map, columns=(column,))), table_map.file).columns[0]


def _detailed(column: Column, proposed: Column | None, table_map: TableMap, table: Table) -> Column:
    """Take the proposal where it is of the same kind, else what the values say."""
    if proposed is not None and (proposed.what, proposed.into) == (column.what, column.into):
        return proposed
    return with_details(table, table_map.shape, column) or column


def _holds(table_map: TableMap, talk: _Talk) -> bool:
    """Say whether a mapping keeps the rules of the written form; tell which it breaks."""
    try:
        map_of_text(text_of(table_map), table_map.file)
    except InputError as error:
        talk.say(f"  {error}", f"  {error}")
        return False
    return True


def _named(text: str) -> tuple[What, str] | None:
    """Return what a name, or a meaning in Japanese or English, stands for."""
    plain = text.strip().lower()
    if plain == NECK_HEAT:
        return What.SYMPTOM, NECK_HEAT
    for what, known in ((What.QUANTITY, QUANTITIES), (What.RATING, RATINGS), (What.EXPOSURE, EXPOSURES)):
        for name, meaning in known.items():
            if plain in (name, meaning.ja.lower(), meaning.en.lower()):
                return what, name
    return None


def _scale_of(text: str) -> tuple[float, float] | None:
    low, _, high = text.replace("–", "-").replace("〜", "-").replace("～", "-").partition("-")
    try:
        scale = float(low), float(high)
    except ValueError:
        return 0.0, 0.0  # which breaks the rule for scales, and so is asked for again
    return None if scale == (0.0, 10.0) else scale


def _mostly_numbers(cells: Sequence[str]) -> bool:
    return all(cell[:1].isdigit() for cell in cells)

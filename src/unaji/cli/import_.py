"""`unaji import`: vendors' exports into a person's folder."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from unaji.errors import InputError, UsageError

if TYPE_CHECKING:
    from unaji.records.importing import Imported
    from unaji.records.mapping.guessing import Guess
    from unaji.records.mapping.model import TableMap
    from unaji.records.source import OnRead
    from unaji.records.store.writing import Undone
    from unaji.records.timeline import Zones

GUIDED = "-"
"""Stands for a mapping that is yet to be written."""

SHOWN_OF_A_REFUSAL = 3
RATE_OVER_S = 5.0
SHOWN_EVERY_S = 0.2


@click.command("import")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The person's folder.")
@click.option("--timezone", help="Where the files' times carry no offset, such as Asia/Tokyo.")
@click.option(
    "--map",
    "map_file",
    is_flag=False,
    flag_value=GUIDED,
    type=click.Path(path_type=Path),
    metavar="[MAPPING]",
    help="Read FILES as tables, as this mapping says; without MAPPING, write one together.",
)
@click.option(
    "--lang",
    type=click.Choice(["ja", "en"]),
    default="ja",
    show_default=True,
    help="Language of questions and reasons.",
)
@click.option("--undo", type=int, metavar="IMPORT", help="Take an import back, by the number it was given.")
@click.option("--yes", is_flag=True, help="Store a file also when many of its rows cannot be used, without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of each file as JSON.")
def command(
    files: tuple[Path, ...],
    into: Path,
    timezone: str | None,
    map_file: Path | None,
    lang: str,
    undo: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring FILES (also folders and zip archives) into a person's folder.

    Files are recognised by what is in them. Rows that cannot be used are listed; the rest is kept. Rows that are
    there already are not stored again. What was in the folder stays, and each import can be undone.

    Any other table (CSV, XLSX, XLS, ODS) is read with --map at the end of the line: unaji proposes what the columns
    are, asks, and keeps the answers for the next file with the same columns.

    \b
    Example:
      printf '1646305200.0\\n4.0\\n0.0\\n0.41\\n0.42\\n' > EDA.csv
      unaji import EDA.csv --into someone --timezone Asia/Tokyo
    """
    from unaji.records.importing import import_files, undo_import
    from unaji.records.reasons import say_problem, say_rule

    if (undo is None) == (not files):
        raise UsageError("name the files to import, or with --undo the import to take back")
    if undo is not None:
        _tell_undone(undo, undo_import(undo, into), as_json=as_json)
        return
    ask = None if yes or not _may_ask() else lambda it: click.confirm(say_rule(it, lang).text, err=True)
    table_map = None if map_file is None else _map(files, into, timezone, map_file, lang)
    with _progress(files) as on_read:
        done = import_files(files, into, timezone=timezone, on_read=on_read, ask=ask, table_map=table_map)
    for problem in (problem for one in done for problem in one.problems if not one.refused):
        click.echo(f"  {say_problem(problem, lang).text}", err=True)
    if as_json:
        click.echo(json.dumps({"files": [_as_json(one, _zones(into)) for one in done]}, ensure_ascii=False, indent=1))
    else:
        _tell(done, into)
    if refused := [f"{one.file}: {_refused(one, lang)}" for one in done if one.refused]:
        raise InputError("\n       ".join(refused))


def _map(files: tuple[Path, ...], into: Path, timezone: str | None, map_file: Path, lang: str) -> TableMap:
    """Return the mapping that was named, or one that is written now, by the first file."""
    from unaji.records.clock import now_utc
    from unaji.records.folder import whose_folder
    from unaji.records.mapping.asking import ask_for_map, preview
    from unaji.records.mapping.finding import beside
    from unaji.records.mapping.guessing import guess
    from unaji.records.mapping.written import read_map, write_map
    from unaji.records.problems import ProblemLog
    from unaji.records.source import file_source

    if str(map_file) != GUIDED:
        return read_map(map_file)
    if not files[0].is_file():
        raise InputError(f"{files[0]}: is no file; a mapping is written for one table")
    clock = whose_folder(into, timezone, now_utc(), ProblemLog())[1]
    place = beside(files[0])
    proposal = guess(file_source(files[0]), clock, str(place))
    if not _may_ask():
        _leave_proposal(proposal, place)
    say = partial(click.echo, err=True)
    table_map = ask_for_map(proposal, lang, _ask, say)
    for line in preview(table_map, proposal.table, clock, lang):
        say(line)
    click.confirm("この読み方で取り込みますか" if lang == "ja" else "Import it so?", default=True, abort=True, err=True)
    write_map(table_map, place)
    return table_map


def _may_ask() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, default: str) -> str:
    return str(click.prompt(question, default=default, err=True))


def _leave_proposal(proposal: Guess, place: Path) -> NoReturn:
    """Write a proposal where nobody can be asked; nothing is imported by it."""
    from unaji.records.mapping.written import write_map

    if place.exists():
        raise UsageError(f"{place} is there already: pass --map {place}, or remove it for a new proposal")
    write_map(proposal.table_map, place)
    doubts = "".join(f"\n       - {ja} / {en}" for ja, en in proposal.doubts)
    raise InputError(
        f"{place}: 読み方の案を書きました。まだ何も取り込んでいません。列・単位・日付の順を確かめ、"
        f"--map {place} で取り込んでください / this is a proposal, and nothing was imported. Check columns, units and "
        f"the order of dates, then import with --map {place}{doubts}"
    )


def _tell(done: tuple[Imported, ...], into: Path) -> None:
    for one in done:
        if not one.refused:
            number = f"import {one.batch}" if one.batch else "nothing new"
            click.echo(f"{one.file} ({', '.join(one.importers)}): {number}")
            for quantity, count in one.rows.items():
                click.echo(f"  {quantity}: {count:,}")
    if any(not one.refused for one in done):
        click.echo(f"in {into.resolve()}", err=True)


def _refused(one: Imported, lang: str) -> str:
    from unaji.records.reasons import say_problem, say_refusal

    why = say_refusal(one.refused, lang)
    found = "; ".join(say_problem(problem, lang).text for problem in one.problems[:SHOWN_OF_A_REFUSAL])
    return one.refused if why.language == "en" else f"{why.text}({found})" if found else why.text


def _tell_undone(batch: int, done: Undone, *, as_json: bool) -> None:
    rows = sum(done.rows.values())
    if as_json:
        click.echo(json.dumps({"undone": batch, "rows": rows, "restored": done.restored}))
    else:
        back = "" if done.restored is None else f"; import {done.restored} is back"
        click.echo(f"import {batch} undone: {rows:,} rows{back}")
    if done.gone is not None:
        click.echo(
            f"取り込み {batch} は {done.gone} に代わるものでした。その後に変更があったため {done.gone} は戻りません。"
            f"元の読み方でもう一度取り込んでください / it had taken the place of import {done.gone}, which does not "
            "return, as the folder has changed since; import that file once more, read as before",
            err=True,
        )


def _as_json(one: Imported, zones: Zones) -> dict[str, Any]:
    from unaji.records.clock import iso_local

    rejected = [
        {
            "reason": problem.rule,
            "count": problem.count,
            "first": problem.value if problem.line is None else f"line {problem.line}: {problem.value}",
        }
        for problem in one.rejected
    ]
    if one.refused and not rejected:
        rejected = [{"reason": one.refused, "count": 0, "first": ""}]
    return {
        "file": one.file,
        "source": ", ".join(one.importers) or None,
        "rows": one.rows,
        "rejected": rejected,
        "from": None if one.first is None else iso_local(one.first, zones),
        "to": None if one.last is None else iso_local(one.last, zones),
    }


def _zones(into: Path) -> Zones:
    from unaji.records.clock import now_utc
    from unaji.records.folder import whose_folder
    from unaji.records.problems import ProblemLog
    from unaji.records.timeline import Zones

    return whose_folder(into, None, now_utc(), ProblemLog())[1].zones or Zones()


@contextmanager
def _progress(files: tuple[Path, ...]) -> Iterator[OnRead | None]:
    """Say on stderr how far reading is, how fast it goes and how long it takes; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    meter = _Meter(sum(_size(file) for file in files))
    try:
        yield meter.read
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


def _size(path: Path) -> int:
    try:
        inside = path.rglob("*") if path.is_dir() else [path]
        return sum(file.stat().st_size for file in inside if file.is_file())
    except OSError:
        return 0


class _Meter:
    """Counts bytes and draws a line now and then."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._drawn = total, 0.0, 0.0
        self._lately: deque[tuple[float, float]] = deque([(time.monotonic(), 0.0)])

    def read(self, n_bytes: float) -> None:
        self._done += n_bytes
        now = time.monotonic()
        if now - self._drawn < SHOWN_EVERY_S:
            return
        self._drawn = now
        self._lately.append((now, self._done))
        while len(self._lately) > 2 and self._lately[0][0] < now - RATE_OVER_S:
            self._lately.popleft()
        click.echo(f"\r\x1b[K{self._line()}", nl=False, err=True)

    def _line(self) -> str:
        (began, before), (now, done) = self._lately[0], self._lately[-1]
        rate = (done - before) / (now - began) if now > began else 0.0
        left = f", {max(self._total - done, 0) / rate:.0f} s left" if rate > 0 else ""
        return f"{done / 1e6:,.0f} of {self._total / 1e6:,.0f} MB, {rate / 1e6:,.0f} MB/s{left}"

"""What an import adds to a folder that exists: only the files it has to change are touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from unaji.errors import InputError
from unaji.records import diary, measured
from unaji.records.clock import Clock
from unaji.records.folder import Content, csv_text, frame_file, own_tables, put_files, table_files
from unaji.records.merge import Fragment, distinct, merge, union
from unaji.records.person import person_toml
from unaji.records.problems import ProblemLog
from unaji.records.timeline import Beats, Problem, Series, Timeline

SHOWN_LOSSES = 5


@dataclass(frozen=True, eq=False, slots=True)
class _Held:
    """What the folder's own files hold, each by itself, and what of them could not be read."""

    path: Path
    by_file: dict[Path, Fragment]
    problems: tuple[Problem, ...]

    def of_table(self, name: str) -> list[Fragment]:
        """Return what the files of one table hold."""
        return [self.by_file[file] for file in table_files(self.path, name) if file in self.by_file]

    def losses(self, file: Path) -> list[Problem]:
        """Return what stands in a file and would be gone if it were written anew from what was read."""
        name = file.relative_to(self.path).as_posix()
        return [problem for problem in self.problems if problem.lost and problem.file == name]


def add_to_folder(brought: Timeline, path: Path, clock: Clock) -> None:
    """Add what an import brought to a person's folder.

    Rows that the folder already holds bring nothing. A new series gets a file of its own; a table that gets new rows
    is written anew with its old ones, and its former version put away. ``person.toml`` and ``zones.csv`` are never
    written anew, and nothing is written where nothing is new.

    Raises
    ------
    InputError
        A table to be written anew holds rows or columns that could not be read; nothing was changed.
    OutputError
        The folder could not be written; nothing in it was changed.
    """
    log = ProblemLog()
    held = _Held(path, dict(own_tables(path, clock, log)), log.problems())
    sheets = diary.sheets(replace(brought, **_fuller_tables(brought, held)))
    frames = dict(_fuller_series(brought, held))
    if (beats := _fuller_beats(brought, held)) is not None:
        frames["beats"] = beats
    contents: dict[str, Content] = {f"{name}.csv": csv_text(header, rows) for name, (header, rows) in sheets.items()}
    contents |= dict(frame_file(stem, frame, brought.zones) for stem, frame in frames.items())
    former = [file for stem in (*sheets, *frames) for file in table_files(path, stem)]
    _refuse_losses(held, former)
    if not (path / "person.toml").exists():
        contents["person.toml"] = person_toml(brought.person)
    if contents:
        put_files(contents, path, former)


def _refuse_losses(held: _Held, former: Sequence[Path]) -> None:
    for file in former:
        losses = held.losses(file)
        if losses:
            shown = "; ".join(map(str, losses[:SHOWN_LOSSES]))
            more = f"; and {len(losses) - SHOWN_LOSSES} more" if len(losses) > SHOWN_LOSSES else ""
            raise InputError(
                f"{file}: the import brings rows for this table, but not everything in it could be read, and writing "
                f"it anew would lose that ({shown}{more}). Correct or take out what is named here and import again; "
                "nothing was changed"
            )


def _fuller_tables(brought: Timeline, held: _Held) -> dict[str, Any]:
    """Return the rows of each written table, old and new; none where nothing is new."""
    fuller: dict[str, Any] = {}
    for name in diary.READERS:
        old = [row for fragment in held.of_table(name) for row in getattr(fragment, name)]
        new = getattr(brought, name) or ()
        rows = union((*old, *new)) if name == "observed" else tuple(dict.fromkeys((*old, *new)))
        nothing_new = rows == union(old) if name == "observed" else len(rows) == len(set(old))
        fuller[name] = () if nothing_new else rows
    return fuller


# -- series ------------------------------------------------------------------------------------------------------------


def _fuller_series(brought: Timeline, held: _Held) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give each series that has something new, with the name of its file."""
    taken: set[str] = set()
    for name, series in zip(measured.series_file_names(brought), brought.series, strict=True):
        old = [s for fragment in held.by_file.values() for s in fragment.series if _same(s, series)]
        new = _unknown_rows(series, old)
        if not len(new):
            continue
        stem, former = _place(name, series, held, taken)
        taken.add(stem.lower())
        (whole,) = merge([Fragment(series=(*former, new))], ProblemLog()).series
        yield stem, measured.series_frame(whole)


def _same(one: Series, other: Series) -> bool:
    return _key(one) == _key(other)


def _key(series: Series) -> tuple[str, str, str, bool]:
    return series.quantity, series.site, series.source, series.end is not None


def _unknown_rows(series: Series, old: Sequence[Series]) -> Series:
    columns = [np.concatenate([getattr(s, name) for s in (*old, series)]) for name in ("time", "value")]
    if series.end is not None:
        columns.append(np.concatenate([s.end for s in (*old, series) if s.end is not None]))
    new = distinct(*columns)[-len(series) :]
    return replace(
        series, time=series.time[new], value=series.value[new], end=None if series.end is None else series.end[new]
    )


def _place(name: str, series: Series, held: _Held, taken: set[str]) -> tuple[str, tuple[Series, ...]]:
    """Return the file for new rows of a series and what it holds: this series and nothing else, or nothing yet."""
    present = {file.with_suffix("").relative_to(held.path).as_posix().lower() for file in held.by_file}
    for number in count(1):
        stem = f"series/{name}" if number == 1 else f"series/{name}-{number}"
        files = table_files(held.path, stem)
        fragments = held.of_table(stem)
        inside = tuple(s for fragment in fragments for s in fragment.series)
        alone = len(fragments) == len(files) and all(_same(s, series) for s in inside)
        unharmed = not any(held.losses(file) for file in files)
        if stem.lower() not in taken and (files or stem.lower() not in present) and alone and unharmed:
            return stem, inside
    raise AssertionError("numbers do not end")


# -- beats -------------------------------------------------------------------------------------------------------------


def _fuller_beats(brought: Timeline, held: _Held) -> pl.DataFrame | None:
    """Return the beats of all origins, old and new; None where nothing is new.

    Beats of several origins stand in one file, and reading takes the best of them: none is lost here.
    """
    new = brought.beats
    if new is None:
        return None
    old = [beats for fragment in held.of_table("beats") for beats in fragment.beats]
    alike = [beats for beats in old if _recorded_as(beats) == _recorded_as(new)]
    (whole,) = merge([Fragment(beats=(*alike, new))], ProblemLog()).beats
    if alike and len(whole) == len(merge([Fragment(beats=tuple(alike))], ProblemLog()).beats[0]):
        return None
    others = [beats for beats in old if _recorded_as(beats) != _recorded_as(new)]
    return pl.concat([measured.beats_frame(beats) for beats in (*others, whole)], how="diagonal")


def _recorded_as(beats: Beats) -> tuple[str, str]:
    return beats.origin, beats.corrected

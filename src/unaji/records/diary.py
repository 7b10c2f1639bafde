"""The tables people write by hand: episodes, ratings, exposures, treatments, outcomes, observed time."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress
from typing import TypeVar

import numpy as np

from unaji.quantities import EXPOSURES, RATINGS
from unaji.records.clock import HOUR, HOW_TO_WRITE_TIMES, LONGEST_H, TOO_LONG, Clock, iso_local
from unaji.records.measured import note_rows, possible_times
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table
from unaji.records.timeline import (
    BoolArray,
    Episode,
    Exposure,
    Interval,
    Outcome,
    Rating,
    TimeArray,
    Timeline,
    Treatment,
    Zones,
    from_utc_ms,
)

Row = TypeVar("Row", Episode, Rating, Exposure, Treatment, Outcome)
MAY_LAST_LONG = ("medication", "warm_clothing")


# -- reading -----------------------------------------------------------------------------------------------------------


def read_episodes(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``start``, ``end``, ``intensity``, ``note``; a start without time is known to the day only."""
    rows = _timed(table, "start", ("end", "intensity", "note"), clock, log)
    rows = _with_ends(rows, clock, log)
    intensity = _amounts(rows, "intensity", 10.0, log)
    end = _without_long_ends(rows, log)
    episodes = [
        Episode(from_utc_ms(start), stop, strength, note, bool(whole_day))
        for start, stop, strength, note, whole_day in zip(
            rows.time, end, intensity, rows.table.verbatim("note"), rows.date_only, strict=True
        )
    ]
    return Fragment(episodes=_once(episodes, rows, log))


def read_ratings(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``time``, ``quantity``, ``value``; a date without time stands for its noon."""
    rows = _timed(table, "time", ("quantity", "value"), clock, log, required=("quantity", "value"), date_at_hour=12)
    rows = _named(rows, "quantity", RATINGS, log)
    rows = _valued(rows, log)
    values = rows.table.numbers("value", log)
    outside = (values < 0) | (values > 10)
    _reject(rows, outside, "value", "a rating must lie between 0 and 10", log)
    rows, values = rows.where(~outside), values[~outside]
    names = [_known(name, RATINGS) for name in rows.table.text("quantity")]
    ratings = [
        Rating(from_utc_ms(t), name or "", float(v)) for t, name, v in zip(rows.time, names, values, strict=True)
    ]
    return Fragment(ratings=_once(ratings, rows, log))


def read_exposures(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``start``, ``end``, ``kind``, ``amount``; a start without time is the whole of that day.

    Kinds that unaji does not know are kept and remarked on, because an article's claims may name them.
    """
    rows = _timed(table, "start", ("end", "kind", "amount"), clock, log, required=("kind",))
    rows = _with_whole_days(_with_ends(rows, clock, log), clock)
    rows = _named(rows, "kind", None, log)
    kinds = [_known(kind, EXPOSURES) or kind for kind in rows.table.text("kind")]
    strange = np.array([kind not in EXPOSURES for kind in kinds], dtype=bool)
    _remark_kinds(rows, kinds, strange, log)
    may_last = strange | np.isin(np.array(kinds, dtype=object), MAY_LAST_LONG)
    too_long = ~may_last & (rows.end - rows.time > LONGEST_H * HOUR)
    _reject(rows, too_long, "end", TOO_LONG, log)
    rows, kinds = rows.where(~too_long), list(compress(kinds, ~too_long))
    amounts = _amounts(rows, "amount", np.inf, log)
    exposures = [
        Exposure(from_utc_ms(start), kind, stop, amount)
        for start, kind, stop, amount in zip(rows.time, kinds, _optional(rows.end), amounts, strict=True)
    ]
    return Fragment(exposures=_once(exposures, rows, log))


def read_treatments(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``time``, ``kind``, ``points`` (parted by blanks or ;), ``note``; a date alone stands for its noon."""
    rows = _timed(table, "time", ("kind", "points", "note"), clock, log, required=("kind",), date_at_hour=12)
    rows = _named(rows, "kind", None, log)
    treatments = [
        Treatment(from_utc_ms(t), kind, tuple(points.replace(";", " ").split()), note)
        for t, kind, points, note in zip(
            rows.time, rows.table.text("kind"), rows.table.text("points"), rows.table.verbatim("note"), strict=True
        )
    ]
    return Fragment(treatments=_once(treatments, rows, log))


def read_outcomes(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``time``, ``instrument``, ``value``; a date without time stands for its noon."""
    rows = _timed(table, "time", ("instrument", "value"), clock, log, required=("instrument", "value"), date_at_hour=12)
    rows = _valued(_named(rows, "instrument", None, log), log)
    outcomes = [
        Outcome(from_utc_ms(t), instrument, float(value))
        for t, instrument, value in zip(
            rows.time, rows.table.text("instrument"), rows.table.numbers("value", log), strict=True
        )
    ]
    return Fragment(outcomes=_once(outcomes, rows, log))


def read_observed(table: Table, clock: Clock, log: ProblemLog) -> Fragment:
    """Read ``start``, ``end``: when an episode would have been logged, had there been one."""
    rows = _with_ends(_timed(table, "start", ("end",), clock, log, required=("end",)), clock, log)
    open_ended = np.isnat(rows.end) | (rows.end == rows.time)
    _reject(rows, open_ended, "end", "an observed stretch needs an end after its start", log)
    rows = rows.where(~open_ended)
    observed = [Interval(from_utc_ms(a), from_utc_ms(b)) for a, b in zip(rows.time, rows.end, strict=True)]
    return Fragment(observed=tuple(sorted(dict.fromkeys(observed), key=lambda i: i.start)))


Reader = Callable[[Table, Clock, ProblemLog], Fragment]
READERS: dict[str, Reader] = {
    "episodes": read_episodes,
    "ratings": read_ratings,
    "exposures": read_exposures,
    "treatments": read_treatments,
    "outcomes": read_outcomes,
    "observed": read_observed,
}


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Rows whose time could be read; `end` is NaT where there is none."""

    table: Table
    time: TimeArray
    end: TimeArray
    date_only: BoolArray

    def where(self, keep: BoolArray) -> _Rows:
        return _Rows(self.table.where(keep), self.time[keep], self.end[keep], self.date_only[keep])


def _timed(
    table: Table,
    column: str,
    others: Sequence[str],
    clock: Clock,
    log: ProblemLog,
    *,
    required: Sequence[str] = (),
    date_at_hour: int = 0,
) -> _Rows:
    """Keep the rows with a possible time; say which columns are missing or not known."""
    for name in table.frame.columns:
        if name not in (column, *others):
            known = ", ".join((column, *others))
            rule = f"the column is not known and was not read; known are {known}"
            log.remark(table.file, 1, name, rule, lost=not table.empty(name).all())
    missing = [name for name in (column, *required) if name not in table]
    if missing:
        rule = f"the first line must name the columns {', '.join((column, *required))}; the file was left out"
        log.reject(table.file, 1, ",".join(table.frame.columns), rule, count=max(len(table), 1))
        table = table.where(np.zeros(len(table), dtype=bool))
    instants = clock.read(table.cells(column), table.file, log, date_at_hour=date_at_hour)
    none = np.full(len(table), np.datetime64("NaT", "ms"))
    rows = _Rows(table, instants.time, none, instants.date_only)
    return rows.where(possible_times(rows.time, table, column, clock, log))


def _with_ends(rows: _Rows, clock: Clock, log: ProblemLog) -> _Rows:
    """Read the ends; a date without time means the end of that day."""
    read = clock.read(rows.table.cells("end"), rows.table.file, log, date_at_hour=24).time
    unread = np.isnat(read) & ~rows.table.empty("end")
    _note(rows, unread, "end", f"the end {HOW_TO_WRITE_TIMES}; the row was kept without it", log, rejected=False)
    too_late = clock.impossible(read)[1]
    backwards = read < rows.time
    _reject(rows, too_late, "end", "the end lies in the future: is the year right?", log)
    _reject(rows, backwards & ~too_late, "end", "the end lies before the start", log)
    return _Rows(rows.table, rows.time, read, rows.date_only).where(~(too_late | backwards))


def _with_whole_days(rows: _Rows, clock: Clock) -> _Rows:
    """Let a date without time last until the end of that day, where no end is given."""
    whole = rows.date_only & np.isnat(rows.end)
    if not whole.any():
        return rows
    midnight = clock.read(rows.table.cells("start"), rows.table.file, ProblemLog(), date_at_hour=24).time
    return replace(rows, end=np.where(whole, midnight, rows.end))


def _without_long_ends(rows: _Rows, log: ProblemLog) -> list[datetime | None]:
    too_long = rows.end - rows.time > LONGEST_H * HOUR
    _note(rows, too_long, "end", f"{TOO_LONG} The episode was kept without its end", log, rejected=False)
    return _optional(np.where(too_long, np.datetime64("NaT", "ms"), rows.end))


def _named(rows: _Rows, column: str, vocabulary: Collection[str] | None, log: ProblemLog) -> _Rows:
    """Keep the rows with a name, of the vocabulary where there is one."""
    names = rows.table.text(column)
    nameless = np.array([not name for name in names], dtype=bool)
    _reject(rows, nameless, column, f"{column} is empty", log)
    if vocabulary is None:
        return rows.where(~nameless)
    unknown = np.array([bool(name) and _known(name, vocabulary) is None for name in names], dtype=bool)
    _reject(rows, unknown, column, f"{column} is none of {', '.join(vocabulary)}", log)
    return rows.where(~(nameless | unknown))


def _known(name: str, vocabulary: Collection[str]) -> str | None:
    """Return the vocabulary's spelling of a name: case, blanks and hyphens do not matter."""
    plain = name.lower().replace(" ", "_").replace("-", "_")
    return plain if plain in vocabulary else None


def _remark_kinds(rows: _Rows, kinds: Sequence[str], strange: BoolArray, log: ProblemLog) -> None:
    for kind in dict.fromkeys(compress(kinds, strange)):
        near = difflib.get_close_matches(kind, EXPOSURES, n=1)
        advice = f"did you mean {near[0]}? " if near else ""
        first = int(rows.table.lines[kinds.index(kind)])
        rule = f"{advice}unaji does not know this kind; it was kept and counts only where an article's claims name it"
        log.remark(rows.table.file, first, kind, rule)


def _valued(rows: _Rows, log: ProblemLog) -> _Rows:
    """Keep the rows whose value is a finite number."""
    scratch = ProblemLog()
    bad = ~np.isfinite(rows.table.numbers("value", scratch))
    _reject(rows, bad, "value", "value must be a number", log)
    return rows.where(~bad)


def _amounts(rows: _Rows, column: str, highest: float, log: ProblemLog) -> list[float | None]:
    """Read an optional number between 0 and `highest`; a row with another one is kept without it."""
    values = rows.table.numbers(column, ProblemLog())
    bad = ~rows.table.empty(column) & ~((values >= 0) & (values <= highest) & np.isfinite(values))
    allowed = "0 or more" if np.isinf(highest) else f"between 0 and {highest:g}"
    _note(rows, bad, column, f"{column} must be {allowed}; the row was kept without it", log, rejected=False)
    return [None if b or np.isnan(v) else float(v) for v, b in zip(values, bad, strict=True)]


def _reject(rows: _Rows, bad: BoolArray, column: str, rule: str, log: ProblemLog) -> None:
    _note(rows, bad, column, rule, log, rejected=True)


def _note(rows: _Rows, bad: BoolArray, column: str, rule: str, log: ProblemLog, *, rejected: bool) -> None:
    note_rows(rows.table, bad, column, rule, log, rejected=rejected)


def _once(made: Sequence[Row], rows: _Rows, log: ProblemLog) -> tuple[Row, ...]:
    """Drop rows that say exactly what an earlier one says."""
    seen: set[Row] = set()
    for row, line in zip(made, rows.table.lines, strict=True):
        if row in seen:
            rule = "the row repeats an earlier one exactly and was counted once"
            log.reject(rows.table.file, int(line), "", rule, lost=False)
        seen.add(row)
    return tuple(dict.fromkeys(made))


def _optional(time: TimeArray) -> list[datetime | None]:
    return [None if np.isnat(t) else from_utc_ms(t) for t in time]


# -- writing -----------------------------------------------------------------------------------------------------------

Sheet = tuple[tuple[str, ...], list[list[str]]]
"""Header and rows of one CSV file."""


def sheets(timeline: Timeline) -> dict[str, Sheet]:
    """Return the tables to write, by name without ending; only those that have rows."""
    zones = timeline.zones

    def at(moment: datetime | None) -> str:
        return "" if moment is None else iso_local(moment, zones)

    everything: dict[str, Sheet] = {
        "episodes": (
            ("start", "end", "intensity", "note"),
            [[_onset(e, zones), at(e.end), _number(e.intensity), e.note] for e in timeline.episodes],
        ),
        "ratings": (
            ("time", "quantity", "value"),
            [[at(r.time), r.quantity, _number(r.value)] for r in timeline.ratings],
        ),
        "exposures": (
            ("start", "end", "kind", "amount"),
            [[at(e.start), at(e.end), e.kind, _number(e.amount)] for e in timeline.exposures],
        ),
        "treatments": (
            ("time", "kind", "points", "note"),
            [[at(t.time), t.kind, " ".join(t.points), t.note] for t in timeline.treatments],
        ),
        "outcomes": (
            ("time", "instrument", "value"),
            [[at(o.time), o.instrument, _number(o.value)] for o in timeline.outcomes],
        ),
        "observed": (("start", "end"), [[at(i.start), at(i.end)] for i in timeline.observed or ()]),
    }
    return {name: sheet for name, sheet in everything.items() if sheet[1]}


def _onset(episode: Episode, zones: Zones) -> str:
    return _date_beginning_at(episode.start, zones) if episode.whole_day else iso_local(episode.start, zones)


def _date_beginning_at(start: datetime, zones: Zones) -> str:
    """Return the local date that begins at an instant; after a flight over the date line it may be a neighbour."""
    date = zones.local(start).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for days in (0, -1, 1):
        if zones.to_utc(date + timedelta(days=days)) == start:
            return (date + timedelta(days=days)).date().isoformat()
    return date.date().isoformat()


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))

"""Any symptom, any exposures: the engine's input as three small tables.

EPISODES.csv has ``start``; EXPOSURES.csv is a regular grid with ``time``, one column an exposure and optionally
``observed``; TREATMENTS.csv has ``time,kind``. A sidecar EXPOSURES.toml may say what each exposure is.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unaji.causes.controls import PLACEBOS
from unaji.causes.design import BIN_MIN, Design, Grid, Onset, Trigger, courses_of
from unaji.causes.grid import BIN, make_grid, with_observed
from unaji.errors import InputError
from unaji.records.clock import HOW_TO_WRITE_TIMES, Clock
from unaji.records.diary import read_episodes, read_treatments
from unaji.records.person import check_zone
from unaji.records.problems import ProblemLog
from unaji.records.tables import Table, read_table
from unaji.records.timeline import (
    BoolArray,
    Episode,
    FloatArray,
    Problem,
    TimeArray,
    Treatment,
    Zones,
    from_utc_ms,
)

Row = TypeVar("Row", Episode, Treatment)
DEFAULT_SD_MIN = 12.0
DEFAULT_LAG_MIN = (5.0, 1440.0)
RESERVED = ("time", "observed")
TAKEN = ("background", "echo", *PLACEBOS)
"""Names of the engine's own sources and of its placebos: an exposure may not be called so."""
LARGEST_STEP_MIN = 1440


@dataclass(frozen=True, slots=True)
class ExposureSetting:
    """What one exposure is: a level, a dose or what may protect, and the plausible range of its mean lag [min].

    `may` names what a person may be asked to do on days dealt by lot: "avoid" it, "seek" it.
    """

    kind: str = "level"
    lag_min: tuple[float, float] = DEFAULT_LAG_MIN
    hold_min: float = 30.0
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The sidecar file: time zone, time error of the logged onsets, and the exposures."""

    timezone: str = "UTC"
    onset_error_min: float = DEFAULT_SD_MIN
    exposures: dict[str, ExposureSetting] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class TableInput:
    """What was read: the design, the zone it is to be told in, and what was found wrong."""

    design: Design
    zones: Zones
    problems: tuple[Problem, ...]


def read_tables(episodes: Path, exposures: Path, treatments: Path | None, now: datetime) -> TableInput:
    """Read the engine's input.

    Raises
    ------
    InputError
        A file is missing or its grid is not regular; says which, where and what to do.
    """
    log = ProblemLog()
    sidecar = exposures.with_suffix(".toml")
    settings = read_settings(sidecar) if sidecar.exists() else Settings()
    zones = Zones((settings.timezone,))
    clock = Clock(zones, now)
    table = _table(exposures, log)
    names = [name for name in table.frame.columns if name not in RESERVED]
    if taken := sorted(set(names) & set(TAKEN)):
        raise InputError(
            f"{exposures.name}: a column may not be called {taken[0]}: the engine calls one of its own so; rename it"
        )
    unknown = sorted(set(settings.exposures) - set(names))
    if unknown:
        raise InputError(
            f"{sidecar.name}: exposures.{unknown[0]} is not a column of {exposures.name} ({', '.join(names)})"
        )
    rows = _rows(table, exposures, clock, log)
    grid = make_grid(from_utc_ms(rows.time[0]), from_utc_ms(rows.time[-1]) + rows.step - timedelta(minutes=1), zones)
    logged = _usable(episodes, "start", read_episodes(_table(episodes, log), clock, log).episodes, log)
    sessions: tuple[Treatment, ...] = ()
    if treatments is not None:
        sessions = _usable(treatments, "time", read_treatments(_table(treatments, log), clock, log).treatments, log)
    design = Design(
        grid=with_observed(grid, _observed(table, rows, grid, log)),
        triggers=tuple(_trigger(name, settings, table, rows, grid, log) for name in names),
        onsets=tuple(Onset(e.start, e.end, settings.onset_error_min, e.whole_day, e.intensity) for e in logged),
        courses=courses_of((t.kind, t.time) for t in sessions),
    )
    return TableInput(_inside(design, episodes.name, log), zones, log.problems())


def read_settings(path: Path) -> Settings:
    """Read the sidecar file.

    Raises
    ------
    InputError
        With the file, the key and the rule it breaks.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path.name}: cannot be read as TOML ({error})") from error
    _only(data, ("timezone", "onset_error_min", "exposures"), path.name, "")
    tables = data.get("exposures", {})
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise InputError(f"{path.name}: exposures must be tables such as [exposures.caffeine]")
    return Settings(
        timezone=check_zone(data.get("timezone", "UTC"), path.name),
        onset_error_min=_number(data, "onset_error_min", DEFAULT_SD_MIN, path.name),
        exposures={name: _setting(name, table, path.name) for name, table in tables.items()},
    )


def _setting(name: str, table: dict[str, object], file: str) -> ExposureSetting:
    key = f"exposures.{name}"
    _only(table, ("kind", "lag_min", "hold_min", "may"), file, f"{key}.")
    kind = table.get("kind", "level")
    if kind not in ("level", "dose", "protector"):
        raise InputError(f'{file}: {key}.kind must be "level", "dose" or "protector", found {kind!r}')
    lag_min = _lag_min(table.get("lag_min", list(DEFAULT_LAG_MIN)), f"{file}: {key}.lag_min")
    may = table.get("may", [])
    if not isinstance(may, list) or not set(may) <= {"avoid", "seek"}:
        raise InputError(f'{file}: {key}.may must be a list of "avoid" and "seek", found {may!r}')
    return ExposureSetting(str(kind), lag_min, _number(table, "hold_min", 30.0, file), tuple(may))


def _lag_min(value: object, where: str) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        low, high = float(value[0]), float(value[1])
        if 0 < low < high < math.inf:
            return low, high
    raise InputError(f"{where} must be two ascending numbers of minutes such as [20, 180], found {value!r}")


def _number(table: Mapping[str, object], key: str, default: float, file: str) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InputError(f"{file}: {key} must be a number of minutes, found {value!r}")
    return float(value)


def _only(table: Mapping[str, object], known: tuple[str, ...], file: str, where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{file}: unknown key {where}{key}; known are {', '.join(known)}")


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """The rows of the exposure table that carry a time, ascending, and their common step."""

    keep: BoolArray
    order: NDArray[np.int64]
    time: TimeArray
    step: timedelta

    def values(self, column: FloatArray) -> FloatArray:
        return np.asarray(column[self.keep][self.order])


def _table(path: Path, log: ProblemLog) -> Table:
    table = read_table(path, path.name, log)
    if table is None:
        raise InputError("; ".join(str(p) for p in log.problems()) or f"{path}: cannot be read")
    return table


def _usable(path: Path, column: str, rows: tuple[Row, ...], log: ProblemLog) -> tuple[Row, ...]:
    """Return the rows; a file that holds some of which none can be used is no empty diary."""
    rejected = [problem for problem in log.problems() if problem.file == path.name and problem.rejected]
    if not rows and rejected:
        raise InputError(f"{rejected[0]}. None of its rows can be used; it needs a column {column} with times")
    return rows


def _rows(table: Table, path: Path, clock: Clock, log: ProblemLog) -> _Rows:
    if "time" not in table:
        raise InputError(f"{path.name}: has no column time (found: {', '.join(table.frame.columns)})")
    time = clock.read(table.frame["time"], path.name, log, equal_means_later=True).time
    unread = np.isnat(time)
    log.rows(path.name, table.lines[unread], np.array(table.text("time"))[unread], HOW_TO_WRITE_TIMES)
    keep = ~unread
    order = np.argsort(time[keep], kind="stable")
    time = time[keep][order]
    if time.size < 2:
        unread_rows = "".join(f"; {problem}" for problem in log.problems()[:1])
        raise InputError(f"{path.name}: needs at least two rows with a time to know the step of its grid{unread_rows}")
    time, order = _without_repeats(time, order, np.array(table.text("time"))[keep], table.lines[keep], path.name, log)
    return _Rows(keep, order, time, _step(time, path.name))


def _without_repeats(
    time: TimeArray,
    order: NDArray[np.int64],
    text: NDArray[np.str_],
    lines: NDArray[np.int64],
    file: str,
    log: ProblemLog,
) -> tuple[TimeArray, NDArray[np.int64]]:
    """Leave out the row of an hour that does not exist (summer time begins); refuse a time that truly stands twice."""
    repeated = np.flatnonzero(np.diff(time) == np.timedelta64(0, "ms"))
    written, at = text[order], lines[order]
    same = repeated[written[repeated] == written[repeated + 1]]
    if same.size:
        first = same[0]
        raise InputError(
            f"{file}, line {at[first + 1]}: the time {written[first]} stands twice (also in line {at[first]}); "
            "keep one row of each"
        )
    log.rows(file, at[repeated], written[repeated], "this hour does not exist where summer time begins; left out")
    kept = np.ones(time.size, dtype=bool)
    kept[repeated] = False
    return time[kept], order[kept]


def _step(time: TimeArray, file: str) -> timedelta:
    """The grid's step: the commonest distance; missing rows are gaps, anything else is not a grid."""
    distances = np.diff(time).astype("timedelta64[ms]").astype(np.int64)
    values, counts = np.unique(distances, return_counts=True)
    step = int(values[np.argmax(counts)])
    if step > LARGEST_STEP_MIN * 60_000:
        raise InputError(f"{file}: its rows are {step / 60_000:.0f} minutes apart; a day is the most")
    hour = 3_600_000  # a daily grid in local time moves by an hour when the clock changes
    off = np.abs((distances + step // 2) % step - step // 2)
    if (off > (hour if step >= 24 * hour - hour else 0)).mean() > 0.01:
        raise InputError(
            f"{file}: is not a regular grid: most rows are {step / 60_000:g} min apart, others "
            f"{np.max(distances) / 60_000:g}; give every step a row, with empty cells where nothing was observed"
        )
    return timedelta(milliseconds=step)


def _observed(table: Table, rows: _Rows, grid: Grid, log: ProblemLog) -> BoolArray:
    """Rows marked 1, or all rows where the column is absent; time without a row is not observed."""
    marks = np.ones(len(table)) if "observed" not in table else table.numbers("observed", log)
    return np.nan_to_num(_painted(rows.values(marks), rows, grid)) > 0


def _trigger(name: str, settings: Settings, table: Table, rows: _Rows, grid: Grid, log: ProblemLog) -> Trigger:
    setting = settings.exposures.get(name, ExposureSetting())
    values = rows.values(table.numbers(name, log))
    on_grid = _poured(values, rows, grid) if setting.kind == "dose" else _painted(values, rows, grid)
    return Trigger(name, setting.kind, on_grid, setting.lag_min, setting.hold_min, may=setting.may)


def _painted(values: FloatArray, rows: _Rows, grid: Grid) -> FloatArray:
    """A level holds from its row to the next, or for one step where the next is missing; rows in one bin are averaged.

    A local day that lasts 25 hours is one step of a daily grid.
    """
    if rows.step < timedelta(minutes=BIN_MIN):
        return _binned_mean(values, rows, grid)
    middle = grid.time + BIN // 2
    row = np.searchsorted(rows.time, middle, side="right") - 1
    step = np.timedelta64(round(rows.step.total_seconds() * 1000), "ms")
    until = np.append(rows.time[1:], rows.time[-1] + step)
    until = np.where(until - rows.time > step + _clock_change(rows.step), rows.time + step, until)
    inside = (row >= 0) & (middle < until[np.maximum(row, 0)])
    return np.where(inside, values[np.maximum(row, 0)], np.nan)


def _clock_change(step: timedelta) -> np.timedelta64:
    """How much longer than a step two neighbouring rows may lie apart: an hour on a daily grid in local time."""
    return np.timedelta64(3_600_000 if step >= timedelta(hours=23) else 0, "ms")


def _binned_mean(values: FloatArray, rows: _Rows, grid: Grid) -> FloatArray:
    bins = ((rows.time - grid.time[0]) // BIN).astype(np.int64)
    known = np.isfinite(values)
    total = np.bincount(bins[known], weights=values[known], minlength=grid.n_bins)
    count = np.bincount(bins[known], minlength=grid.n_bins)
    return np.asarray(np.divide(total, count, out=np.full(grid.n_bins, np.nan), where=count > 0))


def _poured(values: FloatArray, rows: _Rows, grid: Grid) -> FloatArray:
    """A dose stands in the bin of its intake; the rest of its step is known to be without."""
    amounts = np.where(np.isfinite(_painted(values, rows, grid)), 0.0, np.nan)
    first = ((rows.time - grid.time[0]) // BIN).astype(np.int64)
    known = np.isfinite(values)
    np.add.at(amounts, first[known], values[known])
    return amounts


def _inside(design: Design, file: str, log: ProblemLog) -> Design:
    """Leave out episodes before or after the grid, and say so."""
    first = from_utc_ms(design.grid.time[0])
    last = from_utc_ms(design.grid.time[-1]) + timedelta(minutes=BIN_MIN)
    inside = tuple(o for o in design.onsets if first <= o.time < last)
    if len(inside) < len(design.onsets):
        outside = next(o for o in design.onsets if o not in inside)
        rule = f"{len(design.onsets) - len(inside)} episodes lie outside the time of the exposures and were left out"
        log.reject(file, None, outside.time.astimezone(UTC).isoformat(), rule)
    return replace(design, onsets=inside)

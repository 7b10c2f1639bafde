"""Tables of surroundings (CSV): many steady rooms, or one room that changes minute by minute.

The columns are those in which the reference model's results are published: ``case``, ``ta_C``, ``rh_pct``, ``va_m_s``,
``par``, ``clothing`` for steady rooms; ``t_min`` instead of ``case`` makes it a sequence of one person. Optional are
``tr_C``, ``ta_neck_C``, ``posture``, ``clo_<segment>`` and the person's ``height_m``, ``weight_kg``, ``fat_pct``,
``age_y``, ``sex``. Columns that are results (as in a published table) are passed over.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from unaji.body.anatomy import COMPAT, FULL
from unaji.body.channels import CHANNELS, OUTFITS_CLO, outfit
from unaji.body.forcing import Forcing
from unaji.body.heat import NEUTRAL_PRESSURE_HPA, heat_model, sequence, steady_table
from unaji.body.layout import N_INPUTS, SEGMENTS, Input
from unaji.body.persons import RANGES, Persons
from unaji.errors import InputError
from unaji.records.timeline import FloatArray

CASE, TIME, CLOTHES = "case", "t_min", "clothing"
REQUIRED = ("ta_C", "rh_pct", "va_m_s", "par")
CHANNEL_OF: Mapping[str, str] = {
    "ta_C": "air_temp_c",
    "tr_C": "radiant_temp_c",
    "rh_pct": "humidity_percent",
    "va_m_s": "air_speed_m_s",
    "par": "par",
    "ta_neck_C": "neck_air_temp_c",
} | {f"clo_{segment}": f"clothing_clo_{segment}" for segment in SEGMENTS}
BODY_OF = {"height_m": "height_m", "weight_kg": "weight_kg", "fat_pct": "fat_percent", "age_y": "age_y"}
SEXES = {"male": 0.0, "m": 0.0, "female": 1.0, "f": 1.0}
POSTURES = {"standing": 0.0, "sitting": 1.0, "lying": 2.0}
WORDS: Mapping[str, Mapping[str, float]] = {"sex": SEXES, "posture": POSTURES}
MOST_MIN = 366 * 1_440
"""Longest sequence, a year as for a scenario."""
KNOWN = (CASE, TIME, *CHANNEL_OF, CLOTHES, *WORDS, *BODY_OF)

RESULT_OF: Mapping[str, str] = {
    "hours_to_steady": "hours",
    "drift_mK_per_h": "drift_mk_per_h",
    "Tsk_neck": "neck_skin_c",
    "Tcr_neck": "neck_core_c",
    "Tsk_head": "head_skin_c",
    "Tcr_head": "head_core_c",
    "Tsk_chest": "chest_skin_c",
    "Tsk_back": "back_skin_c",
    "Tcr_pelvis": "pelvis_core_c",
    "Tsk_hand_l": "left_hand_skin_c",
    "Tsk_mean": "mean_skin_c",
    "Tcb": "central_blood_c",
    "BFsk_neck_L_h": "neck_skin_flow_l_h",
    "BFcr_neck_L_h": "neck_deep_flow_l_h",
    "BFsk_total_L_h": "skin_flow_l_h",
    "CO_L_h": "cardiac_output_l_h",
    "Met_W": "metabolic_w",
    "Mshiv_W": "shivering_w",
    "Esk_total_W": "evaporative_w",
    "Wet_mean": "wettedness",
    "Esk_neck_W": "neck_evaporative_w",
    "SHL_neck_W": "neck_dry_w",
    "RES_W": "respiratory_w",
}
"""Columns of the published tables and what `unaji.body.heat` calls them: temperatures [°C], flows [L/h], heat [W]."""

Row = Mapping[str, str]


@dataclass(frozen=True, eq=False, slots=True)
class Conditions:
    """A table of surroundings, as the heat balance takes it.

    Attributes
    ----------
    given : mapping of str to tuple of str
        The condition columns as they were written, in their order.
    persons : Persons
        One a row for steady rooms, one alone for a sequence.
    forcing : Forcing
        Steady rooms: a single step, each row's person in a room of their own. A sequence: its steps.
    row_steps : ndarray of int, shape (n_rows,), or None
        Sequence only: the step (of a minute) at whose end each row stands.
    """

    given: Mapping[str, tuple[str, ...]]
    persons: Persons
    forcing: Forcing
    row_steps: np.ndarray[tuple[int], np.dtype[np.int64]] | None

    @property
    def is_sequence(self) -> bool:
        """Is this one person over time, rather than many steady rooms?"""
        return self.row_steps is not None


def read_conditions(file: Path) -> Conditions:
    """Read a table of steady rooms or of one room over time.

    Raises
    ------
    InputError
        Naming the file, the line, the column, what was found and what is allowed.
    """
    table = _Rows(file)
    clothing = [_clothes(table, k) for k in range(len(table.rows))]
    for name in CHANNEL_OF:
        if name in table.columns and name.startswith("clo_"):
            for k, worn in enumerate(clothing):
                worn[CHANNEL_OF[name]] = table.number(k, name)
    values = {CHANNEL_OF[name]: table.channel(name) for name in CHANNEL_OF if name in table.columns}
    values |= {name: np.array([worn[name] for worn in clothing]) for name in (clothing[0] if any(clothing) else ())}
    if "posture" in table.columns:
        values["posture"] = table.words("posture")
    given = {name: tuple(row[name] for row in table.rows) for name in table.columns if name in KNOWN}
    if TIME not in table.columns:
        _check_cases(table)
        own = {name: value[:, None] for name, value in values.items()}
        return Conditions(given, _persons(table, range(len(table.rows))), Forcing(np.array([3_600.0]), own), None)
    return _sequence(table, given, values)


def run_conditions(conditions: Conditions, *, compat: bool = False) -> dict[str, FloatArray]:
    """Run the heat balance alone, without nerves and events.

    Parameters
    ----------
    conditions : Conditions
    compat : bool
        The equations of JOS-3 0.5.0 with all their known defects, to compare with it; else the corrected body with the
        detailed neck, whose neck columns are means and sums over the whole neck.

    Returns
    -------
    dict of str to ndarray, shape (n_rows,)
        By the column names of the published tables. Flows and heat are those that drove the last step of a row.
    """
    who, forcing = conditions.persons, conditions.forcing
    model = heat_model(who, COMPAT if compat else FULL)
    inputs = np.empty((forcing.n_steps, N_INPUTS, len(who)))
    for name, known in CHANNELS.items():
        inputs[:, known.index] = np.atleast_2d(forcing[name]).T
    inputs[:, Input.PRESSURE_HPA] = NEUTRAL_PRESSURE_HPA  # of which such tables have no column
    if conditions.row_steps is None:
        found, _ = steady_table(model, inputs[0])
        return {name: found[source] for name, source in RESULT_OF.items() if source in found}
    rows = conditions.row_steps
    found = sequence(model, inputs[rows], np.diff(rows, prepend=-1).tolist())
    return {name: found[source][rows, 0] for name, source in RESULT_OF.items() if source in found}


def _sequence(table: _Rows, given: Mapping[str, tuple[str, ...]], values: Mapping[str, FloatArray]) -> Conditions:
    time_min = _times(table)
    for name in (*BODY_OF, "sex"):
        if name in table.columns and len({row[name] for row in table.rows}) > 1:
            table.fail(1, name, "a sequence is of one person, but this column changes")
    minutes = np.diff(time_min, prepend=0).astype(np.int64)
    held = {name: np.repeat(value, minutes) for name, value in values.items()}
    forcing = Forcing(np.full(int(minutes.sum()), 60.0), held)
    return Conditions(given, _persons(table, [0]), forcing, np.cumsum(minutes) - 1)


def _times(table: _Rows) -> FloatArray:
    time_min = np.array([table.number(k, TIME) for k in range(len(table.rows))])
    for k, time in enumerate(time_min):
        if time != round(time):
            table.fail(k, TIME, f"{time:g} is not a whole minute, and the sequence is computed minute by minute")
        if time > MOST_MIN:
            table.fail(k, TIME, f"{time:g} is beyond {MOST_MIN} min, a year: split the sequence")
    if time_min[0] <= 0:
        table.fail(0, TIME, f"{time_min[0]:g}: a row is the end of a step, so that the first must stand after 0")
    if time_min.size == 1:
        return time_min
    spacing = np.diff(time_min)
    usual = float(spacing.min())
    if usual <= 0:
        k = int((spacing <= 0).argmax()) + 1
        table.fail(k, TIME, f"{time_min[k]:g} does not come after {time_min[k - 1]:g}; times must ascend")
    if spacing.max() > usual:
        k = int((spacing > usual).argmax()) + 1
        found = f"{time_min[k - 1]:g} is followed by {time_min[k]:g}"
        table.fail(k, TIME, f"a gap: {found}, where rows are {usual:g} min apart")
    if time_min[0] > usual:
        table.fail(0, TIME, f"begins at {time_min[0]:g}, where rows are {usual:g} min apart")
    return time_min


def _clothes(table: _Rows, k: int) -> dict[str, float]:
    if CLOTHES not in table.columns:
        return outfit("nude") if any(name.startswith("clo_") for name in table.columns) else {}
    name = table.rows[k][CLOTHES]
    if name not in OUTFITS_CLO:
        table.fail(
            k, CLOTHES, f"{name!r} is no outfit; choose {' or '.join(OUTFITS_CLO)}, or add columns clo_<segment>"
        )
    return outfit(name)


def _persons(table: _Rows, rows: Sequence[int]) -> Persons:
    batch = []
    for k in rows:
        body = {BODY_OF[name]: table.number(k, name) for name in BODY_OF if name in table.columns}
        for name, column in BODY_OF.items():
            low, high, unit = RANGES[column]
            if name in table.columns and not low <= body[column] <= high:
                table.fail(k, name, f"{body[column]:g} is outside {low:g} to {high:g} {unit}")
        female = "sex" in table.columns and table.word(k, "sex") == 1.0
        batch.append(Persons.one(female=female, **body))
    return Persons.join(batch)


def _check_cases(table: _Rows) -> None:
    seen: dict[str, int] = {}
    for k, row in enumerate(table.rows):
        if row.get(CASE, str(k)) in seen:
            table.fail(k, CASE, f"{row[CASE]!r} stands in line {seen[row[CASE]] + 2} already")
        seen[row.get(CASE, str(k))] = k


class _Rows:
    """The cells of a CSV file, checked one by one with their place."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines, strict=True)
                self.columns = [name.strip() for name in reader.fieldnames or ()]
                reader.fieldnames = self.columns
                self.rows: list[Row] = list(map(self._row, enumerate(reader)))
        except OSError as error:
            raise InputError(f"{file}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
        except csv.Error as error:
            raise InputError(f"{file}: not a CSV table: {error}") from None
        self._check_columns()

    def fail(self, k: int, column: str, reason: str) -> NoReturn:
        raise InputError(f"{self.file}, line {k + 2}, {column}: {reason}")

    def number(self, k: int, column: str) -> float:
        text = self.rows[k][column]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.fail(k, column, f"{text!r} is not a number" if text else "the cell is empty")
        return value

    def word(self, k: int, column: str) -> float:
        text = self.rows[k][column].lower()
        if text not in WORDS[column]:
            self.fail(k, column, f"{text!r} is not known; choose {', '.join(WORDS[column])}")
        return WORDS[column][text]

    def words(self, column: str) -> FloatArray:
        return np.array([self.word(k, column) for k in range(len(self.rows))])

    def channel(self, column: str) -> FloatArray:
        known = CHANNELS[CHANNEL_OF[column]]
        value = np.array([self.number(k, column) for k in range(len(self.rows))])
        wrong = (value < known.low) | (value > known.high)
        if wrong.any():
            k = int(wrong.argmax())
            unit = "" if known.unit == "1" else f" {known.unit}"
            self.fail(k, column, f"{value[k]:g} is outside {known.low:g} to {known.high:g}{unit}")
        return value

    def _row(self, numbered: tuple[int, dict[str, str]]) -> Row:
        k, cells = numbered
        if None in cells or None in cells.values():
            raise InputError(
                f"{self.file}, line {k + 2}: the header has {len(self.columns)} columns, this row does not"
            )
        return {name: cell.strip() for name, cell in cells.items()}

    def _check_columns(self) -> None:
        if not self.rows:
            raise InputError(f"{self.file}: no row; the table needs {', '.join(REQUIRED)} and at least one row")
        repeated = [name for name in self.columns if self.columns.count(name) > 1]
        if repeated:
            raise InputError(f"{self.file}: the column {repeated[0]!r} stands there twice")
        for name in self.columns:
            near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.75)
            if name not in KNOWN and name not in RESULT_OF:
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KNOWN[:11])}, clo_<segment>, …"
                raise InputError(f"{self.file}: unknown column {name!r}; {hint}")
        missing = [name for name in REQUIRED if name not in self.columns]
        if missing:
            raise InputError(f"{self.file}: the column {missing[0]!r} is missing; needed are {', '.join(REQUIRED)}")

"""The simulator against measurements in people: every row that gates a release, and the page that shows them all."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

VALIDATION = runpy.run_path(str(Path(__file__).resolve().parents[2] / "docs" / "make_validation.py"))
ROWS, PAGE = VALIDATION["ROWS"], VALIDATION["PAGE"].read_text(encoding="utf-8").splitlines()
RUN_AGAIN = "run: python docs/make_validation.py"


def name_of(row):
    return f"{row.id}, {row.what}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.gates], ids=name_of)
def test_the_model_meets_what_was_measured_or_is_bound_to_hold(row):
    value = row.measure()
    assert row.meets(value), f"{value:g} {row.unit} is not within {row.low:g} to {row.high:g}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_page_shows_what_the_model_gives(row):
    lines = [one for one in PAGE if one.startswith(f"| {row.id} | {row.scenario} | {row.what} |")]
    assert len(lines) == 1, RUN_AGAIN
    printed = float(re.match(r"[+-]?[0-9.]+", lines[0].split(" | ")[6]).group())
    value = row.measure()
    # Half a unit of the last digit, and a hair for machines that round otherwise.
    assert abs(printed - value) <= 0.501 * 10.0**-row.digits, RUN_AGAIN
    assert VALIDATION["line"](row, printed) == lines[0], RUN_AGAIN


@pytest.mark.parametrize("name", VALIDATION["FELT"])
def test_the_page_shows_what_is_felt(name):
    assert VALIDATION["felt_line"](name, VALIDATION["felt_heat"](name)) in PAGE, RUN_AGAIN


def test_no_line_of_the_page_is_left_over_and_nothing_around_them_has_changed():
    around = VALIDATION["HEAD"] + VALIDATION["MIDDLE"] + VALIDATION["TAIL"]
    others = [
        one for one in PAGE if not one.startswith("| V") and not any(f"| {f} |" in one for f in VALIDATION["FELT"])
    ]
    assert others == [one for one in around.splitlines() if not one.startswith("| V")], RUN_AGAIN
    assert sum(one.startswith("| V") for one in PAGE) == len(ROWS) + 1 + len(VALIDATION["identifiability"]())
    assert set(VALIDATION["identifiability"]()) < set(PAGE), RUN_AGAIN


def test_nothing_recalled_gates_and_every_target_but_bounds_names_its_measurement():
    for row in ROWS:
        assert row.gates == (row.basis in ("read", "design", "JOS-3"))
        assert bool(row.measured) == (row.basis in ("read", "recalled")), name_of(row)


def test_no_heat_is_felt_where_nothing_happens_and_some_is_where_skin_warms_fast():
    most = {name: VALIDATION["felt_heat"](name)[0] for name in VALIDATION["FELT"]}
    assert most["nothing"] == 0.0
    assert most["mental_arithmetic"] < 0.05
    for name in ("blush", "sudden_anger", "needling"):  # a little at the nape
        assert 0.05 < most[name] < 1.5, name
    for name in ("hot_flash", "scarf", "hot_room", "fever"):
        assert 0.5 < most[name] < 7, name


@pytest.mark.shared
def test_the_page_shows_how_near_jos3_the_compatible_model_is(shared_data):
    row = VALIDATION["first_row"](shared_data)
    value = row.measure()
    assert row.meets(value)
    assert VALIDATION["line"](row, value) in PAGE, RUN_AGAIN


@pytest.mark.shared
def test_every_measurement_that_is_named_exists_and_none_that_was_recalled_gates(shared_data):
    table = (shared_data / "jos3_reference" / "human_measured.csv").read_text(encoding="utf-8").splitlines()[1:]
    recalled = {line.split(",")[0]: "MEMORY" in line for line in table}
    for row in ROWS:
        for measured in filter(None, row.measured.split(", ")):
            assert recalled[measured] is not row.gates, name_of(row)

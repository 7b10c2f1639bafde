"""A mapping is found again for the next file of its kind, and for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records.mapping.test_mapping import read, said
from tests.records.mapping.workbooks import Dated, xlsx
from unaji.records.mapping.finding import KEPT, find_map, keep_map
from unaji.records.mapping.written import map_of_text
from unaji.records.problems import ProblemLog

BARE = said("1,2", 'column = "1"', 'name = "2"\nquantity = "body_temp_c"', table="header_line = 0")
NAMED = said("when,outside", 'column = "when"', 'name = "outside"\nquantity = "air_temp_c"')


@pytest.fixture
def file(tmp_path) -> Path:
    """Write a table of the weather."""
    (tmp_path / "me" / KEPT).mkdir(parents=True)
    place = tmp_path / "weather.csv"
    place.write_text("when,outside\n2024-05-01T08:00,36.1\n")
    return place


def found(file: Path) -> tuple[str, ...]:
    table_map = find_map(file, file.parent / "me", ProblemLog())
    return () if table_map is None else (Path(table_map.file).name, table_map.columns[0].into)


def test_a_mapping_without_names_is_taken_for_no_other_file_of_as_many_columns(file):
    (file.parent / "a.map.toml").write_text(BARE)
    (file.parent / "me" / KEPT / "b.map.toml").write_text(BARE)
    assert found(file) == ()
    (file.parent / "me" / KEPT / "c.map.toml").write_text(NAMED)
    assert found(file) == ("c.map.toml", "air_temp_c")


def test_a_mapping_without_names_is_taken_for_the_file_beside_it_where_none_fits_better(file):
    (file.parent / "weather.map.toml").write_text(BARE)
    assert found(file) == ("weather.map.toml", "body_temp_c")
    (file.parent / "me" / KEPT / "c.map.toml").write_text(NAMED)
    assert found(file) == ("c.map.toml", "air_temp_c")


def test_a_mapping_without_names_is_not_kept_as_it_would_find_nothing(file):
    keep_map(map_of_text(BARE, "bare.map.toml"), file.parent / "me", ProblemLog())
    keep_map(map_of_text(NAMED, "named.map.toml"), file.parent / "me", ProblemLog())
    assert [kept.name for kept in (file.parent / "me" / KEPT).iterdir()] == ["named.map.toml"]


BOOK = [["日時", "体温"], [Dated(45413.5), 36.5]]
OTHER = [["日時", "体重"], [Dated(45413.5), 60.0]]


@pytest.mark.parametrize("name", ["", "5月"])
@pytest.mark.parametrize("sheets", [{"6月": BOOK}, {"表紙": OTHER, "6月": BOOK}])
def test_next_months_workbook_names_its_sheet_otherwise(tmp_path, name, sheets):
    book = said("日時,体温", 'column = "日時"', 'name = "体温"\nquantity = "body_temp_c"', table=f'sheet = "{name}"')
    (tmp_path / "a.map.toml").write_text(book)
    file = tmp_path / "june.xlsx"
    file.write_bytes(xlsx(sheets))
    assert found(file) == ("a.map.toml", "body_temp_c")
    rows, problems = read(book, file.read_bytes(), "june.xlsx")
    assert rows == {"body_temp_c": [("2024-05-01 03:00", None, 36.5)]}
    told = [(problem.value, problem.rule.partition(";")[0]) for problem in problems]
    taken = [("6月", "the mapping's sheet is not there")] if name or len(sheets) > 1 else []
    assert told == taken


def test_a_workbook_without_such_columns_is_not_taken(tmp_path):
    book = said("日時,体温", 'column = "日時"', 'name = "体温"\nquantity = "body_temp_c"', table='sheet = "5月"')
    (tmp_path / "a.map.toml").write_text(book)
    (tmp_path / "june.xlsx").write_bytes(xlsx({"6月": OTHER}))
    assert found(tmp_path / "june.xlsx") == ()

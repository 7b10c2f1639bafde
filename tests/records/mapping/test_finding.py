"""A mapping is found again for the next file of its kind, and for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records.mapping.test_mapping import said
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

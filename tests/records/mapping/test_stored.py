"""Tables that are put into a person's store: one never takes the rows of another for its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.records.mapping.test_mapping import said
from unaji.records.batch import Kind
from unaji.records.folder import read_folder
from unaji.records.importing import import_files, undo_import
from unaji.records.mapping.written import map_of_text
from unaji.records.store.reading import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COFFEE = said("日付,コーヒー", 'column = "日付"', 'name = "コーヒー"\nexposure = "caffeine"')
TEA = said("日付,紅茶", 'column = "日付"', 'name = "紅茶"\nexposure = "caffeine"')
CUPS = "2024-05-01,1\n2024-05-02,2\n"


@pytest.fixture
def store(tmp_path):
    """Import tables one after the other; return the person's amounts of something, or values of a quantity."""
    person = tmp_path / "hana"

    def put(*tables: tuple[str, str]) -> None:
        for n, (table_map, text) in enumerate(tables):
            file = tmp_path / f"{n}.csv"
            file.write_text(text, encoding="utf-8")
            import_files(
                [file], person, timezone="Asia/Tokyo", now=NOW, table_map=map_of_text(table_map, f"{n}.map.toml")
            )

    put.person = person
    return put


def taken(person, kind="caffeine"):
    return sorted(
        (one.amount for one in read_folder(person, now=NOW).exposures_of(kind)), key=lambda amount: amount or 0
    )


def measured(person, quantity):
    return sorted(Store.open(person).read(Kind.SERIES, quantity, 0, 2**62)["value"].to_list())


def test_tea_of_one_table_leaves_the_coffee_of_another_alone(store):
    store((COFFEE, f"日付,コーヒー\n{CUPS}"), (TEA, f"日付,紅茶\n{CUPS.replace(',2', ',3')}"))
    assert taken(store.person) == [2, 5]  # of 1 May a cup of each, of 2 May 2 and 3


def test_undoing_an_import_with_a_changed_mapping_brings_the_first_reading_back(store):
    changed = COFFEE.replace('exposure = "caffeine"', 'exposure = "alcohol"')
    table = f"日付,コーヒー\n{CUPS}"
    store((COFFEE, table))
    store((changed, table))
    assert (taken(store.person), taken(store.person, "alcohol")) == ([], [1, 2])
    assert undo_import(2, store.person).restored == 1
    assert (taken(store.person), taken(store.person, "alcohol")) == ([1, 2], [])
    store((COFFEE, table))  # is known again
    assert [batch.id for batch in Store.open(store.person).batches] == [1]


def test_two_columns_of_one_table_are_two_cups(store):
    both = said(
        "日付,コーヒー,紅茶",
        'column = "日付"',
        'name = "コーヒー"\nexposure = "caffeine"',
        'name = "紅茶"\nexposure = "caffeine"',
    )
    store((both, "日付,コーヒー,紅茶\n2024-05-01,1,1\n"))
    assert taken(store.person) == [2]
    more = both.replace(
        'name = "紅茶"\nexposure = "caffeine"', 'name = "紅茶"\nexposure = "caffeine"\nequals = ["あり"]'
    )
    store((more, "日付,コーヒー,紅茶\n2024-05-03,1,あり\n2024-05-04,0,あり\n"))
    assert taken(store.person) == [None, 2, 2]


def test_the_same_table_longer_its_columns_in_another_order_and_spelling_is_the_same_device(store):
    turned = said("コーヒー , 日付", 'column = "日付"', 'name = "コーヒー"\nexposure = "caffeine"')
    store((COFFEE, f"日付,コーヒー\n{CUPS}"), (turned, "コーヒー,日付\n1,2024-05-01\n3,2024-05-02\n4,2024-05-03\n"))
    assert taken(store.person) == [1, 3, 4]


def test_tables_of_one_shape_are_told_apart_by_the_name_of_their_device(store):
    room = said("time,temp", 'column = "time"', 'name = "temp"\nquantity = "air_temp_c"', table='device_name = "{}"')
    rows = "time,temp\n2024-05-01 08:30,20.5\n"
    store((room.format("A"), rows), (room.format("B"), rows.replace("20.5", "25.5")))
    assert measured(store.person, "air_temp_c") == [20.5, 25.5]


def test_the_name_of_a_device_holds_when_the_header_grows(store):
    grown = COFFEE.replace('"コーヒー"]', '"コーヒー", "メモ"]').replace("[time]", 'device_name = "diary"\n[time]')
    named = COFFEE.replace("[time]", 'device_name = "diary"\n[time]')
    store((named, f"日付,コーヒー\n{CUPS}"), (grown, "日付,コーヒー,メモ\n2024-05-01,1,\n2024-05-02,3,a\n"))
    assert taken(store.person) == [1, 3]


def test_the_name_of_a_device_is_nowhere_in_the_store(store):
    store((COFFEE.replace("[time]", 'device_name = "Hanas diary"\n[time]'), f"日付,コーヒー\n{CUPS}"))
    files = [file for file in (store.person / "store").rglob("*") if file.is_file()]
    assert files
    assert not any(b"Hanas" in file.read_bytes() for file in files)


def test_text_behind_a_number_is_not_kept_in_the_store(store):
    fever = said("date,体温", 'column = "date"', 'name = "体温"\nquantity = "body_temp_c"')
    store((fever, "date,体温\n2024-05-01 08:30,36.5\n2024-05-02 08:30,36.6 花子 090-1234-5678\n"))
    assert measured(store.person, "body_temp_c") == [36.5]
    (batch,) = Store.open(store.person).batches
    assert [(one.reason, one.count) for one in batch.rejected] == [
        ("the unit is none of body_temp_c; known are C, F, K", 1)
    ]
    files = [file for file in (store.person / "store").rglob("*") if file.is_file()]
    assert not any(text in file.read_bytes() for file in files for text in (b"090-1234", "花子".encode()))

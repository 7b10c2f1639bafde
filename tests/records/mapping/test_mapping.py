"""Any table becomes records by a mapping that says what its columns are, and no row is lost without a word."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.mapping.workbooks import MAIN, Dated, Formula, ods, xlsx
from tests.records.vendors import mutated, source
from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.batch import Kind
from unaji.records.clock import Clock
from unaji.records.mapping.model import Column, Shape, TableMap, What, When
from unaji.records.mapping.reading import batches_of_table, cell_numbers, lengths_min, read_mapped
from unaji.records.mapping.sheets import is_workbook, read_sheet, sheet_names, workbook_rows
from unaji.records.mapping.times import excel_days, fitting_patterns, moments
from unaji.records.mapping.units import converted, unit_named, units_of
from unaji.records.mapping.written import map_of_text, read_map, text_of, write_map
from unaji.records.problems import ProblemLog
from unaji.records.tables import half_width
from unaji.records.timeline import Zones

CLOCK = Clock(Zones(("Asia/Tokyo",)), datetime(2026, 6, 1, tzinfo=UTC))


def read(table_map: str | TableMap, content: object, name: str = "t.csv", clock: Clock = CLOCK):
    """Return rows by quantity, as (start, end, value) with times in UTC, and the problems."""
    log = ProblemLog()
    said = map_of_text(table_map, "t.map.toml") if isinstance(table_map, str) else table_map
    rows = {}
    for batch in read_mapped(said, [source(content, name)], clock, log):
        times = batch.rows.with_columns(pl.col("time", "end").cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M"))
        rows.setdefault(batch.quantity, []).extend(times.select("time", "end", "value").rows())
    return rows, log.problems()


def said(header: str, time_: str, *columns: str, table: str = "") -> str:
    names = ", ".join(f'"{name}"' for name in header.split(","))
    parts = [f"[table]\nheader = [{names}]\n{table}", f"[time]\n{time_}"]
    return "\n".join([*parts, *(f"[[column]]\n{column}" for column in columns)])


# -- units -------------------------------------------------------------------------------------------------------------

NIST_SP_811 = [  # appendix B.8: what one of the unit is, in SI; and 98.6 °F, which is 37 °C
    ("body_temp_c", "F", 98.6, 37.0),
    ("body_temp_c", "K", 310.15, 37.0),
    ("skin_temp_dev_c", "F", 1.8, 1.0),
    ("weight_kg", "lb", 1, 4.535924e-1),
    ("weight_kg", "st", 1, 6.350293),
    ("height_cm", "ft", 1, 30.48),
    ("height_cm", "in", 1, 2.54),
    ("station_pressure_hpa", "inHg", 1, 3.386389e3 / 100),
    ("station_pressure_hpa", "mmHg", 1, 1.333224e2 / 100),
    ("station_pressure_hpa", "kPa", 101.325, 1013.25),
    ("systolic_mmhg", "kPa", 16, 120.0099),
    ("wind_m_s", "mi/h", 1, 4.4704e-1),
    ("wind_m_s", "kt", 1, 5.144444e-1),
    ("wind_m_s", "km/h", 1, 2.777778e-1),
    ("active_kcal", "kJ", 4.184, 1.0),
    ("precip_mm", "in", 1, 25.4),
    ("pressure_pain_threshold_kpa", "kgf/cm2", 1, 98.0665),
    ("spo2_pct", "fraction", 0.97, 97.0),
    ("sunshine_min", "h", 1.5, 90.0),
    ("rri_ms", "s", 0.8, 800.0),
]


@pytest.mark.parametrize(("quantity", "unit", "given_", "ours"), NIST_SP_811)
def test_units_convert_by_the_published_factors(quantity, unit, given_, ours):
    assert converted(quantity, np.array([float(given_), np.nan]), unit)[0] == pytest.approx(ours, rel=1e-6)


@pytest.mark.parametrize(
    ("spelt", "quantity", "unit"),
    [
        ("℉", "body_temp_c", "F"),
        ("°C", "body_temp_c", "C"),
        ("度", "body_temp_c", "C"),
        ("lbs", "weight_kg", "lb"),
        ("㎏", "weight_kg", "kg"),
        ("％", "spo2_pct", "%"),
        ("拍／分", "hr_bpm", "1/min"),
        ("inHg", "station_pressure_hpa", "inHg"),
        ("m/s", "wind_m_s", "m/s"),
        ("mph", "wind_m_s", "mi/h"),
        ("µS", "scl_microsiemens", "uS"),
        ("lb", "body_temp_c", None),
        ("", "hr_bpm", None),
    ],
)
def test_units_are_known_by_their_spellings(spelt, quantity, unit):
    assert unit_named(spelt, units_of(quantity)) == unit


def test_every_quantity_has_its_own_unit_first():
    for quantity in QUANTITIES:
        assert converted(quantity, np.array([3.0]), units_of(quantity)[0])[0] == 3.0


# -- numbers and times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "decimal", "value", "behind"),
    [
        ("36.5℃", ".", 36.5, "℃"),
        ("1,234", ".", 1234, ""),
        ("1,234,567.5", ".", 1234567.5, ""),
        ("36,5", ".", None, ""),
        ("36,5", ",", 36.5, ""),
        ("1.234,5", ",", 1234.5, ""),
        ("36.5", ",", None, ""),
        ("−3", ".", -3, ""),
        ("2杯", ".", 2, "杯"),
        ("1e3", ".", 1000, ""),
        ("abc", ".", None, ""),
        ("1.2.3", ".", None, ""),
        (".", ".", None, ""),
    ],
)
def test_numbers_as_people_write_them(cell, decimal, value, behind):
    read_, unit = cell_numbers(pl.Series([cell]), decimal)
    assert (read_[0] == value) if value is not None else np.isnan(read_[0])
    assert unit[0] == behind or value is None


@given(st.floats(-1e6, 1e6), st.sampled_from(".,"))
def test_numbers_read_back(value, decimal):
    assert cell_numbers(pl.Series([repr(value).replace(".", decimal)]), decimal)[0][0] == value


def test_the_two_date_systems_of_workbooks():
    """Microsoft, "Date systems in Excel": 5 July 2011 is day 40729 in one system and 39267 in the other."""
    assert excel_days(np.array([40729.0]), "excel")[0] == np.datetime64("2011-07-05")
    assert excel_days(np.array([39267.0]), "excel1904")[0] == np.datetime64("2011-07-05")
    assert excel_days(np.array([45413.354166666664]), "excel")[0] == np.datetime64("2024-05-01T08:30")
    assert np.isnat(excel_days(np.array([np.nan, 60.0, 1e9, -1.0]), "excel")).all()


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["03/04/2024", "13/04/2024"], ["%d/%m/%Y"]),
        (["03/04/2024", "03/14/2024"], ["%m/%d/%Y"]),
        (["13/04/2024", "04/13/2024"], []),
        (["03/04/2024", "04/04/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["04/03/2024 7:00", "04/04/2024 7:00"], ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"]),
        (["5/1/26 8:30 PM"], ["%d/%m/%y %I:%M %p", "%m/%d/%y %I:%M %p"]),
        (["1/8/2026"], ["%m/%d/%Y"]),
        (["2024年5月1日 8時30分"], ["%Y年%m月%d日 %H時%M分"]),
        (["2024/5/1(水) 午後 8:30"], ["%Y/%m/%d %p %I:%M"]),
        ([], []),
    ],
)
def test_one_row_decides_the_order_of_day_and_month_for_all(cells, first):
    assert fitting_patterns(pl.Series(cells, dtype=pl.String), CLOCK) == first


@pytest.mark.parametrize(
    ("cell", "pattern", "utc", "date_only"),
    [
        ("2024-05-01T08:30+02:00", "iso", "2024-05-01T06:30", False),
        ("2024/5/1 8:30", "iso", "2024-04-30T23:30", False),
        ("1714514400", "unix_s", "2024-04-30T22:00", False),
        ("1714514400000", "unix_ms", "2024-04-30T22:00", False),
        ("45413.5", "excel", "2024-05-01T03:00", False),
        ("45413", "excel", "2024-04-30T15:00", True),
        ("01.05.2024", "%d.%m.%Y", "2024-04-30T15:00", True),
        ("2024-05-01 08:30:00 +0200", "%Y-%m-%d %H:%M:%S %z", "2024-05-01T06:30", False),
        ("2024/5/1 午前 0:10", "%Y/%m/%d %p %I:%M", "2024-04-30T15:10", False),
        ("2024/5/1 午後 13:10", "%Y/%m/%d %p %I:%M", None, False),
        ("1.5.2024", "%d.%m.%Y %H:%M", "2024-04-30T15:00", True),
        ("1.5.2024 abends", "%d.%m.%Y %H:%M", None, False),
    ],
)
def test_times_by_their_pattern(cell, pattern, utc, date_only):
    read_ = moments(pl.Series([cell]), pattern, CLOCK, "t", ProblemLog())
    assert np.isnat(read_.time[0]) if utc is None else read_.time[0] == np.datetime64(utc)
    assert read_.date_only[0] == date_only


# -- rows --------------------------------------------------------------------------------------------------------------


def test_units_missing_codes_rows_left_out_and_a_filter():
    table_map = said(
        "who,when,temp,unit,hr",
        'column = "when"',
        'name = "temp"\nquantity = "body_temp_c"\nunit = "F"\nunit_column = "unit"\nmissing = ["999"]',
        'name = "hr"\nquantity = "hr_bpm"',
        table='only = { who = "hana" }\nmissing = ["x"]\ndevice = "watch"',
    )
    text = (
        "who,when,temp,unit,hr\nhana,2024-05-01T08:00,98.6,,60\nhana,2024-05-01T09:00,36.5,C,x\n"
        "ken,2024-05-01T09:00,36,C,60\n"
        "Hana,2024-05-01T10:00,999,,70\nhana,2024-05-01T11:00,36.4℃,F,20\n"
        "hana,2024-05-01T12:00,97.7,lb,-\nhana,nie,97.7,,60\n"
        "hana,2024-05-01T13:00,hot,,60\nhana,2027-05-01T13:00,98,,61\n"
    )
    rows, problems = read(table_map, text)
    assert [(row[0], round(row[2], 3)) for row in rows["body_temp_c"]] == [
        ("2024-04-30 23:00", 37.0),
        ("2024-05-01 00:00", 36.5),
        ("2024-05-01 02:00", 36.4),
    ]
    assert [row[2] for row in rows["hr_bpm"]] == [60, 70, 60]
    assert [(p.line, p.value, p.count) for p in problems] == [
        (8, "nie", 1),
        (10, "2027-05-01T13:00", 1),
        (9, "hot", 1),
        (7, "97.7 lb", 1),
        (6, "20.0", 1),
    ]
    assert problems[3].rule == "the unit is none of body_temp_c; known are C, F, K"


def test_a_column_in_another_unit_than_declared_is_left_out_as_a_whole():
    table_map = said("time,t", 'column = "time"', 'name = "t"\nquantity = "body_temp_c"\nunit = "C"')
    rows, problems = read(table_map, "time,t\n2024-05-01T08:00,98.6\n2024-05-01T09:00,98.5\n")
    assert rows == {}
    assert (problems[0].count, "Is the column in another unit?" in problems[0].rule) == (2, True)


def test_dates_alone_are_whole_local_days_also_when_the_clock_is_changed():
    table_map = said(
        "day,steps,stress,heat,coffee",
        'column = "day"\nzone = "Europe/Berlin"\nformat = "%d.%m.%Y"',
        'name = "steps"\nquantity = "steps"',
        'name = "stress"\nrating = "stress"\nscale = [1, 5]',
        'name = "heat"\nsymptom = "neck_heat"\nscale = [0, 3]',
        'name = "coffee"\nexposure = "caffeine"',
    )
    rows, problems = read(table_map, "day,steps,stress,heat,coffee\n30.03.2025,9000,3,3,2 cups\n31.03.2025,100,5,0,0\n")
    assert rows == {
        "steps": [("2025-03-29 23:00", "2025-03-30 22:00", 9000.0), ("2025-03-30 22:00", "2025-03-31 22:00", 100.0)],
        "stress": [("2025-03-30 10:00", None, 5.0), ("2025-03-31 10:00", None, 10.0)],
        "check_in": [("2025-03-31 10:00", None, None)],
        "neck_heat": [("2025-03-29 23:00", None, 10.0)],
        "caffeine": [("2025-03-29 23:00", "2025-03-30 22:00", 2.0)],
    }
    assert problems == ()


def test_ends_as_times_of_day_run_over_midnight():
    table_map = said(
        "日付,就寝,起床,内容",
        'column = "日付"\nclock = "就寝"\nend = "起床"',
        'name = "内容"\nexposure = "sleep"\nequals = ["夜"]',
    )
    nights = [
        "2024/5/1,23:30,6:45,夜",
        "2024/5/2,13:00,13:20,昼",
        "2024/5/3,23:00,2024/5/7 7:00,夜",
        "2024/5/4,23:00,foo,夜",
    ]
    rows, problems = read(table_map, "\n".join(["日付,就寝,起床,内容", *nights]))
    assert rows == {"sleep": [("2024-05-01 14:30", "2024-05-01 21:45", None)]}
    assert [(p.line, p.value) for p in problems] == [(5, "foo"), (4, "2024/5/7 7:00"), (3, "昼")]


def test_lengths_and_stamps_of_the_end():
    column = 'name = "rain"\nquantity = "precip_mm"'
    text = "t,rain,len\n2024-05-01T10:00Z,1.5,0.5\n2024-05-01T11:00Z,0,x\n"
    rows, _ = read(said("t,rain,len", 'column = "t"\nlength_min = 60\nstamp = "end"', column), text)
    assert rows["precip_mm"] == [
        ("2024-05-01 09:00", "2024-05-01 10:00", 1.5),
        ("2024-05-01 10:00", "2024-05-01 11:00", 0.0),
    ]
    rows, problems = read(said("t,rain,len", 'column = "t"\nlength = "len"\nlength_unit = "h"', column), text)
    assert rows["precip_mm"] == [("2024-05-01 10:00", "2024-05-01 10:30", 1.5)]
    assert (problems[0].line, problems[0].value) == (3, "x")


def test_one_column_may_hold_many_kinds():
    table_map = said(
        "t,kind,n",
        'column = "t"',
        'name = "n"\nexposure = "caffeine"\nonly = { kind = ["coffee", "tea"] }',
        'name = "n"\nrating = "stress"\nonly = { kind = "stress" }',
        'name = "kind"\nsymptom = "headache"\nequals = ["headache"]\nlabel = "n"',
    )
    day = ["08:00,coffee,1", "09:00,stress,7", "10:00,Headache,mild", "11:00,tea,2"]
    text = "\n".join(["t,kind,n", *(f"2024-05-01T{row}" for row in day)])
    log = ProblemLog()
    batches = list(read_mapped(map_of_text(table_map, "m"), [source(text)], CLOCK, log))
    assert [(b.kind, b.quantity, b.rows["value"].to_list(), b.rows["label"].to_list()) for b in batches] == [
        (Kind.EXPOSURE, "caffeine", [1.0, 2.0], [None, None]),
        (Kind.RATING, "stress", [7.0], [None]),
        (Kind.SYMPTOM, "headache", [None], ["mild"]),
    ]
    assert log.problems() == ()


def test_the_hour_that_occurs_twice_goes_by_the_order_of_rows():
    table_map = said("t,v", 'column = "t"\nzone = "Europe/Berlin"', 'name = "v"\nquantity = "hr_bpm"')
    rows, problems = read(table_map, "t,v\n2024-10-27 02:10,60\n2024-10-27 02:50,61\n2024-10-27 02:20,62\n")
    assert [row[0] for row in rows["hr_bpm"]] == ["2024-10-27 00:10", "2024-10-27 00:50", "2024-10-27 01:20"]
    assert "the hour that occurs twice" in problems[0].rule


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_in_any_usual_form(encoding, delimiter):
    lines = [
        "体温の記録",
        "",
        "日時|体温",
        "2024/5/1 8:30|36.5",
        '2024/5/1 9:30|"36.6"',
        "２０２４/５/１ １０：３０|３６．７",
    ]
    text = "\r\n".join(lines).replace("|", delimiter)
    table_map = said(
        "日時,体温",
        'column = "日時"',
        'name = "体温"\nquantity = "body_temp_c"',
        table=f'header_line = 3\nencoding = "{encoding}"\ndelimiter = {delimiter!r}'.replace("'", '"'),
    )
    rows, problems = read(table_map, text.encode(encoding))
    assert (rows["body_temp_c"], problems) == (
        [("2024-04-30 23:30", None, 36.5), ("2024-05-01 00:30", None, 36.6), ("2024-05-01 01:30", None, 36.7)],
        (),
    )


def test_lines_are_counted_as_they_stand_in_the_file():
    table_map = said("a,b", 'column = "a"', 'name = "b"\nquantity = "hr_bpm"', table="header_line = 3")
    assert read(table_map, "x\ny\na,b\n2024-05-01,60\nno,60\n")[1][0].line == 5
    bare = said("1,2", 'column = "1"', 'name = "2"\nquantity = "hr_bpm"', table="header_line = 0")
    rows, problems = read(bare, "2024-05-01T00:00Z,60\nno,60\n")
    assert (rows["hr_bpm"], problems[0].line) == ([("2024-05-01 00:00", None, 60.0)], 2)


def test_a_file_that_lacks_a_column_or_is_in_another_encoding_says_so():
    table_map = said("a,b", 'column = "a"', 'name = "b"\nquantity = "hr_bpm"')
    with pytest.raises(InputError, match=r"t\.csv: has no column b, which the mapping t\.map\.toml names; it has a, c"):
        read(table_map, "a,c\n2024-05-01,60\n")
    assert "is not utf-8" in read(table_map, "a,b\n2024-05-01,あ\n".encode("cp932"))[1][0].rule


# -- workbooks ---------------------------------------------------------------------------------------------------------

BOOK = said(
    "日時,体温", 'column = "日時"', 'name = "体温"\nquantity = "body_temp_c"', table='sheet = "記録"\nheader_line = 2'
)
ROWS = [
    ["2024年"],
    ["日時", "体温", "メモ"],
    [Dated(45413.3541666667), 36.5, "a"],
    [Dated(45413.5), Formula("HYPERLINK(B3)")],
]


@pytest.mark.parametrize(("date1904", "day"), [(False, "2024-05-0"), (True, "2028-05-0")])
def test_workbooks_give_stored_values_and_never_run_a_formula(date1904, day):
    clock = Clock(CLOCK.zones, datetime(2029, 1, 1, tzinfo=UTC))
    data = xlsx({"表紙": [["x"]], "記録": ROWS}, date1904=date1904)
    rows, problems = read(BOOK, data, "t.xlsx", clock)
    start = 0 if not date1904 else 1  # day 1462 of one system is day 0 of the other
    expected = [(f"{day}{start}", "23:30", 36.5), (f"{day}{1 + start}", "03:00", 36.6)]
    if not date1904:
        expected[0] = ("2024-04-30", "23:30", 36.5)
    assert [(*row[0].split(), row[2]) for row in rows["body_temp_c"]] == expected
    assert problems == ()


def test_open_document_sheets_and_numbers_not_shown_as_dates():
    table_map = said("日時,体温", 'column = "日時"', 'name = "体温"\nquantity = "body_temp_c"')
    rows, _ = read(table_map, ods([["日時", "体温"], ["2024-05-01T08:30:00", "36.5"]]), "t.ods")
    assert rows["body_temp_c"] == [("2024-04-30 23:30", None, 36.5)]
    bare = said("d,t,v", 'column = "d"\nclock = "t"', 'name = "v"\nquantity = "body_temp_c"')
    data = xlsx({"a": [["d", "t", "v"], [Dated(45413.0), Dated(0.3541666667), 36.5]]})
    assert read(bare, data)[0]["body_temp_c"] == [("2024-04-30 23:30", None, 36.5)]


def test_hostile_workbooks_are_refused_before_they_are_laid_out():
    cell = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
    cells = cell.format(1, "A") + cell.format(1048576, "XFD")
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'.encode()
    cases = {
        "the sheet is larger than 20,000,000 cells": xlsx({"a": []}, more={"xl/worksheets/sheet1.xml": sheet}),
        "unpacks to far more than its size": xlsx({"a": []}, more={"xl/media/a": bytes(30 << 20)}),
        "the workbook cannot be read": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "has no sheet": xlsx({"b": [["a"]]}),
    }
    for reason, data in cases.items():
        with pytest.raises(InputError, match=reason):
            workbook_rows(source(data, "t.xlsx"), "a")


@pytest.mark.parametrize("read", [sheet_names, lambda file: workbook_rows(file, "a")])
def test_a_workbook_that_makes_its_reader_give_up_is_refused(read, monkeypatch):
    def panic(_):
        raise type("PanicException", (BaseException,), {})("index out of bounds")

    monkeypatch.setattr("unaji.records.mapping.sheets.CalamineWorkbook", SimpleNamespace(from_filelike=panic))
    with pytest.raises(InputError, match=r"t\.xlsx: the workbook is damaged"):
        read(source(xlsx({"a": [["x"]]}), "t.xlsx"))


def test_an_archive_of_other_files_is_no_workbook():
    assert not is_workbook(b"PK\x03\x04" + bytes(40) + b"export.xml")
    assert is_workbook(xlsx({"a": [["x"]]})[:65536])
    assert is_workbook(ods([["x"]])[:65536])


# -- the written form --------------------------------------------------------------------------------------------------

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda s: s == s.strip() and s.strip() and "\0" not in s
)


@st.composite
def maps(draw):
    header = tuple(draw(st.lists(names, min_size=3, max_size=6, unique_by=str.lower)))
    column = st.one_of(
        st.builds(
            Column,
            st.sampled_from(header),
            st.just(What.QUANTITY),
            st.just("weight_kg"),
            unit=st.sampled_from(["", "lb"]),
            unit_column=st.sampled_from(["", header[0]]),
            missing=st.lists(names, max_size=2).map(tuple),
        ),
        st.builds(
            Column,
            st.sampled_from(header),
            st.just(What.SYMPTOM),
            st.just("neck_heat"),
            scale=st.sampled_from([None, (1.0, 5.0)]),
            equals=st.lists(names, max_size=2).map(tuple),
            label_column=st.sampled_from(["", header[1]]),
        ),
        st.builds(
            Column,
            st.sampled_from(header),
            st.just(What.EXPOSURE),
            st.just("caffeine"),
            only=st.dictionaries(st.sampled_from(header), st.lists(names, min_size=1, max_size=2).map(tuple)),
        ),
    )
    when = draw(
        st.builds(
            When,
            st.sampled_from(header),
            format=st.sampled_from(["iso", "%d/%m/%Y %H:%M", "excel1904"]),
            zone=st.sampled_from(["", "Asia/Tokyo"]),
            length_min=st.sampled_from([0.0, 60.0]),
        )
    )
    shape = Shape(
        header, draw(st.integers(0, 9)), draw(st.sampled_from(["utf-8", "cp932"])), draw(st.sampled_from(",;\t"))
    )
    columns = tuple(draw(st.lists(column, min_size=1, max_size=3)))
    return TableMap("m", shape, when, columns, missing=("x",), device_name=draw(st.sampled_from(["", "A"])))


@given(maps())
def test_a_mapping_reads_back_as_it_was_written(table_map):
    assert map_of_text(text_of(table_map), "m") == table_map


GOOD = said("t,v", 'column = "t"', 'name = "v"\nquantity = "weight_kg"')
WRONG = [  # what is replaced, by what, and the error
    (
        'quantity = "weight_kg"',
        'quantity = "wieght_kg"',
        r"column 1\.quantity is 'wieght_kg'; .* \(did you mean weight_kg\?\)",
    ),
    (
        'quantity = "weight_kg"',
        'quantity = "weight_kg"\nunit = "mmHg"',
        r"column 1\.unit is 'mmHg'; it must be a unit of weight_kg: kg, g, lb, st",
    ),
    (
        'quantity = "weight_kg"',
        'quantity = "weight_kg"\nscale = [1, 5]',
        r"column 1\.scale is \[1, 5\]; it must be left out: it goes with rating or symptom",
    ),
    (
        'quantity = "weight_kg"',
        'rating = "stress"\nscale = [1, 1]',
        r"scale is \[1, 1\]; it must be two different numbers",
    ),
    *(
        (
            'quantity = "weight_kg"',
            f'rating = "stress"\nscale = [{scale}]',
            r"scale is \[.*\]; it must be two different",
        )
        for scale in ("1, inf", "1, nan", "-inf, 10", "true, false", "0, true", f"0, 1{'0' * 400}", "1, 2, 3", '"1", 5')
    ),
    ('quantity = "weight_kg"', 'exposure = "caffiene"', r"exposure is 'caffiene'; .* \(did you mean caffeine\?\)"),
    ('quantity = "weight_kg"', "", r"column 1\.name is 'v'; .* exactly one of quantity, rating, exposure, symptom"),
    (
        'quantity = "weight_kg"',
        'quantity = "weight_kg"\nunti = "kg"',
        r"column 1\.unti is no key of a mapping; here are name, quantity",
    ),
    ('name = "v"', 'name = "V2"', r"column 1\.name is 'V2'; it must be a column of table\.header .*: t, v"),
    (
        'column = "t"',
        'column = "t"\nformat = "%H:%M"',
        r"time\.format is '%H:%M'; it must be iso, unix_s, .* or a pattern",
    ),
    ('column = "t"', 'column = "t"\nzone = "Tokyo"', r"m: time\.zone: 'Tokyo' is not a time zone"),
    (
        'column = "t"',
        'column = "t"\nend = "v"\nlength_min = 5',
        r"time\.end is 'v'; it must be the only one of end, length and length_min",
    ),
    ('column = "t"', 'column = "t"\nstamp = "end"', r'time\.stamp is \'end\'; it must be "start" unless'),
    ('column = "t"', "", r"time\.column is missing|time\.column is None"),
    ('header = ["t", "v"]', "", r"table\.header is missing; it must be a list of texts"),
    (
        'header = ["t", "v"]',
        'header = ["t", "v"]\nencoding = "sjis"',
        r'table\.encoding is \'sjis\'; it must be one of "utf-8", "cp932", "utf-16", "latin-1"',
    ),
    (
        'header = ["t", "v"]',
        'header = ["t", "v"]\nheader_line = 1.5',
        r"table\.header_line is 1\.5; it must be a whole number from 0 to 1000",
    ),
    (
        'header = ["t", "v"]',
        'header = ["t", "v"]\nonly = { v = 3 }',
        r"table\.only\.v is 3; it must be a table of columns",
    ),
    ("[[column]]", "[[column]", r"m: is not TOML"),
    ("[[column]]", f"x = {'9' * 5000}\n[[column]]", r"m: is not TOML"),
    ("[[column]]", "[column]", r"column is \{.*\}; it must be a table \[\[column\]\] for each column"),
]


@pytest.mark.parametrize(("part", "other", "error"), WRONG)
def test_what_is_wrong_in_a_mapping_is_said_with_key_value_and_rule(part, other, error):
    assert part in GOOD
    with pytest.raises(InputError, match=error):
        map_of_text(GOOD.replace(part, other), "m")


def test_the_mapping_of_the_reference_page_reads_what_it_speaks_of():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    text = "日付,時刻,体温(℃),コーヒー,ストレス,うなじの熱さ\n2024/5/1,8:30,36.5,1,3,0\n2024/5/2,9:00,999,0,5,4\n"
    rows, problems = read(example.replace('encoding = "cp932"', ""), text)
    assert {name: [row[2] for row in some] for name, some in rows.items()} == {
        "body_temp_c": [36.5], "caffeine": [1], "stress": [5, 10], "check_in": [None], "neck_heat": [4]
    }  # fmt: skip
    assert problems == ()


def test_a_mapping_is_written_at_once_or_not_at_all(tmp_path):
    table_map = map_of_text(GOOD, "m")
    write_map(table_map, tmp_path / "a" / "x.map.toml")
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["x.map.toml"]
    again = read_map(tmp_path / "a" / "x.map.toml")
    assert (again.shape, again.when, again.columns) == (table_map.shape, table_map.when, table_map.columns)
    with pytest.raises(InputError, match="the mapping cannot be read"):
        read_map(tmp_path / "nothing.map.toml")


# -- damage ------------------------------------------------------------------------------------------------------------


def test_damaged_tables_workbooks_and_mappings_never_crash():
    text = b"who,when,temp,unit,hr\nhana,2024-05-01T08:00,98.6,,60\nhana,2024-05-01T09:00,36.5,C,x\n"
    files = {
        "t.csv": (
            text,
            said(
                "who,when,temp,unit,hr",
                'column = "when"\nlength_min = 5',
                'name = "temp"\nquantity = "body_temp_c"\nunit_column = "unit"',
            ),
        ),
        "t.xlsx": (xlsx({"記録": ROWS}), BOOK),
        "t.ods": (ods([["日時", "体温"], ["2024-05-01T08:30:00", "36.5"]]), BOOK),
    }
    rng = random.Random(1)
    for k in range(400):
        name = rng.choice(sorted(files))
        data, table_map = files[name]
        data, table_map = (
            (data, mutated(table_map.encode(), rng).decode(errors="replace"))
            if k % 4 == 0
            else (mutated(data, rng), table_map)
        )
        began = time.perf_counter()
        try:
            batches = list(read_mapped(map_of_text(table_map, "m"), [source(data, name)], CLOCK, ProblemLog()))
        except InputError:
            batches = []
        assert time.perf_counter() - began < 2
        for batch in batches:
            known = QUANTITIES[batch.quantity]
            assert batch.rows.height
            assert batch.rows["time"].null_count() == 0
            assert batch.rows["value"].is_between(known.low, known.high).all()
            assert (batch.rows["end"] >= batch.rows["time"]).fill_null(value=True).all()


def test_batches_of_a_table_are_those_of_its_file():
    table_map = map_of_text(said("t,v", 'column = "t"', 'name = "v"\nquantity = "weight_kg"\nunit = "lb"'), "m")
    file = source("t,v\n2024-05-01T08:00,150\n")
    table = read_sheet(file, table_map.shape, ProblemLog())
    (one,), (other,) = (
        list(batches_of_table(table, table_map, CLOCK, ProblemLog())),
        list(read_mapped(table_map, [file], CLOCK, ProblemLog())),
    )
    assert one.rows.equals(other.rows)


# -- lengths and amounts in words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "unit", "length_min"),
    [
        ("90", "min", 90), ("1.5", "h", 90), ("1:30", "min", 90), ("0:45", "min", 45), ("01:30:00", "h", 90),
        ("0:00:30", "min", 0.5), ("25:00", "min", 1500), ("1899-12-31 01:30:00", "min", 90), ("1h15m", "min", 75),
        ("1h 15min", "h", 75), ("1 hour 15 minutes", "s", 75), ("1時間30分", "min", 90), ("1時間半", "min", 90),
        ("１時間３０分", "min", 90), ("45分", "h", 45), ("30 s", "min", 0.5), ("1.5h", "min", 90),
        ("2 Hrs", "min", 120),
        ("1:75", "min", None), ("5 km", "min", None), ("30回", "min", None), ("1h2h", "min", None),
        ("15m 1h", "h", None),
        ("約1時間", "min", None), ("1:30 pm", "min", None), ("1.2.3 h", "min", None), ("h", "min", None),
        ("", "h", None),
    ],
)  # fmt: skip
def test_lengths_as_people_write_them(cell, unit, length_min):
    """Worked by hand: an hour has 60 minutes, a minute 60 seconds (BIPM, SI brochure, table 8)."""
    read_ = lengths_min(half_width(pl.Series([cell])), ".", unit)[0]
    assert np.isnan(read_) if length_min is None else read_ == pytest.approx(length_min)


def test_rows_whose_length_is_written_with_a_colon_last_that_long_and_others_are_told():
    table_map = said("t,len,x", 'column = "t"\nlength = "len"', 'name = "x"\nexposure = "exercise"\nequals = ["1"]')
    lengths = ["1:30", "0:45", "1h 15min", "3 laps"]
    text = "\n".join(["t,len,x", *(f"2024-05-0{k}T10:00Z,{one},1" for k, one in enumerate(lengths, 1))])
    rows, problems = read(table_map, text)
    assert [row[1] for row in rows["exercise"]] == ["2024-05-01 11:30", "2024-05-02 10:45", "2024-05-03 11:15"]
    assert [(p.line, p.value) for p in problems] == [(5, "3 laps")]


def test_lengths_that_a_workbook_shows_as_hours_and_minutes():
    table_map = said("t,len,x", 'column = "t"\nlength = "len"', 'name = "x"\nexposure = "desk_work"\nequals = ["1"]')
    styles = f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="{{}}"/></numFmts>'
    styles += '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
    body = [["t", "len", "x"], ["2024-05-01T10:00Z", Dated(0.0625), "1"], ["2024-05-02T10:00Z", Dated(1.0625), "1"]]
    for shown, ends in (("h:mm", ["2024-05-01 11:30"]), ("[h]:mm", ["2024-05-01 11:30", "2024-05-03 11:30"])):
        data = xlsx({"a": body}, more={"xl/styles.xml": styles.format(shown).encode()})
        assert [row[1] for row in read(table_map, data, "t.xlsx")[0]["desk_work"]][: len(ends)] == ends


@pytest.mark.parametrize(
    ("kind", "cells", "amounts", "left_out"),
    [
        ("caffeine", ["21:30", "9:15", "2杯", "1 cup", "3"], [2, 1, 3], ["21:30", "9:15"]),
        ("caffeine", ["2杯", "200 mg", "1"], [2, 1], ["200 mg"]),
        ("caffeine", ["200 mg", "90mg", "300 ml"], [200, 90], ["300 ml"]),
        ("alcohol", ["350ml", "2 (beer)", "1 km"], [350], ["2 (beer)", "1 km"]),
        ("medication", ["2錠", "1回", "3 Tablets"], [2, 1, 3], []),
        ("headband", ["2回", "3 (evening)"], [2], ["3 (evening)"]),
        ("hot_bath", ["15分", "0.5 h", "20", "1時間10分", "2回", "21:30"], [15, 30, 20, 70], ["2回", "21:30"]),
    ],
)
def test_amounts_with_a_word_that_is_no_count_are_left_out_with_their_line(kind, cells, amounts, left_out):
    text = "\n".join(["t,x", *(f"2024-05-0{k}T10:00Z,{cell}" for k, cell in enumerate(cells, 1))])
    rows, problems = read(said("t,x", 'column = "t"', f'name = "x"\nexposure = "{kind}"'), text)
    assert [row[2] for row in rows[kind]] == pytest.approx(amounts)
    assert [p.value for p in problems] == left_out
    assert [p.line for p in problems] == [2 + cells.index(cell) for cell in left_out]


def test_notes_behind_numbers_break_one_rule_and_are_seen_in_one_pass():
    table_map = said("t,temp", 'column = "t"', 'name = "temp"\nquantity = "body_temp_c"')
    minutes_ = (f"2024-05-{1 + k // 1440:02d}T{k // 60 % 24:02d}:{k % 60:02d}Z" for k in range(20_000))
    text = "\n".join(
        ["t,temp", *(f"{one},36.5 Hanako {k}" for k, one in enumerate(minutes_)), "2024-06-01T08:00Z,36.6"]
    )
    began = time.perf_counter()
    rows, problems = read(table_map, text)
    assert time.perf_counter() - began < 5  # with a pass for each of the cells it is 20 s
    assert [row[2] for row in rows["body_temp_c"]] == [36.6]
    assert sum(p.count for p in problems) == 20_000
    assert (problems[0].line, problems[0].value) == (2, "36.5 Hanako 0")
    assert not any("Hanako" in p.rule for p in problems)


# -- words that count --------------------------------------------------------------------------------------------------


def test_a_little_is_no_check_in_and_is_told():
    table_map = said("t,x", 'column = "t"', 'name = "x"\nsymptom = "neck_heat"\nequals = ["あり"]')
    cells = ["あり", "少し", "なし", "×", "No", "0", "３", ""]
    text = "\n".join(["t,x", *(f"2024-05-0{k}T10:00Z,{cell}" for k, cell in enumerate(cells, 1))])
    rows, problems = read(table_map, text)
    assert [row[0] for row in rows["neck_heat"]] == ["2024-05-01 10:00"]
    assert [row[0] for row in rows["check_in"]] == [f"2024-05-0{k} 10:00" for k in (3, 4, 5, 6)]
    assert [(p.line, p.value, p.rejected) for p in problems] == [(3, "少し", True), (8, "３", True)]
    assert not any("少し" in p.rule for p in problems)


def test_words_of_something_taken_that_the_mapping_does_not_speak_of_are_told():
    table_map = said(
        "t,x",
        'column = "t"',
        'name = "x"\nexposure = "caffeine"\nequals = ["Coffee"]',
        'name = "x"\nexposure = "alcohol"\nequals = ["beer"]',
    )
    cells = ["coffee", "beer", "tea", "none", "no"]
    text = "\n".join(["t,x", *(f"2024-05-0{k}T10:00Z,{cell}" for k, cell in enumerate(cells, 1))])
    rows, problems = read(table_map, text)
    assert [len(rows[kind]) for kind in ("caffeine", "alcohol")] == [1, 1]
    assert [(p.line, p.value, p.count) for p in problems] == [(4, "tea", 1)]

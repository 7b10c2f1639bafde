"""A thermometer's file is read in whatever order of day and month, and unit, it is written."""

from __future__ import annotations

import pytest

from tests.records import vendors
from tests.records.test_detect import claimants
from tests.records.vendors import brought, source
from unaji.errors import InputError
from unaji.records import thermometer
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog

MIXED = "date,time,temp,unit,site\n13/04/2024,08:15,36.5,C,ear\n03/05/2024,09:00,98.6,F,ear\n04/05/2024,09:00,98.7,,\n"
JAPANESE = "測定日,時刻,体温(℃),メモ\n2024/5/1,8:15,36.5,元気\n2024/5/2,午後 9:00,37.8,だるい\n".replace("℃", "C")
AMERICAN = "Date/Time;Temperature\n4/13/2024 8:15 AM;98,6\n5/3/2024 9:00 PM;99,1\n5/4/2024 9:00 PM;36,9\n"


def read(text: str | bytes, zone: str = "Asia/Tokyo") -> tuple[list[tuple[str, float]], tuple]:
    batches, problems = brought(thermometer, source(text, "t.csv"), zone=zone)
    if not batches:
        return [], problems
    assert {(batch.quantity, batch.device.source, batch.device.site) for batch in batches} == {
        ("body_temp_c", "thermometer", "")
    }
    rows = vendors.table(batches, "body_temp_c")
    return [(time, round(value, 2)) for time, value in rows.select("time", "value").rows()], problems


def test_one_day_above_12_decides_for_the_whole_file_and_each_row_has_its_unit():
    assert read(MIXED) == (
        [("2024-04-12 23:15:00", 36.5), ("2024-05-03 00:00:00", 37.0), ("2024-05-04 00:00:00", 37.06)], ()
    )  # fmt: skip


def test_month_first_decimal_commas_and_units_by_range():
    assert read(AMERICAN, "America/New_York")[0] == [
        ("2024-04-13 12:15:00", 37.0), ("2024-05-04 01:00:00", 37.28), ("2024-05-05 01:00:00", 36.9)
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_japanese_headers_in_either_encoding(encoding):
    assert read(JAPANESE.replace("午後 9:00", "21:00").encode(encoding))[0] == [
        ("2024-04-30 23:15:00", 36.5), ("2024-05-02 12:00:00", 37.8)
    ]  # fmt: skip


def test_an_undecided_order_and_several_people_are_refused_with_advice():
    rows, problems = read("date,temp\n03/04/2024,36.5\n04/04/2024,36.6\n")
    assert rows == []
    assert "nothing in the file decides whether dates are %d/%m/%Y or %m/%d/%Y" in problems[0].rule
    assert "--map" in problems[0].rule
    rows, problems = read("name,date,temp\nHana,2024-05-01,36.5\nKen,2024-05-01,36.6\n")
    assert rows == []
    assert "several people" in problems[0].rule
    assert "Hana" not in str(problems)
    assert len(read("name,date,temp\nHana,2024-05-01,36.5\nHana,2024-05-02,36.6\n")[0]) == 2


def test_times_of_day_that_cannot_be_read_are_refused_with_advice_and_empty_ones_are_not():
    rows, problems = read("date,time,temp\n2024-05-01,morning,36.5\n2024-05-02,8:30,36.6\n")
    assert rows == []
    assert "times of day in 'time' cannot be read in one way" in problems[0].rule
    assert "--map" in problems[0].rule
    text = "date,time,temp\n13/05/2024,8:30,36.5\n14/05/2024,,36.6\n"
    rows = [
        row
        for batch in brought(thermometer, source(text, "t.csv"))[0]
        for row in vendors.table([batch], "body_temp_c").select("time", "end").rows()
    ]
    assert rows == [("2024-05-12 23:30:00", None), ("2024-05-13 15:00:00", "2024-05-14 15:00:00")]


def test_a_reading_that_no_body_has_is_left_out_and_counted():
    rows, problems = read(
        "date,temp\n2024-05-01,36.5\n2024-05-02,36.6\n2024-05-03,30.5\n2024-05-04,36.5\n2024-05-05,-\n"
    )
    assert len(rows) == 3
    assert [(p.line, p.value) for p in problems if p.rejected] == [(4, "30.5")]


@pytest.mark.parametrize("text", [MIXED, AMERICAN, JAPANESE])
def test_it_alone_claims_its_files(text):
    assert claimants(text.encode()) == ["body thermometer"]


@pytest.mark.parametrize(
    "text",
    [
        "date,temp\n2024-07-01,31.5\n2024-07-02,38.2\n",
        "date,temp\n2024-07-01,12\n",
        "time,body_temp_c\n2024-05-01,36.5\n",
        "date,temp,hr\n2024-05-01,36.5,60\n",
        "date,temp,temperature\n2024-05-01,36.5,36.5\n",
        "temp\n36.5\n",
        "date,temp\n",
        "",
    ],
)
def test_weather_and_other_tables_are_not_claimed(text):
    assert not thermometer.claims_file(text.encode())


def test_without_a_zone_nothing_is_read():
    with pytest.raises(InputError, match="time zone"):
        list(thermometer.read([source(MIXED, "t.csv")], Clock(None, vendors.NOW), ProblemLog()))


def test_damaged_files_never_crash():
    vendors.withstands(
        thermometer,
        {"a.csv": MIXED.encode(), "b.csv": AMERICAN.encode(), "c.csv": JAPANESE.encode("cp932")},
        rounds=80,
    )

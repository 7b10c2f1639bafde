"""iButton loggers: wall clock, unit by row, and a place that only the name of the file can tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unaji.errors import InputError
from unaji.records.folder import read_folder
from unaji.records.timeline import from_utc_ms

ABOUT = "1-Wire/iButton Part Number: DS1925\r\nSample Rate:  Every 180 second(s)\r\n\r\nDate/Time,Unit,Value\r\n"


def logger(*rows: str) -> str:
    return ABOUT + "".join(f"{row}\n" for row in rows)


def test_twelve_hour_wall_clock_and_both_units(read):
    timeline = read({"log_nape.csv": logger("3/14/21 11:59:00 AM,C,33.5", "3/14/21 12:02:00 PM,F,92.3")})
    series = timeline.of("neck_skin_temp_c", "nape")
    assert series.value.tolist() == pytest.approx([33.5, 33.5])
    assert [from_utc_ms(t) for t in series.time] == [
        datetime(2021, 3, 14, 2, 59, tzinfo=UTC), datetime(2021, 3, 14, 3, 2, tzinfo=UTC)
    ]  # fmt: skip


def test_day_first_dates_are_seen_from_the_whole_file(read):
    timeline = read({"x_ambient.csv": logger("12/2/21 11:30:00 PM,C,21", "13/2/21 12:00:00 AM,C,22", "Monday,C,22")})
    series = timeline.of("air_temp_c", "near_body")
    assert [str(t)[:10] for t in series.time] == ["2021-02-12", "2021-02-12"]
    assert "line 7: found 'Monday': is not a time" in str(timeline.problems[0])


def test_rows_are_told_by_their_line_in_the_file(read):
    timeline = read(
        {"skin.csv": logger("3/14/21 1:00:00 PM,C,33.5", "3/14/21 1:03:00 PM,K,306.6", "3/14/21 1:06:00 PM,C,33.5")}
    )
    assert len(timeline.of("skin_temp_c", "wrist")) == 2
    told = [str(problem) for problem in timeline.problems]
    assert "skin.csv, line 6: found 'K': the unit must be C or F" in told
    assert any("taken as the wrist" in problem for problem in told)


def test_dates_that_fit_both_orders_are_taken_as_month_first_and_that_is_said(read):
    timeline = read({"x_ambient.csv": logger("3/4/21 1:00:00 PM,C,21", "3/4/21 1:03:00 PM,C,22")})
    assert str(timeline.of("air_temp_c", "near_body").time[0])[:10] == "2021-03-04"
    assert any("taken as month/day" in problem.rule for problem in timeline.problems)


def test_a_name_that_does_not_say_the_place_is_asked_for(read):
    with pytest.raises(
        InputError, match=r"where the logger was worn; put one of these words into its name: nape, neck"
    ):
        read({"5E0000000DE25A53.csv": logger("3/14/21 1:00:00 PM,C,33.5")})


@pytest.mark.shared
@pytest.mark.parametrize("person", ["enth02", "enth10", "enth28"])
def test_real_loggers_give_the_sample_count_of_their_own_header(shared_data, person):
    folder = shared_data / "thermal-enth" / person
    timeline = read_folder(folder, timezone="Asia/Singapore")
    for name, series in (
        ("skin", timeline.of("skin_temp_c", "wrist")),
        ("ambient", timeline.of("air_temp_c", "near_body")),
    ):
        text = (folder / f"{person}_ibutton_{name}.csv").read_text()
        samples = int(text.partition("Mission Sample Count:")[2].split()[0])
        left_out = sum(p.rejected and f"ibutton_{name}" in p.file for p in timeline.problems)
        assert len(series) + left_out == samples

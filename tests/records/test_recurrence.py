"""Rules of repetition name the days that another library finds, and never take long."""

from __future__ import annotations

import time
import warnings
from datetime import date, datetime
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from unaji.records.recurrence import WEEKDAYS, Rule, days_of, rule_of


def parts_of(text: str) -> dict[str, list[str]]:
    return {name: value.split(",") for name, value in (part.split("=") for part in text.split(";"))}


EXAMPLES = [  # RFC 5545, 3.8.5.3, all from 2 September 1997 unless said otherwise: the rule and its first days
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", "0902 0912 0922 1002 1012"),
    ("FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH", "0902 0904 0909 0911"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "0902 0904 0916 0918 0930 1002 1014 1016"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "0905 1003 1107"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", "0928 1029 1128 1229"),
    ("FREQ=MONTHLY;COUNT=5;BYMONTHDAY=1,-1", "0930 1001 1031 1101 1130"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "0904 1007 1106"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "0929 1030 1127 1230"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213 19980313 19981113"),
    ("FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1104 19981103 19991102"),
    ("FREQ=YEARLY;BYDAY=20MO", "19980518 19990517"),
]


@pytest.mark.parametrize(("rule", "days"), EXAMPLES)
def test_examples_of_the_standard(rule, days):
    expected = [datetime.strptime(day if len(day) == 8 else f"1997{day}", "%Y%m%d").date() for day in days.split()]
    found = days_of(rule_of(parts_of(rule)), date(1997, 9, 2), date(2001, 1, 1))
    assert found[: len(expected)] == expected
    if "COUNT" in rule:
        assert len(found) == len(expected)


def test_the_week_begins_where_the_rule_says():
    """RFC 5545, 3.8.5.3: the same rule with weeks from Monday and from Sunday."""
    said = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={}"
    found = {
        day: days_of(rule_of(parts_of(said.format(day))), date(1997, 8, 5), date(1998, 1, 1)) for day in ("MO", "SU")
    }
    assert [day.day for day in found["MO"]] == [5, 10, 19, 24]
    assert [day.day for day in found["SU"]] == [5, 17, 19, 31]


weekday = st.sampled_from(WEEKDAYS)
ordinal = st.builds("{}{}".format, st.sampled_from(["1", "2", "-1", "-2", "5"]), weekday)

month_day = st.integers(1, 31).flatmap(lambda n: st.sampled_from([str(n), str(-n)]))


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": [frequency], "INTERVAL": [str(draw(st.integers(1, 4)))]}
    optional = {
        "BYDAY": st.one_of(
            st.lists(weekday, min_size=1, max_size=3),
            # the other library takes "MO,1TU" as both at once, the standard as either
            st.lists(ordinal if frequency in ("MONTHLY", "YEARLY") else weekday, min_size=1, max_size=3),
        ),
        "BYMONTH": st.lists(st.integers(1, 12).map(str), min_size=1, max_size=4),
        "BYMONTHDAY": st.lists(month_day, min_size=1, max_size=4),
        "BYSETPOS": st.lists(st.sampled_from(["1", "2", "-1"]), min_size=1, max_size=2),
        "WKST": st.lists(weekday, min_size=1, max_size=1),
        "COUNT": st.lists(st.integers(1, 30).map(str), min_size=1, max_size=1),
    }  # fmt: skip
    if frequency == "WEEKLY":
        del optional["BYMONTHDAY"]  # which the standard forbids
    for name, values in optional.items():
        if draw(st.booleans()):
            parts[name] = draw(values)
    assume("BYSETPOS" not in parts or {"BYDAY", "BYMONTHDAY"} & set(parts))
    return parts


@settings(max_examples=80, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(rules(), st.dates(date(1995, 1, 1), date(2010, 1, 1)))
def test_another_library_finds_the_same_days(parts, start):
    found = days_of(rule_of(parts), start, date(2016, 1, 1))
    assume(found)  # the other library looks until the year 9999 where there is none
    text = ";".join(f"{name}={','.join(values)}" for name, values in parts.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = islice(rrulestr(text, dtstart=datetime(start.year, start.month, start.day)), len(found))
        assert [moment.date() for moment in other] == found


@pytest.mark.parametrize(
    "rule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=MONTHLY;BYDAY=6FR"]
)
def test_a_rule_that_no_day_fulfils_ends_soon(rule):
    began = time.process_time()
    assert days_of(rule_of(parts_of(rule)), date(1990, 1, 1), date(2026, 1, 1)) == []
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    ["FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYEASTER=1", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;COUNT=a"],
)
def test_what_is_no_rule_is_said(text):
    with pytest.raises(ValueError, match=r"."):
        rule_of(parts_of(text))


def test_a_rule_checks_itself():
    with pytest.raises(ValueError, match="interval is 0"):
        Rule("DAILY", 0)

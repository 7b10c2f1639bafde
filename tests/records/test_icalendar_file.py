"""Calendars give meetings: when they were on the wall clock of their zone, and nothing of what they were about."""

from __future__ import annotations

import re

import pytest

from tests.records import vendors
from tests.records.test_detect import claimants
from tests.records.vendors import brought, source
from unaji.records import icalendar_file
from unaji.records.folder import read_folder
from unaji.records.importing import import_files, undo_import


def calendar(*entries: str, before: str = "") -> str:
    events = "".join(f"BEGIN:VEVENT\n{entry.strip()}\nEND:VEVENT\n" for entry in entries)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{before}{events}END:VCALENDAR\n".replace("\n", "\r\n")


def meetings(*entries: str, before: str = "", zone: str = "Asia/Tokyo"):
    """Return starts and ends in UTC, and the reasons of what was left out with their counts."""
    batches, problems = brought(icalendar_file, source(calendar(*entries, before=before), "a.ics"), zone=zone)
    rows = vendors.table(batches, "meeting").sort("time") if batches else None
    spans = [] if rows is None else [f"{a[:16]} {b[11:16]}" for a, b in rows.select("time", "end").rows()]
    return spans, {problem.rule: problem.count for problem in problems}


ONE = "UID:1\nDTSTART:20240501T000000Z\nDTEND:20240501T010000Z"


def test_the_weekly_meeting_of_the_standard_stays_at_nine_when_the_clock_is_changed():
    """RFC 5545, 3.8.5.3: "Daily for 10 occurrences": 1997-09-02 … 09-11 at 9:00 in New York; and every other week."""
    entry = "UID:1\nDTSTART;TZID=America/New_York:19970902T090000\nDTEND;TZID=America/New_York:19970902T100000\n"
    spans, _ = meetings(entry + "RRULE:FREQ=DAILY;COUNT=10")
    assert spans == [f"1997-09-{day:02d} 13:00 14:00" for day in range(2, 12)]
    spans, _ = meetings(entry + "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=8")
    assert [span[:16] for span in spans] == [
        "1997-09-02 13:00", "1997-09-16 13:00", "1997-09-30 13:00", "1997-10-14 13:00", "1997-10-28 14:00",
        "1997-11-11 14:00", "1997-11-25 14:00", "1997-12-09 14:00",
    ]  # fmt: skip
    spans, _ = meetings(entry + "RRULE:FREQ=DAILY;UNTIL=19971224T000000Z")
    assert (len(spans), spans[-1]) == (113, "1997-12-23 14:00 15:00")  # September 2 to December 23
    spans, _ = meetings(entry + "RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR".replace("COUNT=10", "COUNT=4"))
    assert [span[:10] for span in spans] == ["1997-09-02", "1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05"]


def test_days_taken_out_added_moved_and_cancelled():
    master = (
        "UID:1\nDTSTART;TZID=Europe/Berlin:20240304T090000\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=6\n"
        "EXDATE;TZID=Europe/Berlin:20240311T090000\nRDATE;TZID=Europe/Berlin:20240306T150000"
    )
    moved = (
        "UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20240318T090000\nDTSTART;TZID=Europe/Berlin:20240319T140000\n"
        "DTEND;TZID=Europe/Berlin:20240319T150000"
    )
    cancelled = (
        "UID:1\nRECURRENCE-ID:20240325T080000Z\nDTSTART:20240325T080000Z\nDTEND:20240325T083000Z\nSTATUS:CANCELLED"
    )
    spans, problems = meetings(moved, cancelled, master)
    assert spans == [
        "2024-03-04 08:00 08:30", "2024-03-06 14:00 14:30", "2024-03-19 13:00 14:00", "2024-04-01 07:00 07:30",
        "2024-04-08 07:00 07:30",
    ]  # fmt: skip
    assert problems == {"entries were cancelled; they were not read": 1}


def test_a_change_of_this_and_all_following():
    master = "UID:1\nDTSTART:20240304T090000Z\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=4"
    change = "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20240318T090000Z\nDTSTART:20240318T100000Z\nDURATION:PT1H"
    assert meetings(master, change)[0] == [
        "2024-03-04 09:00 09:30", "2024-03-11 09:00 09:30", "2024-03-18 10:00 11:00", "2024-03-25 10:00 11:00"
    ]  # fmt: skip


def test_zones_by_windows_name_by_description_and_floating():
    end = "DURATION:PT1H"
    described = (
        "BEGIN:VTIMEZONE\nTZID:Büro\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    spans, problems = meetings(
        f'UID:1\nDTSTART;TZID="W. Europe Standard Time":20240701T090000\n{end}',
        f"UID:2\nDTSTART;TZID=Büro:20240702T090000\n{end}",
        f"UID:3\nDTSTART:20240703T090000\n{end}",
        f"UID:4\nDTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20240704T090000\n{end}",
        f"UID:5\nDTSTART;TZID=Nowhere:20240705T090000\n{end}",
        before=described,
    )
    assert [span[:16] for span in spans] == [
        "2024-07-01 07:00", "2024-07-02 03:30", "2024-07-03 00:00", "2024-07-04 07:00", "2024-07-05 00:00"
    ]  # fmt: skip
    assert list(problems) == ["times in a zone that is not known were taken as the person's own clock"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("UID:1\nDTSTART;VALUE=DATE:20240501\nDTEND;VALUE=DATE:20240502", "whole days"),
        ("UID:1\nDTSTART:20240501T000000\nDTEND:20240502T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", "whole days"),
        (f"{ONE}\nSTATUS:CANCELLED", "cancelled"),
        (f"{ONE}\nTRANSP:TRANSPARENT", "free"),
        (f"{ONE}\nX-MICROSOFT-CDO-BUSYSTATUS:FREE", "free"),
        (f"{ONE}\nATTENDEE;CN=Hana;PARTSTAT=DECLINED:mailto:hana@example.org", "declined"),
        (f'{ONE}\nATTENDEE;CN="Yamada: Hanako";PARTSTAT=DECLINED:mailto:hana@example.org', "declined"),
        (f'{ONE}\nATTENDEE;CN="x;PARTSTAT=ACCEPTED:";PARTSTAT="DECLINED":mailto:hana@example.org', "declined"),
        ("UID:1\nDTSTART:20240501T000000Z", "no length"),
        ("UID:1\nDTSTART:20270501T000000Z\nDURATION:PT1H", "still to come"),
        ("UID:1\nDTSTART:19850501T000000Z\nDURATION:PT1H", "before 1990"),
        ("UID:1\nDTSTART:20240501T000000Z\nDTEND:20240510T000000Z", "more than 36 h"),
        ("UID:1\nDTSTART:20240502T000000Z\nDTEND:20240501T000000Z", "no length"),
        ("UID:1\nDTSTART:never\nDTEND:20240501T000000Z", "cannot be read"),
        ("UID:1\nDTEND:20240501T000000Z", "cannot be read"),
        (f"{ONE}\nRRULE:FREQ=SECONDLY", "more than daily"),
        (f"{ONE}\nRRULE:FREQ=DAILY;INTERVAL=0", "rule of repetition cannot be read"),
    ],
)
def test_what_is_no_meeting_is_left_out_and_counted(entry, reason):
    spans, problems = meetings(entry)
    assert spans == []
    assert any(re.search(reason, rule) for rule in problems), problems


def test_the_owners_answer_counts_among_several():
    people = "\nATTENDEE;PARTSTAT=DECLINED:mailto:ken@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:hana@example.org"
    assert len(meetings(ONE + people)[0]) == 1
    people = people.replace("DECLINED", "X").replace("ACCEPTED", "DECLINED").replace("mailto:hana", "\n mailto:hana")
    spans, problems = meetings(ONE + people, before="X-WR-CALNAME:mailto:hana@example.org\n".replace("mailto:", ""))
    assert (len(spans), list(problems)) == (0, ["entries were declined; they were not read"])


def test_an_endless_rule_is_followed_up_to_now_only():
    spans, problems = meetings(f"{ONE}\nRRULE:FREQ=DAILY")
    assert (len(spans), spans[-1]) == (761 + 1, "2026-06-01 00:00 01:00")  # 1 May 2024 to 1 June 2026
    assert problems["entries are still to come; they were not read"] == 1


def test_no_more_than_ten_thousand_are_read_and_they_are_the_latest():
    spans, problems = meetings("UID:1\nDTSTART:19950101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY")
    assert (len(spans), spans[-1]) == (10_000, "2026-06-01 00:00 01:00")
    assert any("more than 10,000" in rule for rule in problems)


def test_an_impossible_rule_ends():
    assert len(meetings(f"{ONE}\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")[0]) == 1
    assert len(meetings(f"{ONE}\nRRULE:FREQ=DAILY;COUNT=5;BYMONTH=2;BYMONTHDAY=30")[0]) == 1


def test_of_the_same_entry_the_newest_counts_and_two_calendars_that_hold_it_give_it_once():
    newer = ONE.replace("T010000Z", "T020000Z") + "\nSEQUENCE:2"
    assert meetings(newer, ONE)[0] == ["2024-05-01 00:00 02:00"]
    files = [source(calendar(ONE), "a.ics"), source(calendar(ONE, ONE.replace("UID:1", "UID:2")), "b.ics")]
    batches, _ = brought(icalendar_file, *files)
    assert sum(len(batch) for batch in batches) == 2
    first, second = (brought(icalendar_file, source(calendar(one), "a.ics"))[0][0] for one in (ONE, newer))
    assert first.rows["vendor_id"].to_list() == second.rows["vendor_id"].to_list()  # edited, not another one


def stored(tmp_path, *calendars: str) -> list[str]:
    """Import one calendar after the other; return when the person then has had meetings."""
    tmp_path.mkdir(exist_ok=True)
    for number, text in enumerate(calendars):
        (tmp_path / f"{number}.ics").write_bytes(text.encode())
        import_files([tmp_path / f"{number}.ics"], tmp_path / "me", timezone="Asia/Tokyo", now=vendors.NOW)
    exposures = read_folder(tmp_path / "me", now=vendors.NOW).exposures
    return [f"{one.start:%Y-%m-%d %H:%M}" for one in exposures if one.kind == "meeting"]


def test_a_meeting_whose_time_was_edited_is_one_meeting(tmp_path):
    later = ONE.replace("T00", "T02").replace("T010000Z", "T030000Z")
    assert stored(tmp_path, calendar(ONE), calendar(later)) == ["2024-05-01 02:00"]


def on(day: str) -> str:
    return ONE.replace("20240501", day)


def test_a_meeting_moved_to_any_other_day_is_one_meeting(tmp_path):
    two = "UID:2\nDTSTART:20240508T000000Z\nDTEND:20240508T010000Z"
    for n, day in enumerate(("20240504", "20240704", "20230102")):
        then = f"{day[:4]}-{day[4:6]}-{day[6:]} 00:00"
        found = stored(tmp_path / f"{n}", calendar(ONE, two), calendar(on(day), two))
        assert found == sorted(["2024-05-08 00:00", then])


def test_a_move_is_undone_with_its_import(tmp_path):
    assert stored(tmp_path, calendar(ONE), calendar(on("20240704"))) == ["2024-07-04 00:00"]
    undo_import(2, tmp_path / "me")
    exposures = read_folder(tmp_path / "me", now=vendors.NOW).exposures
    assert [f"{one.start:%m-%d}" for one in exposures] == ["05-01"]


def test_a_series_whose_time_of_day_was_edited_is_one_series(tmp_path):
    series = (
        "UID:1\nDTSTART;TZID=Asia/Tokyo:20240304T{0}\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=3\n"
        "RDATE;TZID=Asia/Tokyo:20240306T{1}"
    )
    moved = "UID:1\nRECURRENCE-ID;TZID=Asia/Tokyo:20240311T{0}\nDTSTART;TZID=Asia/Tokyo:20240312T140000\nDURATION:PT1H"
    first = calendar(series.format("090000", "160000,20240306T170000"))
    then = calendar(series.format("080000", "150000,20240306T170000"), moved.format("080000"))
    assert stored(tmp_path, first, then) == [
        "2024-03-03 23:00", "2024-03-06 06:00", "2024-03-06 08:00", "2024-03-12 05:00", "2024-03-17 23:00"
    ]  # fmt: skip


def test_a_day_taken_out_of_a_series_renames_no_other_of_that_day(tmp_path):
    series = "UID:1\nDTSTART:20240304T090000Z\nDURATION:PT30M\nRDATE:20240306T100000Z,20240306T120000Z"
    then = calendar(f"{series}\nEXDATE:20240306T100000Z")
    assert stored(tmp_path / "a", then, calendar(series)) == [
        "2024-03-04 09:00",
        "2024-03-06 10:00",
        "2024-03-06 12:00",
    ]
    whole, less = (brought(icalendar_file, source(text, "a.ics"))[0][0].rows["vendor_id"].to_list() for text in (
        calendar(series), then))  # fmt: skip
    assert less == [whole[0], whole[2]]


def test_nothing_of_what_a_meeting_is_about_leaves_the_importer():
    text = "SUMMARY:Scheidung\nDESCRIPTION:lang\\n\n und geheim\nLOCATION:Kanzlei\n"
    text += "ORGANIZER;CN=Ken:mailto:ken@example.org\n"
    batches, problems = brought(icalendar_file, source(calendar(f"UID:ken@example.org\n{text}{ONE[6:]}"), "a.ics"))
    said = f"{[batch.rows.rows() for batch in batches]}{[batch.device for batch in batches]}{problems}"
    assert len(batches) == 1
    assert not any(word in said for word in ("Scheidung", "geheim", "Kanzlei", "ken", "Ken"))


@pytest.mark.parametrize("sign", ["\u2028", "\x0b", "\x85", "\x0c", "\x1e"])
def test_only_line_ends_of_the_standard_end_a_line(sign):
    assert len(meetings(f"{ONE}\nSUMMARY:a{sign}STATUS:CANCELLED{sign}END:VEVENT")[0]) == 1
    assert len(brought(icalendar_file, source(calendar(ONE).replace("\r", ""), "a.ics"))[0]) == 1


def test_it_alone_claims_calendars():
    assert claimants(calendar(ONE).encode()) == ["iCalendar"]


def test_damaged_calendars_never_crash_and_never_hang():
    entries = (
        f"{ONE}\nRRULE:FREQ=MONTHLY;BYDAY=1FR,-1MO;COUNT=9\nEXDATE:20240607T000000Z",
        "UID:2\nDTSTART;TZID=Europe/Berlin:20200304T090000\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;UNTIL=20230101\n"
        "RDATE;VALUE=PERIOD:20240101T090000Z/PT1H",
        "UID:2\nRECURRENCE-ID;TZID=Europe/Berlin:20200311T090000\nDTSTART;TZID=Europe/Berlin:20200312T090000\nDURATION:PT1H",
    )
    described = (
        "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    files = {"a.ics": calendar(*entries, before=described).encode(), "b.ics": calendar(*entries[:1]).encode()}
    vendors.withstands(icalendar_file, files, rounds=300)

"""Small files of formats that are known from documentation only, made by the builders of the tests.

They are for `benchmarks.fuzzed_imports`, which damages them.
"""

from __future__ import annotations

import numpy as np

from tests.records import (
    test_activitywatch,
    test_edf,
    test_embraceplus,
    test_icalendar_file,
    test_ishne,
    test_ishne_import,
    test_opensignals,
    test_thermometer,
)
from tests.records.mapping.workbooks import Dated, ods, xlsx

TABLE = "table"
"""Stands for the importer of what is read by a mapping."""

DIARY = [["日付", "時刻", "体温", "脈拍", "コーヒー", "ストレス"], ["2024/5/1", "8:30", 36.5, 60, 1, 3],
         ["2024/5/2", "21:10", 36.7, 64, 0, 5], ["2024/5/13", "7:00", "999", 58, 2, 1]]  # fmt: skip
SERIES = (
    "UID:1\nDTSTART;TZID=Asia/Tokyo:20240304T090000\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20240311T000000Z",
    "UID:1\nRECURRENCE-ID;TZID=Asia/Tokyo:20240318T090000\nDTSTART;TZID=Asia/Tokyo:20240319T140000\nDURATION:PT1H",
    "UID:2\nDTSTART:20240501T000000Z\nDTEND:20240501T010000Z\nSTATUS:CONFIRMED\nRDATE:20240508T000000Z",
)
ZONE = (
    "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\n"
    "END:STANDARD\nEND:VTIMEZONE\n"
)


def documented_files() -> list[tuple[str, bytes, str]]:
    """Return name, content and importer of each."""
    return [*_recordings(), *_life(), *_tables()]


def _recordings() -> list[tuple[str, bytes, str]]:
    wave = np.arange(36).reshape(9, 4)
    skin = [("EDA", "uS", 0, 100, 0, 1000, 64), ("BDF Annotations", "", -1, 1, -9, 9, 4)]
    peaks = [test_embraceplus.START_US * 1000 + k * 800_000_000 for k in range(6)]
    small = {"seconds": 10, "peaks": peaks, "tags": [test_embraceplus.START_US]}
    board = [(k % 16, 1, 1, 0, 0, k) for k in range(60)]
    hub = [(k, 0, 30000, 9, *row) for k, row in enumerate(board)]
    onsets = [b"+%d" % k for k in (0, 1, 2, 10, 11, 3, 12, 13, 14)]
    return [
        ("plain.edf", test_edf.raw(skin[:1], [test_edf.record(np.arange(64))] * 3), "EDF"),
        ("parts.edf", test_edf.discontinuous(onsets, wave), "EDF"),
        ("wide.bdf", test_edf.raw(skin, [b"\x01\x02\x00" * 68] * 3, reserved=b"BDF+D", wide=3), "EDF"),
        ("plain.avro", test_embraceplus.piece(codec="null", **small), "Empatica EmbracePlus"),
        ("packed.avro", test_embraceplus.piece(**small), "Empatica EmbracePlus"),
        ("holter.ecg", test_ishne.holter(list(range(-200, 200))), "ISHNE Holter"),
        ("holter.ann", test_ishne_import.marks("NNVXNN!N", [10, 200, 150, 90, 100, 160, 65535, 5]), "ISHNE Holter"),
        ("board.txt", test_opensignals.text([test_opensignals.BITALINO], board).encode(), "OpenSignals"),
        ("hub.txt", test_opensignals.text([test_opensignals.HUB, test_opensignals.BITALINO], hub).encode(),
         "OpenSignals"),
    ]  # fmt: skip


def _life() -> list[tuple[str, bytes, str]]:
    watched = test_activitywatch
    export = watched.export(watched.OLD, watched.NEW, watched.AFK, watched.ANDROID)
    thermometers = ((test_thermometer.MIXED, "utf-8"), (test_thermometer.AMERICAN, "utf-8"), (
        test_thermometer.JAPANESE, "cp932"))  # fmt: skip
    return [
        ("plain.ics", test_icalendar_file.calendar(*SERIES[2:]).encode(), "iCalendar"),
        ("series.ics", test_icalendar_file.calendar(*SERIES, before=ZONE).encode(), "iCalendar"),
        ("watched.json", export.encode(), "ActivityWatch"),
        *((f"fever{k}.csv", text.encode(code), "body thermometer") for k, (text, code) in enumerate(thermometers)),
    ]


def _tables() -> list[tuple[str, bytes, str]]:
    text = "\r\n".join(",".join(map(str, row)) for row in DIARY)
    dated = [["日時", "体温"], [Dated(45413.5), 36.5], [Dated(45414.5), 36.7]]
    return [
        ("diary.csv", text.encode("cp932"), TABLE),
        ("scale.csv", "Date;Weight (lb)\n13.04.2024 08:15;176,5\n02.05.2024 08:20;175,9\n".encode("utf-16"), TABLE),
        ("diary.xlsx", xlsx({"表紙": [["題"]], "記録": DIARY}), TABLE),
        ("dated.xlsx", xlsx({"a": dated}), TABLE),
        ("diary.ods", ods([[str(cell) for cell in row] for row in DIARY]), TABLE),
    ]

"""No file is claimed by two: the vendors' importers beside each other and beside the rest, on real and made files."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from unaji.records import fitbit, google_fit, health_connect, oura, samsung_health, withings
from unaji.records.detect import importer_of
from unaji.records.source import HEAD_BYTES

VENDORS: tuple[ModuleType, ...] = (fitbit, google_fit, health_connect, oura, samsung_health, withings)
FOLDERS = {
    "fitbit-export": fitbit,
    "vendor-api-json/fitbit": fitbit,
    "vendor-api-json/googlefit": google_fit,
    "vendor-api-json/withings": withings,
    "withings-api": withings,
}


def claimed_by(head: bytes) -> list[ModuleType]:
    return [vendor for vendor in VENDORS if vendor.claims_file(head)]


def is_data(path) -> bool:
    return path.is_file() and path.name != "README.md"


@pytest.mark.shared
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_real_file_of_a_vendor_is_claimed_by_its_importer_only(shared_data, folder):
    for path in filter(is_data, (shared_data / folder).iterdir()):
        head = path.read_bytes()[:HEAD_BYTES]
        assert claimed_by(head) == [FOLDERS[folder]], path.name
        assert importer_of(head).read is FOLDERS[folder].read, path.name


@pytest.mark.shared
def test_no_other_real_file_is_claimed(shared_data):
    for folder in shared_data.iterdir():
        if folder.is_dir() and not any(name.split("/")[0] == folder.name for name in FOLDERS):
            for path in filter(is_data, folder.rglob("*")):
                with path.open("rb") as file:
                    assert claimed_by(file.read(HEAD_BYTES)) == [], path


@pytest.mark.shared
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_real_file_cut_short_is_claimed_by_no_other(shared_data, folder):
    for path in filter(is_data, (shared_data / folder).iterdir()):
        head = path.read_bytes()[:HEAD_BYTES]
        for size in (len(head) // 4, len(head) // 2, len(head) - 3):
            assert claimed_by(head[:size]) in ([], [FOLDERS[folder]]), (path.name, size)


@pytest.mark.parametrize(
    "document",
    [
        {"buckets": {"aw-watcher-window_pc": {"events": []}}},
        {"hrvSummary": {"calendarDate": "2024-05-01"}, "hrvReadings": []},
        {"dailySleepDTO": {"sleepStartTimestampGMT": 1}, "sleepMovement": []},
        [{"date": "2024-05-01", "devicePpiSamplesList": []}],
        {"utc_offset_seconds": 32400, "hourly": {"time": []}},
        {"data": [], "status": "ok"},
        {"sleep": {"total": 3}},
        {"activities": [{"name": "x"}]},
        {"status": 0, "body": {}},
        {"point": []},
        [],
        {},
        [1, 2],
    ],
)
def test_what_is_of_no_vendor_here_is_claimed_by_none(document):
    assert claimed_by(json.dumps(document).encode()) == []


@pytest.mark.parametrize(
    "head", [b"", b"time,hr\n2024-05-01T00:00:00,60\n", b"date,value\n", b"SQLite format 3\0", b"\xff" * 9]
)
def test_other_text_and_bytes_are_claimed_by_none(head):
    assert claimed_by(head) == []

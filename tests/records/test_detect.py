"""A file is recognised by what is in it, and by one importer only."""

from __future__ import annotations

import zipfile
from collections import Counter

import pytest

from tests.records.mapping.workbooks import xlsx
from unaji.records.detect import IMPORTERS, recognise, recordings, sources
from unaji.records.problems import ProblemLog

SAMPLES = {
    "Empatica E4": [
        b"1646305200.000000\n4.000000\n0.000000\n",
        b"1646305200.0, 1646305200.0, 1646305200.0\r\n32.0, 32.0, 32.0\r\n1,2,3\r\n",
        b"1646305200.000000, IBI\n", b"1646305200.25\n1646305300.50\n",
    ],
    "headache diary with weather": [
        "Year,Month,Day,Hour,Minute,Location,Latitude (°),Pressure (hPa),Headache,Severity\n".encode()
    ],
    "iButton temperature logger": [b"1-Wire/iButton Part Number: DS1925\r\n\r\nDate/Time,Unit,Value\r\n"],
    "JMA download": ["ダウンロードした時刻：2023/10/20 10:42:41\r\n".encode(e) for e in ("cp932", "utf-8")],
    "Cozie votes": [b'"time","fitbit.heartRate","fitbit.thermal"\n', b"\xef\xbb\xbftime,fitbit.thermal\n"],
    "Fitbit heart rate and steps": [b'"time","fitbit_api.HR","fitbit_api.Steps"\r\n'],
    "PurpleAir sensor": [b'"time","purpleair.pressure","purpleair.temperature"\n'],
    "WFDB record": [
        b"# a remark\n\n100 1 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n", b"nsr001 0 128 0\n# Age: 64\n",
        b"r1 2 250.5/1(0) 99 8:30:00 15/05/2024\r\nr1.dat 16 200(0)/mV 12 0 0 0 0 I\r\nr1.dat 16\r\n",
    ],
    "Apple Health": [b'<?xml version="1.0"?>\n<!DOCTYPE HealthData [\n]>\n<HealthData locale="ja_JP">\n'],
    "Fitbit": [b'[{"dateTime":"05/01/24 00:00:05","value":{"bpm":61,"confidence":2}}]'],
    "Garmin FIT": [b"\x0e\x20\x54\x08\x00\x00\x00\x00.FIT\x00\x00"],
    "Garmin Connect": [b'{"hrvSummary":{"calendarDate":"2024-05-01"},"hrvReadings":[{"hrvValue":40}]}'],
    "Oura": [b'{"data":[{"timestamp":"2024-05-01T00:00:00+00:00","bpm":61,"source":"rest"}]}'],
    "Withings": [b'{"status":0,"body":{"updatetime":1,"timezone":"Asia/Tokyo","measuregrps":[{"grpid":1}]}}'],
    "Google Fit": [b'{"Data Source":"raw:com.google.heart_rate.bpm:x","Data Points":[{"fitValue":[]}]}'],
    "Samsung Health": [b"com.samsung.shealth.stress,6310001,3\nstart_time,score,\n"],
    "Polar": [b"[Params]\r\nVersion=106\r\nInterval=238\r\n"],
    "body thermometer": [b"date,time,temp,unit\n13/04/2024,08:15,36.5,C\n"],
    "iCalendar": [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"],
    "ActivityWatch": [b'{"buckets":{"aw-watcher-afk_pc":{"type":"afkstatus","client":"aw-watcher-afk","events":[]}}}'],
    "Elite HRV": [b"812\n800\n795\n", b"0.81\n0.79\n0.80\n"],
    "ISHNE Holter": [b"ISHNE1.0\x16\x6e\x00\x00\x00\x00", b"ANN  1.0\x00\x00\x00\x00\x00\x00"],
    "OpenSignals": [b'# OpenSignals Text File Format\n# {"00": {"sensor": ["ECG"]}}\n# EndOfHeader\n0\t0\t2050\t\n'],
    "Open-Meteo": [b'{"latitude":35.7,"utc_offset_seconds":32400,"hourly":{"time":[]}}'],
}  # fmt: skip
MADE_ELSEWHERE = {
    "EDF", "Empatica EmbracePlus", "Health Connect", "HRV4Training", "JMA tables", "Meteostat", "NOAA ISD", "PVGIS",
    "SURFRAD",
}  # fmt: skip
"""Importers whose samples are too long for here: their own tests say that they are claimed, and by them alone."""
WEATHER = ("JMA download", "Open-Meteo")
STRANGERS = [
    b"", b"\n", b"time,hr_bpm\n2024-05-01T08:00,60\n", b"start\n", b"0.81\n0.79\n", b"812\n800\n", b"%PDF-1.7",
    b"PK\x05\x06", b"1646305200000\n1646305201000\n", b"time,fitbit\n",
    b"812 3 790\n", b"abc 0\n", b"812 0 128 0\n", b"r1 2 250\nr1.dat 16\n",
]  # fmt: skip


def claimants(head: bytes) -> list[str]:
    return [importer.name for importer in IMPORTERS if importer.claims_file(head)]


@pytest.mark.parametrize(("name", "head"), [(name, head) for name, heads in SAMPLES.items() for head in heads])
def test_each_sample_is_claimed_by_its_importer_alone(name, head):
    assert claimants(head) == [name]


@pytest.mark.parametrize("head", STRANGERS)
def test_nobody_claims_a_stranger(head):
    assert claimants(head) == []


def test_every_importer_has_a_sample():
    assert {importer.name for importer in IMPORTERS} == set(SAMPLES) | MADE_ELSEWHERE


def test_archives_and_folders_are_looked_into(tmp_path):
    (tmp_path / "E4").mkdir()
    (tmp_path / "E4" / "info.txt").write_text("about")
    assert recognise(tmp_path / "E4") is None
    with zipfile.ZipFile(tmp_path / "E4" / "s.zip", "w") as archive:
        archive.writestr("a/EDA.csv", SAMPLES["Empatica E4"][0])
    assert recognise(tmp_path / "E4" / "s.zip").name == recognise(tmp_path).name == "Empatica E4"


def test_a_workbook_is_one_file_and_no_archive(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(xlsx({"a": [["x"]]}))
    log = ProblemLog()
    assert recordings(sources(tmp_path, log), log) == []
    assert [problem.file for problem in log.problems()] == [f"{tmp_path.name}/a.xlsx"]


@pytest.mark.shared
def test_each_real_file_is_claimed_by_at_most_one(shared_data):
    claimed = Counter()
    for file in (f for f in shared_data.rglob("*") if f.is_file()):
        with file.open("rb") as opened:
            names = claimants(opened.read(65_536))
        assert len(names) <= 1, file
        claimed.update((file.relative_to(shared_data).parts[0], name) for name in names)
    assert claimed == {
        ("apple-health", "Apple Health"): 2,
        ("e4-flirt-sample", "Empatica E4"): 6,
        ("e4-stress-predict", "Empatica E4"): 84,
        ("ecg-holter-ishne", "ISHNE Holter"): 1,
        ("ecg-mitdb-100", "WFDB record"): 1,
        ("ecg-noise-stress", "Elite HRV"): 2,  # a column of numbers that may be intervals; refused, for it has no time
        ("elite-hrv", "Elite HRV"): 1,
        ("fitbit-export", "Fitbit"): 10,
        ("garmin-connect-json", "Garmin Connect"): 43,
        ("garmin-fit", "Garmin FIT"): 10,
        ("headache-weather-diary", "headache diary with weather"): 1,
        ("polar-hrm", "Elite HRV"): 1,
        ("polar-hrm", "Polar"): 1,
        ("rr-apnea-episodes", "Elite HRV"): 1,
        ("rr-healthy-physionet", "Elite HRV"): 6,
        ("rr-hrvanalysis-test", "Elite HRV"): 1,
        ("rr-physionet-toolbox-reference", "WFDB record"): 3,
        ("rr-pyhrv-samples", "Elite HRV"): 2,
        ("rr-pyhrv-samples", "OpenSignals"): 1,
        ("thermal-enth", "Cozie votes"): 7,
        ("thermal-enth", "Fitbit heart rate and steps"): 7,
        ("thermal-enth", "PurpleAir sensor"): 1,
        ("thermal-enth", "iButton temperature logger"): 14,
        ("vendor-api-json", "Fitbit"): 11,
        ("vendor-api-json", "Google Fit"): 11,
        ("vendor-api-json", "Withings"): 6,
        ("weather-hourly-tmy", "PVGIS"): 1,
        ("weather-hourly-tmy", "SURFRAD"): 1,
        ("weather-jma-etrn", "JMA tables"): 3,
        ("weather-jma-tokyo-daily", "JMA download"): 6,
        ("withings-api", "Withings"): 6,
    }

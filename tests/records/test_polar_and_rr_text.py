"""Polar, Elite HRV, HRV4Training and HRV Logger: real recordings against their sums, made ones for every trap."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.mutations import mutated
from unaji.errors import InputError
from unaji.records import detect, elite_hrv, garmin_connect, garmin_fit, hrv4training, polar
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source
from unaji.records.timeline import Zones

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BERLIN = Zones(("Europe/Berlin",))
NAMED = "2024-05-01 08-30-00.txt"
START = int(datetime(2024, 5, 1, 6, 30, tzinfo=UTC).timestamp() * 1000)
IMPORTERS = (elite_hrv, garmin_connect, garmin_fit, hrv4training, polar)


def read(importer, data: str | bytes, name: str = NAMED, zones: Zones | None = BERLIN):
    data = data.encode() if isinstance(data, str) else data
    source = Source(name, data[:HEAD_BYTES], lambda: io.BytesIO(data), len(data))
    return read_source(importer, source, zones)


def read_source(importer, source: Source, zones: Zones | None = BERLIN):
    log = ProblemLog()
    found: dict[str, list] = {}
    for batch in importer.read([source], Clock(zones, NOW), log):
        found.setdefault(f"{batch.kind}/{batch.quantity}", []).append(batch)
    return found, log.problems()


def rows(found, key: str) -> pl.DataFrame:
    return pl.concat([batch.rows for batch in found[key]])


def expected(folder, name: str) -> dict[str, str]:
    with (folder / "expected.csv").open() as table:
        return next(row for row in csv.DictReader(table) if row["file"] == name)


# -- recognising -------------------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_no_two_importers_claim_the_same_real_file(shared_data):
    """A file of beats without a time is claimed too, so that it can be said what is missing."""
    paths = [
        p for p in shared_data.rglob("*") if p.is_file() and p.stat().st_size < 5_000_000 and p.name != "README.md"
    ]
    claimed = dict.fromkeys((importer.__name__ for importer in IMPORTERS), 0)
    for path in paths:
        head = file_source(path).head
        ours = [importer.__name__ for importer in IMPORTERS if importer.claims_file(head)]
        assert len(ours) == sum(
            one.read in [m.read for m in IMPORTERS] for one in detect.IMPORTERS if one.claims_file(head)
        )
        for name in ours:
            claimed[name] += 1
            if name.endswith("garmin_fit"):
                assert path.suffix == ".fit"
            if name.endswith("garmin_connect"):
                assert path.parent.name == "garmin-connect-json"
    assert claimed["unaji.records.garmin_fit"] == 10
    assert claimed["unaji.records.garmin_connect"] == 43
    assert claimed["unaji.records.polar"] == 1


@pytest.mark.parametrize(
    ("head", "importer"),
    [
        (b"800\n810\n790\n", elite_hrv),
        (b"\xef\xbb\xbfRR\r\n0.8\r\n0.81\r\n0.79\r\n", elite_hrv),
        (b"[Params]\r\nVersion=106\r\n", polar),
        (b'[{"date":"2024-05-01","devicePpiSamplesList":[]}]', polar),
        (b'{"exportVersion":"1.6","timeZoneOffset":120,"exercises":[]}', polar),
        (b'{"deviceDays":[{"samples":[{"heartRate":60,"secondsFromDayStart":5}]}]}', polar),
        (b"Phone timestamp;PP-interval [ms];error estimate [ms];blocker;hr [bpm]\n", polar),
        (b"date, HR, AVNN, SDNN, rMSSD, pNN50, LF, HF, HRV4T_Recovery_Points\n", hrv4training),
        (b"timestamp_measurement;HR;AVNN;SDNN;rMSSD\n", hrv4training),
        (b"date,rr,since start\n", hrv4training),
        (b"timestamp, rr, since_start\n", hrv4training),
        (b"1544027337.000000\n4.000000\n0.000000\n0.2\n", None),  # Empatica
        (b"12\n15\n13\n", None),
        (b"800\n", None),
        (b"date,value\n", None),
        (b"", None),
    ],
)
def test_files_are_known_by_what_they_begin_with(head, importer):
    assert [one for one in IMPORTERS if one.claims_file(head)] == ([importer] if importer else [])


# -- Elite HRV and plain text ------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_real_recording_of_elite_hrv_has_all_its_beats_from_the_start_in_its_name(shared_data):
    folder = shared_data / "elite-hrv"
    name = "2017-06-29 13-11-53.txt"
    told = expected(folder, name)
    found, problems = read_source(elite_hrv, file_source(folder / name))
    beats = rows(found, "beats/rri_ms")
    assert not [p for p in problems if p.rejected]
    assert len(beats) == int(told["n_raw"])
    assert beats["value"].sum() / 1000 == pytest.approx(float(told["sum_s"]), abs=0.05)
    start = datetime(2017, 6, 29, 11, 11, 53, tzinfo=UTC).timestamp() * 1000
    assert beats["time"][0] - beats["value"][0] == start
    assert beats["time"][-1] - start == pytest.approx(beats["value"].sum())
    device = found["beats/rri_ms"][0].device
    assert (device.corrected, device.origin, beats["zone_min"][0]) == ("unknown", "app", 120)


@given(st.lists(st.integers(300, 2000), min_size=3, max_size=50))
def test_intervals_end_when_all_up_to_them_have_passed(intervals):
    found, _ = read(elite_hrv, "".join(f"{rri}\n" for rri in intervals))
    beats = rows(found, "beats/rri_ms")
    assert beats["value"].to_list() == intervals
    assert beats["time"].to_list() == (START + np.cumsum(intervals)).tolist()
    assert beats["gap"].to_list() == [True] + [False] * (len(intervals) - 1)


def test_seconds_are_converted_and_implausible_intervals_kept():
    found, _ = read(elite_hrv, "0.8\n0.81\n0.1\n0.79\n4.9\n")
    assert rows(found, "beats/rri_ms")["value"].to_list() == pytest.approx([800, 810, 100, 790, 4900])


@pytest.mark.parametrize("name", ["beats.txt", "2024-05-01.txt", "2024-13-01 08-30-00.txt", "20240501083000.txt"])
def test_a_recording_whose_name_lost_the_time_is_refused_with_advice(name):
    found, problems = read(elite_hrv, "800\n810\n790\n", name)
    assert not found
    assert "2024-05-01 08-30-00.txt" in problems[0].rule


def test_without_a_zone_the_person_is_asked():
    with pytest.raises(InputError, match="time zone"):
        read(elite_hrv, "800\n810\n790\n", zones=None)


def test_a_line_without_number_is_a_missing_beat():
    found, problems = read(elite_hrv, "800\n810\n790\n" * 5 + "x\n805\n")
    beats = rows(found, "beats/rri_ms")
    assert beats["gap"].to_list() == [True] + [False] * 14 + [True]
    assert [p.value for p in problems] == ["x", "1"]


def test_beats_after_missing_ones_are_not_told_too_early():
    found, problems = read(elite_hrv, "800\n" * 10 + "800\nx\nx\n1100\n900\n")
    beats = rows(found, "beats/rri_ms")
    assert (beats["time"][-2:] - START).to_list() == [8800 + 900 + 1000 + 1100, 8800 + 900 + 1000 + 1100 + 900]
    assert [p.value for p in problems if "as long as those around" in p.rule] == ["2"]


def test_a_pause_beside_a_missing_beat_does_not_lengthen_it():
    found, _ = read(elite_hrv, "800\n" * 20 + "x\n3600000\n" + "800\n" * 20)
    time = rows(found, "beats/rri_ms")["time"] - START
    assert time[-1] == 800 * 20 + 800 + 3_600_000 + 800 * 20


def test_an_interval_that_is_missing_after_the_last_beat_moves_nothing_and_is_not_told():
    found, problems = read(elite_hrv, "800\n" * 12 + "x\n")
    assert (rows(found, "beats/rri_ms")["time"] - START).to_list() == [800 * k for k in range(1, 13)]
    assert not [p for p in problems if "as long as those around" in p.rule]


@pytest.mark.parametrize("odd", ["0", "-900", "1e300", "inf", "nan", "1e308"])
@pytest.mark.parametrize("unit", ["ms", "s"])
def test_what_no_clock_can_go_on_by_is_a_missing_beat_that_took_as_long_as_those_around_it(odd, unit):
    usual = "800\n810\n790\n" if unit == "ms" else "0.8\n0.81\n0.79\n"
    found, problems = read(elite_hrv, usual * 10 + f"{odd}\n" + usual)
    beats = rows(found, "beats/rri_ms")
    assert beats["value"].to_list() == pytest.approx([800.0, 810.0, 790.0] * 11)
    passed = np.cumsum([800, 810, 790] * 10 + [(790 + 800) / 2] + [800, 810, 790])
    np.testing.assert_allclose(beats["time"], START + np.delete(passed, 30))
    assert np.flatnonzero(beats["gap"].to_numpy()).tolist() == [0, 30]
    assert sum(p.count for p in problems if p.rejected) == 1


def test_a_decimal_comma_that_is_claimed_is_read():
    data = "812,5\n805,1\n799,25\n" * 10
    assert elite_hrv.claims_file(data.encode())
    found, problems = read(elite_hrv, data)
    assert rows(found, "beats/rri_ms")["value"].to_list() == [812.5, 805.1, 799.25] * 10
    assert ["decimal mark" in p.rule for p in problems] == [True]
    assert not any(p.rejected for p in problems)


# -- Polar -------------------------------------------------------------------------------------------------------------

HRM = (
    "[Params]\r\nVersion=106\r\nSMode=000000000\r\nDate=20240501\r\nStartTime=08:30:00.0\r\nInterval={}\r\n\r\n"
    "[Note]\r\nFr\xfchlauf\r\n\r\n[HRData]\r\n{}\r\n"
)


@pytest.mark.shared
def test_a_real_recording_of_a_polar_watch_has_all_its_intervals(shared_data):
    folder = shared_data / "polar-hrm"
    told = expected(folder, "exercise_rri.hrm")
    found, _ = read_source(polar, file_source(folder / "exercise_rri.hrm"))
    beats = rows(found, "beats/rri_ms")
    assert len(beats) == int(told["n_raw"])
    assert beats["value"].sum() / 1000 == pytest.approx(float(told["sum_s"]), abs=0.05)
    assert beats["value"][0] == 1589
    start = datetime(2008, 2, 8, 7, 50, 31, tzinfo=UTC).timestamp() * 1000
    assert beats["time"][-1] - start == pytest.approx((42 * 60 + 41.7) * 1000, abs=150)  # Length=00:42:41.7


@pytest.mark.parametrize(("interval", "seconds"), [("1", 1), ("5", 5), ("15", 15), ("60", 60)])
def test_other_intervals_are_heart_rates_and_no_beats(interval, seconds):
    data = HRM.format(interval, "0\r\n61\t250\t80\r\n62\t251\t81").encode("latin-1")
    found, problems = read(polar, data, "a.hrm")
    assert list(found) == ["series/hr_bpm"]
    heart = rows(found, "series/hr_bpm")
    assert heart.select("time", "value").rows() == [
        (START + 1000 * seconds, 61.0),
        (START + 2000 * seconds, 62.0),
    ]
    assert [p.value for p in problems] == ["1"]


@pytest.mark.parametrize(
    "change", [("Interval=238", "Interval=204"), ("Date=20240501", "Date=20241501"), ("StartTime", "X")]
)
def test_a_recording_that_does_not_say_what_it_is_or_when_is_refused(change):
    data = HRM.format("238", "800\r\n810").replace(*change).encode("latin-1")
    found, problems = read(polar, data, "a.hrm")
    assert not found
    assert problems[0].rejected


def ppi(samples) -> str:
    pulses = [{"sampleDateTime": stamp, "pulseLength": length} for stamp, length in samples]
    return json.dumps([{"date": "2024-05-01", "devicePpiSamplesList": [{"deviceId": "A1B2", "ppiSamples": pulses}]}])


def test_pulses_with_a_stamp_of_their_own_end_there():
    samples = [("2024-05-01T08:30:00.800", 800), ("2024-05-01T08:30:01.600", 800), ("2024-05-01T08:30:09.000", 900)]
    found, _ = read(polar, ppi(samples), "ppi.json")
    beats = rows(found, "beats/rri_ms")
    assert beats["time"].to_list() == [START + 800, START + 1600, START + 9000]
    assert beats["gap"].to_list() == [True, False, True]
    assert beats["zone_min"].to_list() == [120] * 3
    assert found["beats/rri_ms"][0].device.origin == "ppg"


def test_pulses_of_one_packet_add_up_to_its_stamp_and_packets_are_apart():
    samples = [("2024-05-01T08:30:03", 1000)] * 3 + [("2024-05-01T08:30:06", 900)] * 3
    found, _ = read(polar, ppi(samples), "ppi.json")
    beats = rows(found, "beats/rri_ms")
    assert beats["time"].to_list() == [START + ms for ms in (1000, 2000, 3000, 4200, 5100, 6000)]
    assert beats["gap"].to_list() == [True, False, False, True, False, False]


def test_an_odd_interval_is_a_missing_beat_and_costs_no_other_day():
    days = [json.loads(ppi([(f"2024-05-0{k}T08:30:00.{ms}", 800) for ms in (100, 900)]))[0] for k in (1, 2, 3, 4)]
    days[1]["devicePpiSamplesList"][0]["ppiSamples"].insert(
        1, {"sampleDateTime": "2024-05-02T08:30:00.500", "pulseLength": "n/a"}
    )
    found, problems = read(polar, json.dumps(days), "ppi.json")
    assert rows(found, "beats/rri_ms")["gap"].to_list() == [True, False, True, True, True, False, True, False]
    odd = [p for p in problems if p.rejected]
    assert [(p.value, p.count) for p in odd] == [('"n/a"', 1)]
    assert odd[0].rule.startswith("devicePpiSamplesList[…].ppiSamples[…].pulseLength is not what it should be")


def test_what_is_no_document_is_counted_and_the_other_documents_are_read():
    days = [*json.loads(ppi([("2024-05-01T08:30:00", 800)])), "x", *json.loads(ppi([("2024-05-02T08:30:00", 800)]))]
    found, problems = read(polar, json.dumps(days), "ppi.json")
    assert len(rows(found, "beats/rri_ms")) == 2
    assert [(p.value, p.count) for p in problems] == [('"x"', 1)]
    found, problems = read(polar, json.dumps(days)[:-5], "ppi.json")
    assert not found
    assert "cut off" in problems[0].rule


def training(**more) -> str:
    exercise = {
        "startTime": "2024-05-01T08:30:00.000", "stopTime": "2024-05-01T09:00:00.000", "timezoneOffset": 540,
        "sport": "RUNNING", "recordedRoute": [{"latitude": 52.1, "longitude": 13.2}],
        "samples": {"heartRate": [{"dateTime": "2024-05-01T08:30:01.000", "value": 92},
                                  {"dateTime": "2024-05-01T08:30:02.000"}]},
    } | more  # fmt: skip
    return json.dumps({"exportVersion": "1.6", "timeZoneOffset": 60, "exercises": [exercise]})


def test_a_training_counts_by_the_offset_beside_it_also_far_from_home():
    found, problems = read(polar, training(), "training-session.json")
    start = datetime(2024, 4, 30, 23, 30, tzinfo=UTC).timestamp() * 1000
    row = rows(found, "workout/exercise").row(0, named=True)
    assert (row["time"], row["value"], row["label"], row["zone_min"]) == (start, 30.0, "running", 540)
    assert rows(found, "series/hr_bpm").select("time", "value").rows() == [(start + 1000, 92.0)]
    assert [p.value for p in problems] == ["1"]


def test_a_training_without_offset_counts_by_the_sessions_and_unknown_beats_are_counted():
    found, problems = read(polar, training(timezoneOffset=None, samples={"rr": [{"x": 1}] * 5}), "t.json")
    assert rows(found, "workout/exercise")["zone_min"].to_list() == [60]
    assert [p.count for p in problems] == [5]


def test_heart_rates_of_a_day_count_from_its_local_midnight():
    day = {"deviceId": "A1", "date": "2024-05-01", "samples": [
        {"heartRate": 55, "secondsFromDayStart": 30_600}, {"heartRate": 0, "secondsFromDayStart": 30_900},
        {"heartRate": 60, "secondsFromDayStart": -5},
    ]}  # fmt: skip
    found, problems = read(polar, json.dumps({"deviceDays": [day]}), "247ohr.json")
    assert rows(found, "series/hr_bpm").select("time", "value").rows() == [(START, 55.0)]
    assert sorted(p.rejected for p in problems) == [False, True]


def test_pulses_blocked_by_movement_are_left_out_with_a_gap_after():
    table = (
        "Phone timestamp;PP-interval [ms];error estimate [ms];blocker;contact;contact;hr [bpm]\n"
        "2024-05-01T08:30:01.000;1000;10;0;1;1;60\n2024-05-01T08:30:02.000;1000;10;1;1;1;60\n"
        "2024-05-01T08:30:03.000;1000;10;0;1;1;60\n2024-05-01T08:30:04.000;1000;10;0;1;1;60\n"
    )
    found, problems = read(polar, table, "ppi.txt")
    beats = rows(found, "beats/rri_ms")
    assert beats["time"].to_list() == [START + 1000, START + 3000, START + 4000]
    assert beats["gap"].to_list() == [True, True, False]
    assert [p.count for p in problems] == [1]


def test_no_position_leaves_a_training():
    found, _ = read(polar, training(), "t.json")
    assert "52.1" not in "".join(str(batch.rows.rows()) for some in found.values() for batch in some)


# -- HRV4Training and HRV Logger ---------------------------------------------------------------------------------------


def test_measurements_are_instants_or_whole_days_and_none_is_no_value():
    table = (
        "date, HR, AVNN, SDNN, rMSSD, pNN50, LF, HF, HRV4T_Recovery_Points, sleep_quality\n"
        "2024-05-01, 52.1, 1150, 61.5, 42.25, 20, 900.5, 800, 7.8, 6\n"
        "2024-05-02, -, -, 0, -, -, 0, -, -, -\n"
        "2024-05-03 08:30:00, 53, 1140, 60, 43, 20, 900, 810, 7.9, 7\n"
    )
    found, problems = read(hrv4training, table, "MyMeasurements.csv")
    day = rows(found, "interval/rmssd_ms").row(0, named=True)
    assert (day["value"], day["end"] - day["time"]) == (42.25, 86_400_000)
    assert rows(found, "series/rmssd_ms")["value"].to_list() == [43]
    assert rows(found, "series/rmssd_ms")["time"].to_list() == [START + 2 * 86_400_000]
    assert {key: rows(found, key)["value"].to_list() for key in found if key.startswith("interval")} == {
        "interval/hr_bpm": [52.1], "interval/rmssd_ms": [42.25], "interval/sdnn_ms": [61.5],
        "interval/lf_ms2": [900.5], "interval/hf_ms2": [800.0],
    }  # fmt: skip
    assert "sleep_quality" in "".join(p.rule for p in problems)


def test_semicolons_and_postures_are_read():
    table = "timestamp_measurement;HR_lying;rMSSD_lying;SDNN_lying;HR_standing;rMSSD_standing;AVNN\n"
    table += "2024-05-01 08:30:00;50;60;70;80;30;1\n"
    assert hrv4training.claims_file(table.encode())
    found, _ = read(hrv4training, table, "a.csv")
    by_posture = {batch.device.method: batch.rows["value"].item() for batch in found["series/rmssd_ms"]}
    assert by_posture == {"lying": 60.0, "standing": 30.0}


def test_beats_of_the_logger_have_real_times():
    table = "date,rr,since start\n2024-05-01 08:30:00.800,800,0\n2024-05-01 08:30:01.612,812,812\n"
    table += "2024-05-01 08:30:09.000,900,8000\n"
    found, _ = read(hrv4training, table, "2024-05-01_RR_x.csv")
    beats = rows(found, "beats/rri_ms")
    assert beats["time"].to_list() == [START + 800, START + 1612, START + 9000]
    assert beats["gap"].to_list() == [True, False, True]
    found, _ = read(hrv4training, f"timestamp, rr, since_start\n{START + 800}, 800, 0\n", "b.csv", zones=None)
    assert rows(found, "beats/rri_ms").select("time", "value").rows() == [(START + 800, 800.0)]


def test_notes_in_quotes_may_hold_separators_and_line_breaks():
    """Notes are text that people write; the values beside them are those of the row all the same."""
    table = (
        "date, notes, HR, AVNN, SDNN, rMSSD, tags\n"
        "2024-05-01 08:30:00, ok, 55, 1090, 60, 45, none\n"
        '2024-05-02 08:30:00, "tired, 3", 56, 1090, 61, 46, "sore, stiff"\n'
        '2024-05-03 08:30:00,"two\nlines, and ""words""",57,1090,62,47,\n'
    )
    found, problems = read(hrv4training, table, "a.csv")
    assert rows(found, "series/rmssd_ms")["value"].to_list() == [45.0, 46.0, 47.0]
    assert rows(found, "series/sdnn_ms")["value"].to_list() == [60.0, 61.0, 62.0]
    assert not [p for p in problems if p.rejected]


def test_rows_of_another_width_and_open_quotes_are_counted_and_not_cut():
    table = (
        "date,HR,AVNN,SDNN,rMSSD\n"
        "2024-05-01 08:30:00,55,1090,60,45,\n"
        "2024-05-02 08:30:00,55,5,1090,60,45\n"
        "2024-05-03 08:30:00,55,1090\n"
        "2024-05-04 08:30:00,55,1090,60,x\n"
        '2024-05-05 08:30:00,"55,1090,60,45\n'
        "2024-05-06 08:30:00,55,1090,60,45\n"
    )
    found, problems = read(hrv4training, table, "a.csv")
    assert rows(found, "series/rmssd_ms")["value"].to_list() == [45.0]
    told = sorted((p.line, p.value, p.count) for p in problems if p.rejected)
    assert [line for line, _, _ in told] == [3, 4, 5, 6]
    assert [count for _, _, count in told] == [1, 1, 1, 2]
    assert [value for _, value, _ in told[:3]] == ["6", "3", "x"]


# -- hostile files -----------------------------------------------------------------------------------------------------

SEEDS = {
    "elite": (elite_hrv, b"800\n810\n790\n" * 20),
    "hrm": (polar, HRM.format("238", "800\r\n" * 30).encode("latin-1")),
    "hrm heart rate": (polar, HRM.format("5", "61\t1\r\n" * 30).encode("latin-1")),
    "ppi": (polar, ppi([("2024-05-01T08:30:03", 1000)] * 9 + [("2024-05-01T08:30:09.5", 900)]).encode()),
    "training": (polar, training().encode()),
    "day": (polar, b'{"deviceDays":[{"date":"2024-05-01","samples":[{"heartRate":60,"secondsFromDayStart":5}]}]}'),
    "logger": (polar, b"Phone timestamp;PP-interval [ms];blocker\n" + b"2024-05-01T08:30:01;1000;0\n" * 9),
    "measurements": (hrv4training, b"date,HR,rMSSD,SDNN\n" + b"2024-05-01 08:30:00,52,42,60\n2024-05-02,5,4,6\n" * 9),
    "beats": (hrv4training, b"date,rr,since start\n" + b"2024-05-01 08:30:00.8,800,0\n" * 9),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_files_neither_crash_nor_hang_nor_give_impossible_rows(seed):
    importer, whole = SEEDS[seed]
    rng = np.random.default_rng(20260601)
    latest = NOW.timestamp() * 1000 + 48 * 3_600_000
    for _ in range(80):
        begin = time.process_time()
        try:
            found, _ = read(importer, mutated(whole, rng))
        except InputError:
            continue
        assert time.process_time() - begin < 2
        for batch in (b for some in found.values() for b in some):
            assert batch.rows["time"].is_between(631_152_000_000, latest).all()
            assert batch.rows["time"].null_count() == 0

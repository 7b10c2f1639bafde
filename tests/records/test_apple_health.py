"""Apple Health: real samples, each trap, two readers that must agree, and damage of every kind."""

from __future__ import annotations

import csv
import json
import random
import re
import time
import zipfile
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.make_apple_export import HEADER, write_export
from tests.records.apple_exports import damaged, records, source
from unaji.errors import InputError
from unaji.quantities import QUANTITIES
from unaji.records.apple_health import _kernels_scan as kernels
from unaji.records.apple_health import claims_file, read
from unaji.records.apple_health.elements import _instant, _within_quarter
from unaji.records.apple_health.rows import Stopped
from unaji.records.apple_health.scanner import Scanner
from unaji.records.apple_health.vocabulary import MEASURED, SYMPTOMS
from unaji.records.batch import COLUMNS, SLEEP_STAGES, Batch, Kind
from unaji.records.clock import Clock
from unaji.records.problems import ProblemLog

NOW = datetime(2025, 6, 1, tzinfo=UTC)
CLOCK = Clock(None, NOW)
WATCH = (
    'sourceName="花子のApple Watch" device="&lt;&lt;HKDevice: 0x1&gt;, name:Apple Watch, model:Watch, '
    'hardware:Watch6,7, software:10&gt;"'
)
STAMPS = 'startDate="2024-05-01 08:00:00 +0900" endDate="2024-05-01 08:00:00 +0900"'
LASTING = 'startDate="2024-05-01 08:00:00 +0900" endDate="2024-05-01 08:30:00 +0900"'
EIGHT = 1_714_518_000_000  # 2024-04-30T23:00:00Z


def quantity(kind: str, unit: str, value: object, stamps: str = STAMPS, inside: str = "") -> str:
    tag = f'<Record type="HKQuantityTypeIdentifier{kind}" {WATCH} unit="{unit}" {stamps} value="{value}"'
    return f" {tag}>{inside}</Record>\n" if inside else f" {tag}/>\n"


def category(kind: str, value: str, stamps: str = LASTING, inside: str = "") -> str:
    tag = f'<Record type="HKCategoryTypeIdentifier{kind}" {WATCH} {stamps} value="HKCategoryValue{value}"'
    return f" {tag}>{inside}</Record>\n" if inside else f" {tag}/>\n"


def metadata(key: str, value: str) -> str:
    return f'\n  <MetadataEntry key="{key}" value="{value}"/>\n '


def sdnn(times: list[str], bpm: list[int], stamps: str, value: str = "32.1111") -> str:
    beats = "".join(
        f'\n   <InstantaneousBeatsPerMinute bpm="{b}" time="{t}"/>' for b, t in zip(bpm, times, strict=True)
    )
    inside = f"\n  <HeartRateVariabilityMetadataList>{beats}\n  </HeartRateVariabilityMetadataList>\n "
    return quantity("HeartRateVariabilitySDNN", "ms", value, stamps, inside)


def export(*records_: str) -> bytes:
    return f"{HEADER}{''.join(records_)}</HealthData>\n".encode()


def read_bytes(data: bytes, *, strict: bool = False) -> tuple[list[Batch], ProblemLog]:
    log = ProblemLog()
    return list(read([source(data)], CLOCK, log, strict=strict)), log


@pytest.fixture(params=[False, True], ids=["scanner", "parser"])
def of_export(request):
    """Read the records of an export with either reader: its batches by quantity, and what was noted.

    Every trap is looked at through both.
    """

    def read_them(*records_: str) -> tuple[dict[str, Batch], list[str]]:
        batches, log = read_bytes(export(*records_), strict=request.param)
        return by_quantity(batches), [str(problem) for problem in log.problems()]

    return read_them


def by_quantity(batches: list[Batch]) -> dict[str, Batch]:
    """Join the batches of each quantity, which must be of one kind and device."""
    joined: dict[str, Batch] = {}
    for batch in batches:
        before = joined.get(batch.quantity)
        rows = batch.rows
        if before is not None:
            assert (before.kind, before.device) == (batch.kind, batch.device)
            rows = pl.concat([before.rows, rows])
        joined[batch.quantity] = Batch(batch.kind, batch.quantity, batch.device, rows)
    return joined


def column(batch: Batch, name: str) -> list[object]:
    return batch.rows[name].to_list()


# -- recognised by content ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"<HealthData locale='ja_JP'>",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- made by me --><HealthData>',
        b'<?xml version="1.0"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 13 -->\n<!ELEMENT Heal',
        HEADER.encode(),
    ],
)
def test_an_export_is_known_by_its_root(head):
    assert claims_file(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        <HealthData>",  # what stands in __MACOSX/._export.xml
        b'<?xml version="1.0"?><ClinicalDocument><!-- <HealthData> --></ClinicalDocument>',
        b"<HealthDatabase>",
        b"time,value\n<HealthData>",
        b"<!-- " + b"<!-- -->" * 5000,
    ],
)
def test_other_files_are_not_claimed(head):
    assert not claims_file(head)


# -- real samples ------------------------------------------------------------------------------------------------------


def read_sample(path) -> tuple[list[Batch], ProblemLog]:
    return read_bytes(path.read_bytes())


def counts(batches: list[Batch], log: ProblemLog) -> Counter[str]:
    found = Counter()
    for batch in batches:
        found[batch.quantity] += len(batch)
    for problem in log.problems():
        left_out = re.search(r"^([\d,]+) (records|elements)", problem.rule)
        if left_out:
            found[problem.value] += int(left_out[1].replace(",", ""))
    return found


@pytest.mark.shared
@pytest.mark.parametrize("name", ["export6s3sample.xml", "dogsheep_export.xml"])
def test_real_samples_hold_as_many_rows_as_their_makers_counted(shared_data, name):
    folder = shared_data / "apple-health"
    expected = json.loads((folder / "expected.json").read_text())[name]
    found = counts(*read_sample(folder / name))
    for kind, count in expected["records"].items():
        known = MEASURED.get(kind.removeprefix("HKQuantityTypeIdentifier"))
        assert found[known.name if known else kind] == count
    assert found["exercise"] == expected["workouts"]
    assert found["ActivitySummary"] == expected["activity_summaries"]
    assert found["rri_ms"] == expected["instantaneous_bpm"]


@pytest.mark.shared
def test_real_steps_are_those_another_program_took_from_the_file(shared_data):
    batches, _ = read_sample(shared_data / "apple-health" / "export6s3sample.xml")
    steps = next(batch for batch in batches if batch.quantity == "steps")
    with (shared_data / "apple-health" / "expected_StepCount.csv").open() as file:
        expected = list(csv.DictReader(file))

    def utc_ms(text: str) -> int:
        return round(1000 * datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").timestamp())

    assert column(steps, "value") == [float(row["value"]) for row in expected]
    assert column(steps, "time") == [utc_ms(row["startDate"]) for row in expected]
    assert column(steps, "end") == [utc_ms(row["endDate"]) for row in expected]


@pytest.mark.shared
def test_real_workouts_last_as_long_as_another_program_says(shared_data):
    batches, _ = read_sample(shared_data / "apple-health" / "export6s3sample.xml")
    workout = next(batch for batch in batches if batch.kind is Kind.WORKOUT)
    with (shared_data / "apple-health" / "expected_Workout.csv").open() as file:
        (expected,) = csv.DictReader(file)
    assert column(workout, "value") == [float(expected["duration"])]
    assert column(workout, "label") == ["Other"]


@pytest.mark.shared
def test_a_real_workout_in_november_has_its_winter_clock_though_summers_offset_is_written(shared_data):
    batches, _ = read_sample(shared_data / "apple-health" / "dogsheep_export.xml")
    workout = next(batch for batch in batches if batch.kind is Kind.WORKOUT)
    assert column(workout, "zone_min") == [-480]
    assert column(workout, "time") == [round(1000 * datetime(2016, 11, 14, 14, 25, 41, tzinfo=UTC).timestamp())]


@pytest.mark.shared
def test_of_a_real_archive_the_export_is_claimed_and_its_shadow_is_not(shared_data):
    with zipfile.ZipFile(shared_data / "apple-health" / "parser_export.zip") as archive:
        data = {name: archive.read(name) for name in archive.namelist()}
    assert [name for name, content in data.items() if claims_file(content)] == ["apple_health_export/export.xml"]
    found = counts(*read_bytes(data["apple_health_export/export.xml"]))
    assert found == {
        "hr_bpm": 2, "active_kcal": 2, "sleep": 2,
        "HKQuantityTypeIdentifierAppleExerciseTime": 1, "HKQuantityTypeIdentifierAppleStandTime": 1,
    }  # fmt: skip


@pytest.mark.shared
def test_both_readers_agree_on_every_real_sample(shared_data):
    for path in sorted((shared_data / "apple-health").glob("*.xml")):
        assert records(path.read_bytes(), strict=False) == records(path.read_bytes(), strict=True)


# -- quantities --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "unit", "value", "name", "expected"),
    [
        ("OxygenSaturation", "%", "0.97", "spo2_pct", 97.0),
        ("OxygenSaturation", "%", "97", "spo2_pct", 97.0),
        ("OxygenSaturation", "%", "1", "spo2_pct", 100.0),
        ("BodyTemperature", "degF", "98.6", "body_temp_c", 37.0),
        ("BodyTemperature", "degC", "36.6", "body_temp_c", 36.6),
        ("BasalBodyTemperature", "degF", "97.7", "body_temp_c", 36.5),
        ("ActiveEnergyBurned", "kJ", "41.84", "active_kcal", 10.0),
        ("ActiveEnergyBurned", "Cal", "10", "active_kcal", 10.0),
        ("BodyMass", "lb", "150", "weight_kg", 68.0388555),
        ("Height", "ft", "5", "height_cm", 152.4),
        ("BloodPressureSystolic", "kPa", "16", "systolic_mmhg", 120.0098668),
        ("HeartRateVariabilityRMSSD", "ms", "41.5", "rmssd_ms", 41.5),
        ("HeartRate", "count/s", "1.5", "hr_bpm", 90.0),
        ("DietaryCaffeine", "mg", "180", "caffeine", 2.0),
        ("NumberOfAlcoholicBeverages", "count", "2", "alcohol", 2.0),
        ("EnvironmentalAudioExposure", "dBASPL", "61.25", "sound_db", 61.25),
    ],
)
def test_values_are_in_our_units(of_export, kind, unit, value, name, expected):
    batches, noted = of_export(quantity(kind, unit, value))
    assert column(batches[name], "value") == pytest.approx([expected])
    assert column(batches[name], "time") == [EIGHT]
    assert not noted


def test_an_instant_is_a_point_and_a_mean_over_an_interval_stays_one(of_export):
    batches, _ = of_export(quantity("HeartRate", "count/min", 70))
    assert (batches["hr_bpm"].kind, column(batches["hr_bpm"], "end")) == (Kind.SERIES, [None])
    batches, _ = of_export(quantity("HeartRate", "count/min", 70, LASTING))
    assert (batches["hr_bpm"].kind, column(batches["hr_bpm"], "end")) == (Kind.INTERVAL, [EIGHT + 1_800_000])
    batches, _ = of_export(quantity("AppleSleepingWristTemperature", "degC", 35.2, LASTING))
    assert (batches["skin_temp_c"].kind, batches["skin_temp_c"].device.site) == (Kind.INTERVAL, "wrist")


def test_whether_the_wearer_moved_stands_with_the_heart_rate(of_export):
    key = "HKMetadataKeyHeartRateMotionContext"
    batches, _ = of_export(
        *(quantity("HeartRate", "count/min", 70 + k, inside=metadata(key, str(k))) for k in range(3)),
        quantity("HeartRate", "count/min", 90),
    )
    assert column(batches["hr_bpm"], "label") == [None, "sedentary", "active", None]


def test_the_barometer_of_the_watch_gives_pressure_at_the_place(of_export):
    inside = metadata("HKMetadataKeyBarometricPressure", "100.719 kPa")
    strange = metadata("HKMetadataKeyBarometricPressure", "29.9 furlongs")
    batches, noted = of_export(
        quantity("OxygenSaturation", "%", 0.95, inside=inside), quantity("OxygenSaturation", "%", 0.96, inside=strange)
    )
    assert column(batches["station_pressure_hpa"], "value") == pytest.approx([1007.19])
    assert batches["station_pressure_hpa"].device.method == "barometer"
    assert any("barometer" in note and "'1'" in note for note in noted)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (quantity("HeartRate", "count/min", 0), "hr_bpm lies outside 25 to 240 1/min"),
        (quantity("HeartRate", "beats", 70), "the unit of hr_bpm must be one of count/min, count/s"),
        (quantity("HeartRate", "count/min", "n/a"), "the value must be a number"),
        (quantity("HeartRate", "count/min", "1e400"), "hr_bpm lies outside"),
        (quantity("HeartRate", "count/min", 70, STAMPS.replace("2024", "1970")), "lies before 1990"),
        (quantity("HeartRate", "count/min", 70, STAMPS.replace("2024", "2034")), "lies in the future"),
        (quantity("StepCount", "count", 70, LASTING.replace('08:30:00', '07:59:59')), "the end lies before the start"),
        (quantity("StepCount", "count", 70, LASTING.replace('05-01 08:30', '05-03 08:30')), "lasts more than 36 h"),
        (quantity("StepCount", "count", 70, STAMPS.replace(" +0900", "")), "must be a time with an offset"),
        (quantity("StepCount", "count", 70, STAMPS.replace("05-01", "02-30")), "must be a time with an offset"),
        (f' <Record type="" {WATCH} {STAMPS} value="5"/>\n', "the element does not say its type"),
        (category("SleepAnalysis", "SleepAnalysisFloating"), "the value must be a stage of sleep"),
        (category("Headache", "SeverityUnheardOf"), "the value must say how strong the symptom was"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_left_out_and_said_with_its_line(of_export, record, rule):
    batches, noted = of_export(record)
    assert not batches
    assert len(noted) == 1
    assert noted[0].startswith(f"export.xml, line {HEADER.count(chr(10)) + 1}:")
    assert rule in noted[0]


def test_types_without_use_are_counted_by_name(of_export):
    batches, noted = of_export(
        *[quantity("FlightsClimbed", "count", 3)] * 3, quantity("ThingOfTheFuture", "count", 1),
        '<ActivitySummary dateComponents="2024-05-01"/>', quantity("StepCount", "count", 8),
    )  # fmt: skip
    assert list(batches) == ["steps"]
    told = re.compile(r"export.xml: found '(\w+)': (\d+) (?:records of this type|elements)")
    assert [told.match(note).groups() for note in noted] == [
        ("HKQuantityTypeIdentifierFlightsClimbed", "3"),
        ("HKQuantityTypeIdentifierThingOfTheFuture", "1"),
        ("ActivitySummary", "1"),
    ]


def test_both_offsets_of_a_year_with_a_clock_change_give_instants(of_export):
    summer = STAMPS.replace("2024-05-01 08:00:00 +0900", "2024-10-27 02:30:00 +0200")
    winter = STAMPS.replace("2024-05-01 08:00:00 +0900", "2024-10-27 02:30:00 +0100")
    batches, _ = of_export(
        quantity("HeartRate", "count/min", 70, summer), quantity("HeartRate", "count/min", 71, winter)
    )
    assert np.diff(batches["hr_bpm"].rows["time"].to_numpy()).tolist() == [3_600_000]


# -- sleep, symptoms, workouts -----------------------------------------------------------------------------------------


def test_stages_of_sleep_of_old_and_new_versions(of_export):
    stages = ("InBed", "Asleep", "AsleepUnspecified", "AsleepCore", "AsleepDeep", "AsleepREM", "Awake")
    zone = metadata("HKTimeZone", "Asia/Tokyo")
    batches, _ = of_export(*(category("SleepAnalysis", f"SleepAnalysis{stage}", inside=zone) for stage in stages))
    assert column(batches["sleep"], "label") == ["in_bed", "asleep", "asleep", "light", "deep", "rem", "awake"]
    assert set(column(batches["sleep"], "label")) <= set(SLEEP_STAGES)
    assert set(column(batches["sleep"], "zone_min")) == {540}


def test_the_wall_clock_is_not_known_without_a_zone_and_a_zone_that_is_none_is_said(of_export):
    zone = metadata("HKTimeZone", "Mars/Olympus")
    batches, noted = of_export(category("SleepAnalysis", "SleepAnalysisAwake", inside=zone))
    assert column(batches["sleep"], "zone_min") == [None]
    assert "HKTimeZone" in noted[0]


def test_a_symptom_that_was_not_there_is_no_episode(of_export):
    batches, noted = of_export(
        category("Headache", "SeverityNotPresent"), category("Headache", "SeverityMild"),
        category("Headache", "SeverityUnspecified", STAMPS), category("MoodChanges", "PresencePresent"),
        category("SleepChanges", "PresenceNotPresent"), category("HotFlashes", "SeverityNotPresent"),
        category("HotFlashes", "SeveritySevere"),
    )  # fmt: skip
    assert set(batches) == {"headache", "mood_changes", "hot_flush"}
    assert column(batches["headache"], "label") == ["mild", "unspecified"]
    assert column(batches["headache"], "end") == [EIGHT + 1_800_000, None]
    assert batches["headache"].kind is batches["mood_changes"].kind is Kind.SYMPTOM
    assert (batches["hot_flush"].kind, column(batches["hot_flush"], "label")) == (Kind.EXPOSURE, ["severe"])
    assert noted == ["export.xml: found '3': records say that a symptom was not there; that is no episode"]


def test_symptoms_are_named_in_words():
    assert SYMPTOMS["NightSweats"] == "night_sweats"
    assert SYMPTOMS["RapidPoundingOrFlutteringHeartbeat"] == "rapid_pounding_or_fluttering_heartbeat"
    assert len(set(SYMPTOMS.values())) == len(SYMPTOMS) == 38


def test_a_workout_lasts_without_its_pauses_where_the_export_says_it(of_export):
    batches, _ = of_export(
        *(
            f' <Workout workoutActivityType="HKWorkoutActivityType{name}" {length} {WATCH} {LASTING}>'
            f"{metadata('HKTimeZone', 'Asia/Tokyo')}</Workout>\n"
            for name, length in (
                ("Running", 'duration="25.5" durationUnit="min"'),
                ("Yoga", ""),
                ("Golf", 'duration="9"'),
            )
        )
    )
    minutes = dict(zip(column(batches["exercise"], "label"), column(batches["exercise"], "value"), strict=True))
    assert minutes == {"Running": 25.5, "Yoga": 30.0, "Golf": 30.0}
    assert set(column(batches["exercise"], "zone_min")) == {540}


def test_the_route_of_a_workout_is_not_read(of_export):
    batches, noted = of_export(
        f' <Workout workoutActivityType="HKWorkoutActivityTypeRunning" {WATCH} {LASTING}><WorkoutRoute sourceName="x">'
        '<Location latitude="35.68" longitude="139.76"/></WorkoutRoute></Workout>\n'
    )
    assert column(batches["exercise"], "label") == ["Running"]
    assert noted == [
        "export.xml: found 'WorkoutRoute': 1 elements that are neither records nor workouts (sums of them, routes) "
        "were not read"
    ]


def test_records_inside_a_correlation_are_counted_once(of_export):
    inside = quantity("BloodPressureSystolic", "mmHg", 120)
    batches, noted = of_export(
        f' <Correlation type="HKCorrelationTypeIdentifierBloodPressure" {WATCH} {STAMPS}>\n{inside} </Correlation>\n',
        inside,
    )
    assert column(batches["systolic_mmhg"], "value") == [120.0]
    assert noted == ["export.xml: found '1': records inside a Correlation stand once more outside it: counted once"]


def test_a_record_in_a_comment_or_a_section_is_none(of_export):
    record = quantity("StepCount", "count", 5)
    batches, noted = of_export(f"<!--{record}-->", f"<![CDATA[{record}]]>", f"<?x {record}?>", record)
    assert len(batches["steps"]) == 1
    assert not noted


# -- beats -------------------------------------------------------------------------------------------------------------

REAL_TIMES, REAL_BPM = ["6:14:48.94 PM", "6:14:49.58 PM", "6:14:50.24 PM", "6:14:50.88 PM"], [95, 94, 91, 93]
REAL_STAMPS = 'startDate="2017-11-22 19:14:47 -0400" endDate="2017-11-22 19:15:52 -0400"'
REAL_FIRST_MS = round(1000 * datetime(2017, 11, 22, 23, 14, 48, 940_000, tzinfo=UTC).timestamp())


def test_beats_of_a_real_record_an_hour_off_lie_in_it(of_export):
    """The record and its beats as somebody published them (github.com/saifrahmed/bpm)."""
    batches, noted = of_export(sdnn(REAL_TIMES, REAL_BPM, REAL_STAMPS))
    beats = batches["rri_ms"]
    assert column(beats, "time") == [REAL_FIRST_MS + after for after in (640, 1300, 1940)]
    assert column(beats, "value") == [640.0, 660.0, 640.0]
    assert column(beats, "gap") == [True, False, False]
    assert (beats.kind, beats.device.origin, beats.device.corrected) == (Kind.BEATS, "ppg", "device")
    assert column(batches["sdnn_ms"], "value") == [32.1111]
    assert not noted


@pytest.mark.parametrize(
    "form",
    [
        "{h12}:{m:02}:{s:02}.{c:02} PM", "{h}:{m:02}:{s:02}.{c:02}", "{h:02}:{m:02}:{s:02},{c:02}",
        "{h12}:{m:02}:{s:02},{c:02} PM", "{h12}:{m:02}:{s:02}.{c:02}\u202fPM", "午後{h12}:{m:02}:{s:02}.{c:02}",
        "{h12}:{m:02}:{s:02}.{c:02} pm", "{h:02}.{m:02}.{s:02},{c:02}", "{h12}:{m:02}:{s:02}.{c:02} p. m.",
        "{h} h {m:02} min {s:02},{c:02} s",
    ],
)  # fmt: skip
def test_beats_are_read_in_every_language_of_the_phone(of_export, form):
    """The first five forms were seen in real exports, the rest are those of other locales of Unicode's CLDR."""
    clock = [(18, 14, 48, 94), (18, 14, 49, 58), (18, 14, 50, 24), (18, 14, 50, 88)]
    times = [form.format(h=h, h12=h - 12, m=m, s=s, c=c) for h, m, s, c in clock]
    batches, _ = of_export(sdnn(times, REAL_BPM, REAL_STAMPS))
    assert column(batches["rri_ms"], "value") == [640.0, 660.0, 640.0]


@given(quarters=st.integers(-56, 56), start_s=st.integers(0, 86_399))
def test_beats_come_out_the_same_whatever_the_zone_of_the_phone(quarters, start_s):
    """Also across midnight and across the hour: its clock shows the beats 1.0, 1.8 and 2.7 s after the start."""
    times = []
    for after_cs in (100, 180, 270):
        cs = (100 * (start_s + 900 * quarters) + after_cs) % 8_640_000
        times.append(f"{cs // 360_000}:{cs // 6000 % 60:02}:{cs // 100 % 60:02}.{cs % 100:02}")
    start = datetime.fromtimestamp(EIGHT / 1000 + start_s, UTC)
    stamp = f"{start:%Y-%m-%d %H:%M:%S} +0000"
    stop = f"{datetime.fromtimestamp(EIGHT / 1000 + start_s + 60, UTC):%Y-%m-%d %H:%M:%S} +0000"
    batches, _ = read_bytes(export(sdnn(times, [75, 75, 67], f'startDate="{stamp}" endDate="{stop}"')))
    beats = next(batch for batch in batches if batch.quantity == "rri_ms")
    assert column(beats, "value") == [800.0, 900.0]
    assert column(beats, "time") == [EIGHT + 1000 * start_s + after for after in (1800, 2700)]


def test_no_interval_is_made_across_a_missed_beat(of_export):
    times = ["18:14:48.00", "18:14:49.00", "18:14:51.00", "18:14:52.00", "18:14:53.00", "18:14:53.10", "18:14:54.00"]
    batches, noted = of_export(sdnn(times, [60] * 6 + [67], REAL_STAMPS))
    assert column(batches["rri_ms"], "value") == [1000.0, 1000.0, 1000.0, 900.0]
    assert column(batches["rri_ms"], "gap") == [True, True, False, True]
    assert noted == ["export.xml: found '2': places where a beat is missing between two; no interval was made of them"]


@pytest.mark.parametrize("times", [["18:04:48.00", "18:04:49.00"], ["noon", "18:14:49.00"], ["18:14", "18:15"]])
def test_beats_that_fit_nowhere_are_left_out_and_sdnn_is_kept(of_export, times):
    batches, noted = of_export(sdnn(times, [60, 60], REAL_STAMPS))
    assert list(batches) == ["sdnn_ms"]
    assert "SDNN was kept" in noted[0]


def test_a_beat_that_cannot_be_read_breaks_the_row(of_export):
    times = ["18:14:48.00", "18:14:49.00", "?", "18:14:51.00", "18:14:52.00"]
    batches, noted = of_export(sdnn(times, [60] * 5, REAL_STAMPS))
    assert column(batches["rri_ms"], "value") == [1000.0, 1000.0]
    assert column(batches["rri_ms"], "gap") == [True, True]
    assert any("cannot be read" in note for note in noted)


# -- who wrote it ------------------------------------------------------------------------------------------------------


def test_six_sources_of_steps_stay_apart():
    names = ("花子のiPhone", "花子のApple Watch", "Pedometer++", "ヘルスケア", "Garmin Connect™", "Tom &amp; Jerry")
    rows = [quantity("StepCount", "count", 10).replace(WATCH, f'sourceName="{name}"') for name in names]
    batches, _ = read_bytes(export(*rows))
    assert {(batch.device.name, batch.device.role) for batch in batches} == {
        ("花子のiPhone", "phone"), ("花子のApple Watch", "watch"), ("Pedometer++", ""), ("ヘルスケア", ""),
        ("Garmin Connect™", ""), ("Tom & Jerry", ""),
    }  # fmt: skip


def test_what_was_typed_in_by_hand_is_so_marked(of_export):
    batches, _ = of_export(quantity("BodyMass", "kg", 60, inside=metadata("HKWasUserEntered", "1")))
    assert batches["weight_kg"].device.role == "manual"


def test_one_watch_is_one_device_whatever_address_and_software_are_written_with_it(of_export):
    batches, _ = of_export(
        *(
            quantity("StepCount", "count", 1).replace("0x1&gt;", f"0x{k:x}&gt;").replace("software:10", f"software:{k}")
            for k in range(20)
        )
    )
    assert len(batches["steps"]) == 20


def test_a_devices_address_in_memory_is_not_kept_by_either_reader():
    data = export(quantity("StepCount", "count", 5), quantity("StepCount", "count", 6).replace("0x1&gt;, ", "0x1&gt; "))
    for strict in (False, True):
        texts = [row[7] for row in records(data, strict=strict)[0]]
        assert texts == [
            "name:Apple Watch, model:Watch, hardware:Watch6,7, software:10>",
            "<<HKDevice: 0x1> name:Apple Watch, model:Watch, hardware:Watch6,7, software:10>",
        ]


def test_no_name_address_or_place_leaves_the_importer_but_as_the_devices_name():
    data = export(
        quantity("OxygenSaturation", "%", 0.95, inside=metadata("HKMetadataKeyBarometricPressure", "100 kPa")),
        quantity("HeartRate", "count/min", 20),
        f' <Workout workoutActivityType="HKWorkoutActivityTypeRunning" {WATCH} {LASTING}><WorkoutRoute><Location '
        'latitude="35.68" longitude="139.76"/></WorkoutRoute></Workout>\n',
        category("Headache", "SeverityMild", inside=metadata("note", "hana@example.org")),
    )
    batches, log = read_bytes(data)
    told = " ".join(map(str, log.problems()))
    for batch in batches:
        told += f"{batch.rows.to_dicts()}{batch.device.app}{batch.device.site}{batch.device.method}{batch.quantity}"
    for private in ("花子", "35.68", "139.76", "hana@", "1975", "0x1", "HKDevice"):
        assert private not in told


# -- hostile and broken files ------------------------------------------------------------------------------------------


def test_declared_entities_are_refused():
    laughs = '<!DOCTYPE HealthData [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<HealthData locale="&b;"></HealthData>'
    with pytest.raises(InputError, match="declares XML entities"):
        read_bytes(laughs.encode())


def test_a_broken_document_type_is_skipped():
    data = export(quantity("StepCount", "count", 5)).replace(b"<!ELEMENT Record", b"<!ELEMENT <<Record &x; (")
    batches, log = read_bytes(data)
    assert len(batches[0]) == 1
    assert not log.problems()


def test_elements_too_deep_are_refused():
    with pytest.raises(InputError, match="more than 32 deep"):
        read_bytes(export("<a>" * 40 + "</a>" * 40))


def test_a_tag_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(InputError, match="single tag or comment"):
        read_bytes(export("<!-- " + "x" * (20 << 20)))


def test_a_comment_full_of_records_is_passed_in_a_moment():
    begun = time.process_time()
    batches, log = read_bytes(export("<!--" + "<Record " * 800_000 + "-->\n", quantity("StepCount", "count", 5)))
    assert time.process_time() - begun < 5
    assert column(by_quantity(batches)["steps"], "value") == [5.0]
    assert not log.problems()


def test_an_endless_attribute_is_left_out(of_export):
    batches, noted = of_export(quantity("StepCount", "count", "9" * 70_000), quantity("StepCount", "count", 5))
    assert column(batches["steps"], "value") == [5.0]
    assert "longer than 65,536" in noted[0]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("broken", [b"\x01\x0b", b"\xe8\x8a\xff", b"\xef\xbf\xbe", b"\xed\xa0\x80"])
def test_control_characters_and_broken_letters_in_names_do_no_harm(broken, strict):
    data = export(quantity("StepCount", "count", 5), quantity("StepCount", "count", 6))
    batches, log = read_bytes(data.replace("花".encode(), broken), strict=strict)
    assert column(by_quantity(batches)["steps"], "value") == [5.0, 6.0]
    assert batches[0].device.name == "?" * len(broken) + "子のApple Watch"
    assert not log.problems()


def test_a_damaged_place_costs_what_stands_there(of_export):
    good = quantity("StepCount", "count", 5)
    batches, noted = of_export(good, ' <Record type="Hea<rt', good, " <Workout></Record>", good, good)
    assert len(batches["steps"]) == 4
    assert len(noted) == 2
    assert all("the XML is damaged here" in note for note in noted)


def test_a_file_that_ends_early_gives_what_it_holds():
    data = export(*[quantity("StepCount", "count", 5)] * 3)
    for cut, left in ((data.rindex(b"</HealthData>"), 3), (data.rindex(b"<Record") + 60, 2)):
        batches, log = read_bytes(data[:cut])
        assert len(by_quantity(batches)["steps"]) == left
        assert "the file ends before the export does" in str(log.problems()[-1])


def test_damage_everywhere_ends_the_reading():
    batches, log = read_bytes(export('<Record type="a<b"/>\n' * 3000))
    assert not batches
    assert "there are many such places" in str(log.problems()[-1])


# -- the two readers ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> bytes:
    """A made export with two records of every kind."""
    path = tmp_path_factory.mktemp("apple") / "export.xml"
    write_export(path, 0.01)
    text = path.read_text(encoding="utf-8")
    head, body = text[: text.index(" <Record")], text[text.index(" <Record") :]
    whole = re.findall(r"^ <\w+.*?(?:/>|^ </\w+>)\n(?= <\w|</H)", body, re.DOTALL | re.MULTILINE)
    kinds: dict[str, list[str]] = {}
    for record in whole:
        kinds.setdefault(re.sub(r'^ <(\w+) (?:\w*[tT]ype="(\w+)")?.*', r"\1 \2", record, flags=re.DOTALL), []).append(
            record
        )
    assert len(kinds) == 21
    return "".join(
        [head, *(record for of_kind in kinds.values() for record in of_kind[:2]), "</HealthData>\n"]
    ).encode()


def test_both_readers_give_the_same_rows_of_a_whole_made_export(tmp_path):
    write_export(tmp_path / "export.xml", 1)
    data = (tmp_path / "export.xml").read_bytes()
    rows, noted = records(data, strict=False)
    assert (rows, noted) == records(data, strict=True)
    assert len(rows) == data.count(b"\n <Record") + data.count(b"\n <Workout ")


def test_the_size_of_the_blocks_changes_nothing(made):
    whole = records(made, strict=False)
    for block_bytes in (7, 61, 1000):
        assert records(made, strict=False, block_bytes=block_bytes) == whole
        assert records(made, strict=True, block_bytes=block_bytes) == whole


@pytest.mark.parametrize("seed", range(4))
def test_both_readers_agree_on_damaged_files(made, seed):
    """100 files a seed: every row, every count, every note, whatever was flipped, cut, doubled, moved or put in."""
    for k in range(100):
        rng = random.Random(1000 * seed + k)
        data = damaged(made, rng)
        assert _outcome(data, strict=False, block_bytes=rng.choice((4 << 20, 60, 900))) == _outcome(data, strict=True)


def _outcome(data: bytes, **options) -> object:
    try:
        return records(data, **options)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(2))
def test_damaged_files_give_sound_batches_or_a_refusal_in_two_seconds(made, seed):
    read_bytes(made)  # compiles
    for k in range(100):
        data = damaged(made, random.Random(77_000 + 100 * seed + k))
        begun = time.process_time()
        try:
            batches, _ = read_bytes(data)
        except InputError:
            continue
        assert time.process_time() - begun < 2.0
        for batch in batches:
            assert dict(batch.rows.schema) == dict(COLUMNS)
            assert batch.rows["time"].null_count() == 0
            known = QUANTITIES.get(batch.quantity)
            if known is not None:
                assert batch.rows["value"].is_between(known.low, known.high).all()


def test_the_scanners_reasons_to_stop_are_the_readers():
    assert {reason.name: reason.value for reason in Stopped} == {
        "MORE": kernels.MORE, "OTHER": kernels.OTHER, "FULL": kernels.FULL
    }  # fmt: skip


def test_the_compiled_and_the_plain_scanner_read_the_same(made):
    text = made[made.index(b" <Record") : made.index(b" <Correlation")]
    compiled, plain = Scanner(most_rows=1000), Scanner(most_rows=1000)
    stopped = compiled.scan(text, 0, 1)
    at, why = kernels.scan.py_func(np.frombuffer(text, dtype=np.uint8), 0, plain._columns)
    assert (at, why) == (stopped[0], stopped[2].value)
    assert len(plain) == len(compiled) > 20
    first, second = compiled.take(), plain.take()
    assert first.strings == second.strings
    assert np.array_equal(first.ids, second.ids)
    assert np.array_equal(first.start, second.start)


def test_full_tables_are_emptied_and_filled_anew(made, monkeypatch):
    whole = records(made, strict=False)
    monkeypatch.setattr("unaji.records.apple_health.scanner.MOST_BEATS", 60)
    monkeypatch.setattr("unaji.records.apple_health.scanner.MOST_TEXTS", 64)
    monkeypatch.setattr("unaji.records.apple_health.scanner.POOL_BYTES", 1500)
    monkeypatch.setattr("unaji.records.apple_health.stream._new_scanner", lambda: Scanner(most_rows=3))
    assert records(made, strict=False) == whole


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_numbers_are_read_to_the_last_bit_or_left_to_python(number):
    text = str(number)
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    value, exact = kernels._number(data, 0, data.size)
    plain, plainly_exact = kernels._number.py_func(data, 0, data.size)
    assert plainly_exact == exact
    if exact:
        assert value == plain == float(text)


@pytest.mark.parametrize("text", ["", "-", ".5", "5.", "1e", "0x10", "1,5", "١", "1 ", "+1", "nan", "Infinity", "1_0"])
def test_what_is_no_number_is_none(text):
    data = np.frombuffer(text.encode() or b"", dtype=np.uint8)
    for read_number in (kernels._number, kernels._number.py_func):
        value, exact = read_number(data, 0, data.size)
        assert exact
        assert np.isnan(value)


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(-1439, 1439),
)
def test_times_are_the_instants_the_calendar_says(wall, offset_min):
    sign = "-" if offset_min < 0 else "+"
    text = f"{wall:%Y-%m-%d %H:%M:%S} {sign}{abs(offset_min) // 60:02}{abs(offset_min) % 60:02}".rjust(25, "0")
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    seconds = (wall.replace(microsecond=0) - datetime(1970, 1, 1)).total_seconds() - 60 * offset_min
    expected = (round(1000 * seconds), offset_min)
    assert tuple(kernels._time(data, 0)) == tuple(kernels._time.py_func(data, 0)) == expected
    assert _instant(text) == expected


@pytest.mark.parametrize("wrong", ["2023-02-29", "2100-02-29", "2024-13-01", "2024-00-01", "2024-04-31", "0000-01-01"])
def test_days_that_do_not_exist_are_no_times(wrong):
    text = f"{wrong} 08:00:00 +0900"
    assert kernels._time(np.frombuffer(text.encode(), dtype=np.uint8), 0)[0] == kernels._NOT_A_TIME
    assert _instant(text) is None


def test_old_exports_wrote_times_without_separators():
    assert _instant("20240501080000+0900") == (EIGHT, 540)


def test_a_time_with_digits_of_another_script_is_read():
    assert _within_quarter("٦:١٤:٤٨٫٩٤ م") == (14 * 60 + 48) * 1000 + 940
    assert _within_quarter("6:14:48") == (14 * 60 + 48) * 1000
    assert _within_quarter("6:14:48:1:2") == _within_quarter("6:74:00.00") == -1


def test_steps_add_up_whatever_the_order_of_attributes():
    head, rest = f'<Record type="HKQuantityTypeIdentifierStepCount" {WATCH}', f'unit="count" {STAMPS} value="7"'
    data = export(f"{head} {rest}/>", f"{head}\n    {rest} />", f"<Record {rest} {head.removeprefix('<Record ')}/>",
                  f"{head} {rest}></Record>", f"{head} {rest.replace(chr(34), chr(39))}/>")  # fmt: skip
    batches, _ = read_bytes(data)
    assert pl.concat([batch.rows for batch in batches])["value"].sum() == 35


def test_a_date_no_calendar_has_is_rejected_also_where_a_zone_is_named(of_export):
    stamps = 'startDate="0001-01-01 00:00:00 +0900" endDate="0001-01-01 00:30:00 +0900"'
    night = category("SleepAnalysis", "SleepAnalysisAsleepCore", stamps, metadata("HKTimeZone", "Asia/Tokyo"))
    batches, noted = of_export(night, quantity("HeartRate", "count/min", 61))
    assert set(batches) == {"hr_bpm"}
    assert any("before 1990" in problem for problem in noted)


def test_blood_oxygen_in_another_unit_is_left_out(of_export):
    batches, noted = of_export(quantity("OxygenSaturation", "kPa", 96), quantity("OxygenSaturation", "%", 96))
    assert column(batches["spo2_pct"], "value") == [96.0]
    assert any("the unit of spo2_pct must be one of" in problem for problem in noted)

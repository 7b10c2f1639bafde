"""Garmin Connect's JSON: recorded answers against sums of their own, and made ones for every trap."""

from __future__ import annotations

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
from unaji.records import garmin_connect
from unaji.records.clock import Clock
from unaji.records.folder import stored
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source, file_source
from unaji.records.store.writing import Origin, writing
from unaji.records.timeline import Zones

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DENVER = Zones(("America/Denver",))
DAY = 1_689_832_800_000  # 2023-07-20T06:00Z, midnight in Denver


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def read(*answers: object, zones: Zones | None = DENVER, data: bytes | None = None):
    """Return the batches by kind, quantity and method, and the problems."""
    texts = [json.dumps(answer).encode() for answer in answers] if data is None else [data]
    return read_sources([
        Source(f"{k}.json", text[:HEAD_BYTES], lambda text=text: io.BytesIO(text), len(text))
        for k, text in enumerate(texts)
    ], zones)  # fmt: skip


def read_sources(sources, zones: Zones | None = DENVER):
    log = ProblemLog()
    found: dict[str, list] = {}
    for batch in garmin_connect.read(sources, Clock(zones, NOW), log):
        found.setdefault(f"{batch.kind}/{batch.quantity}", []).append(batch)
    return found, log.problems()


def rows(found, key: str) -> pl.DataFrame:
    return pl.concat([batch.rows for batch in found[key]]).sort("time")


# -- recorded answers --------------------------------------------------------------------------------------------------


@pytest.fixture
def real(shared_data):
    return shared_data / "garmin-connect-json"


@pytest.mark.shared
def test_every_recorded_answer_is_known_and_read(real):
    paths = sorted(real.glob("*.json"))
    assert len(paths) == 43
    for path in paths:
        source = file_source(path)
        assert garmin_connect.claims_file(source.head), path.name
        _, problems = read_sources([source])
        assert not [problem for problem in problems if problem.rejected], path.name


@pytest.mark.shared
@pytest.mark.parametrize(("day", "n", "mean"), [("2023-07-20", 81, 42), ("2023-07-19", 87, 43)])
def test_the_readings_of_a_recorded_night_have_the_mean_that_the_maker_gives(real, day, n, mean):
    found, _ = read_sources([file_source(real / f"hrv-service_hrv_{day}.json")])
    by_method = {batch.device.method: batch.rows for batch in found["interval/rmssd_ms"]}
    readings, night = by_method[""], by_method["garmin_last_night_average"]
    assert len(readings) == n
    assert readings["value"].mean() == pytest.approx(mean, abs=1)
    assert night["value"].to_list() == [mean]
    assert readings["zone_min"].unique().to_list() == [-360]
    assert (readings["end"] - readings["time"]).unique().to_list() == [300_000]
    assert night["time"].item() == ms(f"{day}T00:00-06:00")


@pytest.mark.shared
def test_recorded_heart_rates_are_all_there_but_the_empty_ones(real):
    for day, n, resting in (("2026-01-05", 697, 49), ("2026-01-07", 710, 52)):
        path = real / f"wellness-service_wellness_dailyHeartRate__{day}.json"
        pairs = json.loads(path.read_text())["heartRateValues"]
        found, problems = read_sources([file_source(path)])
        heart = rows(found, "series/hr_bpm")
        assert len(pairs) == n
        assert heart.select("time", "value").rows() == [(t, float(v)) for t, v in pairs if v is not None]
        assert {p.value for p in problems} == {str(sum(v is None for _, v in pairs))}
        day_row = rows(found, "interval/hr_resting_bpm").row(0, named=True)
        assert (day_row["value"], day_row["end"] - day_row["time"]) == (resting, 86_400_000)
        assert heart["zone_min"].unique().to_list() == [-360]


@pytest.mark.shared
def test_recorded_nights_have_the_offset_of_their_place_and_the_false_offset_of_stress_is_not_used(real):
    """Nights of July 2021 were slept at -300 min; the stress of 2023 says -420 where it was -360."""
    found, _ = read_sources([file_source(path) for path in sorted(real.glob("*dailySleepData_user_2021*.json"))])
    nights = rows(found, "sleep/sleep")
    assert len(nights) == 14
    assert nights["zone_min"].unique().to_list() == [-300]
    assert nights["label"].unique().to_list() == ["asleep"]
    found, _ = read_sources([file_source(real / "wellness-service_wellness_dailyStress_2023-07-20.json")])
    assert rows(found, "interval/stress_score")["zone_min"].to_list() == [None, None]


@pytest.mark.shared
def test_recorded_weights_are_kilograms_once_each_with_their_own_names(real):
    """The answer for a day and that for a range hold the same two weighings."""
    found, _ = read_sources([file_source(path) for path in sorted(real.glob("weight-service*.json"))])
    weights = rows(found, "series/weight_kg")
    assert weights["value"].to_list() == [59.13, 59.5]
    assert weights["vendor_id"].to_list() == ["1749909217098", "1749948744411"]
    assert weights["zone_min"].to_list() == [-360, -360]
    assert {batch.device.role for batch in found["series/weight_kg"]} == {"manual", ""}


@pytest.mark.shared
def test_recorded_days_of_steps_agree_with_their_file(real):
    path = real / "usersummary-service_stats_steps_daily_2023-07-01_2023-07-20.json"
    found, _ = read_sources([file_source(path)])
    steps = rows(found, "interval/steps")
    assert steps["value"].to_list() == [day["totalSteps"] for day in json.loads(path.read_text())]
    assert steps["time"].to_list()[0] == ms("2023-07-01T00:00-06:00")


@pytest.mark.shared
def test_a_recorded_skin_temperature_is_a_difference_over_the_night(real):
    found, _ = read_sources([file_source(real / "sleep-service_sleep_dailySleepData_2025-07-07.json")])
    assert "series/skin_temp_c" not in found
    row = rows(found, "interval/skin_temp_dev_c").row(0, named=True)
    assert (row["value"], row["time"], row["end"]) == (-0.4, 1751863648000, 1751888248000)
    day = rows(found, "interval/hr_resting_bpm").row(0, named=True)
    assert (day["value"], day["time"]) == (44, ms("2025-07-07T00:00-06:00"))


# -- made answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"{}", b'{"heartRate": 3}', b"[1]", b"calendarDate", b"\x0e\x10"])
def test_other_files_are_not_claimed(data):
    assert not garmin_connect.claims_file(data)


def test_only_offsets_in_use_are_believed():
    readings = [
        {"hrvValue": 40 + k, "readingTimeGMT": "2023-07-20T05:30:00.0", "readingTimeLocal": f"2023-07-20T{local}:00.0"}
        for k, local in enumerate(("11:15", "11:16", "23:30", "05:30"))
    ]
    found, _ = read({"hrvReadings": readings})
    zones = pl.concat([batch.rows for batch in found["interval/rmssd_ms"]])["zone_min"].to_list()
    assert zones == [345, None, None, 0]


def test_stress_below_zero_and_empty_values_are_counted_and_zero_is_a_value():
    pairs = [[DAY, 25], [DAY + 180_000, -1], [DAY + 360_000, -2], [DAY + 540_000, None], [DAY + 720_000, 0]]
    found, problems = read({"stressValuesArray": pairs})
    stress = rows(found, "interval/stress_score")
    assert stress["value"].to_list() == [25, 0]
    assert (stress["end"] - stress["time"]).to_list() == [180_000] * 2
    assert [p.value for p in problems] == ["3"]


@pytest.mark.parametrize("level", [["MEASURED", 45, 2.0], ["charging", 45], [45], [45, "word"]])
def test_body_battery_is_the_first_number_after_the_stamp(level):
    found, _ = read({"bodyBatteryValuesArray": [[DAY, *level], [DAY + 60_000, *level]]})
    assert rows(found, "series/body_battery").select("time", "value").rows() == [(DAY, 45.0), (DAY + 60_000, 45.0)]


@given(
    st.lists(st.tuples(st.integers(DAY, DAY + 86_400_000), st.none() | st.integers(25, 240)), min_size=1, max_size=30,
             unique_by=lambda pair: pair[0]),
    st.sampled_from([None, 2]),
)  # fmt: skip
def test_pairs_come_back_however_they_are_laid_out(pairs, indent):
    """One of two ways of reading is taken by the look of the list."""
    data = json.dumps({"heartRateValues": pairs}, indent=indent).encode()
    found, _ = read(data=data)
    told = [(t, float(v)) for t, v in sorted(pairs) if v is not None]
    assert (rows(found, "series/hr_bpm").select("time", "value").rows() if found else []) == told


def test_lists_that_are_written_oddly_are_read_one_by_one_and_lose_only_what_is_no_pair():
    plain = {"heartRateValues": [[DAY, 60], [DAY + 1000, 61]]}
    odd = (
        b'{"heartRateValues":[[1689832900000,6.2e1],[1689833000000],[],7,"x",[1689833100000,"y"],[1689833200000,63,9]]}'
    )
    texts = [json.dumps(plain).encode(), odd]
    sources = [Source(f"{k}", t, lambda t=t: io.BytesIO(t), len(t)) for k, t in enumerate(texts)]
    found, problems = read_sources(sources)
    assert rows(found, "series/hr_bpm")["value"].to_list() == [60, 61, 62, 63]
    assert sum(p.count for p in problems if p.rejected) == 3  # [], 7 and "x" have no time
    assert [p.value for p in problems if not p.rejected] == ["2"]  # two have no value


def test_stages_of_sleep_are_named_and_unknown_ones_counted():
    levels = [
        {"startGMT": f"2023-07-20T0{k}:00:00.0", "endGMT": f"2023-07-20T0{k + 1}:00:00.0", "activityLevel": level}
        for k, level in enumerate((1.0, 0.0, 2.0, 3.0, 7.0, None))
    ]
    found, problems = read({"dailySleepDTO": {"sleepStartTimestampGMT": DAY}, "sleepLevels": levels})
    assert rows(found, "sleep/sleep")["label"].to_list() == ["light", "deep", "rem", "awake"]
    assert [p.value for p in problems] == ["2"]


def test_epochs_of_a_night_and_the_days_own_list_are_one_row_each():
    night = {
        "dailySleepDTO": {"sleepStartTimestampGMT": DAY, "sleepEndTimestampGMT": DAY + 3_600_000},
        "sleepHeartRate": [{"value": 52, "startGMT": DAY}, {"value": 0, "startGMT": DAY + 1}],
        "sleepStress": [{"value": 12.0, "startGMT": DAY}],
        "sleepBodyBattery": [{"value": 40, "startGMT": DAY}],
        "hrvData": [{"value": 61.0, "startGMT": DAY}],
        "wellnessEpochRespirationDataDTOList": [{"startTimeGMT": DAY, "respirationValue": 14.0}],
        "wellnessEpochSPO2DataDTOList": [{"epochTimestamp": "2023-07-20T06:00:00.0", "spo2Reading": 97}],
    }
    found, _ = read(night, night)
    values = {key: rows(found, key)["value"].to_list() for key in found}
    assert values == {
        "sleep/sleep": [60.0], "series/hr_bpm": [52.0], "interval/stress_score": [12.0], "series/body_battery": [40.0],
        "interval/rmssd_ms": [61.0], "series/resp_rate_bpm": [14.0], "series/spo2_pct": [97.0],
    }  # fmt: skip
    assert rows(found, "series/spo2_pct")["time"].to_list() == [DAY]


def test_nights_of_the_accounts_export_are_read_from_text_times():
    night = {
        "sleepStartTimestampGMT": "2021-08-16T21:30:00.0", "sleepEndTimestampGMT": "2021-08-17T05:00:00.0",
        "calendarDate": "2021-08-17", "deepSleepSeconds": 3600,
    }  # fmt: skip
    found, _ = read([night])
    row = rows(found, "sleep/sleep").row(0, named=True)
    assert (row["time"], row["value"]) == (ms("2021-08-16T21:30+00:00"), 450.0)


def test_a_days_sums_stand_over_its_instants_or_over_the_persons_day_of_23_hours():
    told = {
        "calendarDate": "2025-06-13", "totalSteps": 11_400, "activeKilocalories": 331.0, "averageStressLevel": -1,
        "wellnessStartTimeGmt": "2025-06-12T22:00:00.0", "wellnessEndTimeGmt": "2025-06-13T22:00:00.0",
        "wellnessStartTimeLocal": "2025-06-13T00:00:00.0",
    }  # fmt: skip
    found, _ = read(told)
    row = rows(found, "interval/steps").row(0, named=True)
    assert (row["time"], row["value"], row["zone_min"]) == (ms("2025-06-12T22:00+00:00"), 11_400.0, 120)
    assert "interval/stress_score" not in found
    found, _ = read([{"calendarDate": "2024-03-10", "totalSteps": 5}])
    row = rows(found, "interval/steps").row(0, named=True)
    assert (row["end"] - row["time"]) / 3_600_000 == 23
    with pytest.raises(InputError, match="time zone"):
        read([{"calendarDate": "2024-03-10", "totalSteps": 5}], zones=None)


def test_a_resting_heart_rate_beside_no_sleep_is_that_of_the_date():
    found, _ = read(
        {"dailySleepDTO": {"calendarDate": "2023-07-20", "sleepStartTimestampGMT": None}, "restingHeartRate": 51}
    )
    row = rows(found, "interval/hr_resting_bpm").row(0, named=True)
    assert (row["time"], row["value"]) == (DAY, 51.0)


def test_quarter_hours_of_steps_are_intervals():
    quarter = {"startGMT": "2023-07-20T06:00:00.0", "endGMT": "2023-07-20T06:15:00.0", "steps": 250,
               "primaryActivityLevel": "active"}  # fmt: skip
    found, _ = read([quarter])
    row = rows(found, "interval/steps").row(0, named=True)
    assert (row["time"], row["end"], row["value"]) == (DAY, DAY + 900_000, 250.0)


def day_so_far(hours: int, steps: int, **more) -> dict[str, object]:
    return {
        "calendarDate": "2023-07-20", "wellnessStartTimeGmt": "2023-07-20T06:00:00.0",
        "wellnessEndTimeGmt": datetime.fromtimestamp(DAY / 1000 + 3600 * hours, UTC).strftime("%Y-%m-%dT%H:%M:%S.0"),
        "wellnessStartTimeLocal": "2023-07-20T00:00:00.0", "totalSteps": steps, "activeKilocalories": steps / 20,
        "averageStressLevel": 30,
    } | more  # fmt: skip


@pytest.mark.parametrize("together_bytes", [1, 8 << 20])
def test_of_two_answers_about_a_day_the_one_that_reaches_further_counts(monkeypatch, together_bytes):
    monkeypatch.setattr(garmin_connect, "TOGETHER_BYTES", together_bytes)
    noon, night = day_so_far(12, 3000), day_so_far(24, 9000)
    morrow = {"calendarDate": "2023-07-21", "totalSteps": 50}
    for answers in ((noon, night, morrow), (morrow, night, noon)):
        found, problems = read(*answers)
        assert rows(found, "interval/steps").select("time", "end", "value").rows() == [
            (DAY, DAY + 86_400_000, 9000.0), (DAY + 86_400_000, DAY + 2 * 86_400_000, 50.0),
        ]  # fmt: skip
        assert rows(found, "interval/steps")["vendor_id"].to_list() == ["day:2023-07-20", "day:2023-07-21"]
        assert rows(found, "interval/active_kcal")["value"].to_list() == [450.0]
        assert rows(found, "interval/stress_score")["value"].to_list() == [30.0]
        assert {(p.lost, p.count) for p in problems} == {(False, 1)}


def test_a_day_told_twice_alike_is_one_row_without_a_word():
    found, problems = read(day_so_far(24, 9000), day_so_far(24, 9000))
    assert len(rows(found, "interval/steps")) == 1
    assert problems == ()


def stored_steps(person, *exports: object) -> list[float]:
    """Import answers one after the other, each exported later, and read the steps as a timeline has them."""
    for exported, answer in enumerate(exports):
        found, _ = read(*(answer if isinstance(answer, tuple) else (answer,)))
        with writing(person) as store, store.incoming() as incoming:
            for batch in (one for some in found.values() for one in some):
                incoming.add(batch)
            incoming.commit(Origin(exported, exported, ("garmin_connect",), "", ""))
    series = [one for fragment in stored(person, ProblemLog()) for one in fragment.series if one.quantity == "steps"]
    return [value for one in series for value in one.value.tolist()]


def test_a_later_export_of_a_day_takes_the_place_of_the_earlier_one_and_of_no_other_day(tmp_path):
    before = {"calendarDate": "2023-07-19", "totalSteps": 70}
    assert stored_steps(tmp_path, before, day_so_far(12, 3000), day_so_far(24, 9000)) == [70.0, 9000.0]


def test_steps_of_a_day_and_of_its_quarter_hours_are_never_added(tmp_path):
    quarters = [
        {"startGMT": f"2023-07-20T{6 + k // 4:02}:{k % 4 * 15:02}:00.0", "steps": 100, "primaryActivityLevel": "active",
         "endGMT": f"2023-07-20T{6 + (k + 1) // 4:02}:{(k + 1) % 4 * 15:02}:00.0"}
        for k in range(8)
    ]  # fmt: skip
    assert stored_steps(tmp_path, (day_so_far(24, 9000), quarters)) == [100.0] * 8


def test_empty_days_are_normal_and_answers_about_other_things_are_counted():
    empty = {"heartRateValues": None, "stressValuesArray": [], "dailySleepDTO": {"sleepStartTimestampGMT": None}}
    found, problems = read(empty)
    assert (found, problems) == ({}, ())
    found, problems = read([{"calendarDate": "2024-07-07", "score": 49, "level": "LOW"}] * 3)
    assert not found
    assert [p.value for p in problems] == ["3"]


def test_what_is_no_json_is_told_and_the_other_files_are_read():
    good = json.dumps({"heartRateValues": [[DAY, 60]]}).encode()
    sources = [Source(n, t, lambda t=t: io.BytesIO(t), len(t)) for n, t in (("cut", good[:-4]), ("good", good))]
    found, problems = read_sources(sources)
    assert len(rows(found, "series/hr_bpm")) == 1
    assert [(p.file, p.rejected) for p in problems] == [("cut", True)]


def test_an_odd_value_costs_only_itself_and_is_named():
    days = [{"heartRateValues": [[DAY + 60_000 * k, 60 + k]], "restingHeartRate": 50} for k in range(3)]
    days[1]["restingHeartRate"] = "n/a"
    found, problems = read(days)
    assert rows(found, "series/hr_bpm")["value"].to_list() == [60, 61, 62]
    odd = [p for p in problems if "restingHeartRate is not what it should be" in p.rule]
    assert [(p.value, p.count, p.rejected) for p in odd] == [('"n/a"', 1, True)]
    assert not [p for p in problems if "cut off" in p.rule]
    weights = [{"samplePk": pk, "timestampGMT": DAY + k, "weight": 59500.0} for k, pk in enumerate((1, "abc", 3))]
    found, problems = read({"dateWeightList": weights})
    assert rows(found, "series/weight_kg")["vendor_id"].to_list() == ["1", None, "3"]
    assert [p.rule.split()[0] for p in problems] == ["dateWeightList[…].samplePk"]


def test_an_answer_that_is_none_costs_no_other():
    found, problems = read([{"heartRateValues": [[DAY, 60]]}, 7, {"heartRateValues": [[DAY + 60_000, 61]]}])
    assert rows(found, "series/hr_bpm")["value"].to_list() == [60, 61]
    assert [(p.value, p.count) for p in problems if p.rejected] == [("7", 1)]


@pytest.mark.parametrize("first", ["night", "day"])
@pytest.mark.parametrize("same", [True, False])
def test_a_resting_heart_rate_that_the_day_and_the_night_tell_is_one_row(first, same):
    night = {
        "dailySleepDTO": {
            "calendarDate": "2023-07-20", "sleepStartTimestampGMT": DAY - 3_600_000,
            "sleepEndTimestampGMT": DAY + 3_600_000, "sleepStartTimestampLocal": DAY - 7 * 3_600_000,
        },
        "restingHeartRate": 49,
    }  # fmt: skip
    day = {
        "calendarDate": "2023-07-20", "restingHeartRate": 49 if same else 51,
        "wellnessStartTimeGmt": "2023-07-20T06:00:00.0", "wellnessEndTimeGmt": "2023-07-20T21:00:00.0",
    }  # fmt: skip
    found, problems = read(*((night, day) if first == "night" else (day, night)))
    resting = rows(found, "interval/hr_resting_bpm")
    assert resting.select("time", "end", "value").rows() == [(DAY, DAY + 86_400_000, 49.0)]  # the night's day is over
    assert resting["vendor_id"].to_list() == ["day:2023-07-20"]
    assert [p.count for p in problems if "another answer tells of the same day" in p.rule] == [1]


def test_resting_heart_rates_of_two_days_are_two_rows():
    found, _ = read(*({"calendarDate": f"2023-07-2{k}", "restingHeartRate": 50 + k} for k in (0, 1)))
    assert rows(found, "interval/hr_resting_bpm")["value"].to_list() == [50, 51]


def test_no_account_or_device_number_leaves_an_answer():
    found, _ = read({"userProfilePK": 987654321, "deviceId": 123123123, "heartRateValues": [[DAY, 60]]})
    batch = found["series/hr_bpm"][0]
    assert "987654321" not in str(batch.device) + str(batch.rows.row(0))


def test_a_large_answer_is_read_beyond_its_first_bytes(tmp_path):
    pairs = [[DAY + 1000 * k, 60 + k % 50] for k in range(20_000)]
    (tmp_path / "long.json").write_text(json.dumps({"calendarDate": "2023-07-20", "heartRateValues": pairs}))
    found, _ = read_sources([file_source(tmp_path / "long.json")])
    assert rows(found, "series/hr_bpm")["value"].to_list() == [float(v) for _, v in pairs]


def test_mutated_files_neither_crash_nor_hang_nor_give_impossible_rows():
    whole = json.dumps({
        "calendarDate": "2023-07-20", "startTimestampGMT": "2023-07-20T06:00:00.0", "restingHeartRate": 49,
        "startTimestampLocal": "2023-07-20T00:00:00.0", "endTimestampGMT": "2023-07-21T06:00:00.0",
        "heartRateValues": [[DAY + 1000 * k, 60 + k] for k in range(8)],
        "bodyBatteryValuesArray": [[DAY, "MEASURED", 45, 2.0], [DAY + 1000, "MEASURED", 44, 2.0]],
        "hrvReadings": [{"hrvValue": 54, "readingTimeGMT": "2023-07-20T05:29:48.0"}] * 3,
        "dailySleepDTO": {"sleepStartTimestampGMT": DAY, "sleepEndTimestampGMT": DAY + 1000},
        "sleepLevels": [{"startGMT": "2023-07-20T05:00:00.0", "endGMT": DAY, "activityLevel": 1.0}],
        "dateWeightList": [{"samplePk": 1, "date": DAY, "timestampGMT": DAY, "weight": 59500.0}],
        "totalSteps": 5, "hrvSummary": {"calendarDate": "2023-07-20", "lastNightAvg": 42},
    }).encode()  # fmt: skip
    rng = np.random.default_rng(20260601)
    latest = NOW.timestamp() * 1000 + 48 * 3_600_000
    for _ in range(500):
        begin = time.monotonic()
        found, _ = read(data=mutated(whole, rng))
        assert time.monotonic() - begin < 2
        for batch in (b for some in found.values() for b in some):
            assert batch.rows["time"].is_between(631_152_000_000, latest).all()
            assert batch.rows["time"].null_count() == 0


def test_nesting_without_end_is_refused():
    found, problems = read(data=b'{"calendarDate":' + b"[" * 100_000)
    assert not found
    assert problems[0].rejected

"""Make an invented Apple Health export of any size, with what real ones hold and what trips readers.

    python benchmarks/make_apple_export.py export.xml --mb 300 [--seed 0]

Heart rate with motion context, steps from six sources, energy with long numbers, blood oxygen with the barometer's
reading, breathing, sleep stages with a zone, SDNN with its beats, workouts with statistics, symptoms, wrist
temperature, sound, blood pressure in correlations, types that unaji does not read, entities and Japanese in names, and
the offsets of both halves of the year. Records stand type by type, as Apple writes them. The zone is Berlin's.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Europe/Berlin")
FIRST_DAY = datetime(2018, 1, 1, tzinfo=HERE)
SECOND = timedelta(seconds=1)
DAY_S = 86_400

WATCH = (
    'sourceName="花子のApple Watch" sourceVersion="10.3.1" device="&lt;&lt;HKDevice: 0x303{:06x}&gt;, '
    "name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:10.3.1, "
    'creation date:2023-09-20 09:41:00 +0000&gt;"'
)
PHONE = (
    'sourceName="花子のiPhone" sourceVersion="17.3" device="&lt;&lt;HKDevice: 0x282a45810&gt;, name:iPhone, '
    'manufacturer:Apple Inc., model:iPhone, hardware:iPhone14,5, software:17.3&gt;"'
)
STEP_SOURCES = (
    WATCH.format(0x2A0),
    PHONE,
    'sourceName="Pedometer++" sourceVersion="5.1"',
    'sourceName="Garmin Connect™" sourceVersion="4.72"',
    'sourceName="Health &amp; Steps" sourceVersion="1"',
    'sourceName="ヘルスケア" sourceVersion="16.0"',
)
HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 13 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|ClinicalRecord)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
]>
<HealthData locale="ja_JP">
 <ExportDate value="2024-02-01 08:00:00 +0100"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1975-03-03" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"/>
"""  # noqa: E501

Lines = Iterator[str]
QUANTITY, CATEGORY = "HKQuantityTypeIdentifier", "HKCategoryTypeIdentifier"
STAGES = ("AsleepCore", "AsleepDeep", "AsleepREM", "Awake")
OTHERS = (("BasalEnergyBurned", "kcal"), ("DistanceWalkingRunning", "km"), ("PhysicalEffort", "kcal/hr·kg"))


def write_export(path: Path, megabytes: float, seed: int = 0) -> None:
    """Write an export of about that size (10^6 bytes)."""
    week = sum(len(line.encode()) for line in _records(7, random.Random(seed)))
    days = max(1, round(7 * megabytes * 1e6 / week))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER)
        file.writelines(_records(days, random.Random(seed)))
        file.write("</HealthData>\n")


def _records(days: int, rng: random.Random) -> Lines:
    for maker in (_heart_rate, _steps, _energy, _others, _oxygen, _breathing, _sound, _wrist_temperature, _beats,
                  _sleep, _symptoms, _pressures, _workouts, _rings):  # fmt: skip
        for day in range(days):
            midnight = FIRST_DAY + timedelta(days=day)
            yield from maker(midnight, rng)


def _at(midnight: datetime, second: float) -> str:
    moment = (midnight.astimezone(UTC) + timedelta(seconds=int(second))).astimezone(HERE)
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")


def _times(midnight: datetime, rng: random.Random, n: int, length_s: int) -> Iterator[tuple[str, str, str]]:
    """Give creation, start and end of n records over a day, the dates being made once a minute."""
    for k in range(n):
        second = (k * DAY_S) // n + rng.randrange(20)
        start = _at(midnight, second)
        end = _at(midnight, second + length_s) if length_s else start
        yield end, start, end


def _record(kind: str, source: str, unit: str, times: tuple[str, str, str], value: str) -> str:
    return (
        f' <Record type="{kind}" {source} unit="{unit}" creationDate="{times[0]}" startDate="{times[1]}" '
        f'endDate="{times[2]}" value="{value}"'
    )


def _heart_rate(midnight: datetime, rng: random.Random) -> Lines:
    watch = WATCH.format(rng.randrange(1 << 20) & 0xFF0)
    for times in _times(midnight, rng, 700, 0):
        record = _record(f"{QUANTITY}HeartRate", watch, "count/min", times, str(rng.randrange(48, 140)))
        yield (
            f'{record}>\n  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="{rng.randrange(3)}"/>\n'
            " </Record>\n"
        )
    yield _record(f"{QUANTITY}RestingHeartRate", watch, "count/min", next(_times(midnight, rng, 1, 80_000)), "58")
    yield "/>\n"


def _plain(
    midnight: datetime, rng: random.Random, *, kind: str, unit: str, n: int, length_s: int, sources: tuple[str, ...],
    value: Callable[[random.Random], str],
) -> Lines:  # fmt: skip
    for k, times in enumerate(_times(midnight, rng, n, length_s)):
        yield f"{_record(QUANTITY + kind, sources[k % len(sources)], unit, times, value(rng))}/>\n"


_steps = partial(
    _plain, kind="StepCount", unit="count", n=240, length_s=290, sources=STEP_SOURCES,
    value=lambda rng: str(rng.randrange(1, 600)),
)  # fmt: skip
_energy = partial(
    _plain, kind="ActiveEnergyBurned", unit="kcal", n=600, length_s=60, sources=(WATCH.format(0x2B0),),
    value=lambda rng: repr(rng.random() * 5) if rng.random() < 0.1 else f"{rng.random() * 5:.3f}",
)  # fmt: skip
_breathing = partial(
    _plain, kind="RespiratoryRate", unit="count/min", n=60, length_s=60, sources=(WATCH.format(0x2C0),),
    value=lambda rng: f"{10 + rng.random() * 8:.1f}",
)  # fmt: skip
_sound = partial(
    _plain, kind="EnvironmentalAudioExposure", unit="dBASPL", n=48, length_s=1790, sources=(WATCH.format(0x2D0),),
    value=lambda rng: f"{40 + rng.random() * 40:.4f}",
)  # fmt: skip
_wrist_temperature = partial(
    _plain, kind="AppleSleepingWristTemperature", unit="degC", n=1, length_s=28_000, sources=(WATCH.format(0x2E0),),
    value=lambda rng: f"{35 + rng.random():.4f}",
)  # fmt: skip


def _others(midnight: datetime, rng: random.Random) -> Lines:
    for kind, unit in OTHERS:
        yield from _plain(midnight, rng, kind=kind, unit=unit, n=300, length_s=120, sources=(WATCH.format(0x2F0),),
                          value=lambda rng: f"{rng.random():.5f}")  # fmt: skip


def _oxygen(midnight: datetime, rng: random.Random) -> Lines:
    for times in _times(midnight, rng, 24, 0):
        value, pressure = rng.randrange(90, 101) / 100, 98 + rng.random() * 5
        yield (
            f"{_record(f'{QUANTITY}OxygenSaturation', WATCH.format(0x2A0), '%', times, f'{value:g}')}>\n"
            f'  <MetadataEntry key="HKMetadataKeyBarometricPressure" value="{pressure:.3f} kPa"/>\n </Record>\n'
        )


def _beats(midnight: datetime, rng: random.Random) -> Lines:
    for second in range(3 * 3600, DAY_S, 4 * 3600):
        times = (_at(midnight, second + 65), _at(midnight, second), _at(midnight, second + 64))
        yield f"{_record(f'{QUANTITY}HeartRateVariabilitySDNN', WATCH.format(0x2A0), 'ms', times, '48.123')}>\n"
        yield "  <HeartRateVariabilityMetadataList>\n"
        clock = datetime.strptime(times[1][:19], "%Y-%m-%d %H:%M:%S") + SECOND
        for _ in range(60):
            rri_s = 0.95 + rng.gauss(0, 0.04)
            clock += rri_s * SECOND
            stamp = f"{clock:%H:%M:%S}.{clock.microsecond // 10_000:02d}"
            yield f'   <InstantaneousBeatsPerMinute bpm="{60 / rri_s:.0f}" time="{stamp}"/>\n'
        yield "  </HeartRateVariabilityMetadataList>\n </Record>\n"


def _category(kind: str, source: str, times: tuple[str, str, str], value: str) -> str:
    return (
        f' <Record type="{CATEGORY}{kind}" {source} creationDate="{times[0]}" startDate="{times[1]}" '
        f'endDate="{times[2]}" value="HKCategoryValue{value}"'
    )


def _sleep(midnight: datetime, rng: random.Random) -> Lines:
    for k in range(30):
        times = (_at(midnight, 27_000), _at(midnight, 900 * k), _at(midnight, 900 * (k + 1)))
        stage = STAGES[rng.randrange(4)]
        yield f"{_category('SleepAnalysis', WATCH.format(0x2A0), times, f'SleepAnalysis{stage}')}>\n"
        yield '  <MetadataEntry key="HKTimeZone" value="Europe/Berlin"/>\n </Record>\n'


def _symptoms(midnight: datetime, rng: random.Random) -> Lines:
    for kind in ("HotFlashes", "Headache", "NightSweats"):
        times = (_at(midnight, 60_000),) * 3
        severity = rng.choice(("Unspecified", "NotPresent", "Mild", "Moderate", "Severe"))
        yield f"{_category(kind, PHONE, times, f'Severity{severity}')}/>\n"


def _pressures(midnight: datetime, rng: random.Random) -> Lines:
    times = (_at(midnight, 28_800),) * 3
    two = [
        f"{_record(f'{QUANTITY}BloodPressure{which}', PHONE, 'mmHg', times, str(rng.randrange(low, low + 30)))}/>\n"
        for which, low in (("Systolic", 110), ("Diastolic", 65))
    ]
    stamps = f'creationDate="{times[0]}" startDate="{times[1]}" endDate="{times[2]}"'
    yield f' <Correlation type="HKCorrelationTypeIdentifierBloodPressure" {PHONE} {stamps}>\n'
    yield from (f" {line}" for line in two)
    yield " </Correlation>\n"
    yield from two


def _workouts(midnight: datetime, rng: random.Random) -> Lines:
    start, end = _at(midnight, 64_800), _at(midnight, 66_600)
    yield (
        f' <Workout workoutActivityType="HKWorkoutActivityTypeWalking" duration="{29 + rng.random()}" '
        f'durationUnit="min" {WATCH.format(0x2A0)} creationDate="{end}" startDate="{start}" endDate="{end}">\n'
        '  <MetadataEntry key="HKTimeZone" value="Europe/Berlin"/>\n'
        f'  <WorkoutStatistics type="{QUANTITY}HeartRate" startDate="{start}" endDate="{end}" average="101.5" '
        'minimum="80" maximum="130" unit="count/min"/>\n </Workout>\n'
    )


def _rings(midnight: datetime, rng: random.Random) -> Lines:
    yield (
        f' <ActivitySummary dateComponents="{midnight:%Y-%m-%d}" activeEnergyBurned="{rng.randrange(600)}" '
        'activeEnergyBurnedGoal="400" activeEnergyBurnedUnit="kcal"/>\n'
    )


def main() -> None:
    """Write the file that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--mb", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_export(options.path, options.mb, options.seed)


if __name__ == "__main__":
    main()

"""E4 sessions: made ones that always run, and real ones against means computed by others."""

from __future__ import annotations

import csv
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest

from unaji.records.folder import read_folder
from unaji.records.timeline import from_utc_ms, utc_ms

START = 1_646_305_200  # 2022-03-03T11:00:00Z
SESSION = {
    "EDA.csv": f"{START}.000000\n4.000000\n0.000000\n0.410000\n0.420000\n",
    "TEMP.csv": f"{START}.000000\n4.000000\n33.10\n33.12\n382.21\n33.14\n33.16\n33.18\n",
    "HR.csv": f"{START + 10}.000000\n1.000000\n70.00\n71.50\n",
    "IBI.csv": f"{START}.000000, IBI\n1.000000,0.750000\n1.750000,0.750000\n4.000000,0.812500\n",
    "ACC.csv": f"{START}.0, {START}.0, {START}.0\n32.0, 32.0, 32.0\n"
    + "0,0,64\n" * 320
    + "0,0,-128\n" * 320
    + "9,9,9\n",
    "BVP.csv": f"{START}.000000\n64.000000\n-0.5\n12.25\n",
    "tags.csv": f"{START + 2}.50\n",
    "info.txt": "what is in this archive\n",
}


def test_a_session_becomes_series_beats_and_marks(read):
    timeline = read({f"E4/{name}": text for name, text in SESSION.items()})
    start = utc_ms(datetime(2022, 3, 3, 11, tzinfo=UTC))
    of = timeline.of
    assert of("scl_microsiemens").value.tolist() == [0.41, 0.42]  # the first sample is no signal
    assert (of("scl_microsiemens").time - start).astype(int).tolist() == [250, 500]
    assert of("skin_temp_c", "wrist").value.tolist() == [33.10, 33.12, 33.14, 33.16, 33.18]
    assert (of("hr_bpm").time - start).astype(int).tolist() == [0, 1_000]  # each the mean of 10 s
    assert (of("hr_bpm").end - start).astype(int).tolist() == [10_000, 11_000]
    assert of("activity_mg").value.tolist() == [0.0, 1000.0]  # at rest 1 g; then 2 g; the row over is no full window
    assert (of("activity_mg").end - start).astype(int).tolist() == [10_000, 20_000]
    assert timeline.beats.rri_ms.tolist() == [750.0, 750.0, 812.5]
    assert timeline.beats.gap.tolist() == [True, False, True]
    assert (timeline.beats.origin, timeline.beats.corrected) == ("ppg", "device")
    assert [(e.kind, e.start) for e in timeline.exposures] == [
        ("event_mark", datetime(2022, 3, 3, 11, 0, 2, 500_000, tzinfo=UTC))
    ]
    (problem,) = timeline.problems
    assert str(problem).startswith("E4/TEMP.csv, line 5: found '382.21': skin_temp_c lies outside")


def test_a_zipped_session_is_read_like_its_folder(read, folder):
    plain = read({f"E4/{name}": text for name, text in SESSION.items()})
    place = folder({})
    for name in SESSION:
        (place / "E4" / name).unlink()
    with zipfile.ZipFile(place / "session.zip", "w") as archive:
        for name, text in SESSION.items():
            archive.writestr(name, text)
    zipped = read_folder(place)
    assert [(s.quantity, s.value.tolist()) for s in zipped.series] == [
        (s.quantity, s.value.tolist()) for s in plain.series
    ]
    assert zipped.exposures == plain.exposures
    assert len(zipped.problems) == 1


def test_the_same_session_twice_counts_once(read):
    once = read({f"a/{name}": text for name, text in SESSION.items()})
    twice = read({f"b/{name}": text for name, text in SESSION.items()})  # beside a/, which is there still
    assert [(s.quantity, s.time.tolist()) for s in twice.series] == [(s.quantity, s.time.tolist()) for s in once.series]
    assert twice.beats.rri_ms.tolist() == once.beats.rri_ms.tolist()
    assert twice.exposures == once.exposures
    assert "beats: found '3': beats are in more than one file and were counted once" in map(str, twice.problems)


def test_button_presses_that_are_no_times_are_counted(read):
    timeline = read({"EDA.csv": SESSION["EDA.csv"], "tags.csv": f"{START + 1}\n71\n1x[\n{START + 3}.5\n\n"})
    seconds = [(exposure.start.timestamp() - START) for exposure in timeline.exposures]
    assert seconds == [1, 3.5]
    assert [(problem.line, problem.count) for problem in timeline.problems if problem.rejected] == [(2, 1), (3, 1)]


def test_empty_tags_and_missing_sensors_are_normal(read):
    timeline = read({"EDA.csv": SESSION["EDA.csv"], "tags.csv": "", "info.txt": "about"})
    assert timeline.problems == ()
    assert [s.quantity for s in timeline.series] == ["scl_microsiemens"]


def test_a_device_whose_clock_was_never_set_is_told(read):
    old = f"{10**8:010d}.000000\n4.000000\n0.0\n0.4\n"
    timeline = read({"EDA.csv": old, "episodes.csv": "start\n2024-05-01T08:00\n"})
    assert timeline.series == ()
    assert "EDA.csv, line 1: found '1e+08': the session begins before 1990" in str(timeline.problems[0])


def test_a_sensor_that_the_name_does_not_tell_is_asked_for(read):
    timeline = read({"left_arm.csv": SESSION["EDA.csv"], "episodes.csv": "start\n2024-05-01T08:00\n"})
    assert "an E4 file whose name does not say the sensor; call it one of EDA.csv" in str(timeline.problems[0])


@pytest.mark.shared
def test_a_real_session_has_the_files_rows_and_gaps(shared_data):
    timeline = read_folder(shared_data / "e4-flirt-sample")
    rows = {s.quantity: len(s) for s in timeline.series}
    lines = {
        name: len((shared_data / "e4-flirt-sample" / f"{name}.csv").read_text().splitlines())
        for name in ("EDA", "TEMP", "HR", "IBI", "ACC")
    }
    assert rows["scl_microsiemens"] == lines["EDA"] - 3
    assert rows["skin_temp_c"] == lines["TEMP"] - 2
    assert rows["hr_bpm"] == lines["HR"] - 2
    assert rows["activity_mg"] == (lines["ACC"] - 2) // 320
    assert len(timeline.beats) == lines["IBI"] - 1
    since_start = (timeline.beats.time - utc_ms(datetime(2019, 6, 11, 19, 3, 45, tzinfo=UTC))).astype(int)
    assert since_start[:2].tolist() == [83_504, 99_973]
    assert timeline.beats.gap[:4].tolist() == [True, True, False, False]
    assert timeline.exposures == ()


@pytest.mark.shared
@pytest.mark.parametrize("subject", ["S02", "S05", "S11", "S17"])
def test_means_by_phase_are_those_computed_elsewhere(shared_data, subject):
    folder = shared_data / "e4-stress-predict"
    timeline = read_folder(folder / subject)
    with (folder / "expected_phase_means.csv").open() as file:
        phases = [row for row in csv.DictReader(file) if row["subject"] == subject]
    checked = 0
    for row in phases:
        start, end = (utc_ms(datetime.fromisoformat(row[name])) for name in ("start_utc", "end_utc"))
        for column, quantity in (
            ("mean_hr_bpm", "hr_bpm"), ("mean_eda_uS", "scl_microsiemens"), ("mean_temp_C", "skin_temp_c")
        ):  # fmt: skip
            series = timeline.of(quantity)
            stamp = series.time if series.end is None else series.end
            inside = (stamp >= start) & (stamp < end)
            if row[column]:
                # The file rounds to 3 digits; its EDA counts the first sample, which is 0 and no signal.
                assert series.value[inside].mean() == pytest.approx(float(row[column]), abs=2e-3)
                checked += 1
            if quantity == "hr_bpm":
                assert inside.sum() == pytest.approx(int(row["n_hr"]), abs=1)
    assert checked >= 15


@pytest.mark.shared
def test_button_presses_are_those_of_the_file(shared_data):
    timeline = read_folder(shared_data / "e4-stress-predict" / "S02")
    stamps = (shared_data / "e4-stress-predict" / "S02" / "tags.csv").read_text().split()
    assert [e.start.timestamp() for e in timeline.exposures_of("event_mark")] == [float(s) for s in stamps]
    assert from_utc_ms(np.datetime64(int(float(stamps[0])), "s")) == timeline.exposures[0].start

"""Everything of a person can be taken away, and nothing of it stays when it is erased."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from unaji.errors import InputError, OutputError
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.exporting import erase, export_folder, what_erasing_takes
from unaji.records.folder import read_folder
from unaji.records.store.lock import only_writer
from unaji.records.store.writing import Origin, writing

NOW = datetime(2025, 6, 1, tzinfo=UTC)
MS = 1_714_521_600_000
WATCH = Device("apple_health", "watch", name="花子のApple Watch", site="wrist")
OTHER_WATCH = Device("apple_health", "watch", name="old", site="wrist")
STRAP = Device("garmin_fit", "strap", origin="strap")
PULSE = Device("apple_health", "watch", name="花子のApple Watch", origin="ppg")


def put(person, *batches, exported=0):
    with writing(person) as store, store.incoming() as incoming:
        for batch in batches:
            incoming.add(batch)
        return incoming.commit(Origin(0, exported, ("test",), "", ""))


def beats(device, times, rri):
    return Batch(Kind.BEATS, "rri_ms", device, frame(time=times, value=rri, gap=False))


@pytest.fixture
def person(folder):
    place = folder(
        {
            "episodes.csv": "start\n2024-05-01T08:00\n",
            "photo.jpg": "x",
            "e4/TEMP.csv": "1646305200.0\n4.0\n33.5\n33.6\n",
        }
    )
    put(place, Batch(Kind.SERIES, "hr_bpm", WATCH, frame(time=[MS, MS + 1000, MS + 2000], value=[60.0, 61.0, 62.0])),
        Batch(Kind.SERIES, "hr_bpm", OTHER_WATCH, frame(time=[MS, MS + 1000], value=[70.0, 71.0])),
        beats(PULSE, [MS + 1000, MS + 2000], 1000.0), beats(STRAP, [MS + 900, MS + 1800], 900.0),
        Batch(Kind.SLEEP, "sleep", WATCH, frame(time=[MS], end=[MS + 3_600_000], label="deep")),
        exported=10)  # fmt: skip
    put(place, Batch(Kind.SERIES, "hr_bpm", WATCH, frame(time=[MS + 1000], value=[66.0])), exported=20)
    return place


def test_all_rows_that_hold_are_written_for_every_device(person, tmp_path):
    export_folder(person, tmp_path / "copy", now=NOW)
    copy = read_folder(tmp_path / "copy", now=NOW)
    rates = {series.source: series.value.tolist() for series in copy.series if series.quantity == "hr_bpm"}
    assert rates == {"apple_health:1": [60.0, 66.0, 62.0], "apple_health:2": [70.0, 71.0]}
    assert copy.of("skin_temp_c").value.tolist() == [33.5, 33.6]
    assert [e.kind for e in copy.exposures] == ["sleep"]
    assert copy.episodes == read_folder(person, now=NOW).episodes
    assert (tmp_path / "copy" / "beats.csv").read_text().count("ppg") == 2
    assert (tmp_path / "copy" / "beats.csv").read_text().count("strap") == 2
    assert (copy.beats.origin, copy.beats.rri_ms.tolist()) == ("strap", [900, 900])
    assert not (tmp_path / "copy" / "store").exists()


def test_what_is_read_of_the_copy_is_what_is_read_of_the_person(folder, tmp_path):
    place = folder({"ratings.csv": "time,quantity,value\n2024-05-01T08:00,stress,3\n"})
    time = MS + np.arange(9000) * 1000
    put(place, Batch(Kind.SERIES, "hr_bpm", WATCH, frame(time=time, value=60.0 + np.arange(9000) % 7)),
        Batch(Kind.INTERVAL, "steps", WATCH, frame(time=time[::60], end=time[::60] + 60_000, value=7.0)))  # fmt: skip
    export_folder(place, tmp_path / "copy", now=NOW)
    one, other = read_folder(place, now=NOW), read_folder(tmp_path / "copy", now=NOW)
    assert (one.person.timezone, one.zones, one.ratings) == (other.person.timezone, other.zones, other.ratings)
    for ours, theirs in zip(one.series, other.series, strict=True):
        assert (ours.quantity, ours.site, ours.source) == (theirs.quantity, theirs.site, theirs.source)
        np.testing.assert_array_equal(ours.time, theirs.time)
        np.testing.assert_array_equal(ours.value, theirs.value)


def test_an_export_overwrites_nothing(person, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="is there already"):
        export_folder(person, tmp_path / "there")
    with pytest.raises(InputError, match="is not a folder"):
        export_folder(tmp_path / "nobody", tmp_path / "copy")


def test_erasing_leaves_nothing_of_the_person_and_everything_that_is_not_theirs(person):
    (person / ".previous" / "1").mkdir(parents=True)
    (person / ".previous" / "1" / "episodes.csv").write_text("start\n2023-05-01T08:00\n")
    taken = what_erasing_takes(person)
    erased = erase(person)
    assert erased.files == len(taken) > 8
    assert {file.relative_to(person).as_posix() for file in erased.left} == {"photo.jpg", "e4/TEMP.csv"}
    assert {file.name for file in person.iterdir()} == {"photo.jpg", "e4"}
    remains = b"".join(file.read_bytes() for file in person.rglob("*") if file.is_file())
    assert not any(word in remains for word in (b"2024-05-01", b"2023-05-01", b"hr_bpm", b"PAR1", b"apple_health"))
    with pytest.raises(InputError, match="is not a person's folder, so nothing was erased"):
        erase(person)


def test_a_folder_that_holds_nothing_else_goes_too(folder):
    place = folder({"series/hr.csv": "time,hr_bpm\n"})
    put(place, beats(STRAP, [MS], 900.0))
    assert erase(place).left == ()
    assert not place.exists()


def test_a_folder_that_is_not_a_persons_is_not_touched(tmp_path):
    (tmp_path / "photo.jpg").write_text("x")
    with pytest.raises(InputError, match="is not a person's folder"):
        erase(tmp_path)
    assert (tmp_path / "photo.jpg").exists()


def test_nothing_is_erased_while_an_import_runs(person):
    with only_writer(person / "store" / "lock"), pytest.raises(OutputError, match="another import is writing here"):
        erase(person)
    assert (person / "episodes.csv").exists()


def test_beats_of_two_devices_of_one_kind_are_not_mixed_in_the_copy(folder, tmp_path):
    place = folder({"ratings.csv": "time,quantity,value\n2024-05-01T08:00,stress,3\n"})
    other = Device("garmin_fit", "watch", name="old", origin="ppg")
    put(
        place,
        beats(PULSE, MS + 1000 * np.arange(1, 101), 1000.0),
        beats(other, MS + 500 + 990 * np.arange(1, 90), 990.0),
    )
    export_folder(place, tmp_path / "copy", now=NOW)
    one, copy = read_folder(place, now=NOW).beats, read_folder(tmp_path / "copy", now=NOW).beats
    np.testing.assert_array_equal(one.time, copy.time)
    np.testing.assert_array_equal(one.gap, copy.gap)
    assert len(copy) == 100


def test_what_the_tables_have_no_place_for_is_told(person, tmp_path):
    doubted = frame(time=[MS + 90_000], value=[80.0], low_quality=True)
    put(person, Batch(Kind.SERIES, "hr_bpm", WATCH, doubted), exported=30)
    told = " ".join(map(str, export_folder(person, tmp_path / "copy", now=NOW).problems))
    assert "no place for stages of sleep" in told
    assert "values of hr_bpm are doubted by their own source" in told


def test_what_could_not_be_removed_is_told_and_erasing_can_be_done_again(person, monkeypatch):
    unlink, stuck = Path.unlink, person / "episodes.csv"

    def refuse(file, missing_ok=False):
        if file == stuck:
            raise PermissionError(13, "Permission denied")
        unlink(file, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match=r"episodes.csv: could not be removed \(Permission denied\). Whatever"):
        erase(person)
    assert (person / "store" / "lock").exists()
    monkeypatch.undo()
    erase(person)
    assert not stuck.exists()
    assert not (person / "store").exists()


def test_the_truth_of_a_simulated_person_is_erased_too(person):
    (person / "truth.toml").write_text("x = 1")
    assert "truth.toml" not in {file.name for file in erase(person).left}

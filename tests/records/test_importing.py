"""Exports are added to a person's folder: nothing in it is lost, nothing counted twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unaji.errors import InputError
from unaji.records.folder import read_folder
from unaji.records.importing import import_files

NOW = datetime(2025, 6, 1, tzinfo=UTC)
EDA = "1646305200.0\n4.0\n0.0\n0.41\n0.42\n"


@pytest.fixture
def eda(tmp_path):
    file = tmp_path / "EDA.csv"
    file.write_text(EDA)
    return file


def test_a_new_person_is_made(eda, tmp_path):
    brought = import_files([eda], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert [len(s) for s in brought.series] == [2]
    again = read_folder(tmp_path / "ken", now=NOW)
    assert (again.person.id, again.person.timezone, again.problems) == ("ken", "Asia/Tokyo", ())
    assert again.of("scl_microsiemens", "wrist").value.tolist() == [0.41, 0.42]


def test_what_was_there_stays_and_the_same_file_twice_counts_once(eda, folder):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "notes.txt": "mine"})
    for _ in range(2):
        brought = import_files([eda], place, now=NOW)
        assert len(brought.series[0]) == 2
        assert brought.episodes == ()
    again = read_folder(place, now=NOW)
    assert len(again.episodes) == 1
    assert len(again.series[0]) == 2
    assert (place / "notes.txt").read_text() == "mine"


def test_what_cannot_be_done_is_said_before_anything_is_written(eda, tmp_path):
    strange = tmp_path / "photo.jpg"
    strange.write_bytes(b"\xff\xd8")
    place = tmp_path / "ken"
    with pytest.raises(InputError, match="pass --timezone Asia/Tokyo"):
        import_files([eda], place, now=NOW)
    with pytest.raises(InputError, match="there is no such file"):
        import_files([tmp_path / "nothing.csv"], place, timezone="Asia/Tokyo", now=NOW)
    with pytest.raises(InputError, match=r"nothing in it could be used \(photo\.jpg: .*unaji reads Empatica E4, "):
        import_files([strange], place, timezone="Asia/Tokyo", now=NOW)
    assert not place.exists()

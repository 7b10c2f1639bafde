"""Exports are added to a person's folder: nothing in it is lost, nothing counted twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from unaji.errors import InputError, OutputError
from unaji.records.batch import Batch, Device, Kind, frame
from unaji.records.detect import Importer
from unaji.records.folder import read_folder
from unaji.records.importing import import_files, undo_import
from unaji.records.store import disk
from unaji.records.store.writing import writing

NOW = datetime(2025, 6, 1, tzinfo=UTC)
EDA = "1646305200.0\n4.0\n0.0\n0.41\n0.42\n"


@pytest.fixture
def eda(tmp_path):
    file = tmp_path / "EDA.csv"
    file.write_text(EDA)
    return file


def test_a_new_person_is_made(eda, tmp_path):
    (brought,) = import_files([eda], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert (brought.importers, brought.batch, brought.rows) == (("Empatica E4",), 1, {"scl_microsiemens": 2})
    assert (brought.first, brought.last) == (
        datetime(2022, 3, 3, 11, 0, 0, 250_000, tzinfo=UTC), datetime(2022, 3, 3, 11, 0, 0, 500_000, tzinfo=UTC),
    )  # fmt: skip
    again = read_folder(tmp_path / "ken", now=NOW)
    assert (again.person.id, again.person.timezone, again.problems) == ("ken", "Asia/Tokyo", ())
    assert again.of("scl_microsiemens", "wrist").value.tolist() == [0.41, 0.42]


def test_what_was_there_stays_and_the_same_file_twice_counts_once(eda, folder):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "notes.txt": "mine"})
    (first,), (second,) = (import_files([eda], place, now=NOW) for _ in range(2))
    assert first.rows == {"scl_microsiemens": 2}
    assert (second.rows, second.batch) == ({}, None)
    assert [(p.count, p.rule) for p in second.rejected] == [(2, second.rejected[0].rule)]
    assert "imported before (import 1); it brings nothing new" in second.rejected[0].rule
    again = read_folder(place, now=NOW)
    assert len(again.episodes) == 1
    assert len(again.series[0]) == 2
    assert (place / "notes.txt").read_text() == "mine"


def test_rows_that_another_file_brought_are_counted_and_not_stored_again(eda, folder):
    place = folder({})
    import_files([eda], place, now=NOW)
    eda.write_text(EDA + "0.43\n")
    (brought,) = import_files([eda], place, now=NOW)
    assert (brought.batch, brought.rows) == (2, {"scl_microsiemens": 1})
    (known,) = brought.rejected
    assert (known.count, known.value, known.lost) == (2, "scl_microsiemens", False)
    assert read_folder(place, now=NOW).of("scl_microsiemens").value.tolist() == [0.41, 0.42, 0.43]


def test_each_file_is_an_import_and_one_that_nobody_can_read_does_not_stop_the_others(eda, tmp_path):
    strange = tmp_path / "photo.jpg"
    strange.write_bytes(b"\xff\xd8")
    empty = tmp_path / "EDA-empty.csv"
    empty.write_text("1646305200.0\n4.0\n")
    gone = tmp_path / "nothing.csv"
    done = import_files([strange, gone, empty, eda], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert [one.batch for one in done] == [None, None, None, 1]
    assert done[0].refused.startswith("nothing in it could be used; unaji reads Empatica E4, ")
    assert "photo.jpg: the file is not one that unaji reads" in done[0].refused
    assert done[1].refused == "there is no such file or folder"
    assert done[2].refused == "no row of it could be used"


def test_what_cannot_be_done_leaves_nothing(eda, tmp_path):
    strange = tmp_path / "photo.jpg"
    strange.write_bytes(b"\xff\xd8")
    place = tmp_path / "ken"
    with pytest.raises(InputError, match="pass --timezone Asia/Tokyo"):
        import_files([eda], place, now=NOW)
    assert import_files([strange], place, timezone="Asia/Tokyo", now=NOW)[0].refused
    assert not place.exists()
    place.mkdir()
    assert import_files([strange], place, timezone="Asia/Tokyo", now=NOW)[0].refused
    assert list(place.iterdir()) == []


def test_an_import_undone_is_gone_and_can_be_made_again(eda, folder):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n"})
    with pytest.raises(InputError, match="nothing was imported here"):
        undo_import(1, place)
    import_files([eda], place, now=NOW)
    assert undo_import(1, place).rows == {"scl_microsiemens": 2}
    assert read_folder(place, now=NOW).series == ()
    assert import_files([eda], place, now=NOW)[0].batch == 2
    with pytest.raises(InputError, match="there is no import 1 to undo; there are: 2"):
        undo_import(1, place)


def test_a_file_read_anew_in_other_zones_takes_the_place_of_what_it_brought(folder, tmp_path):
    (tmp_path / "nape.csv").write_text(
        "1-Wire/iButton Part Number: DS1925\n\nDate/Time,Unit,Value\n3/14/21 3:38:14 PM,C,33.5\n"
    )
    place = folder({})
    import_files([tmp_path / "nape.csv"], place, now=NOW)
    (place / "person.toml").write_text('timezone = "Europe/Paris"\n')
    (brought,) = import_files([tmp_path / "nape.csv"], place, now=NOW)
    assert brought.rows == {"neck_skin_temp_c": 1}
    (series,) = read_folder(place, now=NOW).series
    assert series.time.tolist() == [datetime(2021, 3, 14, 14, 38, 14)]


def test_where_much_cannot_be_used_the_person_is_asked(tmp_path, folder):
    file = tmp_path / "TEMP.csv"
    file.write_text("1646305200.0\n4.0\n33.0\n33.1\n99.0\n")
    place = folder({})
    asked = []

    def no(question):
        asked.append(question)
        return False

    (refused,) = import_files([file], place, now=NOW, ask=no)
    assert asked == [f"{file}: 1 of 3 rows cannot be used. Store the others?"]
    assert (refused.batch, refused.refused.partition(",")[0]) == (None, "too many of its rows could not be used")
    (stored,) = import_files([file], place, now=NOW, ask=lambda question: True)
    assert stored.rows == {"skin_temp_c": 2}


# -- what was there ----------------------------------------------------------------------------------------------------

PERSON = '# my own words\nid = "hana"\ntimezone = "Asia/Tokyo"  # home\nmood = "fine"\n'
SPOILT = "start,intensity,mood\n09/04/2025 14:00,6,low\n2024-05-01 08:00,5,high\n"
ZONES = "from,zone\n2024-05-03T09:00,Europe/Paris\nnever,Mars/Base\n"
TAGS = "1646305300.0\n"
JMA = (
    "ダウンロードした時刻：2024/06/01 10:00:00\n\n,東京,東京,東京\n年月日,平均気温(℃),平均気温(℃),平均気温(℃)\n"
    ",,品質情報,均質番号\n2024/5/1,15.5,8,1\n2024/5/2,16.5,8,1\n"
).encode("cp932")


@pytest.fixture
def session(tmp_path):
    """Make an E4 session with one button press."""
    place = tmp_path / "session"
    place.mkdir()
    (place / "EDA.csv").write_text(EDA)
    (place / "tags.csv").write_text(TAGS)
    (place / "IBI.csv").write_text("1646305200.0, IBI\n1.0,0.75\n1.75,0.75\n")
    return place


def files_of(place: Path) -> dict[str, bytes]:
    return {f.relative_to(place).as_posix(): f.read_bytes() for f in sorted(place.rglob("*")) if f.is_file()}


def test_all_that_stands_in_the_folder_keeps_every_byte(session, folder):
    mine = {"person.toml": PERSON, "episodes.csv": SPOILT, "zones.csv": ZONES, "ratings.csv": "when,what\n1,2\n",
            "exposures.csv": "start,kind,mood\n2024-05-01T08:00,phone,low\n", "beats.csv": "time,rri_ms\nx,eight\n",
            "series/hr.csv": "time,hr_bpm,mood\n2024-05-01T08:00,60,low\nx,y,z\n"}  # fmt: skip
    place = folder(mine)
    import_files([session], place, now=NOW)
    after = files_of(place)
    assert {name: after[name].decode() for name in mine} == mine
    assert {name.partition("/")[0] for name in set(after) - set(mine)} == {"store"}
    import_files([session], place, now=NOW)
    assert files_of(place) == after
    read = read_folder(place, now=NOW)
    assert [e.kind for e in read.exposures] == ["event_mark", "phone"]
    assert len(read.beats) == 2


def test_rows_of_the_folders_own_tables_are_not_counted_twice(eda, folder):
    rows = "2022-03-03T11:00:00.25Z,wrist,e4,0.41\n2022-03-03T11:00:00.5Z,wrist,e4,0.42\n"
    place = folder({"series/mine.csv": f"time,site,source,scl_microsiemens\n{rows}"})
    import_files([eda], place, now=NOW)
    assert read_folder(place, now=NOW).of("scl_microsiemens").value.tolist() == [0.41, 0.42]


def test_beats_of_a_better_origin_in_the_folder_hold(session, folder):
    place = folder({"beats.csv": "time,rri_ms,origin\n2022-03-03T20:00:05,800,strap\n2022-03-03T20:00:06,810,strap\n"})
    import_files([session], place, now=NOW)
    beats = read_folder(place, now=NOW).beats
    assert (beats.origin, beats.rri_ms.tolist()) == ("strap", [800, 810])


def test_daily_weather_twice_changes_nothing(folder, tmp_path):
    (tmp_path / "data.csv").write_bytes(JMA)
    place = folder({"episodes.csv": SPOILT})
    import_files([tmp_path / "data.csv"], place, now=NOW)
    before = files_of(place)
    import_files([tmp_path / "data.csv"], place, now=NOW)
    assert files_of(place) == before
    assert read_folder(place, now=NOW).of("air_temp_c").value.tolist() == [15.5, 16.5]


def test_a_failed_import_leaves_everything_as_it_was(session, folder, monkeypatch):
    place = folder({"exposures.csv": "start,kind\n2024-05-01T08:00,phone\n"})
    before = files_of(place)

    def full(call):
        if call.startswith("write out-1"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "before", full)
    with pytest.raises(OutputError, match="No space left on device"):
        import_files([session], place, now=NOW)
    assert files_of(place) == before


def test_a_row_of_no_time_or_an_impossible_one_is_left_out_whatever_importer_gives_it(monkeypatch, tmp_path):
    def read(files, clock, log):
        time = np.array([None, -1, 10**13, 1646305200000, 1646305201000], dtype=object)
        rows = frame(
            time=pl.Series(time.tolist(), dtype=pl.Int64), end=[None, None, None, 1646305100000, None], value=60.0
        )
        yield Batch(Kind.INTERVAL, "hr_bpm", Device("fitbit"), rows)

    monkeypatch.setattr("unaji.records.detect.IMPORTERS", (Importer("X", lambda head: True, read),))
    (tmp_path / "x").write_text("x")
    (brought,) = import_files([tmp_path / "x"], tmp_path / "ken", timezone="UTC", now=NOW)
    assert brought.rows == {"hr_bpm": 1}
    assert [(p.count, p.rule.partition(":")[0]) for p in brought.rejected] == [
        (1, "the row has no time that can be read"), (1, "lies before 1990"), (1, "lies in the future"),
        (1, "the end lies before the start"),
    ]  # fmt: skip


def test_what_came_before_a_file_breaks_off_is_kept_and_the_reason_told(monkeypatch, tmp_path):
    def read(files, clock, log):
        yield Batch(Kind.SERIES, "hr_bpm", Device("fitbit"), frame(time=[1646305201000], value=60.0))
        raise InputError("x: the header has no end")

    monkeypatch.setattr("unaji.records.detect.IMPORTERS", (Importer("X", lambda head: True, read),))
    (tmp_path / "x").write_text("x")
    (brought,) = import_files([tmp_path / "x"], tmp_path / "ken", timezone="UTC", now=NOW)
    assert (brought.rows, [p.rule for p in brought.rejected]) == ({"hr_bpm": 1}, ["the header has no end"])


def test_of_two_exports_the_later_made_one_holds(monkeypatch, tmp_path):
    def read(files, clock, log):
        value = float(files[0].load().split()[-1])
        yield Batch(Kind.SERIES, "hr_bpm", Device("x", "watch"), frame(time=[1646305201000], value=value))

    monkeypatch.setattr("unaji.records.detect.IMPORTERS", (Importer("X", lambda head: True, read),))
    for name, made, value in (("new", "2024-05-02", 61), ("old", "2024-05-01", 60)):
        (tmp_path / name).write_text(f'<ExportDate value="{made} 08:00:00 +0900"/> {value}')
    import_files([tmp_path / "new", tmp_path / "old"], tmp_path / "ken", timezone="UTC", now=NOW)
    assert read_folder(tmp_path / "ken", now=NOW).of("hr_bpm").value.tolist() == [61]


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_persons_folder_needs_no_import(folder, tmp_path):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "series/hr.csv": "time,hr_bpm\n"})
    (brought,) = import_files([place], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert "this already is a person's folder (person.toml, episodes.csv, series/hr" in brought.refused
    assert "not one that unaji reads" not in brought.refused


def test_an_export_in_a_persons_folder_is_still_imported_but_not_its_store(eda, folder, tmp_path):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "e4/EDA.csv": EDA})
    import_files([eda], place, now=NOW)
    (brought,) = import_files([place], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert brought.rows == {"scl_microsiemens": 2}
    (remark,) = brought.problems
    assert (remark.rejected, "already is a person's folder" in remark.rule) == (False, True)


def test_a_folder_called_store_that_is_none_is_read_as_any_other(folder):
    place = folder({"store/EDA.csv": EDA})
    assert len(read_folder(place, now=NOW).of("scl_microsiemens")) == 2


def test_an_empty_folder_holds_no_file(tmp_path):
    (tmp_path / "empty").mkdir()
    (brought,) = import_files([tmp_path / "empty"], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert brought.refused.startswith("nothing in it could be used")


def test_a_folder_without_person_gets_one_and_one_without_zone_is_told(eda, folder):
    place = folder({"person.toml": None, "notes.txt": "mine"})
    import_files([eda], place, timezone="Asia/Tokyo", now=NOW)
    assert read_folder(place, now=NOW).person.timezone == "Asia/Tokyo"
    (place / "person.toml").write_text('id = "hana"  # mine\n')
    eda.write_text(EDA + "0.43\n")
    (brought,) = import_files([eda], place, timezone="Asia/Tokyo", now=NOW)
    assert (place / "person.toml").read_text() == 'id = "hana"  # mine\n'
    assert 'add the line timezone = "Asia/Tokyo"' in str(brought.problems[0])


def test_an_import_that_is_refused_leaves_the_running_one_its_lock(eda, tmp_path):
    person = tmp_path / "person"
    with writing(person):
        with pytest.raises(OutputError, match="another import is writing here"):
            import_files([eda], person, timezone="Asia/Tokyo")
        assert (person / "store" / "lock").is_file()


def test_an_old_file_that_is_read_anew_does_not_overrule_a_later_one(tmp_path, monkeypatch):
    """Of a file that does not say when it was made, the first import counts, also after unaji has changed."""
    reader = Importer("X", lambda head: True, _value_of_name)
    monkeypatch.setattr("unaji.records.detect.IMPORTERS", (reader,))
    for name in ("60", "65"):
        (tmp_path / name).write_text(name)
    person = tmp_path / "person"
    for day, name in ((1, "60"), (2, "65")):
        import_files([tmp_path / name], person, timezone="UTC", now=datetime(2025, 6, day, tzinfo=UTC))
    monkeypatch.setattr("unaji.records.importing.__version__", "later")
    import_files([tmp_path / "60"], person, timezone="UTC", now=datetime(2025, 6, 3, tzinfo=UTC))
    assert read_folder(person).of("hr_bpm").value.tolist() == [65.0]


def _value_of_name(files, clock, log):
    value = float(files[0].base_name)
    yield Batch(Kind.SERIES, "hr_bpm", Device("x", "watch"), frame(time=[1_714_521_600_000], value=[value]))


def test_a_folder_with_a_file_that_may_not_be_read_is_told_and_the_others_are_imported(eda, tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "EDA.csv").write_bytes(eda.read_bytes())
    monkeypatch.setattr("unaji.records.importing._sha256", _refuse_of("closed"))
    done = import_files([closed, eda], tmp_path / "person", timezone="Asia/Tokyo")
    assert "cannot be read (Permission denied)" in done[0].refused
    assert done[1].batch == 1


def _refuse_of(name):
    def sha256(path):
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return path.name

    return sha256


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_store_is_told_with_its_file(eda, tmp_path, damage):
    import_files([eda], tmp_path / "person", timezone="Asia/Tokyo")
    rows = next((tmp_path / "person" / "store").rglob("*.parquet"))
    if damage == "gone":
        rows.unlink()
    else:
        rows.write_bytes(rows.read_bytes()[:50])
    with pytest.raises(InputError, match=f"{rows.name}: cannot be read, so the store is damaged"):
        read_folder(tmp_path / "person")

"""Exports are added to a person's folder: nothing in it is lost, nothing counted twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from unaji.errors import InputError, OutputError
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


def test_files_for_which_nothing_is_brought_keep_every_byte(session, folder):
    mine = {"person.toml": PERSON, "episodes.csv": SPOILT, "zones.csv": ZONES, "ratings.csv": "when,what\n1,2\n",
            "series/hr.csv": "time,hr_bpm,mood\n2024-05-01T08:00,60,low\nx,y,z\n"}  # fmt: skip
    place = folder(mine)
    import_files([session], place, now=NOW)
    after = files_of(place)
    assert {name: after[name].decode() for name in mine} == mine
    assert set(after) - set(mine) == {"beats.csv", "exposures.csv", "series/scl_microsiemens-wrist-e4.csv"}
    import_files([session], place, now=NOW)
    assert files_of(place) == after


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("start,kind\n2024-05-01T08:00,phone\n09/04/2025 14:00,phone\n", r"line 3: found '09/04/2025 14:00'"),
        ("start,kind,mood\n2024-05-01T08:00,phone,low\n", r"line 1: found 'mood': the column is not known"),
        ("start,kind,amount\n2024-05-01T08:00,caffeine,two\n", r"line 2: found 'two': amount must be"),
        ("start,end,kind\n2024-05-01T08:00,late,phone\n", r"line 2: found 'late': the end is not a time"),
        ("start,kind\n2024-05-01T08:00,phone\n# a comment,,\n", r"exposures\.csv"),
        (PERSON.encode("utf-16"), r"the text is UTF-16"),
    ],
)
def test_a_table_that_writing_anew_would_rob_is_refused_and_nothing_changed(session, folder, spoilt, said):
    place = folder({"person.toml": PERSON, "exposures.csv": spoilt})
    before = files_of(place)
    with pytest.raises(InputError, match=rf"exposures\.csv: the import brings rows .*{said}.*nothing was changed"):
        import_files([session], place, now=NOW)
    assert files_of(place) == before


def test_beats_that_cannot_be_read_are_not_written_over_either(session, folder):
    place = folder({"beats.csv": "time,rri_ms\n2024-05-01T08:00:01,800\n2024-05-01T08:00:02,eight\n"})
    before = files_of(place)
    with pytest.raises(InputError, match=r"beats\.csv: .*line 3: found 'eight'"):
        import_files([session], place, now=NOW)
    assert files_of(place) == before


def test_repeats_empty_columns_and_unknown_kinds_are_no_reason_to_refuse(session, folder):
    rows = "2024-05-01T08:00,new_pillow,\n" * 2
    place = folder({"exposures.csv": f"start,kind,\n{rows}"})
    import_files([session], place, now=NOW)
    assert [e.kind for e in read_folder(place, now=NOW).exposures] == ["event_mark", "new_pillow"]
    assert (place / ".previous" / "1" / "exposures.csv").read_text() == f"start,kind,\n{rows}"


def test_each_import_that_changes_a_file_keeps_its_former_version(eda, folder, tmp_path):
    place = folder({})
    (tmp_path / "tags.csv").write_text(TAGS)
    own = place / "series" / "scl_microsiemens-wrist-e4.csv"
    versions = []
    for start in (1646305200, 1646405200, 1646505200):
        eda.write_text(EDA.replace("1646305200", str(start)))
        for _ in range(2):  # the second one brings nothing new
            import_files([eda], place, now=NOW)
        versions.append(own.read_bytes())
    assert files_of(place / ".previous") == {f"{n}/series/{own.name}": versions[n - 1] for n in (1, 2)}
    assert len(read_folder(place, now=NOW).of("scl_microsiemens")) == 6


def test_new_rows_of_a_series_go_beside_a_file_that_holds_more(eda, folder):
    own = "series/scl_microsiemens-wrist-e4.csv"
    mine = "time,site,source,scl_microsiemens,hr_bpm\n2022-03-03T11:00:00Z,wrist,e4,0.41,60\n"
    place = folder({own: mine})
    import_files([eda], place, now=NOW)
    assert (place / own).read_text() == mine
    assert not (place / ".previous").exists()
    assert read_folder(place, now=NOW).of("scl_microsiemens").value.tolist() == [0.41, 0.41, 0.42]
    assert (place / "series" / "scl_microsiemens-wrist-e4-2.csv").exists()


def test_rows_known_from_any_file_are_not_written_again(eda, folder):
    rows = "2022-03-03T11:00:00.25Z,wrist,e4,0.41\n2022-03-03T11:00:00.5Z,wrist,e4,0.42\n"
    place = folder({"series/mine.csv": f"time,site,source,scl_microsiemens\n{rows}"})
    before = files_of(place)
    import_files([eda], place, now=NOW)
    assert files_of(place) == before


def test_beats_of_every_origin_stay_in_the_file(session, folder):
    place = folder({"beats.csv": "time,rri_ms,origin\n2022-03-03T20:00:05,800,strap\n2022-03-03T20:00:06,810,strap\n"})
    for _ in range(2):
        import_files([session], place, now=NOW)
    assert (place / "beats.csv").read_text().count("strap") == 2
    assert (place / "beats.csv").read_text().count("ppg") == 2
    beats = read_folder(place, now=NOW).beats
    assert (beats.origin, beats.rri_ms.tolist()) == ("strap", [800, 810])
    assert [old.name for old in (place / ".previous").iterdir()] == ["1"]


def test_daily_weather_twice_changes_nothing(folder, tmp_path):
    (tmp_path / "data.csv").write_bytes(JMA)
    place = folder({"episodes.csv": SPOILT})
    import_files([tmp_path / "data.csv"], place, now=NOW)
    before = files_of(place)
    import_files([tmp_path / "data.csv"], place, now=NOW)
    assert files_of(place) == before
    assert read_folder(place, now=NOW).of("air_temp_c").value.tolist() == [15.5, 16.5]


def test_many_rows_pass_from_csv_to_parquet_and_the_csv_is_put_away(eda, folder):
    place = folder({})
    import_files([eda], place, now=NOW)
    values = np.linspace(0.5, 0.9, 6000)
    eda.write_text("1646405200.0\n4.0\n" + "".join(f"{v:.4f}\n" for v in values))
    import_files([eda], place, now=NOW)
    assert [f.suffix for f in (place / "series").iterdir()] == [".parquet"]
    assert (
        len(read_folder(place, now=NOW).of("scl_microsiemens")) == 2 + 5999
    )  # the first sample of a session is no value


def test_a_failed_import_leaves_everything_as_it_was(session, folder, monkeypatch):
    place = folder({"exposures.csv": "start,kind\n2024-05-01T08:00,phone\n"})
    before = files_of(place)
    replace = Path.replace

    def full_disk(self, target):
        if "beats" in target.name:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        import_files([session], place, now=NOW)
    assert files_of(place) == before


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_persons_folder_needs_no_import(folder, tmp_path):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "series/hr.csv": "time,hr_bpm\n"})
    with pytest.raises(
        InputError, match=r"this already is a person's folder \(person\.toml, episodes\.csv, series/hr"
    ) as e:
        import_files([place], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert "not one that unaji reads" not in str(e.value)


def test_an_export_in_a_persons_folder_is_still_imported(folder, tmp_path):
    place = folder({"episodes.csv": "start\n2024-05-01T08:00\n", "e4/EDA.csv": EDA})
    brought = import_files([place], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)
    assert len(brought.series[0]) == 2
    (remark,) = brought.problems
    assert (remark.rejected, "already is a person's folder" in remark.rule) == (False, True)


def test_an_empty_folder_holds_no_file(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"nothing in it could be used \(it holds no file\)"):
        import_files([tmp_path / "empty"], tmp_path / "ken", timezone="Asia/Tokyo", now=NOW)


def test_a_folder_without_person_gets_one_and_one_without_zone_is_told(eda, folder):
    place = folder({"person.toml": None, "notes.txt": "mine"})
    import_files([eda], place, timezone="Asia/Tokyo", now=NOW)
    assert read_folder(place, now=NOW).person.timezone == "Asia/Tokyo"
    (place / "person.toml").write_text('id = "hana"  # mine\n')
    brought = import_files([eda], place, timezone="Asia/Tokyo", now=NOW)
    assert (place / "person.toml").read_text() == 'id = "hana"  # mine\n'
    assert 'add the line timezone = "Asia/Tokyo"' in str(brought.problems[0])

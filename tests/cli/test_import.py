"""`unaji import` says what became of every file, to people and to programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from unaji.cli import unaji
from unaji.errors import ExitCode, InputError, UsageError

EDA = "1646305200.0\n4.0\n0.0\n0.41\n0.42\n900.0\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EDA.csv").write_text(EDA)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(unaji, ["import", *arguments])


def test_what_became_of_each_file_as_json(place):
    done = run("photo.jpg", "EDA.csv", "--into", "me", "--timezone", "Asia/Tokyo", "--json")
    assert isinstance(done.exception, InputError)
    assert done.exception.exit_code == ExitCode.INPUT
    said = json.loads(done.stdout)
    assert list(said) == ["files"]
    photo, eda = said["files"]
    assert list(photo) == list(eda) == ["file", "source", "rows", "rejected", "from", "to"]
    assert (photo["file"], photo["source"], photo["rows"], photo["from"]) == ("photo.jpg", None, {}, None)
    assert photo["rejected"][0]["reason"].startswith("nothing in it could be used")
    assert eda == {
        "file": "EDA.csv", "source": "Empatica E4", "rows": {"scl_microsiemens": 2},
        "rejected": [{"reason": "scl_microsiemens lies outside 0 to 100 µS", "count": 1, "first": "line 6: 900.0"}],
        "from": "2022-03-03T20:00:00.250+09:00", "to": "2022-03-03T20:00:00.500+09:00",
    }  # fmt: skip
    again = json.loads(run("EDA.csv", "--into", "me", "--json").stdout)["files"][0]
    assert (again["rows"], again["rejected"][0]["count"]) == ({}, 2)


def test_people_are_told_in_words_and_can_take_an_import_back(place):
    done = run("EDA.csv", "--into", "me", "--timezone", "Asia/Tokyo")
    assert done.exit_code == 0
    assert done.stdout == "EDA.csv (Empatica E4): import 1\n  scl_microsiemens: 2\n"
    assert "EDA.csv 6行目 '900.0': 皮膚の電気の通りやすさ" in done.stderr
    assert "が、ありうる範囲の外です(0〜100 µS" in done.stderr
    english = run("EDA.csv", "--into", "you", "--timezone", "Asia/Tokyo", "--lang", "en").stderr
    assert "line 6: found '900.0': scl_microsiemens lies outside 0 to 100" in english
    assert run("EDA.csv", "--into", "me").stdout == "EDA.csv (Empatica E4): nothing new\n"
    assert run("--undo", "1", "--into", "me").stdout == "import 1 undone: 2 rows\n"
    assert isinstance(run("--undo", "1", "--into", "me").exception, InputError)
    assert run("EDA.csv", "--into", "me").stdout.startswith("EDA.csv (Empatica E4): import 2\n")
    assert json.loads(run("--undo", "2", "--into", "me", "--json").stdout) == {"undone": 2, "rows": 2, "restored": None}


def test_undoing_a_second_reading_says_whether_the_first_is_back(place):
    run("EDA.csv", "--into", "me", "--timezone", "Asia/Tokyo")
    person = place / "me" / "person.toml"
    person.write_text(person.read_text().replace("Asia/Tokyo", "Europe/Paris"))
    assert run("EDA.csv", "--into", "me").stdout.startswith("EDA.csv (Empatica E4): import 2\n")
    assert run("--undo", "2", "--into", "me").stdout == "import 2 undone: 2 rows; import 1 is back\n"
    run("EDA.csv", "--into", "me")
    (place / "other").mkdir()
    (place / "other" / "EDA.csv").write_text(EDA.replace("1646305200", "1646405200"))
    run("other/EDA.csv", "--into", "me")
    done = run("--undo", "3", "--into", "me", "--json")
    assert json.loads(done.stdout) == {"undone": 3, "rows": 2, "restored": None}
    assert "it had taken the place of import 1, which does not return" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("EDA.csv", "--undo", "1")])
def test_files_and_undoing_do_not_go_together(place, arguments):
    done = run(*arguments, "--into", "me")
    assert isinstance(done.exception, UsageError)
    assert "name the files to import, or with --undo" in str(done.exception)


def test_export_and_erase_are_one_call_each(place):
    run("EDA.csv", "--into", "me", "--timezone", "Asia/Tokyo")
    written = CliRunner().invoke(unaji, ["export", "me", "--to", "copy"])
    assert written.stdout.splitlines() == ["person.toml", "series/scl_microsiemens-wrist-e4.csv"]
    stopped = CliRunner().invoke(unaji, ["erase", "me"], input="n\n")
    assert stopped.exit_code != 0
    assert (place / "me" / "person.toml").exists()
    assert CliRunner().invoke(unaji, ["erase", "me", "--yes"]).stdout == "5 files removed\n"
    assert not (place / "me").exists()

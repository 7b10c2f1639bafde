"""`unaji import --map`: a table of one's own, proposed, asked about, imported, and known the next time."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.records.mapping.workbooks import Dated, xlsx
from unaji.cli import import_, unaji
from unaji.errors import InputError
from unaji.records.exporting import what_erasing_takes
from unaji.records.folder import read_folder

TABLE = "測定日,時刻,体温(℃),コーヒー\n2024/5/1,8:30,36.4,1\n2024/5/2,8:31,36.5,0\n2024/5/3,9:00,37.1,2\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.csv").write_text(TABLE)
    return tmp_path


def run(*arguments: str, answers: str = ""):
    return CliRunner().invoke(unaji, ["import", *arguments, "--timezone", "Asia/Tokyo"], input=answers)


def test_without_a_terminal_a_proposal_is_written_and_nothing_imported(place):
    done = run("my.csv", "--into", "me", "--map")
    assert isinstance(done.exception, InputError)
    assert "まだ何も取り込んでいません" in str(done.exception)
    assert sorted(file.name for file in place.iterdir()) == ["my.csv", "my.map.toml"]
    assert 'quantity = "body_temp_c"' in (place / "my.map.toml").read_text()
    again = run("my.csv", "--into", "me", "--map")
    assert "my.map.toml is there already" in str(again.exception)


def test_a_proposal_that_knows_no_column_has_them_all_as_comments(place):
    (place / "odd.csv").write_text('date,"a ""b""",c\n2024-05-01,36.4,1\n2024-05-02,36.5,0\n')
    assert "as comments (#)" in str(run("odd.csv", "--into", "me", "--map").exception)
    left = run("odd.csv", "--into", "me", "--map", "odd.map.toml").exception
    assert "column is missing; it must be a table [[column]]" in str(left)
    text = (place / "odd.map.toml").read_text()
    lines = [line.removeprefix("# ") if '= "' in line or "[[" in line else line for line in text.splitlines()]
    filled = "\n".join(lines).replace('"..."', '"body_temp_c"', 1).replace('"..."', '"steps"', 1)
    (place / "odd.map.toml").write_text(filled)
    done = run("odd.csv", "--into", "me", "--map", "odd.map.toml")
    assert done.stdout == "odd.csv (table): import 1\n  body_temp_c: 2\n  steps: 2\n"


def test_a_table_of_the_same_shape_is_read_without_asking(place):
    run("my.csv", "--into", "me", "--map")
    done = run("my.csv", "--into", "me", "--map", "my.map.toml")
    assert done.stdout == "my.csv (table): import 1\n  body_temp_c: 3\n  caffeine: 2\n"
    (place / "my.map.toml").unlink()
    (place / "next").mkdir()
    (place / "next" / "b.csv").write_text("コーヒー,測定日,時刻,体温(℃)\n1,2024/5/3,9:00,37.1\n1,2024/6/1,8:30,36.4\n")
    done = run("next/b.csv", "--into", "me")
    assert done.stdout == "next/b.csv (table): import 2\n  body_temp_c: 1\n  caffeine: 2\n"
    assert run("next/b.csv", "--into", "me").stdout == "next/b.csv (table): nothing new\n"
    timeline = read_folder(place / "me")
    assert timeline.problems == ()
    assert timeline.of("body_temp_c").value.tolist() == [36.4, 36.5, 37.1, 36.4]
    assert place / "me" / "maps" / "my.map.toml" in what_erasing_takes(place / "me")
    other = run("next/b.csv", "my.csv", "--into", "you")
    assert "next/b.csv: 使えるものがありませんでした。" in str(other.exception)
    other = run("next/b.csv", "my.csv", "--into", "you", "--lang", "en")
    assert "any table with --map" in str(other.exception)


def test_a_thermometers_file_is_read_next_month_by_the_mapping_of_this_one(place):
    (place / "may.csv").write_text("date,temp\n03/05/2024,36.4\n04/05/2024,36.5\n")  # which is 3 May, nothing decides
    assert "03/05/2024)。時刻の書き方を決めるため、" in str(run("may.csv", "--into", "me").exception)
    assert "nothing in the file decides" in str(run("may.csv", "--into", "me", "--lang", "en").exception)
    run("may.csv", "--into", "me", "--map")
    run("may.csv", "--into", "me", "--map", "may.map.toml")
    (place / "may.map.toml").unlink()
    (place / "june.csv").write_text("date,temp\n04/05/2024,36.5\n05/06/2024,36.6\n")
    assert run("june.csv", "--into", "me").stdout == "june.csv (table): import 2\n  body_temp_c: 1\n"
    (place / "june.csv").write_text("date,temp\n14/05/2024,36.5\n05/06/2024,36.6\n")
    assert run("june.csv", "--into", "you").stdout == "june.csv (body thermometer): import 1\n  body_temp_c: 2\n"


def test_a_changed_mapping_takes_the_place_of_what_it_brought(place):
    run("my.csv", "--into", "me", "--map")
    run("my.csv", "--into", "me", "--map", "my.map.toml")
    text = (place / "my.map.toml").read_text()
    (place / "my.map.toml").write_text(text.replace("body_temp_c", "core_temp_c"))
    run("my.csv", "--into", "me", "--map", "my.map.toml")
    timeline = read_folder(place / "me")
    assert {series.quantity for series in timeline.series} == {"core_temp_c"}
    assert len(timeline.exposures) == 2


def test_on_a_terminal_it_asks_shows_and_imports(place, monkeypatch):
    monkeypatch.setattr(import_, "_may_ask", lambda: True)
    done = run("my.csv", "--into", "me", "--lang", "en", "--map", answers="\n" * 9)
    assert done.exception is None, done.output
    assert "  2024-05-01T08:30:00+09:00  36.4 °C" in done.stderr
    assert "Import it so?" in done.stderr
    assert "my.csv (table): import 1" in done.stdout
    assert (place / "my.map.toml").exists()
    (place / "my.map.toml").unlink()
    refused = run("my.csv", "--into", "you", "--map", answers="\n" * 8 + "n\n")
    assert refused.exit_code != 0
    assert not (place / "my.map.toml").exists()


def test_workbooks_are_read_with_a_mapping_and_not_looked_into_as_archives(place):
    rows = [["日時", "体温"], [Dated(45413.5), 36.5], [Dated(45414.5), 36.6]]
    (place / "book.xlsx").write_bytes(xlsx({"記録": rows}))
    refused = run("book.xlsx", "--into", "me", "--lang", "en")
    assert "a workbook is read with --map" in str(refused.exception)
    run("book.xlsx", "--into", "me", "--map")
    assert run("book.xlsx", "--into", "me").stdout == "book.xlsx (table): import 1\n  body_temp_c: 2\n"


def test_a_broken_mapping_is_told_with_key_and_rule(place):
    (place / "my.map.toml").write_text('[table]\nheader = ["a"]\n')
    assert "is missing; it must be a table [time]" in str(
        run("my.csv", "--into", "me", "--map", "my.map.toml").exception
    )
    assert "読み方(mapping)を使いませんでした。" in str(run("my.csv", "--into", "me").exception)
    assert "cannot be read" in str(run("my.csv", "--into", "me", "--map", "no.toml").exception)
    (place / "dir").mkdir()
    assert "is no file" in str(run("dir", "--into", "me", "--map").exception)

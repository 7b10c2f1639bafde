"""The command line as a person meets it: examples that work when pasted, clean stdout, no tracebacks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from unaji.cli import VERBS, main, unaji
from unaji.errors import ExitCode, OutputError
from unaji.report.written import PAGE, check_folder, check_place

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Done:
    returncode: object
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Done]:
    """Run a command line in this process, from the arguments to the exit code; processes of their own are below."""

    def run(*arguments: str, cwd: Path | None = None) -> Done:
        code: object = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["unaji", *arguments])
            patch.chdir(cwd or Path.cwd())
            try:
                main()
            except SystemExit as stop:
                code = stop.code
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def someone(tmp_path) -> Path:
    """The example person's diary, three episodes long and without the measurements: explained in a few seconds."""
    person = tmp_path / "someone"
    person.mkdir()
    for name in ("person.toml", "exposures.csv"):
        shutil.copy(EXAMPLE / name, person)
    episodes = (EXAMPLE / "episodes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (person / "episodes.csv").write_text("".join(episodes[:4]), encoding="utf-8")
    return person


def process(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def help_of(*verb: str) -> str:
    return CliRunner().invoke(unaji, [*verb, "--help"], terminal_width=200).output


BELOW = [("trial", "design"), ("trial", "analyse")]
OF_A_SERVER = ("serve", "web")
"""Verbs whose examples would start a server, or copy one's data, on the machine the tests run on: see tests/web."""


def example_of(verb: tuple[str, ...]) -> str:
    block = help_of(*verb).split("Example:\n")[1].split("\n\n")[0]
    return "\n".join(re.sub(r"^    ", "", line) for line in block.splitlines())


@pytest.mark.parametrize(
    "verb", [*((v,) for v in VERBS if v not in OF_A_SERVER), *BELOW], ids=lambda v: " ".join(("unaji", *v))
)
def test_the_example_in_the_help_works_when_pasted(verb, tmp_path):
    done = process("bash", "-euc", example_of(verb), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_first_example_is_how_that_of_explain_begins():
    """So it works where the longer one does."""
    first = example_of(())
    assert first
    assert example_of(("explain",)).startswith(first + "\n")


def test_the_help_answers_without_loading_the_engine():
    code = "import sys, unaji.cli; print([m for m in ('numba', 'polars', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_json_is_one_object_on_stdout_and_the_talk_is_on_stderr(someone, tmp_path):
    done = process(
        "unaji", "explain", str(someone), "--json", "--lang", "en", "--html", "r.html", "--pdf", "r.pdf", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["person"] == "example"
    assert "r.html" in done.stderr
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("explain", "nowhere"), ExitCode.INPUT, "nowhere: is not a folder"),
        (("explain", "empty"), ExitCode.INPUT, "the folder holds no records; put at least one of these"),
        (("explain", str(EXAMPLE), "--article", "nonsense"), ExitCode.CLAIMS, "nonsense"),
        (("attribute", "e.csv", "x.csv"), ExitCode.INPUT, "e"),
        (("import", "gone.fit", "--into", "p", "--timezone", "UTC"), ExitCode.INPUT, "gone.fit: そのようなファイルも"),
        (
            ("import", "gone.fit", "--into", "p", "--timezone", "UTC", "--lang", "en"),
            ExitCode.INPUT,
            "gone.fit: there is no such file",
        ),
        (("simulate-person", "p", "--example", "--weeks", "9"), ExitCode.USAGE, "--example takes only --seed"),
        (("simulate-person", "p", "--causes", "moon"), ExitCode.USAGE, "'moon' is not a candidate cause"),
        (("explain", "p", "--wrong"), ExitCode.USAGE, "No such option"),
        (("fly",), ExitCode.USAGE, "No such command"),
    ],
)
def test_a_problem_is_a_sentence_and_an_exit_code_never_a_traceback(run, arguments, code, words, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_exit_code_of_a_problem_is_that_of_the_process(tmp_path):
    done = process("unaji", "explain", "nowhere", cwd=tmp_path)
    assert done.returncode == ExitCode.INPUT
    assert "nowhere: is not a folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_report_that_cannot_be_written_leaves_nothing_half_written(run, someone, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run("explain", str(someone), "--html", str(tmp_path / "file" / "r.html"))
    assert done.returncode == ExitCode.OUTPUT
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "someone"]


def test_rejected_rows_are_listed_and_the_rest_is_explained(run, someone):
    lines = len((someone / "episodes.csv").read_text(encoding="utf-8").splitlines())
    with (someone / "episodes.csv").open("a", encoding="utf-8") as file:
        file.write("yesterday,,3,\n2031-01-01T10:00,,3,\n")
    done = run("explain", str(someone), "--json")
    assert done.returncode == 0
    assert f"episodes.csv {lines + 1}行目 'yesterday': 時刻として読めません。" in done.stderr
    assert f"episodes.csv {lines + 2}行目 '2031-01-01T10:00': 未来の時刻の行です。" in done.stderr
    assert json.loads(done.stdout)["period"]["episodes"] == lines - 1


def test_importing_twice_changes_nothing(run, tmp_path):
    (tmp_path / "EDA.csv").write_text("1646305200.0\n4.0\n0.0\n" + "0.41\n0.42\n" * 50)
    first = run("import", "EDA.csv", "--into", "p", "--timezone", "Asia/Tokyo", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    before = {p: p.read_bytes() for p in sorted((tmp_path / "p").rglob("*.*")) if ".previous" not in p.parts}
    assert run("import", "EDA.csv", "--into", "p", cwd=tmp_path).returncode == 0
    after = {p: p.read_bytes() for p in sorted((tmp_path / "p").rglob("*.*")) if ".previous" not in p.parts}
    assert after == before


def test_a_report_never_replaces_a_record(run, someone):
    before = (someone / "episodes.csv").read_bytes()
    done = run("explain", str(someone), "--html", str(someone / "episodes.csv"))
    assert done.returncode == ExitCode.OUTPUT
    assert "must end in .html" in done.stderr
    assert (someone / "episodes.csv").read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_at_stdout_is_a_sentence():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [str(BIN / "unaji"), "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == ExitCode.OUTPUT
    assert "cannot write the result" in done.stderr
    assert "Traceback" not in done.stderr


def tables(folder: Path, column: str = "level", start: str = "start") -> tuple[str, str]:
    hours = [f"2026-03-{2 + h // 24:02d}T{h % 24:02d}:00,{h * 7 % 13}" for h in range(240)]
    (folder / "x.csv").write_text("\n".join([f"time,{column}", *hours]))
    (folder / "e.csv").write_text(f"{start}\n2026-03-03T10:00\n2026-03-05T11:00\n")
    return "e.csv", "x.csv"


def test_a_name_that_looks_like_markup_is_printed_as_it_is(run, tmp_path):
    done = run("attribute", *tables(tmp_path, column="[red]p[/x]"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[red]p[/x]" in done.stdout


def test_episodes_without_a_usable_row_are_no_empty_diary(run, tmp_path):
    done = run("attribute", *tables(tmp_path, start="when"), cwd=tmp_path)
    assert done.returncode == ExitCode.INPUT
    assert "e.csv" in done.stderr


@pytest.mark.parametrize("weeks", ["nan", "3", "53"])
def test_a_simulated_person_has_four_to_fifty_two_weeks(run, weeks, tmp_path):
    assert run("simulate-person", "p", "--weeks", weeks, cwd=tmp_path).returncode == ExitCode.USAGE


def test_a_logged_warning_sign_is_no_unknown_kind_and_a_near_miss_is_asked_about(run, someone):
    with (someone / "exposures.csv").open("a", encoding="utf-8") as file:
        file.write("2025-05-20T10:00,,thunderclap_pain,\n2025-05-20T10:00,,thunderclap_headache,\n")
    done = run("explain", str(someone), "--json")
    assert "'thunderclap_pain'" not in done.stderr
    assert "警告のしるし thunderclap_pain のことですか。" in done.stderr
    assert "thunderclap_pain" in {flag["id"] for flag in json.loads(done.stdout)["red_flags"]}


def test_bundle_and_tables_are_written_beside_the_summary(run, someone, tmp_path):
    bundle, tables = tmp_path / "bundle.json", tmp_path / "tables"
    done = run("explain", str(someone), "--fhir", str(bundle), "--csv", str(tables), "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    told = json.loads(done.stdout)
    assert json.loads(bundle.read_text(encoding="utf-8"))["resourceType"] == "Bundle"
    rows = (tables / "episodes.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + len(told["episodes"])
    assert str(bundle) in done.stderr
    assert str(tables) in done.stderr


@pytest.mark.parametrize(
    ("option", "place", "words"),
    [
        ("--html", "x.txt", "x.txt: a report's name must end in .html or .htm"),
        ("--pdf", "x.doc", "x.doc: a report's name must end in .pdf"),
        ("--fhir", "x.xml", "x.xml: a bundle's name must end in .json"),
        ("--html", "gone/x.html", "gone/x.html: the report could not be written"),
        ("--pdf", "gone/x.pdf", "gone/x.pdf: the report could not be written"),
        ("--fhir", "gone/x.json", "gone/x.json: the bundle could not be written"),
        ("--csv", "file/tables", "file/tables: the tables could not be written"),
        ("--html", "locked/x.html", "locked/x.html: the report could not be written (Permission denied)"),
        ("--csv", "locked/a/tables", "locked/a/tables: the tables could not be written (Permission denied)"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_computed(
    option, place, words, someone, tmp_path, monkeypatch
):
    if place.startswith("locked"):
        monkeypatch.setattr(tempfile, "TemporaryFile", locked)  # whom the computer obeys it lets write anywhere
    called = []
    monkeypatch.setattr(import_module("unaji.explain"), "explain", lambda *_, **__: called.append("explain"))
    (tmp_path / "file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    done = CliRunner().invoke(unaji, ["explain", str(someone), option, place])
    assert isinstance(done.exception, OutputError)
    assert str(done.exception).startswith(words)
    assert called == []
    assert sorted(tmp_path.iterdir()) == before


def locked(*, dir: Path) -> None:
    raise PermissionError(13, "Permission denied", str(dir))


def test_the_place_of_a_report_is_tried_without_leaving_anything_there(tmp_path):
    (tmp_path / "r.html").write_text("of yesterday")
    check_place(tmp_path / "r.html", PAGE)
    check_place(tmp_path / "new.html", PAGE)
    check_folder(tmp_path / "a" / "b", "tables")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("r.html", "of yesterday")]


def test_tables_are_refused_a_folder_that_is_there_before_anything_is_computed(run, someone):
    before = sorted(someone.iterdir())
    done = run("explain", str(someone), "--csv", str(someone))
    assert done.returncode == ExitCode.INPUT
    assert "is there already" in done.stderr
    assert done.stdout == ""
    assert sorted(someone.iterdir()) == before

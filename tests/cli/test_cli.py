"""The command line as a person meets it: examples that work when pasted, clean stdout, no tracebacks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from unaji.cli import VERBS, unaji
from unaji.errors import ExitCode

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person"
BIN = Path(sys.executable).parent


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(
        [str(BIN / "unaji"), *arguments], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


def help_of(*verb: str) -> str:
    return CliRunner().invoke(unaji, [*verb, "--help"], terminal_width=200).output


@pytest.mark.parametrize("verb", [(), *((v,) for v in VERBS)], ids=lambda v: v[0] if v else "unaji")
def test_the_example_in_the_help_works_when_pasted(verb, tmp_path):
    block = help_of(*verb).split("Example:\n")[1].split("\n\n")[0]
    script = "\n".join(re.sub(r"^    ", "", line) for line in block.splitlines())
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_help_answers_without_loading_the_engine():
    code = "import sys, unaji.cli; print([m for m in ('numba', 'polars', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_json_is_one_object_on_stdout_and_the_talk_is_on_stderr(tmp_path):
    done = run("explain", str(EXAMPLE), "--json", "--lang", "en", "--html", str(tmp_path / "r.html"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["person"] == "example"
    assert "r.html" in done.stderr
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("explain", "nowhere"), ExitCode.INPUT, "nowhere: is not a folder"),
        (("explain", "empty"), ExitCode.INPUT, "the folder holds no records; put at least one of these"),
        (("explain", str(EXAMPLE), "--article", "nonsense"), ExitCode.CLAIMS, "nonsense"),
        (("attribute", "e.csv", "x.csv"), ExitCode.INPUT, "e"),
        (("import", "gone.fit", "--into", "p", "--timezone", "UTC"), ExitCode.INPUT, "gone.fit: there is no such file"),
        (("simulate-person", "p", "--example", "--weeks", "9"), ExitCode.USAGE, "--example takes only --seed"),
        (("simulate-person", "p", "--causes", "moon"), ExitCode.USAGE, "'moon' is not a candidate cause"),
        (("explain", "p", "--wrong"), ExitCode.USAGE, "No such option"),
        (("fly",), ExitCode.USAGE, "No such command"),
    ],
)
def test_a_problem_is_a_sentence_and_an_exit_code_never_a_traceback(arguments, code, words, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_report_that_cannot_be_written_leaves_nothing_half_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run("explain", str(EXAMPLE), "--html", str(tmp_path / "file" / "r.html"))
    assert done.returncode == ExitCode.OUTPUT
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_rejected_rows_are_listed_and_the_rest_is_explained(tmp_path):
    person = tmp_path / "someone"
    shutil.copytree(EXAMPLE, person)
    with (person / "episodes.csv").open("a", encoding="utf-8") as file:
        file.write("yesterday,,3,\n2031-01-01T10:00,,3,\n")
    done = run("explain", str(person), "--json")
    assert done.returncode == 0
    assert "episodes.csv, line 41" in done.stderr
    assert "yesterday" in done.stderr
    assert json.loads(done.stdout)["period"]["episodes"] == 39


def test_importing_twice_changes_nothing(tmp_path):
    (tmp_path / "EDA.csv").write_text("1646305200.0\n4.0\n0.0\n" + "0.41\n0.42\n" * 50)
    first = run("import", "EDA.csv", "--into", "p", "--timezone", "Asia/Tokyo", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    before = {p: p.read_bytes() for p in sorted((tmp_path / "p").rglob("*.*")) if ".previous" not in p.parts}
    assert run("import", "EDA.csv", "--into", "p", cwd=tmp_path).returncode == 0
    after = {p: p.read_bytes() for p in sorted((tmp_path / "p").rglob("*.*")) if ".previous" not in p.parts}
    assert after == before

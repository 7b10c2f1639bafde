"""The reports shown in docs/reports are those that the page beside them tells, whole, small, and of this version.

Their numbers move with the engine and are not compared; python docs/make_reports.py writes them anew.
"""

from __future__ import annotations

import base64
import hashlib
import re
import runpy
from pathlib import Path

import pytest

from unaji import __version__

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "docs" / "reports"
TOLD = (REPORTS / "README.md").read_text(encoding="utf-8")
PAGES = sorted(REPORTS.glob("*.html"))
MOST_BYTES = 6_000_000


def test_every_file_is_told_and_everything_told_is_there():
    linked = {target for target in re.findall(r"\]\(([^)#]+)\)", TOLD) if "/" not in target}
    assert linked == {one.name for one in REPORTS.iterdir()} - {"README.md"}
    assert sum(one.stat().st_size for one in REPORTS.iterdir()) < MOST_BYTES


def test_the_files_are_those_that_the_script_writes():
    pytest.importorskip("playwright.sync_api")
    people = runpy.run_path(str(ROOT / "docs" / "make_reports.py"))["PEOPLE"]
    assert {one.name for one in REPORTS.iterdir()} - {"README.md"} == {
        *(f"{one.name}.{language}.html" for one in people for language in one.languages),
        *(f"{one.name}-{look}.png" for one in people for look in one.looks),
    }


@pytest.mark.parametrize("file", PAGES, ids=lambda one: one.name)
def test_a_page_is_whole_of_this_version_and_lets_nothing_in(file):
    page = _text(file)
    assert page.rstrip().endswith("</html>")
    assert f"unaji {__version__}" in page
    assert f'<html lang="{file.suffixes[0][1:]}">' in page
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none';")
    for kind in ("style", "script"):
        for text in re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy


def test_of_a_real_person_no_page_is_shown():
    assert not list(REPORTS.glob("thermal-enth*.html"))
    assert "10.5281/zenodo.5502441" in TOLD
    assert all(
        re.search(r'<span class="tag">(例 架空の人|example, simulated person)</span>', _text(one)) for one in PAGES
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")

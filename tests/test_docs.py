"""The pages that follow from the code are those the code gives, and what the README shows works."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from unaji.errors import ExitCode

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))


@pytest.mark.parametrize("page", list(REFERENCE["PAGES"]), ids=lambda p: p.name)
def test_the_reference_pages_are_what_the_code_gives(page):
    assert page.read_text(encoding="utf-8") == REFERENCE["PAGES"][page](), "run: python docs/make_reference.py"


def test_every_exit_code_is_told():
    assert set(REFERENCE["EXIT_CODES"]) == {int(code) for code in ExitCode}


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_ten_lines_of_the_readme_run(readme, tmp_path):
    code = re.search(r"```python\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    script = tmp_path / "ten_lines.py"
    script.write_text(code.group(1), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_every_local_link_leads_somewhere():
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_the_two_languages_of_the_readme_have_the_same_sections():
    counts = [(ROOT / name).read_text(encoding="utf-8").count("\n## ") for name in ("README.md", "README.ja.md")]
    assert counts[0] == counts[1]

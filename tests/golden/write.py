"""Write the stored pages anew after an intended change, and read the diff: python tests/golden/write.py

The pictures of pages need Chromium and the fonts they were made with; where these are missing, it says so.
"""

from __future__ import annotations

import io
import runpy
import sys
import tempfile
from functools import cache
from pathlib import Path

from rich.console import Console

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # it is started as a file

from tests.golden import page  # noqa: E402
from unaji.report.html import to_html, write_html  # noqa: E402
from unaji.report.json import dumps  # noqa: E402
from unaji.report.terminal import print_summary  # noqa: E402

PAGES = HERE / "pages"
TOLD = ("rich", "null", "four_episodes", "fever")
"""The people whose pages are kept as outline and text, in both languages."""


@cache
def findings(name: str) -> object:
    """Return the findings of an invented person."""
    return _cases()[name]()


@cache
def html(name: str, language: str) -> str:
    """Return an invented person's page."""
    return to_html(findings(name), language)


@cache
def _cases() -> dict[str, object]:
    return runpy.run_path(str(HERE.parent / "report" / "synthetic.py"))["CASES"]


def write_terminal() -> None:
    """Write the terminal's page and the JSON object of the person with plenty of records."""
    for language in ("ja", "en"):
        out = io.StringIO()
        print_summary(findings("rich"), Console(file=out, width=80, color_system=None), language)
        (HERE / f"rich.{language}.txt").write_text(out.getvalue(), encoding="utf-8")
    (HERE / "rich.json").write_text(dumps(findings("rich")) + "\n", encoding="utf-8")


def write_pages() -> None:
    """Write outline and text of the pages."""
    for name in TOLD:
        for language in ("ja", "en"):
            read = page.read(html(name, language))
            (PAGES / f"{name}.{language}.outline.txt").write_text(page.outline(read), encoding="utf-8")
            (PAGES / f"{name}.{language}.text.txt").write_text(page.text(read), encoding="utf-8")


def write_pictures() -> None:
    """Write what the pages look like."""
    from playwright.sync_api import sync_playwright  # neither is needed for the rest

    from tests.golden import pictures

    if reason := pictures.missing():
        raise SystemExit(f"the pictures of the pages were left as they are: {reason}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = pictures.launch(driver)
        for look in pictures.LOOKS:
            file = Path(folder) / f"{look.person}.html"
            write_html(file, html(look.person, "ja"))
            with pictures.opened(browser, look, file) as opened:
                for part in look.parts:
                    pictures.keep(pictures.part_name(look, part), pictures.photograph(opened, part))
        browser.close()


if __name__ == "__main__":
    write_terminal()
    write_pages()
    write_pictures()

"""Render the picture of the README from the example person's report: python docs/make_picture.py

Needs Chromium and Japanese fonts (apt-get install chromium fonts-noto-cjk).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from unaji.claims.graph import load_claims
from unaji.explain import explain
from unaji.records.folder import read_folder
from unaji.report.html import to_html

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 1200, 900
FIGURES = "#behind figure"
"""The two pictures shown: the causes with their intervals, and the days."""


def main() -> None:
    """Write docs/report.png."""
    findings = explain(read_folder(ROOT / "examples" / "person"), load_claims("neck_heat"), seed=0)
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium was not found; apt-get install chromium fonts-noto-cjk")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        page_file.write_text(to_html(findings, "ja"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(page_file.as_uri())
        boxes = [box for figure in page.locator(FIGURES).all()[:2] if (box := figure.bounding_box()) is not None]
        left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
        size = {
            "width": max(box["x"] + box["width"] for box in boxes) - left,
            "height": max(box["y"] + box["height"] for box in boxes) - top,
        }
        page.screenshot(path=str(ROOT / "docs" / "report.png"), full_page=True, clip={"x": left, "y": top, **size})
        browser.close()


if __name__ == "__main__":
    main()

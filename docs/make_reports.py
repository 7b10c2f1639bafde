"""Explain five people and write docs/reports: python docs/make_reports.py [name …]

The records of four are simulated, the fifth's are real and lie beside the project (shared/data/thermal-enth): of that
person pictures are written and no page, since a page holds the values. Needs Chromium and Japanese fonts
(apt-get install chromium fonts-noto-cjk).
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageColor  # comes with matplotlib
from playwright.sync_api import Page, sync_playwright

from unaji.claims.graph import load_claims
from unaji.explain import explain
from unaji.findings import Findings
from unaji.people.write import simulate_person_folder
from unaji.records.folder import read_folder, write_folder
from unaji.records.importing import import_files
from unaji.records.timeline import Beats, Series, Timeline, utc_ms
from unaji.report.html import to_html, write_html

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "docs" / "reports"
EXAMPLE = ROOT / "examples" / "person"
ENTH = ROOT.parent / "shared" / "data" / "thermal-enth"
ENTH_PERSON = "enth04"
"""Of those with votes to compare with, the one with most of them too warm; see docs/explanation/real-records.md."""

FEVER_SEED, FEVER_WEEKS = 6, 20
NULL_SEED, NULL_WEEKS = 8, 12
FIRST_DAYS = 9
"""Days of the example after which there are four episodes."""

PHONE_PX, DESKTOP_PX, A4_PX = 360, 1200, 703
COLUMN_PX = 2700
"""Height at which a long page goes on in the next column."""
MOST_COLUMNS = {"phone": 3, "desktop": 1, "dark": 1, "print": 1}
"""How much of a page is shown: the pictures stay small."""
GAP_PX = 24
COLOURS, APART = 48, 8
"""Colours of a picture, and how far apart they are at least, of 255."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One person: where the records come from, and what is written."""

    name: str
    findings: Callable[[Path], Findings]
    languages: tuple[str, ...] = ("ja",)
    """Languages of the pages; none where the page may not be shown."""
    looks: tuple[str, ...] = ("phone", "desktop")


def example(folder: Path) -> Findings:
    """Explain the example person."""
    return _explain(EXAMPLE)


def four(folder: Path) -> Findings:
    """Explain the first days of the example person."""
    timeline = read_folder(EXAMPLE)
    start = min(series.time[0] for series in timeline.series)
    write_folder(until(timeline, start + np.timedelta64(FIRST_DAYS, "D")), folder)
    return _explain(folder)


def null(folder: Path) -> Findings:
    """Explain a person whose episodes have no cause at all."""
    simulate_person_folder(folder, seed=NULL_SEED, weeks=NULL_WEEKS, null=True)
    return _explain(folder)


def fever(folder: Path) -> Findings:
    """Explain a person on the day on which a fever has passed."""
    simulate_person_folder(folder / "whole", seed=FEVER_SEED, weeks=FEVER_WEEKS, fever=True)
    timeline = read_folder(folder / "whole")
    hot = max(
        one.time[one.value >= 38].max()
        for one in timeline.series
        if one.quantity == "body_temp_c" and (one.value >= 38).any()
    )
    write_folder(until(timeline, hot + np.timedelta64(12, "h")), folder / "so_far")
    return _explain(folder / "so_far")


def thermal_enth(folder: Path) -> Findings:
    """Explain a person who voted on a watch whether it was too warm."""
    import_files([ENTH / ENTH_PERSON, ENTH / "purpleair_outdoor.csv"], folder, timezone="Asia/Singapore")
    return _explain(folder)


PEOPLE = (
    Shown("example", example, ("ja", "en"), ("phone", "desktop", "dark", "print")),
    Shown("thermal-enth", thermal_enth, (), ("phone",)),
    Shown("null", null, looks=("phone",)),
    Shown("four-episodes", four, looks=("phone",)),
    Shown("fever", fever, looks=("first", "phone")),
)


def _explain(folder: Path) -> Findings:
    return explain(read_folder(folder), load_claims("neck_heat"), seed=0)


def until(timeline: Timeline, end: np.datetime64) -> Timeline:
    """Return the records as they stood at an instant."""

    def before(facts: tuple[Any, ...], at: str) -> tuple[Any, ...]:
        return tuple(one for one in facts if utc_ms(getattr(one, at)) < end)

    return replace(
        timeline,
        series=tuple(_series_until(one, end) for one in timeline.series if one.time[0] < end),
        beats=None if timeline.beats is None else _beats_until(timeline.beats, end),
        episodes=before(timeline.episodes, "start"),
        ratings=before(timeline.ratings, "time"),
        exposures=before(timeline.exposures, "start"),
        treatments=before(timeline.treatments, "time"),
        outcomes=before(timeline.outcomes, "time"),
    )


def _series_until(series: Series, end: np.datetime64) -> Series:
    kept = series.time < end
    ends = None if series.end is None else np.minimum(series.end[kept], end)
    return replace(series, time=series.time[kept], value=series.value[kept], end=ends)


def _beats_until(beats: Beats, end: np.datetime64) -> Beats:
    kept = beats.time < end
    return replace(beats, time=beats.time[kept], rri_ms=beats.rri_ms[kept], gap=beats.gap[kept])


def write(shown: Shown, browser: Any) -> None:
    """Explain one person and write pages and pictures."""
    with tempfile.TemporaryDirectory() as folder:
        findings = shown.findings(Path(folder) / "records")
        for language in shown.languages:
            write_html(REPORTS / f"{shown.name}.{language}.html", to_html(findings, language))
        page_file = Path(folder) / "report.html"
        write_html(page_file, to_html(findings, "ja"))
        for look in shown.looks:
            _store(_picture(browser, page_file, look), REPORTS / f"{shown.name}-{look}.png")


def _picture(browser: Any, page_file: Path, look: str) -> Image.Image:
    """Return a page as it is seen on a phone, on a desktop, in the dark or on paper, in columns side by side."""
    width = {"desktop": DESKTOP_PX, "print": A4_PX}.get(look, PHONE_PX)
    scheme = "dark" if look == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(page_file.as_uri())
    page.emulate_media(media="print" if look == "print" else "screen", color_scheme=scheme)
    if look == "first":
        picture = _shot(page, 0, 800)
    else:
        page.locator("details.later").evaluate_all("all => all.forEach(one => one.open = true)")
        _draw_live_chart(page)
        page.evaluate("scrollTo(0, 0)")
        picture = _columns(page, MOST_COLUMNS[look])
    page.close()
    return picture


def _draw_live_chart(page: Page) -> None:
    chart = page.locator(".plot")
    if chart.count() and page.evaluate("matchMedia('screen').matches"):
        page.locator("#figure-one").scroll_into_view_if_needed()
        page.locator(".plot canvas").wait_for()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _columns(page: Page, most: int) -> Image.Image:
    whole = min(page.evaluate("document.documentElement.scrollHeight"), most * COLUMN_PX)
    parts = [_shot(page, top, min(COLUMN_PX, whole - top)) for top in range(0, whole, COLUMN_PX)]
    width = parts[0].width
    sheet = Image.new("RGB", (len(parts) * (width + GAP_PX) - GAP_PX, max(one.height for one in parts)), "#888")
    for place, one in enumerate(parts):
        sheet.paste(one, (place * (width + GAP_PX), 0))
    return sheet


def _shot(page: Page, top: int, height: int) -> Image.Image:
    clip = {"x": 0, "y": top, "width": page.viewport_size["width"], "height": height}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")


def _store(picture: Image.Image, file: Path) -> None:
    """Write a picture in the families' colours and those that cover most of it: the figures stay what they are."""
    seen, times = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    chosen = [np.array(ImageColor.getrgb(one)) for one in _families()]
    for colour in seen[np.argsort(-times)].astype(int):
        if all(np.abs(colour - other).max() >= APART for other in chosen):
            chosen.append(colour)
        if len(chosen) == COLOURS:
            break
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(part) for colour in chosen for part in colour])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(file, optimize=True)


def _families() -> list[str]:
    css = files("unaji.report").joinpath("styles", "report.css").read_text(encoding="utf-8")
    return re.findall(r"--(?:weather|mind|posture|intake|body|around|heat):(#\w{6})", css)


def main(names: list[str]) -> None:
    """Write the reports of these people, or of all."""
    REPORTS.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for shown in PEOPLE:
            if names and shown.name not in names:
                continue
            if shown.name == "thermal-enth" and not ENTH.is_dir():
                sys.stderr.write(f"{shown.name}: left as it is, since its records are not here ({ENTH})\n")
                continue
            write(shown, browser)
            sys.stderr.write(f"{shown.name}\n")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

"""The page of a scenario in a real browser: nothing loaded, nothing wider than a phone, one drawing at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from unaji.body.played import play
from unaji.body.scenario_file import find_scenario
from unaji.report.html import write_html
from unaji.report.scenario_page import to_html

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: the page was not looked at in a browser"
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["fever", "chronic_stress"])
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / f"{request.param}.html"
    write_html(path, to_html(play(find_scenario(request.param))))
    return path


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (768, "dark"), (1280, "light")])
def test_it_loads_nothing_fits_its_width_and_shows_each_picture_once(browser, file, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    heard = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("figure").evaluate_all(
        "all => all.map(f => [...f.querySelectorAll('svg.figure')].filter(s => s.getClientRects().length).length)"
    )
    assert shown == [1] * 6
    smallest = page.locator("svg.figure").evaluate_all(
        """all => Math.min(...all.filter(s => s.getClientRects().length).flatMap(s =>
            [...s.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize)
                * s.getBoundingClientRect().width / s.viewBox.baseVal.width)))"""
    )
    assert smallest >= 11.5
    page.close()

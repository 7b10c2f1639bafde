"""The report in a real browser: nothing loaded, nothing wider than a phone, nothing said on the console."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from unaji.report import comparison_page
from unaji.report import json as reports
from unaji.report.comparison import compare
from unaji.report.html import to_html, write_html

CHROMIUM = Path("/usr/bin/chromium")
SYNTHETIC = Path(__file__).parents[1] / "report" / "synthetic.py"

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: the report was not looked at in a browser"
)


@pytest.fixture(scope="module")
def people():
    spec = importlib.util.spec_from_file_location("unaji_tests_browser_synthetic", SYNTHETIC)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.CASES


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, people, tmp_path):
    """Open a person's report from a file; returns the page and what it asked the network or the console for."""

    def opened(name, language="ja", width=360, scheme="light"):
        path = tmp_path / f"{name}-{language}.html"
        write_html(path, to_html(people[name](), language))
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        heard = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page, heard

    return opened


def unfold(page):
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")


@pytest.mark.parametrize(
    ("name", "language", "width", "scheme"),
    [
        ("rich", "ja", 360, "light"),
        ("rich", "en", 360, "dark"),
        ("rich", "ja", 1200, "light"),
        ("malicious", "ja", 360, "light"),
        ("emergency", "en", 360, "light"),
        ("four_episodes", "ja", 768, "dark"),
        ("no_episodes", "en", 360, "light"),
    ],
)
def test_no_request_no_console_message_and_no_sideways_scroll(visit, name, language, width, scheme):
    page, heard = visit(name, language, width, scheme)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert heard == []
    page.close()


def test_the_style_sheet_is_let_through_by_the_policy(visit):
    page, _ = visit("rich")
    assert page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(250, 248, 244)"
    page.close()


def test_type_in_the_figures_is_never_below_12_px_on_the_screen(visit):
    for width in (360, 768, 1200):
        page, _ = visit("rich", width=width)
        smallest = page.locator("svg.figure").evaluate_all(
            """all => Math.min(...all.filter(s => s.getClientRects().length).flatMap(s =>
                [...s.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize)
                    * s.getBoundingClientRect().width / s.viewBox.baseVal.width)))"""
        )
        assert smallest >= 11.9
        page.close()


def test_exactly_one_drawing_of_each_figure_is_shown(visit):
    for width in (360, 1200):
        page, _ = visit("rich", width=width)
        shown = page.locator("figure").evaluate_all(
            "all => all.map(f => [...f.querySelectorAll('svg.figure')].filter(s => s.getClientRects().length).length)"
        )
        assert set(shown) == {1}
        page.close()


def test_with_an_active_red_flag_nothing_else_is_on_the_first_screen(visit):
    page, _ = visit("fever")
    assert page.locator("#warm").is_visible() is False
    assert page.locator("details.later > summary").bounding_box()["y"] >= 800
    page.locator("details.later > summary").click()
    assert page.locator("#warm").is_visible()
    page.close()


def test_on_paper_the_folded_rows_are_open(visit):
    page, _ = visit("rich", width=1000)
    page.emulate_media(media="print")
    assert page.locator("#how details.row .refs").bounding_box()["height"] > 0
    assert page.locator("body").evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    page.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "language"),
    [("rich", "ja"), ("rich", "en"), ("emergency", "ja"), ("fever", "en"), ("null", "ja"), ("four_episodes", "ja")],
)
def test_axe_finds_nothing_that_shuts_anyone_out(visit, name, language, scheme, width):
    """Every rule of axe-core, on the page with all that folds unfolded."""
    pytest.importorskip("axe_playwright_python")
    page, _ = visit(name, language, width, scheme)
    unfold(page)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    page.close()


@pytest.fixture(scope="module")
def compared(people, tmp_path_factory):
    """The page of a comparison in both languages: a third of the episodes a hundred days later, one factor gone."""
    spring = json.loads(reports.dumps(people["rich"]()))
    summer = json.loads(reports.dumps(people["rich"]()))
    for end in ("start", "end"):
        summer["period"][end] = _hundred_days_later(summer["period"][end])
    for one in summer["episodes"]:
        one["start"] = _hundred_days_later(one["start"])
    summer["episodes"] = summer["episodes"][::3]
    summer["causes"][0] |= {"verdict": "unlikely", "p_cause": 0.02, "share": {"mean": 0.0, "p5": 0.0, "p95": 0.01}}
    folder = tmp_path_factory.mktemp("compared")
    for language in ("ja", "en"):
        write_html(folder / f"{language}.html", comparison_page.to_html(compare(spring, summer), language))
    return folder


def _hundred_days_later(text):
    return (datetime.fromisoformat(text) + timedelta(days=100)).isoformat()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_of_a_comparison_shuts_nobody_out_and_fits_its_width(browser, compared, language, scheme, width):
    pytest.importorskip("axe_playwright_python")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    heard = []
    page.on("console", lambda message: heard.append(message.text))
    page.goto((compared / f"{language}.html").as_uri())
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("figure").evaluate_all(
        "all => all.map(f => [...f.querySelectorAll('svg.figure')].filter(s => s.getClientRects().length).length)"
    )
    assert shown == [1, 1, 1]
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert heard == []
    page.close()

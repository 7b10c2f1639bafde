"""The page of a comparison in a real browser: nobody shut out, nothing wider than a phone, nothing on the console."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib.resources import files

import pytest

from unaji.report import comparison_page
from unaji.report import json as reports
from unaji.report.comparison import compare
from unaji.report.html import write_html


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
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
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

"""The report in a real browser: nothing loaded, nothing wider than a phone, nothing said on the console."""

from __future__ import annotations

from importlib.resources import files

import pytest


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
            """all => all.map(f => [...f.querySelectorAll('svg.figure, .live')]
                .filter(one => one.getClientRects().length).length)"""
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


LOOKED_AT = [  # each person once or twice, so that both languages, schemes and widths are seen
    ("rich", "ja", "light", 360),
    ("rich", "en", "dark", 1200),
    ("emergency", "ja", "light", 360),
    ("emergency", "ja", "dark", 1200),
    ("fever", "en", "dark", 360),
    ("null", "ja", "light", 1200),
    ("four_episodes", "ja", "dark", 360),
]


@pytest.mark.parametrize(("name", "language", "scheme", "width"), LOOKED_AT)
def test_axe_finds_nothing_that_shuts_anyone_out(visit, name, language, scheme, width):
    """Every rule of axe-core, on the page with all that folds unfolded."""
    pytest.importorskip("axe_playwright_python")
    page, _ = visit(name, language, width, scheme)
    unfold(page)
    if page.locator(".plot").count():  # the chart is drawn when it comes near
        page.locator(".plot").scroll_into_view_if_needed()
        page.locator(".plot canvas").wait_for()
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    page.close()

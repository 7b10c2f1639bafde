"""The report's pages are what was stored: their outline, what they say, and what they look like.

After an intended change: python tests/golden/write.py, and read the diff.
"""

from __future__ import annotations

import re

import pytest

from tests.golden import page, write
from unaji.report.html import write_html

TOLD = [(name, language) for name in write.TOLD for language in ("ja", "en")]
MOST_BYTES = 1_500_000


@pytest.mark.parametrize(("name", "language"), TOLD)
@pytest.mark.parametrize("kind", ["outline", "text"])
def test_a_page_is_built_and_says_what_was_stored(name, language, kind):
    stored = (write.PAGES / f"{name}.{language}.{kind}.txt").read_text(encoding="utf-8")
    assert getattr(page, kind)(page.read(write.html(name, language))) == stored


def test_the_outline_holds_every_section_figure_table_and_button_of_the_page():
    html = write.html("rich", "ja")
    outline = page.outline(page.read(html))
    for section in re.findall(r'<section id="(\w+)"', html):
        assert f"section {section}\n" in outline
    for figure in re.findall(r'id="(figure-\w+)"', html):
        assert f"figure {figure}\n" in outline
    assert outline.count("table: ") == html.count("<table>")
    assert "0" not in outline


def test_the_text_leaves_out_what_is_folded_hidden_and_not_text():
    read = page.read(
        "<body><p>熱<ruby>痛<rp>(</rp><rt>いた</rt></ruby><b>い</b></p><p hidden>a</p><script>b</script>"
        "<svg><text>c</text></svg>"
        "<details><summary>d</summary>e</details><details open><summary>f</summary>g</details><p>10\n 回</p></body>"
    )
    assert page.text(read) == "熱痛《いた》い\nd\nf\ng\n10 回\n"


def test_a_page_that_is_not_closed_is_not_read():
    with pytest.raises(ValueError, match="</p> ends <b>"):
        page.read("<p><b></p>")
    with pytest.raises(ValueError, match="<p> is not closed"):
        page.read("<p>")


@pytest.fixture(scope="module")
def pictures():
    pytest.importorskip("playwright.sync_api")
    from tests.golden import pictures

    if reason := pictures.missing():
        pytest.skip(f"{reason}: the pages were not compared with the stored pictures")
    return pictures


@pytest.fixture(scope="module")
def browser(pictures):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = pictures.launch(driver)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")

    def written(name):
        path = folder / f"{name}.html"
        if not path.exists():
            write_html(path, write.html(name, "ja"))
        return path

    return written


@pytest.fixture(scope="module")
def dark_phone(pictures, browser, file):
    (look,) = (one for one in pictures.LOOKS if one.name == "dark")
    with pictures.opened(browser, look, file(look.person)) as page:
        yield page


def test_every_look_is_as_stored(pictures, browser, file, tmp_path):
    failed = []
    for look in pictures.LOOKS:
        with pictures.opened(browser, look, file(look.person)) as opened:
            for part in look.parts:
                name = pictures.part_name(look, part)
                stored, seen = pictures.kept(name), pictures.photograph(opened, part)
                if said := pictures.difference(stored, seen, look.limits):
                    pictures.draw_difference(stored, seen, tmp_path / f"{name}.png")
                    failed.append(f"{name}: {said}; see {tmp_path / name}.png")
    assert failed == []


def test_nothing_is_stored_that_nobody_looks_at_and_together_it_is_small(pictures):
    stored = list(pictures.PICTURES.iterdir())
    looked_at = {f"{pictures.part_name(one, part)}.png" for one in pictures.LOOKS for part in one.parts}
    assert {one.name for one in stored} == looked_at
    assert sum(one.stat().st_size for one in stored) < MOST_BYTES


def test_letters_that_are_drawn_in_another_way_make_no_difference(pictures, browser, file):
    """Unhinted, and placed between pixels: what another machine with the same fonts might do."""
    for look in (one for one in pictures.LOOKS if one.letters and one.script):
        with pictures.opened(browser, look, file(look.person)) as page:
            page.evaluate("document.body.style.textRendering = 'geometricPrecision'")
            stored, seen = pictures.kept(pictures.part_name(look, "")), pictures.photograph(page, "")
            assert pictures.how_far_off(stored, seen).max() > 10, "the letters are drawn in the same way"
            assert pictures.difference(stored, seen, look.limits) == ""


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("behind", "document.querySelector('#figure-days svg.phone [data-episode]').remove()"),
        ("behind", "document.querySelector('#figure-causes svg.phone circle').remove()"),
        ("behind", "document.documentElement.style.setProperty('--posture', '#F0D870')"),
        ("warm", "document.querySelector('#figure-rises svg.phone circle').remove()"),
        ("warm", "document.querySelector('#figure-rises svg.phone').style.translate = '0 10px'"),
        ("warm", "document.documentElement.style.setProperty('--heat', '#2A928C')"),
        ("behind", "document.querySelector('#figure-days svg.phone').style.translate = '10px'"),
        ("warm", "document.querySelector('#figure-rises figcaption').remove()"),
    ],
)
def test_a_damaged_page_is_seen(pictures, dark_phone, tmp_path, part, damage):
    """One damage after the other, none made good: each is seen by what it alone has changed."""
    before = pictures.cells(pictures.photograph(dark_phone, part))
    dark_phone.evaluate(damage)
    seen = pictures.photograph(dark_phone, part)
    assert pictures.difference(before, seen, pictures.WITHOUT_LETTERS) != ""
    pictures.draw_difference(before, seen, tmp_path / "difference.png")
    assert (tmp_path / "difference.png").stat().st_size > 0


def test_a_page_without_its_dark_mode_is_seen(pictures, dark_phone):
    dark_phone.emulate_media(color_scheme="light")
    seen = pictures.photograph(dark_phone, "doctor")
    assert pictures.difference(pictures.kept("rich-dark-doctor"), seen, pictures.WITHOUT_LETTERS) != ""

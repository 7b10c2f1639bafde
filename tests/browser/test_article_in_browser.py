"""The public article in a real browser: phone and desk, light and dark, by keyboard, on paper, without script."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.web.accounts import sign_in_as_staff
from unaji.claims.graph import load_claims
from unaji.web.casebook.actions import questions
from unaji.web.casebook.models import Question, User
from unaji.web.public import pages
from unaji.web.public.situations import play_all

CLAIMS = load_claims("neck_heat")
PAGES = ["/{}/", "/{}/neck-heat/", "/{}/neck-heat/ask/", "/{}/neck-heat/asked/", "/{}/people/reida/", "/{}/grades/",
         "/{}/corrections/", "/{}/neck-heat/questions/"]  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", autouse=True)
def _played():
    play_all()


@pytest.fixture(autouse=True)
def _own_home():
    """All of them share one home, where the figures are played once."""


@pytest.fixture(autouse=True)
def _fresh_pages():
    pages.forget()
    yield
    pages.forget()


@pytest.fixture
def opened(browser, live_server):
    """Open a page; returns it and all that the console said or that was loaded from elsewhere."""
    made = []

    def open_page(address, width=360, scheme="light", **context):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, **context)
        made.append(page)
        heard = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith(live_server.url) else heard.append(one.url))
        page.on("response", lambda one: heard.append(f"{one.status} {one.url}") if one.status >= 400 else None)
        page.goto(live_server.url + address)
        return page, heard

    yield open_page
    for page in made:
        page.close()


def publish_one():
    staff = User.objects.create_user("staff@example.org", is_staff=True)
    asked = questions.ask(article="neck_heat", language="ja", text="気圧のせいで熱くなりますか。")
    questions.publish(asked, by=staff, claims=CLAIMS, moderated_text="気圧のせいで熱くなりますか。",
                      answer="はっきりしていません。", claim_ids=["pressure_drop", "thunderclap_pain"])  # fmt: skip
    return staff


@pytest.mark.parametrize(("language", "width", "scheme"), [("ja", 360, "light"), ("en", 1200, "dark")])
def test_every_page_fits_says_nothing_to_the_console_and_shuts_nobody_out(opened, language, width, scheme):
    pytest.importorskip("axe_playwright_python")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    publish_one()
    for address in PAGES:
        page, heard = opened(address.format(language), width, scheme)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        told = [
            (one["id"], node["target"], node["failureSummary"]) for one in found["violations"] for node in one["nodes"]
        ]
        assert told == [], address
        assert heard == [], address
        assert page.context.cookies() == [], address


def test_the_moderators_page_shuts_nobody_out(opened, live_server):
    pytest.importorskip("axe_playwright_python")
    staff = publish_one()
    client = sign_in_as_staff(staff)
    page, _ = opened("/ja/")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/questions/")

    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    assert page.locator("form").count() == 2
    assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_situation_at_a_time_is_shown_with_its_own_picture(opened, width, scheme):
    page, heard = opened("/ja/neck-heat/", width, scheme, java_script_enabled=False)
    shown = page.locator(".situation:visible")

    assert shown.count() == 1
    assert "34℃の部屋" in shown.inner_text()

    page.locator("label[for=situation-fever]").click()

    assert shown.count() == 1
    assert "先に医師へ" in shown.inner_text()
    picture = shown.locator("img")
    picture.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    address, drawn_px = picture.evaluate("one => [one.currentSrc, one.naturalWidth]")
    assert address.endswith(f"/fever-{'phone' if width == 360 else 'desktop'}-{scheme}.svg")
    assert drawn_px > 300
    assert heard == []


def test_the_picture_is_the_one_for_the_width_and_scheme_and_its_type_is_not_made_small(opened):
    for width, scheme, name, drawn in (
        (360, "light", "phone", 330),
        (1200, "dark", "desktop", 640),
        (800, "light", "desktop", 640),
    ):
        page, _ = opened("/en/neck-heat/", width, scheme)
        picture = page.locator(".situation:visible img")
        picture.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")

        seen = picture.evaluate("one => [one.currentSrc, one.complete && one.naturalWidth, one.clientWidth]")

        assert seen[0].endswith(f"hot_room-{name}-{scheme}.svg")
        assert seen[1] == drawn
        assert seen[2] >= 0.96 * drawn


def test_the_figure_is_worked_by_keyboard_alone(opened):
    page, _ = opened("/ja/neck-heat/")
    page.locator("#situation-hot_room").focus()

    page.keyboard.press("ArrowDown")

    assert page.locator("#situation-scarf").is_checked()
    assert "スカーフ" in page.locator(".situation:visible").inner_text()
    outline = page.locator("label[for=situation-scarf]").evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline == "solid"


def test_the_first_stop_leads_past_the_head_and_every_target_is_large_enough(opened):
    page, _ = opened("/ja/neck-heat/")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    small = page.locator(".contents a, .mast a, .crumbs a, .situations > label, .button, summary").evaluate_all(
        """all => all.filter(one => one.getClientRects().length && one.getBoundingClientRect().height < 44)
            .map(one => one.outerHTML)"""
    )
    assert small == []


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_moves_while_it_loads_and_is_read(opened, width):
    page, _ = opened("/ja/neck-heat/", width)
    page.evaluate(
        """() => { window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(one => {
            if (!one.hadRecentInput) window.moved += one.value })).observe({type: 'layout-shift', buffered: true}) }"""
    )
    for _ in range(12):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
    page.wait_for_load_state("networkidle")

    assert page.evaluate("window.moved") < 0.01


@pytest.mark.parametrize("width", [360, 1200])
def test_each_line_of_the_contents_leads_to_its_section_and_a_number_to_its_source(opened, width):
    page, _ = opened("/ja/neck-heat/", width)
    page.locator(".claim details").first.evaluate("one => { one.open = true }")
    links = [*page.locator(".contents ol a").all(), page.locator(".claim .refs a").last]
    missed = []
    for link in reversed(links):
        page.evaluate("scrollTo(0, 0)")
        wanted = link.get_attribute("href")
        link.evaluate("one => one.click()")
        page.wait_for_timeout(150)
        top = page.locator(wanted).evaluate("one => one.getBoundingClientRect().top")
        end = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
        if not -2 <= top <= 80 and end > 2:
            missed.append((wanted, top))

    assert missed == []


def test_on_paper_the_text_fills_the_sheet_and_nothing_is_folded_away(opened):
    page, _ = opened("/ja/neck-heat/", 1200, "dark")
    page.emulate_media(media="print", color_scheme="light")

    assert page.locator(".contents").is_hidden()
    assert page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#claim-stress .refs").is_visible()
    assert page.locator(".text").evaluate("one => one.clientWidth") > 1000


def test_a_question_is_asked_without_script_and_arrives(opened, live_server):
    page, heard = opened("/ja/neck-heat/", java_script_enabled=False)
    page.locator("#questions a.button").click()
    page.locator("textarea").fill("首を冷やしてもよいですか。")
    page.locator("button[type=submit]").click()

    assert page.url == f"{live_server.url}/ja/neck-heat/asked/"
    assert page.locator("h1").inner_text() == "質問を受け取りました"
    assert page.context.cookies() == []
    assert Question.objects.get().text == "首を冷やしてもよいですか。"
    assert heard == []

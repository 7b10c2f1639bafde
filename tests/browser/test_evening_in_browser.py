"""The evening on a small phone: half a minute, one thumb, nothing that a reader or a strict policy stumbles on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from time import monotonic

import pytest

pytest.importorskip("django")


from tests.web.accounts import sign_in
from tests.web.conftest import make_person
from unaji.web.casebook.models import Exposure, Rating

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def hana():
    """Hana, where it is nine in the evening now."""
    person = make_person("hana@example.org", purposes=("care", "contact"))
    ahead = (21 - datetime.now(UTC).hour + 9) % 24 - 9  # Etc knows hours from 12 behind to 14 ahead, signs reversed
    person.timezone = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
    person.save()
    return person


@pytest.fixture
def visit(browser, live_server, hana):
    """Open a screen as Hana; give the page and what it complained of."""
    client = sign_in(hana.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    contexts = []

    def opened(path, scheme="light", viewport=None, **more):
        more = {"service_workers": "block", **more}
        context = browser.new_context(
            viewport=viewport or PHONE,
            color_scheme=scheme,
            locale="ja-JP",
            has_touch=True,
            **more,
        )
        contexts.append(context)
        context.add_cookies([cookie])
        page, heard = context.new_page(), []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.goto(live_server.url + path)
        return page, heard

    yield opened
    for context in contexts:
        context.close()


SHOWN = """navigator.serviceWorker.ready.then((one) => one.getNotifications())
  .then((all) => all.map(({ title, body, lang, data }) => ({ title, body, lang, to: data.to })))"""
BLOCKED = "Service Worker registration blocked by Playwright"


def test_four_taps_write_the_day_down_in_seconds(visit, hana):
    began = monotonic()
    page, heard = visit("/evening")

    page.get_by_label("きょうは何もない").tap()
    for name in ("stress", "neck_stiffness"):
        bar = page.locator(f"#scale-{name}").bounding_box()
        page.touchscreen.tap(bar["x"] + bar["width"] * 0.7, bar["y"] + bar["height"] / 2)
    page.get_by_role("button", name="保存する").tap()
    page.get_by_text("書きとめました").wait_for()
    took_s = monotonic() - began

    assert took_s < 30
    assert {one.quantity for one in Rating.objects.filter(person=hana)} == {"stress", "neck_stiffness"}
    assert all(6 <= one.value <= 8 for one in Rating.objects.all())
    assert [one.kind for one in Exposure.objects.filter(person=hana)] == ["check_in"]
    assert [one for one in heard if one != BLOCKED] == []


def test_all_that_is_tapped_lies_in_reach_of_a_thumb_and_is_large_enough(visit):
    page, _ = visit("/evening")

    save = page.get_by_role("button", name="保存する").bounding_box()
    tabs = page.locator(".tabs").bounding_box()
    assert save["y"] > PHONE["height"] / 2
    assert save["y"] + save["height"] <= tabs["y"] + 1
    for one in page.locator("main button:visible, main .chip:visible, main a:visible, main input[type=range]").all():
        box = one.bounding_box()
        assert box["height"] >= 44, one.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_what_gets_the_focus_is_never_hidden_under_the_button(visit):
    page, _ = visit("/evening")
    fields = page.locator(".evening input:not([type=hidden]), .evening button[data-step]")

    for i in range(fields.count()):
        fields.nth(i).focus()
        box, save = fields.nth(i).bounding_box(), page.locator(".save").bounding_box()
        assert box["y"] + box["height"] <= save["y"] + 1, fields.nth(i).get_attribute("name")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1200, "height": 900}], ids=["phone", "desktop"])
@pytest.mark.parametrize("path", ["/evening", "/mine/reminders", "/mine/tokens"])
def test_no_screen_breaks_a_rule_of_accessibility_or_of_the_policy(visit, path, viewport, scheme):
    pytest.importorskip("axe_playwright_python")
    page, heard = visit(path, scheme, viewport)

    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert [one for one in heard if one != BLOCKED] == []


def test_a_new_token_can_be_copied_and_is_gone_on_the_next_visit(visit):
    page, _ = visit("/mine/tokens")

    page.get_by_label("名前").fill("電話")
    page.get_by_role("button", name="鍵を作る").tap()
    field = page.get_by_label("鍵", exact=True)
    assert field.input_value().startswith("unaji_")
    page.goto(page.url)

    assert page.get_by_label("鍵", exact=True).count() == 0
    assert page.get_by_text("電話", exact=True).count() == 1


def test_a_browser_that_may_not_notify_says_so_and_keeps_the_rest(visit, hana):
    page, _ = visit("/mine/reminders")  # nobody allows anything here

    page.get_by_text("画面の通知").tap()
    page.get_by_role("button", name="お知らせを始める").tap()
    page.locator("[data-push-says]:visible").wait_for()

    assert page.get_by_label("画面の通知").is_checked() is False
    page.get_by_role("button", name="お知らせを始める").tap()
    page.get_by_text("毎日21:00にお知らせします").wait_for()


def test_what_is_pushed_is_shown_with_its_words_alone(visit, live_server):
    page, _ = visit("/now", service_workers="allow", permissions=["notifications"])
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    driver = page.context.new_cdp_session(page)
    registered = []
    driver.on("ServiceWorker.workerRegistrationUpdated", lambda said: registered.extend(said["registrations"]))
    driver.send("ServiceWorker.enable")
    while not registered:
        page.wait_for_timeout(50)
    said = {"title": "unaji", "body": "unaji に新しいお知らせ", "to": "/evening", "lang": "ja"}

    driver.send("ServiceWorker.deliverPushMessage", {
        "origin": live_server.url, "registrationId": registered[0]["registrationId"],
        "data": json.dumps(said, ensure_ascii=False),
    })  # fmt: skip

    for _ in range(100):
        shown = page.evaluate(SHOWN)
        if shown:
            break
        page.wait_for_timeout(50)
    assert shown == [said]

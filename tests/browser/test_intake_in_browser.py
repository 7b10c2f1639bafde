"""The beginning in a real browser: consents, warning signs, questionnaire, first picture; also without script."""

from __future__ import annotations

import os
import re
from importlib.resources import files

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.models import Intake, RedFlagScreen, User

pytestmark = pytest.mark.django_db(transaction=True)

PICTURES = os.environ.get("UNAJI_PICTURES")  # a folder: each page that is looked at is drawn there
WITHOUT_SCRIPT = {"java_script_enabled": False}


@pytest.fixture
def site(live_server, transactional_db):
    """Open the app."""
    return live_server.url


class Visit:
    """Somebody who has signed in and opened nothing yet."""

    def __init__(self, browser, site, *, width, scheme, language, **context):
        self.user = User.objects.create_user(f"mio-{width}@example.org", language=language)
        session = SessionStore()
        session[SESSION_KEY] = str(self.user.pk)
        session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        session.create()
        self.width, self.scheme, self.heard = width, scheme, []
        self.context = browser.new_context(
            viewport={"width": width, "height": 780}, color_scheme=scheme, base_url=site, **context
        )
        self.context.add_cookies([{"name": "sessionid", "value": session.session_key, "url": site}])
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))

    def at(self, path):
        self.page.wait_for_url(re.compile(rf"^http://[^/]+{path}(\?.*)?$"))

    def look(self, name):
        """See that the page holds its width, and that axe finds nothing that shuts anyone out."""
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width
        self.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        if PICTURES:
            self.page.screenshot(path=f"{PICTURES}/{name}-{self.width}-{self.scheme}.png", full_page=True)
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 15
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []

    def agree(self):
        self.page.goto("/welcome")
        self.page.locator("input[value=adult]").check()
        self.page.locator("input[value=care]").check()
        self.page.locator("form button[type=submit]").click()
        self.at("/check")

    def answer(self, *yes):
        for flag in claims_in_use().red_flags:
            said = "yes" if flag.id in yes else "no"
            self.page.locator(f"label.chip:has([name=sign-{flag.id}][value={said}])").click()
        self.page.locator("form.check button[type=submit]").click()
        self.at(r"/red-flag/[0-9a-f-]+")

    def choose(self, name, value):
        self.page.locator(f"label.chip:has([name='{name}'][value='{value}'])").click()


@pytest.fixture
def visit(browser, site):
    opened = []

    def open_for(width=360, scheme="light", language="ja", **context):
        opened.append(Visit(browser, site, width=width, scheme=scheme, language=language, **context))
        return opened[-1]

    yield open_for
    for one in opened:
        one.context.close()


@pytest.mark.parametrize(("width", "scheme", "language"), [(360, "light", "ja"), (1200, "dark", "en")])
def test_the_whole_beginning_shuts_nobody_out_and_says_nothing_on_the_console(visit, width, scheme, language):
    pytest.importorskip("axe_playwright_python")
    one = visit(width, scheme, language)
    one.agree()
    one.look("check-first")
    for level, sign in (("emergency", "chest_pressure"), ("today", "hopelessness"), ("days", "arm_strip_signs")):
        one.answer(sign)
        assert one.page.locator(f"body.flagged.{level}").count() == 1
        one.look(level)
        one.page.locator(".kept button").click()
        one.at("/(now|intake)")
        one.page.goto("/check")
    one.look("check-again")
    one.answer()
    one.look("none")
    one.page.locator("main a[href='/intake']").click()
    one.at("/intake")
    one.choose("often-stress", "often")
    one.page.locator("[name=soon-stress]").select_option("hour")
    one.choose("often-caffeine", "no")
    one.choose("companion", "headache")
    one.look("intake")
    one.page.locator("form.questionnaire button[type=submit]").click()
    one.at("/first-picture")
    one.look("first-picture")
    one.page.goto("/more")
    one.look("more")

    assert Intake.objects.get().answers["causes"]["stress"] == {"often": "often", "soon": "hour"}
    assert one.heard == []


def test_the_call_is_on_the_first_screen_of_a_phone_and_large_enough(visit):
    one = visit()
    one.agree()
    one.answer("stroke_signs", "meningitis_signs", "chest_pressure")

    box = one.page.locator("a.call").bounding_box()

    assert box["y"] + box["height"] <= 780
    assert box["height"] >= 72
    assert one.page.locator("a.call").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(155, 19, 33)"


def test_nothing_else_opens_before_the_warning_was_read(visit):
    one = visit()
    one.agree()
    one.answer("chest_pressure")
    for path in ("/now", "/today", "/intake"):
        one.page.goto(path)
        one.at(r"/red-flag/[0-9a-f-]+")

    one.page.get_by_role("button", name="読みました。受診のあとで続ける").click()

    one.at("/now")
    assert RedFlagScreen.objects.get().acknowledged_at is not None


def test_the_browser_itself_stops_at_the_first_open_question(visit):
    one = visit()
    one.agree()
    one.page.locator("form.check button[type=submit]").click()

    assert one.page.evaluate("document.activeElement.name") == "sign-thunderclap_pain"
    assert RedFlagScreen.objects.count() == 0


def test_how_soon_is_asked_only_of_what_is_there(visit):
    one = visit()
    one.agree()
    one.answer()
    one.page.goto("/intake")
    soon = one.page.locator("[name=soon-stress]")

    assert not soon.is_visible()
    one.choose("often-stress", "sometimes")
    assert soon.is_visible()
    one.choose("often-stress", "no")
    assert not soon.is_visible()


def test_the_whole_beginning_works_without_script(visit):
    one = visit(**WITHOUT_SCRIPT)
    one.agree()
    one.answer("temple_headache")
    one.page.locator(".kept button").click()
    one.at("/now")
    one.page.goto("/intake")
    one.choose("often-stress", "often")
    one.page.locator("[name=mine_text]").fill("会議で気になる")
    one.page.locator("input[type=number][name=mine]").fill("7")
    one.page.locator("form.questionnaire button[type=submit]").click()
    one.at("/first-picture")

    answers = Intake.objects.get().answers
    assert answers["mine"] == {"text": "会議で気になる", "degree": 7}
    assert answers["do"]["degree"] is None
    assert one.page.locator("article.cause h3").first.inner_text().startswith("ストレス")
    assert RedFlagScreen.objects.get().level == "today"

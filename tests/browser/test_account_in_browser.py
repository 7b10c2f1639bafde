"""Signing up and in with a real browser: a passkey alone, then an app's code too, under the strict policy."""

from __future__ import annotations

import os
import re
from importlib.resources import files

import pytest
from django.core import mail
from django.core.cache import cache

from tests.web.accounts import app_code, code_in
from unaji.web.casebook.models import Person

PICTURES = os.environ.get("UNAJI_PICTURES")  # a folder: each page that is looked at is drawn there


@pytest.fixture
def site(live_server):
    """Open the app on http://localhost."""
    cache.clear()  # the limits on how often a mail is sent
    return live_server.url


class Visit:
    """A browser that looks at the site, with a device that makes passkeys."""

    def __init__(self, browser, site, *, width, scheme="light", language="ja-JP", offers=False):
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language, base_url=site
        )
        self.page = self.context.new_page()
        self.width, self.scheme, self.heard = width, scheme, []
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.device = self.context.new_cdp_session(self.page)
        self.device.send("WebAuthn.enable")
        self.made = self.device.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                         "hasUserVerification": True, "isUserVerified": True,
                         "automaticPresenceSimulation": True}},
        )["authenticatorId"]  # fmt: skip
        if not offers:  # else the device takes what is offered as soon as the page is there
            self.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")

    def touch(self, enabled):
        """Let the device be touched by itself whenever it asks for that, or by nobody."""
        said = {"authenticatorId": self.made, "enabled": enabled}
        self.device.send("WebAuthn.setAutomaticPresenceSimulation", said)

    def widen(self, width):
        """Look at the page on another screen."""
        self.width = width
        self.page.set_viewport_size({"width": width, "height": 800})

    def at(self, path):
        self.page.wait_for_url(re.compile(rf"^http://localhost:\d+{path}(\?.*)?$"))
        self.look(path)

    def go(self, path):
        self.page.goto(path)
        self.look(path)

    def look(self, path):
        """See that the page holds its width, and that axe finds nothing that shuts anyone out."""
        self.page.locator("main h1").wait_for()
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width
        if PICTURES:
            name = re.sub(r"\W+", "-", path).strip("-")
            self.page.screenshot(path=f"{PICTURES}/{name}-{self.width}-{self.scheme}.png", full_page=True)
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def link(self, name):
        self.page.get_by_role("link", name=name, exact=True).click()

    def type(self, label, text):
        self.page.get_by_label(label, exact=True).fill(text)


def sign_up(visit, address="mio@example.org"):
    visit.go("/account/signup/passkey/")
    visit.type("メールアドレス", address)
    visit.press("パスキーを作って登録する")
    visit.at("/account/confirm-email/")
    visit.type("メールに書かれた8けたの数字", code_in(mail.outbox[-1]))
    visit.press("確かめる")
    visit.at("/account/2fa/webauthn/signup/")
    visit.press("パスキーを作る")
    visit.at("/account/2fa/recovery-codes/")


def sign_out(visit):
    visit.go("/account/logout/")
    visit.press("サインアウト")
    visit.page.wait_for_load_state()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1200, "dark")])
def test_a_passkey_is_enough_to_sign_up_and_to_sign_in_again(browser, site, width, scheme):
    pytest.importorskip("axe_playwright_python")
    visit = Visit(browser, site, width=width, scheme=scheme)

    sign_up(visit)
    assert visit.page.locator("[data-code]").count() == 10
    visit.link("控えました。つづける")
    visit.at("/welcome")
    sign_out(visit)
    visit.go("/account/login/")
    visit.press("パスキーでサインイン")
    visit.at("/welcome")

    visit.page.get_by_label("18歳以上").check()
    visit.page.get_by_label("記録を預かること").check()
    visit.press("記録を始める")
    visit.page.wait_for_url(lambda url: not url.endswith("/welcome"))
    user = Person.objects.get().user
    assert user.email == "mio@example.org"
    assert not user.has_usable_password()
    assert visit.heard == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
def test_an_app_for_codes_is_added_after_the_passkey_has_been_shown_again(browser, site, width, scheme):
    pytest.importorskip("axe_playwright_python")
    visit = Visit(browser, site, width=width, scheme=scheme)
    sign_up(visit)
    sign_out(visit)
    visit.go("/account/login/")
    visit.press("パスキーでサインイン")
    visit.at("/welcome")

    visit.go("/account/2fa/")
    visit.link("確認コードのアプリを使う")
    visit.at("/account/2fa/webauthn/reauthenticate/")
    visit.press("パスキーで確かめる")
    visit.at("/account/2fa/totp/activate/")
    visit.type("アプリに出ている6けたの数字", app_code(visit.page.locator(".secret").inner_text()))
    visit.press("使いはじめる")
    visit.at("/account/2fa/")
    visit.page.get_by_text("サインインのときに、アプリに出る数字も入れます。").wait_for()
    for path in ("/account/2fa/webauthn/", "/account/2fa/webauthn/add/", "/account/2fa/totp/deactivate/",
                 "/account/2fa/recovery-codes/", "/account/2fa/recovery-codes/generate/", "/account/email/",
                 "/account/password/set/", "/account/sessions/"):  # fmt: skip
        visit.go(path)
    for link, name in (("パスキーを消す", "remove"), ("名前を変える", "edit")):
        visit.go("/account/2fa/webauthn/")
        visit.link(link)
        visit.at(rf"/account/2fa/webauthn/keys/\d+/{name}/")
    sign_out(visit)
    for path in ("/account/signup/", "/account/login/code/", "/account/password/reset/", "/account/inactive/"):
        visit.go(path)
    assert visit.heard == []


def test_a_passkey_is_offered_with_the_address_and_signs_in_without_the_button(browser, site):
    visit = Visit(browser, site, width=360, offers=True)
    sign_up(visit)
    visit.touch(False)  # signing out leads to signing in, where the device would go on by itself
    sign_out(visit)
    visit.touch(True)

    visit.page.goto("/account/login/?next=/account/2fa/")

    visit.at("/account/2fa/")
    assert visit.heard == []


def test_the_button_takes_the_place_of_the_offer_and_asks_the_server_nothing_more(browser, site):
    visit = Visit(browser, site, width=360, offers=True)
    sign_up(visit)
    visit.touch(False)
    sign_out(visit)
    visit.page.goto("about:blank")  # what the page before asked is over
    asked = []
    visit.page.on("request", lambda one: asked.append(one.method) if "webauthn/login" in one.url else None)
    visit.go("/account/login/")
    field = visit.page.locator("#code_email")
    assert field.get_attribute("autocomplete") == "username webauthn"

    visit.touch(True)  # of what is asked from now on
    visit.press("パスキーでサインイン")

    visit.at("/welcome")
    assert asked == ["GET", "POST"]
    assert visit.heard == []


def test_a_device_that_declines_leaves_the_page_as_it_was_and_says_so(browser, site):
    visit = Visit(browser, site, width=360, offers=True)
    visit.go("/account/login/")

    visit.press("パスキーでサインイン")  # the device has none yet

    visit.page.get_by_text("パスキーは使われませんでした。").wait_for()
    assert visit.page.get_by_role("button", name="パスキーでサインイン").is_enabled()
    visit.look("/account/login/declined")
    assert visit.heard == []

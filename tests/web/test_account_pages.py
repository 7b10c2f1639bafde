"""Every page of the account that can be opened: in our frame, in one language, with no script or style in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import allauth
import pytest
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.web.accounts import Device, account, add_app, app_code, code_in, sign_in
from unaji.web.words import catalogue

NAMES = {"unaji", "English", "JavaScript", "UTC"}


def addresses(resolver=None):
    """Give the patterns of all addresses of allauth's."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one)
        elif isinstance(one, URLPattern) and one.callback.__module__.startswith("allauth."):
            yield one.name


class Read(HTMLParser):
    """What a person reads of a page, how many headings it has, and what may not be in it."""

    def __init__(self, html):
        super().__init__()
        self.text, self.wrong, self.headings, self.inside = [], [], 0, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "style" or "style" in said or any(name.startswith("on") for name in said):
            self.wrong.append((tag, attrs))
        if tag == "script" and "src" not in said and said.get("type") != "application/json":
            self.wrong.append((tag, attrs))
        self.headings += tag == "h1"
        if tag == "script" or (tag != "html" and said.get("lang") in ("en", "zxx")):
            self.inside.append(tag)
        if not self.inside:
            self.text += [said[name] for name in ("alt", "aria-label", "placeholder", "title") if said.get(name)]

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.text.append(data)

    def english(self):
        """Give every run of three Latin words or more that are not names."""
        text = re.sub(r"\S+@\S+", "", " ".join(self.text))
        runs = re.findall(r"[A-Za-z']+(?:[ ,.:;]+[A-Za-z']+){2,}", text)
        return [one for one in runs if not set(re.findall("[A-Za-z]+", one)) <= NAMES]

    def japanese(self):
        return re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]+", " ".join(self.text))


def check(answer, language):
    html = answer.content.decode()
    read = Read(html)
    assert f'<html lang="{language}">' in html
    assert read.headings == 1
    assert read.wrong == []
    if language == "ja":
        assert read.english() == []
    else:
        assert set(read.japanese()) <= {"日本語", "電話"}
    assert "{" not in " ".join(read.text), "a placeholder was not filled"


def in_(client, language):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    return client


def everything(user):
    """Give an account whatever its pages can show."""
    user.set_password("a long enough word")
    user.save()
    add_app(user)
    return Device().add_to(user)


LED_ON = {  # pages that belong to a step that was not begun, or that do not fit who asks
    "visitor": {
        "account_email", "account_change_password", "account_set_password", "account_reauthenticate",
        "account_request_reauthentication_code", "account_confirm_reauthentication_code", "account_confirm_login_code",
        "account_email_verification_sent", "account_confirm_password_reset_code", "account_complete_password_reset",
        "mfa_index", "mfa_authenticate", "mfa_reauthenticate", "mfa_list_webauthn", "mfa_add_webauthn",
        "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_login_webauthn",
        "mfa_signup_webauthn", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "usersessions_list", "account_logout",
    },
    "fresh": {
        "account_login", "account_signup", "account_signup_by_passkey", "account_request_login_code",
        "account_confirm_login_code", "account_confirm_password_reset_code", "account_complete_password_reset",
        "account_confirm_reauthentication_code", "account_email_verification_sent", "account_change_password",
        "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_authenticate",
        "mfa_login_webauthn", "mfa_signup_webauthn",
    },
    "equipped": {
        "account_login", "account_signup", "account_signup_by_passkey", "account_request_login_code",
        "account_confirm_login_code", "account_confirm_password_reset_code", "account_complete_password_reset",
        "account_confirm_reauthentication_code", "account_email_verification_sent", "account_set_password",
        "mfa_authenticate", "mfa_login_webauthn", "mfa_signup_webauthn", "mfa_activate_totp",
    },
}  # fmt: skip
NOT_THERE = {"fresh": {"mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
                       "mfa_edit_webauthn", "mfa_remove_webauthn"}}  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("who", ["visitor", "fresh", "equipped"])
@pytest.mark.parametrize("name", sorted(set(addresses())))
def test_every_page_of_the_account_is_ours_in_both_languages(db, name, who, language):
    client, number = Client(), 1
    if who != "visitor":
        user = account()
        number = everything(user).pk if who == "equipped" else 1
        client = sign_in(user)
    at = reverse(name, args=[number] if name in ("mfa_remove_webauthn", "mfa_edit_webauthn") else [])

    answer = in_(client, language).get(at)

    if name in LED_ON[who]:
        assert answer.status_code == 302
    elif name in NOT_THERE.get(who, ()):
        assert answer.status_code == 404
        check(answer, language)
    elif name == "mfa_download_recovery_codes":
        assert answer["Content-Type"].startswith("text/plain")
    else:
        assert answer.status_code == 200
        check(answer, language)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_pages_between_the_steps_are_ours_in_both_languages(db, language):
    client = in_(Client(), language)

    check(client.post(reverse("account_signup_by_passkey"), {"email": "new@example.org"}, follow=True), language)
    code = code_in(mail.outbox[-1])
    check(client.post(reverse("account_email_verification_sent"), {"code": "0000-0000"}), language)
    check(client.post(reverse("account_email_verification_sent"), {"code": code}, follow=True), language)

    other = in_(Client(), language)
    account("ren@example.org")
    check(other.post(reverse("account_request_login_code"), {"email": "ren@example.org"}, follow=True), language)

    third = in_(Client(), language)
    check(third.post(reverse("account_reset_password"), {"email": "ren@example.org"}, follow=True), language)
    code = code_in(mail.outbox[-1])
    check(third.post(reverse("account_confirm_password_reset_code"), {"code": code}, follow=True), language)
    check(third.post(reverse("account_complete_password_reset"), {"password1": "short", "password2": "s"}), language)
    new = {"password1": "words that are long", "password2": "words that are long"}
    check(third.post(reverse("account_complete_password_reset"), new, follow=True), language)

    user = account("aki@example.org", password="a long enough word")
    secret = add_app(user)
    fourth = in_(Client(), language)
    known = {"login": "aki@example.org", "password": "a long enough word"}
    check(fourth.post(reverse("account_login"), {**known, "password": "wrong"}), language)
    check(fourth.post(reverse("account_login"), known, follow=True), language)
    check(fourth.post(reverse("mfa_authenticate"), {"code": "12"}), language)
    answer = fourth.post(reverse("mfa_authenticate"), {"code": app_code(secret)}, follow=True)
    assert answer.request["PATH_INFO"] == "/welcome"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_of_a_code_that_was_asked_for_to_prove_oneself_is_ours(db, language):
    client = in_(sign_in(account(), proved_s_ago=None), language)

    first = client.get(reverse("mfa_add_webauthn"), follow=True)
    check(first, language)
    check(client.post(first.request["PATH_INFO"], {"recipient": "mio@example.org"}, follow=True), language)


TEMPLATES = Path(allauth.__file__).parent / "templates"
NEVER_SENT = {"password_reset_key"}  # a link, where we send a code


def test_every_mail_and_every_message_of_allauth_has_our_words():
    mails = {
        file.name.removesuffix("_subject.txt")
        for room in ("account", "mfa")
        for file in TEMPLATES.glob(f"{room}/email/*_subject.txt")
    }
    said = {file.stem for room in ("account", "mfa", "usersessions") for file in TEMPLATES.glob(f"{room}/messages/*")}
    unsaid = {
        "logged_in",
        "cannot_delete_primary_email",
        "unverified_primary_email",
    }  # goes without saying; one address
    by_telephone = {"phone_verification_sent", "phone_verified"}

    for language in ("ja", "en"):
        words = catalogue(language)
        keys = [f"account.mail.{one}.{part}" for one in mails - NEVER_SENT for part in ("subject", "body")]
        keys += [f"account.said.{one}" for one in said - unsaid - by_telephone]
        assert [key for key in keys if key not in words] == []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_mail_is_in_the_language_of_the_page_and_names_nobody(db, language):
    in_(Client(), language).post(reverse("account_signup"), {"email": "new@example.org"})

    sent = mail.outbox[-1]
    assert sent.to == ["new@example.org"]
    assert re.search("確認コード" if language == "ja" else "your code", sent.subject)
    assert "new@example.org" not in sent.subject + sent.body
    assert "localhost" not in sent.body


@pytest.mark.parametrize(
    ("browser", "said"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.0 <script>", "Unknown kind of device"),
    ],
)  # fmt: skip
def test_a_device_is_named_by_its_browser_and_system(db, browser, said):
    client = in_(sign_in(account()), "en")

    page = client.get(reverse("usersessions_list"), HTTP_USER_AGENT=browser).content.decode()

    assert said in page
    assert "<script>" not in page

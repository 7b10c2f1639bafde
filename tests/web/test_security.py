"""Doors and walls: what every answer carries, who gets through which address, what a stranger may send or learn."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as chosen
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from tests.web.accounts import account, sign_in
from tests.web.walk import addresses, everything_of
from unaji.web.access import Rule
from unaji.web.logs import WithoutQuery

SOURCES = Path(__file__).parents[2] / "src"
OPEN = {
    "/health", "/example", "/language/", "/app.webmanifest", "/sw.js", "/now/shell", "/now/earlier/shell", "/add/shell",
    "/evening/shell",
    "/", "/sitemap.xml", "/robots.txt", "/api/openapi.json", "/api/",
}  # fmt: skip
"""What a visitor may open of ours, beside the public pages below a language."""
NOT_THERE = ("/api/^",)
"""Addresses that answer that there is nothing."""
NUMBERED = [one for one in addresses() if one.numbered and not one.library]
PASSWORD = "a long enough word"


# -- what every answer carries -----------------------------------------------------------------------------------------


def all_answers(client):
    for one in addresses():
        path = next(one.paths())
        yield path, client.get(path)
    yield "/nowhere", client.get("/nowhere")
    yield "/now (refused)", Client(enforce_csrf_checks=True).post("/now/log")


@pytest.mark.parametrize("who", ["visitor", "hana"])
def test_every_answer_carries_the_headers_that_close_what_we_do_not_use(hana, who):
    client = sign_in(hana.user) if who == "hana" else Client()

    for path, answer in all_answers(client):
        policy = {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split("; ")}
        assert policy == {
            "default-src": ["'self'"], "script-src": ["'self'"], "style-src": ["'self'"],
            "img-src": ["'self'", "data:"], "object-src": ["'none'"], "base-uri": ["'self'"],
            "form-action": ["'self'"], "frame-ancestors": ["'none'"], "manifest-src": ["'self'"],
            "worker-src": ["'self'"],
        }, path  # fmt: skip
        assert answer["Referrer-Policy"] == "same-origin", path
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert answer["X-Content-Type-Options"] == "nosniff", path
        assert answer["X-Frame-Options"] == "DENY", path
        permissions = answer["Permissions-Policy"]
        assert {"camera=()", "microphone=()", "geolocation=()"} <= set(permissions.split(", ")), path
        assert "publickey-credentials-get=(self)" in permissions, path
        assert len(answer["X-Request-Id"]) == 32, path


def test_pages_of_a_person_are_kept_by_no_browser_and_no_proxy(hana):
    client = sign_in(hana.user)

    kept = [
        path for path, answer in all_answers(client)
        if not path.startswith(("/ja/", "/en/")) and path not in OPEN and "no-store" not in answer["Cache-Control"]
    ]  # fmt: skip

    assert kept == []


def in_another_process(code, home, **environment):
    """Run code where people come over https."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UNAJI_", "DJANGO_"))}
    env |= {
        "UNAJI_HOME": str(home), "UNAJI_ORIGIN": "https://unaji.example", "PYTHONPATH": str(SOURCES),
        "DJANGO_SETTINGS_MODULE": "unaji.web.settings", **environment,
    }  # fmt: skip
    return subprocess.run([sys.executable, *code], env=env, capture_output=True, text=True, check=False, timeout=120)


OVER_HTTPS = """
import json
from unaji.web.serving import prepare
prepare()
from django.test import Client
from django.core.management import call_command
from unaji.web.casebook.models import User
from allauth.account.models import EmailAddress
user = User.objects.create_user("mio@example.org", "a long enough word")
EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
client = Client(HTTP_HOST="unaji.example")
page = client.get("/account/login/", secure=True)
client.post("/language/", {"language": "en"}, secure=True)
entered = client.post("/account/login/", {"login": user.email, "password": "a long enough word"}, secure=True)
sheet = client.get(page.content.decode().split('rel="stylesheet" href="')[1].split('"')[0], secure=True)
print(json.dumps({
    "cookies": {name: {key: one[key] for key in ("secure", "httponly", "samesite", "path", "domain")}
                for name, one in client.cookies.items()},
    "page": dict(page.headers), "entered": entered["Location"], "sheet": dict(sheet.headers),
    "plain": [Client(HTTP_HOST="unaji.example").get("/now").status_code,
              Client(HTTP_HOST="unaji.example").get("/now").get("Location", "")],
    "health": Client(HTTP_HOST="unaji.example").get("/health").status_code,
    "hosts": {name: Client(HTTP_HOST=name).get("/now", secure=True).status_code
              for name in ("evil.example", "unaji.example.evil.example", "localhost", "127.0.0.1")},
}))
"""


def test_over_https_cookies_are_bound_to_the_host_and_plain_http_is_led_away(tmp_path):
    ran = in_another_process(["-c", OVER_HTTPS], tmp_path)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])

    assert said["entered"] == "/now"
    assert said["cookies"].keys() >= {"__Host-unaji", "__Host-csrf", "__Host-lang"}
    for name, cookie in said["cookies"].items():
        assert name.startswith("__Host-"), name
        assert cookie == {"secure": True, "httponly": True, "samesite": "Lax", "path": "/", "domain": ""}, name
    assert said["page"]["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains; preload"
    assert said["plain"] == [301, "https://unaji.example/now"]
    assert said["health"] == 200, "the proxy asks over plain http whether we are up"
    assert set(said["hosts"].values()) == {400}
    assert said["sheet"]["X-Content-Type-Options"] == "nosniff"


def test_djangos_own_check_before_deployment_has_nothing_to_say(tmp_path):
    ran = in_another_process(["-m", "django", "check", "--deploy", "--fail-level", "WARNING"], tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert "no issues" in ran.stdout


@pytest.mark.parametrize("file", ["secret", "master"])
def test_key_files_are_readable_by_their_owner_alone(tmp_path, file):
    code = "import django; django.setup(); from unaji.web.casebook.keys import master_ring; master_ring()"
    ran = in_another_process(["-c", code], tmp_path)
    assert ran.returncode == 0, ran.stderr

    assert (tmp_path / "keys" / file).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


# -- who gets through which address ------------------------------------------------------------------------------------


def test_every_view_says_who_it_is_for():
    silent = [one.name for one in addresses() if one.rule is None and not one.library]

    assert silent == []
    assert sum(one.rule is not None for one in addresses()) > 10


def test_what_is_open_to_anybody_is_on_the_list():
    unlisted = [
        one.name for one in addresses()
        if one.rule == Rule.ANYONE and one.name not in OPEN and not one.name.startswith(("/<language:", *NOT_THERE))
    ]  # fmt: skip

    assert unlisted == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_visitor_is_led_to_the_sign_in_from_everything_else(db, method):
    shut = [one for one in addresses() if one.rule not in (None, Rule.ANYONE)]
    assert len(shut) > 10

    for one in shut:
        for path in one.paths():
            answer = getattr(Client(), method)(path)
            if one.rule in ("data", "token"):  # asked by a script, which cannot sign in
                # An address of the API without a number, or without this method, leads nowhere for anybody.
                assert answer.status_code in ((401,) if one.rule == "data" else (401, 404, 405)), path
                continue
            assert answer.status_code == 302, path
            assert answer["Location"].startswith(f"{reverse('account_login')}?next="), path


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_opens_or_changes_what_is_another_persons(hana, ken, method):
    rows = everything_of(hana)
    numbers = [row.pk for row in rows.values()]
    before = {name: type(row).objects.filter(pk=row.pk).values().get() for name, row in rows.items()}
    assert NUMBERED

    client = sign_in(ken.user)
    for one in NUMBERED:
        for path in one.paths(numbers):
            assert getattr(client, method)(path, {"pk": str(numbers[0])}).status_code in (404, 405), path

    assert before == {name: type(row).objects.filter(pk=row.pk).values().get() for name, row in rows.items()}


NEEDS_MORE = {"/mine/export/<uuid:pk>"}
"""What is there only when a file was made as well; it is opened in tests of its own."""


@pytest.mark.parametrize("one", [one for one in NUMBERED if one.name not in NEEDS_MORE], ids=lambda one: one.name)
def test_the_person_themselves_gets_through_where_a_stranger_does_not(hana, one):
    if one.rule == Rule.STAFF:
        pytest.skip("for staff, whose tests are their own")
    client = sign_in(hana.user)

    answers = {
        getattr(client, method)(path).status_code
        for path in one.paths([row.pk for row in everything_of(hana).values()])
        for method in ("get", "post")
    }

    assert answers - {404, 405}, "otherwise the walk of a stranger would prove nothing"


def test_numbers_of_passkeys_are_no_way_into_a_strangers_account(db):
    from tests.web.accounts import Device

    passkey = Device().add_to(account("hana@example.org"))
    stranger = sign_in(account("ken@example.org"))

    for name in ("mfa_remove_webauthn", "mfa_edit_webauthn"):
        at = reverse(name, args=[passkey.pk])
        assert [stranger.get(at).status_code, stranger.post(at, {"name": "x"}).status_code] == [404, 404]
    passkey.refresh_from_db()
    assert str(passkey) == "電話"


def test_who_has_no_casebook_yet_is_led_to_the_beginning(db):
    client = sign_in(account())

    for one in addresses():
        if one.rule == Rule.PERSON:
            path = next(one.paths())
            assert client.get(path).headers.get("Location") == reverse("patient:welcome"), path


# -- forms from elsewhere ----------------------------------------------------------------------------------------------


def test_a_form_from_elsewhere_is_refused_at_every_address(hana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(hana.user)
    numbers = [row.pk for row in everything_of(hana).values()]
    before = dict(client.session.items())

    for one in addresses():
        if one.name.startswith("/api/"):
            continue  # the API knows no cookies
        path = next(one.paths(numbers))
        assert client.post(path).status_code == 403, path
        for method in ("put", "delete", "patch"):
            assert getattr(client, method)(path).status_code in (403, 405), (method, path)

    assert before.items() <= dict(client.session.items()).items()


def test_the_refusal_is_a_page_of_ours(db):
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"))

    assert "もう一度お願いします" in answer.content.decode()


# -- sessions, hosts, where to go next ---------------------------------------------------------------------------------


def enter(client, **more):
    return client.post(reverse("account_login"), {"login": "mio@example.org", "password": PASSWORD, **more})


def test_a_session_that_somebody_laid_ready_is_not_the_one_that_is_signed_in(db):
    account(password=PASSWORD)
    laid = SessionStore()
    laid["left"] = "behind"
    laid.create()
    client = Client()
    client.cookies[chosen.SESSION_COOKIE_NAME] = laid.session_key

    enter(client)

    assert client.session["_auth_user_id"]
    assert client.session.session_key != laid.session_key
    attacker = Client()
    attacker.cookies[chosen.SESSION_COOKIE_NAME] = laid.session_key
    assert attacker.get("/now")["Location"].startswith(reverse("account_login"))


def test_signing_out_ends_the_session_on_the_server_too(db):
    client = sign_in(account())
    key = client.session.session_key

    client.post(reverse("account_logout"))

    other = Client()
    other.cookies[chosen.SESSION_COOKIE_NAME] = key
    assert other.get(reverse("account_email")).status_code == 302
    assert not SessionStore().exists(key)


def test_signing_out_needs_more_than_a_link(db):
    client = sign_in(account())

    client.get(reverse("account_logout"))

    assert "_auth_user_id" in client.session


def test_a_new_password_ends_the_sessions_elsewhere(db):
    user = account(password=PASSWORD)
    here, there = sign_in(user), sign_in(user)
    new = {"oldpassword": PASSWORD, "password1": "other words, as long", "password2": "other words, as long"}

    here.post(reverse("account_change_password"), new)

    assert here.get(reverse("account_email")).status_code == 200
    assert there.get(reverse("account_email")).status_code == 302


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "unaji.example@evil.example", "evil.example:80"]
)
def test_another_hosts_name_is_answered_with_nothing(db, host):
    answer = Client(HTTP_HOST=host).get(reverse("account_login"))

    assert answer.status_code == 400
    assert host not in answer.content.decode()


def test_a_forwarded_host_is_not_believed(db):
    page = Client(HTTP_X_FORWARDED_HOST="evil.example").get(reverse("account_login"))

    assert page.status_code == 200
    assert "evil" not in page.content.decode()


ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)", "http:evil.example", "https://testserver@evil.example", "data:text/html,x",
]  # fmt: skip


@pytest.mark.parametrize("to", ELSEWHERE)
def test_nobody_is_led_elsewhere_after_signing_in_or_out_or_choosing_a_language(db, to):
    account(password=PASSWORD)
    client = Client()

    assert enter(client, next=to)["Location"] == reverse("patient:now")
    assert client.get(reverse("account_login"), {"next": to})["Location"] == reverse("patient:now")
    assert client.post("/language/", {"language": "en", "next": to})["Location"] == "/"
    assert client.post(reverse("account_logout"), {"next": to})["Location"] == reverse("account_login")


def test_the_page_one_came_from_is_found_again(db):
    account(password=PASSWORD)

    assert enter(Client(), next="/today?day=2026-04-01")["Location"] == "/today?day=2026-04-01"


# -- logs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def log():
    """What would be written to the terminal."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(WithoutQuery())
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.urls("tests.web.doors")
def test_a_failure_is_logged_without_what_the_person_sent_or_wrote(db, log):
    user = account()
    user.is_staff = True
    user.save()
    client = sign_in(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 0}]
    session.save()
    client.raise_request_exception = False

    answer = client.get("/breaks?note=himitsu", HTTP_REFERER="http://testserver/today?day=2026-04-01")

    assert answer.status_code == 500
    assert "RuntimeError at breaks" in log.getvalue()
    for secret in ("himitsu", "熱い", "2026-04-01", "mio@example.org", "Traceback"):
        assert secret not in log.getvalue()


def test_sign_ins_leave_no_address_password_or_code_in_the_log(db, log):
    account(password=PASSWORD)
    enter(Client())
    Client().post(reverse("account_login"), {"login": "mio@example.org", "password": "wrong words"})
    Client().post(reverse("account_signup") + "?email=ren@example.org", {"email": "ren@example.org"})
    Client(HTTP_HOST="evil.example").get("/now?note=himitsu")
    sent = "/x?code=1234-5678 from mio@example.org at 192.0.2.7 and 2001:db8::7, 12:30:00"
    logging.getLogger("unaji").warning("not sent: %s", sent)

    assert "not sent: /x?… from … at … and …, 12:30:00" in log.getvalue()
    for secret in ("@example.org", PASSWORD, "wrong words", "himitsu", "1234-5678"):
        assert secret not in log.getvalue()


def test_what_the_server_writes_goes_through_the_same_filter():
    assert chosen.LOGGING["handlers"].keys() == {"terminal"}
    [handler] = chosen.LOGGING["handlers"].values()
    assert chosen.LOGGING["filters"][handler["filters"][0]]["()"] == "unaji.web.logs.WithoutQuery"

"""Signing up, in and out: by passkey, by code, by password and app; asked again; never told who has an account."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.web.accounts import Device, account, add_app, app_code, browser, code_in, options_in, sign_in
from unaji.web.account import sessions
from unaji.web.account.adapters import MfaAdapter
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.example import ADDRESS
from unaji.web.casebook.keys import SealError
from unaji.web.casebook.models import AuditEvent, User

PASSWORD = "a long enough word"
pytestmark = pytest.mark.django_db


def is_in(client):
    return "_auth_user_id" in client.session


def enter(client, address="mio@example.org", password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": address, "password": password}, **more)


def sign_up_by_passkey(client, device, address="mio@example.org"):
    client.post(reverse("account_signup_by_passkey"), {"email": address})
    client.post(reverse("account_email_verification_sent"), {"code": code_in(mail.outbox[-1])})
    page = client.get(reverse("mfa_signup_webauthn")).content.decode()
    made = device.make(options_in(page))
    return client.post(reverse("mfa_signup_webauthn"), {"name": "電話", "credential": made})


def passkey_asked(client):
    return client.get(reverse("mfa_login_webauthn"), HTTP_ACCEPT="application/json").json()


# -- signing up --------------------------------------------------------------------------------------------------------


def test_who_signs_up_with_a_passkey_sees_the_recovery_codes_and_then_begins():
    client = browser()

    answer = sign_up_by_passkey(client, Device())

    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert client.get(answer["Location"]).content.decode().count("data-code") == 10
    assert client.get(reverse("patient:now"))["Location"] == reverse("patient:welcome")
    user = User.objects.get()
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified


def test_the_passkey_alone_signs_in_again():
    device = Device()
    sign_up_by_passkey(browser(), device)
    other = browser()

    other.post(reverse("mfa_login_webauthn"), {"credential": device.use(passkey_asked(other))})

    assert is_in(other)


def test_a_passkey_whose_device_did_not_check_the_person_does_not_sign_in():
    device = Device()
    sign_up_by_passkey(browser(), device)
    device.flags &= ~0x04
    other = browser()

    other.post(reverse("mfa_login_webauthn"), {"credential": device.use(passkey_asked(other))})

    assert not is_in(other)


@pytest.mark.parametrize("wrong", ["an answer used before", "another site's", "another key's", "no JSON"])
def test_a_passkey_that_was_not_asked_here_and_now_does_not_sign_in(wrong):
    device, other = Device(), browser()
    sign_up_by_passkey(browser(), device)
    asked = passkey_asked(other)
    said = device.use(asked)
    if wrong == "an answer used before":
        passkey_asked(other)
    elif wrong == "another site's":
        device.origin = "https://evil.example"
        said = device.use(asked)
    elif wrong == "another key's":
        stranger = Device()
        stranger.user, stranger.number = device.user, device.number
        said = stranger.use(asked)
    else:
        said = "{"

    answer = other.post(reverse("mfa_login_webauthn"), {"credential": said})

    assert answer.status_code == 302
    assert not is_in(other)


def test_who_signs_up_with_a_code_alone_is_led_to_the_questions_at_the_beginning():
    client = browser()
    client.post(reverse("account_signup"), {"email": "mio@example.org"})

    answer = client.post(reverse("account_email_verification_sent"), {"code": code_in(mail.outbox[-1])})

    assert answer["Location"] == reverse("patient:welcome")
    assert is_in(client)


def test_an_address_that_was_not_confirmed_does_not_get_in():
    client = browser()
    client.post(reverse("account_signup"), {"email": "mio@example.org"})

    for _ in range(3):
        client.post(reverse("account_email_verification_sent"), {"code": "0000-0000"})
    client.post(reverse("account_email_verification_sent"), {"code": code_in(mail.outbox[0])})

    assert not is_in(client), "after three wrong codes the right one is worth nothing"


# -- signing in --------------------------------------------------------------------------------------------------------


def test_a_code_sent_by_mail_signs_in_once():
    account()
    client, other = browser(), browser()
    client.post(reverse("account_request_login_code"), {"email": "mio@example.org"})
    code = code_in(mail.outbox[-1])

    client.post(reverse("account_confirm_login_code"), {"code": code})
    other.post(reverse("account_confirm_login_code"), {"code": code})

    assert is_in(client)
    assert not is_in(other)


def test_a_code_is_worth_nothing_after_ten_minutes(monkeypatch):
    account()
    client = browser()
    client.post(reverse("account_request_login_code"), {"email": "mio@example.org"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 601)

    client.post(reverse("account_confirm_login_code"), {"code": code_in(mail.outbox[-1])})

    assert not is_in(client)


@pytest.mark.parametrize("way", ["password", "code by mail"])
def test_with_an_app_for_codes_neither_password_nor_mail_is_enough(way):
    secret = add_app(account(password=PASSWORD))
    client = browser()

    if way == "password":
        enter(client)
    else:
        client.post(reverse("account_request_login_code"), {"email": "mio@example.org"})
        client.post(reverse("account_confirm_login_code"), {"code": code_in(mail.outbox[-1])})

    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": app_code(secret)})
    assert is_in(client)


def test_a_recovery_code_stands_in_for_the_app_once():
    user = account(password=PASSWORD)
    add_app(user)
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    first, second = browser(), browser()

    for client in (first, second):
        enter(client)
        client.post(reverse("mfa_authenticate"), {"code": code})

    assert is_in(first)
    assert not is_in(second)


def test_a_code_of_the_app_that_somebody_saw_is_worth_nothing_a_second_time():
    user = account(password=PASSWORD)
    secret = add_app(user)
    first, second, code = browser(), browser(), app_code(secret)

    for client in (first, second):
        enter(client)
        client.post(reverse("mfa_authenticate"), {"code": code})

    assert is_in(first)
    assert not is_in(second)


def test_an_address_is_the_same_however_its_letters_are_written():
    account("mio@example.org", password=PASSWORD)
    client = browser()

    enter(client, "Mio@Example.ORG")
    browser().post(reverse("account_signup"), {"email": "MIO@example.org"})

    assert is_in(client)
    assert User.objects.count() == 1


def test_the_secret_of_an_app_is_sealed_in_the_database(settings, tmp_path):
    user = account()
    secret = add_app(user)
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored

    sealed = MfaAdapter().encrypt(secret)
    assert MfaAdapter().decrypt(sealed) == secret
    settings.HOME = tmp_path / "elsewhere"  # another master key
    with pytest.raises(SealError):
        MfaAdapter().decrypt(sealed)


def test_an_account_that_was_stopped_does_not_get_in():
    user = account(password=PASSWORD)
    client = sign_in(user)
    user.is_active = False
    user.save()

    enter(browser())

    assert client.get(reverse("patient:now"))["Location"].startswith(reverse("account_login"))


# -- nobody learns who has an account ----------------------------------------------------------------------------------


def without_tokens(answer):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def test_a_wrong_password_and_an_unknown_address_are_told_the_same():
    account(password=PASSWORD)

    wrong = enter(browser(), password="another long word")
    unknown = enter(browser(), address="nobody@example.org")

    assert wrong.status_code == unknown.status_code == 200
    said = without_tokens(wrong)
    assert said.replace("mio@", "nobody@") == without_tokens(unknown)
    assert "メールアドレスかパスワードが違います。" in said


@pytest.mark.parametrize(
    ("name", "field"),
    [("account_request_login_code", "email"), ("account_signup", "email"), ("account_signup_by_passkey", "email"),
     ("account_reset_password", "email")],
)  # fmt: skip
def test_an_address_with_and_one_without_an_account_are_answered_the_same(name, field):
    account("mio@example.org", password=PASSWORD)
    pages = []
    for address in ("mio@example.org", "nobody@example.org"):
        client = browser()
        answer = client.post(reverse(name), {field: address})
        pages.append((answer.status_code, answer["Location"],
                      without_tokens(client.get(answer["Location"])).replace("mio@", "nobody@")))  # fmt: skip

    assert pages[0] == pages[1]
    assert [sent.to for sent in mail.outbox] == [["mio@example.org"], ["nobody@example.org"]]


def test_a_changed_address_that_is_somebody_elses_is_answered_the_same():
    account("ren@example.org")
    pages = []
    for address in ("ren@example.org", "nobody@example.org"):
        client = sign_in(account(f"mio-{len(pages)}@example.org"))
        answer = client.post(reverse("account_email"), {"email": address, "action_add": ""})
        pages.append((answer.status_code, answer["Location"]))

    assert pages[0] == pages[1]


# -- limits ------------------------------------------------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_account_for_five_minutes_from_every_address(monkeypatch):
    account(password=PASSWORD)
    account("ren@example.org", password=PASSWORD)
    for i in range(5):
        enter(browser(), password="another long word", REMOTE_ADDR=f"192.0.2.{i}")

    locked = browser()
    answer = enter(locked, REMOTE_ADDR="198.51.100.7")

    assert not is_in(locked), "the right password, from an address that never failed"
    assert "しばらく受け付けません" in answer.content.decode()
    other = browser()
    enter(other, "ren@example.org", REMOTE_ADDR="198.51.100.7")
    assert is_in(other), "another account is not locked"

    now = time.time()
    for seconds, open_ in ((299, False), (301, True)):
        monkeypatch.setattr(ratelimit.time, "time", lambda at=now + seconds: at)
        again = browser()
        enter(again)
        assert is_in(again) is open_


def test_an_address_without_an_account_is_locked_the_same():
    for i in range(5):
        enter(browser(), "nobody@example.org", REMOTE_ADDR=f"192.0.2.{i}")

    assert "しばらく受け付けません" in enter(browser(), "nobody@example.org").content.decode()


def test_codes_of_an_app_cannot_be_tried_one_after_the_other(monkeypatch):
    secret = add_app(account(password=PASSWORD))
    client = browser()
    enter(client)
    for i in range(12):
        client.post(reverse("mfa_authenticate"), {"code": f"{i:06}"})

    answer = client.post(reverse("mfa_authenticate"), {"code": app_code(secret)})

    assert not is_in(client), "the right code, after too many wrong ones"
    assert "しばらく受け付けません" in answer.content.decode()


def test_too_many_mails_are_refused_with_a_page_that_says_so():
    account()
    client = browser()

    answers = [client.post(reverse("account_reset_password"), {"email": "mio@example.org"}) for _ in range(6)]

    assert answers[-1].status_code == 429
    assert "少し待ってください" in answers[-1].content.decode()


# -- sessions ----------------------------------------------------------------------------------------------------------


def opened_by(client):
    client.get(reverse("account_email"))
    return UserSession.objects.get(session_key=client.session.session_key)


def test_another_device_is_signed_out_from_the_list():
    user = account()
    here, there = sign_in(user), sign_in(user)
    opened_by(here)

    here.post(reverse("end_session"), {"session": opened_by(there).pk})

    assert here.get(reverse("usersessions_list")).status_code == 200
    assert there.get(reverse("usersessions_list")).status_code == 302


def test_nobody_signs_out_a_stranger():
    there, stranger = sign_in(account()), sign_in(account("ken@example.org"))

    for number in (opened_by(there).pk, "x", ""):
        assert stranger.post(reverse("end_session"), {"session": number}).status_code == 404

    assert there.get(reverse("usersessions_list")).status_code == 200


def test_all_other_devices_are_signed_out_at_once():
    user = account()
    here, *others = (sign_in(user) for _ in range(3))
    for client in (here, *others):
        opened_by(client)

    here.post(reverse("usersessions_list"))

    assert is_in(here)
    assert [client.get(reverse("account_email")).status_code for client in others] == [302, 302]


def test_a_persons_session_ends_thirty_days_after_their_last_visit(monkeypatch):
    client = sign_in(account())
    client.get(reverse("account_email"))
    at_first = Session.objects.get().expire_date
    assert timedelta(days=29, hours=23) < at_first - timezone.now() <= timedelta(days=30)
    Session.objects.update(expire_date=timezone.now() + timedelta(days=3))

    client.get(reverse("account_email"))
    assert Session.objects.get().expire_date < timezone.now() + timedelta(days=4), "noted once an hour"
    now = time.time()
    monkeypatch.setattr(sessions.time, "time", lambda: now + 3601)
    client.get(reverse("account_email"))

    assert Session.objects.get().expire_date > timezone.now() + timedelta(days=29)


def test_the_times_of_sessions_are_those_where_the_person_lives(hana):
    client = sign_in(hana.user)
    UserSession.objects.filter(pk=opened_by(client).pk).update(created_at=datetime(2026, 3, 31, 20, 5, tzinfo=UTC))

    page = client.get(reverse("usersessions_list")).content.decode()

    assert "2026-04-01 05:05" in page
    assert "Asia/Tokyo" in page


def test_looking_twice_writes_nothing(hana):
    client = sign_in(hana.user)
    client.get("/now")

    with CaptureQueriesContext(connection) as asked:
        assert client.get("/now").status_code == 200

    assert [one["sql"] for one in asked if not one["sql"].startswith("SELECT")] == []


def test_what_is_left_of_ended_sessions_is_swept():
    here, ended = sign_in(account()), sign_in(account("ken@example.org"))
    opened_by(here)
    Session.objects.filter(session_key=opened_by(ended).session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )

    assert sessions.sweep_sessions() == 1

    assert UserSession.objects.get().user.email == "mio@example.org"
    assert Session.objects.count() == 1


def visits(client, monkeypatch, *minutes):
    """Open a page after each of the spans; say of each whether it was answered."""
    at = time.time()
    for span in minutes:
        at += span * 60
        monkeypatch.setattr(sessions.time, "time", lambda now=at: now)
        yield client.get(reverse("usersessions_list")).status_code == 200


def test_staff_sign_in_again_after_fifteen_minutes_alone(monkeypatch):
    user = account()
    user.is_staff = True
    user.save()

    assert list(visits(sign_in(user), monkeypatch, 0, 14, 14, 16)) == [True, True, True, False]


def test_staff_sign_in_again_after_twelve_hours_of_work(monkeypatch):
    user = account()
    user.is_staff = True
    user.save()

    answered = list(visits(sign_in(user), monkeypatch, *[10] * 80))

    assert sum(answered) == 73, "the first visit, and 72 of ten minutes"
    assert answered[:73] == [True] * 73


def test_people_are_not_signed_out_by_the_clock_of_staff(monkeypatch):
    assert all(visits(sign_in(account()), monkeypatch, 0, 16, 13 * 60))


# -- asked again -------------------------------------------------------------------------------------------------------

ASKED_AGAIN = [
    "mfa_add_webauthn", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "account_set_password",
]  # fmt: skip


@pytest.mark.parametrize("proved_s_ago", [None, 601])
@pytest.mark.parametrize("name", ASKED_AGAIN)
def test_a_change_of_how_one_signs_in_asks_again_who_it_is(name, proved_s_ago):
    user = account()
    if name != "mfa_activate_totp":
        add_app(user)
    client = sign_in(user, proved_s_ago=proved_s_ago)

    answer = client.get(reverse(name))

    assert "reauthenticate" in answer["Location"]
    assert "reauthenticate" not in sign_in(user).get(reverse(name)).headers.get("Location", "")


def test_a_passkey_is_not_removed_or_renamed_without_being_asked_again():
    user = account()
    passkey = Device().add_to(user)
    client = sign_in(user, proved_s_ago=None)

    for name in ("mfa_remove_webauthn", "mfa_edit_webauthn"):
        answer = client.post(reverse(name, args=[passkey.pk]), {"name": "x"})
        assert "reauthenticate" in answer["Location"]
    assert str(Authenticator.objects.get()) == "電話"


def test_an_address_is_changed_only_by_who_has_just_shown_that_it_is_them_and_reads_the_new_mail():
    user = account()
    new = {"email": "mio.new@example.org", "action_add": ""}
    assert "reauthenticate" in sign_in(user, proved_s_ago=None).post(reverse("account_email"), new)["Location"]
    assert mail.outbox == []

    client = sign_in(user)
    client.post(reverse("account_email"), new)
    user.refresh_from_db()
    assert user.email == "mio@example.org"
    client.post(reverse("account_email_verification_sent"), {"code": code_in(mail.outbox[-1])})

    user.refresh_from_db()
    assert user.email == "mio.new@example.org"
    assert EmailAddress.objects.get().email == "mio.new@example.org"
    assert mail.outbox[-1].to == ["mio@example.org"], "whoever reads the old address learns of it"


@pytest.mark.urls("tests.web.doors")
def test_a_view_that_gives_everything_away_asks_again_and_then_does_what_was_asked(hana):
    client = sign_in(hana.user, proved_s_ago=601)

    led = client.post("/give", {"all": "yes"})
    assert led["Location"].startswith(reverse("account_request_reauthentication_code"))
    client.get(led["Location"])
    client.post(led["Location"], {"recipient": hana.user.email, "next": "/give"})
    done = client.post(
        reverse("account_confirm_reauthentication_code"), {"code": code_in(mail.outbox[-1]), "next": "/give"}
    )

    assert done.content == b"POST yes"
    assert client.get("/give").content == b"GET "


@pytest.mark.urls("tests.web.doors")
def test_a_visitor_is_led_to_the_sign_in_before_anything_is_given_away(db):
    assert browser().post("/give")["Location"].startswith(reverse("account_login"))


# -- noted -------------------------------------------------------------------------------------------------------------


def noted(user):
    lines = AuditEvent.objects.filter(object_type="user", object_id=str(user.pk)).order_by("pk")
    return list(lines.values_list("action", flat=True))


def test_the_audit_tells_the_person_of_each_sign_in_and_of_each_change(hana):
    client, device = sign_in(hana.user), Device()
    answer = client.post(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"] == reverse("mfa_index")
    page = client.get(reverse("mfa_add_webauthn")).content.decode()
    client.post(reverse("mfa_add_webauthn"), {"passwordless": "on", "credential": device.make(options_in(page))})
    other = browser()
    other.post(reverse("mfa_login_webauthn"), {"credential": device.use(passkey_asked(other))})
    client.post(reverse("mfa_remove_webauthn", args=[Authenticator.objects.get(type="webauthn").pk]))

    assert noted(hana.user) == ["change", "change", "login", "change", "change"]  # recovery codes go with the passkey
    mine = AuditEvent.objects.visible_to(hana.user).filter(object_type="user")
    assert {line.actor for line in mine} == {hana.user_id}
    assert broken_at() is None


def test_a_sign_in_that_stopped_at_the_second_step_is_not_noted_as_one():
    user = account(password=PASSWORD)
    add_app(user)

    enter(browser())

    assert noted(user) == []


# -- staff -------------------------------------------------------------------------------------------------------------


@pytest.mark.urls("tests.web.doors")
def test_a_page_for_staff_is_not_there_for_anybody_else(as_hana):
    assert as_hana.get("/staff").status_code == 404
    assert browser().get("/staff")["Location"].startswith(reverse("account_login"))


@pytest.mark.urls("tests.web.doors")
def test_staff_enter_their_pages_only_with_a_second_proof():
    user = account()
    user.is_staff = True
    user.save()
    client = sign_in(user)

    assert client.get("/staff")["Location"] == reverse("mfa_index")
    secret = add_app(user)
    led = client.get("/staff")["Location"]
    assert led.startswith(reverse("mfa_reauthenticate"))
    assert client.post(led, {"code": app_code(secret), "next": "/staff"})["Location"] == "/staff"

    assert client.get("/staff").content == b"staff"


@pytest.mark.urls("tests.web.doors")
def test_staff_who_signed_in_with_a_passkey_are_asked_no_more():
    device, client = Device(), browser()
    sign_up_by_passkey(browser(), device)
    User.objects.update(is_staff=True)

    client.post(reverse("mfa_login_webauthn"), {"credential": device.use(passkey_asked(client))})

    assert client.get("/staff").content == b"staff"


# -- the example -------------------------------------------------------------------------------------------------------


@pytest.mark.urls("tests.web.doors")
def test_who_looks_around_as_the_example_changes_nothing_of_the_account():
    user = User.objects.create_user(ADDRESS)
    from unaji.web.casebook.actions.people import open_casebook

    open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=["care"], language="ja", simulated=True)
    client = browser()
    client.post(reverse("example"))
    assert is_in(client)

    for name in ("account_email", "mfa_index", "mfa_add_webauthn", "usersessions_list", "account_set_password"):
        assert client.get(reverse(name))["Location"] == reverse("patient:more")
    answer = client.post(reverse("account_email"), {"email": "mine@example.org", "action_add": ""})
    assert answer["Location"] == reverse("patient:more")
    assert client.post("/give").status_code == 403
    assert client.post(reverse("account_logout")).status_code == 302
    assert not is_in(client)

"""Reminders: chosen on one screen, sent once a day to those who have not written, saying nothing of health."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone

from tests.web.conftest import make_person
from tests.web.test_push import BROWSER
from unaji.web.casebook.actions import diary, reminders
from unaji.web.casebook.actions.consents import consented
from unaji.web.casebook.actions.reminders import add_browser, send_due, set_reminder, wrote_on
from unaji.web.casebook.management.commands.clock import DUE
from unaji.web.casebook.models import AuditEvent, Consent, Episode, PushSubscription, Reminder
from unaji.web.casebook.push import Browser, FailedError, GoneError, RefusedError

TOKYO = ZoneInfo("Asia/Tokyo")


def at(hour, minute=0, day=27):
    return datetime(2026, 4, day, hour, minute, tzinfo=TOKYO).astimezone(UTC)


@pytest.fixture
def reached(db):
    """Hana, who agreed to be reminded."""
    return make_person("hana@example.org", purposes=("care", "contact"))


@pytest.fixture
def reminded(reached):
    """Hana, who is reminded by mail at nine in the evening since the day before."""
    set_reminder(reached, by=reached.user, local_time=time(21), by_mail=True, by_push=False, now=at(12, day=26))
    return reached


@pytest.fixture
def services(monkeypatch):
    """Stand in for the push services: keep what they are sent, answer as told."""

    class Services:
        def __init__(self):
            self.sent, self.error = [], None

        def notify(self, browser, text, **more):
            if self.error:
                raise self.error
            self.sent.append((browser.endpoint, json.loads(text), more))

    services = Services()
    monkeypatch.setattr(reminders, "notify", services.notify)
    return services


@pytest.fixture
def pushed(reached):
    set_reminder(reached, by=reached.user, local_time=time(21), by_mail=False, by_push=True, now=at(12, day=26))
    add_browser(reached, BROWSER, by=reached.user)
    return reached


def test_a_reminder_is_mailed_at_the_persons_time_and_once_a_day(reminded):
    assert send_due(at(20, 59)) == 0
    assert send_due(at(21, 0)) == 1
    assert send_due(at(21, 1)) == 0
    assert send_due(at(21, 0, day=28)) == 1
    assert [one.to for one in mail.outbox] == [["hana@example.org"]] * 2


def test_the_mail_says_that_there_is_something_and_nothing_else(reminded, settings):
    settings.ORIGIN = "https://unaji.example"

    send_due(at(21))

    (sent,) = mail.outbox
    assert sent.subject == "unaji に新しいお知らせ"
    said = sent.body.splitlines()
    assert [one for one in said if one] == [
        "unaji に新しいお知らせ", "https://unaji.example/evening", "お知らせの時刻を変える・やめる",
        "https://unaji.example/mine/reminders",
    ]  # fmt: skip


def test_the_mail_speaks_the_persons_language(reminded):
    reminded.user.language = "en"
    reminded.user.save()

    send_due(at(21))

    assert mail.outbox[0].subject == "unaji has something new for you"


@pytest.mark.parametrize("wrote", [
    lambda p: diary.log_episode(p, by=p.user),
    lambda p: diary.rate(p, by=p.user, quantity="stress", value=3.0),
    lambda p: diary.log_nothing(p, by=p.user),
    lambda p: diary.log_treatment(p, by=p.user, kind="acupuncture", time=timezone.now()),
])  # fmt: skip
def test_who_wrote_today_is_not_reminded_today(reached, wrote):
    now = timezone.now().astimezone(TOKYO)
    Reminder.objects.create(person=reached, local_time=now.time().replace(microsecond=0), by_mail=True)
    wrote(reached)

    assert send_due(now) == 0
    assert wrote_on(reached, now.date())
    assert mail.outbox == []


def test_what_was_taken_back_and_what_was_written_yesterday_do_not_count(reminded):
    taken_back = diary.log_episode(reminded, by=reminded.user)
    Episode.objects.filter(pk=taken_back.pk).update(recorded_at=at(18), withdrawn_at=at(18, 5))
    yesterday = diary.log_episode(reminded, by=reminded.user)
    Episode.objects.filter(pk=yesterday.pk).update(recorded_at=at(23, 59, day=26))

    assert send_due(at(21)) == 1


def test_without_consent_nothing_is_sent(reminded):
    Consent.objects.filter(person=reminded, purpose="contact").update(withdrawn_at=timezone.now())

    assert send_due(at(21)) == 0
    assert mail.outbox == []


def test_a_reminder_that_is_two_hours_late_is_left_out(reminded):
    assert send_due(at(23, 1)) == 0
    assert send_due(at(21, day=28)) == 1


def test_a_time_that_is_over_today_begins_tomorrow(reached):
    set_reminder(reached, by=reached.user, local_time=time(21), by_mail=True, by_push=False, now=at(22))

    assert send_due(at(22, 1)) == 0
    assert send_due(at(21, day=28)) == 1


def test_a_time_that_summer_time_leaves_out_comes_right_after_it_and_a_doubled_one_comes_once(reached):
    reached.timezone = "Europe/Berlin"
    reached.save()
    Reminder.objects.create(person=reached, local_time=time(2, 30), by_mail=True)
    spring, autumn = datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert send_due(spring - timedelta(minutes=1)) == 0
    assert send_due(spring) == 1
    assert [send_due(autumn + timedelta(minutes=m)) for m in (0, 30, 60, 90)] == [1, 0, 0, 0]


def test_two_clocks_send_one_reminder(reminded):
    both = list(Reminder.objects.all())

    assert [reminders._claimed(one, date(2026, 4, 27)) for one in (*both, *both)] == [True, False]


def test_a_mail_server_that_is_away_does_not_stop_the_others(reminded, monkeypatch):
    other = make_person("ken@example.org", purposes=("care", "contact"))
    set_reminder(other, by=other.user, local_time=time(21), by_mail=True, by_push=False, now=at(12, day=26))
    tried = []

    def refused(self, **_):
        tried.append(self.to)
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refused)

    assert send_due(at(21)) == 0
    assert len(tried) == 2


def test_a_look_that_takes_too_long_leaves_the_rest_for_the_next(reminded, monkeypatch):
    other = make_person("ken@example.org", purposes=("care", "contact"))
    set_reminder(other, by=other.user, local_time=time(21), by_mail=True, by_push=False, now=at(12, day=26))
    monkeypatch.setattr(reminders, "LONGEST_LOOK_S", -1.0)

    assert [send_due(at(21)) for _ in range(3)] == [1, 1, 0]
    assert {one.to[0] for one in mail.outbox} == {"hana@example.org", "ken@example.org"}


def test_a_notification_says_no_more_than_the_mail(pushed, services):
    assert send_due(at(21)) == 1

    ((endpoint, said, more),) = services.sent
    assert endpoint == BROWSER.endpoint
    assert said == {"title": "unaji", "body": "unaji に新しいお知らせ", "to": "/evening", "lang": "ja"}
    assert more["now"] == at(21)


def test_a_browser_that_is_gone_is_forgotten(pushed, services):
    services.error = GoneError()

    assert send_due(at(21)) == 0
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("error", [FailedError("503"), RefusedError("private")])
def test_a_browser_that_was_not_reached_is_kept_and_noted(pushed, services, error):
    services.error = error

    assert send_due(at(21)) == 0
    assert PushSubscription.objects.get().failed_at == at(21)


def test_the_clock_looks_for_reminders():
    assert send_due in DUE


# -- the screen --------------------------------------------------------------------------------------------------------


def test_reminders_begin_with_the_consent_that_is_asked_on_the_same_screen(as_hana, hana):
    page = as_hana.get("/mine/reminders").content.decode()
    assert "からだのことは書きません" in page
    assert 'name="consent"' in page

    refused = as_hana.post("/mine/reminders", {"time": "20:30", "by_mail": "yes"})
    assert refused.status_code == 422
    assert not Reminder.objects.exists()

    as_hana.post("/mine/reminders", {"time": "20:30", "by_mail": "yes", "consent": "yes"})

    held = Reminder.objects.get(person=hana)
    assert (held.local_time, held.by_mail, held.by_push) == (time(20, 30), True, False)
    assert consented(hana, "contact")
    page = as_hana.get("/mine/reminders").content.decode()
    assert "毎日20:30にお知らせします" in page
    assert 'name="consent"' not in page


def test_reminders_are_off_by_one_tap(as_hana, hana):
    as_hana.post("/mine/reminders", {"time": "20:30", "by_mail": "yes", "consent": "yes"})
    add_browser(hana, BROWSER, by=hana.user)

    as_hana.post("/mine/reminders/stop")

    assert not Reminder.objects.exists()
    assert not PushSubscription.objects.exists()
    assert "お知らせは、していません" in as_hana.get("/mine/reminders").content.decode()


@pytest.mark.parametrize("sent", [
    {"by_mail": "yes"}, {"time": "25:00", "by_mail": "yes"}, {"time": "20:30"}, {"time": "20:30", "by_push": "yes"},
])  # fmt: skip
def test_what_would_send_nothing_is_said_and_not_kept(as_hana, sent):
    answer = as_hana.post("/mine/reminders", {"consent": "yes", **sent})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Reminder.objects.exists()


def subscription(**changes):
    return json.dumps(
        {"endpoint": BROWSER.endpoint, "keys": {"p256dh": BROWSER.p256dh, "auth": BROWSER.auth}, **changes}
    )


def put(client, body):
    return client.post("/mine/push", body, content_type="application/json")


def test_a_browser_is_kept_with_consent_and_belongs_to_the_last_who_asked(as_hana, as_ken, hana, ken):
    assert put(as_hana, subscription()).status_code == 409
    assert put(as_hana, subscription(consent="yes")).status_code == 200
    assert PushSubscription.objects.get().person == hana

    put(as_ken, subscription(consent="yes"))

    assert PushSubscription.objects.get().person == ken


@pytest.mark.parametrize("body", [
    "", "[]", "null", "{", json.dumps({"endpoint": "https://10.0.0.1/x", "keys": {"p256dh": "a", "auth": "b"}}),
    subscription(endpoint="http://push.example.net/"), subscription(endpoint="https://router.local/"),
    subscription(keys={"p256dh": "AAAA", "auth": BROWSER.auth}), subscription(keys=None), "[" * 100_000,
])  # fmt: skip
def test_what_is_no_browser_is_not_kept(as_hana, hana, body):
    assert put(as_hana, body).status_code == 422
    assert not PushSubscription.objects.exists()


def test_nobody_subscribes_without_signing_in(visitor):
    assert put(visitor, subscription(consent="yes")).status_code == 401


def test_a_person_has_ten_browsers_at_most_the_latest(reached):
    for n in range(12):
        add_browser(reached, Browser(f"https://push.example.net/{n}", BROWSER.p256dh, BROWSER.auth), by=reached.user)

    kept = set(PushSubscription.objects.values_list("endpoint", flat=True))
    assert len(kept) == 10
    assert "https://push.example.net/11" in kept
    assert "https://push.example.net/0" not in kept


def test_every_change_of_reminders_is_in_the_audit(as_hana, hana):
    as_hana.post("/mine/reminders", {"time": "20:30", "by_mail": "yes", "consent": "yes"})
    as_hana.post("/mine/reminders", {"time": "21:30", "by_mail": "yes"})
    as_hana.post("/mine/reminders/stop")

    lines = AuditEvent.objects.filter(object_type="reminder").order_by("pk")
    assert [one.action for one in lines] == ["create", "change", "withdraw"]


def test_the_worker_of_the_browser_shows_what_it_is_sent(visitor):
    script = visitor.get("/sw.js").content.decode()

    assert 'addEventListener("push"' in script
    assert 'addEventListener("notificationclick"' in script
    assert "/static/unaji/icon-192" in script


def test_nobody_is_reminded_or_notified_as_the_invented_person(as_hana, hana, services):
    hana.simulated = True
    hana.save()

    assert as_hana.post("/mine/reminders", {"time": "20:30", "by_mail": "yes", "consent": "yes"}).status_code == 422
    assert put(as_hana, subscription(consent="yes")).status_code == 409
    assert not Reminder.objects.exists()
    assert not PushSubscription.objects.exists()

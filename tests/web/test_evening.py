"""The evening: everything may be left open, and what is answered is written once, at the time it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from unaji.web.casebook.actions import diary
from unaji.web.casebook.models import Episode, Exposure, Rating

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def clock(monkeypatch):
    """Set the clock on a day of April in Tokyo."""

    def put(hour, minute=0, day=27):
        now = datetime(2026, 4, day, hour, minute, tzinfo=TOKYO).astimezone(UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        return now

    put(21)
    return put


def local(moment):
    return f"{moment.astimezone(TOKYO):%d %H:%M}"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_evening_opens_in_both_languages(as_hana, hana, language, clock):
    hana.user.language = language
    hana.user.save()

    answer = as_hana.get("/evening")

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()


def test_all_that_is_answered_is_written_at_its_time(as_hana, hana, clock):
    now = clock(21)
    sent = {"client_id": str(uuid4()), "nothing": "yes", "stress": "6", "neck_stiffness": "4", "sleep_quality": "7",
            "drink": ["caffeine-morning", "caffeine-noon", "alcohol-night"]}  # fmt: skip

    answer = as_hana.post("/evening", sent)

    assert answer.status_code == 302
    assert {(one.quantity, one.value, local(one.time)) for one in Rating.objects.filter(person=hana)} == {
        ("stress", 6.0, "27 21:00"), ("neck_stiffness", 4.0, "27 21:00"), ("sleep_quality", 7.0, "27 07:00"),
    }  # fmt: skip
    assert {(one.kind, one.amount, local(one.start)) for one in Exposure.objects.filter(person=hana)} == {
        ("check_in", None, "27 21:00"), ("caffeine", 1.0, "27 08:00"), ("caffeine", 1.0, "27 12:30"),
        ("alcohol", 1.0, "27 20:00"),
    }  # fmt: skip
    assert Exposure.objects.get(kind="check_in").start == now
    assert "書きとめました" in as_hana.get(answer["Location"]).content.decode()


def test_the_same_page_sent_twice_is_written_once(as_hana, hana, clock):
    sent = {"client_id": str(uuid4()), "nothing": "yes", "stress": "6", "drink": ["caffeine-noon"]}

    for _ in range(2):
        as_hana.post("/evening", sent)

    assert Rating.objects.filter(person=hana).count() == 1
    assert Exposure.objects.filter(person=hana).count() == 2


def test_nothing_answered_is_nothing_written(as_hana, hana, clock):
    answer = as_hana.post("/evening", {"client_id": str(uuid4())})

    assert answer.status_code == 302
    assert not Rating.objects.exists()
    assert not Exposure.objects.exists()
    assert "書きとめました" not in as_hana.get(answer["Location"]).content.decode()


def test_a_value_that_cannot_be_leaves_nothing_half_written(as_hana, hana, clock):
    answer = as_hana.post("/evening", {"client_id": str(uuid4()), "stress": "6", "sleep_quality": "11"})

    assert answer.status_code == 422
    assert not Rating.objects.exists()


def test_episodes_of_the_day_are_counted_and_nothing_happened_is_not_offered(as_hana, hana, clock):
    now = clock(21)
    for hours in (2, 5):
        diary.log_episode(hana, by=hana.user, start=now - timedelta(hours=hours))
    diary.log_episode(hana, by=hana.user, start=now - timedelta(hours=25))

    page = as_hana.get("/evening").content.decode()
    as_hana.post("/evening", {"client_id": str(uuid4()), "nothing": "yes"})

    assert "きょうは2回でした" in page
    assert 'name="nothing"' not in page
    assert not Exposure.objects.filter(kind="check_in").exists()


def test_after_midnight_the_day_that_has_ended_is_told(as_hana, hana, clock):
    clock(0, 30, day=28)

    page = as_hana.get("/evening").content.decode()
    as_hana.post("/evening", {"client_id": str(uuid4()), "nothing": "yes", "stress": "2"})

    assert "4月27日" in page
    assert local(Exposure.objects.get(kind="check_in").start) == "27 23:59"
    assert local(Rating.objects.get().time) == "27 23:59"


def test_parts_of_the_day_that_are_still_to_come_are_not_offered_and_never_written_ahead(as_hana, hana, clock):
    now = clock(14)

    page = as_hana.get("/evening").content.decode()
    as_hana.post("/evening", {"client_id": str(uuid4()), "drink": ["caffeine-night"]})

    assert "ゆうべはよく眠れましたか" in page
    assert "caffeine-noon" in page
    assert "caffeine-late" not in page
    assert Exposure.objects.get().start == now


def test_sleep_is_told_of_the_night_that_was_written_down(as_hana, hana, clock):
    now = clock(21)
    up = now.astimezone(TOKYO).replace(hour=6, minute=10)
    diary.expose(hana, by=hana.user, kind="sleep", start=up - timedelta(hours=7), end=up)

    as_hana.post("/evening", {"client_id": str(uuid4()), "sleep_quality": "3"})

    assert local(Rating.objects.get().time) == "27 06:10"


def test_drinks_that_are_written_already_are_said(as_hana, hana, clock):
    now = clock(21)
    for hours in (3, 9):
        diary.expose(hana, by=hana.user, kind="caffeine", start=now - timedelta(hours=hours), amount=1.0)

    assert "もう2杯書いてあります" in as_hana.get("/evening").content.decode()


def test_a_strangers_evening_is_their_own(as_ken, as_hana, hana, ken, clock):
    as_hana.post("/evening", {"client_id": str(uuid4()), "stress": "6"})

    assert not Rating.objects.filter(person=ken).exists()
    assert not Episode.objects.exists()
    assert "もう" not in as_ken.get("/evening").content.decode()


def test_a_visitor_is_led_to_sign_in(visitor, db):
    assert visitor.get("/evening").status_code == 302


def test_now_leads_to_the_evening_until_it_is_told(as_hana, hana, clock):
    def offered():
        return 'href="/evening"' in as_hana.get("/now").content.decode()

    clock(17, 59)
    assert not offered()
    clock(18, 0)
    assert offered()
    as_hana.post("/evening", {"client_id": str(uuid4()), "stress": "3"})
    assert not offered()
    clock(2, 0, day=28)  # the night still belongs to the day that was told
    assert not offered()
    clock(18, 30, day=28)
    assert offered()

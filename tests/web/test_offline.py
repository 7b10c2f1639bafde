"""What a phone kept arrives once, at the time it was noted, and is nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from unaji.web.casebook.models import Episode, Exposure

pytestmark = pytest.mark.django_db


def sync(client, person, *entries, now=None):
    said = {"person": str(person.pk), "entries": entries, **({} if now is None else {"now": now.isoformat()})}
    return client.post("/now/sync", json.dumps(said), content_type="application/json")


def entry(kind="episode", at=None, **more):
    return {"kind": kind, "client_id": str(uuid4()), "at": at or timezone.now().isoformat(), **more}


def test_an_entry_is_stored_once_however_often_it_is_sent(as_hana, hana):
    one = entry()

    first, second = (sync(as_hana, hana, one).json() for _ in range(2))

    assert first["stored"] == second["stored"] != {}
    assert Episode.objects.get(person=hana).source == "offline"


def test_a_phone_whose_clock_is_an_hour_fast_loses_nothing(as_hana, hana):
    fast = timezone.now() + timedelta(hours=1)

    answer = sync(as_hana, hana, entry(at=(fast - timedelta(minutes=5)).isoformat()), now=fast).json()

    assert answer["refused"] == {}
    start = Episode.objects.get(person=hana).start
    assert abs(start - (timezone.now() - timedelta(minutes=5))) < timedelta(minutes=1)


def test_a_time_that_was_typed_is_on_the_persons_wall_clock(as_hana, hana):
    sync(as_hana, hana, entry(at="2026-11-28T08:30"))

    assert Episode.objects.get(person=hana).start == datetime(2026, 11, 27, 23, 30, tzinfo=UTC)


def test_what_is_of_another_person_is_not_taken(as_hana, ken):
    assert sync(as_hana, ken, entry()).status_code == 409
    assert not Episode.objects.exists()


@pytest.mark.parametrize("order", [("entry", "withdrawal"), ("withdrawal", "entry")])
@pytest.mark.parametrize("kind", ["episode", "nothing"])
def test_taking_back_wins_in_whatever_order_they_arrive(as_hana, hana, kind, order):
    one = entry(kind)
    both = {"entry": one, "withdrawal": {**one, "kind": "withdraw", "of": kind}}

    for name in order:
        sync(as_hana, hana, both[name])

    model = Episode if kind == "episode" else Exposure
    assert model.objects.filter(person=hana).count() == 1
    assert not model.objects.filter(person=hana).kept().exists()


NONSENSE = (
    "", "[]", "{}", '{"person": 1}', '{"person": "PERSON", "entries": 3}', '{"person": "PERSON", "entries": [null]}',
)  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_stores_nothing_and_breaks_nothing(as_hana, hana, body):
    sent = body.replace("PERSON", str(hana.pk))

    answer = as_hana.post("/now/sync", sent, content_type="application/json")

    assert answer.status_code in (200, 400, 409)
    assert not Episode.objects.exists()


def test_a_script_without_a_session_is_told_so(visitor):
    assert visitor.get("/now/sync").status_code == 401

"""What a device writes is in the diary once, of its own person alone, and told with the person's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from unaji.quantities import EXPOSURES, RATINGS
from unaji.web.casebook.actions import diary
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.models import AuditEvent, Episode, Exposure, Rating


def test_an_empty_object_logs_an_episode_now(hanas, hana):
    before = timezone.now()

    answer = hanas.post("/episodes", {})

    episode = Episode.objects.get(person=hana)
    assert answer.status_code == 201
    assert before <= episode.start <= timezone.now()
    assert answer.json()["id"] == str(episode.pk)
    assert datetime.fromisoformat(answer.json()["start"]).utcoffset() == timedelta(hours=9)
    assert episode.source == "api"


def test_all_that_is_said_of_an_episode_is_kept(hanas, hana):
    sent = {"client_id": str(uuid4()), "start": "2026-04-27T14:32:00+09:00", "end": "2026-04-27T05:50:00Z",
            "intensity": 7, "bother": 3, "place": "desk", "note": "会議のあと"}  # fmt: skip

    told = hanas.post("/episodes", sent).json()

    episode = Episode.objects.get(person=hana)
    assert episode.start == datetime(2026, 4, 27, 5, 32, tzinfo=UTC)
    assert episode.end == datetime(2026, 4, 27, 5, 50, tzinfo=UTC)
    assert (episode.intensity, episode.bother, episode.place, episode.note) == (7, 3, "desk", "会議のあと")
    assert told["end"] == "2026-04-27T14:50:00+09:00"
    assert told["late"] is True


def test_a_time_without_an_offset_is_read_on_the_persons_clock(hanas, hana):
    hana.timezone = "America/New_York"
    hana.save()

    hanas.post("/episodes", {"start": "2026-04-27T14:32:00"})

    assert Episode.objects.get(person=hana).start == datetime(2026, 4, 27, 18, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/episodes", {"intensity": 4}, Episode),
        ("/ratings", {"quantity": "stress", "value": 4.5}, Rating),
        ("/exposures", {"kind": "caffeine", "amount": 1}, Exposure),
        ("/nothing", {}, Exposure),
    ],
)
def test_an_entry_that_is_sent_twice_is_stored_once_and_told_again(hanas, hana, path, body, model):
    number = str(uuid4())

    first = hanas.post(path, {**body, "client_id": number})
    second = hanas.post(path, {**body, "client_id": number})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert model.objects.filter(person=hana).count() == 1


def test_a_day_on_which_nothing_happened_is_a_check_in(hanas, hana):
    hanas.post("/nothing", {"at": "2026-04-27T21:00:00"})

    assert Exposure.objects.get(person=hana).kind == diary.CHECK_IN


@pytest.mark.parametrize("quantity", list(RATINGS))
def test_every_feeling_of_the_vocabulary_can_be_written(hanas, quantity):
    assert hanas.post("/ratings", {"quantity": quantity, "value": 0}).status_code == 201


@pytest.mark.parametrize("kind", [one for one in EXPOSURES if one != "check_in"])
def test_every_exposure_of_the_vocabulary_can_be_written(hanas, kind):
    assert hanas.post("/exposures", {"kind": kind}).status_code == 201


def test_an_episode_is_ended_and_what_is_not_named_stays(hanas, hana):
    episode = diary.log_episode(hana, by=hana.user, intensity=6, place="desk", note="x")

    told = hanas.call("PATCH", f"/episodes/{episode.pk}", {"end": timezone.now().isoformat(), "intensity": None})

    episode.refresh_from_db()
    assert told.status_code == 200
    assert episode.end is not None
    assert (episode.intensity, episode.place, episode.note) == (None, "desk", "x")


def test_an_episode_that_was_taken_back_does_not_return_and_is_not_changed(hanas, hana):
    number = str(uuid4())
    told = hanas.post("/episodes", {"client_id": number}).json()

    assert hanas.call("DELETE", f"/episodes/{told['id']}").status_code == 204
    assert hanas.call("DELETE", f"/episodes/{told['id']}").status_code == 204
    again = hanas.post("/episodes", {"client_id": number})

    assert (again.status_code, again.json()["withdrawn"]) == (200, True)
    assert hanas.get("/episodes").json()["episodes"] == []
    assert hanas.call("PATCH", f"/episodes/{told['id']}", {"intensity": 3}).status_code == 404


def test_pages_of_episodes_hold_each_of_them_once(hanas, hana):
    first = datetime(2026, 4, 1, 12, tzinfo=UTC)
    for day in range(7):
        diary.log_episode(hana, by=hana.user, start=first + timedelta(days=day))
    found, since = [], "2026-04-02T00:00:00+00:00"

    while since:
        page = hanas.get("/episodes", data=None, QUERY_STRING=f"limit=2&since={since.replace('+', '%2B')}").json()
        found += [datetime.fromisoformat(one["start"]) for one in page["episodes"]]
        since = page["next_since"]

    assert found == [first + timedelta(days=day) for day in range(1, 7)]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_entry_of_somebody_else_is_not_there(kens, hana, method):
    episode = diary.log_episode(hana, by=hana.user, intensity=6)

    answer = kens.call(method, f"/episodes/{episode.pk}", {"intensity": 1})

    episode.refresh_from_db()
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert (episode.intensity, episode.withdrawn_at) == (6, None)
    assert kens.get("/episodes").json()["episodes"] == []


NOW = "2026-04-27T12:00:00Z"


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/episodes", {"start": "2126-01-01T00:00:00Z"}, "body.start"),
        ("/episodes", {"start": "0001-01-01T00:00:00+14:00"}, "body.start"),
        ("/episodes", {"start": 1_777_777_777}, "body.start"),
        ("/episodes", {"start": "yesterday"}, "body.start"),
        ("/episodes", {"start": "2099-01-01T00:00:00Z"}, "body"),
        ("/episodes", {"start": NOW, "end": "2026-04-27T11:00:00Z"}, "body"),
        ("/episodes", {"intensity": 11}, "body.intensity"),
        ("/episodes", {"intensity": -1}, "body.intensity"),
        ("/episodes", {"intensity": True}, "body.intensity"),
        ("/episodes", {"intensity": 4.5}, "body.intensity"),
        ("/episodes", {"intensity": "4"}, "body.intensity"),
        ("/episodes", {"intensity": 10**400}, "body.intensity"),
        ("/episodes", {"place": "moon"}, "body.place"),
        ("/episodes", {"note": "x" * 1001}, "body.note"),
        ("/episodes", {"note": "a\0b"}, "body.note"),
        ("/episodes", {"note": "\ud800"}, "body.note"),
        ("/episodes", {"client_id": "one"}, "body.client_id"),
        ("/episodes", {"itensity": 4}, "body.itensity"),
        ("/ratings", {"quantity": "stress"}, "body.value"),
        ("/ratings", {"quantity": "joy", "value": 4}, "body.quantity"),
        ("/ratings", {"quantity": "stress", "value": 10.5}, "body.value"),
        ("/exposures", {"kind": "check_in"}, "body.kind"),
        ("/exposures", {"kind": "caffeine", "amount": -1}, "body.amount"),
        ("/nothing", {"at": "2099-01-01T00:00:00Z"}, "body"),
    ],
)
def test_what_cannot_be_is_refused_with_the_place_where_it_stands(hanas, path, body, at):
    answer = hanas.post(path, body)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [one["at"] for one in answer.json()["errors"]] == [at]
    assert not any(model.objects.exists() for model in (Episode, Rating, Exposure))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[", b"\xff\xfe", b"[" * 50_000, b'{"intensity": NaN}', b"null", b"[]", b'"x"']
)
def test_what_is_no_object_of_json_is_refused(hanas, body):
    answer = hanas.post("/episodes", body)

    assert answer.status_code in (400, 422)
    assert answer.json()["status"] == answer.status_code
    assert not Episode.objects.exists()


def test_a_start_cannot_be_taken_away(hanas, hana):
    episode = diary.log_episode(hana, by=hana.user)

    assert hanas.call("PATCH", f"/episodes/{episode.pk}", {"start": None}).status_code == 422


def test_the_audit_says_that_it_came_by_the_api(hanas, hana, as_hana):
    told = hanas.post("/episodes", {}).json()
    hanas.call("PATCH", f"/episodes/{told['id']}", {"intensity": 3})
    hanas.call("DELETE", f"/episodes/{told['id']}")
    diary.log_episode(hana, by=hana.user)

    lines = AuditEvent.objects.filter(object_type="episode").order_by("pk")
    assert [(one.role, one.action) for one in lines] == [
        ("api", "create"), ("api", "change"), ("api", "withdraw"), ("person", "create"),
    ]  # fmt: skip
    assert broken_at() is None
    assert "あなた(外の道具から): 熱さの記録を書いた" in as_hana.get("/mine").content.decode()

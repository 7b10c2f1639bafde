"""What a phone kept arrives once, at the time it was noted, and is nobody else's."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.templatetags.static import static
from django.utils import timezone

from tests.web.test_trials import START, at, put
from unaji.web import settings as served
from unaji.web.casebook.actions import diary
from unaji.web.casebook.models import Episode, Exposure, Rating
from unaji.web.patient import offline

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
    both = {"entry": one, "withdrawal": withdrawal(one)}

    for name in order:
        sync(as_hana, hana, both[name])

    model = Episode if kind == "episode" else Exposure
    assert model.objects.filter(person=hana).count() == 1
    assert not model.objects.filter(person=hana).kept().exists()


def form(kind, *fields, **more):
    return entry(kind, fields=[list(one) for one in fields], **more)


def slept(**more):
    times = ("start", "2026-11-27T23:00"), ("end", "2026-11-28T07:00")
    return form("add", ("what", "sleep"), *times, ("sleep_quality", "3"), **more)


def test_a_night_that_was_added_arrives_once_with_how_it_was(as_hana, hana):
    one = slept()

    for _ in range(2):
        assert sync(as_hana, hana, one).json()["stored"] == {one["client_id"]: "2026-11-28"}

    night, quality = Exposure.objects.get(person=hana), Rating.objects.get(person=hana)
    assert (night.kind, night.source, quality.quantity, quality.value, quality.source) == (
        "sleep", "offline", "sleep_quality", 3.0, "offline",
    )  # fmt: skip
    assert quality.time == night.end == datetime(2026, 11, 27, 22, tzinfo=UTC)


def test_moments_that_a_wrong_clock_proposed_are_set_right(as_hana, hana):
    fast = timezone.now() + timedelta(hours=1)
    one = form("add", ("what", "caffeine"), ("start", (fast - timedelta(minutes=5)).isoformat()), ("amount", "2"))

    assert sync(as_hana, hana, one, now=fast).json()["refused"] == {}

    start = Exposure.objects.get(person=hana).start
    assert abs(start - (timezone.now() - timedelta(minutes=5))) < timedelta(minutes=1)


def test_an_evening_arrives_once_and_tells_the_day_it_was_written_on(as_hana, hana):
    at = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)  # nine in the evening in Tokyo
    one = form("evening", ("nothing", "yes"), ("stress", "7"), ("drink", "caffeine-noon"), ("drink", "alcohol-night"),
               at=at.isoformat())  # fmt: skip

    for _ in range(2):
        assert sync(as_hana, hana, one).json()["stored"] == {one["client_id"]: "2026-11-28"}

    met = {(one.kind, one.start) for one in Exposure.objects.filter(person=hana)}
    noon, night = (datetime(2026, 11, 28, *hour, tzinfo=UTC) for hour in ((3, 30), (11, 0)))
    assert met == {("check_in", at), ("caffeine", noon), ("alcohol", night)}
    assert [(one.quantity, one.value, one.time) for one in Rating.objects.filter(person=hana)] == [("stress", 7.0, at)]


def test_a_moment_that_was_typed_is_not_moved_with_a_wrong_clock(as_hana, hana):
    fast = timezone.now() + timedelta(hours=1)
    start, end = ("start", "2026-11-27T23:00:00Z"), ("end", (fast - timedelta(minutes=5)).isoformat())
    one = form("add", ("what", "desk_work"), start, end, typed=["start"])
    tap = entry(at="2026-11-27T23:00:00Z", typed=["at"])

    assert sync(as_hana, hana, one, tap, now=fast).json()["refused"] == {}

    worked = Exposure.objects.get(person=hana)
    assert worked.start == Episode.objects.get(person=hana).start == datetime(2026, 11, 27, 23, tzinfo=UTC)
    assert worked.end < timezone.now()


def withdrawal(one):
    return {**one, "kind": "withdraw", "of": one["kind"]}


def kept_of(person):
    return sum(model.objects.filter(person=person).kept().count() for model in (Episode, Exposure, Rating))


@pytest.mark.parametrize("kind", ["episode", "nothing", "add"])
def test_what_was_taken_back_goes_although_the_phones_clock_was_put_right_meanwhile(as_hana, hana, kind):
    fast = timezone.now() + timedelta(hours=1)
    fields = [["what", "caffeine"], ["start", fast.isoformat()]]
    one = entry(kind, at=fast.isoformat(), **({"fields": fields} if kind == "add" else {}))
    assert sync(as_hana, hana, one, now=fast).json()["refused"] == {}

    answer = sync(as_hana, hana, withdrawal(one), now=timezone.now()).json()

    assert answer["refused"] == {}
    assert kept_of(hana) == 0


def test_an_evening_that_was_taken_back_goes_whole_although_it_was_hot_since(as_hana, hana):
    one = form("evening", ("nothing", "yes"), ("stress", "4"))
    sync(as_hana, hana, one)
    diary.log_episode(hana, by=hana.user)

    sync(as_hana, hana, withdrawal(one))

    assert not Exposure.objects.filter(person=hana).kept().exists()
    assert not Rating.objects.filter(person=hana).kept().exists()
    assert Episode.objects.filter(person=hana).kept().count() == 1


def test_none_on_a_day_of_a_trial_is_taken_back_too(as_hana, hana, monkeypatch):
    put(hana, START)
    monkeypatch.setattr(timezone, "now", lambda: at(START, 21))
    one = form("evening", ("drink", "caffeine-none"), ("stress", "4"), at=at(START, 21).isoformat())
    sync(as_hana, hana, one)
    assert kept_of(hana) == 2

    sync(as_hana, hana, withdrawal(one))

    assert kept_of(hana) == 0


def test_taking_back_what_could_not_be_is_no_complaint(as_hana, hana):
    backwards = form("add", ("what", "sleep"), ("start", "2026-11-28T07:00"), ("end", "2026-11-27T23:00"))

    assert sync(as_hana, hana, withdrawal(backwards)).json()["refused"] == {}


@pytest.mark.parametrize("order", [("entry", "withdrawal"), ("withdrawal", "entry")])
@pytest.mark.parametrize("make", [slept, lambda: form("evening", ("stress", "7"), ("drink", "caffeine-morning"))])
def test_a_form_that_was_taken_back_stays_so(as_hana, hana, make, order):
    one = make()
    both = {"entry": one, "withdrawal": withdrawal(one)}

    for name in order:
        sync(as_hana, hana, both[name])

    assert Exposure.objects.filter(person=hana).count() == Rating.objects.filter(person=hana).count() == 1
    assert not Exposure.objects.filter(person=hana).kept().exists()
    assert not Rating.objects.filter(person=hana).kept().exists()


def test_what_cannot_be_is_refused_with_the_reason_and_leaves_nothing(as_hana, hana):
    backwards = form("add", ("what", "sleep"), ("start", "2026-11-28T07:00"), ("end", "2026-11-27T23:00"))
    untouched = form("add", ("what", "stress"), ("start", "2026-11-28T07:00"))
    unknown = form("add", ("what", "no such thing"), ("start", "2026-11-28T07:00"))
    half = form("evening", ("nothing", "yes"), ("stress", "7"), ("sleep_quality", "eleven"))

    answer = sync(as_hana, hana, backwards, untouched, unknown, half).json()

    assert answer["stored"] == {}
    assert answer["refused"][backwards["client_id"]] == "終わりが始まりより前になっています。時刻を確かめてください。"
    assert len(set(answer["refused"].values())) == 4
    assert not Exposure.objects.exists()
    assert not Rating.objects.exists()


@pytest.mark.parametrize("fields", [None, 3, [["what"]], [["what", 3]], [["what", "sleep"]] * 101, [["start", "soon"]]])
@pytest.mark.parametrize("kind", ["add", "evening"])
def test_a_form_of_nonsense_is_refused(as_hana, hana, kind, fields):
    answer = sync(as_hana, hana, entry(kind, fields=fields))

    assert answer.status_code == 200
    assert len(answer.json()["refused"]) == 1
    assert not Exposure.objects.exists()


def test_a_shell_is_nobodys_and_the_worker_changes_with_it(as_hana, monkeypatch):
    before = as_hana.get("/sw.js").content
    for path in ("/now/shell", "/now/earlier/shell", "/add/shell", "/evening/shell"):
        page = as_hana.get(path).content.decode()
        assert "data-person" not in page
        assert "csrfmiddlewaretoken" not in page
        assert "client_id" not in page
        assert page == as_hana.get(path).content.decode()  # nothing in it is of the moment

    offline.fingerprint.cache_clear()
    assert as_hana.get("/sw.js").content == before
    monkeypatch.setattr(offline, "evening_shell", lambda: {"heading": "changed"})
    offline.fingerprint.cache_clear()
    assert as_hana.get("/sw.js").content != before
    offline.fingerprint.cache_clear()


def test_what_is_said_to_a_person_is_not_taken_by_the_worker(as_hana, hana):
    assert as_hana.post("/mine/about", {"timezone": "Asia/Tokyo", "height_cm": "160"}).status_code == 302
    for path in ("/sw.js", "/now/shell", "/evening/shell"):
        assert "保存しました。" not in as_hana.get(path).content.decode()

    assert "保存しました。" in as_hana.get("/mine/about").content.decode()


def test_what_a_kept_script_imports_is_kept_under_the_name_it_asks_for(settings, tmp_path):
    """As it is served, where names change with the content: the tests' own static files keep theirs."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = served.STORAGES
    call_command("collectstatic", verbosity=0, interactive=False)
    names = {static(one).rpartition("/")[2] for one in offline.ASSETS}
    scripts = [one for one in (tmp_path / "unaji").glob("*.js") if one.name in names]

    imported = {name for one in scripts for name in re.findall(r"""from ["']\./([^"']+)""", one.read_text())}

    assert len(scripts) == 2
    assert imported
    assert imported <= names


NONSENSE = (
    "[" * 100_000,
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

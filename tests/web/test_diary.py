"""What is written into the diary: once, with an audit line, and back out."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.screens import answer_screen
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.models import AuditEvent, Episode


def test_one_tap_saves_an_episode_that_starts_now(as_hana, hana):
    before = timezone.now()

    answer = as_hana.post("/now/log", {"client_id": str(uuid4())})

    episode = Episode.objects.get(person=hana)
    assert before <= episode.start <= timezone.now()
    assert answer.status_code == 302
    assert str(episode.pk) in answer["Location"]


def test_the_same_tap_sent_twice_is_stored_once(as_hana, hana):
    number = str(uuid4())

    for _ in range(2):
        as_hana.post("/now/log", {"client_id": number})

    assert Episode.objects.filter(person=hana).count() == 1


def test_a_tap_that_was_taken_back_does_not_return_when_it_arrives_again(as_hana, hana):
    number = str(uuid4())
    as_hana.post("/now/log", {"client_id": number})
    episode = Episode.objects.get(person=hana)

    as_hana.post(f"/episodes/{episode.pk}/withdraw")
    as_hana.post("/now/log", {"client_id": number})

    assert Episode.objects.filter(person=hana).kept().count() == 0


def test_two_people_may_have_the_same_number_of_a_device(hana, ken):
    number = uuid4()

    for person in (hana, ken):
        diary.log_episode(person, by=person.user, client_id=number)

    assert Episode.objects.count() == 2


def test_the_future_is_refused(hana):
    with pytest.raises(diary.NotPossibleError, match="future"):
        diary.log_episode(hana, by=hana.user, start=timezone.now() + timedelta(hours=1))


def test_every_change_leaves_a_line_in_a_whole_chain(hana):
    episode = diary.log_episode(hana, by=hana.user, note="熱い、と書いた")
    diary.end_episode(episode, by=hana.user)
    diary.withdraw(episode, by=hana.user)

    lines = AuditEvent.objects.filter(object_id=str(episode.pk)).order_by("pk")

    assert [line.action for line in lines] == ["create", "change", "withdraw"]
    assert {line.actor for line in lines} == {hana.user_id}
    assert broken_at() is None


@pytest.mark.parametrize("path", ["/now", "/today", "/add", "/more", "/now/earlier"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_screen_opens_in_both_languages(as_hana, hana, path, language):
    hana.user.language = language
    hana.user.save()

    answer = as_hana.get(path)

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()


def test_an_episode_different_from_usual_keeps_the_questions_open_until_they_are_answered(as_hana, hana):
    episode = diary.log_episode(hana, by=hana.user)
    assert 'href="/check"' not in as_hana.get("/now").content.decode()

    answer = as_hana.post(f"/episodes/{episode.pk}", {"then": "unusual"})

    assert answer["Location"].startswith("/check")
    assert 'href="/check"' in as_hana.get("/now").content.decode()

    claims = claims_in_use()
    answer_screen(
        hana, by=hana.user, answers={flag.id: False for flag in claims.red_flags}, claims=claims, why="unusual"
    )
    assert 'href="/check"' not in as_hana.get("/now").content.decode()

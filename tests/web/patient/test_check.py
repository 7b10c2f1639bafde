"""Warning signs come before everything, and what they say is read before the app goes on."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from tests.web.conftest import make_person
from unaji.claims.graph import load_claims
from unaji.claims.screening import rules_version
from unaji.web.casebook.actions import diary, screens
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.models import AuditEvent, Episode, Person, RedFlagScreen, User

SIGNS = [flag.id for flag in load_claims("neck_heat").red_flags]


@pytest.fixture
def mio(db):
    """Somebody who opened a casebook a moment ago and was never asked."""
    return make_person("mio@example.org", asked=False)


@pytest.fixture
def as_mio(mio):
    client = Client()
    client.force_login(mio.user)
    return client


def answers(*yes, **more):
    return {f"sign-{one}": "yes" if one in yes else "no" for one in SIGNS} | more


def latest(person):
    return RedFlagScreen.objects.filter(person=person).order_by("-at").first()


def answered(client, person, *yes, **more):
    """Answer the questions and return the screen that fills the page."""
    answer = client.post("/check", answers(*yes, **more))
    screen = latest(person)
    assert answer["Location"] == f"/red-flag/{screen.pk}"
    return screen, client.get(answer["Location"]).content.decode()


# -- the way there -----------------------------------------------------------------------------------------------------


def test_after_the_consents_come_the_warning_signs(db):
    client = Client()
    client.force_login(User.objects.create_user("new@example.org"))

    answer = client.post("/welcome", {"age": "adult", "purpose": "care", "timezone": "Asia/Tokyo"})

    assert answer["Location"] == "/check"


def test_who_is_new_is_asked_before_the_button(as_mio):
    assert as_mio.get("/now")["Location"] == "/check"
    assert b'class="tabs"' not in as_mio.get("/check").content


def test_now_is_one_tap_away_once_they_are_answered(as_mio, mio):
    _, page = answered(as_mio, mio)

    assert 'href="/now"' in page
    assert as_mio.get("/now").status_code == 200


def test_who_has_noted_something_without_being_asked_is_not_locked_out(as_mio, mio):
    diary.log_episode(mio, by=mio.user)

    answer = as_mio.get("/now")

    assert answer.status_code == 200
    assert 'href="/check"' in answer.content.decode()


def test_a_tap_is_saved_even_from_who_was_never_asked(as_mio, mio):
    as_mio.post("/now/log", {"client_id": str(uuid4())})

    assert Episode.objects.filter(person=mio).count() == 1


@pytest.mark.parametrize("path", ["/today", "/more"])
def test_the_questions_can_be_opened_at_any_time(as_hana, path):
    assert 'href="/check"' in as_hana.get(path).content.decode()
    assert as_hana.get("/check").status_code == 200


# -- the questions -----------------------------------------------------------------------------------------------------


def test_every_question_is_there_once_in_both_languages_and_none_is_ticked(as_hana, hana):
    for language in ("ja", "en"):
        hana.user.language = language
        hana.user.save()
        page = as_hana.get("/check").content.decode()

        for flag in claims_in_use().red_flags:
            assert page.count(f"<legend>{flag.question.in_(language)}</legend>") == 1
        assert page.count('type="radio"') == 2 * len(SIGNS)
        assert " checked" not in page


def test_an_open_question_keeps_all_of_them_from_being_saved_and_is_named(as_hana, hana):
    before = RedFlagScreen.objects.filter(person=hana).count()
    sent = answers("chest_pressure")
    del sent["sign-stroke_signs"]

    answer = as_hana.post("/check", sent)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert RedFlagScreen.objects.filter(person=hana).count() == before
    assert 'href="#sign-stroke_signs"' in page
    assert 'href="#sign-hopelessness"' not in page
    assert 'name="sign-chest_pressure" value="yes" required checked' in page


@pytest.mark.parametrize("more", [{"sign-made_up": "yes"}, {"sign-chest_pressure": "perhaps"}])
def test_what_nobody_asked_is_refused(as_hana, hana, more):
    before = RedFlagScreen.objects.filter(person=hana).count()

    assert as_hana.post("/check", answers() | more).status_code == 422
    assert RedFlagScreen.objects.filter(person=hana).count() == before


def test_a_form_that_is_sent_twice_is_kept_once(as_hana, hana):
    before, number = RedFlagScreen.objects.filter(person=hana).count(), str(uuid4())

    for _ in range(2):
        as_hana.post("/check", answers(client_id=number))

    assert RedFlagScreen.objects.filter(person=hana).count() == before + 1


def test_a_form_that_comes_back_with_another_answer_is_a_new_list(as_hana, hana):
    number = str(uuid4())
    as_hana.post("/check", answers(client_id=number))

    answer = as_hana.post("/check", answers("chest_pressure", client_id=number))

    assert latest(hana).level == "emergency"
    assert answer["Location"] == f"/red-flag/{latest(hana).pk}"


def test_the_most_urgent_answer_decides_and_answers_and_rules_are_kept(as_hana, hana):
    screen, _ = answered(as_hana, hana, "arm_strip_signs", "temple_headache", "chest_pressure")

    assert screen.level == "emergency"
    assert {one for one, yes in screen.answers.items() if yes} == {
        "arm_strip_signs",
        "temple_headache",
        "chest_pressure",
    }
    assert set(screen.answers) == set(SIGNS)
    assert screen.rules == rules_version(claims_in_use())
    assert screen.why == "again"
    assert abs(timezone.now() - screen.at) < timedelta(minutes=1)


def test_the_answers_are_not_in_the_database_in_plain_words(as_hana, hana):
    screen, _ = answered(as_hana, hana, "hopelessness")

    assert b"hopelessness" not in bytes(screen.answers_sealed)
    with pytest.raises(DatabaseError), transaction.atomic():
        RedFlagScreen.objects.filter(pk=screen.pk).update(level="none")


# -- the full screen ---------------------------------------------------------------------------------------------------


def test_an_emergency_has_one_call_words_for_the_phone_and_no_advice_line(as_hana, hana):
    _, page = answered(as_hana, hana, "thunderclap_pain", "spinal_cord_signs")

    assert "いますぐ、119番に電話してください" in page
    assert page.count('href="tel:') == 1
    assert page.count('class="call" href="tel:119"') == 1
    assert "7119" not in page
    assert "「突然、今までで一番ひどい頭や首の痛みが出ましたか」に「はい」と答えました。" in page
    assert "救急です。" in page
    assert "突然、今までで一番ひどい頭や首の痛みが出ました。" in page
    for line in ("ひとりなら、近くの人を呼ぶ", "自分で運転しない", "鍼・マッサージ・入浴はしない"):
        assert line in page


def test_of_many_emergencies_all_are_told_on_the_phone_and_the_button_stays_after_the_first(as_hana, hana):
    _, page = answered(as_hana, hana, "thunderclap_pain", "chest_pressure", "neck_injury")
    flags = {flag.id: flag for flag in claims_in_use().red_flags}

    assert page.index("に「はい」と答えました") < page.index('class="call"') < page.index("電話で伝えること")
    assert page.count("に「はい」と答えました") == 1
    for one in ("thunderclap_pain", "chest_pressure", "neck_injury"):
        assert flags[one].tell.ja in page
        assert flags[one].say.ja in page


def test_what_to_say_holds_the_time_at_which_an_unusual_episode_began(as_hana, hana):
    start = timezone.now() - timedelta(hours=2)
    diary.log_episode(hana, by=hana.user, start=start, unusual=True)

    screen, page = answered(as_hana, hana, "chest_pressure", why="unusual")

    tokyo = start + timedelta(hours=9)
    assert screen.why == "unusual"
    assert f"{tokyo.hour}時{tokyo.minute:02}分ごろからです。" in page


def test_without_an_episode_the_time_is_left_to_the_caller(as_hana, hana):
    _, page = answered(as_hana, hana, "chest_pressure")

    assert "ごろからです" not in page
    assert "いつからかと、いまいる場所" in page


def test_today_asks_for_a_doctor_and_has_the_advice_line_second(as_hana, hana):
    _, page = answered(as_hana, hana, "temple_headache", "arm_strip_signs")

    assert 'class="app flagged today"' in page
    assert "きょう中に受診を" in page
    assert 'class="call"' not in page
    assert 'href="tel:%237119"' in page
    assert page.index("きょう中に受診を") < page.index("tel:%237119")
    assert "腕にすじ状に" in page


def test_hopelessness_shows_the_hotline_first_and_no_line_for_illness(as_hana, hana):
    _, page = answered(as_hana, hana, "hopelessness")

    assert 'href="tel:0120-279-338"' in page
    assert "tel:%237119" not in page
    assert page.index("tel:0120-279-338") < page.index("tel:119")


def test_days_is_a_plain_page(as_hana, hana):
    _, page = answered(as_hana, hana, "arm_strip_signs")

    assert 'class="app flagged days"' in page
    assert "数日のうちに受診してください" in page
    assert 'href="tel:' not in page
    assert "#warn" not in page


def test_no_screen_names_a_disease(as_hana, hana):
    for flag in claims_in_use().red_flags:
        _, page = answered(as_hana, hana, flag.id)
        assert flag.thinks_of.ja not in page
        as_hana.post(f"/red-flag/{latest(hana).pk}")


def test_nothing_found_is_said_without_calling_it_safe(as_hana, hana):
    screen, page = answered(as_hana, hana)

    assert screen.level == "none"
    assert "今回の質問では見つかりませんでした" in page
    assert "「安全」という意味ではありません。" in page
    assert 'href="/intake"' in page
    assert as_hana.get("/now").status_code == 200


@pytest.mark.parametrize("path", ["/now", "/today", "/add", "/more", "/check", "/intake", "/first-picture"])
@pytest.mark.parametrize("sign", ["chest_pressure", "temple_headache", "arm_strip_signs"])
def test_every_other_screen_waits_until_it_was_read(as_hana, hana, path, sign):
    screen, _ = answered(as_hana, hana, sign)

    assert as_hana.get(path)["Location"] == f"/red-flag/{screen.pk}"
    assert as_hana.get(f"/red-flag/{screen.pk}").status_code == 200

    as_hana.post(f"/red-flag/{screen.pk}")

    assert as_hana.get(path).get("Location", "") != f"/red-flag/{screen.pk}"


def test_reading_is_noted_once_and_the_screen_can_be_read_again(as_hana, hana):
    screen, page = answered(as_hana, hana, "chest_pressure")
    assert "読みました。受診のあとで続ける" in page

    assert as_hana.post(f"/red-flag/{screen.pk}")["Location"] == "/now"
    first = latest(hana).acknowledged_at
    as_hana.post(f"/red-flag/{screen.pk}")

    assert first is not None
    assert latest(hana).acknowledged_at == first
    assert [e.action for e in AuditEvent.objects.filter(object_id=str(screen.pk))] == ["create", "acknowledge"]
    again = as_hana.get(f"/red-flag/{screen.pk}").content.decode()
    assert "読みました。受診のあとで続ける" not in again
    assert 'href="/more"' in again


def test_after_the_plain_page_the_questions_go_on(as_hana, hana):
    screen, _ = answered(as_hana, hana, "arm_strip_signs")

    assert as_hana.post(f"/red-flag/{screen.pk}")["Location"] == "/intake"


def test_what_was_answered_is_listed_under_more(as_hana, hana):
    screen, _ = answered(as_hana, hana, "chest_pressure")
    as_hana.post(f"/red-flag/{screen.pk}")

    page = as_hana.get("/more").content.decode()

    assert f'href="/red-flag/{screen.pk}"' in page
    assert "いますぐ119番" in page


@pytest.mark.parametrize("level", [(), ("chest_pressure",)])
def test_somebody_elses_screen_does_not_exist(as_hana, hana, as_ken, visitor, level):
    screen, _ = answered(as_hana, hana, *level)

    for send in (as_ken.get, as_ken.post):
        assert send(f"/red-flag/{screen.pk}").status_code == 404
    assert visitor.get(f"/red-flag/{screen.pk}").status_code == 302
    assert latest(hana).acknowledged_at is None


def test_somebody_elses_number_of_a_form_neither_shows_nor_changes_theirs(as_hana, hana, as_ken, ken):
    screen, _ = answered(as_hana, hana, "chest_pressure")

    answer = as_ken.post("/check", answers(client_id=str(screen.pk)))

    assert answer.status_code == 302
    assert latest(ken).pk != screen.pk
    assert answer["Location"] == f"/red-flag/{latest(ken).pk}"
    assert RedFlagScreen.objects.get(pk=screen.pk).person_id == hana.pk


def test_an_episode_different_from_usual_leads_to_the_questions(as_hana, hana):
    episode = diary.log_episode(hana, by=hana.user)

    answer = as_hana.post(f"/episodes/{episode.pk}", {"then": "unusual"})

    assert answer["Location"] == "/check?why=unusual"
    assert 'name="why" value="unusual"' in as_hana.get(answer["Location"]).content.decode()


# -- the action --------------------------------------------------------------------------------------------------------


def test_a_list_with_a_gap_is_never_kept(hana):
    with pytest.raises(ValueError, match="not answered"):
        screens.answer_screen(hana, by=hana.user, answers={}, claims=claims_in_use(), why="again")

    assert RedFlagScreen.objects.filter(person=hana).count() == 1


def test_a_yes_stands_in_the_records_as_the_sign_it_is(as_hana, hana):
    from unaji.web.casebook.timeline import diary_of

    answered(as_hana, hana, "chest_pressure")

    assert [one.kind for one in diary_of(Person.objects.get(pk=hana.pk)).exposures] == ["chest_pressure"]

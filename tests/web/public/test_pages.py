"""How public pages are handed out: without cookies, the same to all, kept by caches, made anew only if changed."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from django.utils import timezone

from unaji.claims.graph import load_claims
from unaji.web.casebook.actions import questions
from unaji.web.casebook.models import Question
from unaji.web.public import pages, told, urls

EVERY = [
    "/ja/", "/en/", "/ja/neck-heat/", "/en/neck-heat/", "/ja/people/reida/", "/en/people/reizawa/", "/ja/grades/",
    "/en/grades/", "/ja/corrections/", "/en/corrections/", "/ja/neck-heat/asked/", "/en/neck-heat/asked/",
    "/ja/feed.xml", "/en/feed.xml", "/sitemap.xml", "/robots.txt", "/ja/neck-heat/neck/scarf-phone-dark.svg",
    "/en/neck-heat/neck/hot_room-desktop-light.svg", "/ja/neck-heat/questions/", "/en/neck-heat/questions/",
]  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", EVERY)
def test_a_page_sets_no_cookie_and_may_be_kept_by_anybody(visitor, address):
    answer = visitor.get(address)

    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["Cache-Control"] == "public, max-age=300"
    assert answer["Vary"] == "Accept-Encoding"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("address", EVERY)
def test_somebody_who_is_signed_in_gets_the_same_bytes(visitor, as_hana, address):
    assert as_hana.get(address).content == visitor.get(address).content


@pytest.mark.parametrize("address", EVERY)
def test_a_reader_who_has_it_is_told_so_without_it(visitor, address):
    first = visitor.get(address)

    by_tag = visitor.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = visitor.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    other = visitor.get(address, headers={"If-None-Match": '"another"'})

    assert (by_tag.status_code, by_date.status_code, other.status_code) == (304, 304, 200)
    assert by_tag.content == b""
    assert by_tag["ETag"] == first["ETag"]


@pytest.mark.parametrize(
    ("said", "zipped"),
    [("gzip, br", True), ("br;q=1, gzip;q=0.5", True), ("gzip;q=0", False), ("gzip;q=0.0, br", False), ("br", False),
     ("x-gzip2", False), ("", False)],
)  # fmt: skip
def test_it_is_compressed_for_those_who_say_they_can_read_it(visitor, said, zipped):
    plain = visitor.get("/ja/neck-heat/")

    answer = visitor.get("/ja/neck-heat/", headers={"Accept-Encoding": said})

    assert (answer.get("Content-Encoding") == "gzip") is zipped
    assert (gzip.decompress(answer.content) if zipped else answer.content) == plain.content
    assert (answer["ETag"] == plain["ETag"]) is not zipped


def test_a_page_is_made_once_and_needs_no_query_after_that(visitor, monkeypatch, django_assert_num_queries):
    made = []
    monkeypatch.setattr(told, "article_page", lambda *said, of=told.article_page: made.append(said) or of(*said))
    visitor.get("/ja/neck-heat/")

    with django_assert_num_queries(0):
        for _ in range(3):
            visitor.get("/ja/neck-heat/")

    assert len(made) == 1


def test_a_question_that_is_published_or_taken_down_shows_after_a_few_seconds(visitor, moderator, monkeypatch):
    claims = load_claims("neck_heat")
    visitor.get("/ja/neck-heat/")
    asked = questions.ask(article="neck_heat", language="ja", text="熱があるときはどうなりますか。")
    questions.publish(asked, by=moderator, claims=claims, moderated_text="熱があるときはどうなりますか。",
                      answer="首の皮膚も温まります。", claim_ids=["fever"])  # fmt: skip
    sentence = "首の皮膚も温まります。"

    assert sentence not in visitor.get("/ja/neck-heat/").content.decode()
    monkeypatch.setattr(pages, "LOOK_EVERY_S", 0.0)
    shown = visitor.get("/ja/neck-heat/")
    assert sentence in shown.content.decode()

    questions.decline(asked, by=moderator)
    Question.objects.update(changed_at=timezone.now() + timedelta(minutes=2))  # a date has no parts of a second
    again = visitor.get("/ja/neck-heat/", headers={"If-Modified-Since": shown["Last-Modified"]})
    assert again.status_code == 200
    assert sentence not in again.content.decode()


def test_what_is_not_there_is_not_kept(visitor):
    for address in ("/ja/nothing/", "/ja/people/nobody/", "/ja/neck-heat/neck/scarf-huge-dark.svg", "/fr/neck-heat/",
                    "/ja/neck-heat/neck/fall-phone-dark.svg", "/ja/neck-heat/neck/scarf-phone-blue.svg"):  # fmt: skip
        answer = visitor.get(address)
        assert answer.status_code == 404
        assert "public" not in answer.get("Cache-Control", "")


def test_only_looking_is_allowed(visitor):
    for address in EVERY:
        assert visitor.post(address).status_code in (403, 405)


@pytest.mark.parametrize(
    ("cookie", "browser", "to"),
    [(None, "en-GB,en;q=0.9", "/en/"), (None, "fr,ja", "/ja/"), ("ja", "en", "/ja/"), (None, "", "/ja/")],
)
def test_the_door_leads_a_visitor_to_the_articles_in_their_language(visitor, settings, cookie, browser, to):
    if cookie:
        visitor.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie

    answer = visitor.get("/", headers={"Accept-Language": browser})

    assert (answer.status_code, answer["Location"]) == (302, to)


def test_the_door_leads_a_person_to_their_own_screen(as_hana):
    assert as_hana.get("/")["Location"] == "/now"


def test_every_address_says_who_may_open_it():
    assert all(getattr(one.callback, "rule", None) for one in urls.urlpatterns)

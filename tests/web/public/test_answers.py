"""An article shows its newest questions and leads to the rest, which have pages of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.web.public.reading import Page
from unaji.claims.graph import load_claims
from unaji.web.casebook.models import Answer, Question
from unaji.web.public.told import QUESTIONS_A_LEAF, SHOWN_CHARACTERS, SHOWN_QUESTIONS

CLAIMS = load_claims("neck_heat")

pytestmark = pytest.mark.django_db


@pytest.fixture
def publish(moderator):
    """Publish so many questions, the last one newest."""

    def published(n, *, answer="はっきりしていません。", language="ja"):
        first = datetime(2026, 12, 1, tzinfo=UTC)
        for i in range(n):
            at = first + timedelta(hours=i)
            asked = Question.objects.create(
                article="neck_heat", language=language, text="-", state="published",
                moderated_text=f"質問その{i:03d}", published_at=at, changed_at=at,
            )  # fmt: skip
            Answer.objects.create(
                question=asked, text=answer, claims=["pressure_drop"], answered_by=moderator, answered_at=at
            )

    return published


def shown(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    page = Page(answer.content.decode())
    return page, [int(n) for n in re.findall(r"質問その(\d{3})", page.text)]


def test_an_article_shows_the_newest_and_says_how_many_there_are(visitor, publish):
    publish(SHOWN_QUESTIONS + 7)

    page, numbers = shown(visitor, "/ja/neck-heat/")

    assert numbers == list(range(SHOWN_QUESTIONS + 6, 6, -1))
    assert f"質問と答えをすべて読む({SHOWN_QUESTIONS + 7}件)" in page.text
    assert page.all("a", href="/ja/neck-heat/questions/")
    faq = next(one for one in page.linked_data if one["@type"] == "FAQPage")
    assert [one["name"] for one in faq["mainEntity"]] == [f"質問その{n:03d}" for n in numbers]


def test_where_all_are_shown_nothing_leads_on(visitor, publish):
    publish(2)

    page, numbers = shown(visitor, "/ja/neck-heat/")

    assert numbers == [1, 0]
    assert not page.all("a", href="/ja/neck-heat/questions/")


def test_long_answers_leave_room_for_fewer(visitor, publish):
    publish(3, answer="長い答えです。" * 70)

    page, numbers = shown(visitor, "/ja/neck-heat/")

    assert numbers == [2, 1]
    assert "質問と答えをすべて読む(3件)" in page.text


def test_an_answer_that_is_too_long_for_the_article_is_still_led_to(visitor, publish):
    publish(1, answer="長" * SHOWN_CHARACTERS)

    page, numbers = shown(visitor, "/ja/neck-heat/")

    assert numbers == []
    assert "まだ公開した質問はありません" not in page.text
    assert "質問と答えをすべて読む(1件)" in page.text


def test_all_of_them_stand_on_leaves_newest_first(visitor, publish):
    n = 2 * QUESTIONS_A_LEAF + 1
    publish(n)

    leaves = [shown(visitor, f"/ja/neck-heat/questions/{leaf}") for leaf in ("", "2/", "3/")]

    assert [number for _, numbers in leaves for number in numbers] == list(range(n - 1, -1, -1))
    first, second, third = (page for page, _ in leaves)
    assert [one["href"] for one in first.all("a", rel="next")] == ["/ja/neck-heat/questions/2/"]
    assert [one["href"] for one in second.all("a", rel="prev")] == ["/ja/neck-heat/questions/"]
    assert not first.all("a", rel="prev")
    assert not third.all("a", rel="next")
    assert second.all("link", rel="canonical")[0]["href"].endswith("/ja/neck-heat/questions/2/")
    for page in (first, second, third):
        assert len(page.linked_data[0]["mainEntity"]) == len(page.all("article"))
        assert not page.all("meta", name="robots")


@pytest.mark.parametrize("leaf", ["1", "0", "3", "02", "99999", "x"])
def test_there_is_no_leaf_that_holds_nothing(visitor, publish, leaf):
    publish(QUESTIONS_A_LEAF + 1)

    assert visitor.get(f"/ja/neck-heat/questions/{leaf}/").status_code == 404


def test_a_claim_leads_to_the_article_that_makes_it(visitor, publish):
    publish(1)

    page, _ = shown(visitor, "/ja/neck-heat/questions/")

    assert page.all("a", href="/ja/neck-heat/#claim-pressure_drop")
    assert "claim-pressure_drop" in shown(visitor, "/ja/neck-heat/")[0].ids


def test_each_language_has_its_own_and_a_page_without_any_is_not_for_search(visitor, publish):
    publish(1)

    english, numbers = shown(visitor, "/en/neck-heat/questions/")

    assert numbers == []
    assert "Noquestionhasbeenpublishedyet." in english.text
    assert english.all("meta", name="robots")[0]["content"] == "noindex"
    assert shown(visitor, "/ja/neck-heat/questions/")[1] == [0]


def test_there_are_no_questions_on_an_article_that_is_not_there(visitor):
    assert visitor.get("/ja/nothing/questions/").status_code == 404

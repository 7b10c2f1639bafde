"""The form for a question: no cookie, no forged request, no flood, and nothing but plain text."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client

from unaji.web.casebook.models import Question
from unaji.web.public import asking

ASK, TEXT = "/ja/neck-heat/ask/", "首が熱いとき、冷やしてもよいですか。"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted(db):
    cache.clear()


def opened(client, address=ASK):
    answer = client.get(address)
    assert answer.status_code == 200
    return re.search(r'name="token" value="([^"]+)"', answer.content.decode())[1]


def sent(client, token, text=TEXT, address=ASK, trap="", **said):
    return client.post(address, {"token": token, "text": text, asking.HONEYPOT: trap}, **said)


@pytest.mark.parametrize("address", [ASK, "/en/neck-heat/ask/"])
def test_the_form_sets_no_cookie_and_is_kept_by_no_cache(visitor, address):
    answer = visitor.get(address)

    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"
    assert 'content="noindex"' in answer.content.decode()


def test_a_question_is_kept_with_its_article_and_language_and_nothing_of_the_sender(visitor):
    strict = Client(enforce_csrf_checks=True)

    answer = sent(strict, opened(strict), headers={"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"})

    assert (answer.status_code, answer["Location"]) == (302, "/ja/neck-heat/asked/")
    assert not answer.cookies
    kept = Question.objects.get()
    assert (kept.article, kept.language, kept.text, kept.state) == ("neck_heat", "ja", TEXT, "asked")
    assert "127.0.0.1" not in repr(vars(kept))


def test_what_was_asked_is_not_shown_before_it_is_moderated(visitor):
    sent(visitor, opened(visitor))

    assert TEXT not in visitor.get("/ja/neck-heat/").content.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
    ],
)
def test_a_form_from_elsewhere_is_refused(visitor, headers):
    answer = sent(visitor, opened(visitor), headers=headers)

    assert answer.status_code == 403
    assert not Question.objects.exists()


@pytest.mark.parametrize("token", ["", "ja/neck-heat", "ja/neck-heat:1abcde:forged"])
def test_a_form_without_a_token_of_ours_is_refused(visitor, token):
    assert sent(visitor, token).status_code == 403
    assert not Question.objects.exists()


def test_a_token_is_good_for_its_own_page_only(visitor):
    assert sent(visitor, opened(visitor), address="/en/neck-heat/ask/").status_code == 403
    assert not Question.objects.exists()


def test_a_token_that_is_too_old_is_not_taken_but_the_text_comes_back_with_a_new_one(visitor, monkeypatch):
    old = opened(visitor)
    monkeypatch.setattr(asking, "OPEN_FOR_S", -1)

    answer = sent(visitor, old)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer["Cache-Control"] == "no-store"
    assert TEXT in page
    assert 'role="alert"' in page
    assert not Question.objects.exists()


def test_what_a_program_fills_in_is_thanked_for_and_thrown_away(visitor):
    answer = sent(visitor, opened(visitor), trap="https://buy.example")

    assert answer["Location"] == "/ja/neck-heat/asked/"
    assert not Question.objects.exists()


@pytest.mark.parametrize("text", ["短い", "", "あ" * 1001, "\u200b" * 40])
def test_too_short_and_too_long_is_said_and_nothing_kept(visitor, text):
    answer = sent(visitor, opened(visitor), text)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Question.objects.exists()


def test_markup_in_a_question_comes_back_as_text(visitor):
    answer = sent(visitor, "wrong", "<script>alert(1)</script>")

    assert "<script>alert" not in answer.content.decode()
    assert "&lt;script&gt;alert" in answer.content.decode()


def test_one_address_may_ask_a_few_times_an_hour(visitor):
    said = [sent(visitor, opened(visitor)).status_code for _ in range(asking.MOST_OF_ONE + 1)]
    other = sent(visitor, opened(visitor), REMOTE_ADDR="203.0.113.7").status_code

    assert said == [302] * asking.MOST_OF_ONE + [429]
    assert other == 302
    assert Question.objects.count() == asking.MOST_OF_ONE + 1


def test_all_together_may_ask_only_so_often(visitor, monkeypatch):
    monkeypatch.setattr(asking, "MOST_OF_ALL", 2)

    said = [sent(visitor, opened(visitor), REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(3)]

    assert said == [302, 302, 429]


def test_an_address_is_counted_by_a_hash_that_does_not_hold_it(visitor):
    from django.db import connection

    sent(visitor, opened(visitor), REMOTE_ADDR="203.0.113.7")

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM casebook_cache")
        keys = [row[0] for row in cursor.fetchall()]
    assert any("ask-" in one for one in keys)
    assert not [one for one in keys if "203.0.113.7" in one]


def test_behind_a_proxy_the_address_the_proxy_saw_is_counted(visitor, settings):
    from dataclasses import replace

    settings.CHOSEN = replace(settings.CHOSEN, behind_proxy=True)
    forged = [f"198.51.100.{n}, 203.0.113.7" for n in range(asking.MOST_OF_ONE + 1)]

    said = [sent(visitor, opened(visitor), headers={"X-Forwarded-For": one}).status_code for one in forged]

    assert said[-1] == 429


def test_there_is_no_form_for_an_article_that_is_not_there(visitor):
    assert visitor.get("/ja/nothing/ask/").status_code == 404

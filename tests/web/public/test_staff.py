"""The page on which questions are answered: for staff alone."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.web.accounts import sign_in_as_staff
from unaji.web.casebook.actions import questions
from unaji.web.casebook.models import Question

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(db):
    return questions.ask(article="neck_heat", language="ja", text="気圧のせいで<b>熱く</b>なりますか。")


@pytest.fixture
def as_moderator(moderator):
    return sign_in_as_staff(moderator)


def answered(client, question, **said):
    words = {"moderated_text": "気圧のせいですか。", "answer": "はっきりしていません。", "claims": ["pressure_drop"]}
    return client.post(f"/questions/{question.pk}/answer", words | said)


def test_for_everybody_else_there_is_no_such_page(as_hana, visitor, asked):
    for client, status in ((as_hana, 404), (visitor, 302)):
        assert client.get("/questions/").status_code == status
        assert answered(client, asked).status_code == status
        assert client.post(f"/questions/{asked.pk}/decline").status_code == status
    assert Question.objects.get().state == "asked"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_staff_see_what_came_in_as_text(as_moderator, moderator, asked, language):
    moderator.language = language
    moderator.save()

    page = as_moderator.get("/questions/").content.decode()

    assert "気圧のせいで&lt;b&gt;熱く&lt;/b&gt;なりますか。" in page
    assert 'value="pressure_drop"' in page


def test_staff_publish_and_take_down(as_moderator, asked, visitor):
    assert answered(as_moderator, asked).status_code == 302
    assert "はっきりしていません。" in as_moderator.get("/questions/").content.decode()
    assert Question.objects.published().count() == 1

    as_moderator.post(f"/questions/{asked.pk}/decline")

    assert not Question.objects.published().exists()
    assert as_moderator.get("/questions/").content.decode().count("<blockquote") == 0


def test_what_cannot_be_published_comes_back_as_it_was_typed(as_moderator, asked):
    answer = answered(as_moderator, asked, answer="気圧で熱くなります。")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "気圧で熱くなります。" in page
    assert 'value="pressure_drop" checked' in page
    assert 'role="alert"' in page
    assert Question.objects.get().state == "asked"


def test_a_question_that_is_not_there_is_not_found(as_moderator, asked):
    assert as_moderator.post(f"/questions/{uuid4()}/decline").status_code == 404


def test_a_question_about_an_article_that_is_gone_is_left_out(as_moderator, second_article, asked):
    assert "blockquote" not in as_moderator.get("/questions/").content.decode()
    assert answered(as_moderator, asked).status_code == 404

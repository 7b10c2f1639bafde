"""A reader's question: kept as plain text, published only by staff, with claims that exist and words that fit them."""

from __future__ import annotations

import pytest

from unaji.claims.graph import load_claims
from unaji.web.casebook.actions import questions
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.models import Answer, AuditEvent, Question, User

CLAIMS = load_claims("neck_heat")
TEXT = "気圧が下がる日にうなじが熱くなるのは、よくあることですか。"
HEDGED = "気圧との関係は、まだはっきりしていません。記録をつけると手がかりになります。"


@pytest.fixture
def moderator(db):
    return User.objects.create_user("staff@example.org", is_staff=True)


@pytest.fixture
def question(db):
    return questions.ask(article="neck_heat", language="ja", text=TEXT)


def published(question, moderator, **said):
    words = {"moderated_text": TEXT, "answer": HEDGED, "claim_ids": ["pressure_drop"]} | said
    return questions.publish(question, by=moderator, claims=CLAIMS, **words)


def test_a_question_is_kept_as_plain_text_and_shown_to_nobody(db):
    asked = questions.ask(
        article="neck_heat", language="ja", text=" \u202eなぜ\u200b\x00首が熱いのですか。\r\n\r\n\r\n<b>\tはい</b> "
    )

    assert asked.text == "なぜ首が熱いのですか。\n\n<b> はい</b>"
    assert not Question.objects.published().exists()
    assert AuditEvent.objects.filter(object_id=str(asked.pk)).get().actor is None


@pytest.mark.parametrize(("n", "said"), [(9, "ask.error.short"), (1001, "ask.error.long")])
def test_a_question_has_a_least_and_a_most_length(db, n, said):
    with pytest.raises(questions.NotPublishableError, match=said):
        questions.ask(article="neck_heat", language="ja", text="あ" * n)

    assert not Question.objects.exists()


def test_staff_publish_the_moderated_text_with_an_answer_and_its_claims(question, moderator):
    answer = published(question, moderator, moderated_text="気圧と関係がありますか。")

    shown = Question.objects.published().get()
    assert shown.moderated_text == "気圧と関係がありますか。"
    assert shown.text == TEXT
    assert answer.claims == ["pressure_drop"]
    assert answer.answered_by == moderator
    lines = AuditEvent.objects.filter(object_id=str(question.pk)).order_by("pk")
    assert [(line.action, line.role) for line in lines] == [("create", "app"), ("publish", "moderator")]
    assert broken_at() is None


def test_a_published_question_is_worded_anew_in_place(question, moderator):
    published(question, moderator)
    first = Question.objects.get().published_at

    published(question, moderator, answer=HEDGED + "続きです。")

    assert Answer.objects.get().text.endswith("続きです。")
    assert Question.objects.get().published_at == first


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"claim_ids": []}, "questions.error.claims"),
        ({"claim_ids": ["pressure_drop", "moon_phase"]}, "questions.error.claims"),
        ({"moderated_text": " \n "}, "questions.error.empty"),
        ({"answer": ""}, "questions.error.empty"),
        ({"answer": "はっきりしていません。" * 400}, "questions.error.long"),
        ({"answer": "気圧が下がると熱くなります。"}, "questions.error.hedge"),
    ],
)
def test_what_cannot_stand_is_not_published(question, moderator, changed, said):
    with pytest.raises(questions.NotPublishableError, match=said):
        published(question, moderator, **changed)

    assert not Question.objects.published().exists()
    assert not Answer.objects.exists()


def test_an_answer_on_well_proven_claims_needs_no_hedge(question, moderator):
    assert published(question, moderator, answer="熱があると首の皮膚も温まります。", claim_ids=["fever"])


def test_an_answer_cannot_rest_on_another_articles_claims(db, moderator):
    other = questions.ask(article="cold_fingers", language="ja", text=TEXT)

    with pytest.raises(ValueError, match="about cold_fingers"):
        published(other, moderator)


@pytest.mark.parametrize("said", [{}, {"is_staff": True, "is_active": False}])
def test_nobody_but_staff_moderates(question, said):
    stranger = User.objects.create_user("x@example.org", **said)

    with pytest.raises(PermissionError):
        published(question, stranger)
    with pytest.raises(PermissionError):
        questions.decline(question, by=stranger)

    assert Question.objects.get().state == "asked"


def test_a_declined_question_is_shown_to_nobody_and_a_published_one_is_taken_down(question, moderator):
    published(question, moderator)

    before = Question.objects.get().changed_at

    for _ in range(2):
        questions.decline(question, by=moderator)

    assert not Question.objects.published().exists()
    assert Question.objects.get().changed_at > before
    assert AuditEvent.objects.filter(object_id=str(question.pk), action="decline").count() == 1


def test_declining_what_nobody_saw_changes_nothing_the_public_sees(question, moderator):
    questions.decline(question, by=moderator)

    assert Question.objects.get().state == "declined"
    assert Question.objects.get().changed_at is None

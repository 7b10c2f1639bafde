"""Take a reader's question, answer it in public with the claims the answer rests on, or leave it unpublished.

A question goes from asked to published or declined; a published one may be worded anew or taken down. Only staff do
this. The text as it came stays where it is, and the public sees the moderated one alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from unaji.claims.hedge import WEAK, is_hedged
from unaji.claims.model import Claims, RedFlag
from unaji.web.casebook.audit import record
from unaji.web.casebook.models import Answer, Question, User
from unaji.web.casebook.models.question import QuestionState

LEAST_CHARACTERS, MOST_CHARACTERS, MOST_IN_ANSWER = 10, 1000, 3000
ROLE = "moderator"


class NotPublishableError(ValueError):
    """A question or an answer that cannot stand. The message is a key of the words."""


def ask(*, article: str, language: str, text: str) -> Question:
    """Keep a reader's question, of whom nothing else is kept.

    Parameters
    ----------
    article : str
        Id of the article it is about.

    Raises
    ------
    NotPublishableError
        It is too short or too long.
    """
    plain = plain_text(text)
    if len(plain) < LEAST_CHARACTERS:
        raise NotPublishableError("ask.error.short")
    if len(plain) > MOST_CHARACTERS:
        raise NotPublishableError("ask.error.long")
    with transaction.atomic():
        question = Question.objects.create(article=article, language=language, text=plain)
        record("create", question, by=None, person=None)
    return question


def publish(
    question: Question, *, by: User, claims: Claims, moderated_text: str, answer: str, claim_ids: Collection[str]
) -> Answer:
    """Show a question and its answer to everybody; one that is shown already is worded anew.

    Parameters
    ----------
    claims : Claims
        Those of the article that was asked about.
    claim_ids : collection of str
        What the answer rests on: at least one of the article's claims.

    Raises
    ------
    PermissionError
        `by` is no staff.
    NotPublishableError
        A text is missing or too long, no claim is named or one that the article does not make, or the answer speaks of
        weakly proven claims as if they were settled.
    """
    _must_be_staff(by)
    if claims.id != question.article:
        raise ValueError(f"the question is about {question.article}, not about {claims.id}")
    asked, answered, named = plain_text(moderated_text), plain_text(answer), tuple(dict.fromkeys(claim_ids))
    _check(question.language, asked, answered, named, claims)
    now = timezone.now()
    with transaction.atomic():
        held = Question.objects.select_for_update().get(pk=question.pk)
        shown = held.state == QuestionState.PUBLISHED
        held.moderated_text, held.state = asked, QuestionState.PUBLISHED
        held.published_at, held.changed_at = held.published_at if shown else now, now
        held.save()
        given, _ = Answer.objects.update_or_create(
            question=held,
            defaults={"text": answered, "claims": list(named), "answered_by": by, "answered_at": now},
        )
        record("change" if shown else "publish", held, by=by, person=None, role=ROLE)
    return given


def decline(question: Question, *, by: User) -> None:
    """Leave a question unpublished, or take it down; one that is declined already stays as it is.

    Raises
    ------
    PermissionError
        `by` is no staff.
    """
    _must_be_staff(by)
    with transaction.atomic():
        held = Question.objects.select_for_update().get(pk=question.pk)
        if held.state == QuestionState.DECLINED:
            return
        if held.state == QuestionState.PUBLISHED:
            held.changed_at = timezone.now()
        held.state = QuestionState.DECLINED
        held.save()
        record("decline", held, by=by, person=None, role=ROLE)


def plain_text(text: str) -> str:
    """Return a text without control and invisible characters, with plain line ends and no more than one empty line."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    for line in lines:
        clean = "".join(" " if one == "\t" else one for one in line if one == "\t" or _is_visible(one)).strip()
        if clean or (kept and kept[-1]):
            kept.append(clean)
    return "\n".join(kept).strip()


def _is_visible(one: str) -> bool:
    # Cc control, Cf invisible marks (such as those that turn the direction of text), Co and Cs nobody's characters
    return unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def _must_be_staff(by: User) -> None:
    if not (by.is_active and by.is_staff):
        raise PermissionError("only staff moderate questions")


def _check(language: str, asked: str, answered: str, named: tuple[str, ...], claims: Claims) -> None:
    if not asked or not answered:
        raise NotPublishableError("questions.error.empty")
    if len(asked) > MOST_CHARACTERS or len(answered) > MOST_IN_ANSWER:
        raise NotPublishableError("questions.error.long")
    known = {claim.id: claim for claim in claims.claims}
    if not named or any(one not in known for one in named):
        raise NotPublishableError("questions.error.claims")
    graded = [claim for claim in (known[one] for one in named) if not isinstance(claim, RedFlag)]
    if any(claim.grade in WEAK for claim in graded) and not is_hedged(answered, language):
        raise NotPublishableError("questions.error.hedge")

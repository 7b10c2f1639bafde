"""The page on which staff answer readers' questions; for anybody else there is no such page."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from unaji.claims.model import RedFlag
from unaji.claims.publication import Publication
from unaji.web.access import SignedIn, staff_page
from unaji.web.casebook.actions.questions import (
    MOST_CHARACTERS,
    MOST_IN_ANSWER,
    NotPublishableError,
    decline,
    publish,
)
from unaji.web.casebook.models import Question
from unaji.web.casebook.models.question import QuestionState
from unaji.web.public.shelf import find_claims
from unaji.web.words import words


@staff_page
@require_safe
def waiting(request: SignedIn) -> HttpResponse:
    """List the questions that wait for an answer, and those that are published."""
    return _list(request)


@staff_page
@require_POST
def answer(request: SignedIn, pk: UUID) -> HttpResponse:
    """Publish a question with its answer."""
    question = get_object_or_404(Question, pk=pk)
    article = find_claims(question.article)
    if article is None:
        raise Http404
    said = request.POST
    try:
        publish(question, by=request.user, claims=article.claims, moderated_text=said.get("moderated_text", ""),
                answer=said.get("answer", ""), claim_ids=said.getlist("claims"))  # fmt: skip
    except NotPublishableError as error:
        return _list(request, question, words()(str(error), most=MOST_IN_ANSWER), status=422)
    return redirect("public:waiting")


@staff_page
@require_POST
def take_down(request: SignedIn, pk: UUID) -> HttpResponse:
    """Leave a question unpublished, or take it down."""
    decline(get_object_or_404(Question, pk=pk), by=request.user)
    return redirect("public:waiting")


def _list(request: SignedIn, wrong: Question | None = None, error: str = "", status: int = 200) -> HttpResponse:
    asked = Question.objects.filter(state=QuestionState.ASKED).order_by("asked_at")
    shown = Question.objects.published().select_related("answer")
    cards = [_card(request, one, wrong, error) for one in (*asked, *shown)]
    context = {"cards": [card for card in cards if card], "most": MOST_CHARACTERS, "most_answer": MOST_IN_ANSWER}
    return render(request, "public/questions.html", context, status=status)


def _card(request: SignedIn, question: Question, wrong: Question | None, error: str) -> dict[str, object]:
    article: Publication | None = find_claims(question.article)
    if article is None:
        return {}
    shown, said = question.state == QuestionState.PUBLISHED, request.POST
    chosen = question.answer.claims if shown else []
    card: dict[str, object] = {
        "question": question,
        "article": article.claims.title.in_(question.language),
        "shown": shown,
        "moderated_text": question.moderated_text or question.text,
        "answer": question.answer.text if shown else "",
        "error": "",
    }
    if wrong is not None and wrong.pk == question.pk:  # what was typed comes back with what is wrong about it
        chosen = said.getlist("claims")
        card |= {"moderated_text": said.get("moderated_text", ""), "answer": said.get("answer", ""), "error": error}
    card["claims"] = [
        {"id": one.id, "chosen": one.id in chosen,
         "name": (one.question if isinstance(one, RedFlag) else one.name).in_(question.language),
         "grade": "" if isinstance(one, RedFlag) else str(one.grade)}
        for one in article.claims.claims
    ]  # fmt: skip
    return card

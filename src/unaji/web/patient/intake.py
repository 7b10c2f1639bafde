"""The beginning: warning signs before everything else, then the questionnaire, then a first picture."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from unaji.care.first_picture import first_picture
from unaji.claims.model import Claims
from unaji.claims.questionnaire import IntakeAnswers, from_plain
from unaji.web.access import SignedIn, person_page, signed_in
from unaji.web.casebook.actions import screens
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Intake, Person, RedFlagScreen
from unaji.web.casebook.models.intake import Level
from unaji.web.casebook.on_record import on_record
from unaji.web.patient import intake_forms
from unaji.web.patient.first_words import first_told
from unaji.web.patient.forms import WrongError, read_client_id
from unaji.web.patient.signs import is_new, moment, never_asked, screen_told
from unaji.web.patient.views import TABS
from unaji.web.words import spoken, words


def page(request: HttpRequest, name: str, person: Person, status: int = 200, **said: Any) -> HttpResponse:
    """Answer with a screen of the beginning; the tabs are there once the warning signs were answered."""
    tabs = [] if is_new(person) else [{"name": t, "to": reverse(f"patient:{t}"), "here": t == "more"} for t in TABS]
    return render(request, f"intake/{name}", {"person": person, "tabs": tabs, **said}, status=status)


# -- warning signs -----------------------------------------------------------------------------------------------------


@person_page
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: SignedIn, person: Person) -> HttpResponse:
    """Ask for warning signs: every question is answered, or none is kept."""
    claims, why = claims_in_use(), _why(request, person)
    form, status, error = intake_forms.check_form(claims, uuid7()), 200, ""
    if request.method == "POST":
        number, status = read_client_id(request.POST), 422
        form = intake_forms.check_form(claims, number, request.POST)
        try:
            answers = intake_forms.read_signs(request.POST, claims)
        except WrongError as wrong:
            error = str(wrong)
        else:
            if answers is not None:
                screen = screens.answer_screen(
                    person, by=request.user, answers=answers, claims=claims, why=why, number=number
                )
                return redirect("patient:red_flag", pk=screen.pk)
            error = words().count("check.missing", len(form.open))
    return page(request, "check.html", person, status, form=form, why=why, error=error)


def _why(request: HttpRequest, person: Person) -> str:
    """Tell what the questions are asked for: the first time, an unusual episode, or because a person wishes it."""
    if (request.POST.get("why", "") or request.GET.get("why", "")) == "unusual":
        return "unusual"
    return "intake" if never_asked(person) else "again"


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def red_flag(request: SignedIn, pk: UUID) -> HttpResponse:
    """Fill the screen with what comes first; it is closed by saying that it was read."""
    screen = get_object_or_404(RedFlagScreen.objects.visible_to(request.user).select_related("person"), pk=pk)
    person, claims = screen.person, claims_in_use()
    if request.method == "POST" and screen.level != Level.NONE:
        screens.acknowledge(screen, by=request.user)
        questions = screen.level == Level.DAYS and not Intake.objects.filter(person=person).exists()
        return redirect("patient:intake" if questions else "patient:now")
    name = "none.html" if screen.level == Level.NONE else "red_flag.html"
    asked = Intake.objects.filter(person=person).exists()
    return page(request, name, person, told=screen_told(screen, claims), asked=asked)


# -- questionnaire and first picture -----------------------------------------------------------------------------------


@person_page
@require_http_methods(["GET", "HEAD", "POST"])
def intake(request: SignedIn, person: Person) -> HttpResponse:
    """Ask what the claims want to know; nothing has to be answered."""
    if never_asked(person):
        return redirect("patient:check")
    claims = claims_in_use()
    latest = _latest(person, claims)
    answers, status, error = IntakeAnswers() if latest is None else answers_of(latest, claims), 200, ""
    if request.method == "POST":
        try:
            said = intake_forms.read_intake(request.POST, request.POST.getlist("companion"), claims)
        except WrongError as wrong:
            error, status = str(wrong), 422
            answers = intake_forms.as_far_as_read(request.POST, request.POST.getlist("companion"), claims)
        else:
            screens.answer_intake(
                person, by=request.user, answers=said.answers, claims=claims, language=spoken(), **said.body
            )
            return redirect("patient:first_picture")
    form = intake_forms.intake_form(claims, answers, intake_forms.body_of(person))
    symptom = claims.symptom.in_(spoken())
    return page(request, "questionnaire.html", person, status, form=form, error=error, symptom=symptom)


@person_page
@require_GET
def picture(request: SignedIn, person: Person) -> HttpResponse:
    """Show which causes may be behind it before anything is measured, and what to log to find out."""
    claims = claims_in_use()
    latest = _latest(person, claims)
    if latest is None:
        return redirect("patient:intake")
    answers, there = answers_of(latest, claims), on_record(person)
    told = first_told(first_picture(claims, answers, there), answers, claims)
    return page(
        request, "first_picture.html", person, told=told, own=answers, answered=moment(person, latest.at),
        measured=any(there.names.values()),
    )  # fmt: skip


def answers_of(filled: Intake, claims: Claims) -> IntakeAnswers:
    """Return what was answered, as far as the claims still ask it."""
    return from_plain(filled.answers, claims)


def _latest(person: Person, claims: Claims) -> Intake | None:
    return Intake.objects.filter(person=person, article=claims.id).order_by("-at").first()

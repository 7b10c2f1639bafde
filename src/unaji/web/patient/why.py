"""Why: the answer as it stands, how it is worked out anew, the full report, the paper for a doctor, the course."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from unaji.report.html import policy_hashes
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions.explanations import ask_why, is_stale, latest_of, page_of
from unaji.web.casebook.models import Job, Person
from unaji.web.casebook.models.results import JobKind, JobState
from unaji.web.patient.clock import clock_time, local, say_day_short
from unaji.web.patient.signs import never_asked
from unaji.web.patient.views import screen
from unaji.web.words import spoken

STYLE, SCRIPT = policy_hashes()


def signs_first(view: Callable[[SignedIn, Person], HttpResponse]) -> Callable[[SignedIn, Person], HttpResponse]:
    """Ask for warning signs before any answer is shown: one that says none were found needs the questions."""

    @wraps(view)
    def guarded(request: SignedIn, person: Person) -> HttpResponse:
        return redirect("patient:check") if never_asked(person) else view(request, person)

    return guarded


@person_page
@signs_first
@require_GET
def why(request: SignedIn, person: Person) -> HttpResponse:
    """What is behind it, what is not, what to do next."""
    return _answer(request, person, "why.html", "why")


@person_page
@signs_first
@require_GET
def course(request: SignedIn, person: Person) -> HttpResponse:
    """How it went over the weeks, and what treatment has to do with it."""
    return _answer(request, person, "course.html", "more")


def _answer(request: HttpRequest, person: Person, template: str, tab: str) -> HttpResponse:
    latest = latest_of(person)
    content = None if latest is None else page_of(latest, f"why.json.{spoken()}")
    told = None if content is None else _drawn(json.loads(content))
    job = Job.objects.filter(person=person, kind=JobKind.EXPLAIN).order_by("-made_at").first()
    return screen(
        request, template, person, tab, told=told, stale=is_stale(person, latest),
        made=None if latest is None else f"{say_day_short(local(person, latest.made_at).date())} "
        f"{clock_time(person, latest.made_at)}",
        job=job if job is not None and job.state in (JobState.WAITING, JobState.RUNNING, JobState.FAILED) else None,
    )  # fmt: skip


def _drawn(told: dict[str, Any]) -> dict[str, Any]:
    """Let pictures through that we drew ourselves; every text in them was escaped when they were drawn."""
    for figure in (*told["figures"], *told["course_figures"]):
        figure["phone"], figure["desktop"] = mark_safe(figure["phone"]), mark_safe(figure["desktop"])
    for cause in told["causes"]:
        cause["dots"] = mark_safe(cause["dots"])
    return told


@person_page
@signs_first
@require_POST
def ask(request: SignedIn, person: Person) -> HttpResponse:
    """Work it out anew."""
    ask_why(person, by=request.user)
    return redirect("patient:why")


@person_page
@signs_first
@require_GET
def report(request: SignedIn, person: Person) -> HttpResponse:
    """Show the full report, as it was written."""
    response = HttpResponse(_page(person, "report.html"), content_type="text/html; charset=utf-8")
    # The page carries its own style sheet and script: these two are let in by their hashes, and nothing else is.
    response._csp_replace = {  # type: ignore[attr-defined]  # what django-csp's decorator sets
        "style-src": [f"'sha256-{STYLE}'"],
        "script-src": [f"'sha256-{SCRIPT}'"],
    }
    return response


@person_page
@signs_first
@require_GET
def paper(request: SignedIn, person: Person) -> HttpResponse:
    """Give the pages for a doctor as PDF."""
    return HttpResponse(
        _page(person, "report.pdf"),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="unaji-{spoken()}.pdf"'},
    )


def _page(person: Person, name: str) -> bytes:
    latest = latest_of(person)
    content = None if latest is None else page_of(latest, f"{name}.{spoken()}")
    if content is None:
        raise Http404
    return content

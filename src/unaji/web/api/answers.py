"""The answer to "why", as it was kept, and how far a new one is."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from unaji.web.api import facts
from unaji.web.api.door import Token, person_of
from unaji.web.api.entries import MAY_READ, PROBLEMS, PROBLEMS_OF_ONE
from unaji.web.api.problems import ProblemError, ProblemOut
from unaji.web.casebook.actions.explanations import FINDINGS, ask_why, is_stale, latest_of, page_of
from unaji.web.casebook.actions.tokens import Scope
from unaji.web.casebook.models import Job, RedFlagScreen

router = Router(tags=["answers"])

MAY_FOLLOW = Token(Scope.READ, Scope.UPLOAD)


@router.get("/findings", auth=MAY_READ, response={200: facts.FindingsOut, 409: ProblemOut, **PROBLEMS_OF_ONE})
def findings(request: HttpRequest) -> facts.FindingsOut:
    """Give the latest answer; 409 where a warning sign waits to be read in the app, which comes before any answer."""
    person = person_of(request)
    if RedFlagScreen.objects.filter(person=person).waiting().exists():
        raise ProblemError("warning_waits")
    latest = latest_of(person)
    content = None if latest is None else page_of(latest, FINDINGS)
    if latest is None or content is None:
        raise ProblemError("not_found")
    return facts.FindingsOut(
        made_at=facts.on_clock(person, latest.made_at), stale=is_stale(person, latest), verdict=latest.verdict,
        findings=json.loads(content),
    )  # fmt: skip


@router.post("/findings/refresh", auth=MAY_READ, response={202: facts.JobOut, **PROBLEMS})
def refresh(request: HttpRequest) -> Status[facts.JobOut]:
    """Ask for a new answer; where one is asked for already, that one is meant."""
    person = person_of(request)
    return Status(202, facts.job_out(ask_why(person, by=person.user)))


@router.get("/jobs/{uuid:number}", auth=MAY_FOLLOW, response={200: facts.JobOut, **PROBLEMS_OF_ONE})
def job(request: HttpRequest, number: UUID) -> facts.JobOut:
    """Say how far a job is."""
    return facts.job_out(get_object_or_404(Job, person=person_of(request), pk=number))

"""Without a network: the worker of the browser, the screen it shows then, and where what was kept arrives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from unaji.web.access import SignedIn, anyone, person_data
from unaji.web.casebook.actions import diary
from unaji.web.casebook.models import Episode, Person
from unaji.web.patient.clock import from_wall
from unaji.web.words import spoken

MOST_ENTRIES = 200
SAME_CLOCK = timedelta(minutes=2)
SHELL = ("report/report.css", "unaji/app.css", "unaji/app.js", "unaji/queue.js", "unaji/icons.svg", "unaji/icon.svg")


@anyone
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """Give the browser's worker; it keeps the shell and nothing of a person."""
    assets = [static(one) for one in SHELL]
    said = {"assets": json.dumps(assets), "language": spoken(), "icon": static("unaji/icon-192.png")}
    answer = render(request, "patient/sw.js", said, content_type="text/javascript")
    answer["Service-Worker-Allowed"] = "/"
    answer["Cache-Control"] = "no-cache"
    return answer


@anyone
@require_GET
def shell(request: HttpRequest) -> HttpResponse:
    """Show the large button, of nobody: what the browser keeps for when there is no network."""
    return render(request, "patient/shell.html")


@person_data
@require_http_methods(["GET", "POST"])
def sync(request: SignedIn, person: Person) -> HttpResponse:
    """Take what was kept, each entry once however often it arrives; a GET gives the token that a POST needs."""
    if request.method == "GET":
        return JsonResponse({"token": get_token(request), "person": str(person.pk)})
    try:
        sent = json.loads(request.body)
        entries = sent["entries"]
        shift = _shift(sent.get("now"))
        if sent["person"] != str(person.pk):  # somebody else has signed in since; theirs it is not
            return JsonResponse({"error": "other_person"}, status=409)
        if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": "malformed"}, status=400)
    stored: dict[str, str] = {}
    refused: dict[str, str] = {}
    for entry in entries:
        name = str(entry.get("client_id", ""))[:40] if isinstance(entry, dict) else ""
        try:
            stored[name] = _store(person, entry, shift)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            refused[name] = str(error) if isinstance(error, diary.NotPossibleError) else "error.choice"
    return JsonResponse({"stored": stored, "refused": refused})


def _shift(sent_now: object) -> timedelta:
    """Say by how much a phone's clock is wrong; small differences are the way's, not the clock's."""
    if not isinstance(sent_now, str):
        return timedelta(0)
    off = timezone.now() - datetime.fromisoformat(sent_now)
    return off if abs(off) > SAME_CLOCK else timedelta(0)


def _store(person: Person, entry: Any, shift: timedelta) -> str:
    number, at = UUID(entry["client_id"]), datetime.fromisoformat(entry["at"])
    # What the phone noted is on its clock, which may be wrong; what a person typed is on the wall's.
    at = from_wall(person, at) if at.tzinfo is None else at.astimezone(UTC) + shift
    user = person.user
    if entry["kind"] == "episode":
        return str(diary.log_episode(person, by=user, client_id=number, start=at, source="offline").pk)
    if entry["kind"] == "nothing":
        return str(diary.log_nothing(person, by=user, client_id=number, at=at, source="offline").pk)
    if entry["kind"] == "withdraw" and entry.get("of") == "nothing":
        diary.withdraw(diary.log_nothing(person, by=user, client_id=number, at=at, source="offline"), by=user)
        return ""
    if entry["kind"] == "withdraw":
        episode = Episode.objects.filter(person=person, client_id=number).first()
        if episode is None:  # it was taken back before it arrived: it is stored as taken back, so that it never returns
            episode = diary.log_episode(person, by=user, client_id=number, start=at, source="offline")
        diary.withdraw(episode, by=user)
        return ""
    raise ValueError(entry["kind"])

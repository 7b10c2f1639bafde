"""Without a network: the worker of the browser, the screen it shows then, and where what was kept arrives."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_http_methods

from unaji.web.access import SignedIn, anyone, person_data
from unaji.web.casebook.actions import diary
from unaji.web.casebook.models import Person
from unaji.web.casebook.models.diary import Entry
from unaji.web.patient import forms
from unaji.web.patient.adding import write_added
from unaji.web.patient.clock import evening_of, from_wall, local
from unaji.web.patient.evening import evening_shell, write_evening
from unaji.web.patient.forms import WrongError
from unaji.web.patient.views import KINDS, say_wrong, tabs_of
from unaji.web.words import spoken, words

MOST_ENTRIES = 200
MOST_FIELDS = 100
SAME_CLOCK = timedelta(minutes=2)
MOMENTS = ("start", "end")
"""Fields that are moments."""
ASSETS = (
    "report/report.css", "unaji/app.css", "unaji/reaching.css", "unaji/app.js", "unaji/queue.js", "unaji/icons.svg",
    "unaji/icon.svg",
)  # fmt: skip
SHELLS = {"now": "now_shell", "earlier": "earlier_shell", "add": "add_shell", "evening": "evening_shell"}
"""The screens on which something is written, and what the browser keeps of each: nobody's, for when there is no
network. Other screens give way to that of Now."""
TABS = {"now": "now", "earlier": "now", "add": "add", "evening": "today"}


@anyone
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """Give the browser's worker; it keeps the shells and nothing of a person."""
    shells = {reverse(f"patient:{one}"): reverse(f"patient:{shell}") for one, shell in SHELLS.items()}
    assets = [static(one) for one in ASSETS]
    said = {
        "assets": json.dumps(assets), "shells": json.dumps(shells),
        "otherwise": json.dumps(shells[reverse("patient:now")]),
        "cache": f"unaji-{spoken()}-{fingerprint(spoken())}", "icon": static("unaji/icon-192.png"),
    }  # fmt: skip
    answer = render(request, "patient/sw.js", said, content_type="text/javascript")
    answer["Service-Worker-Allowed"] = "/"
    answer["Cache-Control"] = "no-cache"
    return answer


@cache
def fingerprint(language: str) -> str:
    """Return what changes with anything that the browser keeps, so that it fetches all of it anew."""
    with translation.override(language):
        kept = "".join([*(static(one) for one in ASSETS), *(_page(one) for one in SHELLS)])
    return sha256(kept.encode()).hexdigest()[:16]


@anyone
@require_GET
def shell(request: HttpRequest, name: str) -> HttpResponse:
    """Show a screen of nobody's: what the browser keeps for when there is no network."""
    return HttpResponse(_page(name))


def _page(name: str) -> str:
    said: dict[str, object] = {"shell": True, "tabs": tabs_of(TABS[name])}
    if name == "add":
        said |= {"groups": forms.add_groups(), "most_note": forms.MOST_NOTE}
    elif name == "evening":
        said |= evening_shell()
    template = "shell" if name == "now" else name
    return render_to_string(f"patient/{template}.html", said)  # without the request: what is said to a person stays out


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
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"error": "malformed"}, status=400)
    stored: dict[str, str] = {}
    refused: dict[str, str] = {}
    for entry in entries:
        name = str(entry.get("client_id", ""))[:40] if isinstance(entry, dict) else ""
        try:
            stored[name] = _store(person, entry, shift)
        except (WrongError, diary.NotPossibleError) as error:
            refused[name] = say_wrong(error)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            refused[name] = words()("error.choice")
    return JsonResponse({"stored": stored, "refused": refused})


def _shift(sent_now: object) -> timedelta:
    """Say by how much a phone's clock is wrong; small differences are the way's, not the clock's."""
    if not isinstance(sent_now, str):
        return timedelta(0)
    off = timezone.now() - datetime.fromisoformat(sent_now)
    return off if abs(off) > SAME_CLOCK else timedelta(0)


@transaction.atomic
def _store(person: Person, entry: Any, shift: timedelta) -> str:
    """Store what waited; return its number, or the day it belongs to where it was a form, or nothing if taken back."""
    number, kind = UUID(entry["client_id"]), entry["kind"]
    if kind != "withdraw":
        return _write(person, kind, number, entry, shift)[1]
    rows = _arrived(person, number, _pairs(entry.get("fields") or []))
    if not rows:  # taken back before it has arrived: it is stored as taken back, which it finds when it does
        with suppress(WrongError, diary.NotPossibleError):  # what could not arrive need not be taken back
            rows = _write(person, entry.get("of", "episode"), number, entry, shift)[0]
    for one in rows:
        diary.withdraw(one, by=person.user)
    return ""


def _arrived(person: Person, number: UUID, fields: list[tuple[str, str]]) -> list[Entry]:
    """Return what is stored of an entry: under its own number, and under those of the parts of a form."""
    numbers = [number, *(uuid5(number, one) for one in {one for pair in fields for one in pair})]
    found = (model._default_manager.filter(person=person, client_id__in=numbers) for model in KINDS.values())
    return [row for rows in found for row in rows]


def _write(person: Person, kind: str, number: UUID, entry: dict[str, Any], shift: timedelta) -> tuple[list[Entry], str]:
    user = person.user
    typed = entry.get("typed") or ()
    at = _moment(person, entry["at"], timedelta(0) if "at" in typed else shift)
    if kind == "episode":
        episode = diary.log_episode(person, by=user, client_id=number, start=at, source="offline")
        return [episode], str(episode.pk)
    if kind == "nothing":
        nothing = diary.log_nothing(person, by=user, client_id=number, at=at, source="offline")
        return [nothing], str(nothing.pk)
    sent = _fields(
        person, _pairs(entry["fields"]), number, {one: timedelta(0) if one in typed else shift for one in MOMENTS}
    )
    if kind == "add":
        rows, moment = write_added(person, sent, source="offline")
        return rows, local(person, moment).date().isoformat()
    if kind == "evening":
        told = evening_of(person, min(at, timezone.now()))
        rows = write_evening(person, sent, told, source="offline")
        return rows, told.day.isoformat() if rows else ""
    raise ValueError(kind)


def _moment(person: Person, said: str, shift: timedelta) -> datetime:
    """Read a moment: one with an offset comes from the phone, whose clock may be wrong; else it is on the person's."""
    at = datetime.fromisoformat(said)
    return from_wall(person, at) if at.tzinfo is None else at.astimezone(UTC) + shift


def _pairs(said: Any) -> list[tuple[str, str]]:
    if not isinstance(said, list) or len(said) > MOST_FIELDS:
        raise TypeError
    pairs = [(name, value) for name, value in said]
    if not all(isinstance(one, str) for pair in pairs for one in pair):
        raise TypeError
    return pairs


def _fields(person: Person, said: list[tuple[str, str]], number: UUID, shifts: dict[str, timedelta]) -> QueryDict:
    """Give what was filled in as a form gives it."""
    sent = QueryDict(mutable=True)
    for name, value in said:
        moment = name in MOMENTS and value
        sent.appendlist(name, _moment(person, value, shifts[name]).isoformat() if moment else value)
    sent["client_id"] = str(number)
    return sent

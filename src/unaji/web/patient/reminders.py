"""When and how to be reminded: chosen on one screen, off by one tap."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import time
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from unaji.web.access import SignedIn, person_data, person_page
from unaji.web.casebook.actions.consents import consented, give_consent, newest_texts
from unaji.web.casebook.actions.reminders import add_browser, set_reminder, stop_reminder
from unaji.web.casebook.models import Person, PushSubscription, Reminder
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.push import Browser, public_key
from unaji.web.patient.views import screen
from unaji.web.words import spoken, words

USUAL = time(21, 0)


@person_page
@require_http_methods(["GET", "POST"])
def reminders(request: SignedIn, person: Person) -> HttpResponse:
    """Show what was chosen, and take what is chosen now."""
    if request.method == "GET":
        return _reminders(request, person)
    sent = request.POST
    may = consented(person, Purpose.CONTACT)
    at = _read_time(sent.get("time", ""))
    by_mail, by_push = sent.get("by_mail") == "yes", sent.get("by_push") == "yes"
    problem = ""
    if person.simulated:  # anybody may be signed in as the invented person, who has no mail
        problem = "reminders.example"
    elif at is None:
        problem = "reminders.no_time"
    elif not (by_mail or by_push):
        problem = "reminders.no_way"
    elif by_push and not PushSubscription.objects.visible_to(request.user).exists():
        problem = "reminders.push_missing"
    elif not may and sent.get("consent") != "yes":
        problem = "reminders.needs_consent"
    if problem or at is None:
        said = {"at": at or USUAL, "by_mail": by_mail, "by_push": by_push}
        return _reminders(request, person, 422, problem=words()(problem), **said)
    give_consent(person, Purpose.CONTACT, language=spoken(), by=request.user)
    set_reminder(person, by=request.user, local_time=at, by_mail=by_mail, by_push=by_push)
    return redirect("patient:reminders")


@person_page
@require_POST
def stop(request: SignedIn, person: Person) -> HttpResponse:
    """Do without."""
    stop_reminder(person, by=request.user)
    return redirect("patient:reminders")


@person_data
@require_POST
def subscribe(request: SignedIn, person: Person) -> HttpResponse:
    """Keep where this browser is notified."""
    if person.simulated:
        return JsonResponse({"error": "example"}, status=409)
    try:
        sent = json.loads(request.body)
        browser = Browser(str(sent["endpoint"]), str(sent["keys"]["p256dh"]), str(sent["keys"]["auth"]))
        agreed = sent.get("consent") == "yes"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # what is refused is a ValueError
        return JsonResponse({"error": "malformed"}, status=422)
    if agreed:
        give_consent(person, Purpose.CONTACT, language=spoken(), by=request.user)
    elif not consented(person, Purpose.CONTACT):
        return JsonResponse({"error": "needs_consent"}, status=409)
    add_browser(person, browser, by=request.user)
    return JsonResponse({"ok": True})


def _read_time(said: str) -> time | None:
    with suppress(ValueError):
        return time.fromisoformat(said).replace(second=0, microsecond=0, tzinfo=None)
    return None


def _reminders(request: SignedIn, person: Person, status: int = 200, **said: Any) -> HttpResponse:
    held = Reminder.objects.visible_to(request.user).first()
    chosen: dict[str, Any] = {
        "at": USUAL if held is None else held.local_time,
        "by_mail": held is None or held.by_mail,
        "by_push": held is not None and held.by_push and PushSubscription.objects.filter(person=person).exists(),
    }
    chosen.update(said)
    chosen["at"] = f"{chosen['at']:%H:%M}"
    may = consented(person, Purpose.CONTACT)
    body = newest_texts(spoken())[Purpose.CONTACT].body
    is_on = held is not None and may
    heading = words()("reminders.on", time=f"{held.local_time:%H:%M}") if held and may else words()("reminders.off")
    return screen(
        request, "reminders.html", person, "more", status, heading=heading, is_on=is_on, may=may, consent=body,
        push_key=public_key(), mail=request.user.email, **chosen,
    )  # fmt: skip

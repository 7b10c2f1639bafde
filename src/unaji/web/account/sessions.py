"""How long a session lasts: for people 30 days from their last visit, for staff 15 minutes, and 12 hours at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from urllib.parse import urlencode

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

STAFF_IDLE_S = 15 * 60
STAFF_LONGEST_S = 12 * 3600
PERSON_NOTED_EVERY_S = 3600  # a page that is only looked at writes nothing; the session may end an hour early
STAFF_NOTED_EVERY_S = 30
SINCE, SEEN = "signed_in_at", "seen_at"

Answer = Callable[[HttpRequest], HttpResponse]


def sessions(get_response: Answer) -> Answer:
    """End a staff member's session that was left alone or grew too old; let a person's slide on."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now, staff = int(time.time()), request.user.is_staff
            if staff and has_ended(request.session, now):
                logout(request)
                return redirect(f"{reverse('account_login')}?{urlencode({'next': request.path})}")
            if note_visit(request.session, now, STAFF_NOTED_EVERY_S if staff else PERSON_NOTED_EVERY_S):
                UserSession.objects.create_from_request(request)
        return get_response(request)

    return answer


def has_ended(session: SessionBase, now: int) -> bool:
    """Say whether a staff member must sign in again."""
    since, seen = session.get(SINCE, now), session.get(SEEN, now)
    return bool(now - seen > STAFF_IDLE_S or now - since > STAFF_LONGEST_S)


def note_visit(session: SessionBase, now: int, every_s: int) -> bool:
    """Write the visit into the session, which saves it anew with its whole length before it.

    Returns
    -------
    bool
        False where a visit was noted a short while ago.
    """
    if now - session.get(SEEN, 0) < every_s:
        return False
    session.setdefault(SINCE, now)
    session[SEEN] = now
    return True


def sweep_sessions() -> int:
    """Remove sessions that have ended, and from where and with what they were opened; return how many of these."""
    engine = import_module(settings.SESSION_ENGINE)
    engine.SessionStore.clear_expired()
    ended = [one.pk for one in UserSession.objects.iterator() if not one.exists()]
    UserSession.objects.filter(pk__in=ended).delete()
    return len(ended)

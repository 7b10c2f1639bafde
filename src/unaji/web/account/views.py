"""What allauth has no page for."""

from __future__ import annotations

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from unaji.web.access import SignedIn, signed_in
from unaji.web.words import words


@signed_in
@require_POST
def end_session(request: SignedIn) -> HttpResponse:
    """Sign out one device; the one at hand has its own button."""
    number = request.POST.get("session", "")
    if not number.isdecimal():
        raise Http404
    session = get_object_or_404(UserSession, pk=int(number), user=request.user)
    get_adapter().end_sessions([session])
    messages.success(request, words()("account.said.session_ended"))
    return redirect("usersessions_list")

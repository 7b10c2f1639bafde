"""Tokens for other tools: made and shown once, listed with their last use, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from unaji.web.access import SignedIn, fresh_to_send, person_page
from unaji.web.casebook.actions.tokens import (
    MOST_NAME,
    MOST_TOKENS,
    Scope,
    TooManyTokensError,
    make_token,
    revoke_token,
)
from unaji.web.casebook.models import ApiToken, Person
from unaji.web.patient.clock import clock_time, local, say_day_short
from unaji.web.patient.views import screen
from unaji.web.words import words


@person_page
@fresh_to_send
@require_http_methods(["GET", "POST"])
def tokens(request: SignedIn, person: Person) -> HttpResponse:
    """List the tokens; a new one is shown on the page that makes it, and on no other."""
    if request.method == "GET":
        return _tokens(request, person)
    name, scopes = request.POST.get("name", ""), request.POST.getlist("scope")
    say = words()
    if person.simulated:  # anybody may be signed in as the invented person
        return _tokens(request, person, 422, problem=say("tokens.example"))
    try:
        _, key = make_token(person, by=request.user, name=name, scopes=scopes)
    except TooManyTokensError:
        return _tokens(request, person, 422, problem=say("tokens.too_many", most=MOST_TOKENS))
    except ValueError:
        problem = say("tokens.wrong", most=MOST_NAME)
        return _tokens(request, person, 422, problem=problem, name=name[:MOST_NAME], chosen=scopes)
    return _tokens(request, person, key=key)


@person_page
@require_POST
def revoke(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Take a token back."""
    revoke_token(get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk), by=request.user)
    return redirect("patient:tokens")


def _tokens(request: SignedIn, person: Person, status: int = 200, **said: Any) -> HttpResponse:
    say = words()
    held = ApiToken.objects.visible_to(request.user).filter(revoked_at__isnull=True).order_by("-made_at")
    chosen = said.pop("chosen", [Scope.LOG])
    return screen(
        request, "tokens.html", person, "more", status, most_name=MOST_NAME,
        scopes=[{"value": one, "name": say(f"tokens.scope.{one}"), "on": one in chosen} for one in Scope.values],
        tokens=[_line(person, one) for one in held], **said,
    )  # fmt: skip


def _line(person: Person, token: ApiToken) -> dict[str, object]:
    say = words()
    used = token.used_at and say(
        "tokens.used", when=f"{say_day_short(local(person, token.used_at).date())} {clock_time(person, token.used_at)}"
    )
    return {
        "pk": token.pk,
        "name": token.name,
        "scopes": [say(f"tokens.scope.{one}") for one in token.scopes],
        "made": say("tokens.made_on", day=say_day_short(local(person, token.made_at).date())),
        "used": used or say("tokens.unused"),
        "revoke": say("tokens.revoke_one", name=token.name),
    }

"""Who may open a view: every view says it, and a test walks them all."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from unaji.web.casebook.models import Person, RedFlagScreen, User
from unaji.web.words import words

P = ParamSpec("P")


class SignedIn(HttpRequest):
    """The request of somebody who has an account."""

    user: User


View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class Rule(StrEnum):
    """Who a view is for."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"  # has an account, may have no casebook yet
    DATA = "data"  # a person's device, which is answered with a status and not led to another page
    TOKEN = "token"  # a device of the person's with a token of the API; no cookie counts
    PERSON = "person"  # has a casebook, and no warning sign waits to be read
    STAFF = "staff"  # moderates, and has proved it in two ways


def anyone(view: View[P]) -> View[P]:
    """Open a view to everybody."""
    view.rule = Rule.ANYONE  # type: ignore[attr-defined]
    return view


def signed_in(view: Callable[Concatenate[SignedIn, P], HttpResponse]) -> View[P]:
    """Open a view to those who have an account."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(cast(SignedIn, request), *args, **kwargs)

    guarded.rule = Rule.SIGNED_IN  # type: ignore[attr-defined]
    return guarded


def person_page(view: Callable[Concatenate[SignedIn, Person, P], HttpResponse]) -> View[P]:
    """Open a view to a person, who is handed to it; a warning sign that nobody has read comes first."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = Person.objects.visible_to(request.user).first()
        if person is None:
            return redirect("patient:welcome")
        screen = RedFlagScreen.objects.visible_to(request.user).waiting().first()
        if screen is not None:
            return redirect("patient:red_flag", pk=screen.pk)
        return view(cast(SignedIn, request), person, *args, **kwargs)

    guarded.rule = Rule.PERSON  # type: ignore[attr-defined]
    return guarded


def person_data(view: Callable[Concatenate[SignedIn, Person, P], HttpResponse]) -> View[P]:
    """Open a view to a script of a person's page: 401 where nobody is signed in, 409 where there is no casebook."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"error": "signed_out"}, status=401)
        person = Person.objects.visible_to(request.user).first()
        if person is None:
            return JsonResponse({"error": "no_casebook"}, status=409)
        return view(cast(SignedIn, request), person, *args, **kwargs)

    guarded.rule = Rule.DATA  # type: ignore[attr-defined]
    return guarded


def freshly_signed_in(
    view: Callable[Concatenate[SignedIn, P], HttpResponse],
) -> Callable[Concatenate[SignedIn, P], HttpResponse]:
    """Ask again who it is, unless they said so in the last ten minutes; what was sent goes through afterwards.

    Stands below `person_page` or `signed_in`, on views that give everything away or destroy it. The example account
    cannot prove who it is, and is refused.
    """
    guarded: Callable[Concatenate[SignedIn, P], HttpResponse] = reauthentication_required(view, app="unaji")
    return guarded


def fresh_to_send(
    view: Callable[Concatenate[SignedIn, P], HttpResponse],
) -> Callable[Concatenate[SignedIn, P], HttpResponse]:
    """Ask again who it is before something is sent, as `freshly_signed_in` does; who only looks is not asked."""
    guarded: Callable[Concatenate[SignedIn, P], HttpResponse] = reauthentication_required(
        view, app="unaji", allow_get=True
    )
    return guarded


def staff_page(view: Callable[Concatenate[SignedIn, P], HttpResponse]) -> View[P]:
    """Open a view to staff who entered with a passkey or an app's code; to all others it is not there."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        if any(record["method"] == "mfa" for record in get_authentication_records(request, request.user)):
            return view(cast(SignedIn, request), *args, **kwargs)
        kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
        if not kinds:
            messages.warning(request, words()("account.staff_needs_second"))
            return redirect("mfa_index")
        prove = "mfa_reauthenticate_webauthn" if Authenticator.Type.WEBAUTHN in kinds else "mfa_reauthenticate"
        return redirect(f"{reverse(prove)}?{urlencode({'next': request.path})}")

    guarded.rule = Rule.STAFF  # type: ignore[attr-defined]
    return guarded

"""What belongs to no audience: refusals, the language, whether the app is up."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from unaji.web.access import anyone
from unaji.web.casebook.example import example_user
from unaji.web.words import LANGUAGES


@anyone
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Say that the app answers and reaches its database; nothing more is told to a stranger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


@anyone
@require_POST
def look_at_example(request: HttpRequest) -> HttpResponse:
    """Let a visitor look around as the invented person, where the operator allows it."""
    user = example_user() if settings.EXAMPLE else None
    if user is None:
        raise Http404
    if not request.user.is_authenticated:
        login(request, user)
    return redirect("patient:now")


@anyone
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language a person chose: with the account where there is one, else in a cookie."""
    chosen = request.POST.get("language", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    if chosen in LANGUAGES:
        if request.user.is_authenticated:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=365 * 86_400,
            samesite="Lax",
            httponly=True,
            secure=settings.LANGUAGE_COOKIE_SECURE,
        )
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Tell a stranger nothing: what is not there and what is not theirs look the same."""
    return render(request, "error.html", {"error": "not_found"}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours."""
    return render(request, "error.html", {"error": "failed"}, status=500)


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form did not come from a page of ours, or from one opened too long ago."""
    return render(request, "error.html", {"error": "refused"}, status=403)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that this cannot be done with this account."""
    return render(request, "error.html", {"error": "forbidden"}, status=403)


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that it was tried too often."""
    return render(request, "error.html", {"error": "too_many"}, status=429)

"""What every answer carries, and the language it is in."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from unaji.web.words import LANGUAGES

Answer = Callable[[HttpRequest], HttpResponse]

CLOSED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
PASSKEYS = ("publickey-credentials-get", "publickey-credentials-create")
PERMISSIONS = ", ".join([*(f"{name}=()" for name in CLOSED), *(f"{name}=(self)" for name in PASSKEYS)])


def headers(get_response: Answer) -> Answer:
    """Number the request, and close what no page of ours uses."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        if not getattr(request, "public", False):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def is_public(path: str) -> bool:
    """Say whether an address is of the public pages, which know nobody and set no cookie."""
    return path.startswith(tuple(f"/{language}/" for language in LANGUAGES)) or path in (
        "/sitemap.xml",
        "/robots.txt",
        "/health",
    )


def cookieless_public(get_response: Answer) -> Answer:
    """Mark public addresses, and see that no cookie leaves with their pages."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.public = is_public(request.path)  # type: ignore[attr-defined]
        response = get_response(request)
        if request.public and request.method in ("GET", "HEAD"):  # type: ignore[attr-defined]
            response.cookies.clear()
            vary = [one.strip() for one in response.headers.get("Vary", "").split(",")]
            response.headers["Vary"] = ", ".join(one for one in vary if one and one != "Cookie") or "Accept-Encoding"
        return response

    return answer


def language(get_response: Answer) -> Answer:
    """Speak the language of the address (public), of the account, of the cookie, of the browser; Japanese otherwise."""

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = _language(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = get_response(request)
        response.headers.setdefault("Content-Language", chosen)
        return response

    return answer


def _language(request: HttpRequest) -> str:
    for one in LANGUAGES:
        if request.path.startswith(f"/{one}/"):
            return one
    if request.user.is_authenticated and request.user.language in LANGUAGES:
        return request.user.language
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if cookie in LANGUAGES:
        return cookie
    asked = request.headers.get("Accept-Language", "")
    first = [part.split(";")[0].strip().lower()[:2] for part in asked.split(",")]
    return next((one for one in first if one in LANGUAGES), "ja")

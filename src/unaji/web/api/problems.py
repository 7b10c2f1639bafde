"""What went wrong, as JSON that says so in words (RFC 9457), and never by a page."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from unaji.web.words import words

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS = {
    "malformed": 400,
    "no_token": 401,
    "wrong_scope": 403,
    "needs_consent": 403,
    "not_found": 404,
    "wrong_method": 405,
    "too_slow": 408,
    "warning_waits": 409,
    "known_file": 409,
    "not_understood": 409,
    "too_large": 413,
    "wrong": 422,
    "no_file": 422,
    "empty_file": 422,
    "too_often": 429,
    "too_much": 429,
    "failed": 500,
    "busy": 503,
}
"""Every kind of problem, and the status it is answered with."""
AGAIN_AFTER_S = {"too_often": 60, "too_much": 3600, "busy": 60}
MOST_TOLD = 20


class Wrong(Schema):
    """One thing that was sent and cannot be used."""

    at: str
    problem: str


class ProblemOut(Schema):
    """What went wrong: `code` for programs, `title` for people."""

    type: str
    title: str
    status: int
    code: str
    errors: list[Wrong]
    id: str | None


class ProblemError(Exception):
    """A request cannot be done; `code` is one of `STATUS`."""

    def __init__(self, code: str, errors: Sequence[tuple[str, str]] = (), number: object = None) -> None:
        super().__init__(code)
        self.code, self.errors, self.number = code, errors, number


def answer(code: str, errors: Sequence[tuple[str, str]] = (), number: object = None) -> HttpResponse:
    """Tell a problem.

    Parameters
    ----------
    errors : sequence of (str, str)
        Where, and what is wrong there.
    number : optional
        What it is about, such as the file that is there already.
    """
    status = STATUS[code]
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": words()(f"api.problem.{code}"),
        "status": status,
        "code": code,
        "errors": [{"at": at, "problem": problem} for at, problem in errors[:MOST_TOLD]],
        "id": None if number is None else str(number),
    }
    response = HttpResponse(json.dumps(said, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="unaji"'
    if code in AGAIN_AFTER_S:
        response["Retry-After"] = str(AGAIN_AFTER_S[code])
    return response


def told(_request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Turn whatever came up into an answer; of what nobody expected the log keeps the kind and the place alone."""
    assert isinstance(error, Exception)
    match error:
        case ProblemError():
            return answer(error.code, error.errors, error.number)
        case AuthenticationError():
            return answer("no_token")
        case Http404():
            return answer("not_found")
        case ValidationError():
            return answer("wrong", [(_place(one["loc"]), str(one["msg"])) for one in error.errors])
        case HttpError():
            return answer("malformed")
    logger.error("the API failed: %s", type(error).__name__, exc_info=(type(error), error, error.__traceback__))
    return answer("failed")


def _place(where: Sequence[object]) -> str:
    """Say where, without the name that the body has in our code."""
    return ".".join(str(one) for one in where if one != "said")

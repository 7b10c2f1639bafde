"""Who may come in: a bearer token, found by its hash, for what it was made for, and not too often."""

from __future__ import annotations

import hashlib
import time
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import translation
from ninja.security import HttpBearer

from unaji.web.api.problems import ProblemError
from unaji.web.casebook.actions.tokens import PREFIX, token_of
from unaji.web.casebook.models import ApiToken, Person
from unaji.web.words import LANGUAGES

TOKEN_A_MINUTE = 120
ADDRESS_A_MINUTE = 300
WRONG_COSTS = 15
"""How many requests a wrong token counts for: an address may guess 20 times a minute, which of 256 bits is nothing."""


class Token(HttpBearer):
    """Lets a token in that was made for one of some scopes."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = frozenset(scopes)

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        """Count the request to its address first, so that guessing is slow whatever is guessed."""
        spend(f"address {address_of(request)}", 1, ADDRESS_A_MINUTE)
        return cast(ApiToken | None, super().__call__(request))

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Find the token and see what it is for."""
        held = token_of(token) if token.startswith(PREFIX) else None
        if held is None:
            spend(f"address {address_of(request)}", WRONG_COSTS, ADDRESS_A_MINUTE)
            return None
        if held.person.user.language in LANGUAGES:
            translation.activate(held.person.user.language)
        spend(f"token {held.pk}", 1, TOKEN_A_MINUTE)
        if not self.scopes & set(held.scopes):
            raise ProblemError("wrong_scope")
        return held


def person_of(request: HttpRequest) -> Person:
    """Return whose token opened the door."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]  # put there by the door
    return token.person


def spend(whose: str, cost: int, most: int) -> None:
    """Count requests in this minute; two processes that count at the same moment may count once, which is near enough.

    Raises
    ------
    ProblemError
        There were too many.
    """
    # The key is a hash, so that no address stands in the cache.
    key = f"api:{hashlib.sha256(whose.encode()).hexdigest()[:32]}:{int(time.time() // 60)}"
    cache.add(key, 0, 120)
    try:
        spent = cache.incr(key, cost)
    except ValueError:  # the cache was emptied in between
        return
    if spent > most:
        raise ProblemError("too_often")


def address_of(request: HttpRequest) -> str:
    """Return the address a request came from: the last one that our own proxy wrote down, where there is a proxy."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        return forwarded.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))

"""Who may come in: a bearer token, found by its hash, for what it was made for, and not too often."""

from __future__ import annotations

import hashlib
import time
from typing import cast

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import translation
from ninja.security import HttpBearer

from unaji.web.addresses import counted_as
from unaji.web.api.problems import ProblemError
from unaji.web.casebook.actions.tokens import PREFIX, token_of
from unaji.web.casebook.models import ApiToken, Person
from unaji.web.words import LANGUAGES

TOKEN_A_MINUTE = 120
WRONG_A_MINUTE = 60
"""How often an address may come without a token that opens something. Many people share the address of a mobile
network, so that it is not small; of 256 bits nobody guesses one at this pace, nor at any other."""


class Token(HttpBearer):
    """Lets a token in that was made for one of some scopes."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = frozenset(scopes)

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        """Turn an address away that came in vain too often, before anything is looked up for it."""
        whose = f"address {counted_as(request)}"
        if spent(whose) >= WRONG_A_MINUTE:
            raise ProblemError("too_often")
        held = cast(ApiToken | None, super().__call__(request))
        if held is None:
            spend(whose)
        return held

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Find the token and see what it is for."""
        held = token_of(token) if token.startswith(PREFIX) else None
        if held is None:
            return None
        if held.person.user.language in LANGUAGES:
            translation.activate(held.person.user.language)
        if spend(f"token {held.pk}") > TOKEN_A_MINUTE:
            raise ProblemError("too_often")
        if not self.scopes & set(held.scopes):
            raise ProblemError("wrong_scope")
        return held


def person_of(request: HttpRequest) -> Person:
    """Return whose token opened the door."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]  # put there by the door
    return token.person


def spend(whose: str) -> int:
    """Count a request in this minute, and return how many there were.

    Two processes that count at the same moment may count once, which is near enough.
    """
    key = _this_minute(whose)
    try:
        return cache.incr(key)
    except ValueError:  # the first one
        cache.add(key, 1, 120)
        return 1


def spent(whose: str) -> int:
    """Return how many requests were counted in this minute."""
    return int(cache.get(_this_minute(whose), 0))


def _this_minute(whose: str) -> str:
    # A hash, so that no address stands in the cache.
    return f"api:{hashlib.sha256(whose.encode()).hexdigest()[:32]}:{int(time.time() // 60)}"

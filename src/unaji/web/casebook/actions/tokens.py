"""Keys to the API for a person's own devices: made once, shown once, taken back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from unaji.web.casebook.audit import record
from unaji.web.casebook.models import ApiToken, Person, User


class Scope(models.TextChoices):
    """What a token may do."""

    LOG = "log"  # write into the diary, and change and take back what was written
    UPLOAD = "upload"  # bring files
    READ = "read"  # read entries and findings


PREFIX = "unaji_"
"""So that a token which lies in a wrong place is recognised, also by tools that look for such."""
MOST_TOKENS = 20
MOST_NAME = 60
USED_EVERY = timedelta(minutes=1)
"""How finely the last use is told: a device that writes every second must not write this down every second."""


class TooManyTokensError(ValueError):
    """A person has as many tokens as they may."""


def make_token(person: Person, *, by: User, name: str, scopes: Collection[str]) -> tuple[ApiToken, str]:
    """Make a token.

    Returns
    -------
    token : ApiToken
        What is kept of it.
    key : str
        The token itself, which is kept nowhere and cannot be shown again.

    Raises
    ------
    TooManyTokensError
        There are `MOST_TOKENS` already.
    ValueError
        The name is empty or too long, or a scope is missing or unknown.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MOST_NAME or not scopes or not set(scopes) <= set(Scope.values):
        raise ValueError("a token needs a name of 1 to 60 letters and scopes that are known")
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)  # two requests at once must not both find a place
        if ApiToken.objects.filter(person=person, revoked_at__isnull=True).count() >= MOST_TOKENS:
            raise TooManyTokensError
        token = ApiToken.objects.create(person=person, name=name, sha256=digest(key), scopes=sorted(set(scopes)))
        record("create", token, by=by, person=person.pk)
    return token, key


def revoke_token(token: ApiToken, *, by: User) -> None:
    """Take a token back; it opens nothing from now on."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            record("withdraw", token, by=by, person=token.person_id)


def token_of(key: str) -> ApiToken | None:
    """Find what is kept of a token that still opens something, and note that it was used.

    It is found by its hash: what takes longer or shorter tells of the hash only, from which no token can be guessed.
    """
    token = (
        ApiToken.objects.select_related("person__user")
        .filter(sha256=digest(key), revoked_at__isnull=True, person__user__is_active=True)
        .first()
    )
    now = timezone.now()
    if token is not None and (token.used_at is None or token.used_at < now - USED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
    return token


def digest(key: str) -> str:
    """Return what is kept of a token: it is random and long, so that one round of SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()

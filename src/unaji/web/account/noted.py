"""Note in the audit who signed in, and what was changed of how they do."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.db import transaction
from django.http import HttpRequest

from unaji.web.casebook.audit import record
from unaji.web.casebook.models import Person, User


def connect() -> None:
    """Listen to what allauth tells."""
    account.user_logged_in.connect(_signed_in, dispatch_uid="unaji.signed_in")
    for changed in (
        account.email_changed, account.password_changed, account.password_reset, account.password_set,
        mfa.authenticator_added, mfa.authenticator_removed, mfa.authenticator_reset,
    ):  # fmt: skip
        changed.connect(_changed, dispatch_uid="unaji.changed")


def _signed_in(*, user: User, request: HttpRequest, **_: Any) -> None:
    _note("login", user, request)


def _changed(*, user: User, request: HttpRequest, **_: Any) -> None:
    _note("change", user, request)


def _note(action: str, user: User, request: HttpRequest) -> None:
    person = Person.objects.filter(user=user).first()
    with transaction.atomic():
        record(
            action, user, by=user, person=person.pk if person else None, role="staff" if user.is_staff else "",
            request_id=getattr(request, "request_id", ""),
        )  # fmt: skip

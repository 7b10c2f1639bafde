"""Say who answers readers' questions; it lets nobody see a casebook."""

from __future__ import annotations

from django.db import transaction

from unaji.errors import InputError
from unaji.web.casebook.audit import record
from unaji.web.casebook.models import User


def set_moderator(email: str, *, moderates: bool) -> User:
    """Let an account answer readers' questions, or no longer.

    Raises
    ------
    InputError
        Nobody has an account of that address.
    """
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise InputError(f"{email}: has no account here; the address signs up first, then this is done again")
        if user.is_staff != moderates:
            user.is_staff = moderates
            user.save(update_fields=["is_staff"])
            record("grant" if moderates else "revoke", user, by=None, person=None)
    return user

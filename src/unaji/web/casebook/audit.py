"""Write the audit, and check that nothing was taken out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from unaji.web.casebook.models import AuditEvent, AuditHead, User

_role: ContextVar[str] = ContextVar("role", default="person")


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Let every line that is written meanwhile for a user say by which way they came, such as "api"."""
    before = _role.set(role)
    try:
        yield
    finally:
        _role.reset(before)


def record(
    action: str, row: models.Model, *, by: User | None, person: UUID | None, role: str = "", request_id: str = ""
) -> AuditEvent:
    """Write one line, inside the transaction of what it tells.

    Parameters
    ----------
    action : str
        "create", "change", "withdraw", "view", "export", "erase", "login" or the like.
    row : Model
        What was acted on; only its kind and number are kept.
    by : User or None
        Who acted; None for the app itself.
    person : UUID or None
        Whose records these are.
    """
    assert transaction.get_connection().in_atomic_block, "an audit line belongs inside the transaction it tells of"
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    event = AuditEvent(
        at=timezone.now(),
        actor=None if by is None else by.pk,
        role=role or ("app" if by is None else _role.get()),
        action=action,
        object_type=row._meta.model_name or "",
        object_id=str(row.pk),
        person_number=person,
        request_id=request_id,
    )
    event.chain = head.chain = link(head.chain, event)
    event.save(force_insert=True)
    head.save()
    return event


def link(before: str, event: AuditEvent) -> str:
    """Return the chain's next link: SHA-256 of the link before and of the line's fields as canonical JSON."""
    said = [
        _utc(event.at),
        str(event.actor or ""),
        event.role,
        event.action,
        event.object_type,
        event.object_id,
        str(event.person_number or ""),
        event.request_id,
    ]
    return hashlib.sha256((before + json.dumps(said, ensure_ascii=False)).encode()).hexdigest()


def broken_at() -> int | None:
    """Return the number of the first line that does not follow from those before it; None when the chain is whole.

    A chain that was cut at its end shows as its last line.
    """
    before, last = "", 0
    for event in AuditEvent.objects.order_by("pk").iterator():
        if link(before, event) != event.chain:
            return event.pk
        before, last = event.chain, event.pk
    head = AuditHead.objects.filter(pk=1).first()
    return None if (head.chain if head else "") == before else last


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")

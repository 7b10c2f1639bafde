"""Fields of a model that only the person's key opens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models

from unaji.web.casebook.keys import person_key, seal, unseal


class SealedField(models.BinaryField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What is stored of a sealed text; see `sealed_text` for reading and writing it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", b"")
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)


def sealed_text(field: str) -> property:
    """Give a property that reads and writes the text sealed in a `SealedField`; an empty text is stored as nothing.

    The model says whose the text is with its attribute ``person_id``; a `Person`, with its own id.
    """

    def read(self: models.Model) -> str:
        stored = bytes(getattr(self, field))
        return unseal(person_key(_whose(self)), stored, _place(self, field)).decode() if stored else ""

    def write(self: models.Model, text: str) -> None:
        stored = seal(person_key(_whose(self)), text.encode(), _place(self, field)) if text else b""
        setattr(self, field, stored)

    return property(read, write)


def _whose(row: models.Model) -> UUID:
    whose: UUID = row.person_id if hasattr(row, "person_id") else row.pk
    return whose


def _place(row: models.Model, field: str) -> str:
    return f"{row._meta.label}.{field}:{row.pk}"

"""What belongs to one person: the row itself, and who may see it."""

from __future__ import annotations

from typing import Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models

from unaji.web.casebook.ids import uuid7

Viewer = AbstractBaseUser | AnonymousUser


Row = TypeVar("Row", bound=models.Model)


class OwnQuerySet(models.QuerySet[Row]):
    """Rows of people."""

    def visible_to(self, user: Viewer) -> Self:
        """Give the rows a user may see: their own. Nobody else's exist for them."""
        return self.filter(person__user_id=user.pk) if user.is_authenticated else self.none()


class Own(models.Model):
    """A row of one person's, numbered so that its address tells nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey("casebook.Person", on_delete=models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True

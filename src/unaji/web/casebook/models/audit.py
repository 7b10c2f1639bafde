"""Who did what to which row, chained so that a line that is taken out or changed is seen."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from unaji.web.casebook.models.own import Viewer


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Lines of the audit."""

    def visible_to(self, user: Viewer) -> Self:
        """Give the lines about a user's own records."""
        if not user.is_authenticated:
            return self.none()
        from unaji.web.casebook.models.person import Person  # noqa: PLC0415  # the two know each other

        return self.filter(person_number__in=Person.objects.visible_to(user).values("pk"))


class AuditEvent(models.Model):
    """One line.

    Attributes
    ----------
    actor : UUID
        The user's number; none for the app itself.
    chain : str
        SHA-256 of the line before and of this one.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.UUIDField(null=True, blank=True)
    role = models.CharField(max_length=20)
    action = models.CharField(max_length=20)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    person_number = models.UUIDField(null=True, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    chain = models.CharField(max_length=64)

    objects: ClassVar[AuditQuerySet] = AuditQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person_number", "-at"], name="audit_of_person")]

    def __str__(self) -> str:
        """Name the line by its number."""
        return str(self.pk)


class AuditHead(models.Model):
    """The end of the chain; one row, which every writer locks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    chain = models.CharField(max_length=64, default="")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="audit_head_alone")]

    def __str__(self) -> str:
        """Show the head, which may be printed and kept elsewhere."""
        return self.chain

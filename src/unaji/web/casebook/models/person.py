"""The person whose casebook it is."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models.own import Viewer
from unaji.web.casebook.sealed import SealedField, sealed_text


class PersonQuerySet(models.QuerySet["Person"]):
    """People."""

    def visible_to(self, user: Viewer) -> Self:
        """Give the people a user may see: themselves."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class Person(models.Model):
    """A person, by the name they chose; what tells who they are is sealed with their own key.

    Attributes
    ----------
    simulated : bool
        An invented person, shown as such wherever their results are shown.
    asked_anew_at : datetime
        Since when results wait to be worked out again: something was added that they do not know of.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="person")
    display_name = models.CharField(max_length=60, blank=True)
    timezone = models.CharField(max_length=60, default="Asia/Tokyo")
    sex = models.CharField(max_length=10, blank=True)
    height_cm = models.FloatField(null=True, blank=True)
    weight_kg = models.FloatField(null=True, blank=True)
    simulated = models.BooleanField(default=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    asked_anew_at = models.DateTimeField(null=True, blank=True)
    name_sealed = SealedField()
    kana_sealed = SealedField()
    birth_date_sealed = SealedField()
    contact_sealed = SealedField()
    place_sealed = SealedField()
    unsafe_sealed = SealedField()

    name = sealed_text("name_sealed")
    kana = sealed_text("kana_sealed")
    birth_date = sealed_text("birth_date_sealed")  # ISO 8601; "" when not said
    contact = sealed_text("contact_sealed")
    place = sealed_text("place_sealed")  # "latitude longitude" to 0.1°; "" when not said
    unsafe_text = sealed_text("unsafe_sealed")  # kinds of exposure and treatment, parted by blanks

    objects: ClassVar[PersonQuerySet] = PersonQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sex__in=["", "female", "male", "other"]), name="person_sex_known"),
            models.CheckConstraint(
                condition=Q(height_cm__isnull=True) | Q(height_cm__range=(40, 250)), name="person_height_plausible"
            ),
            models.CheckConstraint(
                condition=Q(weight_kg__isnull=True) | Q(weight_kg__range=(2, 400)), name="person_weight_plausible"
            ),
        ]

    @property
    def unsafe(self) -> tuple[str, ...]:
        """What the person must not have more of; it is never proposed to them."""
        return tuple(self.unsafe_text.split())

    def __str__(self) -> str:
        """Name the person by their number."""
        return str(self.pk)

"""What a person agreed to: to which text, when, and until when. Sealed but for the withdrawal."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from unaji.web.casebook.models.own import Own, OwnQuerySet


class Purpose(models.TextChoices):
    """What data is used for; each is asked for by itself, and only the first is needed."""

    CARE = "care"
    WEARABLE_IMPORT = "wearable_import"
    SHARE_WITH_PRACTITIONER = "share_with_practitioner"
    CASE_PUBLICATION = "case_publication"
    RESEARCH_POOLED = "research_pooled"
    CONTACT = "contact"
    WEATHER = "weather"  # a coarse place and dates go to a service elsewhere


class GivenBy(models.TextChoices):
    """Who agrees: below 18 whoever has custody does, and from 15 on the person as well."""

    SELF = "self"
    BOTH = "both"
    GUARDIAN = "guardian"


class ConsentText(models.Model):
    """One wording that can be agreed to; never changed, a change is a new version."""

    purpose = models.CharField(max_length=30, choices=Purpose.choices)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=2)
    body = models.TextField()
    valid_from = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("purpose", "version", "language", name="consent_text_once"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="consent_text_purpose_known"),
            models.CheckConstraint(condition=Q(language__in=["ja", "en"]), name="consent_text_language_known"),
        ]

    def __str__(self) -> str:
        """Name the wording."""
        return f"{self.purpose} {self.version} {self.language}"


class ConsentQuerySet(OwnQuerySet["Consent"]):
    """What was agreed to."""

    def in_force(self) -> Self:
        """Give those that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def to_newest(self) -> Self:
        """Give those to the wording that is asked for today."""
        return self.filter(text__version=self._newest())

    def to_former(self) -> Self:
        """Give those to a wording that has changed since."""
        return self.filter(text__version__lt=self._newest())

    def _newest(self) -> Subquery:
        texts = ConsentText.objects.filter(purpose=OuterRef("purpose")).order_by("-version")
        return Subquery(texts.values("version")[:1])


class Consent(Own):
    """One agreement of one person to one wording."""

    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT)
    purpose = models.CharField(max_length=30, choices=Purpose.choices)
    given_at = models.DateTimeField()
    how = models.CharField(max_length=20, default="app")
    given_by = models.CharField(max_length=10, choices=GivenBy.choices, default=GivenBy.SELF)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ConsentQuerySet] = ConsentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "person", "purpose", condition=Q(withdrawn_at__isnull=True), name="consent_in_force_once"
            ),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="consent_purpose_known"),
            models.CheckConstraint(condition=Q(given_by__in=GivenBy.values), name="consent_given_by_known"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
                name="consent_withdrawn_after_given",
            ),
        ]

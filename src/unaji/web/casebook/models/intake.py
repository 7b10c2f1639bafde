"""What a person is asked at the beginning: warning signs first, then the questionnaire of the article's claims."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, Q, Value, When

from unaji.web.casebook.models.own import Own, OwnQuerySet
from unaji.web.casebook.sealed import SealedField, sealed_text


class Level(models.TextChoices):
    """How soon a doctor is needed; "none" is what was found this time, and no promise."""

    EMERGENCY = "emergency"
    TODAY = "today"
    DAYS = "days"
    NONE = "none"


class RedFlagScreenQuerySet(OwnQuerySet["RedFlagScreen"]):
    """Answered screens."""

    def waiting(self) -> Self:
        """Give those whose advice was not yet read, the most urgent first."""
        urgency = Case(*(When(level=level, then=Value(i)) for i, level in enumerate(Level.values)))
        waiting = self.exclude(level=Level.NONE).filter(acknowledged_at__isnull=True)
        return waiting.order_by(urgency, "-at")


class RedFlagScreen(Own):
    """One answered list of warning signs; sealed but for when its advice was read.

    Attributes
    ----------
    answers : dict of str to bool
        By id of the warning sign.
    rules : str
        Version of the claims that the questions and levels are from.
    """

    at = models.DateTimeField()
    answers_sealed = SealedField()
    rules = models.CharField(max_length=40)
    level = models.CharField(max_length=10, choices=Level.choices)
    why = models.CharField(max_length=10, default="intake")  # intake, unusual (an episode), again (asked for)
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    answers_text = sealed_text("answers_sealed")

    objects: ClassVar[RedFlagScreenQuerySet] = RedFlagScreenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(level__in=Level.values), name="red_flag_level_known"),
            models.CheckConstraint(condition=Q(why__in=["intake", "unusual", "again"]), name="red_flag_why_known"),
        ]

    @property
    def answers(self) -> dict[str, bool]:
        """What was answered, by id of the warning sign."""
        said: dict[str, bool] = json.loads(self.answers_text or "{}")
        return said


class Intake(Own):
    """One filled questionnaire; a screen of warning signs precedes it."""

    at = models.DateTimeField()
    screen = models.ForeignKey(RedFlagScreen, on_delete=models.CASCADE)
    article = models.CharField(max_length=40)
    rules = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    answers_sealed = SealedField()

    answers_text = sealed_text("answers_sealed")

    objects: ClassVar[OwnQuerySet[Intake]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered, by id of the question."""
        said: dict[str, Any] = json.loads(self.answers_text or "{}")
        return said

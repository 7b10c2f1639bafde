"""Questions of readers, and answers tied to claims; only what was moderated is shown."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from unaji.web.casebook.ids import uuid7


class QuestionState(models.TextChoices):
    """Where a question is."""

    ASKED = "asked"
    PUBLISHED = "published"
    DECLINED = "declined"


class QuestionQuerySet(models.QuerySet["Question"]):
    """Questions."""

    def published(self) -> Self:
        """Give those anyone may read, oldest first."""
        return self.filter(state=QuestionState.PUBLISHED).order_by("published_at")


class Question(models.Model):
    """A reader's question; `text` is as it came and shown to nobody but the moderator.

    Attributes
    ----------
    changed_at : datetime, optional
        When what the public sees of it last changed: it was published, worded anew or taken down.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    article = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    text = models.TextField(max_length=1000)
    moderated_text = models.TextField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=QuestionState.choices, default=QuestionState.ASKED)
    asked_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects: ClassVar[QuestionQuerySet] = QuestionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=QuestionState.values), name="question_state_known"),
            models.CheckConstraint(condition=Q(language__in=["ja", "en"]), name="question_language_known"),
            models.CheckConstraint(
                condition=~Q(state="published") | (~Q(moderated_text="") & Q(published_at__isnull=False)),
                name="question_published_is_moderated",
            ),
        ]

    def __str__(self) -> str:
        """Name the question by its number."""
        return str(self.pk)


class Answer(models.Model):
    """The answer to a question; which claims it rests on is part of it."""

    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="answer")
    text = models.TextField(max_length=3000)
    claims = models.JSONField(default=list)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    answered_at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the answer by its question."""
        return str(self.question_id)

"""What is worked out for a person, what they asked for, and the jobs that do it."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models.own import Own, OwnQuerySet
from unaji.web.casebook.sealed import SealedField, sealed_text


class JobKind(models.TextChoices):
    """What a worker is to do."""

    LOOK = "look"  # say what is in an uploaded file
    STORE = "store"  # store it
    UNDO = "undo"  # take an import back
    EXPLAIN = "explain"
    EXPORT = "export"
    TRIAL = "trial"  # say what a trial found
    WEATHER = "weather"  # fetch the weather of the person's days
    NO_WEATHER = "no_weather"  # take it out again


class JobState(models.TextChoices):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobQuerySet(OwnQuerySet["Job"]):
    """Jobs."""

    def unfinished(self) -> Self:
        """Give those that wait or run."""
        return self.filter(state__in=[JobState.WAITING, JobState.RUNNING])


class Job(Own):
    """One piece of work for a person; the truth of it lies here, the queue only says that there is something to do.

    Attributes
    ----------
    subject : UUID
        The import, export or trial it is about.
    beat_at : datetime
        When the worker last said that it lives; one that fell silent is begun anew by another.
    """

    kind = models.CharField(max_length=10, choices=JobKind.choices)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    subject = models.UUIDField(null=True, blank=True)
    share = models.FloatField(default=0.0)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=80, blank=True)  # a code, never what stood in a file
    cancel_asked = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[JobQuerySet] = JobQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "state"], name="job_by_state")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
            models.CheckConstraint(condition=Q(share__range=(0, 1)), name="job_share_of_one"),
            models.UniqueConstraint(
                "person", condition=Q(state="running"), name="job_one_at_a_time"
            ),  # two writers of one folder would undo each other
            models.UniqueConstraint(
                "person", condition=Q(state="waiting", kind="explain"), name="job_explain_waits_once"
            ),
        ]


class Explanation(Own):
    """One answer to "why", as it was given; sealed, and rebuildable from the same records with the same seed.

    The findings themselves and the pages made of them are documents in the person's folder (`files.document`), named
    after the explanation.
    """

    made_at = models.DateTimeField()
    article = models.CharField(max_length=40)
    claims_sha256 = models.CharField(max_length=64)
    library = models.CharField(max_length=20)
    seed = models.PositiveIntegerField(default=0)
    inputs_sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10)  # conclude, rank, more, none

    objects: ClassVar[OwnQuerySet[Explanation]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "-made_at"], name="explanation_latest")]


class TrialEnd(models.TextChoices):
    """Why a trial ended."""

    COMPLETED = "completed"  # its last day is over
    UNWELL = "unwell"
    DOCTOR = "doctor"  # a doctor said so, or comes first
    NOT_POSSIBLE = "not_possible"  # life left no room for it
    UNWANTED = "unwanted"
    MOVED = "moved"  # brought here from elsewhere, where another one runs


class TrialQuerySet(OwnQuerySet["Trial"]):
    """Trials."""

    def running(self) -> Self:
        """Give those that were not ended; a person has one at most."""
        return self.filter(ended_at__isnull=True)


class Trial(Own):
    """A trial on oneself, as it was registered; sealed but for its end, which is filled in once.

    Attributes
    ----------
    plan_text : str
        What `unaji trial design` writes: `unaji.care.trial_file` reads it.
    made_at : datetime
        When the row was made; of one that was brought from elsewhere later than it was registered.
    """

    question_sealed = SealedField()
    outcome = models.CharField(max_length=40)
    plan_sealed = SealedField()
    made_at = models.DateTimeField(default=timezone.now)
    registered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=20, choices=TrialEnd.choices, blank=True)

    question = sealed_text("question_sealed")
    plan_text = sealed_text("plan_sealed")

    objects: ClassVar[TrialQuerySet] = TrialQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "person", condition=Q(ended_at__isnull=True), name="trial_runs_alone"
            ),  # of two at once, none could be told from the other
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="")
                | Q(ended_at__isnull=False, ended_at__gte=F("registered_at"), ended_why__in=TrialEnd.values),
                name="trial_ended_with_a_reason",
            ),
        ]


class ExportJob(Own):
    """A person's wish for everything that is theirs, in one file."""

    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnQuerySet[ExportJob]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(done_at__gte=F("asked_at")), name="export_done_after_asked"
            )
        ]


class ErasureRequest(models.Model):
    """The receipt of an erasure: counts and dates of what is gone and what is kept; of the person only the number."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person_number = models.UUIDField()
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    receipt = models.JSONField(default=dict)

    def __str__(self) -> str:
        """Name the receipt by its number."""
        return str(self.pk)

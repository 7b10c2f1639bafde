"""What a person writes: episodes, feelings, what they did, treatments. Times are UTC."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F, Q

from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models.own import Own, OwnQuerySet
from unaji.web.casebook.sealed import SealedField, sealed_text

LATE_AFTER = timedelta(hours=24)
SOURCES = ["app", "offline", "api", "example", "import"]

Row = TypeVar("Row", bound=models.Model)


class DiaryQuerySet(OwnQuerySet[Row]):
    """Entries of the diary."""

    def kept(self) -> Self:
        """Give those that were not taken back."""
        return self.filter(withdrawn_at__isnull=True)


class Entry(Own):
    """One entry.

    Attributes
    ----------
    client_id : UUID
        Made by the device that wrote it, so that an entry which is sent twice is stored once.
    withdrawn_at : datetime
        Taken back; the row stays, so that an entry on its way from another device does not return.
    """

    client_id = models.UUIDField(default=uuid7)
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=10, default="app")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Place(models.TextChoices):
    """Where a person was."""

    DESK = "desk"
    MOVING = "moving"
    HOME = "home"
    OUTSIDE = "outside"
    BED = "bed"


def _common(name: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint("person", "client_id", name=f"{name}_sent_once"),
        models.CheckConstraint(condition=Q(source__in=SOURCES), name=f"{name}_source_known"),
    ]


class Episode(Entry):
    """One time the nape felt hot."""

    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    intensity = models.PositiveSmallIntegerField(null=True, blank=True)
    bother = models.PositiveSmallIntegerField(null=True, blank=True)
    place = models.CharField(max_length=10, choices=Place.choices, blank=True)
    unusual = models.BooleanField(default=False)
    note_sealed = SealedField()

    note = sealed_text("note_sealed")

    objects: ClassVar[DiaryQuerySet[Episode]] = DiaryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "start"], name="episode_by_time")]
        constraints: ClassVar = [
            *_common("episode"),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="episode_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(intensity__isnull=True) | Q(intensity__lte=10), name="episode_intensity_to_ten"
            ),
            models.CheckConstraint(condition=Q(bother__isnull=True) | Q(bother__lte=10), name="episode_bother_to_ten"),
            models.CheckConstraint(condition=Q(place__in=["", *Place.values]), name="episode_place_known"),
        ]

    @property
    def late(self) -> bool:
        """Whether it was written down more than a day afterwards."""
        return self.recorded_at - self.start > LATE_AFTER


class Rating(Entry):
    """One feeling at a moment, 0 to 10; `quantity` is a name of `unaji.quantities.RATINGS`."""

    time = models.DateTimeField()
    quantity = models.CharField(max_length=40)
    value = models.FloatField()

    objects: ClassVar[DiaryQuerySet[Rating]] = DiaryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "time"], name="rating_by_time")]
        constraints: ClassVar = [
            *_common("rating"),
            models.CheckConstraint(condition=Q(value__range=(0, 10)), name="rating_to_ten"),
        ]


class Exposure(Entry):
    """Something done, taken or met; `kind` is known to `unaji.quantities` or to an article's claims."""

    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    kind = models.CharField(max_length=40)
    amount = models.FloatField(null=True, blank=True)

    objects: ClassVar[DiaryQuerySet[Exposure]] = DiaryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "start"], name="exposure_by_time")]
        constraints: ClassVar = [
            *_common("exposure"),
            models.CheckConstraint(
                condition=Q(end__isnull=True) | Q(end__gte=F("start")), name="exposure_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="exposure_amount_not_negative"
            ),
        ]


class Treatment(Entry):
    """One treatment session, as the person tells it."""

    time = models.DateTimeField()
    kind = models.CharField(max_length=40)
    note_sealed = SealedField()

    note = sealed_text("note_sealed")

    objects: ClassVar[DiaryQuerySet[Treatment]] = DiaryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person", "time"], name="treatment_by_time")]
        constraints: ClassVar = _common("treatment")

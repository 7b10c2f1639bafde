"""What came from devices: files that were brought, and the series they left in the person's folder."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from unaji.web.casebook.models.own import Own, OwnQuerySet
from unaji.web.casebook.sealed import SealedField, sealed_text


class ImportState(models.TextChoices):
    """Where a file is on its way: seen, wanted by the person, read, or left out."""

    UPLOADED = "uploaded"  # the worker is to look at it
    UNDERSTOOD = "understood"  # what is in it was told; the person decides
    WANTED = "wanted"  # the worker is to store it
    STORED = "stored"
    REFUSED = "refused"
    UNDONE = "undone"


MOVES = {
    ImportState.UPLOADED: {ImportState.UNDERSTOOD, ImportState.REFUSED, ImportState.UNDONE},
    ImportState.UNDERSTOOD: {ImportState.WANTED, ImportState.UNDONE},
    ImportState.WANTED: {ImportState.STORED, ImportState.REFUSED, ImportState.UNDONE},
    ImportState.STORED: {ImportState.UNDONE},
    ImportState.REFUSED: set[ImportState](),
    ImportState.UNDONE: set[ImportState](),
}
"""From which state an import may go to which."""


class ImportBatch(Own):
    """One file that a person brought.

    Attributes
    ----------
    store_batch : int
        Number of the import in the person's store, by which it can be taken back.
    told : dict
        What was understood: importers, rows by quantity, first and last moment, what was left out and why.
    """

    file_name_sealed = SealedField()
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=ImportState.choices, default=ImportState.UPLOADED)
    importer = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=20, blank=True)
    rows = models.BigIntegerField(default=0)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    told_sealed = SealedField()
    store_batch = models.PositiveIntegerField(null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    file_name = sealed_text("file_name_sealed")
    told_text = sealed_text("told_sealed")

    objects: ClassVar[OwnQuerySet[ImportBatch]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_known"),
            models.CheckConstraint(condition=Q(rows__gte=0) & Q(size_bytes__gte=0), name="import_counts_not_negative"),
            models.UniqueConstraint(
                "person",
                "sha256",
                condition=Q(state__in=["uploaded", "understood", "wanted", "stored"]),
                name="import_once",
            ),
        ]


class SeriesFile(Own):
    """One quantity in the person's folder: how much there is, and from when to when."""

    quantity = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    rows = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects: ClassVar[OwnQuerySet[SeriesFile]] = OwnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("person", "kind", "quantity", name="series_once")]

"""What a person has on record already, by the names that an article's signals are read from."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from unaji.care.first_picture import OnRecord
from unaji.claims.model import DERIVED, Reading
from unaji.web.casebook.models import Exposure, Person, Rating, SeriesFile

LOOKED_BACK = timedelta(days=28)
KEPT_UP = 3
"""Entries in four weeks from which on something counts as being logged: one tap is not a habit."""
READ_FROM_BEATS = frozenset({"rri_ms", "hr_bpm"})
"""Series that the derived signals need one of."""


def on_record(person: Person) -> OnRecord:
    """Return what need not be logged anew."""
    since = timezone.now() - LOOKED_BACK
    ratings = Rating.objects.filter(person=person, time__gte=since).kept().values("quantity").annotate(n=Count("pk"))
    exposures = Exposure.objects.filter(person=person, start__gte=since).kept().values("kind").annotate(n=Count("pk"))
    quantities = frozenset(SeriesFile.objects.filter(person=person).values_list("quantity", flat=True))
    return OnRecord(
        {
            Reading.RATING: frozenset(row["quantity"] for row in ratings if row["n"] >= KEPT_UP),
            Reading.EXPOSURE: frozenset(row["kind"] for row in exposures if row["n"] >= KEPT_UP),
            Reading.QUANTITY: quantities,
            Reading.DERIVED: frozenset(DERIVED) if quantities & READ_FROM_BEATS else frozenset(),
        }
    )

"""What is added to the diary beside the tap: read from what was sent, and written once however often that arrives."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid5

from django.db import transaction

from unaji.web.casebook.actions import diary
from unaji.web.casebook.models import Person
from unaji.web.casebook.models.diary import Entry
from unaji.web.patient import forms
from unaji.web.patient.forms import Sent, WrongError
from unaji.web.words import words


def write_added(person: Person, sent: Sent, *, source: str = "app") -> tuple[list[Entry], datetime]:
    """Write down one thing that happened; return its entries, and a moment of the day it belongs to.

    Raises
    ------
    WrongError, NotPossibleError
        Something that was sent cannot be.
    """
    number, user, what = forms.read_client_id(sent), person.user, sent.get("what", "")
    start = forms.read_moment(sent, "start", person)
    assert start is not None
    if what.startswith("treatment-") and what.removeprefix("treatment-") in forms.TREATMENTS:
        kind = what.removeprefix("treatment-")
        session = diary.log_treatment(
            person, by=user, kind=kind, time=start, note=forms.read_note(sent), client_id=number, source=source
        )
        return [session], start
    if forms.is_rating(what):
        value = forms.read_scale(sent, what)
        if value is None:
            raise WrongError(words()("error.scale_untouched"))
        rating = diary.rate(
            person, by=user, quantity=what, value=float(value), time=start, client_id=number, source=source
        )
        return [rating], start
    if not forms.is_exposure(what):
        raise WrongError(words()("error.choice"))
    end = forms.read_moment(sent, "end", person, required=False)
    amount = forms.read_amount(sent)
    quality = forms.read_scale(sent, "sleep_quality") if what == "sleep" else None
    with transaction.atomic():
        done = diary.expose(
            person, by=user, kind=what, start=start, end=end, amount=amount, client_id=number, source=source
        )
        entries: list[Entry] = [done]
        if quality is not None:
            entries.append(
                diary.rate(person, by=user, quantity="sleep_quality", value=float(quality), time=end or start,
                           client_id=uuid5(number, "sleep_quality"), source=source)
            )  # fmt: skip
    return entries, end or start

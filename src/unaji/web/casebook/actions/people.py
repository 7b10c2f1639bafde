"""Open a casebook, and change what a person says of themselves."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from unaji.records.person import check_zone
from unaji.web.casebook.actions.consents import give_consent
from unaji.web.casebook.audit import record
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.keys import destroy_person_key, make_person_key
from unaji.web.casebook.models import Person, User
from unaji.web.casebook.models.consent import GivenBy, Purpose
from unaji.web.casebook.timeline import person_of

COLUMNS = {
    "name": "name_sealed", "kana": "kana_sealed", "birth_date": "birth_date_sealed", "contact": "contact_sealed",
    "place": "place_sealed", "unsafe_text": "unsafe_sealed",
}  # fmt: skip
"""Where what is sealed of a person lies."""


def open_casebook(
    *,
    by: User,
    timezone_name: str,
    purposes: Collection[str],
    language: str,
    given_by: GivenBy = GivenBy.SELF,
    simulated: bool = False,
) -> Person:
    """Open a person's casebook with what they agreed to; an account has one.

    Raises
    ------
    InputError
        There is no such time zone.
    ValueError
        The agreement without which nothing can be stored is missing.
    """
    if Purpose.CARE not in purposes:
        raise ValueError("a casebook needs the person's consent to keep it")
    check_zone(timezone_name, "timezone")
    number = uuid7()
    make_person_key(number)
    try:
        with transaction.atomic():
            person = Person.objects.create(pk=number, user=by, timezone=timezone_name, simulated=simulated)
            record("create", person, by=by, person=person.pk)
            for purpose in sorted(purposes):
                give_consent(person, purpose, language=language, by=by, given_by=given_by)
    except BaseException:
        destroy_person_key(number)
        raise
    return person


def describe_person(person: Person, *, by: User, **said: object) -> None:
    """Change what a person says of themselves: any of the fields of `Person`, checked by the caller's form.

    Results are asked for anew where they rest on what was changed, which they do not on a name.
    """
    changed = {field: value for field, value in said.items() if value != getattr(person, field)}
    if not changed:
        return
    before = person_of(person)
    for field, value in changed.items():
        setattr(person, field, value)
    with transaction.atomic():
        # These columns only: a worker may have written others since the person was read.
        person.save(update_fields=[COLUMNS.get(field, field) for field in changed])
        if person_of(person) != before:
            ask_anew(person)
        record("change", person, by=by, person=person.pk)


def ask_anew(person: Person) -> None:
    """Note that results do not know of something that was just added.

    Before the audit line, everywhere: whoever locks the person after the audit waits for whoever does it the other way.
    """
    Person.objects.filter(pk=person.pk).update(asked_anew_at=timezone.now())

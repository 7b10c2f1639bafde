"""Give and withdraw consent."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from unaji.web.casebook.audit import record
from unaji.web.casebook.jobs import cancel
from unaji.web.casebook.models import Consent, ConsentText, Job, Person, User
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.results import JobKind

TEXTS = Path(__file__).parents[1] / "consent_texts.toml"
REST_ON = {Purpose.WEATHER: (JobKind.WEATHER,)}
"""Jobs that go on asking for as long as they run: they are stopped when what they rest on is withdrawn."""


def give_consent(person: Person, purpose: str, *, language: str, by: User) -> Consent:
    """Agree to the newest wording of a purpose; an agreement that is in force stays."""
    with transaction.atomic():
        held = Consent.objects.filter(person=person, purpose=purpose).in_force().first()
        if held is not None:
            return held
        text = ConsentText.objects.filter(purpose=purpose, language=language).latest("version")
        consent = Consent.objects.create(person=person, text=text, purpose=purpose, given_at=timezone.now())
        record("create", consent, by=by, person=person.pk)
        return consent


def withdraw_consent(consent: Consent, *, by: User) -> None:
    """Withdraw an agreement; it works from now on. What stays withdrawn is not withdrawn again."""
    with transaction.atomic():
        changed = Consent.objects.filter(pk=consent.pk).in_force().update(withdrawn_at=timezone.now())
        if changed:
            record("withdraw", consent, by=by, person=consent.person_id)
            for job in Job.objects.filter(
                person=consent.person_id, kind__in=REST_ON.get(Purpose(consent.purpose), ())
            ).unfinished():
                cancel(job, by=by)


def consented(person: Person, purpose: str) -> bool:
    """Say whether a person has agreed to a use of their data, and still does."""
    return Consent.objects.filter(person=person, purpose=purpose).in_force().exists()


def put_texts(purposes: Collection[str]) -> None:
    """Put the wordings of ``consent_texts.toml`` into the database; one that was changed becomes a new version.

    Parameters
    ----------
    purposes : collection of str
        Those that the tables know.
    """
    if ConsentText._meta.db_table not in connection.introspection.table_names():
        return  # migrated back to before there were any
    said = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    with transaction.atomic():
        for purpose, bodies in said.items():
            if purpose not in purposes:
                continue
            newest = {
                language: ConsentText.objects.filter(purpose=purpose, language=language).order_by("version").last()
                for language in bodies
            }
            if all((text := newest[one]) is not None and text.body == body for one, body in bodies.items()):
                continue
            version = 1 + max((text.version for text in newest.values() if text is not None), default=0)
            for language, body in bodies.items():
                ConsentText.objects.create(
                    purpose=purpose, version=version, language=language, body=body, valid_from=timezone.now()
                )

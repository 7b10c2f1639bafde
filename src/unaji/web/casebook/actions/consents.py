"""Give and withdraw consent."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from unaji.web.casebook.audit import record
from unaji.web.casebook.jobs import cancel_all
from unaji.web.casebook.models import Consent, ConsentText, Job, Person, User
from unaji.web.casebook.models.consent import GivenBy, Purpose
from unaji.web.casebook.models.results import JobKind

TEXTS = Path(__file__).parents[1] / "consent_texts.toml"
REST_ON = {
    Purpose.WEATHER: (JobKind.WEATHER,),
    Purpose.WEARABLE_IMPORT: (JobKind.LOOK, JobKind.STORE),
}
"""Jobs that rest on an agreement for as long as they run: they are stopped when it is withdrawn."""


def give_consent(person: Person, purpose: str, *, language: str, by: User, given_by: GivenBy | None = None) -> Consent:
    """Agree to the newest wording of a purpose; one in force to it stays, one to a former wording ends.

    Parameters
    ----------
    given_by : GivenBy, optional
        Who agrees; default: whoever agreed that the casebook is kept.
    """
    with transaction.atomic():
        in_force = Consent.objects.filter(person=person, purpose=purpose).in_force()
        held = in_force.to_newest().first()
        if held is not None:
            return held
        for former in in_force:
            withdraw_consent(former, by=by)
        text = ConsentText.objects.filter(purpose=purpose, language=language).latest("version")
        if given_by is None:
            care = Consent.objects.filter(person=person, purpose=Purpose.CARE).latest("given_at")
            given_by = GivenBy(care.given_by)
        consent = Consent.objects.create(
            person=person, text=text, purpose=purpose, given_at=timezone.now(), given_by=given_by
        )
        record("create", consent, by=by, person=person.pk)
        return consent


def withdraw_consent(consent: Consent, *, by: User) -> None:
    """Withdraw an agreement; it works from now on. What stays withdrawn is not withdrawn again."""
    with transaction.atomic():
        changed = Consent.objects.filter(pk=consent.pk).in_force().update(withdrawn_at=timezone.now())
        if changed:
            resting = Job.objects.filter(
                person=consent.person_id, kind__in=REST_ON.get(Purpose(consent.purpose), ())
            ).unfinished()
            cancel_all(resting, by=by)  # before the line of its own, see there
            record("withdraw", consent, by=by, person=consent.person_id)


def consented(person: Person, purpose: str) -> bool:
    """Say whether a person has agreed to a use of their data as it is worded today, and still does.

    What a changed wording asks for rests until they agree to it. Only the casebook itself goes on as it was agreed to:
    who does not want the new wording must still be able to take their records out and to erase them.
    """
    in_force = Consent.objects.filter(person=person, purpose=purpose).in_force()
    return (in_force if purpose == Purpose.CARE else in_force.to_newest()).exists()


def asked_anew(person: Person) -> bool:
    """Say whether the wording of something a person agreed to has changed since."""
    return Consent.objects.filter(person=person).in_force().to_former().exists()


def newest_texts(language: str) -> dict[str, ConsentText]:
    """Return what can be agreed to today, by purpose."""
    return {text.purpose: text for text in ConsentText.objects.filter(language=language).order_by("version", "pk")}


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

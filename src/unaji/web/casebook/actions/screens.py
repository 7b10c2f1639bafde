"""Answer the warning signs, read their advice, fill in the questionnaire. What was answered is sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from unaji.claims.model import Claims
from unaji.claims.questionnaire import IntakeAnswers, as_plain, check_answers
from unaji.claims.screening import level_of, rules_version
from unaji.web.casebook.actions.people import ask_anew, describe_person
from unaji.web.casebook.audit import record
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Intake, Person, RedFlagScreen, User
from unaji.web.casebook.models.intake import Level


def answer_screen(
    person: Person,
    *,
    by: User,
    answers: Mapping[str, bool],
    claims: Claims,
    why: str,
    at: datetime | None = None,
    number: UUID | None = None,
) -> RedFlagScreen:
    """Keep an answered list of warning signs with the level that the claims give it.

    Parameters
    ----------
    answers : mapping of str to bool
        For every warning sign of the claims.
    why : {"intake", "unusual", "again"}
        What it was asked for.
    number : UUID, optional
        The form's number: one that is sent twice is kept once, and one that comes back with other answers (after
        the browser's "back") is kept as the new list that it is.

    Raises
    ------
    ValueError
        A sign is missing, or one is not of the claims.
    """
    level = level_of(answers, claims)
    with transaction.atomic():
        held = _held(number)
        if held is not None and held.person_id == person.pk and held.answers == answers:
            return held
        screen = RedFlagScreen(
            pk=uuid7() if number is None or held is not None else number,
            person=person,
            at=at or timezone.now(),
            rules=rules_version(claims),
            level=Level.NONE if level is None else Level(level.value),
            why=why,
        )
        screen.answers_text = json.dumps(dict(answers))
        try:
            with transaction.atomic():
                screen.save(force_insert=True)
        except IntegrityError:  # the same form was faster by another request
            held = _held(number)
            if held is None or held.person_id != person.pk:
                raise
            return held
        ask_anew(person)
        record("create", screen, by=by, person=person.pk)
    return screen


def _held(number: UUID | None) -> RedFlagScreen | None:
    return None if number is None else RedFlagScreen.objects.filter(pk=number).first()


def acknowledge(screen: RedFlagScreen, *, by: User) -> None:
    """Write down that the advice was read; the first time counts."""
    with transaction.atomic():
        now = timezone.now()
        if RedFlagScreen.objects.filter(pk=screen.pk, acknowledged_at__isnull=True).update(acknowledged_at=now):
            record("acknowledge", screen, by=by, person=screen.person_id)


class NotScreenedError(ValueError):
    """A questionnaire without the warning signs before it."""


def answer_intake(
    person: Person, *, by: User, answers: IntakeAnswers, claims: Claims, language: str,
    height_cm: float | None = None, weight_kg: float | None = None,
) -> Intake:  # fmt: skip
    """Keep a filled questionnaire, and the height and weight where they are said.

    Raises
    ------
    NotScreenedError
        The warning signs were never answered.
    ValueError
        Something is answered that the claims do not ask.
    """
    check_answers(answers, claims)
    body = {"height_cm": height_cm, "weight_kg": weight_kg}
    said = {field: value for field, value in body.items() if value is not None and value != getattr(person, field)}
    with transaction.atomic():
        screen = RedFlagScreen.objects.filter(person=person).order_by("-at").first()
        if screen is None:
            raise NotScreenedError("the warning signs come before the questionnaire")
        intake = Intake(
            person=person,
            at=timezone.now(),
            screen=screen,
            article=claims.id,
            rules=rules_version(claims),
            language=language,
        )
        intake.answers_text = json.dumps(as_plain(answers), ensure_ascii=False)
        intake.save(force_insert=True)
        record("create", intake, by=by, person=person.pk)
        if said:
            describe_person(person, by=by, **said)
    return intake

"""The forms of the warning signs and of the questionnaire: made from the claims, read back into answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TypeVar
from uuid import UUID

from unaji.claims.model import Cause, Claims, Family
from unaji.claims.questionnaire import (
    AGE_BANDS,
    BACKGROUND,
    CauseAnswer,
    IntakeAnswers,
    Often,
    OwnWords,
    Soon,
    asked_background,
    asked_causes,
)
from unaji.claims.screening import MOST_URGENT_FIRST
from unaji.web.casebook.models import Person
from unaji.web.patient.forms import Chip, Scale, Sent, WrongError, read_scale
from unaji.web.words import spoken, words

Member = TypeVar("Member", bound=StrEnum)
Default = TypeVar("Default")

YES, NO = "yes", "no"
MOST_WORDS = 500
MOST_MEDICINES = 300
BODY_LIMITS = {"height_cm": (40.0, 250.0), "weight_kg": (2.0, 400.0)}
"""What the database takes of a person's height and weight."""


# -- warning signs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignRow:
    """One question with its two answers; neither is set at first."""

    id: str
    question: str
    answer: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class SignGroup:
    """Questions that belong together."""

    title: str
    rows: tuple[SignRow, ...]


@dataclass(frozen=True, slots=True)
class CheckForm:
    """All questions, and which of them are still open."""

    groups: tuple[SignGroup, ...]
    number: UUID
    open: tuple[SignRow, ...] = ()

    @property
    def count(self) -> int:
        """How many questions there are."""
        return sum(len(group.rows) for group in self.groups)


def check_form(claims: Claims, number: UUID, sent: Sent | None = None) -> CheckForm:
    """Make the form; one that was sent with a gap comes back with what was answered, and says what was not."""
    say, groups = words(), []
    for urgency in MOST_URGENT_FIRST:
        rows = tuple(
            SignRow(flag.id, flag.question.in_(spoken()), answer := _sign(sent or {}, flag.id),
                    missing=sent is not None and not answer)
            for flag in claims.red_flags
            if flag.urgency is urgency
        )  # fmt: skip
        if rows:
            groups.append(SignGroup(say(f"check.group.{urgency}"), rows))
    return CheckForm(tuple(groups), number, tuple(row for group in groups for row in group.rows if row.missing))


def read_signs(sent: Sent, claims: Claims) -> dict[str, bool] | None:
    """Read the answers; None where a question was left open.

    Raises
    ------
    WrongError
        A sign was answered that nobody asked of, or with something else than yes or no.
    """
    known = {flag.id for flag in claims.red_flags}
    for name, said in sent.items():
        if name.startswith("sign-") and (name.removeprefix("sign-") not in known or said not in (YES, NO)):
            raise WrongError(words()("error.choice"))
    answers = {one: _sign(sent, one) for one in known}
    return None if "" in answers.values() else {one: said == YES for one, said in answers.items()}


def _sign(sent: Sent, flag_id: str) -> str:
    said = sent.get(f"sign-{flag_id}", "")
    return said if said in (YES, NO) else ""


# -- the questionnaire -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CauseRow:
    """What is asked of one cause."""

    id: str
    name: str
    often: tuple[Chip, ...]
    soon: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Causes of one family."""

    family: str
    title: str
    rows: tuple[CauseRow, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with answers to choose from."""

    name: str
    question: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class BodyField:
    """Height or weight."""

    name: str
    label: str
    value: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class OwnField:
    """Something in own words, with its degree."""

    name: str
    question: str
    text: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class IntakeForm:
    """The whole questionnaire."""

    groups: tuple[CauseGroup, ...]
    background: tuple[Choice, ...]
    medicines: str
    asks_medicines: bool
    companions: tuple[Chip, ...]
    ages: tuple[Chip, ...]
    body: tuple[BodyField, ...]
    own: tuple[OwnField, ...]


def intake_form(claims: Claims, answers: IntakeAnswers, body: Mapping[str, float | None]) -> IntakeForm:
    """Make the questionnaire from the claims, filled with what was answered."""
    say, language = words(), spoken()
    asked = asked_causes(claims)
    background = asked_background(claims)
    return IntakeForm(
        groups=tuple(
            CauseGroup(family.value, say(f"intake.family.{family}"), tuple(_row(one, answers) for one in causes))
            for family in Family
            if (causes := [one for one in asked if one.family is family])
        ),
        background=tuple(
            Choice(f"background-{key}", say(f"intake.background.{key}.question"),
                   _chips(BACKGROUND[key], f"intake.background.{key}.", answers.background.get(key, "")))
            for key in background
        ),
        medicines=answers.medicines,
        asks_medicines="medication" in background,
        companions=tuple(
            Chip(one, name.in_(language), on=one in answers.companions) for one, name in claims.companions.items()
        ),
        ages=_chips(AGE_BANDS, "intake.ages.", answers.age_band),
        body=tuple(
            BodyField(name, say(f"intake.{name}"), "" if (value := body.get(name)) is None else f"{value:g}",
                      f"{low:g}", f"{high:g}")
            for name, (low, high) in BODY_LIMITS.items()
        ),
        own=tuple(
            OwnField(name, say(f"intake.own.{name}"), own.text, Scale(name, own.degree))
            for name, own in (("mine", answers.mine), ("do", answers.do))
        ),
    )  # fmt: skip


def body_of(person: Person) -> dict[str, float | None]:
    """Return what is known of a person's height and weight."""
    return {"height_cm": person.height_cm, "weight_kg": person.weight_kg}


def _row(cause: Cause, answers: IntakeAnswers) -> CauseRow:
    said = answers.causes.get(cause.id)
    return CauseRow(
        cause.id,
        cause.name.in_(spoken()),
        _chips(list(Often), "intake.often.", "" if said is None else said.often),
        _chips(list(Soon), "intake.soon.", Soon.UNKNOWN if said is None else said.soon),
    )


def _chips(values: Sequence[str], prefix: str, chosen: str) -> tuple[Chip, ...]:
    return tuple(Chip(str(one), words()(f"{prefix}{one}"), on=one == chosen) for one in values)


@dataclass(frozen=True, slots=True)
class IntakeSaid:
    """What was sent."""

    answers: IntakeAnswers
    body: dict[str, float | None]


def read_intake(sent: Sent, companions: list[str], claims: Claims) -> IntakeSaid:
    """Read the questionnaire; what was left open stays open.

    Raises
    ------
    WrongError
        An answer is not one that was offered, a number is out of range, or a text is too long.
    """
    asked = {cause.id for cause in asked_causes(claims)}
    _only_known(sent, asked, claims)
    causes = {
        one: CauseAnswer(Often(often), _member(sent, f"soon-{one}", Soon, Soon.UNKNOWN))
        for one in asked
        if (often := _member(sent, f"often-{one}", Often, ""))
    }
    background = {
        key: said
        for key in asked_background(claims)
        if (said := _choice(sent, f"background-{key}", BACKGROUND[key]))
    }  # fmt: skip
    if not set(companions) <= claims.companions.keys():
        raise WrongError(words()("error.choice"))
    answers = IntakeAnswers(
        causes=causes,
        background=background,
        companions=tuple(one for one in claims.companions if one in companions),
        medicines=_text(sent, "medicines", MOST_MEDICINES),
        age_band=_choice(sent, "age", AGE_BANDS),
        mine=OwnWords(_text(sent, "mine_text", MOST_WORDS), read_scale(sent, "mine")),
        do=OwnWords(_text(sent, "do_text", MOST_WORDS), read_scale(sent, "do")),
    )
    return IntakeSaid(answers, {name: _number(sent, name) for name in BODY_LIMITS})


def as_far_as_read(sent: Sent, companions: list[str], claims: Claims) -> IntakeAnswers:
    """Read what can be read of a questionnaire that was refused, so that nobody has to fill it in again.

    A text that is too long comes back whole, to be shortened by its author.
    """
    return IntakeAnswers(
        causes={
            cause.id: CauseAnswer(often, _or(Soon.UNKNOWN, _member, sent, f"soon-{cause.id}", Soon, Soon.UNKNOWN))
            for cause in asked_causes(claims)
            if (often := _or(None, _member, sent, f"often-{cause.id}", Often, None))
        },
        background={
            key: said
            for key in asked_background(claims)
            if (said := _or("", _choice, sent, f"background-{key}", BACKGROUND[key]))
        },
        companions=tuple(one for one in claims.companions if one in companions),
        medicines=sent.get("medicines", ""),
        age_band=_or("", _choice, sent, "age", AGE_BANDS),
        mine=OwnWords(sent.get("mine_text", ""), _or(None, read_scale, sent, "mine")),
        do=OwnWords(sent.get("do_text", ""), _or(None, read_scale, sent, "do")),
    )


def _or(otherwise: Default, read: Callable[..., Default], *said: object) -> Default:
    try:
        return read(*said)
    except WrongError:
        return otherwise


def _only_known(sent: Sent, asked: Collection[str], claims: Claims) -> None:
    known = {"often-": asked, "soon-": asked, "background-": asked_background(claims)}
    for name in sent:
        for prefix, ids in known.items():
            if name.startswith(prefix) and name.removeprefix(prefix) not in ids:
                raise WrongError(words()("error.choice"))


def _choice(sent: Sent, name: str, choices: Collection[str]) -> str:
    said = sent.get(name, "")
    if said and said not in choices:
        raise WrongError(words()("error.choice"))
    return said


def _member(sent: Sent, name: str, choices: type[Member], otherwise: Default) -> Member | Default:
    said = _choice(sent, name, list(choices))
    return choices(said) if said else otherwise


def _text(sent: Sent, name: str, most: int) -> str:
    said = sent.get(name, "").strip().replace("\0", "")
    if len(said) > most:
        raise WrongError(words()("error.note", most=most))
    return said


def _number(sent: Sent, name: str) -> float | None:
    said = sent.get(name, "").strip()
    if not said:
        return None
    low, high = BODY_LIMITS[name]
    with suppress(ValueError):
        value = float(said)
        if isfinite(value) and low <= value <= high:
            return value
    raise WrongError(words()("intake.number", name=words()(f"intake.{name}"), low=f"{low:g}", high=f"{high:g}"))

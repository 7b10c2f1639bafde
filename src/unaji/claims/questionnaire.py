"""What to ask a person before anything is measured: questions that follow from any article's claims.

Every cause that can be noticed without a device is asked after: is it often there, and how soon does the symptom
follow. What else is asked (a new medicine, a change of midlife) is asked where a cause is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from unaji.claims.model import Cause, Claims, Reading


class Often(StrEnum):
    """How often something is there when the symptom comes."""

    OFTEN = "often"
    SOMETIMES = "sometimes"
    NO = "no"
    UNKNOWN = "unknown"


class Soon(StrEnum):
    """How soon the symptom follows."""

    NOW = "now"
    HOUR = "hour"
    HOURS = "hours"
    DAY = "day"
    UNKNOWN = "unknown"


SOON_MIN: dict[Soon, tuple[float, float]] = {
    Soon.NOW: (0, 15),
    Soon.HOUR: (15, 60),
    Soon.HOURS: (60, 360),
    Soon.DAY: (360, 2880),
}
"""What the answers mean [min]."""

BACKGROUND: dict[str, tuple[str, ...]] = {
    "medication": ("no", "long", "new", "unknown"),
    "hot_flush": ("no", "yes", "unknown"),
}
"""What is asked of a person's circumstances, by the kind of exposure it bears on, with its answers."""
SPEAKS_FOR = {"medication": "new", "hot_flush": "yes"}
"""The answer that makes the causes read from that exposure worth looking into."""

AGE_BANDS = ("10", "20", "30", "40", "50", "60", "70", "80")
"""Decades of age; the last has no end."""


@dataclass(frozen=True, slots=True)
class CauseAnswer:
    """What a person said of one cause."""

    often: Often = Often.UNKNOWN
    soon: Soon = Soon.UNKNOWN


@dataclass(frozen=True, slots=True)
class OwnWords:
    """Something in a person's own words, and how much of it there is, 0 to 10."""

    text: str = ""
    degree: int | None = None


@dataclass(frozen=True, slots=True)
class IntakeAnswers:
    """A filled questionnaire.

    Attributes
    ----------
    causes : mapping of str to CauseAnswer
        By id of the cause; one that is not there was left open.
    background : mapping of str to str
        One of the answers of `BACKGROUND`, by its key.
    companions : tuple of str
        Ids of the complaints that go along.
    medicines : str
        As the person calls them.
    age_band : str
        One of `AGE_BANDS`; empty where it was not said.
    mine, do : OwnWords
        What troubles most, and what it makes hard to do.
    """

    causes: Mapping[str, CauseAnswer] = field(default_factory=dict)
    background: Mapping[str, str] = field(default_factory=dict)
    companions: tuple[str, ...] = ()
    medicines: str = ""
    age_band: str = ""
    mine: OwnWords = OwnWords()
    do: OwnWords = OwnWords()


def asked_causes(claims: Claims) -> tuple[Cause, ...]:
    """Return the causes that a person can speak of: those that are not known from a device alone."""
    return tuple(cause for cause in claims.causes if any(one.reading is not Reading.DERIVED for one in cause.signals))


def asked_background(claims: Claims) -> tuple[str, ...]:
    """Return the keys of `BACKGROUND` that bear on some cause of the article."""
    read = {kind for cause in claims.causes for kind in cause.exposure_kinds}
    return tuple(key for key in BACKGROUND if key in read)


def check_answers(answers: IntakeAnswers, claims: Claims) -> None:
    """Check that only what was asked is answered.

    Raises
    ------
    ValueError
        Naming what is not known.
    """
    groups = (
        ("cause", answers.causes, {cause.id for cause in asked_causes(claims)}),
        ("circumstance", answers.background, set(asked_background(claims))),
        ("complaint", answers.companions, set(claims.companions)),
        ("age band", (answers.age_band,) if answers.age_band else (), set(AGE_BANDS)),
    )
    for what, said, known in groups:
        for one in said:
            if one not in known:
                raise ValueError(f"the article {claims.id} asks of no such {what}: {one!r}")
    for key, answer in answers.background.items():
        if answer not in BACKGROUND[key]:
            raise ValueError(f"{key}: {answer!r} is none of {', '.join(BACKGROUND[key])}")
    for name, own in (("mine", answers.mine), ("do", answers.do)):
        if own.degree is not None and not 0 <= own.degree <= 10:
            raise ValueError(f"{name}: the degree must lie within 0 to 10, got {own.degree}")


def as_plain(answers: IntakeAnswers) -> dict[str, Any]:
    """Return the answers as plain values, for JSON."""
    return {
        "causes": {one: {"often": str(said.often), "soon": str(said.soon)} for one, said in answers.causes.items()},
        "background": dict(answers.background),
        "companions": list(answers.companions),
        "medicines": answers.medicines,
        "age_band": answers.age_band,
        "mine": {"text": answers.mine.text, "degree": answers.mine.degree},
        "do": {"text": answers.do.text, "degree": answers.do.degree},
    }


def from_plain(said: Mapping[str, Any], claims: Claims) -> IntakeAnswers:
    """Read the answers back; what the claims ask no longer is passed over, so that old answers stay readable."""
    causes = {cause.id for cause in asked_causes(claims)}
    background = asked_background(claims)
    return IntakeAnswers(
        causes={
            one: CauseAnswer(Often(answer["often"]), Soon(answer["soon"]))
            for one, answer in said["causes"].items()
            if one in causes
        },
        background={one: answer for one, answer in said["background"].items() if one in background},
        companions=tuple(one for one in said["companions"] if one in claims.companions),
        medicines=said["medicines"],
        age_band=said["age_band"],
        mine=OwnWords(**said["mine"]),
        do=OwnWords(**said["do"]),
    )

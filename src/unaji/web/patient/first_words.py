"""How the first picture is told: which causes, why they stand where they stand, what to log first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from unaji.care.first_picture import CausePicture, FirstPicture, LogStep, Means, Reason, Standing, time_fits
from unaji.claims.model import Cause, Claims, Reading, Signal
from unaji.claims.questionnaire import SPEAKS_FOR, CauseAnswer, IntakeAnswers
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.report.words import Catalogue
from unaji.report.words import catalogue as report_catalogue
from unaji.web.words import say, spoken, words

_TECHNICAL = re.compile(r" ?\([^)]*\)$")
"""What stands in brackets after a name is for those who write columns."""
STEPS_SHOWN = 6
"""How many things to log are shown at once; the rest is behind a row."""


@dataclass(frozen=True, slots=True)
class GradeTold:
    """An evidence grade: its letter, which of its four bars are full, how it is read out, what it means."""

    letter: str
    bars: tuple[bool, ...]
    aloud: str
    text: str


@dataclass(frozen=True, slots=True)
class CauseTold:
    """One cause."""

    family: str
    name: str
    grade: GradeTold
    claim: str
    reason: str
    lag: SafeString
    companions: str
    look: str


@dataclass(frozen=True, slots=True)
class GroupTold:
    """Causes of one standing."""

    standing: str
    title: str
    causes: tuple[CauseTold, ...]


@dataclass(frozen=True, slots=True)
class StepTold:
    """One thing to log."""

    text: str
    feeds: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class FirstTold:
    """The whole screen."""

    heading: str
    groups: tuple[GroupTold, ...]
    steps: tuple[StepTold, ...]
    more_steps: tuple[StepTold, ...]
    already: str
    grades: tuple[GradeTold, ...]


def first_told(picture: FirstPicture, answers: IntakeAnswers, claims: Claims) -> FirstTold:
    """Put the first picture into words."""
    told = words()
    plausible = len(picture.standing(Standing.PLAUSIBLE))
    steps = tuple(_step(one, claims) for one in picture.steps)
    fed = [one.fed_by for one in picture.causes if one.fed_by is not None]
    return FirstTold(
        heading=told.count("first.heading", plausible) if plausible else told("first.heading_none"),
        groups=tuple(
            GroupTold(which.value, told(f"first.group.{which}"), tuple(_cause(one, answers, claims) for one in causes))
            for which in Standing
            if (causes := picture.standing(which))
        ),
        steps=steps[:STEPS_SHOWN],
        more_steps=steps[STEPS_SHOWN:],
        already=_report().join(list(dict.fromkeys(_names(signal, claims) for signal in fed))),
        grades=tuple(grade_told(letter) for letter in "ABCD"),
    )


def grade_told(letter: str) -> GradeTold:
    """Tell a grade with the words of the report."""
    report = _report()
    full, text = 4 - "ABCD".index(letter), report(f"grade.{letter}")
    bars = tuple(bar < full for bar in range(4))
    return GradeTold(letter, bars, report("grade.aloud", grade=letter, text=text), text)


def _cause(one: CausePicture, answers: IntakeAnswers, claims: Claims) -> CauseTold:
    told, report, language = words(), _report(), spoken()
    named = [claims.companions[c].in_(language) for c in one.companions]
    look = "first.fed" if one.fed_by is not None else "first.look"
    return CauseTold(
        family=one.cause.family.value,
        name=one.cause.name.in_(language),
        grade=grade_told(one.cause.grade.value),
        claim=one.cause.claim.in_(language),
        reason=_reason(one, answers),
        lag=_lag(one, answers),
        companions=told("first.companions", names=report.join(named)) if named else "",
        look=told(look, names=_names(one.fed_by or one.cause.signals[0], claims)),
    )


def _reason(one: CausePicture, answers: IntakeAnswers) -> str:
    if one.reason is Reason.CIRCUMSTANCE:
        kind = next(k for k in one.cause.exposure_kinds if SPEAKS_FOR.get(k, "-") == answers.background.get(k))
        return words()(f"first.circumstance.{kind}")
    if one.reason is Reason.OTHER_TIME:
        said = answers.causes[one.cause.id]
        return words()("first.reason.other_time", often=words()(f"intake.often.{said.often}"))
    return words()(f"first.reason.{one.reason}")


def _lag(one: CausePicture, answers: IntakeAnswers) -> SafeString:
    """Say the time that the claims give, and how the person's fits it."""
    claimed = claimed_lag(one.cause)
    if one.standing is Standing.NOT_REPORTED:
        return SafeString("")
    soon = answers.causes.get(one.cause.id, CauseAnswer()).soon
    fits = time_fits(one.cause, soon)
    if fits is None or one.reason in (Reason.NOT_KNOWN, Reason.DEVICE_ONLY):
        return say("first.lag.open", lag=claimed)
    key = "first.lag.fits" if fits else "first.lag.differs"
    return say(key, lag=claimed, said=words()(f"intake.soon.{soon}"))


def claimed_lag(cause: Cause) -> SafeString:
    """Say the range of lags as the claims give it, unrounded and on one line: "5〜40分", "20分〜3時間"."""
    report = _report()
    low, high = (round(end) for end in cause.lag_min)
    if high < 120:
        said = report.range("minutes", low, high)
    elif low % 60 == high % 60 == 0:
        said = report.range("hours", low // 60, high // 60)
    else:
        said = report("range", low=_minutes(low), high=_minutes(high))
    return format_html('<span class="n">{}</span>', said)


def _minutes(minutes: int) -> str:
    report = _report()
    if minutes < 60:
        return report.count("minutes", minutes)
    if minutes % 60:
        return report("lag.hours_minutes", hours=minutes // 60, minutes=minutes % 60)
    return report.count("hours", minutes // 60)


def _step(step: LogStep, claims: Claims) -> StepTold:
    report, language = _report(), spoken()
    names = report.join(list(dict.fromkeys(_vocabulary(step.means, name, claims) for name in step.names)))
    return StepTold(
        text=words()(f"first.means.{step.means}", names=names),
        feeds=words()("first.feeds", causes=report.join([cause.name.in_(language) for cause in step.feeds])),
        by_hand=step.means in (Means.RATING, Means.EXPOSURE),
    )


_READ_BY = {Means.RATING: Reading.RATING, Means.EXPOSURE: Reading.EXPOSURE}


def _vocabulary(means: Means, name: str, claims: Claims) -> str:
    return _name(_READ_BY.get(means, Reading.QUANTITY if name in QUANTITIES else Reading.DERIVED), name, claims)


def _names(signal: Signal, claims: Claims) -> str:
    return _report().join(list(dict.fromkeys(_each(signal.reading, signal.names, claims))))


def _each(reading: Reading, names: Iterable[str], claims: Claims) -> Iterable[str]:
    return (_name(reading, name, claims) for name in names)


def _name(reading: Reading, name: str, claims: Claims) -> str:
    """Say a name of one of the vocabularies."""
    if reading is Reading.DERIVED:
        return words()(f"first.derived.{name}")
    known = {
        Reading.RATING: RATINGS.get(name),
        Reading.EXPOSURE: claims.exposures.get(name) or EXPOSURES.get(name),
        Reading.QUANTITY: QUANTITIES.get(name),
    }[reading]
    assert known is not None, "claims are checked against the vocabularies when they are loaded"
    return _TECHNICAL.sub("", known.ja if spoken() == "ja" else known.en)


def _report() -> Catalogue:
    return report_catalogue(spoken())

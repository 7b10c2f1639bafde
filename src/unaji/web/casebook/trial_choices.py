"""What a person may try on themselves, and what is known of them that says whether a trial could tell.

First what the latest answer to "why" proposes, then what the article says can be changed. More of what harms, or of
what the person must not have, is never among it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import stdev

from django.utils import timezone

from unaji.care.trial import EPISODES, INTENSITY, NEVER_CHANGED, NEVER_SOUGHT, Change
from unaji.care.trial_power import Assumed
from unaji.claims.model import Claims, Reading
from unaji.quantities import EXPOSURES, RATINGS
from unaji.records.timeline import Zones
from unaji.report.trial import kind_name
from unaji.report.words import catalogue as report_words
from unaji.web.casebook.actions.explanations import FINDINGS, latest_of, page_of
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.models import Episode, Exposure, Person, Rating
from unaji.web.casebook.on_record import on_record
from unaji.web.words import catalogue

TREATMENTS = ("acupuncture", "massage", "exercise_therapy")
ALWAYS_ASKED = ("felt_heat", "neck_stiffness")
"""Ratings that may be looked at also by who has not logged them so far: the evening asks for them."""
LOOKED_BACK_D = 56
LEAST_DAYS = 14
"""From how many days with entries on the person's own numbers are taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be changed.

    Attributes
    ----------
    proposed : bool
        Whether the latest answer proposes it.
    settles, otherwise : float or None
        The answer's probability that its cause is settled in four weeks of it, and of going on as before.
    """

    change: Change
    kind: str
    proposed: bool = False
    settles: float | None = None
    otherwise: float | None = None

    @property
    def code(self) -> str:
        """Its name in addresses and forms."""
        return f"{self.change}-{self.kind}"


def choices(person: Person) -> tuple[Choice, ...]:
    """Return what a person may try, each once, what was proposed first."""
    claims, unsafe = claims_in_use(), person.unsafe
    found: dict[str, Choice] = {}
    for one in (*_proposed(person, claims), *_of_the_article(claims), *(Choice(Change.TREAT, k) for k in TREATMENTS)):
        if _may(one, unsafe):
            found.setdefault(one.code, one)
    return tuple(found.values())


def can_be_too_much(claims: Claims) -> tuple[str, ...]:
    """Return kinds of which a trial could ask for more, so that a person can say which they must not have."""
    sought = (one.kind for one in _of_the_article(claims) if one.change is Change.SEEK and _may(one, ()))
    return (*dict.fromkeys(sought), *TREATMENTS)


def outcomes(person: Person) -> tuple[str, ...]:
    """Return what may be looked at.

    The quality of sleep is left out: it is told on the day after the night that a change may have acted on.
    """
    logged = on_record(person).names[Reading.RATING]
    also = [one for one in RATINGS if one in logged and one not in (*ALWAYS_ASKED, "sleep_quality")]
    return (EPISODES, INTENSITY, *ALWAYS_ASKED, *also)


def _may(one: Choice, unsafe: tuple[str, ...]) -> bool:
    if one.change is Change.TREAT:
        return one.kind not in unsafe
    known = one.kind in EXPOSURES and EXPOSURES[one.kind].shape != "mark" and one.kind not in NEVER_CHANGED
    return known and (one.change is Change.AVOID or (one.kind not in NEVER_SOUGHT and one.kind not in unsafe))


def _of_the_article(claims: Claims) -> Iterator[Choice]:
    for cause in claims.causes:
        for do in cause.experiment:
            for kind in cause.exposure_kinds:
                yield Choice(Change(do), kind)


def _proposed(person: Person, claims: Claims) -> Iterator[Choice]:
    latest = latest_of(person)
    content = None if latest is None else page_of(latest, FINDINGS)
    kinds = {cause.id: cause.exposure_kinds for cause in claims.causes}
    for told in [] if content is None else json.loads(content).get("next_observation", []):
        if told["worth_it"] and told["do"] in (Change.AVOID, Change.SEEK):
            for kind in kinds.get(told["id"], ()):
                yield Choice(Change(told["do"]), kind, True, told["settles"], told["settles_if_going_on"])


def called(change: Change, kind: str, language: str) -> str:
    """Return what is changed by its name: the report's, or the diary's of a treatment that the article is silent of."""
    name, say = kind_name(change, kind, claims_in_use(), report_words(language)), catalogue(language)
    key = f"treatment.{kind}"
    return say(key) if name == kind and change is Change.TREAT and key in say else name


# -- what to expect ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What a forecast rests on.

    Attributes
    ----------
    days : int
        Days with entries from which the numbers are the person's own; 0 where they are taken from elsewhere.
    nothing : bool
        Whether the person's own days hold no episode at all, of which there could hardly be fewer.
    """

    assumed: Assumed
    days: int
    nothing: bool = False


def expected(person: Person, outcome: str) -> Expected:
    """Take a forecast's numbers from the last eight weeks, where there are enough days in them."""
    zones = Zones((person.timezone,))
    since = timezone.now() - timedelta(days=LOOKED_BACK_D)

    def day(moment: object) -> date:
        return zones.local(moment).date()  # type: ignore[arg-type]  # what a column of moments gives

    starts = Episode.objects.filter(person=person, start__gte=since).kept().values_list("start", "intensity")
    if outcome == EPISODES:
        written = {day(start) for start, _ in starts}
        written |= {day(at) for at in Exposure.objects.filter(person=person, start__gte=since).kept()
                    .exclude(kind__in=("sleep", "event_mark")).values_list("start", flat=True)}  # fmt: skip
        written |= {day(at) for at in Rating.objects.filter(person=person, time__gte=since).kept()
                    .values_list("time", flat=True)}  # fmt: skip
        if len(written) < LEAST_DAYS:
            return Expected(Assumed(), 0)
        n = len(starts)
        return Expected(Assumed(per_day=round(n / len(written), 2)) if n else Assumed(), len(written), nothing=not n)
    if outcome == INTENSITY:
        rows = [(day(start), float(value)) for start, value in starts if value is not None]
    else:
        rated = Rating.objects.filter(person=person, quantity=outcome, time__gte=since).kept()
        rows = [(day(at), value) for at, value in rated.values_list("time", "value")]
    daily: dict[date, list[float]] = {}
    for at, value in rows:
        daily.setdefault(at, []).append(value)
    if len(daily) < LEAST_DAYS:
        return Expected(Assumed(), 0)
    spread = round(stdev([sum(values) / len(values) for values in daily.values()]), 1)
    return Expected(Assumed(rating_sd=max(spread, 0.1)), len(daily))

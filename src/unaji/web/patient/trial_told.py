"""How a trial is told while it runs: what today is, what tomorrow is, how far it is, all its days on request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse

from unaji.care.trial import EPISODES, INTENSITY, Change, Period, TrialPlan
from unaji.causes.observed import AUTOMATIC
from unaji.report.trial import outcome_name
from unaji.report.words import Catalogue
from unaji.report.words import catalogue as report_catalogue
from unaji.web.casebook.actions.trials import doctor_first, period_on, readable_plan
from unaji.web.casebook.models import Episode, Exposure, Person, Rating, Treatment, Trial
from unaji.web.casebook.trial_choices import called
from unaji.web.patient.clock import day_bounds, local, local_today, say_day, say_day_short
from unaji.web.words import spoken, words


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says what a day is, and where it leads."""

    text: str
    to: str


@dataclass(frozen=True, slots=True)
class Running:
    """A trial that was not ended, with its plan."""

    trial: Trial
    plan: TrialPlan

    @property
    def name(self) -> str:
        """What is changed."""
        return called(self.plan.change, self.plan.kind, spoken())


def running_of(person: Person) -> Running | None:
    """Return the trial a person has not ended; None where there is none, or none whose plan can be read.

    A plan that this version does not read must not stand in the way of writing down that it is hot.
    """
    trial = Trial.objects.filter(person=person).running().first()
    plan = None if trial is None else readable_plan(trial)
    return None if trial is None or plan is None else Running(trial, plan)


def today_line(person: Person) -> Line | None:
    """Say in one line what today is; None where no trial runs."""
    running = running_of(person)
    if running is None:
        return None
    to = reverse("patient:trial", args=[running.trial.pk])
    if doctor_first(person):
        return Line(words()("trials.today.doctor"), to)
    return Line(say_what(running.plan, running.name, local_today(person), "today"), to)


def say_what(plan: TrialPlan, name: str, day: date, called_day: str) -> str:
    """Say what a day is.

    Parameters
    ----------
    called_day : {"today", "tomorrow"}
        What the day is called.
    """
    say = words()
    if day < plan.first_day:
        return say("trials.before", day=say_day(plan.first_day))
    if day > plan.last_day:
        return say(f"trials.{called_day}.over")
    period = period_on(plan, day)
    if period is None:
        return say(f"trials.{called_day}.outside")
    if plan.change is Change.TREAT:
        key = "treat" if period.changed else "no_treat"
        return say(f"trials.{called_day}.{key}", name=name, until=say_day_short(period.last))
    return say(f"trials.{called_day}.{plan.change.value if period.changed else 'usual'}", name=name)


# -- how far it is -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trial is; nothing of what it found.

    Attributes
    ----------
    passed, days : int
        Days of the plan that are over, and all of them.
    recorded : int
        Of those that are over, the days with anything in the diary.
    answered : int
        Of them, the days on which it is written down whether it was done.
    """

    passed: int
    days: int
    recorded: int
    answered: int

    @property
    def share(self) -> float:
        """Share of the days that are over, 0 to 1."""
        return self.passed / self.days


def progress_of(person: Person, plan: TrialPlan, today: date) -> Progress:
    """Count the days of a trial that are over, and what of them is written down."""
    days = [one.first + timedelta(days=k) for one in plan.periods for k in range(one.days)]
    passed = {day for day in days if day < today}
    first, last = day_bounds(person, plan.first_day)[0], day_bounds(person, plan.last_day)[1]

    def dates(moments: Iterable[datetime]) -> set[date]:
        return {local(person, at).date() for at in moments}

    exposures = Exposure.objects.filter(person=person, start__gte=first, start__lt=last).kept()
    episodes = Episode.objects.filter(person=person, start__gte=first, start__lt=last).kept()
    ratings = Rating.objects.filter(person=person, time__gte=first, time__lt=last).kept()
    sessions = Treatment.objects.filter(person=person, time__gte=first, time__lt=last, kind=plan.kind).kept()
    recorded = (
        dates(episodes.values_list("start", flat=True))
        | dates(ratings.values_list("time", flat=True))
        | dates(exposures.exclude(kind__in=AUTOMATIC).values_list("start", flat=True))
    )
    if plan.change is Change.TREAT:
        answered = dates(sessions.values_list("time", flat=True))
    else:
        answered = dates(exposures.filter(kind=plan.kind).values_list("start", flat=True))
    return Progress(len(passed), len(days), len(passed & recorded), len(passed & answered))


# -- all its days ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the plan's calendar; `changed` is None for a day that is not part of it."""

    day: int
    changed: bool | None
    today: bool


@dataclass(frozen=True, slots=True)
class Week:
    """One row of the calendar, from Monday on."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One period of several days."""

    dates: str
    changed: bool
    here: bool


def weeks_of(plan: TrialPlan, today: date) -> tuple[Week, ...]:
    """Give the days of a plan that changes day by day, week by week; nothing for one of longer periods."""
    if plan.period_days > 1:
        return ()
    kinds = {one.first: one.changed for one in plan.periods}
    monday = plan.first_day - timedelta(days=plan.first_day.weekday())
    weeks = []
    while monday <= plan.last_day:
        days = [monday + timedelta(days=k) for k in range(7)]
        weeks.append(Week(say_day_short(monday), tuple(Cell(d.day, kinds.get(d), d == today) for d in days)))
        monday += timedelta(days=7)
    return tuple(weeks)


def stretches_of(plan: TrialPlan, today: date) -> tuple[Stretch, ...]:
    """Give the periods of a plan whose periods are longer than a day."""
    return () if plan.period_days == 1 else tuple(_stretch(one, today) for one in plan.periods)


def _stretch(one: Period, today: date) -> Stretch:
    said = words()("trials.stretch", first=say_day_short(one.first), last=say_day_short(one.last))
    return Stretch(said, one.changed, one.first <= today <= one.last)


def weekdays() -> Iterator[str]:
    """Give the days of the week, short, from Monday on."""
    return (words()(f"trials.weekday.{k}") for k in range(7))


# -- what is compared --------------------------------------------------------------------------------------------------


def outcome_said(outcome: str) -> str:
    """Say what may be looked at, for a choice."""
    report = report_words()
    if outcome in (EPISODES, INTENSITY):
        return report(f"trial.outcome.{outcome}")
    return report("trial.outcome.rating", name=words()(f"rating.{outcome}"))


def looked_at(plan: TrialPlan) -> str:
    """Say what a plan looks at."""
    return report_words()("trial.look_at", outcome=outcome_name(plan, report_words()))


def what_said(change: Change, name: str) -> str:
    """Say what is done: "Avoid caffeine"."""
    return words()(f"trials.what.{change}", name=name)


def report_words() -> Catalogue:
    """Return the words of the report in the language of this request."""
    return report_catalogue(spoken())

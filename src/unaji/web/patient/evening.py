"""The evening: one screen, half a minute, one thumb; whatever is left open stays open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID, uuid5

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions import diary
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Episode, Exposure, Person
from unaji.web.patient import forms
from unaji.web.patient.clock import Evening, evening_of, from_wall, say_day
from unaji.web.patient.forms import Sent, WrongError
from unaji.web.patient.views import screen
from unaji.web.words import words

UP = time(7, 0)
"""When a night is told to have ended, where the person did not say when they got up."""
DRINKS = ("caffeine", "alcohol")
PARTS = {"morning": time(8, 0), "noon": time(12, 30), "late": time(16, 0), "night": time(20, 0)}
"""Parts of the day, and the hour that stands for each: a drink acts within hours, so "three today" would not do."""
RATED = ("stress", "neck_stiffness", "sleep_quality")
ASKED = {"sleep_quality": "last_night"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the day."""

    value: str
    name: str
    aloud: str


@dataclass(frozen=True, slots=True)
class Drink:
    """One kind of drink: what is written already, and the parts of the day to choose from."""

    name: str
    already: str
    parts: tuple[Part, ...]


@person_page
@require_http_methods(["GET", "POST"])
def evening(request: SignedIn, person: Person) -> HttpResponse:
    """Ask how the day was, and write down what is answered."""
    told = evening_of(person, timezone.now())
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            with transaction.atomic():  # all of it or nothing, so that a second try cannot leave a half
                written = _write(request, person, told)
        except WrongError as error:
            errors = (str(error),)
        else:
            if written:
                messages.success(request, words()("evening.saved"))
            return redirect(f"{reverse('patient:today')}?day={told.day.isoformat()}")
    return _asked(request, person, told, errors)


def _asked(request: SignedIn, person: Person, told: Evening, errors: tuple[str, ...]) -> HttpResponse:
    say, sent = words(), request.POST
    hot = _episodes(person, told)
    return screen(
        request, "evening.html", person, "today", 422 if errors else 200, errors=errors,
        heading=say("evening.heading", day=say_day(told.day)),
        count=say.count("evening.count", hot) if hot else "", checked=_exposures(person, told, diary.CHECK_IN) > 0,
        scales=[forms.Scale(one, asked=ASKED.get(one, "")) for one in RATED],
        drinks=[drink for one in DRINKS if (drink := _drink(person, told, one)).parts],
        numbers=forms.read_client_id(sent) if sent else uuid7(),
    )  # fmt: skip


def _drink(person: Person, told: Evening, kind: str) -> Drink:
    say, what = words(), words()(f"exposure.{kind}")
    already = _exposures(person, told, kind)
    parts = tuple(
        Part(f"{kind}-{one}", name := say(f"evening.part.{one}"), say("evening.part_aloud", what=what, part=name))
        for one, hour in PARTS.items()
        if from_wall(person, datetime.combine(told.day, hour)) <= told.at
    )  # fmt: skip
    return Drink(what, say("evening.already", n=already) if already else "", parts)


def _episodes(person: Person, told: Evening) -> int:
    return Episode.objects.filter(person=person, start__gte=told.first, start__lt=told.last).kept().count()


def _exposures(person: Person, told: Evening, kind: str) -> int:
    rows = Exposure.objects.filter(person=person, kind=kind, start__gte=told.first, start__lt=told.last)
    return rows.kept().count()


def _write(request: SignedIn, person: Person, told: Evening) -> int:
    """Write down what was answered; return how many entries that is."""
    sent, user = request.POST, request.user
    page = forms.read_client_id(sent)
    written = 0
    if sent.get("nothing") == "yes" and not _episodes(person, told):
        diary.log_nothing(person, by=user, at=told.at, client_id=_number(page, "nothing"))
        written += 1
    for quantity, value, at in _ratings(sent, person, told):
        number = _number(page, quantity)
        diary.rate(person, by=user, quantity=quantity, value=float(value), time=at, client_id=number)
        written += 1
    for kind in DRINKS:
        for part, hour in PARTS.items():
            if f"{kind}-{part}" in sent.getlist("drink"):
                start, number = told.moment(person, hour), _number(page, f"{kind}-{part}")
                diary.expose(person, by=user, kind=kind, start=start, amount=1.0, client_id=number)
                written += 1
    return written


def _ratings(sent: Sent, person: Person, told: Evening) -> Iterator[tuple[str, int, datetime]]:
    for quantity in RATED:
        value = forms.read_scale(sent, quantity)
        if value is not None:
            yield quantity, value, _woke(person, told) if quantity == "sleep_quality" else told.at


def _woke(person: Person, told: Evening) -> datetime:
    """Return when the last night ended, to which what is said of it belongs."""
    nights = Exposure.objects.filter(person=person, kind="sleep", end__gte=told.first, end__lt=told.last).kept()
    last = nights.order_by("-end").first()
    return told.moment(person, UP) if last is None or last.end is None else last.end


def _number(page: UUID, what: str) -> UUID:
    """Return the number of one entry: the same page sent twice gives the same ones."""
    return uuid5(page, what)

"""The evening: one screen, half a minute, one thumb; whatever is left open stays open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID, uuid5

from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from unaji.care.trial import EPISODES, INTENSITY, Change
from unaji.quantities import EXPOSURES
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.trials import doctor_first
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Episode, Exposure, Person, Treatment
from unaji.web.casebook.models.diary import Entry
from unaji.web.patient import forms
from unaji.web.patient.clock import Evening, evening_of, from_wall, say_day
from unaji.web.patient.forms import Sent, WrongError
from unaji.web.patient.trial_told import running_of, say_what
from unaji.web.patient.views import screen
from unaji.web.words import words

UP = time(7, 0)
"""When a night is told to have ended, where the person did not say when they got up."""
DRINKS = ("caffeine", "alcohol")
NONE = "none"
PARTS = {"morning": time(8, 0), "noon": time(12, 30), "late": time(16, 0), "night": time(20, 0)}
"""Parts of the day, and the hour that stands for each: a drink acts within hours, so "three today" would not do."""
RATED = ("stress", "neck_stiffness", "sleep_quality")
ASKED = {"sleep_quality": "last_night", "felt_heat": "today_felt_heat"}


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


@dataclass(frozen=True, slots=True)
class Tried:
    """What is asked of a trial: what the day is, and whether it was done.

    Attributes
    ----------
    parts : tuple of Part
        Empty where a time of the day would not do, since it matters how long it lasted.
    none : str
        Name of the answer "none" for those who listen; empty where that was answered, or something is written.
    """

    line: str
    to: str
    kind: str
    change: Change
    name: str
    already: str
    parts: tuple[Part, ...]
    none: str
    add: str
    rated: str


@person_page
@require_http_methods(["GET", "POST"])
def evening(request: SignedIn, person: Person) -> HttpResponse:
    """Ask how the day was, and write down what is answered."""
    told = evening_of(person, timezone.now())
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            written = write_evening(person, request.POST, told)
        except WrongError as error:
            errors = (str(error),)
        else:
            saved = "&saved=evening" if written else ""
            return redirect(f"{reverse('patient:today')}?day={told.day.isoformat()}{saved}")
    return _asked(request, person, told, errors)


def _asked(request: SignedIn, person: Person, told: Evening, errors: tuple[str, ...]) -> HttpResponse:
    say, sent = words(), request.POST
    hot, tried = _episodes(person, told), _tried(person, told)
    also = (tried.rated,) if tried is not None and tried.rated not in ("", *RATED) else ()
    drinks = [one for one in DRINKS if tried is None or one != tried.kind]
    return screen(
        request, "evening.html", person, "today", 422 if errors else 200, errors=errors,
        heading=say("evening.heading", day=say_day(told.day)),
        count=say.count("evening.count", hot) if hot else "", checked=_exposures(person, told, diary.CHECK_IN) > 0,
        scales=[forms.Scale(one, asked=ASKED.get(one, "")) for one in (*also, *RATED)], tried=tried,
        drinks=[drink for one in drinks if (drink := _drink(person, told, one)).parts],
        numbers=forms.read_client_id(sent) if sent else uuid7(),
    )  # fmt: skip


def evening_shell() -> dict[str, object]:
    """Say what the evening asks of anybody: nothing of the day, of the diary or of a trial is known."""
    say = words()

    def drink(kind: str) -> Drink:
        what = say(f"exposure.{kind}")
        parts = ((one, say(f"evening.part.{one}")) for one in PARTS)
        return Drink(what, "", tuple(
            Part(f"{kind}-{one}", name, say("evening.part_aloud", what=what, part=name)) for one, name in parts
        ))  # fmt: skip

    scales = [forms.Scale(one, asked=ASKED.get(one, "")) for one in RATED]
    return {"heading": say("evening.title"), "scales": scales, "drinks": [drink(one) for one in DRINKS]}


def _drink(person: Person, told: Evening, kind: str) -> Drink:
    say, what = words(), words()(f"exposure.{kind}")
    already = _exposures(person, told, kind)
    return Drink(what, say("evening.already", n=already) if already else "", _parts(person, told, kind, what))


def _parts(person: Person, told: Evening, kind: str, what: str) -> tuple[Part, ...]:
    say = words()
    return tuple(
        Part(f"{kind}-{one}", name := say(f"evening.part.{one}"), say("evening.part_aloud", what=what, part=name))
        for one, hour in PARTS.items()
        if from_wall(person, datetime.combine(told.day, hour)) <= told.at
    )  # fmt: skip


def _tried(person: Person, told: Evening) -> Tried | None:
    """Ask whether it was done on a day of the trial that runs; "none" too, which silence does not say."""
    running = running_of(person)
    if running is None or not running.plan.first_day <= told.day <= running.plan.last_day:
        return None
    say, plan, name = words(), running.plan, running.name
    to = reverse("patient:trial", args=[running.trial.pk])
    if doctor_first(person):
        return Tried(say("trials.today.doctor"), to, "", plan.change, name, "", (), "", "", "")
    line = say_what(plan, name, told.day, "today")
    if plan.change is Change.TREAT:
        sessions = Treatment.objects.filter(person=person, kind=plan.kind, time__gte=told.first, time__lt=told.last)
        n, said_none, lasts = sessions.kept().count(), False, False
    else:
        n = _exposures(person, told, plan.kind)
        rows = Exposure.objects.filter(person=person, kind=plan.kind, start__gte=told.first, start__lt=told.last)
        said_none = rows.kept().filter(amount=0).exists()
        lasts = EXPOSURES[plan.kind].shape == "span" or EXPOSURES[plan.kind].unit == "min"
    already = say("trials.evening.already", n=n) if n else say("trials.evening.none_already") if said_none else ""
    return Tried(
        line, to, plan.kind, plan.change, name, already,
        () if lasts else _parts(person, told, plan.kind, name),
        "" if n or said_none or plan.change is Change.TREAT else say("trials.evening.none_aloud", what=name),
        f"{reverse('patient:add')}?open={plan.kind}#done" if lasts else "",
        "" if plan.outcome in (EPISODES, INTENSITY) else plan.outcome,
    )  # fmt: skip


def _episodes(person: Person, told: Evening) -> int:
    return Episode.objects.filter(person=person, start__gte=told.first, start__lt=told.last).kept().count()


def _exposures(person: Person, told: Evening, kind: str) -> int:
    rows = Exposure.objects.filter(person=person, kind=kind, start__gte=told.first, start__lt=told.last)
    return rows.kept().exclude(amount=0).count()


@transaction.atomic  # all of it or nothing, so that a second try cannot leave a half
def write_evening(person: Person, sent: QueryDict, told: Evening, *, source: str = "app") -> list[Entry]:
    """Write down what was answered, once however often it arrives; return its entries.

    Raises
    ------
    WrongError, NotPossibleError
        Something that was sent cannot be; nothing is written.
    """
    page, user = forms.read_client_id(sent), person.user
    written: list[Entry] = []
    if sent.get("nothing") == "yes" and not _episodes(person, told):
        number = _number(page, "nothing")
        written.append(diary.log_nothing(person, by=user, at=told.at, client_id=number, source=source))
    for quantity, value, at in _ratings(sent, person, told):
        number = _number(page, quantity)
        written.append(
            diary.rate(person, by=user, quantity=quantity, value=float(value), time=at, client_id=number, source=source)
        )
    tried = _tried(person, told)
    for kind in DRINKS:
        for part, start in _chosen(sent, person, told, kind):
            number = _number(page, part)
            written.append(
                diary.expose(person, by=user, kind=kind, start=start, amount=1.0, client_id=number, source=source)
            )
    return written if tried is None else written + _write_tried(sent, person, told, tried, source)


def _chosen(sent: QueryDict, person: Person, told: Evening, kind: str) -> list[tuple[str, datetime]]:
    """Give the parts of the day that were chosen for a kind, with the moment that stands for each."""
    named = [(f"{kind}-{part}", told.moment(person, hour)) for part, hour in PARTS.items()]
    return [one for one in named if one[0] in sent.getlist("drink")]


def _write_tried(sent: QueryDict, person: Person, told: Evening, tried: Tried, source: str) -> list[Entry]:
    """Write down what was done, or that nothing was, as far as the drinks have not told it."""
    user, page = person.user, forms.read_client_id(sent)
    chosen, none = _chosen(sent, person, told, tried.kind), f"{tried.kind}-{NONE}"
    if none in sent.getlist("drink") and tried.none:
        if chosen:
            raise WrongError(words()("trials.evening.both"))
        number = _number(page, none)
        return [
            diary.expose(person, by=user, kind=tried.kind, start=told.at, amount=0.0, client_id=number, source=source)
        ]
    written: list[Entry] = []
    for part, start in chosen if tried.parts and tried.kind not in DRINKS else ():
        number = _number(page, part)
        if tried.change is Change.TREAT:
            one: Entry = diary.log_treatment(
                person, by=user, kind=tried.kind, time=start, client_id=number, source=source
            )
        else:
            one = diary.expose(
                person, by=user, kind=tried.kind, start=start, amount=1.0, client_id=number, source=source
            )
        written.append(one)
    return written


def _ratings(sent: Sent, person: Person, told: Evening) -> Iterator[tuple[str, int, datetime]]:
    tried = _tried(person, told)
    also = (tried.rated,) if tried is not None and tried.rated else ()
    for quantity in dict.fromkeys((*also, *RATED)):
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

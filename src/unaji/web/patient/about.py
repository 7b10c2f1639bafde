"""About me: what a person says of themselves, all of it optional, each with what it is used for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import isfinite
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from unaji.records.person import NUMBERS
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions.weather import place_of, say_about
from unaji.web.casebook.models import Person
from unaji.web.patient.clock import local_today
from unaji.web.patient.forms import Chip, Sent, WrongError
from unaji.web.patient.places import as_kept, degrees, read_place, towns
from unaji.web.patient.views import screen
from unaji.web.patient.weather import weather_block
from unaji.web.words import words

COMMON_ZONES = (
    "Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Taipei", "Asia/Singapore", "Asia/Bangkok", "Asia/Kolkata",
    "Australia/Sydney", "Pacific/Auckland", "Pacific/Honolulu", "America/Los_Angeles", "America/New_York",
    "America/Sao_Paulo", "Europe/London", "Europe/Paris", "UTC",
)  # fmt: skip
SEXES = ("female", "male", "other")
TEXTS = {"display_name": 60, "name": 100, "kana": 100, "contact": 200}
"""Fields that are kept as they are written, with the most letters they may have."""
FIRST_BIRTH = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One field: what is asked, what it is used for, what stands in it, what is wrong with it."""

    name: str
    kind: str
    value: str = ""
    wrong: str = ""
    options: tuple[Chip, ...] = ()
    low: str = ""
    high: str = ""
    most: int = 0
    complete: str = "off"

    @property
    def label(self) -> str:
        """What is asked."""
        return words()(f"about.{self.name}")

    @property
    def use(self) -> str:
        """What it is used for; "" for a field that completes the one before it."""
        say, key = words(), f"about.use.{self.name}"
        return say(key) if key in say else ""

    @property
    def described_by(self) -> str:
        """The texts that belong to it, for those who listen."""
        ids = [f"{self.name}-use"] * bool(self.use) + [f"{self.name}-wrong"] * bool(self.wrong)
        return " ".join(ids)


@person_page
@require_http_methods(["GET", "POST"])
def about(request: SignedIn, person: Person) -> HttpResponse:
    """Show what was said, and take what is said now: all of it, or nothing where something is wrong."""
    if request.method == "GET":
        return _about(request, person, _held(person), {})
    if person.simulated:  # anybody may be signed in as the invented person
        return _about(request, person, _held(person), {}, words()("about.example"))
    said, wrong = read_about(person, request.POST)
    if wrong:
        return _about(request, person, request.POST.dict(), wrong, words()("about.not_saved"))
    say_about(person, by=request.user, **said)
    messages.success(request, words()("about.saved"))
    return redirect("patient:about")


def _about(request: SignedIn, person: Person, values: Sent, wrong: dict[str, str], problem: str = "") -> HttpResponse:
    fields = asked(person, values, wrong)
    return screen(
        request, "about.html", person, "more", 422 if problem else 200, problem=problem,
        groups=[{"title": words()(f"about.group.{name}"), "fields": [fields[one] for one in of]}
                for name, of in GROUPS.items()],
        weather=weather_block(person, "patient:about"),
    )  # fmt: skip


GROUPS = {
    "called": ("display_name", "name", "kana", "contact"),
    "body": ("birth_date", "sex", "height_cm", "weight_kg"),
    "where": ("timezone", "timezone_other", "place", "place_other"),
}


def _held(person: Person) -> dict[str, str]:
    held = {name: str(getattr(person, name)) for name in (*TEXTS, "birth_date", "sex", "timezone")}
    held |= {name: _plain(getattr(person, name)) for name in ("height_cm", "weight_kg")}
    place = place_of(person)
    return {**held, "place": "" if place is None else as_kept(place)}


def asked(person: Person, values: Sent, wrong: dict[str, str]) -> dict[str, Asked]:
    """Give the fields by name, filled with what is known or was just sent."""
    say, today = words(), local_today(person).isoformat()

    def field(name: str, kind: str, **more: Any) -> Asked:
        return Asked(name, kind, values.get(name, ""), wrong.get(name, ""), **more)

    sexes = tuple(Chip(one, say(f"about.sex_is.{one}"), values.get("sex") == one) for one in SEXES)
    body = {name: NUMBERS[name] for name in ("height_cm", "weight_kg")}
    fields = [
        field("display_name", "text", most=TEXTS["display_name"], complete="nickname"),
        field("name", "text", most=TEXTS["name"], complete="name"),
        field("kana", "text", most=TEXTS["kana"]),
        field("contact", "text", most=TEXTS["contact"]),
        field("birth_date", "date", low=FIRST_BIRTH.isoformat(), high=today, complete="bday"),
        field("sex", "select", options=(Chip("", say("about.unsaid")), *sexes)),
        *(field(name, "number", low=f"{low:g}", high=f"{high:g}") for name, (low, high) in body.items()),
        field("timezone", "select", options=_zones(person, values)),
        field("timezone_other", "text", most=60),
        field("place", "select", options=_places(person, values)),
        field("place_other", "text", most=60),
    ]
    return {one.name: one for one in fields}


def _zones(person: Person, values: Sent) -> tuple[Chip, ...]:
    """Give the common zones, and the person's own where it is another."""
    say, chosen = words(), values.get("timezone", "")
    own = () if person.timezone in COMMON_ZONES else (person.timezone,)
    return tuple(
        Chip(one, say(f"about.zone.{one}") if f"about.zone.{one}" in say else one, one == chosen)
        for one in (*own, *COMMON_ZONES)
    )


def _places(person: Person, values: Sent) -> tuple[Chip, ...]:
    """Give "not said", the person's own place where it is none of the list, and the list."""
    say, chosen = words(), values.get("place", "")
    place = place_of(person)
    own = () if place is None or any(one.place == place for one in towns()) else (place,)
    return (
        Chip("", say("about.unsaid")),
        *(Chip(as_kept(one), say("about.own_place", place=degrees(one)), as_kept(one) == chosen) for one in own),
        *(Chip(as_kept(one.place), one.name, as_kept(one.place) == chosen) for one in towns()),
    )


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(one for one in available_timezones() if "/" in one or one == "UTC")


# -- reading -----------------------------------------------------------------------------------------------------------


def read_about(person: Person, sent: Sent) -> tuple[dict[str, object], dict[str, str]]:
    """Read the form.

    Returns
    -------
    (dict, dict)
        What was said, by field of `Person`; what is wrong with it, by field of the form. A field that was not sent is
        left as it is.
    """
    today = local_today(person)
    readers: dict[str, Callable[[], object]] = {
        **{name: lambda name=name: _text(sent, name) for name in TEXTS},  # type: ignore[misc]  # bound now
        "birth_date": lambda: _birth_date(sent, today),
        "sex": lambda: _choice(sent, "sex", ("", *SEXES)),
        "height_cm": lambda: _number(sent, "height_cm"),
        "weight_kg": lambda: _number(sent, "weight_kg"),
        "timezone": lambda: _zone(person, sent),
        "place": lambda: _place(sent),
    }
    said: dict[str, object] = {}
    wrong: dict[str, str] = {}
    for name, read in readers.items():
        if name not in sent and f"{name}_other" not in sent:
            continue
        try:
            said[name] = read()
        except WrongError as error:
            typed = bool(sent.get(f"{name}_other", "").strip())
            wrong[f"{name}_other" if typed else name] = str(error)
    return said, wrong


def _text(sent: Sent, name: str) -> str:
    text = " ".join(sent.get(name, "").replace("\0", "").split())
    if len(text) > TEXTS[name]:
        raise WrongError(words()("about.wrong.long", most=TEXTS[name]))
    return text


def _choice(sent: Sent, name: str, known: tuple[str, ...]) -> str:
    said = sent.get(name, "")
    if said not in known:
        raise WrongError(words()("error.choice"))
    return said


def _birth_date(sent: Sent, today: date) -> str:
    said = sent.get("birth_date", "").strip()
    if not said:
        return ""
    with suppress(ValueError):
        born = date.fromisoformat(said)
        if FIRST_BIRTH <= born <= today:
            return born.isoformat()
    raise WrongError(words()("about.wrong.birth_date"))


def _number(sent: Sent, name: str) -> float | None:
    said = sent.get(name, "").strip()
    if not said:
        return None
    low, high = NUMBERS[name]
    with suppress(ValueError):
        value = float(said)
        if isfinite(value) and low <= value <= high:
            return value
    raise WrongError(words()("about.wrong.number", low=f"{low:g}", high=f"{high:g}"))


def _zone(person: Person, sent: Sent) -> str:
    """Read the zone: what was typed counts, where something was."""
    said = sent.get("timezone_other", "").strip() or sent.get("timezone", "").strip()
    # Not any file of zones that there may be: "localtime" is another one on another machine.
    if said != person.timezone and said not in _known_zones():
        raise WrongError(words()("about.wrong.zone"))
    return said


def _place(sent: Sent) -> str:
    """Read the place: what was typed counts, where something was; never kept finer than 0.1°."""
    said = sent.get("place_other", "").strip() or sent.get("place", "").strip()
    if not said:
        return ""
    place = read_place(said)
    if place is None:
        raise WrongError(words()("about.wrong.place"))
    return as_kept(place)


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}"

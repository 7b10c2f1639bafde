"""How an answered list of warning signs is told: what to do first, what to say on the phone, when it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from unaji.claims.model import Claims, Helpline, RedFlag
from unaji.claims.screening import signs_of
from unaji.web.casebook.models import Episode, Intake, Person, RedFlagScreen
from unaji.web.casebook.models.intake import Level
from unaji.web.patient.clock import clock_time, local, say_day_short
from unaji.web.words import spoken, words

SAME_SPELL = timedelta(hours=24)
"""How long before its answers an episode "different from usual" counts as what they are about, and keeps them open."""


@dataclass(frozen=True, slots=True)
class SignTold:
    """One sign that was answered with yes."""

    question: str
    say: SafeString


@dataclass(frozen=True, slots=True)
class LineTold:
    """Somebody to call."""

    text: str
    number: str

    @property
    def to(self) -> str:
        """What a tap dials."""
        return f"tel:{self.number}"


@dataclass(frozen=True, slots=True)
class ScreenTold:
    """What the full screen says.

    Attributes
    ----------
    signs : tuple of SignTold
        Those of the level that decides; where an ambulance comes first only the first, so that the button is near.
    also : tuple of SignTold
        The others.
    advice : tuple of str
        What else to do while waiting for the ambulance, each once.
    lines : tuple of str
        What to say on the phone or to a doctor, sentence by sentence.
    doctor : bool
        Whether a doctor has to look into something: not where a helpline is there for all of this level.
    unsure : bool
        Whether the number for those in doubt helps: not where an ambulance comes first.
    """

    level: str
    signs: tuple[SignTold, ...]
    also: tuple[SignTold, ...]
    advice: tuple[SafeString, ...]
    lines: tuple[str, ...]
    place_and_time: str
    helplines: tuple[LineTold, ...]
    doctor: bool
    unsure: bool
    answered: str
    read: str


def screen_told(screen: RedFlagScreen, claims: Claims) -> ScreenTold:
    """Put an answered list into words."""
    say, person = words(), screen.person
    raised = signs_of(screen.answers, claims)
    deciding = [flag for flag in raised if flag.urgency == screen.level]
    emergency = screen.level == Level.EMERGENCY
    shown = deciding[:1] if emergency else deciding
    doctor = any(flag.helpline is None for flag in deciding)
    began = _began(screen)
    lines = [_tell(flag) for flag in (deciding if emergency else raised)]
    if emergency:
        lines.insert(0, say("sign.aid"))
    if began is not None:
        lines.append(say("sign.since", time=_clock(person, began)))
    place_and_time = ""
    if emergency:
        key = "sign.place" if began is not None else "sign.place_and_since"
        place_and_time = say(key, time=clock_time(person, screen.at))
    return ScreenTold(
        level=screen.level,
        signs=tuple(map(_sign, shown)),
        also=tuple(_sign(flag) for flag in raised if flag not in shown),
        advice=tuple(dict.fromkeys(_sign(flag).say for flag in deciding)) if emergency else (),
        lines=tuple(lines),
        place_and_time=place_and_time,
        helplines=tuple(_line(flag.helpline) for flag in raised if flag.helpline is not None),
        doctor=doctor,
        unsure=screen.level == Level.TODAY and doctor,
        answered=moment(person, screen.at),
        read="" if screen.acknowledged_at is None else moment(person, screen.acknowledged_at),
    )


def moment(person: Person, at: datetime) -> str:
    """Say a day and a time on the person's clock: 4月27日 14:34."""
    return words()("sign.moment", day=say_day_short(local(person, at).date()), time=clock_time(person, at))


def never_asked(person: Person) -> bool:
    """Say whether a person was never asked for warning signs."""
    return not RedFlagScreen.objects.filter(person=person).exists()


def is_new(person: Person) -> bool:
    """Say whether a person was never asked and has noted nothing yet: then the questions come first."""
    return never_asked(person) and not Episode.objects.filter(person=person).exists()


def has_open_question(person: Person) -> bool:
    """Say whether the questions about warning signs wait: nobody asked yet, or not since an unusual episode of late."""
    last = RedFlagScreen.objects.filter(person=person).order_by("-at").first()
    if last is None:
        return True
    since = max(last.at, timezone.now() - SAME_SPELL)
    return Episode.objects.filter(person=person, unusual=True, start__gte=since).kept().exists()


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """One answered list, for the list of them."""

    screen: RedFlagScreen
    text: str


@dataclass(frozen=True, slots=True)
class BeginningLinks:
    """What of the beginning can be opened again."""

    intake: bool
    answered: Sequence[AnsweredLine]


def beginning_links(person: Person, most: int = 10) -> BeginningLinks:
    """Return what was answered, the latest first."""
    screens = RedFlagScreen.objects.filter(person=person).order_by("-at")[:most]
    return BeginningLinks(
        intake=Intake.objects.filter(person=person).exists(),
        answered=[
            AnsweredLine(one, words()(f"sign.line.{one.level}", moment=moment(person, one.at))) for one in screens
        ],
    )


def _sign(flag: RedFlag) -> SignTold:
    return SignTold(flag.question.in_(spoken()), _unbroken(flag.say.in_(spoken()), flag.helpline))


def _unbroken(text: str, helpline: Helpline | None) -> SafeString:
    """Keep a number that is to be dialled on one line."""
    if helpline is None or helpline.number not in text:
        return format_html("{}", text)
    before, after = text.split(helpline.number, 1)
    return format_html('{}<span class="n">{}</span>{}', before, helpline.number, after)


def _tell(flag: RedFlag) -> str:
    if flag.tell is not None:
        return flag.tell.in_(spoken())
    return words()("sign.tell_answer", question=flag.question.in_(spoken()))


def _line(helpline: Helpline) -> LineTold:
    return LineTold(words()("sign.helpline", name=helpline.name.in_(spoken())), helpline.number)


def _began(screen: RedFlagScreen) -> datetime | None:
    """Return when it began, where the answers are about an episode that was marked as different from usual."""
    if screen.why != "unusual":
        return None
    near = Episode.objects.filter(person=screen.person, unusual=True).kept()
    episode = near.filter(start__lte=screen.at, start__gte=screen.at - SAME_SPELL).order_by("-start").first()
    return None if episode is None else episode.start


def _clock(person: Person, at: datetime) -> str:
    wall = local(person, at)
    return words()("sign.clock", hour=wall.hour, minute=f"{wall.minute:02}")

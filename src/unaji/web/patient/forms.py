"""From what a browser sends to facts: checked, with units; what is wrong is said in the person's language."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from uuid import UUID

from unaji.claims.model import Reading
from unaji.quantities import EXPOSURES, ExposureKind
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Episode, Person, Rating
from unaji.web.casebook.models.diary import Place
from unaji.web.patient.clock import from_wall
from unaji.web.words import spoken, words

Sent = Mapping[str, str]

RATED_FEELING = 7.0
"""What a chip counts as, of 10: its strength is not asked."""
MOST_NOTE = 1000


class WrongError(ValueError):
    """What was sent cannot be used; the message is what to say to the person."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale of 0 to 10, with what was set on it."""

    name: str
    value: int | None = None
    look: str = ""
    kind: str = "scale"
    asked: str = ""  # under which words, where it is not asked as usual

    @property
    def question(self) -> str:
        """What is asked."""
        return words()(f"scale.{self.asked or self.name}.question")

    @property
    def low(self) -> str:
        """What 0 means."""
        return words()(f"scale.{self.name}.low")

    @property
    def high(self) -> str:
        """What 10 means."""
        return words()(f"scale.{self.name}.high")

    @property
    def less(self) -> str:
        """Name of the button that lowers it."""
        return words()("scale.less", question=self.question)

    @property
    def more(self) -> str:
        """Name of the button that raises it."""
        return words()("scale.more", question=self.question)


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice."""

    value: str
    name: str
    on: bool = False


@dataclass(frozen=True, slots=True)
class EpisodeForm:
    """What is asked after the tap, with what is known already."""

    scales: tuple[Scale, ...]
    feelings: tuple[Chip, ...]
    places: tuple[Chip, ...]
    note: str
    errors_said: tuple[str, ...] = field(default=())


def episode_form(episode: Episode, ratings: Mapping[str, Rating], errors: tuple[str, ...] = ()) -> EpisodeForm:
    """Fill the form with what was said of an episode."""
    say = words()
    stiff = ratings.get("neck_stiffness")
    return EpisodeForm(
        scales=(
            Scale("intensity", episode.intensity, "heat"),
            Scale("neck_stiffness", None if stiff is None else round(stiff.value)),
        ),
        feelings=tuple(
            Chip(one, say(f"feeling.{one}"), on=one in ratings and ratings[one].value > 0) for one in RATABLE
        ),
        places=tuple(Chip(one, say(f"place.{one}"), on=episode.place == one) for one in Place.values),
        note=episode.note,
        errors_said=errors,
    )


RATABLE = ("stress", "anger", "anxiety", "fear")
"""Feelings that are offered as chips: each is a rating that the article's causes are read from."""


@dataclass(frozen=True, slots=True)
class EpisodeDetail:
    """What was said after the tap."""

    intensity: int | None
    place: str
    note: str
    ratings: dict[str, float]


def read_episode_detail(sent: Sent, feelings: list[str], known: Mapping[str, Rating]) -> EpisodeDetail:
    """Read what was sent of an episode; a chip that was switched off counts as 0 where it was on before."""
    ratings: dict[str, float] = {}
    stiffness = read_scale(sent, "neck_stiffness")
    if stiffness is not None:
        ratings["neck_stiffness"] = float(stiffness)
    for one in RATABLE:
        if one in feelings and not (one in known and known[one].value > 0):
            ratings[one] = RATED_FEELING
        elif one not in feelings and one in known and known[one].value > 0:
            ratings[one] = 0.0
    place = sent.get("place", "")
    if place and place not in Place.values:
        raise WrongError(words()("error.choice"))
    return EpisodeDetail(read_scale(sent, "intensity"), place, read_note(sent), ratings)


def read_scale(sent: Sent, name: str) -> int | None:
    """Read a scale; None where it was not touched.

    Raises
    ------
    WrongError
        It is no whole number from 0 to 10.
    """
    said = sent.get(name, "").strip()
    if not said:
        return None
    with suppress(ValueError):
        value = float(said)
        if value.is_integer() and 0 <= value <= 10:
            return int(value)
    raise WrongError(words()("error.scale", question=words()(f"scale.{name}.question")))


def read_note(sent: Sent) -> str:
    """Read what was written in words; longer notes than can be kept are refused, not cut."""
    note = sent.get("note", "").strip().replace("\0", "")
    if len(note) > MOST_NOTE:
        raise WrongError(words()("error.note", most=MOST_NOTE))
    return note


def read_client_id(sent: Sent) -> UUID:
    """Read the device's number of an entry; one that is missing or odd gets a number here."""
    with suppress(ValueError):
        return UUID(sent.get("client_id", ""))
    return uuid7()


def read_moment(sent: Sent, name: str, person: Person, *, required: bool = True) -> datetime | None:
    """Read a moment on the person's clock, as ``<input type="datetime-local">`` or with an offset sends it.

    Raises
    ------
    WrongError
        It is missing or no moment.
    """
    said = sent.get(name, "").strip()
    if not said:
        if required:
            raise WrongError(words()("error.moment_missing"))
        return None
    try:
        return from_wall(person, datetime.fromisoformat(said))
    except (ValueError, OverflowError):
        raise WrongError(words()("error.moment")) from None


def read_day(said: str, otherwise: date) -> date:
    """Read a day of an address; anything else is `otherwise`."""
    with suppress(ValueError):
        return date.fromisoformat(said)
    return otherwise


# -- add ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in.

    Attributes
    ----------
    ago : int, optional
        So many minutes ago is most often right; the browser fills it in, where no server is asked.
    clock : str
        Or this hour of today or, with a minus before it, of yesterday.
    """

    name: str
    kind: str
    label: str
    value: str = ""
    required: bool = False
    ago: int | None = None
    clock: str = ""


@dataclass(frozen=True, slots=True)
class AddForm:
    """One kind of entry that can be added."""

    what: str
    name: str
    fields: tuple[Field | Scale, ...]
    client_id: UUID | None
    open: bool = False


@dataclass(frozen=True, slots=True)
class AddGroup:
    """Kinds that belong together."""

    name: str
    title: str
    forms: tuple[AddForm, ...]


DOSES = ("caffeine", "alcohol", "hot_meal", "medication")
SPANS = ("desk_work", "phone", "exercise", "hot_bath", "warm_clothing", "sun")
FELT = ("stress", "neck_stiffness", "fatigue")
"""What every diary offers; whatever else the article's claims are read from is offered after it."""
TREATMENTS = ("acupuncture", "massage", "exercise_therapy", "other")


def add_groups(wall: datetime | None = None, opened: str = "") -> tuple[AddGroup, ...]:
    """Give everything that can be added, with a moment filled in that is most often right.

    Parameters
    ----------
    wall : datetime, optional
        What the person's clock shows; without one the browser fills in the moments.
    """
    say = words()

    def form(what: str, name: str, *fields: Field | Scale) -> AddForm:
        return AddForm(what, name, fields, None if wall is None else uuid7(), open=what == opened)

    def ago(name: str, key: str, minutes: int) -> Field:
        value = "" if wall is None else f"{wall - timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"
        return Field(name, "datetime-local", say(f"add.{key}"), value, required=True, ago=minutes)

    def clock(name: str, key: str, hour: str) -> Field:
        day = None if wall is None else wall.date() - timedelta(days=hour.startswith("-"))
        value = "" if day is None else f"{day}T{hour.removeprefix('-')}"
        return Field(name, "datetime-local", say(f"add.{key}"), value, required=True, clock=hour)

    def dose(kind: str) -> AddForm:
        amount = Field("amount", "number", say("add.amount", unit=_unit(kind)), "1")
        return form(kind, exposure_name(kind), ago("start", "when", 0), amount)

    def span(kind: str) -> AddForm:
        return form(kind, exposure_name(kind), ago("start", "from", 60), ago("end", "until", 0))

    others = tuple(dose(one) if _kind(one).shape == "dose" else span(one) for one in other_kinds())

    return (
        AddGroup("night", say("add.group.night"), (
            form("sleep", say("exposure.sleep"), clock("start", "asleep", "-23:00"), clock("end", "awake", "07:00"),
                 Scale("sleep_quality")),
        )),
        AddGroup("feeling", say("add.group.feeling"), tuple(
            form(one, say(f"rating.{one}"), Scale(one), ago("start", "when", 0))
            for one in (*FELT, *other_ratings())
        )),
        AddGroup("intake", say("add.group.intake"), tuple(dose(one) for one in DOSES)),
        AddGroup("done", say("add.group.done"), tuple(span(one) for one in SPANS)),
        *((AddGroup("others", say("add.group.others"), others),) if others else ()),
        AddGroup("treatment", say("add.group.treatment"), tuple(
            form(f"treatment-{one}", say(f"treatment.{one}"), ago("start", "when", 60),
                 Field("note", "text", say("add.note"))) for one in TREATMENTS
        )),
    )  # fmt: skip


def read_amount(sent: Sent) -> float | None:
    """Read an amount; None where none is said."""
    said = sent.get("amount", "").strip()
    if not said:
        return None
    with suppress(ValueError):
        value = float(said)
        if isfinite(value) and 0 <= value <= 1000:
            return value
    raise WrongError(words()("error.amount"))


def is_exposure(kind: str) -> bool:
    """Say whether a kind can be added by hand."""
    return kind in (*DOSES, *SPANS, "sleep", *other_kinds())


def is_rating(quantity: str) -> bool:
    """Say whether a feeling can be added by hand."""
    return quantity in (*FELT, *other_ratings())


def other_kinds() -> tuple[str, ...]:
    """Return the kinds of exposure that the article's claims are read from beside those that every diary offers."""
    read = (kind for cause in claims_in_use().causes for kind in cause.exposure_kinds)
    return tuple(dict.fromkeys(kind for kind in read if kind not in (*DOSES, *SPANS, "sleep")))


def other_ratings() -> tuple[str, ...]:
    """Return the feelings that the article's claims are read from beside those that every diary offers."""
    signals = (signal for cause in claims_in_use().causes for signal in cause.signals)
    read = (name for signal in signals if signal.reading is Reading.RATING for name in signal.names)
    return tuple(dict.fromkeys(name for name in read if name not in (*FELT, "sleep_quality")))


def exposure_name(kind: str) -> str:
    """Say a kind of exposure; one that the claims no longer know is said by its id."""
    say, key = words(), f"exposure.{kind}"
    if key in say:
        return say(key)
    own = claims_in_use().exposures.get(kind)
    return kind if own is None else (own.ja if spoken() == "ja" else own.en)


def _kind(kind: str) -> ExposureKind:
    return claims_in_use().exposures.get(kind) or EXPOSURES[kind]


def _unit(kind: str) -> str:
    """Say what an amount counts; a bare number counts times."""
    say, key = words(), f"add.unit.{kind}"
    if key in say:
        return say(key)
    unit = _kind(kind).unit
    return say("add.unit.times") if unit == "1" else unit

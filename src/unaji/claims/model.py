"""What an article claims, as data: causes, pathways, lags, evidence grades, sources, red flags.

Texts that a person sees come in both languages as a `Words` pair. Loading and checking is in `unaji.claims.graph`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from unaji.quantities import ExposureKind

DERIVED = ("sympathetic_index",)
"""Signals that `unaji.signals` computes and a cause may be read from."""


class Grade(StrEnum):
    """How well a claim is proven for people in general; says nothing about this person."""

    A = "A"  # several controlled human studies or a meta-analysis agree
    B = "B"  # some controlled human studies
    C = "C"  # indirect, small or conflicting
    D = "D"  # no direct human evidence, or contradicted


class Pathway(StrEnum):
    """The five ways a nape can feel hot."""

    VASCULAR = "vascular"  # skin flow rises, the skin really warms
    SENSORY = "sensory"  # felt without warming
    MUSCLE = "muscle"  # activity and flow under the nape
    HEAT_LOAD = "heat_load"  # room, clothing, exertion
    CORE = "core"  # fever and its like


class Family(StrEnum):
    """Causes drawn in one colour."""

    WEATHER = "weather"
    MIND = "mind"
    POSTURE = "posture"
    INTAKE = "intake"
    BODY = "body"
    AROUND = "around"


class Urgency(StrEnum):
    """How soon a red flag needs a doctor."""

    EMERGENCY = "emergency"  # call an ambulance (119 in Japan)
    TODAY = "today"
    DAYS = "days"


class Reading(StrEnum):
    """Where a signal is read from."""

    QUANTITY = "quantity"  # a measured series of the timeline
    RATING = "rating"  # felt, 0 to 10
    EXPOSURE = "exposure"  # done, taken or met
    DERIVED = "derived"  # computed by `signals`: sympathetic_index


class Transform(StrEnum):
    """What is done to a signal before it becomes an exposure."""

    VALUE = "value"  # as it is
    FALL = "fall"  # how far it fell over `over_min`, 0 where it rose
    RISE = "rise"
    CHANGE = "change"  # how far it moved over `over_min`, either way
    EXCESS = "excess"  # how far above `above`
    LEAKY_MEAN = "leaky_mean"  # running mean that forgets over `over_min`
    BUILD_UP = "build_up"  # rises towards 1 while present, falls while not, over `over_min`
    DEBT = "debt"  # for sleep: leaky sum of the hours below `above` a night


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    ja: str
    en: str

    def in_(self, language: str) -> str:
        """Return the text in "ja" or "en"."""
        if language not in ("ja", "en"):
            raise ValueError(f"language must be 'ja' or 'en', got {language!r}")
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class Source:
    """One published source.

    Attributes
    ----------
    citation : str
        Only what a record of the source shows: an author, volume or page that could not be confirmed is left out.
    url : str
        An address at which its record, abstract or text was found; empty when none is known.
    checked : bool
        True when its abstract or text was read and the citation compared with a record of it; False when it is known
        only from memory or from what others say of it. It does not say that the whole text was read.
    """

    id: str
    citation: str
    url: str = ""
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Signal:
    """One way to compute a cause's exposure.

    Attributes
    ----------
    names : tuple of str
        Names in the vocabulary of `reading`; several are combined by their maximum.
    sites : tuple of str
        For quantities: sites in order of preference; empty for any.
    hold_min : float
        How long a value is carried forward before it counts as missing [min].
    """

    reading: Reading
    names: tuple[str, ...]
    transform: Transform = Transform.VALUE
    over_min: float = 0.0
    above: float = 0.0
    hold_min: float = 30.0
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain of cause and effect, graded by itself; several routes may share it."""

    id: str
    claim: Words
    grade: Grade
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One way from the cause to the heat.

    Attributes
    ----------
    grade : Grade
        That of the weakest of its links.
    sources : tuple of str
        Those of all its links, each once.
    """

    pathway: Pathway
    claim: Words
    grade: Grade
    sources: tuple[str, ...]
    id: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One claimed cause.

    Attributes
    ----------
    kind : {"level", "dose"}
        Whether its exposure is a level over time or a list of doses.
    signals : tuple of Signal
        Ways to compute it, best first; the first that the timeline can feed is used.
    lag_min : (float, float)
        Plausible range of the mean lag [min].
    avoidable : bool
        False where "you can stop avoiding this" must never be said (medicine, alcohol, fever, a doctor's advice).
    red_flags : tuple of str
        Ids of the warning signs to ask about where this cause is suspected.
    companions : tuple of str
        Ids of the complaints that often go with it.
    experiment : tuple of {"avoid", "seek"}
        What a person may be asked to do on days dealt by lot, to find out: to leave it out, or to have more of it.
        Empty for what cannot be changed at will (weather, feelings) or must not be (medicine).
    """

    id: str
    name: Words
    claim: Words
    family: Family
    kind: str
    signals: tuple[Signal, ...]
    lag_min: tuple[float, float]
    routes: tuple[Route, ...]
    in_article: bool
    avoidable: bool = True
    red_flags: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    experiment: tuple[str, ...] = ()

    @property
    def exposure_kinds(self) -> tuple[str, ...]:
        """What of ``exposures.csv`` it is read from."""
        return tuple(name for one in self.signals if one.reading is Reading.EXPOSURE for name in one.names)

    @property
    def grade(self) -> Grade:
        """The grade of the best proven route."""
        return min(route.grade for route in self.routes)

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources behind its routes, each once, in order."""
        return tuple(dict.fromkeys(source for route in self.routes for source in route.sources))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measured value that raises a red flag by itself: any one of `quantities` reaching `at_least`."""

    quantities: tuple[str, ...]
    at_least: float


@dataclass(frozen=True, slots=True)
class Helpline:
    """Somebody to call who is neither an ambulance nor a doctor; `number` as it is dialled."""

    number: str
    name: Words


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A sign that a doctor comes first.

    It is raised by a measured `threshold`, or by an exposure logged with `kind` equal to the flag's id.

    Attributes
    ----------
    tell : Words or None
        What a person who answered yes may say on the phone or to a doctor; the question serves where there is none.
    helpline : Helpline or None
        Whom to call for this sign.
    """

    id: str
    urgency: Urgency
    question: Words
    say: Words
    thinks_of: Words
    sources: tuple[str, ...]
    threshold: Threshold | None = None
    tell: Words | None = None
    helpline: Helpline | None = None


@dataclass(frozen=True, slots=True)
class TreatmentClaim:
    """What the article says of a treatment; `kinds` are the values of `kind` in treatments.csv it speaks of.

    As with a route, the grade is that of the weakest link between the treatment and relief of this very symptom.
    """

    id: str
    kinds: tuple[str, ...]
    name: Words
    claim: Words
    grade: Grade
    sources: tuple[str, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the article in one language: heading, Markdown text, the claims it is tied to.

    `claims` holds ids of causes, treatments and red flags. `id` is the same in both languages.
    """

    id: str
    heading: str
    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """An article's claims, checked.

    Attributes
    ----------
    companions : dict of str to Words
        Complaints that often go with the symptom.
    article : dict of str to tuple of Section
        The text in "ja" and "en", sections in order.
    exposures : dict of str to ExposureKind
        Kinds of exposure that this article adds to those of `unaji.quantities`.
    """

    id: str
    title: Words
    symptom: Words
    causes: tuple[Cause, ...]
    treatments: tuple[TreatmentClaim, ...]
    red_flags: tuple[RedFlag, ...]
    companions: dict[str, Words]
    sources: dict[str, Source]
    article: dict[str, tuple[Section, ...]]
    exposures: dict[str, ExposureKind] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[Cause | TreatmentClaim | RedFlag, ...]:
        """All that has an id, sources and a place in the article: causes, then treatments, then red flags."""
        return (*self.causes, *self.treatments, *self.red_flags)

    def cause(self, cause_id: str) -> Cause:
        """Return a cause by its id; KeyError when the article does not know it."""
        for cause in self.causes:
            if cause.id == cause_id:
                return cause
        raise KeyError(cause_id)

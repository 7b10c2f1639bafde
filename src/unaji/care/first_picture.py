"""Before anything is measured: which of the article's causes may be behind it, and what to log first to find out?

Nothing here is a finding. A cause is *plausible* where the person says that it is often or sometimes there and that the
heat follows within the time the claims give; it is *not reported* where they say it is not; and what they cannot know
(a device's signal), do not know, or tell with another lag *cannot be told* from what was said.

What to log first is a question of cover: each thing that can be logged feeds some causes, and the one that opens most
of what is still closed comes first, then the next on top of it (the greedy rule for weighted cover).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from unaji.causes.observed import BODY_TEMPERATURES
from unaji.claims.model import Cause, Claims, Grade, Reading, Signal
from unaji.claims.questionnaire import SOON_MIN, SPEAKS_FOR, CauseAnswer, IntakeAnswers, Often, Soon, asked_causes

WEATHER = frozenset(
    {
        "air_temp_c", "rel_humidity_pct", "dew_point_c", "station_pressure_hpa", "sea_level_pressure_hpa", "wind_m_s",
        "solar_w_m2", "precip_mm", "sunshine_min",
    }
)  # fmt: skip
"""Quantities that come together with the weather of a place."""
NEXT_BEST = 0.8
"""What a signal is worth against the one before it in the claims, which name the best first."""


class Standing(StrEnum):
    """What can be said of a cause from the answers alone."""

    PLAUSIBLE = "plausible"
    CANNOT_TELL = "cannot_tell"
    NOT_REPORTED = "not_reported"


class Reason(StrEnum):
    """Why a cause stands where it stands."""

    OFTEN = "often"
    SOMETIMES = "sometimes"
    CIRCUMSTANCE = "circumstance"  # a new medicine, a change of midlife
    OTHER_TIME = "other_time"  # it is there, but not at the time the claims give
    NOT_KNOWN = "not_known"  # the person does not know, or left it open
    DEVICE_ONLY = "device_only"  # nobody can know without a device
    NOT_NOTICED = "not_noticed"


STANDING = {
    Reason.OFTEN: Standing.PLAUSIBLE,
    Reason.SOMETIMES: Standing.PLAUSIBLE,
    Reason.CIRCUMSTANCE: Standing.PLAUSIBLE,
    Reason.OTHER_TIME: Standing.CANNOT_TELL,
    Reason.NOT_KNOWN: Standing.CANNOT_TELL,
    Reason.DEVICE_ONLY: Standing.CANNOT_TELL,
    Reason.NOT_NOTICED: Standing.NOT_REPORTED,
}
OPEN = {
    Reason.OFTEN: 1.0,
    Reason.CIRCUMSTANCE: 0.9,
    Reason.SOMETIMES: 0.8,
    Reason.OTHER_TIME: 0.6,
    Reason.NOT_KNOWN: 0.5,
    Reason.DEVICE_ONLY: 0.5,
    Reason.NOT_NOTICED: 0.2,
}
"""How much it is worth to look into a cause, 0 to 1: an order of work, and no probability. What was not noticed counts
a little, for people do not notice everything."""
KNOWN = {Grade.A: 1.0, Grade.B: 0.9, Grade.C: 0.8, Grade.D: 0.7}
"""What is better known of people in general is looked into, or excluded, a little earlier."""


class Means(StrEnum):
    """How something gets on record."""

    RATING = "rating"  # a feeling, 0 to 10
    EXPOSURE = "exposure"  # done, taken or met
    WEATHER = "weather"
    THERMOMETER = "thermometer"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What a person has on record already, by the names of each vocabulary."""

    names: Mapping[Reading, frozenset[str]] = field(default_factory=dict)

    def feeds(self, signal: Signal) -> bool:
        """Say whether a signal can be computed from it."""
        return not self.names.get(signal.reading, frozenset()).isdisjoint(signal.names)


@dataclass(frozen=True, slots=True)
class CausePicture:
    """One cause before anything is measured.

    Attributes
    ----------
    companions : tuple of str
        Complaints the person named that the claims say go with this cause.
    fed_by : Signal or None
        The best of its signals that is on record already.
    """

    cause: Cause
    reason: Reason
    companions: tuple[str, ...]
    fed_by: Signal | None

    @property
    def standing(self) -> Standing:
        """What can be said of it."""
        return STANDING[self.reason]

    @property
    def weight(self) -> float:
        """How much it is worth to look into it."""
        return OPEN[self.reason] * KNOWN[self.cause.grade]


@dataclass(frozen=True, slots=True)
class LogStep:
    """One thing to log, and the causes that can be looked into with it, the most open first."""

    means: Means
    names: tuple[str, ...]
    feeds: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class FirstPicture:
    """All causes of the article, the most open first, and what to log, that which opens most first."""

    causes: tuple[CausePicture, ...]
    steps: tuple[LogStep, ...]

    def standing(self, which: Standing) -> tuple[CausePicture, ...]:
        """Return the causes of one standing."""
        return tuple(one for one in self.causes if one.standing is which)


def first_picture(claims: Claims, answers: IntakeAnswers, there: OnRecord) -> FirstPicture:
    """Draw the first picture from what was answered and what is on record.

    Parameters
    ----------
    there : OnRecord
        What need not be logged anew; it says nothing about the causes, only that they can be looked into.
    """
    asked = {cause.id for cause in asked_causes(claims)}
    pictures = [_picture(cause, answers, there, cause.id in asked) for cause in claims.causes]
    ordered = tuple(sorted(pictures, key=lambda one: (list(Standing).index(one.standing), -one.weight)))
    return FirstPicture(ordered, _steps(ordered))


def time_fits(cause: Cause, soon: Soon) -> bool | None:
    """Say whether the heat follows when the claims say it would; None where the person does not know."""
    if soon is Soon.UNKNOWN:
        return None
    first, last = SOON_MIN[soon]
    return first < cause.lag_min[1] and last > cause.lag_min[0]


def _picture(cause: Cause, answers: IntakeAnswers, there: OnRecord, asked: bool) -> CausePicture:
    return CausePicture(
        cause=cause,
        reason=_reason(cause, answers, asked),
        companions=tuple(one for one in cause.companions if one in answers.companions),
        fed_by=next((one for one in cause.signals if there.feeds(one)), None),
    )


def _reason(cause: Cause, answers: IntakeAnswers, asked: bool) -> Reason:
    said = answers.causes.get(cause.id, CauseAnswer())
    if said.often in (Often.OFTEN, Often.SOMETIMES):
        if time_fits(cause, said.soon) is False:
            return Reason.OTHER_TIME
        return Reason(said.often)
    if any(SPEAKS_FOR.get(kind, "-") == answers.background.get(kind) for kind in cause.exposure_kinds):
        return Reason.CIRCUMSTANCE
    if said.often is Often.NO:
        return Reason.NOT_NOTICED
    return Reason.NOT_KNOWN if asked else Reason.DEVICE_ONLY


def _steps(pictures: tuple[CausePicture, ...]) -> tuple[LogStep, ...]:
    """Choose, again and again, what adds most to what is chosen and on record already."""
    fed = {one.cause.id: 0.0 if one.fed_by is None else _worth(one.cause, one.fed_by) for one in pictures}
    offered = _offered(pictures)
    steps: list[LogStep] = []
    while offered:
        gains = {key: _gains(pictures, key, fed) for key in offered}
        best = max(offered, key=lambda key: sum(gains[key].values()))  # the first of equals: the most open cause's
        if not gains[best]:
            break
        feeds = tuple(one.cause for one in pictures if one.cause.id in gains[best])
        steps.append(LogStep(best[0], offered[best], feeds))
        for one in feeds:
            fed[one.id] = max(fed[one.id], *(_worth(one, s) for s in one.signals if _key(s) == best))
        del offered[best]
    return tuple(steps)


_Key = tuple[Means, tuple[str, ...]]


def _offered(pictures: tuple[CausePicture, ...]) -> dict[_Key, tuple[str, ...]]:
    """Return all that can be logged: by what gets it on record together, with all its names."""
    found: dict[_Key, tuple[str, ...]] = {}
    for one in pictures:
        for signal in one.cause.signals:
            key = _key(signal)
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *signal.names)))
    return found


def _gains(pictures: tuple[CausePicture, ...], key: _Key, fed: Mapping[str, float]) -> dict[str, float]:
    gains: dict[str, float] = {}
    for one in pictures:
        more = max((_worth(one.cause, s) for s in one.cause.signals if _key(s) == key), default=0.0) - fed[one.cause.id]
        if more > 0:
            gains[one.cause.id] = one.weight * more
    return gains


def _worth(cause: Cause, signal: Signal) -> float:
    return NEXT_BEST ** cause.signals.index(signal)


def _key(signal: Signal) -> _Key:
    means = _means(signal)
    return means, () if means is Means.WEATHER else signal.names


def _means(signal: Signal) -> Means:
    if signal.reading is Reading.RATING:
        return Means.RATING
    if signal.reading is Reading.EXPOSURE:
        return Means.EXPOSURE
    if WEATHER.issuperset(signal.names):
        return Means.WEATHER
    return Means.THERMOMETER if set(signal.names) <= set(BODY_TEMPERATURES) else Means.DEVICE

"""Is a doctor needed first? Red flags and fever, before anything else is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from unaji.causes.observed import BODY_TEMPERATURES, FEVER_C
from unaji.claims.model import RedFlag, Urgency
from unaji.findings import Findings, RaisedFlag
from unaji.quantities import QUANTITIES
from unaji.records.timeline import Timeline
from unaji.report.words import Catalogue, plain

ACTIVE_FOR = timedelta(days=7)
"""A measured sign stays in front of everything for a week before the record's end; one logged by hand always does,
since a record cannot tell that a doctor has seen the person meanwhile."""
URGENCIES = (Urgency.EMERGENCY, Urgency.TODAY, Urgency.DAYS)
NOW = (Urgency.EMERGENCY, Urgency.TODAY)


@dataclass(frozen=True, slots=True)
class Sign:
    """One raised red flag, in words."""

    id: str
    urgency: Urgency
    active: bool
    name: str
    say: str
    when: str
    value: str
    thinks_of: str

    @property
    def now(self) -> bool:
        """Whether it has to be acted on now."""
        return self.active and self.urgency in NOW


@dataclass(frozen=True, slots=True)
class Question:
    """Warning signs of one urgency, for the box that stands on every report."""

    urgency: Urgency
    level: str
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Safety:
    """Section 1.

    Attributes
    ----------
    urgency : Urgency or None
        That of the most urgent active sign; None when no sign is active.
    """

    heading: str
    urgency: Urgency | None
    signs: tuple[Sign, ...]
    fever_row: str
    signs_row: str
    fever_days: str
    box: tuple[Question, ...]

    @property
    def active(self) -> bool:
        """Whether section 1 fills the first screen."""
        return self.urgency is not None

    @property
    def now(self) -> bool:
        """Whether it has to be acted on now: an ambulance or a doctor today."""
        return self.urgency in NOW


def safety(findings: Findings, words: Catalogue) -> Safety:
    """Tell whether a doctor comes first."""
    signs = tuple(
        sorted(
            (_sign(raised, findings, words) for raised in findings.red_flags),
            key=lambda sign: (not sign.active, URGENCIES.index(sign.urgency), sign.id),
        )
    )
    urgency = signs[0].urgency if signs and signs[0].active else None
    return Safety(
        heading=_heading(findings, signs, words),
        urgency=urgency,
        signs=signs,
        fever_row=_fever_row(findings.timeline, words),
        signs_row=words("flag.signs_counted", n=len(findings.red_flags)),
        fever_days=_fever_days(findings, words),
        box=_box(findings.claims.red_flags, words),
    )


def temperature(value_c: float) -> str:
    """Write a temperature to 0.1 ℃."""
    return f"{plain(value_c)}℃"


def _sign(raised: RaisedFlag, findings: Findings, words: Catalogue) -> Sign:
    flag = raised.flag
    return Sign(
        id=flag.id,
        urgency=flag.urgency,
        active=is_active(raised, findings),
        name=_name(raised, words),
        say=flag.say.in_(words.language),
        when=_when(raised, findings, words),
        value=words("flag.value", value=_value(raised)) if raised.value is not None else "",
        thinks_of=words("flag.thinks_of", text=flag.thinks_of.in_(words.language)),
    )


def _name(raised: RaisedFlag, words: Catalogue) -> str:
    """What was measured, as a statement; else the question as it was asked."""
    if raised.value is None or raised.flag.threshold is None:
        return raised.flag.question.in_(words.language)
    quantity = QUANTITIES[raised.flag.threshold.quantities[-1]]
    limit = raised.flag.threshold.at_least
    said = temperature(limit) if quantity.unit == "°C" else f"{limit:g} {quantity.unit}"
    return words("flag.measured", name=quantity.ja if words.language == "ja" else quantity.en, limit=said)


def is_active(raised: RaisedFlag, findings: Findings) -> bool:
    """Whether a sign still stands in front of everything; see `ACTIVE_FOR`."""
    if raised.value is None or not raised.times:
        return True
    return raised.times[-1] >= findings.observed.period.end - ACTIVE_FOR


def _when(raised: RaisedFlag, findings: Findings, words: Catalogue) -> str:
    if not raised.times:
        return ""
    moment = words.moment(findings.timeline.zones.local(raised.times[-1]))
    if len(raised.times) == 1:
        return words("flag.when", moment=moment)
    return words("flag.when_many", moment=moment, n=len(raised.times))


def _value(raised: RaisedFlag) -> str:
    assert raised.value is not None
    quantity = raised.flag.threshold.quantities[0] if raised.flag.threshold else ""
    unit = QUANTITIES[quantity].unit if quantity in QUANTITIES else ""
    return temperature(raised.value) if unit == "°C" else f"{raised.value:g} {unit}".strip()


def _heading(findings: Findings, signs: tuple[Sign, ...], words: Catalogue) -> str:
    if not signs:
        return words("flag.none")
    if signs[0].active:
        return words(f"flag.{signs[0].urgency}")
    last = max(time for raised in findings.red_flags for time in raised.times)
    return words("flag.past", day=words.day(findings.timeline.zones.local(last)))


def _fever_row(timeline: Timeline, words: Catalogue) -> str:
    measured, fever = fever_day_counts(timeline)
    if not measured:
        return words("flag.fever_not_measured")
    return words("flag.fever_counted", measured=words.count("days", measured), fever=fever)


def fever_day_counts(timeline: Timeline) -> tuple[int, int]:
    """Count the local days with a reading of body temperature, and those with one of 38.0 °C or more."""
    measured: set[int] = set()
    fever: set[int] = set()
    for series in timeline.series:
        if series.quantity in BODY_TEMPERATURES and len(series):
            local = series.time + timeline.zones.offset_min(series.time) * np.timedelta64(1, "m")
            days = local.astype("datetime64[D]").astype(np.int64)
            measured |= set(days.tolist())
            fever |= set(days[series.value >= FEVER_C].tolist())
    return len(measured), len(fever)


def _fever_days(findings: Findings, words: Catalogue) -> str:
    hot = [one.episode.start for one in findings.episodes if one.fever]
    if not hot:
        return ""
    days = list(dict.fromkeys(words.day(findings.timeline.zones.local(start)) for start in hot))
    return words("flag.fever_days", episodes=words.count("episodes", len(hot)), days=words.join(days))


def _box(flags: tuple[RedFlag, ...], words: Catalogue) -> tuple[Question, ...]:
    return tuple(
        Question(
            urgency,
            words(f"flag.level.{urgency}"),
            tuple(flag.question.in_(words.language) for flag in flags if flag.urgency is urgency),
        )
        for urgency in URGENCIES
        if any(flag.urgency is urgency for flag in flags)
    )

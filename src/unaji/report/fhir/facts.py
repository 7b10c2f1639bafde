"""What is known of the person as facts: who, the episodes, ratings, questionnaires and sessions as they were logged."""

from __future__ import annotations

from datetime import datetime

from unaji.claims.model import Words
from unaji.findings import Findings
from unaji.quantities import RATINGS
from unaji.records.clock import iso_local
from unaji.records.timeline import Episode, Outcome, Person, Rating, Treatment, Zones
from unaji.report.fhir.parts import (
    ABSENT_REASON,
    ACT_REASON,
    OBSERVATION_CATEGORY,
    OURS,
    Json,
    coding,
    concept,
    exact,
    known,
    notes,
    text,
)
from unaji.report.fhir.vocabulary import KINDS

SCORE = "{score}"
"""UCUM's annotation for points of a scale: a pure number."""
GENDERS = ("male", "female", "other", "unknown")
"""All that FHIR's administrative gender can say; another word for the sex is not turned into one of these."""
TEST_DATA = {"system": ACT_REASON, "code": "HTEST", "display": "test health data"}


def simulated(person: Person) -> Json | None:
    """Return the mark of invented data; None for a real person."""
    return {"security": [TEST_DATA]} if person.simulated else None


def patient(person: Person) -> Json:
    """Return the person: id, year of birth and sex, nothing by which they could be addressed."""
    return known(
        resourceType="Patient",
        meta=simulated(person),
        identifier=[known(system=f"{OURS}person", value=text(person.id))],
        gender=person.sex if person.sex in GENDERS else None,
        birthDate=None if person.birth_year is None else f"{person.birth_year:04d}",
    )


def category(kind: str) -> list[Json]:
    """Return the two categories of what a person reported."""
    survey = {"coding": [{"system": OBSERVATION_CATEGORY, "code": "survey", "display": "Survey"}]}
    return [survey, concept("kind", kind, KINDS[kind])]


def when(episode: Episode, zones: Zones) -> Json:
    """Return when an episode was: a day where only the date is known, a period where its end is.

    R4 leaves it open what an end means whose beginning is a mere date; here the end is an instant as always.
    """
    start = zones.local(episode.start).date().isoformat() if episode.whole_day else iso_local(episode.start, zones)
    if episode.end is None:
        return {"effectiveDateTime": start}
    return {"effectivePeriod": {"start": start, "end": iso_local(episode.end, zones)}}


def episode(one: Episode, findings: Findings, subject: Json) -> Json:
    """Return one episode as it was logged; the value is its intensity, 0 to 10."""
    value: Json = {"valueQuantity": exact(one.intensity, "/10", SCORE)} if one.intensity is not None else {}
    missing = {"coding": [{"system": ABSENT_REASON, "code": "unknown", "display": "Unknown"}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": category("episode"),
        "code": concept("symptom", findings.claims.id, findings.claims.symptom),
        "subject": subject,
        **when(one, findings.timeline.zones),
        "performer": [subject],
        **(value or {"dataAbsentReason": missing}),
        **known(note=notes(one.note)),
    }


def rating(one: Rating, zones: Zones, subject: Json) -> Json:
    """Return one feeling as it was rated, 0 to 10."""
    scale = RATINGS[one.quantity]
    return _score("rating", concept("rating", one.quantity, Words(scale.ja, scale.en)), one, zones, subject)


def outcome(one: Outcome, zones: Zones, subject: Json) -> Json:
    """Return one score of a questionnaire."""
    return _score("outcome", named("outcome", one.instrument, None), one, zones, subject)


def _score(kind: str, code: Json, one: Rating | Outcome, zones: Zones, subject: Json) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": category(kind),
        "code": code,
        "subject": subject,
        "effectiveDateTime": iso_local(one.time, zones),
        "performer": [subject],
        "valueQuantity": exact(one.value, "points" if kind == "outcome" else "/10", SCORE),
    }


def session(one: Treatment, findings: Findings, subject: Json) -> Json:
    """Return one treatment session with its points.

    There is no Encounter: of where and by whom it was given the records say nothing.
    """
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": treatment(one.kind, findings),
        "subject": subject,
        "performedDateTime": iso_local(one.time, findings.timeline.zones),
        **known(bodySite=[{"text": text(point)} for point in one.points], note=notes(one.note)),
    }


def treatment(kind: str, findings: Findings) -> Json:
    """Return a kind of treatment, with its name where the article has one."""
    claim = next((claim for claim in findings.claims.treatments if kind in claim.kinds), None)
    return named("treatment", kind, claim.name if claim else None)


def named(system: str, word: str, words: Words | None) -> Json:
    """Return a word the person may have chosen: as a code where it is one, else as text alone."""
    is_code = word == " ".join(word.split()) and text(word) == word
    said = text(word)
    if not is_code:
        return {"text": said}
    return concept(system, word, words) if words else {"coding": [coding(system, word)], "text": said}


def period(start: datetime, end: datetime) -> Json:
    """Return a stretch of time given on the person's clock."""
    return {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}

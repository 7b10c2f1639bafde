"""What was computed from the facts: every resource says that it was, by what, and from which records.

A factor is an Observation and no RiskAssessment: that one speaks of what may happen, and its probability may be read as
a fraction or as a percentage. What may be behind the past is neither a forecast nor a diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

from unaji.care.outcomes import ItemCourse
from unaji.care.treatment import TreatmentEffect
from unaji.causes.attribution import Estimate, SignalState
from unaji.claims.model import Words
from unaji.findings import Findings, RaisedFlag
from unaji.quantities import RATINGS
from unaji.records.clock import iso_local
from unaji.report.fhir.facts import SCORE, period, treatment, when
from unaji.report.fhir.parts import (
    LOINC,
    Json,
    both,
    coding,
    component,
    concept,
    estimated,
    joined,
    known,
    notes,
    quantity,
    said,
    text,
)
from unaji.report.fhir.vocabulary import COMPUTED, KINDS, PARTS
from unaji.report.story.factors import Either, Factor
from unaji.report.story.period import bounds
from unaji.report.story.safety import is_active
from unaji.report.story.warmth import Warmth, warmth_of
from unaji.report.told import EN, JA, Told, assessed, in_both

MEASURED_UNITS = {"_k": ("K", "K"), "_c": ("°C", "Cel")}
"""Units of what is measured near an episode, by the end of its name, in words and in UCUM."""
BODY_TEMPERATURE = {"system": LOINC, "code": "8310-5", "display": "Body temperature"}


@dataclass(frozen=True, slots=True)
class Basis:
    """What every computed Observation refers to.

    Attributes
    ----------
    subject, device : dict
        References to the person and the software.
    time : dict
        The time it speaks of, as ``effectivePeriod`` or ``effectiveDateTime``.
    derived_from : dict or None
        Reference to the facts it rests on; None for the record, which holds them all.
    """

    subject: Json
    device: Json
    time: Json
    derived_from: Json | None = None


def software(findings: Findings) -> Json:
    """Return what did the computing."""
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "unaji", "type": "model-name"}],
        "type": {"text": "software"},
        "version": [{"value": findings.unaji}],
        "note": notes(both(Words(JA("not_a_diagnosis"), EN("not_a_diagnosis")))),
    }


def record(told: Told, subject: Json, device: Json, members: list[Json]) -> Json:
    """Return the period on record with all facts in it: what everything computed is derived from."""
    start, end = bounds(told.findings)
    enough = told.findings.enough
    parts = [
        *component(part("episodes"), valueInteger=len(told.findings.episodes)),
        *component(part("observed_days"), valueInteger=told.ja.period.observed_days),
        *component(part("weeks"), valueQuantity=quantity(enough.weeks, "wk")),
        *component(
            part("enough"),
            valueCodeableConcept=said("enough", enough.verdict, told.both(lambda story: story.enough)),
        ),
    ]
    return _observation(
        "record",
        {"text": both(KINDS["record"])},
        Basis(subject, device, {"effectivePeriod": period(start, end)}),
        component=parts,
        hasMember=members,
    )


def answer(told: Told, basis: Basis) -> Json:
    """Return what the records say in one sentence, with its certainty, and what stays without an explanation."""
    attribution = told.findings.attribution
    sentence = Words(told.ja.answer.full(JA), told.en.answer.full(EN))
    counts = told.ja.warmths.counts
    return _observation(
        "answer",
        {"text": both(KINDS["answer"])},
        basis,
        valueString=text(both(sentence)),
        note=notes(
            *(both(Words(*pair)) for pair in told.each(lambda story: story.method.remarks)),
            both(Words(JA("not_a_diagnosis"), EN("not_a_diagnosis"))),
        ),
        component=joined(
            (
                estimated(part("background"), attribution.background),
                estimated(part("echo"), attribution.echo),
                *(component(_warmth(one), valueInteger=counts[one]) for one in Warmth),
                component(part("seed"), valueString=str(told.findings.seed)),
            )
        ),
    )


def assessment(i: int, told: Told, subject: Json, device: Json, logged: Json) -> Json:
    """Return what was computed for one episode: its sources, the way the heat came about, what was measured near it."""
    one = told.findings.episodes[i]
    ja, en = told.cards[i]
    return _observation(
        "assessment",
        concept("symptom", told.findings.claims.id, told.findings.claims.symptom),
        Basis(subject, device, when(one.episode, told.findings.timeline.zones), logged),
        valueCodeableConcept=said("assessed", assessed(one), Words(ja.verdict, en.verdict)),
        component=joined(
            (
                component(part("fever"), valueBoolean=one.fever),
                component(part("warmth"), valueCodeableConcept=_warmth(warmth_of(one))),
                *(
                    component(concept("pathway", way, in_both(f"pathway.{way}")), valueQuantity=quantity(p))
                    for way, p in one.pathway.items()
                ),
                *(component(_source(source, told), valueQuantity=quantity(p)) for source, p in one.p.items()),
                *(component(part("named"), valueCodeableConcept=_source(source, told)) for source in one.named),
                component(part("p_mcse"), valueQuantity=quantity(one.p_mcse)),
                *(_measured(name, value) for name, value in one.measured.items()),
            )
        ),
    )


def factor(ja: Factor, en: Factor, basis: Basis) -> Json:
    """Return one factor with the verdict the report gives, its probability and intervals."""
    result, fitted = ja.result, ja.result.signal is SignalState.OK
    return _observation(
        "factor",
        concept("factor", ja.id, ja.cause.name),
        basis,
        valueCodeableConcept={
            **concept("verdict", ja.said, Words(ja.word, en.word)),
            "text": both(Words(ja.pill, en.pill)),
        },
        note=notes(*(both(Words(*pair)) for pair in zip(ja.notes, en.notes, strict=True))),
        component=joined(
            (
                component(part("p_cause"), valueQuantity=quantity(result.p_cause)),
                component(part("p_cause_mcse"), valueQuantity=quantity(result.p_cause_mcse)),
                estimated(part("share"), result.share if fitted else None),
                estimated(part("episodes_explained"), result.episodes_explained if fitted else None),
                estimated(part("rate_ratio"), result.rate_ratio),
                estimated(part("lag"), result.lag_h, "h"),
                component(part("shift_p"), valueQuantity=quantity(result.shift_p)),
                component(
                    part("grade"),
                    valueCodeableConcept=concept("grade", ja.grade.value, Words(ja.grade_text, en.grade_text)),
                ),
            )
        ),
    )


def pair(ja: Either, en: Either, basis: Basis, p_either: float) -> Json:
    """Return two factors that cannot be told apart, one of which is at work."""
    return _observation(
        "pair",
        {"text": text(both(Words(ja.heading, en.heading)))},
        basis,
        valueQuantity=quantity(p_either),
        note=notes(both(Words(ja.sentence, en.sentence))),
        component=joined(
            component(part("one_of"), valueCodeableConcept=concept("factor", one.id, one.cause.name))
            for one in (ja.a, ja.b)
        ),
    )


def effect(one: TreatmentEffect, i: int, told: Told, basis: Basis) -> Json:
    """Return what the sessions changed: the crude comparison beside the adjusted one, in the report's words."""
    sentences = [told.both(lambda story: story.treatment_heading)]
    if told.ja.courses:
        sentences = [
            Words(*pair) for pair in told.each(lambda story: (story.courses[i].heading, *story.courses[i].sentences))
        ]
    return _observation(
        "treatment_effect",
        treatment(one.kind, told.findings),
        basis,
        note=notes(*map(both, sentences)),
        component=joined(
            (
                estimated(part("adjusted_ratio"), one.ratio),
                component(part("p_better"), valueQuantity=quantity(one.p_better)),
                component(part("p_worse"), valueQuantity=quantity(one.p_worse)),
                component(part("before_after_ratio"), valueQuantity=quantity(one.before_after_ratio)),
                *(
                    component(part(name), valueInteger=getattr(one, name))
                    for name in ("episodes_before", "days_before", "episodes_after", "days_after", "sessions")
                ),
                component(part("after_worst_fortnight"), valueBoolean=one.after_worst_fortnight),
            )
        ),
    )


def course(one: ItemCourse, told: Told, basis: Basis) -> Json:
    """Return how a rating went before and after the sessions, and what of the change was to be expected anyway."""
    scale = RATINGS[one.item]
    return _observation(
        "rating_course",
        concept("rating", one.item, Words(scale.ja, scale.en)),
        basis,
        component=joined(
            (
                component(part("treatment"), valueCodeableConcept=treatment(one.kind, told.findings)),
                component(part("before"), valueQuantity=quantity(one.before, "/10", SCORE)),
                component(part("days_before"), valueInteger=one.days_before),
                component(part("after"), valueQuantity=quantity(one.after, "/10", SCORE)),
                component(part("days_after"), valueInteger=one.days_after),
                estimated(part("change"), Estimate(one.change, one.low, one.high), "/10", SCORE),
                component(part("expected_anyway"), valueQuantity=quantity(one.regression, "/10", SCORE)),
                component(part("responded"), valueBoolean=one.responded),
                component(part("after_worst_fortnight"), valueBoolean=one.after_worst_fortnight),
            )
        ),
    )


def flag(raised: RaisedFlag, told: Told, subject: Json, device: Json) -> Json:
    """Return a warning sign found in the records; one that no longer stands in front of everything has ended."""
    findings, zones = told.findings, told.findings.timeline.zones
    active = is_active(raised, findings)
    ja, en = (next(sign for sign in story.safety.signs if sign.id == raised.flag.id) for story in (told.ja, told.en))
    sentence = Words(*(" ".join(part for part in (sign.name, sign.value, sign.say) if part) for sign in (ja, en)))
    times = [iso_local(time, zones) for time in raised.times]
    return {
        "resourceType": "Flag",
        "status": "active" if active else "inactive",
        "category": [concept("urgency", raised.flag.urgency.value, in_both(f"flag.level.{raised.flag.urgency}"))],
        "code": {"coding": [coding("red-flag", raised.flag.id)], "text": text(both(sentence))},
        "subject": subject,
        **known(period=known(start=times[0], end=None if active else times[-1]) if times else None),
        "author": device,
    }


def part(name: str) -> Json:
    """Return the code of a component."""
    return concept("part", name, PARTS[name])


def _observation(kind: str, code: Json, basis: Basis, **fields: object) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept("kind", kind, KINDS[kind])],
        "code": code,
        "subject": basis.subject,
        **basis.time,
        "method": concept("method", "computed", COMPUTED),
        "device": basis.device,
        **known(derivedFrom=[basis.derived_from] if basis.derived_from else None, **fields),
    }


def _warmth(one: Warmth) -> Json:
    return concept("warmth", one.value, in_both(f"warm.dot.{one}"))


def _source(name: str, told: Told) -> Json:
    if name in ("background", "echo"):
        return concept("source", name, in_both(f"source.{name}"))
    return concept("source", name, told.findings.claims.cause(name).name)


def _measured(name: str, value: float) -> list[Json]:
    unit, ucum = next(units for ending, units in MEASURED_UNITS.items() if name.endswith(ending))
    others = (BODY_TEMPERATURE,) if name in ("core_temp_c", "body_temp_c") else ()
    return component(
        concept("measured", name, in_both(f"measured.{name}"), *others), valueQuantity=quantity(value, unit, ucum)
    )

"""The bundle: facts first, then what was computed from them; every reference resolves inside it.

It is written as plain JSON, so that it needs no FHIR library: those of Python bring their own data model, take a second
to import and know R4B, of which the resources used here are the same as R4's. The tests hold the bundle against such a
library; whoever receives it holds it against their own profiles anyway.
"""

from __future__ import annotations

from pathlib import Path

from unaji.findings import Findings
from unaji.report.fhir import computed, facts
from unaji.report.fhir.parts import Entries, Json, known
from unaji.report.json import write
from unaji.report.told import Told
from unaji.report.written import BUNDLE, put_bytes


def to_bundle(findings: Findings) -> Json:
    """Give the findings as a FHIR R4 Bundle of type collection.

    Episodes, ratings, questionnaires and sessions are there as they were logged, each once. What was computed refers to
    them, to the software and to its version, and says that it was not measured. Measured series are not in it:
    `unaji export` gives them.

    Parameters
    ----------
    findings : Findings
        Same findings, same bundle: no clock and no chance has a part in it.
    """
    timeline, zones = findings.timeline, findings.timeline.zones
    entries = Entries(timeline.person.id)
    subject = entries.add(facts.patient(timeline.person))
    device = entries.add(computed.software(findings))
    logged = [entries.add(facts.episode(one.episode, findings, subject)) for one in findings.episodes]
    scores = [entries.add(facts.rating(one, zones, subject)) for one in timeline.ratings]
    scores += [entries.add(facts.outcome(one, zones, subject)) for one in timeline.outcomes]
    for session in timeline.treatments:
        entries.add(facts.session(session, findings, subject))
    told = Told.of(findings)
    record = computed.record(told, subject, device, [*logged, *scores])
    basis = computed.Basis(subject, device, {"effectivePeriod": record["effectivePeriod"]}, entries.add(record))
    for resource in _summaries(told, basis):
        entries.add(resource)
    for i, one in enumerate(logged):
        entries.add(computed.assessment(i, told, subject, device, one))
    return {
        "resourceType": "Bundle",
        "id": entries.id_of([one["fullUrl"] for one in entries.entry]),
        **known(meta=facts.simulated(timeline.person)),
        "type": "collection",
        "entry": entries.entry,
    }


def _summaries(told: Told, basis: computed.Basis) -> list[Json]:
    """Warning signs first, as in every report; then the answer, the factors and what the sessions changed."""
    findings = told.findings
    pairs = zip(told.each(lambda story: story.candidates.either), findings.attribution.pairs, strict=True)
    return [
        *(computed.flag(one, told, basis.subject, basis.device) for one in findings.red_flags),
        computed.answer(told, basis),
        *(computed.factor(ja, en, basis) for ja, en in told.each(lambda story: story.candidates.factors)),
        *(computed.pair(ja, en, basis, pair.p_either) for (ja, en), pair in pairs),
        *(computed.effect(one, i, told, basis) for i, one in enumerate(findings.treatments)),
        *(computed.course(one, told, basis) for one in findings.outcomes),
    ]


def write_bundle(path: Path, findings: Findings) -> None:
    """Write the bundle, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    put_bytes(path, f"{write(to_bundle(findings))}\n".encode(), BUNDLE)

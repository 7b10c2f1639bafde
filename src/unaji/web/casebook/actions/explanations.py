"""Work out why: the library's answer to everything known of a person, kept sealed with the pages made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

import unaji
from unaji.claims.model import Claims
from unaji.errors import InputError
from unaji.explain import explain
from unaji.findings import Findings
from unaji.records.timeline import Timeline
from unaji.report.day import DayStrip, day_strip
from unaji.report.fhir.bundle import to_bundle
from unaji.report.html import to_html
from unaji.report.json import dumps, write
from unaji.report.pdf import to_pdf
from unaji.report.why import why
from unaji.web.casebook.audit import record
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.files import document, opened, put_document, remove_document
from unaji.web.casebook.jobs import CannotError, Progress, ask, does, hold
from unaji.web.casebook.models import Explanation, Job, Person, User
from unaji.web.casebook.models.results import JobKind
from unaji.web.casebook.timeline import read_timeline
from unaji.web.words import LANGUAGES

SEED = 0
SETTLE = timedelta(minutes=15)
"""How long after the last entry results are worked out anew, so that a row of entries asks for one answer."""
PAGES = tuple(f"{kind}.{language}" for language in LANGUAGES for kind in ("why.json", "report.html", "report.pdf"))
DAYS, DAYS_KEPT = "days.json", 60
FINDINGS, BUNDLE = "findings.json", "bundle.json"


def ask_why(person: Person, *, by: User | None) -> Job:
    """Ask for the answer to be worked out."""
    return ask(person, JobKind.EXPLAIN, by=by)


def is_stale(person: Person, latest: Explanation | None) -> bool:
    """Say whether something was added, or unaji changed, since the latest answer."""
    if latest is None:
        return True
    added = person.asked_anew_at is not None and person.asked_anew_at > latest.made_at
    return added or latest.library != unaji.__version__


def refresh_stale() -> int:
    """Ask for new answers where people have added something and then rested; return how many were asked for."""
    before = timezone.now() - SETTLE
    number = 0
    for person in Person.objects.filter(asked_anew_at__lt=before):
        latest = latest_of(person)
        if latest is None or person.asked_anew_at is None or person.asked_anew_at <= latest.made_at:
            continue
        asked = Job.objects.filter(person=person, kind=JobKind.EXPLAIN)
        # Once for what was added: an answer that failed, or that the person stopped, is not asked for again.
        if not asked.filter(made_at__gt=person.asked_anew_at).exists() and not asked.unfinished().exists():
            ask_why(person, by=None)
            number += 1
    return number


def latest_of(person: Person) -> Explanation | None:
    """Return the latest answer; None where there is none yet."""
    return Explanation.objects.filter(person=person).order_by("-made_at").first()


@does(JobKind.EXPLAIN)
def work_out(job: Job, progress: Progress) -> None:
    """Explain a person's episodes, and keep the answer."""
    person, began, claims = job.person, timezone.now(), claims_in_use()
    with opened(person.pk) as folder:
        timeline = read_timeline(person, folder)
        try:
            findings = explain(timeline, claims, seed=SEED, progress=lambda share: progress(0.9 * share))
        except InputError:
            raise CannotError("nothing_to_explain") from None
        inputs = fingerprint(timeline)
        pages = _pages(findings)
        keep_days(person, timeline)
    hold(job)
    explanation = Explanation(
        person=person, made_at=began, article=claims.id, claims_sha256=claims_fingerprint(claims),
        library=unaji.__version__, seed=SEED, inputs_sha256=inputs, verdict=findings.enough.verdict,
    )  # fmt: skip
    for name, content in pages:
        put_document(person.pk, f"{explanation.pk}/{name}", content)
    before = latest_of(person)
    with transaction.atomic():
        explanation.save(force_insert=True)
        record("create", explanation, by=None, person=person.pk)
    if before is not None:  # of former answers the findings are kept, from which their pages can be made again
        for name in PAGES:
            remove_document(person.pk, f"{before.pk}/{name}")


def keep_days(person: Person, timeline: Timeline) -> None:
    """Keep what was measured on the latest days, for the screen of one day; of older ones nothing is kept."""
    zones, today = timeline.zones, timeline.zones.local(timezone.now()).date()
    strips = {}
    for back in range(DAYS_KEPT):
        day = today - timedelta(days=back)
        start, end = (zones.to_utc(datetime.combine(one, time())) for one in (day, day + timedelta(days=1)))
        strips[day.isoformat()] = day_strip(timeline, start, end).as_json()
    put_document(person.pk, DAYS, json.dumps(strips).encode())


def strip_of(person: Person, day: date) -> DayStrip | None:
    """Return what was measured on a day, as of the latest answer; None for a day that is not kept."""
    content = document(person.pk, DAYS)
    told = None if content is None else json.loads(content).get(day.isoformat())
    return None if told is None else DayStrip(**told)


def page_of(explanation: Explanation, name: str) -> bytes | None:
    """Return one of an answer's pages."""
    return document(explanation.person_id, f"{explanation.pk}/{name}")


def _pages(findings: Findings) -> Iterator[tuple[str, bytes]]:
    yield FINDINGS, dumps(findings, "ja").encode()
    yield BUNDLE, f"{write(to_bundle(findings))}\n".encode()
    for language in LANGUAGES:
        yield f"why.json.{language}", json.dumps(why(findings, language).as_json(), ensure_ascii=False).encode()
        yield f"report.html.{language}", to_html(findings, language).encode()
        yield f"report.pdf.{language}", to_pdf(findings, language)


def fingerprint(timeline: Timeline) -> str:
    """Return a hash of everything an answer rests on: who, when, what; the same records, the same hash."""
    nameless = replace(timeline.person, id="")  # an export that is read elsewhere has another number
    whole = hashlib.sha256(repr((nameless, timeline.zones, timeline.episodes, timeline.ratings)).encode())
    whole.update(repr((timeline.exposures, timeline.treatments, timeline.outcomes, timeline.observed)).encode())
    for series in sorted(timeline.series, key=lambda one: (one.quantity, one.site, one.source)):
        whole.update(repr((series.quantity, series.site, series.source)).encode())
        whole.update(np.ascontiguousarray(series.time).tobytes() + np.ascontiguousarray(series.value).tobytes())
    if timeline.beats is not None:
        whole.update(timeline.beats.time.tobytes() + timeline.beats.rri_ms.tobytes() + timeline.beats.gap.tobytes())
    for wave in timeline.waves:
        whole.update(repr((wave.quantity, wave.site, wave.source, wave.first, wave.last)).encode())
    return whole.hexdigest()


def claims_fingerprint(claims: Claims) -> str:
    """Return a hash of an article's claims."""
    return hashlib.sha256(repr((claims.id, claims.causes, claims.treatments, claims.red_flags)).encode()).hexdigest()

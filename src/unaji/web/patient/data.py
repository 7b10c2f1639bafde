"""Bring data: drop a file, see what was understood, then save it; everything of it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from unaji.quantities import QUANTITIES
from unaji.records.reasons import say_importers, say_refusal, say_rule
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions import imports
from unaji.web.casebook.actions.consents import consented, give_consent, newest_texts
from unaji.web.casebook.actions.weather import SERIES_KIND, THANKS
from unaji.web.casebook.files import remove_upload
from unaji.web.casebook.jobs import cancel, retry
from unaji.web.casebook.models import ImportBatch, Job, Person, SeriesFile
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.imported import ImportState
from unaji.web.casebook.models.results import JobState
from unaji.web.casebook.uploads import RefusedError, SealingHandler, receiving
from unaji.web.patient.clock import say_period
from unaji.web.patient.views import screen
from unaji.web.patient.weather import weather_block
from unaji.web.words import in_its_language, spoken, words

MOST_SHOWN = 30
BACK = ("patient:data", "patient:why", "patient:mine", "patient:about", "patient:trials")
"""Screens that show a job, to which its buttons lead back."""
REFUSED = {"too_large": 413, "too_much": 429, "busy": 503}


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of one quantity."""

    name: str
    n: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that were left out for one reason."""

    n: str
    rule: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One file, told."""

    pk: UUID
    name: str
    state: str
    importer: str
    period: str
    counts: tuple[Count, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]
    refused: str
    job: Job | None
    can_save: bool
    can_drop: bool


@person_page
@require_GET
def data(request: SignedIn, person: Person) -> HttpResponse:
    """Show what is there and what is on its way."""
    return _data(request, person)


def _data(request: HttpRequest, person: Person, problems: Sequence[str] = (), status: int = 200) -> HttpResponse:
    newest = ImportBatch.objects.filter(person=person).order_by("-made_at")[:MOST_SHOWN]
    series = [_listed(person, one) for one in SeriesFile.objects.filter(person=person).order_by("quantity", "kind")]
    return screen(
        request, "data.html", person, "more", status, series=series,
        batches=[_told(person, one) for one in newest], problems=problems,
        may=consented(person, Purpose.WEARABLE_IMPORT), weather=weather_block(person, "patient:data"),
        consent=newest_texts(spoken())[Purpose.WEARABLE_IMPORT].body,
        gb=_limit_gb(), thanks=THANKS if any(one["weather"] for one in series) else "",
    )  # fmt: skip


def _listed(person: Person, series: SeriesFile) -> dict[str, object]:
    return {
        "name": _name(series.quantity), "n": f"{series.rows:,}", "period": _period(person, series),
        "weather": series.kind == SERIES_KIND,
    }  # fmt: skip


@csrf_exempt  # what arrives has to be sealed from its first byte on: the check follows, in `_upload`, before it is used
@person_page
@require_POST
def upload(request: SignedIn, person: Person) -> HttpResponse:
    """Take files in."""
    if person.simulated:  # anybody may be signed in as the invented person
        return _said(request, person, ["data.example"], 422)
    try:
        with receiving(request, person) as handler:
            _ = request.POST  # reads the body, which lets the handler work
            response = csrf_protect(_upload)(request, person, handler)
            if response.status_code == 403:
                handler.abandon()
            return response
    except RefusedError as refused:
        return _said(request, person, [f"data.{refused.code}"], REFUSED[refused.code])
    except UnreadablePostError:  # the client went away, or sends too slowly to wait for it
        return _said(request, person, ["data.broken_off"], 408)


def _upload(request: HttpRequest, person: Person, handler: SealingHandler) -> HttpResponse:
    user = person.user
    said = []
    if request.POST.get("consent") == "yes":
        give_consent(person, Purpose.WEARABLE_IMPORT, language=spoken(), by=user)
    may = consented(person, Purpose.WEARABLE_IMPORT)
    while handler.arrived:
        one = handler.arrived.pop(0)  # from here on it is the batch's: a later one that fails leaves it alone
        if not may or not one.size:
            remove_upload(person.pk, str(one.number))
            said.append("data.needs_consent" if one.size else "data.empty")
            continue
        try:
            imports.bring(person, by=user, number=one.number, name=one.name, size_bytes=one.size, sha256=one.sha256)
            said.append("")
        except imports.KnownFileError:
            said.append("data.known")
        except imports.TooMuchError:
            said.append("data.too_much")
    if handler.refused:
        said.append(f"data.{handler.refused}")
    if not said:
        said.append("data.no_file")
    problems = [key for key in said if key]
    return _said(request, person, problems, 422 if problems else 200)


def _said(request: HttpRequest, person: Person, problems: list[str], status: int) -> HttpResponse:
    """Say what became of files that were sent, to a script or on the page."""
    told = [words()(key, **({"gb": _limit_gb()} if key == "data.too_large" else {})) for key in problems]
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"problems": told}, status=status)
    return _data(request, person, told, status) if told else redirect("patient:data")


@person_page
@require_POST
def save(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Store what was understood."""
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user), pk=pk)
    if batch.state == ImportState.UNDERSTOOD or (batch.state == ImportState.WANTED and imports.is_stuck(batch)):
        imports.want(batch, by=request.user)
    return redirect("patient:data")


@person_page
@require_POST
def drop(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Do without it, or take it back."""
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user), pk=pk)
    if batch.state in (ImportState.UPLOADED, ImportState.UNDERSTOOD, ImportState.STORED) or imports.is_stuck(batch):
        imports.drop(batch, by=request.user)
    return redirect("patient:data")


@person_page
@require_POST
def stop_job(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Stop what a worker does."""
    cancel(get_object_or_404(Job.objects.visible_to(request.user), pk=pk), by=request.user)
    return redirect(_back(request))


@person_page
@require_POST
def retry_job(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Try once more."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        retry(job, by=request.user)
    return redirect(_back(request))


@person_page
@require_GET
def job(request: SignedIn, person: Person, pk: UUID) -> JsonResponse:
    """Say how far a job is."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    return JsonResponse({"state": found.state, "share": round(found.share, 3)})


def _limit_gb() -> str:
    return f"{settings.UPLOAD_BYTES / (1 << 30):.3g}"


def _back(request: HttpRequest) -> str:
    back = request.POST.get("back", "")
    return back if back in BACK else "patient:data"


def _told(person: Person, batch: ImportBatch) -> Batch:
    say = words()
    told = json.loads(batch.told_text or "{}")
    stuck = imports.is_stuck(batch)
    newest = Job.objects.filter(person=person, subject=batch.pk).order_by("-made_at").first()
    refused = told.get("refused", "")
    rows = sorted(told.get("rows", {}).items(), key=lambda pair: -pair[1])
    return Batch(
        pk=batch.pk,
        name=batch.file_name,
        state=say("data.state.stuck" if stuck else f"data.state.{batch.state}"),
        importer=say_importers(batch.importer.split(", "), spoken()),
        period=_period(person, batch),
        counts=tuple(Count(_name(name), f"{n:,}") for name, n in rows),
        left_out=tuple(
            LeftOut(f"{one['count']:,}", in_its_language(say_rule(one["rule"], spoken())))
            for one in told.get("left_out", [])
        ),
        remarks=tuple(in_its_language(say_rule(one, spoken())) for one in dict.fromkeys(told.get("remarks", []))),
        refused=in_its_language(say_refusal(refused, spoken())) if batch.state == ImportState.REFUSED else "",
        job=None if newest is None or newest.state == JobState.DONE else newest,
        can_save=batch.state == ImportState.UNDERSTOOD or (stuck and batch.state == ImportState.WANTED),
        can_drop=batch.state in (ImportState.UPLOADED, ImportState.UNDERSTOOD, ImportState.STORED) or stuck,
    )


def _name(quantity: str) -> str:
    known = QUANTITIES.get(quantity)
    if known is not None:
        return known.ja if spoken() == "ja" else known.en
    say = words()
    for prefix in ("exposure", "rating", "data.kind"):
        if f"{prefix}.{quantity}" in say:
            return say(f"{prefix}.{quantity}")
    return quantity


def _period(person: Person, what: ImportBatch | SeriesFile) -> str:
    if what.first_at is None or what.last_at is None:
        return ""
    return say_period(person, what.first_at, what.last_at)

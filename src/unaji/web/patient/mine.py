"""My data: what I agreed to, who looked, everything in one file, erase."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from unaji.web.access import SignedIn, freshly_signed_in, person_page
from unaji.web.casebook.actions.consents import give_consent, newest_texts, withdraw_consent
from unaji.web.casebook.actions.exports import ask_export, erase_person, fetch_export
from unaji.web.casebook.lasting import HandedOver, take_place
from unaji.web.casebook.models import AuditEvent, Consent, ConsentText, ExportJob, Job, Person
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.results import JobKind, JobState
from unaji.web.patient.clock import clock_time, local, say_day_short
from unaji.web.patient.views import screen
from unaji.web.words import spoken, words

MOST_LINES = 100
ERASE_WORD = {"ja": "消す", "en": "erase"}


@person_page
@require_GET
def mine(request: SignedIn, person: Person) -> HttpResponse:
    """Show everything a person decides about."""
    return _mine(request, person)


def _mine(request: SignedIn, person: Person, problem: str = "", status: int = 422) -> HttpResponse:
    held = {one.purpose: one for one in Consent.objects.visible_to(request.user).in_force().select_related("text")}
    wish = ExportJob.objects.visible_to(request.user).order_by("-asked_at").first()
    job = Job.objects.filter(person=person, kind=JobKind.EXPORT).order_by("-made_at").first()
    return screen(
        request, "mine.html", person, "more", status if problem else 200, problem=problem,
        consents=[_agreed(text, held.get(purpose)) for purpose, text in newest_texts(spoken()).items()
                  if settings.WEATHER or purpose != Purpose.WEATHER or purpose in held],
        lines=[_line(person, one) for one in AuditEvent.objects.visible_to(request.user).order_by("-pk")[:MOST_LINES]],
        wish=wish, ready=wish is not None and wish.until is not None and wish.until > timezone.now(),
        until=wish and wish.until and say_day_short(local(person, wish.until).date()),
        job=job if job is not None and job.state in (JobState.WAITING, JobState.RUNNING, JobState.FAILED) else None,
        erase_word=ERASE_WORD[spoken()],
    )  # fmt: skip


def _agreed(text: ConsentText, held: Consent | None) -> dict[str, object]:
    changed = held is not None and held.text.version < text.version
    return {"text": text, "held": held, "needed": text.purpose == Purpose.CARE, "changed": changed}


def _line(person: Person, event: AuditEvent) -> str:
    say = words()
    when = f"{say_day_short(local(person, event.at).date())} {clock_time(person, event.at)}"

    def known(prefix: str, code: str) -> str:
        return say(f"audit.{prefix}.{code}") if f"audit.{prefix}.{code}" in say else code

    who, what = known("role", event.role), known("object", event.object_type)
    return say("audit.line", when=when, who=who, what=what, action=known("action", event.action))


@person_page
@freshly_signed_in
@require_POST
def change_consent(request: SignedIn, person: Person) -> HttpResponse:
    """Agree to a purpose, or withdraw."""
    purpose = request.POST.get("purpose", "")
    if purpose not in Purpose.values:
        raise Http404
    if request.POST.get("give") == "yes":
        give_consent(person, purpose, language=spoken(), by=request.user)
    else:
        held = Consent.objects.visible_to(request.user).in_force().filter(purpose=purpose).first()
        if purpose == Purpose.CARE:
            return _mine(request, person, words()("mine.care_is_erase"))
        if held is not None:
            withdraw_consent(held, by=request.user)
    return redirect("patient:mine")


@person_page
@freshly_signed_in
@require_POST
def export(request: SignedIn, person: Person) -> HttpResponse:
    """Ask for everything in one file."""
    ask_export(person, by=request.user)
    return redirect("patient:mine")


@person_page
@freshly_signed_in
@require_GET
def fetch(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Hand the file over, part by part; what breaks off before its length is no whole file to a browser either."""
    wish = get_object_or_404(ExportJob.objects.visible_to(request.user), pk=pk)
    place = take_place(person.pk)
    if place is None:
        return _mine(request, person, words()("mine.busy"), 503)
    try:
        content = fetch_export(wish, by=request.user)
        if content is None:
            raise Http404
    except BaseException:
        place.release()
        raise
    return StreamingHttpResponse(  # type: ignore[return-value]  # an answer like others, but for its content
        HandedOver(content, place),
        content_type="application/zip",
        headers={
            "Content-Disposition": 'attachment; filename="unaji.zip"',
            "Content-Length": str(content.size),
            "X-Accel-Buffering": "no",  # else nginx would write it to its own disk, in plain
        },
    )


@person_page
@freshly_signed_in
@require_POST
def erase(request: SignedIn, person: Person) -> HttpResponse:
    """Erase everything, when the person has written the word."""
    if request.POST.get("word", "").strip() not in ERASE_WORD.values():
        return _mine(request, person, words()("mine.erase_word_wrong", word=ERASE_WORD[spoken()]))
    if person.simulated:
        return _mine(request, person, words()("mine.example_stays"))
    receipt = erase_person(person, by=request.user)
    logout(request)
    return render(request, "patient/erased.html", {"receipt": receipt, "gone": receipt.receipt["gone"].items()})

"""The weather of one's days: what would be fetched and from whom, agreed to or not; fetch, stop, take out."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, Min
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions.consents import consented, newest_texts
from unaji.web.casebook.actions.weather import (
    KINDS,
    MOST_MONTHS,
    SERIES_KIND,
    ask_weather,
    place_of,
    remove_weather,
    stop_weather,
    was_taken_out,
)
from unaji.web.casebook.models import Consent, Job, Person, SeriesFile
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.results import JobKind, JobState
from unaji.web.patient.clock import say_period
from unaji.web.patient.places import place_name
from unaji.web.words import spoken

BACK = ("patient:data", "patient:about")


@dataclass(frozen=True, slots=True)
class Block:
    """What the block about the weather says.

    Attributes
    ----------
    agreed : bool
        Whether the person's agreement is in force, and to today's wording.
    changed : bool
        Whether they agreed to a former wording, so that it rests until they agree to today's.
    consent : str
        What they agreed to, or would agree to.
    place : str
        Name of their place; "" where they have said none.
    there : str
        From when to when there is weather; "" where there is none.
    off : bool
        Whether the weather was taken out, and so is not fetched by itself.
    job : Job or None
        What is being done, or what went wrong last.
    back : str
        To which page its buttons lead.
    """

    agreed: bool
    changed: bool
    consent: str
    place: str
    there: str
    off: bool
    job: Job | None
    back: str

    @property
    def months(self) -> int:
        """How many months come at a time."""
        return MOST_MONTHS

    @property
    def busy(self) -> bool:
        """Whether a worker is at it, so that there is nothing more to ask for."""
        return self.job is not None and self.job.state in (JobState.WAITING, JobState.RUNNING)

    @property
    def offers(self) -> bool:
        """Whether it can be asked for here: what went wrong has a button of its own to try it once more."""
        retried = self.job is not None and self.job.kind == JobKind.WEATHER and self.agreed
        return bool(self.place) and not self.busy and not retried


def weather_block(person: Person, back: str) -> Block | None:
    """Say what there is to say of the weather; None where it is not offered."""
    if not settings.WEATHER or person.simulated:
        return None
    in_force = Consent.objects.filter(person=person, purpose=Purpose.WEATHER).in_force()
    held = in_force.to_newest().select_related("text").first()
    text = held.text if held is not None else newest_texts(spoken())[Purpose.WEATHER]
    place, job = place_of(person), latest_job(person)
    return Block(
        agreed=held is not None,
        changed=held is None and in_force.exists(),
        consent=text.body,
        place="" if place is None else place_name(place),
        there=weather_there(person),
        off=was_taken_out(person),
        job=None if job is None or not _is_news(job, agreed=held is not None) else job,
        back=back,
    )


def _is_news(job: Job, *, agreed: bool) -> bool:
    """Say whether a job is still to be told of: not when it is done, nor when the person stopped it by withdrawing."""
    withdrawn = job.kind == JobKind.WEATHER and job.state == JobState.CANCELLED and not agreed
    return job.state != JobState.DONE and not withdrawn


def latest_job(person: Person) -> Job | None:
    """Return what was last to be done about the weather."""
    return Job.objects.filter(person=person, kind__in=KINDS).order_by("-made_at").first()


def weather_there(person: Person) -> str:
    """Say from when to when there is weather; "" where there is none."""
    there = SeriesFile.objects.filter(person=person, kind=SERIES_KIND).aggregate(Min("first_at"), Max("last_at"))
    if there["first_at__min"] is None:
        return ""
    return say_period(person, there["first_at__min"], there["last_at__max"])


@person_page
@require_POST
def fetch(request: SignedIn, person: Person) -> HttpResponse:
    """Ask for the weather, with the agreement where it is given here."""
    agrees = request.POST.get("consent") == "yes"
    if settings.WEATHER and not person.simulated and (agrees or consented(person, Purpose.WEATHER)):
        ask_weather(person, by=request.user, agree_in=spoken() if agrees else "")
    return redirect(_back(request))


@person_page
@require_POST
def stop(request: SignedIn, person: Person) -> HttpResponse:
    """Withdraw the agreement."""
    stop_weather(person, by=request.user)
    return redirect(_back(request))


@person_page
@require_POST
def remove(request: SignedIn, person: Person) -> HttpResponse:
    """Ask for the weather to be taken out."""
    if SeriesFile.objects.filter(person=person, kind=SERIES_KIND).exists():
        remove_weather(person, by=request.user)
    return redirect(_back(request))


def _back(request: SignedIn) -> str:
    back = request.POST.get("back", "")
    return back if back in BACK else BACK[0]

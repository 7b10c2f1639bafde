"""The person's screens: fetch what they may see, read the form, call one action, answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from unaji.errors import InputError
from unaji.report.day import Hot, draw_day
from unaji.web.access import SignedIn, anyone, person_page, signed_in
from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.consents import asked_anew, newest_texts
from unaji.web.casebook.actions.explanations import strip_of
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.actions.weather import THANKS, weather_between
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import ConsentText, Episode, Exposure, Person, Rating, SeriesFile, Treatment
from unaji.web.casebook.models.consent import GivenBy, Purpose
from unaji.web.casebook.models.diary import Entry
from unaji.web.patient import forms
from unaji.web.patient.adding import write_added
from unaji.web.patient.clock import clock_time, day_bounds, is_untold, local, local_today, say_day, say_day_short
from unaji.web.patient.forms import WrongError
from unaji.web.patient.signs import beginning_links, has_open_question, is_new
from unaji.web.patient.trial_told import today_line
from unaji.web.words import spoken, words

TABS = ("now", "today", "add", "why", "more")
AT_DESK = ("desk_work", "phone")
AGES = {"adult": GivenBy.SELF, "youth": GivenBy.BOTH, "child": GivenBy.GUARDIAN}
"""Who has to agree, by how old the person is: 18 and older, 15 to 17, younger."""
RUNNING_FOR = timedelta(hours=12)
"""How long an episode without an end is offered to be ended."""


def screen(
    request: HttpRequest, template: str, person: Person, tab: str, status: int = 200, **said: Any
) -> HttpResponse:
    """Answer with a screen that has the tabs."""
    said = {"person": person, "tabs": tabs_of(tab), **said}
    return render(request, f"patient/{template}", said, status=status)


def tabs_of(tab: str) -> list[dict[str, object]]:
    """Return the tabs, of which one is where the person is."""
    return [{"name": name, "to": reverse(f"patient:{name}"), "here": name == tab} for name in TABS]


# -- now ---------------------------------------------------------------------------------------------------------------


@person_page
@require_GET
def now(request: SignedIn, person: Person) -> HttpResponse:
    """One large button; who is new here is asked for warning signs before it."""
    if is_new(person):
        return redirect("patient:check")
    say, day = words(), local_today(person)
    first, last = day_bounds(person, day)
    episodes = Episode.objects.filter(person=person, start__gte=first, start__lt=last).kept()
    starts = list(episodes.order_by("start").values_list("start", flat=True))
    count = say.count("now.count", len(starts)) if starts else say("now.count_none")
    if starts:
        count = say("now.count_last", count=count, time=clock_time(person, starts[-1]))
    running = (
        Episode.objects.filter(person=person, end__isnull=True, start__gte=timezone.now() - RUNNING_FOR)
        .kept()
        .order_by("-start")
        .first()
    )
    return screen(
        request, "now.html", person, "now",
        today=say_day(day), count=count, client_id=uuid7(), nothing_id=uuid7(), running=running,
        running_since=running and clock_time(person, running.start), asks=has_open_question(person),
        changed=asked_anew(person), evening=is_untold(person, timezone.now()),
        trial=today_line(person),
    )  # fmt: skip


@person_page
@require_POST
def log(request: SignedIn, person: Person) -> HttpResponse:
    """Save the tap."""
    try:
        start = forms.read_moment(request.POST, "start", person, required=False)
        episode = diary.log_episode(person, by=request.user, client_id=forms.read_client_id(request.POST), start=start)
    except (WrongError, diary.NotPossibleError) as error:
        return _earlier(request, person, say_wrong(error))
    return redirect(f"{reverse('patient:episode', args=[episode.pk])}?fresh=1")


@person_page
@require_GET
def earlier(request: SignedIn, person: Person) -> HttpResponse:
    """Ask when it was hot, if it was before."""
    return _earlier(request, person)


def _earlier(request: SignedIn, person: Person, error: str = "") -> HttpResponse:
    at = local(person, timezone.now() - timedelta(minutes=30))
    return screen(
        request, "earlier.html", person, "now", 422 if error else 200,
        error=error, at=f"{at:%Y-%m-%dT%H:%M}", client_id=uuid7(),
    )  # fmt: skip


@person_page
@require_POST
def nothing(request: SignedIn, person: Person) -> HttpResponse:
    """Save that nothing happened today."""
    diary.log_nothing(person, by=request.user, client_id=forms.read_client_id(request.POST))
    return redirect("patient:today")


# -- one episode -------------------------------------------------------------------------------------------------------


@person_page
def episode(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Say more of an episode: nothing of it must be filled in."""
    found = get_object_or_404(Episode.objects.visible_to(request.user).kept(), pk=pk)
    ratings = {r.quantity: r for r in Rating.objects.filter(person=person, time=found.start).kept()}
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        then = request.POST.get("then", "save")
        try:
            said = forms.read_episode_detail(request.POST, request.POST.getlist("feeling"), ratings)
            more: dict[str, object] = {"place": said.place, "note": said.note}
            if said.intensity is not None:
                more["intensity"] = said.intensity
            if then == "ended" and found.end is None:
                more["end"] = timezone.now()
            if then == "unusual":
                more["unusual"] = True
            diary.detail_episode(found, by=request.user, ratings=said.ratings, **more)
        except (WrongError, diary.NotPossibleError) as error:
            errors = (say_wrong(error),)
        else:
            if then == "unusual":
                return redirect(f"{reverse('patient:check')}?why=unusual")
            return redirect("patient:now" if then == "going" else "patient:today")
    return screen(
        request, "episode.html", person, "now", 422 if errors else 200,
        episode=found, form=forms.episode_form(found, ratings, errors), time=clock_time(person, found.start),
        day=say_day_short(local(person, found.start).date()), fresh="fresh" in request.GET,
    )  # fmt: skip


@person_page
@require_POST
def withdraw_episode(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Take the tap back."""
    diary.withdraw(get_object_or_404(Episode.objects.visible_to(request.user), pk=pk), by=request.user)
    return redirect("patient:now")


# -- today -------------------------------------------------------------------------------------------------------------

KINDS: dict[str, type[Entry]] = {
    "episode": Episode, "exposure": Exposure, "rating": Rating, "treatment": Treatment,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a day."""

    kind: str
    pk: UUID
    time: str
    text: str
    to: str
    late: bool

    @property
    def undo(self) -> str:
        """Name of the button that takes it back."""
        return words()("today.undo_one", time=self.time, text=self.text)


@person_page
@require_GET
def today(request: SignedIn, person: Person) -> HttpResponse:
    """One day: what was written, in order of time."""
    say, last_day = words(), local_today(person)
    day = min(forms.read_day(request.GET.get("day", ""), last_day), last_day)
    first, last = day_bounds(person, day)
    entries = diary.entries_of(person, first, last)
    episodes = [one for one in entries if isinstance(one, Episode)]
    checked = any(isinstance(one, Exposure) and one.kind == diary.CHECK_IN for one in entries)
    now_min = (timezone.now() - first).total_seconds() / 60 if day == last_day else None
    strip = strip_of(person, day)
    drawn = draw_day(
        strip,
        [Hot(_minute(one.start, first), one.intensity) for one in episodes],
        [
            (_minute(one.start, first), _minute(min(one.end, last), first))
            for one in entries
            if isinstance(one, Exposure) and one.kind in AT_DESK and one.end is not None
        ],
        spoken(),
        minutes=round((last - first).total_seconds() / 60),
        now_min=now_min,
    )
    sentence = (
        say.count("today.hot", len(episodes)) if episodes else say("today.nothing" if checked else "today.unknown")
    )
    return screen(
        request, "today.html", person, "today",
        saved="saved" in request.GET,
        heading=say("today.heading" if day == last_day else "today.heading_past", day=say_day_short(day)),
        sentence=sentence, entries=[_line(person, one) for one in entries], day=day.isoformat(),
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat() if day < last_day else "",
        missing=_missing(person, day, entries), picture=drawn.svg, caption=drawn.caption,
        trial=today_line(person) if day == last_day else None,
        not_yet=strip is None and SeriesFile.objects.filter(person=person).exists(),
        thanks=THANKS if strip is not None and weather_between(person, first, last) else "",
    )  # fmt: skip


def _minute(moment: datetime, first: datetime) -> float:
    return (moment - first).total_seconds() / 60


def _line(person: Person, entry: Entry) -> Line:
    say = words()
    if isinstance(entry, Episode):
        text = say("today.episode") if entry.intensity is None else say("today.episode_of", n=entry.intensity)
        if entry.end:
            text = say("today.until", text=text, time=clock_time(person, entry.end))
        return Line("episode", entry.pk, clock_time(person, entry.start), text,
                    reverse("patient:episode", args=[entry.pk]), entry.late)  # fmt: skip
    if isinstance(entry, Exposure):
        text = forms.exposure_name(entry.kind)
        if entry.amount == 0:
            text = say("today.none", name=text)
        if entry.end:
            text = say("today.until", text=text, time=clock_time(person, entry.end))
        return Line("exposure", entry.pk, clock_time(person, entry.start), text, "", late=False)
    if isinstance(entry, Rating):
        text = say("today.rating", name=say(f"rating.{entry.quantity}"), n=f"{entry.value:g}")
        return Line("rating", entry.pk, clock_time(person, entry.time), text, "", late=False)
    assert isinstance(entry, Treatment)
    key = f"treatment.{entry.kind}"
    return Line("treatment", entry.pk, clock_time(person, entry.time), say(key) if key in say else entry.kind, "",
                late=False)  # fmt: skip


def _missing(person: Person, day: date, entries: object) -> dict[str, str] | None:
    """Ask for one thing at most: the night, which more causes wait for than for anything else."""
    first, last = day_bounds(person, day)
    slept = (
        Exposure.objects.filter(person=person, kind="sleep", end__gt=first, end__lt=last).kept().exists()
        or SeriesFile.objects.filter(person=person, quantity="sleep", first_at__lt=last, last_at__gt=first).exists()
    )
    return (
        None if slept else {"text": words()("today.missing_sleep"), "to": f"{reverse('patient:add')}?open=sleep#night"}
    )


@person_page
@require_POST
def withdraw_entry(request: SignedIn, person: Person, kind: str, pk: UUID) -> HttpResponse:
    """Take any entry back."""
    if kind not in KINDS:
        raise Http404
    found = get_object_or_404(KINDS[kind].objects.visible_to(request.user), pk=pk)  # type: ignore[attr-defined]
    diary.withdraw(found, by=request.user)
    day = forms.read_day(request.POST.get("day", ""), local_today(person))
    return redirect(f"{reverse('patient:today')}?day={day.isoformat()}")


# -- add ---------------------------------------------------------------------------------------------------------------


@person_page
def add(request: SignedIn, person: Person) -> HttpResponse:
    """Write down what else happened, also later."""
    errors: tuple[str, ...] = ()
    opened = request.GET.get("open", "")
    if request.method == "POST":
        opened = request.POST.get("what", "")
        try:
            _, day = write_added(person, request.POST)
        except (WrongError, diary.NotPossibleError) as error:
            errors = (say_wrong(error),)
        else:
            return redirect(f"{reverse('patient:today')}?day={local(person, day).date().isoformat()}")
    return screen(
        request, "add.html", person, "add", 422 if errors else 200,
        groups=forms.add_groups(local(person, timezone.now()), opened), errors=errors,
        most_note=forms.MOST_NOTE,
    )  # fmt: skip


# -- more, welcome -----------------------------------------------------------------------------------------------------


@person_page
@require_GET
def more(request: SignedIn, person: Person) -> HttpResponse:
    """Everything that is not needed every day."""
    return screen(request, "more.html", person, "more", language=spoken(), beginning=beginning_links(person))


@signed_in
def welcome(request: SignedIn) -> HttpResponse:
    """Ask for consent, purpose by purpose, and open the casebook."""
    if Person.objects.visible_to(request.user).exists():
        return redirect("patient:now")
    error = ""
    if request.method == "POST":
        try:
            open_casebook(by=request.user, timezone_name=request.POST.get("timezone", ""),
                          purposes=request.POST.getlist("purpose"), language=spoken(),
                          given_by=AGES[request.POST.get("age", "")])  # fmt: skip
        except KeyError:
            error = words()("welcome.needs_age")
        except InputError:
            error = words()("welcome.no_zone")
        except (ValueError, ConsentText.DoesNotExist):
            error = words()("welcome.needs_care")
        else:
            return redirect("patient:check")
    # The weather is asked for where the place is said: without one there would be nothing to agree to.
    texts = {purpose: text for purpose, text in newest_texts(spoken()).items() if purpose != Purpose.WEATHER}
    said = {"texts": texts, "error": error, "ages": list(AGES)}
    return render(request, "patient/welcome.html", said, status=422 if error else 200)


@anyone
@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """What a phone needs to put the app on its home screen."""
    say = words()
    icons = [
        {"src": static("unaji/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": static("unaji/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("unaji/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {"src": static("unaji/icon-maskable-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    said = {
        "name": "unaji", "short_name": "unaji", "description": say("app.description"), "lang": spoken(),
        "id": "/now", "start_url": "/now", "scope": "/", "display": "standalone", "background_color": "#FAF8F4",
        "theme_color": "#FAF8F4", "icons": icons,
    }  # fmt: skip
    return JsonResponse(said, content_type="application/manifest+json")


def say_wrong(error: WrongError | diary.NotPossibleError) -> str:
    """Say an error in the person's language."""
    return words()(str(error)) if isinstance(error, diary.NotPossibleError) else str(error)

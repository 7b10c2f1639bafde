"""Trials on oneself: choose what to change, see whether it can tell, draw the lot, follow it, read what it found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from unaji.care.trial import EPISODES, Change, TrialPlan
from unaji.care.trial_power import ASSUMED_POINTS, ASSUMED_REDUCTION, power
from unaji.claims.model import Urgency
from unaji.report.trial import chances_lines, matters
from unaji.web.access import SignedIn, person_page
from unaji.web.casebook.actions import trials as actions
from unaji.web.casebook.actions.diary import NotPossibleError
from unaji.web.casebook.actions.trials import Wish
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import Job, Person, Trial
from unaji.web.casebook.models.results import JobKind, JobState, TrialEnd
from unaji.web.casebook.trial_choices import Choice, called, can_be_too_much, choices, expected, outcomes
from unaji.web.patient import forms
from unaji.web.patient.clock import clock_time, local, local_today, say_day, say_day_short
from unaji.web.patient.signs import never_asked
from unaji.web.patient.trial_told import (
    looked_at,
    outcome_said,
    progress_of,
    report_words,
    say_what,
    stretches_of,
    weekdays,
    weeks_of,
    what_said,
)
from unaji.web.patient.views import screen
from unaji.web.words import spoken, words

P = ParamSpec("P")

PAIRS = {4: 14, 6: 21, 8: 28, 12: 42}
"""Pairs of days, by weeks."""
PAIRS_OF_PERIODS = {8: 2, 16: 4, 24: 6}
"""Pairs of two-week periods of a treatment, by weeks."""
MOST_QUESTION = 200
FORECAST_SEED = 0
"""Of the plan that is played to say whether it can tell; the lot itself is drawn when the trial is registered."""
REASONS = (TrialEnd.UNWELL, TrialEnd.DOCTOR, TrialEnd.NOT_POSSIBLE, TrialEnd.UNWANTED)


def signs_first(
    view: Callable[Concatenate[SignedIn, Person, P], HttpResponse],
) -> Callable[Concatenate[SignedIn, Person, P], HttpResponse]:
    """Ask for warning signs before anything of a trial is shown to whom nobody asked."""

    @wraps(view)
    def guarded(request: SignedIn, person: Person, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return redirect("patient:check") if never_asked(person) else view(request, person, *args, **kwargs)

    return guarded


# -- all of them -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One trial in the list."""

    pk: UUID
    question: str
    dates: str
    state: str


@person_page
@signs_first
@require_GET
def trials(request: SignedIn, person: Person) -> HttpResponse:
    """List the trials, the one that runs first."""
    rows = [_row(one) for one in Trial.objects.visible_to(request.user).order_by("ended_at", "-registered_at")]
    rows.sort(key=lambda row: row.state != words()("trials.state.running"))
    return screen(request, "trials/list.html", person, "more", rows=rows, running=_running(person),
                  doctor=actions.doctor_first(person))  # fmt: skip


def _running(person: Person) -> Trial | None:
    """Return the trial that was not ended, whether or not its plan can be read."""
    return Trial.objects.filter(person=person).running().first()


def _row(trial: Trial) -> Row:
    plan, said = actions.readable_plan(trial), ""
    if plan is not None:
        said = words()("trials.stretch", first=say_day_short(plan.first_day), last=say_day_short(plan.last_day))
    return Row(trial.pk, trial.question, said, _state(trial))


def _state(trial: Trial) -> str:
    if trial.ended_at is not None:
        return words()(f"trials.state.{trial.ended_why}")
    return words()("trials.state.over" if actions.is_over(trial) else "trials.state.running")


# -- a new one ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that may be changed, in words."""

    code: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was chosen on the form, as it is to be shown and sent again."""

    what: str
    outcome: str
    start: str
    weeks: int
    question: str
    number: UUID


@person_page
@signs_first
@require_http_methods(["GET", "POST"])
def new(request: SignedIn, person: Person) -> HttpResponse:
    """Choose, look at what it would be, register it."""
    may = {one.code: one for one in choices(person)}
    if request.method == "GET":
        chosen = may.get(request.GET.get("what", ""))
        return (
            _choose(request, person, may) if chosen is None else _form(request, person, chosen, _usual(chosen, person))
        )
    chosen = may.get(request.POST.get("what", ""))
    if chosen is None:
        return _choose(request, person, may, words()("error.choice"))
    sent = _sent(request, chosen, person)
    if request.POST.get("then") == "back":
        return _form(request, person, chosen, sent)
    try:
        wish = _wish(sent, chosen, person)
        if request.POST.get("then") == "register" and person.simulated:  # anybody may be signed in as the invented one
            raise NotPossibleError("trials.error.example")
        if request.POST.get("then") == "register":
            trial = actions.register_trial(person, wish, by=request.user, number=sent.number)
            return redirect("patient:trial", pk=trial.pk)
        plan = actions.laid_out(wish, person, now=timezone.now(), seed=FORECAST_SEED)
    except (forms.WrongError, NotPossibleError) as error:
        return _form(request, person, chosen, sent, _said(error))
    return _look(request, person, plan, sent)


def _choose(request: SignedIn, person: Person, may: dict[str, Choice], error: str = "") -> HttpResponse:
    unsafe = person.unsafe
    return screen(request, "trials/choose.html", person, "more", 422 if error else 200, error=error,
        doctor=actions.doctor_first(person), running=_running(person),
        proposed=[_told(one) for one in may.values() if one.proposed],
        groups=[
            (change.value, [_told(one) for one in may.values() if one.change is change and not one.proposed])
            for change in Change
        ],
        unsafe=[
            forms.Chip(kind, called(_change_of(kind), kind, spoken()), on=kind in unsafe)
            for kind in can_be_too_much(claims_in_use())
        ],
    )  # fmt: skip


def _change_of(kind: str) -> Change:
    return Change.TREAT if f"treatment.{kind}" in words() else Change.SEEK


def _told(one: Choice) -> Told:
    note = ""
    if one.settles is not None and one.otherwise is not None:
        report = report_words()
        chance, otherwise = report.percent(one.settles), report.percent(one.otherwise)
        note = report(f"open.try_{one.change}_why", chance=chance, otherwise=otherwise)
    return Told(one.code, what_said(one.change, called(one.change, one.kind, spoken())), note)


def _lengths(change: Change) -> dict[int, int]:
    return PAIRS_OF_PERIODS if change is Change.TREAT else PAIRS


def _usual(chosen: Choice, person: Person) -> Sent:
    """Give the form as it is first shown."""
    question = words()(f"trials.question.{chosen.change}", name=called(chosen.change, chosen.kind, spoken()))
    tomorrow = local_today(person) + timedelta(days=1)
    weeks = min(_lengths(chosen.change), key=lambda n: abs(n - (16 if chosen.change is Change.TREAT else 4)))
    return Sent(chosen.code, EPISODES, tomorrow.isoformat(), weeks, question, uuid7())


def _sent(request: SignedIn, chosen: Choice, person: Person) -> Sent:
    said, usual = request.POST, _usual(chosen, person)
    weeks = usual.weeks
    with suppress(ValueError):
        weeks = int(said.get("weeks", ""))
    return Sent(
        chosen.code, said.get("outcome", ""), said.get("start", ""), weeks,
        " ".join(said.get("question", "").replace("\0", "").split()), forms.read_client_id(said),
    )  # fmt: skip


def _wish(sent: Sent, chosen: Choice, person: Person) -> Wish:
    say, lengths = words(), _lengths(chosen.change)
    if sent.outcome not in outcomes(person) or sent.weeks not in lengths:
        raise forms.WrongError(say("error.choice"))
    if len(sent.question) > MOST_QUESTION:
        raise forms.WrongError(say("trials.error.long_question", most=MOST_QUESTION))
    try:
        start = date.fromisoformat(sent.start)
    except ValueError:
        raise forms.WrongError(say("trials.error.start")) from None
    return Wish(sent.question, chosen.change, chosen.kind, sent.outcome, start, lengths[sent.weeks])


def _form(request: SignedIn, person: Person, chosen: Choice, sent: Sent, error: str = "") -> HttpResponse:
    today = local_today(person)
    return screen(request, "trials/form.html", person, "more", 422 if error else 200, error=error, sent=sent,
        heading=what_said(chosen.change, called(chosen.change, chosen.kind, spoken())),
        outcomes=[forms.Chip(one, outcome_said(one), on=one == sent.outcome) for one in outcomes(person)],
        lengths=[
            forms.Chip(str(n), words()(f"trials.length.{'treat' if chosen.change is Change.TREAT else 'days'}",
                                       weeks=n, pairs=pairs), on=n == sent.weeks)
            for n, pairs in _lengths(chosen.change).items()
        ],
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + timedelta(days=actions.LONGEST_WAIT_D)).isoformat(),
        most=MOST_QUESTION, treat=chosen.change is Change.TREAT, seek=chosen.change is Change.SEEK,
    )  # fmt: skip


def _look(request: SignedIn, person: Person, plan: TrialPlan, sent: Sent) -> HttpResponse:
    """Show what it would be, how likely it can tell, and what it cannot tell, before the lot is drawn."""
    say, report = words(), report_words()
    basis = expected(person, plan.outcome)
    chances = power(plan, ASSUMED_REDUCTION if plan.counts else ASSUMED_POINTS, basis.assumed)
    treat = plan.change is Change.TREAT
    name = called(plan.change, plan.kind, spoken())
    return screen(request, "trials/look.html", person, "more", sent=sent,
        do=report(f"trial.do.{plan.change}", name=name), looked_at=looked_at(plan), matters=matters(plan, report),
        dates=say("trials.look.dates", first=say_day(plan.first_day), last=say_day(plan.last_day)),
        order=say("trials.look.order_treat" if treat else "trials.look.order_days", pairs=plan.blocks),
        washout=report("trial.washout", days=report.count("days", plan.washout_days)) if plan.washout_days else "",
        chances=[] if basis.nothing else chances_lines(plan, chances, report), nothing=basis.nothing,
        basis=say("trials.look.own", n=basis.days) if basis.days else say("trials.look.others"),
        stop=report("trial.stop"), unsafe=report("trial.unsafe"), asks_more=plan.change is Change.SEEK,
        signs=[flag.question.in_(spoken()) for flag in claims_in_use().red_flags if flag.urgency is not Urgency.DAYS],
        doctor=actions.doctor_first(person),
    )  # fmt: skip


@person_page
@signs_first
@require_POST
def unsafe(request: SignedIn, person: Person) -> HttpResponse:
    """Keep what a person must not have more of."""
    if person.simulated:
        may = {one.code: one for one in choices(person)}
        return _choose(request, person, may, words()("trials.error.example"))
    known, sent = can_be_too_much(claims_in_use()), request.POST.getlist("unsafe")
    not_asked = [one for one in person.unsafe if one not in known]  # from an export: nothing was said of it here
    actions.mark_unsafe(person, (*(one for one in known if one in sent), *not_asked), by=request.user)
    return redirect("patient:new_trial")


# -- one of them -------------------------------------------------------------------------------------------------------


@person_page
@signs_first
@require_GET
def trial(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Show what today is while it runs, and what it found when it is over."""
    return _trial(request, person, get_object_or_404(Trial.objects.visible_to(request.user), pk=pk))


def _trial(request: SignedIn, person: Person, found: Trial, error: str = "") -> HttpResponse:
    plan = actions.readable_plan(found)
    over = actions.is_over(found)
    told: dict[str, Any] | None = actions.told_of(found, spoken()) if over else None
    if told is not None:  # drawn by us, every text in it escaped when it was drawn
        for width in ("phone", "desktop"):
            told["figure"][width] = mark_safe(told["figure"][width])
    shown: dict[str, Any] = {
        "error": error, "trial": found, "over": over, "doctor": actions.doctor_first(person), "state": _state(found),
        "reasons": [(one.value, words()(f"trials.why.{one}")) for one in REASONS], "told": told,
        "made": None if told is None else _moment(person, told["made_at"]),
    }  # fmt: skip
    if plan is not None:
        shown |= _followed(person, found, plan, over=over, told=told)
    return screen(request, "trials/trial.html", person, "more", 422 if error else 200, **shown)


def _followed(
    person: Person, found: Trial, plan: TrialPlan, *, over: bool, told: dict[str, Any] | None
) -> dict[str, Any]:
    """Give what is said of a trial whose plan can be read."""
    name, today = called(plan.change, plan.kind, spoken()), local_today(person)
    job = Job.objects.filter(person=person, kind=JobKind.TRIAL, subject=found.pk).order_by("-made_at").first()
    stopped = actions.counted_until(found)
    begun = today >= plan.first_day and (stopped is None or stopped >= plan.first_day)
    return {
        "plan": plan, "lines": [] if over else [say_what(plan, name, today, "today"), *_tomorrow(plan, name, today)],
        "do": report_words()(f"trial.do.{plan.change}", name=name), "looked_at": looked_at(plan),
        "dates": words()("trials.look.dates", first=say_day(plan.first_day), last=say_day(plan.last_day)),
        "progress": progress_of(person, plan, today), "weeks": weeks_of(plan, today), "weekdays": list(weekdays()),
        "stretches": stretches_of(plan, today), "stale": told is not None and actions.is_stale(found, told),
        "begun": begun, "until": say_day_short(stopped) if stopped is not None and begun else None,
        "job": job if job is not None and job.state in (JobState.WAITING, JobState.RUNNING, JobState.FAILED) else None,
    }  # fmt: skip


def _tomorrow(plan: TrialPlan, name: str, today: date) -> list[str]:
    """Say what tomorrow is, where that is more than today said."""
    tomorrow = today + timedelta(days=1)
    return [say_what(plan, name, tomorrow, "tomorrow")] if plan.first_day <= tomorrow <= plan.last_day else []


def _moment(person: Person, said: str) -> str:
    at = datetime.fromisoformat(said)
    return f"{say_day_short(local(person, at).date())} {clock_time(person, at)}"


@person_page
@signs_first
@require_POST
def end(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Stop a trial, with a reason."""
    found = get_object_or_404(Trial.objects.visible_to(request.user), pk=pk)
    why = request.POST.get("why", "")
    if person.simulated:
        return _trial(request, person, found, words()("trials.error.example"))
    if actions.is_over(found):
        return redirect("patient:trial", pk=pk)
    if why not in REASONS:
        return _trial(request, person, found, words()("trials.error.why"))
    actions.end_trial(found, TrialEnd(why), by=request.user)
    if why == TrialEnd.UNWELL:  # whoever feels unwell is asked for warning signs before anything else
        return redirect("patient:check")
    return redirect("patient:trial", pk=pk)


@person_page
@signs_first
@require_POST
def ask(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Ask what a trial found."""
    found = get_object_or_404(Trial.objects.visible_to(request.user), pk=pk)
    if person.simulated:
        return _trial(request, person, found, words()("trials.error.example"))
    try:
        actions.ask_result(found, by=request.user)
    except NotPossibleError as error:
        return _trial(request, person, found, _said(error))
    return redirect("patient:trial", pk=pk)


@person_page
@signs_first
@require_GET
def plan_file(request: SignedIn, person: Person, pk: UUID) -> HttpResponse:
    """Hand the plan over as the file that `unaji trial analyse` reads."""
    found = get_object_or_404(Trial.objects.visible_to(request.user), pk=pk)
    if not found.plan_text:
        raise Http404
    return HttpResponse(
        found.plan_text,
        content_type="application/toml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="trial-{found.registered_at:%Y-%m-%d}.toml"'},
    )


def _said(error: Exception) -> str:
    """Say an error in the person's language."""
    return words()(str(error)) if isinstance(error, NotPossibleError) else str(error)

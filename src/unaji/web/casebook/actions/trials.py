"""Register a trial on oneself, end it, say what it found. What was registered is never changed afterwards.

The lot is drawn when a trial is registered and not before, so that nobody can draw until they like the order. What it
found is worked out when it is over and not before: who looks early finds too much.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from unaji.care.trial import LARGEST_SEED, Change, Period, TrialPlan, check_plan, design_trial
from unaji.care.trial_analysis import analyse_trial
from unaji.care.trial_file import plan_of as plan_in
from unaji.care.trial_file import plan_toml
from unaji.errors import InputError, UsageError
from unaji.explain import raised_flags
from unaji.records.timeline import Zones
from unaji.report.json import write
from unaji.report.trial import result_json
from unaji.report.trial_page import trial_told
from unaji.web.casebook.actions.diary import NotPossibleError
from unaji.web.casebook.actions.people import ask_anew
from unaji.web.casebook.audit import record
from unaji.web.casebook.claims import claims_in_use
from unaji.web.casebook.files import document, opened, put_document, remove_document
from unaji.web.casebook.jobs import CannotError, Progress, ask, does, hold, subject_of
from unaji.web.casebook.models import (
    Episode,
    Exposure,
    ImportBatch,
    Job,
    Person,
    Rating,
    RedFlagScreen,
    Treatment,
    Trial,
    User,
)
from unaji.web.casebook.models.imported import ImportState
from unaji.web.casebook.models.intake import Level
from unaji.web.casebook.models.results import JobKind, TrialEnd
from unaji.web.casebook.timeline import read_timeline
from unaji.web.casebook.trial_choices import called
from unaji.web.words import LANGUAGES

LONGEST_WAIT_D = 60
"""How many days after today a trial may begin at the latest."""
RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to try, before the lot is drawn.

    Attributes
    ----------
    start : date
        First day, on the person's calendar.
    blocks : int
        Pairs of days, or of periods of a treatment.
    """

    question: str
    change: Change
    kind: str
    outcome: str
    start: date
    blocks: int


def laid_out(wish: Wish, person: Person, *, now: datetime, seed: int) -> TrialPlan:
    """Lay a wish out as a plan.

    Raises
    ------
    NotPossibleError
        It would ask for something harmful, or for something that cannot be.
    """
    today = Zones((person.timezone,)).local(now).date()
    if not today < wish.start <= today + timedelta(days=LONGEST_WAIT_D):
        raise NotPossibleError("trials.error.start")
    if not wish.question.strip():
        raise NotPossibleError("trials.error.question")
    if wish.change is Change.TREAT and wish.kind in person.unsafe:
        raise NotPossibleError("trials.error.harmful")
    try:
        return design_trial(
            question=wish.question,
            change=wish.change,
            kind=wish.kind,
            outcome=wish.outcome,
            start=wish.start,
            timezone=person.timezone,
            registered_at=now,
            blocks=wish.blocks,
            seed=seed,
            unsafe=person.unsafe,
        )
    except UsageError:
        raise NotPossibleError("trials.error.harmful") from None


def doctor_first(person: Person) -> bool:
    """Say whether the latest answers to the warning signs ask for a doctor, which comes before any trial."""
    latest = RedFlagScreen.objects.filter(person=person).order_by("-at").first()
    return latest is None or latest.level != Level.NONE


def register_trial(person: Person, wish: Wish, *, by: User, number: UUID) -> Trial:
    """Draw the lot and register a trial; one that has passed its last day makes room for it.

    Parameters
    ----------
    number : UUID
        The form's: one that is sent twice is registered once.

    Raises
    ------
    NotPossibleError
        Another one runs, a warning sign asks for a doctor, or the wish cannot be.
    """
    with transaction.atomic():
        held = Trial.objects.filter(pk=number, person=person).first()
        if held is not None:
            return held
        if doctor_first(person):
            raise NotPossibleError("trials.error.doctor")
        plan = laid_out(wish, person, now=timezone.now(), seed=secrets.randbelow(LARGEST_SEED))
        running = Trial.objects.filter(person=person).running().first()
        if running is not None and is_over(running):
            _end(running, TrialEnd.COMPLETED, by=by)
        elif running is not None:
            raise NotPossibleError("trials.error.running")
        trial = trial_of(person, plan, number=number)
        try:
            with transaction.atomic():
                trial.save(force_insert=True)
        except IntegrityError:  # another request was faster, or the number is somebody else's
            held = Trial.objects.filter(pk=number, person=person).first()
            if held is None:
                raise NotPossibleError("trials.error.running") from None
            return held
        record("register", trial, by=by, person=person.pk)
        return trial


def trial_of(person: Person, plan: TrialPlan, *, number: UUID) -> Trial:
    """Make the row of a plan, which is not yet stored."""
    trial = Trial(pk=number, person=person, outcome=plan.outcome, registered_at=plan.registered_at)
    trial.question = plan.question
    trial.plan_text = plan_toml(plan)
    return trial


def end_trial(trial: Trial, why: TrialEnd, *, by: User) -> None:
    """Stop a trial before its last day; one that was ended, or lived to its end, stays as it is."""
    with transaction.atomic():
        if not is_over(trial):
            _end(trial, why, by=by)


def _end(trial: Trial, why: TrialEnd, *, by: User | None) -> None:
    at = max(timezone.now(), trial.registered_at)  # one from elsewhere may be registered by a clock that was ahead
    if Trial.objects.filter(pk=trial.pk).running().update(ended_at=at, ended_why=why):
        record("end", trial, by=by, person=trial.person_id)


def mark_unsafe(person: Person, kinds: tuple[str, ...], *, by: User) -> None:
    """Keep what a person must not have more of; it takes the place of what they said before.

    A trial that asks for more of it ends with that.
    """
    with transaction.atomic():
        locked = Person.objects.select_for_update().get(pk=person.pk)
        locked.unsafe_text = " ".join(dict.fromkeys(kinds))
        locked.save(update_fields=["unsafe_sealed"])
        ask_anew(locked)  # an answer may have proposed it
        record("change", locked, by=by, person=person.pk)
        end_unsafe(locked, by=by)
    person.unsafe_text = locked.unsafe_text


def end_unsafe(person: Person, *, by: User | None) -> None:
    """End the trial that asks for more of what a person must not have."""
    for trial in Trial.objects.filter(person=person).running():
        plan = readable_plan(trial)
        if plan is not None and not is_over(trial) and asks_for_any(plan, person.unsafe):
            _end(trial, TrialEnd.DOCTOR, by=by)


def asks_for_any(plan: TrialPlan, kinds: Collection[str]) -> bool:
    """Say whether a plan asks for more of any of these kinds."""
    return plan.change is not Change.AVOID and plan.kind in kinds


# -- where it stands ---------------------------------------------------------------------------------------------------


def plan_of(trial: Trial) -> TrialPlan:
    """Return the plan as it was registered."""
    return plan_in(trial.plan_text, f"trial {trial.pk}")


def readable_plan(trial: Trial) -> TrialPlan | None:
    """Return the plan; None where this version cannot read it, or could not have made it and has no words for it."""
    with suppress(InputError, UsageError):
        plan = plan_of(trial)
        check_plan(plan)
        return plan
    return None


def period_on(plan: TrialPlan, day: date) -> Period | None:
    """Return the period a day belongs to; None for a day that is not part of the trial."""
    return next((one for one in plan.periods if one.first <= day <= one.last), None)


def is_over(trial: Trial) -> bool:
    """Say whether a trial's last day has passed, or it was ended; one whose plan cannot be read waits to be ended."""
    if trial.ended_at is not None:
        return True
    plan = readable_plan(trial)
    return plan is not None and _day(plan, timezone.now()) > plan.last_day


def counted_until(trial: Trial) -> date | None:
    """Return the last day that counts of a trial that was stopped: the day before. None where its plan was lived to."""
    if trial.ended_at is None or trial.ended_why == TrialEnd.COMPLETED:
        return None
    plan = plan_of(trial)
    day = _day(plan, trial.ended_at) - timedelta(days=1)
    return day if day < plan.last_day else None


def _day(plan: TrialPlan, moment: datetime) -> date:
    """Return the day of a moment where the plan was made: its days stay where they were when the person moves."""
    return Zones((plan.timezone,)).local(moment).date()


# -- what it found -----------------------------------------------------------------------------------------------------


def ask_result(trial: Trial, *, by: User) -> Job:
    """Ask what a trial found; one whose last day has passed is ended by that.

    Raises
    ------
    NotPossibleError
        It still runs, or its plan cannot be read.
    """
    if readable_plan(trial) is None:
        raise NotPossibleError("trials.error.unreadable")
    if not is_over(trial):
        raise NotPossibleError("trials.error.not_over")
    with transaction.atomic():
        _end(trial, TrialEnd.COMPLETED, by=by)
        return ask(trial.person, JobKind.TRIAL, by=by, subject=trial.pk)


@does(JobKind.TRIAL)
def work_out(job: Job, progress: Progress) -> None:
    """Analyse a trial with all records of the person, and keep what it found, sealed."""
    trial = Trial.objects.select_related("person").get(pk=subject_of(job))
    person, plan, began, claims = trial.person, plan_of(trial), timezone.now(), claims_in_use()
    if not is_over(trial):
        raise CannotError("not_over")
    written = _written(trial, plan)
    with opened(person.pk) as folder:
        timeline = read_timeline(person, folder)
        progress(0.5)
        try:
            result = analyse_trial(plan, timeline, until=counted_until(trial))
        except InputError:
            raise CannotError("no_trial_day") from None
        flags = raised_flags(timeline, claims)
    hold(job)
    put_document(person.pk, _name(trial, RESULT), write(result_json(result, flags, str(person.pk), "ja")).encode())
    for language in LANGUAGES:
        name = called(plan.change, plan.kind, language)
        told = {"made_at": began.isoformat(), "written": written, **trial_told(result, flags, name, language).as_json()}
        put_document(person.pk, _name(trial, f"told.{language}"), json.dumps(told, ensure_ascii=False).encode())


def told_of(trial: Trial, language: str) -> dict[str, object] | None:
    """Return what a trial found, in words; None where that was not worked out yet."""
    content = document(trial.person_id, _name(trial, f"told.{language}"))
    told: dict[str, object] | None = None if content is None else json.loads(content)
    return told


def is_stale(trial: Trial, told: Mapping[str, object]) -> bool:
    """Say whether the records of a trial's days have changed since what it found was worked out."""
    plan, made_at = plan_of(trial), datetime.fromisoformat(str(told["made_at"]))
    first, last = _span(trial, plan)
    brought = ImportBatch.objects.filter(person=trial.person_id, state__in=(ImportState.STORED, ImportState.UNDONE))
    since = brought.filter(changed_at__gt=made_at, first_at__lt=last, last_at__gte=first)
    return told.get("written") != _written(trial, plan) or since.exists()


def _span(trial: Trial, plan: TrialPlan) -> tuple[datetime, datetime]:
    """Return the first instant of the days that count and the one after the last."""
    zones, after = Zones((plan.timezone,)), (counted_until(trial) or plan.last_day) + timedelta(days=1)
    return zones.to_utc(datetime.combine(plan.first_day, time())), zones.to_utc(datetime.combine(after, time()))


def _written(trial: Trial, plan: TrialPlan) -> str:
    """Return a hash of all that the diary holds of the days that count."""
    first, last = _span(trial, plan)
    whole = sha256()
    for model, at, columns in (
        (Episode, "start", ("start", "end", "intensity")),
        (Rating, "time", ("time", "quantity", "value")),
        (Exposure, "start", ("start", "end", "kind", "amount")),
        (Treatment, "time", ("time", "kind")),
    ):
        kept = model._default_manager.filter(person=trial.person_id, withdrawn_at=None)
        rows = kept.filter(**{f"{at}__gte": first, f"{at}__lt": last}).values_list(*columns)
        lines = sorted("\t".join(map(str, row)) for row in rows)
        whole.update("\n".join((model.__name__, *lines, "")).encode())
    return whole.hexdigest()


def result_of(trial: Trial) -> bytes | None:
    """Return what a trial found as `unaji trial analyse --json` gives it; None where it was not worked out yet."""
    return document(trial.person_id, _name(trial, RESULT))


def forget_result(trial: Trial) -> None:
    """Remove what was worked out for a trial."""
    for name in (RESULT, *(f"told.{language}" for language in LANGUAGES)):
        remove_document(trial.person_id, _name(trial, name))


def _name(trial: Trial, name: str) -> str:
    return f"trials/{trial.pk}/{name}"

"""Work that takes longer than a page: asked for once, done by a worker, begun anew where a worker died.

What is to be done and how far it is stands in `Job`; the queue only wakes a worker. One job of a person runs at a time,
because two writers of one folder would undo each other. The worker does none of it itself: it has each job done in a
process of its own (`unaji.web.casebook.apart`), says that it lives, and stops what takes too much or is not wanted.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from unaji.errors import UnajiError
from unaji.web.casebook.apart import End, Ended, Limits, done_apart, may_keep
from unaji.web.casebook.audit import record
from unaji.web.casebook.files import sweep_dead
from unaji.web.casebook.models import Job, Person, User
from unaji.web.casebook.models.results import JobQuerySet, JobState
from unaji.web.tasks import task

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 5.0
ASK_EVERY_S = 1.0
"""How often the worker looks whether a job is still wanted."""
SILENT_AFTER = timedelta(seconds=30)
MOST_TRIES = 3

Progress = Callable[[float], None]
Doer = Callable[[Job, Progress], None]
DOERS: dict[str, Doer] = {}
"""What does which kind of job; filled by the modules that know how."""


class CancelledError(Exception):
    """The person does not want it any more."""


class CannotError(Exception):
    """The job cannot be done, and trying again would not help; `code` says why in the words of the app."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def does(kind: str) -> Callable[[Doer], Doer]:
    """Register what does a kind of job."""

    def register(doer: Doer) -> Doer:
        DOERS[kind] = doer
        return doer

    return register


def ask(person: Person, kind: str, *, by: User | None, subject: UUID | None = None) -> Job:
    """Ask for a job; one of the same kind and subject that waits already is the one that is meant."""
    with transaction.atomic():
        waiting = Job.objects.filter(person=person, kind=kind, subject=subject, state=JobState.WAITING).first()
        if waiting is not None:
            return waiting
        try:
            with transaction.atomic():
                job = Job.objects.create(person=person, kind=kind, subject=subject)
        except IntegrityError:  # another request asked at the same moment
            return Job.objects.get(person=person, kind=kind, subject=subject, state=JobState.WAITING)
        record("ask", job, by=by, person=person.pk)
        transaction.on_commit(lambda: work.enqueue(str(job.pk)))
        return job


def cancel(job: Job, *, by: User) -> None:
    """Ask a job to stop: at once where it waits, at its next step where it runs. What is done stays done."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job.pk, state=JobState.WAITING)
        if not waiting.update(state=JobState.CANCELLED, finished_at=timezone.now()):
            Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(cancel_asked=True)
        record("cancel", job, by=by, person=job.person_id)


def cancel_all(jobs: JobQuerySet, *, by: User) -> None:
    """Ask several jobs to stop, as `cancel` does with one.

    The rows of all are taken before the first audit line is written: whoever writes one holds the end of the audit's
    chain, and would wait for a row whose holder waits for that.
    """
    with transaction.atomic():
        for job in list(jobs.select_for_update().order_by("pk")):
            cancel(job, by=by)


def retry(job: Job, *, by: User) -> Job:
    """Ask for a job that failed or was cancelled once more."""
    return ask(job.person, job.kind, by=by, subject=job.subject)


def subject_of(job: Job) -> UUID:
    """Return what a job is about."""
    assert job.subject is not None, f"a job of kind {job.kind} has a subject"
    return job.subject


@task
def work(job_id: str) -> None:
    """Do a job, if it still waits and no other of the same person runs."""
    run(UUID(job_id))


def run(job_id: UUID) -> None:
    """Do a job; whatever happens to it is written into its row, and nothing of what was in a file into any log."""
    if not _claimed(job_id):
        return
    job = Job.objects.select_related("person").get(pk=job_id)
    began, most_mb = monotonic(), 0.0
    if job.tries > 1:
        sweep_dead(job.person_id)  # of a worker that died with the try before
    if settings.JOBS_START:
        ended = _apart(job)
        most_mb = ended.most_mb
        state, error = _state_after(job, ended)
    else:
        state, error = _done(job)
    _note(job, state, error)
    logger.info(
        "job %s (%s) %s%s after %.1f s, %.0f MB", job.pk, job.kind, state, f" {error}" if error else "",
        monotonic() - began, most_mb,
    )  # fmt: skip
    _wake_next(job.person_id)


def do_claimed(job_id: str) -> tuple[str, str]:
    """Do a job that the worker has claimed, in a process of its own; return its state and the code of its error."""
    try:
        state, error = _done(Job.objects.select_related("person").get(pk=UUID(job_id)))
        return state.value, error
    finally:
        connections.close_all()


def _apart(job: Job) -> Ended:
    """Have a job done in a process of its own; see that nothing is left of one that did not end by itself."""
    connections.close_all()  # however a process is started, it must find none of ours open
    limits = Limits(settings.JOB_MEMORY_MB, settings.JOB_MINUTES)
    ended = done_apart(
        f"{__name__}:{do_claimed.__name__}", (str(job.pk),), start=settings.JOBS_START, limits=limits,
        wanted=_beating(job),
    )  # fmt: skip
    if ended.how != End.ANSWERED:
        sweep_dead(job.person_id)
    return ended


def _state_after(job: Job, ended: Ended) -> tuple[JobState, str]:
    match ended.how:
        case End.ANSWERED:
            state, error = ended.answer
            return JobState(state), error
        case End.UNWANTED:
            return JobState.CANCELLED, ""
        case End.DIED:  # of a fault in a library, or ended by the system: another try may do
            return (JobState.WAITING, "") if job.tries < MOST_TRIES else (JobState.FAILED, "gave_up")
        case _:
            return JobState.FAILED, ended.how.value


def _done(job: Job) -> tuple[JobState, str]:
    """Do a job here and now."""
    try:
        DOERS[job.kind](job, _progress(job))
    except CancelledError:
        return JobState.CANCELLED, ""
    except CannotError as cannot:
        return JobState.FAILED, cannot.code
    except UnajiError as known:
        return JobState.FAILED, type(known).__name__
    except MemoryError:
        return JobState.FAILED, End.TOO_LARGE.value
    except Exception as unknown:
        logger.error("job %s (%s) failed: %s", job.pk, job.kind, type(unknown).__name__, exc_info=True)
        full = isinstance(unknown, OSError) and unknown.errno == errno.ENOSPC
        return JobState.FAILED, "no_room" if full else "unexpected"
    return JobState.DONE, ""


def _note(job: Job, state: JobState, error: str) -> None:
    now = timezone.now()
    if state == JobState.WAITING:
        _let_wait(job, beat_at=now)
    else:
        share = {"share": 1.0} if state == JobState.DONE else {}
        _ours(job).update(state=state, error=error, finished_at=now, **share)


def see_wanted(job: Job) -> None:
    """See that a job is still wanted, as often as one likes while nothing is kept of it yet.

    Raises
    ------
    CancelledError
        The person asked for a stop, or this worker was silent for so long that another has begun the job anew.
    """
    if not _wanted(job):
        raise CancelledError


def hold(job: Job) -> None:
    """See that a job is still this worker's, once, right before something is kept of it: then it is not stopped.

    Raises
    ------
    CancelledError
        The person asked for a stop, or this worker was silent for so long that another has begun the job anew.
    """
    if not (_wanted(job) and may_keep()):
        raise CancelledError


def _wanted(job: Job) -> bool:
    return _ours(job).filter(cancel_asked=False).exists()


def _ours(job: Job) -> JobQuerySet:
    """Give the job's row while it is this try's: a try that was given up changes nothing any more."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, tries=job.tries)


def wake_silent() -> int:
    """Begin anew the jobs whose worker fell silent, and those that nobody was woken for; return how many."""
    now = timezone.now()
    silent = Job.objects.filter(state=JobState.RUNNING, beat_at__lt=now - SILENT_AFTER)
    silent.filter(tries__gte=MOST_TRIES).update(state=JobState.FAILED, error="gave_up", finished_at=now)
    for job in silent:
        _let_wait(job, beat_at=None)
    lost = Job.objects.filter(state=JobState.WAITING, made_at__lt=now - SILENT_AFTER, beat_at__isnull=True)
    number = 0
    for job in lost:
        if Job.objects.filter(pk=job.pk, beat_at__isnull=True).update(beat_at=now):
            work.enqueue(str(job.pk))
            number += 1
    Job.objects.filter(state=JobState.WAITING, beat_at__lt=now - 4 * SILENT_AFTER).update(beat_at=None)
    return number


def _let_wait(job: Job, *, beat_at: datetime | None) -> None:
    """Let a job that was begun wait again; where the same was asked for meanwhile, that one is enough."""
    try:
        with transaction.atomic():
            _ours(job).update(state=JobState.WAITING, beat_at=beat_at)
    except IntegrityError:
        _ours(job).update(state=JobState.CANCELLED, finished_at=timezone.now())


def _claimed(job_id: UUID) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic():
            waiting = Job.objects.filter(pk=job_id, state=JobState.WAITING)
            return bool(waiting.update(state=JobState.RUNNING, started_at=now, beat_at=now, tries=F("tries") + 1))
    except IntegrityError:  # another job of this person runs; when it is done it wakes the next
        return False


def _wake_next(person: UUID) -> None:
    following = Job.objects.filter(person=person, state=JobState.WAITING).order_by("made_at").first()
    if following is not None:
        work.enqueue(str(following.pk))


def _progress(job: Job) -> Progress:
    told_at, ours = 0.0, threading.get_ident()

    def tell(share: float) -> None:
        nonlocal told_at
        if monotonic() - told_at < 0.5:
            return
        told_at = monotonic()
        try:
            _ours(job).update(share=min(max(share, 0.0), 1.0), beat_at=timezone.now())
            if not _wanted(job):
                raise CancelledError
        finally:
            if threading.get_ident() != ours:  # a reader's own thread, whose connection nobody else would close
                connection.close()

    return tell


def _beating(job: Job) -> Callable[[], bool]:
    """Give what says every few seconds that the worker lives, and whether the job is still wanted."""
    beat_at = asked_at = monotonic()

    def wanted() -> bool:
        nonlocal beat_at, asked_at
        now = monotonic()
        if now - asked_at < ASK_EVERY_S:
            return True
        asked_at = now
        try:
            if now - beat_at >= BEAT_EVERY_S:
                _ours(job).update(beat_at=timezone.now())
                beat_at = now
            return _wanted(job)
        except (OperationalError, InterfaceError):  # the database is busy or away: the next look comes soon
            connection.close_if_unusable_or_obsolete()
            return True

    return wanted

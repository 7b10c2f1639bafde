"""Work that takes longer than a page: asked for once, done by a worker, begun anew where a worker died.

What is to be done and how far it is stands in `Job`; the queue only wakes a worker. One job of a person runs at a time,
because two writers of one folder would undo each other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from unaji.errors import UnajiError
from unaji.web.casebook.audit import record
from unaji.web.casebook.models import Job, Person, User
from unaji.web.casebook.models.results import JobQuerySet, JobState
from unaji.web.tasks import task

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 5.0
SILENT_AFTER = timedelta(seconds=30)
MOST_TRIES = 3
AGAIN_AFTER = timedelta(seconds=2)

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
    began = monotonic()
    state, error = JobState.FAILED, "unexpected"
    try:
        with _beating(job):
            DOERS[job.kind](job, _progress(job))
        state, error = JobState.DONE, ""
    except CancelledError:
        state, error = JobState.CANCELLED, ""
    except CannotError as cannot:
        error = cannot.code
    except UnajiError as known:
        error = type(known).__name__
    except Exception as unknown:
        logger.error("job %s (%s) failed: %s", job.pk, job.kind, type(unknown).__name__, exc_info=True)
    share = {"share": 1.0} if state == JobState.DONE else {}
    _ours(job).update(state=state, error=error, finished_at=timezone.now(), **share)
    logger.info("job %s (%s) %s after %.1f s", job.pk, job.kind, state, monotonic() - began)
    _wake_next(job.person_id)


def hold(job: Job) -> None:
    """See that a job is still this worker's, before something is kept of it.

    Raises
    ------
    CancelledError
        The person asked for a stop, or this worker was silent for so long that another has begun the job anew.
    """
    if not _ours(job).filter(cancel_asked=False).exists():
        raise CancelledError


def _ours(job: Job) -> JobQuerySet:
    """Give the job's row while it is this try's: a try that was given up changes nothing any more."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, tries=job.tries)


def wake_silent() -> int:
    """Begin anew the jobs whose worker fell silent, and those that nobody was woken for; return how many."""
    now = timezone.now()
    silent = Job.objects.filter(state=JobState.RUNNING, beat_at__lt=now - SILENT_AFTER)
    silent.filter(tries__gte=MOST_TRIES).update(state=JobState.FAILED, error="gave_up", finished_at=now)
    silent.update(state=JobState.WAITING, beat_at=None)
    lost = Job.objects.filter(state=JobState.WAITING, made_at__lt=now - SILENT_AFTER, beat_at__isnull=True)
    number = 0
    for job in lost:
        if Job.objects.filter(pk=job.pk, beat_at__isnull=True).update(beat_at=now):
            work.enqueue(str(job.pk))
            number += 1
    Job.objects.filter(state=JobState.WAITING, beat_at__lt=now - 4 * SILENT_AFTER).update(beat_at=None)
    return number


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
            hold(job)
        finally:
            if threading.get_ident() != ours:  # a reader's own thread, whose connection nobody else would close
                connection.close()

    return tell


@contextmanager
def _beating(job: Job) -> Iterator[None]:
    """Say every few seconds that the worker lives, also where a long step tells no progress."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_EVERY_S):
            with suppress(OperationalError):  # the database is busy: the next beat comes soon
                _ours(job).update(beat_at=timezone.now())
        connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=BEAT_EVERY_S)

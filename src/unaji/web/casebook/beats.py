"""Signs of life of the clock and the worker, for whoever looks after the app.

The clock notes each of its rounds. Every minute it also puts a call into the queue, which the worker answers between
two jobs: so an answer says that work which is asked for is done, not only that a process is there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from unaji.web.casebook.apart import get_ready
from unaji.web.casebook.models import Beat, Job
from unaji.web.casebook.models.results import JobState
from unaji.web.tasks import task

CLOCK, WORKER = "clock", "worker"
CALL_EVERY = timedelta(minutes=1)
SILENT_AFTER = {CLOCK: timedelta(minutes=2), WORKER: timedelta(minutes=4)}
"""After how long a process that says nothing is taken to be dead: a few of its rounds."""
KEPT_FOR = timedelta(days=1)


def clock_beats() -> int:
    """Note that the clock has gone round; there is nothing to count."""
    _beat(CLOCK)
    return 0


@task
def answer() -> None:
    """Note that the worker does what is in the queue; it gets ready for its first job on the way."""
    get_ready(settings.JOBS_START)
    _beat(WORKER)


def call_worker() -> int:
    """Ask the worker for a sign of life, unless one is asked for or fresh; there is nothing to count."""
    last = heard(WORKER)
    called = DBTaskResult.objects.filter(task_path=answer.module_path, finished_at__isnull=True)
    if (last is None or last < timezone.now() - CALL_EVERY) and not called.filter(started_at__isnull=True).exists():
        answer.enqueue()
    return 0


def forget_finished() -> int:
    """Remove what the queue still holds of work that was done, or whose worker died, more than a day ago.

    What is to be known of a job stands in `Job`, so nothing is lost; there is nothing to count.
    """
    before = timezone.now() - KEPT_FOR
    DBTaskResult.objects.filter(Q(finished_at__lt=before) | Q(started_at__lt=before)).delete()
    return 0


def heard(name: str) -> datetime | None:
    """Return when a process last showed that it lives; None when it never did.

    A worker that is busy with a long job answers no call, but its job says every few seconds that it goes on.
    """
    beat = Beat.objects.filter(pk=name).first()
    moments = [beat.at] if beat is not None else []
    if name == WORKER:
        running = Job.objects.filter(state=JobState.RUNNING, beat_at__isnull=False).order_by("-beat_at").first()
        if running is not None and running.beat_at is not None:
            moments.append(running.beat_at)
    return max(moments, default=None)


def is_silent(name: str) -> bool:
    """Say whether nothing was heard of a process for longer than it may be silent."""
    last = heard(name)
    return last is None or last < timezone.now() - SILENT_AFTER[name]


def _beat(name: str) -> None:
    Beat.objects.update_or_create(pk=name, defaults={"at": timezone.now()})

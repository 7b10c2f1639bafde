"""Jobs: one at a time for a person, begun anew where a worker died, stopped when asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from unaji.web.casebook import jobs
from unaji.web.casebook.jobs import CancelledError, CannotError, ask, cancel, hold, retry, run, wake_silent
from unaji.web.casebook.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doer(monkeypatch):
    """Put another doer in the place of the one that explains."""

    def put(function):
        monkeypatch.setitem(jobs.DOERS, "explain", function)

    return put


def test_a_job_that_is_asked_for_twice_waits_once(hana):
    assert ask(hana, "explain", by=hana.user).pk == ask(hana, "explain", by=hana.user).pk
    assert Job.objects.count() == 1


def test_a_job_is_done_once_however_often_it_is_woken(hana, doer):
    done = []
    doer(lambda job, progress: done.append(job.pk))
    job = ask(hana, "explain", by=hana.user)

    run(job.pk)
    run(job.pk)

    job.refresh_from_db()
    assert done == [job.pk]
    assert (job.state, job.share) == ("done", 1.0)


def test_a_second_job_of_the_same_person_waits_until_the_first_is_done(hana, doer):
    order = []

    def do(job, progress):
        if not order:
            second = ask(hana, "explain", by=hana.user)
            order.append("first")
            run(second.pk)
            second.refresh_from_db()
            assert second.state == "waiting"

    doer(do)
    run(ask(hana, "explain", by=hana.user).pk)

    assert Job.objects.filter(state="waiting").count() == 1


def test_jobs_of_two_people_run_side_by_side(hana, ken, doer):
    states = []

    def do(job, progress):
        if job.person_id == hana.pk:
            other = ask(ken, "explain", by=ken.user)
            run(other.pk)
            other.refresh_from_db()
            states.append(other.state)

    doer(do)
    run(ask(hana, "explain", by=hana.user).pk)

    assert states == ["done"]


def test_a_job_whose_worker_died_is_begun_anew_and_given_up_after_three_times(hana, doer):
    job = ask(hana, "explain", by=hana.user)
    long_ago = timezone.now() - timedelta(minutes=5)
    for tries in (1, 2):
        Job.objects.filter(pk=job.pk).update(state="running", beat_at=long_ago, tries=tries, made_at=long_ago)
        assert wake_silent() == 1
        job.refresh_from_db()
        assert job.state == "waiting"

    Job.objects.filter(pk=job.pk).update(state="running", beat_at=long_ago, tries=3)
    wake_silent()

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "gave_up")


def test_a_job_whose_worker_died_is_not_needed_where_the_same_waits_already(hana, ken):
    long_ago = timezone.now() - timedelta(minutes=5)
    died, other = ask(hana, "explain", by=hana.user), ask(ken, "explain", by=ken.user)
    Job.objects.update(state="running", beat_at=long_ago, tries=1, made_at=long_ago)
    again = ask(hana, "explain", by=hana.user)

    wake_silent()

    states = {job.pk: job.state for job in Job.objects.all()}
    assert states == {died.pk: "cancelled", again.pk: "waiting", other.pk: "waiting"}


def test_a_job_that_lives_is_left_alone(hana):
    job = ask(hana, "explain", by=hana.user)
    Job.objects.filter(pk=job.pk).update(state="running", beat_at=timezone.now())

    wake_silent()

    job.refresh_from_db()
    assert job.state == "running"


def test_a_running_job_stops_at_its_next_step(hana, doer):
    def do(job, progress):
        cancel(job, by=hana.user)
        progress(0.5)
        raise AssertionError("went on")

    doer(do)
    job = ask(hana, "explain", by=hana.user)
    run(job.pk)

    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_waiting_job_that_is_cancelled_is_never_begun(hana, doer):
    doer(lambda job, progress: pytest.fail("was begun"))
    job = ask(hana, "explain", by=hana.user)

    cancel(job, by=hana.user)
    run(job.pk)

    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_failure_says_its_kind_and_nothing_of_the_data(hana, doer, caplog):
    def do(job, progress):
        raise ValueError("36.9 °C of Hana")

    doer(do)
    job = ask(hana, "explain", by=hana.user)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "unexpected")
    assert "ValueError" in caplog.text
    assert retry(job, by=hana.user).state == "waiting"


def test_what_cannot_be_done_says_why(as_hana, hana, doer):
    def do(job, progress):
        raise CannotError("nothing_to_explain")

    doer(do)
    run(ask(hana, "explain", by=hana.user).pk)

    assert "記録がまだ何もありません" in as_hana.get("/why").content.decode()


def test_a_worker_that_slept_too_long_changes_nothing_any_more(hana, doer):
    def do(job, progress):
        Job.objects.filter(pk=job.pk).update(tries=2)  # another worker has begun it anew
        with pytest.raises(CancelledError):
            hold(job)

    doer(do)
    job = ask(hana, "explain", by=hana.user)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.tries) == ("running", 2)

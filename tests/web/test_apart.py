"""A job in a process of its own: stopped when it takes too much or is not wanted, and nothing of it is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unaji.web.casebook import jobs
from unaji.web.casebook.apart import PROC, memory_mb
from unaji.web.casebook.files import put_export, scratch, scratch_folder
from unaji.web.casebook.jobs import ask, cancel, hold, run
from unaji.web.casebook.models import Job

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # of Python 3.12: a fork beside threads
]


@pytest.fixture(autouse=True)
def _apart(settings):
    """Do jobs in processes that know what a test has put in the place of a doer; they begin as large as this one."""
    settings.JOBS_START = "fork"
    settings.JOB_MEMORY_MB, settings.JOB_MINUTES = memory_mb(os.getpid()) + 200, 1.0


@pytest.fixture
def doer(monkeypatch):
    def put(function):
        monkeypatch.setitem(jobs.DOERS, "explain", function)

    return put


def done(person):
    """Ask for a job, do it, and return what became of it."""
    job = ask(person, "explain", by=person.user)
    run(job.pk)
    job.refresh_from_db()
    return job


def eats(job, progress):
    held = []
    while True:
        held.append(b"x" * (8 << 20))
        time.sleep(0.005)


def loops(job, progress):
    while True:
        pass


@pytest.mark.skipif(not PROC.is_dir(), reason="memory is looked at in /proc")
def test_what_eats_memory_is_stopped_and_the_next_job_runs(hana, ken, doer):
    doer(eats)
    stopped = done(hana)
    doer(lambda job, progress: None)
    following = done(ken)

    assert (stopped.state, stopped.error) == ("failed", "too_large")
    assert following.state == "done"


def test_what_never_ends_is_stopped_and_the_next_job_runs(hana, ken, doer, settings):
    settings.JOB_MINUTES = 0.5 / 60
    doer(loops)
    stopped = done(hana)
    settings.JOB_MINUTES = 1.0
    doer(lambda job, progress: None)
    following = done(ken)

    assert (stopped.state, stopped.error) == ("failed", "took_too_long")
    assert following.state == "done"


def test_a_job_is_stopped_also_where_it_never_looks_up(hana, doer):
    def do(job, progress):
        cancel(job, by=hana.user)
        loops(job, progress)

    doer(do)

    assert done(hana).state == "cancelled"


def test_a_job_that_is_not_wanted_any_more_keeps_nothing(hana, doer, tmp_path):
    def do(job, progress):
        cancel(job, by=hana.user)
        hold(job)
        (tmp_path / "kept").touch()

    doer(do)

    assert done(hana).state == "cancelled"
    assert not (tmp_path / "kept").exists()


def test_a_job_that_keeps_what_it_did_is_not_stopped_any_more(hana, doer, monkeypatch):
    monkeypatch.setattr(jobs, "ASK_EVERY_S", 0.1)

    def do(job, progress):
        hold(job)
        cancel(job, by=hana.user)
        time.sleep(0.7)

    doer(do)

    assert done(hana).state == "done"


def test_a_job_whose_process_is_killed_is_begun_anew_and_given_up_after_three_times(hana, doer):
    doer(lambda job, progress: os.kill(os.getpid(), signal.SIGKILL))
    job = ask(hana, "explain", by=hana.user)
    seen = []
    for _ in range(3):
        run(job.pk)
        job.refresh_from_db()
        seen.append((job.state, job.error))

    assert seen == [("waiting", ""), ("waiting", ""), ("failed", "gave_up")]


def test_a_job_whose_process_is_killed_is_not_needed_where_the_same_waits_already(hana, doer):
    def do(job, progress):
        ask(hana, "explain", by=hana.user)
        os.kill(os.getpid(), signal.SIGKILL)

    doer(do)

    assert done(hana).state == "cancelled"
    assert Job.objects.filter(person=hana, state="waiting").count() == 1


def test_a_job_stopped_while_it_keeps_what_it_did_is_begun_anew(hana, doer, settings):
    settings.JOB_MINUTES = 1.5 / 60

    def do(job, progress):
        hold(job)
        loops(job, progress)

    doer(do)

    assert done(hana).state == "waiting"


def test_a_stopped_job_leaves_neither_plain_files_nor_half_of_a_sealed_one(hana, doer, settings, tmp_path):
    settings.JOB_MINUTES = 2 / 60

    def do(job, progress):
        with scratch_folder() as place, put_export(hana.pk, "half.zip") as out:
            (place / "plain").write_bytes(b"36.9")
            out.write(b"x" * (20 << 20))
            (tmp_path / "number").write_text(str(os.getpid()), encoding="ascii")
            loops(job, progress)

    doer(do)
    stopped = done(hana)

    number = (tmp_path / "number").read_text(encoding="ascii")
    assert stopped.error == "took_too_long"
    assert not list(scratch().glob(f"unaji-{number}-*"))
    assert not [file for file in (settings.HOME / "people").rglob("*") if file.is_file()]


def test_a_failure_in_the_process_says_its_code(hana, doer):
    def do(job, progress):
        progress(0.5)
        raise OSError(28, "No space left on device")

    doer(do)
    job = done(hana)

    assert (job.state, job.error, job.share) == ("failed", "no_room", 0.5)


def test_a_person_reads_why_a_job_was_stopped(as_hana, hana, doer, settings):
    settings.JOB_MINUTES = 0.2 / 60
    doer(loops)
    done(hana)

    assert "時間がかかりすぎる" in as_hana.get("/why").content.decode()


def test_a_worker_that_is_busy_says_that_it_lives(hana, doer, monkeypatch):
    monkeypatch.setattr(jobs, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(jobs, "BEAT_EVERY_S", 0.2)
    doer(lambda job, progress: time.sleep(0.8))

    job = done(hana)

    assert (job.beat_at - job.started_at).total_seconds() > 0.3


WORKER = """
import multiprocessing, os, signal
from unaji.web.casebook.apart import Limits, done_apart

def kill_the_worker():
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

limits = Limits(4096, 1)
print(done_apart("operator:add", (20, 22), start="forkserver", limits=limits, wanted=lambda: True).answer, flush=True)
done_apart("time:sleep", (60,), start="forkserver", limits=limits, wanted=kill_the_worker)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the process of a job")
def test_where_the_worker_is_killed_its_job_ends_too():
    said = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=False, timeout=120)

    answer, number = map(int, said.stdout.split())
    assert (answer, said.returncode) == (42, -signal.SIGKILL)
    until = time.monotonic() + 20
    while Path(f"/proc/{number}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{number}").exists()


class Panic(BaseException):
    """What a library may raise that is no `Exception`; its message holds what was in a file."""


def panics(job, progress):
    raise Panic("row 17: 82 of Hanako")


def test_what_a_library_cries_out_is_written_nowhere(hana, doer, capfd, caplog):
    doer(panics)

    assert done(hana).state == "waiting"  # to be tried again
    assert "Hanako" not in "".join(capfd.readouterr()) + caplog.text


def test_what_a_killed_worker_left_is_gone_at_the_next_try(hana, doer, settings):
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1, text=True, check=True)
    half = settings.HOME / "people" / str(hana.pk) / "exports" / f".half.zip.sealed.{ended.stdout.strip()}"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    doer(lambda job, progress: None)
    job = ask(hana, "explain", by=hana.user)
    Job.objects.filter(pk=job.pk).update(tries=1)

    run(job.pk)

    assert not half.exists()

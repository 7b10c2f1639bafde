"""Each thing that can be amiss is seen, and what to do about it is said in both languages."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from unaji.web.casebook import beats
from unaji.web.casebook.actions import diary
from unaji.web.casebook.files import put_document
from unaji.web.casebook.keys import destroy_person_key
from unaji.web.casebook.management.commands.clock import DUE
from unaji.web.casebook.models import AuditEvent, Beat, Job
from unaji.web.upkeep.backup import back_up
from unaji.web.upkeep.checks import State, look
from unaji.web.words import LANGUAGES, catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def well(hana, settings, tmp_path):
    """Set everything up as it should be."""
    settings.HOME.chmod(0o700)
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "app.1234.css").write_text("", encoding="utf-8")
    (settings.STATIC_ROOT / "staticfiles.json").write_text('{"paths": {"app.css": "app.1234.css"}}', encoding="utf-8")
    (settings.HOME / "keys" / "secret").write_text("s", encoding="ascii")
    (settings.HOME / "keys" / "secret").chmod(0o600)
    diary.log_episode(hana, by=hana.user, note="熱い")
    put_document(hana.pk, "report", b"%PDF")
    for name in (beats.CLOCK, beats.WORKER):
        Beat.objects.create(name=name, at=timezone.now())
    return hana


def states(**how) -> dict[str, State]:
    return {line.id: line.state for line in look(**how)}


def wrong(**how) -> set[str]:
    return {name for name, state in states(**how).items() if state is State.WRONG}


def test_when_all_is_well_nothing_is_wrong(well):
    assert wrong() == set()


def test_every_line_can_be_said_in_both_languages(well):
    for line in look():
        for language in LANGUAGES:
            say = catalogue(language)
            assert say(f"upkeep.check.{line.id}.do")
            assert say(f"upkeep.check.{line.id}.wrong", what="x") != say(
                f"upkeep.check.{line.id}.{line.state}", **line.said
            )


def open_key_to_others(_hana):
    (django_settings.HOME / "keys" / "master").chmod(0o644)


def open_home_to_others(_hana):
    django_settings.HOME.chmod(0o755)


def lose_a_person_key(hana):
    destroy_person_key(hana.pk)


def damage_a_file(hana):
    file = django_settings.HOME / "people" / str(hana.pk) / "documents" / "report.sealed"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def lose_a_static_file(_hana):
    (django_settings.STATIC_ROOT / "app.1234.css").unlink()


def change_the_audit(_hana):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER casebook_auditevent_no_update")
        else:
            cursor.execute("ALTER TABLE casebook_auditevent DISABLE TRIGGER casebook_auditevent_no_update")
    AuditEvent.objects.filter(pk=AuditEvent.objects.order_by("pk")[1].pk).update(action="view")


def still_the_clock(_hana):
    Beat.objects.filter(pk=beats.CLOCK).update(at=timezone.now() - timedelta(minutes=3))


def still_the_worker(_hana):
    Beat.objects.filter(pk=beats.WORKER).delete()


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (open_key_to_others, "keys"),
        (open_home_to_others, "home"),
        (lose_a_person_key, "people_keys"),
        (damage_a_file, "sealed"),
        (lose_a_static_file, "static"),
        (still_the_clock, "clock"),
        (still_the_worker, "worker"),
    ],
)
def test_what_is_amiss_is_seen_and_nothing_else_is_blamed(well, harm, line):
    harm(well)

    assert wrong() == {line}


@pytest.fixture
def _sealed_again():
    """Put the trigger that a test took away back."""
    with connection.cursor() as cursor:
        sql = "SELECT sql FROM sqlite_master WHERE name = 'casebook_auditevent_no_update'"
        held = cursor.execute(sql).fetchone()[0] if connection.vendor == "sqlite" else ""
    yield
    back = held or "ALTER TABLE casebook_auditevent ENABLE TRIGGER casebook_auditevent_no_update"
    with connection.cursor() as cursor:
        cursor.execute(back)


@pytest.mark.usefixtures("_sealed_again")
def test_a_line_of_the_audit_that_was_changed_is_seen(well):
    change_the_audit(well)

    assert wrong() == {"audit"}


def test_a_missing_typeface_is_seen_and_the_package_is_named(well, monkeypatch):
    monkeypatch.setattr("unaji.web.upkeep.checks.first_of", lambda families: None)

    (line,) = [one for one in look() if one.state is State.WRONG]

    assert line.id == "typefaces"
    for language in LANGUAGES:
        say = catalogue(language)
        assert "apt install fonts-morisawa-bizud-gothic" in say("upkeep.check.typefaces.do")


def test_one_look_that_fails_does_not_hide_the_others(well, monkeypatch):
    monkeypatch.setattr("unaji.web.upkeep.checks.broken_at", lambda: 1 / 0)
    (django_settings.HOME / "keys" / "master").chmod(0o640)

    assert wrong() == {"audit", "keys"}


def test_a_fresh_copy_apart_from_its_keys_is_right(well, tmp_path):
    back_up(tmp_path / "copies", now=timezone.now(), keys_into=tmp_path / "elsewhere")

    assert states(backups=tmp_path / "copies")["backup"] is State.RIGHT


def test_an_audit_that_was_written_anew_does_not_match_the_copy(well, tmp_path):
    back_up(tmp_path / "copies", now=timezone.now())
    diary.log_episode(well, by=well.user)
    assert states(backups=tmp_path / "copies")["audit_of_then"] is State.RIGHT

    with tarfile.open(next((tmp_path / "copies").iterdir())) as whole:
        manifest = json.load(whole.extractfile("manifest.json"))
    told = json.dumps({**manifest, "chain": "0" * 64}).encode()
    with tarfile.open(next((tmp_path / "copies").iterdir()), "w") as other:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(told)
        other.addfile(entry, io.BytesIO(told))

    assert wrong(backups=tmp_path / "copies") == {"audit_of_then"}


def test_an_old_copy_and_keys_beside_the_copies_are_wrong(well, tmp_path):
    assert states(backups=tmp_path / "nothing")["backup"] is State.WRONG
    back_up(tmp_path / "old", now=timezone.now() - timedelta(days=3))
    assert states(backups=tmp_path / "old")["backup"] is State.WRONG
    back_up(tmp_path / "both", now=timezone.now())
    (tmp_path / "both" / "unaji-keys-x.tar").write_bytes(b"")
    assert states(backups=tmp_path / "both")["backup"] is State.WRONG
    assert states(backups=django_settings.HOME.parent)["backup"] is State.WRONG


def test_a_public_address_must_not_open_the_example_and_needs_mail(well, settings):
    settings.ORIGIN = "https://unaji.example"
    settings.EXAMPLE = True

    assert {"address", "mail"} <= wrong()

    settings.EXAMPLE = False
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "mail.example"
    settings.DEFAULT_FROM_EMAIL = "unaji@unaji.example"
    assert not {"address", "mail"} & wrong()


# -- signs of life -----------------------------------------------------------------------------------------------------


def test_a_worker_at_a_long_job_lives_though_it_answers_no_call(well):
    still_the_worker(well)
    Job.objects.create(person=well, kind="explain", state="running", beat_at=timezone.now())

    assert not beats.is_silent(beats.WORKER)


def test_the_clock_calls_the_worker_once_until_it_answers(hana, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    for _ in range(3):
        beats.call_worker()
    assert DBTaskResult.objects.count() == 1

    beats.answer.call()
    DBTaskResult.objects.update(started_at=timezone.now(), finished_at=timezone.now(), status="SUCCESSFUL")
    beats.call_worker()

    assert not beats.is_silent(beats.WORKER)
    assert DBTaskResult.objects.count() == 1


def test_the_queue_forgets_what_was_done_and_what_a_dead_worker_left(hana, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    yesterday = timezone.now() - timedelta(days=2)
    for _ in range(3):
        beats.answer.enqueue()
    done, dead, waiting = DBTaskResult.objects.order_by("enqueued_at")
    DBTaskResult.objects.filter(pk=done.pk).update(started_at=yesterday, finished_at=yesterday, status="SUCCESSFUL")
    DBTaskResult.objects.filter(pk=dead.pk).update(started_at=yesterday, status="RUNNING")

    beats.forget_finished()

    assert [one.pk for one in DBTaskResult.objects.all()] == [waiting.pk]


def test_the_clock_does_all_three():
    assert {beats.call_worker, beats.forget_finished, beats.clock_beats} <= set(DUE)


# -- the command -------------------------------------------------------------------------------------------------------


def unaji(*said: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UNAJI_", "DJANGO_"))}
    command = [sys.executable, "-m", "unaji.cli", "web", *said]
    return subprocess.run(command, env={**clean, **env}, capture_output=True, text=True, check=False)


PREPARE = "import os; os.umask(0o022); from unaji.web import serving; serving.prepare()"


@pytest.fixture(scope="module")
def fresh_home(tmp_path_factory):
    """Make a home as `unaji serve` does before it starts anything."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNAJI_")}
    env |= {"UNAJI_HOME": str(home), "DJANGO_SETTINGS_MODULE": "unaji.web.settings"}
    subprocess.run([sys.executable, "-c", PREPARE], env=env, check=True)
    return home


def test_the_command_finds_a_fresh_home_right_but_for_what_does_not_run(fresh_home):
    done = unaji("check", "--home", str(fresh_home), "--json")

    said = json.loads(done.stdout)
    assert {one["id"] for one in said["checks"] if one["state"] == "wrong"} == {"clock", "worker"}
    assert all(one["do"] for one in said["checks"] if one["state"] == "wrong")
    assert (said["ok"], done.returncode) == (False, 6)


def test_the_command_says_it_in_words_and_marks(fresh_home):
    done = unaji("check", "--home", str(fresh_home))

    assert "✗ 時計係から合図がありません" in done.stdout
    assert "    → " in done.stdout
    assert "✓ データベースの表は、この版のものです。" in done.stdout


def test_on_a_public_address_the_settings_pass_the_check_for_deployment(fresh_home):
    env = {"UNAJI_ORIGIN": "https://unaji.example", "UNAJI_BEHIND_PROXY": "1",
           "UNAJI_MAIL_URL": "smtps://u:p@mail.example:465", "UNAJI_MAIL_FROM": "unaji@unaji.example"}  # fmt: skip

    said = json.loads(unaji("check", "--home", str(fresh_home), "--json", **env).stdout)

    state = {one["id"]: one["state"] for one in said["checks"]}
    assert (state["settings"], state["address"], state["mail"]) == ("right", "right", "right")


def test_a_home_that_is_not_there_is_not_made_by_looking(tmp_path):
    done = unaji("check", "--home", str(tmp_path / "nowhere"))

    assert done.returncode == 3
    assert "no home of unaji" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_moderator_needs_an_account(fresh_home):
    make = (
        "import django; django.setup(); from unaji.web.casebook.models import User;"
        "User.objects.create_user('Editor@unaji.example')"
    )
    env = {**os.environ, "UNAJI_HOME": str(fresh_home), "DJANGO_SETTINGS_MODULE": "unaji.web.settings"}
    env.pop("UNAJI_DATABASE_URL", None)
    assert unaji("moderator", "editor@unaji.example", "--home", str(fresh_home)).returncode == 3
    subprocess.run([sys.executable, "-c", make], env=env, check=True)

    done = unaji("moderator", "editor@unaji.example", "--home", str(fresh_home), "--lang", "en")

    assert done.stdout.strip() == "Editor@unaji.example now answers readers' questions."

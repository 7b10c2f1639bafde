"""The tables can be made, unmade and made again on both databases, and what is sealed is sealed on both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command

import unaji.web.casebook

MIGRATIONS = Path(unaji.web.casebook.__file__).parent / "migrations"
ALL_THE_WAY = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

def tables():
    with connection.cursor() as cursor:
        return sorted(one for one in connection.introspection.table_names(cursor) if one.startswith("casebook_"))

call_command("migrate", verbosity=0, interactive=False)
first = tables()
assert "casebook_episode" in first and "casebook_auditevent" in first, first
call_command("migrate", "account", "zero", verbosity=0, interactive=False)
call_command("migrate", "mfa", "zero", verbosity=0, interactive=False)
call_command("migrate", "usersessions", "zero", verbosity=0, interactive=False)
call_command("migrate", "casebook", "zero", verbosity=0, interactive=False)
assert tables() == [], tables()
if connection.vendor == "postgresql":
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'casebook%'")
        assert cursor.fetchall() == []
call_command("migrate", verbosity=0, interactive=False)
assert tables() == first, tables()

from django.db import DatabaseError, transaction
from datetime import timedelta
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.models import AuditEvent, AuditHead, ConsentText, Trial, User
from unaji.web.casebook.audit import record
from unaji.web.casebook.models import Beat

beat = Beat.objects.create(pk="clock", at=timezone.now())
now = timezone.now()
user = User.objects.create_user("mio@example.org")
person = open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=["care"], language="ja")
trial = Trial.objects.create(person=person, outcome="episodes", registered_at=now, plan_sealed=b"as it was")
rows = Trial.objects.filter(pk=trial.pk)
with transaction.atomic():
    line = record("create", beat, by=None, person=None)

refused = []
for change in (
    lambda: AuditEvent.objects.filter(pk=line.pk).update(action="view"),
    lambda: AuditEvent.objects.filter(pk=line.pk).delete(),
    lambda: ConsentText.objects.filter(purpose="care").update(body="other"),
    lambda: rows.update(plan_sealed=b"other"),
    lambda: rows.update(registered_at=now - timedelta(days=1)),
    lambda: rows.update(ended_why="unwell"),
    lambda: rows.update(ended_at=now),
    lambda: rows.update(ended_at=now - timedelta(days=1), ended_why="unwell"),
    lambda: Trial.objects.create(person=person, outcome="episodes", registered_at=now),
    lambda: rows.update(ended_at=now, ended_why="unwell") and rows.update(ended_why="unwanted"),
):
    try:
        with transaction.atomic():
            change()
    except DatabaseError as error:
        refused.append("sealed" if "is sealed" in str(error) else type(error).__name__)
assert refused == ["sealed"] * 5 + ["IntegrityError"] * 4 + ["sealed"], refused
assert bytes(Trial.objects.get(pk=trial.pk).plan_sealed) == b"as it was"
assert AuditEvent.objects.get(pk=line.pk).action == "create"
print("all the way")
"""


BACK_BEFORE_THE_WEATHER = """
import django
django.setup()
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from unaji.web.casebook.actions.consents import give_consent
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.jobs import ask
from unaji.web.casebook.models import Consent, ConsentText, Job, User

call_command("migrate", verbosity=0, interactive=False)
user = User.objects.create_user("mio@example.org")
person = open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=("care", "weather"), language="ja")
for kind in ("weather", "no_weather", "export"):
    ask(person, kind, by=user)

def counts():
    return [Consent.objects.count(), ConsentText.objects.filter(purpose="weather").count(), Job.objects.count()]

def sealed():
    try:
        with transaction.atomic():
            Consent.objects.filter(purpose="care").update(given_by="guardian")
    except DatabaseError as error:
        return "sealed" in str(error)

def refused(purpose):
    try:
        with transaction.atomic():
            ConsentText.objects.create(purpose=purpose, version=9, language="ja", body="x", valid_from=user.joined_at)
    except DatabaseError as error:
        return "consent_text_purpose_known" in str(error)

assert counts() == [2, 2, 3] and sealed() and refused("else") and not refused("weather")
ConsentText.objects.filter(version=9).delete()
call_command("migrate", "casebook", BEFORE, verbosity=0, interactive=False)
assert counts() == [1, 0, 1] and sealed() and refused("weather"), counts()
call_command("migrate", verbosity=0, interactive=False)
assert counts() == [1, 2, 1] and sealed() and not refused("weather"), counts()
print("there and back")
"""


BACK_BEFORE_TRIALS_HAD_JOBS = """
import django
django.setup()
from django.core.management import call_command
from django.db import IntegrityError, transaction
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.jobs import ask
from unaji.web.casebook.models import Job, User

call_command("migrate", verbosity=0, interactive=False)
user = User.objects.create_user("mio@example.org")
person = open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=("care",), language="ja")
for kind in ("trial", "export"):
    ask(person, kind, by=user)

def kinds():
    return sorted(Job.objects.values_list("kind", flat=True))

assert kinds() == ["export", "trial"]
call_command("migrate", "casebook", BEFORE, verbosity=0, interactive=False)
assert kinds() == ["export"], kinds()
try:
    with transaction.atomic():
        Job.objects.create(person_id=person.pk, kind="trial")
except IntegrityError as error:
    assert "job_kind_known" in str(error), error
call_command("migrate", verbosity=0, interactive=False)
assert kinds() == ["export"], kinds()
print("there and back")
"""


def go(home, url="", code=ALL_THE_WAY):
    home.mkdir()
    env = {
        **os.environ, "UNAJI_HOME": str(home), "UNAJI_ORIGIN": "http://localhost:8000", "UNAJI_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "unaji.web.settings",
    }  # fmt: skip
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_on_sqlite_the_way_goes_forwards_and_back_and_sealed_rows_stay(tmp_path):
    done = go(tmp_path / "other")

    assert done.stdout.strip() == "all the way", done.stderr


def before(name: str) -> str:
    """Return the name of the migration on which another one rests."""
    (file,) = MIGRATIONS.glob(f"*_{name}.py")
    return re.search(r'dependencies = \[\("casebook", "(\w+)"\)\]', file.read_text(encoding="utf-8")).group(1)


def test_on_sqlite_tables_from_before_the_weather_lose_its_rows_and_no_others(tmp_path):
    code = BACK_BEFORE_THE_WEATHER.replace("BEFORE", repr(before("weather")))
    done = go(tmp_path / "other", code=code)

    assert done.stdout.strip() == "there and back", done.stderr


def test_on_postgresql_tables_from_before_the_weather_lose_its_rows_and_no_others(tmp_path, postgres_url):
    code = BACK_BEFORE_THE_WEATHER.replace("BEFORE", repr(before("weather")))
    done = go(tmp_path / "other", database(postgres_url), code)

    assert done.stdout.strip() == "there and back", done.stderr


def test_on_sqlite_tables_from_before_trials_had_jobs_lose_those_and_no_others(tmp_path):
    code = BACK_BEFORE_TRIALS_HAD_JOBS.replace("BEFORE", repr(before("job_trial")))
    done = go(tmp_path / "other", code=code)

    assert done.stdout.strip() == "there and back", done.stderr


def test_on_postgresql_tables_from_before_trials_had_jobs_lose_those_and_no_others(tmp_path, postgres_url):
    code = BACK_BEFORE_TRIALS_HAD_JOBS.replace("BEFORE", repr(before("job_trial")))
    done = go(tmp_path / "other", database(postgres_url), code)

    assert done.stdout.strip() == "there and back", done.stderr


def database(postgres_url: str) -> str:
    """Make an empty database, and return its address."""
    import psycopg

    name = f"migrations_{uuid4().hex[:8]}"
    with psycopg.connect(f"{postgres_url}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    return f"{postgres_url}/{name}"


def test_on_postgresql_the_way_goes_forwards_and_back_and_sealed_rows_stay(tmp_path, postgres_url):
    done = go(tmp_path / "other", database(postgres_url))

    assert done.stdout.strip() == "all the way", done.stderr


@pytest.mark.django_db
def test_no_change_of_a_model_waits_for_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

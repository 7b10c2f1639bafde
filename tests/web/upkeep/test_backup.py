"""Copies: of what, without what, which stay; and how they come back."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from tests.web.conftest import make_person
from unaji.errors import InputError, OutputError, UsageError
from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.exports import erase_person
from unaji.web.casebook.audit import broken_at
from unaji.web.casebook.files import opened
from unaji.web.casebook.models import AuditHead, Episode
from unaji.web.upkeep import backup
from unaji.web.upkeep.backup import DATA, KEYS, STAMP, back_up, dated, kept
from unaji.web.upkeep.restore import unpack

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)
NOTE = "だれにも見せない言葉"


@pytest.fixture
def places(tmp_path):
    return tmp_path / "copies", tmp_path / "elsewhere"


@pytest.fixture
def kept_hana(hana):
    """Give Hana a note and a file, as somebody has who uses the app."""
    diary.log_episode(hana, by=hana.user, note=NOTE)
    with opened(hana.pk, write=True) as folder:
        (folder / "series").mkdir()
        (folder / "series" / "hr.csv").write_text("time,hr_bpm\n", encoding="utf-8")
    return hana


def restore(archive: Path, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does; the copy of a test's database goes into a new one beside it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNAJI_")}
    env |= {"DJANGO_SETTINGS_MODULE": "unaji.web.settings", "UNAJI_HOME": str(home)}
    if connection.vendor == "postgresql":
        name = f"restored_{abs(hash(str(home))):x}"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        said = connection.settings_dict
        env["UNAJI_DATABASE_URL"] = f"postgresql://{said['USER']}@{said['HOST']}:{said['PORT']}/{name}"
    command = [sys.executable, "-m", "unaji.cli", "web", "restore", str(archive), "--home", str(home), *more]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def members(archive: Path) -> set[str]:
    with tarfile.open(archive) as said:
        return set(said.getnames())


def test_a_copy_holds_rows_and_sealed_files_and_no_key(kept_hana, places):
    made = back_up(places[0], now=NOW)

    names = members(made.data)
    assert f"people/{kept_hana.pk}/files/series/hr.csv.sealed" in names
    assert not [name for name in names if "key" in name or "master" in name or "secret" in name]
    assert made.manifest.counts["casebook_episode"] == 1
    assert made.manifest.chain == AuditHead.objects.get().chain
    assert made.data.stat().st_mode & 0o077 == 0
    assert NOTE.encode() not in made.data.read_bytes()


def test_nothing_is_left_beside_the_archive(kept_hana, places):
    made = back_up(places[0], now=NOW)

    assert list(places[0].iterdir()) == [made.data]
    assert not list(django_settings.HOME.glob(".backup-*"))


def test_whoever_finds_a_copy_cannot_pass_for_somebody_who_is_signed_in(kept_hana, places, tmp_path):
    client = Client()
    client.force_login(kept_hana.user)
    number = client.session.session_key

    made = back_up(places[0], now=NOW)

    assert number.encode() not in made.data.read_bytes()
    if connection.vendor == "sqlite":
        with tarfile.open(made.data) as archive:
            (tmp_path / "database.sqlite3").write_bytes(archive.extractfile("database.sqlite3").read())
        with sqlite3.connect(tmp_path / "database.sqlite3") as copy:
            assert copy.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
            assert copy.execute("SELECT count(*) FROM casebook_episode").fetchone() == (1,)


@pytest.mark.parametrize("keys", ["copies", "copies/keys", "."])
def test_keys_do_not_go_where_the_data_goes(hana, tmp_path, keys):
    with pytest.raises(UsageError, match="one folder"):
        back_up(tmp_path / "copies", now=NOW, keys_into=tmp_path / keys)


def test_a_copy_does_not_go_into_what_it_is_a_copy_of(hana):
    with pytest.raises(UsageError, match="to be copied"):
        back_up(django_settings.HOME / "copies", now=NOW)


def test_a_copy_that_cannot_be_written_leaves_nothing(kept_hana, places, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_add", full)
    with pytest.raises(OutputError, match="No space left"):
        back_up(places[0], now=NOW)

    assert list(places[0].iterdir()) == []


def test_files_that_change_while_they_are_copied_are_taken_hold_of_once_more(kept_hana, tmp_path, monkeypatch):
    people, target = django_settings.HOME / "people", tmp_path / "held"
    file = people / str(kept_hana.pk) / "files" / "CURRENT.sealed"
    file.write_bytes(b"former")
    link, calls = backup._link, []

    def slow(source, to):
        link(source, to)
        if not calls:
            calls.append(source)
            file.with_name("fresh").write_bytes(b"latter")
            file.with_name("fresh").replace(file)

    monkeypatch.setattr(backup, "_link", slow)
    backup._link_people(people, target)

    assert (target / str(kept_hana.pk) / "files" / "CURRENT.sealed").read_bytes() == b"latter"


def test_without_age_nothing_is_encrypted_and_that_is_said(hana, places, monkeypatch):
    monkeypatch.setattr(backup.shutil, "which", lambda _name: None)

    with pytest.raises(InputError, match="apt install age"):
        back_up(places[0], now=NOW, recipient="age1x")

    assert not places[0].exists()


# -- back again --------------------------------------------------------------------------------------------------------


def test_a_copy_comes_back_with_every_row_and_a_note_that_opens(kept_hana, places, tmp_path):
    made = back_up(places[0], now=datetime.now(UTC), keys_into=places[1])
    assert made.keys is not None

    done = restore(made.data, tmp_path / "again", "--keys", str(made.keys), "--json")

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["people"], said["opened"], said["wrong"], said["unopened"]) == (1, "note", [], [])
    assert (tmp_path / "again" / "people" / str(kept_hana.pk) / "files" / "series" / "hr.csv.sealed").is_file()


def test_who_was_erased_stays_erased_after_an_older_copy_comes_back(kept_hana, ken, places, tmp_path):
    diary.log_episode(ken, by=ken.user, note="ken's")
    older = back_up(places[0], now=datetime.now(UTC) - timedelta(days=1))
    number = kept_hana.pk
    erase_person(kept_hana, by=kept_hana.user)
    newer = back_up(places[0], now=datetime.now(UTC), keys_into=places[1])
    assert newer.keys is not None

    done = restore(older.data, tmp_path / "again", "--keys", str(newer.keys), "--json")

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["erased"] == [str(number)]
    assert said["people"] == 1
    assert said["opened"] == "note"
    assert not (tmp_path / "again" / "people" / str(number)).exists()
    if connection.vendor == "sqlite":
        with sqlite3.connect(tmp_path / "again" / "unaji.sqlite3") as copy:
            assert copy.execute("SELECT count(*) FROM casebook_episode").fetchone() == (1,)
            assert copy.execute("SELECT email FROM casebook_user").fetchall() == [("ken@example.org",)]


def test_who_joined_after_the_keys_were_copied_is_told_and_not_erased(kept_hana, places, tmp_path):
    keys = back_up(places[0], now=datetime.now(UTC), keys_into=places[1]).keys
    assert keys is not None
    ken = make_person("ken@example.org")
    newer = back_up(places[0], now=datetime.now(UTC))

    done = restore(newer.data, tmp_path / "again", "--keys", str(keys), "--json")

    said = json.loads(done.stdout)
    assert (said["erased"], said["unopened"]) == ([], [str(ken.pk)])


def test_without_keys_it_is_said_what_to_do(kept_hana, places, tmp_path):
    made = back_up(places[0], now=datetime.now(UTC))

    done = restore(made.data, tmp_path / "again", "--lang", "en")

    assert done.returncode == 0, done.stderr
    assert f"cannot be opened, for want of their keys: {kept_hana.pk}" in done.stdout
    assert "bring the keys back" in done.stdout


def test_a_home_that_is_not_empty_is_left_alone(kept_hana, places, tmp_path):
    made = back_up(places[0], now=NOW)
    home = tmp_path / "again"
    home.mkdir()
    (home / "mine").write_text("mine", encoding="utf-8")

    with pytest.raises(InputError, match="not empty"):
        unpack(made.data, home)

    assert [file.name for file in home.iterdir()] == ["mine"]


@pytest.mark.parametrize("harm", ["flip", "cut", "keys"])
def test_an_archive_that_was_changed_is_refused_and_nothing_is_left(kept_hana, places, tmp_path, harm):
    made = back_up(places[0], now=NOW, keys_into=places[1])
    archive = made.data
    content = bytearray(archive.read_bytes())
    if harm == "flip":
        content[700] ^= 1
        archive.write_bytes(content)
    elif harm == "cut":
        archive.write_bytes(content[: len(content) // 2])
    else:
        assert made.keys is not None
        archive = made.keys

    with pytest.raises(InputError, match=archive.name.replace(".", r"\.")):
        unpack(archive, tmp_path / "again")

    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".again-*"))


def test_an_archive_that_wants_to_write_elsewhere_is_refused(hana, tmp_path):
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as out:
        entry = tarfile.TarInfo("../outside")
        out.addfile(entry)

    with pytest.raises(InputError, match="not a file of ours"):
        unpack(archive, tmp_path / "again")

    assert not (tmp_path / "outside").exists()


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed (apt install age)")
def test_both_archives_pass_through_age_and_back(kept_hana, places, tmp_path):
    public, right, wrong = *age_key(tmp_path / "right"), age_key(tmp_path / "wrong")[1]

    made = back_up(places[0], now=NOW, keys_into=places[1], recipient=public)

    assert made.keys is not None
    assert made.data.name.endswith(".tar.age")
    assert made.data.read_bytes()[:7] == made.keys.read_bytes()[:7] == b"age-enc"
    with pytest.raises(InputError, match="--identity"):
        unpack(made.data, tmp_path / "again")
    with pytest.raises(InputError, match="no identity matched"):
        unpack(made.data, tmp_path / "again", identity=wrong)
    assert unpack(made.data, tmp_path / "again", keys=made.keys, identity=right) == made.manifest
    assert (tmp_path / "again" / "keys" / "master").is_file()


def age_key(file: Path) -> tuple[str, Path]:
    """Make a key pair of age; return the public half, and the file of the private one."""
    subprocess.run(["age-keygen", "-o", str(file)], check=True, capture_output=True)
    return re.search(r"age1\w+", file.read_text(encoding="utf-8"))[0], file


# -- which stay --------------------------------------------------------------------------------------------------------


def nightly(folder: Path, nights: int) -> dict[Path, datetime]:
    made = [NOW - timedelta(days=n) for n in range(nights)]
    return {folder / f"{DATA}{one.strftime(STAMP)}.tar": one for one in made}


def test_of_a_year_of_nights_seven_days_five_weeks_and_twelve_months_stay(tmp_path):
    stay = kept(nightly(tmp_path, 400), (7, 5, 12))

    days = sorted((NOW - nightly(tmp_path, 400)[file]).days for file in stay)
    assert days[:7] == [0, 1, 2, 3, 4, 5, 6]
    # 14 March 2026 is a Saturday: the weeks before end on Sundays 6, 13, 20 and 27 days earlier; the months before on
    # 28 February, 31 January …, 30 April 2025.
    assert {6, 13, 20, 27} <= set(days)
    assert {14, 42, 73, 318} <= set(days)
    assert max(days) == 318
    assert len(stay) == 7 + 3 + 11


def test_the_newest_copy_stays_even_when_none_is_to_be_kept(tmp_path):
    assert kept(nightly(tmp_path, 3), (0, 0, 0)) == {next(iter(nightly(tmp_path, 1)))}


def test_old_copies_are_removed_and_other_files_are_left(hana, places):
    for folder in places:
        folder.mkdir()
    (places[0] / "notes.txt").write_text("mine", encoding="utf-8")
    for days in (0, 1, 2, 8, 9):
        back_up(places[0], now=NOW - timedelta(days=days), keys_into=places[1])

    made = back_up(places[0], now=NOW + timedelta(hours=1), keys_into=places[1], keep=(2, 0, 0))

    assert list(dated(places[0], DATA).values()) == [NOW - timedelta(days=1), NOW + timedelta(hours=1)]
    assert NOW - timedelta(days=8) not in dated(places[1], KEYS).values()
    assert NOW - timedelta(days=2) in dated(places[1], KEYS).values()
    assert len(made.removed) == 4 + 2
    assert (places[0] / "notes.txt").exists()


def test_the_app_goes_on_while_a_copy_is_made(kept_hana, places):
    back_up(places[0], now=NOW)

    diary.log_episode(kept_hana, by=kept_hana.user)

    assert Episode.objects.count() == 2
    assert broken_at() is None

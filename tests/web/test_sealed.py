"""What a person writes cannot be read without their key: not in the database's files, not from another row."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings as chosen
from hypothesis import given
from hypothesis import strategies as st

from unaji.errors import InputError
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.keys import (
    Key,
    KeyGoneError,
    SealError,
    destroy_person_key,
    make_person_key,
    master_ring,
    number_of,
    person_key,
    seal,
    unseal,
)
from unaji.web.casebook.models import Episode, Person, Treatment
from unaji.web.casebook.sealed import SealedField

ROOT = Path(__file__).parents[2]
SEALED = [
    (model, field.name)
    for model in apps.get_app_config("casebook").get_models()
    for field in model._meta.local_fields
    if isinstance(field, SealedField)
]


def opened_by(model, field):
    """Give the name of the property that opens a sealed field."""
    name = field.removesuffix("_sealed")
    found = getattr(model, name, None)  # what only reads opens another one, which holds the text
    return name if isinstance(found, property) and found.fset else f"{name}_text"


# -- one value ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.text(max_size=40), st.integers(1, 65535))
def test_what_was_sealed_opens_with_the_same_key_for_the_same_place(plain, place, number):
    key = Key(secrets.token_bytes(32))

    sealed = seal(key, plain, place, number)

    assert unseal(key, sealed, place) == plain
    assert number_of(sealed) == number
    assert len(sealed) == 1 + 2 + 12 + len(plain) + 16
    assert seal(key, plain, place, number) != sealed, "each time anew"


@given(st.data())
def test_no_byte_of_a_sealed_value_can_be_changed(data):
    key = Key(secrets.token_bytes(32))
    sealed = bytearray(seal(key, "熱い".encode(), "place"))
    at = data.draw(st.integers(0, len(sealed) - 1).filter(lambda i: i not in (1, 2)))  # those name the key
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealError):
        unseal(key, bytes(sealed), "place")


@pytest.mark.parametrize("cut", [0, 1, 14, 15, 30])
def test_a_sealed_value_that_was_cut_off_does_not_open(cut):
    key = Key(secrets.token_bytes(32))

    with pytest.raises(SealError, match="place"):
        unseal(key, seal(key, b"hot", "place")[:cut], "place")


def test_another_key_does_not_open():
    sealed = seal(Key(secrets.token_bytes(32)), b"hot", "place")

    with pytest.raises(SealError, match="cannot be opened with this key"):
        unseal(Key(secrets.token_bytes(32)), sealed, "place")


# -- fields ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "field"), SEALED, ids=lambda one: getattr(one, "__name__", one))
def test_a_sealed_text_opens_only_in_its_own_row_of_its_own_person(model, field):
    me, other = uuid7(), uuid7()
    make_person_key(me)
    make_person_key(other)
    name = opened_by(model, field)

    def row(person, number):
        return model(pk=person) if model is Person else model(pk=number, person_id=person)

    here = row(me, number := uuid7())
    setattr(here, name, "うなじが熱い")
    stored = getattr(here, field)
    assert getattr(here, name) == "うなじが熱い"
    assert "熱い".encode() not in stored

    for elsewhere in [row(other, number)] + ([] if model is Person else [row(me, uuid7())]):
        setattr(elsewhere, field, stored)
        with pytest.raises(SealError):
            getattr(elsewhere, name)


def test_a_text_does_not_open_in_another_field_or_kind_of_row():
    me, number = uuid7(), uuid7()
    make_person_key(me)
    person = Person(pk=me)
    person.name = "架空 みお"
    person.kana_sealed = person.name_sealed
    with pytest.raises(SealError):
        _ = person.kana
    episode = Episode(pk=number, person_id=me)
    episode.note = "熱い"
    with pytest.raises(SealError):
        _ = Treatment(pk=number, person_id=me, note_sealed=episode.note_sealed).note


def test_an_empty_text_is_stored_as_nothing():
    me = uuid7()
    make_person_key(me)
    episode = Episode(person_id=me)

    episode.note = "熱い"
    episode.note = ""

    assert episode.note_sealed == b""
    assert episode.note == ""


IN_A_FILE = """
import django, json, sys
from unaji.web.serving import prepare
prepare()
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from unaji.web.casebook import models
from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.people import describe_person, open_casebook
SECRET = "うなじsecret熱い"
now = timezone.now()
user = models.User.objects.create_user("mio@example.org")
person = open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=["care"], language="ja")
describe_person(person, by=user, display_name="plain-to-be-found", name=SECRET, kana=SECRET, birth_date=SECRET,
                contact=SECRET, place=SECRET, unsafe_text=SECRET)
diary.log_episode(person, by=user, start=now - timedelta(hours=1), note=SECRET)
diary.log_treatment(person, by=user, kind="acupuncture", time=now - timedelta(hours=1), note=SECRET)
def put(row, *names):
    for name in names:
        setattr(row, name, SECRET)
    row.save()
    return row
put(models.ImportBatch(person=person, size_bytes=1, sha256="0"), "file_name", "told_text")
screen = put(models.RedFlagScreen(person=person, at=now, rules="1", level="none"), "answers_text")
put(models.Intake(person=person, at=now, screen=screen, article="x", rules="1", language="ja"), "answers_text")
put(models.Trial(person=person, outcome="episodes", registered_at=now), "question", "plan_text")
from django.apps import apps
from unaji.web.casebook.sealed import SealedField
full = {f"{m.__name__}.{f.name}": any(bytes(v) for v in m.objects.values_list(f.name, flat=True))
        for m in apps.get_app_config("casebook").get_models() for f in m._meta.local_fields
        if isinstance(f, SealedField)}
ways = {SECRET.encode(), SECRET.encode("utf-16-le"), json.dumps(SECRET)[1:-1].encode(), b"secret"}
found = {}
for file in sorted(settings.HOME.rglob("*")):  # while the database is open: its log is not yet taken over
    if file.is_file() and "static" not in file.relative_to(settings.HOME).parts:
        content = file.read_bytes()
        found[file.relative_to(settings.HOME).as_posix()] = [
            any(way in content for way in ways), b"plain-to-be-found" in content]
print(json.dumps({"full": full, "found": found, "person": str(person.pk)}))
"""


def test_no_sealed_text_is_in_the_files_of_the_database_and_its_log(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UNAJI_", "DJANGO_"))}
    env |= {
        "UNAJI_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "unaji.web.settings",
        "PYTHONPATH": str(ROOT / "src"),
    }
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_FILE], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])

    assert said["full"] == {f"{model.__name__}.{field}": True for model, field in SEALED}, "each field holds a text"
    found = said["found"]
    assert {"unaji.sqlite3", "unaji.sqlite3-wal"} <= found.keys()
    assert [file for file, (secret, _) in found.items() if secret] == []
    assert found["unaji.sqlite3-wal"][1], "what is not sealed is found, so the search works"
    assert found.keys() >= {"keys/master", f"keys/people/{said['person']}"}


# -- keys --------------------------------------------------------------------------------------------------------------


def keys_folder():
    return chosen.HOME / "keys"


def test_the_files_of_keys_are_readable_by_their_owner_alone():
    me = uuid7()
    make_person_key(me)

    for file in (keys_folder() / "master", keys_folder() / "people" / str(me)):
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o077 == 0


def test_a_persons_key_is_not_written_in_the_open_and_is_made_once():
    me = uuid7()
    make_person_key(me)
    key = person_key(me)

    make_person_key(me)

    stored = base64.b64decode((keys_folder() / "people" / str(me)).read_text())
    assert person_key(me) == key
    assert key not in stored


def add_master_key(number):
    file = keys_folder() / "master"
    stamp = file.stat().st_mtime_ns
    file.write_text(file.read_text() + f"{number} {base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    os.utime(file, ns=(stamp + 1, stamp + 1))  # also where the clock of the disk is coarse


def used_by(person: UUID):
    return number_of(base64.b64decode((keys_folder() / "people" / str(person)).read_text()))


def test_new_keys_are_wrapped_with_the_newest_master_key_and_old_ones_still_open():
    old, new = uuid7(), uuid7()
    make_person_key(old)
    before = person_key(old)

    add_master_key(7)
    make_person_key(new)

    assert sorted(master_ring()) == [1, 7]
    assert (used_by(old), used_by(new)) == (1, 7)
    assert person_key(old) == before
    assert person_key(new) != before


def test_a_key_that_was_moved_to_another_person_does_not_open():
    me, other = uuid7(), uuid7()
    make_person_key(me)
    make_person_key(other)
    (keys_folder() / "people" / str(other)).write_text((keys_folder() / "people" / str(me)).read_text())

    with pytest.raises(SealError):
        person_key(other)


def test_a_missing_master_key_says_what_to_do_and_is_not_made_anew():
    me = uuid7()
    make_person_key(me)
    (keys_folder() / "master").unlink()

    with pytest.raises(InputError, match=r"the master key is missing.*restore it from its backup"):
        make_person_key(uuid7())
    assert not (keys_folder() / "master").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key; restore it"),
        ("1\n", "line 1: not 'number key'"),
        ("1 AAAA\n", "line 1: not 'number key'"),
        ("one " + base64.b64encode(bytes(32)).decode(), "line 1: not 'number key'"),
        ("1 " + base64.b64encode(bytes(32)).decode() + "\n2 %%%\n", "line 2: not 'number key'"),
    ],
)
def test_a_damaged_master_key_names_its_line(text, said):
    keys_folder().mkdir()
    (keys_folder() / "master").write_text(text)

    with pytest.raises(InputError, match=said):
        master_ring()


def test_after_a_key_was_destroyed_nothing_of_the_person_opens_again():
    me, other = uuid7(), uuid7()
    make_person_key(me)
    make_person_key(other)
    episode = Episode(person_id=me)
    episode.note = "熱い"

    destroy_person_key(me)

    with pytest.raises(KeyGoneError, match=str(me)):
        _ = episode.note
    make_person_key(me)
    with pytest.raises(SealError):
        _ = episode.note
    assert person_key(other)
    destroy_person_key(uuid7())  # of whom there is none

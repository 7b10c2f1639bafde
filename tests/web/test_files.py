"""What is sealed part by part opens as it was, part by part, or not at all."""

from __future__ import annotations

import io
import os
import zipfile
from contextlib import closing

import pytest

from unaji.web.casebook import files
from unaji.web.casebook.files import (
    check_file,
    export,
    put_export,
    put_upload,
    scratch_folder,
    sealed_files,
    sweep_dead,
    upload,
)
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.keys import SealError, make_person_key

PART = 1000


@pytest.fixture
def person(monkeypatch):
    monkeypatch.setattr(files, "PART_BYTES", PART)
    number = uuid7()
    make_person_key(number)
    return number


@pytest.fixture
def kept(person):
    """Keep an export of five parts; give what is in it."""
    content = os.urandom(4 * PART + 500)
    with put_export(person, "all.zip") as out:
        out.write(content)
    return content


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 7])
@pytest.mark.parametrize("step", [1, 7, PART, 10 * PART])
def test_what_is_sealed_part_by_part_opens_as_it_was(person, size, step):
    content = os.urandom(size)

    put_upload(person, "one", (content[i : i + step] for i in range(0, size, step)))
    with put_export(person, "one") as out:
        for i in range(0, size, step):
            out.write(content[i : i + step])

    with upload(person, "one", "plain") as plain:
        assert plain.read_bytes() == content
    opened = export(person, "one")
    assert opened.size == size
    parts = list(opened)
    assert b"".join(parts) == content
    assert all(len(part) <= PART for part in parts)
    assert all(content[:20] not in file.read_bytes() for file in sealed_files(person) if size > 20)


def test_a_zip_is_written_into_an_export_from_beginning_to_end(person):
    with put_export(person, "all.zip") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "うなじ" * 1000)
        archive.writestr("b.bin", os.urandom(5000))

    with zipfile.ZipFile(io.BytesIO(b"".join(export(person, "all.zip")))) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt").decode() == "うなじ" * 1000


def test_an_export_that_could_not_be_written_is_not_there(person):
    def write_half():
        with put_export(person, "all.zip") as out:
            out.write(b"x" * 5000)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()

    assert export(person, "all.zip") is None
    assert sealed_files(person) == []


def test_an_export_that_was_damaged_never_comes_to_its_length(person, kept):
    (file,) = sealed_files(person)
    whole = file.read_bytes()
    part = len(whole) // 5
    damaged = {
        "changed": whole[: 3 * part] + bytes([whole[3 * part] ^ 1]) + whole[3 * part + 1 :],
        "cut": whole[:-1],
        "without its last part": whole[: 4 * (PART + 35)],
        "without its first part": whole[PART + 35 :],
        "doubled": whole + whole[-535:],
    }
    for name, content in damaged.items():
        file.write_bytes(content)
        given = []
        with closing(export(person, "all.zip")) as opened, pytest.raises(SealError):
            given.extend(opened)
        assert sum(map(len, given)) < opened.size, name


def test_a_check_of_all_files_opens_exports_too(person, kept):
    (file,) = sealed_files(person)
    check_file(person, file)
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(SealError):
        check_file(person, file)


def test_what_a_process_that_ended_left_of_a_person_is_swept_and_no_more(person, kept):
    (file,) = sealed_files(person)
    half = file.with_name(f".{file.name}.999999999")
    being_written = file.with_name(f".{file.name}.{os.getpid()}")
    for one in (half, being_written):
        one.write_bytes(b"x")
    with scratch_folder() as place:
        sweep_dead(person)

        assert place.is_dir()
    assert (half.exists(), being_written.exists(), file.exists()) == (False, True, True)

"""Files come in sealed and are stored when the device says so; the answer is the one that was kept."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from itertools import count

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

import unaji
from tests.web.test_imports import FORM, e4_session, send_raw, work
from unaji.web.bodies import Body
from unaji.web.casebook.actions import diary, imports
from unaji.web.casebook.actions.consents import withdraw_consent
from unaji.web.casebook.files import put_document
from unaji.web.casebook.lasting import take_place
from unaji.web.casebook.models import Consent, Explanation, ImportBatch, Job, RedFlagScreen
from unaji.web.casebook.timeline import timeline_of

pytestmark = pytest.mark.django_db(transaction=True)


def sealed_files(settings):
    return list((settings.HOME / "people").rglob("uploads/*"))


def test_a_file_is_looked_into_and_stored_when_the_device_says_so(hanas, hana):
    told = hanas.send(e4_session())
    number = told.json()["id"]
    assert told.status_code == 201
    assert (told.json()["state"], told.json()["job"]["kind"]) == ("uploaded", "look")
    assert hanas.post(f"/uploads/{number}/save", {}).status_code == 409
    work(hana)

    understood = hanas.get(f"/uploads/{number}").json()
    assert (understood["state"], understood["importer"]) == ("understood", "Empatica E4")
    assert understood["rows"]["skin_temp_c"] > 0
    assert understood["first"] < understood["last"]
    assert timeline_of(hana).of("skin_temp_c") is None

    assert hanas.post(f"/uploads/{number}/save", {}).status_code == 202
    work(hana)

    assert hanas.get(f"/uploads/{number}").json()["state"] == "stored"
    assert hanas.post(f"/uploads/{number}/save", {}).status_code == 200
    assert timeline_of(hana).of("skin_temp_c") is not None


def test_nothing_of_a_file_lies_plain_on_the_disk(hanas, hana, settings):
    content = e4_session()

    hanas.send(content)

    stored = [file.read_bytes() for file in settings.HOME.rglob("*") if file.is_file()]
    assert stored
    assert not any(content[:200] in one for one in stored)


def test_the_same_file_is_not_taken_twice_and_its_number_is_told(hanas, hana, settings):
    first = hanas.send(e4_session()).json()["id"]

    again = hanas.send(e4_session())

    assert again.status_code == 409
    assert (again.json()["code"], again.json()["id"]) == ("known_file", first)
    assert len(sealed_files(settings)) == 1


def test_a_file_without_consent_is_not_taken(hanas, hana, settings):
    withdraw_consent(Consent.objects.get(person=hana, purpose="wearable_import"), by=hana.user)

    answer = hanas.send(e4_session(1))

    assert (answer.status_code, answer.json()["code"]) == (403, "needs_consent")
    assert not sealed_files(settings)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"\x00\xff", "application/octet-stream"),
        (b"a=b", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_file_is_refused_and_leaves_nothing(hanas, settings, body, content_type):
    answer = hanas.client.generic("POST", "/api/uploads", body, content_type=content_type,
                                  headers={"Authorization": f"Bearer {hanas.key}"})  # fmt: skip

    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"
    assert not ImportBatch.objects.exists()
    assert not sealed_files(settings)


def test_two_files_at_once_and_an_empty_one_are_refused_and_leave_nothing(hanas, settings):
    both = {"file": SimpleUploadedFile("a.zip", e4_session(1)), "more": SimpleUploadedFile("b.zip", e4_session(2))}

    answer = hanas.client.post("/api/uploads", both, headers={"Authorization": f"Bearer {hanas.key}"})
    empty = hanas.send(b"")

    assert (answer.status_code, answer.json()["code"]) == (422, "no_file")
    assert (empty.status_code, empty.json()["code"]) == (422, "empty_file")
    assert not sealed_files(settings)


def test_a_file_that_is_too_large_is_broken_off_and_leaves_nothing(hanas, settings):
    settings.UPLOAD_BYTES = 1000

    answer = hanas.send(b"x" * 2000)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not sealed_files(settings)


def test_what_says_that_it_is_too_large_is_refused_before_it_is_read(hanas, settings):
    class Unread(io.RawIOBase):
        def readinto(self, buffer):
            raise AssertionError("was read")

    answer = send_raw(hanas.client, "/api/uploads", Unread(), 9 << 30, Authorization=f"Bearer {hanas.key}")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not sealed_files(settings)


def test_more_than_may_wait_is_not_taken_until_something_is_saved_or_left(hanas, hana, settings):
    first, second = e4_session(1), e4_session(2)
    settings.UPLOAD_BYTES = len(second) + 100
    number = hanas.send(first).json()["id"]

    refused = hanas.send(second)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_much")
    assert int(refused["Retry-After"]) > 0
    assert len(sealed_files(settings)) == 1
    work(hana)
    imports.drop(ImportBatch.objects.get(pk=number), by=hana.user)
    assert hanas.send(second).status_code == 201


def test_within_a_day_three_times_as_much_is_taken_as_may_wait(hanas, hana, settings):
    sizes = []
    settings.UPLOAD_BYTES = len(e4_session(1)) + 300
    for minute in range(4):
        answer = hanas.send(e4_session(1) + bytes([minute]))
        sizes.append(answer.status_code)
        for batch in ImportBatch.objects.filter(person=hana, state="uploaded"):
            imports.drop(batch, by=hana.user)
    ImportBatch.objects.update(made_at=timezone.now() - timedelta(days=1, seconds=1))

    assert sizes == [201, 201, 201, 429]
    assert hanas.send(e4_session(1) + b"again").status_code == 201


def test_two_uploads_of_one_person_wait_for_each_other(hanas, hana, settings):
    place = take_place(hana.pk)
    assert place is not None

    busy = hanas.send(e4_session(1))
    place.release()

    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert not sealed_files(settings)
    assert hanas.send(e4_session(1)).status_code == 201


@pytest.mark.parametrize(("clock", "code"), [(lambda: 0.0, "malformed"), (count(0, 60).__next__, "too_slow")])
def test_a_file_that_broke_off_or_comes_too_slowly_is_not_taken(hanas, settings, clock, code):
    whole = FORM + e4_session(1)
    sent = Body(io.BytesIO(whole), len(whole) + 9, clock)

    answer = send_raw(hanas.client, "/api/uploads", sent, len(whole) + 9, Authorization=f"Bearer {hanas.key}")

    assert answer.json()["code"] == code
    assert not ImportBatch.objects.exists()
    assert not sealed_files(settings)


def test_a_file_of_somebody_else_is_not_there(hanas, kens, hana):
    number = hanas.send(e4_session(1)).json()["id"]
    work(hana)

    assert kens.get(f"/uploads/{number}").status_code == 404
    assert kens.post(f"/uploads/{number}/save", {}).status_code == 404
    assert ImportBatch.objects.get().state == "understood"


def test_a_job_is_followed_by_its_own_person_alone(hanas, kens, hana):
    told = hanas.post("/findings/refresh", {})
    again = hanas.post("/findings/refresh", {})

    job = Job.objects.get(person=hana)
    assert (told.status_code, told.json()["id"]) == (202, str(job.pk))
    assert again.json()["id"] == told.json()["id"]
    assert hanas.get(f"/jobs/{job.pk}").json() == {
        "id": str(job.pk), "kind": "explain", "state": "waiting", "share": 0.0, "error": "",
    }  # fmt: skip
    assert kens.get(f"/jobs/{job.pk}").status_code == 404
    work(hana)
    assert hanas.get(f"/jobs/{job.pk}").json()["error"] == "nothing_to_explain"


FINDINGS = {"unaji": unaji.__version__, "enough": {"verdict": "more", "say": "まだ言えません"}, "causes": []}


@pytest.fixture
def answered(hana):
    answer = Explanation(person=hana, made_at=timezone.now(), article="neck_heat",
                         claims_sha256="0", library=unaji.__version__, inputs_sha256="0", verdict="more")  # fmt: skip
    put_document(hana.pk, f"{answer.pk}/findings.json", json.dumps(FINDINGS).encode())
    answer.save(force_insert=True)
    return answer


def test_the_answer_is_the_one_that_was_kept(hanas, hana, answered):
    told = hanas.get("/findings").json()

    assert told["findings"] == FINDINGS
    assert (told["verdict"], told["stale"]) == ("more", False)


def test_the_answer_says_that_something_was_added_since(hanas, hana, answered):
    diary.log_episode(hana, by=hana.user)

    assert hanas.get("/findings").json()["stale"] is True


def test_where_there_is_no_answer_or_it_is_somebody_elses_nothing_is_told(hanas, kens, answered):
    assert kens.get("/findings").status_code == 404


def test_a_warning_sign_comes_before_any_answer(hanas, hana, answered):
    screen = RedFlagScreen.objects.create(person=hana, at=timezone.now(), rules="1", level="today")

    answer = hanas.get("/findings")
    assert (answer.status_code, answer.json()["code"]) == (409, "warning_waits")
    assert hanas.post("/episodes", {}).status_code == 201

    RedFlagScreen.objects.filter(pk=screen.pk).update(acknowledged_at=timezone.now())
    assert hanas.get("/findings").status_code == 200


def test_erasing_a_person_ends_their_tokens(hana, hanas):
    from unaji.web.casebook.actions.exports import erase_person

    erase_person(hana, by=hana.user)

    assert hanas.get("/episodes").status_code == 401

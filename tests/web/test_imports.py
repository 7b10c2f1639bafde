"""Files on their way in: looked into, saved, taken back; sealed all the while."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from unaji.web.bodies import Body
from unaji.web.casebook.actions import imports
from unaji.web.casebook.files import opened
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.jobs import cancel, run
from unaji.web.casebook.lasting import PLACES, THREADS, take_place
from unaji.web.casebook.models import Consent, ImportBatch, Job, Person, SeriesFile
from unaji.web.casebook.timeline import timeline_of

pytestmark = pytest.mark.django_db(transaction=True)


def e4_session(minutes: int = 30) -> bytes:
    """Make a session as an Empatica E4 writes it: a start in UTC seconds, a rate, then values; the same at any time."""
    start, packed = 1_714_200_000, io.BytesIO()

    def part(name: str) -> zipfile.ZipInfo:
        return zipfile.ZipInfo(name, (2024, 4, 27, 16, 0, 0))

    with zipfile.ZipFile(packed, "w") as archive:
        for name, rate, value in (("TEMP", 4, 33.1), ("EDA", 4, 1.2), ("HR", 1, 71.0)):
            rows = "\n".join(f"{value + 0.01 * (i % 7):.3f}" for i in range(minutes * 60 * rate))
            archive.writestr(part(f"{name}.csv"), f"{start}.000000\n{rate}.000000\n{rows}\n")
        archive.writestr(part("IBI.csv"), f"{start}.000000, IBI\n" + "".join(f"{10 + i}.0,0.85\n" for i in range(600)))
        archive.writestr(part("tags.csv"), f"{start + 300}.00\n")
    return packed.getvalue()


def send(client, content: bytes, name: str = "session.zip"):
    file = io.BytesIO(content)
    file.name = name
    return client.post("/data/upload", {"file": file})


def send_raw(client, path: str, source, length: int, **headers):
    """Send a form whose bytes come from `source`, which says nothing of how many there are."""
    environ = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(length), "wsgi.input": source}
    return client.generic("POST", path, headers=headers, **environ)


FORM = b"--x\r\nContent-Disposition: form-data; name=file; filename=a.zip\r\n\r\n"


def work(person: Person) -> None:
    """Do what a worker would do."""
    while (job := Job.objects.filter(person=person, state="waiting").order_by("made_at").first()) is not None:
        run(job.pk)


def test_a_session_is_looked_into_before_anything_is_saved(as_hana, hana):
    answer = send(as_hana, e4_session())
    work(hana)

    batch = ImportBatch.objects.get(person=hana)
    assert answer.status_code == 302
    assert batch.state == "understood"
    assert batch.importer == "Empatica E4"
    assert batch.rows > 1000
    assert timeline_of(hana).series == ()


def test_what_was_understood_is_saved_and_can_be_taken_back(as_hana, hana):
    send(as_hana, e4_session())
    work(hana)
    batch = ImportBatch.objects.get(person=hana)

    as_hana.post(f"/data/{batch.pk}/save")
    work(hana)

    batch.refresh_from_db()
    assert batch.state == "stored"
    assert timeline_of(hana).of("skin_temp_c") is not None
    assert SeriesFile.objects.filter(person=hana, quantity="skin_temp_c").exists()

    as_hana.post(f"/data/{batch.pk}/drop")
    work(hana)

    batch.refresh_from_db()
    assert batch.state == "undone"
    assert timeline_of(hana).of("skin_temp_c") is None
    assert not SeriesFile.objects.filter(person=hana).exists()


def test_the_same_file_is_not_taken_twice(as_hana, hana, settings):
    send(as_hana, e4_session())

    answer = send(as_hana, e4_session())

    assert answer.status_code == 422
    assert "もう入っています" in answer.content.decode()
    assert ImportBatch.objects.filter(person=hana).count() == 1
    assert len(list((settings.HOME / "people").rglob("*.sealed"))) == 1


def test_a_file_that_fails_leaves_those_before_it_where_they_are(as_hana, hana, settings, monkeypatch):
    bring = imports.bring

    def once(*args, **kwargs):
        if ImportBatch.objects.exists():
            raise OperationalError("deadlock detected")
        return bring(*args, **kwargs)

    monkeypatch.setattr(imports, "bring", once)
    as_hana.raise_request_exception = False
    two = [io.BytesIO(e4_session(minutes)) for minutes in (30, 31)]
    for number, file in enumerate(two):
        file.name = f"{number}.zip"

    assert as_hana.post("/data/upload", {"file": two}).status_code == 500
    work(hana)

    assert ImportBatch.objects.get(person=hana).state == "understood"


@pytest.mark.parametrize("kind", ["store", "undo"])
def test_the_person_is_locked_before_the_audit_as_by_all_others(as_hana, hana, kind):
    """Two that lock the same rows in two orders wait for each other, on PostgreSQL until one of them fails."""
    send(as_hana, e4_session())
    work(hana)
    batch = ImportBatch.objects.get()
    as_hana.post(f"/data/{batch.pk}/save")
    if kind == "undo":
        work(hana)
        as_hana.post(f"/data/{batch.pk}/drop")

    with CaptureQueriesContext(connection) as asked:
        work(hana)

    touched = [
        table for one in asked for table in ("casebook_person", "casebook_audithead")
        if one["sql"].startswith(f'UPDATE "{table}"')
    ]  # fmt: skip
    assert touched == ["casebook_person", "casebook_audithead"]


def test_nothing_of_a_file_lies_plain_on_the_disk(as_hana, hana, settings):
    content = e4_session()
    send(as_hana, content)
    work(hana)
    as_hana.post(f"/data/{ImportBatch.objects.get().pk}/save")
    work(hana)

    stored = [file.read_bytes() for file in settings.HOME.rglob("*") if file.is_file()]

    assert stored
    assert not any(b"TEMP.csv" in one or b"PAR1" in one or content[:200] in one for one in stored)


def test_a_file_that_nobody_knows_is_refused_with_a_reason(as_hana, hana, settings):
    send(as_hana, b"nothing that anybody could read\n" * 50, "letter.txt")
    work(hana)

    batch = ImportBatch.objects.get(person=hana)
    assert batch.state == "refused"
    assert "could be used" in json.loads(batch.told_text)["refused"]
    assert not list((settings.HOME / "people").rglob("uploads/*"))


def test_a_refusal_is_told_in_the_language_of_the_page(as_hana, hana):
    send(as_hana, b"nothing that anybody could read\n" * 50, "letter.txt")
    work(hana)

    japanese = as_hana.get("/data").content.decode()
    hana.user.language = "en"
    hana.user.save()
    english = as_hana.get("/data").content.decode()

    assert "読めませんでした。使えるものがありませんでした。" in japanese
    assert "読めない種類のファイルです。使いませんでした。" in japanese
    assert "nothing in it could be used" in english
    assert "the file is not one that unaji reads; it was left alone" in english
    assert 'lang="en">nothing' not in japanese + english


def test_what_was_left_out_is_told_in_japanese_and_what_nobody_can_say_is_marked_as_english(as_hana, hana):
    left_out = [
        {"rule": "hr_bpm lies outside 25 to 240 1/min", "count": 1234, "value": "900"},
        {"rule": "the moon <b>is</b> in the way", "count": 2, "value": ""},
    ]
    remarks = ["the text is in Shift_JIS (cp932) and was read as such; UTF-8 is safer"] * 2
    ImportBatch.objects.create(
        person=hana, file_name="export.zip", sha256="0" * 64, size_bytes=1, state="understood",
        importer="Apple Health, JMA download", told_text=json.dumps({"left_out": left_out, "remarks": remarks}),
    )  # fmt: skip

    japanese = as_hana.get("/data").content.decode()
    hana.user.language = "en"
    hana.user.save()
    english = as_hana.get("/data").content.decode()

    assert "Apple ヘルスケア、気象庁(ダウンロード)" in japanese
    assert "<li>1,234行: 心拍数が、ありうる範囲の外です(25〜240 1/min)。</li>" in japanese
    assert '<li>2行: <span lang="en">the moon &lt;b&gt;is&lt;/b&gt; in the way</span></li>' in japanese
    assert japanese.count("文字コードはShift_JIS(cp932)として読みました。") == 1
    assert "900" not in japanese
    assert "Apple Health, JMA download" in english
    assert "<li>2 rows: the moon &lt;b&gt;is&lt;/b&gt; in the way</li>" in english


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a\\..\\b.zip", "\x00.zip", "/abs/olute.zip", "名前.zip"])
def test_a_name_that_points_elsewhere_leads_nowhere(as_hana, hana, settings, name):
    send(as_hana, e4_session(1), name)
    work(hana)

    batch = ImportBatch.objects.get(person=hana)
    assert batch.state == "understood"
    assert "/" not in batch.file_name
    outside = [f for f in settings.HOME.rglob("*") if f.is_file() and not f.is_relative_to(settings.HOME / "people")]
    assert all(f.is_relative_to(settings.HOME / "keys") for f in outside)


def test_an_archive_that_unpacks_to_far_more_is_refused(as_hana, hana):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("TEMP.csv", b"0" * (64 << 20))
    send(as_hana, packed.getvalue(), "bomb.zip")

    work(hana)

    assert ImportBatch.objects.get(person=hana).state == "refused"


def test_a_save_that_was_stopped_can_be_taken_up_again_or_left(as_hana, hana, settings):
    send(as_hana, e4_session())
    work(hana)
    batch = ImportBatch.objects.get(person=hana)
    as_hana.post(f"/data/{batch.pk}/save")
    cancel(Job.objects.get(person=hana, kind="store"), by=hana.user)
    page = as_hana.get("/data").content.decode()
    assert "やめました" in page
    assert "まだ終わっていません" in page
    assert "保存しています" not in page

    as_hana.post(f"/data/{batch.pk}/save")
    work(hana)

    batch.refresh_from_db()
    assert batch.state == "stored"


@pytest.mark.parametrize("step", ["look", "store"])
def test_withdrawing_the_agreement_to_read_files_stops_what_is_being_read(as_hana, hana, step):
    send(as_hana, e4_session(1))
    if step == "store":
        work(hana)
        as_hana.post(f"/data/{ImportBatch.objects.get(person=hana).pk}/save")

    as_hana.post("/mine/consent", {"purpose": "wearable_import", "give": "no"})
    work(hana)

    assert Job.objects.get(person=hana, kind=step).state == "cancelled"
    assert timeline_of(hana).of("skin_temp_c") is None


def test_what_is_withdrawn_while_a_file_is_read_into_the_folder_is_not_kept(as_hana, hana, monkeypatch):
    send(as_hana, e4_session(1))
    work(hana)
    as_hana.post(f"/data/{ImportBatch.objects.get(person=hana).pk}/save")
    monkeypatch.setattr(
        imports, "keep_days",
        lambda *_: Consent.objects.filter(purpose="wearable_import").update(withdrawn_at=timezone.now()),
    )  # fmt: skip

    work(hana)

    job = Job.objects.get(person=hana, kind="store")
    assert (job.state, job.error) == ("failed", "no_consent")
    assert ImportBatch.objects.get(person=hana).state == "wanted"
    assert timeline_of(hana).of("skin_temp_c") is None


def test_a_store_that_was_cut_off_after_the_folder_can_still_be_taken_back(as_hana, hana, monkeypatch):
    send(as_hana, e4_session())
    work(hana)
    batch = ImportBatch.objects.get(person=hana)
    as_hana.post(f"/data/{batch.pk}/save")
    with monkeypatch.context() as patched:
        patched.setattr(imports, "_tell", lambda *_: (_ for _ in ()).throw(RuntimeError))
        work(hana)
    assert timeline_of(hana).of("skin_temp_c") is not None

    as_hana.post(f"/data/{batch.pk}/save")
    work(hana)
    batch.refresh_from_db()
    assert batch.state == "stored"
    assert batch.rows > 1000
    as_hana.post(f"/data/{batch.pk}/drop")
    work(hana)

    assert timeline_of(hana).of("skin_temp_c") is None


def test_a_disk_that_is_full_fails_the_upload_and_does_not_hang(as_hana, hana, monkeypatch):
    def full(person, number, parts):
        for _ in parts:
            pass
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unaji.web.casebook.uploads.keep_upload", full)

    with pytest.raises(OSError, match="No space"):
        send(as_hana, e4_session(1))


def test_too_many_files_at_once_leave_nothing(as_hana, hana, settings):
    files = [io.BytesIO(b"x" * 100) for _ in range(25)]
    for n, file in enumerate(files):
        file.name = f"{n}.txt"

    answer = as_hana.post("/data/upload", {"file": files})

    assert answer.status_code == 400
    assert not list((settings.HOME / "people").rglob("uploads/*"))


def test_an_upload_that_nobody_waits_for_is_swept(as_hana, hana, settings):
    send(as_hana, e4_session(1))
    kept = list((settings.HOME / "people").rglob("uploads/*"))
    forgotten = kept[0].with_name("0190163d-8694-739b-aea5-966c26f8ad91.sealed")
    forgotten.write_bytes(b"x")
    for one in (*kept, forgotten):
        os.utime(one, (0, 0))

    assert imports.sweep_uploads() == 1
    assert list((settings.HOME / "people").rglob("uploads/*")) == kept


def test_what_failed_and_nobody_decided_about_goes_after_a_month(as_hana, hana, settings):
    send(as_hana, e4_session(1))
    Job.objects.update(state="failed", error="too_large")
    os.utime(next((settings.HOME / "people").rglob("uploads/*")), (0, 0))

    assert imports.sweep_uploads() == 0
    ImportBatch.objects.update(changed_at=timezone.now() - timedelta(days=31))
    assert imports.sweep_uploads() == 1

    assert ImportBatch.objects.get().state == "undone"
    assert not list((settings.HOME / "people").rglob("uploads/*"))


def test_more_than_may_wait_is_refused_on_the_page_in_words(as_hana, hana, settings):
    settings.UPLOAD_BYTES = len(e4_session(2)) + 10
    send(as_hana, e4_session(1))

    answer = send(as_hana, e4_session(2))

    assert answer.status_code == 422
    assert "まだ保存していないファイル" in answer.content.decode()
    assert ImportBatch.objects.filter(person=hana).count() == 1


def test_where_many_send_files_another_is_asked_to_wait_and_pages_go_on(as_hana, hana):
    places = [take_place(uuid7()) for _ in range(PLACES)]

    answer = send(as_hana, e4_session(1))
    for place in places:
        place.release()

    assert answer.status_code == 503
    assert "少し待って" in answer.content.decode()
    assert not ImportBatch.objects.exists()
    assert PLACES < THREADS


def test_an_upload_that_broke_off_gives_its_place_back(as_hana, hana, settings):
    whole = FORM + e4_session(1)

    answer = send_raw(as_hana, "/data/upload", Body(io.BytesIO(whole), len(whole) + 9), len(whole) + 9)

    assert answer.status_code == 408
    assert not ImportBatch.objects.exists()
    assert not list((settings.HOME / "people").rglob("uploads/*"))
    assert send(as_hana, e4_session(1)).status_code == 302


def test_without_consent_nothing_is_taken(as_hana, hana, settings):
    as_hana.post("/mine/consent", {"purpose": "wearable_import", "give": "no"})

    answer = send(as_hana, e4_session(1))

    assert answer.status_code == 422
    assert not ImportBatch.objects.exists()
    assert not list((settings.HOME / "people").rglob("uploads/*"))


def test_an_upload_without_a_token_of_ours_is_refused_and_leaves_nothing(hana, settings):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(hana.user)

    answer = send(client, e4_session(1))

    assert answer.status_code == 403
    assert not ImportBatch.objects.exists()
    assert not list((settings.HOME / "people").rglob("uploads/*"))


def test_a_sealed_file_that_was_cut_short_is_noticed(as_hana, hana, settings):
    from unaji.web.casebook.keys import SealError

    send(as_hana, e4_session())
    work(hana)
    as_hana.post(f"/data/{ImportBatch.objects.get().pk}/save")
    work(hana)
    victim = max((settings.HOME / "people").rglob("files/**/*.sealed"), key=lambda f: f.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-1])

    with pytest.raises(SealError), opened(hana.pk):
        pass


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "importer"),
    [("apple-health/dogsheep_export.xml", "Apple Health"), ("e4-flirt-sample/{zip}", "Empatica E4")],
)
def test_a_real_export_is_understood_and_saved(as_hana, hana, shared_data, file, importer):
    if "{zip}" in file:
        folder = (shared_data / file).parent
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in sorted(folder.rglob("*.csv")):
                archive.write(one, one.relative_to(folder).as_posix())
        content, name = packed.getvalue(), "session.zip"
    else:
        content, name = (shared_data / file).read_bytes(), "export.xml"
    send(as_hana, content, name)
    work(hana)
    batch = ImportBatch.objects.get(person=hana)
    assert batch.state == "understood"
    assert batch.importer == importer

    as_hana.post(f"/data/{batch.pk}/save")
    work(hana)

    batch.refresh_from_db()
    assert batch.state == "stored"
    assert batch.rows == sum(json.loads(batch.told_text)["rows"].values()) > 0

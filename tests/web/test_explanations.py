"""The answer to "why": worked out from what is in the casebook, kept sealed, taken out, erased."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.utils import timezone

import unaji
from tests.web.accounts import sign_in
from tests.web.conftest import make_person
from unaji.claims.graph import load_claims
from unaji.explain import explain
from unaji.records.folder import read_folder
from unaji.web.casebook import files
from unaji.web.casebook.actions import diary, imports
from unaji.web.casebook.actions.explanations import fingerprint, is_stale, latest_of, page_of, refresh_stale
from unaji.web.casebook.actions.exports import ERASED, erase_person, finish_erasures
from unaji.web.casebook.files import opened, put_document
from unaji.web.casebook.jobs import cancel, run
from unaji.web.casebook.keys import KeyGoneError, person_key
from unaji.web.casebook.models import (
    AuditEvent,
    Episode,
    ErasureRequest,
    Explanation,
    ExportJob,
    ImportBatch,
    Job,
    Person,
    RedFlagScreen,
    User,
)
from unaji.web.casebook.timeline import timeline_of

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "だれにも見せない言葉"


def work(person: Person) -> None:
    while (job := Job.objects.filter(person=person, state="waiting").order_by("made_at").first()) is not None:
        run(job.pk)


def some_days(person: Person, n: int = 3) -> None:
    """Write a few days into a diary."""
    now = timezone.now().replace(microsecond=0)
    for day in range(n, 0, -1):
        at = now - timedelta(days=day)
        diary.log_episode(person, by=person.user, start=at, intensity=6, note=SECRET, ratings={"stress": 7.0})
        diary.expose(person, by=person.user, kind="caffeine", start=at - timedelta(hours=2), amount=1.0)
        diary.log_nothing(person, by=person.user, at=at + timedelta(hours=5))


@pytest.fixture
def explained(as_hana, hana):
    some_days(hana)
    as_hana.post("/why/ask")
    work(hana)
    return as_hana


@pytest.fixture
def answered(as_hana, hana):
    """Give an answer of an hour ago, without working one out."""
    some_days(hana)
    answer = Explanation(person=hana, made_at=timezone.now() - timedelta(hours=1), article="neck_heat",
                         claims_sha256="0", library=unaji.__version__, inputs_sha256="0", verdict="more")  # fmt: skip
    put_document(hana.pk, f"{answer.pk}/findings.json", SECRET.encode())
    answer.save(force_insert=True)
    return as_hana


def test_three_episodes_are_answered_with_not_yet_on_screen_page_and_paper(explained, hana):
    pypdf = pytest.importorskip("pypdf")
    page = explained.get("/why").content.decode()
    report = explained.get("/why/report")
    paper = explained.get("/why/report.pdf")

    assert latest_of(hana).verdict == "more"
    assert "3回" in page
    assert "まだ" in page
    assert "style-src 'sha256-" in report["Content-Security-Policy"]
    assert "unsafe" not in report["Content-Security-Policy"]
    assert paper["Content-Type"] == "application/pdf"
    assert "うなじ" in "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(paper.content)).pages)
    hana.refresh_from_db()
    assert not is_stale(hana, latest_of(hana))
    assert explained.get("/course").status_code == 200


def test_a_person_who_wrote_nothing_is_told_so(as_hana, hana):
    as_hana.post("/why/ask")
    work(hana)

    assert Job.objects.get(person=hana).error == "nothing_to_explain"
    assert not Explanation.objects.exists()


def test_an_answer_knows_that_something_was_added_since(answered, hana):
    answered.post("/now/log")
    hana.refresh_from_db()

    assert is_stale(hana, latest_of(hana))


@pytest.mark.parametrize(("minutes", "asked"), [(1, 0), (16, 1), (90, 0)])
def test_an_answer_is_refreshed_when_the_person_added_something_and_rested(answered, hana, minutes, asked):
    Person.objects.filter(pk=hana.pk).update(asked_anew_at=timezone.now() - timedelta(minutes=minutes))

    assert refresh_stale() == asked
    assert Job.objects.filter(person=hana, kind="explain").count() == asked


def test_an_answer_cannot_be_changed_afterwards(answered, hana):
    with pytest.raises(IntegrityError), transaction.atomic():
        Explanation.objects.filter(person=hana).update(verdict="conclude")


def test_the_same_records_give_the_same_answer_again(explained, hana):
    first = latest_of(hana)
    explained.post("/why/ask")
    work(hana)
    second = latest_of(hana)

    assert first.pk != second.pk
    assert first.inputs_sha256 == second.inputs_sha256
    assert page_of(first, "findings.json") == page_of(second, "findings.json")
    assert page_of(first, "report.html.ja") is None


def test_what_is_taken_out_gives_the_same_answer_elsewhere(explained, hana, tmp_path):
    explained.post("/mine/export")
    work(hana)
    wish = ExportJob.objects.get(person=hana)

    answer = explained.get(f"/mine/export/{wish.pk}")
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()

    elsewhere = read_folder(tmp_path / "unaji" / "records")
    assert fingerprint(elsewhere) == fingerprint(timeline_of(hana)) == latest_of(hana).inputs_sha256
    again = explain(elsewhere, load_claims("neck_heat"), seed=0)
    told = json.loads((tmp_path / "unaji" / "explanation.json").read_text())
    assert again.enough.verdict == told["enough"]["verdict"]
    assert [c.id for c in again.attribution.causes] == [c["id"] for c in told["causes"]]
    for wanted in ("consents.csv", "who-looked.csv", "about-me.json", "fhir-bundle.json", "report.ja.pdf"):
        assert f"unaji/{wanted}" in names


def test_what_is_taken_out_can_be_brought_to_another_account_and_taken_back(answered, hana, as_ken, ken):
    answered.post("/mine/export")
    work(hana)
    content = answered.get(f"/mine/export/{ExportJob.objects.get(person=hana).pk}").getvalue()
    file = io.BytesIO(content)
    file.name = "unaji.zip"

    as_ken.post("/data/upload", {"file": file})
    work(ken)
    batch = ImportBatch.objects.get(person=ken)
    assert batch.state == "understood"
    assert not Episode.objects.filter(person=ken).exists()
    as_ken.post(f"/data/{batch.pk}/save")
    work(ken)

    assert fingerprint(timeline_of(ken)) == fingerprint(timeline_of(hana))
    assert {e.note for e in Episode.objects.filter(person=ken)} == {SECRET}

    as_ken.post(f"/data/{batch.pk}/drop")
    work(ken)
    assert timeline_of(ken).episodes == ()


def test_an_export_brought_back_to_its_own_account_doubles_nothing(answered, hana):
    answered.post("/mine/export")
    work(hana)
    content = answered.get(f"/mine/export/{ExportJob.objects.get(person=hana).pk}").getvalue()
    before = fingerprint(timeline_of(hana))
    withdrawn = Episode.objects.filter(person=hana).first()
    diary.withdraw(withdrawn, by=hana.user)

    for _ in range(2):
        file = io.BytesIO(content)
        file.name = "unaji.zip"
        answered.post("/data/upload", {"file": file})
        work(hana)
        batch = ImportBatch.objects.filter(person=hana).latest("made_at")
        answered.post(f"/data/{batch.pk}/save")
        work(hana)
        assert len(timeline_of(hana).episodes) == 2  # the one that was taken back by hand does not return
        answered.post(f"/data/{batch.pk}/drop")
        work(hana)
        assert ImportBatch.objects.get(pk=batch.pk).state == "undone"

    assert Episode.objects.filter(person=hana).kept().count() == 2
    assert before != fingerprint(timeline_of(hana))


def test_an_export_whose_storing_was_cut_off_is_stored_whole_and_once_at_the_next_try(
    answered, hana, as_ken, ken, monkeypatch
):
    with opened(hana.pk, write=True) as folder:
        (folder / "series").mkdir()
        (folder / "series" / "hr_bpm.csv").write_text("time,hr_bpm\n2026-11-01T09:00:00+09:00,70\n", encoding="utf-8")
    answered.post("/mine/export")
    work(hana)
    file = io.BytesIO(answered.get(f"/mine/export/{ExportJob.objects.get(person=hana).pk}").getvalue())
    file.name = "unaji.zip"
    as_ken.post("/data/upload", {"file": file})
    work(ken)
    batch = ImportBatch.objects.get(person=ken)
    as_ken.post(f"/data/{batch.pk}/save")
    with monkeypatch.context() as patched:
        patched.setattr(imports, "move", lambda *_, **__: (_ for _ in ()).throw(RuntimeError))
        work(ken)
    assert not Episode.objects.filter(person=ken).exists()

    as_ken.post(f"/data/{batch.pk}/save")
    work(ken)

    assert fingerprint(timeline_of(ken)) == fingerprint(timeline_of(hana))
    as_ken.post(f"/data/{batch.pk}/drop")
    work(ken)
    assert timeline_of(ken).series == timeline_of(ken).episodes == ()


def test_an_export_holds_every_column_also_of_what_was_taken_back(answered, hana):
    diary.withdraw(Episode.objects.filter(person=hana).first(), by=hana.user)
    answered.post("/mine/export")
    work(hana)
    content = answered.get(f"/mine/export/{ExportJob.objects.get(person=hana).pk}").getvalue()

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = json.loads(archive.read("unaji/diary.json"))
    assert len(told["episode"]) == 3
    assert sum(one["withdrawn_at"] is not None for one in told["episode"]) == 1
    assert {one["note"] for one in told["episode"]} == {SECRET}


def test_an_export_is_handed_over_in_parts_with_its_length_and_leaves_its_place_to_others(answered, hana, monkeypatch):
    monkeypatch.setattr(files, "PART_BYTES", 1000)
    answered.post("/mine/export")
    work(hana)
    path = f"/mine/export/{ExportJob.objects.get(person=hana).pk}"

    answer = answered.get(path)
    busy = answered.get(path)
    parts = list(answer)
    answer.close()

    assert int(answer["Content-Length"]) == sum(map(len, parts))
    assert max(map(len, parts)) == 1000
    assert answer["X-Accel-Buffering"] == "no"
    assert (busy.status_code, "少し待って" in busy.content.decode()) == (503, True)
    assert answered.get(path).getvalue() == b"".join(parts)


def test_an_export_that_was_stopped_can_be_asked_for_again(answered, hana):
    answered.post("/mine/export")
    cancel(Job.objects.get(person=hana, kind="export"), by=hana.user)

    answered.post("/mine/export")
    work(hana)

    assert ExportJob.objects.get(person=hana).done_at is not None


def test_of_exports_the_newest_alone_is_kept(answered, hana):
    for _ in range(2):
        answered.post("/mine/export")
        work(hana)

    first, second = ExportJob.objects.filter(person=hana).order_by("asked_at")
    assert answered.get(f"/mine/export/{first.pk}").status_code == 404
    assert answered.get(f"/mine/export/{second.pk}").getvalue()
    assert len(list((django_settings.HOME / "people" / str(hana.pk) / "exports").iterdir())) == 1


def test_a_file_that_a_worker_kept_while_its_person_was_erased_goes_as_well(answered, hana):
    number = hana.pk
    erase_person(hana, by=hana.user)
    late = django_settings.HOME / "people" / str(number) / "files" / "late.sealed"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"cannot be opened any more")

    finish_erasures()

    assert not late.exists()


def test_erasing_ends_the_sessions_of_other_devices(answered, hana):
    other = sign_in(hana.user)
    other.get("/now")
    key = other.session.session_key
    assert Session.objects.filter(session_key=key).exists()

    answered.post("/mine/erase", {"word": "消す"})

    assert not Session.objects.filter(session_key=key).exists()


def test_an_answer_that_failed_is_not_asked_for_again_and_again(answered, hana):
    Person.objects.filter(pk=hana.pk).update(asked_anew_at=timezone.now() - timedelta(minutes=16))
    assert refresh_stale() == 1
    assert refresh_stale() == 0
    Job.objects.filter(person=hana).update(state="failed")

    assert refresh_stale() == 0


@pytest.mark.parametrize("path", ["/why", "/why/report", "/why/report.pdf", "/course"])
def test_no_answer_is_shown_to_whom_nobody_asked_about_warning_signs(db, path):
    person = make_person("neu@example.org", asked=False)

    answer = sign_in(person.user).get(path)

    assert answer.status_code == 302
    assert answer["Location"] == "/check"


def test_everything_of_a_person_is_named_for_erasure():
    belonging = {
        field.related_model for field in Person._meta.get_fields() if field.auto_created and not field.concrete
    }

    assert set(ERASED) == belonging


def test_after_erasing_nothing_can_be_read(answered, hana, settings):
    number, user = hana.pk, hana.user_id
    stored = {f: f.read_bytes() for f in (settings.HOME / "people" / str(number)).rglob("*") if f.is_file()}
    sealed_note = bytes(Episode.objects.filter(person=hana).first().note_sealed)
    assert stored
    assert sealed_note

    answer = answered.post("/mine/erase", {"word": "消す"})

    assert answer.status_code == 200
    assert not Person.objects.filter(pk=number).exists()
    assert not User.objects.filter(pk=user).exists()
    assert not Episode.objects.exists()
    assert not (settings.HOME / "people" / str(number)).exists()
    with pytest.raises(KeyGoneError):
        person_key(number)
    for file, content in stored.items():  # as a backup would bring them back
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with pytest.raises(KeyGoneError), opened(number):
        pass
    receipt = ErasureRequest.objects.get(person_number=number)
    assert receipt.receipt["gone"]["episode"] == 3
    assert receipt.done_at is not None
    assert AuditEvent.objects.filter(person_number=number, action="erase").exists()
    assert SESSION_KEY not in answered.session


def test_erasing_needs_the_word(answered, hana):
    answer = answered.post("/mine/erase", {"word": "yes"})

    assert answer.status_code == 422
    assert Person.objects.filter(pk=hana.pk).exists()


def test_an_erasure_that_was_cut_off_is_finished_by_the_clock(answered, hana, settings, monkeypatch):
    number = hana.pk
    monkeypatch.setattr("unaji.web.casebook.actions.exports.finish_erasures", lambda: 0)
    erase_person(hana, by=hana.user)
    assert person_key(number)

    assert finish_erasures() == 1

    with pytest.raises(KeyGoneError):
        person_key(number)


def test_answered_warning_signs_reach_the_answer(hana):
    screen = RedFlagScreen(person=hana, at=timezone.now(), rules="1", level="today")
    screen.answers_text = json.dumps({"fever_or_chills": True, "chest_pressure": False})
    screen.save()

    assert [e.kind for e in timeline_of(hana).exposures] == ["fever_or_chills"]

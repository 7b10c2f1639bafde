"""Consents whose wording changes: nobody's agreement moves to a new one, and each is asked again."""

from __future__ import annotations

import tomllib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.web.accounts import account, sign_in
from unaji.web.casebook.actions import consents
from unaji.web.casebook.actions.consents import asked_anew, consented, give_consent, put_texts, withdraw_consent
from unaji.web.casebook.jobs import ask
from unaji.web.casebook.models import AuditEvent, Consent, ConsentText, Episode, Person
from unaji.web.casebook.models.consent import Purpose


@pytest.fixture
def reworded(hana, tmp_path, monkeypatch):
    """Let the wording of a purpose change, as an update of the app does."""

    def change(purpose):
        said = tomllib.loads(consents.TEXTS.read_text(encoding="utf-8"))
        said[purpose] = {language: f"{body} (new)" for language, body in said[purpose].items()}
        file = tmp_path / "consent_texts.toml"
        file.write_text(
            "\n".join(f"[{name}]\nja = {one['ja']!r}\nen = {one['en']!r}" for name, one in said.items()),
            encoding="utf-8",
        )
        monkeypatch.setattr(consents, "TEXTS", file)
        put_texts(Purpose.values)
        return said[purpose]["ja"]

    return change


def test_a_changed_wording_rests_until_it_is_agreed_to(hana, reworded):
    reworded("wearable_import")

    assert asked_anew(hana)
    assert not consented(hana, "wearable_import")

    anew = give_consent(hana, "wearable_import", language="ja", by=hana.user)

    assert anew.text.version == 2
    assert consented(hana, "wearable_import")
    assert not asked_anew(hana)
    former = Consent.objects.get(person=hana, purpose="wearable_import", text__version=1)
    assert former.withdrawn_at is not None
    assert list(AuditEvent.objects.filter(object_id=former.pk).values_list("action", flat=True)) == [
        "create",
        "withdraw",
    ]


def test_the_casebook_goes_on_as_it_was_agreed_to(as_hana, hana, reworded):
    reworded("care")

    assert consented(hana, "care")
    as_hana.post("/now/log", {"client_id": "01890000-0000-7000-8000-000000000001"})
    assert Episode.objects.filter(person=hana).count() == 1


def test_now_says_so_and_my_data_shows_both_wordings(as_hana, hana, reworded):
    before = ConsentText.objects.get(purpose="wearable_import", language="ja").body
    assert "同意の文が変わりました" not in as_hana.get("/now").content.decode()
    after = reworded("wearable_import")

    assert "同意の文が変わりました" in as_hana.get("/now").content.decode()
    page = as_hana.get("/mine").content.decode()
    assert before in page
    assert after in page

    as_hana.post("/mine/consent", {"purpose": "wearable_import", "give": "yes"})

    assert consented(hana, "wearable_import")
    assert "同意の文が変わりました" not in as_hana.get("/now").content.decode()
    assert before not in as_hana.get("/mine").content.decode().replace(after, "")


def test_a_file_is_brought_only_under_the_wording_that_is_shown_beside_it(as_hana, hana, reworded):
    assert 'name="consent"' not in as_hana.get("/data").content.decode()
    after = reworded("wearable_import")

    page = as_hana.get("/data").content.decode()
    assert 'name="consent"' in page
    assert after in page


def test_the_same_texts_put_twice_make_no_further_version(hana, reworded):
    first = ConsentText.objects.filter(purpose="contact").count()
    reworded("contact")
    put_texts(Purpose.values)  # once more changes nothing

    texts = ConsentText.objects.filter(purpose="contact")
    assert texts.count() == 2 * first
    assert set(texts.values_list("version", flat=True)) == {1, 2}
    assert all(text.valid_from <= timezone.now() for text in texts)


@pytest.mark.parametrize(("age", "given_by"), [("adult", "self"), ("youth", "both"), ("child", "guardian")])
def test_who_agrees_depends_on_how_old_the_person_is(db, age, given_by):
    client = sign_in(account("mio@example.org"))

    client.post("/welcome", {"age": age, "purpose": "care", "timezone": "Asia/Tokyo"})

    person = Person.objects.get()
    give_consent(person, "contact", language="ja", by=person.user)  # later, by the same
    assert dict(Consent.objects.values_list("purpose", "given_by")) == {"care": given_by, "contact": given_by}


@pytest.mark.parametrize("age", ["", "none"])
def test_without_an_age_nothing_is_opened(db, age):
    client = sign_in(account("mio@example.org"))

    answer = client.post("/welcome", {"age": age, "purpose": "care", "timezone": "Asia/Tokyo"})

    assert answer.status_code == 422
    assert "としを選んでください" in answer.content.decode()
    assert not Person.objects.exists()


def test_withdrawing_takes_the_rows_of_jobs_before_the_end_of_the_audit_as_stopping_a_job_does(hana):
    give_consent(hana, "weather", language="ja", by=hana.user)
    ask(hana, "weather", by=hana.user)

    with CaptureQueriesContext(connection) as seen:
        withdraw_consent(Consent.objects.get(person=hana, purpose="weather"), by=hana.user)

    tables = [one["sql"] for one in seen.captured_queries if not one["sql"].startswith("SAVEPOINT")]
    job = next(n for n, sql in enumerate(tables) if 'UPDATE "casebook_job"' in sql)
    head = next(n for n, sql in enumerate(tables) if "casebook_audithead" in sql)
    assert job < head

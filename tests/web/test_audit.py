"""The audit: a line that is changed, taken out or cut off is found, and the database refuses to do it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from unaji.web.casebook.actions import diary
from unaji.web.casebook.actions.consents import give_consent, withdraw_consent
from unaji.web.casebook.audit import broken_at, record
from unaji.web.casebook.ids import uuid7
from unaji.web.casebook.models import AuditEvent, AuditHead, Consent, ConsentText, Explanation, RedFlagScreen


def unsealed(*tables):
    """Take the seals off, as whoever rules the machine can."""
    with connection.cursor() as cursor:
        for table in tables or ("casebook_auditevent",):
            for event in ("update", "delete"):
                at = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{event}{at}")


@pytest.fixture
def lines(hana):
    """Some lines: the casebook, its consents, an episode, its end."""
    episode = diary.log_episode(hana, by=hana.user)
    diary.end_episode(episode, by=hana.user)
    found = list(AuditEvent.objects.order_by("pk"))
    assert len(found) >= 5
    assert broken_at() is None
    return found


# -- what the database refuses -----------------------------------------------------------------------------------------


def test_the_database_refuses_to_change_or_remove_a_line(lines):
    for attempt in (
        lambda: AuditEvent.objects.filter(pk=lines[2].pk).update(action="view"),
        lambda: AuditEvent.objects.filter(pk=lines[2].pk).delete(),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.filter(pk=lines[2].pk).update(person_number=None),
    ):
        with pytest.raises(DatabaseError, match="casebook_auditevent is sealed"), transaction.atomic():
            attempt()
    assert list(AuditEvent.objects.order_by("pk")) == lines


def test_what_was_signed_or_answered_cannot_be_changed_but_for_what_is_filled_once(hana):
    now = timezone.now()
    consent = Consent.objects.get(person=hana, purpose="wearable_import")
    screen = RedFlagScreen.objects.create(person=hana, at=now, rules="1", level="today")
    explanation = Explanation.objects.create(
        person=hana, made_at=now, article="neck_heat", claims_sha256="", library="", inputs_sha256="", verdict="none"
    )
    Consent.objects.filter(pk=consent.pk).update(withdrawn_at=now + timedelta(seconds=1))
    RedFlagScreen.objects.filter(pk=screen.pk).update(acknowledged_at=now)

    for rows, change in (
        (Consent.objects.filter(pk=consent.pk), {"withdrawn_at": None}),
        (Consent.objects.filter(pk=consent.pk), {"given_at": now - timedelta(days=1)}),
        (RedFlagScreen.objects.filter(pk=screen.pk), {"acknowledged_at": now + timedelta(days=1)}),
        (RedFlagScreen.objects.filter(pk=screen.pk), {"level": "none"}),
        (RedFlagScreen.objects.filter(pk=screen.pk), {"answers_sealed": b"x"}),
        (Explanation.objects.filter(pk=explanation.pk), {"verdict": "conclude"}),
        (ConsentText.objects.filter(pk=consent.text_id), {"body": "何にでも使えます。"}),
    ):
        with pytest.raises(DatabaseError, match="is sealed"), transaction.atomic():
            rows.update(**change)


def test_a_consent_is_withdrawn_once_and_given_anew_as_a_new_row(hana):
    consent = Consent.objects.get(person=hana, purpose="wearable_import")

    withdraw_consent(consent, by=hana.user)
    withdraw_consent(consent, by=hana.user)
    again = give_consent(hana, "wearable_import", language="ja", by=hana.user)

    assert again.pk != consent.pk
    assert AuditEvent.objects.filter(action="withdraw").count() == 1


# -- what the chain finds ----------------------------------------------------------------------------------------------

CHANGES = {
    "at": timezone.now() - timedelta(days=1), "actor": uuid7(), "role": "staff", "action": "view",
    "object_type": "rating", "object_id": "0", "person_number": uuid7(), "request_id": "0" * 32, "chain": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_a_line_of_which_any_field_was_changed_is_found(lines, field):
    unsealed()

    AuditEvent.objects.filter(pk=lines[2].pk).update(**{field: CHANGES[field]})

    assert broken_at() == lines[2].pk


def test_every_field_of_a_line_is_part_of_the_chain():
    assert CHANGES.keys() == {field.attname for field in AuditEvent._meta.local_fields} - {"id"}


def test_a_line_that_was_taken_out_is_found_at_the_next(lines):
    unsealed()

    AuditEvent.objects.filter(pk=lines[2].pk).delete()

    assert broken_at() == lines[3].pk


def test_lines_that_changed_places_are_found(lines):
    unsealed()
    AuditEvent.objects.filter(pk=lines[1].pk).update(id=10_000)
    AuditEvent.objects.filter(pk=lines[2].pk).update(id=lines[1].pk)
    AuditEvent.objects.filter(pk=10_000).update(id=lines[2].pk)

    assert broken_at() == lines[1].pk


def test_lines_that_were_cut_off_at_the_end_are_found(lines):
    unsealed()

    AuditEvent.objects.filter(pk__gt=lines[2].pk).delete()

    assert broken_at() == lines[2].pk


def test_an_audit_that_was_emptied_is_found(lines):
    unsealed()

    AuditEvent.objects.all().delete()

    assert broken_at() is not None


def test_a_line_that_was_put_in_is_found(lines):
    AuditEvent.objects.create(
        at=timezone.now(), role="person", action="view", object_type="episode", object_id="0", chain="0" * 64
    )

    assert broken_at() == AuditEvent.objects.latest("pk").pk


def test_the_head_that_was_printed_yesterday_shows_a_chain_that_was_written_anew(lines, hana):
    printed = str(AuditHead.objects.get())
    unsealed()
    AuditEvent.objects.all().delete()
    AuditHead.objects.all().delete()
    for _ in range(5):
        record("view", hana, by=hana.user, person=hana.pk)

    assert broken_at() is None, "whoever rules the machine can write a whole chain"
    assert not AuditEvent.objects.filter(chain=printed).exists(), "but not one with yesterday's head in it"


def test_an_empty_audit_is_whole(db):
    assert broken_at() is None


# -- what is written ---------------------------------------------------------------------------------------------------


def test_a_line_says_who_did_what_to_which_row_and_nothing_of_what_is_in_it(hana):
    diary.log_episode(hana, by=hana.user, note="熱いと書いた", intensity=7)

    line = AuditEvent.objects.latest("pk")
    assert (line.actor, line.role, line.action, line.object_type) == (hana.user_id, "person", "create", "episode")
    assert line.person_number == hana.pk
    assert "熱い" not in repr(AuditEvent.objects.values_list())
    assert hana.user.email not in repr(list(AuditEvent.objects.values_list()))


def test_a_person_sees_the_lines_about_their_records_and_nobody_elses(hana, ken):
    with transaction.atomic():
        line = record("view", hana, by=ken.user, person=hana.pk)

    assert not AuditEvent.objects.visible_to(ken.user).filter(pk=line.pk).exists()
    assert AuditEvent.objects.visible_to(hana.user).filter(pk=line.pk).exists()


def test_what_fails_leaves_neither_the_change_nor_its_line(hana):
    before = AuditEvent.objects.count()

    with pytest.raises(diary.NotPossibleError):
        diary.log_episode(hana, by=hana.user, start=timezone.now(), end=timezone.now() - timedelta(hours=1))

    assert AuditEvent.objects.count() == before
    assert broken_at() is None


@pytest.mark.django_db(transaction=True)
def test_a_line_is_never_written_outside_the_transaction_it_tells_of():
    with pytest.raises(AssertionError, match="inside the transaction"):
        record("view", AuditHead(pk=1), by=None, person=None)

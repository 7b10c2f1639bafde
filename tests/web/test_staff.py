"""Who answers readers' questions."""

from __future__ import annotations

import pytest

from unaji.errors import InputError
from unaji.web.casebook.actions.staff import set_moderator
from unaji.web.casebook.models import AuditEvent


def test_a_moderator_is_made_and_unmade_with_a_line_each(hana):
    for moderates in (True, True, False):
        set_moderator("HANA@example.org", moderates=moderates)
        hana.user.refresh_from_db()
        assert hana.user.is_staff is moderates

    lines = AuditEvent.objects.filter(object_id=str(hana.user_id)).order_by("pk")
    assert [line.action for line in lines] == ["grant", "revoke"]


def test_an_address_without_account_is_named(hana):
    with pytest.raises(InputError, match=r"nobody@example\.org"):
        set_moderator("nobody@example.org", moderates=True)

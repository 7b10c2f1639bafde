"""Tokens are made on one screen and shown there once."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from unaji.web.casebook.actions.tokens import make_token
from unaji.web.casebook.models import ApiToken, AuditEvent, Person


def shown(answer):
    return re.findall(r"unaji_[\w-]{43}", answer.content.decode())


def test_a_new_token_is_shown_on_the_page_that_makes_it_and_on_no_other(as_hana, hana):
    answer = as_hana.post("/mine/tokens", {"name": "Hanas phone", "scope": ["log", "read"]})

    (key,) = shown(answer)
    token = ApiToken.objects.get(person=hana)
    assert answer["Cache-Control"] == "no-store"
    assert (token.name, token.scopes) == ("Hanas phone", ["log", "read"])
    assert Client().get("/api/episodes", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    again = as_hana.get("/mine/tokens")
    assert shown(again) == []
    assert "Hanas phone" in again.content.decode()
    assert "さいごに使われたのは" in again.content.decode()


def test_a_token_is_taken_back_by_its_own_person_alone(as_hana, as_ken, hana):
    token, key = make_token(hana, by=hana.user, name="Hanas phone", scopes=["read"])
    assert as_ken.post(f"/mine/tokens/{token.pk}/revoke").status_code == 404
    assert Client().get("/api/episodes", headers={"Authorization": f"Bearer {key}"}).status_code == 200

    as_hana.post(f"/mine/tokens/{token.pk}/revoke")

    assert Client().get("/api/episodes", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert "Hanas phone" not in as_hana.get("/mine/tokens").content.decode()
    lines = AuditEvent.objects.filter(object_type="apitoken").order_by("pk")
    assert [(one.role, one.action) for one in lines] == [("person", "create"), ("person", "withdraw")]


@pytest.mark.parametrize("sent", [{"name": "", "scope": ["log"]}, {"name": "x"}, {"name": "x", "scope": ["everything"]},
                                  {"name": "x" * 61, "scope": ["log"]}])  # fmt: skip
def test_a_token_without_name_or_scope_is_not_made(as_hana, sent):
    answer = as_hana.post("/mine/tokens", sent)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_name_is_text_and_nothing_else(as_hana):
    page = as_hana.post("/mine/tokens", {"name": "<script>alert(1)</script>", "scope": ["log"]}).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_nobody_gets_a_token_of_the_invented_person(as_hana, hana):
    Person.objects.filter(pk=hana.pk).update(simulated=True)

    assert as_hana.post("/mine/tokens", {"name": "x", "scope": ["read"]}).status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", ["/mine/tokens", "/mine/reminders"])
def test_the_screens_open_in_both_languages(as_hana, hana, path, language):
    hana.user.language = language
    hana.user.save()

    answer = as_hana.get(path)

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.content.decode()

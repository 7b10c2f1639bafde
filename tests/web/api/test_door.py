"""Who may come in: a token that was made for it, and nothing else; not too often; told in JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from tests.web.api.conftest import Device, device_of
from unaji.web.access import Rule
from unaji.web.api import door
from unaji.web.api.problems import STATUS
from unaji.web.api.urls import api, urlpatterns
from unaji.web.casebook.actions.tokens import MOST_TOKENS, TooManyTokensError, digest, make_token, revoke_token
from unaji.web.casebook.models import ApiToken, Episode
from unaji.web.words import LANGUAGES, catalogue

ANY_ID = "01a228d1-b892-7593-b1e7-cc71c222320e"
NEEDS = {
    ("POST", "/episodes"): {"log"},
    ("GET", "/episodes"): {"read"},
    ("PATCH", f"/episodes/{ANY_ID}"): {"log"},
    ("DELETE", f"/episodes/{ANY_ID}"): {"log"},
    ("POST", "/ratings"): {"log"},
    ("POST", "/exposures"): {"log"},
    ("POST", "/nothing"): {"log"},
    ("POST", "/uploads"): {"upload"},
    ("GET", f"/uploads/{ANY_ID}"): {"upload", "read"},
    ("POST", f"/uploads/{ANY_ID}/save"): {"upload"},
    ("GET", "/findings"): {"read"},
    ("POST", "/findings/refresh"): {"read"},
    ("GET", f"/jobs/{ANY_ID}"): {"upload", "read"},
}
"""Every operation, and the scopes that open it."""


def test_every_operation_is_in_the_table_of_this_test():
    described = api.get_openapi_schema()["paths"]
    operations = {(method.upper(), path) for path, methods in described.items() for method in methods}

    assert operations == {(method, f"/api{path.replace(ANY_ID, '{number}')}") for method, path in NEEDS}


def test_every_address_of_the_api_declares_who_may_open_it():
    for one in urlpatterns:
        assert isinstance(one, URLPattern)
        assert isinstance(one.callback.rule, Rule)


@pytest.mark.parametrize("operation", list(NEEDS))
@pytest.mark.parametrize("key", [None, "", "unaji_", "unaji_wrong", "wrong", "Ünaji", "unaji_" + "x" * 5000])
def test_without_a_token_of_ours_nothing_opens(db, hana, operation, key):
    answer = Device(key).call(*operation, body={})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", list(NEEDS))
def test_a_session_opens_nothing(as_hana, hana, operation):
    method, path = operation

    answer = as_hana.generic(method, f"/api{path}", "{}", content_type="application/json")

    assert answer.status_code == 401
    assert not Episode.objects.exists()


@pytest.mark.parametrize("scope", ["log", "upload", "read"])
@pytest.mark.parametrize("operation", list(NEEDS))
def test_a_token_opens_what_it_was_made_for(hana, operation, scope):
    answer = device_of(hana, scope).call(*operation, body={})

    assert (answer.status_code == 403) == (scope not in NEEDS[operation])
    if answer.status_code == 403:
        assert answer.json()["code"] == "wrong_scope"


def test_a_token_in_a_cookie_or_in_the_address_opens_nothing(hanas):
    client = Client()
    client.cookies["Authorization"] = f"Bearer {hanas.key}"

    assert client.get(f"/api/episodes?token={hanas.key}&Authorization=Bearer%20{hanas.key}").status_code == 401


def test_no_answer_sets_a_cookie_or_may_be_kept(hanas):
    for answer in (
        hanas.post("/episodes", {}),
        hanas.get("/episodes"),
        hanas.get("/nowhere"),
        Device("").get("/episodes"),
    ):
        assert not answer.cookies
        assert answer["Cache-Control"] == "no-store"


def test_a_revoked_token_opens_nothing(hana, hanas):
    revoke_token(ApiToken.objects.get(person=hana), by=hana.user)

    assert hanas.get("/episodes").status_code == 401


def test_an_account_that_was_closed_opens_nothing(hana, hanas):
    hana.user.is_active = False
    hana.user.save()

    assert hanas.get("/episodes").status_code == 401


def test_of_a_token_only_the_hash_is_kept_and_when_it_was_used(hana):
    token, key = make_token(hana, by=hana.user, name="phone", scopes=["read"])
    kept = [str(value) for value in ApiToken.objects.filter(pk=token.pk).values_list()[0]]
    assert not any(key in one or key.removeprefix("unaji_") in one for one in kept)
    assert token.sha256 == digest(key)
    assert token.used_at is None
    before = timezone.now()

    Device(key).get("/episodes")

    token.refresh_from_db()
    assert before <= token.used_at <= timezone.now()


def test_no_two_tokens_are_alike_and_each_holds_256_random_bits(hana):
    keys = {make_token(hana, by=hana.user, name="x", scopes=["log"])[1] for _ in range(5)}

    assert len(keys) == 5
    assert all(len(one) == len("unaji_") + 43 for one in keys)


def test_a_person_has_twenty_tokens_at_most_and_revoked_ones_do_not_count(hana):
    for _ in range(MOST_TOKENS):
        token, _ = make_token(hana, by=hana.user, name="x", scopes=["log"])
    with pytest.raises(TooManyTokensError):
        make_token(hana, by=hana.user, name="x", scopes=["log"])

    revoke_token(token, by=hana.user)

    make_token(hana, by=hana.user, name="x", scopes=["log"])


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["log"]), ("   ", ["log"]), ("x" * 61, ["log"]), ("x", []), ("x", ["all"])]
)
def test_a_token_needs_a_name_and_scopes_that_are_known(hana, name, scopes):
    with pytest.raises(ValueError, match="name"):
        make_token(hana, by=hana.user, name=name, scopes=scopes)


def test_a_token_that_comes_too_often_waits(hanas, kens, monkeypatch):
    monkeypatch.setattr(door, "TOKEN_A_MINUTE", 3)

    answers = [hanas.get("/episodes").status_code for _ in range(5)]
    last = hanas.get("/episodes")

    assert answers == [200, 200, 200, 429, 429]
    assert (last["Retry-After"], last.json()["code"]) == ("60", "too_often")
    assert kens.get("/episodes").status_code == 200


def test_an_address_that_guesses_is_shut_out_for_the_minute_and_others_are_not(hanas):
    answers = {Device("unaji_guess").get("/episodes").status_code for _ in range(door.WRONG_A_MINUTE)}

    assert answers == {401}
    assert Device("unaji_guess").get("/episodes").status_code == 429
    assert hanas.get("/episodes").status_code == 429
    assert hanas.get("/episodes", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_an_address_from_which_right_tokens_come_is_not_shut_out(hanas, monkeypatch):
    monkeypatch.setattr(door, "WRONG_A_MINUTE", 3)

    assert {hanas.get("/episodes").status_code for _ in range(10)} == {200}


def test_a_new_minute_begins_anew(hanas, monkeypatch):
    monkeypatch.setattr(door, "TOKEN_A_MINUTE", 1)
    clock = [1_800_000_000.0]
    monkeypatch.setattr(door.time, "time", lambda: clock[0])

    assert [hanas.get("/episodes").status_code for _ in range(2)] == [200, 429]
    clock[0] += 60
    assert hanas.get("/episodes").status_code == 200


def test_behind_a_proxy_the_guesses_of_one_address_shut_nobody_else_out(hanas, settings, monkeypatch):
    monkeypatch.setattr(door, "WRONG_A_MINUTE", 2)
    settings.CHOSEN = replace(settings.CHOSEN, behind_proxy=True)
    guesses = [
        Device("unaji_guess").get("/episodes", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 192.0.2.1") for n in range(3)
    ]

    assert [one.status_code for one in guesses] == [401, 401, 429]
    assert hanas.get("/episodes", HTTP_X_FORWARDED_FOR="192.0.2.1, 192.0.2.7").status_code == 200


@pytest.mark.parametrize("path", ["/", "/nowhere", "/episodes/1", "/episodes/x/y", "/docs", "/episodes/"])
def test_an_address_that_is_not_there_is_told_in_json(db, path):
    answer = Device("").get(path)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_method_that_is_not_there_is_told_with_those_that_are(hanas):
    answer = hanas.call("PUT", "/episodes", {})

    assert answer.status_code == 405
    assert answer.json()["code"] == "wrong_method"
    assert {one.strip() for one in answer["Allow"].split(",")} == {"GET", "POST"}


def test_a_body_that_is_too_large_is_not_read(hanas):
    answer = hanas.post("/episodes", b'{"note": "' + b"x" * (1 << 20) + b'"}')

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_what_nobody_expected_is_told_in_json_and_the_log_holds_no_value(hanas, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("36.9 °C of Hana")

    monkeypatch.setattr("unaji.web.casebook.actions.diary.log_episode", broken)

    answer = hanas.post("/episodes", {})

    assert answer.status_code == 500
    assert answer.json()["code"] == "failed"
    assert any("RuntimeError" in one for one in caplog.messages)
    assert "Hana" not in "".join(caplog.messages)


def test_problems_speak_the_language_of_the_account_and_else_of_the_request(hana, hanas):
    asked = {"Accept-Language": "en"}
    assert Device("").get("/episodes", headers=asked).json()["title"].startswith("The token is missing")

    hana.user.language = "en"
    hana.user.save()
    assert hanas.get(f"/jobs/{ANY_ID}").json()["title"] == "There is nothing here."
    hana.user.language = "ja"
    hana.user.save()
    assert hanas.get(f"/jobs/{ANY_ID}", headers=asked).json()["title"] == "ここには何もありません。"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", list(STATUS))
def test_every_problem_has_its_words(language, code):
    assert f"api.problem.{code}" in catalogue(language)


def test_the_description_names_the_media_type_of_problems_and_the_bearer_token(db):
    described = Client().get("/api/openapi.json").json()

    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"Token": []}]
            assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"]
    assert described["components"]["securitySchemes"]["Token"] == {"type": "http", "scheme": "bearer"}

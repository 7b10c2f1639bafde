"""The cast: Hana who has the symptom, Ken who is a stranger to her, and a visitor whom nobody knows."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.web.accounts import account, sign_in
from unaji.web.casebook.actions.people import open_casebook
from unaji.web.casebook.actions.screens import answer_screen
from unaji.web.casebook.claims import claims_in_use


@pytest.fixture(scope="session")
def public_files(tmp_path_factory):
    """Where what is made for public pages lies: named by what it is made of, so that all tests may share it."""
    return tmp_path_factory.mktemp("public")


@pytest.fixture(autouse=True)
def _own_home(settings, tmp_path, public_files):
    """Give each test a home of its own: keys and sealed files of one are not there for another."""
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    (settings.HOME / "public").symlink_to(public_files)


def make_person(email: str, *, purposes=("care", "wearable_import"), asked=True):
    user = account(email)
    person = open_casebook(by=user, timezone_name="Asia/Tokyo", purposes=purposes, language="ja")
    if asked:  # nobody who is new opens the app without the warning signs
        claims = claims_in_use()
        signs = {flag.id: False for flag in claims.red_flags}
        answer_screen(person, by=user, answers=signs, claims=claims, why="intake")
    return person


@pytest.fixture
def hana(db):
    return make_person("hana@example.org")


@pytest.fixture
def ken(db):
    return make_person("ken@example.org")


@pytest.fixture
def as_hana(hana):
    return sign_in(hana.user)


@pytest.fixture
def as_ken(ken):
    return sign_in(ken.user)


@pytest.fixture
def visitor():
    return Client()


@pytest.fixture(scope="session")
def postgres_url():
    """Address of a PostgreSQL server of the tests' own, without the name of a database; skips where there is none."""
    from tests.web import postgres

    if not postgres.available():
        pytest.skip(postgres.MISSING)
    with postgres.server() as url:
        yield url

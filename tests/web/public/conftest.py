"""Published articles to look at: the one that ships, and a second one that is made of files only."""

from __future__ import annotations

import pytest
from django.test import override_settings

from tests.claims.conftest import EN, JA, MODEL
from tests.claims.test_publication import ARTICLE, PEOPLE
from unaji.web.casebook.models import User
from unaji.web.public import pages
from unaji.web.public.situations import play_all


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """The situations of the article that ships, played once for all tests."""
    home = tmp_path_factory.mktemp("played")
    with override_settings(HOME=home):
        play_all()
    return home / "public"


@pytest.fixture(autouse=True)
def _fresh_pages(_own_home, settings, played):
    (settings.HOME / "public").symlink_to(played)
    pages.forget()
    yield
    pages.forget()


@pytest.fixture
def second_article(tmp_path, settings):
    """A shelf with one small article about another symptom."""
    folder = tmp_path / "shelf" / "cold_fingers"
    folder.mkdir(parents=True)
    files = {"model.toml": MODEL, "ja.md": JA, "en.md": EN, "article.toml": ARTICLE, "../people.toml": PEOPLE}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    settings.ARTICLES = folder.parent
    return folder


@pytest.fixture
def moderator(db):
    return User.objects.create_user("staff@example.org", is_staff=True)

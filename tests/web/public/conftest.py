"""Published articles to look at: the one that ships, and a second one that is made of files only."""

from __future__ import annotations

import pytest

from tests.claims.conftest import EN, JA, MODEL
from tests.claims.test_publication import ARTICLE, PEOPLE
from unaji.web.casebook.models import User
from unaji.web.public import pages


@pytest.fixture(autouse=True)
def _fresh_pages(_own_home):
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

"""Who wrote an article, who checked it and when: read strictly, every mistake named by file and key."""

from __future__ import annotations

from datetime import date

import pytest

from unaji.claims.publication import read_people, read_shelf
from unaji.errors import ClaimsError

ARTICLE = """
slug = "cold-fingers"
published = 2026-01-10
updated = 2026-03-01
last_reviewed = 2026-02-01
next_review = 2027-02-01
author = "writer"
reviewer = "checker"
category = { ja = "手足の冷え", en = "Cold hands and feet" }
summary = { ja = "指先が冷えることがあります。理由を説明します。", en = "Fingers may be cold. This says why." }

[[corrections]]
day = 2026-02-01
what = { ja = "出典の年を直しました。", en = "Put the year of a source right." }

[[corrections]]
day = 2026-03-01
what = { ja = "文を一つ直しました。", en = "Put a sentence right." }
"""

PEOPLE = """
[people.writer]
name = { ja = "書田 一", en = "Hajime Kakida" }
kana = "かきだ はじめ"
role = { ja = "書く人", en = "writes" }
profile = { ja = "書いています。", en = "Writes." }
licences = [{ kind = "はり師", verified = true }, { kind = "医師", verified = false }]
links = [{ name = { ja = "研究室", en = "Laboratory" }, url = "https://example.org/kakida" }]

[people.checker]
name = { ja = "見田 二", en = "Tsugu Mita" }
kana = "ミタ ツグ"
invented = true
role = { ja = "確かめる人", en = "checks" }
profile = { ja = "確かめています。", en = "Checks." }
"""


@pytest.fixture
def shelf(cold_fingers):
    (cold_fingers / "article.toml").write_text(ARTICLE, encoding="utf-8")
    (cold_fingers.parent / "people.toml").write_text(PEOPLE, encoding="utf-8")
    return cold_fingers.parent


def rewrite(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_ships_is_complete_and_its_people_are_marked_as_invented():
    (article,) = read_shelf()

    assert article.claims.id == "neck_heat"
    assert article.author.invented
    assert article.reviewer.invented
    assert article.reviewer.id != article.author.id


def test_an_article_is_published_by_files_alone(shelf):
    (article,) = read_shelf(shelf)

    assert article.slug == "cold-fingers"
    assert article.claims.title.en == "Why are the fingers cold?"
    assert article.author.name.ja == "書田 一"
    assert article.reviewer.invented
    assert article.situations == ()
    assert [one.day for one in article.corrections] == [date(2026, 3, 1), date(2026, 2, 1)]


def test_a_folder_without_article_toml_is_not_published(cold_fingers):
    assert read_shelf(cold_fingers.parent) == ()


def test_a_licence_that_nobody_verified_is_not_shown(shelf):
    author = read_shelf(shelf)[0].author

    assert [one.kind for one in author.licences] == ["はり師", "医師"]
    assert [one.name.en for one in author.shown_licences] == ["licensed acupuncturist"]


def test_a_review_is_overdue_from_the_day_after_the_one_it_was_due(shelf):
    (article,) = read_shelf(shelf)

    assert not article.is_overdue(date(2027, 2, 1))
    assert article.is_overdue(date(2027, 2, 2))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('reviewer = "checker"', 'reviewer = "writer"', "reviewer: nobody checks what they wrote"),
        ('author = "writer"', 'author = "nobody"', "author: 'nobody' is nobody in people.toml; known: writer, checker"),
        ('slug = "cold-fingers"', 'slug = "Cold Fingers"', "slug: an address is made of"),
        ("updated = 2026-03-01", 'updated = "2026-03-01"', "updated: must be a day such as"),
        ("updated = 2026-03-01", "updated = 2026-03-01T12:00:00", "updated: must be a day such as"),
        ("updated = 2026-03-01", "updated = 2025-03-01", "updated: lies before the article was published"),
        ("last_reviewed = 2026-02-01", "last_reviewed = 2025-02-01", "last_reviewed: lies before"),
        ("next_review = 2027-02-01", "next_review = 2026-02-01", "next_review: must come after last_reviewed"),
        ("next_review = 2027-02-01", "next_review = 2027-02-03", "next_review: must come after last_reviewed"),
        ("published = 2026-01-10\n", "", "published: missing key"),
        ("day = 2026-03-01", "day = 2026-03-02", "corrections: 2026-03-02 does not lie between"),
        ("理由を説明します。", "理由を説明します。以上です。", "summary.ja: must be 2 sentences, found 3"),
        ("This says why.", "", "summary.en: must be 2 sentences, found 1"),
        ('author = "writer"', 'author = "writer"\neditor = "writer"', "editor: unknown key"),
        ("[[corrections]]", '[figure]\nsituations = ["fever"]\nafter = "end"\n[[corrections]]',
         "figure.after: 'end' is no section of this article; choose one of first, why"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_article_is_named_by_file_and_key(shelf, old, new, said):
    rewrite(shelf / "cold_fingers" / "article.toml", old, new)

    with pytest.raises(ClaimsError, match=r"article\.toml: ") as error:
        read_shelf(shelf)

    assert said in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "はり師"', 'kind = "整体師"', "people.writer.licences[0].kind: '整体師' is no licence of the state"),
        ("かきだ はじめ", "書田 はじめ", "people.writer.kana: must be written in hiragana or katakana"),
        ("https://example.org", "http://example.org", "people.writer.links[0].url: must start with https://"),
        ("invented = true", 'invented = "yes"', "people.checker.invented: must be true or false"),
        ('en = "checks"', 'en = "確かめる"', "people.checker.role.en: does not look like English"),
    ],
)
def test_a_mistake_in_the_people_is_named_by_file_and_key(shelf, old, new, said):
    rewrite(shelf / "people.toml", old, new)

    with pytest.raises(ClaimsError, match=r"people\.toml: ") as error:
        read_people(shelf / "people.toml")

    assert said in str(error.value)


def test_two_articles_cannot_have_one_address(shelf):
    other = shelf / "other"
    other.mkdir()
    for file in (shelf / "cold_fingers").iterdir():
        (other / file.name).write_bytes(file.read_bytes())

    with pytest.raises(ClaimsError, match="slug: another article has the address 'cold-fingers' too"):
        read_shelf(shelf)

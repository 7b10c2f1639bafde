"""Feeds, site map and the robots' rules."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest

from unaji.claims.graph import load_claims
from unaji.web.casebook.actions import questions
from unaji.web.casebook.models import Question

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"

pytestmark = pytest.mark.django_db


def xml(client, address, kind):
    answer = client.get(address)
    assert answer["Content-Type"].startswith(kind)
    return ET.fromstring(answer.content)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_feed_tells_of_articles_in_its_language(visitor, language):
    feed = xml(visitor, f"/{language}/feed.xml", "application/atom+xml")

    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == load_claims("neck_heat").title.in_(language)
    assert entry.findtext(f"{ATOM}id") == f"http://localhost:8000/{language}/neck-heat/"
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")) == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert feed.findtext(f"{ATOM}updated") == datetime(2026, 11, 28, 15, tzinfo=UTC).isoformat()
    assert entry.find(f"{ATOM}author/{ATOM}name") is not None


def test_every_correction_is_an_entry_of_its_own(visitor, second_article):
    entries = xml(visitor, "/en/feed.xml", "application/atom+xml").findall(f"{ATOM}entry")

    titles = [one.findtext(f"{ATOM}title") for one in entries]
    assert titles.count("Correction: Why are the fingers cold?") == 2
    assert len({one.findtext(f"{ATOM}id") for one in entries}) == 3
    first = next(one for one in entries if one.findtext(f"{ATOM}summary") == "Put the year of a source right.")
    assert first.findtext(f"{ATOM}id").endswith("/en/cold-fingers/#correction-1")


def test_the_site_map_lists_every_page_in_every_language(visitor):
    urls = xml(visitor, "/sitemap.xml", "application/xml").findall(f"{MAP}url")

    places = [one.findtext(f"{MAP}loc") for one in urls]
    assert "http://localhost:8000/ja/neck-heat/" in places
    assert "http://localhost:8000/en/people/reida/" in places
    assert "http://localhost:8000/ja/grades/" in places
    assert len(set(places)) == len(places)
    for one in urls:
        links = {link.get("hreflang"): link.get("href") for link in one.findall(f"{XHTML}link")}
        assert set(links) == {"ja", "en", "x-default"}
        assert one.findtext(f"{MAP}loc") in links.values()
        path = one.findtext(f"{MAP}loc").removeprefix("http://localhost:8000")
        assert visitor.get(path).status_code == 200


def test_its_dates_follow_what_the_pages_tell(visitor, moderator, monkeypatch):
    monkeypatch.setattr("unaji.web.public.pages.LOOK_EVERY_S", 0.0)

    def changed():
        urls = xml(visitor, "/sitemap.xml", "application/xml").findall(f"{MAP}url")
        return {one.findtext(f"{MAP}loc")[21:]: one.findtext(f"{MAP}lastmod") for one in urls}

    before = changed()
    asked = questions.ask(article="neck_heat", language="ja", text="熱があるときはどうなりますか。")
    questions.publish(asked, by=moderator, claims=load_claims("neck_heat"), moderated_text="熱があるときは?",
                      answer="首の皮膚も温まります。", claim_ids=["fever"])  # fmt: skip
    Question.objects.update(changed_at=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    after = changed()

    assert before["/ja/neck-heat/"] == "2026-11-28T15:00:00+00:00"
    assert after["/ja/neck-heat/"] == "2027-01-02T03:04:05+00:00"
    assert {path for path in before if after[path] != before[path]} == {"/ja/neck-heat/"}
    assert {path: after[path] for path in after.keys() - before.keys()} == {
        "/ja/neck-heat/questions/": "2027-01-02T03:04:05+00:00",
    }  # fmt: skip


def test_robots_may_read_the_public_pages_and_no_more(visitor):
    rules = RobotFileParser()
    rules.parse(visitor.get("/robots.txt").content.decode().splitlines())

    assert rules.can_fetch("*", "http://localhost:8000/ja/neck-heat/")
    assert not rules.can_fetch("*", "http://localhost:8000/now")
    assert not rules.can_fetch("*", "http://localhost:8000/account/login/")
    assert rules.site_maps() == ["http://localhost:8000/sitemap.xml"]

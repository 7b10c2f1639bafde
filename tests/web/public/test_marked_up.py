"""What machines read is what the page shows."""

from __future__ import annotations

import pytest

from tests.web.public.reading import Page, squeezed
from unaji.claims.graph import load_claims
from unaji.web.casebook.actions import questions
from unaji.web.public.marked_up import script

ADDRESSES = ("@context", "@id", "@type", "url", "item", "inLanguage")
DAYS = ("datePublished", "dateModified", "lastReviewed")

pytestmark = pytest.mark.django_db


def page(client, address):
    return Page(client.get(address).content.decode())


def texts(node):
    """Give every text of JSON-LD that a person would read, and every day."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ADDRESSES:
                yield from texts(value)
    elif isinstance(node, list):
        for one in node:
            yield from texts(one)
    elif isinstance(node, str):
        yield node


@pytest.fixture
def asked(moderator):
    for language, text, answer in (
        ("ja", "気圧の</script>せいですか。", "はっきりしていません。\n\n「記録」が手がかりです。"),
        ("en", "Is it <i>the</i> air pressure?", "That is not clear.\nKeep a record."),
    ):
        question = questions.ask(article="neck_heat", language=language, text=text)
        questions.publish(question, by=moderator, claims=load_claims("neck_heat"), moderated_text=text, answer=answer,
                          claim_ids=["pressure_drop"])  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_text_and_day_in_it_is_on_the_page(visitor, asked, language):
    shown = page(visitor, f"/{language}/neck-heat/")
    days = {one["datetime"] for one in shown.all("time")}

    said = list(texts(shown.linked_data))

    assert len(said) > 50
    assert not [one for one in said if squeezed(one) not in shown.text and one not in days]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_it_is_a_medical_page_with_breadcrumb_and_questions_and_nothing_a_clinic_may_not_be(visitor, asked, language):
    nodes = {one["@type"]: one for one in page(visitor, f"/{language}/neck-heat/").linked_data}

    assert set(nodes) == {"MedicalWebPage", "BreadcrumbList", "FAQPage"}
    assert nodes["MedicalWebPage"]["about"]["@type"] == "MedicalSymptom"
    assert nodes["MedicalWebPage"]["author"]["name"] != nodes["MedicalWebPage"]["reviewedBy"]["name"]
    assert len(nodes["FAQPage"]["mainEntity"]) == 1
    assert [one["position"] for one in nodes["BreadcrumbList"]["itemListElement"]] == [1, 2]


def test_without_a_published_question_there_is_no_faq(visitor):
    assert "FAQPage" not in [one["@type"] for one in page(visitor, "/ja/neck-heat/").linked_data]


def test_an_invented_person_has_no_licence_there_and_a_real_one_only_what_was_verified(visitor, second_article):
    shipped = Page((visitor.get("/en/cold-fingers/")).content.decode()).linked_data[0]

    assert shipped["author"]["hasCredential"] == [
        {"@type": "EducationalOccupationalCredential", "name": "licensed acupuncturist"}
    ]
    assert "hasCredential" not in shipped["reviewedBy"]
    assert "invented" in shipped["reviewedBy"]["description"]


def test_no_text_can_end_the_element_it_stands_in():
    written = script({"name": "</script><script>alert(1)</script>&<!--"})

    assert written.count("<") == 2
    assert "&" not in written
    assert "\\u003C/script\\u003E" in written

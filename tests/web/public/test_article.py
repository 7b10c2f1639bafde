"""The page of an article: what a reader sees, in which order, in which language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import escape
from pathlib import Path

import pytest

from tests.web.public.reading import Page, squeezed
from unaji.claims.graph import load_claims
from unaji.claims.model import Urgency
from unaji.claims.publication import SHIPPED as SHIPPED_FOLDER
from unaji.claims.publication import read_shelf
from unaji.web.casebook.actions import questions
from unaji.web.configuration import configuration
from unaji.web.public import pages
from unaji.web.public.told import SHOWN_CHARACTERS, SHOWN_QUESTIONS, Numbered

CLAIMS = load_claims("neck_heat")
(SHIPPED,) = read_shelf()
ADDRESS = {"ja": "/ja/neck-heat/", "en": "/en/neck-heat/"}

pytestmark = pytest.mark.django_db


def seen(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return Page(answer.content.decode())


@pytest.fixture(params=["ja", "en"])
def article(request, visitor):
    page = seen(visitor, ADDRESS[request.param])
    page.language = request.param
    return page


def test_it_has_a_title_three_dates_two_sentences_and_two_people(article):
    language = article.language

    assert article.all("html")[0]["lang"] == language
    assert squeezed(CLAIMS.title.in_(language)) in article.text
    assert squeezed(SHIPPED.summary.in_(language)) in article.text
    assert [one["datetime"] for one in article.all("time")][:3] == ["2026-11-29"] * 3
    for person in (SHIPPED.author, SHIPPED.reviewer):
        assert squeezed(person.name.in_(language)) in article.text
        assert article.all("a", href=f"/{language}/people/{person.id}/")


def test_invented_people_are_marked_wherever_they_are_named(article, visitor):
    language = article.language
    mark = {"ja": "例架空の人", "en": "Example:inventedperson"}[language]
    feed = squeezed(visitor.get(f"/{language}/feed.xml").content.decode())

    assert article.text.count(mark) == 2
    assert mark.lower() in feed.lower()
    for person in (SHIPPED.author, SHIPPED.reviewer):
        profile = seen(visitor, f"/{language}/people/{person.id}/").text
        assert {"ja": "架空の人物です", "en": "madeupasanexample"}[language] in profile


def test_the_red_flag_box_comes_before_the_text_and_names_both_numbers(article):
    box = article.text.index({"ja": "先に受診してほしいとき", "en": "Whenadoctorcomesfirst"}[article.language])
    first = article.text.index(squeezed(CLAIMS.article[article.language][2].text[:20]))

    assert box < first
    assert "119" in article.text[box : box + 300]
    assert "#7119" in article.text[box : box + 300]
    for flag in CLAIMS.red_flags:
        if flag.urgency is Urgency.EMERGENCY:
            assert squeezed(flag.question.in_(article.language)) in article.text[box:first]


def test_the_contents_lead_to_every_section_with_the_grade_of_its_first_claim(article):
    graded = {one.id: one.grade for one in (*CLAIMS.causes, *CLAIMS.treatments)}
    contents = re.search(r'<nav class="contents".*?</nav>', article.html, re.DOTALL)[0]
    rows = dict(re.findall(r'<li><a href="#([a-z-]+)">.*?</a>(.*?)</li>', contents))

    for section in CLAIMS.article[article.language]:
        first = next((graded[one] for one in section.claims if one in graded), None)
        assert section.id in article.ids
        assert (f"<b>{first}</b>" in rows[section.id]) if first else rows[section.id] == ""


def test_every_claim_stands_below_its_section_with_grade_words_and_sources(article):
    listed = article.html.split('<ol class="all-sources">')[1].split("</ol>")[0]
    for section in CLAIMS.article[article.language]:
        part = re.search(rf'<section id="{section.id}".*?</section>', article.html, re.DOTALL)[0]
        for claim in (*CLAIMS.causes, *CLAIMS.treatments):
            told = squeezed(claim.claim.in_(article.language)) in Page(f"<body>{part}</body>").text
            assert told == (claim.id in section.claims)
            if told:
                label = {"ja": f"医学の裏づけ {claim.grade}:", "en": f"Medical evidence {claim.grade}:"}
                assert label[article.language] in part
                numbers = {
                    one: n for n, one in re.findall(r'<li id="source-(\d+)"><span lang="\w+">(.*?)</span>', listed)
                }
                for one in claim.sources:
                    n = numbers[escape(CLAIMS.sources[one].citation)]
                    assert f'<a href="#source-{n}">{n}</a>' in part


def test_the_text_is_the_articles_own_as_html(article):
    for section in CLAIMS.article[article.language]:
        for line in section.text.splitlines():
            plain = squeezed(re.sub(r"[*]{2}|^- ", "", line))
            assert plain in article.text


def test_every_source_is_listed_once_and_every_link_within_the_page_arrives(article):
    sources = article.html.split('<ol class="all-sources">')[1].split("</ol>")[0]
    inner = [one["href"] for one in article.all("a") if str(one.get("href", "")).startswith("#")]

    assert sources.count("<li ") == len(CLAIMS.sources)
    assert len(set(article.ids)) == len(article.ids)
    assert inner
    assert not [one for one in inner if one[1:] not in article.ids]


@pytest.mark.parametrize(
    ("citation", "short"),
    [
        ("Muller MD, Sauder CL, Ray CA. Mental stress. Physiol Rep 2013;1:e00002", "Muller et al. 2013"),
        ("Oka T. Psychogenic fever. Temperature 2015;2:368-378", "Oka 2015"),
        ("Lindqvist M, et al. Vasodilation. Acta Physiol Scand 1996;158:7-14", "Lindqvist et al. 1996"),
        ("Larsson et al. Responses to 8 h of work. Pain 2008;140:479-490", "Larsson et al. 2008"),
        ("Dibai-Filho AV, Guirro EC. Reliability. Braz J Phys Ther 2015;19:122-128", "Dibai-Filho et al. 2015"),
        ("Larsson SE, Cai H. Microcirculation. Eur J Appl Physiol, 1993 or 1995", "Larsson et al. 1993 or 1995"),
        ("Funakubo M, Sato J. Sensations. Cephalalgia Reports 2021", "Funakubo et al. 2021"),
        ("Canadian Chiropractic Guideline Initiative. Neck pain care pathway, 2024", None),
        ("全日本鍼灸学会. 鍼灸安全対策ガイドライン 2025年版", None),
        ("General medical knowledge, to be confirmed by a physician", None),
    ],
)
def test_beside_a_claim_a_source_is_named_by_author_and_year(citation, short):
    numbered = Numbered(1, replace(next(iter(CLAIMS.sources.values())), citation=citation))

    assert numbered.short == (short or citation)


def test_a_citation_says_which_language_it_is_in(article):
    written = dict(re.findall(r'<li id="source-(\d+)"><span lang="\w+">(.*?)</span>', article.html))
    spoken = dict(re.findall(r'<li id="source-(\d+)"><span lang="(\w+)">', article.html))

    assert {spoken[n] for n in written if written[n].startswith("全日本")} == {"ja"}
    assert {spoken[n] for n in written if written[n].startswith("Rushton")} == {"en"}


def test_the_way_into_the_app_comes_after_the_text(article):
    last = squeezed(CLAIMS.article[article.language][-1].text[:20])

    assert article.html.index('href="/welcome"') > article.html.index('<section id="your-own"')
    assert article.html.count('href="/welcome"') == 1
    assert last in article.text


def test_nothing_in_it_is_inline_or_from_elsewhere(article):
    assert not [
        attrs for _, attrs in article.elements if "style" in attrs or any(one.startswith("on") for one in attrs)
    ]
    assert not article.all("style")
    assert [one.get("type") for one in article.all("script")] == ["application/ld+json"]
    loaded = [*article.all("link", rel="stylesheet"), *article.all("link", rel="icon")]
    assert all(str(one["href"]).startswith("/static/") for one in loaded)
    assert all(str(one["src"]).startswith(f"/{article.language}/") for one in article.all("img"))


def test_every_picture_has_its_size_so_that_nothing_moves_when_it_comes(article):
    pictures = [*article.all("img"), *article.all("source")]

    assert len(article.all("img")) == len(SHIPPED.situations)
    assert all(int(one["width"]) > 300 and int(one["height"]) > 300 for one in pictures)
    assert all(one["loading"] == "lazy" and one["alt"] for one in article.all("img"))


def test_it_knows_its_address_and_those_in_other_languages(article):
    language, origin = article.language, "http://localhost:8000"

    assert article.all("link", rel="canonical")[0]["href"] == f"{origin}/{language}/neck-heat/"
    alternates = {one["hreflang"]: one["href"] for one in article.all("link", rel="alternate") if "hreflang" in one}
    assert alternates == {"ja": f"{origin}/ja/neck-heat/", "en": f"{origin}/en/neck-heat/",
                          "x-default": f"{origin}/ja/neck-heat/"}  # fmt: skip
    said = {one.get("property"): one["content"] for one in article.all("meta") if "property" in one}
    assert said["og:type"] == "article"
    assert said["og:locale"] == {"ja": "ja_JP", "en": "en_US"}[language]
    assert squeezed(said["og:title"]) in article.text
    assert squeezed(said["og:description"]) in article.text
    other = {"ja": "en", "en": "ja"}[language]
    assert article.all("a", hreflang=other)[0]["href"] == f"/{other}/neck-heat/"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_page_and_styles_weigh_less_than_150_kb_with_as_many_questions_as_it_shows(visitor, moderator, language):
    from django.contrib.staticfiles import finders

    each = SHOWN_CHARACTERS // SHOWN_QUESTIONS
    for n in range(SHOWN_QUESTIONS + 3):
        answer = ("はっきりしていません。" if language == "ja" else "That is not clear. ") + f"{n}" * 400
        asked = questions.ask(article="neck_heat", language=language, text="問" * 40)
        questions.publish(asked, by=moderator, claims=CLAIMS, moderated_text="問" * 40, answer=answer[: each - 40],
                          claim_ids=["pressure_drop", "stress"])  # fmt: skip
    page = seen(visitor, ADDRESS[language])

    sheets = [str(one["href"]).removeprefix("/static/") for one in page.all("link", rel="stylesheet")]
    weight = len(page.html.encode()) + sum(Path(finders.find(one)).stat().st_size for one in sheets)

    assert len(page.all("article")) == SHOWN_QUESTIONS
    assert len(sheets) == 3
    assert weight < 150_000


def test_an_overdue_review_is_said_at_the_top(visitor, monkeypatch):
    monkeypatch.setattr(pages, "today", lambda: date(2027, 11, 28))
    assert "見直しが済んでいません" not in visitor.get("/ja/neck-heat/").content.decode()

    monkeypatch.setattr(pages, "today", lambda: date(2027, 11, 29))
    monkeypatch.setattr("unaji.web.public.told.today", lambda: date(2027, 11, 29))
    page = seen(visitor, "/ja/neck-heat/")

    assert page.text.index("2027年11月28日までに見直す予定でしたが") < page.text.index("先に受診してほしいとき")


def test_a_published_question_stands_in_its_language_with_the_grades_of_its_claims(visitor, moderator):
    asked = questions.ask(article="neck_heat", language="ja", text="<b>気圧</b>のせいで熱くなりますか。")
    questions.publish(asked, by=moderator, claims=CLAIMS, moderated_text="気圧の<b>せい</b>ですか。",
                      answer="関係ははっきりしていません。\n\n記録が手がかりになります。",
                      claim_ids=["pressure_drop", "thunderclap_pain"])  # fmt: skip

    page, other = seen(visitor, "/ja/neck-heat/"), seen(visitor, "/en/neck-heat/")

    part = re.search(r'<article class="question-card".*?</article>', page.html, re.DOTALL)[0]
    assert "気圧の&lt;b&gt;せい&lt;/b&gt;ですか。" in part
    assert part.count("<p>") == 2
    assert "医学の裏づけ D:" in part
    assert 'href="#claim-pressure_drop"' in part
    assert "気圧</b>のせいで" not in page.html
    assert "question-card" not in other.html


def test_a_second_symptom_is_a_matter_of_files(visitor, second_article):
    index = seen(visitor, "/en/")
    page = seen(visitor, "/en/cold-fingers/")

    assert "Coldhandsandfeet" in index.text
    assert "coldfingers" in index.text
    assert index.all("a", href="/en/cold-fingers/")
    assert "Whyarethefingerscold?" in page.text
    assert "Fingersmaybecoldinthecold." in page.text
    assert "HajimeKakida" in page.text
    assert "physician" not in page.text
    assert "licensedacupuncturist" in page.text
    assert "Putasentenceright." in page.text
    assert not page.all("img")
    assert visitor.get("/en/people/writer/").status_code == 200
    assert visitor.get("/en/neck-heat/").status_code == 404
    assert "Putasentenceright." in seen(visitor, "/en/corrections/").text


def test_a_figure_speaks_of_its_own_articles_claims_and_warning_signs_alone(visitor, second_article):
    figure = '[figure]\nafter = "why"\nsituations = ["scarf", "fever"]\n\n[[corrections]]'
    for name, old, new in (
        ("article.toml", "[[corrections]]", figure),
        # one step of the neck's that this article claims too, with a grade and words of its own
        ("model.toml", "[links.cold_constricts]", """[links.heat_load_warms]
claim = { ja = "布が皮膚を温める可能性があります。", en = "Cloth may warm the skin." }
grade = "C"
sources = ["book"]

[links.cold_constricts]"""),
        ("model.toml", 'links = ["cold_constricts"]', 'links = ["cold_constricts", "heat_load_warms"]'),
        ("model.toml", 'quantities = ["systolic_mmhg", "diastolic_mmhg"], at_least = 180',
         'quantities = ["core_temp_c"], at_least = 37.5'),
    ):  # fmt: skip
        file = second_article / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    page = seen(visitor, "/en/cold-fingers/")
    scarf, fever = (page.html.split(f'value="{one}"')[1].split("<picture>")[0] for one in ("scarf", "fever"))
    after = page.html.split('value="scarf"')[1].split('value="fever"')[0].split("</picture>")[1]

    assert len(page.all("img")) == 2
    assert re.findall(r"<li><span>(.*?)</span>.*?<b>(.)</b>", after) == [("Cloth may warm the skin.", "C")]
    assert "See a doctor." in fever
    assert "See a doctor." not in scarf
    picture = page.all("img")[0]["src"]
    assert visitor.get(picture).status_code == 200
    assert not [one for one in CLAIMS.causes if one.claim.en in page.html]


def test_without_any_article_the_other_pages_stand(visitor, settings, tmp_path):
    settings.ARTICLES = tmp_path

    for address in ("/ja/", "/en/grades/", "/ja/corrections/", "/ja/feed.xml", "/sitemap.xml", "/robots.txt"):
        assert visitor.get(address).status_code == 200
    assert visitor.get("/ja/neck-heat/").status_code == 404


def test_the_operator_names_the_folder_of_the_articles():
    said = configuration({"UNAJI_HOME": "/srv/unaji", "UNAJI_ARTICLES": "/srv/articles"})

    assert said.articles == Path("/srv/articles")
    assert configuration({"UNAJI_HOME": "/srv/unaji"}).articles == SHIPPED_FOLDER


def test_an_article_cannot_take_the_address_of_another_page(visitor, second_article):
    from unaji.errors import ClaimsError

    file = second_article / "article.toml"
    file.write_text(file.read_text("utf-8").replace('slug = "cold-fingers"', 'slug = "grades"'), "utf-8")

    with pytest.raises(ClaimsError, match="slug: 'grades' is the address of a page"):
        visitor.get("/ja/")


def test_a_figure_needs_scenarios_that_exist(visitor, second_article):
    from unaji.errors import ClaimsError

    file = second_article / "article.toml"
    figure = '[figure]\nafter = "why"\nsituations = ["no_such_scene"]\n\n[[corrections]]'
    file.write_text(file.read_text("utf-8").replace("[[corrections]]", figure, 1), "utf-8")

    with pytest.raises(ClaimsError, match=r"figure\.situations: 'no_such_scene' is no scenario"):
        visitor.get("/ja/")

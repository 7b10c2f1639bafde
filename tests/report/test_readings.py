"""A twelve-year-old can read the page aloud: every kanji taught later has its reading where the page first has it."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from importlib.resources import files
from pathlib import Path

import pytest

from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.report.html import to_html
from unaji.report.inventory import words as inventory_words
from unaji.report.readings import readings, ruby, with_readings, words_read
from unaji.report.words import catalogue

BY_GRADE = Path(__file__).with_name("kanji_by_grade.txt").read_text(encoding="utf-8").split()
"""The 学年別漢字配当表 of the course of study of 2017 (a notice of the ministry of education), one line a grade."""

TAUGHT = frozenset("".join(BY_GRADE))
KANJI = re.compile("[一-鿿]")

EXEMPT = ("pdf.", "trial.", "terminal.")
"""What a practitioner reads, and what is only ever said in the terminal, which has no room above a line."""


def later(text):
    """Kanji of a text that are taught after primary school and that no reading covers."""
    return [sign for sign in KANJI.findall(words_read().sub("", text)) if sign not in TAUGHT]


def test_the_list_has_as_many_kanji_in_each_grade_as_the_notice_says():
    assert [len(grade) for grade in BY_GRADE] == [80, 160, 200, 202, 193, 191]
    assert len(TAUGHT) == 1026


def test_every_kanji_taught_later_has_a_reading_in_each_text_for_the_person():
    bare = {key: later(text) for key, text in catalogue("ja").texts.items() if not key.startswith(EXEMPT)}
    assert {key: signs for key, signs in bare.items() if signs} == {}


def test_every_kanji_taught_later_has_a_reading_in_what_the_article_adds():
    """Names, warning signs and claims of the shipped article; its text and its sources are not on the page."""
    model = tomllib.loads(files("unaji.claims").joinpath("neck_heat", "model.toml").read_text(encoding="utf-8"))
    texts = [text for text in _japanese(model) if KANJI.search(text)]
    assert len(texts) > 100
    assert {text: later(text) for text in texts if later(text)} == {}


def _japanese(table):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _japanese(value)
        elif key == "ja":
            yield from [value] if isinstance(value, str) else value


def test_no_reading_is_given_to_a_word_that_needs_none():
    assert [word for word in readings() if not any(sign not in TAUGHT for sign in KANJI.findall(word))] == []
    assert [word for word, read in readings().items() if not re.fullmatch("[ぁ-ん]+", read)] == []


def words_of(page):
    """The page's own running text: without pictures, foreign languages, titles, code and what a person wrote."""
    body = page.partition("<body")[2]
    body = re.sub(r"<(svg|script|nav)\b.*?</\1>", "", body, flags=re.DOTALL)
    return re.sub(r'<(\w+)[^>]*(?:lang="en"|class="written")[^>]*>.*?</\1>', "", body, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["rich", "emergency", "four_episodes", "undecided"])
def test_each_such_word_of_a_page_has_its_reading_once_and_at_its_first_sight(people, name):
    body = words_of(to_html(people[name](), "ja"))
    above = re.findall(r"<ruby>(.*?)<rp>\(</rp><rt>(.*?)</rt><rp>\)</rp></ruby>", body)
    assert len(above) > 10
    assert len(set(above)) == len(above)
    text = unescape(re.sub(r"<[^>]+>", "", re.sub(r"<ruby>.*?</ruby>", "", body)))
    told = "".join(word for word, _ in above)
    assert {sign for sign in KANJI.findall(text) if sign not in TAUGHT} <= set(told)


def test_a_reading_stands_above_the_kanji_and_not_above_the_kana_beside_them():
    assert ruby("遅れ") == "<ruby>遅<rp>(</rp><rt>おく</rt><rp>)</rp></ruby>れ"
    assert ruby("鍼灸") == "<ruby>鍼灸<rp>(</rp><rt>しんきゅう</rt><rp>)</rp></ruby>"


def test_titles_attributes_pictures_code_and_what_a_person_wrote_are_left_alone():
    page = (
        '<title>施術</title><p aria-label="施術">鍼</p><svg><text>施術</text></svg><script>if(a<b){"施術"}</script>'
        '<p class="written">施術</p><p lang="en">施術</p><nav>施術</nav>'
    )
    assert with_readings(page) == page.replace(">鍼<", f"><bdi>{ruby('鍼')}</bdi><")


def test_what_is_seen_at_once_has_the_reading_before_what_is_folded_away():
    page = "<details><p>施術</p><p>皮膚</p></details><p>施術</p><p>施術</p>"
    assert with_readings(page) == (
        f"<details><p>施術</p><p><bdi>{ruby('皮膚')}</bdi></p></details><p><bdi>{ruby('施術')}</bdi></p><p>施術</p>"
    )


def test_an_english_page_has_none(people):
    assert "<ruby>" not in to_html(people["rich"](), "en")


def test_a_number_and_its_unit_stay_together_and_markup_stays_whole(people):
    page = to_html(people["rich"](), "ja")
    assert not re.search(r'<span class="n">[^<]*<ruby>', page)
    bare = re.sub(r"<ruby>(.*?)<rp>.*?</ruby>", r"\1", page)
    assert "<rt>" not in bare
    assert bare.count("<span") == page.count("<span")


def test_the_page_of_the_records_is_covered_too():
    texts = [text for text in _strings(vars(inventory_words)) if KANJI.search(text)]
    assert len(texts) > 50
    assert {text: later(text) for text in texts if later(text)} == {}


def test_the_names_of_ratings_exposures_and_quantities_are_covered_too():
    names = [one.ja for table in (QUANTITIES, EXPOSURES, RATINGS) for one in table.values()]
    assert len(names) > 50
    assert {name: later(name) for name in names if later(name)} == {}


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if not str(key).startswith("__"):
                yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


@pytest.mark.parametrize("menu", ["<select><option>湿度</option></select>", "<textarea>湿度</textarea>"])
def test_a_reading_waits_where_an_element_can_hold_nothing_but_text(menu):
    """HTML: an option and a textarea hold text; a browser would show the reading in brackets behind the word."""
    assert with_readings(f"{menu}<p>湿度</p>") == f"{menu}<p><bdi>{ruby('湿度')}</bdi></p>"

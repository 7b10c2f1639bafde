"""The page of a scenario: whole, self-contained, Japanese first, honest about what it hangs on."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

import unaji.report
from unaji.body.counterfactual import Quantity
from unaji.body.links import LINKS
from unaji.body.played import play
from unaji.body.scenario_file import find_scenario, shipped_scenarios
from unaji.claims.graph import load_claims
from unaji.report.neck_scene import LONG_LINKS, draw_course, links_of, sections_of
from unaji.report.scenario_page import apart_sentence, shares_sentence, to_html
from unaji.report.scenario_words import TEXTS, say, separation_sentence
from unaji.report.words import plain, signed

EMPTY = {"meta", "br"}
SOURCE = Path(unaji.report.__file__).parent


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.elements, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title", "desc"):
            self.words.append(data)


@pytest.fixture(scope="module", params=["fever", "cold_front", "blush"])
def played(request):
    return play(find_scenario(request.param))


@pytest.fixture(scope="module")
def text(played):
    return to_html(played)


def test_every_tag_is_closed_in_order_and_every_id_is_there_once(text):
    page = Page(text)
    assert page.faults == page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))
    named = [one for _, attributes in page.elements for one in (attributes.get("aria-labelledby"),) if one]
    assert set(named) <= set(ids)


def test_nothing_is_loaded_and_the_policy_lets_only_this_style_in(text):
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object"}
    for tag, attributes in page.elements:
        assert not {"src", "style"} & set(attributes), tag
        assert "href" not in attributes or attributes["href"] == "#en"
    css = re.search(r"<style>(.*)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = next(one["content"] for tag, one in page.elements if tag == "meta" and one.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"@import|url\((?!#)", css)


def test_japanese_comes_first_and_both_say_that_it_is_computed(played, text):
    asked = played.scenario
    assert text.index(f"<h1>{asked.title.ja}") < text.index(f'class="again">{asked.title.en}')
    words = "".join(Page(text).words)
    for language in ("ja", "en"):
        assert say("not_a_diagnosis", language) in words
        assert say("computed", language) in words


def test_the_facts_are_those_of_the_computation(played, text):
    found = played.attribution
    words = "".join(Page(text).words)
    assert say("of_ten", "ja", n=plain(found.totals[Quantity.FELT_PEAK][0])) in words
    for name in ("nape_skin_temp_c", "core_temp_c"):
        assert f"{signed(found.whole[name][0], 1)}℃" in words
        assert f"{signed(found.whole[name][0], 1)} K" in words


def test_four_pictures_of_each_kind_one_for_each_width_and_language(text):
    for width in ("phone", "desktop"):
        assert len(re.findall(f'class="figure neck {width}"', text)) == 6


def test_links_are_told_with_their_grades_and_the_result_with_what_it_hangs_on(played, text):
    words = "".join(Page(text).words)
    links = links_of(played, load_claims("neck_heat"))
    assert links
    assert [str(one.grade) for one in links] == sorted(str(one.grade) for one in links)
    assert all(one.claim.ja in words and one.claim.en in words for one in links)
    assert played.hangs_on[0].parameter.words.ja in words
    assert ("まだ測られていません" in words) == (played.scenario.id == "blush")


def test_a_core_of_38_degrees_sends_to_a_doctor_first(played, text):
    fever = played.state["core_temp_c"].max() >= 38
    assert fever == (played.scenario.id == "fever")
    assert (say("warning", "ja") in text) == fever


def test_the_section_shows_the_two_moments(played):
    before, peak = sections_of(played)
    assert before.nape_skin_c == played.state["nape_skin_temp_c"][0, played.before]
    assert peak.felt_heat == played.state["felt_heat"][0, played.peak]
    assert peak.air_temp_c == played.input_at("air_temp_c", played.peak)
    assert before.artery_c == played.state["neck_artery_temp_c"][0, played.before]


def test_the_sentence_names_the_largest_share(played):
    largest = {"fever": "core", "cold_front": "heat_load", "blush": "vascular"}[played.scenario.id]
    for language in ("ja", "en"):
        assert say(largest, language) in shares_sentence(played, language)


def test_only_ways_that_carry_heat_are_stacked(played):
    drawn = draw_course(played, "ja", 360)
    assert ("felt-part" in drawn) == played.is_felt
    assert drawn.count('class="felt-part"') in (0, 2)  # one area and its key


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_scenario_has_links_with_grades(name):
    asked = find_scenario(name)
    known = load_claims("neck_heat")
    all_links = {link.id for cause in known.causes for route in cause.routes for link in route.links}
    all_links |= {link.id for treatment in known.treatments for link in treatment.links}
    used = {channel for event in asked.events for channel in event.values}
    assert {link for channel in used for link in LINKS.get(channel, ())} <= all_links
    assert name == "nothing" or used & set(LINKS)
    assert {*LONG_LINKS, *(link for links in LINKS.values() for link in links)} <= all_links


def test_both_languages_have_the_same_placeholders_and_every_text_is_used():
    def holes(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    assert [key for key, (ja, en) in TEXTS.items() if holes(ja) != holes(en)] == []
    assert [key for key, texts in TEXTS.items() if "原因" in texts[0] or re.search(r"\bcaus|!", texts[1])] == []
    code = "".join(
        p.read_text("utf-8") for p in (SOURCE / "templates" / "scenario.html", *SOURCE.glob("scenario_*.py"))
    )
    built = ("grade_", "mark_", *(name for name in TEXTS if name in load_names()))
    unused = [key for key in TEXTS if f'"{key}"' not in code.split("TEXTS: dict")[0] + code.split("\n}\n")[-1]
              and f"'{key}'" not in code and not key.startswith(built)]  # fmt: skip
    assert unused == []


def load_names():
    from unaji.body.counterfactual import DRIVERS, OBSERVED, Sign

    return {*map(str, DRIVERS), *OBSERVED, *map(str, Sign)}


def test_where_the_whole_time_counts_no_two_ways_of_one_moment_are_told_apart(monkeypatch, played):
    told = separation_sentence(played.attribution, "ja")
    assert apart_sentence(played, "ja") == told
    monkeypatch.setattr("unaji.report.scenario_page.LONG_S", 0.0)
    assert apart_sentence(played, "ja") == ""

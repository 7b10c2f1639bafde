"""The figure of an article: what the simulator computed, kept, and drawn for both schemes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from unaji.body.scenario_file import find_scenario
from unaji.body.simulate import simulate
from unaji.claims.graph import load_claims
from unaji.claims.publication import read_shelf
from unaji.web.public import situations
from unaji.web.public.situations import darkened, situations_of

(ARTICLE,) = read_shelf()
CLAIMS = load_claims("neck_heat")


@pytest.fixture
def told():
    return {one.id: one for one in situations_of(ARTICLE)}


def test_its_numbers_are_the_simulators(told):
    scenario = find_scenario("scarf")
    state = simulate(scenario.persons[:1], scenario.forcing(), dt_s=scenario.fine_step_s,
                     outputs=("nape_skin_temp_c", "felt_heat"))  # fmt: skip
    nape = state["nape_skin_temp_c"][0]

    assert list(told) == list(ARTICLE.situations)
    assert told["scarf"].before["nape_skin_temp_c"] == pytest.approx(nape[state.time_s <= scenario.baseline_s][-1])
    assert told["scarf"].peak["felt_heat"] == pytest.approx(np.max(state["felt_heat"][0]))
    assert told["scarf"].peak["nape_skin_temp_c"] > told["scarf"].before["nape_skin_temp_c"] + 0.5


def test_only_a_core_as_hot_as_a_red_flag_brings_the_red_flag(told):
    assert told["fever"].flag(CLAIMS).id == "fever_or_chills"
    assert [one for one in told if told[one].flag(CLAIMS)] == ["fever"]


def test_its_links_are_claims_with_grades(told):
    assert [link.id for link in told["fever"].links_in(CLAIMS)] == ["fever_warms"]
    assert all(one.links_in(CLAIMS) for one in told.values())


def test_what_was_played_is_not_played_again(told, monkeypatch):
    def never(*said):
        raise AssertionError("played again")

    monkeypatch.setattr(situations, "_play", never)

    assert situations_of(ARTICLE) == tuple(told.values())


def test_two_processes_may_play_at_the_same_time_and_what_is_older_goes(settings, tmp_path, monkeypatch):
    settings.HOME = tmp_path / "two"
    monkeypatch.setattr(situations, "_played", lambda name, claims, folder: {"id": name})
    older = settings.HOME / "public" / "neck_heat-0123"
    older.mkdir(parents=True)
    folder = situations._folder(ARTICLE)

    situations._play(ARTICLE, folder)

    assert [one.name for one in (settings.HOME / "public").iterdir()] == [folder.name]
    assert (folder / "situations.json").is_file()


def test_a_change_of_the_claims_or_the_library_is_played_anew(monkeypatch):
    before = situations._key(ARTICLE)
    monkeypatch.setattr(situations, "_library_key", lambda: "another")

    assert situations._key(ARTICLE) != before


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_drawing_says_in_words_what_it_is_and_has_no_style_of_its_own(told, width):
    for one in told.values():
        for language in ("ja", "en"):
            picture = one.pictures[language, width]
            root = ET.fromstring(picture.light)
            assert (float(root.get("width")), float(root.get("height"))) == (picture.width, picture.height)
            assert picture.alt
            assert "<style" not in picture.light
            assert "style=" not in picture.light


def test_on_a_dark_page_every_text_is_light_and_the_inside_keeps_its_colours(told):
    picture = told["scarf"].pictures["ja", "phone"]

    texts = re.findall(r'<text[^>]*fill="(#[0-9A-F]{6})"', picture.dark)

    assert len(texts) > 50
    assert set(texts) <= {"#EEEAE3", "#BCC4C9", "#98A2A9"}
    assert re.search(r'<rect[^>]*fill="#1A2229"[^>]*class="blank"', picture.dark)
    skin = set(re.findall(r'<path [^>]*fill="(#[0-9A-F]{6})"', picture.light))
    assert len(skin & set(re.findall(r'<path [^>]*fill="(#[0-9A-F]{6})"', picture.dark))) > 8


def test_what_follows_no_page_stays_as_it_is():
    inside = '<path d="M0 0" fill="#FFFFFF" class="core"/><circle fill="#1B2630"/>'

    assert darkened(inside) == inside
    assert darkened('<text class="axis" fill="#5F6B74">x</text>') == '<text class="axis" fill="#98A2A9">x</text>'

"""The figure of an article: what the simulator computed, kept, and drawn for both schemes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.web.public.reading import Page
from unaji.body.hypothesis_drivers import KnownBody, draw_persons
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


def test_its_numbers_are_the_simulators_in_the_middle_of_people_with_the_range_of_nine_in_ten(told):
    scenario = find_scenario("scarf")
    people = draw_persons(KnownBody(), np.random.default_rng(0), 256)
    forcing = scenario.forcing().persons(np.zeros(256, dtype=np.int64))
    state = simulate(people, forcing, dt_s=scenario.fine_step_s,
                     outputs=("nape_skin_temp_c", "felt_heat", "nape_skin_flow_ml_100g_min"))  # fmt: skip
    nape, felt, flow = (state[name] for name in state.values)
    before, peak = np.flatnonzero(state.time_s <= scenario.baseline_s)[-1], np.median(felt, axis=0).argmax()
    scarf = told["scarf"]

    assert list(told) == list(ARTICLE.situations)
    assert scarf.before["nape_skin_temp_c"] == pytest.approx(np.median(nape[:, before]))
    assert scarf.peak["felt_heat"] == pytest.approx(np.max(np.median(felt, axis=0)))
    assert scarf.after_s == pytest.approx(state.time_s[peak] - scenario.baseline_s)
    for name, one in (("nape_skin_temp_c", nape[:, peak] - nape[:, before]), ("felt_heat", felt[:, peak]),
                      ("nape_skin_flow_ml_100g_min", flow[:, peak] / flow[:, before])):  # fmt: skip
        spread = scarf.ranges[name]
        assert (spread.low, spread.median, spread.high) == pytest.approx(tuple(np.percentile(one, (5, 50, 95))))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_beside_each_number_stands_how_far_people_differ_and_of_whom_that_is(visitor, told, language, db):
    page = Page(visitor.get(f"/{language}/neck-heat/").content.decode())
    cells = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.html.split('value="fever"')[1].split("</dl>")[0])
    spread = told["fever"].ranges["core_temp_c"]
    core = dict(cells)[{"ja": "深部体温", "en": "Core temperature"}[language]]

    assert {"ja": "ちがう256人で計算しました。図と大きい数は、そのまん中です", "en": "Computedfor256people"}[
        language
    ] in page.text
    assert len(cells) == 4
    assert f"{told['fever'].before['core_temp_c']:.1f} → {told['fever'].peak['core_temp_c']:.1f}" in core
    ends = [float(one) for one in re.findall(r"\+([\d.]+)", core)]
    assert ends == [np.floor(10 * spread.low) / 10, np.ceil(10 * spread.high) / 10]


def test_what_is_the_same_for_everybody_has_no_range_and_says_so(visitor, db):
    page = visitor.get("/ja/neck-heat/").content.decode()
    cells = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.split('value="scarf"')[1].split("</dl>")[0]))

    assert re.fullmatch(r"36\.\d℃のまま", cells["深部体温"])
    assert "<small>(" in cells["うなじの皮膚"]


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
    older = settings.HOME / "public" / "neck_heat-0123456789abcdef"
    others = settings.HOME / "public" / "neck_heat-wave-0123456789abcdef"
    for one in (older, others):
        one.mkdir(parents=True)
    folder = situations._folder(ARTICLE)

    situations._play(ARTICLE, folder)

    assert {one.name for one in (settings.HOME / "public").iterdir()} == {folder.name, others.name}
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

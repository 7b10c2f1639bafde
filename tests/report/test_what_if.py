"""What is said and drawn of a "what if": exact words for each direction, honest ranges, and a neck fit for any page."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pytest

from unaji.body.state import NeckState
from unaji.body.what_if import SLIDERS, Spread, WhatIf, usual_crowd, what_if
from unaji.claims.graph import load_claims
from unaji.claims.model import Pathway
from unaji.report.what_if import pair, told
from unaji.report.words import catalogue

SVG = "{http://www.w3.org/2000/svg}"
EXTREMES = [
    WhatIf(*values, covered=bool(covered))
    for *values, covered in product(*((slider.low, slider.high) for slider in SLIDERS.values()))
]


@pytest.fixture(scope="module")
def crowd():
    return usual_crowd(n_persons=8)


@pytest.fixture(scope="module")
def anger(crowd):
    return what_if(WhatIf(stress=8, room_temp_c=26, flexion_deg=30), crowd)


def ids(svg: str) -> set[str]:
    return {one.get("id") for one in ET.fromstring(svg).iter() if one.get("id")}


def texts(said) -> list[str]:
    """Every text for a person, pictures left out."""
    flat = [value for name, value in asdict(said).items() if isinstance(value, str) and "section" not in name]
    flat += said.warning
    flat += [value for part in (*said.numbers, *said.sliders) for value in asdict(part).values()]
    return [one for one in flat if isinstance(one, str)]


# -- the words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "ja", "en", "range_ja"),
    [
        (Spread(0.6, 0.41, 0.88), "皮膚は0.4〜0.9℃温まる計算です。", "the skin warms by 0.4–0.9 K.", "+0.4〜+0.9℃"),
        (Spread(0.6, 0.6, 0.6), "皮膚は0.6℃温まる計算です。", "the skin warms by 0.6 K.", "+0.6℃"),
        (Spread(-1, -1.55, -0.62), "皮膚は0.6〜1.6℃冷える計算です。", "the skin cools by 0.6–1.6 K.", "−1.6〜−0.6℃"),
        (
            *(Spread(0.3, 0.06, 1.31), "皮膚は、ほとんど変わらない人から1.4℃温まる人までいる計算です。"),
            *("the skin hardly changes in some people and warms by up to 1.4 K in others.", "0.0〜+1.4℃"),
        ),
        (
            *(Spread(-0.3, -0.9, -0.01), "皮膚は、ほとんど変わらない人から0.9℃冷える人までいる計算です。"),
            *("the skin hardly changes in some people and cools by up to 0.9 K in others.", "−0.9〜0.0℃"),
        ),
        (
            *(Spread(0.0, -0.2, 0.4), "皮膚は、0.2℃冷える人から0.4℃温まる人までいる計算です。"),
            *("the skin cools by 0.2 K in some people and warms by 0.4 K in others.", "−0.2〜+0.4℃"),
        ),
        (
            *(Spread(0.0, -0.049, 0.049), "皮膚の温度は、変わらない計算です。"),
            *("the skin stays as warm as it is.", "変わらない"),
        ),
    ],
)
def test_the_skin_is_said_to_go_where_it_goes(anger, change, ja, en, range_ja):
    result = replace(anger, nape_change_k=change)
    assert told(result, "ja").skin == ja
    assert told(result, "en").skin.replace("\u00a0", " ") == f"As computed, {en}"
    assert told(result, "ja").numbers[1].range == range_ja


@pytest.mark.parametrize(
    ("change", "ja"),
    [
        (Spread(1.2, 1.17, 1.24), "からだの芯は1.1〜1.3℃高くなる計算です。"),
        (Spread(0.1, 0.02, 0.13), "からだの芯は、ほとんど変わらない人から0.2℃高くなる人までいる計算です。"),
        (Spread(-0.2, -0.3, -0.1), "からだの芯は0.1〜0.3℃低くなる計算です。"),
        (Spread(-0.1, -0.3, 0.0), "からだの芯は、ほとんど変わらない人から0.3℃低くなる人までいる計算です。"),
        (Spread(0.0, -0.1, 0.1), "からだの芯は、0.1℃低くなる人から0.1℃高くなる人までいる計算です。"),
        (Spread(0.01, -0.01, 0.04), "からだの芯の温度は、変わらない計算です。"),
    ],
)
def test_so_is_the_core(anger, change, ja):
    assert told(replace(anger, core_change_k=change), "ja").core == ja


@pytest.mark.parametrize(
    ("felt", "ja", "value", "between"),
    [
        (Spread(0.0, 0.0, 0.04), "熱さは、ほとんど感じない計算です。", "0.0", "変わらない"),
        (
            *(Spread(0.1, 0.0, 1.21), "熱さをほとんど感じない人が多く、感じる人でも10のうち1.3までの計算です。"),
            *("0.1", "0.0〜1.3"),
        ),
        (Spread(5.04, 2.17, 7.0), "感じる熱さは、10のうち5.0くらいの計算です。", "5.0", "2.1〜7.0"),
    ],
)
def test_felt_heat_is_said_as_so_much_of_ten(anger, felt, ja, value, between):
    said = told(replace(anger, felt_heat=felt), "ja")
    assert (said.felt, said.numbers[3].value, said.numbers[3].range) == (ja, value, between)


def test_the_flow_is_told_as_a_ratio_with_its_range_rounded_outwards(anger):
    for flow, value, between in (
        (Spread(1.94, 1.21, 2.58), "1.9倍", "1.2〜2.6"),
        (Spread(1.0, 0.96, 1.04), "1.0倍", "変わらない"),
        (Spread(0.4, 0.31, 0.4), "0.4倍", "0.3〜0.4"),
    ):
        first = told(replace(anger, flow_ratio=flow), "ja").numbers[0]
        assert (first.value, first.range) == (value, between)


@pytest.mark.parametrize(
    ("shares", "ja"),
    [
        ((0.9, 0.3, 0.0), "感じる熱さは、おもに「皮膚の血の流れ」から来ます。"),
        ((0.4, 0.5, 0.1), "感じる熱さは、おもに「首の筋肉の働き」と「皮膚の血の流れ」から来ます。"),
        ((0.0, 0.01, 0.8), "感じる熱さは、おもに「まわりの暑さや服」から来ます。"),
        ((0.01, 0.02, -0.4), ""),
    ],
)
def test_the_way_that_carries_the_heat_is_named_and_one_about_as_strong_beside_it(anger, shares, ja):
    by_way = dict(zip((Pathway.VASCULAR, Pathway.MUSCLE, Pathway.HEAT_LOAD), shares, strict=True))
    felt = replace(anger, felt_by_way=by_way, felt_heat=Spread(1.0, 0.2, 2.0))
    assert told(felt, "ja").way == ja
    assert told(replace(felt, felt_heat=Spread(0.0, 0.0, 0.01)), "ja").way == ""


def test_where_nothing_is_changed_everything_is_said_to_stay(crowd, language):
    said, words = told(what_if(WhatIf(), crowd), language), catalogue(language)
    assert {one.range for one in said.numbers} == {words("what_if.no_change")}
    assert said.skin == words("what_if.skin.stays")
    assert said.core == words("what_if.core.stays")
    assert (said.way, said.fever, said.warning) == ("", "", ())
    assert not any(one.changed for one in said.sliders)


def test_the_sentence_for_the_ear_holds_the_four_numbers_and_what_they_mean(anger, language):
    said = told(anger, language)
    for part in (*(one.value for one in said.numbers), said.skin, said.felt):
        assert part in said.aria
    assert len(said.aria) < 220


def test_the_picture_says_that_it_is_computed_and_when(anger, language):
    said = told(anger, language)
    assert said.tag == catalogue(language)("neck.tag")
    assert {"ja": "測ったものではありません", "en": "Nothing in it was measured"}[language] in said.computed
    assert {"ja": "15分後", "en": "15 minutes"}[language] in said.moment
    assert "24.5" in said.moment
    assert str(anger.n_persons) in said.ranges


@pytest.mark.parametrize("body_temp_c", [37.9, 38.0, 39.5])
def test_a_fever_that_is_a_sign_of_danger_sends_to_the_doctor_first(crowd, language, body_temp_c):
    said = told(what_if(WhatIf(body_temp_c=body_temp_c), crowd), language)
    flag = next(flag for flag in load_claims("neck_heat").red_flags if flag.threshold)
    assert said.fever
    assert bool(said.warning) == (body_temp_c >= 38.0)
    if said.warning:
        assert "38.0" in said.warning[0]
        assert said.warning[1] == flag.say.in_(language)


# -- the sliders -------------------------------------------------------------------------------------------------------


def test_each_slider_is_named_with_its_value_and_grade(anger, language):
    said = {one.id: one for one in told(anger, language).sliders}
    assert list(said) == list(SLIDERS)
    assert [name for name, one in said.items() if one.changed] == ["stress", "room_temp_c", "flexion_deg"]
    assert {name: one.grade for name, one in said.items()} == dict(zip(SLIDERS, "DACAA", strict=True))
    # The notes are written for these grades: one that changes asks for another note.
    assert [name for name, one in said.items() if one.weak] == ["stress", "flexion_deg"]
    for one in said.values():
        assert one.links[-1].grade == one.grade == max(link.grade for link in one.links)
        assert one.grade in one.aloud


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (WhatIf(), ("なし(0)", "24.5℃", "まっすぐ", "36.8℃", "おおわない")),
        (WhatIf(3, 26, 30, 38.0, True), ("弱い(3)", "26℃", "うつむき 30°", "38℃", "首をおおう")),
        (WhatIf(6, 10.5, 5, 37.1), ("中くらい(6)", "10.5℃", "うつむき 5°", "37.1℃", "おおわない")),
        (WhatIf(8), ("強い(8)", "24.5℃", "まっすぐ", "36.8℃", "おおわない")),
    ],
)
def test_where_a_slider_stands_is_said_in_words(anger, asked, values):
    assert tuple(one.value for one in told(replace(anger, asked=asked), "ja").sliders) == values


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_every_combination_of_extremes_can_be_told_and_drawn(crowd, language):
    for asked in EXTREMES:
        said = told(what_if(asked, crowd), language)
        for text in texts(said):
            assert text == text.strip()
            assert not re.search(r"[{}!!]|nan|inf\b|安全|\bsafe|原因|\bcaus", text), text
        assert all(one.value and one.range and one.name for one in said.numbers)


def test_the_neck_fits_a_phone_and_any_content_policy(anger, language):
    said = told(anger, language)
    for svg in (said.section, said.section_usual):
        root = ET.fromstring(svg)
        assert float(root.get("width")) == 330
        assert not re.search(r"\bstyle=|<style|<script|\bon\w+=|href", svg)
        assert {"ja": "計算の図", "en": "Computed, not measured"}[language] in svg
        assert root.find(f"{SVG}title") is not None
        for reference in (root.get("aria-labelledby"), root.get("aria-describedby")):
            assert reference in ids(svg)
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= ids(svg)


def test_both_necks_may_stand_on_one_page_even_where_nothing_is_changed(crowd):
    said = told(what_if(WhatIf(), crowd), "ja")
    assert ids(said.section)
    assert not ids(said.section) & ids(said.section_usual)
    without_ids = [re.sub(r"(?:usual-)?neck-[0-9a-f]{10}", "", svg) for svg in (said.section, said.section_usual)]
    assert without_ids[0] == without_ids[1]


def test_what_is_felt_never_recolours_the_section(anger):
    state = anger.state
    keen = NeckState(
        state.time_s,
        {**state.values, "felt_heat": np.array([[0.0, 9.0]]), "pain": np.array([[0.0, 8.0]])},
    )
    own, other = (told(replace(anger, state=one), "ja").section for one in (state, keen))
    assert own != other

    def painted(svg):
        shapes = (one for one in ET.fromstring(svg).iter() if one.tag in (f"{SVG}path", f"{SVG}ellipse", f"{SVG}rect"))
        return [(one.get("d"), one.get("fill")) for one in shapes]

    assert painted(own) == painted(other)


def test_the_section_shows_the_asked_air_and_scarf(crowd):
    said = told(what_if(WhatIf(room_temp_c=31, covered=True), crowd), "ja")
    assert "空気 31.0℃" in said.section
    assert "えり・髪" in said.section
    assert "空気 24.5℃" in said.section_usual
    assert "えりなし" in said.section_usual


def test_a_pair_tells_every_change_and_every_key(crowd, language):
    asked = WhatIf(room_temp_c=31)
    result = what_if(asked, crowd)
    drawn = pair(result, language)
    assert not re.search(r"\bstyle=|<style|<script", drawn)
    words = {"ja": ("始まる前", "そのとき", "筋肉の力"), "en": ("before", "during", "muscle load")}[language]
    assert all(word in drawn for word in words)
    now = result.nape_skin_c.median
    assert f"{result.state['nape_skin_temp_c'][0, 0]:.1f} → {now:.1f}" in drawn
    said = told(result, language)
    assert not ids(drawn) & (ids(said.section) | ids(said.section_usual))


def test_as_json_it_says_the_same_without_the_usual_neck(anger, language):
    said = told(anger, language)
    back = json.loads(said.json())
    whole = json.loads(json.dumps(asdict(said)))
    assert whole.pop("section_usual")
    assert back == whole
    assert back["numbers"][0]["id"] == "flow"


def test_the_same_answer_is_told_the_same_way(anger):
    assert told(anger, "ja") == told(anger, "ja")


def test_an_unknown_language_is_refused(anger):
    with pytest.raises(ValueError, match="ja, en"):
        told(anger, "de")

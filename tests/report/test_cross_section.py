from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest

from unaji.report.figures import _neck_geometry as shape
from unaji.report.figures._neck_colours import HIGHEST_C, LOWEST_C, clamped, oklab, temperature_colour
from unaji.report.figures._neck_drawing import MOST_FLOW, flow_radius
from unaji.report.figures._neck_state import TISSUES
from unaji.report.figures._neck_words import lines
from unaji.report.figures.cross_section import NeckSection, cross_section
from unaji.report.figures.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
NAN = math.nan
REST = NeckSection(34.1, 34.6, 35.4, 36.2, 36.7, 34.3, 36.8, 36.6, 8.9, 2.7, 2.7, 24.0, 0.0, 0.1, 1.0)
FLUSH = NeckSection(35.0, 35.3, 35.9, 36.5, 36.8, 34.9, 36.9, 36.7, 18.7, 4.1, 3.0, 24.0, 6.0, 0.6, 4.0)
EXTREME = NeckSection(39.2, NAN, 35.9, 30.0, 36.8, 31.9, 41.0, 36.7, 140.0, NAN, 0.0, 45.0, NAN, 1.0, 80.0, True)
UNKNOWN = NeckSection(*[NAN] * 15)
STATES = {"flush": (FLUSH, None), "pair": (FLUSH, REST), "extreme": (EXTREME, FLUSH), "unknown": (UNKNOWN, EXTREME)}
WIDTHS = (320, 360, 560, 639, 640, 720, 900, 1200)
SHOWN = ("ja", "en", "both")


@cache
def draw(name: str, language: str, width: float) -> str:
    """Each picture, drawn once for all tests."""
    now, before = STATES[name]
    return cross_section(now, before=before, language=language, width_px=width)


@pytest.fixture(params=[(n, t, w) for n in STATES for t in SHOWN for w in WIDTHS], ids=lambda p: "-".join(map(str, p)))
def drawn(request):
    return ET.fromstring(draw(*request.param))


def texts(root):
    """Return every visible text with its box [px]: left, top, right, bottom."""
    boxes = []
    for one in root.iter(f"{SVG}text"):
        size, x, y = (float(one.get(key)) for key in ("font-size", "x", "y"))
        width = text_width(one.text, size)
        left = x - width * {"middle": 0.5, "end": 1.0}.get(one.get("text-anchor"), 0.0)
        boxes.append((one.text, (left, y - 0.8 * size, left + width, y + 0.15 * size)))
    return boxes


def leaders(root):
    """Return the corners of every leader."""
    found = []
    for one in root.iter(f"{SVG}path"):
        if "leader" in one.get("class", ""):
            x0, y0, x1, y1, x2 = map(float, re.findall(r"-?[\d.]+", one.get("d")))
            found.append([(x0, y0), (x1, y1), (x2, y1)])
    return found


def cross(a, b, c, d):
    """Whether two segments cross."""

    def turn(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def inside(point, polygon):
    """Whether a point lies in a polygon (ray casting)."""
    x, y = point
    hits = 0
    for (x0, y0), (x1, y1) in pairwise([*polygon, polygon[0]]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            hits += 1
    return hits % 2 == 1


# The page


def test_no_two_texts_overlap_and_none_leaves_the_picture(drawn):
    boxes = texts(drawn)
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    for words, (left, top, right, bottom) in boxes:
        assert left >= -0.5, words
        assert right <= width + 0.5, words
        assert top >= 0, words
        assert bottom <= height, words
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = min(a[2], b[2]) - max(a[0], b[0]) <= 0 or min(a[3], b[3]) - max(a[1], b[1]) <= 0
        assert apart, f"{one!r} overlaps {other!r}"


def test_leaders_cross_neither_each_other_nor_a_text(drawn):
    lines_ = leaders(drawn)
    sections = 2 if len(lines_) == 2 * len(TISSUES) else 1
    assert len(lines_) >= sections * len(TISSUES)
    for one, other in combinations(lines_, 2):
        assert not any(cross(*a, *b) for a in pairwise(one) for b in pairwise(other))
    for words, (left, top, right, bottom) in texts(drawn):
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        for one in lines_:
            assert not any(cross(*a, *b) for a in pairwise(one) for b in pairwise(corners)), words


def test_type_is_never_below_twelve_pixels(drawn):
    assert min(float(one.get("font-size")) for one in drawn.iter(f"{SVG}text")) >= 12


def test_it_has_a_name_and_a_description_that_carries_the_numbers():
    root = ET.fromstring(draw("pair", "ja", 360))
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == desc.get("id")
    assert title.text == "首の断面:始まる前と、そのとき"
    assert "うなじの皮膚 34.1 → 35.0℃" in desc.text
    assert "計算の図" in desc.text
    assert "下から見た" in desc.text


def test_it_needs_nothing_from_outside_and_no_script_or_style():
    for name in STATES:
        text = draw(name, "both", 900)
        assert text.count("http") == 1  # the name space
        assert not re.search(r"<script|<style| style=|href|<image|@import|\bon\w+=", text)
        assert set(re.findall(r"url\((.*?)\)", text)) <= {f"#{ET.fromstring(text).find(f'.//{SVG}pattern').get('id')}"}


def test_same_input_same_bytes_and_other_input_other_ids():
    assert draw("pair", "both", 900) == draw.__wrapped__("pair", "both", 900)
    ids = [re.search(r'id="(neck-\w+)-title"', draw(name, "ja", 360)).group(1) for name in STATES]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("width", [360, 900])
def test_every_tissue_pathway_and_side_is_named_in_both_languages(width):
    for shown in SHOWN:
        visible = "".join(words for words, _ in texts(ET.fromstring(draw("pair", shown, width)))).replace(" ", "")
        wanted = [*TISSUES, "vascular", "heat_load", "core", "muscle", "sensory", "left", "right", "front", "back"]
        for key in [*wanted, "before", "now", "scale"]:
            for row in lines(key, shown, math.inf, 12):
                assert row.replace(" ", "") in visible, row
    anatomy = "".join(words for words, _ in texts(ET.fromstring(draw("flush", "both", 900))))
    for word in ("脊髄", "spinal cord", "胸鎖乳突筋", "sternocleidomastoid", "斜角筋", "気管", "食道", "交感神経幹"):
        assert word in anatomy


@pytest.mark.parametrize(
    "bad",
    [{"nape_skin_flow": -1.0}, {"felt_heat": 11.0}, {"nerve_activity": 1.1}, {"muscle_load_percent_mvc": math.inf}],
    ids=lambda bad: next(iter(bad)),
)
def test_what_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must lie between"):
        replace(FLUSH, **bad)


def test_an_unknown_language_and_too_small_a_width_are_refused():
    with pytest.raises(ValueError, match="ja, en, both"):
        cross_section(FLUSH, language="de")
    with pytest.raises(ValueError, match="at least 320"):
        cross_section(FLUSH, width_px=200)


# What the numbers say


def test_a_pair_tells_the_difference_of_every_layer():
    ja = [words for words, _ in texts(ET.fromstring(draw("pair", "ja", 900)))]
    at = ja.index("うなじの皮膚")
    assert ja[at + 1 : at + 3] == ["34.1 → 35.0℃", "+0.9℃・流れ 2.1倍"]
    en = [words for words, _ in texts(ET.fromstring(draw("pair", "en", 900)))]
    at = en.index("nape skin")
    assert en[at + 1 : at + 3] == ["34.1 → 35.0\u00a0°C", "+0.9\u00a0K · flow ×2.1"]
    assert sum(words.startswith("+") for words in en) == len(TISSUES)


def test_the_difference_is_that_of_the_written_numbers():
    # 34.14 to 35.06 is written 34.1 and 35.1: whoever subtracts finds 1.0, not the 0.9 of the unrounded numbers.
    text = cross_section(replace(FLUSH, nape_skin_c=35.06), before=replace(REST, nape_skin_c=34.14), language="en")
    assert "34.1 → 35.1\u00a0°C" in text
    assert "+1.0\u00a0K" in text


def test_no_change_is_said_and_a_ratio_to_nothing_is_unknown():
    text = cross_section(FLUSH, before=replace(FLUSH, nape_skin_flow=0.0))
    assert text.count("変わらない") >= len(TISSUES)
    assert "流れ 不明" in text


# Colours


def test_colours_fall_in_lightness_all_the_way_in_even_steps():
    temps = np.arange(LOWEST_C, HIGHEST_C + 0.01, 0.1)
    lab = np.array([oklab(temperature_colour(float(t))) for t in temps])
    assert (np.diff(lab[:, 0]) < 0).all()
    step = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    assert step.std() / step.mean() < 0.12  # rounding to whole levels of red, green and blue leaves some
    tenths = np.linalg.norm(lab[10::10] - lab[:-10:10], axis=1)
    assert tenths.max() / tenths.min() < 1.06


def _linear(colour):
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def test_grey_print_keeps_the_order():
    grey = [
        _linear(temperature_colour(float(t))) @ [0.2126, 0.7152, 0.0722]
        for t in np.arange(LOWEST_C, HIGHEST_C + 0.01, 0.1)
    ]
    assert (np.diff(grey) < 0).all()


# Machado, Oliveira and Fernandes, IEEE Trans Vis Comput Graph 2009, severity 1.
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("kind", BLINDNESS)
def test_every_eye_sees_the_order_and_a_degree(kind):
    lab = []
    for temp in np.arange(LOWEST_C, HIGHEST_C + 0.01, 0.1):
        seen = np.clip(np.array(BLINDNESS[kind]) @ _linear(temperature_colour(float(temp))), 0, 1)
        srgb = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
        lab.append(oklab("#" + "".join(f"{round(float(v) * 255):02X}" for v in srgb)))
    assert (np.diff(np.array(lab)[:, 0]) < 0).all()
    degree = np.linalg.norm(np.array(lab)[10:] - np.array(lab)[:-10], axis=1)
    assert degree.min() > 0.1  # five times what an eye can just tell apart


def test_oklab_agrees_with_its_authors_table():
    # Ottosson 2020, white and sRGB red.
    np.testing.assert_allclose(oklab("#FFFFFF"), [1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(oklab("#FF0000"), [0.628, 0.225, 0.126], atol=1e-3)


def test_each_tissue_is_drawn_in_the_colour_of_its_temperature():
    for i, field in enumerate(f"{tissue}_c" for tissue in TISSUES):
        temp = 33.3 + 0.61 * i
        colour = temperature_colour(temp)
        ramp = cross_section(FLUSH).count(colour)
        assert cross_section(replace(FLUSH, **{field: temp})).count(f'fill="{colour}"') > ramp, field


def test_off_the_scale_the_colour_is_held_and_marked():
    assert temperature_colour(20) == temperature_colour(LOWEST_C)
    assert temperature_colour(45) == temperature_colour(HIGHEST_C)
    assert [clamped(t) for t in (31.9, 32.0, 38.5, 38.6, NAN)] == [-1, 0, 0, 1, 0]
    text = draw("extreme", "ja", 360)
    assert "35.0 → ▷39.2℃" in text
    assert "34.9 → ◁31.9℃" in text
    assert "◁ 目盛りより低い" in text
    assert "▷ 目盛りより高い" in text
    assert "目盛りより" not in draw("pair", "ja", 360)


# What is not known


@pytest.mark.parametrize("tissue", TISSUES)
def test_an_unknown_temperature_is_hatched_and_said(tissue):
    known = cross_section(FLUSH)
    text = cross_section(replace(FLUSH, **{f"{tissue}_c": NAN}))
    assert "url(#" not in known
    assert "不明" not in known
    assert text.count("url(#") >= 2  # the tissue and the key
    assert "不明" in text
    assert "unknown" in cross_section(replace(FLUSH, **{f"{tissue}_c": NAN}), language="en")
    with pytest.raises(ValueError, match="unknown"):
        temperature_colour(NAN)


def test_unknown_flow_is_an_open_ring_and_nothing_unknown_becomes_a_number():
    assert 'stroke-dasharray="2 2"' in cross_section(replace(FLUSH, deep_muscle_flow=NAN))
    text = cross_section(UNKNOWN)
    assert "nan" not in text.lower()
    assert "neck-line arrow" not in text
    for field in fields(NeckSection):
        if field.name != "collar":
            assert "不明" in cross_section(replace(FLUSH, **{field.name: NAN})), field.name


# The five pathways


def test_the_area_of_a_dot_is_the_flow():
    assert flow_radius(20, 2) ** 2 / flow_radius(5, 2) ** 2 == pytest.approx(4)
    assert flow_radius(0, 2) == 0
    assert flow_radius(500, 2) == flow_radius(MOST_FLOW, 2)
    radii = {}
    for flow in (8.9, 18.7):
        root = ET.fromstring(cross_section(replace(FLUSH, nape_skin_flow=flow)))
        radii[flow] = max(float(one[0].get("r")) for one in list(root.iter(f"{SVG}g"))[:9])
    assert (radii[18.7] / radii[8.9]) ** 2 == pytest.approx(18.7 / 8.9, rel=0.02)


def test_what_is_only_felt_changes_no_colour_and_no_dot():
    def tissue_marks(text):
        return re.findall(r'<(?:path|ellipse)[^>]*fill="(?:#[0-9A-F]{6})"[^>]*>', text), re.findall(
            r' r="[\d.]+"', text
        )

    calm, felt = (cross_section(replace(REST, felt_heat=h, nerve_activity=a)) for h, a in ((0, 0), (8, 1)))
    assert tissue_marks(calm)[0] == tissue_marks(felt)[0]
    assert calm.count('class="pulse"') == 0
    assert felt.count('class="pulse"') == 7
    assert 'class="felt"' not in calm
    assert felt.count('class="felt"') == 1


def _first_arrow(air):
    root = ET.fromstring(cross_section(replace(FLUSH, air_temp_c=air)))
    shafts = [one for one in root.iter(f"{SVG}path") if one.get("class") == "neck-line arrow"]
    return [tuple(map(float, p.split())) for p in shafts[3].get("d")[1:].split("L")]


def test_heat_goes_out_to_cool_air_and_comes_in_from_hot_air_the_further_the_larger_the_difference():
    (_, tail), (_, tip) = _first_arrow(20)
    assert tip < tail  # upwards, out of the nape
    (_, hot_tail), (_, hot_tip) = _first_arrow(40)
    assert hot_tip > hot_tail
    (_, near_tail), (_, near_tip) = _first_arrow(30)
    assert abs(near_tip - near_tail) < abs(tip - tail)
    assert 'class="neck-line arrow"' not in cross_section(replace(FLUSH, air_temp_c=FLUSH.nape_skin_c))


def test_a_collar_is_drawn_and_holds_the_arrows_back():
    bare, covered = (cross_section(replace(FLUSH, collar=c)) for c in (False, True))
    assert 'class="collar"' not in bare
    assert covered.count('class="collar"') == 1
    assert 'stroke-dasharray="2.5 2.5"' in covered
    assert "えりなし" in bare
    assert "えり・髪" in covered


def test_load_enlarges_its_marks_and_none_is_drawn_without_load():
    def size(load):
        root = ET.fromstring(cross_section(replace(FLUSH, muscle_load_percent_mvc=load)))
        marks = [one.get("d") for one in root.iter(f"{SVG}path") if one.get("class") == "load"]
        return [float(np.ptp([float(p.split()[1]) for p in d[1:-1].split("L")])) for d in marks]

    assert size(0) == []
    assert len(size(2)) == 2
    assert size(2)[0] < size(10)[0] < size(40)[0] == size(80)[0]


def test_the_core_has_its_mark_in_both_carotids():
    assert cross_section(FLUSH).count('class="core"') == 2


# Anatomy


def test_the_nape_takes_the_share_of_neck_skin_that_the_model_gives_it():
    edge = shape.rim()
    assert shape.NAPE_MM / edge.along[-1] == pytest.approx(0.009 / 0.029, abs=0.02)


def test_the_neck_has_the_size_of_a_neck():
    # Neck circumference of adults: about 30 to 45 cm.
    assert 300 < 2 * shape.rim().along[-1] < 450
    outline = np.array(shape.outline())
    np.testing.assert_allclose(np.sort(outline[:, 0]), np.sort(-outline[:, 0]), atol=1e-9)
    assert np.abs(outline[:, 0]).max() <= shape.HALF_WIDTH_MM
    assert outline[:, 1].min() >= shape.TOP_MM
    assert outline[:, 1].max() <= shape.BOTTOM_MM + 0.1


def test_layers_lie_in_their_order_from_the_skin_inwards():
    edge = shape.rim()
    nape = edge.along < 45
    depths = [edge.depth_of(name)[nape] for name in ("skin", "fat", "trapezius", "splenius")]
    assert all((outer < inner).all() for outer, inner in pairwise(depths))
    with pytest.raises(KeyError):
        edge.depth_of("hair")


def test_muscles_bones_and_vessels_lie_inside_the_skin_and_the_cord_in_its_canal():
    skin = shape.band(0.0, shape.rim().depth_of("skin"), 0, float(shape.rim().along[-1]))
    within = np.array(skin)
    n = shape.rim().along.size
    inner = [tuple(p) for p in within[2 * n :]]
    for name, outline in shape.ONE_SIDE.items():
        assert all(inside(p, inner) for p in outline), name
    assert all(inside(p, inner) for p in shape.VERTEBRA if p[0] > 0)
    canal, vertebra = shape.mirrored(shape.CANAL), shape.mirrored(shape.VERTEBRA)
    assert all(inside(p, vertebra) for p in canal)
    for angle in np.linspace(0, 2 * np.pi, 24):
        x, y, rx, ry = shape.CORD
        assert inside((x + rx * np.cos(angle), y + ry * np.sin(angle)), canal)
        x, y, rx, ry = shape.VERTEBRAL_ARTERY
        assert inside((x + rx * np.cos(angle), y + ry * np.sin(angle)), vertebra)


def test_neighbouring_muscles_and_vessels_do_not_run_into_each_other():
    for (one, a), (other, b) in combinations(shape.ONE_SIDE.items(), 2):
        assert not any(inside(p, b) for p in a), (one, other)
        assert not any(inside(p, a) for p in b), (one, other)
    (cx, cy, cr, _), (jx, jy, jrx, jry) = shape.CAROTID, shape.JUGULAR
    for angle in np.linspace(0, 2 * np.pi, 60):
        x, y = jx + jrx * np.cos(angle), jy + jry * np.sin(angle)
        assert math.hypot(x - cx, y - cy) > cr


def test_a_smooth_curve_passes_through_its_points():
    points = [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)]
    assert [piece[2] for piece in shape.curve(points, closed=False)] == points[1:]
    assert [piece[2] for piece in shape.curve(points, closed=True)] == [*points[1:], points[0]]
    assert shape.along_curve([(0, 0), (0, 3), (4, 3)], [0, 3 / 7, 1]) == [(0, 0), (0, 3), (4, 3)]


@pytest.mark.parametrize("before", [None, REST])
@pytest.mark.parametrize("width", [330, 720])
def test_without_keys_the_scale_of_temperature_alone_stands_below_the_same_neck(before, width):
    whole, bare = (
        ET.fromstring(cross_section(FLUSH, before=before, width_px=width, with_keys=keys)) for keys in (True, False)
    )
    said, kept = ([one.text for one in root.iter(f"{SVG}text")] for root in (whole, bare))
    assert set(kept) < set(said)
    assert {"32", "38", "温度(℃)", "うなじの皮膚"} <= set(kept)
    assert not {"◆ 筋肉の力", "○ 感じ方"} & set(kept)
    assert float(bare.get("height")) < float(whole.get("height")) - 100
    lowest = max(box[3] for _, box in texts(bare))
    assert lowest <= float(bare.get("height"))
    assert whole.get("aria-labelledby") != bare.get("aria-labelledby")
    assert [one.text for one in bare.iter(f"{SVG}desc")] == [one.text for one in whole.iter(f"{SVG}desc")]


def test_without_keys_marks_beside_the_scale_are_still_explained():
    said = [one.text for one in ET.fromstring(cross_section(EXTREME, width_px=330, with_keys=False)).iter(f"{SVG}text")]
    assert {"▷ 目盛りより高い", "◁ 目盛りより低い", "不明"} <= set(said)

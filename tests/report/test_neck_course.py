from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest

from unaji.body.state import OUTPUTS
from unaji.report.figures.neck_course import COURSE, PARTS, TALL, Band, _axis, _thinned, neck_course
from unaji.report.figures.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
TIME = np.arange(0.0, 121.0)
ANGER, WORK = Band(20, 40, "怒り", "anger"), Band(50, 100, "うつむいて仕事", "work with the head bent")
PULSE = np.where((TIME >= 20) & (TIME < 40), 1.0, 0.0)
VALUES = {
    "nape_skin_temp_c": 34.1 + 0.9 * PULSE,
    "core_temp_c": np.full(121, 36.8),
    "finger_skin_temp_c": 32.0 - 3 * PULSE,
    "nape_skin_flow_ml_100g_min": 8.9 + 9.8 * PULSE,
    "superficial_muscle_flow_ml_100g_min": np.full(121, 2.7),
    "hr_bpm": 66 + 14 * PULSE,
    "felt_heat": 5 * PULSE,
}
FELT = {"sensory": 1.0 * PULSE, "vascular": 4.0 * PULSE}


def draw(values=VALUES, bands=(ANGER, WORK), **more):
    return ET.fromstring(neck_course(TIME, values, bands, **more))


def gapped():
    values = {name: value.copy() for name, value in VALUES.items()}
    values["hr_bpm"][60:80] = math.nan
    values["core_temp_c"][:] = math.nan
    return values


def points_of(one):
    return [tuple(map(float, p.split())) for p in one.get("d")[1:].split("L")]


def lines_of(root, look="model"):
    return [points_of(one) for one in root.iter(f"{SVG}path") if one.get("class") == look]


def words_of(root):
    return [one.text for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("width", [320, 360, 639, 640, 720, 900])
@pytest.mark.parametrize("shown", ["ja", "en", "both"])
@pytest.mark.parametrize("values", [VALUES, gapped()], ids=["whole", "gapped"])
def test_no_two_texts_overlap_and_none_leaves_the_picture(values, shown, width):
    bands = (
        ANGER,
        WORK,
        Band(108, 112, "怒り", "anger"),
        Band(0, 120, "エアコンの風が当たる席", "a seat in the draught"),
    )
    root = draw(values, bands, felt_parts=FELT, language=shown, width_px=width)
    boxes = []
    for one in root.iter(f"{SVG}text"):
        size, x, y = (float(one.get(key)) for key in ("font-size", "x", "y"))
        assert size >= 12
        room = text_width(one.text, size)
        left = x - room * {"middle": 0.5, "end": 1.0}.get(one.get("text-anchor"), 0.0)
        boxes.append((one.text, (left, y - 0.8 * size, left + room, y + 0.15 * size)))
        assert left >= -0.5, one.text
        assert left + room <= width + 0.5, one.text
        assert y <= float(root.get("height")), one.text
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = min(a[2], b[2]) - max(a[0], b[0]) <= 0 or min(a[3], b[3]) - max(a[1], b[1]) <= 0
        assert apart, f"{one!r} overlaps {other!r}"


def test_a_line_is_as_high_as_its_value():
    root = draw({"nape_skin_temp_c": VALUES["nape_skin_temp_c"]})
    (line,) = lines_of(root)
    ticks = {one.text: float(one.get("y")) - 4 for one in root.iter(f"{SVG}text") if re.fullmatch(r"3\d\.\d", one.text)}
    (low, at_low), (high, at_high) = sorted((float(k), v) for k, v in ticks.items())[:: len(ticks) - 1]
    assert at_low - at_high == pytest.approx(TALL, abs=0.2)
    x, y = np.array(line).T
    left, right = x[0], x[-1]  # even times, even places
    read = low + (at_low - np.interp(left + (right - left) * TIME / TIME[-1], x, y)) / (at_low - at_high) * (high - low)
    np.testing.assert_allclose(read, VALUES["nape_skin_temp_c"], atol=0.015)


def test_a_band_shades_its_time_and_is_named_in_both_languages():
    root = draw(language="both", width_px=900)
    line = lines_of(root)[0]
    at = {minute: line[0][0] + (line[-1][0] - line[0][0]) * minute / TIME[-1] for minute in (20, 40)}
    shade = next(one for one in root.iter(f"{SVG}rect") if one.get("class") == "band")
    assert float(shade.get("x")) == pytest.approx(at[20], abs=0.11)
    assert float(shade.get("x")) + float(shade.get("width")) == pytest.approx(at[40], abs=0.21)
    words = " ".join(words_of(root))
    for band in (ANGER, WORK):
        assert band.ja in words
        assert band.en in words


def test_what_happened_at_other_times_is_left_out():
    words = words_of(draw(bands=(ANGER, Band(200, 300, "昼", "noon"))))
    assert "怒り" in words
    assert "昼" not in words


def test_every_panel_has_its_name_and_unit_in_both_languages():
    for width in (360, 900):
        for shown in ("ja", "en"):
            words = "".join(words_of(draw(language=shown, width_px=width))).replace(" ", "")
            for name in COURSE:
                assert getattr(OUTPUTS[name], shown).replace(" ", "") in words
            units = {"ja": ("℃", "mL/100g/分", "回/分", "0〜10"), "en": ("°C", "mL/100g/min", "beats/min", "0–10")}
            assert all(unit in words for unit in units[shown])


def test_the_largest_change_is_told():
    words = words_of(draw())
    assert "34.1 → 35.0(+0.9)" in words
    assert "32.0 → 29.0(−3.0)" in words
    assert "36.8 変わらない" in words
    assert "66 → 80(+14)" in words
    assert "34.1 → 35.0 (+0.9)" in words_of(draw(language="en"))


def test_a_gap_breaks_the_line_and_is_hatched_and_said():
    root = draw(gapped())
    assert len(lines_of(root)) == len(lines_of(draw())) - 1 + 1  # heart rate in two pieces, core in none
    gaps = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "gap"]
    assert len(gaps) == 2
    right_end = max(line[-1][0] for line in lines_of(root))
    heart = [line for line in lines_of(root) if line[-1][0] < right_end]
    assert len(heart) == 1
    assert float(gaps[1].get("x")) == pytest.approx(heart[0][-1][0], abs=0.11)
    assert words_of(root).count("不明") == 2  # instead of core's numbers, and in the key
    assert "不明な時間あり" in root.find(f"{SVG}desc").text
    assert "unknown" in words_of(draw(gapped(), language="en"))
    assert "不明" not in words_of(draw())


def edges_at(area, x):
    """Read the upper and the lower edge of an area at places x [px]; NaN beside it."""
    points = np.array([tuple(map(float, p.split())) for p in area.get("d")[1:-1].split("L")])
    turn = int(points[:, 0].argmax()) + 1
    upper, lower = points[:turn], points[turn:][::-1]
    return [np.interp(x, *edge.T, left=np.nan, right=np.nan) for edge in (upper, lower)]


def felt_areas(root, look="felt-part"):
    return [one for one in root.iter(f"{SVG}path") if one.get("class") == look]


def test_parts_of_the_felt_heat_stack_to_the_whole():
    root = draw({"felt_heat": VALUES["felt_heat"]}, felt_parts=FELT)
    (line,) = lines_of(root, "onset")
    vascular, sensory = felt_areas(root)
    x = np.array([line[0][0] + (line[-1][0] - line[0][0]) * minute / TIME[-1] for minute in (22.0, 30.0, 38.0)])
    (first_top, first_foot), (top, foot) = edges_at(vascular, x), edges_at(sensory, x)
    np.testing.assert_allclose(top, np.interp(x, *np.array(line).T), atol=0.11)
    np.testing.assert_allclose(foot, first_top, atol=0.11)
    np.testing.assert_allclose((first_foot - first_top) / (first_foot - top), 4 / 5, atol=0.01)
    words = words_of(root)
    assert "○ 感じ方" in words
    assert "● 皮膚の血の流れ" in words
    assert not any("弱めた" in word for word in words)


def test_a_part_that_takes_away_is_hatched_above_the_line():
    felt = 3 * PULSE
    root = draw({"felt_heat": felt}, felt_parts={"heat_load": 5 * PULSE, "vascular": -2 * PULSE}, language="both")
    (line,) = lines_of(root, "onset")
    x = np.array([line[0][0] + (line[-1][0] - line[0][0]) * 30 / TIME[-1]])
    (heat_load,) = felt_areas(root)
    (away,) = felt_areas(root, "felt-away")
    (top, foot), (away_top, away_foot) = edges_at(heat_load, x), edges_at(away, x)
    assert away_top == pytest.approx(top, abs=0.11)
    assert away_foot == pytest.approx(np.interp(x, *np.array(line).T), abs=0.11)
    assert (away_foot - away_top) / (foot - top) == pytest.approx(2 / 5, abs=0.01)
    assert any("弱めた" in word for word in words_of(root))


def test_parts_never_leave_the_panel():
    root = draw({"felt_heat": 9 * PULSE}, felt_parts={"heat_load": 14 * PULSE, "muscle": -5 * PULSE})
    ticks = {one.text: float(one.get("y")) - 4 for one in root.iter(f"{SVG}text") if one.text in ("0", "10")}
    ys = [y for one in felt_areas(root) + felt_areas(root, "felt-away") for _, y in points_of(one_open(one))]
    assert min(ys) >= ticks["10"] - 0.11


def one_open(one):
    one.set("d", one.get("d").rstrip("Z"))
    return one


def test_axes_hold_all_values_in_few_even_steps():
    rng = np.random.default_rng(1)
    for name in OUTPUTS:
        for _ in range(20):
            value = np.abs(rng.normal(0, 1, 30) * 10.0 ** rng.uniform(-3, 2) + rng.uniform(0, 40))
            value = np.clip(value, 0, 10) if OUTPUTS[name].unit == "0–10" else value
            low, high, step = _axis(name, value)
            assert low - 1e-6 <= value.min()
            assert value.max() <= high + 1e-6
            assert round((high - low) / step) <= 5
            assert (high - low) / step == pytest.approx(round((high - low) / step))
    assert _axis("nape_skin_flow_ml_100g_min", np.array([8.0, 19.0]))[0] == 0
    assert _axis("felt_heat", np.array([1.0]))[:2] == (0, 10)


def test_thinning_loses_no_peak_and_leaves_short_courses_alone():
    time = np.arange(20_000.0)
    value = np.sin(time / 500)
    value[12_345], value[777] = 7.0, -7.0
    thin_time, thin = _thinned(time, value, 360)
    assert thin_time.size <= 2 * 360 + 2
    assert (thin.max(), thin.min()) == (7.0, -7.0)
    assert thin_time[np.argmax(thin)] == 12_345
    assert (np.diff(thin_time) > 0).all()
    np.testing.assert_array_equal(_thinned(time[:50], value[:50], 360)[1], value[:50])


@pytest.mark.parametrize(
    ("minutes", "unit", "last"), [(120, "分", "120"), (1440, "時間", "24"), (14 * 1440, "日", "10")]
)
def test_time_is_told_in_the_unit_that_fits_its_length(minutes, unit, last):
    time = np.linspace(0, minutes, 300)
    words = words_of(ET.fromstring(neck_course(time, {"core_temp_c": 36.8 + 0 * time})))
    assert unit in words
    assert last in words


def test_same_input_same_bytes_nothing_from_outside_and_a_name():
    text = neck_course(TIME, gapped(), [ANGER], felt_parts=FELT, language="both")
    assert text == neck_course(TIME, gapped(), [ANGER], felt_parts=FELT, language="both")
    assert text.count("http") == 1
    assert not re.search(r"<script|<style| style=|href|\bon\w+=|nan|HATCH", text)
    root = ET.fromstring(text)
    assert root.get("aria-labelledby") == root.find(f"{SVG}title").get("id")
    pattern = root.find(f".//{SVG}pattern").get("id")
    assert set(re.findall(r"url\((.*?)\)", text)) == {f"#{pattern}"}


def test_parts_are_the_five_pathways():
    assert len(PARTS) == len(set(PARTS)) == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": {"nape_skin_temp": TIME}}, "did you mean 'nape_skin_temp_c'"),
        ({"values": {}}, "nothing to draw"),
        ({"values": {"hr_bpm": TIME[1:]}}, r"hr_bpm has shape \(120,\)"),
        ({"values": {"hr_bpm": TIME + math.inf}}, "infinite"),
        ({"time_min": TIME[::-1]}, "rising"),
        ({"felt_parts": {"magic": TIME}}, "not 'magic'"),
        ({"felt_parts": {"muscle": TIME[1:]}}, "muscle has shape"),
        ({"language": "de"}, "ja, en, both"),
        ({"width_px": 100}, "at least 320"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        neck_course(**({"time_min": TIME, "values": VALUES} | change))


def test_a_band_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="must not end before"):
        Band(10, 5, "昼", "noon")

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from unaji.report.figures._neck_shares import SharedOut, neck_shares
from unaji.report.figures.neck_course import PARTS
from unaji.report.figures.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
FELT = SharedOut(
    "感じる熱さ(0〜10)", "felt heat (0–10)", dict(zip(PARTS, (2.0, 1.0, 0.0, -0.5, 0.5), strict=True)), 1, True
)
NAPE = SharedOut("うなじ(℃)", "nape (K)", dict(zip(PARTS, (-0.4, -1e-6, 0.0, 0.2, 0.0), strict=True)), 2)


def draw(*quantities, **more):
    return ET.fromstring(neck_shares(quantities or (FELT, NAPE), **more))


def bars(root, look):
    return [one for one in root.iter(f"{SVG}rect") if one.get("class") == look]


@pytest.mark.parametrize("width", [320, 330, 720])
@pytest.mark.parametrize("shown", ["ja", "en", "both"])
def test_no_two_texts_overlap_and_none_leaves_the_picture(shown, width):
    boxes = []
    for one in draw(language=shown, width_px=width).iter(f"{SVG}text"):
        size, x, y = (float(one.get(key)) for key in ("font-size", "x", "y"))
        room = text_width(one.text, size)
        left = x - room * {"middle": 0.5, "end": 1.0}.get(one.get("text-anchor"), 0.0)
        boxes.append((one.text, (left, y - 0.8 * size, left + room, y + 0.15 * size)))
        assert left >= -0.5, one.text
        assert left + room <= width + 0.5, one.text
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = min(a[2], b[2]) - max(a[0], b[0]) <= 0 or min(a[3], b[3]) - max(a[1], b[1]) <= 0
        assert apart, f"{one!r} overlaps {other!r}"


def test_bars_are_as_long_as_their_shares():
    widths = [float(one.get("width")) for one in bars(draw(FELT), "share of-felt")]
    assert [w / widths[0] for w in widths] == pytest.approx([1, 1 / 2, 1 / 4], abs=0.01)


def test_what_takes_away_points_left_is_dashed_and_says_so():
    root = draw(NAPE)
    (less,), (more,) = bars(root, "share-less"), bars(root, "share")
    assert float(less.get("x")) + float(less.get("width")) == pytest.approx(float(more.get("x")), abs=0.11)
    assert less.get("stroke-dasharray")
    words = [one.text for one in root.iter(f"{SVG}text")]
    assert "−0.40" in words
    assert words.count("0.00") == 3
    assert "うなじ(℃) −0.20" in words


def test_a_small_total_is_not_blown_up():
    (bar,) = bars(draw(SharedOut("a", "a", dict.fromkeys(PARTS, 0.0) | {"core": 0.02}, 2)), "share")
    assert float(bar.get("width")) < 360 / 8


def test_the_description_tells_the_numbers_and_nothing_comes_from_outside():
    text = neck_shares((FELT, NAPE), language="en", width_px=330)
    assert text == neck_shares((FELT, NAPE), language="en", width_px=330)
    assert "skin blood flow +2.0" in ET.fromstring(text).find(f"{SVG}desc").text
    assert text.count("http") == 1
    assert not re.search(r"<script|<style| style=|href|nan", text)


def test_every_way_needs_its_share_and_the_picture_its_width():
    with pytest.raises(ValueError, match="shares are needed"):
        SharedOut("a", "a", {"core": 1.0})
    with pytest.raises(ValueError, match="at least 320"):
        neck_shares((FELT,), width_px=300)

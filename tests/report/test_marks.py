"""Marks keep their place in every terminal and show the numbers they stand for."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from unaji.report.marks import DRAWN, PLAIN, axis, columns, curve, grade_bars, interval_bar, ratio_bar
from unaji.report.rounding import Tens

LOWEST_FIRST = ("78", "36", "25", "14")
"""Dots of a braille cell in their rows from below (Unicode Standard, block "Braille Patterns")."""


def height(sign: str) -> int:
    """How many rows from below a sign has both dots of, by its name in Unicode, without one above that has not."""
    name = unicodedata.name(sign)
    dots = set(name.rpartition("-")[2]) if "DOTS" in name else set()
    full = [set(row) <= dots for row in LOWEST_FIRST]
    assert full == sorted(full, reverse=True)
    return sum(full)


@pytest.mark.parametrize("marks", [DRAWN, PLAIN])
def test_every_mark_is_one_cell_wide_also_where_terminals_draw_ambiguous_ones_wide(marks):
    """By Unicode's own table: only neutral ("N") and narrow ("Na") signs."""
    assert {unicodedata.east_asian_width(sign) for sign in marks.signs} <= {"N", "Na"}
    assert {cell_len(sign) for sign in marks.signs} == {1}


@pytest.mark.parametrize("sign", "■●█▁━─│")
def test_the_usual_marks_of_bars_are_not_of_that_kind(sign):
    assert unicodedata.east_asian_width(sign) == "A"


@pytest.mark.parametrize(
    ("tens", "plain", "drawn"),
    [
        (Tens(4, 2, 6), "..==o==....", "⠒⠒⠶⠶⣿⠶⠶⠒⠒⠒⠒"),
        (Tens(0, 0, 1), "o=.........", "⣿⠶⠒⠒⠒⠒⠒⠒⠒⠒⠒"),
        (Tens(10, 9, 10), ".........=o", "⠒⠒⠒⠒⠒⠒⠒⠒⠒⠶⣿"),
    ],
)
def test_interval_bar(tens, plain, drawn):
    assert interval_bar(tens, PLAIN) == plain
    assert interval_bar(tens, DRAWN) == drawn


def test_a_wide_bar_has_two_cells_for_each_episode():
    assert interval_bar(Tens(4, 2, 6), PLAIN, 2) == "....====o====........"


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_each_row_of_dots_is_one_while_all_fit(counts):
    rows = columns(counts, DRAWN)
    assert [sum(map(height, cells)) for cells in zip(*rows, strict=True)] == counts


@given(st.lists(st.integers(0, 90), min_size=2, max_size=60))
def test_a_larger_count_is_never_lower_and_one_is_never_drawn_as_none(counts):
    heights = [sum(map(height, cells)) for cells in zip(*columns(counts, DRAWN), strict=True)]
    ordered = sorted(zip(counts, heights, strict=True))
    assert [h for _, h in ordered] == sorted(heights)
    assert all((n > 0) == (h > 0) for n, h in ordered)
    assert max(counts) < 8 or max(heights) == 8


def test_a_gap_in_the_record_is_no_nought():
    assert columns([0, None, 3], DRAWN) == ("   ", "⡀░⣶")
    assert columns([0, None, 3, 9, 10], PLAIN) == ("0/39+",)


@pytest.mark.parametrize("marks", [DRAWN, PLAIN])
def test_a_curve_is_highest_where_its_numbers_are(marks):
    heights = np.exp(-0.5 * ((np.arange(120) - 80) / 9.0) ** 2)
    drawn = curve(heights, 24, marks)
    assert len(drawn) == 24
    at = [i for i, sign in enumerate(drawn) if sign == ("⣿" if marks.drawn else "#")]
    assert float(np.mean(at)) == pytest.approx(80 / 119 * 24 - 0.5, abs=0.6)
    assert not re.search(r"\S", drawn[:8].replace("\N{BRAILLE PATTERN BLANK}", " "))


def test_a_ratio_and_its_inverse_mirror_each_other():
    bar = ratio_bar(0.5, 0.25, 0.9, PLAIN)
    assert bar[::-1] == ratio_bar(2.0, 1 / 0.9, 4.0, PLAIN)


def test_a_ratio_bar_doubles_every_four_cells():
    """25 cells from 1/8 to 8: a half is 4 cells left of no change, a quarter 8."""
    assert ratio_bar(0.5, 0.25, 0.5, PLAIN) == "....====o...|............"
    assert ratio_bar(1.0, 0.01, 99.0, PLAIN) == "=" * 12 + "o" + "=" * 12


def test_labels_without_room_are_left_out():
    assert axis([(0.0, "15分"), (0.1, "1時間"), (0.5, "3時間"), (0.9, "24時間")], 20) == "15分      3時間     "


def test_a_grade_has_its_letter_and_bars_where_they_can_be_drawn():
    assert [grade_bars(grade, DRAWN) for grade in "ABCD"] == ["A ▮▮▮▮", "B ▮▮▮▯", "C ▮▮▯▯", "D ▮▯▯▯"]
    assert [grade_bars(grade, PLAIN) for grade in "ABCD"] == list("ABCD")

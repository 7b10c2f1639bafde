"""Two reports compared in a terminal: the sentences, with pictures that say no more than they do."""

from __future__ import annotations

import io
import json
import re
from copy import deepcopy
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from unaji.cli import unaji
from unaji.report import json as reports
from unaji.report.comparison import compare, sentences, to_json
from unaji.report.comparison_terminal import print_comparison
from unaji.report.marks import DRAWN, ratio_bar
from unaji.report.screen import console_on
from unaji.report.words import catalogue

DOTS = "[\u2801-\u28ff]"


@pytest.fixture(scope="module")
def spring(people):
    return json.loads(reports.dumps(people["rich"]()))


@pytest.fixture(scope="module")
def summer(spring):
    """The same a hundred days later, with the first twenty episodes only."""
    moved = deepcopy(spring)

    def at(text):
        return (datetime.fromisoformat(text) + timedelta(days=100)).isoformat()

    moved["period"] |= {"start": at(spring["period"]["start"]), "end": at(spring["period"]["end"])}
    moved["episodes"] = [one | {"start": at(one["start"])} for one in spring["episodes"][:20]]
    return moved


def shown(found, language, width=80):
    out = io.StringIO()
    print_comparison(found, Console(file=out, width=width, color_system=None), language)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_sentence_is_there_and_no_line_is_too_wide(spring, summer, language, width):
    found = compare(spring, summer)
    text = shown(found, language, width)
    assert max(map(cell_len, text.splitlines())) <= width
    flat = re.sub(r"\s+", "", text)
    assert all(re.sub(r"\s+", "", one) in flat for one in sentences(found, catalogue(language)))


def test_weeks_stand_one_below_the_other_with_their_sums_and_the_ratio_has_its_interval(spring, summer):
    found = compare(spring, summer)
    text = shown(found, "en")
    assert "(46 in all)" in text
    assert "(20 in all)" in text
    assert ratio_bar(found.rate.ratio, found.rate.low, found.rate.high, DRAWN) in text
    assert "0.4 times (0.2–0.8)" in text
    assert found.rate.ratio == pytest.approx(20 / 46)
    before, after = (line for line in text.splitlines() if "in all" in line)
    assert before.index("⣤") == after.index("⣤")


def test_heights_of_both_reports_are_on_one_scale(spring, summer):
    """Thrice as many before: what fills two rows of dots there fills less after."""
    many = deepcopy(spring)
    many["episodes"] = [one for one in spring["episodes"] for _ in range(3)]
    text = shown(compare(many, summer), "en")
    assert catalogue("en")("terminal.tallest", n=21) in text
    after = [line for line in text.splitlines() if "in all" in line][1]
    assert "⣿" not in after


def test_nothing_is_drawn_of_a_ratio_that_is_none(spring, summer):
    none = deepcopy(summer)
    none["episodes"] = []
    text = shown(compare(spring, none), "en")
    assert DRAWN.inside not in text
    assert catalogue("en")("terminal.compare_ratio") + "  " not in text


def test_a_terminal_without_japanese_gets_english_and_plain_marks(spring, summer):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    print_comparison(compare(spring, summer), console_on(stream), "ja")
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "encoding ascii" in text
    assert re.search(r"Ratio +[.=]+o[.=]*\|", text)


def test_the_object_for_programs_has_no_pictures(spring, summer, tmp_path):
    for name, report in (("spring", spring), ("summer", summer)):
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    both = [str(tmp_path / f"{name}.json") for name in ("spring", "summer")]
    done = CliRunner().invoke(unaji, ["compare", *both, "--json", "--lang", "en"])
    assert json.loads(done.output) == to_json(compare(spring, summer), catalogue("en"))
    told = CliRunner().invoke(unaji, ["compare", *both, "--no-color"])
    assert told.exit_code == 0, told.output
    assert "\x1b" not in told.output

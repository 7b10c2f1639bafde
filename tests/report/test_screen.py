"""What a terminal can show: colours that can be seen on any ground, no codes where none are wanted, any encoding."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.style import Style

import unaji.report
from unaji.claims.model import Urgency
from unaji.findings import RaisedFlag
from unaji.report.json import to_json
from unaji.report.marks import DRAWN, PLAIN
from unaji.report.screen import ACT_NOW, INK, INK_OF_SIXTEEN, console_on, language_on, marks_of
from unaji.report.terminal import print_summary
from unaji.report.words import catalogue

CSS = (Path(unaji.report.__file__).parent / "styles" / "report.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+):(#[0-9A-F]{6})", part))
    for part in CSS.partition("*{box-sizing")[0].split("@media (prefers-color-scheme:dark)")
)


def channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    """21 between black and white; #767676 is the lightest grey with 4.5 on white (WCAG, understanding 1.4.3)."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert 4.5 <= contrast("#767676", "#FFFFFF") < 4.6


@pytest.mark.parametrize("token", [*map(str, INK)])
def test_a_mark_has_the_colour_of_the_page_as_far_as_it_shows_on_black_and_white(token):
    chosen = INK[token]
    light, dark = LIGHT[token], DARK[token]
    halfway = [(a + b + 1) // 2 for a, b in zip(channels(light), channels(dark), strict=True)]
    seen = min(contrast(light, ground) for ground in ("#000000", "#FFFFFF")) >= 3
    assert channels(chosen) == pytest.approx(channels(light) if seen else halfway, abs=1)
    for ground in ("#000000", "#FFFFFF", "#1E1E1E", "#FDF6E3"):  # also usual dark and light grounds
        assert contrast(chosen, ground) >= (3 if ground in ("#000000", "#FFFFFF") else 2.9)


def test_what_needs_a_doctor_now_brings_its_own_ground():
    ground, text = (colour.triplet.hex.upper() for colour in (ACT_NOW.bgcolor, ACT_NOW.color))
    assert ground == LIGHT["alert-fill"]
    assert contrast(text, ground) >= 4.5


# -- colour and codes --------------------------------------------------------------------------------------------------


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self, *, terminal: bool = True, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="", write_through=True)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """A terminal of 80 columns with all colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JUPYTER_COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "50"}.items():
        monkeypatch.setenv(name, value)


def printed(findings, language="ja", *, color=True, **screen):
    stream = Screen(**screen)
    print_summary(findings, console_on(stream, color=color), language)
    return stream.text()


def without_codes(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_terminal_gets_the_colours_it_has(people, monkeypatch):
    assert "38;2;200;68;42m" in printed(people["rich"]())  # the heat's own colour, #C8442A
    monkeypatch.delenv("COLORTERM")
    forget_styles()
    told = printed(people["rich"]())
    assert "38;5;" in told
    assert "38;2;" not in told
    monkeypatch.setenv("TERM", "xterm-16color")
    forget_styles()
    told = printed(people["rich"]())
    assert "\x1b[31m" in told  # heat is red
    assert "\x1b[94m" in told  # and the weather blue
    assert "38;" not in told
    forget_styles()


def test_sixteen_colours_are_enough_to_keep_all_apart():
    assert set(INK_OF_SIXTEEN) == set(INK)
    assert len(set(INK_OF_SIXTEEN.values())) == len(INK)


def forget_styles():
    """Rich keeps the codes of a style, as if a process had one terminal only."""
    Style.parse.cache_clear()
    Style._add.cache_clear()


@pytest.mark.parametrize("way", ["pipe", "no_color", "option", "dumb"])
def test_there_are_no_codes_where_none_are_wanted_and_the_same_text(people, monkeypatch, way):
    coloured = printed(people["emergency"]())
    if way == "no_color":
        monkeypatch.setenv("NO_COLOR", "1")
    if way == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    told = printed(people["emergency"](), color=way != "option", terminal=way != "pipe")
    assert "\x1b" in coloured
    assert "\x1b" not in told
    assert told == without_codes(coloured)


def test_colours_of_families_and_heat_are_on_marks_only_and_alarm_on_what_is_urgent(findings, language):
    console = Console(file=io.StringIO(), width=80, color_system="truecolor", force_terminal=True, record=True)
    print_summary(findings, console, language)
    colours = {colour.lower() for colour in INK.values()}
    alarmed = False
    for segment in console._record_buffer:
        style = segment.style
        if style is None or style.color is None:
            continue
        if style.bgcolor:
            alarmed = True
        else:
            assert style.color.triplet.hex in colours
            assert set(segment.text) <= {*DRAWN.signs, " "}
    assert alarmed == any(flag["act"] == "now" for flag in to_json(findings)["red_flags"])


def test_a_sign_that_can_wait_for_days_is_no_alarm(people):
    findings = people["rich"]()
    shingles = findings.claims.red_flags[2]
    assert shingles.urgency is Urgency.DAYS
    raised = RaisedFlag(shingles, (findings.observed.period.end,))
    told = printed(replace(findings, red_flags=(raised,)))
    assert "!" in told
    assert "48;2;155;19;33" not in told
    assert "48;2;155;19;33" in printed(people["emergency"]())


# -- encodings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp932", "euc_jp", "utf-8"])
def test_no_encoding_makes_printing_fail(findings, language, encoding):
    told = printed(findings, language, terminal=False, encoding=encoding)
    words = catalogue("ja" if language == "ja" and encoding in ("cp932", "euc_jp", "utf-8") else "en")
    assert words("section.doctor") in told
    note = catalogue("en")("terminal.no_japanese", encoding=encoding)
    assert (note in re.sub(r"\s+", " ", told)) == (language != words.language)


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
def test_every_sign_of_the_report_itself_has_a_nearest_one(people, language, encoding):
    told = printed(people["rich"](), language, terminal=False, encoding=encoding)
    asked = printed(people["rich"](), "en" if encoding == "ascii" else language, terminal=False)
    assert told.count("?") == asked.count("?")


def test_marks_are_letters_where_an_encoding_has_no_others(people):
    told = printed(people["rich"](), "ja", terminal=False, encoding="cp932")
    assert "..==o==...." in told
    assert catalogue("ja")("terminal.digits") in told


def test_what_has_no_near_sign_keeps_its_width():
    stream = Screen(encoding="ascii")
    console_on(stream, color=False).print("a熱b−4℃")
    assert stream.text() == "a??b-4C\n"


def test_marks_and_language_follow_the_encoding():
    japanese, western = (Console(file=Screen(encoding=encoding)) for encoding in ("utf-8", "ascii"))
    assert (marks_of(japanese), marks_of(western)) == (DRAWN, PLAIN)
    assert [language_on(one, language) for one in (japanese, western) for language in ("ja", "en")] == [
        "ja", "en", "en", "en",
    ]  # fmt: skip

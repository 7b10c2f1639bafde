from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import unaji.report
from unaji.causes.attribution import Estimate
from unaji.report.words import catalogue, plain, signed

JA, EN = catalogue("ja"), catalogue("en")
SOURCE = Path(unaji.report.__file__).parent


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys():
    assert set(JA.texts) == set(EN.texts)


@pytest.mark.parametrize("key", sorted(JA.texts))
def test_both_languages_have_the_same_placeholders(key):
    assert _placeholders(JA.texts[key]) == _placeholders(EN.texts[key])


def test_every_text_is_used_somewhere():
    code = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*") if p.suffix in (".py", ".html"))
    literals = re.findall(r"""["']([a-z_0-9.]+)["']""", code)
    prefixes = tuple(re.findall(r"""["']([a-z_.]+[._])(?:\{|["'] ~)""", code))
    unused = [key for key in JA.texts if key not in literals and not key.startswith(prefixes)]
    assert unused == []


def test_no_japanese_text_says_cause_and_no_english_one_does_either():
    # 要因 (factor) is the strongest word there is; what the article itself says is not ours to change.
    assert [key for key, text in JA.texts.items() if "原因" in text] == []
    assert [key for key, text in EN.texts.items() if re.search(r"\bcaus", text, re.IGNORECASE)] == []


def test_there_are_no_exclamation_marks_and_nothing_is_called_safe():
    for words in (JA, EN):
        assert [key for key, text in words.texts.items() if re.search("[!！]", text)] == []
    assert [
        key for key, text in JA.texts.items() if "安全" in text and "「安全」という意味ではありません" not in text
    ] == []


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="ja, en"):
        catalogue("de")


def test_a_missing_key_is_an_error_not_a_gap():
    with pytest.raises(KeyError):
        JA("no.such.key")


@pytest.mark.parametrize(
    ("p", "ja", "en"),
    [
        (0.97, "97%", "97%"),
        (0.992, "99%以上", "over 99%"),
        (0.004, "1%未満", "under 1%"),
        (0.01, "1%", "1%"),
        (0.99, "99%", "99%"),
        (float("nan"), "—", "—"),
    ],
)
def test_a_probability_is_never_said_as_certain(p, ja, en):
    assert (JA.percent(p), EN.percent(p)) == (ja, en)


def test_counts_of_ten():
    assert JA.of_ten(Estimate(0.41, 0.2, 0.6)) == "10回のうち約4回"
    assert JA.of_ten(Estimate(0.04, 0.0, 0.1)) == "10回のうち1回未満"
    assert EN.of_ten(Estimate(0.41, 0.2, 0.6)) == "about 4 of 10 episodes"


def test_one_is_singular_in_english():
    assert EN.count("episodes", 1) == "1 episode"
    assert EN.count("episodes", 2) == "2 episodes"
    assert JA.count("episodes", 1) == "1回"


@pytest.mark.parametrize(
    ("estimate", "ja", "ja_range"),
    [
        (Estimate(3.0, 1.0, 6.0), "3時間", "1〜6時間"),
        (Estimate(1.4, 0.5, 4.0), "1時間30分", "30分〜4時間"),
        (Estimate(0.4, 0.25, 0.7), "30分", "15〜45分"),
    ],
)
def test_lags(estimate, ja, ja_range):
    assert JA.lag(estimate.mean) == ja
    assert JA.lag_range(estimate) == ja_range


def test_ratios_and_changes():
    ratio = Estimate(0.87, 0.62, 1.2)
    assert JA.times(3.08) == "3.1倍"
    assert JA.change(0.53) == "−47%"
    assert JA.change_range(ratio) == "−38%〜+20%"
    assert EN.change_range(ratio) == "−38%–+20%"
    assert JA.change(float("nan")) == "—"


def test_minus_is_a_minus_sign_and_nothing_has_no_sign():
    assert (signed(-0.26, 1), signed(0.26, 1), signed(-0.04, 1)) == ("−0.3", "+0.3", "0.0")
    assert plain(-1.5) == "−1.5"


def test_names_are_joined_so_that_a_dot_inside_a_name_cannot_be_taken_for_the_end():
    assert JA.join(["緊張・ストレス", "運動"]) == "緊張・ストレス、運動"
    assert EN.join(["heat, damp", "wind", "sun"]) == "heat, damp; wind; sun"

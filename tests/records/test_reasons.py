"""What readers of files say is said in Japanese: each sentence in the source, and what is put into its places."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import unaji
from tests.records.rules_in_source import Sentences
from unaji.quantities import QUANTITIES
from unaji.records.detect import IMPORTERS
from unaji.records.importing import _masked
from unaji.records.reasons import Told, say_importers, say_problem, say_refusal, say_rule, say_source
from unaji.records.timeline import Problem

ROOT = Path(unaji.__file__).parents[1]
CATALOGUE = tomllib.loads(files("unaji.records").joinpath("reasons.toml").read_text(encoding="utf-8"))
PLACE = re.compile(r"\{\w*\}")
KANA = re.compile("[ぁ-んァ-ヶ]")

ENDING_A_COMMAND = (
    "unaji.records.beat_files", "unaji.records.exporting", "unaji.records.store", "unaji.records.weather.fetch",
    "unaji.records.weather.services", "unaji.records.weather.stations", "unaji.records.mapping.asking",
    "unaji.records.person", "unaji.records.folder", "unaji.records.inventory", "unaji.records.importing",
)  # fmt: skip
"""Their errors end what was asked for at a command line, and are not told among what was left out."""

PASSED_ON = {"error", "reason", "self._shown", "replace(shown[0], line=None, value='', rule=more, count=hidden)"}
"""Errors that are told as they are, each of which is a sentence found by itself; problems that are told once more."""

NAMES = ("height (cm)", "pressure (hpa)", "activity type")
"""Columns of makers' tables."""


@pytest.fixture(scope="module")
def sentences():
    source = [*sorted((ROOT / "unaji" / "records").rglob("*.py")), ROOT / "unaji" / "quantities.py"]
    return Sentences(ROOT, source, ENDING_A_COMMAND)


def plain(sentence):
    """Return a sentence with its places alike, and without what stands before it: a file, a hint, a line."""
    alike = re.sub(r"(\{\}){2,}", "{}", PLACE.sub("{}", sentence))
    return re.sub(r"^(\{\}(, line \{\})?:? ?)+(?=\S)", "", alike)


def is_words(sentence):
    """Say whether something is more than a name or two places."""
    return bool(re.search(r"[a-z]{2,}\b[^{}]* \W*[a-z]{2,}", plain(sentence)))


def is_both(sentence):
    return say_rule(sentence, "en").text != sentence


@pytest.fixture(scope="module")
def keys():
    return [*CATALOGUE["rules"], *(one for one in CATALOGUE["phrases"] if " " in one)]


def test_every_sentence_in_the_source_has_its_japanese(sentences, keys):
    alone, any_place = {plain(key) for key in CATALOGUE["rules"]}, {plain(key) for key in keys}
    told = {one: where for one, where in sentences.found.items() if is_words(one) and one not in NAMES}
    assert {
        one: where
        for one, where in told.items()
        if plain(one) not in (alone if one in sentences.alone else any_place) and not is_both(one)
    } == {}
    assert len(told) > 400


def test_no_sentence_is_lost_on_its_way_through_the_source(sentences):
    assert sentences.lost.keys() <= PASSED_ON


def test_the_catalogue_has_no_sentence_that_nobody_says(sentences, keys):
    said = {plain(one) for one in sentences.found}
    assert [key for key in keys if plain(key) not in said] == []


# -- what is said ------------------------------------------------------------------------------------------------------


def filled(sentence, **said):
    """Fill the places of a sentence with what fits them, and is said as it is but for what is given."""
    values = SAMPLES | said
    return PLACE.sub(lambda place: values.get(place[0].strip("{}"), "x1"), sentence)


SAMPLES = {
    "n": "1,234",
    "m": "7",
    "low": "−5",
    "high": "2.5",
    "hint": "",
    "more": "",
    "unit": "ms",
    "found": "is missing",
}


def test_a_sentence_is_told_from_all_others():
    for key, japanese in CATALOGUE["rules"].items():
        assert say_rule(filled(key), "ja") == Told(filled(japanese, found="がありません"), "ja"), key
        assert say_rule(filled(key), "en") == Told(filled(key), "en")


def test_what_a_store_has_kept_of_a_sentence_is_said_too():
    for key in CATALOGUE["rules"]:
        rule = _masked(Problem("some.csv", 3, "", f"some.csv: {filled(key)}"))
        assert say_rule(rule, "ja").language == "ja", rule


@pytest.mark.parametrize("section", ["rules", "phrases"])
def test_both_languages_have_the_same_places(section):
    for english, japanese in CATALOGUE[section].items():
        if not english.startswith("nothing in it could be used"):  # a long list, which helps nobody on a phone
            assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(japanese)), english
        assert not re.search("[!！]|安全|病", japanese)


def test_sentences_end_as_sentences():
    open_ended = [one for one in CATALOGUE["rules"].values() if not one.endswith(("。", "}", ")", "か"))]
    assert open_ended == []


def test_the_range_of_every_quantity_is_said_with_its_hint():
    for known in QUANTITIES.values():
        said = say_rule(known.rule, "ja")
        assert said.language == "ja"
        assert said.text.startswith(f"{known.ja}が、ありうる範囲の外です({known.low:g}〜{known.high:g}")
        assert (known.hint in said.text) is (known.hint == "")


def test_a_sentence_is_said_after_the_file_the_line_and_the_quantity_before_it():
    assert say_rule("hr_bpm: the end lies before the start", "ja").text == "心拍数: 終わりが始まりより前の行です。"
    rule = "a.xml, line 7: elements lie more than 64 deep; this is no export of Apple Health. Export it again"
    assert say_rule(rule, "ja").text.startswith("a.xml 7行目: Apple ヘルスケアの書き出しではないようです")
    assert say_rule("気温(℃): values of quality 2 (doubtful) were left out", "ja").text == (
        "気温(℃): 品質情報が 2 (疑わしい)の値です。"
    )


def test_a_sentence_within_a_sentence_is_said():
    kept = f"{QUANTITIES['rri_ms'].rule}. The interval was kept; the signals will judge it beside its neighbours"
    rule = f"20 more rows like these: {kept}"
    assert say_rule(rule, "ja").text == (
        "同じ理由の行が、ほかに20行: 心拍の間隔が、ありうる範囲の外です(250〜3000 ms。1に近い値は秒です。"
        "1000倍してください)。間隔は残し、前後と合わせて判断します。"
    )


def test_what_says_both_languages_is_parted():
    rule = "この観測所に気圧計はありません / this site (気象台) has no barometer"
    assert say_rule(rule, "ja") == Told("この観測所に気圧計はありません。", "ja")
    assert say_rule(rule, "en") == Told("this site (気象台) has no barometer", "en")
    names = "columns that unaji does not use were left out: きおん / 湿度"
    assert say_rule(names, "ja") == Told("使わない列です: きおん / 湿度", "ja")
    assert say_rule(names, "en") == Told(names, "en")


def test_a_sentence_of_any_length_is_said_soon():
    names = ", ".join(f"column_{k}" for k in range(5000))
    said = say_rule(f"columns that unaji does not use were left out: {names}", "ja")
    assert said.text.startswith("使わない列です: column_0, column_1")
    assert said.text.endswith("…")
    assert len(said.text) < 1000
    assert say_refusal(" (" * 50_000, "ja").language == "en"
    for odd in (": ", "; ", " is ", " of ", "あ / い"):
        assert say_rule(odd * 50_000, "ja") == Told(odd * 50_000, "en")


def test_what_nobody_knows_stays_english():
    assert say_rule("the moon is in the way", "ja") == Told("the moon is in the way", "en")
    assert say_rule("a.csv: the moon is in the way", "ja").language == "en"
    assert say_refusal("the moon is in the way (very far)", "ja") == Told("the moon is in the way (very far)", "en")


def test_a_mapping_that_is_wrong_is_told_in_japanese_to_the_end():
    rule = "the mapping was not used: a.map.toml: column 2.unit is missing; it must be a unit of hr_bpm: 1/min, Hz"
    assert say_rule(rule, "ja").text == (
        "読み方(mapping)を使いませんでした。a.map.toml: column 2.unit がありません。正しい形: 心拍数の単位: 1/min, Hz"
    )
    rule = "the mapping was not used: a.map.toml: column.what is 'hr'; it must be one of a, b (did you mean hr_bpm?)"
    assert say_rule(rule, "ja").text.endswith(
        "column.what が 'hr' です。正しい形: 次のどれか: a, b(hr_bpm のことですか)"
    )


def test_two_devices_that_disagree_are_named():
    rule = (
        "the heart rate of polar (strap 2) agrees with that of apple_health (watch 1) only if it is stamped 540 min "
        "later than it happened: was its clock or time zone wrong? Nothing was changed"
    )
    assert say_rule(rule, "ja").text.startswith(
        "Polar(胸ベルト 2)の心拍数は、実際より540分遅い時刻で書かれていると考えると、"
        "Apple ヘルスケア(腕時計 1)と合います。"
    )


def test_a_refusal_is_said_without_the_problems_behind_it():
    refused = "no row of it could be used (a.csv, line 2: found 'x': value must be a number)"
    assert say_refusal(refused, "ja") == Told("使える行がありませんでした。", "ja")
    assert say_refusal(refused, "en") == Told("no row of it could be used", "en")
    refused = f"nothing in it could be used; unaji reads Oura, EDF, and any table with --map ({'; '.join('abc')})"
    assert say_refusal(refused, "ja").text.startswith("使えるものがありませんでした。")


def test_a_problem_is_said_with_its_place_and_what_was_found():
    problem = Problem("ratings.csv", 4, "12", "a rating must lie between 0 and 10")
    assert say_problem(problem, "ja") == Told("ratings.csv 4行目 '12': 気持ちの強さは0〜10でなければなりません。", "ja")
    assert say_problem(problem, "en") == Told(str(problem), "en")
    assert (
        say_problem(Problem("a\x1b[31m.csv", None, "", "the file is empty"), "ja").text
        == "a?[31m.csv: ファイルが空です。"
    )
    both = Problem("a.csv", None, "", "気圧計がありません / there is no barometer")
    assert say_problem(both, "ja").text == "a.csv: 気圧計がありません。"
    assert say_problem(both, "en").text == "a.csv: there is no barometer"


def test_every_importer_and_every_source_has_a_name_that_people_know():
    makers = {one.name for one in IMPORTERS} | {"table", "unaji", "HRV Logger"}
    assert CATALOGUE["makers"].keys() == makers
    assert set(CATALOGUE["sources"].values()) <= makers
    source = "\n".join(one.read_text(encoding="utf-8") for one in (ROOT / "unaji" / "records").rglob("*.py"))
    written = re.findall(r'\bDevice\(\s*"(\w+)"|^(?:SOURCE|TABLE) = "(\w+)"', source, re.MULTILINE)
    named = set(re.findall(r'\bsource="(\w+)"', source))
    assert {one or other for one, other in written} | named <= CATALOGUE["sources"].keys()
    assert say_source("apple_health", "ja") == "Apple ヘルスケア"
    assert say_source("e4:3", "en") == "Empatica E4 (3)"
    assert say_source("my_logger", "ja") == "my logger"
    assert say_importers(("Health Connect", "Oura"), "ja") == "ヘルスコネクト、Oura"
    assert say_importers(("Health Connect", "Oura"), "en") == "Health Connect, Oura"

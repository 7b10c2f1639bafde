"""What the app says: everything in both languages, nothing that is asked for missing, nothing kept that nobody says."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import unaji.web
from unaji.claims.table import JAPANESE
from unaji.web.words import FOLDER, LANGUAGES, catalogue

WEB = Path(unaji.web.__file__).parent
SAID = re.compile(r"""\{%\s*say\s+['"]([^'"]+)['"]([^%]*)%\}""")
PUT_TOGETHER = re.compile(r"""\|said:['"]([^'"]+)['"]""")
IN_CODE = re.compile(r"""\b(?:say|words\(\))\(\s*f?["']([a-z_]+(?:\.[a-z_{}.\[\]()]+)*)["']""")
# Each language by its own name, and the mark 例 beside the word "example".
NAMES = {"more.ja", "more.en", "public.language.ja", "public.language.en", "people.mark"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def templates() -> list[Path]:
    return sorted((WEB / "templates").rglob("*.html"))


def test_both_languages_say_the_same_things():
    ja, en = (catalogue(language).texts for language in LANGUAGES)

    assert ja.keys() ^ en.keys() == set()


def test_a_text_has_the_same_placeholders_in_both_languages():
    ja, en = (catalogue(language).texts for language in LANGUAGES)

    differ = {key for key in ja if placeholders(ja[key]) != placeholders(en[key])}
    assert {key for key in differ if not (key.startswith("unit.") and key.endswith(".one"))} == set()  # "one episode"


def test_no_text_is_empty_or_in_the_other_language():
    for language in LANGUAGES:
        for key, text in catalogue(language).texts.items():
            assert text.strip(), key
            if language == "en" and key not in NAMES:
                assert not JAPANESE.search(text), key


def test_nothing_is_shouted_and_nothing_is_called_without_danger():
    ja, en = (catalogue(language).texts for language in LANGUAGES)
    denied = "「安全」という意味ではありません"  # what is said where no warning sign was found

    assert not [key for key, text in (*ja.items(), *en.items()) if re.search("[!!]", text)]
    assert not [key for key, text in ja.items() if "安全" in text.replace(denied, "") or "完治" in text]
    assert not [key for key, text in en.items() if re.search(r"\bsafe\b(?!”)", text, re.IGNORECASE)]


@pytest.mark.parametrize("file", templates(), ids=lambda file: file.relative_to(WEB).as_posix())
def test_a_template_asks_only_for_texts_that_are_there(file):
    texts = catalogue("ja").texts
    for key, values in SAID.findall(file.read_text(encoding="utf-8")):
        assert key in texts
        given = set(re.findall(r"(\w+)=", values))
        assert placeholders(texts[key]) - given == set(), key
    for prefix in PUT_TOGETHER.findall(file.read_text(encoding="utf-8")):
        assert any(key.startswith(prefix) for key in texts), prefix


@pytest.mark.parametrize("file", templates(), ids=lambda file: file.relative_to(WEB).as_posix())
def test_a_template_holds_no_words_scripts_or_styles_of_its_own(file):
    text = file.read_text(encoding="utf-8")
    bare = re.sub(r"\{[%{#].*?[%}#]\}|<!--.*?-->", "", text, flags=re.DOTALL)

    assert not JAPANESE.search(bare)
    assert not re.search(r"\sstyle=|\son\w+=|<style", bare)
    for script in re.findall(r"<script\b[^>]*>(.*?)</script>", bare, flags=re.DOTALL):
        assert not script.strip()


def test_code_asks_only_for_texts_that_are_there():
    texts = catalogue("ja").texts
    for file in WEB.rglob("*.py"):
        for key in IN_CODE.findall(file.read_text(encoding="utf-8")):
            start = key.split("{")[0]
            assert any(one == key or ("{" in key and one.startswith(start)) for one in texts), (file.name, key)


def test_a_key_stands_in_one_file_only(tmp_path, monkeypatch):
    (tmp_path / "ja").mkdir()
    for name in ("a", "b"):
        (tmp_path / "ja" / f"{name}.toml").write_text('[now]\nhot = "熱い"\n', encoding="utf-8")
    monkeypatch.setattr("unaji.web.words.FOLDER", tmp_path)

    with pytest.raises(ValueError, match=r"now\.hot stands in another file"):
        catalogue.__wrapped__("ja")


def test_the_files_of_both_languages_have_the_same_names():
    ja, en = ({file.name for file in (FOLDER / language).glob("*.toml")} for language in LANGUAGES)

    assert ja == en

"""What the public pages say is there in both languages, with the same placeholders."""

from __future__ import annotations

import re
import tomllib

from unaji.report.words import flat
from unaji.web.words import FOLDER

JA, EN = (dict(flat(tomllib.loads((FOLDER / one / "public.toml").read_text("utf-8")))) for one in ("ja", "en"))


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(JA) == list(EN)


def test_both_languages_fill_in_the_same_values():
    def places(text):
        return set(re.findall(r"{(\w+)}", text))

    assert not [key for key in JA if places(JA[key]) != places(EN[key])]


def test_nothing_is_shouted_and_nothing_is_called_without_danger():
    assert not [key for key, text in (JA | EN).items() if re.search("[!!]", text)]
    assert not [key for key, text in JA.items() if "安全" in text or "完治" in text]
    assert not [key for key, text in EN.items() if re.search(r"\bsafe\b", text, re.IGNORECASE)]


def test_japanese_sentences_are_polite():
    ends = [one for text in JA.values() for one in re.findall(r"[^。]+(?=。)", text)]

    assert len(ends) > 50
    assert not [one for one in ends if not re.search(r"(です|ます|ません|ください|でした|ました|医師へ|{\w+})$", one)]

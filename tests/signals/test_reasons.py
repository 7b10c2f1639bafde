"""Every reason is told in Japanese and in English, and no two sound alike."""

from __future__ import annotations

import re

import pytest

from unaji.signals.reasons import WORDS, Reason


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
def test_every_reason_has_words_in_both_languages(reason: Reason):
    assert re.search("[\u3040-\u30ff]", reason.ja), "kana is in every Japanese sentence"
    assert reason.en.isascii()
    assert len(reason.en) > 10


def test_no_two_reasons_say_the_same():
    assert set(WORDS) == set(Reason)
    assert len({words.ja for words in WORDS.values()}) == len({words.en for words in WORDS.values()}) == len(Reason)
    assert Reason.NONE.ja == Reason.NONE.en == ""

"""Where a Japanese heading may be broken."""

from __future__ import annotations

import pytest

from unaji.report.phrases import phrases


@pytest.mark.parametrize(
    "marked",
    [
        "首のうしろが|熱いのは、|なぜか",
        "うなじが|熱くなるのは|なぜか",
        "体の|感じ方について、|分かっていること",
        "取り組みと|見直しの|記録",
        "お茶と|コーヒーで、|頭が|痛くなる",
        "38.0℃以上の|熱があるとき",
        "「気のせい」|ではありません",
        "首に|熱を|感じる",
        "なぜ",
        "",
    ],
)
def test_a_line_ends_where_a_reader_would_pause_and_never_within_a_word(marked):
    assert phrases(marked.replace("|", ""), "ja") == [one for one in marked.split("|") if one]


def test_other_languages_are_cut_behind_their_spaces():
    assert phrases("Why is the neck hot?", "en") == ["Why ", "is ", "the ", "neck ", "hot?"]


def test_nothing_is_lost():
    text = "ストレスで首が熱く、痛くなる 2 つの理由 (A・B)"

    assert "".join(phrases(text, "ja")) == "".join(phrases(text, "en")) == text

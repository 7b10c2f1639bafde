"""Where a heading in Japanese may be broken: between phrases, as a reader would pause, and not within a word.

Browsers learn this from a model; here a rule does it that needs none. A phrase ends with its particles, which are
written in hiragana, and the next one mostly begins with a kanji, katakana or a digit; a mark ends one too, and so does
は before a word that asks. The stem of a verb stays with the kanji after it (感じ方, 取り組み), and so does い of an
adjective, for want of knowing better. A phrase that begins in hiragana is mostly missed.
"""

from __future__ import annotations

import re

_ENDS = "、。・!?」』)】〉》"
_MARKS = f"{_ENDS}:;,."
_HIRAGANA, _KANJI = "\u3041-\u3096", "\u4e00-\u9fff"
_BETWEEN = re.compile(
    rf"(?<=[{_ENDS}])(?![{_MARKS}])"
    # お and ご belong to the word after them; a mark, a long vowel or a repetition never begins a line.
    rf"|(?<=[{_HIRAGANA}])(?<![おご])(?<![{_KANJI}][いきしちみりぎじびえけせべめれげぜ])(?=[^{_HIRAGANA}ー々{_MARKS}\s])"
    rf"|(?<=は)(?=なぜ|どう|どこ|どれ|いつ|だれ)"
)


def phrases(text: str, language: str) -> list[str]:
    """Cut a heading into what stays together on a line; together they are the text.

    Parameters
    ----------
    language : str
        "ja" cuts between phrases; any other language behind its spaces.
    """
    if language != "ja":
        return re.findall(r"\S+\s*", text)
    return [one for one in _BETWEEN.split(text) if one]

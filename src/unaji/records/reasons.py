"""Why something was left out, in Japanese or English.

Readers of files write English, which also is what a store keeps of an import. ``reasons.toml`` has the Japanese of each
such sentence under the English one, with its places in braces, so that what was stored long ago is said too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from typing import NamedTuple

from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.timeline import Problem

_NUMBER = r"[-+−\d.,e]+"
SHAPES = dict.fromkeys(("n", "m", "low", "high"), _NUMBER) | {
    "found": "(?:is missing|is .*?)",
    "hint": r"(?:| \(did you mean [^?]*\?\)|did you mean [^?]*\? )",
    "key": "[^:]*?",
    "more": "(?:|; .*)",
    "unit": r"[^\s;]*",
}
"""What alone fits some places; it tells sentences apart that are alike otherwise."""

SENTENCES = ("rule", "what", "why", "how", "found", "hint", "more")
"""Places for another sentence or phrase of the catalogue."""

LONGEST = 600
"""Letters of a sentence that are looked at: a file may have thousands of columns, and no page should wait for them."""

MOST_PARTS = 4
"""How many names, each before a colon, may stand before a sentence, and how many brackets in a refusal."""

_PLACE = re.compile(r"\{(\w+)\}")
_DEVICE = re.compile(r"(?P<source>\w+) \((?P<role>\w+) (?P<number>\d+)\)")
_QUOTED = re.compile(r"'[^']*'")
_KANA, _LATIN = re.compile("[ぁ-んァ-ヶ]"), re.compile("[A-Za-z]")
_LINE = re.compile(r"(?P<file>.*), line (?P<line>[\d,]+)")


class Told(NamedTuple):
    """A sentence, and the language that it is in: a page marks what is not in its own."""

    text: str
    language: str


def say_rule(rule: str, language: str) -> Told:
    """Say why something was left out or is remarkable; in English where there is no Japanese of it."""
    both = _parted(rule)
    if both is not None:
        return Told(both[language], language)
    japanese = _japanese(rule) if language == "ja" else None
    return Told(rule, "en") if japanese is None else Told(japanese, "ja")


def say_refusal(refused: str, language: str) -> Told:
    """Say why nothing of a file could be used, without the problems that follow it in brackets."""
    ends = [*(found.start() for found in islice(re.finditer(r" \(", refused), MOST_PARTS)), len(refused)]
    known = next((refused[:end] for end in ends if _japanese(refused[:end]) is not None), refused)
    return say_rule(known, language)


def say_problem(problem: Problem, language: str) -> Told:
    """Say a problem with its place and what was found, as `str` does in English."""
    rule = say_rule(problem.rule, language)
    if rule.language == "en":
        return Told(str(problem).removesuffix(problem.rule) + rule.text, "en")
    name = "".join(sign if sign.isprintable() else "?" for sign in problem.file)  # no colours of a terminal
    where = name if problem.line is None else f"{name} {problem.line}行目"
    found = f" {problem.value!r}" if problem.value else ""
    return Told(f"{where}{found}: {rule.text}", "ja")


def say_importers(names: Iterable[str], language: str) -> str:
    """Say what a file was recognised as, by the names people know."""
    return ("、" if language == "ja" else ", ").join(_maker(name, language) for name in names)


def say_source(source: str, language: str) -> str:
    """Say where rows are from: "apple_health" is Apple Health; "polar:3" is the third source of a store."""
    name, _, number = source.partition(":")
    known = _catalogue()["sources"].get(name)
    said = name.replace("_", " ") if known is None else _maker(known, language)
    return f"{said} ({number})" if number else said


def _maker(name: str, language: str) -> str:
    return _catalogue()["makers"].get(name, name) if language == "ja" else name


def _parted(rule: str) -> dict[str, str] | None:
    """Part a sentence that says the same in Japanese and English, which a few do."""
    japanese, _, english = rule.rpartition(" / ")
    if len(_KANA.findall(japanese)) > len(_LATIN.findall(japanese)) and not _KANA.search(english):
        return {"ja": f"{japanese.removesuffix('。')}。", "en": english}
    return None


@lru_cache(maxsize=4096)
def _japanese(rule: str) -> str | None:
    if len(rule) > LONGEST:
        rule = f"{rule[: LONGEST - 1]}…"
    whole = _matched(rule, "rules")
    if whole is not None:
        return whole
    for colon in islice(re.finditer(": ", rule), MOST_PARTS):
        rest = _matched(rule[colon.end() :], "rules")
        if rest is not None:
            return f"{_before(rule[: colon.start()])}: {rest}"
    return None


def _matched(text: str, *sections: str) -> str | None:
    """Return the Japanese of a text whose English is in some sections of the catalogue, with its places filled."""
    for pattern, japanese in (one for section in sections for one in _patterns(section)):
        found = pattern.fullmatch(text)
        if found is not None:
            return _with_places(japanese, found.groupdict())
    return None


def _with_places(japanese: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: _filled(place[1], values[place[1]]), japanese)


def _in_words(text: str) -> str:
    """Say what fills a place: a sentence, a phrase, or what stays as it is."""
    return _matched(text, "phrases", "rules") or _japanese(text) or text


def _filled(place: str, value: str) -> str:
    place = place.rstrip("0123456789")
    if place in SENTENCES:
        return _in_words(value)
    if place == "quantity":
        return _quantity(value)
    if place == "device":
        return _device(value)
    return value


def _before(head: str) -> str:
    """Say what stands before a sentence: a file and a line in it, or a quantity."""
    line = _LINE.fullmatch(head)
    return _quantity(head) if line is None else f"{line['file']} {line['line']}行目"


def _quantity(name: str) -> str:
    for known in (QUANTITIES, RATINGS, EXPOSURES):
        if name in known:
            return known[name].ja
    return _in_words(name)


def _device(text: str) -> str:
    found = _DEVICE.fullmatch(text)
    if found is None:
        return text
    return f"{say_source(found['source'], 'ja')}({_in_words(found['role'])} {found['number']})"


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("unaji.records").joinpath("reasons.toml").read_text(encoding="utf-8"))


@cache
def _patterns(section: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences of a section, those with the most text of their own first."""
    texts = sorted(_catalogue()[section].items(), key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return tuple((re.compile("".join(_pieces(english)), re.DOTALL), japanese) for english, japanese in texts)


def _pieces(english: str) -> Iterator[str]:
    for k, piece in enumerate(_PLACE.split(english)):
        if k % 2:
            yield f"(?P<{piece}>{SHAPES.get(piece, '.*?')})"
        else:  # a store keeps a sentence with '…' for what is quoted in it
            yield _QUOTED.sub(lambda quoted: f"(?:{quoted[0]}|'…')", re.escape(piece))

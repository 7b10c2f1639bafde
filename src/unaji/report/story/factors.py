"""What may be behind it: each candidate cause with its verdict, count of ten, lag, ratio and evidence grade."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unaji.causes.attribution import CauseResult, Estimate, Pair, SignalState, Verdict
from unaji.claims.model import Cause, Family, Grade
from unaji.findings import Enough, Findings
from unaji.report.rounding import Tens, largest_remainder, tens
from unaji.report.words import Catalogue

NAMED = (Verdict.CAUSE, Verdict.LIKELY)
ORDER = (Verdict.CAUSE, Verdict.LIKELY, Verdict.OPEN, Verdict.UNLIKELY, Verdict.CANNOT_TELL)


@dataclass(frozen=True, slots=True)
class Factor:
    """One candidate cause in words; empty text where there is nothing to say.

    Attributes
    ----------
    said : str
        What may be said of it: its verdict, or why there is none ("too_early", "missing", "insufficient" …).
    word, p : str
        The same in words, and its probability ("" where none may be shown).
    count, interval : str
        Of ten episodes; "" while there are too few to count in tens.
    """

    result: CauseResult
    cause: Cause
    name: str
    said: str
    word: str
    p: str
    pill: str
    tens: Tens | None
    count: str
    interval: str
    lag: str
    lag_range: str
    ratio: str
    ratio_range: str
    grade_text: str
    notes: tuple[str, ...]

    @property
    def id(self) -> str:
        """Id of the cause."""
        return self.result.id

    @property
    def family(self) -> Family:
        """Family, for the colour."""
        return self.cause.family

    @property
    def grade(self) -> Grade:
        """How well the claim is proven for people in general."""
        return self.cause.grade

    @property
    def named(self) -> bool:
        """Whether it may be named as behind the heat."""
        return self.result.verdict in NAMED


@dataclass(frozen=True, slots=True)
class Either:
    """Two factors that cannot be told apart, one of which is at work: one card, never two halves."""

    a: Factor
    b: Factor
    heading: str
    p: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Square:
    """Some of the ten squares: what they stand for and how many they are."""

    kind: str  # a family, "either", "other", "echo" or "background"
    name: str
    n: int
    second: bool  # a family's second factor, drawn lighter


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every factor in order, and the pairs among them."""

    factors: tuple[Factor, ...]
    either: tuple[Either, ...]

    @property
    def paired(self) -> frozenset[str]:
        """Ids of the factors that are told as one of two."""
        return frozenset(one.id for pair in self.either for one in (pair.a, pair.b))

    @property
    def named(self) -> tuple[Factor, ...]:
        """Factors that may be named on their own."""
        return tuple(one for one in self.factors if one.named and one.id not in self.paired)

    @property
    def strongest(self) -> Factor | None:
        """The first that may be named, alone or else as one of two."""
        either = (one for pair in self.either for one in (pair.a, pair.b))
        return next(iter((*self.named, *either)), None)

    def of(self, *verdicts: Verdict) -> tuple[Factor, ...]:
        """Return the unpaired factors with one of these verdicts."""
        return tuple(one for one in self.factors if one.result.verdict in verdicts and one.id not in self.paired)


def can_rank(enough: Enough) -> bool:
    """Whether counts of ten and an order may be shown at all."""
    return enough.verdict in ("rank", "conclude")


def whole_weeks(weeks: float) -> int:
    """Return the full weeks; a minute short of the last midnight counts as the day, as it does for `Enough`."""
    return math.floor(weeks + 0.01)


def candidates(findings: Findings, words: Catalogue) -> Candidates:
    """Put every candidate cause into words, most certain first, then the larger share."""
    told = [_factor(result, findings, words) for result in findings.attribution.causes]
    if can_rank(findings.enough):
        told.sort(key=lambda one: (ORDER.index(one.result.verdict), -_known(one.result.share.mean)))
    by_id = {one.id: one for one in told}
    either = tuple(_either(pair, by_id, words) for pair in findings.attribution.pairs)
    return Candidates(tuple(told), either)


def squares(findings: Findings, chosen: Candidates, words: Catalogue) -> tuple[Square, ...]:
    """Deal ten squares out to what is behind the episodes; all to the unexplained where nothing may be named."""
    if not can_rank(findings.enough):
        return ()
    background = words("source.background")
    if explains_nothing(chosen):
        return (Square("background", background, 10, False),)
    named, rest = _shares(findings, chosen)
    labels = [(*_look(one, named), _share(one)) for one in named]
    told: set[str] = set()
    for pair in chosen.either:  # two pairs may share a factor; its share is dealt once
        share = sum(_share(one) for one in (pair.a, pair.b) if one.id not in told)
        labels.append(("either", _or(pair, words), False, share))
        told |= {pair.a.id, pair.b.id}
    labels += [
        ("other", words("source.other"), False, rest),
        ("echo", words("source.echo"), False, _known(findings.attribution.echo.mean)),
        ("background", background, False, _known(findings.attribution.background.mean)),
    ]
    dealt = largest_remainder([share for *_, share in labels])
    return tuple(Square(kind, name, n, second) for (kind, name, second, _), n in zip(labels, dealt, strict=True) if n)


def left_over(findings: Findings, dealt: tuple[Square, ...], words: Catalogue) -> tuple[str, ...]:
    """Say which part nothing on record explains, and which part followed from earlier episodes, as the squares do."""
    if not any(math.isfinite(c.p_cause) for c in findings.attribution.causes):
        return ()
    counts = {square.kind: square.n for square in dealt}
    said = (("unexplained", counts.get("background", 0)), ("echo", counts.get("echo", 0)))
    return tuple(words(f"behind.{key}", share=words("of_ten.about", n=n)) for key, n in said if n)


def explains_nothing(chosen: Candidates) -> bool:
    """Whether every factor that could be fitted is below the threshold of "open"."""
    fitted = [one for one in chosen.factors if math.isfinite(one.result.p_cause)]
    return bool(fitted) and not chosen.either and all(one.result.p_cause < 0.1 for one in fitted)


def _shares(findings: Findings, chosen: Candidates) -> tuple[tuple[Factor, ...], float]:
    shown = {one.id for one in chosen.named} | chosen.paired
    rest = sum(_known(result.share.mean) for result in findings.attribution.causes if result.id not in shown)
    return chosen.named, rest


def _look(one: Factor, named: tuple[Factor, ...]) -> tuple[str, str, bool]:
    first = next(other for other in named if other.family is one.family)
    return one.family, one.name, first is not one


def _share(one: Factor) -> float:
    return _known(one.result.share.mean)


def _known(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _factor(result: CauseResult, findings: Findings, words: Catalogue) -> Factor:
    cause = findings.claims.cause(result.id)
    rank = can_rank(findings.enough)
    count = tens(result.share) if rank and math.isfinite(result.p_cause) else None
    said = _word_key(result, findings)
    word = words(f"verdict.{said}")
    p = words.percent(result.p_cause) if rank and result.verdict is not Verdict.CANNOT_TELL else ""
    shown = rank and result.verdict in NAMED
    return Factor(
        result=result,
        cause=cause,
        name=cause.name.in_(words.language),
        said=said,
        word=word,
        p=p,
        pill=words("verdict.pill", word=word, p=p) if p else word,
        tens=count,
        count=words.of_ten(result.share) if count else "",
        interval=words.of_ten_range(count) if count else "",
        lag=words.lag(result.lag_h.mean) if result.lag_h and shown else "",
        lag_range=words.lag_range(result.lag_h) if result.lag_h and shown else "",
        ratio=words.times(result.rate_ratio.mean) if result.rate_ratio and shown else "",
        ratio_range=words.times_range(result.rate_ratio) if result.rate_ratio and shown else "",
        grade_text=words(f"grade.{cause.grade}"),
        notes=tuple(_notes(result, cause, count, findings, words)) if rank else (),
    )


def _word_key(result: CauseResult, findings: Findings) -> str:
    if result.id in findings.design.missing:
        return "missing"
    if result.told_apart:
        return "told_apart"
    if result.signal is SignalState.OK and not can_rank(findings.enough):
        return "too_early"
    if result.verdict is not Verdict.CANNOT_TELL or result.signal is SignalState.OK:
        return result.verdict
    return result.signal


def _notes(result: CauseResult, cause: Cause, count: Tens | None, findings: Findings, words: Catalogue) -> list[str]:
    notes = []
    if result.verdict is Verdict.CAUSE:
        weak = cause.grade in (Grade.C, Grade.D)
        notes.append(words("behind.note_solid_weak" if weak else "behind.note_solid"))
    if result.verdict is Verdict.LIKELY and count:
        notes.append(words("behind.note_likely", range=words.of_ten_range(count)))
    if result.verdict in NAMED and result.may_be_companion:
        notes.append(words("behind.note_companion"))
    if result.verdict in NAMED and count and cause.avoidable and result.avoidable.mean >= 0.5:
        notes.append(_avoid(result.avoidable, words))
    if result.verdict in NAMED and result.driver == "extreme":
        notes.append(words("behind.note_extreme"))
    if result.alias_of:
        alias = findings.claims.cause(result.alias_of).name.in_(words.language)
        notes.append(words("behind.note_alias", name=alias))
    return notes


def _avoid(avoidable: Estimate, words: Catalogue) -> str:
    return words(
        "behind.note_avoid",
        episodes=words.count("episodes", math.floor(avoidable.mean + 0.5)),
        range=words.range("episodes", math.floor(avoidable.p5), math.ceil(avoidable.p95)),
    )


def _either(pair: Pair, by_id: dict[str, Factor], words: Catalogue) -> Either:
    a, b = (by_id[one] for one in pair.ids)
    p = words.percent(pair.p_either)
    return Either(a, b, words("answer.pair", a=a.name, b=b.name), p, words("behind.pair", p=p))


def _or(pair: Either, words: Catalogue) -> str:
    return words("list.or", a=pair.a.name, b=pair.b.name)

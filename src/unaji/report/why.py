"""The answer on one small screen: what is behind it, what is not, what to do next; in words, ready to be kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unaji.findings import Findings
from unaji.report.figures.causes import ten_dots
from unaji.report.figures.svg import Figure
from unaji.report.html import drawn_figures
from unaji.report.story.factors import Factor
from unaji.report.story.story import tell
from unaji.report.words import Catalogue, catalogue

ON_WHY = ("causes", "days", "rises")
ON_COURSE = ("weeks",)


@dataclass(frozen=True, slots=True)
class WhyCause:
    """One factor that is named, in words and ten dots."""

    name: str
    family: str
    verdict: str
    pill: str
    count: str
    interval: str
    dots: str
    lag: str
    grade: str
    grade_aloud: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyPair:
    """Two factors that cannot be told apart."""

    heading: str
    p: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WhySquare:
    """Some of the ten squares."""

    kind: str
    name: str
    n: int
    count: str
    second: bool


@dataclass(frozen=True, slots=True)
class WhyStep:
    """One thing to do next, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class WhyFigure:
    """One picture at both widths, as SVG text, with its table."""

    id: str
    title: str
    caption: str
    phone: str
    desktop: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class WhyCourse:
    """One kind of treatment: crude and adjusted beside each other."""

    name: str
    heading: str
    crude: str
    before_after: str
    adjusted: str
    adjusted_range: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The answer in one language.

    Attributes
    ----------
    alarm : str
        What a warning sign in the records says; "" where none does.
    urgency : str
        Of that sign: "emergency", "today" or "days"; "" where there is none.
    """

    language: str
    simulated: str
    period: str
    enough: str
    enough_label: str
    alarm: str
    urgency: str
    safety: str
    answer: str
    squares: tuple[WhySquare, ...]
    left_over: tuple[str, ...]
    causes: tuple[WhyCause, ...]
    pairs: tuple[WhyPair, ...]
    not_behind: str
    not_behind_lines: tuple[WhyStep, ...]
    open: str
    open_lines: tuple[WhyStep, ...]
    steps: tuple[WhyStep, ...]
    warm: str
    treatment: str
    courses: tuple[WhyCourse, ...]
    figures: tuple[WhyFigure, ...]
    course_figures: tuple[WhyFigure, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def why(findings: Findings, language: str = "ja") -> Why:
    """Put the answer into the words of the report: the same sentences, fewer of them."""
    words = catalogue(language)
    story = tell(findings, words)
    drawn = drawn_figures(findings, story, words)
    safety, chosen = story.safety, story.candidates
    named = chosen.named if story.ranked else ()
    return Why(
        language=language,
        simulated=story.simulated,
        period=story.period.text,
        enough=story.enough,
        enough_label=story.enough_label,
        alarm=safety.heading if safety.active else "",
        urgency=str(safety.urgency) if safety.urgency is not None else "",
        safety=safety.heading,
        answer=story.answer.sentence,
        squares=tuple(
            WhySquare(one.kind, one.name, one.n, words("of_ten.short", n=one.n), one.second) for one in story.squares
        ),
        left_over=story.left_over,
        causes=tuple(_cause(one, words) for one in named),
        pairs=tuple(WhyPair(pair.heading, pair.p, pair.sentence) for pair in chosen.either) if story.ranked else (),
        not_behind=story.not_behind.heading,
        not_behind_lines=tuple(
            WhyStep(line.factor.name, line.text) for line in (*story.not_behind.lines, *story.not_behind.kept)
        ),
        open=story.open.heading,
        open_lines=tuple(WhyStep(line.factor.name, line.text) for line in story.open.lines),
        steps=tuple(WhyStep(step.what, step.why) for step in story.open.steps),
        warm=story.warmths.heading,
        treatment=story.treatment_heading,
        courses=tuple(
            WhyCourse(
                one.name, one.heading, one.crude, one.before_after, one.adjusted, one.adjusted_range, one.sentences
            )
            for one in story.courses
        ),
        figures=tuple(why_figure(drawn[name]) for name in ON_WHY if name in drawn),
        course_figures=tuple(why_figure(drawn[name]) for name in ON_COURSE if name in drawn),
    )


def _cause(one: Factor, words: Catalogue) -> WhyCause:
    return WhyCause(
        name=one.name,
        family=str(one.family),
        verdict=str(one.result.verdict),
        pill=one.pill,
        count=one.count,
        interval=words("behind.range", range=one.interval) if one.interval else "",
        dots=str(ten_dots(one, words)),
        lag=words("lag.after", lag=one.lag) if one.lag else "",
        grade=one.grade.value,
        grade_aloud=words("grade.aloud", grade=one.grade.value, text=words(f"grade.{one.grade.value}")),
        notes=one.notes,
    )


def why_figure(one: Figure) -> WhyFigure:
    """Turn a picture into text, ready to be kept."""
    rows = tuple(tuple(map(str, row)) for row in one.table.rows)
    return WhyFigure(one.id, one.title, one.caption, str(one.phone), str(one.desktop), tuple(one.table.head), rows)

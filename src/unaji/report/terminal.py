"""The findings in a terminal of 60 to 120 columns: doctor first, then the answer, then how sure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import Box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unaji.findings import Findings
from unaji.report.marks import Marks, grade_bars, interval_bar
from unaji.report.screen import ACT_NOW, inks_of, language_on, marks_of, painted
from unaji.report.story.factors import Factor
from unaji.report.story.safety import Safety
from unaji.report.story.story import Story, tell
from unaji.report.story.warmth import Warmth
from unaji.report.terminal_charts import print_lags, print_when
from unaji.report.words import Catalogue, catalogue

WIDE = 100
"""From this many columns on, bars have two cells for each episode of ten."""


def print_summary(findings: Findings, console: Console, language: str = "ja") -> None:
    """Print the summary. Red flags and fever come before everything else.

    It is in English, and says so, where the console's encoding has no Japanese.
    """
    words, marks = catalogue(language_on(console, language)), marks_of(console)
    if words.language != language:
        console.print(Text(words("terminal.no_japanese", encoding=console.encoding)))
    story = tell(findings, words)
    answer = Text(story.answer.full(words), style="bold")
    with console.use_theme(inks_of(console)):
        _head(findings, story, console, words)
        _doctor(story.safety, console, words)
        _section(console, words("answer.label"), answer, *story.left_over, story.enough)
        _when(findings, console, words, marks)
        _warmth(story, console, words)
        _factors(story, console, words, marks)
        _undecided(story, console, words)
        _treatment(story, console, words)
        _foot(findings, story, console, words)


def _head(findings: Findings, story: Story, console: Console, words: Catalogue) -> None:
    name = findings.claims.symptom.in_(words.language)
    title = Text.assemble(("unaji", "bold"), "  ", words("head.kind", symptom=name))
    if story.simulated:
        title.append("  ").append(f"[{story.simulated}]", style="reverse")
    console.print(title)
    if story.period.text:
        console.print(Text(story.method.data[0], style="dim"))


def _section(console: Console, heading: str, *paragraphs: str | Text) -> None:
    console.print()
    console.print(Text(heading, style="bold underline"))
    for text in paragraphs:
        if text:
            _say(console, text)


def _say(console: Console, text: str | Text, *, indent: int = 2, style: str = "") -> None:
    console.print(Padding(Text(text) if isinstance(text, str) else text, (0, 0, 0, indent), style=style, expand=False))


def _doctor(safety: Safety, console: Console, words: Catalogue) -> None:
    heading = Text(safety.heading, style=ACT_NOW if safety.now else "bold")
    lines: list[str | Text] = [heading]
    for sign in safety.signs:
        detail = words("list.detail").join(part for part in (sign.value, sign.when) if part)
        lines.append(Text.assemble(("!", ACT_NOW if sign.now else ""), sign.name))
        lines += [sign.say, detail] if sign.active else [detail]
    if safety.signs:
        lines.append(words("flag.still"))
    lines += [f"{words('flag.fever_row')}: {safety.fever_row}", safety.fever_days]
    if not safety.signs:
        lines.append(words("flag.not_safe_short"))
    _section(console, words("section.doctor"), *lines)


def _warmth(story: Story, console: Console, words: Catalogue) -> None:
    counts = story.warmths.counts
    told = words(
        "terminal.warm_counts",
        warm=counts[Warmth.WARM],
        felt=counts[Warmth.FELT],
        unmeasured=counts[Warmth.UNMEASURED],
    )
    if counts[Warmth.AROUND]:
        told += words("terminal.warm_around", around=counts[Warmth.AROUND])
    imagined = words("warm.not_imagined") if counts[Warmth.FELT] else ""
    _section(console, words("section.warm"), story.warmths.heading, told if any(counts.values()) else "", imagined)


def _when(findings: Findings, console: Console, words: Catalogue, marks: Marks) -> None:
    if findings.episodes:
        _section(console, words("section.when"))
        print_when(findings, console, words, marks)


def _factors(story: Story, console: Console, words: Catalogue, marks: Marks) -> None:
    if not story.candidates.factors:
        return
    _section(
        console, words("section.behind"), *(pair.heading + ": " + pair.sentence for pair in story.candidates.either)
    )
    if not story.ranked:
        _say(console, words("behind.not_yet"))
    tracked = tuple(
        one for one in story.candidates.factors if one.said != "missing"
    )  # the others are listed further on
    if tracked:
        table = _table(tracked, story.ranked, words, marks, 2 if console.width >= WIDE else 1)
        console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if story.ranked:
        _say(console, words("terminal.scale", inside=marks.inside, mean=marks.mean, outside=marks.outside), style="dim")
        print_lags(story.candidates, console, words, marks)
    for factor in story.candidates.named:
        for note in factor.notes:
            _say(console, words("terminal.row_more", name=factor.name, text=note))


def _table(factors: Sequence[Factor], ranked: bool, words: Catalogue, marks: Marks, cells_each: int) -> Table:
    table = Table(box=_under_the_head(marks), show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    table.add_column(words("column.factor"), overflow="fold")
    table.add_column(words("column.verdict"), overflow="fold")
    if ranked:
        table.add_column(words("terminal.of_ten"), no_wrap=True)
    table.add_column(words("column.grade"), no_wrap=True)
    for factor in factors:
        cells: list[str | Text] = [factor.name, Text(factor.pill, style="bold" if factor.named else "")]
        if ranked:
            cells.append(_count(factor, words, marks, cells_each))
        table.add_row(*cells, grade_bars(factor.grade.value, marks))
    return table


def _under_the_head(marks: Marks) -> Box:
    rule = marks.rule * 2
    return Box(f"    \n    \n {rule} \n    \n    \n    \n    \n    \n")


def _count(factor: Factor, words: Catalogue, marks: Marks, cells_each: int) -> str | Text:
    tens = factor.tens
    if tens is None:
        return marks.rule
    span = words("terminal.range", low=tens.low, high=tens.high) if tens.low < tens.high else tens.low
    count = words("terminal.count_of_ten", n=tens.count or words("terminal.under_one"), range=span)
    return Text.assemble(painted(interval_bar(tens, marks, cells_each), marks.outside, factor.family), f" {count}")


def _undecided(story: Story, console: Console, words: Catalogue) -> None:
    behind = story.not_behind
    if behind.lines or behind.kept:
        advice = words("not_behind.keep_advice") if behind.kept else ""
        told = (behind.heading, behind.kept_heading, advice, words("not_behind.note"))
        _section(console, words("section.not_behind"), *told)
    same: dict[str, list[str]] = {}
    for line in story.open.lines:
        same.setdefault(line.text, []).append(line.factor.name)
    lines = [words("terminal.row_more", name=words.join(names), text=text) for text, names in same.items() if text]
    _section(console, words("section.open"), story.open.heading, *lines, story.open.missing)
    for n, step in enumerate(story.open.steps, start=1):
        _say(console, f"{n}. {step.what}")
        _say(console, step.why, indent=5)


def _treatment(story: Story, console: Console, words: Catalogue) -> None:
    lines = [story.treatment_heading]
    for course in story.courses:
        lines += [
            f"{words('treatment.crude')} {course.crude}  {course.before_after}",
            f"{words('treatment.adjusted')} {course.adjusted}  {course.adjusted_range}",
            *course.sentences,
        ]
    _section(console, words("section.treatment"), *lines)


def _foot(findings: Findings, story: Story, console: Console, words: Catalogue) -> None:
    console.print()
    for remark in story.method.remarks:
        console.print(Text(remark, style="dim"))
    n_problems, n_remarks = len(findings.timeline.problems), len(findings.warnings)
    if n_problems or n_remarks:
        text = words(
            "terminal.warnings",
            remarks=words.count("items", n_remarks),
            problems=words.count("items", n_problems),
        )
        console.print(Text(text, style="dim"))
    console.print(Text(words("not_a_diagnosis"), style="dim"))

"""The findings in a terminal of 80 columns: doctor first, then the answer, then how sure."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unaji.findings import Findings
from unaji.report.rounding import Tens
from unaji.report.story.factors import Factor
from unaji.report.story.safety import Safety
from unaji.report.story.story import Story, tell
from unaji.report.story.warmth import Warmth
from unaji.report.words import Catalogue, catalogue

BAR_CELLS = 11
"""One cell for each of 0 to 10 episodes of ten; plain ASCII, since other marks are two cells wide in some terminals."""


def print_summary(findings: Findings, console: Console, language: str = "ja") -> None:
    """Print the summary. Red flags and fever come before everything else."""
    words = catalogue(language)
    story = tell(findings, words)
    _head(findings, story, console, words)
    _doctor(story.safety, console, words)
    answer = Text(story.answer.full(words), style="bold")
    _section(console, words("answer.label"), answer, *story.left_over, story.enough)
    _warmth(story, console, words)
    _factors(story, console, words)
    _undecided(story, console, words)
    _treatment(story, console, words)
    _foot(findings, story, console, words)


def interval_bar(tens: Tens) -> str:
    """Draw 0 to 10 of ten: "." outside the 90 % interval, "=" inside it, "o" at the mean."""
    cells = ["=" if tens.low <= cell <= tens.high else "." for cell in range(BAR_CELLS)]
    cells[tens.count] = "o"
    return "".join(cells)


def _head(findings: Findings, story: Story, console: Console, words: Catalogue) -> None:
    name = findings.claims.symptom.in_(words.language)
    title = Text.assemble(("unaji", "bold"), "  ", words("head.kind", symptom=name))
    if story.simulated:
        title.append(f"  [{story.simulated}]", style="reverse")
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
    heading = Text(safety.heading, style="bold red" if safety.active else "bold")
    lines: list[str | Text] = [heading]
    for sign in safety.signs:
        detail = words("list.detail").join(part for part in (sign.value, sign.when) if part)
        lines.append(Text(f"!{sign.name}", style="red" if sign.active else ""))
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


def _factors(story: Story, console: Console, words: Catalogue) -> None:
    if not story.candidates.factors:
        return
    _section(
        console, words("section.behind"), *(pair.heading + ": " + pair.sentence for pair in story.candidates.either)
    )
    if not story.ranked:
        _say(console, words("behind.not_yet"))
    console.print(_table(story, words))
    if story.ranked:
        _say(console, words("terminal.scale"), style="dim")
    for factor in story.candidates.named:
        for note in factor.notes:
            _say(console, words("terminal.row_more", name=factor.name, text=note))


def _table(story: Story, words: Catalogue) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    table.add_column(words("column.factor"), max_width=22, overflow="fold")
    table.add_column(words("column.verdict"), max_width=18, overflow="fold")
    if story.ranked:
        table.add_column(words("column.of_ten"), no_wrap=True)
        table.add_column(words("column.lag"), max_width=12, overflow="fold")
    table.add_column(words("column.grade"), no_wrap=True)
    for factor in story.candidates.factors:
        cells: list[str | Text] = [factor.name, Text(factor.pill, style="bold" if factor.named else "")]
        if story.ranked:
            cells += [_count(factor, words), factor.lag]
        table.add_row(*cells, factor.grade.value)
    return table


def _count(factor: Factor, words: Catalogue) -> str:
    if factor.tens is None:
        return words("unknown")
    short = words.short_of_ten(factor.tens)
    return f"{interval_bar(factor.tens)} {short}"


def _undecided(story: Story, console: Console, words: Catalogue) -> None:
    behind = story.not_behind
    if behind.lines or behind.kept:
        advice = words("not_behind.keep_advice") if behind.kept else ""
        told = (behind.heading, behind.kept_heading, advice, words("not_behind.note"))
        _section(console, words("section.not_behind"), *told)
    lines = [
        words("terminal.row_more", name=line.factor.name, text=line.text) for line in story.open.lines if line.text
    ]
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

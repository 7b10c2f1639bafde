"""How it was worked out: what was compared, from which records, what could not be read, and the sources."""

from __future__ import annotations

from dataclasses import dataclass

from unaji.claims.model import Source
from unaji.findings import Findings
from unaji.records.reasons import Told, say_problem
from unaji.report.rounding import half_up
from unaji.report.story.period import Period
from unaji.report.words import Catalogue


@dataclass(frozen=True, slots=True)
class Method:
    """Section 7."""

    heading: str
    paragraphs: tuple[str, ...]
    data: tuple[str, ...]
    remarks: tuple[str, ...]
    problems: tuple[tuple[Told, bool], ...]
    """What could not be read or looked odd, and whether it was left out."""

    sources: tuple[Source, ...]


def method(findings: Findings, period: Period, words: Catalogue) -> Method:
    """Tell how the comparison was made and what it rests on."""
    fitted = findings.attribution.fitted
    days = words.count("days", half_up(period.days))
    return Method(
        heading=words("how.heading", days=days) if fitted else words("how.heading_none"),
        paragraphs=tuple(_paragraphs(findings, words)) if fitted else (),
        data=tuple(_data(period, words)),
        remarks=remarks(findings, words),
        problems=tuple((say_problem(one, words.language), one.rejected) for one in findings.timeline.problems),
        sources=used_sources(findings),
    )


def remarks(findings: Findings, words: Catalogue) -> tuple[str, ...]:
    """Put the warnings' codes into words; a code without words of its own is shown as it is."""
    return tuple(_remark(code, findings, words) for code in findings.warnings)


def used_sources(findings: Findings) -> tuple[Source, ...]:
    """Return the sources behind the causes, red flags and treatments spoken of, in the article's order."""
    claims = findings.claims
    used = {source for cause in claims.causes for source in cause.sources}
    used |= {source for flag in claims.red_flags for source in flag.sources}
    used |= {source for treatment in claims.treatments for source in treatment.sources}
    return tuple(source for key, source in claims.sources.items() if key in used)


def _paragraphs(findings: Findings, words: Catalogue) -> list[str]:
    attribution = findings.attribution
    texts = [words(f"how.method_{name}") for name in ("model", "chance", "gap", "limit")]
    texts.append(
        words(
            "how.method_chain",
            gap=f"{attribution.chain_gap:.2f}",
            sweeps=f"{attribution.sweeps:,}",
            seed=findings.seed,
        )
    )
    if attribution.merged:
        texts.append(words("how.method_merged", episodes=words.count("episodes", attribution.merged)))
    return texts


def _data(period: Period, words: Catalogue) -> list[str]:
    days = words.count("days", period.observed_days)
    return [words("how.data_observed", period=period.text, days=days)]


def _remark(code: str, findings: Findings, words: Catalogue) -> str:
    name, *values = code.split(":")
    if name == "filled" and len(values) == 2:
        cause = findings.claims.cause(values[0]).name.in_(words.language)
        return words("warning.filled", name=cause, share=words.percent(float(values[1])))
    if len(values) < 2 and f"warning.{name}" in words and name != "other":
        return words(f"warning.{name}", n="".join(values))
    return words("warning.other", code=code)

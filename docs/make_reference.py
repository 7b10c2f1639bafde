"""Write the pages that follow from the code: GLOSSARY.md and those of docs/reference that begin by saying so.

python docs/make_reference.py
"""

from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner

from unaji.claims.graph import load_claims
from unaji.cli import VERBS, unaji
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.report.fhir.vocabulary import KINDS, PARTS, SYSTEMS

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = "<!-- Written by docs/make_reference.py; change the code, not this page. -->\n\n"


def glossary() -> str:
    """Every name that appears in a file or a result, with unit, plausible range and meaning."""
    lines = ["# Glossary", "", WRITTEN.strip(), "", "## Quantities: columns of `series/`", ""]
    lines += ["| name | unit | plausible | a value is | 意味 | meaning |", "|---|---|---|---|---|---|"]
    for q in QUANTITIES.values():
        said = {"point": "at an instant", "mean": "a mean", "sum": "a total"}[q.extent.value]
        lines.append(f"| `{q.name}` | {q.unit} | {q.low:g} to {q.high:g} | {said} | {q.ja} | {q.en} |")
    lines += ["", "## Ratings: `quantity` in `ratings.csv`, 0 to 10", "", "| name | 意味 | meaning |", "|---|---|---|"]
    lines += [f"| `{r.name}` | {r.ja} | {r.en} |" for r in RATINGS.values()]
    lines += ["", "## Exposures: `kind` in `exposures.csv`", ""]
    lines += ["| name | shape | unit of `amount` | 意味 | meaning |", "|---|---|---|---|---|"]
    lines += [f"| `{e.name}` | {e.shape} | {e.unit} | {e.ja} | {e.en} |" for e in EXPOSURES.values()]
    return "\n".join([*lines, ""])


def every_command() -> list[tuple[str, ...]]:
    """Return `unaji` itself, its verbs, and what a verb like `trial` has below it."""
    commands: list[tuple[str, ...]] = [()]
    for verb in VERBS:
        command = unaji.get_command(click.Context(unaji), verb)
        below = list(command.commands) if isinstance(command, click.Group) else []
        commands += [(verb,), *((verb, name) for name in below)]
    return commands


def command_line() -> str:
    """Say what `--help` says."""
    parts = ["# Command line", "", WRITTEN.strip(), ""]
    for verb in every_command():
        name = " ".join(("unaji", *verb))
        text = CliRunner().invoke(unaji, [*verb, "--help"], prog_name="unaji", terminal_width=100).output
        parts += [f"## `{name}`", "", "```", text.rstrip(), "```", ""]
    parts += ["## Exit codes", "", "| code | means |", "|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join([*parts, ""])


EXIT_CODES = {
    0: "done",
    1: "a defect of unaji, with a traceback",
    2: "options that do not fit together",
    3: "a file or folder that cannot be used as it is",
    4: "an article's model file that is wrong",
    5: "the result could not be written",
    6: "`unaji web check` found something that is not as it should be",
    130: "stopped by the user",
}


def red_flags() -> str:
    """Ids of the warning signs, so that a person or a program can log one as an exposure of that kind."""
    lines = ["# Warning signs", "", WRITTEN.strip(), ""]
    lines += [
        "A row of `exposures.csv` whose `kind` is one of these ids raises the sign; so does a measured value.",
        "",
    ]
    lines += ["| id | how soon | 日本語 | English |", "|---|---|---|---|"]
    for flag in load_claims("neck_heat").red_flags:
        lines.append(f"| `{flag.id}` | {flag.urgency.value} | {flag.question.ja} | {flag.question.en} |")
    return "\n".join([*lines, ""])


def fhir_codes() -> str:
    """Every code of our own in the FHIR bundle."""
    lines = ["# FHIR codes", "", WRITTEN.strip(), ""]
    lines += ["The systems are URNs that are not registered, since the project has no address of its own yet.", ""]
    for heading, meanings in (
        ("Code systems: after `urn:unaji:`", SYSTEMS),
        ("Kinds of Observation: `urn:unaji:kind`", KINDS),
        ("Components: `urn:unaji:part`", PARTS),
    ):
        lines += [f"## {heading}", "", "| code | 意味 | meaning |", "|---|---|---|"]
        lines += [f"| `{code}` | {words.ja} | {words.en} |" for code, words in meanings.items()] + [""]
    return "\n".join(lines)


PAGES = {
    ROOT / "GLOSSARY.md": glossary,
    ROOT / "docs" / "reference" / "command-line.md": command_line,
    ROOT / "docs" / "reference" / "fhir-codes.md": fhir_codes,
    ROOT / "docs" / "reference" / "red-flags.md": red_flags,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        page.write_text(make(), encoding="utf-8")

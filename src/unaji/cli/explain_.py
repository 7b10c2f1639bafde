"""`unaji explain`: a person's folder in, the answer out."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from unaji.cli.progress import progress_bar


@click.command("explain")
@click.argument("person", type=click.Path(path_type=Path))
@click.option("--article", default="neck_heat", show_default=True, help="Whose claims are tested: a name or a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the summary.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report to this file.")
@click.option("--fhir", type=click.Path(path_type=Path, dir_okay=False), help="Also write a FHIR R4 bundle (.json).")
@click.option("--csv", type=click.Path(path_type=Path), help="Also write all tables to this folder, not there yet.")
@click.option(
    "--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Also write four pages for a doctor to this file."
)
@click.option(
    "--lang", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="Language of the report."
)
@click.option("--timezone", help="Where times carry no offset and person.toml says nothing, such as Asia/Tokyo.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same records and seed, same result."
)
@click.option("--no-color", is_flag=True, help="Print no colour and no escape codes, as where NO_COLOR is set.")
def command(
    person: Path,
    article: str,
    as_json: bool,
    html: Path | None,
    pdf: Path | None,
    fhir: Path | None,
    csv: Path | None,
    lang: str,
    timezone: str | None,
    seed: int,
    no_color: bool,
) -> None:
    """Explain the episodes in PERSON, a folder of one person's records.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 8
      unaji explain someone --html report.html
      unaji explain someone --pdf report.pdf
      unaji explain someone --json --lang en --fhir bundle.json --csv tables
    """
    from unaji.claims.graph import load_claims
    from unaji.explain import explain
    from unaji.records.folder import read_folder
    from unaji.records.reasons import say_problem
    from unaji.report.json import dumps
    from unaji.report.screen import console_on
    from unaji.report.terminal import print_summary

    _check_places(html, pdf, fhir, csv)  # before the minute it takes to explain
    timeline = read_folder(person, timezone=timezone)
    claims = load_claims(article)
    signs = [flag.id for flag in claims.red_flags]
    for problem in timeline.problems:
        if problem.value not in signs:
            near = (
                difflib.get_close_matches(problem.value, signs, n=1, cutoff=0.6) if "this kind" in problem.rule else []
            )
            meant = "警告のしるし {} のことですか。" if lang == "ja" else ". Is the warning sign {} meant?"
            hint = meant.format(near[0]) if near else ""
            click.echo(f"  {say_problem(problem, lang).text}{hint}", err=True)
    with progress_bar("explain") as progress:
        findings = explain(timeline, claims, seed=seed, progress=progress)
    if html is not None:
        from unaji.report.html import to_html, write_html

        write_html(html, to_html(findings, lang))
    if pdf is not None:
        from unaji.report.pdf import to_pdf, write_pdf

        write_pdf(pdf, to_pdf(findings, lang))
    if fhir is not None:
        from unaji.report.fhir.bundle import write_bundle

        write_bundle(fhir, findings)
    if csv is not None:
        from unaji.report.tables.folder import write_tables

        write_tables(csv, findings)
    if as_json:
        click.echo(dumps(findings, lang))
    else:
        print_summary(findings, console_on(color=not no_color), lang)
    for name, written in (("report", html), ("report", pdf), ("bundle", fhir), ("tables", csv)):
        if written is not None:
            click.echo(f"{name}: {written.resolve()}", err=True)


def _check_places(html: Path | None, pdf: Path | None, fhir: Path | None, csv: Path | None) -> None:
    from unaji.report.tables.folder import check_is_new
    from unaji.report.written import BUNDLE, PAGE, PAPER, check_folder, check_place

    for path, kind in ((html, PAGE), (pdf, PAPER), (fhir, BUNDLE)):
        if path is not None:
            check_place(path, kind)
    if csv is not None:
        check_is_new(csv)
        check_folder(csv, "tables")

"""`unaji compare`: two reports of one person in, what changed between them out."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("compare")
@click.argument("report", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page with pictures here.")
@click.option(
    "--lang", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="Language of the sentences."
)
@click.option("--no-color", is_flag=True, help="Print no colour and no escape codes, as where NO_COLOR is set.")
def command(report: Path, other: Path, as_json: bool, html: Path | None, lang: str, no_color: bool) -> None:
    """Compare two reports of one person, REPORT and OTHER, which `unaji explain --json` wrote.

    It says how the episodes and what is behind them changed, and whether that is more than chance.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 8
      unaji explain someone --json > spring.json
      cp spring.json summer.json
      unaji compare spring.json summer.json --html change.html
    """
    from unaji.report.comparison import compare, read_report, to_json
    from unaji.report.comparison_terminal import print_comparison
    from unaji.report.json import write
    from unaji.report.screen import console_on
    from unaji.report.words import catalogue

    if html is not None:
        from unaji.report.written import PAGE, check_place

        check_place(html, PAGE)
    found = compare(read_report(report), read_report(other))
    if html is not None:
        from unaji.report.comparison_page import to_html
        from unaji.report.html import write_html

        write_html(html, to_html(found, lang))
    if as_json:
        click.echo(write(to_json(found, catalogue(lang))))
    else:
        print_comparison(found, console_on(color=not no_color), lang)
    if html is not None:
        click.echo(f"report: {html.resolve()}", err=True)

"""`unaji records`: what there is of a person, and what looks wrong with it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("records")
@click.argument("person", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the overview.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write it as a page to this file.")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="Language.")
@click.option("--timezone", help="Where times carry no offset and person.toml says nothing, such as Asia/Tokyo.")
def command(person: Path, as_json: bool, html: Path | None, lang: str, timezone: str | None) -> None:
    """Show what records there are in PERSON, a folder of one person's records: which days, gaps, doubts.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 8
      unaji records someone --lang en
      unaji records someone --html records.html
    """
    from rich.console import Console

    from unaji.records.inventory import take_stock
    from unaji.report.inventory.json import dumps
    from unaji.report.inventory.page import to_html
    from unaji.report.inventory.terminal import print_inventory

    inventory = take_stock(person, timezone=timezone)
    if html is not None:
        from unaji.report.html import write_html

        write_html(html, to_html(inventory, lang))
    if as_json:
        click.echo(dumps(inventory, lang))
    else:
        print_inventory(inventory, Console(), lang)
    if html is not None:
        click.echo(f"report: {html.resolve()}", err=True)

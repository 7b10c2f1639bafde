"""`unaji export`: everything known of a person, as plain tables."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("export")
@click.argument("person", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", required=True, type=click.Path(path_type=Path), help="A folder that is not there yet.")
@click.option("--timezone", help="Where person.toml does not say it, such as Asia/Tokyo.")
def command(person: Path, to: Path, timezone: str | None) -> None:
    """Write all records of PERSON as plain tables (CSV, long ones Parquet), those of every device.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 4
      unaji export someone --to copy
    """
    from unaji.records.exporting import export_folder

    timeline = export_folder(person, to, timezone=timezone)
    for problem in timeline.problems:
        click.echo(f"  {problem}", err=True)
    for file in sorted(file for file in to.rglob("*") if file.is_file()):
        click.echo(file.relative_to(to).as_posix())
    click.echo(f"in {to.resolve()}", err=True)

"""`unaji erase`: a person's records, gone."""

from __future__ import annotations

from pathlib import Path

import click

SHOWN = 20


@click.command("erase")
@click.argument("person", type=click.Path(path_type=Path, file_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(person: Path, yes: bool) -> None:
    """Remove all records of PERSON: tables, imports, and what was put away before.

    Files that unaji did not write, such as exports put into the folder, stay and are named. What a disk or a backup
    keeps of removed files is beyond unaji's reach. Weather that was fetched lies in unaji's cache, by place and day.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 4
      unaji erase someone --yes
    """
    from unaji.records.exporting import erase, what_erasing_takes

    files = what_erasing_takes(person)
    if not yes:
        click.confirm(f"{person}: remove {len(files):,} files for good?", abort=True, err=True)
    erased = erase(person)
    click.echo(f"{erased.files:,} files removed")
    for file in erased.left[:SHOWN]:
        click.echo(f"  {file}: was not written by unaji and is still there", err=True)
    if len(erased.left) > SHOWN:
        click.echo(f"  and {len(erased.left) - SHOWN:,} more", err=True)

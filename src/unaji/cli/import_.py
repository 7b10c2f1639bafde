"""`unaji import`: vendors' exports into the folder format."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The person's folder.")
@click.option("--timezone", help="Where the files' times carry no offset, such as Asia/Tokyo.")
def command(files: tuple[Path, ...], into: Path, timezone: str | None) -> None:
    """Bring FILES (also folders and zip archives) into a person's folder.

    Files are recognised by what is in them. Rows that cannot be used are listed; the rest is kept. What was in the
    folder stays.

    \b
    Example:
      printf '1646305200.0\\n4.0\\n0.0\\n0.41\\n0.42\\n' > EDA.csv
      unaji import EDA.csv --into someone --timezone Asia/Tokyo
    """
    from unaji.records.importing import import_files

    timeline = import_files(files, into, timezone=timezone)
    for problem in timeline.problems:
        click.echo(f"  {problem}", err=True)
    for series in timeline.series:
        site = f" ({series.site})" if series.site else ""
        click.echo(f"{series.quantity}{site}: {len(series):,} values")
    if timeline.beats is not None:
        click.echo(f"beats: {len(timeline.beats):,}")
    for name in ("episodes", "ratings", "exposures", "treatments"):
        if rows := getattr(timeline, name):
            click.echo(f"{name}: {len(rows):,}")
    click.echo(f"in {into.resolve()}", err=True)

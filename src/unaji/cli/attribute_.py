"""`unaji attribute`: the engine alone, for any symptom and any exposures."""

from __future__ import annotations

from pathlib import Path

import click

from unaji.cli.progress import progress_bar


@click.command("attribute")
@click.argument("episodes", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("exposures", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--treatments", type=click.Path(path_type=Path, dir_okay=False), help="Table with time,kind.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same tables and seed, same result."
)
def command(episodes: Path, exposures: Path, treatments: Path | None, as_json: bool, seed: int) -> None:
    """Find which exposures are behind the episodes of any symptom.

    EPISODES.csv has the column start. EXPOSURES.csv is a regular grid: time, one column an exposure (a cell is empty
    where it was not observed), optionally observed (0/1). A file EXPOSURES.toml beside it may say what each exposure
    is: a level or a dose, and its plausible lag.

    \b
    Example:
      printf 'start\\n2026-03-02 15:00\\n2026-03-05 09:30\\n' > episodes.csv
      python -c "import datetime as d; print('time,pressure'); [print(d.datetime(2026,3,1)+d.timedelta(hours=h),
        1010+(h*7)%13, sep=',') for h in range(240)]" > exposures.csv
      unaji attribute episodes.csv exposures.csv
    """
    from rich.console import Console

    from unaji.explain import explain_tables
    from unaji.report.engine import print_engine
    from unaji.report.json import engine_json, write

    with progress_bar("attribute") as progress:
        result = explain_tables(episodes, exposures, treatments, seed=seed, progress=progress)
    for problem in result.problems:
        click.echo(f"  {problem}", err=True)
    if as_json:
        part = engine_json(
            result.attribution,
            result.treatments,
            result.more_data,
            next_observation=result.next_observation,
            zones=result.zones,
        )
        click.echo(write(part))
    else:
        print_engine(result, Console())

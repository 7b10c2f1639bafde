"""`unaji simulate-person`: an invented person with a stated truth."""

from __future__ import annotations

from pathlib import Path

import click

from unaji.errors import UsageError


@click.command("simulate-person")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same seed and options, same person."
)
@click.option("--weeks", type=click.FloatRange(4, 52), help="Length of the records; drawn from 4 to 16 if not given.")
@click.option("--causes", help="True causes, parted by commas, such as pressure_drop,desk_load; drawn if not given.")
@click.option("--null", is_flag=True, help="A person without any cause among the candidates.")
@click.option("--fever", is_flag=True, help="With a day or two of fever.")
@click.option("--example", is_flag=True, help="The person in examples/ (takes only --seed).")
def command(
    out: Path, seed: int, weeks: float | None, causes: str | None, null: bool, fever: bool, example: bool
) -> None:
    """Write an invented person's records to OUT, with the truth beside them in truth.toml.

    \b
    Example:
      unaji simulate-person someone --seed 4 --weeks 8 --causes pressure_drop,desk_load
      unaji explain someone
    """
    from unaji.people.write import simulate_person_folder, write_example

    if example and (weeks is not None or causes or null or fever):
        raise UsageError("--example takes only --seed: the example person's length, causes and fever are fixed")
    if example:
        truth = write_example(out, seed)
    else:
        names = [name.strip() for name in causes.split(",")] if causes else None
        truth = simulate_person_folder(out, seed=seed, weeks=weeks, causes=names, null=null, fever=fever)
    said = ", ".join(cause.id for cause in truth.causes) or "none"
    click.echo(f"{out}: an invented person; true causes: {said}")

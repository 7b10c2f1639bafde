"""`unaji cohort`: many people's folders in, what they share and what that changes for each out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unaji.cli.progress import progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from unaji.causes.attribution import CauseResult
    from unaji.cohort.people import LeftOut
    from unaji.cohort.pool import PersonFit, Pooled

VERDICTS = ("cause", "likely", "open", "unlikely", "cannot_tell")


@click.command("cohort")
@click.argument("folders", metavar="FOLDER...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--article", default="neck_heat", show_default=True, help="Whose claims are tested: a name or a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes on this machine.")
@click.option("--timezone", help="Where times carry no offset and person.toml says nothing, such as Asia/Tokyo.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same records and seed, same result."
)
@click.pass_context
def command(
    context: click.Context,
    folders: tuple[Path, ...],
    article: str,
    as_json: bool,
    workers: int,
    timezone: str | None,
    seed: int,
) -> None:
    """Fit many people, each FOLDER one person's records, and let each cause's prior be learnt from all of them.

    Interrupted, it shows what was finished until then.

    \b
    Example:
      unaji simulate-person one --seed 4 --weeks 4 --causes desk_load
      unaji simulate-person two --seed 5 --weeks 4 --causes desk_load
      unaji cohort one two
    """
    from rich.console import Console

    from unaji.claims.graph import load_claims
    from unaji.cohort.people import read_people
    from unaji.cohort.pool import pool
    from unaji.cohort.workers import hire
    from unaji.errors import ExitCode
    from unaji.report.json import write

    claims = load_claims(article)
    with hire(workers) as hired:
        cohort = read_people(folders, claims, hired, timezone=timezone)
        for one in cohort.left_out:
            click.echo(f"  left out: {one.why}", err=True)
        with progress_bar("cohort") as progress:
            pooled = pool(cohort.people, seed=seed, workers=hired, progress=progress)
    if not pooled.alone:
        raise click.Abort
    if as_json:
        click.echo(write(_json(pooled, cohort.left_out, claims.id, seed)))
    else:
        _print(pooled, Console())
    if pooled.stopped:
        left = ", ".join(pooled.unfinished) or "nobody"
        click.echo(f"unaji: stopped in round {pooled.rounds} of pooling; not finished in it: {left}", err=True)
        context.exit(ExitCode.INTERRUPTED)


def _json(pooled: Pooled, left_out: tuple[LeftOut, ...], article: str, seed: int) -> dict[str, Any]:
    from unaji import __version__
    from unaji.report.json import number

    return {
        "unaji": __version__,
        "article": article,
        "seed": seed,
        "rounds": pooled.rounds,
        "stopped": pooled.stopped,
        "unfinished": list(pooled.unfinished),
        "left_out": [{"folder": one.folder, "why": one.why} for one in left_out],
        "causes": [
            {
                "id": prior.id,
                "persons": prior.persons,
                "prior": number(prior.probability),
                "lag_weight": [number(weight) for weight in prior.lag_weight],
                "verdicts_alone": _verdicts(pooled.alone, prior.id),
                "verdicts": _verdicts(pooled.together, prior.id),
            }
            for prior in pooled.priors
        ],
        "persons": [
            {
                "id": after.id,
                "episodes": after.episodes,
                "cohort_persons": after.cohort_persons,
                "causes": [
                    {
                        "id": new.id,
                        "p_cause_alone": number(old.p_cause),
                        "p_cause": number(new.p_cause),
                        "verdict_alone": old.verdict.value,
                        "verdict": new.verdict.value,
                    }
                    for old, new in zip(before.causes, after.causes, strict=True)
                ],
            }
            for before, after in zip(pooled.alone, pooled.together, strict=True)
        ],
    }


def _verdicts(fits: tuple[PersonFit, ...], cause_id: str) -> dict[str, int]:
    """How many persons got each verdict, of those in whom it could be fitted."""
    counts = Counter(c.verdict.value for fit in fits for c in fit.causes if c.id == cause_id and c.entry_p)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def _print(pooled: Pooled, console: Console) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    console.print(f"{len(pooled.alone)} persons; priors learnt from them in {pooled.rounds} rounds")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("cause", no_wrap=True)
    for name in ("persons", "prior", *(verdict.replace("_", " ") for verdict in VERDICTS)):
        table.add_column(name, justify="right")
    for prior in sorted(pooled.priors, key=lambda one: -one.probability):
        counts = _verdicts(pooled.together, prior.id)
        table.add_row(
            escape(prior.id), str(prior.persons), f"{prior.probability:.2f}", *(str(counts[v]) for v in VERDICTS)
        )
    console.print(table)
    console.print("What the others changed: P(cause) alone, with the cohort's priors")
    for before, after in zip(pooled.alone, pooled.together, strict=True):
        pairs = zip(before.causes, after.causes, strict=True)
        changed = [_change(old, new) for old, new in pairs if new.entry_p and max(old.p_cause, new.p_cause) >= 0.1]
        told = "; ".join(changed) or "nothing above 0.1"
        console.print(f"{escape(after.id)} ({after.episodes} episodes): {escape(told)}")
    console.print("A person without causes inherits what is common in the cohort: false alarms get more likely.")


def _change(old: CauseResult, new: CauseResult) -> str:
    verdict = new.verdict.value.replace("_", " ")
    said = verdict if new.verdict is old.verdict else f"{old.verdict.value.replace('_', ' ')}, now {verdict}"
    return f"{new.id} {old.p_cause:.2f} to {new.p_cause:.2f} ({said})"

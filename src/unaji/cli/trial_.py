"""`unaji trial`: plan a trial on one person, and analyse it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from unaji.errors import OutputError, UsageError

LANGUAGE = click.option(
    "--lang", type=click.Choice(["ja", "en"]), default="ja", show_default=True, help="Language of what is printed."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


@click.group("trial")
def command() -> None:
    """Find out by a trial on yourself (N-of-1): the order of the days is drawn by lot.

    Logging alone shows only what goes together. To learn whether something helps you, change it on days that a lot has
    picked, and compare them with the others.

    \b
    Example:
      unaji trial design --avoid caffeine --question "Does it help to leave coffee?" \\
        --start 2025-04-07 --blocks 14 --seed 7 --out plan.toml
      unaji simulate-person someone --seed 4 --weeks 8
      unaji trial analyse plan.toml someone
    """


@command.command("design")
@click.option("--avoid", help="An exposure to leave on the changed days, such as caffeine.")
@click.option("--seek", help="An exposure to have on the changed days, such as exercise.")
@click.option("--treat", help="A treatment to have in the changed periods, as in treatments.csv.")
@click.option("--question", required=True, help="What you want to know, in your own words.")
@click.option("--outcome", default="episodes", show_default=True, help="episodes, intensity or the name of a rating.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First day; default: tomorrow.")
@click.option("--timezone", default="Asia/Tokyo", show_default=True, help="Where a day begins.")
@click.option("--blocks", type=int, help="Pairs of days or periods; default: 14 pairs of days, 4 of periods.")
@click.option("--period-days", type=int, help="Days a period lasts; default: 1, for treatments 14.")
@click.option("--washout-days", type=int, help="First days of a period that are not compared; for treatments 7.")
@click.option("--minimal", type=float, help="Smallest difference that matters; default: 0.3 fewer, or 1 point.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the lot; default: drawn, and stored in the plan.")
@click.option("--unsafe", multiple=True, help="An exposure you must not have more of; may be given several times.")
@click.option(
    "--effect", type=float, help="True effect to look for in the forecast; default: 0.5 fewer, or 1.5 points."
)
@click.option("--per-day", type=click.FloatRange(0, min_open=True), help="Your episodes a day, for the forecast.")
@click.option("--sd", type=click.FloatRange(0, min_open=True), help="How your daily rating varies, for the forecast.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File for the plan.")
@LANGUAGE
@JSON
def design(
    avoid: str | None,
    seek: str | None,
    treat: str | None,
    question: str,
    outcome: str,
    start: datetime | None,
    timezone: str,
    blocks: int | None,
    period_days: int | None,
    washout_days: int | None,
    minimal: float | None,
    seed: int | None,
    unsafe: tuple[str, ...],
    effect: float | None,
    per_day: float | None,
    sd: float | None,
    out: Path,
    lang: str,
    as_json: bool,
) -> None:
    """Plan a trial: draw the order, say whether it can tell, write the plan.

    The plan is registered when it is written: question, outcome, order and analysis are settled, and a plan that was
    changed afterwards is refused. Nothing harmful is ever raised: alcohol, sun and what you mark as unsafe can only be
    avoided, and medicines are not touched.

    \b
    Example:
      unaji trial design --treat acupuncture --outcome neck_stiffness --blocks 4 \\
        --question "Does acupuncture help my stiff neck?" --seed 7 --out plan.toml
      cat plan.toml
    """
    import secrets

    from rich.console import Console

    from unaji.care.trial import BLOCKS_OF_DAYS, BLOCKS_OF_WEEKS, LARGEST_SEED, Change, design_trial
    from unaji.care.trial_file import write_plan
    from unaji.care.trial_power import ASSUMED_POINTS, ASSUMED_REDUCTION, PER_DAY, RATING_SD, Assumed, power
    from unaji.claims.graph import load_claims
    from unaji.records.clock import now_utc
    from unaji.records.person import check_zone
    from unaji.records.timeline import Zones
    from unaji.report.json import write
    from unaji.report.trial import plan_json, print_plan

    asked = [(change, kind) for change, kind in zip(Change, (avoid, seek, treat), strict=True) if kind is not None]
    if len(asked) != 1:
        raise UsageError("give one of --avoid, --seek or --treat; see unaji trial design --help")
    change, kind = asked[0]
    if out.exists():
        raise OutputError(f"{out}: is there already; a registered plan is never replaced, choose another name")
    zones = Zones((check_zone(timezone, "--timezone"),))
    now = now_utc()
    plan = design_trial(
        question=question,
        change=change,
        kind=kind,
        outcome=outcome,
        start=start.date() if start is not None else _tomorrow(zones.local(now)),
        timezone=timezone,
        registered_at=now,
        blocks=blocks if blocks is not None else (BLOCKS_OF_WEEKS if change is Change.TREAT else BLOCKS_OF_DAYS),
        seed=seed if seed is not None else secrets.randbelow(LARGEST_SEED),
        period_days=period_days,
        washout_days=washout_days,
        minimal_important=minimal,
        unsafe=unsafe,
    )
    if effect is None:
        effect = ASSUMED_REDUCTION if plan.counts else ASSUMED_POINTS
    if not 0 < effect < (1 if plan.counts else 10):
        raise UsageError(f"--effect {effect:g}: a share between 0 and 1 for episodes, else 0 to 10 points")
    assumed = Assumed(per_day=per_day or PER_DAY, rating_sd=sd or RATING_SD)
    chances = power(plan, effect, assumed)
    write_plan(plan, out)
    if plan.registered_late:
        click.echo("  the trial begins before today: it will be marked as planned afterwards", err=True)
    if as_json:
        click.echo(write(plan_json(plan, chances)))
    else:
        print_plan(plan, chances, load_claims("neck_heat"), Console(), lang)
    click.echo(f"plan: {out.resolve()}", err=True)


@command.command("analyse")
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("person", type=click.Path(path_type=Path))
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day that counts, where it was stopped before its end.",
)
@LANGUAGE
@JSON
def analyse(plan: Path, person: Path, until: datetime | None, lang: str, as_json: bool) -> None:
    """Analyse the trial of PLAN with the records in PERSON, a person's folder.

    Primary is the comparison by the days as they were drawn, whatever was done on them; beside it stands the one by
    what was done.

    \b
    Example:
      unaji trial design --avoid caffeine --question "Does it help to leave coffee?" \\
        --start 2025-04-07 --seed 7 --out plan.toml
      unaji simulate-person someone --seed 4 --weeks 8
      unaji trial analyse plan.toml someone --json
    """
    from rich.console import Console

    from unaji.care.trial_analysis import analyse_trial
    from unaji.care.trial_file import read_plan
    from unaji.claims.graph import load_claims
    from unaji.explain import raised_flags
    from unaji.records.folder import read_folder
    from unaji.records.reasons import say_problem
    from unaji.report.json import write
    from unaji.report.trial import print_result, result_json

    registered = read_plan(plan)
    timeline = read_folder(person, timezone=registered.timezone)
    for problem in timeline.problems:
        click.echo(f"  {say_problem(problem, lang).text}", err=True)
    claims = load_claims("neck_heat")
    flags = raised_flags(timeline, claims)
    result = analyse_trial(registered, timeline, until=None if until is None else until.date())
    if as_json:
        click.echo(write(result_json(result, flags, timeline.person.id, lang)))
    else:
        print_result(result, flags, claims, Console(), lang, simulated=timeline.person.simulated)


def _tomorrow(local: datetime) -> date:
    return local.date() + timedelta(days=1)

"""`unaji simulate`: the neck under a scenario, or the heat balance over a table of surroundings."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unaji import __version__
from unaji.errors import OutputError, UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from unaji.body.conditions import Conditions
    from unaji.body.counterfactual import Attribution
    from unaji.body.scenario import Scenario
    from unaji.body.state import NeckState

FILE_WIDTH = 100  # of what is printed into a file or a pipe
DIGITS = 2
SHOWN_LINES = 10
SURVIVED_C = (28.0, 42.0)
"""Core temperatures beyond these (severe hypothermia, heat stroke) are told: a steady state says nothing there."""


@click.command("simulate")
@click.argument("scenario", required=False)
@click.option("--list", "list_them", is_flag=True, help="List the scenarios that come along.")
@click.option("--table", type=click.Path(path_type=Path, dir_okay=False), help="Surroundings instead of a scenario.")
@click.option("--compat", is_flag=True, help="With --table: the reference model's equations, nothing corrected.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every step here.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the course, as PNG, SVG or PDF.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Tell the scenario as one HTML page.")
@click.option("--outputs", help="Outputs to compute, parted by commas; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    scenario: str | None,
    list_them: bool,
    table: Path | None,
    compat: bool,
    csv_file: Path | None,
    plot: Path | None,
    html: Path | None,
    outputs: str | None,
    as_json: bool,
) -> None:
    """Simulate the neck under SCENARIO.

    SCENARIO is a TOML file or the name of a scenario that comes along (see --list). With --table, a CSV of steady
    rooms (case,ta_C,rh_pct,va_m_s,par,clothing) or of one room over time (t_min instead of case) is run through the
    heat balance alone.

    \b
    Example:
      unaji simulate --list
      unaji simulate scarf --csv scarf.csv --plot scarf.png
      unaji simulate scarf --html scarf.html
    """
    _check_together(scenario, list_them, table, compat=compat, for_scenarios=bool(plot or html or outputs))
    if list_them:
        _list(as_json)
    elif table is not None:
        _table(table, csv_file, compat=compat, as_json=as_json)
    else:
        assert scenario is not None
        _scenario(scenario, csv_file, plot, html, outputs, as_json=as_json)


def _check_together(
    scenario: str | None, list_them: bool, table: Path | None, *, compat: bool, for_scenarios: bool
) -> None:
    if (scenario is not None) + list_them + (table is not None) != 1:
        raise UsageError("give one of: a scenario, --table or --list; see unaji simulate --help")
    if compat and table is None:
        raise UsageError("--compat goes with --table: the reference model knows nothing of a scenario's events")
    if for_scenarios and scenario is None:
        raise UsageError("--plot, --html and --outputs go with a scenario")


# -- a scenario --------------------------------------------------------------------------------------------------------


def _scenario(
    name: str, csv_file: Path | None, plot: Path | None, html: Path | None, outputs: str | None, *, as_json: bool
) -> None:
    from unaji.body.counterfactual import attribute_episode
    from unaji.body.scenario_file import find_scenario
    from unaji.body.state import MAIN, OUTPUTS, check_outputs

    wanted = check_outputs(part.strip() for part in outputs.split(",")) if outputs else tuple(OUTPUTS)
    asked = find_scenario(name)
    if plot is not None:
        _check_picture(plot)
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--html {html}: a page's name ends in .html")
    from unaji.body.simulate import simulate

    forcing = asked.forcing()
    click.echo(f"{asked.title.ja} · {asked.title.en}: {forcing.n_steps} steps", err=True)
    needed = check_outputs((*wanted, *MAIN)) if plot is not None else wanted
    state = simulate(asked.persons, forcing, dt_s=asked.fine_step_s, outputs=needed)
    found = attribute_episode(asked.persons, forcing, baseline_s=asked.baseline_s, dt_s=asked.fine_step_s)
    if csv_file is not None:
        state.to_csv(csv_file)
        click.echo(f"table: {csv_file.resolve()}", err=True)
    if plot is not None:
        _draw(asked, state, plot)
    if html is not None:
        _tell(asked, html)
    if as_json:
        told = _object(asked, state, wanted) | {"shares": _shares_object(found)}
        click.echo(json.dumps(told, ensure_ascii=False, allow_nan=False))
    else:
        _print(asked, state, wanted if outputs else MAIN, found)


def _object(asked: Scenario, state: NeckState, names: Sequence[str]) -> dict[str, object]:
    from unaji.body.state import OUTPUTS, change

    def summary(name: str) -> dict[str, object]:
        found = change(state, name, baseline_s=asked.baseline_s)
        return {
            "unit": OUTPUTS[name].unit,
            "before": _finite(found.before),
            "farthest": _finite(found.farthest),
            "farthest_s": _finite(found.farthest_s),
            "end": _finite(found.end),
            "values": [_finite(value) for value in state[name][0].tolist()],
        }

    return {
        "unaji": __version__,
        "scenario": asked.id,
        "title": {"ja": asked.title.ja, "en": asked.title.en},
        "duration_s": asked.duration_s,
        "baseline_s": asked.baseline_s,
        "events": [
            {"ja": e.name.ja, "en": e.name.en, "start_s": e.start_s, "end_s": e.end_s, "values": dict(e.values)}
            for e in asked.events
        ],
        "time_s": state.time_s.tolist(),
        "outputs": {name: summary(name) for name in names},
    }


def _shares_object(found: Attribution) -> dict[str, object]:
    from unaji.body.counterfactual import DRIVERS, OBSERVED, Quantity

    def quantity(what: Quantity) -> dict[str, object]:
        by = dict(zip(map(str, DRIVERS), found.shares[what][:, 0].tolist(), strict=True))
        return {"total": float(found.totals[what][0]), "when_s": _finite(float(found.when_s[what][0])), "by": by}

    best = found.separation()
    return {str(what): quantity(what) for what in Quantity} | {
        "signs": {name: str(sign) for name, sign in found.signs().items()},
        "signs_alone": {
            str(way): {name: str(sign) for name, sign in found.signs_alone(way).items()} for way in DRIVERS
        },
        "changes": {name: float(found.whole[name][0]) for name in OBSERVED},
        "best_measurement": best
        and {
            "first": str(best.first),
            "second": str(best.second),
            "measurement": best.measurement,
            "change_first": best.change_first,
            "change_second": best.change_second,
            "sensor_sds": best.sensor_sds,
            "is_enough": best.is_enough,
        },
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print(asked: Scenario, state: NeckState, names: Sequence[str], shared: Attribution) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from unaji.body.state import OUTPUTS, change

    console = _console()
    console.print(f"{asked.title.ja}\n{asked.title.en}", style="bold", highlight=False)
    console.print(f"\n{asked.shows.ja}\n{asked.shows.en}\n", highlight=False)
    sheet = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    sheet.add_column("")
    for ja, en in (("単位", "unit"), ("前", "before"), ("最大の変化", "most"), ("その時刻", "when"), ("終わり", "end")):
        sheet.add_column(f"{ja}\n{en}", justify="left" if en == "unit" else "right", no_wrap=True)
    for name in names:
        found, told = change(state, name, baseline_s=asked.baseline_s), OUTPUTS[name]
        when = _clock(found.farthest_s) if round(found.most, DIGITS) else ""
        unit = "" if told.unit == "1" else told.unit
        sheet.add_row(
            f"{told.ja}\n{told.en}",
            unit,
            _number(found.before),
            _number(found.most, sign=True),
            when,
            _number(found.end),
        )
    console.print(sheet)
    _say_in_words(asked, state, console)
    _print_shares(shared, console)
    console.print("これは計算です。測定でも診断でもありません。", highlight=False)
    console.print("This is computed; it is neither a measurement nor a diagnosis.", highlight=False)


def _print_shares(found: Attribution, console: Console) -> None:
    """Print which of the five ways carried how much, what sensors would see, and what would tell the ways apart."""
    from rich.box import SIMPLE
    from rich.table import Table

    from unaji.body.counterfactual import DRIVERS, Quantity
    from unaji.report.scenario_words import TEXTS, say, separation_sentence

    columns = {Quantity.FELT_PEAK: "熱さの最大\npeak heat", Quantity.FELT_SUM: "熱さ×時間\nheat × h",
               Quantity.NAPE: "うなじ ℃\nnape K", Quantity.CORE: "深部 ℃\ncore K"}  # fmt: skip
    sheet = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    sheet.add_column("何が熱くしたか\nwhat made it hot")
    for words in columns.values():
        sheet.add_column(words, justify="right", no_wrap=True)
    for k, way in enumerate(DRIVERS):
        shares = [_number(float(found.shares[what][k, 0]), sign=True) for what in columns]
        sheet.add_row("\n".join(TEXTS[way]), *shares)
    sheet.add_row("合計\ntotal", *(_number(float(found.totals[what][0]), sign=True) for what in columns))
    console.print(sheet)
    for language, heading in (("ja", "測ると:"), ("en", "Sensors would see:")):
        told = [f"{say(name, language)} {say(str(sign), language)[0]}" for name, sign in found.signs().items()]
        console.print(f"{heading} {', '.join(told)}".replace(", ", "、" if language == "ja" else ", "), highlight=False)
    for language in ("ja", "en"):
        if sentence := separation_sentence(found, language):
            console.print(sentence, highlight=False)
    console.print()


def _say_in_words(asked: Scenario, state: NeckState, console: Console) -> None:
    """Say in a sentence what became of felt heat, nape and core, where all of them were computed."""
    from unaji.body.state import change

    names = ("nape_skin_temp_c", "core_temp_c", "felt_heat")
    if not set(names) <= set(state.values):
        return
    nape, core, felt = (change(state, name, baseline_s=asked.baseline_s) for name in names)
    if not all(math.isfinite(one.most) for one in (nape, core, felt)):
        return
    console.print(
        f"うなじの皮膚は最大{_number(nape.most, sign=True)}℃、深部体温は最大{_number(core.most, sign=True)}℃、"
        f"感じる熱さは10のうち{felt.farthest:.1f}まで動きました。",
        highlight=False,
    )
    console.print(
        f"The nape's skin moved by up to {_number(nape.most, sign=True)} K, the core by up to "
        f"{_number(core.most, sign=True)} K, and the felt heat to {felt.farthest:.1f} of 10.\n",
        highlight=False,
    )


def _number(value: float, *, sign: bool = False) -> str:
    if not math.isfinite(value):
        return "–"
    value = round(value, DIGITS) + 0.0  # no "-0.00"
    return f"{value:{'+' if sign and value else ''}.{DIGITS}f}".replace("-", "−")


def _clock(time_s: float) -> str:
    """Write a time since the start as hours and minutes."""
    minutes = round(time_s / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _check_picture(plot: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise UsageError("--plot needs matplotlib: pip install 'unaji[plot]'") from error
    kinds = Figure().canvas.get_supported_filetypes()
    if plot.suffix.removeprefix(".").lower() not in kinds:
        raise UsageError(f"--plot {plot}: a picture's name ends in .png, .svg or .pdf")


def _draw(asked: Scenario, state: NeckState, plot: Path) -> None:
    from unaji.body.plot_state import Band, plot_course

    bands = [Band(e.start_s, e.end_s, e.name.ja, e.name.en) for e in asked.events]
    figure = plot_course(state, bands=bands, title=(asked.title.ja, asked.title.en))
    draft = plot.with_name(f".{plot.stem}.part{plot.suffix}")
    try:
        try:
            figure.savefig(draft, dpi=200)
            draft.replace(plot)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{plot}: the picture cannot be written ({error.strerror}); is the folder there?") from error
    click.echo(f"picture: {plot.resolve()}", err=True)


def _tell(asked: Scenario, html: Path) -> None:
    from unaji.body.played import play
    from unaji.report.html import write_html
    from unaji.report.scenario_page import to_html

    write_html(html, to_html(play(asked)))
    click.echo(f"page: {html.resolve()}", err=True)


# -- a table of surroundings -------------------------------------------------------------------------------------------


def _table(file: Path, csv_file: Path | None, *, compat: bool, as_json: bool) -> None:
    from unaji.body.conditions import CLOTHES, read_conditions
    from unaji.body.state import write_csv

    conditions = read_conditions(file)
    rows = "steps" if conditions.is_sequence else "rooms"
    click.echo(f"{file}: {len(next(iter(conditions.given.values())))} {rows}", err=True)
    if not any(name == CLOTHES or name.startswith("clo_") for name in conditions.given):
        click.echo(f"  no column {CLOTHES!r}: computed without clothes", err=True)
    frame = _results(conditions, compat=compat)
    beyond = [k + 2 for k, core_c in enumerate(frame["Tcr_pelvis"]) if not SURVIVED_C[0] <= core_c <= SURVIVED_C[1]]
    if beyond:
        lines = ", ".join(map(str, beyond[:SHOWN_LINES])) + (", …" if len(beyond) > SHOWN_LINES else "")
        click.echo(f"  no person bears this for long, and the model is not made for it: lines {lines}", err=True)
    if csv_file is not None:
        write_csv(frame, csv_file)
        click.echo(f"table: {csv_file.resolve()}", err=True)
    if as_json:
        click.echo(json.dumps({"unaji": __version__, "compat": compat, "rows": frame.to_dicts()}, ensure_ascii=False))
    elif csv_file is None:
        click.echo(frame.write_csv(), nl=False)


def _results(conditions: Conditions, *, compat: bool) -> pl.DataFrame:
    """Run the heat balance; columns in the order of the published tables, numbers as they were written in the file."""
    import polars as pl

    from unaji.body.conditions import TIME, run_conditions

    given = {name: _typed(cells) for name, cells in conditions.given.items()}
    found = run_conditions(conditions, compat=compat)
    if not conditions.is_sequence:
        return pl.DataFrame(given | found)
    return pl.DataFrame({TIME: given.pop(TIME)} | found | given)


def _typed(cells: tuple[str, ...]) -> pl.Series:
    """Give a column back as numbers where it is made of numbers, whole ones where they are."""
    import polars as pl

    text = pl.Series(cells)
    for kind in (pl.Int64, pl.Float64):
        numbers = text.cast(kind, strict=False)
        if not numbers.null_count():
            return numbers
    return text


# -- the list ----------------------------------------------------------------------------------------------------------


def _list(as_json: bool) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from unaji.body.scenario_file import find_scenario, shipped_scenarios

    found = [find_scenario(name) for name in shipped_scenarios()]
    if as_json:
        told = [{"id": s.id, "title": {"ja": s.title.ja, "en": s.title.en},
                 "shows": {"ja": s.shows.ja, "en": s.shows.en}} for s in found]  # fmt: skip
        click.echo(json.dumps({"unaji": __version__, "scenarios": told}, ensure_ascii=False))
        return
    sheet = Table("名前 name", "場面 scene", box=SIMPLE, padding=(0, 1, 0, 0))
    for one in found:
        sheet.add_row(one.id, f"{one.title.ja}\n{one.title.en}")
    _console().print(sheet)


def _console() -> Console:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    return console

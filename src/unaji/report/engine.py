"""The engine's result for any symptom, as a table for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unaji.care.next_observation import NextObservation
from unaji.causes.attribution import CauseResult, Estimate, ProtectorResult, SignalState
from unaji.explain import EngineResult


def print_engine(result: EngineResult, console: Console) -> None:
    """Print what stands behind the episodes: one row an exposure, then background, echo and treatment."""
    attribution = result.attribution
    grid = result.design.grid
    console.print(
        f"{attribution.n_episodes} episodes in {grid.observed_days:.1f} observed days ({grid.n_days} on the grid)"
    )
    if not attribution.fitted:
        bound = attribution.rate_upper_per_week
        console.print("No episode to explain." + ("" if bound is None else f" Rate below {bound:.2g} a week (95 %)."))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("exposure", overflow="fold")
    table.add_column("verdict")
    for name in ("P(cause)", "share, 90 %", "lag h", "shift p"):
        table.add_column(name, justify="right", no_wrap=True)
    for cause in sorted(attribution.causes, key=lambda c: -(c.p_cause if c.p_cause == c.p_cause else -1)):
        table.add_row(escape(cause.id), _verdict(cause), *_numbers(cause))
    table.add_section()
    table.add_row("background", "", "", _interval(attribution.background), "", "")
    table.add_row("echo", "", "", _interval(attribution.echo), "", "")
    console.print(table)
    for pair in attribution.pairs:
        a, b = map(escape, pair.ids)
        console.print(f"One of these two, not to be told apart: {a}, {b} ({pair.p_either:.2f})")
    for effect in result.treatments:
        console.print(
            f"{escape(effect.kind)}: episodes with over without {_interval(effect.ratio)}, "
            f"P(better) {effect.p_better:.2f}; crude before/after {effect.before_after_ratio:.2f}"
        )
    for protector in attribution.protectors:
        console.print(_protector(protector))
    for cause in attribution.causes:
        if cause.may_be_companion:
            console.print(
                f"{escape(cause.id)} explains what was before it ({cause.p_backwards:.2f}): it may follow from the "
                "episodes, or go along with what is behind them."
            )
    for one in result.next_observation:
        console.print(_next(one))
    console.print(f"The best of five draws of invented exposures reached P {attribution.checks['placebo_best']:.2f}.")
    console.print(
        "Association is all that logging alone can show: a companion of an unlogged cause looks like a cause."
    )


NOT_FITTED = {SignalState.INSUFFICIENT: "too little recorded", SignalState.NO_CONTRAST: "no contrast"}


DOING = {
    "go_on": "going on as before",
    "record": "recording {} without gaps",
    "avoid": "avoiding {} on days drawn by lot",
    "seek": "more of {} on days drawn by lot",
}


def _next(one: NextObservation) -> str:
    doing = DOING[one.do].format(escape(one.id))
    chance = (
        "" if one.settles is None else f"; settled with P {one.settles:.2f} (going on: {one.settles_if_going_on:.2f})"
    )
    return f"Four weeks of {doing} would teach {one.bits:.2f} ± {one.bits_mcse:.2f} bits{chance}."


def _verdict(cause: CauseResult) -> str:
    return NOT_FITTED.get(cause.signal, cause.verdict.value.replace("_", " "))


def _protector(protector: ProtectorResult) -> str:
    if protector.ratio is None:
        return f"{escape(protector.id)}, which may protect: {NOT_FITTED[protector.signal]}"
    return (
        f"{escape(protector.id)}, which may protect: episodes with much over with little {_interval(protector.ratio)}, "
        f"P(protects) {protector.p_protects:.2f}, P(harms) {protector.p_harms:.2f}"
    )


def _numbers(cause: CauseResult) -> tuple[str, str, str, str]:
    if cause.signal is not SignalState.OK:
        return "", "", "", ""
    lag = "" if cause.lag_h is None or cause.p_cause < 0.1 else f"{cause.lag_h.mean:.1f}"
    return f"{cause.p_cause:.2f} ± {cause.p_cause_mcse:.2f}", _interval(cause.share), lag, f"{cause.shift_p:.3f}"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.mean:.2f} ({estimate.p5:.2f}–{estimate.p95:.2f})"

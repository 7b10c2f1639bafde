"""The table of the engine's figures: measured with its standard error, beside the reference and the line to reach."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.attribution import metrics as m
from benchmarks.attribution.persons import Examined

REPLICATES = 200
EPISODE_EDGES = (0, 10, 15, 22, 32, 48, 10_000)
ENGINE = "this engine"

Metric = Callable[[Sequence[Examined]], float]


@dataclass(frozen=True)
class Row:
    """One figure; the line is reached when the value lies in `need`."""

    name: str
    metric: Metric
    reference: str = ""
    need: tuple[float, float] | None = None


def least(value: float) -> tuple[float, float]:
    """At least this."""
    return value, math.inf


def most(value: float) -> tuple[float, float]:
    """At most this."""
    return -math.inf, value


CAUSES = (
    Row("AUROC of P(cause) within a person", m.person_auroc, "0.864", least(0.84)),
    Row("average precision within a person", m.person_precision, "0.783", least(0.75)),
    Row("top-ranked exposure is a true cause", m.top_is_cause, "0.785", least(0.74)),
    Row("AUROC over all pairs of person and exposure", m.pair_auroc, "0.856", least(0.84)),
    Row("calibration error of P(cause), 10 bins, cohorts 80/20", m.cause_calibration, "0.021", most(0.04)),
    Row("said ≥ 0.9: was", m.said_was(0.9), "0.96", least(0.90)),
    Row("persons without causes with any P > 0.5", m.null_flagged(0.5), "0.25"),
    Row("persons without causes with any P > 0.8", m.null_flagged(0.8), "0.025", most(0.06)),
    Row("persons without causes with any P > 0.9", m.null_flagged(0.9), "0.013", most(0.04)),
    Row("false among P > 0.8", m.false_share(0.8), "0.05", most(0.09)),
    Row("false among P > 0.9", m.false_share(0.9), "0.03", most(0.07)),
    Row("true causes with P > 0.5", m.causes_found(0.5), "0.36", least(0.32)),
    Row("true causes with P > 0.8", m.causes_found(0.8), "0.25", least(0.21)),
    Row("persons with a true cause at P > 0.8", m.persons_found(0.8), "0.45", least(0.40)),
    Row("true causes whose signal could not be fitted", m.not_fitted),
    Row('said "unlikely": its 95 % bound holds', m.unlikely_bound),
    Row('said "unlikely": was a cause', m.unlikely_was),
)
EPISODES = (
    Row("top source of an episode is right", m.top_source("p_source"), "0.648", least(0.62)),
    Row("  ceiling: oracle, logged time", m.top_source("oracle_logged"), "0.786"),
    Row("  ceiling: oracle, true time", m.top_source("oracle_true"), "0.796"),
    Row("  always background", m.always_background, "0.48"),
    Row("  top source, log-linear generator", m.top_source("p_source", m.log_linear)),
    Row("right exposure, given that a shown one was it", m.right_trigger("p_source"), "0.728", least(0.70)),
    Row("  ceiling: oracle, logged time", m.right_trigger("oracle_logged"), "0.937"),
    Row("an exposure named at P ≥ 0.6 is right", m.named_right, "0.75", least(0.70)),
    Row("  episodes of which one is named", m.named_share, "0.24"),
    Row("calibration error of all P(k → i)", m.source_calibration, "0.014", most(0.03)),
    Row("calibration error of the top one", m.top_calibration, "0.07", most(0.10)),
    Row("top source is an exposure: said", m.top_said("trigger", was=False), "0.69"),
    Row("top source is an exposure: was", m.top_said("trigger", was=True), "0.68"),
    Row(
        "  said − was",
        lambda f: m.top_said("trigger", was=False)(f) - m.top_said("trigger", was=True)(f),
        "0.01",
        (-0.05, 0.05),
    ),
    Row("top source is none: said", m.top_said("none", was=False), "0.73"),
    Row("top source is none: was", m.top_said("none", was=True), "0.63"),
    Row("Brier score of all P(k → i)", m.brier, "0.046", most(0.050)),
)
SHARES = (
    Row(
        "90 % interval of the episodes holds, true causes",
        lambda f: m.contribution_coverage(f, causes_only=True),
        "0.79",
    ),
    Row("90 % interval of the episodes holds, all", lambda f: m.contribution_coverage(f, causes_only=False)),
    Row(
        "90 % interval of the share holds, true causes",
        lambda f: m.contribution_coverage(f, causes_only=True, share=True),
    ),
    Row("90 % interval of the share given that it is a cause holds, true causes", m.coverage_if_cause),
    Row("mean share of a true cause: said", lambda f: m.mean_share(f, true=False), "0.16"),
    Row("mean share of a true cause: was", lambda f: m.mean_share(f, true=True), "0.26"),
    Row("slope of said on true share", m.share_slope, "0.6"),
)
TREATMENT = (
    Row("log ratio: root mean square error", m.treatment_error, "0.21", most(0.25)),
    Row("  crude before / after", m.crude_error, "0.66"),
    Row("90 % interval holds", m.treatment_coverage, "0.92", (0.82, 0.97)),
    Row("  its mean width", m.treatment_width, "0.57"),
    Row("said to work when it does not", m.works_falsely, "0 of 23", most(0.06)),
    Row("said to work when the ratio is below 0.75", m.works_rightly, "0.10"),
    Row("largest gap of P(cause) between two chains, median person", m.chain_gap(np.median), "0.019", most(0.05)),
    Row("largest gap of P(cause) between two chains, worst person", m.chain_gap(np.max), "0.035 of 20", most(0.10)),
)
BASELINES = {
    "daily Pearson": ("0.765", "0.16"),
    "daily Spearman": ("0.737", "0.12"),
    "case-crossover, one at a time": ("0.804", "0.21"),
    "case-crossover, jointly": ("0.775", "0.13"),
    "recurrent-event Cox by day": ("0.715", "0.12"),
    "L1 logistic": ("0.753", "0.22"),
    "boosted trees with SHAP": ("0.692", "0.11"),
    "non-negative Poisson lasso": ("0.831", "0.26"),
    ENGINE: ("0.864", "0.33"),
}


def table(found: Sequence[Examined], seed: int = 0, replicates: int = REPLICATES) -> str:
    """Return all figures as Markdown."""
    samples = bootstrap(found, seed, replicates)
    treated = m.courses(found)
    without = sum(c.truth > m.NO_EFFECT for c in treated)
    episodes = sum(f.n for f in m.additive(found))
    blocks = [
        _heading(found),
        _block("is it a cause?", CAUSES, found, samples),
        _block(f"what set off this episode? (additive generator, {episodes} episodes)", EPISODES, found, samples),
        _block("how many episodes?", SHARES, found, samples),
        _block(f"treatment ({len(treated)} courses, {without} without effect) and chains", TREATMENT, found, samples),
        _by_episodes(found, samples),
        _by_trigger(found, samples),
        _methods(found, samples),
    ]
    return "\n\n".join(block for block in blocks if block)


def bootstrap(found: Sequence[Examined], seed: int, replicates: int) -> list[list[Examined]]:
    """Draw persons again with replacement, within each cohort."""
    rng = np.random.default_rng(seed)
    groups = [g for g in (m.some(found), m.none(found)) if g]
    return [[g[i] for g in groups for i in rng.integers(0, len(g), len(g))] for _ in range(replicates)]


def estimate(metric: Metric, found: Sequence[Examined], samples: Sequence[Sequence[Examined]]) -> tuple[float, float]:
    """Return a figure and its bootstrap standard error; NaN where half of the samples do not define it."""
    value = metric(found)
    again = np.array([metric(sample) for sample in samples])
    again = again[np.isfinite(again)]
    return value, float(again.std(ddof=1)) if again.size > max(len(samples) / 2, 1) else m.nan


def _heading(found: Sequence[Examined]) -> str:
    some, none = m.some(found), m.none(found)
    rerun = sum(f.sweeps > 4000 for f in found)
    median = np.median([f.n for f in some]) if some else m.nan
    return (
        f"{len(some)} persons with causes (median {median:.0f} logged episodes), {len(none)} without; "
        f"{rerun} run again with longer chains. Standard errors: bootstrap over persons."
    )


def _block(title: str, rows: Sequence[Row], found: Sequence[Examined], samples: list[list[Examined]]) -> str:
    lines = [f"| {title} | measured | ± | reference | need | |", "|---|---|---|---|---|---|"]
    for row in rows:
        value, error = estimate(row.metric, found, samples)
        cells = (row.name, _number(value), _number(error), row.reference, _need(row), _met(row, value))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _by_episodes(found: Sequence[Examined], samples: list[list[Examined]]) -> str:
    lines = ["| logged episodes | persons | AUROC | ± | someone found at > 0.8 | ± |", "|---|---|---|---|---|---|"]
    for low, high in pairwise(EPISODE_EDGES):

        def within(group: Sequence[Examined], low: int = low, high: int = high) -> list[Examined]:
            return [f for f in m.findable(group) if low <= f.n < high]

        area = estimate(lambda g, w=within: m.person_auroc(w(g)), found, samples)
        share = estimate(lambda g, w=within: m.persons_found(0.8)(w(g)), found, samples)
        label = f"{low} to {high - 1}" if high < EPISODE_EDGES[-1] else f"{low} and more"
        cells = " | ".join(_number(x) for x in (*area, *share))
        lines.append(f"| {label} | {len(within(found))} | {cells} |")
    return "\n".join(lines)


def _by_trigger(found: Sequence[Examined], samples: list[list[Examined]]) -> str:
    lines = ["| true cause | persons | found at > 0.5 | ± |", "|---|---|---|---|"]
    ids = sorted({name for f in found for name in f.ids})
    for name in ids:
        count = sum(name in f.ids and bool(f.cause[f.ids.index(name)]) for f in found)
        value, error = estimate(m.trigger_found(name, 0.5), found, samples)
        lines.append(f"| {name} | {count} | {_number(value)} | {_number(error)} |")
    return "\n".join(lines)


def _methods(found: Sequence[Examined], samples: list[list[Examined]]) -> str:
    if not found or not found[0].scores:
        return "Other methods were not run."
    lines = [
        "| method | AUROC | ± | reference | causes found, 10 % of null persons flagged | ± | reference "
        "| not scored | s a person |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (area_before, share_before) in BASELINES.items():

        def score(f: Examined, name: str = name) -> np.ndarray:
            return f.rank if name == ENGINE else f.scores[name]

        area = estimate(lambda g, s=score: m.person_auroc(g, s), found, samples)
        share = estimate(m.found_at_flagged(score), found, samples)
        failed = sum(np.isnan(f.p).sum() if name == ENGINE else f.failed[name] for f in found)
        seconds = np.mean([f.seconds["engine" if name == ENGINE else name] for f in found])
        lines.append(
            f"| {name} | {_number(area[0])} | {_number(area[1])} | {area_before} "
            f"| {_number(share[0])} | {_number(share[1])} | {share_before} | {failed} | {seconds:.2f} |"
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.3f}"


def _need(row: Row) -> str:
    if row.need is None:
        return ""
    low, high = row.need
    if math.isinf(low):
        return f"≤ {high:g}"
    return f"≥ {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def _met(row: Row, value: float) -> str:
    if row.need is None or not np.isfinite(value):
        return ""
    return "yes" if row.need[0] <= value <= row.need[1] else "**no**"

"""How much would the coming weeks teach, if they were lived in one way or another?

Weeks to come are drawn many times from what is known (the posterior): exposures as in the last weeks on record, or
with one exposure recorded fully, avoided or sought on some days, and episodes set off by them. The draws of the
parameters are then weighed by each course of the weeks: those that make it likely count more afterwards. How far the
causes' probabilities move away from "may be, may be not" is what those weeks would teach.

Episodes are drawn with the parameters of one chain and weigh those of the other, so that no draw explains itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from unaji.causes._kernels_foresight import draw_onsets, echo_tables, log_likelihoods
from unaji.causes.design import BIN_MIN, Grid, Trigger
from unaji.causes.features import ECHO_TAUS_MIN, MEAN_LAGS_MIN, Kernels, drivers_of, log_lag_prior
from unaji.causes.grid import ONSET_WINDOW_MIN
from unaji.causes.posterior import Posterior
from unaji.causes.sampler import TRIGGER_SHAPE, TRIGGER_SHARE
from unaji.records.timeline import BoolArray, FloatArray

DAYS = 28
DRAWS_A_CHAIN = 100
"""Courses of the coming weeks that are drawn from each chain."""
WARM_UP_DAYS = 8
"""Days before, whose exposures still act: as long as the longest kernel reaches."""
WELL_RECORDED = 0.8
"""Share of a day's observed time that must be recorded for the day to stand for a fully recorded one."""
LEAST_RECORDED_DAYS = 5
HIGH_DAYS = 0.2
"""Days that stand for "sought": those with the most of the exposure, this share of all."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Scenario:
    """A way to live the coming weeks.

    Attributes
    ----------
    do : {"go_on", "record", "avoid", "seek"}
    trigger : str
        Which exposure; "" for going on as before.
    days : ndarray of bool, shape (DAYS,)
        On which days it is avoided or sought; the others are as they were.
    """

    do: str
    trigger: str = ""
    days: BoolArray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Foresight:
    """What a scenario would teach.

    Attributes
    ----------
    fall : ndarray, shape (n_futures,)
        Fall of the summed entropy of all triggers' probabilities [bits] in each drawn course of the weeks; the first
        half were drawn with the first chain and weighed with the second, the others the other way round.
    p_after : ndarray, shape (n_futures, n_triggers)
        Probability of each trigger after each drawn course of the weeks.
    triggers : tuple of str
        Names of its columns.
    effective : float
        How many independent draws the weighed ones are worth (median over the courses).
    """

    scenario: Scenario
    fall: FloatArray
    p_after: FloatArray
    triggers: tuple[str, ...]
    effective: float


def foresee(
    posterior: Posterior,
    scenarios: Sequence[Scenario],
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> list[Foresight]:
    """Say what each scenario would teach.

    Parameters
    ----------
    posterior : Posterior
        Of two chains.
    scenarios : sequence of Scenario
        All are given the same random numbers, so that their differences are less noisy than themselves.
    rng : Generator
    progress : callable, optional
        Called with the share done.
    """
    weeks = _Weeks.after(posterior.design.grid)
    people = _Members.of(posterior, [s.trigger for s in scenarios if s.do == "record"], rng)
    plain = _View.of(posterior, people, weeks)
    full = _View.of(posterior, people, weeks, recorded=True)
    seed = int(rng.integers(2**63))
    told = []
    for scenario in scenarios:
        told.append(_foresight(scenario, posterior, people, weeks, plain, full, seed))
        if progress is not None:
            progress(len(told) / len(scenarios))
    return told


def can_be_recorded(trigger: Trigger, grid: Grid) -> bool:
    """Say whether enough days were recorded to know what a fully recorded one looks like."""
    if not np.isfinite(trigger.value).any():
        return False
    return _recorded_days(drivers_of(trigger, grid)[1], grid).size >= LEAST_RECORDED_DAYS


def _recorded_days(missing: BoolArray, grid: Grid) -> IntArray:
    of_day = np.bincount(grid.day, weights=grid.observed, minlength=grid.n_days)
    recorded = np.bincount(grid.day, weights=grid.observed & ~missing, minlength=grid.n_days)
    return np.flatnonzero((of_day > 0) & (recorded >= WELL_RECORDED * of_day))


# -- the weeks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Weeks:
    """The coming weeks as a repetition of the last full weeks on record, with the days before that still act.

    `source` is the bin of the record that stands for each bin; the first `warm` of them are the days before.
    """

    source: IntArray
    warm: int
    day: IntArray  # (n_bins,) 0 to DAYS − 1, without the days before
    observed: BoolArray
    source_day: IntArray  # (DAYS,)
    starts: IntArray  # first position in `source` of each day, those before included

    @staticmethod
    def after(grid: Grid) -> _Weeks:
        period = min(DAYS, 7 * (grid.n_days // 7) or grid.n_days)  # whole weeks: a Monday stands for a Monday
        days = grid.n_days - period + np.arange(-WARM_UP_DAYS, DAYS) % period
        pieces = [np.arange(*np.searchsorted(grid.day, [d, d + 1])) for d in days]
        lengths = np.array([piece.size for piece in pieces])
        source, warm = np.concatenate(pieces), int(lengths[:WARM_UP_DAYS].sum())
        return _Weeks(
            source=source,
            warm=warm,
            day=np.repeat(np.arange(DAYS), lengths[WARM_UP_DAYS:]),
            observed=grid.observed[source[warm:]],
            source_day=days[WARM_UP_DAYS:],
            starts=np.concatenate([[0], np.cumsum(lengths)]),
        )

    def bins_of(self, day: int) -> slice:
        """Positions in `source` of a day; negative for the days before."""
        return slice(int(self.starts[day + WARM_UP_DAYS]), int(self.starts[day + WARM_UP_DAYS + 1]))

    def by_day(self, feature: FloatArray) -> FloatArray:
        """Sum over the days, shape (n_rows, DAYS)."""
        return np.stack([np.bincount(self.day, weights=row, minlength=DAYS) for row in feature])


def _completed(
    driver: FloatArray, missing: BoolArray, grid: Grid, weeks: _Weeks, rng: np.random.Generator
) -> FloatArray:
    """Fill what was not recorded, on days badly recorded, with what was at that hour of a well recorded day."""
    future, good = driver[:, weeks.source].copy(), _recorded_days(missing, grid)
    if not good.size:
        return future
    for day in range(-WARM_UP_DAYS, DAYS):
        bins = weeks.bins_of(day)
        gaps = missing[weeks.source[bins]]
        if gaps.any() and grid.day[weeks.source[bins.start]] not in good:
            whole = future[:, bins].copy()
            _copy_day(whole, driver, grid, int(rng.choice(good)))
            future[:, bins] = np.where(gaps, whole, future[:, bins])
    return future


def _copy_day(into: FloatArray, driver: FloatArray, grid: Grid, day: int) -> None:
    """Write a day of the record over another, which may be an hour shorter or longer."""
    first, end = np.searchsorted(grid.day, [day, day + 1])
    length = min(into.shape[1], int(end - first))
    into[:, :length] = driver[:, first : first + length]


def _changed(
    scenario: Scenario, future: FloatArray, driver: FloatArray, grid: Grid, weeks: _Weeks, rng: np.random.Generator
) -> FloatArray:
    """Avoid an exposure on the scenario's days (its driver is the lowest on record) or seek it (a day with much)."""
    assert scenario.days is not None
    future = future.copy()
    low = driver[:, grid.observed].min(axis=1, keepdims=True)
    amount = np.bincount(grid.day, weights=driver[0] * grid.observed, minlength=grid.n_days)
    high = np.argsort(amount, kind="stable")[-max(1, round(HIGH_DAYS * grid.n_days)) :]
    for day in np.flatnonzero(scenario.days):
        bins = weeks.bins_of(int(day))
        if scenario.do == "avoid":
            future[:, bins] = low
        else:
            _copy_day(future[:, bins], driver, grid, int(rng.choice(high)))
    return future


# -- the parameters ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Members:
    """Parameters as drawn, with columns for triggers that could not be fitted and are to be recorded from now on.

    Of these nothing is known but the prior: they are put in as it says, and all else is lowered in turn, so that the
    number of episodes stays what it was.
    """

    triggers: tuple[str, ...]
    n_background: int
    z: BoolArray  # (n_draws, n_triggers)
    entry: IntArray
    amplitude: FloatArray
    background: FloatArray  # (n_draws, n_background)
    echo: FloatArray  # (n_draws,)
    echo_tau: IntArray
    kept: FloatArray  # (n_draws, DAYS) what dampers leave of the rate
    nu: FloatArray
    chain: IntArray

    @staticmethod
    def of(posterior: Posterior, recorded: Sequence[str], rng: np.random.Generator) -> _Members:
        tables, n = posterior.tables, posterior.tables.n_background
        new = [t for t in posterior.design.triggers if t.id in recorded and t.id not in tables.triggers]
        z, entry = posterior.z[:, n:-1], posterior.entry[:, n:-1]
        rest = np.ones(len(z))
        put_in = [_from_prior(trigger, posterior, len(z), rng) for trigger in new]
        for _, _, expected in put_in:
            rest *= 1 - np.minimum(expected / len(posterior.design.onsets), 0.9)
        amplitude = posterior.amplitude[:, n:-1] * rest[:, None]
        weeks = _Weeks.after(posterior.design.grid)
        logs = np.zeros((len(z), DAYS))
        for m, damper in enumerate(posterior.dampers):
            logs -= posterior.delta[:, [m]] * damper.dose[posterior.tau[:, m]][:, weeks.source_day]
        return _Members(
            triggers=(*tables.triggers, *(t.id for t in new)),
            n_background=n,
            z=np.column_stack([z, *(one[0] for one in put_in)]),
            entry=np.column_stack([entry, *(one[1] for one in put_in)]),
            amplitude=np.column_stack([amplitude, *(one[2] for one in put_in)]),
            background=posterior.amplitude[:, :n] * rest[:, None],
            echo=posterior.amplitude[:, -1],
            echo_tau=posterior.entry[:, -1],
            kept=np.exp(logs),
            nu=posterior.nu,
            chain=posterior.chain,
        )

    def where(self, rows: IntArray) -> _Members:
        arrays = {
            f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("triggers", "n_background")
        }
        return replace(self, **arrays)


def _from_prior(
    trigger: Trigger, posterior: Posterior, n: int, rng: np.random.Generator
) -> tuple[BoolArray, IntArray, FloatArray]:
    n_entries = len(MEAN_LAGS_MIN) * drivers_of(trigger, posterior.design.grid)[0].shape[0]
    weight = np.exp(log_lag_prior(trigger.lag_min, n_entries))
    z = rng.random(n) < trigger.prior
    mean = TRIGGER_SHARE * max(len(posterior.design.onsets), 3)
    amplitude = np.where(z, rng.gamma(TRIGGER_SHAPE, mean / TRIGGER_SHAPE, n), 0.0)
    return z, rng.choice(n_entries, n, p=weight / weight.sum()), amplitude


# -- the intensities ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Feature:
    """A trigger's features over the coming weeks: as they are, as seen at logged onsets, and summed over days."""

    exact: FloatArray  # (n_entries, n_bins)
    logged: FloatArray
    by_day: FloatArray  # (n_entries, DAYS)


@dataclass(frozen=True, eq=False, slots=True)
class _View:
    """The features of the coming weeks, and how those of a changed driver are computed."""

    background: _Feature
    triggers: dict[str, _Feature]
    future: dict[str, FloatArray]  # drivers over the coming weeks
    driver: dict[str, FloatArray]  # and on record
    total: dict[str, FloatArray]  # of each entry over the record: features of the fit sum to 1
    kernels: Kernels
    logging: _Logging

    @staticmethod
    def of(posterior: Posterior, people: _Members, weeks: _Weeks, *, recorded: bool = False) -> _View:
        grid, named = posterior.design.grid, {t.id: t for t in posterior.design.triggers}
        heard = Kernels(grid.n_bins, backwards=False).heard(grid.observed.astype(float))
        logging = _Logging.of(posterior, weeks)
        rng = np.random.default_rng(0)  # which recorded day stands for one that was not: alike for all scenarios
        drivers, future, total = {}, {}, {}
        for name in people.triggers:
            drivers[name], missing = drivers_of(named[name], grid)
            future[name] = drivers[name][:, weeks.source]
            if recorded:
                future[name] = _completed(drivers[name], missing, grid, weeks, rng)
            total[name] = (drivers[name] @ heard.T).ravel()
        view = _View(
            background=logging.feature(posterior.tables.background[:, weeks.source[weeks.warm :]], weeks),
            triggers={},
            future=future,
            driver=drivers,
            total=total,
            kernels=Kernels(weeks.source.size, backwards=False),
            logging=logging,
        )
        view.triggers.update({name: view.feature(name, future[name], weeks) for name in people.triggers})
        return view

    def feature(self, name: str, future: FloatArray, weeks: _Weeks) -> _Feature:
        """Return the features of a trigger whose driver over the coming weeks is given."""
        lagged = self.kernels.convolve(future)[:, weeks.warm :] * weeks.observed
        total = self.total[name][:, None]
        return self.logging.feature(np.divide(lagged, total, out=np.zeros_like(lagged), where=total > 0), weeks)


@dataclass(frozen=True, eq=False, slots=True)
class _Logging:
    """How far a logged onset lies from the true one: a normal error, or known to the day only."""

    sd_bins: float
    whole_day: bool

    @staticmethod
    def of(posterior: Posterior, weeks: _Weeks) -> _Logging:
        onsets = posterior.design.onsets
        timed = [o.sd_min for o in onsets if not o.whole_day]
        return _Logging(float(np.median(timed)) / BIN_MIN if timed else 0.0, 2 * len(timed) < len(onsets))

    def feature(self, exact: FloatArray, weeks: _Weeks) -> _Feature:
        by_day = weeks.by_day(exact)
        return _Feature(exact, self._smoothed(exact, by_day, weeks), by_day)

    def _smoothed(self, exact: FloatArray, by_day: FloatArray, weeks: _Weeks) -> FloatArray:
        if self.whole_day:
            of_day = np.bincount(weeks.day, weights=weeks.observed, minlength=DAYS)
            return np.asarray((by_day / np.maximum(of_day, 1))[:, weeks.day])
        if self.sd_bins < 0.5:
            return exact
        reach = ONSET_WINDOW_MIN // BIN_MIN
        window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / self.sd_bins) ** 2)
        seen = np.convolve(weeks.observed.astype(float), window, mode="same")
        rows = np.stack([np.convolve(row, window, mode="same") for row in exact])
        return np.asarray(np.divide(rows, seen, out=np.zeros_like(rows), where=weeks.observed))

    def logged(self, row: IntArray, at: IntArray, weeks: _Weeks, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Move onsets by the error with which they are logged; where that ends outside observed time they stay."""
        if self.whole_day:
            return row, at
        moved = np.clip(at + np.round(rng.normal(0, self.sd_bins, at.size)).astype(np.int64), 0, weeks.day.size - 1)
        moved = np.where(weeks.observed[moved], moved, at)
        order = np.lexsort((moved, row))
        return row[order], moved[order]


def _foresight(
    scenario: Scenario, posterior: Posterior, people: _Members, weeks: _Weeks, plain: _View, full: _View, seed: int
) -> Foresight:
    truth, seen = _features(scenario, posterior.design.grid, weeks, plain, full, np.random.default_rng(seed))
    halves = []
    for drawn_from, weighed in ((0, 1), (1, 0)):
        rng = np.random.default_rng([seed, drawn_from])
        givers = people.where(_givers(people, drawn_from))
        row, at = plain.logging.logged(*_futures(givers, plain.background, truth, weeks, rng), weeks, rng)
        judges = people.where(np.flatnonzero(people.chain == weighed))
        halves.append(_weigh(judges, plain.background, seen, weeks, row, at))
    return Foresight(
        scenario=scenario,
        fall=np.concatenate([half.entropy_before - half.entropy_after for half in halves]),
        p_after=np.concatenate([half.p for half in halves]),
        triggers=people.triggers,
        effective=float(np.median(np.concatenate([half.effective for half in halves]))),
    )


def _features(
    scenario: Scenario, grid: Grid, weeks: _Weeks, plain: _View, full: _View, rng: np.random.Generator
) -> tuple[dict[str, _Feature], dict[str, _Feature]]:
    """Return the triggers' features as they will be and as they will be known."""
    truth, seen, name = dict(full.triggers), dict(plain.triggers), scenario.trigger
    if scenario.do == "record":
        seen[name] = truth[name]
    elif scenario.do != "go_on":
        future = _changed(scenario, full.future[name], full.driver[name], grid, weeks, rng)
        truth[name] = seen[name] = full.feature(name, future, weeks)
    return truth, seen


def _givers(people: _Members, chain: int) -> IntArray:
    rows = np.flatnonzero(people.chain == chain)
    return np.asarray(rows[np.linspace(0, rows.size - 1, DRAWS_A_CHAIN).astype(int)])


def _futures(
    people: _Members, background: _Feature, features: dict[str, _Feature], weeks: _Weeks, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Draw one course of the weeks from each row of parameters; return row and bin of the onsets."""
    rate = people.background @ background.exact
    for k, name in enumerate(people.triggers):
        on = np.flatnonzero(people.z[:, k])
        rate[on] += people.amplitude[on, k, None] * features[name].exact[people.entry[on, k]]
    weight = rng.standard_gamma(people.nu[:, None], (len(rate), DAYS)) / people.nu[:, None] * people.kept
    decay = np.exp(-BIN_MIN / np.array(ECHO_TAUS_MIN))[people.echo_tau]
    return draw_onsets(rng, rate, weight, weeks.day, weeks.observed, people.echo, decay)


@dataclass(frozen=True, eq=False, slots=True)
class _Weighed:
    p: FloatArray  # (n_futures, n_triggers)
    entropy_before: float
    entropy_after: FloatArray  # (n_futures,)
    effective: FloatArray  # (n_futures,)


def _weigh(
    people: _Members, background: _Feature, features: dict[str, _Feature], weeks: _Weeks, row: IntArray, at: IntArray
) -> _Weighed:
    """Weigh the draws of the parameters by each course of the weeks.

    The likelihood has the day multipliers integrated out:
    Σ_i log λ(t_i) + Σ_d [log Γ(ν + N_d) − log Γ(ν) + ν log ν − (ν + N_d) log(ν + Λ_d)].
    """
    taus = np.array(ECHO_TAUS_MIN)
    decay = np.exp(-BIN_MIN / taus)
    echo_at, echo_day = echo_tables(row, at, DRAWS_A_CHAIN, weeks.day, weeks.observed, BIN_MIN / taus, decay)
    chosen = [features[name] for name in people.triggers]
    entries = max((one.by_day.shape[0] for one in chosen), default=1)
    log_likelihood = log_likelihoods(
        people.background,
        np.ascontiguousarray(background.logged[:, at]),
        background.by_day,
        people.z,
        people.entry,
        people.amplitude,
        _stacked([one.logged[:, at] for one in chosen], entries, at.size),
        _stacked([one.by_day for one in chosen], entries, DAYS),
        people.echo,
        people.echo_tau,
        echo_at,
        echo_day,
        people.kept,
        people.nu,
        np.searchsorted(row, np.arange(DRAWS_A_CHAIN + 1)),
        weeks.day[at],
        _rank(row * DAYS + weeks.day[at]),
    )
    return _probabilities(log_likelihood, people.z)


def _rank(label: IntArray) -> IntArray:
    """Count how many rows before each one have its label; equal labels are neighbours."""
    first = np.concatenate([[True], np.diff(label) != 0])
    return np.asarray(np.arange(label.size) - np.maximum.accumulate(np.where(first, np.arange(label.size), 0)))


def _stacked(tables: list[FloatArray], n_entries: int, width: int) -> FloatArray:
    """Put tables of up to `n_entries` rows together, shape (n_tables, n_entries, width)."""
    out = np.zeros((len(tables), n_entries, width))
    for k, table in enumerate(tables):
        out[k, : len(table)] = table
    return out


def _probabilities(log_weight: FloatArray, z: BoolArray) -> _Weighed:
    """Return the triggers' probabilities under each row of weights, and how much entropy they hold [bits].

    The entropy of an estimated probability is too small, by 1/(2n) nats for one estimated from n independent draws
    (Miller 1955, "Note on the bias of information estimates"); that is put back, n being what the weights are worth.
    """
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    effective = 1 / (weight**2).sum(axis=1)
    p = weight @ z
    before = z.mean(axis=0)
    return _Weighed(
        p=p,
        entropy_before=float(_entropy(before, float(len(z))).sum()),
        entropy_after=_entropy(p, effective[:, None]).sum(axis=1),
        effective=effective,
    )


def _entropy(p: FloatArray, n: FloatArray | float) -> FloatArray:
    """Entropy of each probability [bits], with Miller's correction where it was met at all."""
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    plain = -inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside)
    correction = np.where((p > 0) & (p < 1), 1 / (2 * np.log(2) * n), 0.0)
    return np.minimum(plain + np.minimum(correction, plain), 1.0)

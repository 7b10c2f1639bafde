"""What was measured around each episode?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from unaji.body.pathways import Measured, heat_excess_k, met_from_activity, skin_above_expected
from unaji.causes.design import BIN_MIN, Grid
from unaji.causes.features import hold
from unaji.causes.grid import bin_of, mask_of
from unaji.causes.observed import BODY_TEMPERATURES, FEVER_REACH, in_fever
from unaji.records.timeline import BoolArray, Episode, FloatArray, Interval, Series, Timeline, utc_ms
from unaji.signals.activity import activity_on_grid, activity_series
from unaji.signals.grid import mean_on_grid

BIN_S = BIN_MIN * 60.0
AIR_SITES = ("near_body", "indoor", "")
"""Air around the person, best first. Air outdoors says little of a person who may be indoors."""
AIR_HOLD_MIN = 60
QUIET_BEFORE, QUIET_AFTER = timedelta(hours=1), timedelta(hours=3)
"""Skin temperature this close to an episode takes no part in learning what is usual."""
LOOK_BEFORE, LOOK_AFTER = timedelta(minutes=10), timedelta(minutes=30)
"""A flush is at 63 % after two minutes and is gone after some ten; onsets are logged to within half an hour."""
CORE_REACH = FEVER_REACH
HOUR = timedelta(hours=1)
HEAT_KINDS = ("hot_bath", "hot_meal", "exercise", "warm_clothing", "sun")
LOAD_KINDS = ("desk_work", "phone")
STIFF = 6.0


@dataclass(frozen=True, slots=True)
class Nearby:
    """What was measured around one episode.

    Attributes
    ----------
    for_pathway : Measured
        What the pathway is judged from.
    shown : dict of str to float
        What a card shows, by name with unit: ``neck_skin_rise_k``, ``neck_skin_rise_sd_k``, ``wrist_skin_rise_k``,
        ``air_temp_c``, ``heat_excess_k``, ``core_temp_c``, ``sympathetic_index``.
    fever : bool
    """

    for_pathway: Measured
    shown: dict[str, float]
    fever: bool


@dataclass(frozen=True, eq=False, slots=True)
class Around:
    """Signals on the grid that episodes are looked up in.

    Attributes
    ----------
    nape_rise_k, wrist_rise_k : ndarray, shape (n_bins,)
        Skin above what air, activity and time of day explain; NaN where not measured.
    nape_sd_k : float
        Spread of `nape_rise_k` at quiet times.
    heat_excess_k : ndarray, shape (n_bins,)
    """

    nape_rise_k: FloatArray
    nape_sd_k: float
    wrist_rise_k: FloatArray
    air_temp_c: FloatArray
    heat_excess_k: FloatArray


def around(timeline: Timeline, grid: Grid) -> Around:
    """Compute the signals that episodes are looked up in, once for all episodes."""
    air, near_body = _air(timeline, grid)
    met = _met(timeline, grid)
    quiet = ~mask_of(grid, [Interval(e.start - QUIET_BEFORE, e.start + QUIET_AFTER) for e in timeline.episodes])
    nape, wrist = timeline.of("neck_skin_temp_c"), timeline.of("skin_temp_c", "wrist")
    nape_rise, nape_sd = _rise(nape, air, met, grid, quiet)
    wrist_rise, _ = _rise(wrist, air, met, grid, quiet)
    return Around(nape_rise, nape_sd, wrist_rise, air, heat_excess_k(air, met, near_body=near_body))


def nearby(episode: Episode, around: Around, timeline: Timeline, grid: Grid, fever: tuple[Interval, ...]) -> Nearby:
    """Look one episode up.

    Of an episode known by its date alone nothing but the body temperature of that day can be said.
    """
    core_c = _core(timeline, episode)
    feverish = in_fever(episode.start, episode.whole_day, fever)
    if episode.whole_day:
        shown = {} if core_c is None else {"core_temp_c": core_c}
        return Nearby(Measured(core_temp_c=core_c), shown, feverish)
    window = slice(*(max(0, bin_of(grid, episode.start + d)) for d in (-LOOK_BEFORE, LOOK_AFTER)))
    before = slice(*(max(0, bin_of(grid, episode.start + d)) for d in (-LOOK_AFTER, LOOK_BEFORE)))
    nape = _mean(around.nape_rise_k[window])
    measured = Measured(
        nape_rise_k=nape,
        nape_rise_sd_k=None if nape is None else around.nape_sd_k,
        core_temp_c=core_c,
        heat_excess_k=_mean(around.heat_excess_k[before]),
        logged_heat=any(_logged(timeline, kind, episode.start) for kind in HEAT_KINDS),
        logged_load=any(_logged(timeline, kind, episode.start) for kind in LOAD_KINDS)
        or _stiff(timeline, episode.start),
    )
    found = {
        "neck_skin_rise_k": nape,
        "neck_skin_rise_sd_k": measured.nape_rise_sd_k,
        "wrist_skin_rise_k": _mean(around.wrist_rise_k[window]),
        "air_temp_c": _mean(around.air_temp_c[before]),
        "heat_excess_k": measured.heat_excess_k,
        "core_temp_c": core_c,
    }
    shown = {name: value for name, value in found.items() if value is not None}
    return Nearby(measured, shown, feverish)


def _air(timeline: Timeline, grid: Grid) -> tuple[FloatArray, bool]:
    for site in AIR_SITES:
        series = timeline.of("air_temp_c", site)
        if series is not None and len(series):
            value = mean_on_grid(series, grid.time, BIN_S).value
            return hold(value, AIR_HOLD_MIN // BIN_MIN), site == "near_body"
    return np.full(grid.n_bins, np.nan), False


def _met(timeline: Timeline, grid: Grid) -> FloatArray:
    series = activity_series(timeline)
    if series is None:
        return np.full(grid.n_bins, np.nan)
    return met_from_activity(activity_on_grid(series, grid.time, BIN_S).value)


def _rise(
    skin: Series | None, air: FloatArray, met: FloatArray, grid: Grid, quiet: BoolArray
) -> tuple[FloatArray, float]:
    if skin is None:
        return np.full(grid.n_bins, np.nan), float("nan")
    return skin_above_expected(mean_on_grid(skin, grid.time, BIN_S).value, air, met, grid.local_hour, quiet)


def _core(timeline: Timeline, episode: Episode) -> float | None:
    """Highest body temperature within half a day of the episode (of its day where only the date is known)."""
    around = (timedelta(0), timedelta(hours=24)) if episode.whole_day else (-CORE_REACH, CORE_REACH)
    low, high = (utc_ms(episode.start + reach) for reach in around)
    values = [
        series.value[(series.time >= low) & (series.time <= high)]
        for series in timeline.series
        if series.quantity in BODY_TEMPERATURES
    ]
    found = np.concatenate(values) if values else np.empty(0)
    return float(found.max()) if found.size else None


def _logged(timeline: Timeline, kind: str, onset: datetime) -> bool:
    return any(onset - HOUR <= (e.end or e.start) and e.start <= onset for e in timeline.exposures_of(kind))


def _stiff(timeline: Timeline, onset: datetime) -> bool:
    return any(
        r.value >= STIFF and onset - 3 * HOUR <= r.time <= onset + HOUR for r in timeline.ratings_of("neck_stiffness")
    )


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None

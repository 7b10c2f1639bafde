"""One simulated person with a stated truth: life, causes, episodes, diary, and the best anyone could say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from unaji.errors import UsageError
from unaji.people.episodes import LoggedEpisodes, Oracle, TrueEpisodes, happen, oracle, write_down
from unaji.people.observe import INSIDE, Recording, Signal, record, signal
from unaji.people.outside import Outside
from unaji.people.pathways import draw_pathways
from unaji.people.triggers import CANDIDATES, ECHO
from unaji.people.truth import Intensity, Truth, Wishes, decide
from unaji.people.world import BINS_PER_DAY, BINS_PER_HOUR, World, live
from unaji.records.timeline import BoolArray

FIRST_DAY = date(2025, 4, 7)
"""A Monday."""
SHORTEST_WEEKS, LONGEST_WEEKS = 4, 52
FEVER_H = 44.0
"""How long a fever lasts [h]: two days and the night between."""


@dataclass(frozen=True, eq=False, slots=True)
class SimulatedPerson:
    """One simulated person; arrays per bin have shape (n_bins,), five minutes a bin from `grid_start` on.

    Attributes
    ----------
    timezone : str
        IANA name.
    grid_start : datetime
        First local midnight, UTC.
    observed : ndarray of bool, shape (n_bins,)
        Awake, on a day on which the diary looks used.
    signals : dict of str to Signal
        The candidates shown, as recorded.
    onsets : tuple of datetime
        Logged onsets, UTC, ascending.
    sessions : tuple of datetime
        Treatment sessions, UTC.
    truth : Truth
    parents : tuple of str
        True source of each logged episode: a cause's id, "background", "echo" or "fever".
    pathways : tuple of str
        True pathway of each logged episode.
    true_pathways : tuple of str
        The same of each episode that happened, logged or not.
    oracle : Oracle
        What someone who knows the truth would say of each logged episode.
    fever : (datetime, datetime) or None
        When the person had a fever, UTC.
    world, recording, intensity, true, logged
        What the above was made from.
    """

    timezone: str
    grid_start: datetime
    observed: BoolArray
    signals: dict[str, Signal]
    onsets: tuple[datetime, ...]
    sessions: tuple[datetime, ...]
    truth: Truth
    parents: tuple[str, ...]
    pathways: tuple[str, ...]
    true_pathways: tuple[str, ...]
    oracle: Oracle
    fever: tuple[datetime, datetime] | None
    world: World
    recording: Recording
    intensity: Intensity
    true: TrueEpisodes
    logged: LoggedEpisodes

    def moment(self, hour: float) -> datetime:
        """Return the instant of a local hour counted from the first midnight of the recording, to the second."""
        return self.grid_start + timedelta(seconds=round(hour * 3600))


def simulate_person(
    rng: Generator,
    *,
    weeks: float | None = None,
    causes: Sequence[str] | None = None,
    shares: Mapping[str, float] | None = None,
    lags_min: Mapping[str, float] | None = None,
    null: bool = False,
    target_episodes: float | None = None,
    generator: str | None = None,
    treatment: bool | None = None,
    full_dose_ratio: float | None = None,
    treatment_start: float | None = None,
    fever: bool = False,
    candidates: int | None = None,
    season_mean_c: float | None = None,
    first_day: date = FIRST_DAY,
    timezone: str = "Asia/Tokyo",
    outside: Outside | None = None,
) -> SimulatedPerson:
    """Draw one person; what is None is drawn, the rest is as stated.

    Parameters
    ----------
    rng : Generator
        The same generator state gives the same person.
    weeks : float
        Length of the recording; 4 to 16 when drawn.
    causes : sequence of str
        Ids of `unaji.people.triggers.CANDIDATES`; one to four when drawn. A stated cause is never hidden.
    shares : mapping of str to float
        Share of the primary episodes that each of `causes` sets off (additive generator).
    lags_min : mapping of str to float
        Mean lag of each of `causes` [min]; drawn from its plausible range where it is not stated.
    null : bool
        True for a person whose episodes have no cause at all.
    target_episodes : float
        Expected number before treatment and losses; 10 to 80 when drawn.
    generator : {"additive", "log_linear"}
    treatment : bool
        Whether there is a course of treatment.
    full_dose_ratio : float
        What the treatment does to the rate at full dose; 1 is nothing.
    treatment_start : float
        Share of the recording that has passed when the treatment begins.
    fever : bool
        True adds two days of fever with episodes of their own.
    candidates : int
        How many candidates are shown; 8 to 12 when drawn.
    season_mean_c : float
        Mean outdoor air temperature [°C].
    first_day : date
        A Monday.
    timezone : str
        IANA name of a zone whose offset does not change during the recording.
    outside : Outside
        What of the person lies outside the engine's dictionary; nothing when None.

    Returns
    -------
    SimulatedPerson

    Raises
    ------
    UsageError
        When a stated cause is unknown, named twice or without contrast in this life, or the recording is too short.
    """
    if null and causes:
        raise UsageError(f"a person without any cause cannot have the causes {', '.join(causes)}")
    if first_day.weekday() != 0:
        raise ValueError(f"first_day must be a Monday, got {first_day.isoformat()}")
    draw_life, draw_recording, draw_truth, draw_episodes, draw_diary, draw_shown, draw_ways = rng.spawn(7)
    length = weeks if weeks is not None else draw_life.uniform(4, 16)
    if not SHORTEST_WEEKS <= length <= LONGEST_WEEKS:  # also refuses NaN
        limits = f"at least {SHORTEST_WEEKS} weeks and at most {LONGEST_WEEKS}"
        raise UsageError(f"a simulated person needs {limits}, got {length:g}")
    n_days = round(length * 7)
    grid_start = _midnight(first_day, timezone, n_days)

    world = live(draw_life, n_days, season_mean_c=season_mean_c)
    recording = record(draw_recording, world, outside or INSIDE)
    fever_h = _fever_hours(draw_ways, n_days) if fever else None
    fever_bins = None if fever_h is None else slice(*(int(h * BINS_PER_HOUR) for h in fever_h))
    wishes = Wishes(
        causes, shares, lags_min, null, target_episodes, generator, treatment, full_dose_ratio, treatment_start, outside
    )
    truth, intensity = decide(draw_truth, world, wishes, fever_bins)
    true = happen(draw_episodes, intensity, truth.echo)
    logged = write_down(draw_diary, true, recording.logging, truth.rounding_min, truth.omission_share)

    names = (*intensity.sources, ECHO)
    true_pathways = draw_pathways(draw_ways, tuple(names[root] for root in true.root))
    hours = [grid_start + timedelta(minutes=round(hour * 60)) for hour in logged.hour]
    session_h = truth.treatment.session_h if truth.treatment else ()
    return SimulatedPerson(
        timezone=timezone,
        grid_start=grid_start,
        observed=world.awake[world.period] & np.repeat(recording.used, BINS_PER_DAY),
        signals={name: signal(world, recording, name) for name in _shown(draw_shown, truth, candidates)},
        onsets=tuple(hours),
        sessions=tuple(grid_start + timedelta(minutes=round(hour * 60)) for hour in session_h),
        truth=truth,
        parents=tuple(names[source] for source in true.source[logged.of]),
        pathways=tuple(true_pathways[i] for i in logged.of),
        true_pathways=true_pathways,
        oracle=oracle(intensity, truth.echo, true, logged, truth.rounding_min),
        fever=None if fever_h is None else (_at(grid_start, fever_h[0]), _at(grid_start, fever_h[1])),
        world=world,
        recording=recording,
        intensity=intensity,
        true=true,
        logged=logged,
    )


def _at(start: datetime, hour: float) -> datetime:
    return start + timedelta(seconds=round(hour * 3600))


def _midnight(first_day: date, timezone: str, n_days: int) -> datetime:
    zone = ZoneInfo(timezone)
    offsets = {datetime.combine(first_day + timedelta(days=day), time(), zone).utcoffset() for day in range(n_days + 1)}
    if len(offsets) > 1:
        raise ValueError(f"the clocks of {timezone} change during the recording; choose another first day or zone")
    return datetime.combine(first_day, time(), zone).astimezone(UTC)


def _fever_hours(rng: Generator, n_days: int) -> tuple[float, float]:
    """Draw when a fever begins: an evening in the middle half of the recording."""
    start = 24 * int(rng.uniform(0.25, 0.75) * n_days) + rng.uniform(15, 20)
    return start, start + FEVER_H


def _shown(rng: Generator, truth: Truth, candidates: int | None) -> tuple[str, ...]:
    """Return the ids shown, in the order of the list of candidates: the causes but a hidden one, and others."""
    count = int(rng.integers(8, 13)) if candidates is None else candidates
    others = [name for name in CANDIDATES if name not in (*truth.shown_causes, truth.hidden_cause)]
    rng.shuffle(others)
    shown = {*truth.shown_causes, *others[: max(count - len(truth.shown_causes), 0)]}
    return tuple(name for name in CANDIDATES if name in shown)

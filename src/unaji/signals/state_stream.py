"""The autonomic state minute by minute while the recording is still coming in, in constant memory.

What comes out is the filtered state: what is known of a minute from it and all before it, not from what came after (the
smoothed state of `unaji.signals.latent`). It starts from a calibration, which is that of an earlier record of the same
person (`LatentState.calibration`) or what is assumed of anybody. The calibration's loadings and noise stay as they are;
the effects of level, movement, warmth, time of day and sleep go on being learnt from each minute, exactly (recursive
least squares within the Kalman filter, de Jong 1991).

A recording gives the same numbers however it is cut into chunks, because each minute is worked out from a stretch of
fixed length around it, once all of that is there.

References
----------
de Jong P, "The diffuse Kalman filter", Ann Stat, 1991;19:1073-1083. doi:10.1214/aos/1176348139
Agamennoni G, Nieto JI, Nebot EM, "Approximate inference in state-space models with heavy-tailed noise", IEEE Trans
Signal Process, 2012;60:5024-5037 (a measurement's weight from its distance to what was expected).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import (
    Beats,
    BoolArray,
    Exposure,
    FloatArray,
    Person,
    Series,
    TimeArray,
    Timeline,
    Zones,
    utc_ms,
)
from unaji.signals.eda import LONGEST_GAP_S, usual_spacing_s
from unaji.signals.eda_driver import EdaParts, EdaStream
from unaji.signals.eda_windows import EdaWindows, eda_windows
from unaji.signals.latent import LONGEST_GAP_MIN, Calibration, reasons, signals_of, usual_person
from unaji.signals.latent_fit import KEEP, SEEN_OF_STATE, TAIL_FREEDOM, VARIANCE
from unaji.signals.latent_inputs import LONGEST_LAG_MIN, columns_for, inputs_of
from unaji.signals.minutes import MINUTE, STEP_S, Minutes, minutes_on
from unaji.signals.reasons import StateReason

WAIT_MIN = 5
"""Minutes that must have passed after a minute before it is worked out: means over five minutes are known by then."""

SHORTEST_WAIT_MIN = 2
"""What an instant speaks for, and which beats are artefacts, is known after that [min]."""

BEATS_BACK = 2 * MINUTE
"""Beats before a minute that are looked at to tell its artefacts: 60 of them at 30 beats a minute."""

SKIN_BACK = 35 * MINUTE
"""Skin temperature before a minute that is looked at to tell whether the sensor was worn (`unaji.signals.wear`)."""

LONGEST_KEPT = 61 * MINUTE
"""Nothing older is kept; means over more than an hour are not used at all."""

EDA_BREAK_S = 6.0
"""Conductance before and after a longer silence has nothing in common: the margin of an invalid sample is shorter, and
no change is too quick over it [s]."""

TICK = np.timedelta64(1, "ms")
SIGNALS = ("hr_bpm", "rmssd_ms", "scl_microsiemens")


@dataclass(frozen=True, eq=False, slots=True)
class FilteredState:
    """Hidden activity as far as it is known in each minute; NaN where nothing can be said. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of the minutes, UTC.
    sympathetic, sympathetic_sd, vagal, vagal_sd, balance, balance_sd : ndarray
        As in `unaji.signals.latent.LatentState`, given this minute and those before it only.
    additional_hr_bpm, rmssd_reduction_ms : ndarray
        Heart rate above, and RMSSD below what the inputs explain as far as their effects are known by then.
    reason : ndarray of int8
        Values of `unaji.signals.reasons.StateReason`.
    """

    time: TimeArray
    sympathetic: FloatArray
    sympathetic_sd: FloatArray
    vagal: FloatArray
    vagal_sd: FloatArray
    balance: FloatArray
    balance_sd: FloatArray
    additional_hr_bpm: FloatArray
    rmssd_reduction_ms: FloatArray
    reason: NDArray[np.int8]

    def __len__(self) -> int:
        return int(self.time.size)

    @staticmethod
    def joined(parts: Sequence[FilteredState]) -> FilteredState:
        """Join consecutive parts."""
        if not parts:
            return _rows(np.zeros(0, dtype="datetime64[ms]"), [])
        columns: dict[str, Any] = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(FilteredState)
        }
        return FilteredState(**columns)


class _Row(NamedTuple):
    sympathetic: float
    sympathetic_sd: float
    vagal: float
    vagal_sd: float
    balance: float
    balance_sd: float
    additional_hr_bpm: float
    rmssd_reduction_ms: float
    reason: int


def _rows(time: TimeArray, rows: list[_Row]) -> FilteredState:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(_Row._fields))
    columns: dict[str, Any] = dict(zip(_Row._fields, table.T.copy(), strict=True))
    return FilteredState(time=time, **columns | {"reason": columns["reason"].astype(np.int8)})


def filtered_state(
    timeline: Timeline, *, calibration: Calibration | None = None, wait_min: int = WAIT_MIN
) -> FilteredState:
    """Return what `StateStream` gives of a whole timeline.

    Parameters
    ----------
    timeline : Timeline
        As `unaji.signals.latent.latent_state` reads it.
    calibration, wait_min
        As in `StateStream`.
    """
    conductance = timeline.of("scl_microsiemens")
    spacing_s = usual_spacing_s(conductance.time) if conductance is not None and len(conductance) > 1 else 0.25
    stream = StateStream(calibration, zones=timeline.zones, eda_spacing_s=spacing_s, wait_min=wait_min)
    ends = [known_at(s).max() for s in timeline.series if len(s)]
    ends += [timeline.beats.time[-1]] if timeline.beats else []
    if not ends:
        return FilteredState.joined([])
    chunk = stream.push(
        max(ends) + TICK, beats=timeline.beats, series=timeline.series, sleep=timeline.exposures_of("sleep")
    )
    return FilteredState.joined([chunk, stream.finish()])


class StateFilter:
    """Takes in minutes and says after each what is known of the two curves.

    Parameters
    ----------
    calibration : Calibration, optional
        Default: what is assumed of anybody.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._known = calibration or usual_person()
        fitted = self._known.signals
        columns = [columns_for(s.name) for s in fitted]
        self._columns = np.concatenate(columns)
        self._own = np.cumsum([0] + [len(c) for c in columns]).astype(np.int64)
        self._loading = np.array([[s.sympathetic, s.vagal, s.drift] for s in fitted])
        self._load = self._loading @ SEEN_OF_STATE
        self._precision = np.linalg.inv(self._known.effect_cov)
        self._pull = self._precision @ self._known.effect
        self._effect = self._known.effect.copy()
        k = 1 + self._effect.size
        self._mean, self._cov, self._moments = np.zeros((KEEP.size, k)), np.diag(VARIANCE), np.zeros((k, k))
        self._met = np.zeros(len(fitted), dtype=bool)
        self._since = np.inf  # minutes since the last measurement
        self._last: np.datetime64 | None = None
        self._moved = np.zeros(0)

    def push(self, minutes: Minutes) -> FilteredState:
        """Take in the minutes that follow those before.

        Raises
        ------
        ValueError
            If they do not follow: a minute without a measurement has a row too.
        """
        if not minutes.time.size:
            return _rows(minutes.time, [])
        if self._last is not None and minutes.time[0] != self._last + MINUTE:
            raise ValueError(f"the minute {minutes.time[0]} does not follow {self._last}")
        inputs = self._inputs(minutes)
        y, noise = self._measured(minutes)
        rows = [self._step(y[t], noise[t], inputs[t]) for t in range(minutes.time.size)]
        self._last = minutes.time[-1]
        return _rows(minutes.time, rows)

    def _inputs(self, minutes: Minutes) -> FloatArray:
        """Return each minute's inputs, signal after signal; the movement of the minutes before is remembered."""
        n = minutes.time.size
        moved = np.full(n, np.nan) if minutes.movement is None else minutes.movement
        moved = np.concatenate((self._moved, moved))
        before = self._moved.size
        self._moved = moved[max(0, moved.size - LONGEST_LAG_MIN) :].copy()
        longer: dict[str, Any] = {f.name: _after(getattr(minutes, f.name), before) for f in fields(minutes)}
        longer["time"] = minutes.time[0] + MINUTE * np.arange(-before, n)
        found = inputs_of(Minutes(**longer | {"movement": moved}), self._known.inputs)
        return np.ascontiguousarray(found[before:, self._columns])

    def _measured(self, minutes: Minutes) -> tuple[FloatArray, FloatArray]:
        """Return the signals about their centre in units of their spread, and the variance of their noise."""
        measured = signals_of(minutes)
        nothing = np.full(minutes.time.size, np.nan), np.ones(minutes.time.size)
        of = [measured.get(s.name, nothing) for s in self._known.signals]
        fitted = self._known.signals
        y = [(value - s.centre) / s.spread for s, (value, _) in zip(fitted, of, strict=True)]
        noise = [s.noise_variance / quality for s, (_, quality) in zip(fitted, of, strict=True)]
        return np.stack(y, axis=1), np.stack(noise, axis=1)

    def _step(self, y: FloatArray, noise: FloatArray, inputs: FloatArray) -> _Row:
        from unaji.signals._kernels_latent import filter_one, predict  # noqa: PLC0415  (numba is slow to load)

        seen: BoolArray = np.isfinite(y)
        predict(self._mean, self._cov, KEEP, VARIANCE)  # from the stationary start it leads to itself
        filter_one(
            np.where(seen, y, 0.0), inputs, self._own, seen, noise, self._load, self._effect, TAIL_FREEDOM,
            self._mean, self._cov, self._moments,
        )  # fmt: skip
        self._met |= seen
        self._since = 0.0 if seen.any() else self._since + 1.0
        view = SEEN_OF_STATE[:2] @ self._mean
        by_effect = view[:, 1:]
        right = np.column_stack((self._pull + self._moments[1:, 0], by_effect.T))
        solved = np.linalg.solve(self._precision + self._moments[1:, 1:], right)
        self._effect = np.ascontiguousarray(solved[:, 0])
        curve = view[:, 0] - by_effect @ self._effect
        cov = SEEN_OF_STATE[:2] @ self._cov @ SEEN_OF_STATE[:2].T + by_effect @ solved[:, 1:]
        return self._described(curve, cov, y, inputs)

    def _described(self, curve: FloatArray, cov: FloatArray, y: FloatArray, inputs: FloatArray) -> _Row:
        additional = (self._above("hr", y, inputs), -self._above("rmssd", y, inputs))
        if self._since > LONGEST_GAP_MIN:
            nothing = StateReason.GAP if self._met.any() else StateReason.NO_SIGNAL
            return _Row(*(np.nan,) * 6, *additional, nothing)
        sd = np.sqrt(np.diag(cov))
        balance_sd = np.sqrt((cov[0, 0] + cov[1, 1] - 2.0 * cov[0, 1]) / 2.0)
        balance = (curve[0] - curve[1]) / np.sqrt(2.0)
        reason = reasons(self._loading[self._met], np.array([self._since]))[0]
        return _Row(curve[0], sd[0], curve[1], sd[1], balance, balance_sd, *additional, reason)

    def _above(self, name: str, y: FloatArray, inputs: FloatArray) -> float:
        """Return by how much a signal stands above what is explained, in its own unit."""
        for c, signal in enumerate(self._known.signals):
            if signal.name == name:
                own = slice(self._own[c], self._own[c + 1])
                explained = float(inputs[own] @ self._effect[own])
                measured, expected = np.exp(signal.centre + signal.spread * np.array([y[c], explained]))
                return float(measured - expected)
        return float("nan")


class StateStream:
    """Takes a recording in chunks and gives the state of each minute once it is settled.

    Parameters
    ----------
    calibration : Calibration, optional
        What is known of the person, as `LatentState.calibration` of an earlier record; default: as of anybody.
    zones : Zones
        The person's clock.
    eda_spacing_s : float
        Time between samples of skin conductance [s].
    wait_min : int
        Minutes after a minute that must have passed before it is worked out. A mean over a longer time than that, known
        only at its end, comes too late for the first of its minutes.

    Notes
    -----
    With skin conductance a minute is known up to 26 minutes late, since responses are found in blocks of 20 minutes
    (`unaji.signals.eda_driver.EdaStream`); without, after `wait_min` minutes. Minutes begin with the first of heart or
    skin conductance and go on through silence, which has a reason, to the last `until`.

    Below it stand `EcgDetector` or `PpgDetector`, whose beats come some seconds late: let `until` be no later than the
    instant up to which they have decided.

    The minutes are those of `unaji.signals.minutes.minutes_on`, but for three things that only hindsight can tell: a
    sensor taken off is noticed by what came within `wait_min`, a sleep holds from its start, and of several sources the
    one counts that is there (give one of each).
    """

    def __init__(
        self,
        calibration: Calibration | None = None,
        *,
        zones: Zones | None = None,
        eda_spacing_s: float = 0.25,
        wait_min: int = WAIT_MIN,
    ) -> None:
        if wait_min < SHORTEST_WAIT_MIN:
            raise ValueError(f"wait_min must be at least {SHORTEST_WAIT_MIN}, got {wait_min}")
        self._filter = StateFilter(calibration)
        self._zones = zones or Zones()
        self._eda = _EdaSoFar(eda_spacing_s)
        self._wait = wait_min * MINUTE
        self._beats: Beats | None = None
        self._series: dict[tuple[str, str], Series] = {}
        self._sleep: list[Exposure] = []
        self._until: np.datetime64 | None = None
        self._next: np.datetime64 | None = None  # the minute to come
        self._finished = False

    def push(
        self,
        until: np.datetime64,
        *,
        beats: Beats | None = None,
        series: Sequence[Series] = (),
        sleep: Sequence[Exposure] = (),
    ) -> FilteredState:
        """Take in all that became known since the last chunk and before `until`; give what is settled.

        Parameters
        ----------
        until : datetime64
            Everything before this instant has now been given (UTC).
        beats : Beats, optional
        series : sequence of Series
            An instant is known at its time, a mean or total just before the end of its interval.
        sleep : sequence of Exposure
            Known from its start.

        Raises
        ------
        ValueError
            If something is older than the last `until` or not older than this one, or the stream was finished.
        """
        until = until.astype("datetime64[ms]")
        if self._finished:
            raise ValueError("the stream was finished: begin a new one")
        if self._until is not None and until < self._until:
            raise ValueError(f"until goes back from {self._until} to {until}")
        for what, known in _moments(beats, series, sleep):
            self._check(what, known, until)
        self._take_in(beats, series, sleep)
        self._until = until
        self._eda.silent_until(until)
        return self._advance(min(until - self._wait - MINUTE, self._eda.settled(until) - 3 * MINUTE))

    def finish(self) -> FilteredState:
        """Give the rest; nothing can be pushed thereafter."""
        self._finished = True
        self._eda.finish()
        return FilteredState.joined([]) if self._until is None else self._advance(self._until - TICK)

    def _check(self, what: str, known: TimeArray, until: np.datetime64) -> None:
        if not known.size:
            return
        if self._until is not None and known.min() < self._until:
            raise ValueError(f"{what} of {known.min()} comes too late: the recording was given up to {self._until}")
        if known.max() >= until:
            raise ValueError(f"{what} of {known.max()} is not before the end of this chunk, {until}")

    def _take_in(self, beats: Beats | None, series: Sequence[Series], sleep: Sequence[Exposure]) -> None:
        signals = [s for s in series if s.quantity in SIGNALS]
        first = [known.min() for _, known in _moments(beats, signals, ()) if known.size]
        if first and self._next is None:
            self._next = min(first).astype("datetime64[m]").astype("datetime64[ms]")
        if beats:
            self._beats = _joined_beats(self._beats, beats)
        for one in series:
            if one.quantity == "scl_microsiemens":
                self._eda.push(one)
            elif len(one):
                key = (one.quantity, one.site)
                self._series[key] = _joined_series(self._series.get(key), one)
        self._sleep += sleep

    def _advance(self, last: np.datetime64) -> FilteredState:
        """Work out the minutes that begin up to an instant, and forget what is past."""
        found = []
        while self._next is not None and self._next <= last:
            found.append(self._filter.push(self._minute(self._next)))
            self._next = self._next + MINUTE
        self._forget()
        return FilteredState.joined(found)

    def _minute(self, minute: np.datetime64) -> Minutes:
        """Work out one minute from a stretch around it that does not depend on how the recording was cut."""
        limit = minute + MINUTE + self._wait
        grid = np.array([minute], dtype="datetime64[ms]")
        around = Timeline(
            Person(""),
            zones=self._zones,
            beats=None if self._beats is None else _beats_between(self._beats, minute - BEATS_BACK, limit),
            series=tuple(part for s in self._series.values() if (part := _near(s, minute, limit)) is not None),
            exposures=tuple(s for s in self._sleep if utc_ms(s.start) < limit),
        )
        return minutes_on(grid, around, eda=self._eda.window(grid))

    def _forget(self) -> None:
        upcoming = self._until if self._next is None else self._next
        assert upcoming is not None
        oldest = upcoming - LONGEST_KEPT
        if self._beats is not None:
            self._beats = _beats_between(self._beats, upcoming - BEATS_BACK, None)
        for key, one in self._series.items():
            self._series[key] = _rows_of(one, known_at(one) >= oldest)
        self._sleep = [s for s in self._sleep if s.end is None or utc_ms(s.end) > oldest]
        self._eda.forget(upcoming - MINUTE)


class _EdaSoFar:
    """Skin conductance taken apart as far as it is settled, and not yet forgotten."""

    def __init__(self, spacing_s: float) -> None:
        self._spacing_s = spacing_s
        self._break = np.timedelta64(round(1000.0 * max(EDA_BREAK_S, LONGEST_GAP_S * spacing_s)), "ms")
        self._stream = EdaStream(spacing_s)
        self._waiting: TimeArray = np.zeros(0, dtype="datetime64[ms]")
        self._newest: np.datetime64 | None = None
        self._series: Series | None = None
        self._parts: list[EdaParts] = []

    def push(self, series: Series) -> None:
        if not len(series):
            return
        before = series.time[0] if self._newest is None else self._newest
        breaks = np.flatnonzero(np.diff(series.time, prepend=before) > self._break).tolist()
        for begin, end in pairwise(sorted({0, *breaks, len(series)})):
            if begin in breaks:
                self.finish()
            self._waiting = np.concatenate((self._waiting, series.time[begin:end]))
            self._settle(self._stream.push(series.time[begin:end], series.value[begin:end]))
        self._newest = series.time[-1]
        self._series = _joined_series(self._series, replace(series, end=None))

    def silent_until(self, until: np.datetime64) -> None:
        """Close the piece when the next sample, whenever it comes, will begin another."""
        if self._newest is not None and until - self._newest > self._break:
            self.finish()

    def finish(self) -> None:
        self._settle(self._stream.finish())
        self._stream = EdaStream(self._spacing_s)

    def settled(self, until: np.datetime64) -> np.datetime64:
        """Return the instant before which everything is settled."""
        return self._waiting[0] if self._waiting.size else until

    def window(self, grid: TimeArray) -> EdaWindows | None:
        """Describe a minute, if there was skin conductance around it."""
        if self._series is None:
            return None
        begin, end = grid[0] - MINUTE, grid[0] + 3 * MINUTE
        series = _rows_of(self._series, _between(self._series.time, begin, end))
        if not len(series):
            return None
        parts = _parts_between(self._parts, begin, end)
        return eda_windows(series, grid, STEP_S, parts=parts)

    def forget(self, before: np.datetime64) -> None:
        if self._series is not None:
            self._series = _rows_of(self._series, _between(self._series.time, before, None))
        self._parts = [_parts_between(self._parts, before, None)] if self._parts else []

    def _settle(self, parts: EdaParts) -> None:
        if parts.time.size:
            self._parts.append(parts)
            self._waiting = self._waiting[parts.time.size :]


def known_at(series: Series) -> TimeArray:
    """Return when each row of a series is known: an instant at once, a mean at the last instant of its interval."""
    return series.time if series.end is None else np.maximum(series.time, series.end - TICK)


def _moments(beats: Beats | None, series: Sequence[Series], sleep: Sequence[Exposure]) -> list[tuple[str, TimeArray]]:
    found = [(s.quantity, known_at(s)) for s in series]
    if beats is not None:
        found.append(("a beat", beats.time))
    found.append(("a sleep", np.array([utc_ms(s.start) for s in sleep], dtype="datetime64[ms]")))
    return found


def _near(series: Series, minute: np.datetime64, limit: np.datetime64) -> Series | None:
    """Return the rows that have a say in a minute and are known in time; None when there are none."""
    rows: slice | BoolArray
    if series.end is not None:
        rows = (series.end > minute) & (series.time < minute + MINUTE) & (known_at(series) < limit)
    elif "skin_temp" in series.quantity:
        rows = _between(series.time, minute - SKIN_BACK, limit)
    else:
        rows = _between(series.time, minute - MINUTE, minute + 3 * MINUTE)
    near = _rows_of(series, rows)
    return near if len(near) else None


def _between(time: TimeArray, begin: np.datetime64, end: np.datetime64 | None) -> slice:
    """Return the rows from one instant to before another."""
    return slice(int(np.searchsorted(time, begin)), time.size if end is None else int(np.searchsorted(time, end)))


def _rows_of(series: Series, rows: slice | BoolArray) -> Series:
    end = None if series.end is None else series.end[rows]
    return replace(series, time=series.time[rows], value=series.value[rows], end=end)


def _joined_series(before: Series | None, after: Series) -> Series:
    if before is None:
        return after
    if (before.end is None) != (after.end is None):
        raise ValueError(f"{after.quantity}: instants and intervals in one stream")
    end = None if before.end is None or after.end is None else np.concatenate((before.end, after.end))
    return replace(
        before,
        time=np.concatenate((before.time, after.time)),
        value=np.concatenate((before.value, after.value)),
        end=end,
    )


def _joined_beats(before: Beats | None, after: Beats) -> Beats:
    if before is None:
        return after
    time, rri_ms = np.concatenate((before.time, after.time)), np.concatenate((before.rri_ms, after.rri_ms))
    return Beats(time, rri_ms, np.concatenate((before.gap, after.gap)), before.origin, before.corrected)


def _beats_between(beats: Beats, begin: np.datetime64, end: np.datetime64 | None) -> Beats:
    part = _between(beats.time, begin, end)
    return Beats(beats.time[part], beats.rri_ms[part], beats.gap[part], beats.origin, beats.corrected)


def _parts_between(parts: list[EdaParts], begin: np.datetime64, end: np.datetime64 | None) -> EdaParts:
    """Join what lies between two instants."""
    names = (
        "time",
        "valid",
        "tonic_microsiemens",
        "phasic_microsiemens",
        "driver_microsiemens_s",
        "noise_microsiemens",
    )
    slices = [_between(part.time, begin, end) for part in parts]
    columns: list[Any] = [
        np.concatenate([getattr(part, name)[rows] for part, rows in zip(parts, slices, strict=True)]) for name in names
    ]
    return EdaParts(*columns)


def _after(values: NDArray[Any] | None, n_before: int) -> NDArray[Any] | None:
    """Put n rows before the first that repeat it."""
    return None if values is None else np.concatenate((np.repeat(values[:1], n_before), values))

"""What happens to the simulated persons, step by step: a grid of steps and one value a step for each input.

Most inputs are the same for everybody (the room) or do not change at all, so each is kept once unless it differs
between persons; a thousand persons over a day cost what one does. `Forcing.packed` hands the kernels just that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unaji.body.channels import CHANNELS, MAY_BE_NAN, WHOLE_NUMBERS, Channel, channel
from unaji.body.layout import N_INPUTS, Input
from unaji.records.timeline import FloatArray

IntArray = NDArray[np.int64]
HOUR_S = 3_600.0


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """An input over time: straight lines between knots, held before the first and after the last.

    Two knots at one time are a jump; the earlier value holds up to and at that time, the later one after it.

    Attributes
    ----------
    time_s : ndarray, shape (n_knots,)
        Never descending.
    value : ndarray, shape (n_knots,) or (n_persons, n_knots)
    """

    time_s: FloatArray
    value: FloatArray

    def __post_init__(self) -> None:
        time_s, value = _frozen(self.time_s), _frozen(self.value)
        if time_s.ndim != 1 or not time_s.size or value.ndim not in (1, 2) or value.shape[-1] != time_s.size:
            raise ValueError(f"a course needs one value a knot, got times {time_s.shape} and values {value.shape}")
        if not np.all(np.isfinite(time_s)) or np.any(np.diff(time_s) < 0):
            raise ValueError("the knots of a course must not go back in time")
        object.__setattr__(self, "time_s", time_s)
        object.__setattr__(self, "value", value)

    @classmethod
    def steps(cls, time_s: ArrayLike, value: ArrayLike) -> Course:
        """Hold each value from its time until the next one's."""
        starts, values = np.asarray(time_s, dtype=float), np.asarray(value, dtype=float)
        return cls(np.repeat(starts, 2)[1:], np.repeat(values, 2, axis=-1)[..., :-1])

    def jumps_s(self) -> FloatArray:
        """Return the times at which the value jumps."""
        differs = (np.diff(self.value, axis=-1) != 0).reshape(-1, self.time_s.size - 1).any(axis=0)
        return np.asarray(self.time_s[1:][(np.diff(self.time_s) == 0) & differs])

    def at(self, time_s: FloatArray) -> FloatArray:
        """Return the value up to each time: at a jump, the value before it.

        Returns
        -------
        ndarray, shape (n_times,) or (n_persons, n_times)
        """
        after = np.clip(np.searchsorted(self.time_s, time_s, side="left"), 1, max(self.time_s.size - 1, 1))
        if self.time_s.size == 1:
            return np.broadcast_to(self.value, (*self.value.shape[:-1], time_s.size)).copy()
        start, width = self.time_s[after - 1], np.diff(self.time_s)[after - 1]
        share = np.divide(np.clip(time_s - start, 0.0, width), width, out=np.ones_like(start), where=width > 0)
        before = self.value[..., after - 1]
        # At share 0 and 1 the knots' own values are returned exactly, NaN at the other end included.
        mixed = before + share * (self.value[..., after] - before)
        return np.asarray(np.where(share == 0, before, np.where(share == 1, self.value[..., after], mixed)))


@dataclass(frozen=True, eq=False, slots=True)
class Pulses:
    """An input that acts in single steps and is at its default in all others, such as the insertion of a needle."""

    time_s: FloatArray
    value: FloatArray

    def __post_init__(self) -> None:
        time_s, value = _frozen(self.time_s), _frozen(self.value)
        if time_s.shape != value.shape or time_s.ndim != 1:
            raise ValueError(f"each pulse needs a time and a value, got {time_s.shape} and {value.shape}")
        object.__setattr__(self, "time_s", time_s)
        object.__setattr__(self, "value", value)


def time_grid(
    duration_s: float,
    *,
    dt_s: float = 60.0,
    edges_s: ArrayLike = (),
    fine_dt_s: float = 10.0,
    fine_for_s: float = 600.0,
    quiet_dt_s: float | None = None,
    quiet_after_s: float = 7_200.0,
) -> FloatArray:
    """Return the lengths of the simulator's steps: fine after each edge, coarse where nothing has changed for long.

    Parameters
    ----------
    duration_s : float
        Sum of the steps.
    dt_s : float
        Length of an ordinary step. Every multiple of it is the end of a step, unless it lies in a quiet stretch.
    edges_s : array_like
        Times at which an input jumps or bends; each becomes the end of a step.
    fine_dt_s, fine_for_s : float
        Longest step, and for how long, after each edge.
    quiet_dt_s : float, optional
        Longest step where the last edge is `quiet_after_s` or more away; as `dt_s` when not given.

    Returns
    -------
    ndarray, shape (n_steps,)
        [s]. A flush of skin flow reaches 63 % in 110 s and needs steps of 10 s or less; with 300 s a step of the air
        temperature would leave an error of 0.13 K at the neck's skin after 10 min.
    """
    _check_steps(duration_s, dt_s, fine_dt_s, quiet_dt_s)
    edges = np.unique(np.asarray(edges_s, dtype=float))
    edges = edges[(edges > 0) & (edges < duration_s)]
    regular = np.append(np.arange(0.0, duration_s, dt_s), duration_s)
    regular = regular[np.append(np.diff(regular) > 1e-9 * dt_s, True)]  # no sliver from rounding before the end
    points = regular if quiet_dt_s is None else _without_quiet(regular, edges, quiet_dt_s, quiet_after_s)
    points = np.unique(np.concatenate((points, edges)))
    lengths = np.diff(points)
    since_edge = points[:-1] - np.append(-np.inf, edges)[np.searchsorted(edges, points[:-1], side="right")]
    longest = np.where(since_edge < fine_for_s, fine_dt_s, max(dt_s, quiet_dt_s or 0.0))
    parts = np.ceil(lengths / longest - 1e-9).astype(int)
    return np.repeat(lengths / parts, parts)


def _check_steps(duration_s: float, dt_s: float, fine_dt_s: float, quiet_dt_s: float | None) -> None:
    if not 0 < dt_s <= duration_s or not np.isfinite(duration_s):
        raise ValueError(f"dt_s must be above 0 and at most duration_s ({duration_s:g} s), got {dt_s:g} s")
    if not 0 < fine_dt_s <= dt_s:
        raise ValueError(f"fine_dt_s must be above 0 and at most dt_s ({dt_s:g} s), got {fine_dt_s:g} s")
    if quiet_dt_s is not None and quiet_dt_s < dt_s:
        raise ValueError(f"quiet_dt_s must be at least dt_s ({dt_s:g} s), got {quiet_dt_s:g} s")


def _without_quiet(regular: FloatArray, edges: FloatArray, quiet_dt_s: float, quiet_after_s: float) -> FloatArray:
    """Leave out points of the regular grid that lie in quiet stretches and are no multiple of the quiet step."""
    last = np.concatenate(([0.0], edges))[np.searchsorted(edges, regular, side="left")]
    quiet = regular - last > quiet_after_s
    kept = np.isclose(regular / quiet_dt_s, np.round(regular / quiet_dt_s), rtol=0, atol=1e-9)
    kept |= ~quiet
    kept[[0, -1]] = True
    return np.asarray(regular[kept])


@dataclass(frozen=True, eq=False, slots=True)
class Forcing:
    """All inputs in all steps.

    Attributes
    ----------
    dt_s : ndarray, shape (n_steps,)
        Length of each step [s].
    values : mapping of str to ndarray
        By channel name: shape () where it never changes, (n_steps,) where it is the same for all persons,
        (n_persons, n_steps) where it is each person's own. What is missing is as in the neutral room; the radiant
        temperature is then the air's.
    """

    dt_s: FloatArray
    values: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        dt_s = _frozen(self.dt_s)
        if dt_s.ndim != 1 or not dt_s.size or not np.all(dt_s > 0) or not np.all(np.isfinite(dt_s)):
            raise ValueError(f"dt_s must be a list of lengths above 0, got shape {dt_s.shape}")
        values = {name: _frozen(value) for name, value in self.values.items()}
        for name, value in values.items():
            _check_values(channel(name), value, dt_s.size)
        owners = {name: value.shape[0] for name, value in values.items() if value.ndim == 2}
        if len(set(owners.values())) > 1:
            raise ValueError(f"inputs are given for different numbers of persons: {owners}")
        object.__setattr__(self, "dt_s", dt_s)
        object.__setattr__(self, "values", MappingProxyType(values))

    @classmethod
    def of(
        cls,
        duration_s: float,
        courses: Mapping[str, float | Course | Pulses],
        *,
        dt_s: float = 60.0,
        start_hour: float | None = None,
        edges_s: ArrayLike = (),
        fine_dt_s: float = 10.0,
        fine_for_s: float = 600.0,
        quiet_dt_s: float | None = None,
    ) -> Forcing:
        """Lay courses on a grid that is fine after each of their jumps and pulses (see `time_grid`).

        Parameters
        ----------
        courses : mapping of str to float, Course or Pulses
            By channel name; a plain number never changes. Where a step holds more than one value the last one counts,
            as the simulator takes the inputs at a step's end.
        start_hour : float, optional
            Local time of day at the start [h]; without it there is no daily rhythm.
        edges_s : array_like
            Further times after which fine steps are wanted, such as the corners of a ramp.
        """
        edges = np.concatenate([np.asarray(edges_s, dtype=float), *map(_edges_s, courses.values())])
        steps = time_grid(
            duration_s, dt_s=dt_s, edges_s=edges, fine_dt_s=fine_dt_s, fine_for_s=fine_for_s, quiet_dt_s=quiet_dt_s
        )
        ends = np.cumsum(steps)
        values = {name: _on_grid(channel(name), course, ends, steps) for name, course in courses.items()}
        if start_hour is not None:
            values["hour"] = (start_hour + ends / HOUR_S) % 24.0
        return cls(steps, values)

    @classmethod
    def constant(cls, duration_s: float, *, dt_s: float = 60.0, **values: float) -> Forcing:
        """Hold every input for the whole time, those not named as in the neutral room."""
        return cls.of(duration_s, values, dt_s=dt_s)

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self.dt_s.size

    @property
    def n_persons(self) -> int | None:
        """Number of persons that inputs are given for; None where all inputs are shared."""
        return next((value.shape[0] for value in self.values.values() if value.ndim == 2), None)

    @property
    def end_s(self) -> FloatArray:
        """End of each step since the start [s], shape (n_steps,)."""
        return np.cumsum(self.dt_s)

    def check_persons(self, n_persons: int) -> None:
        """Raise ValueError unless this forcing fits that many persons."""
        if self.n_persons not in (None, n_persons):
            raise ValueError(f"the forcing is made for {self.n_persons} persons, but there are {n_persons}")

    def __getitem__(self, name: str) -> FloatArray:
        """Return one input over the steps, shape (n_steps,) or (n_persons, n_steps), defaults filled in."""
        known = channel(name)
        if name == "radiant_temp_c":
            own, air = self.values.get(name), self["air_temp_c"]
            return air if own is None else np.where(np.isnan(own), air, own)
        value = self.values.get(name, np.float64(known.default))
        return np.broadcast_to(value, (self.n_steps,)) if np.ndim(value) == 0 else np.asarray(value)

    def with_values(self, **values: ArrayLike) -> Forcing:
        """Return this forcing with some inputs replaced."""
        return replace(self, values={**self.values, **{name: np.asarray(v, float) for name, v in values.items()}})

    def persons(self, rows: IntArray | slice | Sequence[int]) -> Forcing:
        """Return the forcing of some of the persons."""
        chosen = {name: value[np.asarray(rows) if not isinstance(rows, slice) else rows] if value.ndim == 2 else value
                  for name, value in self.values.items()}  # fmt: skip
        return replace(self, values=chosen)

    def packed(self) -> Packed:
        """Return the arrays that the compiled loops read; see `Packed`."""
        shared: list[FloatArray] = []
        own: list[FloatArray] = []
        where = np.empty(N_INPUTS, dtype=np.int64)
        for known in CHANNELS.values():
            if known.name == "radiant_temp_c" and known.name not in self.values:
                where[known.index] = where[Input.AIR_TEMP_C]
                continue
            value = self[known.name]
            rows = own if value.ndim == 2 else shared
            where[known.index] = -len(own) - 1 if value.ndim == 2 else len(shared)
            rows.append(value)
        per_person = np.empty((len(own), self.n_steps, self.n_persons or 0))
        for k, value in enumerate(own):
            per_person[k] = value.T
        return Packed(np.array(self.dt_s), np.stack(shared), per_person, where)


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """A forcing as the compiled loops read it.

    Attributes
    ----------
    dt_s : ndarray, shape (n_steps,)
    shared : ndarray, shape (n_shared, n_steps)
        Inputs that are the same for all persons.
    own : ndarray, shape (n_own, n_steps, n_persons)
        Inputs that differ; neighbouring persons are neighbours in memory.
    where : ndarray of int, shape (N_INPUTS,)
        For each `Input`, its row in `shared` where 0 or above, else row ``-where - 1`` of `own`.
    """

    dt_s: FloatArray
    shared: FloatArray
    own: FloatArray
    where: IntArray


def _on_grid(known: Channel, course: float | Course | Pulses, ends: FloatArray, steps: FloatArray) -> FloatArray:
    if isinstance(course, Course):
        return course.at(ends)
    if isinstance(course, Pulses):
        value = np.full(ends.size, known.default)
        if np.any((course.time_s < 0) | (course.time_s >= ends[-1])):
            raise ValueError(f"{known.name}: a pulse lies outside the {ends[-1]:g} s of the simulation")
        # The step that starts with the pulse; half the shortest step forgives rounding of the sums.
        value[np.searchsorted(ends, course.time_s + 0.5 * steps.min(), side="left")] = course.value
        return value
    return np.asarray(course, dtype=float)


def _check_values(known: Channel, value: FloatArray, n_steps: int) -> None:
    if value.ndim > 2 or (value.ndim and value.shape[-1] != n_steps):
        raise ValueError(f"{known.name}: one value a step ({n_steps}) is needed, got shape {value.shape}")
    wrong = ~((value >= known.low) & (value <= known.high))
    if known.name in MAY_BE_NAN:
        wrong &= ~np.isnan(value)
    if known.name in WHOLE_NUMBERS:
        wrong |= value != np.round(value)
    if wrong.any():
        first = np.argwhere(wrong)[0]
        place = "".join(f", {what} {k}" for what, k in zip(("step", "person"), first[::-1], strict=False))
        unit = "" if known.unit == "1" else f" {known.unit}"
        kind = "whole numbers " if known.name in WHOLE_NUMBERS else ""
        allowed, found = f"{known.low:g} to {known.high:g}{unit}", f"{float(value[tuple(first)]):g}{unit}{place}"
        raise ValueError(f"{known.name} must be {kind}within {allowed}, got {found}")


def _edges_s(course: float | Course | Pulses) -> FloatArray:
    if isinstance(course, Course):
        return course.jumps_s()
    return course.time_s if isinstance(course, Pulses) else np.empty(0)


def _frozen(value: ArrayLike) -> FloatArray:
    array = np.array(value, dtype=float)
    array.setflags(write=False)
    return array

"""Is this minute more like a stressful task or more like rest, by heart rate and skin conductance?

Two signals answer, each against the whole of this person's record: how high heart rate stands, and how fast the level
of skin conductance rises (its height says less, since dry electrodes climb by themselves). Movement is taken out of
both. What the answers are worth was learnt from people with labels: each signal is taken for normally distributed in
rest and in tasks, so that their logarithmic likelihood ratios add up, and a signal that is missing adds nothing.

Learnt from twelve healthy young adults who sat in a laboratory for an hour (e4-stress-predict: Iqbal T et al.,
Sensors, 2022;22:8135, MIT licence; Empatica E4). In people left out of the learning a minute of the Stroop test, an
interview or hyperventilation ranks above a minute of rest with a chance of 0.83. Two things make that look better than
it is: the two signals were picked on these same sessions, and the tasks came before the longest rest, so that a mere
clock reaches 0.81 there. Against the rests just before and after a task, where a clock has 0.50, the index has 0.80.

It is no validated detector of stress: talking, a meal, heat or illness may look the same. See
``docs/explanation/arousal.md`` and, for every figure, ``benchmarks/arousal_e4.py``.

References
----------
Fisher RA, "The use of multiple measurements in taxonomic problems", Ann Eugen, 1936;7:179-188.
Boucsein W, "Electrodermal Activity", 2nd ed., Springer, 2012 (rise of the level under stress, fall in rest).
Myrtek M, Brügner G, "Perception of emotions in everyday life", Biol Psychol, 1996;42:147-164 (heart rate beyond what
movement asks for).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray, TimeArray, Timeline
from unaji.signals.adjust import day_waves, lagged, unexplained
from unaji.signals.latent_inputs import Input
from unaji.signals.minutes import Minutes, minutes_of
from unaji.signals.reasons import ArousalReason

RISE_REACH_MIN = 2
"""The rise in a minute is the slope of the line through the minutes up to so many before and after it [min]."""

SMOOTHING = (1.0, 2.0, 1.0)
"""Weights of the minute before, the minute and the one after in each signal."""

MOVEMENT_LAGS_MIN = (0, 5, 10)
"""Movement acts on the heart at once and for some ten minutes after [min]."""

LARGEST_SD = 4.0
"""A signal farther than this from the person's usual counts as that far."""

HR_RANGE_BPM = (25.0, 240.0)
"""What a heart rate can be; another is none."""

LEAST_SHARE = 0.5
"""Share of a minute that must have been measured."""

FEWEST_MIN = 30
"""Fewest minutes of a signal from which a person's usual is taken: half an hour of the hour it was learnt in."""

LONG_MIN = 3 * 24 * 60
"""From this length on, time of day and warmth can be told from a stressful hour and are taken out too [min]."""

IN_SHORT = frozenset({Input.MOVEMENT, Input.POSTURE, Input.SLEEP})
"""What is taken out of a record shorter than `LONG_MIN`."""


class Learnt(NamedTuple):
    """What one signal looks like, in the person's standard deviations: mean in rest and in tasks, variance in both."""

    rest: float
    task: float
    variance: float


class Weights(NamedTuple):
    """What was learnt of the two signals."""

    heart_rate: Learnt
    conductance_rise: Learnt


WEIGHTS = Weights(heart_rate=Learnt(-0.28, 0.50, 0.93), conductance_rise=Learnt(-0.45, 0.79, 1.24))
"""Learnt from all twelve people by ``benchmarks/arousal_e4.py``, and rounded."""


AUROC = {
    ArousalReason.NONE: 0.83,
    ArousalReason.HEART_RATE_ONLY: 0.74,
    ArousalReason.CONDUCTANCE_ONLY: 0.79,
    ArousalReason.NO_SIGNAL: 0.5,
}
"""How well people left out of the learning were judged with what is there: chance that a task ranks above a rest."""


@dataclass(frozen=True, eq=False, slots=True)
class Arousal:
    """How much a minute resembles a stressful task; NaN where nothing can be said. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of consecutive minutes, UTC.
    index : ndarray
        Logarithmic likelihood ratio: above 0 the minute is more like the laboratory's tasks, below 0 more like its
        rests. It draws near 0 where little is known.
    heart_rate, conductance_rise : ndarray
        The two signals, adjusted and smoothed, in the person's standard deviations; 0 is the person's usual.
    reason : ndarray of int8
        Values of `ArousalReason`, which has the words; what the minute is worth is in `AUROC`.
    """

    time: TimeArray
    index: FloatArray
    heart_rate: FloatArray
    conductance_rise: FloatArray
    reason: NDArray[np.int8]

    @property
    def chance(self) -> FloatArray:
        """Chance that the minute is of a task, were tasks and rests equally frequent, 0 to 1.

        It is calibrated for an hour in the laboratory, not for a day, in which such tasks are rarer.
        """
        chance: FloatArray = 1.0 / (1.0 + np.exp(-self.index))
        return chance


def arousal_index(timeline: Timeline, *, adjust_for: frozenset[Input] | None = None) -> Arousal | None:
    """Say of each minute of a record how much it resembles a stressful task.

    Parameters
    ----------
    timeline : Timeline
        Read are beats and ``hr_bpm``, ``scl_microsiemens``, ``activity_mg`` or ``steps``, temperatures of skin and air,
        and exposures of kind "sleep".
    adjust_for : frozenset of Input, optional
        As for `arousal_of_minutes`.

    Returns
    -------
    Arousal or None
        None when neither heart nor skin conductance was recorded.
    """
    minutes = minutes_of(timeline)
    return None if minutes is None else arousal_of_minutes(minutes, adjust_for=adjust_for)


def arousal_of_minutes(
    minutes: Minutes, *, adjust_for: frozenset[Input] | None = None, weights: Weights = WEIGHTS
) -> Arousal:
    """Say of each minute how much it resembles a stressful task.

    Parameters
    ----------
    minutes : Minutes
        From `unaji.signals.minutes.minutes_of`. Read are heart rate, level of skin conductance, and the inputs.
    adjust_for : frozenset of Input, optional
        What is taken out of the signals, of what was recorded; `IN_SHORT` if not given, and everything from `LONG_MIN`
        on. In a shorter record warmth and time of day are near to a clock, and take the order of events out too.
    weights : Weights
        What was learnt of the signals.

    Returns
    -------
    Arousal

    Notes
    -----
    With z the signals of a minute, normal with mean r in rest, t in tasks, and variance σ² in both, and unrelated to
    each other within rest and within tasks (correlation 0.01 in the data):

        index = Σ (t − r)/σ² · (z − (t + r)/2)   over the signals that are there

    The person's usual is that of the whole record, and a minute's signals use up to three minutes after it: this is for
    looking back, not for an alarm.
    """
    z = signals_of_minutes(minutes, adjust_for=adjust_for)
    return Arousal(minutes.time, log_likelihood_ratio(z, weights), z.heart_rate, z.conductance_rise, _reasons(z))


class Signals(NamedTuple):
    """The two signals in the person's standard deviations, arrays of shape (n,); NaN where one cannot be told."""

    heart_rate: FloatArray
    conductance_rise: FloatArray


def signals_of_minutes(minutes: Minutes, *, adjust_for: frozenset[Input] | None = None) -> Signals:
    """Return height of heart rate and rise of skin conductance, adjusted, standardised within the person and smoothed.

    Parameters are those of `arousal_of_minutes`.
    """
    if adjust_for is None:
        adjust_for = frozenset(Input) if minutes.time.size >= LONG_MIN else IN_SHORT
    nothing = np.full(minutes.time.size, np.nan)
    hr, level = (nothing if x is None else x for x in (minutes.hr_bpm, minutes.tonic_microsiemens))
    plausible = (hr >= HR_RANGE_BPM[0]) & (hr <= HR_RANGE_BPM[1])
    ln_hr = _log(np.where(plausible & _enough(minutes.hr_quality), hr, np.nan))
    ln_level = _log(np.where(_enough(minutes.tonic_quality), level, np.nan))
    covariates = _covariates(minutes, adjust_for)
    warmth = _skin_warmth(minutes) if Input.WARMTH in adjust_for else []
    return Signals(_standardised(ln_hr, covariates), _standardised(rise(ln_level), [*covariates, *warmth]))


def rise(values: FloatArray, reach_min: int = RISE_REACH_MIN) -> FloatArray:
    """Return the slope of the least-squares line through the minutes around each minute [1/min].

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a minute; NaN where there is none.
    reach_min : int
        How many minutes before and after take part.

    Returns
    -------
    ndarray, shape (n,)
        NaN where the minute itself was not measured, or fewer than `reach_min` + 1 of the minutes around it.
    """
    y = _around(values, reach_min)
    there = np.isfinite(y)
    count = there.sum(axis=0)
    t = np.where(there, np.arange(-reach_min, reach_min + 1.0)[:, None], 0.0)
    y = np.where(there, y, 0.0)
    some = np.maximum(count, 1)
    spread = (t**2).sum(axis=0) - t.sum(axis=0) ** 2 / some
    joint = (t * y).sum(axis=0) - t.sum(axis=0) * y.sum(axis=0) / some
    enough = np.isfinite(values) & (count > reach_min)
    slope: FloatArray = np.divide(joint, spread, out=np.full(values.size, np.nan), where=enough)
    return slope


def learn(task: FloatArray, rest: FloatArray) -> Learnt:
    """Learn from labelled minutes what a signal looks like in tasks and in rest.

    Parameters
    ----------
    task, rest : ndarray
        The signal in the minutes of all people, in each person's standard deviations; NaN where it is missing.
    """
    task, rest = task[np.isfinite(task)], rest[np.isfinite(rest)]
    if min(task.size, rest.size) < 2:
        raise ValueError(f"learning needs two minutes of each kind, got {task.size} of tasks and {rest.size} of rest")
    squares = ((task - task.mean()) ** 2).sum() + ((rest - rest.mean()) ** 2).sum()
    return Learnt(float(rest.mean()), float(task.mean()), float(squares / (task.size + rest.size - 2)))


def log_likelihood_ratio(z: Iterable[FloatArray], learnt: Iterable[Learnt]) -> FloatArray:
    """Add up what signals of shape (n,) say for a task and against rest; NaN where none of them is there."""
    terms = np.stack(
        [
            (one.task - one.rest) / one.variance * (x - (one.task + one.rest) / 2.0)
            for x, one in zip(z, learnt, strict=True)
        ]
    )
    there = np.isfinite(terms)
    total: FloatArray = np.where(there, terms, 0.0).sum(axis=0)
    return np.where(there.any(axis=0), total, np.nan)


def _reasons(z: Signals) -> NDArray[np.int8]:
    heart_rate, conductance = np.isfinite(z.heart_rate), np.isfinite(z.conductance_rise)
    reason = np.full(heart_rate.size, ArousalReason.NO_SIGNAL, dtype=np.int8)
    reason[heart_rate] = ArousalReason.HEART_RATE_ONLY
    reason[conductance] = ArousalReason.CONDUCTANCE_ONLY
    reason[heart_rate & conductance] = ArousalReason.NONE
    return reason


def _standardised(values: FloatArray, covariates: list[FloatArray]) -> FloatArray:
    if np.isfinite(values).sum() < FEWEST_MIN:
        return np.full(values.size, np.nan)
    return _smoothed(np.clip(unexplained(values, covariates), -LARGEST_SD, LARGEST_SD))


def _smoothed(values: FloatArray) -> FloatArray:
    """Average each measured minute with the measured ones beside it."""
    near = _around(values, len(SMOOTHING) // 2)
    weight = np.where(np.isfinite(near), np.array(SMOOTHING)[:, None], 0.0)
    total: FloatArray = (weight * np.where(np.isfinite(near), near, 0.0)).sum(axis=0)
    mean: FloatArray = np.divide(total, weight.sum(axis=0), out=np.full(values.size, np.nan), where=np.isfinite(values))
    return mean


def _around(values: FloatArray, reach: int) -> FloatArray:
    """Return the values from `reach` before to `reach` after each, shape (2 reach + 1, n); NaN beyond the ends."""
    padded = np.pad(values, reach, constant_values=np.nan)
    return np.stack([padded[k : k + values.size] for k in range(2 * reach + 1)])


def _covariates(minutes: Minutes, adjust_for: frozenset[Input]) -> list[FloatArray]:
    """Put together what may move both signals."""
    found: list[FloatArray] = []
    if Input.MOVEMENT in adjust_for and minutes.movement is not None:
        root = np.sqrt(np.maximum(minutes.movement, 0.0))  # heart rate rises ever more slowly with movement
        found += [lagged(root, lag) for lag in MOVEMENT_LAGS_MIN]
    if Input.POSTURE in adjust_for and minutes.posture_deg is not None:
        found.append(np.sin(np.radians(minutes.posture_deg)))
    if Input.SLEEP in adjust_for and minutes.asleep is not None:
        found.append(minutes.asleep)
    if Input.TIME_OF_DAY in adjust_for:
        found += day_waves(minutes.local_hour)
    if Input.WARMTH in adjust_for and minutes.air_temp_c is not None:
        found.append(minutes.air_temp_c)
    return found


def _skin_warmth(minutes: Minutes) -> list[FloatArray]:
    """Return skin temperature and its rise, which sweat glands follow."""
    return [] if minutes.skin_temp_c is None else [minutes.skin_temp_c, rise(minutes.skin_temp_c)]


def _enough(share: FloatArray | None) -> BoolArray | bool:
    return True if share is None else np.asarray(share >= LEAST_SHARE)


def _log(x: FloatArray) -> FloatArray:
    return np.log(x, out=np.full(x.shape, np.nan), where=x > 0.0)

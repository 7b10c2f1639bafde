"""What was the body doing, by the acceleration of a sensor on it: how much, at which angle, walking how many steps?

Each epoch is judged by itself, so a recording that comes in pieces of whole epochs gives the same numbers as one that
comes whole. Angles are those of the sensor: of the trunk where it sits on the trunk, of the forearm at the wrist.

References
----------
van Hees VT et al., "Separating movement and gravity components in an acceleration signal and implications for the
assessment of human daily physical activity", PLoS One, 2013;8:e61691. doi:10.1371/journal.pone.0061691
van Hees VT et al., "A novel, open access method to assess sleep duration using a wrist-worn accelerometer", PLoS One,
2015;10:e0142533. doi:10.1371/journal.pone.0142533
Hildebrand M et al., "Age group comparability of raw accelerometer output from wrist- and hip-worn monitors", Med Sci
Sports Exerc, 2014;46:1816-1824. doi:10.1249/MSS.0000000000000289
Hildebrand M et al., "Evaluation of raw acceleration sedentary thresholds in children and adults", Scand J Med Sci
Sports, 2017;27:1814-1823. doi:10.1111/sms.12795
Moe-Nilssen R, Helbostad JL, "Estimation of gait cycle characteristics by trunk accelerometry", J Biomech,
2004;37:121-126. doi:10.1016/S0021-9290(03)00233-1
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray, TimeArray
from unaji.signals.value import Value

E4_COUNTS_PER_G = 64.0
"""Empatica's E4 writes acceleration in 1/64 g."""

EPOCH_S = 60.0
WINDOW_S = 10.0
"""Stretch in which walking and stillness are judged [s]: some ten strides."""

STILL_G = 0.013
"""A window is still when no axis varies by more than this standard deviation (van Hees 2013) [g]."""

SEDENTARY_MG, MODERATE_MG = 44.8, 100.6
"""ENMO of sitting and lying, and of moderate exertion, at an adult's wrist (Hildebrand 2017, 2014) [mg]."""

ANGLE_WITHIN_G = 0.1
"""Gravity shows the angle only where the mean acceleration is 1 g within this [g]."""

STRIDE_S = (0.66, 1.70)
"""Time from a step of one foot to the next of the same: from 1.2 steps a second to running at 3 [s]."""

FASTEST_STEP_S = 1.0 / 3.0
SLOWEST_STEP_S = 1.0 / 1.2

WALKING_G = 0.04
"""Least standard deviation of the acceleration's size in walking [g]."""

WALKING_REPEATS = 0.6
"""Least autocorrelation from one stride to the next."""

HALF_WITHIN, HALF_REPEATS = 0.08, 0.2
"""Where a stride is as short as a slow step: it is one unless the autocorrelation has a peak of that height about its
middle, that share of it to either side."""

SWING_ONLY = -0.5
"""Least autocorrelation half a stride on: below, there are no steps in it, only something that swings to and fro."""

STEPS_RATE_HZ = 25.0
SLOWEST_RATE_HZ = 8.0
"""Steps are looked for at about the first rate, and not in recordings slower than the second [Hz]."""

LARGEST_G = 1000.0
"""Acceleration beyond this was not measured by anything worn [g]."""

MIN_COVERAGE = 0.5
"""Share of an epoch that must have been measured before anything is said of it."""


BATCH_S = 3600.0
"""What is worked on at a time [s]: it sets the memory needed and nothing else."""

TOO_SLOW = f"fewer than {SLOWEST_RATE_HZ:g} samples a second: steps cannot be told"
NEVER_STILL = "the sensor was never still: its gravity is not known"


class Kind(IntEnum):
    """What an epoch mostly was."""

    NOT_MEASURED = 0
    SEDENTARY = 1
    LIGHT = 2
    MODERATE = 3
    WALKING = 4


@dataclass(frozen=True, eq=False, slots=True)
class Movement:
    """Movement by epoch; NaN where less than half of the epoch was measured.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Start of each epoch, UTC.
    epoch_s : float
    activity_mg : ndarray, shape (n,)
        Mean of | |a| − 1 g | [mg].
    enmo_mg : ndarray, shape (n,)
        Mean of |a| − 1 g where above 0, else 0 (Euclidean norm minus one; van Hees 2013) [mg].
    angle_deg : ndarray, shape (n, 3)
        Angle of each of the sensor's axes above the horizontal, −90 to 90 [°]; NaN where gravity does not show.
    still_share : ndarray, shape (n,)
        Share of the windows in which nothing moved.
    steps : ndarray, shape (n,)
        Steps in the epoch, scaled up to all of it where a part was not measured; NaN throughout where `reason` says
        why.
    cadence_per_min : ndarray, shape (n,)
        Steps a minute while walking; NaN where nobody walked.
    kind : ndarray of int8, shape (n,)
        Values of `Kind`.
    quality : ndarray, shape (n,)
        Share of the epoch that was measured and not saturated.
    gravity : Value
        Size of the acceleration while still [g]: away from 1 by more than some hundredths, the sensor is not calibrated
        and `activity_mg` and `enmo_mg` are too high or too low by that much.
    reason : str
        Why there are no steps; empty otherwise.
    """

    time: TimeArray
    epoch_s: float
    activity_mg: FloatArray
    enmo_mg: FloatArray
    angle_deg: FloatArray
    still_share: FloatArray
    steps: FloatArray
    cadence_per_min: FloatArray
    kind: NDArray[np.int8]
    quality: FloatArray
    gravity: Value
    reason: str = ""


def movement(
    start: np.datetime64,
    acceleration_g: FloatArray,
    sampling_rate_hz: float,
    *,
    epoch_s: float = EPOCH_S,
    range_g: float | None = None,
) -> Movement:
    """Describe a recording of acceleration along three axes.

    Parameters
    ----------
    start : datetime64
        When the first sample was taken, UTC.
    acceleration_g : ndarray, shape (n, 3)
        Regular samples [g], gravity included; a row with a NaN was not measured.
    sampling_rate_hz : float
        Samples a second [Hz].
    epoch_s : float
        Length of an epoch, whole seconds and a multiple of `WINDOW_S` [s].
    range_g : float, optional
        The sensor's range, ±; readings at its end are saturated and count as not measured [g]. Readings beyond
        `LARGEST_G` never count.

    Returns
    -------
    Movement
        For each epoch that was recorded at least half.
    """
    if acceleration_g.ndim != 2 or acceleration_g.shape[1] != 3:
        raise ValueError(f"acceleration_g must have the shape (n, 3), got {acceleration_g.shape}")
    if not sampling_rate_hz > 0.0 or epoch_s < WINDOW_S or epoch_s % WINDOW_S:
        raise ValueError(f"need a rate above 0 and epochs of n x {WINDOW_S} s, got {sampling_rate_hz} Hz, {epoch_s} s")
    per_epoch = round(epoch_s * sampling_rate_hz)
    n_epochs = int(acceleration_g.shape[0] / per_epoch + 0.5)
    if n_epochs == 0:
        return _joined(start, [], epoch_s, sampling_rate_hz)
    batch = max(1, round(BATCH_S / epoch_s))
    edges = [min(k, n_epochs) * per_epoch for k in range(0, n_epochs + batch, batch)]
    found = [
        _describe(acceleration_g[begin:end], per_epoch, sampling_rate_hz, epoch_s, range_g)
        for begin, end in pairwise(edges)
    ]
    return _joined(start, found, epoch_s, sampling_rate_hz)


class Steps(NamedTuple):
    """Walking in windows.

    Attributes
    ----------
    step_s : ndarray, shape (m,)
        Time between steps [s]; NaN where nobody walked.
    repeats : ndarray, shape (m,)
        Autocorrelation from one stride to the next, 0 where the window was too quiet to look.
    """

    step_s: FloatArray
    repeats: FloatArray


def find_steps(size_g: FloatArray, sampling_rate_hz: float) -> Steps:
    """Find walking in windows by how the size of the acceleration repeats.

    Parameters
    ----------
    size_g : ndarray, shape (m, n)
        Size of the acceleration in m windows [g]; a window with a NaN is not looked at.
    sampling_rate_hz : float

    Notes
    -----
    Walking repeats after a stride (Moe-Nilssen 2004: after a step too, but at the wrist the swing of the arm makes left
    and right unlike), so the first high peak of the unbiased autocorrelation within `STRIDE_S` is sought, and half of
    it is a step. Not walking are what repeats faster than steps can follow each other (a shaver, a road), and what
    swings to and fro without an impact halfway.
    """
    step_s, repeats = np.full(size_g.shape[0], np.nan), np.zeros(size_g.shape[0])
    n = size_g.shape[1]
    lags = np.arange(int(np.ceil(STRIDE_S[1] * sampling_rate_hz)) + 2)
    if lags.size >= n:
        return Steps(step_s, repeats)
    size_g = np.where(np.abs(size_g) <= LARGEST_G, size_g, np.nan)
    lively = np.flatnonzero(size_g.std(axis=1) >= WALKING_G)
    if lively.size == 0:
        return Steps(step_s, repeats)
    x = size_g[lively] - size_g[lively].mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(x, 2 * n, axis=1)) ** 2
    r = np.fft.irfft(power, axis=1)[:, : lags.size] * (n / (n - lags))
    r /= r[:, :1]
    is_peak = np.zeros(r.shape, dtype=bool)
    is_peak[:, 1:-1] = (r[:, 1:-1] > r[:, :-2]) & (r[:, 1:-1] >= r[:, 2:])
    seconds = lags / sampling_rate_hz
    at_stride = is_peak & (seconds >= STRIDE_S[0]) & (seconds <= STRIDE_S[1])
    best = np.where(at_stride, r, -1.0).max(axis=1)
    stride = (at_stride & (r >= 0.9 * best[:, None])).argmax(axis=1)
    too_fast = (is_peak & (seconds < 0.9 * FASTEST_STEP_S) & (r >= 0.8 * best[:, None])).any(axis=1)
    rows = np.arange(lively.size)
    halfway = r[rows, np.round(stride / 2.0).astype(int)]
    stride_s = _summit(r, rows, stride) / sampling_rate_hz
    near_half = np.abs(seconds - stride_s[:, None] / 2.0) <= HALF_WITHIN * stride_s[:, None]
    has_half = (is_peak & near_half & (r >= HALF_REPEATS)).any(axis=1)
    one_step = ~has_half & (stride_s <= SLOWEST_STEP_S)
    walks = (best >= WALKING_REPEATS) & ~too_fast & (one_step | (halfway > SWING_ONLY))
    step_s[lively] = np.where(walks, np.where(one_step, stride_s, stride_s / 2.0), np.nan)
    repeats[lively] = np.maximum(best, 0.0)
    return Steps(step_s, repeats)


def _summit(r: FloatArray, rows: NDArray[np.int64], at: NDArray[np.int64]) -> FloatArray:
    """Place a peak between samples by the parabola through it and its neighbours."""
    inside = np.clip(at, 1, r.shape[1] - 2)
    left, middle, right = (r[rows, inside + k] for k in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros(rows.size), where=bend < 0.0)
    placed: FloatArray = inside + np.clip(shift, -0.5, 0.5)
    return placed


class _Batch(NamedTuple):
    """Columns of `Movement` for some epochs, and the sizes of gravity seen in still windows."""

    activity_mg: FloatArray
    enmo_mg: FloatArray
    angle_deg: FloatArray
    still_share: FloatArray
    steps: FloatArray
    cadence_per_min: FloatArray
    walking_share: FloatArray
    quality: FloatArray
    gravity_g: FloatArray


def _describe(
    acceleration_g: FloatArray, per_epoch: int, rate_hz: float, epoch_s: float, range_g: float | None
) -> _Batch:
    """Describe the epochs of a batch; a last one that is cut short is filled up as not measured."""
    n_epochs = -(-acceleration_g.shape[0] // per_epoch)
    axes = np.full((3, n_epochs * per_epoch), np.nan)
    axes[:, : acceleration_g.shape[0]] = acceleration_g.T
    axes[np.abs(axes) >= (LARGEST_G if range_g is None else range_g)] = np.nan
    size = np.sqrt(axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2)
    measured = np.isfinite(size)
    complete = bool(measured.all())
    if not complete:
        axes[:, ~measured] = np.nan
    size, axes = size.reshape(n_epochs, per_epoch), axes.reshape(3, n_epochs, per_epoch)
    quality = measured.reshape(n_epochs, per_epoch).mean(axis=1)
    enough = quality >= MIN_COVERAGE
    excess = 1000.0 * (size - 1.0)
    mean = _mean if complete else _mean_of_measured
    windows = _Windows(axes, size, rate_hz)
    still = windows.still_share()
    steps, cadence, walking = windows.steps(epoch_s)
    return _Batch(
        np.where(enough, mean(np.abs(excess)), np.nan),
        np.where(enough, mean(np.maximum(excess, 0.0)), np.nan),
        np.where(enough[:, None], _angles(np.stack([mean(axis) for axis in axes], axis=1)), np.nan),
        np.where(enough, still, np.nan),
        np.where(enough, steps, np.nan),
        np.where(enough, cadence, np.nan),
        np.where(enough, walking, np.nan),
        quality,
        windows.gravity(),
    )


class _Windows:
    """A batch cut into windows."""

    def __init__(self, axes_g: FloatArray, size_g: FloatArray, rate_hz: float) -> None:
        n_epochs, per_epoch = size_g.shape
        length = int(WINDOW_S * rate_hz)
        count = per_epoch // length if length else 0
        self._rate_hz = rate_hz
        self._size = size_g[:, : count * length].reshape(n_epochs, count, length)
        spread = [axis[:, : count * length].reshape(n_epochs, count, length).std(axis=2) for axis in axes_g]
        self._spread = np.maximum(np.maximum(spread[0], spread[1]), spread[2])
        self._judged = np.isfinite(self._spread)

    def still_share(self) -> FloatArray:
        return _share(self._spread <= STILL_G, self._judged)

    def gravity(self) -> FloatArray:
        """Return the mean size of the acceleration in each still window [g]."""
        size: FloatArray = self._size[self._spread <= STILL_G].mean(axis=1)
        return size

    def steps(self, epoch_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return each epoch's steps, cadence [1/min] and share of windows with walking."""
        n_epochs, count, length = self._size.shape
        if self._rate_hz < SLOWEST_RATE_HZ or count == 0:
            missing = np.full(n_epochs, np.nan)
            return missing, missing, missing
        factor = max(1, int(self._rate_hz / STEPS_RATE_HZ))
        kept = length // factor * factor
        coarse = self._size[:, :, :kept].reshape(n_epochs * count, kept // factor, factor).mean(axis=2)
        step_s = find_steps(coarse, self._rate_hz / factor).step_s.reshape(n_epochs, count)
        walks = np.isfinite(step_s)
        per_s = np.where(walks, 1.0 / np.where(walks, step_s, 1.0), 0.0)
        share = _share(walks, self._judged)
        n_walks = walks.sum(axis=1)
        cadence = 60.0 * np.divide(per_s.sum(axis=1), n_walks, out=np.full(n_epochs, np.nan), where=n_walks > 0)
        steps = np.where(n_walks > 0, cadence / 60.0 * epoch_s * share, 0.0 * share)
        return steps, cadence, share


def _share(flag: NDArray[np.bool_], judged: NDArray[np.bool_]) -> FloatArray:
    count = judged.sum(axis=1)
    both = (flag & judged).sum(axis=1).astype(np.float64)
    share: FloatArray = np.divide(both, count, out=np.full(count.size, np.nan), where=count > 0)
    return share


def _mean(x: FloatArray) -> FloatArray:
    mean: FloatArray = x.mean(axis=1)
    return mean


def _mean_of_measured(x: FloatArray) -> FloatArray:
    there = np.isfinite(x)
    count = there.sum(axis=1)
    total = np.where(there, x, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0)
    return mean


def _angles(mean_g: FloatArray) -> FloatArray:
    """Return the angle of each axis above the horizontal from the mean acceleration, which at rest is gravity [°]."""
    size = np.sqrt((mean_g**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        is_gravity = np.abs(size - 1.0) <= ANGLE_WITHIN_G
    sine = np.divide(mean_g, size, out=np.full(mean_g.shape, np.nan), where=is_gravity & (size > 0.0))
    angle: FloatArray = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return angle


def _kinds(found: _Batch) -> NDArray[np.int8]:
    kind = np.full(found.quality.size, Kind.LIGHT, dtype=np.int8)
    kind[found.enmo_mg < SEDENTARY_MG] = Kind.SEDENTARY
    kind[found.enmo_mg >= MODERATE_MG] = Kind.MODERATE
    kind[found.walking_share >= 0.5] = Kind.WALKING
    kind[np.isnan(found.enmo_mg)] = Kind.NOT_MEASURED
    return kind


def _joined(start: np.datetime64, found: list[_Batch], epoch_s: float, rate_hz: float) -> Movement:
    none = np.zeros(0)
    empty = _Batch(none, none, np.zeros((0, 3)), none, none, none, none, none, none)
    whole = _Batch(*(np.concatenate(columns) for columns in zip(*(found or [empty]), strict=True)))
    n = whole.quality.size
    step = np.round(1000.0 * epoch_s * np.arange(n)).astype("timedelta64[ms]")
    gravity = float(np.median(whole.gravity_g)) if whole.gravity_g.size else np.nan
    return Movement(
        time=start.astype("datetime64[ms]") + step,
        epoch_s=epoch_s,
        activity_mg=whole.activity_mg,
        enmo_mg=whole.enmo_mg,
        angle_deg=whole.angle_deg,
        still_share=whole.still_share,
        steps=whole.steps,
        cadence_per_min=whole.cadence_per_min,
        kind=_kinds(whole),
        quality=whole.quality,
        gravity=Value.of(gravity, "g", whole.gravity_g.size, otherwise=NEVER_STILL),
        reason=TOO_SLOW if rate_hz < SLOWEST_RATE_HZ else "",
    )

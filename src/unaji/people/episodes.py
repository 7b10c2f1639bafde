"""Episodes drawn from the stated intensity, the imperfect diary of them, and the best anyone could say of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from unaji.people.triggers import ECHO
from unaji.people.truth import Intensity, TrueEcho
from unaji.people.world import BIN_MIN, BINS_PER_HOUR
from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]

ERROR_SD_MIN = 12.0
ERROR_CUT_MIN = 30.0
MERGE_MIN = 15.0


@dataclass(frozen=True, eq=False, slots=True)
class TrueEpisodes:
    """What really happened, in order of time.

    Attributes
    ----------
    hour : ndarray, shape (n,)
        Onset in local hours since the first midnight of the recording.
    source : ndarray of int, shape (n,)
        Index of the true parent in the intensity's sources; one past the last for an echo.
    root : ndarray of int, shape (n,)
        Index of the source that began the chain; the source itself unless it is an echo.
    """

    hour: FloatArray
    source: IntArray
    root: IntArray

    def __len__(self) -> int:
        return int(self.hour.size)


@dataclass(frozen=True, eq=False, slots=True)
class LoggedEpisodes:
    """What the diary has of it: logged onset [local hours] and which true episode it was, in order of logged time."""

    hour: FloatArray
    of: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Oracle:
    """Probability of each source for each logged episode, for someone who knows every parameter and signal.

    Attributes
    ----------
    sources : tuple of str
        Causes (the hidden one included), "background", "fever" where there is one, "echo".
    at_true, at_logged : ndarray, shape (n_episodes, n_sources)
        Knowing the true onset, and knowing only the logged one and the distribution of its error. Rows sum to 1.
    """

    sources: tuple[str, ...]
    at_true: FloatArray
    at_logged: FloatArray


def happen(rng: Generator, intensity: Intensity, echo: TrueEcho | None) -> TrueEpisodes:
    """Draw the episodes: a Poisson count of each source in each bin, then each one's echoes."""
    counts = rng.poisson(intensity.rate)
    source, where = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    hour = (where + rng.random(where.size)) / BINS_PER_HOUR
    root = source.copy()
    if echo is not None:
        hour, source, root = _with_echoes(rng, intensity, echo, hour, source)
    order = np.argsort(hour, kind="stable")
    return TrueEpisodes(hour[order], source[order], root[order])


def write_down(
    rng: Generator, true: TrueEpisodes, logging: BoolArray, rounding_min: int, omission_share: float
) -> LoggedEpisodes:
    """Lose some episodes, misplace the rest by some minutes, and merge those logged within a quarter of an hour.

    Parameters
    ----------
    logging : ndarray of bool, shape (n_days,)
        Days on which the diary was in use.
    """
    kept = (rng.random(len(true)) >= omission_share) & logging[(true.hour // 24).astype(np.int64)]
    of = np.flatnonzero(kept)
    minute = true.hour[of] * 60 + _cut_normal(rng, of.size)
    step = max(rounding_min, 1)
    minute = np.clip(step * np.rint(minute / step), 0, logging.size * 1440 - 1)
    order = np.argsort(minute, kind="stable")
    apart = _first_of_each_cluster(minute[order])
    return LoggedEpisodes(minute[order][apart] / 60, of[order][apart])


def oracle(
    intensity: Intensity, echo: TrueEcho | None, true: TrueEpisodes, logged: LoggedEpisodes, rounding_min: int
) -> Oracle:
    """Return what someone who knows the truth would say of each logged episode's source."""
    rows = np.arange(logged.of.size)
    at_true = _rates(intensity, echo, true, logged.of, true.hour[logged.of])
    reach = int((ERROR_CUT_MIN + rounding_min / 2) // BIN_MIN) + 1
    at_logged = np.zeros_like(at_true)
    bins = (logged.hour * BINS_PER_HOUR).astype(np.int64)
    for step in range(-reach, reach + 1):
        middle_h = (bins + step + 0.5) / BINS_PER_HOUR
        inside = (middle_h >= 0) & (middle_h < intensity.echo_kept.size / BINS_PER_HOUR)
        weight = error_density((middle_h - logged.hour) * 60, rounding_min) * inside
        near = np.where(inside, middle_h, logged.hour)
        at_logged += weight[:, None] * _rates(intensity, echo, true, logged.of, near)
    # A rounded onset can come to lie where nothing was possible; then the true onset is all there is to go by.
    lost = rows[at_logged.sum(axis=1) == 0]
    at_logged[lost] = at_true[lost]
    return Oracle((*intensity.sources, ECHO), _shares(at_true), _shares(at_logged))


def error_density(offset_min: FloatArray, rounding_min: int) -> FloatArray:
    """Return the relative density of true minus logged onset: the cut normal, widened by rounding."""
    half = max(rounding_min, 1) / 2
    low, high = (np.clip(offset_min + side, -ERROR_CUT_MIN, ERROR_CUT_MIN) for side in (-half, half))
    return np.asarray(ndtr(high / ERROR_SD_MIN) - ndtr(low / ERROR_SD_MIN), dtype=float)


def _with_echoes(
    rng: Generator, intensity: Intensity, echo: TrueEcho, hour: FloatArray, source: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    hours, sources, roots = hour.tolist(), source.tolist(), source.tolist()
    parent = 0
    while parent < len(hours):
        for _ in range(rng.poisson(echo.branching)):
            at = hours[parent] + rng.exponential(echo.mean_delay_h)
            where = int(at * BINS_PER_HOUR)
            if where < intensity.echo_kept.size and rng.random() < intensity.echo_kept[where]:
                hours.append(at)
                sources.append(len(intensity.sources))
                roots.append(roots[parent])
        parent += 1
    return np.array(hours), np.array(sources, dtype=np.int64), np.array(roots, dtype=np.int64)


def _cut_normal(rng: Generator, size: int) -> FloatArray:
    """Draw normal errors, drawing again those beyond the cut [min]."""
    error = ERROR_SD_MIN * rng.standard_normal(size)
    while (beyond := np.abs(error) > ERROR_CUT_MIN).any():
        error[beyond] = ERROR_SD_MIN * rng.standard_normal(int(beyond.sum()))
    return error


def _first_of_each_cluster(minute: FloatArray) -> BoolArray:
    first = np.zeros(minute.size, dtype=bool)
    last = -np.inf
    for i, at in enumerate(minute):
        if at - last >= MERGE_MIN:
            first[i] = True
            last = at
    return first


def _rates(
    intensity: Intensity, echo: TrueEcho | None, true: TrueEpisodes, of: IntArray, hour: FloatArray
) -> FloatArray:
    """Return the rate of each source per bin at `hour`, given all true episodes before the one in question."""
    where = (hour * BINS_PER_HOUR).astype(np.int64)
    echoes = np.zeros(hour.size)
    if echo is not None:
        delay = hour[:, None] - true.hour[None, :]
        earlier = (delay > 0) & (np.arange(len(true))[None, :] < of[:, None])
        decay = np.exp(-np.maximum(delay, 0) / echo.mean_delay_h)
        a_bin = echo.branching / (echo.mean_delay_h * BINS_PER_HOUR)
        echoes = a_bin * (decay * earlier).sum(axis=1) * intensity.echo_kept[where]
    return np.vstack([intensity.rate[:, where], echoes]).T


def _shares(rates: FloatArray) -> FloatArray:
    return np.asarray(rates / rates.sum(axis=1, keepdims=True), dtype=float)

"""By which way did the nape come to feel hot? What was measured is compared with what the simulated neck would show.

Each pathway is a hypothesis (`unaji.body.hypotheses`): many draws of persons and drivers, each with what sensors would
have shown. The likelihood of a pathway is the mean over its draws; its prior is common to all. What the posterior owes
to the prior alone is "undetermined". From the same draws follows which one measurement more would tell the ways apart.

Numbers marked [A] are assumptions; all are named constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from unaji.body.hypotheses import IN_WINDOWS, Predicted, Sensor
from unaji.body.hypothesis_drivers import PATHWAYS
from unaji.claims.model import Pathway
from unaji.records.timeline import FloatArray

PRIOR: Mapping[Pathway, float] = MappingProxyType(
    {
        Pathway.VASCULAR: 0.25,
        Pathway.SENSORY: 0.30,
        Pathway.MUSCLE: 0.15,
        Pathway.HEAT_LOAD: 0.25,
        Pathway.CORE: 0.05,
    }
)
"""Before anything is measured [A]."""

UNDETERMINED = "undetermined"

MISFIT_SD: Mapping[Sensor, float] = MappingProxyType(
    {
        Sensor.NAPE: 0.1,
        Sensor.WRIST: 1.0,
        Sensor.FINGER: 0.2,
        Sensor.PULSE: 2.0,
        Sensor.CONDUCTANCE: 0.3,
        Sensor.CORE: 0.05,
        Sensor.PRESSURE_PAIN: 0.05,
    }
)
"""What a good model and the person's usual course still miss, the same throughout an episode [A]. The wrist is no part
of the model: hand and skin at large stand for it, and a watch's strap, sleeve and sweat do not."""

BROAD_SD: Mapping[Sensor, float] = MappingProxyType(
    {
        Sensor.NAPE: 2.0,
        Sensor.WRIST: 3.0,
        Sensor.FINGER: 4.0,
        Sensor.PULSE: 30.0,
        Sensor.CONDUCTANCE: 1.5,
        Sensor.CORE: 1.5,
        Sensor.PRESSURE_PAIN: 1.0,
    }
)
"""How far a measurement may lie off for reasons that no pathway knows [A]."""
OUTLIER_SHARE = 0.002
"""So often it does [A]: a measurement that fits no pathway then speaks for none."""
TAIL_FREEDOM = 10.0
"""Degrees of freedom of the noise's t distribution [A]."""


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """A sensor's difference from what is usual for the person, at rest and at quiet times.

    Attributes
    ----------
    value : ndarray, shape (n,)
        One a window of `unaji.body.context.WINDOWS_MIN`, NaN where a window holds nothing; one value for body
        temperature and pressure-pain threshold.
    scatter : ndarray, shape (n, n)
        Covariance of that difference when nothing is the matter, noise of the readings included.
    """

    value: FloatArray
    scatter: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What was measured near one episode.

    Attributes
    ----------
    readings : mapping of Sensor to Reading
    core_is_near : bool
        The body temperature was taken within the hour, not only within half a day.
    """

    readings: Mapping[Sensor, Reading] = field(default_factory=dict)
    core_is_near: bool = False


class NextMeasurement(NamedTuple):
    """A measurement that was not made, and what it would be expected to tell of the pathway [bits]."""

    sensor: Sensor
    bits: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The pathway of one episode.

    Attributes
    ----------
    posterior : dict of Pathway to float
        Sums to 1; the prior where nothing was measured.
    next_measurement : tuple of NextMeasurement
        The best first.
    """

    posterior: dict[Pathway, float]
    next_measurement: tuple[NextMeasurement, ...]

    @property
    def probabilities(self) -> dict[str, float]:
        """The probability of each pathway beyond what the prior alone would give, and of "undetermined"; sums to 1.

        With posterior p and prior π a pathway gets max(0, p − π)/(1 − π), the form of Cohen's kappa, and the rest is
        undetermined: 1 where nothing was measured, 0 where the measurements leave one pathway only.
        """
        beyond = {str(way): max(0.0, p - PRIOR[way]) / (1.0 - PRIOR[way]) for way, p in self.posterior.items()}
        return beyond | {UNDETERMINED: max(0.0, 1.0 - sum(beyond.values()))}


def judge(measured: Measured, predicted: Predicted, prior: Mapping[Pathway, float] = PRIOR) -> Judgement:
    """Compare what was measured around an episode with what each pathway predicts.

    Parameters
    ----------
    measured : Measured
    predicted : Predicted
        For the same episode; see `unaji.body.hypotheses.Hypotheses.around`.
    prior : mapping of Pathway to float, optional

    Notes
    -----
    The density of the measurements under a pathway is a kernel estimate over its draws. Each draw, weighted by how well
    it explains that heat was felt, carries a t distribution whose covariance is that of the noise, the person's own
    scatter and h² times the covariance of the draws; draws are drawn towards their mean by √(1 − h²), which keeps that
    covariance (West 1993). So few draws in many dimensions are close to one normal distribution, and many draws in one
    dimension keep their shape. A small share of a broad density stands for measurements that no pathway explains.

    References
    ----------
    West M, "Approximating posterior distributions by mixture", Journal of the Royal Statistical Society B
    55:409-422, 1993.
    """
    seen = _line_up(measured, predicted)
    log_l = np.array(predicted.log_felt, dtype=float)
    weight = predicted.weight
    if seen.value.size:
        densities = [_densities(seen, k, weight[k]) for k in range(len(PATHWAYS))]
        log_l = log_l + np.array([d.log_density for d in densities])
        weight = np.stack([d.weight for d in densities])
    log_p = np.log([prior[way] for way in PATHWAYS]) + log_l
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    return Judgement(dict(zip(PATHWAYS, map(float, p), strict=True)), _next(measured, predicted, weight, p))


class _Seen(NamedTuple):
    """What was measured as one vector, and what is predicted of it."""

    value: FloatArray  # (d,)
    covariance: FloatArray  # (d, d) of noise and scatter
    broad: FloatArray  # (d, d)
    predicted: FloatArray  # (n_pathways, n_draws, d)


def _line_up(measured: Measured, predicted: Predicted) -> _Seen:
    """Put all readings into one vector, without the windows that hold nothing."""
    values, blocks, broads, columns = [], [], [], []
    for sensor, reading in measured.readings.items():
        known = np.isfinite(reading.value)
        if not known.any():
            continue
        values.append(reading.value[known])
        n = int(known.sum())
        block = reading.scatter[np.ix_(known, known)] + MISFIT_SD[sensor] ** 2 + 1e-6 * np.eye(n)
        blocks.append(block)
        broads.append(block + BROAD_SD[sensor] ** 2 * (0.5 + 0.5 * np.eye(n)))
        columns.append(_prediction(sensor, predicted, near=measured.core_is_near)[..., known])
    if not values:
        return _Seen(np.empty(0), np.empty((0, 0)), np.empty((0, 0)), np.empty((len(PATHWAYS), 0, 0)))
    return _Seen(np.concatenate(values), _diagonal(blocks), _diagonal(broads), np.concatenate(columns, axis=-1))


def _prediction(sensor: Sensor, predicted: Predicted, *, near: bool) -> FloatArray:
    """Return what a sensor would show, shape (n_pathways, n_draws, n)."""
    if sensor in IN_WINDOWS:
        return predicted.windows[sensor]
    if sensor is Sensor.CORE:
        return (predicted.core_near_k if near else predicted.core_far_k)[..., None]
    return predicted.pressure_pain[..., None]


def _diagonal(blocks: list[FloatArray]) -> FloatArray:
    size = sum(len(block) for block in blocks)
    whole, at = np.zeros((size, size)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole


class _Density(NamedTuple):
    log_density: float
    weight: FloatArray  # of each draw, given the measurements


MOST_DIMENSIONS = 4
"""Windows and sensors move together, so that more measurements than these span no further dimension [A]."""


def _bandwidth(weight: FloatArray, dimensions: int) -> float:
    """Return h of Silverman's rule for a normal kernel and the effective number of draws, at most 1."""
    d = min(dimensions, MOST_DIMENSIONS)
    effective = 1.0 / float((weight**2).sum())
    return min(1.0, float((4.0 / ((d + 2.0) * effective)) ** (1.0 / (d + 4.0))))


def _densities(seen: _Seen, k: int, weight: FloatArray) -> _Density:
    """Return the density of the measurements under one pathway, and the draws that make it up."""
    draws = seen.predicted[k]
    h = _bandwidth(weight, seen.value.size)
    mean = weight @ draws
    spread = (weight[:, None] * (draws - mean)).T @ (draws - mean)
    centres = np.sqrt(1.0 - h * h) * draws + (1.0 - np.sqrt(1.0 - h * h)) * mean
    log_kernel = np.log(weight) + _log_t(seen.value - centres, seen.covariance + h * h * spread)
    top = float(log_kernel.max())
    own = top + np.log(np.exp(log_kernel - top).sum())
    broad = float(_log_t(seen.value[None, :], seen.broad)[0])
    after = np.exp(log_kernel - top)
    mixed = np.logaddexp(np.log1p(-OUTLIER_SHARE) + own, np.log(OUTLIER_SHARE) + broad)
    return _Density(float(mixed), after / after.sum())


def _log_t(difference: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the logarithm of a multivariate t density with this covariance, up to a constant, shape (n,)."""
    d, nu = covariance.shape[0], TAIL_FREEDOM
    lower = np.linalg.cholesky(covariance * (nu - 2.0) / nu)
    z = np.linalg.solve(lower, difference.T)
    log_root = np.log(np.diag(lower)).sum()
    return np.asarray(-0.5 * (nu + d) * np.log1p((z**2).sum(axis=0) / nu) - log_root)


# -- the next measurement ----------------------------------------------------------------------------------------------

CANDIDATES: Mapping[Sensor, float] = MappingProxyType(
    {
        Sensor.NAPE: 0.35,
        Sensor.CORE: 0.25,
        Sensor.FINGER: 1.0,
        Sensor.PULSE: 6.0,
        Sensor.PRESSURE_PAIN: 0.2,
    }
)
"""What is cheap to measure once, and how one reading scatters around its usual value in daily life [A]."""
AT_ONSET = 3
"""Which of the windows such a reading falls into."""
GRID = 81
REACH_SD = 4.0


def _next(measured: Measured, predicted: Predicted, weight: FloatArray, p: FloatArray) -> tuple[NextMeasurement, ...]:
    """Return each measurement not made with what it would tell, the best first."""
    found = [
        NextMeasurement(sensor, _information(_prediction(sensor, predicted, near=True), weight, p, sd))
        for sensor, sd in CANDIDATES.items()
        if sensor not in measured.readings
    ]
    return tuple(sorted(found, key=lambda one: -one.bits))


def _information(values: FloatArray, weight: FloatArray, p: FloatArray, sd: float) -> float:
    """Return the mutual information of pathway and reading [bits]: the expected fall of the pathway's entropy.

    Notes
    -----
    Σ_k p_k ∫ f_k(y) log₂(f_k(y)/f(y)) dy with f_k the density of the reading under a pathway, its draws weighted by
    what is measured already, on a grid of y.
    """
    at = values[..., min(AT_ONSET, values.shape[-1] - 1)]
    mean = (weight * at).sum(axis=1, keepdims=True)
    spread = (weight * (at - mean) ** 2).sum(axis=1, keepdims=True)
    h2 = np.array([[_bandwidth(row, 1) ** 2] for row in weight])
    centre, width = np.sqrt(1.0 - h2) * at + (1.0 - np.sqrt(1.0 - h2)) * mean, np.sqrt(sd**2 + h2 * spread)
    y = np.linspace((centre - REACH_SD * width).min(), (centre + REACH_SD * width).max(), GRID)
    kernel = np.exp(-0.5 * ((y - centre[..., None]) / width[..., None]) ** 2) / width[..., None]
    density = np.einsum("kd,kdy->ky", weight, kernel)
    density /= np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
    mixed = p @ density
    ratio = np.log2(np.maximum(density, 1e-300) / np.maximum(mixed, 1e-300))
    return max(0.0, float(p @ (density * ratio).sum(axis=1)))

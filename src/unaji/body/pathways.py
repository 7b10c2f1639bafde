"""By which way did the nape come to feel hot? What was measured is compared with what the simulated neck would show.

Each pathway is a hypothesis (`unaji.body.hypotheses`): many draws of persons and drivers, each with what sensors would
have shown. The likelihood of a pathway is the mean over its draws; its prior is common to all. What the posterior owes
to the prior alone is "undetermined". From the same draws follows which one measurement more would tell the ways apart.

Numbers marked [A] are assumptions; all are named constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from unaji.body.context import Context
from unaji.body.hypotheses import IN_WINDOWS, N_DRAWS, N_MOST, N_NETS, Hypotheses, Predicted, Sensor, without_net
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
RELATIVE_MISFIT, MISFIT_IN_BROAD = 0.4, 0.25
"""By which share of the change that it predicts in a window a way may be off there, in each window apart, and the most
it may be off as a share of `BROAD_SD` [A]. No data join a nape's warming with what brought it; without this, one draw
that is extreme and happens to have the shape of what was measured outweighs all others."""
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
    mcse : dict of str to float
        Monte-Carlo standard error of each of `probabilities`.
    lead_mcse : float
        That of the lead of the likeliest pathway over the next.
    next_measurement : tuple of NextMeasurement
        The best first.
    """

    posterior: dict[Pathway, float]
    mcse: dict[str, float]
    lead_mcse: float
    next_measurement: tuple[NextMeasurement, ...]

    @property
    def probabilities(self) -> dict[str, float]:
        """The probability of each pathway beyond what the prior alone would give, and of "undetermined"; sums to 1.

        With posterior p and prior π a pathway gets max(0, p − π)/(1 − π), the form of Cohen's kappa, and the rest is
        undetermined: 1 where nothing was measured, 0 where the measurements leave one pathway only.
        """
        told = _beyond_prior(np.array([[self.posterior[way] for way in PATHWAYS]]))[0]
        return dict(zip(map(str, (*PATHWAYS, UNDETERMINED)), map(float, told), strict=True))

    @property
    def told(self) -> bool:
        """Whether the likeliest pathway leads by more than the draws may err: by two standard errors of the lead."""
        first, second = sorted(self.posterior.values())[:-3:-1]
        return first - second >= CLEAR_LEAD * self.lead_mcse


def _beyond_prior(p: FloatArray) -> FloatArray:
    """Return what the posteriors say beyond the prior, undetermined last, from shape (n, n_pathways) to one more."""
    prior = np.array([PRIOR[way] for way in PATHWAYS])
    beyond = np.maximum(p - prior, 0.0) / (1.0 - prior)
    return np.column_stack((beyond, np.maximum(1.0 - beyond.sum(axis=1), 0.0)))


CLEAR_LEAD = 2.0
"""Standard errors of its lead from which the likeliest pathway is told."""
AIM_MCSE = 0.06
"""Monte-Carlo standard error of a probability that an episode gets as many draws for as it needs, up to `N_MOST`."""


def judge_all(
    hypotheses: Hypotheses,
    contexts: Sequence[Context],
    measured: Sequence[Measured],
) -> tuple[Judgement, ...]:
    """Judge episodes with few draws each, and those that these leave uncertain with more.

    Parameters
    ----------
    hypotheses : Hypotheses
    contexts, measured : sequence
        One an episode.
    """
    few = hypotheses.around(contexts)
    found = [judge(*one) for one in zip(measured, few, strict=True)]
    needed = [_draws_needed(max(one.mcse.values())) for one in found]
    for n_draws in sorted({n for n in needed if n > N_DRAWS}):
        again = [k for k, n in enumerate(needed) if n == n_draws and contexts[k].says_something]
        more = hypotheses.around([contexts[k] for k in again], n_draws, [few[k] for k in again])
        for k, predicted in zip(again, more, strict=True):
            found[k] = judge(measured[k], predicted)
    return tuple(found)


def _draws_needed(mcse: float) -> int:
    """Return how many draws bring an error of `N_DRAWS` of them down to the aim, in doublings, as errors fall as √n."""
    n_draws = N_DRAWS
    while n_draws < N_MOST and mcse * np.sqrt(N_DRAWS / n_draws) > AIM_MCSE:
        n_draws *= 2
    return n_draws


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
    scatter, what the model misses, and h² times the covariance of the draws, steadied; draws are drawn towards their
    mean by √(1 − h²), which keeps their variances (West 1993). A small share of a broad density stands for measurements
    that no pathway explains.

    Standard errors are those of the jackknife over the G nets of draws, whose scrambling is independent:
    √((G − 1)/G · Σ (x₋g − mean x₋g)²), with x₋g computed without the draws of net g (Efron & Tibshirani 1993, ch. 11).

    References
    ----------
    West M, "Approximating posterior distributions by mixture", Journal of the Royal Statistical Society B
    55:409-422, 1993.
    Efron B, Tibshirani RJ, "An introduction to the bootstrap", Chapman & Hall, 1993.
    """
    seen, log_prior = _line_up(measured, predicted), np.log([prior[way] for way in PATHWAYS])
    weight = predicted.weight
    whole = _posterior(seen, predicted.log_felt, weight, log_prior)
    without = np.empty((N_NETS, len(PATHWAYS)))
    for net, others in enumerate(without_net(weight.shape[1])):
        part = seen._replace(predicted=seen.predicted[:, others])
        own = weight[:, others] / weight[:, others].sum(axis=1, keepdims=True)
        without[net] = _posterior(part, predicted.log_felt_without[net], own, log_prior).p
    second, first = np.argsort(whole.p, kind="stable")[-2:]
    errors = _jackknife_error(_beyond_prior(without))
    return Judgement(
        dict(zip(PATHWAYS, map(float, whole.p), strict=True)),
        dict(zip(map(str, (*PATHWAYS, UNDETERMINED)), map(float, errors), strict=True)),
        float(_jackknife_error(without[:, [first]] - without[:, [second]])[0]),
        _next(measured, predicted, whole.weight, whole.p),
    )


def _jackknife_error(without: FloatArray) -> FloatArray:
    """Return the standard error of each column from its values with one group left out, shape (n_groups, n)."""
    n = len(without)
    return np.asarray(np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0)))


class _Posterior(NamedTuple):
    p: FloatArray  # (n_pathways,)
    weight: FloatArray  # (n_pathways, n_draws) of each draw, given the measurements


def _posterior(seen: _Seen, log_felt: FloatArray, weight: FloatArray, log_prior: FloatArray) -> _Posterior:
    """Return what some draws say."""
    log_l = np.array(log_felt, dtype=float)
    if seen.value.size:
        each = np.log(weight) + _log_kernels(seen, weight)
        own = np.logaddexp.reduce(each, axis=1)
        broad = _log_t(seen.value[None, :], seen.broad[None])
        log_l += np.logaddexp(np.log1p(-OUTLIER_SHARE) + own, np.log(OUTLIER_SHARE) + broad)
        weight = np.exp(each - own[:, None])
    p = np.exp(log_prior + log_l - (log_prior + log_l).max())
    return _Posterior(p / p.sum(), weight)


class _Seen(NamedTuple):
    """What was measured as one vector, and what is predicted of it."""

    value: FloatArray  # (d,)
    covariance: FloatArray  # (d, d) of noise and scatter
    broad: FloatArray  # (d, d)
    most_misfit: FloatArray  # (d,)
    predicted: FloatArray  # (n_pathways, n_draws, d)


def _line_up(measured: Measured, predicted: Predicted) -> _Seen:
    """Put all readings into one vector, without the windows that hold nothing."""
    values, blocks, broads, most, columns = [], [], [], [], []
    for sensor, reading in measured.readings.items():
        known = np.isfinite(reading.value)
        if not known.any():
            continue
        values.append(reading.value[known])
        n = int(known.sum())
        block = reading.scatter[np.ix_(known, known)] + MISFIT_SD[sensor] ** 2 + 1e-6 * np.eye(n)
        blocks.append(block)
        broads.append(block + BROAD_SD[sensor] ** 2 * (0.5 + 0.5 * np.eye(n)))
        most.append(np.full(n, MISFIT_IN_BROAD * BROAD_SD[sensor]))
        columns.append(_prediction(sensor, predicted, near=measured.core_is_near)[..., known])
    if not values:
        nothing = np.empty((0, 0))
        return _Seen(np.empty(0), nothing, nothing, np.empty(0), np.empty((*predicted.noticed.shape, 0)))
    blocked, broad = _diagonal(blocks), _diagonal(broads)
    return _Seen(np.concatenate(values), blocked, broad, np.concatenate(most), np.concatenate(columns, axis=-1))


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


SMOOTHING = 0.4
"""h, the kernels' share of the draws' standard deviation [A]. At 0.8 they were so broad that of simulated people whose
way is known 2 to 3 in a hundred fewer were told right. More draws are for a smaller error, not for sharper kernels."""


def _log_kernels(seen: _Seen, weight: FloatArray) -> FloatArray:
    """Return the logarithm of the density that each draw gives the measurements, shape (n_pathways, n_draws)."""
    h2, n = SMOOTHING**2, seen.value.size
    found = np.empty(weight.shape)
    for k, (draws, w) in enumerate(zip(seen.predicted, weight, strict=True)):
        mean = w @ draws
        spread = _steadied((w[:, None] * (draws - mean)).T @ (draws - mean), 1.0 / (w @ w))
        covariance = np.tile(seen.covariance + h2 * spread, (len(draws), 1, 1))
        covariance[:, range(n), range(n)] += np.minimum(RELATIVE_MISFIT * np.abs(draws), seen.most_misfit) ** 2
        found[k] = _log_t(seen.value - np.sqrt(1.0 - h2) * draws - (1.0 - np.sqrt(1.0 - h2)) * mean, covariance)
    return found


def _steadied(covariance: FloatArray, n_effective: float) -> FloatArray:
    """Shrink correlations that few draws leave uncertain, by d/(d + n) for d dimensions and n effective draws [A].

    The form is that of Schäfer & Strimmer 2005 (target D); what matters is the share of draws to dimensions, so that it
    is taken for the intensity and not estimated from the draws.

    References
    ----------
    Schäfer J, Strimmer K, "A shrinkage approach to large-scale covariance matrix estimation and implications for
    functional genomics", Statistical Applications in Genetics and Molecular Biology 4:32, 2005.
    """
    d = len(covariance)
    kept = n_effective / (n_effective + d)
    return kept * covariance + (1.0 - kept) * np.diag(np.diag(covariance))


def _log_t(difference: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the logarithm of multivariate t densities, up to a constant, for differences (n, d) and (n, d, d)."""
    d, nu = difference.shape[1], TAIL_FREEDOM
    # The root L of a matrix with x as border has L⁻¹ x as its last row, if only the corner is large enough.
    bordered = np.empty((len(covariance), d + 1, d + 1))
    bordered[:, :d, :d] = covariance * ((nu - 2.0) / nu)
    bordered[:, d, :d] = difference
    bordered[:, d, d] = 1e30
    root = np.linalg.cholesky(bordered)
    z = root[:, d, :d]
    log_root = np.log(np.diagonal(root, axis1=1, axis2=2)[:, :d]).sum(axis=1)
    return np.asarray(-0.5 * (nu + d) * np.log1p((z**2).sum(axis=1) / nu) - log_root)


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
    h2 = np.minimum(1.0, (4.0 / 3.0 * (weight**2).sum(axis=1, keepdims=True)) ** 0.4)  # Silverman's rule, squared
    centre, width = np.sqrt(1.0 - h2) * at + (1.0 - np.sqrt(1.0 - h2)) * mean, np.sqrt(sd**2 + h2 * spread)
    y = np.linspace((centre - REACH_SD * width).min(), (centre + REACH_SD * width).max(), GRID)
    kernel = np.exp(-0.5 * ((y - centre[..., None]) / width[..., None]) ** 2) / width[..., None]
    density = np.einsum("kd,kdy->ky", weight, kernel)
    density /= np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
    mixed = p @ density
    ratio = np.log2(np.maximum(density, 1e-300) / np.maximum(mixed, 1e-300))
    return max(0.0, float(p @ (density * ratio).sum(axis=1)))

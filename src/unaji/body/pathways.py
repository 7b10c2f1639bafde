"""By which way did the nape come to feel hot? A first answer from what was measured near the episode.

Five ways look alike to the person and differ in what can be measured. Each measured thing is a likelihood under each of
them; their product with a prior gives a posterior, and what the posterior owes to the prior alone is "undetermined".
The simulator of the neck will replace the fixed expectations below by its own predictions.

Numbers marked [R] were read in a source, those marked [A] are assumptions of this version; all are named constants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unaji.claims.model import Pathway
from unaji.records.timeline import BoolArray, FloatArray

PRIOR = {
    Pathway.VASCULAR: 0.25,
    Pathway.SENSORY: 0.30,
    Pathway.MUSCLE: 0.15,
    Pathway.HEAT_LOAD: 0.25,
    Pathway.CORE: 0.05,
}
"""Before anything is measured [A]."""

UNDETERMINED = "undetermined"

NAPE_RISE_K = {
    Pathway.VASCULAR: (1.0, 0.5),  # +0.4 to +2 K from an 8-fold rise of flow down to a doubling [R: layered column]
    Pathway.SENSORY: (0.0, 0.1),
    Pathway.MUSCLE: (0.35, 0.15),  # +0.1 to +0.6 K at 5 % of maximal contraction [R: layered column]
    Pathway.HEAT_LOAD: (0.0, 0.2),  # what air and activity explain is taken out before
    Pathway.CORE: (
        0.7,
        0.4,
    ),  # 0.7 K of neck skin per K of core [R: JOS-3, set point shifted], fever of 1 K
}
"""Nape skin above what air, activity and time of day explain: mean and standard deviation [K]."""

CORE_C = dict.fromkeys(Pathway, (36.8, 0.35)) | {Pathway.CORE: (38.3, 0.6)}
"""Core temperature: mean and standard deviation [°C] [A]."""

HEAT_EXCESS_K = dict.fromkeys(Pathway, (-1.5, 2.0)) | {Pathway.HEAT_LOAD: (2.5, 2.0)}
"""Air temperature beyond the limit of comfort at the activity of the moment: mean and standard deviation [K] [A]."""

COMFORT_LIMIT_C = 26.0
"""Upper limit of comfort, summer clothing, 1.2 met: 24.5 ± 1.5 °C (ISO 7730:2005, category B) [R]."""
COMFORT_SHIFT_K_PER_MET = 4.0
"""The same table allows 1.5 K less at 1.6 met [R]."""
NEAR_BODY_SHARE_OF_SKIN = 0.3
"""A sensor worn on clothes or bag reads between air and skin (34 °C) [A]."""
RESTING_MET = 1.2
MET_PER_100 = 1.8
"""100 steps a minute are 3 met (Tudor-Locke et al. 2018), so are 100 mg at the wrist (Hildebrand et al. 2014) [R]."""

LOGGED_HEAT_LOG_LR = 1.5
LOGGED_LOAD_LOG_LR = 1.0
"""Log likelihood ratio of a logged bath, scarf or workout for heat load, of logged neck load for the muscle way [A]."""

MIN_REFERENCE_BINS = 288
"""A day of five-minute bins away from episodes is the least from which the usual skin temperature is learnt."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured near one episode; None where nothing was.

    Attributes
    ----------
    nape_rise_k, nape_rise_sd_k : float or None
        Nape skin above what air, activity and time of day explain, and the standard deviation of that difference at
        times without episode [K].
    core_temp_c : float or None
        Highest body temperature within six hours.
    heat_excess_k : float or None
        Air temperature beyond the limit of comfort at the activity of the moment [K].
    logged_heat : bool
        Hot bath, hot meal, exercise, warm clothing or sun logged in the hour before.
    logged_load : bool
        Desk work or phone in the hour before, or a stiff neck (6 or more of 10).
    """

    nape_rise_k: float | None = None
    nape_rise_sd_k: float | None = None
    core_temp_c: float | None = None
    heat_excess_k: float | None = None
    logged_heat: bool = False
    logged_load: bool = False


def pathway_probabilities(measured: Measured) -> dict[str, float]:
    """Return the probability of each pathway and of "undetermined"; they sum to 1.

    Notes
    -----
    With posterior p and prior π, a pathway gets max(0, p − π)/(1 − π), its probability corrected for what chance alone
    would give (the form of Cohen's kappa), and the rest is undetermined: 1 where nothing was measured, 0 where the
    measurements leave one pathway only.
    """
    log_p = {pathway: np.log(prior) + _log_likelihood(measured, pathway) for pathway, prior in PRIOR.items()}
    top = max(log_p.values())
    weight = {pathway: float(np.exp(value - top)) for pathway, value in log_p.items()}
    total = sum(weight.values())
    result = {
        str(pathway): max(0.0, w / total - PRIOR[pathway]) / (1 - PRIOR[pathway]) for pathway, w in weight.items()
    }
    return result | {UNDETERMINED: max(0.0, 1.0 - sum(result.values()))}


def _log_likelihood(measured: Measured, pathway: Pathway) -> float:
    log_l = 0.0
    if measured.nape_rise_k is not None and measured.nape_rise_sd_k is not None:
        log_l += _log_normal(measured.nape_rise_k, *NAPE_RISE_K[pathway], measured.nape_rise_sd_k)
    if measured.core_temp_c is not None:
        log_l += _log_normal(measured.core_temp_c, *CORE_C[pathway])
    if measured.heat_excess_k is not None:
        # Beyond ± 4 K the two expectations are past telling apart by more than their difference there.
        log_l += _log_normal(float(np.clip(measured.heat_excess_k, -4, 5)), *HEAT_EXCESS_K[pathway])
    log_l += LOGGED_HEAT_LOG_LR * (measured.logged_heat and pathway is Pathway.HEAT_LOAD)
    log_l += LOGGED_LOAD_LOG_LR * (measured.logged_load and pathway is Pathway.MUSCLE)
    return log_l


def _log_normal(value: float, mean: float, sd: float, noise_sd: float = 0.0) -> float:
    variance = sd**2 + noise_sd**2
    return float(-0.5 * (value - mean) ** 2 / variance - 0.5 * np.log(variance))


def heat_excess_k(air_temp_c: FloatArray, met: FloatArray, *, near_body: bool) -> FloatArray:
    """Air temperature beyond the limit of comfort at the activity of the moment [K].

    Parameters
    ----------
    air_temp_c : ndarray
        Air temperature; of a sensor near the body where `near_body` is set.
    met : ndarray, same shape
        Metabolic rate [met]; NaN counts as rest.
    """
    limit = COMFORT_LIMIT_C
    if near_body:
        limit = (1 - NEAR_BODY_SHARE_OF_SKIN) * COMFORT_LIMIT_C + NEAR_BODY_SHARE_OF_SKIN * 34.0
    active = np.maximum(np.nan_to_num(met, nan=RESTING_MET) - RESTING_MET, 0.0)
    return np.asarray(air_temp_c - limit + COMFORT_SHIFT_K_PER_MET * active)


def met_from_activity(activity: FloatArray) -> FloatArray:
    """Metabolic rate [met] from steps a minute or from movement at the wrist [mg]; both scales agree at 3 met."""
    return np.asarray(RESTING_MET + MET_PER_100 * activity / 100.0)


def skin_above_expected(
    skin_c: FloatArray, air_c: FloatArray, met: FloatArray, local_hour: FloatArray, reference: BoolArray
) -> tuple[FloatArray, float]:
    """Skin temperature above what air, activity and time of day explain for this person.

    Parameters
    ----------
    skin_c, air_c, met, local_hour : ndarray, shape (n_bins,)
        NaN where not measured; `air_c` and `met` may be NaN throughout.
    reference : ndarray of bool, shape (n_bins,)
        Times to learn from: those well away from any episode.

    Returns
    -------
    (ndarray, float)
        Difference [K] on the grid, NaN where skin was not measured, and its robust standard deviation over the
        reference; all NaN when there is less than a day to learn from.

    Notes
    -----
    Least squares with the residuals beyond three robust standard deviations left out once. What is missing of air and
    activity is replaced by its mean, so that it neither explains nor excludes anything.
    """
    columns = [np.ones_like(skin_c)]
    for covariate in (air_c, met):
        if np.isfinite(covariate).any():
            columns.append(np.nan_to_num(covariate - np.nanmean(covariate)))
    phase = 2 * np.pi * local_hour / 24
    x = np.column_stack([*columns, np.cos(phase), np.sin(phase)])
    use = reference & np.isfinite(skin_c)
    for _ in range(2):
        if use.sum() < MIN_REFERENCE_BINS:
            return np.full_like(skin_c, np.nan), float("nan")
        coefficients = np.linalg.lstsq(x[use], skin_c[use], rcond=None)[0]
        difference = skin_c - x @ coefficients
        sd = 1.4826 * float(np.median(np.abs(difference[use] - np.median(difference[use]))))
        use = use & (np.abs(difference) < 3 * max(sd, 1e-6))
    return np.asarray(difference), sd

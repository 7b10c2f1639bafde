"""Compiled kernel of the deconvolution of skin conductance: one convex problem, solved in a band.

Unknown are the responses p and the level t at every sample (interleaved as p₀, t₀, p₁, t₁, …, so that the matrix has
four bands below its diagonal). Imported on first use: numba takes most of a second to load.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unaji.records.timeline import FloatArray

BANDS = 4
"""Non-zero diagonals below the main one in the interleaved order."""

STEP_BACK = 0.995
"""Share of the way to the border that a step may go."""

STALLED = 1e-9
"""A step as short as this share of the full one means that rounding has taken over."""


@njit(cache=True, fastmath=True)
def deconvolve(
    y: FloatArray, poles: FloatArray, sparsity: float, roughness: float, tolerance: float, max_rounds: int
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Minimise ½ |y − p − t|² + sparsity Σ d + ½ roughness Σ (second difference of t)² with d = A p ≥ 0.

    Row k of A is p[k] − (ρ₁ + ρ₂) p[k−1] + ρ₁ρ₂ p[k−2]: the impulses that drive two decays ρ₁ > ρ₂ in series. Rows 0
    and 1, p[0] and p[1] − ρ₁ p[0], admit the tail of any response that began before the first sample.

    Returns
    -------
    p, t, d : ndarray, shape (n,)
    rounds : int
        Rounds used; `max_rounds` + 1 when it has not converged.

    Notes
    -----
    Primal-dual interior point with predictor and corrector (Mehrotra 1992); `tolerance` is the mean product of d and
    its multiplier, in the unit of the objective per sample, at which it stops.
    """
    n = y.size
    d = np.empty(n)
    u = np.empty(n)
    p = np.empty(n)
    t = np.empty(n)
    start = max(np.abs(y - y.mean()).mean() * 0.05, 1e-6)
    for k in range(n):
        d[k] = start
        u[k] = sparsity
    _respond(d, poles, p)
    for k in range(n):
        t[k] = y[k] - p[k]
    band = np.empty((2 * n, BANDS + 1))
    right = np.empty(2 * n)
    gradient = np.empty(2 * n)
    weight = np.empty(n)
    target = np.empty(n)
    toward_d = np.empty(n)
    toward_u = np.empty(n)
    step_p = np.empty(n)
    rounds = max_rounds + 1
    for done in range(max_rounds):
        gap = _dot(d, u) / n
        _gradient(y, p, t, u, poles, sparsity, roughness, gradient)
        worst = np.abs(gradient).max()
        if gap < tolerance and worst < 1e-3 * sparsity:
            rounds = done
            break
        for k in range(n):
            weight[k] = u[k] / d[k]
        _fill(band, weight, poles, roughness)
        _factorise(band)
        # Predictor: straight for the solution, to see how far the borders let it come.
        for k in range(n):
            target[k] = -u[k]
        _newton(band, gradient, target, poles, right, step_p)
        _drive(step_p, poles, toward_d)
        for k in range(n):
            toward_u[k] = -u[k] - weight[k] * toward_d[k]
        reach_d, reach_u = _reach(d, toward_d), _reach(u, toward_u)
        ahead = 0.0
        for k in range(n):
            ahead += (d[k] + reach_d * toward_d[k]) * (u[k] + reach_u * toward_u[k])
        centre = gap * (ahead / n / gap) ** 3
        # Corrector: towards the centre, with the curvature that the predictor saw.
        for k in range(n):
            target[k] = -u[k] + (centre - toward_d[k] * toward_u[k]) / d[k]
        _newton(band, gradient, target, poles, right, step_p)
        _drive(step_p, poles, toward_d)
        for k in range(n):
            toward_u[k] = target[k] - weight[k] * toward_d[k]
        reach_d, reach_u = STEP_BACK * _reach(d, toward_d), STEP_BACK * _reach(u, toward_u)
        if max(reach_d, reach_u) < STALLED:
            break
        # One length for both keeps the quadratic's gradient falling with the step.
        reach = min(reach_d, reach_u)
        for k in range(n):
            d[k] += reach * toward_d[k]
            u[k] += reach * toward_u[k]
            t[k] += reach * right[2 * k + 1]
        _respond(d, poles, p)
    return p, t, d, rounds


@njit(cache=True, fastmath=True)
def _dot(a: FloatArray, b: FloatArray) -> float:
    total = 0.0
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@njit(cache=True, fastmath=True)
def _respond(d: FloatArray, poles: FloatArray, p: FloatArray) -> None:
    """Solve A p = d: the responses to a driver."""
    a1, a2 = poles[0] + poles[1], poles[0] * poles[1]
    p[0] = d[0]
    if d.size > 1:
        p[1] = d[1] + poles[0] * p[0]
    for k in range(2, d.size):
        p[k] = d[k] + a1 * p[k - 1] - a2 * p[k - 2]


@njit(cache=True, fastmath=True)
def _drive(p: FloatArray, poles: FloatArray, d: FloatArray) -> None:
    """Form A p: the driver of responses."""
    a1, a2 = poles[0] + poles[1], poles[0] * poles[1]
    d[0] = p[0]
    if p.size > 1:
        d[1] = p[1] - poles[0] * p[0]
    for k in range(2, p.size):
        d[k] = p[k] - a1 * p[k - 1] + a2 * p[k - 2]


@njit(cache=True, fastmath=True)
def _add_driven_back(v: FloatArray, poles: FloatArray, scale: float, out: FloatArray) -> None:
    """Add scale · Aᵀ v to the responses' places in `out`."""
    a1, a2 = poles[0] + poles[1], poles[0] * poles[1]
    n = v.size
    for k in range(n):
        value = v[k]
        if k + 1 < n:
            value -= (poles[0] if k == 0 else a1) * v[k + 1]
        if k + 2 < n:
            value += a2 * v[k + 2]
        out[2 * k] += scale * value


@njit(cache=True, fastmath=True)
def _gradient(
    y: FloatArray,
    p: FloatArray,
    t: FloatArray,
    u: FloatArray,
    poles: FloatArray,
    sparsity: float,
    roughness: float,
    out: FloatArray,
) -> None:
    """Form the gradient of the Lagrangian: p + t − y + Aᵀ(sparsity − u), and p + t − y + roughness Dᵀ D t."""
    n = y.size
    for k in range(n):
        misfit = p[k] + t[k] - y[k]
        out[2 * k] = misfit
        out[2 * k + 1] = misfit
    _add_driven_back(sparsity - u, poles, 1.0, out)
    for k in range(n - 2):
        bend = roughness * (t[k] - 2.0 * t[k + 1] + t[k + 2])
        out[2 * k + 1] += bend
        out[2 * k + 3] -= 2.0 * bend
        out[2 * k + 5] += bend


@njit(cache=True, fastmath=True)
def _fill(band: FloatArray, weight: FloatArray, poles: FloatArray, roughness: float) -> None:
    """Fill the lower bands: row i, column j of the matrix is band[i, i − j]."""
    n = weight.size
    a1, a2 = poles[0] + poles[1], poles[0] * poles[1]
    for i in range(2 * n):
        for j in range(BANDS + 1):
            band[i, j] = 0.0
    for k in range(n):
        w1 = weight[k + 1] if k + 1 < n else 0.0
        w2 = weight[k + 2] if k + 2 < n else 0.0
        b1 = poles[0] if k == 0 else a1
        band[2 * k, 0] = 1.0 + weight[k] + b1 * b1 * w1 + a2 * a2 * w2
        band[2 * k + 1, 0] = 1.0
        band[2 * k + 1, 1] = 1.0
        if k + 1 < n:
            band[2 * k + 2, 2] = -b1 * w1 - a1 * a2 * w2
        if k + 2 < n:
            band[2 * k + 4, 4] = a2 * w2
    for k in range(n - 2):
        band[2 * k + 1, 0] += roughness
        band[2 * k + 3, 0] += 4.0 * roughness
        band[2 * k + 5, 0] += roughness
        band[2 * k + 3, 2] -= 2.0 * roughness
        band[2 * k + 5, 2] -= 2.0 * roughness
        band[2 * k + 5, 4] += roughness


@njit(cache=True, fastmath=True)
def _factorise(band: FloatArray) -> None:
    """Factorise in place as L Δ Lᵀ: the diagonal becomes 1/Δ, the bands L (unit diagonal)."""
    for i in range(band.shape[0]):
        # Row i: c_j = L_ij Δ_j, from the left.
        for j in range(min(i, BANDS), 0, -1):
            value = band[i, j]
            for m in range(j + 1, min(i, BANDS) + 1):
                if m - j <= BANDS:
                    value -= band[i, m] * band[i - j, m - j]
            band[i, j] = value
        pivot = band[i, 0]
        for j in range(1, min(i, BANDS) + 1):
            scaled = band[i, j] * band[i - j, 0]
            pivot -= scaled * band[i, j]
            band[i, j] = scaled
        band[i, 0] = 1.0 / pivot


@njit(cache=True, fastmath=True)
def _newton(
    band: FloatArray, gradient: FloatArray, target: FloatArray, poles: FloatArray, right: FloatArray, step_p: FloatArray
) -> None:
    """Solve for the step of p and t that leads d·u to its target; `right` becomes the step."""
    rows = right.size
    for i in range(rows):
        right[i] = -gradient[i]
    _add_driven_back(target, poles, 1.0, right)
    for i in range(rows):
        value = right[i]
        for j in range(1, min(i, BANDS) + 1):
            value -= band[i, j] * right[i - j]
        right[i] = value
    for i in range(rows):
        right[i] *= band[i, 0]
    for i in range(rows - 1, -1, -1):
        value = right[i]
        for j in range(1, min(rows - 1 - i, BANDS) + 1):
            value -= band[i + j, j] * right[i + j]
        right[i] = value
    for k in range(step_p.size):
        step_p[k] = right[2 * k]


@njit(cache=True, fastmath=True)
def _reach(x: FloatArray, toward: FloatArray) -> float:
    """Return how much of a step keeps x at or above zero, at most all of it."""
    reach = 1.0
    for k in range(x.size):
        if toward[k] < 0.0 and -x[k] / toward[k] < reach:
            reach = -x[k] / toward[k]
    return reach

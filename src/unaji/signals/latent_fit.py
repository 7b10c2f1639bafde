"""Exact posterior of the hidden curves and of the inputs' effects, and loadings and noise by expectation-maximisation.

The model and its references are in `unaji.signals.latent`; here are arrays only. A record of any length is worked on
stretch by stretch: forward through all of them for the effects, then backward, so that memory is that of one stretch
and there is no seam between them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray
from unaji.signals.latent_inputs import prior_sd_of

FAST_MIN, SLOW_MIN = 10.0, 240.0
"""Time constants of the two parts of each curve: a reaction, and the course of the day [min]."""

FAST_SHARE = 0.6
"""Share of a curve's variance that is in its fast part."""

DRIFT_MIN = 120.0
"""Time constant of what a signal does by itself, as the level of dry electrodes [min]."""

VARIANCE = np.array([FAST_SHARE, 1.0 - FAST_SHARE, FAST_SHARE, 1.0 - FAST_SHARE, 1.0])
KEEP = np.exp(-1.0 / np.array([FAST_MIN, SLOW_MIN, FAST_MIN, SLOW_MIN, DRIFT_MIN]))
"""Of the hidden state: s fast, s slow, v fast, v slow, drift of the level of skin conductance. Share kept a minute."""

SEEN_OF_STATE = np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
"""What the signals see of it: s, v, drift."""

SETTLING_MIN = 60.0
"""Minutes of data that weigh as much as the population's spread and noise."""

LOADING_SD = 0.2
"""Standard deviation of loadings between people."""

LEAST_LOADING = 0.1
"""A loading keeps its sign and at least this share of the population's: what else would tell the curves apart?"""

TAIL_FREEDOM = 6.0
"""Degrees of freedom of the noise: a minute far off loses weight (Lange 1989)."""

ROUNDS = 5

DAY_MIN = 24 * 60
"""Length of the stretches that are worked on at a time: short enough for the processor's cache [min]."""

LONG_MIN = 7 * DAY_MIN
"""A record longer than this is not kept in memory between forward and backward, and is sampled for its loadings."""

SAMPLED_DAYS = 4
"""Days of a record of more than a week on which loadings and noise are found: 96 times `SETTLING_MIN`."""


class Curves(NamedTuple):
    """Posterior of s, v and drift by minute or step: means (n, 3), covariances (n, 3, 3), and with the effects."""

    mean: FloatArray
    cov: FloatArray
    with_effects: FloatArray


class _Filtered(NamedTuple):
    """What the filter leaves of a stretch for the smoother."""

    means: FloatArray
    covs: FloatArray
    innovation: FloatArray
    spread: FloatArray
    gains: FloatArray


class Fit:
    """The model of one record with its current parameters, and what it makes of the data.

    Parameters
    ----------
    y, quality : ndarray, shape (n, C)
        Signals about their centre in units of their spread, NaN where not measured; share of the minute behind them.
    inputs : ndarray, shape (n, m)
        What moves the signals.
    columns : list of list of int
        Which inputs move which signal.
    loading, noise : ndarray, shapes (C, 3) and (C,)
        The population's loadings on s, v and drift, and noise variance.
    """

    def __init__(
        self, *, y: FloatArray, quality: FloatArray, inputs: FloatArray, columns: list[list[int]],
        loading: FloatArray, noise: FloatArray,
    ) -> None:  # fmt: skip
        self.prior_loading, self.prior_noise = loading, noise
        self.loading, self.noise = loading.copy(), noise.copy()
        self.seen: BoolArray = np.isfinite(y)
        self.y = np.where(self.seen, y, 0.0)
        self.quality, self.weight = quality, np.ones_like(quality)
        self.inputs, self.columns = inputs, columns
        ends = np.cumsum([0] + [len(of_signal) for of_signal in columns])
        self._ends = ends.astype(np.int64)
        self._own = [slice(begin, end) for begin, end in pairwise(ends)]
        self.prior_sd = np.concatenate([prior_sd_of(of_signal) for of_signal in columns])
        self.effect, self.effect_cov = np.zeros(self.prior_sd.size), np.diag(self.prior_sd**2)

    def blocks(self, per_step: int = 1) -> list[slice]:
        """Cut the record into days, at borders of steps."""
        n, length = self.y.shape[0], max(DAY_MIN // per_step, 1) * per_step
        return [slice(begin, min(begin + length, n)) for begin in range(0, n, length)]

    def learn(self) -> None:
        """Move loadings, noise and the weights of single minutes to the person's."""
        is_long = self.y.shape[0] > LONG_MIN
        pieces = self._sampled_days() if is_long else self.blocks()
        rows = np.concatenate([np.arange(piece.start, piece.stop) for piece in pieces])
        for _ in range(ROUNDS):
            curves = self.curves(pieces, linked=not is_long)
            for c in range(self.noise.size):
                self._update(c, rows, curves)
        if is_long:
            self._weigh_every_minute()

    def curves(self, pieces: list[slice], *, per_step: int = 1, linked: bool = True) -> Curves:
        """Find the posterior of effects and curves from pieces of the record, given the loadings and the noise.

        Pieces that are linked follow each other without a break; the others know nothing of each other.
        """
        all_fit = sum(piece.stop - piece.start for piece in pieces) <= LONG_MIN
        starts, kept, moments = [], {}, np.zeros((1 + self.effect.size,) * 2)
        mean, cov = self._start()
        for k, piece in enumerate(pieces):
            if not linked:
                mean, cov = self._start()
            starts.append((mean.copy(), cov.copy()))
            done = self._filtered(piece, self.y[piece], mean, cov, moments)
            if all_fit or k == len(pieces) - 1:  # the others are filtered again on the way back
                kept[k] = done
        self.effect_cov = np.linalg.inv(moments[1:, 1:] + np.diag(self.prior_sd**-2.0))
        self.effect = self.effect_cov @ moments[1:, 0]

        found: list[Curves] = []
        r, big_n = np.zeros_like(mean), np.zeros_like(cov)
        for k in reversed(range(len(pieces))):
            if not linked:
                r, big_n = np.zeros_like(mean), np.zeros_like(cov)
            done = (
                kept.pop(k)
                if k in kept
                else self._filtered(pieces[k], self.y[pieces[k]], *starts[k], np.zeros_like(moments))
            )
            found.append(self._curves(*self._smoothed(pieces[k], done, per_step, r, big_n)))
        return Curves(*(np.concatenate(part[::-1]) for part in zip(*found, strict=True)))

    def explained(self, c: int) -> tuple[FloatArray, FloatArray]:
        """Return what level and inputs explain of a signal, and its standard deviation."""
        explained, variance = self._by_inputs(slice(None), c)
        return explained, np.sqrt(variance)

    def _start(self, n_columns: int | None = None) -> tuple[FloatArray, FloatArray]:
        return np.zeros((KEEP.size, n_columns or 1 + self.effect.size)), np.diag(VARIANCE)

    def _filtered(
        self, piece: slice, y: FloatArray, mean: FloatArray, cov: FloatArray, moments: FloatArray
    ) -> _Filtered:
        """Filter a stretch; mean and covariance become those at its end. One column of means leaves the inputs out."""
        from unaji.signals._kernels_latent import filter_forward  # noqa: PLC0415  (numba is slow to load)

        with_inputs = mean.shape[1] > 1
        columns = np.concatenate(self.columns) if with_inputs else np.zeros(0, dtype=np.int64)
        own = self._ends if with_inputs else np.zeros_like(self._ends)
        noise = self.noise / (self.quality[piece] * self.weight[piece])
        inputs = np.ascontiguousarray(self.inputs[piece][:, columns])
        load = self.loading @ SEEN_OF_STATE
        return _Filtered(
            *filter_forward(y, inputs, own, self.seen[piece], noise, load, KEEP, VARIANCE, mean, cov, moments)
        )

    def _smoothed(
        self, piece: slice, done: _Filtered, per_step: int, r: FloatArray, big_n: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        from unaji.signals._kernels_latent import smooth_backward  # noqa: PLC0415  (numba is slow to load)

        load = self.loading @ SEEN_OF_STATE
        view, cov = smooth_backward(*done, self.seen[piece], load, KEEP, SEEN_OF_STATE, per_step, r, big_n)
        return view, cov

    def _curves(self, view: FloatArray, cov: FloatArray) -> Curves:
        # Products of small stacks: one large product would wake the threads of BLAS, which costs more than it gains.
        by_effect = view[:, :, 1:]
        with_effects = by_effect @ self.effect_cov
        mean = view[:, :, 0] - np.einsum("tgk,k->tg", by_effect, self.effect)
        return Curves(mean, cov + with_effects @ by_effect.transpose(0, 2, 1), with_effects)

    def _by_inputs(self, rows: slice | NDArray[np.int64], c: int) -> tuple[FloatArray, FloatArray]:
        """Return what level and inputs explain of a signal in these minutes, and the variance of that."""
        from unaji.signals._kernels_latent import quadratic  # noqa: PLC0415  (numba is slow to load)

        x, own = np.ascontiguousarray(self.inputs[rows][:, self.columns[c]]), self._own[c]
        variance: FloatArray = quadratic(x, np.ascontiguousarray(self.effect_cov[own, own]))
        return np.einsum("tk,k->t", x, self.effect[own]), variance

    def _sampled_days(self) -> list[slice]:
        """Return the best measured day of each quarter of the record; a rare signal counts as much as a common one."""
        n_days = self.y.shape[0] // DAY_MIN
        measured = self.seen[: n_days * DAY_MIN].reshape(n_days, DAY_MIN, -1).sum(axis=1)
        score = (measured / np.maximum(measured.sum(axis=0), 1)).sum(axis=1)
        parts = np.array_split(np.arange(n_days), min(SAMPLED_DAYS, n_days))
        days = [int(part[np.argmax(score[part])]) for part in parts]
        return [slice(day * DAY_MIN, (day + 1) * DAY_MIN) for day in days]

    def _weigh_every_minute(self) -> None:
        """Find the weights of the minutes that were not in the sample, given the effects found there."""
        for piece in self.blocks():
            explained = [self._by_inputs(piece, c)[0] for c in range(self.noise.size)]
            left = np.where(self.seen[piece], self.y[piece] - np.stack(explained, axis=1), 0.0)
            mean, cov = self._start(1)
            done = self._filtered(piece, left, mean, cov, np.zeros((1, 1)))
            view, curve_cov = self._smoothed(piece, done, 1, np.zeros_like(mean), np.zeros_like(cov))
            error = left - np.einsum("tg,cg->tc", view[:, :, 0], self.loading)
            squared = error**2 + np.einsum("cg,tgh,ch->tc", self.loading, curve_cov, self.loading)
            self.weight[piece] = self._weights(squared, self.quality[piece], self.noise)

    @staticmethod
    def _weights(squared: FloatArray, quality: FloatArray, noise: FloatArray) -> FloatArray:
        weights: FloatArray = (TAIL_FREEDOM + 1.0) / (TAIL_FREEDOM + squared * quality / noise)
        return weights

    def _update(self, c: int, rows: NDArray[np.int64], curves: Curves) -> None:
        """Move one signal's loadings, noise and weights one round of expectation-maximisation on."""
        here = self.seen[rows, c]
        at, own = rows[here], self._own[c]
        x, quality = self.inputs[at][:, self.columns[c]], self.quality[at, c]
        explained, doubt = self._by_inputs(at, c)
        left = self.y[at, c] - explained
        curve = curves.mean[here]
        with_x = (curves.with_effects[here][:, :, own] @ x[:, :, None])[:, :, 0]
        power = curves.cov[here] + curve[:, :, None] * curve[:, None, :]
        cross = left[:, None] * curve + with_x

        def squared(load: FloatArray) -> FloatArray:
            of_curves = np.einsum("tgh,g,h->t", power, load, load) - 2.0 * np.einsum("tg,g->t", cross, load)
            total: FloatArray = left**2 + doubt + of_curves
            return total

        weight = self._weights(squared(self.loading[c]), quality, self.noise[c])
        self.weight[at, c] = weight
        trust = weight * quality
        self.loading[c] = self._loading(c, np.einsum("t,tgh->gh", trust, power), np.einsum("t,tg->g", trust, cross))
        total = float(np.sum(trust * squared(self.loading[c])))
        self.noise[c] = (SETTLING_MIN * self.prior_noise[c] + total) / (SETTLING_MIN + at.size)

    def _loading(self, c: int, power: FloatArray, cross: FloatArray) -> FloatArray:
        """Regress a signal on the curves it speaks of, pulled towards the population and kept to its sign."""
        prior = self.prior_loading[c]
        on = np.flatnonzero(prior)
        pull = np.full(on.size, LOADING_SD**-2.0)
        precision = power[np.ix_(on, on)] / self.noise[c] + np.diag(pull)
        found = np.linalg.solve(precision, cross[on] / self.noise[c] + pull * prior[on])
        loading = np.zeros(3)
        loading[on] = np.sign(prior[on]) * np.maximum(np.sign(prior[on]) * found, LEAST_LOADING * np.abs(prior[on]))
        return loading

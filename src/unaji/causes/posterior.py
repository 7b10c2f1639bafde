"""What was learnt of one person, in a form that can be asked what else there is to learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unaji.causes.design import Design
from unaji.causes.features import Tables
from unaji.causes.sampler import Damper, Draws
from unaji.records.timeline import BoolArray, FloatArray

KEPT_A_CHAIN = 1500
"""Draws that are kept of each chain, evenly spread over it."""


@dataclass(frozen=True, eq=False, slots=True)
class Posterior:
    """Draws of all parameters, and what they are parameters of.

    Attributes
    ----------
    design : Design
        As it was fitted: onsets merged, the time of episodes closed.
    tables : Tables
    dampers : tuple of Damper
    z, entry, amplitude : ndarray, shape (n_draws, n_components)
        As in `unaji.causes.sampler.Draws`.
    delta, tau : ndarray, shape (n_draws, n_dampers)
    nu, chain : ndarray, shape (n_draws,)
    """

    design: Design
    tables: Tables
    dampers: tuple[Damper, ...]
    z: BoolArray
    entry: NDArray[np.int64]
    amplitude: FloatArray
    delta: FloatArray
    tau: NDArray[np.int64]
    nu: FloatArray
    chain: NDArray[np.int64]


def thinned(design: Design, tables: Tables, dampers: tuple[Damper, ...], draws: Draws) -> Posterior:
    """Keep a few hundred draws of each chain."""
    chains = [np.flatnonzero(draws.chain == c) for c in np.unique(draws.chain)]
    kept = np.concatenate(
        [c[np.linspace(0, c.size - 1, min(KEPT_A_CHAIN, c.size)).round().astype(int)] for c in chains]
    )
    return Posterior(
        design=design,
        tables=tables,
        dampers=dampers,
        z=draws.z[kept],
        entry=draws.entry[kept],
        amplitude=draws.amplitude[kept],
        delta=draws.delta[kept],
        tau=draws.tau[kept],
        nu=draws.nu[kept],
        chain=draws.chain[kept],
    )

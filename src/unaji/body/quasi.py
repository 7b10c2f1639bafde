"""Draws that fill their space evenly: scrambled Sobol nets that answer as a random generator does.

Some two hundred numbers make a person and a driver, but few of them decide what is felt and measured. A net lays
its points evenly over each of the first dimensions and pairs of them, so that means over it err less than over as many
random points. Several nets, each scrambled by itself, tell by how much they err.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from unaji.records.timeline import FloatArray

BITS = 30


def nets(rng: Generator, n_nets: int, n_points: int, n_dimensions: int) -> FloatArray:
    """Return the points of independently scrambled Sobol nets, shape (n_dimensions, n_points · n_nets); none is 0 or 1.

    The points of the nets take turns: every n_nets-th belongs to the same one, and the first 2^k · n_nets of all are
    nets themselves.

    References
    ----------
    Owen AB, "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity 14:466-489, 1998.
    """
    from scipy.stats import qmc  # noqa: PLC0415  (slow to load)

    # A point stands in the middle of the cell that its bits name.
    each = [
        qmc.Sobol(n_dimensions, scramble=True, bits=BITS, seed=one).random(n_points) + 0.5 ** (BITS + 1)
        for one in rng.spawn(n_nets)
    ]
    return np.stack(each, axis=1).reshape(n_points * n_nets, n_dimensions).T


class Columns:
    """Numbers drawn beforehand, handed out one dimension after the other with the methods of a `Generator`.

    Parameters
    ----------
    uniform : ndarray, shape (n_dimensions, n)
        Evenly distributed within (0, 1).
    """

    def __init__(self, uniform: FloatArray) -> None:
        self._rows = iter(uniform)
        self._shape = uniform.shape

    def random(self, size: int) -> FloatArray:
        """Return the next dimension."""
        row: FloatArray | None = next(self._rows, None)
        if row is None or size != row.size:
            raise ValueError(f"asked for one dimension more of {size} numbers than the {self._shape} there are")
        return row

    def uniform(self, low: float, high: float, size: int) -> FloatArray:
        """Return the next dimension, evenly between two limits."""
        return low + (high - low) * self.random(size)

    def standard_normal(self, size: int) -> FloatArray:
        """Return the next dimension, normally distributed."""
        from scipy.special import ndtri  # noqa: PLC0415  (slow to load)

        return np.asarray(ndtri(self.random(size)))

    def normal(self, loc: float, scale: float, size: int) -> FloatArray:
        """Return the next dimension, normally distributed about `loc`."""
        return loc + scale * self.standard_normal(size)

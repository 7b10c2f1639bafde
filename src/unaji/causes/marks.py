"""How strong was an episode, how long did it last? Marks that tell sources apart where each has its own kind.

What sets off short, light episodes is unlikely to have set off a long, strong one. How each source's episodes are
spread over the classes is not known beforehand: it is learnt along with the causes, from a prior that spreads them as
all of the person's episodes are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unaji.causes.design import Onset
from unaji.records.timeline import FloatArray

FEWEST_KNOWN = 10
"""A mark that fewer episodes have tells nothing of what their sources have in common [A]."""
THIRDS = (1 / 3, 2 / 3)


def episode_marks(onsets: Sequence[Onset]) -> NDArray[np.int64]:
    """Sort the episodes into the person's own light, middle and strong ones, and into short, middle and long ones.

    Returns
    -------
    ndarray of int, shape (n_marks, n_onsets)
        Classes 0 to 2, −1 where not known; no row for a mark that is hardly known or always the same.
    """
    intensity = [np.nan if o.intensity is None else o.intensity for o in onsets]
    duration_min = [np.nan if o.end is None or o.whole_day else (o.end - o.time).total_seconds() / 60 for o in onsets]
    rows = [_thirds(np.array(values, dtype=float)) for values in (intensity, duration_min)]
    known = [row for row in rows if (row >= 0).sum() >= FEWEST_KNOWN and np.unique(row[row >= 0]).size > 1]
    return np.array(known, dtype=np.int64).reshape(len(known), len(onsets))


def _thirds(value: FloatArray) -> NDArray[np.int64]:
    known = np.isfinite(value)
    if not known.any():
        return np.full(value.size, -1, dtype=np.int64)
    low, high = np.quantile(value[known], THIRDS)
    return np.where(known, (value > low).astype(np.int64) + (value > high), -1)

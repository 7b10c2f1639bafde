"""What would the beats have been without the artefacts?

Where a continuous series is needed, a stretch of rejected intervals is replaced by as many beats as fit into it, with
intervals on the line from the last good one to the next: a missed beat becomes two intervals, a beat counted twice one,
an early beat and its pause two ordinary ones. Indices of variability are better taken from the valid pairs alone; the
difference between the two says how much the artefacts may matter.

References
----------
Lipponen JA, Tarvainen MP, J Med Eng Technol, 2019;43:173-181. doi:10.1080/03091902.2019.1640306
"""

from __future__ import annotations

import numpy as np

from unaji.signals.rr import BeatKind
from unaji.signals.tachogram import Tachogram

LONGEST_BRIDGE_S = 5.0
"""A longer stretch of rejected intervals stays a gap [s]."""


def interpolate_artefacts(tachogram: Tachogram) -> Tachogram:
    """Return the tachogram with rejected intervals replaced where a good one stands on either side.

    What was put in has weight 1 and the kind `BeatKind.ECTOPIC`: it was measured by nobody. The number of beats changes
    with every beat missed or counted twice. Stretches longer than `LONGEST_BRIDGE_S` are left out and become gaps.
    """
    from unaji.signals import _kernels_rr as kernels  # noqa: PLC0415  (numba is slow to load)

    nn_ms = tachogram.nn_ms
    good = ~np.isnan(nn_ms)
    end_s, rri_ms, gap, new = kernels.replace_stretches(
        tachogram.end_s, np.nan_to_num(nn_ms), good, tachogram.gap, 1000.0 * LONGEST_BRIDGE_S
    )
    kind = np.where(new, BeatKind.ECTOPIC, BeatKind.NORMAL).astype(np.int8)
    return Tachogram(np.maximum.accumulate(end_s), rri_ms, gap, kind, np.ones(end_s.size), tachogram.origin)

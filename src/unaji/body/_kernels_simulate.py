"""The loop of the whole simulator: nerves and muscle, heat balance, senses, step after step, for a block of persons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unaji.body import _kernels_heat
from unaji.body._kernels_drives import drives_step, fill_factors, sensation_step, start_drives, start_senses
from unaji.body._kernels_heat import (
    CARDIAC_OUTPUT_L_H,
    CHANGED_BY,
    EVERYTHING,
    METABOLIC_W,
    UNCHANGED,
    Body,
    Frame,
    Law,
    heat_step,
    update_surroundings,
)
from unaji.body._lanes import compiled, differ, entry, lanes, load, store
from unaji.body.anatomy import PELVIS
from unaji.body.drives import N_FACTORS, N_PAST, Thermal
from unaji.body.elimination import IntArray
from unaji.body.layout import N_COUPLINGS, N_INPUTS, NAPE
from unaji.records.timeline import BoolArray, FloatArray


class Work(NamedTuple):
    """Room to compute in, for one block."""

    inputs: FloatArray
    coupling: FloatArray
    factors: FloatArray
    factors_of: FloatArray  # lengths of steps for which `factors` were computed, shape (1 + N_PAST,)
    heat: _kernels_heat.Work


def work_for(frame: Frame) -> Work:
    """Return the arrays that the steps of a block compute in."""
    heat = _kernels_heat.work_for(frame)
    return Work(lanes(N_INPUTS), lanes(N_COUPLINGS), lanes(N_FACTORS), np.zeros(1 + N_PAST), heat)


@entry
def run_block(
    dt_s: FloatArray,
    shared: FloatArray,
    where: IntArray,
    own: FloatArray,
    parameters: FloatArray,
    body: Body,
    frame: Frame,
    law: Law,
    temp: FloatArray,
    regulation: FloatArray,
    drives: FloatArray,
    past: FloatArray,
    recent_dt_s: FloatArray,
    senses: FloatArray,
    thermal: FloatArray,
    fresh: bool,
    is_kept: BoolArray,
    kept_from: IntArray,
    kept_row: IntArray,
    kept: FloatArray,
    work: Work,
) -> None:
    """Run one block through all steps.

    Parameters
    ----------
    dt_s, shared, where, own : ndarray
        As in `unaji.body.forcing.Packed`; `own` is of shape (n_own · n_steps, WIDTH).
    temp, regulation, drives, past, recent_dt_s, senses, thermal : ndarray
        Where the block stands, overwritten.
    fresh : bool
        Whether the persons begin here: then nerves, muscle and senses are set to rest first.
    is_kept : ndarray of bool, shape (n_steps,)
    kept_from, kept_row : ndarray, shape (n_rows,)
        Source (temperatures, flows, heat report, drives, senses, thermal) and row of what is kept.
    kept : ndarray, shape (n_rows · n_kept, WIDTH)
        Written, row after row.
    """
    inputs, coupling, factors, flows, heat = work.inputs, work.coupling, work.factors, work.heat.flows, work.heat.heat
    work.factors_of[:] = 0.0
    n_kept = 0
    for t in range(dt_s.size):
        changed = _take(t, shared, where, own, inputs)
        update_surroundings(temp, inputs, body, frame, changed, work.heat.surroundings)
        if fresh and t == 0:
            start_drives(inputs, parameters, drives, past)
            start_senses(thermal, senses)
            recent_dt_s[:] = dt_s[0]
        for j in range(N_PAST, 0, -1):
            recent_dt_s[j] = recent_dt_s[j - 1]
        recent_dt_s[0] = dt_s[t]
        if _replaced(work.factors_of, recent_dt_s):
            fill_factors(parameters, recent_dt_s, factors)
        drives_step(inputs, parameters, factors, thermal, past, drives, coupling, dt_s[t])
        heat_step(temp, regulation, body, inputs, coupling, frame, work.heat, law, dt_s[t])
        _tell(temp, heat, body, frame, thermal)
        sensation_step(inputs, parameters, factors, thermal, drives, coupling, senses, dt_s[t])
        if is_kept[t]:
            _keep(temp, flows, heat, drives, senses, thermal, kept_from, kept_row, n_kept, kept)
            n_kept += 1


@compiled
def _take(t: int, shared: FloatArray, where: IntArray, own: FloatArray, inputs: FloatArray) -> int:
    """Read the inputs of a step; tell what has changed around the skin since the last."""
    most = EVERYTHING if t == 0 else UNCHANGED
    for k in range(N_INPUTS):
        w = where[k]
        if w >= 0:
            new, old = shared[w, t], shared[w, max(t - 1, 0)]
            if t > 0 and (new == old or (np.isnan(new) and np.isnan(old))):
                continue
            store(inputs, k, new)
        else:
            mine = load(own, -(w + 1) * shared.shape[1] + t)
            if t > 0 and not differ(mine, load(inputs, k)):
                continue
            store(inputs, k, mine)
        most = max(most, CHANGED_BY[k])
    return most


@compiled
def _replaced(old: FloatArray, new: FloatArray) -> bool:
    """Copy one list of numbers over another; tell whether that changed it."""
    changed = False
    for k in range(old.size):
        changed |= old[k] != new[k]
        old[k] = new[k]
    return changed


@compiled
def _keep(
    temp: FloatArray,
    flows: FloatArray,
    heat: FloatArray,
    drives: FloatArray,
    senses: FloatArray,
    thermal: FloatArray,
    kept_from: IntArray,
    kept_row: IntArray,
    n_kept: int,
    kept: FloatArray,
) -> None:
    """Copy the chosen rows, each to its own stretch."""
    stretch = kept.shape[0] // max(kept_from.size, 1)
    for r in range(kept_from.size):
        source, row, place = kept_from[r], kept_row[r], r * stretch + n_kept
        if source == 0:
            store(kept, place, load(temp, row))
        elif source == 1:
            store(kept, place, load(flows, row))
        elif source == 2:
            store(kept, place, load(heat, row))
        elif source == 3:
            store(kept, place, load(drives, row))
        elif source == 4:
            store(kept, place, load(senses, row))
        else:
            store(kept, place, load(thermal, row))


@compiled
def _tell(temp: FloatArray, heat: FloatArray, body: Body, frame: Frame, thermal: FloatArray) -> None:
    """Write what drives and senses hear of the heat balance."""
    store(thermal, Thermal.CARDIAC_OUTPUT_L_MIN, load(heat, CARDIAC_OUTPUT_L_H) * (1 / 60.0))
    store(thermal, Thermal.METABOLIC_W, load(heat, METABOLIC_W))
    store(thermal, Thermal.NAPE_SKIN_C, load(temp, frame.tissue_node[frame.patch_tissue[NAPE]]))
    store(thermal, Thermal.CORE_C, load(temp, frame.core[PELVIS]))
    total, area = load(thermal, Thermal.CORE_C) * 0.0, load(thermal, Thermal.CORE_C) * 0.0
    for k in range(frame.patch_tissue.size):
        patch = load(body.area, k)
        total = total + load(temp, frame.tissue_node[frame.patch_tissue[k]]) * patch
        area = area + patch
    store(thermal, Thermal.MEAN_SKIN_C, total / area)

"""The loop of the whole simulator: nerves and muscle, heat balance, senses, step after step, for a block of persons."""

from __future__ import annotations

import numpy as np
from numba import njit

from unaji.body._kernels_drives import drives_step, fill_factors, sensation_step, start_drives, start_senses
from unaji.body._kernels_heat import (
    CARDIAC_OUTPUT_L_H,
    METABOLIC_W,
    N_HEAT,
    N_SURROUNDINGS,
    Body,
    Frame,
    Law,
    heat_step,
    lies_in_still_air,
    room,
    update_surroundings,
)
from unaji.body._lanes import WIDTH, lanes, load, store
from unaji.body.anatomy import PELVIS
from unaji.body.drives import N_FACTORS, N_PAST, Thermal
from unaji.body.elimination import IntArray
from unaji.body.layout import N_COUPLINGS, N_INPUTS, NAPE, Input
from unaji.records.timeline import BoolArray, FloatArray

_SURROUND = np.ones(N_INPUTS, dtype=np.bool_)
_SURROUND[Input.PAR] = False
_SURROUND[Input.FLEXION_DEG : Input.CLOTHING_CLO] = False
"""Inputs that change what surrounds the skin."""


@njit(cache=True, nogil=True)
def run_block(
    dt_s: FloatArray,
    shared: FloatArray,
    where: IntArray,
    own: FloatArray,
    parameters: FloatArray,
    body: Body,
    frame: Frame,
    n_entries: int,
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
) -> None:
    """Run one block through all steps.

    Parameters
    ----------
    dt_s, shared, where, own : ndarray
        As in `unaji.body.forcing.Packed`, `own` of shape (n_own, n_steps, WIDTH).
    temp, regulation, drives, past, recent_dt_s, senses, thermal : ndarray
        Where the block stands, overwritten.
    fresh : bool
        Whether the persons begin here: then nerves, muscle and senses are set to rest first.
    is_kept : ndarray of bool, shape (n_steps,)
    kept_from, kept_row : ndarray, shape (n_rows,)
        Source (temperatures, flows, heat report, drives, senses, thermal) and row of what is kept.
    kept : ndarray, shape (n_kept, n_rows, WIDTH)
        Written.
    """
    inputs = lanes(N_INPUTS)
    coupling = lanes(N_COUPLINGS)
    factors = lanes(N_FACTORS)
    factors_of = np.zeros(1 + N_PAST)
    surroundings = lanes(N_SURROUNDINGS)
    flows = lanes(frame.tissue_node.size)
    heat = lanes(N_HEAT)
    work = room(frame, n_entries)
    n_kept = 0
    for t in range(dt_s.size):
        moved = _take(t, shared, where, own, inputs)
        if moved or lies_in_still_air(inputs):
            update_surroundings(temp, inputs, body, frame, surroundings)
        if fresh and t == 0:
            start_drives(inputs, parameters, drives, past)
            start_senses(thermal, senses)
            recent_dt_s[:] = dt_s[0]
        for j in range(N_PAST, 0, -1):
            recent_dt_s[j] = recent_dt_s[j - 1]
        recent_dt_s[0] = dt_s[t]
        if np.any(factors_of != recent_dt_s):
            fill_factors(parameters, recent_dt_s, factors)
            factors_of[:] = recent_dt_s
        drives_step(inputs, parameters, factors, thermal, past, drives, coupling, dt_s[t])
        heat_step(temp, regulation, body, surroundings, inputs, coupling, flows, heat, frame, work, law, dt_s[t])
        _tell(temp, heat, body, frame, thermal)
        sensation_step(inputs, parameters, factors, thermal, drives, coupling, senses, dt_s[t])
        if is_kept[t]:
            for r in range(kept_from.size):
                row = kept_row[r]
                if kept_from[r] == 0:
                    kept[n_kept, r] = temp[row]
                elif kept_from[r] == 1:
                    kept[n_kept, r] = flows[row]
                elif kept_from[r] == 2:
                    kept[n_kept, r] = heat[row]
                elif kept_from[r] == 3:
                    kept[n_kept, r] = drives[row]
                elif kept_from[r] == 4:
                    kept[n_kept, r] = senses[row]
                else:
                    kept[n_kept, r] = thermal[row]
            n_kept += 1


@njit(cache=True)
def _take(t: int, shared: FloatArray, where: IntArray, own: FloatArray, inputs: FloatArray) -> bool:
    """Read the inputs of a step; tell whether what surrounds the skin has changed since the last."""
    moved = t == 0
    for k in range(N_INPUTS):
        w = where[k]
        for lane in range(WIDTH):
            new = shared[w, t] if w >= 0 else own[-w - 1, t, lane]
            old = inputs[k, lane]
            if new != old and not (np.isnan(new) and np.isnan(old)):
                inputs[k, lane] = new
                moved |= _SURROUND[k]
    return moved


@njit(cache=True)
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

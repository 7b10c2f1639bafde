"""What happens in a person's neck, given what happens to the person?

`simulate` is the simulator's front door: persons and forcing in, the state of the neck out. `Simulation` is the same
for those who want to go on from where they stand: weeks in pieces, or one past with several futures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from unaji.body.anatomy import SKIN_J_KG_K
from unaji.body.drives import (
    MAX_STEP_S,
    MIN_STEP_S,
    N_DRIVE_STATES,
    N_PAST,
    DriveState,
    Thermal,
    neutral_thermal,
    parameter_rows,
)
from unaji.body.forcing import Forcing, Packed
from unaji.body.heat import HeatModel, block_of, heat_model, neutral_state, pack
from unaji.body.persons import Persons
from unaji.body.sensation import N_SENSATION_STATES, SensationState
from unaji.body.state import MAIN, NeckState, check_outputs
from unaji.claims.parameters import Parameters, default_parameters
from unaji.records.timeline import BoolArray, FloatArray

SETTLING_S, SETTLING_STEP_S = 86_400.0, 300.0
"""How long persons have been resting in the first step's room before it, and in what steps that is computed."""

EVENTS = (
    "stress", "emotion", "arm_load", "flexion_deg", "forward_m", "pyrogen_k", "antipyretic", "hot_flash", "needle",
    "nerve_compression",
)  # fmt: skip
"""Inputs that have not begun while a person rests before the first step."""

Progress = Callable[[float], None]


def simulate(
    persons: Persons,
    forcing: Forcing,
    *,
    dt_s: float = 60.0,
    outputs: Sequence[str] = MAIN,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> NeckState:
    """Simulate the necks of persons under what happens to them.

    Parameters
    ----------
    persons : Persons
        Each starts rested, after a day in the room of the first step, with nothing on the mind and no load.
    forcing : Forcing
        What happens, step by step; a step is 1 to 600 s long.
    dt_s : float
        Interval at which outputs are kept: the state at the end of each step that ends on a multiple of it, and of the
        last step.
    outputs : sequence of str
        Names from `unaji.body.state.OUTPUTS`.
    parameters : Parameters, optional
        The defaults when not given; a person's traits go before both.
    progress : callable, optional
        Called with the share of the work done.

    Returns
    -------
    NeckState
        Its arrays have the shape (n_persons, n_times).

    Raises
    ------
    ValueError
        Where forcing and persons do not fit, or a step is too short or too long.
    UsageError
        Where an output is unknown.
    InputError
        Where a trait is unknown or outside its range.
    """
    return Simulation(persons, forcing, parameters).run(forcing, dt_s=dt_s, outputs=outputs, progress=progress)


class Simulation:
    """Persons who are somewhere in time; `run` takes them further.

    Parameters
    ----------
    persons : Persons
    start : Forcing
        Its first step is the room in which they have been resting for a day.
    parameters : Parameters, optional
        The defaults when not given; a person's traits go before both.
    rows : ndarray, shape (N_PARAMS, n_persons), optional
        Parameters as the loops read them, in place of those; for experiments beyond the ranges.

    Attributes
    ----------
    time_s : float
        How long they have been simulated [s].
    """

    def __init__(
        self,
        persons: Persons,
        start: Forcing,
        parameters: Parameters | None = None,
        *,
        rows: FloatArray | None = None,
    ) -> None:
        parameters = default_parameters() if parameters is None else parameters
        self.n_persons = len(persons)
        self.time_s = 0.0
        self._model = heat_model(persons, parameters=parameters)
        self._parameters = pack(parameter_rows(parameters, persons) if rows is None else rows)
        self._rows_of = _rows_of_outputs(self._model, persons, parameters)
        self._at = _at_rest(self._model, persons)
        self._fresh = True
        self.run(_resting(start), dt_s=SETTLING_S, outputs=("core_temp_c",))
        self.time_s = 0.0

    def copy(self) -> Simulation:
        """Return the same persons at the same moment, to be taken another way."""
        other = object.__new__(Simulation)
        other.__dict__ |= self.__dict__ | {"_at": deepcopy(self._at)}
        return other

    def run(
        self,
        forcing: Forcing,
        *,
        dt_s: float = 60.0,
        outputs: Sequence[str] = MAIN,
        progress: Progress | None = None,
    ) -> NeckState:
        """Go on from here through this forcing; see `simulate`. Times are counted from where the persons began."""
        from unaji.body._kernels_simulate import run_block, work_for  # noqa: PLC0415  numba loads slowly
        from unaji.body._lanes import WIDTH, lanes  # noqa: PLC0415

        forcing.check_persons(self.n_persons)
        _check_steps(forcing)
        names = check_outputs(outputs)
        needed = [self._rows_of[name] for name in names]
        distinct = _distinct(needed)
        source, row = (np.array(part, dtype=np.int64) for part in zip(*distinct, strict=True))
        packed, is_kept = forcing.packed(), _on_multiples(forcing, dt_s)
        model, at, n_kept = self._model, self._at, int(is_kept.sum())
        values = {name: np.empty((self.n_persons, n_kept)) for name in names}
        kept, work = lanes(len(distinct) * n_kept), work_for(model.frame)
        place = {key: slice(k * n_kept, (k + 1) * n_kept) for k, key in enumerate(distinct)}
        for b in range(len(at.temp)):
            own = _own_of_block(packed, b, self.n_persons)
            run_block(
                packed.dt_s, packed.shared, packed.where, own, self._parameters[b], block_of(model.body, b),
                model.frame, model.law,
                at.temp[b], at.regulation[b], at.drives[b], at.past[b], at.recent_dt_s[b], at.senses[b], at.thermal[b],
                self._fresh, is_kept, source, row, kept, work,
            )  # fmt: skip
            persons = slice(b * WIDTH, min((b + 1) * WIDTH, self.n_persons))
            for name, rows in zip(names, needed, strict=True):
                values[name][persons] = _summed(rows, kept, place, persons)
            if progress is not None:
                progress((b + 1) / len(at.temp))
        self._fresh = False
        time_s = self.time_s + forcing.end_s[is_kept]
        self.time_s += float(forcing.end_s[-1])
        return NeckState(time_s, values)


class _Standing(NamedTuple):
    """Where persons stand, in blocks; in the order of the loop's arguments."""

    temp: FloatArray
    regulation: FloatArray
    drives: FloatArray
    past: FloatArray
    recent_dt_s: FloatArray
    senses: FloatArray
    thermal: FloatArray


def _at_rest(model: HeatModel, persons: Persons) -> _Standing:
    """Neutral temperatures; the loop sets the rest when it begins."""
    neutral, thermal = neutral_state(model), neutral_thermal(persons)
    skin = [model.anatomy.structure.tissues[t][0] for _, t in model.anatomy.structure.patches]
    area = model.anatomy.area_m2
    thermal[Thermal.NAPE_SET_C] = model.neutral_c[skin[-1]]
    thermal[Thermal.MEAN_SET_C] = (model.neutral_c[skin] * area).sum(axis=0) / area.sum(axis=0)
    temp = pack(neutral.temp_c)
    n_blocks, _, width = temp.shape
    return _Standing(
        temp,
        pack(neutral.regulation),
        np.zeros((n_blocks, N_DRIVE_STATES, width)),
        np.zeros((n_blocks, N_PAST, width)),
        np.zeros((n_blocks, 1 + N_PAST)),
        np.zeros((n_blocks, N_SENSATION_STATES, width)),
        pack(thermal),
    )


def _resting(start: Forcing) -> Forcing:
    """Hold the first step for a day, without what has not begun yet."""
    n_steps = round(SETTLING_S / SETTLING_STEP_S)
    first = {name: value[..., :1] if value.ndim else value for name, value in start.values.items()}
    held = {
        name: np.broadcast_to(value, (*value.shape[:-1], n_steps)) if value.ndim else value
        for name, value in first.items()
        if name not in EVENTS
    }
    return Forcing(np.full(n_steps, SETTLING_STEP_S), held)


def _check_steps(forcing: Forcing) -> None:
    shortest, longest = forcing.dt_s.min(), forcing.dt_s.max()
    if shortest < MIN_STEP_S or longest > MAX_STEP_S:
        found = f"{shortest:g}" if shortest < MIN_STEP_S else f"{longest:g}"
        raise ValueError(f"each step must be {MIN_STEP_S:g} to {MAX_STEP_S:g} s long, got one of {found} s")


def _on_multiples(forcing: Forcing, dt_s: float) -> BoolArray:
    """Tell the steps that end on a multiple of dt_s, and the last one."""
    if not dt_s > 0:
        raise ValueError(f"dt_s must be above 0, got {dt_s:g}")
    end_s = forcing.end_s
    kept = np.abs(end_s - np.round(end_s / dt_s) * dt_s) < 1e-6 * MIN_STEP_S * np.maximum(1.0, end_s / 3600.0)
    kept[-1] = True
    return np.asarray(kept)


def _own_of_block(packed: Packed, b: int, n_persons: int) -> FloatArray:
    """Return the inputs that differ between persons, one below the other; the last person fills up the last block."""
    from unaji.body._lanes import WIDTH, lanes  # noqa: PLC0415  numba loads slowly

    n_own, n_steps = packed.own.shape[:2]
    result = lanes(n_own * n_steps)
    if n_own:
        part = packed.own[..., b * WIDTH : min((b + 1) * WIDTH, n_persons)]
        rows = result.reshape(n_own, n_steps, WIDTH)
        rows[..., : part.shape[-1]] = part
        rows[..., part.shape[-1] :] = part[..., -1:]
    return result


# -- outputs -----------------------------------------------------------------------------------------------------------

ML_MIN_PER_L_H = 1000.0 / 60.0
_TEMP, _FLOW, _HEAT, _DRIVES, _SENSES, _THERMAL = range(6)


class _Row(NamedTuple):
    """A row that the loop can keep, and what one of it counts, for all persons or for each."""

    source: int
    row: int
    scale: float | FloatArray = 1.0


def _rows_of_outputs(model: HeatModel, persons: Persons, parameters: Parameters) -> dict[str, tuple[_Row, ...]]:
    """Say of which rows each output is the sum."""
    from unaji.body._kernels_heat import SHUNT_HAND_L_H  # noqa: PLC0415  numba loads slowly

    anatomy, structure = model.anatomy, model.anatomy.structure

    def temperature(node: str) -> tuple[_Row, ...]:
        return (_Row(_TEMP, structure.node(node)),)

    def skin_flow(node: str) -> _Row:
        hundred_g = anatomy.capacity_j_k[structure.node(node)] / SKIN_J_KG_K * 10.0
        return _Row(_FLOW, structure.tissue(node), ML_MIN_PER_L_H / hundred_g)

    def muscle_flow(node: str) -> tuple[_Row, ...]:
        t = structure.tissue(node)
        basal = persons.trait("nape_muscle_flow_ml_100g_min", parameters["nape_muscle_flow_ml_100g_min"].value)
        return (_Row(_FLOW, t, basal / anatomy.flow_l_h[t]),)

    finger = skin_flow("left_hand_skin")
    rows = {
        "nape_skin_temp_c": temperature("neck_nape_skin"),
        "neck_skin_temp_c": temperature("neck_skin"),
        "superficial_muscle_temp_c": temperature("neck_superficial_muscle"),
        "deep_muscle_temp_c": temperature("neck_deep_muscle"),
        "nape_fat_temp_c": temperature("neck_nape_fat"),
        "deep_neck_temp_c": temperature("neck_core"),
        "neck_artery_temp_c": temperature("neck_artery"),
        "neck_vein_temp_c": temperature("neck_vein"),
        "core_temp_c": temperature("pelvis_core"),
        "finger_skin_temp_c": temperature("left_hand_skin"),
        "chest_skin_temp_c": temperature("chest_skin"),
        "mean_skin_temp_c": (_Row(_THERMAL, Thermal.MEAN_SKIN_C),),
        "nape_skin_flow_ml_100g_min": (skin_flow("neck_nape_skin"),),
        "finger_skin_flow_ml_100g_min": (finger, _Row(_HEAT, SHUNT_HAND_L_H, finger.scale)),
        "superficial_muscle_flow_ml_100g_min": muscle_flow("neck_superficial_muscle"),
        "deep_muscle_flow_ml_100g_min": muscle_flow("neck_deep_muscle"),
        "cardiac_output_l_min": (_Row(_THERMAL, Thermal.CARDIAC_OUTPUT_L_MIN),),
    }
    drives = {name: (_Row(_DRIVES, row, scale),) for name, (row, scale) in DRIVE_OUTPUTS.items()}
    senses = {name: (_Row(_SENSES, row),) for name, row in SENSE_OUTPUTS.items()}
    return rows | drives | senses


DRIVE_OUTPUTS: Mapping[str, tuple[DriveState, float]] = {
    "hr_bpm": (DriveState.HEART_RATE_BPM, 1.0),
    "rmssd_ms": (DriveState.RMSSD_MS, 1.0),
    "eda_proxy": (DriveState.SKIN_NERVE, 1.0),
    "plasma_noradrenaline_nmol_l": (DriveState.PLASMA_NA_NMOL_L, 1.0),
    "arousal": (DriveState.AROUSAL, 1.0),
    "stress_load": (DriveState.LOAD, 1.0),
    "emg_percent_mvc": (DriveState.ACTIVITY_SUPERFICIAL, 100.0),
    "tissue_oxygenation": (DriveState.OXYGENATION, 1.0),
    "lactate_mmol_l": (DriveState.LACTATE_MMOL_L, 1.0),
}
SENSE_OUTPUTS: Mapping[str, SensationState] = {
    "pressure_pain_threshold_kpa": SensationState.PPT_KPA,
    "pain": SensationState.PAIN,
    "felt_heat": SensationState.FELT_HEAT,
    "felt_heat_thermal": SensationState.FELT_THERMAL,
}


def _distinct(sums: Iterable[tuple[_Row, ...]]) -> list[tuple[int, int]]:
    """Return each row that is needed, once."""
    return sorted({(row.source, row.row) for rows in sums for row in rows})


def _summed(
    rows: tuple[_Row, ...], kept: FloatArray, place: Mapping[tuple[int, int], slice], persons: slice
) -> FloatArray:
    """Sum an output up for the persons of a block, shape (n_persons, n_kept)."""
    n = persons.stop - persons.start
    scaled = (
        kept[place[source, row], :n].T * (scale if isinstance(scale, float) else scale[persons, None])
        for source, row, scale in rows
    )
    return np.asarray(sum(scaled))

"""How do the temperatures of bodies move? The heat balance run over time for a batch of persons.

The compiled kernels are in `_kernels_heat`; here bodies are laid out for them, find their neutral state and are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unaji.body.anatomy import (
    COMPAT,
    FULL,
    Anatomy,
    Corrections,
    Structure,
    anatomy_of,
    basal_metabolism_w,
    surface_area_m2,
)
from unaji.body.elimination import IntArray
from unaji.body.layout import (
    N_COUPLINGS,
    N_INPUTS,
    NAPE,
    NECK,
    SEGMENTS,
    Coupling,
    Input,
)
from unaji.body.persons import Persons
from unaji.claims.parameters import Parameters, default_parameters
from unaji.records.timeline import FloatArray

if TYPE_CHECKING:
    from unaji.body._kernels_heat import Body, Frame, Law

LAW_PARAMETERS = (
    "dilation_lag_s", "constriction_lag_s", "local_warming_lag_s",
    "local_warming_gain", "local_warming_onset_c", "local_warming_span_k",
)  # fmt: skip
"""Parameters of regulation, the same for all persons of a batch."""

NEUTRAL_PAR = 1.25
NEUTRAL_HUMIDITY_PERCENT = 50.0
NEUTRAL_AIR_SPEED_M_S = 0.1
NEUTRAL_PRESSURE_HPA = 1013.3
"""One standard atmosphere as JOS-3 rounds it."""
SETTLING_STEP_S = 60_000.0
STEADY_K_PER_H = 1e-3
MOST_HOURS = 500

REPORTED = (
    "metabolic_w",
    "shivering_w",
    "evaporative_w",
    "dry_w",
    "respiratory_w",
    "sun_w",
    "cardiac_output_l_h",
    "skin_flow_l_h",
    "wettedness",
    "shunt_hand_l_h",
    "shunt_foot_l_h",
)
"""What a step reports of the whole body, in the kernel's order; then evaporation, dry loss and wettedness by patch."""
PATCHES = (*SEGMENTS, "nape")


@dataclass(frozen=True, eq=False, slots=True)
class HeatModel:
    """A batch of bodies ready to run.

    Attributes
    ----------
    anatomy : Anatomy
    corrections : Corrections
    neutral_c : ndarray, shape (n_nodes, n_persons)
        Neutral state: set points, and where a run begins unless told otherwise.
    frame, body, law
        The same for the kernels; bodies in blocks.
    """

    anatomy: Anatomy
    corrections: Corrections
    neutral_c: FloatArray
    frame: Frame
    body: Body
    law: Law

    @property
    def n_persons(self) -> int:
        """Persons in the batch."""
        return int(self.neutral_c.shape[1])

    @property
    def outputs(self) -> dict[str, tuple[int, int]]:
        """Every output by name: kernel's source and row."""
        structure = self.anatomy.structure
        names = {f"{name}_c": (0, i) for i, name in enumerate(structure.nodes)}
        names |= {f"{structure.nodes[node]}_l_h": (1, t) for t, (node, _) in enumerate(structure.tissues)}
        by_patch = [f"{patch}_{what}" for what in ("evaporative_w", "dry_w", "wettedness") for patch in PATCHES]
        return names | {name: (2, i) for i, name in enumerate((*REPORTED, *by_patch))}


@dataclass(frozen=True, eq=False, slots=True)
class HeatState:
    """Where a batch stands: temperatures [°C] by node and the lags of regulation, persons last."""

    temp_c: FloatArray
    regulation: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class HeatRun:
    """Result of a run.

    Attributes
    ----------
    names : tuple of str
    values : ndarray, shape (n_outputs, n_kept, n_persons)
        After each kept step; flows and heat are those that drove that step.
    end : HeatState
    """

    names: tuple[str, ...]
    values: FloatArray
    end: HeatState

    def __getitem__(self, name: str) -> FloatArray:
        """Return one output, shape (n_kept, n_persons)."""
        return np.asarray(self.values[self.names.index(name)])


def conditions(n_persons: int, **values: Any) -> FloatArray:
    """Return inputs of shape (N_INPUTS, n_persons): sitting nude at rest in still air of 28.8 °C but for what is given.

    Names are those of `layout.Input` in lower case; a value is a number or one for each person, of `clothing_clo` one
    for each segment, shape (17,) or (17, n_persons).
    """
    result = np.zeros((N_INPUTS, n_persons))
    result[Input.AIR_TEMP_C] = 28.8
    result[Input.HUMIDITY_PERCENT] = 50.0
    result[Input.AIR_SPEED_M_S] = 0.1
    result[Input.PRESSURE_HPA] = NEUTRAL_PRESSURE_HPA
    result[Input.NECK_AIR_TEMP_C] = np.nan
    result[Input.PAR] = NEUTRAL_PAR
    result[Input.POSTURE] = 1.0
    if "radiant_temp_c" not in values:
        values["radiant_temp_c"] = values.get("air_temp_c", 28.8)
    for name, value in values.items():
        if name == "clothing_clo":
            clo = np.asarray(value, dtype=float)
            result[Input.CLOTHING_CLO :] = clo[:, None] if clo.ndim == 1 else clo
        else:
            result[Input[name.upper()]] = value
    return result


def neutral_coupling(n_persons: int) -> FloatArray:
    """Return couplings that change nothing, shape (N_COUPLINGS, n_persons)."""
    result = np.zeros((N_COUPLINGS, n_persons))
    result[[Coupling.MUSCLE_FLOW_DEEP, Coupling.MUSCLE_FLOW_SUPERFICIAL]] = 1.0
    result[[Coupling.SHUNT_OPENING_FACTOR, Coupling.SWEAT_FACTOR]] = 1.0
    return result


def law_of(on: Corrections, persons: Persons, parameters: Parameters) -> Law:
    """Return how bodies are regulated; ValueError where persons of one batch differ in that."""
    from unaji.body._kernels_heat import Law  # noqa: PLC0415  numba loads slowly

    shared: dict[str, float] = {}
    for name in LAW_PARAMETERS:
        values = np.unique(persons.trait(name, parameters[name].value))
        if values.size > 1:
            raise ValueError(f"{name} must be the same for all persons of a batch, got {values.size} different values")
        shared[name] = float(values[0])
    for name in ("dilation_lag_s", "constriction_lag_s"):
        shared[name] *= on.lagged_drives
    shared["local_warming_gain"] *= on.local_warming
    return Law(clamped_evaporation=on.clamped_evaporation, proportional_rest=on.proportional_rest, **shared)


def heat_model(persons: Persons, on: Corrections = FULL, parameters: Parameters | None = None) -> HeatModel:
    """Lay out bodies for the kernels and find their neutral state.

    Parameters
    ----------
    persons : Persons
    on : Corrections
        `FULL`, `COMPAT` or any choice between them.
    parameters : Parameters, optional
        `anatomy.BODY_PARAMETERS` and `LAW_PARAMETERS` are read, the defaults when not given; a person's traits go
        before both.

    Notes
    -----
    As in JOS-3, set points are the temperatures of a body that stands nude, without regulation, in still air in which
    the predicted mean vote is zero for it.
    """
    parameters = default_parameters() if parameters is None else parameters
    anatomy = anatomy_of(persons, on, parameters)
    frame = frame_of(anatomy.structure)
    blocks = _blocks(anatomy)
    law = law_of(on, persons, parameters)
    n = len(persons)
    inputs = conditions(n, air_temp_c=preferred_temp_c(persons, on), posture=0.0)
    coupling = neutral_coupling(n)
    coupling[Coupling.SHUNT_OPENING_FACTOR] = float(on.open_shunts_at_neutrality)
    rounds = 60 if on.open_shunts_at_neutrality else 10  # JOS-3 stops after ten
    drift = np.full(rounds, SETTLING_STEP_S)
    _run_blocks(blocks.set_point.copy(), blocks, inputs[None], coupling[None], drift, frame, law, drifting=True)
    neutral_c = unpack(blocks.set_point, n)
    return HeatModel(anatomy, on, neutral_c, frame, blocks, law)


def pack(rows: FloatArray) -> FloatArray:
    """Persons last (…, n_persons) → blocks (n_blocks, …, WIDTH); the last person fills up the last block."""
    from unaji.body._lanes import WIDTH, aligned  # noqa: PLC0415  numba loads slowly

    *shape, n_persons = rows.shape
    n_blocks = -(-n_persons // WIDTH)
    result = aligned(n_blocks * int(np.prod(shape)) * WIDTH).reshape(n_blocks, *shape, WIDTH)
    for b in range(n_blocks):
        part = rows[..., b * WIDTH : (b + 1) * WIDTH]
        result[b, ..., : part.shape[-1]] = part
        result[b, ..., part.shape[-1] :] = part[..., -1:]
    return result


def unpack(blocks: FloatArray, n_persons: int) -> FloatArray:
    """Blocks (n_blocks, …, WIDTH) → persons last (…, n_persons)."""
    last = np.moveaxis(blocks, 0, -2)
    lanes = last.shape[-2] * last.shape[-1]
    return np.ascontiguousarray(last.reshape(*last.shape[:-2], lanes)[..., :n_persons])


def frame_of(structure: Structure) -> Frame:
    """Return where everything is, for the kernels."""
    from unaji.body._kernels_heat import Frame  # noqa: PLC0415  numba loads slowly

    def places(values: Iterable[int]) -> IntArray:
        return np.array(tuple(values), dtype=np.int64)

    muscles = [f"neck_{which}_muscle" for which in ("deep", "superficial")]
    return Frame(
        tissue_node=places(node for node, _ in structure.tissues),
        patch_tissue=places(t for _, t in structure.patches),
        patch_segment=places(s for s, _ in structure.patches),
        core=places(structure.node(f"{name}_core") for name in SEGMENTS),
        chest=structure.tissue("chest_core"),
        nape_muscle=places(structure.tissue(m) for m in muscles if m in structure.nodes),
    )


def _blocks(anatomy: Anatomy) -> Body:
    from unaji.body._kernels_heat import Body  # noqa: PLC0415  numba loads slowly

    one = np.stack(
        [
            anatomy.basal_w,
            anatomy.shunt_hand_l_h,
            anatomy.shunt_foot_l_h,
            anatomy.brown_fat_limit_w,
            anatomy.area_m2.sum(axis=0),
            anatomy.skin_flow_least,
            anatomy.skin_flow_most,
        ]
    )
    start_c = np.full_like(anatomy.capacity_j_k, 36.0)
    rows = (
        anatomy.capacity_j_k,
        anatomy.conductance_w_k,
        anatomy.flow_l_h,
        anatomy.heat_w,
        anatomy.work_share,
        anatomy.shivering_gain,
        anatomy.brown_fat_gain,
        anatomy.area_m2,
        anatomy.receptors,
        anatomy.sweat_gain,
        anatomy.dilation_gain,
        anatomy.constriction_gain,
        start_c,
        anatomy.muscle_mass_kg,
        one,
    )
    return Body(*(pack(x) for x in rows))


def neutral_state(model: HeatModel) -> HeatState:
    """Return the neutral state as a start."""
    from unaji.body._kernels_heat import N_REGULATION  # noqa: PLC0415  numba loads slowly

    return HeatState(model.neutral_c.copy(), np.zeros((N_REGULATION, model.n_persons)))


def run_heat(
    model: HeatModel,
    inputs: FloatArray,
    *,
    n_steps: int | None = None,
    dt_s: float | FloatArray = 60.0,
    phase_of_step: IntArray | None = None,
    coupling: FloatArray | None = None,
    outputs: Sequence[str] = (),
    every: int = 1,
    start: HeatState | None = None,
) -> HeatRun:
    """Run the heat balance of all persons over the same steps.

    Parameters
    ----------
    model : HeatModel
    inputs : ndarray, shape (N_INPUTS, n_persons) or (n_phases, N_INPUTS, n_persons)
        Held constant within a phase.
    n_steps : int, optional
        Needed with one phase and one length of step.
    dt_s : float or ndarray, shape (n_steps,)
        Length of the steps.
    phase_of_step : ndarray of int, shape (n_steps,), optional
        Which phase each step is in; all in the first when left out.
    coupling : ndarray, like `inputs` with N_COUPLINGS, optional
        What nerves, muscles and needles do; nothing when left out.
    outputs : sequence of str
        Keys of `model.outputs` to keep.
    every : int
        Keep the outputs of every so manieth step.
    start : HeatState, optional
        The neutral state when left out.
    """
    phases = inputs[None] if inputs.ndim == 2 else inputs
    steps, phase = _steps(phases.shape[0], n_steps, dt_s, phase_of_step)
    _check_inputs(model, phases)
    if coupling is None:
        coupling = neutral_coupling(model.n_persons)
    couplings = coupling[None] if coupling.ndim == 2 else coupling
    start = start or neutral_state(model)
    known = model.outputs
    unknown = [name for name in outputs if name not in known]
    if unknown:
        raise ValueError(f"no such output of the heat balance: {', '.join(unknown)}")
    chosen = np.array([known[name] for name in outputs], dtype=np.int64).reshape(-1, 2)
    temp, regulation = pack(start.temp_c), pack(start.regulation)
    kept = _run_blocks(
        temp, model.body, phases, couplings, steps, model.frame, model.law, regulation, phase, chosen, every
    )
    n = model.n_persons
    values = unpack(kept, n).swapaxes(0, 1)
    return HeatRun(tuple(outputs), values, HeatState(unpack(temp, n), unpack(regulation, n)))


def _run_blocks(
    temp: FloatArray,
    body: Body,
    phases: FloatArray,
    couplings: FloatArray,
    steps_s: FloatArray,
    frame: Frame,
    law: Law,
    regulation: FloatArray | None = None,
    phase_of_step: IntArray | None = None,
    chosen: IntArray | None = None,
    every: int = 1,
    *,
    drifting: bool = False,
) -> FloatArray:
    """Run block after block, overwriting `temp` and `regulation`; return what is kept, blocks first."""
    from unaji.body._kernels_heat import N_REGULATION, run_heat_block, work_for  # noqa: PLC0415  numba loads slowly
    from unaji.body._lanes import lanes  # noqa: PLC0415

    n_blocks, _, width = temp.shape
    phase = np.zeros(steps_s.size, dtype=np.int64) if phase_of_step is None else phase_of_step
    source, row = (np.zeros((0, 2), dtype=np.int64) if chosen is None else chosen).T.copy()
    kept = np.empty((n_blocks, steps_s.size // every, row.size, width))
    inputs, coupling, work = pack(phases), pack(couplings), work_for(frame)
    for b in range(n_blocks):
        run_heat_block(
            temp[b], lanes(N_REGULATION) if regulation is None else regulation[b], block_of(body, b),
            inputs[b], coupling[b], phase, steps_s, drifting,
            source, row, every, kept[b], frame, work, law,
        )  # fmt: skip
    return kept


def block_of(body: Body, b: int) -> Body:
    """Return one block of bodies."""
    return type(body)(*(part[b] for part in body))


def _steps(
    n_phases: int, n_steps: int | None, dt_s: float | FloatArray, phase_of_step: IntArray | None
) -> tuple[FloatArray, IntArray]:
    """Return length and phase of each step."""
    if n_steps is None:
        given = phase_of_step if phase_of_step is not None else dt_s
        if np.ndim(given) != 1:
            raise ValueError("n_steps, phase_of_step or an array dt_s must say how many steps to run")
        n_steps = np.size(given)
    n = n_steps
    lengths = np.broadcast_to(np.asarray(dt_s, dtype=float), (n,)).copy()
    phase = np.zeros(n, dtype=np.int64) if phase_of_step is None else np.asarray(phase_of_step, dtype=np.int64)
    if phase.shape != (n,) or (n and not 0 <= phase.min() <= phase.max() < n_phases):
        raise ValueError(f"phase_of_step must hold {n} numbers from 0 to {n_phases - 1}")
    if not np.all(lengths > 0):
        raise ValueError("dt_s must be positive")
    return lengths, phase


def _check_inputs(model: HeatModel, phases: FloatArray) -> None:
    expected = (N_INPUTS, model.n_persons)
    if phases.shape[1:] != expected:
        raise ValueError(f"inputs must have shape (…, {expected[0]}, {expected[1]}), got {phases.shape}")
    missing = ~np.isfinite(phases)
    missing[:, [Input.NECK_AIR_TEMP_C, Input.HOUR]] = False
    if np.any(missing):
        raise ValueError("inputs must be finite; only the neck's own air temperature and the hour may be NaN")
    on_nape = phases[:, [Input.NAPE_SUN_W_M2, Input.COLLAR_M2K_W]]
    if not model.corrections.detailed_neck and np.any(on_nape):
        raise ValueError("sun and collar act on the nape, which only the detailed neck has")


def preferred_temp_c(persons: Persons, on: Corrections = COMPAT) -> FloatArray:
    """Air and radiant temperature in which a nude body at 1.25 times its basal rate has a predicted mean vote of 0.

    Notes
    -----
    Fanger's equation as JOS-3 has it: convection always forced, 12.1 √v, and the search ended at ± 0.001.
    """
    basal_w_m2 = basal_metabolism_w(persons, revised=on.revised_basal_metabolism) / surface_area_m2(persons)
    heat_w_m2 = basal_w_m2 * NEUTRAL_PAR
    temp_c = np.full_like(heat_w_m2, 28.0)
    for _ in range(100):
        vote = _predicted_mean_vote(temp_c, heat_w_m2)
        found = np.abs(vote) < 0.001
        if found.all():
            break
        temp_c = np.where(found, temp_c, temp_c - vote / 3)
    return temp_c


def _predicted_mean_vote(temp_c: FloatArray, heat_w_m2: FloatArray) -> FloatArray:
    """Of a nude body, without external work (ASHRAE Handbook of Fundamentals 2017, chapter 9)."""
    vapour_kpa = np.exp(16.6536 - 4030.183 / (temp_c + 235)) * NEUTRAL_HUMIDITY_PERCENT / 100
    convection = 12.1 * NEUTRAL_AIR_SPEED_M_S**0.5
    goal_c = 35.7 - 0.028 * heat_w_m2
    surface_c, moving = (34 + temp_c) / 2, np.ones(temp_c.shape, dtype=bool)
    for _ in range(100):
        surface_c = np.where(moving, (goal_c + surface_c) / 2, surface_c)
        moving &= np.abs(goal_c - surface_c) >= 0.0001
        if not moving.any():
            break
    radiated = 3.96e-8 * ((surface_c + 273) ** 4 - (temp_c + 273) ** 4)
    convected = convection * (surface_c - temp_c)
    diffused = 3.05 * (5.73 - 0.007 * heat_w_m2 - vapour_kpa)
    sweat = np.maximum(0, 0.42 * (heat_w_m2 - 58.15))
    breathed = 0.0173 * heat_w_m2 * (5.87 - vapour_kpa) + 0.0014 * heat_w_m2 * (34 - temp_c)
    load = heat_w_m2 - radiated - convected - diffused - sweat - breathed
    return np.asarray((0.303 * np.exp(-0.036 * heat_w_m2) + 0.028) * load)


def steady_table(
    model: HeatModel, inputs: FloatArray, *, coupling: FloatArray | None = None, start: HeatState | None = None
) -> tuple[dict[str, FloatArray], HeatState]:
    """Run steady conditions hour by hour, each person until no skin or core moves more than 1 mK in an hour.

    Parameters
    ----------
    model : HeatModel
    inputs : ndarray, shape (N_INPUTS, n_persons)
    coupling : ndarray, shape (N_COUPLINGS, n_persons), optional
    start : HeatState, optional

    Returns
    -------
    dict of ndarray, shape (n_persons,)
        `columns`, `hours`, and `drift_mk_per_h`: how far the skin or core that moved most still moved in the last hour.
    HeatState
        Where each person settled.
    """
    structure = model.anatomy.structure
    watched = [i for i, name in enumerate(structure.nodes) if name.endswith(("_skin", "_core"))]
    names = tuple(model.outputs)
    state = start or neutral_state(model)
    settled_values = np.full((len(names), model.n_persons), np.nan)
    settled_state = HeatState(np.full_like(state.temp_c, np.nan), np.full_like(state.regulation, np.nan))
    hours, drift_mk = np.zeros(model.n_persons), np.zeros(model.n_persons)
    for hour in range(1, MOST_HOURS + 1):
        run = run_heat(model, inputs, n_steps=60, coupling=coupling, outputs=names, every=60, start=state)
        moved_k = np.abs(run.end.temp_c - state.temp_c)[watched].max(axis=0)
        new = (moved_k <= STEADY_K_PER_H) & (hours == 0)
        hours[new], drift_mk[new] = hour, 1000.0 * moved_k[new]
        settled_values[:, new] = run.values[:, -1, new]
        settled_state.temp_c[:, new] = run.end.temp_c[:, new]
        settled_state.regulation[:, new] = run.end.regulation[:, new]
        if np.all(hours):
            told = {"hours": hours, "drift_mk_per_h": drift_mk}
            return columns(model, names, settled_values) | told, settled_state
        state = run.end
    raise ValueError(f"{int((hours == 0).sum())} of {hours.size} persons did not settle within {MOST_HOURS} h")


def sequence(
    model: HeatModel, phases: FloatArray, minutes: Sequence[int], *, settle_h: int = 24
) -> dict[str, FloatArray]:
    """Settle in the first phase, then run through all phases minute by minute.

    Parameters
    ----------
    model : HeatModel
    phases : ndarray, shape (n_phases, N_INPUTS, n_persons)
    minutes : sequence of int
        Length of each phase.
    settle_h : int
        Hours in the first phase before the first row.

    Returns
    -------
    dict of ndarray, shape (sum of minutes, n_persons)
        `columns`; row k is the state after k + 1 minutes.
    """
    names = tuple(model.outputs)
    settled = run_heat(model, phases[:1], n_steps=settle_h * 60)
    phase = np.repeat(np.arange(len(minutes)), minutes)
    run = run_heat(model, phases, phase_of_step=phase, outputs=names, start=settled.end)
    return columns(model, names, run.values)


def columns(model: HeatModel, names: Sequence[str], values: FloatArray) -> dict[str, FloatArray]:
    """Pick from all outputs what is usually asked for; neck values are means and sums over the whole neck.

    Parameters
    ----------
    model : HeatModel
    names : sequence of str
        Outputs in the order of `values`, all of `model.outputs`.
    values : ndarray, shape (n_outputs, …, n_persons)
    """
    of = dict(zip(names, values, strict=True))
    structure = model.anatomy.structure
    neck_skin = ("neck_skin", "neck_nape_skin") if model.corrections.detailed_neck else ("neck_skin",)
    neck_patches = ("neck", "nape")[: len(neck_skin)]
    tissues = [structure.nodes[node] for node, s in structure.tissues if s == NECK]
    area = model.anatomy.area_m2
    patch_skin = [structure.nodes[structure.tissues[t][0]] for _, t in structure.patches]
    neck_area = area[[NECK, NAPE][: len(neck_skin)]]
    result = {f"{name}_skin_c": of[f"{name}_skin_c"] for name in SEGMENTS}
    result |= {f"{name}_core_c": of[f"{name}_core_c"] for name in SEGMENTS}
    result["neck_skin_c"] = sum(of[f"{n}_c"] * a for n, a in zip(neck_skin, neck_area, strict=True)) / neck_area.sum(0)
    result["mean_skin_c"] = sum(of[f"{n}_c"] * a for n, a in zip(patch_skin, area, strict=True)) / area.sum(axis=0)
    result["central_blood_c"] = of["central_blood_c"]
    result["neck_skin_flow_l_h"] = np.sum([of[f"{n}_l_h"] for n in neck_skin], axis=0)
    result["neck_deep_flow_l_h"] = np.sum([of[f"{n}_l_h"] for n in tissues if n not in neck_skin], axis=0)
    for what in ("evaporative_w", "dry_w"):
        result[f"neck_{what}"] = np.sum([of[f"{p}_{what}"] for p in neck_patches], axis=0)
    return result | {name: of[name] for name in REPORTED}

"""Of what does a body consist, thermally? Nodes, capacities, conductances, flows and heat, scaled to each person.

The numbers of the whole body are those of JOS-3 [1]_, 17 segments after the model of Stolwijk; where the detail of the
neck is on, its core and skin are split into deep neck, two layers of nape muscle, fat, nape skin and the rest of the
neck's skin, so that capacity, flow, heat and area add up to JOS-3's neck.

References
----------
.. [1] Takahashi Y, Nomoto A, Yoda S, et al. Thermoregulation model JOS-3 with new open source code. Energy & Buildings
   2021;231:110575. doi:10.1016/j.enbuild.2020.110575
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from unaji.body.layout import NAPE, NECK, SEGMENTS
from unaji.body.persons import Persons
from unaji.claims.parameters import Parameters, default_parameters
from unaji.records.timeline import FloatArray

HEAD, CHEST, BACK, PELVIS = 0, 2, 3, 4
HANDS, FEET = (7, 10), (13, 16)
FIRST_LIMB = 5
LAYERED = (HEAD, PELVIS)
"""Segments whose muscle and fat are nodes of their own."""

ARTERY_FROM = (NECK, -1, -1, -1, -1, -1, 5, 6, -1, 8, 9, PELVIS, 11, 12, PELVIS, 14, 15)
"""From which segment each one's artery is fed and where its vein drains to; −1 is the central blood."""

STANDARD_WEIGHT_KG = 74.43
STANDARD_BASAL_FLOW_L_H = 290.0
WH = 3600.0
"""Joules in a watt-hour."""


def _limbs(trunk: Sequence[float], arm: Sequence[float], leg: Sequence[float]) -> FloatArray:
    """Return 17 values from head, neck, chest, back, pelvis, one arm's three and one leg's three."""
    return np.array([*trunk, *arm, *arm, *leg, *leg])


_NO_LIMBS = (0.0, 0.0, 0.0)
_NO_TRUNK = (0.0, 0.0, 0.0, 0.0, 0.0)

AREA_M2 = _limbs((0.110, 0.029, 0.175, 0.161, 0.221), (0.096, 0.063, 0.050), (0.209, 0.112, 0.056))
STANDARD_AREA_M2 = float(AREA_M2.sum())

ARTERY_WH_K = _limbs((0.096, 0.025, 0.12, 0.111, 0.265), (0.0186, 0.0091, 0.0044), (0.0813, 0.04, 0.0103))
VEIN_WH_K = _limbs((0.321, 0.085, 0.424, 0.39, 0.832), (0.046, 0.024, 0.01), (0.207, 0.1, 0.024))
SUPERFICIAL_VEIN_WH_K = _limbs(_NO_TRUNK, (0.025, 0.015, 0.011), (0.074, 0.05, 0.021))
CENTRAL_BLOOD_WH_K = 1.999
CORE_WH_K = _limbs((1.7229, 0.564, 10.2975, 9.3935, 4.488), (1.6994, 1.1209, 0.1536), (5.3117, 2.867, 0.2097))
MUSCLE_WH_K = _limbs((0.305, 0, 0, 0, 7.409), _NO_LIMBS, _NO_LIMBS)
FAT_WH_K = _limbs((0.203, 0, 0, 0, 1.947), _NO_LIMBS, _NO_LIMBS)
SKIN_WH_K = _limbs((0.1885, 0.058, 0.441, 0.406, 0.556), (0.126, 0.084, 0.088), (0.334, 0.169, 0.107))

FAT_CLASS_PERCENT = (12.5, 17.5, 22.5, 27.5)
CORE_TO_SKIN_W_K = np.array(
    [
        _limbs((1.341, 0.930, 1.879, 1.729, 2.370), (1.557, 1.018, 2.210), (2.565, 1.378, 3.404)),
        _limbs((1.311, 0.909, 1.785, 1.643, 2.251), (1.501, 0.982, 2.183), (2.468, 1.326, 3.370)),
        _limbs((1.282, 0.889, 1.698, 1.563, 2.142), (1.448, 0.947, 2.156), (2.375, 1.276, 3.337)),
        _limbs((1.255, 0.870, 1.618, 1.488, 2.040), (1.396, 0.913, 2.130), (2.285, 1.227, 3.304)),
        _limbs((1.227, 0.852, 1.542, 1.419, 1.945), (1.346, 0.880, 1.945), (2.198, 1.181, 3.271)),
    ]
)
"""By class of body fat: below 12.5, 17.5, 22.5, 27.5 % and from there on."""
CORE_TO_MUSCLE_W_K = _limbs((1.601, 0, 0, 0, 3.0813), _NO_LIMBS, _NO_LIMBS)
MUSCLE_TO_FAT_W_K = _limbs((13.222, 0, 0, 0, 10.3738), _NO_LIMBS, _NO_LIMBS)
FAT_TO_SKIN_W_K = _limbs((16.008, 0, 0, 0, 41.4954), _NO_LIMBS, _NO_LIMBS)
VESSEL_TO_CORE_W_K = _limbs(_NO_TRUNK, (0.586, 0.383, 1.534), (0.810, 0.435, 1.816))
SUPERFICIAL_VEIN_TO_SKIN_W_K = _limbs(_NO_TRUNK, (57.735, 37.768, 16.634), (102.012, 54.784, 24.277))
ARTERY_TO_VEIN_W_K = _limbs(_NO_TRUNK, (0.537, 0.351, 0.762), (0.826, 0.444, 0.992))

CORE_FLOW_L_H = _limbs((35.251, 15.240, 89.214, 87.663, 18.686), (1.808, 0.940, 0.217), (1.406, 0.164, 0.080))
MUSCLE_FLOW_L_H = _limbs((0.682, 0, 0, 0, 12.614), _NO_LIMBS, _NO_LIMBS)
FAT_FLOW_L_H = _limbs((0.265, 0, 0, 0, 2.219), _NO_LIMBS, _NO_LIMBS)
SKIN_FLOW_L_H = _limbs((1.754, 0.325, 1.967, 1.475, 2.272), (0.91, 0.508, 1.114), (1.456, 0.651, 0.934))
HAND_SHUNT_L_H, FOOT_SHUNT_L_H = 1.71, 2.16

CORE_HEAT = _limbs(
    (0.19551, 0.00324, 0.28689, 0.25677, 0.09509), (0.01435, 0.00409, 0.00106), (0.01557, 0.00422, 0.00250)
)
MUSCLE_HEAT = _limbs((0.00252, 0, 0, 0, 0.04804), _NO_LIMBS, _NO_LIMBS)
FAT_HEAT = _limbs((0.00127, 0, 0, 0, 0.00950), _NO_LIMBS, _NO_LIMBS)
SKIN_HEAT = _limbs(
    (0.00152, 0.00033, 0.00211, 0.00187, 0.00300), (0.00059, 0.00031, 0.00059), (0.00144, 0.00027, 0.00118)
)
"""Shares of basal metabolism; their sum, not 1 to the last digit, is what the model calls basal."""

WORK_SHARE = _limbs((0, 0, 0.091, 0.08, 0.129), (0.0262, 0.0139, 0.005), (0.2010, 0.0990, 0.005))
SHIVERING_SHARE = _limbs(
    (0.0339, 0.0436, 0.27394, 0.24102, 0.38754), (0.00243, 0.00137, 0.0002), (0.0039, 0.00175, 0.00035)
)
BROWN_FAT_SHARE = _limbs((0, 0.190, 0, 0.190, 0.190), (0.215, 0, 0), _NO_LIMBS)

RECEPTORS = _limbs((0.0549, 0.0146, 0.1492, 0.1321, 0.2122), (0.0227, 0.0117, 0.0923), (0.0501, 0.0251, 0.0167))
SWEAT_SHARE = _limbs((0.064, 0.017, 0.146, 0.129, 0.206), (0.051, 0.026, 0.0155), (0.073, 0.036, 0.0175))
DILATION_GAIN = _limbs((0.0692, 0.0992, 0.0580, 0.0679, 0.0707), (0.0400, 0.0373, 0.0632), (0.0736, 0.0411, 0.0623))
CONSTRICTION_GAIN = _limbs((0.0213, 0.0213, 0.0638, 0.0638, 0.0638), (0.0213, 0.0213, 0.1489), (0.0213, 0.0213, 0.1489))
OLD_SWEAT = _limbs((0.69, 0.69, 0.59, 0.52, 0.40), (0.75, 0.75, 0.75), (0.40, 0.40, 0.40))
OLD_DILATION = _limbs((0.91, 0.91, 0.47, 0.47, 0.31), (0.47, 0.47, 0.47), (0.31, 0.31, 0.31))
"""What is left of sweating and of dilation from 60 years on."""

FLOW_BY_AGE = ((50, 1.0), (60, 0.85), (70, 0.75), (np.inf, 0.7))
SHIVERING_BY_AGE = (
    (30, 1.0),
    (40, 0.97514),
    (50, 0.95028),
    (60, 0.92818),
    (70, 0.90055),
    (80, 0.86188),
    (np.inf, 0.82597),
)
BROWN_FAT_BY_AGE = ((30, 1.61), (40, 1.0), (np.inf, 0.8))
BROWN_FAT_INCIDENCE = ((30, 44 / 83), (40, 15 / 38), (50, 7 / 26), (60, 1 / 8), (np.inf, 0.0))
"""Share of people with active brown fat, Yoneshiro et al. 2011 (doi:10.1038/oby.2011.125)."""
JOS3_BROWN_FAT_INCIDENCE = ((30, 44 / 83), (40, 15 / 38), (50, 7 / 26), (np.inf, 0.0))
"""As in JOS-3, whose value for the fifties is never reached."""

HARRIS_BENEDICT = {"male": (88.362, 13.397, 479.9, 5.677), "female": (447.593, 9.247, 309.8, 4.330)}
"""Revised, kcal a day: constant, per kg, per m, less per year (Roza and Shizgal 1984, doi:10.1093/ajcn/40.1.168)."""
JOS3_HARRIS_BENEDICT = {"male": (88.362, 13.397, 500.3, 5.677), "female": (447.593, 9.247, 479.9, 4.330)}
KCAL_A_DAY_W = 0.048

BODY_PARAMETERS = (
    "nape_deep_muscle_mass_kg", "nape_superficial_muscle_mass_kg", "nape_fat_mass_kg", "deep_neck_mass_kg",
    "nape_skin_area_m2",
    "nape_deep_muscle_j_k", "nape_superficial_muscle_j_k", "nape_fat_j_k", "nape_skin_j_k",
    "nape_deep_muscle_mm", "nape_superficial_muscle_mm", "nape_fat_mm", "nape_skin_mm",
    "k_muscle_w_m_k", "k_fat_w_m_k", "k_skin_w_m_k",
    "nape_muscle_flow_ml_100g_min", "nape_fat_flow_ml_100g_min", "nape_skin_flow_ml_100g_min",
    "nape_muscle_heat_w_kg", "nape_fat_heat_w_kg", "superficial_shivering",
    "other_neck_skin_conductance_w_k",
    "dilation_scale", "constriction_scale", "skin_flow_least", "skin_flow_most",
)  # fmt: skip
"""Parameters of which a body is made, each person's own; masses, capacities and heat are those of the standard body."""

STATED_FAT_MM = 4.0
"""The thickness of which mass and capacity of the nape's fat are stated; they grow with a person's own."""

SKIN_J_KG_K = 65.0 / 0.019
"""Heat capacity of skin, from that of the nape and its mass."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Where the model departs from JOS-3 0.5.0; each may be switched by itself.

    Attributes
    ----------
    detailed_neck : bool
        89 nodes instead of 85.
    clamped_evaporation : bool
        Evaporation ≤ what the air takes up, and condensation where it takes up none; in JOS-3 wettedness falls below 0.
    revised_basal_metabolism : bool
        Harris–Benedict with the coefficients of 1984; JOS-3 has other height factors.
    brown_fat_of_the_fifties : bool
        The incidence that JOS-3 states but never reaches.
    open_shunts_at_neutrality : bool
        The neutral state, from which set points come, has the shunts as open as zero error leaves them; JOS-3 closes
        them there, so that it drifts from its own neutral state.
    lagged_drives : bool
        Dilation and constriction follow temperatures with time constants; in JOS-3 at once.
    local_warming : bool
        Skin warmed by itself dilates slowly.
    limited_skin_flow : bool
        Skin flow stays within 0.2 and 16 times basal.
    proportional_rest : bool
        Below basal metabolism, as in sleep, every tissue makes less heat in proportion and keeps its flow; JOS-3 takes
        the difference from the muscles as negative work, whose flow and heat may then fall below 0.
    """

    detailed_neck: bool = True
    clamped_evaporation: bool = True
    revised_basal_metabolism: bool = True
    brown_fat_of_the_fifties: bool = True
    open_shunts_at_neutrality: bool = True
    lagged_drives: bool = True
    local_warming: bool = True
    limited_skin_flow: bool = True
    proportional_rest: bool = True


FULL = Corrections()
COMPAT = Corrections(*(False,) * len(fields(Corrections)))
"""JOS-3 0.5.0 with all it does."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What all bodies have in common: which nodes there are and what joins them.

    Attributes
    ----------
    nodes : tuple of str
        "central_blood" and "<segment>_<layer>".
    artery, vein, superficial_vein : tuple of int
        Node of each segment; −1 where a trunk's segment has no superficial vein.
    tissues : tuple of (int, int)
        Perfused nodes and their segments.
    patches : tuple of (int, int)
        Skin patches: segment and index of the tissue; the nape, where it is, last.
    edges : tuple of (int, int)
        Pairs of nodes that conduct.
    """

    nodes: tuple[str, ...]
    artery: tuple[int, ...]
    vein: tuple[int, ...]
    superficial_vein: tuple[int, ...]
    tissues: tuple[tuple[int, int], ...]
    patches: tuple[tuple[int, int], ...]
    edges: tuple[tuple[int, int], ...]

    def node(self, name: str) -> int:
        """Index of a node by name."""
        return self.nodes.index(name)

    def tissue(self, name: str) -> int:
        """Index of a perfused node among the tissues, by name."""
        node = self.node(name)
        return next(t for t, (n, _) in enumerate(self.tissues) if n == node)

    @property
    def entries(self) -> set[tuple[int, int]]:
        """Off-diagonal (row, column) of the balance that are ever non-zero."""
        both = {(i, j) for a, b in self.edges for i, j in ((a, b), (b, a))}
        blood = {(node, self.artery[s]) for node, s in self.tissues} | {
            (self.vein[s], node) for node, s in self.tissues
        }
        for s, feeder in enumerate(ARTERY_FROM):
            blood.add((self.artery[s], 0 if feeder < 0 else self.artery[feeder]))
            blood.add((0 if feeder < 0 else self.vein[feeder], self.vein[s]))
            if self.superficial_vein[s] >= 0:
                blood.add((self.superficial_drain(s), self.superficial_vein[s]))
        blood |= {(self.superficial_vein[s], self.artery[s]) for s in (*HANDS, *FEET)}
        return both | blood

    def superficial_drain(self, segment: int) -> int:
        """Node into which the superficial vein of a limb's segment drains."""
        feeder = ARTERY_FROM[segment]
        if feeder < 0:
            return 0
        return self.superficial_vein[feeder] if feeder >= FIRST_LIMB else self.vein[feeder]


def _tissue_layers(segment: int, detailed_neck: bool) -> tuple[str, ...]:
    if segment in LAYERED:
        return ("core", "muscle", "fat", "skin")
    if segment == NECK and detailed_neck:
        return ("core", "deep_muscle", "superficial_muscle", "nape_fat", "skin", "nape_skin")
    return ("core", "skin")


_CONDUCTING = (
    ("core", "muscle"),
    ("muscle", "fat"),
    ("fat", "skin"),
    ("core", "deep_muscle"),
    ("deep_muscle", "superficial_muscle"),
    ("superficial_muscle", "nape_fat"),
    ("nape_fat", "nape_skin"),
)


def structure_of(detailed_neck: bool) -> Structure:
    """Return the nodes and what joins them."""
    nodes: list[str] = ["central_blood"]
    tissues: list[tuple[int, int]] = []
    for s, name in enumerate(SEGMENTS):
        vessels = ("artery", "vein", "superficial_vein") if s >= FIRST_LIMB else ("artery", "vein")
        nodes += [f"{name}_{layer}" for layer in vessels]
        for layer in _tissue_layers(s, detailed_neck):
            tissues.append((len(nodes), s))
            nodes.append(f"{name}_{layer}")
    at = {name: i for i, name in enumerate(nodes)}
    edges = []
    for s, name in enumerate(SEGMENTS):
        pairs = [(a, b) for a, b in _CONDUCTING if f"{name}_{a}" in at and f"{name}_{b}" in at]
        if s not in LAYERED:
            pairs.append(("core", "skin"))
        if s >= FIRST_LIMB:
            pairs += [("artery", "vein"), ("artery", "core"), ("vein", "core"), ("superficial_vein", "skin")]
        edges += [(at[f"{name}_{a}"], at[f"{name}_{b}"]) for a, b in pairs]
    index = {node: t for t, (node, _) in enumerate(tissues)}
    patches = [(s, index[at[f"{name}_skin"]]) for s, name in enumerate(SEGMENTS)]
    if detailed_neck:
        patches.append((NECK, index[at["neck_nape_skin"]]))
    return Structure(
        nodes=tuple(nodes),
        artery=tuple(at[f"{name}_artery"] for name in SEGMENTS),
        vein=tuple(at[f"{name}_vein"] for name in SEGMENTS),
        superficial_vein=tuple(at.get(f"{name}_superficial_vein", -1) for name in SEGMENTS),
        tissues=tuple(tissues),
        patches=tuple(patches),
        edges=tuple(edges),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Anatomy:
    """The bodies of a batch, as the heat balance needs them; every array has the persons last.

    Attributes
    ----------
    structure : Structure
    capacity_j_k : ndarray, shape (n_nodes, n_persons)
    conductance_w_k : ndarray, shape (n_edges, n_persons)
    flow_l_h, heat_w : ndarray, shape (n_tissues, n_persons)
        Basal.
    work_share, shivering_gain, brown_fat_gain : ndarray, shape (n_tissues, n_persons)
        Of the heat of work [-], and of the signals of shivering and of brown fat [W].
    area_m2, receptors, sweat_gain, dilation_gain, constriction_gain : ndarray, shape (n_patches, n_persons)
    basal_w, shunt_hand_l_h, shunt_foot_l_h, brown_fat_limit_w : ndarray, shape (n_persons,)
        Basal metabolism; flow through the open shunts of one hand and one foot; most of the brown fat's signal.
    skin_flow_least, skin_flow_most : ndarray, shape (n_persons,)
        Between which multiples of the basal flow that of any skin stays.
    muscle_mass_kg : ndarray, shape (2, n_persons)
        Deep and superficial muscle of the nape; zero without the detail.
    """

    structure: Structure
    capacity_j_k: FloatArray
    conductance_w_k: FloatArray
    flow_l_h: FloatArray
    heat_w: FloatArray
    work_share: FloatArray
    shivering_gain: FloatArray
    brown_fat_gain: FloatArray
    area_m2: FloatArray
    receptors: FloatArray
    sweat_gain: FloatArray
    dilation_gain: FloatArray
    constriction_gain: FloatArray
    basal_w: FloatArray
    shunt_hand_l_h: FloatArray
    shunt_foot_l_h: FloatArray
    brown_fat_limit_w: FloatArray
    skin_flow_least: FloatArray
    skin_flow_most: FloatArray
    muscle_mass_kg: FloatArray


def surface_area_m2(persons: Persons) -> FloatArray:
    """Body surface, DuBois and DuBois 1916 (doi:10.1001/archinte.1916.00080130010002), as JOS-3 has it."""
    return np.asarray(0.2025 * persons.height_m**0.725 * persons.weight_kg**0.425)


def basal_metabolism_w(persons: Persons, *, revised: bool = True) -> FloatArray:
    """Basal metabolic rate [W] after Harris and Benedict; `revised` as published, else with JOS-3's coefficients."""
    table = HARRIS_BENEDICT if revised else JOS3_HARRIS_BENEDICT
    c = np.where(persons.female, np.array([table["female"]]).T, np.array([table["male"]]).T)
    kcal = c[0] + c[1] * persons.weight_kg + c[2] * persons.height_m - c[3] * persons.age_y
    return np.asarray(kcal * KCAL_A_DAY_W)


def _by_age(table: tuple[tuple[float, float], ...], age_y: FloatArray) -> FloatArray:
    """Look up by age; a class ends below its limit."""
    limits = np.array([limit for limit, _ in table[:-1]])
    return np.array([value for _, value in table])[np.searchsorted(limits, age_y, side="right")]


def anatomy_of(persons: Persons, on: Corrections = FULL, parameters: Parameters | None = None) -> Anatomy:
    """Scale the standard body to each person.

    Parameters
    ----------
    persons : Persons
    on : Corrections
        Which parts to have otherwise than JOS-3.
    parameters : Parameters, optional
        `BODY_PARAMETERS` are read, the defaults when not given; a person's traits go before both. Those of the neck
        change nothing without its detail.
    """
    parameters = default_parameters() if parameters is None else parameters
    parts = {name: persons.trait(name, parameters[name].value) for name in BODY_PARAMETERS}
    for name in ("nape_fat_mass_kg", "nape_fat_j_k"):
        parts[name] = parts[name] * parts["nape_fat_mm"] / STATED_FAT_MM
    scale = _Scale.of(persons, on)
    structure = structure_of(on.detailed_neck)
    patches = _patches(persons, scale, parts)
    tissues = _tissues(structure, scale, parts)
    if on.detailed_neck:
        patches = {name: _with_nape(rows, parts, name in _EXTENSIVE) for name, rows in patches.items()}
    return Anatomy(
        structure=structure,
        capacity_j_k=_capacities(structure, scale, parts),
        conductance_w_k=_conductances(structure, persons, scale, parts),
        basal_w=tissues["heat_w"].sum(axis=0),
        shunt_hand_l_h=HAND_SHUNT_L_H * scale.flow,
        shunt_foot_l_h=FOOT_SHUNT_L_H * scale.flow,
        brown_fat_limit_w=_brown_fat_limit_w(persons, on),
        skin_flow_least=parts["skin_flow_least"] if on.limited_skin_flow else np.zeros(len(persons)),
        skin_flow_most=parts["skin_flow_most"] if on.limited_skin_flow else np.full(len(persons), np.inf),
        muscle_mass_kg=_muscle_mass_kg(scale, parts) if on.detailed_neck else np.zeros((2, len(persons))),
        **tissues,
        **patches,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Scale:
    """A person over the standard body: surface, weight, basal flow; and basal metabolism [W]."""

    area: FloatArray
    weight: FloatArray
    flow: FloatArray
    basal_w: FloatArray
    shivering: FloatArray

    @classmethod
    def of(cls, persons: Persons, on: Corrections) -> _Scale:
        area_m2 = surface_area_m2(persons)
        flow_l_h = persons.cardiac_index_l_min_m2 * 60 * _by_age(FLOW_BY_AGE, persons.age_y) * area_m2
        area = area_m2 / STANDARD_AREA_M2
        return cls(
            area=area,
            weight=persons.weight_kg / STANDARD_WEIGHT_KG,
            flow=flow_l_h / STANDARD_BASAL_FLOW_L_H,
            basal_w=basal_metabolism_w(persons, revised=on.revised_basal_metabolism),
            shivering=area * _by_age(SHIVERING_BY_AGE, persons.age_y),
        )


_EXTENSIVE = frozenset({"area_m2", "receptors", "sweat_gain"})
"""Of a patch, what is shared out between the nape and the rest of the neck by area."""


def _patches(persons: Persons, scale: _Scale, parts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Rows for the 17 segments' skin."""
    old = persons.age_y >= 60
    return {
        "area_m2": AREA_M2[:, None] * scale.area,
        "receptors": RECEPTORS[:, None] * np.ones_like(scale.area),
        "sweat_gain": SWEAT_SHARE[:, None] * scale.area * np.where(old, OLD_SWEAT[:, None], 1.0),
        "dilation_gain": DILATION_GAIN[:, None] * np.where(old, OLD_DILATION[:, None], 1.0) * parts["dilation_scale"],
        "constriction_gain": CONSTRICTION_GAIN[:, None] * parts["constriction_scale"],
    }


def _with_nape(rows: FloatArray, parts: Mapping[str, FloatArray], extensive: bool) -> FloatArray:
    """Append the nape's row and leave the rest of the neck what remains."""
    share = parts["nape_skin_area_m2"] / AREA_M2[NECK] if extensive else 1.0
    result = np.vstack([rows, rows[NECK] * share])
    if extensive:
        result[NECK] -= result[NAPE]
    return result


def _muscle_mass_kg(scale: _Scale, parts: Mapping[str, FloatArray]) -> FloatArray:
    return np.stack([parts[f"nape_{which}_muscle_mass_kg"] * scale.weight for which in ("deep", "superficial")])


_TISSUE_TABLES = {
    "core": (CORE_FLOW_L_H, CORE_HEAT),
    "muscle": (MUSCLE_FLOW_L_H, MUSCLE_HEAT),
    "fat": (FAT_FLOW_L_H, FAT_HEAT),
    "skin": (SKIN_FLOW_L_H, SKIN_HEAT),
}


def _tissues(structure: Structure, scale: _Scale, parts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Rows for the perfused nodes; work and shivering go to muscle where there is one, else to the core."""
    shape = (len(structure.tissues), scale.area.size)
    rows = {name: np.zeros(shape) for name in ("flow_l_h", "heat_w", "work_share", "shivering_gain", "brown_fat_gain")}
    for t, (node, s) in enumerate(structure.tissues):
        layer = structure.nodes[node].removeprefix(f"{SEGMENTS[s]}_")
        if layer in _TISSUE_TABLES:
            flow, heat = _TISSUE_TABLES[layer]
            rows["flow_l_h"][t] = flow[s] * scale.flow
            rows["heat_w"][t] = heat[s] * scale.basal_w
        if layer == ("muscle" if s in LAYERED else "core"):
            rows["work_share"][t] = WORK_SHARE[s]
            rows["shivering_gain"][t] = SHIVERING_SHARE[s] * scale.shivering
        if layer == "core":
            rows["brown_fat_gain"][t] = BROWN_FAT_SHARE[s] * scale.area
    if "neck_nape_skin" in structure.nodes:
        _split_neck(structure, rows, scale, parts)
    return rows


def _split_neck(
    structure: Structure, rows: dict[str, FloatArray], scale: _Scale, parts: Mapping[str, FloatArray]
) -> None:
    """Move flow and heat from the neck's core and skin to the layers of the nape."""
    core, skin = structure.tissue("neck_core"), structure.tissue("neck_skin")
    # Heat that JOS-3 gives as a share of basal metabolism stays one, so that the layers' sum is the neck's in everyone.
    standard_basal_w = basal_metabolism_w(Persons.standard(), revised=False)[0]
    layers = (
        ("deep_muscle", "nape_muscle_flow_ml_100g_min", parts["nape_muscle_heat_w_kg"]),
        ("superficial_muscle", "nape_muscle_flow_ml_100g_min", parts["nape_muscle_heat_w_kg"]),
        ("nape_fat", "nape_fat_flow_ml_100g_min", parts["nape_fat_heat_w_kg"]),
    )
    for name, flow_name, heat_w_kg in layers:
        t = structure.tissue(f"neck_{name}")
        mass_kg = parts[f"nape_{name.removeprefix('nape_')}_mass_kg"]
        _move(rows["flow_l_h"], core, t, _flow_l_h(parts[flow_name], mass_kg) * scale.flow)
        _move(rows["heat_w"], core, t, heat_w_kg * mass_kg * scale.basal_w / standard_basal_w)
    nape_share = parts["nape_skin_area_m2"] / AREA_M2[NECK]
    nape = structure.tissue("neck_nape_skin")
    for name in ("flow_l_h", "heat_w"):
        _move(rows[name], skin, nape, rows[name][skin] * nape_share)
    # The front and sides keep the flow that JOS-3 gives their area, whatever the nape's is.
    rows["flow_l_h"][nape] = _flow_l_h(parts["nape_skin_flow_ml_100g_min"], parts["nape_skin_j_k"] / SKIN_J_KG_K)
    rows["flow_l_h"][nape] *= scale.flow
    _share_shivering(structure, rows["shivering_gain"], core, parts)


def _flow_l_h(flow_ml_100g_min: FloatArray, mass_kg: FloatArray) -> FloatArray:
    return flow_ml_100g_min * mass_kg * 10 * 60 / 1000


def _share_shivering(structure: Structure, gain: FloatArray, core: int, parts: Mapping[str, FloatArray]) -> None:
    """Share the neck's shivering out by mass, less of it to the superficial muscle; the rest stays in the deep neck.

    Nobody seems to have measured how the layers share it. Under the skin it would hold the neck's mean skin up to 0.3 K
    above JOS-3's in hard shivering, and no conductance made good for that: the superficial muscle has none by default.
    """
    masses = {name: parts[f"nape_{name}_mass_kg"] for name in ("deep_muscle", "superficial_muscle")}
    whole, per_kg = gain[core].copy(), 1.0 / (parts["deep_neck_mass_kg"] + sum(masses.values()))
    for name, weight in (("deep_muscle", 1.0), ("superficial_muscle", parts["superficial_shivering"])):
        _move(gain, core, structure.tissue(f"neck_{name}"), whole * (weight * masses[name] * per_kg))


def _move(rows: FloatArray, source: int, target: int, amount: FloatArray) -> None:
    if np.any(amount > rows[source]):
        raise ValueError("the parts of the neck take more than JOS-3's neck has; their masses or flows are too large")
    rows[source] -= amount
    rows[target] += amount


def _capacities(structure: Structure, scale: _Scale, parts: Mapping[str, FloatArray]) -> FloatArray:
    tables = {
        "artery": (ARTERY_WH_K, scale.flow),
        "vein": (VEIN_WH_K, scale.flow),
        "superficial_vein": (SUPERFICIAL_VEIN_WH_K, scale.flow),
        "core": (CORE_WH_K, scale.weight),
        "muscle": (MUSCLE_WH_K, scale.weight),
        "fat": (FAT_WH_K, scale.weight),
        "skin": (SKIN_WH_K, scale.weight),
    }
    result = np.zeros((len(structure.nodes), scale.area.size))
    result[0] = CENTRAL_BLOOD_WH_K * WH * scale.flow
    for s, name in enumerate(SEGMENTS):
        for layer, (table, size) in tables.items():
            if f"{name}_{layer}" in structure.nodes:
                result[structure.node(f"{name}_{layer}")] = table[s] * WH * size
    if "neck_nape_skin" in structure.nodes:
        core, skin = structure.node("neck_core"), structure.node("neck_skin")
        for layer in ("deep_muscle", "superficial_muscle", "nape_fat"):
            amount = parts[f"nape_{layer.removeprefix('nape_')}_j_k"] * scale.weight
            _move(result, core, structure.node(f"neck_{layer}"), amount)
        _move(result, skin, structure.node("neck_nape_skin"), parts["nape_skin_j_k"] * scale.weight)
    return result


def _conductances(structure: Structure, persons: Persons, scale: _Scale, parts: Mapping[str, FloatArray]) -> FloatArray:
    fat_class = np.searchsorted(FAT_CLASS_PERCENT, persons.fat_percent, side="right")
    ones = np.ones_like(scale.area)
    tables = {
        ("core", "skin"): CORE_TO_SKIN_W_K[fat_class].T,
        ("core", "muscle"): CORE_TO_MUSCLE_W_K[:, None] * ones,
        ("muscle", "fat"): MUSCLE_TO_FAT_W_K[:, None] * ones,
        ("fat", "skin"): FAT_TO_SKIN_W_K[:, None] * ones,
        ("artery", "vein"): ARTERY_TO_VEIN_W_K[:, None] * ones,
        ("artery", "core"): VESSEL_TO_CORE_W_K[:, None] * ones,
        ("vein", "core"): VESSEL_TO_CORE_W_K[:, None] * ones,
        ("superficial_vein", "skin"): SUPERFICIAL_VEIN_TO_SKIN_W_K[:, None] * ones,
    }
    nape = _nape_conductances(parts)
    sphere, cylinder = scale.weight / scale.area, scale.area**2 / scale.weight
    result = np.zeros((len(structure.edges), scale.area.size))
    for e, (a, b) in enumerate(structure.edges):
        s = next(k for k, name in enumerate(SEGMENTS) if structure.nodes[a].startswith(f"{name}_"))
        pair = tuple(structure.nodes[x].removeprefix(f"{SEGMENTS[s]}_") for x in (a, b))
        standard = nape[pair] if pair in nape else tables[pair][s]  # type: ignore[index]
        if s == NECK and pair == ("core", "skin") and "neck_nape_skin" in structure.nodes:
            standard = standard / CORE_TO_SKIN_W_K[1, NECK] * parts["other_neck_skin_conductance_w_k"]
        result[e] = standard * (sphere if s <= NECK else cylinder)
    return result


def _nape_conductances(parts: Mapping[str, FloatArray]) -> dict[tuple[str, ...], FloatArray]:
    """From the middle of one layer to the middle of the next; from the deep neck, through half of the deep muscle."""
    area_m2 = parts["nape_skin_area_m2"]
    half = {
        name: parts[f"nape_{name}_mm"] / 2000 / parts[f"k_{kind}_w_m_k"]
        for name, kind in (
            ("deep_muscle", "muscle"),
            ("superficial_muscle", "muscle"),
            ("fat", "fat"),
            ("skin", "skin"),
        )
    }
    return {
        ("core", "deep_muscle"): area_m2 / half["deep_muscle"],
        ("deep_muscle", "superficial_muscle"): area_m2 / (half["deep_muscle"] + half["superficial_muscle"]),
        ("superficial_muscle", "nape_fat"): area_m2 / (half["superficial_muscle"] + half["fat"]),
        ("nape_fat", "nape_skin"): area_m2 / (half["fat"] + half["skin"]),
    }


def _brown_fat_limit_w(persons: Persons, on: Corrections) -> FloatArray:
    """Most of the signal of non-shivering heat, from uptake in brown fat by BMI and age [2]_.

    References
    ----------
    .. [2] Asaka K, 2016, as JOS-3 quotes it.
    """
    bmi_kg_m2 = persons.weight_kg / persons.height_m**2
    uptake = 10 ** (-0.10502 * bmi_kg_m2 + 2.7708) * _by_age(BROWN_FAT_BY_AGE, persons.age_y)
    incidence = BROWN_FAT_INCIDENCE if on.brown_fat_of_the_fifties else JOS3_BROWN_FAT_INCIDENCE
    return np.asarray(1.80 * uptake * _by_age(incidence, persons.age_y) + 2.43 + 5.62)

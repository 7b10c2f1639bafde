"""What stands where in the simulator's arrays: inputs, couplings and states, each by name.

The compiled loops see blocks of persons as arrays of shape (n_channels, n_lanes); these names are their first index.
Everything that flows between the sub-models goes through `Coupling`: whoever wants to know how stress reaches the skin
reads this file.
"""

from __future__ import annotations

from enum import IntEnum

SEGMENTS = (
    "head", "neck", "chest", "back", "pelvis",
    "left_shoulder", "left_arm", "left_hand", "right_shoulder", "right_arm", "right_hand",
    "left_thigh", "left_leg", "left_foot", "right_thigh", "right_leg", "right_foot",
)  # fmt: skip
"""The 17 segments of JOS-3, in its order."""

N_SEGMENTS = len(SEGMENTS)
N_SKIN = N_SEGMENTS + 1
"""Skin patches: one a segment, where the neck's (index 1) is front and sides only, and the nape last."""

NECK, NAPE = 1, N_SEGMENTS
"""Skin patches of the neck."""


class Input(IntEnum):
    """What happens to a person from outside, in each step."""

    AIR_TEMP_C = 0
    RADIANT_TEMP_C = 1
    HUMIDITY_PERCENT = 2
    AIR_SPEED_M_S = 3
    PRESSURE_HPA = 4
    NECK_AIR_TEMP_C = 5  # air at the neck alone; NaN: as everywhere
    NAPE_SUN_W_M2 = 6  # absorbed by the nape's skin
    COLLAR_M2K_W = 7  # resistance of collar, scarf or hair over the nape
    PAR = 8  # metabolic rate over basal rate
    POSTURE = 9  # 0 standing, 1 sitting, 2 lying
    FLEXION_DEG = 10
    FORWARD_M = 11  # of the head, before the trunk
    ARM_LOAD = 12  # share of the neck muscles' strength taken by raised or working arms
    STRESS = 13
    EMOTION = 14
    ASLEEP = 15
    PYROGEN_K = 16  # the rise of set point that the dose asks for
    ANTIPYRETIC = 17
    HOT_FLASH = 18
    NEEDLE = 19  # 0 none, 1 superficial, 2 deep with deqi; one step long
    NERVE_COMPRESSION = 20
    HOUR = 21  # local time of day
    CLOTHING_CLO = 22  # the first of 17, by segment


N_INPUTS = Input.CLOTHING_CLO + N_SEGMENTS


class Coupling(IntEnum):
    """How nerves, muscles and needles reach the heat balance; at its neutral value each of them changes nothing."""

    SET_POINT_SHIFT_K = 0  # of core and skin alike
    MUSCLE_HEAT_DEEP_W_KG = 1  # of the deep nape muscle, above basal
    MUSCLE_HEAT_SUPERFICIAL_W_KG = 2
    MUSCLE_FLOW_DEEP = 3  # times basal
    MUSCLE_FLOW_SUPERFICIAL = 4
    SHUNT_OPENING_FACTOR = 5  # of hands and feet: 1 leaves them alone
    EXTRA_HEAT_W = 6  # thermogenesis of stress, in the chest core
    SWEAT_FACTOR = 7
    DILATION = 8  # first of 18: added to (1 + δ D) at each skin patch
    CONSTRICTION = 8 + N_SKIN  # first of 18: added to (1 + γ S)


N_COUPLINGS = Coupling.CONSTRICTION + N_SKIN

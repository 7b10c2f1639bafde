"""By which way each episode's heat comes about, given what set it off."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from unaji.people.triggers import BACKGROUND, FEVER

PATHWAYS_OF: dict[str, dict[str, float]] = {
    "arousal": {"vascular": 0.6, "sensory": 0.4},
    "stress": {"vascular": 0.5, "sensory": 0.5},
    "temp_change": {"vascular": 0.6, "sensory": 0.4},
    "pressure_drop": {"sensory": 0.8, "vascular": 0.2},
    "desk_load": {"muscle": 0.65, "sensory": 0.35},
    "sleep_debt": {"sensory": 0.8, "vascular": 0.2},
    "ambient_heat": {"heat_load": 1.0},
    "exercise": {"heat_load": 1.0},
    "caffeine": {"vascular": 0.5, "sensory": 0.5},
    "alcohol": {"vascular": 0.8, "sensory": 0.2},
    "hot_meal": {"heat_load": 1.0},
    "humidity": {"sensory": 0.7, "vascular": 0.3},
    BACKGROUND: {"vascular": 0.35, "sensory": 0.45, "muscle": 0.20},
    FEVER: {"core": 1.0},
}
"""Odds of each pathway by the source of the episode; an echo goes the way of the episode that began its chain.

The odds are assumptions of the simulator: no study has measured them at the nape.
"""


def draw_pathways(rng: Generator, roots: tuple[str, ...]) -> tuple[str, ...]:
    """Draw the pathway of each episode from what began its chain."""
    drawn = []
    for root in roots:
        odds = PATHWAYS_OF[root]
        drawn.append(str(rng.choice(list(odds), p=np.array(list(odds.values())))))
    return tuple(drawn)

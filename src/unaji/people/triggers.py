"""The twelve candidate causes that a simulated person may have, and how fast each can act."""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """What kind of exposure it is, and the plausible range of its mean lag [min]."""

    kind: str  # "level" | "dose"
    lag_min: tuple[float, float]
    typed: bool  # written down by hand, so lost on days without a diary


CANDIDATES: dict[str, Candidate] = {
    "arousal": Candidate("level", (5.0, 40.0), False),
    "stress": Candidate("level", (30.0, 240.0), True),
    "temp_change": Candidate("level", (10.0, 180.0), False),
    "pressure_drop": Candidate("level", (120.0, 1440.0), False),
    "desk_load": Candidate("level", (15.0, 120.0), False),
    "sleep_debt": Candidate("level", (10.0, 360.0), False),
    "ambient_heat": Candidate("level", (10.0, 90.0), False),
    "exercise": Candidate("dose", (15.0, 120.0), True),
    "caffeine": Candidate("dose", (20.0, 180.0), True),
    "alcohol": Candidate("dose", (60.0, 720.0), True),
    "hot_meal": Candidate("dose", (5.0, 60.0), True),
    "humidity": Candidate("level", (60.0, 720.0), False),
}

BACKGROUND = "background"
ECHO = "echo"
FEVER = "fever"

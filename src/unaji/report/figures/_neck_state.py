"""One state of the neck, as the picture needs it, and what it says of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from unaji.body.state import NeckState

TISSUES = (
    *("nape_skin", "nape_fat", "superficial_muscle", "deep_muscle", "deep_neck", "vein", "artery", "other_neck_skin"),
)
"""What has a temperature, in the order of the labels."""


@dataclass(frozen=True, slots=True)
class NeckSection:
    """One state of the neck. NaN means not known: drawn hatched and said to be unknown.

    Attributes
    ----------
    nape_skin_c, nape_fat_c, superficial_muscle_c, deep_muscle_c, deep_neck_c, other_neck_skin_c : float
    artery_c, vein_c : float
        Temperatures [°C].
    nape_skin_flow, superficial_muscle_flow, deep_muscle_flow : float
        Blood flow [mL/100 g/min], not negative.
    air_temp_c : float
        Air at the neck [°C].
    felt_heat : float
        0 (none) to 10.
    nerve_activity : float
        Activity of the nape's warm and pain afferents, 0 to 1.
    muscle_load_percent_mvc : float
        Share of the neck muscles' full strength [%].
    collar : bool
        Whether collar, scarf or hair covers the nape.
    """

    nape_skin_c: float
    nape_fat_c: float
    superficial_muscle_c: float
    deep_muscle_c: float
    deep_neck_c: float
    other_neck_skin_c: float
    artery_c: float
    vein_c: float
    nape_skin_flow: float
    superficial_muscle_flow: float
    deep_muscle_flow: float
    air_temp_c: float
    felt_heat: float
    nerve_activity: float
    muscle_load_percent_mvc: float
    collar: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _POSSIBLE.get(field.name, (-100.0, 100.0))
            if not math.isnan(value) and not low <= value <= high:
                raise ValueError(f"{field.name} must lie between {low:g} and {high:g}, got {value:g}")

    def temp_c(self, tissue: str) -> float:
        """Return a tissue's temperature [°C]."""
        return float(getattr(self, f"{tissue}_c"))

    def flow(self, tissue: str) -> float | None:
        """Return a tissue's blood flow [mL/100 g/min]; None where the picture shows none."""
        value = getattr(self, f"{tissue}_flow", None)
        return None if value is None else float(value)


_OUTPUTS = {
    "nape_skin_c": "nape_skin_temp_c",
    "nape_fat_c": "nape_fat_temp_c",
    "deep_neck_c": "deep_neck_temp_c",
    "artery_c": "neck_artery_temp_c",
    "vein_c": "neck_vein_temp_c",
    "superficial_muscle_c": "superficial_muscle_temp_c",
    "deep_muscle_c": "deep_muscle_temp_c",
    "other_neck_skin_c": "neck_skin_temp_c",
    "nape_skin_flow": "nape_skin_flow_ml_100g_min",
    "superficial_muscle_flow": "superficial_muscle_flow_ml_100g_min",
    "deep_muscle_flow": "deep_muscle_flow_ml_100g_min",
    "felt_heat": "felt_heat",
    "muscle_load_percent_mvc": "emg_percent_mvc",
}


def section_of(
    state: NeckState,
    person: int = 0,
    step: int = -1,
    *,
    air_temp_c: float = math.nan,
    collar: bool = False,
) -> NeckSection:
    """Take one person's neck at one step out of a simulated state.

    Parameters
    ----------
    state : NeckState
        An output that it does not hold is not known.
    air_temp_c, collar
        As in `NeckSection`; they are inputs of the simulation.

    Notes
    -----
    The nerve's activity is the stronger of felt heat and pain, as a share of the strongest there is.
    """

    def at(name: str) -> float:
        return float(state.values[name][person, step]) if name in state.values else math.nan

    nerve = max(at("felt_heat"), at("pain")) / 10.0
    return NeckSection(
        **{name: at(source) for name, source in _OUTPUTS.items()},
        air_temp_c=air_temp_c,
        nerve_activity=nerve,
        collar=collar,
    )


_FLOWS = ("nape_skin_flow", "superficial_muscle_flow", "deep_muscle_flow")
_POSSIBLE = dict.fromkeys(_FLOWS, (0.0, 1000.0)) | {
    "felt_heat": (0.0, 10.0),
    "nerve_activity": (0.0, 1.0),
    "muscle_load_percent_mvc": (0.0, 100.0),
}

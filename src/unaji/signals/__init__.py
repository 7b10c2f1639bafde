"""From sensors to the autonomic state: beats, variability, skin conductance, breathing, movement.

``from unaji import signals`` and, say, ``signals.hrv_table(...)``: what is used is loaded when it is used, so that the
import itself costs next to nothing. What shares its name with a module is reached through it (``signals.indices.hrv``).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "ArousalReason": "reasons",
    "arousal_index": "arousal",
    "autonomic_state": "state",
    "AutonomicState": "state",
    "breathing_rate": "breathing",
    "cosinor": "skin",
    "deconvolve_eda": "eda_driver",
    "ecg_beats": "ecg",
    "EdaStream": "eda_driver",
    "EcgDetector": "ecg",
    "filtered_state": "state_stream",
    "hrv_table": "indices",
    "HrvStream": "hrv_stream",
    "latent_state": "latent",
    "personal_indices": "autonomic",
    "ppg_beats": "ppg",
    "PpgDetector": "ppg",
    "Reason": "reasons",
    "reject_artefacts": "rr",
    "resolved_csi_cpi": "autonomic",
    "respiration_from_beats": "respiration",
    "skin_rhythm": "skin",
    "StateReason": "reasons",
    "StateStream": "state_stream",
    "Tachogram": "tachogram",
    "Value": "value",
    "window_starts": "indices",
    "with_ecg_beats": "recorded_ecg",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__

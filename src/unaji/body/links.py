"""On which links of cause and effect does an input of the simulator rest? By channel, as an article claims them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from unaji.claims.model import Claims, Link

LINKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stress": ("sympathetic", "noradrenaline_skin", "stress_muscle_flow"),
        "emotion": ("flush_face", "flush_neck", "flush_nape", "noradrenaline_skin"),
        "air_temp_c": ("temperature_vasomotor", "heat_load_warms", "temperature_hot_nape"),
        "radiant_temp_c": ("heat_load_warms",),
        "neck_air_temp_c": ("heat_load_warms", "temperature_hot_nape"),
        "nape_sun_w_m2": ("heat_load_warms",),
        "collar_m2k_w": ("heat_load_warms",),
        "humidity_percent": ("humid_air",),
        "par": ("exertion_warms",),
        "pressure_hpa": ("pressure_pain", "pressure_hot_nape"),
        "flexion_deg": ("neck_load", "neck_load_size", "muscle_warms_skin", "metabolites"),
        "forward_m": ("neck_load", "neck_load_size", "muscle_warms_skin", "metabolites"),
        "arm_load": ("neck_load", "muscle_warms_skin", "metabolites"),
        "pyrogen_k": ("fever_warms",),
        "hot_flash": ("hot_flush_warms",),
        "needle": ("needling_local_flow", "acupuncture_neck_pain", "acupuncture_hot_nape"),
        "nerve_compression": ("radiculopathy_burning", "stiffness_nerve"),
    }
)
"""Ids of links of the claims that an input makes use of, by channel name."""


def links_of_inputs(inputs: Iterable[str], *, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the ids of the links that some inputs make use of, each once, and those named besides."""
    return tuple(dict.fromkeys([*(link for name in inputs for link in LINKS.get(name, ())), *also]))


def graded(ids: Iterable[str], claims: Claims) -> tuple[Link, ...]:
    """Return those of the links that an article claims, the worst proven last."""
    known = {link.id: link for cause in claims.causes for route in cause.routes for link in route.links}
    known |= {link.id: link for treatment in claims.treatments for link in treatment.links}
    return tuple(sorted((known[one] for one in ids if one in known), key=lambda link: str(link.grade)))

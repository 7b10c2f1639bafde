"""What happens in this person's neck? Each way to a hot nape and each named cause, in the person's own body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from unaji.body.hypothesis_drivers import KnownBody
from unaji.body.persons import Persons
from unaji.body.played import Played, play
from unaji.body.scenario import Scenario
from unaji.body.typical import DRIVERS, own_scenario, typical_person, typical_scenario
from unaji.causes.attribution import CauseResult, Verdict
from unaji.claims.model import Pathway

SCENES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "arousal": ("social_stress", "stress"),
        "stress": ("social_stress", "stress"),
        "emotion": ("sudden_anger", "emotion"),
        "temp_change": ("cold_front", "air_temp_c"),
        "pressure_drop": ("cold_front", "pressure_hpa"),
        "desk_load": ("desk_day", "flexion_deg"),
        "phone": ("desk_day", "flexion_deg"),
        "fever": ("fever", "pyrogen_k"),
        "ambient_heat": ("hot_room", "air_temp_c"),
        "warm_clothing": ("scarf", "collar_m2k_w"),
        "hot_flush": ("hot_flash", "hot_flash"),
    }
)
"""By cause: a scenario that comes along and the input of it that stands for the cause. Causes of which the model knows
nothing (coffee, alcohol, sleep …) or that take weeks are not here."""
NAMED = (Verdict.CAUSE, Verdict.LIKELY)


@dataclass(frozen=True, eq=False, slots=True)
class OwnNeck:
    """The person's neck as computed; nothing of it was measured.

    Attributes
    ----------
    known : KnownBody
        What the records say of the body.
    person : Persons
        The one body computed with.
    ways : mapping of Pathway to Played
        All five.
    causes : mapping of str to Played
        By cause id; of the named ones those that have a scene.
    """

    known: KnownBody
    person: Persons
    ways: Mapping[Pathway, Played]
    causes: Mapping[str, Played]


def own_neck(known: KnownBody, results: Iterable[CauseResult]) -> OwnNeck:
    """Play what each way and each named cause does to the neck of a body of which something is known."""
    person = typical_person(known)
    named = [one.id for one in results if one.verdict in NAMED and one.id in SCENES]
    return OwnNeck(
        known=known,
        person=person,
        ways={way: play(typical_scenario(way, person), with_leanings=False) for way in DRIVERS},
        causes={cause: play(_scene(cause, person), with_leanings=False) for cause in named},
    )


def _scene(cause: str, person: Persons) -> Scenario:
    name, only = SCENES[cause]
    return own_scenario(name, person, only)

"""How people write what happens in a scenario, such as "24 °C", "30 deg" or "1 h 30 min", in the model's units.

A value that cannot be meant is refused with ValueError; the reader of the file adds file and key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from unaji.body.channels import CHANNELS, OUTFITS_CLO, outfit
from unaji.body.layout import SEGMENTS

CLO_M2K_W = 0.155
"""One clo (ISO 9920)."""

Scale = tuple[float, float]
"""Factor and offset that bring a written number to the model's unit."""

CELSIUS: Mapping[str, Scale] = {"°C": (1, 0), "℃": (1, 0), "C": (1, 0), "°F": (5 / 9, -160 / 9), "F": (5 / 9, -160 / 9)}
SHARE: Mapping[str, Scale] = {"": (1, 0), "%": (0.01, 0)}
YES_NO = {"yes": 1.0, "no": 0.0}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One input as people write it: its channel, the units it may carry, and the words that stand for a value."""

    channel: str
    units: Mapping[str, Scale] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)


SPOKEN: Mapping[str, Spoken] = MappingProxyType(
    {
        "air_temp": Spoken("air_temp_c", CELSIUS),
        "radiant_temp": Spoken("radiant_temp_c", CELSIUS),
        "humidity": Spoken("humidity_percent", {"%": (1, 0)}),
        "air_speed": Spoken("air_speed_m_s", {"m/s": (1, 0), "km/h": (1 / 3.6, 0)}),
        "pressure": Spoken("pressure_hpa", {"hPa": (1, 0), "kPa": (10, 0), "mmHg": (1.333224, 0)}),
        "neck_air_temp": Spoken("neck_air_temp_c", CELSIUS),
        "nape_sun": Spoken("nape_sun_w_m2", {"W/m²": (1, 0), "W/m2": (1, 0)}),
        "collar": Spoken("collar_m2k_w", {"m²K/W": (1, 0), "m2K/W": (1, 0), "clo": (CLO_M2K_W, 0)}),
        "activity": Spoken("par", {"": (1, 0), "PAR": (1, 0)}),
        "posture": Spoken("posture", words={"standing": 0, "sitting": 1, "lying": 2}),
        "neck_flexion": Spoken("flexion_deg", {"deg": (1, 0), "°": (1, 0)}),
        "head_forward": Spoken("forward_m", {"cm": (0.01, 0), "mm": (0.001, 0), "m": (1, 0)}),
        "arm_load": Spoken("arm_load", SHARE),
        "stress": Spoken("stress", SHARE),
        "emotion": Spoken("emotion", SHARE),
        "asleep": Spoken("asleep", words=YES_NO),
        "fever": Spoken("pyrogen_k", {"K": (1, 0)}),
        "antipyretic": Spoken("antipyretic", words=YES_NO),
        "hot_flash": Spoken("hot_flash", SHARE),
        "needle": Spoken("needle", words={"superficial": 1, "deep": 2}),
        "nerve_compression": Spoken("nerve_compression", SHARE),
    }
)
CLOTHING = "clothing"
NAMES = (*SPOKEN, CLOTHING)
"""Everything that may stand under ``room`` or under an event's ``set``."""

TIMES: Mapping[str, float] = {
    "s": 1, "sec": 1, "min": 60, "h": 3_600, "day": 86_400, "days": 86_400, "d": 86_400,
    "week": 604_800, "weeks": 604_800,
}  # fmt: skip
SHOWN_NAMES = 30
NUMBER = r"[+\-−]?\d+(?:\.\d+)?"


def values_of(name: str, written: object) -> dict[str, float]:
    """Return the channels that one input sets, in the model's units.

    Raises
    ------
    ValueError
        Unknown name, word or unit, or a value outside the possible range.
    """
    if name == CLOTHING:
        return _clothing(written)
    if name not in SPOKEN:
        raise ValueError(unknown("input", name, NAMES))
    spoken = SPOKEN[name]
    value = _word(written, spoken.words) if spoken.words else number_with_unit(written, spoken.units)
    return {spoken.channel: _possible(spoken.channel, value, written)}


def number_with_unit(written: object, units: Mapping[str, Scale]) -> float:
    """Read a number with one of these units; a bare number only where "" is among them."""
    expected = _example(units)
    found = None
    if isinstance(written, str):
        found = re.fullmatch(rf"\s*({NUMBER})\s*(\S*)\s*", written)
    elif isinstance(written, int | float) and not isinstance(written, bool):
        found = re.fullmatch(rf"({NUMBER})()", str(written) if isinstance(written, int) else f"{written:.12f}")
    if found is None:
        raise ValueError(f"{written!r} is not a number with its unit, such as {expected}")
    if found[2] not in units:
        lacks = f"{found[2]!r} is not a unit of this" if found[2] else "the unit is missing"
        raise ValueError(f"{written!r}: {lacks}; write it such as {expected}")
    factor, offset = units[found[2]]
    return factor * float(found[1].replace("−", "-")) + offset


def seconds(written: object) -> float:
    """Read a length of time such as "45 s", "1 h 30 min" or "2 weeks" [s]."""
    text = written if isinstance(written, str) else ""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*[a-z]+|\s", "", text) or any(unit not in TIMES for _, unit in parts):
        raise ValueError(f"{written!r} is not a length of time such as '45 s', '1 h 30 min' or '2 weeks'")
    return sum(float(number) * TIMES[unit] for number, unit in parts)


def length_of(time_s: float) -> str:
    """Write a length of time as `seconds` reads it, such as "1 h 30 min"."""
    parts, rest = [], round(time_s, 3)
    for unit, size in (("week", 604_800), ("day", 86_400), ("h", 3_600), ("min", 60)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:.0f} {unit}{'s' if count > 1 and unit in ('week', 'day') else ''}")
    return " ".join(parts + ([f"{rest:g} s"] if rest or not parts else []))


def clock_hour(written: object) -> float:
    """Read a time of day such as "09:30" [h]."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} is not a time of day such as '09:30'")
    return int(found[1]) + int(found[2]) / 60


def unknown(what: str, name: object, known: Collection[str]) -> str:
    """Say that a name is not known, with the nearest that is."""
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    more = ", …" if len(known) > SHOWN_NAMES else ""
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(list(known)[:SHOWN_NAMES])}{more}"
    return f"unknown {what} {name!r}; {hint}"


def _word(written: object, words: Mapping[str, float]) -> float:
    if isinstance(written, bool) and set(words) == set(YES_NO):
        return float(written)
    if not isinstance(written, str) or written not in words:
        raise ValueError(unknown("word", written, tuple(words)))
    return words[written]


def _possible(name: str, value: float, written: object) -> float:
    known = CHANNELS[name]
    if not known.low <= value <= known.high:
        unit = "" if known.unit == "1" else f" {known.unit}"
        raise ValueError(f"{written!r} is not possible: {known.en} lies within {known.low:g} to {known.high:g}{unit}")
    return value


def _clothing(written: object) -> dict[str, float]:
    if isinstance(written, str):
        if written not in OUTFITS_CLO:
            raise ValueError(unknown("outfit", written, tuple(OUTFITS_CLO)))
        return outfit(written)
    if not isinstance(written, Mapping) or not written:
        raise ValueError(f"{written!r} is neither an outfit ({', '.join(OUTFITS_CLO)}) nor a table of segments in clo")
    for segment in written:
        if segment not in SEGMENTS:
            raise ValueError(unknown("segment", segment, SEGMENTS))
    names = {f"clothing_clo_{segment}": value for segment, value in written.items()}
    return {name: _possible(name, number_with_unit(value, {"clo": (1, 0)}), value) for name, value in names.items()}


def _example(units: Mapping[str, Scale]) -> str:
    return " or ".join(repr(f"1 {unit}".strip()) if unit else "0.5" for unit in units)

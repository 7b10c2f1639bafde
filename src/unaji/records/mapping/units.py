"""Units that people's tables are written in, and how values in them become those of `unaji.quantities`.

References
----------
A. Thompson, B. N. Taylor, "Guide for the Use of the International System of Units", NIST Special Publication 811, 2008,
appendix B.8 (conversion factors).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from unaji.quantities import QUANTITIES
from unaji.records.cells import KG_PER_LB
from unaji.records.timeline import FloatArray

Conversion = tuple[float, float]
"""Factor and what is added then: value in our unit = value · factor + offset."""

_SAME: Conversion = (1.0, 0.0)
CONVERSIONS: Mapping[str, Mapping[str, Conversion]] = {  # our unit: the unit of the table
    "°C": {"C": _SAME, "F": (1 / 1.8, -32 / 1.8), "K": (1.0, -273.15)},
    "K": {"K": _SAME, "C": _SAME, "F": (1 / 1.8, 0.0)},  # differences of temperature
    "kg": {"kg": _SAME, "g": (1e-3, 0.0), "lb": (KG_PER_LB, 0.0), "st": (6.35029318, 0.0)},
    "cm": {"cm": _SAME, "m": (100.0, 0.0), "mm": (0.1, 0.0), "in": (2.54, 0.0), "ft": (30.48, 0.0)},
    "hPa": {
        "hPa": _SAME, "mbar": _SAME, "kPa": (10.0, 0.0), "Pa": (0.01, 0.0), "inHg": (33.86389, 0.0),
        "mmHg": (1.333224, 0.0),
    },
    "mmHg": {"mmHg": _SAME, "kPa": (1 / 0.1333224, 0.0)},
    "kPa": {"kPa": _SAME, "kgf/cm2": (98.0665, 0.0), "N/cm2": (10.0, 0.0)},
    "%": {"%": _SAME, "fraction": (100.0, 0.0)},
    "m/s": {"m/s": _SAME, "km/h": (1 / 3.6, 0.0), "mi/h": (0.44704, 0.0), "kt": (1852 / 3600, 0.0)},
    "mm": {"mm": _SAME, "cm": (10.0, 0.0), "in": (25.4, 0.0)},
    "min": {"min": _SAME, "h": (60.0, 0.0), "s": (1 / 60, 0.0)},
    "ms": {"ms": _SAME, "s": (1000.0, 0.0)},
    "kcal": {"kcal": _SAME, "kJ": (1 / 4.184, 0.0)},
    "W/m²": {"W/m2": _SAME},
    "1/min": {"1/min": _SAME},
    "1": {"1": _SAME},
    "ms²": {"ms2": _SAME},
    "µS": {"uS": _SAME},
    "dB": {"dB": _SAME},
    "°": {"deg": _SAME},
}  # fmt: skip
_SPELLINGS = {  # unit: how else it is written, without blanks, dots and capitals
    "C": "°c degc celsius 度", "F": "°f degf fahrenheit", "K": "kelvin",
    "kg": "kgs キログラム キロ", "g": "グラム", "lb": "lbs pound pounds ポンド",
    "cm": "センチ", "m": "メートル", "in": "inch inches インチ", "ft": "feet",
    "hPa": "ヘクトパスカル", "mbar": "mb ミリバール", "inHg": "inchhg", "kgf/cm2": "kgf/cm^2",
    "%": "percent パーセント", "fraction": "ratio 割合",
    "km/h": "kmh kph", "mi/h": "mph", "kt": "knot knots ノット",
    "min": "minute minutes mins 分 分間", "h": "hr hrs hour hours 時間", "s": "sec seconds 秒", "ms": "msec ミリ秒",
    "kcal": "キロカロリー", "1/min": "bpm /min 拍/分 回/分 beats/min", "1": "歩 steps count 回 点",
    "W/m2": "w/m^2", "ms2": "ms^2", "uS": "μs microsiemens", "dB": "dba db(a) デシベル", "deg": "° degrees",
}  # fmt: skip
_SPELT = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
DURATIONS = tuple(CONVERSIONS["min"])
"""Units of a column that says how long something lasted."""


def units_of(quantity: str) -> tuple[str, ...]:
    """Name the units that values of a quantity may be given in, its own first."""
    return tuple(CONVERSIONS.get(QUANTITIES[quantity].unit, {QUANTITIES[quantity].unit: _SAME}))


def unit_named(text: str, among: tuple[str, ...]) -> str | None:
    """Return which of some units a spelling means ("℉", "°F", "degF" are F); None where it is none of them."""
    plain = _plain(text)
    by_plain = {_plain(unit): unit for unit in among}
    spelt = by_plain.get(plain) or by_plain.get(_plain(_SPELT.get(plain, "")))
    return spelt if spelt and plain else None


def converted(quantity: str, value: FloatArray, unit: str) -> FloatArray:
    """Return values given in a unit of `units_of` in the unit of the quantity.

    Parameters
    ----------
    value : ndarray, shape (n,)
        NaN stays NaN.
    """
    factor, offset = CONVERSIONS.get(QUANTITIES[quantity].unit, {}).get(unit, _SAME)
    return value if (factor, offset) == _SAME else value * factor + offset


def minutes(value: FloatArray, unit: str) -> FloatArray:
    """Return durations given in a unit of `DURATIONS` [min]."""
    return value * CONVERSIONS["min"][unit][0]


def _plain(text: str) -> str:
    """Write a unit without blanks, dots, capitals, and the one-character forms of Japanese type (NFKC)."""
    return unicodedata.normalize("NFKC", text).replace(" ", "").replace(".", "").replace("²", "2").lower()

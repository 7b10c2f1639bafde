"""The simulator's inputs by name: unit, possible range, value in the neutral room, and what they are called.

`unaji.body.layout.Input` says where each stands in the kernels' arrays; this page says what it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from unaji.body.layout import SEGMENTS, Input


@dataclass(frozen=True, slots=True)
class Channel:
    """One input: where it stands, its unit, its possible range (ends included), and its value in the neutral room."""

    name: str
    index: int
    unit: str
    low: float
    high: float
    default: float
    ja: str
    en: str


NEUTRAL_AIR_C = 28.8
"""Where an unclothed, sitting person in still air is neutral in JOS-3 (Takahashi et al. 2021, Energy & Buildings)."""

NAN = float("nan")

# Ranges are what is physically possible for a person, or what the model's formulas are made for; wider than daily life.
# fmt: off
_SINGLE = (
    Channel("air_temp_c", Input.AIR_TEMP_C, "°C", -30, 60, NEUTRAL_AIR_C, "気温", "air temperature"),
    Channel("radiant_temp_c", Input.RADIANT_TEMP_C, "°C", -60, 120, NAN, "まわりの面の温度", "radiant temperature"),
    Channel("humidity_percent", Input.HUMIDITY_PERCENT, "%", 0, 100, 50, "湿度", "relative humidity"),
    Channel("air_speed_m_s", Input.AIR_SPEED_M_S, "m/s", 0, 20, 0.1, "風の速さ", "air speed"),
    Channel("pressure_hpa", Input.PRESSURE_HPA, "hPa", 500, 1090, 1013.25, "気圧", "air pressure"),
    Channel("neck_air_temp_c", Input.NECK_AIR_TEMP_C, "°C", -30, 60, NAN, "首まわりの気温", "air at the neck"),
    Channel("nape_sun_w_m2", Input.NAPE_SUN_W_M2, "W/m²", 0, 1200, 0, "うなじへの日ざし", "sun on the nape"),
    Channel("collar_m2k_w", Input.COLLAR_M2K_W, "m²K/W", 0, 1, 0, "えり・スカーフ・髪", "collar, scarf or hair"),
    Channel("par", Input.PAR, "1", 0.8, 20, 1.25, "代謝(基礎の倍数)", "metabolic rate over basal"),
    Channel("posture", Input.POSTURE, "1", 0, 2, 1, "姿勢", "posture"),
    Channel("flexion_deg", Input.FLEXION_DEG, "°", -60, 90, 0, "首の前かがみ", "forward flexion of the head"),
    Channel("forward_m", Input.FORWARD_M, "m", -0.05, 0.15, 0, "頭の前への出かた", "head forward of the trunk"),
    Channel("arm_load", Input.ARM_LOAD, "1", 0, 1, 0, "腕の負担", "neck strength taken by the arms"),
    Channel("stress", Input.STRESS, "1", 0, 1, 0, "ストレス", "mental stress"),
    Channel("emotion", Input.EMOTION, "1", 0, 1, 0, "怒り・恥ずかしさ", "anger or embarrassment"),
    Channel("asleep", Input.ASLEEP, "1", 0, 1, 0, "睡眠", "asleep"),
    Channel("pyrogen_k", Input.PYROGEN_K, "K", 0, 3, 0, "発熱の設定", "set point raised by a pyrogen"),
    Channel("antipyretic", Input.ANTIPYRETIC, "1", 0, 1, 0, "解熱剤", "antipyretic"),
    Channel("hot_flash", Input.HOT_FLASH, "1", 0, 1, 0, "ホットフラッシュ", "hot flash"),
    Channel("needle", Input.NEEDLE, "1", 0, 2, 0, "鍼", "acupuncture needle"),
    Channel("nerve_compression", Input.NERVE_COMPRESSION, "1", 0, 1, 0, "神経の圧迫", "nerve compression"),
    Channel("hour", Input.HOUR, "h", 0, 24, NAN, "時刻", "local time of day"),
)
# fmt: on
_CLOTHING = tuple(
    Channel(f"clothing_clo_{name}", Input.CLOTHING_CLO + k, "clo", 0, 6, 0, "着衣", f"clothing, {name}")
    for k, name in enumerate(SEGMENTS)
)
CHANNELS: Mapping[str, Channel] = MappingProxyType({known.name: known for known in (*_SINGLE, *_CLOTHING)})

WHOLE_NUMBERS = ("posture", "asleep", "antipyretic", "needle")
MAY_BE_NAN = ("neck_air_temp_c", "radiant_temp_c", "hour")
"""NaN means: as the air everywhere; for the hour, that there is no clock and so no daily rhythm."""

OUTFITS_CLO: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "nude": (0.0,) * len(SEGMENTS),
        "light": (0, 0, 1.14, 0.84, 1.04, 0.84, 0.42, 0, 0.84, 0.42, 0, 0.58, 0.62, 0.82, 0.58, 0.62, 0.82),
    }
)
"""Insulation by segment [clo]; "light" is the office clothing of the JOS-3 example (shirt, trousers, socks, shoes)."""


def outfit(name: str) -> dict[str, float]:
    """Return the clothing channels of a named outfit."""
    return {f"clothing_clo_{s}": float(clo) for s, clo in zip(SEGMENTS, OUTFITS_CLO[name], strict=True)}


def channel(name: str) -> Channel:
    """Return a channel by its name; ValueError with the nearest name where there is none."""
    if name not in CHANNELS:
        near = difflib.get_close_matches(name, CHANNELS, n=1)
        raise ValueError(f"no input is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return CHANNELS[name]

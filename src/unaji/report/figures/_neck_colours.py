"""Which colour is a temperature? One scale, even to the eye, the same on every ground and readable as grey."""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np

from unaji.records.timeline import FloatArray

LOWEST_C, HIGHEST_C = 32.0, 38.5
TICKS_C = (32, 33, 34, 35, 36, 37, 38)

_ANCHORS = ("#FFF3CC", "#F6CB78", "#EC9A52", "#D05C42", "#963236", "#36072A")
"""From cool to warm: lightness falls all the way, so the order survives any colour vision and grey print."""

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def clamped(temp_c: float) -> int:
    """Return −1 below the scale, 1 above it, 0 on it; NaN counts as on it."""
    return (temp_c > HIGHEST_C) - (temp_c < LOWEST_C)


@lru_cache(maxsize=1024)  # the scale has 65 steps, the same in every picture
def temperature_colour(temp_c: float) -> str:
    """Return the colour of a temperature [°C] as #RRGGBB, held at the scale's ends outside 32–38.5 °C.

    Equal steps of temperature are equal distances in OKLab along one curve through the anchors.

    Raises
    ------
    ValueError
        For NaN: what is not known has no colour.

    References
    ----------
    Ottosson B, "A perceptual color space for image processing", 2020. https://bottosson.github.io/posts/oklab/
    """
    if math.isnan(temp_c):
        raise ValueError("an unknown temperature has no colour")
    share = (min(max(temp_c, LOWEST_C), HIGHEST_C) - LOWEST_C) / (HIGHEST_C - LOWEST_C)
    lab, length = _curve()
    return _hex(np.array([np.interp(share, length, lab[:, k]) for k in range(3)]))


@cache
def _curve() -> tuple[FloatArray, FloatArray]:
    lab = np.array([oklab(colour) for colour in _ANCHORS])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1))])
    return lab, length / length[-1]


def oklab(colour: str) -> FloatArray:
    """Return lightness and the two colour axes of #RRGGBB in OKLab."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: FloatArray = _LMS_TO_LAB @ np.cbrt(_RGB_TO_LMS @ linear)
    return lab


def _hex(lab: FloatArray) -> str:
    linear = np.clip(np.linalg.solve(_RGB_TO_LMS, np.linalg.solve(_LMS_TO_LAB, lab) ** 3), 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(value) * 255):02X}" for value in srgb)

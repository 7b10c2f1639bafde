"""Was the sensor on the skin?

A sensor laid aside reads the room, which in a warm room looks like a cool skin; and on its way there it reads what is
neither. Temperature alone tells the way down from the wearer only where it ends colder than skin; with the movement of
the same device it can be told almost always.

References
----------
Vert A et al., "Detecting accelerometer non-wear periods using change in acceleration combined with rate-of-change in
temperature", BMC Med Res Methodol, 2022;22:147. doi:10.1186/s12874-022-01633-6
"""

from __future__ import annotations

import numpy as np

from unaji.records.timeline import BoolArray, FloatArray, TimeArray

WORN_LOW_C, WORN_HIGH_C = 25.0, 42.0
"""Skin temperature of a sensor that is worn: from a cold wrist outdoors to a nape in hot water [°C].

Laid aside in a warm room a sensor can read the same; what is outside is surely not skin, or not yet in balance with it.
"""

HOTTEST_C = 1000.0
"""What is farther from zero is no reading at all [°C]."""

FALL_K_MIN, RISE_K_MIN = -0.2, 0.1
"""Change of temperature of a sensor taken off and put on again (Vert 2022) [K/min]."""

COOL_C, WARM_C = 26.0, 30.0
"""Below the first an unmoved sensor is off; above the second it is on whatever the change (Vert 2022) [°C]."""

LEAST_OFF_S = 300.0
"""Shortest time off that is looked for, and the stretch over which a change is taken (Vert 2022) [s]."""

COOLING_S = 1800.0
"""Time within which a sensor on a table comes near the room's temperature [s]."""

STILL_MG = 8.0
"""Movement below this is that of a thing on a table (Vert 2022, as a standard deviation) [mg]."""

STILL_SHARE = 0.75
"""Share of the stretch that must be still: the hand that takes it off and puts it down moves it."""

LIKE_AIR_K = 0.5
"""A sensor that reads the air's temperature within this is off, where no skin would be as cool as the air [K]."""

AIR_BELOW_SKIN_C = 30.0
"""Air warmer than this can be the skin's own temperature, so being like the air says nothing [°C]."""


def worn(
    time: TimeArray,
    skin_temp_c: FloatArray,
    *,
    air_temp_c: FloatArray | None = None,
    movement_mg: FloatArray | None = None,
) -> BoolArray:
    """Tell for each reading of a skin temperature sensor whether it was on the skin.

    Parameters
    ----------
    time : ndarray, shape (n,)
        When, ascending. In readings farther apart than five minutes a fall cannot be seen.
    skin_temp_c : ndarray, shape (n,)
        Readings [°C].
    air_temp_c : ndarray, shape (n,), optional
        Air temperature near the person at the same times [°C]; NaN where not known.
    movement_mg : ndarray, shape (n,), optional
        Movement of the same device at the same times [mg], without a constant offset; NaN where not known.

    Returns
    -------
    ndarray of bool, shape (n,)
        False

        1. outside `WORN_LOW_C` to `WORN_HIGH_C`;
        2. once it has fallen by 1 K in five minutes, on the way to below 30 °C, until it has risen by 0.5 K in five
           minutes or is above 30 °C, provided that it lay still; where its movement is not known, only if that leads
           below 26 °C within half an hour, and until it is above that again;
        3. where it is below 26 °C and lies still;
        4. where for five minutes it has read the temperature of air cooler than 30 °C, and is not known to move.

    Notes
    -----
    The rates and temperatures are those of the DETACH algorithm (Vert 2022), which always has the movement.
    """
    if time.shape != skin_temp_c.shape:
        raise ValueError(f"time {time.shape} and skin_temp_c {skin_temp_c.shape} differ in shape")
    skin_temp_c = np.where(np.abs(skin_temp_c) <= HOTTEST_C, skin_temp_c, np.nan)
    on: BoolArray = (skin_temp_c >= WORN_LOW_C) & (skin_temp_c <= WORN_HIGH_C)
    if time.size < 2:
        return on
    unknown = np.full(time.size, np.nan)
    movement = unknown if movement_mg is None else movement_mg
    still, moves = movement < STILL_MG, movement >= STILL_MG
    seconds = (time - time[0]).astype(np.float64) / 1000.0
    off = _taken_off(seconds, skin_temp_c, still, moves) | (still & (skin_temp_c < COOL_C))
    if air_temp_c is not None:
        known_air_c = np.where(np.abs(air_temp_c) <= HOTTEST_C, air_temp_c, np.nan)
        off |= _like_air(seconds, skin_temp_c, known_air_c, moves)
    return on & ~off


def _taken_off(seconds: FloatArray, skin_c: FloatArray, still: BoolArray, moves: BoolArray) -> BoolArray:
    """Mark each fast fall, from when it has gone a kelvin down, to the next fast rise."""
    here = np.arange(seconds.size)
    back = np.searchsorted(seconds, seconds - LEAST_OFF_S, side="left")
    ahead = np.searchsorted(seconds, seconds + LEAST_OFF_S, side="right") - 1
    change = skin_c - skin_c[back]
    moving = np.concatenate(([0], np.cumsum(moves)))
    quiet = moving[ahead + 1] - moving[here] <= (1.0 - STILL_SHARE) * (ahead - here + 1)
    falls = (change <= FALL_K_MIN * LEAST_OFF_S / 60.0) & quiet & (skin_c[ahead] < WARM_C)
    # At first it is still warm; it comes back by a rise, or by being warm and no longer falling.
    returns = ~falls & ((change >= RISE_K_MIN * LEAST_OFF_S / 60.0) | (skin_c >= WARM_C))
    last = np.maximum.accumulate(np.where(falls | returns, here, -1))
    off = (last >= 0) & falls[last]
    for begin, end in _runs(off):
        if still[begin:end].mean() < STILL_SHARE:
            off[begin:end] = False
            off[begin : _cool_until(seconds[begin:end], skin_c[begin:end]) + begin] = True
    return off


def _cool_until(seconds: FloatArray, skin_c: FloatArray) -> int:
    """Count the readings of a fall up to the end of the first cool ones; 0 where none come soon."""
    cool = skin_c < COOL_C
    first = int(cool.argmax())
    if not cool[first] or seconds[first] - seconds[0] > COOLING_S:
        return 0
    return first + int(np.append(cool[first:], False).argmin())


def _like_air(seconds: FloatArray, skin_c: FloatArray, air_c: FloatArray, moves: BoolArray) -> BoolArray:
    """Mark where five minutes or more in a row read as the air does."""
    off = (np.abs(skin_c - air_c) <= LIKE_AIR_K) & (air_c <= AIR_BELOW_SKIN_C) & ~moves
    for begin, end in _runs(off):
        off[begin:end] = seconds[end - 1] - seconds[begin] >= LEAST_OFF_S
    return off


def _runs(flag: BoolArray) -> list[tuple[int, int]]:
    """Return begin and end of each unbroken run of True."""
    edges = np.diff(np.concatenate(([False], flag, [False])).astype(np.int8))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))

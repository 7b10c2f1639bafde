"""What was measured in each minute of a person's record, as `unaji.signals.latent` reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from unaji.records.timeline import FloatArray, Series, TimeArray, Timeline
from unaji.signals.activity import activity_on_grid, activity_series, skin_temp_on_grid, skin_temp_series
from unaji.signals.adjust import lagged
from unaji.signals.eda_windows import EdaWindows, eda_windows
from unaji.signals.grid import Gridded, mean_on_grid
from unaji.signals.sources import (
    Averaging,
    air_series,
    asleep_on_grid,
    heart_on_grid,
    local_hours,
    steps_recorded,
)

STEP_S = 60.0
MINUTE = np.timedelta64(60_000, "ms")


@dataclass(frozen=True, eq=False, slots=True)
class Minutes:
    """What was measured in each minute; NaN where it was not, None where it never was. Arrays of shape (n,).

    Attributes
    ----------
    time : ndarray
        Starts of consecutive minutes, UTC.
    local_hour : ndarray
        Local time of day [h].
    hr_bpm, rmssd_ms, tonic_microsiemens, drive_microsiemens_min, skin_slope_k_min : ndarray or None
        The signals. RMSSD is that of the minute itself: overlapping windows would count the same beats several times.
    hr_quality, rmssd_quality, tonic_quality, drive_quality : ndarray or None
        Share of the minute that was measured, 0 to 1; the noise grows as it falls.
    movement : ndarray or None
        Acceleration beyond gravity [mg], or steps a minute.
    posture_deg : ndarray or None
        Angle of the trunk above the horizontal [°].
    air_temp_c, skin_temp_c : ndarray or None
    asleep : ndarray or None
        1 asleep, 0 awake.
    """

    time: TimeArray
    local_hour: FloatArray
    hr_bpm: FloatArray | None = None
    rmssd_ms: FloatArray | None = None
    tonic_microsiemens: FloatArray | None = None
    drive_microsiemens_min: FloatArray | None = None
    skin_slope_k_min: FloatArray | None = None
    hr_quality: FloatArray | None = None
    rmssd_quality: FloatArray | None = None
    tonic_quality: FloatArray | None = None
    drive_quality: FloatArray | None = None
    movement: FloatArray | None = None
    posture_deg: FloatArray | None = None
    air_temp_c: FloatArray | None = None
    skin_temp_c: FloatArray | None = None
    asleep: FloatArray | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if values is not None and values.shape != self.time.shape:
                raise ValueError(f"{field.name} has the shape {values.shape}, time {self.time.shape}")
        if np.any(np.diff(self.time) != MINUTE):
            raise ValueError("time must be consecutive minutes")

    def part(self, begin: int, end: int) -> Minutes:
        """Return the minutes from one index to another."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {name: None if x is None else x[begin:end] for name, x in values.items()}
        return Minutes(**cut)


def minutes_of(timeline: Timeline, *, skin_slope: bool = False) -> Minutes | None:
    """Describe all minutes that hold heart or skin conductance; None when neither was recorded.

    Parameters are those of `minutes_on`.
    """
    signals = (timeline.of(name) for name in ("scl_microsiemens", "hr_bpm", "rmssd_ms"))
    grid = steps_recorded(timeline, STEP_S, *signals)
    return None if grid is None else minutes_on(grid, timeline, skin_slope=skin_slope)


def minutes_on(
    grid: TimeArray,
    timeline: Timeline,
    *,
    skin_slope: bool = False,
    eda: EdaWindows | None = None,
    valid_ms: FloatArray | None = None,
) -> Minutes:
    """Bring a timeline's signals and inputs to minutes.

    Parameters
    ----------
    grid : ndarray, shape (n,)
        Starts of consecutive minutes.
    timeline : Timeline
        As `unaji.signals.latent.latent_state` reads it.
    skin_slope : bool
        Whether to take the slope of skin temperature.
    eda : EdaWindows, optional
        Skin conductance by those minutes, where it is at hand.
    valid_ms : ndarray, shape (n_beats,), optional
        `unaji.signals.sources.valid_intervals_ms` of the beats, where it is at hand.

    Notes
    -----
    A mean over more than a minute (a wearable's heart rate of five) is one measurement: it stands in the minute in the
    middle of its interval alone, or it would count several times.
    """
    conductance = timeline.of("scl_microsiemens")
    heart = heart_on_grid(timeline, grid, STEP_S, valid_ms=valid_ms, how=_once)
    if eda is None and conductance is not None:
        eda = eda_windows(conductance, grid, STEP_S)
    moved = activity_series(timeline)
    skin = _values(skin_temp_series(timeline), grid, skin_temp_on_grid)
    return Minutes(
        time=grid,
        local_hour=local_hours(timeline, grid) % 24.0,
        hr_bpm=heart.hr.value,
        hr_quality=heart.hr.coverage,
        rmssd_ms=heart.rmssd.value,
        rmssd_quality=heart.rmssd.coverage,
        tonic_microsiemens=None if eda is None else eda.tonic_microsiemens,
        tonic_quality=None if eda is None else eda.tonic_quality,
        drive_microsiemens_min=None if eda is None else eda.drive_microsiemens_min,
        drive_quality=None if eda is None else eda.phasic_quality,
        skin_slope_k_min=skin - lagged(skin, 1) if skin_slope and skin is not None else None,
        movement=_values(moved, grid, activity_on_grid),
        posture_deg=_values(timeline.of("trunk_angle_deg"), grid, mean_on_grid),
        air_temp_c=_values(air_series(timeline), grid, mean_on_grid),
        skin_temp_c=skin,
        asleep=asleep_on_grid(timeline, grid) if timeline.exposures_of("sleep") else None,
    )


def _values(series: Series | None, grid: TimeArray, how: Averaging) -> FloatArray | None:
    return None if series is None else how(series, grid, STEP_S).value


def _once(series: Series, grid: TimeArray, step_s: float) -> Gridded:
    return mean_on_grid(_in_the_middle(series), grid, step_s)


def _in_the_middle(series: Series) -> Series:
    """Place means over more than a minute in the minute at their middle; longer than an hour they are left as is."""
    if series.end is None:
        return series
    length = series.end - series.time
    long = (length > MINUTE) & (length <= 60 * MINUTE)
    if not long.any():
        return series
    middle = ((series.time + length // 2).astype("datetime64[m]")).astype("datetime64[ms]")
    time, end = np.where(long, middle, series.time), np.where(long, middle + MINUTE, series.end)
    order = np.argsort(time, kind="stable")
    return replace(series, time=time[order], value=series.value[order], end=end[order])

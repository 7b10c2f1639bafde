"""The autonomic state on a regular grid, each number with its quality."""

from __future__ import annotations

from dataclasses import dataclass

from unaji.records.timeline import FloatArray, TimeArray


@dataclass(frozen=True, eq=False, slots=True)
class AutonomicState:
    """Signals on a regular grid; NaN where there is too little to say.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Start of each step, UTC.
    step_s : float
        Length of a step [s].
    hr_bpm, rmssd_ms, sdnn_ms : ndarray, shape (n,)
        Heart rate and heart rate variability from valid beats (heart rate also from a heart-rate series).
    scl_microsiemens, scr_microsiemens : ndarray, shape (n,)
        Tonic skin conductance, and mean size of the phasic part.
    skin_temp_c : ndarray, shape (n,)
        Skin temperature: nape where measured, else wrist.
    activity : ndarray, shape (n,)
        Movement: acceleration beyond gravity [mg], else steps a minute.
    sympathetic_index : ndarray, shape (n,)
        How far the sympathetic signals stand above what movement and time of day explain, in this person's standard
        deviations.
    quality : dict of str to ndarray, shape (n,)
        For each of the names above, the share of the step that was measured and valid, 0 to 1; for
        ``sympathetic_index`` the share of channels behind it.
    channels : tuple of str
        Signals that fed the index ("hr", "rmssd", "scl", "scr").
    """

    time: TimeArray
    step_s: float
    hr_bpm: FloatArray
    rmssd_ms: FloatArray
    sdnn_ms: FloatArray
    scl_microsiemens: FloatArray
    scr_microsiemens: FloatArray
    skin_temp_c: FloatArray
    activity: FloatArray
    sympathetic_index: FloatArray
    quality: dict[str, FloatArray]
    channels: tuple[str, ...]
    activity_unit: str = "mg"

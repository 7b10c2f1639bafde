"""What Apple's types are called here, and their units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from unaji.records.batch import Kind
from unaji.records.cells import KG_PER_LB

QUANTITY, CATEGORY = "HKQuantityTypeIdentifier", "HKCategoryTypeIdentifier"
WORKOUT = "HKWorkoutActivityType"


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity type.

    Attributes
    ----------
    units : mapping
        Factor and summand that turn a value in Apple's unit into one in ours.
    on_wrist : bool
        Whether a watch measures it on the skin of the wrist.
    kind : Kind or None
        None for a series where start and end are one instant and an interval where they are not.
    """

    name: str
    units: Mapping[str, tuple[float, float]]
    on_wrist: bool = False
    method: str = ""
    kind: Kind | None = None


_PER_MINUTE = {"count/min": (1.0, 0.0), "count/s": (60.0, 0.0)}
_MS = {"ms": (1.0, 0.0), "s": (1000.0, 0.0)}
_CELSIUS = {"degC": (1.0, 0.0), "degF": (1 / 1.8, -32 / 1.8), "K": (1.0, -273.15)}
_KCAL = {  # a thermochemical calorie is 4.184 J (ISO 80000-5); "Cal" is the dietary one
    "kcal": (1.0, 0.0), "Cal": (1.0, 0.0), "cal": (1e-3, 0.0), "kJ": (1 / 4.184, 0.0), "J": (1 / 4184, 0.0)
}  # fmt: skip
_MMHG = {"mmHg": (1.0, 0.0), "kPa": (1 / 0.133322387415, 0.0), "cmAq": (98.0665 / 133.322387415, 0.0)}
_KG = {"kg": (1.0, 0.0), "g": (1e-3, 0.0), "lb": (KG_PER_LB, 0.0), "oz": (KG_PER_LB / 16, 0.0),
       "st": (6.35029318, 0.0)}  # fmt: skip
_CM = {"cm": (1.0, 0.0), "m": (100.0, 0.0), "mm": (0.1, 0.0), "in": (2.54, 0.0), "ft": (30.48, 0.0)}
_COUNT = {"count": (1.0, 0.0)}

CUP_MG = 90.0
"""Caffeine in a cup (200 ml) of filter coffee [mg]; EFSA, Scientific opinion on the safety of caffeine, EFSA Journal
2015;13(5):4102, doi:10.2903/j.efsa.2015.4102."""

MEASURED: Mapping[str, Measured] = {
    "HeartRate": Measured("hr_bpm", _PER_MINUTE, on_wrist=True),
    "RestingHeartRate": Measured("hr_resting_bpm", _PER_MINUTE, on_wrist=True),
    "HeartRateVariabilitySDNN": Measured("sdnn_ms", _MS, on_wrist=True),
    "HeartRateVariabilityRMSSD": Measured("rmssd_ms", _MS, on_wrist=True),
    "RespiratoryRate": Measured("resp_rate_bpm", _PER_MINUTE, on_wrist=True),
    "OxygenSaturation": Measured("spo2_pct", {"%": (100.0, 0.0)}, on_wrist=True),
    "StepCount": Measured("steps", _COUNT, kind=Kind.INTERVAL),
    "ActiveEnergyBurned": Measured("active_kcal", _KCAL, kind=Kind.INTERVAL),
    "AppleSleepingWristTemperature": Measured("skin_temp_c", _CELSIUS, on_wrist=True, kind=Kind.INTERVAL),
    "BodyTemperature": Measured("body_temp_c", _CELSIUS),
    "BasalBodyTemperature": Measured("body_temp_c", _CELSIUS, method="basal"),
    "EnvironmentalAudioExposure": Measured("sound_db", {"dBASPL": (1.0, 0.0)}),
    "ElectrodermalActivity": Measured("scl_microsiemens", {"mcS": (1.0, 0.0), "S": (1e6, 0.0)}),
    "BodyMass": Measured("weight_kg", _KG),
    "Height": Measured("height_cm", _CM),
    "BloodPressureSystolic": Measured("systolic_mmhg", _MMHG),
    "BloodPressureDiastolic": Measured("diastolic_mmhg", _MMHG),
    "NumberOfAlcoholicBeverages": Measured("alcohol", _COUNT, kind=Kind.EXPOSURE),
    "DietaryCaffeine": Measured("caffeine", {"mg": (1 / CUP_MG, 0.0), "g": (1000 / CUP_MG, 0.0)}, kind=Kind.EXPOSURE),
}

PRESSURE_UNITS = {"kPa": 10.0, "hPa": 1.0, "mbar": 1.0, "Pa": 0.01, "mmHg": 1.33322387415, "inHg": 33.8638815789}
"""Factor to hPa of a barometer's reading in the metadata, "100.719 kPa"."""

MINUTES = {"min": 1.0, "s": 1 / 60, "sec": 1 / 60, "hr": 60.0, "h": 60.0}

MOTION = {"1": "sedentary", "2": "active"}
"""Of `HKHeartRateMotionContext`; 0 says nothing."""

STAGES = {
    "InBed": "in_bed",
    "Asleep": "asleep",  # before iOS 16
    "AsleepUnspecified": "asleep",
    "AsleepCore": "light",
    "AsleepDeep": "deep",
    "AsleepREM": "rem",
    "Awake": "awake",
}

ABSENT = "absent"  # the person logged that there was no such symptom
STRENGTHS = {
    "SeverityUnspecified": "unspecified",
    "SeverityMild": "mild",
    "SeverityModerate": "moderate",
    "SeveritySevere": "severe",
    "PresencePresent": "present",
    "Present": "present",
    "NotApplicable": "unspecified",
    "AppetiteChangesUnspecified": "unspecified",
    "AppetiteChangesDecreased": "decreased",
    "AppetiteChangesIncreased": "increased",
    "SeverityNotPresent": ABSENT,
    "PresenceNotPresent": ABSENT,
    "NotPresent": ABSENT,
    "AppetiteChangesNoChange": ABSENT,
}
HOT_FLASHES = "HotFlashes"
_SYMPTOMS = (
    "AbdominalCramps", "Acne", "AppetiteChanges", "BladderIncontinence", "Bloating", "BreastPain",
    "ChestTightnessOrPain", "Chills", "Constipation", "Coughing", "Diarrhea", "Dizziness", "DrySkin", "Fainting",
    "Fatigue", "Fever", "GeneralizedBodyAche", "HairLoss", "Headache", "Heartburn", "LossOfSmell", "LossOfTaste",
    "LowerBackPain", "MemoryLapse", "MoodChanges", "Nausea", "NightSweats", "PelvicPain",
    "RapidPoundingOrFlutteringHeartbeat", "RunnyNose", "ShortnessOfBreath", "SinusCongestion", "SkippedHeartbeat",
    "SleepChanges", "SoreThroat", "VaginalDryness", "Vomiting", "Wheezing",
)  # fmt: skip
SYMPTOMS = {name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in _SYMPTOMS}

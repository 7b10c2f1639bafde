"""Every variable unaji knows: its name, unit, plausible range and meaning in Japanese and English.

Three vocabularies: *quantities* are measured or derived over time (columns of ``series/``), *ratings* are what a
person feels on a scale of 0 to 10 (``ratings.csv``), *exposure kinds* are what a person did or took
(``exposures.csv``). Only names listed here leave an importer. Plausible ranges are wide on purpose: a value outside
is a wrong unit or a broken sensor, never an unusual person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Extent(Enum):
    """What a value of a quantity speaks of."""

    POINT = "point"  # the value at an instant
    MEAN = "mean"  # the mean over an interval
    SUM = "sum"  # a total over an interval (steps, rain)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured or derived variable.

    Attributes
    ----------
    low, high : float
        Plausible range, ends included, in `unit`.
    hint : str
        What a value outside the range most often means and what to do about it.
    highest_median : float
        The median of a whole column cannot be above this, though single values may, in `unit`.
    """

    name: str
    unit: str
    low: float
    high: float
    extent: Extent
    ja: str
    en: str
    hint: str = ""
    highest_median: float = float("inf")

    def outside(self, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which values, shape (n,), lie outside the plausible range; NaN stands for none and does not."""
        return ~np.isnan(value) & ~((value >= self.low) & (value <= self.high))

    @property
    def bounds(self) -> str:
        """The plausible range in words, and what to do about a value outside."""
        return f"{self.low:g} to {self.high:g} {self.unit}" + (f"; {self.hint}" if self.hint else "")

    @property
    def rule(self) -> str:
        """What a value outside the range breaks, in words."""
        return f"{self.name} lies outside {self.bounds}"


@dataclass(frozen=True, slots=True)
class RatingScale:
    """One feeling, rated 0 (none) to 10 (as strong as can be)."""

    name: str
    ja: str
    en: str
    low: float = 0.0
    high: float = 10.0


@dataclass(frozen=True, slots=True)
class ExposureKind:
    """One thing done, taken or met.

    Attributes
    ----------
    shape : {"dose", "span", "mark"}
        A dose acts from its intake; a span acts while it lasts; a mark only says something about the diary.
    unit : str
        Unit of ``amount``; an empty amount means 1, or the minutes it lasted where the unit is "min".
    """

    name: str
    shape: str
    unit: str
    ja: str
    en: str


P, M, S = Extent.POINT, Extent.MEAN, Extent.SUM

# fmt: off
QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("hr_bpm", "1/min", 25, 240, M, "心拍数", "heart rate"),
        Quantity("hr_resting_bpm", "1/min", 25, 130, M, "安静時心拍数", "resting heart rate"),
        Quantity("rri_ms", "ms", 250, 3000, P, "心拍の間隔", "interval between two heart beats",
                 "values near 1 are seconds: multiply by 1000"),
        Quantity("rmssd_ms", "ms", 1, 400, M, "心拍のゆらぎ(RMSSD)", "root mean square of successive RR differences"),
        Quantity("sdnn_ms", "ms", 1, 500, M, "心拍のゆらぎ(SDNN)", "standard deviation of RR intervals"),
        Quantity("lf_ms2", "ms²", 0, 100000, M, "心拍変動の低周波成分", "low-frequency power of HRV"),
        Quantity("hf_ms2", "ms²", 0, 100000, M, "心拍変動の高周波成分", "high-frequency power of HRV"),
        Quantity("resp_rate_bpm", "1/min", 3, 60, M, "呼吸数", "breathing rate"),
        Quantity("spo2_pct", "%", 50, 100, P, "血中酸素", "blood oxygen saturation",
                 "values of 0 to 1 are fractions: multiply by 100"),
        Quantity("steps", "1", 0, 40000, S, "歩数", "steps"),
        Quantity("active_kcal", "kcal", 0, 10000, S, "活動の消費エネルギー", "energy spent in activity"),
        Quantity("skin_temp_c", "°C", 10, 45, P, "皮膚の温度", "skin temperature (where: the column site)",
                 "values above 50 are Fahrenheit: (F − 32) / 1.8"),
        Quantity("skin_temp_dev_c", "K", -8, 8, M, "皮膚温のふだんとの差", "skin temperature against own baseline"),
        Quantity("neck_skin_temp_c", "°C", 20, 43, P, "うなじの皮膚の温度", "skin temperature of the nape",
                 "values above 50 are Fahrenheit: (F − 32) / 1.8"),
        Quantity("finger_skin_temp_c", "°C", 10, 43, P, "指先の皮膚の温度", "skin temperature of a finger",
                 "values above 50 are Fahrenheit: (F − 32) / 1.8"),
        Quantity("core_temp_c", "°C", 33, 43, P, "深部体温", "core temperature",
                 "values above 50 are Fahrenheit: (F − 32) / 1.8"),
        Quantity("body_temp_c", "°C", 33, 43, P, "体温", "body temperature (thermometer, place not known)",
                 "values above 50 are Fahrenheit: (F − 32) / 1.8"),
        Quantity("air_temp_c", "°C", -60, 60, P, "気温", "air temperature (where: the column site)",
                 "values above 60, or most above 45, are Fahrenheit: (F − 32) / 1.8", highest_median=45),
        Quantity("rel_humidity_pct", "%", 0, 100, P, "湿度", "relative humidity"),
        Quantity("dew_point_c", "°C", -80, 40, P, "露点", "dew point"),
        Quantity("station_pressure_hpa", "hPa", 500, 1090, P, "気圧(その場所)", "air pressure at the place",
                 "values near 100000 are Pa: divide by 100"),
        Quantity("sea_level_pressure_hpa", "hPa", 850, 1090, P, "気圧(海面)", "air pressure reduced to sea level",
                 "values near 100000 are Pa: divide by 100"),
        Quantity("wind_m_s", "m/s", 0, 110, M, "風速", "wind speed"),
        Quantity("solar_w_m2", "W/m²", 0, 1500, M, "日射", "solar radiation"),
        Quantity("precip_mm", "mm", 0, 1500, S, "降水量", "precipitation"),
        Quantity("sunshine_min", "min", 0, 1440, S, "日照時間", "sunshine"),
        Quantity("sound_db", "dB", 0, 140, M, "音の大きさ", "sound level"),
        Quantity("scl_microsiemens", "µS", 0, 100, P, "皮膚の電気の通りやすさ", "skin conductance"),
        Quantity("bvp", "1", -1e6, 1e6, P, "脈波", "blood volume pulse (no unit)"),
        Quantity("acc_g", "g", -16, 16, P, "加速度", "acceleration along one axis"),
        Quantity("activity_mg", "mg", 0, 4000, M, "体の動き", "mean size of movement: | |a| − 1 g |"),
        Quantity("trunk_angle_deg", "°", -90, 90, P, "上体の角度", "angle of the trunk above the horizontal"),
        Quantity("head_flexion_deg", "°", -60, 100, P, "首の前かがみ", "forward flexion of the head"),
        Quantity("pressure_pain_threshold_kpa", "kPa", 10, 1500, P, "押して痛む強さ(うなじの筋)",
                 "pressure-pain threshold over the nape's muscles"),
        Quantity("stress_score", "1", 0, 100, M, "機器のストレス値", "a maker's own stress score"),
        Quantity("body_battery", "1", 0, 100, M, "機器の体力値", "a maker's own energy score"),
        Quantity("clothing_clo", "clo", 0, 5, P, "着ているものの暖かさ", "insulation of clothing"),
        Quantity("metabolic_met", "met", 0.5, 20, P, "活動の強さ", "metabolic rate"),
        Quantity("weight_kg", "kg", 2, 400, P, "体重", "body weight"),
        Quantity("height_cm", "cm", 40, 250, P, "身長", "height"),
        Quantity("systolic_mmhg", "mmHg", 50, 280, P, "血圧(上)", "systolic blood pressure"),
        Quantity("diastolic_mmhg", "mmHg", 25, 180, P, "血圧(下)", "diastolic blood pressure"),
        Quantity("screen_min", "min", 0, 1440, S, "画面を見た時間", "screen time"),
        Quantity("ecg_mv", "mV", -50, 50, P, "心電図", "electrocardiogram"),
    )
}

RATINGS: dict[str, RatingScale] = {
    r.name: r
    for r in (
        RatingScale("stress", "ストレス・緊張", "stress or tension"),
        RatingScale("anger", "怒り", "anger"),
        RatingScale("anxiety", "不安", "anxiety"),
        RatingScale("fear", "恐れ", "fear"),
        RatingScale("neck_stiffness", "首・肩のこり", "stiffness of neck and shoulders"),
        RatingScale("fatigue", "疲れ", "fatigue"),
        RatingScale("neck_pain", "首の痛み", "neck pain"),
        RatingScale("felt_heat", "うなじの熱さ", "heat felt at the nape"),
        RatingScale("sleep_quality", "眠りの質", "quality of sleep"),
    )
}

EXPOSURES: dict[str, ExposureKind] = {
    e.name: e
    for e in (
        ExposureKind("desk_work", "span", "1", "机仕事", "desk work"),
        ExposureKind("phone", "span", "1", "スマートフォン", "smartphone use"),
        ExposureKind("meeting", "span", "1", "会議・予定", "meeting or appointment of the calendar"),
        ExposureKind("exercise", "dose", "min", "運動", "exercise"),
        ExposureKind("caffeine", "dose", "cup", "カフェイン", "caffeine"),
        ExposureKind("alcohol", "dose", "drink", "お酒", "alcohol"),
        ExposureKind("hot_meal", "dose", "1", "熱い・辛い食事", "hot or spicy meal"),
        ExposureKind("hot_bath", "dose", "min", "熱い風呂", "hot bath"),
        ExposureKind("hot_flush", "dose", "1", "ほてり(更年期など)", "hot flush"),
        ExposureKind("medication", "dose", "1", "薬", "medication"),
        ExposureKind("warm_clothing", "span", "1", "厚着・えり巻き", "warm clothing or scarf"),
        ExposureKind("sun", "span", "1", "首への日ざし", "sun on the neck"),
        ExposureKind("sleep", "span", "1", "睡眠", "sleep"),
        ExposureKind("check_in", "mark", "1", "「何もない」の記録", "'nothing happened' check-in"),
        ExposureKind("event_mark", "mark", "1", "機器のボタン", "button pressed on a device"),
        ExposureKind("travel", "mark", "1", "場所の移動", "arrival at another place"),
    )
}
"""Kinds beyond these are allowed where an article's claims name them (a red flag, say)."""
# fmt: on

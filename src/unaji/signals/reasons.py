"""Why is an index missing, or to be read with care? Every reason in Japanese and in English, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages."""

    ja: str
    en: str


class Reason(IntEnum):
    """Why there is no value, or why one should be read with care; `NONE` where nothing is to be said."""

    NONE = 0
    NOTHING = 1
    FEW = 2
    ARTEFACTS = 3
    SHORT = 4
    GAPS = 5
    UNDEFINED = 6
    CARE = 7
    SLOW = 8
    TOO_SLOW = 9
    NO_BREATH = 10
    TOO_LONG = 11
    NO_BREATHING_PEAK = 12
    BLOOD_PRESSURE = 13
    BREATHING_CHANGES = 14
    SLOW_BREATHING = 15

    @property
    def ja(self) -> str:
        """The reason in Japanese; empty for `NONE`."""
        return WORDS[self].ja

    @property
    def en(self) -> str:
        """The reason in English; empty for `NONE`."""
        return WORDS[self].en


WORDS = {
    Reason.NONE: Words("", ""),
    Reason.NOTHING: Words("使える拍の間隔がありません", "no valid interval between beats"),
    Reason.FEW: Words("続けて使える間隔が足りません", "too few valid intervals in a row"),
    Reason.ARTEFACTS: Words("誤りの間隔が多すぎます", "too many intervals were artefacts"),
    Reason.SHORT: Words("この帯域には区間が短すぎます", "the window is too short for this band"),
    Reason.GAPS: Words("区間のうち測れていない部分が多すぎます", "too much of the window was not measured"),
    Reason.UNDEFINED: Words(
        "変化も繰り返しもなく、この指標が定まりません",
        "it is not defined for these intervals: nothing varies, or nothing repeats",
    ),
    Reason.CARE: Words("差が30個未満です。注意して読んでください", "from fewer than 30 differences: read with care"),
    Reason.SLOW: Words(
        "心拍が遅く、帯域の上端まで届きません。数えたのは心拍数の半分の周波数までです",
        "the heart is slower than twice the band's upper edge: power counts only up to half its rate",
    ),
    Reason.TOO_SLOW: Words(
        "この帯域には心拍が遅すぎます(心拍数の半分が帯域より下です)",
        "the heart is too slow for this band: half its rate lies below it",
    ),
    Reason.NO_BREATH: Words("呼吸数がわかりません", "no breathing rate was given"),
    Reason.TOO_LONG: Words(
        "区間が長く、すべての型の組を比べられません。短い区間に分けてください",
        "the window is too long to compare every pair of patterns: use shorter windows",
    ),
    Reason.NO_BREATHING_PEAK: Words(
        "間隔の変化から呼吸の波を見分けられません", "no wave of breathing stands out from the intervals"
    ),
    Reason.BLOOD_PRESSURE: Words(
        "毎分9回より遅い波で、血圧の波かもしれません",
        "a wave below 9 a minute stands out, which may be that of blood pressure",
    ),
    Reason.BREATHING_CHANGES: Words("区間の中で呼吸数が変わりました", "the breathing rate changed within the window"),
    Reason.SLOW_BREATHING: Words(
        "呼吸が毎分9回以下です。呼吸の波は HF (0.15–0.4 Hz) でなく LF にあり、hf_resp_ms2 が追います",
        "breathing at or below 0.15 Hz: its wave lies in LF, not in HF; hf_resp_ms2 follows it",
    ),
}
"""What each reason says."""

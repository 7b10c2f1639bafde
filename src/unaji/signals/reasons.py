"""Why is a number missing, or to be read with care? Every code in Japanese and in English, in one place."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Worded(IntEnum):
    """A code with its sentence in both languages; empty for 0, where nothing is to be said."""

    ja: str
    en: str

    def __new__(cls, code: int, ja: str = "", en: str = "") -> Self:
        """Make a member of a code and its words."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.ja, member.en = ja, en
        return member


class Reason(Worded):
    """Why an index of a window has no value, or why one should be read with care."""

    NONE = 0
    NOTHING = 1, "使える拍の間隔がありません", "no valid interval between beats"
    FEW = 2, "続けて使える間隔が足りません", "too few valid intervals in a row"
    ARTEFACTS = 3, "誤りの間隔が多すぎます", "too many intervals were artefacts"
    SHORT = 4, "この帯域には区間が短すぎます", "the window is too short for this band"
    GAPS = 5, "区間のうち測れていない部分が多すぎます", "too much of the window was not measured"
    UNDEFINED = (
        6,
        "変化も繰り返しもなく、この指標が定まりません",
        "it is not defined for these intervals: nothing varies, or nothing repeats",
    )
    CARE = 7, "差が30個未満です。注意して読んでください", "from fewer than 30 differences: read with care"
    SLOW = (
        8,
        "心拍が遅く、帯域の上端まで届きません。数えたのは心拍数の半分の周波数までです",
        "the heart is slower than twice the band's upper edge: power counts only up to half its rate",
    )
    TOO_SLOW = (
        9,
        "この帯域には心拍が遅すぎます(心拍数の半分が帯域より下です)",
        "the heart is too slow for this band: half its rate lies below it",
    )
    NO_BREATH = 10, "呼吸数がわかりません", "no breathing rate was given"
    TOO_LONG = (
        11,
        "区間が長く、すべての型の組を比べられません。短い区間に分けてください",
        "the window is too long to compare every pair of patterns: use shorter windows",
    )
    NO_BREATHING_PEAK = (
        12,
        "間隔の変化から呼吸の波を見分けられません",
        "no wave of breathing stands out from the intervals",
    )
    BLOOD_PRESSURE = (
        13,
        "毎分9回より遅い波で、血圧の波かもしれません",
        "a wave below 9 a minute stands out, which may be that of blood pressure",
    )
    BREATHING_CHANGES = 14, "区間の中で呼吸数が変わりました", "the breathing rate changed within the window"
    SLOW_BREATHING = (
        15,
        "呼吸が毎分9回以下です。呼吸の波は HF (0.15–0.4 Hz) でなく LF にあり、hf_resp_ms2 が追います",
        "breathing at or below 0.15 Hz: its wave lies in LF, not in HF; hf_resp_ms2 follows it",
    )


class StateReason(Worded):
    """Why a minute of `unaji.signals.latent` says less than it could, or nothing."""

    NONE = 0
    CARRIED = (
        1,
        "この時間には測定がなく、前後の時間からの推定です",
        "nothing was measured in this minute: carried over from the minutes around it",
    )
    NO_SYMPATHETIC_SIGNAL = (
        2,
        "交感神経の活動を示す信号がなく、はじめの仮定のままです",
        "no signal here speaks of sympathetic activity: it is at its prior",
    )
    NO_VAGAL_SIGNAL = (
        3,
        "迷走神経の活動を示す信号がなく、はじめの仮定のままです",
        "no signal here speaks of vagal activity: it is at its prior",
    )
    GAP = 4, "いちばん近い測定から30分より離れています", "more than 30 minutes from the nearest measurement"
    NO_SIGNAL = (
        5,
        "10分以上測れた信号がないか、値がまったく変わりません",
        "no signal was measured in at least 10 minutes, or it never changed",
    )


class ArousalReason(Worded):
    """Why a minute of `unaji.signals.arousal` says less than it could, or nothing."""

    NONE = 0
    HEART_RATE_ONLY = (
        1,
        "心拍数だけです。皮膚コンダクタンスはここでは測れていません",
        "heart rate only: skin conductance was not measured here",
    )
    CONDUCTANCE_ONLY = (
        2,
        "皮膚コンダクタンスだけです。心拍数はここでは測れていません",
        "skin conductance only: heart rate was not measured here",
    )
    NO_SIGNAL = (
        3,
        "どちらの信号もここでは測れていないか、30分に足りないか、値がまったく変わりません",
        "neither signal was measured here, or less than 30 minutes of it, or it never changed",
    )

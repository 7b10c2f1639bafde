"""What the pictures of the neck say, Japanese first, then English."""

from __future__ import annotations

import math
from typing import Literal

from unaji.report.figures._neck_colours import clamped
from unaji.report.figures.svg import text_width, wrap
from unaji.report.words import plain, signed

Language = Literal["ja", "en", "both"]
LANGUAGES: tuple[Language, ...] = ("ja", "en", "both")

_TEXTS = {
    "nape_skin": ("うなじの皮膚", "nape skin"),
    "nape_fat": ("皮下脂肪", "fat under the skin"),
    "superficial_muscle": ("浅い筋(僧帽筋など)", "superficial muscle (trapezius)"),
    "deep_muscle": ("深い筋", "deep nape muscle"),
    "deep_neck": ("首の中とほかの筋", "inner neck, other muscles"),
    "vein": ("頸静脈", "jugular vein"),
    "artery": ("▲ 頸動脈", "▲ carotid artery"),
    "other_neck_skin": ("首のほかの皮膚", "other neck skin"),
    "ligament": ("項靱帯", "nuchal ligament"),
    "semispinalis": ("頭半棘筋", "semispinalis"),
    "multifidus": ("多裂筋", "multifidus"),
    "cord": ("脊髄", "spinal cord"),
    "vertebra": ("頸椎(首の骨)", "vertebra"),
    "levator": ("肩甲挙筋", "levator scapulae"),
    "scalenes": ("斜角筋", "scalenes"),
    "sternocleidomastoid": ("胸鎖乳突筋", "sternocleidomastoid"),
    "sympathetic": ("交感神経幹", "sympathetic trunk"),
    "gullet": ("食道", "oesophagus"),
    "trachea": ("気管", "trachea"),
    "back": ("後ろ(うなじ)", "back"),
    "front": ("前", "front"),
    "left": ("左", "left"),
    "right": ("右", "right"),
    "before": ("始まる前", "before"),
    "now": ("そのとき", "during"),
    "scale": ("温度(℃)", "temperature (°C)"),
    "below_scale": ("◁ 目盛りより低い", "◁ below the scale"),
    "above_scale": ("▷ 目盛りより高い", "▷ above the scale"),
    "flow_scale": ("血の流れ(点の面積、mL/100 g/分)", "blood flow (area of the dot, mL/100 g/min)"),
    "flow_unit": ("{value} mL/100\u00a0g/分", "{value} mL/100\u00a0g/min"),
    "unknown_key": ("不明", "unknown"),
    "vascular": ("● 皮膚の血の流れ", "● skin blood flow"),
    "vascular_mark": ("皮膚の点の大きさ", "size of the dots in the skin"),
    "muscle": ("◆ 筋肉の力", "◆ muscle load"),
    "muscle_mark": ("◆の大きさ(全力が100%)", "size of ◆; 100 % is full strength"),
    "heat_load": ("■ まわりの空気と服", "■ air and clothing"),
    "heat_load_mark": ("矢印は熱の向き、長さは皮膚と空気の差", "arrows: way of heat, length: skin minus air"),
    "core": ("▲ からだの芯の血", "▲ blood from the core"),
    "core_mark": ("動脈の色", "colour of the arteries"),
    "sensory": ("○ 感じ方", "○ sensation"),
    "sensory_mark": (
        "黄色い神経の○は信号、朱の輪は感じた熱さ",
        "rings on the yellow nerve: signals; red ring: felt heat",
    ),
    "air": ("空気", "air"),
    "collar": ("えり・髪", "collar or hair"),
    "no_collar": ("えりなし", "no collar"),
    "felt": ("熱さ {value}/10", "heat {value}/10"),
    "nerve": ("信号 {value}", "signals {value}"),
    "flow": ("流れ {value}", "flow {value}"),
    "times": ("{value}倍", "×{value}"),
    "no_change": ("変わらない", "no change"),
    "plate": (
        "計算の図。第5〜6頸椎の高さの模式図を、下から見たところ。上が背中側です。皮膚と脂肪は実際より厚く描いています。"
        "骨、神経、気管は温度で塗っていません。",
        "Computed, not measured. Schematic section at C5–C6, seen from below; the back is on top. Skin and fat are "
        "drawn thicker than in life. Bone, nerves and trachea are not coloured by temperature.",
    ),
    "title_course": ("首のようす:時間による変化", "The neck over time"),
    "taken": ("{names}が弱めた分", "taken away by {names}"),
    "gap": ("不明な時間あり", "partly unknown"),
    "minutes": ("分", "min"),
    "hours": ("時間", "h"),
    "days": ("日", "days"),
    "title_shares": ("何が熱くしたか:五つの道すじの分け前", "What made it hot: the shares of five ways"),
    "title": ("首の断面", "Cross-section of the neck"),
    "title_pair": ("首の断面:始まる前と、そのとき", "Cross-section of the neck: before and during"),
}


def say(key: str, language: Language, **values: str) -> str:
    """Return a text; both languages stand beside each other."""
    ja, en = (text.format(**values) for text in _TEXTS[key])
    return {"ja": ja, "en": en, "both": ja if ja == en else f"{ja} / {en}"}[language]


def lines(key: str, language: Language, width: float, size: float, **values: str) -> list[str]:
    """Return a text broken into lines that fit; English goes below Japanese."""
    texts = [text.format(**values) for text in _TEXTS[key]]
    chosen = {"ja": texts[:1], "en": texts[1:], "both": texts}[language]
    rows = []
    for text in chosen:
        whole = text_width(text, size) <= width
        rows += [text] if whole else _no_lone_mark(wrap(text, width - size, size))  # room for a mark that hangs
    return rows


def celsius(temp_c: float, language: Language) -> str:
    """Say a temperature: "34.1℃", "34.1 °C"; one off the colour scale with a mark, what is not known as unknown."""
    if math.isnan(temp_c):
        return say("unknown_key", language)
    return f"{_off_scale(temp_c)}{plain(temp_c)}{_degree(language)}"


def degrees(value: str, language: Language) -> str:
    """Add the unit to a number: "24.0℃"."""
    return f"{value}{_degree(language)}"


def kelvin(change_k: float, language: Language) -> str:
    """Say a difference of temperatures: "+0.9℃", "+0.9 K"."""
    if not change_k:
        return say("no_change", language)
    return signed(change_k, 1) + ("\u00a0K" if language == "en" else "℃")


def celsius_change(before_c: float, now_c: float, language: Language) -> str:
    """Say two temperatures: "34.1 → 35.0℃"."""
    if math.isnan(before_c) or math.isnan(now_c):
        return f"{celsius(before_c, language)} → {celsius(now_c, language)}"
    return f"{_off_scale(before_c)}{plain(before_c)} → {celsius(now_c, language)}"


def number(value: float, language: Language, digits: int = 1) -> str:
    """Say a number, or that it is unknown."""
    return say("unknown_key", language) if math.isnan(value) else plain(value, digits)


def fit(pieces: list[str], width: float, size: float, joint: str) -> list[str]:
    """Put pieces on one line where they fit, else each on its own."""
    whole = joint.join(pieces)
    return [whole] if whole and text_width(whole, size) <= width else pieces


def _off_scale(temp_c: float) -> str:
    return ("◁", "", "▷")[clamped(temp_c) + 1]


def _no_lone_mark(rows: list[str]) -> list[str]:
    """Move a comma, full stop or closing bracket at the start of a line to the end of the one before."""
    kept = rows[:1]
    for row in rows[1:]:
        hanging = row[: len(row) - len(row.lstrip("、。)"))]
        kept[-1] += hanging
        kept += [row[len(hanging) :]] if len(row) > len(hanging) else []
    return kept


def _degree(language: Language) -> str:
    return "\u00a0°C" if language == "en" else "℃"


def spoken(language: Language) -> Language:
    """Return the language of numbers: in a picture of both languages they are written once."""
    return "en" if language == "en" else "ja"


def joint(language: Language) -> str:
    """Return what parts two readings on one line."""
    return " · " if language == "en" else "・"

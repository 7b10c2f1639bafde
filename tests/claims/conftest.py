"""A second article, about another symptom, made of files only."""

from __future__ import annotations

from pathlib import Path

import pytest

MODEL = """
title = { ja = "指先が冷えるのはなぜか", en = "Why are the fingers cold?" }
symptom = { ja = "指先の冷え", en = "cold fingers" }

[exposures.smoking]
shape = "dose"
unit = "cigarette"
name = { ja = "たばこ", en = "smoking" }

[links.cold_constricts]
claim = { ja = "寒さで指の血管が縮みます。", en = "Cold narrows the vessels of the fingers." }
grade = "A"
sources = ["book"]

[links.nicotine_constricts]
claim = { ja = "ニコチンで指の血管が縮みます。", en = "Nicotine narrows the vessels of the fingers." }
grade = "B"
sources = ["trial"]

[links.felt_cold]
claim = { ja = "血が減ると冷たく感じる可能性があります。", en = "With less blood they may feel cold." }
grade = "C"
sources = ["trial", "book"]

[links.warming]
claim = { ja = "温めると楽になるという報告があります。", en = "Warming is reported to help." }
grade = "D"
sources = ["trial"]

[companions]
headache = { ja = "頭痛", en = "headache" }

[red_flags.white_fingers]
urgency = "days"
question = { ja = "指が白くなりますか", en = "Do the fingers turn white?" }
say = { ja = "医師に相談してください。", en = "See a doctor." }
thinks_of = { ja = "血管の病気", en = "a disease of the vessels" }
sources = ["book"]
threshold = { quantities = ["systolic_mmhg", "diastolic_mmhg"], at_least = 180 }

[causes.cold_air]
name = { ja = "寒さ", en = "cold" }
claim = { ja = "寒いと指が冷える可能性があります。", en = "Fingers may be cold in the cold." }
family = "weather"
kind = "level"
lag_min = [5, 60]
in_article = true
red_flags = ["white_fingers"]
companions = ["headache"]

[[causes.cold_air.signals]]
reading = "quantity"
names = ["air_temp_c"]
transform = "fall"
over_min = 60
sites = ["outdoor", ""]

[causes.cold_air.routes.skin]
pathway = "vascular"
links = ["cold_constricts", "felt_cold"]
claim = { ja = "血管が縮み、冷たく感じる可能性があります。", en = "Vessels narrow; fingers may feel cold." }

[causes.cold_air.routes.reflex]
pathway = "vascular"
links = ["cold_constricts"]
claim = { ja = "寒さですぐに縮みます。", en = "They narrow at once." }

[causes.smoke]
name = { ja = "たばこ", en = "smoking" }
claim = { ja = "たばこで指が冷えます。", en = "Smoking cools the fingers." }
family = "intake"
kind = "dose"
lag_min = [5, 90]
in_article = false
avoidable = false
signals = [{ reading = "exposure", names = ["smoking"] }]

[causes.smoke.routes.nicotine]
pathway = "sensory"
links = ["nicotine_constricts"]
claim = { ja = "血管が縮みます。", en = "Vessels narrow." }

[treatments.hand_bath]
kinds = ["hand_bath"]
name = { ja = "手の湯", en = "hand bath" }
claim = { ja = "湯で温まるという報告があります。", en = "Warm water is reported to help." }
links = ["warming", "felt_cold"]

[sources]
trial = { citation = "A trial of warm hands, 2001" }
book = { citation = "A book of cold hands, 1999", url = "https://example.org/book", checked = false }
"""

JA = """## 先に医師へ {#first}
<!-- claims: white_fingers -->

指が白くなるときは医師に相談してください。

## 理由 {#why}
<!-- claims: cold_air, smoke,
hand_bath -->

寒さとたばこで冷える可能性があります。

### 小さな見出し

湯で温まるという報告があります。
"""

EN = """## Doctor first {#first}
<!-- claims: white_fingers -->

See a doctor when fingers turn white.

## Reasons {#why}
<!-- claims: smoke, cold_air, hand_bath -->

Cold and smoking may cool the fingers.
"""


@pytest.fixture
def cold_fingers(tmp_path: Path) -> Path:
    """Folder of a small correct article that does not ship with unaji."""
    folder = tmp_path / "cold_fingers"
    folder.mkdir()
    for name, text in (("model.toml", MODEL), ("ja.md", JA), ("en.md", EN)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder

"""The shipped article: every claim that must be there, with the grade it may have and the words it may use."""

from __future__ import annotations

import re

import pytest

from unaji.claims.graph import citations, load_claims
from unaji.claims.model import Grade, Pathway, Reading, Transform, Urgency
from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS

CLAIMS = load_claims("neck_heat")
LINKS = {
    link.id: link
    for chain in [r.links for c in CLAIMS.causes for r in c.routes] + [t.links for t in CLAIMS.treatments]
    for link in chain
}

IN_ARTICLE = {
    "arousal", "stress", "emotion", "chronic_stress", "temp_change", "pressure_drop", "neck_stiffness", "desk_load",
    "phone", "fatigue", "sleep_debt",
}  # fmt: skip
LEFT_OUT = {
    "fever", "ambient_heat", "humidity", "warm_clothing", "sun", "exercise", "hot_meal", "hot_bath", "caffeine",
    "alcohol", "hot_flush", "medication",
}  # fmt: skip

# Plausible ranges of the mean lag, in minutes, as the engine's design gives them.
LAG_MIN = {
    "arousal": (5, 40), "stress": (30, 240), "temp_change": (10, 180), "pressure_drop": (120, 1440),
    "desk_load": (15, 120), "sleep_debt": (10, 360), "ambient_heat": (10, 90), "exercise": (15, 120),
    "caffeine": (20, 180), "alcohol": (60, 720), "hot_meal": (5, 60), "humidity": (60, 720),
    "sun": (5, 60),
}  # fmt: skip

# The table of claims and grades of the physiology design, row by row.
GRADE_OF_LINK = {
    "sympathetic": "A",  # 1 stress and emotion: sympathetic nerves, noradrenaline
    "noradrenaline_skin": "D",  # 2a noradrenaline raises skin flow at the neck: contradicted
    "flush_face": "B",  # 2b flush of the face
    "flush_neck": "C",  # 2b of the neck
    "flush_nape": "D",  # 2b of the nape
    "stress_muscle_flow": "B",  # 2c stress raises flow in the trapezius
    "felt_without_fever": "B",  # 3 heat is felt though the core is normal
    "temperature_vasomotor": "A",  # 4 abrupt change of temperature: vasomotor response
    "temperature_hot_nape": "D",  # 4 as a cause of a lasting hot nape
    "pressure_pain": "C",  # 5 falling pressure: pain, headache
    "pressure_hot_nape": "D",  # 5 hot nape
    "neck_load": "A",  # 6 the load of desk work and smartphones exists
    "neck_load_size": "C",  # 6 its size as "60 lb"
    "radiculopathy_burning": "B",  # 7 burning in true radiculopathy
    "stiffness_nerve": "D",  # 7 a stiff neck compresses nerves
    "stiffness_circulation": "C",  # 8 stiffness causes poor circulation: conflicting
    "metabolites": "B",  # 9 metabolites build up, in myalgia
    "inflammation_heat": "D",  # 10 build-up causes inflammation and that causes heat
    "stress_pain_sensitivity": "B",  # 11 chronic stress: pain sensitisation
    "stress_heat_sensitivity": "C",  # 11 heat
    "acupuncture_neck_pain": "B",  # 12 acupuncture: neck pain
    "needling_local_flow": "B",  # 12 local flow
    "acupuncture_hot_nape": "D",  # 12 hot nape
    "fever_warms": "A",  # 13 fever
    "hot_flush_warms": "A",  # 13 hot flash
    "medicine_heat": "A",  # 13 drugs
    "heat_load_warms": "A",  # 13 collar, sun
}

# What follows for each route when a chain is as strong as its weakest link; rows of the table in brackets.
GRADE_OF_ROUTE = {
    ("arousal", "noradrenaline"): "D",  # 1, 2a
    ("stress", "noradrenaline"): "D",  # 1, 2a
    ("emotion", "noradrenaline"): "D",  # 1, 2a
    ("emotion", "flush"): "D",  # 2b, nape
    ("temp_change", "vasomotor"): "D",  # 4
    ("pressure_drop", "autonomic"): "D",  # 5
    ("neck_stiffness", "nerve"): "D",  # 7
    ("neck_stiffness", "circulation"): "D",  # 8, 9, 10
    ("neck_stiffness", "autonomic"): "D",  # 2a
    ("chronic_stress", "sensitisation"): "C",  # 3, 11
    ("fever", "fever"): "A",  # 13
    ("hot_flush", "flush"): "A",  # 13
    ("medication", "flush"): "A",  # 13
    ("ambient_heat", "heat_load"): "A",  # 13
    ("warm_clothing", "heat_load"): "A",  # 13
    ("sun", "heat_load"): "A",  # 13
}


def texts(language: str) -> dict[str, str]:
    """Every text of the article that a person may see, by where it is."""
    found = {f"section {s.id}": f"{s.heading}\n{s.text}" for s in CLAIMS.article[language]}
    for group in (CLAIMS.causes, CLAIMS.treatments):
        for claim in group:
            found |= {f"{claim.id} name": claim.name.in_(language), claim.id: claim.claim.in_(language)}
    for cause in CLAIMS.causes:
        found |= {f"{cause.id} {route.id}": route.claim.in_(language) for route in cause.routes}
    found |= {f"link {link.id}": link.claim.in_(language) for link in LINKS.values()}
    for flag in CLAIMS.red_flags:
        found |= {
            f"{flag.id} {i}": w.in_(language)
            for i, w in enumerate((flag.question, flag.say, flag.tell, flag.thinks_of))
        }
    return found | {f"companion {one}": words.in_(language) for one, words in CLAIMS.companions.items()}


# --- causes --------------------------------------------------------------------------------------------------------


def test_every_cause_of_the_article_is_there_and_every_one_it_leaves_out():
    assert {cause.id for cause in CLAIMS.causes if cause.in_article} == IN_ARTICLE
    assert {cause.id for cause in CLAIMS.causes if not cause.in_article} == LEFT_OUT


def test_lags_are_those_of_the_engines_design():
    assert {one: CLAIMS.cause(one).lag_min for one in LAG_MIN} == LAG_MIN


def test_doses_are_doses():
    doses = {"exercise", "hot_meal", "hot_bath", "caffeine", "alcohol", "hot_flush", "medication"}
    assert {cause.id for cause in CLAIMS.causes if cause.kind == "dose"} == doses


def test_nobody_is_told_to_stop_avoiding_fever_alcohol_or_medicine():
    assert {c.id for c in CLAIMS.causes if not c.avoidable} == {
        "fever", "alcohol", "medication", "hot_flush", "arousal", "emotion", "chronic_stress", "neck_stiffness",
        "fatigue", "sleep_debt", "ambient_heat", "humidity", "sun",
    }  # fmt: skip


def test_every_name_a_signal_reads_is_in_the_vocabulary():
    known = {
        Reading.QUANTITY: QUANTITIES,
        Reading.RATING: RATINGS,
        Reading.EXPOSURE: EXPOSURES,
        Reading.DERIVED: {"sympathetic_index"},
    }
    for cause in CLAIMS.causes:
        for signal in cause.signals:
            assert set(signal.names) <= set(known[signal.reading]), cause.id


def test_pressure_is_the_fall_over_six_hours_at_the_place_first():
    here, sea = CLAIMS.cause("pressure_drop").signals
    assert (here.names, sea.names) == (("station_pressure_hpa",), ("sea_level_pressure_hpa",))
    for signal in (here, sea):
        assert (signal.transform, signal.over_min, signal.hold_min) == (Transform.FALL, 360.0, 180.0)


def test_hourly_air_readings_are_held_until_the_next_one():
    held = {
        cause.id: {signal.hold_min for signal in cause.signals}
        for cause in CLAIMS.causes
        if any({"air_temp_c", "rel_humidity_pct"} & set(signal.names) for signal in cause.signals)
    }
    assert held == {"temp_change": {90.0}, "ambient_heat": {90.0}, "humidity": {90.0}}


def test_only_what_was_not_read_is_marked_unchecked():
    assert {source.id for source in CLAIMS.sources.values() if not source.checked} == {"jsam2025", "general"}


def test_stiffness_has_its_three_routes():
    routes = {route.id: route.pathway for route in CLAIMS.cause("neck_stiffness").routes}
    assert routes == {"nerve": Pathway.SENSORY, "circulation": Pathway.MUSCLE, "autonomic": Pathway.VASCULAR}


def test_a_cause_is_claimed_in_one_sentence():
    for cause in CLAIMS.causes:
        assert cause.claim.ja.count("。") == 1, cause.id
        assert len(re.findall(r"\.( |$)", cause.claim.en)) == 1, cause.id


def test_every_pathway_is_reached_by_some_cause():
    assert {route.pathway for cause in CLAIMS.causes for route in cause.routes} == set(Pathway)


def test_acupuncture_speaks_of_needles_and_moxa():
    (treatment,) = CLAIMS.treatments
    assert {"acupuncture", "moxibustion"} <= set(treatment.kinds)
    assert treatment.grade is Grade.D


# --- grades --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", GRADE_OF_LINK)
def test_a_link_has_the_grade_of_its_row_in_the_table(link):
    assert LINKS[link].grade == GRADE_OF_LINK[link]


@pytest.mark.parametrize(("cause", "route"), GRADE_OF_ROUTE)
def test_a_route_has_the_grade_that_follows_from_the_table(cause, route):
    (grade,) = [r.grade for r in CLAIMS.cause(cause).routes if r.id == route]
    assert grade == GRADE_OF_ROUTE[cause, route]


def test_no_cause_that_the_article_names_is_well_proven_for_the_nape():
    assert {cause.grade for cause in CLAIMS.causes if cause.in_article} == {Grade.C, Grade.D}


def test_only_what_truly_warms_is_grade_a():
    proven = {cause.id for cause in CLAIMS.causes if cause.grade is Grade.A}
    assert proven == {"fever", "ambient_heat", "warm_clothing", "sun", "hot_flush", "medication"}


def test_every_claim_has_a_source_with_a_year_or_a_plain_admission():
    for claim in (*CLAIMS.causes, *CLAIMS.treatments, *CLAIMS.red_flags):
        assert citations(CLAIMS, [claim.id]), claim.id
    for source in CLAIMS.sources.values():
        assert re.search(r"\b(19|20)\d\d\b|2025年版|to be confirmed", source.citation), source.id


# --- red flags -----------------------------------------------------------------------------------------------------

# One word in each language for each line of the list, so that a line cannot be dropped or emptied unseen.
RED_FLAGS = {
    Urgency.EMERGENCY: [
        ("thunderclap_pain", "今までで一番ひどい", "worst headache"),
        ("stroke_signs", "ろれつ", "slurred speech"),
        ("meningitis_signs", "発疹", "stiff neck"),
        ("heat_collapse", "こわば", "collaps"),
        ("chest_pressure", "冷や汗", "cold sweat"),
        ("breathless_after_needling", "48時間以内", "48 hours"),
        ("neck_injury", "45度", "45 degrees"),
    ],
    Urgency.TODAY: [
        ("spinal_cord_signs", "不器用", "clumsy"),
        ("fever_or_chills", "38.0度", "38.0 °C"),
        ("temple_headache", "かむとき", "chewing"),
        ("thyroid_storm", "ふるえ", "tremor"),
        ("needle_site_trouble", "うみ", "oozing"),
        ("hopelessness", "生きていたくない", "not wanting to live"),
    ],
    Urgency.DAYS: [
        ("one_sided_rash", "水ぶくれ", "blisters"),
        ("overactive_thyroid", "首のはれ|首がはれる", "swelling of the neck"),
        ("pounding_attacks", "ずきずき", "pounding headache"),
        ("flushing_illness", "下痢", "diarrhoea"),
        ("arm_strip_signs", "すじ状", "one strip"),
        ("midlife_or_new_medicine", "月経の変化", "change of periods"),
    ],
}
LINES = [(urgency, *line) for urgency, lines in RED_FLAGS.items() for line in lines]


def test_there_are_nineteen_red_flags_the_most_urgent_first():
    assert [(flag.urgency, flag.id) for flag in CLAIMS.red_flags] == [line[:2] for line in LINES]
    assert len(LINES) == 19


@pytest.mark.parametrize(("urgency", "flag_id", "ja", "en"), LINES)
def test_a_red_flag_is_asked_and_written_in_both_languages(urgency, flag_id, ja, en):
    (flag,) = [flag for flag in CLAIMS.red_flags if flag.id == flag_id]
    assert flag.urgency is urgency
    for language, word in (("ja", ja), ("en", en)):
        assert re.search(word, flag.question.in_(language))
        section = CLAIMS.article[language][0]
        assert flag_id in section.claims
        assert re.search(word, section.text)


def test_an_emergency_says_119_and_nothing_milder():
    for flag in CLAIMS.red_flags:
        for language in ("ja", "en"):
            say = flag.say.in_(language)
            if flag.urgency is Urgency.EMERGENCY:
                assert "119" in say
                assert "#7119" not in say


def test_only_body_temperature_raises_a_flag_by_itself():
    thresholds = {flag.id: flag.threshold for flag in CLAIMS.red_flags if flag.threshold}
    assert list(thresholds) == ["fever_or_chills"]
    assert set(thresholds["fever_or_chills"].quantities) == {"core_temp_c", "body_temp_c"}
    assert thresholds["fever_or_chills"].at_least == 38.0


def test_the_article_opens_with_the_red_flags_and_both_numbers():
    for sections in CLAIMS.article.values():
        assert sections[0].id == "red-flags"
        assert "119" in sections[0].text
        assert "#7119" in sections[0].text


# --- words ---------------------------------------------------------------------------------------------------------

HEDGES = {  # in Japanese those of publishing rule P18, in plain and in polite form
    "ja": r"可能性|報告があ[るり]|はっきりしていな|はっきりしていません",
    "en": r"\b(may|perhaps|report(ed)?|hardly any|conflict|differ)\b|\b(not|nor|none).{0,40} clear\b|has not been"
    r"|[Nn]o (study|measurement)|does not fit|[Nn]o evidence|is an estimate|[Nn]either .* is clear",
}
# The publishing rules that a text can break by itself: sure effects, absolute safety, being the best, fright, posing as
# a doctor, a disease that is "cured", goods with an effect, insurance, and advice to stop medicine or stay away.
FORBIDDEN = {
    "P01": r"(必ず|絶対に?|確実に|100 ?[%%]|たった?(一|1)回で).{0,12}(治|改善|解消|消え|効)|完治|根治|再発しません",
    "P02": r"副作用(は|が)?(一切)?(ありません|ない)|絶対安全|痛みは?(まったく|一切)",
    "P03": r"日本一|No\.? ?1|地域一番|口コミ.{0,4}[1一]位|他院(より|では)",
    "P04": r"(放置|命に関わ|手遅れ).{0,30}(来院|ご予約|施術)",
    "P05": r"診療(し|時間)|診断(し|でき)(?!ません)|医師監修",
    "P06": r"治療|患者様の声",
    "P17": r"専門院|専門の|に効く|を治す",
    "P24": r"保険(が|も)?(使え|適用|取扱)",
    "P25": r"薬を?(やめ|減ら)(?!.{0,6}ない)|病院(に|へ)行かなくて|手術しなくて",
}


def test_both_languages_say_everything():
    ja, en = texts("ja"), texts("en")
    assert ja.keys() == en.keys()
    assert all(ja.values())
    assert all(en.values())


@pytest.mark.parametrize("language", ["ja", "en"])
def test_weakly_proven_claims_are_hedged(language):
    weak = (Grade.C, Grade.D)
    claims = {c.id: c.claim for c in (*CLAIMS.causes, *CLAIMS.treatments) if c.grade in weak}
    claims |= {f"{c.id} {r.id}": r.claim for c in CLAIMS.causes for r in c.routes if r.grade in weak}
    claims |= {f"link {link.id}": link.claim for link in LINKS.values() if link.grade in weak}
    bare = [where for where, words in claims.items() if not re.search(HEDGES[language], words.in_(language))]
    assert not bare


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_section_on_weakly_proven_claims_is_hedged(language):
    weak = {c.id for c in (*CLAIMS.causes, *CLAIMS.treatments) if c.grade in (Grade.C, Grade.D)}
    tied = [section for section in CLAIMS.article[language] if weak & set(section.claims)]
    assert len(tied) >= 6
    assert not [section.id for section in tied if not re.search(HEDGES[language], section.text)]


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_no_text_breaks_a_publishing_rule(rule):
    assert not [where for where, text in texts("ja").items() if re.search(FORBIDDEN[rule], text)]


def test_noradrenaline_and_skin_flow_are_said_to_be_contradicted():
    link = LINKS["noradrenaline_skin"]
    assert "does not fit what was measured" in link.claim.en
    assert "測定と合いません" in link.claim.ja


def test_sentences_are_short():
    """Median below 20 English words and 40 Japanese characters; none of the article beyond 45 and 90."""
    lengths = {"ja": [], "en": []}
    for language, split, measure in (("ja", r"[。\n]", len), ("en", r"[.!?]\s|\n", lambda t: len(t.split()))):
        for section in CLAIMS.article[language][1:]:
            lengths[language] += [measure(s) for s in re.split(split, section.text) if s.strip()]
    for language, usual, longest in (("ja", 40, 90), ("en", 20, 45)):
        ordered = sorted(lengths[language])
        assert ordered[len(ordered) // 2] < usual
        assert ordered[-1] <= longest


def test_the_article_has_the_length_of_an_article():
    """Apart from the red flags: 1200 to 1800 Japanese characters, 600 to 900 English words."""
    ja = sum(len(re.sub(r"\s", "", section.text)) for section in CLAIMS.article["ja"][1:])
    en = sum(len(section.text.split()) for section in CLAIMS.article["en"][1:])
    assert 1200 <= ja <= 1800
    assert 600 <= en <= 900

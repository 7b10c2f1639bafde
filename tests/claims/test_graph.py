"""Loading an article: what a right one gives, what each wrong one is told, and the causal graph."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unaji.claims import graph
from unaji.claims.graph import SYMPTOM, Edge, available_articles, causal_graph, citations, load_claims
from unaji.claims.model import Family, Grade, Pathway, Reading, Threshold, Transform, Urgency, Words
from unaji.errors import ClaimsError, ExitCode

NECK_HEAT = Path(graph.__file__).parent / "neck_heat"


def test_the_article_of_the_hot_nape_ships():
    assert available_articles() == ("neck_heat",)


def test_a_shipped_article_loads_by_name_and_by_folder_alike():
    assert load_claims("neck_heat") == load_claims(NECK_HEAT) == load_claims(str(NECK_HEAT))


def test_an_unknown_article_is_told_which_ones_there_are():
    with pytest.raises(ClaimsError, match=r"cold_toes: no such article or folder.*neck_heat"):
        load_claims("cold_toes")


def test_a_wrong_model_file_has_its_own_exit_code(tmp_path):
    with pytest.raises(ClaimsError) as caught:
        load_claims(tmp_path)
    assert caught.value.exit_code is ExitCode.CLAIMS


# --- a second article, as files only -------------------------------------------------------------------------------


def test_another_symptom_loads_from_files_alone(cold_fingers):
    claims = load_claims(cold_fingers)
    assert claims.id == "cold_fingers"
    assert claims.symptom == Words("指先の冷え", "cold fingers")
    assert [cause.id for cause in claims.causes] == ["cold_air", "smoke"]
    assert claims.exposures["smoking"].unit == "cigarette"
    assert claims.sources["book"].checked is False
    assert claims.red_flags[0].urgency is Urgency.DAYS
    assert claims.red_flags[0].threshold == Threshold(("systolic_mmhg", "diastolic_mmhg"), 180.0)
    assert claims.treatments[0].grade is Grade.D
    assert claims.treatments[0].sources == ("trial", "book")


def test_every_field_of_a_cause_comes_from_its_table(cold_fingers):
    cold = load_claims(cold_fingers).cause("cold_air")
    assert (cold.family, cold.kind, cold.lag_min) == (Family.WEATHER, "level", (5.0, 60.0))
    assert (cold.in_article, cold.avoidable) == (True, True)
    assert (cold.red_flags, cold.companions) == (("white_fingers",), ("headache",))
    (signal,) = cold.signals
    assert (signal.reading, signal.names, signal.transform) == (Reading.QUANTITY, ("air_temp_c",), Transform.FALL)
    assert (signal.over_min, signal.hold_min, signal.sites) == (60.0, 30.0, ("outdoor", ""))
    assert load_claims(cold_fingers).cause("smoke").avoidable is False


def test_a_route_has_the_grade_of_its_weakest_link_and_a_cause_that_of_its_best_route(cold_fingers):
    cold = load_claims(cold_fingers).cause("cold_air")
    assert {route.id: route.grade for route in cold.routes} == {"skin": Grade.C, "reflex": Grade.A}
    assert [link.id for link in cold.routes[0].links] == ["cold_constricts", "felt_cold"]
    assert cold.grade is Grade.A


def test_a_cause_that_is_not_claimed_is_not_found(cold_fingers):
    with pytest.raises(KeyError):
        load_claims(cold_fingers).cause("warm_air")


def test_sections_carry_the_text_between_two_headings(cold_fingers):
    first, why = load_claims(cold_fingers).article["ja"]
    assert (first.id, first.heading, first.claims) == ("first", "先に医師へ", ("white_fingers",))
    assert first.text == "指が白くなるときは医師に相談してください。"
    assert why.claims == ("cold_air", "smoke", "hand_bath")
    assert "### 小さな見出し" in why.text
    assert "claims:" not in why.text


def test_the_graph_runs_from_causes_over_pathways_to_the_symptom(cold_fingers):
    assert causal_graph(load_claims(cold_fingers)) == (
        Edge("cold_air", "vascular", Grade.A, ("book", "trial")),
        Edge("smoke", "sensory", Grade.B, ("trial",)),
        Edge("vascular", SYMPTOM, Grade.A, ("book", "trial")),
        Edge("sensory", SYMPTOM, Grade.B, ("trial",)),
    )


def test_citations_follow_the_order_of_the_claims_in_use(cold_fingers):
    claims = load_claims(cold_fingers)
    assert [source.id for source in citations(claims, ["smoke", "cold_air"])] == ["trial", "book"]
    assert [source.id for source in citations(claims, ["cold_air", "smoke"])] == ["book", "trial"]
    assert [source.id for source in citations(claims, ["hand_bath", "white_fingers"])] == ["trial", "book"]
    assert citations(claims, []) == ()
    with pytest.raises(KeyError):
        citations(claims, ["cold_toes"])


def test_a_file_saved_with_windows_line_ends_reads_the_same(cold_fingers):
    before = load_claims(cold_fingers)
    for file in cold_fingers.iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_claims(cold_fingers) == before


def test_a_byte_order_mark_is_no_mistake(cold_fingers):
    before = load_claims(cold_fingers)
    for file in cold_fingers.iterdir():
        file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert load_claims(cold_fingers) == before


def test_an_article_may_have_no_treatment_and_no_companions(cold_fingers):
    file = cold_fingers / "model.toml"
    text = file.read_text(encoding="utf-8")
    cut = (("[treatments.hand_bath]", "[sources]"), ("[links.warming]", "[companions]"), ("[companions]", "[red_flags"))
    for start, end in cut:
        text = text[: text.index(start)] + text[text.index(end) :]
    file.write_text(text.replace('companions = ["headache"]', ""), encoding="utf-8")
    for name in ("ja.md", "en.md"):
        prose = (cold_fingers / name).read_text(encoding="utf-8")
        (cold_fingers / name).write_text(prose.replace("hand_bath", ""), encoding="utf-8")
    claims = load_claims(cold_fingers)
    assert (claims.treatments, claims.companions) == ((), {})


def test_loading_twice_gives_the_same():
    first, second = load_claims("neck_heat"), load_claims("neck_heat")
    assert first == second
    assert repr(first) == repr(second)


# --- wrong files ---------------------------------------------------------------------------------------------------

FIRST_JA = "## 先に医師へ {#first}\n<!-- claims: white_fingers -->"
WRONG = {
    # name of the case: (file, text to replace, replacement, key named, reason named)
    "not TOML": ("model.toml", "[links.warming]", "[links.warming", "model.toml", "not valid TOML"),
    "table twice": ("model.toml", "[causes.smoke]\n", "[causes.cold_air]\n", "model.toml", "not valid TOML"),
    "unknown key": (
        "model.toml", "in_article = false", "in_article = false\ncolour = 3", "causes.smoke.colour", "unknown",
    ),
    "unknown key at the top": ("model.toml", 'title = {', 'author = "x"\ntitle = {', "author", "unknown key"),
    "unknown key in a signal": (
        "model.toml", 'names = ["smoking"]', 'names = ["smoking"], over_min = 5',
        "causes.smoke.signals[0].over_min", "unknown key",
    ),
    "missing key": ("model.toml", "over_min = 60\n", "", "causes.cold_air.signals[0].over_min", "missing key"),
    "missing table": ("model.toml", "symptom = {", "# symptom = {", "symptom", "missing key"),
    "no route": (
        "model.toml", '[causes.smoke.routes.nicotine]\npathway = "sensory"\nlinks = ["nicotine_constricts"]\n'
        'claim = { ja = "血管が縮みます。", en = "Vessels narrow." }', "[causes.smoke.routes]",
        "causes.smoke.routes", "at least one",
    ),
    "missing translation": (
        "model.toml", '{ ja = "頭痛", en = "headache" }', '{ ja = "頭痛" }', "companions.headache.en", "missing",
    ),
    "empty translation": (
        "model.toml", '{ ja = "頭痛", en = "headache" }', '{ ja = "頭痛", en = " " }',
        "companions.headache.en", "empty",
    ),
    "languages swapped": (
        "model.toml", '{ ja = "頭痛", en = "headache" }', '{ ja = "headache", en = "頭痛" }',
        "companions.headache.ja", "does not look like Japanese",
    ),
    "unknown quantity": (
        "model.toml", 'names = ["air_temp_c"]', 'names = ["air_temp_f"]',
        "causes.cold_air.signals[0].names", "'air_temp_f' is not a known quantity",
    ),
    "unknown exposure": (
        "model.toml", 'names = ["smoking"]', 'names = ["snuff"]',
        "causes.smoke.signals[0].names", "'snuff' is not a known exposure",
    ),
    "unknown rating": (
        "model.toml", 'reading = "exposure", names = ["smoking"]', 'reading = "rating", names = ["joy"]',
        "causes.smoke.signals[0].names", "'joy' is not a known rating",
    ),
    "unknown derived signal": (
        "model.toml", 'reading = "exposure", names = ["smoking"]', 'reading = "derived", names = ["mood"]',
        "causes.smoke.signals[0].names", "'mood' is not a known derived",
    ),
    "quantities of different units": (
        "model.toml", '["systolic_mmhg", "diastolic_mmhg"]', '["systolic_mmhg", "hr_bpm"]',
        "red_flags.white_fingers.threshold.quantities", "different units",
    ),
    "threshold outside the plausible range": (
        "model.toml", "at_least = 180", "at_least = 18", "red_flags.white_fingers.threshold.at_least", "50 to 280 mmHg",
    ),
    "lag not ascending": ("model.toml", "lag_min = [5, 90]", "lag_min = [90, 5]", "causes.smoke.lag_min", "ascend"),
    "lag not a pair": ("model.toml", "lag_min = [5, 90]", "lag_min = [90]", "causes.smoke.lag_min", "pair"),
    "lag too long": ("model.toml", "lag_min = [5, 90]", "lag_min = [5, 1441]", "causes.smoke.lag_min", "5 to 1440"),
    "lag too short": ("model.toml", "lag_min = [5, 90]", "lag_min = [0, 90]", "causes.smoke.lag_min", "5 to 1440"),
    "text for a number": ("model.toml", "over_min = 60", 'over_min = "60"', "signals[0].over_min", "must be a number"),
    "true for a number": ("model.toml", "over_min = 60", "over_min = true", "signals[0].over_min", "must be a number"),
    "no time": ("model.toml", "over_min = 60", "over_min = 0", "causes.cold_air.signals[0].over_min", "above 0"),
    "text for true": (
        "model.toml", "avoidable = false", 'avoidable = "no"', "causes.smoke.avoidable", "must be true or false",
    ),
    "number for a text": ("model.toml", 'unit = "cigarette"', "unit = 1", "exposures.smoking.unit", "must be a text"),
    "text for a list": (
        "model.toml", 'kinds = ["hand_bath"]', 'kinds = "hand_bath"', "hand_bath.kinds", "list of texts",
    ),
    "empty list": ("model.toml", 'kinds = ["hand_bath"]', "kinds = []", "treatments.hand_bath.kinds", "at least one"),
    "name twice in a list": (
        "model.toml", 'sources = ["trial", "book"]', 'sources = ["book", "book"]', "links.felt_cold.sources", "twice",
    ),
    "text for a table": ("model.toml", '{ ja = "頭痛", en = "headache" }', '"頭痛"', "companions.headache", "a table"),
    "no signal": (
        "model.toml", 'signals = [{ reading = "exposure", names = ["smoking"] }]', "signals = []",
        "causes.smoke.signals", "at least one table",
    ),
    "unknown grade": ("model.toml", 'grade = "B"', 'grade = "E"', "links.nicotine_constricts.grade", "A, B, C, D"),
    "unknown pathway": (
        "model.toml", 'pathway = "sensory"', 'pathway = "magic"', "causes.smoke.routes.nicotine.pathway", "vascular",
    ),
    "unknown family": ("model.toml", 'family = "intake"', 'family = "food"', "causes.smoke.family", "'food'"),
    "unknown kind": ("model.toml", 'kind = "dose"', 'kind = "spell"', "causes.smoke.kind", "level, dose"),
    "level read from a dose": (
        "model.toml", 'kind = "dose"', 'kind = "level"', "causes.smoke.signals[0].names", "smoking is a dose",
    ),
    "dose read from a level": ("model.toml", 'kind = "level"', 'kind = "dose"', "causes.cold_air.signals[0]", "'dose'"),
    "debt of a quantity": (
        "model.toml", 'transform = "fall"\nover_min = 60', 'transform = "debt"\nabove = 7',
        "causes.cold_air.signals[0].transform", "adds up missing sleep",
    ),
    "exposure known already": (
        "model.toml", "[exposures.smoking]", "[exposures.caffeine]", "exposures.caffeine", "already",
    ),
    "source not defined": (
        "model.toml", 'sources = ["trial"]', 'sources = ["rumour"]', "sources", "'rumour' is not a source defined",
    ),
    "source never used": (
        "model.toml", "[sources]", '[sources]\nspare = { citation = "Nobody, 1900" }', "sources.spare", "never used",
    ),
    "address without https": (
        "model.toml", "https://example.org", "http://example.org", "sources.book.url", "must start with https://",
    ),
    "link not defined": (
        "model.toml", 'links = ["nicotine_constricts"]', 'links = ["luck"]',
        "routes.nicotine.links", "'luck' is not a link",
    ),
    "link never used": (
        "model.toml", '"warming", "felt_cold"', '"felt_cold"',
        "links.warming", "no route and no treatment uses this link",
    ),
    "red flag not defined": (
        "model.toml", 'red_flags = ["white_fingers"]', 'red_flags = ["blue_fingers"]',
        "causes.cold_air.red_flags", "'blue_fingers' is not a red flag",
    ),
    "companion not defined": (
        "model.toml", 'companions = ["headache"]', 'companions = ["cough"]', "causes.cold_air.companions", "'cough'",
    ),
    "red flag named like an exposure": (
        "model.toml", "[red_flags.white_fingers]", "[red_flags.exercise]", "red_flags.exercise", "would raise the flag",
    ),
    "two claims of one id": (
        "model.toml", "[treatments.hand_bath]", "[treatments.smoke]", "treatments.smoke", "taken by causes.smoke",
    ),
    "two treatments of one kind": (
        "model.toml", "[sources]",
        '[treatments.glove]\nkinds = ["hand_bath"]\nname = { ja = "手袋", en = "glove" }\n'
        'claim = { ja = "温まります。", en = "It warms." }\nlinks = ["warming"]\n[sources]',
        "treatments.glove.kinds", "'hand_bath' is spoken of by hand_bath already",
    ),
    "odd id": ("model.toml", "[treatments.hand_bath]", '[treatments."hand bath"]', "treatments.hand bath", "letters"),
    "section tied to an unknown claim": ("en.md", "smoke, cold_air", "smoke, cold_air, luck", "why", "'luck'"),
    "claim in no Japanese section": (
        "ja.md", "cold_air, smoke,\nhand_bath", "cold_air, smoke", "hand_bath", "no section",
    ),
    "claim in no English section": ("en.md", "cold_air, hand_bath", "cold_air", "hand_bath", "no section"),
    "red flag in no section": ("ja.md", "claims: white_fingers", "claims:", "white_fingers", "no section"),
    "section in one language only": (
        "en.md", "## Reasons", "## More {#more}\n<!-- claims: -->\nText.\n## Reasons", "more", "the sections differ",
    ),
    "section in one language only, at the end": (
        "en.md", "may cool the fingers.", "may cool the fingers.\n## End {#end}\n<!-- claims: -->\nText.",
        "end", "differ",
    ),
    "sections tied differently": (
        "en.md", "claims: white_fingers", "claims: white_fingers, smoke", "first", "other claims than in ja.md: smoke",
    ),
    "dose and span in one signal": (
        "model.toml", 'names = ["smoking"]', 'names = ["smoking", "phone"]',
        "causes.smoke.signals[0].names", "phone is a span",
    ),
    "dose with a transform": (
        "model.toml", 'names = ["smoking"]', 'names = ["smoking"], transform = "excess", above = 1',
        "causes.smoke.signals[0]", "the transform 'value'",
    ),
    "section tied twice": ("en.md", "smoke, cold_air", "smoke, smoke, cold_air", "why", "'smoke' twice"),
    "section twice": ("en.md", "{#why}", "{#first}", "first", "there twice"),
    "heading without id": ("en.md", " {#why}", "", "line 6", "## Heading {#id}"),
    "no tie": ("en.md", "<!-- claims: white_fingers -->", "", "first", "missing below the heading"),
    "section without text": ("en.md", "Cold and smoking may cool the fingers.", "", "why", "no text"),
    "text before the first heading": ("en.md", "## Doctor", "Hello.\n## Doctor", "line 1", "belongs to no section"),
    "English text in the Japanese file": (
        "ja.md", f"{FIRST_JA}\n\n指が白くなるときは医師に相談してください。",
        "## First {#first}\n<!-- claims: white_fingers -->\n\nSee a doctor.",
        "first", "does not look like Japanese",
    ),
    "Japanese text in the English file": (
        "en.md", "See a doctor", "医師へ。See", "first", "does not look like English",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_with_key_and_reason(cold_fingers, case):
    name, old, new, key, reason = WRONG[case]
    file = cold_fingers / name
    text = file.read_text(encoding="utf-8")
    assert old in text, "the case must change something"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ClaimsError) as caught:
        load_claims(cold_fingers)
    where, _, what = str(caught.value).partition(f"{key}: " if key != name else ": ")
    assert name in where
    assert reason in what


@pytest.mark.parametrize("name", ["model.toml", "ja.md", "en.md"])
def test_a_missing_file_is_named(cold_fingers, name):
    (cold_fingers / name).unlink()
    with pytest.raises(ClaimsError, match=f"{name}: the file is missing"):
        load_claims(cold_fingers)


@pytest.mark.parametrize("name", ["model.toml", "ja.md", "en.md"])
def test_a_file_in_another_encoding_is_named(cold_fingers, name):
    (cold_fingers / name).write_bytes("うなじ".encode("shift_jis"))
    with pytest.raises(ClaimsError, match=f"{name}: not UTF-8 text"):
        load_claims(cold_fingers)


def test_an_article_without_any_section_is_refused(cold_fingers):
    (cold_fingers / "ja.md").write_text("\n")
    with pytest.raises(ClaimsError, match=r"ja\.md: the whole file: there is no section"):
        load_claims(cold_fingers)


SHIPPED_LINES = (NECK_HEAT / "model.toml").read_text(encoding="utf-8").splitlines()
KEYS = [i for i, line in enumerate(SHIPPED_LINES) if line and line[0].islower() and " = " in line]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KEYS))
def test_no_line_of_the_shipped_model_can_go_unnoticed(tmp_path, index):
    """Take any one line away: either the file is refused, or the claims are no longer the same."""
    folder = tmp_path / "neck_heat"
    shutil.copytree(NECK_HEAT, folder, dirs_exist_ok=True)
    lines = SHIPPED_LINES[:index] + SHIPPED_LINES[index + 1 :]
    (folder / "model.toml").write_text("\n".join(lines), encoding="utf-8")
    try:
        claims = load_claims(folder)
    except ClaimsError:
        return
    assert claims != load_claims("neck_heat")


def test_every_pathway_value_is_a_node_name_that_no_cause_uses():
    claims = load_claims("neck_heat")
    assert not {cause.id for cause in claims.causes} & ({pathway.value for pathway in Pathway} | {SYMPTOM})


def test_a_helpline_is_a_number_that_can_be_dialled(cold_fingers):
    model = cold_fingers / "model.toml"
    line = 'helpline = { number = "ask around", name = { ja = "相談", en = "Line" } }'
    model.write_text(model.read_text("utf-8").replace("[causes.cold_air]", f"{line}\n\n[causes.cold_air]", 1), "utf-8")

    with pytest.raises(ClaimsError, match=r"red_flags\.white_fingers\.helpline\.number: must be digits"):
        load_claims(cold_fingers)

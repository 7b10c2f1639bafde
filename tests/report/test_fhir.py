"""The FHIR bundle: held against a library of others, and read back."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.codeableconcept import CodeableConcept
from hypothesis import given
from hypothesis import strategies as st

from unaji.causes.attribution import Verdict
from unaji.claims.graph import load_claims
from unaji.errors import OutputError
from unaji.explain import explain
from unaji.findings import Findings
from unaji.records.folder import read_folder
from unaji.records.timeline import Episode, Outcome, Rating, Timeline, Treatment
from unaji.report.fhir.bundle import to_bundle, write_bundle
from unaji.report.fhir.facts import named
from unaji.report.fhir.vocabulary import KINDS, PARTS, SYSTEMS
from unaji.report.json import to_json
from unaji.report.story.factors import candidates
from unaji.report.words import catalogue

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person"
LOGGED = ("episode", "rating", "outcome")


def resources(bundle: dict, kind: str) -> list[dict]:
    """Return the resources of a type, or the Observations of a kind."""
    every = [entry["resource"] for entry in bundle["entry"]]
    if kind not in KINDS:
        return [one for one in every if one["resourceType"] == kind]
    return [one for one in every if one["resourceType"] == "Observation" and kind_of(one) == kind]


def kind_of(observation: dict) -> str:
    (kind,) = codes("kind", *observation["category"])
    return kind


def codes(system: str, *concepts: dict) -> list[str]:
    return [
        one["code"] for said in concepts for one in said.get("coding", ()) if one["system"] == f"urn:unaji:{system}"
    ]


def values(observation: dict, system: str) -> dict[str, object]:
    """Return the components of one of our systems, by code."""
    found = {}
    for one in observation.get("component", ()):
        for code in codes(system, one["code"]):
            (value,) = (value for key, value in one.items() if key.startswith("value"))
            found[code] = value["value"] if isinstance(value, dict) and "value" in value else value
    return found


def everything(value: object) -> Iterator[dict]:
    """Walk through all objects of a JSON value."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(one)


# -- read back, knowing nothing of how it was written ------------------------------------------------------------------


def word(concept: dict, system: str) -> str:
    return next(iter(codes(system, concept)), concept["text"])


def instant(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    assert moment.utcoffset() is not None, written
    return moment


def onset(written: str, timeline: Timeline) -> datetime:
    if len(written) > len("2026-02-03"):
        return instant(written)
    day = date.fromisoformat(written)
    return timeline.zones.to_utc(datetime(day.year, day.month, day.day))


def read_episode(one: dict, timeline: Timeline) -> Episode:
    period = one.get("effectivePeriod", {"start": one.get("effectiveDateTime")})
    return Episode(
        start=onset(period["start"], timeline),
        end=instant(period["end"]) if "end" in period else None,
        intensity=one["valueQuantity"]["value"] if "valueQuantity" in one else None,
        note=one["note"][0]["text"] if "note" in one else "",
        whole_day=len(period["start"]) == len("2026-02-03"),
    )


def read_treatment(one: dict) -> Treatment:
    return Treatment(
        time=instant(one["performedDateTime"]),
        kind=word(one["code"], "treatment"),
        points=tuple(site["text"] for site in one.get("bodySite", ())),
        note=one["note"][0]["text"] if "note" in one else "",
    )


def assert_facts_are_there_once(findings: Findings) -> None:
    """What is read back is what was logged: nothing is missing, nothing is there twice."""
    timeline, bundle = findings.timeline, to_bundle(findings)
    logged = Counter(one.episode for one in findings.episodes)
    assert Counter(read_episode(one, timeline) for one in resources(bundle, "episode")) == logged
    assert Counter(
        Rating(instant(one["effectiveDateTime"]), word(one["code"], "rating"), one["valueQuantity"]["value"])
        for one in resources(bundle, "rating")
    ) == Counter(timeline.ratings)
    assert Counter(
        Outcome(instant(one["effectiveDateTime"]), word(one["code"], "outcome"), one["valueQuantity"]["value"])
        for one in resources(bundle, "outcome")
    ) == Counter(timeline.outcomes)
    assert Counter(read_treatment(one) for one in resources(bundle, "Procedure")) == Counter(timeline.treatments)


def assert_resolves(bundle: dict) -> None:
    """Each resource has an address of its own, and each reference leads to one that stands before it."""
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert [f"urn:uuid:{entry['resource']['id']}" for entry in bundle["entry"]] == urls
    before: set[str] = set()
    for entry in bundle["entry"]:
        assert {one["reference"] for one in everything(entry) if "reference" in one} <= before
        before.add(entry["fullUrl"])


@pytest.fixture(scope="module")
def example() -> Findings:
    """The example person's diary and thermometer; without the long series it is explained in seconds."""
    timeline = read_folder(EXAMPLE)
    thermometer = tuple(one for one in timeline.series if one.quantity == "body_temp_c")
    return explain(replace(timeline, series=thermometer, beats=None), load_claims("neck_heat"))


def test_every_fact_of_the_example_person_is_there_once(example):
    assert len(example.episodes) == len(example.timeline.episodes) == 44
    assert len(example.timeline.ratings) == 971
    assert len(example.timeline.treatments) == 5
    assert_facts_are_there_once(example)


def test_the_example_persons_bundle_is_valid(example):
    Bundle.model_validate_json(json.dumps(to_bundle(example)))


@pytest.mark.shared
def test_every_fact_of_a_real_person_is_there_once(shared_data):
    timeline = read_folder(shared_data / "thermal-enth" / "enth04", timezone="Asia/Singapore")
    findings = explain(replace(timeline, series=(), beats=None), load_claims("neck_heat"))
    assert len(findings.episodes) == 48
    assert_facts_are_there_once(findings)
    Bundle.model_validate_json(json.dumps(to_bundle(findings)))


def test_every_fact_of_an_invented_person_is_there_once(findings):
    assert_facts_are_there_once(findings)


def test_what_is_hard_to_write_is_read_back(people):
    """A whole day, an end, seconds, no intensity, a note of several lines, two episodes alike."""
    findings = people["rich"]()
    first = findings.timeline.episodes[0].start
    midnight = findings.timeline.zones.to_utc(datetime(2026, 3, 1))
    odd = (
        Episode(midnight, None, 3.25, "二行の\nメモ", whole_day=True),
        Episode(first, first + timedelta(seconds=90), None, "=1+1"),
        Episode(first + timedelta(milliseconds=250), None, 0.0),
        Episode(first, None, 10.0),
        Episode(first, None, 10.0),
    )
    timeline = replace(
        findings.timeline,
        ratings=(Rating(first, "stress", 0.1), Rating(first, "neck_pain", 7.0)),
        outcomes=(Outcome(first, "NDI", 12.5), Outcome(first, "my own  scale", 1.0)),
        treatments=(
            Treatment(first, "整体 と 鍼", ("GB20",), "note"),
            Treatment(first, "acupuncture"),
            *2 * [Treatment(first, "massage")],
        ),
    )
    episodes = tuple(replace(findings.episodes[0], episode=one) for one in odd)
    changed = replace(findings, timeline=timeline, episodes=episodes)
    assert_facts_are_there_once(changed)
    assert_resolves(to_bundle(changed))
    Bundle.model_validate_json(json.dumps(to_bundle(changed)))


# -- the rules of FHIR -------------------------------------------------------------------------------------------------


def test_the_bundle_is_valid(findings):
    bundle = Bundle.model_validate_json(json.dumps(to_bundle(findings)))
    assert bundle.type == "collection"


def test_the_library_does_refuse_what_is_wrong(people):
    """So that the test above can fail: without its status, or with two times, an Observation is none."""
    for wrong in ({"status": None}, {"effectiveInstant": "2026-02-03T00:00:00Z"}, {"valueQuantity": {"value": "hot"}}):
        bundle = to_bundle(people["rich"]())
        resources(bundle, "episode")[0].update(wrong)
        with pytest.raises(ValueError, match="validation error"):
            Bundle.model_validate(bundle)


def test_every_reference_resolves_inside_the_bundle(findings):
    assert_resolves(to_bundle(findings))


def test_same_findings_same_bytes(people, tmp_path):
    for name in ("a.json", "b.json"):
        write_bundle(tmp_path / name, people["rich"].__wrapped__())
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_two_people_share_no_resource(people):
    findings = people["rich"]()
    other = replace(findings, timeline=replace(findings.timeline, person=replace(findings.timeline.person, id="p02")))
    ids = [{entry["fullUrl"] for entry in to_bundle(one)["entry"]} for one in (findings, other)]
    assert not ids[0] & ids[1]


def test_times_carry_an_offset_and_days_are_days(findings):
    text = json.dumps(to_bundle(findings))
    times = re.findall(r'"(?:effectiveDateTime|performedDateTime|start|end)": "([^"]+)"', text)
    assert times
    assert [one for one in times if not re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:.]+[+-]\d\d:\d\d)?", one)] == []


UCUM_CODES = {"1", "{score}", "Cel", "K", "h", "wk"}


def test_units_are_ucum(findings):
    """Each of these stands in UCUM's tables; an annotation in braces has the unit 1."""
    units = {one["code"] for one in everything(to_bundle(findings)) if one.get("system") == "http://unitsofmeasure.org"}
    assert units <= UCUM_CODES


def test_the_only_code_of_loinc_is_the_one_for_body_temperature(people):
    """Of the release's list in FHIR's own value set of vital signs."""
    codes = {
        (one["code"], one["display"])
        for one in everything(to_bundle(people["fever"]()))
        if one.get("system") == "http://loinc.org"
    }
    assert codes == {("8310-5", "Body temperature")}


def test_every_code_of_ours_has_a_meaning(findings):
    for one in everything(to_bundle(findings)):
        system = str(one.get("system", ""))
        if system.startswith("urn:unaji:") and "code" in one:
            assert system.removeprefix("urn:unaji:") in SYSTEMS
            if system == "urn:unaji:part":
                assert one["code"].removesuffix("-90") in PARTS


@given(st.text(min_size=1))
def test_any_word_becomes_a_concept_that_is_valid(written):
    concept = named("treatment", written, None)
    CodeableConcept.model_validate_json(json.dumps(concept))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", concept["text"])


# -- what is computed says so, in the report's words -------------------------------------------------------------------


def test_what_is_computed_says_so_and_what_was_logged_does_not(findings):
    bundle = to_bundle(findings)
    for one in resources(bundle, "Observation"):
        computed = kind_of(one) not in LOGGED
        assert (codes("method", one.get("method", {})) == ["computed"]) == computed
        assert ("device" in one) == computed
        assert ("performer" in one) == (not computed)
        assert ("derivedFrom" in one) == (computed and kind_of(one) != "record")
        assert one["status"] == "final"


def test_the_record_holds_every_logged_observation(findings):
    bundle = to_bundle(findings)
    (record,) = resources(bundle, "record")
    logged = [f"urn:uuid:{one['id']}" for kind in LOGGED for one in resources(bundle, kind)]
    assert [one["reference"] for one in record.get("hasMember", ())] == logged


def test_probabilities_are_those_of_the_json(findings):
    bundle, told = to_bundle(findings), to_json(findings)
    assessed = resources(bundle, "assessment")
    assert [values(one, "source") for one in assessed] == [one["p"] for one in told["episodes"]]
    assert [values(one, "pathway") for one in assessed] == [one["pathway"] for one in told["episodes"]]
    assert [values(one, "measured") for one in assessed] == [one["measured"] for one in told["episodes"]]
    factors = {codes("factor", one["code"])[0]: values(one, "part") for one in resources(bundle, "factor")}
    assert {name: one.get("p_cause") for name, one in factors.items()} == {
        one["id"]: one["p_cause"] for one in told["causes"]
    }
    for one in told["causes"]:
        share = factors[one["id"]].get("share-90")
        assert one["share"] is None or share is None or share["low"]["value"] == one["share"]["p5"]


def test_a_verdict_is_said_as_the_report_says_it(findings):
    for language, i in (("ja", 0), ("en", 1)):
        told = {one.id: one.pill for one in candidates(findings, catalogue(language)).factors}
        for one in resources(to_bundle(findings), "factor"):
            said = one["valueCodeableConcept"]["text"].split(" / ")[i]
            assert said == told[codes("factor", one["code"])[0]]


def test_nothing_is_called_a_cause_where_it_is_too_early(people):
    findings = people["four_episodes"]()
    sure = replace(findings.attribution.causes[0], verdict=Verdict.CAUSE, p_cause=0.99)
    attribution = replace(findings.attribution, causes=(sure, *findings.attribution.causes[1:]))
    first = resources(to_bundle(replace(findings, attribution=attribution)), "factor")[0]
    assert codes("verdict", first["valueCodeableConcept"]) == ["too_early"]
    assert first["valueCodeableConcept"]["text"] == "まだ言えない / too early to say"


def test_the_code_for_a_cause_is_given_only_where_the_report_names_it_as_almost_certain(findings):
    told = {one.id: one for one in candidates(findings, catalogue("en")).factors}
    for one in resources(to_bundle(findings), "factor"):
        said = codes("verdict", one["valueCodeableConcept"])[0]
        assert (said == "cause") == (told[codes("factor", one["code"])[0]].word == "almost certain")


def test_an_episode_is_spoken_of_in_its_own_words(findings):
    """The factors that may be named are in its sentence; where none may, the sentence says so."""
    for one, found in zip(resources(to_bundle(findings), "assessment"), findings.episodes, strict=True):
        ja, en = one["valueCodeableConcept"]["text"].split(" / ")
        names = [findings.claims.cause(name).name for name in found.named]
        assert all(name.ja in ja and name.en in en for name in names)
        if codes("assessed", one["valueCodeableConcept"]) == ["not_attributable"]:
            assert en == catalogue("en")("episode.not_attributable")
        assert codes("source", *(c.get("valueCodeableConcept", {}) for c in one["component"])) == list(found.named)


def test_an_episode_in_a_fever_is_told_apart(people):
    (sick,) = (one for one in resources(to_bundle(people["fever"]()), "assessment") if values(one, "part")["fever"])
    assert codes("assessed", sick["valueCodeableConcept"]) == ["fever"]
    assert values(sick, "source") == {}
    assert values(sick, "measured") == {"body_temp_c": 38.6}


def test_a_warning_sign_is_a_flag_that_is_active_while_it_stands_in_front_of_everything(people):
    (recent,) = resources(to_bundle(people["fever"]()), "Flag")
    assert recent["status"] == "active"
    assert "end" not in recent["period"]
    (past,) = resources(to_bundle(people["old_fever"]()), "Flag")
    assert past["status"] == "inactive"
    assert past["period"]["end"] == past["period"]["start"]


def test_the_crude_ratio_of_a_treatment_never_stands_without_the_adjusted_one(findings):
    for one in resources(to_bundle(findings), "treatment_effect"):
        assert {"adjusted_ratio", "adjusted_ratio-90"} <= set(values(one, "part"))
        assert one["note"]


def test_a_simulated_person_is_marked_as_test_data_and_a_real_one_is_not(people):
    for name, mark in (("rich", [{"HTEST"}] * 2), ("null", [set(), set()])):
        bundle = to_bundle(people[name]())
        marked = [bundle, *resources(bundle, "Patient")]
        assert [{one["code"] for one in part.get("meta", {}).get("security", ())} for part in marked] == mark


def test_of_the_person_there_is_id_year_and_sex(people):
    findings = people["null"]()
    person = replace(findings.timeline.person, birth_year=1985, sex="female", height_cm=160.0, latitude=35.7)
    bundle = to_bundle(replace(findings, timeline=replace(findings.timeline, person=person)))
    (patient,) = resources(bundle, "Patient")
    assert patient == {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:unaji:person", "value": "p01"}],
        "gender": "female",
        "birthDate": "1985",
        "id": patient["id"],
    }


def test_a_bundle_replaces_no_other_file(people, tmp_path):
    records = tmp_path / "episodes.csv"
    records.write_text("start\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"must end in \.json"):
        write_bundle(records, people["null"]())
    with pytest.raises(OutputError, match="could not be written"):
        write_bundle(tmp_path / "nowhere" / "bundle.json", people["null"]())
    assert [one.name for one in tmp_path.iterdir()] == ["episodes.csv"]

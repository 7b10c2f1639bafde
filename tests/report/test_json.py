from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from unaji.report.json import dumps, engine_json, number, to_json, write

GOLDEN = Path(__file__).parents[1] / "golden"

TOP_LEVEL = {
    "unaji", "article", "person", "period", "enough", "red_flags", "causes", "background", "echo", "pairs", "episodes",
    "treatments", "more_data", "checks", "warnings",
}  # fmt: skip
CAUSE = {
    "id", "p_cause", "verdict", "episodes_explained", "share", "rate_ratio", "lag_h", "driver", "signal", "shift_p",
    "grade", "in_article", "avoidable", "p_cause_mcse",
}  # fmt: skip


def test_json_of_the_rich_person_is_the_stored_one(people):
    stored = (GOLDEN / "rich.json").read_text(encoding="utf-8")
    assert dumps(people["rich"]()) + "\n" == stored


def test_every_key_of_the_architecture_page_is_there(findings):
    value = to_json(findings)
    assert set(value) >= TOP_LEVEL
    for cause in value["causes"]:
        assert set(cause) >= CAUSE
        assert set(cause["avoidable"]) == {"full", "half"}
    for episode in value["episodes"]:
        assert set(episode) >= {"start", "p", "named", "pathway", "top", "top_probability"}
    assert set(value["period"]) == {"start", "end", "days", "observed_days", "episodes"}
    assert set(value["enough"]) == {"verdict", "say"}


def test_there_is_no_nan_in_the_text(findings):
    text = dumps(findings)
    assert not re.search(r"\bNaN\b|Infinity", text)
    assert json.loads(text) == to_json(findings)


def test_times_carry_the_persons_offset(findings):
    for episode in to_json(findings)["episodes"]:
        assert datetime.fromisoformat(episode["start"]).utcoffset() is not None
        assert episode["start"].endswith("+09:00")


def test_probabilities_of_an_episode_still_sum_to_one(people):
    for episode in to_json(people["rich"]())["episodes"]:
        assert sum(episode["p"].values()) == pytest.approx(1, abs=5e-4)
        assert episode["top_probability"] == max(episode["p"].values())


def test_a_simulated_person_is_marked_and_a_real_one_is_not(people):
    assert to_json(people["rich"]())["simulated"] is True
    assert "simulated" not in to_json(people["null"]())


def test_same_findings_give_the_same_bytes(people):
    assert dumps(people["rich"]()) == dumps(people["rich"]())


def test_an_urgent_flag_is_to_be_acted_on_now(people):
    flags = {flag["id"]: flag for flag in to_json(people["emergency"]())["red_flags"]}
    assert flags["thunderclap"]["act"] == "now"
    assert flags["fever"]["value"] == 38.6


def test_sentences_come_in_the_language_asked_for(people):
    assert "結論を言える量" in to_json(people["rich"](), "ja")["enough"]["say"]
    assert "enough to conclude" in to_json(people["rich"](), "en")["enough"]["say"]


def test_the_engines_part_alone_has_the_same_shape(people):
    findings = people["rich"]()
    alone = engine_json(findings.attribution, findings.treatments, findings.more_data, zones=findings.timeline.zones)
    whole = to_json(findings)
    told = ["causes", "background", "echo", "pairs", "episodes", "treatments", "protectors", "more_data"]
    told += ["next_observation", "checks"]
    assert list(alone) == told
    assert alone["causes"][0].keys() == whole["causes"][0].keys()
    assert alone["causes"][0]["grade"] is None
    assert alone["episodes"][0]["p"] == whole["episodes"][0]["p"]
    assert alone["episodes"][0]["pathway"] == {"undetermined": 1.0}


def test_numbers_are_rounded_and_what_is_no_number_is_null():
    assert number(0.123456) == 0.1235
    assert str(number(-0.00001)) == "0.0"
    assert number(float("nan")) is None
    assert number(float("inf")) is None
    assert number(None) is None
    with pytest.raises(ValueError, match="Out of range"):
        write({"x": float("nan")})

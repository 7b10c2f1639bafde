"""`unaji trial` as a person meets it."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from unaji.care import trial_power
from unaji.cli import unaji
from unaji.errors import InputError, OutputError, UnajiError, UsageError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person"
ASKED = ("--avoid", "caffeine", "--question", "Does it help?", "--start", "2025-04-07", "--seed", "7")


@pytest.fixture(autouse=True)
def a_rougher_forecast(monkeypatch):
    """A tenth of the simulated trials: how good the forecast is, is asked in tests/care."""
    monkeypatch.setattr(trial_power, "N_SIMULATED", 40)


def run(*arguments: object) -> tuple[str, str]:
    done = CliRunner().invoke(unaji, ["trial", *map(str, arguments)], catch_exceptions=False, standalone_mode=False)
    return done.stdout, done.stderr


def design(tmp_path: Path, *more: object) -> Path:
    run("design", *ASKED, "--out", tmp_path / "plan.toml", *more)
    return tmp_path / "plan.toml"


def test_the_plan_is_one_object_and_one_file(tmp_path):
    out, talk = run("design", *ASKED, "--out", tmp_path / "plan.toml", "--json", "--effect", 0.6, "--per-day", 2)
    told = json.loads(out)
    written = tomllib.loads((tmp_path / "plan.toml").read_text(encoding="utf-8"))
    assert told["plan"]["fingerprint"] == written["fingerprint"]
    assert told["plan"]["blocks"] == 14
    assert told["power"]["effect"] == 0.6
    assert told["power"]["assumed"]["episodes_per_day"] == 2
    assert 0 < told["power"]["helps"] <= told["power"]["tells"] <= 1
    assert "planned afterwards" in talk


def test_the_same_seed_deals_the_same_days_and_none_deals_others(tmp_path):
    plans = []
    for name, seed in (("a", ["--seed", 7]), ("b", ["--seed", 7]), ("c", []), ("d", [])):
        arguments = [*ASKED[:-2], *seed, "--out", tmp_path / f"{name}.toml", "--json"]
        plans.append(json.loads(run("design", *arguments)[0])["plan"])
    assert plans[0]["periods"] == plans[1]["periods"]
    assert plans[2]["seed"] != plans[3]["seed"]


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_example_person_is_analysed_as_planned(tmp_path, lang):
    plan = design(tmp_path)
    result = json.loads(run("analyse", plan, EXAMPLE, "--json", "--lang", lang)[0])
    assert result["person"] == "example"
    assert result["verdict"] in ("cannot_tell", "probably_no_important_effect", "probably_helps", "harms")
    assert len(result["periods"]) == 28
    assert result["effect"]["measure"] == "rate_ratio"
    assert result["as_treated"]["randomisation_p"] is None
    assert "registered_late" in result["warnings"]
    assert result["red_flags"], "the example person had a fever"
    text = run("analyse", plan, EXAMPLE, "--lang", lang)[0]
    flag = result["red_flags"][0]["say"][:8]
    assert flag in text
    assert text.index(flag) < text.index({"ja": "\n答え\n", "en": "\nAnswer\n"}[lang])


def test_of_a_trial_that_was_stopped_the_days_after_it_do_not_count(tmp_path):
    plan = design(tmp_path)
    result = json.loads(run("analyse", plan, EXAMPLE, "--json", "--until", "2025-04-20")[0])
    assert not result["finished"]
    assert "stopped" in result["warnings"]
    assert {one["compared_days"] for one in result["periods"] if one["first"] > "2025-04-20"} == {0}
    assert any(one["compared_days"] for one in result["periods"])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("--question", "?"), UsageError, "one of --avoid, --seek or --treat"),
        ((*ASKED, "--seek", "exercise"), UsageError, "one of --avoid, --seek or --treat"),
        (("--seek", "alcohol", "--question", "?"), UsageError, "more alcohol harms"),
        (("--seek", "hot_bath", "--unsafe", "hot_bath", "--question", "?"), UsageError, "marked as unsafe"),
        ((*ASKED, "--effect", "3"), UsageError, "a share between 0 and 1"),
        ((*ASKED, "--timezone", "Tokyo"), InputError, "is not a time zone"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_nothing_is_written(tmp_path, arguments, error, words):
    with pytest.raises(error, match=words):
        run("design", *arguments, "--out", tmp_path / "plan.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_never_replaced_nor_analysed_once_it_was_changed(tmp_path):
    plan = design(tmp_path)
    with pytest.raises(OutputError, match="never replaced"):
        design(tmp_path)
    plan.write_text(plan.read_text(encoding="utf-8").replace("minimal_important = 0.3", "minimal_important = 0.1"))
    with pytest.raises(InputError, match="changed after it was registered"):
        run("analyse", plan, EXAMPLE)


def test_records_without_the_days_of_the_trial_say_so(tmp_path):
    run("design", *ASKED[:4], "--start", "2031-04-07", "--seed", 7, "--out", tmp_path / "later.toml", "--json")
    shutil.copytree(EXAMPLE, tmp_path / "p")
    with pytest.raises(UnajiError, match="hold no day of this trial"):
        run("analyse", tmp_path / "later.toml", tmp_path / "p")

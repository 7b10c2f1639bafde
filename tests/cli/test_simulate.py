"""`unaji simulate` as another program and as a person at the keyboard use it.

The simulator itself is replaced by a stand-in that warms the nape while anything happens: what is tested here is what
goes in, what comes out, and where it goes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from unaji.body.counterfactual import DRIVERS, OBSERVED, Attribution, _shared_out
from unaji.body.scenario_file import shipped_scenarios
from unaji.body.shapley import coalitions
from unaji.body.state import MAIN, OUTPUTS, NeckState
from unaji.cli.simulate_ import command
from unaji.errors import InputError, OutputError, UsageError

ROOMS = "case,ta_C,rh_pct,va_m_s,par,clothing\na,20,50,0.1,1.25,light\nb,30.5,40,0.3,2,nude\n"
MINUTES = "t_min,ta_C,rh_pct,va_m_s,par\n1,25,50,0.1,1.25\n2,25,50,0.1,1.25\n3,35,50,0.1,1.25\n"


@pytest.fixture
def asked(monkeypatch) -> list[dict]:
    """Put a stand-in in the simulator's place; what it was asked for is collected."""
    calls: list[dict] = []

    def simulate(persons, forcing, *, dt_s=60, outputs=MAIN):
        calls.append({"persons": persons, "forcing": forcing, "dt_s": dt_s, "outputs": tuple(outputs)})
        forcing.check_persons(len(persons))
        time_s = np.arange(dt_s, forcing.end_s[-1] + 1, dt_s)
        collar = np.interp(time_s, forcing.end_s, forcing["collar_m2k_w"])
        rise = np.broadcast_to(10 * collar, (len(persons), time_s.size))
        fixed = {"nape_skin_temp_c": 34.0 + rise, "core_temp_c": 36.8 + 0 * rise, "felt_heat": 2 * rise}
        return NeckState(time_s, {name: fixed.get(name, 1.0 + 0 * rise) for name in dict.fromkeys(outputs)})

    module = ModuleType("unaji.body.simulate")
    module.simulate = simulate
    monkeypatch.setitem(sys.modules, "unaji.body.simulate", module)
    monkeypatch.setattr("unaji.body.counterfactual.attribute_episode", attribute_episode)
    return calls


def attribute_episode(persons, forcing, *, baseline_s, dt_s) -> Attribution:
    """Stand in for the 32 courses: from 30 min on, vessels give 1 and senses 2 of felt heat, and vessels 0.5 K."""
    vessels, senses = coalitions(len(DRIVERS))[:, [0, 4]].T
    late = np.arange(60.0, 3601.0, 60.0) > 1800
    flat = np.ones((32, late.size))
    values = dict.fromkeys(OBSERVED, 36.0 * flat) | {
        "felt_heat": (1.0 * vessels + 2.0 * senses)[:, None] * late,
        "nape_skin_temp_c": 34.0 + 0.5 * vessels[:, None] * late,
        "pressure_pain_threshold_kpa": 269.0 * flat,
    }
    return _shared_out(NeckState(np.arange(60.0, 3601.0, 60.0), values), 1800.0)


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_json_is_one_object_with_every_output(asked):
    told = json.loads(run("scarf", "--json").stdout)
    assert told["scenario"] == "scarf"
    assert set(told["outputs"]) == set(OUTPUTS)
    assert told["events"][0]["values"] == {"collar_m2k_w": pytest.approx(0.6 * 0.155)}
    nape = told["outputs"]["nape_skin_temp_c"]
    assert nape["before"] == 34.0
    assert nape["farthest"] == pytest.approx(34.93)
    assert nape["end"] == 34.0
    assert len(nape["values"]) == len(told["time_s"]) == 1440
    assert asked[0]["dt_s"] == 10.0  # every step, the fine ones too
    assert asked[0]["forcing"]["air_temp_c"][0] == 22.0


def test_the_summary_is_japanese_first_and_says_what_changed(asked):
    shown = run("scarf").stdout
    assert shown.index("22℃の部屋でスカーフ") < shown.index("A scarf in a room of 22 °C")
    assert shown.index("うなじの皮膚の温度") < shown.index("nape skin temperature")
    nape = next(line for line in shown.splitlines() if "うなじの皮膚の温度" in line)
    assert nape.split()[1:5] == ["°C", "34.00", "+0.93", "0:30"]
    core = next(line for line in shown.splitlines() if "深部体温" in line and "°C" in line)
    assert core.split()[1:] == ["°C", "36.80", "0.00", "36.80"]
    assert "うなじの皮膚は最大+0.93℃、深部体温は最大0.00℃、感じる熱さは10のうち1.9まで動きました。" in shown
    assert "The nape's skin moved by up to +0.93 K, the core by up to 0.00 K, and the felt heat to 1.9 of 10." in shown
    assert "neither a measurement nor a diagnosis" in shown


def test_json_carries_the_shares(asked):
    told = json.loads(run("scarf", "--json").stdout)["shares"]
    assert told["felt_heat_peak"] == {
        "total": 3.0, "when_s": 1860.0,
        "by": {"vascular": 1.0, "heat_load": 0.0, "core": 0.0, "muscle": 0.0, "sensory": 2.0},
    }  # fmt: skip
    assert told["nape_warming_k"]["by"]["vascular"] == 0.5
    assert told["felt_heat_hours"]["when_s"] is None
    assert told["felt_heat_hours"]["total"] == pytest.approx(1.5)
    assert told["signs"]["nape_skin_temp_c"] == "up"
    assert told["signs"]["core_temp_c"] == "no"
    assert told["signs_alone"]["sensory"]["nape_skin_temp_c"] == "no"
    best = told["best_measurement"]
    assert (best["first"], best["second"], best["measurement"]) == ("sensory", "vascular", "nape_skin_temp_c")
    assert best["sensor_sds"] == pytest.approx(2.5)
    assert best["is_enough"] is True


def test_the_shares_are_told_in_both_languages(asked):
    shown = run("scarf").stdout
    row = next(line for line in shown.splitlines() if line.strip().startswith("皮膚の血の流れ"))
    assert row.split() == ["皮膚の血の流れ", "+1.00", "+0.50", "+0.50", "0.00"]
    row = next(line for line in shown.splitlines() if line.strip().startswith("合計"))
    assert row.split() == ["合計", "+3.00", "+1.50", "+0.50", "0.00"]
    assert shown.index("測ると: うなじの皮膚 ↑") < shown.index("Sensors would see: nape skin ↑")
    assert "うなじの皮膚を測るのがよいでしょう" in shown.replace("\n", "")


def test_a_scenario_becomes_a_page(tmp_path):
    result = run("needling", "--html", tmp_path / "needle.html", "--json")
    json.loads(result.stdout)
    assert "needle.html" in result.stderr
    page = (tmp_path / "needle.html").read_text(encoding="utf-8")
    assert page.index("計算の図") < page.index("A needle in the neck")
    assert [one.name for one in tmp_path.iterdir()] == ["needle.html"]


def test_a_page_that_cannot_be_is_refused_before_anything_is_computed(asked, tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.html"):
        run("scarf", "--html", tmp_path / "scarf.txt")
    assert not asked
    with pytest.raises(UsageError, match="--html"):
        run("--list", "--html", tmp_path / "scarf.html")


def test_only_the_outputs_asked_for_are_computed(asked):
    told = json.loads(run("scarf", "--json", "--outputs", "pain, hr_bpm").stdout)
    assert list(told["outputs"]) == ["pain", "hr_bpm"]
    assert asked[0]["outputs"] == ("pain", "hr_bpm")
    with pytest.raises(UsageError, match="did you mean 'pain'"):
        run("scarf", "--outputs", "pian")


def test_table_and_picture_are_written_and_told_on_stderr(asked, tmp_path):
    result = run("scarf", "--csv", tmp_path / "scarf.csv", "--plot", tmp_path / "scarf.png", "--json")
    json.loads(result.stdout)  # nothing else on stdout
    assert "scarf.csv" in result.stderr
    assert pl.read_csv(tmp_path / "scarf.csv")["nape_skin_temp_c"].max() == pytest.approx(34.93)
    assert (tmp_path / "scarf.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["scarf.csv", "scarf.png"]


def test_a_scenario_of_ones_own_is_found_by_its_path(asked, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text((Path(sys.modules["unaji.body.scenario_file"].SHIPPED) / "scarf.toml").read_text("utf-8"), "utf-8")
    assert json.loads(run(file, "--json").stdout)["scenario"] == "mine"
    file.write_text(file.read_text("utf-8").replace('"0.6 clo"', '"9 clo"'), "utf-8")
    with pytest.raises(InputError, match="'9 clo' is not possible"):
        run(file)


def test_a_picture_that_cannot_be_is_refused_before_anything_is_computed(asked, tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.png"):
        run("scarf", "--plot", tmp_path / "scarf.txt")
    assert not asked
    with pytest.raises(OutputError, match="is the folder there"):
        run("scarf", "--plot", tmp_path / "nowhere" / "scarf.png")


@pytest.mark.parametrize(
    "wrong",
    [(), ("scarf", "--list"), ("scarf", "--table", "x.csv"), ("scarf", "--compat"), ("--list", "--plot", "x.png"),
     ("--table", "x.csv", "--outputs", "pain")],
)  # fmt: skip
def test_options_that_do_not_fit_together_are_refused(wrong):
    with pytest.raises(UsageError):
        run(*wrong)


def test_the_list_names_every_scenario_in_both_languages():
    shown = run("--list").stdout
    assert all(name in shown for name in shipped_scenarios())
    assert "急に怒った" in shown
    assert "Sudden anger" in shown
    told = json.loads(run("--list", "--json").stdout)
    assert [one["id"] for one in told["scenarios"]] == list(shipped_scenarios())


# -- tables of surroundings, through the heat balance itself -----------------------------------------------------------


def test_a_table_of_rooms_goes_to_stdout_with_its_own_columns_first(tmp_path):
    file = tmp_path / "rooms.csv"
    file.write_text(ROOMS)
    lines = run("--table", file, "--compat").stdout.splitlines()
    assert lines[0].startswith("case,ta_C,rh_pct,va_m_s,par,clothing,hours_to_steady,")
    assert lines[2].startswith("b,30.5,40,0.3,2.0,nude,")
    assert len(lines) == 3


def test_rooms_that_nobody_bears_are_told_on_stderr(tmp_path):
    file = tmp_path / "rooms.csv"
    file.write_text(ROOMS + "c,55,95,0.1,1.25,light\n")
    assert "not made for it: lines 4\n" in run("--table", file).stderr
    file.write_text(ROOMS)
    assert "not made" not in run("--table", file).stderr


def test_a_sequence_has_a_row_for_each_minute(tmp_path):
    file = tmp_path / "minutes.csv"
    file.write_text(MINUTES)
    run("--table", file, "--csv", tmp_path / "out.csv")
    found = pl.read_csv(tmp_path / "out.csv")
    assert found["t_min"].to_list() == [1, 2, 3]
    assert found.columns[-4:] == ["ta_C", "rh_pct", "va_m_s", "par"]
    assert found["Tsk_mean"][2] > found["Tsk_mean"][1] + 0.05  # the warm room is felt in its first minute
    told = json.loads(run("--table", file, "--json").stdout)
    assert told["compat"] is False
    assert told["rows"][0]["ta_C"] == 25


@pytest.mark.shared
def test_a_table_in_compatibility_has_the_columns_and_numbers_of_the_published_one(shared_data, tmp_path):
    published = shared_data / "jos3_reference" / "step_25to35_nude.csv"
    run("--table", published, "--compat", "--csv", tmp_path / "out.csv")
    found, expected = pl.read_csv(tmp_path / "out.csv"), pl.read_csv(published)
    assert found.columns == expected.columns
    for name in found.columns:
        if name.startswith("T"):
            assert np.abs(found[name].to_numpy() - expected[name].to_numpy()).max() < 7e-4, name

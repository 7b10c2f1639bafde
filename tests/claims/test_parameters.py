"""The file of parameters: complete, checked, changed only within its ranges, and drawn for populations."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unaji.claims.parameters import FILE, UNITS, Mark, Part, Spread, default_parameters, read_parameters
from unaji.claims.table import JAPANESE
from unaji.errors import InputError

GOOD = """
[drives.arousal_rise]
symbol = "τ"
name = { en = "lag", ja = "時定数" }
value = 10
range = [5, 20]
unit = "min"
mark = "assumption"
spread = "log-normal"
source = "round figure"
"""


def parameters_from(folder: Path, text: str):
    file = folder / "parameters.toml"
    file.write_text(text, encoding="utf-8")
    return read_parameters(file)


@pytest.mark.parametrize("name", default_parameters().by_name)
def test_every_parameter_has_a_source_and_a_name_in_both_languages(name):
    parameter = default_parameters()[name]
    assert parameter.source.strip()
    assert JAPANESE.search(parameter.words.ja)
    assert not JAPANESE.search(parameter.words.en)
    assert parameter.low <= parameter.value <= parameter.high


def test_every_symbol_stands_for_one_parameter_only():
    symbols = [p.symbol for p in default_parameters().by_name.values()]
    assert sorted(symbols) == sorted(set(symbols))


def test_what_was_read_names_a_measurement_and_every_known_unit_is_in_use():
    by_name = default_parameters().by_name
    assert [name for name, p in by_name.items() if p.mark is Mark.READ and not p.measured] == []
    assert {p.unit for p in by_name.values()} == set(UNITS)


@pytest.mark.shared
def test_measurements_exist_and_those_that_were_recalled_are_not_called_read(shared_data):
    with (shared_data / "jos3_reference" / "human_measured.csv").open(encoding="utf-8") as rows:
        measured = {row["id"]: row for row in csv.DictReader(rows)}
    for name, parameter in default_parameters().by_name.items():
        assert set(parameter.measured) <= set(measured), name
        if parameter.mark is Mark.READ:
            assert any(measured[i]["certainty"].startswith("read") for i in parameter.measured), name


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "row", "factor"),
    [
        ("na_clearance", "H06", 1),
        ("na_release", "H07", 1),
        ("junction_delay", "H12", 1),
        ("flash_heart", "H26", 0.01),
        ("lactate_rest", "H37", 1),
        ("ppt_rest", "H40", 1),
        ("acupuncture_effect", "H52", 1),
        ("occlusion_start", "H34", 0.01),
    ],
)
def test_values_that_were_read_are_those_of_the_table(shared_data, name, row, factor):
    with (shared_data / "jos3_reference" / "human_measured.csv").open(encoding="utf-8") as rows:
        measured = {r["id"]: r["value"] for r in csv.DictReader(rows)}
    numbers = [float(part) * factor for part in measured[row].split(" / ")]
    assert any(default_parameters()[name].value == pytest.approx(number, rel=0.01) for number in numbers)


def test_times_become_seconds_and_rates_per_second(tmp_path):
    assert parameters_from(tmp_path, GOOD)["arousal_rise"].in_model_units == 600.0
    assert default_parameters()["central_gain"].in_model_units == pytest.approx(0.08 / 86_400)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"min"', '"fortnight"', "drives.arousal_rise.unit: 'fortnight' is not known"),
        ("value = 10", "value = 21", "drives.arousal_rise.value: 21 min is outside its range, 5 to 20 min"),
        ("value = 10", "value = true", "drives.arousal_rise.value: must be a number, got True"),
        ("value = 10", "value = nan", "drives.arousal_rise.value: must be a number, got nan"),
        ("value = 10\n", "", "drives.arousal_rise.value: missing key"),
        ("[5, 20]", "[20, 5]", "drives.arousal_rise.range: must ascend"),
        ("[5, 20]", "[5]", "drives.arousal_rise.range: must be a pair"),
        ('"assumption"', '"guess"', "drives.arousal_rise.mark: 'guess' is not known; choose one of read"),
        ("[5, 20]", "[-5, 20]", "drives.arousal_rise.spread: log-normal needs 0 <= low"),
        ('source = "round figure"', 'source = " "', "drives.arousal_rise.source: must be a text"),
        ('source = "round figure"', "", "drives.arousal_rise.source: missing key"),
        ("spread", 'note = "x"\nspread', "drives.arousal_rise.note: unknown key; known here: symbol"),
        ('ja = "時定数"', 'jp = "時定数"', "drives.arousal_rise.name.jp: unknown key; known here: en, ja"),
        ("name =", "names =", "drives.arousal_rise.names: unknown key"),
        ("[drives.", "[lungs.", "lungs: is no part of the model; known: heat, drives, muscle, sensation"),
        ("[drives.arousal_rise]", "[drives.arousal_rise", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, old, new, says):
    assert old in GOOD
    with pytest.raises(InputError) as error:
        parameters_from(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(error.value)
    assert "parameters.toml" in str(error.value)


def test_one_name_cannot_stand_under_two_parts(tmp_path):
    with pytest.raises(InputError, match=r"muscle\.arousal_rise: stands under drives too"):
        parameters_from(tmp_path, GOOD + GOOD.replace("[drives.", "[muscle."))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml: the file of parameters is missing"):
        read_parameters(tmp_path / "none.toml")


def test_changed_values_are_kept_within_the_range_and_leave_the_defaults_alone():
    changed = default_parameters().with_values(flush_gain=3.0)
    assert (changed["flush_gain"].value, default_parameters()["flush_gain"].value) == (3.0, 2.0)
    with pytest.raises(InputError, match=r"parameter flush_gain: 9 is outside 0 to 4$"):
        changed.with_values(flush_gain=9.0)
    with pytest.raises(InputError, match="'flushgain'; did you mean 'flush_gain'"):
        changed.with_values(flushgain=1.0)


@given(st.integers(0, 2**32 - 1))
def test_people_drawn_lie_within_the_ranges(seed):
    drawn = default_parameters().sample(np.random.default_rng(seed), 50)
    for name, values in drawn.items():
        parameter = default_parameters()[name]
        assert values.shape == (50,)
        assert ((values >= parameter.low) & (values <= parameter.high)).all(), name


def test_people_drawn_differ_as_the_file_says():
    drawn = default_parameters().sample(np.random.default_rng(1), 20_000)
    for name, parameter in default_parameters().by_name.items():
        if parameter.spread is Spread.FIXED:
            assert name not in drawn
        elif parameter.spread is Spread.UNIFORM:
            assert drawn[name].mean() == pytest.approx(
                (parameter.low + parameter.high) / 2, abs=0.02 * np.ptp(drawn[name])
            )
    free = drawn["reactivity"]  # its range is symmetric as a ratio, so the cut leaves the median in place
    assert np.median(free) == pytest.approx(1.0, rel=0.02)
    assert np.log(free).std() == pytest.approx(np.log(2.5) / 2 * 0.8796, rel=0.02)  # normal cut at ±2 sd: 0.8796


def test_hypotheses_are_off_and_nobody_is_drawn_with_them():
    off = {"inflammation_gain", "pressure_gain", "stress_heat"}
    drawn = default_parameters().sample(np.random.default_rng(2), 3)
    assert off.isdisjoint(drawn)
    assert all(default_parameters()[name].value == 0 for name in off)


def test_the_same_seed_draws_the_same_people():
    one, other = (default_parameters().sample(np.random.default_rng(3), 5) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_parts_are_kept_apart_and_the_file_lies_beside_its_reader():
    names = [set(default_parameters().names(part)) for part in Part]
    assert sum(map(len, names)) == len(default_parameters().names()) == len(set.union(*names))
    assert FILE.parent.name == "claims"

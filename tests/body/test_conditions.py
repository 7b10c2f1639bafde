"""Tables of surroundings: read, refused, and run against the published results of the reference model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from unaji.body.conditions import read_conditions, run_conditions
from unaji.cli.simulate_ import command
from unaji.errors import InputError

ROOMS = """case,ta_C,rh_pct,va_m_s,par,clothing
a,20,50,0.1,1.25,light
b,30,40,0.3,2,nude
"""
MINUTES = """t_min,ta_C,rh_pct,va_m_s,par
5,25,50,0.1,1.25
10,25,50,0.1,1.25
15,35,50,0.1,1.25
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "rooms.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_each_steady_room_is_a_person_in_a_room_of_their_own(tmp_path):
    found = read_conditions(written(tmp_path, ROOMS))
    assert not found.is_sequence
    assert len(found.persons) == 2
    assert found.forcing["air_temp_c"].tolist() == [[20.0], [30.0]]
    assert found.forcing["radiant_temp_c"].tolist() == [[20.0], [30.0]]
    assert found.forcing["clothing_clo_chest"].tolist() == [[1.14], [0.0]]
    assert found.given["case"] == ("a", "b")


def test_persons_surfaces_posture_and_single_pieces_of_clothing_may_be_given(tmp_path):
    text = (
        "case,ta_C,rh_pct,va_m_s,par,tr_C,posture,clo_chest,height_m,weight_kg,fat_pct,age_y,sex\n"
        "a,20,50,0.1,1.25,25,lying,1.5,1.58,54,27,40,female\n"
        "b,20,50,0.1,1.25,20,Standing,0,1.65,66,22,65,M\n"
    )
    found = read_conditions(written(tmp_path, text))
    assert found.forcing["radiant_temp_c"].tolist() == [[25.0], [20.0]]
    assert found.forcing["posture"].tolist() == [[2.0], [0.0]]
    assert found.forcing["clothing_clo_chest"].tolist() == [[1.5], [0.0]]
    assert found.forcing["clothing_clo_back"].tolist() == [[0.0], [0.0]]
    assert found.persons.female.tolist() == [True, False]
    assert found.persons.height_m.tolist() == [1.58, 1.65]
    assert found.persons.age_y.tolist() == [40.0, 65.0]


def test_a_column_for_one_segment_goes_over_the_outfit(tmp_path):
    text = (
        ROOMS.replace("clothing\n", "clothing,clo_chest\n")
        .replace("light\n", "light,2\n")
        .replace("nude\n", "nude,2\n")
    )
    found = read_conditions(written(tmp_path, text))
    assert found.forcing["clothing_clo_chest"].tolist() == [[2.0], [2.0]]
    assert found.forcing["clothing_clo_back"].tolist() == [[0.84], [0.0]]


def test_a_sequence_holds_each_row_until_its_time(tmp_path):
    found = read_conditions(written(tmp_path, MINUTES))
    assert found.is_sequence
    assert found.forcing["air_temp_c"].tolist() == [25.0] * 10 + [35.0] * 5
    assert found.row_steps.tolist() == [4, 9, 14]
    assert set(found.forcing.dt_s) == {60.0}


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (ROOMS, "b,30", "b,thirty", "line 3, ta_C: 'thirty' is not a number"),
        (ROOMS, "b,30", "b,", "line 3, ta_C: the cell is empty"),
        (ROOMS, "b,30", "b,nan", "line 3, ta_C: 'nan' is not a number"),
        (ROOMS, "b,30", "b,300", "line 3, ta_C: 300 is outside -30 to 60 °C"),
        (ROOMS, ",2,nude", ",2,naked", "line 3, clothing: 'naked' is no outfit; choose nude or light"),
        (ROOMS, "b,30", "a,30", "line 3, case: 'a' stands in line 2 already"),
        (ROOMS, "rh_pct", "rh_prc", "unknown column 'rh_prc'; did you mean 'rh_pct'?"),
        (ROOMS, ",par", "", "line 2: the header has 5 columns, this row does not"),
        (ROOMS, "va_m_s", "ta_C", "the column 'ta_C' stands there twice"),
        (ROOMS, "par", "sex", "the column 'par' is missing"),
        (ROOMS, "par,clothing", "par,sex", "line 2, sex: 'light' is not known; choose male, m, female, f"),
        (ROOMS, "clothing", "height_m", "line 2, height_m: 'light' is not a number"),
        (ROOMS, "par,clothing\na,20,50,0.1,1.25,light", "par,age_y\na,20,50,0.1,1.25,7", "line 2, age_y: 7 is outside"),
        (MINUTES, "15,35", "20,35", "line 4, t_min: a gap: 10 is followed by 20, where rows are 5 min apart"),
        (MINUTES, "15,35", "10,35", "line 4, t_min: 10 does not come after 10"),
        (MINUTES, "15,35", "5,35", "line 4, t_min: 5 does not come after 10"),
        (MINUTES, "15,35", "14.5,35", "14.5 is not a whole minute"),
        (MINUTES, "5,25", "0,25", "line 2, t_min: 0: a row is the end of a step"),
        (MINUTES, "15,35", "1e11,35", "line 4, t_min: 1e+11 is beyond 527040 min, a year"),
        ("case,ta_C\n", "case", "case", "no row"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_column_and_range(tmp_path, text, old, new, said):
    assert old in text
    file = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(said)) as told:
        read_conditions(file)
    assert str(told.value).startswith(str(file))


def test_a_sequence_is_of_one_person(tmp_path):
    rows = [line + cell for line, cell in zip(MINUTES.split(), (",age_y", ",30", ",30", ",31"), strict=True)]
    with pytest.raises(InputError, match="age_y: a sequence is of one person"):
        read_conditions(written(tmp_path, "\n".join(rows)))


def test_a_sequence_of_one_outfit_may_change_it(tmp_path):
    rows = [line + cell for line, cell in zip(MINUTES.split(), (",clothing", ",light", ",light", ",nude"), strict=True)]
    forcing = read_conditions(written(tmp_path, "\n".join(rows))).forcing
    assert forcing["clothing_clo_pelvis"].tolist() == [1.04] * 10 + [0.0] * 5


def test_a_file_that_is_no_table_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_conditions(tmp_path / "none.csv")
    file = tmp_path / "binary.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_conditions(file)


# -- against the reference model ---------------------------------------------------------------------------------------


PUBLISHED_SEQUENCES = {
    "step_22to28_light_f40": ("light", "1.58,54,27,40,female"),
    "step_25to35_nude": ("nude", ""),
    "step_30to15_light": ("light", ""),
    "step_30to18_light_m65": ("light", "1.65,66,22,65,male"),
    "step_airspeed_28C": ("light", ""),
    "step_exercise_24C_par4": ("light", ""),
    "step_neck_cooled_15C_in_28C": ("nude", ""),
}
"""What was worn, and height, weight, fat, age and sex where it was not the standard body."""


def by_command(file: Path, folder: Path) -> pl.DataFrame:
    """Run a table through the command line, in compatibility."""
    out = folder / "out.csv"
    told = CliRunner().invoke(command, ["--table", str(file), "--compat", "--csv", str(out)])
    assert told.exit_code == 0, told.output
    return pl.read_csv(out)


def assert_as_published(found: pl.DataFrame, published: pl.DataFrame, *, temperature_k: float) -> None:
    for name in published.columns:
        if published[name].dtype == pl.String:
            assert found[name].to_list() == published[name].to_list()
            continue
        value, expected = (table[name].to_numpy().astype(float) for table in (found, published))
        if name.startswith("T"):
            assert np.abs(value - expected).max() < temperature_k, name
        else:  # numbers are printed with five digits, small ones with three behind the point
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=7e-3, err_msg=name)


@pytest.mark.shared
@pytest.mark.parametrize("name", PUBLISHED_SEQUENCES)
def test_by_command_a_sequence_is_that_of_the_reference_model(shared_data, tmp_path, name):
    published = pl.read_csv(shared_data / "jos3_reference" / f"{name}.csv")
    outfit, body = PUBLISHED_SEQUENCES[name]
    table = published.with_columns(clothing=pl.lit(outfit))
    if body:
        columns = ("height_m", "weight_kg", "fat_pct", "age_y", "sex")
        table = table.with_columns(**{c: pl.lit(v) for c, v in zip(columns, body.split(","), strict=True)})
    file = tmp_path / "steps.csv"
    table.write_csv(file)
    assert_as_published(by_command(file, tmp_path), published, temperature_k=6e-4)


@pytest.mark.shared
def test_by_command_steady_rooms_are_those_of_the_reference_model(shared_data, tmp_path):
    file = shared_data / "jos3_reference" / "steady_state.csv"
    found, published = by_command(file, tmp_path), pl.read_csv(file)
    assert found.columns == published.columns
    assert found.height == 193
    assert_as_published(found, published, temperature_k=3e-3)


def test_without_compatibility_another_body_is_run(tmp_path):
    conditions = read_conditions(written(tmp_path, ROOMS))
    corrected, same = run_conditions(conditions), run_conditions(conditions, compat=True)
    apart_k = np.abs(corrected["Tsk_neck"] - same["Tsk_neck"])
    assert 0.001 < apart_k.max() < 1.0
    assert set(corrected) == set(same)

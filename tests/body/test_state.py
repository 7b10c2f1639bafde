"""What the simulator says: tables, files, changes and pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from unaji.body import plot_state
from unaji.body.plot_state import HEAT, INK, Band, plot_course, plot_output
from unaji.body.state import MAIN, OUTPUTS, NeckState, change, check_outputs, write_csv
from unaji.errors import OutputError, UsageError


@pytest.fixture
def state() -> NeckState:
    time_s = np.arange(60.0, 3601.0, 60.0)
    warm = np.where(time_s > 1800, 1.0 - np.exp(-(time_s - 1800) / 300), 0.0)
    values = {name: np.stack([30.0 + warm, 31.0 - 2 * warm]) for name in MAIN}
    return NeckState(time_s, values | {"felt_heat": np.stack([4 * warm, 0 * warm])})


def test_every_output_has_both_languages_a_unit_and_a_meaning():
    for one in OUTPUTS.values():
        assert one.unit
        assert one.meaning.endswith(".")
        assert any(ord(c) > 0x3000 for c in one.ja)
        assert one.en.isascii()
        assert one.least_span > 0
    assert set(MAIN) <= set(OUTPUTS)


def test_the_outputs_of_the_specification_are_there():
    asked = (
        "nape_skin_temp_c", "neck_skin_temp_c", "superficial_muscle_temp_c", "deep_muscle_temp_c", "core_temp_c",
        "finger_skin_temp_c", "mean_skin_temp_c", "nape_skin_flow_ml_100g_min", "finger_skin_flow_ml_100g_min",
        "superficial_muscle_flow_ml_100g_min", "deep_muscle_flow_ml_100g_min", "hr_bpm", "rmssd_ms", "eda_proxy",
        "plasma_noradrenaline_nmol_l", "emg_percent_mvc", "tissue_oxygenation", "lactate_mmol_l",
        "pressure_pain_threshold_kpa", "pain", "felt_heat",
    )  # fmt: skip
    assert set(asked) <= set(OUTPUTS)


def test_an_unknown_output_is_refused_with_the_nearest(state):
    with pytest.raises(UsageError, match="'nape_skin_temp'; did you mean 'nape_skin_temp_c'"):
        check_outputs(["pain", "nape_skin_temp"])
    with pytest.raises(UsageError, match="'pain' was not computed"):
        state["pain"]


def test_values_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(n_persons, 2\)"):
        NeckState(np.array([1.0, 2.0]), {"pain": np.zeros((1, 3))})
    with pytest.raises(ValueError, match="must ascend"):
        NeckState(np.array([2.0, 1.0]), {"pain": np.zeros((1, 2))})


def test_a_table_has_a_row_for_each_person_and_time_and_comes_back_from_csv(state, tmp_path):
    file = tmp_path / "course.csv"
    state.to_csv(file)
    back = pl.read_csv(file)
    assert back.columns[:2] == ["person", "time_s"]
    assert back.height == 2 * 60
    for name in state.values:
        assert np.array_equal(back[name].to_numpy().reshape(2, 60), state[name])
    assert back["time_s"].to_list()[:60] == state.time_s.tolist()
    assert [one.name for one in tmp_path.iterdir()] == ["course.csv"]


def test_a_table_that_cannot_be_written_leaves_what_was_there(state, tmp_path):
    with pytest.raises(OutputError, match="is the folder there"):
        state.to_csv(tmp_path / "nowhere" / "course.csv")
    with pytest.raises(OutputError, match="is not a file"):
        state.to_csv(tmp_path)
    old = tmp_path / "old.csv"
    old.write_text("kept")

    class Breaks(pl.DataFrame):
        def write_csv(self, file):
            Path(file).write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_csv(Breaks(), old)
    assert old.read_text() == "kept"
    assert [one.name for one in tmp_path.iterdir()] == ["old.csv"]


def test_without_xarray_the_error_says_what_to_do(state):
    if importlib.util.find_spec("xarray"):
        found = state.to_xarray()
        assert found["felt_heat"].sel(person=0).shape == (60,)
        assert found["hr_bpm"].attrs["units"] == "1/min"
    else:
        with pytest.raises(UsageError, match="pip install xarray"):
            state.to_xarray()


def test_a_change_is_told_from_the_end_of_the_baseline(state):
    warm = change(state, "nape_skin_temp_c", baseline_s=1800)
    assert warm.before == 30.0
    assert warm.most == pytest.approx(1 - np.exp(-6))
    assert warm.farthest_s == 3600
    cool = change(state, "nape_skin_temp_c", baseline_s=1800, person=1)
    assert cool.most == pytest.approx(-2 * (1 - np.exp(-6)))
    assert cool.end == cool.farthest


def test_where_the_baseline_is_all_there_is_the_first_value_is_compared(state):
    assert change(state, "nape_skin_temp_c", baseline_s=3600).most == pytest.approx(1 - np.exp(-6))


def test_a_missing_value_is_left_out_of_a_change():
    values = np.array([[1.0, 1.0, np.nan, 3.0]])
    found = change(NeckState(np.arange(4.0), {"pain": values}), "pain", baseline_s=1.0)
    assert (found.most, found.farthest_s) == (2.0, 3.0)
    empty = change(NeckState(np.arange(4.0), {"pain": values * np.nan}), "pain", baseline_s=1.0)
    assert np.isnan(empty.most)


def test_some_of_the_persons(state):
    assert state.persons([1])["nape_skin_temp_c"].shape == (1, 60)
    assert state.persons([1])["nape_skin_temp_c"][0, -1] < 30


# -- pictures ----------------------------------------------------------------------------------------------------------

BANDS = (Band(1800, 2400, "部屋", "room"), Band(3000, 3000, "鍼", "needle"))


def test_a_picture_is_drawn_on_the_axes_given_with_unit_and_values(state):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert plot_output(state, "nape_skin_temp_c", ax=ax, person=1, bands=BANDS) is ax
    curve = max(ax.lines, key=lambda line: len(line.get_xdata()))
    assert np.array_equal(curve.get_ydata(), state["nape_skin_temp_c"][1])
    assert curve.get_xdata()[-1] == 60.0  # minutes
    assert ax.get_ylabel() == "[°C]"
    assert "min" in ax.get_xlabel()
    assert "nape skin temperature" in ax.get_title(loc="left")
    assert state.plot("hr_bpm").get_ylabel() == "[1/min]"


def test_felt_heat_alone_is_hot_coloured_and_shown_from_0_to_10(state):
    ax = plot_output(state, "felt_heat")
    assert ax.lines[-1].get_color() == HEAT
    assert ax.get_ylim() == (-0.3, 10.3)
    assert plot_output(state, "core_temp_c").lines[-1].get_color() == INK


def test_a_flat_line_looks_flat():
    flat = NeckState(np.arange(10.0), {"core_temp_c": np.full((1, 10), 36.8) + 1e-6 * np.arange(10)})
    low, high = plot_output(flat, "core_temp_c").get_ylim()
    assert high - low == pytest.approx(OUTPUTS["core_temp_c"].least_span)


def test_a_course_has_a_panel_for_each_output_and_a_strip_of_what_happened(state, tmp_path):
    figure = plot_course(state, bands=BANDS, title=("題", "title"))
    assert len(figure.axes) == 1 + len(MAIN)
    strip = [text.get_text() for text in figure.axes[0].texts]
    assert ["room" in strip[0], "needle" in strip[1]] == [True, True]
    figure.savefig(tmp_path / "course.png", dpi=60)  # warnings of missing characters would fail this
    assert len(plot_course(state, ["hr_bpm"]).axes) == 1


def test_without_a_japanese_font_words_are_english(state, tmp_path, monkeypatch):
    monkeypatch.setattr(plot_state, "JAPANESE_FONTS", ())
    figure = plot_course(state, bands=BANDS, title=("題", "title"))
    drawn = [figure.get_suptitle(), *(ax.get_title(loc="left") for ax in figure.axes)]
    assert all(ord(c) < 0x3000 for text in drawn for c in text)
    figure.savefig(tmp_path / "course.png", dpi=60)


def test_nothing_known_is_drawn_as_nothing():
    ax = plot_output(NeckState(np.arange(3.0), {"hr_bpm": np.full((1, 3), np.nan)}), "hr_bpm")
    assert ax.get_ylim() == (0.0, OUTPUTS["hr_bpm"].least_span)

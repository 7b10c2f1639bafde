"""Pictures are drawn on the axes given, with units on both, and mark every kind of artefact."""

from __future__ import annotations

import io
from datetime import datetime

import numpy as np
import pytest

from unaji.signals.spectrum import spectrum
from unaji.signals.tachogram import Tachogram

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from unaji.signals import plot_hrv
from unaji.signals.indices import HrvTable, hrv_table, window_starts
from unaji.signals.plot_hrv import plot_day, plot_poincare, plot_spectrum, plot_tachogram


@pytest.fixture
def tachogram() -> Tachogram:
    rri_ms = 850 + 40 * np.sin(np.arange(600) / 9.0)
    rri_ms[100] *= 2
    rri_ms[200] = 2500.0
    return Tachogram.of_intervals(rri_ms)


def test_each_picture_is_drawn_on_the_axes_given_with_units(tachogram: Tachogram):
    power = spectrum(tachogram, np.zeros(1), 400.0)
    for draw in (plot_tachogram, plot_poincare):
        ax = Figure().add_subplot()
        assert draw(tachogram, ax=ax) is ax
        assert "[" in ax.get_xlabel()
        assert "[ms]" in ax.get_ylabel()
        assert draw(tachogram).has_data()
    ax = plot_spectrum(power)
    assert "[Hz]" in ax.get_xlabel()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), power.density[0])


@pytest.fixture(params=["with Japanese letters", "without"])
def letters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The name of the Japanese font, and the pictures as they are where there is none."""
    font = plot_hrv.japanese_font() if request.param == "with Japanese letters" else None
    monkeypatch.setattr(plot_hrv, "japanese_font", lambda: font)
    return font


@pytest.fixture
def day() -> tuple[Tachogram, HrvTable]:
    """Ten hours with a hole of one, and artefacts."""
    beat = np.arange(36_000)
    rri_ms = 900 + 100 * np.sin(beat / 6000) + 30 * np.sin(beat * 1.5)
    rri_ms[100::500] *= 2
    gap = beat == 20_000
    tachogram = Tachogram.of_times(np.cumsum(rri_ms / 1000 + 3600 * gap), rri_ms, gap=gap)
    return tachogram, hrv_table(tachogram, window_starts(tachogram, 300.0), 300.0, nonlinear=False)


def drawn(figure: Figure) -> bytes:
    """The PNG; a letter that the font lacks would be a warning, and so a failure."""
    file = io.BytesIO()
    figure.savefig(file)
    return file.getvalue()


def test_every_letter_of_every_picture_can_be_drawn(tachogram: Tachogram, day: tuple[Tachogram, HrvTable], letters):
    pictures = (
        plot_tachogram(tachogram),
        plot_poincare(tachogram),
        plot_spectrum(spectrum(tachogram, np.zeros(1), 400.0)),
        plot_spectrum(spectrum(tachogram, np.array([1e6]), 400.0)),
        plot_day(*day, start=datetime(2024, 3, 1, 15, 20), nights_s=[(7200.0, 20_000.0)])[0],
    )
    for ax in pictures:
        assert drawn(ax.figure).startswith(b"\x89PNG")
        assert ax.get_ylabel().isascii() == (letters is None) or "²" in ax.get_ylabel()


def test_the_day_shows_values_bands_and_what_is_missing(day: tuple[Tachogram, HrvTable]):
    tachogram, table = day
    top, middle, bottom = plot_day(tachogram, table, nights_s=[(0.0, 3600.0)])
    for ax, name in ((top, "mean_hr_bpm"), (middle, "rmssd_ms")):
        line = ax.lines[0].get_ydata()
        np.testing.assert_array_equal(line[np.isfinite(line)], table.columns[name].value)
        edge = np.concatenate([path.vertices[:, 1] for path in ax.collections[0].get_paths()])
        assert edge.min() < np.nanmin(line)
        assert edge.max() > np.nanmax(line)
        assert np.isnan(line).sum() == 11  # no line is drawn over the hour without beats
        assert "[" in ax.get_ylabel()
    assert sum(bar.get_height() for bar in bottom.patches[: len(table)]) > 10
    words = " ".join(text.get_text() for text in top.get_legend().get_texts())
    assert all(word in words for word in ("95 % band", "night", "not measured"))
    assert "[h]" in bottom.get_xlabel()


def test_the_day_is_on_the_persons_clock_with_the_date_at_midnight(day: tuple[Tachogram, HrvTable]):
    bottom = plot_day(*day, start=datetime(2024, 3, 1, 17, 20))[2]
    labels = [label.get_text() for label in bottom.get_xticklabels()]
    assert labels == ["18:00\n3/1", "20:00", "22:00", "00:00\n3/2", "02:00"]
    assert bottom.get_xticks()[0] == pytest.approx(40 / 60)
    since = [label.get_text() for label in plot_day(*day)[2].get_xticklabels()]
    assert since == ["0", "2", "4", "6", "8", "10"]


def test_a_day_of_nothing_is_an_empty_picture():
    nothing = Tachogram.of_intervals(np.zeros(0))
    axes = plot_day(nothing, hrv_table(nothing, np.zeros(0), 300.0))
    assert drawn(axes[0].figure)


def test_every_kind_of_artefact_is_in_the_legend_with_its_count(tachogram: Tachogram):
    legend = plot_tachogram(tachogram).get_legend()
    assert legend is not None
    told = [text.get_text() for text in legend.get_texts()]
    assert [one.endswith(en) for one, en in zip(told, ("missed (1)", "out of range (1)"), strict=True)] == [True, True]


def test_nothing_recorded_gives_an_empty_picture():
    nothing = Tachogram.of_intervals(np.zeros(0))
    assert plot_tachogram(nothing).get_legend() is None
    plot_poincare(nothing)

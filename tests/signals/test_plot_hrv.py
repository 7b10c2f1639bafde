"""Pictures are drawn on the axes given, with units on both, and mark every kind of artefact."""

from __future__ import annotations

import numpy as np
import pytest

from unaji.signals.spectrum import spectrum
from unaji.signals.tachogram import Tachogram

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from unaji.signals.plot_hrv import plot_poincare, plot_spectrum, plot_tachogram


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


def test_every_kind_of_artefact_is_in_the_legend_with_its_count(tachogram: Tachogram):
    legend = plot_tachogram(tachogram).get_legend()
    assert legend is not None
    assert sorted(text.get_text() for text in legend.get_texts()) == ["missed (1)", "out of range (1)"]


def test_nothing_recorded_gives_an_empty_picture():
    nothing = Tachogram.of_intervals(np.zeros(0))
    assert plot_tachogram(nothing).get_legend() is None
    plot_poincare(nothing)

"""Pictures of beats: tachogram with its artefacts, Poincaré plot, spectrum. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unaji.signals.rr import BeatKind
from unaji.signals.spectrum import HF_HZ, LF_HZ, VLF_HZ, Spectrum
from unaji.signals.tachogram import Tachogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = {
    BeatKind.ECTOPIC: ("D", "tab:red"),
    BeatKind.MISSED: ("^", "tab:orange"),
    BeatKind.EXTRA: ("v", "tab:purple"),
    BeatKind.LONG: ("+", "tab:brown"),
    BeatKind.SHORT: ("x", "tab:pink"),
    BeatKind.OUT_OF_RANGE: ("s", "tab:gray"),
}
"""Shape and colour of each kind of artefact: told apart without colour as well."""


def plot_tachogram(tachogram: Tachogram, *, ax: Axes | None = None) -> Axes:
    """Draw the intervals over time, broken where beats are missing, with every artefact marked by its kind."""
    ax = _axes(ax)
    minutes, nn_ms = tachogram.end_s / 60.0, tachogram.nn_ms
    ax.plot(minutes, np.where(tachogram.gap, np.nan, nn_ms), color="tab:blue", linewidth=0.8)
    for kind, (marker, colour) in MARKERS.items():
        rows = tachogram.kind == kind
        if rows.any():
            label = f"{kind.name.lower().replace('_', ' ')} ({rows.sum()})"
            ax.scatter(minutes[rows], tachogram.rri_ms[rows], marker=marker, color=colour, s=18, label=label)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper right", fontsize="small")
    if np.isfinite(nn_ms).any():  # an hour without beats must not flatten the rest
        low, high = np.nanmin(nn_ms), np.nanmax(nn_ms)
        ax.set_ylim(low - 0.5 * (high - low) - 20.0, high + 0.5 * (high - low) + 20.0)
    ax.set_xlabel("Time [min]")
    ax.set_ylabel("RR interval [ms]")
    return ax


def plot_poincare(tachogram: Tachogram, *, ax: Axes | None = None) -> Axes:
    """Draw each valid interval over the one before it."""
    ax = _axes(ax)
    later = np.flatnonzero(tachogram.joined)
    ax.scatter(tachogram.rri_ms[later - 1], tachogram.rri_ms[later], s=4, alpha=0.4, color="tab:blue", linewidths=0)
    if later.size:
        both = np.concatenate((tachogram.rri_ms[later - 1], tachogram.rri_ms[later]))
        ax.plot([both.min(), both.max()], [both.min(), both.max()], color="gray", linewidth=0.6)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("RR interval [ms]")
    ax.set_ylabel("next RR interval [ms]")
    return ax


def plot_spectrum(spectrum: Spectrum, *, window: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the power spectral density of one window with its bands."""
    ax = _axes(ax)
    for name, (low_hz, high_hz), shade in (("VLF", VLF_HZ, "0.85"), ("LF", LF_HZ, "0.75"), ("HF", HF_HZ, "0.9")):
        ax.axvspan(low_hz, high_hz, color=shade, linewidth=0)
        ax.annotate(name, ((low_hz + high_hz) / 2.0, 0.97), xycoords=("data", "axes fraction"), ha="center", va="top")
    ax.plot(spectrum.frequency_hz, spectrum.density[window], color="tab:blue", linewidth=1.0)
    ax.set_xlim(0.0, 0.5)
    ax.set_xlabel("Frequency [Hz]")
    ax.set_ylabel("Power spectral density [ms²/Hz]")
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415  (an extra, and slow to load)

    return Figure(layout="constrained").add_subplot()

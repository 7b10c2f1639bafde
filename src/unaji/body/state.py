"""What the simulator says: the state of the neck over time, every output by name with unit and meaning."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from unaji.errors import OutputError, UsageError
from unaji.records.timeline import FloatArray

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Output:
    """One output.

    Attributes
    ----------
    unit : str
        "1" where it has none.
    least_span : float
        Changes smaller than this are nothing to look at: a picture's axis spans at least as much.
    meaning : str
        What exactly is computed, in a sentence.
    """

    name: str
    unit: str
    ja: str
    en: str
    least_span: float
    meaning: str


# fmt: off
OUTPUTS: Mapping[str, Output] = MappingProxyType({
    o.name: o
    for o in (
        Output("nape_skin_temp_c", "°C", "うなじの皮膚の温度", "nape skin temperature", 1.0,
               "Skin over the back of the neck, 0.009 m²."),
        Output("neck_skin_temp_c", "°C", "首の前と横の皮膚の温度", "neck skin temperature, front and sides", 1.0,
               "Skin of the neck without the nape."),
        Output("superficial_muscle_temp_c", "°C", "浅い筋肉の温度", "superficial muscle temperature", 1.0,
               "Upper trapezius and splenius, 10 mm."),
        Output("deep_muscle_temp_c", "°C", "深い筋肉の温度", "deep muscle temperature", 1.0,
               "Semispinalis and suboccipital muscles, 20 mm."),
        Output("nape_fat_temp_c", "°C", "うなじの皮下脂肪の温度", "nape fat temperature", 1.0,
               "Fat under the skin of the nape, 4 mm."),
        Output("deep_neck_temp_c", "°C", "首の奥の温度", "deep neck temperature", 0.5,
               "Spine, throat and front muscles of the neck together."),
        Output("neck_artery_temp_c", "°C", "首の動脈の温度", "neck artery temperature", 0.5,
               "Blood on its way to neck and head."),
        Output("neck_vein_temp_c", "°C", "首の静脈の温度", "neck vein temperature", 0.5,
               "Blood on its way back from head and neck."),
        Output("core_temp_c", "°C", "深部体温", "core temperature", 0.5,
               "Core of the pelvis, as a rectal thermometer reads it."),
        Output("finger_skin_temp_c", "°C", "指先の皮膚の温度", "finger skin temperature", 2.0,
               "Skin of the left hand, which stands for the fingers."),
        Output("chest_skin_temp_c", "°C", "胸の皮膚の温度", "chest skin temperature", 1.0,
               "Skin of the chest, near the trunk."),
        Output("mean_skin_temp_c", "°C", "皮膚の平均温度", "mean skin temperature", 1.0,
               "All skin, weighted by area."),
        Output("nape_skin_flow_ml_100g_min", "mL/100 g/min", "うなじの皮膚の血流", "nape skin blood flow", 4.0,
               "Blood flow of the nape's skin."),
        Output("finger_skin_flow_ml_100g_min", "mL/100 g/min", "指先の皮膚の血流", "finger skin blood flow", 10.0,
               "Blood flow of the left hand's skin, shunts included."),
        Output("superficial_muscle_flow_ml_100g_min", "mL/100 g/min", "浅い筋肉の血流", "superficial muscle flow", 2.0,
               "Blood flow of the upper trapezius."),
        Output("deep_muscle_flow_ml_100g_min", "mL/100 g/min", "深い筋肉の血流", "deep muscle flow", 2.0,
               "Blood flow of the deep nape muscles."),
        Output("cardiac_output_l_min", "L/min", "心拍出量", "cardiac output", 1.0,
               "Sum of all flows."),
        Output("hr_bpm", "1/min", "心拍数", "heart rate", 10.0,
               "Beats a minute."),
        Output("rmssd_ms", "ms", "心拍のゆらぎ(RMSSD)", "RMSSD", 10.0,
               "Root mean square of successive RR differences, as the vagal drive would leave it."),
        Output("eda_proxy", "1", "皮膚の交感神経のはたらき", "skin sympathetic activity", 0.5,
               "Activity of the nerves to the palm's skin, 1 at rest; stands for electrodermal activity."),
        Output("plasma_noradrenaline_nmol_l", "nmol/L", "血中ノルアドレナリン", "plasma noradrenaline", 1.0,
               "A marker of the outflow; the skin listens to its nerves, not to the plasma."),
        Output("arousal", "1", "緊張・興奮", "acute arousal", 0.5,
               "Acute arousal, 0 to 1."),
        Output("stress_load", "1", "つもったストレス", "accumulated stress load", 0.2,
               "Stress of the last weeks, 0 to 1."),
        Output("emg_percent_mvc", "%", "首の筋肉の活動", "neck muscle activity", 4.0,
               "Activity of the upper trapezius as a share of the maximal voluntary contraction."),
        Output("tissue_oxygenation", "1", "筋肉の酸素", "muscle oxygenation", 0.2,
               "Oxygenation of the upper trapezius, 0 to 1."),
        Output("lactate_mmol_l", "mmol/L", "筋肉の乳酸", "muscle lactate", 1.0,
               "Interstitial lactate of the upper trapezius."),
        Output("pressure_pain_threshold_kpa", "kPa", "押して痛む強さ", "pressure pain threshold", 50.0,
               "Over the upper trapezius; lower is more sensitive."),
        Output("pain", "0–10", "首の痛み", "neck pain", 2.0,
               "0 none, 10 as strong as can be."),
        Output("felt_heat", "0–10", "感じる熱さ", "felt heat", 2.0,
               "Heat felt at the nape: 0 none, 10 as strong as can be."),
        Output("felt_heat_thermal", "0–10", "温度から感じる熱さ", "felt heat from temperature", 2.0,
               "The part of the felt heat that skin and core temperature explain."),
    )
})
# fmt: on

MAIN = ("felt_heat", "nape_skin_temp_c", "core_temp_c", "finger_skin_temp_c", "nape_skin_flow_ml_100g_min", "hr_bpm")
"""What is looked at first."""


def output(name: str) -> Output:
    """Return an output by its name; UsageError with the nearest name where there is none."""
    if name not in OUTPUTS:
        near = difflib.get_close_matches(name, OUTPUTS, n=1)
        raise UsageError(f"no output is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return OUTPUTS[name]


@dataclass(frozen=True, eq=False, slots=True)
class NeckState:
    """The simulated state of all persons over time.

    Attributes
    ----------
    time_s : ndarray, shape (n_times,)
        Time since the start, ascending [s].
    values : mapping of str to ndarray, shape (n_persons, n_times)
        By the names of `OUTPUTS`, in their units.
    """

    time_s: FloatArray
    values: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        time_s = _frozen(self.time_s)
        if time_s.ndim != 1 or not time_s.size or np.any(np.diff(time_s) <= 0):
            raise ValueError(f"time_s must ascend and hold at least one time, got shape {time_s.shape}")
        if not self.values:
            raise ValueError("a state needs at least one output")
        values = {output(name).name: _frozen(value) for name, value in self.values.items()}
        shapes = {name: value.shape for name, value in values.items()}
        if len(set(shapes.values())) > 1 or any(len(s) != 2 or s[1] != time_s.size for s in shapes.values()):
            raise ValueError(f"every output must have the shape (n_persons, {time_s.size}), got {shapes}")
        object.__setattr__(self, "time_s", time_s)
        object.__setattr__(self, "values", MappingProxyType(values))

    def __getitem__(self, name: str) -> FloatArray:
        """Return one output, shape (n_persons, n_times)."""
        if output(name).name not in self.values:
            raise UsageError(f"{name!r} was not computed; ask `simulate` for it by outputs=(…, {name!r})")
        return self.values[name]

    @property
    def n_persons(self) -> int:
        """Number of persons."""
        return int(next(iter(self.values.values())).shape[0])

    def persons(self, rows: Sequence[int] | slice) -> NeckState:
        """Return the state of some of the persons."""
        return NeckState(self.time_s, {name: value[rows] for name, value in self.values.items()})

    def to_polars(self) -> pl.DataFrame:
        """Return a table with one row a person and time: ``person`` (from 0), ``time_s``, then the outputs."""
        import polars as pl  # noqa: PLC0415  (slow to load)

        n_times = self.time_s.size
        who = {
            "person": np.repeat(np.arange(self.n_persons), n_times),
            "time_s": np.tile(self.time_s, self.n_persons),
        }
        return pl.DataFrame(who | {name: value.ravel() for name, value in self.values.items()})

    def to_xarray(self) -> Any:
        """Return an ``xarray.Dataset`` over ``person`` and ``time_s``; units and meanings are its attributes.

        Raises
        ------
        UsageError
            If xarray is not installed.
        """
        try:
            xarray = import_module("xarray")
        except ModuleNotFoundError as error:
            raise UsageError("to_xarray needs xarray: pip install xarray; to_polars works without it") from error
        variables = {
            name: (("person", "time_s"), value, {"units": OUTPUTS[name].unit, "long_name": OUTPUTS[name].en})
            for name, value in self.values.items()
        }
        return xarray.Dataset(variables, coords={"person": np.arange(self.n_persons), "time_s": self.time_s})

    def to_csv(self, path: Path) -> None:
        """Write the table of `to_polars` as CSV; see `write_csv`."""
        write_csv(self.to_polars(), path)

    def plot(self, name: str = "nape_skin_temp_c", *, ax: Axes | None = None, person: int = 0) -> Axes:
        """Draw one output of one person; see `unaji.body.plot_state` for more."""
        from unaji.body.plot_state import plot_output  # noqa: PLC0415  (it imports this module)

        return plot_output(self, name, ax=ax, person=person)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one output: its value before, the farthest it got from there, and where it ended."""

    before: float
    farthest: float
    farthest_s: float
    end: float

    @property
    def most(self) -> float:
        """Largest change, with its sign."""
        return self.farthest - self.before


def change(state: NeckState, name: str, *, baseline_s: float, person: int = 0) -> Change:
    """Compare one output with its value at the end of the baseline.

    Parameters
    ----------
    baseline_s : float
        Until when nothing happens. Where it reaches to the end, the first value is the one to compare with.

    Returns
    -------
    Change
        NaN throughout where the output is NaN before; NaN at later times is left out.
    """
    values = state[name][person]
    start = max(int(np.searchsorted(state.time_s, baseline_s, side="right")) - 1, 0)
    start = start if start < state.time_s.size - 1 else 0
    before = values[start]
    away = np.abs(values[start:] - before)
    if not np.isfinite(before):
        return Change(np.nan, np.nan, np.nan, np.nan)
    most = start + int(np.nanargmax(away))
    return Change(float(before), float(values[most]), float(state.time_s[most]), float(values[-1]))


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a table beside its place and move it there, so that no half-written file is ever seen.

    Raises
    ------
    OutputError
        If it cannot be written; a former file of that name is then untouched.
    """
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is not a file that a table could replace")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            frame.write_csv(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or "no such folder"
        raise OutputError(f"{path}: the table could not be written ({reason}); is the folder there?") from error


def check_outputs(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once; UsageError for none at all, and with the nearest name for one that is unknown."""
    found = tuple(dict.fromkeys(output(name).name for name in names))
    if not found:
        raise UsageError(f"name at least one output, such as {', '.join(MAIN)}")
    return found


def _frozen(value: ArrayLike) -> FloatArray:
    array = np.array(value, dtype=float)
    array.setflags(write=False)
    return array

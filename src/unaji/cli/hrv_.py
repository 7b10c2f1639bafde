"""`unaji hrv`: heart rate variability of one recording, whole or window by window."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unaji.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from unaji.records.beat_files import RecordedBeats, RecordedEcg
    from unaji.records.timeline import Timeline
    from unaji.signals.indices import HrvTable
    from unaji.signals.spectrum import Method
    from unaji.signals.tachogram import Tachogram

SHOWN = {
    "n": "使えた間隔の数",
    "mean_rri_ms": "間隔の平均",
    "mean_hr_bpm": "平均心拍数",
    "sdnn_ms": "間隔のばらつき",
    "rmssd_ms": "隣どうしの差の大きさ",
    "sdsd_ms": "隣どうしの差のばらつき",
    "pnn50": "50 ms を超える差の割合",
    "sd1_ms": "ポアンカレ図の幅",
    "sd2_ms": "ポアンカレ図の長さ",
    "sampen": "標本エントロピー",
    "dfa_a1": "短期スケール指数 (4–16)",
    "vlf_ms2": "0.003–0.04 Hz",
    "lf_ms2": "0.04–0.15 Hz",
    "hf_ms2": "0.15–0.4 Hz",
    "hf_resp_ms2": "呼吸に合わせた帯域",
    "respiration_hz": "呼吸の速さ",
    "baevsky_si": "バエフスキー指数",
    "triangular_index": "三角指数",
    "csi": "ポアンカレ図の長さ/幅",
    "cvi": "ポアンカレ図の広さ (log10)",
    "corrected_fraction": "除いた間隔の割合",
}
"""What is printed, in this order, and what it is called in Japanese; the name itself is the English."""

PULSES = (
    "心拍でなく脈の間隔です。ゆらぎは安静時と睡眠中だけを信じてください",
    "these are pulses, not heart beats: trust their variability at rest and asleep only",
)
FROM_ECG = (
    "心電図から拍を見つけました。補正するときは、質が 0.5 未満の拍を使いません",
    "beats were found in the electrocardiogram; with correction, those of a quality below 0.5 are not used",
)
BESIDE_ECG = (
    "拍は、心電図に印の付いたもの、心電図から見つけたもの、胸ベルトや手首のものの順に使いました",
    "beats marked in an electrocardiogram were taken first, then those found in it, then those of a strap or a wrist",
)
MIN_ECG_QUALITY = 0.5  # measured in docs/explanation/beats-and-breathing.md
DAY_FROM_S = 7200.0  # of a longer recording the day is drawn, not every beat
DAY_WINDOW_S = 300.0
DOTS_PER_INCH = 200  # with figures 5.4 inches wide, what a phone shows, letters large enough to read there

FILE_WIDTH = 120  # of what is printed into a file or a pipe
UNITS_S = {"": 1.0, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


def seconds(context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """Read a length of time such as 5min, 300s or 1h."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|min|m|h)?\s*", text)
    if found is None or not float(found[1]) > 0.0:
        raise click.BadParameter(f"{text!r} is not a length of time such as 5min, 300s or 1h", context, option)
    return float(found[1]) * UNITS_S[found[2] or ""]


@click.command("hrv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--window", "window_s", callback=seconds, help="Windows of this length, such as 5min; default: the whole."
)
@click.option("--method", type=click.Choice(["welch", "lomb"]), default="welch", show_default=True, help="Spectrum.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, or a list of them with --window.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table, one row a window.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw beats, Poincaré, spectrum; from 2 h, the day.",
)
@click.option("--no-correction", is_flag=True, help="Take every interval as it is: no artefacts, no limits of range.")
@click.option("--timezone", help="Where times carry no offset, such as Asia/Tokyo.")
def command(
    file: Path,
    window_s: float | None,
    method: str,
    as_json: bool,
    as_csv: bool,
    plot: Path | None,
    no_correction: bool,
    timezone: str | None,
) -> None:
    """Heart rate variability of FILE.

    FILE is a text file of one RR interval in milliseconds a line, beats.csv (time,rri_ms), a device's export, WFDB
    annotations, an electrocardiogram (ISHNE, WFDB, EDF or OpenSignals), or a person's folder. Artefacts are rejected;
    every number comes with its quality, or with the reason why it is missing.

    \b
    Example:
      python -c "for k in range(400): print(850 + 40 * (k % 9) - 20 * (k % 4))" > rr.txt
      unaji hrv rr.txt
      unaji hrv rr.txt --window 5min --json
    """
    from unaji.records.beat_files import read_recorded_beats
    from unaji.signals.indices import hrv_table, whole, window_starts

    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms of the same; choose one")
    found = read_recorded_beats(file, timezone=timezone)
    for problem in found.problems:
        click.echo(f"  {problem}", err=True)
    if found.ecg is not None:
        _say_in_both(FROM_ECG)
    if found.timeline is not None:
        found = _with_found_beats(found, found.timeline, file, correct=not no_correction)
    if found.beats is not None and found.beats.origin == "ppg":
        _say_in_both(PULSES)
    tachogram = _tachogram(found, correct=not no_correction)
    if window_s is None:
        starts_s, length_s = whole(tachogram)
    else:
        starts_s, length_s = window_starts(tachogram, window_s), window_s
    table = hrv_table(
        tachogram, starts_s, length_s, method="lomb" if method == "lomb" else "welch", derive_respiration=True
    )
    if plot is not None:
        _draw(tachogram, found, table.spectrum.method, plot)
    if as_json:
        objects = [_object(table, k, found, tachogram, with_start=window_s is not None) for k in range(len(table))]
        click.echo(
            json.dumps(objects if window_s is not None else objects[0], ensure_ascii=False, allow_nan=False, indent=1)
        )
    elif as_csv:
        click.echo(_csv(table, found, tachogram), nl=False)
    else:
        _print(table, found, tachogram, windows=window_s is not None)


def _with_found_beats(found: RecordedBeats, timeline: Timeline, file: Path, *, correct: bool) -> RecordedBeats:
    """Find the beats of an electrocardiogram as `unaji explain` does, and put them beside those of other devices."""
    from unaji.signals.ecg import LOWEST_RATE_HZ
    from unaji.signals.recorded_ecg import MIN_QUALITY, SHORTEST_S, with_ecg_beats

    together = with_ecg_beats(timeline, min_quality=MIN_QUALITY if correct else 0.0)
    beats = together.beats
    if beats is None or not len(beats):
        raise InputError(
            f"{file}: no beats were found in the electrocardiogram; give one of {SHORTEST_S:g} s or more, "
            f"with {LOWEST_RATE_HZ:g} samples a second or more"
        )
    if together is not timeline:  # else none were found, and what other devices recorded stands alone
        _say_in_both(FROM_ECG)
        if timeline.beats is not None:
            _say_in_both(BESIDE_ECG)
    return replace(found, beats=beats)


def _say_in_both(languages: tuple[str, str]) -> None:
    click.echo(f"  {languages[0]}\n  {languages[1]}", err=True)


def _tachogram(found: RecordedBeats, *, correct: bool) -> Tachogram:
    from unaji.signals.tachogram import Tachogram

    if found.ecg is not None:
        tachogram = _tachogram_of_ecg(found.ecg, correct=correct)
        return tachogram if found.ecg.start is not None else replace(tachogram, origin=None)
    if found.beats is not None:
        return Tachogram.of_beats(found.beats, correct=correct)
    assert found.rri_ms is not None
    return Tachogram.of_intervals(found.rri_ms, weight=found.weight if correct else None, correct=correct)


def _tachogram_of_ecg(ecg: RecordedEcg, *, correct: bool) -> Tachogram:
    """Find the beats; where it is not known when the first sample was, it is put to 1970."""
    import numpy as np

    from unaji.records.timeline import from_utc_ms
    from unaji.signals.ecg import LOWEST_RATE_HZ, ecg_beats
    from unaji.signals.tachogram import Tachogram

    if ecg.sampling_rate_hz < LOWEST_RATE_HZ:
        raise InputError(
            f"the electrocardiogram has {ecg.sampling_rate_hz:g} samples a second, too few for the times of beats; "
            f"export it with {LOWEST_RATE_HZ:g} Hz or more"
        )
    start = from_utc_ms(np.datetime64(0, "ms") if ecg.start is None else ecg.start)
    found = ecg_beats(ecg.signal_mv, ecg.sampling_rate_hz)
    beats = found.to_beats(start, "ecg", min_quality=MIN_ECG_QUALITY if correct else 0.0)
    return Tachogram.of_beats(beats, correct=correct)


def _object(
    table: HrvTable, k: int, found: RecordedBeats, tachogram: Tachogram, *, with_start: bool
) -> dict[str, object]:
    values = table.at(k)
    start: dict[str, object] = {"start": _start(table.start_s[k], found, tachogram)} if with_start else {}
    return start | {
        name: {
            "value": _exact(values[name].value, name),
            "standard_error": values[name].standard_error,
            "unit": values[name].unit,
            "quality": values[name].quality,
            "reason": values[name].reason,
        }
        for name in SHOWN
    }


def _exact(value: float | None, name: str) -> float | int | None:
    return int(value) if name == "n" and value is not None else value


def _start(start_s: np.float64, found: RecordedBeats, tachogram: Tachogram) -> str | float:
    """Give a window's start on the person's clock; in seconds from the first interval where no clock time is known."""
    import numpy as np

    from unaji.records.clock import iso_local
    from unaji.records.timeline import from_utc_ms

    if tachogram.origin is None:
        return round(float(start_s), 6)
    return iso_local(from_utc_ms(tachogram.origin + np.timedelta64(round(1000 * float(start_s)), "ms")), found.zones)


def _csv(table: HrvTable, found: RecordedBeats, tachogram: Tachogram) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["start", *SHOWN])
    for k in range(len(table)):
        values = table.at(k)
        cells = ["" if values[name].value is None else repr(_exact(values[name].value, name)) for name in SHOWN]
        writer.writerow([_start(table.start_s[k], found, tachogram), *cells])
    return out.getvalue()


def _print(table: HrvTable, found: RecordedBeats, tachogram: Tachogram, *, windows: bool) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from unaji.signals.reasons import Reason

    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    if windows:
        few = ("n", "mean_hr_bpm", "sdnn_ms", "rmssd_ms", "lf_ms2", "hf_ms2", "corrected_fraction")
        sheet = Table("始まり · start", *few, box=SIMPLE)
        for k in range(len(table)):
            values = table.at(k)
            sheet.add_row(str(_start(table.start_s[k], found, tachogram)), *(_short(values[n].value) for n in few))
        console.print(sheet)
        return
    sheet = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for heading, right in (
        ("", False),
        ("", False),
        ("値", True),
        ("±", True),
        ("", False),
        ("質", True),
    ):
        sheet.add_column(heading, justify="right" if right else "left", no_wrap=True)
    sheet.add_column("注 note", min_width=12, overflow="fold")
    values = table.at(0)
    for name, label in SHOWN.items():
        value, error = values[name], values[name].standard_error
        quality = "" if value.quality is None else f"{value.quality:.2f}"
        spread = "" if error is None else f"{error:.2g}"
        note = Reason(int(table.columns[name].reason[0]))
        sheet.add_row(label, name, _short(value.value), spread, value.unit, quality, f"{note.ja}\n{note.en}".strip())
    console.print(sheet)
    filled, plain = table.rmssd_interpolated_ms[0], values["rmssd_ms"].value
    if plain is not None and isfinite(filled) and tachogram.corrected_fraction > 0:
        change = f"{filled:.2f} ms ({100 * (filled / plain - 1):+.1f} %)"
        console.print(f"除いた拍を補うと RMSSD は {change} · RMSSD with rejected beats replaced: {change}")


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def _draw(tachogram: Tachogram, found: RecordedBeats, method: Method, out: Path) -> None:
    """Draw the whole recording, whatever the windows of the table are."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise UsageError("--plot needs matplotlib: pip install 'unaji[plot]'") from error
    from unaji.signals.indices import hrv_table, whole, window_starts
    from unaji.signals.plot_hrv import plot_day, plot_poincare, plot_spectrum, plot_tachogram
    from unaji.signals.spectrum import spectrum

    if whole(tachogram)[1] > DAY_FROM_S:
        figure = Figure(figsize=(5.4, 8.8), layout="constrained")
        grid = figure.add_gridspec(4, 2, height_ratios=(3, 3, 1.4, 3))
        axes = [figure.add_subplot(grid[0, :])]
        axes += [figure.add_subplot(grid[k, :], sharex=axes[0]) for k in (1, 2)]
        day = hrv_table(tachogram, window_starts(tachogram, DAY_WINDOW_S), DAY_WINDOW_S, nonlinear=False)
        plot_day(tachogram, day, start=_local_start(found, tachogram), axes=axes)
        below = grid[3, 0], grid[3, 1]
    else:
        figure = Figure(figsize=(5.4, 6.4), layout="constrained")
        grid = figure.add_gridspec(2, 2)
        plot_tachogram(tachogram, ax=figure.add_subplot(grid[0, :]))
        below = grid[1, 0], grid[1, 1]
    plot_poincare(tachogram, ax=figure.add_subplot(below[0]))
    plot_spectrum(spectrum(tachogram, *whole(tachogram), method=method), ax=figure.add_subplot(below[1]))
    try:
        figure.savefig(out, dpi=DOTS_PER_INCH)
    except (OSError, ValueError) as error:
        raise OutputError(f"{out}: the picture cannot be written ({error})") from error
    click.echo(f"図 · picture: {out.resolve()}", err=True)


def _local_start(found: RecordedBeats, tachogram: Tachogram) -> datetime | None:
    """Return what the person's clock showed at 0 s; None where no clock time is known."""
    from unaji.records.clock import iso_local
    from unaji.records.timeline import from_utc_ms

    if tachogram.origin is None:
        return None
    return datetime.fromisoformat(iso_local(from_utc_ms(tachogram.origin), found.zones)).replace(tzinfo=None)

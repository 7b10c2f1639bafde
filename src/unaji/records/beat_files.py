"""Beats from whatever holds beats: a text file of intervals, beats.csv, a vendor's export, a person's folder.

An electrocardiogram (ISHNE, EDF, OpenSignals, or WFDB without annotations) is handed on as it is: `unaji.signals.ecg`
finds its beats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from unaji.errors import InputError
from unaji.records import elite_hrv, ishne, wfdb
from unaji.records.clock import Clock, now_utc
from unaji.records.detect import read_recognised, recognise, sources
from unaji.records.folder import read_folder, timeline_of
from unaji.records.measured import read_beats as read_beats_table
from unaji.records.merge import Fragment, merge
from unaji.records.person import check_zone
from unaji.records.problems import ProblemLog
from unaji.records.rr_text import claims_rr_text, read_rr_text
from unaji.records.source import HEAD_BYTES
from unaji.records.tables import read_table
from unaji.records.timeline import Beats, FloatArray, Person, Problem, Timeline, Zones

RR_TEXT_ENDINGS = (".txt", ".rr")
WFDB_ENDINGS = (".hea", ".atr", ".ecg", ".qrs", ".dat")
SINUS_CODES = (1, 2, 3)  # normal, and left or right bundle branch block: the sinus node sets the time
UNREADABLE = (
    "give a text file of one RR interval in milliseconds a line, beats.csv (time,rri_ms), a device's export, WFDB "
    "annotations, an electrocardiogram (ISHNE, WFDB, EDF or OpenSignals), or a person's folder"
)


@dataclass(frozen=True, eq=False, slots=True)
class RecordedEcg:
    """An electrocardiogram whose beats are still to be found.

    Attributes
    ----------
    signal_mv : ndarray, shape (n,)
        NaN where nothing was recorded.
    sampling_rate_hz : float
    start : datetime64[ms] or None
        The instant of the first sample, where the record says when it began and somebody in which zone; else None.
    """

    signal_mv: FloatArray
    sampling_rate_hz: float
    start: np.datetime64 | None


@dataclass(frozen=True, eq=False, slots=True)
class RecordedBeats:
    """What was found: `beats` where the times of day are known, `rri_ms` where not; else where they can be found.

    Attributes
    ----------
    rri_ms : ndarray, shape (n,), or None
        RR intervals [ms] that follow each other.
    weight : ndarray, shape (n,), or None
        0 for intervals of `rri_ms` that begin or end with a beat labelled as not of the sinus node, else 1.
    beats : Beats or None
    zones : Zones
        The clock that `beats` are shown by; UTC where nobody has said.
    problems : tuple of Problem
    ecg : RecordedEcg or None
        A recording that may have no place in time.
    timeline : Timeline or None
        What was recorded, with an electrocardiogram of which `unaji.signals.recorded_ecg` finds the beats; those of
        other devices stand in it too.
    """

    rri_ms: FloatArray | None
    weight: FloatArray | None
    beats: Beats | None
    zones: Zones
    problems: tuple[Problem, ...]
    ecg: RecordedEcg | None = None
    timeline: Timeline | None = None


def read_recorded_beats(path: Path, *, timezone: str | None = None) -> RecordedBeats:
    """Read the beats of a file or folder, recognised by what is in it.

    Parameters
    ----------
    path : Path
    timezone : str, optional
        IANA name of the zone of times without offset.

    Raises
    ------
    InputError
        It cannot be read, or holds no beats.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if timezone is not None:
        check_zone(timezone, "timezone")
    if path.is_dir():
        return _of_folder(path, timezone)
    log = ProblemLog()
    zones = Zones((timezone,)) if timezone else None
    if path.suffix.lower() in WFDB_ENDINGS and path.with_suffix(".hea").is_file():
        return _of_wfdb(path, zones, log)
    if path.suffix.lower() == ".ecg" and _head(path).startswith(ishne.MAGIC):
        signal_mv, header = ishne.read_signal(path)
        return _ecg(path, signal_mv, header.sampling_rate_hz, header.start, zones, log)
    found = _of_table_or_vendor(path, Clock(zones, now_utc()), log)
    if isinstance(found, Fragment):
        timeline = timeline_of(Person(path.stem), zones or Zones(), found, log)
        return RecordedBeats(None, None, None, timeline.zones, timeline.problems, timeline=timeline)
    if found is not None:
        return _with_beats(path, found, zones or Zones(), log.problems())
    head = _head(path)
    if b"\0" in head or not claims_rr_text(head):
        raise InputError(f"{path}: holds no beats that unaji can read; {UNREADABLE}")
    return RecordedBeats(read_rr_text(path, log), None, None, zones or Zones(), log.problems())


def _of_folder(path: Path, timezone: str | None) -> RecordedBeats:
    """Return the beats of a person's folder; where it is none but holds a recording, say how to name that."""
    try:
        timeline = read_folder(path, timezone=timezone)
    except InputError:
        recording = next((file for file in sorted(path.iterdir()) if _may_be_recording(file)), None)
        if recording is None:
            raise
        raise InputError(f"{path}: is no person's folder; give the recording in it: {recording}") from None
    if timeline.all_of("ecg_mv"):
        return RecordedBeats(None, None, None, timeline.zones, timeline.problems, timeline=timeline)
    return _with_beats(path, timeline.beats, timeline.zones, timeline.problems)


def _may_be_recording(file: Path) -> bool:
    if not file.is_file():
        return False
    if file.suffix.lower() in WFDB_ENDINGS:
        return file.with_suffix(".hea").is_file() or _head(file).startswith(ishne.MAGIC)
    return file.suffix.lower() in RR_TEXT_ENDINGS and claims_rr_text(_head(file))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _of_wfdb(path: Path, zones: Zones | None, log: ProblemLog) -> RecordedBeats:
    """Return the beats annotated in a WFDB record, or its first signal in mV where there are no annotations."""
    marks_path = path if path.suffix.lower() not in (".hea", ".dat") else _annotations_beside(path)
    if marks_path is not None:
        return RecordedBeats(*_annotated(marks_path), None, zones or Zones(), ())
    header = wfdb.read_header(path.with_suffix(".hea"))
    lead = next((k for k, signal in enumerate(header.signals) if signal.unit == "mV"), None)
    if lead is None:
        raise InputError(
            f"{path}: the record has no signal in mV, and no annotations of beats (.atr, .ecg or .qrs) beside it; "
            "copy them to the same folder"
        )
    signal_mv, rate_hz = wfdb.read_signal(path.with_suffix(".hea"), lead)
    return _ecg(path, signal_mv, rate_hz, header.start, zones, log)


def _ecg(
    path: Path, signal_mv: FloatArray, rate_hz: float, start: datetime | None, zones: Zones | None, log: ProblemLog
) -> RecordedBeats:
    """Give an electrocardiogram with the instant at which it began, if anybody has said in which zone."""
    begun = None
    if start is not None and zones is not None:
        begun = Clock(zones, now_utc()).from_wall(np.array([start], dtype="datetime64[ms]"), path.name, log)[0]
    ecg = RecordedEcg(signal_mv, rate_hz, begun)
    return RecordedBeats(None, None, None, zones or Zones(), log.problems(), ecg)


def _annotated(marks_path: Path) -> tuple[FloatArray, FloatArray]:
    """Return intervals [ms] and weights of a WFDB record's beats; NaN where the rhythm was lost between two."""
    rate_hz = wfdb.read_header(marks_path.with_suffix(".hea")).sampling_rate_hz
    marks = wfdb.read_annotations(marks_path)
    sample, code = marks.sample[marks.is_beat], marks.code[marks.is_beat]
    if sample.size < 2:
        raise InputError(f"{marks_path}: holds fewer than two beats")
    breaks = np.sort(marks.sample[np.isin(marks.code, wfdb.BREAK_CODES)])
    broken = np.diff(np.searchsorted(breaks, sample)) > 0
    sinus = np.isin(code, SINUS_CODES)
    rri_ms = np.where(broken, np.nan, np.diff(sample) * (1000.0 / rate_hz))
    return rri_ms, (sinus[1:] & sinus[:-1]).astype(np.float64)


def _annotations_beside(path: Path) -> Path | None:
    """Return the record's file of annotations; None where there is none."""
    found = (path.with_suffix(f".{end}") for end in wfdb.ANNOTATORS)
    return next((marks for marks in found if marks.is_file()), None)


def _of_table_or_vendor(path: Path, clock: Clock, log: ProblemLog) -> Beats | Fragment | None:
    """Return the beats of a table with time and rri_ms or of a recognised export; None for anything else.

    An export without beats may hold an electrocardiogram; then what it holds is returned.
    """
    if _is_beats_table(path):
        table = read_table(path, path.name, log)
        fragment = merge([read_beats_table(table, clock, log)], log) if table is not None else None
        return fragment.beats[0] if fragment and fragment.beats else None
    importer = recognise(path)
    if importer is None or importer.read is elite_hrv.read:  # intervals alone, which need no time of day here
        return None
    merged = merge(read_recognised(list(sources(path, log)), clock, log), log)
    if merged.beats:
        return merged.beats[0]
    if "ecg_mv" not in {series.quantity for series in merged.series} | {wave.quantity for wave in merged.waves}:
        reasons = "".join(f"; {problem}" for problem in log.problems()[:3])
        raise InputError(f"{path}: holds no intervals between heart beats{reasons}; {UNREADABLE}")
    return merged


def _is_beats_table(path: Path) -> bool:
    if path.suffix.lower() == ".parquet":
        return True
    with path.open("rb") as file:
        first = file.readline(HEAD_BYTES).decode("utf-8-sig", errors="replace").lower()
    columns = {cell.strip("\"' \r\n") for cell in first.replace(";", ",").replace("\t", ",").split(",")}
    return {"time", "rri_ms"} <= columns


def _with_beats(path: Path, beats: Beats | None, zones: Zones, problems: tuple[Problem, ...]) -> RecordedBeats:
    if beats is None or not len(beats):
        reasons = "; ".join(str(problem) for problem in problems[:3])
        raise InputError(
            f"{path}: holds no intervals between heart beats{f' ({reasons})' if reasons else ''}; {UNREADABLE}"
        )
    return RecordedBeats(None, None, beats, zones, problems)

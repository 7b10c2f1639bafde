"""WFDB records, as PhysioNet gives them: a text header (.hea), samples (.dat) and annotations (.atr and others).

A record becomes beats in the timeline only where its header says on which date it began; most public records have had
their dates removed, and then `read_signal` and `read_annotations` give what is in them on a clock of its own. Read are
formats 16 and 212, one sample a frame. Written from the published description of the formats.

References
----------
Moody G, "WFDB Applications Guide": header(5), signal(5), annot(5). https://physionet.org/physiotools/wag/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.clock import Clock
from unaji.records.merge import Fragment
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import Beats, BoolArray, FloatArray

DEFAULT_RATE_HZ = 250.0  # header(5): what a header without a rate means
DEFAULT_GAIN = 200.0  # header(5): units a millivolt when none is given
MISSING = {16: -(1 << 15), 212: -(1 << 11)}
SYMBOLS = dict(enumerate(' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r', start=0))
"""Mnemonic of each annotation code, as in annot(5); a blank where the code is not in use."""

BEAT_CODES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 30, 34, 35, 38, 41)
BREAK_CODES = (14, 31, 32, 33)  # signal quality changes; ventricular flutter: no interval is taken across these
ANNOTATORS = ("atr", "ecg", "qrs")  # tried in this order
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63

_RECORD = re.compile(
    r"(?P<name>\w+)(?P<segments>/\d+)?\s+(?P<n_signals>\d{1,3})"
    r"(?:\s+(?P<rate>\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:/\S*)?(?:\s+(?P<n_samples>\d+)"
    r"(?:\s+(?P<time>\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)(?:\s+(?P<date>\d{1,2}/\d{1,2}/\d{4}))?)?)?)?\s*"
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)\s+(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::\d+)?(?:\+(?P<offset>\d+))?"
    r"(?:\s+(?P<gain>[-+.\deE]+)(?:\((?P<baseline>-?\d+)\))?(?:/(?P<unit>\S+))?)?"
    r"(?:\s+\d+(?:\s+(?P<zero>-?\d+)(?:\s+-?\d+(?:\s+-?\d+(?:\s+\d+(?:\s+(?P<description>.*))?)?)?)?)?)?\s*"
)


@dataclass(frozen=True, slots=True)
class WfdbSignal:
    """One signal of a record: where its samples are and what they mean."""

    file: str
    format: int
    offset: int
    gain: float
    baseline: int
    unit: str
    description: str


@dataclass(frozen=True, slots=True)
class WfdbHeader:
    """What a header says.

    Attributes
    ----------
    start : datetime or None
        Wall clock of the first sample; None when the header does not say the date.
    """

    name: str
    sampling_rate_hz: float
    n_samples: int | None
    start: datetime | None
    signals: tuple[WfdbSignal, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Annotations:
    """Marks on a record.

    Attributes
    ----------
    sample : ndarray of int, shape (n,)
        Which sample each mark is at, from 0, ascending but for rare marks out of order.
    code : ndarray of int, shape (n,)
        What it marks; `SYMBOLS` has the usual mnemonics.
    """

    sample: NDArray[np.int64]
    code: NDArray[np.int64]

    @property
    def is_beat(self) -> BoolArray:
        """Which marks are heart beats, of whatever kind."""
        return np.isin(self.code, BEAT_CODES)

    @property
    def symbol(self) -> tuple[str, ...]:
        """Mnemonic of each mark, such as N for a normal beat and V for a ventricular premature one."""
        return tuple(SYMBOLS.get(int(code), " ") for code in self.code)


def read_header(path: Path) -> WfdbHeader:
    """Read a header.

    Raises
    ------
    InputError
        The file cannot be read, or is not a header that unaji can use.
    """
    return _header(_bytes_of(path), path.name)


def read_signal(path: Path, lead: int | str = 0) -> tuple[FloatArray, float]:
    """Read one signal of a record; no date is needed.

    Parameters
    ----------
    path : Path
        The header; the samples are in a file beside it.
    lead : int or str
        Which signal: its place in the header from 0, or its description.

    Returns
    -------
    signal : ndarray, shape (n,)
        In the signal's unit (mV unless the header says otherwise); NaN where a sample is marked as missing.
    sampling_rate_hz : float

    Raises
    ------
    InputError
        A file is missing or damaged, the lead is not there, or the format is not one that unaji reads.
    """
    header = read_header(path)
    names = [signal.description for signal in header.signals]
    index = lead if isinstance(lead, int) else (names.index(lead) if lead in names else -1)
    if not 0 <= index < len(names):
        raise InputError(f"{path.name}: there is no signal {lead!r}; it has {', '.join(names) or 'none'}")
    chosen = header.signals[index]
    same_file = [signal for signal in header.signals if signal.file == chosen.file]
    units = _samples(_bytes_of(path.parent / chosen.file)[chosen.offset :], chosen)
    column = units[: units.size // len(same_file) * len(same_file)].reshape(-1, len(same_file))[
        : header.n_samples, same_file.index(chosen)
    ]
    if header.n_samples and column.size < header.n_samples:
        raise InputError(
            f"{chosen.file}: {column.size:,} of the {header.n_samples:,} samples its header promises are there; "
            "download it again"
        )
    values = (column.astype(np.float64) - chosen.baseline) / chosen.gain
    values[column == MISSING[chosen.format]] = np.nan
    return values, header.sampling_rate_hz


def read_annotations(path: Path) -> Annotations:
    """Read a file of annotations; no header and no date are needed.

    Raises
    ------
    InputError
        The file cannot be read or is not of annotations.
    """
    return _annotations(_bytes_of(path), path.name)


def claims_file(head: bytes) -> bool:
    """Say whether a file is a header: a line about the record, and a line on each of its signals."""
    lines = _lines(head.decode("ascii", errors="replace"))
    record = _RECORD.fullmatch(lines[0]) if lines else None
    if record is None or record["segments"]:
        return False
    n = int(record["n_signals"])
    if n == 0:
        return record["n_samples"] is not None and len(lines) == 1 and not record["name"].isdigit()
    return len(lines) == n + 1 and all(_SIGNAL.fullmatch(line) for line in lines[1:])


def belongs(file: Source, headers: Sequence[Source]) -> bool:
    """Say whether a file is of one of these records by its name: the samples and annotations carry no mark."""
    return any(file.base_name.rpartition(".")[0] == header.base_name.removesuffix(".hea") for header in headers)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Fragment:
    """Read the beats of the records in one folder."""
    headers = [file for file in files if claims_file(file.head)]
    found = [_read_record(header, files, clock, log) for header in headers]
    return Fragment(beats=tuple(beats for beats in found if beats is not None))


def _read_record(file: Source, files: Sequence[Source], clock: Clock, log: ProblemLog) -> Beats | None:
    try:
        header = _header(file.load(), file.name)
        stem = file.base_name.removesuffix(".hea")
        beside = {other.base_name: other for other in files}
        marks = next((beside[f"{stem}.{end}"] for end in ANNOTATORS if f"{stem}.{end}" in beside), None)
        if marks is None:
            log.reject(file.name, None, "", "the record has no annotations of beats (.atr, .ecg or .qrs) beside it")
            return None
        if header.start is None:
            rule = "the header does not say on which date the record began, so its beats have no place in a timeline"
            log.reject(file.name, 1, "", f"{rule}; add the time and date (08:30:00 15/05/2024) to its first line")
            return None
        return _beats(_annotations(marks.load(), marks.name), header, header.start, clock, file.name, log)
    except InputError as error:
        if clock.zones is None:
            raise
        log.reject(file.name, None, "", str(error))
        return None


def _beats(
    marks: Annotations, header: WfdbHeader, start: datetime, clock: Clock, file: str, log: ProblemLog
) -> Beats | None:
    begun = clock.from_wall(np.array([start], dtype="datetime64[ms]"), file, log)
    early, late = clock.impossible(begun)
    if early[0] or late[0]:
        log.reject(file, 1, start.isoformat(), "the record begins before 1990 or in the future")
        return None
    sample = marks.sample[marks.is_beat]
    breaks = np.sort(marks.sample[np.isin(marks.code, BREAK_CODES)])
    sample = np.unique(sample)
    if sample.size < 2:
        log.reject(file, None, sample.size, "the record has fewer than two beats")
        return None
    at_ms = sample * (1000.0 / header.sampling_rate_hz)
    interrupted = np.diff(np.searchsorted(breaks, sample)) > 0
    keep = ~interrupted
    # A beat after an interruption ends no interval; the row after it begins a new stretch.
    gap = np.append(True, interrupted[:-1])
    time = begun[0] + np.round(at_ms[1:]).astype("timedelta64[ms]")
    return Beats(time[keep], np.diff(at_ms)[keep], gap[keep], "ecg", "no")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: the file cannot be read ({error.strerror}); check that it is there") from error


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _header(data: bytes, file: str) -> WfdbHeader:
    lines = _lines(data.decode("utf-8", errors="replace"))
    record = _RECORD.fullmatch(lines[0]) if lines else None
    if record is None:
        raise InputError(f"{file}: the first line is not that of a WFDB header (name, signals, rate); is it the .hea?")
    if record["segments"]:
        raise InputError(f"{file}: the record is made of segments; read the header of each segment instead")
    n = int(record["n_signals"])
    if len(lines) < n + 1:
        raise InputError(f"{file}: the header promises {n} signals and describes {len(lines) - 1}")
    rate_hz = float(record["rate"] or DEFAULT_RATE_HZ)
    if not rate_hz > 0.0:
        raise InputError(f"{file}: the sampling rate is {rate_hz:g}, which must be above 0 Hz")
    signals = tuple(_signal(line, file) for line in lines[1 : n + 1])
    return WfdbHeader(record["name"], rate_hz, int(record["n_samples"] or 0) or None, _start(record, file), signals)


def _start(record: re.Match[str], file: str) -> datetime | None:
    if not record["date"]:
        return None
    seconds = record["time"] if "." in record["time"] else record["time"] + ".0"
    try:
        return datetime.strptime(f"{record['date']} {seconds}", "%d/%m/%Y %H:%M:%S.%f")
    except ValueError as error:
        raise InputError(f"{file}: {record['time']} {record['date']} is not a time and a date") from error


def _signal(line: str, file: str) -> WfdbSignal:
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise InputError(f"{file}: {line[:60]!r} does not describe a signal")
    name, kind = found["file"], int(found["format"])
    if not re.fullmatch(r"[\w-][\w.-]*", name):
        raise InputError(f"{file}: the samples must be in a file beside the header, found {name[:60]!r}")
    if kind not in MISSING or int(found["per_frame"] or 1) != 1:
        raise InputError(
            f"{file}: samples of format {found['format']} with {found['per_frame'] or 1} a frame are not read; "
            "convert the record to format 16 with xform"
        )
    zero = int(found["zero"] or 0)
    baseline = zero if found["baseline"] is None else int(found["baseline"])
    try:
        gain = float(found["gain"] or 0.0) or DEFAULT_GAIN
    except ValueError as error:
        raise InputError(f"{file}: {found['gain']!r} is not a gain") from error
    description = (found["description"] or "").strip()
    return WfdbSignal(name, kind, int(found["offset"] or 0), gain, baseline, found["unit"] or "mV", description)


def _samples(data: bytes, signal: WfdbSignal) -> NDArray[np.int16]:
    """Return all samples of a file in order, those of several signals interleaved."""
    if signal.format == 16:
        return np.frombuffer(data, dtype="<i2", count=len(data) // 2)
    # Format 212: two 12-bit samples in three bytes; the middle one holds the high bits of both.
    triples = np.frombuffer(data, dtype=np.uint8, count=len(data) // 3 * 3).reshape(-1, 3).astype(np.int16)
    pairs = np.empty((len(triples), 2), dtype=np.int16)
    pairs[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    pairs[:, 1] = triples[:, 2] | (triples[:, 1] & 0xF0) << 4
    return ((pairs ^ 0x800) - 0x800).reshape(-1)  # the twelfth bit is the sign


def _annotations(data: bytes, file: str) -> Annotations:
    """Decode words of 6 bits code and 10 bits time since the mark before."""
    words = np.frombuffer(data, dtype="<u2", count=len(data) // 2)
    samples: list[int] = []
    codes: list[int] = []
    at = i = 0
    while i < words.size:
        code, low = int(words[i]) >> 10, int(words[i]) & 0x3FF
        i += 1
        if code == 0 and low == 0:
            return Annotations(np.array(samples, dtype=np.int64), np.array(codes, dtype=np.int64))
        if code == SKIP and i + 1 < words.size:  # a long pause, high word first
            pause = int(words[i]) << 16 | int(words[i + 1])
            at += pause - (1 << 32) if pause >> 31 else pause
            i += 2
        elif code == AUX:
            i += (low + 1) // 2
        elif code not in (NUM, SUB, CHN):
            at += low
            samples.append(at)
            codes.append(code)
    raise InputError(f"{file}: the annotations break off, or it is not a file of WFDB annotations; download it again")

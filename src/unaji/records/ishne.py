"""ISHNE Holter recordings: a fixed header, then 16-bit samples of all leads in turn (.ecg) or marked beats (.ann).

There are no beats in the first kind; `unaji.signals.ecg` finds them. One lead is enough for that, and the first is
stored. The second kind says of each mark how many samples after the one before it is and what it marks; marks that are
no beats part the rhythm. The person's names in the header are not read.

References
----------
Badilini F, "The ISHNE Holter standard output file format", Ann Noninvasive Electrocardiol, 1998;3:263-266.
doi:10.1111/j.1542-474X.1998.tb00353.x
"ISHNE Holter annotation file format", Telemetric and Holter ECG Warehouse (thew-project.org, papers/ishneAnn.pdf).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.batch import Batch, Device, Kind
from unaji.records.clock import Clock
from unaji.records.door import Door, each_file
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray
from unaji.records.waveform import BLOCK, Waveform, offsets_min

MAGIC = b"ISHNE1.0"
MARKS_MAGIC = b"ANN  1.0"
HEADER_BYTES = 522
MOST_LEADS = 12
NOT_RECORDED = -(1 << 15)
NV_PER_MV = 1e6

MARK = np.dtype([("label", "S1"), ("detail", "S1"), ("since", "<u2")])
"""A mark: what it marks, the maker's own detail, samples since the mark before."""

BEATS = (b"N", b"V", b"S", b"B", b"P", b"U")
"""Normal, ventricular, supraventricular, bundle branch block, paced, of unknown kind."""

TIMEOUT = b"!"
"""Marks nothing: more samples passed than one mark can count."""

LARGEST_MARKS = 64 << 20  # bytes: sixteen million beats

NO_DATE = "the file does not say on which day it was recorded, so it cannot be placed; `unaji hrv` reads it as it is"


@dataclass(frozen=True, slots=True)
class IshneHeader:
    """What the header says of the recording, and nothing of the person.

    Attributes
    ----------
    start : datetime or None
        Wall clock of the first sample; None when the date is not a date.
    resolution_nv : tuple of int
        Nanovolts a unit, one a lead.
    first_sample, first_mark : int
        Where the samples begin in the file, or the marks.
    """

    sampling_rate_hz: float
    n_samples: int
    start: datetime | None
    resolution_nv: tuple[int, ...]
    first_sample: int
    first_mark: int


def read_signal(path: Path, lead: int = 0) -> tuple[FloatArray, IshneHeader]:
    """Read one lead.

    Parameters
    ----------
    lead : int
        Which, from 0.

    Returns
    -------
    signal : ndarray, shape (n_samples,)
        Millivolts; NaN where the recorder marked a sample as not recorded.
    header : IshneHeader

    Raises
    ------
    InputError
        The file cannot be read, is not of this format or is damaged, or there is no such lead.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: the file cannot be read ({error.strerror}); check that it is there") from error
    header = _header(data, len(data), path.name)
    n_leads = len(header.resolution_nv)
    if not 0 <= lead < n_leads:
        raise InputError(f"{path.name}: there is no lead {lead}; it has {n_leads}, counted from 0")
    samples = np.frombuffer(data, dtype="<i2", offset=header.first_sample, count=header.n_samples * n_leads)
    units = samples.reshape(-1, n_leads)[:, lead]
    return _millivolts(units, header.resolution_nv[lead]), header


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as such a recording or its marks do."""
    return head.startswith((MAGIC, MARKS_MAGIC))


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the first lead of each recording, and the beats of each file of marks.

    Raises
    ------
    InputError
        The start is a wall clock, and nobody has said in which time zone.
    """
    return each_file(files, clock, log, _read_file)


def _read_file(file: Source, door: Door) -> Iterator[Batch]:
    return _marked_beats(file, door) if file.head.startswith(MARKS_MAGIC) else _first_lead(file, door)


def _first_lead(file: Source, door: Door) -> Iterator[Batch]:
    header = _fixed_part(file.head, file.name)
    start_ms = _start_ms(header, door)
    if start_ms is None:
        return
    n_leads = len(header.resolution_nv)
    if n_leads > 1:
        rule = "leads were recorded; the first was stored, since one is enough to find the beats"
        door.log.remark(file.name, None, n_leads, rule)
    n_samples = _n_samples(header, file.size, file.name, door.log)
    device = Device("ishne", "ecg", name=f"{n_leads} leads {header.sampling_rate_hz:g}", site="chest")
    wave = Waveform(door, "ecg_mv", device, header.sampling_rate_hz)
    wave.begin(start_ms)
    with file.open() as opened:
        opened.seek(header.first_sample)
        for first in range(0, n_samples, BLOCK):
            wanted = min(BLOCK, n_samples - first)
            data = opened.read(2 * n_leads * wanted)
            n = len(data) // (2 * n_leads)
            units = np.frombuffer(data, dtype="<i2", count=n * n_leads).reshape(n, n_leads)[:, 0]
            yield from wave.feed(_millivolts(units, header.resolution_nv[0]))
            if n < wanted:  # an archive said that there was more
                door.log.reject(file.name, None, n, "the file ends before its last sample; copy it again")
                break
    wave.finish()


def _n_samples(header: IshneHeader, size: int, file: str, log: ProblemLog) -> int:
    """Return how many samples of a lead to read: those that are there, but not more than the header promises."""
    n_leads = len(header.resolution_nv)
    n_there = max(size - header.first_sample, 0) // (2 * n_leads)
    if header.n_samples <= 0:  # -9: not used
        return n_there
    if header.n_samples not in (n_there, n_there * n_leads):
        rule = f"the header promises {header.n_samples:,} samples and {n_there:,} a lead are there; what is was read"
        log.reject(file, None, header.n_samples, rule)
    return min(n_there, header.n_samples)


def _marked_beats(file: Source, door: Door) -> Iterator[Batch]:
    header = _fixed_part(file.head, file.name)
    start_ms = _start_ms(header, door)
    if start_ms is None:
        return
    with file.open() as opened:
        opened.seek(header.first_mark)
        data = opened.read(LARGEST_MARKS)
    if len(data) < 4 + MARK.itemsize:
        raise InputError(f"{file.name}: there are no marks behind the header; copy it again")
    marks = np.frombuffer(data, dtype=MARK, offset=4, count=(len(data) - 4) // MARK.itemsize)
    sample = int.from_bytes(data[:4], "little") + np.cumsum(marks["since"], dtype=np.int64)
    said = marks["label"] != TIMEOUT
    label, sample = marks["label"][said], sample[said]
    is_beat = np.isin(label, BEATS)
    others = int((~is_beat).sum())
    if others:
        rule = "marks are no beats (artefacts, pulses of calibration, unknown labels); the rhythm is parted there"
        door.log.remark(file.name, None, others, rule)
    follows = np.append(False, is_beat[:-1])[: is_beat.size]  # an interval needs a beat at both of its ends
    ends = is_beat & follows
    rri_ms = np.diff(sample, prepend=0) * (1000.0 / header.sampling_rate_hz)
    twice = ends & (rri_ms <= 0)
    door.left_out(twice, sample, "a beat is marked at the same sample as the one before it; it was left out")
    keep = ends & ~twice
    parted = np.append(True, ~keep[:-1])[: keep.size]
    time = np.round(start_ms + sample[keep] * (1000.0 / header.sampling_rate_hz))
    stamps = time.astype(np.int64).astype("datetime64[ms]")
    yield from door.batch(
        "rri_ms", Device("ishne", "ecg", origin="ecg", corrected="unknown"), stamps, rri_ms[keep], kind=Kind.BEATS,
        gap=parted[keep], zone_min=offsets_min(door.clock, stamps),
    )  # fmt: skip


def _start_ms(header: IshneHeader, door: Door) -> float | None:
    """Return the instant of the first sample; None, with the reason noted, where the file has lost it."""
    if header.start is None:
        door.log.reject(door.file, None, "", NO_DATE)
        return None
    wall = np.array([header.start], dtype="datetime64[ms]")
    return float(door.clock.from_wall(wall, door.file, door.log).astype(np.int64)[0])


def _millivolts(units: NDArray[np.int16], resolution_nv: int) -> FloatArray:
    signal: FloatArray = units.astype(np.float64) * (resolution_nv / NV_PER_MV)
    signal[units == NOT_RECORDED] = np.nan
    return signal


def _header(data: bytes, size: int, file: str) -> IshneHeader:
    """Read the header of a recording whose size must be what it promises."""
    if not data.startswith(MAGIC):
        raise InputError(f"{file}: the file does not begin with {MAGIC.decode()}; is it a Holter's .ecg?")
    header = _fixed_part(data, file)
    n_leads = len(header.resolution_nv)
    n_there, left_over = divmod(size - header.first_sample, 2 * n_leads)
    # Some recorders count the samples of one lead, others those of all leads together.
    if left_over or (header.n_samples > 0 and header.n_samples not in (n_there, n_there * n_leads)):
        n_said = header.n_samples
        raise InputError(
            f"{file}: the header promises {n_said:,} samples and {max(n_there, 0):,} a lead are there; copy it again"
        )
    return replace(header, n_samples=n_there)


def _fixed_part(data: bytes, file: str) -> IshneHeader:
    """Read a header as it is, also of a file of marks."""
    if not data.startswith((MAGIC, MARKS_MAGIC)) or len(data) < HEADER_BYTES:
        raise InputError(f"{file}: the file does not begin with the header of a Holter's; copy it again")
    n_variable, n_said, first_sample = struct.unpack_from("<2i4xi", data, 10)
    day, month, year, hour, minute, second, n_leads = struct.unpack_from("<3h6x4h", data, 138)
    resolution_nv = struct.unpack_from(f"<{MOST_LEADS}h", data, 206)[: max(n_leads, 0)]
    (rate_hz,) = struct.unpack_from("<h", data, 272)
    has_samples = data.startswith(MAGIC)  # marks may stand alone, their header saying little of leads
    no_leads = not 1 <= n_leads <= MOST_LEADS or first_sample < HEADER_BYTES or min(resolution_nv) <= 0
    if rate_hz <= 0 or (has_samples and no_leads):
        raise InputError(
            f"{file}: the header says {n_leads} leads at {rate_hz} Hz from byte {first_sample} on, which cannot be; "
            "export the recording again"
        )
    try:
        start = datetime(year, month, day, hour, minute, second)
    except ValueError:
        start = None
    first_mark = HEADER_BYTES + max(n_variable, 0)
    return IshneHeader(float(rate_hz), n_said, start, tuple(resolution_nv), first_sample, first_mark)

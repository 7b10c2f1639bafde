"""EDF, EDF+ and BDF recordings of sleep laboratories and monitors: a header in ASCII, then data records of all signals.

Of each signal the header says label, physical dimension, the range of its numbers and what they mean, and how many
samples a data record holds. Which quantity a signal is follows from its label, by the standard texts of EDF+ and the
words that devices use beside them; its unit only from the dimension it declares. A signal whose label or dimension is
not known here is told by its label and left out; of several of one quantity, the first is taken. Patient and recording
are not read.

The start is a wall clock without zone, its year of two digits (85 is 1985). In a discontinuous recording (EDF+D) each
data record says itself when it began; one that began before the end of an earlier one is left out and told. Files are
read a few records at a time; none is ever unpacked to disk, which the libraries for this format would need, since they
read paths.

References
----------
Kemp B, Olivan J, "European data format 'plus' (EDF+), an EDF alike standard format for the exchange of physiological
data", Clin Neurophysiol, 2003;114:1755-1761. doi:10.1016/S1388-2457(03)00123-8
Standard texts: edfplus.info/specs/edftexts.html. BDF: 24-bit samples, biosemi.com/faq/file_format.htm.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from unaji.errors import InputError
from unaji.records.batch import Batch, Device
from unaji.records.clock import Clock
from unaji.records.door import Door, each_file
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import FloatArray
from unaji.records.waveform import Waveform

EDF, BDF = b"0       ", b"\xffBIOSEMI"
FIXED = 256
"""Bytes of the header's first part; each signal adds as many."""

WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
"""Bytes a signal of label, transducer, dimension, physical and digital limits, prefiltering, samples, reserved."""

READ_BYTES = 4 << 20
LARGEST_RECORD = 64 << 20
LONGEST_RECORD_S = 100_000.0
LARGEST_LIMIT = 1e12
"""No physical limit is beyond this."""

ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
FIRST_YEAR = 85
"""Two digits of a year from here on are of the last century (EDF+ specification, 2.1.3.2)."""

SAME_MS = 0.5
"""A data record that begins as near to the end of the one before as this follows it."""

_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)\x14")

VOLTS: Mapping[str, float] = {"V": 1e3, "mV": 1.0, "uV": 1e-3, "nV": 1e-6}
PER_MINUTE: Mapping[str, float] = {"1/min": 1.0, "/min": 1.0, "bpm": 1.0, "BPM": 1.0, "1/s": 60.0, "Hz": 60.0}
CELSIUS: Mapping[str, float] = {"degC": 1.0, "C": 1.0, "°C": 1.0}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What signals with certain labels are.

    Attributes
    ----------
    label : str
        Pattern of the label, in lower case.
    units : dict of str to float
        Dimensions that the quantity may come in, and what they are multiplied by; empty where any will do.
    """

    label: str
    quantity: str
    units: Mapping[str, float]
    role: str = ""
    site: str = ""


MEANINGS = (
    Meaning(r"e[ck]g", "ecg_mv", VOLTS, "ecg", "chest"),
    Meaning(r"sao2|spo2|osat", "spo2_pct", {"%": 1.0}),
    Meaning(r"(temp|temperature)\W+skin|skin\W*temp", "skin_temp_c", CELSIUS),
    Meaning(r"(temp|temperature)\W+(core|rectal|esoph\w*|oesoph\w*)|core\W*temp", "core_temp_c", CELSIUS),
    Meaning(r"(temp|temperature)\W+(body|oral|axill\w*|ear)|body\W*temp", "body_temp_c", CELSIUS),
    Meaning(r"gsr|eda|scl|skin\W*cond", "scl_microsiemens", {"uS": 1.0, "nS": 1e-3, "mS": 1e3, "S": 1e6}),
    Meaning(r"hr$|hr\W|heart\W*rate|pulse|puls$", "hr_bpm", PER_MINUTE),
    Meaning(r"resp\w*\W*rate|rr$", "resp_rate_bpm", PER_MINUTE),
    Meaning(r"pleth|ppg|bvp", "bvp", {}),
)


@dataclass(frozen=True, slots=True)
class Signal:
    """What the header says of a signal.

    Attributes
    ----------
    first : int
        Where its samples begin in a data record, in samples.
    """

    label: str
    dimension: str
    physical: tuple[float, float]
    digital: tuple[int, int]
    n_samples: int
    first: int

    @property
    def says_what_it_means(self) -> bool:
        """Whether its numbers can be told in its dimension."""
        known = all(abs(limit) <= LARGEST_LIMIT for limit in self.physical)  # False for NaN
        return known and self.digital[0] < self.digital[1] and self.n_samples > 0


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says, and nothing of the person.

    Attributes
    ----------
    start : datetime64[ms]
        Wall clock of the first data record.
    n_records : int
        -1 where the recorder was cut off before it could say.
    sample_bytes : int
        2 in EDF, 3 in BDF.
    """

    start: np.datetime64
    n_records: int
    record_s: float
    discontinuous: bool
    sample_bytes: int
    signals: tuple[Signal, ...]

    @property
    def n_samples(self) -> int:
        """Samples in a data record, of all signals."""
        return sum(signal.n_samples for signal in self.signals)

    @property
    def data_begins(self) -> int:
        """Where the first data record begins in the file."""
        return FIXED * (1 + len(self.signals))


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as EDF or BDF: the version, and a header as long as its signals need."""
    if not head.startswith((EDF, BDF)):
        return False
    n_bytes, n_signals = _whole(head[184:192]), _whole(head[252:256])
    return n_bytes is not None and n_signals is not None and n_signals > 0 and n_bytes == FIXED * (1 + n_signals)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the signals that are known here.

    Raises
    ------
    InputError
        The start is a wall clock, and nobody has said in which time zone.
    """
    return each_file(files, clock, log, _read_file)


def _read_file(file: Source, door: Door) -> Iterator[Batch]:
    with file.open() as opened:
        header = read_header(opened, file.size, file.name)
        n_records = _n_records(header, file.size, file.name, door.log)
        wall = np.array([header.start], dtype="datetime64[ms]")
        start_ms = float(door.clock.from_wall(wall, file.name, door.log).astype(np.int64)[0])
        channels = [_Channel(signal, meaning, header, door) for signal, meaning in _known(header, file.name, door.log)]
        if not channels:
            return
        timekeeper = _Timekeeper(header, start_ms)
        for records in _records(opened, header, n_records, file.name, door.log):
            for first, last, stretch_ms in timekeeper.stretches(records):
                for channel in channels:
                    if stretch_ms is not None:
                        channel.wave.begin(stretch_ms)
                    yield from channel.feed(records[first:last])
    for channel in channels:
        channel.wave.finish()
    if timekeeper.silent:
        rule = "data records do not say when they began; they were taken to follow the ones before"
        door.log.remark(file.name, None, timekeeper.silent, rule, lost=True)
    if timekeeper.back:
        rule = "data records lie in the time of earlier ones (the clock was set back); these were left out"
        door.log.reject(file.name, None, timekeeper.back, rule, count=timekeeper.back)


def read_header(opened: BinaryIO, size: int, file: str) -> Header:
    """Read the header of a file, leaving it at the first data record.

    Parameters
    ----------
    size : int
        Bytes of the file.

    Raises
    ------
    InputError
        It is not of this format, damaged, or promises more than a file of this size can hold.
    """
    fixed = opened.read(FIXED)
    if not claims_file(fixed):
        raise InputError(f"{file}: the file does not begin with a header of EDF or BDF; export the recording again")
    n_signals = _whole(fixed[252:256]) or 0
    if FIXED * (1 + n_signals) > size:
        raise InputError(f"{file}: the header promises {n_signals} signals and ends before; copy it again")
    signals = _signals(opened.read(FIXED * n_signals), n_signals, file)
    n_records, record_s = _whole(fixed[236:244]), _number(fixed[244:252])
    if n_records is None or not 0 < record_s <= LONGEST_RECORD_S:
        raise InputError(
            f"{file}: the header says that there are {_text(fixed[236:244])!r} data records of "
            f"{_text(fixed[244:252])!r} s; both must be numbers, the length above 0 and at most {LONGEST_RECORD_S:g}"
        )
    header = Header(
        _start(fixed, file), n_records, record_s, fixed[192:197] in (b"EDF+D", b"BDF+D"),
        3 if fixed.startswith(BDF) else 2, signals,
    )  # fmt: skip
    if not 0 < header.n_samples * header.sample_bytes <= LARGEST_RECORD:
        raise InputError(f"{file}: a data record would hold {header.n_samples:,} samples, which cannot be")
    return header


def _signals(data: bytes, n: int, file: str) -> tuple[Signal, ...]:
    """Read the second part of the header: each field of all signals, one field after the other."""
    if len(data) < FIXED * n:
        raise InputError(f"{file}: the header ends before its last signal; copy it again")
    fields: list[list[bytes]] = []
    at = 0
    for width in WIDTHS:
        fields.append([data[at + k * width : at + (k + 1) * width] for k in range(n)])
        at += n * width
    labels, _, dimensions, low, high, first_digital, last_digital, _, samples, _ = fields
    signals: list[Signal] = []
    first = 0
    for k in range(n):
        n_samples = _whole(samples[k])
        if n_samples is None or n_samples < 0:
            raise InputError(f"{file}: signal {k + 1} holds {_text(samples[k])!r} samples a record, which is no number")
        digital = (_whole(first_digital[k]) or 0, _whole(last_digital[k]) or 0)
        signals.append(
            Signal(
                _text(labels[k]), _text(dimensions[k]), (_number(low[k]), _number(high[k])), digital, n_samples, first
            )
        )
        first += n_samples
    return tuple(signals)


def _start(fixed: bytes, file: str) -> np.datetime64:
    date, time = (re.findall(r"\d{1,2}", _text(field)) for field in (fixed[168:176], fixed[176:184]))
    if len(date) == len(time) == 3:
        (day, month, year), (hour, minute, second) = date, time
        century = 1900 if int(year) >= FIRST_YEAR else 2000
        try:
            return np.datetime64(
                f"{century + int(year)}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}", "ms"
            )
        except ValueError:
            pass
    raise InputError(
        f"{file}: the header says that it began on {_text(fixed[168:176])!r} at {_text(fixed[176:184])!r}; a day and a "
        "time are needed to place it"
    )


def _n_records(header: Header, size: int, file: str, log: ProblemLog) -> int:
    """Return how many data records to read: those that are there, but not more than the header promises."""
    n_there = max(size - header.data_begins, 0) // (header.n_samples * header.sample_bytes)
    if header.n_records <= 0:  # not known when the header was written
        return n_there
    if n_there > header.n_records:
        rule = (
            f"the header promises {header.n_records:,} data records and {n_there:,} are there; the others were left out"
        )
        log.reject(file, None, n_there, rule, count=n_there - header.n_records)
    if n_there < header.n_records:
        rule = f"the header promises {header.n_records:,} data records and {n_there:,} are there; those were read"
        log.reject(file, None, header.n_records, rule)
    return min(n_there, header.n_records)


def _known(header: Header, file: str, log: ProblemLog) -> Iterator[tuple[Signal, tuple[Meaning, float]]]:
    """Give one signal of each quantity, with its meaning and what its dimension is multiplied by."""
    taken: set[str] = set()
    for signal in header.signals:
        if signal.label in ANNOTATIONS:
            continue
        meaning = next((one for one in MEANINGS if re.match(one.label, signal.label.lower())), None)
        factor = None if meaning is None else _factor(meaning, signal.dimension)
        if meaning is None:
            why = "its label is not one that unaji knows"
        elif factor is None:
            why = f"its dimension {signal.dimension!r} is none of {', '.join(meaning.units)}"
        elif not signal.says_what_it_means:
            why = "the header does not say what its numbers mean"
        elif meaning.quantity in taken:
            why = "an earlier signal is of the same quantity; that one was taken"
        else:
            taken.add(meaning.quantity)
            yield signal, (meaning, factor)
            continue
        log.remark(file, None, signal.label, f"a signal was left out: {why}", lost=True)


def _factor(meaning: Meaning, dimension: str) -> float | None:
    if not meaning.units:
        return 1.0
    return meaning.units.get(dimension.replace("µ", "u").replace("μ", "u"), meaning.units.get(dimension))


class _Channel:
    """One signal on its way to the store."""

    def __init__(self, signal: Signal, meaning: tuple[Meaning, float], header: Header, door: Door) -> None:
        (what, factor), (low, high) = meaning, signal.physical
        self._where = slice(signal.first, signal.first + signal.n_samples)
        self._digital = signal.digital
        first, last = signal.digital
        self._gain = factor * (high - low) / (last - first)
        self._zero = factor * low - self._gain * first
        rate_hz = signal.n_samples / header.record_s
        # Two recorders of the same hours are two devices; a copy without the patient's name is the same one.
        device = Device("edf", what.role or "monitor", name=f"{signal.label} {rate_hz:g}", site=what.site)
        self.wave = Waveform(door, what.quantity, device, rate_hz)

    def feed(self, records: np.ndarray) -> Iterator[Batch]:
        numbers = records[:, self._where].reshape(-1)
        value: FloatArray = numbers * self._gain + self._zero
        value[(numbers < self._digital[0]) | (numbers > self._digital[1])] = np.nan
        return self.wave.feed(value)


class _Stretches:
    """The time that was read, in stretches that do not touch: one record with a wrong onset costs no other."""

    def __init__(self) -> None:
        self._begins_ms: list[float] = []
        self._ends_ms: list[float] = []

    def take(self, begin_ms: float, end_ms: float) -> bool:
        """Add a stretch; False, and nothing is added, where part of it was read before."""
        after = bisect_right(self._begins_ms, begin_ms + SAME_MS)
        if after and self._ends_ms[after - 1] > begin_ms + SAME_MS:
            return False
        if after < len(self._begins_ms) and self._begins_ms[after] < end_ms - SAME_MS:
            return False
        if after and self._ends_ms[after - 1] >= begin_ms - SAME_MS:
            self._ends_ms[after - 1] = end_ms
        else:
            self._begins_ms.insert(after, begin_ms)
            self._ends_ms.insert(after, end_ms)
        return True


class _Timekeeper:
    """Knows when data records begin: one after the other, or as each of them says."""

    def __init__(self, header: Header, start_ms: float) -> None:
        own = next((one for one in header.signals if one.label in ANNOTATIONS and one.n_samples), None)
        self._where = None if own is None else slice(own.first, own.first + own.n_samples)
        self._header, self._start_ms = header, start_ms
        self._at_ms: float | None = None  # where the next record begins if it does not say so itself
        self._wave_ms = np.nan  # where the last record that was read ends, if that was the last of all so far
        self._kept = _Stretches()
        self.silent = self.back = 0

    def stretches(self, records: np.ndarray) -> Iterator[tuple[int, int, float | None]]:
        """Give stretches of records that follow each other: the first, beyond the last, and when it begins [ms].

        The latter is None where the records follow those of the last call. Records in whose time others were read
        already are in no stretch: two values cannot be of one instant.
        """
        length_ms = 1000.0 * self._header.record_s
        begins_ms = self._begins_ms(records, length_ms)
        expected_ms = np.append(self._wave_ms, begins_ms[:-1] + length_ms)
        new = ~(np.abs(begins_ms - expected_ms) <= SAME_MS)
        firsts = np.flatnonzero(new | (np.arange(len(records)) == 0))
        for first, last in zip(firsts, np.append(firsts[1:], len(records)), strict=True):
            if not np.isnan(begins_ms[first]):
                yield int(first), int(last), float(begins_ms[first]) if new[first] else None
        self._wave_ms = float(begins_ms[-1]) + length_ms

    def _begins_ms(self, records: np.ndarray, length_ms: float) -> FloatArray:
        """Return when records begin; NaN where earlier ones were of the same time."""
        at_ms = self._at_ms
        if at_ms is None:
            at_ms = self._said_ms(records[0]) or self._start_ms  # a start between two seconds is said there
        if not self._header.discontinuous:
            self._at_ms = at_ms + length_ms * len(records)
            return at_ms + length_ms * np.arange(len(records), dtype=np.float64)
        begins_ms = np.empty(len(records))
        for k, record in enumerate(records):
            said_ms = self._said_ms(record)
            self.silent += said_ms is None
            begins_ms[k] = at_ms if said_ms is None else said_ms
            at_ms = float(begins_ms[k]) + length_ms
            if not self._kept.take(float(begins_ms[k]), at_ms):
                self.back += 1
                begins_ms[k] = np.nan
        self._at_ms = at_ms
        return begins_ms

    def _said_ms(self, record: np.ndarray) -> float | None:
        """Return when a record began by its first annotation; None where it does not say."""
        if self._where is None:
            return None
        wide = record[self._where].astype("<i4").view(np.uint8).reshape(-1, 4)
        text = wide[:, : self._header.sample_bytes].tobytes()  # the bytes beyond are only the sign
        match = _ONSET.match(text)
        return None if match is None else self._start_ms + 1000.0 * float(match[1])


def _records(opened: BinaryIO, header: Header, n_records: int, file: str, log: ProblemLog) -> Iterator[np.ndarray]:
    """Give the data records as whole numbers, shape (n, samples in a record), some MB at a time."""
    record_bytes = header.n_samples * header.sample_bytes
    at_once = max(1, READ_BYTES // record_bytes)
    for first in range(0, n_records, at_once):
        wanted = min(at_once, n_records - first)
        data = opened.read(wanted * record_bytes)
        n = len(data) // record_bytes
        if n:
            yield _whole_numbers(data[: n * record_bytes], header.sample_bytes).reshape(n, header.n_samples)
        if n < wanted:  # an archive said that there was more
            log.reject(file, None, first + n, "the file ends before its last data record; copy it again")
            return


def _whole_numbers(data: bytes, sample_bytes: int) -> np.ndarray:
    if sample_bytes == 2:
        return np.frombuffer(data, dtype="<i2")
    wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
    wide[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0] >> 8


def _text(field: bytes) -> str:
    return field.decode("latin-1").strip(" \0")


def _whole(field: bytes) -> int | None:
    """Return a field that is a whole number; None where it is none."""
    field = field.strip(b"\0 ")
    return int(field) if re.fullmatch(rb"[+-]?\d{1,9}", field) else None


def _number(field: bytes) -> float:
    """Return a field that is a number, also with a decimal comma; NaN where it is none."""
    try:
        return float(_text(field).replace(",", "."))
    except ValueError:
        return float("nan")

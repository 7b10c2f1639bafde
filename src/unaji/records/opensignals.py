"""OpenSignals text files of BITalino and biosignalsplux: three header lines, then one sample of all channels a line.

The second header line is JSON: a device's address, and of it date and time on the wall clock (neither padded with
zeros), the sampling rate, the columns, what is measured in which of them, and with how many bits. The first column of a
device counts its packets, on BITalino with four bits only: a jump shows that packets were lost and how many, modulo
sixteen, and the time of all that follows is kept right.

The samples are what the converter gave. Of what is measured in unaji's quantities, the maker's data sheets give the
laws for the electrocardiogram and skin conductance; other sensors, other devices, and files whose values OpenSignals
has converted already (they do not say to which unit) are left out by name. The device's address is not read.

References
----------
PLUX, "Electrocardiography (ECG) Sensor Data Sheet" for BITalino, and "Electrodermal Activity (EDA) User Manual" for
BITalino (r)evolution, 2020: 3.3 V, gain 1100; 0.132 V/µS.
PLUX, "Transfer Functions: Converting digital sensor data into physical units", support.pluxbiosignals.com, 2022:
biosignalsplux, 3 V, gain 1019 (sheets before 2016 say 1000). Its skin conductance, 0.12 V/µS: as in the library
timeflux_plux, transfer.py.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.batch import Batch, Device
from unaji.records.clock import Clock
from unaji.records.door import Door, each_file
from unaji.records.problems import ProblemLog
from unaji.records.source import Source
from unaji.records.timeline import BoolArray, FloatArray
from unaji.records.waveform import Waveform

MAGIC = b"# OpenSignals Text File Format"
END_OF_HEADER = b"# EndOfHeader"
BLOCK_BYTES = 1 << 19
LONGEST_HEADER = 1 << 20
MOST_COLUMNS = 64
FASTEST_HZ = 10_000.0
MOST_LOST = 5_000_000
"""More packets than these were never lost within one block: then the column does not count."""

COUNTER = "nSeq"
LARGEST_COUNT = 2.0**40
EDA_SINCE_FIRMWARE = 5.0
"""Boards before it measure the resistance of the skin, by another law."""


@dataclass(frozen=True, slots=True)
class Law:
    """From the converter's count to a quantity: ``(count / 2^bits - zero) * volts * per_volt``."""

    quantity: str
    zero: float
    volts: float
    per_volt: float

    def of(self, counts: FloatArray, bits: int) -> FloatArray:
        """Return counts of so many bits in the quantity's unit."""
        value: FloatArray = (counts / 2.0**bits - self.zero) * (self.volts * self.per_volt)
        return value


BITALINO = {
    "ECG": Law("ecg_mv", 0.5, 3.3, 1000 / 1100),
    "EDA": Law("scl_microsiemens", 0.0, 3.3, 1 / 0.132),
}
BIOSIGNALSPLUX = {
    "ECG": Law("ecg_mv", 0.5, 3.0, 1000 / 1019),
    "EDA": Law("scl_microsiemens", 0.0, 3.0, 1 / 0.12),
}
LAWS = {
    "bitalino": BITALINO,
    "bitalino_rev": BITALINO,
    "biosignalsplux": BIOSIGNALSPLUX,
    "channeller": BIOSIGNALSPLUX,
}

_DATE, _TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$"), re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class _Channel:
    column: int
    bits: int
    law: Law


@dataclass(frozen=True, slots=True)
class _Recorder:
    """One device of a file.

    Attributes
    ----------
    start : datetime64[ms]
        Wall clock of the first sample.
    counter : int or None
        The column that counts packets.
    counter_bits : int or None
        After how many bits it begins anew; None where the header does not say.
    """

    start: np.datetime64
    rate_hz: float
    counter: int | None
    counter_bits: int | None
    channels: tuple[_Channel, ...]


def claims_file(head: bytes) -> bool:
    """Say whether a file begins as OpenSignals' do."""
    return head.startswith(MAGIC)


def read(files: Sequence[Source], clock: Clock, log: ProblemLog) -> Iterator[Batch]:
    """Read the channels whose law is known, of all devices of each file.

    Raises
    ------
    InputError
        The start is a wall clock, and nobody has said in which time zone.
    """
    return each_file(files, clock, log, _read_file)


def _read_file(file: Source, door: Door) -> Iterator[Batch]:
    with file.open() as opened:
        recorders, width = _recorders(_header(opened, file.name), file.name, door.log)
        streams = [_Stream(one, k if len(recorders) > 1 else 0, door) for k, one in enumerate(recorders, start=1)]
        if not any(one.channels for one in recorders):
            return
        for rows in _blocks(opened, width, file.name):
            for stream in streams:
                yield from stream.feed(rows)
    for stream in streams:
        stream.finish()


def _header(opened: BinaryIO, file: str) -> dict[str, Any]:
    """Return what the header says, leaving the file at its first sample."""
    opened.readline(LONGEST_HEADER)
    told = opened.readline(LONGEST_HEADER).lstrip(b"# ")
    if not opened.readline(LONGEST_HEADER).startswith(END_OF_HEADER):
        raise InputError(f"{file}: the header is not of three lines; export the recording again")
    try:
        header = msgspec.json.decode(told, type=dict[str, dict[str, Any]])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: the second line is not the JSON of a header; export the recording again") from error
    if not header:
        raise InputError(f"{file}: the header names no device; export the recording again")
    return header


def _recorders(header: dict[str, dict[str, Any]], file: str, log: ProblemLog) -> tuple[list[_Recorder], int]:
    """Return the devices, and how many columns all of them have together."""
    recorders: list[_Recorder] = []
    width = 0
    for told in header.values():
        columns = _words(told.get("column"))
        if not columns:
            raise InputError(f"{file}: the header does not name its columns, as it did not before 2016")
        recorders.append(_recorder(told, columns, width, file, log))
        width += len(columns)
    if width > MOST_COLUMNS:
        raise InputError(f"{file}: the header names {width} columns; there must not be more than {MOST_COLUMNS}")
    return recorders, width


def _recorder(told: dict[str, Any], columns: list[str], before: int, file: str, log: ProblemLog) -> _Recorder:
    rate_hz = told.get("sampling rate")
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float) or not 0 < rate_hz <= FASTEST_HZ:
        raise InputError(f"{file}: the sampling rate is {rate_hz!r}; it must be a number of samples a second")
    bits = _bits(told, columns)
    has_counter = columns[0] == COUNTER
    return _Recorder(
        start=_start(told, file),
        rate_hz=float(rate_hz),
        counter=before if has_counter else None,
        counter_bits=bits.get(COUNTER) if has_counter else None,
        channels=tuple(_channels(told, columns, bits, before, file, log)),
    )


def _channels(
    told: dict[str, Any], columns: list[str], bits: dict[str, int], before: int, file: str, log: ProblemLog
) -> Iterator[_Channel]:
    """Give one channel of each quantity; tell why the others are left out."""
    device, taken = str(told.get("device", "")).lower(), set[str]()
    for label, sensor in zip(_words(told.get("label")), _words(told.get("sensor")), strict=False):
        law = LAWS.get(device, {}).get(sensor.upper())
        if law is None:
            why = f"it is not known what {sensor} of a {device or 'device without a name'} means in physical units"
        elif told.get("convertedValues"):
            why = "OpenSignals has converted the values, to a unit that the file does not say; export the raw ones"
        elif law.quantity == "scl_microsiemens" and device == "bitalino" and _firmware(told) < EDA_SINCE_FIRMWARE:
            why = "this board measures the resistance of the skin by another law, which is not known here"
        elif label not in columns or not 1 <= bits.get(label, 0) <= 24:
            why = "the header does not say which column it is, or of how many bits"
        elif law.quantity in taken:
            why = "another channel of this device measures the same; that one was taken"
        else:
            taken.add(law.quantity)
            yield _Channel(before + columns.index(label), bits[label], law)
            continue
        log.remark(file, 2, sensor, f"a channel was left out: {why}", lost=True)


def _bits(told: dict[str, Any], columns: list[str]) -> dict[str, int]:
    """Return the bits of columns by name: the header gives those of all columns, or of the measured ones."""
    given, labels = told.get("resolution"), _words(told.get("label"))
    for names in (columns, labels):
        if isinstance(given, list) and len(given) == len(names):
            return {name: n for name, n in zip(names, given, strict=True) if isinstance(n, int)}
    return dict.fromkeys(labels, given) if isinstance(given, int) else {}


def _firmware(told: dict[str, Any]) -> float:
    try:
        return float(told.get("firmware version", 0))
    except (TypeError, ValueError):
        return 0.0


def _start(told: dict[str, Any], file: str) -> np.datetime64:
    """Return the wall clock at the first sample; what follows the seconds are milliseconds, not padded either."""
    day, clock = _DATE.match(str(told.get("date", ""))), _TIME.match(str(told.get("time", "")))
    if day is not None and clock is not None:
        year, month, date = (int(part) for part in day.groups())
        hour, minute, second, ms = (int(part or 0) for part in clock.groups())
        try:
            return np.datetime64(f"{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}", "ms")
        except ValueError:
            pass
    raise InputError(f"{file}: the header does not say when it began; a date and a time are needed to place it")


def _words(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _blocks(opened: BinaryIO, width: int, file: str) -> Iterator[FloatArray]:
    """Give the samples as numbers, shape (n, width), some MB at a time; NaN where a cell is none."""
    rest = b""
    while data := opened.read(BLOCK_BYTES):
        whole, newline, rest_of_line = (rest + data).rpartition(b"\n")
        if not newline and len(data) == BLOCK_BYTES:
            raise InputError(f"{file}: a line is longer than {BLOCK_BYTES >> 10} kB, which no sample is")
        rest = rest_of_line
        if whole.strip():
            yield _numbers(whole, width)
    if rest.strip():
        yield _numbers(rest, width)


def _numbers(text: bytes, width: int) -> FloatArray:
    names = [f"{k}" for k in range(width + 1)]  # each line ends with a separator
    # Where lines are shorter than they should be, what is not there is missing.
    head = b"\t".join(name.encode() for name in names) + b"\n"
    table = pl.read_csv(
        io.BytesIO(head + text), separator="\t", quote_char=None, truncate_ragged_lines=True, infer_schema=False,
        encoding="utf8-lossy",
    )  # fmt: skip
    return np.array(table[:, :width].select(pl.all().cast(pl.Float64, strict=False)).fill_null(np.nan).to_numpy())


class _Stream:
    """What one device of a file measured, as it is read."""

    def __init__(self, recorder: _Recorder, number: int, door: Door) -> None:
        self._recorder, self._door = recorder, door
        name = f"device {number}" if number else ""
        self._waves = [
            Waveform(door, one.law.quantity, _device(one.law, name), recorder.rate_hz) for one in recorder.channels
        ]
        self._counted: float | None = None
        self._bits = recorder.counter_bits
        self._lost, self._broken, self._restarts = 0, 0, 0
        start = np.array([recorder.start], dtype="datetime64[ms]")
        start_ms = float(door.clock.from_wall(start, door.file, door.log).astype(np.int64)[0])
        for wave in self._waves:
            wave.begin(start_ms)

    def feed(self, rows: FloatArray) -> Iterator[Batch]:
        """Take some rows, with nothing in the places of lost packets."""
        place = np.arange(len(rows)) + np.cumsum(self._lost_before(rows))
        for channel, wave in zip(self._recorder.channels, self._waves, strict=True):
            counts = rows[:, channel.column]
            good: BoolArray = (counts >= 0) & (counts < 2.0**channel.bits)
            self._broken += int((~good).sum())
            value = np.full(int(place[-1]) + 1, np.nan)
            value[place] = np.where(good, channel.law.of(counts, channel.bits), np.nan)
            yield from wave.feed(value)

    def finish(self) -> None:
        """Tell what was missing."""
        log, file = self._door.log, self._door.file
        if self._lost:
            rule = "packets were lost on the way, by the counter; the time after them is kept right"
            log.remark(file, None, self._lost, rule, lost=True)
        if self._restarts:
            rule = "times the counter of packets begins anew; how many were lost there cannot be told"
            log.remark(file, None, self._restarts, rule, lost=True)
        if self._broken:
            rule = "values are no counts of the channel's converter; they were left out"
            log.reject(file, None, self._broken, rule, count=self._broken)

    def _lost_before(self, rows: FloatArray) -> NDArray[np.int64]:
        """Return how many packets are missing before each row."""
        column = self._recorder.counter
        if column is None:
            return np.zeros(len(rows), dtype=np.int64)
        counted = np.where(np.abs(rows[:, column]) < LARGEST_COUNT, rows[:, column], np.nan)
        if self._bits is None:
            # The hubs' headers do not say it. What never goes beyond four bits has four; else it goes on and on.
            self._bits = 0 if (counted >= 1 << 4).any() else 4
        bits, before = self._bits, counted[0] - 1 if self._counted is None else self._counted
        missing = np.diff(counted, prepend=before) - 1
        # Where the counter cannot be read, nothing is taken to be lost.
        missing = np.nan_to_num(missing).astype(np.int64)
        if 1 <= bits <= 32:
            missing %= 1 << bits
        self._restarts += int((missing < 0).sum())
        lost: NDArray[np.int64] = np.maximum(missing, 0)
        if lost.sum() > MOST_LOST:
            raise InputError(f"{self._door.file}: the column {COUNTER} does not count the samples; it jumps too far")
        self._counted = float(counted[-1])
        self._lost += int(lost.sum())
        return lost


def _device(law: Law, name: str) -> Device:
    return Device("opensignals", "ecg" if law.quantity == "ecg_mv" else "logger", name=name)

"""FIT files as columns: where each message stands and how its fields are coded, and nothing of what they mean.

A FIT file is one part or a chain of parts; a part is a header, messages and a checksum. A *definition* message says how
the *data* messages after it are laid out. Only the headers of messages are walked one by one; values are taken from all
messages of one layout together, over many files at once. A file that breaks off or was damaged gives what stands
before the damage.

The format is described in Garmin's "FIT Protocol" (developer.garmin.com/fit/protocol).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from unaji.records.problems import ProblemLog
from unaji.records.timeline import FloatArray

IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]

HEADER_SIZES = (12, 14)
MAGIC = b".FIT"
CRC_BYTES = 2
TIMESTAMP = 253
"""The field that holds the time in every message that has one."""

_BASE_TYPES = {
    0x00: ("u1", 0xFF), 0x01: ("i1", 0x7F), 0x02: ("u1", 0xFF), 0x83: ("i2", 0x7FFF), 0x84: ("u2", 0xFFFF),
    0x85: ("i4", 0x7FFFFFFF), 0x86: ("u4", 0xFFFFFFFF), 0x88: ("f4", None), 0x0A: ("u1", 0), 0x8B: ("u2", 0),
    0x8C: ("u4", 0),
}  # fmt: skip
"""Base type: its coding, and the value that says "not measured". Text, 64-bit numbers and raw bytes are apart."""
_BYTE = 0x0D


@dataclass(frozen=True, slots=True)
class _Field:
    offset: int
    size: int
    base_type: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a definition message says: the kind of message, the order of its bytes, and where its fields stand."""

    number: int
    order: str
    size: int
    fields: dict[int, _Field]


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """All messages of one kind, in the order of the files.

    Attributes
    ----------
    position : ndarray, shape (n,)
        Where each stands in the bytes of all files together.
    part : ndarray, shape (n,)
        Which part each is in.
    columns : mapping of int to ndarray, shape (n, width)
        By field number: raw numbers before any scale, NaN where not measured or not in the message.
    """

    position: IntArray
    part: IntArray
    columns: dict[int, FloatArray]

    def __len__(self) -> int:
        return int(self.position.size)

    def one(self, field: int) -> FloatArray:
        """Return a field's first value in each message, shape (n,)."""
        return self.columns[field][:, 0]

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """Return some of the messages."""
        return Table(self.position[keep], self.part[keep], {name: v[keep] for name, v in self.columns.items()})


class Messages:
    """The messages of some files, found but not yet decoded.

    Attributes
    ----------
    part_file : ndarray, shape (n_parts,)
        Index of the file of each part.
    """

    def __init__(self, files: Sequence[tuple[str, bytes]], log: ProblemLog) -> None:
        self._bytes = b"".join(data for _, data in files)
        self._buffer = np.frombuffer(self._bytes, dtype=np.uint8)
        self._log = log
        self._found: dict[bytes, tuple[_Layout, array[int]]] = {}
        self._short_time: tuple[array[int], array[int]] = (array("q"), array("q"))
        self._part_start = array("q")
        self._part_file = array("q")
        begin = 0
        for index, (name, data) in enumerate(files):
            self._walk_file(index, name, begin, begin + len(data))
            begin += len(data)
        self._starts = np.array(self._part_start, dtype=np.int64)
        self.part_file = np.array(self._part_file, dtype=np.int64)

    def counts(self) -> Iterator[tuple[int, int]]:
        """Give the number of each kind of message and how many there are; a kind may come more than once."""
        return ((layout.number, len(positions)) for layout, positions in self._found.values() if positions)

    def table(self, number: int, *fields: int, having: int | None = None) -> Table:
        """Decode some fields of all messages of one kind, or of those whose layout has the field `having`."""
        layouts = [
            (layout, np.array(positions, dtype=np.int64))
            for layout, positions in self._found.values()
            if layout.number == number and positions and (having is None or having in layout.fields)
        ]
        position = np.concatenate([at for _, at in layouts]) if layouts else np.empty(0, dtype=np.int64)
        order = np.argsort(position, kind="stable")
        position = position[order]
        columns = {field: self._column(field, layouts, order) for field in fields}
        return Table(position, self.part_of(position), columns)

    def part_of(self, position: IntArray) -> IntArray:
        """Return which part each position lies in."""
        return np.searchsorted(self._starts, position, side="right") - 1

    @cached_property
    def full_stamps(self) -> tuple[IntArray, FloatArray]:
        """Positions and values [s, FIT] of the complete times of messages of any kind."""
        pairs = [
            (at, self._decode(field, at, layout.order)[:, 0])
            for layout, positions in self._found.values()
            if positions and (field := layout.fields.get(TIMESTAMP)) and field.size >= 4
            for at in [np.array(positions, dtype=np.int64)]
        ]
        if not pairs:
            return np.empty(0, dtype=np.int64), np.empty(0)
        position, stamp = (np.concatenate(part) for part in zip(*pairs, strict=True))
        order = np.argsort(position, kind="stable")
        order = order[np.isfinite(stamp[order])]
        return position[order], stamp[order]

    def stamps(self, table: Table) -> FloatArray:
        """Return the time of messages [s, FIT]: their own, or that of a compressed header; NaN where there is none."""
        stamp = table.one(TIMESTAMP).copy()
        short_at, short_stamp = self._short_stamps
        if short_at.size:
            at = np.minimum(np.searchsorted(short_at, table.position), short_at.size - 1)
            has = short_at[at] == table.position
            stamp[has] = short_stamp[at[has]]
        return stamp

    def last_full(self, position: IntArray) -> FloatArray:
        """Return the newest complete time [s, FIT] before each position in the same part; NaN where there is none."""
        at, stamp = self.full_stamps
        before = np.searchsorted(at, position) - 1
        found = before >= 0
        found[found] = self.part_of(at[before[found]]) == self.part_of(position[found])
        return np.where(found, stamp[before] if stamp.size else np.nan, np.nan)

    # -- walking -------------------------------------------------------------------------------------------------------

    def _walk_file(self, index: int, name: str, begin: int, end: int) -> None:
        data, at = self._bytes, begin
        while at < end:
            header_size = data[at]
            if header_size not in HEADER_SIZES or data[at + 8 : at + 12] != MAGIC or at + header_size > end:
                what = "the file is no FIT file" if at == begin else "what follows the first part is no FIT data"
                self._log.reject(name, None, f"byte {at - begin}", f"{what}; it was not read")
                return
            (size,) = struct.unpack_from("<I", data, at + 4)
            messages, stop = at + header_size, at + header_size + size
            self._part_start.append(at)
            self._part_file.append(index)
            if size == 0 and end - messages > CRC_BYTES:
                self._remark(name, at - begin, "the recording was never closed; what stands in the file was read")
                self._walk_part(name, begin, messages, end, cut=True)
                return
            if stop + CRC_BYTES > end:
                self._remark(name, end - begin, "the file breaks off; what stands before was read", lost=True)
            elif checksum(self._buffer[at:stop]) != struct.unpack_from("<H", data, stop)[0]:
                rule = "the checksum does not fit, so the file was damaged or cut; what can be read was read"
                self._remark(name, stop - begin, rule, lost=True)
            self._walk_part(name, begin, messages, min(stop, end), cut=stop > end)
            at = stop + CRC_BYTES

    def _walk_part(self, name: str, begin: int, at: int, stop: int, *, cut: bool = False) -> None:
        """Note where each message stands; only this loop sees messages one by one."""
        data = self._bytes
        sizes = [-1] * 16
        notes = [self._part_start.append] * 16
        while at < stop:
            header = data[at]
            if 0x40 <= header < 0x80:
                at, found = self._define(at, stop)
                if found is None:
                    self._remark(name, at - begin, "a definition breaks off; what stands before was read", lost=True)
                    return
                sizes[header & 15], notes[header & 15] = found[0].size, found[1].append
                continue
            local = header & 15 if header < 0x40 else (header >> 5) & 3
            size = sizes[local]
            if size < 0:
                self._remark(name, at - begin, "a message was never defined; what stands before was read", lost=True)
                return
            following = at + 1 + size
            if following > stop:
                if not cut:
                    self._remark(name, at - begin, "a message breaks off; what stands before was read", lost=True)
                return
            if header >= 0x80:
                self._short_time[0].append(at + 1)
                self._short_time[1].append(header & 31)
            if size:
                notes[local](at + 1)
            at = following

    def _define(self, at: int, stop: int) -> tuple[int, tuple[_Layout, array[int]] | None]:
        """Read a definition; return where it ends and its layout with the positions found so far."""
        data = self._bytes
        if at + 6 > stop:
            return at, None
        end = at + 6 + 3 * data[at + 5]
        if data[at] & 0x20:  # fields of the maker of an app follow, which are skipped by their size
            if end >= stop:
                return at, None
            end += 1 + 3 * data[end]
        if end > stop:
            return at, None
        key = data[at + 2 : end]
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = (_layout(key), array("q"))
        return end, found

    def _remark(self, name: str, offset: int, rule: str, *, lost: bool = False) -> None:
        self._log.remark(name, None, f"byte {offset}", rule, lost=lost)

    # -- decoding ------------------------------------------------------------------------------------------------------

    def _column(self, field: int, layouts: list[tuple[_Layout, IntArray]], order: IntArray) -> FloatArray:
        pieces = [
            self._decode(layout.fields[field], at, layout.order)
            if field in layout.fields
            else np.full((at.size, 1), np.nan)
            for layout, at in layouts
        ]
        if not pieces:
            return np.empty((0, 1))
        width = max(piece.shape[1] for piece in pieces)
        return np.concatenate([_widened(piece, width) for piece in pieces])[order]

    def _decode(self, field: _Field, positions: IntArray, order: str) -> FloatArray:
        """Return raw values, shape (n, width); NaN where the value says that nothing was measured."""
        raw = self._buffer[positions[:, None] + (field.offset + np.arange(field.size))]
        if field.base_type == _BYTE:
            value: FloatArray = raw.astype(np.float64)
            value[(raw == 0xFF).all(axis=1)] = np.nan
            return value
        coding, invalid = _BASE_TYPES.get(field.base_type, ("", None))
        width = int(coding[1:]) if coding else 0
        if not width or not field.size or field.size % width:
            return np.full((positions.size, 1), np.nan)
        number = raw.view(f"{order}{coding}")
        value = number.astype(np.float64)
        value[~np.isfinite(value) if invalid is None else number == invalid] = np.nan
        return value

    @cached_property
    def _short_stamps(self) -> tuple[IntArray, FloatArray]:
        """Positions and times [s, FIT] of messages whose header holds the low five bits of the time.

        They count on from the newest complete time, and turn over every 32 s.
        """
        at, low = (np.array(column, dtype=np.int64) for column in self._short_time)
        if not at.size:
            return at, np.empty(0)
        full_at, full = self.full_stamps
        start = np.searchsorted(full_at, at) - 1
        run = np.flatnonzero(np.diff(start, prepend=-2))  # first message after each complete time
        before = np.concatenate([[0], low[:-1]])
        before[run] = np.where(start[run] >= 0, (full[start[run]] if full.size else np.nan) % 32, 0).astype(np.int64)
        step = (low - before) & 31
        total = np.cumsum(step)
        since = total - np.repeat(total[run] - step[run], np.diff(np.append(run, at.size)))
        return at, self.last_full(at) + since


def _widened(piece: FloatArray, width: int) -> FloatArray:
    return np.pad(piece, ((0, 0), (0, width - piece.shape[1])), constant_values=np.nan)


def _layout(key: bytes) -> _Layout:
    """Read a definition from its byte order on; of two fields with one number the first counts."""
    order = ">" if key[0] == 1 else "<"
    (number,) = struct.unpack_from(f"{order}H", key, 1)
    fields: dict[int, _Field] = {}
    offset = 0
    for k in range(key[3]):
        field, size, base_type = key[4 + 3 * k : 7 + 3 * k]
        fields.setdefault(field, _Field(offset, size, base_type))
        offset += size
    developer = key[4 + 3 * key[3] :]
    offset += sum(developer[2::3]) if developer else 0
    return _Layout(number, order, offset, fields)


# -- checksum ----------------------------------------------------------------------------------------------------------

_BLOCK = 2048


def checksum(data: ByteArray) -> int:
    """Return the CRC-16 (polynomial 0x8005, reflected, from 0) of bytes.

    The checksum is linear: that of a message is the exclusive or of those of its bytes, each moved on by as many zero
    bytes as follow it. A table holds what each byte becomes at each distance from the end of a block.

    References
    ----------
    D. V. Sarwate, "Computation of cyclic redundancy checks via table look-up", Communications of the ACM, 1988.
    doi:10.1145/63030.63037
    """
    table = _byte_at_distance()
    crc = 0
    for start in range(0, data.size, _BLOCK):
        block = data[start : start + _BLOCK]
        if crc:  # the register acts on the next two bytes as if it were written over them
            block = np.concatenate([block, np.zeros(max(0, 2 - block.size), dtype=np.uint8)])
            block[0] ^= crc & 0xFF
            block[1] ^= crc >> 8
        rest = min(_BLOCK, data.size - start)
        rows = table[_BLOCK - rest :] if rest >= 2 else table[_BLOCK - 1 :]
        carried = int(np.bitwise_xor.reduce(rows[np.arange(rest), block[:rest]])) if rest else 0
        crc = carried ^ (int(block[1]) if crc and rest == 1 else 0)
    return crc


@cache
def _byte_at_distance() -> NDArray[np.uint16]:
    """Return what each byte adds to the checksum, shape (_BLOCK, 256); the last row is of the last byte."""
    column = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        column = np.where(column & 1, (column >> 1) ^ 0xA001, column >> 1).astype(np.uint16)
    table = np.empty((_BLOCK, 256), dtype=np.uint16)
    table[-1] = column
    for k in range(_BLOCK - 2, -1, -1):
        table[k] = (table[k + 1] >> 8) ^ column[table[k + 1] & 0xFF]
    return table

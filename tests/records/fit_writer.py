"""Writes FIT files for the tests, from the public description of the protocol; shares no code with the reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

TYPES = {
    "enum": (0x00, "B"), "s8": (0x01, "b"), "u8": (0x02, "B"), "s16": (0x83, "h"), "u16": (0x84, "H"),
    "s32": (0x85, "i"), "u32": (0x86, "I"), "f32": (0x88, "f"), "u32z": (0x8C, "I"), "byte": (0x0D, "B"),
}  # fmt: skip
EPOCH = 631065600


@dataclass(frozen=True)
class Message:
    """One message: fields by number, each a type and one value or several; `low_time` makes a compressed header."""

    number: int
    fields: dict[int, tuple[str, object]]
    order: str = "<"
    low_time: int | None = None
    developer: bytes = b""


def crc16(data: bytes) -> int:
    """Bit by bit, as in any description of CRC-16/ARC."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def fit_file(
    messages: Sequence[Message], *, header_size: int = 14, crc: int | None = None, size: int | None = None
) -> bytes:
    """Return one part: header, messages, checksum; `crc` and `size` tell a lie in their place."""
    body = b""
    defined: dict[int, bytes] = {}
    for message in messages:
        local = 1 if message.low_time is not None else 0
        definition = _definition(message, local)
        if defined.get(local) != definition:
            body += definition
            defined[local] = definition
        head = local if message.low_time is None else 0x80 | local << 5 | message.low_time
        body += bytes([head]) + b"".join(_packed(kind, v, message.order) for kind, v in message.fields.values())
        body += message.developer
    head = struct.pack("<BBHI4s", header_size, 0x20, 2132, len(body) if size is None else size, b".FIT")
    head += b"\0\0" * (header_size == 14)
    whole = head + body
    return whole + struct.pack("<H", crc16(whole) if crc is None else crc)


def _definition(message: Message, local: int) -> bytes:
    head = 0x40 | 0x20 * bool(message.developer) | local
    big = message.order == ">"
    definition = struct.pack(">BBBH" if big else "<BBBH", head, 0, big, message.number) + bytes([len(message.fields)])
    for field, (kind, value) in message.fields.items():
        definition += bytes([field, len(_packed(kind, value, message.order)), TYPES[kind][0]])
    if message.developer:
        definition += bytes([1, 0, len(message.developer), 0])
    return definition


def _packed(kind: str, value: object, order: str) -> bytes:
    values = value if isinstance(value, list | tuple | bytes) else [value]
    return struct.pack(f"{order}{len(values)}{TYPES[kind][1]}", *values)

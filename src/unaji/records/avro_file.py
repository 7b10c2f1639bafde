"""Avro container files: a schema, then blocks of what it describes, read within limits.

What a file promises is checked before anything is made of it: the schema's size and depth, the sizes of blocks before
and after unpacking, and that a list cannot hold more values than it has bytes. Decoding itself is fastavro's.

References
----------
Apache Avro specification 1.11, "Object Container Files", avro.apache.org/docs/1.11.1/specification.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from unaji.errors import InputError

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
LARGEST_SCHEMA = 1 << 20
LARGEST_BLOCK = 16 << 20
"""Bytes of a block, also once unpacked; half an hour of all sensors of a wristband is a fourth of it."""

DEEPEST = 32
MOST_NODES = 5_000
MOST_VALUES_A_BYTE = 8
CODECS = ("null", "deflate")

LEAST_BYTES = {
    "null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1, "enum": 1, "map": 1,
    "array": 1,
}  # fmt: skip
"""Bytes that a value takes at least."""

DAMAGED = (
    EOFError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, StopIteration,
)  # fmt: skip
"""What decoding raises on bytes that are not of the schema."""


def records_of(opened: BinaryIO, file: str) -> Iterator[dict[str, Any]]:
    """Give the records of a file, one after the other.

    Raises
    ------
    InputError
        It is not of this format, cut off, damaged, or goes beyond a limit.
    """
    import fastavro  # noqa: PLC0415  (most imports read no Avro)

    schema, codec, sync = _header(opened, file)
    while (count := _long(opened, file, at_end=True)) is not None:
        block = _block(opened, codec, sync, file)
        for _ in range(count):
            try:
                record = fastavro.schemaless_reader(block, schema, None)
            except DAMAGED as error:
                raise InputError(f"{file}: a record is damaged; export the recording again") from error
            if not isinstance(record, dict):
                raise InputError(f"{file}: what it holds are no records; export the recording again")
            yield record


def _header(opened: BinaryIO, file: str) -> tuple[dict[str, Any], str, bytes]:
    if opened.read(len(MAGIC)) != MAGIC:
        raise InputError(f"{file}: the file does not begin as Avro does")
    told: dict[bytes, bytes] = {}
    while count := _long(opened, file):
        if count < 0:  # a block that says how long it is
            count = -count
            _long(opened, file)
        for _ in range(count):
            name, value = _bytes(opened, LARGEST_SCHEMA, file), _bytes(opened, LARGEST_SCHEMA, file)
            told[name] = value
            if len(told) > 100:
                raise InputError(f"{file}: the header has no end")
    codec = told.get(b"avro.codec", b"null").decode("latin-1")
    if codec not in CODECS:
        raise InputError(f"{file}: the file is packed with {codec!r}; unaji unpacks {' and '.join(CODECS)}")
    return _schema(told.get(b"avro.schema", b""), file), codec, _exactly(opened, SYNC_BYTES, file)


def _schema(text: bytes, file: str) -> dict[str, Any]:
    import fastavro  # noqa: PLC0415  (most imports read no Avro)

    try:
        parsed = fastavro.parse_schema(_plain(json.loads(text), 0))
        if not isinstance(parsed, dict) or parsed.get("type") != "record":
            raise ValueError("no record")
        least, nodes = _Measure().of(parsed, 0)
    except (*DAMAGED, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
        raise InputError(f"{file}: its schema cannot be used; export the recording again") from error
    if not least or nodes > MOST_NODES:
        raise InputError(f"{file}: its schema describes {nodes:,} values a record; there must be 1 to {MOST_NODES:,}")
    return parsed


def _plain(schema: Any, depth: int) -> Any:
    """Return a schema without what would turn numbers into other things."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    if isinstance(schema, list):
        return [_plain(part, depth + 1) for part in schema]
    if isinstance(schema, dict):
        return {key: _plain(part, depth + 1) for key, part in schema.items() if key != "logicalType"}
    return schema


class _Measure:
    """How many bytes what a schema describes takes at least, and of how many values it is, lists counted as one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, schema: Any, depth: int) -> tuple[int, int]:
        if depth > DEEPEST:
            raise ValueError("too deep")
        if isinstance(schema, str):
            return self._known[schema] if schema in self._known else (LEAST_BYTES[schema], 1)
        if isinstance(schema, list):
            return 1, 1 + max((self.of(part, depth + 1)[1] for part in schema), default=0)
        kind = schema["type"]
        if kind == "record":
            parts = [self.of(field["type"], depth + 1) for field in schema["fields"]]
            measured = sum(least for least, _ in parts), 1 + sum(nodes for _, nodes in parts)
        elif kind == "fixed":
            measured = int(schema["size"]), 1
        elif kind in ("array", "map"):
            least, nodes = self.of(schema["items" if kind == "array" else "values"], depth + 1)
            if nodes > MOST_VALUES_A_BYTE * (least + (kind == "map")):
                raise ValueError("a list could hold more values than it has bytes")
            measured = 1, 1 + nodes
        else:
            measured = LEAST_BYTES[kind], 1
        if "name" in schema:
            self._known[schema["name"]] = measured  # a record that holds itself is met before, and unknown
        return measured


def _block(opened: BinaryIO, codec: str, sync: bytes, file: str) -> io.BytesIO:
    data = _bytes(opened, LARGEST_BLOCK, file)
    if _exactly(opened, SYNC_BYTES, file) != sync:
        raise InputError(f"{file}: a block does not end where it says; copy the file again")
    if codec == "deflate":
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = unpack.decompress(data, LARGEST_BLOCK + 1)
        except zlib.error as error:
            raise InputError(f"{file}: a block cannot be unpacked; copy the file again") from error
        if len(data) > LARGEST_BLOCK:
            raise InputError(f"{file}: a block unpacks to more than {LARGEST_BLOCK >> 20} MB, which none does")
    return io.BytesIO(data)


def _bytes(opened: BinaryIO, most: int, file: str) -> bytes:
    size = _long(opened, file) or 0
    if not 0 <= size <= most:
        raise InputError(f"{file}: {size:,} bytes are announced where at most {most:,} can be")
    return _exactly(opened, size, file)


def _exactly(opened: BinaryIO, size: int, file: str) -> bytes:
    data = opened.read(size)
    if len(data) < size:
        raise InputError(f"{file}: the file ends in the middle; copy it again")
    return data


def _long(opened: BinaryIO, file: str, *, at_end: bool = False) -> int | None:
    """Read a whole number as Avro writes it; None at the end of the file, where that may be."""
    value, shift = 0, 0
    while byte := opened.read(1):
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7
        if shift > 63:
            raise InputError(f"{file}: a number has no end; copy the file again")
    if at_end and not shift:
        return None
    raise InputError(f"{file}: the file ends in the middle; copy it again")

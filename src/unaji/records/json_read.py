"""Read the JSON of an export: long lists block by block in constant memory, other documents whole.

Every entry that cannot be read is left out and counted; the others are kept, also when the file is cut or damaged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any, BinaryIO, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from unaji.records.cells import whole_file
from unaji.records.problems import ProblemLog
from unaji.records.source import Source

BLOCK = 4 << 20  # bytes read at a time
LARGEST_ENTRY = 64 << 20  # bytes
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
DAMAGED_ENTRY = "the entry is damaged or not of the expected form; it was left out"
DAMAGED_FILE = "the file is cut off or damaged; what could not be read was left out. Export it again"

ODD = (msgspec.ValidationError, UnicodeDecodeError)  # the JSON is whole, but something in it is not what was expected

T = TypeVar("T")

_FIRST_KEY = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.)*")\s*:')
_BEFORE_KEY = re.compile(rb"\}\s*(,)\s*\{\s*\Z")
_BEFORE_KEY_BYTES = 256  # the white space of any honest pretty-printer fits
_MOST_PLACES = 1000  # where the key stands inside an entry too; beyond it a hostile file would be searched for ever


def document(file: Source, kind: type[T], log: ProblemLog) -> T | None:
    """Return a whole document; None, with the reason noted, where it cannot be read."""
    data = whole_file(file, log)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=kind)
    except UNREADABLE as error:
        log.reject(file.name, None, str(error), DAMAGED_FILE)
        return None


def documents(data: bytes, kind: type[T], file: str, log: ProblemLog) -> Iterator[T]:
    """Give the one document of a file, or those of a list, one at a time; what is odd in one costs no other.

    Parameters
    ----------
    kind : type
        A `msgspec.Struct` all of whose fields have defaults. Where a value is not of its field's type, it alone is left
        out and counted, and the field keeps its default.
    """
    try:
        pieces = _PIECES.decode(data) if data.lstrip().startswith(b"[") else [data]
    except UNREADABLE as error:
        log.reject(file, None, "", f"the JSON cannot be read ({error}); was the file cut off? Export it again")
        return
    decoder = msgspec.json.Decoder(kind)
    for piece in pieces:
        try:
            one: T | None = decoder.decode(piece)
        except UNREADABLE:
            one = _without_odd(bytes(piece), kind, file, log)
        if one is not None:
            yield one


_PIECES = msgspec.json.Decoder(list[msgspec.Raw])


def _without_odd(piece: bytes, kind: type[T], file: str, log: ProblemLog) -> T | None:
    def odd(place: str, value: bytes, error: Exception) -> None:
        reason = str(error).partition(" - at ")[0]
        rule = f"{place or 'the document'} is not what it should be ({reason}); it was left out, the rest was read"
        log.reject(file, None, value[:_SHOWN_BYTES].decode("utf-8", "replace"), rule)

    try:
        found = _what_fits(piece, kind, "", odd)
    except UNREADABLE as error:
        log.reject(file, None, "", f"the JSON cannot be read ({error}); was the file cut off? Export it again")
        return None
    return None if found is msgspec.UNSET else found


_SHOWN_BYTES = 80


def _what_fits(data: bytes, kind: Any, place: str, odd: Callable[[str, bytes, Exception], None]) -> Any:
    """Decode what is of the expected type, and tell of each value that is not; UNSET where nothing is left."""
    try:
        return msgspec.json.decode(data, type=kind)
    except ODD as error:
        reason = error
    if get_args(kind)[1:] == (NoneType,):  # a field that may be null
        kind = get_args(kind)[0]
    try:
        if get_origin(kind) is list and data.lstrip().startswith(b"["):
            (item,) = get_args(kind)
            every = [_what_fits(bytes(one), item, f"{place}[…]", odd) for one in _PIECES.decode(data)]
            return [one for one in every if one is not msgspec.UNSET]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and data.lstrip().startswith(b"{"):
            inside = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            types = get_type_hints(kind)
            fields = {
                name: _what_fits(bytes(inside[name]), types[name], f"{place}.{name}".lstrip("."), odd)
                for name in kind.__struct_fields__
                if name in inside
            }
            return kind(**{name: value for name, value in fields.items() if value is not msgspec.UNSET})
    except UnicodeDecodeError as error:  # in a name
        reason = error
    odd(place, data, reason)
    return msgspec.UNSET


def listed(raw: msgspec.Raw, kind: type[T], file: str, log: ProblemLog) -> list[T]:
    """Return a list, null being an empty one, from a document; entries not of the expected form are counted out."""
    if bytes(raw) == b"null":
        return []
    try:
        return msgspec.json.decode(raw, type=list[kind])  # type: ignore[valid-type]
    except UNREADABLE:
        pass
    try:
        pieces = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except UNREADABLE as error:
        log.reject(file, None, str(error), "a list was expected here; it was left out")
        return []
    read: list[T] = []
    for number, piece in enumerate(pieces, start=1):
        try:
            read.append(msgspec.json.decode(piece, type=kind))
        except UNREADABLE as error:
            log.reject(file, None, f"entry {number}: {error}", DAMAGED_ENTRY)
    return read


def mapped(raw: msgspec.Raw, file: str, log: ProblemLog) -> dict[str, msgspec.Raw]:
    """Return an object from a document, its values unread; empty, with the reason noted, where it cannot be read."""
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE as error:
        log.reject(file, None, str(error), DAMAGED_FILE)
        return {}


def entries(file: Source, kind: type[T], log: ProblemLog, *, key: str = "") -> Iterator[list[T]]:
    """Give the entries of one long list, some ten thousand at a time.

    Parameters
    ----------
    kind : type
        A `msgspec.Struct` of one entry.
    key : str
        Under which key of the document the list stands; "" where the document itself is the list.

    Notes
    -----
    A block is cut before the last entry that begins with the key with which the first one began. Were that place inside
    an entry, or in a text, the block's brackets would not balance and it would not decode; the entries of a block that
    does not decode are then tried one by one.
    """
    opening = re.compile(rb'"%s"\s*:\s*\[' % re.escape(key.encode()) if key else rb"(?:\xef\xbb\xbf)?\s*\[")
    with file.open() as stream:
        buffer = stream.read(BLOCK)
        found = opening.search(buffer) if key else opening.match(buffer)
        if found is None:
            log.reject(file.name, None, key, "the list expected in this file is not at its beginning; it was not read")
            return
        yield from _Entries(kind, file.name, log, key).read(stream, buffer[found.end() :])


class _Entries(Generic[T]):
    """The state of reading one list."""

    def __init__(self, kind: type[T], file: str, log: ProblemLog, key: str) -> None:
        self.one = msgspec.json.Decoder(kind)
        self.many = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self.file, self.log, self.in_object = file, log, bool(key)
        self.seen = 0

    def read(self, stream: BinaryIO, buffer: bytes) -> Iterator[list[T]]:
        first_key = _FIRST_KEY.match(buffer)
        while more := stream.read(BLOCK):
            cut = _last_cut(buffer, first_key[1]) if first_key else None
            if cut is not None:
                yield from self.decoded(buffer[:cut], first_key)
                buffer = buffer[cut + 1 :]
            buffer += more
            if len(buffer) > LARGEST_ENTRY + 2 * BLOCK:
                rule = f"one entry seems larger than {LARGEST_ENTRY >> 20} MB; the rest of the file was not read"
                self.log.reject(self.file, None, f"after entry {self.seen}", rule)
                return
        yield from self.decoded(buffer, first_key, last=True)

    def decoded(self, block: bytes, first_key: re.Match[bytes] | None, *, last: bool = False) -> Iterator[list[T]]:
        try:
            read = self.many.decode(self._as_list(block) if last else b"[" + block + b"]")
        except UNREADABLE as error:
            read = self._one_by_one(block, first_key, error, last=last)
        self.seen += len(read)
        if read:
            yield read

    def _as_list(self, tail: bytes) -> bytes:
        """Return the end of the list as a list of its own; behind it other keys of its object may follow."""
        if not self.in_object:
            return b"[" + tail
        rest = msgspec.json.decode(b'{"":[' + tail, type=dict[str, msgspec.Raw])
        return bytes(rest[""])

    def _one_by_one(self, block: bytes, first_key: re.Match[bytes] | None, error: Exception, *, last: bool) -> list[T]:
        if first_key is None:
            self.log.reject(self.file, None, str(error), DAMAGED_FILE)
            return []
        pieces = re.split(rb",(?=\s*\{\s*%s\s*:)" % re.escape(first_key[1]), block)
        if last and b"]" in pieces[-1]:
            pieces[-1] = pieces[-1].rpartition(b"]")[0]
        read: list[T] = []
        for number, piece in enumerate(pieces, start=1 + self.seen):
            try:
                read.append(self.one.decode(piece))
            except UNREADABLE as reason:
                self.log.reject(self.file, None, f"entry {number}: {reason}", DAMAGED_ENTRY)
        return read


def _last_cut(buffer: bytes, key: bytes) -> int | None:
    """Return where the comma before the last entry that begins with a key stands."""
    place = len(buffer)
    for _ in range(_MOST_PLACES):
        place = buffer.rfind(key, 0, place)
        if place <= 0:
            break
        before = max(0, place - _BEFORE_KEY_BYTES)
        if found := _BEFORE_KEY.search(buffer, before, place):
            return found.start(1)
    return None

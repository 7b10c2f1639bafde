"""Records of an export as columns, the same from whichever of the two readers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray

IntArray = NDArray[np.int64]

LONGEST_KEPT = 1024  # of a text; what is longer is no name, unit or value of Apple's
_QUESTION_MARKS = "unaji-question-marks"
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_ADDRESS = re.compile("(<<HKDevice: 0x[0-9a-f]*>, )+")
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE and U+FFFF, which XML forbids


class Text(IntEnum):
    """What a record says in words; the rows of `Rows.ids`."""

    TYPE = 0
    SOURCE = 1
    DEVICE = 2
    UNIT = 3
    VALUE = 4  # where it is no number
    ZONE = 5  # metadata HKTimeZone
    MOTION = 6  # metadata HKMetadataKeyHeartRateMotionContext
    ENTERED = 7  # metadata HKWasUserEntered
    PRESSURE = 8  # metadata HKMetadataKeyBarometricPressure


class Stopped(Enum):
    """Why the byte scanner stopped before an element."""

    MORE = -1  # it goes on after the end of the text
    OTHER = -2  # it is not as Apple writes records
    FULL = -3  # there is no more room in the tables


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Records and workouts, one row each.

    Attributes
    ----------
    strings : sequence of str
        What the numbers in `ids` stand for.
    ids : ndarray of int32, shape (9, n)
        By `Text`; -1 where a record says nothing.
    line : ndarray of int64, shape (n,)
        Line of the file.
    value : ndarray, shape (n,)
        NaN where it is no number.
    start, end : ndarray of int64, shape (n,)
        ms since 1970 UTC.
    offset : ndarray of int16, shape (n,)
        Offset from UTC written with the start [min]; often that of the phone on the day of the export.
    beat_row, beat_bpm, beat_ms : ndarray, shape (m,)
        Heart beats: the row they belong to, the rate [1/min], and when, in ms within a quarter of an hour.
    """

    strings: Sequence[str]
    ids: NDArray[np.int32]
    line: IntArray
    value: FloatArray
    start: IntArray
    end: IntArray
    offset: NDArray[np.int16]
    beat_row: NDArray[np.int32]
    beat_bpm: FloatArray
    beat_ms: IntArray

    def __len__(self) -> int:
        return int(self.line.size)

    def text(self, which: Text, row: int) -> str:
        """Return what a row says, "" for nothing."""
        number = int(self.ids[which, row])
        return self.strings[number] if number >= 0 else ""


def decoded(raw: bytes) -> str:
    """Return the text of an attribute as it stands between its quotes."""
    text = printable(raw).decode()
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return without_address(text)


def without_address(text: str) -> str:
    """Return what is said of a device without where in the phone's memory it was, which differs at each export."""
    address = _ADDRESS.match(text)
    return text[address.end() :] if address else text


def printable(raw: bytes) -> bytes:
    """Put a question mark in the place of each byte that no XML file may hold; the length stays.

    Names of devices in real exports hold control characters, at which a parser would give up the whole file.
    """
    raw = raw.translate(_CONTROLS)
    if raw.isascii():
        return raw
    try:
        raw.decode()
    except UnicodeDecodeError:
        raw = raw.decode(errors=_QUESTION_MARKS).encode()
    for character in _NO_CHARACTERS:
        raw = raw.replace(character, b"???")
    return raw


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "?" * (error.end - error.start), error.end


codecs.register_error(_QUESTION_MARKS, _question_marks)
_CONTROLS = bytearray(byte if byte >= 0x20 or byte in b"\t\n" else ord("?") for byte in range(256))
_CONTROLS[ord("\r")] = ord(" ")  # blank all the same, and a parser would count it as a line of its own

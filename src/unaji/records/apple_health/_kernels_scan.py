"""The byte scanner of Apple Health exports: one pass over records as Apple writes them.

It reads ``<Record …/>``, or a record whose children are metadata or heart beats, only where every byte is what Apple
writes: names it knows, double quotes, the five entities of XML, times with an offset. At anything else it stops before
the element and says so; what stands there is the work of a real parser (`unaji.records.apple_health.elements`).

Texts (types, units, names) are kept once each in a pool and named by their number; a table of slots finds them again.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import FloatArray

Bytes = NDArray[np.uint8]
Ids = NDArray[np.int32]
IntArray = NDArray[np.int64]

MORE, OTHER, FULL = -1, -2, -3
"""Why the scanner stopped: the element goes on after the end, is not as Apple writes it, or a table is full."""

TYPE, SOURCE, DEVICE, UNIT, TEXT, ZONE, MOTION, ENTERED, PRESSURE = range(9)
"""Rows of `Columns.ids`: the attributes and metadata that are kept as texts; -1 where a record has none."""
N_TEXTS = 9

ROWS, BEATS, LONG, STRINGS, BYTES, LINE = range(6)
"""What `Columns.counts` counts; LINE is the line of the file the scanner is in."""

LONGEST_KEPT = 1024  # bytes of a text that is kept
LONGEST_ATTRIBUTE = 65_536
QUARTER_MS = 900_000


class Columns(NamedTuple):
    """Where the scanner writes; all of fixed size, made by `unaji.records.apple_health.scanner`.

    Attributes
    ----------
    ids : ndarray of int32, shape (N_TEXTS, n)
    value : ndarray, shape (n,)
        NaN where ``value`` is no number; its text is then in ``ids[TEXT]``.
    start, end : ndarray of int64, shape (n,)
        ms since 1970 UTC.
    offset : ndarray of int16, shape (n,)
        Offset from UTC written with the start [min].
    beat_row, beat_bpm, beat_ms : ndarray, shape (m,)
        Beats of a record: its row, the rate, and when, in ms within a quarter of an hour.
    long : ndarray of int64, shape (3, n)
        Rows whose number has more digits than can be read exactly here, and where it begins and ends.
    slots : ndarray of int32, shape (2**k,)
        Number of the text whose hash leads here; -1 where free.
    begins : ndarray of int64
        Where each text begins in the pool, and where the last ends.
    """

    line: IntArray
    ids: Ids
    value: FloatArray
    start: IntArray
    end: IntArray
    offset: NDArray[np.int16]
    beat_row: Ids
    beat_bpm: FloatArray
    beat_ms: IntArray
    long: IntArray
    slots: Ids
    begins: IntArray
    pool: Bytes
    counts: IntArray


def _ascii(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8)


_RECORD, _RECORD_END = _ascii("<Record"), _ascii("</Record>")
_METADATA = _ascii("<MetadataEntry")
_BEATS, _BEATS_END = _ascii("<HeartRateVariabilityMetadataList>"), _ascii("</HeartRateVariabilityMetadataList>")
_BEAT, _BEAT_TIME, _BEAT_END = _ascii('<InstantaneousBeatsPerMinute bpm="'), _ascii('" time="'), _ascii('"/>')
_NAMES = tuple(
    _ascii(f'{name}="')
    for name in (
        "type", "sourceName", "device", "unit", "value", "startDate", "endDate", "creationDate", "sourceVersion"
    )
)  # fmt: skip
_VALUE, _START, _END, _CREATION, _VERSION = 4, 5, 6, 7, 8
_NEEDED = 1 << TYPE | 1 << SOURCE | 1 << _START | 1 << _END
_ADDRESS, _ADDRESS_END = _ascii("&lt;&lt;HKDevice: 0x"), _ascii("&gt;, ")
_KEY, _KEY_VALUE = _ascii('key="'), _ascii('value="')
_TIME_ZONE = _ascii('HKTimeZone"')
_MOTION_CONTEXT = _ascii('HKMetadataKeyHeartRateMotionContext"')
_USER_ENTERED = _ascii('HKWasUserEntered"')
_BAROMETER = _ascii('HKMetadataKeyBarometricPressure"')
_ENTITIES = tuple(_ascii(entity) for entity in ("&lt;", "&gt;", "&amp;", "&quot;", "&apos;"))
_LONGEST_TAG = 40  # no name matched below is longer

_QUOTE, _AMPERSAND, _LESS, _SLASH, _MORE_THAN = 0x22, 0x26, 0x3C, 0x2F, 0x3E
_NEW_LINE, _ZERO, _NINE, _DOT, _COMMA, _COLON, _PLUS, _MINUS = 0x0A, 0x30, 0x39, 0x2E, 0x2C, 0x3A, 0x2B, 0x2D
_POWERS = 10.0 ** np.arange(23)  # exact in a double
_EXACT = 2**53
_NOT_A_TIME = -(2**62)
_NONE = cast(int, np.int64(-1))  # typed, as numba would compile everything once more for a bare -1
_DIGIT_PLACES = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 21, 22, 23, 24], dtype=np.int64)
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365], dtype=np.int64)


@njit(cache=True, nogil=True)
def scan(text: Bytes, begin: int, columns: Columns) -> tuple[int, int]:
    """Read records from `begin` on; return where the scanner stopped and why."""
    at = begin
    while True:
        at, line = _blanks(text, at, columns.counts[LINE])
        columns.counts[LINE] = line
        if columns.counts[ROWS] == columns.value.size:
            return at, FULL
        if at + _RECORD.size > text.size:
            return at, MORE
        if not _matches(text, at, _RECORD):
            return at, OTHER
        after = _record(text, at + _RECORD.size, columns)
        if after < 0:
            return at, after
        at = after


@njit(cache=True, nogil=True)
def _record(text: Bytes, at: int, columns: Columns) -> int:
    """Read one record behind its name; return where it ends or why it was not read, the counts then being as before."""
    row = columns.counts[ROWS]
    line = columns.counts[LINE]
    columns.line[row] = line
    for k in range(N_TEXTS):
        columns.ids[k, row] = -1
    columns.value[row] = np.nan
    seen = 0
    n_long = columns.counts[LONG]
    while True:
        before = at
        at, line = _blanks(text, at, line)
        if at + _LONGEST_TAG > text.size:
            return MORE
        if text[at] == _SLASH or text[at] == _MORE_THAN:
            break
        name = _name(text, at)
        if at == before or name < 0 or seen & (1 << name):
            return OTHER
        seen |= 1 << name
        at += _NAMES[name].size
        if name == _START or name == _END:  # noqa: PLR1714, SIM109  # faster than a tuple, and so below
            ms, offset = _time(text, at)
            if ms == _NOT_A_TIME:
                return OTHER
            at += 25
            if name == _START:
                columns.start[row], columns.offset[row] = ms, offset
            else:
                columns.end[row] = ms
        elif name == _VALUE:
            begin, at = at, _value_end(text, at)
            if at < 0:
                return at
            columns.value[row], exact = _number(text, begin, at)
            if not exact:
                columns.long[0, n_long], columns.long[1, n_long], columns.long[2, n_long] = row, begin, at
                n_long += 1
            elif np.isnan(columns.value[row]):
                columns.ids[TEXT, row], at = _keep(text, begin, _NONE, columns)
        elif name <= UNIT:
            if name == DEVICE:
                at = _behind_address(text, at)
            likely = int(columns.ids[name, row - 1]) if row else _NONE
            if name == TYPE and text[at] == _QUOTE:
                return OTHER  # a record that does not say what it is
            columns.ids[name, row], at = _keep(text, at, likely, columns)
        else:
            at = _value_end(text, at)
        if at < 0:
            return at
        if text[at] != _QUOTE:
            return OTHER
        at += 1
    if seen & _NEEDED != _NEEDED:
        return OTHER
    if text[at] == _SLASH:
        if text[at + 1] != _MORE_THAN:
            return OTHER
        at += 2
        n_beats = columns.counts[BEATS]
    else:
        at, line, n_beats = _children(text, at + 1, line, row, columns)
        if at < 0:
            return at
    columns.counts[ROWS] = row + 1
    columns.counts[BEATS] = n_beats
    columns.counts[LONG] = n_long
    columns.counts[LINE] = line
    return at


@njit(cache=True, nogil=True)
def _children(text: Bytes, at: int, line: int, row: int, columns: Columns) -> tuple[int, int, int]:
    """Read what stands in a record up to its end; return where that is (or why not), the line, the number of beats."""
    n_beats = columns.counts[BEATS]
    in_list = False
    while True:
        at, line = _blanks(text, at, line)
        if at + _LONGEST_TAG > text.size:
            return MORE, line, n_beats
        if in_list:
            if _matches(text, at, _BEAT):
                if n_beats == columns.beat_row.size:
                    return FULL, line, n_beats
                at = _beat(text, at + _BEAT.size, n_beats, columns)
                columns.beat_row[n_beats] = row
                n_beats += 1
            elif _matches(text, at, _BEATS_END):
                at += _BEATS_END.size
                in_list = False
            else:
                return OTHER, line, n_beats
        elif _matches(text, at, _METADATA):
            at, line = _metadata(text, at + _METADATA.size, line, row, columns)
        elif _matches(text, at, _RECORD_END):
            return at + _RECORD_END.size, line, n_beats
        elif _matches(text, at, _BEATS):
            at += _BEATS.size
            in_list = True
        else:
            return OTHER, line, n_beats
        if at < 0:
            return at, line, n_beats


@njit(cache=True, nogil=True)
def _metadata(text: Bytes, at: int, line: int, row: int, columns: Columns) -> tuple[int, int]:
    """Read a metadata entry behind its name, keeping the value of the four keys that say something here."""
    key = value = _NONE
    while True:
        before = at
        at, line = _blanks(text, at, line)
        if at + _LONGEST_TAG > text.size:
            return MORE, line
        if text[at] == _SLASH:
            break
        if at == before:
            return OTHER, line
        if key < 0 and _matches(text, at, _KEY):
            key = at = at + _KEY.size
        elif value < 0 and _matches(text, at, _KEY_VALUE):
            value = at = at + _KEY_VALUE.size
        else:
            return OTHER, line
        at = _value_end(text, at)
        if at < 0:
            return at, line
        at += 1
    if key < 0 or value < 0 or text[at + 1] != _MORE_THAN:
        return OTHER, line
    which = _kept_key(text, key)
    if which >= 0:
        columns.ids[which, row], kept = _keep(text, value, _NONE, columns)
        if kept < 0:
            return kept, line
    return at + 2, line


@njit(cache=True, nogil=True)
def _kept_key(text: Bytes, at: int) -> int:
    if _matches(text, at, _MOTION_CONTEXT):
        return MOTION
    if _matches(text, at, _TIME_ZONE):
        return ZONE
    if _matches(text, at, _USER_ENTERED):
        return ENTERED
    if _matches(text, at, _BAROMETER):
        return PRESSURE
    return -1


@njit(cache=True, nogil=True)
def _beat(text: Bytes, at: int, beat: int, columns: Columns) -> int:
    """Read rate and time of a beat: groups of digits h, m, s and a fraction, parted by whatever the locale writes."""
    bpm = 0
    begin = at
    while at < text.size and _is_digit(text[at]) and at - begin < 4:
        bpm = 10 * bpm + _digit(text, at)
        at += 1
    if at + 64 > text.size:
        return MORE
    if at == begin or not _matches(text, at, _BEAT_TIME):
        return OTHER
    at += _BEAT_TIME.size
    groups = minute = second = fraction = digits = 0
    for _ in range(4):
        value = digits = 0
        while _is_digit(text[at]) and digits < 6:
            value = 10 * value + _digit(text, at)
            digits += 1
            at += 1
        if digits == 0:
            break
        groups += 1
        if groups == 2:
            minute = value
        elif groups == 3:
            second = value
        elif groups == 4:
            fraction = value
            break
        if text[at] != _COLON and text[at] != _DOT and text[at] != _COMMA:
            break
        at += 1
    if groups != 4 or minute > 59 or second > 59 or _is_digit(text[at]):
        return OTHER
    for _ in range(8):  # " AM", " p.m.", a narrow blank (U+202F) before either
        letter = text[at] | 0x20
        if not (0x61 <= letter <= 0x7A or text[at] == _DOT or text[at] == 0x20):
            if not (text[at] == 0xE2 and text[at + 1] == 0x80 and text[at + 2] == 0xAF):
                break
            at += 2
        at += 1
    if not _matches(text, at, _BEAT_END):
        return OTHER
    while digits < 3:
        fraction *= 10
        digits += 1
    while digits > 3:
        fraction //= 10
        digits -= 1
    columns.beat_bpm[beat] = bpm
    columns.beat_ms[beat] = (60_000 * minute + 1000 * second + fraction) % QUARTER_MS
    return at + _BEAT_END.size


@njit(cache=True, nogil=True)
def _is_digit(byte: int) -> bool:
    return _ZERO <= byte <= _NINE


@njit(cache=True, nogil=True)
def _blanks(text: Bytes, at: int, line: int) -> tuple[int, int]:
    """Return where the next byte stands that is no blank, and in which line."""
    while at < text.size:
        byte = text[at]
        if byte == _NEW_LINE:
            line += 1
        elif byte != 0x20 and byte != 0x0D and byte != 0x09:  # noqa: PLR1714
            break
        at += 1
    return at, line


@njit(cache=True, nogil=True)
def _matches(text: Bytes, at: int, word: Bytes) -> bool:
    if at + word.size > text.size:
        return False
    for k in range(word.size):  # noqa: SIM110  # numba has no generators
        if text[at + k] != word[k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _name(text: Bytes, at: int) -> int:
    """Return which attribute of a record begins here; -1 for none that is known."""
    first = text[at]
    found = -1
    if first == 0x74:  # t
        found = TYPE
    elif first == 0x73:  # s
        found = _START if text[at + 1] == 0x74 else (SOURCE if text[at + 6] == 0x4E else _VERSION)
    elif first == 0x64:  # d
        found = DEVICE
    elif first == 0x75:  # u
        found = UNIT
    elif first == 0x63:  # c
        found = _CREATION
    elif first == 0x65:  # e
        found = _END
    elif first == 0x76:  # v
        found = _VALUE
    if found >= 0 and _matches(text, at, _NAMES[found]):
        return found
    return -1


@njit(cache=True, nogil=True)
def _value_end(text: Bytes, at: int) -> int:
    """Return where the quote stands that ends a value; a value no attribute may hold is not read."""
    last = min(text.size, at + LONGEST_ATTRIBUTE)
    while at < last:
        byte = text[at]
        if byte == _QUOTE:
            return at
        if byte < 0x20 or byte == _LESS or (byte == _AMPERSAND and not _is_entity(text, at)):
            return OTHER
        at += 1
    return MORE if last == text.size else OTHER


@njit(cache=True, nogil=True)
def _is_entity(text: Bytes, at: int) -> bool:
    return (
        _matches(text, at, _ENTITIES[0])
        or _matches(text, at, _ENTITIES[1])
        or _matches(text, at, _ENTITIES[2])
        or _matches(text, at, _ENTITIES[3])
        or _matches(text, at, _ENTITIES[4])
    )


@njit(cache=True, nogil=True)
def _behind_address(text: Bytes, at: int) -> int:
    """Skip where in the phone's memory the device was at the export: a number that changes without meaning."""
    if not _matches(text, at, _ADDRESS):
        return at
    end = at + _ADDRESS.size
    while end < text.size and (_is_digit(text[end]) or 0x61 <= text[end] <= 0x66):
        end += 1
    return end + _ADDRESS_END.size if _matches(text, end, _ADDRESS_END) else at


@njit(cache=True, nogil=True)
def _keep(text: Bytes, at: int, likely: int, columns: Columns) -> tuple[int, int]:
    """Return the number of the text that begins here, kept anew when it is new, and where its quote stands.

    `likely` is the number of the text the same attribute had in the row before, which most often has not changed.
    """
    if likely >= 0:
        begin, size = columns.begins[likely], columns.begins[likely + 1] - columns.begins[likely]
        if at + size < text.size and text[at + size] == _QUOTE and _equal(text, at, columns.pool, begin, size):
            return likely, at + size
    end = _value_end(text, at)
    if end < 0:
        return -1, end
    size = end - at
    if size > LONGEST_KEPT:
        return -1, OTHER
    code = np.uint64(14695981039346656037)  # FNV-1a
    for k in range(at, end):
        code = (code ^ np.uint64(text[k])) * np.uint64(1099511628211)
    mask = columns.slots.size - 1
    slot = np.int64(code ^ (code >> np.uint64(32))) & mask
    while columns.slots[slot] >= 0:
        known = columns.slots[slot]
        begin = columns.begins[known]
        if columns.begins[known + 1] - begin == size and _equal(text, at, columns.pool, begin, size):
            return known, end
        slot = (slot + 1) & mask
    new, begin = columns.counts[STRINGS], columns.counts[BYTES]
    if new + 1 == columns.begins.size or begin + size > columns.pool.size:
        return -1, FULL
    for k in range(size):
        columns.pool[begin + k] = text[at + k]
    columns.begins[new + 1] = begin + size
    columns.slots[slot] = new
    columns.counts[STRINGS], columns.counts[BYTES] = new + 1, begin + size
    return new, end


@njit(cache=True, nogil=True)
def _equal(text: Bytes, at: int, pool: Bytes, begin: int, size: int) -> bool:
    for k in range(size):  # noqa: SIM110
        if text[at + k] != pool[begin + k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _number(text: Bytes, begin: int, end: int) -> tuple[float, bool]:
    """Read a number and say whether it is read to the last bit; NaN (and True) where it is no number.

    A mantissa of up to 53 bits over a power of ten up to 22 is one correctly rounded division (Clinger, "How to read
    floating point numbers accurately", 1990); longer ones are left to Python.
    """
    at = begin
    negative = at < end and text[at] == _MINUS
    if negative:
        at += 1
    mantissa = 0
    digits = fraction = 0
    first = at
    while at < end and _is_digit(text[at]):
        if digits < 18:
            mantissa = 10 * mantissa + _digit(text, at)
        digits += 1
        at += 1
    if at == first:
        return np.nan, True
    if at < end and text[at] == _DOT:
        at += 1
        first = at
        while at < end and _is_digit(text[at]):
            if digits < 18:
                mantissa = 10 * mantissa + _digit(text, at)
            digits += 1
            fraction += 1
            at += 1
        if at == first:
            return np.nan, True
    if at < end and text[at] | 0x20 == 0x65:  # an exponent
        at += 1
        if at < end and (text[at] == _PLUS or text[at] == _MINUS):
            at += 1
        first = at
        while at < end and _is_digit(text[at]):
            at += 1
        return np.nan, at < end or at == first
    if at < end:
        return np.nan, True
    if digits > 18 or mantissa > _EXACT or fraction > 22:
        return np.nan, False
    value = mantissa / _POWERS[fraction]
    return (-value if negative else value), True


@njit(cache=True, nogil=True)
def _time(text: Bytes, at: int) -> tuple[int, int]:
    """Read ``YYYY-MM-DD HH:MM:SS +HHMM``: ms since 1970 UTC and the offset [min]."""
    if (
        text[at + 4] != _MINUS or text[at + 7] != _MINUS or text[at + 10] != 0x20 or text[at + 13] != _COLON
        or text[at + 16] != _COLON or text[at + 19] != 0x20
        or (text[at + 20] != _PLUS and text[at + 20] != _MINUS)
    ):  # fmt: skip
        return _NOT_A_TIME, 0
    for k in _DIGIT_PLACES:
        if not _is_digit(text[at + k]):
            return _NOT_A_TIME, 0
    year, month, day = 100 * _two(text, at) + _two(text, at + 2), _two(text, at + 5), _two(text, at + 8)
    hour, minute, second = _two(text, at + 11), _two(text, at + 14), _two(text, at + 17)
    offset_h, offset_min = _two(text, at + 21), _two(text, at + 23)
    if year < 1 or month < 1 or month > 12 or day < 1 or hour > 23 or minute > 59 or second > 59:
        return _NOT_A_TIME, 0
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    length = _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1] + (1 if leap and month == 2 else 0)
    if day > length or offset_h > 23 or offset_min > 59:
        return _NOT_A_TIME, 0
    past = year - 1
    days = 365 * past + past // 4 - past // 100 + past // 400 + _DAYS_BEFORE[month - 1] + day - 1
    if leap and month > 2:
        days += 1
    offset = 60 * offset_h + offset_min
    if text[at + 20] == _MINUS:
        offset = -offset
    seconds = 86_400 * (days - 719_162) + 3600 * hour + 60 * (minute - offset) + second
    return 1000 * seconds, offset


@njit(cache=True, nogil=True)
def _two(text: Bytes, at: int) -> int:
    return 10 * _digit(text, at) + _digit(text, at + 1)


@njit(cache=True, nogil=True)
def _digit(text: Bytes, at: int) -> int:
    return np.int64(text[at]) - _ZERO  # type: ignore[return-value]  # a bare byte would overflow, an int be unsigned

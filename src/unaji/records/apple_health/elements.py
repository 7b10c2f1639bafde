"""Whatever the byte scanner leaves: an XML parser with handlers, which gives the same rows.

No declaration of a document type ever reaches it, so there are no entities but XML's own five.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from xml.parsers import expat

import numpy as np

from unaji.errors import InputError
from unaji.records.apple_health.rows import LONGEST_KEPT, Rows, Text, without_address
from unaji.records.problems import ProblemLog

DEEPEST = 32
LONGEST_ATTRIBUTE = 65_536
MOST_BEATS = 10_000  # of one record; Apple's hold about a hundred
MOST_ROWS = 50_000
MOST_NAMES = 1000
QUARTER_MS = 900_000
LONGEST_GROUP = 9  # digits
PROBE = "unaji-probe"

_KEPT_METADATA = {
    "HKTimeZone": Text.ZONE,
    "HKMetadataKeyHeartRateMotionContext": Text.MOTION,
    "HKWasUserEntered": Text.ENTERED,
    "HKMetadataKeyBarometricPressure": Text.PRESSURE,
}
_KEPT_ATTRIBUTES = (("sourceName", Text.SOURCE), ("device", Text.DEVICE))
_TIME = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})[ T]?([0-9]{2}):?([0-9]{2}):?([0-9]{2}) ?([+-])([0-9]{2}):?([0-9]{2})"
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_EPOCH = datetime(1970, 1, 1)


class Elements:
    """The handlers of one parser; keeps records and workouts, counts the rest.

    Attributes
    ----------
    others : Counter
        Elements that are neither records nor workouts (rings of a day, averages and route of a workout), by name.
    repeated : Counter
        Records inside another element, by its name; Apple repeats those of a Correlation outside.
    at_top : bool
        After `PROBE` was read: whether it stood between two elements right under the root.
    """

    def __init__(self, file: str, log: ProblemLog) -> None:
        self.file, self.log = file, log
        self.others: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()
        self.at_top = False
        self._path: list[str] = []
        self._current: dict[str, str] = {}
        self._metadata: dict[Text, str] = {}
        self._beats: list[tuple[float, int]] = []
        self._line = 0
        self._where: Callable[[], int] = lambda: 0
        self._clear()

    def __len__(self) -> int:
        return len(self._rows)

    def follow(self, parser: expat.XMLParserType, where: Callable[[], int]) -> None:
        """Listen to a parser from its root on; `where` tells the line it is in."""
        self._path, self._current, self._where = [], {}, where
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._finish

    def take(self) -> Rows:
        """Return the rows kept so far and begin anew."""
        columns = list(zip(*self._rows, strict=True)) or [()] * 6
        line, value, start, end, offset, ids = columns
        beats = list(zip(*self._all_beats, strict=True)) or [()] * 3
        rows = Rows(
            list(self._strings),
            np.array(ids, dtype=np.int32).reshape(-1, len(Text)).T,
            np.array(line, dtype=np.int64),
            np.array(value, dtype=np.float64),
            np.array(start, dtype=np.int64),
            np.array(end, dtype=np.int64),
            np.array(offset, dtype=np.int16),
            np.array(beats[0], dtype=np.int32),
            np.array(beats[1], dtype=np.float64),
            np.array(beats[2], dtype=np.int64),
        )
        self._clear()
        return rows

    def _clear(self) -> None:
        self._strings: dict[str, int] = {}
        self._rows: list[tuple[int, float, int, int, int, tuple[int, ...]]] = []
        self._all_beats: list[tuple[int, float, int]] = []

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        if name == PROBE:
            self.at_top = depth == 1
        elif depth == 1:
            self._begin_top(name, attributes)
        elif depth > 1:
            self._begin_inside(name, attributes)
        self._path.append(name)
        if depth == DEEPEST:
            raise InputError(
                f"{self.file}, line {self._where()}: elements lie more than {DEEPEST} deep; this is no export of Apple "
                "Health. Export it again"
            )

    def _begin_top(self, name: str, attributes: dict[str, str]) -> None:
        if name in {"Record", "Workout"}:
            self._current, self._metadata, self._beats, self._line = attributes, {}, [], self._where()
        elif name not in {"ExportDate", "Me", "Correlation"}:
            _count(self.others, name)

    def _begin_inside(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Record":
            _count(self.repeated, self._path[1])
        elif self._path[1] not in {"Record", "Workout"}:
            return
        elif name == "MetadataEntry" and len(self._path) == 2:
            kept = _KEPT_METADATA.get(attributes.get("key", ""))
            if kept is not None:
                self._metadata[kept] = attributes.get("value", "")
        elif name == "InstantaneousBeatsPerMinute" and len(self._beats) < MOST_BEATS:
            self._beats.append((_rate(attributes.get("bpm", "")), _within_quarter(attributes.get("time", ""))))
        elif name in {"WorkoutStatistics", "WorkoutRoute"}:
            _count(self.others, name)

    def _finish(self, name: str) -> None:
        self._path.pop()
        if len(self._path) == 1 and name in {"Record", "Workout"}:
            self._keep_row(name, self._current)

    def _keep_row(self, name: str, attributes: Mapping[str, str]) -> None:
        is_workout = name == "Workout"
        kind = attributes.get("workoutActivityType" if is_workout else "type", "")
        if any(len(value) > LONGEST_ATTRIBUTE for value in attributes.values()):
            self._reject("", f"an attribute is longer than {LONGEST_ATTRIBUTE:,} characters")
            return
        if not kind:
            self._reject(name, "the element does not say its type")
            return
        stamps = [_instant(attributes.get(key, "")) for key in ("startDate", "endDate")]
        for key, stamp in zip(("startDate", "endDate"), stamps, strict=True):
            if stamp is None:
                rule = f"{key} must be a time with an offset, like 2024-05-01 08:30:00 +0900"
                self._reject(attributes.get(key, ""), rule)
                return
        start, end = stamps
        assert start is not None
        assert end is not None
        value, unit = (
            ("duration", "durationUnit") if is_workout else ("value", "unit")
        )  # a workout's unit is always written
        texts = {which: attributes[key] for key, which in _KEPT_ATTRIBUTES if key in attributes} | self._metadata
        texts[Text.TYPE] = kind
        if unit in attributes:
            texts[Text.UNIT] = attributes[unit]
        number = float("nan")
        if _NUMBER.fullmatch(attributes.get(value, "")):
            number = float(attributes[value])
        elif value in attributes:
            texts[Text.VALUE] = attributes[value]
        self._all_beats += ((len(self._rows), *beat) for beat in self._beats)
        ids = tuple(self._number_of(texts[which]) if which in texts else -1 for which in Text)
        self._rows.append((self._line, number, start[0], end[0], start[1], ids))

    def _number_of(self, text: str) -> int:
        return self._strings.setdefault(without_address(text)[:LONGEST_KEPT], len(self._strings))

    def _reject(self, value: str, rule: str) -> None:
        self.log.reject(self.file, self._line, value, rule)


def _count(names: Counter[str], name: str) -> None:
    known = name in names or len(names) < MOST_NAMES
    names[name[:LONGEST_KEPT] if known else "…"] += 1


def _instant(text: str) -> tuple[int, int] | None:
    """Return ms since 1970 UTC and the offset [min] of a time as written in an export, None for what is no time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    *wall, sign, offset_h, offset_min = found.groups()
    if int(offset_h) > 23 or int(offset_min) > 59:
        return None
    try:
        since = datetime(*map(int, wall)) - _EPOCH  # type: ignore[arg-type]
    except ValueError:
        return None
    offset = (60 * int(offset_h) + int(offset_min)) * (1 if sign == "+" else -1)
    return (since - timedelta(minutes=offset)) // timedelta(milliseconds=1), offset


def _rate(text: str) -> float:
    """Return a rate [1/min], NaN for what is none."""
    return float(text) if _NUMBER.fullmatch(text) else float("nan")


def _within_quarter(text: str) -> int:
    """Return a beat's time in ms within a quarter of an hour; -1 when it cannot be read.

    All the world's clocks differ by quarters of an hour and so do the morning's and the evening's six, which is why
    neither the zone nor the words for morning and evening are needed. Whatever parts the numbers is the locale's.
    """
    groups = re.findall(r"\d+", text)
    if len(groups) not in {3, 4} or max(map(len, groups)) > LONGEST_GROUP:
        return -1
    minute, second = int(groups[1]), int(groups[2])
    fraction = int("".join(groups[3:])[:3].ljust(3, "0"))
    if minute > 59 or second > 59:
        return -1
    return (60_000 * minute + 1000 * second + fraction) % QUARTER_MS

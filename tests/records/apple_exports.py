"""Exports of Apple Health made for tests, and ways to damage them."""

from __future__ import annotations

import io
import random
from collections import defaultdict

from unaji.records.apple_health.elements import Elements
from unaji.records.apple_health.rows import Rows, Text
from unaji.records.apple_health.stream import read_rows
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source

TOKENS = (
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#x41;", b"&none;", b"&lt;", b"'", b'"', b"<", b">", b"/>",
    b"\n", b"\t", b"\r", b"\x00", b"\xff", b"\xe3\x81", b"\xef\xbf\xbf", b"<Record ", b"</Record>", b"</HealthData>",
    b"9", b"<HealthData>", b"<?pi ", b"?>", b"<Correlation>", b"</Correlation>", b' unit="ms"', b"-",
    b"<unaji-probe/>",
    b'\n <Record type="HKQuantityTypeIdentifierStepCount" sourceName="x" startDate="2024-01-01 00:00:00 +0900" '
    b'endDate="2024-01-01 00:00:00 +0900" value="1e3"/>',
)  # fmt: skip


def source(data: bytes, name: str = "export.xml") -> Source:
    """Give bytes as a file."""
    return Source(name, data[:HEAD_BYTES], lambda: io.BytesIO(data), len(data))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Flip a bit, cut the end, leave out, double or move a stretch, or put something in; some of these at once."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, to = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + rng.choice((1, 3, 40, 400)))
        how = rng.randrange(7)
        if how == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif how == 1 and rng.random() < 0.3:
            data = data[:at]
        elif how == 2:
            data = data[:at] + data[to:]
        elif how == 3:
            data = data[:to] + data[at:]
        elif how == 4:
            data = data[:at] + data[to : 2 * to - at] + data[at:to] + data[2 * to - at :]
        else:
            data = data[:at] + rng.choice(TOKENS) + data[at:]
        if not data:
            return b"<HealthData>"
    return data


def records(data: bytes, *, strict: bool, block_bytes: int = 4 << 20) -> tuple[list[tuple[object, ...]], object]:
    """Read an export with either reader: its records as sorted tuples, and everything that was counted or noted."""
    log = ProblemLog()
    elements = Elements("export.xml", log)
    rows = [
        row
        for part in read_rows(source(data), log, elements, strict=strict, block_bytes=block_bytes)
        for row in _tuples(part)
    ]
    return sorted(rows), (elements.others, elements.repeated, log.problems())


def _tuples(rows: Rows) -> list[tuple[object, ...]]:
    beats = defaultdict(list)
    for row, bpm, ms in zip(rows.beat_row.tolist(), rows.beat_bpm.tolist(), rows.beat_ms.tolist(), strict=True):
        beats[row].append((repr(bpm), ms))
    numbers = zip(rows.line.tolist(), rows.value.tolist(), rows.start.tolist(), rows.end.tolist(),
                  rows.offset.tolist(), strict=True)  # fmt: skip
    return [
        (line, repr(value), start, end, offset, *(rows.text(text, k) for text in Text), tuple(beats[k]))
        for k, (line, value, start, end, offset) in enumerate(numbers)
    ]

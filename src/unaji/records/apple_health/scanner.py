"""The tables the byte scanner fills, and what stands in them as rows; imported on first use, as numba loads slowly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from unaji.records.apple_health import _kernels_scan as kernels
from unaji.records.apple_health.rows import Rows, Stopped, decoded

MOST_ROWS = 1 << 14
MOST_BEATS = 1 << 15
MOST_TEXTS = 1 << 13
POOL_BYTES = 1 << 20


class Scanner:
    """Reads records as Apple writes them from bytes into tables of fixed size."""

    def __init__(self, *, most_rows: int = MOST_ROWS) -> None:
        n = most_rows
        self._columns = kernels.Columns(
            line=np.empty(n, dtype=np.int64),
            ids=np.empty((kernels.N_TEXTS, n), dtype=np.int32),
            value=np.empty(n),
            start=np.empty(n, dtype=np.int64),
            end=np.empty(n, dtype=np.int64),
            offset=np.empty(n, dtype=np.int16),
            beat_row=np.empty(MOST_BEATS, dtype=np.int32),
            beat_bpm=np.empty(MOST_BEATS),
            beat_ms=np.empty(MOST_BEATS, dtype=np.int64),
            long=np.empty((3, n), dtype=np.int64),
            slots=np.full(4 * MOST_TEXTS, -1, dtype=np.int32),
            begins=np.zeros(MOST_TEXTS + 1, dtype=np.int64),
            pool=np.empty(POOL_BYTES, dtype=np.uint8),
            counts=np.zeros(6, dtype=np.int64),
        )

    def __len__(self) -> int:
        return int(self._columns.counts[kernels.ROWS])

    def scan(self, text: bytes, begin: int, line: int) -> tuple[int, int, Stopped]:
        """Read from `begin`, which is in `line`, on; return where and in which line it stopped, and why."""
        columns = self._columns
        columns.counts[kernels.LINE] = line
        at, why = kernels.scan(np.frombuffer(text, dtype=np.uint8), begin, columns)
        for row, first, last in columns.long[:, : columns.counts[kernels.LONG]].T.tolist():
            columns.value[row] = float(text[first:last])
        columns.counts[kernels.LONG] = 0
        return int(at), int(columns.counts[kernels.LINE]), Stopped(why)

    def take(self) -> Rows:
        """Return the rows read so far and begin anew."""
        columns = self._columns
        n, m = len(self), int(columns.counts[kernels.BEATS])
        rows = Rows(
            strings=self._strings(),
            ids=columns.ids[:, :n].copy(),
            line=columns.line[:n].copy(),
            value=columns.value[:n].copy(),
            start=columns.start[:n].copy(),
            end=columns.end[:n].copy(),
            offset=columns.offset[:n].copy(),
            beat_row=columns.beat_row[:m].copy(),
            beat_bpm=columns.beat_bpm[:m].copy(),
            beat_ms=columns.beat_ms[:m].copy(),
        )
        columns.slots.fill(-1)
        columns.counts[:] = 0
        return rows

    def _strings(self) -> list[str]:
        n = int(self._columns.counts[kernels.STRINGS])
        begins = self._columns.begins[: n + 1].tolist()
        pool = self._columns.pool[: begins[n]].tobytes()
        return [decoded(pool[first:last]) for first, last in pairwise(begins)]

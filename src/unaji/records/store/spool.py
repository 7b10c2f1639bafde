"""Rows on their way into the store, gathered in bounded memory and given back by quantity in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.records.batch import Batch

SPILL_ROWS = 1 << 16
"""Rows held in memory before they are put aside on the disk: about 5 MB, and twice that while they are sorted."""

PIECE_ROWS = 1 << 19
"""About the most rows a file of the store gets."""

WORTH_A_FILE = 65_536
"""Fewer rows than these do not end with their month but share a file with the next."""

HOUR_MS = 3_600_000

Group = tuple[str, str]
"""Kind and quantity."""

IntArray = NDArray[np.int64]


@dataclass(slots=True)
class _Gathered:
    waiting: list[pl.DataFrame] = field(default_factory=list)
    aside: list[Path] = field(default_factory=list)
    hours: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # since 1970, in order
    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # in each of these hours


class Spool:
    """Gathers batches of any size and order.

    Parameters
    ----------
    folder : Path
        An empty folder for rows put aside; whoever made it removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: dict[Group, _Gathered] = {}
        self._waiting_rows = 0
        self._files = 0

    def add(self, batch: Batch, source_id: int) -> None:
        """Take in the rows of a batch."""
        if not len(batch):
            return
        group = self._groups.setdefault((batch.kind.value, batch.quantity), _Gathered())
        group.waiting.append(batch.rows.with_columns(pl.lit(source_id, dtype=pl.UInt32).alias("source_id")))
        self._waiting_rows += len(batch)
        if self._waiting_rows >= SPILL_ROWS:
            self._put_aside()

    def groups(self) -> list[Group]:
        """Return the kinds and quantities that have rows."""
        return sorted(self._groups)

    def pieces(self, group: Group) -> Iterator[pl.DataFrame]:
        """Give the rows of a quantity in order of time, in pieces that fit into memory.

        A piece ends with the month, unless it has few rows; rows of one instant are in one piece.
        """
        gathered = self._groups[group]
        parts = [pl.scan_parquet(file) for file in gathered.aside]
        if gathered.waiting:
            parts.append(_in_order(gathered).lazy())
        for start, end in _pieces(gathered.hours, gathered.rows):
            inside = (pl.col("time") >= start) & (pl.col("time") < end)
            yield sorted_by_time(pl.concat([part.filter(inside) for part in parts]).collect())

    def _put_aside(self) -> None:
        for gathered in self._groups.values():
            if gathered.waiting:
                file = self._folder / f"{self._files}.parquet"
                self._files += 1
                _in_order(gathered).write_parquet(file, compression="lz4", row_group_size=WORTH_A_FILE)
                gathered.aside.append(file)
        self._waiting_rows = 0


def sorted_by_time(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows by time, those of one time in the order they had; most come in order, and then nothing is moved."""
    return rows if rows["time"].is_sorted() else rows.sort("time", maintain_order=True)


def _in_order(gathered: _Gathered) -> pl.DataFrame:
    """Return what is waiting, by time, and count its hours; afterwards nothing is waiting."""
    rows = sorted_by_time(pl.concat(gathered.waiting))
    gathered.waiting.clear()
    _count(gathered, *np.unique(rows["time"].to_numpy() // HOUR_MS, return_counts=True))
    return rows


def _count(gathered: _Gathered, hours: IntArray, rows: IntArray) -> None:
    """Add rows to those counted: in arrays, as ten years of ten quantities are close to a million hours."""
    gathered.hours, place = np.unique(np.concatenate([gathered.hours, hours]), return_inverse=True)
    counted = np.concatenate([gathered.rows, rows])
    gathered.rows = np.zeros(gathered.hours.size, dtype=np.int64)
    np.add.at(gathered.rows, place, counted)


def _pieces(hours: IntArray, rows_in: IntArray) -> Iterator[tuple[int, int]]:
    """Part hours, which are in order, into stretches [start, end), ms since 1970 UTC."""
    months = hours.astype("datetime64[h]").astype("datetime64[M]")
    begins_month = np.diff(months, prepend=months[:1]).astype(bool).tolist()
    first, rows = 0, 0
    at = hours.tolist()
    for i, n in enumerate(rows_in.tolist()):
        if i > first and ((begins_month[i] and rows >= WORTH_A_FILE) or rows + n > PIECE_ROWS):
            yield at[first] * HOUR_MS, at[i] * HOUR_MS
            first, rows = i, 0
        rows += n
    if at:
        yield at[first] * HOUR_MS, (at[-1] + 1) * HOUR_MS

"""Rows on their way into the store, gathered in bounded memory and given back by quantity in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from unaji.records.batch import Batch

SPILL_ROWS = 1 << 18
"""Rows held in memory before they are put aside on the disk: about 30 MB, and twice that while they are sorted."""

PIECE_ROWS = 1 << 19
"""About the most rows a file of the store gets."""

WORTH_A_FILE = 65_536
"""Fewer rows than these do not end with their month but share a file with the next."""

HOUR_MS = 3_600_000

Group = tuple[str, str]
"""Kind and quantity."""


@dataclass(slots=True)
class _Gathered:
    waiting: list[pl.DataFrame] = field(default_factory=list)
    aside: list[Path] = field(default_factory=list)
    hours: dict[int, int] = field(default_factory=dict)  # rows by hour since 1970


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
            self.put_aside()

    def groups(self) -> list[Group]:
        """Return the kinds and quantities that have rows."""
        return sorted(self._groups)

    def pieces(self, group: Group, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Give the rows of a quantity in order of time, in pieces that fit into memory.

        A piece ends with the month, unless it has few rows; rows of one instant are in one piece.

        Parameters
        ----------
        columns : sequence of str, optional
            Which columns to read, ``time`` among them; default: all.
        """
        gathered = self._groups[group]
        parts = [pl.scan_parquet(file) for file in gathered.aside]
        if gathered.waiting:
            parts.append(_in_order(gathered).lazy())
        for start, end in _pieces(gathered.hours):
            inside = (pl.col("time") >= start) & (pl.col("time") < end)
            rows = pl.concat([part.filter(inside) for part in parts])
            yield sorted_by_time((rows if columns is None else rows.select(columns)).collect())

    def put_aside(self) -> None:
        """Put all that is held in memory on the disk; from then on pieces can be had more than once."""
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
    hours, counts = np.unique(rows["time"].to_numpy() // HOUR_MS, return_counts=True)
    for hour, n in zip(hours.tolist(), counts.tolist(), strict=True):
        gathered.hours[hour] = gathered.hours.get(hour, 0) + n
    return rows


def _pieces(hours: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Part hours into stretches [start, end), ms since 1970 UTC."""
    at = sorted(hours)
    months = np.array(at, dtype="datetime64[h]").astype("datetime64[M]")
    first, rows = 0, 0
    for i, hour in enumerate(at):
        new_month = i > first and months[i] != months[i - 1] and rows >= WORTH_A_FILE
        if new_month or (i > first and rows + hours[hour] > PIECE_ROWS):
            yield at[first] * HOUR_MS, hour * HOUR_MS
            first, rows = i, 0
        rows += hours[hour]
    if at:
        yield at[first] * HOUR_MS, (at[-1] + 1) * HOUR_MS

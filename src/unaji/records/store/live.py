"""Which rows of a store's files hold? Those of which the latest word is that they are there.

Every import says something of rows: that it holds them (its own, and those it found here already), or that it holds
others in their place. Of all that imports that were not undone say of a row, the one whose export is the latest counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unaji.errors import InputError
from unaji.records.store.manifest import BatchEntry, FileEntry, Mark

NEVER = -1
RowNumbers = NDArray[np.uint32]
Ranks = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What is said of the rows of a file, each by the latest import that says it.

    Attributes
    ----------
    held, superseded : ndarray of int, shape (n_rows,)
        Rank of that import among all in order of their exports, from 0; `NEVER` where none says so.
    """

    held: Ranks
    superseded: Ranks

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Rows that do not hold."""
        hidden: NDArray[np.bool_] = (self.held == NEVER) | (self.superseded > self.held)
        return hidden


def ranks(batches: Sequence[BatchEntry]) -> dict[int, int]:
    """Return the rank of each batch in the order of their exports, then of their imports."""
    in_order = sorted(batches, key=lambda batch: (batch.exported_ms, batch.id))
    return {batch.id: rank for rank, batch in enumerate(in_order)}


def said_of(
    path: Path, file: FileEntry, marks: Sequence[Mark], rank: Mapping[int, int], *, before: int | None = None
) -> Said:
    """Put together what is said of a file's rows; only by imports of a lower rank than `before`, where it is given."""
    counting = {batch for batch, r in rank.items() if before is None or r < before}
    latest_owner = max((rank[batch] for batch in file.owners if batch in counting), default=NEVER)
    held = np.full(file.rows, latest_owner, dtype=np.int64)
    superseded = np.full(file.rows, NEVER, dtype=np.int64)
    for mark in marks:
        if mark.batch in counting:
            column = held if mark.says == "seen" else superseded
            with _readable(path / mark.rows):
                numbers = pl.read_parquet(path / mark.rows)["row"].to_numpy()
            column[numbers] = np.maximum(column[numbers], rank[mark.batch])
    return Said(held, superseded)


def live_rows(
    path: Path,
    file: FileEntry,
    marks: Sequence[Mark],
    rank: Mapping[int, int],
    where: pl.Expr | None = None,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return the rows of a file that hold; `where` makes use of what Parquet knows of its row groups."""
    if not marks:
        return _rows(path, file, where, None, columns)
    rows = _rows(path, file, where, "_row", columns)
    hidden = said_of(path, file, marks, rank).hidden[rows["_row"].to_numpy()]
    return rows.filter(~pl.Series(hidden)).drop("_row")


def numbered_rows(path: Path, file: FileEntry, where: pl.Expr, columns: Sequence[str], number: str) -> pl.DataFrame:
    """Return some columns of all rows of a file, whether they hold or not, with each row's number in it."""
    return _rows(path, file, where, number, columns)


def numbers_frame(numbers: RowNumbers) -> pl.DataFrame:
    """Return row numbers as the columns of a mark's file."""
    return pl.DataFrame({"row": np.unique(numbers)})


def _rows(
    path: Path, file: FileEntry, where: pl.Expr | None, number: str | None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    with _readable(path / file.path):
        rows = pl.scan_parquet(path / file.path, row_index_name=number)
        if where is not None:
            rows = rows.filter(where)
        if columns is not None:
            rows = rows.select(*columns, *([number] if number else []))
        return rows.collect()


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file}: cannot be read, so the store is damaged; restore its folder from a copy") from error
